//! Operators (运维人员) change the directory: who there is, and whose key is whose.

use std::collections::BTreeSet;
use std::iter;

use sha2::{Digest as _, Sha256};

use super::{Decided, Decision, World};
use crate::domain::agency::{Agency, Certificate, Kind as AgencyKind, Purpose, Revocation, System};
use crate::domain::directory::Directory;
use crate::domain::explain::Phrase;
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
    Ok(Decision::Record(Box::new(Decided { record, flagged: None, known: Vec::new(), link: None })))
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
    let english = format!("{quorum} operators must sign this change");
    let missing = Violation::new(Reason::SignatureMissing, "signatures");
    Err(missing.help_in(english, format!("此项变更须由{quorum}名运维签署")))
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
            let unfit = Violation::new(Reason::DirectoryUnfit, field);
            violations.push(unfit.help_in(help.english, help.chinese));
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
    fn change(&self, change: &Change) -> Result<(), Phrase> {
        match change {
            Change::PutAgency(agency) => self.agency(agency),
            Change::PutSystem(system) => self.system(system),
            Change::RegisterCertificate(certificate) => self.certificate(certificate),
            Change::RevokeCertificate { digest, .. } => match self.before.certificate(digest) {
                None => Err(Phrase::new("no such certificate is registered", "该证书未登记")),
                Some(c) if c.revoked.is_some() => {
                    Err(Phrase::new("it is revoked already", "该证书已吊销"))
                }
                Some(_) => Ok(()),
            },
            Change::SuspendAgency(code, _) => {
                let agency = self.before.agency(code).ok_or_else(|| no_agency(code))?;
                if agency.kind == AgencyKind::Hub {
                    return Err(Phrase::new(
                        "the hub's own agency is not the operators' to change",
                        "平台自身的单位不由运维变更",
                    ));
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

    fn agency(&self, agency: &Agency) -> Result<(), Phrase> {
        if agency.name.is_empty() || agency.name.chars().count() > 200 {
            return Err(Phrase::new("name must have 1 to 200 characters", "名称须为1至200字"));
        }
        let old = self.before.agency(&agency.code);
        if agency.kind == AgencyKind::Hub || old.is_some_and(|old| old.kind == AgencyKind::Hub) {
            return Err(Phrase::new(
                "the hub's own agency is not the operators' to change",
                "平台自身的单位不由运维变更",
            ));
        }
        if old.is_some_and(|old| old.kind != agency.kind) {
            return Err(Phrase::new(
                "an agency's kind never changes; codes are never reused",
                "单位类别不得变更，代码不得重复使用",
            ));
        }
        for place in &agency.serves {
            if self.world.divisions.get(place).is_none() {
                return Err(Phrase::new(
                    format!("serves names an unknown division: {place}"),
                    format!("服务区域（serves）中没有此区划代码：{place}"),
                ));
            }
        }
        let links = [&agency.parent, &agency.supervised_by, &agency.successor];
        for link in links.into_iter().flatten() {
            self.known_agency(link)?;
            if *link == agency.code {
                return Err(Phrase::new("an agency can't be linked to itself", "单位不得关联自身"));
            }
        }
        let supervisor = agency.supervised_by.as_ref().and_then(|code| self.after.agency(code));
        if supervisor.is_some_and(|supervisor| supervisor.kind != AgencyKind::Procuratorate) {
            return Err(Phrase::new(
                "only a procuratorate supervises",
                "法律监督单位须为人民检察院",
            ));
        }
        let heir = agency.successor.as_ref().and_then(|heir| self.after.agency(heir));
        if heir.is_some_and(|heir| heir.kind != agency.kind) {
            return Err(Phrase::new(
                "only an agency of the same kind can take its place",
                "承继单位须为同类单位",
            ));
        }
        if self.leads_back(agency, |above| above.parent.as_ref()) {
            return Err(Phrase::new("its superior would lead back to it", "上级关系形成循环"));
        }
        if self.leads_back(agency, |heir| heir.successor.as_ref()) {
            return Err(Phrase::new("its successor would lead back to it", "承继关系形成循环"));
        }
        Ok(())
    }

    /// Whether following a link from an agency would end in itself. A ring of others, refused before,
    /// ends nowhere.
    fn leads_back(&self, agency: &Agency, link: impl Fn(&Agency) -> Option<&AgencyCode>) -> bool {
        let next = |code: &&AgencyCode| link(self.before.agency(code)?);
        let linked = iter::successors(link(agency), next);
        linked.take(self.before.agencies().count() + 1).any(|code| *code == agency.code)
    }

    fn system(&self, system: &System) -> Result<(), Phrase> {
        if system.agencies.len() > limits::AGENCIES_PER_SYSTEM {
            let most = limits::AGENCIES_PER_SYSTEM;
            return Err(Phrase::new(
                format!("carries more than {most} agencies"),
                format!("代办单位超过{most}个"),
            ));
        }
        system.agencies.keys().try_for_each(|code| self.known_agency(code))
    }

    fn certificate(&self, certificate: &Certificate) -> Result<(), Phrase> {
        if self.before.certificate(&certificate.digest).is_some() {
            return Err(Phrase::new("this certificate is registered already", "该证书已登记"));
        }
        if certificate.valid_until <= certificate.valid_from {
            return Err(Phrase::new("it ends before it begins", "有效期止日早于起日"));
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
            return Err(Phrase::new(
                format!("has {live} live certificates for this purpose already"),
                format!("此用途已有{live}份有效证书"),
            ));
        }
        Ok(())
    }

    fn known_agency(&self, code: &AgencyCode) -> Result<(), Phrase> {
        self.after.agency(code).map(drop).ok_or_else(|| no_agency(code))
    }

    fn known_system(&self, code: &SystemCode) -> Result<(), Phrase> {
        self.after.system(code).map(drop).ok_or_else(|| no_system(code))
    }
}

fn no_agency(code: &AgencyCode) -> Phrase {
    Phrase::new(format!("no agency {code}"), format!("没有单位{code}"))
}

fn no_system(code: &SystemCode) -> Phrase {
    Phrase::new(format!("no system {code}"), format!("没有接入系统{code}"))
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
