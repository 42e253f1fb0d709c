//! Agencies that send anything to anyone in any order: most is refused, nothing panics, and what is
//! taken keeps the promises.

use std::collections::BTreeSet;

use super::*;
use crate::domain::rulebook::Answers;
use crate::ids::DocumentType;

/// A small generator of its own: a seed that fails can be run again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())].clone()
    }
}

const AGENCIES: [&str; 16] = [
    "liwan-court",
    "liwan-corrections",
    "liwan-police",
    "liwan-procuratorate",
    "liwan-detention",
    "yuexiu-court",
    "yuexiu-corrections",
    "yuexiu-police",
    "yuexiu-procuratorate",
    "gz-court",
    "gz-corrections",
    "gz-procuratorate",
    "gd-prisons",
    "panyu-prison",
    "zone-court",
    "dg-court-1",
];

const PLACES: [&str; 4] = ["440103", "440104", "GZZONE", "441900"];

const CATEGORIES: [Category; 4] = [
    Category::PublicSurveillance,
    Category::Probation,
    Category::Parole,
    Category::TemporaryRelease,
];

/// A paper that is mostly sensible: its sender may send such, it answers what such may answer.
fn paper(dice: &mut Dice, nation: &Nation, types: &[DocumentType], sent: &[Sent]) -> Paper {
    let day = crate::domain::term::shanghai_date(nation.time.0);
    let kind = dice.pick(types);
    let table = nation.law.on(day).table(&kind);
    let fits = |code: &&&str| {
        let agency = nation.directory.agency(&testing::code(code)).unwrap();
        table.is_none_or(|t| t.senders.iter().any(|s| document::admits(s, agency)))
    };
    let senders: Vec<&str> = AGENCIES.iter().filter(fits).copied().collect();
    let sender = if senders.is_empty() { "liwan-court" } else { dice.pick(&senders) };
    let mut paper = Paper::new(sender, kind.as_str());
    if dice.roll(10) < 8 {
        let category = dice.pick(&CATEGORIES);
        paper = paper.about(dice.roll(6) as u8 + 1, category);
    }
    if dice.roll(10) < 7 {
        paper = paper.at(dice.pick(&PLACES));
    }
    if dice.roll(10) < 5 {
        paper = paper.number(&format!("（2026）粤刑初{}号", dice.roll(3)));
    }
    let answerable = |sent: &&Sent| {
        let kind = &sent.kind();
        table.is_some_and(|table| {
            [&table.answers, &table.may_answer].into_iter().any(|answers| match answers {
                Answers::Nothing => false,
                Answers::Any => true,
                Answers::Types(types) => types.contains(kind),
            })
        })
    };
    let answerable: Vec<&Sent> = sent.iter().filter(answerable).collect();
    if !answerable.is_empty() && dice.roll(10) < 9 {
        let answered = answerable[dice.roll(answerable.len())];
        let reached: Vec<String> = answered.reached();
        let may: Vec<&String> =
            reached.iter().filter(|code| senders.contains(&code.as_str())).collect();
        if !may.is_empty() && dice.roll(10) < 9 {
            paper.0.sender = testing::code(may[dice.roll(may.len())]);
        }
        paper = paper.answering(answered);
    }
    if dice.roll(10) < 3 {
        paper = paper.choosing(&[dice.pick(&AGENCIES)]);
    }
    if dice.roll(10) < 3 {
        paper = paper.place("new_place", dice.pick(&PLACES));
    }
    for field in ["custodian", "guard", "original_court", "file_holder"] {
        if dice.roll(10) < 4 {
            paper = paper.agency(field, dice.pick(&AGENCIES));
        }
    }
    for field in ["decision_date", "effective_date", "term_expiry_date", "stated_date"] {
        if dice.roll(10) < 6 {
            paper = paper.with(field, date(11, 1 + dice.roll(28) as i8));
        }
    }
    match table.map(|table| &table.base.outcomes) {
        Some(outcomes) if !outcomes.is_empty() => paper.word("outcome", &dice.pick(outcomes)),
        _ => paper,
    }
}

impl Sent {
    fn kind(&self) -> DocumentType {
        match &self.record.kind {
            Kind::Document(taken) => taken.document_type.clone(),
            other => panic!("no document: {other:?}"),
        }
    }

    fn reached(&self) -> Vec<String> {
        self.route().replace(" /", "").split_whitespace().map(str::to_owned).collect()
    }
}

#[test]
fn whatever_is_sent_the_promises_hold() {
    let types: Vec<DocumentType> = Law::built_in().types().iter().cloned().collect();
    let mut taken = BTreeSet::new();
    for seed in 0..8 {
        let mut dice = Dice(seed);
        let mut nation = Nation::new();
        let mut sent: Vec<Sent> = Vec::new();
        for step in 0..1500 {
            nation.time = Time(nation.time.0 + dice.roll(7_200_000) as i64);
            let mut paper = paper(&mut dice, &nation, &types, &sent);
            paper.0.id.0[..4].copy_from_slice(&(step as u32).to_be_bytes());
            paper.0.digest.0[..4].copy_from_slice(&(step as u32).to_be_bytes());
            if let Ok(document) = nation.send(paper) {
                taken.insert(document.kind());
                sent.push(document);
            }
            if dice.roll(3) == 0 {
                let number = 1 + dice.roll(20) as u64;
                let _ = nation.acknowledge(dice.pick(&AGENCIES), number);
            }
        }
        check(&nation, &sent);
    }
    assert!(taken.len() >= 60, "only {taken:?} were ever taken");
}

/// What must be so in every state.
fn check(nation: &Nation, sent: &[Sent]) {
    replays_to_the_same(nation, sent);
    let (mut owed, mut sought, mut listed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (key, row) in &nation.rows {
        match (key, row) {
            (Key::Case(case), Row::Case(row)) => {
                somebody_answers(*case, row);
                let missing = row.custody.missing;
                assert_eq!(missing, row.missing_since.is_some(), "{row:?}");
                if missing && row.custody.answers.is_some() {
                    sought.extend(row.concerned().map(|agency| (agency.clone(), *case)));
                }
            }
            (Key::SoughtBy(agency, case), Row::Entry) => {
                listed.insert((agency.clone(), *case));
            }
            (Key::OwedInCase(_, duty) | Key::OwedInThread(_, duty), Row::Entry) => {
                owed.insert(*duty);
            }
            _ => {}
        }
    }
    assert_eq!(listed, sought, "whoever is missing is found by whom they concern");
    for (key, row) in &nation.rows {
        if let (Key::Duty(id), Row::Duty(duty)) = (key, row) {
            assert_eq!(duty.is_owed(), owed.contains(id), "{duty:?}");
        }
    }
}

/// P8: in every state but the beginning and the ends somebody answers.
fn somebody_answers(case: CaseRef, row: &Case) {
    let nobody_needed = matches!(
        row.custody.state,
        State::None | State::Imprisoned | State::Released | State::Dead
    );
    assert_eq!(row.custody.answers.is_none(), nobody_needed, "case {case}: {:?}", row.custody);
}

/// P9: the documents' records alone, folded again, give the documents' rows. (Acknowledgements are
/// folded as they come; the audit of a whole ledger folds all kinds.)
fn replays_to_the_same(nation: &Nation, sent: &[Sent]) {
    let mut again = Nation::new();
    for document in sent {
        while (again.entries.len() as u64) < document.index.0 {
            let index = LedgerIndex(again.entries.len() as u64);
            again.entries.insert(index, nation.entries[&index].clone());
        }
        again.time = document.time;
        again.apply(&document.record, None);
    }
    for (key, row) in &again.rows {
        if matches!(key, Key::Document(_) | Key::Case(_) | Key::Sent(..) | Key::Unique(_)) {
            assert_eq!(nation.rows.get(key), Some(row));
        }
    }
}
