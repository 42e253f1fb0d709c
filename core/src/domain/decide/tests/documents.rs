//! Routing, cases, replies, uniqueness, and what is refused.

use super::*;

#[test]
fn a_verdict_goes_to_the_agency_with_copies_to_police_and_procuratorate() {
    let mut nation = Nation::new();
    let sent = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    assert_eq!(sent.route(), "liwan-corrections / liwan-police liwan-procuratorate");
    assert!(sent.flags().is_empty(), "{:?}", sent.flags());
    assert_eq!(nation.case(&sent).custody.state, State::Awaiting);
    assert_eq!(nation.case(&sent).custody.answers, Some(testing::code("liwan-court")));
}

#[test]
fn where_places_differ_the_courts_own_procuratorate_gets_the_copy() {
    let mut nation = Nation::new();
    let sent = nation.send(verdict("yuexiu-court", "440103", 1)).unwrap();
    assert_eq!(sent.route(), "liwan-corrections / liwan-police yuexiu-procuratorate");
    assert_eq!(nation.duties("转送所在地检察院、公安机关").len(), 1);
}

#[test]
fn the_duties_of_a_verdict_have_their_times() {
    let mut nation = Nation::new();
    nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    let served = &nation.duties("送达法律文书")[0];
    assert_eq!(served.state, DutyState::Closed { outcome: Outcome::Met, by: LedgerIndex(0) });
    assert_eq!(due(served), "2026-11-13 00:00");
    let report = &nation.duties("报到")[0];
    assert_eq!(report.state, DutyState::Open);
    assert_eq!(due(report), "2026-11-13 00:00");
    let receipt = &nation.duties("送达回执")[0];
    assert_eq!(receipt.state, DutyState::Open);
    assert_eq!(receipt.waits_for, Some((testing::code("liwan-corrections"), InboxNumber(1))));
    assert_eq!(due(receipt), "");
}

#[test]
fn a_late_verdict_is_taken_and_measured() {
    let mut nation = Nation::new();
    nation.time = on(11, 20);
    nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    let served = &nation.duties("送达法律文书")[0];
    assert_eq!(served.state, DutyState::Closed { outcome: Outcome::MetLate, by: LedgerIndex(0) });
}

#[test]
fn a_zone_without_an_agency_is_the_citys_in_lieu() {
    let mut nation = Nation::new();
    let sent = nation.send(verdict("zone-court", "GZZONE", 1)).unwrap();
    assert_eq!(sent.route(), "gz-corrections / zone-police zone-procuratorate");
    let in_lieu = sent
        .record
        .effects
        .iter()
        .any(|ruled| matches!(&ruled.effect, Effect::DeliveryOpened { in_lieu: true, .. }));
    assert!(in_lieu);
}

#[test]
fn dongguan_must_name_one_of_three_procuratorates() {
    let mut nation = Nation::new();
    let refused = nation.send(verdict("dg-court-1", "441900", 1)).err().unwrap();
    assert_eq!(refused.reason(), Reason::MustName);
    let help = &refused.gravest().help;
    assert!(help.contains("dg-procuratorate-1"), "{help}");
    let named = verdict("dg-court-1", "441900", 1).choosing(&["dg-procuratorate-2"]);
    let sent = nation.send(named).unwrap();
    assert_eq!(sent.route(), "dg-corrections / dg-police dg-procuratorate-2");
}

#[test]
fn a_choice_that_fits_nowhere_is_refused() {
    let mut nation = Nation::new();
    let chosen = verdict("liwan-court", "440103", 1).choosing(&["yuexiu-police"]);
    assert_eq!(reason(nation.send(chosen)), (Reason::ChoiceUnfit, "chosen_agencies[0]".to_owned()));
}

#[test]
fn all_missing_fields_are_named_at_once() {
    let mut nation = Nation::new();
    let bare =
        Paper::new("liwan-court", "verdict_handover").about(1, Category::Probation).at("440103");
    let refused = nation.send_bare(bare).err().unwrap();
    let fields: Vec<&str> = refused.violations.iter().map(|v| v.field.as_str()).collect();
    for field in ["case_number", "effective_date", "term_expiry_date", "subject.name"] {
        assert!(fields.contains(&field), "{field} in {fields:?}");
    }
}

#[test]
fn only_the_agencies_that_the_law_names_may_send() {
    let mut nation = Nation::new();
    let refused = nation.send(verdict("liwan-procuratorate", "440103", 1));
    assert_eq!(reason(refused), (Reason::WrongRole, "sender".to_owned()));
}

#[test]
fn a_suspended_or_unknown_sender_is_refused() {
    let mut nation = Nation::new();
    assert_eq!(
        reason(nation.send(verdict("nobody", "440103", 1))),
        (Reason::UnknownSender, "sender".to_owned())
    );
    let mut agency = (**nation.directory.agency(&testing::code("liwan-court")).unwrap()).clone();
    agency.suspended = true;
    nation.directory.put_agency(agency);
    assert_eq!(
        reason(nation.send(verdict("liwan-court", "440103", 1))),
        (Reason::UnknownSender, "sender".to_owned())
    );
}

#[test]
fn a_signature_of_another_agency_is_refused() {
    let mut nation = Nation::new();
    let paper = nation.completed(verdict("liwan-court", "440103", 1));
    let input = Input::Document(Box::new(DocumentInput {
        document: paper.0,
        signers: vec![certificate(Purpose::Document(testing::code("yuexiu-court"))).digest],
        fresh_case: CaseRef([1; 16]),
        salt: [0; 32],
        notice: None,
    }));
    assert_eq!(reason(nation.decide(&input)), (Reason::SignerUnknown, "signatures[0]".to_owned()));
}

#[test]
fn the_same_bytes_are_the_same_record_and_other_bytes_are_refused() {
    let mut nation = Nation::new();
    let mut paper = nation.completed(verdict("liwan-court", "440103", 1));
    paper.0.id = DocumentId([9; 16]);
    paper.0.digest = Digest([9; 32]);
    let input = |paper: &Paper| {
        Input::Document(Box::new(DocumentInput {
            document: paper.0.clone(),
            signers: vec![certificate(Purpose::Document(testing::code("liwan-court"))).digest],
            fresh_case: CaseRef([1; 16]),
            salt: [0; 32],
            notice: None,
        }))
    };
    assert!(matches!(nation.decide(&input(&paper)), Ok(Decision::Record(_))));
    let again = nation.decide(&input(&paper)).unwrap();
    assert!(matches!(again, Decision::Known(known) if known == [LedgerIndex(0)]));
    paper.0.digest = Digest([8; 32]);
    assert_eq!(
        reason(nation.decide(&input(&paper))),
        (Reason::DocumentIdReused, "document_id".to_owned())
    );
}

#[test]
fn the_same_verdict_under_another_id_is_a_duplicate() {
    let mut nation = Nation::new();
    let first = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    let refused = nation.send(verdict("liwan-court", "440103", 1)).err().unwrap();
    assert_eq!(refused.reason(), Reason::DuplicateOf);
    assert_eq!(refused.gravest().help, first.reference.id.to_string());
    let mut corrected = verdict("liwan-court", "440104", 1);
    corrected.0.replaces = Some(first.reference.clone());
    let second = nation.send(corrected).unwrap();
    assert!(second.closed().contains(&Outcome::Replaced));
    // It goes to the right place now, and the old addressees learn of it too.
    assert!(second.route().starts_with("yuexiu-corrections"), "{}", second.route());
    assert!(second.route().contains("liwan-corrections"), "{}", second.route());
    assert!(second.flags().is_empty(), "{:?}", second.flags());
    assert_eq!(nation.case(&second).custody.state, State::Awaiting);
}

#[test]
fn a_verdict_withdrawn_from_the_wrong_place_is_sent_anew_to_the_right_one() {
    let mut nation = Nation::new();
    let wrong = nation.send(verdict("liwan-court", "440104", 1)).unwrap();
    nation.send(Paper::new("liwan-court", "withdrawal").answering(&wrong)).unwrap();
    let right = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    assert!(right.route().starts_with("liwan-corrections "), "{}", right.route());
    assert!(right.flags().is_empty(), "{:?}", right.flags());
    assert_eq!(nation.case(&right).place, Some(testing::division("440103")));
}

#[test]
fn a_replaced_verdict_leaves_the_person_a_limit_to_report() {
    let mut nation = Nation::new();
    let first = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    let mut corrected = verdict("liwan-court", "440103", 1);
    corrected.0.replaces = Some(first.reference);
    nation.send(corrected).unwrap();
    let owed: Vec<bool> = nation.duties("报到").iter().map(|duty| duty.is_owed()).collect();
    assert_eq!(owed, [false, true]);
}

#[test]
fn what_was_replaced_is_not_withdrawn_from_under_what_replaced_it() {
    let mut nation = Nation::new();
    let first = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    let mut corrected = verdict("liwan-court", "440103", 1);
    corrected.0.replaces = Some(first.reference.clone());
    let second = nation.send(corrected).unwrap();
    let withdrawal = |of| Paper::new("liwan-court", "withdrawal").answering(of);
    let refused = reason(nation.send(withdrawal(&first)));
    assert_eq!(refused, (Reason::Forbidden, "in_reply_to".to_owned()));
    // The second stands, and the person is awaited; withdrawn itself, it takes the step back.
    assert_eq!(nation.case(&second).custody.state, State::Awaiting);
    nation.send(withdrawal(&second)).unwrap();
    assert_eq!(nation.case(&second).custody.state, State::None);
    assert!(!nation.duties("报到").iter().any(|duty| duty.is_owed()));
}

#[test]
fn another_persons_number_in_a_named_case_is_flagged() {
    let mut nation = Nation::new();
    let sent = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    nation.send(verdict("yuexiu-court", "440104", 2)).unwrap();
    let Kind::Document(taken) = &sent.record.kind else { panic!("no document") };
    let case = taken.case;
    let lost = |person| {
        let mut lost = Paper::new("liwan-corrections", "lost_contact_notice")
            .about(person, Category::Probation);
        lost.0.subject.as_mut().unwrap().case = case;
        lost
    };
    let same = nation.send(lost(1)).unwrap();
    assert!(!same.flags().contains(&"SUBJECT_DIFFERS"), "{:?}", same.flags());
    let other = nation.send(lost(2)).unwrap();
    assert!(other.flags().contains(&"SUBJECT_DIFFERS"), "{:?}", other.flags());
}

#[test]
fn a_second_judgment_of_a_person_is_a_case_of_its_own() {
    let mut nation = Nation::new();
    let first = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    let other = verdict("liwan-court", "440103", 1).number("（2026）粤刑初99号");
    let second = nation.send(other).unwrap();
    assert_ne!(nation.case(&first).opened, nation.case(&second).opened);
    // With two cases, a document that names only the person belongs to neither.
    let lost = Paper::new("liwan-corrections", "lost_contact_notice").about(1, Category::Probation);
    assert_eq!(reason(nation.send(lost)).0, Reason::NoCase);
}

#[test]
fn who_is_no_party_learns_nothing_of_a_case() {
    let mut nation = Nation::new();
    nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    let existing = Paper::new("yuexiu-corrections", "search_report").about(1, Category::Probation);
    let nobody = Paper::new("yuexiu-corrections", "search_report").about(2, Category::Probation);
    let (known, unknown) = (nation.send(existing).err(), nation.send(nobody).err());
    assert_eq!(known, unknown);
    assert_eq!(known.unwrap().reason(), Reason::NoCase);
}

#[test]
fn a_reply_to_what_the_sender_never_got_is_a_reply_to_nothing() {
    let mut nation = Nation::new();
    let sent = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    let stranger = Paper::new("yuexiu-corrections", "return_receipt").answering(&sent);
    assert_eq!(reason(nation.send(stranger)), (Reason::ReplyToNothing, "in_reply_to".to_owned()));
    let unanswered = Paper::new("liwan-corrections", "return_receipt");
    assert_eq!(reason(nation.send(unanswered)).0, Reason::ReplyToNothing);
    let receipt = Paper::new("liwan-corrections", "return_receipt").answering(&sent);
    assert_eq!(nation.send(receipt).unwrap().route(), "liwan-court / ");
}

#[test]
fn what_must_come_first_must_be_there() {
    let mut nation = Nation::new();
    let mut paper = verdict("liwan-court", "440103", 1);
    let missing = DocumentRef { sender: testing::code("liwan-court"), id: DocumentId([77; 16]) };
    paper.0.after.push(missing);
    let refused = nation.send(paper).err().unwrap();
    assert_eq!(refused.reason(), Reason::PredecessorMissing);
    assert_eq!(refused.advice().name(), "RESEND");
}

#[test]
fn a_ping_reaches_all_whom_it_names_and_no_one_else() {
    let mut nation = Nation::new();
    let ping = Paper::new("liwan-court", "ping").choosing(&["gz-police", "bj-high-court"]);
    assert_eq!(nation.send(ping).unwrap().route(), "gz-police bj-high-court / ");
    let nobody = Paper::new("liwan-court", "ping");
    assert_eq!(reason(nation.send(nobody)).0, Reason::MustName);
}

#[test]
fn people_sentenced_before_are_brought_in_only_while_the_directory_allows_it() {
    let mut nation = Nation::new();
    let enrolment = || {
        Paper::new("liwan-corrections", "case_enrolment")
            .about(1, Category::Probation)
            .at("440103")
            .number("（2019）粤刑初1号")
            .agency("decision_organ", "liwan-court")
            .with("term_expiry_date", date(12, 31))
    };
    assert_eq!(reason(nation.send(enrolment())).0, Reason::Forbidden);
    let code = testing::code("liwan-corrections");
    let mut agency = (**nation.directory.agency(&code).unwrap()).clone();
    agency.enrolment_until = Some(on(12, 1));
    nation.directory.put_agency(agency);
    let sent = nation.send(enrolment()).unwrap();
    assert_eq!(nation.case(&sent).custody.state, State::InCorrection);
    assert_eq!(nation.case(&sent).custody.answers, Some(code));
}

#[test]
fn inbox_and_sender_numbers_have_no_gaps() {
    let mut nation = Nation::new();
    for person in 1..=5 {
        nation.send(verdict("liwan-court", "440103", person)).unwrap();
        let _ = nation.send(verdict("liwan-procuratorate", "440103", person));
    }
    let numbers: Vec<u64> = nation
        .rows
        .keys()
        .filter_map(|key| match key {
            Key::Delivery(agency, number) if agency.as_str() == "liwan-police" => Some(number.0),
            _ => None,
        })
        .collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    let sender = nation.rows.get(&Key::Sender(testing::code("liwan-court")));
    assert_eq!(sender, Some(&Row::Sender(crate::ids::SenderNumber(5))));
}

#[test]
fn a_decision_that_opens_a_case_meets_what_was_asked_before_there_was_one() {
    let mut nation = Nation::new();
    let asked = Paper::new("panyu-prison", "temporary_release_opinion")
        .about(1, Category::TemporaryRelease)
        .place("intended_place", "440103");
    let asked = nation.send(asked).unwrap();
    let decided = Paper::new("gd-prisons", "temporary_release_decision")
        .about(1, Category::TemporaryRelease)
        .at("440103")
        .number("（2026）粤狱暂1号")
        .with("decision_date", date(11, 2))
        .agency("custodian", "panyu-prison")
        .agency("original_court", "liwan-court")
        .answering(&asked);
    nation.send(decided).unwrap();
    let approval = &nation.duties("批准或者不批准")[0];
    assert_eq!(approval.state, DutyState::Closed { outcome: Outcome::Met, by: LedgerIndex(1) });
}

#[test]
fn a_chosen_role_is_remembered_whether_or_not_custody_moves() {
    let mut nation = Nation::new();
    let mut elsewhere = (**nation.directory.agency(&testing::code("gd-prisons")).unwrap()).clone();
    elsewhere.code = testing::code("hn-prisons");
    elsewhere.serves = [testing::division("430000")].into();
    nation.directory.put_certificate(certificate(Purpose::Document(elsewhere.code.clone())));
    nation.directory.put_agency(elsewhere);
    let decided = Paper::new("hn-prisons", "temporary_release_decision")
        .about(1, Category::TemporaryRelease)
        .at("440103")
        .number("（2026）湘狱暂1号")
        .with("decision_date", date(11, 2))
        .agency("custodian", "panyu-prison")
        .agency("original_court", "liwan-court");
    let decided = nation.send(decided).unwrap();
    let asked =
        Paper::new("hn-prisons", "file_designation_request").about(1, Category::TemporaryRelease);
    let asked = nation.send(asked).unwrap();
    let designated = Paper::new("gd-prisons", "file_designation")
        .answering(&asked)
        .choosing(&["conghua-prison"]);
    nation.send(designated).unwrap();
    let holder = nation.case(&decided).roles.get(&Role::FileHolder);
    assert_eq!(holder, Some(&testing::code("conghua-prison")));
}

#[test]
fn a_choice_not_made_is_all_that_is_told() {
    let mut nation = Nation::new();
    let sent = nation.send(verdict("chaoyang-court", "440103", 1)).unwrap();
    nation.send(Paper::new("liwan-corrections", "registration_record").answering(&sent)).unwrap();
    let proposal =
        Paper::new("liwan-corrections", "revocation_proposal").about(1, Category::Probation);
    let Err(refusal) = nation.send(proposal) else { panic!("it was taken") };
    let reasons: Vec<Reason> = refusal.violations.iter().map(|v| v.reason).collect();
    assert_eq!(reasons, [Reason::MustName]);
}

#[test]
fn a_replacement_watches_the_limit_to_report_anew_and_says_what_it_does_late() {
    let mut nation = Nation::new();
    let sent = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    nation.reject("liwan-corrections", 1).unwrap();
    nation.time = on(11, 16);
    let mut again = verdict("liwan-court", "440103", 1);
    again.0.replaces = Some(sent.reference);
    nation.send(again).unwrap();
    let states = |name| nation.duties(name).iter().map(|d| d.state.clone()).collect::<Vec<_>>();
    let late = DutyState::Closed { outcome: Outcome::MetLate, by: LedgerIndex(2) };
    assert_eq!(states("送达法律文书"), [late]);
    let replaced = DutyState::Closed { outcome: Outcome::Replaced, by: LedgerIndex(2) };
    assert_eq!(states("报到"), [replaced, DutyState::Open]);
}
