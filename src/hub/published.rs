//! What the hub has said of its ledger: the newest signed checkpoint, and the receipts derived from
//! it. A receipt is made on demand and never stored.

use std::sync::Arc;

use xianjie_core::ids::LedgerIndex;
use xianjie_core::ledger::tile::{hash_in_tile, tiles_for_consistency, tiles_for_inclusion};
use xianjie_core::ledger::{
    Checkpoint, Edge, Hash, Leaf, NoteSigner, Opening, ReceiptParts, Tile, TileId, TileSet,
    consistency_path, inclusion_path, leaf_hash, root,
};

use crate::store::{Entry, Store, StoreError};

/// A signed state of the ledger.
#[derive(Debug, Clone)]
pub struct Published {
    /// How many records.
    pub size: u64,
    /// The tree's root.
    pub root: Hash,
    /// The checkpoint: a signed note.
    pub checkpoint: Arc<str>,
    /// The tree's right edge at this size.
    pub edge: Arc<Edge>,
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The store did not give what the proof needs.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An index or a size beyond the ledger, or a store that lacks what it must have.
    #[error("no proof: {0}")]
    Tree(String),
}

impl Published {
    /// Signs the ledger that ends with `edge`.
    ///
    /// # Errors
    /// The origin or the key is not fit for a note: a defect of the configuration.
    pub fn sign(edge: Edge, origin: &str, signer: &NoteSigner) -> Result<Self, String> {
        let (size, root) = (edge.size(), edge.root());
        let checkpoint = Checkpoint { origin: origin.to_owned(), size, root }
            .sign(&[signer])
            .map_err(|e| e.to_string())?;
        Ok(Self { size, root, checkpoint: checkpoint.into(), edge: Arc::new(edge) })
    }

    /// The receipt of an entry, proven against this checkpoint.
    ///
    /// # Errors
    /// The entry is beyond this checkpoint, or the store lacks a tile.
    pub async fn receipt(
        &self,
        store: &dyn Store,
        entry: &Entry,
    ) -> Result<ReceiptParts, ProofError> {
        let path = match inclusion_path(entry.index.0, self.size, &*self.edge) {
            Ok(path) => path,
            Err(_) => {
                let ids = tiles_for_inclusion(entry.index.0, self.size).map_err(tree)?;
                let tiles = self.stored(store, ids.into_iter().collect()).await?;
                inclusion_path(entry.index.0, self.size, &(tiles, &*self.edge)).map_err(tree)?
            }
        };
        let leaf = Leaf::parse(&entry.leaf).map_err(tree)?;
        Ok(ReceiptParts {
            opening: Opening {
                leaf,
                salt: entry.salt,
                document_salt: entry.document_salt,
                record: entry.record.clone(),
            },
            index: entry.index.0,
            path,
            checkpoint: self.checkpoint.to_string(),
        })
    }

    /// The proof that the ledger of `old` records is the beginning of this one.
    ///
    /// # Errors
    /// `old` is beyond this checkpoint, or the store lacks a tile.
    pub async fn consistency(&self, store: &dyn Store, old: u64) -> Result<Vec<Hash>, ProofError> {
        self.consistency_of(store, old, self.size).await
    }

    /// The proof that the ledger of `old` records is the beginning of that of `new`.
    ///
    /// # Errors
    /// `old` is beyond `new`, or `new` beyond this checkpoint, or the store lacks a tile.
    pub async fn consistency_of(
        &self,
        store: &dyn Store,
        old: u64,
        new: u64,
    ) -> Result<Vec<Hash>, ProofError> {
        if new > self.size {
            return Err(tree(format!("{new} records are more than {}", self.size)));
        }
        let ids = tiles_for_consistency(old, new).map_err(tree)?;
        let tiles = self.stored(store, ids.into_iter().collect()).await?;
        consistency_path(old, new, &(tiles, &*self.edge)).map_err(tree)
    }

    /// The root of the ledger's first `size` records.
    ///
    /// # Errors
    /// `size` is beyond this checkpoint, or the store lacks a tile.
    pub async fn root_at(&self, store: &dyn Store, size: u64) -> Result<Hash, ProofError> {
        if size == self.size {
            return Ok(self.root);
        }
        let ids = tiles_for_consistency(size, self.size).map_err(tree)?;
        let tiles = self.stored(store, ids.into_iter().collect()).await?;
        root(size, &(tiles, &*self.edge)).map_err(tree)
    }

    async fn stored(&self, store: &dyn Store, ids: Vec<TileId>) -> Result<TileSet, ProofError> {
        let wanted: Vec<TileId> =
            ids.into_iter().filter(|id| self.edge.tile(*id).is_none()).collect();
        let keys: Vec<(u8, u64)> = wanted.iter().map(|id| (id.level, id.index)).collect();
        let found = store.tiles(&keys).await?;
        Ok(wanted
            .into_iter()
            .zip(found)
            .filter_map(|(id, bytes)| {
                Some(Tile { level: id.level, index: id.index, bytes: bytes? })
            })
            .collect())
    }
}

fn tree(error: impl std::fmt::Display) -> ProofError {
    ProofError::Tree(error.to_string())
}

/// Builds the right edge of a ledger of `size` records from what the store holds.
///
/// # Errors
/// The store lacks a leaf or a tile that it must have.
pub async fn load_edge(store: &dyn Store, size: u64) -> Result<Edge, ProofError> {
    const WIDTH: u64 = 256;
    let mut bytes = size.to_be_bytes().to_vec();
    let mut level = 0u8;
    let mut hashes = size;
    loop {
        let (full, partial) = (hashes / WIDTH, hashes % WIDTH);
        if let Some(newest) = full.checked_sub(1) {
            bytes.extend(tile(store, level, newest).await?);
        }
        if level == 0 {
            let from = LedgerIndex(full * WIDTH);
            let limit = usize::try_from(partial).unwrap_or_default();
            let leaves = store.leaves_from(from, limit).await?;
            if leaves.len() != limit {
                return Err(ProofError::Tree("the store lacks leaves of its newest tile".into()));
            }
            bytes.extend(leaves.iter().flat_map(|leaf| leaf_hash(leaf).0));
        } else {
            for place in 0..partial {
                let child = tile(store, level - 1, full * WIDTH + place).await?;
                let root = hash_in_tile(&child, 8, 0).ok_or_else(|| {
                    ProofError::Tree(format!("tile {place} of level {} is short", level - 1))
                })?;
                bytes.extend(root.0);
            }
        }
        if full == 0 {
            break;
        }
        hashes = full;
        level += 1;
    }
    Edge::from_bytes(&bytes).map_err(tree)
}

async fn tile(store: &dyn Store, level: u8, index: u64) -> Result<Vec<u8>, ProofError> {
    let found = store.tiles(&[(level, index)]).await?.pop().flatten();
    found.ok_or_else(|| ProofError::Tree(format!("the store lacks tile {index} of level {level}")))
}
