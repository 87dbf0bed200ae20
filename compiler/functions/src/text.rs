//! Every type as text: printed and parsed as Kusto does.
//!
//! In: values or text. Out: text or values. `dynamic` values print as JSON,
//! which is in [`json`](crate::json).

use rust_decimal::Decimal;

use crate::calendar::{self, DAY, HOUR, MINUTE, SECOND};
use crate::{Value, json};

/// What `tostring` gives: the empty string for null, strings as they are,
/// arrays and bags as JSON.
pub fn print(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(b) => print_bool(*b).to_owned(),
        Value::Int(n) => n.to_string(),
        Value::Long(n) => n.to_string(),
        Value::Real(r) => print_real(*r),
        Value::Decimal(d) => print_decimal(*d),
        Value::DateTime(t) => print_datetime(*t),
        Value::TimeSpan(t) => print_timespan(*t),
        Value::Guid(g) => print_guid(*g),
        Value::String(s) => s.to_string(),
        Value::Array(_) | Value::Bag(_) => json::to_json(value),
    }
}

/// A value's text, borrowed where it is a string already.
pub fn borrow(value: &Value) -> std::borrow::Cow<'_, str> {
    match value {
        Value::String(s) => std::borrow::Cow::Borrowed(s),
        other => std::borrow::Cow::Owned(print(other)),
    }
}

/// The text of an argument; empty where there is none.
pub(crate) fn of(args: &[Value], index: usize) -> std::borrow::Cow<'_, str> {
    args.get(index).map_or(std::borrow::Cow::Borrowed(""), borrow)
}

/// `true` or `false`.
pub fn print_bool(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// The shortest digits that give the same number back, without a fraction
/// where there is none; an exponent from 1E+15 on and below 0.0001, as .NET.
pub fn print_real(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs();
    if (1e-4..1e15).contains(&magnitude) {
        return value.to_string();
    }
    let text = format!("{value:e}");
    let Some((digits, exponent)) = text.split_once('e') else {
        return text;
    };
    match exponent.strip_prefix('-') {
        Some(exponent) => format!("{digits}E-{exponent:0>2}"),
        None => format!("{digits}E+{exponent:0>2}"),
    }
}

/// Digits as they were computed, without an exponent.
pub fn print_decimal(value: Decimal) -> String {
    value.to_string()
}

/// `2017-01-01T00:00:00.0000000Z`.
pub fn print_datetime(ticks: i64) -> String {
    let date = calendar::civil(ticks);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:07}Z",
        date.year,
        date.month,
        date.day,
        date.ticks / HOUR,
        date.ticks / MINUTE % 60,
        date.ticks / SECOND % 60,
        date.ticks % SECOND
    )
}

/// `[-][d.]hh:mm:ss[.fffffff]`.
pub fn print_timespan(ticks: i64) -> String {
    let sign = if ticks < 0 { "-" } else { "" };
    let ticks = ticks.unsigned_abs();
    let [day, hour, minute, second] = [DAY, HOUR, MINUTE, SECOND].map(i64::unsigned_abs);
    let days = match ticks / day {
        0 => String::new(),
        days => format!("{days}."),
    };
    let clock = format!(
        "{:02}:{:02}:{:02}",
        ticks / hour % 24,
        ticks / minute % 60,
        ticks / second % 60
    );
    match ticks % second {
        0 => format!("{sign}{days}{clock}"),
        fraction => format!("{sign}{days}{clock}.{fraction:07}"),
    }
}

/// `74be27de-1e4e-49d9-b579-fe0b331d3642`.
pub fn print_guid(guid: u128) -> String {
    let hex = format!("{guid:032x}");
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// `true`, `false` in any case, or an integer: zero is false.
pub fn parse_bool(text: &str) -> Option<bool> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        text.parse::<i64>().ok().map(|n| n != 0)
    }
}

/// Decimal digits, or hexadecimal ones after `0x`.
pub fn parse_long(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        if hex.starts_with(['+', '-']) {
            return None;
        }
        let value = u64::from_str_radix(hex, 16).ok()?.cast_signed();
        return Some(if negative { value.wrapping_neg() } else { value });
    }
    text.parse().ok()
}

/// Decimal digits with an optional fraction and exponent, `NaN`, or an infinity
/// written `inf`, `Infinity` or `∞`.
pub fn parse_real(text: &str) -> Option<f64> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let (sign, body) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let word = |w: &str| body.eq_ignore_ascii_case(w);
    if word("inf") || word("infinity") || body == "\u{221e}" {
        return Some(sign * f64::INFINITY);
    }
    if word("nan") {
        return Some(f64::NAN);
    }
    if !body.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    body.parse::<f64>().ok().map(|value| sign * value)
}

/// Decimal digits with an optional fraction and exponent.
pub fn parse_decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    Decimal::from_str_exact(text)
        .or_else(|_| text.parse())
        .or_else(|_| Decimal::from_scientific(&text.replace('E', "e")))
        .ok()
}

/// 32 hexadecimal digits, with or without each of the hyphens in the usual
/// places, in braces or parentheses or bare. What comes after the digits is
/// ignored, as the documentation says.
pub fn parse_guid(text: &str) -> Option<u128> {
    let text = text.trim();
    let text = text
        .strip_prefix('{')
        .and_then(|t| t.strip_suffix('}'))
        .or_else(|| text.strip_prefix('(').and_then(|t| t.strip_suffix(')')))
        .unwrap_or(text);
    let mut guid = 0u128;
    let mut digits = 0;
    let mut hyphen = false;
    for character in text.chars() {
        if let Some(digit) = character.to_digit(16) {
            guid = guid << 4 | u128::from(digit);
            digits += 1;
            hyphen = false;
        } else if character == '-' && !hyphen && matches!(digits, 8 | 12 | 16 | 20) {
            hyphen = true;
        } else {
            return None;
        }
        if digits == 32 {
            return Some(guid);
        }
    }
    None
}

/// A fraction of a second as ticks: digits beyond the seventh are dropped.
fn fraction(digits: &str) -> Option<i64> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(7)
        .try_fold(0i64, |ticks, digit| Some(ticks * 10 + i64::from(digit - b'0')))
}

fn small(digits: &str) -> Option<i64> {
    if digits.is_empty() || digits.len() > 18 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// `hh:mm`, `hh:mm:ss`, `hh:mm:ss.fffffff`, as ticks; hours up to `hours`.
fn parse_clock(text: &str, hours: i64) -> Option<i64> {
    let mut parts = text.split(':');
    let hour = small(parts.next()?)?;
    let minute = small(parts.next()?)?;
    let (second, ticks) = match parts.next() {
        None => (0, 0),
        Some(seconds) => match seconds.split_once(['.', ',']) {
            Some((seconds, digits)) => (small(seconds)?, fraction(digits)?),
            None => (small(seconds)?, 0),
        },
    };
    if parts.next().is_some() || hour >= hours || minute > 59 || second > 59 {
        return None;
    }
    Some(hour * HOUR + minute * MINUTE + second * SECOND + ticks)
}

/// The units of a timespan literal and their ticks.
const UNITS: [(&str, i64); 28] = [
    ("d", DAY),
    ("day", DAY),
    ("days", DAY),
    ("h", HOUR),
    ("hr", HOUR),
    ("hrs", HOUR),
    ("hour", HOUR),
    ("hours", HOUR),
    ("m", MINUTE),
    ("min", MINUTE),
    ("minute", MINUTE),
    ("minutes", MINUTE),
    ("s", SECOND),
    ("sec", SECOND),
    ("second", SECOND),
    ("seconds", SECOND),
    ("ms", calendar::MILLISECOND),
    ("milli", calendar::MILLISECOND),
    ("millis", calendar::MILLISECOND),
    ("millisec", calendar::MILLISECOND),
    ("millisecond", calendar::MILLISECOND),
    ("milliseconds", calendar::MILLISECOND),
    ("micro", calendar::MICROSECOND),
    ("microsec", calendar::MICROSECOND),
    ("microsecond", calendar::MICROSECOND),
    ("microseconds", calendar::MICROSECOND),
    ("tick", 1),
    ("ticks", 1),
];

/// The ticks of a unit a timespan literal may end in (`d`, `hours`, `ms`, …).
pub fn unit(name: &str) -> Option<i64> {
    let name = name.to_ascii_lowercase();
    UNITS
        .iter()
        .find(|(unit, _)| *unit == name)
        .map(|(_, ticks)| *ticks)
}

/// A number of units as ticks, exact where the number is whole.
fn scaled(number: &str, ticks: i64) -> Option<i64> {
    if let Some(whole) = small(number) {
        return whole.checked_mul(ticks);
    }
    let (whole, digits) = number.split_once('.')?;
    let whole = if whole.is_empty() { 0 } else { small(whole)? };
    // The fraction is computed in integers, so that 4.534h is what it says.
    let digits = digits.get(..digits.len().min(15))?;
    let numerator = i128::from(small(digits)?) * i128::from(ticks);
    let denominator = 10i128.pow(u32::try_from(digits.len()).ok()?);
    let part = i64::try_from((numerator + denominator / 2) / denominator).ok()?;
    whole.checked_mul(ticks)?.checked_add(part)
}

/// `[-][d.]hh:mm[:ss[.fffffff]]`, or `1.5h` and the like.
pub fn parse_timespan(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, body) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let ticks = if body.contains(':') {
        match body.split_once('.') {
            // Days come before a point that is before the first colon.
            Some((days, clock)) if !days.contains(':') => small(days)?
                .checked_mul(DAY)?
                .checked_add(parse_clock(clock, 24)?)?,
            _ => parse_clock(body, 24)?,
        }
    } else {
        let end = body
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(body.len());
        let (number, rest) = body.split_at(end);
        scaled(number, unit(rest.trim_start())?)?
    };
    Some(if negative { -ticks } else { ticks })
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] = [
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
];

fn month_by_name(word: &str) -> Option<i64> {
    let word = word.trim_end_matches('.');
    if word.len() < 3 {
        return None;
    }
    let named = |month: &str| month.eq_ignore_ascii_case(word) || month[..3].eq_ignore_ascii_case(word);
    let index = MONTHS.iter().position(|month| named(month))?;
    i64::try_from(index + 1).ok()
}

fn is_weekday(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    WEEKDAYS.iter().any(|d| *d == word || d[..3] == word)
}

/// An offset from UTC at the end of a datetime: `Z`, `+02:00`, `-0530`, `+1`,
/// `GMT`, `UTC`. What is left, and the offset.
fn split_zone(text: &str) -> (&str, i64) {
    for name in ["Z", "z", "GMT", "UTC"] {
        if let Some(rest) = text.strip_suffix(name) {
            return (rest.trim_end(), 0);
        }
    }
    // A sign counts as an offset only after a time: a date has hyphens too.
    let Some(colon) = text.find(':') else {
        return (text, 0);
    };
    let Some(at) = text[colon..].rfind(['+', '-']).map(|i| i + colon) else {
        return (text, 0);
    };
    let (sign, digits) = (if text[at..].starts_with('-') { -1 } else { 1 }, &text[at + 1..]);
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (small(hours), small(minutes)),
        None if digits.len() == 4 && digits.is_ascii() => (small(&digits[..2]), small(&digits[2..])),
        None => (small(digits), Some(0)),
    };
    match (hours, minutes) {
        (Some(hours), Some(minutes)) if hours <= 14 && minutes < 60 => {
            (text[..at].trim_end(), sign * (hours * HOUR + minutes * MINUTE))
        }
        _ => (text, 0),
    }
}

/// A datetime in the form that logs have, `2026-01-31T12:00:00.1234567Z` with
/// up to seven decimals; none for any other.
pub fn parse_iso(text: &str) -> Option<i64> {
    /// Ticks of the last digit of a fraction, by how many digits it has.
    const SCALE: [i64; 8] = [0, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];
    let bytes = text.as_bytes();
    let (whole, rest) = bytes.split_first_chunk::<19>()?;
    let number = |from: usize, to: usize| {
        whole[from..to].iter().try_fold(0, |number: i64, byte| {
            byte.is_ascii_digit()
                .then(|| number * 10 + i64::from(byte - b'0'))
        })
    };
    let marks = [whole[4], whole[7], whole[10], whole[13], whole[16]];
    if marks != *b"--T::" {
        return None;
    }
    let fraction = match rest {
        b"Z" => 0,
        [b'.', digits @ .., b'Z']
            if (1..=7).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) =>
        {
            digits
                .iter()
                .fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
                * SCALE[digits.len()]
        }
        _ => return None,
    };
    let (hours, minutes, seconds) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let day = calendar::from_date(number(0, 4)?, number(5, 7)?, number(8, 10)?)?;
    Some(day + hours * HOUR + minutes * MINUTE + seconds * SECOND + fraction)
}

/// A datetime in any of the forms Kusto takes: ISO 8601 down to a bare year,
/// `/`-separated dates (month first unless the year is), RFC 822 and 850, and
/// English month names; a space or `T` before the time, `AM`/`PM`, and an offset.
pub fn parse_datetime(text: &str) -> Option<i64> {
    if let Some(ticks) = parse_iso(text) {
        return Some(ticks);
    }
    let text = text.trim();
    if text.is_empty() || text.len() > 64 || !text.is_ascii() {
        return None;
    }
    let (text, offset) = split_zone(text);
    let (date, clock) = split_clock(text);
    let mut ticks = parse_date(date)?;
    if !clock.is_empty() {
        ticks += parse_time_of_day(clock)?;
    }
    let ticks = ticks - offset;
    calendar::valid(ticks).then_some(ticks)
}

/// Separates the date from the time of day: at `T`, or before the word that
/// holds the first colon.
fn split_clock(text: &str) -> (&str, &str) {
    let bytes = text.as_bytes();
    if let Some(t) = bytes.iter().position(|b| matches!(b, b'T' | b't'))
        && t > 0
        && bytes[t - 1].is_ascii_digit()
        && bytes.get(t + 1).is_some_and(u8::is_ascii_digit)
    {
        return (&text[..t], &text[t + 1..]);
    }
    let Some(colon) = text.find(':') else {
        return (text, "");
    };
    match text[..colon].rfind(' ') {
        Some(space) => (text[..space].trim_end(), &text[space + 1..]),
        None => ("", text),
    }
}

fn parse_time_of_day(text: &str) -> Option<i64> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    let (clock, half) = match (lower.strip_suffix("am"), lower.strip_suffix("pm")) {
        (Some(rest), _) => (rest.trim_end(), Some(0)),
        (_, Some(rest)) => (rest.trim_end(), Some(12)),
        _ => (&*lower, None),
    };
    if !clock.contains(':') {
        // A bare hour: `2017-01-01T05`.
        let hour = small(clock)?;
        return (hour < 24).then_some(hour * HOUR);
    }
    let ticks = parse_clock(clock, 24)?;
    match half {
        None => Some(ticks),
        Some(half) => {
            let hour = ticks / HOUR;
            if hour == 0 || hour > 12 {
                return None;
            }
            Some(ticks % HOUR + (hour % 12 + half) * HOUR)
        }
    }
}

fn parse_date(text: &str) -> Option<i64> {
    let text = text.trim();
    let words: Vec<&str> = text
        .split([' ', ',', '-', '/', '.'])
        .filter(|word| !word.is_empty() && !is_weekday(word))
        .collect();
    if let [digits] = words[..] {
        let digits = small(digits).map(|_| digits)?;
        return match digits.len() {
            4 => calendar::from_date(small(digits)?, 1, 1),
            6 => calendar::from_date(small(&digits[..4])?, small(&digits[4..])?, 1),
            8 => calendar::from_date(small(&digits[..4])?, small(&digits[4..6])?, small(&digits[6..])?),
            _ => None,
        };
    }
    if let Some(at) = words.iter().position(|word| month_by_name(word).is_some()) {
        let month = month_by_name(words[at])?;
        let numbers: Vec<&str> = words
            .iter()
            .enumerate()
            .filter(|(i, _)| *i != at)
            .map(|(_, w)| *w)
            .collect();
        return match numbers[..] {
            [year] => calendar::from_date(full_year(year)?, month, 1),
            [first, second] if first.len() == 4 => calendar::from_date(small(first)?, month, small(second)?),
            [first, second] => calendar::from_date(full_year(second)?, month, small(first)?),
            _ => None,
        };
    }
    match words[..] {
        [year, month] if year.len() == 4 => calendar::from_date(small(year)?, small(month)?, 1),
        [year, month, day] if year.len() == 4 => {
            calendar::from_date(small(year)?, small(month)?, small(day)?)
        }
        [month, day, year] => calendar::from_date(full_year(year)?, small(month)?, small(day)?),
        _ => None,
    }
}

/// A year of four digits, or of two around 2000.
fn full_year(digits: &str) -> Option<i64> {
    let year = small(digits)?;
    match digits.len() {
        4 => Some(year),
        2 if year < 50 => Some(2000 + year),
        2 => Some(1900 + year),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datetime(text: &str) -> Option<String> {
        parse_datetime(text).map(print_datetime)
    }

    #[test]
    fn the_short_way_to_times_is_the_long_way() {
        for (text, sound) in [
            ("2026-01-31T12:00:00Z", true),
            ("2026-01-31T23:59:59.1234567Z", true),
            ("0001-01-01T00:00:00.5Z", true),
            ("2024-02-29T01:02:03.12Z", true),
            ("2026-02-29T01:02:03Z", false),
            ("2026-01-31T24:00:00Z", false),
            ("2026-01-31T12:00:00.12345678Z", false),
            ("2026-01-31T12:00:0aZ", false),
            ("2026-01-31T12:00:00", false),
        ] {
            assert_eq!(parse_iso(text).is_some(), sound, "{text}");
            if sound {
                assert_eq!(parse_iso(text), parse_datetime(&text.replace('T', " ")), "{text}");
            }
        }
    }

    #[test]
    fn datetimes() {
        for (text, expected) in [
            ("2017", "2017-01-01T00:00:00.0000000Z"),
            ("2017-05", "2017-05-01T00:00:00.0000000Z"),
            ("2017-10-30 01:02:03.7654321", "2017-10-30T01:02:03.7654321Z"),
            ("2014-05-25T08:20:03.123456Z", "2014-05-25T08:20:03.1234560Z"),
            ("2014-05-25T08:20:03.123+02:00", "2014-05-25T06:20:03.1230000Z"),
            ("2014-05-25T08:20", "2014-05-25T08:20:00.0000000Z"),
            ("2014-11-08 15:55:55", "2014-11-08T15:55:55.0000000Z"),
            ("12/31/2020 11:59:59 PM", "2020-12-31T23:59:59.0000000Z"),
            ("Sat, 8 Nov 14 15:05:02 GMT", "2014-11-08T15:05:02.0000000Z"),
            ("Sat, 8 Nov 2014 15:05", "2014-11-08T15:05:00.0000000Z"),
            ("8 Nov 2014", "2014-11-08T00:00:00.0000000Z"),
            ("Saturday, 08-Nov-14 15:05:02 UTC", "2014-11-08T15:05:02.0000000Z"),
            ("20150101", "2015-01-01T00:00:00.0000000Z"),
        ] {
            assert_eq!(datetime(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "x",
            "2017-13-01",
            "2017-02-30",
            "25:00",
            "12",
            "1/2",
            "2017-01-01T25:00",
        ] {
            assert_eq!(datetime(text), None, "{text}");
        }
    }

    #[test]
    fn timespans() {
        for (text, expected) in [
            ("1d", "1.00:00:00"),
            ("1.5h", "01:30:00"),
            ("4.534h", "04:32:02.4000000"),
            ("0.00:03:00", "00:03:00"),
            ("-1.02:03:04.5", "-1.02:03:04.5000000"),
            ("10ms", "00:00:00.0100000"),
            ("1tick", "00:00:00.0000001"),
            ("00:00:59", "00:00:59"),
        ] {
            assert_eq!(
                parse_timespan(text).map(print_timespan).as_deref(),
                Some(expected),
                "{text}"
            );
        }
        assert_eq!(parse_timespan("1x"), None);
        assert_eq!(print_timespan(i64::MIN), "-10675199.02:48:05.4775808");
    }

    #[test]
    fn reals() {
        for (value, expected) in [
            (1.0, "1"),
            (0.1, "0.1"),
            (1e14, "100000000000000"),
            (1e15, "1E+15"),
            (0.0001, "0.0001"),
            (0.000_01, "1E-05"),
            (1e20, "1E+20"),
            (1.5e-7, "1.5E-07"),
            (0.000_972_856_8, "0.0009728568"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(print_real(value), expected);
        }
        assert_eq!(parse_real(" 1e3 "), Some(1000.0));
        assert_eq!(parse_real("-inf"), Some(f64::NEG_INFINITY));
        assert_eq!(parse_real("1x"), None);
    }

    #[test]
    fn guids() {
        let text = "74be27de-1e4e-49d9-b579-fe0b331d3642";
        let guid = parse_guid(text).unwrap();
        assert_eq!(print_guid(guid), text);
        assert_eq!(parse_guid("{74BE27DE-1E4E-49D9-B579-FE0B331D3642}"), Some(guid));
        assert_eq!(parse_guid("74be27de1e4e49d9b579fe0b331d3642"), Some(guid));
        assert_eq!(parse_guid("74be27de1e4e-49d9-b579-fe0b331d3642"), Some(guid));
        assert_eq!(
            parse_guid("74be27de-1e4e-49d9-b579-fe0b331d3642 and more"),
            Some(guid)
        );
        assert_eq!(parse_guid("74be27de-1e4e-49d9-b579-fe0b331d364"), None);
        assert_eq!(parse_guid("74be27de--1e4e-49d9-b579-fe0b331d3642"), None);
        assert_eq!(parse_guid("74be27d-e1e4e-49d9-b579-fe0b331d3642"), None);
    }
}
