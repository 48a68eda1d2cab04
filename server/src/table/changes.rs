//! Changes that a table may make only so often, by when it made them.

use serde::{Deserialize, Serialize};

/// Times of such changes, Unix milliseconds, oldest first. What is too old to count is dropped when
/// the next one is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// Of the encryption.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub encryption_ms: Vec<u64>,
    /// Of the table class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_ms: Vec<u64>,
    /// From provisioned to on-demand billing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_demand_ms: Vec<u64>,
    /// Of the deletion protection: the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protection_ms: Option<u64>,
}

impl Changes {
    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
