//! The pure middle of the writing transaction: decides each input of a batch in turn, applies what
//! was decided, and says what to write.
//!
//! The fold runs on what is loaded; where it reads something that is not, it asks for it and runs
//! again. A panic in a decision refuses that one input and sets it aside; the batch goes on.

use std::collections::BTreeSet;
use std::iter::once;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use xianjie_core::domain::decide::{Decided, Decision, Input, World, decide};
use xianjie_core::domain::directory::{Directory, Divisions};
use xianjie_core::domain::record::{Effect, Record};
use xianjie_core::domain::reminders::Reminders;
use xianjie_core::domain::rulebook::Law;
use xianjie_core::domain::state::{
    Cache, Changes, EntryHead, Key, Loaded, Row, View, Wants, apply,
};
use xianjie_core::ids::{Digest, DocumentRef, LedgerIndex, Time};
use xianjie_core::ledger::commitment::digest_commitment;
use xianjie_core::ledger::{Edge, Hash, Leaf, leaf_hash, record_commitment};
use xianjie_core::limits::RECORD_BYTES;
use xianjie_core::refusal::{Reason, Refusal};

use crate::entropy::random;
use crate::store::{Batch, Entry, FOLD_ROUNDS, Fold, FullTile, Head, Step};
use crate::wire;

#[cfg(test)]
mod tests;

/// One input with what its entry needs besides.
#[derive(Clone)]
pub(super) struct Item {
    /// What is decided.
    pub(super) input: Input,
    /// The salt of its record.
    pub(super) salt: [u8; 32],
    /// The salt of the record of what does not fit about it; zeros if it is no document.
    pub(super) flagged_salt: [u8; 32],
    /// The document's salt; zeros if it is no document.
    pub(super) document_salt: [u8; 32],
    /// The `SignedDocument`, verbatim; empty if it is no document.
    pub(super) signed_document: Vec<u8>,
}

impl Item {
    /// An item without a document.
    ///
    /// # Errors
    /// The machine has no randomness for its salt now.
    pub(super) fn bare(input: Input) -> Result<Self, Refusal> {
        let salt = random().map_err(|_| Refusal::from(Reason::StoreUnavailable))?;
        let (flagged_salt, document_salt) = ([0; 32], [0; 32]);
        Ok(Self { input, salt, flagged_salt, document_salt, signed_document: Vec::new() })
    }
}

/// A record with its entry.
pub(super) type Written = (Arc<Entry>, Arc<Record>);

/// What became of one input.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    /// New records, its own the first, and earlier ones that answer a part.
    Recorded(Vec<Written>, Vec<LedgerIndex>),
    /// Decided before, by these records.
    Known(Vec<LedgerIndex>),
    /// Refused.
    Refused(Refusal),
}

/// What a batch came to.
pub(super) struct Folded {
    /// For each item its outcome; for fewer than were given, if the batch had to end early.
    pub(super) outcomes: Vec<Outcome>,
    /// The tree's edge after it.
    pub(super) edge: Edge,
    /// The directory after it.
    pub(super) directory: Arc<Directory>,
    /// What the store writes of it.
    pub(super) batch: Arc<Batch>,
}

/// What every fold of this hub shares.
pub(super) struct Ground<'a> {
    pub(super) divisions: &'a Divisions,
    pub(super) law: &'a Law,
    pub(super) reminders: Reminders,
    /// The time of the clock: a record's time is this, but never before its predecessor's.
    pub(super) now: Time,
}

/// The fold of one batch.
pub(super) struct BatchFold<'a> {
    ground: Ground<'a>,
    items: &'a [Item],
    directory: Arc<Directory>,
    edge: Edge,
    cache: &'a Cache,
    /// Items whose record does not apply: refused and set aside.
    quarantined: BTreeSet<usize>,
    /// How often the store has asked what is wanted.
    rounds: usize,
    /// Items that this batch takes; what follows is the next batch's.
    taken: usize,
    folded: Option<Folded>,
}

/// Why a run has to be repeated.
enum Again {
    /// This must be loaded first; the place of the first item that lacks something.
    Load(Wants, usize),
    /// Without this item.
    Without(usize),
}

impl<'a> BatchFold<'a> {
    pub(super) fn new(
        ground: Ground<'a>,
        items: &'a [Item],
        directory: Arc<Directory>,
        edge: Edge,
        cache: &'a Cache,
    ) -> Self {
        Self {
            ground,
            items,
            directory,
            edge,
            cache,
            quarantined: BTreeSet::new(),
            rounds: 0,
            taken: items.len(),
            folded: None,
        }
    }

    /// Whether an input had to be set aside: a defect.
    pub(super) fn has_set_aside(&self) -> bool {
        !self.quarantined.is_empty()
    }

    /// What the batch came to, after the transaction.
    pub(super) fn into_folded(self) -> Option<Folded> {
        self.folded
    }

    /// What every document asks for, whatever it says.
    fn first_wants(&self) -> Wants {
        let mut wants = Wants::default();
        for item in self.items {
            if let Input::Document(input) = &item.input {
                let document = &input.document;
                let reference = DocumentRef { sender: document.sender.clone(), id: document.id };
                wants.keys.insert(Key::Document(reference));
                let answered = document.in_reply_to.iter().cloned().map(Key::Document);
                wants.keys.extend(answered.filter(|key| self.cache.get(key).is_none()));
            }
        }
        wants
    }

    fn run(&self, head: &Head, loaded: &Loaded) -> Result<Folded, Again> {
        let mut run = Run {
            fold: self,
            view: View::new(loaded).with_cache(self.cache),
            time: head.time.max(self.ground.now),
            edge: self.edge.clone(),
            directory: Arc::clone(&self.directory),
            entries: Vec::new(),
            wants: Wants::default(),
        };
        let mut outcomes = Vec::with_capacity(self.taken);
        let mut lacking = None;
        for (place, item) in self.items.iter().take(self.taken).enumerate() {
            if self.quarantined.contains(&place) {
                outcomes.push(Outcome::Refused(Reason::Quarantined.into()));
                continue;
            }
            match run.item(item).map_err(|SetAside| Again::Without(place))? {
                Some(outcome) => outcomes.push(outcome),
                None => lacking = lacking.or(Some(place)),
            }
        }
        match lacking {
            Some(place) => Err(Again::Load(run.wants, place)),
            None => Ok(run.finish(outcomes, head)),
        }
    }
}

impl Fold for BatchFold<'_> {
    fn step(&mut self, head: &Head, loaded: &Loaded) -> Step {
        self.rounds += 1;
        // What every document asks for first, without deciding anything in vain.
        if loaded.rows.is_empty() {
            let wants = self.first_wants();
            if !wants.is_empty() {
                return Step::Load(wants);
            }
        }
        loop {
            match self.run(head, loaded) {
                Ok(folded) => {
                    let batch = Arc::clone(&folded.batch);
                    self.folded = Some(folded);
                    return Step::Write(batch);
                }
                Err(Again::Load(wants, place)) => {
                    if self.rounds < FOLD_ROUNDS {
                        return Step::Load(wants);
                    }
                    // Each of a long chain of items asks only once its predecessor is decided: the
                    // batch ends before the first that still lacks something.
                    if place == 0 {
                        tracing::error!("one input wants more than a batch may load");
                        self.quarantined.insert(0);
                    } else {
                        self.taken = place;
                    }
                }
                Err(Again::Without(place)) => {
                    self.quarantined.insert(place);
                }
            }
        }
    }
}

/// An item that can't be decided or applied: a defect, which must not hold up the others.
struct SetAside;

struct Run<'r, 'a> {
    fold: &'r BatchFold<'a>,
    view: View<'r>,
    time: Time,
    edge: Edge,
    directory: Arc<Directory>,
    entries: Vec<Arc<Entry>>,
    wants: Wants,
}

impl Run<'_, '_> {
    /// Decides and applies one item; none if something must be loaded first.
    fn item(&mut self, item: &Item) -> Result<Option<Outcome>, SetAside> {
        let index = LedgerIndex(self.edge.size());
        let decided = catch_unwind(AssertUnwindSafe(|| self.decide(item, index)));
        if self.lacks() {
            return Ok(None);
        }
        match decided {
            Ok(Ok(Decision::Record(decided))) => self.records(item, index, *decided),
            Ok(Ok(Decision::Known(indexes))) => Ok(Some(Outcome::Known(indexes))),
            Ok(Err(refusal)) => Ok(Some(Outcome::Refused(refusal))),
            Err(_) => {
                tracing::error!(index = index.0, "a decision panicked; its input is set aside");
                Err(SetAside)
            }
        }
    }

    fn decide(&self, item: &Item, index: LedgerIndex) -> Result<Decision, Refusal> {
        let world = World {
            directory: &self.directory,
            divisions: self.fold.ground.divisions,
            law: self.fold.ground.law,
            reminders: self.fold.ground.reminders,
            time: self.time,
            index,
            commit_document,
        };
        decide(&self.view, &world, &item.input)
    }

    /// Writes what was decided; none if something must be loaded first.
    fn records(
        &mut self,
        item: &Item,
        index: LedgerIndex,
        decided: Decided,
    ) -> Result<Option<Outcome>, SetAside> {
        let Decided { record, flagged, known, link } = decided;
        let own = Entry {
            index,
            leaf: Vec::new(),
            salt: item.salt,
            document_salt: item.document_salt,
            record: wire::record::encode(&record),
            signed_document: item.signed_document.clone(),
        };
        let beside = |flagged: Record| {
            let entry = Entry {
                index: index.next(),
                leaf: Vec::new(),
                salt: item.flagged_salt,
                document_salt: [0; 32],
                record: wire::record::encode(&flagged),
                signed_document: Vec::new(),
            };
            (entry, flagged)
        };
        let new: Vec<(Entry, Record)> = once((own, record)).chain(flagged.map(beside)).collect();
        if new.iter().any(|(entry, _)| entry.record.len() > RECORD_BYTES) {
            return Ok(Some(Outcome::Refused(Reason::TooManyAddressees.into())));
        }
        if let Some((person, case)) = link {
            self.view.link(person, case);
        }
        let mut written = Vec::with_capacity(new.len());
        for (entry, record) in new {
            match self.append(entry, record)? {
                Some(one) => written.push(one),
                None => return Ok(None),
            }
        }
        Ok(Some(Outcome::Recorded(written, known)))
    }

    /// Applies a record and puts its entry, which lacks its leaf, at the end of the ledger; none if
    /// something must be loaded first.
    fn append(&mut self, mut entry: Entry, record: Record) -> Result<Option<Written>, SetAside> {
        let index = entry.index;
        let view = &mut self.view;
        let applied = catch_unwind(AssertUnwindSafe(|| apply(view, index, self.time, &record)));
        if self.lacks() {
            return Ok(None);
        }
        // What a failed `apply` changed so far must not be written: the batch runs without the item.
        let applied = applied.map_err(|_| {
            tracing::error!(index = index.0, "applying a record panicked; its input is set aside");
            SetAside
        })?;
        applied.map_err(|error| {
            tracing::error!(index = index.0, %error, "a record does not apply; its input is set aside");
            SetAside
        })?;
        for ruled in &record.effects {
            follow(&mut self.directory, &self.view, &ruled.effect);
        }
        let time_ms = u64::try_from(self.time.0).unwrap_or_default();
        let leaf = Leaf { time_ms, commitment: record_commitment(&entry.salt, &entry.record) };
        entry.leaf = leaf.to_bytes().to_vec();
        self.edge.push(leaf_hash(&entry.leaf));
        let head = EntryHead { leaf: entry.leaf.clone(), document_salt: entry.document_salt };
        self.view.append(index, head);
        let entry = Arc::new(entry);
        self.entries.push(Arc::clone(&entry));
        Ok(Some((entry, Arc::new(record))))
    }

    fn lacks(&mut self) -> bool {
        let missing = self.view.take_missing();
        let lacks = !missing.is_empty();
        self.wants.extend(missing);
        lacks
    }

    fn finish(mut self, outcomes: Vec<Outcome>, head: &Head) -> Folded {
        let tiles = self
            .edge
            .full_tiles()
            .into_iter()
            .map(|tile| FullTile { level: tile.level, index: tile.index, bytes: tile.bytes })
            .collect();
        let Changes { rows, links } = self.view.into_changes();
        let batch = Batch {
            head: Head {
                size: self.edge.size(),
                time: self.time,
                root: self.edge.root().0,
                epoch: head.epoch,
            },
            entries: self.entries,
            rows,
            persons: links,
            tiles,
        };
        Folded { outcomes, edge: self.edge, directory: self.directory, batch: Arc::new(batch) }
    }
}

/// The directory follows the effects that concern it.
pub(super) fn follow(directory: &mut Arc<Directory>, view: &View<'_>, effect: &Effect) {
    let key = match effect {
        Effect::AgencyPut(agency) => Key::Agency(agency.code.clone()),
        Effect::AgencySuspended { agency, .. } => Key::Agency(agency.clone()),
        Effect::SystemPut(system) => Key::System(system.code.clone()),
        Effect::SystemSuspended { system, .. } => Key::System(system.clone()),
        Effect::CertificatePut(certificate) => Key::Certificate(certificate.digest),
        Effect::CertificateRevoked { digest, .. } => Key::Certificate(*digest),
        _ => return,
    };
    if let Some(row) = view.get(&key) {
        put(Arc::make_mut(directory), row);
    }
}

/// Puts a row into the directory, if it belongs there.
pub(super) fn put(directory: &mut Directory, row: &Row) {
    match row {
        Row::Agency(agency) => directory.put_agency((**agency).clone()),
        Row::System(system) => directory.put_system((**system).clone()),
        Row::Certificate(certificate) => directory.put_certificate((**certificate).clone()),
        _ => {}
    }
}

/// The commitment to a document, for [`World::commit_document`].
pub(super) fn commit_document(salt: &[u8; 32], digest: &Digest) -> Digest {
    Digest(digest_commitment(salt, &Hash(digest.0)).0)
}
