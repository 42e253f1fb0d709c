//! `WatchSubmissions`: what becomes of the documents that an agency sent, record by record. It reads
//! the ledger in pages and keeps the records that concern the agency; no index stands behind it.

use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tonic::Status;
use xianjie_core::domain::policy::Rpc;
use xianjie_core::domain::record::{Effect, Kind, Record, Settled};
use xianjie_core::ids::{AgencyCode, DocumentId, InboxNumber, Time};
use xianjie_core::limits;
use xianjie_core::refusal::Refusal;

use super::super::follow::Follow;
use super::super::peer::Caller;
use super::super::permit::Permit;
use super::super::{Source, encode, status};
use crate::hub::Hub;
use crate::store::Entry;
use crate::wire::pb;
use crate::wire::time::write_time;
use pb::watch_submissions_response::Message;

/// One watcher.
pub(super) struct ProgressStream {
    permit: Permit,
    leaving: BoxFuture<'static, ()>,
    heartbeat: Interval,
    caller: Caller,
    follow: Follow,
}

impl ProgressStream {
    pub(super) fn open(
        caller: Caller,
        leaving: BoxFuture<'static, ()>,
        request: &pb::WatchSubmissionsRequest,
    ) -> Result<Self, Refusal> {
        let permit = Permit::new(&caller, Rpc::WatchSubmissions, &request.agency)?;
        let mut heartbeat = interval(Duration::from_secs(limits::HEARTBEAT_SECONDS));
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let follow = Follow::open(&caller.hub, permit.agency(), request.after_index)?;
        Ok(Self { permit, leaving, heartbeat, caller, follow })
    }
}

impl Source for ProgressStream {
    type Message = pb::WatchSubmissionsResponse;

    async fn next(&mut self) -> Option<Result<Self::Message, Status>> {
        let (hub, follow) = (&self.caller.hub, &mut self.follow);
        let message = self.permit.during(async {
            tokio::select! {
                biased;
                () = &mut self.leaving => Ok(None),
                _ = self.heartbeat.tick() => Ok(Some(Message::Heartbeat(follow.heartbeat(hub)))),
                found = find(follow, hub) => found.map(|found| Some(Message::Progress(found))),
            }
        });
        match message.await.and_then(|message| message) {
            Ok(message) => {
                message.map(|message| Ok(pb::WatchSubmissionsResponse { message: Some(message) }))
            }
            Err(refusal) => Some(Err(status::refused(&refusal))),
        }
    }
}

/// The next record that concerns the agency.
async fn find(follow: &mut Follow, hub: &Hub) -> Result<pb::SubmissionProgress, Refusal> {
    loop {
        let entry = follow.front(hub).await?;
        let found = progress_of(hub, follow.agency(), &entry).await?;
        follow.pass();
        if let Some(progress) = found {
            return Ok(progress);
        }
    }
}

/// What a record says of the documents that `sender` sent, if anything.
async fn progress_of(
    hub: &Hub,
    sender: &AgencyCode,
    entry: &Entry,
) -> Result<Option<pb::SubmissionProgress>, Refusal> {
    let record = crate::wire::record::decode(&entry.record).map_err(encode::unavailable)?;
    let documents = documents(hub, sender, entry, &record).await?;
    if documents.is_empty() {
        return Ok(None);
    }
    Ok(Some(pb::SubmissionProgress {
        index: entry.index.0,
        record_time: Some(write_time(encode::time(entry)?)),
        receipt: Some(encode::receipt(hub, &hub.published(), entry).await?),
        documents,
    }))
}

/// The documents of which a record speaks.
async fn documents(
    hub: &Hub,
    sender: &AgencyCode,
    entry: &Entry,
    record: &Record,
) -> Result<Vec<pb::DocumentProgress>, Refusal> {
    let mut documents = Vec::new();
    match &record.kind {
        Kind::Document(taken) if taken.document.sender == *sender => {
            documents.push(pb::DocumentProgress {
                document_id: taken.document.id.to_string(),
                deliveries: Vec::new(),
            });
        }
        Kind::Acknowledged(acknowledged) if acknowledged.sender == *sender => {}
        Kind::Rejected(rejected) if rejected.sender == *sender => {}
        _ => return Ok(documents),
    }
    let time = encode::time(entry)?;
    let settled = record.effects.iter().filter_map(|ruled| match &ruled.effect {
        Effect::DeliverySettled { agency, number, .. } => Some((agency.clone(), *number)),
        _ => None,
    });
    let deliveries = hub.deliveries_of(settled).await?;
    for ruled in &record.effects {
        match &ruled.effect {
            Effect::DeliveryOpened { agency, number, copy, in_lieu, .. } => {
                let (copy, in_lieu) = (*copy, *in_lieu);
                let opened = progress(time, agency, *number, None);
                if let Some(document) = documents.first_mut() {
                    document.deliveries.push(pb::DeliveryProgress { copy, in_lieu, ..opened });
                }
            }
            Effect::DeliverySettled { agency, number, how } => {
                let delivery = deliveries.get(&(agency.clone(), *number));
                let Some(delivery) = delivery else { continue };
                let settled = pb::DeliveryProgress {
                    copy: delivery.copy,
                    rejection_reason: encode::rejection(record).into(),
                    ..progress(time, agency, *number, Some(*how))
                };
                add(&mut documents, delivery.document.id, settled);
            }
            _ => {}
        }
    }
    Ok(documents)
}

fn progress(
    time: Time,
    agency: &AgencyCode,
    number: InboxNumber,
    settled: Option<Settled>,
) -> pb::DeliveryProgress {
    let mut progress = pb::DeliveryProgress {
        agency: agency.to_string(),
        inbox_number: number.0,
        stage_time: Some(write_time(time)),
        ..pb::DeliveryProgress::default()
    };
    encode::set_stage(&mut progress, settled);
    progress
}

fn add(documents: &mut Vec<pb::DocumentProgress>, id: DocumentId, progress: pb::DeliveryProgress) {
    let document_id = id.to_string();
    match documents.iter_mut().find(|document| document.document_id == document_id) {
        Some(document) => document.deliveries.push(progress),
        None => documents.push(pb::DocumentProgress { document_id, deliveries: vec![progress] }),
    }
}
