use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;
use sha2::Sha256;

use super::*;
use crate::ledger::merkle::{
    consistency_path, inclusion_path, leaf_hash, root_from_inclusion, verify_consistency,
};
use crate::ledger::tile::{TileSet, tiles_for_consistency, tiles_for_inclusion};

fn leaf(index: u64) -> Hash {
    leaf_hash(&index.to_be_bytes())
}

fn grown_to(size: u64) -> Edge {
    let mut edge = Edge::new();
    (0..size).for_each(|index| edge.push(leaf(index)));
    edge
}

fn assert_proves(reader: &impl HashReader, index: u64, size: u64, root: Hash) {
    let path = inclusion_path(index, size, reader).unwrap();
    assert_eq!(root_from_inclusion(index, size, &leaf(index), &path), Ok(root));
}

#[test]
fn the_root_is_that_of_the_whole_tree_at_every_size() {
    let mut oracle = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut edge = Edge::new();
    assert_eq!(edge.root(), empty_root());
    for index in 0..66_000_u64 {
        oracle.push(index.to_be_bytes().to_vec());
        edge.push(leaf(index));
        assert_eq!(edge.size(), index + 1);
        assert_eq!(edge.root(), Hash((*oracle.root().as_bytes()).into()));
    }
}

#[test]
fn the_last_256_leaves_are_proven_without_storage() {
    let mut edge = Edge::new();
    for size in 1..=66_100 {
        edge.push(leaf(size - 1));
        let interesting = size <= 800 || (65_200..65_900).contains(&size);
        if !interesting {
            continue;
        }
        let root = edge.root();
        let first = size.saturating_sub(256);
        (first..size).for_each(|index| assert_proves(&edge, index, size, root));
    }
}

#[test]
fn a_batch_is_consistent_with_what_was_before_without_storage() {
    let mut before = Edge::new();
    for old in 0..66_000 {
        if old % 97 == 0 || old % 256 < 2 || old % 256 == 255 {
            let mut after = before.clone();
            (old..old + 256).for_each(|index| after.push(leaf(index)));
            let path = consistency_path(old, old + 256, &after).unwrap();
            let (old_root, new_root) = (before.root(), after.root());
            assert_eq!(verify_consistency(old, &old_root, old + 256, &new_root, &path), Ok(()));
        }
        before.push(leaf(old));
    }
}

#[test]
fn full_tiles_and_the_edge_prove_every_leaf() {
    let mut edge = grown_to(70_000);
    let stored = edge.full_tiles();
    assert_eq!(stored.len(), 274, "273 full tiles of level 0 and one of level 1");
    assert!(stored.iter().all(|tile| tile.bytes.len() == TILE_WIDTH * Hash::LEN));
    assert!(edge.full_tiles().is_empty(), "each tile is taken once");

    let fetch = |wanted: std::collections::BTreeSet<TileId>| -> TileSet {
        stored.iter().filter(|tile| wanted.contains(&tile.id())).cloned().collect()
    };
    let root = edge.root();
    for index in (0..70_000).step_by(331).chain([0, 255, 256, 65_535, 65_536, 69_999]) {
        let tiles = fetch(tiles_for_inclusion(index, 70_000).unwrap());
        assert_proves(&(&tiles, &edge), index, 70_000, root);
    }
    for old in (1..70_000).step_by(997).chain([1, 256, 65_535, 65_536, 65_537]) {
        let tiles = fetch(tiles_for_consistency(old, 70_000).unwrap());
        let path = consistency_path(old, 70_000, &(tiles, &edge)).unwrap();
        let old_root = grown_to(old).root();
        assert_eq!(verify_consistency(old, &old_root, 70_000, &root, &path), Ok(()));
    }
}

#[test]
fn tiles_at_hand_are_as_wide_as_the_specification_says() {
    let edge = grown_to(70_000);
    let width = |level, index| edge.tile(TileId { level, index }).map(|tile| tile.bytes.len() / 32);
    assert_eq!(width(0, 273), Some(112));
    assert_eq!(width(0, 272), Some(256));
    assert_eq!(width(0, 271), None, "only the newest full tile is held");
    assert_eq!(width(0, 274), None);
    assert_eq!(width(1, 1), Some(17));
    assert_eq!(width(1, 0), Some(256));
    assert_eq!(width(2, 0), Some(1));
    assert_eq!(width(3, 0), None);
    assert_eq!(width(255, u64::MAX), None);
    assert_eq!(grown_to(256).tile(TileId { level: 0, index: 1 }), None, "empty tiles are none");
}

#[test]
fn an_edge_survives_being_written_and_read() {
    let mut edge = Edge::new();
    for size in 0..66_000 {
        if size < 600 || size % 509 == 0 || (65_530..65_540).contains(&size) {
            let mut read = Edge::from_bytes(&edge.to_bytes()).unwrap();
            let _ = edge.full_tiles();
            assert_eq!(read, edge);
            read.push(leaf(size));
            let mut next = edge.clone();
            next.push(leaf(size));
            assert_eq!(read, next);
        }
        edge.push(leaf(size));
    }
}

#[test]
fn damaged_bytes_are_refused() {
    let bytes = grown_to(600).to_bytes();
    for length in 0..bytes.len() {
        assert_eq!(Edge::from_bytes(&bytes[..length]), Err(EdgeError::Length));
    }
    assert_eq!(Edge::from_bytes(&[&bytes[..], &[0]].concat()), Err(EdgeError::Length));

    let mut torn = bytes.clone();
    torn[8] ^= 1;
    assert_eq!(Edge::from_bytes(&torn), Err(EdgeError::Torn { level: 0 }));

    let mut huge = bytes;
    huge[..8].copy_from_slice(&u64::MAX.to_be_bytes());
    assert_eq!(Edge::from_bytes(&huge), Err(EdgeError::Size { size: u64::MAX }));
    huge[..8].copy_from_slice(&(SIZE_LIMIT - 1).to_be_bytes());
    assert_eq!(Edge::from_bytes(&huge), Err(EdgeError::Length));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes: Vec<u8>, size in 0..2_000_u64) {
        let sized = [&size.to_be_bytes()[..], &bytes].concat();
        for bytes in [bytes, sized] {
            if let Ok(edge) = Edge::from_bytes(&bytes) {
                prop_assert_eq!(edge.to_bytes(), bytes);
            }
        }
    }

    #[test]
    fn hostile_subtrees_are_not_held(level: u8, index: u64) {
        let edge = grown_to(300);
        let held = HashPlace::of(level, index).is_some_and(|_| level <= 8 && index < 300);
        prop_assert!(edge.hash(level, index).is_none() || held);
    }
}
