//! `CheckDocument`: the same reading, verifying and deciding on a snapshot; nothing is written.

use std::collections::BTreeMap;

use xianjie_core::domain::decide::{Decision, DocumentInput, Input, World, decide};
use xianjie_core::domain::duty::Duty;
use xianjie_core::domain::policy;
use xianjie_core::domain::record::{Effect, Kind, Record};
use xianjie_core::domain::state::{Case, Key, Loaded, Row, View};
use xianjie_core::ids::{
    AgencyCode, CaseRef, Digest, DocumentId, DocumentType, DutyId, LedgerIndex,
};
use xianjie_core::ledger::Hash;
use xianjie_core::ledger::commitment::digest_commitment;
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::Hub;
use super::submit::{digest, unavailable};
use crate::identity::signature::{PayloadType, Preauth};
use crate::wire::signature::Signed;

/// Rounds of loading before a check gives up: as many as the writing transaction has.
const ROUNDS: usize = crate::store::FOLD_ROUNDS;

/// What would become of a document.
#[derive(Debug, Clone)]
pub struct Checked {
    /// SHA-256 of the document's bytes, as the hub reads them.
    pub digest: Digest,
    /// SHA-256 of the bytes that a signature signs.
    pub signed_digest: Digest,
    /// Its id and type, if it could be read.
    pub document: Option<(DocumentId, DocumentType)>,
    /// Attachments that the hub does not hold.
    pub missing_attachments: Vec<Digest>,
    /// For each signature what is wrong with it.
    pub signatures: Vec<(Digest, Option<Violation>)>,
    /// Everything that is wrong.
    pub violations: Vec<Violation>,
    /// The record that it would get.
    pub record: Option<Record>,
    /// The record of what does not fit about it, if the agency could see that.
    pub flagged: Option<Record>,
    /// The duties that the record would close.
    pub closes: BTreeMap<DutyId, Duty>,
    /// The record that it has already.
    pub known: Option<LedgerIndex>,
    /// The rulebooks that it is judged by.
    pub rulebook: Digest,
}

impl Hub {
    /// Says what would become of a document.
    ///
    /// # Errors
    /// The store can't be read now.
    pub async fn check(&self, agency: &AgencyCode, signed: &Signed) -> Result<Checked, Refusal> {
        let preauth = Preauth::new(PayloadType::Document, &signed.payload);
        let mut checked = Checked {
            digest: digest(&signed.payload),
            signed_digest: digest(preauth.as_bytes()),
            document: None,
            missing_attachments: Vec::new(),
            signatures: self.check_signatures(signed),
            violations: Vec::new(),
            record: None,
            flagged: None,
            closes: BTreeMap::new(),
            known: None,
            rulebook: Digest(self.law().digest()),
        };
        checked.violations.extend(checked.signatures.iter().filter_map(|(_, v)| v.clone()));
        if signed.signatures.is_empty() {
            let none = Violation::new(Reason::SignatureMissing, "signatures");
            checked.violations.push(none);
        }
        let heard = match self.read(agency, signed) {
            Ok(heard) => heard,
            Err(refusal) => {
                checked.violations.extend(refusal.violations);
                return Ok(checked);
            }
        };
        checked.document = Some((heard.document.id, heard.document.kind.clone()));
        if let Err(refusal) = self.check_seen(heard.seen).await {
            checked.violations.extend(refusal.violations);
        }
        for (digest, violation) in self.missing_attachments(&heard.document).await? {
            checked.missing_attachments.push(digest);
            checked.violations.push(violation);
        }
        let input = DocumentInput {
            document: heard.document,
            signers: signed.signatures.iter().map(|s| s.certificate).collect(),
            fresh_case: CaseRef([0; 16]),
            salt: [0; 32],
            notice: None,
        };
        self.check_decision(agency, Input::Document(Box::new(input)), &mut checked).await?;
        Ok(checked)
    }

    fn check_signatures(&self, signed: &Signed) -> Vec<(Digest, Option<Violation>)> {
        let directory = self.directory();
        let check = |(place, signature): (usize, &xianjie_core::domain::record::Signature)| {
            let one = std::slice::from_ref(signature);
            let verified =
                self.shared.keys.verify(&directory, PayloadType::Document, &signed.payload, one);
            let violation =
                verified.err().map(|v| Violation { field: format!("signatures[{place}]"), ..v });
            (signature.certificate, violation)
        };
        signed.signatures.iter().enumerate().map(check).collect()
    }

    async fn check_decision(
        &self,
        agency: &AgencyCode,
        input: Input,
        checked: &mut Checked,
    ) -> Result<(), Refusal> {
        let mut loaded = Loaded::default();
        for _ in 0..ROUNDS {
            let published = self.published();
            let (directory, law) = (self.directory(), self.law());
            let world = World {
                directory: &directory,
                divisions: &self.shared.divisions,
                law: &law,
                reminders: self.shared.reminders,
                time: self.shared.clock.now(),
                index: LedgerIndex(published.size),
                commit_document: |salt, digest| Digest(digest_commitment(salt, &Hash(digest.0)).0),
            };
            let (decision, wants) = {
                let view = View::new(&loaded);
                let decision = decide(&view, &world, &input);
                (decision, view.take_missing())
            };
            if wants.is_empty() {
                let is_party = |case: &Case| {
                    case.parties.iter().any(|party| directory.stands_for(agency, party))
                };
                note(decision, &loaded, is_party, checked);
                checked.flagged.take_if(|flagged| {
                    policy::record_relations(&directory, agency, flagged).is_empty()
                });
                return Ok(());
            }
            loaded.extend(self.shared.store.load(&wants).await.map_err(unavailable)?);
        }
        Err(Reason::StoreUnavailable.into())
    }
}

/// Notes what was decided. What depends on a case's state is told to a party to that case alone: who
/// is none learns what is wrong with the document, and nothing else (P7).
fn note(
    decision: Result<Decision, Refusal>,
    loaded: &Loaded,
    is_party: impl Fn(&Case) -> bool,
    checked: &mut Checked,
) {
    match decision {
        Ok(Decision::Record(decided)) => {
            let case = match &decided.record.kind {
                Kind::Document(taken) => taken.case.map(Key::Case),
                _ => None,
            };
            let known = case.and_then(|key| loaded.rows.get(&key)?.as_ref());
            if matches!(known, Some(Row::Case(case)) if !is_party(case)) {
                return;
            }
            for ruled in &decided.record.effects {
                if let Effect::DutyClosed { duty, .. } = &ruled.effect
                    && let Some(Some(Row::Duty(row))) = loaded.rows.get(&Key::Duty(*duty))
                {
                    checked.closes.insert(*duty, (**row).clone());
                }
            }
            checked.record = Some(decided.record);
            checked.flagged = decided.flagged;
        }
        Ok(Decision::Known(indexes)) => checked.known = indexes.first().copied(),
        Err(refusal) => {
            for violation in refusal.violations {
                if !checked.violations.contains(&violation) {
                    checked.violations.push(violation);
                }
            }
        }
    }
}
