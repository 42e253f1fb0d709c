//! `xianjie demo`: makes a hub with the agencies of a small province, and plays a story through the
//! public API alone: from verdict to release, and on the other branch back to prison.
//!
//! The hub is a child process on a clock of its own, so that days pass at once; it is killed in the
//! middle. Everything that the story claims is checked as it is told: where each document went, who
//! answers for the person, what the refusal names, whom the hub warned when nobody acted.

use std::path::{Path, PathBuf};

use xianjie_core::ids::AgencyCode;

mod check;
mod duties;
mod notice;
mod play;
mod proof;
mod query;
mod stage;
mod story;
mod timeline;

pub use play::run;

/// Why the story can't be told to its end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The story's own files.
    #[error("the story: {0}")]
    Story(String),
    /// The folder is somebody's.
    #[error("{} is there already, and no demonstration made it; name another with --into", .0.display())]
    Taken(PathBuf),
    /// A file or a process.
    #[error("{}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A command of this program failed.
    #[error("`xianjie {command}` failed:\n{said}")]
    Command {
        /// Which.
        command: &'static str,
        /// What it printed.
        said: String,
    },
    /// The hub did not come up.
    #[error("the hub does not answer; see {}", .0.display())]
    NotReady(PathBuf),
    /// A client of the story.
    #[error("{agency}")]
    Client {
        /// Whose.
        agency: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The hub did something else than the story says.
    #[error("{step}: expected {expected}, found {found}")]
    Other {
        /// At which step.
        step: String,
        /// What the story says.
        expected: String,
        /// What happened.
        found: String,
    },
}

impl DemoError {
    fn client(agency: &AgencyCode, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Client { agency: agency.to_string(), source: Box::new(source) }
    }

    fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}
