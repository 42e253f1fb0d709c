//! Signed notes (C2SP signed-note): text with signature lines below it, by Ed25519 keys (type
//! 0x01). Lines by unknown keys, such as a witness's cosignature (type 0x04), are passed by.
//!
//! What the text means is not known here; see [`super::checkpoint`].

#[cfg(test)]
mod tests;

use std::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use thiserror::Error;

use super::{decode_base64, encode_base64, sha256};

/// The longest note that is read, in bytes: room for 32 post-quantum signatures of 5 kB in base64.
pub const NOTE_BYTES_MAX: usize = 256 * 1024;

/// The most signature lines that are read; signed-note demands at least 16.
pub const SIGNATURES_MAX: usize = 64;

/// The signature type of plain Ed25519 (signed-note, Signature types).
const ED25519: u8 = 0x01;

/// What a signature line begins with.
const LINE_PREFIX: &str = "— ";

/// What is wrong with a note, a key name or a verifier key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoteError {
    /// A control character other than the newline.
    #[error("the note contains a control character")]
    ControlCharacter,
    /// A signature by a known key does not hold.
    #[error("the signature by `{name}` is wrong")]
    InvalidSignature {
        /// The key's name.
        name: String,
    },
    /// A key name is empty, or has white space, a control character or `+` in it.
    #[error("the key name is malformed")]
    KeyName,
    /// There is no signature line, or it does not stand below an empty line.
    #[error("the note has no signatures")]
    NoSignatures,
    /// No signature is by a key that the reader knows.
    #[error("the note is not signed by any known key")]
    NoKnownKey,
    /// A signature line is not `— name base64`.
    #[error("signature line {line} is malformed")]
    SignatureLine {
        /// The line's number below the text, from 1.
        line: usize,
    },
    /// The text is empty or does not end in a newline.
    #[error("the note's text does not end in a newline")]
    Text,
    /// Longer than [`NOTE_BYTES_MAX`].
    #[error("the note has more than {NOTE_BYTES_MAX} bytes")]
    TooLong,
    /// More lines than [`SIGNATURES_MAX`].
    #[error("the note has more than {SIGNATURES_MAX} signatures")]
    TooManySignatures,
    /// A verifier key is not `name+id+base64`, its id is not its own, or its key is not a point.
    #[error("the verifier key is malformed")]
    VerifierKey,
    /// A verifier key is of a type other than Ed25519.
    #[error("signature type {signature_type:#04x} is not supported")]
    VerifierKeyType {
        /// The type's number in signed-note.
        signature_type: u8,
    },
}

/// A key that signs notes.
pub struct NoteSigner {
    key: SigningKey,
    verifier: NoteVerifier,
}

/// Shows the verifier key, never the secret.
impl fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteSigner({})", self.verifier)
    }
}

impl NoteSigner {
    /// The key made of a 32-byte secret seed (RFC 8032 §5.1.5), under a name.
    ///
    /// # Errors
    /// [`NoteError::KeyName`].
    pub fn new(name: &str, seed: [u8; 32]) -> Result<NoteSigner, NoteError> {
        let key = SigningKey::from_bytes(&seed);
        let verifier = NoteVerifier::new(name, key.verifying_key())?;
        Ok(NoteSigner { key, verifier })
    }

    /// The key's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.verifier.name
    }

    /// The key that verifies this one's signatures.
    #[must_use]
    pub fn verifier(&self) -> &NoteVerifier {
        &self.verifier
    }

    /// The same as text: `name+hash+base64`.
    #[must_use]
    pub fn verifier_key(&self) -> String {
        self.verifier.to_string()
    }

    /// The text with this key's signature below it. The same text gives the same note.
    ///
    /// # Errors
    /// [`NoteError::Text`], [`NoteError::ControlCharacter`], [`NoteError::TooLong`].
    pub fn sign(&self, text: &str) -> Result<String, NoteError> {
        sign(text, &[self])
    }

    fn signature_line(&self, text: &str) -> String {
        let mut payload = self.verifier.key_id.to_be_bytes().to_vec();
        payload.extend(self.key.sign(text.as_bytes()).to_bytes());
        format!("{LINE_PREFIX}{} {}\n", self.verifier.name, encode_base64(&payload))
    }
}

/// The text with the signatures of several keys below it, in their order.
///
/// # Errors
/// As [`NoteSigner::sign`]; [`NoteError::NoSignatures`], [`NoteError::TooManySignatures`].
pub fn sign(text: &str, signers: &[&NoteSigner]) -> Result<String, NoteError> {
    if !text.ends_with('\n') {
        return Err(NoteError::Text);
    }
    check_characters(text)?;
    match signers.len() {
        0 => return Err(NoteError::NoSignatures),
        1..=SIGNATURES_MAX => {}
        _ => return Err(NoteError::TooManySignatures),
    }
    let lines: String = signers.iter().map(|signer| signer.signature_line(text)).collect();
    let note = format!("{text}\n{lines}");
    if note.len() > NOTE_BYTES_MAX {
        return Err(NoteError::TooLong);
    }
    Ok(note)
}

/// A public key that a reader knows, and what makes its signature lines recognisable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteVerifier {
    name: String,
    key_id: u32,
    key: VerifyingKey,
}

impl NoteVerifier {
    /// Reads a verifier key: `name+hash+base64`.
    ///
    /// # Errors
    /// [`NoteError::VerifierKey`], [`NoteError::VerifierKeyType`], [`NoteError::KeyName`].
    pub fn parse(text: &str) -> Result<NoteVerifier, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(_), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::VerifierKey);
        };
        let bytes = decode_base64(key).ok_or(NoteError::VerifierKey)?;
        let (signature_type, key) = bytes.split_first().ok_or(NoteError::VerifierKey)?;
        if *signature_type != ED25519 {
            return Err(NoteError::VerifierKeyType { signature_type: *signature_type });
        }
        let key = key.try_into().map_err(|_| NoteError::VerifierKey)?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| NoteError::VerifierKey)?;
        let verifier = NoteVerifier::new(name, key)?;
        // The id in the middle follows from the rest, and each key has one text alone.
        if verifier.to_string() == text { Ok(verifier) } else { Err(NoteError::VerifierKey) }
    }

    fn new(name: &str, key: VerifyingKey) -> Result<NoteVerifier, NoteError> {
        check_name(name)?;
        let hash = sha256(&[name.as_bytes(), b"\n", &[ED25519], key.as_bytes()]);
        let [a, b, c, d, ..] = hash.0;
        Ok(NoteVerifier { name: name.to_owned(), key_id: u32::from_be_bytes([a, b, c, d]), key })
    }

    /// The key's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key's id: the first four bytes of H(name ‖ newline ‖ type ‖ key).
    #[must_use]
    pub fn key_id(&self) -> u32 {
        self.key_id
    }

    fn made(&self, line: &SignatureLine) -> bool {
        self.name == line.name && self.key_id == line.key_id
    }

    fn verifies(&self, line: &SignatureLine, text: &str) -> bool {
        Signature::from_slice(&line.signature)
            .is_ok_and(|signature| self.key.verify_strict(text.as_bytes(), &signature).is_ok())
    }
}

impl fmt::Display for NoteVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519];
        key.extend(self.key.as_bytes());
        write!(f, "{}+{:08x}+{}", self.name, self.key_id, encode_base64(&key))
    }
}

/// A well-formed note whose signatures are not yet verified; only [`SignedNote::open`] gives the
/// text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<SignatureLine>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct SignatureLine {
    name: String,
    key_id: u32,
    signature: Vec<u8>,
}

impl SignedNote {
    /// Reads a note without verifying it.
    ///
    /// # Errors
    /// Those that speak of malformed notes.
    pub fn parse(note: &str) -> Result<SignedNote, NoteError> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong);
        }
        check_characters(note)?;
        let end = note.rfind("\n\n").ok_or(NoteError::NoSignatures)?;
        let (text, lines) = note.split_at(end + 1);
        let lines = lines[1..].strip_suffix('\n').ok_or(NoteError::NoSignatures)?;
        let mut signatures = Vec::new();
        for (position, line) in lines.split('\n').enumerate() {
            if position == SIGNATURES_MAX {
                return Err(NoteError::TooManySignatures);
            }
            let line = SignatureLine::parse(line)
                .ok_or(NoteError::SignatureLine { line: position + 1 })?;
            signatures.push(line);
        }
        Ok(SignedNote { text: text.to_owned(), signatures })
    }

    /// The text and those of the known keys that signed it, each once, in the order of the lines.
    /// Lines by unknown keys do not count.
    ///
    /// # Errors
    /// [`NoteError::InvalidSignature`] if a line claims to be by a known key and is not;
    /// [`NoteError::NoKnownKey`].
    pub fn open<'v>(
        &self,
        known: &'v [NoteVerifier],
    ) -> Result<(&str, Vec<&'v NoteVerifier>), NoteError> {
        let mut verified: Vec<&NoteVerifier> = Vec::new();
        for line in &self.signatures {
            let mut claimed = known.iter().filter(|verifier| verifier.made(line)).peekable();
            if claimed.peek().is_none() {
                continue;
            }
            let verifier = claimed
                .find(|verifier| verifier.verifies(line, &self.text))
                .ok_or_else(|| NoteError::InvalidSignature { name: line.name.clone() })?;
            if !verified.contains(&verifier) {
                verified.push(verifier);
            }
        }
        if verified.is_empty() {
            return Err(NoteError::NoKnownKey);
        }
        Ok((&self.text, verified))
    }
}

impl SignatureLine {
    fn parse(line: &str) -> Option<SignatureLine> {
        let (name, payload) = line.strip_prefix(LINE_PREFIX)?.split_once(' ')?;
        check_name(name).ok()?;
        let payload = decode_base64(payload)?;
        let (key_id, signature) = payload.split_first_chunk()?;
        Some(SignatureLine {
            name: name.to_owned(),
            key_id: u32::from_be_bytes(*key_id),
            signature: (!signature.is_empty()).then(|| signature.to_vec())?,
        })
    }
}

/// Whether this may name a key: not empty, without white space, control characters and `+`.
///
/// # Errors
/// [`NoteError::KeyName`].
pub fn check_name(name: &str) -> Result<(), NoteError> {
    let forbidden = |c: char| c.is_whitespace() || c < ' ' || c == '+';
    if name.is_empty() || name.contains(forbidden) {
        return Err(NoteError::KeyName);
    }
    Ok(())
}

fn check_characters(text: &str) -> Result<(), NoteError> {
    if text.bytes().any(|byte| byte < b' ' && byte != b'\n') {
        return Err(NoteError::ControlCharacter);
    }
    Ok(())
}
