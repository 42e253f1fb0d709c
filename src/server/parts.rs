//! What a hub is made of, read from the files that the configuration names and checked against each
//! other.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use xianjie_core::domain::directory::Divisions;
use xianjie_core::domain::rulebook::Law;
use xianjie_core::domain::state::{Key, Row};
use xianjie_core::ids::Origin;
use xianjie_core::ledger::NoteSigner;

use super::StartError;
use crate::clock::Clock;
use crate::config::{Config, Tls};
use crate::hub::floor::Floor;
use crate::hub::{OpenError, Parts};
use crate::identity::files::{self, LoadError, PemError};
use crate::identity::signature::{KeyError, SigningIdentity};
use crate::identity::tls::Credential;
use crate::identity::trust::{ClientTrust, TrustError};
use crate::store::attachments::{AttachmentLimits, Attachments};
use crate::store::sqlite::Sqlite;
use crate::store::{Reserve, Store, Wants};
use crate::wire::schema::Schema;

/// A file of keys or certificates that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The checkpoint key.
    #[error(transparent)]
    Seed(#[from] LoadError<SeedError>),
    /// The service key.
    #[error(transparent)]
    Service(#[from] LoadError<KeyError>),
    /// The server's certificate or key, the authorities or their lists.
    #[error(transparent)]
    Pem(#[from] LoadError<PemError>),
    /// The authorities or their lists.
    #[error(transparent)]
    Trust(#[from] LoadError<TrustError>),
}

/// A file that holds no seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must hold one line: 32 bytes in base64")]
pub struct SeedError;

/// Reads everything, and checks that it belongs together.
pub(super) async fn read(
    config: &Config,
    origin: Origin,
    clock: Arc<dyn Clock>,
) -> Result<Parts, StartError> {
    let signer = note_signer(&config.keys.checkpoint, &origin)?;
    let service = SigningIdentity::load(&config.keys.service_certificate, &config.keys.service_key)
        .map_err(FileError::from)?;
    let (law, schema) = (Law::built_in(), Schema::built_in());
    law.check_schema(&schema).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        StartError::Law(errors.join("; "))
    })?;
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&config.store.path).await?);
    check(&*store, &origin, &signer).await?;
    let reserve = config.store.reserve_bytes.map_or(Reserve::Share, Reserve::Bytes);
    let limits = AttachmentLimits { reserve, ..AttachmentLimits::default() };
    let attachments = Attachments::open(config.store.attachments.clone(), limits).await?;
    Ok(Parts {
        origin,
        schema: Arc::new(schema),
        law: Arc::new(law),
        rulebooks: config.law.rulebooks.clone(),
        divisions: Arc::new(Divisions::built_in()),
        store,
        attachments: Arc::new(attachments),
        reminders: config.reminders.intervals(),
        clock,
        signer,
        service,
        floor: Floor::beside(&config.keys.checkpoint),
        reserve,
    })
}

/// The store's ledger is this origin's, signed by this key.
async fn check(store: &dyn Store, origin: &Origin, signer: &NoteSigner) -> Result<(), StartError> {
    let mut wants = Wants::default();
    wants.keys.insert(Key::Hub);
    let loaded = store.load(&wants).await?;
    let Some(Some(Row::Hub(opened))) = loaded.rows.get(&Key::Hub) else {
        return Err(OpenError::Empty.into());
    };
    if opened.origin != *origin {
        let (found, wanted) = (opened.origin.to_string(), origin.to_string());
        return Err(OpenError::Origin { found, wanted }.into());
    }
    if opened.checkpoint_key != signer.verifier_key() {
        return Err(StartError::CheckpointKey(opened.checkpoint_key.clone()));
    }
    Ok(())
}

fn note_signer(path: &Path, origin: &Origin) -> Result<NoteSigner, StartError> {
    let seed = |text: &str| {
        let bytes = BASE64.decode(text.trim()).map_err(|_| SeedError)?;
        <[u8; 32]>::try_from(bytes).map_err(|_| SeedError)
    };
    let seed = files::load_key(path, seed).map_err(FileError::from)?;
    NoteSigner::new(origin.as_str(), seed)
        .map_err(|_| FileError::from(LoadError::content(path, SeedError)).into())
}

/// The server's certificate and key.
pub(super) fn credential(tls: &Tls) -> Result<Credential, FileError> {
    Ok(Credential::load(&tls.certificate, &tls.key)?)
}

/// The authorities of clients, and their revocation lists.
pub(super) fn client_trust(tls: &Tls) -> Result<ClientTrust, FileError> {
    let text = |pem: &str| Ok::<_, PemError>(pem.to_owned());
    let authorities = files::load_public(&tls.client_authorities, text)?;
    let lists = match &tls.revocation_list {
        Some(path) => files::load_public(path, text)?,
        None => String::new(),
    };
    let trust = ClientTrust::from_pem(&authorities, &lists);
    Ok(trust.map_err(|error| LoadError::content(&tls.client_authorities, error))?)
}
