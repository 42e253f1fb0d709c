//! Refusals as gRPC errors: the only maker of [`Status`].
//!
//! The trailers `xianjie-reason` and `xianjie-advice` need no library; the rest are the standard
//! details. An error without them says nothing of the outcome.

use std::collections::HashMap;
use std::time::Duration;

use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tonic_types::{
    BadRequest, ErrorDetail, ErrorInfo, FieldViolation, LocalizedMessage, RetryInfo,
};
use xianjie_core::limits;
use xianjie_core::refusal::{Advice, Class, Reason, Refusal, Violation};

/// The domain of the reasons.
const DOMAIN: &str = "xianjie";
/// The details' bytes: some clients replace an error of more than 8 KiB of headers in base64.
const DETAIL_BYTES: usize = 4096;
/// The trailer that names the reason.
const REASON: &str = "xianjie-reason";
/// The trailer that says what to do next.
const ADVICE: &str = "xianjie-advice";

/// The error of a refusal. Violations that don't fit are left out whole, the last first.
pub(super) fn refused(refusal: &Refusal) -> Status {
    let mut shown = refusal.violations.len().min(limits::VIOLATIONS);
    loop {
        let status = with_violations(refusal, shown);
        if shown == 0 || status.details().len() < DETAIL_BYTES {
            return status;
        }
        shown -= 1;
    }
}

/// A unary call took too long: its outcome is unknown.
pub(super) fn late() -> Status {
    Status::deadline_exceeded("the hub took too long; send the same again")
}

/// A stream's other end was silent for too long.
pub(super) fn silent() -> Status {
    Status::unavailable("nothing was heard for 45 seconds; open the stream again")
}

fn with_violations(refusal: &Refusal, shown: usize) -> Status {
    let reason = refusal.reason();
    let mut details: Vec<ErrorDetail> = vec![
        ErrorInfo::new(reason.name(), DOMAIN, HashMap::new()).into(),
        LocalizedMessage::new("zh-CN", reason.chinese()).into(),
    ];
    let violations = refusal.violations[..shown].iter();
    let violations: Vec<_> = violations.filter(|v| tells_more(v, refusal)).map(field).collect();
    if !violations.is_empty() {
        details.push(BadRequest::new(violations).into());
    }
    if refusal.advice() == Advice::Resend {
        let delay = Duration::from_secs(u64::from(refusal.retry_after_seconds));
        details.push(RetryInfo::new(Some(delay)).into());
    }
    let mut metadata = MetadataMap::new();
    metadata.insert(REASON, AsciiMetadataValue::from_static(reason.name()));
    metadata.insert(ADVICE, AsciiMetadataValue::from_static(refusal.advice().name()));
    let code = code(reason.class());
    Status::with_error_details_vec_and_metadata(code, reason.english(), details, metadata)
}

/// Whether a violation says more than the refusal's own reason does.
fn tells_more(violation: &Violation, refusal: &Refusal) -> bool {
    !violation.field.is_empty()
        || !violation.help.is_empty()
        || violation.reason != refusal.reason()
}

fn field(violation: &Violation) -> FieldViolation {
    let with = |words: &str, help: &str, (open, close)| match help {
        "" => words.to_owned(),
        help => format!("{words}{open}{help}{close}"),
    };
    let (reason, in_chinese) = (violation.reason, ("（", "）"));
    let english = with(reason.english(), &violation.help, (" (", ")"));
    let chinese = with(reason.chinese(), &violation.help_zh, in_chinese);
    let mut field = FieldViolation::new(violation.field.clone(), english);
    field.reason = reason.name().to_owned();
    field.localized_message = Some(LocalizedMessage::new("zh-CN", chinese));
    field
}

fn code(class: Class) -> Code {
    match class {
        Class::Invalid => Code::InvalidArgument,
        Class::Unauthenticated => Code::Unauthenticated,
        Class::Denied => Code::PermissionDenied,
        Class::NotFound => Code::NotFound,
        Class::Exists => Code::AlreadyExists,
        Class::State => Code::FailedPrecondition,
        Class::Unavailable => Code::Unavailable,
        Class::Unsupported => Code::Unimplemented,
        Class::Internal => Code::Internal,
    }
}

/// What the transport refused before a service saw it gets its reason: an error without one would be
/// sent again for ever.
pub(super) fn explained(response: axum::response::Response) -> axum::response::Response {
    let headers = response.headers();
    let code = headers.get("grpc-status").filter(|_| !headers.contains_key(REASON));
    match code.and_then(|code| unread(Code::from_bytes(code.as_bytes()))) {
        Some(refusal) => refused(&refusal).into_http(),
        None => response,
    }
}

/// The same for a message of a stream.
pub(super) fn heard(status: Status) -> Status {
    unread(status.code()).map_or(status, |refusal| refused(&refusal))
}

/// Why the transport did not read a message, by the code that tonic gives.
fn unread(code: Code) -> Option<Refusal> {
    match code {
        Code::OutOfRange => {
            let help = format!("a message has at most {} bytes", limits::REQUEST_BYTES);
            Some(Violation::new(Reason::TooLarge, "").help(help).into())
        }
        Code::Internal => Some(Reason::Malformed.into()),
        Code::Unimplemented => Some(Reason::Unsupported.into()),
        _ => None,
    }
}

/// The code and the reason that a response begins with; a stream that has begun is well so far.
pub(super) fn outcome(response: &axum::response::Response) -> (&str, Option<&str>) {
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    (header("grpc-status").unwrap_or("0"), header(REASON))
}

#[cfg(test)]
mod tests {
    use super::*;
    use xianjie_core::refusal::Reason;

    #[test]
    fn every_reason_becomes_an_error_that_names_it() {
        for reason in Reason::ALL {
            let refusal = Refusal::from(*reason);
            let status = refused(&refusal);
            let trailer = |name| status.metadata().get(name).and_then(|v| v.to_str().ok());
            assert_eq!(trailer(REASON), Some(reason.name()));
            assert_eq!(trailer(ADVICE), Some(reason.advice().name()));
            let info = status.get_details_error_info().unwrap();
            assert_eq!((info.reason.as_str(), info.domain.as_str()), (reason.name(), DOMAIN));
            let resend = reason.advice() == Advice::Resend;
            assert_eq!(status.get_details_retry_info().is_some(), resend);
            let chinese = status.get_details_localized_message().unwrap();
            assert_eq!(chinese.message, reason.chinese());
        }
    }

    #[test]
    fn violations_are_cut_whole_until_they_fit() {
        let long = |place| {
            Violation::new(Reason::MustName, format!("chosen_agencies[{place}]"))
                .help("x".repeat(900))
        };
        let refusal = Refusal::of((0..16).map(long).collect()).unwrap();
        let status = refused(&refusal);
        assert!(status.details().len() < DETAIL_BYTES);
        let shown = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(shown.len(), 1);
        assert!(shown.iter().all(|violation| violation.description.len() > 900));
        let small = |place| Violation::new(Reason::Required, format!("fields[{place}]"));
        let refusal = Refusal::of((0..40).map(small).collect()).unwrap();
        let shown = refused(&refusal).get_details_bad_request().unwrap().field_violations;
        assert_eq!(shown.len(), limits::VIOLATIONS);
    }
}
