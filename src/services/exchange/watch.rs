//! `WatchSubmissions`: what becomes of the documents that an agency sent, record by record. It reads
//! the ledger in pages and keeps the records that concern the agency; no index stands behind it.

use std::collections::VecDeque;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tonic::Status;
use xianjie_core::domain::policy::Rpc;
use xianjie_core::domain::record::{Effect, Kind, Record, Settled};
use xianjie_core::ids::{AgencyCode, DocumentId, InboxNumber, LedgerIndex, Time};
use xianjie_core::limits;
use xianjie_core::refusal::Refusal;

use super::super::peer::Caller;
use super::super::{Source, encode, status};
use crate::hub::Hub;
use crate::store::Entry;
use crate::wire::pb;
use crate::wire::time::write_time;
use pb::watch_submissions_response::Message;

/// One watcher.
pub(super) struct Watch {
    caller: Caller,
    agency: AgencyCode,
    leaving: BoxFuture<'static, ()>,
    directory: watch::Receiver<u64>,
    ledger: watch::Receiver<u64>,
    heartbeat: Interval,
    /// The first record that was not looked at yet.
    next: LedgerIndex,
    found: VecDeque<pb::SubmissionProgress>,
}

impl Watch {
    pub(super) fn open(
        caller: Caller,
        leaving: BoxFuture<'static, ()>,
        request: &pb::WatchSubmissionsRequest,
    ) -> Result<Self, Refusal> {
        let agency = caller.agency(Rpc::WatchSubmissions, &request.agency)?;
        let mut heartbeat = interval(Duration::from_secs(limits::HEARTBEAT_SECONDS));
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let next = request
            .after_index
            .map_or(LedgerIndex(0), |index| LedgerIndex(index.saturating_add(1)));
        Ok(Self {
            directory: caller.hub.directory_changes(),
            ledger: caller.hub.bell().ledger(),
            caller,
            agency,
            leaving,
            heartbeat,
            next,
            found: VecDeque::new(),
        })
    }

    fn permit(&self) -> Result<(), Refusal> {
        let nothing = std::collections::BTreeSet::new();
        self.caller.permit_for(Rpc::WatchSubmissions, &self.agency, nothing)
    }

    /// Looks at the next page of the ledger; whether there was one.
    async fn look(&mut self) -> Result<bool, Refusal> {
        let hub = &self.caller.hub;
        let published = hub.published();
        if self.next.0 >= published.size {
            return Ok(false);
        }
        let page = hub.store().entries_from(self.next, limits::PAGE).await;
        let page = page.map_err(encode::unavailable)?;
        for entry in page.iter().filter(|entry| entry.index.0 < published.size) {
            let record = crate::wire::record::decode(&entry.record).map_err(encode::unavailable)?;
            let documents = documents(hub, &self.agency, entry, &record).await?;
            if !documents.is_empty() {
                self.found.push_back(pb::SubmissionProgress {
                    index: entry.index.0,
                    record_time: Some(write_time(encode::time(entry)?)),
                    receipt: Some(encode::receipt(hub, &published, entry).await?),
                    documents,
                });
            }
            self.next = entry.index.next();
        }
        Ok(true)
    }

    fn sign_of_life(&self) -> pb::WatchSubmissionsResponse {
        let heartbeat = pb::WatchHeartbeat {
            hub_time: Some(write_time(self.caller.hub.now())),
            ledger_size: self.next.0,
        };
        pb::WatchSubmissionsResponse { message: Some(Message::Heartbeat(heartbeat)) }
    }
}

impl Source for Watch {
    type Message = pb::WatchSubmissionsResponse;

    async fn next(&mut self) -> Option<Result<Self::Message, Status>> {
        loop {
            if let Err(refusal) = self.permit() {
                return Some(Err(status::refused(&refusal)));
            }
            if let Some(progress) = self.found.pop_front() {
                let message = Some(Message::Progress(progress));
                return Some(Ok(pb::WatchSubmissionsResponse { message }));
            }
            match self.look().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(refusal) => return Some(Err(status::refused(&refusal))),
            }
            tokio::select! {
                _ = self.ledger.changed() => {}
                _ = self.directory.changed() => {}
                _ = self.heartbeat.tick() => return Some(Ok(self.sign_of_life())),
                () = &mut self.leaving => return None,
            }
        }
    }
}

/// What a record says of the documents that `sender` sent.
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
    for ruled in &record.effects {
        match &ruled.effect {
            Effect::DeliveryOpened { agency, number, copy, in_lieu } => {
                let (copy, in_lieu) = (*copy, *in_lieu);
                let opened = progress(time, agency, *number, None);
                if let Some(document) = documents.first_mut() {
                    document.deliveries.push(pb::DeliveryProgress { copy, in_lieu, ..opened });
                }
            }
            Effect::DeliverySettled { agency, number, how } => {
                let Some(delivery) = hub.delivery(agency, *number).await? else { continue };
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
