//! Operators (运维人员) change the directory: who there is, and whose key is whose.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use super::{Decided, Decision, World};
use crate::domain::agency::{Agency, Certificate, Kind as AgencyKind, Purpose, System};
use crate::domain::record::{DirectoryChanged, Effect, Kind, Record, RuledEffect, Signed};
use crate::domain::state::{Key, Row, View};
use crate::ids::{AgencyCode, Digest, DocumentId, LedgerIndex, OperatorName, SystemCode, Time};
use crate::limits;
use crate::refusal::{Reason, Refusal, Violation};

/// A signed change to decide about.
#[derive(Debug, Clone)]
pub struct DirectoryInput {
    /// The change's id, made by the operator: a change is made once.
    pub id: DocumentId,
    /// What is changed, in order.
    pub changes: Vec<Change>,
    /// The change as signed, its signatures verified.
    pub statement: Signed,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An agency is added or changed.
    PutAgency(Box<Agency>),
    /// A system is added or changed.
    PutSystem(Box<System>),
    /// A certificate is registered.
    RegisterCertificate(Box<Certificate>),
    /// A certificate is revoked.
    RevokeCertificate {
        /// Which.
        digest: Digest,
        /// Since when its key may have been in wrong hands.
        compromised_since: Option<Time>,
    },
    /// An agency is suspended, or takes part again.
    SuspendAgency(AgencyCode, bool),
    /// A system is suspended, or takes part again.
    SuspendSystem(SystemCode, bool),
    /// Rulebooks (规则) are put in force: the digest over rulebooks, divisions and calendar.
    ActivateRulebooks(Digest),
}

impl Change {
    /// Whether one operator's word is enough: what stops harm must not wait.
    fn is_urgent(&self) -> bool {
        matches!(
            self,
            Self::RevokeCertificate { .. }
                | Self::SuspendAgency(_, true)
                | Self::SuspendSystem(_, true)
        )
    }
}

pub(super) fn decide(
    view: &View<'_>,
    world: &World<'_>,
    input: &DirectoryInput,
) -> Result<Decision, Refusal> {
    if let Some(Row::Change(index, payload)) = view.get(&Key::Change(input.id)) {
        return if *payload == digest(&input.statement.payload) {
            Ok(Decision::Known(vec![*index]))
        } else {
            Err(Violation::new(Reason::DocumentIdReused, "change_id").into())
        };
    }
    if input.changes.is_empty() || input.changes.len() > limits::DIRECTORY_CHANGES {
        return Err(Violation::new(Reason::TooLarge, "changes").into());
    }
    let (operators, bindings) = operators(world, &input.statement)?;
    let quorum = match view.get(&Key::Hub) {
        Some(Row::Hub(hub)) => hub.quorum,
        _ => 1,
    };
    let signed: BTreeSet<&OperatorName> = operators.iter().collect();
    let needs_quorum = !input.changes.iter().all(Change::is_urgent);
    if needs_quorum && signed.len() < quorum as usize {
        return Err(Violation::new(Reason::SignatureMissing, "signatures")
            .help(format!("{quorum} operators must sign this change"))
            .into());
    }
    let mut violations = Vec::new();
    let new_agencies: BTreeSet<&AgencyCode> = input
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::PutAgency(agency) => Some(&agency.code),
            _ => None,
        })
        .collect();
    let new_systems: BTreeSet<&SystemCode> = input
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::PutSystem(system) => Some(&system.code),
            _ => None,
        })
        .collect();
    let check = Check { world, new_agencies, new_systems };
    for (place, change) in input.changes.iter().enumerate() {
        if let Err(help) = check.change(change) {
            let field = format!("changes[{place}]");
            violations.push(Violation::new(Reason::DirectoryUnfit, field).help(help));
        }
    }
    if let Some(refusal) = Refusal::of(violations) {
        return Err(refusal);
    }
    let effects = input.changes.iter().map(|change| RuledEffect {
        rule: "hub/directory".to_owned(),
        articles: Vec::new(),
        effect: effect(world, change),
    });
    let record = Record {
        effects: effects.collect(),
        kind: Kind::Directory(DirectoryChanged {
            id: input.id,
            operators,
            statement: Signed { bindings, ..input.statement.clone() },
        }),
    };
    Ok(Decision::Record(Box::new(Decided { record, flagged: None, known: Vec::new(), link: None })))
}

/// SHA-256 of a change's bytes: a change is made once, and another under its id is refused.
pub(in crate::domain) fn digest(payload: &[u8]) -> Digest {
    Digest(Sha256::digest(payload).into())
}

fn operators(
    world: &World<'_>,
    statement: &Signed,
) -> Result<(Vec<OperatorName>, Vec<LedgerIndex>), Refusal> {
    let count = statement.signatures.len();
    if count == 0 || count > limits::SIGNATURES {
        return Err(Violation::new(Reason::SignatureMissing, "signatures").into());
    }
    let mut operators = Vec::new();
    let mut bindings = Vec::new();
    for (place, signature) in statement.signatures.iter().enumerate() {
        let certificate = world.directory.certificate(&signature.certificate);
        match certificate.filter(|c| c.is_live(world.time)).map(|c| (&c.purpose, c.binding)) {
            Some((Purpose::Operator(name), binding)) => {
                operators.push(name.clone());
                bindings.push(binding);
            }
            _ => {
                let field = format!("signatures[{place}]");
                return Err(Violation::new(Reason::SignerUnknown, field).into());
            }
        }
    }
    Ok((operators, bindings))
}

struct Check<'c, 'a> {
    world: &'c World<'a>,
    new_agencies: BTreeSet<&'c AgencyCode>,
    new_systems: BTreeSet<&'c SystemCode>,
}

impl Check<'_, '_> {
    fn change(&self, change: &Change) -> Result<(), String> {
        match change {
            Change::PutAgency(agency) => self.agency(agency),
            Change::PutSystem(system) => self.system(system),
            Change::RegisterCertificate(certificate) => self.certificate(certificate),
            Change::RevokeCertificate { digest, .. } => {
                let known = self.world.directory.certificate(digest);
                match known {
                    None => Err("no such certificate is registered".to_owned()),
                    Some(c) if c.revoked.is_some() => Err("it is revoked already".to_owned()),
                    Some(_) => Ok(()),
                }
            }
            Change::SuspendAgency(code, _) => {
                let agency = self.world.directory.agency(code);
                if agency.is_some_and(|agency| agency.kind == AgencyKind::Hub) {
                    return Err("the hub's own agency is not the operators' to change".to_owned());
                }
                self.known_agency(code)
            }
            Change::SuspendSystem(code, _) => self.known_system(code),
            // Whether their text is at hand is the hub's to know.
            Change::ActivateRulebooks(_) => Ok(()),
        }
    }

    fn agency(&self, agency: &Agency) -> Result<(), String> {
        if agency.name.is_empty() || agency.name.chars().count() > 200 {
            return Err("name must have 1 to 200 characters".to_owned());
        }
        let old = self.world.directory.agency(&agency.code);
        if agency.kind == AgencyKind::Hub || old.is_some_and(|old| old.kind == AgencyKind::Hub) {
            return Err("the hub's own agency is not the operators' to change".to_owned());
        }
        if old.is_some_and(|old| old.kind != agency.kind) {
            return Err("an agency's kind never changes; codes are never reused".to_owned());
        }
        for place in &agency.serves {
            if self.world.divisions.get(place).is_none() {
                return Err(format!("serves names an unknown division: {place}"));
            }
        }
        let links = [&agency.parent, &agency.supervised_by, &agency.successor];
        for link in links.into_iter().flatten() {
            self.known_agency(link)?;
            if *link == agency.code {
                return Err("an agency can't be linked to itself".to_owned());
            }
        }
        if let Some(successor) = &agency.successor {
            let directory = self.world.directory;
            if directory.agency(successor).is_some_and(|heir| heir.kind != agency.kind) {
                return Err("only an agency of the same kind can take its place".to_owned());
            }
            if directory.successor(successor) == &agency.code {
                return Err("its successor would lead back to it".to_owned());
            }
        }
        Ok(())
    }

    fn system(&self, system: &System) -> Result<(), String> {
        if system.agencies.len() > limits::AGENCIES_PER_SYSTEM {
            return Err(format!("carries more than {} agencies", limits::AGENCIES_PER_SYSTEM));
        }
        system.agencies.keys().try_for_each(|code| self.known_agency(code))
    }

    fn certificate(&self, certificate: &Certificate) -> Result<(), String> {
        if self.world.directory.certificate(&certificate.digest).is_some() {
            return Err("this certificate is registered already".to_owned());
        }
        if certificate.valid_until <= certificate.valid_from {
            return Err("it ends before it begins".to_owned());
        }
        match &certificate.purpose {
            Purpose::Transport(system) => self.known_system(system)?,
            Purpose::Document(agency) | Purpose::Acknowledgement(agency) => {
                self.known_agency(agency)?;
            }
            Purpose::Operator(_) => {}
        }
        let same = self.world.directory.certificates_for(&certificate.purpose);
        let live = same.filter(|c| c.is_live(self.world.time)).count();
        if live >= limits::CERTIFICATES_PER_AGENCY {
            return Err(format!("has {live} live certificates for this purpose already"));
        }
        Ok(())
    }

    fn known_agency(&self, code: &AgencyCode) -> Result<(), String> {
        let known = self.new_agencies.contains(code) || self.world.directory.agency(code).is_some();
        known.then_some(()).ok_or_else(|| format!("no agency {code}"))
    }

    fn known_system(&self, code: &SystemCode) -> Result<(), String> {
        let known = self.new_systems.contains(code) || self.world.directory.system(code).is_some();
        known.then_some(()).ok_or_else(|| format!("no system {code}"))
    }
}

fn effect(world: &World<'_>, change: &Change) -> Effect {
    match change {
        Change::PutAgency(agency) => {
            // Suspension is a change of its own: putting an agency neither ends nor begins it.
            let old = world.directory.agency(&agency.code);
            let suspended = old.is_some_and(|old| old.suspended);
            Effect::AgencyPut(Box::new(Agency { suspended, ..(**agency).clone() }))
        }
        Change::PutSystem(system) => {
            let old = world.directory.system(&system.code);
            let suspended = old.is_some_and(|old| old.suspended);
            Effect::SystemPut(Box::new(System { suspended, ..(**system).clone() }))
        }
        Change::RegisterCertificate(certificate) => Effect::CertificatePut(Box::new(Certificate {
            binding: world.index,
            revoked: None,
            ..(**certificate).clone()
        })),
        Change::RevokeCertificate { digest, compromised_since } => {
            Effect::CertificateRevoked { digest: *digest, compromised_since: *compromised_since }
        }
        Change::SuspendAgency(agency, suspended) => {
            Effect::AgencySuspended { agency: agency.clone(), suspended: *suspended }
        }
        Change::SuspendSystem(system, suspended) => {
            Effect::SystemSuspended { system: system.clone(), suspended: *suspended }
        }
        Change::ActivateRulebooks(digest) => Effect::RulebookActivated { digest: *digest },
    }
}
