//! What only this folder can see: settings and the meaning of result codes.

use sqlx::ConnectOptions;

use super::error::{of_commit, of_statement};
use super::settings;
use super::writer::Writer;
use crate::store::StoreError;

fn writer(folder: &tempfile::TempDir) -> Writer {
    let path = folder.path().join("store");
    std::fs::write(&path, []).unwrap();
    Writer::open(&path, settings::MAX_PAGES).unwrap()
}

#[test]
fn less_than_synchronous_full_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(&folder);
    writer.check_durable().unwrap();
    for weaker in ["PRAGMA synchronous = NORMAL", "PRAGMA synchronous = OFF"] {
        writer.run(weaker).unwrap();
        let refused: StoreError = writer.check_durable().unwrap_err().into();
        assert!(matches!(refused, StoreError::Setup(_)), "{weaker}: {refused}");
    }
}

#[test]
fn a_log_that_is_no_write_ahead_log_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(&folder);
    writer.run("PRAGMA journal_mode = DELETE").unwrap();
    let refused: StoreError = writer.check_durable().unwrap_err().into();
    assert!(matches!(refused, StoreError::Setup(_)), "{refused}");
}

#[tokio::test]
async fn readers_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    writer(&folder).run("CREATE TABLE t (n INTEGER)").unwrap();
    let path = folder.path().join("store");
    let mut reader = settings::reader(&path).connect().await.unwrap();
    sqlx::query("INSERT INTO t VALUES (1)").execute(&mut reader).await.unwrap_err();
}

/// Extended result codes by their names in SQLite's documentation.
#[test]
fn each_result_code_has_its_meaning() {
    let table = [
        ("BUSY", 5, "unavailable", "unavailable"),
        ("BUSY_SNAPSHOT", 517, "unavailable", "unavailable"),
        ("LOCKED", 6, "unavailable", "unknown"),
        ("NOMEM", 7, "unavailable", "unknown"),
        ("INTERRUPT", 9, "unavailable", "unknown"),
        ("FULL", 13, "unavailable", "unavailable"),
        ("CANTOPEN", 14, "unavailable", "unknown"),
        ("IOERR", 10, "fatal", "fatal"),
        ("IOERR_READ", 266, "fatal", "fatal"),
        ("IOERR_WRITE", 778, "fatal", "fatal"),
        ("IOERR_FSYNC", 1034, "fatal", "fatal"),
        ("IOERR_DIR_FSYNC", 1290, "fatal", "fatal"),
        ("IOERR_NOMEM", 3082, "unavailable", "unknown"),
        ("IOERR_SHMSIZE", 4874, "unavailable", "unknown"),
        ("CORRUPT", 11, "fatal", "fatal"),
        ("NOTADB", 26, "fatal", "fatal"),
        ("CONSTRAINT_PRIMARYKEY", 1555, "fatal", "unknown"),
    ];
    for (name, code, statement, commit) in table {
        assert_eq!(meaning(&of_statement(Some(code), String::new())), statement, "{name}");
        assert_eq!(meaning(&of_commit(code, String::new())), commit, "{name} at COMMIT");
    }
    assert_eq!(meaning(&of_statement(None, String::new())), "unavailable");
}

fn meaning(error: &StoreError) -> &'static str {
    match error {
        StoreError::Unavailable(_) => "unavailable",
        StoreError::Unknown(_) => "unknown",
        StoreError::Fatal(_) => "fatal",
        _ => "other",
    }
}
