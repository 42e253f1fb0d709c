//! The kinds of records, each with its own facts.

use std::collections::BTreeMap;

use xianjie_core::domain::record::{
    Acknowledged, DirectoryChanged, DocumentTaken, Flagged, Kind, Notice, Opened, Refusals,
    RefusedItem, Rejected, Revocations, Signature, Signed,
};
use xianjie_core::ids::{Digest, DivisionCode, InboxNumber, LedgerIndex, SenderNumber, Time};

use super::base::{
    case_bytes, digest, document, document_message, id, ids, optional_case, optional_digest,
    optional_id, text, texts,
};
use super::{RecordError, Word, access, clock};
use crate::wire::pb;
use pb::ledger_record::Kind as Message;

pub(super) fn message(kind: &Kind) -> Message {
    match kind {
        Kind::Opened(opened) => Message::Opened(opened_message(opened)),
        Kind::Document(taken) => Message::Document(taken_message(taken)),
        Kind::Acknowledged(acknowledged) => {
            Message::Acknowledged(acknowledged_message(acknowledged))
        }
        Kind::Rejected(rejected) => Message::Rejected(rejected_message(rejected)),
        Kind::Refusals(refusals) => Message::Refusals(refusals_message(refusals)),
        Kind::Clock(clock) => Message::Clock(clock::message(clock)),
        Kind::Directory(changed) => Message::Directory(directory_message(changed)),
        Kind::Revocations(list) => Message::Revocations(revocations_message(list)),
        Kind::Access(it) => Message::Access(access::message(it)),
        Kind::Flagged(flagged) => Message::Flagged(flagged_message(flagged)),
    }
}

pub(super) fn read(message: Message) -> Result<Kind, RecordError> {
    Ok(match message {
        Message::Opened(opened) => Kind::Opened(read_opened(opened)?),
        Message::Document(taken) => Kind::Document(Box::new(read_taken(taken)?)),
        Message::Acknowledged(message) => Kind::Acknowledged(read_acknowledged(message)?),
        Message::Rejected(rejected) => Kind::Rejected(read_rejected(rejected)?),
        Message::Refusals(refusals) => Kind::Refusals(read_refusals(refusals)?),
        Message::Clock(clock) => Kind::Clock(clock::read(clock)?),
        Message::Directory(changed) => Kind::Directory(read_directory(changed)?),
        Message::Revocations(list) => Kind::Revocations(read_revocations(list)?),
        Message::Access(it) => Kind::Access(Box::new(access::read(it)?)),
        Message::Flagged(flagged) => Kind::Flagged(read_flagged(flagged)?),
        Message::HubKey(_) | Message::Rulebook(_) | Message::Erased(_) | Message::Relayed(_) => {
            return Err(RecordError::UnknownKind);
        }
    })
}

fn opened_message(opened: &Opened) -> pb::Opened {
    pb::Opened {
        ledger: opened.origin.to_string(),
        checkpoint_key: opened.checkpoint_key.clone(),
        root_public_key: opened.root_key.clone(),
        operator_quorum: opened.quorum,
    }
}

fn read_opened(message: pb::Opened) -> Result<Opened, RecordError> {
    Ok(Opened {
        origin: id(&message.ledger, "ledger")?,
        checkpoint_key: message.checkpoint_key,
        root_key: message.root_public_key,
        quorum: message.operator_quorum,
    })
}

fn taken_message(taken: &DocumentTaken) -> pb::DocumentRecord {
    let place = |(field, division): (&String, &DivisionCode)| pb::NamedPlace {
        field: field.clone(),
        division: division.to_string(),
    };
    let notice = |(index, notice): (LedgerIndex, Notice)| pb::GivenNotice {
        index: index.0,
        notice: Word::number(notice),
    };
    pb::DocumentRecord {
        document: Some(document_message(&taken.document)),
        document_type: taken.document_type.to_string(),
        document_commitment: taken.commitment.0.to_vec(),
        correction_case: case_bytes(taken.case.as_ref()),
        signers: taken.signers.iter().map(signer).collect(),
        rulebook_digest: taken.rulebook.0.to_vec(),
        engine: taken.engine,
        sender_number: taken.sender_number.0,
        in_reply_to: taken.in_reply_to.map(|index| index.0),
        replaces: taken.replaces.as_ref().map(document_message),
        supervisors: texts(&taken.supervisors),
        notice: taken.notice.map(notice),
        thread: taken.thread.0,
        places: taken.places.iter().map(place).collect(),
        unique_digest: taken.unique.map(|digest| digest.0.to_vec()).unwrap_or_default(),
    }
}

fn read_taken(message: pb::DocumentRecord) -> Result<DocumentTaken, RecordError> {
    let places = message.places.into_iter().map(|place| -> Result<_, RecordError> {
        let division: DivisionCode = id(&place.division, "division")?;
        Ok((place.field, division))
    });
    let notice = |notice: pb::GivenNotice| -> Result<_, RecordError> {
        Ok((LedgerIndex(notice.index), Word::from_number(notice.notice)?))
    };
    Ok(DocumentTaken {
        document: document(message.document)?,
        document_type: id(&message.document_type, "document_type")?,
        commitment: digest(&message.document_commitment, "document_commitment")?,
        case: optional_case(&message.correction_case)?,
        signers: message.signers.iter().map(read_signer).collect::<Result<_, _>>()?,
        rulebook: digest(&message.rulebook_digest, "rulebook_digest")?,
        engine: message.engine,
        sender_number: SenderNumber(message.sender_number),
        in_reply_to: message.in_reply_to.map(LedgerIndex),
        thread: LedgerIndex(message.thread),
        replaces: message.replaces.map(|replaced| document(Some(replaced))).transpose()?,
        places: places.collect::<Result<BTreeMap<_, _>, _>>()?,
        unique: optional_digest(&message.unique_digest, "unique_digest")?,
        supervisors: ids(&message.supervisors, "supervisors")?,
        notice: message.notice.map(notice).transpose()?,
    })
}

fn signer((certificate, binding): &(Digest, LedgerIndex)) -> pb::Signer {
    pb::Signer { certificate_sha256: certificate.0.to_vec(), binding: binding.0 }
}

fn read_signer(message: &pb::Signer) -> Result<(Digest, LedgerIndex), RecordError> {
    let certificate = digest(&message.certificate_sha256, "signers.certificate_sha256")?;
    Ok((certificate, LedgerIndex(message.binding)))
}

fn flagged_message(flagged: &Flagged) -> pb::Flagged {
    pb::Flagged {
        document: Some(document_message(&flagged.document)),
        agencies: texts(&flagged.agencies),
        supervisors: texts(&flagged.supervisors),
    }
}

fn read_flagged(message: pb::Flagged) -> Result<Flagged, RecordError> {
    Ok(Flagged {
        document: document(message.document)?,
        agencies: ids(&message.agencies, "agencies")?,
        supervisors: ids(&message.supervisors, "supervisors")?,
    })
}

fn acknowledged_message(acknowledged: &Acknowledged) -> pb::Acknowledged {
    let statement = &acknowledged.statement;
    pb::Acknowledged {
        agency: acknowledged.agency.to_string(),
        signed_acknowledgement: Some(pb::SignedAcknowledgement {
            acknowledgement: statement.payload.clone(),
            signatures: signature_messages(&statement.signatures),
        }),
        bindings: indexes(&statement.bindings),
        sender: acknowledged.sender.to_string(),
        supervisors: texts(&acknowledged.supervisors),
    }
}

fn read_acknowledged(message: pb::Acknowledged) -> Result<Acknowledged, RecordError> {
    let signed = message.signed_acknowledgement;
    let signed = signed.ok_or(RecordError::Missing("signed_acknowledgement"))?;
    Ok(Acknowledged {
        agency: id(&message.agency, "agency")?,
        sender: id(&message.sender, "sender")?,
        statement: statement(signed.acknowledgement, signed.signatures, &message.bindings)?,
        supervisors: ids(&message.supervisors, "supervisors")?,
    })
}

fn rejected_message(rejected: &Rejected) -> pb::Rejected {
    let statement = &rejected.statement;
    pb::Rejected {
        agency: rejected.agency.to_string(),
        signed_rejection: Some(pb::SignedRejection {
            rejection: statement.payload.clone(),
            signatures: signature_messages(&statement.signatures),
        }),
        bindings: indexes(&statement.bindings),
        sender: rejected.sender.to_string(),
        supervisors: texts(&rejected.supervisors),
        inbox_number: rejected.number.0,
        reason: rejected.reason.clone(),
    }
}

fn read_rejected(message: pb::Rejected) -> Result<Rejected, RecordError> {
    let signed = message.signed_rejection.ok_or(RecordError::Missing("signed_rejection"))?;
    Ok(Rejected {
        agency: id(&message.agency, "agency")?,
        sender: id(&message.sender, "sender")?,
        number: InboxNumber(message.inbox_number),
        reason: message.reason,
        statement: statement(signed.rejection, signed.signatures, &message.bindings)?,
        supervisors: ids(&message.supervisors, "supervisors")?,
    })
}

fn refusals_message(refusals: &Refusals) -> pb::Refusals {
    let item = |item: &RefusedItem| pb::RefusedDocument {
        time_ms: item.time.0,
        document_id: text(item.id.as_ref()),
        salt: item.salt.to_vec(),
        salted_digest: item.digest.0.to_vec(),
        reasons: item.reasons.clone(),
    };
    pb::Refusals {
        agency: refusals.agency.to_string(),
        items: refusals.items.iter().map(item).collect(),
        further_count: refusals.more,
    }
}

fn read_refusals(message: pb::Refusals) -> Result<Refusals, RecordError> {
    let item = |item: pb::RefusedDocument| {
        Ok(RefusedItem {
            time: Time(item.time_ms),
            id: optional_id(&item.document_id, "document_id")?,
            salt: digest(&item.salt, "salt")?.0,
            digest: digest(&item.salted_digest, "salted_digest")?,
            reasons: item.reasons,
        })
    };
    Ok(Refusals {
        agency: id(&message.agency, "agency")?,
        items: message.items.into_iter().map(item).collect::<Result<_, RecordError>>()?,
        more: message.further_count,
    })
}

fn directory_message(changed: &DirectoryChanged) -> pb::DirectoryRecord {
    pb::DirectoryRecord {
        signed_directory_change: Some(pb::SignedDirectoryChange {
            directory_change: changed.statement.payload.clone(),
            signatures: signature_messages(&changed.statement.signatures),
        }),
        bindings: indexes(&changed.statement.bindings),
        operators: texts(&changed.operators),
        change_id: changed.id.to_string(),
    }
}

fn read_directory(message: pb::DirectoryRecord) -> Result<DirectoryChanged, RecordError> {
    let signed = message.signed_directory_change;
    let signed = signed.ok_or(RecordError::Missing("signed_directory_change"))?;
    Ok(DirectoryChanged {
        id: id(&message.change_id, "change_id")?,
        operators: ids(&message.operators, "operators")?,
        statement: statement(signed.directory_change, signed.signatures, &message.bindings)?,
    })
}

fn revocations_message(list: &Revocations) -> pb::Revocations {
    pb::Revocations {
        issuer_sha256: list.issuer.0.to_vec(),
        number: list.number.clone(),
        list_sha256: list.list.0.to_vec(),
        this_update_ms: list.this_update.0,
        next_update_ms: list.next_update.map_or(0, |time| time.0),
    }
}

fn read_revocations(message: pb::Revocations) -> Result<Revocations, RecordError> {
    let next = message.next_update_ms;
    Ok(Revocations {
        issuer: digest(&message.issuer_sha256, "issuer_sha256")?,
        number: message.number,
        list: digest(&message.list_sha256, "list_sha256")?,
        this_update: Time(message.this_update_ms),
        next_update: (next != 0).then_some(Time(next)),
    })
}

fn statement(
    payload: Vec<u8>,
    signatures: Vec<pb::Signature>,
    bindings: &[u64],
) -> Result<Signed, RecordError> {
    let signature = |signature: pb::Signature| {
        Ok(Signature {
            algorithm: signature.algorithm,
            certificate: digest(&signature.certificate_sha256, "certificate_sha256")?,
            value: signature.value,
        })
    };
    let signatures = signatures.into_iter().map(signature).collect::<Result<_, RecordError>>()?;
    Ok(Signed { payload, signatures, bindings: read_indexes(bindings) })
}

fn signature_messages(signatures: &[Signature]) -> Vec<pb::Signature> {
    let message = |signature: &Signature| pb::Signature {
        algorithm: signature.algorithm,
        certificate_sha256: signature.certificate.0.to_vec(),
        value: signature.value.clone(),
    };
    signatures.iter().map(message).collect()
}

fn indexes(indexes: &[LedgerIndex]) -> Vec<u64> {
    indexes.iter().map(|index| index.0).collect()
}

fn read_indexes(indexes: &[u64]) -> Vec<LedgerIndex> {
    indexes.iter().copied().map(LedgerIndex).collect()
}
