//! The real program as a child process over a folder that it founded: what is killed dies as it does
//! in a power cut of the process's own, and starts again on the same files.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;

use pb::exchange_service_client::ExchangeServiceClient;
use prost::Message as _;
use serde_json::Value;
use tempfile::TempDir;
use tonic::transport::Channel;
use xianjie::identity::files;
use xianjie::identity::pki::{Authority, Issued};
use xianjie::identity::signature::SigningIdentity;
use xianjie::identity::tls::{Credential, client_config};
use xianjie::server::founding::{Options, init};
use xianjie::wire;
use xianjie::wire::pb;
use xianjie::wire::schema::Schema;
use xianjie::wire::signature::Signed;
use xianjie_core::domain::decide::Change;
use xianjie_core::ids::Origin;
use xianjie_core::ledger::NoteVerifier;

use crate::harness::connect::channel;
use crate::people::{NOW, People, wire_document};

/// A hub's folder, the process that runs over it, and the agencies that are registered.
pub(crate) struct Process {
    folder: TempDir,
    running: Option<Running>,
    /// The agencies' keys.
    pub(crate) people: Arc<People>,
    /// The keys that its checkpoints verify under.
    pub(crate) keys: Vec<NoteVerifier>,
}

struct Running {
    child: Child,
    /// Held open: a program that can't print would end.
    _output: BufReader<ChildStdout>,
    agencies: SocketAddr,
    operators: SocketAddr,
}

impl Process {
    /// Founds a hub on a clock that stands at [`NOW`], starts it, and registers the agencies.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hub = folder.path().join("hub");
        let origin: Origin = "hub.test.demo/ledger/1".parse().unwrap();
        let mut options = Options::new(hub.clone(), origin.clone(), NOW).unwrap();
        let listen = &mut options.listen;
        for address in [&mut listen.agencies, &mut listen.operators, &mut listen.http] {
            address.set_port(0);
        }
        options.clock_file = Some("clock".into());
        init(&options).await.unwrap();
        std::fs::write(hub.join("clock"), NOW.0.to_string()).unwrap();
        let read = |name: &str| std::fs::read_to_string(hub.join(name)).unwrap();
        let authority = Authority::from_pem(&read("ca/ca.crt"), &read("ca/ca.key")).unwrap();
        let key = NoteVerifier::parse(read("keys/checkpoint.pub").trim()).unwrap();
        let people = Arc::new(People::of(&authority, origin, Schema::built_in()));
        let mut process = Self { folder, running: None, people, keys: vec![key] };
        process.restart();
        let first = process.people.first_change(&process.operator());
        process.make(first).await.unwrap();
        process
    }

    /// The hub's folder.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().join("hub")
    }

    /// Starts the program, and returns once it listens.
    pub(crate) fn restart(&mut self) {
        let log = self.folder.path().join("log");
        let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
        let mut child = program(&["serve", "--json", "--config"])
            .arg(self.folder().join("xianjie.toml"))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut told = String::new();
        output.read_line(&mut told).unwrap();
        let told: Value = serde_json::from_str(&told).unwrap_or_default();
        let address = |name: &str| match &told[name] {
            Value::String(address) => address.parse().unwrap(),
            _ => panic!("the hub does not start:\n{}", self.log()),
        };
        let (agencies, operators) = (address("agencies"), address("operators"));
        self.running = Some(Running { child, _output: output, agencies, operators });
    }

    /// `kill -9`, at once.
    pub(crate) fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.child.kill().unwrap();
            running.child.wait().unwrap();
        }
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        let mut running = self.running.take().unwrap();
        let pid = rustix::process::Pid::from_child(&running.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        running.child.wait().unwrap()
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.running.as_mut().is_some_and(|running| running.child.try_wait().unwrap().is_none())
    }

    /// A connection of an agency's own system.
    pub(crate) async fn connect(&self, agency: &str) -> Channel {
        self.connect_as(self.people.transport(agency)).await
    }

    /// A connection under another certificate.
    pub(crate) async fn connect_as(&self, transport: &Issued) -> Channel {
        self.channel(self.address(), &transport.certificate_pem, &transport.key_pem).await
    }

    /// Has an agency send a document: what names it, and its case.
    pub(crate) async fn submit(&self, sender: &str, fields: Value) -> (pb::DocumentRef, String) {
        let paper = self.people.document(sender, fields);
        let document = pb::Document::decode(&paper.payload[..]).unwrap();
        let request = pb::SubmitDocumentRequest {
            agency: sender.to_owned(),
            signed_document: Some(wire_document(&paper)),
        };
        let mut exchange = ExchangeServiceClient::new(self.connect(sender).await);
        let taken = exchange.submit_document(request).await.unwrap().into_inner();
        let (sender, document_id) = (document.sender, document.document_id);
        (pb::DocumentRef { sender, document_id }, taken.correction_case)
    }

    /// Where agencies connect.
    pub(crate) fn address(&self) -> SocketAddr {
        self.running.as_ref().unwrap().agencies
    }

    /// What `xianjie audit` says of the stopped hub's folder.
    pub(crate) fn audit(&self) -> Output {
        program(&["audit", "--folder"]).arg(self.folder()).output().unwrap()
    }

    /// What the hub logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Has the first operator sign and make changes of the directory.
    pub(crate) async fn change(&self, changes: &[Change]) {
        self.try_change(changes).await.unwrap();
    }

    /// Asks for an operator's change.
    pub(crate) async fn try_change(&self, changes: &[Change]) -> Result<(), tonic::Status> {
        self.make(self.people.change(&self.operator(), changes)).await
    }

    /// The authority of all certificates here.
    pub(crate) fn authority(&self) -> Authority {
        let read = |name: &str| std::fs::read_to_string(self.folder().join(name)).unwrap();
        Authority::from_pem(&read("ca/ca.crt"), &read("ca/ca.key")).unwrap()
    }

    /// An agency's profile as an integrator has it, in a folder of its name.
    pub(crate) fn profile(&self, home: &Path, agency: &str) -> PathBuf {
        let folder = home.join(agency);
        std::fs::create_dir(&folder).unwrap();
        let keys: [(&str, &Issued); 3] = [
            ("transport", self.people.transport(agency)),
            ("document", self.people.document_certificate(agency)),
            ("acknowledgement", self.people.acknowledgement_certificate(agency)),
        ];
        let mut text = format!(
            "agency = \"{agency}\"\nhub = \"https://{}\"\nserver_name = \"localhost\"\n\
             trust = \"{}\"\n",
            self.address(),
            self.folder().join("trust.json").display(),
        );
        for (name, issued) in keys {
            issued.save(&folder, name).unwrap();
            text += &format!("[{name}]\ncertificate = \"{name}.pem\"\nkey = \"{name}.key\"\n");
        }
        std::fs::write(folder.join("profile.toml"), text).unwrap();
        folder
    }

    /// The program under a profile, at the hub's time.
    pub(crate) fn client(&self, profile: &Path, arguments: &[&str]) -> Command {
        let mut program = program(arguments);
        program.arg("--profile").arg(profile).arg("--clock").arg(self.folder().join("clock"));
        program
    }

    /// The first operator's profile.
    pub(crate) fn operator_profile(&self) -> PathBuf {
        let folder = self.folder().join("profiles/first");
        point(&folder, self.running.as_ref().unwrap().operators);
        folder
    }

    /// Asks the hub to read its certificates and lists again.
    pub(crate) fn hang_up(&self) {
        let id = self.running.as_ref().unwrap().child.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    }

    fn operator(&self) -> SigningIdentity {
        let [certificate, key] = self.operator_pem();
        SigningIdentity::from_pem(&certificate, &key).unwrap()
    }

    fn operator_pem(&self) -> [String; 2] {
        ["operators/first.crt", "operators/first.key"]
            .map(|name| std::fs::read_to_string(self.folder().join(name)).unwrap())
    }

    async fn make(&self, change: Signed) -> Result<(), tonic::Status> {
        let signed = pb::SignedDirectoryChange {
            directory_change: change.payload.to_vec(),
            signatures: change.signatures.iter().map(wire::signature::write).collect(),
        };
        let [certificate, key] = self.operator_pem();
        let address = self.running.as_ref().unwrap().operators;
        let channel = self.channel(address, &certificate, &key).await;
        pb::operator_service_client::OperatorServiceClient::new(channel)
            .change_directory(pb::ChangeDirectoryRequest { signed_directory_change: Some(signed) })
            .await
            .map(|_| ())
    }

    async fn channel(&self, address: SocketAddr, certificate: &str, key: &str) -> Channel {
        let authority = std::fs::read_to_string(self.folder().join("ca/ca.crt")).unwrap();
        let roots = files::certificates(&authority).unwrap();
        let credential = Credential::from_pem(certificate, key).unwrap();
        channel(address, client_config(&roots, credential).unwrap()).await
    }
}

/// The real program.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut program = Command::new(Path::new(env!("CARGO_BIN_EXE_xianjie")));
    program.args(arguments).stdin(Stdio::null());
    program
}

/// Has a profile name another address of its hub.
pub(crate) fn point(profile: &Path, hub: SocketAddr) {
    let path = profile.join("profile.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let lines = text.lines().map(|line| match line.strip_prefix("hub = ") {
        Some(_) => format!("hub = \"https://{hub}\"\n"),
        None => format!("{line}\n"),
    });
    std::fs::write(&path, lines.collect::<String>()).unwrap();
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
