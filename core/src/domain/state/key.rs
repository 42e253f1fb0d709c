//! Keys: what rows are found by, in an order that puts what is read together side by side.

use std::str::FromStr;

use super::unsettled::Span;
use crate::domain::record::Notice;
use crate::ids::{
    AgencyCode, CaseRef, Digest, DocumentId, DocumentRef, DutyId, InboxNumber, LedgerIndex,
    SenderNumber, SystemCode, Time,
};

/// A row's key. The order of the variants and of their fields is the order in the store, but that a
/// case's documents (`Filed`) stand the other way round there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The ledger itself.
    Hub,
    /// An agency.
    Agency(AgencyCode),
    /// A system.
    System(SystemCode),
    /// A certificate, by digest.
    Certificate(Digest),
    /// The rulebooks in force.
    Rulebook,
    /// An operators' change, by its id.
    Change(DocumentId),
    /// A document, by its id and sender: ids begin with the time, so that what is new stands together,
    /// whoever sent it, and a batch changes few pages.
    Document(DocumentRef),
    /// How many documents an agency has sent.
    Sender(AgencyCode),
    /// A document, by its sender's number.
    Sent(AgencyCode, SenderNumber),
    /// An agency's inbox.
    Inbox(AgencyCode),
    /// A delivery, by inbox and number.
    Delivery(AgencyCode, InboxNumber),
    /// Index: which deliveries of an inbox are not settled.
    Unsettled(AgencyCode, Span),
    /// A case.
    Case(CaseRef),
    /// Index: a duty still owed in a case.
    OwedInCase(CaseRef, DutyId),
    /// Index: a duty still owed in a thread without a case.
    OwedInThread(LedgerIndex, DutyId),
    /// Index: a duty that waits for a delivery to be received.
    Waiting(AgencyCode, InboxNumber, DutyId),
    /// A duty.
    Duty(DutyId),
    /// A document that no second one may repeat.
    Unique(Digest),
    /// A notice that the hub owes about a record.
    NoticeOwed(LedgerIndex, Notice),
    /// The duties that a record met, by that record.
    ClosedBy(LedgerIndex),
    /// A refused document, by the agency that sent it and the id that it named.
    Refused(DocumentRef),
    /// Index: a duty that the hub looks at next at that time.
    Wake(Time, DutyId),
    /// Index: a duty still owed whose limit lacks calendar data.
    Provisional(DutyId),
    /// Index: a duty still owed, by the agency that owes or watches it, and by that which it is owed to.
    DutyOf(AgencyCode, DutyId),
    /// A step of custody that a case took, by the record that took it.
    PastCustody(CaseRef, LedgerIndex),
    /// How far it has been told what nobody signed for, by inbox and sender.
    Told(AgencyCode, AgencyCode),
    /// The last outage of the hub.
    Outage,
    /// A document of a case, by its record; the newest first.
    Filed(CaseRef, LedgerIndex),
    /// Index: the case of a person whose whereabouts are unknown, by whom they concern.
    SoughtBy(AgencyCode, CaseRef),
}

/// A range of keys: those that begin alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Range {
    /// The duties still owed in a case.
    OwedInCase(CaseRef),
    /// The duties still owed in a thread without a case.
    OwedInThread(LedgerIndex),
    /// The duties that wait for a delivery to be received.
    Waiting(AgencyCode, InboxNumber),
}

/// Bytes that no key has: a damaged store, or one of a later version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no key of this version")]
pub struct KeyError;

impl Key {
    /// The key's bytes: a tag, then the fields, texts ended by a zero byte and numbers big-endian, so
    /// that what begins alike stands together.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Hub => Writer::tag(0),
            Self::Agency(code) => Writer::tag(1).text(code.as_str()),
            Self::System(code) => Writer::tag(2).text(code.as_str()),
            Self::Certificate(digest) => Writer::tag(3).bytes(&digest.0),
            Self::Rulebook => Writer::tag(4),
            Self::Change(id) => Writer::tag(5).bytes(&id.0),
            Self::Document(document) => {
                Writer::tag(6).bytes(&document.id.0).text(document.sender.as_str())
            }
            Self::Sender(code) => Writer::tag(7).text(code.as_str()),
            Self::Sent(code, number) => Writer::tag(8).text(code.as_str()).number(number.0),
            Self::Inbox(code) => Writer::tag(9).text(code.as_str()),
            Self::Delivery(code, number) => Writer::tag(10).text(code.as_str()).number(number.0),
            Self::Unsettled(code, span) => Writer::tag(11).text(code.as_str()).number(span.0),
            Self::Case(case) => Writer::tag(12).bytes(&case.0),
            Self::OwedInCase(case, duty) => Writer::tag(13).bytes(&case.0).duty(*duty),
            Self::OwedInThread(index, duty) => Writer::tag(14).number(index.0).duty(*duty),
            Self::Waiting(code, number, duty) => {
                Writer::tag(15).text(code.as_str()).number(number.0).duty(*duty)
            }
            Self::Duty(duty) => Writer::tag(16).duty(*duty),
            Self::Unique(digest) => Writer::tag(17).bytes(&digest.0),
            Self::NoticeOwed(index, notice) => {
                Writer::tag(18).number(index.0).bytes(&[*notice as u8])
            }
            Self::ClosedBy(index) => Writer::tag(19).number(index.0),
            Self::Refused(document) => {
                Writer::tag(20).text(document.sender.as_str()).bytes(&document.id.0)
            }
            Self::Wake(time, duty) => Writer::tag(21).time(*time).duty(*duty),
            Self::Provisional(duty) => Writer::tag(22).duty(*duty),
            Self::DutyOf(code, duty) => Writer::tag(23).text(code.as_str()).duty(*duty),
            Self::PastCustody(case, index) => Writer::tag(24).bytes(&case.0).number(index.0),
            Self::Told(inbox, sender) => Writer::tag(25).text(inbox.as_str()).text(sender.as_str()),
            Self::Outage => Writer::tag(26),
            Self::Filed(case, index) => Writer::tag(27).bytes(&case.0).number(!index.0),
            Self::SoughtBy(code, case) => Writer::tag(28).text(code.as_str()).bytes(&case.0),
        }
        .0
    }

    /// The bounds, from and up to but not including, of the directory's keys: agencies, systems,
    /// certificates.
    #[must_use]
    pub fn directory_bounds() -> (Vec<u8>, Vec<u8>) {
        (Writer::tag(1).0, Writer::tag(4).0)
    }

    /// The bounds of one inbox's deliveries whose numbers are above `after`.
    #[must_use]
    pub fn inbox_bounds(agency: &AgencyCode, after: InboxNumber) -> (Vec<u8>, Vec<u8>) {
        let from = Self::Delivery(agency.clone(), after.next()).to_bytes();
        let to = Writer::tag(10).bytes(agency.as_str().as_bytes()).bytes(&[1]).0;
        (from, to)
    }

    /// The bounds of one inbox's index of deliveries that are not settled, from the span on that holds
    /// the number after `after`.
    #[must_use]
    pub fn unsettled_bounds(agency: &AgencyCode, after: InboxNumber) -> (Vec<u8>, Vec<u8>) {
        let from = Self::Unsettled(agency.clone(), Span::of(after.next())).to_bytes();
        let to = Writer::tag(11).bytes(agency.as_str().as_bytes()).bytes(&[1]).0;
        (from, to)
    }

    /// The bounds of one agency's documents whose sender's numbers are above `after`.
    #[must_use]
    pub fn sent_bounds(agency: &AgencyCode, after: SenderNumber) -> (Vec<u8>, Vec<u8>) {
        let from = Self::Sent(agency.clone(), after.next()).to_bytes();
        let to = Writer::tag(8).bytes(agency.as_str().as_bytes()).bytes(&[1]).0;
        (from, to)
    }

    /// The bounds of the notices that the hub owes.
    #[must_use]
    pub fn notice_bounds() -> (Vec<u8>, Vec<u8>) {
        (Writer::tag(18).0, Writer::tag(19).0)
    }

    /// The bounds of the duties that the hub looks at by `now`.
    #[must_use]
    pub fn wake_bounds(now: Time) -> (Vec<u8>, Vec<u8>) {
        (Writer::tag(21).0, Writer::tag(21).time(Time(now.0.saturating_add(1))).0)
    }

    /// The bounds of the duties whose limits lack calendar data.
    #[must_use]
    pub fn provisional_bounds() -> (Vec<u8>, Vec<u8>) {
        (Writer::tag(22).0, Writer::tag(23).0)
    }

    /// The bounds of the duties that one agency owes, watches or is owed, above `after`.
    #[must_use]
    pub fn duty_of_bounds(agency: &AgencyCode, after: Option<DutyId>) -> (Vec<u8>, Vec<u8>) {
        let own = || Writer::tag(23).text(agency.as_str());
        let from = match after {
            Some(duty) => own().duty(duty).bytes(&[0]).0,
            None => own().0,
        };
        (from, Writer::tag(23).bytes(agency.as_str().as_bytes()).bytes(&[1]).0)
    }

    /// The bounds of the persons who are sought and concern one agency, above `after`.
    #[must_use]
    pub fn sought_bounds(agency: &AgencyCode, after: Option<CaseRef>) -> (Vec<u8>, Vec<u8>) {
        let own = || Writer::tag(28).text(agency.as_str());
        let from = match after {
            Some(case) => own().bytes(&case.0).bytes(&[0]).0,
            None => own().0,
        };
        (from, Writer::tag(28).bytes(agency.as_str().as_bytes()).bytes(&[1]).0)
    }

    /// The bounds of the duties that the records from `from` up to but not including `to` opened.
    #[must_use]
    pub fn duty_bounds(from: LedgerIndex, to: LedgerIndex) -> (Vec<u8>, Vec<u8>) {
        (Writer::tag(16).number(from.0).0, Writer::tag(16).number(to.0).0)
    }

    /// The bounds of the steps of custody that a case took, from record `from` on.
    #[must_use]
    pub fn past_custody_bounds(case: CaseRef, from: LedgerIndex) -> (Vec<u8>, Vec<u8>) {
        let own = || Writer::tag(24).bytes(&case.0);
        (own().number(from.0).0, own().number(u64::MAX).0)
    }

    /// The bounds of the documents of a case whose records are below `below`, the newest first.
    #[must_use]
    pub fn filed_bounds(case: CaseRef, below: LedgerIndex) -> (Vec<u8>, Vec<u8>) {
        let own = || Writer::tag(27).bytes(&case.0);
        // Inverted, the highest index below comes first. Record 0 is no document.
        (own().number((!below.0).saturating_add(1)).0, own().number(u64::MAX).0)
    }

    /// The key of these bytes.
    ///
    /// # Errors
    /// Bytes that no key has.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let mut reader = Reader(bytes);
        let [tag] = reader.array()?;
        let key = match tag {
            0 => Self::Hub,
            1 => Self::Agency(reader.code()?),
            2 => Self::System(reader.code::<SystemCode>()?),
            3 => Self::Certificate(Digest(reader.array()?)),
            4 => Self::Rulebook,
            5 => Self::Change(DocumentId(reader.array()?)),
            6 => {
                let id = DocumentId(reader.array()?);
                Self::Document(DocumentRef { sender: reader.code()?, id })
            }
            7 => Self::Sender(reader.code()?),
            8 => Self::Sent(reader.code()?, SenderNumber(reader.number()?)),
            9 => Self::Inbox(reader.code()?),
            10 => Self::Delivery(reader.code()?, InboxNumber(reader.number()?)),
            11 => Self::Unsettled(reader.code()?, Span(reader.number()?)),
            12 => Self::Case(CaseRef(reader.array()?)),
            13 => Self::OwedInCase(CaseRef(reader.array()?), reader.duty()?),
            14 => Self::OwedInThread(LedgerIndex(reader.number()?), reader.duty()?),
            15 => Self::Waiting(reader.code()?, InboxNumber(reader.number()?), reader.duty()?),
            16 => Self::Duty(reader.duty()?),
            17 => Self::Unique(Digest(reader.array()?)),
            18 => {
                let index = LedgerIndex(reader.number()?);
                let [notice] = reader.array()?;
                Self::NoticeOwed(index, Notice::from_number(notice).ok_or(KeyError)?)
            }
            19 => Self::ClosedBy(LedgerIndex(reader.number()?)),
            20 => Self::Refused(DocumentRef {
                sender: reader.code()?,
                id: DocumentId(reader.array()?),
            }),
            21 => Self::Wake(reader.time()?, reader.duty()?),
            22 => Self::Provisional(reader.duty()?),
            23 => Self::DutyOf(reader.code()?, reader.duty()?),
            24 => Self::PastCustody(CaseRef(reader.array()?), LedgerIndex(reader.number()?)),
            25 => Self::Told(reader.code()?, reader.code()?),
            26 => Self::Outage,
            27 => Self::Filed(CaseRef(reader.array()?), LedgerIndex(!reader.number()?)),
            28 => Self::SoughtBy(reader.code()?, CaseRef(reader.array()?)),
            _ => return Err(KeyError),
        };
        if reader.0.is_empty() { Ok(key) } else { Err(KeyError) }
    }
}

impl Range {
    /// The first key that the range could hold.
    #[must_use]
    pub fn first(&self) -> Key {
        let duty = DutyId { index: LedgerIndex(0), ordinal: 0 };
        match self {
            Self::OwedInCase(case) => Key::OwedInCase(*case, duty),
            Self::OwedInThread(index) => Key::OwedInThread(*index, duty),
            Self::Waiting(agency, number) => Key::Waiting(agency.clone(), *number, duty),
        }
    }

    /// Whether the range holds `key`.
    #[must_use]
    pub fn holds(&self, key: &Key) -> bool {
        match (self, key) {
            (Self::OwedInCase(case), Key::OwedInCase(other, _)) => case == other,
            (Self::OwedInThread(index), Key::OwedInThread(other, _)) => index == other,
            (Self::Waiting(agency, number), Key::Waiting(a, n, _)) => agency == a && number == n,
            _ => false,
        }
    }

    /// The bytes with which every key of the range begins.
    #[must_use]
    pub fn prefix(&self) -> Vec<u8> {
        match self {
            Self::OwedInCase(case) => Writer::tag(13).bytes(&case.0),
            Self::OwedInThread(index) => Writer::tag(14).number(index.0),
            Self::Waiting(code, number) => Writer::tag(15).text(code.as_str()).number(number.0),
        }
        .0
    }
}

/// Flips a signed number's sign bit, so that its bytes stand in its order.
const SIGN: u64 = 1 << 63;

struct Writer(Vec<u8>);

impl Writer {
    fn tag(tag: u8) -> Self {
        Self(vec![tag])
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes()).bytes(&[0])
    }

    fn number(self, number: u64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    /// Times before 1970 come first, as they should.
    fn time(self, time: Time) -> Self {
        self.number(time.0.cast_unsigned() ^ SIGN)
    }

    fn duty(self, duty: DutyId) -> Self {
        self.number(duty.index.0).bytes(&duty.ordinal.to_be_bytes())
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], KeyError> {
        let (array, rest) = self.0.split_first_chunk().ok_or(KeyError)?;
        self.0 = rest;
        Ok(*array)
    }

    fn text(&mut self) -> Result<&'a str, KeyError> {
        let end = self.0.iter().position(|byte| *byte == 0).ok_or(KeyError)?;
        let (text, rest) = self.0.split_at(end);
        self.0 = &rest[1..];
        std::str::from_utf8(text).map_err(|_| KeyError)
    }

    fn code<T: FromStr>(&mut self) -> Result<T, KeyError> {
        self.text()?.parse().map_err(|_| KeyError)
    }

    fn number(&mut self) -> Result<u64, KeyError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    fn time(&mut self) -> Result<Time, KeyError> {
        Ok(Time((self.number()? ^ SIGN).cast_signed()))
    }

    fn duty(&mut self) -> Result<DutyId, KeyError> {
        let index = LedgerIndex(self.number()?);
        Ok(DutyId { index, ordinal: u32::from_be_bytes(self.array()?) })
    }
}
