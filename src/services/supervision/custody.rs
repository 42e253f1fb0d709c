//! Who answers for a person, and the steps that led there, as far as the reader may know of them.

use xianjie_core::domain::policy::{self, Rpc};
use xianjie_core::ids::LedgerIndex;
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::super::encode;
use super::super::peer::{Caller, agency};
use super::super::protected::Showing;
use super::encoding::{custody_now, past_step};
use crate::wire::pb;

/// Who answers for the person of a case, at a time: a page of the steps.
///
/// Whom the person concerns now sees how it stands. Whoever else is party to the case sees no more
/// than what the records led to that it may see: a copy of years ago must not warn of an arrest.
pub(super) async fn at(
    caller: Caller,
    request: pb::GetCustodyRequest,
) -> Result<pb::GetCustodyResponse, Refusal> {
    let reader = agency(&request.agency)?;
    let case = encode::case_filter(&request.correction_case)?;
    let case = case.ok_or_else(|| Violation::new(Reason::Required, "correction_case"))?;
    let until = encode::time_filter(request.at_time.as_ref(), "at_time")?;
    let from = LedgerIndex(encode::page_number(&request.page_token)?.unwrap_or_default());
    let limit = encode::page_size(request.page_size);
    let hub = &caller.hub;
    let row = hub.case(case).await?.unwrap_or_default();
    let directory = hub.directory();
    let mut relations = policy::custody_relations(&directory, &reader, &row);
    let rights = caller.rights(&reader);
    let concerned = policy::sees(&rights, &relations);
    relations.extend(policy::case_relations(&directory, &reader, &row));
    caller.permit_for(Rpc::GetCustody, &reader, relations)?;
    let showing =
        Showing { caller: &caller, rpc: Rpc::GetCustody, reader: &reader, by_query: None };
    showing.custody(case).await?;

    let published = hub.published().size;
    // One more than is asked for: where the next page begins.
    let mut steps = hub.past_custody(case, from, limit + 1).await?;
    steps.retain(|(index, past)| index.0 < published && until.is_none_or(|at| past.time <= at));
    let next = steps.get(limit).map(|(index, _)| index.0.to_string());
    steps.truncate(limit);
    let last = steps.last().map(|(_, past)| past.after.clone());
    let mut seen = Vec::new();
    for (index, past) in steps {
        let (_, record) = hub.recorded(index).await?;
        if policy::sees(&rights, &policy::record_relations(&directory, &reader, &record)) {
            seen.push((index, past));
        }
    }
    let custody = match concerned {
        true => Some(last.unwrap_or_default()),
        false => seen.last().map(|(_, past)| past.after.clone()),
    };
    let custody = custody.filter(|_| next.is_none());
    Ok(pb::GetCustodyResponse {
        custody: custody.map(|custody| custody_now(&custody, concerned)),
        steps: seen.iter().map(|(index, past)| past_step(*index, past, concerned)).collect(),
        next_page_token: next.unwrap_or_default(),
        past: !concerned,
    })
}
