//! What is whole verifies; one byte changed anywhere is found, at its step.

use std::fs;
use std::path::{Path, PathBuf};

use xianjie_core::ledger::receipt::ReceiptParts;
use xianjie_core::ledger::{Hash, TlogProof};

use super::{
    Outcome, Report, Step, verify_acknowledgement, verify_document, verify_folder, verify_receipt,
    verify_signatures,
};
use crate::client::files;
use crate::client::testing::World;
use crate::wire::pb;

/// The steps of a document's verification, and the last one's outcome.
fn document(world: &World, parts: &ReceiptParts, signed: &pb::SignedDocument) -> Report {
    let trust = world.trust();
    let mut report = Report::default();
    let find = |index: u64| world.receipts.get(usize::try_from(index).ok()?).cloned();
    if verify_receipt(&trust, parts, &mut report).is_some()
        && let Some(record) = verify_document(parts, &signed.document, &mut report)
    {
        verify_signatures(&trust, &record, signed, &find, &mut report);
    }
    report
}

fn failed_step(report: &Report) -> Step {
    let doubt = report.first_doubt().unwrap();
    assert!(matches!(doubt.outcome, Outcome::Fails(..)), "{report}");
    doubt.step
}

#[test]
fn a_document_verifies_step_by_step() {
    let world = World::new();
    let report = document(&world, &world.receipts[1], &world.signed);
    assert!(report.is_proven(), "{report}");
    let steps: Vec<_> = report.findings.iter().map(|finding| finding.step.name()).collect();
    let expected = ["commitment", "checkpoint", "inclusion", "document", "binding", "signature"];
    assert_eq!(steps, expected);
    assert_eq!(report.receipt.map(|receipt| receipt.index), Some(1));
}

#[test]
fn a_byte_changed_in_a_receipt_is_found_at_its_step() {
    let world = World::new();
    let change = |step, make: fn(&mut ReceiptParts)| (step, make);
    let changes = [
        change(Step::Commitment, |parts| parts.opening.record[3] ^= 1),
        change(Step::Commitment, |parts| parts.opening.salt[0] ^= 1),
        change(Step::Checkpoint, |parts| {
            parts.checkpoint = parts.checkpoint.replace("\n3\n", "\n4\n")
        }),
        change(Step::Inclusion, |parts| parts.path[0] = Hash([1; 32])),
        change(Step::Inclusion, |parts| parts.opening.leaf.time_ms += 1),
        change(Step::Document, |parts| parts.opening.document_salt[0] ^= 1),
    ];
    for (step, make) in changes {
        let mut parts = world.receipts[1].clone();
        make(&mut parts);
        assert_eq!(failed_step(&document(&world, &parts, &world.signed)), step);
    }
}

#[test]
fn a_byte_changed_in_a_document_or_a_signature_is_found() {
    let world = World::new();
    let parts = &world.receipts[1];
    let mut signed = world.signed.clone();
    let mut bytes = signed.document.to_vec();
    bytes[5] ^= 1;
    signed.document = bytes.into();
    assert_eq!(failed_step(&document(&world, parts, &signed)), Step::Document);

    let changes: [fn(&mut pb::Signature); 3] = [
        |signature| signature.value[20] ^= 1,
        |signature| signature.algorithm = pb::Algorithm::Ed25519.into(),
        |signature| signature.certificate_sha256[0] ^= 1,
    ];
    for change in changes {
        let mut signed = world.signed.clone();
        change(&mut signed.signatures[0]);
        assert_eq!(failed_step(&document(&world, parts, &signed)), Step::Signature);
    }
    let mut signed = world.signed.clone();
    signed.signatures.clear();
    assert_eq!(failed_step(&document(&world, parts, &signed)), Step::Signature);
}

#[test]
fn another_ledger_or_another_record_proves_nothing() {
    let world = World::new();
    assert_eq!(failed_step(&document(&world, &world.receipts[0], &world.signed)), Step::Document);
    let mut trust = world.trust();
    trust.origin = "hub.demo/ledger/2".parse().unwrap();
    let mut report = Report::default();
    assert!(verify_receipt(&trust, &world.receipts[1], &mut report).is_none());
    assert_eq!(failed_step(&report), Step::Checkpoint);
}

#[test]
fn a_binding_must_be_at_hand_and_the_right_one() {
    let world = World::new();
    let trust = world.trust();
    let parts = &world.receipts[1];
    let verify = |find: &dyn Fn(u64) -> Option<ReceiptParts>| {
        let mut report = Report::default();
        let record = verify_document(parts, &world.signed.document, &mut report).unwrap();
        let find = |index: u64| find(index);
        verify_signatures(&trust, &record, &world.signed, &find, &mut report);
        report
    };
    let open = verify(&|_| None);
    assert!(matches!(open.first_doubt().unwrap().outcome, Outcome::Open(..)));
    assert!(!open.is_proven());
    assert_eq!(failed_step(&verify(&|_| Some(parts.clone()))), Step::Binding);
    let mut tampered = world.receipts[0].clone();
    tampered.opening.record[9] ^= 1;
    assert_eq!(failed_step(&verify(&|_| Some(tampered.clone()))), Step::Binding);
}

#[test]
fn an_acknowledgement_covers_its_delivery_and_no_other() {
    let world = World::new();
    let trust = world.trust();
    let find = |index: u64| world.receipts.get(usize::try_from(index).ok()?).cloned();
    let covered = &world.receipts[1].opening.leaf.commitment;
    let other = Hash([1; 32]);
    for (covers, holds) in [
        (None, true),
        (Some((1, covered)), true),
        (Some((2, covered)), false),
        (Some((1, &other)), false),
    ] {
        let mut report = Report::default();
        let parts = &world.receipts[2];
        assert_eq!(verify_acknowledgement(&trust, parts, covers, &find, &mut report), holds);
        assert_eq!(report.is_proven(), holds, "{report}");
    }
    let mut report = Report::default();
    assert!(!verify_acknowledgement(&trust, &world.receipts[1], None, &find, &mut report));
    assert_eq!(failed_step(&report), Step::Acknowledgement);
}

fn write_folder(world: &World) -> PathBuf {
    let folder = world.folder().join("inbox/1");
    fs::create_dir_all(folder.join("bindings")).unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    let text = |parts: &ReceiptParts| TlogProof::from(parts).to_text();
    write(files::DOCUMENT, &world.signed.document);
    write(files::SIGNATURES, &files::write_signatures(&world.signed.signatures));
    write(files::RECEIPT, text(&world.receipts[1]).as_bytes());
    write(files::ACKNOWLEDGEMENT, text(&world.receipts[2]).as_bytes());
    write("bindings/0.tlog-proof", text(&world.receipts[0]).as_bytes());
    folder
}

#[test]
fn a_folder_verifies_by_itself_and_any_changed_file_is_found() {
    let world = World::new();
    let folder = write_folder(&world);
    let trust = world.trust();
    let verify = |folder: &Path| verify_folder(&trust, folder).unwrap();
    let report = verify(&folder);
    assert!(report.is_proven(), "{report}");
    assert_eq!(report.receipt.as_ref().map(|receipt| receipt.index), Some(1));
    assert_eq!(report.to_json()["proven"], true);

    for name in [files::DOCUMENT, files::SIGNATURES, files::RECEIPT, files::ACKNOWLEDGEMENT] {
        let whole = fs::read(folder.join(name)).unwrap();
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        // A digit: an A in place of an a would be the same hexadecimal number.
        changed[middle] = if changed[middle] == b'1' { b'2' } else { b'1' };
        fs::write(folder.join(name), changed).unwrap();
        assert!(!verify(&folder).is_proven(), "{name}");
        fs::write(folder.join(name), whole).unwrap();
    }
    assert!(verify(&folder).is_proven());
    fs::remove_file(folder.join(files::RECEIPT)).unwrap();
    assert!(verify_folder(&trust, &folder).is_err());
}
