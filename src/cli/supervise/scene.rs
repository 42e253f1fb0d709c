//! What the live overview shows, as lines: counts on top, the worst duties, the newest alarms. It
//! knows no terminal but its size.

use std::collections::VecDeque;

use serde_json::{Value, json};
use xianjie_core::ids::Time;

use super::super::Globals;
use super::duties::{self, Urgency};
use super::{alarms, words};
use crate::client::Client;
use crate::client::status::QueryError;
use crate::client::supervise::{AlarmRaised, DutyFilter, Gap, MissingPerson, OwedDuty};

/// How many alarms the overview remembers.
const REMEMBERED: usize = 100;
/// How many lines of a screen the newest alarms take at most.
const ALARM_LINES: usize = 6;

/// What is owed, who is between two agencies and who is missing, at one time.
#[derive(Debug, Default)]
pub(super) struct Picture {
    /// The duties, the worst first.
    duties: Vec<OwedDuty>,
    gaps: Vec<Gap>,
    missing: Vec<MissingPerson>,
    /// When the hub was asked.
    at: Time,
}

/// The picture in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    owed: usize,
    missed: usize,
    gaps: usize,
    gaps_missed: usize,
    /// Persons whose whereabouts are unknown.
    missing_persons: usize,
}

impl Picture {
    /// Asks the hub.
    pub(super) async fn take(client: &Client) -> Result<Self, QueryError> {
        let at = client.now();
        let mut duties = client.duties(&DutyFilter::default()).await?;
        duties::worst_first(&mut duties);
        let gaps = client.gaps(false).await?;
        let missing = client.missing_persons().await?;
        Ok(Self { duties, gaps, missing, at })
    }

    /// The numbers of it.
    pub(super) fn counts(&self) -> Counts {
        let is_missed = |duty: &&OwedDuty| Urgency::of(duty).is_missed();
        let gap_duties = self.gaps.iter().filter_map(|gap| gap.duty.as_ref());
        Counts {
            owed: self.duties.len(),
            missed: self.duties.iter().filter(is_missed).count(),
            gaps: self.gaps.len(),
            gaps_missed: gap_duties.filter(is_missed).count(),
            missing_persons: self.missing.len(),
        }
    }

    /// When the hub was asked.
    pub(super) fn at(&self) -> Time {
        self.at
    }

    /// The numbers and the worst duties, where there is no screen.
    pub(super) fn text(&self, rows: usize, globals: &Globals) -> String {
        let mut lines = vec![self.counts().line(globals)];
        lines.extend(duty_lines(self, rows, globals).into_iter().map(|(_, line)| line));
        lines.push(words::in_lang(globals, words::REMINDER));
        lines.join("\n")
    }
}

impl Counts {
    /// For people, in one line.
    pub(super) fn line(self, globals: &Globals) -> String {
        let told = [
            (("duties owed", "在办期限义务"), self.owed),
            (("late", "逾期"), self.missed),
            (("gaps open", "交接中"), self.gaps),
            (("handover late", "交接逾期"), self.gaps_missed),
            (("whereabouts unknown", "下落不明"), self.missing_persons),
        ];
        let told = told.map(|(words, count)| format!("{} {count}", words::in_lang(globals, words)));
        told.join("   ")
    }

    /// For programs.
    pub(super) fn to_json(self) -> Value {
        json!({"counts": {
            "owed": self.owed,
            "missed": self.missed,
            "gaps": self.gaps,
            "gaps_missed": self.gaps_missed,
            "missing_persons": self.missing_persons,
        }})
    }
}

/// How much a line should strike the eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// As any text.
    Plain,
    /// What a screen is read by.
    Strong,
    /// Past its limit, or trouble.
    Alarming,
    /// Due soon.
    Pressing,
}

/// All that the overview knows.
#[derive(Debug, Default)]
pub(super) struct Scene {
    /// The last picture; none before the first.
    pub(super) picture: Option<Picture>,
    /// The newest alarms, the newest last.
    alarms: VecDeque<AlarmRaised>,
    /// Why the last picture could not be taken.
    pub(super) asking: Option<String>,
    /// Why alarms are not heard now.
    pub(super) watching: Option<String>,
}

impl Scene {
    /// Remembers an alarm.
    pub(super) fn hear(&mut self, alarm: AlarmRaised) {
        self.alarms.push_back(alarm);
        if self.alarms.len() > REMEMBERED {
            self.alarms.pop_front();
        }
    }

    /// The lines for a screen of so many rows. The duties get what the rest leaves.
    pub(super) fn lines(&self, rows: usize, globals: &Globals) -> Vec<(Tone, String)> {
        let Some(picture) = &self.picture else {
            let asking = || globals.words("asking the hub …", "正在查询平台……");
            let trouble = self.asking.clone().map(|why| (Tone::Alarming, why));
            return vec![trouble.unwrap_or_else(|| (Tone::Plain, asking()))];
        };
        let as_of = globals.words("as of", "截至");
        let mut lines = vec![
            (Tone::Plain, format!("xianjie supervise  {as_of} {}", words::instant(picture.at))),
            (Tone::Strong, picture.counts().line(globals)),
        ];
        let troubles = self.asking.iter().chain(&self.watching);
        lines.extend(troubles.map(|why| (Tone::Alarming, why.clone())));
        let mut below = self.alarm_lines(globals);
        below.push((Tone::Plain, String::new()));
        below.push((Tone::Plain, words::in_lang(globals, words::REMINDER)));
        below.push((Tone::Plain, globals.words("q: quit", "q：退出")));
        let room = rows.saturating_sub(lines.len() + below.len() + 1);
        lines.push((Tone::Plain, String::new()));
        lines.extend(duty_lines(picture, room, globals));
        lines.extend(below);
        lines.truncate(rows);
        lines
    }

    fn alarm_lines(&self, globals: &Globals) -> Vec<(Tone, String)> {
        if self.alarms.is_empty() {
            return Vec::new();
        }
        let title = globals.words("alarms since this began", "本次启动以来的提醒");
        let mut lines = vec![(Tone::Plain, String::new()), (Tone::Strong, title)];
        let newest = self.alarms.iter().rev().take(ALARM_LINES);
        lines.extend(newest.map(|alarm| (Tone::Plain, alarms::line(alarm, globals))));
        lines
    }
}

/// As many of the duties as fit `room` lines, and how many there are besides.
fn duty_lines(picture: &Picture, room: usize, globals: &Globals) -> Vec<(Tone, String)> {
    if picture.duties.is_empty() || room < 2 {
        return Vec::new();
    }
    // Headings and, if not all fit, the line that says so.
    let fits = if picture.duties.len() < room { picture.duties.len() } else { room - 2 };
    let (shown, rest) = picture.duties.split_at(fits);
    let tones = std::iter::once(Tone::Strong).chain(shown.iter().map(tone));
    let table = duties::lines(shown, picture.at, globals);
    let mut lines: Vec<_> = tones.zip(table).collect();
    if !rest.is_empty() {
        let more = globals.words("more", "项未列出");
        lines.push((Tone::Plain, format!("… {} {more}", rest.len())));
    }
    lines
}

fn tone(duty: &OwedDuty) -> Tone {
    match Urgency::of(duty) {
        Urgency::HandoverMissed | Urgency::Missed => Tone::Alarming,
        Urgency::DueSoon => Tone::Pressing,
        Urgency::Running | Urgency::Reminder | Urgency::Still => Tone::Plain,
    }
}

#[cfg(test)]
mod tests;
