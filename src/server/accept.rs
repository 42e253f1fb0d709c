//! The accept loop: TCP, TLS, who it is, HTTP/2, and the end of a connection, each with its bound.
//!
//! It serves any tower service, such as tonic's `Routes`, cloned for each request; each request
//! carries the peer and a [`Retiring`] in its extensions. It knows nothing of the services, of the
//! directory (a callback does) or of the deadline of a call (the services keep it).
//!
//! tonic's own server is not used, since through it the send buffer can't be bounded, an aged
//! connection is cut without GOAWAY, nothing bounds the wait for the HTTP/2 preface
//! (hyperium/hyper#4170), and no connection can be cut from outside.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tower::{Service, ServiceExt};

use self::connections::{Connections, NotAdmitted, Quota, Seat};
use self::limits::AcceptLimits;
use self::metrics::AcceptMetrics;
use self::pending::{Pending, Place};
use crate::identity::peer::PeerCertificate;

pub mod connections;
pub mod limits;
pub mod metrics;
mod pending;

/// The pause after the system gave no connection, so that a lack of descriptors is no busy loop.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// In a request's extensions: tells when its connection was asked to leave, by age or at shutdown.
///
/// A long stream should end by itself then; the client comes back on another connection. What has
/// not ended after [`AcceptLimits::grace`] is cut.
#[derive(Clone, Debug)]
pub struct Retiring(CancellationToken);

impl Retiring {
    /// Returns when the connection is asked to leave.
    pub async fn wait(&self) {
        self.0.cancelled().await;
    }
}

/// What a listener serves, to whom, and within which bounds.
pub struct Front<S, I> {
    /// The TLS configuration: asks for a client certificate, offers HTTP/2 by ALPN, resumes
    /// nothing.
    pub tls: Arc<ServerConfig>,
    /// Answers the requests; cloned for each.
    pub service: S,
    /// Says who has a certificate, or nothing to a stranger. What it says is put in the extensions
    /// of each request. It is asked once a connection with the table of connections locked: it
    /// must be quick, and must not use [`Self::connections`].
    pub identify: I,
    /// The open connections.
    pub connections: Connections,
    /// The bounds; those of `connections` are its own.
    pub limits: AcceptLimits,
    /// What became of connections.
    pub metrics: Arc<AcceptMetrics>,
}

impl<S, I, P> Front<S, I>
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    I: Fn(&PeerCertificate) -> Option<(P, Quota)> + Send + Sync + 'static,
    P: Clone + Send + Sync + 'static,
{
    /// Accepts and serves until `shutdown`; then asks every connection to leave, and returns when
    /// all have, after [`AcceptLimits::grace`] at the latest.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) {
        let front = Arc::new(self);
        let pending = Pending::new(&front.limits);
        let tasks = TaskTracker::new();
        loop {
            let (stream, place) = tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                accepted = front.accept(&listener, &pending) => accepted,
            };
            let front = Arc::clone(&front);
            tasks.spawn(front.welcome(stream, place, shutdown.clone()));
        }
        drop(listener);
        tasks.close();
        tasks.wait().await;
    }

    async fn accept(&self, listener: &TcpListener, pending: &Pending) -> (TcpStream, Place) {
        loop {
            let room = pending.room().await;
            let Ok((stream, address)) = listener.accept().await else {
                self.metrics.accept_errors.add();
                sleep(PAUSE_AFTER_ERROR).await;
                continue;
            };
            self.metrics.accepted.add();
            match pending.place(room, address.ip()) {
                Some(place) => return (stream, place),
                None => self.metrics.crowded.add(),
            }
        }
    }

    async fn welcome(
        self: Arc<Self>,
        stream: TcpStream,
        place: Place,
        shutdown: CancellationToken,
    ) {
        let handshake = self.handshake(stream);
        let Some(Some(stream)) = shutdown.run_until_cancelled(handshake).await else {
            return;
        };
        drop(place);
        if let Some((seat, peer)) = self.admit(&stream) {
            self.drive(stream, &seat, peer, shutdown.child_token()).await;
        }
    }

    async fn handshake(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let handshake = async {
            stream.set_nodelay(true)?;
            let acceptor = TlsAcceptor::from(Arc::clone(&self.tls));
            acceptor.accept(stream).await
        };
        match timeout(self.limits.handshake, handshake).await {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err(_)) => self.metrics.handshakes_failed.add(),
            Err(_) => self.metrics.handshakes_late.add(),
        }
        None
    }

    fn admit(&self, stream: &TlsStream<TcpStream>) -> Option<(Seat, P)> {
        let chain = stream.get_ref().1.peer_certificates();
        let admitted = PeerCertificate::from_chain(chain)
            .map_err(|_| NotAdmitted::Stranger)
            .and_then(|certificate| self.connections.admit(&certificate, &self.identify));
        let counter = match &admitted {
            Ok(_) => &self.metrics.admitted,
            Err(NotAdmitted::Stranger) => &self.metrics.strangers,
            Err(NotAdmitted::OverKey) => &self.metrics.over_key,
            Err(NotAdmitted::OverAgency) => &self.metrics.over_agency,
            Err(NotAdmitted::OverAll) => &self.metrics.over_all,
        };
        counter.add();
        admitted.ok()
    }

    /// Serves one connection to its end. When it returns, the connection is dropped, and with it
    /// all of its requests, wherever they are.
    async fn drive(
        &self,
        stream: TlsStream<TcpStream>,
        seat: &Seat,
        peer: P,
        retiring: CancellationToken,
    ) {
        let opened = Instant::now();
        let requested = Arc::new(Notify::new());
        let service = service_fn(|mut request: Request<Incoming>| {
            requested.notify_one();
            request.extensions_mut().insert(peer.clone());
            request.extensions_mut().insert(Retiring(retiring.clone()));
            self.service.clone().oneshot(request)
        });
        let http2 = self.http2(seat);
        let mut connection = pin!(http2.serve_connection(TokioIo::new(stream), service));
        let mut deadline = pin!(sleep_until(opened + self.limits.first_request));
        let mut stage = Stage::Silent;
        loop {
            tokio::select! {
                biased;
                () = seat.cut.cancelled() => return self.metrics.cut.add(),
                ended = &mut connection => {
                    // A leaving peer may close before it has read the last goodbye.
                    if ended.is_err() && stage != Stage::Leaving {
                        self.metrics.broken.add();
                    }
                    return;
                }
                () = requested.notified(), if stage == Stage::Silent => {
                    stage = Stage::Serving;
                    deadline.as_mut().reset(opened + age(self.limits.age, seat.number));
                }
                () = retiring.cancelled(), if stage != Stage::Leaving => {
                    self.metrics.retired.add();
                    connection.as_mut().graceful_shutdown();
                    // A silent one keeps its deadline: it has asked for nothing.
                    if stage == Stage::Serving {
                        deadline.as_mut().reset(Instant::now() + self.limits.grace);
                    }
                    stage = Stage::Leaving;
                }
                () = &mut deadline => match stage {
                    Stage::Silent => return self.metrics.silent.add(),
                    Stage::Serving => retiring.cancel(),
                    Stage::Leaving => return self.metrics.overdue.add(),
                }
            }
        }
    }

    fn http2(&self, seat: &Seat) -> http2::Builder<TokioExecutor> {
        let streams =
            if seat.gateway { self.limits.streams_of_gateway } else { self.limits.streams };
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(streams)
            .initial_stream_window_size(self.limits.stream_window)
            .initial_connection_window_size(self.limits.connection_window)
            .max_send_buf_size(self.limits.send_buffer)
            .max_header_list_size(self.limits.header_bytes)
            .keep_alive_interval(self.limits.ping_interval)
            .keep_alive_timeout(self.limits.ping_timeout);
        builder
    }
}

/// How far a connection has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// No request yet, perhaps not even the HTTP/2 preface.
    Silent,
    /// It has asked for something.
    Serving,
    /// It was asked to leave.
    Leaving,
}

/// The age at which the connection of that number is asked to leave: `base` and a part of it that
/// spreads evenly however many follow each other (the fractional parts of multiples of the golden
/// ratio).
fn age(base: Duration, number: u64) -> Duration {
    const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;
    let fraction = (number.wrapping_mul(GOLDEN_RATIO) >> 32) as f64 / (1_u64 << 32) as f64;
    base + base.mul_f64(fraction)
}

#[cfg(test)]
mod tests;
