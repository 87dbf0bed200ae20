//! What changed, from the version histories of all rules, the newest first.

use serde::Serialize;

use crate::{
    html,
    overview::{Link, Overview},
};

/// All changes of one day.
#[derive(Debug, Serialize)]
pub(crate) struct Day<'a> {
    /// `2024-06-28`; none for changes whose date is missing or cannot be read.
    pub(crate) date: Option<String>,
    pub(crate) changes: Vec<Change<'a>>,
}

/// A change.
#[derive(Debug, Serialize)]
pub(crate) struct Change<'a> {
    pub(crate) rule: Link<'a>,
    pub(crate) version: &'a str,
    /// The date as written, where it is not a date of the calendar.
    pub(crate) written: Option<&'a str>,
    pub(crate) impact: Option<&'a str>,
    pub(crate) notes_html: String,
}

/// All changes by day.
pub(crate) fn changes<'a>(overviews: &'a [Overview<'a>]) -> Vec<Day<'a>> {
    let mut all: Vec<(Option<String>, usize, usize)> = Vec::new();
    for (at, overview) in overviews.iter().enumerate() {
        for (entry, version) in overview.document.rule.versions.iter().enumerate() {
            all.push((version.date.as_deref().and_then(calendar), at, entry));
        }
    }
    // Days from the newest; within one the rules in their order.
    all.sort_by(|a, b| (&b.0, a.1, a.2).cmp(&(&a.0, b.1, b.2)));
    let mut days: Vec<Day<'_>> = Vec::new();
    for (date, at, entry) in all {
        let overview = &overviews[at];
        let version = &overview.document.rule.versions[entry];
        let change = Change {
            rule: overview.link(),
            version: &version.version,
            written: version.date.as_deref().filter(|_| date.is_none()),
            impact: version.impact.as_deref(),
            notes_html: html::markdown(&version.notes, 3),
        };
        match days.last_mut() {
            Some(day) if day.date == date => day.changes.push(change),
            _ => days.push(Day {
                date,
                changes: vec![change],
            }),
        }
    }
    days
}

/// `2024-06-28` of a date with the year first; others are not guessed at.
fn calendar(written: &str) -> Option<String> {
    let mut parts = written.trim().splitn(3, ['-', '/', '.']);
    let mut number = |long: usize| -> Option<u32> {
        let part = parts.next()?;
        // A time of day may follow the date.
        let part = part.split(['T', ' ']).next()?;
        (part.len() <= long && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    let fine = (1990..3000).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    fine.then(|| format!("{year:04}-{month:02}-{day:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(calendar("2024-6-28").as_deref(), Some("2024-06-28"));
        assert_eq!(calendar("2024-06-28T10:00").as_deref(), Some("2024-06-28"));
        assert_eq!(calendar("28-06-2024"), None);
        assert_eq!(calendar("2024-13-01"), None);
        assert_eq!(calendar(""), None);
    }
}
