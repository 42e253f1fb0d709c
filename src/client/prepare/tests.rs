//! What the file says wins; what it leaves open is filled in; what is wrong is named.

use prost::Message as _;
use xianjie_core::ids::Time;

use super::{DocumentFile, Filling, PrepareError};
use crate::client::testing::World;
use crate::wire::document::Seen;
use crate::wire::pb;
use crate::wire::schema::Schema;

/// Reads and fills a document file that lies beside `a.pdf`.
fn fill(text: &str) -> Result<pb::Document, PrepareError> {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("scans")).unwrap();
    std::fs::write(home.path().join("scans/a.PDF"), "%PDF").unwrap();
    let path = home.path().join("document.json");
    std::fs::write(&path, text).unwrap();
    let (ledger, sender) = (World::ORIGIN.parse().unwrap(), "court".parse().unwrap());
    let seen = Some(Seen { size: 12, root: [7; 32] });
    let now = Time(1_795_485_600_123);
    let filling = Filling { ledger: &ledger, sender: &sender, now, seen };
    let prepared = DocumentFile::read(&path)?.fill(&Schema::built_in(), &filling)?;
    Ok(pb::Document::decode(prepared.bytes.as_slice()).unwrap())
}

fn form(more: &str) -> String {
    format!(
        r#"{{"original_form": "ORIGINAL_FORM_ELECTRONIC", "ping": {{}},
            "classification": "CLASSIFICATION_UNCLASSIFIED" {more}}}"#
    )
}

#[test]
fn what_is_open_is_filled_in() {
    let blank = r##", "# sender": "who", "sender": "", "seen": {"size": null, "root": ""},
        "attachments": [{"# name": "x", "name": ""}]"##;
    for more in ["", blank] {
        let document = fill(&form(more)).unwrap();
        assert_eq!((document.sender.as_str(), document.ledger.as_str()), ("court", World::ORIGIN));
        assert_eq!(document.seen.map(|seen| seen.size), Some(12));
        let time = document.create_time.unwrap();
        assert_eq!((time.seconds, time.nanos), (1_795_485_600, 123_000_000));
        assert_eq!(document.document_id.len(), 36);
        assert!(document.attachments.is_empty());
    }
}

#[test]
fn what_the_file_says_wins() {
    let id = "01932f4e-7a3b-7c4d-8e5f-0123456789ab";
    let more = format!(r#", "document_id": "{id}", "create_time": "2026-11-24T09:00:00+08:00""#);
    let document = fill(&form(&more)).unwrap();
    assert_eq!(document.document_id, id);
    assert_eq!(document.create_time.unwrap().seconds, 1_795_482_000);
}

#[test]
fn an_attachment_is_measured_where_it_lies() {
    let more = r#", "attachments": [{"name": "scans/a.PDF", "kind": "判决书"}]"#;
    let document = fill(&form(more)).unwrap();
    let attachment = &document.attachments[0];
    assert_eq!((attachment.name.as_str(), attachment.size_bytes), ("a.PDF", 4));
    assert_eq!(attachment.media_type, "application/pdf");
    assert_eq!(attachment.sha256.len(), 32);
}

#[test]
fn what_is_wrong_is_named() {
    let attachment = |entry: &str| form(&format!(r#", "attachments": [{entry}]"#));
    let cases = [
        ("[]".to_owned(), "is not a JSON object"),
        ("{".to_owned(), "is not a JSON object"),
        (form(r#", "sneder": "a""#), "is not a document"),
        ("{\"ping\": {}}".to_owned(), "the document is not complete"),
        (attachment(r#"{"name": "b.pdf"}"#), "attachments[0]: there is no file"),
        (attachment(r#"{"kind": "判决书"}"#), "attachments[0] needs a name"),
        (attachment(r#"{"name": "scans/a.PDF", "size_bytes": 5}"#), "the `size_bytes`"),
        (attachment(r#"{"name": "a.exe"}"#), "name its `media_type`"),
    ];
    for (text, expected) in cases {
        let error = fill(&text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
