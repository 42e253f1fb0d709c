//! A hub as it runs for its users: its folder made by `init`, its server on free ports, agencies and
//! their systems registered by its operator, and clients over real TLS.

use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};
use tonic::transport::Channel;
use xianjie::clock::ManualClock;
use xianjie::config::Config;
use xianjie::entropy::{document_id, random};
use xianjie::hub::audit::{AuditParts, Report, audit};
use xianjie::identity::files;
use xianjie::identity::pki::{Authority, Issued, Purpose as Use, Serial, Validity};
use xianjie::identity::signature::{Algorithm, PayloadType, SigningIdentity};
use xianjie::identity::tls::{Credential, client_config};
use xianjie::server::founding::{Options, init};
use xianjie::server::{Running, Server};
use xianjie::store::sqlite::Sqlite;
use xianjie::wire;
use xianjie::wire::pb;
use xianjie::wire::schema::Schema;
use xianjie_core::domain::agency::{
    Agency as Registered, Branch, Kind, Level, Purpose, Right, System,
};
use xianjie_core::domain::decide::Change;
use xianjie_core::domain::rulebook::Law;
use xianjie_core::ids::{AgencyCode, Origin, SystemCode, Time};
use xianjie_core::ledger::NoteVerifier;

pub(crate) use crate::people::register;

mod agency;
pub(crate) mod connect;
mod subscription;

pub(crate) use agency::Agency;
pub(crate) use subscription::Subscription;

/// 2026-11-24 09:00 in Shanghai: a working day.
pub(crate) const NINE: Time = Time(1_795_482_000_000);

/// A hub that runs in this process.
pub(crate) struct Hub {
    folder: tempfile::TempDir,
    running: Option<Running>,
    /// Its time: stands until it is set.
    pub(crate) clock: Arc<ManualClock>,
    /// Its ledger.
    pub(crate) origin: Origin,
    /// The keys that its checkpoints verify under.
    pub(crate) keys: Vec<NoteVerifier>,
    authority: Authority,
    validity: Validity,
    operator: SigningIdentity,
}

impl Hub {
    /// Makes a hub's folder and starts it at [`NINE`].
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let origin: Origin = "hub.test.demo/ledger/1".parse().unwrap();
        let mut options = Options::new(folder.path().join("hub"), origin.clone(), NINE).unwrap();
        for listen in
            [&mut options.listen.agencies, &mut options.listen.operators, &mut options.listen.http]
        {
            listen.set_port(0);
        }
        init(&options).await.unwrap();
        let read = |name: &str| std::fs::read_to_string(options.folder.join(name)).unwrap();
        let key = read("keys/checkpoint.pub");
        let (certificate, private) = (read("operators/first.crt"), read("operators/first.key"));
        let second =
            |time: Time| UnixTime::since_unix_epoch(Duration::from_millis(time.0.unsigned_abs()));
        let mut hub = Self {
            running: None,
            clock: Arc::new(ManualClock::at(NINE)),
            origin,
            keys: vec![NoteVerifier::parse(key.trim()).unwrap()],
            authority: Authority::from_pem(&read("ca/ca.crt"), &read("ca/ca.key")).unwrap(),
            validity: Validity::new(second(options.valid.0), second(options.valid.1)).unwrap(),
            operator: SigningIdentity::from_pem(&certificate, &private).unwrap(),
            folder,
        };
        hub.restart().await;
        hub
    }

    /// Stops the hub, if it runs, and starts it again on the same folder.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        let config = Config::load(&self.folder.path().join("hub/xianjie.toml")).unwrap();
        let clock = Arc::clone(&self.clock);
        self.running = Some(Server::start_at(config, clock).await.unwrap());
    }

    /// Stops the hub.
    pub(crate) async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await.unwrap();
        }
    }

    /// Writes a list of what the hub's authority has revoked; the hub reads the file when that changes.
    pub(crate) fn revoke(&self, revoked: &[&Issued]) {
        let now = UnixTime::now();
        let serial =
            |issued: &&Issued| (self.authority.serial_of(&issued.certificate_pem).unwrap(), now);
        let revoked: Vec<_> = revoked.iter().map(serial).collect();
        let next = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs() + 86_400));
        let list = self.authority.revocation_list(&revoked, now, next).unwrap();
        let hub = self.folder.path().join("hub");
        std::fs::write(hub.join("ca/clients.crl"), list).unwrap();
    }

    /// Stops the hub, and audits its store as `xianjie audit` does.
    pub(crate) async fn audit(&mut self) -> Report {
        self.stop().await;
        let config = Config::load(&self.folder.path().join("hub/xianjie.toml")).unwrap();
        let store = Sqlite::open(&config.store.path).await.unwrap();
        let scratch = Sqlite::create(&self.folder.path().join("scratch.db"), &self.origin).await;
        let scratch = scratch.unwrap();
        let parts = AuditParts {
            origin: self.origin.clone(),
            schema: Arc::new(Schema::built_in()),
            law: Arc::new(Law::built_in()),
            scratch: &scratch,
            checkpoint: None,
            verifiers: self.keys.clone(),
            floor: None,
            attachments: None,
            decide_again: None,
        };
        audit(&store, parts, |_, _| {}).await.unwrap()
    }

    /// The running server.
    pub(crate) fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    /// A county's police, with a system of its own that has every right for it.
    pub(crate) async fn agency(&self, code: &str) -> Agency {
        self.agency_as(county_police(code)).await
    }

    /// Registers an agency with a system of its own, and connects it.
    pub(crate) async fn agency_as(&self, registered: Registered) -> Agency {
        let code = registered.code.clone();
        let system: SystemCode = format!("{code}-system").parse().unwrap();
        let transport = self.issue(&Use::Transport(system.to_string()));
        let document = self.issue(&Use::Document(code.to_string()));
        let acknowledgement = self.issue(&Use::Acknowledgement(code.to_string()));
        let rights = Right::WORDS.iter().map(|(right, _)| *right).collect();
        self.change(&[
            Change::PutAgency(Box::new(registered)),
            Change::PutSystem(Box::new(System {
                code: system.clone(),
                name: system.to_string(),
                agencies: [(code.clone(), rights)].into(),
                gateway: false,
                suspended: false,
            })),
            register(&transport, Purpose::Transport(system)),
            register(&document, Purpose::Document(code.clone())),
            register(&acknowledgement, Purpose::Acknowledgement(code.clone())),
        ])
        .await
        .unwrap();
        Agency {
            channel: self.connect(&transport).await,
            code,
            origin: self.origin.clone(),
            keys: self.keys.clone(),
            clock: Arc::clone(&self.clock),
            document: identity(&document),
            acknowledgement: identity(&acknowledgement),
        }
    }

    /// Has the operator sign and make changes of the directory.
    pub(crate) async fn change(
        &self,
        changes: &[Change],
    ) -> Result<pb::ChangeDirectoryResponse, tonic::Status> {
        let id = document_id(NINE).unwrap();
        let name = "first".parse().unwrap();
        let payload = wire::change::write_change(&self.origin, id, &name, changes);
        let kind = PayloadType::DirectoryChange;
        let signature = wire::signature::sign(kind, &payload, &self.operator);
        let signed = pb::SignedDirectoryChange {
            directory_change: payload,
            signatures: vec![wire::signature::write(&signature)],
        };
        let channel = self.operators().await;
        pb::operator_service_client::OperatorServiceClient::new(channel)
            .change_directory(pb::ChangeDirectoryRequest { signed_directory_change: Some(signed) })
            .await
            .map(tonic::Response::into_inner)
    }

    /// The text of the trust file that its founding made.
    pub(crate) fn trust(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("hub/trust.json")).unwrap()
    }

    /// A channel to the operators' listener.
    pub(crate) async fn operators(&self) -> Channel {
        let read = |name| std::fs::read_to_string(self.folder.path().join(name)).unwrap();
        let (chain, key) = (read("hub/operators/first.crt"), read("hub/operators/first.key"));
        let credential = Credential::from_pem(&chain, &key).unwrap();
        let tls = client_config(&self.roots(), credential).unwrap();
        connect::channel(self.running().addresses().operators, tls).await
    }

    /// A channel to the agencies' listener under a client certificate.
    pub(crate) async fn connect(&self, transport: &Issued) -> Channel {
        let credential =
            Credential::from_pem(&transport.certificate_pem, &transport.key_pem).unwrap();
        let tls = client_config(&self.roots(), credential).unwrap();
        connect::channel(self.running().addresses().agencies, tls).await
    }

    /// A certificate of the hub's own authority.
    pub(crate) fn issue(&self, purpose: &Use) -> Issued {
        let serial = Serial::from_random(random().unwrap());
        let algorithm = Algorithm::EcdsaP256Sha256;
        self.authority.issue(purpose, algorithm, serial, self.validity).unwrap()
    }

    fn roots(&self) -> Vec<CertificateDer<'static>> {
        files::certificates(self.authority.certificate_pem()).unwrap()
    }
}

/// The police of a county that serves no division.
pub(crate) fn county_police(code: &str) -> Registered {
    let code: AgencyCode = code.parse().unwrap();
    Registered {
        name: format!("{code} 公安局"),
        code,
        kind: Kind::Police,
        level: Level::County,
        acts_at: [].into(),
        branch: Branch::Local,
        serves: [].into(),
        parent: None,
        supervised_by: None,
        social_credit_code: None,
        electronic_service: true,
        valid_from: Time(0),
        valid_until: None,
        successor: None,
        suspended: false,
        enrolment_until: None,
    }
}

fn identity(issued: &Issued) -> SigningIdentity {
    SigningIdentity::from_pem(&issued.certificate_pem, &issued.key_pem).unwrap()
}
