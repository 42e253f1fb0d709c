//! Plays the story, step by step, and compares what happens with what it says.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use xianjie_core::domain::record::{Kind, Record};
use xianjie_core::ids::AgencyCode;

use super::DemoError;
use super::check::{check, check_refusal};
use super::duties::Duties;
use super::stage::Stage;
use super::story::{Act, Step, Story, names};
use super::timeline::{Timeline, addressees};
use super::{notice, proof, query};
use crate::client::inbox::{DeliveryNote, Start};
use crate::client::outbox::Entry;
use crate::client::send::{SendError, Sent};
use crate::client::verify::Report;
use crate::client::{Client, Observer, Profile, Silent, bindings, files};
use crate::clock::FileClock;
use crate::wire;

/// How long a sender of the story waits for a receipt.
const PATIENCE: Duration = Duration::from_secs(15);

/// Plays the story in `folder`.
///
/// # Errors
/// [`DemoError`]: the folder is taken, the hub does not come up, or something happens that the story
/// does not say.
pub async fn run(folder: &Path) -> Result<(), DemoError> {
    let story = Story::read()?;
    let begins = story.steps.first().map_or(Err(DemoError::Story("empty".into())), Step::at)?;
    println!("衔接演示：人物均为虚构  The people of this story are made up");
    println!("目录 folder: {}", folder.display());
    let stage = Stage::make(folder, begins).await?;
    let timeline = Timeline::new(names()?);
    let mut play = Play {
        stage,
        timeline,
        clients: HashMap::new(),
        papers: HashMap::new(),
        last: None,
        watcher: None,
        duties: Duties::default(),
        told: HashSet::new(),
    };
    for step in &story.steps {
        play.step(step).await?;
    }
    play.stage.stop().await?;
    println!("\n演示结束，目录保留  The folder stays: {}", folder.display());
    Ok(())
}

/// A document of the story that was taken.
#[derive(Debug, Clone)]
struct Paper {
    id: String,
    case: String,
}

/// The last document sent, as it was sent.
struct Last {
    sender: AgencyCode,
    envelope: Vec<u8>,
    index: u64,
}

struct Play {
    stage: Stage,
    timeline: Timeline,
    clients: HashMap<AgencyCode, Arc<Client>>,
    papers: HashMap<String, Paper>,
    last: Option<Last>,
    watcher: Option<AgencyCode>,
    duties: Duties,
    /// The ids of the hub's notices that the story has shown.
    told: HashSet<String>,
}

impl Play {
    async fn step(&mut self, step: &Step) -> Result<(), DemoError> {
        self.stage.set_clock(step.at()?)?;
        self.timeline.begin(step);
        match (&step.file, step.act) {
            (Some(file), _) => self.send(step, file).await,
            (None, Some(Act::Watch)) => {
                self.watcher = Some(step.who()?);
                Ok(())
            }
            (None, Some(Act::Acknowledge)) => self.acknowledge(&step.who()?).await,
            (None, Some(Act::Notice)) => self.notice(step).await,
            (None, Some(Act::Query)) => self.query(step).await,
            (None, Some(Act::Kill)) => self.kill().await,
            (None, Some(Act::Verify)) => {
                self.overhear().await?;
                let proven = proof::verify(&self.stage.folder)?;
                self.timeline.note(
                    &format!("{proven} 份存证全部离线验证通过"),
                    &format!("all {proven} receipts verify offline"),
                );
                Ok(())
            }
            (None, Some(Act::Audit)) => self.audit().await,
            (None, None) => Err(DemoError::Story(format!("nothing to do at {}", step.when()))),
        }
    }

    async fn send(&mut self, step: &Step, file: &str) -> Result<(), DemoError> {
        let sender = step.who()?;
        let path = self.fill_in(file)?;
        let client = self.client(&sender).await?;
        let watcher = match self.watcher.take() {
            Some(agency) => Some(self.client(&agency).await?),
            None => None,
        };
        let mut entry = client
            .enqueue(&path, false)
            .await
            .map_err(|error| DemoError::client(&sender, error))?;
        let (sent, took) = match watcher {
            Some(watcher) => self.send_watched(&client, &mut entry, &watcher).await?,
            None => deliver(&client, &mut entry).await,
        };
        match sent {
            Ok(sent) => {
                let record = record_of(&entry.folder)?;
                let index = sent.receipt.index;
                self.timeline.taken(sender.as_str(), &record, index, took);
                self.duties.learn(index, &record);
                for (duty, outcome) in self.duties.ended(&record) {
                    self.timeline.ended(duty, outcome, step.at()?);
                }
                check(step, &record)?;
                if let Some(label) = &step.label {
                    let paper =
                        Paper { id: entry.state.document_id.clone(), case: sent.correction_case };
                    self.papers.insert(label.clone(), paper);
                }
                self.last = Some(Last { sender, envelope: entry.envelope.clone(), index });
                self.all_acknowledge(step, &record).await
            }
            Err(SendError::Refused(refused)) => {
                let violations: Vec<_> = refused
                    .violations
                    .iter()
                    .map(|v| (v.field.clone(), v.message_zh.clone(), v.message.clone()))
                    .collect();
                self.timeline.refused(&refused.reason, &violations);
                let fields = violations.into_iter().map(|(field, _, _)| field).collect();
                check_refusal(&step.expect, &refused.reason, fields)
            }
            Err(error) => Err(DemoError::client(&sender, error)),
        }
    }

    /// Sends while another agency's system waits on its stream, and times the way.
    async fn send_watched(
        &self,
        client: &Client,
        entry: &mut Entry,
        watcher: &Client,
    ) -> Result<Delivered, DemoError> {
        let arrived = Arc::new(Arrived::default());
        let observer: Arc<dyn Observer> = Arc::clone(&arrived) as Arc<dyn Observer>;
        let code = watcher.agency().map_err(|e| DemoError::Story(e.to_string()))?.clone();
        let inbox =
            watcher.open_inbox(observer).map_err(|error| DemoError::client(&code, error))?;
        let watch = inbox.watch(Start::Resume, true);
        tokio::pin!(watch);
        let send = async {
            // The stream is open once the hub has answered; a stream that opens later misses nothing.
            tokio::time::sleep(Duration::from_millis(150)).await;
            let begun = Instant::now();
            let delivered = deliver(client, entry).await;
            if delivered.0.is_ok() {
                arrived.rung.notified().await;
            }
            (delivered, begun.elapsed())
        };
        tokio::select! {
            ended = &mut watch => {
                let why = ended.err().map_or_else(|| "it ended".to_owned(), |e| e.to_string());
                Err(DemoError::Story(format!("the stream of {code}: {why}")))
            }
            (delivered, took) = send => {
                self.timeline.note(
                    &format!("{} 毫秒后公安机关已收到、验证并存盘", took.as_millis()),
                    &format!("{} ms after sending, it is received, verified and stored", took.as_millis()),
                );
                Ok(delivered)
            }
        }
    }

    /// Every addressee stores, verifies and signs for what has come, but those who do so later.
    async fn all_acknowledge(&mut self, step: &Step, record: &Record) -> Result<(), DemoError> {
        let both = [false, true].into_iter().flat_map(|copies| addressees(record, copies));
        let agencies: Vec<String> = both
            .map(|(agency, _)| agency.to_owned())
            .filter(|agency| !step.later.contains(agency))
            .collect();
        for agency in agencies {
            if let Ok(agency) = agency.parse() {
                self.acknowledge(&agency).await?;
            }
        }
        Ok(())
    }

    async fn acknowledge(&mut self, agency: &AgencyCode) -> Result<(), DemoError> {
        let client = self.client(agency).await?;
        let inbox = client
            .open_inbox(Arc::new(Silent))
            .map_err(|error| DemoError::client(agency, error))?;
        let fetched = inbox.fetch(Start::Resume, false).await;
        fetched.map_err(|error| DemoError::client(agency, error))?;
        let open = inbox.open_numbers().map_err(|error| DemoError::client(agency, error))?;
        inbox.acknowledge(&open).await.map_err(|error| DemoError::client(agency, error))
    }

    /// Nobody acts but the clock: what the hub says of it in the inbox of `who`, and to whom else.
    async fn notice(&mut self, step: &Step) -> Result<(), DemoError> {
        let who = step.who()?;
        let client = self.client(&who).await?;
        let inbox =
            client.open_inbox(Arc::new(Silent)).map_err(|error| DemoError::client(&who, error))?;
        let (delivery, notice) = notice::wait(&inbox, step).await?;
        let record = record_of(&inbox.delivery_folder(delivery.number))?;
        self.timeline.told(&record, delivery.index, &notice.text);
        check(step, &record)?;
        if let Kind::Document(taken) = &record.kind
            && let Some((index, _)) = taken.notice
        {
            let cause = client
                .fetch_receipt(index.0)
                .await
                .map_err(|error| DemoError::client(&who, error))?;
            self.duties.learn(index.0, &decode(&cause.opening.record)?);
        }
        self.told.insert(delivery.document_id);
        self.all_acknowledge(step, &record).await
    }

    /// Everyone looks into their inbox once more: the hub has said nothing that no step shows.
    async fn overhear(&mut self) -> Result<(), DemoError> {
        let agencies: Vec<AgencyCode> = self.clients.keys().cloned().collect();
        for agency in agencies {
            self.acknowledge(&agency).await?;
            let client = self.client(&agency).await?;
            let inbox = client
                .open_inbox(Arc::new(Silent))
                .map_err(|error| DemoError::client(&agency, error))?;
            notice::check_told(&inbox, &agency, &self.told)?;
        }
        Ok(())
    }

    /// What `who` asks about the person of an earlier paper.
    async fn query(&mut self, step: &Step) -> Result<(), DemoError> {
        let paper = step.case_of.as_ref().and_then(|label| self.papers.get(label));
        let case = paper.map(|paper| paper.case.clone()).unwrap_or_default();
        let client = self.client(&step.who()?).await?;
        query::ask(&client, step, &case, &self.timeline).await
    }

    /// `kill -9`, a new process, and the last document once more, byte for byte.
    async fn kill(&mut self) -> Result<(), DemoError> {
        self.stage.kill().await?;
        let begun = Instant::now();
        self.stage.start().await?;
        let took = begun.elapsed().as_millis();
        let Some(last) = &self.last else { return Ok(()) };
        let (sender, envelope, index) = (last.sender.clone(), last.envelope.clone(), last.index);
        let client = self.client(&sender).await?;
        let mut answer = client.submit(&envelope).await;
        // The first call may meet the dead connection: its outcome is unknown, so it is made again.
        for _ in 0..20 {
            if answer.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            answer = client.submit(&envelope).await;
        }
        let answer = answer.map_err(|error| DemoError::client(&sender, error))?;
        let found = answer.receipt.map(|receipt| receipt.index);
        if found != Some(index) {
            return Err(DemoError::Other {
                step: "kill".to_owned(),
                expected: format!("the receipt of record {index}"),
                found: format!("{found:?}"),
            });
        }
        self.timeline.note(
            &format!("{took} 毫秒后恢复服务；重发得到同一存证 #{index}"),
            &format!("serving again after {took} ms; the same bytes get the same receipt #{index}"),
        );
        Ok(())
    }

    async fn audit(&mut self) -> Result<(), DemoError> {
        self.stage.stop().await?;
        let printed = self.stage.audit().await?;
        for line in printed.lines() {
            println!("    {line}");
        }
        self.stage.start().await
    }

    async fn client(&mut self, agency: &AgencyCode) -> Result<Arc<Client>, DemoError> {
        if let Some(client) = self.clients.get(agency) {
            return Ok(Arc::clone(client));
        }
        let folder = self.stage.folder.join("profiles").join(agency.as_str());
        let profile = Profile::load(&folder).map_err(|error| DemoError::client(agency, error))?;
        let clock = Arc::new(FileClock::new(self.stage.clock()));
        let client = Client::connect(profile, clock)
            .await
            .map_err(|error| DemoError::client(agency, error))?;
        let client = Arc::new(client);
        self.clients.insert(agency.clone(), Arc::clone(&client));
        Ok(client)
    }

    /// The document's file with the ids and cases of earlier ones filled in.
    fn fill_in(&self, file: &str) -> Result<PathBuf, DemoError> {
        let path = self.stage.folder.join("story").join(file);
        let mut text = fs::read_to_string(&path).map_err(|e| DemoError::file(&path, e))?;
        for (label, paper) in &self.papers {
            text = text
                .replace(&format!("\"$label:{label}\""), &format!("{:?}", paper.id))
                .replace(&format!("\"$case:{label}\""), &format!("{:?}", paper.case));
        }
        fs::write(&path, text).map_err(|e| DemoError::file(&path, e))?;
        Ok(path)
    }
}

/// Rings when a watching inbox has stored something.
#[derive(Default)]
struct Arrived {
    rung: Notify,
}

impl Observer for Arrived {
    fn stored(&self, _delivery: &DeliveryNote, _folder: &Path, _report: &Report) {
        self.rung.notify_one();
    }
}

/// What became of a document that was sent, and how long the answer took.
type Delivered = (Result<Sent, SendError>, Duration);

async fn deliver(client: &Client, entry: &mut Entry) -> Delivered {
    let silent: Arc<dyn Observer> = Arc::new(Silent);
    let begun = Instant::now();
    let sent = client.deliver(entry, &silent, Some(PATIENCE)).await;
    (sent, begun.elapsed())
}

/// The record of the document in a folder of outbox or inbox, by its receipt.
fn record_of(folder: &Path) -> Result<Record, DemoError> {
    let parts = bindings::read_receipt(&folder.join(files::RECEIPT))
        .map_err(|e| DemoError::Story(e.to_string()))?
        .map_err(|e| DemoError::Story(e.to_string()))?;
    decode(&parts.opening.record)
}

fn decode(record: &[u8]) -> Result<Record, DemoError> {
    wire::record::decode(record).map_err(|e| DemoError::Story(e.to_string()))
}
