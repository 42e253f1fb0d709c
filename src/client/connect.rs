//! A connection to a hub: mutual TLS, HTTP/2, and a first call that tells at once whether the hub
//! takes this client. Channels reconnect by themselves.
//!
//! With TLS 1.3 the handshake is over for the client before the server has judged its certificate.
//! So a connection stands only once the server's first bytes are here.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use thiserror::Error;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tower::service_fn;
use xianjie_core::ids::{AgencyCode, Origin, Time};
use xianjie_core::ledger::Hash;
use xianjie_core::limits;

use super::error::{CallError, tls_error};
use super::profile::{Operator, Profile};
use super::seen::{LastSeen, SeenError, Step};
use crate::clock::Clock;
use crate::wire::document::Seen;
use crate::wire::pb;
use crate::wire::schema::Schema;
use crate::wire::time::read_time;

use pb::attachment_service_client::AttachmentServiceClient;
use pb::directory_service_client::DirectoryServiceClient;
use pb::exchange_service_client::ExchangeServiceClient;
use pb::inbox_service_client::InboxServiceClient;
use pb::ledger_service_client::LedgerServiceClient;
use pb::operator_service_client::OperatorServiceClient;
use pb::query_service_client::QueryServiceClient;
use pb::supervision_service_client::SupervisionServiceClient;

/// Until when a connection must stand.
const CONNECT: Duration = Duration::from_secs(10);
/// How often HTTP/2 asks whether the other end lives, and how long it waits for the answer.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Why there is no connection.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// Nobody answers there, or not as a hub.
    #[error("cannot connect to {hub}")]
    Unreachable {
        /// The address.
        hub: Uri,
        /// Why.
        #[source]
        source: tonic::transport::Error,
    },
    /// The hub's TLS certificate is not what the trust file and `server_name` say.
    #[error("the certificate of {hub} is not trusted")]
    ServerCertificate {
        /// The address.
        hub: Uri,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// The hub does not take the client certificate.
    #[error("the hub refused this certificate: {} ({detail})", certificate.display())]
    CertificateRefused {
        /// The file.
        certificate: PathBuf,
        /// What the hub said: a TLS alert or a reason.
        detail: String,
    },
    /// The hub closed the connection right after the handshake.
    #[error(
        "the hub refused this certificate, it seems: {} (it closed the connection right after the \
         handshake)", certificate.display()
    )]
    ClosedAtOnce {
        /// The file of the client certificate.
        certificate: PathBuf,
    },
    /// The hub keeps another ledger than the trust file's.
    #[error("the hub keeps the ledger `{found}`, the trust file is for `{wanted}`")]
    OtherLedger {
        /// What the hub says.
        found: String,
        /// What the trust file says.
        wanted: Origin,
    },
    /// The hub's checkpoint is not trusted, or contradicts an earlier one.
    #[error(transparent)]
    Seen(#[from] SeenError),
    /// The first call failed otherwise.
    #[error("the hub's first answer")]
    Call(#[from] CallError),
}

/// What the profile lacks for what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProfileLacks {
    /// An agency to act for.
    #[error("this is no agency's profile: profile.toml has no `agency`")]
    Agency,
    /// A key for documents.
    #[error("profile.toml has no section [document]: nothing to sign documents with")]
    DocumentKey,
    /// A key for acknowledgements.
    #[error("profile.toml has no section [acknowledgement]: nothing to acknowledge with")]
    AcknowledgementKey,
    /// An operator.
    #[error("this is no operator's profile: profile.toml has no section [operator]")]
    Operator,
}

/// What the hub said of itself when the connection was made.
#[derive(Debug, Clone)]
pub struct Hello {
    /// The release of its program.
    pub release: String,
    /// Its time.
    pub hub_time: Option<Time>,
}

/// A client of one hub, acting under one profile.
pub struct Client {
    profile: Profile,
    schema: Schema,
    clock: Arc<dyn Clock>,
    channel: Channel,
    hello: Hello,
    seen: Mutex<LastSeen>,
}

impl Client {
    /// Connects, and makes the first call: the hub takes the certificate, keeps the ledger of the
    /// trust file, and its checkpoint continues the last one that this profile has seen.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(profile: Profile, clock: Arc<dyn Clock>) -> Result<Self, ConnectError> {
        let seen = LastSeen::load(&profile.folder, &profile.trust)?;
        let channel = open(&profile, Opening::Now).await?;
        let hello = Hello { release: String::new(), hub_time: None };
        let (schema, seen) = (Schema::built_in(), Mutex::new(seen));
        let mut client = Self { profile, schema, clock, channel, hello, seen };
        client.hello = client.hello().await?;
        Ok(client)
    }

    /// A client of a hub that can't be reached now: what it prepares is kept, and each call tries anew.
    /// The hub has not said that it takes this client.
    ///
    /// # Errors
    /// [`ConnectError`]: the profile's own files.
    pub async fn unconnected(
        profile: Profile,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConnectError> {
        let seen = LastSeen::load(&profile.folder, &profile.trust)?;
        let channel = open(&profile, Opening::Later).await?;
        let hello = Hello { release: String::new(), hub_time: None };
        let (schema, seen) = (Schema::built_in(), Mutex::new(seen));
        Ok(Self { profile, schema, clock, channel, hello, seen })
    }

    /// The profile.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The schema that documents are read and written with.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// What the hub said of itself.
    #[must_use]
    pub fn hub(&self) -> &Hello {
        &self.hello
    }

    /// The agency (单位) that this client acts for.
    ///
    /// # Errors
    /// [`ProfileLacks::Agency`].
    pub fn agency(&self) -> Result<&AgencyCode, ProfileLacks> {
        self.profile.agency.as_ref().ok_or(ProfileLacks::Agency)
    }

    /// The operator that this client acts for.
    ///
    /// # Errors
    /// [`ProfileLacks::Operator`].
    pub fn operator(&self) -> Result<&Operator, ProfileLacks> {
        self.profile.operator.as_ref().ok_or(ProfileLacks::Operator)
    }

    /// The time by this client's clock.
    #[must_use]
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// The last checkpoint that this client has verified.
    pub async fn seen(&self) -> Option<Seen> {
        self.seen.lock().await.seen()
    }

    /// Moves on to a checkpoint that the hub showed, over a consistency proof.
    ///
    /// # Errors
    /// [`SeenError`]; [`SeenError::Fork`] is the hub's crime and must reach a person.
    pub async fn advance(&self, note: &str) -> Result<(), SeenError> {
        let checkpoint = self.profile.trust.open(note)?;
        let mut seen = self.seen.lock().await;
        let path = match seen.step(&checkpoint) {
            Step::Prove { old, new } => self.consistency_path(old, new).await?,
            Step::Same | Step::Fork => Vec::new(),
        };
        seen.advance(note, checkpoint, &path)
    }

    async fn consistency_path(&self, old_size: u64, new_size: u64) -> Result<Vec<Hash>, CallError> {
        let request = pb::GetConsistencyProofRequest { old_size, new_size };
        let answer = self.ledger().get_consistency_proof(unary(request)).await?.into_inner();
        // A hash of another length fits no proof; zeros fit none either.
        let hash = |bytes: Vec<u8>| Hash(bytes.try_into().unwrap_or_default());
        Ok(answer.path.into_iter().map(hash).collect())
    }

    /// The first call, of the listener's own service.
    async fn hello(&self) -> Result<Hello, ConnectError> {
        let (ledger, checkpoint, hello) = if self.profile.agency.is_some() {
            let answer = self.directory().get_hub(unary(pb::GetHubRequest {})).await;
            let hub = answer.map_err(|status| self.first_call_failed(&status))?.into_inner();
            let hub_time = hub.hub_time.as_ref().and_then(read_time);
            (hub.ledger, hub.checkpoint, Hello { release: hub.release, hub_time })
        } else {
            let answer = self.operators().get_status(unary(pb::GetStatusRequest {})).await;
            let hub = answer.map_err(|status| self.first_call_failed(&status))?.into_inner();
            let hub_time = hub.hub_time.as_ref().and_then(read_time);
            (hub.ledger, hub.checkpoint, Hello { release: hub.release, hub_time })
        };
        let wanted = self.profile.trust.origin.clone();
        if ledger != wanted.as_str() {
            return Err(ConnectError::OtherLedger { found: ledger, wanted });
        }
        match self.advance(&checkpoint).await {
            // The operators' listener need not have proofs.
            Err(SeenError::Call(error)) if error.is_unimplemented() => Ok(hello),
            Err(error) => Err(error.into()),
            Ok(()) => Ok(hello),
        }
    }

    fn first_call_failed(&self, status: &Status) -> ConnectError {
        let certificate = self.profile.transport_certificate.clone();
        match CallError::from(status.clone()) {
            CallError::Refused(refused) if refused.reason == "UNKNOWN_PEER" => {
                ConnectError::CertificateRefused { certificate, detail: refused.to_string() }
            }
            error => error.into(),
        }
    }

    pub(super) fn exchange(&self) -> ExchangeServiceClient<Channel> {
        ExchangeServiceClient::new(self.channel.clone())
    }

    pub(super) fn inbox(&self) -> InboxServiceClient<Channel> {
        InboxServiceClient::new(self.channel.clone())
    }

    pub(super) fn attachments(&self) -> AttachmentServiceClient<Channel> {
        AttachmentServiceClient::new(self.channel.clone())
    }

    pub(super) fn ledger(&self) -> LedgerServiceClient<Channel> {
        LedgerServiceClient::new(self.channel.clone())
    }

    pub(super) fn directory(&self) -> DirectoryServiceClient<Channel> {
        DirectoryServiceClient::new(self.channel.clone())
    }

    pub(super) fn operators(&self) -> OperatorServiceClient<Channel> {
        OperatorServiceClient::new(self.channel.clone())
    }

    pub(super) fn queries(&self) -> QueryServiceClient<Channel> {
        QueryServiceClient::new(self.channel.clone())
    }

    pub(super) fn supervision(&self) -> SupervisionServiceClient<Channel> {
        SupervisionServiceClient::new(self.channel.clone())
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// A unary request with the deadline of all unary calls.
pub(super) fn unary<M>(message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.set_timeout(Duration::from_secs(limits::UNARY_SECONDS));
    request
}

/// When a channel connects.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opening {
    /// Before it is given out.
    Now,
    /// With its first call.
    Later,
}

async fn open(profile: &Profile, opening: Opening) -> Result<Channel, ConnectError> {
    let hub = profile.hub.clone();
    let unreachable = |source| ConnectError::Unreachable { hub: hub.clone(), source };
    // The connector speaks TLS itself; to tonic the stream is plain.
    let authority = hub.authority().map(ToString::to_string).unwrap_or_default();
    let endpoint = Endpoint::from_shared(format!("http://{authority}"))
        .map_err(unreachable)?
        .origin(hub.clone())
        .connect_timeout(CONNECT)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .keep_alive_while_idle(true);
    let host = hub.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = hub.port_u16().unwrap_or_default();
    let (tls, name) = (TlsConnector::from(Arc::clone(&profile.tls)), profile.server_name.clone());
    let connector = service_fn(move |_: Uri| {
        let (host, tls, name) = (host.clone(), tls.clone(), name.clone());
        async move { connect_tls(&host, port, &tls, name).await }
    });
    if opening == Opening::Later {
        return Ok(endpoint.connect_with_connector_lazy(connector));
    }
    let certificate = profile.transport_certificate.clone();
    endpoint.connect_with_connector(connector).await.map_err(|error| match tls_error(&error) {
        Some(rustls::Error::AlertReceived(alert)) => {
            ConnectError::CertificateRefused { certificate, detail: format!("TLS alert {alert:?}") }
        }
        Some(source) => {
            ConnectError::ServerCertificate { hub: hub.clone(), source: source.clone() }
        }
        None if was_closed(&error) => ConnectError::ClosedAtOnce { certificate },
        None => unreachable(error),
    })
}

/// The server closed the connection when it had seen the client's certificate, without a word.
#[derive(Debug, Error)]
#[error("the server closed the connection right after the handshake")]
struct Closed;

fn was_closed(error: &(dyn StdError + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |&error| error.source());
    causes.any(|cause| {
        let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inner.is_some_and(|inner| inner.is::<Closed>())
    })
}

async fn connect_tls(
    host: &str,
    port: u16,
    tls: &TlsConnector,
    name: ServerName<'static>,
) -> io::Result<TokioIo<BufReader<TlsStream<TcpStream>>>> {
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(tls.connect(name, stream).await?);
    // A server of HTTP/2 speaks first (RFC 9113, 3.4); what comes instead is an alert or the end.
    if stream.fill_buf().await?.is_empty() {
        return Err(io::Error::other(Closed));
    }
    Ok(TokioIo::new(stream))
}
