//! `xianjie supervise gaps`: the persons who are between two agencies (交接中).

use xianjie_core::ids::Time;

use super::super::table::Table;
use super::super::{CliError, Globals};
use super::{duties, with_reminder, words};
use crate::client::Client;
use crate::client::json::to_json;
use crate::client::supervise::{Gap, OwedDuty};

/// Prints the gaps.
pub(super) async fn run(client: &Client, missed: bool, globals: &Globals) -> Result<(), CliError> {
    let gaps = client.gaps(missed).await?;
    if gaps.is_empty() && !globals.json() {
        let words = globals.words("nobody is between two agencies", "没有交接中的人员");
        eprintln!("{words}");
        return Ok(());
    }
    globals.print_all(
        gaps.iter(),
        |gap| to_json(client.schema(), "Gap", gap),
        || with_reminder(lines(&gaps, client.now(), globals), globals),
    );
    Ok(())
}

/// The gaps as a table, headings first.
fn lines(gaps: &[Gap], now: Time, globals: &Globals) -> Vec<String> {
    let headings = [
        ("gap", "交接"),
        ("standing", "状态"),
        ("by how long", "时长"),
        ("ended by", "待完成的义务"),
        ("owed by", "义务单位"),
        ("answers", "监管责任单位"),
        ("custody", "监管状态"),
        ("case", "矫正案件"),
    ];
    let mut table = Table::new(headings.map(|words| words::in_lang(globals, words)));
    let nothing = OwedDuty::default();
    for gap in gaps {
        let duty = gap.duty.as_ref().unwrap_or(&nothing);
        let custody = gap.custody.clone().unwrap_or_default();
        table.row([
            words::in_lang(globals, words::gap_kind(gap.kind())),
            words::in_lang(globals, duties::standing(duty)),
            duties::how_long(duty, now, globals),
            duty.name.clone(),
            words::owner(duty, globals),
            custody.answers.clone(),
            words::custody(&custody, globals),
            duty.correction_case.clone(),
        ]);
    }
    table.lines()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::cli::globals::Lang;
    use crate::cli::supervise::duties::tests::{NOW, passed};
    use crate::client::supervise::{CustodyNow, GapKind};
    use crate::wire::record::Word as _;
    use xianjie_core::domain::custody::State;

    #[test]
    fn a_gap_says_who_answers_meanwhile() {
        let custody = CustodyNow {
            state: State::Awaiting.number(),
            answers: "yuexiu-detention".to_owned(),
            missing: true,
            ..CustodyNow::default()
        };
        let kind = GapKind::NotReported.into();
        let gaps = [Gap { kind, duty: Some(passed("报到", true)), custody: Some(custody) }];
        expect![[r#"
            交接    状态      时长           待完成的义务  义务单位                   监管责任单位      监管状态          矫正案件
            待报到  交接逾期  已过 3天1小时  报到          本人 (tianhe-corrections)  yuexiu-detention  待报到, 下落不明  0123456789abcdef0123456789abcdef"#]]
        .assert_eq(&lines(&gaps, NOW, &Globals::speaking(Lang::Zh)).join("\n"));
    }
}
