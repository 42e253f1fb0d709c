//! The gRPC services: decode, authorise, call the hub, encode. No rule of law, no storage and no
//! decision stands here.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use tonic::service::Routes;
use tonic::{Response, Status};
use xianjie_core::limits;
use xianjie_core::refusal::Refusal;

use crate::hub::Hub;
use crate::wire::{DESCRIPTORS, pb};

mod attachment;
mod calls;
mod directory;
mod encode;
mod exchange;
mod follow;
mod inbox;
mod ledger;
mod operator;
pub mod peer;
mod permit;
mod protected;
mod query;
mod status;
mod supervision;

pub use operator::{Alarm, Alarms};

/// A service with the bounds of its messages.
macro_rules! bounded {
    ($service:expr) => {
        $service
            .max_decoding_message_size(limits::REQUEST_BYTES)
            .max_encoding_message_size(limits::RESPONSE_BYTES)
    };
}
/// What the services of one hub share.
#[derive(Clone)]
pub struct Desk {
    /// The hub.
    pub hub: Arc<Hub>,
    /// What operators should look at.
    pub alarms: Arc<Alarms>,
}

/// The services of the agencies' listener.
#[must_use]
pub fn agencies(desk: &Desk) -> Routes {
    let hub = &desk.hub;
    let exchange = pb::exchange_service_server::ExchangeServiceServer::new(
        exchange::Exchange::new(Arc::clone(hub)),
    );
    let inbox =
        pb::inbox_service_server::InboxServiceServer::new(inbox::Inbox::new(Arc::clone(hub)));
    let attachment = pb::attachment_service_server::AttachmentServiceServer::new(
        attachment::Attachment::new(Arc::clone(hub)),
    );
    let supervision = pb::supervision_service_server::SupervisionServiceServer::new(
        supervision::Supervision::new(Arc::clone(hub)),
    );
    let query =
        pb::query_service_server::QueryServiceServer::new(query::Query::new(Arc::clone(hub)));
    let routes = common(desk)
        .add_service(bounded!(query))
        .add_service(bounded!(supervision))
        .add_service(bounded!(exchange))
        .add_service(bounded!(inbox))
        .add_service(bounded!(attachment));
    answered(routes)
}

/// The services of the operators' listener.
#[must_use]
pub fn operators(desk: &Desk) -> Routes {
    let operator = pb::operator_service_server::OperatorServiceServer::new(
        operator::Operators::new(desk.clone()),
    );
    answered(common(desk).add_service(bounded!(operator)))
}

/// Each call gets its span. A message over its limit is refused before any service sees it: it gets
/// its reason here, since an error without one would be sent again for ever.
fn answered(routes: Routes) -> Routes {
    let paths = calls::paths().unwrap_or_else(|error| {
        tracing::error!(%error, "no traces: the descriptors can't be read");
        calls::Paths::default()
    });
    let around = axum::middleware::from_fn_with_state(paths, calls::answer);
    Routes::from(routes.into_axum_router().layer(around)).prepare()
}

/// What both listeners serve: the ledger's public side, the directory, health and reflection.
fn common(desk: &Desk) -> Routes {
    let hub = &desk.hub;
    let ledger =
        pb::ledger_service_server::LedgerServiceServer::new(ledger::Ledger::new(Arc::clone(hub)));
    let directory = pb::directory_service_server::DirectoryServiceServer::new(
        directory::Directory::new(Arc::clone(hub)),
    );
    let (_, health) = tonic_health::server::health_reporter();
    let mut routes =
        Routes::new(health).add_service(bounded!(ledger)).add_service(bounded!(directory));
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .build_v1();
    match reflection {
        Ok(reflection) => routes = routes.add_service(reflection),
        Err(error) => tracing::error!(%error, "no reflection: the descriptors can't be read"),
    }
    routes
}

/// The messages of a stream of answers.
type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// What makes a stream of answers, one after the other as the client takes them. Dropped with the
/// stream, and then nothing of it goes on.
trait Source: Send + 'static {
    /// The messages.
    type Message: Send + 'static;

    /// The next message, or the end.
    fn next(&mut self) -> impl Future<Output = Option<Result<Self::Message, Status>>> + Send;
}

/// The stream of a source; an error is its last message.
fn answers<S: Source>(source: S) -> Answers<S::Message> {
    Box::pin(futures::stream::unfold(Some(source), |source| async move {
        let mut source = source?;
        match source.next().await? {
            Ok(message) => Some((Ok(message), Some(source))),
            Err(status) => Some((Err(status), None)),
        }
    }))
}

/// Answers a unary call within its deadline. What the hub is doing by then it still does: the
/// outcome is unknown, and the caller sends the same again.
async fn unary<T>(
    work: impl Future<Output = Result<T, Refusal>> + Send,
) -> Result<Response<T>, Status> {
    let deadline = Duration::from_secs(limits::UNARY_SECONDS);
    match tokio::time::timeout(deadline, work).await {
        Ok(Ok(message)) => Ok(Response::new(message)),
        Ok(Err(refusal)) => Err(status::refused(&refusal)),
        Err(_) => Err(status::late()),
    }
}
