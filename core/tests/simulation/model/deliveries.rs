//! Documents and inboxes: nothing twice, nobody forgotten, no number skipped, nobody else, in order.

use std::collections::{BTreeMap, BTreeSet};

use xianjie_core::domain::record::{DocumentTaken, Effect, Record, Settled};
use xianjie_core::domain::state::{Key, Row};
use xianjie_core::ids::{
    AgencyCode, CaseRef, DocumentRef, InboxNumber, LedgerIndex, SenderNumber, Time,
};

use super::{Checked, Fault, ensure};
use crate::agencies::{HUB, code};
use crate::hub::Hub;

/// A document in an inbox.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    /// Which.
    pub(crate) document: DocumentRef,
    /// Its record.
    pub(crate) index: LedgerIndex,
    /// Copy rather than primary.
    pub(crate) copy: bool,
    /// Since when.
    pub(crate) time: Time,
    /// How it ended.
    pub(crate) settled: Option<Settled>,
}

/// A document that was taken.
#[derive(Debug, Clone)]
struct Sent {
    index: LedgerIndex,
    number: SenderNumber,
    answers: Option<LedgerIndex>,
    case: Option<CaseRef>,
}

/// All documents and inboxes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deliveries {
    inboxes: BTreeMap<AgencyCode, Vec<Letter>>,
    open: BTreeMap<AgencyCode, BTreeSet<InboxNumber>>,
    /// By inbox and sender.
    told: BTreeMap<(AgencyCode, AgencyCode), InboxNumber>,
    sent: BTreeMap<DocumentRef, Sent>,
    senders: BTreeMap<AgencyCode, SenderNumber>,
}

impl Deliveries {
    /// A document was taken and goes to its addressees.
    pub(super) fn document(
        &mut self,
        index: LedgerIndex,
        time: Time,
        taken: &DocumentTaken,
        record: &Record,
        addressees: &BTreeSet<AgencyCode>,
    ) -> Checked {
        let kind = &taken.document_type;
        let number = self.senders.entry(taken.document.sender.clone()).or_default();
        ensure(taken.sender_number == number.next(), "P10", || {
            format!("{kind}: number {} of its sender after {number}", taken.sender_number)
        })?;
        *number = number.next();
        let sent = Sent {
            index,
            number: taken.sender_number,
            answers: taken.in_reply_to,
            case: taken.case,
        };
        let before = self.sent.insert(taken.document.clone(), sent);
        ensure(before.is_none(), "P2", || format!("{kind} was recorded twice"))?;
        let mut got = BTreeSet::new();
        for ruled in &record.effects {
            let Effect::DeliveryOpened { agency, copy, number, .. } = &ruled.effect else {
                continue;
            };
            ensure(got.insert(agency.clone()), "P7", || format!("{agency} gets {kind} twice"))?;
            let inbox = self.inboxes.entry(agency.clone()).or_default();
            let next = InboxNumber(inbox.len() as u64 + 1);
            ensure(*number == next, "P4", || {
                format!("{kind} has number {number} of {agency}, not {next}")
            })?;
            let document = taken.document.clone();
            inbox.push(Letter { document, index, copy: *copy, time, settled: None });
            self.open.entry(agency.clone()).or_default().insert(*number);
        }
        ensure(got == *addressees, "P7", || {
            format!("{kind} of {} went to {got:?}, by law to {addressees:?}", taken.document.sender)
        })
    }

    /// A delivery ends, or is told of.
    pub(super) fn effect(&mut self, effect: &Effect) -> Checked {
        match effect {
            Effect::DeliverySettled { agency, number, how } => {
                let was_open = self.open.get_mut(agency).is_some_and(|open| open.remove(number));
                ensure(was_open, "P3", || format!("{agency} {number} ends twice"))?;
                let letter = self.letter(agency, *number);
                letter.settled = Some(*how);
            }
            Effect::UnacknowledgedTold { agency, sender, number } => {
                let own = (agency.clone(), sender.clone());
                let before = self.told.insert(own, *number).unwrap_or_default();
                ensure(before < *number, "P3", || format!("{agency} {number} is told of twice"))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn letter(&mut self, agency: &AgencyCode, number: InboxNumber) -> &mut Letter {
        let place = usize::try_from(number.0 - 1).unwrap();
        &mut self.inboxes.get_mut(agency).unwrap()[place]
    }

    /// What lies in an inbox and nobody has signed for.
    pub(crate) fn unsettled(&self, agency: &AgencyCode) -> Vec<(InboxNumber, Letter)> {
        let numbers = self.open.get(agency).into_iter().flatten();
        numbers
            .map(|number| {
                let place = usize::try_from(number.0 - 1).unwrap();
                (*number, self.inboxes[agency][place].clone())
            })
            .collect()
    }

    /// The case of what lies in an inbox.
    pub(crate) fn case_of(&self, agency: &AgencyCode, number: InboxNumber) -> Option<CaseRef> {
        let place = usize::try_from(number.0 - 1).unwrap();
        self.sent[&self.inboxes[agency][place].document].case
    }

    /// Whether everything has been told of that was delivered before `old` and nobody signed for.
    pub(crate) fn check_told(&self, old: Time) -> Checked {
        for (agency, open) in &self.open {
            for number in open {
                let letter = &self.inboxes[agency][usize::try_from(number.0 - 1).unwrap()];
                if letter.time > old {
                    break;
                }
                let sender = letter.document.sender.clone();
                let told = self.told.get(&(agency.clone(), sender.clone())).copied();
                let is_told = sender == code(HUB) || told.is_some_and(|told| *number <= told);
                ensure(is_told, "P3", || {
                    format!("{agency} {number} lies unsigned and {sender} is not told")
                })?;
            }
        }
        Ok(())
    }

    /// How many deliveries there were.
    pub(crate) fn count(&self) -> usize {
        self.inboxes.values().map(Vec::len).sum()
    }

    /// Compares every inbox with its rows.
    pub(super) fn audit(&self, hub: &Hub) -> Checked {
        for (agency, letters) in &self.inboxes {
            let heir = hub.directory.agency(&hub.heir(agency));
            let takes_part = heir.is_some_and(|heir| heir.is_addressable(hub.time));
            ensure(takes_part, "P3", || format!("nobody is left to sign for {agency}"))?;
            self.audit_inbox(hub, agency, letters)?;
        }
        self.check_order(hub)?;
        let rows = |is: fn(&Key) -> bool| hub.rows.keys().filter(|key| is(key)).count();
        ensure(rows(|key| matches!(key, Key::Delivery(..))) == self.count(), "P7", || {
            "there are deliveries that no record tells of".to_owned()
        })?;
        let open: usize = self.open.values().map(BTreeSet::len).sum();
        let listed = hub.rows.iter().filter_map(|(key, row)| match (key, row) {
            (Key::Unsettled(_, span), Row::Unsettled(open)) => Some(open.numbers(*span).count()),
            _ => None,
        });
        ensure(listed.sum::<usize>() == open, "P3", || {
            "the index of unsettled deliveries holds what is settled".to_owned()
        })
    }

    fn audit_inbox(&self, hub: &Hub, agency: &AgencyCode, letters: &[Letter]) -> Checked {
        let Some(Row::Inbox(inbox)) = hub.rows.get(&Key::Inbox(agency.clone())) else {
            return Err(Fault::new("P4", format!("{agency} has no inbox")));
        };
        ensure(inbox.last.0 == letters.len() as u64, "P4", || {
            format!("the inbox of {agency} ends with {}, not {}", inbox.last, letters.len())
        })?;
        let listed: BTreeSet<InboxNumber> = hub.listed(agency, InboxNumber(0)).collect();
        let mut open = 0;
        for (number, letter) in (1..).map(InboxNumber).zip(letters) {
            let Some(Row::Delivery(row)) = hub.rows.get(&Key::Delivery(agency.clone(), number))
            else {
                return Err(Fault::new("P4", format!("{agency} has no number {number}")));
            };
            ensure(row.document == letter.document && row.index == letter.index, "P7", || {
                format!("{agency} {number} is another document than was sent there")
            })?;
            let how = row.settled.map(|(how, _)| how);
            ensure(how == letter.settled, "P3", || {
                format!("{agency} {number} is {how:?}, by its records {:?}", letter.settled)
            })?;
            let indexed = listed.contains(&number);
            ensure(indexed == how.is_none(), "P3", || {
                format!("{agency} {number} is {how:?}, in the index of unsettled: {indexed}")
            })?;
            open += u64::from(how.is_none());
        }
        ensure(inbox.unsettled == open, "P3", || {
            format!("{agency} counts {} unsettled of {open}", inbox.unsettled)
        })
    }

    /// P10: every document comes after what it answers, and after every earlier one of its sender about
    /// the same subject.
    pub(crate) fn check_order(&self, hub: &Hub) -> Checked {
        let mut inboxes = self.inboxes.iter();
        inboxes.try_for_each(|(agency, letters)| self.inbox_order(hub, agency, letters.len()))
    }

    fn inbox_order(&self, hub: &Hub, agency: &AgencyCode, last: usize) -> Checked {
        let mut places: BTreeMap<LedgerIndex, u64> = BTreeMap::new();
        let mut newest: BTreeMap<(&AgencyCode, CaseRef), SenderNumber> = BTreeMap::new();
        let mut waits: BTreeMap<LedgerIndex, LedgerIndex> = BTreeMap::new();
        for number in 1..=last as u64 {
            let key = Key::Delivery(agency.clone(), InboxNumber(number));
            let Some(Row::Delivery(row)) = hub.rows.get(&key) else { continue };
            let Some(sent) = self.sent.get(&row.document) else { continue };
            places.insert(sent.index, number);
            ensure(!waits.contains_key(&sent.index), "P10", || {
                format!("{agency} {number} comes after its answer {:?}", waits[&sent.index])
            })?;
            if let Some(answers) = sent.answers.filter(|answers| !places.contains_key(answers)) {
                waits.insert(answers, sent.index);
            }
            let Some(case) = sent.case else { continue };
            let before = newest.insert((&row.document.sender, case), sent.number);
            let fault = || format!("{agency} {number} comes after a later one of its sender");
            ensure(before.is_none_or(|before| before < sent.number), "P10", fault)
                .map_err(|fault| fault.of(Some(case)))?;
        }
        Ok(())
    }
}
