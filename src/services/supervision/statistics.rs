//! How the duties of a month were met.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan as _;
use jiff::civil::Date;
use tokio::sync::Semaphore;
use xianjie_core::domain::directory::Directory;
use xianjie_core::domain::duty::{Duty, DutyState, Force, Outcome};
use xianjie_core::domain::policy::Rpc;
use xianjie_core::domain::term::shanghai_midnight_ms;
use xianjie_core::ids::{AgencyCode, DutyId, LedgerIndex, Time};
use xianjie_core::limits;
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::super::encode;
use super::super::peer::Caller;
use super::encoding::{read_place, write_place};
use crate::hub::Hub;
use crate::wire::pb;
use crate::wire::record::Word as _;

/// Duties that one page looks at, at most: a thousand are a few milliseconds, a call has thirty seconds.
const LOOKED_AT: usize = 50_000;
/// Rows of one page, at most: with their articles about half of what an answer may hold.
const ROWS: usize = 4096;

/// Those who count duties: few at a time, in turn, since statistics are what the hub can best do
/// without.
pub(super) struct Counters(Semaphore);

impl Default for Counters {
    fn default() -> Self {
        Self(Semaphore::new(limits::COUNTERS))
    }
}

/// What is counted together.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    division: String,
    document_type: String,
    duty: String,
    articles: Vec<String>,
    force: i32,
}

impl Counters {
    /// A page of a month's duties, counted.
    pub(super) async fn of_month(
        &self,
        caller: Caller,
        request: pb::GetStatisticsRequest,
    ) -> Result<pb::GetStatisticsResponse, Refusal> {
        let reader = caller.agency(Rpc::GetStatistics, &request.agency)?;
        let (begin, end) = month(&request.month)?;
        let after = match &*request.page_token {
            "" => None,
            token => Some(read_place(token)?),
        };
        let most = match usize::try_from(request.page_size) {
            Ok(0) | Err(_) => ROWS,
            Ok(asked) => asked.min(ROWS),
        };
        let _turn = self.0.acquire().await.map_err(encode::unavailable)?;
        let hub = &caller.hub;
        let (from, to) = (hub.first_at(begin).await?, hub.first_at(end).await?);
        let after = after.filter(|after| after.index >= from);
        page(hub, &hub.counted_by(&reader), (from, to), after, most).await
    }
}

/// Counts the duties above `after` that records in these bounds opened, until there are as many rows
/// or as many duties as a page may have.
async fn page(
    hub: &Hub,
    within: &BTreeSet<AgencyCode>,
    (from, to): (LedgerIndex, LedgerIndex),
    mut after: Option<DutyId>,
    most: usize,
) -> Result<pb::GetStatisticsResponse, Refusal> {
    let directory = hub.directory();
    let mut rows: BTreeMap<Line, pb::StatisticsRow> = BTreeMap::new();
    let mut looked_at = 0;
    loop {
        let duties = hub.duties_opened(after, from, to).await?;
        if duties.is_empty() {
            return Ok(answer(rows, None));
        }
        for (id, duty) in duties {
            if looked_at == LOOKED_AT {
                return Ok(answer(rows, after));
            }
            if within.contains(duty.owner.agency()) {
                let line = line(&directory, &duty);
                if rows.len() == most && !rows.contains_key(&line) {
                    return Ok(answer(rows, after));
                }
                count(rows.entry(line).or_default(), &duty);
            }
            looked_at += 1;
            after = Some(id);
        }
    }
}

fn answer(
    rows: BTreeMap<Line, pb::StatisticsRow>,
    next: Option<DutyId>,
) -> pb::GetStatisticsResponse {
    let rows = rows.into_iter().map(|(line, counts)| pb::StatisticsRow {
        division: line.division,
        document_type: line.document_type,
        duty: line.duty,
        articles: line.articles,
        force: line.force,
        ..counts
    });
    pb::GetStatisticsResponse {
        rows: rows.collect(),
        truncated: next.is_some(),
        next_page_token: next.map(write_place).unwrap_or_default(),
    }
}

/// The division is that of whoever answers for the owner now.
fn line(directory: &Directory, duty: &Duty) -> Line {
    let owner = directory.agency(directory.successor(duty.owner.agency()));
    let division = owner.and_then(|owner| owner.serves.first());
    Line {
        division: division.map(ToString::to_string).unwrap_or_default(),
        document_type: duty.opener.to_string(),
        duty: duty.name.clone(),
        articles: duty.articles.clone(),
        force: duty.force.number(),
    }
}

/// A reminder that passed is no breach, and a right that passed neither. A limit that was missed stays
/// missed, however the duty ended later.
fn count(row: &mut pb::StatisticsRow, duty: &Duty) {
    row.opened += 1;
    let binding = duty.force == Force::Binding;
    let counter = match &duty.state {
        DutyState::Open if duty.is_missed() => &mut row.missed,
        DutyState::Open => &mut row.running,
        DutyState::Closed { outcome: Outcome::Met, .. } => &mut row.met,
        DutyState::Closed { outcome: Outcome::MetLate, .. } if binding => &mut row.met_late,
        DutyState::Closed { .. } if binding && duty.warned.times() > 0 => {
            &mut row.missed_then_ended
        }
        DutyState::Closed { .. } => &mut row.ended_otherwise,
    };
    *counter += 1;
}

/// The beginning and the end, exclusive, of a month in Shanghai.
fn month(text: &str) -> Result<(Time, Time), Refusal> {
    let wrong = || Violation::new(Reason::Format, "month").help("YYYY-MM");
    let first: Date = format!("{text}-01").parse().map_err(|_| wrong())?;
    let next = first.checked_add(1.month()).map_err(|_| wrong())?;
    Ok((Time(shanghai_midnight_ms(first)), Time(shanghai_midnight_ms(next))))
}
