//! The law's question: whether each record is what the law makes of what led to it. The input is
//! built again from the record and from what was signed, and decided again, in the state and the
//! directory as they were just before.
//!
//! It compares the whole record. Three things in it follow from the operator's intervals and from no
//! law: when the hub looks at a duty next, when a soft limit reminds, and which outage came near a
//! limit. These alone make no difference. And it can't miss a record that was never made: time's
//! steps are judged when they are taken, not when they should have been.
//!
//! A document's record names the rulebook and the engine that decided. The others are judged if the
//! documents before and after them were decided by those at hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use xianjie_core::domain::decide::{Decision, ENGINE, World, decide};
use xianjie_core::domain::directory::{Directory, Divisions};
use xianjie_core::domain::record::{Effect, Kind, Record};
use xianjie_core::domain::reminders::Reminders;
use xianjie_core::domain::rulebook::Law;
use xianjie_core::domain::state::View;
use xianjie_core::ids::{Digest, Time};

use super::LISTED;
use super::entry::Examined;
use crate::hub::fold::commit_document;

mod difference;
mod input;
pub mod trial;

pub use difference::{Difference, Field, How};
use input::Led;

/// What is asked of each record while it is folded, in the state and the directory just before it.
pub(super) trait Question: Sync {
    /// The directory as the records so far make it.
    fn directory(&self) -> Arc<Directory>;

    /// The answer for a record; nothing, if it isn't asked about. With anything missing in `view`
    /// afterwards it means nothing.
    fn verdict(&self, view: &View<'_>, directory: &Directory, asked: &Asked<'_>)
    -> Option<Verdict>;
}

/// A record that is asked about.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// Its entry.
    pub(super) one: &'a Examined,
    /// The record.
    pub(super) record: &'a Record,
    /// The record after it, if that says what does not fit about it: the two were decided as one.
    pub(super) flagged: Option<&'a Record>,
    /// Its time.
    pub(super) time: Time,
}

/// What deciding again needs besides the law.
#[derive(Debug, Clone)]
pub struct LawParts {
    /// The divisions.
    pub divisions: Arc<Divisions>,
    /// The intervals at which the hub reminds, if they are known: where they alone explain nothing of
    /// what a record says, that is counted.
    pub reminders: Option<Reminders>,
}

/// What deciding again came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LawReport {
    /// Records that were decided again.
    pub judged: u64,
    /// In what they are not what the law makes, the first [`LISTED`].
    pub differences: Vec<Difference>,
    /// How many differences there are.
    pub differing: u64,
    /// Records that were decided by a rulebook or an engine that is not at hand.
    pub unjudged: BTreeMap<Named, u64>,
    /// Records whose document or statement can't be read: what is wrong with it is a finding.
    pub unreadable: u64,
    /// Records whose reminders are not those of the intervals given.
    pub reminders: u64,
}

/// By what a record was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// The digest of rulebooks, divisions and calendar.
    pub rulebook: Digest,
    /// The version of the deciding code.
    pub engine: u32,
}

/// What the law says of one record.
pub(super) enum Verdict {
    /// The same; whether the reminders are too.
    Same(bool),
    /// Something else.
    Other(Vec<Difference>),
    /// What led to it can't be read.
    Unreadable,
}

impl Verdict {
    /// The same with more differences.
    fn and(self, more: Vec<Difference>) -> Self {
        match self {
            Self::Same(_) if !more.is_empty() => Self::Other(more),
            Self::Other(differences) => Self::Other([differences, more].concat()),
            same => same,
        }
    }
}

/// Decides again, record by record.
pub(super) struct Judge {
    law: Arc<Law>,
    parts: LawParts,
    directory: Arc<Directory>,
    at_hand: Named,
    /// By what the newest document was decided.
    named: Named,
    /// Records since then, which name nothing themselves.
    since: LawReport,
    report: LawReport,
}

impl Judge {
    /// A judge before the first record.
    pub(super) fn new(law: Arc<Law>, parts: LawParts) -> Self {
        let at_hand = Named { rulebook: Digest(law.digest()), engine: ENGINE };
        Self {
            law,
            parts,
            directory: Arc::default(),
            at_hand,
            named: at_hand,
            since: LawReport::default(),
            report: LawReport::default(),
        }
    }

    /// Takes the verdicts on the records of a step, and the directory after it.
    pub(super) fn take(
        &mut self,
        examined: &[Examined],
        verdicts: Vec<Option<Verdict>>,
        directory: Arc<Directory>,
    ) {
        self.directory = directory;
        for (one, verdict) in examined.iter().zip(verdicts) {
            let Some(record) = &one.record else { continue };
            let named = named_by(record, self.named);
            if let Some(named) = named {
                self.pass(named);
            }
            if self.named != self.at_hand {
                if named.is_some() || verdict.is_some() {
                    *self.report.unjudged.entry(self.named).or_default() += 1;
                }
                continue;
            }
            let report = if named.is_some() { &mut self.report } else { &mut self.since };
            if let Some(verdict) = verdict {
                report.count(verdict, self.parts.reminders.is_some());
            }
        }
    }

    /// A record names by what it was decided: what came since the last that did was decided by the
    /// one or the other.
    fn pass(&mut self, named: Named) {
        let since = std::mem::take(&mut self.since);
        if named == self.at_hand {
            self.report.absorb(since);
        } else {
            let count = since.judged + since.unreadable;
            if count > 0 {
                *self.report.unjudged.entry(named).or_default() += count;
            }
        }
        self.named = named;
    }

    /// What it came to.
    pub(super) fn into_report(mut self) -> LawReport {
        self.report.absorb(self.since);
        self.report
    }
}

impl LawReport {
    fn count(&mut self, verdict: Verdict, reminders_known: bool) {
        match verdict {
            Verdict::Unreadable => self.unreadable += 1,
            Verdict::Same(reminders) => {
                self.judged += 1;
                self.reminders += u64::from(reminders_known && !reminders);
            }
            Verdict::Other(differences) => {
                self.judged += 1;
                self.list(differences);
            }
        }
    }

    fn list(&mut self, differences: Vec<Difference>) {
        self.differing += differences.len() as u64;
        let room = LISTED.saturating_sub(self.differences.len());
        self.differences.extend(differences.into_iter().take(room));
    }

    fn absorb(&mut self, other: Self) {
        let unlisted = other.differing - other.differences.len() as u64;
        self.list(other.differences);
        self.differing += unlisted;
        self.judged += other.judged;
        self.unreadable += other.unreadable;
        self.reminders += other.reminders;
    }
}

impl Question for Judge {
    fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory)
    }

    /// What the law says of a record; nothing, if nothing was decided, or by other rules.
    fn verdict(
        &self,
        view: &View<'_>,
        directory: &Directory,
        asked: &Asked<'_>,
    ) -> Option<Verdict> {
        let Asked { one, record, flagged, time } = *asked;
        if named_by(record, self.named).is_some_and(|named| named != self.at_hand) {
            return None;
        }
        let input = match input::of(one, record) {
            Led::Nothing => return None,
            Led::Unreadable => return Some(Verdict::Unreadable),
            Led::Input(input) => input,
        };
        // Whether deliveries lay long enough is the operator's interval too.
        let reminders = self.parts.reminders.unwrap_or_default();
        let world = World {
            directory,
            divisions: &self.parts.divisions,
            law: &self.law,
            reminders: Reminders { unacknowledged_ms: 0, ..reminders },
            time,
            index: one.index,
            commit_document,
        };
        Some(match decide(view, &world, &input) {
            Ok(Decision::Record(decided)) => {
                let made = decided.flagged.as_ref();
                difference::verdict(one.index, record, &decided.record)
                    .and(difference::of_flagged(one.index, flagged, made))
            }
            Ok(Decision::Known(_)) => Verdict::Other(vec![Difference::nothing(one.index)]),
            Err(refusal) => Verdict::Other(vec![Difference::refused(one.index, &refusal)]),
        })
    }
}

/// What a record says of the rules that decided it; nothing, if it names none.
fn named_by(record: &Record, before: Named) -> Option<Named> {
    if let Kind::Document(taken) = &record.kind {
        return Some(Named { rulebook: taken.rulebook, engine: taken.engine });
    }
    record.effects.iter().find_map(|ruled| match ruled.effect {
        Effect::RulebookActivated { digest } => Some(Named { rulebook: digest, ..before }),
        _ => None,
    })
}
