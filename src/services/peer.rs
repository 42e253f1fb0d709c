//! Who calls, and whether they may: what the accept loop knows of a connection, the directory of
//! now, and the policy.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use tonic::Request;
use xianjie_core::domain::agency::{Purpose, Right};
use xianjie_core::domain::policy::{self, Named, Relation, Rpc, Standing};
use xianjie_core::ids::{AgencyCode, Digest, SystemCode};
use xianjie_core::refusal::{Reason, Refusal, Violation};

use crate::hub::Hub;
use crate::telemetry::Call;

/// Who is at the other end of a connection: the certificate that it showed. Whose that is, and what
/// it may do, is asked of the directory at every call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// SHA-256 of the client certificate.
    pub certificate: Digest,
}

/// In a request's extensions: tells a long stream that its connection was asked to leave.
#[derive(Clone)]
pub struct Leaving(Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>);

impl Leaving {
    /// A connection that leaves when the future that `wait` makes is done.
    #[must_use]
    pub fn new(wait: impl Fn() -> BoxFuture<'static, ()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(wait))
    }

    /// When the connection of a request is asked to leave; never, if nobody asks.
    pub(super) fn of<T>(request: &Request<T>) -> BoxFuture<'static, ()> {
        match request.extensions().get::<Self>() {
            Some(leaving) => (leaving.0)(),
            None => Box::pin(std::future::pending()),
        }
    }
}

impl fmt::Debug for Leaving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Leaving")
    }
}

/// Whoever makes a call.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) hub: Arc<Hub>,
    /// Where a trace tells of it. A stream's lasts as long as its caller does.
    pub(super) call: Call,
    peer: Option<Peer>,
}

impl Caller {
    /// The caller of a request.
    pub(super) fn of<T>(hub: &Arc<Hub>, request: &Request<T>) -> Self {
        let peer = request.extensions().get::<Peer>().copied();
        Self { hub: Arc::clone(hub), call: Call::current(), peer }
    }

    /// Whether a call that names no agency is allowed.
    pub(super) fn permit(&self, rpc: Rpc) -> Result<(), Refusal> {
        let standing =
            Standing { peer: self.role(), named: Named::Nobody, relations: BTreeSet::new() };
        Ok(policy::permit(rpc, &standing)?)
    }

    /// The agency that a request names, if the call is allowed in its name.
    pub(super) fn agency(&self, rpc: Rpc, code: &str) -> Result<AgencyCode, Refusal> {
        let agency = agency(code)?;
        self.permit_for(rpc, &agency, BTreeSet::new())?;
        Ok(agency)
    }

    /// Whether a call in the name of `agency` is allowed, about a thing to which it stands so.
    pub(super) fn permit_for(
        &self,
        rpc: Rpc,
        agency: &AgencyCode,
        relations: BTreeSet<Relation>,
    ) -> Result<(), Refusal> {
        let standing = Standing { peer: self.role(), named: self.named(agency), relations };
        policy::permit(rpc, &standing).map_err(|reason| match reason {
            Reason::NotCarried | Reason::UnknownSender => Violation::new(reason, "agency").into(),
            _ => Refusal::from(reason),
        })?;
        self.call.allowed(agency);
        Ok(())
    }

    /// The caller's system.
    pub(super) fn system(&self) -> Result<SystemCode, Refusal> {
        let directory = self.hub.directory();
        let certificate = self.peer.and_then(|peer| directory.certificate(&peer.certificate));
        match certificate.map(|certificate| &certificate.purpose) {
            Some(Purpose::Transport(system)) => Ok(system.clone()),
            _ => Err(Reason::UnknownPeer.into()),
        }
    }

    /// What the caller's system may do for `agency`.
    pub(super) fn rights(&self, agency: &AgencyCode) -> BTreeSet<Right> {
        match self.named(agency) {
            Named::Carried(rights) => rights,
            Named::Nobody | Named::Unknown | Named::Inactive => BTreeSet::new(),
        }
    }

    fn role(&self) -> policy::Peer {
        let directory = self.hub.directory();
        let certificate = self.peer.and_then(|peer| {
            directory.certificate(&peer.certificate).filter(|c| c.is_live(self.hub.now()))
        });
        match certificate.map(|certificate| &certificate.purpose) {
            Some(Purpose::Transport(system)) => match directory.system(system) {
                Some(system) => policy::Peer::System { suspended: system.suspended },
                None => policy::Peer::Unknown,
            },
            Some(Purpose::Operator(_)) => policy::Peer::Operator,
            _ => policy::Peer::Unknown,
        }
    }

    /// An agency that has passed to another is reached through its last successor alone.
    fn named(&self, agency: &AgencyCode) -> Named {
        let directory = self.hub.directory();
        let Some(known) = directory.agency(agency) else { return Named::Unknown };
        let answers = directory.successor(agency);
        let purpose = self
            .peer
            .and_then(|peer| directory.certificate(&peer.certificate))
            .map(|certificate| &certificate.purpose);
        let system = match purpose {
            Some(Purpose::Transport(system)) => directory.system(system),
            _ => None,
        };
        let rights = system.and_then(|system| system.agencies.get(answers)).cloned();
        let rights = rights.unwrap_or_default();
        let acting = if answers == agency { Some(known) } else { directory.agency(answers) };
        if rights.is_empty() || acting.is_some_and(|acting| acting.is_active(self.hub.now())) {
            Named::Carried(rights)
        } else {
            Named::Inactive
        }
    }
}

/// The agency of this code.
pub(super) fn agency(code: &str) -> Result<AgencyCode, Refusal> {
    if code.is_empty() {
        return Err(Violation::new(Reason::Required, "agency").into());
    }
    code.parse().map_err(|_| Violation::new(Reason::Format, "agency").into())
}
