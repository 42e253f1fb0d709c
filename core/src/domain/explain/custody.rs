//! What a document does to custody (监管责任), as the table of custody says it.

use super::phrases::{Phrases, joined};
use super::{Line, Phrase, chinese};
use crate::domain::custody::{State, Step};
use crate::domain::role::Role;
use crate::domain::rulebook::{Base, CustodyRule};

pub(super) fn lines(phrases: &Phrases<'_>, base: &Base) -> Vec<Line> {
    match &base.custody {
        CustodyRule::Nothing => Vec::new(),
        CustodyRule::Step(step) => vec![line(phrases, *step, None)],
        CustodyRule::ByField(field, steps) => {
            let name = chinese::field(field);
            let case = |word: &str| {
                if word.is_empty() {
                    return Phrase::new(format!("no {field}: "), format!("未填{name}的："));
                }
                let value = phrases.value(field, word);
                Phrase::new(
                    format!("{field} {}: ", value.english),
                    format!("{name}为{}：", value.chinese),
                )
            };
            steps.iter().map(|(word, step)| line(phrases, *step, Some(case(word)))).collect()
        }
        CustodyRule::ByAnswer(steps) => {
            let case = |answered: &Phrase| {
                Phrase::new(
                    format!("answering {}: ", answered.english),
                    format!("答复{}：", answered.chinese),
                )
            };
            let step =
                |(name, step): &(_, Step)| line(phrases, *step, Some(case(&phrases.kind(name))));
            steps.iter().map(step).collect()
        }
    }
}

fn line(phrases: &Phrases<'_>, step: Step, case: Option<Phrase>) -> Line {
    let case = case.unwrap_or_else(|| Phrase::same(""));
    let phrase = Phrase::new(
        format!("{}step `{}`", case.english, step.word()),
        format!("{}{}", case.chinese, chinese::step(step)),
    );
    Line::new(phrase).with(details(phrases, step))
}

fn details(phrases: &Phrases<'_>, step: Step) -> Vec<Line> {
    let custody = phrases.law.custody();
    let mut lines = Vec::new();
    for (from, next) in custody.steps.get(&step).into_iter().flatten() {
        lines.push(moves(*from, next.there, ("", "")));
        if next.if_missing != next.there {
            let missing = (", if the person is missing", "（下落不明的）");
            lines.push(moves(*from, next.if_missing, missing));
        }
    }
    if let Some(states) = custody.flagged.get(&step) {
        let states = states.iter().map(|state| state_phrase(*state));
        let states = joined(states, ", ", "、");
        lines.push(Line::new(Phrase::new(
            format!("taken and flagged, without a change of state, in: {}", states.english),
            format!("下列状态下照收但予以提示，状态不变：{}", states.chinese),
        )));
    }
    let flags = [
        (&custody.missing, "missing", "下落不明"),
        (&custody.guard, "held by another agency", "被其他单位限制人身自由"),
        (&custody.proposal, "a proposal to revoke is open", "撤销、收监提请在办"),
    ];
    for (rule, english, chinese) in flags {
        if rule.set_by.contains(&step) {
            lines.push(Line::new(Phrase::new(
                format!("notes: {english}"),
                format!("记载：{chinese}"),
            )));
        }
        if rule.cleared_by.contains(&step) {
            lines.push(Line::new(Phrase::new(
                format!("ends: {english}"),
                format!("消除：{chinese}"),
            )));
        }
    }
    if custody.guard.set_by.contains(&step) {
        let kinds = custody.kinds.get(&Role::Guard).into_iter().flatten();
        let kinds = kinds.map(|kind| Phrase::new(kind.word(), chinese::kinds(&[*kind])));
        let kinds = joined(kinds, ", ", "、");
        lines.push(Line::new(Phrase::new(
            format!("who holds the person is one of: {}", kinds.english),
            format!("限制人身自由的执行单位限于：{}", kinds.chinese),
        )));
    }
    lines
}

fn moves(from: State, to: State, case: (&str, &str)) -> Line {
    let (from, to) = (state_phrase(from), state_phrase(to));
    Line::new(Phrase::new(
        format!("{} → {}{}", from.english, to.english, case.0),
        format!("{} → {}{}", from.chinese, to.chinese, case.1),
    ))
}

/// A state of custody (监管责任) in words.
#[must_use]
pub fn state_phrase(state: State) -> Phrase {
    Phrase::new(state.word().replace('_', " "), chinese::state(state))
}

/// A step of custody in words.
#[must_use]
pub fn step_phrase(step: Step) -> Phrase {
    Phrase::new(step.word().replace('_', " "), chinese::step(step))
}
