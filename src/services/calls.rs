//! What stands around every call: its span, and the reason of what was refused before a service saw it.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use prost_reflect::{DescriptorError, DescriptorPool};

use super::status;
use crate::telemetry::Call;
use crate::wire::DESCRIPTORS;

/// The paths of the protocol's methods. A path that a client made up stands in no trace.
pub(super) type Paths = Arc<HashSet<String>>;

/// All of them.
pub(super) fn paths() -> Result<Paths, DescriptorError> {
    let pool = DescriptorPool::decode(DESCRIPTORS)?;
    let path = |method: prost_reflect::MethodDescriptor| {
        format!("/{}/{}", method.parent_service().full_name(), method.name())
    };
    Ok(Arc::new(pool.services().flat_map(|s| s.methods().map(path).collect::<Vec<_>>()).collect()))
}

/// Answers a call.
pub(super) async fn answer(State(paths): State<Paths>, request: Request, next: Next) -> Response {
    let call = match request.uri().path() {
        path if paths.contains(path) => Call::open(&path[1..], request.headers()),
        _ => Call::none(),
    };
    let response = status::explained(call.run(next.run(request)).await);
    let (code, reason) = status::outcome(&response);
    call.answered(code, reason);
    response
}
