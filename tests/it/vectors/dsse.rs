//! Signatures: every payload type, its pre-authentication encoding, both algorithms.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use expect_test::expect_file;
use prost::Message as _;
use serde::{Deserialize, Serialize};
use xianjie::identity::signature::{
    Algorithm, PayloadType, Preauth, PublicKey, SignatureError, SigningIdentity, certificate_digest,
};
use xianjie::wire::document::read_document;
use xianjie::wire::schema::Schema;
use xianjie::wire::statement::{
    AcknowledgementText, read_acknowledgement, read_rejection, write_acknowledgement,
};
use xianjie::wire::time::write_time;
use xianjie::wire::{change, document, pb};
use xianjie_core::ids::{Digest, InboxNumber};

use super::{AGENCY, ORIGIN, TIME, check, document_id, id, origin, sha256};

const ED25519_CERTIFICATE: &str = include_str!("../../vectors/ed25519.pem");
const ECDSA_CERTIFICATE: &str = include_str!("../../vectors/ecdsa.pem");
const ECDSA: &str = include_str!("../../vectors/ecdsa.json");

/// RFC 8032, section 7.1, test 1.
const ED25519_SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
/// PKCS#8, version 1, of an Ed25519 seed (RFC 8410, section 7): what stands before the seed.
const PKCS8_HEAD: &str = "302e020100300506032b657004220420";

#[derive(Serialize)]
struct Dsse {
    about: &'static str,
    specification_example: PlainEncoding,
    ed25519_seed: &'static str,
    ed25519_certificate_sha256: String,
    cases: Vec<Case>,
}

/// The example in the specification of DSSE.
#[derive(Serialize)]
struct PlainEncoding {
    payload_type: &'static str,
    payload_utf8: &'static str,
    preauthentication_encoding_utf8: &'static str,
}

#[derive(Serialize)]
struct Case {
    payload_type: &'static str,
    message: &'static str,
    payload: String,
    payload_sha256: String,
    preauthentication_encoding: String,
    preauthentication_encoding_sha256: String,
    ed25519_signature: String,
}

/// The file that is only read.
#[derive(Deserialize)]
struct Ecdsa {
    ecdsa_certificate_sha256: String,
    signatures: BTreeMap<String, String>,
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
struct Refused {
    why: String,
    payload_type: String,
    signature: String,
}

fn payloads() -> [(PayloadType, &'static str, Vec<u8>); 5] {
    let acknowledgement = AcknowledgementText {
        ledger: origin(),
        agency: id(AGENCY),
        items: vec![(InboxNumber(7), Digest([0xc7; 32])), (InboxNumber(9), Digest([0xc9; 32]))],
        stored: TIME,
        signed_by: "案件系统".to_owned(),
        seen: None,
    };
    [
        (PayloadType::Document, "xianjie.v1.Document", ping()),
        (
            PayloadType::Acknowledgement,
            "xianjie.v1.Acknowledgement",
            write_acknowledgement(&acknowledgement),
        ),
        (PayloadType::Rejection, "xianjie.v1.Rejection", rejection().encode_to_vec()),
        (PayloadType::InboxStatement, "xianjie.v1.InboxStatement", statement().encode_to_vec()),
        (PayloadType::DirectoryChange, "xianjie.v1.DirectoryChange", change().encode_to_vec()),
    ]
}

fn ping() -> Vec<u8> {
    pb::Document {
        document_id: document_id(1),
        ledger: ORIGIN.to_owned(),
        sender: AGENCY.to_owned(),
        original_form: pb::OriginalForm::Electronic.into(),
        classification: pb::Classification::Unclassified.into(),
        create_time: Some(write_time(TIME)),
        body: Some(pb::document::Body::Ping(pb::Ping { text: "连通测试".to_owned() })),
        ..pb::Document::default()
    }
    .encode_to_vec()
}

fn rejection() -> pb::Rejection {
    pb::Rejection {
        ledger: ORIGIN.to_owned(),
        agency: AGENCY.to_owned(),
        inbox_number: 8,
        commitment: vec![0xc8; 32],
        reason: pb::RejectionReason::NotForUs.into(),
        reject_time: Some(write_time(TIME)),
        signed_by: String::new(),
        seen: Some(pb::Seen { size: 5, root: vec![0x55; 32] }),
    }
}

fn statement() -> pb::InboxStatement {
    pb::InboxStatement {
        ledger: ORIGIN.to_owned(),
        agency: AGENCY.to_owned(),
        last_number: 9,
        seen: Some(pb::Seen { size: 12, root: vec![0xcc; 32] }),
        issue_time: Some(write_time(TIME)),
    }
}

fn change() -> pb::DirectoryChange {
    let suspend =
        pb::SuspendAgency { agency: AGENCY.to_owned(), reason: "key compromised".to_owned() };
    pb::DirectoryChange {
        ledger: ORIGIN.to_owned(),
        seen: None,
        change_id: document_id(2),
        operator: "first".to_owned(),
        changes: vec![pb::Change { change: Some(pb::change::Change::SuspendAgency(suspend)) }],
    }
}

fn ed25519() -> SigningIdentity {
    let key = hex::decode([PKCS8_HEAD, ED25519_SEED].concat()).unwrap();
    let key = STANDARD.encode(key);
    let key = format!("-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n");
    SigningIdentity::from_pem(ED25519_CERTIFICATE, &key).unwrap()
}

fn public_key(pem: &str) -> (PublicKey, String) {
    let der = xianjie::identity::files::first_certificate(pem).unwrap();
    (PublicKey::from_certificate_der(&der).unwrap(), hex::encode(certificate_digest(&der)))
}

#[test]
fn every_payload_type_is_encoded_and_signed() {
    let signer = ed25519();
    let (public, certificate) = public_key(ED25519_CERTIFICATE);
    assert_eq!(public.algorithm(), Algorithm::Ed25519);
    let cases = payloads().map(|(kind, message, payload)| {
        let preauth = Preauth::new(kind, &payload);
        let signature = signer.sign(kind, &payload);
        public.verify(kind, &payload, &signature).unwrap();
        Case {
            payload_type: kind.as_str(),
            message,
            payload: hex::encode(&payload),
            payload_sha256: sha256(&payload).to_string(),
            preauthentication_encoding: hex::encode(preauth.as_bytes()),
            preauthentication_encoding_sha256: sha256(preauth.as_bytes()).to_string(),
            ed25519_signature: hex::encode(signature),
        }
    });
    let vectors = Dsse {
        about: "DSSE v1. Bytes are hexadecimal. Sign the pre-authentication encoding of payload \
                type and payload. ed25519.pem holds the certificate.",
        specification_example: PlainEncoding {
            payload_type: "http://example.com/HelloWorld",
            payload_utf8: "hello world",
            preauthentication_encoding_utf8: "DSSEv1 29 http://example.com/HelloWorld 11 \
                                              hello world",
        },
        ed25519_seed: ED25519_SEED,
        ed25519_certificate_sha256: certificate,
        cases: cases.into(),
    };
    check(&vectors, &expect_file!["../../vectors/dsse.json"]);
}

#[test]
fn the_payloads_are_what_the_hub_reads() {
    let [document, acknowledgement, rejection, _, directory_change] = payloads();
    let heard = read_document(&Schema::built_in(), &origin(), &document.2).unwrap();
    assert_eq!(heard.document.kind.as_str(), "ping");
    assert_eq!(document::digest(&document.2), heard.document.digest);
    assert_eq!(read_acknowledgement(&origin(), &acknowledgement.2).unwrap().items.len(), 2);
    assert_eq!(read_rejection(&origin(), &rejection.2).unwrap().number, InboxNumber(8));
    assert_eq!(change::read_change(&origin(), &directory_change.2).unwrap().changes.len(), 1);
}

#[test]
fn ecdsa_signatures_verify_or_are_refused_with_the_reason() {
    let vectors: Ecdsa = serde_json::from_str(ECDSA).unwrap();
    let (public, certificate) = public_key(ECDSA_CERTIFICATE);
    assert_eq!(public.algorithm(), Algorithm::EcdsaP256Sha256);
    assert_eq!(certificate, vectors.ecdsa_certificate_sha256);
    let payloads = payloads();
    let verify = |name: &str, signature: &str| {
        let (kind, _, payload) =
            payloads.iter().find(|(kind, _, _)| kind.as_str() == name).unwrap();
        public.verify(*kind, payload, &hex::decode(signature).unwrap())
    };
    assert_eq!(vectors.signatures.len(), payloads.len());
    for (kind, signature) in &vectors.signatures {
        assert_eq!(verify(kind, signature), Ok(()), "{kind}");
    }
    assert!(vectors.refused.len() >= 3);
    for Refused { why, payload_type, signature } in &vectors.refused {
        let length = signature.len() / 2;
        let expected = match why.as_str() {
            "r and s side by side" => SignatureError::RawEcdsa,
            "a byte follows the DER" => SignatureError::NotDer { length },
            "made over the payload alone" | "made for another payload type" => {
                SignatureError::Mismatch
            }
            other => panic!("no such reason: {other}"),
        };
        assert_eq!(verify(payload_type, signature), Err(expected), "{why}");
    }
}
