//! `[[document.TYPE.duties]]`: who owes what, by when, and what ends it.

use super::entry::{condition, relation};
use super::reader::{Keys, Node, Reported};
use super::table::TableScope;
use super::{articles, document_type, row};
use crate::domain::duty::RollRule;
use crate::domain::relation::Relation;
use crate::domain::rulebook::mention::{Expected, Mentioned};
use crate::domain::rulebook::{
    DECISION_TIME, DutyRule, Event, Extend, Limit, OwnerRule, Ruled, Soft,
};
use crate::domain::term::{Span, TermError};
use crate::ids::DocumentType;

/// Every key of a duty.
const KEYS: &[&str] = &[
    "name",
    "owner",
    "watched_by",
    "within",
    "soft",
    "at",
    "during",
    "not_later_than",
    "from",
    "roll",
    "closed_by",
    "done_on",
    "cancelled_by",
    "passes_to",
    "extend",
    "suspend",
    "nature",
    "if_missed",
    "articles",
    "verified",
];

/// Keys that a duty has only where the document itself opens it.
const OUTER_KEYS: &[&str] = &["rows", "when", "handover"];

/// The keys of which a duty has exactly one.
const LIMITS: &[&str] = &["within", "soft", "at", "during", "not_later_than"];

/// What stands for the opener itself in `closed_by`.
const SELF: &str = "self";

/// What stands for the date that a document states.
const AS_STATED: &str = "as stated";

/// One duty of a document.
pub(super) fn duty(
    node: &Node<'_>,
    scope: &TableScope<'_>,
    index: usize,
) -> Result<Ruled<DutyRule>, Reported> {
    let keys = node.keys(&[KEYS, OUTER_KEYS].concat())?;
    let articles = articles(&keys);
    let place = Place { node, scope, path: scope.path("duties", index) };
    place.ruled(&keys, articles)
}

/// A duty that opens when another passes undone; it may leave its articles to that one.
fn if_missed(
    node: &Node<'_>,
    scope: &TableScope<'_>,
    parent: &str,
    inherited: Result<(Vec<String>, bool), Reported>,
) -> Result<Ruled<DutyRule>, Reported> {
    let keys = node.keys(KEYS)?;
    let articles = if node.has("articles") {
        articles(&keys)
    } else {
        let recalled = keys.is_set("verified", false)?;
        inherited.map(|(articles, verified)| (articles, verified && !recalled))
    };
    let place = Place { node, scope, path: format!("{parent}/if_missed") };
    place.ruled(&keys, articles)
}

/// Which duty is being read.
struct Place<'a> {
    node: &'a Node<'a>,
    scope: &'a TableScope<'a>,
    path: String,
}

impl Place<'_> {
    fn ruled(
        self,
        keys: &Keys<'_>,
        articles: Result<(Vec<String>, bool), Reported>,
    ) -> Result<Ruled<DutyRule>, Reported> {
        let opener = self.scope.document_type;
        let name = keys.need("name").and_then(|name| name.text().map(str::to_owned));
        let rows = keys.optional("rows", |rows| rows.list(row));
        let owner = owner(keys);
        let when = keys.optional("when", |when| condition(when, Some(opener)));
        let limit = limit(keys, opener);
        let closed_by = keys.need("closed_by").and_then(|node| closed_by(&node));
        let closers = closed_by.as_ref().map_or(&[][..], |(closers, _)| closers);
        let done_on = done_when_decided(keys, &limit, closers);
        let cancelled_by = keys.distinct("cancelled_by", document_type);
        let passes_to = keys.optional("passes_to", passes_to);
        let extend = keys.optional("extend", |node| extend(node, opener));
        let suspend = keys.optional("suspend", suspend);
        let right = keys.optional("nature", |node| node.word(&[(true, "may")]));
        let handover = keys.is_set("handover", true);
        let if_missed = keys.optional("if_missed", |node| {
            if_missed(node, self.scope, &self.path, articles.clone()).map(Box::new)
        });
        let (closed_by, closed_by_self) = closed_by?;
        let item = DutyRule {
            name: name?,
            rows: rows?.unwrap_or_default(),
            owner: owner?,
            when: when?,
            limit: limit?,
            closed_by,
            closed_by_self,
            done_when_decided: done_on?,
            cancelled_by: cancelled_by?,
            passes_to: passes_to?,
            extend: extend?,
            suspend: suspend?,
            right: right?.unwrap_or(false),
            handover: handover?,
            if_missed: if_missed?,
        };
        let (articles, verified) = articles?;
        Ok(Ruled { path: self.path, line: self.node.line(), articles, verified, item })
    }
}

/// `owner` is a relation, or `person` with the agency that watches.
fn owner(keys: &Keys<'_>) -> Result<OwnerRule, Reported> {
    let owner = keys.need("owner")?;
    if owner.if_text() == Some("person") {
        return keys.need("watched_by").and_then(|by| relation(&by)).map(OwnerRule::Person);
    }
    if let Some(watched_by) = keys.get("watched_by") {
        return Err(watched_by.error("only a duty of the person is watched".to_owned()));
    }
    relation(&owner).map(OwnerRule::Agency)
}

fn limit(keys: &Keys<'_>, opener: &DocumentType) -> Result<Limit, Reported> {
    let mut present = LIMITS.iter().filter_map(|key| Some((*key, keys.get(key)?)));
    let (Some((key, node)), None) = (present.next(), present.next()) else {
        return Err(keys.node().error(format!("needs exactly one of: {}", LIMITS.join(", "))));
    };
    if key == "within" {
        return within(keys, &node, opener);
    }
    if let Some(stray) = keys.get("from").or(keys.get("roll")) {
        return Err(stray.error("belongs to `within`".to_owned()));
    }
    match key {
        "soft" => node.word(Soft::WORDS).map(Limit::Soft),
        "at" => day(&node, node.text()?, opener).map(Limit::At),
        "during" => during(&node),
        _ => not_later_than(&node, opener),
    }
}

/// `N UNIT`, `as stated` or a list of these, with `from` and `roll`.
fn within(keys: &Keys<'_>, node: &Node<'_>, opener: &DocumentType) -> Result<Limit, Reported> {
    let span = |node: &Node<'_>| span_or_stated(node, opener);
    let spans =
        if node.if_text().is_some() { span(node).map(|s| vec![s]) } else { node.distinct(span) };
    let from = keys.get("from").map(|from| {
        let event = |node: &Node<'_>| event(node, opener);
        if from.if_text().is_some() { event(&from).map(|e| vec![e]) } else { from.distinct(event) }
    });
    let roll = keys.optional("roll", |roll| {
        roll.word(&[(RollRule::Never, "never"), (RollRule::UnlessArrested, "unless arrested")])
    });
    let (spans, from) = (spans?, from.transpose()?);
    let all_stated = spans.iter().all(Option::is_none);
    match (from, all_stated) {
        (None, false) => Err(keys.node().error("`within` needs `from`".to_owned())),
        (Some(_), true) => Err(keys.node().error("`as stated` counts `from` nothing".to_owned())),
        (from, _) => {
            let from = from.unwrap_or_default();
            Ok(Limit::Within { spans, from, roll: roll?.unwrap_or(RollRule::Holidays) })
        }
    }
}

/// A span; none for `as stated`, which `stated_date` of the document then tells.
fn span_or_stated(node: &Node<'_>, stated_in: &DocumentType) -> Result<Option<Span>, Reported> {
    if node.if_text() == Some(AS_STATED) {
        mention_event(node, Event::StatedDate, stated_in);
        return Ok(None);
    }
    span(node, node.text()?).map(Some)
}

fn span(node: &Node<'_>, text: &str) -> Result<Span, Reported> {
    text.parse().map_err(|error: TermError| node.error(error.to_string()))
}

/// A span that can be counted backwards from a day.
fn days_or_months(node: &Node<'_>, text: &str) -> Result<Span, Reported> {
    match span(node, text)? {
        span @ (Span::Days(_) | Span::Months(_)) => Ok(span),
        span => Err(node.error(format!("{span}: only days and months count backwards"))),
    }
}

fn event(node: &Node<'_>, opener: &DocumentType) -> Result<Event, Reported> {
    let event = node.word(Event::WORDS)?;
    mention_event(node, event, opener);
    Ok(event)
}

/// A day that a limit ends with or is measured from: the term's or the stated one.
fn day(node: &Node<'_>, text: &str, opener: &DocumentType) -> Result<Event, Reported> {
    let event = match text {
        "term expiry" => Event::TermExpiry,
        "stated date" => Event::StatedDate,
        _ => return Err(node.unknown(text, ["term expiry", "stated date"])),
    };
    mention_event(node, event, opener);
    Ok(event)
}

/// The opener must tell when the event was; when the term expires, the case may know.
fn mention_event(node: &Node<'_>, event: Event, opener: &DocumentType) {
    if let Some(field) = event.field().filter(|_| event != Event::TermExpiry) {
        let opener = Some(opener.clone());
        node.mention(Mentioned::Field(opener, field.to_owned(), Expected::DateOrTime));
    }
}

/// `the last N UNIT before the term expiry`.
fn during(node: &Node<'_>) -> Result<Limit, Reported> {
    let text = node.text()?;
    let window = text.strip_prefix("the last ").and_then(|rest| rest.split_once(" before the "));
    match window {
        Some((span, "term expiry")) => days_or_months(node, span).map(Limit::During),
        _ => Err(node.error(format!(
            "{text:?} is no window: write \"the last N UNIT before the term expiry\""
        ))),
    }
}

/// `N UNIT before the term expiry` or `… the stated date`.
fn not_later_than(node: &Node<'_>, opener: &DocumentType) -> Result<Limit, Reported> {
    let text = node.text()?;
    let Some((span, event)) = text.split_once(" before the ") else {
        return Err(node.error(format!("{text:?}: write \"N UNIT before the term expiry\"")));
    };
    Ok(Limit::NotLaterThan(days_or_months(node, span)?, day(node, event, opener)?))
}

/// The types that close a duty, or `["self"]`.
fn closed_by(node: &Node<'_>) -> Result<(Vec<DocumentType>, bool), Reported> {
    match node.items()?.as_slice() {
        [only] if only.if_text() == Some(SELF) => Ok((Vec::new(), true)),
        _ => Ok((node.distinct(document_type)?, false)),
    }
}

/// `done_on = "decision date"`, or `"decision time"` where hours count: a day can't tell whether these
/// were kept. What closes the duty must tell the time.
fn done_when_decided(
    keys: &Keys<'_>,
    limit: &Result<Limit, Reported>,
    closers: &[DocumentType],
) -> Result<bool, Reported> {
    let done_on = keys.optional("done_on", |node| {
        let hours = node.word(&[(false, Event::DecisionDate.words()), (true, "decision time")])?;
        let (fits, belongs) = match (limit, hours) {
            (Err(_), _) => (true, ""),
            (Ok(limit), false) => (limit.counts_days(), "in days or months"),
            (Ok(limit), true) => (limit.counts_hours(), "in hours"),
        };
        if !fits {
            return Err(node.error(format!("belongs to `within` {belongs}")));
        }
        for closer in closers.iter().filter(|_| hours) {
            let field = DECISION_TIME.to_owned();
            node.mention(Mentioned::Field(Some(closer.clone()), field, Expected::DateOrTime));
        }
        Ok(true)
    });
    Ok(done_on?.unwrap_or(false))
}

fn passes_to(node: &Node<'_>) -> Result<(DocumentType, Relation), Reported> {
    let keys = node.keys(&["on", "owner"])?;
    let on = keys.need("on").and_then(|on| document_type(&on));
    let owner = keys.need("owner").and_then(|owner| relation(&owner));
    Ok((on?, owner?))
}

fn extend(node: &Node<'_>, opener: &DocumentType) -> Result<Extend, Reported> {
    let keys = node.keys(&["by", "with", "times", "when"])?;
    let with = keys.need("with").and_then(|with| document_type(&with));
    let by = keys.need("by").and_then(|by| match &with {
        Ok(with) => span_or_stated(&by, with),
        Err(reported) => Err(*reported),
    });
    let times = keys.need("times").and_then(|times| times.count());
    let when = keys.optional("when", |when| condition(when, Some(opener)));
    Ok(Extend { by: by?, with: with?, times: times?, when: when? })
}

fn suspend(node: &Node<'_>) -> Result<(DocumentType, DocumentType), Reported> {
    let keys = node.keys(&["with", "until"])?;
    let with = keys.need("with").and_then(|with| document_type(&with));
    let until = keys.need("until").and_then(|until| document_type(&until));
    Ok((with?, until?))
}
