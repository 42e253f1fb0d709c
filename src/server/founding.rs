//! Makes a hub's folder: keys, certificates, an authority of its own, an empty store with record 0,
//! the configuration, and what clients verify with.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rcgen::{KeyPair, PublicKeyData as _};
use rustls_pki_types::{ServerName, UnixTime};
use xianjie_core::domain::rulebook::Law;
use xianjie_core::ids::{AgencyCode, IdError, OperatorName, Origin, Time};
use xianjie_core::ledger::{NoteError, NoteSigner};

use crate::config::{self, Config, Demo, Keys, Listen, Log, Reminders, StorePaths, Telemetry, Tls};
use crate::entropy::{NoEntropy, random};
use crate::hub::found::{FirstCertificate, Founding, found};
use crate::identity::files::{self, FileError, PemError};
use crate::identity::pki::{Authority, Issued, PkiError, Purpose, Serial, Validity};
use crate::identity::signature::Algorithm;
use crate::store::StoreError;
use crate::store::sqlite::Sqlite;

const DAY_MS: i64 = 24 * 3600 * 1000;
/// 2010 and 2060: a demonstration's story ends in the past, and is told today.
const DEMO_YEARS_MS: (i64, i64) = (1_262_304_000_000, 2_840_140_800_000);
/// A demonstration shares the disk of whoever looks at it, however full that is.
const DEMO_RESERVE_BYTES: u64 = 64 * 1024 * 1024;

/// Where the hub's own authority publishes what it revokes.
const REVOCATION_LIST: &str = "ca/clients.crl";

/// What is to be made.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder: not there yet, or empty.
    pub folder: PathBuf,
    /// The ledger's origin.
    pub origin: Origin,
    /// The code of the hub's own agency.
    pub hub: AgencyCode,
    /// Its name.
    pub hub_name: String,
    /// The first operator.
    pub operator: OperatorName,
    /// How many operators must sign what needs a quorum.
    pub quorum: u32,
    /// DNS names and addresses in the server's certificate.
    pub server_names: Vec<String>,
    /// Where it will listen.
    pub listen: Listen,
    /// Authorities of the agencies' client certificates (PEM), if they have their own. The hub's
    /// authority then issues the hub's and the first operator's certificates, and its key is not
    /// kept.
    pub client_authorities: Option<PathBuf>,
    /// From when and until when its certificates count.
    pub valid: (Time, Time),
    /// The time of record 0.
    pub time: Time,
    /// A file that will tell a demonstration's time.
    pub clock_file: Option<PathBuf>,
    /// Bytes of its disk that it will leave free, if not the default.
    pub reserve_bytes: Option<u64>,
}

/// What was made.
#[derive(Debug, Clone)]
pub struct Founded {
    /// The configuration's file.
    pub config: PathBuf,
    /// The operators' offline root key: to be moved to where no computer reads it.
    pub root_key: PathBuf,
    /// What is handed out to clients.
    pub trust: PathBuf,
    /// The first operator's profile.
    pub profile: PathBuf,
}

/// Why a folder is not made.
#[derive(Debug, thiserror::Error)]
pub enum FoundingError {
    /// There is something in it.
    #[error("{} is not empty: a hub is founded once, in a folder of its own", .0.display())]
    Exists(PathBuf),
    /// The folder.
    #[error("can't make {}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// A certificate.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// The given authorities.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// A name in the server's certificate.
    #[error("`{0}` is no DNS name or IP address")]
    ServerName(String),
    /// The operating system gives no randomness.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// The origin is not fit for a note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Options {
    /// A hub on this machine, on the usual ports.
    ///
    /// # Errors
    /// Never with these names.
    pub fn new(folder: PathBuf, origin: Origin, time: Time) -> Result<Self, IdError> {
        let valid = if origin.is_demo() {
            (Time(DEMO_YEARS_MS.0), Time(DEMO_YEARS_MS.1))
        } else {
            (Time(time.0 - DAY_MS), Time(time.0 + 3650 * DAY_MS))
        };
        let reserve_bytes = origin.is_demo().then_some(DEMO_RESERVE_BYTES);
        let local = |port| std::net::SocketAddr::from(([127, 0, 0, 1], port));
        Ok(Self {
            folder,
            origin,
            hub: "hub".parse()?,
            hub_name: "衔接平台".to_owned(),
            operator: "first".parse()?,
            quorum: 1,
            server_names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
            listen: Listen { agencies: local(7443), operators: local(7444), http: local(7480) },
            client_authorities: None,
            valid,
            time,
            clock_file: None,
            reserve_bytes,
        })
    }
}

/// Makes the folder.
///
/// # Errors
/// [`FoundingError`]; what was made by then is removed again, and what was there before stays.
pub async fn init(options: &Options) -> Result<Founded, FoundingError> {
    let claim = Claim::of(&options.folder)?;
    let founded = fill(options).await;
    if founded.is_err() {
        claim.give_back();
    }
    founded
}

async fn fill(options: &Options) -> Result<Founded, FoundingError> {
    let folder = &options.folder;
    for name in ["ca", "operators", "attachments", "profiles"] {
        make(&folder.join(name))?;
    }
    let maker = Maker::new(options)?;
    maker.save_authority()?;
    maker.save_list()?;
    let service = maker.issue(&Purpose::Document(options.hub.to_string()))?;
    let server = maker.issue(&Purpose::Server(server_names(options)?))?;
    let operator = maker.issue(&Purpose::Operator(options.operator.to_string()))?;
    save(&service, &folder.join("keys"), "service")?;
    save(&server, &folder.join("keys"), "tls")?;
    save(&operator, &folder.join("operators"), options.operator.as_str())?;
    let (root_path, root_public) = root_key(&folder.join("keys"))?;
    let checkpoint_key = checkpoint_key(&folder.join("keys"), &options.origin)?;

    let founding = Founding {
        origin: options.origin.clone(),
        checkpoint_key: checkpoint_key.clone(),
        root_key: root_public,
        quorum: options.quorum,
        hub: options.hub.clone(),
        hub_name: options.hub_name.clone(),
        service: first(&service, options)?,
        operators: vec![(options.operator.clone(), first(&operator, options)?)],
        time: options.time,
        salt: random()?,
    };
    let store = Sqlite::create(&folder.join("ledger.db"), &options.origin).await?;
    found(&store, &Law::built_in(), founding).await?;
    drop(store);

    let trust = folder.join("trust.json");
    files::write_public(&trust, &maker.trust(&checkpoint_key))?;
    let profile = profile(options)?;
    let config = folder.join(config::FILE);
    files::write_public(&config, &configuration(options))?;
    Ok(Founded { config, root_key: root_path, trust, profile })
}

/// Issues certificates while the folder is made.
struct Maker<'o> {
    options: &'o Options,
    authority: Authority,
    validity: Validity,
}

impl<'o> Maker<'o> {
    fn new(options: &'o Options) -> Result<Self, FoundingError> {
        let validity = Validity::new(unix_time(options.valid.0), unix_time(options.valid.1))?;
        let name = format!("{} authority", options.origin);
        let serial = Serial::from_random(random()?);
        let authority = Authority::create(&name, serial, validity)?;
        Ok(Self { options, authority, validity })
    }

    fn issue(&self, purpose: &Purpose) -> Result<Issued, FoundingError> {
        let serial = Serial::from_random(random()?);
        let algorithm = Algorithm::EcdsaP256Sha256;
        Ok(self.authority.issue(purpose, algorithm, serial, self.validity)?)
    }

    /// `ca/ca.crt`, and its key if it is the agencies' authority too; else beside it `clients.crt`,
    /// both together.
    fn save_authority(&self) -> Result<(), FoundingError> {
        let folder = self.options.folder.join("ca");
        let own = self.authority.certificate_pem();
        let Some(given) = &self.options.client_authorities else {
            self.authority.save(&folder)?;
            rename(&folder.join("authority.pem"), &folder.join("ca.crt"))?;
            return rename(&folder.join("authority.key"), &folder.join("ca.key"));
        };
        let given = fs::read_to_string(given)
            .map_err(|source| FoundingError::Folder { path: given.clone(), source })?;
        files::certificates(&given)?;
        files::write_public(&folder.join("ca.crt"), own)?;
        Ok(files::write_public(&folder.join("clients.crt"), &format!("{own}{given}"))?)
    }

    /// A list that revokes nothing, in the place where `xianjie pki revoke` writes the next one. It
    /// is due when that is made: the authority's key is elsewhere until then.
    fn save_list(&self) -> Result<(), FoundingError> {
        if self.options.client_authorities.is_some() {
            return Ok(());
        }
        let (from, until) = self.options.valid;
        let list = self.authority.revocation_list(&[], unix_time(from), unix_time(until))?;
        Ok(files::write_public(&self.options.folder.join(REVOCATION_LIST), &list)?)
    }

    fn trust(&self, checkpoint_key: &str) -> String {
        let trust = serde_json::json!({
            "origin": self.options.origin.as_str(),
            "checkpoint_keys": [checkpoint_key],
            "ca": self.authority.certificate_pem(),
        });
        format!("{trust:#}\n")
    }
}

/// An empty folder, taken for one hub to be founded in.
struct Claim {
    folder: PathBuf,
    /// The folders that were not there before: the folder itself, and those above it.
    new: Vec<PathBuf>,
}

impl Claim {
    /// Takes a folder that is empty or not there. Of two who try at once one gets it.
    fn of(folder: &Path) -> Result<Self, FoundingError> {
        let failed = |source| FoundingError::Folder { path: folder.to_owned(), source };
        let is_new = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
        let new = folder.ancestors().take_while(is_new).map(Path::to_owned).collect();
        make(folder)?;
        let taken = || FoundingError::Exists(folder.to_owned());
        if fs::read_dir(folder).map_err(failed)?.next().is_some() {
            return Err(taken());
        }
        match fs::create_dir(folder.join("keys")) {
            Ok(()) => Ok(Self { folder: folder.to_owned(), new }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(taken()),
            Err(error) => Err(failed(error)),
        }
    }

    /// Leaves the folder as it was found, as far as the disk lets it.
    fn give_back(self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
        for folder in self.new {
            let _ = fs::remove_dir(folder);
        }
    }
}

fn unix_time(time: Time) -> UnixTime {
    let millis = u64::try_from(time.0).unwrap_or_default();
    UnixTime::since_unix_epoch(Duration::from_millis(millis))
}

fn make(folder: &Path) -> Result<(), FoundingError> {
    fs::create_dir_all(folder)
        .map_err(|source| FoundingError::Folder { path: folder.to_owned(), source })
}

fn rename(from: &Path, to: &Path) -> Result<(), FoundingError> {
    fs::rename(from, to).map_err(|source| FoundingError::Folder { path: to.to_owned(), source })
}

fn save(issued: &Issued, folder: &Path, stem: &str) -> Result<(), FileError> {
    files::write_key(&folder.join(format!("{stem}.key")), &issued.key_pem)?;
    files::write_public(&folder.join(format!("{stem}.crt")), &issued.certificate_pem)
}

fn first(issued: &Issued, options: &Options) -> Result<FirstCertificate, FoundingError> {
    let der = files::first_certificate(&issued.certificate_pem)?.to_vec();
    let (valid_from, valid_until) = options.valid;
    Ok(FirstCertificate { der, valid_from, valid_until })
}

fn server_names(options: &Options) -> Result<Vec<ServerName<'static>>, FoundingError> {
    let name = |text: &String| {
        let name = ServerName::try_from(text.clone());
        name.map_err(|_| FoundingError::ServerName(text.clone()))
    };
    options.server_names.iter().map(name).collect()
}

/// The operators' root key: its file, and its public half as a DER `SubjectPublicKeyInfo`.
fn root_key(folder: &Path) -> Result<(PathBuf, Vec<u8>), FoundingError> {
    let key = KeyPair::generate().map_err(PkiError::from)?;
    let path = folder.join("root.key");
    files::write_key(&path, &key.serialize_pem())?;
    files::write_public(&folder.join("root.pub"), &key.public_key_pem())?;
    Ok((path, key.subject_public_key_info()))
}

/// Makes the key that signs checkpoints; its verifier key.
fn checkpoint_key(folder: &Path, origin: &Origin) -> Result<String, FoundingError> {
    let seed: [u8; 32] = random()?;
    let verifier_key = NoteSigner::new(origin.as_str(), seed)?.verifier_key();
    files::write_key(&folder.join("checkpoint.key"), &format!("{}\n", BASE64.encode(seed)))?;
    files::write_public(&folder.join("checkpoint.pub"), &format!("{verifier_key}\n"))?;
    Ok(verifier_key)
}

/// The first operator's client profile.
fn profile(options: &Options) -> Result<PathBuf, FoundingError> {
    let operator = options.operator.as_str();
    let folder = options.folder.join("profiles").join(operator);
    make(&folder)?;
    let server_name = options.server_names.first().map_or("localhost", String::as_str);
    let text = format!(
        "hub = \"https://{}\"\n\
         server_name = \"{server_name}\"\n\
         trust = \"../../trust.json\"\n\
         [transport]\n\
         certificate = \"../../operators/{operator}.crt\"\n\
         key = \"../../operators/{operator}.key\"\n\
         [operator]\n\
         name = \"{operator}\"\n\
         certificate = \"../../operators/{operator}.crt\"\n\
         key = \"../../operators/{operator}.key\"\n",
        options.listen.operators
    );
    files::write_public(&folder.join("profile.toml"), &text)?;
    Ok(folder)
}

/// The configuration, with its paths relative to the folder.
#[expect(clippy::expect_used, reason = "texts, addresses and flags are TOML")]
fn configuration(options: &Options) -> String {
    let (clients, revocation_list) = match options.client_authorities {
        Some(_) => ("ca/clients.crt", None),
        None => ("ca/ca.crt", Some(REVOCATION_LIST.into())),
    };
    let config = Config {
        origin: options.origin.to_string(),
        listen: options.listen.clone(),
        tls: Tls {
            certificate: "keys/tls.crt".into(),
            key: "keys/tls.key".into(),
            client_authorities: clients.into(),
            revocation_list,
            allow_tls12: false,
        },
        keys: Keys {
            checkpoint: "keys/checkpoint.key".into(),
            service_certificate: "keys/service.crt".into(),
            service_key: "keys/service.key".into(),
        },
        store: StorePaths {
            path: "ledger.db".into(),
            attachments: "attachments".into(),
            reserve_bytes: options.reserve_bytes,
        },
        log: Log::default(),
        reminders: Reminders::default(),
        telemetry: Telemetry::default(),
        demo: Demo { clock_file: options.clock_file.clone() },
    };
    toml::to_string(&config).expect("plain data")
}
