//! What records do to duties (期限义务), and the indexes by which duties are found.

use super::{ApplyError, Change};
use crate::domain::duty::{Duty, DutyState, Outcome, RollRule, Standstill, Warned};
use crate::domain::record::{DutyChange, Effect, Timing};
use crate::domain::state::{Key, Row};
use crate::ids::DutyId;

impl Change<'_, '_> {
    /// Applies one of the effects on duties.
    pub(super) fn duty(&mut self, effect: &Effect, ordinal: u32) -> Result<(), ApplyError> {
        match effect {
            Effect::DutyOpened(duty) => {
                let id = DutyId { index: self.index, ordinal };
                let ended = matches!(
                    duty.state,
                    DutyState::Closed { outcome: Outcome::Met | Outcome::MetLate, .. }
                );
                if ended {
                    self.met.push(id);
                }
                self.put_duty(id, None, (**duty).clone());
                Ok(())
            }
            Effect::DutyStarted { duty, from, timing } => self.change(*duty, |row| {
                row.waits_for = None;
                let extended = row.extend.as_ref().is_some_and(|extend| extend.granted > 0);
                row.runs_from = (!extended).then_some(*from);
                if row.due != timing.due {
                    row.warned = Warned::No;
                }
                match &mut row.suspended {
                    Some(still) => still.due = timing.due,
                    None => set(row, timing),
                }
            }),
            Effect::DutyChanged { duty, change, owner, timing } => {
                let (by, since) = (self.index, self.time);
                self.change(*duty, |row| {
                    row.pass_to(owner);
                    changed(row, *change, timing, Standstill { by, since, due: row.due });
                    set(row, timing);
                })
            }
            Effect::DutyClosed { duty, outcome } => {
                if matches!(outcome, Outcome::Met | Outcome::MetLate) {
                    self.met.push(*duty);
                }
                let by = self.index;
                self.change(*duty, |row| {
                    row.state = DutyState::Closed { outcome: *outcome, by };
                })
            }
            Effect::DutyReopened { duty } => self.change(*duty, |row| row.state = DutyState::Open),
            _ => Err(ApplyError::Unfit(self.index)),
        }
    }

    fn change(&mut self, id: DutyId, change: impl FnOnce(&mut Duty)) -> Result<(), ApplyError> {
        let key = Key::Duty(id);
        let Some(Row::Duty(old)) = self.view.get(&key) else { return Err(self.missing(key)) };
        let old = (**old).clone();
        let mut new = old.clone();
        change(&mut new);
        self.put_duty(id, Some(&old), new);
        Ok(())
    }

    /// Puts a duty with its index entries, instead of those that it had.
    fn put_duty(&mut self, id: DutyId, old: Option<&Duty>, new: Duty) {
        let before = old.map(|duty| index_keys(id, duty)).unwrap_or_default();
        let after = index_keys(id, &new);
        for key in before.iter().filter(|key| !after.contains(key)) {
            self.view.delete(key.clone());
        }
        for key in after.into_iter().filter(|key| !before.contains(key)) {
            self.view.put(key, Row::Entry);
        }
        self.view.put(Key::Duty(id), Row::Duty(Box::new(new)));
    }
}

/// The index entries under which a duty is found.
fn index_keys(id: DutyId, duty: &Duty) -> Vec<Key> {
    let mut keys = Vec::with_capacity(4);
    if let Some((agency, number)) = &duty.waits_for {
        keys.push(Key::Waiting(agency.clone(), *number, id));
    }
    if duty.is_owed() {
        keys.push(match duty.case {
            Some(case) => Key::OwedInCase(case, id),
            None => Key::OwedInThread(duty.thread, id),
        });
        keys.extend(duty.wake.map(|wake| Key::Wake(wake, id)));
        keys.extend(duty.provisional.then_some(Key::Provisional(id)));
        let owner = duty.owner.agency();
        keys.push(Key::DutyOf(owner.clone(), id));
        let other = duty.creditor.as_ref().filter(|creditor| *creditor != owner);
        keys.extend(other.map(|creditor| Key::DutyOf(creditor.clone(), id)));
    }
    keys
}

fn set(duty: &mut Duty, timing: &Timing) {
    duty.not_before = timing.not_before;
    duty.due = timing.due;
    duty.provisional = timing.provisional;
    duty.wake = timing.wake;
}

/// What a change does besides owner and timing. What opens if a limit passes does so once.
fn changed(duty: &mut Duty, change: DutyChange, timing: &Timing, still: Standstill) {
    match change {
        DutyChange::Forewarned => duty.warned = Warned::Forewarned,
        DutyChange::Passed => {
            duty.warned = Warned::Passed(duty.warned.times().saturating_add(1));
            duty.if_missed = None;
        }
        DutyChange::Recomputed if duty.due == timing.due => {}
        DutyChange::Recomputed => duty.warned = Warned::No,
        DutyChange::Extended => {
            duty.warned = Warned::No;
            duty.runs_from = None;
            if let Some(extend) = &mut duty.extend {
                extend.times = extend.times.saturating_sub(1);
                extend.granted += u8::from(duty.waits_for.is_some());
            }
        }
        DutyChange::Suspended => duty.suspended = Some(still),
        DutyChange::Resumed => {
            duty.suspended = None;
            duty.runs_from = None;
        }
        DutyChange::Confined => {
            duty.roll = RollRule::Never;
            if duty.due != timing.due {
                duty.warned = Warned::No;
            }
        }
        DutyChange::PassedOn => {}
    }
}
