//! Lengths of time as rules write them.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time in whole seconds, written `90s`, `5m`, `1h`, `14d`, or in
/// ISO 8601 (`PT5M`, `P1D`). Printed in the largest unit that divides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    seconds: u64,
}

const UNITS: [(u64, char); 4] = [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')];

impl Duration {
    /// That many seconds.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self { seconds }
    }

    /// In seconds.
    pub const fn seconds(self) -> u64 {
        self.seconds
    }

    /// ISO 8601 as Azure Resource Manager writes it: days alone as `P1D`,
    /// everything else in hours, minutes and seconds after `T`.
    pub fn iso8601(self) -> String {
        if self.seconds == 0 {
            return "PT0S".to_owned();
        }
        let (days, rest) = (self.seconds / 86_400, self.seconds % 86_400);
        let (hours, minutes, seconds) = (rest / 3_600, rest % 3_600 / 60, rest % 60);
        let mut text = String::from("P");
        if days > 0 {
            text += &format!("{days}D");
        }
        if rest > 0 {
            text.push('T');
            for (n, unit) in [(hours, 'H'), (minutes, 'M'), (seconds, 'S')] {
                if n > 0 {
                    text += &format!("{n}{unit}");
                }
            }
        }
        text
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (size, unit) = UNITS
            .into_iter()
            .find(|(size, _)| self.seconds >= *size && self.seconds.is_multiple_of(*size))
            .unwrap_or((1, 's'));
        write!(f, "{}{unit}", self.seconds / size)
    }
}

impl FromStr for Duration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a length of time such as 30m, 1h or 14d");
        let body = text.trim();
        let mut total: u64 = 0;
        let mut digits = String::new();
        let mut seen = false;
        let iso = body.starts_with(['P', 'p']);
        let mut in_time = !iso;
        for c in body.chars().skip(usize::from(iso)) {
            if c.is_ascii_digit() {
                digits.push(c);
                continue;
            }
            if iso && c.eq_ignore_ascii_case(&'t') && digits.is_empty() {
                in_time = true;
                continue;
            }
            // A calendar month (`P1M`) has no fixed length.
            let unit = c.to_ascii_lowercase();
            if iso && unit == 'm' && !in_time {
                return Err(wrong());
            }
            let size = UNITS.iter().find(|(_, u)| *u == unit).ok_or_else(wrong)?.0;
            let n: u64 = digits.parse().map_err(|_| wrong())?;
            total = n
                .checked_mul(size)
                .and_then(|n| n.checked_add(total))
                .ok_or_else(wrong)?;
            digits.clear();
            seen = true;
        }
        if seen && digits.is_empty() {
            Ok(Self::from_seconds(total))
        } else {
            Err(wrong())
        }
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A length of time: 90s, 5m, 1h, 14d, or ISO 8601 (PT5M).",
            "pattern": "^([0-9]+[smhd])+$|^P([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+S)?)?$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_notations_read_and_print() {
        for (text, printed, iso) in [
            ("5m", "5m", "PT5M"),
            ("90m", "90m", "PT1H30M"),
            ("24h", "1d", "P1D"),
            ("P1DT1H", "25h", "P1DT1H"),
            ("PT5H", "5h", "PT5H"),
            ("0s", "0s", "PT0S"),
        ] {
            let duration: Duration = text.parse().unwrap();
            assert_eq!(duration.to_string(), printed, "{text}");
            assert_eq!(duration.iso8601(), iso, "{text}");
        }
        for text in ["", "h", "5", "1w", "P1M", "-5m", "99999999999999999999d"] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }
}
