//! The rulebooks (规则) that the hub decides under. Which they are is a record of the ledger, signed by
//! operators; their text is the program's own, or a folder's.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use xianjie_core::domain::decide::Change;
use xianjie_core::domain::rulebook::Law;
use xianjie_core::domain::state::{Key, Row};
use xianjie_core::ids::Digest;
use xianjie_core::refusal::{Reason, Refusal, Violation};

use super::Hub;
use crate::store::{Store, StoreError, Wants};
use crate::wire::schema::Schema;

/// So many rulebooks are kept ready that operators ask for.
const ASKED_FOR: usize = 4;

/// The rulebooks of one hub.
pub(crate) struct Laws {
    current: ArcSwap<Law>,
    /// Whether `current` is what the ledger last put in force: else no document is decided.
    in_force: AtomicBool,
    /// What is about to be put in force: more than one, if operators are at odds.
    next: Mutex<VecDeque<Arc<Law>>>,
    built_in: Arc<Law>,
    folder: Option<PathBuf>,
    schema: Arc<Schema>,
}

impl Laws {
    /// The rulebooks that the ledger last put in force, from wherever their text is found. If it isn't
    /// found, as with a new release of the program, operators put in force what there is.
    pub(crate) fn open(
        built_in: Arc<Law>,
        folder: Option<PathBuf>,
        schema: Arc<Schema>,
        in_force: Digest,
    ) -> Self {
        let laws = Self {
            current: ArcSwap::from(Arc::clone(&built_in)),
            in_force: AtomicBool::new(true),
            next: Mutex::default(),
            built_in,
            folder,
            schema,
        };
        laws.take_effect(in_force);
        laws
    }

    /// Whether those that decide now are those in force.
    pub(crate) fn are_in_force(&self) -> bool {
        self.in_force.load(Ordering::SeqCst)
    }

    /// The rulebooks that decide now.
    pub(crate) fn current(&self) -> Arc<Law> {
        self.current.load_full()
    }

    fn digest(&self) -> Digest {
        Digest(self.current.load().digest())
    }

    /// The rulebooks of this digest: the program's own, or what the folder holds now.
    fn find(&self, digest: Digest) -> Result<Arc<Law>, String> {
        if self.built_in.digest() == digest.0 {
            return Ok(Arc::clone(&self.built_in));
        }
        let folder = self
            .folder
            .as_deref()
            .ok_or("they are not the program's own, and [law] rulebooks names no folder")?;
        let law = read(folder, &self.schema)?;
        if law.digest() == digest.0 {
            return Ok(Arc::new(law));
        }
        let (found, folder) = (Digest(law.digest()), folder.display());
        Err(format!("{folder} holds the rulebooks {found}, and not {digest}"))
    }

    /// Makes ready what operators ask to be put in force.
    fn prepare(&self, digest: Digest) -> Result<(), Refusal> {
        let unfit = |help: String| Violation::new(Reason::DirectoryUnfit, "changes[0]").help(help);
        let law = self.find(digest).map_err(unfit)?;
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if next.len() == ASKED_FOR {
            next.pop_front();
        }
        next.push_back(law);
        Ok(())
    }

    /// The ledger has put these in force.
    pub(crate) fn take_effect(&self, digest: Digest) {
        if digest == self.digest() {
            self.in_force.store(true, Ordering::SeqCst);
            return;
        }
        let ready = {
            let next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            next.iter().find(|law| law.digest() == digest.0).cloned()
        };
        match ready.map_or_else(|| self.find(digest), Ok) {
            Ok(law) => {
                tracing::info!(%digest, "rulebooks are in force");
                self.current.store(law);
                self.in_force.store(true, Ordering::SeqCst);
            }
            Err(why) => {
                tracing::error!(%digest, why, "the rulebooks in force are not at hand");
                self.in_force.store(false, Ordering::SeqCst);
            }
        }
    }
}

impl Hub {
    /// Makes ready what a change of the directory puts in force, if it does. It stands alone.
    pub(super) fn prepare_law(&self, changes: &[Change]) -> Result<(), Refusal> {
        let activates = |change: &Change| matches!(change, Change::ActivateRulebooks(_));
        match changes {
            [Change::ActivateRulebooks(digest)] => self.shared.laws.prepare(*digest),
            changes if changes.iter().any(activates) => {
                let alone = Violation::new(Reason::DirectoryUnfit, "changes");
                Err(alone
                    .help_in("putting rulebooks in force stands alone", "启用规则须单独办理")
                    .into())
            }
            _ => Ok(()),
        }
    }

    /// Whether the rulebooks that the ledger last put in force are at hand. If not, no document is
    /// decided until operators have put others in force, or the hub is restarted with them.
    #[must_use]
    pub fn law_is_in_force(&self) -> bool {
        self.shared.laws.are_in_force()
    }

    pub(super) fn check_law_in_force(&self) -> Result<(), Reason> {
        if self.law_is_in_force() { Ok(()) } else { Err(Reason::RulebooksNotInForce) }
    }
}

/// The rulebooks that the ledger last put in force.
///
/// # Errors
/// The store can't be read, or was never founded: record 0 puts rulebooks in force.
pub(crate) async fn in_force(store: &dyn Store) -> Result<Digest, StoreError> {
    let mut wants = Wants::default();
    wants.keys.insert(Key::Rulebook);
    let loaded = store.load(&wants).await?;
    match loaded.rows.get(&Key::Rulebook) {
        Some(Some(Row::Rulebook(digest))) => Ok(*digest),
        _ => Err(StoreError::Fatal("the ledger never put rulebooks in force".to_owned())),
    }
}

/// Reads the rulebooks of a folder, as a whole: against each other and against the documents' schema.
///
/// # Errors
/// In words: what can't be read, or each error with file and line.
pub fn read(folder: &Path, schema: &Schema) -> Result<Law, String> {
    let unreadable = |error: io::Error| format!("{}: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        paths.push(entry.map_err(unreadable)?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.push((name, fs::read_to_string(&path).map_err(unreadable)?));
    }
    Law::load_folder(&files, schema).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        format!("{}: {}", folder.display(), errors.join("; "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The built-in rulebooks in a folder, with another limit.
    fn changed(folder: &Path) -> Digest {
        for (name, text) in Law::built_in_files() {
            let text = text.replacen("within = \"5 days\"", "within = \"7 days\"", 1);
            fs::write(folder.join(name), text).unwrap();
        }
        Digest(read(folder, &Schema::built_in()).unwrap().digest())
    }

    #[test]
    fn of_two_that_are_asked_for_at_once_the_ledger_chooses() {
        let folder = tempfile::tempdir().unwrap();
        let (built_in, schema) = (Arc::new(Law::built_in()), Arc::new(Schema::built_in()));
        let own = Digest(built_in.digest());
        let other = changed(folder.path());
        let path = Some(folder.path().to_owned());
        let laws = Laws::open(built_in, path, schema, own);
        laws.prepare(other).unwrap();
        // What was ready stays so, whatever becomes of the folder.
        fs::remove_file(folder.path().join("hub.toml")).unwrap();
        laws.prepare(own).unwrap();
        laws.take_effect(other);
        assert_eq!(laws.digest(), other);
        laws.take_effect(own);
        assert_eq!(laws.digest(), own);
        assert!(laws.prepare(Digest([7; 32])).is_err());
    }

    #[test]
    fn what_is_not_at_hand_is_not_in_force_until_something_else_is() {
        let (built_in, schema) = (Arc::new(Law::built_in()), Arc::new(Schema::built_in()));
        let own = Digest(built_in.digest());
        let laws = Laws::open(built_in, None, schema, Digest([7; 32]));
        assert!(!laws.are_in_force());
        laws.take_effect(own);
        assert!(laws.are_in_force());
        laws.take_effect(Digest([8; 32]));
        assert!(!laws.are_in_force());
    }
}
