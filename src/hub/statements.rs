//! Recipients' statements: acknowledgements (签收) and rejections (退件).

use xianjie_core::domain::decide::{AcknowledgementInput, Input, RejectionInput};
use xianjie_core::domain::record::{self, Effect};
use xianjie_core::domain::state::{Key, Row};
use xianjie_core::ids::{AgencyCode, InboxNumber, LedgerIndex};
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::fold::Item;
use super::submit::unavailable;
use super::{Answer, Hub};
use crate::entropy::random;
use crate::identity::signature::PayloadType;
use crate::store::Wants;
use crate::wire::signature::Signed;
use crate::wire::statement::{self, AcknowledgementHeard, RejectionHeard};

/// Deliveries that one record settled.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// Their numbers.
    pub numbers: Vec<InboxNumber>,
    /// The record.
    pub index: LedgerIndex,
    /// The answer that holds the record, if it is new.
    pub answer: Answer,
}

impl Hub {
    /// Takes an acknowledgement statement. What was settled before is answered with the record that
    /// settled it.
    ///
    /// # Errors
    /// All or nothing: one item that does not fit refuses the whole.
    pub async fn acknowledge(
        &self,
        agency: &AgencyCode,
        signed: Signed,
    ) -> Result<Vec<Settlement>, Refusal> {
        let heard = statement::read_acknowledgement(&self.shared.origin, &signed.payload)?;
        if heard.agency != *agency {
            return Err(Violation::new(Reason::NotCarried, "agency").into());
        }
        self.check_statement(PayloadType::Acknowledgement, &signed)?;
        self.check_seen(heard.seen).await?;
        let AcknowledgementHeard { items, .. } = heard;
        let numbers: Vec<InboxNumber> = items.iter().map(|(number, _)| *number).collect();
        let input = Input::Acknowledgement(AcknowledgementInput {
            agency: agency.clone(),
            items,
            statement: statement_of(signed),
        });
        let answer = self.queue.decide(item(input)?).await?;
        self.settlements(agency, &numbers, answer).await
    }

    /// Takes a rejection.
    ///
    /// # Errors
    /// It does not fit, or the delivery is settled otherwise.
    pub async fn reject(&self, agency: &AgencyCode, signed: Signed) -> Result<Settlement, Refusal> {
        let heard = statement::read_rejection(&self.shared.origin, &signed.payload)?;
        if heard.agency != *agency {
            return Err(Violation::new(Reason::NotCarried, "agency").into());
        }
        self.check_statement(PayloadType::Rejection, &signed)?;
        self.check_seen(heard.seen).await?;
        let RejectionHeard { number, commitment, reason, .. } = heard;
        let input = Input::Rejection(RejectionInput {
            agency: agency.clone(),
            number,
            commitment,
            reason,
            statement: statement_of(signed),
        });
        let answer = self.queue.decide(item(input)?).await?;
        let settlements = self.settlements(agency, &[number], answer).await?;
        settlements.into_iter().next().ok_or_else(|| Reason::NotFound.into())
    }

    fn check_statement(&self, kind: PayloadType, signed: &Signed) -> Result<(), Refusal> {
        if self.is_draining() {
            return Err(Reason::Draining.into());
        }
        let directory = self.directory();
        Ok(self.shared.keys.verify(&directory, kind, &signed.payload, &signed.signatures)?)
    }

    /// Which record settled which deliveries: the new one, and earlier ones.
    async fn settlements(
        &self,
        agency: &AgencyCode,
        numbers: &[InboxNumber],
        answer: Answer,
    ) -> Result<Vec<Settlement>, Refusal> {
        let mut settlements = Vec::new();
        if let Some((entry, record)) = &answer.entry {
            let settled = record.effects.iter().filter_map(|ruled| match &ruled.effect {
                Effect::DeliverySettled { number, .. } => Some(*number),
                _ => None,
            });
            settlements.push(Settlement {
                numbers: settled.collect(),
                index: entry.index,
                answer: answer.clone(),
            });
        }
        if !answer.known.is_empty() {
            settlements.extend(self.settled_before(agency, numbers, &answer).await?);
        }
        Ok(settlements)
    }

    async fn settled_before(
        &self,
        agency: &AgencyCode,
        numbers: &[InboxNumber],
        answer: &Answer,
    ) -> Result<Vec<Settlement>, Refusal> {
        let mut wants = Wants::default();
        wants.keys.extend(numbers.iter().map(|n| Key::Delivery(agency.clone(), *n)));
        let loaded = self.shared.store.load(&wants).await.map_err(unavailable)?;
        let settled_by = |index: LedgerIndex| {
            let by = |number: &&InboxNumber| {
                let key = Key::Delivery(agency.clone(), **number);
                matches!(
                    loaded.rows.get(&key),
                    Some(Some(Row::Delivery(d))) if d.settled.is_some_and(|(_, by)| by == index)
                )
            };
            numbers.iter().filter(by).copied().collect()
        };
        let known = answer.known.iter().map(|index| Settlement {
            numbers: settled_by(*index),
            index: *index,
            answer: Answer { entry: None, known: vec![*index], ..answer.clone() },
        });
        Ok(known.collect())
    }
}

fn statement_of(signed: Signed) -> record::Signed {
    record::Signed {
        payload: signed.payload.to_vec(),
        signatures: signed.signatures,
        bindings: Vec::new(),
    }
}

/// An item without a document.
pub(super) fn item(input: Input) -> Result<Item, Refusal> {
    let salt = random().map_err(|_| Refusal::from(Reason::StoreUnavailable))?;
    let (flagged_salt, document_salt) = ([0; 32], [0; 32]);
    Ok(Item { input, salt, flagged_salt, document_salt, signed_document: Vec::new() })
}
