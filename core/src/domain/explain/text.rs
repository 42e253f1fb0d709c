//! An explanation as plain text for a terminal.

use std::fmt::Write as _;

use super::{Duty, Explanation, Line, Phrase, Source};

/// In which language an explanation is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English only.
    English,
    /// Chinese only.
    Chinese,
    /// English with Chinese beside it.
    #[default]
    Both,
}

impl Language {
    /// The phrase in this language. What reads the same in both is written once.
    #[must_use]
    pub fn of(self, phrase: &Phrase) -> String {
        match self {
            Self::English => phrase.english.clone(),
            Self::Chinese => phrase.chinese.clone(),
            Self::Both if phrase.english == phrase.chinese => phrase.english.clone(),
            Self::Both => format!("{} · {}", phrase.english, phrase.chinese),
        }
    }

    fn unverified(self) -> &'static str {
        match self {
            Self::English => "unverified",
            Self::Chinese => "未核对",
            Self::Both => "未核对/unverified",
        }
    }

    /// `[社区矫正法 20, 2020办法 16 未核对/unverified]`.
    fn articles(self, source: &Source) -> String {
        let mut text = source.articles.join(", ");
        if !source.verified {
            text.push_str(if text.is_empty() { "" } else { " " });
            text.push_str(self.unverified());
        }
        format!("[{text}]")
    }

    fn since(self, explanation: &Explanation) -> String {
        let from = explanation.from;
        let phrase =
            Phrase::new(format!("law in force since {from}"), format!("{from}起施行的规则"));
        self.of(&phrase)
    }
}

impl Explanation {
    /// As plain text: headings at the margin, lines indented.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let mut text = format!("{}  {}\n", self.document_type, self.name);
        // Writing to a string can't fail.
        let _ = writeln!(text, "{}", language.since(self));
        for source in &self.sources {
            let _ = writeln!(text, "{} {}", language.articles(source), source.path);
        }
        for section in &self.sections {
            let _ = writeln!(text, "\n{}", language.of(&section.heading));
            write_lines(&mut text, &section.lines, 1, language);
        }
        if !self.duties.is_empty() {
            let lines: Vec<_> = self.duties.iter().map(Duty::line).collect();
            let _ = writeln!(text, "\n{}", language.of(&super::duties_heading()));
            write_lines(&mut text, &lines, 1, language);
        }
        text
    }
}

fn write_lines(text: &mut String, lines: &[Line], depth: usize, language: Language) {
    for line in lines {
        let _ = write!(text, "{}- {}", "  ".repeat(depth), language.of(&line.phrase));
        if let Some(source) = &line.source {
            let _ = write!(text, " {} {}", language.articles(source), source.path);
        }
        text.push('\n');
        write_lines(text, &line.details, depth + 1, language);
    }
}
