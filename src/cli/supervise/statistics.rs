//! `xianjie supervise statistics`: how the duties opened in a month were met.

use xianjie_core::domain::directory::Divisions;

use super::super::table::Table;
use super::super::{CliError, Globals};
use super::{with_reminder, words};
use crate::client::Client;
use crate::client::json::to_json;
use crate::client::supervise::StatisticsRow;

/// Prints the rows of a month.
pub(super) async fn run(client: &Client, month: &str, globals: &Globals) -> Result<(), CliError> {
    let rows = client.statistics(month).await?;
    if rows.is_empty() && !globals.json() {
        let words = globals.words("no duty was opened in that month", "该月没有产生期限义务");
        eprintln!("{words}");
        return Ok(());
    }
    globals.print_all(
        rows.iter(),
        |row| to_json(client.schema(), "StatisticsRow", row),
        || with_reminder(lines(&rows, &Divisions::built_in(), globals), globals),
    );
    Ok(())
}

/// The rows as a table, headings first.
fn lines(rows: &[StatisticsRow], divisions: &Divisions, globals: &Globals) -> Vec<String> {
    let headings = [
        ("division", "行政区划"),
        ("type", "文书类型"),
        ("duty", "期限义务"),
        ("articles", "条文"),
        ("kind", "性质"),
        ("opened", "产生"),
        ("met", "按期"),
        ("met late", "逾期完成"),
        ("late", "逾期未见"),
        ("late, then ended", "逾期后终结"),
        ("running", "进行中"),
        ("ended", "其他终结"),
    ];
    let mut table = Table::new(headings.map(|words| words::in_lang(globals, words)));
    for row in rows {
        let known = row.division.parse().ok().and_then(|code| divisions.get(&code));
        let name = known.map(|division| format!(" {}", division.name)).unwrap_or_default();
        table.row([
            format!("{}{name}", row.division),
            row.document_type.clone(),
            row.duty.clone(),
            row.articles.join("、"),
            words::in_lang(globals, words::force(row.force)),
            row.opened.to_string(),
            row.met.to_string(),
            row.met_late.to_string(),
            row.missed.to_string(),
            row.missed_then_ended.to_string(),
            row.running.to_string(),
            row.ended_otherwise.to_string(),
        ]);
    }
    table.lines()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use xianjie_core::domain::duty::Force;

    use super::*;
    use crate::cli::globals::Lang;
    use crate::wire::record::Word as _;

    #[test]
    fn a_month_is_a_table_by_division_type_duty_and_article() {
        let row = |duty: &str, force: Force, opened| StatisticsRow {
            division: "440106".to_owned(),
            document_type: "verdict_handover".to_owned(),
            duty: duty.to_owned(),
            articles: vec!["社区矫正法 20".to_owned()],
            force: force.number(),
            opened,
            met: opened,
            ..StatisticsRow::default()
        };
        let rows = [row("送达回执", Force::Binding, 120), row("立即组织查找", Force::Soft, 3)];
        expect![[r#"
            行政区划       文书类型          期限义务      条文           性质  产生  按期  逾期完成  逾期未见  逾期后终结  进行中  其他终结
            440106 天河区  verdict_handover  送达回执      社区矫正法 20  期限   120   120         0         0           0       0         0
            440106 天河区  verdict_handover  立即组织查找  社区矫正法 20  提醒     3     3         0         0           0       0         0"#]]
        .assert_eq(&lines(&rows, &Divisions::built_in(), &Globals::speaking(Lang::Zh)).join("\n"));
    }
}
