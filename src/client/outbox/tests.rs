//! The same file sends the same bytes; a changed one is an error; nothing is half there.

use std::path::PathBuf;

use xianjie_core::ids::Time;
use xianjie_core::refusal::Reason;

use super::{Entry, Outbox, OutboxError, Stage};
use crate::client::error::Refused;
use crate::client::prepare::{DocumentFile, Filling, Prepared};
use crate::client::testing::World;
use crate::client::verify::{Report, verify_receipt};
use crate::wire::schema::Schema;

const FORM: &str = r#"{
    "original_form": "ORIGINAL_FORM_ELECTRONIC",
    "classification": "CLASSIFICATION_UNCLASSIFIED",
    "attachments": [{"name": "judgment.pdf", "kind": "判决书"}],
    "ping": {"text": "一"}
}"#;

struct Desk {
    world: World,
    outbox: Outbox,
    path: PathBuf,
}

impl Desk {
    fn new() -> Self {
        let world = World::new();
        let path = world.folder().join("document.json");
        std::fs::write(&path, FORM).unwrap();
        std::fs::write(world.folder().join("judgment.pdf"), "%PDF").unwrap();
        let outbox = Outbox::of(&world.folder().join("profile"));
        Self { world, outbox, path }
    }

    fn file(&self) -> DocumentFile {
        DocumentFile::read(&self.path).unwrap()
    }

    fn prepare(&self, file: &DocumentFile) -> Prepared {
        let ledger = World::ORIGIN.parse().unwrap();
        let sender = "court".parse().unwrap();
        let now = Time(1_795_485_600_000);
        let filling = Filling { ledger: &ledger, sender: &sender, now, seen: None };
        file.fill(&Schema::built_in(), &filling).unwrap()
    }

    fn put(&self) -> Entry {
        let file = self.file();
        self.outbox.put(&file, &self.prepare(&file), b"envelope".to_vec()).unwrap()
    }
}

#[test]
fn the_same_file_is_the_same_document() {
    let desk = Desk::new();
    assert!(desk.outbox.find(&desk.file()).unwrap().is_none());
    let entry = desk.put();
    assert_eq!(entry.state.stage, Stage::Pending);
    let again = desk.outbox.find(&desk.file()).unwrap().unwrap();
    assert_eq!((again.document, again.envelope), (entry.document, entry.envelope));
    assert_eq!(again.state, entry.state);
    assert_eq!(desk.outbox.pending().unwrap().len(), 1);
    assert_eq!(again.state.document_type, "ping");
}

#[test]
fn a_changed_file_or_attachment_is_an_error_that_says_so() {
    let desk = Desk::new();
    let entry = desk.put();
    for (name, text) in
        [("document.json", FORM.replace('一', "二")), ("judgment.pdf", "%PDF-2".to_owned())]
    {
        let path = desk.world.folder().join(name);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, text).unwrap();
        let error = desk.outbox.find(&desk.file()).unwrap_err();
        let OutboxError::Changed { document_id, stage, .. } = &error else { panic!("{error}") };
        assert_eq!((document_id, *stage), (&entry.state.document_id, Stage::Pending));
        std::fs::write(&path, whole).unwrap();
    }
    assert!(desk.outbox.find(&desk.file()).unwrap().is_some());
}

#[test]
fn after_a_refusal_a_mended_file_is_a_new_document() {
    let desk = Desk::new();
    let mut entry = desk.put();
    let refusal = xianjie_core::refusal::Refusal::from(Reason::NoCase);
    entry.refused(&Refused::from(&refusal)).unwrap();
    let same = desk.outbox.find(&desk.file()).unwrap().unwrap();
    assert_eq!(same.state.stage, Stage::Refused);
    assert_eq!(same.state.refusal.map(|refusal| refusal.reason).as_deref(), Some("NO_CASE"));

    std::fs::write(&desk.path, FORM.replace('一', "二")).unwrap();
    assert!(desk.outbox.find(&desk.file()).unwrap().is_none());
    let mended = desk.put();
    assert_ne!(mended.state.document_id, entry.state.document_id);
    assert!(desk.outbox.find(&desk.file()).unwrap().is_some());
}

#[test]
fn an_id_in_the_file_is_bound_to_its_bytes() {
    let desk = Desk::new();
    let id = "01932f4e-7a3b-7c4d-8e5f-0123456789ab";
    let form = FORM.replacen('{', &format!("{{\"document_id\": \"{id}\","), 1);
    std::fs::write(&desk.path, &form).unwrap();
    assert_eq!(desk.put().state.document_id, id);
    // From another file too.
    let other = desk.world.folder().join("other.json");
    std::fs::write(&other, form.replace('一', "二")).unwrap();
    let found = desk.outbox.find(&DocumentFile::read(&other).unwrap());
    assert!(matches!(found, Err(OutboxError::Changed { .. })));
}

#[test]
fn a_receipt_comes_to_lie_beside_it() {
    let desk = Desk::new();
    let mut entry = desk.put();
    let parts = &desk.world.receipts[1];
    entry.receipted(parts, "case").unwrap();
    let read = desk.outbox.entry(&entry.state.document_id).unwrap().unwrap();
    assert_eq!(read.state.stage, Stage::Receipted);
    assert!(desk.outbox.pending().unwrap().is_empty());
    let path = entry.folder.join("receipt.tlog-proof");
    let kept = crate::client::bindings::read_receipt(&path).unwrap().unwrap();
    assert_eq!(&kept, parts);
    assert!(verify_receipt(&desk.world.trust(), &kept, &mut Report::default()).is_some());
    assert!(desk.outbox.entry("../document").unwrap().is_none());
}
