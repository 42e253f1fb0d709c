//! The suite: one function a promise, each for any [`Database`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use xianjie::store::{
    Batch, EntryHead, Fold, FullTile, Head, Loaded, Step, StoreError, Wants, prefix_end,
};
use xianjie_core::domain::state::{Key, Range, Row};
use xianjie_core::ids::{InboxNumber, LedgerIndex, PersonKey, Time};
use xianjie_core::limits::PAGE_BYTES;

use super::Database;
use super::making::{
    Script, agency, batch, case, commit, delivery_key, duty, entry, inbox, kinds, root,
};

pub(crate) async fn a_fresh_store_is_empty<D: Database>() {
    let database = D::fresh().await;
    let store = database.store();
    let head = store.head().await.unwrap();
    assert_eq!((head.size, head.time, head.root), (0, Time(0), [0; 32]));
    assert_eq!(store.fence().await.unwrap().size, 0);
    assert_eq!(store.scan(&[], &[0xff], 10).await.unwrap(), []);
    assert_eq!(store.entries_from(LedgerIndex(0), 10).await.unwrap(), []);
}

pub(crate) async fn what_was_committed_is_read_back<D: Database>() {
    let database = D::fresh().await;
    let store = database.store();
    let written = commit(&*store, 5, []).await.unwrap().unwrap();
    assert_eq!((written.size, written.time, written.root), (5, Time(1), root(5)));
    let head = store.head().await.unwrap();
    assert_eq!((head.size, head.time, head.root), (5, Time(1), root(5)));
    assert_eq!(store.fence().await.unwrap().size, 5);
    let entries: Vec<_> = (0..5).map(entry).collect();
    assert_eq!(store.entries_from(LedgerIndex(0), 10).await.unwrap(), entries);
}

pub(crate) async fn a_fold_with_nothing_to_write_writes_nothing<D: Database>() {
    let database = D::fresh().await;
    let store = database.store();
    commit(&*store, 1, []).await.unwrap();
    let before = store.head().await.unwrap();
    let rows = [(Key::Rulebook, Some(Row::Entry))];
    assert_eq!(commit(&*store, 0, rows).await.unwrap(), None);
    assert_eq!(store.head().await.unwrap(), before);
    assert_eq!(store.scan(&[], &[0xff], 10).await.unwrap(), []);
    assert_eq!(commit(&*store, 1, []).await.unwrap().unwrap().size, 2);
}

pub(crate) async fn every_kind_of_key_is_put_replaced_and_deleted<D: Database>() {
    let database = D::fresh().await;
    let store = database.store();
    let keys: BTreeSet<Key> = kinds().into_iter().map(|(key, _, _)| key).collect();
    let wants = Wants { keys: keys.clone(), ..Wants::default() };

    let first: BTreeMap<_, _> = kinds().into_iter().map(|(key, row, _)| (key, Some(row))).collect();
    commit(&*store, 1, first.clone()).await.unwrap();
    assert_eq!(store.load(&wants).await.unwrap().rows, first);
    let scanned = store.scan(&[], &[0xff], 100).await.unwrap();
    let in_order: Vec<_> = keys.iter().map(Key::to_bytes).collect();
    assert_eq!(scanned.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), in_order);

    let second: BTreeMap<_, _> =
        kinds().into_iter().map(|(key, _, row)| (key, Some(row))).collect();
    commit(&*store, 1, second.clone()).await.unwrap();
    assert_eq!(store.load(&wants).await.unwrap().rows, second);

    let kept = keys.first().unwrap();
    let gone = keys.iter().filter(|key| *key != kept).map(|key| (key.clone(), None));
    commit(&*store, 1, gone).await.unwrap();
    assert_eq!(store.scan(&[], &[0xff], 100).await.unwrap().len(), 1);
    let left = store.load(&wants).await.unwrap().rows;
    assert_eq!(left[kept], second[kept]);
    assert!(left.iter().all(|(key, row)| key == kept || row.is_none()));
}

pub(crate) async fn a_fold_sees_what_it_wanted<D: Database>() {
    let database = D::fresh().await;
    let store = database.store();
    commit(&*store, 4, [(Key::Rulebook, Some(inbox(3)))]).await.unwrap();
    let first = Wants { keys: [Key::Rulebook, Key::Hub].into(), ..Wants::default() };
    let second = Wants { entries: [LedgerIndex(1), LedgerIndex(9)].into(), ..Wants::default() };
    let mut heads = Vec::new();
    let write = |head: &Head| {
        heads.push(head.clone());
        batch(head, 1)
    };
    let mut script = Script { wants: vec![first, second], write, given: None };
    store.commit(&mut script).await.unwrap();
    let given = script.given.unwrap();
    assert_eq!(given.rows, BTreeMap::from([(Key::Rulebook, Some(inbox(3))), (Key::Hub, None)]));
    let head = EntryHead { leaf: entry(1).leaf, document_salt: entry(1).document_salt };
    assert_eq!(given.entries, BTreeMap::from([(LedgerIndex(1), head)]));
    assert_eq!(heads.iter().map(|head| head.size).collect::<Vec<_>>(), [4]);
}

pub(crate) async fn a_fold_that_is_never_content_fails<D: Database>() {
    let database = D::fresh().await;
    let store = database.store();
    let wants = vec![Wants { keys: [Key::Hub].into(), ..Wants::default() }; 100];
    let mut script = Script { wants, write: |head: &Head| batch(head, 1), given: None };
    let error = store.commit(&mut script).await.unwrap_err();
    assert!(matches!(error, StoreError::Fatal(_)), "{error}");
    assert_eq!(store.head().await.unwrap().size, 0);
}

pub(crate) async fn a_batch_that_does_not_continue_the_ledger_fails<D: Database>() {
    let database = D::fresh().await;
    let store = database.store();
    commit(&*store, 2, []).await.unwrap();
    let wrong: [fn(&Head) -> Batch; 4] = [
        |head| batch(&Head { size: head.size + 1, ..head.clone() }, 1),
        |head| batch(&Head { size: head.size - 1, ..head.clone() }, 1),
        |head| Batch { head: head.clone(), ..batch(head, 1) },
        |head| batch(&Head { time: Time(-5), ..head.clone() }, 1),
    ];
    for write in wrong {
        let error = store.commit(&mut Script::writing(write)).await.unwrap_err();
        assert!(matches!(error, StoreError::Fatal(_)), "{error}");
        assert_eq!(store.entries_from(LedgerIndex(0), 10).await.unwrap().len(), 2);
    }
    assert_eq!(commit(&*store, 1, []).await.unwrap().unwrap().size, 3);
}

/// Each of many commits reads a counter and writes it back one higher: were the head not locked
/// before the read, two would read the same.
pub(crate) async fn two_commits_at_once_come_one_after_the_other<D: Database>() {
    let database = D::fresh().await;
    let key = delivery_key("court-1", 1);
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (store, key) = (database.store(), key.clone());
            tokio::spawn(
                async move { store.commit(&mut Counter { key }).await.unwrap().unwrap().size },
            )
        })
        .collect();
    let mut sizes = BTreeSet::new();
    for task in tasks {
        sizes.insert(task.await.unwrap());
    }
    assert_eq!(sizes, (1..=16).collect());
    let wants = Wants { keys: [key.clone()].into(), ..Wants::default() };
    let counted = database.store().load(&wants).await.unwrap().rows.remove(&key).flatten();
    assert_eq!(counted, Some(inbox(16)));
}

struct Counter {
    key: Key,
}

impl Fold for Counter {
    fn step(&mut self, head: &Head, loaded: &Loaded) -> Step {
        let last = match loaded.rows.get(&self.key) {
            Some(Some(Row::Inbox(inbox))) => inbox.last,
            Some(_) => InboxNumber(0),
            None => {
                let keys = [self.key.clone()].into();
                return Step::Load(Wants { keys, ..Wants::default() });
            }
        };
        let rows = BTreeMap::from([(self.key.clone(), Some(inbox(last.0 + 1)))]);
        Step::Write(Arc::new(Batch { rows, ..batch(head, 1) }))
    }
}

/// Callers give up after more and more time; the ledger stays whole and the next commit works.
pub(crate) async fn a_caller_that_goes_away_leaves_the_store_usable<D: Database>() {
    let database = D::fresh().await;
    let store = database.store();
    for microseconds in (0..4000).step_by(200) {
        let given_up = commit(&*store, 3, [(Key::Hub, Some(Row::Entry))]);
        let _ = tokio::time::timeout(Duration::from_micros(microseconds), given_up).await;
        let size = commit(&*store, 1, []).await.unwrap().unwrap().size;
        let entries = store.entries_from(LedgerIndex(0), 1000).await.unwrap();
        assert_eq!(entries, (0..size).map(entry).collect::<Vec<_>>());
    }
}

pub(crate) async fn ranges_come_whole_and_in_order<D: Database>() {
    let database = D::fresh().await;
    let store = database.store();
    let court = || agency("court-1");
    let keys = [
        Key::OwedInCase(case(1), duty(9)),
        Key::OwedInCase(case(2), duty(300)),
        Key::OwedInCase(case(2), duty(2)),
        Key::OwedInCase(case(3), duty(1)),
        Key::OwedInThread(LedgerIndex(u64::MAX), duty(4)),
        Key::Waiting(court(), InboxNumber(1), duty(1)),
        Key::Waiting(court(), InboxNumber(256), duty(1)),
        Key::Waiting(agency("court-10"), InboxNumber(1), duty(1)),
    ];
    commit(&*store, 1, keys.into_iter().map(|key| (key, Some(Row::Entry)))).await.unwrap();
    let expected = BTreeMap::from([
        (
            Range::OwedInCase(case(2)),
            vec![Key::OwedInCase(case(2), duty(2)), Key::OwedInCase(case(2), duty(300))],
        ),
        (Range::OwedInCase(case(4)), vec![]),
        (
            Range::OwedInThread(LedgerIndex(u64::MAX)),
            vec![Key::OwedInThread(LedgerIndex(u64::MAX), duty(4))],
        ),
        (
            Range::Waiting(court(), InboxNumber(1)),
            vec![Key::Waiting(court(), InboxNumber(1), duty(1))],
        ),
    ]);
    let wants = Wants { ranges: expected.keys().cloned().collect(), ..Wants::default() };
    assert_eq!(store.load(&wants).await.unwrap().ranges, expected);
}

pub(crate) async fn what_is_unknown_is_absent<D: Database>() {
    let database = D::fresh().await;
    let store = database.store();
    commit(&*store, 2, []).await.unwrap();
    let wants = Wants {
        keys: [Key::Hub].into(),
        ranges: [Range::OwedInCase(case(1))].into(),
        entries: [LedgerIndex(2), LedgerIndex(u64::MAX)].into(),
        persons: [PersonKey([1; 32])].into(),
    };
    let loaded = store.load(&wants).await.unwrap();
    assert_eq!(loaded.rows, BTreeMap::from([(Key::Hub, None)]));
    assert_eq!(loaded.ranges, BTreeMap::from([(Range::OwedInCase(case(1)), vec![])]));
    assert_eq!(loaded.entries, BTreeMap::new());
    assert_eq!(loaded.persons, BTreeMap::from([(PersonKey([1; 32]), vec![])]));
    assert_eq!(store.entries_from(LedgerIndex(2), 10).await.unwrap(), []);
    assert_eq!(store.entries_from(LedgerIndex(u64::MAX), 10).await.unwrap(), []);
    assert_eq!(store.leaves_from(LedgerIndex(2), 10).await.unwrap(), Vec::<Vec<u8>>::new());
}

pub(crate) async fn a_scan_is_bounded_and_in_order<D: Database>() {
    let database = D::fresh().await;
    let store = database.store();
    let rows = (1..=300).map(|number| (delivery_key("court-1", number), Some(inbox(number))));
    let other = [(delivery_key("court-10", 1), Some(inbox(1)))];
    commit(&*store, 1, rows.chain(other)).await.unwrap();
    let from = delivery_key("court-1", 255).to_bytes();
    let to = delivery_key("court-1", 260).to_bytes();
    let page = store.scan(&from, &to, 100).await.unwrap();
    let expected: Vec<_> = (255..260)
        .map(|number| (delivery_key("court-1", number).to_bytes(), inbox(number).to_bytes()))
        .collect();
    assert_eq!(page, expected);
    assert_eq!(store.scan(&from, &to, 2).await.unwrap(), expected[..2]);
    assert_eq!(store.scan(&from, &from, 2).await.unwrap(), []);
    let inbox_of_court_1 = &from[..from.len() - 8];
    let all = store.scan(inbox_of_court_1, &prefix_end(inbox_of_court_1), 1000).await.unwrap();
    assert_eq!(all.len(), 300);
}

pub(crate) async fn a_scan_page_is_bounded_by_bytes<D: Database>() {
    let database = D::fresh().await;
    let store = database.store();
    let agencies = (0..8000).map(|n| agency(&format!("a-rather-long-agency-code-{n}"))).collect();
    let large = Row::NoticeOwed(agencies);
    let size = large.to_bytes().len();
    let rows = (1..=10).map(|number| (delivery_key("court-1", number), Some(large.clone())));
    commit(&*store, 1, rows).await.unwrap();
    let page = store.scan(&[], &[0xff], 1000).await.unwrap();
    assert_eq!(page.len(), PAGE_BYTES / size);
    let (mut from, mut seen) = (Vec::new(), 0);
    loop {
        let page = store.scan(&from, &[0xff], 1000).await.unwrap();
        let Some((last, _)) = page.last() else { break };
        from = [last.as_slice(), &[0]].concat();
        seen += page.len();
    }
    assert_eq!(seen, 10);
}

pub(crate) async fn entries_come_in_order<D: Database>() {
    let database = D::fresh().await;
    let store = database.store();
    commit(&*store, 20, []).await.unwrap();
    let asked = [17, 3, 99, 3, u64::MAX, 11].map(LedgerIndex);
    let entries = store.entries(&asked).await.unwrap();
    assert_eq!(entries, [entry(3), entry(11), entry(17)]);
    assert_eq!(store.entries(&[]).await.unwrap(), []);
}

pub(crate) async fn entry_pages_are_bounded<D: Database>() {
    let database = D::fresh().await;
    let store = database.store();
    let write = |head: &Head| {
        let mut batch = batch(head, 5);
        for entry in &mut batch.entries[1..] {
            Arc::make_mut(entry).signed_document = vec![1; PAGE_BYTES / 2 - 1000];
        }
        Arc::make_mut(&mut batch.entries[4]).signed_document = vec![1; PAGE_BYTES + 1];
        batch
    };
    store.commit(&mut Script::writing(write)).await.unwrap();
    let mut pages = Vec::new();
    let mut next = 0;
    loop {
        let page = store.entries_from(LedgerIndex(next), 100).await.unwrap();
        let Some(last) = page.last() else { break };
        next = last.index.0 + 1;
        pages.push(page.iter().map(|entry| entry.index.0).collect::<Vec<_>>());
    }
    assert_eq!(pages, [vec![0, 1, 2], vec![3], vec![4]]);
    let two = store.entries_from(LedgerIndex(0), 2).await.unwrap();
    assert_eq!(two.iter().map(|entry| entry.index.0).collect::<Vec<_>>(), [0, 1]);
}

pub(crate) async fn leaves_come_in_order<D: Database>() {
    let database = D::fresh().await;
    let store = database.store();
    commit(&*store, 10, []).await.unwrap();
    let leaves = store.leaves_from(LedgerIndex(4), 3).await.unwrap();
    assert_eq!(leaves, [entry(4).leaf, entry(5).leaf, entry(6).leaf]);
    assert_eq!(store.leaves_from(LedgerIndex(8), 100).await.unwrap().len(), 2);
}

pub(crate) async fn tiles_come_as_asked<D: Database>() {
    let database = D::fresh().await;
    let store = database.store();
    let tile = |level, index, byte| FullTile { level, index, bytes: vec![byte; 8192] };
    let write = |head: &Head| Batch {
        tiles: vec![tile(0, 0, 1), tile(0, 1, 2), tile(1, 0, 3)],
        ..batch(head, 1)
    };
    store.commit(&mut Script::writing(write)).await.unwrap();
    let asked = [(1, 0), (0, 2), (0, 1), (1, 0), (63, u64::MAX)];
    let found = store.tiles(&asked).await.unwrap();
    let bytes: Vec<_> = found.iter().map(|tile| tile.as_ref().map(|t| (t.len(), t[0]))).collect();
    assert_eq!(bytes, [Some((8192, 3)), None, Some((8192, 2)), Some((8192, 3)), None]);
    assert_eq!(store.tiles(&[]).await.unwrap(), Vec::<Option<Vec<u8>>>::new());
}

pub(crate) async fn persons_have_their_cases<D: Database>() {
    let database = D::fresh().await;
    let store = database.store();
    let (one, two) = (PersonKey([1; 32]), PersonKey([2; 32]));
    for links in [vec![(one, case(9)), (two, case(5))], vec![(one, case(3)), (one, case(9))]] {
        let write = |head: &Head| Batch { persons: links.clone(), ..batch(head, 1) };
        store.commit(&mut Script::writing(write)).await.unwrap();
    }
    let wants = Wants { persons: [one, two].into(), ..Wants::default() };
    let persons = store.load(&wants).await.unwrap().persons;
    assert_eq!(persons, BTreeMap::from([(one, vec![case(3), case(9)]), (two, vec![case(5)])]));

    let all = [(one, case(3)), (one, case(9)), (two, case(5))];
    for (place, from) in all.iter().enumerate() {
        assert_eq!(store.scan_persons(*from, 9).await.unwrap(), all[place..]);
    }
    assert_eq!(store.scan_persons((one, case(0)), 2).await.unwrap(), all[..2]);
    assert_eq!(store.scan_persons((two, case(6)), 9).await.unwrap(), []);
}

/// More of everything than one statement takes, and a number that no width divides.
pub(crate) async fn a_wide_batch_is_written_whole<D: Database>() {
    let database = D::fresh().await;
    let store = database.store();
    let rows: BTreeMap<_, _> =
        (1..=999).map(|number| (delivery_key("court-1", number), Some(inbox(number)))).collect();
    let persons: Vec<_> = (0..=98).map(|n| (PersonKey([n; 32]), case(n))).collect();
    let write =
        |head: &Head| Batch { rows: rows.clone(), persons: persons.clone(), ..batch(head, 255) };
    store.commit(&mut Script::writing(write)).await.unwrap();
    let wants = Wants {
        keys: rows.keys().cloned().collect(),
        persons: persons.iter().map(|(person, _)| *person).collect(),
        ..Wants::default()
    };
    let loaded = store.load(&wants).await.unwrap();
    assert_eq!(loaded.rows, rows);
    assert!(persons.iter().all(|(person, case)| loaded.persons[person] == [*case]));
    let entries = store.entries_from(LedgerIndex(0), 1000).await.unwrap();
    assert_eq!(entries, (0..255).map(entry).collect::<Vec<_>>());

    let gone = rows.keys().map(|key| (key.clone(), None));
    commit(&*store, 1, gone).await.unwrap();
    assert_eq!(store.scan(&[], &[0xff], 10).await.unwrap(), []);
}

pub(crate) async fn a_reopened_store_has_everything<D: Database>() {
    let database = D::fresh().await;
    let person = PersonKey([1; 32]);
    let write = |head: &Head| Batch {
        rows: [(Key::Hub, Some(inbox(7)))].into(),
        persons: vec![(person, case(1))],
        tiles: vec![FullTile { level: 0, index: 0, bytes: vec![5; 8192] }],
        ..batch(head, 3)
    };
    database.store().commit(&mut Script::writing(write)).await.unwrap();

    let database = database.reopened().await;
    let store = database.store();
    assert_eq!(store.fence().await.unwrap().root, root(3));
    assert_eq!(store.entries_from(LedgerIndex(0), 10).await.unwrap().len(), 3);
    let wants = Wants { keys: [Key::Hub].into(), persons: [person].into(), ..Wants::default() };
    let loaded = store.load(&wants).await.unwrap();
    assert_eq!(loaded.rows[&Key::Hub], Some(inbox(7)));
    assert_eq!(loaded.persons[&person], [case(1)]);
    assert_eq!(store.tiles(&[(0, 0)]).await.unwrap(), [Some(vec![5; 8192])]);
    assert_eq!(commit(&*store, 1, []).await.unwrap().unwrap().size, 4);
}
