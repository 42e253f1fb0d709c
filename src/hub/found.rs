//! Opening a ledger: record 0 with the origin, the checkpoint key, the hub's own agency and the first
//! operators. Everything else comes by signed changes.

use std::collections::BTreeSet;
use std::sync::Arc;

use xianjie_core::domain::agency::{
    Agency, Branch, Certificate, Kind as AgencyKind, Level, Purpose,
};
use xianjie_core::domain::decide::Input;
use xianjie_core::domain::directory::{Directory, Divisions};
use xianjie_core::domain::record::{Effect, Kind, Opened, Record, RuledEffect};
use xianjie_core::domain::reminders::Reminders;
use xianjie_core::domain::rulebook::Law;
use xianjie_core::domain::state::Cache;
use xianjie_core::ids::{AgencyCode, Digest, LedgerIndex, OperatorName, Origin, Time};
use xianjie_core::ledger::Edge;

use super::fold::{BatchFold, Ground, Item};
use crate::store::{Store, StoreError};

/// A certificate to be registered in record 0.
#[derive(Debug, Clone)]
pub struct FirstCertificate {
    /// The certificate, DER.
    pub der: Vec<u8>,
    /// First instant at which it counts.
    pub valid_from: Time,
    /// First instant at which it no longer counts.
    pub valid_until: Time,
}

/// What record 0 says.
#[derive(Debug, Clone)]
pub struct Founding {
    /// The ledger's origin.
    pub origin: Origin,
    /// The checkpoint key, as a note verifier key.
    pub checkpoint_key: String,
    /// The operators' offline root key: a DER `SubjectPublicKeyInfo`.
    pub root_key: Vec<u8>,
    /// How many operators must sign what needs a quorum.
    pub quorum: u32,
    /// The hub's own agency.
    pub hub: AgencyCode,
    /// Its name.
    pub hub_name: String,
    /// The certificate by which the hub signs its own documents.
    pub service: FirstCertificate,
    /// The first operators.
    pub operators: Vec<(OperatorName, FirstCertificate)>,
    /// When.
    pub time: Time,
    /// The record's salt.
    pub salt: [u8; 32],
}

/// Writes record 0 into an empty store.
///
/// # Errors
/// The store is not empty, or can't write.
pub async fn found(store: &dyn Store, law: &Law, founding: Founding) -> Result<(), StoreError> {
    if store.head().await?.size != 0 {
        return Err(StoreError::Setup("the store holds a ledger already".to_owned()));
    }
    let divisions = Divisions::default();
    let reminders = Reminders::default();
    let ground = Ground { divisions: &divisions, law, reminders, now: founding.time };
    let item = Item {
        salt: founding.salt,
        flagged_salt: [0; 32],
        document_salt: [0; 32],
        signed_document: Vec::new(),
        input: Input::Noted(Box::new(record(law, founding))),
    };
    let items = [item];
    let cache = Cache::default();
    let mut fold =
        BatchFold::new(ground, &items, Arc::new(Directory::default()), Edge::new(), &cache);
    store.commit(&mut fold).await?;
    Ok(())
}

fn record(law: &Law, founding: Founding) -> Record {
    let mut effects = vec![
        Effect::AgencyPut(Box::new(hub_agency(&founding))),
        Effect::CertificatePut(Box::new(certificate(
            founding.service,
            Purpose::Document(founding.hub.clone()),
            "service",
        ))),
    ];
    for (name, first) in founding.operators {
        let label = name.to_string();
        let purpose = Purpose::Operator(name);
        effects.push(Effect::CertificatePut(Box::new(certificate(first, purpose, &label))));
    }
    effects.push(Effect::RulebookActivated { digest: Digest(law.digest()) });
    let ruled =
        |effect| RuledEffect { rule: "hub/founding".to_owned(), articles: Vec::new(), effect };
    Record {
        kind: Kind::Opened(Opened {
            origin: founding.origin,
            checkpoint_key: founding.checkpoint_key,
            root_key: founding.root_key,
            quorum: founding.quorum,
        }),
        effects: effects.into_iter().map(ruled).collect(),
    }
}

fn hub_agency(founding: &Founding) -> Agency {
    Agency {
        code: founding.hub.clone(),
        name: founding.hub_name.clone(),
        kind: AgencyKind::Hub,
        level: Level::Provincial,
        acts_at: BTreeSet::new(),
        branch: Branch::Local,
        serves: BTreeSet::new(),
        parent: None,
        supervised_by: None,
        social_credit_code: None,
        electronic_service: true,
        valid_from: founding.time,
        valid_until: None,
        successor: None,
        suspended: false,
        enrolment_until: None,
    }
}

fn certificate(first: FirstCertificate, purpose: Purpose, label: &str) -> Certificate {
    Certificate {
        digest: Digest(crate::identity::signature::certificate_digest(&first.der)),
        purpose,
        label: label.to_owned(),
        der: first.der,
        valid_from: first.valid_from,
        valid_until: first.valid_until,
        binding: LedgerIndex(0),
        revoked: None,
    }
}
