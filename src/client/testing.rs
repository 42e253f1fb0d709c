//! A small ledger of three records for the client's tests, with everything signed for real: the
//! directory registers a court's certificates and a prison's, the court's document is taken, the
//! prison acknowledges it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use prost::Message as _;
use rustls_pki_types::UnixTime;
use tempfile::TempDir;
use xianjie_core::ledger::receipt::{Opening, ReceiptParts};
use xianjie_core::ledger::{
    Checkpoint, Hash, Leaf, NoteSigner, document_commitment, node_hash, record_commitment,
};

use super::trust::Trust;
use crate::identity::pki::{Authority, Issued, Purpose, Serial, Validity};
use crate::identity::signature::{Algorithm, PayloadType, SigningIdentity};
use crate::wire::{pb, signature};

/// The salt of the document's commitment.
const DOCUMENT_SALT: [u8; 32] = [5; 32];

/// A hub's keys, two agencies' keys, and the ledger.
pub(crate) struct World {
    home: TempDir,
    signer: NoteSigner,
    authority: Authority,
    transport: Issued,
    document: Issued,
    acknowledgement: Issued,
    /// The court's document, signed.
    pub(crate) signed: pb::SignedDocument,
    /// The receipts of the three records.
    pub(crate) receipts: [ReceiptParts; 3],
}

impl World {
    pub(crate) const ORIGIN: &str = "hub.demo/ledger/1";

    pub(crate) fn new() -> Self {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let validity = Validity::new(at(1_700_000_000), at(4_000_000_000)).unwrap();
        let mut serials = 0_u8;
        let mut serial = || {
            serials += 1;
            Serial::from_random([serials; 16])
        };
        let authority = Authority::create("Test", serial(), validity).unwrap();
        let mut issue =
            |purpose, algorithm| authority.issue(&purpose, algorithm, serial(), validity).unwrap();
        let transport = issue(Purpose::Transport("s-1".into()), Algorithm::EcdsaP256Sha256);
        let document = issue(Purpose::Document("court".into()), Algorithm::EcdsaP256Sha256);
        let acknowledgement = issue(Purpose::Acknowledgement("prison".into()), Algorithm::Ed25519);
        let signer = NoteSigner::new(Self::ORIGIN, [3; 32]).unwrap();

        let signed = signed_document(&document);
        let directory = directory(&document, &acknowledgement);
        let taken = taken(&document, &signed);
        let opening = |time_ms, record: Vec<u8>, document_salt| {
            let commitment = record_commitment(&[4; 32], &record);
            Opening { leaf: Leaf { time_ms, commitment }, salt: [4; 32], document_salt, record }
        };
        let first = opening(1, directory, [0; 32]);
        let second = opening(2, taken, DOCUMENT_SALT);
        let acknowledged = acknowledged(&acknowledgement, &second.leaf.commitment);
        let receipts = tree(&signer, [first, second, opening(3, acknowledged, [0; 32])]);
        let home = tempfile::tempdir().unwrap();
        Self { home, signer, authority, transport, document, acknowledgement, signed, receipts }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn trust_text(&self) -> String {
        serde_json::json!({
            "origin": Self::ORIGIN,
            "checkpoint_keys": [self.signer.verifier_key()],
            "ca": self.authority.certificate_pem(),
        })
        .to_string()
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust::parse(&self.trust_text()).unwrap()
    }

    pub(crate) fn note(&self, checkpoint: &Checkpoint) -> String {
        checkpoint.sign(&[&self.signer]).unwrap()
    }

    /// Writes the court's profile.
    pub(crate) fn profile(&self) -> PathBuf {
        let folder = self.folder().join("profile");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("trust.json"), self.trust_text()).unwrap();
        self.transport.save(&folder, "transport").unwrap();
        self.document.save(&folder, "document").unwrap();
        self.acknowledgement.save(&folder, "acknowledgement").unwrap();
        let text = r#"
            agency = "court"
            hub = "https://127.0.0.1:7443"
            server_name = "localhost"
            trust = "trust.json"
            [transport]
            certificate = "transport.pem"
            key = "transport.key"
            [document]
            certificate = "document.pem"
            key = "document.key"
            [acknowledgement]
            certificate = "acknowledgement.pem"
            key = "acknowledgement.key"
            signed_by = "案件系统"
        "#;
        std::fs::write(folder.join("profile.toml"), text).unwrap();
        folder
    }
}

/// The receipts of three records in a tree of them.
fn tree(signer: &NoteSigner, openings: [Opening; 3]) -> [ReceiptParts; 3] {
    let [a, b, c] = [0, 1, 2].map(|i| openings[i].leaf.hash());
    let ab = node_hash(&a, &b);
    let (origin, root) = (World::ORIGIN.to_owned(), node_hash(&ab, &c));
    let checkpoint = Checkpoint { origin, size: 3, root }.sign(&[signer]).unwrap();
    let paths = [vec![b, c], vec![a, c], vec![ab]];
    let mut rows = openings.into_iter().zip(paths).zip(0..);
    std::array::from_fn(|_| {
        let ((opening, path), index) = rows.next().unwrap();
        ReceiptParts { opening, index, path, checkpoint: checkpoint.clone() }
    })
}

fn signed_document(signer: &Issued) -> pb::SignedDocument {
    let document = pb::Document {
        document_id: "01932f4e-7a3b-7c4d-8e5f-0123456789ab".to_owned(),
        sender: "court".to_owned(),
        ..pb::Document::default()
    };
    let document = document.encode_to_vec();
    let signature = sign(signer, PayloadType::Document, &document);
    pb::SignedDocument { document: document.into(), signatures: vec![signature] }
}

fn directory(document: &Issued, acknowledgement: &Issued) -> Vec<u8> {
    use pb::CertificatePurpose as Purpose;
    let put = |issued: &Issued, purpose: Purpose, agency: &str| {
        let certificate = pb::Certificate {
            sha256: issued.sha256.to_vec(),
            der: identity(issued).certificate_der,
            purpose: purpose.into(),
            holder: Some(pb::certificate::Holder::Agency(agency.to_owned())),
            ..pb::Certificate::default()
        };
        let put = pb::CertificatePut { certificate: Some(certificate) };
        let effect = Some(pb::effect::Effect::CertificatePut(put));
        pb::Effect { effect, ..pb::Effect::default() }
    };
    let kind = pb::ledger_record::Kind::Directory(pb::DirectoryRecord::default());
    let effects = vec![
        put(document, Purpose::Document, "court"),
        put(acknowledgement, Purpose::Acknowledgement, "prison"),
    ];
    pb::LedgerRecord { kind: Some(kind), effects }.encode_to_vec()
}

fn taken(signer: &Issued, signed: &pb::SignedDocument) -> Vec<u8> {
    let commitment: Hash = document_commitment(&DOCUMENT_SALT, &signed.document);
    let document = pb::Document::decode(signed.document.clone()).unwrap();
    let (sender, document_id) = (document.sender, document.document_id);
    let record = pb::DocumentRecord {
        document: Some(pb::DocumentRef { sender, document_id }),
        document_commitment: commitment.0.to_vec(),
        signers: vec![pb::Signer { certificate_sha256: signer.sha256.to_vec(), binding: 0 }],
        ..pb::DocumentRecord::default()
    };
    let kind = Some(pb::ledger_record::Kind::Document(record));
    pb::LedgerRecord { kind, effects: Vec::new() }.encode_to_vec()
}

fn acknowledged(signer: &Issued, commitment: &Hash) -> Vec<u8> {
    let statement = pb::Acknowledgement {
        ledger: World::ORIGIN.to_owned(),
        agency: "prison".to_owned(),
        items: vec![pb::AcknowledgedDelivery {
            inbox_number: 1,
            commitment: commitment.0.to_vec(),
        }],
        ..pb::Acknowledgement::default()
    };
    let acknowledgement = statement.encode_to_vec();
    let signature = sign(signer, PayloadType::Acknowledgement, &acknowledgement);
    let record = pb::Acknowledged {
        agency: "prison".to_owned(),
        sender: "court".to_owned(),
        signed_acknowledgement: Some(pb::SignedAcknowledgement {
            acknowledgement,
            signatures: vec![signature],
        }),
        bindings: vec![0],
        supervisors: Vec::new(),
    };
    let kind = Some(pb::ledger_record::Kind::Acknowledged(record));
    pb::LedgerRecord { kind, effects: Vec::new() }.encode_to_vec()
}

fn sign(signer: &Issued, kind: PayloadType, payload: &[u8]) -> pb::Signature {
    signature::write(&signature::sign(kind, payload, &identity(signer)))
}

fn identity(issued: &Issued) -> SigningIdentity {
    SigningIdentity::from_pem(&issued.certificate_pem, &issued.key_pem).unwrap()
}
