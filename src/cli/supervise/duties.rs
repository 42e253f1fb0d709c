//! `xianjie supervise duties`: what is owed (期限义务), the worst first.

use xianjie_core::domain::duty::Force;
use xianjie_core::ids::Time;

use super::super::table::Table;
use super::super::{CliError, Globals};
use super::with_reminder;
use super::words::{self, Words};
use crate::client::Client;
use crate::client::json::to_json;
use crate::client::supervise::{DutyFilter, DutyStanding, OwedDuty};
use crate::wire::record::Word as _;
use crate::wire::time::read_time;

/// How much a duty needs a look: the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// A handover (交接) whose limit has passed.
    HandoverMissed,
    /// A limit that has passed.
    Missed,
    /// Its owner was forewarned.
    DueSoon,
    /// A limit that runs.
    Running,
    /// A reminder or a right.
    Reminder,
    /// Nothing runs now.
    Still,
}

impl Urgency {
    /// That of a duty, by the hub's word alone: no clock of this machine makes a duty late.
    pub(super) fn of(duty: &OwedDuty) -> Self {
        let binding = Force::from_number(duty.force) == Ok(Force::Binding);
        match duty.standing() {
            DutyStanding::Passed if binding && duty.handover => Self::HandoverMissed,
            DutyStanding::Passed if binding => Self::Missed,
            DutyStanding::Forewarned if binding => Self::DueSoon,
            DutyStanding::Running if binding => Self::Running,
            DutyStanding::Passed | DutyStanding::Forewarned | DutyStanding::Running => {
                Self::Reminder
            }
            DutyStanding::Waiting
            | DutyStanding::Suspended
            | DutyStanding::Ended
            | DutyStanding::Unspecified => Self::Still,
        }
    }

    /// Whether a limit has passed: a breach to look at.
    pub(super) fn is_missed(self) -> bool {
        matches!(self, Self::HandoverMissed | Self::Missed)
    }
}

/// Prints the duties that fit.
pub(super) async fn run(
    client: &Client,
    filter: &DutyFilter,
    globals: &Globals,
) -> Result<(), CliError> {
    let mut duties = client.duties(filter).await?;
    if duties.is_empty() && !globals.json() {
        eprintln!("{}", globals.words("no duty that fits is owed", "没有符合条件的期限义务"));
        return Ok(());
    }
    worst_first(&mut duties);
    globals.print_all(
        duties.iter(),
        |duty| to_json(client.schema(), "OwedDuty", duty),
        || with_reminder(lines(&duties, client.now(), globals), globals),
    );
    Ok(())
}

/// Orders duties: the worst first, and among equals the earliest due, which is late the longest.
pub(super) fn worst_first(duties: &mut [OwedDuty]) {
    duties.sort_by_key(|duty| (Urgency::of(duty), due(duty).map_or(i64::MAX, |due| due.0)));
}

/// When a duty is due, exclusive.
fn due(duty: &OwedDuty) -> Option<Time> {
    duty.due_time.as_ref().and_then(read_time)
}

/// The duties as a table, headings first.
pub(super) fn lines(duties: &[OwedDuty], now: Time, globals: &Globals) -> Vec<String> {
    let headings = [
        ("standing", "状态"),
        ("by how long", "时长"),
        ("due before", "期限"),
        ("duty", "期限义务"),
        ("owed by", "义务单位"),
        ("owed to", "对方单位"),
        ("opened by", "来源文书"),
        ("case", "矫正案件"),
    ];
    let mut table = Table::new(headings.map(|words| words::in_lang(globals, words)));
    for duty in duties {
        table.row([
            words::in_lang(globals, standing(duty)),
            how_long(duty, now, globals),
            limit(duty, globals),
            name(duty, globals),
            words::owner(duty, globals),
            duty.creditor.clone(),
            duty.document_type.clone(),
            duty.correction_case.clone(),
        ]);
    }
    table.lines()
}

/// How far time has got with a duty.
pub(super) fn standing(duty: &OwedDuty) -> Words {
    match (duty.standing(), Urgency::of(duty)) {
        (_, Urgency::HandoverMissed) => ("HANDOVER LATE", "交接逾期"),
        (_, Urgency::Missed) => ("LATE", "逾期"),
        (DutyStanding::Passed, _) => ("to be done promptly", "应当及时办理"),
        (DutyStanding::Forewarned, _) => ("due soon", "期限将至"),
        (DutyStanding::Running, _) => ("running", "进行中"),
        (DutyStanding::Waiting, _) => ("not begun", "尚未起算"),
        (DutyStanding::Suspended, _) => ("stands still", "中止"),
        (DutyStanding::Ended, _) => ("ended", "已办结"),
        (DutyStanding::Unspecified, _) => ("unknown", "未知"),
    }
}

/// By how long a duty is late, or how much is left.
pub(super) fn how_long(duty: &OwedDuty, now: Time, globals: &Globals) -> String {
    let Some(due) = due(duty) else { return "-".to_owned() };
    let (words, ms) = match duty.standing() {
        DutyStanding::Passed => (globals.words("since", "已过"), now.0.saturating_sub(due.0)),
        _ => (globals.words("left", "剩余"), due.0.saturating_sub(now.0)),
    };
    format!("{words} {}", words::span(ms.max(0), globals))
}

/// When a duty is due; a limit that does not run stands there as the rule says it.
pub(super) fn limit(duty: &OwedDuty, globals: &Globals) -> String {
    let time = match due(duty) {
        Some(due) => words::instant(due),
        None => return words::rule_limit(&duty.limit, globals),
    };
    let provisional = globals.words("provisional", "暂定");
    if duty.provisional { format!("{time} ({provisional})") } else { time }
}

/// A duty's name; that it completes a handover is part of it.
fn name(duty: &OwedDuty, globals: &Globals) -> String {
    let handover = globals.words("handover", "交接");
    if duty.handover { format!("{} ({handover})", duty.name) } else { duty.name.clone() }
}

#[cfg(test)]
pub(super) mod tests;
