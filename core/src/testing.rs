//! A small nation for tests: real divisions, invented agencies. Its odd corners are those that
//! routing must get right: Dongguan (东莞) without districts, Beijing without cities, Xiantao (仙桃)
//! directly under its province, Shihezi (石河子) of the Bingtuan, a railway court, a zone without a
//! corrections agency, divisions that were abolished.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crate::domain::agency::{Agency, Branch, Kind, Level};
use crate::domain::directory::{Directory, Division, Divisions};
use crate::domain::document::Document;
use crate::domain::relation::{Answered, Scene};
use crate::domain::role::Role;
use crate::domain::state::{Addressed, Case, DocumentRow};
use crate::ids::{
    AgencyCode, Digest, DivisionCode, DocumentId, DocumentRef, DocumentType, InboxNumber,
    LedgerIndex, Time,
};

/// The instant at which tests look at the nation: it takes part from 0 on.
pub(crate) const NOW: Time = Time(1_000);

/// Code, kind, level, divisions served, superior, supervising procuratorate.
const NATION: &str = "
hub | hub | national | | |

gd-high-court | high court | provincial | 440000 | | gd-procuratorate
gd-procuratorate | procuratorate | provincial | 440000 | |
gd-police | police | provincial | 440000 | | gd-procuratorate
gd-corrections | corrections agency | provincial | 440000 | | gd-procuratorate
gd-prisons | prison administration | provincial | 440000 | | gd-procuratorate
panyu-prison | prison | city | 440113 | gd-prisons | gz-procuratorate
conghua-prison | prison | city | 440117 | gd-prisons | gz-procuratorate

gz-court | intermediate court | city | 440100 | gd-high-court | gz-procuratorate
gz-procuratorate | procuratorate | city | 440100 | gd-procuratorate |
gz-police | police | city | 440100 | gd-police | gz-procuratorate
gz-corrections | corrections agency | city | 440100 | gd-corrections | gz-procuratorate

liwan-court | basic court | county | 440103 | gz-court | liwan-procuratorate
liwan-procuratorate | procuratorate | county | 440103 | gz-procuratorate |
liwan-police | police | county | 440103 | gz-police | liwan-procuratorate
liwan-detention | detention centre | county | 440103 | liwan-police | liwan-procuratorate
liwan-corrections | corrections agency | county | 440103 | gz-corrections | liwan-procuratorate

yuexiu-court | basic court | county | 440104 | gz-court | yuexiu-procuratorate
yuexiu-procuratorate | procuratorate | county | 440104 | gz-procuratorate |
yuexiu-police | police | county | 440104 | gz-police | yuexiu-procuratorate
yuexiu-detention | detention centre | county | 440104 | yuexiu-police | yuexiu-procuratorate
yuexiu-corrections | corrections agency | county | 440104 | gz-corrections | yuexiu-procuratorate

rail-court | court | county | 440104 | | rail-procuratorate | railway
rail-procuratorate | procuratorate | county | 440104 | | | railway

zone-court | basic court | county | GZZONE | gz-court | zone-procuratorate
zone-procuratorate | procuratorate | county | GZZONE | gz-procuratorate |
zone-police | police | county | GZZONE | gz-police | zone-procuratorate

dg-court | intermediate court | city | 441900 | gd-high-court | dg-procuratorate
dg-procuratorate | procuratorate | city | 441900 | gd-procuratorate |
dg-police | police | city county | 441900 | gd-police | dg-procuratorate
dg-corrections | corrections agency | city county | 441900 | gd-corrections | dg-procuratorate
dg-court-1 | basic court | county | 441900 | dg-court | dg-procuratorate-1
dg-court-2 | basic court | county | 441900 | dg-court | dg-procuratorate-2
dg-court-3 | basic court | county | 441900 | dg-court | dg-procuratorate-3
dg-procuratorate-1 | procuratorate | county | 441900 | dg-procuratorate |
dg-procuratorate-2 | procuratorate | county | 441900 | dg-procuratorate |
dg-procuratorate-3 | procuratorate | county | 441900 | dg-procuratorate |

bj-high-court | high court | provincial | 110000 | | bj-procuratorate
bj-procuratorate | procuratorate | provincial | 110000 | |
bj-corrections | corrections agency | provincial | 110000 | | bj-procuratorate
bj-court-1 | intermediate court | city | 110107 110108 | bj-high-court | bj-procuratorate-1
bj-court-3 | intermediate court | city | 110105 110112 | bj-high-court | bj-procuratorate-3
bj-procuratorate-1 | procuratorate | city | 110107 110108 | bj-procuratorate |
bj-procuratorate-3 | procuratorate | city | 110105 110112 | bj-procuratorate |
chaoyang-court | basic court | county | 110105 | bj-court-3 | chaoyang-procuratorate
chaoyang-procuratorate | procuratorate | county | 110105 | bj-procuratorate-3 |
chaoyang-corrections | corrections agency | county | 110105 | bj-corrections | chaoyang-procuratorate

hb-high-court | high court | provincial | 420000 | |
hanjiang-court | intermediate court | city | 429004 429005 429006 | hb-high-court |
xiantao-corrections | corrections agency | county | 429004 | |

xj-prisons | prison administration | provincial | 650000 | |
bt-prisons | prison administration | provincial | 650000 | | | bingtuan
shihezi-court | basic court | county | 659001 | | | bingtuan
shihezi-corrections | corrections agency | county | 659001 | | | bingtuan
";

/// Two codes of a past of our own: one district that was renamed, one that was split.
const CHANGES: &str = "
2025\t撤销\t440198\t旧区\t440103\t荔湾区
2025\t撤销\t440199\t旧县\t440103\t荔湾区
2025\t撤销\t440199\t旧县\t440104\t越秀区
";

static DIVISIONS: LazyLock<Divisions> = LazyLock::new(|| {
    let mut divisions = Divisions::parse(
        include_str!("../data/divisions.tsv"),
        &format!("{}\n{CHANGES}", include_str!("../data/division_changes.tsv")),
    )
    .unwrap();
    divisions.insert(Division {
        code: division("GZZONE"),
        name: "开发区".to_owned(),
        level: Level::County,
        parent: Some(division("440100")),
        branch: Branch::Local,
    });
    divisions
});

/// The divisions at year-end 2025, a zone in Guangzhou (`GZZONE`), and two abolished codes:
/// 440198 became 440103; 440199 became 440103 and 440104.
pub(crate) fn divisions() -> &'static Divisions {
    &DIVISIONS
}

/// All agencies of the nation.
pub(crate) fn directory() -> Directory {
    let mut directory = Directory::default();
    for line in NATION.lines().filter(|line| !line.is_empty()) {
        directory.put_agency(parse_agency(line));
    }
    directory
}

fn parse_agency(line: &str) -> Agency {
    let columns: Vec<&str> = line.split('|').map(str::trim).collect();
    let level_of = |word| Level::WORDS.iter().find(|(_, w)| *w == word).unwrap().0;
    let link = |text: &str| (!text.is_empty()).then(|| code(text));
    let mut levels = columns[2].split(' ').map(level_of);
    Agency {
        code: code(columns[0]),
        name: columns[0].to_owned(),
        kind: Kind::WORDS.iter().find(|(_, word)| *word == columns[1]).unwrap().0,
        level: levels.next().unwrap(),
        acts_at: levels.collect(),
        branch: match columns.get(6) {
            None => Branch::Local,
            Some(&"bingtuan") => Branch::Bingtuan,
            Some(&"railway") => Branch::Railway,
            Some(_) => Branch::Military,
        },
        serves: columns[3].split_whitespace().map(division).collect(),
        parent: link(columns[4]),
        supervised_by: link(columns[5]),
        social_credit_code: None,
        electronic_service: false,
        valid_from: Time(0),
        valid_until: None,
        successor: None,
        suspended: false,
        enrolment_until: None,
    }
}

/// An agency's code.
pub(crate) fn code(text: &str) -> AgencyCode {
    text.parse().unwrap()
}

/// A division's code.
pub(crate) fn division(text: &str) -> DivisionCode {
    text.parse().unwrap()
}

/// A document type.
pub(crate) fn document_type(text: &str) -> DocumentType {
    text.parse().unwrap()
}

/// A document of that type that says nothing yet.
pub(crate) fn document(sender: &str, kind: &str) -> Document {
    Document {
        id: DocumentId([7; 16]),
        sender: code(sender),
        kind: document_type(kind),
        digest: Digest([7; 32]),
        subject: None,
        execution_place: None,
        chosen: Vec::new(),
        in_reply_to: None,
        after: Vec::new(),
        replaces: None,
        attachments: Vec::new(),
        facts: BTreeMap::new(),
        present: BTreeSet::new(),
    }
}

/// A document as the state remembers it, addressed to `primaries` and copied to `copies`.
pub(crate) fn document_row(kind: &str, primaries: &[&str], copies: &[&str]) -> DocumentRow {
    let both = primaries.iter().map(|to| (to, false)).chain(copies.iter().map(|to| (to, true)));
    DocumentRow {
        index: LedgerIndex(1),
        kind: document_type(kind),
        commitment: Digest([1; 32]),
        case: None,
        thread: LedgerIndex(1),
        in_reply_to: None,
        addressed: both
            .map(|(to, copy)| Addressed {
                agency: code(to),
                number: InboxNumber(1),
                copy,
                carries: BTreeSet::new(),
            })
            .collect(),
        places: BTreeMap::new(),
        supervisors: BTreeSet::new(),
        unique: None,
        replaces: None,
        replaced_by: None,
        withdrawn_by: None,
    }
}

/// All that a [`Scene`] borrows, to be set up piece by piece.
pub(crate) struct Stage {
    pub(crate) directory: Directory,
    pub(crate) document: Document,
    pub(crate) answered: Option<(DocumentRef, DocumentRow)>,
    pub(crate) case: Option<Case>,
    pub(crate) addressee: Option<AgencyCode>,
    pub(crate) given: BTreeMap<Role, AgencyCode>,
    pub(crate) open: BTreeMap<DocumentType, (AgencyCode, AgencyCode)>,
}

impl Stage {
    /// A notice from `sender` about a case that is executed at `place`.
    pub(crate) fn new(sender: &str, place: &str) -> Self {
        Self {
            directory: directory(),
            document: document(sender, "notice"),
            answered: None,
            case: Some(Case { place: Some(division(place)), ..Case::default() }),
            addressee: None,
            given: BTreeMap::new(),
            open: BTreeMap::new(),
        }
    }

    /// The same, with `agency` in `role` of the case.
    pub(crate) fn with_role(mut self, role: Role, agency: &str) -> Self {
        self.case.as_mut().unwrap().roles.insert(role, code(agency));
        self
    }

    /// The same, as an answer to `row` from `sender`.
    pub(crate) fn answering(mut self, sender: &str, row: DocumentRow) -> Self {
        let answered = DocumentRef { sender: code(sender), id: DocumentId([1; 16]) };
        self.document.in_reply_to = Some(answered.clone());
        self.answered = Some((answered, row));
        self
    }

    /// The same, after `change` to one agency.
    pub(crate) fn changing(mut self, agency: &str, change: impl FnOnce(&mut Agency)) -> Self {
        let mut changed = (**self.directory.agency(&code(agency)).unwrap()).clone();
        change(&mut changed);
        self.directory.put_agency(changed);
        self
    }

    /// What is evaluated.
    pub(crate) fn scene(&self) -> Scene<'_> {
        Scene {
            directory: &self.directory,
            divisions: divisions(),
            time: NOW,
            document: &self.document,
            answered: self.answered.as_ref().map(|(document, row)| Answered { document, row }),
            case: self.case.as_ref(),
            addressee: self.addressee.clone(),
            proposer: None,
            given: self.given.clone(),
            open: self.open.clone(),
        }
    }
}
