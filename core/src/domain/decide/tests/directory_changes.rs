//! Operators change the directory.

use super::*;
use crate::domain::agency::{Agency, Kind as AgencyKind};
use crate::domain::record::{Clock, RuledEffect};

fn change(nation: &Nation, id: u8, operators: &[&str], changes: Vec<Change>) -> Input {
    let signatures = operators.iter().map(|name| {
        let certificate = certificate(Purpose::Operator(name.parse().unwrap())).digest;
        crate::domain::record::Signature { algorithm: 1, certificate, value: Vec::new() }
    });
    let _ = nation;
    Input::Directory(Box::new(DirectoryInput {
        id: DocumentId([id; 16]),
        changes,
        statement: Signed { signatures: signatures.collect(), ..Signed::default() },
    }))
}

fn with_operators() -> Nation {
    let mut nation = Nation::new();
    for name in ["first", "second"] {
        nation.directory.put_certificate(certificate(Purpose::Operator(name.parse().unwrap())));
    }
    nation
}

fn agency(code: &str) -> Agency {
    let mut agency =
        (**testing::directory().agency(&testing::code("liwan-court")).unwrap()).clone();
    agency.code = testing::code(code);
    agency
}

#[test]
fn a_signed_change_is_made_once() {
    let mut nation = with_operators();
    let put = || vec![Change::PutAgency(Box::new(agency("new-court")))];
    let input = change(&nation, 1, &["first"], put());
    assert!(matches!(nation.decide(&input), Ok(Decision::Record(_))));
    assert!(nation.rows.contains_key(&Key::Agency(testing::code("new-court"))));
    assert!(matches!(nation.decide(&input), Ok(Decision::Known(_))));
    let Input::Directory(mut other) = change(&nation, 1, &["first"], put()) else { unreachable!() };
    other.statement.payload = vec![1];
    let reused = nation.decide(&Input::Directory(other));
    assert_eq!(reason(reused), (Reason::DocumentIdReused, "change_id".to_owned()));
}

#[test]
fn only_its_like_takes_an_agencys_place_and_never_in_a_ring() {
    let mut nation = with_operators();
    let succeed = |code: &str, by: &str| {
        let mut agency = agency(code);
        agency.successor = Some(testing::code(by));
        vec![Change::PutAgency(Box::new(agency))]
    };
    let to_police = change(&nation, 1, &["first"], succeed("liwan-court", "liwan-police"));
    assert_eq!(reason(nation.decide(&to_police)).0, Reason::DirectoryUnfit);
    let mut yuexiu = (**nation.directory.agency(&testing::code("yuexiu-court")).unwrap()).clone();
    yuexiu.successor = Some(testing::code("liwan-court"));
    nation.directory.put_agency(yuexiu);
    let ring = change(&nation, 2, &["first"], succeed("liwan-court", "yuexiu-court"));
    assert_eq!(reason(nation.decide(&ring)).0, Reason::DirectoryUnfit);
    let hub =
        change(&nation, 3, &["first"], vec![Change::SuspendAgency(testing::code("hub"), true)]);
    assert_eq!(reason(nation.decide(&hub)).0, Reason::DirectoryUnfit);
}

#[test]
fn a_change_is_checked_against_what_those_before_it_leave() {
    let mut nation = with_operators();
    let put = |code: &str, by: Option<&str>| {
        let mut agency = agency(code);
        agency.successor = by.map(testing::code);
        Change::PutAgency(Box::new(agency))
    };
    let of = |kind, code: &str| {
        let Change::PutAgency(agency) = put(code, None) else { unreachable!() };
        Change::PutAgency(Box::new(Agency { kind, ..*agency }))
    };
    let key = |number: u8| {
        let purpose = Purpose::Document(testing::code("new-court"));
        let digest = Digest([number; 32]);
        Change::RegisterCertificate(Box::new(Certificate { digest, ..certificate(purpose) }))
    };
    let most = crate::limits::CERTIFICATES_PER_AGENCY as u8;
    let keys = (0..=most).map(key);
    let unfit = [
        // A ring, in one change, and one that leads into it.
        vec![
            put("a-court", Some("b-court")),
            put("b-court", Some("a-court")),
            put("c-court", Some("a-court")),
        ],
        // A ring of an agency that had another successor before.
        vec![
            put("a-court", Some("liwan-court")),
            put("b-court", Some("a-court")),
            put("a-court", Some("b-court")),
        ],
        // A successor of another kind, that comes after.
        vec![put("a-court", Some("b-police")), of(AgencyKind::Police, "b-police")],
        // One code, two kinds.
        vec![put("a-court", None), of(AgencyKind::Police, "a-court")],
        // The same certificate twice, and one more than may live.
        vec![put("new-court", None), key(1), key(1)],
        [put("new-court", None)].into_iter().chain(keys).collect(),
        // Nobody is suspended before they are there.
        vec![Change::SuspendAgency(testing::code("a-court"), true), put("a-court", None)],
    ];
    for (id, changes) in (1..).zip(unfit) {
        let input = change(&nation, id, &["first"], changes);
        assert_eq!(reason(nation.decide(&input)).0, Reason::DirectoryUnfit, "{id}");
    }
}

#[test]
fn a_link_may_point_ahead_and_a_suspension_outlasts_what_follows() {
    let mut nation = with_operators();
    let mut merged = agency("a-court");
    merged.successor = Some(testing::code("b-court"));
    let heir = || Change::PutAgency(Box::new(agency("b-court")));
    let code = testing::code("b-court");
    let changes = vec![
        Change::PutAgency(Box::new(merged)),
        heir(),
        Change::SuspendAgency(code.clone(), true),
        heir(),
    ];
    let input = change(&nation, 1, &["first"], changes);
    assert!(matches!(nation.decide(&input), Ok(Decision::Record(_))));
    let Some(Row::Agency(heir)) = nation.rows.get(&Key::Agency(code)) else { panic!("no agency") };
    assert!(heir.suspended);
}

#[test]
fn nobody_but_an_operator_changes_the_directory() {
    let mut nation = with_operators();
    let put = vec![Change::PutAgency(Box::new(agency("new-court")))];
    let input = change(&nation, 1, &["stranger"], put.clone());
    assert_eq!(reason(nation.decide(&input)).0, Reason::SignerUnknown);
    let input = change(&nation, 1, &[], put);
    assert_eq!(reason(nation.decide(&input)).0, Reason::SignatureMissing);
}

#[test]
fn links_places_and_kinds_are_checked() {
    let mut nation = with_operators();
    let mut dangling = agency("new-court");
    dangling.parent = Some(testing::code("nobody"));
    let mut nowhere = agency("new-court");
    nowhere.serves.insert(testing::division("999999"));
    let mut turned = agency("liwan-court");
    turned.kind = AgencyKind::Police;
    let mut hub = agency("hub");
    hub.kind = AgencyKind::Hub;
    for (id, wrong) in (1..).zip([dangling, nowhere, turned, hub]) {
        let input = change(&nation, id, &["first"], vec![Change::PutAgency(Box::new(wrong))]);
        let refused = reason(nation.decide(&input));
        assert_eq!(refused, (Reason::DirectoryUnfit, "changes[0]".to_owned()));
    }
}

#[test]
fn suspension_needs_one_operator_where_all_else_needs_two() {
    let mut nation = with_operators();
    let opened = crate::domain::record::Opened {
        origin: "hub.test/ledger/1".parse().unwrap(),
        checkpoint_key: String::new(),
        root_key: Vec::new(),
        quorum: 2,
    };
    nation.rows.insert(Key::Hub, Row::Hub(opened));
    let code = testing::code("liwan-court");
    nation.rows.insert(Key::Agency(code.clone()), Row::Agency(Box::new(agency("liwan-court"))));
    let suspend = vec![Change::SuspendAgency(code, true)];
    let input = change(&nation, 1, &["first"], suspend);
    assert!(matches!(nation.decide(&input), Ok(Decision::Record(_))));
    let put = vec![Change::PutAgency(Box::new(agency("new-court")))];
    let input = change(&nation, 2, &["first", "first"], put.clone());
    assert_eq!(reason(nation.decide(&input)).0, Reason::SignatureMissing);
    let input = change(&nation, 3, &["first", "second"], put);
    assert!(matches!(nation.decide(&input), Ok(Decision::Record(_))));
}

/// One agency takes another's place.
fn merge(nation: &mut Nation, old: &str, heir: &str) {
    let mut old = (**nation.directory.agency(&testing::code(old)).unwrap()).clone();
    old.successor = Some(testing::code(heir));
    nation.directory.put_agency(old);
}

/// A person whom the agency of Liwan has registered.
fn in_correction(nation: &mut Nation) -> Sent {
    let sent = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    nation.send(Paper::new("liwan-corrections", "registration_record").answering(&sent)).unwrap();
    sent
}

#[test]
fn a_successor_moves_a_person_as_the_old_agency_would() {
    let mut nation = with_operators();
    let sent = in_correction(&mut nation);
    merge(&mut nation, "liwan-corrections", "yuexiu-corrections");
    let decided = Paper::new("yuexiu-corrections", "place_change_decision")
        .about(1, Category::Probation)
        .place("new_place", "441900");
    nation.send(decided).unwrap();
    assert_eq!(nation.case(&sent).pending_place, Some(testing::division("441900")));
}

#[test]
fn a_successor_asks_for_the_arrest_that_goes_with_the_old_agencys_proposal() {
    let mut nation = with_operators();
    in_correction(&mut nation);
    let paper = |by: &str, kind: &str| Paper::new(by, kind).about(1, Category::Probation);
    let proposal = paper("liwan-corrections", "revocation_proposal").choosing(&["liwan-court"]);
    nation.send(proposal).unwrap();
    merge(&mut nation, "liwan-corrections", "yuexiu-corrections");
    nation.send(paper("yuexiu-corrections", "arrest_request")).unwrap();
}

#[test]
fn a_successors_service_on_paper_meets_what_the_old_agency_owed() {
    let mut nation = with_operators();
    let mut notice = verdict("liwan-court", "440103", 1);
    notice.0.kind = testing::document_type("decision_notice");
    let notice = nation.send(notice).unwrap();
    merge(&mut nation, "liwan-court", "yuexiu-court");
    let served = Paper::new("yuexiu-court", "served_otherwise")
        .answering(&notice)
        .with("served_type", Fact::Text("verdict_handover".to_owned()))
        .agency("served_agency", "liwan-corrections")
        .with("served_date", date(11, 2));
    nation.send(served).unwrap();
    let owed: Vec<bool> = nation.duties("送达法律文书").iter().map(|duty| duty.is_owed()).collect();
    assert_eq!(owed, [false]);
}

#[test]
fn a_second_version_goes_to_the_successor_alone() {
    let mut nation = with_operators();
    let first = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    merge(&mut nation, "liwan-corrections", "yuexiu-corrections");
    let mut corrected = verdict("liwan-court", "440103", 1);
    corrected.0.replaces = Some(first.reference);
    let corrected = nation.send(corrected).unwrap();
    assert_eq!(corrected.route(), "yuexiu-corrections / liwan-police liwan-procuratorate");
}

#[test]
fn a_successors_papers_join_the_case_that_the_old_court_opened() {
    let mut nation = with_operators();
    let mut notice = verdict("liwan-court", "440103", 1);
    notice.0.kind = testing::document_type("decision_notice");
    nation.send(notice).unwrap();
    merge(&mut nation, "liwan-court", "yuexiu-court");
    let sent = nation.send(verdict("yuexiu-court", "440103", 1)).unwrap();
    let opens = |ruled: &RuledEffect| matches!(ruled.effect, Effect::CaseOpened { .. });
    assert!(!sent.record.effects.iter().any(opens));
}

#[test]
fn whoever_supervises_the_successor_supervises_the_case() {
    let mut nation = with_operators();
    in_correction(&mut nation);
    merge(&mut nation, "liwan-corrections", "yuexiu-corrections");
    let kept = Paper::new("yuexiu-corrections", "monitoring_record").about(1, Category::Probation);
    let kept = nation.send(kept).unwrap();
    let Kind::Document(taken) = &kept.record.kind else { panic!("no document") };
    assert_eq!(taken.supervisors, [testing::code("yuexiu-procuratorate")].into());
    nation.time = on(11, 4);
    let unsigned = Input::Clock(ClockInput::Unacknowledged {
        agency: testing::code("liwan-corrections"),
        sender: testing::code("liwan-court"),
        numbers: vec![InboxNumber(1)],
    });
    let Ok(Decision::Record(told)) = nation.decide(&unsigned) else { panic!("nothing is told") };
    let Kind::Clock(Clock::Unacknowledged { supervisors, .. }) = told.record.kind else {
        panic!("no step")
    };
    assert_eq!(supervisors, [testing::code("yuexiu-procuratorate")].into());
}

#[test]
fn only_a_procuratorate_supervises_and_superiors_make_no_circle() {
    let mut nation = with_operators();
    let put = |nation: &Nation, id, change: &dyn Fn(&mut Agency)| {
        let mut court = (**nation.directory.agency(&testing::code("gz-court")).unwrap()).clone();
        change(&mut court);
        self::change(nation, id, &["first"], vec![Change::PutAgency(Box::new(court))])
    };
    let by_court =
        put(&nation, 1, &|court| court.supervised_by = Some(testing::code("liwan-court")));
    let refusal = nation.decide(&by_court).unwrap_err();
    assert_eq!(refusal.gravest().help, "only a procuratorate supervises");
    assert_eq!(refusal.gravest().help_zh, "法律监督单位须为人民检察院");
    // That court is its own court's superior already.
    let circle = put(&nation, 2, &|court| court.parent = Some(testing::code("liwan-court")));
    let refusal = nation.decide(&circle).unwrap_err();
    assert_eq!(refusal.gravest().help_zh, "上级关系形成循环");
}
