//! Calls as bare as they go: no outbox, no retry, no check of the hub, since those are the careful
//! client's and would be measured along with it. Connections are the same: mutual TLS, HTTP/2.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;
use xianjie_core::domain::decide::Change;
use xianjie_core::ids::{OperatorName, Origin, Time};

use super::BenchError;
use crate::client::error::CallError;
use crate::entropy;
use crate::identity::signature::{PayloadType, SigningIdentity};
use crate::wire::pb::operator_service_client::OperatorServiceClient;
use crate::wire::{change, pb, signature};

/// The name in the hub's TLS certificate.
const SERVER: &str = "localhost";

/// Connects.
///
/// # Errors
/// [`BenchError::Connect`].
pub(super) async fn connect(
    address: SocketAddr,
    tls: &Arc<ClientConfig>,
) -> Result<Channel, BenchError> {
    let tls = TlsConnector::from(Arc::clone(tls));
    let connector = service_fn(move |_: http::Uri| {
        let tls = tls.clone();
        async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let name = ServerName::try_from(SERVER).map_err(std::io::Error::other)?;
            Ok::<_, std::io::Error>(TokioIo::new(tls.connect(name, stream).await?))
        }
    });
    // The connector speaks TLS itself; to tonic the stream is plain.
    let endpoint =
        Endpoint::from_shared(format!("http://{SERVER}")).map_err(BenchError::Connect)?;
    endpoint.connect_with_connector(connector).await.map_err(BenchError::Connect)
}

/// The operators' service.
#[derive(Debug)]
pub(super) struct Operators(Channel);

impl Operators {
    /// Connects to the operators' listener.
    ///
    /// # Errors
    /// [`BenchError::Connect`].
    pub(super) async fn connect(
        address: SocketAddr,
        tls: &Arc<ClientConfig>,
    ) -> Result<Self, BenchError> {
        connect(address, tls).await.map(Self)
    }

    /// Makes a change of the directory, signed by one operator.
    ///
    /// # Errors
    /// [`BenchError::Call`].
    pub(super) async fn change(
        &self,
        ledger: &Origin,
        operator: &OperatorName,
        signer: &SigningIdentity,
        time: Time,
        changes: &[Change],
    ) -> Result<(), BenchError> {
        let id = entropy::document_id(time).map_err(BenchError::stage)?;
        let bytes = change::write_change(ledger, id, operator, changes);
        let signed = signature::sign(PayloadType::DirectoryChange, &bytes, signer);
        let request = pb::ChangeDirectoryRequest {
            signed_directory_change: Some(pb::SignedDirectoryChange {
                directory_change: bytes,
                signatures: vec![signature::write(&signed)],
            }),
        };
        let mut client = OperatorServiceClient::new(self.0.clone());
        client.change_directory(request).await.map_err(CallError::from)?;
        Ok(())
    }
}
