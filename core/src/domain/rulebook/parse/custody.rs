//! `custody.toml`: the table of custody as text.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::answering;
use super::reader::{Node, Reported, Source};
use crate::domain::agency::Kind;
use crate::domain::custody::{CustodyTable, FlagRule, Next, State, Step};
use crate::domain::relation::{Relation, RoleRef};
use crate::domain::role::Role;
use crate::domain::rulebook::mention::Mention;
use crate::domain::rulebook::{Entry, RulebookError};

impl CustodyTable {
    /// Reads the table of custody.
    ///
    /// # Errors
    /// All errors of the text at once, in the order of their lines.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, Vec<RulebookError>> {
        read_custody(file_name, text).map(|(table, _)| table)
    }
}

/// Reads the table of custody, and what it mentions.
pub(in crate::domain::rulebook) fn read_custody(
    file_name: &str,
    text: &str,
) -> Result<(CustodyTable, Vec<Mention>), Vec<RulebookError>> {
    Source::new(file_name, text).read(table)
}

fn table(root: &Node<'_>) -> Result<CustodyTable, Reported> {
    let keys = root.keys(&["states", "step", "handover", "roles", "kinds", "flags", "flagged"])?;
    let answers = keys.need("states").and_then(|node| states(&node));
    let steps = keys.need("step").and_then(|node| steps(&node));
    let handover = keys.need("handover").and_then(|node| {
        let states = node.keys(&["states"])?.need("states")?;
        Ok(states.distinct(|state| state.word(State::WORDS))?.into_iter().collect())
    });
    let roles = keys.need("roles").and_then(|node| {
        node.each_entry(|word, node| Ok((step(word, node)?, role_changes(node)?)))
    });
    let kinds = keys.need("kinds").and_then(|node| node.each_entry(kinds_of_role));
    let flags = keys.need("flags").and_then(|node| flags(&node));
    let flagged = keys.need("flagged").and_then(|node| flagged(&node, &steps));
    let Flags { missing, guard, proposal } = flags?;
    Ok(CustodyTable {
        answers: answers?,
        steps: steps?,
        handover: handover?,
        roles: roles?.into_iter().collect(),
        missing,
        guard,
        proposal,
        kinds: kinds?.into_iter().collect(),
        flagged: flagged?,
    })
}

/// `[states]`: who answers in each.
fn states(node: &Node<'_>) -> Result<BTreeMap<State, Vec<Entry>>, Reported> {
    let words: Vec<_> = State::WORDS.iter().map(|(_, word)| *word).collect();
    let keys = node.keys(&words)?;
    let states: Vec<_> = State::WORDS
        .iter()
        .map(|(state, word)| Ok((*state, keys.need(word)?.list(answering)?)))
        .collect();
    states.into_iter().collect()
}

/// `[step.STEP]`: whither from each state; an empty table changes flags only.
fn steps(node: &Node<'_>) -> Result<BTreeMap<Step, BTreeMap<State, Next>>, Reported> {
    let words: Vec<_> = Step::WORDS.iter().map(|(_, word)| *word).collect();
    let keys = node.keys(&words)?;
    let steps: Vec<_> = Step::WORDS
        .iter()
        .map(|(step, word)| {
            let table = keys.need(word)?;
            let moves = table.each_entry(|from, node| Ok((state(from, node)?, next(node)?)))?;
            Ok((*step, moves.into_iter().collect()))
        })
        .collect();
    steps.into_iter().collect()
}

/// STATE, or `[STATE, STATE]`: the second if the person is missing.
fn next(node: &Node<'_>) -> Result<Next, Reported> {
    if node.if_text().is_some() {
        let there = node.word(State::WORDS)?;
        return Ok(Next { there, if_missing: there });
    }
    match node.distinct(|state| state.word(State::WORDS))?.as_slice() {
        [there, if_missing] => Ok(Next { there: *there, if_missing: *if_missing }),
        _ => Err(node.error("needs two states, the second if the person is missing".to_owned())),
    }
}

/// What a step in `[roles]` does: each role on the left is then what the right was before.
fn role_changes(node: &Node<'_>) -> Result<Vec<(Role, Option<RoleRef>)>, Reported> {
    node.each_entry(|word, node| {
        let role = role(word, node);
        let from = if node.if_text() == Some("") { Ok(None) } else { role_ref(node).map(Some) };
        Ok((role?, from?))
    })
}

/// `[kinds]`: which agencies may hold a role.
fn kinds_of_role(word: &str, node: &Node<'_>) -> Result<(Role, BTreeSet<Kind>), Reported> {
    let kinds = node.distinct(|kind| kind.word(Kind::WORDS))?;
    Ok((role(word, node)?, kinds.into_iter().collect()))
}

fn role(word: &str, node: &Node<'_>) -> Result<Role, Reported> {
    let role = Role::WORDS.iter().find(|(_, w)| *w == word).map(|(role, _)| *role);
    role.ok_or_else(|| node.unknown(word, Role::WORDS.iter().map(|(_, word)| *word)))
}

fn role_ref(node: &Node<'_>) -> Result<RoleRef, Reported> {
    match node.relation(Relation::parse)? {
        Relation::Role(role) => Ok(role),
        relation => Err(node.error(format!("\"{relation}\" is no role"))),
    }
}

/// `[flags]`.
struct Flags {
    missing: FlagRule,
    guard: FlagRule,
    proposal: FlagRule,
}

fn flags(node: &Node<'_>) -> Result<Flags, Reported> {
    let keys = node.keys(&["missing", "guard", "proposal"])?;
    let flag = |name: &str| keys.need(name).and_then(|node| flag_rule(&node));
    let (missing, guard, proposal) = (flag("missing"), flag("guard"), flag("proposal"));
    Ok(Flags { missing: missing?, guard: guard?, proposal: proposal? })
}

fn flag_rule(node: &Node<'_>) -> Result<FlagRule, Reported> {
    let keys = node.keys(&["set_by", "cleared_by"])?;
    let steps = |key: &str| -> Result<BTreeSet<Step>, Reported> {
        let steps = keys.need(key)?.distinct(|step| step.word(Step::WORDS))?;
        Ok(steps.into_iter().collect())
    };
    let (set_by, cleared_by) = (steps("set_by"), steps("cleared_by"));
    let rule = FlagRule { set_by: set_by?, cleared_by: cleared_by? };
    match rule.set_by.intersection(&rule.cleared_by).next() {
        Some(step) => Err(node.error(format!("{} sets it and clears it", step.word()))),
        None => Ok(rule),
    }
}

/// `[flagged]`: pairs that are taken as a contradiction; none of them is in the table of its step.
fn flagged(
    node: &Node<'_>,
    steps: &Result<BTreeMap<Step, BTreeMap<State, Next>>, Reported>,
) -> Result<BTreeMap<Step, BTreeSet<State>>, Reported> {
    let flagged = node.each_entry(|word, node| {
        let step = step(word, node)?;
        let states = node.distinct(|node| {
            let state = node.word(State::WORDS)?;
            let moves = steps.as_ref().ok().and_then(|steps| steps.get(&step));
            if moves.is_some_and(|moves| moves.contains_key(&state)) {
                return Err(node.error(format!("{word} from {} stands in its table", state.word())));
            }
            Ok(state)
        })?;
        Ok((step, states.into_iter().collect()))
    })?;
    Ok(flagged.into_iter().collect())
}

fn state(word: &str, node: &Node<'_>) -> Result<State, Reported> {
    let words = State::WORDS.iter().map(|(_, word)| *word);
    State::from_word(word).ok_or_else(|| node.unknown(word, words))
}

fn step(word: &str, node: &Node<'_>) -> Result<Step, Reported> {
    let words = Step::WORDS.iter().map(|(_, word)| *word);
    Step::from_word(word).ok_or_else(|| node.unknown(word, words))
}
