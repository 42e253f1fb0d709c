//! Agencies with their keys: who they are to a directory, and what they sign. The agencies are
//! invented; their divisions are real.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls_pki_types::UnixTime;
use serde_json::{Value, json};
use xianjie::entropy::random;
use xianjie::identity::files;
use xianjie::identity::pki::{Authority, Issued, Purpose as Use, Serial, Validity};
use xianjie::identity::signature::{Algorithm, PayloadType, SigningIdentity};
use xianjie::wire;
use xianjie::wire::json::document_from_json;
use xianjie::wire::pb;
use xianjie::wire::schema::Schema;
use xianjie::wire::signature::Signed;
use xianjie::wire::statement::{AcknowledgementText, write_acknowledgement};
use xianjie_core::domain::agency::{
    Agency, Branch, Certificate, Kind, Level, Purpose, Right, System,
};
use xianjie_core::domain::decide::Change;
use xianjie_core::ids::{
    AgencyCode, Digest, DocumentId, InboxNumber, LedgerIndex, OperatorName, Origin, Time,
};

/// 24 November 2026, nine in the morning in Shanghai.
pub(crate) const NOW: Time = Time(1_795_482_000_000);

/// Code, kind, division and supervising procuratorate; superiors first.
pub(crate) const AGENCIES: [(&str, Kind, &str, &str); 6] = [
    ("tianhe-procuratorate", Kind::Procuratorate, "440106", ""),
    ("yuexiu-procuratorate", Kind::Procuratorate, "440104", ""),
    ("tianhe-corrections", Kind::CorrectionsAgency, "440106", "tianhe-procuratorate"),
    ("tianhe-police", Kind::Police, "440106", "tianhe-procuratorate"),
    ("yuexiu-court", Kind::BasicCourt, "440104", "yuexiu-procuratorate"),
    ("yuexiu-detention", Kind::DetentionCentre, "440104", "yuexiu-procuratorate"),
];

/// The agencies' keys, each agency with a system (接入系统) of its own code.
pub(crate) struct People {
    origin: Origin,
    schema: Schema,
    documents: BTreeMap<&'static str, Issued>,
    acknowledgements: BTreeMap<&'static str, Issued>,
    transports: BTreeMap<&'static str, Issued>,
    next: AtomicU64,
}

impl People {
    /// New keys for every agency, issued by `authority`, who sign for the ledger `origin`.
    pub(crate) fn of(authority: &Authority, origin: Origin, schema: Schema) -> Self {
        let all = |purpose: fn(String) -> Use| {
            let names = AGENCIES.iter().map(|(name, ..)| *name);
            names.map(|name| (name, issue(authority, &purpose(name.to_owned())))).collect()
        };
        Self {
            origin,
            schema,
            documents: all(Use::Document),
            acknowledgements: all(Use::Acknowledgement),
            transports: all(Use::Transport),
            next: AtomicU64::new(1),
        }
    }

    /// The document types by which these agencies write.
    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The certificate by which an agency's system connects.
    pub(crate) fn transport(&self, agency: &str) -> &Issued {
        &self.transports[agency]
    }

    /// The certificate under which an agency signs its documents.
    pub(crate) fn document_certificate(&self, agency: &str) -> &Issued {
        &self.documents[agency]
    }

    /// The certificate under which an agency signs its acknowledgements.
    pub(crate) fn acknowledgement_certificate(&self, agency: &str) -> &Issued {
        &self.acknowledgements[agency]
    }

    /// The key by which an agency signs its documents.
    pub(crate) fn document_key(&self, agency: &str) -> SigningIdentity {
        identity(&self.documents[agency])
    }

    /// The key by which an agency signs its acknowledgements.
    pub(crate) fn acknowledgement_key(&self, agency: &str) -> SigningIdentity {
        identity(&self.acknowledgements[agency])
    }

    /// Operators' change that puts every agency, its system and its certificates into the directory.
    pub(crate) fn first_change(&self, operator: &SigningIdentity) -> Signed {
        let mut changes = Vec::new();
        for (name, kind, place, supervisor) in AGENCIES {
            let agency = agency(name, kind, place, supervisor);
            changes.push(Change::PutAgency(Box::new(agency)));
            changes.push(Change::PutSystem(Box::new(system(name))));
            changes.extend([
                register(&self.documents[name], Purpose::Document(code(name))),
                register(&self.acknowledgements[name], Purpose::Acknowledgement(code(name))),
                register(&self.transports[name], Purpose::Transport(name.parse().unwrap())),
            ]);
        }
        self.change(operator, &changes)
    }

    /// An operator's signed change of the directory.
    pub(crate) fn change(&self, operator: &SigningIdentity, changes: &[Change]) -> Signed {
        let id = self.next_id().parse().unwrap();
        let payload = wire::change::write_change(&self.origin, id, &operator_name(), changes);
        signed(PayloadType::DirectoryChange, payload, operator)
    }

    /// A connection test (连通测试) from one agency to others: the plainest document.
    pub(crate) fn ping(&self, from: &str, to: &[&str]) -> Signed {
        self.document(from, json!({ "chosen_agencies": to, "ping": { "text": "?" } }))
    }

    /// A signed document with a header of its own and these fields.
    pub(crate) fn document(&self, from: &str, fields: Value) -> Signed {
        let mut json = self.header(from);
        for (name, value) in fields.as_object().unwrap() {
            json[name] = value.clone();
        }
        self.sign(from, document_from_json(&self.schema, &json).unwrap())
    }

    /// The header of a new document.
    pub(crate) fn header(&self, from: &str) -> Value {
        json!({
            "document_id": self.next_id(),
            "ledger": self.origin.as_str(),
            "sender": from,
            "create_time": "2026-11-24T09:00:00+08:00",
            "original_form": "ORIGINAL_FORM_ELECTRONIC",
            "classification": "CLASSIFICATION_UNCLASSIFIED",
        })
    }

    /// Signs bytes as a document, whatever they are.
    pub(crate) fn sign(&self, from: &str, payload: Vec<u8>) -> Signed {
        Signed::sign_document(payload, &self.document_key(from))
    }

    /// A signed acknowledgement (签收) of deliveries, each with the commitment of its receipt.
    pub(crate) fn acknowledgement(
        &self,
        agency: &str,
        items: Vec<(InboxNumber, Digest)>,
    ) -> Signed {
        let payload = write_acknowledgement(&AcknowledgementText {
            ledger: self.origin.clone(),
            agency: code(agency),
            items,
            stored: NOW,
            signed_by: String::new(),
            seen: None,
        });
        signed(PayloadType::Acknowledgement, payload, &self.acknowledgement_key(agency))
    }

    /// A new id: they follow one another.
    pub(crate) fn next_id(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let millis = u64::try_from(NOW.0).unwrap() + number;
        let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &[1; 10]).into_uuid();
        DocumentId(*uuid.as_bytes()).to_string()
    }
}

/// A certificate of `authority`, as long as 2020 to 2050.
pub(crate) fn issue(authority: &Authority, purpose: &Use) -> Issued {
    let serial = Serial::from_random(random().unwrap());
    authority.issue(purpose, Algorithm::EcdsaP256Sha256, serial, validity()).unwrap()
}

/// From 2020 to 2050.
pub(crate) fn validity() -> Validity {
    let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    Validity::new(at(1_577_836_800), at(2_524_608_000)).unwrap()
}

/// A certificate and its key, to sign with.
pub(crate) fn identity(issued: &Issued) -> SigningIdentity {
    SigningIdentity::from_pem(&issued.certificate_pem, &issued.key_pem).unwrap()
}

/// Signs what is no document.
pub(crate) fn signed(kind: PayloadType, payload: Vec<u8>, signer: &SigningIdentity) -> Signed {
    let signatures = vec![wire::signature::sign(kind, &payload, signer)];
    Signed { payload: payload.into(), signatures, envelope: Vec::new() }
}

/// A signed document as it goes over the wire.
pub(crate) fn wire_document(signed: &Signed) -> pb::SignedDocument {
    pb::SignedDocument {
        document: signed.payload.clone(),
        signatures: signed.signatures.iter().map(wire::signature::write).collect(),
    }
}

/// A signed acknowledgement as it goes over the wire.
pub(crate) fn wire_acknowledgement(signed: &Signed) -> pb::SignedAcknowledgement {
    pb::SignedAcknowledgement {
        acknowledgement: signed.payload.to_vec(),
        signatures: signed.signatures.iter().map(wire::signature::write).collect(),
    }
}

/// An agency's code.
pub(crate) fn code(name: &str) -> AgencyCode {
    name.parse().unwrap()
}

/// The change that registers a certificate.
pub(crate) fn register(issued: &Issued, purpose: Purpose) -> Change {
    Change::RegisterCertificate(Box::new(Certificate {
        digest: Digest(issued.sha256),
        purpose,
        label: String::new(),
        der: files::first_certificate(&issued.certificate_pem).unwrap().to_vec(),
        valid_from: Time(0),
        valid_until: Time(NOW.0 * 2),
        binding: LedgerIndex(0),
        revoked: None,
    }))
}

/// The first operator.
pub(crate) fn operator_name() -> OperatorName {
    "first".parse().unwrap()
}

/// Fields of an enrolment (存量入库) by `tianhe-corrections`: it opens the case of a person.
pub(crate) fn enrolment() -> Value {
    json!({
        "case_number": "（2026）粤0104刑初示例1号",
        "execution_place": "440106",
        "subject": {
            "name": "示例甲（虚构）",
            "identity_kind": "IDENTITY_KIND_RESIDENT_ID",
            "identity_number": "11010519491231002X",
            "category": "CATEGORY_PROBATION",
            "juvenile": false,
        },
        "case_enrolment": {
            "decision_organ": "yuexiu-court",
            "registered_date": "2026-11-02",
            "term_start_date": "2026-11-02",
            "term_expiry_date": "2027-11-01",
        },
    })
}

/// An agency of a county, as the directory has it.
pub(crate) fn agency(name: &str, kind: Kind, place: &str, supervisor: &str) -> Agency {
    Agency {
        code: code(name),
        name: format!("示例{name}"),
        kind,
        level: Level::County,
        acts_at: BTreeSet::new(),
        branch: Branch::Local,
        serves: BTreeSet::from([place.parse().unwrap()]),
        parent: None,
        supervised_by: (!supervisor.is_empty()).then(|| code(supervisor)),
        social_credit_code: None,
        electronic_service: true,
        valid_from: Time(0),
        valid_until: None,
        successor: None,
        suspended: false,
        enrolment_until: Some(Time(NOW.0 * 2)),
    }
}

/// A system of the agency of its name, with every right.
pub(crate) fn system(name: &str) -> System {
    System {
        code: name.parse().unwrap(),
        name: format!("示例{name}系统"),
        agencies: [(code(name), Right::WORDS.iter().map(|(right, _)| *right).collect())].into(),
        gateway: false,
        suspended: false,
    }
}
