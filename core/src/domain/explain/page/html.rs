//! A page as one HTML file: no scripts, nothing to load, an index, and fit for printing.

use std::fmt::Write as _;

use super::{Page, articles, duty_headings, introduction, name, topics_heading};
use crate::domain::explain::{Duty, Explanation, Language, Line, Phrase, chinese, duties_heading};
use crate::domain::rulebook::Class;

const STYLE: &str = "\
body{font:15px/1.6 serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#111}
h1,h2,h3{line-height:1.3}
h2{margin-top:2.5rem;border-bottom:1px solid #999}
code{font-size:.85em;color:#555}
table{border-collapse:collapse;width:100%;margin:.6rem 0}
th,td{border:1px solid #bbb;padding:.3rem .5rem;text-align:left;vertical-align:top}
th{background:#f2f2f2;font-weight:600}
.facts th{width:9rem}
ul{margin:0;padding-left:1.1rem}
small{color:#555}
nav li{break-inside:avoid}
nav ul{columns:3;column-gap:2rem}
@media print{body{font-size:10pt;margin:0;max-width:none}
section,tr{break-inside:avoid-page}
thead{display:table-header-group}
a{color:inherit;text-decoration:none}}
";

impl Page {
    /// As one HTML file. Everything that comes from the law is escaped.
    #[must_use]
    pub fn html(&self, language: Language) -> String {
        let tag = if language == Language::English { "en" } else { "zh-CN" };
        let title = escaped(&language.of(&self.title));
        let introduction = escaped(&language.of(&introduction()));
        let mut text = format!(
            "<!DOCTYPE html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
             <h1>{title}</h1>\n<p>{introduction}</p>\n"
        );
        self.write_index(&mut text, language);
        for explanation in &self.explanations {
            write_explanation(&mut text, explanation, language);
        }
        self.write_topics(&mut text, language);
        self.write_not_documents(&mut text, language);
        text.push_str("</body>\n</html>\n");
        text
    }

    /// The types, by what sort of paper they are.
    fn write_index(&self, text: &mut String, language: Language) {
        let index = Self::word(language, "Index", "目录");
        // Writing to a string can't fail.
        let _ = writeln!(text, "<nav>\n<h2>{index}</h2>");
        let classes = Class::WORDS
            .iter()
            .map(|(class, word)| (Some(*class), Phrase::new(*word, chinese::class(*class))));
        let additions = (None, Phrase::new("additions", "对其他规则文件的补充"));
        for (class, heading) in classes.chain([additions]) {
            let mut listed = self.explanations.iter().filter(|e| e.class == class).peekable();
            if listed.peek().is_none() {
                continue;
            }
            let _ = writeln!(text, "<h3>{}</h3>\n<ul>", escaped(&language.of(&heading)));
            for explanation in listed {
                let (kind, name) = (&explanation.document_type, escaped(&explanation.name));
                let _ = writeln!(text, "<li><a href=\"#{kind}\">{name}</a></li>");
            }
            text.push_str("</ul>\n");
        }
        text.push_str("</nav>\n");
    }

    fn write_topics(&self, text: &mut String, language: Language) {
        if self.topics.is_empty() {
            return;
        }
        let heading = escaped(&language.of(&topics_heading()));
        let _ = writeln!(text, "<h2>{heading}</h2>\n<table class=\"facts\">");
        for (name, lines) in &self.topics {
            write_row(text, &language.of(name), &list(lines, language));
        }
        text.push_str("</table>\n");
    }

    fn write_not_documents(&self, text: &mut String, language: Language) {
        if self.not_documents.is_empty() {
            return;
        }
        let heading = Self::word(language, "Rows that are no document", "不是文书的行");
        let _ = writeln!(text, "<h2>{heading}</h2>\n<table class=\"facts\">");
        for (row, phrase) in &self.not_documents {
            write_row(text, row, &escaped(&language.of(phrase)));
        }
        text.push_str("</table>\n");
    }
}

fn write_explanation(text: &mut String, explanation: &Explanation, language: Language) {
    let (kind, name) = (&explanation.document_type, escaped(&name(explanation, language)));
    let _ = writeln!(
        text,
        "<section id=\"{kind}\">\n<h2>{name} <code>{kind}</code></h2>\n<table class=\"facts\">"
    );
    let rows = Page::word(language, "Rows", "行号");
    write_row(text, &rows, &escaped(&explanation.rows.join("、")));
    for section in &explanation.sections {
        write_row(text, &language.of(&section.heading), &list(&section.lines, language));
    }
    let sources = explanation.sources.iter();
    let sources: String = sources
        .map(|s| format!("<li>{}</li>", escaped(&format!("{}：{}", s.path, articles(s, language)))))
        .collect();
    write_row(text, &Page::word(language, "Articles", "条文"), &format!("<ul>{sources}</ul>"));
    text.push_str("</table>\n");
    if !explanation.duties.is_empty() {
        let caption = escaped(&language.of(&duties_heading()));
        let headings = duty_headings().map(|h| format!("<th>{}</th>", escaped(&language.of(&h))));
        let _ = writeln!(
            text,
            "<h3>{caption}</h3>\n<table>\n<thead><tr>{}</tr></thead>\n<tbody>",
            headings.concat()
        );
        explanation.duties.iter().for_each(|duty| write_duty(text, duty, language));
        text.push_str("</tbody>\n</table>\n");
    }
    text.push_str("</section>\n");
}

fn write_row(text: &mut String, heading: &str, cell: &str) {
    let _ = writeln!(text, "<tr><th>{}</th><td>{cell}</td></tr>", escaped(heading));
}

/// A row for the duty, and one below it for the duty that opens when it is missed.
fn write_duty(text: &mut String, duty: &Duty, language: Language) {
    let all = |phrases: &[Phrase]| {
        let phrases = phrases.iter().map(|phrase| escaped(&language.of(phrase)));
        phrases.collect::<Vec<_>>().join("<br>")
    };
    let mut overdue = all(&duty.overdue);
    if let Some(missed) = &duty.if_missed {
        let _ = write!(overdue, "<br>→ {}", escaped(&language.of(&missed.name)));
    }
    let rows = escaped(&duty.rows.join("、"));
    let cells = [
        format!("{} <small>{rows}</small>", escaped(&language.of(&duty.name))),
        escaped(&language.of(&duty.owner)),
        escaped(&language.of(&duty.limit)),
        all(&duty.endings),
        overdue,
        escaped(&articles(&duty.source, language)),
    ];
    let cells = cells.map(|cell| format!("<td>{cell}</td>"));
    let _ = writeln!(text, "<tr>{}</tr>", cells.concat());
    if let Some(missed) = &duty.if_missed {
        write_duty(text, missed, language);
    }
}

fn list(lines: &[Line], language: Language) -> String {
    let item = |line: &Line| {
        let mark = line.source.as_ref().map_or_else(String::new, |source| {
            format!(" <small>{}</small>", escaped(&articles(source, language)))
        });
        let below =
            if line.details.is_empty() { String::new() } else { list(&line.details, language) };
        format!("<li>{}{mark}{below}</li>", escaped(&language.of(&line.phrase)))
    };
    format!("<ul>{}</ul>", lines.iter().map(item).collect::<String>())
}

/// Text that stays text in HTML, in an attribute too.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}
