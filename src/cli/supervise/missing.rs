//! `xianjie supervise missing`: the persons whose whereabouts are unknown (下落不明).

use xianjie_core::ids::Time;

use super::super::table::Table;
use super::super::{CliError, Globals};
use super::{with_reminder, words};
use crate::client::Client;
use crate::client::json::to_json;
use crate::client::supervise::MissingPerson;
use crate::wire::time::read_time;

/// Prints the persons.
pub(super) async fn run(client: &Client, globals: &Globals) -> Result<(), CliError> {
    let mut persons = client.missing_persons().await?;
    if persons.is_empty() && !globals.json() {
        let words = globals.words("nobody's whereabouts are unknown", "没有下落不明的人员");
        eprintln!("{words}");
        return Ok(());
    }
    persons.sort_by_key(since);
    globals.print_all(
        persons.iter(),
        |person| to_json(client.schema(), "MissingPerson", person),
        || with_reminder(lines(&persons, client.now(), globals), globals),
    );
    Ok(())
}

/// The persons as a table, headings first.
fn lines(persons: &[MissingPerson], now: Time, globals: &Globals) -> Vec<String> {
    let headings = [
        ("known since", "得知时间"),
        ("for", "时长"),
        ("answers", "监管责任单位"),
        ("custody", "监管状态"),
        ("case", "矫正案件"),
    ];
    let mut table = Table::new(headings.map(|words| words::in_lang(globals, words)));
    for person in persons {
        let custody = person.custody.clone().unwrap_or_default();
        table.row([
            words::time(person.since_time.as_ref()),
            how_long(person, now, globals),
            custody.answers.clone(),
            words::custody(&custody, globals),
            person.correction_case.clone(),
        ]);
    }
    table.lines()
}

/// For how long the hub has known.
fn how_long(person: &MissingPerson, now: Time, globals: &Globals) -> String {
    let Some(since) = since(person) else { return "-".to_owned() };
    words::span(now.0.saturating_sub(since.0).max(0), globals)
}

fn since(person: &MissingPerson) -> Option<Time> {
    person.since_time.as_ref().and_then(read_time)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use xianjie_core::domain::custody::State;

    use super::*;
    use crate::cli::globals::Lang;
    use crate::cli::supervise::duties::tests::NOW;
    use crate::client::supervise::CustodyNow;
    use crate::wire::record::Word as _;
    use crate::wire::time::write_time;

    const DAY_MS: i64 = 86_400_000;

    fn person(days: i64, custody: Option<CustodyNow>) -> MissingPerson {
        MissingPerson {
            correction_case: "0123456789abcdef0123456789abcdef".to_owned(),
            since_time: Some(write_time(Time(NOW.0 - days * DAY_MS))),
            custody,
        }
    }

    #[test]
    fn it_says_since_when_and_who_answers_but_not_of_a_juvenile() {
        let custody = CustodyNow {
            state: State::InCorrection.number(),
            answers: "tianhe-corrections".to_owned(),
            missing: true,
            proposal: true,
            ..CustodyNow::default()
        };
        let persons = [person(31, Some(custody)), person(2, None)];
        expect![[r#"
            得知时间          时长       监管责任单位        监管状态                            矫正案件
            2026-10-24 09:00  31天0小时  tianhe-corrections  在矫, 下落不明, 提请撤销、收监在办  0123456789abcdef0123456789abcdef
            2026-11-22 09:00  2天0小时                       未知                                0123456789abcdef0123456789abcdef"#]].assert_eq(&lines(&persons, NOW, &Globals::speaking(Lang::Zh)).join("\n"));
    }
}
