//! The duties (期限义务) that a document opens, answer by answer: who owes what by when, how it is
//! done, and what becomes of it when it passes undone.

use super::phrases::Phrases;
use super::{Line, Phrase, Source};
use crate::domain::rulebook::{DutyRule, Extend, Limit, OwnerRule, Ruled, Soft};

/// A duty in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    /// Its name, and the condition under which it is opened.
    pub name: Phrase,
    /// The rows of the law that it writes.
    pub rows: Vec<String>,
    /// Where it comes from.
    pub source: Source,
    /// Who owes it.
    pub owner: Phrase,
    /// By when, and from when that counts.
    pub limit: Phrase,
    /// What does it, and what ends, moves, extends or suspends it; never empty.
    pub endings: Vec<Phrase>,
    /// What a limit that has passed means; never empty.
    pub overdue: Vec<Phrase>,
    /// The duty that opens then.
    pub if_missed: Option<Box<Duty>>,
}

impl Duty {
    pub(super) fn of(phrases: &Phrases<'_>, duty: &Ruled<DutyRule>) -> Self {
        let rule = &duty.item;
        let missed = rule.if_missed.as_deref();
        Self {
            name: phrases.when(Phrase::same(rule.name.as_str()), rule.when.as_ref()),
            rows: rule.rows.clone(),
            source: Source::of(duty),
            owner: owner(phrases, &rule.owner),
            limit: phrases.limit(&rule.limit),
            endings: endings(phrases, rule),
            overdue: overdue(rule),
            if_missed: missed.map(|missed| Box::new(Self::of(phrases, missed))),
        }
    }

    /// It as a line, its answers under it.
    #[must_use]
    pub fn line(&self) -> Line {
        let mut details = vec![
            labelled("owed by", "义务人", &self.owner),
            labelled("limit", "期限", &self.limit),
        ];
        details.extend(self.endings.iter().chain(&self.overdue).cloned());
        let mut details: Vec<_> = details.into_iter().map(Line::new).collect();
        if let Some(missed) = &self.if_missed {
            let phrase = Phrase::new("if it passes undone", "逾期未完成的");
            details.push(Line::new(phrase).with(vec![missed.line()]));
        }
        Line::new(self.name.clone()).from(self.source.clone()).with(details)
    }
}

fn labelled(english: &str, chinese: &str, phrase: &Phrase) -> Phrase {
    Phrase::new(format!("{english}: {}", phrase.english), format!("{chinese}：{}", phrase.chinese))
}

fn endings(phrases: &Phrases<'_>, duty: &DutyRule) -> Vec<Phrase> {
    let mut endings = Vec::new();
    if duty.closed_by_self {
        endings.push(Phrase::new(
            "done by this document: was it in time?",
            "由本文书完成：审查是否逾期",
        ));
    }
    if duty.done_when_decided && duty.limit.counts_hours() {
        endings.push(Phrase::new(
            "done at the time of the decision, if it is stated; else on arrival",
            "载明作出时间的，以该时间为完成时间；未载明的，以送达之时",
        ));
    } else if duty.done_when_decided {
        endings.push(Phrase::new(
            "done on the decision date, whenever it arrives",
            "以作出裁定、决定之日为完成之日，不以送达之日",
        ));
    }
    for (types, english, chinese) in [
        (&duty.closed_by, "done by", "完成文书"),
        (&duty.cancelled_by, "ended without breach by", "免除文书"),
    ] {
        if !types.is_empty() {
            endings.push(labelled(english, chinese, &phrases.types(types)));
        }
    }
    if let Some((name, relation)) = &duty.passes_to {
        let (name, to) = (phrases.kind(name), phrases.relation(relation));
        endings.push(Phrase::new(
            format!("passes with {} to the {}", name.english, to.english),
            format!("{}发出后，义务转由{}承担", name.chinese, to.chinese),
        ));
    }
    if let Some(extend) = &duty.extend {
        endings.push(labelled("extension", "延长", &extension(phrases, extend)));
    }
    if let Some((with, until)) = &duty.suspend {
        let (with, until) = (phrases.kind(with), phrases.kind(until));
        endings.push(Phrase::new(
            format!("stands still from {} until {}", with.english, until.english),
            format!("自{}起中止，至{}止", with.chinese, until.chinese),
        ));
    }
    endings
}

fn overdue(duty: &DutyRule) -> Vec<Phrase> {
    let mut overdue = vec![match (&duty.limit, duty.right) {
        (_, true) => Phrase::new("a right: it lapses, no breach", "属于权利：期满失权，不构成逾期"),
        (Limit::Soft(Soft::AtOnce | Soft::Promptly), false) => {
            Phrase::new("a reminder, never a breach", "仅提示，不构成逾期")
        }
        (_, false) => Phrase::new("missed: recorded as overdue", "期满未完成的，记为逾期"),
    }];
    if duty.handover {
        overdue.push(Phrase::new(
            "the time limit of the handover of the person: missed, it alarms",
            "人员交接的期限：逾期即告警",
        ));
    }
    overdue
}

fn owner(phrases: &Phrases<'_>, owner: &OwnerRule) -> Phrase {
    match owner {
        OwnerRule::Agency(relation) => phrases.relation(relation),
        OwnerRule::Person(relation) => {
            let watcher = phrases.relation(relation);
            Phrase::new(
                format!("the person; watched by the {}", watcher.english),
                format!("社区矫正对象本人；由{}督促", watcher.chinese),
            )
        }
    }
}

fn extension(phrases: &Phrases<'_>, extend: &Extend) -> Phrase {
    let with = phrases.kind(&extend.with);
    let (en, zh) = match extend.by {
        Some(span) => (format!("by {span}"), format!("延长{}", super::chinese::span(span))),
        None => ("to the date that it states".to_owned(), "延至其载明之日".to_owned()),
    };
    let times = extend.times;
    let phrase = Phrase::new(
        format!("{en} with {}, at most {times} times", with.english),
        format!("凭{}{zh}，至多{times}次", with.chinese),
    );
    phrases.when(phrase, extend.when.as_ref())
}
