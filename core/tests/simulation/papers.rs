//! Papers in the making: what a clerk fills in. What the law requires and no rule reads is filled in
//! for all alike.

use jiff::civil::Date;
use xianjie_core::domain::decide::law_of;
use xianjie_core::domain::document::{Attachment, Document, Fact, Subject};
use xianjie_core::domain::term::shanghai_date;
use xianjie_core::ids::{
    AgencyCode, Digest, DivisionCode, DocumentId, DocumentRef, DocumentType, Time,
};

use crate::dice::Dice;
use crate::hub::law;

/// A paper.
#[derive(Debug, Clone)]
pub(crate) struct Paper(pub(crate) Document);

impl Paper {
    /// A paper that says nothing yet.
    pub(crate) fn new(dice: &mut Dice, sender: &AgencyCode, kind: &str) -> Self {
        Self(Document {
            id: DocumentId(dice.bytes()),
            sender: sender.clone(),
            kind: document_type(kind),
            digest: Digest(dice.bytes()),
            subject: None,
            execution_place: None,
            chosen: Vec::new(),
            in_reply_to: None,
            after: Vec::new(),
            replaces: None,
            attachments: Vec::new(),
            facts: [].into(),
            present: [].into(),
        })
    }

    /// What its sender calls it.
    pub(crate) fn reference(&self) -> DocumentRef {
        DocumentRef { sender: self.0.sender.clone(), id: self.0.id }
    }

    pub(crate) fn about(mut self, subject: Subject) -> Self {
        self.0.subject = Some(subject);
        self
    }

    pub(crate) fn at(mut self, place: &DivisionCode) -> Self {
        self.0.execution_place = Some(place.clone());
        self
    }

    pub(crate) fn answering(mut self, document: &DocumentRef) -> Self {
        self.0.in_reply_to = Some(document.clone());
        self
    }

    pub(crate) fn replacing(mut self, document: &DocumentRef) -> Self {
        self.0.replaces = Some(document.clone());
        self
    }

    pub(crate) fn choosing(mut self, agency: &AgencyCode) -> Self {
        self.0.chosen.push(agency.clone());
        self
    }

    pub(crate) fn text(self, field: &str, text: &str) -> Self {
        self.with(field, Fact::Text(text.to_owned()))
    }

    pub(crate) fn word(self, field: &str, word: &str) -> Self {
        self.with(field, Fact::Word(word.to_owned()))
    }

    pub(crate) fn date(self, field: &str, date: Date) -> Self {
        self.with(field, Fact::Date(date))
    }

    pub(crate) fn time(self, field: &str, time: Time) -> Self {
        self.with(field, Fact::Time(time))
    }

    pub(crate) fn agency(self, field: &str, agency: &AgencyCode) -> Self {
        self.with(field, Fact::Agency(agency.clone()))
    }

    pub(crate) fn place(self, field: &str, place: &DivisionCode) -> Self {
        self.with(field, Fact::Place(place.clone()))
    }

    fn with(mut self, field: &str, fact: Fact) -> Self {
        self.0.present.insert(field.to_owned());
        self.0.facts.insert(field.to_owned(), fact);
        self
    }

    /// The same with everything filled in that the law of its day requires.
    pub(crate) fn completed(mut self, now: Time) -> Self {
        let document = &mut self.0;
        let day = law_of(document).unwrap_or_else(|| shanghai_date(now.0));
        if let Some(table) = law().on(day).table(&document.kind) {
            document.present.extend(table.required.iter().cloned());
            document.attachments.extend(table.needs.iter().map(|need| Attachment {
                digest: document.digest,
                size: 1,
                kind: need.kind.clone(),
            }));
        }
        document.present.extend(law().case_opening().iter().cloned());
        if !document.facts.contains_key("case_number") {
            document.present.remove("case_number");
        }
        self
    }
}

/// A document type.
pub(crate) fn document_type(text: &str) -> DocumentType {
    text.parse().unwrap()
}
