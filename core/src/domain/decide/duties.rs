//! What a document does to duties (期限义务): it meets, cancels and passes on open ones, and opens new
//! ones.

use std::collections::BTreeMap;

use super::World;
use super::case::Found;
use super::limit::{self, Run};
use super::routing::{holds, violation};
use crate::domain::custody::Step;
use crate::domain::duty::{Duty, DutyState, Force, Outcome, Owner};
use crate::domain::record::{DutyChange, Effect, RuledEffect};
use crate::domain::relation::{Relation, Scene};
use crate::domain::rulebook::{Answers, DutyRule, Limit, OwnerRule, Ruled, Table};
use crate::domain::state::{Key, Range, Row, View};
use crate::domain::term::term_expiry_due;
use crate::ids::{
    AgencyCode, CaseRef, DocumentRef, DocumentType, DutyId, InboxNumber, LedgerIndex, Time,
};
use crate::refusal::Violation;

/// The duties still owed in the document's case, or in its thread where there is no case.
pub(super) fn owed<'v>(
    view: &'v View<'_>,
    case: Option<CaseRef>,
    thread: LedgerIndex,
) -> Vec<(DutyId, &'v Duty)> {
    let range = case.map_or(Range::OwedInThread(thread), Range::OwedInCase);
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

/// What the document is, for the duties that it touches.
pub(super) struct Act<'s, 'a> {
    pub(super) world: &'s World<'a>,
    pub(super) scene: &'s Scene<'a>,
    pub(super) table: &'s Table,
    pub(super) kind: &'s DocumentType,
    pub(super) step: Option<Step>,
    pub(super) thread: LedgerIndex,
}

impl Act<'_, '_> {
    /// The effects on duties that are owed already.
    pub(super) fn touch(
        &self,
        owed: &[(DutyId, &Duty)],
        violations: &mut Vec<Violation>,
    ) -> Vec<RuledEffect> {
        let mut effects = Vec::new();
        for (id, duty) in owed {
            if let Some(outcome) = self.closes(duty) {
                effects.push(self.effect(Effect::DutyClosed { duty: *id, outcome }));
            } else if let Some((by, relation)) = &duty.passes_to
                && by == self.kind
                && let Some(owner) = self.heir(relation, violations)
                && owner != *duty.owner.agency()
            {
                effects.push(self.effect(Effect::DutyChanged {
                    duty: *id,
                    change: DutyChange::PassedOn,
                    owner: duty.owner.passed_to(owner),
                    due: duty.due,
                    provisional: duty.provisional,
                }));
            }
        }
        effects
    }

    /// How a document of this kind ends that duty, if it does. Where its type must answer
    /// something of the opener's type, only as an answer in the opener's thread.
    fn closes(&self, duty: &Duty) -> Option<Outcome> {
        if duty.closed_by.contains(self.kind) {
            let answers_such = match &self.table.answers {
                Answers::Types(types) => types.contains(&duty.opener),
                Answers::Any | Answers::Nothing => false,
            };
            if !answers_such || duty.thread == self.thread {
                return Some(duty.met_at(self.world.time));
            }
            return None;
        }
        // A ruling that refuses leaves everything as it was.
        let cancels = duty.cancelled_by.contains(self.kind) && self.step != Some(Step::Resume);
        cancels.then_some(Outcome::Cancelled)
    }

    fn heir(&self, relation: &str, violations: &mut Vec<Violation>) -> Option<AgencyCode> {
        let relation = Relation::parse(relation).ok()?;
        match self.scene.resolve(&relation) {
            Ok(found) => found.into_iter().next().map(|found| found.agency),
            Err(unresolved) => {
                violations.push(violation(&unresolved, &self.table.articles));
                None
            }
        }
    }

    fn effect(&self, effect: Effect) -> RuledEffect {
        let rule = format!("hub/{}", self.kind);
        RuledEffect { rule, articles: self.table.articles.clone(), effect }
    }
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
        let (OwnerRule::Agency(relation) | OwnerRule::Person(relation)) = &rule.item.owner;
        let found = self
            .scene
            .resolve(relation)
            .map_err(|unresolved| violation(&unresolved, &rule.articles))?;
        let Some(agency) = found.into_iter().next().map(|found| found.agency) else {
            return Ok(None);
        };
        let owner = match &rule.item.owner {
            OwnerRule::Agency(_) => Owner::Agency(agency.clone()),
            OwnerRule::Person(_) => Owner::Person { watched_by: agency.clone() },
        };
        if rule.item.closed_by_self && self.closes_equal(&rule.item.name, &agency) {
            return Ok(None);
        }
        if rule.item.handover && !self.hands_over(&rule.item.name, &agency) {
            return Ok(None);
        }
        let mut duty = self.bare(&rule.item, owner);
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
        let open = self
            .owed
            .iter()
            .any(|(_, duty)| duty.handover && duty.name == name && duty.owner.agency() == owner);
        under_way && !open
    }

    fn bare(&self, rule: &DutyRule, owner: Owner) -> Duty {
        let sender = self.document.sender.clone();
        let creditor = if *owner.agency() == sender { self.first_primary() } else { Some(sender) };
        let force = match (&rule.limit, rule.right) {
            (_, true) => Force::Right,
            (Limit::Soft(_), false) => Force::Soft,
            _ => Force::Binding,
        };
        Duty {
            name: rule.name.clone(),
            opener: self.kind.clone(),
            opened_by: self.document.clone(),
            case: self.case.map(|found| found.reference),
            thread: self.thread,
            owner,
            creditor,
            limit: rule.limit.to_string(),
            force,
            never_rolls: limit::never_rolls(rule, self.case.map(|found| &found.case)),
            state: DutyState::Open,
            not_before: None,
            due: None,
            provisional: false,
            handover: rule.handover,
            closed_by: rule.closed_by.clone(),
            cancelled_by: rule.cancelled_by.clone(),
            passes_to: rule
                .passes_to
                .as_ref()
                .map(|(kind, relation)| (kind.clone(), relation.to_string())),
        }
    }

    /// Starts the limit, or has it wait for the receipt: the owner's if it is addressed, else the
    /// first primary addressee's. Standing consent to electronic service makes the commit the receipt.
    fn start(&self, rule: &DutyRule, duty: &mut Duty) {
        let case = self.case.map(|found| &found.case);
        match limit::run(self.world, rule, self.scene.document, case) {
            Run::Runs { not_before, due, provisional } => {
                duty.not_before = not_before;
                duty.due = due;
                duty.provisional = provisional;
            }
            Run::FromReceipt => {
                let stated = self.scene.document.date("stated_date");
                if duty.limit.contains("as stated") {
                    duty.due = stated.map(|date| Time(term_expiry_due(date).at_ms));
                }
                let owner = duty.owner.agency();
                let own = self.deliveries.iter().find(|(agency, _, _)| agency == owner);
                let delivery = own.or(self.deliveries.iter().find(|(_, _, copy)| !copy));
                match delivery {
                    Some((agency, number, _)) if !self.consents(agency) => {
                        duty.state = DutyState::Waiting { agency: agency.clone(), number: *number };
                    }
                    _ => {
                        (duty.due, duty.provisional) = limit::from_receipt(self.world, duty);
                    }
                }
            }
        }
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
