//! Long lists and long answers: each thing once, and no answer larger than a client takes.

use prost::Message as _;
use xianjie::wire::pb;
use xianjie_core::limits;

use crate::harness::{Agency, Hub};

/// Sends so many connection tests; their ids, the oldest first.
async fn send_many(from: &Agency, to: &Agency, count: usize) -> Vec<String> {
    let documents: Vec<pb::Document> = (0..count).map(|_| from.ping(&[to])).collect();
    let requests: Vec<_> = (0..)
        .zip(&documents)
        .map(|(item, document)| pb::SubmitDocumentsRequest {
            agency: from.code.to_string(),
            item,
            signed_document: Some(from.sign(document)),
        })
        .collect();
    let requests = tokio_stream::iter(requests);
    let mut answers = from.exchange().submit_documents(requests).await.unwrap().into_inner();
    let mut taken = 0;
    while let Some(answer) = answers.message().await.unwrap() {
        taken += answer.results.len();
    }
    assert_eq!(taken, count);
    documents.into_iter().map(|document| document.document_id).collect()
}

/// The documents that an agency sent, page by page.
async fn listed(agency: &Agency, page_size: u32, only_open: bool) -> Vec<String> {
    let mut request = pb::ListSubmissionsRequest {
        agency: agency.code.to_string(),
        page_size,
        only_open,
        ..pb::ListSubmissionsRequest::default()
    };
    let mut ids = Vec::new();
    loop {
        let page = agency.exchange().list_submissions(request.clone()).await.unwrap().into_inner();
        assert!(page.submissions.len() <= page_size as usize);
        ids.extend(page.submissions.into_iter().map(|submission| submission.document_id));
        if page.next_page_token.is_empty() {
            return ids;
        }
        assert_ne!(page.next_page_token, request.page_token, "the same page for ever");
        request.page_token = page.next_page_token;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_submissions_has_each_once_the_newest_first() {
    let mut hub = Hub::start().await;
    let (a, b) = (hub.agency("a").await, hub.agency("b").await);
    let mut sent = send_many(&a, &b, 25).await;
    sent.reverse();
    assert_eq!(listed(&a, 10, false).await, sent);
    let mut more = send_many(&a, &b, 125).await;
    more.reverse();
    more.extend(sent);
    for page_size in [7, 100, 1000] {
        assert_eq!(listed(&a, page_size, true).await, more, "{page_size}");
    }
    hub.stop().await;
}

/// A recipient that lost its database signs again for what it signed for one by one.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_too_many_receipts_leaves_statements_for_the_next() {
    let mut hub = Hub::start().await;
    let (a, b) = (hub.agency("a").await, hub.agency("b").await);
    send_many(&a, &b, 2048).await;
    let request = pb::ListDeliveriesRequest {
        agency: b.code.to_string(),
        page_size: 1000,
        ..pb::ListDeliveriesRequest::default()
    };
    let mut deliveries = Vec::new();
    while deliveries.len() < 2048 {
        let after_inbox_number = deliveries.len() as u64;
        let request = pb::ListDeliveriesRequest { after_inbox_number, ..request.clone() };
        deliveries
            .extend(b.inbox().list_deliveries(request).await.unwrap().into_inner().deliveries);
    }
    for some in deliveries.chunks(16) {
        let each = some.iter().map(|one| b.acknowledgement(std::slice::from_ref(one))).collect();
        assert!(acknowledge(&b, each).await.iter().all(|result| result.refusal.is_none()));
    }
    let mut open: Vec<_> = deliveries.chunks(256).map(|some| b.acknowledgement(some)).collect();
    let (mut calls, mut settled) = (0, 0);
    while !open.is_empty() {
        let results = acknowledge(&b, open.clone()).await;
        assert!(results[0].refusal.is_none(), "each answer settles one at least");
        let mut results = results.into_iter();
        open.retain(|_| {
            let result = results.next().unwrap();
            settled += result.settlements.len();
            let refusal = result.refusal;
            refusal.as_ref().is_none_or(|refusal| refusal.reason == "QUOTA") && refusal.is_some()
        });
        calls += 1;
    }
    assert_eq!(settled, 2048);
    assert!(calls > 1, "all came at once");
    hub.stop().await;
}

async fn acknowledge(
    agency: &Agency,
    acknowledgements: Vec<pb::SignedAcknowledgement>,
) -> Vec<pb::AcknowledgementResult> {
    let request =
        pb::AcknowledgeDeliveriesRequest { agency: agency.code.to_string(), acknowledgements };
    let answer = agency.inbox().acknowledge_deliveries(request).await.unwrap().into_inner();
    assert!(answer.encoded_len() <= limits::RESPONSE_BYTES);
    answer.results
}
