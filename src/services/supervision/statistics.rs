//! How the duties of a month were met.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;
use xianjie_core::domain::duty::{Duty, DutyState, Force, Outcome};
use xianjie_core::domain::policy::Rpc;
use xianjie_core::domain::term::shanghai_midnight_ms;
use xianjie_core::ids::Time;
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::super::peer::Caller;
use crate::wire::pb;
use crate::wire::record::Word as _;

/// Duties that one answer looks at, at most: a page is a few milliseconds, a call has thirty seconds.
const LOOKED_AT: usize = 200_000;
/// Rows of one answer, at most.
const ROWS: usize = 4096;

/// What is counted together.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    division: String,
    document_type: String,
    duty: String,
    articles: Vec<String>,
    force: i32,
}

pub(super) async fn of_month(
    caller: Caller,
    request: pb::GetStatisticsRequest,
) -> Result<pb::GetStatisticsResponse, Refusal> {
    let reader = caller.agency(Rpc::GetStatistics, &request.agency)?;
    let (from, until) = month(&request.month)?;
    let hub = &caller.hub;
    let (from, to) = (hub.first_at(from).await?, hub.first_at(until).await?);
    let (within, directory) = (hub.counted_by(&reader), hub.directory());
    let mut rows: BTreeMap<Line, pb::StatisticsRow> = BTreeMap::new();
    let (mut after, mut looked_at, mut truncated) = (None, 0, false);
    'pages: loop {
        let page = hub.duties_opened(after, from, to).await?;
        if page.is_empty() {
            break;
        }
        for (id, duty) in page {
            let owner = duty.owner.agency();
            after = Some(id);
            looked_at += 1;
            if within.contains(owner) {
                let serves = directory.agency(owner).and_then(|it| it.serves.first().cloned());
                let division = serves.map(|division| division.to_string()).unwrap_or_default();
                let line = line(division, &duty);
                if rows.len() == ROWS && !rows.contains_key(&line) {
                    truncated = true;
                    break 'pages;
                }
                count(rows.entry(line).or_default(), &duty);
            }
            if looked_at == LOOKED_AT {
                truncated = true;
                break 'pages;
            }
        }
    }
    let rows = rows.into_iter().map(|(line, counts)| pb::StatisticsRow {
        division: line.division,
        document_type: line.document_type,
        duty: line.duty,
        articles: line.articles,
        force: line.force,
        ..counts
    });
    Ok(pb::GetStatisticsResponse { rows: rows.collect(), truncated })
}

fn line(division: String, duty: &Duty) -> Line {
    Line {
        division,
        document_type: duty.opener.to_string(),
        duty: duty.name.clone(),
        articles: duty.articles.clone(),
        force: duty.force.number(),
    }
}

/// A reminder that passed is no breach, and a right that passed neither.
fn count(row: &mut pb::StatisticsRow, duty: &Duty) {
    row.opened += 1;
    let counter = match &duty.state {
        DutyState::Open if duty.is_missed() => &mut row.missed,
        DutyState::Open => &mut row.running,
        DutyState::Closed { outcome: Outcome::Met, .. } => &mut row.met,
        DutyState::Closed { outcome: Outcome::MetLate, .. } if duty.force == Force::Binding => {
            &mut row.met_late
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
