//! Every record is decided again, and what comes out otherwise is named: the record, the effect, the
//! rule and the articles.

use std::sync::Arc;

use xianjie_core::domain::directory::Divisions;
use xianjie_core::domain::record::{Effect, Kind};
use xianjie_core::domain::reminders::Reminders;
use xianjie_core::domain::rulebook::Law;
use xianjie_core::ids::{Digest, LedgerIndex};

use super::ledger::{self, Ledger};
use super::{audited_with, copy, finds};
use crate::hub::audit::law::{Difference, LawParts, LawReport, Named};
use crate::hub::audit::{Report, STEP, whole};
use crate::store::Store;
use crate::wire::schema::Schema;

/// Directory, verdict, acknowledgement, answer and rejection: record 0 and refusals are not decided.
const DECIDED: u64 = 5;

async fn decided_again(store: &dyn Store, reminders: Option<Reminders>) -> Report {
    let divisions = Arc::new(Divisions::built_in());
    audited_with(store, |parts| parts.decide_again = Some(LawParts { divisions, reminders })).await
}

async fn law_of(store: &dyn Store) -> LawReport {
    decided_again(store, None).await.law.unwrap()
}

/// The built-in law with one text of the Act's rulebook replaced by another.
pub(super) fn law_with(old: &str, new: &str) -> Law {
    let file = |(name, text): (&str, &str)| {
        let text = match name {
            "act_2020.toml" => {
                let changed = text.replacen(old, new, 1);
                assert_ne!(changed, text);
                changed
            }
            _ => text.to_owned(),
        };
        (name.to_owned(), text)
    };
    let files: Vec<_> = Law::built_in_files().into_iter().map(file).collect();
    Law::load_folder(&files, &Schema::built_in()).unwrap()
}

/// A difference in a line: index, how, what, rule, articles, fields.
pub(super) fn line(difference: &Difference) -> String {
    let Difference { index, how, what, rule, articles, fields } = difference;
    let fields = fields.iter().map(|f| format!(" {}={}|{}", f.path, f.had, f.made));
    let (word, ..) = how.words();
    format!("{index} {word} {what} {rule} {articles:?}{}", fields.collect::<String>())
}

fn lines(law: &LawReport) -> Vec<String> {
    law.differences.iter().map(line).collect()
}

#[tokio::test]
async fn a_lawful_ledger_comes_out_the_same() {
    let ledger = Ledger::small().await;
    let report = decided_again(&ledger.store, Some(Reminders::default())).await;
    finds(&report, &[]);
    let law = report.law.clone().unwrap();
    assert_eq!(law, LawReport { judged: DECIDED, ..LawReport::default() });
    assert!(report.is_clean());
}

#[tokio::test]
async fn another_addressee_is_told_of_the_record_that_has_it() {
    let law = law_with(
        "to = \"supervising procuratorate of the sender\", when",
        "to = \"county procuratorate of the place of execution\", when",
    );
    let ledger = Ledger::small_decided_by(law).await;
    let law = law_of(&ledger.store).await;
    // The interpretation of 2021 names whom the Act names: that one stays, on its article alone.
    assert_eq!(
        lines(&law),
        [
            r#"2 additional delivery_opened tianhe-procuratorate act_2020/verdict_handover/copies/1 ["社区矫正法 20", "2020办法 16"]"#,
            r#"2 other delivery_opened yuexiu-procuratorate interpretation_2021/verdict_handover/copies/1 ["刑诉法解释 519"] articles=["刑诉法解释 519"]|["社区矫正法 20","2020办法 16","刑诉法解释 519"] rule=interpretation_2021/verdict_handover/copies/1|act_2020/verdict_handover/copies/1"#,
        ]
    );
    assert_eq!((law.judged, law.differing), (DECIDED, 2));
}

#[tokio::test]
async fn another_limit_is_told_of_the_record_that_has_it() {
    let law = law_with(
        "rows = [\"C6\"]\nowner = \"addressee\"\nwithin = \"5 days\"",
        "rows = [\"C6\"]\nowner = \"addressee\"\nwithin = \"6 days\"",
    );
    let ledger = Ledger::small_decided_by(law).await;
    let law = law_of(&ledger.store).await;
    let differs = "2 other duty_opened 送达回执 act_2020/verdict_handover/duties/1 [\"2020办法 16\"] \
                   duty_opened.limit=6 days|5 days";
    assert_eq!(lines(&law), [differs]);
    assert_eq!((law.judged, law.differing), (DECIDED, 1));
}

#[tokio::test]
async fn a_delivery_less_is_told() {
    let mut copy = copy().await;
    copy.change(ledger::REPLY, |record| {
        record.effects.retain(|ruled| !matches!(ruled.effect, Effect::DeliveryOpened { .. }));
    });
    copy.seal();
    let report = decided_again(&copy, None).await;
    let law = report.law.as_ref().unwrap();
    let missing = "5 missing delivery_opened yuexiu-court act_2020/return_receipt/to/0 \
                   [\"2020办法 16\", \"2020办法 31\"]";
    assert_eq!(lines(law), [missing]);
    assert!(!report.is_clean());
}

#[tokio::test]
async fn a_statement_and_a_change_of_the_directory_are_judged_too() {
    let mut copy = copy().await;
    copy.change(ledger::NAMED, |record| {
        if let Effect::AgencyPut(agency) = &mut record.effects[0].effect {
            agency.electronic_service = true;
        }
    });
    copy.change(ledger::REJECTED, |record| {
        record.effects.retain(|ruled| !matches!(ruled.effect, Effect::NoticeOwed { .. }));
        if let Kind::Rejected(kind) = &mut record.kind {
            kind.supervisors.clear();
        }
    });
    copy.seal();
    assert_eq!(
        lines(&law_of(&copy).await),
        [
            "1 other agency_put yuexiu-procuratorate hub/directory [] \
             agency_put.agency.electronic_service_consent=true|",
            "6 other rejected  [] supervisors=|[\"tianhe-procuratorate\",\"yuexiu-procuratorate\"]",
            "6 missing notice_owed NOTICE_KIND_DELIVERY_REJECTED hub/rejection []",
        ]
    );
}

#[tokio::test]
async fn what_the_law_refuses_is_told() {
    let mut copy = copy().await;
    // The court's certificate is registered by no record any more.
    let court = copy.record(ledger::VERDICT);
    let Kind::Document(court) = court.kind else { panic!("no document") };
    copy.change(ledger::NAMED, |record| {
        record.effects.retain(|ruled| match &ruled.effect {
            Effect::CertificatePut(certificate) => certificate.digest != court.signers[0].0,
            _ => true,
        });
    });
    copy.seal();
    let law = law_of(&copy).await;
    let refused = "2 refused SIGNER_UNKNOWN signatures[0]  []";
    assert_eq!(lines(&law), ["1 missing certificate_put certificate hub/directory []", refused]);
}

/// What does not fit about a document is judged with it.
#[tokio::test]
async fn a_contradiction_less_or_more_is_told_of_its_document() {
    let mut copy = copy().await;
    copy.change(ledger::FLAGGED, |record| {
        let Effect::Contradiction { what, .. } = &mut record.effects[1].effect else {
            panic!("{record:?}");
        };
        assert_eq!(what, "TERM_BEGINS_ON_ANOTHER_DAY");
        record.effects.remove(1);
    });
    copy.seal();
    let missing = "2 missing contradiction reason hub/plausible [\"刑法 73\"]";
    assert_eq!(lines(&law_of(&copy).await), [missing]);
}

#[tokio::test]
async fn no_step_ends_between_a_document_and_what_does_not_fit_about_it() {
    let copy = copy().await;
    let step = |last: u64| {
        let entry = |index: u64| copy.entries[usize::try_from(index).unwrap()].clone();
        let mut entries = vec![entry(ledger::LAST); usize::try_from(STEP).unwrap() - 1];
        entries.extend([ledger::VERDICT, last].map(entry));
        whole(entries).len() as u64
    };
    assert_eq!((step(ledger::FLAGGED), step(ledger::ACKNOWLEDGED)), (STEP + 1, STEP));
}

/// What was decided by other rules is counted and named, and so is what stands between it and the next
/// document, which names nothing itself.
#[tokio::test]
async fn other_rules_are_counted_and_named() {
    let mut copy = copy().await;
    copy.change(ledger::REPLY, |record| {
        if let Kind::Document(taken) = &mut record.kind {
            taken.rulebook = Digest([9; 32]);
        }
    });
    copy.seal();
    let report = decided_again(&copy, None).await;
    finds(&report, &[]);
    let law = report.law.unwrap();
    let other = Named { rulebook: Digest([9; 32]), engine: 1 };
    // The acknowledgement before it, itself, the rejection after it.
    let expected = LawReport { judged: DECIDED - 3, ..LawReport::default() };
    assert_eq!(law, LawReport { unjudged: [(other, 3)].into(), ..expected.clone() });

    copy.change(ledger::REPLY, |record| {
        if let Kind::Document(taken) = &mut record.kind {
            taken.rulebook = Digest(ledger::law().digest());
            taken.engine = 2;
        }
    });
    copy.seal();
    let law = law_of(&copy).await;
    let other = Named { rulebook: Digest(ledger::law().digest()), engine: 2 };
    assert_eq!(law, LawReport { unjudged: [(other, 3)].into(), ..expected });
}

/// An operator's intervals are no law: records of other ones are counted, where they are known.
#[tokio::test]
async fn other_intervals_make_no_difference() {
    let ledger = Ledger::small().await;
    let others =
        Reminders { forewarn_ms: 1, promptly_ms: 1, at_once_ms: 1, ..Reminders::default() };
    let law = decided_again(&ledger.store, Some(others)).await.law.unwrap();
    // The verdict's duties, and the one that its acknowledgement starts.
    let expected = LawReport { judged: DECIDED, ..LawReport::default() };
    assert_eq!(law, LawReport { reminders: 2, ..expected.clone() });
    assert_eq!(law_of(&ledger.store).await, expected);
}

#[tokio::test]
async fn what_can_t_be_read_is_counted() {
    let mut copy = copy().await;
    copy.entries[ledger::REPLY as usize].signed_document = Vec::new();
    let law = law_of(&copy).await;
    assert_eq!((law.judged, law.unreadable), (DECIDED - 1, 1));
    assert_eq!(law.differences.first().map(|d| d.index), None::<LedgerIndex>);
}
