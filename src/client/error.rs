//! What a call that did not succeed means: the hub's no, a closed door, or an unknown outcome.

use std::error::Error;
use std::io;
use std::time::Duration;

use rustls::AlertDescription;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use xianjie_core::refusal::Advice;

use crate::wire::{pb, refusal};

/// The trailer that names the reason of a refusal; without it the outcome is unknown.
const REASON: &str = "xianjie-reason";
/// The trailer that says what to do next.
const ADVICE: &str = "xianjie-advice";

/// The TLS alerts by which a hub turns a client's certificate away (RFC 8446, 6.2).
const TURNED_AWAY: [AlertDescription; 8] = [
    AlertDescription::AccessDenied,
    AlertDescription::BadCertificate,
    AlertDescription::CertificateExpired,
    AlertDescription::CertificateRequired,
    AlertDescription::CertificateRevoked,
    AlertDescription::CertificateUnknown,
    AlertDescription::UnknownCA,
    AlertDescription::UnsupportedCertificate,
];
/// The reasons by which a hub shuts out whoever calls, whatever they ask for.
const SHUT_OUT: [&str; 3] = ["UNKNOWN_PEER", "NOT_CARRIED", "UNKNOWN_SENDER"];

/// A call that did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// The hub's no. It had no effect.
    #[error(transparent)]
    Refused(Box<Refused>),
    /// The hub does not take the client's certificate: the call did not reach it. That lasts until
    /// the operators, or who issued the certificate, have acted.
    #[error("the hub turned this client's certificate away: TLS alert {alert:?}")]
    TurnedAway {
        /// The hub's word.
        alert: AlertDescription,
    },
    /// No answer of the hub: the call may have had its effect, or may yet have it. Send the very same
    /// bytes again, after 0.5 to 60 seconds with jitter, for ever.
    #[error("the outcome is unknown: {detail} ({code:?})")]
    Unknown {
        /// The gRPC code, for people.
        code: Code,
        /// What transport says, for people.
        detail: String,
    },
}

/// The hub's no.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{reason}: {message}")]
pub struct Refused {
    /// A fixed word in `UPPER_SNAKE_CASE`; it may be one that this version does not know.
    pub reason: String,
    /// What to do next: the only thing to branch on.
    pub advice: Advice,
    /// What is wrong, in English.
    pub message: String,
    /// The same in Chinese.
    pub message_zh: String,
    /// Everything that is wrong, by field; may be empty.
    pub violations: Vec<pb::Violation>,
    /// How long to wait at least before a resend.
    pub retry_after: Option<Duration>,
}

impl CallError {
    /// The refusal, if it is one.
    #[must_use]
    pub fn refused(&self) -> Option<&Refused> {
        match self {
            Self::Refused(refused) => Some(refused),
            Self::TurnedAway { .. } | Self::Unknown { .. } => None,
        }
    }

    /// Whether the same bytes are to be sent again.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Refused(refused) => refused.advice == Advice::Resend,
            Self::TurnedAway { .. } => false,
            Self::Unknown { .. } => true,
        }
    }

    /// Whether it is about who calls rather than what was asked: until that is put right, every
    /// call ends so.
    #[must_use]
    pub fn shuts_out(&self) -> bool {
        match self {
            Self::Refused(refused) => SHUT_OUT.contains(&refused.reason.as_str()),
            Self::TurnedAway { .. } => true,
            Self::Unknown { .. } => false,
        }
    }

    /// Whether the same call may succeed later: it is temporary, and the hub has the method.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        self.is_temporary() && !self.is_unimplemented()
    }

    /// What it is when a stream just ends, or says nothing for too long.
    pub(super) fn silence() -> Self {
        let detail = "the stream ended, or was silent for too long".to_owned();
        Self::Unknown { code: Code::Unavailable, detail }
    }

    /// Whether the hub does not have the method: an older hub, or another listener.
    #[must_use]
    pub fn is_unimplemented(&self) -> bool {
        matches!(self, Self::Unknown { code: Code::Unimplemented, .. })
    }
}

impl From<Status> for CallError {
    fn from(status: Status) -> Self {
        let trailer = |name: &str| {
            let value = status.metadata().get(name)?;
            value.to_str().ok().map(ToOwned::to_owned)
        };
        if let Some(reason) = trailer(REASON) {
            let advice = advice(&trailer(ADVICE).unwrap_or_default());
            return Self::Refused(Box::new(read_status(&status, reason, advice)));
        }
        match tls_error(&status) {
            Some(rustls::Error::AlertReceived(alert)) if TURNED_AWAY.contains(alert) => {
                Self::TurnedAway { alert: *alert }
            }
            _ => {
                let (code, detail) = (status.code(), status.message().to_owned());
                Self::Unknown { code, detail }
            }
        }
    }
}

impl From<&pb::Refusal> for Refused {
    fn from(message: &pb::Refusal) -> Self {
        let seconds = u64::from(message.retry_after_seconds);
        Self {
            reason: message.reason.clone(),
            advice: refusal::read_advice(message.advice()),
            message: message.message.clone(),
            message_zh: message.message_zh.clone(),
            violations: message.violations.clone(),
            retry_after: (seconds > 0).then(|| Duration::from_secs(seconds)),
        }
    }
}

impl From<&xianjie_core::refusal::Refusal> for Refused {
    fn from(refusal: &xianjie_core::refusal::Refusal) -> Self {
        Self::from(&refusal::message(refusal))
    }
}

impl From<Refused> for CallError {
    fn from(refused: Refused) -> Self {
        Self::Refused(Box::new(refused))
    }
}

/// An error's words with those of all its causes.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        // Some libraries repeat the words of the cause in their own.
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}

/// The TLS library's error among an error's causes: it travels inside an IO error.
pub(super) fn tls_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    let mut causes = std::iter::successors(Some(error), |&error| error.source());
    causes.find_map(|cause| cause.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref())
}

fn read_status(status: &Status, reason: String, advice: Advice) -> Refused {
    let details = status.get_error_details();
    let violations = details.bad_request().map(|bad| bad.field_violations.as_slice());
    let violations = violations.unwrap_or_default().iter().map(|violation| {
        let told = violation.localized_message.clone().map(|told| told.message);
        let known = || refusal::reason(&violation.reason).map(|known| known.chinese().to_owned());
        pb::Violation {
            field: violation.field.clone(),
            reason: violation.reason.clone(),
            message: violation.description.clone(),
            message_zh: told.or_else(known).unwrap_or_default(),
            articles: Vec::new(),
            help: String::new(),
            help_zh: String::new(),
        }
    });
    let message_zh = details.localized_message().map(|message| message.message.clone());
    Refused {
        reason,
        advice,
        message: status.message().to_owned(),
        message_zh: message_zh.unwrap_or_default(),
        violations: violations.collect(),
        retry_after: details.retry_info().and_then(|info| info.retry_delay),
    }
}

/// The advice of this name; what this version does not know, a person must look at.
fn advice(name: &str) -> Advice {
    let known = [Advice::Resend, Advice::UploadThenResend, Advice::NewDocument];
    known.into_iter().find(|advice| advice.name() == name).unwrap_or(Advice::AskOperator)
}

#[cfg(test)]
mod tests;
