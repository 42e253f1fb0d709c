//! The whole policy against a table that a reader can check, over every peer, every set of rights
//! and every set of relations.

use super::*;
use crate::domain::custody::Custody;
use crate::domain::role::Role;
use crate::testing::{code, directory};
use Rpc::*;

/// RPC; whether an operator may call it; what a system needs: `-` nothing, `any` to carry the
/// agency named, the initials of the rights of which one is needed (Submit, Receive, Acknowledge,
/// Supervise written V, Query), `sight` as in [`SIGHT`], `never`.
const TABLE: &[(Rpc, bool, &str)] = &[
    (CheckDocument, false, "S"),
    (SubmitDocument, false, "S"),
    (SubmitDocuments, false, "S"),
    (GetDocument, false, "sight"),
    (GetSubmission, false, "S"),
    (ListSubmissions, false, "S"),
    (WatchSubmissions, false, "S"),
    (ListDocumentTypes, false, "any"),
    (Subscribe, false, "R"),
    (ListDeliveries, false, "R"),
    (AcknowledgeDeliveries, false, "A"),
    (RejectDelivery, false, "A"),
    (GetUpload, false, "S"),
    (UploadAttachment, false, "S"),
    (DownloadAttachment, false, "sight"),
    (GetCheckpoint, true, "-"),
    (GetConsistencyProof, true, "-"),
    (ListRecords, false, "any"),
    (GetReceipt, false, "sight"),
    (GetInboxStatement, false, "R"),
    (GetHub, true, "-"),
    (ListAgencies, true, "-"),
    (GetAgency, true, "-"),
    (ListAgencyCertificates, true, "-"),
    (ChangeDirectory, true, "never"),
    (GetStatus, true, "never"),
    (ListSystems, true, "never"),
    (ListDuties, false, "any"),
    (ListGaps, false, "any"),
    (ListMissingPersons, false, "any"),
    (GetCustody, false, "sight"),
    (GetStatistics, false, "V"),
    (WatchAlarms, false, "any"),
    (QueryPerson, false, "Q"),
];

/// A relation, and the rights of which one lets see.
const SIGHT: &[(Relation, &str)] = &[
    (Relation::Public, "SRAVQ"),
    (Relation::Sent, "SR"),
    (Relation::Received, "R"),
    (Relation::Supervised, "V"),
    (Relation::Queried, "Q"),
];

const RIGHTS: [(Right, char); 5] = [
    (Right::Submit, 'S'),
    (Right::Receive, 'R'),
    (Right::Acknowledge, 'A'),
    (Right::Supervise, 'V'),
    (Right::Query, 'Q'),
];

const PEERS: [Peer; 4] = [
    Peer::Unknown,
    Peer::System { suspended: true },
    Peer::System { suspended: false },
    Peer::Operator,
];

fn subsets<T: Copy + Ord>(of: &[T]) -> Vec<BTreeSet<T>> {
    let chosen = |mask: usize| {
        let chosen = of.iter().enumerate().filter(move |(place, _)| mask & (1 << place) != 0);
        chosen.map(|(_, item)| *item).collect()
    };
    (0..1 << of.len()).map(chosen).collect()
}

fn holds(rights: &BTreeSet<Right>, letters: &str) -> bool {
    RIGHTS.iter().any(|(right, letter)| letters.contains(*letter) && rights.contains(right))
}

fn expected(line: &(Rpc, bool, &str), standing: &Standing) -> Result<(), Reason> {
    let (_, operator, system) = line;
    match standing.peer {
        Peer::Unknown | Peer::System { suspended: true } => return Err(Reason::UnknownPeer),
        Peer::Operator if *operator => return Ok(()),
        Peer::Operator => return Err(Reason::NotCarried),
        Peer::System { suspended: false } => {}
    }
    match *system {
        "-" => return Ok(()),
        "never" => return Err(Reason::NotCarried),
        _ => {}
    }
    let rights = match &standing.named {
        Named::Nobody => return Err(Reason::NotCarried),
        Named::Unknown | Named::Inactive => return Err(Reason::UnknownSender),
        Named::Carried(rights) => rights,
    };
    if rights.is_empty() {
        return Err(Reason::NotCarried);
    }
    match *system {
        "any" => Ok(()),
        "sight" => {
            let sight = |(relation, letters): &(Relation, &str)| {
                standing.relations.contains(relation) && holds(rights, letters)
            };
            if SIGHT.iter().any(sight) { Ok(()) } else { Err(Reason::NotFound) }
        }
        letters if holds(rights, letters) => Ok(()),
        _ => Err(Reason::NotCarried),
    }
}

#[test]
fn every_role_and_rpc_and_relation() {
    let rights: Vec<Right> = RIGHTS.iter().map(|(right, _)| *right).collect();
    let mut named: Vec<Named> = subsets(&rights).into_iter().map(Named::Carried).collect();
    named.extend([Named::Nobody, Named::Unknown, Named::Inactive]);
    let relations: Vec<Relation> = SIGHT.iter().map(|(relation, _)| *relation).collect();
    let mut cases = 0;
    for line in TABLE {
        for peer in PEERS {
            for named in &named {
                for relations in subsets(&relations) {
                    let standing = Standing { peer, named: named.clone(), relations };
                    assert_eq!(
                        permit(line.0, &standing),
                        expected(line, &standing),
                        "{:?} {standing:?}",
                        line.0
                    );
                    cases += 1;
                }
            }
        }
    }
    assert_eq!(cases, TABLE.len() * 4 * 35 * 32);
}

#[test]
fn both_tables_hold_every_rpc_once() {
    let listed: Vec<Rpc> = TABLE.iter().map(|(rpc, ..)| *rpc).collect();
    let needed: Vec<Rpc> = NEEDS.iter().map(|(rpc, _)| *rpc).collect();
    assert_eq!(listed, needed);
    let last = QueryPerson as usize;
    assert_eq!(listed.len(), last + 1);
    assert!(listed.iter().enumerate().all(|(place, rpc)| *rpc as usize == place));
}

/// A case whose person moved from Yuexiu (越秀) to Liwan (荔湾), and is held there.
fn moved() -> Case {
    Case {
        roles: [
            (Role::DecisionOrgan, code("gz-court")),
            (Role::ResponsibleAgency, code("liwan-corrections")),
            (Role::OldAgency, code("yuexiu-corrections")),
        ]
        .into(),
        parties: ["gz-court", "yuexiu-corrections", "liwan-corrections"].map(code).into(),
        custody: Custody {
            answers: Some(code("liwan-corrections")),
            guard: Some(code("liwan-detention")),
            arrested: true,
            ..Custody::default()
        },
        ..Case::default()
    }
}

#[test]
fn after_a_move_the_present_is_no_concern_of_the_old_agency() {
    let (directory, case) = (directory(), moved());
    let now = |reader: &str| custody_relations(&directory, &code(reader), &case);
    for concerned in ["gz-court", "liwan-corrections", "liwan-detention"] {
        assert!(now(concerned).contains(&Relation::Received), "{concerned}");
    }
    for supervisor in ["gz-procuratorate", "liwan-procuratorate"] {
        assert_eq!(now(supervisor), [Relation::Supervised].into(), "{supervisor}");
    }
    for past in ["yuexiu-corrections", "yuexiu-procuratorate"] {
        assert!(now(past).is_empty(), "{past}");
        assert!(!case_relations(&directory, &code(past), &case).is_empty(), "{past}");
    }
}

#[test]
fn whoever_took_an_agencys_place_is_supervised_in_its_stead() {
    let mut directory = directory();
    let mut old = (**directory.agency(&code("yuexiu-corrections")).unwrap()).clone();
    old.successor = Some(code("liwan-corrections"));
    directory.put_agency(old);
    let found = supervisor(&directory, &code("yuexiu-corrections")).cloned();
    assert_eq!(found, Some(code("liwan-procuratorate")));
}
