//! The persons whose whereabouts are unknown (下落不明), for those whom they concern.

use std::collections::BTreeSet;

use xianjie_core::domain::policy::Rpc;
use xianjie_core::domain::state::Case;
use xianjie_core::ids::CaseRef;
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::super::encode;
use super::super::peer::Caller;
use super::encoding::custody_now;
use super::reader::Reader;
use crate::wire::pb;
use crate::wire::time::write_time;

/// A page of them, in the order of their cases.
pub(super) async fn list(
    caller: Caller,
    request: pb::ListMissingPersonsRequest,
) -> Result<pb::ListMissingPersonsResponse, Refusal> {
    let reader = Reader::open(&caller, Rpc::ListMissingPersons, &request.agency)?;
    let after = match &*request.page_token {
        "" => None,
        token => {
            let wrong = |_| Violation::new(Reason::Format, "page_token");
            Some(token.parse::<CaseRef>().map_err(wrong)?)
        }
    };
    let (hub, limit) = (&caller.hub, encode::page_size(request.page_size));
    // One more than is asked for tells whether there is a next page. Whom a person concerns may be
    // several of those that the reader watches: the set has them once.
    let mut sought = BTreeSet::new();
    for agency in hub.watched_by(&reader.agency) {
        sought.extend(hub.sought_by(&agency, after, limit + 1).await?);
    }
    let page: Vec<CaseRef> = sought.iter().copied().take(limit).collect();
    let next = page.last().filter(|_| sought.len() > limit).map(ToString::to_string);
    let cases = hub.cases(page).await?;
    let seen = cases.iter().filter(|(_, case)| case.is_sought() && reader.is_concerned(case));
    Ok(pb::ListMissingPersonsResponse {
        persons: seen.map(|(id, case)| person(*id, case)).collect(),
        next_page_token: next.unwrap_or_default(),
    })
}

fn person(id: CaseRef, case: &Case) -> pb::MissingPerson {
    pb::MissingPerson {
        correction_case: id.to_string(),
        since_time: case.missing_since.map(write_time),
        // Of a juvenile it is shown by `GetCustody` alone, which records that it was.
        custody: (case.juvenile != Some(true)).then(|| custody_now(&case.custody, true)),
    }
}
