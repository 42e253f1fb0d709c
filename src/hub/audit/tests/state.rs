//! Rows, persons' links, and who answers for whom.

use xianjie_core::domain::custody::State;
use xianjie_core::domain::record::Effect;
use xianjie_core::domain::state::{Key, Row, Span};
use xianjie_core::ids::{CaseRef, Digest, LedgerIndex, PersonKey};

use super::{audited, copy, finds, has, ledger, said};

#[tokio::test]
async fn changed_missing_and_added_rows_are_named() {
    let mut copy = copy().await;
    let corrections = ledger::code("tianhe-corrections");
    let inbox = Key::Inbox(corrections.clone());
    copy.rows.insert(inbox.to_bytes(), Row::Rulebook(Digest([0; 32])).to_bytes());
    let unsettled = Key::Unsettled(ledger::code("yuexiu-procuratorate"), Span(0));
    copy.rows.remove(&unsettled.to_bytes()).unwrap();
    copy.rows.insert(Key::Unsettled(corrections, Span(9)).to_bytes(), vec![0xff]);
    copy.rows.insert(vec![0xee, 1], Vec::new());
    let rows = copy.rows.len() as u64;
    let report = audited(&copy).await;
    finds(
        &report,
        &[
            "P9 a row is not what the records make it: Inbox(tianhe-corrections)",
            "P9 a row stands that no record made: \
             Unsettled(tianhe-corrections, Span(9))",
            "P9 a row is missing: Unsettled(yuexiu-procuratorate, Span(0))",
            "P9 a row stands that no record made: 0xee01",
        ],
    );
    assert_eq!(report.rows, rows);
}

#[tokio::test]
async fn a_changed_person_link_is_found_and_names_no_person() {
    let mut copy = copy().await;
    let (person, case) = copy.persons.pop_first().unwrap();
    copy.persons.insert((PersonKey([0xaa; 32]), CaseRef([0xbb; 16])));
    let report = audited(&copy).await;
    let (other, case) = ("bb".repeat(16), case.to_string());
    let mut said = said(&report);
    said.sort();
    assert_eq!(
        said,
        [
            format!("P8 a case is linked to a person that no document links it to: {other}"),
            format!("P8 a case's link to its person is missing: {case}"),
        ]
    );
    let words = format!("{report:?}");
    assert!(!words.contains("aaaa") && !words.contains(&hex::encode(person.0)));
}

#[tokio::test]
async fn a_case_that_nobody_answers_for_is_found() {
    let mut copy = copy().await;
    copy.change(ledger::VERDICT, |record| {
        for ruled in &mut record.effects {
            if let Effect::Custody { change, .. } = &mut ruled.effect {
                change.moved = Some((State::Awaiting, None));
            }
        }
    });
    copy.seal();
    let case = copy.case();
    has(
        &audited(&copy).await,
        &[
            &format!("P9 a row is not what the records make it: Case({case})"),
            &format!("P8 2 nobody answers for the person of an open case: {case} awaiting"),
        ],
    );
}

#[tokio::test]
async fn what_is_on_the_way_without_a_limit_is_a_note() {
    let mut copy = copy().await;
    assert_eq!(audited(&copy).await.notes, []);
    copy.change(ledger::VERDICT, |record| {
        record.effects.retain(|ruled| match &ruled.effect {
            Effect::DutyOpened(duty) => !duty.handover,
            _ => true,
        });
    });
    copy.seal();
    let report = audited(&copy).await;
    let notes: Vec<_> = report.notes.iter().map(|note| (note.promise, note.index)).collect();
    assert_eq!(notes, [("P8", Some(LedgerIndex(ledger::VERDICT)))]);
}
