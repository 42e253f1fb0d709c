//! The duties that are owed, and the persons between two agencies: pages over the duties of one agency
//! after the other.

use std::collections::BTreeSet;

use xianjie_core::domain::agency::Right;
use xianjie_core::domain::duty::Duty;
use xianjie_core::domain::policy::{self, Rpc};
use xianjie_core::ids::{AgencyCode, DutyId, LedgerIndex};
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::super::encode;
use super::super::peer::{Caller, agency};
use super::encoding::{custody_now, gap, owed};
use crate::wire::pb;

/// Duties that one page looks at, at most: who may see few must not read all in one call.
const LOOKED_AT: usize = limits::PAGE_MAX;

pub(super) async fn list(
    caller: Caller,
    request: pb::ListDutiesRequest,
) -> Result<pb::ListDutiesResponse, Refusal> {
    let view = View::open(&caller, Rpc::ListDuties, &request.agency)?;
    let of_agency = match &*request.of_agency {
        "" => None,
        code => Some(code.parse().map_err(|_| Violation::new(Reason::Format, "of_agency"))?),
    };
    let fits = |duty: &Duty| !request.missed || duty.is_missed();
    if let Some(case) = encode::case_filter(&request.correction_case)? {
        let duties = caller.hub.duties_in(case).await?;
        let concerns = |duty: &Duty| {
            of_agency.as_ref().is_none_or(|agency| {
                duty.owner.agency() == agency || duty.creditor.as_ref() == Some(agency)
            })
        };
        let seen =
            duties.iter().filter(|(_, duty)| view.sees(duty) && fits(duty) && concerns(duty));
        let duties = seen.map(|(id, duty)| owed(*id, duty)).collect();
        return Ok(pb::ListDutiesResponse { duties, next_page_token: String::new() });
    }
    let (duties, next_page_token) =
        view.page(of_agency, &request.page_token, request.page_size, fits).await?;
    let duties = duties.iter().map(|(id, duty)| owed(*id, duty)).collect();
    Ok(pb::ListDutiesResponse { duties, next_page_token })
}

pub(super) async fn gaps(
    caller: Caller,
    request: pb::ListGapsRequest,
) -> Result<pb::ListGapsResponse, Refusal> {
    let view = View::open(&caller, Rpc::ListGaps, &request.agency)?;
    let fits = |duty: &Duty| duty.handover && (!request.missed || duty.is_missed());
    let (duties, next_page_token) =
        view.page(None, &request.page_token, request.page_size, fits).await?;
    let mut gaps = Vec::with_capacity(duties.len());
    for (id, duty) in duties {
        let case = match duty.case {
            Some(case) => caller.hub.case(case).await?,
            None => None,
        };
        let custody = case.map(|case| case.custody).unwrap_or_default();
        gaps.push(pb::Gap {
            kind: gap(custody.state).into(),
            duty: Some(owed(id, &duty)),
            custody: Some(custody_now(&custody)),
        });
    }
    Ok(pb::ListGapsResponse { gaps, next_page_token })
}

/// What one caller sees of duties.
struct View<'c> {
    caller: &'c Caller,
    reader: AgencyCode,
    rights: BTreeSet<Right>,
    watched: BTreeSet<AgencyCode>,
}

impl<'c> View<'c> {
    fn open(caller: &'c Caller, rpc: Rpc, code: &str) -> Result<Self, Refusal> {
        let reader = caller.agency(rpc, code)?;
        let rights = caller.rights(&reader);
        let watched = caller.hub.watched_by(&reader);
        Ok(Self { caller, reader, rights, watched })
    }

    fn sees(&self, duty: &Duty) -> bool {
        let directory = self.caller.hub.directory();
        let relations = policy::duty_relations(&directory, &self.reader, duty);
        policy::sees(&self.rights, &relations)
    }

    /// Whether a duty found under `agency` is told of there: under its owner, unless only the agency
    /// that it is owed to concerns the caller.
    fn belongs(&self, agency: &AgencyCode, duty: &Duty) -> bool {
        let owner = duty.owner.agency();
        owner == agency || !self.watched.contains(owner)
    }

    async fn page(
        &self,
        of_agency: Option<AgencyCode>,
        token: &str,
        size: u32,
        fits: impl Fn(&Duty) -> bool,
    ) -> Result<(Vec<(DutyId, Duty)>, String), Refusal> {
        let limit = encode::page_size(size);
        let (start, mut after) = match token {
            "" => (None, None),
            token => read_token(token).map(|(agency, duty)| (Some(agency), Some(duty)))?,
        };
        let (mut found, mut looked_at) = (Vec::new(), 0);
        let agencies = self.watched.iter().filter(|agency| {
            of_agency.as_ref().is_none_or(|only| only == *agency)
                && start.as_ref().is_none_or(|start| *agency >= start)
        });
        for agency in agencies {
            if start.as_ref() != Some(agency) {
                after = None;
            }
            loop {
                let page = self.caller.hub.duties_of(agency, after).await?;
                if page.is_empty() {
                    break;
                }
                for (id, duty) in page {
                    if found.len() == limit || looked_at == LOOKED_AT {
                        let token = after.map(|after| write_token(agency, after));
                        return Ok((found, token.unwrap_or_else(|| first_token(agency))));
                    }
                    looked_at += 1;
                    after = Some(id);
                    if self.belongs(agency, &duty) && self.sees(&duty) && fits(&duty) {
                        found.push((id, duty));
                    }
                }
            }
        }
        Ok((found, String::new()))
    }
}

fn write_token(agency: &AgencyCode, duty: DutyId) -> String {
    format!("{agency}/{}/{}", duty.index.0, duty.ordinal)
}

/// Before all duties of an agency: record 0 opens none.
fn first_token(agency: &AgencyCode) -> String {
    write_token(agency, DutyId { index: LedgerIndex(0), ordinal: 0 })
}

fn read_token(token: &str) -> Result<(AgencyCode, DutyId), Refusal> {
    let wrong = || Violation::new(Reason::Format, "page_token");
    let mut parts = token.split('/');
    let (Some(code), Some(index), Some(ordinal), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(wrong().into());
    };
    let index = LedgerIndex(index.parse().map_err(|_| wrong())?);
    let ordinal = ordinal.parse().map_err(|_| wrong())?;
    Ok((agency(code).map_err(|_| wrong())?, DutyId { index, ordinal }))
}
