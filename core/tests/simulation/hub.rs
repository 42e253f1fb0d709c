//! A hub in memory: rows, records, and the two functions that make them. It gives a decision what it
//! asks for and nothing else, as the writing transaction does.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use xianjie_core::domain::decide::{Decision, Input, World, decide};
use xianjie_core::domain::directory::{Directory, Divisions};
use xianjie_core::domain::record::{Effect, Kind, Record};
use xianjie_core::domain::reminders::Reminders;
use xianjie_core::domain::rulebook::Law;
use xianjie_core::domain::state::{EntryHead, Key, Loaded, Range, Row, Span, View, Wants, apply};
use xianjie_core::ids::{AgencyCode, CaseRef, Digest, InboxNumber, LedgerIndex, PersonKey, Time};
use xianjie_core::refusal::Refusal;

use crate::simulation::DAY;

static LAW: LazyLock<Law> = LazyLock::new(Law::built_in);
static DIVISIONS: LazyLock<Divisions> = LazyLock::new(Divisions::built_in);

/// More rounds of loading than this, and the writing transaction would give up.
const ROUNDS: usize = 8;

/// The law of the simulated nation: the real one.
pub(crate) fn law() -> &'static Law {
    &LAW
}

/// Its divisions: the real ones.
pub(crate) fn divisions() -> &'static Divisions {
    &DIVISIONS
}

/// The state.
pub(crate) type Rows = BTreeMap<Key, Row>;

/// The hub.
pub(crate) struct Hub {
    /// The state.
    pub(crate) rows: Rows,
    /// The ledger: every record with the time of its commit.
    pub(crate) records: Vec<(Time, Record)>,
    /// Who there is, folded from the records.
    pub(crate) directory: Directory,
    /// Now.
    pub(crate) time: Time,
    /// When it reminds.
    pub(crate) reminders: Reminders,
    persons: BTreeMap<PersonKey, Vec<CaseRef>>,
}

impl Hub {
    /// A hub that opens at `time`.
    pub(crate) fn new(time: Time) -> Self {
        Self {
            rows: Rows::new(),
            records: Vec::new(),
            directory: Directory::default(),
            time,
            // Every four weeks: two years are to hold more lives, and fewer reminders.
            reminders: Reminders { repeat_ms: 28 * DAY, ..Reminders::default() },
            persons: BTreeMap::new(),
        }
    }

    /// Decides, and applies what was decided.
    pub(crate) fn decide(&mut self, input: &Input) -> Result<Decision, Refusal> {
        let mut loaded = Loaded::default();
        let mut rounds = 1;
        let decision = loop {
            let view = View::new(&loaded);
            let decision = decide(&view, &self.world(), input);
            let missing = view.take_missing();
            if missing.is_empty() {
                break decision?;
            }
            rounds += 1;
            self.load(&missing, &mut loaded);
        };
        if let Decision::Record(decided) = &decision {
            for record in decided.records() {
                let index = LedgerIndex(self.records.len() as u64);
                rounds += fold(&mut self.rows, &mut loaded, index, self.time, record);
                self.append(record);
            }
            if let Some((person, case)) = decided.link {
                self.persons.entry(person).or_default().push(case);
            }
        }
        assert!(rounds <= ROUNDS, "{rounds} rounds of loading");
        Ok(decision)
    }

    /// The state that the records alone give (P9).
    pub(crate) fn refolded(&self) -> Rows {
        let mut rows = Rows::new();
        for (index, (time, record)) in (0..).zip(&self.records) {
            fold(&mut rows, &mut Loaded::default(), LedgerIndex(index), *time, record);
        }
        rows
    }

    /// The commitment that the leaf of a record opens with.
    pub(crate) fn commitment(index: LedgerIndex) -> Digest {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&index.0.to_be_bytes());
        Digest(digest)
    }

    /// Who answers for what an agency had: itself or its last successor.
    pub(crate) fn heir(&self, agency: &AgencyCode) -> AgencyCode {
        self.directory.successor(agency).clone()
    }

    /// The deliveries of an inbox that are listed as not settled, above `after`.
    pub(crate) fn listed<'h>(
        &'h self,
        agency: &'h AgencyCode,
        after: InboxNumber,
    ) -> impl Iterator<Item = InboxNumber> + 'h {
        let from = Key::Unsettled(agency.clone(), Span::of(after.next()));
        let rows = self.rows.range(from..).map_while(move |(key, row)| match (key, row) {
            (Key::Unsettled(owner, span), Row::Unsettled(open)) if owner == agency => {
                Some(open.numbers(*span))
            }
            _ => None,
        });
        rows.flatten().filter(move |number| *number > after)
    }

    /// The keys from `from` on.
    pub(crate) fn keys_from(&self, from: &Key) -> impl Iterator<Item = &Key> {
        self.rows.range(from..).map(|(key, _)| key)
    }

    fn world(&self) -> World<'_> {
        World {
            directory: &self.directory,
            divisions: divisions(),
            law: law(),
            reminders: self.reminders,
            time: self.time,
            index: LedgerIndex(self.records.len() as u64),
            commit_document: |_, digest| *digest,
        }
    }

    fn append(&mut self, record: &Record) {
        if matches!(record.kind, Kind::Directory(_) | Kind::Opened(_)) {
            for ruled in &record.effects {
                self.follow(&ruled.effect);
            }
        }
        self.records.push((self.time, record.clone()));
    }

    /// The directory after an effect, from the rows that it wrote.
    fn follow(&mut self, effect: &Effect) {
        let key = match effect {
            Effect::AgencyPut(agency) => Key::Agency(agency.code.clone()),
            Effect::AgencySuspended { agency, .. } => Key::Agency(agency.clone()),
            Effect::CertificatePut(certificate) => Key::Certificate(certificate.digest),
            _ => return,
        };
        match &self.rows[&key] {
            Row::Agency(agency) => self.directory.put_agency((**agency).clone()),
            Row::Certificate(row) => self.directory.put_certificate((**row).clone()),
            other => panic!("{key:?} is {other:?}"),
        }
    }

    fn load(&self, wants: &Wants, loaded: &mut Loaded) {
        load_rows(&self.rows, wants, loaded);
        for index in wants.entries.iter().filter(|index| index.0 < self.records.len() as u64) {
            let mut leaf = vec![1; 9];
            leaf.extend(Self::commitment(*index).0);
            loaded.entries.insert(*index, EntryHead { leaf, document_salt: [0; 32] });
        }
        for person in &wants.persons {
            let cases = self.persons.get(person).cloned().unwrap_or_default();
            loaded.persons.insert(*person, cases);
        }
    }
}

/// Applies a record to `rows`; returns how often more had to be loaded for it.
fn fold(
    rows: &mut Rows,
    loaded: &mut Loaded,
    index: LedgerIndex,
    time: Time,
    record: &Record,
) -> usize {
    let mut rounds = 0;
    let changes = loop {
        let mut view = View::new(loaded);
        let applied = apply(&mut view, index, time, record);
        let missing = view.take_missing();
        if missing.is_empty() {
            applied.unwrap();
            break view.into_changes();
        }
        rounds += 1;
        load_rows(rows, &missing, loaded);
    };
    for (key, row) in changes.rows {
        match row {
            Some(row) => rows.insert(key, row),
            None => rows.remove(&key),
        };
    }
    rounds
}

fn load_rows(rows: &Rows, wants: &Wants, loaded: &mut Loaded) {
    for key in &wants.keys {
        loaded.rows.insert(key.clone(), rows.get(key).cloned());
    }
    for range in &wants.ranges {
        loaded.ranges.insert(range.clone(), keys_of(rows, range));
    }
}

fn keys_of(rows: &Rows, range: &Range) -> Vec<Key> {
    let from = rows.range(range.first()..).map(|(key, _)| key);
    from.take_while(|key| range.holds(key)).cloned().collect()
}
