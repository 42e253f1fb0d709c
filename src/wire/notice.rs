//! The hub's own documents: `hub_notice`, made as any agency makes a document.

use prost::Message;
use xianjie_core::domain::record::{Effect, Kind, Notice, Record};
use xianjie_core::ids::{AgencyCode, DocumentId, Origin, Time};

use super::pb;
use super::time::write_time;

/// What every notice says of itself.
#[derive(Debug, Clone)]
pub struct NoticeText {
    /// Its id.
    pub id: DocumentId,
    /// The ledger.
    pub ledger: Origin,
    /// The hub's own agency.
    pub sender: AgencyCode,
    /// When it is made.
    pub time: Time,
    /// What it tells of.
    pub notice: Notice,
    /// Who gets it.
    pub to: Vec<AgencyCode>,
}

/// The bytes of a notice about `record`, to be signed. It names no person and repeats no content.
#[must_use]
pub fn encode(text: &NoticeText, record: &Record) -> Vec<u8> {
    let about = match &record.kind {
        Kind::Document(taken) => Some(&taken.document),
        _ => None,
    };
    let kind = match text.notice {
        Notice::Contradiction => pb::NoticeKind::Contradiction,
        Notice::Rejected => pb::NoticeKind::DeliveryRejected,
    };
    let body = pb::HubNotice {
        notice_kind: kind.into(),
        about_agency: about.map(|document| document.sender.to_string()).unwrap_or_default(),
        about_document: about.map(|document| document.id.to_string()).unwrap_or_default(),
        duty: String::new(),
        due_time: None,
        text: words(text.notice, record),
    };
    pb::Document {
        document_id: text.id.to_string(),
        ledger: text.ledger.to_string(),
        sender: text.sender.to_string(),
        original_form: pb::OriginalForm::Electronic.into(),
        classification: pb::Classification::Unclassified.into(),
        create_time: Some(write_time(text.time)),
        chosen_agencies: text.to.iter().map(ToString::to_string).collect(),
        body: Some(pb::document::Body::HubNotice(body)),
        ..pb::Document::default()
    }
    .encode_to_vec()
}

fn words(notice: Notice, record: &Record) -> String {
    match notice {
        Notice::Contradiction => {
            let found: Vec<&str> = record
                .effects
                .iter()
                .filter_map(|ruled| match &ruled.effect {
                    Effect::Contradiction { what, .. } => Some(what.as_str()),
                    _ => None,
                })
                .collect();
            format!(
                "所列文书已收存并送达，但与记录不符，请核查：{0}。 Taken and delivered, but it does not fit \
                 what is on record: {0}.",
                found.join("; ")
            )
        }
        Notice::Rejected => {
            "受送达单位退回了所列送达，相关期限义务恢复。 The addressee rejected the delivery; the duties \
             that it had met are owed again."
                .to_owned()
        }
    }
}
