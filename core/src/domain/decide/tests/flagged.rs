//! What does not fit is told to who supervises and to whom the person concerns, and to no addressee
//! besides (P7).

use super::*;
use crate::domain::policy::{self, Relation};

/// A release while a proposal to revoke is open, and before the term is over.
fn released_too_early(nation: &mut Nation) -> Sent {
    let sent = nation.send(verdict("liwan-court", "440103", 1)).unwrap();
    nation.send(Paper::new("liwan-corrections", "registration_record").answering(&sent)).unwrap();
    let proposal = Paper::new("liwan-corrections", "revocation_proposal")
        .about(1, Category::Probation)
        .choosing(&["liwan-court"]);
    nation.send(proposal).unwrap();
    let release = Paper::new("liwan-corrections", "release_notice").about(1, Category::Probation);
    nation.send(release).unwrap()
}

#[test]
fn a_documents_record_says_nothing_of_what_does_not_fit() {
    let mut nation = Nation::new();
    let sent = released_too_early(&mut nation);
    assert_eq!(sent.flags(), ["STILL_OPEN", "RELEASED_BEFORE_EXPIRY"]);
    let tells = |effect: &Effect| {
        matches!(effect, Effect::Contradiction { .. } | Effect::NoticeOwed { .. })
    };
    assert!(!sent.record.effects.iter().any(|ruled| tells(&ruled.effect)), "{:?}", sent.record);
    // The record after it says it, and owes the notice.
    let flagged = sent.flagged.as_ref().unwrap();
    assert!(flagged.effects.iter().all(|ruled| tells(&ruled.effect)), "{flagged:?}");
    let Kind::Flagged(kind) = &flagged.kind else { panic!("{flagged:?}") };
    assert_eq!(kind.document, sent.reference);
    let owed = Key::NoticeOwed(sent.index.next(), Notice::Contradiction);
    assert_eq!(nation.rows.get(&owed), Some(&Row::NoticeOwed(kind.supervisors.clone())));
}

#[test]
fn a_copied_agency_reads_the_document_and_not_what_does_not_fit() {
    let mut nation = Nation::new();
    let sent = released_too_early(&mut nation);
    assert_eq!(sent.route(), "liwan-court liwan-procuratorate liwan-police / ");
    let seen = |reader: &str, record: &Record| {
        policy::record_relations(&nation.directory, &testing::code(reader), record)
    };
    let flagged = sent.flagged.as_ref().unwrap();
    for reader in ["liwan-police", "liwan-detention", "yuexiu-court", "gz-procuratorate"] {
        assert!(seen(reader, flagged).is_empty(), "{reader}");
    }
    assert_eq!(seen("liwan-police", &sent.record), [Relation::Received].into());
    assert_eq!(seen("liwan-procuratorate", flagged), [Relation::Supervised].into());
    // Who answered for the person, and who decided.
    for reader in ["liwan-corrections", "liwan-court"] {
        assert!(seen(reader, flagged).contains(&Relation::Received), "{reader}");
    }
}

#[test]
fn a_refusal_tells_the_state_to_those_alone_whom_the_person_concerns() {
    let mut nation = Nation::new();
    let decided = Paper::new("gd-prisons", "temporary_release_decision")
        .about(1, Category::TemporaryRelease)
        .at("440103")
        .number("（2026）粤监字1号")
        .agency("custodian", "panyu-prison")
        .agency("original_court", "liwan-court")
        .with("decision_date", date(11, 2));
    nation.send(decided).unwrap();
    let paper = |by: &str, kind: &str| Paper::new(by, kind).about(1, Category::TemporaryRelease);
    let moved = nation.send(paper("panyu-prison", "person_transfer")).unwrap();
    let accept = || paper("liwan-corrections", "registration_record").answering(&moved);
    nation.send(accept()).unwrap();
    nation.send(paper("liwan-corrections", "death_notice")).unwrap();
    let refused = nation.send(accept()).map(drop).unwrap_err();
    let mut violations = refused.violations.into_iter();
    let told = violations.find(|violation| violation.reason == Reason::ImpossibleStep).unwrap();
    assert_eq!(told.help, "accept while dead");
    // The prison was party to the case until the person was taken over: its paper stands outside the case.
    let sent = nation.send(paper("panyu-prison", "person_transfer")).unwrap();
    let Kind::Document(taken) = &sent.record.kind else { panic!("{:?}", sent.record) };
    assert_eq!(taken.case, None);
    assert!(sent.flagged.is_some());
}
