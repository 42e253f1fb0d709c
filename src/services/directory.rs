//! `DirectoryService`: who takes part, and what this hub is.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use xianjie_core::domain::agency::{Agency, Certificate, Purpose};
use xianjie_core::domain::policy::Rpc;
use xianjie_core::ids::AgencyCode;
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::peer::Caller;
use super::{encode, unary};
use crate::hub::Hub;
use crate::wire::document::MEDIA_TYPES;
use crate::wire::pb;
use crate::wire::record::Word as _;
use crate::wire::record::directory::{agency_message, certificate_message};
use crate::wire::time::write_time;

/// What clients may rely on, by the names in `GetHubResponse.features`.
const FEATURES: [&str; 2] = ["ordered_streams", "disk_reserve"];

/// The service.
pub(super) struct Directory(Arc<Hub>);

impl Directory {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        Self(hub)
    }
}

#[tonic::async_trait]
impl pb::directory_service_server::DirectoryService for Directory {
    async fn get_hub(
        &self,
        request: Request<pb::GetHubRequest>,
    ) -> Result<Response<pb::GetHubResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(async move {
            caller.permit(Rpc::GetHub)?;
            Ok(hub(&caller.hub))
        })
        .await
    }

    async fn list_agencies(
        &self,
        request: Request<pb::ListAgenciesRequest>,
    ) -> Result<Response<pb::ListAgenciesResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(async move {
            caller.permit(Rpc::ListAgencies)?;
            list(&caller.hub, &request.into_inner())
        })
        .await
    }

    async fn get_agency(
        &self,
        request: Request<pb::GetAgencyRequest>,
    ) -> Result<Response<pb::GetAgencyResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(async move {
            caller.permit(Rpc::GetAgency)?;
            let agency = agency(&caller.hub, &request.into_inner().code)?;
            Ok(pb::GetAgencyResponse { agency: Some(agency_message(&agency)) })
        })
        .await
    }

    async fn list_agency_certificates(
        &self,
        request: Request<pb::ListAgencyCertificatesRequest>,
    ) -> Result<Response<pb::ListAgencyCertificatesResponse>, Status> {
        let caller = Caller::of(&self.0, &request);
        unary(async move {
            caller.permit(Rpc::ListAgencyCertificates)?;
            certificates(&caller.hub, &request.into_inner())
        })
        .await
    }
}

fn hub(hub: &Hub) -> pb::GetHubResponse {
    let code = hub.directory().hub().map(|agency| agency.code.to_string());
    pb::GetHubResponse {
        ledger: hub.origin().to_string(),
        checkpoint_keys: hub.checkpoint_keys(),
        hub_agency: code.unwrap_or_default(),
        release: env!("CARGO_PKG_VERSION").to_owned(),
        schema_sha256: hub.schema().digest().0.to_vec(),
        features: FEATURES.map(str::to_owned).to_vec(),
        rulebooks: hub.law().books().iter().map(|book| book.name.clone()).collect(),
        rulebook_digest: hub.law().digest().to_vec(),
        hub_time: Some(write_time(hub.now())),
        limits: Some(bounds()),
        checkpoint: hub.published().checkpoint.to_string(),
    }
}

fn bounds() -> pb::Limits {
    let number = |bound: usize| u32::try_from(bound).unwrap_or(u32::MAX);
    pb::Limits {
        document_bytes: number(limits::DOCUMENT_BYTES),
        request_bytes: number(limits::REQUEST_BYTES),
        response_bytes: number(limits::RESPONSE_BYTES),
        chunk_bytes: number(limits::CHUNK_BYTES),
        attachment_bytes: limits::ATTACHMENT_BYTES,
        attachments: number(limits::ATTACHMENTS),
        elements: number(limits::ELEMENTS),
        nesting: number(limits::NESTING),
        streams_per_connection: limits::STREAMS_PER_CONNECTION,
        connections_per_key: number(limits::CONNECTIONS_PER_KEY),
        connections_per_agency: number(limits::CONNECTIONS_PER_AGENCY),
        credits: limits::CREDITS,
        subscriptions_per_inbox: number(limits::MIRRORS),
        acknowledgement_items: number(limits::ACKNOWLEDGED_ITEMS),
        undecided: number(limits::UNDECIDED),
        page_default: number(limits::PAGE),
        page_maximum: number(limits::PAGE_MAX),
        media_types: MEDIA_TYPES.iter().map(|name| (*name).to_owned()).collect(),
    }
}

fn list(hub: &Hub, request: &pb::ListAgenciesRequest) -> Result<pb::ListAgenciesResponse, Refusal> {
    let directory = hub.directory();
    let fits = |agency: &Agency| {
        let level = |level: i32| {
            agency.level.number() == level
                || agency.acts_at.iter().any(|other| other.number() == level)
        };
        (request.kind == 0 || agency.kind.number() == request.kind)
            && (request.level == 0 || level(request.level))
            && (request.branch == 0 || agency.branch.number() == request.branch)
            && (request.division.is_empty()
                || agency.serves.iter().any(|place| place.as_str() == request.division))
    };
    let mut found = directory
        .agencies()
        .filter(|agency| agency.code.as_str() > request.page_token.as_str())
        .filter(|agency| fits(agency));
    let agencies: Vec<_> = found
        .by_ref()
        .take(encode::page_size(request.page_size))
        .map(|agency| agency_message(agency))
        .collect();
    let last = agencies.last().filter(|_| found.next().is_some());
    let next_page_token = last.map(|last| last.code.clone()).unwrap_or_default();
    Ok(pb::ListAgenciesResponse { agencies, next_page_token })
}

fn agency(hub: &Hub, code: &str) -> Result<Arc<Agency>, Refusal> {
    let code: AgencyCode = code.parse().map_err(|_| Violation::new(Reason::Format, "code"))?;
    hub.directory().agency(&code).cloned().ok_or_else(|| Reason::NotFound.into())
}

fn certificates(
    hub: &Hub,
    request: &pb::ListAgencyCertificatesRequest,
) -> Result<pb::ListAgencyCertificatesResponse, Refusal> {
    let code = agency(hub, &request.code)?.code.clone();
    let directory = hub.directory();
    let is_its = |certificate: &&Arc<Certificate>| {
        matches!(
            &certificate.purpose,
            Purpose::Document(agency) | Purpose::Acknowledgement(agency) if *agency == code
        )
    };
    let mut its: Vec<_> = directory.certificates().filter(is_its).collect();
    its.sort_by_key(|certificate| (certificate.binding, certificate.digest));
    let skipped = encode::page_number(&request.page_token)?.unwrap_or(0);
    let skipped = usize::try_from(skipped).unwrap_or(usize::MAX).min(its.len());
    let page = encode::page_size(request.page_size).min(its.len() - skipped);
    let end = skipped + page;
    Ok(pb::ListAgencyCertificatesResponse {
        certificates: its[skipped..end].iter().map(|c| certificate_message(c)).collect(),
        next_page_token: if end < its.len() { end.to_string() } else { String::new() },
    })
}
