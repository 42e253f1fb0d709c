//! `xianjie supervise alarms`: the alarms (提醒) so far, and every new one.

use tokio::sync::mpsc;

use super::super::table::printable;
use super::super::{CliError, Globals};
use super::{duties, screen, words};
use crate::client::Client;
use crate::client::error::CallError;
use crate::client::json::to_json;
use crate::client::supervise::{AlarmRaised, Heard};

/// How many alarms wait to be printed before the hub is no longer read.
pub(super) const WAITING: usize = 64;

/// Prints alarms: all up to the hub's head as it was found, or, with `follow`, until told to stop.
pub(super) async fn run(
    client: &Client,
    after: Option<u64>,
    follow: bool,
    globals: &Globals,
) -> Result<(), CliError> {
    if !globals.json() {
        println!("{}", words::in_lang(globals, words::REMINDER));
    }
    let head = client.seen().await.map_or(0, |seen| seen.size);
    let first = after.map_or(0, |after| after.saturating_add(1));
    if !follow && first >= head {
        return Ok(());
    }
    let (tell, heard) = mpsc::channel(WAITING);
    tokio::select! {
        ended = client.watch_alarms(after, tell) => Ok(ended?),
        () = print(heard, (!follow).then_some(head), client, globals) => Ok(()),
        stopped = screen::interrupted() => stopped,
    }
}

/// Prints what is heard, to the end or until all below `head` has been.
async fn print(
    mut heard: mpsc::Receiver<Heard>,
    head: Option<u64>,
    client: &Client,
    globals: &Globals,
) {
    while let Some(told) = heard.recv().await {
        let known = match told {
            Heard::Alarm(alarm) => {
                globals.print(
                    || to_json(client.schema(), "AlarmRaised", &*alarm),
                    || line(&alarm, globals),
                );
                alarm.index.saturating_add(1)
            }
            Heard::UpTo(size) => size,
            Heard::Broken { why, wait } => {
                if !globals.json() {
                    eprintln!("{}", again(&why, wait, globals));
                }
                continue;
            }
        };
        if head.is_some_and(|head| known >= head) {
            return;
        }
    }
}

/// That a stream broke, and when it is opened again.
pub(super) fn again(why: &CallError, wait: std::time::Duration, globals: &Globals) -> String {
    let again = globals.words("again in", "后重试：");
    format!("{why}; {again} {:.1} s", wait.as_secs_f32())
}

/// An alarm in one line.
pub(super) fn line(alarm: &AlarmRaised, globals: &Globals) -> String {
    let time = words::time(alarm.record_time.as_ref());
    let mut parts = vec![words::alarm_kind(&alarm.kind, globals)];
    if let Some(duty) = &alarm.duty {
        parts.push(duty.name.clone());
        parts.push(words::owner(duty, globals));
        parts.push(duties::limit(duty, globals));
        parts.push(duty.correction_case.clone());
    }
    parts.push(alarm.inbox_agency.clone());
    parts.extend(alarm.document.iter().map(|it| format!("{} {}", it.sender, it.document_id)));
    parts.extend(alarm.contradictions.iter().map(|what| words::flag(what, globals)));
    parts.retain(|part| !part.is_empty());
    printable(&format!("{:>8}  {time}  {}", alarm.index, parts.join("  ")))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::cli::globals::Lang;
    use crate::cli::supervise::duties::tests::{NOW, passed};
    use crate::wire::time::write_time;

    fn alarm(kind: &str) -> AlarmRaised {
        let record_time = Some(write_time(NOW));
        AlarmRaised { index: 41, record_time, kind: kind.to_owned(), ..AlarmRaised::default() }
    }

    #[test]
    fn an_alarm_says_what_the_hub_has_not_seen() {
        let missed = AlarmRaised { duty: Some(passed("报到", true)), ..alarm("handover_missed") };
        expect!["      41  2026-11-24 09:00  handover past its limit, not seen here  报到  the person (tianhe-corrections)  2026-11-21 08:00  0123456789abcdef0123456789abcdef"]
            .assert_eq(&line(&missed, &Globals::speaking(Lang::En)));
        let lain = AlarmRaised {
            inbox_agency: "yuexiu-court".to_owned(),
            ..alarm("delivery_unacknowledged")
        };
        expect!["      41  2026-11-24 09:00  送达尚未签收  yuexiu-court"]
            .assert_eq(&line(&lain, &Globals::speaking(Lang::Zh)));
    }

    #[test]
    fn a_kind_of_a_later_hub_keeps_its_word_and_commands_no_terminal() {
        let line = line(&alarm("new\u{1b}[2Jkind"), &Globals::speaking(Lang::Zh));
        assert!(line.ends_with("new?[2Jkind"), "{line}");
    }
}
