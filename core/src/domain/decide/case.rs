//! The correction case (矫正案件) that a document belongs to: that of what it answers, the one it
//! names, the only one of the person that its sender is party to, or a new one.

use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use super::thread::Thread;
use super::{DocumentInput, World};
use crate::domain::custody::State;
use crate::domain::document::{Category, Document, Fact, Subject};
use crate::domain::record::CaseSet;
use crate::domain::role::Role;
use crate::domain::rulebook::{SubjectRule, Table};
use crate::domain::state::{Case, Key, Row, View};
use crate::domain::term::shanghai_date;
use crate::ids::{AgencyCode, CaseRef, Digest};
use crate::refusal::{Reason, Violation};

/// The case of a document, as it stands while the document is decided.
pub(super) struct Found {
    /// Which.
    pub(super) reference: CaseRef,
    /// It opens with this document.
    pub(super) opens: bool,
    /// Its facts, with what the document has set so far.
    pub(super) case: Case,
    /// What the document sets, in order.
    pub(super) sets: Vec<CaseSet>,
    /// What does not fit, by name.
    pub(super) flags: Vec<&'static str>,
}

impl Found {
    /// Sets something in the case, if it is not so already.
    pub(super) fn set(&mut self, set: CaseSet) {
        let before = self.case.clone();
        self.case.set(&set);
        if self.case != before {
            self.sets.push(set);
        }
    }

    /// The last day of the term, if the document changes it.
    pub(super) fn new_expiry(&self) -> Option<Date> {
        self.sets.iter().rev().find_map(|set| match set {
            CaseSet::TermExpiry(date) => Some(*date),
            _ => None,
        })
    }
}

/// Finds or opens the case; none where the document has none.
pub(super) fn find(
    view: &View<'_>,
    world: &World<'_>,
    input: &DocumentInput,
    table: &Table,
    thread: &Thread<'_>,
    violations: &mut Vec<Violation>,
) -> Option<Found> {
    let document = &input.document;
    let base = &table.base;
    if base.subject == SubjectRule::None && document.subject.is_some() {
        violations.push(
            Violation::new(Reason::Format, "subject")
                .help_in("this type concerns no subject", "该类文书不涉及矫正对象"),
        );
        return None;
    }
    let of_thread = thread.answered.map(|a| a.row.case).or(thread.replaced.map(|r| r.case));
    let reference = match of_thread {
        // A document that opens cases, or is about whoever it names, may answer one that belongs to none.
        Some(case) if case.is_some() || !(base.opens_case || base.finds_person) => case,
        _ => match choose(view, world, input, table) {
            Ok(Choice::Join(case)) => Some(case),
            Ok(Choice::None) => None,
            Ok(Choice::Open) => {
                return Some(open(world, input, table, violations));
            }
            Err(violation) => {
                violations.push(violation);
                None
            }
        },
    };
    let reference = reference?;
    let named = document.subject.as_ref().and_then(|subject| subject.case);
    if named.is_some_and(|named| named != reference) {
        let other = Violation::new(Reason::NoCase, "subject.correction_case");
        violations.push(
            other.help_in(
                "the answered document belongs to another case",
                "所答复的文书属于另一案件",
            ),
        );
        return None;
    }
    let case = row(view, reference)?.clone();
    let mut found = Found { reference, opens: false, case, sets: Vec::new(), flags: Vec::new() };
    let person = document.subject.as_ref().and_then(|subject| subject.person);
    if let Some(person) = person
        && let others = view.cases_of(person)
        && !others.is_empty()
        && !others.contains(&reference)
    {
        found.flags.push("SUBJECT_DIFFERS");
    }
    join(world, &mut found, document, table);
    Some(found)
}

enum Choice {
    Join(CaseRef),
    Open,
    None,
}

fn choose(
    view: &View<'_>,
    world: &World<'_>,
    input: &DocumentInput,
    table: &Table,
) -> Result<Choice, Violation> {
    let document = &input.document;
    let base = &table.base;
    let no_case = || Violation::new(Reason::NoCase, "subject");
    let Some(subject) = &document.subject else {
        return match base.subject {
            SubjectRule::Case | SubjectRule::Person => {
                Err(Violation::new(Reason::Required, "subject"))
            }
            SubjectRule::Optional | SubjectRule::None => Ok(Choice::None),
        };
    };
    let party = |case: &Case| {
        base.finds_person
            || case.parties.iter().any(|p| world.directory.stands_for(&document.sender, p))
    };
    if let Some(named) = subject.case {
        let visible = row(view, named).is_some_and(party);
        return if visible { Ok(Choice::Join(named)) } else { Err(no_case()) };
    }
    if base.subject == SubjectRule::Person {
        return Ok(Choice::None);
    }
    let cases: Vec<(CaseRef, &Case)> = subject
        .person
        .map(|person| view.cases_of(person))
        .unwrap_or_default()
        .into_iter()
        .filter_map(|reference| Some((reference, row(view, reference)?)))
        .collect();
    if base.opens_case {
        let organ = decision_organ(document);
        let same = cases.iter().find(|(reference, case)| {
            let decided = case.roles.get(&Role::DecisionOrgan);
            case.is_open()
                && decided.is_some_and(|decided| world.directory.stands_for(organ, decided))
                && case.number == Some(number(*reference, document))
        });
        if let Some((reference, _)) = same {
            return Ok(Choice::Join(*reference));
        }
        if document.present.contains("case_number") {
            return Ok(Choice::Open);
        }
    }
    let visible: Vec<&(CaseRef, &Case)> = cases.iter().filter(|(_, case)| party(case)).collect();
    let open: Vec<&&(CaseRef, &Case)> = visible.iter().filter(|(_, c)| c.is_open()).collect();
    match (&open[..], &visible[..]) {
        ([one], _) => Ok(Choice::Join(one.0)),
        ([], [one]) => Ok(Choice::Join(one.0)),
        ([], []) if base.opens_case => Ok(Choice::Open),
        ([], []) if base.subject == SubjectRule::Optional => Ok(Choice::None),
        _ => Err(no_case()),
    }
}

/// A new case, with what its first document tells.
fn open(
    world: &World<'_>,
    input: &DocumentInput,
    table: &Table,
    violations: &mut Vec<Violation>,
) -> Found {
    let document = &input.document;
    for path in world.law.case_opening() {
        if !document.present.contains(path) {
            violations.push(
                Violation::new(Reason::Required, path.as_str())
                    .help_in("opens a correction case", "建立矫正案件所必需"),
            );
        }
    }
    let mut found = Found {
        reference: input.fresh_case,
        opens: true,
        case: Case { opened: world.index, ..Case::default() },
        sets: Vec::new(),
        flags: Vec::new(),
    };
    found.set(CaseSet::Role(Role::DecisionOrgan, Some(decision_organ(document).clone())));
    found.set(CaseSet::Number(number(input.fresh_case, document)));
    if let Some(subject) = &document.subject {
        if let Some(category) = subject.category {
            // In a case that is there already it is flagged; here every duty of the case hangs on it.
            if !fits(table, category) {
                let unfit = Violation::new(Reason::WrongCategory, "subject.category");
                violations.push(unfit.articles(&table.articles));
            }
            found.set(CaseSet::Category(category));
        }
        if let Some(juvenile) = juvenile(world, subject, &mut found.flags) {
            found.set(CaseSet::Juvenile(juvenile));
        }
    }
    if let Some(place) = &document.execution_place {
        found.set(CaseSet::Place(place.clone()));
    }
    found
}

/// What a document adds to a case that it joins, and what it contradicts.
fn join(world: &World<'_>, found: &mut Found, document: &Document, table: &Table) {
    if let Some(subject) = &document.subject {
        match (subject.category, found.case.category) {
            (Some(category), None) => found.set(CaseSet::Category(category)),
            (Some(said), Some(known)) if said != known => found.flags.push("CATEGORY_DIFFERS"),
            _ => {}
        }
        match (juvenile(world, subject, &mut found.flags), found.case.juvenile) {
            (Some(true), Some(false)) | (Some(false), Some(true)) => {
                found.flags.push("JUVENILE_DIFFERS");
                found.set(CaseSet::Juvenile(true));
            }
            (Some(juvenile), None) => found.set(CaseSet::Juvenile(juvenile)),
            _ => {}
        }
    }
    if let Some(place) = &document.execution_place {
        match &found.case.place {
            None => found.set(CaseSet::Place(place.clone())),
            Some(_) if begins_anew(&found.case, document, table) => {
                found.set(CaseSet::Place(place.clone()));
            }
            Some(known) if known != place && found.case.pending_place.as_ref() != Some(place) => {
                found.flags.push("EXECUTION_PLACE_DIFFERS");
            }
            Some(_) => {}
        }
    }
    let responsible = found.case.roles.get(&Role::ResponsibleAgency);
    if let Some(place) = document.place("new_place")
        && responsible.is_some_and(|it| world.directory.stands_for(&document.sender, it))
    {
        found.set(CaseSet::PendingPlace(Some(place.clone())));
    }
    if found.case.category.is_some_and(|category| !fits(table, category)) {
        found.flags.push("CATEGORY_UNFIT");
    }
}

/// Whether the document is for such subjects.
fn fits(table: &Table, category: Category) -> bool {
    let subjects = &table.base.subjects;
    subjects.is_empty() || subjects.contains(&category)
}

/// Whether the subject was a juvenile at the offence, as the document says. Who is under eighteen now was
/// one, whatever it says.
fn juvenile(world: &World<'_>, subject: &Subject, flags: &mut Vec<&'static str>) -> Option<bool> {
    let minor = subject.is_minor(shanghai_date(world.time.0));
    if minor && subject.juvenile == Some(false) {
        flags.push("JUVENILE_BY_BIRTH");
    }
    subject.juvenile.map(|said| said || minor)
}

/// Whether the document says anew where the sentence is executed: what said so before is withdrawn, or
/// replaced by it, and nobody has registered the person yet.
fn begins_anew(case: &Case, document: &Document, table: &Table) -> bool {
    let registered = case.roles.contains_key(&Role::ResponsibleAgency);
    let gone = case.custody.state == State::None || document.replaces.is_some();
    table.base.opens_case && !registered && gone
}

fn decision_organ(document: &Document) -> &AgencyCode {
    document.agency(&Role::DecisionOrgan.field()).unwrap_or(&document.sender)
}

/// The judgment's number, salted by the case's reference, so that the record tells nobody who does
/// not know the case.
fn number(case: CaseRef, document: &Document) -> Digest {
    let mut hash = Sha256::new();
    hash.update(b"xianjie/case-number/v1\0");
    hash.update(case.0);
    hash.update(case_number(document).as_bytes());
    Digest(hash.finalize().into())
}

/// What a document binds against a second of its sender, type, case and case number.
pub(super) fn unique(case: Option<CaseRef>, document: &Document) -> Digest {
    let mut hash = Sha256::new();
    hash.update(b"xianjie/unique/v1\0");
    hash.update(document.sender.as_str().as_bytes());
    hash.update(b"\0");
    hash.update(document.kind.as_str().as_bytes());
    hash.update(b"\0");
    hash.update(case.map(|case| case.0).unwrap_or_default());
    hash.update(case_number(document).as_bytes());
    Digest(hash.finalize().into())
}

fn case_number(document: &Document) -> &str {
    match document.fact("case_number") {
        Some(Fact::Text(text)) => text,
        _ => "",
    }
}

fn row<'v>(view: &'v View<'_>, case: CaseRef) -> Option<&'v Case> {
    match view.get(&Key::Case(case))? {
        Row::Case(row) => Some(row),
        _ => None,
    }
}
