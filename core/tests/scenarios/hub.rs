//! A hub in memory: its rows, and nothing loaded that a decision did not ask for.

use std::collections::BTreeMap;

use xianjie_core::domain::decide::{self, ClockInput, Decision, Input, decide};
use xianjie_core::domain::duty::Duty;
use xianjie_core::domain::record::Record;
use xianjie_core::domain::reminders::Reminders;
use xianjie_core::domain::state::{Case, EntryHead, Key, Loaded, Row, View, Wants, apply};
use xianjie_core::ids::{CaseRef, DutyId, LedgerIndex, PersonKey, Time};
use xianjie_core::refusal::Refusal;

use crate::agencies::World;

/// The hub.
pub(crate) struct Hub<'w> {
    world: &'w World,
    /// The state.
    pub(crate) rows: BTreeMap<Key, Row>,
    entries: BTreeMap<LedgerIndex, EntryHead>,
    persons: Vec<(PersonKey, CaseRef)>,
    /// The time.
    pub(crate) time: Time,
}

impl<'w> Hub<'w> {
    /// A hub that has taken nothing yet.
    pub(crate) fn new(world: &'w World) -> Self {
        let (rows, entries) = (BTreeMap::new(), BTreeMap::new());
        Self { world, rows, entries, persons: Vec::new(), time: Time(0) }
    }

    /// How many records there are.
    pub(crate) fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    /// A duty.
    pub(crate) fn duty(&self, id: DutyId) -> &Duty {
        match self.rows.get(&Key::Duty(id)) {
            Some(Row::Duty(duty)) => duty,
            other => panic!("no duty: {other:?}"),
        }
    }

    /// A correction case.
    pub(crate) fn case(&self, case: CaseRef) -> &Case {
        match self.rows.get(&Key::Case(case)) {
            Some(Row::Case(case)) => case,
            other => panic!("no case: {other:?}"),
        }
    }

    /// The first case of a person.
    pub(crate) fn case_of(&self, person: PersonKey) -> CaseRef {
        self.persons.iter().find(|(known, _)| *known == person).unwrap().1
    }

    /// Loads what is missing until the decision stands, then applies it. Gives its records.
    pub(crate) fn decide(&mut self, input: &Input) -> Result<Vec<Record>, Refusal> {
        let mut loaded = Loaded::default();
        let decided = loop {
            let view = View::new(&loaded);
            let decided = decide(&view, &self.consulted(), input);
            let missing = view.take_missing();
            if missing.is_empty() {
                break decided;
            }
            self.load(&missing, &mut loaded);
        };
        match decided? {
            Decision::Record(decided) => {
                decided.records().for_each(|record| self.apply(&mut loaded, record));
                self.persons.extend(decided.link);
                Ok(decided.records().cloned().collect())
            }
            Decision::Known(known) => panic!("nothing new, known by {known:?}"),
        }
    }

    /// Takes every step that is due by now, as the timekeeper does, earliest first.
    pub(crate) fn pass(&mut self) -> Vec<Record> {
        let mut records = Vec::new();
        loop {
            let woken = |key: &Key| match key {
                Key::Wake(wake, duty) if *wake <= self.time => Some(*duty),
                _ => None,
            };
            let Some(duty) = self.rows.keys().find_map(woken) else { return records };
            let input = Input::Clock(ClockInput::Duty(duty));
            records.extend(self.decide(&input).unwrap());
        }
    }

    fn consulted(&self) -> decide::World<'_> {
        decide::World {
            directory: &self.world.directory,
            divisions: &self.world.divisions,
            law: &self.world.law,
            reminders: Reminders::default(),
            time: self.time,
            index: LedgerIndex(self.size()),
            commit_document: |_, digest| *digest,
        }
    }

    fn apply(&mut self, loaded: &mut Loaded, record: &Record) {
        let index = LedgerIndex(self.size());
        let changes = loop {
            let mut view = View::new(loaded);
            let applied = apply(&mut view, index, self.time, record);
            let missing = view.take_missing();
            if missing.is_empty() {
                applied.unwrap();
                break view.into_changes();
            }
            self.load(&missing, loaded);
        };
        for (key, row) in changes.rows {
            match row {
                Some(row) => drop(self.rows.insert(key, row)),
                None => drop(self.rows.remove(&key)),
            }
        }
        let mut leaf = vec![index.0 as u8; 41];
        leaf[0] = 1;
        self.entries.insert(index, EntryHead { leaf, document_salt: [0; 32] });
    }

    fn load(&self, wants: &Wants, loaded: &mut Loaded) {
        for key in &wants.keys {
            loaded.rows.insert(key.clone(), self.rows.get(key).cloned());
        }
        for range in &wants.ranges {
            let keys = self.rows.keys().filter(|key| range.holds(key)).cloned();
            loaded.ranges.insert(range.clone(), keys.collect());
        }
        for index in &wants.entries {
            loaded.entries.extend(self.entries.get(index).map(|entry| (*index, entry.clone())));
        }
        for person in &wants.persons {
            let cases = self.persons.iter().filter(|(p, _)| p == person).map(|(_, case)| *case);
            loaded.persons.insert(*person, cases.collect());
        }
    }
}
