//! `[law]`: where the rulebooks are.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[law]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LawPaths {
    /// A folder of rulebooks, as `law export` writes one. They decide only once operators have put them
    /// in force with `law activate`. Default: none; the program's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rulebooks: Option<PathBuf>,
}

impl LawPaths {
    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rulebooks.is_none()
    }
}
