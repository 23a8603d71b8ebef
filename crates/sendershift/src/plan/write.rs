//! Plans as documents: what the derived `Serialize` of [`Plan`] needs, and the text form.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::{Expect, Plan};

impl Plan {
    /// The document, `sendershift-plan/1`, as indented JSON; [`Plan::from_json`] reads it again.
    pub fn to_json(&self) -> String {
        // Only maps whose keys are no strings fail, and the fields of structs are strings.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

impl Serialize for Expect {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_str("absent"),
            Self::Present(records) => records.serialize(serializer),
        }
    }
}

/// RFC 3339, in UTC.
pub(super) fn time<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
pub(super) fn time_or_null<S: Serializer>(
    value: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => time(value, serializer),
        None => serializer.serialize_none(),
    }
}

/// ISO 8601, in seconds only.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference to the field")]
pub(super) fn seconds<S: Serializer>(seconds: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("PT{seconds}S"))
}

#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
pub(super) fn seconds_or_null<S: Serializer>(value: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => seconds(value, serializer),
        None => serializer.serialize_none(),
    }
}

/// As [`seconds`], with a sign in front where the date has passed.
#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
pub(super) fn slack<S: Serializer>(value: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => {
            let sign = if *value < 0 { "-" } else { "" };
            serializer.collect_str(&format_args!("{sign}PT{}S", value.unsigned_abs()))
        }
        None => serializer.serialize_none(),
    }
}

/// `+05:30`: hours and minutes, as RFC 3339 has it.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference to the field")]
pub(super) fn offset<S: Serializer>(seconds: &i32, serializer: S) -> Result<S::Ok, S::Error> {
    let sign = if *seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    serializer.collect_str(&format_args!("{sign}{:02}:{:02}", minutes / 60, minutes % 60))
}
