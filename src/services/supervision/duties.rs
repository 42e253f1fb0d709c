//! The duties that are owed, and the persons between two agencies: pages over the duties of one agency
//! after the other, or of one case.

use std::collections::BTreeSet;
use std::fmt;

use xianjie_core::domain::duty::Duty;
use xianjie_core::domain::policy::{self, Rpc};
use xianjie_core::domain::state::Case;
use xianjie_core::ids::{AgencyCode, CaseRef, DutyId, LedgerIndex};
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::super::encode;
use super::super::peer::Caller;
use super::encoding::{custody_now, gap, owed, read_place, write_place};
use super::reader::Reader;
use crate::wire::pb;

/// Duties that one page looks at, at most: who may see few must not read all in one call.
const LOOKED_AT: usize = limits::PAGE_MAX;

pub(super) async fn list(
    caller: Caller,
    request: pb::ListDutiesRequest,
) -> Result<pb::ListDutiesResponse, Refusal> {
    let reader = Reader::open(&caller, Rpc::ListDuties, &request.agency)?;
    let of_agency = match &*request.of_agency {
        "" => None,
        code => Some(code.parse().map_err(|_| Violation::new(Reason::Format, "of_agency"))?),
    };
    let lots = match encode::case_filter(&request.correction_case)? {
        Some(case) => BTreeSet::from([Lot::Case(case)]),
        None => reader.lots(of_agency.as_ref()),
    };
    let fits = |duty: &Duty| {
        (!request.missed || duty.is_missed())
            && of_agency.as_ref().is_none_or(|agency| reader.is_party(agency, duty))
    };
    let (duties, next_page_token) =
        reader.page(&lots, &request.page_token, request.page_size, fits).await?;
    let duties = duties.iter().map(|(id, duty)| owed(*id, duty)).collect();
    Ok(pb::ListDutiesResponse { duties, next_page_token })
}

pub(super) async fn gaps(
    caller: Caller,
    request: pb::ListGapsRequest,
) -> Result<pb::ListGapsResponse, Refusal> {
    let reader = Reader::open(&caller, Rpc::ListGaps, &request.agency)?;
    let fits = |duty: &Duty| duty.handover && (!request.missed || duty.is_missed());
    let lots = reader.lots(None);
    let (duties, next_page_token) =
        reader.page(&lots, &request.page_token, request.page_size, fits).await?;
    let cases = caller.hub.cases(duties.iter().filter_map(|(_, duty)| duty.case)).await?;
    let none = Case::default();
    let gap = |(id, duty): &(DutyId, Duty)| {
        let case = duty.case.and_then(|case| cases.get(&case)).unwrap_or(&none);
        pb::Gap {
            kind: gap(case.custody.state).into(),
            duty: Some(owed(*id, duty)),
            // Of a juvenile it is shown by `GetCustody` alone, which records that it was.
            custody: (case.juvenile != Some(true))
                .then(|| custody_now(&case.custody, reader.is_concerned(case))),
        }
    };
    Ok(pb::ListGapsResponse { gaps: duties.iter().map(gap).collect(), next_page_token })
}

/// Duties that stand together in the store: those of an agency, whether it owes, watches or is owed
/// them, or those of a case.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Lot {
    Agency(AgencyCode),
    Case(CaseRef),
}

impl fmt::Display for Lot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agency(agency) => agency.fmt(f),
            Self::Case(case) => case.fmt(f),
        }
    }
}

impl Reader<'_> {
    fn sees(&self, duty: &Duty) -> bool {
        let directory = self.caller.hub.directory();
        let relations = policy::duty_relations(&directory, &self.agency, duty);
        policy::sees(&self.rights, &relations)
    }

    /// Whether an agency, or one that it took the place of, owes, watches or is owed a duty.
    fn is_party(&self, agency: &AgencyCode, duty: &Duty) -> bool {
        let directory = self.caller.hub.directory();
        let mut parties = std::iter::once(duty.owner.agency()).chain(&duty.creditor);
        parties.any(|party| directory.stands_for(agency, party))
    }

    /// Where everything lies that the reader may see, or that it may see of one agency: an agency that
    /// is no concern of it has only such duties in common with it as lie under its own name too.
    fn lots(&self, of_agency: Option<&AgencyCode>) -> BTreeSet<Lot> {
        let hub = &self.caller.hub;
        let watched = hub.watched_by(&self.agency);
        let agencies = match of_agency {
            None => watched,
            Some(agency) if watched.contains(agency) => hub.inherited_by(agency),
            Some(_) => hub.inherited_by(&self.agency),
        };
        agencies.into_iter().map(Lot::Agency).collect()
    }

    async fn page(
        &self,
        lots: &BTreeSet<Lot>,
        token: &str,
        size: u32,
        fits: impl Fn(&Duty) -> bool,
    ) -> Result<(Vec<(DutyId, Duty)>, String), Refusal> {
        let hub = &self.caller.hub;
        let limit = encode::page_size(size);
        let (start, mut after) = match token {
            "" => (String::new(), None),
            token => read_token(token).map(|(lot, duty)| (lot.to_owned(), Some(duty)))?,
        };
        let (mut found, mut looked_at) = (Vec::new(), 0);
        for lot in lots {
            let name = lot.to_string();
            if name < start {
                continue;
            }
            after = after.filter(|_| name == start);
            loop {
                let page = match lot {
                    Lot::Agency(agency) => hub.duties_of(agency, after).await?,
                    Lot::Case(case) => hub.duties_in(*case, after).await?,
                };
                if page.is_empty() {
                    break;
                }
                for (id, duty) in page {
                    if found.len() == limit || looked_at == LOOKED_AT {
                        return Ok((found, write_token(lot, after)));
                    }
                    looked_at += 1;
                    after = Some(id);
                    if belongs(&duty, lot, lots) && self.sees(&duty) && fits(&duty) {
                        found.push((id, duty));
                    }
                }
            }
        }
        Ok((found, String::new()))
    }
}

/// Whether a duty is told of in this lot: one that lies in two is told of once, under its owner.
fn belongs(duty: &Duty, lot: &Lot, lots: &BTreeSet<Lot>) -> bool {
    match lot {
        Lot::Agency(agency) if agency != duty.owner.agency() => {
            !lots.contains(&Lot::Agency(duty.owner.agency().clone()))
        }
        Lot::Agency(_) | Lot::Case(_) => true,
    }
}

fn write_token(lot: &Lot, after: Option<DutyId>) -> String {
    // Before all duties of a lot: record 0 opens none.
    let first = DutyId { index: LedgerIndex(0), ordinal: 0 };
    format!("{lot}/{}", write_place(after.unwrap_or(first)))
}

fn read_token(token: &str) -> Result<(&str, DutyId), Refusal> {
    let (lot, place) =
        token.split_once('/').ok_or_else(|| Violation::new(Reason::Format, "page_token"))?;
    Ok((lot, read_place(place)?))
}
