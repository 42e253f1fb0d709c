//! Queries of persons (查询): what the hub holds of a topic, on a legal ground. Every query is a record of
//! the ledger, whose receipt is verified here.

use thiserror::Error;
use xianjie_core::domain::access::Ground;
use xianjie_core::ids::{CaseRef, TopicName};

use super::connect::{Client, ProfileLacks, unary};
use super::error::CallError;
use super::seen::SeenError;
use super::verify::{Report, verify_receipt};
use crate::wire::pb;
use crate::wire::receipt::{self, ReceiptFormError};
use crate::wire::record::Word as _;

use pb::query_person_request::Person;
pub use pb::{FoundDocument, IdentityKind};

/// How many a page holds at most: the hub gives no more.
const PAGE: u32 = 1000;

/// Whom a query is about.
#[derive(Debug, Clone)]
pub enum About {
    /// A person by their number.
    Number {
        /// What kind of number it is.
        kind: IdentityKind,
        /// The number.
        number: String,
    },
    /// One case (矫正案件).
    Case(CaseRef),
}

/// What was found, and the record of the query.
#[derive(Debug, Clone)]
pub struct Found {
    /// The index of the record: what opens each of the documents.
    pub index: u64,
    /// The documents, the newest first.
    pub documents: Vec<FoundDocument>,
}

/// A query without an answer that can be believed.
#[derive(Debug, Error)]
pub enum AskError {
    /// The call did not succeed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The profile is no agency's.
    #[error(transparent)]
    Profile(#[from] ProfileLacks),
    /// What the hub gave as proof of the query is no receipt.
    #[error("what the hub gave as proof of the query is no receipt")]
    ReceiptForm(#[from] ReceiptFormError),
    /// The receipt of the query does not verify.
    #[error("the receipt of the query does not verify")]
    DoubtfulReceipt(Box<Report>),
    /// A checkpoint contradicts one seen before.
    #[error(transparent)]
    Seen(#[from] SeenError),
}

impl Client {
    /// Queries a topic about a person: which documents there are, all pages.
    ///
    /// # Errors
    /// [`AskError`]; refused ones are told as the hub tells them.
    pub async fn query(
        &self,
        about: &About,
        topic: &TopicName,
        ground: &Ground,
    ) -> Result<Found, AskError> {
        let person = match about.clone() {
            About::Number { kind, number } => {
                Person::Identity(pb::PersonNumber { kind: kind.into(), number })
            }
            About::Case(case) => Person::CorrectionCase(case.to_string()),
        };
        let ground = pb::LegalGround {
            purpose: ground.purpose.number(),
            article: ground.article.as_str().to_owned(),
        };
        let mut request = pb::QueryPersonRequest {
            agency: self.agency()?.to_string(),
            person: Some(person),
            topic: topic.to_string(),
            ground: Some(ground),
            page_size: PAGE,
            page_token: String::new(),
        };
        let mut documents = Vec::new();
        loop {
            let answer = self.queries().query_person(unary(request.clone())).await;
            let page = answer.map_err(CallError::from)?.into_inner();
            documents.extend(page.documents);
            if page.next_page_token.is_empty() {
                let index = self.proven(page.query.unwrap_or_default()).await?;
                return Ok(Found { index, documents });
            }
            request.page_token = page.next_page_token;
        }
    }

    /// A document that a query found, as its sender signed it: its bytes. None if it was erased.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn found_document(
        &self,
        found: &FoundDocument,
        query: u64,
    ) -> Result<Option<Vec<u8>>, AskError> {
        let request = pb::GetDocumentRequest {
            agency: self.agency()?.to_string(),
            document: found.document.clone(),
            query: Some(query),
        };
        let answer = self.exchange().get_document(unary(request)).await;
        let answer = answer.map_err(CallError::from)?.into_inner();
        Ok(answer.signed_document.map(|signed| signed.document.to_vec()))
    }

    /// The index of a receipt that verifies.
    async fn proven(&self, message: pb::Receipt) -> Result<u64, AskError> {
        let parts = receipt::parts(&message)?;
        let mut report = Report::default();
        match verify_receipt(&self.profile().trust, &parts, &mut report) {
            Some(verified) => {
                self.advance_if_reached(&parts.checkpoint).await?;
                Ok(verified.index)
            }
            None => Err(AskError::DoubtfulReceipt(Box::new(report))),
        }
    }
}
