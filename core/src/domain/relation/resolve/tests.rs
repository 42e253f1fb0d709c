use super::Unresolved;
use crate::domain::agency::{Kind, Level};
use crate::domain::relation::{Kinds, Place, Relation, RoleRef};
use crate::domain::role::Role;
use crate::testing::{Stage, code, division};

mod forms;
mod places;
mod roles;

fn kinds(kinds: &[Kind]) -> Kinds {
    Kinds(kinds.to_vec())
}

fn court() -> Kinds {
    kinds(&[Kind::SpecialCourt, Kind::BasicCourt, Kind::IntermediateCourt, Kind::HighCourt])
}

fn of_place(level: impl Into<Option<Level>>, kind: Kind) -> Relation {
    Relation::OfPlace(level.into(), kinds(&[kind]), Place::Execution)
}

fn level_with(kind: Kind, role: RoleRef) -> Relation {
    Relation::LevelWith(Some(kinds(&[kind])), role, Place::Execution)
}

/// The codes that a relation resolves to, those in lieu marked.
fn found(stage: &Stage, relation: &Relation) -> Vec<String> {
    let found = stage.scene().resolve(relation).unwrap();
    let text = |f: super::Found| format!("{}{}", f.agency, if f.in_lieu { " in lieu" } else { "" });
    found.into_iter().map(text).collect()
}

fn unresolved(stage: &Stage, relation: &Relation) -> Unresolved {
    stage.scene().resolve(relation).unwrap_err()
}

fn fits(stage: &Stage, agency: &str, relation: &Relation) -> bool {
    stage.scene().fits(&code(agency), relation)
}

fn several(codes: &[&str]) -> Unresolved {
    Unresolved::Several(codes.iter().map(|text| code(text)).collect())
}

// The counter-examples of the rulebook.

#[test]
fn dongguan_must_name_one_of_three_procuratorates() {
    let mut stage = Stage::new("dg-court-1", "441900");
    let procuratorate = of_place(Level::County, Kind::Procuratorate);
    let three = ["dg-procuratorate-1", "dg-procuratorate-2", "dg-procuratorate-3"];
    assert_eq!(unresolved(&stage, &procuratorate), several(&three));
    assert_eq!(stage.scene().candidates(&procuratorate), three.map(code));
    assert!(fits(&stage, "dg-procuratorate-3", &procuratorate));
    assert!(!fits(&stage, "dg-procuratorate", &procuratorate));

    stage.document.chosen = vec![code("liwan-court"), code("dg-procuratorate-2")];
    assert_eq!(found(&stage, &procuratorate), ["dg-procuratorate-2"]);
    stage.document.chosen.push(code("dg-procuratorate-3"));
    assert_eq!(unresolved(&stage, &procuratorate), several(&three));
}

#[test]
fn dongguans_city_police_act_at_county_level() {
    let stage = Stage::new("dg-court-1", "441900");
    assert_eq!(found(&stage, &of_place(Level::County, Kind::Police)), ["dg-police"]);
    assert_eq!(found(&stage, &of_place(Level::City, Kind::Police)), ["dg-police"]);
    let corrections = of_place(Level::County, Kind::CorrectionsAgency);
    assert_eq!(found(&stage, &corrections), ["dg-corrections"]);
}

#[test]
fn chaoyang_has_the_third_intermediate_court_by_serves() {
    let mut stage = Stage::new("chaoyang-corrections", "110105");
    assert_eq!(found(&stage, &of_place(None, Kind::IntermediateCourt)), ["bj-court-3"]);
    stage.addressee = Some(code("bj-court-3"));
    let procuratorate = level_with(Kind::Procuratorate, RoleRef::Addressee);
    assert_eq!(found(&stage, &procuratorate), ["bj-procuratorate-3"]);
}

#[test]
fn chaoyangs_commutation_review_goes_to_the_municipality() {
    let stage = Stage::new("chaoyang-corrections", "110105");
    let corrections = kinds(&[Kind::CorrectionsAgency]);
    let review = Relation::Over(corrections, Level::City, RoleRef::Sender);
    assert_eq!(found(&stage, &review), ["bj-corrections"]);
}

#[test]
fn xiantao_has_the_hanjiang_intermediate_court() {
    let stage = Stage::new("xiantao-corrections", "429004");
    assert_eq!(found(&stage, &of_place(None, Kind::IntermediateCourt)), ["hanjiang-court"]);
    assert_eq!(found(&stage, &of_place(None, Kind::HighCourt)), ["hb-high-court"]);
}

#[test]
fn shihezi_is_the_bingtuans() {
    let administration = of_place(Level::Provincial, Kind::PrisonAdministration);
    let shihezi = Stage::new("shihezi-corrections", "659001");
    assert_eq!(found(&shihezi, &administration), ["bt-prisons"]);
    assert!(!fits(&shihezi, "xj-prisons", &administration));
    assert_eq!(found(&shihezi, &of_place(Level::County, Kind::BasicCourt)), ["shihezi-court"]);
    let urumqi = Stage::new("xj-prisons", "650102");
    assert_eq!(found(&urumqi, &administration), ["xj-prisons"]);
}

#[test]
fn a_zone_has_the_city_in_lieu_but_its_own_court() {
    let mut stage = Stage::new("zone-court", "GZZONE");
    let corrections = of_place(Level::County, Kind::CorrectionsAgency);
    assert_eq!(found(&stage, &corrections), ["gz-corrections in lieu"]);
    assert_eq!(found(&stage, &of_place(Level::County, Kind::BasicCourt)), ["zone-court"]);
    assert_eq!(found(&stage, &of_place(Level::County, Kind::Police)), ["zone-police"]);
    // So the city proposes, to the zone's court.
    stage.addressee = Some(code("zone-court"));
    let proposer = level_with(Kind::CorrectionsAgency, RoleRef::Addressee);
    assert!(fits(&stage, "gz-corrections", &proposer));
}

#[test]
fn only_corrections_agencies_climb_to_another_level() {
    let stage = Stage::new("zone-court", "GZZONE");
    let detention = of_place(Level::County, Kind::DetentionCentre);
    assert_eq!(unresolved(&stage, &detention), Unresolved::NoAgency);
    let city = Stage::new("gz-court", "440100");
    let police = of_place(Level::County, Kind::Police);
    assert_eq!(unresolved(&city, &police), Unresolved::NoAgency);
}

#[test]
fn without_county_and_city_the_province_is_in_lieu() {
    let stage = Stage::new("bj-court-1", "110107");
    let corrections = of_place(Level::County, Kind::CorrectionsAgency);
    assert_eq!(found(&stage, &corrections), ["bj-corrections in lieu"]);
    let nowhere = Stage::new("xj-prisons", "650102");
    assert_eq!(unresolved(&nowhere, &corrections), Unresolved::NoAgency);
}

#[test]
fn a_railway_court_is_never_of_the_place_but_valid_as_original_court() {
    let role = RoleRef::Case(Role::OriginalCourt);
    let stage =
        Stage::new("yuexiu-corrections", "440104").with_role(Role::OriginalCourt, "rail-court");
    let of_the_place = Relation::OfPlace(Some(Level::County), court(), Place::Execution);
    assert_eq!(found(&stage, &of_the_place), ["yuexiu-court"]);
    assert!(!fits(&stage, "rail-court", &of_the_place));
    assert_eq!(found(&stage, &Relation::Role(role)), ["rail-court"]);
    let supervisor = Relation::SupervisingProcuratorate(role);
    assert_eq!(found(&stage, &supervisor), ["rail-procuratorate"]);
    // Another court of the same kind and level: a people's court at county level.
    let elsewhere = Relation::LevelWith(None, role, Place::Execution);
    assert_eq!(found(&stage, &elsewhere), ["yuexiu-court"]);
}

#[test]
fn an_abolished_district_leads_to_its_successors() {
    let police = of_place(Level::County, Kind::Police);
    let renamed = Stage::new("liwan-court", "440198");
    assert_eq!(found(&renamed, &police), ["liwan-police"]);

    let mut split = Stage::new("liwan-court", "440199");
    assert_eq!(unresolved(&split, &police), several(&["liwan-police", "yuexiu-police"]));
    // Both lie in one city.
    assert_eq!(found(&split, &of_place(None, Kind::IntermediateCourt)), ["gz-court"]);
    split.document.chosen = vec![code("yuexiu-police")];
    assert_eq!(found(&split, &police), ["yuexiu-police"]);
    // A document that names today's division has chosen too.
    split.document.chosen.clear();
    split.document.execution_place = Some(division("440103"));
    assert_eq!(found(&split, &police), ["liwan-police"]);
}

#[test]
fn to_an_intermediate_original_court_the_city_agency_proposes() {
    let proposer = level_with(Kind::CorrectionsAgency, RoleRef::Addressee);
    let mut stage = Stage::new("liwan-corrections", "440103");
    stage.addressee = Some(code("gz-court"));
    assert!(fits(&stage, "gz-corrections", &proposer));
    assert!(!fits(&stage, "liwan-corrections", &proposer));
    stage.addressee = Some(code("liwan-court"));
    assert!(fits(&stage, "liwan-corrections", &proposer));
    assert!(!fits(&stage, "gz-corrections", &proposer));
    stage.addressee = None;
    assert!(!fits(&stage, "gz-corrections", &proposer));
}

#[test]
fn climbing_to_the_nearest_ancestor_keeps_the_level() {
    let stage = Stage::new("liwan-court", "440103");
    assert_eq!(found(&stage, &of_place(None, Kind::IntermediateCourt)), ["gz-court"]);
    assert_eq!(found(&stage, &of_place(Level::City, Kind::Police)), ["gz-police"]);
    // Without a level the nearest wins.
    assert_eq!(found(&stage, &of_place(None, Kind::Police)), ["liwan-police"]);
    assert_eq!(found(&stage, &of_place(None, Kind::PrisonAdministration)), ["gd-prisons"]);
}

// Agencies in time.

#[test]
fn a_suspended_agency_is_still_who_the_law_means() {
    let stage =
        Stage::new("liwan-court", "440103").changing("liwan-corrections", |a| a.suspended = true);
    let corrections = of_place(Level::County, Kind::CorrectionsAgency);
    assert_eq!(found(&stage, &corrections), ["liwan-corrections"]);
}

#[test]
fn a_merger_alone_passes_routing_on() {
    let merge = |agency: &mut crate::domain::agency::Agency| {
        agency.successor = Some(code("yuexiu-police"));
    };
    let stage = Stage::new("liwan-court", "440103").changing("liwan-police", merge);
    let police = of_place(Level::County, Kind::Police);
    assert_eq!(found(&stage, &police), ["yuexiu-police"]);
    assert!(fits(&stage, "liwan-police", &police), "through its successor");
    let split = Stage::new("liwan-court", "440199").changing("liwan-police", merge);
    assert_eq!(found(&split, &police), ["yuexiu-police"], "one agency for both");
}

#[test]
fn who_chooses_a_merged_agency_chooses_its_successor() {
    let mut stage = Stage::new("dg-court-1", "441900").changing("dg-procuratorate-1", |a| {
        a.successor = Some(code("dg-procuratorate-2"));
    });
    stage.document.chosen = vec![code("dg-procuratorate-1")];
    let procuratorate = of_place(Level::County, Kind::Procuratorate);
    assert_eq!(found(&stage, &procuratorate), ["dg-procuratorate-2"]);
}

#[test]
fn an_agency_that_ended_or_has_not_begun_is_not_found() {
    let police = of_place(Level::County, Kind::Police);
    let ended = Stage::new("liwan-court", "440103")
        .changing("liwan-police", |a| a.valid_until = Some(crate::testing::NOW));
    assert_eq!(unresolved(&ended, &police), Unresolved::NoAgency);
    let not_begun = Stage::new("liwan-court", "440103")
        .changing("liwan-police", |a| a.valid_from = crate::ids::Time(2_000));
    assert_eq!(unresolved(&not_begun, &police), Unresolved::NoAgency);
}
