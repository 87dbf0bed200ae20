//! The calendar: ticks to dates and back.
//!
//! In: 100 ns ticks since 0001-01-01. Out: years, months, days. The Gregorian
//! calendar is extended over the whole range, as .NET does; nothing here knows
//! of time zones or leap seconds.

/// Ticks in a microsecond.
pub const MICROSECOND: i64 = 10;
/// Ticks in a millisecond.
pub const MILLISECOND: i64 = 1000 * MICROSECOND;
/// Ticks in a second.
pub const SECOND: i64 = 1000 * MILLISECOND;
/// Ticks in a minute.
pub const MINUTE: i64 = 60 * SECOND;
/// Ticks in an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Ticks in a day.
pub const DAY: i64 = 24 * HOUR;
/// The last tick there is: 9999-12-31T23:59:59.9999999Z.
pub const MAX: i64 = 3_155_378_975_999_999_999;
/// 1970-01-01T00:00:00Z.
pub const UNIX_EPOCH: i64 = 621_355_968_000_000_000;

/// A date and a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// 1 to 9999.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
    /// Ticks since midnight.
    pub ticks: i64,
}

/// Whether a datetime is one Kusto can hold.
pub fn valid(ticks: i64) -> bool {
    (0..=MAX).contains(&ticks)
}

/// Days since 0001-01-01 of a date in the proleptic Gregorian calendar.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    // Counting years from March puts the leap day at the end of the year.
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 306
}

/// Whether February has 29 days.
pub fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days in a month, 1 to 12.
pub fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The ticks of a date at midnight; none if there is no such date.
pub fn from_date(year: i64, month: i64, day: i64) -> Option<i64> {
    let exists = (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && day >= 1
        && day <= days_in_month(year, month);
    exists.then(|| days_before(year, month, day) * DAY)
}

/// The date and time of day of a datetime.
pub fn civil(ticks: i64) -> Civil {
    let days = ticks.div_euclid(DAY) + 306;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Civil {
        year,
        month,
        day,
        ticks: ticks.rem_euclid(DAY),
    }
}

/// Days since Sunday, 0 to 6.
pub fn day_of_week(ticks: i64) -> i64 {
    // 0001-01-01 was a Monday.
    (ticks.div_euclid(DAY) + 1).rem_euclid(7)
}

/// Day of the year, from 1.
pub fn day_of_year(ticks: i64) -> i64 {
    let date = civil(ticks);
    days_before(date.year, date.month, date.day) - days_before(date.year, 1, 1) + 1
}

/// Moves by months, keeping the day of the month where it exists, else the
/// month's last.
pub fn add_months(ticks: i64, months: i64) -> Option<i64> {
    let date = civil(ticks);
    let index = (date.year * 12 + date.month - 1).checked_add(months)?;
    let (year, month) = (index.div_euclid(12), index.rem_euclid(12) + 1);
    let day = date.day.min(days_in_month(year, month));
    from_date(year, month, day)?.checked_add(date.ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_back() {
        assert_eq!(from_date(1, 1, 1), Some(0));
        assert_eq!(from_date(1970, 1, 1), Some(UNIX_EPOCH));
        assert_eq!(from_date(9999, 12, 31).map(|t| t + DAY - 1), Some(MAX));
        assert_eq!(from_date(2021, 2, 29), None);
        for days in (0..3_652_059).step_by(17) {
            let date = civil(days * DAY + 5);
            assert_eq!(from_date(date.year, date.month, date.day), Some(days * DAY));
            assert_eq!(date.ticks, 5);
        }
    }

    #[test]
    fn weekdays_and_months() {
        let day = from_date(2017, 1, 1).unwrap();
        assert_eq!(day_of_week(day), 0);
        assert_eq!(day_of_year(from_date(2017, 12, 31).unwrap()), 365);
        assert_eq!(
            add_months(from_date(2024, 1, 31).unwrap(), 1),
            from_date(2024, 2, 29)
        );
        assert_eq!(add_months(day, i64::MAX), None);
        assert_eq!(add_months(day, -30_000), None);
    }
}
