//! Tiles (C2SP tlog-tiles): the tree cut into pieces of 256 hashes that are written once and never
//! change, with their paths, their bytes, and the bundles of leaves beside them.
//!
//! This is names and bytes; where tiles are stored and how they are served is not known here.

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::merkle::{HashReader, ProofError, consistency_path, inclusion_path, node_hash};
use super::{Hash, parse_decimal};

/// Rows of the tree in one tile.
pub const TILE_HEIGHT: u8 = 8;

/// Hashes in a full tile, leaves in a full bundle.
pub const TILE_WIDTH: usize = 1 << TILE_HEIGHT;

/// The highest level in a path (tlog-tiles, Merkle Tree).
const LEVEL_MAX: u64 = 63;

/// Which tile. Level 0 holds leaf hashes; each hash of a higher level is the root of a full tile
/// one level below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    /// The level, from 0.
    pub level: u8,
    /// The position within the level, from 0.
    pub index: u64,
}

impl TileId {
    /// How many of its hashes, 0 to 256, this tile has in a tree of `size` leaves.
    #[must_use]
    pub fn width_in(self, size: u64) -> usize {
        let row = size.checked_shr(u32::from(TILE_HEIGHT) * u32::from(self.level)).unwrap_or(0);
        let full = row >> TILE_HEIGHT;
        match self.index.cmp(&full) {
            std::cmp::Ordering::Less => TILE_WIDTH,
            std::cmp::Ordering::Equal => row as usize % TILE_WIDTH,
            std::cmp::Ordering::Greater => 0,
        }
    }
}

/// Where in the tiles the hash of a complete subtree is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashPlace {
    /// The tile.
    pub tile: TileId,
    /// Rows above the tile's own hashes, 0 to 7: the hash is folded from `2^height` of them.
    pub height: u8,
    /// The first of those hashes within the tile, a multiple of `2^height`.
    pub offset: usize,
}

impl HashPlace {
    /// The place of subtree `index` among those of `2^level` leaves; `None` for a level of 64 or
    /// more, or for a subtree that no tree of `u64` size reaches.
    #[must_use]
    pub fn of(level: u8, index: u64) -> Option<HashPlace> {
        index.checked_shl(u32::from(level)).filter(|start| start >> level == index)?;
        let height = level % TILE_HEIGHT;
        let tile = TileId { level: level / TILE_HEIGHT, index: index >> (TILE_HEIGHT - height) };
        let offset = (index as usize % (TILE_WIDTH >> height)) << height;
        Some(HashPlace { tile, height, offset })
    }
}

/// A tile with its bytes: the hashes one after another, 8,192 bytes if it is full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// The level, from 0.
    pub level: u8,
    /// The position within the level, from 0.
    pub index: u64,
    /// The hashes.
    pub bytes: Vec<u8>,
}

impl Tile {
    /// Which tile this is.
    #[must_use]
    pub fn id(&self) -> TileId {
        TileId { level: self.level, index: self.index }
    }
}

/// The hash `height` rows above the tile's own, folded from `2^height` of them starting at
/// `offset`; `None` if the bytes do not reach so far or the place is not one of the tile's.
#[must_use]
pub fn hash_in_tile(bytes: &[u8], height: u8, offset: usize) -> Option<Hash> {
    let fits = height <= TILE_HEIGHT && offset < TILE_WIDTH;
    if !fits || !offset.is_multiple_of(1 << height) {
        return None;
    }
    let end = offset + (1 << height);
    let (hashes, _) = bytes.get(offset * Hash::LEN..end * Hash::LEN)?.as_chunks();
    let mut row: Vec<Hash> = hashes.iter().copied().map(Hash).collect();
    while row.len() > 1 {
        let (pairs, _) = row.as_chunks();
        row = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    row.first().copied()
}

/// Tiles at hand, full or partial, as a [`HashReader`].
#[derive(Clone, Debug, Default)]
pub struct TileSet(BTreeMap<TileId, Vec<u8>>);

impl FromIterator<Tile> for TileSet {
    fn from_iter<T: IntoIterator<Item = Tile>>(tiles: T) -> TileSet {
        TileSet(tiles.into_iter().map(|tile| (tile.id(), tile.bytes)).collect())
    }
}

impl HashReader for TileSet {
    fn hash(&self, level: u8, index: u64) -> Option<Hash> {
        let place = HashPlace::of(level, index)?;
        hash_in_tile(self.0.get(&place.tile)?, place.height, place.offset)
    }
}

/// The tiles that [`inclusion_path`] reads, so that they can be fetched in one go beforehand.
///
/// # Errors
/// [`ProofError::IndexBeyondSize`].
pub fn tiles_for_inclusion(index: u64, size: u64) -> Result<BTreeSet<TileId>, ProofError> {
    let wanted = Wanted::default();
    inclusion_path(index, size, &wanted)?;
    Ok(wanted.0.into_inner())
}

/// The tiles that [`consistency_path`] reads.
///
/// # Errors
/// [`ProofError::SizesReversed`].
pub fn tiles_for_consistency(old: u64, new: u64) -> Result<BTreeSet<TileId>, ProofError> {
    let wanted = Wanted::default();
    consistency_path(old, new, &wanted)?;
    Ok(wanted.0.into_inner())
}

/// Notes which tiles a proof reads, and answers with zeros.
#[derive(Default)]
struct Wanted(RefCell<BTreeSet<TileId>>);

impl HashReader for Wanted {
    fn hash(&self, level: u8, index: u64) -> Option<Hash> {
        self.0.borrow_mut().insert(HashPlace::of(level, index)?.tile);
        Some(Hash([0; Hash::LEN]))
    }
}

/// How many hashes or leaves a path promises, 1 to 256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TileWidth(u16);

impl TileWidth {
    /// A full tile or bundle.
    pub const FULL: TileWidth = TileWidth(TILE_WIDTH as u16);

    /// A width from 1 to 256.
    #[must_use]
    pub fn new(width: u16) -> Option<TileWidth> {
        (1..=TileWidth::FULL.0).contains(&width).then_some(TileWidth(width))
    }

    /// The number of hashes or leaves.
    #[must_use]
    pub fn get(self) -> usize {
        usize::from(self.0)
    }
}

/// The path of a tile or of a bundle below a ledger's prefix: `tile/0/x001/x234/067.p/8`,
/// `tile/entries/000`. Exactly one text for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TilePath {
    /// Leaves `256 * index` and following.
    Entries {
        /// The bundle's position, from 0.
        index: u64,
        /// Its leaves.
        width: TileWidth,
    },
    /// Hashes of the tree.
    Hashes {
        /// The tile.
        tile: TileId,
        /// Its hashes.
        width: TileWidth,
    },
}

/// What is wrong with a tile's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TilePathError {
    /// The position is not written in groups of three digits, or is too large.
    #[error("the tile's position is malformed")]
    Index,
    /// The level is neither `entries` nor a number from 0 to 63.
    #[error("the tile's level is malformed")]
    Level,
    /// It does not begin with `tile/<level>/`.
    #[error("the path is not that of a tile")]
    Prefix,
    /// A partial tile's width is not a number from 1 to 255.
    #[error("the tile's width is malformed")]
    Width,
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (index, width) = match self {
            TilePath::Entries { index, width } => {
                f.write_str("tile/entries/")?;
                (*index, *width)
            }
            TilePath::Hashes { tile, width } => {
                write!(f, "tile/{}/", tile.level)?;
                (tile.index, *width)
            }
        };
        write_index(f, index / 1000)?;
        write!(f, "{:03}", index % 1000)?;
        if width == TileWidth::FULL { Ok(()) } else { write!(f, ".p/{}", width.0) }
    }
}

impl FromStr for TilePath {
    type Err = TilePathError;

    fn from_str(text: &str) -> Result<TilePath, TilePathError> {
        let rest = text.strip_prefix("tile/").ok_or(TilePathError::Prefix)?;
        let (level, rest) = rest.split_once('/').ok_or(TilePathError::Prefix)?;
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, parse_partial_width(width)?),
            None => (rest, TileWidth::FULL),
        };
        let index = parse_index(index).ok_or(TilePathError::Index)?;
        if level == "entries" {
            return Ok(TilePath::Entries { index, width });
        }
        let level = parse_decimal(level).filter(|level| *level <= LEVEL_MAX);
        let level = level.ok_or(TilePathError::Level)? as u8;
        Ok(TilePath::Hashes { tile: TileId { level, index }, width })
    }
}

fn write_index(f: &mut fmt::Formatter<'_>, thousands: u64) -> fmt::Result {
    if thousands == 0 {
        return Ok(());
    }
    write_index(f, thousands / 1000)?;
    write!(f, "x{:03}/", thousands % 1000)
}

/// Groups of three digits, all but the last behind an `x`, the first of several not zero.
fn parse_index(text: &str) -> Option<u64> {
    let mut index: u64 = 0;
    let mut groups = text.split('/').enumerate().peekable();
    while let Some((position, group)) = groups.next() {
        let last = groups.peek().is_none();
        let digits = if last { group } else { group.strip_prefix('x')? };
        if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        if position == 0 && !last && digits == "000" {
            return None;
        }
        index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    }
    Some(index)
}

fn parse_partial_width(text: &str) -> Result<TileWidth, TilePathError> {
    let width = parse_decimal(text).and_then(|width| u16::try_from(width).ok());
    let width = width.and_then(TileWidth::new).filter(|width| *width != TileWidth::FULL);
    width.ok_or(TilePathError::Width)
}

/// What is wrong with a bundle of leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BundleError {
    /// A leaf is longer than its two-byte length can say.
    #[error("a leaf of {bytes} bytes does not fit into a bundle")]
    LeafTooLong {
        /// The leaf's length.
        bytes: usize,
    },
    /// More than 256 leaves.
    #[error("a bundle has at most {TILE_WIDTH} leaves")]
    TooManyLeaves,
    /// The bytes end within a leaf.
    #[error("the bundle is cut off")]
    Truncated,
}

/// The bytes of a bundle: each leaf behind its length in two big-endian bytes.
///
/// # Errors
/// [`BundleError::LeafTooLong`], [`BundleError::TooManyLeaves`].
pub fn entry_bundle<L: AsRef<[u8]>>(leaves: &[L]) -> Result<Vec<u8>, BundleError> {
    if leaves.len() > TILE_WIDTH {
        return Err(BundleError::TooManyLeaves);
    }
    let mut bundle = Vec::new();
    for leaf in leaves {
        let leaf = leaf.as_ref();
        let length = u16::try_from(leaf.len())
            .map_err(|_| BundleError::LeafTooLong { bytes: leaf.len() })?;
        bundle.extend_from_slice(&length.to_be_bytes());
        bundle.extend_from_slice(leaf);
    }
    Ok(bundle)
}

/// The leaves of a bundle.
///
/// # Errors
/// [`BundleError::Truncated`], [`BundleError::TooManyLeaves`].
pub fn parse_entry_bundle(mut bundle: &[u8]) -> Result<Vec<&[u8]>, BundleError> {
    let mut leaves = Vec::new();
    while !bundle.is_empty() {
        if leaves.len() == TILE_WIDTH {
            return Err(BundleError::TooManyLeaves);
        }
        let (length, rest) = bundle.split_first_chunk().ok_or(BundleError::Truncated)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (leaf, rest) = rest.split_at_checked(length).ok_or(BundleError::Truncated)?;
        leaves.push(leaf);
        bundle = rest;
    }
    Ok(leaves)
}
