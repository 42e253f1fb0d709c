//! Duties: who owes what until when, what was said of it, and when.

use std::collections::{BTreeMap, BTreeSet};

use xianjie_core::domain::duty::{Duty, DutyState, Force, Outcome, Owner};
use xianjie_core::domain::record::{DutyChange, DutyStep, Effect, Timing};
use xianjie_core::domain::state::{Key, Row};
use xianjie_core::ids::{AgencyCode, CaseRef, DutyId, InboxNumber, LedgerIndex, Time};

use super::{Checked, Fault, ensure};
use crate::hub::Hub;

/// A duty that is owed, or was.
#[derive(Debug, Clone)]
struct Account {
    name: String,
    case: Option<CaseRef>,
    owner: AgencyCode,
    timing: Timing,
    waits_for: Option<(AgencyCode, InboxNumber)>,
    counts: bool,
    suspended: bool,
    handover: bool,
    force: Force,
    owed: bool,
    alarmed: bool,
}

/// All duties.
#[derive(Debug, Clone, Default)]
pub(crate) struct Duties {
    all: BTreeMap<DutyId, Account>,
    by_case: BTreeMap<CaseRef, BTreeSet<DutyId>>,
    wakes: BTreeSet<(Time, DutyId)>,
    outcomes: BTreeMap<Outcome, u64>,
}

impl Duties {
    /// Time came to a step of a duty.
    pub(super) fn step(&mut self, id: DutyId, step: DutyStep, now: Time) -> Checked {
        let account = self.known(id)?;
        let told = format!("{} of {} is told of as {step:?}", account.name, account.owner);
        let fault = |what: &str| Fault::new("duties", format!("{told} {what}")).of(account.case);
        if !account.owed {
            return Err(fault("although it has ended"));
        }
        let asked = account.timing.wake.is_some_and(|wake| wake <= now);
        if !asked && step != DutyStep::Recomputed {
            return Err(fault("twice, or too early"));
        }
        let due = account.timing.due;
        let early = match step {
            DutyStep::Forewarned => due.is_none_or(|due| now >= due),
            DutyStep::Recomputed => false,
            _ => due.is_none_or(|due| now < due),
        };
        if early {
            return Err(fault("on the wrong side of its due time"));
        }
        let soft = account.force == Force::Soft;
        let fits = match step {
            DutyStep::Reminded => soft,
            DutyStep::Lapsed => account.force == Force::Right,
            DutyStep::HandoverMissed => account.handover && !soft,
            DutyStep::Missed => account.force == Force::Binding && !account.handover,
            DutyStep::Forewarned | DutyStep::Recomputed => true,
        };
        if !fits {
            return Err(fault("and is no such duty"));
        }
        let passed = !matches!(step, DutyStep::Forewarned | DutyStep::Recomputed);
        self.all.get_mut(&id).unwrap().alarmed |= passed;
        Ok(())
    }

    /// A record changes a duty.
    pub(super) fn effect(
        &mut self,
        index: LedgerIndex,
        ordinal: u32,
        now: Time,
        effect: &Effect,
    ) -> Checked {
        match effect {
            Effect::DutyOpened(duty) => self.open(DutyId { index, ordinal }, duty),
            Effect::DutyStarted { duty, timing, .. } => {
                let waited = self.known(*duty)?.waits_for.is_some();
                ensure(waited, "duties", || format!("{duty:?} starts twice"))?;
                self.change(*duty, |account| {
                    account.waits_for = None;
                    account.counts = true;
                    account.timing = *timing;
                });
            }
            Effect::DutyChanged { duty, change, owner, timing } => {
                self.known(*duty)?;
                self.change(*duty, |account| {
                    account.owner = owner.agency().clone();
                    account.timing = *timing;
                    match change {
                        DutyChange::Suspended => account.suspended = true,
                        DutyChange::Resumed => account.suspended = false,
                        DutyChange::Extended | DutyChange::Recomputed | DutyChange::Confined => {
                            account.alarmed = false;
                        }
                        _ => {}
                    }
                });
                let goes_on = timing.wake.is_none_or(|wake| wake > now)
                    || !matches!(change, DutyChange::Forewarned | DutyChange::Passed);
                ensure(goes_on, "duties", || format!("{duty:?} would be told of again at once"))?;
            }
            Effect::DutyClosed { duty, outcome } => {
                let owed = self.known(*duty)?.owed;
                ensure(owed, "duties", || format!("{duty:?} ends twice"))?;
                *self.outcomes.entry(*outcome).or_default() += 1;
                self.change(*duty, |account| account.owed = false);
            }
            Effect::DutyReopened { duty } => {
                let owed = self.known(*duty)?.owed;
                ensure(!owed, "duties", || format!("{duty:?} is opened again while it is owed"))?;
                self.change(*duty, |account| account.owed = true);
            }
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, id: DutyId, duty: &Duty) {
        let timing = Timing {
            not_before: duty.not_before,
            due: duty.due,
            provisional: duty.provisional,
            wake: duty.wake,
        };
        let owed = duty.state == DutyState::Open;
        let (Owner::Agency(owner) | Owner::Person { watched_by: owner }) = &duty.owner;
        let account = Account {
            name: duty.name.clone(),
            case: duty.case,
            owner: owner.clone(),
            timing,
            waits_for: duty.waits_for.clone(),
            counts: duty.runs_from.is_some(),
            suspended: false,
            handover: duty.handover,
            force: duty.force,
            owed,
            alarmed: false,
        };
        if let DutyState::Closed { outcome, .. } = duty.state {
            *self.outcomes.entry(outcome).or_default() += 1;
        }
        if let Some(case) = duty.case {
            self.by_case.entry(case).or_default().insert(id);
        }
        self.all.insert(id, account);
        self.change(id, |_| {});
    }

    fn known(&self, id: DutyId) -> Result<&Account, Fault> {
        self.all.get(&id).ok_or_else(|| Fault::new("duties", format!("nobody opened {id:?}")))
    }

    fn change(&mut self, id: DutyId, change: impl FnOnce(&mut Account)) {
        let account = self.all.get_mut(&id).unwrap();
        if let Some(wake) = account.timing.wake {
            self.wakes.remove(&(wake, id));
        }
        change(account);
        if let Some(wake) = account.timing.wake.filter(|_| account.owed) {
            self.wakes.insert((wake, id));
        }
    }

    /// Whether a handover of the person is under way, with a time at which it is due or a delivery
    /// from which that time will count.
    pub(super) fn hands_over(&self, case: CaseRef) -> bool {
        let all = self.by_case.get(&case).into_iter().flatten().map(|id| &self.all[id]);
        let mut open = all.filter(|account| account.owed && account.handover);
        open.any(|account| account.timing.due.is_some() || account.waits_for.is_some())
    }

    /// Whether nobody has slept through a step.
    pub(crate) fn check_awake(&self, now: Time) -> Checked {
        let late = self.wakes.first().filter(|(wake, _)| *wake <= now);
        late.map_or(Ok(()), |(_, id)| {
            let account = &self.all[id];
            let what = format!("{} of {} passed unseen", account.name, account.owner);
            Err(Fault::new("P8", what).of(account.case))
        })
    }

    /// How many duties there were.
    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    /// The names of those that are owed still.
    pub(crate) fn owed(&self) -> impl Iterator<Item = &str> {
        self.all.values().filter(|account| account.owed).map(|account| account.name.as_str())
    }

    /// How those that ended have ended.
    pub(crate) fn outcomes(&self) -> &BTreeMap<Outcome, u64> {
        &self.outcomes
    }

    /// Compares every duty, and the indexes by which duties are found, with the rows.
    pub(super) fn audit(&self, hub: &Hub) -> Checked {
        for (id, account) in &self.all {
            self.audit_duty(hub, *id, account).map_err(|fault| fault.of(account.case))?;
        }
        let expected = |owed: bool| self.all.values().filter(|a| a.owed == owed || !owed).count();
        let rows = |is: fn(&Key) -> bool| hub.rows.keys().filter(|key| is(key)).count();
        let counts = [
            (rows(|key| matches!(key, Key::Duty(_))), expected(false), "duties"),
            (
                rows(|key| matches!(key, Key::OwedInCase(..) | Key::OwedInThread(..))),
                expected(true),
                "duties owed",
            ),
            (rows(|key| matches!(key, Key::Wake(..))), self.wakes.len(), "times to look"),
        ];
        for (found, expected, what) in counts {
            ensure(found == expected, "duties", || format!("{found} {what}, not {expected}"))?;
        }
        Ok(())
    }

    fn audit_duty(&self, hub: &Hub, id: DutyId, account: &Account) -> Checked {
        let Account { name, owner, timing, .. } = account;
        let fault = |what: &str| Fault::new("duties", format!("{name} of {owner} {what}"));
        let Some(Row::Duty(row)) = hub.rows.get(&Key::Duty(id)) else {
            return Err(fault("is lost"));
        };
        let same = row.is_owed() == account.owed
            && row.owner.agency() == owner
            && (row.due, row.wake) == (timing.due, timing.wake)
            && row.waits_for == account.waits_for;
        if !same {
            return Err(fault("is not as its records left it"));
        }
        let heir = hub.directory.agency(&hub.heir(owner));
        if account.owed && !heir.is_some_and(|heir| heir.is_addressable(hub.time)) {
            return Err(fault("is owed by nobody"));
        }
        let runs = account.counts && account.waits_for.is_none() && !account.suspended;
        if account.owed && runs && (timing.due.is_none() || timing.wake.is_none()) {
            return Err(fault("runs and is never due"));
        }
        let listed = match row.case {
            Some(case) => hub.rows.contains_key(&Key::OwedInCase(case, id)),
            None => hub.rows.contains_key(&Key::OwedInThread(row.thread, id)),
        };
        let wakes = timing.wake.filter(|_| account.owed);
        let woken = wakes.is_none_or(|wake| hub.rows.contains_key(&Key::Wake(wake, id)));
        if listed != account.owed || !woken {
            return Err(fault("is not found by its index"));
        }
        if let Some((agency, number)) = &account.waits_for
            && !hub.rows.contains_key(&Key::Waiting(agency.clone(), *number, id))
        {
            return Err(fault("waits for a receipt that will not find it"));
        }
        let passed = timing.due.is_some_and(|due| due.0 + PATIENCE_MS < hub.time.0);
        if account.owed && account.handover && passed && !account.alarmed {
            return Err(Fault::new("P8", format!("{name} of {owner} passed without an alarm")));
        }
        Ok(())
    }
}

/// A hub that was away looks at limits only some time after it is back.
const PATIENCE_MS: i64 = 24 * 3_600_000;
