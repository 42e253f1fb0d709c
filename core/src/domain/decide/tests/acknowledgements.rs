//! Acknowledgements, rejections, and service on paper.

use super::*;

#[test]
fn an_acknowledgement_starts_the_limits_that_run_from_receipt() {
    let mut nation = Nation::new();
    nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    nation.time = on(11, 3);
    nation.acknowledge("liwan-corrections", 1).unwrap();
    let receipt = &nation.duties("送达回执")[0];
    assert_eq!(receipt.state, DutyState::Open);
    // Five days from 3 November end on Sunday the 8th and roll to Monday.
    assert_eq!(due(receipt), "2026-11-10 00:00");
}

#[test]
fn standing_consent_makes_the_commit_the_receipt() {
    let mut nation = Nation::new();
    let code = testing::code("liwan-corrections");
    let mut agency = (**nation.directory.agency(&code).unwrap()).clone();
    agency.electronic_service = true;
    nation.directory.put_agency(agency);
    nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    assert_eq!(due(nation.duties("送达回执")[0]), "2026-11-10 00:00");
}

#[test]
fn an_acknowledgement_meets_no_duty_and_moves_no_custody() {
    let mut nation = Nation::new();
    let sent = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    let before = nation.case(&sent).clone();
    let Ok(Decision::Record(decided)) = nation.acknowledge("liwan-corrections", 1) else {
        panic!("not recorded")
    };
    assert_eq!(*nation.case(&sent), before);
    let closes =
        decided.record.effects.iter().any(|r| matches!(r.effect, Effect::DutyClosed { .. }));
    assert!(!closes);
}

#[test]
fn a_backlog_of_any_length_is_acknowledged_at_once() {
    let mut nation = Nation::new();
    for person in 1..=60 {
        nation.send(verdict("liwan-court", "440103", person)).unwrap();
    }
    let numbers: Vec<u64> = (1..=60).collect();
    assert!(matches!(
        nation.acknowledge_all("liwan-corrections", &numbers),
        Ok(Decision::Record(_))
    ));
    let open = nation.duties("送达回执").iter().filter(|d| d.state == DutyState::Open).count();
    assert_eq!(open, 60);
}

#[test]
fn acknowledging_again_is_answered_with_the_first_record() {
    let mut nation = Nation::new();
    nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    nation.acknowledge("liwan-police", 1).unwrap();
    let again = nation.acknowledge("liwan-police", 1).unwrap();
    assert!(matches!(again, Decision::Known(known) if known == [LedgerIndex(1)]));
    nation.send(verdict("liwan-court", "440103", 2)).unwrap();
    match nation.acknowledge_all("liwan-police", &[1, 2]).unwrap() {
        Decision::Record(decided) => assert_eq!(decided.known, [LedgerIndex(1)]),
        Decision::Known(_) => panic!("the second delivery is new"),
    }
}

#[test]
fn another_commitment_an_unknown_number_and_mixed_senders_are_refused_whole() {
    let mut nation = Nation::new();
    nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    nation.send(verdict("yuexiu-court", "440103", 2)).unwrap();
    assert_eq!(reason(nation.acknowledge("liwan-police", 9)).0, Reason::DeliveryUnknown);
    assert_eq!(
        reason(nation.acknowledge_all("liwan-police", &[1, 2])),
        (Reason::MixedSenders, "items[1]".to_owned())
    );
    let agency = testing::code("liwan-police");
    let forged = Input::Acknowledgement(AcknowledgementInput {
        agency: agency.clone(),
        items: vec![(InboxNumber(1), Digest([99; 32]))],
        statement: statement(Purpose::Acknowledgement(agency)),
    });
    assert_eq!(reason(nation.decide(&forged)).0, Reason::DeliveryUnknown);
    let open = nation.rows.iter().filter_map(|(key, row)| match (key, row) {
        (Key::Unsettled(_, span), Row::Unsettled(open)) => Some(open.numbers(*span).count()),
        _ => None,
    });
    assert_eq!(open.sum::<usize>(), 6);
}

#[test]
fn a_document_key_does_not_acknowledge() {
    let mut nation = Nation::new();
    nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    let agency = testing::code("liwan-police");
    let input = Input::Acknowledgement(AcknowledgementInput {
        items: vec![(InboxNumber(1), nation.commitment("liwan-police", 1))],
        statement: statement(Purpose::Document(agency.clone())),
        agency,
    });
    assert_eq!(reason(nation.decide(&input)).0, Reason::SignerUnknown);
}

#[test]
fn a_rejection_reopens_what_the_document_had_met() {
    let mut nation = Nation::new();
    let sent = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    nation.acknowledge("liwan-corrections", 1).unwrap();
    let receipt =
        nation.send(Paper::new("liwan-corrections", "return_receipt").answering(&sent)).unwrap();
    assert_eq!(receipt.closed(), [Outcome::Met]);
    assert!(matches!(nation.reject("liwan-court", 1), Ok(Decision::Record(_))));
    assert_eq!(nation.duties("送达回执")[0].state, DutyState::Open);
    assert!(matches!(nation.reject("liwan-court", 1), Ok(Decision::Known(_))));
    let owed = nation.rows.keys().any(|key| matches!(key, Key::NoticeOwed(..)));
    assert!(owed);
    assert_eq!(reason(nation.acknowledge("liwan-court", 1)).0, Reason::DeliverySettled);
}

#[test]
fn service_on_paper_settles_the_delivery_and_starts_its_limits_that_day() {
    let mut nation = Nation::new();
    let sent = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    nation.time = on(11, 6);
    let paper = Paper::new("liwan-court", "served_otherwise")
        .answering(&sent)
        .with("served_type", Fact::Text("verdict_handover".to_owned()))
        .agency("served_agency", "liwan-corrections")
        .with("served_date", date(11, 4));
    nation.send(paper).unwrap();
    let key = Key::Delivery(testing::code("liwan-corrections"), InboxNumber(1));
    let Some(Row::Delivery(delivery)) = nation.rows.get(&key) else { panic!("no delivery") };
    assert!(matches!(delivery.settled, Some((Settled::ServedOtherwise(_), _))));
    assert_eq!(due(nation.duties("送达回执")[0]), "2026-11-10 00:00");
}

#[test]
fn service_on_paper_of_what_cannot_be_is_refused() {
    let mut nation = Nation::new();
    let sent = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    let paper = |kind: &str, agency: &str, day| {
        Paper::new("liwan-corrections", "served_otherwise")
            .answering(&sent)
            .with("served_type", Fact::Text(kind.to_owned()))
            .agency("served_agency", agency)
            .with("served_date", day)
    };
    let today = date(11, 2);
    let mut refused = |paper| {
        let refusal = nation.send(paper).err().unwrap();
        refusal.violations.iter().map(|v| (v.reason, v.field.clone())).collect::<Vec<_>>()
    };
    let of_nothing = refused(paper("nonsense", "liwan-court", today.clone()));
    assert_eq!(of_nothing, [(Reason::UnknownType, "served_type".to_owned())]);
    let on_nobody = refused(paper("return_receipt", "nosuch", today.clone()));
    assert_eq!(on_nobody, [(Reason::NoAgency, "served_agency".to_owned())]);
    let to_come = refused(paper("return_receipt", "liwan-court", date(11, 3)));
    assert_eq!(to_come, [(Reason::ImpossibleDate, "served_date".to_owned())]);
    nation.send(paper("return_receipt", "liwan-court", today)).unwrap();
    assert!(matches!(nation.duties("送达回执")[0].state, DutyState::Closed { .. }));
}

#[test]
fn a_duty_done_before_its_receipt_keeps_its_limit_if_it_comes_to_nothing() {
    let mut nation = Nation::new();
    let sent = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    nation.send(Paper::new("liwan-corrections", "return_receipt").answering(&sent)).unwrap();
    nation.time = on(11, 3);
    nation.acknowledge("liwan-corrections", 1).unwrap();
    nation.reject("liwan-court", 1).unwrap();
    let receipt = nation.duties("送达回执")[0];
    assert_eq!(receipt.state, DutyState::Open);
    assert_eq!(due(receipt), "2026-11-10 00:00");
}

#[test]
fn a_rejected_verdict_is_to_be_served_again_and_its_recipient_owes_nothing() {
    let mut nation = Nation::new();
    nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    nation.reject("liwan-corrections", 1).unwrap();
    assert_eq!(nation.duties("送达法律文书")[0].state, DutyState::Open);
    let cancelled =
        |duty: &Duty| matches!(duty.state, DutyState::Closed { outcome: Outcome::Cancelled, .. });
    assert!(cancelled(nation.duties("送达回执")[0]));
    // The person still has to report, and the alarm that nobody sees to it stays.
    assert_eq!(nation.duties("报到")[0].state, DutyState::Open);
    let mut again = verdict("liwan-court", "440103", 1);
    again.0.facts.insert("case_number".to_owned(), Fact::Text("（2026）粤刑初1号".to_owned()));
    let again = nation.send(again).unwrap();
    assert!(again.closed().contains(&Outcome::Met), "{:?}", again.closed());
}

#[test]
fn what_a_withdrawn_document_had_met_is_owed_again() {
    let mut nation = Nation::new();
    let sent = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    assert!(matches!(nation.duties("送达法律文书")[0].state, DutyState::Closed { .. }));
    nation.send(Paper::new("liwan-court", "withdrawal").answering(&sent)).unwrap();
    assert_eq!(nation.duties("送达法律文书")[0].state, DutyState::Open);
}
