//! Roles: in which order they are asked for, and what each falls back to.

use super::{fits, found, several, unresolved};
use crate::domain::document::Fact;
use crate::domain::relation::{Relation, RoleRef, Unresolved};
use crate::domain::role::Role;
use crate::testing::{Stage, code, document_row};

fn holder(stage: &Stage, role: impl Into<RoleRef>) -> Option<String> {
    stage.scene().role(role.into()).map(|code| code.to_string())
}

impl From<Role> for RoleRef {
    fn from(role: Role) -> Self {
        Self::Case(role)
    }
}

fn name(stage: &mut Stage, role: Role, agency: &str) {
    stage.document.facts.insert(role.field(), Fact::Agency(code(agency)));
}

#[test]
fn roles_of_the_thread() {
    let row = document_row("request", &["liwan-court", "yuexiu-court"], &["gz-court"]);
    let mut stage = Stage::new("liwan-police", "440103").answering("liwan-corrections", row);
    stage.addressee = Some(code("gz-police"));
    assert_eq!(holder(&stage, RoleRef::Sender).unwrap(), "liwan-police");
    assert_eq!(holder(&stage, RoleRef::Addressee).unwrap(), "gz-police");
    assert_eq!(holder(&stage, RoleRef::Asker).unwrap(), "liwan-corrections");
    assert_eq!(holder(&stage, RoleRef::Asked).unwrap(), "liwan-court");
    let first = Stage::new("liwan-police", "440103");
    assert_eq!(holder(&first, RoleRef::Addressee), None);
    assert_eq!(holder(&first, RoleRef::Asker), None);
    assert_eq!(holder(&first, RoleRef::Asked), None);
}

#[test]
fn the_document_before_what_it_gives_before_the_case() {
    let mut stage = Stage::new("liwan-court", "440103").with_role(Role::Custodian, "panyu-prison");
    assert_eq!(holder(&stage, Role::Custodian).unwrap(), "panyu-prison");
    stage.given.insert(Role::Custodian, code("conghua-prison"));
    assert_eq!(holder(&stage, Role::Custodian).unwrap(), "conghua-prison");
    name(&mut stage, Role::Custodian, "liwan-detention");
    assert_eq!(holder(&stage, Role::Custodian).unwrap(), "liwan-detention");
}

#[test]
fn every_role_is_read_from_its_field_and_from_the_case() {
    for (role, word) in Role::WORDS {
        let mut stage = Stage::new("liwan-police", "440103").with_role(*role, "liwan-detention");
        assert_eq!(holder(&stage, *role).unwrap(), "liwan-detention", "{word}");
        name(&mut stage, *role, "panyu-prison");
        assert_eq!(holder(&stage, *role).unwrap(), "panyu-prison", "{word}");
    }
}

#[test]
fn a_role_without_fallback_is_unknown_by_its_field() {
    let stage = Stage::new("liwan-court", "440103");
    for role in [
        Role::RulingOrgan,
        Role::Custodian,
        Role::FormerCustodian,
        Role::FileHolder,
        Role::Guard,
        Role::OldAgency,
        Role::NewAgency,
        Role::Deliverer,
    ] {
        let relation = Relation::Role(role.into());
        let error = Unresolved::RoleUnknown(role.into(), role.field());
        assert_eq!(unresolved(&stage, &relation), error);
        assert!(!fits(&stage, "liwan-court", &relation));
    }
}

#[test]
fn an_agency_that_the_directory_does_not_have_holds_no_role() {
    let mut stage = Stage::new("liwan-court", "440103").with_role(Role::Custodian, "panyu-prison");
    name(&mut stage, Role::Custodian, "nobody");
    let error = Unresolved::RoleUnknown(Role::Custodian.into(), "custodian".to_owned());
    assert_eq!(unresolved(&stage, &Relation::Role(Role::Custodian.into())), error);
}

#[test]
fn successors_hold_the_role() {
    let stage = Stage::new("liwan-court", "440103")
        .with_role(Role::Custodian, "panyu-prison")
        .changing("panyu-prison", |a| a.successor = Some(code("conghua-prison")));
    assert_eq!(holder(&stage, Role::Custodian).unwrap(), "conghua-prison");
}

#[test]
fn a_case_that_is_being_opened_is_decided_by_its_sender() {
    let mut stage = Stage::new("liwan-court", "440103");
    assert_eq!(holder(&stage, Role::DecisionOrgan).unwrap(), "liwan-court");
    assert_eq!(holder(&stage, Role::OriginalCourt).unwrap(), "liwan-court");
    name(&mut stage, Role::DecisionOrgan, "gd-prisons");
    assert_eq!(holder(&stage, Role::DecisionOrgan).unwrap(), "gd-prisons");
    assert_eq!(holder(&stage, Role::OriginalCourt), None, "a prison administration is no court");
    stage.case = None;
    stage.document.facts.clear();
    assert_eq!(holder(&stage, Role::DecisionOrgan), None);
}

#[test]
fn the_file_is_where_the_person_was() {
    let custodian =
        Stage::new("liwan-court", "440103").with_role(Role::Custodian, "liwan-detention");
    assert_eq!(holder(&custodian, Role::FileHolder).unwrap(), "liwan-detention");
    let former =
        Stage::new("liwan-court", "440103").with_role(Role::FormerCustodian, "panyu-prison");
    assert_eq!(holder(&former, Role::FileHolder).unwrap(), "panyu-prison");
    let police = former.with_role(Role::Custodian, "liwan-police");
    assert_eq!(holder(&police, Role::FileHolder).unwrap(), "panyu-prison", "police keep no file");
}

#[test]
fn before_registration_the_county_agency_is_responsible() {
    let responsible = Relation::Role(Role::ResponsibleAgency.into());
    let stage = Stage::new("liwan-court", "440103");
    assert_eq!(found(&stage, &responsible), ["liwan-corrections"]);
    let zone = Stage::new("zone-court", "GZZONE");
    assert_eq!(found(&zone, &responsible), ["gz-corrections in lieu"]);
    let split = Stage::new("liwan-court", "440199");
    let both = several(&["liwan-corrections", "yuexiu-corrections"]);
    assert_eq!(unresolved(&split, &responsible), both);
    assert_eq!(holder(&split, Role::ResponsibleAgency), None);
    let registered = zone.with_role(Role::ResponsibleAgency, "yuexiu-corrections");
    assert_eq!(found(&registered, &responsible), ["yuexiu-corrections"]);
}
