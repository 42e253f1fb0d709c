//! The duties (期限义务) of the story, learnt from its records: what the timeline calls them when they end.

use std::collections::HashMap;

use xianjie_core::domain::duty::{Duty, Outcome};
use xianjie_core::domain::record::{Effect, Record};
use xianjie_core::ids::{DutyId, LedgerIndex};

/// What is known of duties.
#[derive(Default)]
pub(super) struct Duties(HashMap<DutyId, Duty>);

impl Duties {
    /// Learns what the record at `index` says of duties.
    pub(super) fn learn(&mut self, index: u64, record: &Record) {
        for (ordinal, ruled) in (0..).zip(&record.effects) {
            match &ruled.effect {
                Effect::DutyOpened(duty) => {
                    let id = DutyId { index: LedgerIndex(index), ordinal };
                    self.0.insert(id, Duty::clone(duty));
                }
                Effect::DutyStarted { duty, timing, .. }
                | Effect::DutyChanged { duty, timing, .. } => {
                    if let Some(known) = self.0.get_mut(duty) {
                        known.due = timing.due;
                    }
                }
                _ => {}
            }
        }
    }

    /// The duties that a record ends, and how; those that are known.
    pub(super) fn ended<'a>(
        &'a self,
        record: &'a Record,
    ) -> impl Iterator<Item = (&'a Duty, Outcome)> {
        record.effects.iter().filter_map(|ruled| match &ruled.effect {
            Effect::DutyClosed { duty, outcome } => Some((self.0.get(duty)?, *outcome)),
            _ => None,
        })
    }
}
