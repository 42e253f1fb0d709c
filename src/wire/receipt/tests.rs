//! A receipt survives its message; parts of a wrong length do not.

use xianjie_core::ledger::receipt::{Opening, ReceiptParts};
use xianjie_core::ledger::{Hash, Leaf};

use super::{ReceiptFormError, message, parts};

fn receipt() -> ReceiptParts {
    let mut leaf = vec![1];
    leaf.extend(5_u64.to_be_bytes());
    leaf.extend([7; 32]);
    ReceiptParts {
        opening: Opening {
            leaf: Leaf::parse(&leaf).unwrap(),
            salt: [2; 32],
            document_salt: [3; 32],
            record: b"record".to_vec(),
        },
        index: 9,
        path: vec![Hash([4; 32]), Hash([5; 32])],
        checkpoint: "hub.demo/ledger/1\n…\n".to_owned(),
    }
}

#[test]
fn a_receipt_survives_its_message() {
    assert_eq!(parts(&message(&receipt())), Ok(receipt()));
}

#[test]
fn parts_of_a_wrong_length_are_refused() {
    let mut short = message(&receipt());
    short.salt.pop();
    assert_eq!(parts(&short), Err(ReceiptFormError::Length("salt")));
    let mut short = message(&receipt());
    short.path[1].pop();
    assert_eq!(parts(&short), Err(ReceiptFormError::Length("path")));
    let mut unknown = message(&receipt());
    unknown.leaf[0] = 2;
    assert!(matches!(parts(&unknown), Err(ReceiptFormError::Leaf(_))));
}
