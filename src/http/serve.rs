//! The public listener: anyone may come, so each connection has a place, a time for its requests' heads,
//! and an end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use xianjie_core::limits;

/// The pause after the system gave no connection, so that a lack of descriptors is no busy loop.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// The bounds of the public listener.
#[derive(Debug, Clone, Copy)]
pub struct PublicLimits {
    /// Connections in all.
    pub connections: usize,
    /// How long the head of a request may take.
    pub head: Duration,
    /// How long a connection may stand; a request that came by then has as long again.
    pub age: Duration,
}

impl Default for PublicLimits {
    fn default() -> Self {
        Self {
            connections: limits::PUBLIC_CONNECTIONS,
            head: Duration::from_secs(limits::FIRST_REQUEST_SECONDS),
            age: Duration::from_secs(limits::UNARY_SECONDS),
        }
    }
}

/// Serves until `shutdown`, and returns when all connections have left. Who finds no place waits in the
/// system's own queue.
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    bounds: PublicLimits,
    shutdown: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(bounds.connections));
    let tasks = TaskTracker::new();
    while let Some(Some((stream, place))) =
        shutdown.run_until_cancelled(accept(&listener, &places)).await
    {
        let (routes, shutdown) = (routes.clone(), shutdown.clone());
        tasks.spawn(async move {
            drive(stream, routes, bounds, shutdown).await;
            drop(place);
        });
    }
    drop(listener);
    tasks.close();
    tasks.wait().await;
}

/// The next connection, once there is a place for it; none if there will be no more places.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Some((stream, place)),
            Err(error) => {
                tracing::debug!(%error, "no public connection");
                sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
}

/// Serves one connection to its end. How it ended is its client's affair.
async fn drive(
    stream: TcpStream,
    routes: Router,
    bounds: PublicLimits,
    shutdown: CancellationToken,
) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(bounds.head);
    let service = TowerToHyperService::new(routes);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = connection.as_mut() => return,
        () = sleep(bounds.age) => {}
        () = shutdown.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(bounds.age, connection).await;
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn who_says_nothing_makes_room_for_who_asks() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new().route("/", get(|| async { "here" }));
        let bounds = PublicLimits {
            connections: 2,
            head: Duration::from_millis(50),
            ..PublicLimits::default()
        };
        let shutdown = CancellationToken::new();
        let server = tokio::spawn(serve(listener, routes, bounds, shutdown.clone()));
        let mut silent = Vec::new();
        for _ in 0..2 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"GET / HT").await.unwrap();
            silent.push(stream);
        }
        let mut asks = TcpStream::connect(address).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n";
        asks.write_all(request).await.unwrap();
        let mut answer = String::new();
        asks.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("here"), "{answer}");
        for mut stream in silent {
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            assert!(!rest.starts_with(b"HTTP/1.1 200"), "{rest:?}");
        }
        shutdown.cancel();
        server.await.unwrap();
    }

    #[tokio::test]
    async fn a_connection_has_an_end() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let bounds = PublicLimits { age: Duration::from_millis(50), ..PublicLimits::default() };
        let shutdown = CancellationToken::new();
        let server = tokio::spawn(serve(listener, Router::new(), bounds, shutdown.clone()));
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        assert!(rest.is_empty());
        shutdown.cancel();
        server.await.unwrap();
    }
}
