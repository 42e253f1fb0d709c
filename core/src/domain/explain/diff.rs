//! What one law says otherwise than another, type by type, in words.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{Explanation, Line, Phrase};
use crate::domain::rulebook::Law;
use crate::ids::DocumentType;

/// What becomes of one document type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The type.
    pub document_type: DocumentType,
    /// Its Chinese name: the new one, if there is one.
    pub name: String,
    /// Whether it comes, goes, or stays and changes.
    pub change: Change,
    /// The sections that change; for a type that goes, none.
    pub sections: Vec<SectionChange>,
}

/// Whether a type comes, goes, or stays and changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Only the new law knows it.
    New,
    /// Only the old law knows it.
    Gone,
    /// Both know it and say different things of it.
    Changed,
}

/// What changes in the answers to one question. A line that stands under others comes with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionChange {
    /// The question.
    pub heading: Phrase,
    /// What the old law alone says.
    pub removed: Vec<Phrase>,
    /// What the new law alone says.
    pub added: Vec<Phrase>,
}

impl Law {
    /// What `new` says on a day otherwise than this law does, in the order of the types' names.
    #[must_use]
    pub fn differences(&self, new: &Self, day: Date) -> Vec<Difference> {
        let (old_day, new_day) = (self.on(day), new.on(day));
        let types: BTreeSet<_> =
            old_day.documents.keys().chain(new_day.documents.keys()).cloned().collect();
        let pairs = types.iter().map(|name| (self.explain(name, day), new.explain(name, day)));
        pairs.filter_map(|(old, new)| difference(old.as_ref(), new.as_ref())).collect()
    }
}

fn difference(old: Option<&Explanation>, new: Option<&Explanation>) -> Option<Difference> {
    let (newest, change) = match (old, new) {
        (Some(_), Some(new)) => (new, Change::Changed),
        (None, Some(new)) => (new, Change::New),
        (Some(old), None) => (old, Change::Gone),
        (None, None) => return None,
    };
    let sections = match change {
        Change::Gone => Vec::new(),
        Change::New | Change::Changed => section_changes(old, newest),
    };
    if change == Change::Changed && sections.is_empty() {
        return None;
    }
    let (document_type, name) = (newest.document_type.clone(), newest.name.clone());
    Some(Difference { document_type, name, change, sections })
}

fn section_changes(old: Option<&Explanation>, new: &Explanation) -> Vec<SectionChange> {
    let (old, new) = (old.map(answers).unwrap_or_default(), answers(new));
    let mut headings: Vec<_> = new.iter().map(|(heading, _)| heading).collect();
    for (heading, _) in &old {
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    let told = |answers: &[(Phrase, Vec<Phrase>)], heading: &Phrase| {
        let found = answers.iter().find(|(other, _)| other == heading);
        found.map(|(_, lines)| lines.clone()).unwrap_or_default()
    };
    let change = |heading: &Phrase| {
        let (old, new) = (told(&old, heading), told(&new, heading));
        let alone = |these: &[Phrase], those: &[Phrase]| -> Vec<Phrase> {
            these.iter().filter(|line| !those.contains(line)).cloned().collect()
        };
        let (removed, added) = (alone(&old, &new), alone(&new, &old));
        SectionChange { heading: heading.clone(), removed, added }
    };
    let changes = headings.into_iter().map(change);
    changes.filter(|change| !change.removed.is_empty() || !change.added.is_empty()).collect()
}

/// Every question with its answers, each answer whole: one under another comes with it.
fn answers(explanation: &Explanation) -> Vec<(Phrase, Vec<Phrase>)> {
    let mut answers = vec![(Phrase::new("Name", "名称"), vec![Phrase::same(&explanation.name)])];
    for section in &explanation.sections {
        answers.push((section.heading.clone(), whole(&section.lines, None)));
    }
    let duties: Vec<_> = explanation.duties.iter().map(super::Duty::line).collect();
    answers.push((super::duties_heading(), whole(&duties, None)));
    let articles = explanation.sources.iter().flat_map(|source| {
        let unverified =
            if source.verified { ("", "") } else { (" (unverified)", "（未核对）") };
        source.articles.iter().map(move |article| {
            Phrase::new(format!("{article}{}", unverified.0), format!("{article}{}", unverified.1))
        })
    });
    answers.push((Phrase::new("Articles", "条文"), articles.collect()));
    answers
}

fn whole(lines: &[Line], above: Option<&Phrase>) -> Vec<Phrase> {
    let mut all = Vec::new();
    for line in lines {
        let phrase = match above {
            Some(above) => Phrase::new(
                format!("{} › {}", above.english, line.phrase.english),
                format!("{} › {}", above.chinese, line.phrase.chinese),
            ),
            None => line.phrase.clone(),
        };
        let below = whole(&line.details, Some(&phrase));
        all.push(phrase);
        all.extend(below);
    }
    all
}

#[cfg(test)]
mod tests;
