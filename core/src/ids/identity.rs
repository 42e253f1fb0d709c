//! Identity numbers with check digits: GB 11643-1999 (resident ID, 公民身份号码) and GB 32100-2015
//! (social credit code, 统一社会信用代码).

use std::str::FromStr;

use jiff::civil::Date;

use super::IdError;

/// A resident ID number of eighteen characters whose date exists and whose check digit is right.
/// Debug shows no digit: the number is personal.
#[derive(Clone, PartialEq, Eq)]
pub struct ResidentId(String);

impl ResidentId {
    /// The eighteen characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for ResidentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResidentId(…)")
    }
}

impl FromStr for ResidentId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        const CHECK: &[u8; 11] = b"10X98765432";
        let bytes = text.as_bytes();
        if bytes.len() != 18 {
            return Err(IdError::Length(18));
        }
        if !bytes[..17].iter().all(u8::is_ascii_digit) {
            return Err(IdError::Alphabet("digits, and X as the last character"));
        }
        resident_id_birth_date(text).ok_or(IdError::BirthDate)?;
        let sum: u32 = bytes.iter().zip(WEIGHTS).map(|(b, w)| u32::from(b - b'0') * w).sum();
        if CHECK[(sum % 11) as usize] != bytes[17] {
            return Err(IdError::CheckDigit);
        }
        Ok(Self(text.to_owned()))
    }
}

/// The birth date inside a resident ID (characters 7 to 14), if such a day exists.
#[must_use]
pub fn resident_id_birth_date(id: &str) -> Option<Date> {
    let part = |range: std::ops::Range<usize>| id.get(range)?.parse::<i16>().ok();
    let month = i8::try_from(part(10..12)?).ok()?;
    let day = i8::try_from(part(12..14)?).ok()?;
    Date::new(part(6..10)?, month, day).ok()
}

/// A social credit code of an organisation: eighteen characters with a check character.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SocialCreditCode(String);

impl SocialCreditCode {
    /// The eighteen characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SocialCreditCode {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
        if text.len() != 18 {
            return Err(IdError::Length(18));
        }
        let mut weight = 1;
        let mut sum = 0;
        let mut last = 0;
        for (place, c) in text.chars().enumerate() {
            last = ALPHABET.find(c).ok_or(IdError::Alphabet(
                "digits and capital letters other than I, O, S, V and Z",
            ))?;
            if place < 17 {
                sum += last * weight;
                weight = weight * 3 % 31;
            }
        }
        if (31 - sum % 31) % 31 != last {
            return Err(IdError::CheckDigit);
        }
        Ok(Self(text.to_owned()))
    }
}
