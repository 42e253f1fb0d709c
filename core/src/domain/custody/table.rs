//! The table of custody: from each state, where each step leads, who answers there, and what the
//! step does to flags and roles. It decides nothing about documents, and names no agency.

use std::collections::{BTreeMap, BTreeSet};

use super::{Custody, State, Step};
use crate::domain::agency::Kind;
use crate::domain::relation::RoleRef;
use crate::domain::role::Role;
use crate::domain::rulebook::Entry;

/// The whole table (`rules/custody.toml`), read by [`CustodyTable::parse`].
#[derive(Debug, Clone)]
pub struct CustodyTable {
    /// Who answers in each state.
    pub(in crate::domain) answers: BTreeMap<State, Vec<Entry>>,
    /// Whither each step leads; an empty table changes flags only.
    pub(in crate::domain) steps: BTreeMap<Step, BTreeMap<State, Next>>,
    /// The states in which a handover is under way.
    pub(in crate::domain) handover: BTreeSet<State>,
    /// After a step, the first role is what the second was before it.
    pub(in crate::domain) roles: BTreeMap<Step, Vec<(Role, Option<RoleRef>)>>,
    /// Whereabouts unknown.
    pub(in crate::domain) missing: FlagRule,
    /// Somebody physically holds the person.
    pub(in crate::domain) guard: FlagRule,
    /// A proposal to revoke or recommit is open.
    pub(in crate::domain) proposal: FlagRule,
    /// The kinds of agencies that may hold a role; any, for a role that isn't here.
    pub(in crate::domain) kinds: BTreeMap<Role, BTreeSet<Kind>>,
    /// Pairs that are taken as a contradiction.
    pub(in crate::domain) flagged: BTreeMap<Step, BTreeSet<State>>,
}

/// Whither a step leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::domain) struct Next {
    pub(in crate::domain) there: State,
    /// The same unless the table names two.
    pub(in crate::domain) if_missing: State,
}

/// Which steps change a flag; no step does both.
#[derive(Debug, Clone)]
pub(in crate::domain) struct FlagRule {
    pub(in crate::domain) set_by: BTreeSet<Step>,
    pub(in crate::domain) cleared_by: BTreeSet<Step>,
}

/// What becomes of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It is possible.
    Moved(Move),
    /// It does not fit the state, but the paper must be taken: flags change, the state does not,
    /// and the procuratorate sees the contradiction.
    Flagged(Move),
    /// It is impossible from this state.
    Refused,
}

/// What a step changes; what stays as it was is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The state that it leads to; none if it changes flags only.
    pub state: Option<State>,
    /// Whether whereabouts are unknown then.
    pub missing: Option<bool>,
    /// Whether somebody holds the person then: the agency that the document names.
    pub guard: Option<bool>,
    /// Whether a proposal to revoke or recommit is open then.
    pub proposal: Option<bool>,
    /// Each first role becomes what the second was before the step, or nobody's.
    pub roles: Vec<(Role, Option<RoleRef>)>,
}

impl CustodyTable {
    /// What becomes of a step in a case. Of two states the second is chosen by the flag `missing`
    /// as it was before the step.
    #[must_use]
    pub fn take(&self, custody: &Custody, step: Step) -> Taken {
        let is_flagged =
            self.flagged.get(&step).is_some_and(|states| states.contains(&custody.state));
        if is_flagged {
            return Taken::Flagged(self.moved(step, None, Vec::new()));
        }
        let moves = self.steps.get(&step);
        let state = match moves.and_then(|moves| moves.get(&custody.state)) {
            Some(next) if custody.missing => Some(next.if_missing),
            Some(next) => Some(next.there),
            None if moves.is_some_and(BTreeMap::is_empty) => None,
            None => return Taken::Refused,
        };
        let roles = self.roles.get(&step).cloned().unwrap_or_default();
        Taken::Moved(self.moved(step, state, roles))
    }

    /// Who answers for the person in a state: the first of these whose condition holds and whose
    /// relation finds an agency; nobody if there is none.
    #[must_use]
    pub fn answers_entries(&self, state: State) -> &[Entry] {
        self.answers.get(&state).map_or(&[], Vec::as_slice)
    }

    /// Whether in this state a person or their papers are on the way from one agency to the next.
    #[must_use]
    pub fn is_handover(&self, state: State) -> bool {
        self.handover.contains(&state)
    }

    /// The steps that are taken as a contradiction, each with a state in which it is.
    pub fn flagged_pairs(&self) -> impl Iterator<Item = (Step, State)> {
        self.flagged.iter().flat_map(|(step, states)| states.iter().map(|state| (*step, *state)))
    }

    /// Whether an agency of this kind may hold that role.
    #[must_use]
    pub fn may_hold(&self, role: Role, kind: Kind) -> bool {
        self.kinds.get(&role).is_none_or(|kinds| kinds.contains(&kind))
    }

    fn moved(&self, step: Step, state: Option<State>, roles: Vec<(Role, Option<RoleRef>)>) -> Move {
        let [missing, guard, proposal] =
            [&self.missing, &self.guard, &self.proposal].map(|rule| rule.change(step));
        Move { state, missing, guard, proposal, roles }
    }
}

impl FlagRule {
    /// What the flag becomes with a step; nothing if it stays as it was.
    fn change(&self, step: Step) -> Option<bool> {
        let set = self.set_by.contains(&step);
        (set || self.cleared_by.contains(&step)).then_some(set)
    }
}

#[cfg(test)]
mod tests;
