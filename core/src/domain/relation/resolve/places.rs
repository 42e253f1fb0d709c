//! Where a place is: today's divisions for what the document, the thread or the case says.

use std::collections::BTreeSet;

use super::Unresolved;
use crate::domain::relation::{Place, RoleRef, Scene};
use crate::domain::role::Role;
use crate::ids::DivisionCode;

impl Scene<'_> {
    /// The divisions of today that `place` is. Several where an organ serves several, or where a
    /// division was split.
    ///
    /// # Errors
    /// [`Unresolved::NoPlace`], or [`Unresolved::RoleUnknown`] for the place of a role.
    pub fn place(&self, place: Place) -> Result<Vec<DivisionCode>, Unresolved> {
        let pending = || self.case.and_then(|case| case.pending_place.as_ref());
        let named = match place {
            Place::Execution | Place::Province => self.execution_place(),
            Place::Old => self.case.and_then(|case| case.place.as_ref()),
            Place::New => self.named("new_place").or_else(pending),
            Place::Intended | Place::Destination | Place::NewCase => self.named(place.field()),
            Place::Decision | Place::Custody => None,
        };
        let mut today = match place {
            Place::Decision => self.seats(Role::DecisionOrgan)?,
            Place::Custody => self.seats(Role::Custodian)?,
            _ => self.today(named),
        };
        if place == Place::Province {
            today =
                today.iter().filter_map(|code| self.divisions.province(code)).cloned().collect();
        }
        if today.is_empty() {
            return Err(Unresolved::NoPlace(place, place.field().to_owned()));
        }
        Ok(today.into_iter().collect())
    }

    /// The place of execution (执行地): the document's if it is the case's or a pending new one, else
    /// the case's. A document that names another is worth a flag.
    #[must_use]
    pub fn execution_place(&self) -> Option<&DivisionCode> {
        let said = self.document.execution_place.as_ref();
        let Some(known) = self.case.and_then(|case| case.place.as_ref()) else {
            return said;
        };
        let pending = self.case.and_then(|case| case.pending_place.as_ref());
        let is_or_became = |said: &DivisionCode, was: &DivisionCode| {
            said == was || self.divisions.today(was).contains(said)
        };
        let agreed = |said: &&DivisionCode| {
            is_or_became(said, known) || pending.is_some_and(|pending| is_or_became(said, pending))
        };
        said.filter(agreed).or(Some(known))
    }

    /// Today's divisions that the holder of a role serves.
    pub(in crate::domain::relation) fn seats(
        &self,
        role: Role,
    ) -> Result<BTreeSet<DivisionCode>, Unresolved> {
        Ok(self.today(&self.held(RoleRef::Case(role))?.serves))
    }

    fn today<'c>(
        &self,
        codes: impl IntoIterator<Item = &'c DivisionCode>,
    ) -> BTreeSet<DivisionCode> {
        codes.into_iter().flat_map(|code| self.divisions.today(code)).collect()
    }

    fn named(&self, field: &str) -> Option<&DivisionCode> {
        self.document.place(field).or_else(|| self.answered?.row.places.get(field))
    }
}
