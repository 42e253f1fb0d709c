//! The only maker and reader of protobuf bytes.
//!
//! Signed documents are reached by reflection ([`schema`], [`walk`], [`document`], [`json`]), since
//! the hub needs their facts and not fifty Rust structs; ledger records ([`record`]), receipts and
//! refusals through the generated types of [`pb`]. Nothing here decides anything: bytes become core
//! values or a refusal with everything that is wrong.

pub mod change;
pub mod document;
pub mod json;
pub mod notice;
pub mod receipt;
pub mod record;
pub mod refusal;
pub mod schema;
pub mod signature;
pub mod statement;
pub mod time;
pub mod walk;

/// The types generated from `proto/`.
#[expect(clippy::allow_attributes, reason = "generated code allows what it needs")]
pub mod pb {
    tonic::include_proto!("xianjie.v1");
}

/// The descriptor set of `proto/`, comments included: what [`schema::Schema::built_in`] reads and
/// what gRPC reflection serves.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The sources of `proto/`: import path and text of each file.
pub const SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));
