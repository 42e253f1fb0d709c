//! The span of a call. What it can tell is a closed list, and nothing else can be put in: the method,
//! the agency in whose name it was allowed, the type and the record of a document, the outcome.

use std::future::Future;

use http::{HeaderMap, HeaderValue};
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::field::{Empty, display};
use tracing::{Instrument as _, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use xianjie_core::ids::{AgencyCode, DocumentType, LedgerIndex};

/// By which the spans of calls are told from all else that is traced in the process.
pub(super) const TARGET: &str = "xianjie::call";

/// W3C Trace Context's header. `tracestate` is not taken: it may hold anything.
const TRACEPARENT: &str = "traceparent";

/// gRPC's codes for what the caller did not cause: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL,
/// UNAVAILABLE, DATA_LOSS.
const FAILED: [&str; 6] = ["2", "4", "12", "13", "14", "15"];

/// A call's span, which lasts until the last copy is dropped. Without a collector it is none, and
/// costs nothing.
#[derive(Debug, Clone)]
pub struct Call(Span);

impl Call {
    /// A call of this method (`xianjie.v1.ExchangeService/SubmitDocument`), in the trace that its
    /// headers continue, else in a new one.
    #[must_use]
    pub fn open(method: &str, headers: &HeaderMap) -> Self {
        let span = tracing::info_span!(
            target: TARGET,
            "call",
            otel.name = method,
            otel.kind = "server",
            otel.status_code = Empty,
            rpc.system = "grpc",
            rpc.service = Empty,
            rpc.method = Empty,
            rpc.grpc.status_code = Empty,
            xianjie.agency = Empty,
            xianjie.document_type = Empty,
            xianjie.record = Empty,
            xianjie.reason = Empty,
        );
        if span.is_disabled() {
            return Self(span);
        }
        if let Some((service, method)) = method.split_once('/') {
            span.record("rpc.service", service).record("rpc.method", method);
        }
        let parent = TraceContextPropagator::new().extract(&Traceparent(headers.get(TRACEPARENT)));
        // It can only fail for a span that has begun or that nobody listens to.
        let _ = span.set_parent(parent);
        Self(span)
    }

    /// No call.
    #[must_use]
    pub fn none() -> Self {
        Self(Span::none())
    }

    /// The call that is being answered here.
    #[must_use]
    pub fn current() -> Self {
        Self(Span::current())
    }

    /// Does the work of the call: within it, [`current`](Self::current) is this one.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> T {
        work.instrument(self.0.clone()).await
    }

    /// It is allowed in the name of `agency`.
    pub fn allowed(&self, agency: &AgencyCode) {
        self.0.record("xianjie.agency", display(agency));
    }

    /// It is about a document on the ledger.
    pub fn recorded(&self, document_type: &DocumentType, index: LedgerIndex) {
        self.0.record("xianjie.document_type", display(document_type));
        self.0.record("xianjie.record", index.0);
    }

    /// It was answered, or a stream was opened, with this gRPC code and, if refused, this reason.
    pub fn answered(&self, code: &str, reason: Option<&str>) {
        self.0.record("rpc.grpc.status_code", code);
        if FAILED.contains(&code) {
            self.0.record("otel.status_code", "ERROR");
        }
        if let Some(reason) = reason {
            self.0.record("xianjie.reason", reason);
        }
    }
}

/// What a trace's context is read from.
struct Traceparent<'a>(Option<&'a HeaderValue>);

impl Extractor for Traceparent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.filter(|_| key == TRACEPARENT)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.map(|_| TRACEPARENT).into_iter().collect()
    }
}
