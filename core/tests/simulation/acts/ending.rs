//! To the end: a shorter term, the notice before it ends, release (解除矫正), death.

use jiff::ToSpan;

use super::{Act, Simulation};
use crate::model::Standing;

impl Simulation {
    /// The acts of this file; whether it was one.
    pub(super) fn end(&mut self, id: usize, act: Act) -> bool {
        match act {
            Act::DraftCommutation => {
                let by = self.here(id, "corrections");
                let above = self.agencies.above(&by, "corrections");
                let paper = self.paper(id, "commutation_draft", &by);
                if self.send(id, act, paper) {
                    self.later(id, Act::ProposeCommutation, &above, 24, 24 * 10);
                }
            }
            Act::ProposeCommutation => {
                let corrections = self.here(id, "corrections");
                let by = self.agencies.above(&corrections, "corrections");
                let paper = self.reply(id, "commutation_proposal", &by, "commutation_draft");
                if self.send(id, act, paper) {
                    let court = self.agencies.over(&self.lives[id].place, "court");
                    self.later(id, Act::Commute, &court, 24 * 10, 24 * 28);
                }
            }
            Act::Commute => self.commute(id, act),
            Act::NotifyExpiry => {
                let (by, expiry) = (self.here(id, "corrections"), self.lives[id].expiry);
                let paper = self.paper(id, "expiry_notice", &by);
                self.send(id, act, paper.with(|paper| paper.date("term_expiry_date", expiry)));
            }
            Act::Release => self.release(id, act),
            Act::EndTerm => {
                let by = self.prison(id);
                let paper = self.paper(id, "full_term_release", &by);
                self.send(id, act, paper);
            }
            Act::Die => {
                let (by, today) = (self.here(id, "corrections"), self.today());
                let paper = self.paper(id, "death_notice", &by).then(Standing::Ended);
                if self.send(id, act, paper.with(|paper| paper.date("discovery_date", today))) {
                    self.lives[id].over = true;
                }
            }
            _ => return false,
        }
        true
    }

    fn commute(&mut self, id: usize, act: Act) {
        let (today, expiry) = (self.today(), self.lives[id].expiry);
        let by = self.agencies.over(&self.lives[id].place, "court");
        let sooner = expiry.saturating_sub(20.days()).max(today.saturating_add(10.days()));
        let number = self.new_number(id);
        let paper =
            self.reply(id, "commutation_ruling", &by, "commutation_proposal").with(|paper| {
                paper
                    .text("case_number", &number)
                    .date("decision_date", today)
                    .date("term_expiry_date", sooner)
            });
        if self.send(id, act, paper.outcome("granted")) {
            self.lives[id].expiry = sooner;
            self.look_ahead(id);
            self.settle_down(id);
        }
    }

    fn release(&mut self, id: usize, act: Act) {
        let (by, today) = (self.here(id, "corrections"), self.today());
        let life = &self.lives[id];
        if today < life.expiry {
            return;
        }
        if life.busy {
            // What is under way comes first.
            return self.in_days(id, act, 2, 6);
        }
        let temporary = life.is_temporary();
        let paper = self.paper(id, "release_notice", &by).then(Standing::Ended);
        if self.send(id, act, paper.with(|paper| paper.date("release_date", today))) {
            self.lives[id].over = true;
            if temporary {
                let prison = self.prison(id);
                self.later(id, Act::EndTerm, &prison, 1, 48);
            }
        }
    }
}
