//! Values of literals as text.

use crate::ast::Literal;

pub(super) fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Null(ty) => format!("Null {}", ty.as_str()),
        Literal::Bool(value) => format!("Bool {value}"),
        Literal::Int(value) => format!("Int {value}"),
        Literal::Long(value) => format!("Long {value}"),
        Literal::Real(value) => format!("Real {value:?}"),
        Literal::Decimal(value) => format!("Decimal {value}"),
        Literal::String(value) => {
            let hidden = if value.obfuscated { " obfuscated" } else { "" };
            format!("String {:?}{hidden}", value.value)
        }
        Literal::DateTime(ticks) => format!("DateTime {}", datetime(*ticks)),
        Literal::TimeSpan(ticks) => format!("TimeSpan {}", timespan(*ticks)),
        Literal::Guid(value) => {
            let digits = format!("{value:032x}");
            let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
            format!("Guid {}", groups.join("-"))
        }
        Literal::Dynamic(_) => "Dynamic".to_owned(),
        Literal::Invalid(ty, text) => format!("Invalid {} {text:?}", ty.as_str()),
    }
}

/// Ticks of 100 ns, as `[-][d.]hh:mm:ss[.fffffff]`.
fn timespan(ticks: i64) -> String {
    const SECOND: u64 = 10_000_000;
    let sign = if ticks < 0 { "-" } else { "" };
    let ticks = ticks.unsigned_abs();
    let (seconds, fraction) = (ticks / SECOND, ticks % SECOND);
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    let days = if days > 0 {
        format!("{days}.")
    } else {
        String::new()
    };
    let fraction = if fraction > 0 {
        format!(".{fraction:07}")
    } else {
        String::new()
    };
    format!("{sign}{days}{hours:02}:{minutes:02}:{seconds:02}{fraction}")
}

/// Ticks of 100 ns since the year 1, as a date and a time of day.
fn datetime(ticks: i64) -> String {
    const DAY: i64 = 864_000_000_000;
    // Days are counted from the first of March of the year 0, so that the day
    // a leap year adds is the last one of its year.
    let days = ticks.div_euclid(DAY) + 306;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, year) = if month < 10 {
        (month + 3, year + era * 400)
    } else {
        (month - 9, year + era * 400 + 1)
    };
    let time = timespan(ticks.rem_euclid(DAY));
    format!("{year:04}-{month:02}-{day:02} {time}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_they_are_written() {
        const DAY: i64 = 864_000_000_000;
        assert_eq!(datetime(0), "0001-01-01 00:00:00");
        assert_eq!(datetime(639_028_224_000_000_000), "2026-01-01 00:00:00");
        assert_eq!(datetime(630_874_655_999_999_999), "2000-02-29 23:59:59.9999999");
        assert_eq!(datetime(i64::from(3_652_058) * DAY), "9999-12-31 00:00:00");
        assert_eq!(timespan(-DAY - 10_000_000), "-1.00:00:01");
    }
}
