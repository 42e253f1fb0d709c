//! One entry by itself: whether leaf, record, document and statement fit one another. What came
//! before is not known here.

use std::fmt::Display;
use std::sync::Arc;

use bytes::Bytes;
use xianjie_core::domain::document::Document;
use xianjie_core::domain::record::{DocumentTaken, Effect, Kind, Record};
use xianjie_core::ids::{LedgerIndex, Origin, Time};
use xianjie_core::ledger::{Leaf, document_commitment, record_commitment};

use super::findings::{Findings, Wrong, wrong};
use crate::identity::signature::certificate_digest;
use crate::store::Entry;
use crate::wire;
use crate::wire::change::ChangeHeard;
use crate::wire::schema::Schema;
use crate::wire::signature::Signed;
use crate::wire::statement::{AcknowledgementHeard, RejectionHeard};

/// What entries are read by.
pub(super) struct Ground {
    pub(super) origin: Origin,
    pub(super) schema: Arc<Schema>,
}

/// An entry, read.
pub(super) struct Examined {
    pub(super) index: LedgerIndex,
    /// The leaf, as stored.
    pub(super) leaf: Vec<u8>,
    /// The leaf's time; none if it can't be read.
    pub(super) time: Option<Time>,
    /// The record; none if it can't be read.
    pub(super) record: Option<Record>,
    /// The document's salt; zeros if it is no document.
    pub(super) document_salt: [u8; 32],
    /// What was signed.
    pub(super) said: Said,
}

/// What the signer of an entry said.
pub(super) enum Said {
    /// Nothing was signed, or it can't be read.
    Nothing,
    /// A document; without its content if that can't be read.
    Document(Signed, Option<Box<Document>>),
    /// An acknowledgement (签收).
    Acknowledgement(AcknowledgementHeard),
    /// A rejection (退件).
    Rejection(RejectionHeard),
    /// A change of the directory.
    Change(ChangeHeard),
}

impl Examined {
    /// The document, if there is one and it can be read.
    pub(super) fn document(&self) -> Option<&Document> {
        match &self.said {
            Said::Document(_, document) => document.as_deref(),
            _ => None,
        }
    }
}

/// Reads entries and checks each by itself.
pub(super) fn examine_all(ground: &Ground, entries: Vec<Entry>) -> (Vec<Examined>, Findings) {
    let mut findings = Findings::default();
    let examined = entries
        .into_iter()
        .map(|entry| Examination { ground, findings: &mut findings, index: entry.index }.run(entry))
        .collect();
    (examined, findings)
}

struct Examination<'e> {
    ground: &'e Ground,
    findings: &'e mut Findings,
    index: LedgerIndex,
}

impl Examination<'_> {
    fn found(&mut self, wrong: Wrong, what: impl Display) {
        self.findings.add(wrong, Some(self.index), what);
    }

    fn run(mut self, entry: Entry) -> Examined {
        let time = self.leaf(&entry);
        let record = match wire::record::decode(&entry.record) {
            Ok(record) => Some(record),
            Err(error) => {
                self.found(wrong::RECORD_FORM, error);
                None
            }
        };
        if let Some(record) = &record {
            self.kind(record);
            self.directory(record);
        }
        let said = record.as_ref().map_or(Said::Nothing, |record| self.said(record, &entry));
        let Entry { leaf, document_salt, .. } = entry;
        Examined { index: self.index, leaf, time, record, document_salt, said }
    }

    fn leaf(&mut self, entry: &Entry) -> Option<Time> {
        let leaf = match Leaf::parse(&entry.leaf) {
            Ok(leaf) => leaf,
            Err(error) => {
                self.found(wrong::LEAF_FORM, error);
                return None;
            }
        };
        if leaf.commitment != record_commitment(&entry.salt, &entry.record) {
            self.found(wrong::LEAF_COMMITMENT, "");
        }
        i64::try_from(leaf.time_ms).ok().map(Time)
    }

    fn kind(&mut self, record: &Record) {
        match &record.kind {
            Kind::Opened(opened) if opened.origin != self.ground.origin => {
                self.found(wrong::ORIGIN, &opened.origin);
            }
            kind if matches!(kind, Kind::Opened(_)) != (self.index.0 == 0) => {
                self.found(wrong::RECORD_FIRST, "");
            }
            _ => {}
        }
        let says = |effect: &Effect| matches!(effect, Effect::Contradiction { .. });
        let is_flagged = matches!(record.kind, Kind::Flagged(_));
        if !is_flagged && record.effects.iter().any(|ruled| says(&ruled.effect)) {
            self.found(wrong::CONTRADICTION_OPEN, "");
        }
    }

    /// Only operators change the directory, and authorities' lists, which do nothing but revoke; and a
    /// certificate is registered as what it is.
    fn directory(&mut self, record: &Record) {
        let is_revocation = |effect: &Effect| matches!(effect, Effect::CertificateRevoked { .. });
        let mut effects = record.effects.iter().map(|ruled| &ruled.effect);
        let is_signed = match record.kind {
            Kind::Opened(_) | Kind::Directory(_) => true,
            Kind::Revocations(_) => effects.all(is_revocation),
            _ => !effects.any(is_of_directory),
        };
        if !is_signed {
            self.found(wrong::EFFECT_UNSIGNED, "");
        }
        for ruled in &record.effects {
            let Effect::CertificatePut(certificate) = &ruled.effect else { continue };
            if certificate_digest(&certificate.der) != certificate.digest.0 {
                self.found(wrong::CERTIFICATE_DIGEST, certificate.digest);
            }
            if certificate.binding != self.index {
                self.found(wrong::SIGNER_BINDING, certificate.digest);
            }
        }
    }

    fn said(&mut self, record: &Record, entry: &Entry) -> Said {
        if let Kind::Document(taken) = &record.kind {
            return self.document(taken, entry);
        }
        if !entry.signed_document.is_empty() {
            self.found(wrong::DOCUMENT_FOREIGN, "");
        }
        let origin = &self.ground.origin;
        let heard = match &record.kind {
            Kind::Acknowledged(kind) => {
                wire::statement::read_acknowledgement(origin, &kind.statement.payload)
                    .map(Said::Acknowledgement)
            }
            Kind::Rejected(kind) => {
                wire::statement::read_rejection(origin, &kind.statement.payload)
                    .map(Said::Rejection)
            }
            Kind::Directory(kind) => {
                wire::change::read_change(origin, &kind.statement.payload).map(Said::Change)
            }
            _ => return Said::Nothing,
        };
        heard.unwrap_or_else(|refusal| {
            self.found(wrong::STATEMENT_FORM, refusal.reason().name());
            Said::Nothing
        })
    }

    fn document(&mut self, taken: &DocumentTaken, entry: &Entry) -> Said {
        if entry.signed_document.is_empty() {
            self.found(wrong::DOCUMENT_MISSING, "");
            return Said::Nothing;
        }
        let signed = match Signed::from_envelope(&entry.signed_document) {
            Ok(signed) => signed,
            Err(violation) => {
                self.found(wrong::DOCUMENT_UNREADABLE, violation.field);
                return Said::Nothing;
            }
        };
        if document_commitment(&entry.document_salt, &signed.payload).0 != taken.commitment.0 {
            self.found(wrong::DOCUMENT_COMMITMENT, "");
        }
        let document = self.read(&signed.payload);
        if let Some(document) = &document {
            let same = document.sender == taken.document.sender
                && document.id == taken.document.id
                && document.kind == taken.document_type
                && document.replaces == taken.replaces;
            if !same {
                self.found(wrong::DOCUMENT_OTHER, "");
            }
        }
        Said::Document(signed, document)
    }

    fn read(&mut self, payload: &Bytes) -> Option<Box<Document>> {
        match wire::document::read_document(&self.ground.schema, &self.ground.origin, payload) {
            Ok(heard) => Some(Box::new(heard.document)),
            Err(refusal) => {
                self.found(wrong::DOCUMENT_UNREADABLE, refusal.reason().name());
                None
            }
        }
    }
}

fn is_of_directory(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::AgencyPut(_)
            | Effect::SystemPut(_)
            | Effect::CertificatePut(_)
            | Effect::CertificateRevoked { .. }
            | Effect::AgencySuspended { .. }
            | Effect::SystemSuspended { .. }
            | Effect::RulebookActivated { .. }
    )
}
