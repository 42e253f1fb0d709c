//! A hub in a folder, without a network: for tests that open [`Hub`] themselves, over a store and a
//! law of their choice. The agencies are invented; their divisions are real.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls_pki_types::UnixTime;
use serde_json::{Value, json};
use tempfile::TempDir;
use xianjie::clock::ManualClock;
use xianjie::hub::floor::Floor;
use xianjie::hub::found::{FirstCertificate, Founding, found};
use xianjie::hub::{Hub, OpenError, Parts, Tasks};
use xianjie::identity::pki::{self, Authority, Serial, Validity};
use xianjie::identity::signature::{Algorithm, PayloadType, SigningIdentity};
use xianjie::store::Store;
use xianjie::store::attachments::{AttachmentLimits, Attachments};
use xianjie::store::sqlite::Sqlite;
use xianjie::wire;
use xianjie::wire::json::document_from_json;
use xianjie::wire::schema::Schema;
use xianjie::wire::signature::Signed;
use xianjie::wire::statement::{AcknowledgementText, write_acknowledgement};
use xianjie_core::domain::agency::{Agency, Branch, Certificate, Kind, Level, Purpose};
use xianjie_core::domain::decide::Change;
use xianjie_core::domain::directory::Divisions;
use xianjie_core::domain::rulebook::Law;
use xianjie_core::ids::{
    AgencyCode, Digest, DocumentId, InboxNumber, LedgerIndex, OperatorName, Origin, Time,
};
use xianjie_core::ledger::NoteSigner;

/// 24 November 2026, nine in the morning in Shanghai.
pub(crate) const NOW: Time = Time(1_795_482_000_000);

/// Code, kind, division and supervising procuratorate; superiors first.
const AGENCIES: [(&str, Kind, &str, &str); 6] = [
    ("tianhe-procuratorate", Kind::Procuratorate, "440106", ""),
    ("yuexiu-procuratorate", Kind::Procuratorate, "440104", ""),
    ("tianhe-corrections", Kind::CorrectionsAgency, "440106", "tianhe-procuratorate"),
    ("tianhe-police", Kind::Police, "440106", "tianhe-procuratorate"),
    ("yuexiu-court", Kind::BasicCourt, "440104", "yuexiu-procuratorate"),
    ("yuexiu-detention", Kind::DetentionCentre, "440104", "yuexiu-procuratorate"),
];

/// A hub's folder with all that opens it, and the agencies' keys.
pub(crate) struct House {
    folder: TempDir,
    /// The hub's clock.
    pub(crate) clock: Arc<ManualClock>,
    /// The document types.
    pub(crate) schema: Arc<Schema>,
    law: Arc<Law>,
    people: Arc<People>,
    next: Arc<AtomicU64>,
}

/// Whoever signs.
struct People {
    service: Key,
    operator: Key,
    documents: BTreeMap<&'static str, Key>,
    acknowledgements: BTreeMap<&'static str, Key>,
}

/// A certificate with its private key, both as PEM.
struct Key {
    certificate: String,
    key: String,
}

impl House {
    /// A new hub under the built-in law, its agencies registered; it is closed.
    pub(crate) async fn found() -> Self {
        Self::found_with(Schema::built_in(), Law::built_in()).await
    }

    /// The same under another law.
    pub(crate) async fn found_with(schema: Schema, law: Law) -> Self {
        let house = Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock::at(NOW)),
            schema: Arc::new(schema),
            law: Arc::new(law),
            people: Arc::new(People::make()),
            next: Arc::new(AtomicU64::new(1)),
        };
        let store = Sqlite::create(&house.store_path(), &origin()).await.unwrap();
        found(&store, &house.law, house.founding()).await.unwrap();
        let (hub, tasks) = house.open(Arc::new(store)).await.unwrap();
        hub.change_directory(house.first_change()).await.unwrap();
        drop(hub);
        tasks.ended().await.unwrap();
        house
    }

    /// The store in the folder.
    pub(crate) async fn store(&self) -> Arc<Sqlite> {
        Arc::new(Sqlite::open(&self.store_path()).await.unwrap())
    }

    /// The store's file.
    pub(crate) fn store_path(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    /// The floor beside the key.
    pub(crate) fn floor(&self) -> Floor {
        Floor::beside(&self.folder.path().join("checkpoint.key"))
    }

    /// The floor's file.
    pub(crate) fn floor_path(&self) -> PathBuf {
        self.folder.path().join("head.floor")
    }

    /// The key that signs checkpoints.
    pub(crate) fn signer(&self) -> NoteSigner {
        NoteSigner::new(origin().as_str(), [7; 32]).unwrap()
    }

    /// Opens the hub over a store.
    pub(crate) async fn open(&self, store: Arc<dyn Store>) -> Result<(Arc<Hub>, Tasks), OpenError> {
        let attachments = self.folder.path().join("attachments");
        let attachments = Attachments::open(attachments, AttachmentLimits::default()).await;
        let parts = Parts {
            origin: origin(),
            schema: Arc::clone(&self.schema),
            law: Arc::clone(&self.law),
            divisions: Arc::new(Divisions::built_in()),
            store,
            attachments: Arc::new(attachments.unwrap()),
            clock: self.clock.clone(),
            signer: self.signer(),
            service: self.people.service.identity(),
            floor: self.floor(),
        };
        Hub::open(parts).await
    }

    /// The same house as a kill at this instant leaves it: its files as they are now, whatever the
    /// running hub still has in memory.
    pub(crate) fn killed(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(self.folder.path()).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_file() {
                std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
            }
        }
        Self {
            folder,
            clock: Arc::clone(&self.clock),
            schema: Arc::clone(&self.schema),
            law: Arc::clone(&self.law),
            people: Arc::clone(&self.people),
            next: Arc::clone(&self.next),
        }
    }

    /// A connection test (连通测试) from one agency to others: the plainest document.
    pub(crate) fn ping(&self, from: &'static str, to: &[&str]) -> Signed {
        self.document(from, json!({ "chosen_agencies": to, "ping": { "text": "?" } }))
    }

    /// A signed document with a header of its own and these fields.
    pub(crate) fn document(&self, from: &'static str, fields: Value) -> Signed {
        let mut json = json!({
            "document_id": self.next_id().to_string(),
            "ledger": origin().as_str(),
            "sender": from,
            "create_time": "2026-11-24T09:00:00+08:00",
            "original_form": "ORIGINAL_FORM_ELECTRONIC",
            "classification": "CLASSIFICATION_UNCLASSIFIED",
        });
        for (name, value) in fields.as_object().unwrap() {
            json[name] = value.clone();
        }
        let payload = document_from_json(&self.schema, &json).unwrap();
        Signed::sign_document(payload, &self.people.documents[from].identity())
    }

    /// A signed acknowledgement (签收) of deliveries, each with the commitment of its receipt.
    pub(crate) fn acknowledgement(
        &self,
        agency: &'static str,
        items: Vec<(InboxNumber, Digest)>,
    ) -> Signed {
        let payload = write_acknowledgement(&AcknowledgementText {
            ledger: origin(),
            agency: code(agency),
            items,
            stored: NOW,
            signed_by: String::new(),
            seen: None,
        });
        let signer = self.people.acknowledgements[agency].identity();
        signed(PayloadType::Acknowledgement, payload, &signer)
    }

    fn next_id(&self) -> DocumentId {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let millis = u64::try_from(NOW.0).unwrap() + number;
        let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &[1; 10]).into_uuid();
        DocumentId(*uuid.as_bytes())
    }

    fn founding(&self) -> Founding {
        let first = |key: &Key| FirstCertificate {
            der: key.identity().certificate_der,
            valid_from: Time(0),
            valid_until: Time(i64::MAX),
        };
        Founding {
            origin: origin(),
            checkpoint_key: self.signer().verifier_key(),
            root_key: vec![1; 32],
            quorum: 1,
            hub: code("hub"),
            hub_name: "衔接平台".to_owned(),
            service: first(&self.people.service),
            operators: vec![(operator(), first(&self.people.operator))],
            time: NOW,
            salt: [3; 32],
        }
    }

    /// Puts every agency with its two signing certificates into the directory.
    fn first_change(&self) -> Signed {
        let mut changes = Vec::new();
        for (name, kind, place, supervisor) in AGENCIES {
            changes.push(Change::PutAgency(Box::new(agency(name, kind, place, supervisor))));
            let keys = [
                (Purpose::Document(code(name)), &self.people.documents[name]),
                (Purpose::Acknowledgement(code(name)), &self.people.acknowledgements[name]),
            ];
            for (purpose, key) in keys {
                changes.push(Change::RegisterCertificate(Box::new(certificate(key, purpose))));
            }
        }
        let payload = wire::change::write_change(&origin(), self.next_id(), &operator(), &changes);
        signed(PayloadType::DirectoryChange, payload, &self.people.operator.identity())
    }
}

impl People {
    fn make() -> Self {
        let end = Duration::from_secs(4_102_444_800);
        let validity = Validity::new(UnixTime::since_unix_epoch(Duration::ZERO), {
            UnixTime::since_unix_epoch(end)
        })
        .unwrap();
        let authority =
            Authority::create("authority", Serial::from_random([1; 16]), validity).unwrap();
        let issue = |purpose: pki::Purpose| {
            let serial = Serial::from_random([2; 16]);
            let algorithm = Algorithm::EcdsaP256Sha256;
            let issued = authority.issue(&purpose, algorithm, serial, validity).unwrap();
            Key { certificate: issued.certificate_pem, key: issued.key_pem }
        };
        let all = |purpose: fn(String) -> pki::Purpose| {
            AGENCIES.iter().map(|(name, ..)| (*name, issue(purpose((*name).to_owned())))).collect()
        };
        Self {
            service: issue(pki::Purpose::Document("hub".to_owned())),
            operator: issue(pki::Purpose::Operator("first".to_owned())),
            documents: all(pki::Purpose::Document),
            acknowledgements: all(pki::Purpose::Acknowledgement),
        }
    }
}

impl Key {
    fn identity(&self) -> SigningIdentity {
        SigningIdentity::from_pem(&self.certificate, &self.key).unwrap()
    }
}

/// An agency's code.
pub(crate) fn code(name: &str) -> AgencyCode {
    name.parse().unwrap()
}

/// The ledger's origin.
pub(crate) fn origin() -> Origin {
    "hub.example/ledger/1".parse().unwrap()
}

/// Fields of an enrolment (存量入库) by `tianhe-corrections`: it opens the case of a person.
pub(crate) fn enrolment() -> Value {
    json!({
        "case_number": "（2026）粤0104刑初示例1号",
        "execution_place": "440106",
        "subject": {
            "name": "示例甲（虚构）",
            "identity_kind": "IDENTITY_KIND_RESIDENT_ID",
            "identity_number": "11010519491231002X",
            "category": "CATEGORY_PROBATION",
            "juvenile": false,
        },
        "case_enrolment": {
            "decision_organ": "yuexiu-court",
            "registered_date": "2026-11-02",
            "term_start_date": "2026-11-02",
            "term_expiry_date": "2027-11-01",
        },
    })
}

/// Copies a store's files as they stand, for a restore later.
pub(crate) fn copy_store(from: &Path, to: &Path) {
    for ending in ["", "-wal"] {
        let [from, to] = [from, to].map(|path| format!("{}{ending}", path.display()));
        std::fs::copy(from, to).unwrap();
    }
}

fn operator() -> OperatorName {
    "first".parse().unwrap()
}

fn signed(kind: PayloadType, payload: Vec<u8>, signer: &SigningIdentity) -> Signed {
    let signatures = vec![wire::signature::sign(kind, &payload, signer)];
    Signed { payload: payload.into(), signatures, envelope: Vec::new() }
}

fn agency(name: &str, kind: Kind, place: &str, supervisor: &str) -> Agency {
    Agency {
        code: code(name),
        name: format!("示例{name}"),
        kind,
        level: Level::County,
        acts_at: BTreeSet::new(),
        branch: Branch::Local,
        serves: BTreeSet::from([place.parse().unwrap()]),
        parent: None,
        supervised_by: (!supervisor.is_empty()).then(|| code(supervisor)),
        social_credit_code: None,
        electronic_service: true,
        valid_from: Time(0),
        valid_until: None,
        successor: None,
        suspended: false,
        enrolment_until: Some(Time(i64::MAX)),
    }
}

fn certificate(key: &Key, purpose: Purpose) -> Certificate {
    let identity = key.identity();
    Certificate {
        digest: Digest(identity.digest),
        purpose,
        label: String::new(),
        der: identity.certificate_der,
        valid_from: Time(0),
        valid_until: Time(i64::MAX),
        binding: LedgerIndex(0),
        revoked: None,
    }
}
