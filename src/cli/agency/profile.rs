//! Ready client profiles for new agencies: three certificates of the folder's own authority, each
//! registered for its one purpose, a system of the agency's own that carries it, and `profile.toml`.
//! The folder needs nothing outside itself and is handed to the agency whole.

use std::path::{Path, PathBuf};

use xianjie_core::domain::agency::{Agency, Purpose, Right, System};
use xianjie_core::domain::decide::Change;
use xianjie_core::ids::{SystemCode, Time};

use super::super::error::chain;
use super::super::issuing::{DAYS, Issuing, Period, save};
use super::super::{CliError, Globals, operating};
use crate::config::Config;
use crate::identity::files;
use crate::identity::pki;
use crate::identity::signature::Algorithm;

/// What the profile is called.
const FILE: &str = "profile.toml";

/// Options that make profiles.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Make a client profile in DIR/CODE: keys, certificates, registration (生成客户端配置)
    #[arg(long, value_name = "DIR")]
    profile_out: Option<PathBuf>,
    /// Folder of the authority that issues; ca in the hub's folder if not given (颁发机构目录)
    #[arg(long, requires = "profile_out")]
    authority: Option<PathBuf>,
    /// The hub's address for agencies; as configured in the folder if not given (平台地址)
    #[arg(long, requires = "profile_out")]
    hub: Option<String>,
    /// The name in the hub's server certificate; the operator's profile's if not given (平台证书名称)
    #[arg(long, requires = "profile_out")]
    server_name: Option<String>,
    /// The trust file to hand out; trust.json in the hub's folder if not given (信任文件)
    #[arg(long, requires = "profile_out")]
    trust: Option<PathBuf>,
    /// How many days the certificates are valid (有效天数)
    #[arg(long, requires = "profile_out", default_value_t = DAYS)]
    days: u32,
}

impl Options {
    /// Where profiles are to be made, if any are.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.profile_out.as_deref()
    }
}

/// A profile made, and what makes it known to the hub.
pub(super) struct Made {
    /// Its folder.
    pub(super) folder: PathBuf,
    /// The system and the certificates to be registered.
    pub(super) changes: Vec<Change>,
}

/// Makes the profiles of agencies. Keys that an earlier attempt left there are used again.
pub(super) fn make_all(
    agencies: &[Agency],
    folder: &Path,
    options: &Options,
    globals: &Globals,
    hub_time: Time,
) -> Result<Vec<Made>, CliError> {
    let authority = options.authority.clone().unwrap_or_else(|| globals.folder().join("ca"));
    let issuing = Issuing::load(&authority)?;
    let trust = options.trust.clone().unwrap_or_else(|| globals.folder().join("trust.json"));
    let text = |text: &str| Ok::<_, std::fmt::Error>(text.to_owned());
    let trust = files::load_public(&trust, text).map_err(|error| unusable(&trust, &error))?;
    let period = Period::of_both(globals.now(), hub_time, options.days);
    let server_name = match &options.server_name {
        Some(name) => name.clone(),
        None => globals.load_profile()?.server_name.to_str().into_owned(),
    };
    let hub = match &options.hub {
        Some(hub) => hub.clone(),
        None => configured(&globals.folder(), &server_name)?,
    };
    let maker = Maker { issuing, trust, hub, server_name, period };
    agencies.iter().map(|agency| maker.make(agency, &folder.join(agency.code.as_str()))).collect()
}

/// Where the hub of the folder listens for agencies; by its name, if it listens on every address.
fn configured(folder: &Path, server_name: &str) -> Result<String, CliError> {
    let path = folder.join("xianjie.toml");
    let config = Config::load(&path).map_err(|error| unusable(&path, &error))?;
    let listens = config.listen.agencies;
    let host = match listens.ip() {
        ip if ip.is_unspecified() => server_name.to_owned(),
        ip if ip.is_ipv6() => format!("[{ip}]"),
        ip => ip.to_string(),
    };
    Ok(format!("https://{host}:{}", listens.port()))
}

struct Maker {
    issuing: Issuing,
    trust: String,
    hub: String,
    server_name: String,
    period: Period,
}

impl Maker {
    fn make(&self, agency: &Agency, folder: &Path) -> Result<Made, CliError> {
        let code = agency.code.as_str();
        let system: SystemCode = code.parse().map_err(|error| CliError::internal(&error))?;
        let certificates = [
            ("transport", pki::Purpose::Transport(code.into()), Purpose::Transport(system.clone())),
            (
                "document",
                pki::Purpose::Document(code.into()),
                Purpose::Document(agency.code.clone()),
            ),
            (
                "acknowledgement",
                pki::Purpose::Acknowledgement(code.into()),
                Purpose::Acknowledgement(agency.code.clone()),
            ),
        ];
        let mut changes = vec![Change::PutSystem(Box::new(own_system(agency, system)))];
        for (stem, issued_for, registered_for) in certificates {
            let path = self.certificate(folder, stem, &issued_for)?;
            let certificate = operating::certificate(&path, registered_for, "profile")?;
            changes.push(Change::RegisterCertificate(Box::new(certificate)));
        }
        for (name, text) in [("trust.json", self.trust.clone()), (FILE, self.profile(code))] {
            let path = folder.join(name);
            files::write_public(&path, &text).map_err(|error| CliError::internal(&error))?;
        }
        Ok(Made { folder: folder.to_owned(), changes })
    }

    fn certificate(
        &self,
        folder: &Path,
        stem: &str,
        purpose: &pki::Purpose,
    ) -> Result<PathBuf, CliError> {
        let path = folder.join(format!("{stem}.crt"));
        if path.exists() {
            return Ok(path);
        }
        let issued = self.issuing.issue(purpose, Algorithm::EcdsaP256Sha256, self.period)?;
        save(&issued, folder, stem)
    }

    fn profile(&self, code: &str) -> String {
        let (hub, server_name) = (&self.hub, &self.server_name);
        let mut text = format!(
            "agency = \"{code}\"\nhub = \"{hub}\"\nserver_name = \"{server_name}\"\n\
             trust = \"trust.json\"\n"
        );
        for section in ["transport", "document", "acknowledgement"] {
            text.push_str(&format!(
                "[{section}]\ncertificate = \"{section}.crt\"\nkey = \"{section}.key\"\n"
            ));
        }
        text
    }
}

/// The system that carries this agency alone, with all rights; whether it supervises anybody is the
/// law's question.
fn own_system(agency: &Agency, code: SystemCode) -> System {
    let rights = Right::WORDS.iter().map(|(right, _)| *right).collect();
    System {
        code,
        name: agency.name.clone(),
        agencies: [(agency.code.clone(), rights)].into(),
        gateway: false,
        suspended: false,
    }
}

fn unusable(path: &Path, error: &dyn std::error::Error) -> CliError {
    let (path, cause) = (path.display(), chain(error));
    CliError::usage(format!("can't use {path}: {cause}"), format!("无法使用 {path}：{cause}"))
}

#[cfg(test)]
mod tests {
    use xianjie_core::domain::agency::{Branch, Kind, Level};
    use xianjie_core::ledger::NoteSigner;

    use super::*;
    use crate::client::Profile;

    const NOW: Time = Time(1_795_449_600_000);

    fn court() -> Agency {
        Agency {
            code: "court".parse().unwrap(),
            name: "某区人民法院".to_owned(),
            kind: Kind::BasicCourt,
            level: Level::County,
            acts_at: Default::default(),
            branch: Branch::Local,
            serves: Default::default(),
            parent: None,
            supervised_by: None,
            social_credit_code: None,
            electronic_service: true,
            valid_from: NOW,
            valid_until: None,
            successor: None,
            suspended: false,
            enrolment_until: None,
        }
    }

    #[test]
    fn a_profile_is_whole_can_be_made_again_and_is_what_is_registered() {
        let home = tempfile::tempdir().unwrap();
        let ca = home.path().join("ca");
        Issuing::create(&ca, "test", Period::days(None, 100, NOW)).unwrap();
        let key = NoteSigner::new("hub.test.demo/ledger/1", [7; 32]).unwrap().verifier_key();
        let authority = std::fs::read_to_string(ca.join("ca.crt")).unwrap();
        let trust = serde_json::json!({
            "origin": "hub.test.demo/ledger/1", "checkpoint_keys": [key], "ca": authority,
        });
        let trust_path = home.path().join("trust.json");
        std::fs::write(&trust_path, trust.to_string()).unwrap();
        let options = Options {
            profile_out: Some(home.path().join("profiles")),
            authority: Some(ca),
            hub: Some("https://127.0.0.1:7443".to_owned()),
            server_name: Some("localhost".to_owned()),
            trust: Some(trust_path),
            days: 10,
        };
        let make = || {
            let folder = options.folder().unwrap();
            let globals = Globals::default();
            let mut made = make_all(&[court()], folder, &options, &globals, NOW).unwrap();
            made.remove(0)
        };
        let made = make();
        let profile = Profile::load(&made.folder).unwrap();
        assert_eq!(profile.agency, Some(court().code));

        let registered = |purpose: &Purpose| {
            made.changes.iter().find_map(|change| match change {
                Change::RegisterCertificate(c) if c.purpose == *purpose => Some(c.digest.0),
                _ => None,
            })
        };
        let code = court().code;
        let document = profile.document.map(|identity| identity.digest);
        assert_eq!(registered(&Purpose::Document(code.clone())), document);
        let acknowledgement = profile.acknowledgement.map(|identity| identity.digest);
        assert_eq!(registered(&Purpose::Acknowledgement(code)), acknowledgement);
        assert!(matches!(made.changes.as_slice(), [Change::PutSystem(_), _, _, _]));
        assert_eq!(make().changes, made.changes);
    }
}
