//! Whether bytes claim to be classified, before anything else is made of them: what is classified
//! must leave no trace, whatever else is wrong with it.

use prost::encoding::WireType;

use crate::wire::pb::Classification;
use crate::wire::schema::Schema;
use crate::wire::walk::{Input, Wire};

/// Whether `classification` has, as often as it is set, any value but unstated or unclassified
/// (非密). Bytes that break off are read as far as they go.
pub(super) fn is_classified(schema: &Schema, bytes: &[u8]) -> bool {
    let Some(field) = schema.document().get_field_by_name("classification") else { return false };
    let mut input = Input::new(bytes);
    while !input.is_empty() {
        let Ok((number, wire)) = input.tag() else { return false };
        let Ok(value) = input.value(wire) else { return false };
        if let (WireType::Varint, Wire::Varint(value)) = (wire, value)
            && number == field.number()
            && value != Classification::Unspecified as u64
            && value != Classification::Unclassified as u64
        {
            return true;
        }
    }
    false
}
