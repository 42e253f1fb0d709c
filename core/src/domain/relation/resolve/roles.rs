//! Who holds a role: as the thread has it, as the document says, as the case remembers, or as the
//! rulebook language's table falls back.

use super::{Found, Unresolved};
use crate::domain::agency::{Agency, Kind, Level};
use crate::domain::relation::{Kinds, Place, Relation, RoleRef, Scene};
use crate::domain::role::Role;
use crate::ids::AgencyCode;

impl Scene<'_> {
    /// The agency that holds `role`, or its last successor. In this order: the meaning in the
    /// thread; the document's own field of that name; what the document gives otherwise; the case;
    /// the fallback of the role.
    #[must_use]
    pub fn role(&self, role: RoleRef) -> Option<AgencyCode> {
        self.holder(role).ok().map(|found| found.agency)
    }

    /// The same, with the reason why not.
    pub(super) fn holder(&self, role: RoleRef) -> Result<Found, Unresolved> {
        let told = match role {
            RoleRef::Sender => Some(&self.document.sender),
            RoleRef::Addressee => self.addressee.as_ref(),
            RoleRef::Asker => self.answered.map(|answered| &answered.document.sender),
            RoleRef::Asked => self.asked(),
            RoleRef::Case(role) => self.told(role),
        };
        let known = |code: &AgencyCode| self.heir(code).map(|agency| Found::own(&agency.code));
        match (told, role) {
            (Some(code), _) => known(code).ok_or_else(|| unknown(role)),
            (None, RoleRef::Case(Role::ResponsibleAgency)) => self.county_agency(),
            (None, RoleRef::Case(case_role)) => {
                self.fallback(case_role).and_then(|code| known(&code)).ok_or_else(|| unknown(role))
            }
            (None, _) => Err(unknown(role)),
        }
    }

    fn asked(&self) -> Option<&AgencyCode> {
        let addressed = &self.answered?.row.addressed;
        addressed.iter().find(|addressed| !addressed.copy).map(|addressed| &addressed.agency)
    }

    fn told(&self, role: Role) -> Option<&AgencyCode> {
        self.document
            .agency(&role.field())
            .or_else(|| self.given.get(&role))
            .or_else(|| self.case?.roles.get(&role))
    }

    fn fallback(&self, role: Role) -> Option<AgencyCode> {
        match role {
            // A case without a decision organ is only just being opened: by its sender.
            Role::DecisionOrgan => self.case.map(|_| self.document.sender.clone()),
            Role::OriginalCourt => self.held_if(Role::DecisionOrgan, |organ| organ.kind.is_court()),
            Role::FileHolder => {
                let keeps_files =
                    |agency: &Agency| matches!(agency.kind, Kind::Prison | Kind::DetentionCentre);
                self.held_if(Role::Custodian, keeps_files)
                    .or_else(|| self.held_if(Role::FormerCustodian, keeps_files))
            }
            _ => None,
        }
    }

    fn held_if(&self, role: Role, fits: impl Fn(&Agency) -> bool) -> Option<AgencyCode> {
        let agency = self.held(RoleRef::Case(role)).ok()?;
        fits(agency).then(|| agency.code.clone())
    }

    /// Who answers for a person whom no agency has registered yet.
    fn county_agency(&self) -> Result<Found, Unresolved> {
        let kinds = Kinds(vec![Kind::CorrectionsAgency]);
        self.choose(self.all(&Relation::OfPlace(Some(Level::County), kinds, Place::Execution))?)
    }
}

/// The role is unknown: with the field that would tell.
pub(super) fn unknown(role: RoleRef) -> Unresolved {
    let field = match role {
        RoleRef::Sender => "sender".to_owned(),
        RoleRef::Addressee => "chosen_agencies".to_owned(),
        RoleRef::Asker | RoleRef::Asked => "in_reply_to".to_owned(),
        RoleRef::Case(role) => role.field(),
    };
    Unresolved::RoleUnknown(role, field)
}
