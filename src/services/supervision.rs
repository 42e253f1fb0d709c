//! `SupervisionService`: what is owed, what was missed, who answers for whom.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use xianjie_core::domain::policy::{self, Rpc};
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::peer::{Caller, Leaving, agency};
use super::{Answers, answers, encode, unary};
use crate::hub::Hub;
use crate::wire::pb;
use crate::wire::time::write_time;

mod alarms;
mod duties;
mod encoding;
mod statistics;

use encoding::{custody_now, past_step};

/// The service.
pub(super) struct Supervision(Arc<Hub>);

impl Supervision {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        Self(hub)
    }
}

#[tonic::async_trait]
impl pb::supervision_service_server::SupervisionService for Supervision {
    type WatchAlarmsStream = Answers<pb::WatchAlarmsResponse>;

    async fn list_duties(
        &self,
        request: Request<pb::ListDutiesRequest>,
    ) -> Result<Response<pb::ListDutiesResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(duties::list(caller, request.into_inner())).await
    }

    async fn list_gaps(
        &self,
        request: Request<pb::ListGapsRequest>,
    ) -> Result<Response<pb::ListGapsResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(duties::gaps(caller, request.into_inner())).await
    }

    async fn get_custody(
        &self,
        request: Request<pb::GetCustodyRequest>,
    ) -> Result<Response<pb::GetCustodyResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(custody(caller, request.into_inner())).await
    }

    async fn get_statistics(
        &self,
        request: Request<pb::GetStatisticsRequest>,
    ) -> Result<Response<pb::GetStatisticsResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(statistics::of_month(caller, request.into_inner())).await
    }

    async fn watch_alarms(
        &self,
        request: Request<pb::WatchAlarmsRequest>,
    ) -> Result<Response<Self::WatchAlarmsStream>, Status> {
        let caller = Caller::of(&self.0, &request);
        let leaving = Leaving::of(&request);
        let watch = alarms::Watch::open(caller, leaving, &request.into_inner());
        Ok(Response::new(answers(watch.map_err(|refusal| super::status::refused(&refusal))?)))
    }
}

/// Who answers for the person of a case, at a time.
async fn custody(
    caller: Caller,
    request: pb::GetCustodyRequest,
) -> Result<pb::GetCustodyResponse, Refusal> {
    let reader = agency(&request.agency)?;
    let case = encode::case_filter(&request.correction_case)?;
    let case = case.ok_or_else(|| Violation::new(Reason::Required, "correction_case"))?;
    let at = encode::time_filter(request.at_time.as_ref(), "at_time")?;
    let hub = &caller.hub;
    let row = hub.case(case).await?;
    let directory = hub.directory();
    let relations = row.map(|row| policy::case_relations(&directory, &reader, &row));
    caller.permit_for(Rpc::GetCustody, &reader, relations.unwrap_or_default())?;
    let published = hub.published().size;
    let mut steps = hub.past_custody(case).await?;
    steps.retain(|(index, past)| index.0 < published && at.is_none_or(|at| past.time <= at));
    let custody = steps.last().map(|(_, past)| past.after.clone()).unwrap_or_default();
    Ok(pb::GetCustodyResponse {
        custody: Some(custody_now(&custody)),
        steps: steps.iter().map(|(index, past)| past_step(*index, past)).collect(),
    })
}
