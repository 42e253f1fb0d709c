//! What became of what was sent, and how the hub is.

use thiserror::Error;
use xianjie_core::ids::Time;

use super::connect::{Client, ProfileLacks, unary};
use super::error::CallError;
use super::inbox::stage_word;
use crate::wire::pb;
use crate::wire::time::read_time;

use pb::submission::Outcome;

/// A question that has no answer.
#[derive(Debug, Error)]
pub enum QueryError {
    /// The call did not succeed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The profile is no agency's.
    #[error(transparent)]
    Profile(#[from] ProfileLacks),
}

/// Which submissions are asked for.
#[derive(Debug, Clone, Default)]
pub struct SubmissionFilter {
    /// Only this document type; empty: any.
    pub document_type: String,
    /// Only this correction case (矫正案件); empty: any.
    pub correction_case: String,
    /// Only those with a delivery that is not settled.
    pub only_open: bool,
}

impl Client {
    /// What became of a document that this agency sent.
    ///
    /// # Errors
    /// [`QueryError::Call`]; `NOT_FOUND` if the hub knows nothing of it.
    pub async fn submission(&self, document_id: &str) -> Result<pb::Submission, QueryError> {
        let agency = self.agency()?.to_string();
        let request = pb::GetSubmissionRequest { agency, document_id: document_id.to_owned() };
        let answer = self.exchange().get_submission(unary(request)).await;
        Ok(answer.map_err(CallError::from)?.into_inner().submission.unwrap_or_default())
    }

    /// The newest documents that this agency sent, at most `limit`.
    ///
    /// # Errors
    /// [`QueryError::Call`].
    pub async fn submissions(
        &self,
        filter: &SubmissionFilter,
        limit: usize,
    ) -> Result<Vec<pb::Submission>, QueryError> {
        let mut request = pb::ListSubmissionsRequest {
            agency: self.agency()?.to_string(),
            document_type: filter.document_type.clone(),
            correction_case: filter.correction_case.clone(),
            only_open: filter.only_open,
            ..pb::ListSubmissionsRequest::default()
        };
        let mut found = Vec::new();
        loop {
            request.page_size = u32::try_from(limit - found.len()).unwrap_or(u32::MAX);
            let answer = self.exchange().list_submissions(unary(request.clone())).await;
            let page = answer.map_err(CallError::from)?.into_inner();
            found.extend(page.submissions);
            if page.next_page_token.is_empty() || found.len() >= limit {
                found.truncate(limit);
                return Ok(found);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// How the hub is. For operators.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn hub_status(&self) -> Result<pb::GetStatusResponse, CallError> {
        let answer = self.operators().get_status(unary(pb::GetStatusRequest {})).await;
        Ok(answer?.into_inner())
    }
}

/// What became of a document, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionText {
    /// Its id.
    pub document_id: String,
    /// Its type; empty if it was refused.
    pub document_type: String,
    /// The index and the time of its record, if it was accepted.
    pub accepted: Option<(u64, Time)>,
    /// The index of the record that withdrew it (撤回), if one did.
    pub withdrawn_by: Option<u64>,
    /// The index of the record of the document that replaced it (更正), if one did.
    pub replaced_by: Option<u64>,
    /// Its deliveries, main addressees first.
    pub deliveries: Vec<DeliveryText>,
    /// Why it was refused.
    pub reasons: Vec<String>,
}

/// How far a delivery has come, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryText {
    /// The addressee.
    pub agency: String,
    /// Its number in the addressee's inbox.
    pub number: u64,
    /// A copy (抄送).
    pub copy: bool,
    /// Where it stands, in one word.
    pub stage: String,
}

/// A submission in short.
#[must_use]
pub fn submission_text(submission: &pb::Submission) -> SubmissionText {
    let mut text = SubmissionText {
        document_id: submission.document_id.clone(),
        document_type: submission.document_type.clone(),
        accepted: None,
        withdrawn_by: None,
        replaced_by: None,
        deliveries: Vec::new(),
        reasons: Vec::new(),
    };
    match &submission.outcome {
        Some(Outcome::Accepted(accepted)) => {
            let time = accepted.accept_time.as_ref().and_then(read_time).unwrap_or_default();
            let deliveries = accepted.deliveries.iter().map(|delivery| DeliveryText {
                agency: delivery.agency.clone(),
                number: delivery.inbox_number,
                copy: delivery.copy,
                stage: stage_word(delivery.stage()),
            });
            text.accepted = Some((accepted.index, time));
            // Record 0 founds the ledger: it withdraws and replaces nothing.
            text.withdrawn_by = Some(accepted.withdrawn_by).filter(|by| *by > 0);
            text.replaced_by = Some(accepted.replaced_by).filter(|by| *by > 0);
            text.deliveries = deliveries.collect();
        }
        Some(Outcome::Refused(refused)) => text.reasons.clone_from(&refused.reasons),
        None => {}
    }
    text
}
