//! The hub's own documents: `hub_notice`, made as any agency makes a document.

use prost::Message;
use xianjie_core::domain::duty::{Duty, Force, Owner};
use xianjie_core::domain::explain::{Phrase, flag_phrase};
use xianjie_core::domain::record::{Clock, Effect, Kind, Notice, Record, RuledEffect};
use xianjie_core::domain::term::{format_shanghai, whole_day};
use xianjie_core::ids::{AgencyCode, DocumentId, DocumentRef, Origin, Time};

use super::pb;
use super::record::Word;
use super::time::write_time;

/// What every notice says of itself.
#[derive(Debug, Clone)]
pub struct NoticeText {
    /// Its id.
    pub id: DocumentId,
    /// The ledger.
    pub ledger: Origin,
    /// The hub's own agency.
    pub sender: AgencyCode,
    /// When it is made.
    pub time: Time,
    /// What it tells of.
    pub notice: Notice,
    /// Who gets it.
    pub to: Vec<AgencyCode>,
    /// What it is about.
    pub about: About,
}

/// What a notice is about.
#[derive(Debug, Clone)]
pub enum About {
    /// Nothing that can be named.
    Nothing,
    /// A document.
    Document(DocumentRef),
    /// A duty, as it stood when it was to be told of.
    Duty(Box<Duty>),
    /// What lies in an agency's inbox.
    Inbox(AgencyCode),
}

/// The bytes of a notice about `record`, to be signed. It names no person and repeats no content.
#[must_use]
pub fn encode(text: &NoticeText, record: &Record) -> Vec<u8> {
    let document = match &text.about {
        About::Document(document) => Some(document),
        About::Duty(duty) => Some(&duty.opened_by),
        About::Inbox(_) | About::Nothing => None,
    };
    let agency = match &text.about {
        About::Inbox(agency) => agency.to_string(),
        _ => document.map(|document| document.sender.to_string()).unwrap_or_default(),
    };
    let duty = match &text.about {
        About::Duty(duty) => Some(duty),
        _ => None,
    };
    let body = pb::HubNotice {
        notice_kind: text.notice.number(),
        about_agency: agency,
        about_document: document.map(|document| document.id.to_string()).unwrap_or_default(),
        duty: duty.map(|duty| duty.name.clone()).unwrap_or_default(),
        due_time: duty.and_then(|duty| duty.due).map(write_time),
        text: words(text, record),
    };
    pb::Document {
        document_id: text.id.to_string(),
        ledger: text.ledger.to_string(),
        sender: text.sender.to_string(),
        original_form: pb::OriginalForm::Electronic.into(),
        classification: pb::Classification::Unclassified.into(),
        create_time: Some(write_time(text.time)),
        chosen_agencies: text.to.iter().map(ToString::to_string).collect(),
        body: Some(pb::document::Body::HubNotice(body)),
        ..pb::Document::default()
    }
    .encode_to_vec()
}

fn words(text: &NoticeText, record: &Record) -> String {
    match text.notice {
        Notice::Contradiction => contradiction(record),
        Notice::Rejected => {
            "受送达单位退回了所列送达，相关期限义务恢复。 The addressee rejected the \
                             delivery; the duties that it had met are owed again."
                .to_owned()
        }
        Notice::Unacknowledged => unacknowledged(&text.about, record),
        Notice::Forewarned | Notice::Missed | Notice::HandoverMissed | Notice::Reminded => {
            match &text.about {
                About::Duty(duty) => about_duty(text.notice, duty, times(record)),
                _ => String::new(),
            }
        }
    }
}

fn contradiction(record: &Record) -> String {
    let what = |ruled: &RuledEffect| match &ruled.effect {
        Effect::Contradiction { what, .. } => {
            let told = flag_phrase(what).unwrap_or_else(|| Phrase::new(what, what));
            let articles = ruled.articles.join("、");
            Some(match articles.as_str() {
                "" => (told.chinese, told.english),
                _ => (
                    format!("{}（{articles}）", told.chinese),
                    format!("{} ({articles})", told.english),
                ),
            })
        }
        _ => None,
    };
    let (chinese, english): (Vec<String>, Vec<String>) =
        record.effects.iter().filter_map(what).unzip();
    format!(
        "所列文书已收存并送达，但与记录不符，请核查：{}。 Taken and delivered, but it does not fit what \
         is on record: {}.",
        chinese.join("；"),
        english.join("; ")
    )
}

/// To whom, and up to which of its numbers.
fn unacknowledged(about: &About, record: &Record) -> String {
    let (to_zh, to) = match (about, &record.kind) {
        (About::Inbox(agency), Kind::Clock(Clock::Unacknowledged { number, .. })) => (
            format!("{agency}（其收件箱至第{}号）", number.0),
            format!("{agency}, up to number {} of its inbox,", number.0),
        ),
        _ => ("该单位".to_owned(), "this agency".to_owned()),
    };
    format!(
        "发往{to_zh}的文书逾期未签收，请核实是否收到，必要时另行送达。 Deliveries to {to} have not been \
         acknowledged in time: ask whether they have arrived, or serve them otherwise."
    )
}

/// How often the step that a record tells of was said.
fn times(record: &Record) -> u32 {
    match record.kind {
        Kind::Clock(Clock::Duty { times, .. }) => times,
        _ => 0,
    }
}

/// An alarm is a reminder and no finding: it says what the hub has not seen, and from the second time on
/// how often it has said so.
fn about_duty(notice: Notice, duty: &Duty, times: u32) -> String {
    let (zh, en) = match notice {
        Notice::Forewarned => ("期限将至", "is due soon"),
        Notice::HandoverMissed => (
            "交接逾期：尚无单位接收，请立即核实人员下落",
            "has passed: nobody has taken the person over; find out at once where they are",
        ),
        Notice::Reminded => {
            ("应当立即或者及时办理，本系统尚未收到", "should be done promptly and is not seen here")
        }
        _ => ("期限已过，本系统尚未收到", "is past its limit and not seen here"),
    };
    let (name, articles) = (&duty.name, duty.articles.join("、"));
    let (owner_zh, owner) = match &duty.owner {
        Owner::Agency(agency) => (agency.to_string(), agency.to_string()),
        Owner::Person { watched_by } => {
            (format!("本人，由{watched_by}掌握"), format!("the person (watched by {watched_by})"))
        }
    };
    let (until_zh, until) = match (duty.due, duty.force) {
        (Some(due), Force::Binding | Force::Right) => limit(due),
        _ => ("-".to_owned(), "no fixed limit".to_owned()),
    };
    let (again_zh, again) = match times {
        0 | 1 => (String::new(), String::new()),
        times => (format!("（第{times}次提示）"), format!(" Said for the {times}. time.")),
    };
    format!(
        "期限义务“{name}”（{owner_zh}，{articles}，{until_zh}）：{zh}{again_zh}。 The duty \"{name}\" of \
         {owner} {en} ({until}; {articles}).{again}"
    )
}

/// A limit in Chinese and English. One in days ends with its last day, and nobody says the midnight after;
/// one in hours ends at its instant.
fn limit(due: Time) -> (String, String) {
    match whole_day(due.0) {
        Some(last) => (format!("截至{last}当日"), format!("last day {last}")),
        None => {
            let instant = format_shanghai(due.0);
            (format!("截至{instant}"), format!("until {instant}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use xianjie_core::domain::record::Refusals;
    use xianjie_core::ids::InboxNumber;

    use super::*;

    fn flagged(what: &str) -> Record {
        let effect = Effect::Contradiction { case: None, what: what.to_owned() };
        let (rule, articles) = ("hub/plausible".to_owned(), vec!["社区矫正法 44".to_owned()]);
        let agency = "tianhe-police".parse().unwrap();
        let kind = Kind::Refusals(Refusals { agency, items: Vec::new(), more: 0 });
        Record { kind, effects: vec![RuledEffect { rule, articles, effect }] }
    }

    #[test]
    fn what_does_not_fit_is_said_in_words_and_not_in_code() {
        assert_eq!(
            contradiction(&flagged("CUSTODY accept while released")),
            "所列文书已收存并送达，但与记录不符，请核查：“登记接收”与当前监管状态（已解除矫正）不符（社区矫正法 44）。 \
             Taken and delivered, but it does not fit what is on record: the step \"accept\" does not fit \
             the state of custody, which is \"released\" (社区矫正法 44)."
        );
        let early = contradiction(&flagged("RELEASED_BEFORE_EXPIRY"));
        assert!(early.contains("矫正期限届满前解除矫正（社区矫正法 44）"), "{early}");
        assert!(!early.contains("RELEASED_BEFORE_EXPIRY"), "{early}");
    }

    #[test]
    fn whose_deliveries_lie_is_said_with_their_number() {
        let agency: AgencyCode = "tianhe-police".parse().unwrap();
        let record = Record {
            kind: Kind::Clock(Clock::Unacknowledged {
                agency: agency.clone(),
                number: InboxNumber(7),
                agencies: std::collections::BTreeSet::new(),
                supervisors: std::collections::BTreeSet::new(),
            }),
            effects: Vec::new(),
        };
        let text = unacknowledged(&About::Inbox(agency), &record);
        assert!(text.starts_with("发往tianhe-police（其收件箱至第7号）的文书"), "{text}");
        assert!(
            text.contains("Deliveries to tianhe-police, up to number 7 of its inbox,"),
            "{text}"
        );
    }
}
