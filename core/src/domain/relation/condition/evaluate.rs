//! Whether a condition holds. What nothing tells is false: "places differ" needs two places.

use super::{Atom, Condition};
use crate::domain::document::Fact;
use crate::domain::relation::{Kinds, Place, RoleRef, Scene};
use crate::domain::role::Role;
use crate::ids::{AgencyCode, DivisionCode};

impl Scene<'_> {
    /// Whether `condition` holds here.
    #[must_use]
    pub fn holds(&self, condition: &Condition) -> bool {
        let as_wanted = |(wanted, atom): &(bool, Atom)| self.is(atom) == *wanted;
        match condition {
            Condition::All(atoms) => atoms.iter().all(as_wanted),
            Condition::Any(atoms) => atoms.iter().any(as_wanted),
        }
    }

    fn is(&self, atom: &Atom) -> bool {
        let province = |code: &DivisionCode| self.divisions.province(code).cloned();
        match atom {
            Atom::PlacesDiffer => self.is_apart(Role::DecisionOrgan, |code| Some(code.clone())),
            Atom::ProvincesDiffer => self.is_apart(Role::DecisionOrgan, province),
            Atom::CourtInAnotherProvince => self.is_apart(Role::OriginalCourt, province),
            Atom::CategoryIs(category) => {
                let subject = self.document.subject.as_ref();
                let of_subject = || subject.and_then(|subject| subject.category);
                self.case.and_then(|case| case.category).or_else(of_subject) == Some(*category)
            }
            Atom::DecidedBy(kinds) => self
                .role(RoleRef::Case(Role::DecisionOrgan))
                .is_some_and(|organ| self.is_one_of(&organ, kinds)),
            Atom::SubjectIsJuvenile => {
                let subject = self.document.subject.as_ref().and_then(|subject| subject.juvenile);
                let case = self.case.and_then(|case| case.juvenile);
                case == Some(true) || subject == Some(true)
            }
            Atom::PersonIsMissing => self.case.is_some_and(|case| case.custody.missing),
            Atom::Arrested => self.case.is_some_and(|case| case.custody.arrested),
            Atom::SenderMayEnrol => {
                let sender = self.directory.agency(&self.document.sender);
                sender.and_then(|a| a.enrolment_until).is_some_and(|until| self.time < until)
            }
            Atom::SenderIs(kinds) => self.is_one_of(&self.document.sender, kinds),
            Atom::Answers(kind) => self.answered.is_some_and(|answered| answered.row.kind == *kind),
            Atom::Received(kind) => self.case.is_some_and(|case| case.seen.contains(kind)),
            Atom::PlaceStays => {
                matches!((self.place(Place::New), self.place(Place::Old)), (Ok(a), Ok(b)) if a == b)
            }
            Atom::PlaceNotAsAnswered => {
                let answered = self.answered.and_then(|it| it.row.places.get("new_place"));
                let (Some(said), Some(answered)) = (self.document.place("new_place"), answered)
                else {
                    return false;
                };
                let answered = self.divisions.today(answered);
                !self.divisions.today(said).iter().any(|place| answered.contains(place))
            }
            Atom::FieldIs(field, value) => match self.document.fact(field) {
                Some(Fact::Word(word)) => word == value,
                Some(Fact::Bool(yes)) => yes.to_string() == *value,
                _ => false,
            },
        }
    }

    /// Whether nothing that the role's holder serves is the place of execution, or in its `area`.
    fn is_apart(&self, role: Role, area: impl Fn(&DivisionCode) -> Option<DivisionCode>) -> bool {
        let (Ok(places), Ok(seats)) = (self.place(Place::Execution), self.seats(role)) else {
            return false;
        };
        let areas: Vec<_> = seats.iter().filter_map(&area).collect();
        !places.iter().filter_map(&area).any(|place| areas.contains(&place))
    }

    fn is_one_of(&self, agency: &AgencyCode, kinds: &Kinds) -> bool {
        self.directory.agency(agency).is_some_and(|agency| kinds.0.contains(&agency.kind))
    }
}
