//! The duties (期限义务) that a document opens, and the tests that it must pass.

use super::phrases::{Phrases, joined};
use super::{Line, Phrase, Source};
use crate::domain::rulebook::{DutyRule, Extend, OwnerRule, Ruled, Table, Test, TestKind};

pub(super) fn duties(phrases: &Phrases<'_>, table: &Table) -> Vec<Line> {
    table.duties.iter().map(|duty| line(phrases, duty)).collect()
}

pub(super) fn tests(phrases: &Phrases<'_>, table: &Table) -> Vec<Line> {
    let line =
        |test: &Ruled<Test>| Line::new(test_phrase(phrases, &test.item)).from(Source::of(test));
    table.rules.iter().map(line).collect()
}

fn line(phrases: &Phrases<'_>, duty: &Ruled<DutyRule>) -> Line {
    let name = phrases.when(Phrase::same(duty.item.name.as_str()), duty.item.when.as_ref());
    Line::new(name).from(Source::of(duty)).with(details(phrases, &duty.item))
}

fn details(phrases: &Phrases<'_>, duty: &DutyRule) -> Vec<Line> {
    let limit = phrases.limit(&duty.limit);
    let labelled = |english: &str, chinese: &str, phrase: Phrase| {
        Line::new(Phrase::new(
            format!("{english}: {}", phrase.english),
            format!("{chinese}：{}", phrase.chinese),
        ))
    };
    let mut lines = vec![
        labelled("owed by", "义务人", owner(phrases, &duty.owner)),
        labelled("limit", "期限", limit),
    ];
    if duty.closed_by_self {
        lines.push(Line::new(Phrase::new(
            "done by this document: was it in time?",
            "由本文书完成：审查是否逾期",
        )));
    }
    if !duty.closed_by.is_empty() {
        lines.push(labelled("done by", "完成文书", phrases.types(&duty.closed_by)));
    }
    if !duty.cancelled_by.is_empty() {
        lines.push(labelled(
            "ended without breach by",
            "免除文书",
            phrases.types(&duty.cancelled_by),
        ));
    }
    if let Some((name, relation)) = &duty.passes_to {
        let (name, to) = (phrases.kind(name), phrases.relation(relation));
        lines.push(Line::new(Phrase::new(
            format!("passes with {} to the {}", name.english, to.english),
            format!("{}发出后，义务转由{}承担", name.chinese, to.chinese),
        )));
    }
    if let Some(extend) = &duty.extend {
        lines.push(labelled("extension", "延长", extension(phrases, extend)));
    }
    if let Some((with, until)) = &duty.suspend {
        let (with, until) = (phrases.kind(with), phrases.kind(until));
        lines.push(Line::new(Phrase::new(
            format!("stands still from {} until {}", with.english, until.english),
            format!("自{}起中止，至{}止", with.chinese, until.chinese),
        )));
    }
    if duty.right {
        lines.push(Line::new(Phrase::new(
            "a right: it lapses, no breach",
            "属于权利：期满失权，不构成逾期",
        )));
    }
    if duty.handover {
        lines.push(Line::new(Phrase::new(
            "the time limit of the handover of the person: missed, it alarms",
            "人员交接的期限：逾期即告警",
        )));
    }
    if let Some(missed) = &duty.if_missed {
        let phrase = Phrase::new("if it passes undone", "逾期未完成的");
        lines.push(Line::new(phrase).with(vec![self::line(phrases, missed)]));
    }
    lines
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

fn test_phrase(phrases: &Phrases<'_>, test: &Test) -> Phrase {
    let broken = match &test.test {
        TestKind::Forbid(condition) => phrases.condition(condition),
        TestKind::NeedsOpen(name, same_sender) => {
            let name = phrases.kind(name);
            let by = if *same_sender { (" of this sender", "本单位") } else { ("", "") };
            Phrase::new(
                format!("the case has no open {}{}", name.english, by.0),
                format!("案件中没有{}在办的{}", by.1, name.chinese),
            )
        }
        TestKind::NoneOpen(names) => {
            let names = phrases.types(names);
            Phrase::new(
                format!("the case has an open {}", names.english),
                format!("案件中有在办的{}", names.chinese),
            )
        }
        TestKind::ExpectBefore(names) => {
            let names = phrases.types(names);
            Phrase::new(
                format!("there was no {} before", names.english),
                format!("此前没有{}", names.chinese),
            )
        }
        TestKind::ExpectSender(relations) => {
            let who = relations.iter().map(|relation| phrases.relation(relation));
            let who = joined(who, " or ", "或者");
            Phrase::new(
                format!("the sender is not the {}", who.english),
                format!("发送单位不是{}", who.chinese),
            )
        }
        TestKind::Always => Phrase::new("always", "一律"),
    };
    let broken = phrases.when(broken, test.when.as_ref());
    let (en, zh) = if test.refuse {
        ("refused if", "不予接收")
    } else {
        ("taken and flagged if", "照收但予以提示")
    };
    Phrase::new(format!("{en}: {}", broken.english), format!("{zh}：{}", broken.chinese))
}
