//! The directory (名录) and the divisions: who there is, and where.
//!
//! The directory is folded from operator-signed records. The divisions are data of the law, frozen
//! by the rulebook digest. Nothing here reads a clock: every question names its time.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::agency::{Agency, Certificate, Kind, Level, Purpose, System};
use crate::ids::{AgencyCode, Digest, DivisionCode, SystemCode, Time};

mod divisions;
pub use divisions::{Division, DivisionError, Divisions};

/// Everybody that the hub knows, as of one ledger size.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    agencies: BTreeMap<AgencyCode, Arc<Agency>>,
    systems: BTreeMap<SystemCode, Arc<System>>,
    certificates: BTreeMap<Digest, Arc<Certificate>>,
    serving: BTreeMap<DivisionCode, Vec<AgencyCode>>,
}

impl Directory {
    /// The agency of that code, whatever its state.
    #[must_use]
    pub fn agency(&self, code: &AgencyCode) -> Option<&Arc<Agency>> {
        self.agencies.get(code)
    }

    /// The agency that answers for `code` at last: itself, or its last successor.
    #[must_use]
    pub fn successor<'a>(&'a self, code: &'a AgencyCode) -> &'a AgencyCode {
        let mut last = code;
        // A chain longer than the directory would be a ring.
        for _ in 0..self.agencies.len() {
            match self.agencies.get(last).and_then(|agency| agency.successor.as_ref()) {
                Some(next) => last = next,
                None => break,
            }
        }
        last
    }

    /// Whether agency `reader` answers for what was addressed to `owner`: it is the owner, or the
    /// last successor of it.
    #[must_use]
    pub fn stands_for(&self, reader: &AgencyCode, owner: &AgencyCode) -> bool {
        reader == owner || self.successor(owner) == reader
    }

    /// The system of that code.
    #[must_use]
    pub fn system(&self, code: &SystemCode) -> Option<&Arc<System>> {
        self.systems.get(code)
    }

    /// The certificate of that digest.
    #[must_use]
    pub fn certificate(&self, digest: &Digest) -> Option<&Arc<Certificate>> {
        self.certificates.get(digest)
    }

    /// All agencies, by code.
    pub fn agencies(&self) -> impl Iterator<Item = &Arc<Agency>> {
        self.agencies.values()
    }

    /// All systems, by code.
    pub fn systems(&self) -> impl Iterator<Item = &Arc<System>> {
        self.systems.values()
    }

    /// All certificates, by digest.
    pub fn certificates(&self) -> impl Iterator<Item = &Arc<Certificate>> {
        self.certificates.values()
    }

    /// The certificates for one purpose.
    pub fn certificates_for<'a>(
        &'a self,
        purpose: &'a Purpose,
    ) -> impl Iterator<Item = &'a Arc<Certificate>> {
        self.certificates.values().filter(move |c| c.purpose == *purpose)
    }

    /// The agencies that serve exactly `place` and can be addressed at `time`.
    pub fn serving<'a>(
        &'a self,
        place: &DivisionCode,
        time: Time,
    ) -> impl Iterator<Item = &'a Arc<Agency>> {
        self.registered(place).filter(move |agency| agency.is_addressable(time))
    }

    /// The last successors of the agencies that served exactly `place`, as far as they can be
    /// addressed at `time`: a merger alone passes routing on.
    pub fn inheriting<'a>(
        &'a self,
        place: &DivisionCode,
        time: Time,
    ) -> impl Iterator<Item = &'a Arc<Agency>> {
        self.registered(place)
            .filter(|agency| agency.successor.is_some())
            .filter_map(|agency| self.agencies.get(self.successor(&agency.code)))
            .filter(move |agency| agency.is_addressable(time))
    }

    /// The agencies whose superior (上级) is `code` and that take part at `time`.
    pub fn under<'a>(
        &'a self,
        code: &'a AgencyCode,
        time: Time,
    ) -> impl Iterator<Item = &'a Arc<Agency>> {
        self.agencies.values().filter(move |a| a.parent.as_ref() == Some(code) && a.is_active(time))
    }

    /// The nearest superior of `code` for which `fits` holds, itself excluded.
    #[must_use]
    pub fn superior(
        &self,
        code: &AgencyCode,
        fits: impl Fn(&Agency) -> bool,
    ) -> Option<&Arc<Agency>> {
        let mut at = self.agencies.get(code)?.parent.as_ref();
        for _ in 0..self.agencies.len() {
            let agency = self.agencies.get(at?)?;
            if fits(agency) {
                return Some(agency);
            }
            at = agency.parent.as_ref();
        }
        None
    }

    /// Adds or replaces an agency.
    pub fn put_agency(&mut self, agency: Agency) {
        let code = agency.code.clone();
        if let Some(old) = self.agencies.get(&code) {
            for place in &old.serves {
                if let Some(codes) = self.serving.get_mut(place) {
                    codes.retain(|c| *c != code);
                }
            }
        }
        for place in &agency.serves {
            let codes = self.serving.entry(place.clone()).or_default();
            codes.push(code.clone());
            codes.sort();
        }
        self.agencies.insert(code, Arc::new(agency));
    }

    /// Adds or replaces a system.
    pub fn put_system(&mut self, system: System) {
        self.systems.insert(system.code.clone(), Arc::new(system));
    }

    /// Adds or replaces a certificate.
    pub fn put_certificate(&mut self, certificate: Certificate) {
        self.certificates.insert(certificate.digest, Arc::new(certificate));
    }

    /// The hub's own agency, once the directory has been opened.
    #[must_use]
    pub fn hub(&self) -> Option<&Arc<Agency>> {
        self.agencies.values().find(|agency| agency.kind == Kind::Hub)
    }

    fn registered<'a>(
        &'a self,
        place: &DivisionCode,
    ) -> impl Iterator<Item = &'a Arc<Agency>> + use<'a> {
        let codes = self.serving.get(place).map_or(&[][..], Vec::as_slice);
        codes.iter().filter_map(|code| self.agencies.get(code))
    }
}

/// Whether `agency` is of the wanted kinds and acts at the wanted level, if one is wanted.
#[must_use]
pub fn fits(agency: &Agency, kinds: &[Kind], level: Option<Level>) -> bool {
    kinds.contains(&agency.kind) && level.is_none_or(|level| agency.acts_at(level))
}
