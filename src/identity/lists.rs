//! Revocation lists (吊销列表; RFC 5280, section 5): what a list says, once an authority's signature over
//! it is verified.

use std::collections::{BTreeMap, HashMap};

use rustls_pki_types::{CertificateDer, UnixTime};
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};
use x509_parser::revocation_list::RevokedCertificate;
use x509_parser::time::ASN1Time;
use xianjie_core::domain::decide::RevocationsInput;
use xianjie_core::domain::record::Revocations;
use xianjie_core::ids::{Digest, Time};

use super::peer::unix_time;
use super::signature::certificate_digest;
use super::trust::TrustError;

/// A list that a trusted authority has signed.
#[derive(Debug)]
pub(super) struct List {
    /// The issuer's distinguished name.
    pub(super) issuer: String,
    /// When its successor is due.
    pub(super) next_update: UnixTime,
    /// What the ledger says of it.
    facts: Revocations,
    authority: CertificateDer<'static>,
    /// The serial numbers that it names, as in the certificates, each with the invalidity date
    /// (5.3.2). What is on hold is named too: whoever is let in again gets another certificate.
    serials: HashMap<Vec<u8>, Option<Time>>,
}

impl List {
    /// Reads a list, and finds the authority that signed it; `ordinal` is its place in its file.
    pub(super) fn read(
        der: &[u8],
        ordinal: usize,
        authorities: &[CertificateDer<'static>],
    ) -> Result<Self, TrustError> {
        let bad = || TrustError::BadList { ordinal };
        let (_, list) = CertificateRevocationList::from_der(der).map_err(|_| bad())?;
        let next_update = list.next_update().ok_or_else(bad)?;
        let issuer = list.issuer().to_string();
        let signed = |authority: &&CertificateDer<'_>| {
            X509Certificate::from_der(authority).is_ok_and(|(_, authority)| {
                authority.subject().as_raw() == list.issuer().as_raw()
                    && list.verify_signature(authority.public_key()).is_ok()
            })
        };
        let Some(authority) = authorities.iter().find(signed) else {
            return Err(TrustError::ForeignList { issuer });
        };
        let facts = Revocations {
            issuer: sha256(list.issuer().as_raw()),
            number: list.crl_number().map(|number| number.to_bytes_be()).unwrap_or_default(),
            list: sha256(der),
            this_update: time(list.last_update()),
            next_update: Some(time(next_update)),
        };
        let named = |revoked: &RevokedCertificate<'_>| {
            let since = revoked.invalidity_date().map(|(_, date)| time(date));
            (revoked.raw_serial().to_vec(), since)
        };
        Ok(Self {
            next_update: unix_time(next_update).ok_or_else(bad)?,
            serials: list.iter_revoked_certificates().map(named).collect(),
            authority: authority.clone(),
            issuer,
            facts,
        })
    }

    /// What the list says of these certificates (DER), if it names any.
    pub(super) fn names(&self, certificates: &[&[u8]]) -> Option<RevocationsInput> {
        let (_, authority) = X509Certificate::from_der(&self.authority).ok()?;
        let named = |der: &&[u8]| {
            let (_, certificate) = X509Certificate::from_der(der).ok()?;
            let since = self.serials.get(certificate.raw_serial())?;
            let issued = certificate.issuer().as_raw() == authority.subject().as_raw()
                && certificate.verify_signature(Some(authority.public_key())).is_ok();
            issued.then(|| (Digest(certificate_digest(der)), *since))
        };
        let certificates: BTreeMap<_, _> = certificates.iter().filter_map(named).collect();
        let list = self.facts.clone();
        (!certificates.is_empty()).then_some(RevocationsInput { list, certificates })
    }
}

fn sha256(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

/// SHA-256 of the DER name of a certificate's issuer, as a list's record names it; none for what is
/// no certificate.
#[must_use]
pub fn issuer_digest(certificate: &[u8]) -> Option<Digest> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Some(sha256(certificate.issuer().as_raw()))
}

fn time(time: ASN1Time) -> Time {
    Time(time.timestamp().saturating_mul(1000))
}
