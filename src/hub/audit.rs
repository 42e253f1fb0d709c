//! The audit: what a store holds, held against the promises (P1 to P10).
//!
//! It reads every entry once, in order, and rebuilds from them all that can be rebuilt: the tree
//! from the leaves, the state from the records (P9), the persons' links from the documents. What
//! was rebuilt is compared with what is stored. It writes to nothing but the scratch store that it
//! is given, and needs the memory of a few pages, whatever the ledger's size.
//!
//! Whether a record is lawful is the law's question, not the ledger's: it is asked too, if that is
//! wanted, and answered apart from the promises ([`law`]).
//!
//! A live store moves meanwhile. The audit follows it: what differs is looked at again once the
//! records that were added are folded too.

use std::sync::Arc;

use futures::future::BoxFuture;
use xianjie_core::domain::record::{Kind, Record};
use xianjie_core::domain::rulebook::Law;
use xianjie_core::ids::{AgencyCode, LedgerIndex, Origin};
use xianjie_core::ledger::{Hash, NoteVerifier};

use crate::store::{Entry, Store, StoreError};
use crate::wire;
use crate::wire::schema::Schema;

mod cases;
mod changes;
mod compare;
mod entry;
mod findings;
pub mod law;
mod lists;
mod record;
mod replay;
mod signatures;
mod tree;

pub use findings::{Finding, LISTED};

use entry::{Examined, Ground};
use findings::{Findings, wrong};
use law::{Judge, LawParts, LawReport, Question};
use lists::Lists;
use replay::{Replay, Replayed};
use tree::Tree;

/// Entries that are folded in one step: a few hundred records in memory, one commit of the scratch
/// store.
const STEP: u64 = 256;

/// Asks which of a sender's attachments (digest and size in bytes each) are not held whole: their
/// places in the list. Called once for each document that has any, so that the caller also learns
/// which attachments the ledger names.
pub type Held<'a> = dyn Fn(AgencyCode, Vec<([u8; 32], u64)>) -> Holding + Send + Sync + 'a;

/// The answer to [`Held`], once it is known.
pub type Holding = BoxFuture<'static, Result<Vec<usize>, StoreError>>;

/// What an audit needs besides the store.
pub struct AuditParts<'a> {
    /// The ledger's origin: record 0 must name it.
    pub origin: Origin,
    /// The document types.
    pub schema: Arc<Schema>,
    /// The law: it says in which states a handover is under way.
    pub law: Arc<Law>,
    /// An empty store, into which the records are folded again; worthless afterwards.
    pub scratch: &'a dyn Store,
    /// The newest published checkpoint, if it is at hand.
    pub checkpoint: Option<String>,
    /// The keys that verify it; with none, the key that record 0 names.
    pub verifiers: Vec<NoteVerifier>,
    /// The floor: the highest size published, with its root.
    pub floor: Option<(u64, Hash)>,
    /// The attachments, if they are audited too.
    pub attachments: Option<&'a Held<'a>>,
    /// What it takes to decide every record again, if that is wanted.
    pub decide_again: Option<LawParts>,
}

/// What an audit found. Neither findings nor notes hold personal data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What breaks a promise, the first [`LISTED`] of them.
    pub findings: Vec<Finding>,
    /// How many there are.
    pub found: u64,
    /// What breaks none, but should be looked at; as many.
    pub notes: Vec<Finding>,
    /// How many there are.
    pub noted: u64,
    /// What deciding again came to, if that was wanted.
    pub law: Option<LawReport>,
    /// Records that were audited.
    pub records: u64,
    /// Rows of the state that the store holds.
    pub rows: u64,
    /// Correction cases among them.
    pub cases: u64,
    /// Deliveries among them.
    pub deliveries: u64,
}

impl Report {
    /// Whether every promise holds, and every record that was decided again came out the same.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.found == 0 && self.law.as_ref().is_none_or(|law| law.differing == 0)
    }
}

/// Why an audit could not be made: what is wrong with the ledger is no error, but a finding.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The store under audit can't be read.
    #[error("the store can't be audited: {0}")]
    Store(#[source] StoreError),
    /// The scratch store can't be used.
    #[error("the scratch store can't be used: {0}")]
    Scratch(#[source] StoreError),
    /// The scratch store is not empty.
    #[error("the scratch store must be empty")]
    ScratchUsed,
    /// A record is missing, or does not fit what came before it: an audit says how.
    #[error("record {0} is missing or unsound: an audit says more")]
    Unsound(LedgerIndex),
    /// A part of the audit was cancelled or panicked.
    #[error("a part of the audit ended: {0}")]
    Ended(String),
}

/// Audits `store`: a stopped one, a copy, or a live one. `progress` is told how many records are
/// audited, of how many.
///
/// # Errors
/// [`AuditError`]: the audit says nothing about the ledger then.
pub async fn audit<'a>(
    store: &'a dyn Store,
    parts: AuditParts<'a>,
    progress: impl Fn(u64, u64) + Send + Sync + 'a,
) -> Result<Report, AuditError> {
    if parts.scratch.head().await.map_err(AuditError::Scratch)?.size != 0 {
        return Err(AuditError::ScratchUsed);
    }
    let mut audit = Audit::new(store, parts, Box::new(progress));
    audit.advance().await?;
    if !audit.torn {
        audit.compare_rows().await?;
        audit.compare_persons().await?;
        audit.check_cases().await?;
        audit.check_end().await?;
    }
    Ok(audit.report())
}

type Progress<'a> = Box<dyn Fn(u64, u64) + Send + Sync + 'a>;

/// An audit under way.
struct Audit<'a> {
    store: &'a dyn Store,
    scratch: &'a dyn Store,
    ground: Arc<Ground>,
    law: Arc<Law>,
    attachments: Option<&'a Held<'a>>,
    progress: Progress<'a>,
    tree: Tree,
    lists: Lists,
    judge: Option<Judge>,
    findings: Findings,
    notes: Findings,
    /// An entry is missing: nothing after it can be rebuilt.
    torn: bool,
    rows: u64,
    cases: u64,
    deliveries: u64,
}

impl<'a> Audit<'a> {
    fn new(store: &'a dyn Store, parts: AuditParts<'a>, progress: Progress<'a>) -> Self {
        let mut findings = Findings::default();
        let tree = Tree::new(&parts, &mut findings);
        let judge = parts.decide_again.map(|again| Judge::new(Arc::clone(&parts.law), again));
        Self {
            store,
            scratch: parts.scratch,
            ground: Arc::new(Ground { origin: parts.origin, schema: parts.schema }),
            law: parts.law,
            attachments: parts.attachments,
            progress,
            tree,
            lists: Lists::default(),
            judge,
            findings,
            notes: Findings::default(),
            torn: false,
            rows: 0,
            cases: 0,
            deliveries: 0,
        }
    }

    /// Audits and folds all records up to the head of the moment; returns its size.
    async fn advance(&mut self) -> Result<u64, AuditError> {
        let head = self.store.head().await.map_err(AuditError::Store)?;
        while self.tree.size() < head.size && !self.torn {
            let from = LedgerIndex(self.tree.size());
            let limit = (STEP + 1).min(head.size - from.0);
            let limit = usize::try_from(limit).unwrap_or(1);
            let entries = self.store.entries_from(from, limit).await.map_err(AuditError::Store)?;
            self.step(from, whole(entries)).await?;
            (self.progress)(self.tree.size(), head.size);
        }
        if !self.torn {
            self.tree.compare_head(&head, &mut self.findings);
        }
        Ok(head.size)
    }

    async fn step(&mut self, from: LedgerIndex, entries: Vec<Entry>) -> Result<(), AuditError> {
        let count =
            entries.iter().zip(from.0..).take_while(|(e, place)| e.index.0 == *place).count();
        if count == 0 {
            self.torn = true;
            self.findings.add(wrong::ENTRY_MISSING, Some(from), "");
            return Ok(());
        }
        let entries = entries.into_iter().take(count).collect();
        let ground = Arc::clone(&self.ground);
        let (examined, found) = blocking(move || entry::examine_all(&ground, entries)).await?;
        self.findings.absorb(found);
        for one in &examined {
            self.tree.push(one, &mut self.findings);
        }
        self.lists.check(&examined, &mut self.notes);
        self.compare_tiles().await?;
        self.replay(&examined).await?;
        self.ask_attachments(&examined).await
    }

    async fn compare_tiles(&mut self) -> Result<(), AuditError> {
        let tiles = self.tree.full_tiles();
        let ids: Vec<(u8, u64)> = tiles.iter().map(|tile| (tile.level, tile.index)).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let stored = self.store.tiles(&ids).await.map_err(AuditError::Store)?;
        tree::compare_tiles(&tiles, stored, &mut self.findings);
        Ok(())
    }

    /// Folds the records into the scratch store, and verifies the signatures under the certificates
    /// that the fold knows.
    async fn replay(&mut self, examined: &[Examined]) -> Result<(), AuditError> {
        let question = self.judge.as_ref().map(|judge| judge as &dyn Question);
        let mut replay = Replay::new(examined, self.tree.root(), question);
        replay.settle(self.scratch).await.map_err(AuditError::Scratch)?;
        self.scratch.commit(&mut replay).await.map_err(AuditError::Scratch)?;
        let Replayed { findings, claims, verdicts, directory } = replay.into_outcome();
        self.findings.absorb(findings);
        if let Some(judge) = &mut self.judge {
            judge.take(examined, verdicts, directory);
        }
        let found = blocking(move || signatures::verify_all(&claims)).await?;
        self.findings.absorb(found);
        Ok(())
    }

    async fn ask_attachments(&mut self, examined: &[Examined]) -> Result<(), AuditError> {
        let Some(held) = self.attachments else { return Ok(()) };
        for one in examined {
            let Some(document) = one.document().filter(|d| !d.attachments.is_empty()) else {
                continue;
            };
            let wanted = document.attachments.iter().map(|a| (a.digest.0, a.size)).collect();
            let missing = held(document.sender.clone(), wanted).await.map_err(AuditError::Store)?;
            for place in missing {
                let field = format!("attachments[{place}]");
                self.findings.add(wrong::ATTACHMENT_MISSING, Some(one.index), field);
            }
        }
        Ok(())
    }

    /// What can be said only at the end: nothing stands behind the head, and all that was published
    /// is there.
    async fn check_end(&mut self) -> Result<(), AuditError> {
        let size = self.advance().await?;
        let beyond = self.store.entries_from(LedgerIndex(size), 1).await;
        let beyond = beyond.map_err(AuditError::Store)?.into_iter().next();
        let head = self.store.head().await.map_err(AuditError::Store)?;
        if let Some(entry) = beyond
            && head.size <= entry.index.0
        {
            self.findings.add(wrong::ENTRY_BEYOND, Some(entry.index), "");
        }
        self.tree.check_published(&mut self.findings);
        Ok(())
    }

    fn report(self) -> Report {
        let (findings, found) = self.findings.into_list();
        let (notes, noted) = self.notes.into_list();
        Report {
            findings,
            found,
            notes,
            noted,
            law: self.judge.map(Judge::into_report),
            records: self.tree.size(),
            rows: self.rows,
            cases: self.cases,
            deliveries: self.deliveries,
        }
    }
}

/// Runs arithmetic beside the tasks that wait for the store.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AuditError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| AuditError::Ended(error.to_string()))
}

/// A step, of one entry more than it needs: what does not fit about a document is judged with it, so that
/// the step ends before neither or after both.
fn whole(mut entries: Vec<Entry>) -> Vec<Entry> {
    let begins_the_next = |last: &mut Entry| {
        let record = wire::record::decode(&last.record);
        !matches!(record, Ok(Record { kind: Kind::Flagged(_), .. }))
    };
    if entries.len() as u64 > STEP {
        entries.pop_if(begins_the_next);
    }
    entries
}

#[cfg(test)]
mod tests;
