//! Submission in two steps, for many documents of one stream: what takes time is done in parallel,
//! and what must keep the stream's order (P10) is done after.

use xianjie_core::domain::decide::Input;
use xianjie_core::ids::{AgencyCode, Digest, DocumentRef};
use xianjie_core::refusal::{Class, Reason, Refusal};

use super::{Answer, Hub, Item, Named, Signed, digest};
use crate::hub::Lane;
use crate::wire::document::Heard;

/// A document that was read and verified, and stands before the queue.
pub struct Prepared {
    agency: AgencyCode,
    reference: Option<DocumentRef>,
    digest: Digest,
    item: Result<Item, Refusal>,
}

impl Hub {
    /// Reads and verifies a document; what is wrong with it is told by
    /// [`hand_in`](Self::hand_in).
    pub async fn prepare(&self, agency: &AgencyCode, signed: Signed) -> Prepared {
        let digest = digest(&signed.payload);
        let heard = self.read(agency, &signed);
        let reference = heard
            .as_ref()
            .ok()
            .map(|heard| DocumentRef { sender: agency.clone(), id: heard.document.id });
        let item = match heard {
            Ok(heard) => self.verified(heard, signed).await,
            Err(refusal) => Err(refusal),
        };
        Prepared { agency: agency.clone(), reference, digest, item }
    }

    /// Hands it in. It stands in the queue, in the order of first polls, or has been refused as
    /// [`Reason::Quota`] or [`Reason::Busy`], when it was polled once. If it can't be taken for now,
    /// the lane is broken, and nothing behind it is taken either (P10).
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub async fn hand_in(&self, prepared: &Prepared, lane: &Lane) -> Result<Answer, Refusal> {
        let refusal = match &prepared.item {
            Ok(item) => match self.queue.decide_in(item.clone(), lane).await {
                Ok(answer) => {
                    if let Input::Document(input) = &item.input {
                        self.keep_attachments(Named::by(&input.document)).await;
                    }
                    return Ok(answer);
                }
                Err(refusal) => refusal,
            },
            Err(refusal) => {
                // Before anything is waited for: the next may be handed in then.
                if refusal.reason().class() == Class::Unavailable {
                    lane.break_off();
                }
                refusal.clone()
            }
        };
        if matches!(refusal.reason(), Reason::Quota | Reason::Busy) {
            return Err(refusal);
        }
        let Prepared { agency, reference, digest, .. } = prepared;
        if let Some(reference) = reference
            && let Some(index) = self.known(reference, digest).await?
        {
            return Ok(Answer { entry: None, known: vec![index], published: self.published() });
        }
        let id = reference.as_ref().map(|reference| reference.id);
        Err(self.note_refusal(agency, id, *digest, refusal))
    }

    async fn verified(&self, heard: Heard, signed: Signed) -> Result<Item, Refusal> {
        if self.is_draining() {
            return Err(Reason::Draining.into());
        }
        self.check_law_in_force()?;
        self.check_room()?;
        self.verify(&signed)?;
        self.check_seen(heard.seen).await?;
        let missing = self.claim_attachments(&heard.document).await?;
        match Refusal::of(missing.into_iter().map(|(_, violation)| violation).collect()) {
            Some(refusal) => Err(refusal),
            None => self.item(heard.document, signed, None),
        }
    }
}
