//! A page as Markdown tables.

use std::fmt::Write as _;

use super::{Page, articles, duty_headings, introduction, name, topics_heading};
use crate::domain::explain::{Duty, Explanation, Language, Line, duties_heading};

impl Page {
    /// As Markdown: a table for each type, another for its duties. Nothing of the law's words reads
    /// as Markdown or HTML.
    #[must_use]
    pub fn markdown(&self, language: Language) -> String {
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = writeln!(text, "# {}\n", escaped(&language.of(&self.title)));
        let _ = writeln!(text, "{}", escaped(&language.of(&introduction())));
        for explanation in &self.explanations {
            write_explanation(&mut text, explanation, language);
        }
        if !self.topics.is_empty() {
            let heading = escaped(&language.of(&topics_heading()));
            let _ = writeln!(text, "\n## {heading}\n\n|||\n|---|---|");
            for (name, lines) in &self.topics {
                let name = escaped(&language.of(name));
                let _ = writeln!(text, "| **{name}** | {} |", cell(lines, language));
            }
        }
        if !self.not_documents.is_empty() {
            let heading = Self::word(language, "Rows that are no document", "不是文书的行");
            let _ = writeln!(text, "\n## {heading}\n\n|||\n|---|---|");
            for (row, phrase) in &self.not_documents {
                let _ = writeln!(text, "| {row} | {} |", escaped(&language.of(phrase)));
            }
        }
        text
    }
}

fn write_explanation(text: &mut String, explanation: &Explanation, language: Language) {
    let (name, kind) = (escaped(&name(explanation, language)), &explanation.document_type);
    let _ = writeln!(text, "\n## {name} `{kind}`\n\n|||\n|---|---|");
    let mut row = |heading: &str, cell: &str| {
        let _ = writeln!(text, "| **{}** | {cell} |", escaped(heading));
    };
    row(&Page::word(language, "Rows", "行号"), &escaped(&explanation.rows.join("、")));
    for section in &explanation.sections {
        row(&language.of(&section.heading), &cell(&section.lines, language));
    }
    let sources = explanation.sources.iter();
    let sources: Vec<_> =
        sources.map(|s| escaped(&format!("{}：{}", s.path, articles(s, language)))).collect();
    row(&Page::word(language, "Articles", "条文"), &sources.join("<br>"));
    if explanation.duties.is_empty() {
        return;
    }
    let headings = duty_headings().map(|heading| escaped(&language.of(&heading)));
    let _ = writeln!(text, "\n**{}**\n", escaped(&language.of(&duties_heading())));
    let _ = writeln!(text, "| {} |\n|---|---|---|---|---|---|", headings.join(" | "));
    for duty in &explanation.duties {
        write_duty(text, duty, language);
    }
}

/// A row for the duty, and one below it for the duty that opens when it is missed.
fn write_duty(text: &mut String, duty: &Duty, language: Language) {
    let all = |phrases: &[_]| {
        let phrases: Vec<_> = phrases.iter().map(|phrase| escaped(&language.of(phrase))).collect();
        phrases.join("<br>")
    };
    let rows = match duty.rows.as_slice() {
        [] => String::new(),
        rows => format!("<br>{}", escaped(&rows.join("、"))),
    };
    let mut overdue = all(&duty.overdue);
    if let Some(missed) = &duty.if_missed {
        let _ = write!(overdue, "<br>→ {}", escaped(&language.of(&missed.name)));
    }
    let cells = [
        escaped(&language.of(&duty.name)) + &rows,
        escaped(&language.of(&duty.owner)),
        escaped(&language.of(&duty.limit)),
        all(&duty.endings),
        overdue,
        escaped(&articles(&duty.source, language)),
    ];
    let _ = writeln!(text, "| {} |", cells.join(" | "));
    if let Some(missed) = &duty.if_missed {
        write_duty(text, missed, language);
    }
}

/// Lines in one cell: what stands under another is set in with a dash.
fn cell(lines: &[Line], language: Language) -> String {
    fn write(cells: &mut Vec<String>, lines: &[Line], depth: usize, language: Language) {
        for line in lines {
            let dashes = "– ".repeat(depth);
            let mark = line
                .source
                .as_ref()
                .map_or_else(String::new, |source| format!("〔{}〕", articles(source, language)));
            cells.push(format!("{dashes}{}", escaped(&(language.of(&line.phrase) + &mark))));
            write(cells, &line.details, depth + 1, language);
        }
    }
    let mut cells = Vec::new();
    write(&mut cells, lines, 0, language);
    cells.join("<br>")
}

/// Text that stays text in a Markdown table.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\n' | '\r' => escaped.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            letter => escaped.push(letter),
        }
    }
    escaped
}
