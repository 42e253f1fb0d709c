use proptest::prelude::*;

use super::*;
use crate::ledger::commitment::{Leaf, record_commitment};
use crate::ledger::note::{NoteSigner, SIGNATURES_MAX};
use crate::ledger::receipt::{RECORD_BYTES_MAX, verify};
use crate::ledger::{Checkpoint, Edge, inclusion_path};

/// The example of the tlog-proof specification, with a whole extra line.
const EXAMPLE: &str = "\
c2sp.org/tlog-proof@v1
extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=
RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=
AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=

example.com/fancylog
109482
sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

— example.com/fancylog hI2DJw[...]1roloI=
";

#[test]
fn reads_the_specifications_example() {
    let proof = TlogProof::parse(EXAMPLE).unwrap();
    assert_eq!(proof.extra, b"age-v1.2.1-darwin-arm64.tar.gz");
    assert_eq!(proof.index, 73_894);
    assert_eq!(proof.path.len(), 5);
    assert_eq!(proof.path[4].to_base64(), "AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=");
    assert!(proof.checkpoint.starts_with("example.com/fancylog\n109482\n"));
    assert_eq!(proof.to_text(), EXAMPLE);
}

#[test]
fn extra_data_and_path_may_be_missing() {
    let text = "c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint\n";
    let proof = TlogProof::parse(text).unwrap();
    assert!(proof.extra.is_empty() && proof.path.is_empty());
    assert_eq!((proof.index, &*proof.checkpoint), (0, "checkpoint\n"));
    assert_eq!(proof.to_text(), text);
}

#[test]
fn malformed_files_are_refused() {
    let path = |position| ProofFileError::Path { position };
    let hash = "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n";
    for (text, error) in [
        (String::new(), ProofFileError::Header),
        (EXAMPLE.replace("@v1", "@v2"), ProofFileError::Header),
        (EXAMPLE.replace("@v1\n", "@v1 \n"), ProofFileError::Header),
        (EXAMPLE.replace('\n', "\r\n"), ProofFileError::Header),
        (EXAMPLE.replace("extra YWdl", "extra *"), ProofFileError::Extra),
        (EXAMPLE.replace("YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6", ""), ProofFileError::Extra),
        ("c2sp.org/tlog-proof@v1\nextra YWdl".to_owned(), ProofFileError::Extra),
        (EXAMPLE.replace("index 7", "index 07"), ProofFileError::Index),
        (EXAMPLE.replace("index 7", "index -7"), ProofFileError::Index),
        (EXAMPLE.replace("index 7", "index  7"), ProofFileError::Index),
        (EXAMPLE.replace("index", "Index"), ProofFileError::Index),
        (EXAMPLE.replace("73894", "18446744073709551616"), ProofFileError::Index),
        ("c2sp.org/tlog-proof@v1\nindex 1".to_owned(), ProofFileError::Index),
        (EXAMPLE.replace("B95l", ""), path(1)),
        (EXAMPLE.replace("dPlQ=", "dPlR="), path(0)),
        (EXAMPLE[..EXAMPLE.find("\n\n").unwrap() + 1].to_owned(), path(5)),
        (EXAMPLE.replace(hash, &hash.repeat(61)), ProofFileError::PathTooLong),
        ("a".repeat(PROOF_BYTES_MAX + 1), ProofFileError::TooLong),
    ] {
        assert_eq!(TlogProof::parse(&text), Err(error), "{}", &text[..text.len().min(400)]);
    }
    assert_eq!(TlogProof::parse(&EXAMPLE.replace(hash, &hash.repeat(60))).unwrap().path.len(), 64);
}

/// A receipt with a record of so many bytes, as leaf 2 of 3.
fn receipt(record_bytes: usize) -> (ReceiptParts, NoteSigner) {
    let signer = NoteSigner::new("hub.example/ledger/1", [1; 32]).unwrap();
    let (salt, record) = ([2; 32], vec![3; record_bytes]);
    let leaf = Leaf { time_ms: 4, commitment: record_commitment(&salt, &record) };
    let mut edge = Edge::new();
    (0..3).for_each(|_| edge.push(leaf.hash()));
    let head = Checkpoint { origin: signer.name().to_owned(), size: 3, root: edge.root() };
    let parts = ReceiptParts {
        opening: Opening { leaf, salt, document_salt: [0; 32], record },
        index: 2,
        path: inclusion_path(2, 3, &edge).unwrap(),
        checkpoint: head.sign(&[&signer]).unwrap(),
    };
    (parts, signer)
}

#[test]
fn a_receipt_as_a_file_is_the_same_receipt() {
    let (parts, signer) = receipt(100);
    let text = TlogProof::from(&parts).to_text();
    let read = ReceiptParts::try_from(TlogProof::parse(&text).unwrap()).unwrap();
    assert_eq!(read, parts);
    assert_eq!(verify(&read, &[signer.verifier().clone()]).unwrap().index, 2);
}

#[test]
fn the_longest_receipt_fits_the_bound() {
    let (mut parts, _) = receipt(RECORD_BYTES_MAX);
    let line = parts.checkpoint.lines().last().unwrap().to_owned() + "\n";
    parts.checkpoint += &line.repeat(SIGNATURES_MAX - 1);
    parts.path = vec![Hash([0; 32]); PATH_MAX];
    let text = TlogProof::from(&parts).to_text();
    assert_eq!(TlogProof::parse(&text).unwrap().checkpoint, parts.checkpoint);
    assert!(text.len() + crate::ledger::note::NOTE_BYTES_MAX < PROOF_BYTES_MAX);
}

#[test]
fn a_proof_without_an_opening_is_no_receipt() {
    let proof = TlogProof::parse(EXAMPLE).unwrap();
    let error = ProofFileError::Opening(OpeningError::Truncated);
    assert_eq!(ReceiptParts::try_from(proof), Err(error));
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        extra: Vec<u8>, index: u64, path in prop::collection::vec(any::<[u8; 32]>(), 0..=64),
        checkpoint: String,
    ) {
        let path = path.into_iter().map(Hash).collect();
        let proof = TlogProof { extra, index, path, checkpoint };
        prop_assert_eq!(TlogProof::parse(&proof.to_text()), Ok(proof));
    }

    #[test]
    fn what_is_read_is_written_the_same(
        lines in "(extra [A-D]{0,8}\n)?index [0-9]{1,3}\n([A-D]{42}A=\n){0,2}\n.*",
    ) {
        let text = format!("{HEADER}\n{lines}");
        if let Ok(proof) = TlogProof::parse(&text) {
            prop_assert_eq!(proof.to_text(), text);
        }
    }
}
