//! Back into custody: revocation of probation and parole (撤销缓刑、假释), recommitment of those
//! released for a time (收监执行), arrest, pursuit, delivery.

use super::{Act, Simulation};
use crate::agencies::Agencies;
use crate::model::Standing;
use xianjie_core::ids::AgencyCode;

impl Simulation {
    /// The acts of this file; whether it was one.
    pub(super) fn take_back(&mut self, id: usize, act: Act) -> bool {
        match act {
            Act::Propose => self.propose(id, act),
            Act::WithdrawProposal => {
                let by = self.proposer(id);
                let paper = self.reply(id, "withdrawal", &by, "revocation_proposal");
                if self.send(id, act, paper) {
                    self.go_on(id);
                }
            }
            Act::RequestArrest => {
                let (by, court) = (self.proposer(id), self.court(id));
                let paper = self.paper(id, "arrest_request", &by);
                if self.send(id, act, paper) {
                    self.later(id, Act::DecideArrest, &court, 4, 44);
                }
            }
            Act::DecideArrest => self.decide_arrest(id, act),
            Act::Arrest | Act::FailToArrest => self.arrest(id, act),
            Act::Rule => self.rule(id, act),
            Act::FreeFromArrest => {
                let by = self.here(id, "detention");
                let paper = self.paper(id, "detention_release", &by);
                if self.send(id, act, paper) {
                    self.lives[id].arrested = false;
                    self.go_on(id);
                }
            }
            Act::ConvictAnew => {
                let (by, police, today) =
                    (self.here(id, "court"), self.here(id, "police"), self.today());
                let number = self.new_number(id);
                let paper = self.paper(id, "new_crime_revocation_notice", &by).then_with(&police);
                let paper = paper
                    .with(|paper| paper.text("case_number", &number).date("decision_date", today));
                if self.send(id, act, paper) {
                    self.later(id, Act::Deliver, &police, 12, 24 * 5);
                }
            }
            Act::Pursue | Act::Capture => self.pursue(id, act),
            Act::Deliver => self.deliver(id, act),
            Act::RefuseAdmission => {
                let (by, police) = (self.receiver(id), self.here(id, "police"));
                let paper = self.reply(id, "admission_refusal", &by, "delivery_to_custody");
                if self.send(id, act, paper.then_with(&police)) {
                    self.later(id, Act::Deliver, &police, 24, 24 * 5);
                }
            }
            Act::Admit => {
                let by = self.receiver(id);
                self.admit(id, act, &by, "delivery_to_custody");
            }
            Act::Collect => {
                let by = self.prison(id);
                self.admit(id, act, &by, "recommitment_decision");
            }
            Act::ProposeRecommitment => self.propose_recommitment(id, act),
            Act::DecideRecommitment => self.decide_recommitment(id, act),
            _ => return false,
        }
        true
    }

    fn proposer(&self, id: usize) -> AgencyCode {
        self.agencies.heir(self.lives[id].proposer.as_ref().unwrap())
    }

    fn receiver(&self, id: usize) -> AgencyCode {
        self.lives[id].receiver.clone().unwrap()
    }

    /// Nothing came of it: the person goes on as before.
    fn go_on(&mut self, id: usize) {
        if self.lives[id].registered {
            self.settle_down(id);
        } else {
            let corrections = self.here(id, "corrections");
            self.later(id, Act::Register, &corrections, 24, 24 * 10);
        }
    }

    /// The number of a new decision in an old case.
    pub(super) fn new_number(&self, id: usize) -> String {
        let life = &self.lives[id];
        format!("{}之{}", life.number, life.log.len())
    }

    fn propose(&mut self, id: usize, act: Act) {
        if self.dice.chance(60) && !self.lives[id].missing {
            let court = self.here(id, "court");
            return self.later(id, Act::ConvictAnew, &court, 24, 24 * 20);
        }
        let court = self.court(id);
        let of_city = Agencies::is_of_city(&court);
        let place = self.lives[id].place.clone();
        let by = if of_city {
            self.agencies.over(&place, "corrections")
        } else {
            self.here(id, "corrections")
        };
        let paper = self.paper(id, "revocation_proposal", &by);
        let number = self.new_number(id);
        let paper = paper.with(|paper| paper.choosing(&court).text("case_number", &number));
        if self.send(id, act, paper) {
            self.lives[id].proposer = Some(by.clone());
            match self.dice.between(1, 100) {
                1..=45 => self.later(id, Act::RequestArrest, &by, 1, 48),
                46..=55 => self.later(id, Act::WithdrawProposal, &by, 24, 24 * 8),
                _ => self.later(id, Act::Rule, &court, 24 * 10, 24 * 28),
            }
        }
    }

    fn decide_arrest(&mut self, id: usize, act: Act) {
        let (court, police) = (self.court(id), self.here(id, "police"));
        let grants = self.dice.chance(750);
        let paper = self.reply(id, "arrest_decision", &court, "arrest_request");
        if !self.send(id, act, paper.outcome(if grants { "arrest" } else { "refused" })) {
            return;
        }
        if grants {
            let next = if self.dice.chance(800) { Act::Arrest } else { Act::FailToArrest };
            self.later(id, next, &police, 1, 40);
        } else {
            self.later(id, Act::Rule, &court, 24 * 5, 24 * 20);
        }
    }

    fn arrest(&mut self, id: usize, act: Act) {
        let (by, guard, now) = (self.here(id, "police"), self.here(id, "detention"), self.now());
        let kind = if act == Act::Arrest { "arrest_executed" } else { "arrest_not_executed" };
        let mut paper = self.reply(id, kind, &by, "arrest_decision");
        if act == Act::Arrest {
            paper = paper.with(|paper| paper.time("arrest_time", now).agency("guard", &guard));
        }
        if self.send(id, act, paper) {
            self.lives[id].arrested = act == Act::Arrest;
            self.lives[id].missing = act != Act::Arrest;
            let court = self.court(id);
            self.later(id, Act::Rule, &court, 24 * 5, 24 * 20);
        }
    }

    fn rule(&mut self, id: usize, act: Act) {
        let (court, police, today) = (self.court(id), self.here(id, "police"), self.today());
        let revokes = self.lives[id].missing || self.dice.chance(750);
        let number = self.new_number(id);
        let mut paper = self
            .reply(id, "revocation_ruling", &court, "revocation_proposal")
            .with(|paper| paper.text("case_number", &number).date("decision_date", today));
        paper = paper.outcome(if revokes { "revoked" } else { "refused" });
        if revokes {
            paper = paper.then_with(&police);
        }
        if !self.send(id, act, paper) {
            return;
        }
        let corrections = self.here(id, "corrections");
        let guard = self.here(id, "detention");
        let life = &self.lives[id];
        match (revokes, life.missing, life.arrested) {
            (true, true, _) => self.later(id, Act::Pursue, &corrections, 1, 24),
            (true, false, _) => self.later(id, Act::Deliver, &police, 12, 24 * 5),
            (false, _, true) => self.later(id, Act::FreeFromArrest, &guard, 1, 8),
            (false, _, false) => self.go_on(id),
        }
    }

    fn pursue(&mut self, id: usize, act: Act) {
        let (corrections, police, now) =
            (self.here(id, "corrections"), self.here(id, "police"), self.now());
        let temporary = self.lives[id].is_temporary();
        if act == Act::Pursue {
            let ruling = if temporary { "recommitment_decision" } else { "revocation_ruling" };
            let paper = self.reply(id, "pursuit_notice", &corrections, ruling).then_with(&police);
            if self.send(id, act, paper) {
                self.later(id, Act::Capture, &police, 24, 24 * 60);
            }
            return;
        }
        let holder = if temporary { self.prison(id) } else { police.clone() };
        let paper = self.reply(id, "capture_notice", &police, "pursuit_notice").then_with(&holder);
        if self.send(id, act, paper.with(|paper| paper.time("captured_time", now))) {
            self.lives[id].missing = false;
            let next = if temporary { Act::Collect } else { Act::Deliver };
            self.later(id, next, &holder, 12, 24 * 4);
        }
    }

    fn deliver(&mut self, id: usize, act: Act) {
        let (by, now) = (self.here(id, "police"), self.now());
        let at = self.dice.one_of(&self.agencies.prisons).clone();
        let prison = self.agencies.at(&at, "prison");
        let anew = self.lives[id].sent.contains_key("new_crime_revocation_notice");
        let ruling = if anew { "new_crime_revocation_notice" } else { "revocation_ruling" };
        let paper = self.reply(id, "delivery_to_custody", &by, ruling).then_with(&by);
        let paper = paper.with(|paper| paper.choosing(&prison).time("delivery_time", now));
        if self.send(id, act, paper) {
            self.lives[id].receiver = Some(prison.clone());
            let next = if self.dice.chance(80) { Act::RefuseAdmission } else { Act::Admit };
            self.later(id, next, &prison, 1, 20);
        }
    }

    fn admit(&mut self, id: usize, act: Act, by: &AgencyCode, papers: &'static str) {
        let now = self.now();
        let paper = self.reply(id, "custody_receipt", by, papers).then(Standing::Ended);
        if self.send(id, act, paper.with(|paper| paper.time("admitted_time", now))) {
            self.lives[id].over = true;
        }
    }

    fn propose_recommitment(&mut self, id: usize, act: Act) {
        let (by, decider) = (self.here(id, "corrections"), self.decider(id));
        let number = self.new_number(id);
        let paper = self.paper(id, "recommitment_proposal", &by);
        let paper = paper.with(|paper| paper.choosing(&decider).text("case_number", &number));
        if self.send(id, act, paper) {
            self.later(id, Act::DecideRecommitment, &decider, 24 * 5, 24 * 28);
        }
    }

    fn decide_recommitment(&mut self, id: usize, act: Act) {
        let (by, prison, today) = (self.decider(id), self.prison(id), self.today());
        let corrections = self.here(id, "corrections");
        let (missing, number) = (self.lives[id].missing, self.new_number(id));
        let recommits = missing || self.dice.chance(700);
        let mut paper = self
            .reply(id, "recommitment_decision", &by, "recommitment_proposal")
            .with(|paper| paper.text("case_number", &number).date("decision_date", today));
        paper = paper.outcome(if recommits { "recommit" } else { "refused" });
        if recommits {
            let holder = if missing { self.here(id, "police") } else { prison.clone() };
            paper = paper.then_with(&holder);
        }
        if !self.send(id, act, paper) {
            return;
        }
        match (recommits, missing) {
            (true, true) => self.later(id, Act::Pursue, &corrections, 1, 24),
            (true, false) => self.later(id, Act::Collect, &prison, 12, 24 * 4),
            (false, _) => self.go_on(id),
        }
    }
}
