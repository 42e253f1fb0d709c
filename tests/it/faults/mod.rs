//! What happens when a write fails, an answer is lost, or the process dies between two writes.
//!
//! One test for each row of the table of crash points, over SQLite and a store that fails as told.
//! Attachments (file, rename, folder) have theirs beside their code.

pub(crate) mod faulty;
mod floor;
mod kills;
mod running;
mod statements;
mod storm;
mod streams;
mod unknown;
