//! What a document does to duties (期限义务): it meets, cancels and passes on open ones, and opens new
//! ones.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::World;
use super::case::Found;
use super::limit::{self, Run};
use super::routing::{holds, violation};
use crate::domain::duty::{Duty, DutyState, Extension, Force, Outcome, Owner, RollRule, Warned};
use crate::domain::record::{DutyChange, Effect, RuledEffect, Timing};
use crate::domain::relation::{Answered, Relation, Scene};
use crate::domain::rulebook::{Answers, DECISION_TIME, DutyRule, Limit, OwnerRule, Ruled, Table};
use crate::domain::state::{Key, Range, Row, View};
use crate::domain::term::{Start, shanghai_midnight_ms, term_expiry_due};
use crate::ids::{AgencyCode, DocumentRef, DocumentType, DutyId, InboxNumber, LedgerIndex, Time};
use crate::refusal::Violation;

/// Outcomes (结果) after which everything goes on as before: 不予…, 维持.
const LEAVES: [&str; 2] = ["refused", "upheld"];

/// The duties still owed in a case, or in a thread where there is no case.
pub(super) fn owed<'v>(view: &'v View<'_>, range: Range) -> Vec<(DutyId, &'v Duty)> {
    let ids = view.range(&range).into_iter().filter_map(|key| match key {
        Key::OwedInCase(_, id) | Key::OwedInThread(_, id) => Some(id),
        _ => None,
    });
    ids.filter_map(|id| match view.get(&Key::Duty(id)) {
        Some(Row::Duty(duty)) => Some((id, &**duty)),
        _ => None,
    })
    .collect()
}

/// For each type with an open document: its sender and first primary addressee. A document is open
/// while a duty that it opened on its addressee is.
pub(super) fn open_documents(
    view: &View<'_>,
    owed: &[(DutyId, &Duty)],
) -> BTreeMap<DocumentType, (AgencyCode, AgencyCode)> {
    let mut open = BTreeMap::new();
    for (_, duty) in owed {
        if *duty.owner.agency() == duty.opened_by.sender || open.contains_key(&duty.opener) {
            continue;
        }
        let Some(Row::Document(row)) = view.get(&Key::Document(duty.opened_by.clone())) else {
            continue;
        };
        let mut primaries = row.addressed.iter().filter(|a| !a.copy).map(|a| &a.agency);
        if primaries.clone().any(|agency| agency == duty.owner.agency())
            && let Some(first) = primaries.next()
        {
            let parties = (duty.opened_by.sender.clone(), first.clone());
            open.insert(duty.opener.clone(), parties);
        }
    }
    open
}

/// Whether another document of the type of the answered one still waits for an answer of this `kind`:
/// one measure (强制措施) ends, and another goes on.
pub(super) fn another_stands(
    owed: &[(DutyId, &Duty)],
    answered: Option<Answered<'_>>,
    kind: &DocumentType,
) -> bool {
    let Some(answered) = answered else { return false };
    owed.iter().any(|(_, duty)| {
        duty.opener == answered.row.kind
            && duty.opened_by != *answered.document
            && duty.closed_by.contains(kind)
    })
}

/// Whether one of these effects ends that duty.
fn ends(effects: &[RuledEffect], id: DutyId) -> bool {
    effects
        .iter()
        .any(|ruled| matches!(&ruled.effect, Effect::DutyClosed { duty, .. } if *duty == id))
}

/// What the document is, for the duties that it touches.
pub(super) struct Act<'s, 'a> {
    pub(super) world: &'s World<'a>,
    pub(super) scene: &'s Scene<'a>,
    pub(super) table: &'s Table,
    pub(super) kind: &'s DocumentType,
    pub(super) thread: LedgerIndex,
    /// The last day of the case's term, if the document changes it.
    pub(super) new_expiry: Option<Date>,
    /// The document's step of custody did not fit: the handover under way goes on.
    pub(super) flagged: bool,
}

impl Act<'_, '_> {
    /// The effects on duties that are owed already.
    pub(super) fn touch(
        &self,
        owed: &[(DutyId, &Duty)],
        violations: &mut Vec<Violation>,
    ) -> Vec<RuledEffect> {
        let mut effects = Vec::new();
        let another = another_stands(owed, self.scene.answered, self.kind);
        for (id, duty) in owed {
            if let Some(outcome) = self.closes(duty) {
                effects.push(self.effect(Effect::DutyClosed { duty: *id, outcome }));
            } else if let Some((change, owner, timing)) = self.changes(duty, another, violations) {
                effects.push(self.effect(Effect::DutyChanged { duty: *id, change, owner, timing }));
            }
        }
        effects
    }

    /// What a document of this kind changes about that duty, if anything; `another`: it ends what
    /// stopped limits, and another such goes on.
    fn changes(
        &self,
        duty: &Duty,
        another: bool,
        violations: &mut Vec<Violation>,
    ) -> Option<(DutyChange, Owner, Timing)> {
        let document = self.scene.document;
        let stays = |change, timing| Some((change, duty.owner.clone(), timing));
        if let Some((by, relation)) = &duty.passes_to
            && by == self.kind
        {
            let heir = self.heir(relation, violations)?;
            let moves = heir != *duty.owner.agency();
            return moves
                .then(|| (DutyChange::PassedOn, duty.owner.passed_to(heir), as_it_is(duty)));
        }
        if let Some(extend) = &duty.extend
            && extend.with == *self.kind
            && extend.times > 0
            && self.is_about(duty)
            && self.is_between_parties(duty)
        {
            let timing = limit::extended(self.world, duty, &extend.by, document)?;
            return stays(DutyChange::Extended, timing);
        }
        if let Some((with, until)) = &duty.suspend {
            // What has passed stands still no more, but that nobody can report who is held.
            let passed = duty.due.is_some_and(|due| due <= self.world.time) && !duty.handover;
            let stands = duty.suspended.is_some() || passed;
            if with == self.kind && self.is_about(duty) && !stands {
                let timing = Timing { not_before: duty.not_before, ..Timing::default() };
                return stays(DutyChange::Suspended, timing);
            }
            let ends = duty.thread == self.thread || self.answers_a(with);
            if until == self.kind && ends && !another {
                return stays(DutyChange::Resumed, limit::resumed(self.world, duty)?);
            }
        }
        let arrested = self.scene.case.is_some_and(|case| case.custody.arrested);
        if arrested && duty.roll == RollRule::UnlessArrested {
            let timing = limit::confined(self.world, duty);
            return stays(DutyChange::Confined, timing.unwrap_or_else(|| as_it_is(duty)));
        }
        let timing = limit::from_expiry(self.world, duty, self.new_expiry?)?;
        if timing.due == duty.due { None } else { stays(DutyChange::Recomputed, timing) }
    }

    fn is_about(&self, duty: &Duty) -> bool {
        is_about(self.scene, &self.table.answers, self.thread, duty)
    }

    /// Whether it answers a document of that type.
    fn answers_a(&self, kind: &DocumentType) -> bool {
        self.scene.answered.is_some_and(|answered| answered.row.kind == *kind)
    }

    /// Who owes a duty, or to whom it is owed, may extend its limit, and nobody else's: of one proposal
    /// the court and the procuratorate each have their own.
    fn is_between_parties(&self, duty: &Duty) -> bool {
        let sender = &self.scene.document.sender;
        let parties = [Some(duty.owner.agency()), duty.creditor.as_ref()];
        parties.into_iter().flatten().any(|it| self.scene.directory.stands_for(sender, it))
    }

    /// How a document of this kind ends that duty, if it does.
    fn closes(&self, duty: &Duty) -> Option<Outcome> {
        if !self.is_about(duty) || (self.flagged && duty.handover) {
            return None;
        }
        // What asks for a document within a window is not met before it opens.
        let opens_later = duty.not_before.is_some_and(|opens| self.world.time < opens);
        if duty.closed_by.contains(self.kind) && !opens_later {
            return Some(duty.met_at(self.done_at(duty)));
        }
        // What is refused or upheld leaves everything as it was.
        let outcome = self.scene.document.word("outcome");
        let leaves = outcome.is_some_and(|outcome| LEAVES.contains(&outcome.as_str()));
        let cancels = duty.cancelled_by.contains(self.kind) && !leaves;
        cancels.then_some(Outcome::Cancelled)
    }

    /// When the document does what that duty asks: now, or when it says that it was decided, on a day
    /// or, where hours count, at a time.
    fn done_at(&self, duty: &Duty) -> Time {
        let document = self.scene.document;
        let decided = match (duty.done_when_decided, duty.limit.ends_with("hours")) {
            (false, _) => None,
            (true, true) => document.time(DECISION_TIME),
            (true, false) => {
                document.date("decision_date").map(|date| Time(shanghai_midnight_ms(date)))
            }
        };
        decided.map_or(self.world.time, |decided| decided.min(self.world.time))
    }

    fn heir(&self, relation: &str, violations: &mut Vec<Violation>) -> Option<AgencyCode> {
        let relation = Relation::parse(relation).ok()?;
        match self.scene.resolve(&relation) {
            Ok(found) => found.into_iter().next().map(|found| found.agency),
            Err(unresolved) => {
                let articles = &self.table.articles;
                violations.push(violation(self.scene, &relation, &unresolved, articles));
                None
            }
        }
    }

    fn effect(&self, effect: Effect) -> RuledEffect {
        let rule = format!("hub/{}", self.kind);
        RuledEffect { rule, articles: self.table.articles.clone(), effect }
    }
}

/// Whether a document that answers such types concerns that duty. Where it must answer something of the
/// opener's type, only an answer in the opener's thread does; and one to another document of that type,
/// unless it was replaced, does not: of two rulings on one proposal each is objected to by itself.
pub(super) fn is_about(
    scene: &Scene<'_>,
    answers: &Answers,
    thread: LedgerIndex,
    duty: &Duty,
) -> bool {
    let answers_such = matches!(answers, Answers::Types(types) if types.contains(&duty.opener));
    let answers_other = scene.answered.is_some_and(|answered| {
        answered.row.kind == duty.opener
            && answered.row.replaced_by.is_none()
            && *answered.document != duty.opened_by
    });
    !answers_such || (duty.thread == thread && !answers_other)
}

/// The timing of a duty that changes otherwise.
fn as_it_is(duty: &Duty) -> Timing {
    let Duty { not_before, due, provisional, wake, .. } = *duty;
    Timing { not_before, due, provisional, wake }
}

/// What new duties need to know of the document.
pub(super) struct Opening<'s, 'a> {
    pub(super) world: &'s World<'a>,
    pub(super) scene: &'s Scene<'a>,
    pub(super) document: &'s DocumentRef,
    pub(super) kind: &'s DocumentType,
    pub(super) case: Option<&'s Found>,
    pub(super) thread: LedgerIndex,
    pub(super) deliveries: &'s [(AgencyCode, InboxNumber, bool)],
    pub(super) touched: &'s [RuledEffect],
    pub(super) owed: &'s [(DutyId, &'s Duty)],
    /// The document's step of custody did not fit: what hangs on the term is over, or owed already, and
    /// the handover under way is another.
    pub(super) flagged: bool,
}

impl Opening<'_, '_> {
    /// The duties that the document opens.
    pub(super) fn open(&self, table: &Table, violations: &mut Vec<Violation>) -> Vec<RuledEffect> {
        let mut effects = Vec::new();
        for rule in &table.duties {
            if !holds(self.scene, rule.item.when.as_ref()) || self.goes_on(&rule.item) {
                continue;
            }
            match self.duty(rule) {
                Ok(Some(duty)) => effects.push(RuledEffect {
                    rule: rule.path.clone(),
                    articles: rule.articles.clone(),
                    effect: Effect::DutyOpened(Box::new(duty)),
                }),
                Ok(None) => {}
                Err(violation) => violations.push(violation),
            }
        }
        effects
    }

    /// A duty that this document passed on is not opened again.
    fn goes_on(&self, rule: &DutyRule) -> bool {
        self.touched.iter().any(|touched| match &touched.effect {
            Effect::DutyChanged { duty, change: DutyChange::PassedOn, .. } => {
                self.owed.iter().any(|(id, owed)| id == duty && owed.name == rule.name)
            }
            _ => false,
        })
    }

    fn duty(&self, rule: &Ruled<DutyRule>) -> Result<Option<Duty>, Violation> {
        let Some(owner) = self.owner(rule)? else { return Ok(None) };
        let agency = owner.agency();
        if rule.item.closed_by_self && self.closes_equal(&rule.item.name, agency) {
            return Ok(None);
        }
        // What this document does itself is told in every state, and hands over if it comes to nothing.
        let opens = rule.item.handover && !rule.item.closed_by_self;
        if opens && (self.flagged || !self.hands_over(&rule.item.name, agency)) {
            return Ok(None);
        }
        if rule.item.limit.hangs_on_term()
            && (self.flagged || self.is_owed(&rule.item.name, agency))
        {
            return Ok(None);
        }
        let mut duty = self.bare(rule, owner)?;
        self.start(&rule.item, &mut duty);
        if rule.item.closed_by_self {
            let outcome = duty.met_at(self.world.time);
            duty.state = DutyState::Closed { outcome, by: self.world.index };
        }
        Ok(Some(duty))
    }

    /// A handover's limit is opened only while a handover is under way, and once.
    fn hands_over(&self, name: &str, owner: &AgencyCode) -> bool {
        let under_way = self
            .case
            .is_some_and(|found| self.world.law.custody().is_handover(found.case.custody.state));
        under_way && !self.is_owed(name, owner)
    }

    /// Whether that duty is owed in the case already, and not ended by this document. A handover has
    /// one limit, and a term one end.
    fn is_owed(&self, name: &str, owner: &AgencyCode) -> bool {
        self.owed
            .iter()
            .filter(|(id, _)| !ends(self.touched, *id))
            .any(|(_, duty)| duty.name == name && duty.owner.agency() == owner)
    }

    /// A duty whose limit has not begun.
    fn bare(&self, ruled: &Ruled<DutyRule>, owner: Owner) -> Result<Duty, Violation> {
        let rule = &ruled.item;
        let sender = self.document.sender.clone();
        let creditor = if *owner.agency() == sender { self.first_primary() } else { Some(sender) };
        let force = match (&rule.limit, rule.right) {
            // A right that no article limits does not lapse.
            (Limit::Soft(_), _) => Force::Soft,
            (_, true) => Force::Right,
            _ => Force::Binding,
        };
        // What is measured backwards may come to nothing: then a second one of its kind does it.
        let own = rule.closed_by_self.then(|| self.kind.clone());
        Ok(Duty {
            rule: ruled.path.clone(),
            articles: ruled.articles.clone(),
            name: rule.name.clone(),
            opener: self.kind.clone(),
            opened_by: self.document.clone(),
            case: self.case.map(|found| found.reference),
            thread: self.thread,
            owner,
            creditor,
            limit: rule.limit.to_string(),
            force,
            roll: limit::roll_rule(rule, self.case.map(|found| &found.case)),
            state: DutyState::Open,
            waits_for: None,
            runs_from: None,
            stated: None,
            not_before: None,
            due: None,
            provisional: false,
            wake: None,
            warned: Warned::No,
            suspended: None,
            handover: rule.handover,
            closed_by: rule.closed_by.iter().cloned().chain(own).collect(),
            done_when_decided: rule.done_when_decided,
            cancelled_by: rule.cancelled_by.clone(),
            passes_to: rule
                .passes_to
                .as_ref()
                .map(|(kind, relation)| (kind.clone(), relation.to_string())),
            extend: self.extension(rule),
            suspend: rule.suspend.clone(),
            if_missed: self.successor(rule)?,
        })
    }

    fn extension(&self, rule: &DutyRule) -> Option<Extension> {
        let extend = rule.extend.as_ref().filter(|e| holds(self.scene, e.when.as_ref()))?;
        let by = extend.by.map_or_else(|| "as stated".to_owned(), |span| span.to_string());
        Some(Extension { by, with: extend.with.clone(), times: extend.times, granted: 0 })
    }

    /// What will open if this duty passes undone: decided now, with the agencies of now.
    fn successor(&self, rule: &DutyRule) -> Result<Option<Box<Duty>>, Violation> {
        let Some(next) = &rule.if_missed else { return Ok(None) };
        let Some(owner) = self.owner(next)? else { return Ok(None) };
        self.bare(next, owner).map(|duty| Some(Box::new(duty)))
    }

    fn owner(&self, rule: &Ruled<DutyRule>) -> Result<Option<Owner>, Violation> {
        let (OwnerRule::Agency(relation) | OwnerRule::Person(relation)) = &rule.item.owner;
        let found = self
            .scene
            .resolve(relation)
            .map_err(|unresolved| violation(self.scene, relation, &unresolved, &rule.articles))?;
        let agency = found.into_iter().next().map(|found| found.agency);
        Ok(agency.map(|agency| match &rule.item.owner {
            OwnerRule::Agency(_) => Owner::Agency(agency),
            OwnerRule::Person(_) => Owner::Person { watched_by: agency },
        }))
    }

    /// Starts the limit, or has it wait for the receipt: the owner's if it is addressed, else the
    /// first primary addressee's. Standing consent to electronic service makes the commit the receipt.
    fn start(&self, rule: &DutyRule, duty: &mut Duty) {
        if duty.limit.contains("as stated") {
            let stated = self.scene.document.date("stated_date");
            duty.stated = stated.map(|date| Time(term_expiry_due(date).at_ms));
        }
        let case = self.case.map(|found| &found.case);
        let (from, timing) = match limit::run(self.world, rule, self.scene.document, case) {
            Run::Runs { from, timing } => (from, timing),
            Run::FromReceipt => {
                let owner = duty.owner.agency();
                let own = self.deliveries.iter().find(|(agency, _, _)| agency == owner);
                let delivery = own.or(self.deliveries.iter().find(|(_, _, copy)| !copy));
                if let Some((agency, number, _)) = delivery
                    && !self.consents(agency)
                {
                    duty.waits_for = Some((agency.clone(), *number));
                    // A date that the document states comes, received or not.
                    let timing = limit::stated(self.world, duty);
                    (duty.due, duty.wake) = (timing.due, timing.wake);
                    return;
                }
                let from = Start::Instant(self.world.time.0);
                (Some(from), limit::counted(self.world, duty, from))
            }
        };
        duty.runs_from = from;
        duty.not_before = timing.not_before;
        duty.due = timing.due;
        duty.provisional = timing.provisional;
        duty.wake = timing.wake;
    }

    fn consents(&self, agency: &AgencyCode) -> bool {
        self.world.directory.agency(agency).is_some_and(|agency| agency.electronic_service)
    }

    fn first_primary(&self) -> Option<AgencyCode> {
        self.deliveries.iter().find(|(_, _, copy)| !copy).map(|(agency, _, _)| agency.clone())
    }

    /// Whether this document also closes an open duty of that name and owner: then the duty that
    /// measures it backwards says nothing more.
    fn closes_equal(&self, name: &str, owner: &AgencyCode) -> bool {
        self.touched.iter().any(|touched| match &touched.effect {
            Effect::DutyClosed { duty, .. } => self
                .owed
                .iter()
                .any(|(id, owed)| id == duty && owed.name == name && owed.owner.agency() == owner),
            _ => false,
        })
    }
}
