//! `[document.TYPE]`: a base, which has `class`, or an addition, which has not.

use super::duty::duty;
use super::entry::{condition, entry, entry_source, primary, relation};
use super::reader::{Keys, Node, Reported};
use super::rule::rule;
use super::{articles, document_type, field_path, row};
use crate::domain::agency::{Kind, Level};
use crate::domain::custody::Step;
use crate::domain::document::Category;
use crate::domain::relation::Kinds;
use crate::domain::role::Role;
use crate::domain::rulebook::mention::{Expected, Mentioned};
use crate::domain::rulebook::{
    Answers, Base, Class, CustodyRule, Entry, Need, Ruled, SenderKind, Sets, SubjectRule, Table,
    Who,
};
use crate::ids::DocumentType;

/// Keys that bases and additions have.
const ADDITION_KEYS: &[&str] = &[
    "rows",
    "senders",
    "to",
    "copies",
    "answers",
    "may_answer",
    "required",
    "required_verified",
    "needs",
    "sets",
    "articles",
    "verified",
    "duties",
    "rules",
];

/// Keys that only bases have.
const BASE_KEYS: &[&str] = &[
    "name",
    "class",
    "sender_is",
    "subject",
    "subjects",
    "opens_case",
    "finds_person",
    "unique",
    "outcomes",
    "custody",
    "counts",
    "withdraws",
    "serves",
];

/// What a document may set in its case.
const SETS: &[(Sets, &str)] = &[
    (Sets::Role(Role::OriginalCourt), "original court"),
    (Sets::Role(Role::Custodian), "custodian"),
    (Sets::Role(Role::FormerCustodian), "former custodian"),
    (Sets::Role(Role::FileHolder), "file holder"),
    (Sets::Role(Role::Guard), "guard"),
    (Sets::Role(Role::Deliverer), "deliverer"),
    (Sets::TermExpiry, "term expiry"),
];

/// Which table is being read.
pub(super) struct TableScope<'a> {
    pub(super) book: &'a str,
    pub(super) document_type: &'a DocumentType,
}

impl TableScope<'_> {
    /// The path of an item of one of its lists.
    pub(super) fn path(&self, list: &str, index: usize) -> String {
        format!("{}/{}/{list}/{index}", self.book, self.document_type)
    }
}

/// One document table.
pub(super) fn table(
    node: &Node<'_>,
    scope: &TableScope<'_>,
) -> Result<Table<Option<Base>>, Reported> {
    let is_base = node.has("class");
    let keys = node.keys(&[ADDITION_KEYS, BASE_KEYS].concat())?;
    for stray in BASE_KEYS.iter().filter(|_| !is_base).filter_map(|key| keys.get(key)) {
        stray.error("belongs to a base, a table with `class`".to_owned());
    }
    let articles = articles(&keys);
    let source = articles.clone().unwrap_or_default();
    let base = if is_base { base(&keys, scope, &source.0).map(Some) } else { Ok(None) };
    let to = entries(&keys, "to", scope, &source, primary);
    let copies = entries(&keys, "copies", scope, &source, entry);
    let rows = keys.optional("rows", |rows| rows.list(row));
    let senders = keys.distinct("senders", sender_kind);
    let answers = keys.optional("answers", answers);
    let may_answer = keys.optional("may_answer", self::answers);
    let required = keys.distinct("required", |path| field_path(path, Some(scope.document_type)));
    let required_recalled = keys.is_set("required_verified", false);
    let needs = keys.distinct("needs", |need| self::need(need, scope.document_type, &source.0));
    let sets = keys.distinct("sets", |node| node.word(SETS));
    let duties = numbered(&keys, "duties", |node, index| duty(node, scope, index));
    let rules = numbered(&keys, "rules", |node, index| rule(node, scope, index));
    let (articles, verified) = articles?;
    let table = Table {
        base: base?,
        line: node.line(),
        rows: rows?.unwrap_or_default(),
        senders: senders?,
        to: to?,
        copies: copies?,
        answers: answers?.unwrap_or_default(),
        may_answer: may_answer?.unwrap_or_default(),
        required: required?,
        required_verified: !required_recalled?,
        needs: needs?,
        sets: sets?,
        articles,
        verified,
        duties: duties?,
        rules: rules?,
    };
    mention_sets(&keys, &table, scope);
    Ok(table)
}

/// The addressees of `to` or `copies`: their articles are the table's, unless they name their own.
fn entries(
    keys: &Keys<'_>,
    list: &str,
    scope: &TableScope<'_>,
    source: &(Vec<String>, bool),
    read: impl Fn(&Node<'_>, &DocumentType) -> Result<Entry, Reported>,
) -> Result<Vec<Ruled<Entry>>, Reported> {
    numbered(keys, list, |node, index| {
        let (path, line) = (scope.path(list, index), node.line());
        let item = read(node, scope.document_type)?;
        let (articles, verified) = entry_source(node, source)?;
        Ok(Ruled { path, line, articles, verified, item })
    })
}

/// What a document sets must be told by a field, unless an agency is chosen for it.
fn mention_sets(keys: &Keys<'_>, table: &Table<Option<Base>>, scope: &TableScope<'_>) {
    let Some(node) = keys.get("sets") else { return };
    let entries = || table.to.iter().chain(&table.copies);
    let is_chosen = |role: Role| {
        entries()
            .any(|entry| matches!(&entry.item.who, Who::Named { name, .. } if name == role.word()))
    };
    for sets in &table.sets {
        let (field, expected) = match sets {
            Sets::Role(role) if is_chosen(*role) => continue,
            Sets::Role(role) => (role.field(), Expected::Agency),
            Sets::TermExpiry => ("term_expiry_date".to_owned(), Expected::DateOrTime),
        };
        node.mention(Mentioned::Field(Some(scope.document_type.clone()), field, expected));
    }
}

/// A base is sent by somebody and, but for a record, to somebody.
fn check_parties(keys: &Keys<'_>, class: &Result<Class, Reported>) -> Result<(), Reported> {
    let senders = keys.need("senders");
    let to = keys.need("to")?;
    let is_record = class.as_ref().is_ok_and(|class| *class == Class::Record);
    if class.is_ok() && is_record != to.items()?.is_empty() {
        return Err(to.error("is empty for class record, and only there".to_owned()));
    }
    senders.map(|_| ())
}

fn base(keys: &Keys<'_>, scope: &TableScope<'_>, articles: &[String]) -> Result<Base, Reported> {
    let name = keys.need("name").and_then(|name| name.text().map(str::to_owned));
    let class = keys.need("class").and_then(|class| class.word(Class::WORDS));
    let parties = check_parties(keys, &class);
    let sender_is = keys.distinct("sender_is", relation);
    let subject = keys.optional("subject", |subject| subject.word(SubjectRule::WORDS));
    let subjects = keys.distinct("subjects", |category| category.word(Category::WORDS));
    let [opens_case, finds_person, unique, withdraws, serves] =
        ["opens_case", "finds_person", "unique", "withdraws", "serves"]
            .map(|key| keys.is_set(key, true));
    let outcomes = keys.distinct("outcomes", |value| outcome(value, scope));
    let custody = keys.optional("custody", |custody| custody_rule(custody, scope, &outcomes));
    let counts = keys.optional("counts", |field| {
        let name = field.text()?.to_owned();
        let document_type = Some(scope.document_type.clone());
        field.mention(Mentioned::Field(document_type, name.clone(), Expected::AnyWord));
        Ok(name)
    });
    if serves.is_ok_and(|serves| serves) {
        mention_service(keys.node(), scope);
    }
    parties?;
    Ok(Base {
        name: name?,
        articles: articles.to_vec(),
        class: class?,
        sender_is: sender_is?,
        subject: subject?.unwrap_or(SubjectRule::Case),
        subjects: subjects?,
        opens_case: opens_case?,
        finds_person: finds_person?,
        unique: unique?,
        outcomes: outcomes?,
        custody: custody?.unwrap_or_default(),
        counts: counts?,
        withdraws: withdraws?,
        serves: serves?,
    })
}

/// The fields by which a record of service on paper says what was served on whom and when.
fn mention_service(node: &Node<'_>, scope: &TableScope<'_>) {
    for (field, expected) in [
        ("served_type", Expected::Text),
        ("served_agency", Expected::Agency),
        ("served_date", Expected::DateOrTime),
    ] {
        let document_type = Some(scope.document_type.clone());
        node.mention(Mentioned::Field(document_type, field.to_owned(), expected));
    }
}

fn outcome(node: &Node<'_>, scope: &TableScope<'_>) -> Result<String, Reported> {
    let value = node.text()?.to_owned();
    let document_type = Some(scope.document_type.clone());
    let expected = Expected::Word(value.clone());
    node.mention(Mentioned::Field(document_type, "outcome".to_owned(), expected));
    Ok(value)
}

/// STEP, or a table of steps by a field or by the type of what is answered.
fn custody_rule(
    node: &Node<'_>,
    scope: &TableScope<'_>,
    outcomes: &Result<Vec<String>, Reported>,
) -> Result<CustodyRule, Reported> {
    if node.if_text().is_some() {
        return node.word(Step::WORDS).map(CustodyRule::Step);
    }
    let by = node.each_entry(|key, value| {
        Ok(if key == "by" { Some(value.text()?.to_owned()) } else { None })
    })?;
    let Some(field) = by.into_iter().flatten().next() else {
        return Err(node.error("needs `by`".to_owned()));
    };
    if field != "answers" {
        let steps = steps_by(node, |value, step| {
            let outcomes = outcomes.as_ref().ok().filter(|_| field == "outcome");
            if outcomes.is_some_and(|outcomes| !outcomes.iter().any(|outcome| outcome == value)) {
                return Err(step.error(format!("{value:?} is not in `outcomes`")));
            }
            let word = Expected::Word(value.to_owned());
            let expected = if value.is_empty() { Expected::AnyWord } else { word };
            let document_type = Some(scope.document_type.clone());
            step.mention(Mentioned::Field(document_type, field.clone(), expected));
            Ok(value.to_owned())
        });
        return steps.map(|steps| CustodyRule::ByField(field.clone(), steps));
    }
    let steps = steps_by(node, |name, step| {
        let answered: DocumentType =
            name.parse().map_err(|error| step.error(format!("{name:?}: {error}")))?;
        step.mention(Mentioned::Type(answered.clone()));
        Ok(answered)
    });
    steps.map(CustodyRule::ByAnswer)
}

/// The steps of a table, each under what `read_key` makes of its key.
fn steps_by<T>(
    node: &Node<'_>,
    read_key: impl Fn(&str, &Node<'_>) -> Result<T, Reported>,
) -> Result<Vec<(T, Step)>, Reported> {
    let steps = node.each_entry(|key, step| {
        if key == "by" {
            return Ok(None);
        }
        Ok(Some((read_key(key, step)?, step.word(Step::WORDS)?)))
    })?;
    let steps: Vec<_> = steps.into_iter().flatten().collect();
    if steps.is_empty() {
        return Err(node.error("names no step".to_owned()));
    }
    Ok(steps)
}

/// `KIND`, `KIND (LEVEL)`, `KIND (LEVEL+)` or `any agency`.
pub(super) fn sender_kind(node: &Node<'_>) -> Result<SenderKind, Reported> {
    let text = node.text()?;
    if text == "any agency" {
        return Ok(SenderKind { kinds: Vec::new(), level: None, or_above: false });
    }
    let (word, level) = match text.strip_suffix(')').and_then(|text| text.split_once(" (")) {
        Some((word, level)) => (word, Some(level)),
        None => (text, None),
    };
    let Some(Kinds(kinds)) = Kinds::from_word(word) else {
        let words = Kind::WORDS.iter().map(|(_, word)| *word);
        return Err(node.unknown(word, words.chain(["any agency"])));
    };
    let or_above = level.is_some_and(|level| level.ends_with('+'));
    let level = level.map(|level| {
        let level = level.strip_suffix('+').unwrap_or(level);
        let levels = Level::WORDS.iter().filter(|(level, _)| *level != Level::National);
        let found = levels.clone().find(|(_, word)| *word == level).map(|(level, _)| *level);
        found.ok_or_else(|| node.unknown(level, levels.map(|(_, word)| *word)))
    });
    Ok(SenderKind { kinds, level: level.transpose()?, or_above })
}

fn answers(node: &Node<'_>) -> Result<Answers, Reported> {
    let items = node.items()?;
    match items.as_slice() {
        [any] if any.if_text() == Some("any") => Ok(Answers::Any),
        _ => node.distinct(document_type).map(Answers::Types),
    }
}

fn need(
    node: &Node<'_>,
    document_type: &DocumentType,
    articles: &[String],
) -> Result<Need, Reported> {
    let articles = articles.to_vec();
    if let Some(kind) = node.if_text() {
        node.text()?;
        return Ok(Need { kind: kind.to_owned(), when: None, articles });
    }
    let keys = node.keys(&["kind", "when"])?;
    let kind = keys.need("kind").and_then(|kind| kind.text().map(str::to_owned));
    let when = keys.need("when").and_then(|when| condition(&when, Some(document_type)));
    Ok(Need { kind: kind?, when: Some(when?), articles })
}

fn numbered<T>(
    keys: &Keys<'_>,
    list: &str,
    read: impl Fn(&Node<'_>, usize) -> Result<T, Reported>,
) -> Result<Vec<T>, Reported> {
    let items = keys.optional(list, |node| node.items())?.unwrap_or_default();
    let items: Vec<_> = items.iter().enumerate().map(|(index, node)| read(node, index)).collect();
    items.into_iter().collect()
}
