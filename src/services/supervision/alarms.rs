//! `WatchAlarms`: what time did, and what does not fit, record by record.

use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tonic::Status;
use xianjie_core::domain::duty::Duty;
use xianjie_core::domain::policy::{self, Rpc};
use xianjie_core::domain::record::{Clock, DutyStep, Effect, Flagged, Kind, Record};
use xianjie_core::ids::AgencyCode;
use xianjie_core::limits;
use xianjie_core::refusal::Refusal;

use super::super::follow::Follow;
use super::super::peer::Caller;
use super::super::permit::Permit;
use super::super::{Source, encode, status};
use super::encoding::owed;
use crate::store::Entry;
use crate::wire;
use crate::wire::pb;
use crate::wire::time::write_time;
use pb::watch_alarms_response::Message;

/// The alarms that one agency watches.
pub(super) struct AlarmStream {
    permit: Permit,
    leaving: BoxFuture<'static, ()>,
    heartbeat: Interval,
    caller: Caller,
    follow: Follow,
    /// Whether it was told that all there was has been looked at.
    caught_up: bool,
}

impl AlarmStream {
    pub(super) fn open(
        caller: Caller,
        leaving: BoxFuture<'static, ()>,
        request: &pb::WatchAlarmsRequest,
    ) -> Result<Self, Refusal> {
        let permit = Permit::new(&caller, Rpc::WatchAlarms, &request.agency)?;
        let mut heartbeat = interval(Duration::from_secs(limits::HEARTBEAT_SECONDS));
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let follow = Follow::open(&caller.hub, permit.agency(), request.after_index)?;
        Ok(Self { permit, leaving, heartbeat, caller, follow, caught_up: false })
    }
}

impl Source for AlarmStream {
    type Message = pb::WatchAlarmsResponse;

    async fn next(&mut self) -> Option<Result<Self::Message, Status>> {
        let (caller, follow) = (&self.caller, &mut self.follow);
        let caught_up = &mut self.caught_up;
        let message = self.permit.during(async {
            tokio::select! {
                biased;
                () = &mut self.leaving => Ok(None),
                _ = self.heartbeat.tick() => {
                    Ok(Some(Message::Heartbeat(follow.heartbeat(&caller.hub))))
                }
                found = find(follow, caller, caught_up) => found.map(Some),
            }
        });
        match message.await.and_then(|message| message) {
            Ok(message) => {
                message.map(|message| Ok(pb::WatchAlarmsResponse { message: Some(message) }))
            }
            Err(refusal) => Some(Err(status::refused(&refusal))),
        }
    }
}

/// The next alarm that the agency may see; or once, as soon as there is none left, a sign of life: whoever
/// wants no more than what there is need not wait for the next one.
async fn find(
    follow: &mut Follow,
    caller: &Caller,
    caught_up: &mut bool,
) -> Result<Message, Refusal> {
    loop {
        if !*caught_up && follow.is_at_head(&caller.hub) {
            *caught_up = true;
            return Ok(Message::Heartbeat(follow.heartbeat(&caller.hub)));
        }
        let entry = follow.front(&caller.hub).await?;
        let reader = follow.agency().clone();
        let found = alarm(&reader, caller, &entry).await?;
        follow.pass();
        if let Some(alarm) = found {
            return Ok(Message::Alarm(Box::new(alarm)));
        }
    }
}

async fn alarm(
    reader: &AgencyCode,
    caller: &Caller,
    entry: &Entry,
) -> Result<Option<pb::AlarmRaised>, Refusal> {
    let hub = &caller.hub;
    let record = wire::record::decode(&entry.record).map_err(encode::unavailable)?;
    let Some(kind) = kind(&record) else { return Ok(None) };
    let (directory, rights) = (hub.directory(), caller.rights(reader));
    if !policy::sees(&rights, &policy::record_relations(&directory, reader, &record)) {
        return Ok(None);
    }
    let duty = match &record.kind {
        Kind::Clock(Clock::Duty { duty: id, .. }) => hub.duty(*id).await?.map(|duty| (*id, duty)),
        _ => None,
    };
    let is_owed = duty.as_ref().is_some_and(|(_, duty)| duty.is_owed());
    let case = duty.as_ref().map_or_else(|| encode::case_of(&record), |(_, duty)| duty.case);
    if let Some(case) = case.filter(|_| !is_owed)
        && hub.is_sealed_past(case, entry.index).await?
    {
        return Ok(None);
    }
    // Whoever owed it once may have nothing to do with who owes it now.
    let sees =
        |duty: &Duty| policy::sees(&rights, &policy::duty_relations(&directory, reader, duty));
    let duty = duty.filter(|(_, duty)| sees(duty)).map(|(id, duty)| owed(id, &duty));
    let inbox_agency = match &record.kind {
        Kind::Clock(Clock::Unacknowledged { agency, .. }) => agency.to_string(),
        _ => String::new(),
    };
    Ok(Some(pb::AlarmRaised {
        index: entry.index.0,
        record_time: Some(write_time(encode::time(entry)?)),
        kind: kind.to_owned(),
        duty,
        inbox_agency,
        contradictions: contradictions(&record),
        document: match &record.kind {
            Kind::Flagged(Flagged { document, .. }) => Some(pb::DocumentRef {
                sender: document.sender.to_string(),
                document_id: document.id.to_string(),
            }),
            _ => None,
        },
        receipt: Some(encode::receipt(hub, &hub.published(), entry).await?),
    }))
}

/// What a record alarms of, if it does.
fn kind(record: &Record) -> Option<&'static str> {
    match &record.kind {
        Kind::Clock(Clock::Duty { step, .. }) => Some(match step {
            DutyStep::Forewarned => "duty_forewarned",
            DutyStep::Missed => "duty_missed",
            DutyStep::HandoverMissed => "handover_missed",
            DutyStep::Recomputed => "limit_recomputed",
            DutyStep::Reminded => "duty_reminded",
            DutyStep::Lapsed => "right_lapsed",
        }),
        // Where nobody else is named, only the hub's own notices lay there, and these raise no alarms.
        Kind::Clock(Clock::Unacknowledged { agency, agencies, .. }) => {
            let others = agencies.iter().any(|other| other != agency);
            others.then_some("delivery_unacknowledged")
        }
        Kind::Clock(Clock::Outage(_)) => Some("outage"),
        Kind::Flagged(_) => Some("contradiction"),
        _ => None,
    }
}

fn contradictions(record: &Record) -> Vec<String> {
    let what = record.effects.iter().filter_map(|ruled| match &ruled.effect {
        Effect::Contradiction { what, .. } => Some(what.clone()),
        _ => None,
    });
    what.collect()
}

#[cfg(test)]
mod tests {
    use xianjie_core::ids::InboxNumber;

    use super::*;

    #[test]
    fn the_hubs_own_notices_raise_no_alarm_where_they_lie() {
        let lain = |agencies: &[&str]| Record {
            kind: Kind::Clock(Clock::Unacknowledged {
                agency: "tianhe-police".parse().unwrap(),
                number: InboxNumber(7),
                agencies: agencies.iter().map(|code| code.parse().unwrap()).collect(),
                supervisors: ["tianhe-procuratorate".parse().unwrap()].into(),
            }),
            effects: Vec::new(),
        };
        assert_eq!(kind(&lain(&["tianhe-police"])), None);
        let others = lain(&["tianhe-police", "yuexiu-court"]);
        assert_eq!(kind(&others), Some("delivery_unacknowledged"));
    }
}
