//! The hub is an agency of its own: what it must tell, it tells by a `hub_notice` in ordinary inboxes,
//! signed, numbered and acknowledged like any document. An alarm is a reminder, not a finding.
//!
//! A notice's id derives from the record that owes it and the kind of notice, so that it is sent
//! exactly once, whatever crashes in between (P2).

use std::collections::BTreeSet;

use xianjie_core::domain::duty::Duty;
use xianjie_core::domain::record::{Clock, Effect, Kind, Notice, Record};
use xianjie_core::domain::state::{Key, Row};
use xianjie_core::ids::{AgencyCode, DocumentId, LedgerIndex, Time};
use xianjie_core::ledger::{Leaf, sha256};
use xianjie_core::limits;
use xianjie_core::refusal::{Advice, Reason, Refusal, Violation};

use super::Hub;
use super::submit::unavailable;
use crate::wire;
use crate::wire::notice::{About, NoticeText};
use crate::wire::signature::Signed;

impl Hub {
    /// Sends what the hub owes; returns how many notices that were.
    ///
    /// # Errors
    /// The store can't be read or written now. A notice that is refused stays owed, and the others
    /// are sent.
    pub async fn send_notices(&self) -> Result<usize, Refusal> {
        let (mut from, to) = Key::notice_bounds();
        let mut sent = 0;
        loop {
            let page =
                self.shared.store.scan(&from, &to, limits::PAGE).await.map_err(unavailable)?;
            let Some((last, _)) = page.last() else { return Ok(sent) };
            // A notice that can't be sent does not keep the others.
            from = last.iter().copied().chain([0]).collect();
            sent += self.send_page(page).await?;
        }
    }

    async fn send_page(&self, page: Vec<(Vec<u8>, Vec<u8>)>) -> Result<usize, Refusal> {
        let mut sent = 0;
        for (key, row) in page {
            let key = Key::from_bytes(&key).map_err(unavailable)?;
            let row = Row::from_bytes(&row).map_err(unavailable)?;
            if let (Key::NoticeOwed(index, notice), Row::NoticeOwed(to)) = (key, row) {
                match self.send_notice(index, notice, self.heirs(&to)).await {
                    Ok(()) => sent += 1,
                    Err(refusal) if refusal.advice() == Advice::Resend => return Err(refusal),
                    Err(refusal) => {
                        tracing::error!(index = index.0, %refusal, "a notice can't be sent");
                    }
                }
            }
        }
        Ok(sent)
    }

    /// Who gets what these were to get: they themselves, or who took their places; who supervised them,
    /// if nobody did.
    fn heirs(&self, to: &BTreeSet<AgencyCode>) -> Vec<AgencyCode> {
        let directory = self.directory();
        let now = self.shared.clock.now();
        let takes_part = |code: &AgencyCode| {
            directory.agency(code).is_some_and(|agency| agency.is_addressable(now))
        };
        let heirs = to.iter().map(|agency| directory.successor(agency).clone());
        let heirs: BTreeSet<AgencyCode> = heirs.filter(takes_part).collect();
        if !heirs.is_empty() {
            return heirs.into_iter().collect();
        }
        let supervisors =
            to.iter().filter_map(|code| directory.agency(code)?.supervised_by.clone());
        let supervisors = supervisors.map(|code| directory.successor(&code).clone());
        supervisors.filter(takes_part).collect::<BTreeSet<_>>().into_iter().collect()
    }

    async fn send_notice(
        &self,
        index: LedgerIndex,
        notice: Notice,
        to: Vec<AgencyCode>,
    ) -> Result<(), Refusal> {
        let hub = self.directory().hub().map(|hub| hub.code.clone());
        let hub = hub.ok_or_else(|| Violation::new(Reason::UnknownSender, "sender"))?;
        let (entry, record) = self.recorded(index).await?;
        let leaf = Leaf::parse(&entry.leaf).map_err(unavailable)?;
        let text = NoticeText {
            id: self.notice_id(index, notice),
            ledger: self.shared.origin.clone(),
            sender: hub,
            time: Time(i64::try_from(leaf.time_ms).unwrap_or_default()),
            notice,
            to,
            about: self.about(&record).await?,
        };
        let payload = wire::notice::encode(&text, &record);
        let signed = Signed::sign_document(payload, &self.shared.service);
        let heard = wire::document::read_document(
            &self.shared.schema,
            &self.shared.origin,
            &signed.payload,
        )?;
        self.prepared_submit(heard, signed, Some((index, notice))).await.map(|_| ())
    }

    /// The document, and the duty, that a record is about.
    async fn about(&self, record: &Record) -> Result<About, Refusal> {
        let about = match &record.kind {
            Kind::Flagged(flagged) => About::Document(flagged.document.clone()),
            Kind::Rejected(rejected) => {
                let key = Key::Delivery(rejected.agency.clone(), rejected.number);
                match self.row(key).await? {
                    Some(Row::Delivery(delivery)) => About::Document(delivery.document),
                    _ => About::Nothing,
                }
            }
            Kind::Clock(Clock::Duty { duty, .. }) => match self.row(Key::Duty(*duty)).await? {
                Some(Row::Duty(duty)) => About::Duty(Box::new(as_told(*duty, record))),
                _ => About::Nothing,
            },
            Kind::Clock(Clock::Unacknowledged { agency, .. }) => About::Inbox(agency.clone()),
            _ => About::Nothing,
        };
        Ok(about)
    }

    /// A UUID of version 7 that only this notice has: the index of its record where others have their
    /// time, and a digest of what it is about.
    fn notice_id(&self, index: LedgerIndex, notice: Notice) -> DocumentId {
        let digest = sha256(&[
            b"xianjie/notice/v1\0",
            self.shared.origin.as_str().as_bytes(),
            &index.0.to_be_bytes(),
            &[notice as u8],
        ]);
        let mut id = [0; 16];
        id.copy_from_slice(&digest.0[..16]);
        // The time part is the index: unique keys stay in the order of what they are about.
        id[..6].copy_from_slice(&index.0.to_be_bytes()[2..]);
        id[6] = 0x70 | (id[6] & 0x0f);
        id[8] = 0x80 | (id[8] & 0x3f);
        DocumentId(id)
    }
}

/// A duty as it stood when the record that tells of it was made: since then it may have passed to
/// another agency, or its limit been extended.
fn as_told(duty: Duty, record: &Record) -> Duty {
    let told = record.effects.iter().find_map(|ruled| match &ruled.effect {
        Effect::DutyChanged { owner, timing, .. } => Some((owner.clone(), timing.due)),
        _ => None,
    });
    let (owner, due) = told.unwrap_or_else(|| (duty.owner.clone(), duty.due));
    Duty { owner, due, ..duty }
}
