//! What a record does, as lines: a word, what it concerns, and in square brackets the articles behind it.
//!
//! | line | meaning |
//! |---|---|
//! | `to 荔湾矫正 […]`, `copy 荔湾公安 […]` | delivered (主送、抄送); `in lieu` of one that does not exist |
//! | `along 荔湾公安: 执行通知书` | the kinds of attachment that go along, where not all do (附送) |
//! | `opens 送达回执: 荔湾矫正, 5 days from receipt […]` | a duty: who owes it, its last day |
//! | `starts 送达回执: 荔湾矫正, 2026-11-09` | the limit now runs |
//! | `meets`, `late`, `cancels`, `ends`, `reopens` | how a duty ends, or that it is open again |
//! | `changes 解除矫正: 越秀矫正, 2026-12-31, passed on` | another owner or limit |
//! | `custody awaiting: 荔湾法院`, `body missing` | who answers; where the person is |
//! | `sets …` | what becomes so in the case |
//! | `flag EXPECTED_BEFORE […]` | taken, and shown to the procuratorate |
//! | `missed`, `handover missed`, `lapsed`, `forewarned`, `reminded` | what time does to a duty |
//! | `tells 荔湾检察院 missed` | a notice that the hub owes |
//! | `refused FORBIDDEN at field: help […]` | not taken |

use xianjie_core::domain::duty::{Duty, Force, Outcome, Owner};
use xianjie_core::domain::explain::flag_phrase;
use xianjie_core::domain::record::{
    CaseSet, Clock, DutyChange, DutyStep, Effect, Kind, Notice, Record, RuledEffect, Settled,
};
use xianjie_core::domain::term::{format_shanghai, shanghai_date, shanghai_midnight_ms};
use xianjie_core::ids::{AgencyCode, Time};
use xianjie_core::refusal::{Reason, Refusal};

use crate::agencies::World;
use crate::hub::Hub;

/// Words of which an outcome may have no line that the scenario does not expect.
pub(crate) const STRICT: [&str; 8] =
    ["to", "copy", "flag", "late", "refused", "missed", "handover", "lapsed"];

/// One line of an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// What happens.
    pub(crate) text: String,
    /// The articles behind it.
    pub(crate) articles: Vec<String>,
}

impl Line {
    fn new(text: String, articles: &[String]) -> Self {
        Self { text, articles: articles.to_vec() }
    }

    /// The line as a scenario writes it.
    pub(crate) fn parse(written: &str) -> Self {
        let Some((text, articles)) = written.strip_suffix(']').and_then(|w| w.rsplit_once(" ["))
        else {
            return Self { text: written.to_owned(), articles: Vec::new() };
        };
        Self { text: text.to_owned(), articles: articles.split("、").map(str::to_owned).collect() }
    }

    /// Whether this is what `expected` says, with these articles among others.
    pub(crate) fn is(&self, expected: &Self) -> bool {
        self.text == expected.text && expected.articles.iter().all(|a| self.articles.contains(a))
    }

    /// Whether no line of this word may be left unsaid.
    pub(crate) fn is_strict(&self) -> bool {
        self.text.split(' ').next().is_some_and(|word| STRICT.contains(&word))
    }

    /// The line as people read it.
    pub(crate) fn render(&self) -> String {
        match &self.articles[..] {
            [] => self.text.clone(),
            articles => format!("{} [{}]", self.text, articles.join("、")),
        }
    }
}

/// What a record that was applied does.
pub(crate) fn of_record(world: &World, hub: &Hub<'_>, record: &Record) -> Vec<Line> {
    let reader = Reader { world, hub };
    let step = match &record.kind {
        Kind::Clock(Clock::Duty { duty, step, .. }) => {
            let duty = hub.duty(*duty);
            let text = format!("{} {}: {}", step_word(*step), duty.name, reader.owner(&duty.owner));
            Some(Line::new(text, &duty.articles))
        }
        _ => None,
    };
    let in_step = step.is_some();
    step.into_iter()
        .chain(record.effects.iter().flat_map(|ruled| reader.lines(ruled, in_step)))
        .collect()
}

/// Why a document was not taken.
pub(crate) fn of_refusal(world: &World, refusal: &Refusal) -> Vec<Line> {
    let named = |help: &str| {
        let words = help.split_inclusive([' ', ',']).map(|piece| {
            let word = piece.trim_end_matches([' ', ',']);
            let name = word.parse::<AgencyCode>().ok().map(|code| world.name(&code).to_owned());
            format!("{}{}", name.as_deref().unwrap_or(word), &piece[word.len()..])
        });
        words.collect::<String>()
    };
    let lines = refusal.violations.iter().map(|violation| {
        let mut text = format!("refused {}", violation.reason.name());
        if !violation.field.is_empty() {
            text.push_str(&format!(" at {}", violation.field));
        }
        // A rule's own words, and where it stands in its book, say no more than the word for it does.
        let help = match violation.reason {
            Reason::Forbidden => violation.help.split([' ', ':']).next().unwrap_or_default(),
            Reason::NotEntitled => "",
            _ => &violation.help,
        };
        if !help.is_empty() {
            text.push_str(&format!(": {}", named(help)));
        }
        Line::new(text, &violation.articles)
    });
    lines.collect()
}

/// A limit as people read it: its last day, the instant of one in hours, its words where it waits.
fn limit(duty: &Duty, not_before: Option<Time>, due: Option<Time>) -> String {
    if duty.waits_for.is_some() {
        return format!("{} from receipt", duty.limit);
    }
    if duty.force == Force::Soft {
        return duty.limit.clone();
    }
    let Some(due) = due else {
        let still = duty.suspended.is_some();
        return if still { "stands still" } else { "no date yet" }.to_owned();
    };
    let last = shanghai_date(due.0 - 1);
    let whole = shanghai_midnight_ms(last) + 24 * 3_600_000 == due.0;
    let end = if whole { last.to_string() } else { format_shanghai(due.0) };
    match not_before {
        Some(opens) => format!("{} to {end}", shanghai_date(opens.0)),
        None => end,
    }
}

fn step_word(step: DutyStep) -> &'static str {
    match step {
        DutyStep::Forewarned => "forewarned",
        DutyStep::Missed => "missed",
        DutyStep::HandoverMissed => "handover missed",
        DutyStep::Recomputed => "recomputed",
        DutyStep::Reminded => "reminded",
        DutyStep::Lapsed => "lapsed",
    }
}

fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Met => "meets",
        Outcome::MetLate => "late",
        Outcome::Cancelled => "cancels",
        Outcome::Replaced | Outcome::Withdrawn | Outcome::Lapsed => "ends",
    }
}

fn change_word(change: DutyChange) -> &'static str {
    match change {
        DutyChange::Forewarned => "forewarned",
        DutyChange::Passed => "passed",
        DutyChange::Recomputed => "recomputed",
        DutyChange::PassedOn => "passed on",
        DutyChange::Extended => "extended",
        DutyChange::Suspended => "suspended",
        DutyChange::Resumed => "resumed",
        DutyChange::Confined => "confined",
    }
}

fn notice_word(notice: Notice) -> &'static str {
    match notice {
        Notice::Contradiction => "contradiction",
        Notice::Rejected => "rejection",
        Notice::Forewarned => "forewarned",
        Notice::Missed => "missed",
        Notice::HandoverMissed => "handover missed",
        Notice::Reminded => "reminded",
        Notice::Unacknowledged => "unacknowledged",
    }
}

struct Reader<'r> {
    world: &'r World,
    hub: &'r Hub<'r>,
}

impl Reader<'_> {
    /// The lines of an effect; none for what no lawyer looks for.
    fn lines(&self, ruled: &RuledEffect, in_step: bool) -> Vec<Line> {
        let one = |text: String| vec![Line::new(text, &ruled.articles)];
        let bare = |text: String| vec![Line::new(text, &[])];
        let name = |code| self.world.name(code);
        match &ruled.effect {
            Effect::DeliveryOpened { agency, copy, in_lieu, carries, .. } => {
                let word = if *copy { "copy" } else { "to" };
                let lieu = if *in_lieu { " in lieu" } else { "" };
                let mut lines = one(format!("{word} {}{lieu}", name(agency)));
                if !carries.is_empty() {
                    let kinds: Vec<_> = carries.iter().map(String::as_str).collect();
                    lines.extend(bare(format!("along {}: {}", name(agency), kinds.join(", "))));
                }
                lines
            }
            Effect::DutyOpened(duty) => self.opened(duty),
            Effect::DutyStarted { duty, timing, .. } => {
                let duty = self.hub.duty(*duty);
                let limit = limit(duty, timing.not_before, timing.due);
                bare(format!("starts {}: {}, {limit}", duty.name, self.owner(&duty.owner)))
            }
            // The step itself says so already.
            Effect::DutyChanged { .. } | Effect::DutyClosed { .. } if in_step => Vec::new(),
            Effect::DutyChanged { duty, change, owner, timing } => {
                let duty = self.hub.duty(*duty);
                let limit = limit(duty, timing.not_before, timing.due);
                let what = format!("{}: {}, {limit}", duty.name, self.owner(owner));
                bare(format!("changes {what}, {}", change_word(*change)))
            }
            Effect::DutyClosed { duty, outcome } => {
                let duty = self.hub.duty(*duty);
                let owner = self.owner(&duty.owner);
                let text = format!("{} {}: {owner}", outcome_word(*outcome), duty.name);
                vec![Line::new(text, &duty.articles)]
            }
            Effect::DutyReopened { duty } => {
                let duty = self.hub.duty(*duty);
                bare(format!("reopens {}: {}", duty.name, self.owner(&duty.owner)))
            }
            Effect::Custody { case, .. } => {
                let after = &self.hub.case(*case).custody;
                let answers = after.answers.as_ref().map_or("nobody", name);
                let mut lines = one(format!("custody {}: {answers}", after.state.word()));
                let guard = after.guard.as_ref().map(|guard| format!("held by {}", name(guard)));
                let flags = [
                    after.missing.then(|| "missing".to_owned()),
                    after.arrested.then(|| "arrested".to_owned()),
                    after.proposal.then(|| "proposal open".to_owned()),
                    guard,
                ];
                lines.extend(
                    flags.into_iter().flatten().map(|f| Line::new(format!("body {f}"), &[])),
                );
                lines
            }
            Effect::Contradiction { what, .. } => {
                assert!(flag_phrase(what).is_some(), "{what} has no words for people");
                one(format!("flag {what}"))
            }
            Effect::NoticeOwed { notice, to } => to
                .iter()
                .map(|to| Line::new(format!("tells {} {}", name(to), notice_word(*notice)), &[]))
                .collect(),
            Effect::CaseSet { set, .. } => {
                self.set(set).map(|set| Line::new(format!("sets {set}"), &[])).into_iter().collect()
            }
            Effect::DeliverySettled { agency, how, .. } => one(match how {
                Settled::Acknowledged => format!("received {}", name(agency)),
                Settled::Rejected => format!("rejected {}", name(agency)),
                Settled::ServedOtherwise(day) => format!("served {} on paper {day}", name(agency)),
            }),
            _ => Vec::new(),
        }
    }

    fn opened(&self, duty: &Duty) -> Vec<Line> {
        let owner = self.owner(&duty.owner);
        let limit = limit(duty, duty.not_before, duty.due);
        let text = format!("opens {}: {owner}, {limit}", duty.name);
        let mut lines = vec![Line::new(text, &duty.articles)];
        // A duty measured backwards ends as it opens.
        if let xianjie_core::domain::duty::DutyState::Closed { outcome, .. } = &duty.state {
            let text = format!("{} {}: {owner}", outcome_word(*outcome), duty.name);
            lines.push(Line::new(text, &duty.articles));
        }
        lines
    }

    fn owner(&self, owner: &Owner) -> String {
        match owner {
            Owner::Agency(agency) => self.world.name(agency).to_owned(),
            Owner::Person { watched_by } => format!("本人/{}", self.world.name(watched_by)),
        }
    }

    fn set(&self, set: &CaseSet) -> Option<String> {
        let name = |agency: &Option<AgencyCode>| {
            agency.as_ref().map_or("nobody", |agency| self.world.name(agency)).to_owned()
        };
        match set {
            CaseSet::Role(role, agency) => Some(format!("{}: {}", role.word(), name(agency))),
            CaseSet::Category(category) => Some(format!("category: {}", category.word())),
            CaseSet::Place(place) => Some(format!("place: {place}")),
            CaseSet::PendingPlace(Some(place)) => Some(format!("pending place: {place}")),
            CaseSet::PendingPlace(None) => Some("pending place: none".to_owned()),
            CaseSet::TermExpiry(date) => Some(format!("term expiry: {date}")),
            CaseSet::Juvenile(juvenile) => Some(format!("juvenile: {juvenile}")),
            CaseSet::Count(word) => Some(format!("count: {word}")),
            CaseSet::Number(_) => None,
        }
    }
}
