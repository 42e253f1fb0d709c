//! The tests (审查规则) that a document must pass: first those that refuse, at last those that only flag.

use super::phrases::{Phrases, joined};
use super::{Line, Phrase, Source};
use crate::domain::rulebook::{OnBreak, Ruled, Table, Test, TestKind};

pub(super) fn lines<B>(phrases: &Phrases<'_>, table: &Table<B>) -> Vec<Line> {
    let line =
        |test: &Ruled<Test>| Line::new(test_phrase(phrases, &test.item)).from(Source::of(test));
    let mut rules: Vec<_> = table.rules.iter().collect();
    rules.sort_by_key(|rule| rule.item.on_break);
    rules.into_iter().map(line).collect()
}

fn test_phrase(phrases: &Phrases<'_>, test: &Test) -> Phrase {
    let broken = phrases.when(broken(phrases, &test.test), test.when.as_ref());
    let (en, zh) = match test.on_break {
        OnBreak::Refuse => ("refused if", "不予接收"),
        OnBreak::Outside => {
            ("taken and flagged, without other effect, if", "照收并予以提示，不发生其他效力")
        }
        OnBreak::Flag => ("taken and flagged if", "照收但予以提示"),
    };
    Phrase::new(format!("{en}: {}", broken.english), format!("{zh}：{}", broken.chinese))
}

/// What a document is like that breaks a test.
pub(super) fn broken(phrases: &Phrases<'_>, test: &TestKind) -> Phrase {
    match test {
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
        TestKind::ExpectParty(relations) => {
            let who = relations.iter().map(|relation| phrases.relation(relation));
            let who = joined(who, " or ", "或者");
            Phrase::new(
                format!("the {} had no document of the case before", who.english),
                format!("{}此前没有本案文书", who.chinese),
            )
        }
        TestKind::ExpectOwed(duty) => Phrase::new(
            format!("nobody owes the duty \"{duty}\" that it would end"),
            format!("没有可由此文书完成的义务“{duty}”"),
        ),
        TestKind::Always => Phrase::new("always", "一律"),
    }
}
