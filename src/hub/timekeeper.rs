//! The timekeeper (计时): limits that draw near or pass, deliveries that nobody signs for.
//!
//! It only asks: whether a step is due is decided in the transaction that takes it, from the row that
//! it changes. So asking twice, or from two hubs at once, makes one record.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use futures::future::join_all;
use xianjie_core::domain::decide::{ClockInput, Input};
use xianjie_core::domain::record::{Clock, Kind, Outage, Record};
use xianjie_core::domain::state::{Inbox, Key, Row};
use xianjie_core::ids::{AgencyCode, DutyId, InboxNumber, Time};
use xianjie_core::limits;
use xianjie_core::refusal::Refusal;

use super::submit::unavailable;
use super::{Hub, statements};
use crate::store::Wants;

/// A hub that was away for longer was out of service.
const OUTAGE_MS: i64 = 5 * 60_000;
/// So long after an outage nothing is declared missed: whoever waited for the hub comes first.
const SETTLING_MS: i64 = 30 * 60_000;
/// Between two looks at all inboxes.
const INBOXES_EVERY_MS: i64 = 10 * 60_000;

/// What the timekeeper knows.
#[derive(Debug)]
pub(crate) struct Watch {
    opened: Time,
    outage: Option<Outage>,
    outage_noted: AtomicBool,
    recomputed: AtomicBool,
    inboxes_at: AtomicI64,
}

impl Watch {
    /// A watch that begins at `now`; the newest record is of `last`.
    pub(crate) fn new(last: Time, now: Time) -> Self {
        let away = now.0.saturating_sub(last.0) > OUTAGE_MS;
        Self {
            opened: now,
            outage: away.then_some(Outage { from: last, until: now }),
            outage_noted: AtomicBool::new(!away),
            recomputed: AtomicBool::new(false),
            inboxes_at: AtomicI64::new(i64::MIN),
        }
    }

    /// There may be calendar data that was missing.
    pub(crate) fn has_new_calendar(&self) {
        self.recomputed.store(false, Ordering::Relaxed);
    }

    fn is_settling(&self, now: Time) -> bool {
        self.outage.is_some() && now.0.saturating_sub(self.opened.0) < SETTLING_MS
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
        let watch = &self.shared.watch;
        let now = self.now();
        let mut made = self.note_outage().await?;
        if !watch.recomputed.load(Ordering::Relaxed) {
            made += self.recompute().await?;
            watch.recomputed.store(true, Ordering::Relaxed);
        }
        if watch.is_settling(now) {
            return Ok(made);
        }
        made += self.wake_duties(now).await?;
        let next = watch.inboxes_at.load(Ordering::Relaxed);
        if now.0 >= next {
            made += self.look_at_inboxes(now).await?;
            watch.inboxes_at.store(now.0.saturating_add(INBOXES_EVERY_MS), Ordering::Relaxed);
        }
        Ok(made)
    }

    /// Records that the hub was away, once.
    async fn note_outage(&self) -> Result<usize, Refusal> {
        let watch = &self.shared.watch;
        let Some(outage) = watch.outage.filter(|_| !watch.outage_noted.load(Ordering::Relaxed))
        else {
            return Ok(0);
        };
        let record = Record { kind: Kind::Clock(Clock::Outage(outage)), effects: Vec::new() };
        self.queue.decide(statements::item(Input::Noted(Box::new(record)))?).await?;
        watch.outage_noted.store(true, Ordering::Relaxed);
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
        let (from, to) = Key::wake_bounds(now);
        let outage = self.shared.watch.outage;
        let mut made = 0;
        loop {
            let page =
                self.shared.store.scan(&from, &to, limits::PAGE).await.map_err(unavailable)?;
            let duties = duties(page.iter().map(|(key, _)| &key[..]))?;
            if duties.is_empty() {
                return Ok(made);
            }
            let inputs = duties.into_iter().map(|duty| ClockInput::Duty { duty, outage });
            let woken = self.ask(inputs).await?;
            if woken == 0 {
                tracing::error!("duties are due and none of them takes its step");
                return Ok(made);
            }
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

    /// Has everything told of that has lain in an inbox for too long.
    async fn look_at_inbox(
        &self,
        agency: AgencyCode,
        inbox: Inbox,
        now: Time,
    ) -> Result<usize, Refusal> {
        let old = now.0.saturating_sub(self.shared.reminders.unacknowledged_ms);
        let mut told = inbox.told;
        let mut made = 0;
        loop {
            let (from, to) = Key::unsettled_bounds(&agency, told);
            let page =
                self.shared.store.scan(&from, &to, limits::PAGE).await.map_err(unavailable)?;
            let numbers = numbers(page.iter().map(|(key, _)| &key[..]))?;
            let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else {
                return Ok(made);
            };
            let delivery = Key::Delivery(agency.clone(), *first);
            let is_old = matches!(
                self.row(delivery).await?,
                Some(Row::Delivery(delivery)) if delivery.time.0 <= old
            );
            if !is_old {
                return Ok(made);
            }
            told = *last;
            let input = ClockInput::Unacknowledged { agency: agency.clone(), numbers };
            made += self.ask([input]).await?;
        }
    }

    /// Has these decided, side by side; returns how many of them made a record.
    async fn ask(&self, inputs: impl IntoIterator<Item = ClockInput>) -> Result<usize, Refusal> {
        let mut asked = Vec::new();
        for input in inputs {
            asked.push(self.queue.decide(statements::item(Input::Clock(input))?));
        }
        let mut made = 0;
        for answer in join_all(asked).await {
            made += usize::from(answer?.entry.is_some());
        }
        Ok(made)
    }
}

fn duties<'k>(keys: impl Iterator<Item = &'k [u8]>) -> Result<Vec<DutyId>, Refusal> {
    let duty = |key| match Key::from_bytes(key).map_err(unavailable)? {
        Key::Wake(_, duty) | Key::Provisional(duty) => Ok(Some(duty)),
        _ => Ok(None),
    };
    keys.filter_map(|key| duty(key).transpose()).collect()
}

fn numbers<'k>(keys: impl Iterator<Item = &'k [u8]>) -> Result<Vec<InboxNumber>, Refusal> {
    let number = |key| match Key::from_bytes(key).map_err(unavailable)? {
        Key::Unsettled(_, number) => Ok(Some(number)),
        _ => Ok(None),
    };
    keys.filter_map(|key| number(key).transpose()).collect()
}
