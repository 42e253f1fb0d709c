//! Records as JSON, for people: the proto3 mapping with the fields' proto names, 64-bit numbers as
//! numbers. Nothing is made from it again.

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};
use serde_json::Value;
use xianjie_core::domain::record::Record;

use super::encode;
use crate::wire::DESCRIPTORS;

static LEDGER_RECORD: LazyLock<Option<MessageDescriptor>> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(DESCRIPTORS).ok()?;
    pool.get_message_by_name("xianjie.v1.LedgerRecord")
});

/// The record in JSON; null if the built-in descriptors had no such message, which a test excludes.
#[must_use]
pub fn json(record: &Record) -> Value {
    let options =
        SerializeOptions::new().use_proto_field_name(true).stringify_64_bit_integers(false);
    let message = LEDGER_RECORD
        .clone()
        .and_then(|descriptor| DynamicMessage::decode(descriptor, encode(record).as_slice()).ok());
    let value = message
        .map(|message| message.serialize_with_options(serde_json::value::Serializer, &options));
    value.and_then(Result::ok).unwrap_or_default()
}
