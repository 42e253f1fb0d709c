//! What a decision names, in words for people: whom a rule seeks, which test is broken, what does not fit.
//! Refusals, checks, notices and alarms say the same.

use super::phrases::{self, Phrases};
use super::{Phrase, chinese, custody, fields, tests_of_law};
use crate::domain::custody::{State, Step};
use crate::domain::relation::{Place, Relation, RoleRef};
use crate::domain::rulebook::{Law, TestKind};

/// Whom a relation names: in English its own words.
#[must_use]
pub fn relation_phrase(relation: &Relation) -> Phrase {
    phrases::related(relation, |document_type| document_type.to_string())
}

/// A place that a relation names.
#[must_use]
pub fn place_phrase(place: Place) -> Phrase {
    Phrase::new(place.words(), chinese::place(place))
}

/// A role that a relation names.
#[must_use]
pub fn role_phrase(role: RoleRef) -> Phrase {
    Phrase::new(role.words(), chinese::role_ref(role))
}

/// What an agency is called that a document chooses.
#[must_use]
pub fn named_phrase(name: &str) -> Phrase {
    Phrase::new(name, chinese::named(name))
}

/// A field by its path: in Chinese its name with the path, by which whoever fills in the form finds it.
#[must_use]
pub fn field_phrase(path: &str) -> Phrase {
    fields::phrase(path)
}

/// What a document is like that breaks a test of the law.
#[must_use]
pub fn broken_phrase(law: &Law, test: &TestKind) -> Phrase {
    tests_of_law::broken(&Phrases::new(law), test)
}

/// What does not fit about a document that was taken (`Effect::Contradiction`), in words; nothing for a
/// word of a later version.
#[must_use]
pub fn flag_phrase(what: &str) -> Option<Phrase> {
    if let Some((_, english, chinese)) = FLAGS.iter().find(|(word, ..)| *word == what) {
        return Some(Phrase::new(*english, *chinese));
    }
    if let Some(field) = what.strip_prefix("IN_THE_FUTURE ") {
        let field = field_phrase(field);
        return Some(Phrase::new(
            format!("{} is in the future", field.english),
            format!("{}晚于今日", field.chinese),
        ));
    }
    if let Some(what) = what.strip_prefix("ENDS_BEFORE_IT_BEGINS ") {
        let field = field_phrase(&format!("{what}_end_date"));
        return Some(Phrase::new(
            format!("{} is before the day on which it begins", field.english),
            format!("{}早于起始日", field.chinese),
        ));
    }
    if let Some(kind) = what.strip_prefix("ATTACHMENT_KIND_MISSING ") {
        return Some(Phrase::new(
            format!("an attachment is missing that belongs with it: {kind}"),
            format!("缺少应当附送的{kind}"),
        ));
    }
    let (step, state) = what.strip_prefix("CUSTODY ")?.split_once(" while ")?;
    let step = Step::WORDS.iter().find(|(_, word)| *word == step)?;
    let state = State::WORDS.iter().find(|(_, word)| *word == state)?;
    let (step, state) = (custody::step_phrase(step.0), custody::state_phrase(state.0));
    Some(Phrase::new(
        format!(
            "the step \"{}\" does not fit the state of custody, which is \"{}\"",
            step.english, state.english
        ),
        format!("“{}”与当前监管状态（{}）不符", step.chinese, state.chinese),
    ))
}

const FLAGS: &[(&str, &str, &str)] = &[
    (
        "ALWAYS_SHOWN",
        "the law asks that it be shown to the procuratorate",
        "依法应当提请人民检察院注意",
    ),
    (
        "BEFORE_ITS_WINDOW",
        "it comes before the time in which it is to be done",
        "早于规定的办理期间",
    ),
    (
        "CATEGORY_DIFFERS",
        "the category of correction differs from that on record",
        "矫正类别与已有记录不一致",
    ),
    (
        "CATEGORY_UNFIT",
        "the document is not for this category of correction",
        "该文书不适用于此类社区矫正对象",
    ),
    ("DECIDED_IN_THE_FUTURE", "the decision's date is in the future", "作出日期晚于今日"),
    ("EFFECTIVE_BEFORE_DECISION", "it takes effect before it was decided", "生效日期早于作出日期"),
    (
        "EXECUTION_PLACE_DIFFERS",
        "the place of execution differs from that on record",
        "执行地与已有记录不一致",
    ),
    (
        "EXPECTED_BEFORE",
        "a document that should come before it is not on record",
        "未见应当先行作出的文书",
    ),
    ("EXTENDS_NOTHING", "it extends no limit that still runs", "没有可据此延长的在办期限"),
    (
        "EXTENDS_TOO_FAR",
        "it extends further than the law allows; the limit is the longest that it allows",
        "延长超出法律规定，期限按法定最长计算",
    ),
    ("FORBIDDEN", "a rule does not allow it here", "规则不允许在此情形下发送"),
    ("ISSUED_BEFORE_DECISION", "the document is dated before the decision", "成文日期早于作出日期"),
    ("JUVENILE_BY_BIRTH", "by date of birth the person was a juvenile", "按出生日期系未成年人"),
    (
        "JUVENILE_DIFFERS",
        "whether the person was a juvenile differs from what is on record",
        "是否未成年与已有记录不一致",
    ),
    ("LIMIT_ALREADY_OVER", "the limit that it sets is over already", "所定期限已届满"),
    ("NEEDS_OPEN", "nothing is open that it could belong to", "没有与之对应的在办事项"),
    ("NOT_OWED", "nobody owes what it would do", "没有可由此文书完成的义务"),
    (
        "NO_PARTY_BEFORE",
        "whom it names had no document of the case before",
        "所列单位此前没有本案文书",
    ),
    ("RELEASED_BEFORE_EXPIRY", "released before the term ends", "矫正期限届满前解除矫正"),
    (
        "REPORTED_BEFORE_EFFECT",
        "reported before the decision took effect",
        "报到日期早于裁判、决定生效之日",
    ),
    ("STILL_OPEN", "an earlier one is still open", "此前同类事项尚在办理"),
    (
        "SUBJECT_DIFFERS",
        "the person named is not the person of the case",
        "所列人员与案件中的矫正对象不一致",
    ),
    (
        "TERM_BEGINS_ON_ANOTHER_DAY",
        "the term does not begin on the day of effect",
        "考验期起算日与生效日期不一致",
    ),
    ("TERM_ENDS_BEFORE_IT_BEGINS", "the term ends before it begins", "期限止日早于起日"),
    ("TERM_TOO_LONG", "the term is longer than the law allows", "期限长于法律规定"),
    ("TERM_TOO_SHORT", "the term is shorter than the law allows", "期限短于法律规定"),
    (
        "UNEXPECTED_SENDER",
        "another agency should have sent it by what is on record",
        "按已有记录，应由其他单位发送",
    ),
];
