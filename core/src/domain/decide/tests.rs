//! The decision at work: a small nation exchanges documents, and every record is folded back.

use std::collections::BTreeMap;

use super::*;
use crate::domain::agency::{Certificate, Purpose};
use crate::domain::custody::State;
use crate::domain::document::{Attachment, Category, Fact, Subject};
use crate::domain::duty::{Duty, DutyState, Outcome};
use crate::domain::record::{Effect, Kind, Notice, Settled};
use crate::domain::role::Role;
use crate::domain::state::{Case, EntryHead, Key, Loaded, Row, apply};
use crate::domain::term::{format_shanghai, shanghai_midnight_ms};
use crate::ids::{DocumentRef, PersonKey};
use crate::refusal::Reason;
use crate::testing;

mod access;
mod acknowledgements;
mod clock;
mod directory_changes;
mod documents;
mod flagged;
mod plausible;
mod random;
mod refused;
mod revocations;
mod story;

/// A hub in memory: its rows, and nothing that a decision did not ask for.
struct Nation {
    law: Law,
    directory: Directory,
    rows: BTreeMap<Key, Row>,
    entries: BTreeMap<LedgerIndex, EntryHead>,
    persons: Vec<(PersonKey, CaseRef)>,
    time: Time,
    next_id: u8,
}

/// A day of 2026 at ten in the morning.
fn on(month: i8, day: i8) -> Time {
    let date = jiff::civil::Date::new(2026, month, day).unwrap();
    Time(shanghai_midnight_ms(date) + 10 * 3_600_000)
}

fn date(month: i8, day: i8) -> Fact {
    Fact::Date(jiff::civil::Date::new(2026, month, day).unwrap())
}

impl Nation {
    fn new() -> Self {
        let mut directory = testing::directory();
        let agencies: Vec<AgencyCode> = directory.agencies().map(|a| a.code.clone()).collect();
        for agency in agencies {
            for purpose in [Purpose::Document, Purpose::Acknowledgement] {
                directory.put_certificate(certificate(purpose(agency.clone())));
            }
        }
        Self {
            law: Law::built_in(),
            directory,
            rows: BTreeMap::new(),
            entries: BTreeMap::new(),
            persons: Vec::new(),
            time: on(11, 2),
            next_id: 0,
        }
    }

    fn world(&self) -> World<'_> {
        World {
            directory: &self.directory,
            divisions: testing::divisions(),
            law: &self.law,
            reminders: Reminders::default(),
            time: self.time,
            index: LedgerIndex(self.entries.len() as u64),
            commit_document: |_, digest| *digest,
        }
    }

    /// Loads what is missing until the decision stands, then applies it.
    fn decide(&mut self, input: &Input) -> Result<Decision, Refusal> {
        let mut loaded = Loaded::default();
        let mut rounds = 1;
        let decided = loop {
            let view = View::new(&loaded);
            let decided = decide(&view, &self.world(), input);
            let missing = view.take_missing();
            if missing.is_empty() {
                break decided;
            }
            rounds += 1;
            self.load(&missing, &mut loaded);
        };
        if let Ok(Decision::Record(decided)) = &decided {
            self.persons.extend(decided.link);
            for record in decided.records() {
                rounds += self.apply_on(&mut loaded, record);
            }
        }
        // The writing transaction loads so often at most, whatever the number of items.
        assert!(rounds <= 8, "{rounds} rounds of loading");
        decided
    }

    fn apply(&mut self, record: &Record, link: Option<(PersonKey, CaseRef)>) {
        self.persons.extend(link);
        self.apply_on(&mut Loaded::default(), record);
    }

    /// Applies a record on what is loaded; returns how often more had to be loaded for it.
    fn apply_on(&mut self, loaded: &mut Loaded, record: &Record) -> usize {
        let mut rounds = 0;
        let index = LedgerIndex(self.entries.len() as u64);
        let changes = loop {
            let mut view = View::new(loaded);
            let applied = apply(&mut view, index, self.time, record);
            let missing = view.take_missing();
            if missing.is_empty() {
                applied.unwrap();
                break view.into_changes();
            }
            rounds += 1;
            self.load(&missing, loaded);
        };
        for (key, row) in changes.rows {
            let bytes = key.to_bytes();
            assert_eq!(Key::from_bytes(&bytes).unwrap(), key);
            match row {
                Some(row) => {
                    assert_eq!(Row::from_bytes(&row.to_bytes()).unwrap(), row);
                    self.rows.insert(key, row);
                }
                None => {
                    self.rows.remove(&key);
                }
            }
        }
        let mut leaf = vec![index.0 as u8; 41];
        leaf[0] = 1;
        self.entries.insert(index, EntryHead { leaf, document_salt: [0; 32] });
        rounds
    }

    fn load(&self, wants: &crate::domain::state::Wants, loaded: &mut Loaded) {
        for key in &wants.keys {
            loaded.rows.insert(key.clone(), self.rows.get(key).cloned());
        }
        for range in &wants.ranges {
            let keys = self.rows.keys().filter(|key| range.holds(key)).cloned();
            loaded.ranges.insert(range.clone(), keys.collect());
        }
        for index in &wants.entries {
            loaded.entries.extend(self.entries.get(index).map(|entry| (*index, entry.clone())));
        }
        for person in &wants.persons {
            let cases = self.persons.iter().filter(|(p, _)| p == person).map(|(_, case)| *case);
            loaded.persons.insert(*person, cases.collect());
        }
    }

    /// Sends a document; fields that the rulebook requires and the test does not care about are
    /// filled in.
    fn send(&mut self, paper: Paper) -> Result<Sent, Refusal> {
        let paper = self.completed(paper);
        self.send_bare(paper)
    }

    fn send_bare(&mut self, paper: Paper) -> Result<Sent, Refusal> {
        self.next_id = self.next_id.wrapping_add(1);
        let mut document = paper.0;
        if document.id.0 == [7; 16] {
            document.id = DocumentId([self.next_id; 16]);
            document.digest = Digest([self.next_id; 32]);
        }
        let reference = DocumentRef { sender: document.sender.clone(), id: document.id };
        let signer = certificate(Purpose::Document(document.sender.clone())).digest;
        let mut fresh_case = [0; 16];
        fresh_case[..8].copy_from_slice(&(self.entries.len() as u64).to_be_bytes());
        let input = Input::Document(Box::new(DocumentInput {
            document,
            signers: vec![signer],
            fresh_case: CaseRef(fresh_case),
            salt: [0; 32],
            notice: None,
        }));
        let index = LedgerIndex(self.entries.len() as u64);
        match self.decide(&input)? {
            Decision::Record(decided) => {
                let Decided { record, flagged, .. } = *decided;
                Ok(Sent { reference, index, time: self.time, record, flagged })
            }
            Decision::Known(known) => panic!("known by {known:?}"),
        }
    }

    fn completed(&self, mut paper: Paper) -> Paper {
        let day =
            super::law_of(&paper.0).unwrap_or(crate::domain::term::shanghai_date(self.time.0));
        if let Some(table) = self.law.on(day).table(&paper.0.kind) {
            paper.0.present.extend(table.required.iter().cloned());
            for need in &table.needs {
                let kind = need.kind.clone();
                paper.0.attachments.push(Attachment { digest: Digest([0; 32]), size: 1, kind });
            }
        }
        paper.0.present.extend(self.law.case_opening().iter().cloned());
        if !paper.0.facts.contains_key("case_number") {
            paper.0.present.remove("case_number");
        }
        paper
    }

    fn acknowledge(&mut self, agency: &str, number: u64) -> Result<Decision, Refusal> {
        self.acknowledge_all(agency, &[number])
    }

    fn acknowledge_all(&mut self, agency: &str, numbers: &[u64]) -> Result<Decision, Refusal> {
        let items = numbers
            .iter()
            .map(|number| (InboxNumber(*number), self.commitment(agency, *number)))
            .collect();
        let agency = testing::code(agency);
        let statement = statement(Purpose::Acknowledgement(agency.clone()));
        let input = Input::Acknowledgement(AcknowledgementInput { agency, items, statement });
        self.decide(&input)
    }

    /// The recipient rejects a delivery.
    fn reject(&mut self, agency: &str, number: u64) -> Result<Decision, Refusal> {
        let commitment = self.commitment(agency, number);
        let agency = testing::code(agency);
        self.decide(&Input::Rejection(RejectionInput {
            statement: statement(Purpose::Acknowledgement(agency.clone())),
            agency,
            number: InboxNumber(number),
            commitment,
            reason: "NOT_FOR_US".to_owned(),
        }))
    }

    fn commitment(&self, agency: &str, number: u64) -> Digest {
        let key = Key::Delivery(testing::code(agency), InboxNumber(number));
        match self.rows.get(&key) {
            Some(Row::Delivery(delivery)) => Digest([delivery.index.0 as u8; 32]),
            _ => Digest([255; 32]),
        }
    }

    fn case(&self, sent: &Sent) -> &Case {
        let Kind::Document(taken) = &sent.record.kind else { panic!("no document") };
        match self.rows.get(&Key::Case(taken.case.unwrap())) {
            Some(Row::Case(case)) => case,
            other => panic!("no case: {other:?}"),
        }
    }

    /// The duties of a name, whatever their state, oldest first.
    fn duties(&self, name: &str) -> Vec<&Duty> {
        let duties = self.rows.values().filter_map(|row| match row {
            Row::Duty(duty) if duty.name == name => Some(&**duty),
            _ => None,
        });
        duties.collect()
    }
}

/// A document that was taken.
struct Sent {
    reference: DocumentRef,
    index: LedgerIndex,
    time: Time,
    record: Record,
    flagged: Option<Record>,
}

impl Sent {
    /// The addressees: primaries, then `/`, then copies.
    fn route(&self) -> String {
        let names = |copies: bool| {
            let effects = self.record.effects.iter().filter_map(|ruled| match &ruled.effect {
                Effect::DeliveryOpened { agency, copy, .. } if *copy == copies => {
                    Some(agency.as_str())
                }
                _ => None,
            });
            effects.collect::<Vec<_>>().join(" ")
        };
        format!("{} / {}", names(false), names(true))
    }

    /// What was flagged.
    fn flags(&self) -> Vec<&str> {
        let effects = self.flagged.iter().flat_map(|flagged| &flagged.effects);
        let flags = effects.filter_map(|ruled| match &ruled.effect {
            Effect::Contradiction { what, .. } => Some(what.as_str()),
            _ => None,
        });
        flags.collect()
    }

    fn closed(&self) -> Vec<Outcome> {
        let closed = self.record.effects.iter().filter_map(|ruled| match &ruled.effect {
            Effect::DutyClosed { outcome, .. } => Some(*outcome),
            _ => None,
        });
        closed.collect()
    }
}

/// A document in the making.
#[derive(Clone)]
struct Paper(Document);

impl Paper {
    fn new(sender: &str, kind: &str) -> Self {
        Self(testing::document(sender, kind))
    }

    /// About this person, whose number is known.
    fn about(mut self, person: u8, category: Category) -> Self {
        self.0.subject = Some(Subject {
            case: None,
            person: Some(PersonKey([person; 32])),
            category: Some(category),
            juvenile: Some(false),
            born: None,
        });
        self
    }

    fn at(mut self, place: &str) -> Self {
        self.0.execution_place = Some(testing::division(place));
        self
    }

    fn with(mut self, field: &str, fact: Fact) -> Self {
        self.0.present.insert(field.to_owned());
        self.0.facts.insert(field.to_owned(), fact);
        self
    }

    fn word(self, field: &str, word: &str) -> Self {
        self.with(field, Fact::Word(word.to_owned()))
    }

    fn agency(self, field: &str, agency: &str) -> Self {
        self.with(field, Fact::Agency(testing::code(agency)))
    }

    fn place(self, field: &str, place: &str) -> Self {
        self.with(field, Fact::Place(testing::division(place)))
    }

    fn number(self, number: &str) -> Self {
        self.with("case_number", Fact::Text(number.to_owned()))
    }

    fn answering(mut self, sent: &Sent) -> Self {
        self.0.in_reply_to = Some(sent.reference.clone());
        self
    }

    fn choosing(mut self, agencies: &[&str]) -> Self {
        self.0.chosen = agencies.iter().map(|code| testing::code(code)).collect();
        self
    }
}

/// A verdict of two months' probation, executed at `place`, effective on 2 November 2026.
fn verdict(court: &str, place: &str, person: u8) -> Paper {
    Paper::new(court, "verdict_handover")
        .about(person, Category::Probation)
        .at(place)
        .number(&format!("（2026）粤刑初{person}号"))
        .with("decision_date", date(10, 22))
        .with("effective_date", date(11, 2))
        .with("term_start_date", date(11, 2))
        .with("term_expiry_date", Fact::Date(jiff::civil::Date::constant(2027, 1, 1)))
}

fn certificate(purpose: Purpose) -> Certificate {
    let mut digest = [0u8; 32];
    for (place, byte) in format!("{purpose:?}").bytes().enumerate() {
        digest[place % 32] = digest[place % 32].wrapping_mul(31).wrapping_add(byte);
    }
    Certificate {
        digest: Digest(digest),
        purpose,
        label: String::new(),
        der: Vec::new(),
        valid_from: Time(0),
        valid_until: Time(i64::MAX),
        binding: LedgerIndex(0),
        revoked: None,
    }
}

fn statement(purpose: Purpose) -> Signed {
    let certificate = certificate(purpose).digest;
    let signature =
        crate::domain::record::Signature { algorithm: 1, certificate, value: Vec::new() };
    Signed { payload: Vec::new(), signatures: vec![signature], bindings: Vec::new() }
}

fn due(duty: &Duty) -> String {
    duty.due.map(|due| format_shanghai(due.0)).unwrap_or_default()
}

fn reason<T>(refused: Result<T, Refusal>) -> (Reason, String) {
    match refused {
        Ok(_) => panic!("it was taken"),
        Err(refusal) => (refusal.reason(), refusal.gravest().field.clone()),
    }
}
