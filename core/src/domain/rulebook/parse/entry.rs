//! Addressees, relations and conditions as values in a file, with what they mention.

use super::articles;
use super::reader::{Keys, Node, Reported};
use crate::domain::relation::{Atom, Condition, Relation, RoleRef};
use crate::domain::rulebook::mention::{Expected, Mentioned};
use crate::domain::rulebook::{Entry, Who};
use crate::ids::DocumentType;

/// A relation with its condition: an addressee of the law's, or a place where a chosen one fits.
type Fit = (Relation, Option<Condition>);

/// Keys that any entry in a small table may have.
const COMMON_KEYS: &[&str] = &["when", "carries"];

/// Keys by which an entry names articles of its own.
const SOURCE_KEYS: &[&str] = &["articles", "verified"];

/// An ENTRY: a relation, `{ to, when, carries }` or `{ named, fits, when, carries }`.
pub(super) fn entry(node: &Node<'_>, document_type: &DocumentType) -> Result<Entry, Reported> {
    if !node.has("named") {
        if !has_source(node) && !node.has("carries") {
            let (relation, when) = unnamed(node, Some(document_type), relation)?;
            return Ok(Entry { who: Who::Relation(relation), when, carries: Vec::new() });
        }
        let keys = node.keys(&[&["to"], COMMON_KEYS, SOURCE_KEYS].concat())?;
        let to = keys.need("to").and_then(|to| relation(&to));
        let when = keys.optional("when", |when| condition(when, Some(document_type)));
        let carries = carries(&keys);
        return Ok(Entry { who: Who::Relation(to?), when: when?, carries: carries? });
    }
    let keys = node.keys(&[&["named", "fits"], COMMON_KEYS, SOURCE_KEYS].concat())?;
    let name = keys.need("named").and_then(|name| name.text().map(str::to_owned));
    let fits = keys
        .need("fits")
        .and_then(|fits| fits.distinct(|fit| unnamed(fit, Some(document_type), any_relation)));
    let when = keys.optional("when", |when| condition(when, Some(document_type)));
    let carries = carries(&keys);
    Ok(Entry { who: Who::Named { name: name?, fits: fits? }, when: when?, carries: carries? })
}

/// The kinds of attachment that go along with an entry.
fn carries(keys: &Keys<'_>) -> Result<Vec<String>, Reported> {
    keys.distinct("carries", |kind| kind.text().map(str::to_owned))
}

/// The articles of an entry and whether they were read, if it has its own; else those of its table.
pub(super) fn entry_source(
    node: &Node<'_>,
    table: &(Vec<String>, bool),
) -> Result<(Vec<String>, bool), Reported> {
    if !has_source(node) {
        return Ok(table.clone());
    }
    articles(&node.keys(&[&["to", "named", "fits"], COMMON_KEYS, SOURCE_KEYS].concat())?)
}

fn has_source(node: &Node<'_>) -> bool {
    SOURCE_KEYS.iter().any(|key| node.has(key))
}

/// An ENTRY of `to`, where there is no addressee yet.
pub(super) fn primary(node: &Node<'_>, document_type: &DocumentType) -> Result<Entry, Reported> {
    let entry = entry(node, document_type)?;
    let is_addressee = |relation: &Relation| relation.role() == Some(RoleRef::Addressee);
    let names_addressee = match &entry.who {
        Who::Relation(relation) => is_addressee(relation),
        Who::Named { fits, .. } => fits.iter().any(|(relation, _)| is_addressee(relation)),
    };
    if names_addressee {
        return Err(node.error("there is no addressee yet in `to`".to_owned()));
    }
    Ok(entry)
}

/// A relation or `{ to, when }`, for a state of custody: there is no document.
pub(super) fn answering(node: &Node<'_>) -> Result<Entry, Reported> {
    let (relation, when) = unnamed(node, None, relation)?;
    Ok(Entry { who: Who::Relation(relation), when, carries: Vec::new() })
}

/// A relation that finds agencies.
pub(super) fn relation(node: &Node<'_>) -> Result<Relation, Reported> {
    match any_relation(node)? {
        Relation::Any | Relation::AnySupervised => {
            Err(node.error("stands in `fits` only".to_owned()))
        }
        relation => Ok(relation),
    }
}

/// A condition on documents of a type; in a state of custody there is none.
pub(super) fn condition(
    node: &Node<'_>,
    document_type: Option<&DocumentType>,
) -> Result<Condition, Reported> {
    let condition = node.relation(Condition::parse)?;
    for (_, atom) in condition.atoms() {
        match (atom, document_type) {
            (Atom::Answers(_) | Atom::FieldIs(..), None) => {
                return Err(node.error(format!("{atom}: there is no document here")));
            }
            (Atom::Answers(named) | Atom::Received(named), _) => {
                node.mention(Mentioned::Type(named.clone()));
            }
            (Atom::FieldIs(field, word), Some(document_type)) => {
                let expected = Expected::Word(word.clone());
                let document_type = Some(document_type.clone());
                node.mention(Mentioned::Field(document_type, field.clone(), expected));
            }
            _ => {}
        }
    }
    Ok(condition)
}

fn unnamed<'a>(
    node: &Node<'a>,
    document_type: Option<&DocumentType>,
    read: impl Fn(&Node<'a>) -> Result<Relation, Reported>,
) -> Result<Fit, Reported> {
    if node.if_text().is_some() {
        return Ok((read(node)?, None));
    }
    let keys = node.keys(&["to", "when"])?;
    let to = keys.need("to").and_then(|to| read(&to));
    let when = keys.need("when").and_then(|when| condition(&when, document_type));
    Ok((to?, Some(when?)))
}

fn any_relation(node: &Node<'_>) -> Result<Relation, Reported> {
    let relation = node.relation(Relation::parse)?;
    if let Relation::AddresseeOfOpen(document_type) = &relation {
        node.mention(Mentioned::Type(document_type.clone()));
    }
    if let Some(place) = relation.place() {
        node.mention(Mentioned::Place(place));
    }
    Ok(relation)
}
