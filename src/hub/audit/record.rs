//! One record against the state as it was just before it: who signed, who was addressed, what was
//! settled, what was answered.

use std::collections::BTreeSet;
use std::fmt::Display;

use bytes::Bytes;
use xianjie_core::domain::agency::Purpose;
use xianjie_core::domain::document::Document;
use xianjie_core::domain::record::{
    Acknowledged, DirectoryChanged, DocumentTaken, Effect, Flagged, Kind, Record, Rejected,
    Revocations, Settled, Signature, Signed,
};
use xianjie_core::domain::state::{Delivery, DocumentRow, Key, Row, View};
use xianjie_core::ids::{
    AgencyCode, Digest, DocumentRef, InboxNumber, LedgerIndex, OperatorName, Time,
};

use super::changes;
use super::entry::{Examined, Said};
use super::findings::{Findings, Wrong, wrong};
use super::signatures::Claim;
use crate::identity::lists::issuer_digest;
use crate::identity::signature::PayloadType;
use crate::wire::change::ChangeHeard;

/// How many successors are followed: each is one more read of the step's, which has
/// [`FOLD_ROUNDS`](crate::store::FOLD_ROUNDS).
const SUCCESSORS: usize = 5;

/// What the checks of a step came to.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) findings: Findings,
    pub(super) claims: Vec<Claim>,
}

/// Checks one record. With anything missing in `view` afterwards the outcome means nothing.
pub(super) fn check(
    view: &View<'_>,
    one: &Examined,
    record: &Record,
    time: Time,
    notes: &mut Notes,
) {
    let mut check = Check { view, index: one.index, time, record, notes };
    check.settlements();
    match (&record.kind, &one.said) {
        (Kind::Document(taken), said) => check.document(taken, said),
        (Kind::Acknowledged(kind), Said::Acknowledgement(heard)) => {
            let same = heard.agency == kind.agency;
            check.acknowledged(kind, &heard.items, same);
        }
        (Kind::Rejected(kind), Said::Rejection(heard)) => {
            let same = heard.agency == kind.agency
                && heard.number == kind.number
                && heard.reason == kind.reason;
            check.rejected(kind, heard.commitment, same);
        }
        (Kind::Directory(kind), Said::Change(heard)) => check.directory(kind, heard),
        (Kind::Revocations(list), _) => check.revocations(list),
        (Kind::Flagged(flagged), _) => check.flagged(flagged),
        _ => {}
    }
}

struct Check<'c, 'v> {
    view: &'c View<'v>,
    index: LedgerIndex,
    time: Time,
    record: &'c Record,
    notes: &'c mut Notes,
}

impl Check<'_, '_> {
    fn found(&mut self, wrong: Wrong, what: impl Display) {
        self.notes.findings.add(wrong, Some(self.index), what);
    }

    /// Each delivery ends once, in a way that this kind of record can end it (P3).
    fn settlements(&mut self) {
        let mut ended = BTreeSet::new();
        let record = self.record;
        for ruled in &record.effects {
            let Effect::DeliverySettled { agency, number, how } = &ruled.effect else { continue };
            let fits = matches!(
                (how, &record.kind),
                (Settled::Acknowledged, Kind::Acknowledged(_))
                    | (Settled::Rejected, Kind::Rejected(_))
                    | (Settled::ServedOtherwise(_), Kind::Document(_))
            );
            let name = format!("{agency} {number}");
            if !fits {
                self.found(wrong::SETTLED_UNFIT, &name);
            }
            let before = self.delivery(agency, *number).is_some_and(|d| d.settled.is_some());
            if before || !ended.insert((agency, number)) {
                self.found(wrong::SETTLED_TWICE, &name);
            }
        }
    }

    fn document(&mut self, taken: &DocumentTaken, said: &Said) {
        if self.row(&taken.document).is_some() {
            self.found(wrong::DOCUMENT_TWICE, "");
        }
        self.agencies(taken);
        self.order(taken);
        let Said::Document(signed, document) = said else { return };
        if let Some(document) = document {
            self.answers(taken, document);
        }
        let certificates = signed.signatures.iter().map(|signature| &signature.certificate);
        if !certificates.eq(taken.signers.iter().map(|(certificate, _)| certificate)) {
            self.found(wrong::SIGNERS_DIFFER, "");
        }
        let bindings = taken.signers.iter().map(|(_, binding)| *binding);
        let (view, sender) = (self.view, &taken.document.sender);
        for (signature, binding) in signed.signatures.iter().zip(bindings) {
            let admits = |found: &Purpose| admits(view, found, sender, Purpose::Document);
            self.signer(PayloadType::Document, &signed.payload, signature, binding, &admits);
        }
    }

    /// Sender, addressees and supervisors are in the directory (P7).
    fn agencies(&mut self, taken: &DocumentTaken) {
        let addressed = self.record.effects.iter().filter_map(|ruled| match &ruled.effect {
            Effect::DeliveryOpened { agency, .. } => Some(agency),
            _ => None,
        });
        let named: BTreeSet<&AgencyCode> =
            addressed.chain([&taken.document.sender]).chain(&taken.supervisors).collect();
        for agency in named {
            if self.view.get(&Key::Agency(agency.clone())).is_none() {
                self.found(wrong::AGENCY_UNKNOWN, agency);
            }
        }
    }

    /// What a record answers is before it (P10).
    fn order(&mut self, taken: &DocumentTaken) {
        let before = taken.in_reply_to.is_none_or(|answered| answered < self.index);
        if !before || taken.thread > self.index {
            self.found(wrong::REPLY_AHEAD, "");
        }
    }

    fn answers(&mut self, taken: &DocumentTaken, document: &Document) {
        let answered = document.in_reply_to.as_ref();
        let answered = answered.map(|reference| self.row(reference).map(|row| row.index));
        if answered != taken.in_reply_to.map(Some) {
            self.found(wrong::REPLY_OTHER, "");
        }
        for (place, earlier) in document.after.iter().enumerate() {
            if self.row(earlier).is_none() {
                self.found(wrong::AFTER_MISSING, format!("after_documents[{place}]"));
            }
        }
    }

    fn acknowledged(&mut self, kind: &Acknowledged, items: &[(InboxNumber, Digest)], same: bool) {
        if !same {
            self.found(wrong::STATEMENT_OTHER, "agency");
        }
        self.settled_as_said(&kind.agency, &kind.sender, items, Settled::Acknowledged);
        self.recipient(PayloadType::Acknowledgement, &kind.agency, &kind.statement);
    }

    fn rejected(&mut self, kind: &Rejected, commitment: Digest, same: bool) {
        if !same {
            self.found(wrong::STATEMENT_OTHER, "");
        }
        let items = [(kind.number, commitment)];
        self.settled_as_said(&kind.agency, &kind.sender, &items, Settled::Rejected);
        self.recipient(PayloadType::Rejection, &kind.agency, &kind.statement);
    }

    /// The record changes what its operators signed, and enough of them did.
    fn directory(&mut self, kind: &DirectoryChanged, heard: &ChangeHeard) {
        let same = heard.id == kind.id
            && kind.operators.len() == kind.statement.signatures.len()
            && changes::are(&heard.changes, self.record);
        if !same {
            self.found(wrong::STATEMENT_OTHER, "");
        }
        let quorum = match self.view.get(&Key::Hub) {
            Some(Row::Hub(hub)) => hub.quorum as usize,
            _ => 1,
        };
        let operators: BTreeSet<&OperatorName> = kind.operators.iter().collect();
        if operators.is_empty()
            || (changes::need_quorum(&heard.changes) && operators.len() < quorum)
        {
            self.found(wrong::QUORUM, "");
        }
        for (place, operator) in kind.operators.iter().enumerate() {
            let purpose = Purpose::Operator(operator.clone());
            let admits = |found: &Purpose| *found == purpose;
            self.signed_by(PayloadType::DirectoryChange, &kind.statement, place, &admits);
        }
    }

    /// What does not fit about a document stands right after it.
    fn flagged(&mut self, flagged: &Flagged) {
        if self.row(&flagged.document).is_none_or(|row| row.index.next() != self.index) {
            self.found(wrong::FLAGGED_ASTRAY, "");
        }
    }

    /// A list revokes what its own authority issued, and that once. The list itself is not in the
    /// record.
    fn revocations(&mut self, list: &Revocations) {
        for ruled in &self.record.effects {
            let Effect::CertificateRevoked { digest, .. } = &ruled.effect else { continue };
            // One that is not registered does not apply, which is found without this.
            let view = self.view;
            let Some(Row::Certificate(row)) = view.get(&Key::Certificate(*digest)) else {
                continue;
            };
            if issuer_digest(&row.der) != Some(list.issuer) {
                self.found(wrong::LIST_FOREIGN, digest);
            }
            if row.revoked.is_some() {
                self.found(wrong::REVOKED_TWICE, digest);
            }
        }
    }

    /// The record settles what the statement names, and the statement names what was delivered.
    fn settled_as_said(
        &mut self,
        agency: &AgencyCode,
        sender: &AgencyCode,
        items: &[(InboxNumber, Digest)],
        how: Settled,
    ) {
        let settled: BTreeSet<(&AgencyCode, InboxNumber)> = self
            .record
            .effects
            .iter()
            .filter_map(|ruled| match &ruled.effect {
                Effect::DeliverySettled { agency, number, .. } => Some((agency, *number)),
                _ => None,
            })
            .collect();
        for (owner, number) in &settled {
            let said = *owner == agency && items.iter().any(|(item, _)| item == number);
            if !said {
                self.found(wrong::SETTLED_UNSAID, format!("{owner} {number}"));
            }
        }
        for (number, commitment) in items {
            let name = format!("{agency} {number}");
            let Some(delivery) = self.delivery(agency, *number) else {
                self.found(wrong::DELIVERY_UNKNOWN, name);
                continue;
            };
            let before = delivery.settled.is_some_and(|(earlier, _)| earlier == how);
            if delivery.document.sender != *sender {
                self.found(wrong::STATEMENT_OTHER, "sender");
            }
            if !before && !settled.contains(&(agency, *number)) {
                self.found(wrong::SAID_UNSETTLED, &name);
            }
            // A leaf ends with the commitment to its record.
            let entry = self.view.entry(delivery.index);
            if !entry.is_some_and(|entry| entry.leaf.ends_with(&commitment.0)) {
                self.found(wrong::STATEMENT_COMMITMENT, &name);
            }
        }
    }

    fn recipient(&mut self, kind: PayloadType, agency: &AgencyCode, statement: &Signed) {
        let view = self.view;
        let admits = |found: &Purpose| admits(view, found, agency, Purpose::Acknowledgement);
        if statement.signatures.is_empty() {
            self.found(wrong::SIGNERS_DIFFER, "");
        }
        for place in 0..statement.signatures.len() {
            self.signed_by(kind, statement, place, &admits);
        }
    }

    fn signed_by(
        &mut self,
        kind: PayloadType,
        statement: &Signed,
        place: usize,
        admits: &dyn Fn(&Purpose) -> bool,
    ) {
        let (signature, binding) = (statement.signatures.get(place), statement.bindings.get(place));
        let (Some(signature), Some(binding)) = (signature, binding) else {
            self.found(wrong::SIGNERS_DIFFER, "");
            return;
        };
        let payload = Bytes::copy_from_slice(&statement.payload);
        self.signer(kind, &payload, signature, *binding, admits);
    }

    /// The certificate was registered by the record named, for this purpose, and counted (P6).
    fn signer(
        &mut self,
        kind: PayloadType,
        payload: &Bytes,
        signature: &Signature,
        binding: LedgerIndex,
        admits: &dyn Fn(&Purpose) -> bool,
    ) {
        let digest = signature.certificate;
        let view = self.view;
        let Some(Row::Certificate(certificate)) = view.get(&Key::Certificate(digest)) else {
            self.found(wrong::SIGNER_UNKNOWN, digest);
            return;
        };
        if binding != certificate.binding || binding >= self.index {
            self.found(wrong::SIGNER_BINDING, digest);
        }
        if !certificate.is_live(self.time) {
            self.found(wrong::SIGNER_LAPSED, digest);
        }
        if !admits(&certificate.purpose) {
            self.found(wrong::SIGNER_FOREIGN, digest);
        }
        self.notes.claims.push(Claim {
            index: self.index,
            kind,
            payload: payload.clone(),
            signature: signature.clone(),
            der: certificate.der.clone(),
        });
    }

    fn delivery(&self, agency: &AgencyCode, number: InboxNumber) -> Option<Delivery> {
        match self.view.get(&Key::Delivery(agency.clone(), number)) {
            Some(Row::Delivery(delivery)) => Some(delivery.clone()),
            _ => None,
        }
    }

    fn row(&self, document: &DocumentRef) -> Option<&DocumentRow> {
        match self.view.get(&Key::Document(document.clone())) {
            Some(Row::Document(row)) => Some(row),
            _ => None,
        }
    }
}

/// Whether a certificate for `found` may sign for `agency`: its own, or that of the agency that
/// took its place at last.
fn admits(
    view: &View<'_>,
    found: &Purpose,
    agency: &AgencyCode,
    purpose: fn(AgencyCode) -> Purpose,
) -> bool {
    if *found == purpose(agency.clone()) {
        return true;
    }
    let mut heir = agency.clone();
    for _ in 0..SUCCESSORS {
        match view.get(&Key::Agency(heir.clone())) {
            Some(Row::Agency(row)) => match &row.successor {
                Some(next) => heir = next.clone(),
                None => break,
            },
            _ => break,
        }
    }
    *found == purpose(heir)
}
