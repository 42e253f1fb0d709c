//! Places: what each is read from.

use super::{found, kinds, unresolved};
use crate::domain::agency::{Kind, Level};
use crate::domain::document::Fact;
use crate::domain::relation::{Place, Relation, RoleRef, Unresolved};
use crate::domain::role::Role;
use crate::testing::{Stage, division, document_row};

fn place(stage: &Stage, place: Place) -> Vec<String> {
    stage.scene().place(place).unwrap().iter().map(ToString::to_string).collect()
}

fn no_place(stage: &Stage, place: Place, field: &str) {
    let error = Unresolved::NoPlace(place, field.to_owned());
    assert_eq!(stage.scene().place(place).unwrap_err(), error);
    let relation = Relation::OfPlace(Some(Level::County), kinds(&[Kind::Police]), place);
    assert_eq!(unresolved(stage, &relation), error);
}

fn name(stage: &mut Stage, field: &str, code: &str) {
    stage.document.facts.insert(field.to_owned(), Fact::Place(division(code)));
}

#[test]
fn the_place_of_execution_is_the_cases_unless_a_new_one_is_pending() {
    let mut stage = Stage::new("liwan-court", "440103");
    assert_eq!(place(&stage, Place::Execution), ["440103"]);
    stage.document.execution_place = Some(division("440104"));
    assert_eq!(place(&stage, Place::Execution), ["440103"], "another is not believed");
    assert_ne!(stage.scene().execution_place(), stage.document.execution_place.as_ref());
    stage.case.as_mut().unwrap().pending_place = Some(division("440104"));
    assert_eq!(place(&stage, Place::Execution), ["440104"]);
    assert_eq!(place(&stage, Place::Old), ["440103"]);
    stage.case = None;
    assert_eq!(place(&stage, Place::Execution), ["440104"]);
}

#[test]
fn what_nothing_tells_is_no_place() {
    let mut stage = Stage::new("liwan-court", "440103");
    stage.case = None;
    no_place(&stage, Place::Execution, "execution_place");
    no_place(&stage, Place::Old, "execution_place");
    no_place(&stage, Place::Intended, "intended_place");
    no_place(&stage, Place::New, "new_place");
    no_place(&stage, Place::Destination, "destination_place");
    no_place(&stage, Place::NewCase, "new_case_place");
    no_place(&stage, Place::Province, "execution_place");
}

#[test]
fn a_division_that_never_was_is_no_place() {
    let stage = Stage::new("liwan-court", "999999");
    no_place(&stage, Place::Execution, "execution_place");
}

#[test]
fn named_places_are_the_documents_or_those_of_what_it_answers() {
    let mut row = document_row("request", &["liwan-corrections"], &[]);
    for (field, code) in [("intended_place", "110105"), ("new_place", "429004")] {
        row.places.insert(field.to_owned(), division(code));
    }
    let mut stage = Stage::new("liwan-corrections", "440103").answering("liwan-court", row);
    stage.case.as_mut().unwrap().pending_place = Some(division("441900"));
    assert_eq!(place(&stage, Place::Intended), ["110105"]);
    assert_eq!(place(&stage, Place::New), ["429004"]);
    name(&mut stage, "intended_place", "440104");
    name(&mut stage, "new_place", "440104");
    name(&mut stage, "destination_place", "110108");
    name(&mut stage, "new_case_place", "GZZONE");
    assert_eq!(place(&stage, Place::Intended), ["440104"]);
    assert_eq!(place(&stage, Place::New), ["440104"]);
    assert_eq!(place(&stage, Place::Destination), ["110108"]);
    assert_eq!(place(&stage, Place::NewCase), ["GZZONE"]);
}

#[test]
fn a_pending_move_is_the_new_place_and_no_other() {
    let mut stage = Stage::new("liwan-corrections", "440103");
    stage.case.as_mut().unwrap().pending_place = Some(division("441900"));
    assert_eq!(place(&stage, Place::New), ["441900"]);
    no_place(&stage, Place::Destination, "destination_place");
    no_place(&stage, Place::Intended, "intended_place");
}

#[test]
fn the_province_of_execution_is_a_province() {
    assert_eq!(place(&Stage::new("liwan-court", "440103"), Place::Province), ["440000"]);
    assert_eq!(place(&Stage::new("liwan-court", "429004"), Place::Province), ["420000"]);
}

#[test]
fn decision_and_custody_are_where_the_agencies_serve() {
    let stage = Stage::new("liwan-corrections", "440103")
        .with_role(Role::DecisionOrgan, "bj-court-3")
        .with_role(Role::Custodian, "panyu-prison");
    assert_eq!(place(&stage, Place::Decision), ["110105", "110112"]);
    assert_eq!(place(&stage, Place::Custody), ["440113"]);
    let court = Relation::OfPlace(None, kinds(&[Kind::IntermediateCourt]), Place::Custody);
    assert_eq!(found(&stage, &court), ["gz-court"]);
    let procuratorate =
        Relation::OfPlace(Some(Level::City), kinds(&[Kind::Procuratorate]), Place::Decision);
    assert_eq!(found(&stage, &procuratorate), ["bj-procuratorate-3"]);
}

#[test]
fn the_place_of_an_unknown_custodian_asks_for_the_custodian() {
    let stage = Stage::new("liwan-corrections", "440103");
    let custodian = RoleRef::Case(Role::Custodian);
    let error = Unresolved::RoleUnknown(custodian, "custodian".to_owned());
    assert_eq!(stage.scene().place(Place::Custody).unwrap_err(), error);
    let nowhere = stage
        .with_role(Role::Custodian, "panyu-prison")
        .changing("panyu-prison", |a| a.serves.clear());
    no_place(&nowhere, Place::Custody, "custodian");
}
