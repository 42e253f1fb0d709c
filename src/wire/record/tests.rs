//! Every record that core can hold survives its bytes, and nothing else is read.

use proptest::prelude::*;
use prost::Message as _;

use super::{RecordError, decode, encode};
use crate::wire::pb;

mod arbitrary;
mod golden;

proptest! {
    #[test]
    fn what_is_encoded_is_read_again(record in arbitrary::record()) {
        let bytes = encode(&record);
        prop_assert_eq!(decode(&bytes), Ok(record));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(record) = decode(&bytes) {
            prop_assert_eq!(encode(&record), bytes);
        }
    }

    #[test]
    fn a_changed_byte_is_read_as_another_record_or_refused(
        record in arbitrary::record(),
        place in any::<prop::sample::Index>(),
        change in 1..=255_u8,
    ) {
        let mut bytes = encode(&record);
        let place = place.index(bytes.len());
        bytes[place] ^= change;
        if let Ok(other) = decode(&bytes) {
            prop_assert_ne!(other, record);
        }
    }
}

fn message(kind: Option<pb::ledger_record::Kind>, effects: Vec<pb::Effect>) -> Vec<u8> {
    pb::LedgerRecord { kind, effects }.encode_to_vec()
}

fn refusals() -> Option<pb::ledger_record::Kind> {
    let refusals = pb::Refusals { agency: "a".to_owned(), ..pb::Refusals::default() };
    Some(pb::ledger_record::Kind::Refusals(refusals))
}

#[test]
fn kinds_of_a_later_version_stop_the_fold() {
    use pb::ledger_record::Kind;
    let later = [
        None,
        Some(Kind::HubKey(pb::HubKey::default())),
        Some(Kind::Rulebook(pb::RulebookRecord::default())),
        Some(Kind::Erased(pb::Erased::default())),
        Some(Kind::Relayed(pb::Relayed::default())),
        Some(Kind::Clock(pb::ClockRecord { step: 2, ..pb::ClockRecord::default() })),
    ];
    for kind in later {
        assert_eq!(decode(&message(kind, Vec::new())), Err(RecordError::UnknownKind));
    }
}

#[test]
fn an_effect_of_a_later_version_stops_the_fold() {
    let known = pb::Effect {
        effect: Some(pb::effect::Effect::AgencyResumed(pb::AgencyResumed { agency: "a".into() })),
        ..pb::Effect::default()
    };
    let bytes = message(refusals(), vec![known, pb::Effect::default()]);
    assert_eq!(decode(&bytes), Err(RecordError::UnknownEffect(1)));
}

#[test]
fn an_unknown_value_is_named_by_its_enum() {
    let closed = pb::DutyClosed { duty: Some(pb::DutyRef::default()), outcome: 99 };
    let effect = pb::Effect {
        effect: Some(pb::effect::Effect::DutyClosed(closed)),
        ..pb::Effect::default()
    };
    let bytes = message(refusals(), vec![effect]);
    assert_eq!(decode(&bytes), Err(RecordError::UnknownValue("DutyOutcome")));
}

#[test]
fn a_field_of_a_later_version_is_not_dropped_silently() {
    let mut bytes = message(refusals(), Vec::new());
    // Field 1000, a varint.
    bytes.extend([0xc0, 0x3e, 0x01]);
    assert_eq!(decode(&bytes), Err(RecordError::NotCanonical));
}
