//! A channel over mutual TLS to a hub in this process.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};

/// Connects; whether the hub lets the certificate in shows with the first call.
pub(crate) async fn channel(address: SocketAddr, tls: Arc<ClientConfig>) -> Channel {
    let connect = tower::service_fn(move |_| {
        let tls = Arc::clone(&tls);
        async move {
            let stream = TcpStream::connect(address).await?;
            let name = ServerName::try_from("localhost").unwrap();
            let stream = TlsConnector::from(tls).connect(name, stream).await?;
            Ok::<_, io::Error>(TokioIo::new(stream))
        }
    });
    Endpoint::from_static("http://localhost").connect_with_connector(connect).await.unwrap()
}
