//! The open connections: who holds how many, and the switch that cuts them.
//!
//! It is not the directory: who a certificate belongs to is asked of a callback.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use xianjie_core::ids::{AgencyCode, SystemCode};

use super::limits::AcceptLimits;
use crate::identity::peer::PeerCertificate;

/// Whose quota a connection uses, and which.
#[derive(Clone, Debug, Default)]
pub struct Quota {
    /// The system (接入系统), if the certificate is one's.
    pub system: Option<SystemCode>,
    /// The agency (单位) to whose share it counts. None for a system that carries several: one
    /// agency's connections must not lock out the others; the key's own limit then bounds it.
    pub agency: Option<AgencyCode>,
    /// Whether it may open as many streams as a gateway.
    pub gateway: bool,
}

/// A connection that was let in, as [`Connections::cut_where`] sees it.
#[derive(Debug)]
pub struct OpenConnection {
    /// SHA-256 of the client's certificate.
    pub certificate_sha256: [u8; 32],
    /// As it was when the connection was let in.
    pub quota: Quota,
    cut: CancellationToken,
}

/// Why a connection with a finished handshake is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// The certificate is not registered, suspended, or not of this listener.
    #[error("unknown certificate")]
    Stranger,
    /// The key has all the connections that it may have.
    #[error("too many connections of one key")]
    OverKey,
    /// The agency has all the connections that it may have.
    #[error("too many connections of one agency")]
    OverAgency,
    /// The hub has all the connections that it may have.
    #[error("too many connections")]
    OverAll,
}

/// The connections of one listener; clones are the same.
///
/// Operators' listener should have its own: then a full hub still lets operators in.
#[derive(Clone)]
pub struct Connections {
    limits: AcceptLimits,
    table: Arc<Table>,
}

impl Connections {
    /// None yet.
    #[must_use]
    pub fn new(limits: AcceptLimits) -> Self {
        Self { limits, table: Arc::default() }
    }

    /// How many are open.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.lock().open.len()
    }

    /// Whether none is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Cuts every connection of a client certificate at once, requests and streams included, and
    /// returns how many that were.
    ///
    /// Unregister first, then cut: a connection is either open by then and is cut, or asks the
    /// directory afterwards and is refused.
    pub fn cut(&self, certificate_sha256: &[u8; 32]) -> usize {
        self.cut_where(|connection| connection.certificate_sha256 == *certificate_sha256)
    }

    /// As [`cut`](Self::cut), every connection of a system.
    pub fn cut_system(&self, system: &SystemCode) -> usize {
        self.cut_where(|connection| connection.quota.system.as_ref() == Some(system))
    }

    /// As [`cut`](Self::cut), every connection for which `condemned` is true. It is asked with the
    /// table locked, so it must be quick and must not come back here.
    pub fn cut_where(&self, condemned: impl Fn(&OpenConnection) -> bool) -> usize {
        let rows = self.table.lock();
        let condemned = rows.open.values().filter(|open| condemned(open));
        condemned.map(|open| open.cut.cancel()).count()
    }

    /// Takes a seat for a connection, if `identify` knows the certificate and there is room.
    ///
    /// `identify` is asked with the table locked: so nobody slips in between asking and sitting
    /// down while [`cut`](Self::cut) runs.
    pub(super) fn admit<P>(
        &self,
        certificate: &PeerCertificate,
        identify: impl FnOnce(&PeerCertificate) -> Option<(P, Quota)>,
    ) -> Result<(Seat, P), NotAdmitted> {
        let mut rows = self.table.lock();
        let (peer, quota) = identify(certificate).ok_or(NotAdmitted::Stranger)?;
        rows.check_room(&self.limits, &certificate.sha256, &quota)?;
        let seat = Seat {
            number: rows.next,
            gateway: quota.gateway,
            cut: CancellationToken::new(),
            table: Arc::clone(&self.table),
        };
        rows.insert(OpenConnection {
            certificate_sha256: certificate.sha256,
            quota,
            cut: seat.cut.clone(),
        });
        Ok((seat, peer))
    }
}

/// A connection's place in the table; free again when dropped.
pub(super) struct Seat {
    /// Counts the connections that were let in, from 0.
    pub(super) number: u64,
    /// As in [`Quota::gateway`].
    pub(super) gateway: bool,
    /// Cancelled when the connection is to be cut.
    pub(super) cut: CancellationToken,
    table: Arc<Table>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.table.lock().remove(self.number);
    }
}

#[derive(Default)]
struct Table(Mutex<Rows>);

impl Table {
    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct Rows {
    next: u64,
    open: BTreeMap<u64, OpenConnection>,
    by_key: HashMap<[u8; 32], usize>,
    by_agency: HashMap<AgencyCode, usize>,
}

impl Rows {
    fn check_room(
        &self,
        limits: &AcceptLimits,
        key: &[u8; 32],
        quota: &Quota,
    ) -> Result<(), NotAdmitted> {
        let of_key = self.by_key.get(key).copied().unwrap_or(0);
        let agency = quota.agency.as_ref();
        let of_agency = agency.and_then(|agency| self.by_agency.get(agency));
        if of_key >= limits.connections_per_key {
            Err(NotAdmitted::OverKey)
        } else if of_agency.is_some_and(|count| *count >= limits.connections_per_agency) {
            Err(NotAdmitted::OverAgency)
        } else if self.open.len() >= limits.connections {
            Err(NotAdmitted::OverAll)
        } else {
            Ok(())
        }
    }

    fn insert(&mut self, connection: OpenConnection) {
        *self.by_key.entry(connection.certificate_sha256).or_default() += 1;
        if let Some(agency) = connection.quota.agency.clone() {
            *self.by_agency.entry(agency).or_default() += 1;
        }
        self.open.insert(self.next, connection);
        self.next += 1;
    }

    fn remove(&mut self, number: u64) {
        if let Some(connection) = self.open.remove(&number) {
            count_down(&mut self.by_key, &connection.certificate_sha256);
            if let Some(agency) = &connection.quota.agency {
                count_down(&mut self.by_agency, agency);
            }
        }
    }
}

fn count_down<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
