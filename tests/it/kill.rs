//! `kill -9` on the real program, again and again, while agencies send, receive and acknowledge.
//! Whatever they were told before stays true after.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pb::exchange_service_client::ExchangeServiceClient;
use pb::inbox_service_client::InboxServiceClient;
use pb::ledger_service_client::LedgerServiceClient;
use pb::subscribe_request::Message as Ask;
use pb::subscribe_response::Message as Answer;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use xianjie::wire;
use xianjie::wire::pb;
use xianjie_core::ids::{Digest, InboxNumber};
use xianjie_core::ledger::Checkpoint;
use xianjie_core::ledger::{Hash, NoteVerifier, VerifiedReceipt, receipt, verify_consistency};

use crate::people::{People, wire_acknowledgement, wire_document};
use crate::process::Process;
use crate::random::Random;

const SENDERS: [&str; 3] = ["yuexiu-court", "yuexiu-detention", "tianhe-corrections"];
const RECIPIENTS: [&str; 2] = ["tianhe-police", "tianhe-procuratorate"];
/// Rounds, if `XIANJIE_KILL_ROUNDS` says nothing else: half a minute.
const ROUNDS: u64 = 30;

/// What the agencies hold: it must stay true.
#[derive(Default)]
struct Held {
    /// Every document, with the index of its record once it has a receipt.
    sent: Vec<(&'static str, pb::SignedDocument, Option<u64>)>,
    /// Checkpoints that receipts were proven against.
    checkpoints: BTreeMap<u64, Hash>,
    /// For each recipient the index of the record of each delivery, by its number from 1.
    inboxes: BTreeMap<&'static str, Vec<u64>>,
    /// For each recipient the numbers whose acknowledgement has a receipt.
    acknowledged: BTreeMap<&'static str, BTreeSet<u64>>,
}

/// What every agency's program shares.
#[derive(Clone)]
struct Outside {
    held: Arc<Mutex<Held>>,
    keys: Arc<Vec<NoteVerifier>>,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_survives_every_kill() {
    let mut process = Process::start().await;
    let mut random = Random(20_261_124);
    let keys = Arc::new(process.keys.clone());
    let outside = Outside { held: Arc::default(), keys };
    for _ in 0..rounds() {
        let programs = outside.start(&process).await;
        tokio::time::sleep(Duration::from_millis(50 + random.below(350))).await;
        assert!(process.is_alive(), "the hub ended by itself:\n{}", process.log());
        process.kill();
        programs.join_all().await;
        process.restart();
        outside.check(&process, &mut random).await;
    }
    let sent = outside.check_all(&process).await;
    assert!(sent > rounds() as usize, "hardly anything was sent: {sent}");
    process.kill();
    let audit = process.audit();
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
}

fn rounds() -> u64 {
    let given = std::env::var("XIANJIE_KILL_ROUNDS").ok();
    given.map_or(ROUNDS, |rounds| rounds.parse().unwrap())
}

impl Outside {
    /// The programs of all agencies; each ends when the hub dies.
    async fn start(&self, process: &Process) -> JoinSet<()> {
        let mut programs = JoinSet::new();
        let people = &process.people;
        for from in SENDERS {
            let channel = process.connect(from).await;
            programs.spawn(self.clone().send(from, Arc::clone(people), channel));
        }
        for agency in RECIPIENTS {
            let channel = process.connect(agency).await;
            programs.spawn(self.clone().receive(agency, Arc::clone(people), channel));
        }
        programs
    }

    /// Sends one document after another.
    async fn send(self, from: &'static str, people: Arc<People>, channel: Channel) {
        loop {
            let paper = wire_document(&people.ping(from, &RECIPIENTS));
            let place = {
                let mut held = self.held.lock().unwrap();
                held.sent.push((from, paper.clone(), None));
                held.sent.len() - 1
            };
            if self.submit(place, from, paper, channel.clone()).await.is_err() {
                return;
            }
        }
    }

    /// Submits, and keeps the receipt: never another than before.
    async fn submit(
        &self,
        place: usize,
        from: &str,
        paper: pb::SignedDocument,
        channel: Channel,
    ) -> Result<(), tonic::Status> {
        let request =
            pb::SubmitDocumentRequest { agency: from.to_owned(), signed_document: Some(paper) };
        let answer = ExchangeServiceClient::new(channel).submit_document(request).await?;
        let index = self.verify(answer.into_inner().receipt.as_ref()).index;
        let kept = &mut self.held.lock().unwrap().sent[place].2;
        assert_eq!(*kept.get_or_insert(index), index, "a second record of one document");
        Ok(())
    }

    /// Stores every delivery above the last one stored, and acknowledges it.
    async fn receive(self, agency: &'static str, people: Arc<People>, channel: Channel) {
        let stored = self.held.lock().unwrap().inboxes.entry(agency).or_default().len() as u64;
        let open = pb::SubscribeOpen {
            agency: agency.to_owned(),
            after_inbox_number: Some(stored),
            credits: 4096,
            consumer: "kill".to_owned(),
        };
        let (asks, requests) = mpsc::channel(64);
        asks.send(ask(Ask::Open(open))).await.unwrap();
        let mut inbox = InboxServiceClient::new(channel);
        let Ok(answers) = inbox.subscribe(ReceiverStream::new(requests)).await else { return };
        let mut answers = answers.into_inner();
        while let Ok(Some(answer)) = answers.message().await {
            match answer.message.unwrap() {
                Answer::Delivery(delivery) => {
                    let item = self.store(agency, &delivery);
                    let statement = people.acknowledgement(agency, vec![item]);
                    let statement = wire_acknowledgement(&statement);
                    // An error shows with the answers too.
                    let _ = asks.send(ask(Ask::Acknowledgement(statement))).await;
                }
                Answer::Result(result) => {
                    assert_eq!(result.refusal, None);
                    let mut held = self.held.lock().unwrap();
                    let acknowledged = held.acknowledged.entry(agency).or_default();
                    acknowledged.extend(result.settlements.iter().flat_map(|s| &s.inbox_numbers));
                }
                Answer::Opened(_) | Answer::Heartbeat(_) => {}
            }
        }
    }

    /// Stores a delivery: the next number, a later record. Returns what is acknowledged of it.
    fn store(&self, agency: &'static str, delivery: &pb::Delivery) -> (InboxNumber, Digest) {
        let index = self.verify(delivery.receipt.as_ref()).index;
        let parts = wire::receipt::parts(delivery.receipt.as_ref().unwrap()).unwrap();
        let mut held = self.held.lock().unwrap();
        let inbox = held.inboxes.entry(agency).or_default();
        assert_eq!(delivery.inbox_number, inbox.len() as u64 + 1, "{agency}: a gap");
        assert!(inbox.last() < Some(&index), "{agency}: not in the ledger's order");
        inbox.push(index);
        (InboxNumber(delivery.inbox_number), Digest(parts.opening.leaf.commitment.0))
    }

    /// Verifies a receipt offline, and keeps its checkpoint: one root for each size.
    fn verify(&self, receipt: Option<&pb::Receipt>) -> VerifiedReceipt {
        let parts = wire::receipt::parts(receipt.unwrap()).unwrap();
        let verified = receipt::verify(&parts, &self.keys).unwrap();
        let head = &verified.checkpoint;
        let mut held = self.held.lock().unwrap();
        assert_eq!(*held.checkpoints.entry(head.size).or_insert(head.root), head.root);
        verified
    }

    /// After a restart: the ledger goes on from what was shown, what had no answer gets one record,
    /// and what was acknowledged stays so.
    async fn check(&self, process: &Process, random: &mut Random) {
        self.check_ledger(process, 1).await;
        let papers: Vec<_> = self.held.lock().unwrap().sent.clone();
        for (place, (from, paper, index)) in papers.into_iter().enumerate() {
            if index.is_none() || random.below(50) == 0 {
                let channel = process.connect(from).await;
                self.submit(place, from, paper, channel).await.unwrap();
            }
        }
        for agency in RECIPIENTS {
            let open = list(process, agency, true).await;
            let held = self.held.lock().unwrap();
            let acknowledged = held.acknowledged.get(agency);
            let back = open
                .iter()
                .find(|d| acknowledged.is_some_and(|numbers| numbers.contains(&d.inbox_number)));
            assert_eq!(back.map(|d| d.inbox_number), None, "{agency}: acknowledged, and back");
        }
    }

    /// At the end: every document has a record of its own, every inbox has all of them in the
    /// ledger's order, and every checkpoint ever shown is a beginning of the ledger.
    async fn check_all(&self, process: &Process) -> usize {
        self.check_ledger(process, usize::MAX).await;
        let sent = self.held.lock().unwrap().sent.clone();
        let records: BTreeSet<u64> = sent.iter().map(|(_, _, index)| index.unwrap()).collect();
        assert_eq!(records.len(), sent.len());
        for agency in RECIPIENTS {
            let all = list(process, agency, false).await;
            let numbers = all.iter().map(|delivery| delivery.inbox_number);
            assert!(numbers.eq(1..=all.len() as u64), "{agency}: a gap");
            let indexes: Vec<u64> =
                all.iter().map(|d| self.verify(d.receipt.as_ref()).index).collect();
            assert!(indexes.iter().eq(&records), "{agency}: not every document, or not in order");
            let held = self.held.lock().unwrap();
            assert!(indexes.starts_with(&held.inboxes[agency]), "{agency}: another inbox");
        }
        sent.len()
    }

    /// Today's ledger begins with the last `count` checkpoints that were shown.
    async fn check_ledger(&self, process: &Process, count: usize) {
        let shown: Vec<(u64, Hash)> = {
            let held = self.held.lock().unwrap();
            held.checkpoints.iter().rev().take(count).map(|(size, root)| (*size, *root)).collect()
        };
        let mut ledger = LedgerServiceClient::new(process.connect(SENDERS[0]).await);
        for (old_size, old) in shown {
            let request = pb::GetConsistencyProofRequest { old_size, new_size: 0 };
            let proof = ledger.get_consistency_proof(request).await.unwrap().into_inner();
            let (now, _) = Checkpoint::open(&proof.checkpoint, &self.keys).unwrap();
            let hash = |bytes: &Vec<u8>| Hash(bytes.as_slice().try_into().unwrap());
            let path: Vec<Hash> = proof.path.iter().map(hash).collect();
            verify_consistency(old_size, &old, now.size, &now.root, &path).unwrap();
        }
    }
}

/// All deliveries of an inbox, or those that are not settled.
async fn list(process: &Process, agency: &str, only_open: bool) -> Vec<pb::Delivery> {
    let mut inbox = InboxServiceClient::new(process.connect(agency).await);
    let mut all: Vec<pb::Delivery> = Vec::new();
    loop {
        let request = pb::ListDeliveriesRequest {
            agency: agency.to_owned(),
            after_inbox_number: all.last().map_or(0, |last| last.inbox_number),
            only_unacknowledged: only_open,
            page_size: 1000,
            wait_seconds: 0,
        };
        let page = inbox.list_deliveries(request).await.unwrap().into_inner();
        if page.deliveries.is_empty() {
            return all;
        }
        all.extend(page.deliveries);
    }
}

fn ask(message: Ask) -> pb::SubscribeRequest {
    pb::SubscribeRequest { message: Some(message) }
}
