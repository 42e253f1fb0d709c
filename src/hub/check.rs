//! `CheckDocument`: the same reading, verifying and deciding on a snapshot; nothing is written.
//!
//! Whoever checks leaves no trace, and may name anybody. So it is decided on what they know: of a person
//! the cases that they are party to, and where the document would come upon another, its form alone. What
//! they may not know changes no answer (P7).

use std::collections::BTreeMap;

use xianjie_core::domain::decide::{self, Decision, DocumentInput, World};
use xianjie_core::domain::directory::Directory;
use xianjie_core::domain::duty::Duty;
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
use crate::store::Wants;
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
            closes: BTreeMap::new(),
            known: None,
            rulebook: Digest(self.law().digest()),
        };
        checked.violations.extend(checked.signatures.iter().filter_map(|(_, v)| v.clone()));
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
        self.foresee(&input, &mut checked).await?;
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

    async fn foresee(&self, input: &DocumentInput, checked: &mut Checked) -> Result<(), Refusal> {
        let (directory, law) = (self.directory(), self.law());
        let world = World {
            directory: &directory,
            divisions: &self.shared.divisions,
            law: &law,
            reminders: self.shared.reminders,
            time: self.shared.clock.now(),
            index: LedgerIndex(self.published().size),
            commit_document: |salt, digest| Digest(digest_commitment(salt, &Hash(digest.0)).0),
        };
        if let Err(violation) = decide::check_signers(&world, input) {
            checked.add([violation]);
        }
        let finds_person = decide::finds_person(&world, &input.document);
        let known = Known { directory: &directory, asker: &input.document.sender, finds_person };
        let mut loaded = Loaded::default();
        for _ in 0..ROUNDS {
            let view = View::new(&loaded);
            let foreseen = decide::foresee(&view, &world, input);
            let form = decide::check_form(&view, &world, &input.document);
            let wants = view.take_missing();
            if wants.is_empty() {
                let told = if known.covers(&foreseen, &loaded) {
                    foreseen.map(Some)
                } else {
                    form.map(|()| None)
                };
                checked.note(told, &loaded);
                return Ok(());
            }
            let found = self.shared.store.load(&wants).await.map_err(unavailable)?;
            loaded.extend(self.only_known(found, &known).await?);
        }
        Err(Reason::StoreUnavailable.into())
    }

    /// Of each person the cases that the asker knows of.
    async fn only_known(&self, mut found: Loaded, known: &Known<'_>) -> Result<Loaded, Refusal> {
        let mut wants = Wants::default();
        wants.keys.extend(found.persons.values().flatten().map(|case| Key::Case(*case)));
        if !wants.is_empty() {
            let cases = self.shared.store.load(&wants).await.map_err(unavailable)?;
            for of_person in found.persons.values_mut() {
                of_person.retain(|case| known.finds(cases.rows.get(&Key::Case(*case))));
            }
        }
        Ok(found)
    }
}

/// What the asker may know of cases without leaving a trace.
struct Known<'k> {
    directory: &'k Directory,
    asker: &'k AgencyCode,
    /// The document's case is sought among all of its person's.
    finds_person: bool,
}

impl Known<'_> {
    fn is_party(&self, case: &Case) -> bool {
        case.parties.iter().any(|party| self.directory.stands_for(self.asker, party))
    }

    /// Whether a person's case is found. Where all of the person's would be sought, one of the asker's
    /// that is over tells nothing: another may be open.
    fn finds(&self, row: Option<&Option<Row>>) -> bool {
        let Some(Some(Row::Case(case))) = row else { return false };
        self.is_party(case) && (case.is_open() || !self.finds_person)
    }

    /// Whether how a case stands is not the asker's to know: a stranger's, or a sealed one.
    fn is_closed_to_asker(&self, row: &Option<Row>) -> bool {
        matches!(row, Some(Row::Case(case)) if case.is_sealed() || !self.is_party(case))
    }

    /// Whether what was foreseen comes of cases that the asker may know. That a person has no case is no
    /// answer where all of theirs would be sought.
    fn covers(&self, foreseen: &Result<Decision, Refusal>, loaded: &Loaded) -> bool {
        match foreseen {
            Ok(Decision::Known(_)) => true,
            Ok(Decision::Record(decided)) => {
                let case = case_of(&decided.record).map(Key::Case);
                let row = case.and_then(|case| loaded.rows.get(&case));
                !row.is_some_and(|row| self.is_closed_to_asker(row))
            }
            Err(refusal) if refusal.violations.iter().any(|v| v.reason == Reason::NoCase) => {
                !self.finds_person
            }
            Err(_) => !loaded.rows.values().any(|row| self.is_closed_to_asker(row)),
        }
    }
}

fn case_of(record: &Record) -> Option<CaseRef> {
    match &record.kind {
        Kind::Document(taken) => taken.case,
        _ => None,
    }
}

impl Checked {
    fn add(&mut self, violations: impl IntoIterator<Item = Violation>) {
        for violation in violations {
            if !self.violations.contains(&violation) {
                self.violations.push(violation);
            }
        }
    }

    /// Notes what may be told of a decision; none, if its form is right and no more may be.
    fn note(&mut self, told: Result<Option<Decision>, Refusal>, loaded: &Loaded) {
        match told {
            Ok(Some(Decision::Record(decided))) => {
                for ruled in &decided.record.effects {
                    if let Effect::DutyClosed { duty, .. } = &ruled.effect
                        && let Some(Some(Row::Duty(row))) = loaded.rows.get(&Key::Duty(*duty))
                    {
                        self.closes.insert(*duty, (**row).clone());
                    }
                }
                self.record = Some(decided.record);
            }
            Ok(Some(Decision::Known(indexes))) => self.known = indexes.first().copied(),
            Ok(None) => {}
            Err(refusal) => self.add(refusal.violations),
        }
    }
}
