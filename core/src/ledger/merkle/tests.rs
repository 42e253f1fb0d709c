use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;
use sha2::Sha256;

use super::*;

/// The leaves of the reference vectors of Certificate Transparency, and the root after each.
const VECTORS: [(&str, &str); 8] = [
    ("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    ("00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    ("10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
    ("2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
    ("3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
    ("40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
    ("5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
    (
        "606162636465666768696a6b6c6d6e6f",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ),
];

/// Every complete subtree of a small tree, row by row.
struct Rows(Vec<Vec<Hash>>);

impl Rows {
    fn new(leaves: impl IntoIterator<Item = Hash>) -> Rows {
        let mut rows: Vec<Vec<Hash>> = vec![leaves.into_iter().collect()];
        while rows[rows.len() - 1].len() > 1 {
            let pairs = rows[rows.len() - 1].as_chunks::<2>().0;
            rows.push(pairs.iter().map(|[left, right]| node_hash(left, right)).collect());
        }
        Rows(rows)
    }

    fn numbered(size: u64) -> Rows {
        Rows::new((0..size).map(|index| leaf_hash(&index.to_be_bytes())))
    }
}

impl HashReader for Rows {
    fn hash(&self, level: u8, index: u64) -> Option<Hash> {
        self.0.get(usize::from(level))?.get(index as usize).copied()
    }
}

/// A tree of any size, all of whose leaves are equal, so that every row has one hash alone.
struct Uniform([Hash; 64]);

impl Uniform {
    fn new() -> Uniform {
        let mut hash = leaf_hash(b"leaf");
        Uniform(std::array::from_fn(|_| {
            let row = hash;
            hash = node_hash(&hash, &hash);
            row
        }))
    }
}

impl HashReader for Uniform {
    fn hash(&self, level: u8, _: u64) -> Option<Hash> {
        self.0.get(usize::from(level)).copied()
    }
}

fn hashes(hex: &[&str]) -> Vec<Hash> {
    hex.iter().map(|hex| Hash(hex::decode(hex).unwrap().try_into().unwrap())).collect()
}

fn vector_tree() -> Rows {
    Rows::new(VECTORS.map(|(leaf, _)| leaf_hash(&hex::decode(leaf).unwrap())))
}

fn flipped(hash: &Hash, bit: usize) -> Hash {
    let mut hash = *hash;
    hash.0[bit / 8] ^= 1 << (bit % 8);
    hash
}

#[test]
fn roots_are_those_of_certificate_transparency() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(root(0, &vector_tree()).unwrap().to_string(), empty);
    for (size, (_, expected)) in (1..).zip(VECTORS) {
        assert_eq!(root(size, &vector_tree()).unwrap().to_string(), expected);
    }
    let node = sha256(&[&[1], b"N123", b"N456"]).to_string();
    assert_eq!(node, "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb");
}

#[test]
fn paths_are_those_of_certificate_transparency() {
    let inclusion = hashes(&[
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]);
    assert_eq!(inclusion_path(5, 8, &vector_tree()), Ok(inclusion));
    let consistency = hashes(&[
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]);
    assert_eq!(consistency_path(6, 8, &vector_tree()), Ok(consistency));
}

#[test]
fn agrees_with_an_independent_implementation_up_to_300_leaves() {
    let mut oracle = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let rows = Rows::numbered(300);
    let mut roots = vec![empty_root()];
    for size in 1..=300_u64 {
        oracle.push((size - 1).to_be_bytes().to_vec());
        let expected = Hash((*oracle.root().as_bytes()).into());
        assert_eq!(root(size, &rows), Ok(expected));
        roots.push(expected);
        for index in 0..size {
            let path = inclusion_path(index, size, &rows).unwrap();
            let flat: Vec<u8> = path.iter().flat_map(|hash| hash.0).collect();
            assert_eq!(flat, oracle.prove_inclusion(index as usize).as_bytes());
            let leaf = leaf_hash(&index.to_be_bytes());
            assert_eq!(root_from_inclusion(index, size, &leaf, &path), Ok(expected));
        }
        for old in 0..=size {
            let path = consistency_path(old, size, &rows).unwrap();
            if old > 0 {
                let flat: Vec<u8> = path.iter().flat_map(|hash| hash.0).collect();
                assert_eq!(flat, oracle.prove_consistency((size - old) as usize).as_bytes());
            }
            let old_root = &roots[old as usize];
            assert_eq!(verify_consistency(old, old_root, size, &expected, &path), Ok(()));
        }
    }
}

#[test]
fn a_flipped_bit_never_leads_to_the_root() {
    let rows = Rows::numbered(20);
    for (size, index) in (1..=20).flat_map(|size| (0..size).map(move |index| (size, index))) {
        let expected = root(size, &rows);
        let path = inclusion_path(index, size, &rows).unwrap();
        let leaf = rows.0[0][index as usize];
        for bit in 0..64 {
            assert_ne!(root_from_inclusion(index ^ (1 << bit), size, &leaf, &path), expected);
        }
        for bit in 0..256 {
            let wrong = flipped(&leaf, bit);
            assert_ne!(root_from_inclusion(index, size, &wrong, &path), expected);
            for place in 0..path.len() {
                let mut wrong = path.clone();
                wrong[place] = flipped(&path[place], bit);
                assert_ne!(root_from_inclusion(index, size, &leaf, &wrong), expected);
            }
        }
    }
}

#[test]
fn a_flipped_bit_breaks_consistency() {
    let rows = Rows::numbered(20);
    for (new, old) in (2..=20).flat_map(|new| (1..new).map(move |old| (new, old))) {
        let (old_root, new_root) = (root(old, &rows).unwrap(), root(new, &rows).unwrap());
        let path = consistency_path(old, new, &rows).unwrap();
        for bit in 0..256 {
            let wrong = flipped(&old_root, bit);
            assert!(verify_consistency(old, &wrong, new, &new_root, &path).is_err());
            let wrong = flipped(&new_root, bit);
            assert!(verify_consistency(old, &old_root, new, &wrong, &path).is_err());
            for place in 0..path.len() {
                let mut wrong = path.clone();
                wrong[place] = flipped(&path[place], bit);
                assert!(verify_consistency(old, &old_root, new, &new_root, &wrong).is_err());
            }
        }
    }
}

#[test]
fn a_path_of_the_wrong_length_is_refused() {
    let rows = Rows::numbered(20);
    let leaf = rows.0[0][3];
    let mut path = inclusion_path(3, 20, &rows).unwrap();
    path.push(leaf);
    assert_eq!(root_from_inclusion(3, 20, &leaf, &path), Err(ProofError::PathLength));
    path.truncate(4);
    assert_eq!(root_from_inclusion(3, 20, &leaf, &path), Err(ProofError::PathLength));

    let (old, new) = (root(7, &rows).unwrap(), root(20, &rows).unwrap());
    let mut path = consistency_path(7, 20, &rows).unwrap();
    path.push(leaf);
    assert_eq!(verify_consistency(7, &old, 20, &new, &path), Err(ProofError::PathLength));
    path.truncate(path.len() - 2);
    assert_eq!(verify_consistency(7, &old, 20, &new, &path), Err(ProofError::PathLength));
    assert_eq!(verify_consistency(7, &old, 20, &new, &[]), Err(ProofError::PathLength));
    assert_eq!(verify_consistency(8, &old, 20, &new, &[]), Err(ProofError::PathLength));
}

#[test]
fn equal_and_empty_trees_need_no_path() {
    let [one, two] = [leaf_hash(b"1"), leaf_hash(b"2")];
    assert_eq!(verify_consistency(5, &one, 5, &one, &[]), Ok(()));
    assert_eq!(verify_consistency(5, &one, 5, &two, &[]), Err(ProofError::NewRoot));
    assert_eq!(verify_consistency(5, &one, 5, &one, &[one]), Err(ProofError::PathLength));
    assert_eq!(verify_consistency(0, &empty_root(), 5, &one, &[]), Ok(()));
    assert_eq!(verify_consistency(0, &one, 5, &one, &[]), Err(ProofError::OldRoot));
    assert_eq!(verify_consistency(0, &empty_root(), 0, &one, &[]), Err(ProofError::NewRoot));
}

#[test]
fn numbers_that_do_not_fit_are_refused() {
    let rows = Rows::numbered(4);
    let beyond = |index, size| Err(ProofError::IndexBeyondSize { index, size });
    assert_eq!(inclusion_path(4, 4, &rows), beyond(4, 4));
    assert_eq!(inclusion_path(0, 0, &rows), beyond(0, 0));
    let leaf = leaf_hash(b"");
    let reached = root_from_inclusion(u64::MAX, u64::MAX, &leaf, &[]);
    assert_eq!(reached, Err(ProofError::IndexBeyondSize { index: u64::MAX, size: u64::MAX }));
    let reversed = ProofError::SizesReversed { old: 3, new: 2 };
    assert_eq!(consistency_path(3, 2, &rows), Err(reversed));
    assert_eq!(verify_consistency(3, &leaf, 2, &leaf, &[]), Err(reversed));
    assert_eq!(root(8, &rows), Err(ProofError::MissingHash { level: 3, index: 0 }));
}

proptest! {
    #[test]
    fn proofs_hold_at_every_size_of_tree(old in 1_u64.., new in 1_u64.., seed: u64) {
        let (old, new) = if old < new { (old, new) } else { (new, old) };
        let rows = Uniform::new();
        let (old_root, new_root) = (root(old, &rows)?, root(new, &rows)?);

        let path = consistency_path(old, new, &rows)?;
        prop_assert!(path.len() <= PATH_MAX + 1);
        prop_assert_eq!(verify_consistency(old, &old_root, new, &new_root, &path), Ok(()));

        let index = seed % new;
        let path = inclusion_path(index, new, &rows)?;
        prop_assert!(path.len() <= PATH_MAX);
        prop_assert_eq!(root_from_inclusion(index, new, &rows.0[0], &path), Ok(new_root));
    }

    #[test]
    fn hostile_proofs_are_refused_without_panic(
        index: u64, size: u64, old: u64, length in 0..200_usize, seed: [u8; 32],
    ) {
        let path = vec![Hash(seed); length];
        let leaf = leaf_hash(&seed);
        let reached = root_from_inclusion(index, size, &leaf, &path);
        if index >= size || length > PATH_MAX {
            prop_assert!(reached.is_err());
        }
        if old != size {
            prop_assert!(verify_consistency(old, &leaf, size, &Hash(seed), &path).is_err());
        }
    }
}
