//! A store in memory, to be spoiled: all that another store holds, open to every change.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use xianjie_core::domain::record::{Kind, Record};
use xianjie_core::ids::{CaseRef, Digest, LedgerIndex, PersonKey, Time};
use xianjie_core::ledger::{Edge, Leaf, record_commitment};

use crate::store::{Entry, Fold, Head, Loaded, RowPage, Space, Store, StoreError, Wants};
use crate::wire;

pub(super) struct Copied {
    pub(super) head: Head,
    pub(super) entries: Vec<Entry>,
    /// The entries' times, as [`seal`](Self::seal) writes them.
    pub(super) times: Vec<Time>,
    pub(super) rows: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(super) persons: BTreeSet<(PersonKey, CaseRef)>,
    pub(super) tiles: BTreeMap<(u8, u64), Vec<u8>>,
}

impl Copied {
    pub(super) async fn of(store: &dyn Store) -> Self {
        let head = store.head().await.unwrap();
        let indexes: Vec<LedgerIndex> = (0..head.size).map(LedgerIndex).collect();
        let entries = store.entries(&indexes).await.unwrap();
        let time = |entry: &Entry| Leaf::parse(&entry.leaf).unwrap().time_ms as i64;
        let tile = store.tiles(&[(0, 0)]).await.unwrap().remove(0).unwrap();
        let start = (PersonKey([0; 32]), CaseRef([0; 16]));
        Self {
            head,
            times: entries.iter().map(|entry| Time(time(entry))).collect(),
            entries,
            rows: store.scan(&[], &[0xff], 1000).await.unwrap().into_iter().collect(),
            persons: store.scan_persons(start, 1000).await.unwrap().into_iter().collect(),
            tiles: [((0, 0), tile)].into(),
        }
    }

    /// Changes a record; leaf and tree are as they were until [`seal`](Self::seal).
    pub(super) fn change(&mut self, index: u64, change: impl FnOnce(&mut Record)) {
        let mut record = self.record(index);
        change(&mut record);
        self.entries[usize::try_from(index).unwrap()].record = wire::record::encode(&record);
    }

    /// A record.
    pub(super) fn record(&self, index: u64) -> Record {
        wire::record::decode(&self.entries[usize::try_from(index).unwrap()].record).unwrap()
    }

    /// The certificate that signed an acknowledgement.
    pub(super) fn signer(&self, index: u64) -> Digest {
        match self.record(index).kind {
            Kind::Acknowledged(kind) => kind.statement.signatures[0].certificate,
            _ => panic!("record {index} is no acknowledgement"),
        }
    }

    /// Makes leaves, tiles and head anew, as a hub that lies would.
    pub(super) fn seal(&mut self) {
        let mut edge = Edge::new();
        for (entry, time) in self.entries.iter_mut().zip(&self.times) {
            let commitment = record_commitment(&entry.salt, &entry.record);
            let leaf = Leaf { time_ms: u64::try_from(time.0).unwrap(), commitment };
            entry.leaf = leaf.to_bytes().to_vec();
            edge.push(leaf.hash());
        }
        self.head.root = edge.root().0;
        let tiles = edge.full_tiles().into_iter();
        self.tiles = tiles.map(|tile| ((tile.level, tile.index), tile.bytes)).collect();
    }

    /// The only case.
    pub(super) fn case(&self) -> CaseRef {
        self.persons.first().unwrap().1
    }
}

#[async_trait]
impl Store for Copied {
    async fn fence(&self) -> Result<Head, StoreError> {
        self.head().await
    }

    async fn commit(&self, _fold: &mut dyn Fold) -> Result<Option<Head>, StoreError> {
        panic!("an audit writes to the store under audit");
    }

    async fn head(&self) -> Result<Head, StoreError> {
        Ok(self.head.clone())
    }

    async fn load(&self, _wants: &Wants) -> Result<Loaded, StoreError> {
        Err(StoreError::Fatal("rows that can't be decoded would fail here".to_owned()))
    }

    async fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<RowPage, StoreError> {
        let rows = self.rows.range(from.to_vec()..to.to_vec()).take(limit);
        Ok(rows.map(|(key, row)| (key.clone(), row.clone())).collect())
    }

    async fn scan_persons(
        &self,
        from: (PersonKey, CaseRef),
        limit: usize,
    ) -> Result<Vec<(PersonKey, CaseRef)>, StoreError> {
        Ok(self.persons.range(from..).take(limit).copied().collect())
    }

    async fn entries(&self, indexes: &[LedgerIndex]) -> Result<Vec<Entry>, StoreError> {
        let asked = self.entries.iter().filter(|entry| indexes.contains(&entry.index));
        Ok(asked.cloned().collect())
    }

    async fn entries_from(
        &self,
        from: LedgerIndex,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let rest = self.entries.iter().filter(|entry| entry.index >= from);
        Ok(rest.take(limit).cloned().collect())
    }

    async fn leaves_from(
        &self,
        from: LedgerIndex,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let entries = self.entries_from(from, limit).await?;
        Ok(entries.into_iter().map(|entry| entry.leaf).collect())
    }

    async fn tiles(&self, ids: &[(u8, u64)]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        Ok(ids.iter().map(|id| self.tiles.get(id).cloned()).collect())
    }

    async fn wal_bytes(&self) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn space(&self) -> Result<Space, StoreError> {
        Ok(Space { free: 0, total: 0 })
    }
}
