//! From the text of a literal to its value.
//!
//! In: the text of one token that the lexer found to be a literal. Out: its
//! value, or `None` when the text is no value of the type. Deliberately
//! absent: errors; a literal that parses but has no value is the binder's to
//! report, as [`Literal::Invalid`].

use crate::ast::{Literal, ScalarType};
use crate::lexer::TIMESPAN_UNITS;

/// Ticks of 100 ns in a second.
const SECOND: i64 = 10_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The value of a typed literal such as `datetime(2020-01-01)`, given the
/// whole text of the token.
pub(crate) fn typed(ty: ScalarType, text: &str) -> Literal {
    let inner = text
        .split_once('(')
        .map_or(text, |(_, rest)| rest.strip_suffix(')').unwrap_or(rest))
        .trim();
    typed_content(ty, inner)
}

/// The value of what stands between the parentheses of a typed literal.
pub(crate) fn typed_content(ty: ScalarType, inner: &str) -> Literal {
    let unquoted = inner
        .strip_prefix(['"', '\''])
        .and_then(|s| s.strip_suffix(['"', '\'']))
        .unwrap_or(inner)
        .trim();
    if unquoted.is_empty() || unquoted.eq_ignore_ascii_case("null") {
        return Literal::Null(ty);
    }
    let value = match ty {
        ScalarType::Bool => boolean(unquoted).map(Literal::Bool),
        ScalarType::DateTime => datetime(unquoted).map(Literal::DateTime),
        ScalarType::TimeSpan => timespan(unquoted).map(Literal::TimeSpan),
        ScalarType::Decimal => decimal(unquoted).map(Literal::Decimal),
        ScalarType::Guid => guid(unquoted).map(Literal::Guid),
        ScalarType::Int => whole(unquoted)
            .and_then(|n| i32::try_from(n).ok())
            .map(Literal::Int),
        ScalarType::Long => whole(unquoted).map(Literal::Long),
        ScalarType::Real => real(unquoted).map(Literal::Real),
        ScalarType::Dynamic | ScalarType::String | ScalarType::Unknown => None,
    };
    value.unwrap_or_else(|| Literal::Invalid(ty, inner.to_owned()))
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        return Some(true);
    }
    if text.eq_ignore_ascii_case("false") {
        return Some(false);
    }
    whole(text).map(|n| n != 0)
}

/// A whole number, decimal or hexadecimal, with or without a sign.
pub(crate) fn whole(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        // All sixteen digits are allowed: the bits of the number.
        let bits = u64::from_str_radix(hex, 16).ok()? as i64;
        return Some(if negative { bits.wrapping_neg() } else { bits });
    }
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: i128 = digits.parse().ok()?;
    i64::try_from(if negative { -value } else { value }).ok()
}

/// A real number, `nan`, `inf`, `+inf` or `-inf`.
pub(crate) fn real(text: &str) -> Option<f64> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'-' => (-1.0, text[1..].trim_start()),
        b'+' => (1.0, text[1..].trim_start()),
        _ => (1.0, text),
    };
    let value = if rest.eq_ignore_ascii_case("nan") {
        f64::NAN
    } else if rest.eq_ignore_ascii_case("inf") {
        f64::INFINITY
    } else if rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        rest.parse().ok()?
    } else {
        return None;
    };
    Some(sign * value)
}

fn decimal(text: &str) -> Option<String> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mantissa = digits.split(['e', 'E']).next().unwrap_or_default();
    let plain = !mantissa.is_empty()
        && mantissa.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && mantissa.bytes().any(|b| b.is_ascii_digit())
        && digits.parse::<f64>().is_ok();
    plain.then(|| text.to_owned())
}

fn guid(text: &str) -> Option<u128> {
    let text = text
        .strip_prefix(['{', '('])
        .map_or(text, |t| t.strip_suffix(['}', ')']).unwrap_or(t));
    let mut value = 0_u128;
    let mut digits = 0;
    for byte in text.bytes() {
        if byte == b'-' {
            continue;
        }
        value = (value << 4) | u128::from(char::from(byte).to_digit(16)?);
        digits += 1;
        if digits > 32 {
            return None;
        }
    }
    (digits == 32).then_some(value)
}

/// `2h`, `1.02:03:04.5`, `3` (days).
pub(crate) fn timespan(text: &str) -> Option<i64> {
    let (negative, body) = match text.strip_prefix('-') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let ticks = if body.contains(':') {
        clock(body)?
    } else {
        let split = body
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(body.len());
        let (number, unit) = (&body[..split], body[split..].trim());
        let factor = if unit.is_empty() {
            864e9
        } else {
            TIMESPAN_UNITS
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(unit))?
                .1
        };
        scaled(number, factor)?
    };
    Some(if negative { -ticks } else { ticks })
}

/// `number` times `factor` in whole ticks, exact where the factor is whole.
fn scaled(number: &str, factor: f64) -> Option<i64> {
    if factor >= 1.0
        && let Ok(n) = number.parse::<i64>()
    {
        return n.checked_mul(factor as i64);
    }
    let ticks = number.parse::<f64>().ok()? * factor;
    (ticks.abs() < 9.2e18).then_some(ticks.round() as i64)
}

/// `[d.]hh:mm[:ss[.fffffff]]`
fn clock(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let first = parts.next()?;
    let (days, hours) = match first.split_once('.') {
        Some((days, hours)) => (unsigned(days)?, unsigned(hours)?),
        None => (0, unsigned(first)?),
    };
    let minutes = unsigned(parts.next()?)?;
    let seconds = match parts.next() {
        Some(seconds) => fractional_seconds(seconds)?,
        None => 0,
    };
    if parts.next().is_some() || hours > 23 || minutes > 59 {
        return None;
    }
    days.checked_mul(DAY)?
        .checked_add(hours * HOUR + minutes * MINUTE + seconds)
}

/// Seconds with up to seven digits behind the point, in ticks.
fn fractional_seconds(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds = unsigned(whole)?;
    if seconds > 59 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut ticks = 0;
    for place in 0..7 {
        let digit = fraction.as_bytes().get(place).map_or(0, |b| b - b'0');
        ticks = ticks * 10 + i64::from(digit);
    }
    Some(seconds * SECOND + ticks)
}

fn unsigned(text: &str) -> Option<i64> {
    if text.is_empty() || text.len() > 9 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Days from 0001-01-01 to a date of the proleptic Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let index = usize::try_from(month - 1).ok()?;
    let length = LENGTHS.get(index)? + i64::from(leap && month == 2);
    if !(1..=9999).contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    let before = year - 1;
    let leap_day = i64::from(leap && month > 2);
    Some(
        before * 365 + before / 4 - before / 100
            + before / 400
            + LENGTHS[..index].iter().sum::<i64>()
            + leap_day
            + day
            - 1,
    )
}

/// The forms of a point in time the service reads: ISO 8601 with parts left
/// out from the right, `M/d/yyyy`, and RFC 822/850 with names of months.
pub(crate) fn datetime(text: &str) -> Option<i64> {
    if let Some(day) = spaced_date(text) {
        return day.checked_mul(DAY);
    }
    let (date, rest) = date(text)?;
    let rest = rest.trim_start_matches([' ', 'T', 't', ',']);
    if rest.is_empty() {
        return date.checked_mul(DAY);
    }
    if let Some(offset) = zone(rest) {
        return (date * DAY).checked_sub(offset);
    }
    let split = rest
        .find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.')
        .unwrap_or(rest.len());
    let (time, suffix) = (&rest[..split], rest[split..].trim());
    let mut ticks = if time.contains(':') {
        clock(time)?
    } else {
        unsigned(time).filter(|h| *h < 24)? * HOUR
    };
    let suffix = if let Some(rest) = strip_ignoring_case(suffix, "pm") {
        ticks = ticks % (12 * HOUR) + 12 * HOUR;
        rest.trim_start()
    } else if let Some(rest) = strip_ignoring_case(suffix, "am") {
        ticks %= 12 * HOUR;
        rest.trim_start()
    } else {
        suffix
    };
    let offset = if suffix.is_empty() { 0 } else { zone(suffix)? };
    (date * DAY + ticks).checked_sub(offset)
}

/// A date alone whose parts have commas or blanks between them:
/// `datetime(2025, 6, 14)`, `datetime(2025, 6)`, `datetime(2017 - 08 - 01)`.
fn spaced_date(text: &str) -> Option<i64> {
    if !text.contains([',', ' ']) {
        return None;
    }
    let mut parts = text.split([',', '-']).map(str::trim);
    let (year, month) = (parts.next()?, parts.next()?);
    // `datetime(2025, 6)` is the first day of a month.
    let day = parts.next().or_else(|| text.contains(',').then_some("1"))?;
    if year.len() != 4 || month.len() > 2 || day.len() > 2 || parts.next().is_some() {
        return None;
    }
    days(unsigned(year)?, unsigned(month)?, unsigned(day)?)
}

fn strip_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// `Z`, `UTC`, `GMT`, `+02:00`, `-0700`: ticks east of Greenwich.
fn zone(text: &str) -> Option<i64> {
    if ["z", "utc", "gmt"].iter().any(|z| text.eq_ignore_ascii_case(z)) {
        return Some(0);
    }
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let digits: String = rest.chars().filter(|c| *c != ':').collect();
    let (hours, minutes) = match digits.len() {
        1 | 2 => (unsigned(&digits)?, 0),
        4 => (unsigned(digits.get(..2)?)?, unsigned(digits.get(2..)?)?),
        _ => return None,
    };
    Some(sign * (hours * HOUR + minutes * MINUTE))
}

/// A date at the beginning of `text`, in days since 0001-01-01, and what follows it.
fn date(text: &str) -> Option<(i64, &str)> {
    let text = text.trim_start();
    let number = |from: &str| from.bytes().take_while(u8::is_ascii_digit).count();
    let first = number(text);
    if first == 0 {
        // `Sat, 8 Nov 2014`, `Saturday, 08-Nov-14`: the day of the week tells nothing new.
        let (weekday, rest) = text.split_once([',', ' '])?;
        if !weekday.bytes().all(|b| b.is_ascii_alphabetic()) {
            return None;
        }
        return named_date(rest.trim_start());
    }
    let rest = &text[first..];
    match (first, rest.as_bytes().first()) {
        (8, _) => {
            let value = days(
                unsigned(&text[..4])?,
                unsigned(&text[4..6])?,
                unsigned(&text[6..8])?,
            )?;
            Some((value, rest))
        }
        (4, Some(b'-' | b'/')) => {
            let year = unsigned(&text[..4])?;
            let month_len = number(&rest[1..]);
            let month = unsigned(rest.get(1..=month_len)?)?;
            let rest = &rest[1 + month_len..];
            if !rest.starts_with(['-', '/']) {
                return Some((days(year, month, 1)?, rest));
            }
            let day_len = number(&rest[1..]);
            let day = unsigned(rest.get(1..=day_len)?)?;
            Some((days(year, month, day)?, &rest[1 + day_len..]))
        }
        (4, _) => Some((days(unsigned(&text[..4])?, 1, 1)?, rest)),
        (1 | 2, Some(b'/' | b'-')) if number(&rest[1..]) > 0 => {
            let month = unsigned(&text[..first])?;
            let day_len = number(&rest[1..]);
            let day = unsigned(rest.get(1..=day_len)?)?;
            let rest = rest[1 + day_len..].strip_prefix(['/', '-'])?;
            let year_len = number(rest);
            Some((
                days(full_year(&rest[..year_len])?, month, day)?,
                &rest[year_len..],
            ))
        }
        (1 | 2, Some(b' ' | b'-')) => named_date(text),
        _ => None,
    }
}

fn full_year(text: &str) -> Option<i64> {
    let year = unsigned(text)?;
    Some(match text.len() {
        2 if year < 30 => year + 2000,
        2 => year + 1900,
        _ => year,
    })
}

/// `8 Nov 2014`, `08-Nov-14`.
fn named_date(text: &str) -> Option<(i64, &str)> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let mut rest = text;
    let mut word = || {
        let end = rest.find([' ', '-']).unwrap_or(rest.len());
        let word = &rest[..end];
        rest = rest[end..].trim_start_matches([' ', '-']);
        word
    };
    let (day, month, year) = (word(), word(), word());
    let name = month.get(..3)?.to_ascii_lowercase();
    let month = MONTHS.iter().position(|m| *m == name)? as i64 + 1;
    Some((days(full_year(year)?, month, unsigned(day)?)?, rest))
}

/// The content of a string token, and whether it was marked as obfuscated.
pub(crate) fn string(text: &str) -> (String, bool) {
    let body = text.strip_prefix(['h', 'H']);
    let obfuscated = body.is_some();
    let body = body.unwrap_or(text);
    for fence in ["```", "~~~"] {
        if let Some(inner) = body.strip_prefix(fence) {
            let inner = inner.strip_suffix(fence).unwrap_or(inner);
            return (inner.to_owned(), obfuscated);
        }
    }
    let (verbatim, body) = match body.strip_prefix('@') {
        Some(rest) => (true, rest),
        None => (false, body),
    };
    let Some(quote) = body.chars().next() else {
        return (String::new(), obfuscated);
    };
    let inner = &body[quote.len_utf8()..];
    let inner = inner.strip_suffix(quote).unwrap_or(inner);
    let value = if verbatim {
        let doubled: String = [quote, quote].iter().collect();
        inner.replace(&doubled, quote.encode_utf8(&mut [0; 4]))
    } else if inner.contains('\\') {
        unescape(inner)
    } else {
        inner.to_owned()
    };
    (value, obfuscated)
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(c) = rest.chars().next() else {
            out.push('\\');
            break;
        };
        let (len, value) = match c {
            'a' => (1, Some('\u{7}')),
            'b' => (1, Some('\u{8}')),
            'f' => (1, Some('\u{c}')),
            'n' => (1, Some('\n')),
            'r' => (1, Some('\r')),
            't' => (1, Some('\t')),
            'v' => (1, Some('\u{b}')),
            '0'..='7' => {
                let len = rest
                    .bytes()
                    .take(3)
                    .take_while(|b| (b'0'..=b'7').contains(b))
                    .count();
                let code = u32::from_str_radix(&rest[..len], 8).ok();
                (len, code.and_then(char::from_u32))
            }
            'x' | 'u' | 'U' => {
                let digits = match c {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                let code = rest.get(1..=digits).and_then(|d| u32::from_str_radix(d, 16).ok());
                match code {
                    Some(code) => (1 + digits, Some(char::from_u32(code).unwrap_or('\u{fffd}'))),
                    None => (1, Some(c)),
                }
            }
            other => (other.len_utf8(), Some(other)),
        };
        out.extend(value);
        rest = &rest[len..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_time_have_ticks() {
        let y2020 = 737_424 * DAY;
        for (text, ticks) in [
            ("2020-01-01", y2020),
            ("2020", y2020),
            ("2020-01", y2020),
            ("20200101", y2020),
            ("1/1/2020", y2020),
            ("2020-01-01T00:00:00Z", y2020),
            ("2020-01-01 02:00", y2020 + 2 * HOUR),
            ("2020-01-01T02:00:00+02:00", y2020),
            ("2020-01-01 00:00:00.0000001", y2020 + 1),
            ("2020-01-02 11:59:59.9999999 PM", y2020 + 2 * DAY - 1),
            ("Wed, 1 Jan 2020 00:00:01 GMT", y2020 + SECOND),
            ("01-Jan-20 00:00", y2020),
            ("0001-01-01", 0),
        ] {
            assert_eq!(datetime(text), Some(ticks), "{text}");
        }
        for text in ["2020-13-01", "2021-02-29", "x", "2020-01-01T25:00", "1", ""] {
            assert_eq!(datetime(text), None, "{text}");
        }
    }

    #[test]
    fn spans_of_time_have_ticks() {
        for (text, ticks) in [
            ("1d", DAY),
            ("1.5h", HOUR + HOUR / 2),
            ("-2 min", -2 * MINUTE),
            ("3ticks", 3),
            ("100nanoseconds", 1),
            ("2", 2 * DAY),
            (
                "1.02:03:04.5",
                DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND + SECOND / 2,
            ),
            ("00:01", MINUTE),
        ] {
            assert_eq!(timespan(text), Some(ticks), "{text}");
        }
        for text in ["1x", "25:00", "1:60", "", "d"] {
            assert_eq!(timespan(text), None, "{text}");
        }
    }

    #[test]
    fn typed_literals_have_values_or_are_invalid() {
        for (ty, text, value) in [
            (ScalarType::Int, "int(5)", Literal::Int(5)),
            (ScalarType::Int, "int( null )", Literal::Null(ScalarType::Int)),
            (ScalarType::Long, "long(-0x10)", Literal::Long(-16)),
            (ScalarType::Bool, "bool(0)", Literal::Bool(false)),
            (ScalarType::Real, "real(-inf)", Literal::Real(f64::NEG_INFINITY)),
            (
                ScalarType::Decimal,
                "decimal(1.50)",
                Literal::Decimal("1.50".into()),
            ),
            (
                ScalarType::Guid,
                "guid(00000000-0000-0000-0000-00000000000f)",
                Literal::Guid(15),
            ),
            (
                ScalarType::Int,
                "int(x)",
                Literal::Invalid(ScalarType::Int, "x".into()),
            ),
            (
                ScalarType::DateTime,
                "datetime(\"2020\")",
                Literal::DateTime(737_424 * DAY),
            ),
            (
                ScalarType::DateTime,
                "datetime('1-02-2020')",
                Literal::DateTime(737_425 * DAY),
            ),
        ] {
            assert_eq!(typed(ty, text), value, "{text}");
        }
        assert!(matches!(typed(ScalarType::Real, "real(nan)"), Literal::Real(n) if n.is_nan()));
    }

    #[test]
    fn strings_are_decoded() {
        for (text, value) in [
            (r#""a\tb""#, "a\tb"),
            (r#""\x41\u00e9\101""#, "AéA"),
            (r#"@"c:\""x""#, r#"c:\"x"#),
            (r"'it\'s'", "it's"),
            ("```a\\n\n```", "a\\n\n"),
            (r#""a"#, "a"),
        ] {
            assert_eq!(string(text).0, value, "{text}");
        }
        assert!(string("h'x'").1);
        assert!(!string("'x'").1);
    }
}
