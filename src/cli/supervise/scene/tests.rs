use expect_test::expect;

use super::*;
use crate::cli::globals::Lang;
use crate::cli::supervise::duties::tests::{NOW, all, passed};
use crate::client::supervise::GapKind;
use crate::wire::time::write_time;

fn gap(late: bool) -> Gap {
    let duty = if late { passed("报到", true) } else { OwedDuty::default() };
    Gap { kind: GapKind::NotReported.into(), duty: Some(duty), custody: None }
}

fn scene() -> Scene {
    let mut duties = all();
    duties::worst_first(&mut duties);
    let gaps = vec![gap(true), gap(true), gap(false)];
    let picture = Picture { duties, gaps, missing: vec![MissingPerson::default()], at: NOW };
    let mut scene = Scene { picture: Some(picture), ..Scene::default() };
    scene.hear(AlarmRaised {
        index: 41,
        record_time: Some(write_time(NOW)),
        kind: "handover_missed".to_owned(),
        duty: Some(passed("报到", true)),
        ..AlarmRaised::default()
    });
    scene
}

fn text(scene: &Scene, rows: usize, lang: Lang) -> String {
    let lines = scene.lines(rows, &Globals::speaking(lang));
    lines.into_iter().map(|(_, line)| line + "\n").collect()
}

#[test]
fn the_picture_is_told_in_numbers() {
    let counts = scene().picture.unwrap().counts();
    let told = Counts { owed: 9, missed: 3, gaps: 3, gaps_missed: 2, missing_persons: 1 };
    assert_eq!(counts, told);
    assert_eq!(counts.to_json()["counts"]["gaps_missed"], 2);
}

#[test]
fn the_overview_has_counts_the_worst_duties_and_the_newest_alarm() {
    expect![[r#"
        xianjie supervise  截至 2026-11-24 09:00
        在办期限义务 9   逾期 3   交接中 3   交接逾期 2   下落不明 1

        状态          时长             期限                 期限义务      义务单位                   对方单位      来源文书          矫正案件
        交接逾期      已过 3天1小时    2026-11-21 08:00     报到 (交接)   本人 (tianhe-corrections)  yuexiu-court  verdict_handover  0123456789abcdef0123456789abcdef
        逾期          已过 20天20小时  2026-11-03 13:00     久逾期        tianhe-corrections         yuexiu-court  verdict_handover  0123456789abcdef0123456789abcdef
        逾期          已过 1小时0分    2026-11-24 08:00     近逾期        tianhe-corrections         yuexiu-court  verdict_handover  0123456789abcdef0123456789abcdef
        期限将至      剩余 9小时0分    2026-11-24 18:00     将到期        tianhe-corrections         yuexiu-court  verdict_handover  0123456789abcdef0123456789abcdef
        进行中        剩余 2天2小时    2026-11-26 11:00     送达回执      tianhe-corrections         yuexiu-court  verdict_handover  0123456789abcdef0123456789abcdef
        应当及时办理  已过 8天8小时    2026-11-16 01:00     立即组织查找  tianhe-corrections         yuexiu-court  verdict_handover  0123456789abcdef0123456789abcdef
        进行中        剩余 1小时0分    2026-11-24 10:00     申请复议      tianhe-corrections         yuexiu-court  verdict_handover  0123456789abcdef0123456789abcdef
        尚未起算      -                5 days from receipt  制定矫正方案  tianhe-corrections         yuexiu-court  verdict_handover  0123456789abcdef0123456789abcdef
        中止          -                5 days from receipt  提请审批      tianhe-corrections         yuexiu-court  verdict_handover  0123456789abcdef0123456789abcdef

        本次启动以来的提醒
              41  2026-11-24 09:00  交接逾期，尚无单位接收  报到  本人 (tianhe-corrections)  2026-11-21 08:00  0123456789abcdef0123456789abcdef

        逾期提示仅表明本平台尚未收到相应文书，提请核实，不是认定结论。
        q：退出
    "#]]
    .assert_eq(&text(&scene(), 20, Lang::Zh));
}

#[test]
fn a_small_screen_is_never_overrun_and_says_what_it_leaves_out() {
    let mut scene = scene();
    scene.watching = Some("the stream ended".to_owned());
    for rows in 1..30 {
        assert!(scene.lines(rows, &Globals::default()).len() <= rows, "{rows}");
    }
    let text = text(&scene, 15, Lang::En);
    assert!(text.contains("the stream ended\n") && text.contains("… 6 more\n"), "{text}");
}

#[test]
fn what_is_late_is_alarming_and_what_is_due_soon_pressing() {
    let lines = scene().lines(40, &Globals::speaking(Lang::Zh));
    let tone = |name: &str| lines.iter().find(|(_, line)| line.contains(name)).unwrap().0;
    assert_eq!(tone("久逾期"), Tone::Alarming);
    assert_eq!(tone("将到期"), Tone::Pressing);
    assert_eq!(tone("立即组织查找"), Tone::Plain);
}

#[test]
fn only_so_many_alarms_are_remembered_and_the_newest_stands_on_top() {
    let mut scene = scene();
    for index in 100..300 {
        scene.hear(AlarmRaised { index, ..AlarmRaised::default() });
    }
    assert_eq!(scene.alarms.len(), REMEMBERED);
    let lines = scene.lines(40, &Globals::default());
    let title = lines.iter().position(|(_, line)| line.starts_with("alarms")).unwrap();
    assert!(lines[title + 1].1.starts_with("     299"), "{:?}", lines[title + 1]);
}

#[test]
fn before_the_first_picture_it_says_why_there_is_none() {
    let mut scene = Scene::default();
    assert_eq!(text(&scene, 24, Lang::En), "asking the hub …\n");
    scene.asking = Some("no answer".to_owned());
    assert_eq!(text(&scene, 24, Lang::En), "no answer\n");
}
