//! Rows that the only writer has just written, and need not load again: inboxes and senders, and
//! deliveries and documents until they are acknowledged, which is mostly soon.
//!
//! Two generations: when the young one is full the old one is forgotten, so that memory is bounded
//! and nothing in flight is lost at once. What is here is as it is in the store; whoever writes must
//! [`remember`](Cache::remember) every change, and [`clear`](Cache::clear) it when another has
//! written.

use std::collections::{BTreeMap, HashMap};

use super::{Delivery, EntryHead, Key, Range, Row};
use crate::ids::LedgerIndex;

/// Rows and entries that are known without asking the store.
#[derive(Debug, Default)]
pub struct Cache {
    most: usize,
    young: Generation,
    old: Generation,
}

#[derive(Debug, Default)]
struct Generation {
    rows: HashMap<Key, Row>,
    /// Index entries, by their order.
    waiting: BTreeMap<Key, ()>,
    entries: HashMap<LedgerIndex, EntryHead>,
}

impl Cache {
    /// A cache of at most twice `most` rows.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// The row of `key`, if it is known.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Row> {
        self.young.rows.get(key).or_else(|| self.old.rows.get(key))
    }

    /// The entry at `index`, if it is known.
    #[must_use]
    pub fn entry(&self, index: LedgerIndex) -> Option<&EntryHead> {
        self.young.entries.get(&index).or_else(|| self.old.entries.get(&index))
    }

    /// The keys of `range`, if all are known: what waits for a delivery was opened with it.
    #[must_use]
    pub fn range(&self, range: &Range) -> Option<Vec<Key>> {
        let Range::Waiting(agency, number) = range else { return None };
        let key = Key::Delivery(agency.clone(), *number);
        let holds = |generation: &&Generation| generation.rows.contains_key(&key);
        let generation = [&self.young, &self.old].into_iter().find(holds)?;
        let Row::Delivery(Delivery { settled: None, .. }) = generation.rows.get(&key)? else {
            return None;
        };
        let keys = generation.waiting.range(range.first()..);
        Some(keys.map(|(key, ())| key).take_while(|key| range.holds(key)).cloned().collect())
    }

    /// Takes what a batch changed.
    pub fn remember(&mut self, key: &Key, row: Option<&Row>) {
        match (key, row) {
            (Key::Waiting(..), Some(_)) => {
                self.young.waiting.insert(key.clone(), ());
            }
            (Key::Waiting(..), None) => {
                self.young.waiting.remove(key);
                self.old.waiting.remove(key);
            }
            (
                Key::Inbox(_)
                | Key::Unsettled(..)
                | Key::Sender(_)
                | Key::Delivery(..)
                | Key::Document(_),
                Some(row),
            ) => {
                self.young.rows.insert(key.clone(), row.clone());
            }
            (_, Some(_)) => {}
            (_, None) => {
                self.young.rows.remove(key);
                self.old.rows.remove(key);
            }
        }
    }

    /// Takes an entry that a batch appended.
    pub fn append(&mut self, index: LedgerIndex, entry: EntryHead) {
        self.young.entries.insert(index, entry);
    }

    /// Forgets the old, if the young are too many: after a batch, never within one.
    pub fn age(&mut self) {
        if self.young.rows.len() > self.most {
            self.old = std::mem::take(&mut self.young);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        (self.young, self.old) = Default::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::Settled;
    use crate::ids::{AgencyCode, DocumentId, DocumentRef, DutyId, InboxNumber, Time};

    fn agency() -> AgencyCode {
        "liwan-court".parse().unwrap()
    }

    fn delivery(settled: bool) -> Row {
        let document = DocumentRef { sender: agency(), id: DocumentId([1; 16]) };
        let index = LedgerIndex(1);
        let settled = settled.then_some((Settled::Acknowledged, LedgerIndex(2)));
        Row::Delivery(Delivery { document, index, time: Time(0), copy: false, settled })
    }

    fn key(number: u64) -> Key {
        Key::Delivery(agency(), InboxNumber(number))
    }

    #[test]
    fn what_waits_for_a_delivery_is_known_with_it_until_it_is_settled() {
        let mut cache = Cache::new(10);
        let range = Range::Waiting(agency(), InboxNumber(1));
        assert_eq!(cache.range(&range), None);
        let duty = DutyId { index: LedgerIndex(1), ordinal: 0 };
        let waiting = Key::Waiting(agency(), InboxNumber(1), duty);
        cache.remember(&key(1), Some(&delivery(false)));
        assert_eq!(cache.range(&range), Some(Vec::new()));
        cache.remember(&waiting, Some(&Row::Entry));
        assert_eq!(cache.range(&range), Some(vec![waiting.clone()]));
        cache.remember(&waiting, None);
        assert_eq!(cache.range(&range), Some(Vec::new()));
        cache.remember(&key(1), Some(&delivery(true)));
        assert_eq!(cache.range(&range), None);
    }

    #[test]
    fn what_is_gone_or_cleared_is_unknown() {
        let mut cache = Cache::new(10);
        cache.remember(&key(1), Some(&delivery(false)));
        cache.remember(&key(2), Some(&delivery(false)));
        cache.remember(&key(1), None);
        assert_eq!(cache.get(&key(1)), None);
        assert_eq!(cache.get(&key(2)), Some(&delivery(false)));
        cache.clear();
        assert_eq!(cache.get(&key(2)), None);
    }

    #[test]
    fn it_is_bounded_and_the_newest_outlive_the_old() {
        let mut cache = Cache::new(10);
        for number in 0..100 {
            cache.age();
            cache.remember(&key(number), Some(&delivery(false)));
        }
        let known = (0..100).filter(|number| cache.get(&key(*number)).is_some()).count();
        assert!((11..=22).contains(&known), "{known}");
        assert!(cache.get(&key(99)).is_some());
    }

    #[test]
    fn the_younger_of_two_is_told() {
        let mut cache = Cache::new(0);
        cache.remember(&key(1), Some(&delivery(false)));
        cache.age();
        cache.remember(&key(1), Some(&delivery(true)));
        assert_eq!(cache.get(&key(1)), Some(&delivery(true)));
    }
}
