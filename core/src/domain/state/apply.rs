//! `apply`: a record's effects become rows. Nothing else changes the state.

use sha2::{Digest as _, Sha256};

use super::{Addressed, Delivery, DocumentRow, Inbox, Key, Row, Span, Unsettled, View};
use crate::domain::agency::{Agency, Certificate, Revocation, System};
use crate::domain::record::{Clock, DocumentTaken, Effect, Kind, Record, Refusals, Settled};
use crate::ids::{AgencyCode, Digest, DocumentRef, DutyId, InboxNumber, LedgerIndex, Time};

mod cases;
mod duties;

/// A record that does not fit the rows: a damaged store, or a defect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// An effect names a row that is not there.
    #[error("record {0} names a row that is not there: {1:?}")]
    Missing(LedgerIndex, Key),
    /// A number is not the next one.
    #[error("record {0}: number {1} of {2} is not the next one")]
    NotNext(LedgerIndex, u64, AgencyCode),
    /// An effect that no record of its kind has.
    #[error("record {0} has an effect that its kind never has")]
    Unfit(LedgerIndex),
}

/// Applies the record at `index`, committed at `time`, to `view`.
///
/// # Errors
/// A record that does not fit: with nothing missing in the view, a damaged store or a defect.
pub fn apply(
    view: &mut View<'_>,
    index: LedgerIndex,
    time: Time,
    record: &Record,
) -> Result<(), ApplyError> {
    let mut change = Change { view, index, time, met: Vec::new() };
    match &record.kind {
        Kind::Opened(opened) => change.view.put(Key::Hub, Row::Hub(opened.clone())),
        Kind::Document(taken) => change.document(taken, record)?,
        Kind::Directory(directory) => {
            let payload = Sha256::digest(&directory.statement.payload);
            let row = Row::Change(index, Digest(payload.into()));
            change.view.put(Key::Change(directory.id), row);
        }
        Kind::Refusals(refusals) => change.refusals(refusals),
        Kind::Clock(Clock::Outage(outage)) => {
            change.view.put(Key::Outage, Row::Outage(*outage));
        }
        Kind::Acknowledged(_)
        | Kind::Rejected(_)
        | Kind::Clock(_)
        | Kind::Revocations(_)
        | Kind::Access(_) => {}
    }
    for (ordinal, ruled) in (0..).zip(&record.effects) {
        change.effect(&ruled.effect, &record.kind, ordinal)?;
    }
    if let Kind::Document(taken) = &record.kind {
        change.join_case(taken, record)?;
    }
    if !change.met.is_empty() {
        let met = std::mem::take(&mut change.met);
        change.view.put(Key::ClosedBy(index), Row::Closed(met));
    }
    Ok(())
}

struct Change<'v, 'a> {
    view: &'v mut View<'a>,
    index: LedgerIndex,
    time: Time,
    met: Vec<DutyId>,
}

impl Change<'_, '_> {
    fn missing(&self, key: Key) -> ApplyError {
        ApplyError::Missing(self.index, key)
    }

    /// A refusal is found by the id that the document named. It binds nothing.
    fn refusals(&mut self, refusals: &Refusals) {
        for id in refusals.items.iter().filter_map(|item| item.id) {
            let document = DocumentRef { sender: refusals.agency.clone(), id };
            self.view.put(Key::Refused(document), Row::Refused(self.index));
        }
    }

    /// The document's own rows: itself, its place among its sender's, its uniqueness.
    fn document(&mut self, taken: &DocumentTaken, record: &Record) -> Result<(), ApplyError> {
        let sender = &taken.document.sender;
        let last = match self.view.get(&Key::Sender(sender.clone())) {
            Some(Row::Sender(number)) => number.0,
            _ => 0,
        };
        if taken.sender_number.0 != last + 1 {
            return Err(ApplyError::NotNext(self.index, taken.sender_number.0, sender.clone()));
        }
        self.view.put(Key::Sender(sender.clone()), Row::Sender(taken.sender_number));
        self.view
            .put(Key::Sent(sender.clone(), taken.sender_number), Row::Sent(taken.document.clone()));
        if let Some(unique) = taken.unique {
            self.view.put(Key::Unique(unique), Row::Unique(taken.document.clone()));
        }
        if let Some((index, notice)) = taken.notice {
            self.view.delete(Key::NoticeOwed(index, notice));
        }
        if let Some(replaced) = &taken.replaces {
            self.replace(replaced, taken)?;
        }
        let row = DocumentRow {
            index: self.index,
            kind: taken.document_type.clone(),
            commitment: taken.commitment,
            case: taken.case,
            thread: taken.thread,
            in_reply_to: taken.in_reply_to,
            addressed: addressed(record),
            places: taken.places.clone(),
            supervisors: taken.supervisors.clone(),
            unique: taken.unique,
            replaces: taken.replaces.clone(),
            replaced_by: None,
            withdrawn_by: None,
        };
        self.view.put(Key::Document(taken.document.clone()), Row::Document(Box::new(row)));
        if let Some(case) = taken.case {
            let key = Key::Filed(case, self.index);
            self.view.put(key, Row::Sent(taken.document.clone()));
        }
        Ok(())
    }

    fn replace(&mut self, replaced: &DocumentRef, taken: &DocumentTaken) -> Result<(), ApplyError> {
        let index = self.index;
        let mut old = self.document_row(replaced)?;
        old.replaced_by = Some(index);
        if let Some(unique) = old.unique
            && taken.unique != Some(unique)
        {
            self.free(unique, replaced);
        }
        self.view.put(Key::Document(replaced.clone()), Row::Document(Box::new(old)));
        Ok(())
    }

    fn effect(&mut self, effect: &Effect, kind: &Kind, ordinal: u32) -> Result<(), ApplyError> {
        match effect {
            Effect::CaseOpened { case } => self.open_case(*case, kind)?,
            Effect::CaseSet { case, set } => self.set_case(*case, set)?,
            Effect::DeliveryOpened { agency, copy, number, .. } => {
                self.open_delivery(kind, agency, *copy, *number)?;
            }
            Effect::DeliverySettled { agency, number, how } => {
                self.settle(agency, *number, *how)?;
            }
            Effect::DutyOpened(_)
            | Effect::DutyStarted { .. }
            | Effect::DutyChanged { .. }
            | Effect::DutyClosed { .. }
            | Effect::DutyReopened { .. } => self.duty(effect, ordinal)?,
            Effect::Custody { case, step, change } => self.custody(*case, *step, change)?,
            Effect::Withdrawn { document } => self.withdraw(document)?,
            Effect::UnacknowledgedTold { agency, sender, number } => {
                let key = Key::Told(agency.clone(), sender.clone());
                self.view.put(key, Row::Told(*number));
            }
            Effect::NoticeOwed { notice, to } => {
                let key = Key::NoticeOwed(self.index, *notice);
                self.view.put(key, Row::NoticeOwed(to.clone()));
            }
            Effect::Contradiction { .. } => {}
            directory => self.directory(directory)?,
        }
        Ok(())
    }

    fn directory(&mut self, effect: &Effect) -> Result<(), ApplyError> {
        match effect {
            Effect::AgencyPut(agency) => self.put_agency((**agency).clone()),
            Effect::SystemPut(system) => self.put_system((**system).clone()),
            Effect::CertificatePut(certificate) => self.put_certificate((**certificate).clone()),
            Effect::CertificateRevoked { digest, compromised_since } => {
                let key = Key::Certificate(*digest);
                let Some(Row::Certificate(row)) = self.view.get(&key) else {
                    return Err(self.missing(key));
                };
                let mut row = (**row).clone();
                let at = self.time;
                row.revoked = Some(Revocation { at, compromised_since: *compromised_since });
                self.put_certificate(row);
            }
            Effect::AgencySuspended { agency, suspended } => {
                let key = Key::Agency(agency.clone());
                let Some(Row::Agency(row)) = self.view.get(&key) else {
                    return Err(self.missing(key));
                };
                self.put_agency(Agency { suspended: *suspended, ..(**row).clone() });
            }
            Effect::SystemSuspended { system, suspended } => {
                let key = Key::System(system.clone());
                let Some(Row::System(row)) = self.view.get(&key) else {
                    return Err(self.missing(key));
                };
                self.put_system(System { suspended: *suspended, ..(**row).clone() });
            }
            Effect::RulebookActivated { digest } => {
                self.view.put(Key::Rulebook, Row::Rulebook(*digest));
            }
            _ => return Err(ApplyError::Unfit(self.index)),
        }
        Ok(())
    }

    fn put_agency(&mut self, agency: Agency) {
        self.view.put(Key::Agency(agency.code.clone()), Row::Agency(Box::new(agency)));
    }

    fn put_system(&mut self, system: System) {
        self.view.put(Key::System(system.code.clone()), Row::System(Box::new(system)));
    }

    fn put_certificate(&mut self, certificate: Certificate) {
        let key = Key::Certificate(certificate.digest);
        self.view.put(key, Row::Certificate(Box::new(certificate)));
    }

    fn open_delivery(
        &mut self,
        kind: &Kind,
        agency: &AgencyCode,
        copy: bool,
        number: InboxNumber,
    ) -> Result<(), ApplyError> {
        let Kind::Document(taken) = kind else { return Err(ApplyError::Unfit(self.index)) };
        let mut inbox = self.inbox_row(agency);
        if number != inbox.last.next() {
            return Err(ApplyError::NotNext(self.index, number.0, agency.clone()));
        }
        inbox.last = number;
        inbox.unsettled += 1;
        self.view.put(Key::Inbox(agency.clone()), Row::Inbox(inbox));
        let delivery = Delivery {
            document: taken.document.clone(),
            index: self.index,
            time: self.time,
            copy,
            settled: None,
        };
        self.view.put(Key::Delivery(agency.clone(), number), Row::Delivery(delivery));
        self.list(agency, number);
        Ok(())
    }

    fn settle(
        &mut self,
        agency: &AgencyCode,
        number: InboxNumber,
        how: Settled,
    ) -> Result<(), ApplyError> {
        let key = Key::Delivery(agency.clone(), number);
        let Some(Row::Delivery(delivery)) = self.view.get(&key) else {
            return Err(self.missing(key));
        };
        let mut delivery = delivery.clone();
        delivery.settled = Some((how, self.index));
        if how == Settled::Rejected && !delivery.copy {
            self.free_unique(&delivery.document)?;
        }
        self.view.put(key, Row::Delivery(delivery));
        let mut inbox = self.inbox_row(agency);
        inbox.unsettled = inbox.unsettled.saturating_sub(1);
        self.view.put(Key::Inbox(agency.clone()), Row::Inbox(inbox));
        self.strike(agency, number, inbox.last);
        Ok(())
    }

    /// Lists a new delivery as not settled. The row of an inbox's last span stands even if nothing in
    /// it is open: so at the first number of a span there is nothing to ask for but the row before.
    fn list(&mut self, agency: &AgencyCode, number: InboxNumber) {
        let span = Span::of(number);
        let mut open = Unsettled::default();
        if number != span.first() {
            open = self.unsettled_row(agency, span);
        } else if let Some(before) = span.0.checked_sub(1).map(Span)
            && self.unsettled_row(agency, before).is_empty()
        {
            self.view.delete(Key::Unsettled(agency.clone(), before));
        }
        open.insert(number);
        self.view.put(Key::Unsettled(agency.clone(), span), Row::Unsettled(open));
    }

    /// Strikes a settled delivery off the list.
    fn strike(&mut self, agency: &AgencyCode, number: InboxNumber, last: InboxNumber) {
        let span = Span::of(number);
        let mut open = self.unsettled_row(agency, span);
        open.remove(number);
        let key = Key::Unsettled(agency.clone(), span);
        if open.is_empty() && span != Span::of(last) {
            self.view.delete(key);
        } else {
            self.view.put(key, Row::Unsettled(open));
        }
    }

    /// What of a span is open; what isn't loaded yet reads as nothing and is asked for with the rest.
    fn unsettled_row(&self, agency: &AgencyCode, span: Span) -> Unsettled {
        match self.view.get(&Key::Unsettled(agency.clone(), span)) {
            Some(Row::Unsettled(open)) => *open,
            _ => Unsettled::default(),
        }
    }

    fn withdraw(&mut self, document: &DocumentRef) -> Result<(), ApplyError> {
        let mut row = self.document_row(document)?;
        row.withdrawn_by = Some(self.index);
        if let Some(unique) = row.unique {
            self.free(unique, document);
        }
        self.view.put(Key::Document(document.clone()), Row::Document(Box::new(row)));
        Ok(())
    }

    /// A document that its primary addressee rejected may be sent again under another id.
    fn free_unique(&mut self, document: &DocumentRef) -> Result<(), ApplyError> {
        if let Some(unique) = self.document_row(document)?.unique {
            self.free(unique, document);
        }
        Ok(())
    }

    /// Frees what `document` bound; what another has bound since stays bound.
    fn free(&mut self, unique: Digest, document: &DocumentRef) {
        let key = Key::Unique(unique);
        if matches!(self.view.get(&key), Some(Row::Unique(holder)) if holder == document) {
            self.view.delete(key);
        }
    }

    fn document_row(&self, document: &DocumentRef) -> Result<DocumentRow, ApplyError> {
        let key = Key::Document(document.clone());
        match self.view.get(&key) {
            Some(Row::Document(row)) => Ok((**row).clone()),
            _ => Err(self.missing(key)),
        }
    }

    fn inbox_row(&self, agency: &AgencyCode) -> Inbox {
        match self.view.get(&Key::Inbox(agency.clone())) {
            Some(Row::Inbox(inbox)) => *inbox,
            _ => Inbox::default(),
        }
    }
}

fn addressed(record: &Record) -> Vec<Addressed> {
    let mut addressed: Vec<Addressed> = record
        .effects
        .iter()
        .filter_map(|ruled| match &ruled.effect {
            Effect::DeliveryOpened { agency, copy, number, carries, .. } => Some(Addressed {
                agency: agency.clone(),
                number: *number,
                copy: *copy,
                carries: carries.clone(),
            }),
            _ => None,
        })
        .collect();
    addressed.sort_by_key(|addressee| addressee.copy);
    addressed
}
