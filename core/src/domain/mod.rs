//! The law and what it decides: no hash trees, no protobuf, no clock, no type for a person's name.

pub mod access;
pub mod agency;
pub mod calendar;
pub mod custody;
pub mod decide;
pub mod directory;
pub mod document;
pub mod duty;
pub mod explain;
pub mod policy;
pub mod record;
pub mod relation;
pub mod reminders;
pub mod role;
pub mod rulebook;
pub mod state;
pub mod term;
