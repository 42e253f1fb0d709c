//! What the fold made, against what the store holds: all rows of the state (P9), and all links from
//! persons to cases. Both are streamed side by side, in the order of their keys.

use std::cmp::Ordering;
use std::collections::VecDeque;

use xianjie_core::domain::state::Key;
use xianjie_core::ids::{CaseRef, PersonKey};
use xianjie_core::limits;

use super::findings::wrong;
use super::{Audit, AuditError};
use crate::store::{RowPage, Store, StoreError};

/// Keys that differ and wait to be looked at again.
const SUSPECTS: usize = 256;

/// How often a key is looked at again while a live store moves on: each time but for the last
/// nothing is said unless the store stood still.
const LOOKS: usize = 16;

/// Bytes of a person's key; a case follows it.
const PERSON_BYTES: usize = 32;

/// Above every key.
const END: [u8; 64] = [0xff; 64];

/// What is compared.
#[derive(Clone, Copy)]
enum Table {
    /// The state.
    Rows,
    /// Persons with their cases, as keys without rows.
    Persons,
}

impl Audit<'_> {
    /// Compares all rows, and counts those of the store.
    pub(super) async fn compare_rows(&mut self) -> Result<(), AuditError> {
        self.compare(Table::Rows).await
    }

    /// Compares all links from persons to cases.
    pub(super) async fn compare_persons(&mut self) -> Result<(), AuditError> {
        self.compare(Table::Persons).await
    }

    async fn compare(&mut self, table: Table) -> Result<(), AuditError> {
        let mut held = Stream::new(table, self.store);
        let mut made = Stream::new(table, self.scratch);
        let mut suspects = Vec::new();
        loop {
            held.fill().await.map_err(AuditError::Store)?;
            made.fill().await.map_err(AuditError::Scratch)?;
            let order = match (held.page.front(), made.page.front()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((held, _)), Some((made, _))) => held.cmp(made),
            };
            let held = if order.is_le() { held.page.pop_front() } else { None };
            let made = if order.is_ge() { made.page.pop_front() } else { None };
            if let (Table::Rows, Some((key, _))) = (table, &held) {
                self.count(key);
            }
            if held != made {
                suspects.extend(held.or(made).map(|(key, _)| key));
            }
            if suspects.len() >= SUSPECTS {
                self.look_again(table, std::mem::take(&mut suspects)).await?;
            }
        }
        self.look_again(table, suspects).await
    }

    fn count(&mut self, key: &[u8]) {
        self.rows += 1;
        match Key::from_bytes(key) {
            Ok(Key::Case(_)) => self.cases += 1,
            Ok(Key::Delivery(..)) => self.deliveries += 1,
            _ => {}
        }
    }

    /// A live store has moved since its records were folded: the fold catches up, and what still
    /// differs while the store stands still is a finding.
    async fn look_again(
        &mut self,
        table: Table,
        mut suspects: Vec<Vec<u8>>,
    ) -> Result<(), AuditError> {
        for look in 1..=LOOKS {
            if suspects.is_empty() {
                return Ok(());
            }
            let size = self.advance().await?;
            let mut differing = Vec::new();
            for key in suspects {
                let held = one(table, self.store, &key).await.map_err(AuditError::Store)?;
                let made = one(table, self.scratch, &key).await.map_err(AuditError::Scratch)?;
                if held != made {
                    differing.push((key, held.is_some(), made.is_some()));
                }
            }
            let head = self.store.head().await.map_err(AuditError::Store)?;
            if head.size == size || self.torn || look == LOOKS {
                for (key, held, made) in &differing {
                    self.differs(table, key, *held, *made);
                }
                return Ok(());
            }
            suspects = differing.into_iter().map(|(key, _, _)| key).collect();
        }
        Ok(())
    }

    fn differs(&mut self, table: Table, key: &[u8], held: bool, made: bool) {
        let wrong = match (table, held, made) {
            (Table::Rows, true, true) => wrong::ROW_DIFFERS,
            (Table::Rows, true, false) => wrong::ROW_EXTRA,
            (Table::Rows, false, _) => wrong::ROW_MISSING,
            (Table::Persons, true, _) => wrong::PERSON_EXTRA,
            (Table::Persons, false, _) => wrong::PERSON_MISSING,
        };
        self.findings.add(wrong, None, name(table, key));
    }
}

/// What a key is called. A person's is never told: it is a digest of a number that can be guessed.
fn name(table: Table, key: &[u8]) -> String {
    match table {
        Table::Rows => match Key::from_bytes(key) {
            Ok(key) => format!("{key:?}"),
            Err(_) => format!("0x{}", hex::encode(key)),
        },
        Table::Persons => hex::encode(key.get(PERSON_BYTES..).unwrap_or_default()),
    }
}

/// A table, page by page.
struct Stream<'a> {
    table: Table,
    store: &'a dyn Store,
    page: VecDeque<(Vec<u8>, Vec<u8>)>,
    /// Where the next page begins; none after the last.
    from: Option<Vec<u8>>,
}

impl<'a> Stream<'a> {
    fn new(table: Table, store: &'a dyn Store) -> Self {
        Self { table, store, page: VecDeque::new(), from: Some(Vec::new()) }
    }

    /// Makes sure that the next row is at hand, if there is one.
    async fn fill(&mut self) -> Result<(), StoreError> {
        if let (true, Some(from)) = (self.page.is_empty(), &self.from) {
            self.page = page(self.table, self.store, from, limits::PAGE_MAX).await?.into();
            self.from = self.page.back().map(|(last, _)| [last.as_slice(), &[0]].concat());
        }
        Ok(())
    }
}

async fn one(table: Table, store: &dyn Store, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    let found = page(table, store, key, 1).await?.into_iter().next();
    Ok(found.filter(|(found, _)| found == key).map(|(_, row)| row))
}

async fn page(
    table: Table,
    store: &dyn Store,
    from: &[u8],
    limit: usize,
) -> Result<RowPage, StoreError> {
    match table {
        Table::Rows => store.scan(from, &END, limit).await,
        Table::Persons => {
            // A key's next begins with the key itself, which is asked for and left out.
            let mut first = [0; PERSON_BYTES + 16];
            let length = from.len().min(first.len());
            first[..length].copy_from_slice(&from[..length]);
            let (person, case) = first.split_at(PERSON_BYTES);
            let first = (
                PersonKey(person.try_into().unwrap_or_default()),
                CaseRef(case.try_into().unwrap_or_default()),
            );
            let links = store.scan_persons(first, limit + 1).await?;
            let keys = links.into_iter().map(|(person, case)| [&person.0[..], &case.0].concat());
            Ok(keys.filter(|key| key.as_slice() >= from).map(|key| (key, Vec::new())).collect())
        }
    }
}
