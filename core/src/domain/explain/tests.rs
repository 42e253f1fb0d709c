use std::collections::BTreeSet;

use expect_test::{ExpectFile, expect, expect_file};
use jiff::civil::{Date, date};

use super::{Explanation, Language, Line, chinese};
use crate::domain::agency::{Kind, Level};
use crate::domain::custody::{State, Step};
use crate::domain::document::Category;
use crate::domain::relation::{Atom, Condition, Place, RoleRef};
use crate::domain::role::Role;
use crate::domain::rulebook::{Base, Class, Event, Law, Limit, Table, TestKind, Who};

const TODAY: Date = date(2026, 11, 24);

fn explained(law: &Law, document_type: &str) -> Explanation {
    law.explain(&document_type.parse().unwrap(), TODAY).unwrap()
}

fn check(document_type: &str, language: Language, expected: &ExpectFile) {
    expected.assert_eq(&explained(&Law::built_in(), document_type).text(language));
}

#[test]
fn a_verdict_goes_to_whom_the_act_names() {
    check("verdict_handover", Language::Both, &expect_file!["tests/verdict_handover.txt"]);
}

#[test]
fn a_proposal_to_revoke_leaves_a_choice_of_court() {
    check("revocation_proposal", Language::English, &expect_file!["tests/revocation_proposal.txt"]);
}

#[test]
fn a_handover_of_the_person() {
    check("person_transfer", Language::Chinese, &expect_file!["tests/person_transfer.txt"]);
}

#[test]
fn a_measure_names_who_may_hold_the_person() {
    let text = explained(&Law::built_in(), "coercive_measure_notice").text(Language::Both);
    let kinds = "who holds the person is one of: police, detention centre, prison, ";
    assert!(
        text.contains(kinds) && text.contains("限制人身自由的执行单位限于：公安机关、看守所"),
        "{text}"
    );
}

#[test]
fn a_type_is_unknown_before_its_law() {
    let law = Law::built_in();
    let verdict = "verdict_handover".parse().unwrap();
    assert_eq!(law.explain(&verdict, date(2000, 1, 1)), None);
    assert_eq!(law.explain(&"no_such_type".parse().unwrap(), TODAY), None);
}

#[test]
fn every_type_of_every_day_is_explained_in_both_languages() {
    let law = Law::built_in();
    for day in [date(2013, 1, 1), date(2020, 7, 1), TODAY, date(2027, 1, 1)] {
        for document_type in law.on(day).documents.keys() {
            let explanation = law.explain(document_type, day).unwrap();
            for section in &explanation.sections {
                assert!(!section.lines.is_empty(), "{document_type}");
                section.lines.iter().for_each(|line| assert_told(line, document_type.as_str()));
            }
            for duty in &explanation.duties {
                assert_told(&duty.line(), document_type.as_str());
            }
        }
    }
}

fn assert_told(line: &Line, document_type: &str) {
    let (english, chinese) = (&line.phrase.english, &line.phrase.chinese);
    assert!(!english.is_empty() && !chinese.is_empty(), "{document_type}: {line:?}");
    if let Some(source) = &line.source {
        assert!(!source.articles.is_empty() || !source.verified, "{document_type}: {line:?}");
    }
    line.details.iter().for_each(|line| assert_told(line, document_type));
}

#[test]
fn every_field_that_must_be_filled_in_has_its_chinese() {
    let law = Law::built_in();
    let tables = law.books().iter().flat_map(|book| &book.documents);
    let required = tables.flat_map(|(_, table)| &table.required).chain(law.case_opening());
    for path in required {
        assert_ne!(super::fields::phrase(path).chinese, *path);
    }
}

/// A word that a rule tests without Chinese here would appear as English in a Chinese sentence.
#[test]
fn every_field_and_value_that_a_rule_reads_has_its_chinese() {
    let law = Law::built_in();
    let mut words = BTreeSet::new();
    for (_, table) in law.books().iter().flat_map(|book| &book.documents) {
        let base = table.base.as_ref();
        let outcomes = base.into_iter().flat_map(|base| base.outcomes.clone());
        words.extend(outcomes.map(|word| ("outcome".to_owned(), word)));
        words.extend(conditions(table).into_iter().flat_map(read));
    }
    assert!(words.len() > 10);
    for (field, word) in words {
        assert_ne!(chinese::field(&field), field);
        assert_ne!(chinese::value(&field, &word), word, "{field}");
    }
}

#[test]
fn every_agency_that_a_document_names_has_its_chinese() {
    let law = Law::built_in();
    let tables = law.books().iter().flat_map(|book| &book.documents);
    for entry in tables.flat_map(|(_, table)| table.to.iter().chain(&table.copies)) {
        if let Who::Named { name, .. } = &entry.item.who {
            assert_ne!(chinese::named(name), name);
        }
    }
}

fn conditions(table: &Table<Option<Base>>) -> Vec<&Condition> {
    let mut conditions: Vec<_> = table.needs.iter().filter_map(|n| n.when.as_ref()).collect();
    for entry in table.to.iter().chain(&table.copies).map(|entry| &entry.item) {
        conditions.extend(&entry.when);
        if let Who::Named { fits, .. } = &entry.who {
            conditions.extend(fits.iter().filter_map(|(_, when)| when.as_ref()));
        }
    }
    for duty in table.duties.iter().map(|duty| &duty.item) {
        conditions.extend(&duty.when);
        conditions.extend(duty.extend.as_ref().and_then(|extend| extend.when.as_ref()));
    }
    for rule in table.rules.iter().map(|rule| &rule.item) {
        conditions.extend(&rule.when);
        if let TestKind::Forbid(condition) = &rule.test {
            conditions.push(condition);
        }
    }
    conditions
}

fn read(condition: &Condition) -> Vec<(String, String)> {
    let atoms = condition.atoms().iter();
    atoms
        .filter_map(|(_, atom)| match atom {
            Atom::FieldIs(field, word) => Some((field.clone(), word.clone())),
            _ => None,
        })
        .collect()
}

#[test]
fn limits_read_as_the_statute_writes_them() {
    let law = Law::built_in();
    let limit = |document_type: &str, name: &str| {
        let table = law.on(TODAY).table(&document_type.parse().unwrap()).unwrap();
        let duty = table.duties.iter().find(|duty| duty.item.name == name).unwrap();
        let limit: &Limit = &duty.item.limit;
        Language::Both.of(&super::Phrases::new(&law).limit(limit))
    };
    expect!["within 10 days from effective date · 自生效之日起10日内"]
        .assert_eq(&limit("verdict_handover", "送达法律文书"));
    expect!["within 30 days from receipt, also if it ends on a holiday while the person is arrested · 自收到之日起30日内，被逮捕期间期满遇节假日不顺延"].assert_eq(&limit("revocation_proposal", "裁定"));
    expect!["within 48 hours from receipt · 自收到之日起48小时内"]
        .assert_eq(&limit("arrest_request", "是否逮捕的决定"));
    expect!["within 30 days from arrest, also if it ends on a holiday · 自执行逮捕之时起30日内，期满遇节假日不顺延"].assert_eq(&limit("arrest_executed", "羁押不得超过三十日: 裁定送达或释放"));
}

const LANGUAGE: &str = include_str!("../rules/LANGUAGE.md");

/// A word that the page for lawyers lacks, or tells in other Chinese than `law explain` does.
#[test]
fn the_page_about_the_language_has_every_word_with_its_chinese() {
    let mut rows = Vec::new();
    rows.extend(Kind::WORDS.iter().map(|(kind, word)| (*word, chinese::kinds(&[*kind]))));
    rows.extend(Level::WORDS.iter().map(|(level, word)| (*word, chinese::level(*level))));
    rows.extend(Place::WORDS.iter().map(|(place, word)| (*word, chinese::place(*place))));
    rows.extend(RoleRef::THREAD_WORDS.iter().map(|(r, word)| (*word, chinese::role_ref(*r))));
    rows.extend(Role::WORDS.iter().map(|(role, word)| (*word, chinese::role(*role))));
    rows.extend(Category::WORDS.iter().map(|(c, word)| (*word, chinese::category(*c))));
    rows.extend(Class::WORDS.iter().map(|(class, word)| (*word, chinese::class(*class))));
    rows.extend(Event::WORDS.iter().map(|(event, word)| (*word, chinese::event(*event))));
    rows.extend(State::WORDS.iter().map(|(state, word)| (*word, chinese::state(*state))));
    rows.extend(Step::WORDS.iter().map(|(step, word)| (*word, chinese::step(*step))));
    for (word, chinese) in rows {
        assert!(LANGUAGE.contains(&format!("\n| `{word}` | {chinese} |")), "{word}: {chinese}");
    }
}

#[test]
fn the_table_that_is_read_line_by_line_is_the_one_in_force() {
    let book = include_str!("../rules/act_2020.toml");
    let from = book.find("[document.verdict_handover]\n").unwrap();
    let to = book.find("[document.return_receipt]\n").unwrap();
    let blocks = LANGUAGE.split("```toml\n").skip(1);
    let read: String = blocks.map(|block| block.split("```").next().unwrap()).collect();
    assert_eq!(read, book[from..to].trim_end().to_owned() + "\n");
}
