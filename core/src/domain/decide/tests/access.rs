//! Queries and showings: who may ask for what, and who learns of it.

use super::*;
use crate::domain::access::{Access, Ground, Purpose as QueryPurpose, Query};
use crate::testing::code;

fn query(agency: &str, topic: &str) -> AccessInput {
    let ground = Ground {
        purpose: QueryPurpose::Supervision,
        article: "社区矫正法 8".parse().unwrap(),
    };
    AccessInput {
        agency: code(agency),
        system: format!("{agency}-system").parse().unwrap(),
        method: "QueryPerson".to_owned(),
        cases: BTreeSet::new(),
        document: None,
        query: Some(Query { topic: topic.parse().unwrap(), ground }),
        by_query: None,
    }
}

fn recorded(nation: &mut Nation, input: AccessInput) -> Result<Access, Refusal> {
    match nation.decide(&Input::Access(Box::new(input)))? {
        Decision::Record(decided) => match decided.record.kind {
            Kind::Access(access) => Ok(*access),
            other => panic!("{other:?}"),
        },
        Decision::Known(known) => panic!("{known:?}"),
    }
}

#[test]
fn who_the_measures_name_may_query_and_nobody_else() {
    let mut nation = Nation::new();
    let entitled = [
        "yuexiu-court",
        "rail-court",
        "liwan-procuratorate",
        "yuexiu-police",
        "yuexiu-detention",
        "panyu-prison",
        "gd-prisons",
        "yuexiu-corrections",
    ];
    for agency in entitled {
        let access = recorded(&mut nation, query(agency, "supervision")).unwrap();
        assert_eq!(access.query.unwrap().query.topic.as_str(), "supervision", "{agency}");
    }
    let refused = recorded(&mut nation, query("hub", "supervision")).unwrap_err();
    assert_eq!(refused.reason(), Reason::TopicClosed);
    assert_eq!(refused.violations[0].articles, ["2020办法 11"]);
}

#[test]
fn a_topic_that_no_book_has_is_refused_with_those_that_there_are() {
    let mut nation = Nation::new();
    let refused = recorded(&mut nation, query("yuexiu-court", "gossip")).unwrap_err();
    let [violation] = &refused.violations[..] else { panic!("{refused}") };
    assert_eq!((violation.reason, &*violation.field), (Reason::Format, "topic"));
    assert!(violation.help.contains("coercive_measure"), "{}", violation.help);
    // Before the measures of 2020 there was none.
    nation.time = Time(shanghai_midnight_ms(jiff::civil::date(2020, 6, 30)));
    assert!(recorded(&mut nation, query("yuexiu-court", "supervision")).is_err());
}

#[test]
fn those_who_supervise_the_asker_and_whom_the_person_concerns_learn_of_it() {
    let mut nation = Nation::new();
    let case = CaseRef([9; 16]);
    let mut row = Case::default();
    row.roles.insert(Role::ResponsibleAgency, code("liwan-corrections"));
    row.custody.answers = Some(code("liwan-corrections"));
    // Who once had a paper of it is no longer concerned.
    row.parties.insert(code("dg-court"));
    nation.rows.insert(Key::Case(case), Row::Case(Box::new(row)));
    let input = AccessInput { cases: [case].into(), ..query("yuexiu-court", "handover") };
    let access = recorded(&mut nation, input).unwrap();
    let supervisors = ["liwan-procuratorate", "yuexiu-procuratorate"].map(code);
    assert_eq!(access.supervisors, supervisors.into());
    let showing = AccessInput {
        query: None,
        document: Some(LedgerIndex(3)),
        ..query("liwan-police", "handover")
    };
    let access = recorded(&mut nation, showing).unwrap();
    assert_eq!(access.supervisors, [code("liwan-procuratorate")].into());
}

#[test]
fn a_juveniles_case_is_sealed_from_the_end_of_correction_on() {
    let case = |juvenile, state| {
        let custody = crate::domain::custody::Custody { state, ..Default::default() };
        Case { juvenile, custody, ..Case::default() }
    };
    for state in [State::Released, State::Dead] {
        assert!(case(Some(true), state).is_sealed());
        assert!(!case(Some(false), state).is_sealed());
        assert!(!case(None, state).is_sealed());
    }
    for state in [State::InCorrection, State::Moving, State::Revoked, State::Imprisoned] {
        assert!(!case(Some(true), state).is_sealed());
    }
}
