//! A refusal survives its message; what a client does not know reads as "ask a person".

use xianjie_core::refusal::{Advice, Reason, Refusal, Violation};

use super::{message, read, read_advice, reason};
use crate::wire::pb;

#[test]
fn a_refusal_survives_its_message() {
    let violations = Reason::ALL.iter().take(16).map(|reason| {
        let violation = Violation::new(*reason, "subject.name").help("help");
        violation.articles(&["社区矫正法 20".to_owned()])
    });
    let mut refusal = Refusal::of(violations.collect()).unwrap();
    refusal.retry_after_seconds = 7;
    assert_eq!(read(&message(&refusal)), Some(refusal));
}

#[test]
fn every_reason_is_found_by_its_name() {
    for known in Reason::ALL {
        assert_eq!(reason(known.name()), Some(*known));
    }
    assert_eq!(reason("LATER"), None);
}

#[test]
fn an_unknown_advice_asks_a_person() {
    let later = pb::Refusal { advice: 99, ..pb::Refusal::default() };
    assert_eq!(read_advice(later.advice()), Advice::AskOperator);
    assert_eq!(read(&later), None);
}
