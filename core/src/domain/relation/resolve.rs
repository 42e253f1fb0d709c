//! From a relation to agencies (P7): who "the county procuratorate of the place of execution" is
//! today. Only the directory, the divisions, the document and its case are asked; what the answer
//! leads to (routing, refusing, flagging) is the caller's affair, as is that a document never goes
//! to its own sender.
//!
//! Roles are read in `roles`, places in `places`.

use std::sync::Arc;

use super::{Kinds, Place, Relation, RoleRef, Scene};
use crate::domain::agency::{Agency, Kind, Level};
use crate::domain::directory::fits;
use crate::ids::{AgencyCode, DivisionCode};
use crate::limits::CANDIDATES;

mod places;
mod roles;

/// An agency that a relation leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The agency.
    pub agency: AgencyCode,
    /// Whether it stands in for one that does not exist at the level wanted (2020年办法 9(2)).
    pub in_lieu: bool,
}

/// Why a relation leads to no agency, or not to one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// Nothing tells which agency the role is; the field would.
    #[error("nothing tells who the role {0:?} is; field {1} would")]
    RoleUnknown(RoleRef, String),
    /// Nothing tells where the place is, or no division of today answers to it; the field would.
    #[error("nothing tells where the place {0:?} is; field {1} would")]
    NoPlace(Place, String),
    /// No agency in the directory fits.
    #[error("no agency fits")]
    NoAgency,
    /// Several fit, and the document does not choose exactly one of them.
    #[error("{} agencies fit; the document must choose one", .0.len())]
    Several(Vec<AgencyCode>),
}

impl Found {
    fn own(agency: &AgencyCode) -> Self {
        Self { agency: agency.clone(), in_lieu: false }
    }
}

impl Scene<'_> {
    /// Whom `relation` names: exactly one agency, but any number for the addressees of the answered
    /// document and those copied with it, and perhaps none for the proposer of a ruling. Where several fit, the document's choice among them.
    ///
    /// # Errors
    /// See [`Unresolved`].
    pub fn resolve(&self, relation: &Relation) -> Result<Vec<Found>, Unresolved> {
        let all = self.all(relation)?;
        match relation {
            Relation::AddresseesOfAnswered
            | Relation::CopiedWithAnswered
            | Relation::ProposerOfRuling => Ok(all),
            _ => self.choose(all).map(|one| vec![one]),
        }
    }

    /// Whether `agency` (or who succeeded it) is among all whom `relation` could mean. What does
    /// not resolve means nobody.
    #[must_use]
    pub fn fits(&self, agency: &AgencyCode, relation: &Relation) -> bool {
        let Some(agency) = self.heir(agency) else {
            return false;
        };
        match relation {
            Relation::Any => self.is_anyone(agency),
            Relation::AnySupervised => self.is_supervised(agency),
            _ => self
                .all(relation)
                .is_ok_and(|all| all.iter().any(|found| found.agency == agency.code)),
        }
    }

    /// All whom `relation` could mean, as help for one who must choose: at most [`CANDIDATES`].
    #[must_use]
    pub fn candidates(&self, relation: &Relation) -> Vec<AgencyCode> {
        let all = self.all(relation).unwrap_or_default();
        all.into_iter().take(CANDIDATES).map(|found| found.agency).collect()
    }

    fn all(&self, relation: &Relation) -> Result<Vec<Found>, Unresolved> {
        match relation {
            Relation::Role(role) => Ok(vec![self.holder(*role)?]),
            Relation::OfPlace(level, kinds, place) => {
                Ok(self.of_places(*level, kinds, &self.place(*place)?))
            }
            Relation::Within(level, kinds, place) => {
                Ok(self.within(*level, kinds, &self.place(*place)?))
            }
            Relation::LevelWith(kinds, role, place) => {
                let peer = self.held(*role)?;
                let kinds = kinds.clone().unwrap_or_else(|| same_kind(peer));
                Ok(self.of_places(Some(peer.level), &kinds, &self.place(*place)?))
            }
            Relation::Superior(role) => self.over(*role, |_| true),
            Relation::Over(kinds, level, role) => {
                self.over(*role, |agency| kinds.0.contains(&agency.kind) && agency.level >= *level)
            }
            Relation::Under(kinds, role) => self.under(kinds, *role),
            Relation::SupervisingProcuratorate(role) => {
                let link = self.held(*role)?.supervised_by.as_ref();
                Ok(self.addressable(link).into_iter().collect())
            }
            Relation::AddresseesOfAnswered => Ok(self.recipients(false)),
            Relation::CopiedWithAnswered => Ok(self.recipients(true)),
            Relation::ProposerOfRuling => {
                Ok(self.addressable(self.proposer.as_ref()).into_iter().collect())
            }
            Relation::AddresseeOfOpen(kind) => {
                let addressee = self.open.get(kind).map(|(_, addressee)| addressee);
                Ok(self.addressable(addressee).into_iter().collect())
            }
            Relation::AnySupervised => Ok(self.everyone(|agency| self.is_supervised(agency))),
            Relation::Any => Ok(self.everyone(|agency| self.is_anyone(agency))),
        }
    }

    /// The only one, or the only one that the document chooses.
    fn choose(&self, mut found: Vec<Found>) -> Result<Found, Unresolved> {
        if found.len() > 1 {
            let all = found.iter().map(|found| found.agency.clone()).collect();
            found.retain(|found| {
                self.document.chosen.iter().any(|c| *self.directory.successor(c) == found.agency)
            });
            if found.len() != 1 {
                return Err(Unresolved::Several(all));
            }
        }
        found.pop().ok_or(Unresolved::NoAgency)
    }

    /// Who is "of" any of `places`. Corrections agencies alone climb to higher levels where none
    /// exists at the one wanted (2020年办法 9(2)).
    fn of_places(
        &self,
        level: Option<Level>,
        kinds: &Kinds,
        places: &[DivisionCode],
    ) -> Vec<Found> {
        let climbs = kinds.0 == [Kind::CorrectionsAgency];
        let mut found = Vec::new();
        for place in places {
            let mut level = level;
            let mut in_lieu = false;
            let mut here = self.nearest(level, kinds, place);
            while here.is_empty() && climbs {
                let Some(higher) = level.and_then(next_higher) else {
                    break;
                };
                (level, in_lieu) = (Some(higher), true);
                here = self.nearest(level, kinds, place);
            }
            found.extend(here.into_iter().map(|agency| Found { agency, in_lieu }));
        }
        one_each(found)
    }

    /// Those of the division's own branch that serve it, or the nearest division above it that any
    /// such agency serves.
    fn nearest(
        &self,
        level: Option<Level>,
        kinds: &Kinds,
        place: &DivisionCode,
    ) -> Vec<AgencyCode> {
        let Some(branch) = self.divisions.get(place).map(|division| division.branch) else {
            return Vec::new();
        };
        let fitting =
            |agency: &&Arc<Agency>| agency.branch == branch && fits(agency, &kinds.0, level);
        for division in self.divisions.upwards(place) {
            let mut here: Vec<_> =
                self.directory.serving(&division.code, self.time).filter(fitting).collect();
            if here.is_empty() {
                here =
                    self.directory.inheriting(&division.code, self.time).filter(fitting).collect();
            }
            if !here.is_empty() {
                return here.into_iter().map(|agency| agency.code.clone()).collect();
            }
        }
        Vec::new()
    }

    fn within(&self, level: Option<Level>, kinds: &Kinds, places: &[DivisionCode]) -> Vec<Found> {
        self.everyone(|agency| {
            fits(agency, &kinds.0, level)
                && agency.serves.iter().any(|served| {
                    places.iter().any(|place| self.divisions.is_within(served, place))
                })
        })
    }

    fn over(
        &self,
        role: RoleRef,
        fits: impl Fn(&Agency) -> bool,
    ) -> Result<Vec<Found>, Unresolved> {
        let lower = self.held(role)?;
        let higher = self.directory.superior(&lower.code, fits);
        Ok(self.addressable(higher.map(|agency| &agency.code)).into_iter().collect())
    }

    fn under(&self, kinds: &Kinds, role: RoleRef) -> Result<Vec<Found>, Unresolved> {
        let higher = &self.held(role)?.code;
        let is_higher = |agency: &Agency| self.directory.stands_for(higher, &agency.code);
        Ok(self.everyone(|agency| {
            kinds.0.contains(&agency.kind)
                && self.directory.superior(&agency.code, is_higher).is_some()
        }))
    }

    /// Those to whom the answered document went, or a copy of it.
    fn recipients(&self, copy: bool) -> Vec<Found> {
        let addressed = self.answered.map_or(&[][..], |answered| &answered.row.addressed);
        let those = addressed.iter().filter(|addressed| addressed.copy == copy);
        one_each(those.filter_map(|to| self.addressable(Some(&to.agency))).collect())
    }

    fn everyone(&self, fits: impl Fn(&Agency) -> bool) -> Vec<Found> {
        let all = self.directory.agencies().filter(|agency| agency.is_addressable(self.time));
        all.filter(|agency| fits(agency)).map(|agency| Found::own(&agency.code)).collect()
    }

    /// The hub is sent nothing.
    fn is_anyone(&self, agency: &Agency) -> bool {
        agency.is_addressable(self.time) && agency.kind != Kind::Hub
    }

    fn is_supervised(&self, agency: &Agency) -> bool {
        let supervisor = agency.supervised_by.as_ref();
        agency.is_addressable(self.time)
            && supervisor.is_some_and(|s| self.directory.stands_for(&self.document.sender, s))
    }

    /// Who holds a role, as the directory has it.
    fn held(&self, role: RoleRef) -> Result<&Agency, Unresolved> {
        let found = self.holder(role)?;
        self.heir(&found.agency).ok_or_else(|| roles::unknown(role))
    }

    fn heir(&self, code: &AgencyCode) -> Option<&Agency> {
        self.directory.agency(self.directory.successor(code)).map(Arc::as_ref)
    }

    /// The agency that a link leads to at last, if papers can go there.
    fn addressable(&self, link: Option<&AgencyCode>) -> Option<Found> {
        let agency = self.heir(link?)?;
        agency.is_addressable(self.time).then(|| Found::own(&agency.code))
    }
}

/// The kinds that count as the same: courts are one kind, told apart by level.
fn same_kind(agency: &Agency) -> Kinds {
    if agency.kind.is_court() {
        let kinds = Kind::WORDS.iter().map(|(kind, _)| *kind);
        Kinds(kinds.filter(|kind| kind.is_court()).collect())
    } else {
        Kinds(vec![agency.kind])
    }
}

fn next_higher(level: Level) -> Option<Level> {
    match level {
        Level::County => Some(Level::City),
        Level::City => Some(Level::Provincial),
        Level::Provincial | Level::National => None,
    }
}

/// Each agency once, in the order of first mention.
fn one_each(found: Vec<Found>) -> Vec<Found> {
    let mut once: Vec<Found> = Vec::with_capacity(found.len());
    for found in found {
        if once.iter().all(|earlier| earlier.agency != found.agency) {
            once.push(found);
        }
    }
    once
}

#[cfg(test)]
mod tests;
