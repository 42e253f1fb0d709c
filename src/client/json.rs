//! Messages of the protocol as JSON (the proto3 mapping, with the fields' proto names), for `--json`:
//! what the `.proto` files say of a message holds for its JSON.

use prost::Message;
use prost_reflect::{DynamicMessage, SerializeOptions};
use serde_json::Value;

use crate::wire::schema::Schema;

/// A message of the package `xianjie.v1`, by its name, as JSON; null if there is none of that name.
#[must_use]
pub fn to_json(schema: &Schema, name: &str, message: &impl Message) -> Value {
    let pool = schema.document().parent_pool();
    let descriptor = pool.get_message_by_name(&format!("xianjie.v1.{name}"));
    let read = |descriptor| DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice());
    let options = SerializeOptions::new().use_proto_field_name(true);
    let written = |message: DynamicMessage| {
        message.serialize_with_options(serde_json::value::Serializer, &options).ok()
    };
    descriptor.and_then(|d| read(d).ok()).and_then(written).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::pb;

    #[test]
    fn a_message_has_its_proto_names() {
        let delivery = pb::Delivery {
            inbox_number: 7,
            stage: pb::Stage::Acknowledged.into(),
            ..pb::Delivery::default()
        };
        let json = to_json(&Schema::built_in(), "Delivery", &delivery);
        assert_eq!(json, serde_json::json!({"inbox_number": "7", "stage": "STAGE_ACKNOWLEDGED"}));
        assert_eq!(to_json(&Schema::built_in(), "Nothing", &delivery), Value::Null);
    }
}
