//! Into community correction: assessment, papers, the person, registration.

use jiff::ToSpan;
use xianjie_core::domain::document::Category;

use super::{Act, Errand, Simulation};
use crate::model::Standing;
use crate::routes::PRISON_LAW;

impl Simulation {
    /// The acts of this file; whether it was one.
    pub(super) fn enter(&mut self, id: usize, act: Act) -> bool {
        match act {
            Act::Commission => self.commission(id, act),
            Act::ReceiveCommission => {
                let by = self.here(id, "corrections");
                let reply =
                    self.reply(id, "commission_received_notice", &by, "assessment_commission");
                self.send(id, act, reply);
            }
            Act::Extend => {
                let by = self.court(id);
                let until = self.today().saturating_add(40.days());
                let reply = self.reply(id, "extension_agreement", &by, "assessment_commission");
                self.send(id, act, reply.with(|paper| paper.date("stated_date", until)));
            }
            Act::Assess => {
                let by = self.here(id, "corrections");
                let reply = self.reply(id, "assessment_opinion", &by, "assessment_commission");
                self.send(id, act, reply);
            }
            Act::Notice => self.notify(id, act),
            Act::Verdict => self.verdict(id, act),
            Act::ReplaceVerdict => self.replace_verdict(id, act),
            Act::WithdrawVerdict => self.withdraw_verdict(id, act),
            Act::ServeOnPaper => self.serve_on_paper(id, act),
            Act::Free => self.free(id, act),
            Act::Opinion => {
                let by = self.prison(id);
                let place = self.lives[id].place.clone();
                let paper = self.paper(id, "temporary_release_opinion", &by);
                let paper = paper.with(|paper| paper.place("intended_place", &place));
                if self.send(id, act, paper) {
                    let decider = self.decider(id);
                    self.later(id, Act::Decide, &decider, 24 * 5, 24 * 18);
                }
            }
            Act::Decide => self.decide_release(id, act),
            Act::WithdrawDecision => {
                let by = self.decider(id);
                let paper = self.reply(id, "withdrawal", &by, "temporary_release_decision");
                if self.send(id, act, paper) {
                    self.later(id, Act::Decide, &by, 24, 24 * 3);
                }
            }
            Act::HandOver => self.hand_over(id, act),
            Act::RefusePerson => self.refuse_person(id, act),
            Act::Receipt | Act::Forward => {
                let by = self.here(id, "corrections");
                let kind = if act == Act::Receipt { "return_receipt" } else { "forwarding" };
                let papers = match self.lives[id].is_temporary() {
                    true => "temporary_release_decision",
                    false => "verdict_handover",
                };
                // A verdict sent to the wrong place is forwarded by nobody.
                let holder = self.lives[id].sent.contains_key(papers);
                let moved = self.lives[id].sent.contains_key("file_transfer");
                if holder && !moved {
                    let reply = self.reply(id, kind, &by, papers);
                    self.send(id, act, reply);
                }
            }
            Act::Register => self.register(id, act),
            _ => return false,
        }
        true
    }

    fn commission(&mut self, id: usize, act: Act) {
        let by = self.court(id);
        let place = self.lives[id].place.clone();
        let paper = self.paper(id, "assessment_commission", &by);
        if self.send(id, act, paper.with(|paper| paper.place("intended_place", &place))) {
            let corrections = self.here(id, "corrections");
            self.later(id, Act::ReceiveCommission, &corrections, 24, 24 * 3);
            self.later(id, Act::Assess, &corrections, 24 * 4, 24 * 12);
            if self.dice.chance(250) {
                self.later(id, Act::Extend, &by, 24 * 3, 24 * 6);
            }
            self.in_days(id, Act::Notice, 15, 25);
            let today = self.today();
            self.lives[id].effective = today.saturating_add(22.days());
        }
    }

    /// The judgment's own papers.
    fn judged(&mut self, id: usize, kind: &'static str) -> Errand {
        let by = self.decider(id);
        let life = self.lives[id].clone();
        let errand = self.paper(id, kind, &by).with(|paper| {
            paper
                .at(&life.place)
                .text("case_number", &life.number)
                .date("decision_date", life.effective.saturating_sub(11.days()))
                .date("effective_date", life.effective)
                .date("term_start_date", life.effective)
                .date("term_expiry_date", life.expiry)
        });
        match &life.prison {
            Some(prison) => errand
                .with(|paper| {
                    paper
                        .agency("custodian", prison)
                        .agency("file_holder", prison)
                        .agency("original_court", &life.court)
                })
                .then_with(prison),
            None => errand.then_with(&by),
        }
    }

    fn notify(&mut self, id: usize, act: Act) {
        let by = self.decider(id);
        if self.lives[id].category == Category::Probation && self.dice.chance(300) {
            let paper = self.judged(id, "decision_notice");
            if !self.send(id, act, paper) {
                return;
            }
        }
        self.later(id, Act::Verdict, &by, 24 * 10, 24 * 17);
    }

    fn verdict(&mut self, id: usize, act: Act) {
        let astray = self.lives[id].case.is_none() && self.dice.chance(15);
        if astray {
            let wrong = self.dice.one_of(&self.agencies.counties).clone();
            let right = std::mem::replace(&mut self.lives[id].place, wrong);
            self.lives[id].new_place = Some(right);
        }
        let paper = self.judged(id, "verdict_handover");
        if !self.send(id, act, paper) {
            return;
        }
        let by = self.decider(id);
        if astray || self.dice.chance(15) {
            self.later(id, Act::WithdrawVerdict, &by, 24, 24 * 5);
            return;
        }
        let corrections = self.here(id, "corrections");
        self.later(id, Act::Receipt, &corrections, 24, 24 * 4);
        let life = &self.lives[id];
        if !self.agencies.serves(&life.decided_by, &life.place) {
            self.later(id, Act::Forward, &corrections, 2, 48);
        }
        if self.dice.chance(60) {
            self.later(id, Act::ServeOnPaper, &by, 0, 1);
        }
        if self.dice.chance(30) {
            self.later(id, Act::ReplaceVerdict, &by, 4, 24);
        } else if self.lives[id].category == Category::Parole && self.today() > PRISON_LAW {
            let prison = self.prison(id);
            self.later(id, Act::Free, &prison, 2, 48);
        } else {
            self.comes_or_not(id);
        }
    }

    /// The person reports in time, or doesn't.
    fn comes_or_not(&mut self, id: usize) {
        let corrections = self.here(id, "corrections");
        let act = match self.dice.between(1, 100) {
            1..=86 => return self.later(id, Act::Register, &corrections, 12, 24 * 4),
            87..=93 => Act::NoShow,
            _ => Act::LoseContact,
        };
        self.later(id, act, &corrections, 24 * 11, 24 * 15);
    }

    fn replace_verdict(&mut self, id: usize, act: Act) {
        let old = self.lives[id].sent["verdict_handover"].clone();
        self.lives[id].expiry = self.lives[id].expiry.saturating_add(3.days());
        let paper = self.judged(id, "verdict_handover").with(|paper| paper.replacing(&old));
        if self.send(id, act, paper) {
            self.comes_or_not(id);
        }
    }

    fn withdraw_verdict(&mut self, id: usize, act: Act) {
        let by = self.decider(id);
        let paper = self.reply(id, "withdrawal", &by, "verdict_handover").then(Standing::Unknown);
        if self.send(id, act, paper) {
            let life = &mut self.lives[id];
            if let Some(right) = life.new_place.take() {
                life.place = right;
            }
            self.later(id, Act::Verdict, &by, 24, 24 * 3);
        }
    }

    fn serve_on_paper(&mut self, id: usize, act: Act) {
        let (by, police, today) = (self.decider(id), self.here(id, "police"), self.today());
        let paper = self.reply(id, "served_otherwise", &by, "verdict_handover").with(|paper| {
            paper
                .text("served_type", "verdict_handover")
                .agency("served_agency", &police)
                .date("served_date", today)
        });
        self.send(id, act, paper);
    }

    fn free(&mut self, id: usize, act: Act) {
        let (by, today) = (self.prison(id), self.today());
        let life = self.lives[id].clone();
        let mut paper = self.paper(id, "parole_release_notice", &by).then_with(&by);
        // The prison knows the judgment by its number; the case's reference nobody has told it.
        paper.paper.0.subject.as_mut().unwrap().case = None;
        let paper = paper.with(|paper| {
            paper
                .at(&life.place)
                .text("case_number", &life.number)
                .agency("decision_organ", &life.decided_by)
                .date("effective_date", life.effective)
                .date("custody_left_date", today)
        });
        if self.send(id, act, paper) {
            self.comes_or_not(id);
        }
    }

    fn decide_release(&mut self, id: usize, act: Act) {
        let today = self.today();
        let answered = self.lives[id].sent["temporary_release_opinion"].clone();
        let paper = self.judged(id, "temporary_release_decision");
        let paper = paper.with(|paper| paper.answering(&answered).date("decision_date", today));
        if self.send(id, act, paper) {
            if self.dice.chance(15) {
                let by = self.decider(id);
                return self.later(id, Act::WithdrawDecision, &by, 4, 48);
            }
            let (prison, corrections) = (self.prison(id), self.here(id, "corrections"));
            self.later(id, Act::HandOver, &prison, 24 * 2, 24 * 9);
            self.later(id, Act::Receipt, &corrections, 24, 24 * 4);
            self.later(id, Act::Forward, &corrections, 2, 48);
        }
    }

    fn hand_over(&mut self, id: usize, act: Act) {
        let by = self.prison(id);
        let now = self.now();
        let paper = self.paper(id, "person_transfer", &by).then_with(&by);
        if self.send(id, act, paper.with(|paper| paper.time("handover_time", now))) {
            let corrections = self.here(id, "corrections");
            let next = if self.dice.chance(60) { Act::RefusePerson } else { Act::Register };
            self.later(id, next, &corrections, 1, 30);
        }
    }

    fn refuse_person(&mut self, id: usize, act: Act) {
        let (by, prison) = (self.here(id, "corrections"), self.prison(id));
        let paper = self.reply(id, "transfer_refusal", &by, "person_transfer").then_with(&prison);
        if self.send(id, act, paper) {
            self.later(id, Act::HandOver, &prison, 24, 24 * 4);
        }
    }

    fn register(&mut self, id: usize, act: Act) {
        let (by, today) = (self.here(id, "corrections"), self.today());
        let papers =
            if self.lives[id].is_temporary() { "person_transfer" } else { "verdict_handover" };
        let paper = self.reply(id, "registration_record", &by, papers).then_with(&by);
        if self.send(id, act, paper.with(|paper| paper.date("reported_date", today))) {
            self.lives[id].missing = false;
            self.lives[id].registered = true;
            self.settle_down(id);
            self.look_ahead(id);
        }
    }
}
