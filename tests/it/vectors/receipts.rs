//! Receipts: the tree, the checkpoint, the proof file, and what must not verify.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use expect_test::expect_file;
use serde::Serialize;
use xianjie::wire::record::{decode, encode};
use xianjie_core::domain::record::{DocumentTaken, Effect, Kind, Record, RuledEffect};
use xianjie_core::ids::{Digest, DocumentRef, InboxNumber, LedgerIndex, SenderNumber};
use xianjie_core::ledger::receipt::ReceiptError;
use xianjie_core::ledger::{
    Checkpoint, Edge, Hash, Leaf, NoteSigner, NoteVerifier, Opening, ReceiptParts, TlogProof,
    consistency_path, document_commitment, document_matches, inclusion_path, record_commitment,
    verify, verify_consistency,
};

use super::{AGENCY, ORIGIN, TIME, check, document_id, id};

/// The secret seed of the checkpoint key.
const CHECKPOINT_SEED: [u8; 32] = [0x11; 32];
const SALT: [u8; 32] = [0x22; 32];
const DOCUMENT_SALT: [u8; 32] = [0x33; 32];
/// Any bytes: here those of a text, so that every language has them.
const DOCUMENT: &str = "刑事判决书";
/// Where the document's record stands.
const INDEX: u64 = 5;

#[derive(Serialize)]
struct Receipts {
    about: &'static str,
    origin: &'static str,
    checkpoint_key_seed: String,
    checkpoint_key: String,
    document: String,
    document_salt: String,
    document_commitment: String,
    salt: String,
    record: String,
    record_commitment: String,
    time_ms: i64,
    leaf: String,
    leaf_hash: String,
    other_leaves: &'static str,
    receipts: Vec<Receipt>,
    refused: Vec<Refused>,
    consistency: Vec<Consistency>,
}

#[derive(Serialize)]
struct Receipt {
    size: u64,
    root: String,
    proof: String,
}

#[derive(Serialize)]
struct Refused {
    why: &'static str,
    step: u8,
    proof: String,
}

#[derive(Serialize)]
struct Consistency {
    old_size: u64,
    old_root: String,
    new_size: u64,
    new_root: String,
    path: Vec<String>,
}

fn signer() -> NoteSigner {
    NoteSigner::new(ORIGIN, CHECKPOINT_SEED).unwrap()
}

fn commitment() -> Hash {
    document_commitment(&DOCUMENT_SALT, DOCUMENT.as_bytes())
}

/// The record of a ping to nobody but the corrections agency of a vector.
fn record() -> Record {
    let taken = DocumentTaken {
        document: DocumentRef { sender: id(AGENCY), id: id(&document_id(1)) },
        document_type: id("ping"),
        commitment: Digest(commitment().0),
        case: None,
        signers: vec![(Digest([0x44; 32]), LedgerIndex(3))],
        rulebook: Digest([0x55; 32]),
        engine: 1,
        sender_number: SenderNumber(1),
        in_reply_to: None,
        thread: LedgerIndex(INDEX),
        replaces: None,
        places: [].into(),
        unique: None,
        supervisors: [id("vector-procuratorate")].into(),
        notice: None,
    };
    let delivery = Effect::DeliveryOpened {
        agency: id("vector-corrections"),
        copy: false,
        number: InboxNumber(1),
        in_lieu: false,
        carries: [].into(),
    };
    let rule = "hub/ping/to/0".to_owned();
    Record {
        kind: Kind::Document(Box::new(taken)),
        effects: vec![RuledEffect { rule, articles: Vec::new(), effect: delivery }],
    }
}

fn opening() -> Opening {
    let record = encode(&record());
    let time_ms = u64::try_from(TIME.0).unwrap();
    let leaf = Leaf { time_ms, commitment: record_commitment(&SALT, &record) };
    Opening { leaf, salt: SALT, document_salt: DOCUMENT_SALT, record }
}

/// The document's leaf at [`INDEX`]; all others commit to 32 bytes of their index's lowest byte.
fn leaf(index: u64) -> Leaf {
    let [.., low] = index.to_be_bytes();
    match index {
        INDEX => opening().leaf,
        _ => Leaf { time_ms: index, commitment: Hash([low; 32]) },
    }
}

fn tree(size: u64) -> Edge {
    let mut edge = Edge::new();
    (0..size).for_each(|index| edge.push(leaf(index).hash()));
    edge
}

fn receipt(size: u64) -> ReceiptParts {
    let edge = tree(size);
    let head = Checkpoint { origin: ORIGIN.to_owned(), size, root: edge.root() };
    ReceiptParts {
        opening: opening(),
        index: INDEX,
        path: inclusion_path(INDEX, size, &edge).unwrap(),
        checkpoint: head.sign(&[&signer()]).unwrap(),
    }
}

fn proof(parts: &ReceiptParts) -> String {
    TlogProof::from(parts).to_text()
}

/// Reads a proof file and verifies it as a receipt.
fn verified(proof: &str, known: &[NoteVerifier]) -> Result<u64, ReceiptError> {
    let parts = ReceiptParts::try_from(TlogProof::parse(proof).unwrap()).unwrap();
    verify(&parts, known).map(|verified| verified.checkpoint.size)
}

fn receipts() -> Vec<Receipt> {
    let make = |(size, more_signatures): (u64, &str)| {
        let mut parts = receipt(size);
        parts.checkpoint.push_str(more_signatures);
        Receipt { size, root: tree(size).root().to_string(), proof: proof(&parts) }
    };
    // A signature line by a key that the reader doesn't know says nothing, and does no harm.
    let unknown = format!("— witness.example/w1 {}\n", STANDARD.encode([0x77; 76]));
    [(6, ""), (7, ""), (300, ""), (7, unknown.as_str())].map(make).into()
}

fn refused() -> Vec<Refused> {
    let change = |why, step, change: fn(&mut ReceiptParts)| {
        let mut parts = receipt(7);
        change(&mut parts);
        Refused { why, step, proof: proof(&parts) }
    };
    vec![
        change("a byte follows the record", 1, |parts| parts.opening.record.push(0)),
        change("another salt", 1, |parts| parts.opening.salt[0] ^= 1),
        change("another time in the leaf", 2, |parts| parts.opening.leaf.time_ms += 1),
        change("another index", 2, |parts| parts.index -= 1),
        change("a hash of the path is missing", 2, |parts| parts.path.truncate(2)),
        change("the checkpoint's size was changed", 3, |parts| {
            parts.checkpoint = parts.checkpoint.replace("\n7\n", "\n8\n");
        }),
        change("the checkpoint is signed by another key", 3, |parts| {
            let head = Checkpoint { origin: ORIGIN.to_owned(), size: 7, root: tree(7).root() };
            let other = NoteSigner::new(ORIGIN, [0x12; 32]).unwrap();
            parts.checkpoint = head.sign(&[&other]).unwrap();
        }),
    ]
}

fn consistency() -> Vec<Consistency> {
    let make = |(old_size, new_size): (u64, u64)| {
        let (old, new) = (tree(old_size), tree(new_size));
        let path = consistency_path(old_size, new_size, &new).unwrap();
        verify_consistency(old_size, &old.root(), new_size, &new.root(), &path).unwrap();
        Consistency {
            old_size,
            old_root: old.root().to_string(),
            new_size,
            new_root: new.root().to_string(),
            path: path.iter().map(Hash::to_string).collect(),
        }
    };
    [(1, 7), (4, 7), (6, 7), (7, 7), (7, 300), (256, 300)].map(make).into()
}

#[test]
fn receipts_verify_and_what_is_changed_does_not() {
    let known = [signer().verifier().clone()];
    let (good, bad) = (receipts(), refused());
    for receipt in &good {
        assert_eq!(verified(&receipt.proof, &known), Ok(receipt.size));
    }
    for Refused { why, step, proof } in &bad {
        let failed = match verified(proof, &known) {
            Err(ReceiptError::Commitment) => 1,
            Err(ReceiptError::Path(_) | ReceiptError::Root) => 2,
            Err(ReceiptError::Checkpoint(_)) => 3,
            Ok(_) => panic!("{why}: verified"),
        };
        assert_eq!(failed, *step, "{why}");
    }
    let Opening { leaf, record: bytes, .. } = opening();
    assert_eq!(decode(&bytes), Ok(record()));
    assert!(document_matches(&commitment(), &DOCUMENT_SALT, DOCUMENT.as_bytes()));
    let vectors = Receipts {
        about: "Receipts of one record in trees of three sizes, the last with a signature line of \
                an unknown key. Bytes are hexadecimal; `proof` is the text of a proof file (C2SP \
                tlog-proof) whose extra data is the opening. `step` is that of docs/formats.md, \
                \"Receipts\", at which verification fails.",
        origin: ORIGIN,
        checkpoint_key_seed: hex::encode(CHECKPOINT_SEED),
        checkpoint_key: signer().verifier_key(),
        document: hex::encode(DOCUMENT),
        document_salt: hex::encode(DOCUMENT_SALT),
        document_commitment: commitment().to_string(),
        salt: hex::encode(SALT),
        record: hex::encode(&bytes),
        record_commitment: leaf.commitment.to_string(),
        time_ms: TIME.0,
        leaf: hex::encode(leaf.to_bytes()),
        leaf_hash: leaf.hash().to_string(),
        other_leaves: "leaf i, but for the document's: 01, i as eight bytes, then 32 times the \
                       lowest byte of i",
        receipts: good,
        refused: bad,
        consistency: consistency(),
    };
    check(&vectors, &expect_file!["../../vectors/receipts.json"]);
}
