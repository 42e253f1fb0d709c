//! Many document types on one page, as tables that a lawyer reads line by line: Markdown, or one HTML
//! file without scripts, to read or to print.

use jiff::civil::Date;

use super::{Explanation, Language, Line, Phrase, Phrases, Source, topics};
use crate::domain::rulebook::{Law, Rulebook, Ruled, Topic};

mod html;
mod markdown;

/// Explanations on one page.
#[derive(Debug, Clone)]
pub struct Page {
    /// What the page is of.
    title: Phrase,
    /// One for each type.
    explanations: Vec<Explanation>,
    /// Topics of query: what each is called, and what it holds.
    topics: Vec<(Phrase, Vec<Line>)>,
    /// Rows of the law that are no document: number, why, and what the hub does instead.
    not_documents: Vec<(String, Phrase)>,
}

impl Page {
    /// The law of a day, with all that its books add to each other.
    #[must_use]
    pub fn of_day(law: &Law, day: Date) -> Self {
        let types = law.on(day).documents.keys();
        let books = law.books().iter().filter(|book| book.is_in_force(day));
        Self {
            title: Phrase::new(format!("The law of {day}"), format!("{day}适用的规则")),
            explanations: types.filter_map(|name| law.explain(name, day)).collect(),
            topics: law.on(day).topics.values().map(|topic| told(law, topic)).collect(),
            not_documents: books.flat_map(not_documents).collect(),
        }
    }

    /// What one book alone says.
    #[must_use]
    pub fn of_book(law: &Law, book: &Rulebook) -> Self {
        let (name, from) = (&book.name, book.from);
        let (english, chinese) = match book.until {
            Some(until) => (format!("from {from} to {until}"), format!("{from}至{until}施行")),
            None => (format!("from {from}"), format!("{from}起施行")),
        };
        Self {
            title: Phrase::new(format!("{name}, {english}"), format!("{name}（{chinese}）")),
            explanations: law.explain_book(book),
            topics: book.topics.iter().map(|topic| told(law, topic)).collect(),
            not_documents: not_documents(book).collect(),
        }
    }

    /// One word of the page's own.
    fn word(language: Language, english: &str, chinese: &str) -> String {
        language.of(&Phrase::new(english, chinese))
    }
}

fn told(law: &Law, topic: &Ruled<Topic>) -> (Phrase, Vec<Line>) {
    let Topic { name, title, .. } = &topic.item;
    let called = Phrase::new(name.as_str(), title.as_str());
    (called, topics::lines(&Phrases::new(law), topic))
}

/// The heading over the topics of query.
fn topics_heading() -> Phrase {
    Phrase::new("Topics of query", "查询专题")
}

fn not_documents(book: &Rulebook) -> impl Iterator<Item = (String, Phrase)> {
    let rows = book.not_documents.iter();
    rows.map(|not| (not.row.clone(), Phrase::new(&not.english, &not.chinese)))
}

/// What the page is, and how to read it.
fn introduction() -> Phrase {
    Phrase::new(
        "Each table says of one kind of paper who sends it, who gets it, what must be in it, which \
         duties it opens and what it does to custody. What is marked unverified was recalled and not \
         read. Printed by `xianjie law render` from the rulebooks alone.",
        "每张表说明一种文书由谁发、主送谁、抄送谁、必须载明什么、产生哪些期限义务、监管责任如何变动。\
         标有未核对的，条文凭记忆写成，尚未对照原文。本页由 xianjie law render 依规则文件生成。",
    )
}

/// The headings of the table of duties: what, who, by when, how done, when missed, articles.
fn duty_headings() -> [Phrase; 6] {
    [
        Phrase::new("Duty", "义务"),
        Phrase::new("Owed by", "义务人"),
        Phrase::new("Limit, and from when", "期限（多久、自何时起）"),
        Phrase::new("How it is done", "如何完成"),
        Phrase::new("When missed", "逾期如何"),
        Phrase::new("Articles", "条文"),
    ]
}

/// The articles, with a mark if they were recalled and not read.
fn articles(source: &Source, language: Language) -> String {
    let mut text = source.articles.join("；");
    if !source.verified {
        let mark = Page::word(language, "(unverified)", "（未核对）");
        text.push_str(&mark);
    }
    text
}

/// The name of an explanation, and that it is an addition if it is one.
fn name(explanation: &Explanation, language: Language) -> String {
    match explanation.class {
        Some(_) => explanation.name.clone(),
        None => {
            let addition = Page::word(language, "addition", "补充");
            format!("{}（{addition}）", explanation.name)
        }
    }
}

#[cfg(test)]
mod tests;
