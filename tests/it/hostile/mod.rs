//! Bad input over real gRPC, against the real program: each row makes one mistake, and gets a reason,
//! an advice and a field. Afterwards the program runs, and its store is clean.

mod connections;
pub(crate) mod documents;
mod statements;
mod uploads;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use xianjie_core::refusal::{Class, Reason};

use crate::process::Process;

/// What a refusal told, held against what it should tell.
fn assert_refused(what: &str, status: &Status, reason: Reason, field: &str) {
    let trailer = |name| status.metadata().get(name).and_then(|value| value.to_str().ok());
    let told = (trailer("xianjie-reason"), trailer("xianjie-advice"));
    assert_eq!(told, (Some(reason.name()), Some(reason.advice().name())), "{what}: {status:?}");
    assert_eq!(status.code(), code(reason.class()), "{what}");
    assert_eq!(status.message(), reason.english(), "{what}");
    assert!(status.details().len() < 4096, "{what}: {} bytes", status.details().len());
    assert_eq!(status.get_details_error_info().unwrap().reason, reason.name(), "{what}");
    let chinese = status.get_details_localized_message().unwrap();
    assert_eq!((chinese.locale.as_str(), chinese.message.as_str()), ("zh-CN", reason.chinese()));
    let fields = fields(status);
    let named = field.is_empty() || fields.iter().any(|(f, r)| f == field && r == reason.name());
    assert!(named, "{what}: {fields:?} do not name `{field}`");
}

/// The fields that a refusal names, each with its reason.
fn fields(status: &Status) -> Vec<(String, String)> {
    let told = status.get_details_bad_request();
    let violations = told.map(|told| told.field_violations).unwrap_or_default();
    violations.into_iter().map(|violation| (violation.field, violation.reason)).collect()
}

/// The program runs still, and its store keeps every promise.
fn assert_unharmed(mut process: Process) {
    assert!(process.is_alive(), "{}", process.log());
    let log = process.log();
    assert!(!log.contains("panicked"), "{log}");
    process.kill();
    let audit = process.audit();
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
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
