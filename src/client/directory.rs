//! The directory (名录): finding agencies, and, for operators, changing it.

use prost::Message as _;
use thiserror::Error;
use xianjie_core::domain::agency::{Agency, Kind, Level};
use xianjie_core::domain::decide::Change;
use xianjie_core::ids::DivisionCode;
use xianjie_core::ledger::TlogProof;
use xianjie_core::ledger::receipt::VerifiedReceipt;

use super::backoff::Backoff;
use super::connect::{Client, ProfileLacks, unary};
use super::error::{CallError, Refused};
use super::observer::Observer;
use super::seen::SeenError;
use super::verify::{Report, verify_receipt};
use super::{disk, files};
use crate::entropy::{self, NoEntropy};
use crate::identity::files::FileError;
use crate::identity::signature::PayloadType;
use crate::wire::change::write_change;
use crate::wire::receipt::{self, ReceiptFormError};
use crate::wire::{pb, record, signature};

/// Where an operator's profile keeps the changes that it signed.
const CHANGES: &str = "changes";

/// Which agencies are sought. All that is given must fit.
#[derive(Debug, Clone, Default)]
pub struct AgencyFilter {
    /// A part of the official name.
    pub name: Option<String>,
    /// The kind.
    pub kind: Option<Kind>,
    /// A level at which it acts.
    pub level: Option<Level>,
    /// A division (行政区划) that it serves.
    pub division: Option<DivisionCode>,
}

/// A change of the directory that is not made.
#[derive(Debug, Error)]
pub enum ChangeError {
    /// The profile is no operator's.
    #[error(transparent)]
    Profile(#[from] ProfileLacks),
    /// A file can't be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// No id could be made.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// The hub refused it.
    #[error(transparent)]
    Refused(Box<Refused>),
    /// What the hub gave is no receipt.
    #[error("what the hub gave is no receipt")]
    ReceiptForm(#[from] ReceiptFormError),
    /// The hub's receipt does not verify.
    #[error("the hub's receipt does not verify")]
    DoubtfulReceipt(Box<Report>),
    /// The checkpoint of the receipt contradicts one seen before.
    #[error(transparent)]
    Seen(#[from] SeenError),
}

/// A change that is in the ledger.
#[derive(Debug, Clone)]
pub struct Changed {
    /// What the receipt proves.
    pub receipt: VerifiedReceipt,
    /// The codes of agencies and systems put, in the order of the change.
    pub codes: Vec<String>,
}

impl Client {
    /// The agencies (单位) that fit, in the order of their codes. What this version can't read, such
    /// as a kind that it does not know, is left out.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn find_agencies(&self, filter: &AgencyFilter) -> Result<Vec<Agency>, CallError> {
        let mut request = pb::ListAgenciesRequest {
            kind: filter.kind.map(record::Word::number).unwrap_or_default(),
            level: filter.level.map(record::Word::number).unwrap_or_default(),
            division: filter.division.as_ref().map(ToString::to_string).unwrap_or_default(),
            page_size: 1000,
            ..pb::ListAgenciesRequest::default()
        };
        let fits = |agency: &Agency| {
            filter.name.as_ref().is_none_or(|part| agency.name.contains(part.as_str()))
        };
        let mut found = Vec::new();
        loop {
            let page = self.directory().list_agencies(unary(request.clone())).await?.into_inner();
            let agencies =
                page.agencies.into_iter().filter_map(|a| record::directory::agency(a).ok());
            found.extend(agencies.filter(fits));
            if page.next_page_token.is_empty() {
                return Ok(found);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Signs a change of the directory, keeps it, and sends it until it is answered.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub async fn change_directory(
        &self,
        changes: &[Change],
        observer: &dyn Observer,
    ) -> Result<Changed, ChangeError> {
        let operator = self.operator()?;
        let id = entropy::document_id(self.now())?;
        let payload = write_change(&self.profile().trust.origin, id, &operator.name, changes);
        let signed = signature::sign(PayloadType::DirectoryChange, &payload, &operator.identity);
        let signed = pb::SignedDirectoryChange {
            directory_change: payload,
            signatures: vec![signature::write(&signed)],
        };
        let folder = self.profile().folder.join(CHANGES);
        let folder = disk::NewFolder::begin(&folder, &id.to_string())?;
        folder.write(files::ENVELOPE, &signed.encode_to_vec())?;
        let folder = folder.finish()?;

        let answer = self.send_change(signed, observer).await?;
        let parts = receipt::parts(&answer.receipt.unwrap_or_default())?;
        disk::write(&folder.join(files::RECEIPT), TlogProof::from(&parts).to_text().as_bytes())?;
        let mut report = Report::default();
        let verified = verify_receipt(&self.profile().trust, &parts, &mut report);
        let receipt = verified.ok_or_else(|| ChangeError::DoubtfulReceipt(Box::new(report)))?;
        self.advance_if_reached(&parts.checkpoint).await?;
        Ok(Changed { receipt, codes: answer.codes })
    }

    async fn send_change(
        &self,
        signed: pb::SignedDirectoryChange,
        observer: &dyn Observer,
    ) -> Result<pb::ChangeDirectoryResponse, ChangeError> {
        let request = pb::ChangeDirectoryRequest { signed_directory_change: Some(signed) };
        let mut backoff = Backoff::default();
        loop {
            let answer = self.operators().change_directory(unary(request.clone())).await;
            let error = match answer.map_err(CallError::from) {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(CallError::Refused(refused)) if !is_resend(&refused) => {
                    return Err(ChangeError::Refused(refused));
                }
                Err(error) => error,
            };
            let wait = backoff.next(error.refused().and_then(|refused| refused.retry_after));
            observer.waiting(&error, wait);
            tokio::time::sleep(wait).await;
        }
    }
}

fn is_resend(refused: &Refused) -> bool {
    refused.advice == xianjie_core::refusal::Advice::Resend
}
