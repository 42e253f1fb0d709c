//! Dates and terms that the statutes don't allow. A document is taken all the same and shown to the
//! procuratorate: the hub knows what the paper says, and not why.

use jiff::civil::Date;

use super::tests_of_law::Flag;
use crate::domain::custody::Step;
use crate::domain::document::{Category, Document};
use crate::domain::duty::Duty;
use crate::domain::record::{DutyChange, Effect, RuledEffect, Timing};
use crate::domain::rulebook::{Limit, Table};
use crate::domain::state::Case;
use crate::domain::term::{Start, shanghai_date, term_end, term_expiry_due};
use crate::ids::{DutyId, Time};

/// How long a term may be: at least and at most so many months, with the article that says so.
struct Length {
    least: u16,
    most: u16,
    article: &'static str,
}

/// Public surveillance is not below three months but that detention before is deducted twofold (刑法 41),
/// and not above two years, or three for several crimes (刑法 38, 69). Probation is two months to five
/// years (刑法 73): the kind of sentence is no fact that the law reads. Parole is what is left of the
/// term, at most ten years of a life sentence's or twenty-five of a fixed term (刑法 69, 83).
fn length(category: Category) -> Option<Length> {
    match category {
        Category::PublicSurveillance => Some(Length { least: 0, most: 36, article: "刑法 69" }),
        Category::Probation => Some(Length { least: 2, most: 60, article: "刑法 73" }),
        Category::Parole => Some(Length { least: 0, most: 300, article: "刑法 69" }),
        Category::TemporaryRelease => None,
    }
}

/// The days of what has happened when the document is made. Not that of its effect: nothing forbids to
/// send what takes effect later.
const HAPPENED: [&str; 11] = [
    "issue_date",
    "notice_signed_date",
    "person_notified_date",
    "application_date",
    "given_date",
    "received_date",
    "registered_date",
    "reported_date",
    "transferred_date",
    "discovery_date",
    "death_date",
];

/// What is not plausible about a document, in the case as it stands with it.
pub(super) fn flags(
    document: &Document,
    table: &Table,
    case: Option<&Case>,
    owed: &[(DutyId, &Duty)],
    step: Option<Step>,
    now: Time,
) -> Vec<Flag> {
    let mut flags = Vec::new();
    let mut flag = |what: &str, article: &str| {
        flags.push(Flag {
            rule: "hub/plausible".to_owned(),
            articles: vec![article.to_owned()],
            what: what.to_owned(),
        });
    };
    let on = |field| document.date(field);
    let (decided, effective) = (on("decision_date"), on("effective_date"));
    let today = shanghai_date(now.0);
    if after(decided, effective) {
        flag("EFFECTIVE_BEFORE_DECISION", "刑诉法 259");
    }
    if after(decided, Some(today)) {
        flag("DECIDED_IN_THE_FUTURE", "刑诉法 259");
    }
    let category = document.subject.as_ref().and_then(|subject| subject.category);
    let category = category.or(case.and_then(|case| case.category));
    if let (Some(start), Some(expiry)) = (on("term_start_date"), on("term_expiry_date")) {
        if expiry < start {
            flag("TERM_ENDS_BEFORE_IT_BEGINS", "刑诉法解释 202");
        } else if let Some(length) = category.and_then(length) {
            if is_shorter(start, expiry, length.least) {
                flag("TERM_TOO_SHORT", length.article);
            }
            if is_longer(start, expiry, length.most) {
                flag("TERM_TOO_LONG", length.article);
            }
        }
        // 缓刑考验期限，从判决确定之日起计算.
        if category == Some(Category::Probation) && effective.is_some_and(|day| day != start) {
            flag("TERM_BEGINS_ON_ANOTHER_DAY", "刑法 73");
        }
    }
    let expiry = case.and_then(|case| case.term_expiry);
    let amnesty = document.word("release_ground").as_deref() == Some("amnesty");
    if step == Some(Step::Release) && !amnesty && after(expiry, Some(today)) {
        flag("RELEASED_BEFORE_EXPIRY", "社区矫正法 44");
    }
    for (_, duty) in owed.iter().filter(|(_, duty)| duty.closed_by.contains(&document.kind)) {
        if duty.not_before.is_some_and(|opens| now < opens) {
            let article = duty.articles.first().map_or("", String::as_str);
            flag("BEFORE_ITS_WINDOW", article);
        }
    }
    if after(began_to_report(owed), on("reported_date")) {
        flag("REPORTED_BEFORE_EFFECT", "社区矫正法 21");
    }
    days(document, table, today, &mut flag);
    flags
}

/// Days that don't fit each other, or today.
fn days(document: &Document, table: &Table, today: Date, flag: &mut impl FnMut(&str, &str)) {
    let own = table.articles.first().map_or("", String::as_str);
    for field in HAPPENED.into_iter().filter(|field| after(document.date(field), Some(today))) {
        flag(&format!("IN_THE_FUTURE {field}"), own);
    }
    if after(document.date("decision_date"), document.date("issue_date")) {
        flag("ISSUED_BEFORE_DECISION", own);
    }
    for field in document.facts.keys() {
        let Some(what) = field.strip_suffix("_start_date") else { continue };
        if after(document.date(field), document.date(&format!("{what}_end_date"))) {
            flag(&format!("ENDS_BEFORE_IT_BEGINS {what}"), own);
        }
    }
    let stated =
        |limit: &Limit| matches!(limit, Limit::Within { spans, .. } if spans.contains(&None));
    let mut stated = table.duties.iter().filter(|duty| stated(&duty.item.limit));
    if let Some(duty) = stated.next().filter(|_| after(Some(today), document.date("stated_date"))) {
        flag("LIMIT_ALREADY_OVER", duty.articles.first().map_or("", String::as_str));
    }
}

/// What is not plausible about a document that extends limits (延长): that it extends none, or not as far
/// as it says, for the law gives so much and no more.
pub(super) fn extension(
    document: &Document,
    owed: &[(DutyId, &Duty)],
    effects: &[RuledEffect],
) -> Option<Flag> {
    let is_meant = |(_, duty): &&(DutyId, &Duty)| {
        duty.extend.as_ref().is_some_and(|extend| extend.with == document.kind)
    };
    let (_, duty) = owed.iter().find(is_meant)?;
    let extended: Vec<&Timing> =
        effects.iter().filter_map(|ruled| extends(&ruled.effect)).collect();
    let until = document.date("stated_date").map(|date| Time(term_expiry_due(date).at_ms));
    let what = if extended.is_empty() {
        "EXTENDS_NOTHING"
    } else if extended.iter().any(|timing| timing.due.is_some() && timing.due < until) {
        "EXTENDS_TOO_FAR"
    } else {
        return None;
    };
    let rule = "hub/plausible".to_owned();
    Some(Flag { rule, articles: duty.articles.clone(), what: what.to_owned() })
}

/// The new limit of a duty that the effect extends.
fn extends(effect: &Effect) -> Option<&Timing> {
    match effect {
        Effect::DutyChanged { change: DutyChange::Extended, timing, .. } => Some(timing),
        _ => None,
    }
}

/// Whether the first day is after the second, both known.
fn after(first: Option<Date>, second: Option<Date>) -> bool {
    matches!((first, second), (Some(first), Some(second)) if first > second)
}

/// A term ends the day before the same day of a later month (刑诉法解释 202).
fn is_shorter(start: Date, expiry: Date, months: u16) -> bool {
    months > 0 && term_end(start, 0, months, 0).is_ok_and(|earliest| expiry < earliest)
}

fn is_longer(start: Date, expiry: Date, months: u16) -> bool {
    term_end(start, 0, months, 0).is_ok_and(|latest| expiry > latest)
}

/// From which day the person had to report.
fn began_to_report(owed: &[(DutyId, &Duty)]) -> Option<Date> {
    owed.iter().filter(|(_, duty)| duty.handover).find_map(|(_, duty)| match duty.runs_from {
        Some(Start::Day(day)) => Some(day),
        _ => None,
    })
}
