//! A small ledger, made by the hub's own fold: opened, named, a verdict handed over, acknowledged,
//! answered, its copy rejected, and refusals until a tile is full.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use rustls_pki_types::UnixTime;
use serde_json::{Value, json};
use xianjie_core::domain::agency::{Agency, Branch, Certificate, Kind, Level, Purpose};
use xianjie_core::domain::decide::{
    AcknowledgementInput, Change, DirectoryInput, DocumentInput, Input, RejectionInput,
};
use xianjie_core::domain::directory::{Directory, Divisions};
use xianjie_core::domain::record::{Kind as RecordKind, Record, Refusals, Signed};
use xianjie_core::domain::reminders::Reminders;
use xianjie_core::domain::rulebook::Law;
use xianjie_core::domain::state::Cache;
use xianjie_core::ids::{
    AgencyCode, CaseRef, Digest, DocumentId, DocumentRef, InboxNumber, LedgerIndex, Origin, Time,
};
use xianjie_core::ledger::{Checkpoint, Edge, Hash, Leaf, NoteSigner};

use crate::hub::fold::{BatchFold, Ground, Item, Outcome};
use crate::hub::found::{FirstCertificate, Founding, found};
use crate::hub::published::{Published, load_edge};
use crate::identity::pki::{self, Authority, Serial, Validity};
use crate::identity::signature::{Algorithm, PayloadType, SigningIdentity};
use crate::store::sqlite::Sqlite;
use crate::store::{Fold as _, Loaded, Step, Store};
use crate::wire;
use crate::wire::json::document_from_json;
use crate::wire::schema::Schema;
use crate::wire::statement::AcknowledgementText;

/// What stands where.
pub(super) const NAMED: u64 = 1;
pub(super) const VERDICT: u64 = 2;
/// What does not fit about the verdict: a paper that it needs, and the day on which the term begins.
pub(super) const FLAGGED: u64 = 3;
pub(super) const ACKNOWLEDGED: u64 = 4;
pub(super) const REPLY: u64 = 5;
pub(super) const REJECTED: u64 = 6;
pub(super) const LAST: u64 = 299;
pub(super) const RECORDS: u64 = 300;
/// The verdict goes to three, the answer to one.
pub(super) const DELIVERIES: u64 = 4;

pub(super) const NOW: Time = Time(1_795_482_000_000);
const FOREVER: Time = Time(4_000_000_000_000);
const COURT: &str = "yuexiu-court";
const CORRECTIONS: &str = "tianhe-corrections";
const POLICE: &str = "tianhe-police";

static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| Arc::new(Schema::built_in()));
static LAW: LazyLock<Arc<Law>> = LazyLock::new(|| Arc::new(Law::built_in()));
static DIVISIONS: LazyLock<Divisions> = LazyLock::new(Divisions::built_in);
static AUTHORITY: LazyLock<Authority> =
    LazyLock::new(|| Authority::create("test", Serial::from_random([1; 16]), validity()).unwrap());

/// Who signs, by name; the last is an operator.
static SIGNERS: LazyLock<BTreeMap<&str, SigningIdentity>> = LazyLock::new(|| {
    [
        ("hub", pki::Purpose::Document("hub".to_owned())),
        ("court", pki::Purpose::Document(COURT.to_owned())),
        ("corrections", pki::Purpose::Document(CORRECTIONS.to_owned())),
        ("corrections receives", pki::Purpose::Acknowledgement(CORRECTIONS.to_owned())),
        ("police receives", pki::Purpose::Acknowledgement(POLICE.to_owned())),
        ("operator", pki::Purpose::Operator("first".to_owned())),
    ]
    .into_iter()
    .zip(2..)
    .map(|((name, purpose), serial)| {
        let serial = Serial::from_random([serial; 16]);
        let issued = AUTHORITY.issue(&purpose, Algorithm::Ed25519, serial, validity()).unwrap();
        (name, SigningIdentity::from_pem(&issued.certificate_pem, &issued.key_pem).unwrap())
    })
    .collect()
});

fn validity() -> Validity {
    let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    Validity::new(at(1_700_000_000), at(2_000_000_000)).unwrap()
}

pub(super) fn origin() -> Origin {
    "hub.demo/ledger/1".parse().unwrap()
}

pub(super) fn schema() -> Arc<Schema> {
    Arc::clone(&SCHEMA)
}

pub(super) fn law() -> Arc<Law> {
    Arc::clone(&LAW)
}

pub(super) fn code(text: &str) -> AgencyCode {
    text.parse().unwrap()
}

/// The hub's own certificate and key.
pub(super) fn hub_signer() -> &'static SigningIdentity {
    &SIGNERS["hub"]
}

fn id(number: u8) -> DocumentId {
    format!("01932f4e-7a3b-7c4d-8e5f-0000000000{number:02x}").parse().unwrap()
}

/// A document by its sender and the number in its id.
pub(super) fn reference(sender: &str, number: u8) -> DocumentRef {
    DocumentRef { sender: code(sender), id: id(number) }
}

/// A checkpoint of the ledger's own key.
pub(super) fn sign(size: u64, root: Hash) -> String {
    Checkpoint { origin: origin().to_string(), size, root }.sign(&[&note_signer()]).unwrap()
}

fn note_signer() -> NoteSigner {
    NoteSigner::new(origin().as_str(), [7; 32]).unwrap()
}

/// A ledger in a folder of its own.
pub(super) struct Ledger {
    pub(super) store: Sqlite,
    /// Another law than the one that its records name, if its hub decides by that.
    decided_by: Option<Law>,
    _folder: tempfile::TempDir,
}

impl Ledger {
    /// The small ledger, of [`RECORDS`] records.
    pub(super) async fn small() -> Self {
        Self::small_by(None).await
    }

    /// The same of a hub that names the built-in law and decides by this.
    pub(super) async fn small_decided_by(law: Law) -> Self {
        Self::small_by(Some(law)).await
    }

    async fn small_by(decided_by: Option<Law>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::create(&folder.path().join("ledger.db"), &origin()).await.unwrap();
        found(&store, &LAW, founding()).await.unwrap();
        let ledger = Self { store, decided_by, _folder: folder };
        ledger.commit(vec![named()]).await;
        ledger.commit(vec![document("court", 1, verdict())]).await;
        let verdict = ledger.commitment(VERDICT).await;
        ledger.commit(vec![acknowledged(verdict)]).await;
        ledger.commit(vec![document("corrections", 1, reply())]).await;
        ledger.commit(vec![rejected(verdict)]).await;
        ledger.commit((REJECTED + 1..RECORDS).map(|_| refused()).collect()).await;
        ledger
    }

    /// One more document, which changes rows and adds some.
    pub(super) async fn add_document(&self, number: u8) {
        self.commit(vec![document("court", number, notification())]).await;
    }

    async fn commit(&self, items: Vec<Item>) {
        let Some(law) = &self.decided_by else {
            self.commit_by(&LAW, &items).await;
            return;
        };
        for item in items {
            let decided = self.decide(law, std::slice::from_ref(&item)).await;
            let Some(Outcome::Recorded(written, _)) = decided.first() else {
                panic!("{decided:?}");
            };
            let records: Vec<_> = written.iter().map(|(_, record)| (**record).clone()).collect();
            let mut items = vec![item];
            items.resize_with(records.len(), refused);
            for (mut record, item) in records.into_iter().zip(items) {
                if let RecordKind::Document(taken) = &mut record.kind {
                    taken.rulebook = Digest(LAW.digest());
                }
                let noted = Item { input: Input::Noted(Box::new(record)), ..item };
                self.commit_by(&LAW, &[noted]).await;
            }
        }
    }

    async fn commit_by(&self, law: &Law, items: &[Item]) {
        let (directory, edge, cache) = self.stand().await;
        let mut fold = BatchFold::new(ground(law), items, directory, edge, &cache);
        self.store.commit(&mut fold).await.unwrap();
        for outcome in fold.into_folded().unwrap().outcomes {
            assert!(matches!(outcome, Outcome::Recorded(..)), "{outcome:?}");
        }
    }

    /// What a law makes of these; nothing is written.
    async fn decide(&self, law: &Law, items: &[Item]) -> Vec<Outcome> {
        let (directory, edge, cache) = self.stand().await;
        let mut fold = BatchFold::new(ground(law), items, directory, edge, &cache);
        let head = self.store.head().await.unwrap();
        let mut loaded = Loaded::default();
        loop {
            match fold.step(&head, &loaded) {
                Step::Load(wants) => loaded.extend(self.store.load(&wants).await.unwrap()),
                Step::Write(_) => return fold.into_folded().unwrap().outcomes,
            }
        }
    }

    async fn stand(&self) -> (Arc<Directory>, Edge, Cache) {
        let size = self.store.head().await.unwrap().size;
        let directory = Arc::new(crate::hub::load_directory(&self.store).await.unwrap());
        (directory, load_edge(&self.store, size).await.unwrap(), Cache::default())
    }

    async fn commitment(&self, index: u64) -> Digest {
        let entry = self.store.entries(&[LedgerIndex(index)]).await.unwrap().remove(0);
        Digest(Leaf::parse(&entry.leaf).unwrap().commitment.0)
    }

    /// The root of the first `size` records.
    pub(super) async fn root_at(&self, size: u64) -> (u64, Hash) {
        (size, self.published().await.root_at(&self.store, size).await.unwrap())
    }

    /// The newest checkpoint.
    pub(super) async fn checkpoint(&self) -> String {
        self.published().await.checkpoint.to_string()
    }

    async fn published(&self) -> Published {
        let size = self.store.head().await.unwrap().size;
        let edge = load_edge(&self.store, size).await.unwrap();
        Published::sign(edge, origin().as_str(), &note_signer()).unwrap()
    }
}

fn ground(law: &Law) -> Ground<'_> {
    Ground { divisions: &DIVISIONS, law, reminders: Reminders::default(), now: NOW }
}

fn founding() -> Founding {
    let first = |name| FirstCertificate {
        der: SIGNERS[name].certificate_der.clone(),
        valid_from: Time(0),
        valid_until: FOREVER,
    };
    Founding {
        origin: origin(),
        checkpoint_key: note_signer().verifier_key(),
        root_key: vec![1],
        quorum: 1,
        hub: code("hub"),
        hub_name: "衔接平台".to_owned(),
        service: first("hub"),
        operators: vec![("first".parse().unwrap(), first("operator"))],
        time: NOW,
        salt: [1; 32],
    }
}

fn agency(name: &str, kind: Kind, place: &str, supervisor: Option<&str>) -> Change {
    Change::PutAgency(Box::new(Agency {
        code: code(name),
        name: name.to_owned(),
        kind,
        level: Level::County,
        acts_at: BTreeSet::new(),
        branch: Branch::Local,
        serves: [place.parse().unwrap()].into(),
        parent: None,
        supervised_by: supervisor.map(code),
        social_credit_code: None,
        electronic_service: false,
        valid_from: Time(0),
        valid_until: None,
        successor: None,
        suspended: false,
        enrolment_until: None,
    }))
}

fn certificate(name: &str, purpose: Purpose) -> Change {
    Change::RegisterCertificate(Box::new(Certificate {
        digest: Digest(SIGNERS[name].digest),
        purpose,
        label: name.to_owned(),
        der: SIGNERS[name].certificate_der.clone(),
        valid_from: Time(0),
        valid_until: FOREVER,
        binding: LedgerIndex(0),
        revoked: None,
    }))
}

fn named() -> Item {
    let (there, here) = (Some("yuexiu-procuratorate"), Some("tianhe-procuratorate"));
    let changes = vec![
        agency("yuexiu-procuratorate", Kind::Procuratorate, "440104", None),
        agency("tianhe-procuratorate", Kind::Procuratorate, "440106", None),
        agency(COURT, Kind::BasicCourt, "440104", there),
        agency("yuexiu-detention", Kind::DetentionCentre, "440104", there),
        agency(POLICE, Kind::Police, "440106", here),
        agency(CORRECTIONS, Kind::CorrectionsAgency, "440106", here),
        certificate("court", Purpose::Document(code(COURT))),
        certificate("corrections", Purpose::Document(code(CORRECTIONS))),
        certificate("corrections receives", Purpose::Acknowledgement(code(CORRECTIONS))),
        certificate("police receives", Purpose::Acknowledgement(code(POLICE))),
    ];
    let operator = "first".parse().unwrap();
    let payload = wire::change::write_change(&origin(), id(99), &operator, &changes);
    let statement = signed(PayloadType::DirectoryChange, payload, "operator");
    item(Input::Directory(Box::new(DirectoryInput { id: id(99), changes, statement })))
}

fn acknowledged(commitment: Digest) -> Item {
    let items = vec![(InboxNumber(1), commitment)];
    let payload = wire::statement::write_acknowledgement(&AcknowledgementText {
        ledger: origin(),
        agency: code(CORRECTIONS),
        items: items.clone(),
        stored: NOW,
        signed_by: "案件系统".to_owned(),
        seen: None,
    });
    let statement = signed(PayloadType::Acknowledgement, payload, "corrections receives");
    let agency = code(CORRECTIONS);
    item(Input::Acknowledgement(AcknowledgementInput { agency, items, statement }))
}

fn rejected(commitment: Digest) -> Item {
    let payload = rejection(commitment);
    let heard = wire::statement::read_rejection(&origin(), &payload).unwrap();
    item(Input::Rejection(RejectionInput {
        agency: heard.agency,
        number: heard.number,
        commitment,
        reason: heard.reason,
        statement: signed(PayloadType::Rejection, payload, "police receives"),
    }))
}

/// The police's rejection of its first delivery, as protobuf: only recipients make one.
fn rejection(commitment: Digest) -> Vec<u8> {
    const BYTES: u8 = 2;
    let field = |number: u8, bytes: &[u8]| {
        [&[number << 3 | BYTES, u8::try_from(bytes.len()).unwrap()], bytes].concat()
    };
    let (number, not_for_us) = ([3 << 3, 1], [5 << 3, 1]);
    [
        field(1, origin().as_str().as_bytes()),
        field(2, POLICE.as_bytes()),
        number.to_vec(),
        field(4, &commitment.0),
        not_for_us.to_vec(),
    ]
    .concat()
}

fn refused() -> Item {
    let kind = RecordKind::Refusals(Refusals { agency: code(COURT), items: Vec::new(), more: 1 });
    item(Input::Noted(Box::new(Record { kind, effects: Vec::new() })))
}

fn signed(kind: PayloadType, payload: Vec<u8>, signer: &str) -> Signed {
    let signatures = vec![wire::signature::sign(kind, &payload, &SIGNERS[signer])];
    Signed { payload, signatures, bindings: Vec::new() }
}

fn item(input: Input) -> Item {
    let (flagged_salt, document_salt) = ([0; 32], [0; 32]);
    Item { input, salt: [2; 32], flagged_salt, document_salt, signed_document: Vec::new() }
}

fn document(signer: &str, number: u8, mut json: Value) -> Item {
    json["document_id"] = json!(id(number).to_string());
    json["ledger"] = json!(origin().as_str());
    json["original_form"] = json!("ORIGINAL_FORM_ELECTRONIC");
    json["classification"] = json!("CLASSIFICATION_UNCLASSIFIED");
    json["create_time"] = json!("2026-11-24T09:00:00+08:00");
    let payload = document_from_json(&SCHEMA, &json).unwrap();
    let heard = wire::document::read_document(&SCHEMA, &origin(), &payload).unwrap();
    let signed = wire::signature::Signed::sign_document(payload, &SIGNERS[signer]);
    let input = DocumentInput {
        document: heard.document,
        signers: vec![Digest(SIGNERS[signer].digest)],
        fresh_case: CaseRef([number; 16]),
        salt: [3; 32],
        notice: None,
    };
    Item {
        document_salt: input.salt,
        signed_document: signed.envelope,
        ..item(Input::Document(Box::new(input)))
    }
}

fn verdict() -> Value {
    let attachment = |kind: &str| {
        json!({
            "name": format!("{kind}.pdf"),
            "kind": kind,
            "media_type": "application/pdf",
            "size_bytes": "1024",
            "sha256": "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=",
        })
    };
    json!({
        "sender": COURT,
        "case_number": "（2026）粤0104刑初1号",
        "decision_date": "2026-11-10",
        "effective_date": "2026-11-21",
        "subject": {
            "name": "示例甲",
            "identity_kind": "IDENTITY_KIND_RESIDENT_ID",
            "identity_number": "11010519491231002X",
            "category": "CATEGORY_PROBATION",
            "juvenile": false,
        },
        "execution_place": "440106",
        "attachments": [attachment("判决书"), attachment("执行通知书")],
        "verdict_handover": {
            "term_start_date": "2026-12-02",
            "term_expiry_date": "2028-12-01",
            "notice_signed_date": "2026-11-22",
            "custodian": "yuexiu-detention",
        },
    })
}

fn reply() -> Value {
    json!({
        "sender": CORRECTIONS,
        "in_reply_to": { "sender": COURT, "document_id": id(1).to_string() },
        "return_receipt": { "received_date": "2026-11-24", "receiver": "经办人甲" },
    })
}

fn notification() -> Value {
    json!({
        "sender": COURT,
        "chosen_agencies": [POLICE],
        "general_notification": { "title": "通报", "content": "内容" },
    })
}
