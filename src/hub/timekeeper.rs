//! The timekeeper (计时): limits that draw near or pass, deliveries that nobody signs for.
//!
//! It only asks: whether a step is due is decided in the transaction that takes it, from the row that
//! it changes. So asking twice, or from two hubs at once, makes one record.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use futures::future::join_all;
use xianjie_core::domain::decide::{ClockInput, Input, settled_after};
use xianjie_core::domain::record::{Clock, Kind, Outage, Record};
use xianjie_core::domain::state::{Delivery, Inbox, Key, Row};
use xianjie_core::ids::{AgencyCode, DutyId, InboxNumber, Time};
use xianjie_core::limits;
use xianjie_core::refusal::{Advice, Reason, Refusal};

use super::Hub;
use super::fold::Item;
use super::submit::unavailable;
use crate::store::{Store, StoreError, Wants};

/// A hub that was away for longer was out of service.
const OUTAGE_MS: i64 = 5 * 60_000;
/// Between two looks at all inboxes.
const INBOXES_EVERY_MS: i64 = 10 * 60_000;

/// What the timekeeper knows.
#[derive(Debug)]
pub(crate) struct Watch {
    /// When the hub was last known to be in service.
    alive: AtomicI64,
    /// Until then nothing is declared missed: a decision would say no.
    settling_until: AtomicI64,
    recomputed: AtomicBool,
    inboxes_at: AtomicI64,
    /// Up to where each inbox was looked at since the hub opened.
    looked_at: Mutex<HashMap<AgencyCode, InboxNumber>>,
}

impl Watch {
    /// A watch of a hub that was last known to be in service at `alive`, and its last outage before.
    pub(crate) fn new(alive: Time, outage: Option<Outage>) -> Self {
        let settling_until = outage.map_or(i64::MIN, |outage| settled_after(&outage).0);
        Self {
            alive: AtomicI64::new(alive.0),
            settling_until: AtomicI64::new(settling_until),
            recomputed: AtomicBool::new(false),
            inboxes_at: AtomicI64::new(i64::MIN),
            looked_at: Mutex::default(),
        }
    }

    /// There may be calendar data that was missing.
    pub(crate) fn has_new_calendar(&self) {
        self.recomputed.store(false, Ordering::Relaxed);
    }

    /// When the hub was last known to be in service.
    pub(crate) fn alive(&self) -> Time {
        Time(self.alive.load(Ordering::Relaxed))
    }
}

impl Hub {
    /// Takes every step that is due by now; returns how many records that made.
    ///
    /// # Errors
    /// The store can't be read or written now, or the queue is full: what is due stays due.
    pub async fn keep_time(&self) -> Result<usize, Refusal> {
        if self.is_draining() {
            return Ok(0);
        }
        let taken = self.take_steps(self.now()).await;
        // A hub whose queue is full is in service: what it has no place for comes later.
        if !matches!(&taken, Err(refusal) if refusal.reason() != Reason::Busy) {
            self.shared.watch.alive.store(self.now().0, Ordering::Relaxed);
        }
        taken
    }

    async fn take_steps(&self, now: Time) -> Result<usize, Refusal> {
        let watch = &self.shared.watch;
        let mut made = self.note_outage(now).await?;
        if !watch.recomputed.load(Ordering::Relaxed) {
            made += self.recompute().await?;
            watch.recomputed.store(true, Ordering::Relaxed);
        }
        if now.0 >= watch.settling_until.load(Ordering::Relaxed) {
            made += self.wake_duties(now).await?;
        }
        let next = watch.inboxes_at.load(Ordering::Relaxed);
        if now.0 >= next {
            made += self.look_at_inboxes(now).await?;
            watch.inboxes_at.store(now.0.saturating_add(INBOXES_EVERY_MS), Ordering::Relaxed);
        }
        Ok(made)
    }

    /// Records that the hub was away, or could not write, once: from then on decisions know of it. In a
    /// demonstration days pass at once, and nothing but a start tells of an outage.
    async fn note_outage(&self, now: Time) -> Result<usize, Refusal> {
        let watch = &self.shared.watch;
        let from = watch.alive();
        let leaps =
            self.shared.origin.is_demo() && watch.inboxes_at.load(Ordering::Relaxed) > i64::MIN;
        if leaps || now.0.saturating_sub(from.0) <= OUTAGE_MS {
            return Ok(0);
        }
        let outage = Outage { from, until: now };
        let record = Record { kind: Kind::Clock(Clock::Outage(outage)), effects: Vec::new() };
        self.queue.decide(Item::bare(Input::Noted(Box::new(record)))?).await?;
        watch.alive.store(now.0, Ordering::Relaxed);
        watch.settling_until.store(settled_after(&outage).0, Ordering::Relaxed);
        Ok(1)
    }

    /// Limits that lacked calendar data are computed anew: a hub that opens may have got it.
    async fn recompute(&self) -> Result<usize, Refusal> {
        let (mut from, to) = Key::provisional_bounds();
        let mut made = 0;
        loop {
            let page =
                self.shared.store.scan(&from, &to, limits::PAGE).await.map_err(unavailable)?;
            let Some((last, _)) = page.last() else { return Ok(made) };
            from = last.iter().copied().chain([0]).collect();
            let duties = duties(page.iter().map(|(key, _)| &key[..]))?;
            made += self.ask(duties.into_iter().map(ClockInput::Recompute)).await?;
        }
    }

    async fn wake_duties(&self, now: Time) -> Result<usize, Refusal> {
        let (first, to) = Key::wake_bounds(now);
        let (mut from, mut made) = (first.clone(), 0);
        loop {
            let page =
                self.shared.store.scan(&from, &to, limits::PAGE).await.map_err(unavailable)?;
            let Some((last, _)) = page.last() else { return Ok(made) };
            let after = last.iter().copied().chain([0]).collect();
            let duties = duties(page.iter().map(|(key, _)| &key[..]))?;
            let woken = self.ask(duties.into_iter().map(ClockInput::Duty)).await?;
            // What takes no step does not keep the others from theirs.
            from = if woken == 0 { after } else { first.clone() };
            made += woken;
        }
    }

    async fn look_at_inboxes(&self, now: Time) -> Result<usize, Refusal> {
        let agencies: Vec<AgencyCode> =
            self.directory().agencies().map(|agency| agency.code.clone()).collect();
        let mut made = 0;
        for page in agencies.chunks(limits::PAGE) {
            let mut wants = Wants::default();
            wants.keys.extend(page.iter().cloned().map(Key::Inbox));
            let loaded = self.shared.store.load(&wants).await.map_err(unavailable)?;
            for (key, row) in loaded.rows {
                if let (Key::Inbox(agency), Some(Row::Inbox(inbox))) = (key, row)
                    && inbox.unsettled > 0
                {
                    made += self.look_at_inbox(agency, inbox, now).await?;
                }
            }
        }
        Ok(made)
    }

    /// Has everything told of that has lain in an inbox for too long, to each sender its own. The hub's own
    /// notices raise no alarms.
    async fn look_at_inbox(
        &self,
        agency: AgencyCode,
        inbox: Inbox,
        now: Time,
    ) -> Result<usize, Refusal> {
        let old = Time(now.0.saturating_sub(self.shared.reminders.unacknowledged_ms));
        let hub = self.directory().hub().map(|hub| hub.code.clone());
        let mut after = self.looked_at(&agency).min(inbox.last);
        let mut made = 0;
        loop {
            let page = self.lying(&agency, after).await?;
            let Some(last) = page.iter().take_while(|(_, d)| d.time <= old).last() else {
                return Ok(made);
            };
            after = last.0;
            let mut senders: BTreeMap<AgencyCode, Vec<InboxNumber>> = BTreeMap::new();
            for (number, delivery) in page.iter().filter(|(number, _)| *number <= after) {
                let sender = &delivery.document.sender;
                if hub.as_ref() != Some(sender) {
                    senders.entry(sender.clone()).or_default().push(*number);
                }
            }
            let inputs = senders.into_iter().map(|(sender, numbers)| ClockInput::Unacknowledged {
                agency: agency.clone(),
                sender,
                numbers,
            });
            made += self.ask(inputs).await?;
            let mut looked_at = self.watch_of_inboxes();
            looked_at.insert(agency.clone(), after);
        }
    }

    /// A page of the deliveries of an inbox that are not settled, above `after`.
    async fn lying(
        &self,
        agency: &AgencyCode,
        after: InboxNumber,
    ) -> Result<Vec<(InboxNumber, Delivery)>, Refusal> {
        let numbers = self.unsettled_numbers(agency, after, limits::PAGE).await?;
        let deliveries = numbers.iter().map(|number| (agency.clone(), *number));
        let mut found = self.deliveries_of(deliveries).await?;
        let one = |number| Some((number, found.remove(&(agency.clone(), number))?));
        Ok(numbers.into_iter().filter_map(one).collect())
    }

    fn looked_at(&self, agency: &AgencyCode) -> InboxNumber {
        self.watch_of_inboxes().get(agency).copied().unwrap_or_default()
    }

    fn watch_of_inboxes(&self) -> std::sync::MutexGuard<'_, HashMap<AgencyCode, InboxNumber>> {
        self.shared.watch.looked_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has these decided, side by side; returns how many of them made a record.
    async fn ask(&self, inputs: impl IntoIterator<Item = ClockInput>) -> Result<usize, Refusal> {
        let mut asked = Vec::new();
        for input in inputs {
            asked.push(self.queue.decide(Item::bare(Input::Clock(input))?));
        }
        let mut made = 0;
        for answer in join_all(asked).await {
            match answer {
                Ok(answer) => made += usize::from(answer.entry.is_some()),
                Err(refusal) if refusal.advice() == Advice::Resend => return Err(refusal),
                // One that can't be decided does not keep the others from their steps.
                Err(refusal) => tracing::error!(%refusal, "a step of time can't be taken"),
            }
        }
        Ok(made)
    }
}

/// The last outage that the ledger tells of.
pub(super) async fn last_outage(store: &dyn Store) -> Result<Option<Outage>, StoreError> {
    let mut wants = Wants::default();
    wants.keys.insert(Key::Outage);
    match store.load(&wants).await?.rows.remove(&Key::Outage) {
        Some(Some(Row::Outage(outage))) => Ok(Some(outage)),
        _ => Ok(None),
    }
}

fn duties<'k>(keys: impl Iterator<Item = &'k [u8]>) -> Result<Vec<DutyId>, Refusal> {
    let duty = |key| match Key::from_bytes(key).map_err(unavailable)? {
        Key::Wake(_, duty) | Key::Provisional(duty) => Ok(Some(duty)),
        _ => Ok(None),
    };
    keys.filter_map(|key| duty(key).transpose()).collect()
}
