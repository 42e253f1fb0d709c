//! To whom a document goes (P7): all whom the statute names, each once, and nobody else.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::explain::{Phrase, named_phrase, place_phrase, relation_phrase, role_phrase};
use crate::domain::relation::{Condition, Found, Place, Relation, Scene, Unresolved};
use crate::domain::role::Role;
use crate::domain::rulebook::{Entry, Ruled, Table, Who};
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
    pub(super) to_itself: bool,
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
            Err(unresolved) => {
                violations.push(violation(scene, relation, &unresolved, &entry.articles));
            }
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
                    let (sought, fitting) = (named_phrase(name), any_of(fits));
                    violations.push(
                        Violation::new(Reason::NoAgency, "chosen_agencies")
                            .help_in(
                                format!("{}: {}", sought.english, fitting.english),
                                format!("{}：{}", sought.chinese, fitting.chinese),
                            )
                            .articles(&entry.articles),
                    );
                    return;
                }
                ([_], false) => chosen = candidates,
                _ => {
                    let sought = named_phrase(name);
                    violations.push(must_name(&candidates, &sought, &entry.articles));
                    return;
                }
            }
        }
        if chosen.len() > 1 && !several_may {
            violations.push(must_name(&chosen, &named_phrase(name), &entry.articles));
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

fn must_name(candidates: &[AgencyCode], sought: &Phrase, articles: &[String]) -> Violation {
    let codes: Vec<&str> =
        candidates.iter().take(limits::CANDIDATES).map(AgencyCode::as_str).collect();
    let (english, chinese) = (codes.join(", "), codes.join("、"));
    Violation::new(Reason::MustName, "chosen_agencies")
        .help_in(format!("{}: {english}", sought.english), format!("{}：{chinese}", sought.chinese))
        .articles(articles)
}

/// Any of these.
pub(super) fn any_of<'r>(relations: impl IntoIterator<Item = &'r Relation>) -> Phrase {
    let phrases: Vec<Phrase> = relations.into_iter().map(relation_phrase).collect();
    Phrase {
        english: phrases.iter().map(|p| &*p.english).collect::<Vec<_>>().join(" or "),
        chinese: phrases.iter().map(|p| &*p.chinese).collect::<Vec<_>>().join("或者"),
    }
}

/// What is wrong where a relation finds nobody, or not one: whom it seeks, and the field that tells where.
pub(super) fn violation(
    scene: &Scene<'_>,
    relation: &Relation,
    unresolved: &Unresolved,
    articles: &[String],
) -> Violation {
    let sought = relation_phrase(relation);
    let (reason, field, help) = match unresolved {
        Unresolved::RoleUnknown(role, field) => {
            (Reason::RoleUnknown, field.as_str(), role_phrase(*role))
        }
        Unresolved::NoPlace(place, field) => {
            let is_missing = *place == Place::Execution;
            let reason = if is_missing { Reason::Required } else { Reason::NoAgency };
            (reason, field.as_str(), place_phrase(*place))
        }
        Unresolved::NoAgency => match linked_from(scene, relation) {
            Some(from) => (Reason::NoAgency, "", no_link(&from, &sought)),
            None => (Reason::NoAgency, place_field(scene, relation), sought),
        },
        Unresolved::Several(codes) => return must_name(codes, &sought, articles),
    };
    Violation::new(reason, field).help_in(help.english, help.chinese).articles(articles)
}

/// The agency from which a relation follows a link of the directory.
fn linked_from(scene: &Scene<'_>, relation: &Relation) -> Option<AgencyCode> {
    match relation {
        Relation::Superior(role)
        | Relation::Over(_, _, role)
        | Relation::SupervisingProcuratorate(role) => scene.role(*role),
        _ => None,
    }
}

fn no_link(from: &AgencyCode, sought: &Phrase) -> Phrase {
    Phrase {
        english: format!("the directory links {from} to none: {}", sought.english),
        chinese: format!("名录未登记{from}的相应单位：{}", sought.chinese),
    }
}

/// The field in which the document says where a relation seeks; none, where the case says it.
fn place_field(scene: &Scene<'_>, relation: &Relation) -> &'static str {
    let (Relation::OfPlace(_, _, place)
    | Relation::Within(_, _, place)
    | Relation::LevelWith(_, _, place)) = relation
    else {
        return "";
    };
    let field = place.field();
    if scene.document.present.contains(field) { field } else { "" }
}

#[cfg(test)]
mod tests;
