use proptest::prelude::*;

use super::*;

/// Computed apart from this code, from the definitions alone. They may never change.
const RECORD: &str = "46f19cd4585af5be62d0d98f8a1e8749d733eac26b1259f497030cef138a464c";
const DOCUMENT: &str = "fa81ab9d3e6c7ded1646b76994c08f7f0bab144fbb11d6f17e491af274ff33fe";
const LEAF: &str = "010000019b76daa87b46f19cd4585af5be62d0d98f8a1e8749d733eac26b1259f497030cef138a\
    464c";
const LEAF_HASH: &str = "602a710c57dfc52d8ef2a18be4819231ef532ce02d6e08ebce3fb3430a69f278";

fn counting_salt() -> [u8; 32] {
    std::array::from_fn(|place| place as u8)
}

#[test]
fn the_frozen_bytes_stand() {
    let commitment = record_commitment(&counting_salt(), b"record");
    assert_eq!(commitment.to_string(), RECORD);
    assert_eq!(document_commitment(&[0xa5; 32], "文书".as_bytes()).to_string(), DOCUMENT);
    let leaf = Leaf { time_ms: 1_767_225_600_123, commitment };
    assert_eq!(hex::encode(leaf.to_bytes()), LEAF);
    assert_eq!(leaf.hash().to_string(), LEAF_HASH);
}

#[test]
fn leaves_of_another_version_or_length_are_refused() {
    let mut bytes = Leaf { time_ms: 1, commitment: Hash([7; 32]) }.to_bytes();
    for length in (0..Leaf::LEN).filter(|length| *length != 1) {
        assert_eq!(Leaf::parse(&bytes[..length]), Err(LeafError::Length { bytes: length }));
    }
    let long = [&bytes[..], &[0]].concat();
    assert_eq!(Leaf::parse(&long), Err(LeafError::Length { bytes: 42 }));
    for version in (0..=255).filter(|version| *version != 1) {
        bytes[0] = version;
        assert_eq!(Leaf::parse(&bytes), Err(LeafError::Version { version }));
    }
}

proptest! {
    #[test]
    fn a_leaf_is_read_back(time_ms: u64, commitment: [u8; 32]) {
        let leaf = Leaf { time_ms, commitment: Hash(commitment) };
        prop_assert_eq!(Leaf::parse(&leaf.to_bytes()), Ok(leaf));
    }

    #[test]
    fn commitments_depend_on_salt_and_content(salt: [u8; 32], content: Vec<u8>, bit: usize) {
        let changed = {
            let mut all = [&salt[..], &content].concat();
            let place = bit / 8 % all.len();
            all[place] ^= 1 << (bit % 8);
            all
        };
        let (changed_salt, changed_content) = changed.split_first_chunk().unwrap();
        let record = record_commitment(&salt, &content);
        prop_assert_ne!(record, record_commitment(changed_salt, changed_content));
        let document = document_commitment(&salt, &content);
        prop_assert_ne!(document, document_commitment(changed_salt, changed_content));
        prop_assert_ne!(document, record);
    }
}
