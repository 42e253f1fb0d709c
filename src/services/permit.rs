//! The right to a call that lasts: asked when the call begins, and again whenever the directory
//! changes, so that a suspension or a revocation ends what is under way.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};
use xianjie_core::domain::policy::{Relation, Rpc};
use xianjie_core::ids::AgencyCode;
use xianjie_core::limits;
use xianjie_core::refusal::Refusal;

use super::peer::Caller;

/// The right to one call in the name of one agency, for as long as it lasts. Another agency that the
/// same system carries is no concern of it.
pub(super) struct Permit {
    caller: Caller,
    rpc: Rpc,
    agency: AgencyCode,
    relations: BTreeSet<Relation>,
    directory: watch::Receiver<u64>,
    /// Certificates and agencies also end by themselves, without a change.
    looks: Interval,
}

impl Permit {
    /// The right to a call in the name of the agency of this code.
    ///
    /// # Errors
    /// The code is none, or the call is not allowed.
    pub(super) fn new(caller: &Caller, rpc: Rpc, code: &str) -> Result<Self, Refusal> {
        let agency = super::peer::agency(code)?;
        Self::about(caller, rpc, agency, BTreeSet::new())
    }

    /// The right to a call about a thing to which the agency stands so.
    ///
    /// # Errors
    /// The call is not allowed.
    pub(super) fn about(
        caller: &Caller,
        rpc: Rpc,
        agency: AgencyCode,
        relations: BTreeSet<Relation>,
    ) -> Result<Self, Refusal> {
        let mut looks = interval(Duration::from_secs(limits::HEARTBEAT_SECONDS));
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        looks.reset();
        // What changes from here on is seen.
        let directory = caller.hub.directory_changes();
        let permit = Self { caller: caller.clone(), rpc, agency, relations, directory, looks };
        permit.check()?;
        Ok(permit)
    }

    /// In whose name the call is.
    pub(super) fn agency(&self) -> &AgencyCode {
        &self.agency
    }

    /// Returns once the call is allowed no longer, with why. May be dropped and called again.
    pub(super) async fn lost(&mut self) -> Refusal {
        loop {
            tokio::select! {
                _ = self.directory.changed() => {}
                _ = self.looks.tick() => {}
            }
            if let Err(refusal) = self.check() {
                return refusal;
            }
        }
    }

    /// Does a part of the call; given up once the call is allowed no longer.
    ///
    /// # Errors
    /// The call is allowed no longer.
    pub(super) async fn during<T>(
        &mut self,
        part: impl Future<Output = T> + Send,
    ) -> Result<T, Refusal> {
        tokio::select! {
            biased;
            refusal = self.lost() => Err(refusal),
            done = part => Ok(done),
        }
    }

    fn check(&self) -> Result<(), Refusal> {
        self.caller.permit_for(self.rpc, &self.agency, self.relations.clone())
    }
}
