use super::{Atom, Condition};
use crate::domain::agency::Kind;
use crate::domain::document::{Category, Fact, Subject};
use crate::domain::relation::Kinds;
use crate::domain::role::Role;
use crate::testing::{Stage, code, document_row, document_type};

fn holds(stage: &Stage, atom: &Atom) -> bool {
    let scene = stage.scene();
    let holds = scene.holds(&Condition::All(vec![(true, atom.clone())]));
    assert_ne!(holds, scene.holds(&Condition::All(vec![(false, atom.clone())])));
    holds
}

fn decided_by(organ: &str, place: &str) -> Stage {
    Stage::new("liwan-corrections", place).with_role(Role::DecisionOrgan, organ)
}

fn subject() -> Subject {
    Subject { case: None, person: None, category: None, juvenile: None, born: None }
}

#[test]
fn places_differ_if_the_decision_organ_itself_does_not_serve_the_place() {
    assert!(!holds(&decided_by("liwan-court", "440103"), &Atom::PlacesDiffer));
    assert!(holds(&decided_by("liwan-court", "440104"), &Atom::PlacesDiffer));
    assert!(holds(&decided_by("gz-court", "440103"), &Atom::PlacesDiffer));
    assert!(!holds(&decided_by("bj-court-3", "110105"), &Atom::PlacesDiffer));
}

#[test]
fn a_renamed_district_is_the_same_place() {
    assert!(!holds(&decided_by("liwan-court", "440198"), &Atom::PlacesDiffer));
}

#[test]
fn places_differ_needs_two_places() {
    let mut nowhere = decided_by("liwan-court", "440104");
    nowhere.case.as_mut().unwrap().place = None;
    assert!(!holds(&nowhere, &Atom::PlacesDiffer));
    let mut by_nobody = Stage::new("liwan-corrections", "440104");
    by_nobody.case = None;
    by_nobody.document.execution_place = Some("440104".parse().unwrap());
    assert!(!holds(&by_nobody, &Atom::PlacesDiffer));
}

#[test]
fn a_new_place_is_the_old_one_and_the_one_that_was_answered_or_not() {
    let moving = |place: &str| {
        let mut decided = document_row("place_change_decision", &[], &[]);
        decided.places.insert("new_place".to_owned(), "440104".parse().unwrap());
        let mut stage =
            Stage::new("liwan-corrections", "440103").answering("liwan-corrections", decided);
        let place = Fact::Place(place.parse().unwrap());
        stage.document.facts.insert("new_place".to_owned(), place);
        stage
    };
    assert!(holds(&moving("440103"), &Atom::PlaceStays));
    assert!(!holds(&moving("440104"), &Atom::PlaceStays));
    assert!(!holds(&moving("440104"), &Atom::PlaceNotAsAnswered));
    assert!(holds(&moving("110105"), &Atom::PlaceNotAsAnswered));
    let mut silent = moving("110105");
    silent.document.facts.clear();
    assert!(!holds(&silent, &Atom::PlaceNotAsAnswered));
}

#[test]
fn provinces_differ_only_across_a_border() {
    assert!(!holds(&decided_by("yuexiu-court", "440103"), &Atom::ProvincesDiffer));
    assert!(holds(&decided_by("chaoyang-court", "440103"), &Atom::ProvincesDiffer));
    assert!(!holds(&decided_by("hanjiang-court", "429004"), &Atom::ProvincesDiffer));
}

#[test]
fn the_original_court_may_be_in_another_province_than_the_decision_organ() {
    let stage = decided_by("gd-prisons", "440103").with_role(Role::OriginalCourt, "chaoyang-court");
    assert!(holds(&stage, &Atom::CourtInAnotherProvince));
    assert!(!holds(&stage, &Atom::ProvincesDiffer));
    assert!(!holds(&decided_by("liwan-court", "440103"), &Atom::CourtInAnotherProvince));
}

#[test]
fn the_category_is_the_cases_before_the_subjects() {
    let mut stage = Stage::new("liwan-court", "440103");
    stage.document.subject = Some(Subject { category: Some(Category::Parole), ..subject() });
    assert!(holds(&stage, &Atom::CategoryIs(Category::Parole)));
    stage.case.as_mut().unwrap().category = Some(Category::Probation);
    assert!(!holds(&stage, &Atom::CategoryIs(Category::Parole)));
    assert!(holds(&stage, &Atom::CategoryIs(Category::Probation)));
    stage.case = None;
    assert!(holds(&stage, &Atom::CategoryIs(Category::Parole)));
}

#[test]
fn decided_by_asks_the_kind_of_the_decision_organ() {
    let courts = Atom::DecidedBy(Kinds(vec![Kind::BasicCourt, Kind::HighCourt]));
    assert!(holds(&decided_by("liwan-court", "440103"), &courts));
    assert!(!holds(&decided_by("gd-prisons", "440103"), &courts));
    let police = Atom::DecidedBy(Kinds(vec![Kind::Police]));
    assert!(holds(&decided_by("gz-police", "440103"), &police));
}

#[test]
fn case_or_document_makes_a_juvenile() {
    let mut stage = Stage::new("liwan-court", "440103");
    assert!(!holds(&stage, &Atom::SubjectIsJuvenile));
    stage.document.subject = Some(Subject { juvenile: Some(true), ..subject() });
    stage.case.as_mut().unwrap().juvenile = Some(false);
    assert!(holds(&stage, &Atom::SubjectIsJuvenile));
    stage.document.subject = Some(Subject { juvenile: Some(false), ..subject() });
    assert!(!holds(&stage, &Atom::SubjectIsJuvenile));
    stage.case.as_mut().unwrap().juvenile = Some(true);
    assert!(holds(&stage, &Atom::SubjectIsJuvenile));
}

#[test]
fn the_flags_are_custodys() {
    let mut stage = Stage::new("liwan-court", "440103");
    assert!(!holds(&stage, &Atom::PersonIsMissing));
    assert!(!holds(&stage, &Atom::Arrested));
    stage.case.as_mut().unwrap().custody.missing = true;
    assert!(holds(&stage, &Atom::PersonIsMissing));
    assert!(!holds(&stage, &Atom::Arrested));
    stage.case.as_mut().unwrap().custody.arrested = true;
    assert!(holds(&stage, &Atom::Arrested));
    stage.case = None;
    assert!(!holds(&stage, &Atom::PersonIsMissing));
    assert!(!holds(&stage, &Atom::Arrested));
}

#[test]
fn sender_and_answered_type() {
    let stage = Stage::new("liwan-police", "440103")
        .answering("liwan-court", document_row("arrest_decision", &["liwan-police"], &[]));
    assert!(holds(&stage, &Atom::SenderIs(Kinds(vec![Kind::Police]))));
    assert!(!holds(&stage, &Atom::SenderIs(Kinds(vec![Kind::Prison]))));
    assert!(holds(&stage, &Atom::Answers(document_type("arrest_decision"))));
    assert!(!holds(&stage, &Atom::Answers(document_type("verdict_handover"))));
    let first = Stage::new("liwan-police", "440103");
    assert!(!holds(&first, &Atom::Answers(document_type("arrest_decision"))));
}

#[test]
fn what_a_case_has_received() {
    let received = Atom::Received(document_type("verdict_handover"));
    let mut stage = Stage::new("liwan-court", "440103");
    assert!(!holds(&stage, &received));
    stage.case.as_mut().unwrap().seen.insert(document_type("decision_notice"));
    assert!(!holds(&stage, &received));
    stage.case.as_mut().unwrap().seen.insert(document_type("verdict_handover"));
    assert!(holds(&stage, &received));
    stage.case = None;
    assert!(!holds(&stage, &received), "without a case nothing was received in it");
}

#[test]
fn a_field_is_a_word_or_a_bool() {
    let mut stage = Stage::new("liwan-court", "440103");
    let facts = &mut stage.document.facts;
    facts.insert("procedure".to_owned(), Fact::Word("ruled ex officio".to_owned()));
    facts.insert("file_moves".to_owned(), Fact::Bool(true));
    facts.insert("reasons".to_owned(), Fact::Text("true".to_owned()));
    let field = |name: &str, value: &str| Atom::FieldIs(name.to_owned(), value.to_owned());
    assert!(holds(&stage, &field("procedure", "ruled ex officio")));
    assert!(!holds(&stage, &field("procedure", "ruled")));
    assert!(holds(&stage, &field("file_moves", "true")));
    assert!(!holds(&stage, &field("file_moves", "false")));
    assert!(!holds(&stage, &field("reasons", "true")));
    assert!(!holds(&stage, &field("unset", "false")));
}

#[test]
fn all_and_any() {
    let mut stage = Stage::new("liwan-court", "440103");
    stage.case.as_mut().unwrap().custody.missing = true;
    let (yes, no) = ((true, Atom::PersonIsMissing), (true, Atom::Arrested));
    let not_no = (false, Atom::Arrested);
    let scene = stage.scene();
    assert!(scene.holds(&Condition::All(vec![yes.clone(), not_no.clone()])));
    assert!(!scene.holds(&Condition::All(vec![yes.clone(), no.clone()])));
    assert!(scene.holds(&Condition::Any(vec![no.clone(), yes])));
    assert!(!scene.holds(&Condition::Any(vec![no.clone(), no.clone()])));
    assert!(scene.holds(&Condition::Any(vec![no, not_no])));
}

#[test]
fn the_organ_that_a_document_names_counts_before_the_cases() {
    let mut stage = decided_by("liwan-court", "440104");
    let organ = Fact::Agency(code("yuexiu-court"));
    stage.document.facts.insert("decision_organ".to_owned(), organ);
    assert!(!holds(&stage, &Atom::PlacesDiffer));
}
