//! Every form of relation, where it finds and where it does not.

use super::{fits, found, kinds, several, unresolved};
use crate::domain::agency::{Kind, Level};
use crate::domain::relation::{Place, Relation, RoleRef, Unresolved};
use crate::domain::role::Role;
use crate::limits::CANDIDATES;
use crate::testing::{Stage, code, document_row, document_type};

#[test]
fn within_accepts_any_of_the_area() {
    let mut stage = Stage::new("liwan-court", "440103");
    let prison = Relation::Within(None, kinds(&[Kind::Prison]), Place::Province);
    let both = several(&["conghua-prison", "panyu-prison"]);
    assert_eq!(unresolved(&stage, &prison), both);
    stage.document.chosen = vec![code("panyu-prison")];
    assert_eq!(found(&stage, &prison), ["panyu-prison"]);
    assert!(fits(&stage, "conghua-prison", &prison));

    let police = Relation::Within(Some(Level::City), kinds(&[Kind::Police]), Place::Province);
    assert!(fits(&stage, "dg-police", &police));
    assert!(!fits(&stage, "liwan-police", &police));
    let elsewhere = Stage::new("xiantao-corrections", "429004");
    assert_eq!(unresolved(&elsewhere, &prison), Unresolved::NoAgency);
}

#[test]
fn level_with_a_role() {
    let stage = Stage::new("gz-corrections", "440103");
    let police = super::level_with(Kind::Police, RoleRef::Sender);
    assert_eq!(found(&stage, &police), ["gz-police"]);
    let same_kind = Relation::LevelWith(None, RoleRef::Sender, Place::Execution);
    assert_eq!(found(&stage, &same_kind), ["gz-corrections"]);
    let organ = RoleRef::Case(Role::DecisionOrgan);
    let moved =
        Stage::new("liwan-corrections", "110105").with_role(Role::DecisionOrgan, "gz-court");
    let court_there = Relation::LevelWith(None, organ, Place::Execution);
    assert_eq!(found(&moved, &court_there), ["bj-court-3"]);
    let unknown = super::level_with(Kind::Police, RoleRef::Asker);
    let error = Unresolved::RoleUnknown(RoleRef::Asker, "in_reply_to".to_owned());
    assert_eq!(unresolved(&stage, &unknown), error);
}

#[test]
fn superiors_are_parent_links() {
    let stage = Stage::new("liwan-corrections", "440103");
    assert_eq!(found(&stage, &Relation::Superior(RoleRef::Sender)), ["gz-corrections"]);
    let corrections = kinds(&[Kind::CorrectionsAgency]);
    let provincial = Relation::Over(corrections, Level::Provincial, RoleRef::Sender);
    assert_eq!(found(&stage, &provincial), ["gd-corrections"]);
    let police = Relation::Over(kinds(&[Kind::Police]), Level::City, RoleRef::Sender);
    assert_eq!(unresolved(&stage, &police), Unresolved::NoAgency);
    let top = Stage::new("gd-corrections", "440103");
    assert_eq!(unresolved(&top, &Relation::Superior(RoleRef::Sender)), Unresolved::NoAgency);
}

#[test]
fn over_skips_those_of_another_kind_and_excludes_itself() {
    let centre = Stage::new("liwan-detention", "440103");
    let police = |level| Relation::Over(kinds(&[Kind::Police]), level, RoleRef::Sender);
    assert_eq!(found(&centre, &police(Level::City)), ["gz-police"]);
    assert_eq!(found(&centre, &police(Level::County)), ["liwan-police"]);
    let city = Stage::new("gz-police", "440103");
    assert_eq!(found(&city, &police(Level::City)), ["gd-police"]);
}

#[test]
fn links_follow_successors() {
    let stage = Stage::new("liwan-corrections", "440103")
        .changing("gz-corrections", |a| a.successor = Some(code("dg-corrections")))
        .changing("liwan-procuratorate", |a| a.successor = Some(code("yuexiu-procuratorate")));
    assert_eq!(found(&stage, &Relation::Superior(RoleRef::Sender)), ["dg-corrections"]);
    let supervisor = Relation::SupervisingProcuratorate(RoleRef::Sender);
    assert_eq!(found(&stage, &supervisor), ["yuexiu-procuratorate"]);
    let above = Stage { document: crate::testing::document("dg-corrections", "notice"), ..stage };
    let below = Relation::Under(kinds(&[Kind::CorrectionsAgency]), RoleRef::Sender);
    assert!(fits(&above, "yuexiu-corrections", &below));
}

#[test]
fn under_goes_down_any_number_of_steps() {
    let mut stage = Stage::new("gd-prisons", "440103");
    let prison = Relation::Under(kinds(&[Kind::Prison]), RoleRef::Sender);
    assert_eq!(unresolved(&stage, &prison), several(&["conghua-prison", "panyu-prison"]));
    stage.document.chosen = vec![code("conghua-prison")];
    assert_eq!(found(&stage, &prison), ["conghua-prison"]);

    let police = Stage::new("gd-police", "440103");
    let centre = Relation::Under(kinds(&[Kind::DetentionCentre]), RoleRef::Sender);
    assert!(fits(&police, "liwan-detention", &centre));
    assert!(fits(&police, "yuexiu-detention", &centre));
    assert_eq!(unresolved(&police, &prison), Unresolved::NoAgency);
}

#[test]
fn the_supervising_procuratorate_is_the_link() {
    let stage = Stage::new("panyu-prison", "440103");
    let supervisor = Relation::SupervisingProcuratorate(RoleRef::Sender);
    assert_eq!(found(&stage, &supervisor), ["gz-procuratorate"]);
    let unsupervised = Stage::new("xj-prisons", "650102");
    assert_eq!(unresolved(&unsupervised, &supervisor), Unresolved::NoAgency);
}

#[test]
fn those_who_got_the_answered_document() {
    let row = document_row(
        "verdict_handover",
        &["liwan-corrections", "liwan-detention"],
        &["liwan-police", "yuexiu-police", "liwan-procuratorate"],
    );
    let stage = Stage::new("liwan-corrections", "440103")
        .answering("liwan-court", row)
        .changing("liwan-police", |a| a.successor = Some(code("yuexiu-police")));
    let primaries = found(&stage, &Relation::AddresseesOfAnswered);
    assert_eq!(primaries, ["liwan-corrections", "liwan-detention"]);
    let copies = found(&stage, &Relation::CopiedWithAnswered);
    assert_eq!(copies, ["yuexiu-police", "liwan-procuratorate"]);
    assert!(fits(&stage, "liwan-procuratorate", &Relation::CopiedWithAnswered));
    assert!(!fits(&stage, "liwan-procuratorate", &Relation::AddresseesOfAnswered));
}

#[test]
fn what_answers_nothing_has_no_such_addressees() {
    let stage = Stage::new("liwan-corrections", "440103");
    assert!(found(&stage, &Relation::AddresseesOfAnswered).is_empty());
    assert!(found(&stage, &Relation::CopiedWithAnswered).is_empty());
}

#[test]
fn the_addressee_of_an_open_document() {
    let mut stage = Stage::new("liwan-corrections", "440103");
    let proposal = document_type("revocation_proposal");
    let relation = Relation::AddresseeOfOpen(proposal.clone());
    assert_eq!(unresolved(&stage, &relation), Unresolved::NoAgency);
    stage.open.insert(proposal, (code("liwan-corrections"), code("yuexiu-court")));
    assert_eq!(found(&stage, &relation), ["yuexiu-court"]);
}

#[test]
fn any_that_the_sender_supervises() {
    let stage = Stage::new("yuexiu-procuratorate", "440103")
        .changing("liwan-procuratorate", |a| a.successor = Some(code("yuexiu-procuratorate")));
    assert!(fits(&stage, "yuexiu-police", &Relation::AnySupervised));
    assert!(fits(&stage, "liwan-police", &Relation::AnySupervised));
    assert!(!fits(&stage, "gz-police", &Relation::AnySupervised));
    assert_eq!(stage.scene().candidates(&Relation::AnySupervised).len(), 8);
}

#[test]
fn any_agency_is_any_but_the_hub() {
    let stage = Stage::new("liwan-court", "440103");
    assert!(fits(&stage, "xj-prisons", &Relation::Any));
    assert!(!fits(&stage, "hub", &Relation::Any));
    assert!(!fits(&stage, "nobody", &Relation::Any));
}

#[test]
fn help_is_bounded() {
    let mut stage = Stage::new("liwan-court", "440103");
    let pattern = (**stage.directory.agency(&code("panyu-prison")).unwrap()).clone();
    for number in 0..2 * CANDIDATES {
        let code = code(&format!("prison-{number}"));
        stage.directory.put_agency(crate::domain::agency::Agency { code, ..pattern.clone() });
    }
    assert_eq!(stage.scene().candidates(&Relation::Any).len(), CANDIDATES);
    let prison = Relation::Within(None, kinds(&[Kind::Prison]), Place::Province);
    assert_eq!(stage.scene().candidates(&prison).len(), CANDIDATES);
    assert!(fits(&stage, "prison-127", &prison), "the bound is on the help, not on who fits");
    let unknown = Relation::Role(RoleRef::Asker);
    assert!(stage.scene().candidates(&unknown).is_empty());
}
