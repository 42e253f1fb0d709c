//! `xianjie law rows`: where each row of the law went. The Markdown stands in `docs/law.md` for
//! lawyers, and a test compares the two.

use std::fmt::Write as _;

use serde_json::{Value, json};
use xianjie_core::domain::explain::{CarriedRow, Carrier, Reading, Standing};
use xianjie_core::domain::rulebook::{Law, Rows};

const HEAD: &str = "\
# The law, row by row (规则逐行对照)

Every flow of the statutes has a row: A of the 2012 Measures, B of the Community Corrections Act, C of
the 2020 Measures, D of related instruments, E of the procuratorate's supervision, N found on a second
reading. The table says where each went: into a *document* (文书), into a *duty* (期限义务) that another
document opens and closes, or into neither, and then what the hub does instead. 每一行说明法律中的一个
流程由平台的哪种文书、哪项期限义务承载；不是文书的，说明平台如何处理。

Articles marked 未核对 were recalled and not read: whoever checks one removes the mark in the rulebook.
What each document and duty says in full, `xianjie law render` prints.

This page is printed by `xianjie law rows` from the rulebooks in `core/src/domain/rules` alone.

| row 行 | flow 流程 | state 状态 | carried by 承载 | read 核对 |
|---|---|---|---|---|
";

/// The table, in Markdown.
pub(super) fn markdown(law: &Law, rows: &Rows) -> String {
    let mut text = HEAD.to_owned();
    for row in law.carried_rows(rows) {
        let carriers = row.carriers.iter().map(carrier);
        let notes = row.not_documents.iter().map(|n| format!("{}。{}.", n.chinese, n.english));
        let standing = row.standing().phrase();
        // Writing to a string can't fail.
        let _ = writeln!(
            text,
            "| {} | {}<br>{} | {} {} | {} | {} |",
            row.number,
            row.title.chinese,
            row.title.english,
            standing.english,
            standing.chinese,
            carriers.chain(notes).collect::<Vec<_>>().join("<br>"),
            read(&row),
        );
    }
    text
}

/// `《减刑裁定书》 commutation_ruling, act_2020: 社区矫正法 33`.
fn carrier(carrier: &Carrier) -> String {
    let mut text = match &carrier.duty {
        None => format!("《{}》", carrier.name),
        Some(duty) => format!("期限义务“{}”，由《{}》产生", duty.name, carrier.name),
    };
    let _ = write!(text, " `{}`", carrier.document_type);
    if let Some(duty) = &carrier.duty {
        match duty.closed_by.as_slice() {
            [] => text.push_str("，由其自身完成"),
            types => {
                let types: Vec<_> = types.iter().map(|name| format!("`{name}`")).collect();
                let _ = write!(text, "，由 {} 完成", types.join("、"));
            }
        }
    }
    let articles = carrier.source.articles.join("、");
    let mark = match (carrier.source.verified, carrier.has_recalled) {
        (false, _) => "（未核对）",
        (true, true) => "（部分主送、抄送未核对）",
        (true, false) => "",
    };
    let _ = write!(text, "；{}：{articles}{mark}", carrier.book);
    text
}

fn read(row: &CarriedRow) -> &'static str {
    match row.reading() {
        None => "—",
        Some(Reading::Read) => "read 已核对",
        Some(Reading::Partly) => "partly 部分核对",
        Some(Reading::Recalled) => "recalled 未核对",
    }
}

/// The same for programs: a list of rows.
pub(super) fn json(law: &Law, rows: &Rows) -> Value {
    law.carried_rows(rows).iter().map(row_json).collect()
}

fn row_json(row: &CarriedRow) -> Value {
    let carriers = row.carriers.iter().map(|carrier| {
        let duty = carrier.duty.as_ref().map(|duty| {
            let closed_by: Vec<_> = duty.closed_by.iter().map(|name| name.as_str()).collect();
            json!({"name": duty.name, "closed_by": closed_by})
        });
        json!({
            "rulebook": carrier.book,
            "document_type": carrier.document_type.as_str(),
            "name": carrier.name,
            "duty": duty,
            "articles": carrier.source.articles,
            "verified": carrier.source.verified && !carrier.has_recalled,
        })
    });
    let state = match row.standing() {
        Standing::Document => "document",
        Standing::Duty => "duty",
        Standing::NotADocument => "not_a_document",
    };
    let notes = row.not_documents.iter().map(|n| json!({"en": n.english, "zh": n.chinese}));
    json!({
        "row": row.number,
        "title": {"en": row.title.english, "zh": row.title.chinese},
        "state": state,
        "carried_by": carriers.collect::<Vec<_>>(),
        "not_a_document": notes.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE_EXPECT=1 cargo test` writes the page anew.
    #[test]
    fn the_page_for_lawyers_is_current() {
        let page = markdown(&Law::built_in(), &Rows::built_in());
        expect_test::expect_file!["../../../docs/law.md"].assert_eq(&page);
    }

    #[test]
    fn each_row_is_one_line_and_one_object() {
        let (law, rows) = (Law::built_in(), Rows::built_in());
        let page = markdown(&law, &rows);
        let lines: Vec<_> = page.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
        let json = json(&law, &rows);
        assert_eq!((lines.len(), json.as_array().unwrap().len()), (147, 147));
        for (line, row) in lines.iter().zip(rows.all()) {
            assert!(line.starts_with(&format!("| {} | {}", row.number, row.chinese)), "{line}");
            assert_eq!(line.matches(" | ").count(), 4, "{line}");
        }
        let b5 = json.as_array().unwrap().iter().find(|row| row["row"] == "B5").unwrap();
        assert_eq!(b5["state"], "duty");
        assert_eq!(b5["carried_by"][0]["duty"]["closed_by"][0], "registration_record");
    }
}
