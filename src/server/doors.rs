//! The two listeners: agencies' systems come in by one, operators by the other. Who a certificate
//! belongs to is the directory's word, asked at the handshake, at admission and at every call.

use std::collections::HashSet;
use std::future::Future;
use std::sync::{Arc, Weak};

use http::Request;
use hyper::body::Incoming;
use rustls_pki_types::UnixTime;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tower::ServiceExt as _;
use xianjie_core::domain::agency::Purpose;
use xianjie_core::domain::decide::RevocationsInput;
use xianjie_core::ids::{AgencyCode, Digest};

use super::StartError;
use super::accept::connections::{Connections, Quota};
use super::accept::limits::AcceptLimits;
use super::accept::metrics::AcceptMetrics;
use super::accept::{Front, Retiring};
use super::parts::{self, FileError};
use crate::config::Tls;
use crate::http::{Gauges, Metric};
use crate::hub::Hub;
use crate::identity::peer::{PeerCertificate, SubjectUri};
use crate::identity::tls::{ServerTls, ServerTlsOptions, TlsError};
use crate::identity::trust::{Pins, StaleList, TrustError};
use crate::services::Desk;
use crate::services::peer::{Leaving, Peer};

/// Who comes in by a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Agencies' systems.
    Agencies,
    /// Operators.
    Operators,
}

/// One listener.
pub(super) struct Door {
    kind: Kind,
    hub: Weak<Hub>,
    tls: ServerTls,
    limits: AcceptLimits,
    connections: Connections,
    metrics: Arc<AcceptMetrics>,
}

/// Why a door can't be made anew from changed files.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReloadError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Trust(#[from] TrustError),
}

impl Door {
    pub(super) fn new(kind: Kind, tls: &Tls, hub: &Arc<Hub>) -> Result<Self, StartError> {
        let options =
            ServerTlsOptions { allow_tls12: tls.allow_tls12, ..ServerTlsOptions::default() };
        let pins = Arc::new(Registered { kind, hub: Arc::downgrade(hub) });
        let trust = parts::client_trust(tls)?;
        let limits = AcceptLimits::default();
        Ok(Self {
            kind,
            hub: Arc::downgrade(hub),
            tls: ServerTls::new(parts::credential(tls)?, trust, pins, &options)?,
            limits,
            connections: Connections::new(limits),
            metrics: Arc::default(),
        })
    }

    /// Accepts and serves until `leave`, and until all connections have left.
    pub(super) fn serve(
        &self,
        routes: Routes,
        listener: TcpListener,
        leave: CancellationToken,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (kind, hub) = (self.kind, Weak::clone(&self.hub));
        let front = Front {
            tls: self.tls.config(),
            service: routes.map_request(with_leaving),
            identify: move |certificate: &PeerCertificate| {
                admitted(kind, &*hub.upgrade()?, certificate)
            },
            connections: self.connections.clone(),
            limits: self.limits,
            metrics: Arc::clone(&self.metrics),
        };
        front.serve(listener, leave)
    }

    /// Cuts the connections of those who may not be here any more; returns how many.
    pub(super) fn cut_strangers(&self) -> usize {
        let Some(hub) = self.hub.upgrade() else { return 0 };
        let directory = hub.directory();
        let is_suspended =
            |code: AgencyCode| directory.agency(&code).is_some_and(|agency| agency.suspended);
        // A system that carries several stays for the others: calls for the one end by themselves.
        self.connections.cut_where(|open| match quota(self.kind, &hub, &open.certificate_sha256) {
            Some(quota) => quota.agency.is_some_and(is_suspended),
            None => true,
        })
    }

    /// Cuts the connections of those whom a revocation list names; returns how many. It blocks, as
    /// [`listed`](Self::listed) does.
    pub(super) fn cut_revoked(&self) -> usize {
        let listed: HashSet<[u8; 32]> = self
            .listed()
            .iter()
            .flat_map(|said| said.certificates.keys())
            .map(|digest| digest.0)
            .collect();
        self.connections.cut_where(|open| listed.contains(&open.certificate_sha256))
    }

    /// What the revocation lists in force say of registered certificates that the directory has not
    /// revoked. It blocks: each certificate is read, which takes some microseconds.
    pub(super) fn listed(&self) -> Vec<RevocationsInput> {
        let Some(hub) = self.hub.upgrade() else { return Vec::new() };
        let directory = hub.directory();
        let stands = directory.certificates().filter(|certificate| certificate.revoked.is_none());
        let stands: Vec<&[u8]> = stands.map(|certificate| certificate.der.as_slice()).collect();
        self.tls.revoked(&stands)
    }

    /// Cuts every connection.
    pub(super) fn cut_all(&self) {
        self.connections.cut_where(|_| true);
    }

    /// Takes changed certificates, authorities and lists for new connections; returns the lists
    /// that are stale.
    pub(super) fn reload(&self, tls: &Tls, now: UnixTime) -> Result<Vec<StaleList>, ReloadError> {
        self.tls.reload_server_certificate(parts::credential(tls)?)?;
        Ok(self.tls.reload_client_roots(parts::client_trust(tls)?, now)?)
    }

    /// The revocation lists whose successor is overdue.
    pub(super) fn stale_lists(&self, now: UnixTime) -> Vec<StaleList> {
        self.tls.stale_lists(now)
    }
}

/// What the metrics tell of the doors.
pub(super) fn gauges(doors: &[Arc<Door>], desk: &Desk) -> Gauges {
    let (doors, alarms) = (doors.to_vec(), Arc::clone(&desk.alarms));
    Arc::new(move || {
        let mut metrics =
            vec![Metric { name: "xianjie_alarms".to_owned(), value: alarms.count() as u64 }];
        for door in &doors {
            let label = match door.kind {
                Kind::Agencies => "agencies",
                Kind::Operators => "operators",
            };
            let counts = [
                ("connections", door.connections.len() as u64),
                ("connections_admitted_total", door.metrics.admitted.get()),
                ("connections_strangers_total", door.metrics.strangers.get()),
                ("connections_cut_total", door.metrics.cut.get()),
                ("handshakes_failed_total", door.metrics.handshakes_failed.get()),
            ];
            metrics.extend(counts.map(|(name, value)| Metric {
                name: format!("xianjie_{name}{{listener=\"{label}\"}}"),
                value,
            }));
        }
        metrics
    })
}

/// The machine's time, against which certificates' dates are judged in handshakes.
pub(super) fn machine_time() -> UnixTime {
    UnixTime::now()
}

/// The directory's word at the handshake.
struct Registered {
    kind: Kind,
    hub: Weak<Hub>,
}

impl Pins for Registered {
    fn transport_allowed(&self, certificate_sha256: &[u8; 32]) -> bool {
        let hub = self.hub.upgrade();
        hub.is_some_and(|hub| quota(self.kind, &hub, certificate_sha256).is_some())
    }
}

/// Whose quota a certificate uses, if it may come in by this door.
fn quota(kind: Kind, hub: &Hub, certificate_sha256: &[u8; 32]) -> Option<Quota> {
    let directory = hub.directory();
    let certificate = directory.certificate(&Digest(*certificate_sha256))?;
    if !certificate.is_live(hub.now()) {
        return None;
    }
    match (kind, &certificate.purpose) {
        (Kind::Agencies, Purpose::Transport(code)) => {
            let system = directory.system(code).filter(|system| !system.suspended)?;
            let mut carried = system.agencies.keys();
            let only = carried.next().filter(|_| system.agencies.len() == 1);
            Some(Quota {
                system: Some(code.clone()),
                agency: only.cloned(),
                gateway: system.gateway,
            })
        }
        (Kind::Operators, Purpose::Operator(_)) => Some(Quota::default()),
        _ => None,
    }
}

/// A name in the certificate must be that of its owner in the directory.
fn admitted(kind: Kind, hub: &Hub, certificate: &PeerCertificate) -> Option<(Peer, Quota)> {
    let quota = quota(kind, hub, &certificate.sha256)?;
    let digest = Digest(certificate.sha256);
    let directory = hub.directory();
    let agrees = match (&certificate.san_uri, &directory.certificate(&digest)?.purpose) {
        (None, _) => true,
        (Some(SubjectUri::System(named)), Purpose::Transport(code)) => named == code.as_str(),
        (Some(SubjectUri::Operator(named)), Purpose::Operator(name)) => named == name.as_str(),
        _ => false,
    };
    agrees.then_some((Peer { certificate: digest }, quota))
}

/// Tells the services, in their own words, when the connection is asked to leave.
fn with_leaving(mut request: Request<Incoming>) -> Request<Incoming> {
    if let Some(retiring) = request.extensions().get::<Retiring>().cloned() {
        let leaving = Leaving::new(move || {
            let retiring = retiring.clone();
            Box::pin(async move { retiring.wait().await })
        });
        request.extensions_mut().insert(leaving);
    }
    request
}
