use proptest::prelude::*;

use super::*;

/// The example of the signed-note specification.
const EXAMPLE_KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const EXAMPLE_NOTE: &str = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL\
    1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

/// The reference key and note of Go's `sumdb/note`.
const GO_SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_TEXT: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n";
const GO_LINE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2p\
    ZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

/// A cosignature (type 0x04) of some witness: eight bytes of time before the signature.
fn cosignature_line() -> String {
    format!("— witness.example/w1 {}\n", encode_base64(&[9; 4 + 8 + 64]))
}

fn go_signer() -> NoteSigner {
    let seed = decode_base64(GO_SEED).unwrap()[1..].try_into().unwrap();
    NoteSigner::new("PeterNeumann", seed).unwrap()
}

fn go_note() -> String {
    format!("{GO_TEXT}\n{GO_LINE}")
}

fn open(note: &str, keys: &[&str]) -> Result<(String, Vec<String>), NoteError> {
    let known: Vec<_> = keys.iter().map(|key| NoteVerifier::parse(key).unwrap()).collect();
    let note = SignedNote::parse(note)?;
    let (text, signers) = note.open(&known)?;
    Ok((text.to_owned(), signers.iter().map(|signer| signer.name().to_owned()).collect()))
}

#[test]
fn opens_the_specifications_example() {
    let (text, signers) = open(EXAMPLE_NOTE, &[EXAMPLE_KEY]).unwrap();
    assert_eq!(text, "This is an example message.\n");
    assert_eq!(signers, ["example.com/foo"]);
}

#[test]
fn signs_as_go_does() {
    let signer = go_signer();
    assert_eq!(signer.name(), "PeterNeumann");
    assert_eq!(signer.verifier_key(), GO_KEY);
    assert_eq!(signer.verifier().key_id(), 0xc74f_20a3);
    assert_eq!(signer.sign(GO_TEXT).unwrap(), go_note());
    assert_eq!(format!("{signer:?}"), format!("NoteSigner({GO_KEY})"));
    assert_eq!(open(&go_note(), &[GO_KEY]).unwrap().0, GO_TEXT);
}

#[test]
fn any_changed_bit_is_noticed() {
    let note = go_note();
    for bit in 0..note.len() * 8 {
        let mut bytes = note.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(changed) = String::from_utf8(bytes) {
            assert!(open(&changed, &[GO_KEY]).is_err(), "bit {bit}: {changed}");
        }
    }
}

#[test]
fn unknown_lines_are_passed_by() {
    let note = format!("{GO_TEXT}\n{}{GO_LINE}{}", cosignature_line(), cosignature_line());
    assert_eq!(open(&note, &[EXAMPLE_KEY, GO_KEY]).unwrap().1, ["PeterNeumann"]);
    let same_name_other_id = format!("{GO_TEXT}\n— PeterNeumann AAAAAAAA\n{GO_LINE}");
    assert_eq!(open(&same_name_other_id, &[GO_KEY]).unwrap().1, ["PeterNeumann"]);
    assert_eq!(open(&note, &[EXAMPLE_KEY]), Err(NoteError::NoKnownKey));
    assert_eq!(open(&note, &[]), Err(NoteError::NoKnownKey));
}

#[test]
fn a_false_line_of_a_known_key_condemns_the_note() {
    let false_line = GO_LINE.replace("x08go/Z", "x08go/Y");
    let name = "PeterNeumann".to_owned();
    for note in [
        format!("{GO_TEXT}\n{GO_LINE}{false_line}"),
        format!("{GO_TEXT}\n{false_line}"),
        format!("{GO_TEXT}\n— PeterNeumann x08go/ZJ\n"),
        format!("Other text.\n\n{GO_LINE}"),
    ] {
        let error = NoteError::InvalidSignature { name: name.clone() };
        assert_eq!(open(&note, &[GO_KEY]), Err(error), "{note}");
    }
}

#[test]
fn each_key_counts_once() {
    let note = format!("{GO_TEXT}\n{GO_LINE}{GO_LINE}");
    assert_eq!(open(&note, &[GO_KEY, GO_KEY]).unwrap().1, ["PeterNeumann"]);
}

#[test]
fn two_keys_of_one_name_sign_while_they_change_over() {
    let old = NoteSigner::new("hub.example/ledger/1", [1; 32]).unwrap();
    let new = NoteSigner::new("hub.example/ledger/1", [2; 32]).unwrap();
    let note = SignedNote::parse(&sign("head\n", &[&old, &new]).unwrap()).unwrap();
    let known = [new.verifier().clone(), old.verifier().clone()];
    let (_, signers) = note.open(&known).unwrap();
    assert_eq!(signers, [old.verifier(), new.verifier()]);
    assert_eq!(note.open(&known[..1]).unwrap().1, [new.verifier()]);
}

#[test]
fn the_text_may_have_empty_lines() {
    let text = "one\n\n— not a signature\n\ntwo\n";
    let note = go_signer().sign(text).unwrap();
    assert_eq!(open(&note, &[GO_KEY]).unwrap().0, text);
}

#[test]
fn malformed_notes_are_refused() {
    let line = |line| NoteError::SignatureLine { line };
    for (note, error) in [
        (String::new(), NoteError::NoSignatures),
        (GO_TEXT.to_owned(), NoteError::NoSignatures),
        (format!("{GO_TEXT}\n"), NoteError::NoSignatures),
        (format!("{GO_TEXT}{GO_LINE}"), NoteError::NoSignatures),
        (go_note().trim_end().to_owned(), NoteError::NoSignatures),
        (format!("{}\n", go_note()), NoteError::NoSignatures),
        (format!("{GO_TEXT}\n{GO_LINE}more\n"), line(2)),
        (go_note().replace("— ", "- "), line(1)),
        (go_note().replace("Peter", "Peter+"), line(1)),
        (go_note().replace("Peter", "Peter\u{2003}"), line(1)),
        (go_note().replace("— PeterNeumann", "— "), line(1)),
        (go_note().replace("AM=\n", "AM=\u{7f}\n"), line(1)),
        (go_note().replace("AM=\n", "AM\n"), line(1)),
        (go_note().replace("AM=\n", "AN=\n"), line(1)),
        (format!("{GO_TEXT}\n— PeterNeumann x08gow==\n"), line(1)),
        (go_note().replace("your", "your\r"), NoteError::ControlCharacter),
        (go_note().replace("your", "\0"), NoteError::ControlCharacter),
    ] {
        assert_eq!(SignedNote::parse(&note).map(|_| ()), Err(error), "{note}");
    }
}

#[test]
fn size_and_number_of_signatures_are_bounded() {
    let many = |count| format!("{GO_TEXT}\n{}{GO_LINE}", cosignature_line().repeat(count));
    assert!(open(&many(SIGNATURES_MAX - 1), &[GO_KEY]).is_ok());
    assert_eq!(open(&many(SIGNATURES_MAX), &[GO_KEY]), Err(NoteError::TooManySignatures));
    let long = "a".repeat(NOTE_BYTES_MAX) + "\n";
    assert_eq!(SignedNote::parse(&long), Err(NoteError::TooLong));
    assert_eq!(go_signer().sign(&long), Err(NoteError::TooLong));
    let signer = go_signer();
    assert_eq!(sign("text\n", &[&signer; SIGNATURES_MAX + 1]), Err(NoteError::TooManySignatures));
    assert_eq!(sign("text\n", &[]), Err(NoteError::NoSignatures));
}

#[test]
fn only_proper_text_is_signed() {
    assert_eq!(go_signer().sign(""), Err(NoteError::Text));
    assert_eq!(go_signer().sign("no newline"), Err(NoteError::Text));
    assert_eq!(go_signer().sign("a\tb\n"), Err(NoteError::ControlCharacter));
}

#[test]
fn mangled_verifier_keys_are_refused() {
    assert_eq!(NoteVerifier::parse(GO_KEY).unwrap().to_string(), GO_KEY);
    for start in 0..GO_KEY.len() {
        for end in start..=GO_KEY.len() {
            let whole = (start, end) == (0, GO_KEY.len());
            assert!(whole || NoteVerifier::parse(&GO_KEY[start..end]).is_err());
        }
    }
    for place in 0..GO_KEY.len() {
        let mut bytes = GO_KEY.as_bytes().to_vec();
        bytes[place] += 1;
        assert!(NoteVerifier::parse(std::str::from_utf8(&bytes).unwrap()).is_err());
    }
    let upper = GO_KEY.replace("c74f20a3", "C74F20A3");
    assert_eq!(NoteVerifier::parse(&upper), Err(NoteError::VerifierKey));
    let cosigner = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";
    let unsupported = NoteError::VerifierKeyType { signature_type: 4 };
    assert_eq!(NoteVerifier::parse(cosigner), Err(unsupported));
    for name in ["", "a b", "a+b", "a\u{3000}b", "a\nb", "a\0b"] {
        assert_eq!(NoteSigner::new(name, [1; 32]).map(|_| ()), Err(NoteError::KeyName));
    }
}

proptest! {
    #[test]
    fn what_is_signed_is_opened(
        seed: [u8; 32], name in "[^\\s+\\x00-\\x1f]{1,20}", text in "[^\\x00-\\x1f]{0,99}",
    ) {
        let signer = NoteSigner::new(&name, seed)?;
        let known = [NoteVerifier::parse(&signer.verifier_key())?];
        let text = text + "\n";
        let note = SignedNote::parse(&signer.sign(&text)?)?;
        prop_assert_eq!(note.open(&known)?, (text.as_str(), vec![&known[0]]));
    }

    #[test]
    fn any_text_is_read_without_panic(
        text: String, lines in "(\n\n— [a-z]{1,3} [A-Za-z0-9+/=]{0,12}\n?){1,3}",
    ) {
        let _ = NoteVerifier::parse(&text);
        let _ = SignedNote::parse(&(text + &lines));
    }
}
