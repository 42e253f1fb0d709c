//! The public side over plain HTTP: the ledger's tiles and checkpoint (C2SP tlog-tiles), health and
//! metrics. Leaves are opaque, so all of it may be read by anyone and cached by anything.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::Semaphore;
use xianjie_core::limits;

use crate::hub::Hub;

mod metrics;
mod serve;
mod tiles;

pub use metrics::{Gauges, Metric};
pub use serve::{PublicLimits, serve};
use tiles::TileError;

/// What a full tile may be cached for: it never changes.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// What a partial tile may be cached for: it does not change either, but a fuller one takes its
/// place.
const A_DAY: &str = "public, max-age=86400";
/// What must be asked for anew.
const NEVER: &str = "no-cache";

const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";

/// What the routes share.
#[derive(Clone)]
struct Public {
    hub: Arc<Hub>,
    gauges: Gauges,
    /// First come, first served.
    reading: Arc<Semaphore>,
}

/// The routes.
pub fn routes(hub: Arc<Hub>, gauges: Gauges) -> Router {
    Router::new()
        .route("/checkpoint", get(checkpoint))
        .route("/tile/{*path}", get(tile))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .with_state(Public {
            hub,
            gauges,
            reading: Arc::new(Semaphore::new(limits::PUBLIC_READING)),
        })
}

async fn checkpoint(State(public): State<Public>) -> Response {
    let checkpoint = public.hub.published().checkpoint.to_string();
    answer(TEXT, NEVER, checkpoint)
}

async fn tile(State(public): State<Public>, Path(path): Path<String>) -> Response {
    let Ok(_turn) = public.reading.acquire().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    match tiles::read(&public.hub, &format!("tile/{path}")).await {
        Ok(tile) => answer(BYTES, if tile.is_full { FOREVER } else { A_DAY }, tile.bytes),
        Err(TileError::NotThere) => StatusCode::NOT_FOUND.into_response(),
        Err(TileError::Unavailable) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Healthy: it takes documents.
async fn health(State(public): State<Public>) -> Response {
    if public.hub.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n").into_response();
    }
    answer(TEXT, NEVER, "ok\n".to_owned())
}

async fn metrics(State(public): State<Public>) -> Response {
    let text = metrics::text(&public.hub, &public.gauges);
    answer("text/plain; version=0.0.4", NEVER, text)
}

fn answer(kind: &'static str, cache: &'static str, body: impl IntoResponse) -> Response {
    let headers: [(HeaderName, &'static str); 2] = [(CONTENT_TYPE, kind), (CACHE_CONTROL, cache)];
    (headers, body).into_response()
}
