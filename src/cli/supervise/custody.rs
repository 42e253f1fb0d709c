//! `xianjie supervise custody`: which agency answers for a person (监管责任), and the steps to it.

use std::fmt::Write as _;

use xianjie_core::ids::{CaseRef, Time};

use super::super::table::{Table, printable};
use super::super::{CliError, Globals};
use super::words;
use crate::client::Client;
use crate::client::json::to_json;
use crate::client::supervise::GetCustodyResponse;

/// What is told whom the person does not concern now.
const PAST: words::Words = (
    "as this agency last could see it; who answers for the person today, and who holds them, is not shown to it",
    "以下为本单位此前可见的情况；目前的监管责任单位及羁押情况不向本单位显示",
);

/// Prints who answers, and how it came to that.
pub(super) async fn run(
    client: &Client,
    case: CaseRef,
    at: Option<Time>,
    query: Option<u64>,
    globals: &Globals,
) -> Result<(), CliError> {
    let answer = client.custody(case, at, query).await?;
    let at = at.unwrap_or_else(|| client.now());
    globals.print(
        || to_json(client.schema(), "GetCustodyResponse", &answer),
        || text(case, &answer, at, globals),
    );
    Ok(())
}

fn text(case: CaseRef, answer: &GetCustodyResponse, at: Time, globals: &Globals) -> String {
    let title = globals.words("correction case", "矫正案件");
    let mut text = format!("{title} {case}, {}\n", words::instant(at));
    // Writing to a string can't fail.
    if answer.past {
        let _ = writeln!(text, "  {}", words::in_lang(globals, PAST));
    }
    let Some(now) = &answer.custody else {
        return text;
    };
    let who = match now.answers.as_str() {
        "" => globals.words("nobody has to", "无"),
        agency => printable(agency),
    };
    let _ = writeln!(text, "  {}: {who}", globals.words("answers", "监管责任单位"));
    let _ = writeln!(
        text,
        "  {}: {}",
        globals.words("custody", "监管状态"),
        printable(&words::custody(now, globals))
    );
    if answer.steps.is_empty() {
        let _ = writeln!(text, "  {}", globals.words("no step was taken", "尚无经过"));
        return text;
    }
    for line in steps(answer, globals) {
        let _ = writeln!(text, "  {line}");
    }
    text
}

fn steps(answer: &GetCustodyResponse, globals: &Globals) -> Vec<String> {
    let headings = [
        ("record", "账本序号"),
        ("time", "时间"),
        ("step", "步骤"),
        ("custody", "监管状态"),
        ("answers", "监管责任单位"),
    ];
    let mut table = Table::new(headings.map(|words| words::in_lang(globals, words)));
    for step in &answer.steps {
        let after = step.after.clone().unwrap_or_default();
        table.row([
            step.index.to_string(),
            words::time(step.record_time.as_ref()),
            words::step(step.step, globals),
            words::custody(&after, globals),
            after.answers.clone(),
        ]);
    }
    table.lines()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use xianjie_core::domain::custody::{State, Step};

    use super::*;
    use crate::cli::globals::Lang;
    use crate::cli::supervise::duties::tests::NOW;
    use crate::client::supervise::{CustodyNow, PastStep};
    use crate::wire::record::Word as _;
    use crate::wire::time::write_time;

    fn custody(state: State, answers: &str) -> CustodyNow {
        CustodyNow { state: state.number(), answers: answers.to_owned(), ..CustodyNow::default() }
    }

    fn step(index: u64, step: Step, after: CustodyNow) -> PastStep {
        let record_time = Some(write_time(NOW));
        PastStep { index, record_time, step: step.number(), after: Some(after) }
    }

    #[test]
    fn who_answers_stands_above_the_steps_to_it() {
        let lost = custody(State::InCorrection, "tianhe-corrections");
        let lost = CustodyNow { missing: true, ..lost };
        let answer = GetCustodyResponse {
            custody: Some(lost.clone()),
            steps: vec![
                step(7, Step::Papers, custody(State::Awaiting, "yuexiu-detention")),
                step(12, Step::Accept, custody(State::InCorrection, "tianhe-corrections")),
                step(1305, Step::Missing, lost),
            ],
            ..GetCustodyResponse::default()
        };
        let case = CaseRef([0x11; 16]);
        expect![[r#"
            矫正案件 11111111111111111111111111111111, 2026-11-24 09:00
              监管责任单位: tianhe-corrections
              监管状态: 在矫, 下落不明
              账本序号  时间              步骤          监管状态        监管责任单位
                     7  2026-11-24 09:00  法律文书送达  待报到          yuexiu-detention
                    12  2026-11-24 09:00  登记接收      在矫            tianhe-corrections
                  1305  2026-11-24 09:00  失去联系      在矫, 下落不明  tianhe-corrections
        "#]]
        .assert_eq(&text(case, &answer, NOW, &Globals::speaking(Lang::Zh)));
    }

    #[test]
    fn who_may_not_know_the_present_is_told_so_and_no_untruth() {
        let answer = GetCustodyResponse { past: true, ..GetCustodyResponse::default() };
        expect![[r#"
            correction case 33333333333333333333333333333333, 2026-11-24 09:00
              as this agency last could see it; who answers for the person today, and who holds them, is not shown to it
        "#]]
        .assert_eq(&text(CaseRef([0x33; 16]), &answer, NOW, &Globals::speaking(Lang::En)));
    }

    #[test]
    fn of_whom_nobody_answers_is_said() {
        let answer = GetCustodyResponse {
            custody: Some(custody(State::Dead, "")),
            ..GetCustodyResponse::default()
        };
        expect![[r#"
            correction case 22222222222222222222222222222222, 2026-11-24 09:00
              answers: nobody has to
              custody: dead
              no step was taken
        "#]]
        .assert_eq(&text(CaseRef([0x22; 16]), &answer, NOW, &Globals::speaking(Lang::En)));
    }
}
