//! A hub in a folder, without a network: for tests that open [`Hub`] themselves, over a store and a
//! law of their choice.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use xianjie::clock::ManualClock;
use xianjie::hub::floor::Floor;
use xianjie::hub::found::{FirstCertificate, Founding, found};
use xianjie::hub::{Hub, OpenError, Parts, Tasks};
use xianjie::identity::pki::{Authority, Issued, Purpose, Serial};
use xianjie::store::attachments::{AttachmentLimits, Attachments};
use xianjie::store::sqlite::Sqlite;
use xianjie::store::{Reserve, Store};
use xianjie::wire::schema::Schema;
use xianjie::wire::signature::Signed;
use xianjie_core::domain::directory::Divisions;
use xianjie_core::domain::reminders::Reminders;
use xianjie_core::domain::rulebook::Law;
use xianjie_core::ids::{Digest, InboxNumber, Origin, Time};
use xianjie_core::ledger::NoteSigner;

pub(crate) use crate::people::code;
use crate::people::{self, NOW, People, identity};

/// A hub's folder with all that opens it, and the agencies' keys.
pub(crate) struct House {
    folder: TempDir,
    /// The hub's clock.
    pub(crate) clock: Arc<ManualClock>,
    people: Arc<People>,
    origin: Origin,
    law: Arc<Law>,
    service: Arc<Issued>,
}

impl House {
    /// A new hub under the built-in law, its agencies registered; it is closed. It is a demonstration's:
    /// its clock may leap.
    pub(crate) async fn found() -> Self {
        Self::found_with(Schema::built_in(), Law::built_in()).await
    }

    /// The same, but no demonstration: the hub guards its clock, and sees when it stood still.
    pub(crate) async fn found_guarded() -> Self {
        let origin = "hub.house.test/ledger/1".parse().unwrap();
        Self::found_as(origin, Schema::built_in(), Law::built_in()).await
    }

    /// The same in earnest: its clock may not leap.
    pub(crate) async fn found_in_earnest() -> Self {
        let origin = "hub.house.example/ledger/1".parse().unwrap();
        Self::found_as(origin, Schema::built_in(), Law::built_in()).await
    }

    /// A new hub under another law.
    pub(crate) async fn found_with(schema: Schema, law: Law) -> Self {
        Self::found_as(origin(), schema, law).await
    }

    async fn found_as(origin: Origin, schema: Schema, law: Law) -> Self {
        let serial = Serial::from_random([1; 16]);
        let authority = Authority::create("authority", serial, people::validity()).unwrap();
        let operator = people::issue(&authority, &Purpose::Operator("first".to_owned()));
        let house = Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock::at(NOW)),
            people: Arc::new(People::of(&authority, origin.clone(), schema)),
            origin,
            law: Arc::new(law),
            service: Arc::new(people::issue(&authority, &Purpose::Document("hub".to_owned()))),
        };
        let store = Sqlite::create(&house.store_path(), &house.origin).await.unwrap();
        found(&store, &house.law, house.founding(&operator)).await.unwrap();
        let (hub, tasks) = house.open(Arc::new(store)).await.unwrap();
        hub.change_directory(house.people.first_change(&identity(&operator))).await.unwrap();
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
        NoteSigner::new(self.origin.as_str(), [7; 32]).unwrap()
    }

    /// The document types.
    pub(crate) fn schema(&self) -> &Schema {
        self.people.schema()
    }

    /// Opens the hub over a store.
    pub(crate) async fn open(&self, store: Arc<dyn Store>) -> Result<(Arc<Hub>, Tasks), OpenError> {
        self.open_with(store, Reserve::Bytes(0)).await
    }

    /// Opens the hub over a store, with so much of its disk kept free.
    pub(crate) async fn open_with(
        &self,
        store: Arc<dyn Store>,
        reserve: Reserve,
    ) -> Result<(Arc<Hub>, Tasks), OpenError> {
        let attachments = self.folder.path().join("attachments");
        let attachments = Attachments::open(attachments, AttachmentLimits::default()).await;
        let parts = Parts {
            origin: self.origin.clone(),
            schema: Arc::new(self.people.schema().clone()),
            law: Arc::clone(&self.law),
            rulebooks: None,
            divisions: Arc::new(Divisions::built_in()),
            store,
            attachments: Arc::new(attachments.unwrap()),
            reminders: Reminders::default(),
            clock: self.clock.clone(),
            signer: self.signer(),
            service: identity(&self.service),
            floor: self.floor(),
            reserve,
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
            people: Arc::clone(&self.people),
            origin: self.origin.clone(),
            law: Arc::clone(&self.law),
            service: Arc::clone(&self.service),
        }
    }

    /// A connection test (连通测试): the plainest document.
    pub(crate) fn ping(&self, from: &str, to: &[&str]) -> Signed {
        self.people.ping(from, to)
    }

    /// A signed document with a header of its own and these fields.
    pub(crate) fn document(&self, from: &str, fields: Value) -> Signed {
        self.people.document(from, fields)
    }

    /// A signed acknowledgement (签收) of deliveries, each with the commitment of its receipt.
    pub(crate) fn acknowledgement(
        &self,
        agency: &str,
        items: Vec<(InboxNumber, Digest)>,
    ) -> Signed {
        self.people.acknowledgement(agency, items)
    }

    fn founding(&self, operator: &Issued) -> Founding {
        let first = |issued: &Issued| FirstCertificate {
            der: identity(issued).certificate_der,
            valid_from: Time(0),
            valid_until: Time(NOW.0 * 2),
        };
        Founding {
            origin: self.origin.clone(),
            checkpoint_key: self.signer().verifier_key(),
            root_key: vec![1; 32],
            quorum: 1,
            hub: code("hub"),
            hub_name: "衔接平台".to_owned(),
            service: first(&self.service),
            operators: vec![(people::operator_name(), first(operator))],
            time: NOW,
            salt: [3; 32],
        }
    }
}

/// The ledger's origin: a demonstration's, whose clock may leap.
pub(crate) fn origin() -> Origin {
    "hub.house.demo/ledger/1".parse().unwrap()
}

/// Copies a store's files as they stand, for a restore later.
pub(crate) fn copy_store(from: &Path, to: &Path) {
    for ending in ["", "-wal"] {
        let [from, to] = [from, to].map(|path| format!("{}{ending}", path.display()));
        std::fs::copy(from, to).unwrap();
    }
}
