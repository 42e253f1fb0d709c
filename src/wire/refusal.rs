//! Refusals between core's and protobuf's.

use xianjie_core::refusal::{Advice, Reason, Refusal, Violation};

use super::pb;

/// The message of a refusal: in streams and lists it is the answer.
#[must_use]
pub fn message(refusal: &Refusal) -> pb::Refusal {
    let reason = refusal.reason();
    pb::Refusal {
        reason: reason.name().to_owned(),
        advice: advice(refusal.advice()).into(),
        message: reason.english().to_owned(),
        message_zh: reason.chinese().to_owned(),
        violations: refusal.violations.iter().map(violation_message).collect(),
        retry_after_seconds: refusal.retry_after_seconds,
    }
}

/// The message of one thing that is wrong.
#[must_use]
pub fn violation_message(violation: &Violation) -> pb::Violation {
    pb::Violation {
        field: violation.field.clone(),
        reason: violation.reason.name().to_owned(),
        message: violation.reason.english().to_owned(),
        message_zh: violation.reason.chinese().to_owned(),
        articles: violation.articles.clone(),
        help: violation.help.clone(),
        help_zh: violation.help_zh.clone(),
    }
}

/// The refusal of a message, as a client reads it; none if this version knows none of its reasons,
/// or it names none: then its texts and its advice are all there is.
#[must_use]
pub fn read(message: &pb::Refusal) -> Option<Refusal> {
    let known = message.violations.iter().filter_map(read_violation);
    let mut refusal = Refusal::of(known.collect())?;
    refusal.retry_after_seconds = message.retry_after_seconds;
    Some(refusal)
}

/// What to do next, in protobuf.
#[must_use]
pub fn advice(advice: Advice) -> pb::Advice {
    match advice {
        Advice::Resend => pb::Advice::Resend,
        Advice::UploadThenResend => pb::Advice::UploadThenResend,
        Advice::NewDocument => pb::Advice::NewDocument,
        Advice::AskOperator => pb::Advice::AskOperator,
    }
}

/// What to do next, as a client reads it: what it does not know, a person must look at.
#[must_use]
pub fn read_advice(advice: pb::Advice) -> Advice {
    match advice {
        pb::Advice::Resend => Advice::Resend,
        pb::Advice::UploadThenResend => Advice::UploadThenResend,
        pb::Advice::NewDocument => Advice::NewDocument,
        pb::Advice::AskOperator | pb::Advice::Unspecified => Advice::AskOperator,
    }
}

/// The reason of this name.
#[must_use]
pub fn reason(name: &str) -> Option<Reason> {
    Reason::ALL.iter().copied().find(|reason| reason.name() == name)
}

fn read_violation(message: &pb::Violation) -> Option<Violation> {
    let violation = Violation::new(reason(&message.reason)?, message.field.clone());
    let help = violation.help_in(message.help.clone(), message.help_zh.clone());
    Some(help.articles(&message.articles))
}

#[cfg(test)]
mod tests;
