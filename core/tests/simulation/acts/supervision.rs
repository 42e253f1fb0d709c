//! Supervision: what happens to a person in correction, day in, day out.

use jiff::ToSpan;

use super::{Act, Simulation};
use crate::simulation::{DAY, Event};
use xianjie_core::ids::Time;

impl Simulation {
    /// The acts of this file; whether it was one.
    pub(super) fn supervise(&mut self, id: usize, act: Act) -> bool {
        let (corrections, police) = (self.here(id, "corrections"), self.here(id, "police"));
        match act {
            Act::Supervise => self.next_incident(id),
            Act::Warn => {
                let paper = self.paper(id, "discipline_record", &corrections);
                if self.send(id, act, paper.with(|paper| paper.word("discipline_kind", "warning")))
                {
                    self.settle_down(id);
                }
            }
            Act::Monitor => {
                let now = self.now();
                let paper = self.paper(id, "monitoring_record", &corrections);
                if self.send(id, act, paper.with(|paper| paper.time("measure_time", now))) {
                    self.later(id, Act::EndMonitoring, &corrections, 24 * 40, 24 * 100);
                }
            }
            Act::EndMonitoring => {
                let paper = self.paper(id, "monitoring_lifted", &corrections);
                if self.send(id, act, paper) {
                    self.settle_down(id);
                }
            }
            Act::Punish => {
                let paper = self.paper(id, "penalty_proposal", &corrections);
                let paper = paper.with(|paper| paper.word("ground", "public order"));
                if self.send(id, act, paper) {
                    self.later(id, Act::Punished, &police, 24, 24 * 6);
                }
            }
            Act::Punished => {
                let paper = self.reply(id, "penalty_result", &police, "penalty_proposal");
                if self.send(id, act, paper.outcome("approved")) {
                    self.settle_down(id);
                }
            }
            Act::NoShow => {
                let paper = self.paper(id, "no_show_notice", &corrections);
                if self.send(id, act, paper) {
                    self.later(id, Act::Register, &corrections, 24, 24 * 20);
                }
            }
            Act::LoseContact => self.lose_contact(id, act),
            Act::Find => self.find(id, act),
            Act::Detain => self.detain(id, act),
            Act::EndDetention => {
                let paper =
                    self.reply(id, "measure_ended_notice", &police, "coercive_measure_notice");
                if self.send(id, act, paper) {
                    self.settle_down(id);
                }
            }
            Act::Correct | Act::AskReview | Act::Review | Act::ReplyToCorrection => {
                self.correct(id, act);
            }
            _ => return false,
        }
        true
    }

    /// Nothing is under way any more: something new happens after a while.
    pub(super) fn settle_down(&mut self, id: usize) {
        self.lives[id].busy = false;
        self.in_days(id, Act::Supervise, 15, 60);
    }

    fn next_incident(&mut self, id: usize) {
        let life = &self.lives[id];
        let near_end = life.expiry < self.today().saturating_add(45.days());
        if life.busy || near_end {
            return;
        }
        let back = match () {
            () if life.is_revocable() => Act::Propose,
            () if life.is_temporary() => Act::ProposeRecommitment,
            () => Act::Warn,
        };
        let act = self.dice.by_share(&[
            (22, Act::Warn),
            (5, Act::Monitor),
            (5, Act::Punish),
            (12, Act::LoseContact),
            (8, Act::Detain),
            (6, Act::Correct),
            (22, Act::Consult),
            (14, back),
            (3, Act::DraftCommutation),
            (3, Act::Die),
        ]);
        self.lives[id].busy = true;
        let corrections = self.here(id, "corrections");
        self.later(id, act, &corrections, 0, 20);
    }

    fn lose_contact(&mut self, id: usize, act: Act) {
        let (corrections, police) = (self.here(id, "corrections"), self.here(id, "police"));
        let paper = self.paper(id, "lost_contact_notice", &corrections);
        if !self.send(id, act, paper) {
            return;
        }
        self.lives[id].missing = true;
        let life = &self.lives[id];
        let gone = self.dice.chance(300);
        match () {
            () if gone && life.is_revocable() => {
                self.later(id, Act::Propose, &corrections, 24 * 20, 24 * 35);
            }
            () if gone && life.is_temporary() => {
                self.later(id, Act::ProposeRecommitment, &corrections, 24 * 20, 24 * 35);
            }
            () => self.later(id, Act::Find, &police, 24, 24 * 30),
        }
    }

    fn find(&mut self, id: usize, act: Act) {
        let corrections = self.here(id, "corrections");
        let by = if self.dice.chance(500) { self.here(id, "police") } else { corrections.clone() };
        let now = self.now();
        let paper = self.paper(id, "found_notice", &by);
        if self.send(id, act, paper.with(|paper| paper.time("found_time", now))) {
            self.lives[id].missing = false;
            let life = &self.lives[id];
            match () {
                () if life.moving => {
                    let there = self.there(id, "corrections");
                    self.later(id, Act::Arrive, &there, 12, 24 * 4);
                }
                () if life.registered => self.settle_down(id),
                () => self.later(id, Act::Register, &corrections, 12, 24 * 3),
            }
        }
    }

    fn detain(&mut self, id: usize, act: Act) {
        let (police, guard) = (self.here(id, "police"), self.here(id, "detention"));
        let since = Time(self.now().0 - self.dice.between(0, 2 * DAY));
        let until = self.today().saturating_add(30.days());
        let (ground, measure) = *self.dice.one_of(&[
            ("new crime", "criminal detention"),
            ("administrative", "administrative detention"),
        ]);
        let paper = self.paper(id, "coercive_measure_notice", &police).with(|paper| {
            paper
                .time("measure_time", since)
                .word("ground", ground)
                .word("measure", measure)
                .date("stated_date", until)
                .agency("guard", &guard)
        });
        if self.send(id, act, paper) {
            self.lives[id].missing = false;
            self.later(id, Act::EndDetention, &police, 24 * 10, 24 * 36);
        }
    }

    /// The procuratorate corrects the agency; the agency may ask for a review first.
    fn correct(&mut self, id: usize, act: Act) {
        let corrections = self.here(id, "corrections");
        // Whoever began it goes on with it, whatever has been merged meanwhile.
        let began = self.lives[id].sent.get("written_correction").filter(|_| act != Act::Correct);
        let procuratorate = match began {
            Some(paper) => self.agencies.heir(&paper.sender),
            None => self.agencies.supervisor(&corrections),
        };
        match act {
            Act::Correct => {
                let until = self.today().saturating_add(15.days());
                let paper = self
                    .paper(id, "written_correction", &procuratorate)
                    .with(|paper| paper.choosing(&corrections).date("stated_date", until));
                if self.send(id, act, paper) {
                    let review = self.dice.chance(500);
                    let next = if review { Act::AskReview } else { Act::ReplyToCorrection };
                    self.later(id, next, &corrections, 24, 24 * 9);
                }
            }
            Act::AskReview => {
                let paper = self.reply(id, "review_request", &corrections, "written_correction");
                if self.send(id, act, paper) {
                    self.later(id, Act::Review, &procuratorate, 24, 24 * 6);
                }
            }
            Act::Review => {
                let outcome = *self.dice.one_of(&["upheld", "set aside"]);
                let paper =
                    self.reply(id, "review_of_correction", &procuratorate, "review_request");
                if self.send(id, act, paper.outcome(outcome)) {
                    self.later(id, Act::ReplyToCorrection, &corrections, 24, 24 * 6);
                }
            }
            _ => {
                let paper = self.reply(id, "correction_reply", &corrections, "written_correction");
                if self.send(id, act, paper.outcome("approved")) {
                    self.settle_down(id);
                }
            }
        }
    }

    /// What will come for certain: the end of the term.
    pub(super) fn look_ahead(&mut self, id: usize) {
        let expiry = self.lives[id].expiry;
        let days = i64::from(self.today().until(expiry).unwrap().get_days().max(0));
        let at = Time(self.now().0 + days * DAY);
        self.at(at, Event::Act(id, Act::Release));
        if self.lives[id].is_temporary() && days > 30 {
            let at = Time(self.now().0 + (days - self.dice.between(3, 25)) * DAY);
            self.at(at, Event::Act(id, Act::NotifyExpiry));
        }
    }
}
