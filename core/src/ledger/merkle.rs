//! The Merkle tree of RFC 6962 §2.1 over SHA-256: hashes, roots, and proofs made and checked.
//!
//! Stateless: the tree's hashes come from a [`HashReader`]. Sizes and indexes count leaves. Every
//! function that takes numbers from outside accepts all of `u64` and answers with an error, not a
//! panic; a path is walked at most 64 steps.

#[cfg(test)]
mod tests;

use thiserror::Error;

use super::{Hash, sha256};

/// The most hashes that an inclusion path can have: the height of a tree of 2^64 leaves.
pub const PATH_MAX: usize = 64;

/// Reads hashes of complete subtrees.
pub trait HashReader {
    /// The hash of the complete subtree of `2^level` leaves that starts at leaf `index * 2^level`,
    /// or `None` if the reader does not hold it.
    fn hash(&self, level: u8, index: u64) -> Option<Hash>;
}

impl<R: HashReader + ?Sized> HashReader for &R {
    fn hash(&self, level: u8, index: u64) -> Option<Hash> {
        (**self).hash(level, index)
    }
}

/// Asks the first reader, then the second: stored tiles, completed by the edge.
impl<A: HashReader, B: HashReader> HashReader for (A, B) {
    fn hash(&self, level: u8, index: u64) -> Option<Hash> {
        self.0.hash(level, index).or_else(|| self.1.hash(level, index))
    }
}

/// Why a proof could not be made, or does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProofError {
    /// The leaf is not in a tree of this size.
    #[error("leaf {index} is not in a tree of {size} leaves")]
    IndexBeyondSize {
        /// The leaf asked for, from 0.
        index: u64,
        /// Leaves in the tree.
        size: u64,
    },
    /// The reader does not hold a hash that the proof needs.
    #[error("the hash of subtree {index} of 2^{level} leaves is not at hand")]
    MissingHash {
        /// Height of the subtree.
        level: u8,
        /// Its position among the subtrees of that height, from 0.
        index: u64,
    },
    /// The path leads to another root for the new tree.
    #[error("the path does not lead to the new tree's root")]
    NewRoot,
    /// The path leads to another root for the old tree.
    #[error("the path does not lead to the old tree's root")]
    OldRoot,
    /// The path has more or fewer hashes than these sizes need.
    #[error("the path has the wrong number of hashes")]
    PathLength,
    /// The older tree is the larger one.
    #[error("a tree of {old} leaves cannot be older than one of {new}")]
    SizesReversed {
        /// Leaves in the tree said to be older.
        old: u64,
        /// Leaves in the tree said to be newer.
        new: u64,
    },
}

/// The hash of a leaf: `H(0x00 ‖ leaf)`.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    sha256(&[&[0x00], leaf])
}

/// The hash of an inner node: `H(0x01 ‖ left ‖ right)`.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[0x01], &left.0, &right.0])
}

/// The root of the tree without leaves: the hash of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    sha256(&[])
}

/// The root of the tree of the first `size` leaves, MTH in RFC 6962 §2.1.
///
/// # Errors
/// [`ProofError::MissingHash`].
pub fn root(size: u64, reader: &(impl HashReader + ?Sized)) -> Result<Hash, ProofError> {
    if size == 0 {
        return Ok(empty_root());
    }
    range_hash(0, size, reader)
}

/// The inclusion path of a leaf in the tree of the first `size` leaves, from the leaf's sibling up
/// (PATH in RFC 6962 §2.1.1).
///
/// # Errors
/// [`ProofError::IndexBeyondSize`], [`ProofError::MissingHash`].
pub fn inclusion_path(
    index: u64,
    size: u64,
    reader: &(impl HashReader + ?Sized),
) -> Result<Vec<Hash>, ProofError> {
    if index >= size {
        return Err(ProofError::IndexBeyondSize { index, size });
    }
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(range_hash(middle, end, reader)?);
            end = middle;
        } else {
            path.push(range_hash(start, middle, reader)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The consistency path from the tree of the first `old` leaves to that of the first `new` (PROOF
/// in RFC 6962 §2.1.2). It is empty if the sizes are equal, or `old` is 0.
///
/// # Errors
/// [`ProofError::SizesReversed`], [`ProofError::MissingHash`].
pub fn consistency_path(
    old: u64,
    new: u64,
    reader: &(impl HashReader + ?Sized),
) -> Result<Vec<Hash>, ProofError> {
    if old > new {
        return Err(ProofError::SizesReversed { old, new });
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let (mut start, mut end) = (0, new);
    let mut path = Vec::new();
    while end != old {
        let middle = start + split(end - start);
        if old <= middle {
            path.push(range_hash(middle, end, reader)?);
            end = middle;
        } else {
            path.push(range_hash(start, middle, reader)?);
            start = middle;
        }
    }
    // The verifier knows the whole old tree's root already; any smaller piece it must be told.
    if start != 0 {
        path.push(range_hash(start, end, reader)?);
    }
    path.reverse();
    Ok(path)
}

/// The root that an inclusion path leads to (RFC 9162 §2.1.3.2). The caller compares it with the
/// root it trusts for exactly this `size`: a path alone does not bind the size.
///
/// # Errors
/// [`ProofError::IndexBeyondSize`], [`ProofError::PathLength`].
pub fn root_from_inclusion(
    index: u64,
    size: u64,
    leaf_hash: &Hash,
    path: &[Hash],
) -> Result<Hash, ProofError> {
    if index >= size {
        return Err(ProofError::IndexBeyondSize { index, size });
    }
    let mut climb = Climb { node: index, last: size - 1 };
    let mut hash = *leaf_hash;
    for sibling in path {
        hash = match climb.step()? {
            Side::Left => node_hash(sibling, &hash),
            Side::Right => node_hash(&hash, sibling),
        };
    }
    climb.finish()?;
    Ok(hash)
}

/// Checks that the new tree begins with the whole of the old one (RFC 9162 §2.1.4.2). Every tree
/// begins with the empty one.
///
/// # Errors
/// [`ProofError::SizesReversed`], [`ProofError::PathLength`], [`ProofError::OldRoot`],
/// [`ProofError::NewRoot`].
pub fn verify_consistency(
    old_size: u64,
    old_root: &Hash,
    new_size: u64,
    new_root: &Hash,
    path: &[Hash],
) -> Result<(), ProofError> {
    if old_size > new_size {
        return Err(ProofError::SizesReversed { old: old_size, new: new_size });
    }
    if old_size == 0 || old_size == new_size {
        return verify_without_path(old_size, old_root, new_size, new_root, path);
    }
    let (first, rest) = if old_size.is_power_of_two() {
        (old_root, path)
    } else {
        path.split_first().ok_or(ProofError::PathLength)?
    };
    let mut climb = Climb { node: old_size - 1, last: new_size - 1 };
    climb.skip_while(|node| node & 1 == 1);
    let (mut old, mut new) = (*first, *first);
    for hash in rest {
        match climb.step()? {
            Side::Left => {
                old = node_hash(hash, &old);
                new = node_hash(hash, &new);
            }
            Side::Right => new = node_hash(&new, hash),
        }
    }
    climb.finish()?;
    match (old == *old_root, new == *new_root) {
        (false, _) => Err(ProofError::OldRoot),
        (true, false) => Err(ProofError::NewRoot),
        (true, true) => Ok(()),
    }
}

/// The two cases in which sizes and roots say everything.
fn verify_without_path(
    old_size: u64,
    old_root: &Hash,
    new_size: u64,
    new_root: &Hash,
    path: &[Hash],
) -> Result<(), ProofError> {
    if !path.is_empty() {
        return Err(ProofError::PathLength);
    }
    if old_size == 0 && *old_root != empty_root() {
        return Err(ProofError::OldRoot);
    }
    if old_size == new_size && old_root != new_root {
        return Err(ProofError::NewRoot);
    }
    Ok(())
}

/// On which side of the node the next hash of a path stands.
enum Side {
    Left,
    Right,
}

/// The way up from a node to the root: `fn` and `sn` in RFC 9162.
struct Climb {
    /// The node's position in its row.
    node: u64,
    /// The position of the row's last node.
    last: u64,
}

impl Climb {
    /// Goes up to the next parent, passing by the rows where the node, being last, has no sibling.
    fn step(&mut self) -> Result<Side, ProofError> {
        if self.last == 0 {
            return Err(ProofError::PathLength);
        }
        let side = if self.node & 1 == 1 || self.node == self.last {
            self.skip_while(|node| node & 1 == 0 && node != 0);
            Side::Left
        } else {
            Side::Right
        };
        self.node >>= 1;
        self.last >>= 1;
        Ok(side)
    }

    fn skip_while(&mut self, condition: impl Fn(u64) -> bool) {
        while condition(self.node) {
            self.node >>= 1;
            self.last >>= 1;
        }
    }

    fn finish(&self) -> Result<(), ProofError> {
        if self.last == 0 { Ok(()) } else { Err(ProofError::PathLength) }
    }
}

/// The hash of the leaves `start..end`, a node of the tree: `start` is a multiple of the smallest
/// power of two that is not below the count.
fn range_hash(
    start: u64,
    end: u64,
    reader: &(impl HashReader + ?Sized),
) -> Result<Hash, ProofError> {
    let count = end - start;
    if count.is_power_of_two() {
        let level = count.ilog2() as u8;
        let index = start >> level;
        return reader.hash(level, index).ok_or(ProofError::MissingHash { level, index });
    }
    let middle = start + split(count);
    Ok(node_hash(&range_hash(start, middle, reader)?, &range_hash(middle, end, reader)?))
}

/// The largest power of two below `count`, which is at least 2.
fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}
