//! Time: limits that draw near and pass, inboxes that nobody reads, notices, outages. It asks as the
//! hub's timekeeper does, and now and then twice.

use std::collections::BTreeSet;

use xianjie_core::domain::agency::Purpose;
use xianjie_core::domain::decide::{ClockInput, Decision, DocumentInput, Input};
use xianjie_core::domain::record::{Clock, Kind, Notice, Outage, Record, Refusals, RefusedItem};
use xianjie_core::domain::state::{Key, Row};
use xianjie_core::ids::{
    AgencyCode, CaseRef, Digest, DocumentId, DutyId, InboxNumber, LedgerIndex, Time,
};
use xianjie_core::limits;

use crate::agencies::{HUB, certificate, code};
use crate::model::ensure;
use crate::papers::Paper;
use crate::simulation::{Event, HOUR, Simulation};

/// So long after an outage nothing is told of limits.
const SETTLING_MS: i64 = HOUR / 2;

impl Simulation {
    /// Takes the next step of a duty if it is due by `until`; whether there was one.
    pub(crate) fn keep_time(&mut self, until: Time) -> bool {
        let next = self.next_wake().map(|(wake, duty)| {
            // What was due while the hub was away is told of when it has settled.
            (self.now().max(wake).max(self.settling_until), duty)
        });
        if let Some((at, duty)) = next.filter(|(at, _)| *at <= until) {
            self.hub.time = at;
            self.look_at(duty);
            self.send_notices();
            return true;
        }
        if until > self.settling_until {
            let awake = self.model.duties.check_awake(until.min(self.now()));
            self.must_hold(awake);
        }
        false
    }

    fn next_wake(&self) -> Option<(Time, DutyId)> {
        let first = DutyId { index: LedgerIndex(0), ordinal: 0 };
        match self.hub.keys_from(&Key::Wake(Time(i64::MIN), first)).next() {
            Some(Key::Wake(time, duty)) => Some((*time, *duty)),
            _ => None,
        }
    }

    fn look_at(&mut self, duty: DutyId) {
        let input = Input::Clock(ClockInput::Duty(duty));
        let decision = self.decide(&input, &BTreeSet::new()).unwrap();
        let took = matches!(decision, Decision::Record(_));
        self.must_hold(ensure(took, "duties", || format!("{duty:?} is due and takes no step")));
        self.ask_time_again(&input, 50);
        let Some(Row::Duty(row)) = self.hub.rows.get(&Key::Duty(duty)) else { return };
        if let Some(case) = row.case {
            let checked = self.model.check_case(&self.hub, case);
            self.must_hold(checked);
        }
    }

    /// Asked twice, nothing more happens.
    fn ask_time_again(&mut self, input: &Input, in_a_thousand: u32) {
        if self.dice.chance(in_a_thousand) {
            let again = self.hub.decide(input).unwrap();
            let nothing = matches!(again, Decision::Known(known) if known.is_empty());
            let fault = || format!("{input:?} happened twice");
            self.must_hold(ensure(nothing, "duties", fault));
            self.counts.one("asked again", "time");
        }
    }

    /// Has everything told of that nobody has signed for within a day.
    pub(crate) fn look_at_inboxes(&mut self) {
        let old = Time(self.now().0 - self.hub.reminders.unacknowledged_ms);
        let agencies: Vec<AgencyCode> =
            self.hub.directory.agencies().map(|agency| agency.code.clone()).collect();
        for agency in agencies {
            let mut after = self.looked_at.get(&agency).copied().unwrap_or_default();
            while let Some(letters) = self.old_letters(&agency, after, old) {
                after = letters.last().unwrap().0;
                self.looked_at.insert(agency.clone(), after);
                self.tell_senders(&agency, &letters);
            }
        }
        let told = self.model.deliveries.check_told(old);
        self.must_hold(told);
    }

    /// Each sender is told of its own; the hub's notices raise no alarms.
    fn tell_senders(&mut self, agency: &AgencyCode, letters: &[(InboxNumber, AgencyCode)]) {
        let senders: BTreeSet<&AgencyCode> = letters.iter().map(|(_, sender)| sender).collect();
        for sender in senders.into_iter().filter(|sender| **sender != code(HUB)) {
            let own = letters.iter().filter(|(_, other)| other == sender);
            let input = Input::Clock(ClockInput::Unacknowledged {
                agency: agency.clone(),
                sender: sender.clone(),
                numbers: own.map(|(number, _)| *number).collect(),
            });
            self.decide(&input, &BTreeSet::new()).unwrap();
            self.ask_time_again(&input, 100);
            self.send_notices();
        }
    }

    /// A page of what has lain unsettled in an inbox since before `old`, above `after`, with its senders.
    fn old_letters(
        &self,
        agency: &AgencyCode,
        after: InboxNumber,
        old: Time,
    ) -> Option<Vec<(InboxNumber, AgencyCode)>> {
        let numbers = self.hub.listed(agency, after);
        let old = |number| match self.hub.rows.get(&Key::Delivery(agency.clone(), number)) {
            Some(Row::Delivery(delivery)) if delivery.time <= old => {
                Some((number, delivery.document.sender.clone()))
            }
            _ => None,
        };
        let letters: Vec<_> = numbers.take(limits::PAGE).map_while(old).collect();
        (!letters.is_empty()).then_some(letters)
    }

    /// The hub says what it owes, in ordinary inboxes.
    pub(crate) fn send_notices(&mut self) {
        while let Some((index, notice, to)) = self.next_notice() {
            let heirs: BTreeSet<AgencyCode> =
                to.iter().map(|agency| self.agencies.heir(agency)).collect();
            let mut paper = Paper::new(&mut self.dice, &code(HUB), "hub_notice");
            paper.0.id = notice_id(index, notice);
            paper.0.chosen = heirs.iter().cloned().collect();
            let input = Input::Document(Box::new(DocumentInput {
                document: paper.completed(self.now()).0,
                signers: vec![certificate(Purpose::Document(code(HUB))).digest],
                fresh_case: CaseRef(self.dice.bytes()),
                salt: [0; 32],
                notice: Some((index, notice)),
            }));
            let told = matches!(self.decide(&input, &heirs), Ok(Decision::Record(_)));
            let fault = || format!("{notice:?} of record {index} can't be told to {heirs:?}");
            self.must_hold(ensure(told, "P3", fault));
        }
    }

    fn next_notice(&self) -> Option<(LedgerIndex, Notice, BTreeSet<AgencyCode>)> {
        let from = Key::NoticeOwed(LedgerIndex(0), Notice::Contradiction);
        match self.hub.rows.range(from..).next() {
            Some((Key::NoticeOwed(index, notice), Row::NoticeOwed(to))) => {
                Some((*index, *notice, to.clone()))
            }
            _ => None,
        }
    }

    /// The ledger keeps what was refused: one record an agency.
    pub(crate) fn note_refusals(&mut self) {
        let mut refused = std::mem::take(&mut self.refused);
        refused.sort_by(|a, b| a.0.cmp(&b.0));
        for of_one in refused.chunk_by(|a, b| a.0 == b.0) {
            let items = of_one.iter().map(|(_, refusal)| RefusedItem {
                time: self.hub.time,
                id: None,
                salt: [0; 32],
                digest: Digest::default(),
                reasons: vec![refusal.reason().name().to_owned()],
            });
            let agency = of_one[0].0.clone();
            let refusals = Refusals { agency, items: items.collect(), more: 0 };
            let record = Record { kind: Kind::Refusals(refusals), effects: Vec::new() };
            self.decide(&Input::Noted(Box::new(record)), &BTreeSet::new()).unwrap();
        }
    }

    /// The hub goes away.
    pub(crate) fn leave(&mut self, hours: i64) {
        let outage = Outage { from: self.now(), until: Time(self.now().0 + hours * HOUR) };
        self.away_until = outage.until;
        self.settling_until = Time(outage.until.0 + SETTLING_MS);
        self.at(outage.until, Event::Return(outage));
    }

    /// The hub is back, and says so first.
    pub(crate) fn come_back(&mut self, outage: Outage) {
        let record = Record { kind: Kind::Clock(Clock::Outage(outage)), effects: Vec::new() };
        self.decide(&Input::Noted(Box::new(record)), &BTreeSet::new()).unwrap();
        self.counts.one("hub", "was away");
    }

    /// What is decided once is decided: the first record again (P2).
    pub(crate) fn again(&mut self, input: &Input, first: LedgerIndex) {
        let decision = self.hub.decide(input);
        let same = matches!(&decision, Ok(Decision::Known(known)) if *known == [first]);
        let fault = || format!("asked again, record {first} became {decision:?}");
        self.must_hold(ensure(same, "P2", fault));
        let what = match input {
            Input::Document(_) => "document",
            Input::Acknowledgement(_) => "acknowledgement",
            _ => "rejection",
        };
        self.counts.one("asked again", what);
    }
}

/// The only id that a notice can have.
fn notice_id(index: LedgerIndex, notice: Notice) -> DocumentId {
    let mut id = [notice as u8; 16];
    id[..8].copy_from_slice(&index.0.to_be_bytes());
    DocumentId(id)
}
