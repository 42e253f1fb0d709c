//! An explanation as plain text for a terminal, or as Markdown.

use std::fmt::Write as _;

use super::{Explanation, Line, Phrase, Source};

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

    /// `[社区矫正法 20, 2020办法 16 未核对/unverified]`, then the rule's path.
    fn source(self, source: &Source) -> String {
        let mut text = source.articles.join(", ");
        if !source.verified {
            text.push_str(if text.is_empty() { "" } else { " " });
            text.push_str(self.unverified());
        }
        let space = if source.path.is_empty() { "" } else { " " };
        format!("[{text}]{space}{}", source.path)
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
        self.head(&mut text, language);
        for section in &self.sections {
            let _ = writeln!(text, "\n{}", language.of(&section.heading));
            write_lines(&mut text, &section.lines, 1, language);
        }
        text
    }

    /// As Markdown: a heading of the second level, its sections below.
    #[must_use]
    pub fn markdown(&self, language: Language) -> String {
        let mut text = format!("## `{}` {}\n\n", self.document_type, self.name);
        self.head(&mut text, language);
        for section in &self.sections {
            let _ = writeln!(text, "\n**{}**\n", language.of(&section.heading));
            write_lines(&mut text, &section.lines, 0, language);
        }
        text
    }

    fn head(&self, text: &mut String, language: Language) {
        let (since, source) = (language.since(self), language.source(&self.source));
        let _ = writeln!(text, "{since} {source}");
    }
}

fn write_lines(text: &mut String, lines: &[Line], depth: usize, language: Language) {
    for line in lines {
        let _ = write!(text, "{}- {}", "  ".repeat(depth), language.of(&line.phrase));
        if let Some(source) = &line.source {
            let _ = write!(text, " {}", language.source(source));
        }
        text.push('\n');
        write_lines(text, &line.details, depth + 1, language);
    }
}
