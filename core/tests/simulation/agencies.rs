//! The agencies of a province: real divisions, invented agencies. Codes here are read by people, and
//! by this test alone computed: `360102-police` is the police of county 360102.

use std::collections::{BTreeMap, BTreeSet};

use xianjie_core::domain::agency::{Agency, Branch, Certificate, Kind, Level, Purpose};
use xianjie_core::ids::{AgencyCode, Digest, DivisionCode, LedgerIndex, Time};

use crate::dice::Dice;
use crate::errors::Temper;
use crate::hub::divisions;

/// Jiangxi (江西): 11 cities, 100 counties, none of them without a city or without districts.
const PROVINCE: &str = "360000";
/// The counties with a prison.
const PRISONS: usize = 6;
/// The hub's own agency.
pub(crate) const HUB: &str = "hub";

/// What a county, a city and a province have, as the ends of their codes.
const OF_COUNTY: &[(&str, Kind)] = &[
    ("court", Kind::BasicCourt),
    ("procuratorate", Kind::Procuratorate),
    ("police", Kind::Police),
    ("detention", Kind::DetentionCentre),
    ("corrections", Kind::CorrectionsAgency),
];
const OF_CITY: &[(&str, Kind)] = &[
    ("court", Kind::IntermediateCourt),
    ("procuratorate", Kind::Procuratorate),
    ("police", Kind::Police),
    ("corrections", Kind::CorrectionsAgency),
];
const OF_PROVINCE: &[(&str, Kind)] = &[
    ("court", Kind::HighCourt),
    ("procuratorate", Kind::Procuratorate),
    ("police", Kind::Police),
    ("corrections", Kind::CorrectionsAgency),
    ("prisons", Kind::PrisonAdministration),
];

/// The agencies as their own people know them: an account of its own, beside the hub's directory.
pub(crate) struct Agencies {
    /// The counties, by code.
    pub(crate) counties: Vec<DivisionCode>,
    /// The counties that have a prison.
    pub(crate) prisons: Vec<DivisionCode>,
    /// How careful each agency is.
    pub(crate) tempers: BTreeMap<AgencyCode, Temper>,
    /// Those that are suspended now.
    pub(crate) suspended: BTreeSet<AgencyCode>,
    heirs: BTreeMap<AgencyCode, AgencyCode>,
    seats: BTreeMap<AgencyCode, BTreeSet<DivisionCode>>,
}

impl Agencies {
    /// The province's agencies, and how each is entered into the directory.
    pub(crate) fn new(dice: &mut Dice, from: Time) -> (Self, Vec<Agency>) {
        let within = |level: Level| {
            let all = divisions().iter().filter(move |division| division.level == level);
            all.filter(|division| divisions().is_within(&division.code, &place(PROVINCE)))
                .map(|division| division.code.clone())
                .collect::<Vec<_>>()
        };
        let (counties, cities) = (within(Level::County), within(Level::City));
        let mut all = Vec::new();
        let mut put = |division: &DivisionCode, level, offices: &[(&str, Kind)]| {
            all.extend(offices.iter().map(|(end, kind)| agency(division, end, *kind, level, from)));
        };
        put(&place(PROVINCE), Level::Provincial, OF_PROVINCE);
        cities.iter().for_each(|city| put(city, Level::City, OF_CITY));
        counties.iter().for_each(|county| put(county, Level::County, OF_COUNTY));
        let prisons: Vec<DivisionCode> =
            counties.iter().step_by(counties.len() / PRISONS).take(PRISONS).cloned().collect();
        prisons.iter().for_each(|at| put(at, Level::City, &[("prison", Kind::Prison)]));
        let tempers = all.iter().map(|agency| (agency.code.clone(), Temper::draw(dice))).collect();
        let seats = all.iter().map(|agency| (agency.code.clone(), agency.serves.clone())).collect();
        let known = Self {
            counties,
            prisons,
            tempers,
            suspended: BTreeSet::new(),
            heirs: BTreeMap::new(),
            seats,
        };
        (known, all)
    }

    /// The agency of a place, or whoever took its place.
    pub(crate) fn at(&self, division: &DivisionCode, end: &str) -> AgencyCode {
        self.heir(&code_at(division, end))
    }

    /// The agency of the city that a county lies in.
    pub(crate) fn over(&self, county: &DivisionCode, end: &str) -> AgencyCode {
        self.at(&city(county), end)
    }

    /// The agency of the city that another agency's seat lies in.
    pub(crate) fn above(&self, code: &AgencyCode, end: &str) -> AgencyCode {
        self.over(&seat(code), end)
    }

    /// The agency of the province.
    pub(crate) fn provincial(&self, end: &str) -> AgencyCode {
        self.at(&place(PROVINCE), end)
    }

    /// Whoever answers for what `code` had.
    pub(crate) fn heir(&self, code: &AgencyCode) -> AgencyCode {
        let mut last = code;
        while let Some(next) = self.heirs.get(last) {
            last = next;
        }
        last.clone()
    }

    /// `code` is merged into `heir`, which serves all its places then, or takes over what is left.
    pub(crate) fn merge(&mut self, code: &AgencyCode, heir: &AgencyCode, with_seats: bool) {
        if with_seats {
            let seats = self.seats[code].clone();
            self.seats.get_mut(heir).unwrap().extend(seats);
        }
        self.heirs.insert(code.clone(), heir.clone());
    }

    /// The procuratorate that supervises an agency of a place.
    pub(crate) fn supervisor(&self, code: &AgencyCode) -> AgencyCode {
        let end = "procuratorate";
        if code.as_str().ends_with("-prison") {
            self.above(code, end)
        } else {
            self.at(&seat(code), end)
        }
    }

    /// Whether an agency is one of a city, not of a county.
    pub(crate) fn is_of_city(code: &AgencyCode) -> bool {
        seat(code).as_str().ends_with("00")
    }

    /// Whether an agency, or whoever took its place, serves a county.
    pub(crate) fn serves(&self, code: &AgencyCode, county: &DivisionCode) -> bool {
        self.seats[&self.heir(code)].contains(county)
    }
}

fn agency(division: &DivisionCode, end: &str, kind: Kind, level: Level, from: Time) -> Agency {
    let over = match (end, level) {
        (_, Level::Provincial | Level::National) => None,
        ("prison", _) => Some(code_at(&place(PROVINCE), "prisons")),
        ("detention", _) => Some(code_at(division, "police")),
        (_, Level::City) => Some(code_at(&place(PROVINCE), end)),
        (_, Level::County) => Some(code_at(&city(division), end)),
    };
    let supervisor = match (end, kind) {
        (_, Kind::Procuratorate) => None,
        ("prison", _) => Some(code_at(&city(division), "procuratorate")),
        _ => Some(code_at(division, "procuratorate")),
    };
    Agency {
        code: code_at(division, end),
        kind,
        level,
        serves: BTreeSet::from([division.clone()]),
        parent: over,
        supervised_by: supervisor,
        ..blank(from)
    }
}

/// The hub's own agency.
pub(crate) fn hub_agency(from: Time) -> Agency {
    Agency { code: code(HUB), kind: Kind::Hub, level: Level::Provincial, ..blank(from) }
}

fn blank(from: Time) -> Agency {
    Agency {
        code: code("none"),
        name: "单位".to_owned(),
        kind: Kind::Department,
        level: Level::County,
        acts_at: BTreeSet::new(),
        branch: Branch::Local,
        serves: BTreeSet::new(),
        parent: None,
        supervised_by: None,
        social_credit_code: None,
        electronic_service: false,
        valid_from: from,
        valid_until: None,
        successor: None,
        suspended: false,
        enrolment_until: None,
    }
}

/// The certificate for a purpose: its digest tells which.
pub(crate) fn certificate(purpose: Purpose) -> Certificate {
    let mut digest = [0_u8; 32];
    for (at, byte) in format!("{purpose:?}").bytes().enumerate() {
        digest[at % 32] = digest[at % 32].wrapping_mul(31).wrapping_add(byte);
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

/// The division that an agency's code begins with.
fn seat(code: &AgencyCode) -> DivisionCode {
    place(code.as_str().split_once('-').unwrap().0)
}

/// The city that a county lies in.
fn city(county: &DivisionCode) -> DivisionCode {
    divisions().get(county).and_then(|division| division.parent.clone()).unwrap()
}

fn code_at(division: &DivisionCode, end: &str) -> AgencyCode {
    code(&format!("{division}-{end}"))
}

/// An agency's code.
pub(crate) fn code(text: &str) -> AgencyCode {
    text.parse().unwrap()
}

/// A division's code.
pub(crate) fn place(text: &str) -> DivisionCode {
    text.parse().unwrap()
}
