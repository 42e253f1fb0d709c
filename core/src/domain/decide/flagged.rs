//! What does not fit about a document, as a record of its own: its readers are those who supervise and
//! those whom the person concerns, and not every addressee of the document (P7).

use std::collections::BTreeSet;

use super::case::Found;
use super::tests_of_law::Flag;
use crate::domain::record::{Effect, Flagged, Kind, Notice, Record, RuledEffect};
use crate::ids::{AgencyCode, DocumentRef};

/// The record of what does not fit, none if all does. `owed` gives the notice its rule.
pub(super) fn record(
    document: &DocumentRef,
    found: Option<&Found>,
    flags: &[Flag],
    owed: impl FnOnce(Effect) -> RuledEffect,
    supervisors: BTreeSet<AgencyCode>,
) -> Option<Record> {
    if flags.is_empty() {
        return None;
    }
    let case = found.map(|found| found.reference);
    let contradiction = |flag: &Flag| RuledEffect {
        rule: flag.rule.clone(),
        articles: flag.articles.clone(),
        effect: Effect::Contradiction { case, what: flag.what.clone() },
    };
    let mut effects: Vec<RuledEffect> = flags.iter().map(contradiction).collect();
    if !supervisors.is_empty() {
        let to = supervisors.clone();
        effects.push(owed(Effect::NoticeOwed { notice: Notice::Contradiction, to }));
    }
    let agencies = match found {
        Some(found) => found.case.concerned().cloned().collect(),
        None => BTreeSet::from([document.sender.clone()]),
    };
    let flagged = Flagged { document: document.clone(), agencies, supervisors };
    Some(Record { kind: Kind::Flagged(flagged), effects })
}
