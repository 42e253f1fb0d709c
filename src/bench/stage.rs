//! Who takes part in a run: agencies with their keys, registered by the hub's operator through the
//! operators' listener, as operators do it.
//!
//! Agencies stand in a circle: each sends to those after it. All submit through one gateway; each
//! subscribes on a connection of its own. A mixed load has a court, and its county's corrections
//! agency, police and procuratorate, besides.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::UnixTime;
use xianjie_core::domain::agency::{
    Agency, Branch, Certificate, Kind, Level, Purpose, Right, System,
};
use xianjie_core::domain::decide::Change;
use xianjie_core::ids::{AgencyCode, Digest, IdError, LedgerIndex, OperatorName, SystemCode, Time};
use xianjie_core::limits;

use super::BenchError;
use super::hub::RunningHub;
use super::raw::Operators;
use crate::client::trust::Trust;
use crate::entropy;
use crate::identity::files;
use crate::identity::pki::{self, Authority, Issued, Serial, Validity};
use crate::identity::signature::{Algorithm, SigningIdentity};
use crate::identity::tls::{Credential, client_config};

/// The division (行政区划) that a mixed load's court sends people to: Tianhe, Guangzhou.
pub(super) const PLACE: &str = "440106";
/// The gateway's system.
const GATEWAY: &str = "bench-gateway";
/// How long certificates count from now on, and since when before now: clocks differ a little.
const DAYS: Duration = Duration::from_secs(30 * 24 * 3600);
const BEFORE: Duration = Duration::from_secs(60);
/// Changes for one agency: itself, its system, three certificates.
const CHANGES_EACH: usize = 5;

/// An agency that takes part.
#[derive(Debug)]
pub struct Party {
    /// Its code.
    pub code: AgencyCode,
    /// What it signs documents with.
    pub document: SigningIdentity,
    /// What it signs acknowledgements with.
    pub acknowledgement: SigningIdentity,
    /// What its own system connects with.
    pub tls: Arc<ClientConfig>,
}

/// Everybody.
#[derive(Debug)]
pub struct Stage {
    /// What the hub and its ledger are verified with.
    pub trust: Trust,
    /// The agencies that send to each other.
    pub parties: Vec<Party>,
    /// The court of a mixed load.
    pub court: Option<Party>,
    /// Whom the court's verdicts go to.
    pub county: Vec<Party>,
    /// What the gateway connects with.
    pub gateway: Arc<ClientConfig>,
}

impl Stage {
    /// Makes `count` agencies, and a court with its county if so asked, and registers them.
    ///
    /// # Errors
    /// A file of the hub's folder can't be read, or the hub refuses.
    pub async fn set(
        folder: &Path,
        hub: &RunningHub,
        time: Time,
        count: usize,
        with_court: bool,
        algorithm: Algorithm,
    ) -> Result<Self, BenchError> {
        let mut maker = Maker::new(folder, time, algorithm)?;
        let mut parties = Vec::with_capacity(count);
        for place in 0..count {
            let agency = maker.agency(&format!("bench-{place}"), Kind::Department)?;
            parties.push(maker.party(agency)?);
        }
        let (mut court, mut county) = (None, Vec::new());
        if with_court {
            for (code, kind) in [
                ("bench-procuratorate", Kind::Procuratorate),
                ("bench-police", Kind::Police),
                ("bench-corrections", Kind::CorrectionsAgency),
                ("bench-court", Kind::BasicCourt),
            ] {
                let agency = Agency { serves: place()?, ..maker.agency(code, kind)? };
                let party = maker.party(agency)?;
                if kind == Kind::BasicCourt { court = Some(party) } else { county.push(party) }
            }
        }
        let senders = parties.iter().chain(&court).map(|party| party.code.clone());
        let senders = senders.collect::<Vec<_>>();
        let gateway = maker.gateway(&senders)?;
        maker.register(hub).await?;
        Ok(Self { trust: maker.trust, parties, court, county, gateway })
    }

    /// Everybody who has an inbox.
    pub fn everybody(&self) -> impl Iterator<Item = &Party> {
        self.parties.iter().chain(&self.court).chain(&self.county)
    }
}

/// Issues certificates and gathers what is to be registered.
struct Maker {
    authority: Authority,
    trust: Trust,
    operator: (OperatorName, SigningIdentity, Arc<ClientConfig>),
    algorithm: Algorithm,
    time: Time,
    validity: Validity,
    changes: Vec<Change>,
}

impl Maker {
    fn new(folder: &Path, time: Time, algorithm: Algorithm) -> Result<Self, BenchError> {
        let trust = Trust::load(&folder.join("trust.json")).map_err(BenchError::stage)?;
        let [certificate, key] = ["ca.crt", "ca.key"].map(|name| folder.join("ca").join(name));
        let read = |path: &Path| files::load_public(path, |text| Ok::<_, IdError>(text.to_owned()));
        let authority = Authority::from_pem(
            &read(&certificate).map_err(BenchError::stage)?,
            &read(&key).map_err(BenchError::stage)?,
        )
        .map_err(BenchError::stage)?;
        let (name, certificate, key) = first_operator(&folder.join("operators"))?;
        let identity = SigningIdentity::load(&certificate, &key).map_err(BenchError::stage)?;
        let credential = Credential::load(&certificate, &key).map_err(BenchError::stage)?;
        let tls = client_config(&trust.authorities, credential).map_err(BenchError::stage)?;
        let now = UnixTime::since_unix_epoch(since_epoch(time));
        let before = UnixTime::since_unix_epoch(since_epoch(time).saturating_sub(BEFORE));
        let until = UnixTime::since_unix_epoch(since_epoch(time) + DAYS);
        let validity = Validity::new(before, until)
            .or_else(|_| Validity::new(now, until))
            .map_err(BenchError::stage)?;
        let operator = (name, identity, tls);
        Ok(Self { authority, trust, operator, algorithm, time, validity, changes: Vec::new() })
    }

    fn agency(&self, code: &str, kind: Kind) -> Result<Agency, BenchError> {
        Ok(Agency {
            code: code.parse().map_err(BenchError::stage)?,
            name: format!("测试单位{code}"),
            kind,
            level: Level::County,
            acts_at: BTreeSet::new(),
            branch: Branch::Local,
            serves: BTreeSet::new(),
            parent: None,
            supervised_by: None,
            social_credit_code: None,
            electronic_service: true,
            valid_from: Time(0),
            valid_until: None,
            successor: None,
            suspended: false,
            enrolment_until: None,
        })
    }

    /// An agency with its keys and a system of its own.
    fn party(&mut self, agency: Agency) -> Result<Party, BenchError> {
        let code = agency.code.clone();
        self.changes.push(Change::PutAgency(Box::new(agency)));
        let rights = [Right::Receive, Right::Acknowledge];
        let tls = self.system(code.as_str(), std::slice::from_ref(&code), &rights, false)?;
        let name = code.to_string();
        let document = self.issue(&pki::Purpose::Document(name.clone()), self.algorithm)?;
        let document = self.signer(&document, Purpose::Document(code.clone()))?;
        let acknowledgement = self.issue(&pki::Purpose::Acknowledgement(name), self.algorithm)?;
        let acknowledgement =
            self.signer(&acknowledgement, Purpose::Acknowledgement(code.clone()))?;
        Ok(Party { code, document, acknowledgement, tls })
    }

    fn gateway(&mut self, agencies: &[AgencyCode]) -> Result<Arc<ClientConfig>, BenchError> {
        self.system(GATEWAY, agencies, &[Right::Submit], true)
    }

    fn system(
        &mut self,
        code: &str,
        agencies: &[AgencyCode],
        rights: &[Right],
        gateway: bool,
    ) -> Result<Arc<ClientConfig>, BenchError> {
        let rights: BTreeSet<Right> = rights.iter().copied().collect();
        let agencies: BTreeMap<_, _> =
            agencies.iter().map(|agency| (agency.clone(), rights.clone())).collect();
        let system: SystemCode = code.parse().map_err(BenchError::stage)?;
        self.changes.push(Change::PutSystem(Box::new(System {
            code: system.clone(),
            name: format!("测试系统{code}"),
            agencies,
            gateway,
            suspended: false,
        })));
        let transport = pki::Purpose::Transport(code.to_owned());
        let issued = self.issue(&transport, Algorithm::EcdsaP256Sha256)?;
        self.signer(&issued, Purpose::Transport(system))?;
        let credential = Credential::from_pem(&issued.certificate_pem, &issued.key_pem);
        let credential = credential.map_err(BenchError::stage)?;
        client_config(&self.trust.authorities, credential).map_err(BenchError::stage)
    }

    fn issue(&self, purpose: &pki::Purpose, algorithm: Algorithm) -> Result<Issued, BenchError> {
        let serial = Serial::from_random(entropy::random().map_err(BenchError::stage)?);
        self.authority.issue(purpose, algorithm, serial, self.validity).map_err(BenchError::stage)
    }

    /// The signing identity of a certificate, which is to be registered.
    fn signer(&mut self, issued: &Issued, purpose: Purpose) -> Result<SigningIdentity, BenchError> {
        let identity = SigningIdentity::from_pem(&issued.certificate_pem, &issued.key_pem);
        let identity = identity.map_err(BenchError::stage)?;
        self.changes.push(Change::RegisterCertificate(Box::new(Certificate {
            digest: Digest(identity.digest),
            purpose,
            label: "bench".to_owned(),
            der: identity.certificate_der.clone(),
            valid_from: Time(0),
            valid_until: Time(self.time.0.saturating_add(millis(DAYS))),
            binding: LedgerIndex(0),
            revoked: None,
        })));
        Ok(identity)
    }

    /// Registers everything, in changes as large as may be. What belongs to one agency is not torn.
    async fn register(&mut self, hub: &RunningHub) -> Result<(), BenchError> {
        let (name, identity, tls) = &self.operator;
        let operators = Operators::connect(hub.operators, tls).await?;
        let most = limits::DIRECTORY_CHANGES / CHANGES_EACH * CHANGES_EACH;
        for changes in self.changes.chunks(most) {
            operators.change(&self.trust.origin, name, identity, self.time, changes).await?;
        }
        Ok(())
    }
}

/// The operator that `init` made.
fn first_operator(folder: &Path) -> Result<(OperatorName, PathBuf, PathBuf), BenchError> {
    for entry in fs::read_dir(folder)? {
        let certificate = entry?.path();
        if certificate.extension().is_some_and(|extension| extension == "crt") {
            let name = certificate.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let name = name.parse().map_err(BenchError::stage)?;
            let key = certificate.with_extension("key");
            return Ok((name, certificate, key));
        }
    }
    Err(BenchError::Command { what: "init", said: "it made no operator".to_owned() })
}

fn place() -> Result<BTreeSet<xianjie_core::ids::DivisionCode>, BenchError> {
    Ok(BTreeSet::from([PLACE.parse().map_err(BenchError::stage)?]))
}

fn since_epoch(time: Time) -> Duration {
    Duration::from_millis(u64::try_from(time.0).unwrap_or_default())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
