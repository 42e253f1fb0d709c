use expect_test::expect;

use super::*;
use crate::cli::globals::Lang;
use crate::client::supervise::Owner;
use crate::wire::time::write_time;

/// 24 November 2026, nine in the morning in Shanghai.
pub(crate) const NOW: Time = Time(1_795_482_000_000);
const HOUR_MS: i64 = 3_600_000;

fn duty(name: &str, force: Force, standing: DutyStanding, due_hours: Option<i64>) -> OwedDuty {
    OwedDuty {
        name: name.to_owned(),
        document_type: "verdict_handover".to_owned(),
        correction_case: "0123456789abcdef0123456789abcdef".to_owned(),
        owner: Some(Owner::OwnerAgency("tianhe-corrections".to_owned())),
        creditor: "yuexiu-court".to_owned(),
        limit: "5 days from receipt".to_owned(),
        force: force.number(),
        due_time: due_hours.map(|hours| write_time(Time(NOW.0 + hours * HOUR_MS))),
        standing: standing.into(),
        ..OwedDuty::default()
    }
}

/// A duty of the person whose limit passed three days and an hour ago.
pub(crate) fn passed(name: &str, handover: bool) -> OwedDuty {
    let owner = Some(Owner::PersonWatchedBy("tianhe-corrections".to_owned()));
    OwedDuty { handover, owner, ..duty(name, Force::Binding, DutyStanding::Passed, Some(-73)) }
}

/// One duty of every urgency, and some of the same.
pub(crate) fn all() -> Vec<OwedDuty> {
    use DutyStanding::{Forewarned, Passed, Running, Suspended, Waiting};
    vec![
        duty("送达回执", Force::Binding, Running, Some(50)),
        duty("申请复议", Force::Right, Running, Some(1)),
        duty("立即组织查找", Force::Soft, Passed, Some(-200)),
        duty("制定矫正方案", Force::Binding, Waiting, None),
        duty("提请审批", Force::Binding, Suspended, None),
        duty("近逾期", Force::Binding, Passed, Some(-1)),
        duty("久逾期", Force::Binding, Passed, Some(-500)),
        duty("将到期", Force::Binding, Forewarned, Some(9)),
        passed("报到", true),
    ]
}

fn names(duties: &[OwedDuty]) -> Vec<&str> {
    duties.iter().map(|duty| duty.name.as_str()).collect()
}

#[test]
fn a_missed_handover_stands_first_then_what_is_late_the_longest_then_what_is_due_soonest() {
    let mut duties = all();
    worst_first(&mut duties);
    let order = ["报到", "久逾期", "近逾期", "将到期", "送达回执", "立即组织查找", "申请复议"];
    assert_eq!(names(&duties)[..7], order);
}

#[test]
fn reminders_and_rights_are_never_missed() {
    for force in [Force::Soft, Force::Right] {
        let duty = duty("x", force, DutyStanding::Passed, Some(-1));
        assert!(!Urgency::of(&duty).is_missed(), "{force:?}");
    }
    // Nor is what this machine's clock alone says is late: the hub has not said so.
    let duty = duty("x", Force::Binding, DutyStanding::Running, Some(-1));
    assert!(!Urgency::of(&duty).is_missed());
}

#[test]
fn chinese_names_line_up() {
    let mut duties = all();
    worst_first(&mut duties);
    expect![[r#"
        状态          时长             期限                 期限义务      义务单位                   对方单位      来源文书          矫正案件
        交接逾期      已过 3天1小时    2026-11-21 08:00     报到 (交接)   本人 (tianhe-corrections)  yuexiu-court  verdict_handover  0123456789abcdef0123456789abcdef
        逾期          已过 20天20小时  2026-11-03 13:00     久逾期        tianhe-corrections         yuexiu-court  verdict_handover  0123456789abcdef0123456789abcdef
        逾期          已过 1小时0分    2026-11-24 08:00     近逾期        tianhe-corrections         yuexiu-court  verdict_handover  0123456789abcdef0123456789abcdef
        期限将至      剩余 9小时0分    2026-11-24 18:00     将到期        tianhe-corrections         yuexiu-court  verdict_handover  0123456789abcdef0123456789abcdef
        进行中        剩余 2天2小时    2026-11-26 11:00     送达回执      tianhe-corrections         yuexiu-court  verdict_handover  0123456789abcdef0123456789abcdef
        应当及时办理  已过 8天8小时    2026-11-16 01:00     立即组织查找  tianhe-corrections         yuexiu-court  verdict_handover  0123456789abcdef0123456789abcdef
        进行中        剩余 1小时0分    2026-11-24 10:00     申请复议      tianhe-corrections         yuexiu-court  verdict_handover  0123456789abcdef0123456789abcdef
        尚未起算      -                5 days from receipt  制定矫正方案  tianhe-corrections         yuexiu-court  verdict_handover  0123456789abcdef0123456789abcdef
        中止          -                5 days from receipt  提请审批      tianhe-corrections         yuexiu-court  verdict_handover  0123456789abcdef0123456789abcdef"#]]
    .assert_eq(&lines(&duties, NOW, &Globals::speaking(Lang::Zh)).join("\n"));
}

#[test]
fn english_words_say_as_much() {
    let provisional = OwedDuty {
        provisional: true,
        ..duty("送达回执", Force::Binding, DutyStanding::Running, Some(50))
    };
    let waiting = duty("制定矫正方案", Force::Binding, DutyStanding::Waiting, None);
    let duties = [passed("报到", true), provisional, waiting];
    expect![[r#"
        standing       by how long  due before                      duty             owed by                          owed to       opened by         case
        HANDOVER LATE  since 3d 1h  2026-11-21 08:00                报到 (handover)  the person (tianhe-corrections)  yuexiu-court  verdict_handover  0123456789abcdef0123456789abcdef
        running        left 2d 2h   2026-11-26 11:00 (provisional)  送达回执         tianhe-corrections               yuexiu-court  verdict_handover  0123456789abcdef0123456789abcdef
        not begun      -            5 days from receipt             制定矫正方案     tianhe-corrections               yuexiu-court  verdict_handover  0123456789abcdef0123456789abcdef"#]]
    .assert_eq(&lines(&duties, NOW, &Globals::speaking(Lang::En)).join("\n"));
}
