//! One person's way, from verdict to release and, on the other branch, back to prison.

use super::*;
use crate::domain::custody::CustodyChange;
use crate::domain::record::RuledEffect;

fn answers(nation: &Nation, sent: &Sent) -> (State, Option<String>) {
    let custody = &nation.case(sent).custody;
    (custody.state, custody.answers.as_ref().map(ToString::to_string))
}

fn in_correction(nation: &mut Nation) -> Sent {
    let sent = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    let registered = Paper::new("liwan-corrections", "registration_record").answering(&sent);
    let registered = nation.send(registered).unwrap();
    assert!(registered.flags().is_empty(), "{:?}", registered.flags());
    sent
}

#[test]
fn registration_makes_the_agency_answer_and_closes_the_limit_to_report() {
    let mut nation = Nation::new();
    let sent = in_correction(&mut nation);
    let liwan = Some("liwan-corrections".to_owned());
    assert_eq!(answers(&nation, &sent), (State::InCorrection, liwan));
    let report = &nation.duties("报到")[0];
    assert!(matches!(report.state, DutyState::Closed { outcome: Outcome::Met, .. }));
    assert_eq!(due(nation.duties("解除矫正")[0]), "2027-01-02 00:00");
}

#[test]
fn a_change_of_place_hands_the_person_over() {
    let mut nation = Nation::new();
    let sent = in_correction(&mut nation);
    let asked = Paper::new("liwan-corrections", "transfer_consultation")
        .about(1, Category::Probation)
        .place("new_place", "440104")
        .with("application_date", date(11, 2));
    let asked = nation.send(asked).unwrap();
    assert_eq!(asked.route(), "yuexiu-corrections / ");
    let reply = Paper::new("yuexiu-corrections", "transfer_consultation_reply")
        .answering(&asked)
        .word("outcome", "approved");
    nation.send(reply).unwrap();
    let decided = Paper::new("liwan-corrections", "place_change_decision")
        .about(1, Category::Probation)
        .place("new_place", "440104")
        .with("decision_date", date(11, 5));
    let decided = nation.send(decided).unwrap();
    assert_eq!(decided.route(), "liwan-court yuexiu-corrections / ");
    let moved = Paper::new("liwan-corrections", "file_transfer")
        .answering(&decided)
        .place("new_place", "440104");
    let moved = nation.send(moved).unwrap();
    let liwan = Some("liwan-corrections".to_owned());
    assert_eq!(answers(&nation, &sent), (State::Moving, liwan));
    let registered = Paper::new("yuexiu-corrections", "registration_record").answering(&moved);
    let registered = nation.send(registered).unwrap();
    assert!(registered.flags().is_empty(), "{:?}", registered.flags());
    let yuexiu = Some("yuexiu-corrections".to_owned());
    assert_eq!(answers(&nation, &sent), (State::InCorrection, yuexiu));
    assert_eq!(nation.case(&sent).place, Some(testing::division("440104")));
    let release = nation.duties("解除矫正");
    let owners: Vec<&str> =
        release.iter().filter(|d| d.is_owed()).map(|d| d.owner.agency().as_str()).collect();
    assert_eq!(owners, ["yuexiu-corrections"]);
}

#[test]
fn revocation_leads_to_custody() {
    let mut nation = Nation::new();
    let sent = in_correction(&mut nation);
    let lonely = Paper::new("liwan-corrections", "arrest_request").about(1, Category::Probation);
    assert_eq!(reason(nation.send(lonely)).0, Reason::NoAgency);
    let proposal = || {
        Paper::new("liwan-corrections", "revocation_proposal")
            .about(1, Category::Probation)
            .choosing(&["liwan-court"])
    };
    let proposed = nation.send(proposal()).unwrap();
    assert_eq!(proposed.route(), "liwan-court / liwan-procuratorate");
    assert_eq!(reason(nation.send(proposal())).0, Reason::Forbidden);
    assert!(nation.case(&sent).custody.proposal);
    let arrest = Paper::new("liwan-corrections", "arrest_request").about(1, Category::Probation);
    let arrest = nation.send(arrest).unwrap();
    assert_eq!(arrest.route(), "liwan-court / liwan-procuratorate");
    nation.acknowledge("liwan-court", 2).unwrap();
    assert_eq!(due(nation.duties("是否逮捕的决定")[0]), "2026-11-04 11:00");
    let decision =
        Paper::new("liwan-court", "arrest_decision").answering(&arrest).word("outcome", "arrest");
    let decision = nation.send(decision).unwrap();
    assert!(decision.route().contains("liwan-police"), "{}", decision.route());
    let ruling = Paper::new("liwan-court", "revocation_ruling")
        .number("（2026）粤刑更1号")
        .answering(&proposed)
        .word("outcome", "revoked")
        .with("effective_date", date(11, 2));
    let ruling = nation.send(ruling).unwrap();
    let police = Some("liwan-police".to_owned());
    assert_eq!(answers(&nation, &sent), (State::Revoked, police.clone()));
    assert!(!nation.case(&sent).custody.proposal);
    let delivery = Paper::new("liwan-police", "delivery_to_custody")
        .answering(&ruling)
        .choosing(&["liwan-detention"]);
    let delivery = nation.send(delivery).unwrap();
    assert_eq!(answers(&nation, &sent), (State::Delivered, police));
    let receipt = Paper::new("liwan-detention", "custody_receipt").answering(&delivery);
    nation.send(receipt).unwrap();
    assert_eq!(answers(&nation, &sent), (State::Imprisoned, None));
    let release = &nation.duties("解除矫正")[0];
    assert!(matches!(release.state, DutyState::Closed { outcome: Outcome::Cancelled, .. }));
}

#[test]
fn a_ruling_that_refuses_leaves_the_person_in_correction() {
    let mut nation = Nation::new();
    let sent = in_correction(&mut nation);
    let proposal = Paper::new("liwan-corrections", "revocation_proposal")
        .about(1, Category::Probation)
        .choosing(&["liwan-court"]);
    let proposed = nation.send(proposal).unwrap();
    let ruling = Paper::new("liwan-court", "revocation_ruling")
        .number("（2026）粤刑更1号")
        .answering(&proposed)
        .word("outcome", "refused");
    nation.send(ruling).unwrap();
    let liwan = Some("liwan-corrections".to_owned());
    assert_eq!(answers(&nation, &sent), (State::InCorrection, liwan));
    assert!(nation.duties("解除矫正")[0].is_owed());
}

#[test]
fn a_prisoner_is_offered_and_accepted() {
    let mut nation = Nation::new();
    let decided = Paper::new("gd-prisons", "temporary_release_decision")
        .about(1, Category::TemporaryRelease)
        .at("440103")
        .number("（2026）粤监字1号")
        .agency("custodian", "panyu-prison")
        .agency("original_court", "liwan-court")
        .with("decision_date", date(11, 2));
    let decided = nation.send(decided).unwrap();
    let prison = Some("panyu-prison".to_owned());
    assert_eq!(answers(&nation, &decided), (State::Confined, prison.clone()));
    let moved = Paper::new("panyu-prison", "person_transfer").about(1, Category::TemporaryRelease);
    let moved = nation.send(moved).unwrap();
    assert!(moved.flags().is_empty(), "{:?}", moved.flags());
    assert_eq!(answers(&nation, &decided), (State::Offered, prison));
    let accepted = Paper::new("liwan-corrections", "registration_record").answering(&moved);
    nation.send(accepted).unwrap();
    let liwan = Some("liwan-corrections".to_owned());
    assert_eq!(answers(&nation, &decided), (State::InCorrection, liwan));
    let former = nation.case(&decided).roles.get(&Role::FormerCustodian);
    assert_eq!(former, Some(&testing::code("panyu-prison")));
}

#[test]
fn registration_without_papers_is_taken_and_flagged() {
    let mut nation = Nation::new();
    let registered = Paper::new("liwan-corrections", "registration_record")
        .about(1, Category::Probation)
        .at("440103")
        .number("（2026）粤刑初1号")
        .agency("decision_organ", "liwan-court");
    let registered = nation.send(registered).unwrap();
    assert!(!registered.flags().is_empty());
    assert_eq!(nation.case(&registered).custody.state, State::InCorrection);
}

#[test]
fn before_an_intermediate_court_the_city_agency_proposes_to_revoke() {
    let mut nation = Nation::new();
    let mut paper = verdict("gz-court", "440103", 1);
    paper.0.subject.as_mut().unwrap().category = Some(Category::Parole);
    paper = paper.agency("file_holder", "panyu-prison");
    let sent = nation.send(paper).unwrap();
    nation.send(Paper::new("liwan-corrections", "registration_record").answering(&sent)).unwrap();
    let proposal = |by: &str| {
        let paper = Paper::new(by, "revocation_proposal").about(1, Category::Parole);
        paper.choosing(&["gz-court"])
    };
    assert_eq!(reason(nation.send(proposal("liwan-corrections"))).0, Reason::NotEntitled);
    let proposed = nation.send(proposal("gz-corrections")).unwrap();
    assert_eq!(proposed.route(), "gz-court / gz-procuratorate gz-police panyu-prison");
    assert!(nation.case(&sent).custody.proposal);
}

#[test]
fn a_penalty_for_breach_of_supervision_is_no_paper_against_a_parolee() {
    let mut nation = Nation::new();
    let mut paper = verdict("gz-court", "440103", 1);
    paper.0.subject.as_mut().unwrap().category = Some(Category::Parole);
    let sent = nation.send(paper).unwrap();
    nation.send(Paper::new("liwan-corrections", "registration_record").answering(&sent)).unwrap();
    let proposal = |ground: &str| {
        Paper::new("liwan-corrections", "penalty_proposal")
            .about(1, Category::Parole)
            .word("ground", ground)
    };
    assert_eq!(reason(nation.send(proposal("supervision violation"))).0, Reason::Forbidden);
}

#[test]
fn a_release_while_a_proposal_is_open_is_taken_and_flagged() {
    let mut nation = Nation::new();
    let sent = in_correction(&mut nation);
    let proposal = Paper::new("liwan-corrections", "revocation_proposal")
        .about(1, Category::Probation)
        .choosing(&["liwan-court"]);
    nation.send(proposal).unwrap();
    let release = Paper::new("liwan-corrections", "release_notice").about(1, Category::Probation);
    let release = nation.send(release).unwrap();
    assert!(release.flags().contains(&"STILL_OPEN"), "{:?}", release.flags());
    assert_eq!(nation.case(&sent).custody.state, State::Released);
}

#[test]
fn a_withdrawn_proposal_opens_nothing_any_more() {
    let mut nation = Nation::new();
    let sent = in_correction(&mut nation);
    let proposal = Paper::new("liwan-corrections", "revocation_proposal")
        .about(1, Category::Probation)
        .choosing(&["liwan-court"]);
    let proposed = nation.send(proposal).unwrap();
    let withdrawal = || Paper::new("liwan-corrections", "withdrawal").answering(&proposed);
    let withdrawn = nation.send(withdrawal()).unwrap();
    assert!(withdrawn.closed().contains(&Outcome::Withdrawn));
    assert!(!nation.case(&sent).custody.proposal);
    assert_eq!(reason(nation.send(withdrawal())).0, Reason::Forbidden);
    let _ = proposed.index;
}

/// What a document's record says of custody.
fn told(sent: &Sent) -> Vec<CustodyChange> {
    let change = |ruled: &RuledEffect| match &ruled.effect {
        Effect::Custody { change, .. } => Some(change.clone()),
        _ => None,
    };
    sent.record.effects.iter().filter_map(change).collect()
}

/// The records of other documents are read by their addressees: whether a proposal is open, or the
/// person arrested, makes no difference to what they say (P7).
#[test]
fn no_other_record_tells_of_an_arrest_or_a_proposal() {
    let (mut free, mut held) = (Nation::new(), Nation::new());
    let sent = in_correction(&mut free);
    assert_eq!(in_correction(&mut held).index, sent.index);
    let proposal = Paper::new("liwan-corrections", "revocation_proposal")
        .about(1, Category::Probation)
        .choosing(&["liwan-court"]);
    held.send(proposal).unwrap();
    let request = Paper::new("liwan-corrections", "arrest_request").about(1, Category::Probation);
    let request = held.send(request).unwrap();
    let decision =
        Paper::new("liwan-court", "arrest_decision").answering(&request).word("outcome", "arrest");
    let decision = held.send(decision).unwrap();
    let executed = Paper::new("liwan-police", "arrest_executed")
        .answering(&decision)
        .agency("guard", "liwan-detention")
        .with("arrest_time", Fact::Time(held.time));
    let executed = held.send(executed).unwrap();
    let arrest = &told(&executed)[0];
    assert_eq!((arrest.arrested, &arrest.moved), (Some(true), &None));
    let custody = &held.case(&sent).custody;
    assert!(custody.arrested && custody.proposal && custody.guard.is_some());

    for paper in [
        || Paper::new("liwan-corrections", "lost_contact_notice"),
        || Paper::new("liwan-corrections", "death_notice"),
    ] {
        let paper = || paper().about(1, Category::Probation);
        let [free, held] =
            [&mut free, &mut held].map(|nation| told(&nation.send(paper()).unwrap()));
        assert!(!free.is_empty());
        assert_eq!(free, held);
    }
}

#[test]
fn who_orders_that_a_person_be_held_is_not_who_holds_them() {
    let mut nation = Nation::new();
    in_correction(&mut nation);
    let held = |guard: &str| {
        Paper::new("liwan-court", "coercive_measure_notice")
            .about(1, Category::Probation)
            .agency("guard", guard)
    };
    for guard in ["liwan-court", "liwan-procuratorate", "liwan-corrections"] {
        assert_eq!(reason(nation.send(held(guard))), (Reason::ChoiceUnfit, "guard".to_owned()));
    }
    nation.send(held("liwan-detention")).unwrap();
}
