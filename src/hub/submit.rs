//! A document comes in: read, verified and its attachments found, all in the caller's task; then one
//! place in the queue, and the sequencer's answer.

use jiff::Span;
use xianjie_core::domain::decide::{DocumentInput, Input};
use xianjie_core::domain::document::{Attachment, Document};
use xianjie_core::domain::record::Notice;
use xianjie_core::domain::state::{Key, Row};
use xianjie_core::domain::term::shanghai_date;
use xianjie_core::ids::{AgencyCode, CaseRef, Digest, DocumentRef, LedgerIndex};
use xianjie_core::ledger::Hash;
use xianjie_core::ledger::commitment::digest_commitment;
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::fold::Item;
use super::{Answer, Hub};
use crate::entropy::{NoEntropy, random};
use crate::identity::signature::PayloadType;
use crate::store::Wants;
use crate::wire;
use crate::wire::document::{Heard, Seen};
use crate::wire::signature::Signed;

mod bulk;
pub use bulk::Prepared;

impl Hub {
    /// Takes a document: returns when its record is on stable storage and signed.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once; nothing has happened then. A refusal is noted in
    /// the ledger.
    pub async fn submit(&self, agency: &AgencyCode, signed: Signed) -> Result<Answer, Refusal> {
        let digest = digest(&signed.payload);
        let heard = match self.read(agency, &signed) {
            Ok(heard) => heard,
            Err(refusal) => return Err(self.note_refusal(agency, None, digest, refusal)),
        };
        let id = heard.document.id;
        let reference = DocumentRef { sender: agency.clone(), id };
        match self.prepared_submit(heard, signed, None).await {
            Ok(answer) => Ok(answer),
            // A known id with the same bytes gets its receipt before every other check but identity.
            Err(refusal) => match self.known(&reference, &digest).await? {
                Some(index) => {
                    let published = self.published();
                    Ok(Answer { entry: None, known: vec![index], published })
                }
                None => Err(self.note_refusal(agency, Some(id), digest, refusal)),
            },
        }
    }

    pub(super) async fn prepared_submit(
        &self,
        heard: Heard,
        signed: Signed,
        notice: Option<(LedgerIndex, Notice)>,
    ) -> Result<Answer, Refusal> {
        if self.is_draining() {
            return Err(Reason::Draining.into());
        }
        self.check_law_in_force()?;
        self.check_room()?;
        self.verify(&signed)?;
        self.check_seen(heard.seen).await?;
        let missing = self.claim_attachments(&heard.document).await?;
        if let Some(refusal) = Refusal::of(missing.into_iter().map(|(_, v)| v).collect()) {
            return Err(refusal);
        }
        let named = Named::by(&heard.document);
        let item = self.item(heard.document, signed, notice)?;
        let answer = self.queue.decide(item).await?;
        self.keep_attachments(named).await;
        Ok(answer)
    }

    /// Keeps what a document names that was taken. If that fails, the collector does it.
    async fn keep_attachments(&self, Named { sender, digests }: Named) {
        if digests.is_empty() {
            return;
        }
        if let Err(error) = self.shared.attachments.keep(&sender, digests).await {
            tracing::warn!(%error, "attachments of a document are not kept yet");
        }
    }

    /// Reads the bytes; the document must be the caller's own.
    pub(super) fn read(&self, agency: &AgencyCode, signed: &Signed) -> Result<Heard, Refusal> {
        let most = limits::DOCUMENT_BYTES;
        if signed.payload.len() > most {
            return Err(Violation::new(Reason::TooLarge, "")
                .help_in(
                    format!("at most {most} bytes; judgments are attachments"),
                    format!("不得超过{most}字节；裁判文书应作为附件"),
                )
                .into());
        }
        let heard = wire::document::read_document(
            &self.shared.schema,
            &self.shared.origin,
            &signed.payload,
        )?;
        if heard.document.sender != *agency {
            return Err(Violation::new(Reason::NotCarried, "sender").into());
        }
        self.check_issue_date(&heard.document)?;
        Ok(heard)
    }

    /// Nothing is issued (成文) after the day on which it is sent; one day of grace, as clocks differ.
    fn check_issue_date(&self, document: &Document) -> Result<(), Violation> {
        let tomorrow = shanghai_date(self.now().0).saturating_add(Span::new().days(1));
        match document.date("issue_date") {
            Some(date) if date > tomorrow => {
                let impossible = Violation::new(Reason::ImpossibleDate, "issue_date");
                Err(impossible.help_in("later than tomorrow in Shanghai", "晚于明日（北京时间）"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn verify(&self, signed: &Signed) -> Result<(), Violation> {
        self.shared.keys.verify(
            &self.directory(),
            PayloadType::Document,
            &signed.payload,
            &signed.signatures,
        )
    }

    /// Claims a document's attachments: the collector of orphans stays away until it names them. Those
    /// that the hub does not hold, each with what is wrong.
    async fn claim_attachments(
        &self,
        document: &Document,
    ) -> Result<Vec<(Digest, Violation)>, Refusal> {
        if document.attachments.is_empty() {
            return Ok(Vec::new());
        }
        let claimed = self.shared.attachments.claim(&document.sender, &wanted(document)).await;
        Ok(missing_ones(document, &claimed.map_err(unavailable)?))
    }

    /// As [`claim_attachments`](Self::claim_attachments), but nothing is claimed.
    pub(super) async fn missing_attachments(
        &self,
        document: &Document,
    ) -> Result<Vec<(Digest, Violation)>, Refusal> {
        let missing = self.shared.attachments.missing(&document.sender, &wanted(document)).await;
        Ok(missing_ones(document, &missing.map_err(unavailable)?))
    }

    /// A checkpoint that the signer has seen must be one of this ledger's: a hub that shows two
    /// histories is caught by its own users.
    pub(super) async fn check_seen(&self, seen: Option<Seen>) -> Result<(), Refusal> {
        let Some(Seen { size, root }) = seen else { return Ok(()) };
        let published = self.published();
        let fits = if size == 0 || size > published.size {
            false
        } else {
            let ours = published.root_at(&*self.shared.store, size).await;
            ours.map_err(|_| Refusal::from(Reason::StoreUnavailable))?.0 == root
        };
        if !fits {
            tracing::error!(size, "a signer has seen a checkpoint that is not this ledger's");
            self.shared.troubles.seen_mismatch();
            return Err(Violation::new(Reason::SeenMismatch, "seen").into());
        }
        Ok(())
    }

    fn item(
        &self,
        document: Document,
        signed: Signed,
        notice: Option<(LedgerIndex, Notice)>,
    ) -> Result<Item, Refusal> {
        let entropy = |_: NoEntropy| Refusal::from(Reason::StoreUnavailable);
        let document_salt = random().map_err(entropy)?;
        let input = DocumentInput {
            document,
            signers: signed.signatures.iter().map(|s| s.certificate).collect(),
            fresh_case: CaseRef(random().map_err(entropy)?),
            salt: document_salt,
            notice,
        };
        Ok(Item {
            input: Input::Document(Box::new(input)),
            salt: random().map_err(entropy)?,
            flagged_salt: random().map_err(entropy)?,
            document_salt,
            signed_document: signed.envelope,
        })
    }

    /// The record that these bytes have already under this id, if they have.
    ///
    /// # Errors
    /// It can't be told now: the store can't be read, or the record is not published yet.
    async fn known(
        &self,
        reference: &DocumentRef,
        digest: &Digest,
    ) -> Result<Option<LedgerIndex>, Refusal> {
        let key = Key::Document(reference.clone());
        let mut wants = Wants::default();
        wants.keys.insert(key.clone());
        let loaded = self.shared.store.load(&wants).await.map_err(unavailable)?;
        let Some(Some(Row::Document(row))) = loaded.rows.get(&key) else { return Ok(None) };
        let mut wants = Wants::default();
        wants.entries.insert(row.index);
        let loaded = self.shared.store.load(&wants).await.map_err(unavailable)?;
        let Some(entry) = loaded.entries.get(&row.index) else { return Ok(None) };
        let commitment = digest_commitment(&entry.document_salt, &Hash(digest.0));
        if commitment.0 != row.commitment.0 {
            return Ok(None);
        }
        // What is visible may not be durable yet; what is published is.
        if row.index.0 < self.published().size {
            return Ok(Some(row.index));
        }
        Err(Reason::StoreUnavailable.into())
    }
}

/// The attachments that a document names.
struct Named {
    sender: AgencyCode,
    digests: Vec<Digest>,
}

impl Named {
    fn by(document: &Document) -> Self {
        let digests = document.attachments.iter().map(|attachment| attachment.digest).collect();
        Self { sender: document.sender.clone(), digests }
    }
}

fn wanted(document: &Document) -> Vec<(Digest, u64)> {
    document.attachments.iter().map(|attachment| (attachment.digest, attachment.size)).collect()
}

fn missing_ones(document: &Document, missing: &[Digest]) -> Vec<(Digest, Violation)> {
    let is_missing = |(place, attachment): (usize, &Attachment)| {
        let digest = attachment.digest;
        missing.contains(&digest).then(|| {
            let field = format!("attachments[{place}].sha256");
            let violation = Violation::new(Reason::AttachmentMissing, field);
            (digest, violation.help(digest.to_string()))
        })
    };
    document.attachments.iter().enumerate().filter_map(is_missing).collect()
}

/// SHA-256 of a document's bytes.
pub(super) fn digest(payload: &[u8]) -> Digest {
    Digest(xianjie_core::ledger::sha256(&[payload]).0)
}

/// A refusal of the store for whoever waits.
pub(crate) fn unavailable<E: std::fmt::Display>(error: E) -> Refusal {
    tracing::warn!(%error, "the store can't answer");
    Reason::StoreUnavailable.into()
}
