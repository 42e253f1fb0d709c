//! The record that a document gets, from what its stages came to.

use std::collections::BTreeSet;

use super::super::{Decided, ENGINE};
use super::{Outcome, Pipeline, Stepped};
use crate::domain::agency::Kind as AgencyKind;
use crate::domain::policy::supervisor;
use crate::domain::record::{DocumentTaken, Effect, Kind, Notice, Record, RuledEffect};
use crate::domain::role::Role;
use crate::domain::state::{Key, Row};
use crate::ids::{AgencyCode, Digest, LedgerIndex, SenderNumber};

/// The place facts that a later answer's relations read.
const PLACES: [&str; 5] =
    ["intended_place", "new_place", "destination_place", "new_case_place", "home_place"];

impl Pipeline<'_, '_> {
    pub(super) fn record(&self, outcome: Outcome) -> Decided {
        let document = &self.input.document;
        let supervisors = self.supervisors(&outcome);
        let case = outcome.found.as_ref().map(|found| found.reference);
        let link = outcome
            .found
            .as_ref()
            .filter(|found| found.opens)
            .and_then(|found| Some((document.subject.as_ref()?.person?, found.reference)));
        let taken = DocumentTaken {
            document: self.reference.clone(),
            document_type: document.kind.clone(),
            commitment: (self.world.commit_document)(&self.input.salt, &document.digest),
            case,
            signers: self
                .input
                .signers
                .iter()
                .copied()
                .zip(self.bindings.iter().copied())
                .collect(),
            rulebook: Digest(self.world.law.digest()),
            engine: ENGINE,
            sender_number: self.sender_number(),
            in_reply_to: self.thread.answered.map(|answered| answered.row.index),
            thread: self.thread.root,
            replaces: document.replaces.clone(),
            places: PLACES
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), document.place(name)?.clone())))
                .collect(),
            unique: outcome.unique,
            supervisors: supervisors.clone(),
            notice: self.notice(),
        };
        let effects = self.effects(outcome, supervisors);
        let record = Record { kind: Kind::Document(Box::new(taken)), effects };
        Decided { record, known: Vec::new(), link }
    }

    fn effects(&self, outcome: Outcome, supervisors: BTreeSet<AgencyCode>) -> Vec<RuledEffect> {
        let hub = |effect| RuledEffect {
            rule: format!("hub/{}", self.input.document.kind),
            articles: self.table.articles.clone(),
            effect,
        };
        let mut effects = Vec::new();
        if let Some(found) = &outcome.found {
            let case = found.reference;
            if found.opens {
                effects.push(hub(Effect::CaseOpened { case }));
            }
            let sets = found.sets.iter().cloned();
            effects.extend(sets.map(|set| hub(Effect::CaseSet { case, set })));
        }
        for (addressee, (agency, number, copy)) in
            outcome.route.addressees.iter().zip(outcome.deliveries)
        {
            effects.push(RuledEffect {
                rule: addressee.rule.clone(),
                articles: addressee.articles.clone(),
                effect: Effect::DeliveryOpened {
                    agency,
                    copy,
                    number,
                    in_lieu: addressee.in_lieu,
                    carries: addressee.carries.clone(),
                },
            });
        }
        effects.extend(outcome.duties);
        if let (Some(found), Some(stepped)) = (&outcome.found, outcome.stepped) {
            let Stepped { step, change, .. } = stepped;
            let custody = Effect::Custody { case: found.reference, step, change };
            let articles = self.table.base.articles.clone();
            effects.push(RuledEffect { articles, ..hub(custody) });
        }
        let case = outcome.found.as_ref().map(|found| found.reference);
        let flagged = !outcome.flags.is_empty();
        for flag in outcome.flags {
            effects.push(RuledEffect {
                rule: flag.rule,
                articles: flag.articles,
                effect: Effect::Contradiction { case, what: flag.what },
            });
        }
        if flagged && !supervisors.is_empty() {
            effects
                .push(hub(Effect::NoticeOwed { notice: Notice::Contradiction, to: supervisors }));
        }
        effects
    }

    fn sender_number(&self) -> SenderNumber {
        match self.view.get(&Key::Sender(self.input.document.sender.clone())) {
            Some(Row::Sender(number)) => number.next(),
            _ => SenderNumber(1),
        }
    }

    /// The procuratorates that supervise sender, addressees and whoever answers for the person.
    fn supervisors(&self, outcome: &Outcome) -> BTreeSet<AgencyCode> {
        let responsible = outcome.found.as_ref().and_then(|found| {
            let answers = found.case.custody.answers.as_ref();
            answers.or(found.case.roles.get(&Role::ResponsibleAgency))
        });
        outcome
            .deliveries
            .iter()
            .map(|(agency, _, _)| agency)
            .chain([&self.input.document.sender])
            .chain(responsible)
            .filter_map(|code| supervisor(self.world.directory, code).cloned())
            .collect()
    }

    /// For a notice of the hub: what it tells of.
    fn notice(&self) -> Option<(LedgerIndex, Notice)> {
        let answered = self.input.notice?;
        let sender = self.world.directory.agency(&self.input.document.sender)?;
        (sender.kind == AgencyKind::Hub).then_some(answered)
    }
}
