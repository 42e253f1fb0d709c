//! What is wrong in a rulebook, and where.

use std::error::Error;
use std::fmt;

/// One error in a rulebook: where it is, what it is, and what may have been meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RulebookError {
    /// The file's name; `schema` where the documents' schema and no file is at fault.
    pub file: String,
    /// The line, from 1; 0 in the schema.
    pub line: usize,
    /// The tables and key, such as `document.verdict_handover.duties[0].within`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// The nearest thing that would be right.
    pub suggestion: Option<String>,
}

impl RulebookError {
    /// An error about a whole file.
    pub(super) fn of_file(name: &str, message: String) -> Self {
        let (file, path) = (name.to_owned(), String::new());
        Self { file, line: 1, path, message, suggestion: None }
    }
}

impl fmt::Display for RulebookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.file, self.line, self.path, self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; did you mean \"{suggestion}\"?"),
            None => Ok(()),
        }
    }
}

impl Error for RulebookError {}
