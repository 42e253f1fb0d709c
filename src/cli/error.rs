//! How a command fails: an exit code that scripts can branch on, and words in English and Chinese
//! that say what is wrong and what would help.

use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::globals::{Globals, Lang};
pub use crate::client::error::chain;

/// The exit codes, after BSD's `sysexits.h` where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The hub refused, or a check failed.
    Refused = 1,
    /// The command line, or a file that it names, can't be used.
    Usage = 2,
    /// Stored data are damaged.
    Damaged = 65,
    /// The hub can't be reached, or can't answer now.
    Unavailable = 69,
    /// A defect, or the machine failed.
    Internal = 70,
    /// A certificate, a key or a right is missing.
    Permission = 77,
}

/// Why a command failed.
#[derive(Debug)]
pub struct CliError {
    exit: Exit,
    english: String,
    chinese: String,
    /// What would help, in English and Chinese.
    help: Vec<(String, String)>,
    /// The facts for programs; null if there are none beyond the words.
    facts: Value,
}

impl CliError {
    /// An error with its words in English and Chinese.
    #[must_use]
    pub fn new(exit: Exit, english: impl Into<String>, chinese: impl Into<String>) -> Self {
        let (english, chinese) = (english.into(), chinese.into());
        Self { exit, english, chinese, help: Vec::new(), facts: Value::Null }
    }

    /// The hub refused, or a check failed.
    #[must_use]
    pub fn refused(english: impl Into<String>, chinese: impl Into<String>) -> Self {
        Self::new(Exit::Refused, english, chinese)
    }

    /// The command line, or a file that it names, can't be used.
    #[must_use]
    pub fn usage(english: impl Into<String>, chinese: impl Into<String>) -> Self {
        Self::new(Exit::Usage, english, chinese)
    }

    /// The hub can't be reached, or can't answer now.
    #[must_use]
    pub fn unavailable(english: impl Into<String>, chinese: impl Into<String>) -> Self {
        Self::new(Exit::Unavailable, english, chinese)
    }

    /// A certificate, a key or a right is missing.
    #[must_use]
    pub fn permission(english: impl Into<String>, chinese: impl Into<String>) -> Self {
        Self::new(Exit::Permission, english, chinese)
    }

    /// A defect, or the machine failed: what was tried, and the error with all its causes.
    #[must_use]
    pub fn internal(error: &dyn Error) -> Self {
        let cause = chain(error);
        Self::new(Exit::Internal, cause.clone(), format!("程序或本机故障：{cause}"))
    }

    /// The same with a word of what would help.
    #[must_use]
    pub fn help(mut self, english: impl Into<String>, chinese: impl Into<String>) -> Self {
        self.help.push((english.into(), chinese.into()));
        self
    }

    /// The same with facts for programs, printed with `--json`.
    #[must_use]
    pub fn facts(mut self, facts: Value) -> Self {
        self.facts = facts;
        self
    }

    /// The code that the program ends with.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Prints it to standard error, in the language asked for or in both, or as one line of JSON,
    /// and gives the code that the program ends with.
    #[must_use]
    pub fn report(&self, globals: &Globals) -> ExitCode {
        if globals.json() {
            eprintln!("{}", self.to_json());
        } else {
            eprint!("{}", self.to_text(globals.lang()));
        }
        ExitCode::from(self.exit as u8)
    }

    fn to_json(&self) -> Value {
        let help = self.help.iter().map(|(en, zh)| json!({"en": en, "zh": zh}));
        json!({"error": {
            "exit": self.exit as u8,
            "message": self.english,
            "message_zh": self.chinese,
            "help": help.collect::<Vec<_>>(),
            "facts": self.facts,
        }})
    }

    fn to_text(&self, lang: Lang) -> String {
        let mut text = String::new();
        // Writing to a string can't fail.
        if lang != Lang::Zh {
            let _ = writeln!(text, "error: {}", self.english);
            for (english, _) in &self.help {
                let _ = writeln!(text, "  help: {english}");
            }
        }
        if lang != Lang::En {
            let _ = writeln!(text, "错误：{}", self.chinese);
            for (_, chinese) in &self.help {
                let _ = writeln!(text, "  建议：{chinese}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_speaks_the_language_asked_for_and_says_what_helps() {
        let error = CliError::permission("no", "无权").help("ask", "请联系运维");
        let (english, chinese) = ("error: no\n  help: ask\n", "错误：无权\n  建议：请联系运维\n");
        assert_eq!(error.to_text(Lang::En), english);
        assert_eq!(error.to_text(Lang::Zh), chinese);
        assert_eq!(error.to_text(Lang::Both), format!("{english}{chinese}"));
        let json = error.facts(json!({"reason": "X"})).to_json();
        assert_eq!(json["error"]["exit"], 77);
        assert_eq!(json["error"]["facts"]["reason"], "X");
        assert_eq!(json["error"]["help"][0]["zh"], "请联系运维");
    }
}
