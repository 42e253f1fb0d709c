//! A small ledger with one of everything is clean; each thing that is done to it is found, and
//! named.

use super::*;
use crate::store::sqlite::Sqlite;
use copied::Copied;
use ledger::Ledger;

mod copied;
mod law;
mod ledger;
mod lists;
mod moving;
mod records;
mod signed;
mod state;
mod tree;
mod trial;

/// Audits with nothing published.
async fn audited(store: &dyn Store) -> Report {
    audited_with(store, |_| {}).await
}

async fn audited_with(store: &dyn Store, change: impl FnOnce(&mut AuditParts<'_>)) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let scratch = Sqlite::create(&folder.path().join("scratch"), &ledger::origin()).await.unwrap();
    let mut parts = AuditParts {
        origin: ledger::origin(),
        schema: ledger::schema(),
        law: ledger::law(),
        scratch: &scratch,
        checkpoint: None,
        verifiers: Vec::new(),
        floor: None,
        attachments: None,
        decide_again: None,
    };
    change(&mut parts);
    audit(store, parts, |_, _| {}).await.unwrap()
}

/// A copy of the small ledger, to be spoiled.
async fn copy() -> Copied {
    let ledger = Ledger::small().await;
    Copied::of(&ledger.store).await
}

/// What was found, as `promise index words`.
fn said(report: &Report) -> Vec<String> {
    let line = |finding: &Finding| {
        let index = finding.index.map(|index| format!("{index} ")).unwrap_or_default();
        format!("{} {index}{}", finding.promise, finding.en)
    };
    report.findings.iter().map(line).collect()
}

#[track_caller]
fn finds(report: &Report, expected: &[&str]) {
    assert_eq!(said(report), expected);
    assert_eq!(report.found, expected.len() as u64);
    assert!(report.findings.iter().all(|finding| !finding.zh.is_ascii()));
}

/// A hub audits itself in a task of its own.
fn sendable<T: Send>(task: T) -> T {
    task
}

#[track_caller]
fn has(report: &Report, expected: &[&str]) {
    let said = said(report);
    for expected in expected {
        assert!(said.iter().any(|line| line == expected), "{expected}: {said:#?}");
    }
}

#[tokio::test]
async fn a_whole_ledger_is_clean() {
    let ledger = Ledger::small().await;
    let told = std::sync::Mutex::new(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    let scratch = Sqlite::create(&folder.path().join("scratch"), &ledger::origin()).await.unwrap();
    let held: &Held<'_> = &|_, wanted| {
        assert_eq!(wanted.len(), 2);
        Box::pin(async { Ok(Vec::new()) })
    };
    let parts = AuditParts {
        origin: ledger::origin(),
        schema: ledger::schema(),
        law: ledger::law(),
        scratch: &scratch,
        checkpoint: Some(ledger.checkpoint().await),
        verifiers: Vec::new(),
        floor: Some(ledger.root_at(3).await),
        attachments: Some(held),
        decide_again: None,
    };
    let report = audit(&ledger.store, parts, |done, all| told.lock().unwrap().push((done, all)));
    let report = sendable(report).await.unwrap();
    finds(&report, &[]);
    assert!(report.is_clean());
    assert_eq!(report.records, ledger::RECORDS);
    assert_eq!((report.cases, report.deliveries), (1, ledger::DELIVERIES));
    assert!(report.rows > 30);
    let told = told.into_inner().unwrap();
    assert_eq!(told.first(), Some(&(256, ledger::RECORDS)));
    assert_eq!(told.last(), Some(&(ledger::RECORDS, ledger::RECORDS)));
}

#[tokio::test]
async fn the_list_is_bounded_and_the_count_is_not() {
    let mut copy = copy().await;
    for number in 0..1500_u32 {
        copy.rows.insert([&[0xee][..], &number.to_be_bytes()].concat(), Vec::new());
    }
    let report = audited(&copy).await;
    assert_eq!((report.findings.len(), report.found), (LISTED, 1500));
}

#[tokio::test]
async fn a_used_scratch_store_is_refused() {
    let ledger = Ledger::small().await;
    let parts = AuditParts {
        origin: ledger::origin(),
        schema: ledger::schema(),
        law: ledger::law(),
        scratch: &ledger.store,
        checkpoint: None,
        verifiers: Vec::new(),
        floor: None,
        attachments: None,
        decide_again: None,
    };
    let refused = audit(&ledger.store, parts, |_, _| {}).await;
    assert!(matches!(refused, Err(AuditError::ScratchUsed)));
}

#[tokio::test]
async fn another_origin_is_found() {
    let ledger = Ledger::small().await;
    let report = audited_with(&ledger.store, |parts| {
        parts.origin = "other.demo/ledger/1".parse().unwrap();
    });
    let said = said(&report.await);
    assert_eq!(said[0], "P5 0 record 0 names another ledger: hub.demo/ledger/1");
}
