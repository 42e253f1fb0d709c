//! Every refusal is read as it was meant; whatever has no reason is an unknown outcome.

use std::time::Duration;

use tonic::metadata::MetadataMap;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use xianjie_core::refusal::Advice;

use super::{CallError, chain};

fn status(reason: Option<&str>, advice: Option<&str>) -> Status {
    let mut details = ErrorDetails::with_bad_request_violation("subject.name", "must be filled in");
    details.set_localized_message("zh-CN", "必须填写");
    details.set_retry_info(Some(Duration::from_secs(7)));
    let mut trailers = MetadataMap::new();
    if let Some(reason) = reason {
        trailers.insert(super::REASON, reason.parse().unwrap());
    }
    if let Some(advice) = advice {
        trailers.insert(super::ADVICE, advice.parse().unwrap());
    }
    let message = "must be filled in";
    Status::with_error_details_and_metadata(Code::InvalidArgument, message, details, trailers)
}

#[test]
fn a_refusal_is_read_with_all_that_it_says() {
    let error = CallError::from(status(Some("REQUIRED"), Some("NEW_DOCUMENT")));
    let refused = error.refused().unwrap();
    assert_eq!((refused.reason.as_str(), refused.advice), ("REQUIRED", Advice::NewDocument));
    assert_eq!(refused.message, "must be filled in");
    assert_eq!(refused.message_zh, "必须填写");
    assert_eq!(refused.violations[0].field, "subject.name");
    assert_eq!(refused.retry_after, Some(Duration::from_secs(7)));
    assert!(!error.is_temporary());
}

#[test]
fn each_advice_is_known_and_any_other_asks_a_person() {
    for advice in
        [Advice::Resend, Advice::UploadThenResend, Advice::NewDocument, Advice::AskOperator]
    {
        let error = CallError::from(status(Some("X"), Some(advice.name())));
        assert_eq!(error.refused().unwrap().advice, advice);
        assert_eq!(error.is_temporary(), advice == Advice::Resend);
    }
    for advice in [None, Some("LATER")] {
        let error = CallError::from(status(Some("X"), advice));
        assert_eq!(error.refused().unwrap().advice, Advice::AskOperator);
    }
}

#[test]
fn without_a_reason_the_outcome_is_unknown_whatever_the_code() {
    for code in [Code::Unavailable, Code::InvalidArgument, Code::Internal, Code::Unimplemented] {
        let error = CallError::from(Status::new(code, "text"));
        assert!(error.refused().is_none() && error.is_temporary());
        assert_eq!(error.is_unimplemented(), code == Code::Unimplemented);
    }
}

#[test]
fn a_door_that_is_closed_is_told_from_one_that_is_broken() {
    let alert = |alert| {
        let tls = rustls::Error::AlertReceived(alert);
        CallError::from(Status::from_error(Box::new(std::io::Error::other(tls))))
    };
    for closed in super::TURNED_AWAY {
        let error = alert(closed);
        assert!(matches!(error, CallError::TurnedAway { .. }), "{error:?}");
        assert!(error.shuts_out() && !error.is_temporary());
    }
    let broken = alert(rustls::AlertDescription::InternalError);
    assert!(broken.is_temporary() && !broken.shuts_out());
    assert!(CallError::from(status(Some("UNKNOWN_PEER"), Some("ASK_OPERATOR"))).shuts_out());
    assert!(!CallError::from(status(Some("NOT_FOUND"), Some("ASK_OPERATOR"))).shuts_out());
}

#[test]
fn a_chain_says_each_thing_once() {
    let inner = std::io::Error::other("disk");
    let path = "a".into();
    let error = crate::identity::files::FileError::Io { action: "read", path, source: inner };
    assert_eq!(chain(&error), "cannot read a: disk");
}
