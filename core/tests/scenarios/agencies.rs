//! The world of the scenarios: real divisions, invented agencies under the names that lawyers use.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use xianjie_core::domain::agency::{Agency, Branch, Certificate, Kind, Level, Purpose};
use xianjie_core::domain::directory::{Directory, Division, Divisions};
use xianjie_core::domain::rulebook::Law;
use xianjie_core::ids::{AgencyCode, Digest, LedgerIndex, Time};

/// The law that comes with the program, and who is there.
pub(crate) struct World {
    /// The law.
    pub(crate) law: Law,
    /// The agencies.
    pub(crate) directory: Directory,
    /// The divisions.
    pub(crate) divisions: Divisions,
    codes: BTreeMap<String, AgencyCode>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Divisions of the hub's own: code, level, name, parent.
    zones: Vec<(String, String, String, String)>,
    /// Invented changes of divisions, in the form of `division_changes.tsv`.
    changes: Vec<String>,
    agencies: BTreeMap<String, Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    code: String,
    kind: String,
    level: String,
    #[serde(default)]
    acts_at: Vec<String>,
    #[serde(default)]
    branch: Option<String>,
    serves: Vec<String>,
    under: Option<String>,
    supervised_by: Option<String>,
    #[serde(default)]
    may_enrol: bool,
}

impl World {
    /// Reads the agencies.
    pub(crate) fn read(path: &Path) -> Self {
        let file: File = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let codes: BTreeMap<String, AgencyCode> = file
            .agencies
            .iter()
            .map(|(name, line)| (name.clone(), line.code.parse().unwrap()))
            .collect();
        let mut directory = Directory::default();
        for (name, line) in &file.agencies {
            let agency = line.agency(name, &codes);
            for purpose in [Purpose::Document, Purpose::Acknowledgement] {
                directory.put_certificate(certificate(purpose(agency.code.clone())));
            }
            directory.put_agency(agency);
        }
        Self { law: Law::built_in(), directory, divisions: divisions(&file), codes }
    }

    /// The code of the agency of that name.
    pub(crate) fn code(&self, name: &str) -> Option<&AgencyCode> {
        self.codes.get(name)
    }

    /// The name of an agency.
    pub(crate) fn name<'a>(&'a self, code: &'a AgencyCode) -> &'a str {
        self.directory.agency(code).map_or(code.as_str(), |agency| &agency.name)
    }
}

impl Line {
    fn agency(&self, name: &str, codes: &BTreeMap<String, AgencyCode>) -> Agency {
        let level = |word: &str| {
            let known = Level::WORDS.iter().find(|(_, w)| *w == word);
            known.unwrap_or_else(|| panic!("{name}: no level {word:?}")).0
        };
        let kind = Kind::WORDS.iter().find(|(_, word)| *word == self.kind);
        let link = |other: &Option<String>| {
            other.as_ref().map(|other| {
                codes.get(other).unwrap_or_else(|| panic!("{name}: no {other:?}")).clone()
            })
        };
        Agency {
            code: codes[name].clone(),
            name: name.to_owned(),
            kind: kind.unwrap_or_else(|| panic!("{name}: no kind {:?}", self.kind)).0,
            level: level(&self.level),
            acts_at: self.acts_at.iter().map(|word| level(word)).collect(),
            branch: match self.branch.as_deref() {
                None => Branch::Local,
                Some("bingtuan") => Branch::Bingtuan,
                Some("railway") => Branch::Railway,
                Some(other) => panic!("{name}: no branch {other:?}"),
            },
            serves: self.serves.iter().map(|place| place.parse().unwrap()).collect(),
            parent: link(&self.under),
            supervised_by: link(&self.supervised_by),
            social_credit_code: None,
            electronic_service: false,
            valid_from: Time(0),
            valid_until: None,
            successor: None,
            suspended: false,
            enrolment_until: self.may_enrol.then_some(Time(i64::MAX)),
        }
    }
}

fn divisions(file: &File) -> Divisions {
    let mut divisions = Divisions::parse(
        include_str!("../../data/divisions.tsv"),
        &format!(
            "{}\n{}",
            include_str!("../../data/division_changes.tsv"),
            file.changes.join("\n")
        ),
    )
    .unwrap();
    for (code, level, name, parent) in &file.zones {
        divisions.insert(Division {
            code: code.parse().unwrap(),
            name: name.clone(),
            level: Level::WORDS.iter().find(|(_, word)| word == level).unwrap().0,
            parent: Some(parent.parse().unwrap()),
            branch: Branch::Local,
        });
    }
    divisions
}

/// The certificate of an agency for a purpose: its digest is told from both.
pub(crate) fn certificate(purpose: Purpose) -> Certificate {
    let mut digest = [0u8; 32];
    for (place, byte) in format!("{purpose:?}").bytes().enumerate() {
        digest[place % 32] = digest[place % 32].wrapping_mul(31).wrapping_add(byte);
    }
    Certificate {
        digest: Digest(digest),
        purpose,
        label: String::new(),
        der: Vec::new(),
        valid_from: Time(0),
        valid_until: Time(i64::MAX),
        binding: LedgerIndex(0),
        revoked: None,
    }
}
