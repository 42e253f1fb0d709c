//! Test vectors for integrators, in `tests/vectors/`: made here from fixed keys and compared with
//! the files. `UPDATE_EXPECT=1 cargo test vectors` writes them anew; after the first release a
//! difference is a break of the protocol.
//!
//! The keys are those of RFC 8032 (section 7.1, test 1) and RFC 6979 (appendix A.2.5), known to
//! all. ECDSA signatures differ from call to call, so those files are only read and verified.

use expect_test::ExpectFile;
use serde::Serialize;
use xianjie_core::ids::{Digest, DocumentId, Origin, Time};

mod digests;
mod dsse;
mod hub;
mod receipts;

/// The ledger that every vector names.
const ORIGIN: &str = "vectors.demo/ledger/1";
/// The agency that signs every vector.
const AGENCY: &str = "vector-court";
/// 2026-11-24 09:00:00.123 in Shanghai.
const TIME: Time = Time(1_795_482_000_123);

/// Compares a value, as indented JSON, with a file.
fn check<T: Serialize>(value: &T, file: &ExpectFile) {
    let mut text = serde_json::to_string_pretty(value).unwrap();
    text.push('\n');
    file.assert_eq(&text);
}

fn origin() -> Origin {
    ORIGIN.parse().unwrap()
}

/// The text of a UUID of version 7 that ends in `last`.
fn document_id(last: u8) -> String {
    format!("019ab000-0000-7000-8000-0000000000{last:02x}")
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn sha256(bytes: &[u8]) -> Digest {
    Digest(xianjie_core::ledger::sha256(&[bytes]).0)
}

#[test]
fn ids_are_uuids_of_version_7() {
    let parsed: DocumentId = id(&document_id(0xab));
    assert_eq!(parsed.to_string(), document_id(0xab));
}
