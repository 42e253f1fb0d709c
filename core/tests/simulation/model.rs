//! The independent account: what must hold, kept from the records in bookkeeping of its own, and
//! compared with the state. It knows neither how a decision is made nor how rows are written.
//!
//! `deliveries` watches P2, P3, P4, P7 and P10, `duties` the limits, `custody` P8; P9 is here.

use std::collections::BTreeSet;
use std::fmt;

use xianjie_core::domain::record::{Clock, Kind, Record};
use xianjie_core::domain::state::{Key, Row};
use xianjie_core::ids::{AgencyCode, CaseRef, LedgerIndex, Time};

use crate::hub::Hub;

mod custody;
mod deliveries;
mod duties;
pub(crate) use custody::Standing;

/// A promise that was broken.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    /// Which one, such as `P4`.
    pub(crate) promise: &'static str,
    /// How.
    pub(crate) what: String,
    /// Whose case it is, if it is about one.
    pub(crate) case: Option<CaseRef>,
}

impl Fault {
    /// A fault in no case in particular.
    pub(crate) fn new(promise: &'static str, what: impl Into<String>) -> Self {
        Self { promise, what: what.into(), case: None }
    }

    /// The same, in a case.
    pub(crate) fn of(mut self, case: Option<CaseRef>) -> Self {
        self.case = case;
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.promise, self.what)
    }
}

/// A check's outcome.
pub(crate) type Checked = Result<(), Fault>;

/// Fails with what is said unless `holds`.
pub(crate) fn ensure(holds: bool, promise: &'static str, what: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Fault::new(promise, what())) }
}

/// The account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) deliveries: deliveries::Deliveries,
    pub(crate) duties: duties::Duties,
    pub(crate) custody: custody::Custodies,
}

impl Model {
    /// Takes note of a new record; `addressees` are those to whom the law sends its document.
    pub(crate) fn observe(
        &mut self,
        index: LedgerIndex,
        time: Time,
        record: &Record,
        addressees: &BTreeSet<AgencyCode>,
    ) -> Checked {
        match &record.kind {
            Kind::Document(taken) => {
                let case = taken.case;
                let seen = self.deliveries.document(index, time, taken, record, addressees);
                seen.map_err(|fault| fault.of(case))?;
                self.custody.document(taken);
            }
            // Whoever rejects a paper owes nothing by it: now it is the sender's turn.
            Kind::Rejected(it) => {
                self.custody.excuse(self.deliveries.case_of(&it.agency, it.number));
            }
            Kind::Clock(Clock::Duty { duty, step, .. }) => self.duties.step(*duty, *step, time)?,
            _ => {}
        }
        for (ordinal, ruled) in (0..).zip(&record.effects) {
            self.deliveries.effect(&ruled.effect)?;
            self.duties.effect(index, ordinal, time, &ruled.effect)?;
        }
        Ok(())
    }

    /// Compares the whole state with the account; the first difference.
    pub(crate) fn audit(&self, hub: &Hub) -> Checked {
        self.deliveries.audit(hub)?;
        self.duties.audit(hub)?;
        for case in self.custody.cases() {
            self.check_case(hub, *case)?;
        }
        refolds(hub)
    }

    /// Whether somebody answers for the person of a case (P8).
    pub(crate) fn check_case(&self, hub: &Hub, case: CaseRef) -> Checked {
        self.custody.check(hub, &self.duties, case).map_err(|fault| fault.of(Some(case)))
    }
}

/// P9: the records alone give the state, and its bytes.
fn refolds(hub: &Hub) -> Checked {
    let folded = hub.refolded();
    ensure(folded.len() == hub.rows.len(), "P9", || {
        format!("{} rows live, {} rows folded", hub.rows.len(), folded.len())
    })?;
    for ((key, row), (folded_key, folded_row)) in hub.rows.iter().zip(&folded) {
        let same = key == folded_key && row == folded_row;
        ensure(same, "P9", || {
            format!("live {key:?}: {row:?}, folded {folded_key:?}: {folded_row:?}")
        })?;
        let bytes = row.to_bytes();
        let same = bytes == folded_row.to_bytes() && Row::from_bytes(&bytes).as_ref() == Ok(row);
        ensure(same, "P9", || format!("{key:?} does not survive as bytes"))?;
        let read = Key::from_bytes(&key.to_bytes());
        ensure(read.as_ref() == Ok(key), "P9", || format!("{key:?} is read as {read:?}"))?;
    }
    in_order(hub)
}

/// Keys stand in the store as they do in memory, but for a case's documents, the newest first, and for
/// documents, by their ids and not by their senders.
fn in_order(hub: &Hub) -> Checked {
    let keys = || hub.rows.keys().filter(|key| !matches!(key, Key::Document(_) | Key::Filed(..)));
    for (key, next) in keys().zip(keys().skip(1)) {
        let ascends = key.to_bytes() < next.to_bytes();
        ensure(ascends, "P9", || format!("{next:?} stands before {key:?} in the store"))?;
    }
    Ok(())
}
