//! Refusals are answered at once and noted in the ledger: one record an agency and minute.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use xianjie_core::domain::decide::Input;
use xianjie_core::domain::record::{Kind, Record, Refusals as RefusalsRecord, RefusedItem};
use xianjie_core::ids::{AgencyCode, Digest, DocumentId};
use xianjie_core::ledger::sha256;
use xianjie_core::limits;
use xianjie_core::refusal::{Advice, Reason, Refusal};

use super::Hub;
use super::fold::Item;
use crate::entropy::random;

/// Refusals that wait for their minute to end.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<HashMap<AgencyCode, (Vec<RefusedItem>, u64)>>);

impl Hub {
    /// Notes a refusal and returns it. What is only "later" is none, and what was classified is
    /// noted without its digest.
    pub(super) fn note_refusal(
        &self,
        agency: &AgencyCode,
        id: Option<DocumentId>,
        digest: Digest,
        refusal: Refusal,
    ) -> Refusal {
        if refusal.advice() == Advice::Resend {
            return refusal;
        }
        let classified = refusal.reason() == Reason::Classified;
        let Ok(salt) = random::<32>() else { return refusal };
        let salted_digest = if classified {
            Digest::default()
        } else {
            Digest(sha256(&[b"xianjie/refused/v1\0", &salt, &digest.0]).0)
        };
        let reasons = refusal.violations.iter().map(|violation| {
            let field = if violation.field.is_empty() { "" } else { " " };
            format!("{}{field}{}", violation.reason.name(), violation.field)
        });
        let item = RefusedItem {
            time: self.shared.clock.now(),
            id: id.filter(|_| !classified),
            salt,
            digest: salted_digest,
            reasons: reasons.collect(),
        };
        let mut waiting = self.refusals.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (items, more) = waiting.entry(agency.clone()).or_default();
        if items.len() < limits::REFUSALS_PER_MINUTE {
            items.push(item);
        } else {
            *more += 1;
        }
        refusal
    }

    /// Puts refusals back that could not be written now.
    fn keep_waiting(&self, agency: AgencyCode, (mut items, more): (Vec<RefusedItem>, u64)) {
        let mut waiting = self.refusals.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (newer, further) = waiting.entry(agency).or_default();
        items.append(newer);
        *further += more + items.len().saturating_sub(limits::REFUSALS_PER_MINUTE) as u64;
        items.truncate(limits::REFUSALS_PER_MINUTE);
        *newer = items;
    }

    /// Writes the refusals of the minute that has ended. A hub that is killed before loses these
    /// notes and nothing else: who was refused has the answer.
    pub async fn write_refusals(&self) {
        let waiting: Vec<_> = {
            let mut waiting = self.refusals.0.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.drain().collect()
        };
        for (agency, (items, more)) in waiting {
            let kept = (items.clone(), more);
            let kind = Kind::Refusals(RefusalsRecord { agency: agency.clone(), items, more });
            let record = Record { kind, effects: Vec::new() };
            let Ok(item) = Item::bare(Input::Noted(Box::new(record))) else { continue };
            if let Err(refusal) = self.queue.decide(item).await {
                tracing::warn!(%refusal, "refusals are not noted yet");
                self.keep_waiting(agency, kept);
            }
        }
    }
}
