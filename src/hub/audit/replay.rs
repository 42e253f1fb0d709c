//! The records, folded again into the scratch store (P9). Each is checked against the state as it
//! was just before it, decided again if that is asked, then applied. One that does not apply
//! is a finding, and is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use xianjie_core::domain::directory::Directory;
use xianjie_core::domain::record::{Effect, Kind, Record, Signed};
use xianjie_core::domain::state::{ApplyError, Changes, EntryHead, Key, Row, View, apply};
use xianjie_core::ids::{CaseRef, PersonKey, Time};
use xianjie_core::ledger::Hash;

use super::entry::Examined;
use super::findings::{Findings, wrong};
use super::law::{Asked, Question, Verdict};
use super::record;
use super::signatures::Claim;
use crate::hub::fold::follow;
use crate::store::{Batch, Entry, Fold, Head, Loaded, Step, Store, StoreError, Wants};

/// One step of the fold: these entries, after all that the scratch store holds.
pub(super) struct Replay<'a> {
    examined: &'a [Examined],
    root: Hash,
    named: BTreeSet<Key>,
    /// What is asked of each record.
    question: Option<&'a dyn Question>,
    /// Records that do not apply, by their place in the step.
    left_out: BTreeMap<usize, ApplyError>,
    outcome: Option<Outcome>,
}

/// What a step came to.
struct Outcome {
    rows: BTreeMap<Key, Option<Row>>,
    links: Vec<(PersonKey, CaseRef)>,
    time: Time,
    findings: Findings,
    claims: Vec<Claim>,
    /// A verdict on each entry, if anything is asked, and the directory after them.
    verdicts: Vec<Option<Verdict>>,
    directory: Arc<Directory>,
}

/// What a step was found to be.
#[derive(Default)]
pub(super) struct Replayed {
    /// What is wrong with it.
    pub(super) findings: Findings,
    /// The signatures that must still be verified.
    pub(super) claims: Vec<Claim>,
    /// A verdict on each entry, if anything is asked.
    pub(super) verdicts: Vec<Option<Verdict>>,
    /// The directory after it, if anything is asked.
    pub(super) directory: Arc<Directory>,
}

/// Why a run has to be repeated.
enum Again {
    /// This must be loaded first.
    Load(Wants),
    /// Without this record.
    Without(usize, ApplyError),
}

impl<'a> Replay<'a> {
    /// A step that ends with this root.
    pub(super) fn new(
        examined: &'a [Examined],
        root: Hash,
        question: Option<&'a dyn Question>,
    ) -> Self {
        let records = examined.iter().filter_map(|one| one.record.as_ref());
        let named = records.flat_map(named).collect();
        Self { examined, root, named, question, left_out: BTreeMap::new(), outcome: None }
    }

    /// Runs on what is read from the scratch store until nothing is missing. Nobody else writes
    /// there, so that it is the same in the transaction that follows, which is not to be filled with
    /// a decision's many reads.
    ///
    /// # Errors
    /// The scratch store can't be read.
    pub(super) async fn settle(&mut self, scratch: &dyn Store) -> Result<(), StoreError> {
        let head = scratch.head().await?;
        let mut loaded = Loaded::default();
        loop {
            let wants = self.missing(&head, &loaded);
            if wants.is_empty() {
                return Ok(());
            }
            loaded.extend(scratch.load(&wants).await?);
        }
    }

    /// What was found.
    pub(super) fn into_outcome(self) -> Replayed {
        let mut replayed = self.outcome.map(Replayed::from).unwrap_or_default();
        for (place, error) in self.left_out {
            let index = self.examined.get(place).map(|one| one.index);
            let wrong = match error {
                ApplyError::NotNext(..) => wrong::NUMBER_GAP,
                ApplyError::Missing(..) | ApplyError::Unfit(_) => wrong::RECORD_UNFIT,
            };
            replayed.findings.add(wrong, index, error);
        }
        replayed
    }

    fn run(&self, head: &Head, loaded: &Loaded) -> Result<Outcome, Again> {
        let mut view = View::new(loaded);
        let mut notes = record::Notes::default();
        let mut wants = Wants::default();
        let mut time = head.time;
        let question = self.question;
        let mut directory = question.map(Question::directory).unwrap_or_default();
        let mut verdicts = Vec::new();
        for (place, one) in self.examined.iter().enumerate() {
            time = one.time.unwrap_or(time);
            let head = EntryHead { leaf: one.leaf.clone(), document_salt: [0; 32] };
            view.append(one.index, head);
            let Some(record) = &one.record else {
                verdicts.push(None);
                continue;
            };
            record::check(&view, one, record, time, &mut notes);
            let next = self.examined.get(place + 1).and_then(|next| next.record.as_ref());
            let flagged = next.filter(|next| matches!(next.kind, Kind::Flagged(_)));
            let asked = Asked { one, record, flagged, time };
            verdicts.push(question.and_then(|it| it.verdict(&view, &directory, &asked)));
            let applied = if self.left_out.contains_key(&place) {
                Ok(())
            } else {
                link(&mut view, one, record);
                apply(&mut view, one.index, time, record)
            };
            if question.is_some() {
                let effects = record.effects.iter().map(|ruled| &ruled.effect);
                effects.for_each(|effect| follow(&mut directory, &view, effect));
            }
            wants.extend(view.take_missing());
            // While something is missing, what follows may not apply for that reason alone.
            if let (Err(error), true) = (applied, wants.is_empty()) {
                return Err(Again::Without(place, error));
            }
        }
        if !wants.is_empty() {
            return Err(Again::Load(wants));
        }
        let Changes { rows, links } = view.into_changes();
        let time = time.max(head.time);
        let record::Notes { findings, claims } = notes;
        Ok(Outcome { rows, links, time, findings, claims, verdicts, directory })
    }

    fn missing(&mut self, head: &Head, loaded: &Loaded) -> Wants {
        if self.named.iter().any(|key| !loaded.rows.contains_key(key)) {
            return Wants { keys: self.named.clone(), ..Wants::default() };
        }
        loop {
            match self.run(head, loaded) {
                Ok(outcome) => {
                    self.outcome = Some(outcome);
                    return Wants::default();
                }
                Err(Again::Load(wants)) => return wants,
                Err(Again::Without(place, error)) => {
                    self.left_out.insert(place, error);
                }
            }
        }
    }
}

impl From<Outcome> for Replayed {
    fn from(outcome: Outcome) -> Self {
        let Outcome { findings, claims, verdicts, directory, .. } = outcome;
        Self { findings, claims, verdicts, directory }
    }
}

impl Fold for Replay<'_> {
    /// Everything is loaded before the transaction. The scratch store's entries hold the leaf alone:
    /// that is all that statements are compared with.
    fn step(&mut self, head: &Head, _loaded: &Loaded) -> Step {
        let Some(outcome) = &mut self.outcome else { return Step::Write(Arc::default()) };
        let leaf_of = |one: &Examined| Entry {
            index: one.index,
            leaf: one.leaf.clone(),
            salt: [0; 32],
            document_salt: [0; 32],
            record: Vec::new(),
            signed_document: Vec::new(),
        };
        let entries: Vec<_> = self.examined.iter().map(leaf_of).map(Arc::new).collect();
        let batch = Batch {
            head: Head {
                size: head.size + entries.len() as u64,
                time: outcome.time,
                root: self.root.0,
                epoch: head.epoch,
            },
            entries,
            rows: std::mem::take(&mut outcome.rows),
            persons: std::mem::take(&mut outcome.links),
            tiles: Vec::new(),
        };
        Step::Write(Arc::new(batch))
    }
}

/// The person of a case that opens: the record does not tell, but the document does.
fn link(view: &mut View<'_>, one: &Examined, record: &Record) {
    let person = one.document().and_then(|document| document.subject.as_ref()?.person);
    let opened = record.effects.iter().find_map(|ruled| match ruled.effect {
        Effect::CaseOpened { case } => Some(case),
        _ => None,
    });
    if let (Some(person), Some(case)) = (person, opened) {
        view.link(person, case);
    }
}

/// The rows that a record names, so that a step asks for them at once.
fn named(record: &Record) -> BTreeSet<Key> {
    let mut keys = BTreeSet::new();
    match &record.kind {
        Kind::Document(taken) => {
            let sender = &taken.document.sender;
            keys.insert(Key::Document(taken.document.clone()));
            keys.insert(Key::Sender(sender.clone()));
            keys.insert(Key::Agency(sender.clone()));
            keys.extend(taken.replaces.clone().map(Key::Document));
            keys.extend(taken.case.map(Key::Case));
            keys.extend(taken.signers.iter().map(|(digest, _)| Key::Certificate(*digest)));
            keys.extend(taken.supervisors.iter().cloned().map(Key::Agency));
        }
        Kind::Acknowledged(kind) => keys.extend(certificates(&kind.statement)),
        Kind::Rejected(kind) => keys.extend(certificates(&kind.statement)),
        Kind::Directory(kind) => {
            keys.insert(Key::Hub);
            keys.extend(certificates(&kind.statement));
        }
        Kind::Access(kind) => {
            keys.insert(Key::Agency(kind.agency.clone()));
            keys.insert(Key::System(kind.system.clone()));
            keys.extend(kind.cases.iter().copied().map(Key::Case));
        }
        Kind::Flagged(flagged) => {
            keys.insert(Key::Document(flagged.document.clone()));
        }
        Kind::Opened(_) | Kind::Refusals(_) | Kind::Clock(_) | Kind::Revocations(_) => {}
    }
    for ruled in &record.effects {
        keys.extend(touched(&ruled.effect));
    }
    keys
}

fn certificates(statement: &Signed) -> impl Iterator<Item = Key> {
    statement.signatures.iter().map(|signature| Key::Certificate(signature.certificate))
}

fn touched(effect: &Effect) -> Vec<Key> {
    match effect {
        Effect::CaseSet { case, .. } | Effect::Custody { case, .. } => vec![Key::Case(*case)],
        Effect::DeliveryOpened { agency, .. } => {
            vec![Key::Inbox(agency.clone()), Key::Agency(agency.clone())]
        }
        Effect::DeliverySettled { agency, number, .. } => {
            vec![Key::Inbox(agency.clone()), Key::Delivery(agency.clone(), *number)]
        }
        Effect::DutyStarted { duty, .. }
        | Effect::DutyChanged { duty, .. }
        | Effect::DutyClosed { duty, .. }
        | Effect::DutyReopened { duty } => vec![Key::Duty(*duty)],
        Effect::Withdrawn { document } => vec![Key::Document(document.clone())],
        Effect::AgencySuspended { agency, .. } => vec![Key::Agency(agency.clone())],
        Effect::SystemSuspended { system, .. } => vec![Key::System(system.clone())],
        Effect::CertificateRevoked { digest, .. } => vec![Key::Certificate(*digest)],
        Effect::CaseOpened { .. }
        | Effect::DutyOpened(_)
        | Effect::Contradiction { .. }
        | Effect::NoticeOwed { .. }
        | Effect::UnacknowledgedTold { .. }
        | Effect::AgencyPut(_)
        | Effect::SystemPut(_)
        | Effect::CertificatePut(_)
        | Effect::RulebookActivated { .. } => Vec::new(),
    }
}
