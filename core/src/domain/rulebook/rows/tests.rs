use super::super::{Base, Table};
use super::*;

fn lines(errors: &[RulebookError]) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn every_row_stands_somewhere_and_no_book_names_another() {
    let rows = Rows::built_in();
    assert_eq!(rows.all().len(), 147);
    if let Err(errors) = rows.check(&Law::built_in()) {
        panic!("{}", lines(&errors).join("\n"));
    }
}

#[test]
fn a_row_left_out_and_a_row_unknown_are_found_where_they_are() {
    let text = BUILT_IN.replacen("B24 =", "B94 =", 1);
    let errors = Rows::parse(&text).unwrap().check(&Law::built_in()).unwrap_err();
    let lines = lines(&errors);
    let line = 1 + BUILT_IN.lines().position(|line| line.starts_with("B24 =")).unwrap();
    let left_out = format!("rows.toml:{line}: B94: stands in no table, no duty and no");
    assert!(lines.iter().any(|error| error.starts_with(&left_out)), "{lines:#?}");
    let unknown = |error: &&String| {
        error.starts_with("act_2020.toml:") && error.contains("B24 is no row in rows.toml")
    };
    assert_eq!(lines.iter().filter(unknown).count(), 4, "{lines:#?}");
    assert!(lines.iter().all(|error| !error.contains(":0:")), "{lines:#?}");
}

#[test]
fn a_list_says_everything_in_both_languages() {
    for (text, line, message) in [
        ("A1 = { zh = \"委托\", en = \"x\" }\nA2 = { zh = \"评估\" }\n", 2, "needs `en`"),
        ("a1 = { zh = \"委托\", en = \"x\" }\n", 1, "\"a1\" is no row of the law"),
        ("A1 = { zh = \"委托\", en = \"x\", fr = \"x\" }\n", 1, "`fr` is no key here"),
        ("A1 = \"委托\"\n", 1, "is a string, not a table"),
    ] {
        let errors = Rows::parse(text).unwrap_err();
        let found = errors.iter().any(|e| e.line == line && e.message.contains(message));
        assert!(found, "{text}: {errors:#?}");
    }
}

/// Articles that were recalled and not read: an instrument, and which of its articles; none: all.
const RECALLED: &[(&str, Option<&[&str]>)] = &[
    ("2020办法", None),
    ("2014暂予规定", None),
    ("2016意见", None),
    ("国移民公〔2021〕420号", None),
    ("出境入境管理法", None),
    ("2012文书格式", None),
    ("2012办法", Some(&["11", "12", "19", "26", "27", "31", "32", "33", "34", "35", "37"])),
];

fn is_recalled(article: &str) -> bool {
    let (instrument, number) = article.rsplit_once(' ').unwrap_or((article, ""));
    RECALLED.iter().any(|(name, numbers)| {
        *name == instrument && numbers.is_none_or(|numbers| numbers.contains(&number))
    })
}

#[test]
fn what_rests_on_recalled_articles_alone_says_so() {
    let law = Law::built_in();
    let mut wrong = Vec::new();
    for book in law.books() {
        for (name, table) in &book.documents {
            for (line, articles, verified) in sources(table) {
                if verified && articles.iter().all(|article| is_recalled(article)) {
                    wrong.push(format!("{}.toml:{line}: {name}: {articles:?}", book.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn sources(table: &Table<Option<Base>>) -> Vec<(usize, &[String], bool)> {
    let mut sources = vec![(table.line, table.articles.as_slice(), table.verified)];
    let entries = table.to.iter().chain(&table.copies);
    sources.extend(entries.map(|e| (e.line, e.articles.as_slice(), e.verified)));
    for duty in &table.duties {
        sources.push((duty.line, &duty.articles, duty.verified));
        let missed = duty.item.if_missed.as_deref();
        sources.extend(missed.map(|duty| (duty.line, duty.articles.as_slice(), duty.verified)));
    }
    sources.extend(table.rules.iter().map(|r| (r.line, r.articles.as_slice(), r.verified)));
    sources
}
