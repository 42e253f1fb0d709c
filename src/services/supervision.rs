//! `SupervisionService`: what is owed, what was missed, who answers for whom.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::peer::{Caller, Leaving};
use super::{Answers, answers, unary};
use crate::hub::Hub;
use crate::wire::pb;

mod alarms;
mod custody;
mod duties;
mod encoding;
mod missing;
mod reader;
mod statistics;

use statistics::Counters;

/// The service.
pub(super) struct Supervision {
    hub: Arc<Hub>,
    counters: Counters,
}

impl Supervision {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        Self { hub, counters: Counters::default() }
    }
}

#[tonic::async_trait]
impl pb::supervision_service_server::SupervisionService for Supervision {
    type WatchAlarmsStream = Answers<pb::WatchAlarmsResponse>;

    async fn list_duties(
        &self,
        request: Request<pb::ListDutiesRequest>,
    ) -> Result<Response<pb::ListDutiesResponse>, Status> {
        let caller = Caller::of(&self.hub, &request);
        unary(duties::list(caller, request.into_inner())).await
    }

    async fn list_gaps(
        &self,
        request: Request<pb::ListGapsRequest>,
    ) -> Result<Response<pb::ListGapsResponse>, Status> {
        let caller = Caller::of(&self.hub, &request);
        unary(duties::gaps(caller, request.into_inner())).await
    }

    async fn list_missing_persons(
        &self,
        request: Request<pb::ListMissingPersonsRequest>,
    ) -> Result<Response<pb::ListMissingPersonsResponse>, Status> {
        let caller = Caller::of(&self.hub, &request);
        unary(missing::list(caller, request.into_inner())).await
    }

    async fn get_custody(
        &self,
        request: Request<pb::GetCustodyRequest>,
    ) -> Result<Response<pb::GetCustodyResponse>, Status> {
        let caller = Caller::of(&self.hub, &request);
        unary(custody::at(caller, request.into_inner())).await
    }

    async fn get_statistics(
        &self,
        request: Request<pb::GetStatisticsRequest>,
    ) -> Result<Response<pb::GetStatisticsResponse>, Status> {
        let caller = Caller::of(&self.hub, &request);
        unary(self.counters.of_month(caller, request.into_inner())).await
    }

    async fn watch_alarms(
        &self,
        request: Request<pb::WatchAlarmsRequest>,
    ) -> Result<Response<Self::WatchAlarmsStream>, Status> {
        let caller = Caller::of(&self.hub, &request);
        let leaving = Leaving::of(&request);
        let stream = alarms::AlarmStream::open(caller, leaving, &request.into_inner());
        Ok(Response::new(answers(stream.map_err(|refusal| super::status::refused(&refusal))?)))
    }
}
