//! The version history of a document against what changed.

use std::cmp::Ordering;

use rulec_model::{Rule, VersionEntry};

use crate::rule::Bump;

/// What is wrong with a version history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The rule changed and its version did not.
    NotBumped,
    /// The version went up by less than the change asks for.
    TooSmall,
    /// The version went down.
    Backwards,
    /// The new row has no date.
    NoDate,
    /// The new row does not say what changed.
    NoNotes,
    /// A row that was there before says something else, or is gone.
    Edited,
}

/// A problem, placed by JSON pointer into the new rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What it is.
    pub kind: ProblemKind,
    /// Where.
    pub pointer: String,
    /// One sentence without a full stop.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// `1.4` as `[1, 4, 0]`; none for what is no version.
pub fn parts(version: &str) -> Option<[u64; 3]> {
    let mut found = [0; 3];
    let plain = version.trim().trim_start_matches(['v', 'V']);
    let mut count = 0;
    for (place, part) in plain.split('.').enumerate() {
        *found.get_mut(place)? = part.trim().parse().ok()?;
        count += 1;
    }
    (count > 0).then_some(found)
}

/// The first version that is far enough behind another.
fn next(old: [u64; 3], bump: Bump, short: bool) -> String {
    let [major, minor, patch] = old;
    match bump {
        Bump::Major if short => format!("{}.0", major + 1),
        Bump::Major => format!("{}.0.0", major + 1),
        Bump::Patch if !short => format!("{major}.{minor}.{}", patch + 1),
        _ if short => format!("{major}.{}", minor + 1),
        _ => format!("{major}.{}.0", minor + 1),
    }
}

/// What is wrong with the history of a rule of which something changed.
pub fn history(old: &Rule, new: &Rule, bump: Bump) -> Vec<Problem> {
    let mut found = edited(old, new);
    let (was, is) = (old.version(), new.version());
    let short = was.split('.').count() < 3;
    let (Some(before), Some(now)) = (parts(was), parts(is)) else {
        if was == is && bump != Bump::None {
            found.push(not_bumped(was, bump, "a new version"));
        }
        return found;
    };
    match now.cmp(&before) {
        Ordering::Less => found.push(Problem {
            kind: ProblemKind::Backwards,
            pointer: "/versions/0/version".to_owned(),
            message: format!("the version goes back from {was} to {is}"),
            help: "versions only go up; the newest row stands first".to_owned(),
        }),
        Ordering::Equal if bump != Bump::None => {
            found.push(not_bumped(was, bump, &next(before, bump, short)));
        }
        Ordering::Equal => {}
        Ordering::Greater => {
            let step = if now[0] > before[0] {
                Bump::Major
            } else if now[1] > before[1] {
                Bump::Minor
            } else {
                Bump::Patch
            };
            if step < bump {
                found.push(Problem {
                    kind: ProblemKind::TooSmall,
                    pointer: "/versions/0/version".to_owned(),
                    message: format!(
                        "the change asks for a {} version, and {was} to {is} is a {} one",
                        bump.as_str(),
                        step.as_str()
                    ),
                    help: format!("make it {} or later", next(before, bump, short)),
                });
            }
            if let Some(row) = new.versions.first() {
                found.extend(incomplete(row));
            }
        }
    }
    found
}

fn not_bumped(version: &str, bump: Bump, next: &str) -> Problem {
    Problem {
        kind: ProblemKind::NotBumped,
        pointer: "/versions/0/version".to_owned(),
        message: format!(
            "the rule changed, which asks for a {} version, and is still {version}",
            bump.as_str()
        ),
        help: format!("add a row for {next} on top of the version history, with date, impact and notes"),
    }
}

fn incomplete(row: &VersionEntry) -> Vec<Problem> {
    let mut found = Vec::new();
    if row.date.as_deref().is_none_or(|date| date.trim().is_empty()) {
        found.push(Problem {
            kind: ProblemKind::NoDate,
            pointer: "/versions/0".to_owned(),
            message: format!("version {} has no date", row.version),
            help: "say when it was released, as `2026-01-31`".to_owned(),
        });
    }
    if row.notes.trim().is_empty() {
        found.push(Problem {
            kind: ProblemKind::NoNotes,
            pointer: "/versions/0".to_owned(),
            message: format!("version {} does not say what changed", row.version),
            help: "write a line of notes for those who run the rule".to_owned(),
        });
    }
    found
}

/// Rows of the old history that the new one has differently.
fn edited(old: &Rule, new: &Rule) -> Vec<Problem> {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let same = |a: &VersionEntry, b: &VersionEntry| {
        words(&a.notes) == words(&b.notes)
            && a.date.as_deref().map(words) == b.date.as_deref().map(words)
            && a.impact.as_deref().map(words) == b.impact.as_deref().map(words)
    };
    let mut found = Vec::new();
    for row in &old.versions {
        let place = new.versions.iter().position(|other| other.version == row.version);
        let (pointer, message) = match place {
            Some(place)
                if new
                    .versions
                    .iter()
                    .any(|b| b.version == row.version && same(row, b)) =>
            {
                let _ = place;
                continue;
            }
            Some(place) => (
                format!("/versions/{place}"),
                format!(
                    "the row of version {} says something else than it did",
                    row.version
                ),
            ),
            None => (
                "/versions".to_owned(),
                format!("the row of version {} is gone", row.version),
            ),
        };
        found.push(Problem {
            kind: ProblemKind::Edited,
            pointer,
            message,
            help: "what was released stays as it was told; add a row instead".to_owned(),
        });
    }
    found
}
