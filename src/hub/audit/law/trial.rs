//! The trial of rulebooks (规则试算): what others would make of the documents that a ledger holds, before
//! they are in force. Each document is decided twice, by the old and by the new, in the state and the
//! directory as they were when it came; what came after it is left as it is.
//!
//! A ledger holds what was taken, so it can't tell of documents that were refused and would be taken
//! now. The whole ledger is folded for the state, in steps, as in an audit; nothing is verified.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use xianjie_core::domain::decide::{Decided, Decision, World, decide};
use xianjie_core::domain::directory::{Directory, Divisions};
use xianjie_core::domain::record::{Effect, Kind, Record};
use xianjie_core::domain::reminders::Reminders;
use xianjie_core::domain::rulebook::Law;
use xianjie_core::domain::state::View;
use xianjie_core::ids::{AgencyCode, Digest, DocumentType, LedgerIndex, Origin, Time};
use xianjie_core::ledger::Hash;

use super::difference::{self, Difference, Field, How};
use super::input::{self, Led};
use super::{Asked, Question, Verdict};
use crate::hub::audit::entry::{self, Examined, Ground};
use crate::hub::audit::replay::{Replay, Replayed};
use crate::hub::audit::{AuditError, LISTED, STEP, blocking};
use crate::hub::fold::commit_document;
use crate::store::Store;
use crate::wire::schema::Schema;

/// The path of the word that a delivery is a copy.
const COPY: &str = "delivery_opened.copy";
/// The path of a duty's limit.
const LIMIT: &str = "duty_opened.limit";

/// What a trial needs besides the store.
pub struct TrialParts<'a> {
    /// The ledger's origin.
    pub origin: Origin,
    /// The document types.
    pub schema: Arc<Schema>,
    /// The rulebooks that decide now.
    pub old: Arc<Law>,
    /// Those on trial.
    pub new: Arc<Law>,
    /// The divisions.
    pub divisions: Arc<Divisions>,
    /// Documents that came before this are not tried.
    pub since: Time,
    /// An empty store, into which the records are folded; worthless afterwards.
    pub scratch: &'a dyn Store,
}

/// What a trial came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrialReport {
    /// Documents that both decided.
    pub tried: u64,
    /// How many of them come out otherwise.
    pub otherwise: u64,
    /// Of each type, how many come out otherwise in what.
    pub counts: BTreeMap<(DocumentType, Part), u64>,
    /// The documents that come out otherwise, in order, the first [`LISTED`].
    pub documents: Vec<Otherwise>,
    /// Documents that can't be read, or that the old rulebooks refuse: they were not what decided.
    pub untried: u64,
}

/// A document that comes out otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Otherwise {
    /// Its record.
    pub index: LedgerIndex,
    /// When it came.
    pub time: Time,
    /// Who sent it.
    pub sender: AgencyCode,
    /// Its type.
    pub document_type: DocumentType,
    /// In what; [`How::Missing`] is what the new rulebooks add, [`How::Additional`] what they drop.
    pub differences: Vec<(Part, Difference)>,
}

/// The part of a document's outcome that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// It would be refused (不予接收).
    Refused,
    /// Its main addressees (主送).
    Addressees,
    /// Those who get a copy (抄送).
    Copies,
    /// Duties and their limits (期限义务).
    Duties,
    /// Custody (监管责任).
    Custody,
    /// What is flagged (矛盾提示).
    Flags,
    /// What becomes known of the case (案件信息).
    Case,
    /// Anything else.
    Other,
}

impl Part {
    /// Its word in JSON, and what it is called in English and Chinese.
    #[must_use]
    pub fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Refused => ("refused", "refused", "不予接收"),
            Self::Addressees => ("addressees", "main addressees", "主送"),
            Self::Copies => ("copies", "copies", "抄送"),
            Self::Duties => ("duties", "duties and limits", "期限义务"),
            Self::Custody => ("custody", "custody", "监管责任"),
            Self::Flags => ("flags", "flags", "矛盾提示"),
            Self::Case => ("case", "the case", "案件信息"),
            Self::Other => ("other", "other", "其他"),
        }
    }

    fn of(difference: &Difference) -> Self {
        let effect = difference.effect();
        let is_copy = |field: &Field| field.path == COPY;
        match effect {
            _ if difference.how == How::Refused => Self::Refused,
            "delivery_opened" if difference.fields.iter().any(is_copy) => Self::Copies,
            "delivery_opened" => Self::Addressees,
            "contradiction" | "notice_owed" => Self::Flags,
            _ if effect.starts_with("duty_") => Self::Duties,
            _ if effect.starts_with("custody") => Self::Custody,
            _ if effect.starts_with("case_") => Self::Case,
            _ => Self::Other,
        }
    }
}

/// Tries rulebooks on the documents of `store`. `progress` is told how many records are folded, of how
/// many.
///
/// # Errors
/// [`AuditError`]; [`AuditError::Unsound`] if a record does not fit what came before it.
pub async fn trial(
    store: &dyn Store,
    parts: TrialParts<'_>,
    progress: impl Fn(u64, u64) + Send + Sync,
) -> Result<TrialReport, AuditError> {
    let scratch = parts.scratch;
    if scratch.head().await.map_err(AuditError::Scratch)?.size != 0 {
        return Err(AuditError::ScratchUsed);
    }
    let size = store.head().await.map_err(AuditError::Store)?.size;
    let ground = Ground { origin: parts.origin.clone(), schema: Arc::clone(&parts.schema) };
    let ground = Arc::new(ground);
    let mut trial = Trial::new(parts);
    let mut from = 0;
    while from < size {
        let limit = usize::try_from(STEP.min(size - from)).unwrap_or(1);
        let entries = store.entries_from(LedgerIndex(from), limit).await;
        let entries = entries.map_err(AuditError::Store)?;
        let count = entries.len() as u64;
        let ground = Arc::clone(&ground);
        let (examined, _) = blocking(move || entry::examine_all(&ground, entries)).await?;
        // The scratch store's tree is of no use here.
        let mut replay = Replay::new(&examined, Hash([0; 32]), Some(&trial));
        replay.settle(scratch).await.map_err(AuditError::Scratch)?;
        scratch.commit(&mut replay).await.map_err(AuditError::Scratch)?;
        let Replayed { findings, verdicts, directory, .. } = replay.into_outcome();
        let (found, _) = findings.into_list();
        let unsound = found.first().map(|finding| finding.index.unwrap_or(LedgerIndex(from)));
        if let Some(index) = unsound.or((count == 0).then_some(LedgerIndex(from))) {
            return Err(AuditError::Unsound(index));
        }
        trial.take(&examined, verdicts, directory);
        from += count;
        progress(from, size);
    }
    Ok(trial.report)
}

/// A trial under way.
struct Trial {
    old: Arc<Law>,
    new: Arc<Law>,
    divisions: Arc<Divisions>,
    since: Time,
    directory: Arc<Directory>,
    report: TrialReport,
}

impl Trial {
    fn new(parts: TrialParts<'_>) -> Self {
        let TrialParts { old, new, divisions, since, .. } = parts;
        let (directory, report) = (Arc::default(), TrialReport::default());
        Self { old, new, divisions, since, directory, report }
    }

    fn take(
        &mut self,
        examined: &[Examined],
        verdicts: Vec<Option<Verdict>>,
        directory: Arc<Directory>,
    ) {
        self.directory = directory;
        for (one, verdict) in examined.iter().zip(verdicts) {
            match verdict {
                None => {}
                Some(Verdict::Unreadable) => self.report.untried += 1,
                Some(Verdict::Same(_)) => self.report.tried += 1,
                Some(Verdict::Other(differences)) => {
                    self.report.tried += 1;
                    self.report.add(one, differences);
                }
            }
        }
    }
}

impl Question for Trial {
    fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory)
    }

    fn verdict(
        &self,
        view: &View<'_>,
        directory: &Directory,
        asked: &Asked<'_>,
    ) -> Option<Verdict> {
        let Asked { one, record, time, .. } = *asked;
        if time < self.since || !matches!(record.kind, Kind::Document(_)) {
            return None;
        }
        let Led::Input(input) = input::of(one, record) else { return Some(Verdict::Unreadable) };
        let made = |law: &Law| {
            let world = World {
                directory,
                divisions: &self.divisions,
                law,
                reminders: Reminders::default(),
                time,
                index: one.index,
                commit_document,
            };
            decide(view, &world, &input)
        };
        let Ok(Decision::Record(old)) = made(&self.old) else { return Some(Verdict::Unreadable) };
        Some(match made(&self.new) {
            Ok(Decision::Record(new)) => compare(one.index, *old, *new),
            Ok(Decision::Known(_)) => Verdict::Unreadable,
            Err(refusal) => Verdict::Other(vec![Difference::refused(one.index, &refusal)]),
        })
    }
}

/// Compares what two laws make of a document. Under which of them it was decided, and where in the
/// books a rule stands, is told by no document; in which order its effects stand neither.
fn compare(index: LedgerIndex, old: Decided, new: Decided) -> Verdict {
    let flagged = difference::of_flagged(index, old.flagged.as_ref(), new.flagged.as_ref());
    let [old, new] = [old, new].map(|decided| nameless(decided.record));
    let verdict = difference::verdict(index, &old, &new).and(flagged);
    let Verdict::Other(mut differences) = verdict else {
        return Verdict::Same(true);
    };
    let is_place = |path: &str| path.ends_with("rule") || path.ends_with("articles");
    for difference in &mut differences {
        difference.fields.retain(|field| !is_place(&field.path));
        difference.tell(&old, &new);
    }
    differences.retain(|difference| match difference.how {
        How::Order => false,
        How::Other => !difference.fields.is_empty(),
        How::Missing | How::Additional | How::Nothing | How::Refused => true,
    });
    if differences.is_empty() { Verdict::Same(true) } else { Verdict::Other(differences) }
}

/// The record without the name of the rulebooks that decided.
fn nameless(mut record: Record) -> Record {
    if let Kind::Document(taken) = &mut record.kind {
        taken.rulebook = Digest([0; 32]);
    }
    record
}

impl Difference {
    /// The effect's name in the protocol.
    fn effect(&self) -> &str {
        self.what.split(' ').next().unwrap_or_default()
    }

    /// Tells of a delivery that comes or goes whether it is a copy, and of a duty its limit.
    fn tell(&mut self, old: &Record, new: &Record) {
        let record = match self.how {
            How::Missing => new,
            How::Additional => old,
            How::Other | How::Order | How::Nothing | How::Refused => return,
        };
        let told = record.effects.iter().find_map(|ruled| match &ruled.effect {
            Effect::DeliveryOpened { agency, copy: true, .. }
                if self.what == format!("delivery_opened {agency}") =>
            {
                Some((COPY, true.to_string()))
            }
            Effect::DutyOpened(duty)
                if self.what == format!("duty_opened {}", duty.name) && ruled.rule == self.rule =>
            {
                Some((LIMIT, duty.limit.clone()))
            }
            _ => None,
        });
        let Some((path, value)) = told else { return };
        let (had, made) = match self.how {
            How::Missing => (String::new(), value),
            _ => (value, String::new()),
        };
        self.fields.push(Field { path: path.to_owned(), had, made });
    }
}

impl TrialReport {
    fn add(&mut self, one: &Examined, differences: Vec<Difference>) {
        let (Some(document), Some(time)) = (one.document(), one.time) else { return };
        self.otherwise += 1;
        let differences: Vec<_> = differences.into_iter().map(|d| (Part::of(&d), d)).collect();
        let parts: BTreeSet<Part> = differences.iter().map(|(part, _)| *part).collect();
        for part in parts {
            *self.counts.entry((document.kind.clone(), part)).or_default() += 1;
        }
        if self.documents.len() < LISTED {
            let (sender, document_type) = (document.sender.clone(), document.kind.clone());
            let index = one.index;
            self.documents.push(Otherwise { index, time, sender, document_type, differences });
        }
    }
}
