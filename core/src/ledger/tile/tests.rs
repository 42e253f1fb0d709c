use proptest::prelude::*;

use super::*;
use crate::ledger::merkle::{leaf_hash, root, root_from_inclusion};

fn hashes_path(level: u8, index: u64, width: u16) -> TilePath {
    TilePath::Hashes { tile: TileId { level, index }, width: TileWidth::new(width).unwrap() }
}

fn entries_path(index: u64, width: u16) -> TilePath {
    TilePath::Entries { index, width: TileWidth::new(width).unwrap() }
}

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|index| leaf_hash(&index.to_be_bytes())).collect()
}

fn bytes_of(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

#[test]
fn paths_are_written_as_the_specification_says() {
    for (text, path) in [
        ("tile/0/x001/x234/067", hashes_path(0, 1_234_067, 256)),
        ("tile/0/x001/x234/067.p/8", hashes_path(0, 1_234_067, 8)),
        ("tile/2/000.p/1", hashes_path(2, 0, 1)),
        ("tile/63/999", hashes_path(63, 999, 256)),
        ("tile/1/x001/000.p/255", hashes_path(1, 1000, 255)),
        ("tile/entries/000", entries_path(0, 256)),
        ("tile/entries/x123/x000/456.p/12", entries_path(123_000_456, 12)),
        ("tile/0/x018/x446/x744/x073/x709/x551/615", hashes_path(0, u64::MAX, 256)),
    ] {
        assert_eq!(path.to_string(), text);
        assert_eq!(text.parse(), Ok(path));
    }
}

#[test]
fn other_spellings_of_a_path_are_refused() {
    for (text, error) in [
        ("", TilePathError::Prefix),
        ("checkpoint", TilePathError::Prefix),
        ("/tile/0/000", TilePathError::Prefix),
        ("tile/0", TilePathError::Prefix),
        ("tile//000", TilePathError::Level),
        ("tile/00/000", TilePathError::Level),
        ("tile/64/000", TilePathError::Level),
        ("tile/-1/000", TilePathError::Level),
        ("tile/data/000", TilePathError::Level),
        ("tile/0/", TilePathError::Index),
        ("tile/0/67", TilePathError::Index),
        ("tile/0/0067", TilePathError::Index),
        ("tile/0/+67", TilePathError::Index),
        ("tile/0/x067", TilePathError::Index),
        ("tile/0/001/067", TilePathError::Index),
        ("tile/0/x000/067", TilePathError::Index),
        ("tile/0/x001/067/", TilePathError::Index),
        ("tile/0/x001/../067", TilePathError::Index),
        ("tile/0/x018/x446/x744/x073/x709/x551/616", TilePathError::Index),
        ("tile/0/067.p/0", TilePathError::Width),
        ("tile/0/067.p/256", TilePathError::Width),
        ("tile/0/067.p/08", TilePathError::Width),
        ("tile/0/067.p/65544", TilePathError::Width),
        ("tile/0/067.p/", TilePathError::Width),
        ("tile/0/067.p/8.p/8", TilePathError::Width),
    ] {
        assert_eq!(text.parse::<TilePath>(), Err(error), "{text}");
    }
}

#[test]
fn widths_are_those_of_the_specification() {
    let width = |level, index, size| TileId { level, index }.width_in(size);
    assert_eq!(
        [width(0, 272, 70_000), width(0, 273, 70_000), width(0, 274, 70_000)],
        [256, 112, 0]
    );
    assert_eq!([width(1, 0, 70_000), width(1, 1, 70_000)], [256, 17]);
    assert_eq!([width(2, 0, 70_000), width(3, 0, 70_000)], [1, 0]);
    assert_eq!([width(0, 0, 256), width(0, 1, 256), width(1, 0, 256)], [256, 0, 1]);
    assert_eq!([width(8, 0, u64::MAX), width(255, 0, u64::MAX)], [0, 0]);
}

#[test]
fn a_hash_is_found_in_the_tile_of_its_level() {
    let place = |level, index| {
        HashPlace::of(level, index)
            .map(|place| (place.tile.level, place.tile.index, place.height, place.offset))
    };
    assert_eq!(place(0, 1000), Some((0, 3, 0, 232)));
    assert_eq!(place(7, 3), Some((0, 1, 7, 128)));
    assert_eq!(place(8, 3), Some((1, 0, 0, 3)));
    assert_eq!(place(9, 300), Some((1, 2, 1, 88)));
    assert_eq!(place(63, 1), Some((7, 0, 7, 128)));
    assert_eq!(place(63, 2), None);
    assert_eq!(place(64, 0), None);
    assert_eq!(place(1, u64::MAX), None);
}

#[test]
fn inner_hashes_are_folded_from_a_tile() {
    let leaves = leaves(200);
    let bytes = bytes_of(&leaves);
    assert_eq!(hash_in_tile(&bytes, 0, 199), Some(leaves[199]));
    assert_eq!(hash_in_tile(&bytes, 1, 6), Some(node_hash(&leaves[6], &leaves[7])));
    let left = node_hash(&leaves[4], &leaves[5]);
    let right = node_hash(&leaves[6], &leaves[7]);
    assert_eq!(hash_in_tile(&bytes, 2, 4), Some(node_hash(&left, &right)));
    assert_eq!(hash_in_tile(&bytes, 0, 200), None, "beyond the partial tile");
    assert_eq!(hash_in_tile(&bytes, 6, 192), None, "not complete yet");
    assert_eq!(hash_in_tile(&bytes, 1, 3), None, "not on a boundary");
    assert_eq!(hash_in_tile(&bytes, 9, 0), None);
    assert_eq!(hash_in_tile(&bytes, 255, usize::MAX), None);
    assert_eq!(hash_in_tile(&bytes, 0, usize::MAX), None);
    assert_eq!(hash_in_tile(&bytes, 0, usize::MAX - 1), None);
}

#[test]
fn a_partial_tile_alone_proves_a_small_tree() {
    let leaves = leaves(200);
    let tile = Tile { level: 0, index: 0, bytes: bytes_of(&leaves) };
    let tiles: TileSet = [tile].into_iter().collect();
    let expected = root(200, &tiles);
    for (index, leaf) in (0..).zip(&leaves) {
        assert_eq!(tiles_for_inclusion(index, 200).unwrap().len(), 1);
        let path = inclusion_path(index, 200, &tiles).unwrap();
        assert_eq!(root_from_inclusion(index, 200, leaf, &path), expected);
    }
    assert!(inclusion_path(0, 201, &tiles).is_err());
}

#[test]
fn bundles_carry_leaves_behind_their_lengths() {
    assert_eq!(entry_bundle(&["ab", ""]).unwrap(), [0, 2, b'a', b'b', 0, 0]);
    let leaves = vec![[7; 41]; 256];
    let bundle = entry_bundle(&leaves).unwrap();
    assert_eq!(bundle.len(), 256 * 43);
    assert_eq!(parse_entry_bundle(&bundle).unwrap(), leaves);
    assert_eq!(parse_entry_bundle(&[]).unwrap(), Vec::<&[u8]>::new());
}

#[test]
fn bundles_that_are_cut_off_or_too_large_are_refused() {
    let bundle = entry_bundle(&[[7; 41]]).unwrap();
    for length in 1..bundle.len() {
        assert_eq!(parse_entry_bundle(&bundle[..length]), Err(BundleError::Truncated));
    }
    let too_long = BundleError::LeafTooLong { bytes: 65_536 };
    assert_eq!(entry_bundle(&[vec![0; 65_536]]), Err(too_long));
    assert_eq!(entry_bundle(&[[]; 257]), Err(BundleError::TooManyLeaves));
    assert_eq!(parse_entry_bundle(&[0; 514]), Err(BundleError::TooManyLeaves));
}

proptest! {
    #[test]
    fn every_path_is_read_back(level in 0..64_u8, index: u64, width in 1..=256_u16) {
        for path in [hashes_path(level, index, width), entries_path(index, width)] {
            prop_assert_eq!(path.to_string().parse(), Ok(path));
        }
    }

    #[test]
    fn a_path_that_is_read_is_the_one_that_is_written(
        text in "tile/(entries|[0-9]{1,2})(/x?[0-9]{2,4}){1,4}(\\.p/[0-9]{1,3})?",
    ) {
        if let Ok(path) = text.parse::<TilePath>() {
            prop_assert_eq!(path.to_string(), text);
        }
    }

    #[test]
    fn bundles_are_read_back(leaves: Vec<Vec<u8>>) {
        let bundle = entry_bundle(&leaves).unwrap();
        prop_assert_eq!(parse_entry_bundle(&bundle).unwrap(), leaves);
    }

    #[test]
    fn a_place_is_in_its_tile(level: u8, index: u64) {
        if let Some(place) = HashPlace::of(level, index) {
            prop_assert!(place.tile.level < 8 && place.height < 8);
            prop_assert!(place.offset + (1 << place.height) <= TILE_WIDTH);
            prop_assert!(place.offset.is_multiple_of(1 << place.height));
        }
    }
}
