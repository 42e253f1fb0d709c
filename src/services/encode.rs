//! Answers as messages: receipts, deliveries, stages, heartbeats, pages.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::sync::Arc;

use prost::Message as _;
use xianjie_core::domain::record::{Effect, Kind, Record, Settled};
use xianjie_core::ids::{AgencyCode, CaseRef, DocumentRef, InboxNumber, LedgerIndex, Time};
use xianjie_core::ledger::Leaf;
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Refusal, Violation};

use crate::hub::bell::Arrival;
use crate::hub::published::Published;
pub(super) use crate::hub::unavailable;
use crate::hub::{Answer, Delivered, Hub, InboxState, Protection, Settlement, Submission};
use crate::store::Entry;
use crate::wire;
use crate::wire::pb;
use crate::wire::time::write_time;

/// The receipt of an entry against a checkpoint that covers it.
pub(super) async fn receipt(
    hub: &Hub,
    published: &Published,
    entry: &Entry,
) -> Result<pb::Receipt, Refusal> {
    let parts = published.receipt(&**hub.store(), entry).await;
    Ok(wire::receipt::message(&parts.map_err(unavailable)?))
}

/// The receipt of the record with which the hub answers, and the record.
pub(super) async fn answered(
    hub: &Hub,
    answer: &Answer,
) -> Result<(pb::Receipt, Arc<Record>), Refusal> {
    if let Some((entry, record)) = &answer.entry {
        return Ok((receipt(hub, &answer.published, entry).await?, Arc::clone(record)));
    }
    let index = answer.known.first().ok_or_else(|| Refusal::from(Reason::NotFound))?;
    let (entry, record) = hub.recorded(*index).await?;
    Ok((receipt(hub, &hub.published(), &entry).await?, record))
}

/// The case of a document's record, as `Subject.correction_case` writes it.
pub(super) fn case(record: &Record) -> String {
    case_of(record).map(|case| case.to_string()).unwrap_or_default()
}

/// The case of a document's record, or of that of what does not fit about it.
pub(super) fn case_of(record: &Record) -> Option<CaseRef> {
    match &record.kind {
        Kind::Document(taken) => taken.case,
        Kind::Flagged(_) => record.effects.iter().find_map(|ruled| match &ruled.effect {
            Effect::Contradiction { case, .. } => *case,
            _ => None,
        }),
        _ => None,
    }
}

/// How the law protects the person of a record: of a document, or of what does not fit about one.
pub(super) async fn protection(
    hub: &Hub,
    entry: &Entry,
    record: &Record,
) -> Result<Protection, Refusal> {
    let thread = match &record.kind {
        Kind::Document(taken) => taken.thread,
        _ => entry.index,
    };
    hub.protection(case_of(record), thread, entry).await
}

/// The type of a document's record.
pub(super) fn document_type(record: &Record) -> String {
    match &record.kind {
        Kind::Document(taken) => taken.document_type.to_string(),
        _ => String::new(),
    }
}

/// The document as its sender signed it; none if it was erased.
pub(super) fn signed_document(entry: &Entry) -> Option<pb::SignedDocument> {
    if entry.signed_document.is_empty() {
        return None;
    }
    pb::SignedDocument::decode(&*entry.signed_document).ok()
}

/// The time of an entry's record.
pub(super) fn time(entry: &Entry) -> Result<Time, Refusal> {
    let leaf = Leaf::parse(&entry.leaf).map_err(unavailable)?;
    Ok(Time(i64::try_from(leaf.time_ms).unwrap_or_default()))
}

/// A delivery from a page.
pub(super) async fn delivered(
    hub: &Hub,
    agency: &AgencyCode,
    delivered: &Delivered,
) -> Result<pb::Delivery, Refusal> {
    let Delivered { number, delivery: row, entry, record, published } = delivered;
    let stage = row.settled.filter(|(_, by)| by.0 < published.size).map(|(how, _)| how);
    delivery(hub, agency, *number, stage, entry, record, published).await
}

/// A delivery that has just come.
pub(super) async fn arrived(
    hub: &Hub,
    agency: &AgencyCode,
    arrival: &Arrival,
) -> Result<pb::Delivery, Refusal> {
    let Arrival { number, entry, record, settled } = arrival;
    delivery(hub, agency, *number, *settled, entry, record, &hub.published()).await
}

async fn delivery(
    hub: &Hub,
    agency: &AgencyCode,
    number: InboxNumber,
    settled: Option<Settled>,
    entry: &Entry,
    record: &Record,
    published: &Published,
) -> Result<pb::Delivery, Refusal> {
    let opened = record.effects.iter().find_map(|ruled| match &ruled.effect {
        Effect::DeliveryOpened { agency: to, number: at, copy, in_lieu, carries }
            if to == agency && *at == number =>
        {
            Some((*copy, *in_lieu, ruled.articles.clone(), carries.iter().cloned().collect()))
        }
        _ => None,
    });
    let (copy, in_lieu, articles, carries) = opened.unwrap_or_default();
    // It comes once. Shown again, it would be shown without a record of that, or though it is sealed.
    let withheld = settled.is_some() && protection(hub, entry, record).await? != Protection::Common;
    Ok(pb::Delivery {
        agency: agency.to_string(),
        inbox_number: number.0,
        copy,
        document_type: document_type(record),
        signed_document: signed_document(entry).filter(|_| !withheld),
        receipt: Some(receipt(hub, published, entry).await?),
        stage: stage(settled).into(),
        correction_case: case(record),
        in_lieu,
        articles,
        withheld,
        carries,
    })
}

/// The stage of a delivery.
pub(super) fn stage(settled: Option<Settled>) -> pb::Stage {
    match settled {
        None => pb::Stage::Accepted,
        Some(Settled::Acknowledged) => pb::Stage::Acknowledged,
        Some(Settled::Rejected) => pb::Stage::Rejected,
        Some(Settled::ServedOtherwise(_)) => pb::Stage::ServedOtherwise,
    }
}

/// The state of an inbox at the hub's time.
pub(super) fn heartbeat(hub: &Hub, state: &InboxState) -> pb::Heartbeat {
    pb::Heartbeat {
        hub_time: Some(write_time(hub.now())),
        head_inbox_number: state.last.0,
        lowest_unacknowledged: state.lowest_unsettled.0,
        unacknowledged_count: state.unsettled,
    }
}

/// How one record settled deliveries.
pub(super) async fn settlement(
    hub: &Hub,
    settlement: &Settlement,
) -> Result<pb::Settlement, Refusal> {
    let (receipt, record) = answered(hub, &settlement.answer).await?;
    let how = record.effects.iter().find_map(|ruled| match &ruled.effect {
        Effect::DeliverySettled { number, how, .. } if settlement.numbers.contains(number) => {
            Some(*how)
        }
        _ => None,
    });
    Ok(pb::Settlement {
        inbox_numbers: settlement.numbers.iter().map(|number| number.0).collect(),
        stage: stage(how).into(),
        receipt: Some(receipt),
    })
}

/// What became of a document, with its receipts or, in lists, without.
pub(super) async fn submission(
    hub: &Hub,
    submission: &Submission,
    with_receipts: bool,
) -> Result<pb::Submission, Refusal> {
    let published = hub.published();
    let (entry, record) = hub.recorded(submission.row.index).await?;
    let accepted = time(&entry)?;
    let mut settling: BTreeMap<LedgerIndex, Settling> = BTreeMap::new();
    let mut bytes = 0;
    let mut deliveries = Vec::with_capacity(submission.deliveries.len());
    for progress in &submission.deliveries {
        let settled = progress.settled.filter(|(_, by)| by.0 < published.size);
        let mut message = pb::DeliveryProgress {
            agency: progress.agency.to_string(),
            inbox_number: progress.number.0,
            copy: progress.copy,
            in_lieu: in_lieu(&record, &progress.agency, progress.number),
            stage_time: Some(write_time(accepted)),
            ..pb::DeliveryProgress::default()
        };
        if let Some((_, by)) = settled {
            let settling = match settling.entry(by) {
                btree_map::Entry::Occupied(loaded) => loaded.into_mut(),
                btree_map::Entry::Vacant(vacant) => {
                    let with_receipt = with_receipts && bytes <= limits::PAGE_BYTES;
                    vacant.insert(Settling::load(hub, &published, by, with_receipt).await?)
                }
            };
            message.stage_time = Some(write_time(settling.time));
            message.settled_by = by.0;
            // A document may have a thousand addressees: those proofs that don't fit are fetched one by one.
            bytes += settling.receipt.as_ref().map_or(0, pb::Receipt::encoded_len);
            if bytes <= limits::PAGE_BYTES {
                message.receipt = settling.receipt.clone();
            }
            message.rejection_reason = settling.rejection.into();
        }
        set_stage(&mut message, settled.map(|(how, _)| how));
        deliveries.push(message);
    }
    let receipt = match with_receipts {
        true => Some(receipt(hub, &published, &entry).await?),
        false => None,
    };
    let ended =
        |by: Option<LedgerIndex>| by.filter(|by| by.0 < published.size).map_or(0, |by| by.0);
    let accepted = pb::AcceptedSubmission {
        receipt,
        index: entry.index.0,
        accept_time: Some(write_time(accepted)),
        correction_case: case(&record),
        deliveries,
        withdrawn_by: ended(submission.row.withdrawn_by),
        replaced_by: ended(submission.row.replaced_by),
    };
    Ok(pb::Submission {
        document_id: submission.document.id.to_string(),
        document_type: submission.row.kind.to_string(),
        outcome: Some(pb::submission::Outcome::Accepted(accepted)),
    })
}

/// A document that was refused, as the ledger keeps it.
pub(super) async fn refused_submission(
    hub: &Hub,
    document: &DocumentRef,
) -> Result<pb::Submission, Refusal> {
    let (entry, item) = hub.refused(document).await?;
    let published = hub.published();
    let refused = pb::RefusedSubmission {
        refuse_time: Some(write_time(item.time)),
        reasons: item.reasons,
        receipt: Some(receipt(hub, &published, &entry).await?),
    };
    Ok(pb::Submission {
        document_id: document.id.to_string(),
        document_type: String::new(),
        outcome: Some(pb::submission::Outcome::Refused(refused)),
    })
}

/// The stage of a delivery with what belongs to it.
pub(super) fn set_stage(message: &mut pb::DeliveryProgress, settled: Option<Settled>) {
    message.set_stage(stage(settled));
    if let Some(Settled::ServedOtherwise(date)) = settled {
        message.served_date = date.to_string();
    }
}

/// The reason of a rejection's record.
pub(super) fn rejection(record: &Record) -> pb::RejectionReason {
    match &record.kind {
        Kind::Rejected(rejected) => {
            pb::RejectionReason::from_str_name(&rejected.reason).unwrap_or_default()
        }
        _ => pb::RejectionReason::default(),
    }
}

/// Whether a delivery went to a higher agency in lieu of one that does not exist.
pub(super) fn in_lieu(record: &Record, agency: &AgencyCode, number: InboxNumber) -> bool {
    record.effects.iter().any(|ruled| {
        matches!(
            &ruled.effect,
            Effect::DeliveryOpened { agency: to, number: at, in_lieu: true, .. }
                if to == agency && *at == number
        )
    })
}

/// The record that settled a delivery.
struct Settling {
    time: Time,
    rejection: pb::RejectionReason,
    receipt: Option<pb::Receipt>,
}

impl Settling {
    async fn load(
        hub: &Hub,
        published: &Published,
        index: LedgerIndex,
        with_receipt: bool,
    ) -> Result<Self, Refusal> {
        let (entry, record) = hub.recorded(index).await?;
        let receipt = match with_receipt {
            true => Some(receipt(hub, published, &entry).await?),
            false => None,
        };
        Ok(Self { time: time(&entry)?, rejection: rejection(&record), receipt })
    }
}

/// The document that a request names.
pub(super) fn document_ref(message: Option<&pb::DocumentRef>) -> Result<DocumentRef, Refusal> {
    let message =
        message.ok_or_else(|| Refusal::from(Violation::new(Reason::Required, "document")))?;
    let sender = message.sender.parse();
    let id = message.document_id.parse();
    match (sender, id) {
        (Ok(sender), Ok(id)) => Ok(DocumentRef { sender, id }),
        (Err(_), _) => Err(Violation::new(Reason::Format, "document.sender").into()),
        (_, Err(_)) => Err(Violation::new(Reason::Format, "document.document_id").into()),
    }
}

/// How many a page may hold, as asked.
pub(super) fn page_size(asked: u32) -> usize {
    match usize::try_from(asked) {
        Ok(0) => limits::PAGE,
        Ok(asked) => asked.min(limits::PAGE_MAX),
        Err(_) => limits::PAGE_MAX,
    }
}

/// The number in a page token; none in an empty one.
pub(super) fn page_number(token: &str) -> Result<Option<u64>, Refusal> {
    if token.is_empty() {
        return Ok(None);
    }
    let number = token.parse().map_err(|_| Violation::new(Reason::Format, "page_token"))?;
    Ok(Some(number))
}

/// A filter by case, if one is asked for.
pub(super) fn case_filter(text: &str) -> Result<Option<CaseRef>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    let case = text.parse().map_err(|_| Violation::new(Reason::Format, "correction_case"))?;
    Ok(Some(case))
}

/// A bound in time, if one is asked for.
pub(super) fn time_filter(
    time: Option<&prost_types::Timestamp>,
    field: &'static str,
) -> Result<Option<Time>, Refusal> {
    let read = |time| wire::time::read_time(time).ok_or(Violation::new(Reason::Format, field));
    Ok(time.map(read).transpose()?)
}
