//! The right edge of the growing tree: at each tile level the partial tile and the newest full one.
//!
//! That is all that appending needs, and enough to prove every leaf of the newest full tile and the
//! partial one, so at least the last 256, without reading storage. The edge is in memory
//! alone: it is rebuilt from the last leaves and the stored tiles, where the older hashes are.

#[cfg(test)]
mod tests;

use std::mem;
use std::sync::Arc;

use thiserror::Error;

use super::merkle::{HashReader, empty_root, node_hash};
use super::tile::{HashPlace, TILE_HEIGHT, TILE_WIDTH, Tile, TileId};
use super::{Hash, take_array};

/// An edge is read back only below this size, so that counting up from there can't overflow.
pub const SIZE_LIMIT: u64 = 1 << 56;

/// What is wrong with the bytes of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EdgeError {
    /// More or fewer bytes than an edge of this size has.
    #[error("the bytes are not as many as an edge of that size has")]
    Length,
    /// 2^56 leaves or more.
    #[error("a tree of {size} leaves is beyond every ledger")]
    Size {
        /// Leaves in the tree.
        size: u64,
    },
    /// A full tile's root is not the newest hash one level up.
    #[error("the newest full tile of level {level} does not fit the level above")]
    Torn {
        /// The full tile's level.
        level: u8,
    },
}

/// The right edge of a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    /// As many as `size` has digits to the base 256.
    levels: Vec<Level>,
    /// Full tiles that the owner has not yet taken.
    finished: Vec<Tile>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Level {
    partial: Subtree,
    /// Shared between clones: an edge is cloned for each batch.
    newest_full: Option<Arc<Subtree>>,
}

impl Edge {
    /// The edge of the tree without leaves.
    #[must_use]
    pub fn new() -> Edge {
        Edge::default()
    }

    /// Appends a leaf by its [`super::leaf_hash`].
    pub fn push(&mut self, leaf_hash: Hash) {
        self.size += 1;
        let mut hash = leaf_hash;
        for level in 0.. {
            if usize::from(level) == self.levels.len() {
                self.levels.push(Level::default());
            }
            let Level { partial, newest_full } = &mut self.levels[usize::from(level)];
            let Some(root) = partial.push(hash) else {
                return;
            };
            let full = mem::take(partial);
            let index = full_tiles_in(self.size, level) - 1;
            self.finished.push(Tile { level, index, bytes: full.to_bytes() });
            *newest_full = Some(Arc::new(full));
            hash = root;
        }
    }

    /// Leaves in the tree.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        // Each row of odd length ends in a complete subtree that has no sibling yet: one for each
        // bit of the size. From the smallest to the largest, each goes to the left of what follows.
        let rows = self.levels.iter().flat_map(|level| &level.partial.rows);
        let lonely = rows.filter(|row| row.len() % 2 == 1).filter_map(|row| row.last());
        lonely.copied().reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(empty_root)
    }

    /// Takes the full tiles completed since they were last taken, in the order of completion.
    /// Whoever commits the edge stores them with it.
    #[must_use]
    pub fn full_tiles(&mut self) -> Vec<Tile> {
        mem::take(&mut self.finished)
    }

    /// A tile that the edge holds: the partial one of its level, as far as it goes, or the newest
    /// full one.
    #[must_use]
    pub fn tile(&self, id: TileId) -> Option<Tile> {
        let bytes = self.subtree(id)?.to_bytes();
        (!bytes.is_empty()).then_some(Tile { level: id.level, index: id.index, bytes })
    }

    /// The edge as bytes: the size (u64, big-endian), then for each level the newest full tile, if
    /// there is one, and the partial tile. Full tiles that were not taken are not in it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        for level in &self.levels {
            if let Some(full) = &level.newest_full {
                bytes.extend(full.to_bytes());
            }
            bytes.extend(level.partial.to_bytes());
        }
        bytes
    }

    /// Reads what [`Edge::to_bytes`] writes. The root still has to be compared with the head's.
    ///
    /// # Errors
    /// All of [`EdgeError`].
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Edge, EdgeError> {
        let size = u64::from_be_bytes(take_array(&mut bytes).ok_or(EdgeError::Length)?);
        if size >= SIZE_LIMIT {
            return Err(EdgeError::Size { size });
        }
        let mut levels: Vec<Level> = Vec::new();
        let mut root_below = None;
        for level in (0..).take_while(|level| row_length(size, *level) > 0) {
            let (newest_full, root) = if full_tiles_in(size, level) > 0 {
                let (full, root) = Subtree::read(&mut bytes, TILE_WIDTH)?;
                (Some(Arc::new(full)), root)
            } else {
                (None, None)
            };
            let width = row_length(size, level) as usize % TILE_WIDTH;
            let (partial, _) = Subtree::read(&mut bytes, width)?;
            let read = Level { partial, newest_full };
            if root_below.is_some() && root_below != read.newest_hash() {
                return Err(EdgeError::Torn { level: level - 1 });
            }
            root_below = root;
            levels.push(read);
        }
        if !bytes.is_empty() {
            return Err(EdgeError::Length);
        }
        Ok(Edge { size, levels, finished: Vec::new() })
    }

    fn subtree(&self, id: TileId) -> Option<&Subtree> {
        let level = self.levels.get(usize::from(id.level))?;
        match full_tiles_in(self.size, id.level).checked_sub(id.index)? {
            0 => Some(&level.partial),
            1 => level.newest_full.as_deref(),
            _ => None,
        }
    }
}

impl HashReader for Edge {
    fn hash(&self, level: u8, index: u64) -> Option<Hash> {
        let HashPlace { tile, height, offset } = HashPlace::of(level, index)?;
        self.subtree(tile)?.rows[usize::from(height)].get(offset >> height).copied()
    }
}

impl Level {
    fn newest_hash(&self) -> Option<Hash> {
        let full = || self.newest_full.as_ref()?.rows[0].last();
        self.partial.rows[0].last().or_else(full).copied()
    }
}

/// A tile with its inner hashes, so that a proof looks hashes up and does not compute them. Row `k`
/// holds the roots of the complete subtrees of `2^k` of the tile's hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Subtree {
    rows: [Vec<Hash>; TILE_HEIGHT as usize],
}

impl Subtree {
    /// Adds a hash; the root, if the tile is now full.
    fn push(&mut self, mut hash: Hash) -> Option<Hash> {
        for row in &mut self.rows {
            row.push(hash);
            match row.as_slice() {
                [.., left, right] if row.len() % 2 == 0 => hash = node_hash(left, right),
                _ => return None,
            }
        }
        Some(hash)
    }

    /// Cuts `width` hashes off the front of the bytes; the root too, if they fill the tile.
    fn read(bytes: &mut &[u8], width: usize) -> Result<(Subtree, Option<Hash>), EdgeError> {
        let mut subtree = Subtree::default();
        let mut root = None;
        for _ in 0..width {
            root = subtree.push(Hash(take_array(bytes).ok_or(EdgeError::Length)?));
        }
        Ok((subtree, root))
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.rows[0].iter().flat_map(|hash| hash.0).collect()
    }
}

/// Hashes at a tile level in a tree of this size.
fn row_length(size: u64, level: u8) -> u64 {
    size.checked_shr(u32::from(TILE_HEIGHT) * u32::from(level)).unwrap_or(0)
}

fn full_tiles_in(size: u64, level: u8) -> u64 {
    row_length(size, level) >> TILE_HEIGHT
}
