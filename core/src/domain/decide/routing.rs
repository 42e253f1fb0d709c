//! To whom a document goes (P7): all whom the statute names, each once, and nobody else.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::relation::{Condition, Found, Place, Relation, Scene, Unresolved};
use crate::domain::role::Role;
use crate::domain::rulebook::{Class, Entry, Ruled, Table, Who};
use crate::domain::state::DocumentRow;
use crate::ids::AgencyCode;
use crate::limits;
use crate::refusal::{Reason, Violation};

/// One addressee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Addressee {
    /// Who.
    pub(super) agency: AgencyCode,
    /// Copy (抄送) rather than primary (主送).
    pub(super) copy: bool,
    /// In place of an agency that does not exist.
    pub(super) in_lieu: bool,
    /// The first rule that names it.
    pub(super) rule: String,
    /// The articles of all rules that name it.
    pub(super) articles: Vec<String>,
    /// The kinds of attachment that go along, by all rules that name it; empty: all.
    pub(super) carries: BTreeSet<String>,
}

/// Where a document goes, and the roles that its choices fill.
#[derive(Debug, Default)]
pub(super) struct Route {
    /// The addressees, primaries first.
    pub(super) addressees: Vec<Addressee>,
    /// The agencies chosen for a role that the law leaves open.
    pub(super) roles: BTreeMap<Role, AgencyCode>,
    /// For each agency that the document chooses, the choices that it fits.
    choices: BTreeMap<AgencyCode, BTreeSet<String>>,
    /// A primary addressee is the sender itself.
    to_itself: bool,
}

/// Works the route out; adds what is wrong to `violations`.
pub(super) fn route(scene: &Scene<'_>, table: &Table, violations: &mut Vec<Violation>) -> Route {
    let mut route = Route::default();
    let mut scene = scene.clone();
    for (entries, copy) in [(&table.to, false), (&table.copies, true)] {
        // Copies may be told from the first primary addressee.
        scene.addressee = route.addressees.first().map(|first| first.agency.clone());
        for entry in entries {
            if holds(&scene, entry.item.when.as_ref()) {
                match &entry.item.who {
                    Who::Relation(relation) => {
                        route.add_relation(&scene, entry, relation, copy, violations);
                    }
                    Who::Named { name, fits } => {
                        route.add_named(&scene, entry, name, fits, copy, violations);
                    }
                }
            }
        }
    }
    route.check_choices(&scene, violations);
    let is_record = table.base.class == Class::Record;
    let primary = route.addressees.iter().any(|addressee| !addressee.copy);
    // Whoever asked may have been merged into whoever answers: the answer is recorded and goes to nobody.
    let answers_itself = route.to_itself && scene.answered.is_some();
    if !is_record && !primary && !answers_itself && violations.is_empty() {
        violations.push(Violation::new(Reason::NoAgency, "").articles(&table.articles));
    }
    if route.addressees.len() > limits::ADDRESSEES {
        violations.push(Violation::new(Reason::TooManyAddressees, "chosen_agencies"));
    }
    route
}

/// Whether a condition, if there is one, holds.
pub(super) fn holds(scene: &Scene<'_>, when: Option<&Condition>) -> bool {
    when.is_none_or(|condition| scene.holds(condition))
}

impl Route {
    fn add_relation(
        &mut self,
        scene: &Scene<'_>,
        entry: &Ruled<Entry>,
        relation: &Relation,
        copy: bool,
        violations: &mut Vec<Violation>,
    ) {
        match scene.resolve(relation) {
            Ok(found) => {
                for chosen in &scene.document.chosen {
                    let several = scene.candidates(relation).len() > 1;
                    if several && found.iter().any(|f| stands_for(scene, chosen, &f.agency)) {
                        self.choose(chosen, relation.to_string());
                    }
                }
                for found in found {
                    self.add(scene, entry, found, copy);
                }
            }
            Err(unresolved) => violations.push(violation(&unresolved, &entry.articles)),
        }
    }

    fn add_named(
        &mut self,
        scene: &Scene<'_>,
        entry: &Ruled<Entry>,
        name: &str,
        fits: &[(Relation, Option<Condition>)],
        copy: bool,
        violations: &mut Vec<Violation>,
    ) {
        let fits: Vec<&Relation> = fits
            .iter()
            .filter(|(_, when)| holds(scene, when.as_ref()))
            .map(|(relation, _)| relation)
            .collect();
        let several_may = fits.iter().any(|relation| **relation == Relation::Any);
        let mut chosen: Vec<AgencyCode> = scene
            .document
            .chosen
            .iter()
            .filter(|agency| fits.iter().any(|relation| scene.fits(agency, relation)))
            .cloned()
            .collect();
        for agency in &chosen {
            self.choose(agency, name.to_owned());
        }
        if chosen.is_empty() {
            let mut candidates: Vec<AgencyCode> =
                fits.iter().flat_map(|relation| scene.candidates(relation)).collect();
            candidates.sort();
            candidates.dedup();
            match (&candidates[..], several_may) {
                ([], _) => {
                    let no_agency = Violation::new(Reason::NoAgency, "chosen_agencies");
                    violations.push(no_agency.help(name).articles(&entry.articles));
                    return;
                }
                ([_], false) => chosen = candidates,
                _ => {
                    violations.push(must_name(&candidates, name, &entry.articles));
                    return;
                }
            }
        }
        if chosen.len() > 1 && !several_may {
            violations.push(must_name(&chosen, name, &entry.articles));
            return;
        }
        let role = Role::WORDS.iter().find(|(_, word)| *word == name).map(|(role, _)| *role);
        for agency in chosen {
            let agency = scene.directory.successor(&agency).clone();
            if let Some(role) = role {
                self.roles.insert(role, agency.clone());
            }
            self.add(scene, entry, Found { agency, in_lieu: false }, copy);
        }
    }

    /// Two statutes that leave the same choice leave one.
    fn choose(&mut self, agency: &AgencyCode, choice: String) {
        self.choices.entry(agency.clone()).or_default().insert(choice);
    }

    /// Adds an addressee: never the sender itself, and nobody twice; a primary stays primary.
    fn add(&mut self, scene: &Scene<'_>, entry: &Ruled<Entry>, found: Found, copy: bool) {
        if found.agency == scene.document.sender {
            self.to_itself |= !copy;
            return;
        }
        match self.addressees.iter_mut().find(|a| a.agency == found.agency) {
            Some(known) => {
                for article in &entry.articles {
                    if !known.articles.contains(article) {
                        known.articles.push(article.clone());
                    }
                }
                match entry.item.carries.is_empty() {
                    true => known.carries.clear(),
                    false if known.carries.is_empty() => {}
                    false => known.carries.extend(entry.item.carries.iter().cloned()),
                }
            }
            None => self.addressees.push(Addressee {
                agency: found.agency,
                copy,
                in_lieu: found.in_lieu,
                rule: entry.path.clone(),
                articles: entry.articles.clone(),
                carries: entry.item.carries.iter().cloned().collect(),
            }),
        }
    }

    /// A replacement goes to all who got what it replaces, too, or to who took their places.
    pub(super) fn add_old(&mut self, scene: &Scene<'_>, old: &DocumentRow, articles: &[String]) {
        for addressed in &old.addressed {
            let agency = scene.directory.successor(&addressed.agency).clone();
            let known = self.addressees.iter().any(|addressee| addressee.agency == agency);
            if !known && agency != scene.document.sender {
                self.addressees.push(Addressee {
                    agency,
                    copy: addressed.copy,
                    in_lieu: false,
                    rule: "hub/replaces".to_owned(),
                    articles: articles.to_vec(),
                    carries: addressed.carries.clone(),
                });
            }
        }
    }

    /// Each chosen agency must fit exactly one place where the law leaves a choice.
    fn check_choices(&self, scene: &Scene<'_>, violations: &mut Vec<Violation>) {
        for (place, agency) in scene.document.chosen.iter().enumerate() {
            if self.choices.get(agency).map(BTreeSet::len) != Some(1) {
                let field = format!("chosen_agencies[{place}]");
                violations.push(Violation::new(Reason::ChoiceUnfit, field));
            }
        }
    }
}

fn stands_for(scene: &Scene<'_>, chosen: &AgencyCode, agency: &AgencyCode) -> bool {
    scene.directory.successor(chosen) == agency
}

fn must_name(candidates: &[AgencyCode], name: &str, articles: &[String]) -> Violation {
    let codes: Vec<&str> =
        candidates.iter().take(limits::CANDIDATES).map(AgencyCode::as_str).collect();
    Violation::new(Reason::MustName, "chosen_agencies")
        .help(format!("{name}: {}", codes.join(", ")))
        .articles(articles)
}

/// What is wrong where a relation finds nobody, or not one.
pub(super) fn violation(unresolved: &Unresolved, articles: &[String]) -> Violation {
    let violation = match unresolved {
        Unresolved::RoleUnknown(_, field) => Violation::new(Reason::RoleUnknown, field.as_str()),
        Unresolved::NoPlace(place, field) if *place == Place::Execution => {
            Violation::new(Reason::Required, field.as_str())
        }
        Unresolved::NoPlace(_, field) => Violation::new(Reason::NoAgency, field.as_str()),
        Unresolved::NoAgency => Violation::new(Reason::NoAgency, ""),
        Unresolved::Several(codes) => return must_name(codes, "several fit", articles),
    };
    violation.articles(articles)
}

#[cfg(test)]
mod tests;
