//! The documents of a run: made, encoded and signed one by one in the load's own process, as an
//! agency's system would.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use prost::Message as _;
use xianjie_core::ids::{Origin, Time};

use super::stage::{Party, Stage};
use crate::entropy::{self, NoEntropy};
use crate::identity::signature::PayloadType;
use crate::wire::pb;
use crate::wire::signature;
use crate::wire::time::write_time;

/// Of so many documents of a mixed load one is a verdict: 5 %.
const VERDICTS: u64 = 20;
/// Whom a verdict goes to: corrections agency, police and procuratorate of the place.
const VERDICT_ADDRESSEES: usize = 3;
/// What fills a notification's text.
const FILLER: char = '衔';

/// Makes documents.
pub struct Papers {
    ledger: Origin,
    /// The time at which the run began, by the caller's clock and by the process's.
    began: (Time, Instant),
    stage: Arc<Stage>,
    content: String,
    addressees: usize,
    with_verdicts: bool,
    made: AtomicU64,
}

/// A signed document, ready to be sent as often as need be.
#[derive(Debug, Clone)]
pub struct Paper {
    /// Its sender.
    pub agency: String,
    /// The document.
    pub signed: pb::SignedDocument,
    /// How many addressees it has.
    pub addressees: usize,
}

impl Papers {
    /// Documents of about `bytes` for `addressees` each; one of twenty is a verdict if so asked.
    #[must_use]
    pub fn new(
        stage: Arc<Stage>,
        time: Time,
        bytes: usize,
        addressees: usize,
        with_verdicts: bool,
    ) -> Self {
        let mut papers = Self {
            ledger: stage.trust.origin.clone(),
            began: (time, Instant::now()),
            stage,
            content: FILLER.to_string(),
            addressees,
            with_verdicts,
            made: AtomicU64::new(0),
        };
        let without = papers.notification(0, "", time).encoded_len();
        let filler = bytes.saturating_sub(without) / FILLER.len_utf8();
        papers.content = FILLER.to_string().repeat(filler.max(1));
        papers
    }

    /// The next document.
    ///
    /// # Errors
    /// The operating system gives no randomness.
    pub fn next(&self) -> Result<Paper, NoEntropy> {
        let place = self.made.fetch_add(1, Ordering::Relaxed);
        let (began, instant) = self.began;
        let elapsed = i64::try_from(instant.elapsed().as_millis()).unwrap_or(i64::MAX);
        let time = Time(began.0.saturating_add(elapsed));
        let id = entropy::document_id(time)?.to_string();
        match &self.stage.court {
            Some(court) if self.with_verdicts && place.is_multiple_of(VERDICTS) => {
                Ok(sign(court, self.verdict(court, &id, time), VERDICT_ADDRESSEES))
            }
            _ => {
                let sender = &self.stage.parties[self.sender(place)];
                Ok(sign(sender, self.notification(place, &id, time), self.addressees))
            }
        }
    }

    /// Agencies send in turn.
    fn sender(&self, place: u64) -> usize {
        let count = self.stage.parties.len() as u64;
        usize::try_from(place % count).unwrap_or_default()
    }

    /// A notification (通报) to the agencies that follow its sender in the circle.
    fn notification(&self, place: u64, id: &str, time: Time) -> pb::Document {
        let sender = self.sender(place);
        let parties = &self.stage.parties;
        let next = |step: usize| parties[(sender + step) % parties.len()].code.to_string();
        let body = pb::GeneralNotification {
            title: format!("通报第{place}号"),
            content: self.content.clone(),
        };
        pb::Document {
            chosen_agencies: (1..=self.addressees).map(next).collect(),
            body: Some(pb::document::Body::GeneralNotification(body)),
            ..self.head(&parties[sender], id, time)
        }
    }

    /// A verdict (法律文书送达) about a person of its own: it opens a case with its duties.
    fn verdict(&self, court: &Party, id: &str, time: Time) -> pb::Document {
        let number = id.to_uppercase().replace('-', "");
        let body = pb::VerdictHandover {
            term_start_date: "2026-09-05".to_owned(),
            term_expiry_date: "2027-03-04".to_owned(),
            notice_signed_date: "2026-09-07".to_owned(),
            ..pb::VerdictHandover::default()
        };
        pb::Document {
            case_number: format!("（2026）测0106刑初{}号", &number[..16]),
            decision_date: "2026-08-25".to_owned(),
            issue_date: "2026-09-07".to_owned(),
            effective_date: "2026-09-05".to_owned(),
            execution_place: super::stage::PLACE.to_owned(),
            subject: Some(pb::Subject {
                name: "示例（虚构）".to_owned(),
                identity_kind: pb::IdentityKind::Passport.into(),
                // Time and randomness of the id: no two documents are about one person.
                identity_number: number[4..24].to_owned(),
                category: pb::Category::Probation.into(),
                juvenile: Some(false),
                ..pb::Subject::default()
            }),
            body: Some(pb::document::Body::VerdictHandover(body)),
            ..self.head(court, id, time)
        }
    }

    fn head(&self, sender: &Party, id: &str, time: Time) -> pb::Document {
        pb::Document {
            document_id: id.to_owned(),
            ledger: self.ledger.to_string(),
            sender: sender.code.to_string(),
            handled_by: "示例经办人".to_owned(),
            signatory: "示例签发人".to_owned(),
            original_form: pb::OriginalForm::Electronic.into(),
            classification: pb::Classification::Unclassified.into(),
            create_time: Some(write_time(time)),
            ..pb::Document::default()
        }
    }
}

fn sign(sender: &Party, document: pb::Document, addressees: usize) -> Paper {
    let document = document.encode_to_vec();
    let signature = signature::sign(PayloadType::Document, &document, &sender.document);
    Paper {
        agency: sender.code.to_string(),
        signed: pb::SignedDocument {
            document: document.into(),
            signatures: vec![signature::write(&signature)],
        },
        addressees,
    }
}
