//! A document, from its sender's entitlement to its record.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::case::{self, Found};
use super::custody::{self, Stepped};
use super::duties::{self, Act, Opening};
use super::routing::{self, Route};
use super::tests_of_law::{self, Flag, Flagged, Standing};
use super::thread::{self, Thread};
use super::{Decision, DocumentInput, World, plausible, service, signers, withdrawal};
use crate::domain::agency::{Agency, Kind as AgencyKind, Purpose};
use crate::domain::custody::Step;
use crate::domain::document::Document;
use crate::domain::duty::Duty;
use crate::domain::record::{CaseSet, Effect, RuledEffect};
use crate::domain::relation::Scene;
use crate::domain::role::Role;
use crate::domain::rulebook::{Class, SenderKind, Sets, Table};
use crate::domain::state::{Case, Key, Range, Row, View};
use crate::domain::term::shanghai_date;
use crate::ids::{
    AgencyCode, CaseRef, Digest, DocumentRef, DocumentType, DutyId, InboxNumber, LedgerIndex,
};
use crate::refusal::{Reason, Refusal, Violation};

mod foresight;
mod making;

pub use foresight::{check_form, check_signers, finds_person, foresee};

/// The field that names agencies where the law leaves a choice.
const CHOSEN: &str = "chosen_agencies";

pub(super) fn decide(
    view: &View<'_>,
    world: &World<'_>,
    input: &DocumentInput,
) -> Result<Decision, Refusal> {
    if let Some(known) = known(view, world, input)? {
        return Ok(known);
    }
    let sender = sender(world, &input.document)?;
    let bindings = signers::bindings(world, &sender.code, &input.signers, Purpose::Document)?;
    take(view, world, input, bindings)
}

fn take(
    view: &View<'_>,
    world: &World<'_>,
    input: &DocumentInput,
    bindings: Vec<LedgerIndex>,
) -> Result<Decision, Refusal> {
    let document = &input.document;
    let table = rule(world, document)?;
    let mut violations = missing_fields(document, table);
    service::check(world, document, table, &mut violations);
    let thread = thread::find(view, world, document, table, &mut violations);
    let found = case::find(view, world, input, table, &thread, &mut violations);
    if let Some(replaced) = thread.replaced
        && replaced.case != found.as_ref().map(|found| found.reference)
    {
        violations.push(Violation::new(Reason::ReplacesNothing, "replaces"));
    }
    if let Some(refusal) = Refusal::of(std::mem::take(&mut violations)) {
        return Err(refusal);
    }
    let reference = reference(document);
    let pipeline = Pipeline { view, world, input, table, thread, reference, bindings };
    pipeline.run(found)
}

fn reference(document: &Document) -> DocumentRef {
    DocumentRef { sender: document.sender.clone(), id: document.id }
}

fn sender<'w>(world: &World<'w>, document: &Document) -> Result<&'w Agency, Violation> {
    let sender = world.directory.agency(&document.sender);
    sender
        .filter(|agency| agency.is_active(world.time))
        .map(|agency| &**agency)
        .ok_or_else(|| Violation::new(Reason::UnknownSender, "sender"))
}

/// The rule for a document on its day, if its sender may send it.
fn rule<'w>(world: &World<'w>, document: &Document) -> Result<&'w Table, Violation> {
    let sender = sender(world, document)?;
    let table = table(world, document).ok_or(Violation::new(Reason::UnknownType, "body"))?;
    if table.senders.iter().any(|kind| admits(kind, sender)) {
        return Ok(table);
    }
    Err(Violation::new(Reason::WrongRole, "sender").articles(&table.articles))
}

fn table<'w>(world: &World<'w>, document: &Document) -> Option<&'w Table> {
    let day = law_of(document).unwrap_or_else(|| shanghai_date(world.time.0));
    world.law.on(day).table(&document.kind)
}

/// The day whose law a document falls under: that of its decision, or on which the decision takes effect
/// (生效之日), for what must be done with it runs from there. None, where it is no decision's own paper:
/// that of the commit.
#[must_use]
pub fn law_of(document: &Document) -> Option<Date> {
    let decided = document.date("decision_date")?;
    Some(document.date("effective_date").unwrap_or(decided))
}

/// A known id with the same bytes is the same record, whatever the rules of today; with other bytes
/// it is refused (P2).
fn known(
    view: &View<'_>,
    world: &World<'_>,
    input: &DocumentInput,
) -> Result<Option<Decision>, Refusal> {
    let Some(row) = thread::row(view, &reference(&input.document)) else { return Ok(None) };
    let Some(entry) = view.entry(row.index) else { return Ok(None) };
    let same =
        (world.commit_document)(&entry.document_salt, &input.document.digest) == row.commitment;
    if same {
        return Ok(Some(Decision::Known(vec![row.index])));
    }
    Err(Violation::new(Reason::DocumentIdReused, "document_id").into())
}

/// Whether an agency may send what `kind` admits.
#[must_use]
pub fn admits(kind: &SenderKind, agency: &Agency) -> bool {
    if kind.kinds.is_empty() {
        return agency.kind != AgencyKind::Hub;
    }
    let level_fits = kind
        .level
        .is_none_or(|level| agency.acts_at(level) || (kind.or_above && agency.level >= level));
    kind.kinds.contains(&agency.kind) && level_fits
}

fn missing_fields(document: &Document, table: &Table) -> Vec<Violation> {
    let mut violations: Vec<Violation> = table
        .required
        .iter()
        .filter(|path| !document.present.contains(*path))
        .map(|path| Violation::new(Reason::Required, path.as_str()).articles(&table.articles))
        .collect();
    let base = &table.base;
    if !base.outcomes.is_empty() {
        match document.word("outcome") {
            Some(outcome) if base.outcomes.contains(&outcome) => {}
            Some(_) => violations.push(Violation::new(Reason::Format, "outcome").help_in(
                format!("one of: {}", base.outcomes.join(", ")),
                format!("须为下列之一：{}", base.outcomes.join("、")),
            )),
            None => violations
                .push(Violation::new(Reason::Required, "outcome").articles(&table.articles)),
        }
    }
    violations
}

/// A duty ends once, by the first that ends it.
fn ends_once(effects: &mut Vec<RuledEffect>) {
    let mut ended = BTreeSet::new();
    effects.retain(|ruled| match ruled.effect {
        Effect::DutyClosed { duty, .. } => ended.insert(duty),
        _ => true,
    });
}

struct Pipeline<'p, 'a> {
    view: &'p View<'a>,
    world: &'p World<'a>,
    input: &'p DocumentInput,
    table: &'p Table,
    thread: Thread<'p>,
    reference: DocumentRef,
    bindings: Vec<LedgerIndex>,
}

/// The outcome of the stages, before it becomes a record.
struct Outcome {
    found: Option<Found>,
    /// The document is none of that case's.
    outside: bool,
    route: Route,
    deliveries: Vec<(AgencyCode, InboxNumber, bool)>,
    stepped: Option<Stepped>,
    flags: Vec<Flag>,
    duties: Vec<RuledEffect>,
    unique: Option<Digest>,
}

impl Outcome {
    /// Of a document that stands outside its case: it is delivered and flagged.
    fn outside(
        found: Option<Found>,
        deliveries: Vec<(AgencyCode, InboxNumber, bool)>,
        route: Route,
        flags: Vec<Flag>,
    ) -> Self {
        let (stepped, duties, unique) = (None, Vec::new(), None);
        Self { found, outside: true, route, deliveries, stepped, flags, duties, unique }
    }
}

impl Pipeline<'_, '_> {
    fn run(self, found: Option<Found>) -> Result<Decision, Refusal> {
        let mut violations = Vec::new();
        let outcome = self.stages(found, &mut violations);
        // Whoever is told of no case is told of nothing that is in it (P7).
        if violations.iter().any(|violation| violation.reason == Reason::NoCase) {
            violations.retain(|violation| violation.reason == Reason::NoCase);
        }
        self.tidy(&mut violations);
        if let Some(refusal) = Refusal::of(violations) {
            return Err(refusal);
        }
        Ok(Decision::Record(Box::new(self.record(outcome))))
    }

    /// Several rules may stumble over one thing: it is told once. That the addressee is unknown, who
    /// must be named or does not exist, follows from what is told already. What is filled in and leads nowhere
    /// is not missing: no division of today has that code.
    fn tidy(&self, violations: &mut Vec<Violation>) {
        let follows = |v: &Violation| v.reason == Reason::RoleUnknown && v.field == CHOSEN;
        if !violations.iter().all(follows) {
            violations.retain(|violation| !follows(violation));
        }
        let mut told: Vec<Violation> = Vec::with_capacity(violations.len());
        for mut violation in violations.drain(..) {
            let filled = self.input.document.present.contains(&violation.field);
            if violation.reason == Reason::Required && filled {
                violation.reason = Reason::NoAgency;
                let place = std::mem::take(&mut violation.help_zh);
                violation = violation.help_in(
                    "no division of today has this code",
                    format!("{place}：现无此区划代码"),
                );
            }
            let same = |other: &&mut Violation| {
                (&other.field, other.reason, &other.help)
                    == (&violation.field, violation.reason, &violation.help)
            };
            match told.iter_mut().find(same) {
                Some(known) => {
                    violation.articles.retain(|article| !known.articles.contains(article));
                    known.articles.extend(violation.articles);
                }
                None => told.push(violation),
            }
        }
        *violations = told;
    }

    fn stages(&self, mut found: Option<Found>, violations: &mut Vec<Violation>) -> Outcome {
        let case = found.as_ref().map(|found| found.reference);
        let owed = self.owed(found.as_ref());
        let open = duties::open_documents(self.view, &owed);
        let before = found.as_ref().map(|found| found.case.clone());
        if let Some(found) = &mut found {
            self.set_facts(found, violations);
        }
        let frozen = found.as_ref().map(|found| found.case.clone());
        let mut scene = self.scene(frozen.as_ref(), open);
        let route = self.route(&mut scene, violations);
        let Flagged { mut flags, outside } = tests_of_law::run(
            self.view,
            self.world,
            &scene,
            self.table,
            &Standing {
                case: found.as_ref(),
                before: before.as_ref(),
                thread: &self.thread,
                owed: &owed,
            },
            violations,
        );
        if outside {
            return Outcome::outside(found, self.number(&route), route, flags);
        }
        let step = custody::step_of(self.table, &self.input.document, &self.thread);
        if let Some(found) = &mut found {
            self.set_chosen(found, &route);
        }
        let stepped = self.step(&scene, found.as_mut(), step, &owed, violations);
        let after = found.as_ref().map(|found| found.case.clone());
        let scene = Scene { case: after.as_ref(), ..scene };
        let deliveries = self.number(&route);
        let taken = stepped.as_ref();
        let duties = self.duties(&scene, found.as_ref(), &deliveries, &owed, taken, violations);
        flags.extend(self.case_flags(found.as_ref(), stepped.as_ref()));
        flags.extend(plausible::flags(
            &self.input.document,
            self.table,
            frozen.as_ref(),
            &owed,
            step,
            self.world.time,
        ));
        flags.extend(plausible::extension(&self.input.document, &owed, &duties));
        let unique = self.unique(case, violations);
        Outcome { found, outside, route, deliveries, stepped, flags, duties, unique }
    }

    fn scene<'s>(
        &'s self,
        case: Option<&'s Case>,
        open: BTreeMap<DocumentType, (AgencyCode, AgencyCode)>,
    ) -> Scene<'s> {
        Scene {
            directory: self.world.directory,
            divisions: self.world.divisions,
            time: self.world.time,
            document: &self.input.document,
            answered: self.thread.answered,
            case,
            addressee: None,
            proposer: thread::proposer(self.view, self.table, &self.thread),
            given: BTreeMap::new(),
            open,
        }
    }

    /// To whom it goes; the scene knows its addressee and the roles that it gives from here on.
    fn route(&self, scene: &mut Scene<'_>, violations: &mut Vec<Violation>) -> Route {
        let mut route = routing::route(scene, self.table, violations);
        if let Some(old) = self.thread.replaced {
            route.add_old(scene, old, &self.table.articles);
        }
        scene.addressee =
            route.addressees.iter().find(|a| !a.copy).map(|first| first.agency.clone());
        scene.given = route.roles.clone();
        if violations.is_empty() {
            // Who may send may hang on the addressee, and there is none.
            self.check_sender(scene, violations);
        }
        if violations.is_empty() {
            self.check_addressee(scene, &route, violations);
        }
        route
    }

    /// The duties that the document may touch: those of its case, and those of a thread that began
    /// before there was a case, such as a proposal that it decides on.
    fn owed(&self, found: Option<&Found>) -> Vec<(DutyId, &Duty)> {
        let case = found.filter(|found| !found.opens).map(|found| found.reference);
        let of_case = case.map(|case| duties::owed(self.view, Range::OwedInCase(case)));
        let earlier = self.thread.answered.map(|answered| answered.row).or(self.thread.replaced);
        let of_thread = earlier
            .filter(|earlier| earlier.case.is_none())
            .map(|_| duties::owed(self.view, Range::OwedInThread(self.thread.root)));
        of_case.into_iter().chain(of_thread).flatten().collect()
    }

    /// What the rulebook lets the document set in its case, from its own fields.
    fn set_facts(&self, found: &mut Found, violations: &mut Vec<Violation>) {
        let document = &self.input.document;
        for sets in &self.table.sets {
            match sets {
                Sets::Role(role) => {
                    if let Some(agency) = document.agency(&role.field()) {
                        if !self.may_hold(*role, agency) {
                            let unfit = Violation::new(Reason::ChoiceUnfit, role.field());
                            violations.push(unfit.articles(&self.table.articles));
                        }
                        found.set(CaseSet::Role(*role, Some(agency.clone())));
                    }
                }
                Sets::TermExpiry => {
                    if let Some(date) = document.date("term_expiry_date") {
                        found.set(CaseSet::TermExpiry(date));
                    }
                }
            }
        }
        let counts = self.table.base.counts.as_ref();
        if let Some(word) = counts.and_then(|field| document.word(field)) {
            found.set(CaseSet::Count(word));
        }
    }

    /// Whether an agency may hold that role: who merely orders that a person be held doesn't hold them.
    fn may_hold(&self, role: Role, agency: &AgencyCode) -> bool {
        let agency = self.world.directory.agency(agency);
        agency.is_some_and(|agency| self.world.law.custody().may_hold(role, agency.kind))
    }

    /// Somebody must get what is more than a record, and nobody is their own addressee. But whoever asked may
    /// have been merged into whoever answers: the answer is recorded and goes to nobody.
    fn check_addressee(&self, scene: &Scene<'_>, route: &Route, violations: &mut Vec<Violation>) {
        let answers_itself = route.to_itself && scene.answered.is_some();
        let is_record = self.table.base.class == Class::Record;
        if scene.addressee.is_none() && !is_record && !answers_itself {
            violations.push(
                Violation::new(Reason::NoAgency, "")
                    .help_in("nobody but the sender is left", "除发送单位外没有受送达单位")
                    .articles(&self.table.articles),
            );
        }
    }

    fn check_sender(&self, scene: &Scene<'_>, violations: &mut Vec<Violation>) {
        let base = &self.table.base;
        let sender = &self.input.document.sender;
        if base.sender_is.is_empty() || base.sender_is.iter().any(|who| scene.fits(sender, who)) {
            return;
        }
        let entitled = routing::any_of(&base.sender_is);
        let is_party = scene.case.is_none_or(|case| {
            case.parties.iter().any(|party| self.world.directory.stands_for(sender, party))
        });
        violations.push(if is_party {
            Violation::new(Reason::NotEntitled, "sender")
                .help_in(entitled.english, entitled.chinese)
                .articles(&self.table.articles)
        } else {
            Violation::new(Reason::NoCase, "subject")
        });
    }

    /// The roles that the rulebook lets the document's choices fill.
    fn set_chosen(&self, found: &mut Found, route: &Route) {
        for sets in &self.table.sets {
            if let Sets::Role(role) = sets
                && let Some(agency) = route.roles.get(role)
            {
                found.set(CaseSet::Role(*role, Some(agency.clone())));
            }
        }
    }

    fn step(
        &self,
        scene: &Scene<'_>,
        found: Option<&mut Found>,
        step: Option<Step>,
        owed: &[(DutyId, &Duty)],
        violations: &mut Vec<Violation>,
    ) -> Option<Stepped> {
        let (Some(step), Some(found)) = (step, found) else { return None };
        if self.thread.replaced.is_some() {
            return None;
        }
        let kind = &self.input.document.kind;
        let held_on = duties::another_stands(owed, self.thread.answered, kind);
        match custody::take(self.world.law.custody(), scene, found, self.table, step, held_on) {
            Ok(stepped) => Some(stepped),
            Err(violation) => {
                violations.push(violation);
                None
            }
        }
    }

    /// The addressees with their inbox numbers.
    fn number(&self, route: &Route) -> Vec<(AgencyCode, InboxNumber, bool)> {
        let next = |agency: &AgencyCode| match self.view.get(&Key::Inbox(agency.clone())) {
            Some(Row::Inbox(inbox)) => inbox.last.next(),
            _ => InboxNumber(1),
        };
        route
            .addressees
            .iter()
            .map(|addressee| (addressee.agency.clone(), next(&addressee.agency), addressee.copy))
            .collect()
    }

    fn duties(
        &self,
        scene: &Scene<'_>,
        found: Option<&Found>,
        deliveries: &[(AgencyCode, InboxNumber, bool)],
        owed: &[(DutyId, &Duty)],
        taken: Option<&Stepped>,
        violations: &mut Vec<Violation>,
    ) -> Vec<RuledEffect> {
        let kind = &self.input.document.kind;
        let step = custody::step_of(self.table, &self.input.document, &self.thread);
        let act = Act {
            world: self.world,
            scene,
            table: self.table,
            kind,
            thread: self.thread.root,
            new_expiry: found.and_then(Found::new_expiry),
            flagged: taken.is_some_and(|stepped| stepped.flagged),
        };
        let leaves_all = custody::leaves_all(self.table, step);
        let mut effects = if leaves_all { Vec::new() } else { act.touch(owed, violations) };
        let (view, world, table, thread) = (self.view, self.world, self.table, &self.thread);
        effects.extend(withdrawal::effects(view, world, table, thread, step, violations));
        effects.extend(withdrawal::replaced(view, &self.input.document, thread, table));
        effects.extend(service::effects(
            self.view,
            self.world,
            &self.input.document,
            self.table,
            &self.thread,
            owed,
        ));
        effects.extend(withdrawal::refused(view, table, thread, step));
        ends_once(&mut effects);
        let opening = Opening {
            world: self.world,
            scene,
            document: &self.reference,
            kind,
            case: found,
            thread: self.thread.root,
            deliveries,
            touched: &effects,
            owed,
            flagged: act.flagged,
        };
        let opened = opening.open(self.table, violations);
        effects.extend(opened);
        effects
    }

    fn case_flags(&self, found: Option<&Found>, stepped: Option<&Stepped>) -> Vec<Flag> {
        let flag = |what: &str| Flag {
            rule: format!("hub/{}", self.input.document.kind),
            articles: self.table.base.articles.clone(),
            what: what.to_owned(),
        };
        let mut flags: Vec<Flag> = found
            .map(|found| found.flags.iter().map(|what| flag(what)).collect())
            .unwrap_or_default();
        if let (Some(found), Some(stepped)) = (found, stepped.filter(|stepped| stepped.flagged)) {
            let state = found.case.custody.state.word();
            flags.push(flag(&format!("CUSTODY {} while {state}", stepped.step.word())));
        }
        flags
    }

    fn unique(&self, case: Option<CaseRef>, violations: &mut Vec<Violation>) -> Option<Digest> {
        if !self.table.base.unique {
            return None;
        }
        let digest = case::unique(case, &self.input.document);
        if let Some(Row::Unique(other)) = self.view.get(&Key::Unique(digest))
            && self.input.document.replaces.as_ref() != Some(other)
        {
            violations.push(
                Violation::new(Reason::DuplicateOf, "document_id").help(other.id.to_string()),
            );
        }
        Some(digest)
    }
}
