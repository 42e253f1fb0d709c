//! Who takes part: agencies (单位) and the systems (接入系统) and certificates that speak for them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ids::{AgencyCode, Digest, DivisionCode, LedgerIndex, OperatorName, SystemCode, Time};

/// What an agency is. The words are those of the rulebook language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// A special people's court (专门人民法院): railway, military and others outside the local levels.
    SpecialCourt,
    /// Basic people's court (基层人民法院).
    BasicCourt,
    /// Intermediate people's court (中级人民法院).
    IntermediateCourt,
    /// High people's court (高级人民法院).
    HighCourt,
    /// People's procuratorate (人民检察院).
    Procuratorate,
    /// Public security organ (公安机关).
    Police,
    /// Detention centre (看守所).
    DetentionCentre,
    /// Prison (监狱).
    Prison,
    /// Prison administration (监狱管理机关).
    PrisonAdministration,
    /// Community-corrections agency (社区矫正机构).
    CorrectionsAgency,
    /// Justice administration department (司法行政机关).
    JusticeDepartment,
    /// Supervision commission (监察委员会).
    SupervisionCommission,
    /// State security organ (国家安全机关).
    StateSecurityOrgan,
    /// Coast guard (海警机构).
    CoastGuard,
    /// Social organisation (社会组织).
    SocialOrganisation,
    /// Another department (有关部门).
    Department,
    /// The hub itself (衔接平台): sends notices, is sent nothing.
    Hub,
}

impl Kind {
    /// Every kind, with the word that the rulebook language and the directory use for it.
    pub const WORDS: &'static [(Self, &'static str)] = &[
        (Self::SpecialCourt, "court"),
        (Self::BasicCourt, "basic court"),
        (Self::IntermediateCourt, "intermediate court"),
        (Self::HighCourt, "high court"),
        (Self::Procuratorate, "procuratorate"),
        (Self::Police, "police"),
        (Self::DetentionCentre, "detention centre"),
        (Self::Prison, "prison"),
        (Self::PrisonAdministration, "prison administration"),
        (Self::CorrectionsAgency, "corrections agency"),
        (Self::JusticeDepartment, "justice department"),
        (Self::SupervisionCommission, "supervision commission"),
        (Self::StateSecurityOrgan, "state security organ"),
        (Self::CoastGuard, "coast guard"),
        (Self::SocialOrganisation, "social organisation"),
        (Self::Department, "department"),
        (Self::Hub, "hub"),
    ];

    /// The word for this kind.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, word)| word)
    }

    /// Whether this is a court of any level.
    #[must_use]
    pub fn is_court(self) -> bool {
        matches!(
            self,
            Self::SpecialCourt | Self::BasicCourt | Self::IntermediateCourt | Self::HighCourt
        )
    }
}

/// The administrative level (级别) at which an agency acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// County (县级).
    County,
    /// City with districts (设区的市级).
    City,
    /// Province (省级).
    Provincial,
    /// The nation (国家级).
    National,
}

impl Level {
    /// Every level with its word.
    pub const WORDS: &'static [(Self, &'static str)] = &[
        (Self::County, "county"),
        (Self::City, "city"),
        (Self::Provincial, "provincial"),
        (Self::National, "national"),
    ];

    /// The word for this level.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(level, _)| *level == self).map_or("", |(_, word)| word)
    }
}

/// The organisation that an agency belongs to: "court of the place" means one of the place's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Branch {
    /// The local system (地方).
    Local,
    /// The Xinjiang Production and Construction Corps (兵团).
    Bingtuan,
    /// Railway transport courts, procuratorates and police (铁路运输).
    Railway,
    /// Military (军队).
    Military,
}

/// An agency (单位) as the directory has it now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agency {
    /// Its code, assigned by the hub.
    pub code: AgencyCode,
    /// Its official name, in Chinese: an office's, never a person's.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its level.
    pub level: Level,
    /// Further levels at which it also acts: Dongguan's city police act at county level.
    pub acts_at: BTreeSet<Level>,
    /// The organisation it belongs to.
    pub branch: Branch,
    /// The divisions that it serves: an explicit list, never computed from digits.
    pub serves: BTreeSet<DivisionCode>,
    /// Its superior (上级).
    pub parent: Option<AgencyCode>,
    /// The procuratorate that supervises it (法律监督): a link, since railway, Bingtuan and
    /// intermediate courts break "of its division".
    pub supervised_by: Option<AgencyCode>,
    /// Its social credit code (统一社会信用代码), if recorded.
    pub social_credit_code: Option<String>,
    /// Whether it consents to electronic service (同意电子送达): then a limit "from receipt" counts
    /// from the commit to its inbox.
    pub electronic_service: bool,
    /// First instant at which it takes part.
    pub valid_from: Time,
    /// First instant at which it no longer does.
    pub valid_until: Option<Time>,
    /// The agency that its routing, custody and open duties passed to.
    pub successor: Option<AgencyCode>,
    /// Whether an operator has suspended it.
    pub suspended: bool,
    /// Until when it may bring in people sentenced before (存量入库).
    pub enrolment_until: Option<Time>,
}

impl Agency {
    /// Whether it acts at `level`.
    #[must_use]
    pub fn acts_at(&self, level: Level) -> bool {
        self.level == level || self.acts_at.contains(&level)
    }

    /// Whether it takes part at `time`.
    #[must_use]
    pub fn is_active(&self, time: Time) -> bool {
        !self.suspended && self.is_addressable(time)
    }

    /// Whether the law finds it at `time`: it exists and has no successor. Suspended or not: the
    /// inbox of a suspended agency goes on filling.
    #[must_use]
    pub fn is_addressable(&self, time: Time) -> bool {
        self.successor.is_none()
            && self.valid_from <= time
            && self.valid_until.is_none_or(|until| time < until)
    }
}

/// What a system may do for an agency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Right {
    /// Submit documents and upload attachments.
    Submit,
    /// Read the inbox and what was sent.
    Receive,
    /// Hand in acknowledgements and rejections.
    Acknowledge,
    /// Read what the agency supervises.
    Supervise,
    /// Query persons by topic, on a legal ground.
    Query,
}

impl Right {
    /// Every right with its word.
    pub const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Submit, "submit"),
        (Self::Receive, "receive"),
        (Self::Acknowledge, "acknowledge"),
        (Self::Supervise, "supervise"),
        (Self::Query, "query"),
    ];
}

/// A connecting system (接入系统): client certificates, and the agencies that it carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct System {
    /// Its code.
    pub code: SystemCode,
    /// What it is called.
    pub name: String,
    /// The agencies that it carries and with which rights.
    pub agencies: BTreeMap<AgencyCode, BTreeSet<Right>>,
    /// Whether it is a gateway for many agencies: more streams a connection.
    pub gateway: bool,
    /// Whether an operator has suspended it.
    pub suspended: bool,
}

/// What a registered certificate is for: exactly one thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Purpose {
    /// Mutual TLS of a system.
    Transport(SystemCode),
    /// Signing an agency's documents.
    Document(AgencyCode),
    /// Signing an agency's acknowledgements and rejections.
    Acknowledgement(AgencyCode),
    /// An operator's TLS and directory changes.
    Operator(OperatorName),
}

/// A certificate as the directory has it: pinned by digest, bound to one purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// SHA-256 of its DER bytes.
    pub digest: Digest,
    /// What it is for.
    pub purpose: Purpose,
    /// A word by which people tell an agency's certificates apart.
    pub label: String,
    /// The certificate, DER.
    pub der: Vec<u8>,
    /// First instant at which it counts.
    pub valid_from: Time,
    /// First instant at which it no longer counts.
    pub valid_until: Time,
    /// The record that registered it: what a document's record names as `binding`.
    pub binding: LedgerIndex,
    /// Its revocation, if any.
    pub revoked: Option<Revocation>,
}

/// A certificate's revocation (吊销).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// When the directory recorded it.
    pub at: Time,
    /// Since when the key may have been in wrong hands: records before it stand, later ones are
    /// flagged.
    pub compromised_since: Option<Time>,
}

impl Certificate {
    /// Whether it counts at `time`.
    #[must_use]
    pub fn is_live(&self, time: Time) -> bool {
        self.revoked.is_none() && self.valid_from <= time && time < self.valid_until
    }
}
