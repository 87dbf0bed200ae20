//! Times in the raw bytes of a field against the bounds of a rule.
//!
//! Exports write times in one form, whose order as text is their order in time.
//! Nearly every row of a log is well within the bounds of a rule or well
//! without, which its first nineteen bytes tell without a calendar.

use rulec_functions::{calendar, text};

/// The bytes of `2026-01-31T12:00:00`.
const SECOND: usize = 19;

/// From one time to another, both included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    ticks: (i64, i64),
    /// The seconds that the two are in.
    seconds: (Second, Second),
}

/// The text of a time down to its second, as numbers in the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Second(u128, u32);

impl Second {
    const FIRST: Self = Self(0, 0);
    const LAST: Self = Self(u128::MAX, u32::MAX);

    /// None for what is beyond the times there are.
    fn at(ticks: i64) -> Option<Self> {
        calendar::valid(ticks).then(|| Self::of(text::print_datetime(ticks).as_bytes()))?
    }

    #[inline]
    fn of(text: &[u8]) -> Option<Self> {
        let (date, _) = text.split_first_chunk::<16>()?;
        let rest = text.get(SECOND - 4..)?.first_chunk::<4>()?;
        Some(Self(u128::from_be_bytes(*date), u32::from_be_bytes(*rest)))
    }
}

impl Span {
    /// From `earliest` ticks on.
    pub(super) fn from(earliest: i64) -> Self {
        Self {
            ticks: (earliest, i64::MAX),
            seconds: (Second::at(earliest).unwrap_or(Second::FIRST), Second::LAST),
        }
    }

    /// Up to `latest` ticks.
    pub(super) fn to(latest: i64) -> Self {
        Self {
            ticks: (i64::MIN, latest),
            seconds: (Second::FIRST, Second::at(latest).unwrap_or(Second::LAST)),
        }
    }

    /// Whether the raw value of a field may be a time within.
    #[inline]
    pub(super) fn may_hold(&self, raw: &[u8]) -> bool {
        let [b'"', content @ .., b'"'] = raw else {
            return true;
        };
        let Some(second) = Second::of(content) else {
            return true;
        };
        // What is no time may pass, so that this needs no look at the rest.
        let (first, last) = self.seconds;
        if first < second && second < last {
            return true;
        }
        if first != second && second != last && is_plain(content) {
            return false;
        }
        time(content).is_none_or(|ticks| (self.ticks.0..=self.ticks.1).contains(&ticks))
    }
}

/// Whether a text is surely a time in the form whose order as text is its
/// order in time. Days that not every month has are left to who knows months.
fn is_plain(content: &[u8]) -> bool {
    let Some((whole, rest)) = content.split_first_chunk::<SECOND>() else {
        return false;
    };
    let fraction = match rest {
        b"Z" => true,
        [b'.', digits @ .., b'Z'] => (1..=7).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let marks = [whole[4], whole[7], whole[10], whole[13], whole[16]];
    let within = |at: usize, low: &[u8; 2], high: &[u8; 2]| {
        let pair = &whole[at..at + 2];
        pair[1].is_ascii_digit() && (&low[..]..=&high[..]).contains(&pair)
    };
    fraction
        && marks == *b"--T::"
        && whole[..4].iter().all(u8::is_ascii_digit)
        && whole[..4] != *b"0000"
        && within(5, b"01", b"12")
        && within(8, b"01", b"28")
        && within(11, b"00", b"23")
        && within(14, b"00", b"59")
        && within(17, b"00", b"59")
}

/// A time in the form that exports use, `2026-01-31T12:00:00…Z`.
fn time(content: &[u8]) -> Option<i64> {
    if content.len() < SECOND + 1
        || content[10] != b'T'
        || content.last() != Some(&b'Z')
        || !content.is_ascii()
    {
        return None;
    }
    text::parse_datetime(std::str::from_utf8(content).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the calendar says of it.
    fn slowly(span: &Span, content: &str) -> bool {
        time(content.as_bytes()).is_none_or(|ticks| (span.ticks.0..=span.ticks.1).contains(&ticks))
    }

    #[test]
    fn a_time_within_is_never_lost_and_one_without_is_seldom_kept() {
        let mut rng = fastrand::Rng::with_seed(20_261_122);
        let bound = text::parse_datetime("2026-01-15T12:00:00.5Z").unwrap();
        let spans = [
            Span::from(bound),
            Span::to(bound),
            Span::from(i64::MIN),
            Span::to(i64::MAX),
        ];
        let mut told = 0;
        for _ in 0..20_000 {
            let ticks = match rng.u8(..3) {
                0 => bound + rng.i64(-20_000_000..20_000_000),
                1 => bound + rng.i64(-1 << 52..1 << 52),
                _ => rng.i64(0..3_155_378_975_999_999_999),
            };
            let mut content = text::print_datetime(ticks).into_bytes();
            if rng.u8(..4) == 0 {
                let at = rng.usize(..content.len());
                content[at] = b"0123456789TZ-:. \"x"[rng.usize(..18)];
            }
            let content = String::from_utf8(content).unwrap();
            for span in &spans {
                let (quick, slow) = (
                    span.may_hold(format!("\"{content}\"").as_bytes()),
                    slowly(span, &content),
                );
                assert!(quick || !slow, "{content} {span:?}");
                told += usize::from(quick == slow);
            }
        }
        assert!(told > 78_000, "{told}");
        for odd in [
            "\"\"",
            "null",
            "1768478400",
            "\"2026-01-15\"",
            "\"2026-02-30T00:00:00Z\"",
            "\"2026-01-15T12:00:00",
        ] {
            assert!(spans[0].may_hold(odd.as_bytes()), "{odd}");
        }
    }
}
