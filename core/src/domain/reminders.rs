//! When the hub reminds (提醒): intervals that its operator chooses. None of them is law, and none
//! moves a limit of the law.

use super::rulebook::Soft;
use crate::ids::Time;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The intervals, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reminders {
    /// So long before its limit the owner of a duty is forewarned, but not before half of the time
    /// is over.
    pub forewarn_ms: i64,
    /// 立即: the reminder comes so long after the duty began.
    pub at_once_ms: i64,
    /// 及时: the reminder comes so long after the duty began.
    pub promptly_ms: i64,
    /// A duty that stays undone is told again so often.
    pub repeat_ms: i64,
    /// A delivery that nobody signs for is told of after so long.
    pub unacknowledged_ms: i64,
}

impl Default for Reminders {
    /// Three days before a limit, an hour for 立即, three days for 及时, weekly until it is done, and a
    /// day without acknowledgement.
    fn default() -> Self {
        Self {
            forewarn_ms: 3 * DAY_MS,
            at_once_ms: HOUR_MS,
            promptly_ms: 3 * DAY_MS,
            repeat_ms: 7 * DAY_MS,
            unacknowledged_ms: DAY_MS,
        }
    }
}

impl Reminders {
    /// When a soft limit that begins at `from` is reminded of.
    #[must_use]
    pub fn soft(&self, soft: Soft, from: Time) -> Time {
        let wait = match soft {
            Soft::AtOnce => self.at_once_ms,
            Soft::Promptly => self.promptly_ms,
        };
        Time(from.0.saturating_add(wait))
    }

    /// When the hub looks next, from `now`, at a duty that is due at `due` and may be done from
    /// `not_before` on: at the opening of its window, when it is time to forewarn, and when it is due.
    #[must_use]
    pub fn next(&self, now: Time, not_before: Option<Time>, due: Time) -> Time {
        if let Some(opens) = not_before.filter(|opens| *opens > now) {
            return opens;
        }
        let left = due.0.saturating_sub(now.0).max(0);
        let warn = due.0.saturating_sub(self.forewarn_ms.min(left / 2));
        Time(warn)
    }

    /// When a duty that was not done in time is told of again.
    #[must_use]
    pub fn again(&self, now: Time) -> Time {
        Time(now.0.saturating_add(self.repeat_ms.max(HOUR_MS)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1_000_000);

    fn after(ms: i64) -> Time {
        Time(NOW.0 + ms)
    }

    #[test]
    fn a_long_limit_is_forewarned_days_before_and_a_short_one_at_half_time() {
        let reminders = Reminders::default();
        assert_eq!(reminders.next(NOW, None, after(10 * DAY_MS)), after(7 * DAY_MS));
        assert_eq!(reminders.next(NOW, None, after(48 * HOUR_MS)), after(24 * HOUR_MS));
    }

    #[test]
    fn a_window_is_told_of_when_it_opens() {
        let reminders = Reminders::default();
        let (opens, due) = (after(DAY_MS), after(30 * DAY_MS));
        assert_eq!(reminders.next(NOW, Some(opens), due), opens);
        assert_eq!(reminders.next(opens, Some(opens), due), after(27 * DAY_MS));
    }

    #[test]
    fn what_is_late_already_is_looked_at_at_once() {
        assert_eq!(Reminders::default().next(NOW, None, after(-5)), after(-5));
    }
}
