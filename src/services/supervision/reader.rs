//! Whoever reads duties and persons, and what it may see of them.

use std::collections::BTreeSet;

use xianjie_core::domain::agency::Right;
use xianjie_core::domain::policy::{self, Rpc};
use xianjie_core::domain::state::Case;
use xianjie_core::ids::AgencyCode;
use xianjie_core::refusal::Refusal;

use super::super::peer::Caller;

/// An agency that reads, with the rights that its system has there.
pub(super) struct Reader<'c> {
    pub(super) caller: &'c Caller,
    pub(super) agency: AgencyCode,
    pub(super) rights: BTreeSet<Right>,
}

impl<'c> Reader<'c> {
    pub(super) fn open(caller: &'c Caller, rpc: Rpc, code: &str) -> Result<Self, Refusal> {
        let agency = caller.agency(rpc, code)?;
        let rights = caller.rights(&agency);
        Ok(Self { caller, agency, rights })
    }

    /// Whether the person of a case concerns it now.
    pub(super) fn is_concerned(&self, case: &Case) -> bool {
        let directory = self.caller.hub.directory();
        let relations = policy::custody_relations(&directory, &self.agency, case);
        policy::sees(&self.rights, &relations)
    }
}
