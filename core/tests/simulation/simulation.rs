//! The run: events in the order of their times, one hub, one account that checks it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::civil::Date;
use xianjie_core::domain::decide::{Decision, Input};
use xianjie_core::domain::record::{Clock, Effect, Kind, Outage, Record};
use xianjie_core::domain::state::{Key, Row};
use xianjie_core::domain::term::{format_shanghai, shanghai_date, shanghai_midnight_ms};
use xianjie_core::ids::{AgencyCode, CaseRef, InboxNumber, LedgerIndex, Time};
use xianjie_core::refusal::Refusal;

use crate::acts::Act;
use crate::agencies::Agencies;
use crate::counts::Counts;
use crate::dice::Dice;
use crate::hub::Hub;
use crate::lives::Life;
use crate::model::{Fault, Model};

/// The first day: a year and four months under the law before the revised Prison Law, the rest under it.
const FIRST_DAY: Date = Date::constant(2025, 7, 1);
/// Milliseconds of an hour.
pub(crate) const HOUR: i64 = 3_600_000;
/// Milliseconds of a day.
pub(crate) const DAY: i64 = 24 * HOUR;
/// Between two comparisons of the whole state.
const AUDIT_EVERY_DAYS: i64 = 91;
/// So much of what happened is printed when a promise is broken.
const STORY: usize = 20;

/// How much is simulated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Persons sentenced.
    pub(crate) persons: usize,
    /// Days.
    pub(crate) days: i64,
}

/// What happens at a time.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// An agency does something for a person.
    Act(usize, Act),
    /// An agency works through its inbox.
    Mail(AgencyCode),
    /// What was decided as this record is asked once more.
    Again(Box<Input>, LedgerIndex),
    /// The hub's daily round.
    Daily,
    /// Operators merge two agencies, or suspend one.
    Merge,
    Suspend,
    /// A suspended agency comes back.
    Resume(AgencyCode),
    /// The hub goes away for so many hours.
    Leave(i64),
    /// It is back.
    Return(Outage),
}

/// One run.
pub(crate) struct Simulation {
    pub(crate) dice: Dice,
    pub(crate) hub: Hub,
    pub(crate) agencies: Agencies,
    pub(crate) model: Model,
    pub(crate) lives: Vec<Life>,
    pub(crate) counts: Counts,
    /// What was refused since the hub last noted it.
    pub(crate) refused: Vec<(AgencyCode, Refusal)>,
    /// The inboxes that somebody will work through.
    pub(crate) mail: BTreeSet<AgencyCode>,
    /// The hub is away until then.
    pub(crate) away_until: Time,
    /// It tells of no limits until then.
    pub(crate) settling_until: Time,
    /// Up to where each inbox was looked at.
    pub(crate) looked_at: BTreeMap<AgencyCode, InboxNumber>,
    seed: u64,
    size: Size,
    queue: BTreeMap<(Time, u64), Event>,
    queued: u64,
    steps: u64,
    life_of: BTreeMap<CaseRef, usize>,
}

impl Simulation {
    /// A province before its first day.
    pub(crate) fn new(seed: u64, size: Size) -> Self {
        let start = Time(shanghai_midnight_ms(FIRST_DAY));
        let mut dice = Dice::new(seed);
        let (agencies, directory) = Agencies::new(&mut dice, start);
        let mut simulation = Self {
            dice,
            hub: Hub::new(start),
            agencies,
            model: Model::default(),
            lives: Vec::new(),
            counts: Counts::default(),
            refused: Vec::new(),
            mail: BTreeSet::new(),
            away_until: start,
            settling_until: start,
            looked_at: BTreeMap::new(),
            seed,
            size,
            queue: BTreeMap::new(),
            queued: 0,
            steps: 0,
            life_of: BTreeMap::new(),
        };
        simulation.found(directory);
        simulation.plan();
        simulation
    }

    /// Lives and disturbances, spread over the days.
    fn plan(&mut self) {
        let start = self.now();
        let days = self.size.days;
        for number in 0..self.size.persons {
            let born = Time(start.0 + self.dice.between(HOUR, days * DAY * 4 / 5));
            let today = shanghai_date(born.0);
            let mut life = Life::draw(&mut self.dice, &self.agencies, number, today);
            // Some are sentenced twice: two cases of one person.
            if number > 0 && self.dice.chance(40) {
                life.person = self.lives[number - 1].person;
                life.names_case = true;
                self.lives[number - 1].names_case = true;
            }
            let act = Act::first(life.category, self.dice.chance(250));
            self.lives.push(life);
            self.at(born, Event::Act(number, act));
        }
        for day in 1..=days {
            self.at(Time(start.0 + day * DAY + 6 * HOUR), Event::Daily);
        }
        let some =
            |dice: &mut Dice| Time(start.0 + dice.between(days * DAY / 10, days * DAY * 9 / 10));
        for (event, often) in [(Event::Merge, 12), (Event::Suspend, 10)] {
            for _ in 0..often {
                let time = some(&mut self.dice);
                self.at(time, event.clone());
            }
        }
        for _ in 0..4 {
            let (time, hours) = (some(&mut self.dice), self.dice.between(1, 60));
            self.at(time, Event::Leave(hours));
        }
    }

    /// Runs all days; what happened.
    pub(crate) fn run(mut self) -> Counts {
        self.run_on();
        self.finish()
    }

    /// Runs all days.
    pub(crate) fn run_on(&mut self) {
        let end = Time(shanghai_midnight_ms(FIRST_DAY) + (self.size.days + 1) * DAY);
        while let Some(time) = self.queue.keys().map(|(time, _)| *time).next() {
            if time > end {
                break;
            }
            // A limit that comes first may bring about what happens before the next event.
            if self.keep_time(time) {
                continue;
            }
            let Some((_, event)) = self.queue.pop_first() else { break };
            self.hub.time = self.hub.time.max(time);
            self.steps += 1;
            self.handle(event);
            self.send_notices();
        }
        self.audit();
    }

    fn finish(mut self) -> Counts {
        let (deliveries, duties) = (self.model.deliveries.count(), self.model.duties.count());
        for (outcome, times) in self.model.duties.outcomes().clone() {
            self.counts.many("duties ended", format!("{outcome:?}"), times);
        }
        self.model.duties.owed().for_each(|name| self.counts.one("duties owed at the end", name));
        self.counts.many("hub", "records", self.hub.records.len() as u64);
        self.counts.many("hub", "rows", self.hub.rows.len() as u64);
        self.counts.many("hub", "deliveries", deliveries as u64);
        self.counts.many("hub", "duties", duties as u64);
        self.counts
    }

    fn handle(&mut self, event: Event) {
        let waits = !matches!(event, Event::Return(_)) && self.now() < self.away_until;
        if waits {
            let time = Time(self.away_until.0 + self.dice.between(1, HOUR));
            self.at(time, event);
            return;
        }
        match event {
            Event::Act(id, act) => self.act(id, act),
            Event::Mail(agency) => self.work_through(&agency),
            Event::Again(input, index) => self.again(&input, index),
            Event::Daily => self.daily(),
            Event::Merge => self.merge(),
            Event::Suspend => self.suspend(),
            Event::Resume(agency) => self.resume(&agency),
            Event::Leave(hours) => self.leave(hours),
            Event::Return(outage) => self.come_back(outage),
        }
    }

    fn daily(&mut self) {
        self.look_at_inboxes();
        self.note_refusals();
        let day = (self.now().0 - shanghai_midnight_ms(FIRST_DAY)) / DAY;
        if day % AUDIT_EVERY_DAYS == 0 {
            self.audit();
        }
    }

    fn audit(&self) {
        self.must_hold(self.model.audit(&self.hub));
    }

    /// Now.
    pub(crate) fn now(&self) -> Time {
        self.hub.time
    }

    /// Today in Shanghai.
    pub(crate) fn today(&self) -> Date {
        shanghai_date(self.now().0)
    }

    /// Puts an event into the queue.
    pub(crate) fn at(&mut self, time: Time, event: Event) {
        self.queued += 1;
        self.queue.insert((time, self.queued), event);
    }

    /// Has the hub decide, and checks what it recorded. `addressees` are those to whom the law sends
    /// a document.
    pub(crate) fn decide(
        &mut self,
        input: &Input,
        addressees: &BTreeSet<AgencyCode>,
    ) -> Result<Decision, Refusal> {
        let index = LedgerIndex(self.hub.records.len() as u64);
        let decision = self.hub.decide(input)?;
        if let Decision::Record(decided) = &decision {
            self.observe(index, &decided.record, addressees);
            if let Some(flagged) = &decided.flagged {
                self.observe(index.next(), flagged, &BTreeSet::new());
            }
        }
        Ok(decision)
    }

    fn observe(&mut self, index: LedgerIndex, record: &Record, to: &BTreeSet<AgencyCode>) {
        self.counts.record(record);
        let now = self.now();
        let observed = self.model.observe(index, now, record, to);
        self.must_hold(observed);
        for ruled in &record.effects {
            if let Effect::DeliveryOpened { agency, .. } = &ruled.effect {
                self.expect_mail(agency);
            }
        }
    }

    /// From now on that life has that case, and its person stands so.
    pub(crate) fn knows(&mut self, case: CaseRef, life: usize) {
        self.life_of.insert(case, life);
        let checked = self.model.check_case(&self.hub, case);
        self.must_hold(checked);
    }

    /// Ends the run with a report unless everything holds.
    pub(crate) fn must_hold(&self, checked: Result<(), Fault>) {
        if let Err(fault) = checked {
            panic!("{}", self.report(&fault));
        }
    }

    /// What was broken, and all that is needed to see it again.
    pub(crate) fn report(&self, fault: &Fault) -> String {
        let mut text = format!(
            "{fault}\nseed {}, step {}, {}; again with XIANJIE_SIMULATION_SEEDS={} \
             XIANJIE_SIMULATION_PERSONS={}\n",
            self.seed,
            self.steps,
            format_shanghai(self.now().0),
            self.seed,
            self.size.persons
        );
        let Some(case) = fault.case else { return text };
        if let Some(life) = self.life_of.get(&case).map(|id| &self.lives[*id]) {
            let _ = writeln!(text, "{:?} at {}, {:?}", life.category, life.place, life.log);
        }
        let story: Vec<String> = self
            .hub
            .records
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, (_, record))| self.is_about(record, case))
            .take(STORY)
            .map(|(index, (time, record))| tell(index, *time, record))
            .collect();
        story.iter().rev().for_each(|line| text.push_str(line));
        text
    }

    fn is_about(&self, record: &Record, case: CaseRef) -> bool {
        match &record.kind {
            Kind::Document(taken) => taken.case == Some(case),
            Kind::Clock(Clock::Duty { duty, .. }) => matches!(
                self.hub.rows.get(&Key::Duty(*duty)),
                Some(Row::Duty(row)) if row.case == Some(case)
            ),
            _ => record.effects.iter().any(|ruled| match &ruled.effect {
                Effect::DutyStarted { duty, .. } | Effect::DutyReopened { duty } => matches!(
                    self.hub.rows.get(&Key::Duty(*duty)),
                    Some(Row::Duty(row)) if row.case == Some(case)
                ),
                _ => false,
            }),
        }
    }
}

/// One record as a line of its person's story.
fn tell(index: usize, time: Time, record: &Record) -> String {
    let what = match &record.kind {
        Kind::Document(taken) => {
            format!("{} of {}", taken.document_type.as_str(), taken.document.sender)
        }
        Kind::Clock(Clock::Duty { step, .. }) => format!("{step:?}"),
        Kind::Acknowledged(it) => format!("{} signs", it.agency),
        Kind::Rejected(it) => format!("{} rejects", it.agency),
        _ => "other".to_owned(),
    };
    let effects: Vec<String> = record
        .effects
        .iter()
        .filter_map(|ruled| match &ruled.effect {
            Effect::DeliveryOpened { agency, .. } => Some(format!("to {agency}")),
            Effect::DutyOpened(duty) => Some(format!("opens {}", duty.name)),
            Effect::DutyClosed { duty, outcome } => {
                Some(format!("{}/{} {outcome:?}", duty.index, duty.ordinal))
            }
            Effect::Custody { step, change, .. } => {
                Some(format!("{}: {:?}", step.word(), change.moved))
            }
            Effect::Contradiction { what, .. } => Some(format!("flag {what}")),
            _ => None,
        })
        .collect();
    format!("{index} {} {what}: {}\n", format_shanghai(time.0), effects.join(", "))
}
