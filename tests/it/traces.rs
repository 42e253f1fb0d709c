//! Traces of the real program: what a collector gets of each call and what it must never get, and that
//! a collector which takes nothing changes nothing.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use http::uri::PathAndQuery;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use pb::directory_service_client::DirectoryServiceClient;
use pb::exchange_service_client::ExchangeServiceClient;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Code, Request, Response, Status};
use xianjie::wire::pb;

use crate::people::{enrolment, wire_document};
use crate::process::Process;

const SENDER: &str = "tianhe-corrections";
/// An agency that the hub does not know: a refused value.
const STRANGER: &str = "strange-agency";

/// A collector that keeps what it gets.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ResourceSpans>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().unwrap().extend(request.into_inner().resource_spans);
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Listens; returns the endpoint.
    async fn listen(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let service = TraceServiceServer::new(self.clone());
        let incoming = TcpListenerStream::new(listener);
        let router = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(router.serve_with_incoming(incoming));
        endpoint
    }

    fn spans(&self) -> Vec<Span> {
        let got = self.0.lock().unwrap();
        got.iter().flat_map(|r| &r.scope_spans).flat_map(|s| s.spans.clone()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_a_span_of_each_call_and_no_value_of_a_document() {
    let collector = Collector::default();
    let mut process = Process::start().await;
    restart_with(&mut process, &collector.listen().await);
    let channel = process.connect(SENDER).await;
    let mut exchange = ExchangeServiceClient::new(channel.clone());

    let paper = process.people.document(SENDER, enrolment());
    let mut request = Request::new(submission(SENDER, wire_document(&paper)));
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    request.metadata_mut().insert("traceparent", parent.parse().unwrap());
    request.metadata_mut().insert("tracestate", "subject=state-of-the-client".parse().unwrap());
    let receipt = exchange.submit_document(request).await.unwrap().into_inner().receipt.unwrap();
    let other = process.people.ping(SENDER, &["tianhe-police"]);
    let refused = exchange.submit_document(submission(STRANGER, wire_document(&other))).await;
    let refused = refused.unwrap_err();
    let mut any = tonic::client::Grpc::new(channel.clone());
    any.ready().await.unwrap();
    let path = PathAndQuery::from_static("/xianjie.v1.ExchangeService/MadeUpPath");
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let unknown = any.unary(Request::new(()), path, codec).await.unwrap_err();
    assert_eq!(unknown.code(), Code::Unimplemented);
    drop((channel, exchange, any));
    assert!(process.stop().success(), "{}", process.log());

    let spans = collector.spans();
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["xianjie.v1.ExchangeService/SubmitDocument"; 2]);
    assert_eq!(hex::encode(&spans[0].trace_id), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(hex::encode(&spans[0].parent_span_id), "00f067aa0ba902b7");
    assert!(spans[1].parent_span_id.is_empty());
    let index = receipt.index.to_string();
    let both = [("rpc.method", "SubmitDocument"), ("rpc.service", "xianjie.v1.ExchangeService")];
    let accepted = [
        ("rpc.grpc.status_code", "0"),
        ("xianjie.agency", SENDER),
        ("xianjie.document_type", "case_enrolment"),
        ("xianjie.record", &index),
    ];
    assert_eq!(attributes(&spans[0]), expected(&[&both[..], &accepted[..]].concat()));
    let code = (refused.code() as i32).to_string();
    let refused = [("rpc.grpc.status_code", code.as_str()), ("xianjie.reason", "UNKNOWN_SENDER")];
    assert_eq!(attributes(&spans[1]), expected(&[&both[..], &refused[..]].concat()));

    let told = format!("{:?}", collector.0.lock().unwrap());
    let id = pb_document(&paper.payload).document_id;
    let hidden = ["示例", "11010519491231002X", &id, STRANGER, "MadeUpPath", "state-of-the-client"];
    for value in hidden {
        assert!(!told.contains(value), "the collector was told {value}: {told}");
    }
    for (hub, value) in [("service.name", "xianjie"), ("xianjie.origin", "hub.test.demo/ledger/1")]
    {
        assert!(told.contains(hub) && told.contains(value), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_takes_nothing_changes_nothing() {
    let mut process = Process::start().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoints = [&closed, &silent].map(|l| format!("http://{}", l.local_addr().unwrap()));
    drop(closed);
    for endpoint in endpoints {
        restart_with(&mut process, &endpoint);
        let channel = process.connect(SENDER).await;
        // More than its queue holds.
        let calls = futures::stream::iter(0..3000).map(|_| {
            let mut directory = DirectoryServiceClient::new(channel.clone());
            async move { directory.get_hub(pb::GetHubRequest {}).await.unwrap() }
        });
        calls.buffer_unordered(100).for_each(|_| std::future::ready(())).await;
        let mut exchange = ExchangeServiceClient::new(channel);
        let paper = wire_document(&process.people.ping(SENDER, &["tianhe-police"]));
        exchange.submit_document(submission(SENDER, paper)).await.unwrap();
        drop(exchange);
        let asked = Instant::now();
        assert!(process.stop().success(), "{}", process.log());
        assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    }
    assert!(process.audit().status.success());
}

/// Stops the hub, and starts it with this collector.
fn restart_with(process: &mut Process, endpoint: &str) {
    process.kill();
    let path = process.folder().join("xianjie.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, _) = text.split_once("\n[telemetry]").unwrap_or((&text, ""));
    let text = format!("{before}\n[telemetry]\notlp_endpoint = \"{endpoint}\"\n");
    std::fs::write(path, text).unwrap();
    process.restart();
}

fn submission(agency: &str, paper: pb::SignedDocument) -> pb::SubmitDocumentRequest {
    pb::SubmitDocumentRequest { agency: agency.to_owned(), signed_document: Some(paper) }
}

/// What a span tells, sorted.
fn attributes(span: &Span) -> Vec<(String, String)> {
    let text = |value: Option<Value>| match value {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{other:?}"),
    };
    let mut told: Vec<_> = span
        .attributes
        .iter()
        .map(|a| (a.key.clone(), text(a.value.clone().and_then(|value| value.value))))
        .collect();
    told.sort();
    told
}

fn expected(told: &[(&str, &str)]) -> Vec<(String, String)> {
    let always = [("rpc.system", "grpc")];
    let all = told.iter().chain(&always);
    let mut all: Vec<_> = all.map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    all.sort();
    all
}

fn pb_document(bytes: &[u8]) -> pb::Document {
    prost::Message::decode(bytes).unwrap()
}
