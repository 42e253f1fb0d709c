//! What the suite writes: entries, keys and rows that are told apart by a number.

use std::collections::BTreeMap;
use std::sync::Arc;

use xianjie::store::{Batch, Entry, Fold, Head, Loaded, Step, Store, StoreError, Wants};
use xianjie_core::domain::state::{Case, Delivery, Inbox, Key, Row, Span, Unsettled};
use xianjie_core::ids::{
    AgencyCode, CaseRef, Digest, DocumentId, DocumentRef, DutyId, InboxNumber, LedgerIndex,
    SenderNumber, SystemCode, Time,
};

/// A fold that wants one thing after the other, remembers what it got and writes what it is told.
pub(crate) struct Script<W> {
    /// What it wants, the first first.
    pub(crate) wants: Vec<Wants>,
    /// What it writes at this head.
    pub(crate) write: W,
    /// What it was given.
    pub(crate) given: Option<Loaded>,
}

impl<W: FnMut(&Head) -> Batch + Send> Script<W> {
    /// One that wants nothing.
    pub(crate) fn writing(write: W) -> Self {
        Self { wants: Vec::new(), write, given: None }
    }
}

impl<W: FnMut(&Head) -> Batch + Send> Fold for Script<W> {
    fn step(&mut self, head: &Head, loaded: &Loaded) -> Step {
        if !self.wants.is_empty() {
            return Step::Load(self.wants.remove(0));
        }
        self.given = Some(loaded.clone());
        Step::Write(Arc::new((self.write)(head)))
    }
}

/// Commits `count` entries with these rows.
pub(crate) async fn commit(
    store: &dyn Store,
    count: u64,
    rows: impl IntoIterator<Item = (Key, Option<Row>)>,
) -> Result<Option<Head>, StoreError> {
    let rows: BTreeMap<_, _> = rows.into_iter().collect();
    let write = |head: &Head| Batch { rows: rows.clone(), ..batch(head, count) };
    store.commit(&mut Script::writing(write)).await
}

/// A batch of `count` entries and nothing else.
pub(crate) fn batch(head: &Head, count: u64) -> Batch {
    let size = head.size + count;
    Batch {
        entries: (head.size..size).map(entry).map(Arc::new).collect(),
        head: Head { size, time: Time(head.time.0 + 1), root: root(size), epoch: 0 },
        ..Batch::default()
    }
}

/// The entry at `index`; every third has no document.
pub(crate) fn entry(index: u64) -> Entry {
    let low = index.to_le_bytes()[0];
    let has_document = !index.is_multiple_of(3);
    Entry {
        index: LedgerIndex(index),
        leaf: [&[1; 33][..], &index.to_be_bytes()].concat(),
        salt: [low; 32],
        document_salt: if has_document { [!low; 32] } else { [0; 32] },
        record: format!("record {index}").into_bytes(),
        signed_document: if has_document {
            format!("document {index}").into_bytes()
        } else {
            Vec::new()
        },
    }
}

/// Stands for the tree's root at `size`.
pub(crate) fn root(size: u64) -> [u8; 32] {
    [size.to_le_bytes()[0]; 32]
}

/// One key of each kind, with its row and another row for the same key.
pub(crate) fn kinds() -> Vec<(Key, Row, Row)> {
    let here = || agency("court-1");
    let (case, digest, number) = (case(7), Digest([7; 32]), InboxNumber(7));
    let (index, duty) = (LedgerIndex(7), DutyId { index: LedgerIndex(7), ordinal: 2 });
    let (a_document, another) = (document(7), document(8));
    let delivery = |copy| {
        Row::Delivery(Delivery { document: document(7), index, time: Time(7), copy, settled: None })
    };
    let opened = |opened| Row::Case(Box::new(Case { opened, ..Case::default() }));
    let changed = |n| Row::Change(LedgerIndex(n), Digest([0; 32]));
    vec![
        (Key::Hub, Row::Entry, changed(1)),
        (Key::Agency(here()), Row::Entry, changed(2)),
        (Key::System(system("gateway-1")), Row::Entry, changed(3)),
        (Key::Certificate(digest), Row::Entry, changed(4)),
        (Key::Rulebook, Row::Rulebook(digest), Row::Rulebook(Digest([8; 32]))),
        (Key::Change(a_document.id), changed(7), changed(8)),
        (Key::Document(a_document.clone()), Row::Entry, changed(5)),
        (Key::Sender(here()), Row::Sender(SenderNumber(7)), Row::Sender(SenderNumber(8))),
        (Key::Sent(here(), SenderNumber(7)), sent(&a_document), sent(&another)),
        (Key::Inbox(here()), inbox(7), inbox(8)),
        (Key::Delivery(here(), number), delivery(false), delivery(true)),
        (Key::Unsettled(here(), Span::of(number)), unsettled(number), changed(6)),
        (Key::Case(case), opened(index), opened(LedgerIndex(8))),
        (Key::OwedInCase(case, duty), Row::Entry, changed(7)),
        (Key::OwedInThread(index, duty), Row::Entry, changed(8)),
        (Key::Waiting(here(), number, duty), Row::Entry, changed(9)),
        (Key::Duty(duty), Row::Entry, changed(10)),
        (Key::Unique(digest), Row::Unique(a_document), Row::Unique(another)),
    ]
}

fn unsettled(number: InboxNumber) -> Row {
    let mut open = Unsettled::default();
    open.insert(number);
    Row::Unsettled(open)
}

/// An inbox row whose last number is `last`.
pub(crate) fn inbox(last: u64) -> Row {
    Row::Inbox(Inbox { last: InboxNumber(last), unsettled: 1 })
}

/// The key of the `number`th delivery of an agency.
pub(crate) fn delivery_key(code: &str, number: u64) -> Key {
    Key::Delivery(agency(code), InboxNumber(number))
}

pub(crate) fn agency(code: &str) -> AgencyCode {
    code.parse().unwrap()
}

pub(crate) fn case(n: u8) -> CaseRef {
    CaseRef([n; 16])
}

pub(crate) fn duty(ordinal: u32) -> DutyId {
    DutyId { index: LedgerIndex(5), ordinal }
}

fn document(n: u8) -> DocumentRef {
    DocumentRef { sender: agency("court-1"), id: DocumentId([n; 16]) }
}

fn sent(document: &DocumentRef) -> Row {
    Row::Sent(document.clone())
}

fn system(code: &str) -> SystemCode {
    code.parse().unwrap()
}
