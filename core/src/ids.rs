//! Newtypes for everything that has a name or a number, parsed once at the border.
//!
//! Codes are opaque: nothing here or elsewhere computes a place, a kind or a level from one.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

mod identity;
pub use identity::{ResidentId, SocialCreditCode, resident_id_birth_date};

/// Why a text is not the identifier it should be. Never carries the text itself: it may be personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Empty, or longer than the identifier's bound.
    #[error("must have 1 to {0} characters")]
    Length(usize),
    /// Not of its one length.
    #[error("must have {0} characters")]
    Exactly(usize),
    /// A character outside the identifier's alphabet.
    #[error("may hold only {0}")]
    Alphabet(&'static str),
    /// The check digit disagrees with the rest.
    #[error("the check digit is wrong")]
    CheckDigit,
    /// The date inside a resident ID does not exist.
    #[error("the birth date inside does not exist")]
    BirthDate,
    /// Not a UUID of version 7 (RFC 9562 section 5.7).
    #[error("must be a UUID of version 7, lower case with hyphens")]
    NotUuidV7,
    /// Not a ledger origin.
    #[error("must read <host>/ledger/<n>")]
    Origin,
}

impl IdError {
    /// The same in Chinese.
    #[must_use]
    pub fn chinese(self) -> String {
        match self {
            Self::Length(most) => format!("须为1至{most}个字符"),
            Self::Exactly(length) => format!("须为{length}个字符"),
            Self::Alphabet(allowed) => format!("只能含有：{allowed}"),
            Self::CheckDigit => "校验码错误".to_owned(),
            Self::BirthDate => "其中的出生日期不存在".to_owned(),
            Self::NotUuidV7 => "须为第7版UUID，小写并带连字符".to_owned(),
            Self::Origin => "须为 <主机>/ledger/<序号>".to_owned(),
        }
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $max:literal, $alphabet:literal, $test:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text as it was parsed.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let test: fn(char) -> bool = $test;
                if text.is_empty() || text.len() > $max {
                    return Err(IdError::Length($max));
                }
                if !text.chars().all(test) {
                    return Err(IdError::Alphabet($alphabet));
                }
                Ok(Self(text.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// An agency's code (单位代码): assigned by the hub's operators, opaque, never reused.
    AgencyCode, 40, "a-z, 0-9 and hyphens",
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
);
text_id!(
    /// A connecting system's code (接入系统).
    SystemCode, 40, "a-z, 0-9 and hyphens",
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
);
text_id!(
    /// The name under which an operator (运维人员) signs directory changes.
    OperatorName, 40, "a-z, 0-9 and hyphens",
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
);
text_id!(
    /// An administrative division (行政区划): a six-digit GB/T 2260 code, or a code of the hub's own
    /// for zones and Bingtuan divisions that have none.
    DivisionCode, 12, "0-9 and A-Z",
    |c| c.is_ascii_digit() || c.is_ascii_uppercase()
);
text_id!(
    /// A document type's name: the name of its case in the protobuf `oneof body`.
    DocumentType, 64, "a-z and underscores",
    |c| c.is_ascii_lowercase() || c == '_'
);

text_id!(
    /// A topic of query (查询专题) by its name in the rulebooks.
    TopicName, 64, "a-z and underscores",
    |c| c.is_ascii_lowercase() || c == '_'
);

/// A ledger's origin `<host>/ledger/<n>`: the name of the log, of its note key, and what every
/// signed payload names, so that nothing crosses from one hub to another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Origin(Arc<str>);

impl Origin {
    /// The text as it was parsed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is a demonstration's ledger (host ends in `.demo`): only such a hub may run on
    /// a simulated clock.
    #[must_use]
    pub fn is_demo(&self) -> bool {
        self.0.split('/').next().is_some_and(|host| host.ends_with(".demo"))
    }
}

impl FromStr for Origin {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let host_char =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
        let mut parts = text.split('/');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(host), Some("ledger"), Some(n), None)
                if !host.is_empty()
                    && text.len() <= 120
                    && host.chars().all(host_char)
                    && n.parse::<u32>().is_ok_and(|v| v > 0 && v.to_string() == n) =>
            {
                Ok(Self(text.into()))
            }
            _ => Err(IdError::Origin),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A document's id, made by its sender: a UUID of version 7 (RFC 9562). With the sender it is the
/// idempotency key (P2), kept forever.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DocumentId(pub [u8; 16]);

impl FromStr for DocumentId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let bytes = text.as_bytes();
        let hyphens = [8, 13, 18, 23];
        let shape_fits = bytes.len() == 36
            && bytes.iter().enumerate().all(|(i, b)| {
                if hyphens.contains(&i) {
                    *b == b'-'
                } else {
                    b.is_ascii_digit() || (b'a'..=b'f').contains(b)
                }
            });
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        let mut id = [0; 16];
        if !shape_fits || hex::decode_to_slice(digits, &mut id).is_err() {
            return Err(IdError::NotUuidV7);
        }
        let version_and_variant_fit = id[6] >> 4 == 7 && id[8] >> 6 == 0b10;
        version_and_variant_fit.then_some(Self(id)).ok_or(IdError::NotUuidV7)
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let h = hex::encode(self.0);
        write!(f, "{}-{}-{}-{}-{}", &h[..8], &h[8..12], &h[12..16], &h[16..20], &h[20..])
    }
}

impl fmt::Debug for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A correction case (矫正案件): one person under one sentence, by a random 128-bit reference that
/// says nothing about the person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CaseRef(pub [u8; 16]);

impl FromStr for CaseRef {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let mut bytes = [0; 16];
        if text.len() != 32 {
            return Err(IdError::Exactly(32));
        }
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| IdError::Alphabet("lower-case hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for CaseRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for CaseRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A person as the law's engine knows one: a digest of identity kind and number. The engine never
/// holds a name or a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct PersonKey(pub [u8; 32]);

/// A SHA-256 digest of a certificate, a document or an attachment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
        )]
        pub struct $name(pub u64);

        impl $name {
            /// The number that follows.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

number_id!(
    /// A record's place in the ledger, from 0.
    LedgerIndex
);
number_id!(
    /// A delivery's place in its recipient's inbox: 1, 2, 3, … without gaps (P4).
    InboxNumber
);
number_id!(
    /// A document's place among those of its sender: 1, 2, 3, … without gaps.
    SenderNumber
);

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
pub struct Time(pub i64);

/// A document named by what its sender called it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct DocumentRef {
    /// The agency that sent it.
    pub sender: AgencyCode,
    /// The id its sender gave it.
    pub id: DocumentId,
}

/// A duty (期限义务) by its position: the record that opened it and its place among that record's
/// effects.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct DutyId {
    /// The record that opened it.
    pub index: LedgerIndex,
    /// Its place among that record's effects, from 0.
    pub ordinal: u32,
}

#[cfg(test)]
mod tests;
