//! Who answers for a person, and the steps that led there, as far as the reader may know of them.

use xianjie_core::domain::policy::{self, Relation, Rpc};
use xianjie_core::domain::record::{Kind, Record};
use xianjie_core::ids::LedgerIndex;
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::super::encode;
use super::super::peer::{Caller, agency};
use super::super::protected::{Showing, query_made};
use super::encoding::{custody_now, past_step};
use crate::hub::MadeQuery;
use crate::wire::pb;

/// Who answers for the person of a case, at a time: a page of the steps.
///
/// Whom the person concerns now sees how it stands. Whoever else is party to the case sees no more
/// than what the records led to that it may see: a copy of years ago must not warn of an arrest. Whoever
/// queried the case sees what the documents led to that the query opens.
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
    let made = query_made(&caller, &reader, request.query).await?;
    let made = made.filter(|made| made.finds(case));
    relations.extend(made.iter().map(|_| Relation::Queried));
    caller.permit_for(Rpc::GetCustody, &reader, relations)?;
    let by_query = made.as_ref().map(|made| made.index);
    let showing = Showing { caller: &caller, rpc: Rpc::GetCustody, reader: &reader, by_query };
    showing.custody(case, &row).await?;
    // Of what is sealed a query shows what it opens, whoever made it.
    let concerned = concerned && !row.is_sealed();
    let is_shown = |index: LedgerIndex, record: &Record| {
        let sees = || policy::sees(&rights, &policy::record_relations(&directory, &reader, record));
        let opens = |made: &MadeQuery| match &record.kind {
            Kind::Document(taken) => made.opens_record(index, taken.case, &taken.document_type),
            _ => false,
        };
        made.as_ref().is_some_and(opens) || (!row.is_sealed() && sees())
    };

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
        if is_shown(index, &record) {
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
