//! A person's life under one sentence, as the world has it: whatever the hub believes.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use xianjie_core::domain::document::{Category, Subject};
use xianjie_core::ids::{AgencyCode, CaseRef, DivisionCode, DocumentRef, PersonKey};

use crate::agencies::Agencies;
use crate::dice::Dice;

/// One life.
#[derive(Debug, Clone)]
pub(crate) struct Life {
    pub(crate) person: PersonKey,
    pub(crate) category: Category,
    pub(crate) juvenile: bool,
    /// The judgment's number.
    pub(crate) number: String,
    /// The place of execution.
    pub(crate) place: DivisionCode,
    /// Where the person moves to, or last wanted to.
    pub(crate) new_place: Option<DivisionCode>,
    /// On the way from one place of execution to the other.
    pub(crate) moving: bool,
    pub(crate) decided_by: AgencyCode,
    /// The original court.
    pub(crate) court: AgencyCode,
    /// The prison before release, which keeps the file.
    pub(crate) prison: Option<AgencyCode>,
    /// The prison that is to receive the person.
    pub(crate) receiver: Option<AgencyCode>,
    /// Who proposed to revoke.
    pub(crate) proposer: Option<AgencyCode>,
    pub(crate) effective: Date,
    pub(crate) expiry: Date,
    pub(crate) case: Option<CaseRef>,
    /// Papers name the case: they must, where a person has two.
    pub(crate) names_case: bool,
    /// The newest paper of each type.
    pub(crate) sent: BTreeMap<&'static str, DocumentRef>,
    pub(crate) registered: bool,
    pub(crate) missing: bool,
    pub(crate) arrested: bool,
    /// Something is under way that must come to its end first.
    pub(crate) busy: bool,
    pub(crate) over: bool,
    /// Somebody erred so that a paper may be refused.
    pub(crate) spoilt: bool,
    /// What was sent, and what became of it.
    pub(crate) log: Vec<String>,
}

impl Life {
    /// A person who is about to be sentenced, or released before the term is over.
    pub(crate) fn draw(dice: &mut Dice, agencies: &Agencies, number: usize, today: Date) -> Self {
        let category = dice.by_share(&[
            (54, Category::Probation),
            (8, Category::PublicSurveillance),
            (18, Category::Parole),
            (20, Category::TemporaryRelease),
        ]);
        let place = dice.one_of(&agencies.counties).clone();
        let prison_at = dice.one_of(&agencies.prisons).clone();
        let elsewhere = dice.one_of(&agencies.counties).clone();
        let court_at = if dice.chance(700) { &place } else { &elsewhere };
        let court = match category {
            Category::Parole => agencies.over(&prison_at, "court"),
            _ => agencies.at(court_at, "court"),
        };
        let on_release = matches!(category, Category::Parole | Category::TemporaryRelease);
        let decided_by = match category {
            Category::TemporaryRelease => agencies.provincial("prisons"),
            _ => court.clone(),
        };
        let effective = today.saturating_add(10.days());
        Self {
            person: PersonKey(dice.bytes()),
            category,
            juvenile: dice.chance(60),
            number: format!("（{}）赣刑{number}号", today.year()),
            place,
            new_place: None,
            moving: false,
            decided_by,
            court,
            prison: on_release.then(|| agencies.at(&prison_at, "prison")),
            receiver: None,
            proposer: None,
            effective,
            expiry: effective.saturating_add(dice.between(90, 560).days()),
            case: None,
            names_case: dice.chance(400),
            sent: BTreeMap::new(),
            registered: false,
            missing: false,
            arrested: false,
            busy: true,
            over: false,
            spoilt: false,
            log: Vec::new(),
        }
    }

    /// What papers say of the person.
    pub(crate) fn subject(&self) -> Subject {
        Subject {
            case: self.case.filter(|_| self.names_case),
            person: Some(self.person),
            category: Some(self.category),
            juvenile: Some(self.juvenile),
            born: None,
        }
    }

    /// Whether a prison administration decided, and the prison keeps the file.
    pub(crate) fn is_temporary(&self) -> bool {
        self.category == Category::TemporaryRelease
    }

    /// Whether the sentence can be revoked.
    pub(crate) fn is_revocable(&self) -> bool {
        matches!(self.category, Category::Probation | Category::Parole)
    }
}
