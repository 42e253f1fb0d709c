//! Authorisation: who may call what, as one pure function over values.
//!
//! [`NEEDS`] is the whole policy: one line an RPC. It says nothing about the law; what an agency may
//! *send* is the rulebooks' affair ([`decide`](super::decide)).

use std::collections::BTreeSet;
use std::iter::{empty, once};

use super::agency::Right;
use super::directory::Directory;
use super::duty::Duty;
use super::record::{Clock, Effect, Kind, Record};
use super::state::{Case, DocumentRow};
use crate::ids::AgencyCode;
use crate::refusal::Reason;

/// Every RPC of every service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "named as in proto/, where each is documented")]
pub enum Rpc {
    CheckDocument,
    SubmitDocument,
    SubmitDocuments,
    GetDocument,
    GetSubmission,
    ListSubmissions,
    WatchSubmissions,
    ListDocumentTypes,
    Subscribe,
    ListDeliveries,
    AcknowledgeDeliveries,
    RejectDelivery,
    GetUpload,
    UploadAttachment,
    DownloadAttachment,
    GetCheckpoint,
    GetConsistencyProof,
    ListRecords,
    GetReceipt,
    GetInboxStatement,
    GetHub,
    ListAgencies,
    GetAgency,
    ListAgencyCertificates,
    ChangeDirectory,
    GetStatus,
    ListSystems,
    ListDuties,
    ListGaps,
    ListMissingPersons,
    GetCustody,
    GetStatistics,
    WatchAlarms,
    QueryPerson,
}

/// What an RPC needs of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// To be known: a system or an operator.
    Known,
    /// To be an operator.
    Operator,
    /// To be a system that carries the agency named, with any right.
    Carried,
    /// To be a system that carries the agency named with this right.
    Right(Right),
    /// To be a system that carries the agency named with the right by which it sees the thing
    /// asked for: [`Relation::rights`].
    Sight,
}

/// The policy.
pub const NEEDS: &[(Rpc, Need)] = &[
    (Rpc::CheckDocument, Need::Right(Right::Submit)),
    (Rpc::SubmitDocument, Need::Right(Right::Submit)),
    (Rpc::SubmitDocuments, Need::Right(Right::Submit)),
    (Rpc::GetDocument, Need::Sight),
    (Rpc::GetSubmission, Need::Right(Right::Submit)),
    (Rpc::ListSubmissions, Need::Right(Right::Submit)),
    (Rpc::WatchSubmissions, Need::Right(Right::Submit)),
    (Rpc::ListDocumentTypes, Need::Carried),
    (Rpc::Subscribe, Need::Right(Right::Receive)),
    (Rpc::ListDeliveries, Need::Right(Right::Receive)),
    (Rpc::AcknowledgeDeliveries, Need::Right(Right::Acknowledge)),
    (Rpc::RejectDelivery, Need::Right(Right::Acknowledge)),
    (Rpc::GetUpload, Need::Right(Right::Submit)),
    (Rpc::UploadAttachment, Need::Right(Right::Submit)),
    (Rpc::DownloadAttachment, Need::Sight),
    (Rpc::GetCheckpoint, Need::Known),
    (Rpc::GetConsistencyProof, Need::Known),
    (Rpc::ListRecords, Need::Carried),
    (Rpc::GetReceipt, Need::Sight),
    (Rpc::GetInboxStatement, Need::Right(Right::Receive)),
    (Rpc::GetHub, Need::Known),
    (Rpc::ListAgencies, Need::Known),
    (Rpc::GetAgency, Need::Known),
    (Rpc::ListAgencyCertificates, Need::Known),
    (Rpc::ChangeDirectory, Need::Operator),
    (Rpc::GetStatus, Need::Operator),
    (Rpc::ListSystems, Need::Operator),
    (Rpc::ListDuties, Need::Carried),
    (Rpc::ListGaps, Need::Carried),
    (Rpc::ListMissingPersons, Need::Carried),
    (Rpc::GetCustody, Need::Sight),
    (Rpc::GetStatistics, Need::Right(Right::Supervise)),
    (Rpc::WatchAlarms, Need::Carried),
    (Rpc::QueryPerson, Need::Right(Right::Query)),
];

impl Rpc {
    /// What it needs; an RPC that the table forgot needs an operator.
    #[must_use]
    pub fn need(self) -> Need {
        NEEDS.iter().find(|(rpc, _)| *rpc == self).map_or(Need::Operator, |(_, need)| *need)
    }
}

/// Who is at the other end, by the directory of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// Nobody that the directory knows, or a certificate that is not live.
    Unknown,
    /// A system (接入系统).
    System {
        /// Whether an operator has suspended it.
        suspended: bool,
    },
    /// An operator with a live certificate.
    Operator,
}

/// The agency that a request names, as the caller's system stands to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// The request names none.
    Nobody,
    /// The directory has no such agency.
    Unknown,
    /// It is carried, but suspended or no longer valid.
    Inactive,
    /// It is carried with these rights; with none, it is not carried.
    Carried(BTreeSet<Right>),
}

/// How an agency stands to one thing that it asks to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// It is of the records that everyone may see: directory, revocations, keys, rulebooks.
    Public,
    /// It, or an agency that it succeeds, sent it.
    Sent,
    /// It was addressed to it, or to an agency that it succeeds.
    Received,
    /// It supervises those concerned, as recorded.
    Supervised,
    /// It queried for it, on its legal ground.
    Queried,
}

impl Relation {
    /// The rights any of which lets a system see what stands so.
    #[must_use]
    pub fn rights(self) -> &'static [Right] {
        match self {
            Self::Public => {
                &[Right::Submit, Right::Receive, Right::Acknowledge, Right::Supervise, Right::Query]
            }
            Self::Sent => &[Right::Submit, Right::Receive],
            Self::Received => &[Right::Receive],
            Self::Supervised => &[Right::Supervise],
            Self::Queried => &[Right::Query],
        }
    }
}

/// Everything that authorisation looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Who calls.
    pub peer: Peer,
    /// The agency in whose name.
    pub named: Named,
    /// For reads of one thing, how the agency stands to it; empty if it does not exist, which is
    /// one and the same.
    pub relations: BTreeSet<Relation>,
}

/// Whether a call is allowed.
///
/// # Errors
/// Why not. What is not visible and what does not exist get the same reason.
pub fn permit(rpc: Rpc, standing: &Standing) -> Result<(), Reason> {
    let need = rpc.need();
    match (standing.peer, need) {
        (Peer::Unknown | Peer::System { suspended: true }, _) => return Err(Reason::UnknownPeer),
        (_, Need::Known) | (Peer::Operator, Need::Operator) => return Ok(()),
        (Peer::Operator, _) | (_, Need::Operator) => return Err(Reason::NotCarried),
        (Peer::System { suspended: false }, _) => {}
    }
    let rights = match &standing.named {
        Named::Nobody => return Err(Reason::NotCarried),
        Named::Unknown | Named::Inactive => return Err(Reason::UnknownSender),
        Named::Carried(rights) if rights.is_empty() => return Err(Reason::NotCarried),
        Named::Carried(rights) => rights,
    };
    match need {
        Need::Right(right) if !rights.contains(&right) => Err(Reason::NotCarried),
        Need::Sight if !sees(rights, &standing.relations) => Err(Reason::NotFound),
        _ => Ok(()),
    }
}

/// Whether a system with `rights` sees what stands so to its agency.
#[must_use]
pub fn sees(rights: &BTreeSet<Right>, relations: &BTreeSet<Relation>) -> bool {
    relations.iter().any(|relation| relation.rights().iter().any(|right| rights.contains(right)))
}

/// How `reader` stands to a document.
#[must_use]
pub fn document_relations(
    directory: &Directory,
    reader: &AgencyCode,
    sender: &AgencyCode,
    row: &DocumentRow,
) -> BTreeSet<Relation> {
    relations(
        directory,
        reader,
        sender,
        row.addressed.iter().map(|addressed| &addressed.agency),
        &row.supervisors,
    )
}

/// The procuratorate that supervises an agency (法律监督), by the directory's link: that of its last
/// successor, once it has passed to another.
#[must_use]
pub fn supervisor<'d>(directory: &'d Directory, code: &'d AgencyCode) -> Option<&'d AgencyCode> {
    directory.agency(directory.successor(code))?.supervised_by.as_ref()
}

/// How `reader` stands to a duty: who owes it, or is owed it, is party to it.
#[must_use]
pub fn duty_relations(
    directory: &Directory,
    reader: &AgencyCode,
    duty: &Duty,
) -> BTreeSet<Relation> {
    let owner = duty.owner.agency();
    let supervisors = supervisor(directory, owner).cloned().into_iter().collect();
    let parties = once(owner).chain(&duty.creditor);
    relations(directory, reader, owner, parties, &supervisors)
}

/// How `reader` stands to a correction case: who ever sent or received a document of it is party to it,
/// and who supervises one of these supervises it. That opens no more than the case's past, as far as
/// [`record_relations`] go: [`custody_relations`] say whom its present concerns.
#[must_use]
pub fn case_relations(
    directory: &Directory,
    reader: &AgencyCode,
    case: &Case,
) -> BTreeSet<Relation> {
    among(directory, reader, &case.parties)
}

/// How `reader` stands to a person as they are now: party is whom they concern; and who supervises one
/// of these supervises.
#[must_use]
pub fn custody_relations(
    directory: &Directory,
    reader: &AgencyCode,
    case: &Case,
) -> BTreeSet<Relation> {
    among(directory, reader, case.concerned())
}

/// How `reader` stands to a record (its sender, its addressees, its supervisors as recorded).
#[must_use]
pub fn record_relations(
    directory: &Directory,
    reader: &AgencyCode,
    record: &Record,
) -> BTreeSet<Relation> {
    let addressed = record.effects.iter().filter_map(|ruled| match &ruled.effect {
        Effect::DeliveryOpened { agency, .. } => Some(agency),
        _ => None,
    });
    match &record.kind {
        Kind::Opened(_)
        | Kind::Directory(_)
        | Kind::Revocations(_)
        | Kind::Clock(Clock::Outage(_)) => BTreeSet::from([Relation::Public]),
        Kind::Clock(
            Clock::Duty { agencies, supervisors, .. }
            | Clock::Unacknowledged { agencies, supervisors, .. },
        ) => {
            let concerned = agencies
                .iter()
                .map(|agency| relations(directory, reader, agency, once(agency), supervisors));
            concerned.flatten().collect()
        }
        Kind::Document(taken) => {
            relations(directory, reader, &taken.document.sender, addressed, &taken.supervisors)
        }
        Kind::Acknowledged(it) => {
            relations(directory, reader, &it.sender, once(&it.agency), &it.supervisors)
        }
        Kind::Rejected(it) => {
            relations(directory, reader, &it.sender, once(&it.agency), &it.supervisors)
        }
        Kind::Refusals(it) => relations(directory, reader, &it.agency, empty(), &BTreeSet::new()),
        Kind::Access(it) => {
            let mut found = relations(directory, reader, &it.agency, empty(), &it.supervisors);
            if found.contains(&Relation::Sent) {
                found.insert(Relation::Queried);
            }
            found
        }
    }
}

/// How `reader` stands to what concerns all of `parties`.
fn among<'a>(
    directory: &Directory,
    reader: &AgencyCode,
    parties: impl IntoIterator<Item = &'a AgencyCode>,
) -> BTreeSet<Relation> {
    let mut found = BTreeSet::new();
    for party in parties {
        let supervisors = supervisor(directory, party).cloned().into_iter().collect();
        found.extend(relations(directory, reader, party, once(party), &supervisors));
    }
    found
}

fn relations<'a>(
    directory: &Directory,
    reader: &AgencyCode,
    sender: &AgencyCode,
    mut addressed: impl Iterator<Item = &'a AgencyCode>,
    supervisors: &BTreeSet<AgencyCode>,
) -> BTreeSet<Relation> {
    let stands = |owner: &AgencyCode| directory.stands_for(reader, owner);
    let mut found = BTreeSet::new();
    if stands(sender) {
        found.insert(Relation::Sent);
    }
    if addressed.any(stands) {
        found.insert(Relation::Received);
    }
    if supervisors.iter().any(stands) {
        found.insert(Relation::Supervised);
    }
    found
}

#[cfg(test)]
mod tests;
