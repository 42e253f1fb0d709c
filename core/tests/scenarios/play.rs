//! Plays a scenario: its steps one after the other, and after each what it expects.

use std::collections::{BTreeMap, BTreeSet};

use xianjie_core::domain::agency::Purpose;
use xianjie_core::domain::decide::{
    AcknowledgementInput, DocumentInput, Input, RejectionInput, law_of,
};
use xianjie_core::domain::document::{Attachment, Category, Document, Fact, Subject};
use xianjie_core::domain::record::{Effect, RuledEffect, Signature, Signed};
use xianjie_core::domain::role::Role;
use xianjie_core::domain::rulebook::Table;
use xianjie_core::domain::state::{Key, Row};
use xianjie_core::domain::term::shanghai_date;
use xianjie_core::ids::{
    AgencyCode, CaseRef, Digest, DocumentId, DocumentRef, InboxNumber, PersonKey,
};
use xianjie_core::refusal::Reason;

use crate::agencies::{World, certificate};
use crate::hub::Hub;
use crate::outcome::{self, Line};
use crate::scenario::{Scenario, Step, instant};

/// The fields that are read as texts; other strings are places, agencies or words.
const TEXTS: [&str; 2] = ["case_number", "served_type"];

/// A scenario that was played.
pub(crate) struct Played {
    /// The complete outcome.
    pub(crate) text: String,
    /// What is not as expected.
    pub(crate) wrong: Vec<String>,
    /// The rules that were broken in it, by their paths; a step of custody that did not fit, by its
    /// words.
    pub(crate) broken: BTreeSet<String>,
}

/// Plays `scenario`, after those that it goes on from.
pub(crate) fn play(
    world: &World,
    all: &BTreeMap<String, Scenario>,
    name: &str,
    scenario: &Scenario,
) -> Played {
    let mut player = Player {
        world,
        hub: Hub::new(world),
        sent: BTreeMap::new(),
        broken: BTreeSet::new(),
        category: None,
        place: None,
    };
    player.prepare(all, scenario);
    player.broken.clear();
    let mut played =
        Played { text: format!("{}\n", scenario.name), wrong: Vec::new(), broken: BTreeSet::new() };
    let mut cited = BTreeSet::new();
    for (number, step) in scenario.steps.iter().enumerate() {
        let lines = player.take(step);
        let what =
            step.sends.as_deref().or(step.acknowledges.as_deref()).or(step.rejects.as_deref());
        played.text.push_str(&format!(
            "\n{} {} {}\n",
            step.on,
            step.from,
            what.unwrap_or_default()
        ));
        for line in &lines {
            played.text.push_str(&format!("  {}\n", line.render()));
            cited.extend(line.articles.iter().cloned());
        }
        let wrong = compare(step, &lines);
        played.wrong.extend(wrong.into_iter().map(|w| format!("{name}, step {}: {w}", number + 1)));
    }
    for article in scenario.articles.iter().filter(|article| !cited.contains(*article)) {
        played.wrong.push(format!("{name}: nothing happens by {article}"));
    }
    played.broken = player.broken;
    played
}

/// What an outcome lacks of what is expected, and what it has beyond it.
fn compare(step: &Step, lines: &[Line]) -> Vec<String> {
    let mut wrong = Vec::new();
    let expected: Vec<Line> = step.then.iter().map(|written| Line::parse(written)).collect();
    for missing in expected.iter().filter(|e| !lines.iter().any(|line| line.is(e))) {
        wrong.push(format!("expected  {}", missing.render()));
    }
    for line in lines {
        let said = expected.iter().any(|e| line.is(e));
        let forbidden = step.never.iter().any(|beginning| line.text.starts_with(beginning));
        if forbidden || (line.is_strict() && !said) {
            wrong.push(format!("unexpected  {}", line.render()));
        }
    }
    if !wrong.is_empty() {
        wrong.extend(lines.iter().map(|line| format!("    there is  {}", line.render())));
    }
    wrong
}

struct Player<'w> {
    world: &'w World,
    hub: Hub<'w>,
    /// The documents by the names that steps call them.
    sent: BTreeMap<String, DocumentRef>,
    broken: BTreeSet<String>,
    category: Option<String>,
    place: Option<String>,
}

impl Player<'_> {
    /// Plays what comes before `scenario`, without looking at it.
    fn prepare(&mut self, all: &BTreeMap<String, Scenario>, scenario: &Scenario) {
        if let Some(after) = &scenario.after {
            let before = all.get(after).unwrap_or_else(|| panic!("no scenario {after:?}"));
            self.prepare(all, before);
            for step in &before.steps {
                self.take(step);
            }
        }
        self.category = scenario.category.clone().or(self.category.take());
        self.place = scenario.place.clone().or(self.place.take());
    }

    fn take(&mut self, step: &Step) -> Vec<Line> {
        assert!(step.time() >= self.hub.time, "{}: time goes back", step.on);
        self.hub.time = step.time();
        let input = match (&step.sends, &step.acknowledges, &step.rejects) {
            (Some(kind), None, None) => self.document(step, kind),
            (None, Some(document), None) => self.acknowledgement(step, document),
            (None, None, Some(document)) => self.rejection(step, document),
            (None, None, None) => {
                let passed = self.hub.pass();
                let lines = passed.iter().map(|r| outcome::of_record(self.world, &self.hub, r));
                return lines.flatten().collect();
            }
            _ => panic!("{}: one thing at a time", step.on),
        };
        match self.hub.decide(&input) {
            Ok(records) => {
                if let Input::Document(input) = &input {
                    let document = &input.document;
                    let reference =
                        DocumentRef { sender: document.sender.clone(), id: document.id };
                    self.sent.insert(step.label().to_owned(), reference);
                }
                let effects = records.iter().flat_map(|record| &record.effects);
                self.broken.extend(effects.filter_map(broken));
                let lines = records.iter().map(|r| outcome::of_record(self.world, &self.hub, r));
                lines.flatten().collect()
            }
            Err(refusal) => {
                let forbidden = refusal.violations.iter().filter(|v| v.reason == Reason::Forbidden);
                // A refusal by a rule names it last, in brackets.
                let named =
                    |help: &str| Some(help.rsplit_once(" (")?.1.strip_suffix(')')?.to_owned());
                let rules = forbidden.filter_map(|violation| named(&violation.help));
                self.broken.extend(rules);
                outcome::of_refusal(self.world, &refusal)
            }
        }
    }

    fn code(&self, name: &str) -> AgencyCode {
        self.world.code(name).unwrap_or_else(|| panic!("no agency {name:?}")).clone()
    }

    /// The document of that name; where nothing was taken under it, one that there is not.
    fn named(&self, label: &str) -> DocumentRef {
        let none = || DocumentRef { sender: self.code("平台"), id: DocumentId([255; 16]) };
        self.sent.get(label).cloned().unwrap_or_else(none)
    }

    fn document(&self, step: &Step, kind: &str) -> Input {
        let mut document = self.bare(step, kind);
        let day = law_of(&document).unwrap_or(shanghai_date(self.hub.time.0));
        if let Some(table) = self.world.law.on(day).table(&document.kind) {
            self.complete(&mut document, table, step);
        }
        let mut fresh_case = [0; 16];
        fresh_case[..8].copy_from_slice(&self.hub.size().to_be_bytes());
        let signer = certificate(Purpose::Document(document.sender.clone())).digest;
        Input::Document(Box::new(DocumentInput {
            document,
            signers: vec![signer],
            fresh_case: CaseRef(fresh_case),
            salt: [0; 32],
            notice: None,
        }))
    }

    /// The document as the step has it.
    fn bare(&self, step: &Step, kind: &str) -> Document {
        let number = u8::try_from(self.hub.size() + 1).unwrap();
        let category = step.category.as_ref().or(self.category.as_ref());
        let person = step.subject.unwrap_or(1);
        let facts: BTreeMap<String, Fact> = step
            .facts
            .iter()
            .map(|(field, value)| (field.clone(), self.fact(field, value)))
            .collect();
        Document {
            id: DocumentId([number; 16]),
            sender: self.code(&step.from),
            kind: kind.parse().unwrap(),
            digest: Digest([number; 32]),
            subject: (person > 0).then(|| Subject {
                case: step.names_case.then(|| self.hub.case_of(PersonKey([person; 32]))),
                person: Some(PersonKey([person; 32])),
                category: category.map(|word| of_word(word)),
                juvenile: Some(step.juvenile),
                born: None,
            }),
            execution_place: step.place.as_ref().map(|place| place.parse().unwrap()),
            chosen: step.chooses.iter().map(|name| self.code(name)).collect(),
            in_reply_to: step.reply_to.as_deref().map(|label| self.named(label)),
            after: Vec::new(),
            replaces: step.replaces.as_deref().map(|label| self.named(label)),
            attachments: Vec::new(),
            present: facts.keys().cloned().collect(),
            facts,
        }
    }

    /// Fills in what the law requires and the scenario does not care about.
    fn complete(&self, document: &mut Document, table: &Table, step: &Step) {
        if table.base.opens_case && step.reply_to.is_none() && document.execution_place.is_none() {
            document.execution_place = self.place.as_ref().map(|place| place.parse().unwrap());
        }
        let numbered = table.required.iter().any(|path| path == "case_number");
        if table.base.opens_case && numbered && !document.facts.contains_key("case_number") {
            let number = Fact::Text("（2026）刑初1号".to_owned());
            document.facts.insert("case_number".to_owned(), number);
        }
        let opening = self.world.law.case_opening().iter();
        let opening = opening.filter(|path| *path != "case_number");
        document.present.extend(table.required.iter().chain(opening).cloned());
        document.present.extend(document.facts.keys().cloned());
        document.present.retain(|path| !step.lacks.contains(path));
        for need in table.needs.iter().filter(|need| !step.lacks.contains(&need.kind)) {
            let kind = need.kind.clone();
            document.attachments.push(Attachment { digest: Digest([0; 32]), size: 1, kind });
        }
    }

    /// A field's value: what a field is follows from its name, as in `proto/`.
    fn fact(&self, field: &str, value: &toml::Value) -> Fact {
        match value {
            toml::Value::Boolean(yes) => Fact::Bool(*yes),
            toml::Value::Integer(number) => Fact::Number(*number),
            toml::Value::Datetime(day) => Fact::Date(day.to_string().parse().unwrap()),
            toml::Value::String(text) if TEXTS.contains(&field) => Fact::Text(text.clone()),
            toml::Value::String(text) if field.ends_with("_place") => {
                Fact::Place(text.parse().unwrap())
            }
            toml::Value::String(text) if field.ends_with("_time") => {
                Fact::Time(instant(text).unwrap())
            }
            toml::Value::String(text) if names_agency(field) => Fact::Agency(self.code(text)),
            toml::Value::String(text) => Fact::Word(text.clone()),
            other => panic!("{field}: {other:?} is no fact"),
        }
    }

    fn acknowledgement(&self, step: &Step, label: &str) -> Input {
        let agency = self.code(&step.from);
        let (number, commitment) = self.delivery(&agency, label);
        let statement = statement(Purpose::Acknowledgement(agency.clone()));
        let items = vec![(number, commitment)];
        Input::Acknowledgement(AcknowledgementInput { agency, items, statement })
    }

    fn rejection(&self, step: &Step, label: &str) -> Input {
        let agency = self.code(&step.from);
        let (number, commitment) = self.delivery(&agency, label);
        let statement = statement(Purpose::Acknowledgement(agency.clone()));
        let reason = "NOT_FOR_US".to_owned();
        Input::Rejection(RejectionInput { agency, number, commitment, reason, statement })
    }

    /// A document's number in an agency's inbox, and the commitment to its record; where there is no
    /// such delivery, what no delivery has.
    fn delivery(&self, agency: &AgencyCode, label: &str) -> (InboxNumber, Digest) {
        let row = match self.hub.rows.get(&Key::Document(self.named(label))) {
            Some(Row::Document(row)) => Some(row),
            _ => None,
        };
        let found = row.and_then(|row| {
            let addressed = row.addressed.iter().find(|addressed| addressed.agency == *agency)?;
            Some((addressed.number, Digest([row.index.0 as u8; 32])))
        });
        found.unwrap_or((InboxNumber(0), Digest([255; 32])))
    }
}

/// The rule that this effect says is broken; of a step of custody, the step and the state.
fn broken(ruled: &RuledEffect) -> Option<String> {
    match &ruled.effect {
        Effect::Contradiction { what, .. } if what.starts_with("CUSTODY ") => Some(what.clone()),
        Effect::Contradiction { .. } => Some(ruled.rule.clone()),
        _ => None,
    }
}

fn names_agency(field: &str) -> bool {
    let endings = ["_agency", "_court", "_organ"];
    endings.iter().any(|ending| field.ends_with(ending))
        || Role::WORDS.iter().any(|(role, _)| role.field() == field)
}

fn of_word(word: &str) -> Category {
    let known = Category::WORDS.iter().find(|(_, w)| *w == word);
    known.unwrap_or_else(|| panic!("no category {word:?}")).0
}

fn statement(purpose: Purpose) -> Signed {
    let certificate = certificate(purpose).digest;
    let signature = Signature { algorithm: 1, certificate, value: Vec::new() };
    Signed { payload: Vec::new(), signatures: vec![signature], bindings: Vec::new() }
}
