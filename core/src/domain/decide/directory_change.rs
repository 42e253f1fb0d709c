//! Operators (运维人员) change the directory: who there is, and whose key is whose.

use std::collections::BTreeSet;
use std::iter;

use sha2::{Digest as _, Sha256};

use super::{Decided, Decision, World};
use crate::domain::agency::{Agency, Certificate, Kind as AgencyKind, Purpose, Revocation, System};
use crate::domain::directory::Directory;
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
    check_quorum(view, &operators, &input.changes)?;
    let record = Record {
        effects: effects(world, &input.changes)?,
        kind: Kind::Directory(DirectoryChanged {
            id: input.id,
            operators,
            statement: Signed { bindings, ..input.statement.clone() },
        }),
    };
    Ok(Decision::Record(Box::new(Decided { record, known: Vec::new(), link: None })))
}

fn check_quorum(
    view: &View<'_>,
    operators: &[OperatorName],
    changes: &[Change],
) -> Result<(), Violation> {
    let quorum = match view.get(&Key::Hub) {
        Some(Row::Hub(hub)) => hub.quorum,
        _ => 1,
    };
    let signed: BTreeSet<&OperatorName> = operators.iter().collect();
    if changes.iter().all(Change::is_urgent) || signed.len() >= quorum as usize {
        return Ok(());
    }
    let help = format!("{quorum} operators must sign this change");
    Err(Violation::new(Reason::SignatureMissing, "signatures").help(help))
}

/// What the changes do, made one after another: each is checked against what those before it left.
fn effects(world: &World<'_>, changes: &[Change]) -> Result<Vec<RuledEffect>, Refusal> {
    let mut after = world.directory.clone();
    for change in changes {
        let effect = effect(world, &after, change);
        follow(&mut after, world, &effect);
    }
    let (mut before, mut effects) = (world.directory.clone(), Vec::with_capacity(changes.len()));
    let mut violations = Vec::new();
    for (place, change) in changes.iter().enumerate() {
        let check = Check { world, before: &before, after: &after };
        if let Err(help) = check.change(change) {
            let field = format!("changes[{place}]");
            violations.push(Violation::new(Reason::DirectoryUnfit, field).help(help));
        }
        let effect = effect(world, &before, change);
        follow(&mut before, world, &effect);
        effects.push(RuledEffect {
            rule: "hub/directory".to_owned(),
            articles: Vec::new(),
            effect,
        });
    }
    Refusal::of(violations).map_or(Ok(effects), Err)
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

/// One change among others.
struct Check<'c, 'a> {
    world: &'c World<'a>,
    /// The directory as those before it leave it.
    before: &'c Directory,
    /// The directory as all leave it: a link may point ahead.
    after: &'c Directory,
}

impl Check<'_, '_> {
    fn change(&self, change: &Change) -> Result<(), String> {
        match change {
            Change::PutAgency(agency) => self.agency(agency),
            Change::PutSystem(system) => self.system(system),
            Change::RegisterCertificate(certificate) => self.certificate(certificate),
            Change::RevokeCertificate { digest, .. } => match self.before.certificate(digest) {
                None => Err("no such certificate is registered".to_owned()),
                Some(c) if c.revoked.is_some() => Err("it is revoked already".to_owned()),
                Some(_) => Ok(()),
            },
            Change::SuspendAgency(code, _) => {
                let agency = self.before.agency(code).ok_or_else(|| no_agency(code))?;
                if agency.kind == AgencyKind::Hub {
                    return Err("the hub's own agency is not the operators' to change".to_owned());
                }
                Ok(())
            }
            Change::SuspendSystem(code, _) => {
                self.before.system(code).map(drop).ok_or_else(|| no_system(code))
            }
            // Whether their text is at hand is the hub's to know.
            Change::ActivateRulebooks(_) => Ok(()),
        }
    }

    fn agency(&self, agency: &Agency) -> Result<(), String> {
        if agency.name.is_empty() || agency.name.chars().count() > 200 {
            return Err("name must have 1 to 200 characters".to_owned());
        }
        let old = self.before.agency(&agency.code);
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
        let heir = agency.successor.as_ref().and_then(|heir| self.after.agency(heir));
        if heir.is_some_and(|heir| heir.kind != agency.kind) {
            return Err("only an agency of the same kind can take its place".to_owned());
        }
        if self.leads_back(agency) {
            return Err("its successor would lead back to it".to_owned());
        }
        Ok(())
    }

    /// Whether an agency's successors would end in itself. A ring of others, refused before, ends nowhere.
    fn leads_back(&self, agency: &Agency) -> bool {
        let next = |code: &&AgencyCode| self.before.agency(code)?.successor.as_ref();
        let heirs = iter::successors(agency.successor.as_ref(), next);
        heirs.take(self.before.agencies().count() + 1).any(|code| *code == agency.code)
    }

    fn system(&self, system: &System) -> Result<(), String> {
        if system.agencies.len() > limits::AGENCIES_PER_SYSTEM {
            return Err(format!("carries more than {} agencies", limits::AGENCIES_PER_SYSTEM));
        }
        system.agencies.keys().try_for_each(|code| self.known_agency(code))
    }

    fn certificate(&self, certificate: &Certificate) -> Result<(), String> {
        if self.before.certificate(&certificate.digest).is_some() {
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
        let same = self.before.certificates_for(&certificate.purpose);
        let live = same.filter(|c| c.is_live(self.world.time)).count();
        if live >= limits::CERTIFICATES_PER_AGENCY {
            return Err(format!("has {live} live certificates for this purpose already"));
        }
        Ok(())
    }

    fn known_agency(&self, code: &AgencyCode) -> Result<(), String> {
        self.after.agency(code).map(drop).ok_or_else(|| no_agency(code))
    }

    fn known_system(&self, code: &SystemCode) -> Result<(), String> {
        self.after.system(code).map(drop).ok_or_else(|| no_system(code))
    }
}

fn no_agency(code: &AgencyCode) -> String {
    format!("no agency {code}")
}

fn no_system(code: &SystemCode) -> String {
    format!("no system {code}")
}

/// What a change does to a directory.
fn effect(world: &World<'_>, directory: &Directory, change: &Change) -> Effect {
    match change {
        Change::PutAgency(agency) => {
            // Suspension is a change of its own: putting an agency neither ends nor begins it.
            let old = directory.agency(&agency.code);
            let suspended = old.is_some_and(|old| old.suspended);
            Effect::AgencyPut(Box::new(Agency { suspended, ..(**agency).clone() }))
        }
        Change::PutSystem(system) => {
            let old = directory.system(&system.code);
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

/// Makes an effect in a directory, as `apply` makes it in the state.
fn follow(directory: &mut Directory, world: &World<'_>, effect: &Effect) {
    match effect {
        Effect::AgencyPut(agency) => directory.put_agency((**agency).clone()),
        Effect::SystemPut(system) => directory.put_system((**system).clone()),
        Effect::CertificatePut(certificate) => directory.put_certificate((**certificate).clone()),
        Effect::CertificateRevoked { digest, compromised_since } => {
            if let Some(certificate) = directory.certificate(digest).cloned() {
                let (at, compromised_since) = (world.time, *compromised_since);
                let revoked = Some(Revocation { at, compromised_since });
                directory.put_certificate(Certificate { revoked, ..(*certificate).clone() });
            }
        }
        Effect::AgencySuspended { agency, suspended } => {
            if let Some(agency) = directory.agency(agency).cloned() {
                let suspended = *suspended;
                directory.put_agency(Agency { suspended, ..(*agency).clone() });
            }
        }
        Effect::SystemSuspended { system, suspended } => {
            if let Some(system) = directory.system(system).cloned() {
                let suspended = *suspended;
                directory.put_system(System { suspended, ..(*system).clone() });
            }
        }
        _ => {}
    }
}
