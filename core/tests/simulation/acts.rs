//! What agencies do for a person: one paper each, and what follows from it. A life is a chain of
//! these, drawn as it goes on.

use xianjie_core::domain::agency::Purpose;
use xianjie_core::domain::decide::{Decision, DocumentInput, Input};
use xianjie_core::domain::document::Category;
use xianjie_core::domain::record::Kind;
use xianjie_core::domain::rulebook::Answers;
use xianjie_core::domain::term::format_shanghai;
use xianjie_core::ids::{AgencyCode, CaseRef, Digest, LedgerIndex, Time};
use xianjie_core::refusal::Reason;

use crate::agencies::{certificate, place};
use crate::errors::{Mishap, Slip};
use crate::hub::law;
use crate::model::{Fault, Standing, ensure};
use crate::papers::{Paper, document_type};
use crate::routes::Route;
use crate::simulation::{DAY, Event, HOUR, Simulation};

mod ending;
mod entry;
mod moving;
mod revocation;
mod supervision;

/// One thing that an agency does for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[rustfmt::skip]
pub(crate) enum Act {
    // Before and at the beginning.
    Commission, ReceiveCommission, Extend, Assess, Notice, Verdict, ReplaceVerdict, WithdrawVerdict,
    ServeOnPaper, Free, Opinion, Decide, WithdrawDecision, HandOver, RefusePerson, Receipt, Forward, Register,
    // Under supervision.
    Supervise, Warn, Monitor, EndMonitoring, Punish, Punished, NoShow, LoseContact, Find, Detain,
    EndDetention, Correct, AskReview, Review, ReplyToCorrection,
    // To another place.
    Consult, Consulted, ChangePlace, MoveFile, ReceiptOfFile, ForwardFile, Arrive, StayAway,
    RefuseFile, WithdrawMove,
    // Back into custody.
    Propose, WithdrawProposal, RequestArrest, DecideArrest, Arrest, FailToArrest, Rule,
    FreeFromArrest, ConvictAnew, Pursue, Capture, Deliver, RefuseAdmission, Admit,
    ProposeRecommitment, DecideRecommitment, Collect,
    // To the end.
    DraftCommutation, ProposeCommutation, Commute, NotifyExpiry, Release, EndTerm, Die,
}

impl Act {
    /// How a sentence begins.
    pub(crate) fn first(category: Category, assessed: bool) -> Self {
        match category {
            Category::TemporaryRelease => Self::Opinion,
            _ if assessed => Self::Commission,
            _ => Self::Notice,
        }
    }
}

/// A paper about to be sent.
struct Errand {
    kind: &'static str,
    paper: Paper,
    answers: Option<&'static str>,
    outcome: Option<&'static str>,
    standing: Option<Standing>,
}

impl Errand {
    fn with(mut self, fill: impl FnOnce(Paper) -> Paper) -> Self {
        self.paper = fill(self.paper);
        self
    }

    fn outcome(mut self, outcome: &'static str) -> Self {
        self.outcome = Some(outcome);
        self.with(|paper| paper.word("outcome", outcome))
    }

    /// The person stands so as soon as it is taken.
    fn then_with(mut self, agency: &AgencyCode) -> Self {
        self.standing = Some(Standing::With(agency.clone()));
        self
    }

    fn then(mut self, standing: Standing) -> Self {
        self.standing = Some(standing);
        self
    }
}

impl Simulation {
    /// An agency does something, if it still makes sense.
    pub(crate) fn act(&mut self, id: usize, act: Act) {
        let aside = matches!(
            act,
            Act::Receipt | Act::Forward | Act::ReceiptOfFile | Act::ForwardFile | Act::EndTerm
        );
        if self.lives[id].over && !aside {
            return;
        }
        let rooms = [Self::enter, Self::supervise, Self::move_on, Self::take_back, Self::end];
        let done = rooms.iter().any(|room| room(self, id, act));
        assert!(done, "{act:?} stands in no file");
    }

    /// Has an agency do something in so many hours, or later, or never: as its temper is.
    fn later(&mut self, id: usize, act: Act, by: &AgencyCode, low: i64, high: i64) {
        let by = self.agencies.heir(by);
        let more = match self.agencies.tempers[&by].slip(&mut self.dice) {
            Slip::None => 0,
            Slip::Late => self.dice.between(2 * 24, 10 * 24),
            Slip::Forgotten => self.dice.between(15 * 24, 60 * 24),
            Slip::Never => {
                self.lives[id].log.push(format!("{act:?} is forgotten by {by}"));
                return;
            }
        };
        let wait = self.dice.between(low * HOUR, high * HOUR);
        let time = Time(self.now().0 + wait + more * HOUR);
        self.at(time, Event::Act(id, act));
    }

    fn in_days(&mut self, id: usize, act: Act, low: i64, high: i64) {
        let time = Time(self.now().0 + self.dice.between(low * DAY, high * DAY));
        self.at(time, Event::Act(id, act));
    }

    fn here(&self, id: usize, end: &str) -> AgencyCode {
        self.agencies.at(&self.lives[id].place, end)
    }

    fn there(&self, id: usize, end: &str) -> AgencyCode {
        self.agencies.at(self.lives[id].new_place.as_ref().unwrap(), end)
    }

    fn decider(&self, id: usize) -> AgencyCode {
        self.agencies.heir(&self.lives[id].decided_by)
    }

    fn court(&self, id: usize) -> AgencyCode {
        self.agencies.heir(&self.lives[id].court)
    }

    fn prison(&self, id: usize) -> AgencyCode {
        self.lives[id].prison.clone().unwrap()
    }

    /// A paper of this type about that person.
    fn paper(&mut self, id: usize, kind: &'static str, by: &AgencyCode) -> Errand {
        let life = &self.lives[id];
        let (subject, at, opens) = (life.subject(), life.place.clone(), life.case.is_none());
        let mut paper = Paper::new(&mut self.dice, by, kind).about(subject);
        if opens || self.dice.chance(200) {
            paper = paper.at(&at);
        }
        Errand { kind, paper, answers: None, outcome: None, standing: None }
    }

    /// The same, as an answer to the newest paper of a type.
    fn reply(
        &mut self,
        id: usize,
        kind: &'static str,
        by: &AgencyCode,
        to: &'static str,
    ) -> Errand {
        let answered = self.lives[id].sent[to].clone();
        let errand = self.paper(id, kind, by).with(|paper| paper.answering(&answered));
        Errand { answers: Some(to), ..errand }
    }

    /// Sends it, with the mishaps that its sender is prone to. Whether it was taken; one whose sender
    /// is suspended is sent another day.
    fn send(&mut self, id: usize, act: Act, errand: Errand) -> bool {
        let by = errand.paper.0.sender.clone();
        if self.agencies.suspended.contains(&by) {
            if self.dice.chance(300) {
                self.must_refuse(&errand.paper, Reason::UnknownSender);
            }
            let tomorrow = Time(self.now().0 + DAY);
            self.at(tomorrow, Event::Act(id, act));
            return false;
        }
        let mishap = self.agencies.tempers[&by].mishap(&mut self.dice);
        self.stumble(id, &errand, mishap);
        let input = self.input(errand.paper.clone());
        let index = LedgerIndex(self.hub.records.len() as u64);
        let Some(case) = self.submit(id, &errand, &input) else { return false };
        match mishap {
            Mishap::Repeated => {
                let again = Event::Again(Box::new(input), index);
                let later = Time(self.now().0 + self.dice.between(0, 20 * DAY));
                self.at(self.now(), again.clone());
                self.at(later, again);
            }
            Mishap::Reused => {
                let mut other = errand.paper.clone();
                other.0.digest = Digest(self.dice.bytes());
                self.must_refuse(&other, Reason::DocumentIdReused);
            }
            _ => {}
        }
        let life = &mut self.lives[id];
        life.sent.insert(errand.kind, errand.paper.reference());
        if life.case.is_none() {
            life.case = case;
        }
        if let Some(case) = case {
            if let Some(standing) = errand.standing {
                self.model.custody.stands(case, standing);
            }
            self.knows(case, id);
        }
        true
    }

    /// Submits it: the case that it belongs to, if it was taken.
    fn submit(&mut self, id: usize, errand: &Errand, input: &Input) -> Option<Option<CaseRef>> {
        let document = &errand.paper.0;
        let asker = document.in_reply_to.as_ref().map(|to| self.agencies.heir(&to.sender));
        let route = Route {
            agencies: &self.agencies,
            life: &self.lives[id],
            sender: &document.sender,
            answers: errand.answers.zip(asker.as_ref()),
            chosen: &document.chosen,
            outcome: errand.outcome,
            today: self.today(),
        };
        let to = route.addressees(errand.kind);
        let decision = self.decide(input, &to);
        let now = format_shanghai(self.now().0);
        let (what, case) = match &decision {
            Ok(Decision::Record(decided)) => match &decided.record.kind {
                Kind::Document(taken) => ("taken".to_owned(), Some(taken.case)),
                other => panic!("a document became {other:?}"),
            },
            Ok(Decision::Known(known)) => (format!("known as {known:?}"), None),
            Err(refusal) => (format!("refused: {refusal:?}"), None),
        };
        let life = &mut self.lives[id];
        life.log.push(format!("{now} {} of {}: {what}", errand.kind, errand.paper.0.sender));
        if case.is_none() {
            // Nobody erred, and still the law's own paper is not taken.
            let fault = Fault::new("taken", format!("{} {what}", errand.kind)).of(life.case);
            let spoilt = life.spoilt;
            life.over = true;
            self.must_hold(if spoilt { Ok(()) } else { Err(fault) });
            if let Err(refusal) = decision {
                self.counts.one("refused", refusal.reason().name());
                self.refused.push((errand.paper.0.sender.clone(), refusal));
            }
        }
        case
    }

    /// Something goes wrong before the paper itself is sent.
    fn stumble(&mut self, id: usize, errand: &Errand, mishap: Mishap) {
        let paper = &errand.paper;
        let law = law().on(self.today());
        let answers =
            law.table(&paper.0.kind).is_some_and(|table| table.answers != Answers::Nothing);
        let mut wrong = paper.clone();
        wrong.0.digest = Digest(self.dice.bytes());
        match mishap {
            Mishap::WrongType => {
                let corrections = paper.0.sender.as_str().ends_with("corrections");
                let kind = if corrections { "revocation_ruling" } else { "discipline_record" };
                wrong.0.kind = document_type(kind);
                self.must_refuse(&wrong, Reason::WrongRole);
            }
            Mishap::NoReference if answers => {
                wrong.0.in_reply_to = None;
                self.must_refuse(&wrong, Reason::ReplyToNothing);
            }
            Mishap::WrongPlace if self.lives[id].case.is_none() => {
                // Beijing: nobody of this province serves it.
                let by_place =
                    ["decision_notice", "verdict_handover", "temporary_release_decision"];
                if by_place.contains(&errand.kind) {
                    wrong.0.execution_place = Some(place("110101"));
                    self.must_refuse(&wrong, Reason::NoAgency);
                }
            }
            _ => {}
        }
    }

    /// The hub must refuse this for that reason, and remember nothing of it.
    fn must_refuse(&mut self, paper: &Paper, reason: Reason) {
        let input = self.input(paper.clone());
        let kind = paper.0.kind.as_str();
        match self.hub.decide(&input) {
            Err(refusal) => {
                let all: Vec<_> = refusal.violations.iter().map(|it| it.reason).collect();
                let fault = || format!("{kind} is refused for {all:?}, not {reason:?}");
                self.must_hold(ensure(all.contains(&reason), "refused", fault));
                self.counts.one("refused", reason.name());
                self.refused.push((paper.0.sender.clone(), refusal));
            }
            Ok(_) => {
                let fault =
                    Fault::new("refused", format!("{kind} is taken in spite of {reason:?}"));
                self.must_hold(Err(fault));
            }
        }
    }

    fn input(&mut self, paper: Paper) -> Input {
        let signer = certificate(Purpose::Document(paper.0.sender.clone())).digest;
        Input::Document(Box::new(DocumentInput {
            document: paper.completed(self.now()).0,
            signers: vec![signer],
            fresh_case: CaseRef(self.dice.bytes()),
            salt: [0; 32],
            notice: None,
        }))
    }
}
