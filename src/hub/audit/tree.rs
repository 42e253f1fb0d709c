//! The tree, rebuilt from the leaves, and all that was ever said of it: head, tiles, checkpoint,
//! floor.

use xianjie_core::domain::record::Kind;
use xianjie_core::ids::{LedgerIndex, Origin, Time};
use xianjie_core::ledger::{Checkpoint, Edge, Hash, NoteVerifier, Tile, leaf_hash};

use super::AuditParts;
use super::entry::Examined;
use super::findings::{Findings, Wrong, wrong};
use crate::store::Head;

/// The tree so far.
pub(super) struct Tree {
    edge: Edge,
    time: Time,
    said: Vec<SaidRoot>,
    /// The size at which the head was last compared.
    compared: Option<u64>,
    /// A checkpoint that waits for the key that record 0 names.
    unverified: Option<(Origin, String)>,
}

/// A root that was published for a size.
struct SaidRoot {
    size: u64,
    root: Hash,
    differs: Wrong,
    ahead: Wrong,
}

impl Tree {
    /// The tree without leaves, and what was said of it.
    pub(super) fn new(parts: &AuditParts<'_>, findings: &mut Findings) -> Self {
        let mut tree = Self {
            edge: Edge::new(),
            time: Time(0),
            said: Vec::new(),
            compared: None,
            unverified: None,
        };
        if let Some((size, root)) = parts.floor {
            let (differs, ahead) = (wrong::FLOOR_ROOT, wrong::FLOOR_AHEAD);
            tree.said.push(SaidRoot { size, root, differs, ahead });
        }
        match &parts.checkpoint {
            Some(note) if parts.verifiers.is_empty() => {
                tree.unverified = Some((parts.origin.clone(), note.clone()));
            }
            Some(note) => tree.open(&parts.origin, note, &parts.verifiers, findings),
            None => {}
        }
        tree
    }

    fn open(
        &mut self,
        origin: &Origin,
        note: &str,
        verifiers: &[NoteVerifier],
        findings: &mut Findings,
    ) {
        match Checkpoint::open(note, verifiers) {
            Ok((checkpoint, _)) if checkpoint.origin == origin.as_str() => {
                self.said.push(SaidRoot {
                    size: checkpoint.size,
                    root: checkpoint.root,
                    differs: wrong::CHECKPOINT_ROOT,
                    ahead: wrong::CHECKPOINT_AHEAD,
                });
            }
            Ok((checkpoint, _)) => {
                findings.add(wrong::CHECKPOINT_INVALID, None, checkpoint.origin);
            }
            Err(error) => findings.add(wrong::CHECKPOINT_INVALID, None, error),
        }
    }

    /// Leaves in the tree.
    pub(super) fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The root.
    pub(super) fn root(&self) -> Hash {
        self.edge.root()
    }

    /// Appends an entry's leaf, as stored.
    pub(super) fn push(&mut self, one: &Examined, findings: &mut Findings) {
        if one.index.0 == 0 {
            self.take_key(one, findings);
        }
        self.edge.push(leaf_hash(&one.leaf));
        if let Some(time) = one.time {
            if time < self.time {
                findings.add(wrong::LEAF_TIME, Some(one.index), "");
            }
            self.time = time;
        }
        for said in self.said.iter().filter(|said| said.size == self.edge.size()) {
            if said.root != self.edge.root() {
                findings.add(said.differs, said.size.checked_sub(1).map(LedgerIndex), "");
            }
        }
    }

    fn take_key(&mut self, one: &Examined, findings: &mut Findings) {
        let Some((origin, note)) = self.unverified.take() else { return };
        let key = match one.record.as_ref().map(|record| &record.kind) {
            Some(Kind::Opened(opened)) => NoteVerifier::parse(&opened.checkpoint_key).ok(),
            _ => None,
        };
        let verifiers: Vec<NoteVerifier> = key.into_iter().collect();
        self.open(&origin, &note, &verifiers, findings);
    }

    /// The tiles completed since they were last taken.
    pub(super) fn full_tiles(&mut self) -> Vec<Tile> {
        self.edge.full_tiles()
    }

    /// Whether the head is the tree's: said once for each size.
    pub(super) fn compare_head(&mut self, head: &Head, findings: &mut Findings) {
        if self.compared.replace(head.size) == Some(head.size) {
            return;
        }
        if head.size < self.size() {
            findings.add(wrong::HEAD_BACK, None, "");
            return;
        }
        // A ledger without records has no root yet.
        if self.size() > 0 && head.root != self.root().0 {
            findings.add(wrong::HEAD_ROOT, None, "");
        }
        if head.time != self.time {
            findings.add(wrong::HEAD_TIME, None, "");
        }
    }

    /// Whether all that was published is there.
    pub(super) fn check_published(&self, findings: &mut Findings) {
        for said in self.said.iter().filter(|said| said.size > self.size()) {
            findings.add(said.ahead, None, "");
        }
    }
}

/// Compares the tiles that the leaves make with the stored ones.
pub(super) fn compare_tiles(made: &[Tile], stored: Vec<Option<Vec<u8>>>, findings: &mut Findings) {
    for (tile, stored) in made.iter().zip(stored) {
        let name = format!("{}/{}", tile.level, tile.index);
        match stored {
            None => findings.add(wrong::TILE_MISSING, None, name),
            Some(bytes) if bytes != tile.bytes => {
                findings.add(wrong::TILE_DIFFERS, None, name);
            }
            Some(_) => {}
        }
    }
}
