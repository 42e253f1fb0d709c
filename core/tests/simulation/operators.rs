//! Operators found the hub, merge agencies, and suspend them for a while.

use std::collections::BTreeSet;

use xianjie_core::domain::agency::{Agency, Certificate, Purpose};
use xianjie_core::domain::decide::{Change, Decision, DirectoryInput, Input};
use xianjie_core::domain::record::{Effect, Kind, Opened, Record, RuledEffect, Signature, Signed};
use xianjie_core::ids::{AgencyCode, DocumentId, Time};
use xianjie_core::limits::DIRECTORY_CHANGES;

use crate::agencies::{HUB, certificate, code, hub_agency};
use crate::simulation::{DAY, Event, Simulation};

/// The operator's name.
const OPERATOR: &str = "operator";

/// What merges: the kinds by the ends of their codes, and whether the heir is entered as serving the
/// places of the old agency, or its being the successor must do.
const MERGERS: &[(&str, bool)] =
    &[("corrections", true), ("corrections", false), ("police", true), ("court", false)];

impl Simulation {
    /// Record 0, and the directory.
    pub(crate) fn found(&mut self, agencies: Vec<Agency>) {
        let from = self.now();
        let operator = Purpose::Operator(OPERATOR.parse().unwrap());
        let effects = [
            Effect::AgencyPut(Box::new(hub_agency(from))),
            Effect::CertificatePut(Box::new(certificate(Purpose::Document(code(HUB))))),
            Effect::CertificatePut(Box::new(certificate(operator))),
        ];
        let ruled = |effect| RuledEffect { rule: String::new(), articles: Vec::new(), effect };
        let opened = Opened {
            origin: "hub.example/ledger/1".parse().unwrap(),
            checkpoint_key: String::new(),
            root_key: Vec::new(),
            quorum: 1,
        };
        let record = Record {
            kind: Kind::Opened(opened),
            effects: effects.into_iter().map(ruled).collect(),
        };
        self.decide(&Input::Noted(Box::new(record)), &BTreeSet::new()).unwrap();
        let certificates = agencies.iter().flat_map(|agency| certificates(&agency.code));
        let certificates: Vec<Change> =
            certificates.map(|it| Change::RegisterCertificate(Box::new(it))).collect();
        let puts: Vec<Change> =
            agencies.into_iter().map(|it| Change::PutAgency(Box::new(it))).collect();
        for changes in puts.chunks(DIRECTORY_CHANGES).chain(certificates.chunks(DIRECTORY_CHANGES))
        {
            self.change(changes.to_vec());
        }
    }

    /// Two neighbours of a kind become one.
    pub(crate) fn merge(&mut self) {
        let (end, with_seats) = *self.dice.one_of(MERGERS);
        let (from, to) = loop {
            let counties = &self.agencies.counties;
            let (one, other) =
                (self.dice.one_of(counties).clone(), self.dice.one_of(counties).clone());
            if one != other {
                break (self.agencies.at(&one, end), self.agencies.at(&other, end));
            }
        };
        let free = |code: &AgencyCode| !self.agencies.suspended.contains(code);
        if from == to || !free(&from) || !free(&to) {
            return;
        }
        let agency = |code: &AgencyCode| (**self.hub.directory.agency(code).unwrap()).clone();
        let (mut old, mut heir) = (agency(&from), agency(&to));
        let mut changes = Vec::new();
        if with_seats {
            heir.serves.extend(old.serves.iter().cloned());
            changes.push(Change::PutAgency(Box::new(heir)));
        }
        old.successor = Some(to.clone());
        changes.push(Change::PutAgency(Box::new(old)));
        self.agencies.merge(&from, &to, with_seats);
        self.change(changes);
        self.counts.one("directory", "merged");
    }

    /// An agency is shut out, and comes back after days.
    pub(crate) fn suspend(&mut self) {
        let end = *self.dice.one_of(&["corrections", "police", "court"]);
        let county = self.dice.one_of(&self.agencies.counties).clone();
        let agency = self.agencies.at(&county, end);
        if !self.agencies.suspended.insert(agency.clone()) {
            return;
        }
        self.change(vec![Change::SuspendAgency(agency.clone(), true)]);
        self.counts.one("directory", "suspended");
        let back = Time(self.now().0 + self.dice.between(2, 25) * DAY);
        self.at(back, Event::Resume(agency));
    }

    /// A suspended agency comes back.
    pub(crate) fn resume(&mut self, agency: &AgencyCode) {
        self.agencies.suspended.remove(agency);
        self.change(vec![Change::SuspendAgency(agency.clone(), false)]);
        self.counts.one("directory", "came back");
    }

    fn change(&mut self, changes: Vec<Change>) {
        let operator = certificate(Purpose::Operator(OPERATOR.parse().unwrap()));
        let signature = Signature { algorithm: 1, certificate: operator.digest, value: Vec::new() };
        let input = Input::Directory(Box::new(DirectoryInput {
            id: DocumentId(self.dice.bytes()),
            changes,
            statement: Signed { signatures: vec![signature], ..Signed::default() },
        }));
        let decision = self.decide(&input, &BTreeSet::new()).unwrap();
        assert!(matches!(decision, Decision::Record(_)));
        let again = self.hub.decide(&input).unwrap();
        assert!(matches!(again, Decision::Known(_)), "a change was made twice");
    }
}

fn certificates(agency: &AgencyCode) -> [Certificate; 2] {
    [Purpose::Document(agency.clone()), Purpose::Acknowledgement(agency.clone())].map(certificate)
}
