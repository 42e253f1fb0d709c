//! The effects of records: a closed list.

use std::collections::BTreeSet;

use xianjie_core::domain::record::{Effect, Notice, RuledEffect, Settled};
use xianjie_core::ids::{AgencyCode, CaseRef, DocumentRef, InboxNumber};

use super::base::{
    case_bytes, date, delivery, delivery_message, digest, document, document_message, id, ids,
    optional_case, texts,
};
use super::{RecordError, Word, custody, directory, duty};
use crate::wire::pb;
use pb::effect::Effect as Message;

pub(super) fn message(ruled: &RuledEffect) -> pb::Effect {
    pb::Effect {
        rule: ruled.rule.clone(),
        articles: ruled.articles.clone(),
        effect: Some(effect_message(&ruled.effect)),
    }
}

pub(super) fn read((place, message): (usize, pb::Effect)) -> Result<RuledEffect, RecordError> {
    let effect = message.effect.ok_or(RecordError::UnknownEffect(place))?;
    let effect = read_effect(effect, &message.rule, &message.articles)?;
    Ok(RuledEffect { rule: message.rule, articles: message.articles, effect })
}

fn effect_message(effect: &Effect) -> Message {
    match effect {
        Effect::CaseOpened { case } => Message::CaseOpened(custody::opened_message(*case)),
        Effect::CaseSet { case, set } => Message::CaseSet(custody::set_message(*case, set)),
        Effect::Custody { case, step, change } => {
            Message::Custody(custody::message(*case, *step, change))
        }
        Effect::DeliveryOpened { agency, copy, number, in_lieu, carries } => {
            Message::DeliveryOpened(pb::DeliveryOpened {
                agency: agency.to_string(),
                inbox_number: number.0,
                copy: *copy,
                in_lieu: *in_lieu,
                carries: carries.iter().cloned().collect(),
            })
        }
        Effect::DeliverySettled { agency, number, how } => {
            Message::DeliverySettled(settled_message(agency, *number, *how))
        }
        Effect::DutyOpened(duty) => Message::DutyOpened(Box::new(duty::opened_message(duty))),
        Effect::DutyStarted { duty, from, timing } => {
            Message::DutyStarted(duty::started_message(*duty, *from, timing))
        }
        Effect::DutyChanged { duty, change, owner, timing } => {
            Message::DutyChanged(duty::changed_message(*duty, *change, owner, timing))
        }
        Effect::DutyClosed { duty, outcome } => {
            Message::DutyClosed(duty::closed_message(*duty, *outcome))
        }
        Effect::DutyReopened { duty } => Message::DutyReopened(duty::reopened_message(*duty)),
        Effect::Withdrawn { document } => Message::DocumentWithdrawn(withdrawn_message(document)),
        Effect::UnacknowledgedTold { agency, sender, number } => {
            Message::UnacknowledgedTold(pb::UnacknowledgedTold {
                delivery: Some(delivery_message(agency, *number)),
                sender: sender.to_string(),
            })
        }
        Effect::Contradiction { case, what } => {
            Message::Contradiction(contradiction_message(*case, what))
        }
        Effect::NoticeOwed { notice, to } => Message::NoticeOwed(notice_message(*notice, to)),
        Effect::AgencyPut(agency) => Message::AgencyPut(directory::agency_put(agency)),
        Effect::SystemPut(system) => Message::SystemPut(directory::system_put(system)),
        Effect::CertificatePut(certificate) => {
            Message::CertificatePut(directory::certificate_put(certificate))
        }
        Effect::CertificateRevoked { digest, compromised_since } => {
            Message::CertificateRevoked(directory::revoked_message(digest, *compromised_since))
        }
        Effect::AgencySuspended { agency, suspended } => {
            directory::agency_suspended_message(agency, *suspended)
        }
        Effect::SystemSuspended { system, suspended } => {
            directory::system_suspended_message(system, *suspended)
        }
        Effect::RulebookActivated { digest } => {
            Message::RulebookActivated(pb::RulebookActivated { digest: digest.0.to_vec() })
        }
    }
}

/// Rule and articles are the effect's own: a duty keeps them.
fn read_effect(message: Message, rule: &str, articles: &[String]) -> Result<Effect, RecordError> {
    match message {
        Message::CaseOpened(message) => custody::read_opened(&message),
        Message::CaseSet(message) => custody::read_set(message),
        Message::Custody(message) => custody::read(&message),
        Message::DeliveryOpened(message) => read_opened(message),
        Message::DeliverySettled(message) => read_settled(message),
        Message::DutyOpened(message) => duty::read_opened(*message, rule, articles)
            .map(|duty| Effect::DutyOpened(Box::new(duty))),
        Message::DutyStarted(message) => duty::read_started(message),
        Message::DutyChanged(message) => duty::read_changed(message),
        Message::DutyClosed(message) => duty::read_closed(&message),
        Message::DutyReopened(message) => duty::read_reopened(&message),
        Message::DocumentWithdrawn(message) => {
            Ok(Effect::Withdrawn { document: document(message.document)? })
        }
        Message::UnacknowledgedTold(message) => {
            let (agency, number) = delivery(message.delivery)?;
            let sender = id(&message.sender, "sender")?;
            Ok(Effect::UnacknowledgedTold { agency, sender, number })
        }
        Message::Contradiction(message) => read_contradiction(message),
        Message::NoticeOwed(message) => read_notice(&message),
        Message::AgencyPut(message) => directory::read_agency_put(message),
        Message::SystemPut(message) => directory::read_system_put(message),
        Message::CertificatePut(message) => directory::read_certificate_put(message),
        Message::CertificateRevoked(message) => directory::read_revoked(&message),
        Message::AgencySuspended(message) => directory::read_suspended(&message.agency, true),
        Message::AgencyResumed(message) => directory::read_suspended(&message.agency, false),
        Message::SystemSuspended(message) => {
            directory::read_system_suspended(&message.system, true)
        }
        Message::SystemResumed(message) => directory::read_system_suspended(&message.system, false),
        Message::RulebookActivated(message) => {
            Ok(Effect::RulebookActivated { digest: digest(&message.digest, "digest")? })
        }
    }
}

fn read_opened(message: pb::DeliveryOpened) -> Result<Effect, RecordError> {
    Ok(Effect::DeliveryOpened {
        agency: id(&message.agency, "agency")?,
        copy: message.copy,
        number: InboxNumber(message.inbox_number),
        in_lieu: message.in_lieu,
        carries: message.carries.into_iter().collect(),
    })
}

fn settled_message(agency: &AgencyCode, number: InboxNumber, how: Settled) -> pb::DeliverySettled {
    let (stage, served_date) = match how {
        Settled::Acknowledged => (pb::Stage::Acknowledged, String::new()),
        Settled::Rejected => (pb::Stage::Rejected, String::new()),
        Settled::ServedOtherwise(date) => (pb::Stage::ServedOtherwise, date.to_string()),
    };
    pb::DeliverySettled {
        delivery: Some(delivery_message(agency, number)),
        stage: stage.into(),
        served_date,
    }
}

fn read_settled(message: pb::DeliverySettled) -> Result<Effect, RecordError> {
    let how = match message.stage() {
        pb::Stage::Acknowledged => Settled::Acknowledged,
        pb::Stage::Rejected => Settled::Rejected,
        pb::Stage::ServedOtherwise => {
            Settled::ServedOtherwise(date(&message.served_date, "served_date")?)
        }
        pb::Stage::Unspecified | pb::Stage::Accepted => {
            return Err(RecordError::UnknownValue("Stage"));
        }
    };
    let (agency, number) = delivery(message.delivery)?;
    Ok(Effect::DeliverySettled { agency, number, how })
}

fn withdrawn_message(document: &DocumentRef) -> pb::DocumentWithdrawn {
    pb::DocumentWithdrawn { document: Some(document_message(document)) }
}

fn contradiction_message(case: Option<CaseRef>, what: &str) -> pb::Contradiction {
    pb::Contradiction { correction_case: case_bytes(case.as_ref()), reason: what.to_owned() }
}

fn read_contradiction(message: pb::Contradiction) -> Result<Effect, RecordError> {
    let case = optional_case(&message.correction_case)?;
    Ok(Effect::Contradiction { case, what: message.reason })
}

fn notice_message(notice: Notice, to: &BTreeSet<AgencyCode>) -> pb::NoticeOwed {
    pb::NoticeOwed { notice: notice.number(), agencies: texts(to) }
}

fn read_notice(message: &pb::NoticeOwed) -> Result<Effect, RecordError> {
    let notice = Word::from_number(message.notice)?;
    Ok(Effect::NoticeOwed { notice, to: ids(&message.agencies, "agencies")? })
}
