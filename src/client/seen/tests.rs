//! One history is followed, two are exposed.

use xianjie_core::ledger::{Checkpoint, Hash, leaf_hash, node_hash};

use super::{LastSeen, SeenError, Step};
use crate::client::testing::World;

/// The roots of trees of the leaves `a`, `ab`, `abc`, and the proof from 2 to 3.
fn roots() -> ([Hash; 3], Vec<Hash>) {
    let [a, b, c] = [b"a", b"b", b"c"].map(|leaf| leaf_hash(leaf));
    let ab = node_hash(&a, &b);
    ([a, ab, node_hash(&ab, &c)], vec![c])
}

fn checkpoint(size: u64, root: Hash) -> Checkpoint {
    Checkpoint { origin: World::ORIGIN.to_owned(), size, root }
}

#[test]
fn a_history_is_followed_over_proofs() {
    let world = World::new();
    let trust = world.trust();
    let ([_, two, three], path) = roots();
    let mut seen = LastSeen::load(world.folder(), &trust).unwrap();
    assert_eq!(seen.seen(), None);
    for (size, root, path) in [(2, two, &[][..]), (3, three, &path), (2, two, &path)] {
        let checkpoint = checkpoint(size, root);
        seen.advance(&world.note(&checkpoint), checkpoint, path).unwrap();
    }
    let read = LastSeen::load(world.folder(), &trust).unwrap();
    assert_eq!(read.seen().map(|seen| (seen.size, seen.root)), Some((3, three.0)));
    assert_eq!(read.step(&checkpoint(3, three)), Step::Same);
    assert_eq!(read.step(&checkpoint(9, two)), Step::Prove { old: 3, new: 9 });
}

#[test]
fn a_fork_is_loud_and_leaves_evidence() {
    let world = World::new();
    let ([one, two, three], path) = roots();
    let kept = checkpoint(2, two);
    for (size, root, path) in [(2, one, &[][..]), (3, one, &path), (3, three, &[]), (1, two, &[])] {
        let mut seen = LastSeen::load(world.folder(), &world.trust()).unwrap();
        seen.advance(&world.note(&kept), kept.clone(), &[]).unwrap();
        let other = checkpoint(size, root);
        let note = world.note(&other);
        let error = seen.advance(&note, other, path).unwrap_err();
        let SeenError::Fork { evidence, .. } = &error else { panic!("{error}") };
        let text = std::fs::read_to_string(evidence).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["checkpoints"][0], world.note(&kept));
        assert_eq!(json["checkpoints"][1], note);
        assert_eq!(seen.seen().map(|seen| seen.size), Some(2));
    }
}

#[test]
fn a_file_that_was_changed_is_not_believed() {
    let world = World::new();
    let path = world.folder().join("seen.json");
    std::fs::write(&path, "{}").unwrap();
    let read = LastSeen::load(world.folder(), &world.trust());
    assert!(matches!(read, Err(SeenError::Content { .. })));

    let note = world.note(&checkpoint(2, roots().0[1])).replace("\n2\n", "\n3\n");
    let text = serde_json::json!({"checkpoint": note}).to_string();
    std::fs::write(&path, text).unwrap();
    let read = LastSeen::load(world.folder(), &world.trust());
    assert!(matches!(read, Err(SeenError::Untrusted(_))));
}
