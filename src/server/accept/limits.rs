//! What one listener allows. The values stand in [`xianjie_core::limits`] with their arithmetic;
//! this gathers those of connections in one place, so that a test can choose smaller ones.

use std::time::Duration;

use xianjie_core::limits;

/// The bounds of a listener's connections.
#[derive(Clone, Copy, Debug)]
pub struct AcceptLimits {
    /// Connections in all.
    pub connections: usize,
    /// Connections of one client key.
    pub connections_per_key: usize,
    /// Connections that count to one agency.
    pub connections_per_agency: usize,
    /// TLS handshakes under way at once.
    pub pending: usize,
    /// TLS handshakes under way at once from one address.
    pub pending_per_source: usize,
    /// From accepting a connection to the end of its TLS handshake.
    pub handshake: Duration,
    /// From the end of the handshake to the first request.
    pub first_request: Duration,
    /// Age at which a connection is asked to leave; up to as much again is added, spread by
    /// connection, so that those that came together do not leave together.
    pub age: Duration,
    /// From asking a connection to leave to cutting it.
    pub grace: Duration,
    /// Between two HTTP/2 pings.
    pub ping_interval: Duration,
    /// How long the answer to a ping may take.
    pub ping_timeout: Duration,
    /// Streams of one connection.
    pub streams: u32,
    /// Streams of one connection of a gateway.
    pub streams_of_gateway: u32,
    /// HTTP/2 receive window of a stream, in bytes.
    pub stream_window: u32,
    /// HTTP/2 receive window of a connection, in bytes.
    pub connection_window: u32,
    /// HTTP/2 send buffer of a stream, in bytes.
    pub send_buffer: usize,
    /// HTTP/2 request headers, in bytes.
    pub header_bytes: u32,
}

impl Default for AcceptLimits {
    fn default() -> Self {
        let silence = limits::SILENCE_SECONDS - limits::HEARTBEAT_SECONDS;
        Self {
            connections: limits::CONNECTIONS,
            connections_per_key: limits::CONNECTIONS_PER_KEY,
            connections_per_agency: limits::CONNECTIONS_PER_AGENCY,
            pending: limits::PENDING_HANDSHAKES,
            pending_per_source: limits::PENDING_HANDSHAKES_PER_SOURCE,
            handshake: Duration::from_secs(limits::HANDSHAKE_SECONDS),
            first_request: Duration::from_secs(limits::FIRST_REQUEST_SECONDS),
            age: Duration::from_secs(limits::CONNECTION_SECONDS),
            // A unary call that came just before may take its whole deadline.
            grace: Duration::from_secs(limits::UNARY_SECONDS),
            ping_interval: Duration::from_secs(limits::HEARTBEAT_SECONDS),
            ping_timeout: Duration::from_secs(silence),
            streams: limits::STREAMS_PER_CONNECTION,
            streams_of_gateway: limits::STREAMS_PER_GATEWAY,
            stream_window: limits::STREAM_WINDOW,
            connection_window: limits::CONNECTION_WINDOW,
            send_buffer: limits::SEND_BUFFER,
            header_bytes: limits::HEADER_BYTES,
        }
    }
}
