//! Relations, conditions, entries and limits as phrases in two languages.

use super::{Line, Phrase, chinese};
use crate::domain::agency::Level;
use crate::domain::duty::RollRule;
use crate::domain::relation::{Atom, Condition, Kinds, Relation};
use crate::domain::rulebook::{Entry, Event, Law, Limit, SenderKind, Who};
use crate::domain::term::Span;
use crate::ids::DocumentType;

/// Makes phrases; the law knows the Chinese names of document types.
pub(super) struct Phrases<'a> {
    pub(super) law: &'a Law,
}

/// Phrases one after the other.
pub(super) fn joined(
    phrases: impl Iterator<Item = Phrase>,
    english: &str,
    chinese: &str,
) -> Phrase {
    let (en, zh): (Vec<_>, Vec<_>) = phrases.map(|p| (p.english, p.chinese)).unzip();
    Phrase::new(en.join(english), zh.join(chinese))
}

/// Who may send.
pub(super) fn sender(sender: &SenderKind) -> Phrase {
    if sender.kinds.is_empty() {
        return Phrase::new("any agency", "任何单位");
    }
    let (en, zh) = (Kinds(sender.kinds.clone()).word(), chinese::kinds(&sender.kinds));
    match (sender.level, sender.or_above) {
        (None, _) => Phrase::new(en, zh),
        (Some(level), false) => Phrase::new(
            format!("{en} ({})", level.word()),
            format!("{}{zh}", chinese::level(level)),
        ),
        (Some(level), true) => Phrase::new(
            format!("{en} ({} or above)", level.word()),
            format!("{}以上{zh}", chinese::level(level)),
        ),
    }
}

/// Who a relation names, with a Chinese name for each document type.
pub(super) fn related(relation: &Relation, name_of: impl Fn(&DocumentType) -> String) -> Phrase {
    let chinese = match relation {
        Relation::Role(role) => chinese::role_ref(*role).to_owned(),
        Relation::OfPlace(level, kinds, place) => {
            let level = level.map_or("", chinese::level);
            format!("{}{level}{}", chinese::place(*place), chinese::kinds(&kinds.0))
        }
        Relation::Within(level, kinds, place) => {
            let level = level.map_or("", chinese::level);
            format!("{}范围内的{level}{}", chinese::place(*place), chinese::kinds(&kinds.0))
        }
        Relation::LevelWith(kinds, role, place) => {
            let (place, role) = (chinese::place(*place), chinese::role_ref(*role));
            match kinds {
                Some(kinds) => format!("{place}与{role}同级的{}", chinese::kinds(&kinds.0)),
                None => format!("{place}与{role}同类同级的机关"),
            }
        }
        Relation::Superior(role) => format!("{}的上级机关", chinese::role_ref(*role)),
        Relation::Over(kinds, level, role) => {
            // Only `at city level` says "or above".
            let above = if *level == Level::City { "以上" } else { "" };
            let (role, kinds) = (chinese::role_ref(*role), chinese::kinds(&kinds.0));
            format!("{role}的上级中最近的{}{above}{kinds}", chinese::level(*level))
        }
        Relation::Under(kinds, role) => {
            format!("{}下属的{}", chinese::role_ref(*role), chinese::kinds(&kinds.0))
        }
        Relation::SupervisingProcuratorate(role) => {
            format!("对{}实行法律监督的人民检察院", chinese::role_ref(*role))
        }
        Relation::AddresseesOfAnswered => "所答复文书的全部主送单位".to_owned(),
        Relation::CopiedWithAnswered => "所答复文书的全部抄送单位".to_owned(),
        Relation::ProposerOfRuling => "所异议裁定的提请机关".to_owned(),
        Relation::AddresseeOfOpen(name) => format!("在办{}的主送单位", name_of(name)),
        Relation::AnySupervised => "发送单位监督的任何单位".to_owned(),
        Relation::Any => "任何单位".to_owned(),
    };
    Phrase::new(relation.to_string(), chinese)
}

impl<'a> Phrases<'a> {
    pub(super) fn new(law: &'a Law) -> Self {
        Self { law }
    }

    /// A document type by its name in both languages.
    pub(super) fn kind(&self, document_type: &DocumentType) -> Phrase {
        let chinese = format!("《{}》（{document_type}）", self.law.name_of(document_type));
        Phrase::new(document_type.as_str(), chinese)
    }

    pub(super) fn types(&self, types: &[DocumentType]) -> Phrase {
        joined(types.iter().map(|name| self.kind(name)), " or ", "或者")
    }

    pub(super) fn value(&self, field: &str, word: &str) -> Phrase {
        Phrase::new(word, chinese::value(field, word))
    }

    /// Who a relation names: in English its own words.
    pub(super) fn relation(&self, relation: &Relation) -> Phrase {
        related(relation, |document_type| self.kind(document_type).chinese)
    }

    /// A condition: in English its own words.
    pub(super) fn condition(&self, condition: &Condition) -> Phrase {
        let atoms = condition.atoms().iter().map(|(holds, atom)| self.atom(*holds, atom));
        let chinese = match condition {
            Condition::All(_) => joined(atoms, "", "，并且").chinese,
            Condition::Any(_) => joined(atoms, "", "，或者").chinese,
        };
        Phrase::new(condition.to_string(), chinese)
    }

    fn atom(&self, holds: bool, atom: &Atom) -> Phrase {
        let either = |yes: &str, no: &str| if holds { yes.to_owned() } else { no.to_owned() };
        let is = if holds { "为" } else { "不为" };
        let chinese = match atom {
            Atom::PlacesDiffer => either("执行地不在决定机关辖区内", "执行地在决定机关辖区内"),
            Atom::ProvincesDiffer => {
                either("执行地与决定机关不在同一省", "执行地与决定机关在同一省")
            }
            Atom::CourtInAnotherProvince => {
                either("原审人民法院与执行地不在同一省", "原审人民法院与执行地在同一省")
            }
            Atom::CategoryIs(category) => format!("矫正类别{is}{}", chinese::category(*category)),
            Atom::DecidedBy(kinds) => format!("决定机关{is}{}", chinese::kinds(&kinds.0)),
            Atom::SubjectIsJuvenile => either("矫正对象为未成年人", "矫正对象不为未成年人"),
            Atom::PersonIsMissing => either("下落不明", "非下落不明"),
            Atom::Arrested => either("已被逮捕", "未被逮捕"),
            Atom::SenderMayEnrol => {
                either("发送单位可以办理存量入库", "发送单位不可以办理存量入库")
            }
            Atom::SenderIs(kinds) => format!("发送单位{is}{}", chinese::kinds(&kinds.0)),
            Atom::Answers(name) => format!("所答复的{is}{}", self.kind(name).chinese),
            Atom::Received(name) => {
                let received = either("本案已收到", "本案未收到");
                format!("{received}{}", self.kind(name).chinese)
            }
            Atom::PlaceStays => either("新执行地就是原执行地", "新执行地不是原执行地"),
            Atom::PlaceNotAsAnswered => {
                either("新执行地与所答复文书载明的不同", "新执行地与所答复文书载明的相同")
            }
            Atom::FieldIs(field, word) => {
                format!("{}{is}{}", chinese::field(field), chinese::value(field, word))
            }
        };
        Phrase::new(String::new(), chinese)
    }

    /// A phrase and the condition under which it holds.
    pub(super) fn when(&self, phrase: Phrase, when: Option<&Condition>) -> Phrase {
        let Some(when) = when.map(|condition| self.condition(condition)) else { return phrase };
        Phrase::new(
            format!("{}, when {}", phrase.english, when.english),
            format!("{}（{}的）", phrase.chinese, when.chinese),
        )
    }

    /// An addressee rule; a choice with what it may be under it.
    pub(super) fn entry(&self, entry: &Entry) -> Line {
        let mut line = self.addressed(entry);
        if !entry.carries.is_empty() {
            let kinds = joined(entry.carries.iter().map(Phrase::same), ", ", "，");
            line.details.push(Line::new(Phrase::new(
                format!("goes with these attachments alone: {}", kinds.english),
                format!("仅附送：{}", kinds.chinese),
            )));
        }
        line
    }

    fn addressed(&self, entry: &Entry) -> Line {
        match &entry.who {
            Who::Relation(relation) => {
                Line::new(self.when(self.relation(relation), entry.when.as_ref()))
            }
            Who::Named { name, fits } => {
                let named = Phrase::new(
                    format!("the document names the {name}, which must fit one of"),
                    format!("由文书指明（{}），且须为下列之一", chinese::named(name)),
                );
                let fits = fits.iter().map(|(relation, when)| {
                    Line::new(self.when(self.relation(relation), when.as_ref()))
                });
                Line::new(self.when(named, entry.when.as_ref())).with(fits.collect())
            }
        }
    }

    /// A limit, with what it counts from and whether it rolls.
    pub(super) fn limit(&self, limit: &Limit) -> Phrase {
        match limit {
            Limit::Within { spans, from, roll } => within(spans, from, *roll),
            Limit::Soft(soft) => Phrase::new(soft.words(), chinese::soft(*soft)),
            Limit::At(event) => Phrase::new(
                format!("by the end of the day: {}", event.words()),
                format!("{}终了前", chinese::event(*event)),
            ),
            Limit::During(span) => Phrase::new(
                format!("during the last {span} before the term expiry"),
                format!("期限届满前{}内", chinese::span(*span)),
            ),
            Limit::NotLaterThan(span, event) => Phrase::new(
                format!("not later than {span} before the {}", event.words()),
                format!("不迟于{}前{}", chinese::event(*event), chinese::span(*span)),
            ),
        }
    }
}

fn within(spans: &[Option<Span>], from: &[Event], roll: RollRule) -> Phrase {
    let length = joined(spans.iter().map(length), " or ", "或者");
    let earliest = match spans.len() {
        1 => Phrase::same(""),
        _ => Phrase::new("the earliest of ", "（以先到者为准）"),
    };
    let events = from.iter().map(|event| Phrase::new(event.words(), chinese::event(*event)));
    let from = match from.len() {
        0 => Phrase::same(""),
        _ => {
            let first_known = joined(events, ", else ", "（不明的，");
            let close = "）".repeat(from.len() - 1);
            Phrase::new(
                format!(" from {}", first_known.english),
                format!("自{}{close}起", first_known.chinese),
            )
        }
    };
    let rolls = rolls(spans, roll);
    Phrase::new(
        format!("within {}{}{}{}", earliest.english, length.english, from.english, rolls.english),
        format!("{}{}内{}{}", from.chinese, length.chinese, earliest.chinese, rolls.chinese),
    )
}

fn length(span: &Option<Span>) -> Phrase {
    match span {
        Some(span) => Phrase::new(span.to_string(), chinese::span(*span)),
        None => Phrase::new("the time that the document states", "文书载明的期限"),
    }
}

/// What becomes of an end on a holiday; nothing to say of hours, which never roll.
fn rolls(spans: &[Option<Span>], roll: RollRule) -> Phrase {
    if spans.iter().all(|span| matches!(span, Some(Span::Hours(_)))) {
        return Phrase::same("");
    }
    match roll {
        RollRule::Holidays => Phrase::same(""),
        RollRule::Never => Phrase::new(", also if it ends on a holiday", "，期满遇节假日不顺延"),
        RollRule::UnlessArrested => Phrase::new(
            ", also if it ends on a holiday while the person is arrested",
            "，被逮捕期间期满遇节假日不顺延",
        ),
    }
}
