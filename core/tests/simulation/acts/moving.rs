//! To another place of execution (变更执行地): consultation, decision, file, person.

use super::{Act, Simulation};

impl Simulation {
    /// The acts of this file; whether it was one.
    pub(super) fn move_on(&mut self, id: usize, act: Act) -> bool {
        match act {
            Act::Consult => self.consult(id, act),
            Act::Consulted => {
                let by = self.there(id, "corrections");
                let agreed = self.dice.chance(850);
                let paper =
                    self.reply(id, "transfer_consultation_reply", &by, "transfer_consultation");
                let outcome = if agreed { "approved" } else { "refused" };
                if !self.send(id, act, paper.outcome(outcome)) {
                    return true;
                }
                if agreed {
                    let old = self.here(id, "corrections");
                    self.later(id, Act::ChangePlace, &old, 24, 24 * 5);
                } else {
                    self.settle_down(id);
                }
            }
            // Since the consultation the two were merged: nobody moves from an agency to itself.
            Act::ChangePlace | Act::MoveFile
                if self.here(id, "corrections") == self.there(id, "corrections") =>
            {
                self.settle_down(id);
            }
            Act::ChangePlace => {
                let (by, today) = (self.here(id, "corrections"), self.today());
                let new = self.lives[id].new_place.clone().unwrap();
                let paper = self
                    .paper(id, "place_change_decision", &by)
                    .with(|paper| paper.place("new_place", &new).date("decision_date", today));
                if self.send(id, act, paper) {
                    self.later(id, Act::MoveFile, &by, 12, 24 * 4);
                }
            }
            Act::MoveFile => self.move_file(id, act),
            Act::ReceiptOfFile | Act::ForwardFile => {
                // Whoever comes late has the person already.
                let by = if self.lives[id].moving {
                    self.there(id, "corrections")
                } else {
                    self.here(id, "corrections")
                };
                let kind = if act == Act::ReceiptOfFile { "return_receipt" } else { "forwarding" };
                let paper = self.reply(id, kind, &by, "file_transfer");
                self.send(id, act, paper);
            }
            Act::Arrive => self.arrive(id, act),
            Act::StayAway => {
                let (by, police) = (self.there(id, "corrections"), self.here(id, "police"));
                let paper = self.reply(id, "transfer_no_show_notice", &by, "file_transfer");
                if self.send(id, act, paper) {
                    self.lives[id].missing = true;
                    self.later(id, Act::Find, &police, 24, 24 * 20);
                }
            }
            Act::RefuseFile | Act::WithdrawMove => self.come_to_nothing(id, act),
            _ => return false,
        }
        true
    }

    fn consult(&mut self, id: usize, act: Act) {
        let by = self.here(id, "corrections");
        let new = loop {
            let county = self.dice.one_of(&self.agencies.counties).clone();
            if self.agencies.at(&county, "corrections") != by {
                break county;
            }
        };
        self.lives[id].new_place = Some(new.clone());
        let today = self.today();
        let paper = self
            .paper(id, "transfer_consultation", &by)
            .with(|paper| paper.place("new_place", &new).date("application_date", today));
        if self.send(id, act, paper) {
            let there = self.there(id, "corrections");
            self.later(id, Act::Consulted, &there, 24, 24 * 5);
        }
    }

    fn move_file(&mut self, id: usize, act: Act) {
        let (by, today) = (self.here(id, "corrections"), self.today());
        let new = self.lives[id].new_place.clone().unwrap();
        let paper = self.reply(id, "file_transfer", &by, "place_change_decision").then_with(&by);
        let paper =
            paper.with(|paper| paper.place("new_place", &new).date("person_notified_date", today));
        if !self.send(id, act, paper) {
            return;
        }
        self.lives[id].moving = true;
        let there = self.there(id, "corrections");
        match self.dice.between(1, 100) {
            1..=78 => self.later(id, Act::Arrive, &there, 24, 24 * 6),
            79..=87 => self.later(id, Act::StayAway, &there, 24 * 8, 24 * 10),
            88..=94 => return self.later(id, Act::RefuseFile, &there, 24, 24 * 4),
            _ => return self.later(id, Act::WithdrawMove, &by, 24, 24 * 4),
        }
        self.later(id, Act::ReceiptOfFile, &there, 12, 24 * 4);
        self.later(id, Act::ForwardFile, &there, 12, 24 * 4);
    }

    fn arrive(&mut self, id: usize, act: Act) {
        let (by, today) = (self.there(id, "corrections"), self.today());
        let paper = self.reply(id, "registration_record", &by, "file_transfer").then_with(&by);
        if self.send(id, act, paper.with(|paper| paper.date("reported_date", today))) {
            let life = &mut self.lives[id];
            life.place = life.new_place.clone().unwrap();
            life.moving = false;
            life.missing = false;
            self.settle_down(id);
        }
    }

    /// The new agency refuses, or the old one withdraws: the person stays.
    fn come_to_nothing(&mut self, id: usize, act: Act) {
        let old = self.here(id, "corrections");
        let paper = if act == Act::RefuseFile {
            let by = self.there(id, "corrections");
            self.reply(id, "transfer_refusal", &by, "file_transfer")
        } else {
            self.reply(id, "withdrawal", &old, "file_transfer")
        };
        if self.send(id, act, paper.then_with(&old)) {
            self.lives[id].moving = false;
            self.settle_down(id);
        }
    }
}
