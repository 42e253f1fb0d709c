use proptest::prelude::*;

use super::*;
use crate::ledger::merkle::empty_root;

/// The text of the tlog-checkpoint specification's example.
const EXAMPLE: &str =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

const ORIGIN: &str = "hub.example/ledger/1";

fn head() -> Checkpoint {
    Checkpoint { origin: ORIGIN.to_owned(), size: 7, root: empty_root() }
}

fn signer(name: &str, seed: u8) -> NoteSigner {
    NoteSigner::new(name, [seed; 32]).unwrap()
}

#[test]
fn reads_the_specifications_example() {
    let checkpoint = Checkpoint::parse(EXAMPLE).unwrap();
    assert_eq!(checkpoint.origin, "example.com/behind-the-sofa");
    assert_eq!(checkpoint.size, 20_852_163);
    assert_eq!(checkpoint.to_text(), EXAMPLE);
}

#[test]
fn other_texts_are_refused() {
    for (text, error) in [
        (String::new(), CheckpointError::Lines),
        (EXAMPLE.trim_end().to_owned(), CheckpointError::Lines),
        ("example.com/a\n1\n".to_owned(), CheckpointError::Lines),
        (format!("{EXAMPLE}extension\n"), CheckpointError::Extensions),
        (format!("{EXAMPLE}\n"), CheckpointError::Extensions),
        (EXAMPLE.replace("example.com/behind-the-sofa", ""), CheckpointError::Origin),
        (EXAMPLE.replace('-', " "), CheckpointError::Origin),
        (EXAMPLE.replace('-', "+"), CheckpointError::Origin),
        (EXAMPLE.replace("20852163", "020852163"), CheckpointError::Size),
        (EXAMPLE.replace("20852163", "+20852163"), CheckpointError::Size),
        (EXAMPLE.replace("20852163", "-1"), CheckpointError::Size),
        (EXAMPLE.replace("20852163", "1e3"), CheckpointError::Size),
        (EXAMPLE.replace("20852163", ""), CheckpointError::Size),
        (EXAMPLE.replace("20852163", "00"), CheckpointError::Size),
        (EXAMPLE.replace("20852163", "18446744073709551616"), CheckpointError::Size),
        (EXAMPLE.replace("CsUY", ""), CheckpointError::Root),
        (EXAMPLE.replace("q2I=", "q2I"), CheckpointError::Root),
        (EXAMPLE.replace("q2I=", "q2J="), CheckpointError::Root),
        (EXAMPLE.replace("q2I=", "q2I= "), CheckpointError::Root),
        (EXAMPLE.replace('\n', "\r\n"), CheckpointError::Origin),
    ] {
        assert_eq!(Checkpoint::parse(&text), Err(error), "{text}");
    }
}

#[test]
fn a_signed_head_is_opened_with_its_keys() {
    let (old, new) = (signer(ORIGIN, 1), signer(ORIGIN, 2));
    let known = [old.verifier().clone(), new.verifier().clone()];
    let note = head().sign(&[&old]).unwrap();
    assert_eq!(Checkpoint::open(&note, &known), Ok((head(), vec![old.verifier()])));
    let note = head().sign(&[&old, &new]).unwrap();
    let both = vec![old.verifier(), new.verifier()];
    assert_eq!(Checkpoint::open(&note, &known), Ok((head(), both)));
}

#[test]
fn only_the_ledgers_own_keys_sign_it() {
    let own = signer(ORIGIN, 1);
    let witness = signer("witness.example/w1", 2);
    let not_by_origin = CheckpointError::NotByOrigin { origin: ORIGIN.to_owned() };
    assert_eq!(head().sign(&[&own, &witness]), Err(not_by_origin.clone()));
    assert_eq!(head().sign(&[]), Err(NoteError::NoSignatures.into()));

    let witnessed = note::sign(&head().to_text(), &[&witness, &own]).unwrap();
    let known = [own.verifier().clone(), witness.verifier().clone()];
    let signers = Checkpoint::open(&witnessed, &known).unwrap().1;
    assert_eq!(signers, [witness.verifier(), own.verifier()]);

    let by_witness_alone = note::sign(&head().to_text(), &[&witness]).unwrap();
    assert_eq!(Checkpoint::open(&by_witness_alone, &known), Err(not_by_origin));
    let opened = Checkpoint::open(&by_witness_alone, &known[..1]);
    assert_eq!(opened, Err(NoteError::NoKnownKey.into()));
}

#[test]
fn a_note_that_is_no_head_is_refused() {
    let own = signer(ORIGIN, 1);
    let known = [own.verifier().clone()];
    let extended = own.sign(&format!("{}more\n", head().to_text())).unwrap();
    assert_eq!(Checkpoint::open(&extended, &known), Err(CheckpointError::Extensions));
    assert_eq!(Checkpoint::open("", &known), Err(NoteError::NoSignatures.into()));
}

proptest! {
    #[test]
    fn every_head_is_read_back(origin in "[a-z./0-9]{1,40}", size: u64, root: [u8; 32]) {
        let checkpoint = Checkpoint { origin, size, root: Hash(root) };
        prop_assert_eq!(Checkpoint::parse(&checkpoint.to_text()), Ok(checkpoint));
    }
}
