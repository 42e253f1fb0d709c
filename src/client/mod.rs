//! What an integrator in Rust uses, and this program's own commands too: it keeps the client's side
//! of the protocol, so that nobody has to write it twice.
//!
//! - [`profile`], [`trust`]: who the client is, and what it verifies the hub with.
//! - [`connect`]: [`Client`], a connection on which the hub has answered.
//! - [`prepare`], [`outbox`], [`attachments`], [`send`]: a file becomes a document, is kept, and is
//!   sent until it is receipted.
//! - [`inbox`]: deliveries are stored, verified, and only then acknowledged.
//! - [`verify`], [`bindings`], [`seen`]: nothing the hub says is believed without its proof.
//! - [`checked`], [`status`]: what would become of a document, and what became of it.
//! - [`supervise`]: what is owed, who is between two agencies, and alarms as they come.
//! - [`query`]: what the hub holds about a person, on a legal ground.
//! - [`directory`], [`registry`]: who takes part; changes by operators.
//!
//! What is written is on stable storage before anything is built on it. The client decides nothing
//! that the law decides.

pub mod attachments;
pub mod backoff;
pub mod bindings;
pub mod checked;
pub mod connect;
pub mod directory;
pub mod disk;
pub mod doctor;
pub mod error;
pub mod files;
pub mod inbox;
pub mod json;
pub mod observer;
pub mod outbox;
pub mod prepare;
pub mod profile;
pub mod query;
pub mod registry;
pub mod seen;
pub mod send;
pub mod status;
pub mod supervise;
pub mod trust;
pub mod verify;

#[cfg(test)]
pub(crate) mod testing;

pub use connect::{Client, ConnectError};
pub use error::{CallError, Refused};
pub use observer::{Observer, Silent};
pub use profile::Profile;
pub use trust::Trust;
