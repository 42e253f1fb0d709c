//! Topics of query in words: under which a type is found, and what one holds.

use super::{Line, Phrase, Phrases, Source, phrases};
use crate::domain::rulebook::{Ruled, Topic};

/// The question that a topic answers for a document type.
pub(super) fn heading() -> Phrase {
    Phrase::new("Topics under which it is queried", "可供查询的专题")
}

/// One topic and who may query it.
pub(super) fn line(topic: &Ruled<Topic>) -> Line {
    let Topic { name, title, .. } = &topic.item;
    let by = queried_by(&topic.item);
    let phrase = Phrase::new(
        format!("{name}, by {}", by.english),
        format!("{title}（{name}），由{}查询", by.chinese),
    );
    Line::new(phrase).from(Source::of(topic))
}

/// What one topic holds, for a page: who may query it, then its document types.
pub(super) fn lines(phrases: &Phrases<'_>, topic: &Ruled<Topic>) -> Vec<Line> {
    let by = queried_by(&topic.item);
    let may = Phrase::new(
        format!("may be queried by {}", by.english),
        format!("可以查询的单位：{}", by.chinese),
    );
    let types = topic.item.documents.iter();
    let types = types.map(|name| Line::new(phrases.types(std::slice::from_ref(name))));
    let held = Phrase::new("documents", "文书");
    vec![Line::new(may).from(Source::of(topic)), Line::new(held).with(types.collect())]
}

fn queried_by(topic: &Topic) -> Phrase {
    phrases::joined(topic.queried_by.iter().map(phrases::sender), ", ", "、")
}
