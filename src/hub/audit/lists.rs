//! The numbers of revocation lists: an authority's only rise (RFC 5280, section 5.2.3). A list that was
//! taken after a later one is noted, as it may be an old file that was put back.

use std::collections::BTreeMap;

use xianjie_core::domain::record::Kind;
use xianjie_core::ids::Digest;

use super::entry::Examined;
use super::findings::{Findings, wrong};

/// The highest number of each authority so far, without leading zeros.
#[derive(Debug, Default)]
pub(super) struct Lists(BTreeMap<Digest, Vec<u8>>);

impl Lists {
    /// Compares the numbers of the lists among these records with those before them.
    pub(super) fn check(&mut self, examined: &[Examined], notes: &mut Findings) {
        for one in examined {
            let Some(Kind::Revocations(list)) = one.record.as_ref().map(|record| &record.kind)
            else {
                continue;
            };
            let number: Vec<u8> = list.number.iter().copied().skip_while(|b| *b == 0).collect();
            let highest = self.0.entry(list.issuer).or_default();
            if (number.len(), &number) < (highest.len(), &*highest) {
                notes.add(wrong::LIST_BACK, Some(one.index), list.issuer);
            } else {
                *highest = number;
            }
        }
    }
}
