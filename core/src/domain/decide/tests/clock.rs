//! What passing time does.

use super::*;
use crate::domain::duty::Warned;
use crate::domain::record::{Clock, DutyStep, Notice, Outage};

impl Nation {
    /// Takes every step that is due at `time`, as the timekeeper does; what they were, in order.
    fn pass_to(&mut self, time: Time) -> Vec<(String, DutyStep)> {
        self.time = time;
        let mut steps = Vec::new();
        loop {
            let due: Vec<DutyId> = self
                .rows
                .keys()
                .filter_map(|key| match key {
                    Key::Wake(wake, duty) if *wake <= time => Some(*duty),
                    _ => None,
                })
                .collect();
            if due.is_empty() {
                return steps;
            }
            for duty in due {
                let input = Input::Clock(ClockInput::Duty(duty));
                let Decision::Record(decided) = self.decide(&input).unwrap() else {
                    panic!("a due step is not taken")
                };
                let Kind::Clock(Clock::Duty { step, .. }) = decided.record.kind else {
                    panic!("no step")
                };
                steps.push((self.duty(duty).name.clone(), step));
            }
        }
    }

    fn duty(&self, id: DutyId) -> &Duty {
        match self.rows.get(&Key::Duty(id)) {
            Some(Row::Duty(duty)) => duty,
            other => panic!("no duty: {other:?}"),
        }
    }

    fn notices(&self, kind: Notice) -> Vec<String> {
        let of_kind = self.rows.iter().filter_map(|(key, row)| match (key, row) {
            (Key::NoticeOwed(_, notice), Row::NoticeOwed(to)) if *notice == kind => {
                Some(to.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
            }
            _ => None,
        });
        of_kind.collect()
    }
}

fn of<'s>(steps: &'s [(String, DutyStep)], name: &str) -> Vec<&'s DutyStep> {
    steps.iter().filter(|(duty, _)| duty == name).map(|(_, step)| step).collect()
}

#[test]
fn a_limit_is_forewarned_once_missed_once_and_told_again_each_week() {
    let mut nation = Nation::new();
    nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    nation.acknowledge("liwan-corrections", 1).unwrap();
    assert_eq!(due(nation.duties("送达回执")[0]), "2026-11-10 00:00");
    assert!(of(&nation.pass_to(on(11, 5)), "送达回执").is_empty());
    assert_eq!(of(&nation.pass_to(on(11, 7)), "送达回执"), [&DutyStep::Forewarned]);
    assert_eq!(nation.notices(Notice::Forewarned), ["liwan-corrections"]);
    assert!(of(&nation.pass_to(on(11, 9)), "送达回执").is_empty());
    assert_eq!(of(&nation.pass_to(on(11, 10)), "送达回执"), [&DutyStep::Missed]);
    assert!(nation.duties("送达回执")[0].is_missed());
    assert_eq!(
        nation.notices(Notice::Missed),
        ["liwan-corrections liwan-court liwan-procuratorate"]
    );
    assert!(of(&nation.pass_to(on(11, 16)), "送达回执").is_empty());
    assert_eq!(of(&nation.pass_to(on(11, 18)), "送达回执"), [&DutyStep::Missed]);
    assert_eq!(nation.duties("送达回执")[0].warned, Warned::Passed(2), "each time counts");
}

#[test]
fn what_is_done_is_never_spoken_of() {
    let mut nation = Nation::new();
    let sent = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    nation.acknowledge("liwan-corrections", 1).unwrap();
    nation.send(Paper::new("liwan-corrections", "return_receipt").answering(&sent)).unwrap();
    assert!(of(&nation.pass_to(on(12, 1)), "送达回执").is_empty());
}

#[test]
fn what_is_done_late_is_told_as_late_and_then_no_more() {
    let mut nation = Nation::new();
    let sent = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    nation.acknowledge("liwan-corrections", 1).unwrap();
    nation.pass_to(on(11, 10));
    let receipt = Paper::new("liwan-corrections", "return_receipt").answering(&sent);
    assert_eq!(nation.send(receipt).unwrap().closed(), [Outcome::MetLate]);
    assert!(of(&nation.pass_to(on(12, 30)), "送达回执").is_empty());
}

#[test]
fn nobody_between_a_handover_missed_alarms_all_and_opens_the_search() {
    let mut nation = Nation::new();
    nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    assert_eq!(of(&nation.pass_to(on(11, 11)), "报到"), [&DutyStep::Forewarned]);
    assert_eq!(of(&nation.pass_to(on(11, 13)), "报到"), [&DutyStep::HandoverMissed]);
    assert_eq!(
        nation.notices(Notice::HandoverMissed),
        ["liwan-corrections liwan-court liwan-procuratorate"]
    );
    let search = nation.duties("立即组织查找");
    assert_eq!(search.len(), 1);
    assert_eq!(search[0].owner.agency(), &testing::code("liwan-corrections"));
    assert_eq!(search[0].articles, ["社区矫正法 30"]);
    // A reminder an hour later, and it is no breach.
    let later = Time(nation.time.0 + 2 * 3_600_000);
    assert_eq!(of(&nation.pass_to(later), "立即组织查找"), [&DutyStep::Reminded]);
    assert!(!nation.duties("立即组织查找")[0].is_missed());
    // A week later the alarm is repeated, and no second search opens.
    nation.pass_to(on(11, 21));
    assert_eq!(nation.duties("立即组织查找").len(), 1);
}

#[test]
fn a_step_is_taken_once_however_often_it_is_asked_for() {
    let mut nation = Nation::new();
    nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    nation.pass_to(on(11, 13));
    let records = nation.entries.len();
    let duties: Vec<DutyId> = nation
        .rows
        .keys()
        .filter_map(|key| if let Key::Duty(duty) = key { Some(*duty) } else { None })
        .collect();
    for duty in duties {
        let input = Input::Clock(ClockInput::Duty(duty));
        assert!(matches!(nation.decide(&input), Ok(Decision::Known(known)) if known.is_empty()));
    }
    assert_eq!(nation.entries.len(), records);
}

#[test]
fn an_extension_moves_the_limit_as_often_as_the_article_allows() {
    let mut nation = Nation::new();
    let asked = Paper::new("liwan-court", "assessment_commission")
        .about(1, Category::Probation)
        .place("intended_place", "440103")
        .choosing(&["liwan-corrections"]);
    let asked = nation.send(asked).unwrap();
    nation.acknowledge("liwan-corrections", 1).unwrap();
    assert_eq!(due(nation.duties("调查评估")[0]), "2026-11-17 00:00");
    let agreed = |day| {
        Paper::new("liwan-court", "extension_agreement")
            .answering(&asked)
            .with("stated_date", date(11, day))
    };
    nation.send(agreed(25)).unwrap();
    assert_eq!(due(nation.duties("调查评估")[0]), "2026-11-26 00:00");
    assert_eq!(nation.duties("调查评估")[0].extend.as_ref().unwrap().times, 8);
    // A date that would shorten it moves nothing.
    nation.send(agreed(20)).unwrap();
    assert_eq!(due(nation.duties("调查评估")[0]), "2026-11-26 00:00");
}

#[test]
fn a_limit_that_stands_still_is_neither_missed_nor_lost() {
    let mut nation = Nation::new();
    let (notice, owed) = corrected(&mut nation);
    nation.time = on(11, 10);
    let request = Paper::new("liwan-corrections", "review_request").answering(&notice);
    let request = nation.send(request).unwrap();
    assert_eq!(due(&owed(&nation)), "");
    nation.pass_to(on(12, 1));
    assert_eq!(owed(&nation).warned, Warned::No);
    let review = Paper::new("liwan-procuratorate", "review_of_correction")
        .answering(&request)
        .word("outcome", "upheld");
    nation.send(review).unwrap();
    // From 10 November to 1 December it stood still: 21 days.
    assert_eq!(due(&owed(&nation)), "2026-12-12 00:00");
    assert!(owed(&nation).suspended.is_none());
}

#[test]
fn a_right_that_no_article_limits_is_reminded_of_and_does_not_lapse() {
    let mut nation = Nation::new();
    let asked = Paper::new("liwan-court", "procuratorate_consultation")
        .about(1, Category::TemporaryRelease);
    let asked = nation.send(asked).unwrap();
    assert_eq!(of(&nation.pass_to(on(11, 6)), "检察院意见"), [&DutyStep::Reminded]);
    let opinion = Paper::new("liwan-procuratorate", "procuratorate_opinion").answering(&asked);
    assert_eq!(nation.send(opinion).unwrap().closed(), [Outcome::Met]);
}

#[test]
fn a_delivery_that_nobody_signs_for_is_told_of_once_and_to_its_own_sender_alone() {
    let mut nation = Nation::new();
    nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    nation.send(verdict("yuexiu-court", "440103", 2)).unwrap();
    let ask = |nation: &mut Nation, sender: &str| {
        nation.decide(&Input::Clock(ClockInput::Unacknowledged {
            agency: testing::code("liwan-corrections"),
            sender: testing::code(sender),
            numbers: vec![InboxNumber(1), InboxNumber(2)],
        }))
    };
    assert!(matches!(ask(&mut nation, "liwan-court"), Ok(Decision::Known(_))));
    nation.time = on(11, 3);
    for sender in ["liwan-court", "yuexiu-court"] {
        assert!(matches!(ask(&mut nation, sender), Ok(Decision::Record(_))));
        assert!(matches!(ask(&mut nation, sender), Ok(Decision::Known(_))));
    }
    assert_eq!(
        nation.notices(Notice::Unacknowledged),
        ["liwan-court liwan-procuratorate", "liwan-procuratorate yuexiu-court"]
    );
}

#[test]
fn after_an_outage_nothing_is_declared_missed_for_half_an_hour() {
    let mut nation = Nation::new();
    nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    nation.time = on(11, 13);
    let outage = Outage { from: on(11, 4), until: nation.time };
    let record = Record { kind: Kind::Clock(Clock::Outage(outage)), effects: Vec::new() };
    nation.apply(&record, None);
    let duties: Vec<DutyId> = nation
        .rows
        .keys()
        .filter_map(|key| if let Key::Duty(duty) = key { Some(*duty) } else { None })
        .collect();
    for duty in duties {
        let decided = nation.decide(&Input::Clock(ClockInput::Duty(duty)));
        assert!(matches!(decided, Ok(Decision::Known(_))));
    }
    let later = Time(nation.time.0 + 31 * 60_000);
    assert_eq!(of(&nation.pass_to(later), "报到"), [&DutyStep::HandoverMissed]);
}

#[test]
fn a_replaced_verdict_leaves_a_handover_limit_running() {
    let mut nation = Nation::new();
    let sent = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    let mut again = verdict("liwan-court", "440103", 1);
    again.0.replaces = Some(sent.reference.clone());
    nation.send(again).unwrap();
    let open = nation.duties("报到").into_iter().filter(|duty| duty.is_owed()).count();
    assert_eq!(open, 1);
    assert_eq!(of(&nation.pass_to(on(11, 13)), "报到"), [&DutyStep::HandoverMissed]);
}

#[test]
fn a_limit_runs_again_when_what_stopped_it_is_rejected() {
    let mut nation = Nation::new();
    let (notice, owed) = corrected(&mut nation);
    let request = Paper::new("liwan-corrections", "review_request").answering(&notice);
    let request = nation.send(request).unwrap();
    assert_eq!(due(&owed(&nation)), "");
    nation.time = on(11, 5);
    let number = inbox_number(&request, "liwan-procuratorate");
    nation.reject("liwan-procuratorate", number).unwrap();
    // Three days it stood still.
    assert_eq!(due(&owed(&nation)), "2026-11-24 00:00");
    assert!(owed(&nation).suspended.is_none());
}

#[test]
fn what_follows_a_missed_limit_ends_with_its_document() {
    let mut nation = Nation::new();
    let sent = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    nation.pass_to(on(11, 13));
    assert!(nation.duties("立即组织查找")[0].is_owed());
    nation.send(Paper::new("liwan-court", "withdrawal").answering(&sent)).unwrap();
    assert!(!nation.duties("立即组织查找")[0].is_owed());
}

/// The law as if a review stopped the time to answer a correction: no statute of today stops any.
fn law_that_stops() -> Law {
    let answer = "within = \"as stated\"\n";
    let stops = "suspend = { with = \"review_request\", until = \"review_of_correction\" }\n";
    let (mut holidays, mut books) = ("", Vec::new());
    for (name, text) in Law::built_in_files() {
        match name {
            "rows.toml" => {}
            "holidays.toml" => holidays = text,
            _ => books.push((name.to_owned(), text.replace(answer, &format!("{answer}{stops}")))),
        }
    }
    Law::load(&books, holidays).unwrap()
}

/// A correction notice to be answered by 20 November, and a way to look at the duty to answer it.
fn corrected(nation: &mut Nation) -> (Sent, impl Fn(&Nation) -> Duty + use<>) {
    nation.law = law_that_stops();
    let sent = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    nation.send(Paper::new("liwan-corrections", "registration_record").answering(&sent)).unwrap();
    let notice = Paper::new("liwan-procuratorate", "written_correction")
        .about(1, Category::Probation)
        .choosing(&["liwan-corrections"])
        .with("stated_date", date(11, 20));
    let notice = nation.send(notice).unwrap();
    let owed = |nation: &Nation| {
        let duty = nation.rows.values().find_map(|row| match row {
            Row::Duty(duty)
                if duty.opener.as_str() == "written_correction" && duty.suspend.is_some() =>
            {
                Some((**duty).clone())
            }
            _ => None,
        });
        duty.unwrap()
    };
    assert_eq!(due(&owed(nation)), "2026-11-21 00:00");
    (notice, owed)
}

fn inbox_number(sent: &Sent, agency: &str) -> u64 {
    let number = sent.record.effects.iter().find_map(|ruled| match &ruled.effect {
        Effect::DeliveryOpened { agency: to, number, .. } if to.as_str() == agency => {
            Some(number.0)
        }
        _ => None,
    });
    number.unwrap()
}
