//! Inboxes: agencies sign for what they got, late or twice, and reject what they should not.

use std::collections::{BTreeMap, BTreeSet};

use xianjie_core::domain::agency::Purpose;
use xianjie_core::domain::decide::{AcknowledgementInput, Decision, Input, RejectionInput};
use xianjie_core::domain::record::{Signature, Signed};
use xianjie_core::domain::state::{Key, Row};
use xianjie_core::ids::{AgencyCode, InboxNumber, LedgerIndex, Time};
use xianjie_core::limits::ACKNOWLEDGED_ITEMS;

use crate::agencies::{HUB, certificate};
use crate::hub::Hub;
use crate::model::ensure;
use crate::simulation::{DAY, Event, HOUR, Simulation};

impl Simulation {
    /// Something new lies in an inbox: somebody will work through it.
    pub(crate) fn expect_mail(&mut self, agency: &AgencyCode) {
        if self.mail.insert(agency.clone()) {
            let reader = self.agencies.heir(agency);
            let hours = self.agencies.tempers[&reader].mail_hours(&mut self.dice);
            let time = Time(self.now().0 + hours * HOUR);
            self.at(time, Event::Mail(agency.clone()));
        }
    }

    /// The agency, or whoever took its place, signs for all that lies there.
    pub(crate) fn work_through(&mut self, agency: &AgencyCode) {
        let reader = self.agencies.heir(agency);
        if self.agencies.suspended.contains(&reader) {
            let tomorrow = Time(self.now().0 + DAY);
            self.at(tomorrow, Event::Mail(agency.clone()));
            return;
        }
        self.mail.remove(agency);
        let mut by_sender: BTreeMap<AgencyCode, Vec<(InboxNumber, LedgerIndex)>> = BTreeMap::new();
        for (number, letter) in self.model.deliveries.unsettled(agency) {
            let temper = self.agencies.tempers[&reader];
            let from_hub = letter.document.sender.as_str() == HUB;
            if !from_hub && !letter.copy && temper.rejects(&mut self.dice) {
                self.reject(agency, &reader, number, letter.index);
            } else {
                let sender = letter.document.sender.clone();
                by_sender.entry(sender).or_default().push((number, letter.index));
            }
        }
        for items in by_sender.values().flat_map(|items| items.chunks(ACKNOWLEDGED_ITEMS)) {
            self.sign(agency, &reader, items);
        }
    }

    fn sign(
        &mut self,
        agency: &AgencyCode,
        reader: &AgencyCode,
        items: &[(InboxNumber, LedgerIndex)],
    ) {
        let opened =
            |(number, index): &(InboxNumber, LedgerIndex)| (*number, Hub::commitment(*index));
        let input = Input::Acknowledgement(AcknowledgementInput {
            agency: agency.clone(),
            items: items.iter().map(opened).collect(),
            statement: statement(reader),
        });
        self.settle(input, "signed for");
        if reader != agency {
            self.counts.many("deliveries", "by a successor", items.len() as u64);
        }
    }

    fn reject(
        &mut self,
        agency: &AgencyCode,
        reader: &AgencyCode,
        number: InboxNumber,
        index: LedgerIndex,
    ) {
        // What is sent back was never met: papers that build on it may be refused.
        let key = Key::Delivery(agency.clone(), number);
        if let Some(Row::Delivery(delivery)) = self.hub.rows.get(&key) {
            let sent = delivery.document.clone();
            let lives = self.lives.iter_mut();
            lives.filter(|life| life.sent.values().any(|document| *document == sent)).for_each(
                |life| {
                    life.spoilt = true;
                    life.log.push(format!("rejected by {agency}"));
                },
            );
        }
        let input = Input::Rejection(RejectionInput {
            agency: agency.clone(),
            number,
            commitment: Hub::commitment(index),
            reason: "NOT_FOR_US".to_owned(),
            statement: statement(reader),
        });
        self.settle(input, "rejected");
        if let Some(case) = self.model.deliveries.case_of(agency, number) {
            let checked = self.model.check_case(&self.hub, case);
            self.must_hold(checked);
        }
    }

    fn settle(&mut self, input: Input, what: &str) {
        let index = LedgerIndex(self.hub.records.len() as u64);
        let decision = self.decide(&input, &BTreeSet::new());
        let recorded = matches!(decision, Ok(Decision::Record(_)));
        let fault = || format!("a delivery can't be {what}: {decision:?}");
        self.must_hold(ensure(recorded, "P3", fault));
        // Rejections are rare: more of them are asked again.
        let often = if matches!(input, Input::Rejection(_)) { 300 } else { 30 };
        if self.dice.chance(often) {
            let later = Time(self.now().0 + self.dice.between(0, 5 * DAY));
            self.at(later, Event::Again(Box::new(input), index));
        }
    }
}

fn statement(reader: &AgencyCode) -> Signed {
    let certificate = certificate(Purpose::Acknowledgement(reader.clone())).digest;
    let signature = Signature { algorithm: 1, certificate, value: Vec::new() };
    Signed { signatures: vec![signature], ..Signed::default() }
}
