//! The words of supervision in English and Chinese, chosen so that none is a finding.

use xianjie_core::domain::custody::{State, Step};
use xianjie_core::domain::duty::Force;
use xianjie_core::domain::explain::{Phrase, flag_phrase, limit_phrase, state_phrase, step_phrase};
use xianjie_core::ids::Time;

use super::super::Globals;
use super::super::globals::Lang;
use crate::client::supervise::{CustodyNow, GapKind, OwedDuty, Owner};
use crate::wire::record::Word;
use crate::wire::time::read_time;

const MINUTE_MS: i64 = 60_000;

/// The same in English and Chinese.
pub(super) type Words = (&'static str, &'static str);

/// What every view of alarms and limits says of itself.
pub(super) const REMINDER: Words = (
    "Past its limit means that the hub has not seen it: a reminder to look, never a finding.",
    "逾期提示仅表明本平台尚未收到相应文书，提请核实，不是认定结论。",
);

/// What a later version of the hub says and this one does not know.
const UNKNOWN: Words = ("unknown", "未知");

/// Words in the language asked for.
pub(super) fn in_lang(globals: &Globals, (english, chinese): Words) -> String {
    globals.words(english, chinese)
}

/// What is missing between two agencies.
pub(super) fn gap_kind(kind: GapKind) -> Words {
    match kind {
        GapKind::Unspecified => UNKNOWN,
        GapKind::DecidedNotHandedOver => ("decided, not handed over", "已决定，待移送"),
        GapKind::HandedOverNotAccepted => ("handed over, not accepted", "已移送，待接收"),
        GapKind::NotReported => ("not reported", "待报到"),
        GapKind::MovedNotArrived => ("moved, not arrived", "变更执行地，待到达"),
        GapKind::RevokedNotInCustody => ("revoked, not in custody", "已撤销或者决定收监，待收监"),
        GapKind::DeliveredNotReceived => ("on the way, not received", "送交执行中，待收监"),
        GapKind::Other => ("handover not completed", "交接未完成"),
    }
}

/// How binding a limit is, by its number on the wire.
pub(super) fn force(number: i32) -> Words {
    match Force::from_number(number) {
        Ok(Force::Binding) => ("limit", "期限"),
        Ok(Force::Soft) => ("reminder", "提醒"),
        Ok(Force::Right) => ("right", "权利"),
        Err(_) => UNKNOWN,
    }
}

/// What an alarm tells of; a kind that this version does not know keeps its word.
pub(super) fn alarm_kind(kind: &str, globals: &Globals) -> String {
    let known = match kind {
        "duty_forewarned" => ("due soon", "期限将至"),
        "duty_missed" => ("past its limit, not seen here", "期限已过，尚未收到"),
        "handover_missed" => ("handover past its limit, not seen here", "交接逾期，尚无单位接收"),
        "duty_reminded" => ("to be done promptly, not seen here", "应当及时办理，尚未收到"),
        "right_lapsed" => ("right not used in time", "权利期满未行使"),
        "limit_recomputed" => ("limit reckoned anew", "期限重新计算"),
        "delivery_unacknowledged" => ("deliveries not acknowledged", "送达尚未签收"),
        "outage" => ("the hub stood still", "平台曾经中断"),
        "contradiction" => ("does not fit what is on record", "与记录不符"),
        other => return other.to_owned(),
    };
    in_lang(globals, known)
}

/// What does not fit about a document; a word that this version does not know stays as it is.
pub(super) fn flag(what: &str, globals: &Globals) -> String {
    flag_phrase(what).map_or_else(|| what.to_owned(), |told| phrase(Some(told), globals))
}

/// A state of custody by its number on the wire.
pub(super) fn state(number: i32, globals: &Globals) -> String {
    phrase(State::from_number(number).ok().map(state_phrase), globals)
}

/// A step of custody by its number on the wire.
pub(super) fn step(number: i32, globals: &Globals) -> String {
    phrase(Step::from_number(number).ok().map(step_phrase), globals)
}

fn phrase(known: Option<Phrase>, globals: &Globals) -> String {
    match known {
        Some(phrase) => globals.words(&phrase.english, &phrase.chinese),
        None => in_lang(globals, UNKNOWN),
    }
}

/// A limit as the rule says it.
pub(super) fn rule_limit(limit: &str, globals: &Globals) -> String {
    let phrase = limit_phrase(limit);
    match globals.lang() {
        Lang::Zh => phrase.chinese,
        // Beside each other they would not fit a column.
        Lang::En | Lang::Both => phrase.english,
    }
}

/// Who must do a duty.
pub(super) fn owner(duty: &OwedDuty, globals: &Globals) -> String {
    match &duty.owner {
        Some(Owner::OwnerAgency(agency)) => agency.clone(),
        Some(Owner::PersonWatchedBy(agency)) => {
            format!("{} ({agency})", globals.words("the person", "本人"))
        }
        None => in_lang(globals, UNKNOWN),
    }
}

/// The state of custody, with all that is noted beside it; it is not shown of everybody.
pub(super) fn custody(custody: &CustodyNow, globals: &Globals) -> String {
    let mut words = vec![state(custody.state, globals)];
    words.extend(flags(custody, globals));
    words.join(", ")
}

/// What is noted of a person beside the state of custody.
fn flags(custody: &CustodyNow, globals: &Globals) -> Vec<String> {
    let guard = (!custody.guard.is_empty())
        .then(|| format!("{} {}", globals.words("held by", "被限制人身自由于"), custody.guard));
    let noted = |set: bool, words: Words| set.then(|| in_lang(globals, words));
    let flags = [
        noted(custody.missing, ("whereabouts unknown", "下落不明")),
        guard,
        noted(custody.proposal, ("a proposal to revoke is open", "提请撤销、收监在办")),
        noted(custody.arrested, ("under arrest", "已逮捕")),
    ];
    flags.into_iter().flatten().collect()
}

/// A point in time as people in Asia/Shanghai write it; `-` where there is none.
pub(super) fn time(time: Option<&prost_types::Timestamp>) -> String {
    time.and_then(read_time).map_or_else(|| "-".to_owned(), instant)
}

/// An instant as people in Asia/Shanghai write it, to the minute.
pub(super) fn instant(time: Time) -> String {
    xianjie_core::domain::term::format_shanghai(time.0)
}

/// A stretch of time in its two largest units; none is shorter than a minute.
pub(super) fn span(ms: i64, globals: &Globals) -> String {
    let minutes = ms / MINUTE_MS;
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let [day, hour, minute] = match globals.lang() {
        Lang::Zh => ["天", "小时", "分"],
        Lang::En | Lang::Both => ["d ", "h ", "m"],
    };
    let text = match (days, hours) {
        (0, 0) => format!("{minutes}{minute}"),
        (0, hours) => format!("{hours}{hour}{minutes}{minute}"),
        (days, hours) => format!("{days}{day}{hours}{hour}"),
    };
    text.trim_end().to_owned()
}
