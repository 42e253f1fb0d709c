//! Rulebooks on trial: what would come out otherwise is told document by document, and counted.

use std::sync::Arc;

use xianjie_core::domain::directory::Divisions;
use xianjie_core::domain::record::Effect;
use xianjie_core::domain::rulebook::Law;
use xianjie_core::ids::{InboxNumber, LedgerIndex, Time};

use super::copy;
use super::law::{law_with, line};
use super::ledger::{self, Ledger};
use crate::hub::audit::AuditError;
use crate::hub::audit::law::trial::{Part, TrialParts, TrialReport, trial};
use crate::store::Store;
use crate::store::sqlite::Sqlite;

/// Verdict and answer.
const DOCUMENTS: u64 = 2;

async fn try_since(
    store: &dyn Store,
    [old, new]: [Arc<Law>; 2],
    since: Time,
) -> Result<TrialReport, AuditError> {
    let folder = tempfile::tempdir().unwrap();
    let scratch = Sqlite::create(&folder.path().join("scratch"), &ledger::origin()).await.unwrap();
    let parts = TrialParts {
        origin: ledger::origin(),
        schema: ledger::schema(),
        old,
        new,
        divisions: Arc::new(Divisions::built_in()),
        since,
        scratch: &scratch,
    };
    trial(store, parts, |_, _| {}).await
}

async fn tried(new: Law) -> TrialReport {
    let ledger = Ledger::small().await;
    try_since(&ledger.store, [ledger::law(), Arc::new(new)], Time(0)).await.unwrap()
}

/// Each difference in a line, after the part that it is of.
fn lines(report: &TrialReport) -> Vec<String> {
    let documents = report.documents.iter();
    let differences = documents.flat_map(|document| &document.differences);
    differences
        .map(|(part, difference)| format!("{}: {}", part.words().0, line(difference)))
        .collect()
}

/// The counts as `type part number`.
fn counts(report: &TrialReport) -> Vec<String> {
    let count =
        |((kind, part), count): (&(_, Part), &u64)| format!("{kind} {} {count}", part.words().0);
    report.counts.iter().map(count).collect()
}

#[tokio::test]
async fn the_same_rulebooks_make_no_difference() {
    let report = tried(Law::built_in()).await;
    assert_eq!(report, TrialReport { tried: DOCUMENTS, ..TrialReport::default() });
}

#[tokio::test]
async fn another_limit_is_told_with_its_article() {
    let report = tried(law_with(
        "rows = [\"C6\"]\nowner = \"addressee\"\nwithin = \"5 days\"",
        "rows = [\"C6\"]\nowner = \"addressee\"\nwithin = \"6 days\"",
    ));
    let report = report.await;
    let other = "duties: 2 other duty_opened 送达回执 act_2020/verdict_handover/duties/1 \
                 [\"2020办法 16\"] duty_opened.limit=5 days|6 days";
    assert_eq!(lines(&report), [other]);
    assert_eq!(counts(&report), ["verdict_handover duties 1"]);
    assert_eq!((report.tried, report.otherwise), (DOCUMENTS, 1));
    assert_eq!(report.documents[0].sender.as_str(), "yuexiu-court");
}

#[tokio::test]
async fn a_copy_more_is_told_as_one() {
    let report = tried(law_with(
        "{ to = \"county procuratorate of the place of execution\", when = \"not places differ\", carries",
        "{ to = \"county procuratorate of the place of execution\", carries",
    ));
    let report = report.await;
    let more = "copies: 2 missing delivery_opened tianhe-procuratorate \
                act_2020/verdict_handover/copies/2 \
                [\"社区矫正法 20\", \"2020办法 16\"] delivery_opened.copy=|true";
    assert_eq!(lines(&report), [more]);
    assert_eq!(counts(&report), ["verdict_handover copies 1"]);
}

/// The built-in law, but that an answer must name the judgment's number, which the ledger's does not.
fn stricter() -> Law {
    law_with(
        "required = [\"received_date\", \"receiver\"]\nrequired_verified = false\n\
         articles = [\"2020办法 16\"",
        "required = [\"received_date\", \"receiver\", \"case_number\"]\n\
         required_verified = false\narticles = [\"2020办法 16\"",
    )
}

#[tokio::test]
async fn a_field_more_refuses_what_lacks_it() {
    let report = tried(stricter()).await;
    let refused = "refused: 5 refused REQUIRED case_number  [\"2020办法 16\", \"2020办法 31\"]";
    assert_eq!(lines(&report), [refused]);
    assert_eq!(counts(&report), ["return_receipt refused 1"]);
}

/// Where a rule stands in its list is no difference to anyone.
#[tokio::test]
async fn an_order_of_rules_makes_no_difference() {
    let papers = "carries = [\"判决书、裁定书、决定书\", \"执行通知书\"] },\n";
    let (police, there) = (
        format!("  {{ to = \"county police of the place of execution\", {papers}"),
        format!(
            "  {{ to = \"supervising procuratorate of the sender\", when = \"places differ\", {papers}"
        ),
    );
    let comment = "  # the deciding organ's own; the local one is forwarded to\n";
    let (old, new) = (format!("{police}{comment}{there}"), format!("{there}{police}"));
    let report = tried(law_with(&old, &new)).await;
    assert_eq!(report, TrialReport { tried: DOCUMENTS, ..TrialReport::default() });
}

#[tokio::test]
async fn documents_of_before_are_not_tried_and_of_other_rules_counted() {
    let ledger = Ledger::small().await;
    let stricter = || Arc::new(stricter());
    let later = Time(ledger::NOW.0 + 1);
    let report = try_since(&ledger.store, [ledger::law(), stricter()], later).await.unwrap();
    assert_eq!(report, TrialReport::default());
    let report = try_since(&ledger.store, [stricter(), ledger::law()], Time(0)).await.unwrap();
    assert_eq!((report.tried, report.untried), (DOCUMENTS - 1, 1));
}

#[tokio::test]
async fn an_unsound_ledger_is_told_by_its_record() {
    let mut copy = copy().await;
    copy.change(ledger::REPLY, |record| {
        for ruled in &mut record.effects {
            if let Effect::DeliveryOpened { number, .. } = &mut ruled.effect {
                *number = InboxNumber(7);
            }
        }
    });
    copy.seal();
    let tried = try_since(&copy, [ledger::law(), ledger::law()], Time(0)).await;
    assert!(matches!(tried, Err(AuditError::Unsound(LedgerIndex(ledger::REPLY)))));
}
