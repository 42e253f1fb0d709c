//! The profile folder: who a client is, which hub it speaks to, and with which keys.
//!
//! Everything is read and checked when the profile is loaded, and an error names the file that is
//! wrong: nothing of it is found out in the middle of a submission. Beside `profile.toml` the folder
//! holds what the client keeps: outbox, inbox, bindings and the last checkpoint seen.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::Uri;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use serde::Deserialize;
use thiserror::Error;
use xianjie_core::ids::{AgencyCode, IdError, OperatorName};

use super::trust::{Trust, TrustFileError};
use crate::identity::files::{self, FileError, LoadError, PemError};
use crate::identity::signature::{KeyError, SigningIdentity};
use crate::identity::tls::{Credential, TlsError, client_config};

/// The file that describes the profile.
const FILE: &str = "profile.toml";

/// A loaded profile.
#[derive(Debug)]
pub struct Profile {
    /// Its folder.
    pub folder: PathBuf,
    /// The agency (单位) that it acts for; none in an operator's.
    pub agency: Option<AgencyCode>,
    /// Where the hub listens: `https://HOST:PORT`.
    pub hub: Uri,
    /// The name in the hub's TLS certificate.
    pub server_name: ServerName<'static>,
    /// What the hub and its ledger are verified with.
    pub trust: Trust,
    /// TLS with the client certificate.
    pub tls: Arc<ClientConfig>,
    /// The file of the client certificate, for messages.
    pub transport_certificate: PathBuf,
    /// What signs documents (文书).
    pub document: Option<SigningIdentity>,
    /// What signs acknowledgements (签收) and rejections.
    pub acknowledgement: Option<SigningIdentity>,
    /// Who acknowledges, in the agency's own words.
    pub signed_by: String,
    /// What signs changes of the directory.
    pub operator: Option<Operator>,
}

/// An operator's name and key.
#[derive(Debug)]
pub struct Operator {
    /// The name under which the directory knows the operator.
    pub name: OperatorName,
    /// The certificate and key.
    pub identity: SigningIdentity,
}

/// A profile that can't be used.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// The profile file itself.
    #[error(transparent)]
    File(#[from] LoadError<ProfileFileError>),
    /// The trust file.
    #[error(transparent)]
    Trust(#[from] LoadError<TrustFileError>),
    /// The certificate or key for TLS.
    #[error(transparent)]
    Transport(#[from] LoadError<PemError>),
    /// The certificate and key for TLS do not go together.
    #[error("cannot use {} with its key", path.display())]
    Tls {
        /// The certificate.
        path: PathBuf,
        /// Why.
        #[source]
        source: TlsError,
    },
    /// A signing certificate or its key.
    #[error(transparent)]
    Signing(#[from] LoadError<KeyError>),
}

impl ProfileError {
    /// The file that could not be read, if that is what is wrong.
    #[must_use]
    pub fn file(&self) -> Option<&FileError> {
        match self {
            Self::File(LoadError::File(file))
            | Self::Trust(LoadError::File(file))
            | Self::Transport(LoadError::File(file))
            | Self::Signing(LoadError::File(file)) => Some(file),
            _ => None,
        }
    }
}

/// What is wrong with the text of a `profile.toml`.
#[derive(Debug, Error)]
pub enum ProfileFileError {
    /// Not TOML, or a key that is missing, unknown or of another type.
    #[error("not a profile")]
    Toml(#[from] Box<toml::de::Error>),
    /// A code or a name that is none.
    #[error("`{key}` {error}")]
    Id {
        /// The key.
        key: &'static str,
        /// What is wrong with it.
        error: IdError,
    },
    /// The hub's address.
    #[error("`hub` must read https://HOST:PORT")]
    Hub,
    /// The hub's name.
    #[error("`server_name` must be a DNS name or an IP address")]
    ServerName,
    /// Neither an agency nor an operator.
    #[error("a profile needs `agency`, or a section [operator]")]
    Nobody,
    /// Nothing to connect with.
    #[error("a profile needs a section [transport], or [operator]")]
    NoTransport,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileFile {
    agency: Option<String>,
    hub: String,
    server_name: String,
    trust: PathBuf,
    transport: Option<PairSection>,
    document: Option<PairSection>,
    acknowledgement: Option<AcknowledgementSection>,
    operator: Option<OperatorSection>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PairSection {
    certificate: PathBuf,
    key: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AcknowledgementSection {
    certificate: PathBuf,
    key: PathBuf,
    #[serde(default)]
    signed_by: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OperatorSection {
    name: String,
    certificate: PathBuf,
    key: PathBuf,
}

/// What a profile's text says, before its files are read.
struct Parsed {
    agency: Option<AgencyCode>,
    hub: Uri,
    server_name: ServerName<'static>,
    trust: PathBuf,
    transport: PairSection,
    document: Option<PairSection>,
    acknowledgement: Option<AcknowledgementSection>,
    operator: Option<(OperatorName, PairSection)>,
}

impl Profile {
    /// Loads the profile of a folder.
    ///
    /// # Errors
    /// [`ProfileError`], which names the file.
    pub fn load(folder: &Path) -> Result<Self, ProfileError> {
        let parsed = files::load_public(&folder.join(FILE), parse)?;
        let identity = |pair: &PairSection| {
            SigningIdentity::load(&folder.join(&pair.certificate), &folder.join(&pair.key))
        };
        let trust = Trust::load(&folder.join(&parsed.trust))?;
        let transport_certificate = folder.join(&parsed.transport.certificate);
        let credential =
            Credential::load(&transport_certificate, &folder.join(&parsed.transport.key))?;
        let tls = client_config(&trust.authorities, credential)
            .map_err(|source| ProfileError::Tls { path: transport_certificate.clone(), source })?;
        let (acknowledgement, signed_by) = match parsed.acknowledgement {
            Some(AcknowledgementSection { certificate, key, signed_by }) => {
                (Some(identity(&PairSection { certificate, key })?), signed_by)
            }
            None => (None, String::new()),
        };
        let operator = match parsed.operator {
            Some((name, pair)) => Some(Operator { name, identity: identity(&pair)? }),
            None => None,
        };
        Ok(Self {
            folder: folder.to_owned(),
            agency: parsed.agency,
            hub: parsed.hub,
            server_name: parsed.server_name,
            trust,
            tls,
            transport_certificate,
            document: parsed.document.as_ref().map(identity).transpose()?,
            acknowledgement,
            signed_by,
            operator,
        })
    }
}

fn parse(text: &str) -> Result<Parsed, ProfileFileError> {
    let file: ProfileFile = toml::from_str(text).map_err(Box::new)?;
    let id = |key, error| ProfileFileError::Id { key, error };
    let agency = file.agency.map(|code| code.parse()).transpose();
    let operator = file.operator.map(|section| {
        let name = section.name.parse().map_err(|error| id("operator.name", error))?;
        let OperatorSection { certificate, key, .. } = section;
        Ok::<_, ProfileFileError>((name, PairSection { certificate, key }))
    });
    let agency = agency.map_err(|error| id("agency", error))?;
    let operator = operator.transpose()?;
    if agency.is_none() && operator.is_none() {
        return Err(ProfileFileError::Nobody);
    }
    // An operator's certificate also opens the operators' listener.
    let of_operator = || {
        let (_, pair) = operator.as_ref()?;
        Some(PairSection { certificate: pair.certificate.clone(), key: pair.key.clone() })
    };
    let transport = file.transport.or_else(of_operator).ok_or(ProfileFileError::NoTransport)?;
    let server_name = ServerName::try_from(file.server_name);
    Ok(Parsed {
        agency,
        hub: hub(&file.hub)?,
        server_name: server_name.map_err(|_| ProfileFileError::ServerName)?,
        trust: file.trust,
        transport,
        document: file.document,
        acknowledgement: file.acknowledgement,
        operator,
    })
}

fn hub(text: &str) -> Result<Uri, ProfileFileError> {
    let uri: Uri = text.parse().map_err(|_| ProfileFileError::Hub)?;
    let is_plain = matches!(uri.path(), "" | "/") && uri.query().is_none();
    let is_hub = uri.scheme_str() == Some("https") && uri.port_u16().is_some() && is_plain;
    is_hub.then_some(uri).ok_or(ProfileFileError::Hub)
}

#[cfg(test)]
mod tests;
