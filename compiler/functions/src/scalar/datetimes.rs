//! Dates, times and spans of time.

use crate::args::{datetime, get, long, long_or, maybe_datetime, maybe_timespan, real, timespan};
use crate::calendar::{self, DAY, HOUR, MICROSECOND, MILLISECOND, MINUTE, SECOND, UNIX_EPOCH};
use crate::{Value, convert, text, zones};

rows! { ROWS: Function in datetimes {
    context "now" , [(; TimeSpan) -> DateTime], "The time of the query, moved by a timespan.";
    context "ago", [(TimeSpan) -> DateTime], "The time of the query less a timespan.";
    startofday "startofday" as FirstArgument, [(DateTime; Long) -> DateTime], "The start of the day, moved by a number of days.",
        "startofday(datetime(2017-01-01 10:10:17), -1)" => "2016-12-31T00:00:00.0000000Z";
    startofweek "startofweek", [(DateTime; Long) -> DateTime], "The start of the week's Sunday, moved by a number of weeks.",
        "startofweek(datetime(2017-01-03 10:10:17))" => "2017-01-01T00:00:00.0000000Z";
    startofmonth "startofmonth", [(DateTime; Long) -> DateTime], "The start of the month, moved by a number of months.",
        "startofmonth(datetime(2017-01-31), 1)" => "2017-02-01T00:00:00.0000000Z";
    startofyear "startofyear", [(DateTime; Long) -> DateTime], "The start of the year, moved by a number of years.",
        "startofyear(datetime(2017-05-01))" => "2017-01-01T00:00:00.0000000Z";
    endofday "endofday", [(DateTime; Long) -> DateTime], "The last tick of the day, moved by a number of days.",
        "endofday(datetime(2017-01-01 10:10:17))" => "2017-01-01T23:59:59.9999999Z";
    endofweek "endofweek", [(DateTime; Long) -> DateTime], "The last tick of the week's Saturday, moved by a number of weeks.",
        "endofweek(datetime(2017-01-01 10:10:17))" => "2017-01-07T23:59:59.9999999Z";
    endofmonth "endofmonth", [(DateTime; Long) -> DateTime], "The last tick of the month, moved by a number of months.",
        "endofmonth(datetime(2017-02-01))" => "2017-02-28T23:59:59.9999999Z";
    endofyear "endofyear", [(DateTime; Long) -> DateTime], "The last tick of the year, moved by a number of years.",
        "endofyear(datetime(2017-02-01), -1)" => "2016-12-31T23:59:59.9999999Z";
    dayofweek "dayofweek", [(DateTime) -> TimeSpan], "The whole days since Sunday, as a timespan.",
        "dayofweek(datetime(1970-05-11))" => "1.00:00:00";
    dayofmonth "dayofmonth", [(DateTime) -> Int], "The day of the month.",
        "dayofmonth(datetime(2015-12-14))" => "14";
    dayofyear "dayofyear", [(DateTime) -> Int], "The day of the year.",
        "dayofyear(datetime(2015-12-14))" => "348";
    hourofday "hourofday", [(DateTime) -> Int], "The hour of the day, 0 to 23.",
        "hourofday(datetime(2015-12-14 18:54))" => "18";
    monthofyear "monthofyear" = "getmonth", [(DateTime) -> Int], "The month of the year, 1 to 12.",
        "monthofyear(datetime(2015-12-14))" => "12";
    getyear "getyear", [(DateTime) -> Int], "The year.",
        "getyear(datetime(2015-12-14))" => "2015";
    week_of_year "week_of_year", [(DateTime) -> Int], "The ISO 8601 week of the year.",
        "week_of_year(datetime(2020-12-31))" => "53";
    week_of_year "weekofyear" instead "week_of_year", [(DateTime) -> Int], "The ISO 8601 week of the year.",
        "weekofyear(datetime(2020-01-01))" => "1";
    datetime_part "datetime_part", [(Part, DateTime) -> Int], "One part of a datetime, by name.",
        "datetime_part('quarter', datetime(2017-10-30))" => "4", "datetime_part('nanosecond', datetime(2017-10-30 01:02:03.7654321))" => "765432100";
    datetime_part "datepart" instead "datetime_part", [(Part, DateTime) -> Int], "One part of a datetime, by name.",
        "datepart('year', datetime(2017-10-30))" => "2017";
    datetime_add "datetime_add", [(Unit, Integer, DateTime) -> DateTime], "A datetime moved by a number of years, months, days and so on.",
        "datetime_add('month', 1, datetime(2017-01-31))" => "2017-02-28T00:00:00.0000000Z";
    datetime_diff "datetime_diff", [(Unit, DateTime, DateTime) -> Long], "How many starts of a year, month, day and so on lie between two datetimes.",
        "datetime_diff('month', datetime(2017-01-01), datetime(2015-12-30))" => "13", "datetime_diff('minute', datetime(2017-10-30 23:05:01), datetime(2017-10-30 23:00:59))" => "5";
    make_datetime "make_datetime" as OnlyArgument, [(Number, Number, Number; Number, Number, Number) -> DateTime, (Scalar) -> DateTime], "A datetime of year, month, day, hour, minute and second.",
        "make_datetime(2017, 10, 1, 12, 11, 0.1234567)" => "2017-10-01T12:11:00.1234567Z", "make_datetime(2017, 2, 30)" => "";
    make_timespan "make_timespan" as OnlyArgument, [(Integer, Integer, Integer, Number) -> TimeSpan, (Integer, Integer; Number) -> TimeSpan, (Scalar) -> TimeSpan], "A timespan of days, hours, minutes and seconds; the days and seconds can be left out.",
        "make_timespan(1, 12, 30, 55.123)" => "1.12:30:55.1230000", "make_timespan(12, 30, 60)" => "", "make_timespan(12, 30)" => "12:30:00";
    format_datetime "format_datetime" as FirstArgument, [(DateTime, FormatText) -> String], "A datetime in a format of one's own.",
        "format_datetime(datetime(2017-01-29 09:00:05), 'yy-MM-dd [hh:mm:ss tt]')" => "17-01-29 [09:00:05 AM]",
        "format_datetime(datetime(2009-06-05T03:04:05.061), 'ddd MMM tttt yyyyy .FF .FFFF')" => "055 066 AMAM 20099 .06 .0610";
    format_timespan "format_timespan" as FirstArgument, [(TimeSpan, FormatText) -> String], "A timespan in a format of one's own.",
        "format_timespan(time(29.09:00:05.12345), 'dd.hh:mm:ss [FF]')" => "29.09:00:05 [12]";
    unix_seconds "unixtime_seconds_todatetime", [(Number) -> DateTime], "A datetime from the seconds since 1970.",
        "unixtime_seconds_todatetime(1546300800)" => "2019-01-01T00:00:00.0000000Z";
    unix_milliseconds "unixtime_milliseconds_todatetime", [(Number) -> DateTime], "A datetime from the milliseconds since 1970.",
        "unixtime_milliseconds_todatetime(1546300800000)" => "2019-01-01T00:00:00.0000000Z";
    unix_microseconds "unixtime_microseconds_todatetime", [(Number) -> DateTime], "A datetime from the microseconds since 1970.",
        "unixtime_microseconds_todatetime(1546300800000000)" => "2019-01-01T00:00:00.0000000Z";
    unix_nanoseconds "unixtime_nanoseconds_todatetime", [(Number) -> DateTime], "A datetime from the nanoseconds since 1970.",
        "unixtime_nanoseconds_todatetime(1546300800000000000)" => "2019-01-01T00:00:00.0000000Z";
    utc_to_local "datetime_utc_to_local", [(DateTime, Text) -> DateTime], "A datetime as the clocks of a time zone show it.",
        "datetime_utc_to_local(datetime(2022-07-11 22:18:48), 'US/Pacific')" => "2022-07-11T15:18:48.0000000Z";
    local_to_utc "datetime_local_to_utc", [(DateTime, Text) -> DateTime], "The datetime at which the clocks of a time zone show another.",
        "datetime_local_to_utc(datetime(2022-07-11 15:18:48), 'US/Pacific')" => "2022-07-11T22:18:48.0000000Z";
    list_timezones "datetime_list_timezones", [() -> Array], "The names of all time zones.",
        "set_has_element(datetime_list_timezones(), 'Europe/Amsterdam')" => "true";
}}

/// A unit of the calendar, as `datetime_add` and its relatives name it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Months(i64),
    Ticks(i64),
    /// 100 of these are a tick.
    Nanosecond,
}

fn part(name: &str) -> Option<Part> {
    Some(match &*name.to_ascii_lowercase() {
        "year" => Part::Months(12),
        "quarter" => Part::Months(3),
        "month" => Part::Months(1),
        "week" => Part::Ticks(7 * DAY),
        "day" => Part::Ticks(DAY),
        "hour" => Part::Ticks(HOUR),
        "minute" => Part::Ticks(MINUTE),
        "second" => Part::Ticks(SECOND),
        "millisecond" => Part::Ticks(MILLISECOND),
        "microsecond" => Part::Ticks(MICROSECOND),
        "nanosecond" => Part::Nanosecond,
        _ => return None,
    })
}

/// Months since year 0.
fn months(ticks: i64) -> i64 {
    let date = calendar::civil(ticks);
    date.year * 12 + date.month - 1
}

fn month_start(index: i64) -> Option<i64> {
    calendar::from_date(index.div_euclid(12), index.rem_euclid(12) + 1, 1)
}

fn day_start(ticks: i64, offset: i64) -> Option<i64> {
    ticks
        .checked_sub(ticks.rem_euclid(DAY))?
        .checked_add(offset.checked_mul(DAY)?)
}

fn week_start(ticks: i64, offset: i64) -> Option<i64> {
    day_start(
        ticks,
        offset.checked_mul(7)?.checked_sub(calendar::day_of_week(ticks))?,
    )
}

/// The start of the month `size * offset` months on from the start of the
/// period of that many months.
fn period_start(ticks: i64, size: i64, offset: i64) -> Option<i64> {
    let index = months(ticks);
    month_start(
        index
            .checked_sub(index.rem_euclid(size))?
            .checked_add(offset.checked_mul(size)?)?,
    )
}

/// One kernel for the start of a period and one for its end: the tick before
/// the next one starts.
macro_rules! periods {
    ($($start:ident $end:ident $rule:expr;)*) => { $(
        #[doc = concat!("`", stringify!($start), "`.")]
        pub fn $start(args: &[Value]) -> Value {
            let rule: fn(i64, i64) -> Option<i64> = $rule;
            maybe_datetime(datetime(args, 0).and_then(|t| rule(t, long_or(args, 1, 0))))
        }

        #[doc = concat!("`", stringify!($end), "`.")]
        pub fn $end(args: &[Value]) -> Value {
            let rule: fn(i64, i64) -> Option<i64> = $rule;
            let Some(ticks) = datetime(args, 0) else {
                return Value::Null;
            };
            let Some(offset) = long_or(args, 1, 0).checked_add(1) else {
                return Value::Null;
            };
            // The last period of the calendar has none after it.
            let last = rule(ticks, offset - 1).is_some_and(calendar::valid);
            let next = rule(ticks, offset).unwrap_or(calendar::MAX + 1).min(calendar::MAX + 1);
            maybe_datetime(last.then_some(next - 1))
        }
    )* };
}

periods! {
    startofday endofday day_start;
    startofweek endofweek week_start;
    startofmonth endofmonth |t, offset| period_start(t, 1, offset);
    startofyear endofyear |t, offset| period_start(t, 12, offset);
}

fn int(value: Option<i64>) -> Value {
    value
        .and_then(|n| i32::try_from(n).ok())
        .map_or(Value::Null, Value::Int)
}

/// `dayofweek`.
pub fn dayofweek(args: &[Value]) -> Value {
    maybe_timespan(datetime(args, 0).map(|t| calendar::day_of_week(t) * DAY))
}

/// `dayofmonth`.
pub fn dayofmonth(args: &[Value]) -> Value {
    int(datetime(args, 0).map(|t| calendar::civil(t).day))
}

/// `dayofyear`.
pub fn dayofyear(args: &[Value]) -> Value {
    int(datetime(args, 0).map(calendar::day_of_year))
}

/// `hourofday`.
pub fn hourofday(args: &[Value]) -> Value {
    int(datetime(args, 0).map(|t| t.rem_euclid(DAY) / HOUR))
}

/// `monthofyear`.
pub fn monthofyear(args: &[Value]) -> Value {
    int(datetime(args, 0).map(|t| calendar::civil(t).month))
}

/// `getyear`.
pub fn getyear(args: &[Value]) -> Value {
    int(datetime(args, 0).map(|t| calendar::civil(t).year))
}

/// The ISO week: weeks start on Monday and belong to the year of their Thursday.
fn iso_week(ticks: i64) -> i64 {
    let monday_based = (calendar::day_of_week(ticks) + 6) % 7;
    let thursday = ticks.saturating_add((3 - monday_based) * DAY);
    (calendar::day_of_year(thursday) - 1) / 7 + 1
}

/// `week_of_year`.
pub fn week_of_year(args: &[Value]) -> Value {
    int(datetime(args, 0).map(iso_week))
}

/// `datetime_part`.
pub fn datetime_part(args: &[Value]) -> Value {
    let Some(t) = datetime(args, 1) else {
        return Value::Null;
    };
    let date = calendar::civil(t);
    let fraction = date.ticks % SECOND;
    int(match &*text::of(args, 0).to_ascii_lowercase() {
        "year" => Some(date.year),
        "quarter" => Some((date.month + 2) / 3),
        "month" => Some(date.month),
        "week_of_year" | "weekofyear" | "week" => Some(iso_week(t)),
        "day" => Some(date.day),
        "dayofyear" => Some(calendar::day_of_year(t)),
        "hour" => Some(date.ticks / HOUR),
        "minute" => Some(date.ticks / MINUTE % 60),
        "second" => Some(date.ticks / SECOND % 60),
        "millisecond" => Some(fraction / MILLISECOND),
        "microsecond" => Some(fraction / MICROSECOND),
        "nanosecond" => Some(fraction * 100),
        _ => None,
    })
}

/// `datetime_add`.
pub fn datetime_add(args: &[Value]) -> Value {
    let (Some(part), Some(amount), Some(t)) = (part(&text::of(args, 0)), long(args, 1), datetime(args, 2))
    else {
        return Value::Null;
    };
    maybe_datetime(match part {
        Part::Months(size) => amount.checked_mul(size).and_then(|n| calendar::add_months(t, n)),
        Part::Ticks(size) => amount.checked_mul(size).and_then(|n| t.checked_add(n)),
        Part::Nanosecond => t.checked_add(amount / 100),
    })
}

/// `datetime_diff`.
pub fn datetime_diff(args: &[Value]) -> Value {
    let (Some(part), Some(a), Some(b)) = (part(&text::of(args, 0)), datetime(args, 1), datetime(args, 2))
    else {
        return Value::Null;
    };
    Value::Long(match part {
        Part::Months(size) => months(a).div_euclid(size) - months(b).div_euclid(size),
        // Weeks start on Sundays, and the first day of the calendar was a Monday.
        Part::Ticks(size) if size == 7 * DAY => {
            a.saturating_add(DAY).div_euclid(size) - b.saturating_add(DAY).div_euclid(size)
        }
        Part::Ticks(size) => a.div_euclid(size) - b.div_euclid(size),
        Part::Nanosecond => a.saturating_sub(b).saturating_mul(100),
    })
}

/// The ticks in an argument that counts the seconds of a minute.
fn seconds(args: &[Value], index: usize) -> Option<i64> {
    let seconds = real(args, index).filter(|s| (0.0..60.0).contains(s))?;
    // Rounded, because 0.1234567 is no binary fraction.
    Some((seconds * SECOND as f64).round() as i64)
}

/// `make_datetime`.
pub fn make_datetime(args: &[Value]) -> Value {
    if args.len() == 1 {
        return maybe_datetime(convert::to_datetime(get(args, 0)));
    }
    let whole = |index: usize, limit: i64| -> Option<i64> {
        match args.get(index) {
            None => Some(0),
            Some(value) => convert::to_long(value).filter(|n| (0..limit).contains(n)),
        }
    };
    let made = || {
        let date = calendar::from_date(long(args, 0)?, long(args, 1)?, long(args, 2)?)?;
        let seconds = if args.get(5).is_none() {
            0
        } else {
            seconds(args, 5)?
        };
        Some(date + whole(3, 24)? * HOUR + whole(4, 60)? * MINUTE + seconds)
    };
    maybe_datetime(made())
}

/// `make_timespan`.
pub fn make_timespan(args: &[Value]) -> Value {
    if args.len() == 1 {
        return maybe_timespan(convert::to_timespan(get(args, 0)));
    }
    let (days, clock) = if args.len() == 4 { (Some(0), 1) } else { (None, 0) };
    let made = || {
        let days = match days {
            Some(index) => long(args, index)?,
            None => 0,
        };
        let hours = long(args, clock)?;
        let minutes = long(args, clock + 1)?;
        let seconds = if args.len() > clock + 2 {
            seconds(args, clock + 2)?
        } else {
            0
        };
        let in_range = |n: i64, limit: i64| (0..limit).contains(&n);
        if !in_range(hours, 24) || !in_range(minutes, 60) {
            return None;
        }
        days.checked_mul(DAY)?
            .checked_add(hours * HOUR + minutes * MINUTE + seconds)
    };
    maybe_timespan(made())
}

/// A number of units since 1970.
fn unix(args: &[Value], numerator: i64, denominator: i64) -> Value {
    let since = match get(args, 0) {
        Value::Int(_) | Value::Long(_) => long(args, 0)
            .and_then(|n| n.checked_mul(numerator))
            .map(|n| n / denominator),
        value => convert::to_real(value).and_then(|r| {
            convert::to_long(&Value::Real((r * numerator as f64 / denominator as f64).round()))
        }),
    };
    maybe_datetime(since.and_then(|ticks| UNIX_EPOCH.checked_add(ticks)))
}

/// `unixtime_seconds_todatetime`.
pub fn unix_seconds(args: &[Value]) -> Value {
    unix(args, SECOND, 1)
}

/// `unixtime_milliseconds_todatetime`.
pub fn unix_milliseconds(args: &[Value]) -> Value {
    unix(args, MILLISECOND, 1)
}

/// `unixtime_microseconds_todatetime`.
pub fn unix_microseconds(args: &[Value]) -> Value {
    unix(args, MICROSECOND, 1)
}

/// `unixtime_nanoseconds_todatetime`.
pub fn unix_nanoseconds(args: &[Value]) -> Value {
    unix(args, 1, 100)
}

/// The runs of one letter in a format, and what is between them.
fn runs(format: &str) -> Vec<(char, usize)> {
    let mut out: Vec<(char, usize)> = Vec::new();
    for c in format.chars() {
        match out.last_mut() {
            Some((last, count)) if *last == c && c.is_ascii_alphabetic() => *count += 1,
            _ => out.push((c, 1)),
        }
    }
    out
}

/// The first digits of a fraction of a second; for `F` none if all are zero.
fn push_fraction(out: &mut String, ticks: i64, digits: usize, unless_zero: bool) {
    let all = format!("{:07}", ticks.rem_euclid(SECOND));
    let part = &all[..digits.min(7)];
    if !unless_zero || part.contains(|digit| digit != '0') {
        out.push_str(part);
    }
}

fn push_padded(out: &mut String, number: i64, width: usize) {
    out.push_str(&format!("{number:0width$}"));
}

/// `format_datetime`. A letter that stands more often than an element is long
/// is that element again: `MMM` is `MM` and `M`.
pub fn format_datetime(args: &[Value]) -> Value {
    let Some(t) = datetime(args, 0) else {
        return Value::string("");
    };
    let date = calendar::civil(t);
    let hour = date.ticks / HOUR;
    let mut out = String::new();
    let mut elements = Vec::new();
    for (letter, mut left) in runs(&text::of(args, 1)) {
        let longest = match letter {
            'y' => 4,
            'f' | 'F' => 7,
            _ => 2,
        };
        while left > 0 {
            elements.push((letter, left.min(longest)));
            left -= left.min(longest);
        }
    }
    for (letter, count) in elements {
        match letter {
            'y' if count <= 2 => push_padded(&mut out, date.year % 100, count),
            'y' => push_padded(&mut out, date.year, count),
            'M' => push_padded(&mut out, date.month, count),
            'd' => push_padded(&mut out, date.day, count),
            'h' => push_padded(&mut out, (hour + 11) % 12 + 1, count),
            'H' => push_padded(&mut out, hour, count),
            'm' => push_padded(&mut out, date.ticks / MINUTE % 60, count),
            's' => push_padded(&mut out, date.ticks / SECOND % 60, count),
            'f' | 'F' => push_fraction(&mut out, date.ticks, count, letter == 'F'),
            't' => {
                let half = if hour < 12 { "AM" } else { "PM" };
                out.push_str(&half[..count]);
            }
            other => out.extend(std::iter::repeat_n(other, count)),
        }
    }
    Value::string(out)
}

/// `format_timespan`.
pub fn format_timespan(args: &[Value]) -> Value {
    let Some(t) = timespan(args, 0) else {
        return Value::string("");
    };
    let ticks = t.saturating_abs();
    let mut out = String::new();
    if t < 0 {
        out.push('-');
    }
    for (letter, count) in runs(&text::of(args, 1)) {
        match letter {
            'd' => push_padded(&mut out, ticks / DAY, count),
            'h' | 'H' => push_padded(&mut out, ticks / HOUR % 24, count),
            'm' => push_padded(&mut out, ticks / MINUTE % 60, count),
            's' => push_padded(&mut out, ticks / SECOND % 60, count),
            'f' | 'F' => push_fraction(&mut out, ticks, count, letter == 'F'),
            other => out.extend(std::iter::repeat_n(other, count)),
        }
    }
    Value::string(out)
}

/// `datetime_utc_to_local`.
pub fn utc_to_local(args: &[Value]) -> Value {
    maybe_datetime(datetime(args, 0).and_then(|t| zones::to_local(t, &text::of(args, 1))))
}

/// `datetime_local_to_utc`.
pub fn local_to_utc(args: &[Value]) -> Value {
    maybe_datetime(datetime(args, 0).and_then(|t| zones::to_utc(t, &text::of(args, 1))))
}

/// `datetime_list_timezones`.
pub fn list_timezones(_: &[Value]) -> Value {
    Value::Array(zones::names().map(Value::string).collect())
}
