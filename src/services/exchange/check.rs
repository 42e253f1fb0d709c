//! `CheckDocument`: what the hub found, as a message.

use xianjie_core::domain::duty::{DutyState, Owner};
use xianjie_core::domain::explain::{Phrase, flag_phrase};
use xianjie_core::domain::policy::Rpc;
use xianjie_core::domain::record::{Effect, Record, RuledEffect};
use xianjie_core::refusal::{Refusal, Violation};

use super::super::peer::Caller;
use crate::hub::Checked;
use crate::wire::pb;
use crate::wire::record::{Word as _, custody_message, duty_ref};
use crate::wire::refusal::{advice, violation_message};
use crate::wire::signature::Signed;
use crate::wire::time::write_time;

pub(super) async fn check(
    caller: Caller,
    request: pb::CheckDocumentRequest,
) -> Result<pb::CheckDocumentResponse, Refusal> {
    let agency = caller.agency(Rpc::CheckDocument, &request.agency)?;
    let signed = Signed::unsigned_document(request.signed_document)?;
    let checked = caller.hub.check(&agency, &signed).await?;
    Ok(message(checked))
}

fn message(checked: Checked) -> pb::CheckDocumentResponse {
    let (document_type, record) = (&checked.document, &checked.record);
    let (effects, flagged) = (effects(record.as_ref()), effects(checked.flagged.as_ref()));
    let refusal = Refusal::of(checked.violations.clone());
    pb::CheckDocumentResponse {
        violations: checked.violations.iter().map(violation_message).collect(),
        flags: flagged.iter().filter_map(flag).collect(),
        addressees: effects.iter().filter_map(addressee).collect(),
        opens: effects.iter().filter_map(opens).collect(),
        closes: effects.iter().filter_map(|ruled| closes(ruled, &checked)).collect(),
        custody: effects.iter().find_map(|ruled| match &ruled.effect {
            Effect::Custody { case, step, change } => Some(custody_message(*case, *step, change)),
            _ => None,
        }),
        rulebook_digest: checked.rulebook.0.to_vec(),
        missing_attachments: checked.missing_attachments.iter().map(|d| d.0.to_vec()).collect(),
        document_sha256: checked.digest.0.to_vec(),
        signatures: signatures(&checked),
        document_type: document_type.as_ref().map(|(_, kind)| kind.to_string()).unwrap_or_default(),
        advice: refusal.map_or(pb::Advice::Unspecified, |r| advice(r.advice())).into(),
    }
}

fn effects(record: Option<&Record>) -> &[RuledEffect] {
    record.map_or(&[], |record| &record.effects)
}

fn signatures(checked: &Checked) -> Vec<pb::CheckedSignature> {
    let signature = |(certificate, violation): &(xianjie_core::ids::Digest, Option<Violation>)| {
        pb::CheckedSignature {
            certificate_sha256: certificate.0.to_vec(),
            valid: violation.is_none(),
            reason: violation.as_ref().map(|v| v.reason.name().to_owned()).unwrap_or_default(),
            signed_sha256: checked.signed_digest.0.to_vec(),
        }
    };
    checked.signatures.iter().map(signature).collect()
}

/// What would be taken and flagged, in words: a contradiction is no refusal, and its reason its own.
fn flag(ruled: &RuledEffect) -> Option<pb::Violation> {
    let Effect::Contradiction { what, .. } = &ruled.effect else { return None };
    let told = flag_phrase(what).unwrap_or_else(|| Phrase::new(what, what));
    Some(pb::Violation {
        reason: what.split(' ').next().unwrap_or_default().to_owned(),
        message: told.english,
        message_zh: told.chinese,
        articles: ruled.articles.clone(),
        help: what.clone(),
        help_zh: what.clone(),
        ..pb::Violation::default()
    })
}

fn addressee(ruled: &RuledEffect) -> Option<pb::CheckedAddressee> {
    let Effect::DeliveryOpened { agency, copy, in_lieu, carries, .. } = &ruled.effect else {
        return None;
    };
    Some(pb::CheckedAddressee {
        agency: agency.to_string(),
        copy: *copy,
        relation: ruled.rule.clone(),
        articles: ruled.articles.clone(),
        in_lieu: *in_lieu,
        carries: carries.iter().cloned().collect(),
    })
}

fn opens(ruled: &RuledEffect) -> Option<pb::CheckedDuty> {
    let Effect::DutyOpened(duty) = &ruled.effect else { return None };
    let owner = match &duty.owner {
        Owner::Agency(agency) => pb::checked_duty::Owner::OwnerAgency(agency.to_string()),
        Owner::Person { watched_by } => {
            pb::checked_duty::Owner::PersonWatchedBy(watched_by.to_string())
        }
    };
    let outcome = match &duty.state {
        DutyState::Closed { outcome, .. } => outcome.number(),
        DutyState::Open => pb::DutyOutcome::Unspecified.into(),
    };
    Some(pb::CheckedDuty {
        name: duty.name.clone(),
        owner: Some(owner),
        creditor: duty.creditor.as_ref().map(ToString::to_string).unwrap_or_default(),
        limit: duty.limit.clone(),
        due_time: duty.due.map(write_time),
        articles: ruled.articles.clone(),
        force: duty.force.number(),
        handover: duty.handover,
        provisional: duty.provisional,
        outcome,
    })
}

fn closes(ruled: &RuledEffect, checked: &Checked) -> Option<pb::CheckedClosing> {
    let Effect::DutyClosed { duty, outcome } = &ruled.effect else { return None };
    Some(pb::CheckedClosing {
        duty: Some(duty_ref(*duty)),
        name: checked.closes.get(duty).map(|duty| duty.name.clone()).unwrap_or_default(),
        outcome: outcome.number(),
    })
}
