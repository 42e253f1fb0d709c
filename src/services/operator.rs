//! `OperatorService`: changes of the directory, and how the hub is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tonic::{Request, Response, Status};
use xianjie_core::domain::agency::{Certificate, Purpose, System};
use xianjie_core::domain::policy::Rpc;
use xianjie_core::domain::record::{Effect, Record};
use xianjie_core::ids::{AgencyCode, Time};
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::peer::Caller;
use super::{Desk, encode, unary};
use crate::hub::Hub;
use crate::wire::pb;
use crate::wire::record::directory::{certificate_message, system_message};
use crate::wire::signature::Signed;
use crate::wire::time::write_time;

/// One thing that operators should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// What it is, in English.
    pub message: String,
    /// The same in Chinese.
    pub message_zh: String,
    /// Since when.
    pub since: Time,
}

/// The alarms that stand now, by their reasons in UPPER_SNAKE_CASE.
#[derive(Debug, Default)]
pub struct Alarms(Mutex<BTreeMap<&'static str, Alarm>>);

impl Alarms {
    /// Raises an alarm, unless it stands already.
    pub fn raise(&self, reason: &'static str, alarm: Alarm) {
        let mut alarms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        alarms.entry(reason).or_insert_with(|| {
            tracing::warn!(reason, message = alarm.message, "alarm");
            alarm
        });
    }

    /// Ends an alarm.
    pub fn clear(&self, reason: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(reason);
    }

    /// How many stand.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn messages(&self) -> Vec<pb::Alarm> {
        let alarms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let message = |(reason, alarm): (&&'static str, &Alarm)| pb::Alarm {
            reason: (*reason).to_owned(),
            message: alarm.message.clone(),
            message_zh: alarm.message_zh.clone(),
            since_time: Some(write_time(alarm.since)),
        };
        alarms.iter().map(message).collect()
    }
}

/// The service.
pub(super) struct Operators {
    desk: Desk,
    open_since: Time,
}

impl Operators {
    pub(super) fn new(desk: Desk) -> Self {
        let open_since = desk.hub.now();
        Self { desk, open_since }
    }
}

#[tonic::async_trait]
impl pb::operator_service_server::OperatorService for Operators {
    async fn change_directory(
        &self,
        request: Request<pb::ChangeDirectoryRequest>,
    ) -> Result<Response<pb::ChangeDirectoryResponse>, Status> {
        let caller = Caller::of(&self.desk.hub, &request);
        unary(change(caller, request.into_inner())).await
    }

    async fn get_status(
        &self,
        request: Request<pb::GetStatusRequest>,
    ) -> Result<Response<pb::GetStatusResponse>, Status> {
        let caller = Caller::of(&self.desk.hub, &request);
        unary(async move {
            caller.permit(Rpc::GetStatus)?;
            self.status().await
        })
        .await
    }

    async fn list_systems(
        &self,
        request: Request<pb::ListSystemsRequest>,
    ) -> Result<Response<pb::ListSystemsResponse>, Status> {
        let caller = Caller::of(&self.desk.hub, &request);
        unary(async move {
            caller.permit(Rpc::ListSystems)?;
            systems(&caller.hub, &request.into_inner())
        })
        .await
    }
}

impl Operators {
    /// How the hub is.
    async fn status(&self) -> Result<pb::GetStatusResponse, Refusal> {
        let hub = &self.desk.hub;
        let open = hub.open_deliveries().await?;
        let oldest = match open.oldest {
            Some(index) => Some(write_time(encode::time(&hub.entry(index).await?)?)),
            None => None,
        };
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(pb::GetStatusResponse {
            hub_time: Some(write_time(hub.now())),
            release: env!("CARGO_PKG_VERSION").to_owned(),
            ledger: hub.origin().to_string(),
            checkpoint: hub.published().checkpoint.to_string(),
            open_since_time: (!hub.is_draining()).then(|| write_time(self.open_since)),
            alarms: self.desk.alarms.messages(),
            queued: number(hub.waiting()),
            subscriptions: number(hub.bell().listeners()),
            unacknowledged_count: open.unsettled,
            oldest_unacknowledged_time: oldest,
            notices_owed: open.notices_owed as u64,
            free_bytes: hub.free_bytes(),
            rulebook_digest: hub.law().digest().to_vec(),
        })
    }
}

async fn change(
    caller: Caller,
    request: pb::ChangeDirectoryRequest,
) -> Result<pb::ChangeDirectoryResponse, Refusal> {
    caller.permit(Rpc::ChangeDirectory)?;
    let signed = Signed::directory_change(request.signed_directory_change)?;
    let answer = caller.hub.change_directory(signed).await?;
    let (receipt, record) = encode::answered(&caller.hub, &answer).await?;
    Ok(pb::ChangeDirectoryResponse { receipt: Some(receipt), codes: codes(&record) })
}

/// The codes of agencies and systems put, in the order of the change.
fn codes(record: &Record) -> Vec<String> {
    let code = |effect: &Effect| match effect {
        Effect::AgencyPut(agency) => Some(agency.code.to_string()),
        Effect::SystemPut(system) => Some(system.code.to_string()),
        _ => None,
    };
    record.effects.iter().filter_map(|ruled| code(&ruled.effect)).collect()
}

fn systems(
    hub: &Hub,
    request: &pb::ListSystemsRequest,
) -> Result<pb::ListSystemsResponse, Refusal> {
    let agency: Option<AgencyCode> = match request.agency.as_str() {
        "" => None,
        code => Some(code.parse().map_err(|_| Violation::new(Reason::Format, "agency"))?),
    };
    let directory = hub.directory();
    let mut found = directory
        .systems()
        .filter(|system| system.code.as_str() > request.page_token.as_str())
        .filter(|system| agency.as_ref().is_none_or(|code| system.agencies.contains_key(code)));
    let listed = |system: &Arc<System>| {
        let is_its = |certificate: &&Arc<Certificate>| matches!(&certificate.purpose, Purpose::Transport(code) if *code == system.code);
        let certificates = directory.certificates().filter(is_its);
        pb::ListedSystem {
            system: Some(system_message(system)),
            certificates: certificates.map(|c| certificate_message(c)).collect(),
        }
    };
    let page: Vec<&Arc<System>> =
        found.by_ref().take(encode::page_size(request.page_size)).collect();
    let last = page.last().filter(|_| found.next().is_some());
    let next_page_token = last.map(|last| last.code.to_string()).unwrap_or_default();
    let systems = page.into_iter().map(listed).collect();
    Ok(pb::ListSystemsResponse { systems, next_page_token })
}
