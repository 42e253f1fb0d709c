use super::*;
use crate::ledger::note::{NoteError, NoteSigner};
use crate::ledger::{Edge, inclusion_path};

const ORIGIN: &str = "hub.example/ledger/1";
const DOCUMENT: &[u8] = "刑事判决书".as_bytes();

fn signer() -> NoteSigner {
    NoteSigner::new(ORIGIN, [1; 32]).unwrap()
}

fn known() -> [NoteVerifier; 1] {
    [signer().verifier().clone()]
}

fn opening(index: u64) -> Opening {
    let salt = [index as u8; 32];
    let document_salt = [!(index as u8); 32];
    let document = document_commitment(&document_salt, DOCUMENT);
    let record = [b"record of ", &document.0[..]].concat();
    let commitment = record_commitment(&salt, &record);
    Opening { leaf: Leaf { time_ms: 1_000 + index, commitment }, salt, document_salt, record }
}

/// The receipt of leaf `index` in a ledger of `size` leaves.
fn receipt(index: u64, size: u64) -> ReceiptParts {
    let mut edge = Edge::new();
    (0..size).for_each(|index| edge.push(opening(index).leaf.hash()));
    let head = Checkpoint { origin: ORIGIN.to_owned(), size, root: edge.root() };
    ReceiptParts {
        opening: opening(index),
        index,
        path: inclusion_path(index, size, &edge).unwrap(),
        checkpoint: head.sign(&[&signer()]).unwrap(),
    }
}

#[test]
fn receipts_hold_at_every_index_and_size() {
    for size in 1..40 {
        for index in 0..size {
            let verified = verify(&receipt(index, size), &known()).unwrap();
            assert_eq!((verified.index, verified.time_ms), (index, 1_000 + index));
            assert_eq!((verified.checkpoint.size, &*verified.checkpoint.origin), (size, ORIGIN));
        }
    }
}

#[test]
fn the_step_that_fails_is_named() {
    let good = receipt(5, 11);
    let failure = |change: fn(&mut ReceiptParts)| {
        let mut changed = good.clone();
        change(&mut changed);
        verify(&changed, &known()).unwrap_err()
    };
    assert_eq!(failure(|parts| parts.opening.record.push(0)), ReceiptError::Commitment);
    assert_eq!(failure(|parts| parts.opening.salt[0] ^= 1), ReceiptError::Commitment);
    assert_eq!(failure(|parts| parts.opening.leaf.time_ms += 1), ReceiptError::Root);
    assert_eq!(failure(|parts| parts.index = 4), ReceiptError::Root);
    assert_eq!(failure(|parts| parts.path[0].0[0] ^= 1), ReceiptError::Root);
    assert_eq!(failure(|parts| parts.path.clear()), ReceiptError::Path(ProofError::PathLength));
    assert_eq!(
        failure(|parts| parts.index = u64::MAX),
        ReceiptError::Path(ProofError::IndexBeyondSize { index: u64::MAX, size: 11 })
    );
    assert_eq!(
        failure(|parts| parts.checkpoint = parts.checkpoint.replace("\n11\n", "\n12\n")),
        ReceiptError::Checkpoint(NoteError::InvalidSignature { name: ORIGIN.to_owned() }.into())
    );
    let unknown = NoteError::NoKnownKey.into();
    assert_eq!(verify(&good, &[]), Err(ReceiptError::Checkpoint(unknown)));
    let other = receipt(5, 12).checkpoint;
    assert_eq!(
        verify(&ReceiptParts { checkpoint: other, ..good }, &known()),
        Err(ReceiptError::Root)
    );
}

#[test]
fn every_flipped_bit_is_noticed() {
    let good = receipt(5, 11);
    let refused = |parts: &ReceiptParts| assert!(verify(parts, &known()).is_err());

    let bytes = good.opening.to_bytes();
    let document_salt = Leaf::LEN + 32..Leaf::LEN + 64;
    for bit in (0..bytes.len() * 8).filter(|bit| !document_salt.contains(&(bit / 8))) {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        if let Ok(opening) = Opening::parse(&changed) {
            refused(&ReceiptParts { opening, ..good.clone() });
        }
    }
    for bit in 0..64 {
        refused(&ReceiptParts { index: good.index ^ (1 << bit), ..good.clone() });
    }
    for bit in 0..good.path.len() * 256 {
        let mut changed = good.clone();
        changed.path[bit / 256].0[bit % 256 / 8] ^= 1 << (bit % 8);
        refused(&changed);
    }
    for bit in 0..good.checkpoint.len() * 8 {
        let mut bytes = good.checkpoint.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(checkpoint) = String::from_utf8(bytes) {
            refused(&ReceiptParts { checkpoint, ..good.clone() });
        }
    }
}

#[test]
fn only_the_document_itself_matches() {
    let Opening { document_salt, .. } = opening(3);
    let commitment = document_commitment(&document_salt, DOCUMENT);
    assert!(document_matches(&commitment, &document_salt, DOCUMENT));
    assert!(!document_matches(&commitment, &document_salt, &DOCUMENT[1..]));
    assert!(!document_matches(&commitment, &[0; 32], DOCUMENT));
    assert!(!document_matches(&Hash([0; 32]), &document_salt, DOCUMENT));
}

#[test]
fn an_opening_is_read_back_and_bounded() {
    let mut opening = opening(3);
    let bytes = opening.to_bytes();
    assert_eq!(Opening::parse(&bytes), Ok(opening.clone()));
    for length in 0..Leaf::LEN + 64 {
        assert_eq!(Opening::parse(&bytes[..length]), Err(OpeningError::Truncated));
    }
    let unknown = [&[2], &bytes[1..]].concat();
    let version = LeafError::Version { version: 2 };
    assert_eq!(Opening::parse(&unknown), Err(OpeningError::Leaf(version)));
    opening.record.resize(RECORD_BYTES_MAX, 0);
    assert_eq!(Opening::parse(&opening.to_bytes()), Ok(opening.clone()));
    opening.record.push(0);
    assert_eq!(Opening::parse(&opening.to_bytes()), Err(OpeningError::RecordTooLong));
}
