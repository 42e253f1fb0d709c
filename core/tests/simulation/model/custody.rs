//! Who answers for each person (P8): as the papers say, and as the case has it.

use std::collections::{BTreeMap, BTreeSet};

use xianjie_core::domain::custody::State;
use xianjie_core::domain::record::DocumentTaken;
use xianjie_core::domain::state::{Key, Row};
use xianjie_core::ids::{AgencyCode, CaseRef};

use super::duties::Duties;
use super::{Checked, Fault, ensure};
use crate::hub::{Hub, law};

/// Who answers for a person, by the papers that were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nobody: not yet in the hub.
    Unknown,
    /// This agency, or whoever took its place.
    With(AgencyCode),
    /// Nobody any more.
    Ended,
}

/// All cases.
#[derive(Debug, Clone, Default)]
pub(crate) struct Custodies {
    standings: BTreeMap<CaseRef, Standing>,
    /// Persons who are held for another matter: meanwhile no limit runs.
    held: BTreeSet<CaseRef>,
}

impl Custodies {
    /// A document was taken.
    pub(super) fn document(&mut self, taken: &DocumentTaken) {
        let Some(case) = taken.case else { return };
        self.standings.entry(case).or_insert(Standing::Unknown);
        match taken.document_type.as_str() {
            "coercive_measure_notice" => self.held.insert(case),
            "measure_ended_notice" => self.held.remove(&case),
            _ => false,
        };
    }

    /// From now on the person stands so.
    pub(crate) fn stands(&mut self, case: CaseRef, standing: Standing) {
        self.standings.insert(case, standing);
    }

    /// All cases.
    pub(super) fn cases(&self) -> impl Iterator<Item = &CaseRef> {
        self.standings.keys()
    }

    /// Whether one agency answers, a handover has its limit, or it has ended.
    pub(super) fn check(&self, hub: &Hub, duties: &Duties, case: CaseRef) -> Checked {
        let Some(Row::Case(row)) = hub.rows.get(&Key::Case(case)) else {
            return Err(Fault::new("P8", "the case is lost"));
        };
        let custody = &row.custody;
        let state = custody.state;
        let nobody =
            matches!(state, State::None | State::Imprisoned | State::Released | State::Dead);
        let answers = custody.answers.as_ref().map(|agency| hub.heir(agency));
        ensure(nobody == answers.is_none(), "P8", || {
            format!("{answers:?} answers for a person who is {}", state.word())
        })?;
        if let Some(agency) = &answers {
            let known = hub.directory.agency(agency);
            let takes_part = known.is_some_and(|agency| agency.is_addressable(hub.time));
            ensure(takes_part, "P8", || format!("{agency} answers and is no more"))?;
        }
        let fits = match &self.standings[&case] {
            Standing::With(agency) => answers == Some(hub.heir(agency)),
            Standing::Unknown | Standing::Ended => answers.is_none(),
        };
        ensure(fits, "P8", || {
            let standing = &self.standings[&case];
            format!("{answers:?} answers in {}, by the papers {standing:?}", state.word())
        })?;
        let under_way = law().custody().is_handover(state) && !self.held.contains(&case);
        ensure(!under_way || duties.hands_over(case), "P8", || {
            format!("the person is {} and no handover is due", state.word())
        })
    }
}
