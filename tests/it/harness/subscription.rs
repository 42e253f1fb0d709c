//! An open stream of an inbox.

use std::time::Duration;

use pb::subscribe_request::Message as Ask;
use pb::subscribe_response::Message as Answer;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Status, Streaming};
use xianjie::wire::pb;

/// Far more than anything here takes, far less than a person waits.
const SOON: Duration = Duration::from_secs(30);

/// A stream, after its `opened`.
pub(crate) struct Subscription {
    /// What the hub said when it opened it.
    pub(crate) opened: pb::SubscribeOpened,
    asks: mpsc::Sender<pb::SubscribeRequest>,
    answers: Streaming<pb::SubscribeResponse>,
}

impl Subscription {
    pub(super) async fn open(
        mut client: pb::inbox_service_client::InboxServiceClient<Channel>,
        open: pb::SubscribeOpen,
    ) -> Result<Self, Status> {
        let (asks, requests) = mpsc::channel(16);
        let answers = client.subscribe(ReceiverStream::new(requests)).await?.into_inner();
        let opened = pb::SubscribeOpened::default();
        let mut subscription = Self { opened, asks, answers };
        subscription.ask(Ask::Open(open)).await;
        match subscription.next().await? {
            Some(Answer::Opened(opened)) => subscription.opened = opened,
            other => panic!("{other:?} before `opened`"),
        }
        Ok(subscription)
    }

    /// Sends a message.
    pub(crate) async fn ask(&self, message: Ask) {
        let request = pb::SubscribeRequest { message: Some(message) };
        self.asks.send(request).await.unwrap();
    }

    /// The next message, or the stream's end.
    pub(crate) async fn next(&mut self) -> Result<Option<Answer>, Status> {
        let response = timeout(SOON, self.answers.message()).await.unwrap()?;
        Ok(response.map(|response| response.message.unwrap()))
    }

    /// The next delivery; heartbeats are passed over.
    pub(crate) async fn delivery(&mut self) -> pb::Delivery {
        loop {
            match self.next().await.unwrap() {
                Some(Answer::Delivery(delivery)) => return delivery,
                Some(Answer::Heartbeat(_)) => {}
                other => panic!("{other:?} in place of a delivery"),
            }
        }
    }

    /// Hands in an acknowledgement, and waits for what became of it.
    pub(crate) async fn acknowledge(
        &mut self,
        statement: pb::SignedAcknowledgement,
    ) -> pb::AcknowledgementResult {
        self.ask(Ask::Acknowledgement(statement)).await;
        loop {
            match self.next().await.unwrap() {
                Some(Answer::Result(result)) => return result,
                Some(Answer::Heartbeat(_)) => {}
                other => panic!("{other:?} in place of a result"),
            }
        }
    }
}
