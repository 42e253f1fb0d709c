//! The law in words: what the rulebooks say of a document type, in English and Chinese, each line
//! with its articles and the path by which records name the rule. Printed as plain text in `text`, as
//! tables for lawyers in `page`; `rows` says where each flow of the statutes went, and `diff` what one
//! law says otherwise than another.
//!
//! It is a reading of [`Table`]s, for people who read no TOML. It decides nothing and adds nothing:
//! whatever stands here stands in a rulebook or in the table of custody.

use jiff::civil::Date;

use super::rulebook::{Answers, Base, Class, Law, Rulebook, Ruled, Sets, SubjectRule, Table};
use crate::ids::DocumentType;

mod chinese;
mod custody;
mod decided;
mod diff;
mod duties;
mod fields;
mod limit;
mod page;
mod phrases;
mod rows;
mod tests_of_law;
mod text;
mod topics;
pub use custody::{state_phrase, step_phrase};
pub use decided::{broken_phrase, field_phrase, flag_phrase, named_phrase, place_phrase};
pub use decided::{relation_phrase, role_phrase};
pub use diff::{Change, Difference, SectionChange};
pub use duties::Duty;
pub use limit::limit_phrase;
pub use page::Page;
pub use rows::{CarriedRow, Carrier, CarryingDuty, Reading, Standing};
pub use text::Language;

use phrases::Phrases;

/// The same words in two languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// In English: the rulebook language's own words.
    pub english: String,
    /// In Chinese.
    pub chinese: String,
}

impl Phrase {
    /// Words in English and Chinese.
    #[must_use]
    pub fn new(english: impl Into<String>, chinese: impl Into<String>) -> Self {
        Self { english: english.into(), chinese: chinese.into() }
    }

    /// What is a name in both languages.
    fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { english: text.clone(), chinese: text }
    }
}

/// Where a line comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The path by which records name the rule: `act_2020/verdict_handover/copies/1`. For what a whole
    /// table says, the name of its book.
    pub path: String,
    /// The articles.
    pub articles: Vec<String>,
    /// Whether they were read, not recalled.
    pub verified: bool,
}

impl Source {
    fn of<T>(ruled: &Ruled<T>) -> Self {
        let articles = ruled.articles.clone();
        Self { path: ruled.path.clone(), articles, verified: ruled.verified }
    }
}

/// One line, with what belongs under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it says.
    pub phrase: Phrase,
    /// Where it comes from; none if that is where the line above comes from.
    pub source: Option<Source>,
    /// The lines under it.
    pub details: Vec<Line>,
}

impl Line {
    fn new(phrase: Phrase) -> Self {
        Self { phrase, source: None, details: Vec::new() }
    }

    fn from(self, source: Source) -> Self {
        Self { source: Some(source), ..self }
    }

    fn with(self, details: Vec<Line>) -> Self {
        Self { details, ..self }
    }
}

/// Lines about one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The question.
    pub heading: Phrase,
    /// The answers; never empty.
    pub lines: Vec<Line>,
}

/// What the law of a day, or one book, says of one document type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The type.
    pub document_type: DocumentType,
    /// Its Chinese name.
    pub name: String,
    /// What sort of paper it is; none where a book only adds to the base in another.
    pub class: Option<Class>,
    /// The first day of this law.
    pub from: Date,
    /// The rows of the law that it and its duties write.
    pub rows: Vec<String>,
    /// The articles of the whole, book by book: the base's first.
    pub sources: Vec<Source>,
    /// The sections that have lines.
    pub sections: Vec<Section>,
    /// The duties that it opens.
    pub duties: Vec<Duty>,
}

impl Law {
    /// Explains what the law of a day says of a document type; nothing if it does not know it then.
    #[must_use]
    pub fn explain(&self, document_type: &DocumentType, day: Date) -> Option<Explanation> {
        let law_of_day = self.on(day);
        let table = law_of_day.table(document_type)?;
        let books = self.books().iter().filter(|book| book.is_in_force(day));
        let mut tables: Vec<_> = books.flat_map(|book| tables_of(book, document_type)).collect();
        tables.sort_by_key(|(_, table)| table.base.is_none());
        let sources = tables.into_iter().map(|(book, table)| source(book, table)).collect();
        let bases = (table, Some(&table.base));
        let mut explanation = self.explanation(document_type, law_of_day.from, bases, sources);
        let topics: Vec<_> = law_of_day.topics_of(document_type).map(topics::line).collect();
        if !topics.is_empty() {
            explanation.sections.push(Section { heading: topics::heading(), lines: topics });
        }
        Some(explanation)
    }

    /// Explains what one book alone says, type by type in the order of its file.
    #[must_use]
    pub fn explain_book(&self, book: &Rulebook) -> Vec<Explanation> {
        let explanation = |(name, table): &(DocumentType, Table<Option<Base>>)| {
            let sources = vec![source(book, table)];
            self.explanation(name, book.from, (table, table.base.as_ref()), sources)
        };
        book.documents.iter().map(explanation).collect()
    }

    fn explanation<B>(
        &self,
        document_type: &DocumentType,
        from: Date,
        (table, base): (&Table<B>, Option<&Base>),
        sources: Vec<Source>,
    ) -> Explanation {
        let phrases = Phrases::new(self);
        let mut rows = table.rows.clone();
        for row in table.duties.iter().flat_map(|duty| &duty.item.rows) {
            if !rows.contains(row) {
                rows.push(row.clone());
            }
        }
        let name = base.map_or_else(|| self.name_of(document_type), |base| base.name.as_str());
        Explanation {
            document_type: document_type.clone(),
            name: name.to_owned(),
            class: base.map(|base| base.class),
            from,
            rows,
            sources,
            sections: sections(&phrases, table, base),
            duties: table.duties.iter().map(|duty| Duty::of(&phrases, duty)).collect(),
        }
    }

    /// The Chinese name of a document type, whatever the day; empty for one that no book has.
    #[must_use]
    pub fn name_of(&self, document_type: &DocumentType) -> &str {
        let tables = self.books().iter().flat_map(|book| &book.documents);
        let mut names = tables.filter(|(name, _)| name == document_type);
        names.find_map(|(_, table)| table.base.as_ref()).map_or("", |base| base.name.as_str())
    }
}

/// The heading over the duties.
fn duties_heading() -> Phrase {
    Phrase::new("Duties that it opens", "产生的期限义务")
}

/// A book's tables of a type: at most one.
fn tables_of<'a>(
    book: &'a Rulebook,
    document_type: &'a DocumentType,
) -> impl Iterator<Item = (&'a Rulebook, &'a Table<Option<Base>>)> {
    let tables = book.documents.iter().filter(move |(name, _)| name == document_type);
    tables.map(move |(_, table)| (book, table))
}

fn source<B>(book: &Rulebook, table: &Table<B>) -> Source {
    let articles = table.articles.clone();
    Source { path: book.name.clone(), articles, verified: table.verified }
}

fn sections<B>(phrases: &Phrases<'_>, table: &Table<B>, base: Option<&Base>) -> Vec<Section> {
    let section = |english: &str, chinese: &str, lines| Section {
        heading: Phrase::new(english, chinese),
        lines,
    };
    let nature = base.map(|base| nature(phrases, base, table.is_urgent()));
    let custody = base.map(|base| custody::lines(phrases, base));
    let mut sections = vec![
        section("What it is", "文书性质", nature.unwrap_or_default()),
        section("Who may send it", "发送单位", senders(phrases, table, base)),
        section("What it answers", "答复的文书", answers(phrases, table)),
        section("Primary addressees", "主送", entries(phrases, &table.to)),
        section("Copies", "抄送", entries(phrases, &table.copies)),
        section("Fields that must be filled in", "必填字段", required(phrases, table, base)),
        section("Attachments that belong with it", "应附材料", needs(phrases, table)),
        section("What the case remembers from it", "案件记载", sets(table)),
        section("What it does to custody", "监管责任的变动", custody.unwrap_or_default()),
        section("Tests that it must pass", "审查规则", tests_of_law::lines(phrases, table)),
    ];
    sections.retain(|section| !section.lines.is_empty());
    sections
}

fn nature(phrases: &Phrases<'_>, base: &Base, is_urgent: bool) -> Vec<Line> {
    let mut lines = vec![Phrase::new(base.class.word(), chinese::class(base.class))];
    lines.push(match base.subject {
        SubjectRule::Case => Phrase::new("belongs to a correction case", "属于某一矫正案件"),
        SubjectRule::Person => {
            Phrase::new("about a person before any case", "案件产生之前，涉及特定的人")
        }
        SubjectRule::Optional => Phrase::new(
            "belongs to a case if its subject or what it answers gives one",
            "矫正对象或者所答复的文书属于案件的，属于该案件",
        ),
        SubjectRule::None => Phrase::new("concerns no person", "不涉及特定的人"),
    });
    if !base.subjects.is_empty() {
        let english: Vec<_> = base.subjects.iter().map(|category| category.word()).collect();
        let chinese: Vec<_> = base.subjects.iter().map(|c| chinese::category(*c)).collect();
        lines.push(Phrase::new(
            format!("only for {}; another category is flagged", english.join(", ")),
            format!("仅适用于{}；其他类别予以提示", chinese.join("、")),
        ));
    }
    let marks = [
        (
            base.opens_case,
            "joins the open case of that judgment, or opens one",
            "并入同一裁判的在办案件，没有的新立案件",
        ),
        (
            base.finds_person,
            "finds the case among all open cases of the person",
            "在该人的全部在办案件中查找",
        ),
        (base.unique, "a second one for the same case is refused", "同一案件重复发送的不予接收"),
        (base.withdraws, "withdraws what it answers", "撤回所答复的文书"),
        (base.serves, "records service on paper", "记载纸质送达"),
        (is_urgent, "goes before other documents", "急件，优先办理"),
    ];
    lines.extend(marks.iter().filter(|mark| mark.0).map(|mark| Phrase::new(mark.1, mark.2)));
    if let Some(field) = &base.counts {
        lines.push(Phrase::new(
            format!("the case counts such documents by `{field}`"),
            format!("案件按{}计数", chinese::field(field)),
        ));
    }
    if !base.outcomes.is_empty() {
        let outcomes = base.outcomes.iter().map(|word| phrases.value("outcome", word));
        let outcomes = phrases::joined(outcomes, ", ", "；");
        lines.push(Phrase::new(
            format!("its outcome is one of: {}", outcomes.english),
            format!("结果为下列之一：{}", outcomes.chinese),
        ));
    }
    lines.into_iter().map(Line::new).collect()
}

fn senders<B>(phrases: &Phrases<'_>, table: &Table<B>, base: Option<&Base>) -> Vec<Line> {
    let mut lines: Vec<_> =
        table.senders.iter().map(|sender| Line::new(phrases::sender(sender))).collect();
    let sender_is = base.map(|base| base.sender_is.as_slice()).unwrap_or_default();
    if !sender_is.is_empty() {
        let who = sender_is.iter().map(|relation| phrases.relation(relation));
        let who = phrases::joined(who, " or ", "或者");
        lines.push(Line::new(Phrase::new(
            format!("and it must be: {}", who.english),
            format!("并且必须是：{}", who.chinese),
        )));
    }
    lines
}

fn answers<B>(phrases: &Phrases<'_>, table: &Table<B>) -> Vec<Line> {
    let line = |answers: &Answers, english: &str, chinese: &str| {
        let what = match answers {
            Answers::Nothing => return None,
            Answers::Any => Phrase::new("any document", "任何文书"),
            Answers::Types(types) => phrases.types(types),
        };
        Some(Line::new(Phrase::new(
            format!("{english} {}", what.english),
            format!("{chinese}{}", what.chinese),
        )))
    };
    let must = line(&table.answers, "must answer", "必须答复");
    let may = line(&table.may_answer, "may answer", "可以答复");
    must.into_iter().chain(may).collect()
}

fn entries(phrases: &Phrases<'_>, entries: &[Ruled<super::rulebook::Entry>]) -> Vec<Line> {
    entries.iter().map(|entry| phrases.entry(&entry.item).from(Source::of(entry))).collect()
}

fn required<B>(phrases: &Phrases<'_>, table: &Table<B>, base: Option<&Base>) -> Vec<Line> {
    let mut lines: Vec<_> =
        table.required.iter().map(|path| Line::new(fields::phrase(path))).collect();
    if !table.required_verified && !lines.is_empty() {
        lines.push(Line::new(Phrase::new(
            "no article names this list: unverified",
            "没有条文列明上述字段：未核对",
        )));
    }
    if base.is_some_and(|base| base.opens_case) {
        let opening = phrases.law.case_opening().iter().map(|path| fields::phrase(path));
        let opening = phrases::joined(opening, ", ", "、");
        lines.push(Line::new(Phrase::new(
            format!("when it opens a case: {}", opening.english),
            format!("新立案件时：{}", opening.chinese),
        )));
    }
    lines
}

fn needs<B>(phrases: &Phrases<'_>, table: &Table<B>) -> Vec<Line> {
    let needs = table.needs.iter();
    needs
        .map(|need| {
            let kind = Phrase::same(need.kind.as_str());
            Line::new(phrases.when(kind, need.when.as_ref()))
        })
        .collect()
}

fn sets<B>(table: &Table<B>) -> Vec<Line> {
    let phrase = |sets: &Sets| match sets {
        Sets::Role(role) => Phrase::new(role.word(), chinese::role(*role)),
        Sets::TermExpiry => Phrase::new("term expiry", "矫正期限届满日"),
    };
    table.sets.iter().map(|sets| Line::new(phrase(sets))).collect()
}

#[cfg(test)]
mod tests;
