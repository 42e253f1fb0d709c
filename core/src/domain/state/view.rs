//! What decisions and `apply` see of the state: rows loaded from a store, and over them what the
//! batch has changed so far. A read of something that is not loaded is remembered, not guessed: the
//! caller loads it and runs again.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::{Cache, Key, Range, Row};
use crate::ids::{CaseRef, LedgerIndex, PersonKey};

/// What a read asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wants {
    /// Rows by key; a key without a row is no error.
    pub keys: BTreeSet<Key>,
    /// Keys that begin alike.
    pub ranges: BTreeSet<Range>,
    /// Earlier entries.
    pub entries: BTreeSet<LedgerIndex>,
    /// Cases of persons.
    pub persons: BTreeSet<PersonKey>,
}

impl Wants {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
            && self.ranges.is_empty()
            && self.entries.is_empty()
            && self.persons.is_empty()
    }

    /// Asks for what `other` asks for too.
    pub fn extend(&mut self, other: Self) {
        self.keys.extend(other.keys);
        self.ranges.extend(other.ranges);
        self.entries.extend(other.entries);
        self.persons.extend(other.persons);
    }
}

/// What a decision needs of an earlier entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryHead {
    /// The leaf: 41 bytes.
    pub leaf: Vec<u8>,
    /// The document's salt; zeros if there is no document.
    pub document_salt: [u8; 32],
}

/// What reads have found so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Every key that was asked for, with its row if there is one.
    pub rows: BTreeMap<Key, Option<Row>>,
    /// Every range that was asked for, with its keys in order. They are index entries: the key says
    /// it all.
    pub ranges: BTreeMap<Range, Vec<Key>>,
    /// The entries that exist.
    pub entries: BTreeMap<LedgerIndex, EntryHead>,
    /// For each person their cases; a person without any has an empty list.
    pub persons: BTreeMap<PersonKey, Vec<CaseRef>>,
}

impl Loaded {
    /// Adds what another read found.
    pub fn extend(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.ranges.extend(other.ranges);
        self.entries.extend(other.entries);
        self.persons.extend(other.persons);
    }
}

/// The state as a batch sees it.
#[derive(Debug)]
pub struct View<'a> {
    loaded: &'a Loaded,
    cache: Option<&'a Cache>,
    changed: BTreeMap<Key, Option<Row>>,
    entries: BTreeMap<LedgerIndex, EntryHead>,
    persons: Vec<(PersonKey, CaseRef)>,
    missing: RefCell<Wants>,
}

impl<'a> View<'a> {
    /// A view of what is loaded, nothing changed yet.
    #[must_use]
    pub fn new(loaded: &'a Loaded) -> Self {
        Self {
            loaded,
            cache: None,
            changed: BTreeMap::new(),
            entries: BTreeMap::new(),
            persons: Vec::new(),
            missing: RefCell::default(),
        }
    }

    /// The same, with rows that the caller knows already: rows that exist, as they are now.
    #[must_use]
    pub fn with_cache(mut self, cache: &'a Cache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// The row of `key`.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Row> {
        if let Some(row) = self.changed.get(key).or_else(|| self.loaded.rows.get(key)) {
            return row.as_ref();
        }
        if let Some(row) = self.cache.and_then(|cache| cache.get(key)) {
            return Some(row);
        }
        self.missing.borrow_mut().keys.insert(key.clone());
        None
    }

    /// The keys of `range`, in order.
    #[must_use]
    pub fn range(&self, range: &Range) -> Vec<Key> {
        let mut keys = BTreeSet::new();
        if let Some(loaded) = self.loaded.ranges.get(range) {
            keys.extend(loaded.iter().cloned());
        } else if let Some(known) = self.cache.and_then(|cache| cache.range(range)) {
            keys.extend(known);
        } else if !self.began_here(range) {
            self.missing.borrow_mut().ranges.insert(range.clone());
            return Vec::new();
        }
        for (key, row) in self.changed.range(range.first()..).take_while(|(k, _)| range.holds(k)) {
            if row.is_some() {
                keys.insert(key.clone());
            } else {
                keys.remove(key);
            }
        }
        keys.into_iter().collect()
    }

    /// Whether all that the range can hold was made by this batch: nothing of it is stored yet.
    fn began_here(&self, range: &Range) -> bool {
        match range {
            Range::OwedInThread(root) => self.entries.contains_key(root),
            Range::OwedInCase(case) => matches!(
                self.changed.get(&Key::Case(*case)),
                Some(Some(Row::Case(row))) if self.entries.contains_key(&row.opened)
            ),
            Range::Waiting(agency, number) => matches!(
                self.changed.get(&Key::Delivery(agency.clone(), *number)),
                Some(Some(Row::Delivery(row))) if self.entries.contains_key(&row.index)
            ),
        }
    }

    /// What is needed of the entry at `index`.
    #[must_use]
    pub fn entry(&self, index: LedgerIndex) -> Option<&EntryHead> {
        let found = self
            .entries
            .get(&index)
            .or_else(|| self.loaded.entries.get(&index))
            .or_else(|| self.cache.and_then(|cache| cache.entry(index)));
        if found.is_none() {
            self.missing.borrow_mut().entries.insert(index);
        }
        found
    }

    /// The cases of a person.
    #[must_use]
    pub fn cases_of(&self, person: PersonKey) -> Vec<CaseRef> {
        let Some(loaded) = self.loaded.persons.get(&person) else {
            self.missing.borrow_mut().persons.insert(person);
            return Vec::new();
        };
        let new = self.persons.iter().filter(|(p, _)| *p == person).map(|(_, case)| *case);
        loaded.iter().copied().chain(new).collect()
    }

    /// Puts a row.
    pub fn put(&mut self, key: Key, row: Row) {
        self.changed.insert(key, Some(row));
    }

    /// Deletes a row.
    pub fn delete(&mut self, key: Key) {
        self.changed.insert(key, None);
    }

    /// Notes an entry that this batch appends.
    pub fn append(&mut self, index: LedgerIndex, entry: EntryHead) {
        self.entries.insert(index, entry);
    }

    /// Links a person to a case. The link is no row: the record does not tell it (P9).
    pub fn link(&mut self, person: PersonKey, case: CaseRef) {
        self.persons.push((person, case));
    }

    /// What was read without being loaded; nothing, if all that was decided stands.
    #[must_use]
    pub fn missing(&self) -> Wants {
        self.missing.borrow().clone()
    }

    /// Takes what was read without being loaded, so that the next question starts afresh.
    #[must_use]
    pub fn take_missing(&self) -> Wants {
        self.missing.take()
    }

    /// What the batch changed.
    #[must_use]
    pub fn into_changes(self) -> Changes {
        Changes { rows: self.changed, links: self.persons }
    }
}

/// What a batch changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The rows: the new one, or none if it is gone.
    pub rows: BTreeMap<Key, Option<Row>>,
    /// New links from a person to a case.
    pub links: Vec<(PersonKey, CaseRef)>,
}
