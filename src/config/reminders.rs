//! `[reminders]`: when the hub reminds. None of it is law.

use serde::{Deserialize, Serialize};
use xianjie_core::domain::reminders::Reminders as Intervals;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// `[reminders]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reminders {
    /// How long before its limit the owner of a duty is forewarned. Default: 72.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forewarn_hours: Option<u16>,
    /// After how long 立即 (at once) is reminded of. Default: 60.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_once_minutes: Option<u16>,
    /// After how long 及时 (promptly) is reminded of. Default: 72.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promptly_hours: Option<u16>,
    /// How often what stays undone is told of again. Default: 168, a week.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_hours: Option<u16>,
    /// After how long a delivery that nobody signs for is told of. Default: 24.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unacknowledged_hours: Option<u16>,
}

impl Reminders {
    /// Whether all are the defaults.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The intervals.
    #[must_use]
    pub fn intervals(&self) -> Intervals {
        let defaults = Intervals::default();
        let of = |set: Option<u16>, unit: i64, default: i64| {
            set.map_or(default, |count| i64::from(count) * unit)
        };
        Intervals {
            forewarn_ms: of(self.forewarn_hours, HOUR_MS, defaults.forewarn_ms),
            at_once_ms: of(self.at_once_minutes, MINUTE_MS, defaults.at_once_ms),
            promptly_ms: of(self.promptly_hours, HOUR_MS, defaults.promptly_ms),
            repeat_ms: of(self.repeat_hours, HOUR_MS, defaults.repeat_ms),
            unacknowledged_ms: of(self.unacknowledged_hours, HOUR_MS, defaults.unacknowledged_ms),
        }
    }
}
