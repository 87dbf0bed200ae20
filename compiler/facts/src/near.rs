//! "Did you mean": the known names nearest to one that is not known.

/// The names that a person who wrote `wrong` may have meant, by name, at
/// most `limit`; several only when they are equally near. A difference of case alone counts as
/// nearest; beyond that up to a third of the letters may differ (swapped
/// neighbours count once). Names shorter than three letters match only by case.
pub fn close_matches<'a>(
    wrong: &str,
    names: impl IntoIterator<Item = &'a str>,
    limit: usize,
) -> Vec<&'a str> {
    let folded: Vec<char> = wrong.to_lowercase().chars().collect();
    let letters = letters(&folded);
    let allowed = folded.len() / 3;
    // Hundreds of names are compared, nearly all of which are far.
    let mut other: Vec<char> = Vec::new();
    let mut found: Vec<(usize, &str)> = names
        .into_iter()
        .filter(|name| *name != wrong && name.len().abs_diff(wrong.len()) <= allowed.max(1) * 4)
        .filter_map(|name| {
            other.clear();
            other.extend(name.chars().flat_map(char::to_lowercase));
            // An edit takes at most one letter away and brings one.
            if (letters ^ self::letters(&other)).count_ones() as usize > 2 * allowed {
                return None;
            }
            let distance = distance(&folded, &other, allowed)?;
            Some((distance, name))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    // What is further away than the nearest was hardly meant.
    let nearest = found.first().map_or(0, |(distance, _)| *distance);
    found.retain(|(distance, _)| *distance == nearest);
    found.truncate(limit);
    found.into_iter().map(|(_, name)| name).collect()
}

/// The letters that occur, a bit each; several share one.
fn letters(text: &[char]) -> u64 {
    text.iter().fold(0, |all, c| all | 1 << (u32::from(*c) % 64))
}

/// Edits (insert, delete, replace, swap neighbours) between `a` and `b`; None above `most`.
fn distance(a: &[char], b: &[char], most: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut before_last: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut row: Vec<usize> = vec![0; b.len() + 1];
    for i in 1..=a.len() {
        row[0] = i;
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        if row.iter().all(|cost| *cost > most) {
            return None;
        }
        // The oldest row is written over next.
        std::mem::swap(&mut before_last, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last.last().copied().filter(|cost| *cost <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_first() {
        let names = ["DeviceEvents", "DeviceFileEvents", "DeviceInfo", "EmailEvents"];
        assert_eq!(close_matches("DeviceEvent", names, 3), ["DeviceEvents"]);
        assert_eq!(close_matches("deviceevents", names, 1), ["DeviceEvents"]);
        assert_eq!(close_matches("DeviecEvents", names, 1), ["DeviceEvents"]);
        assert_eq!(close_matches("EmialEvents", names, 1), ["EmailEvents"]);
    }

    #[test]
    fn far_names_are_not_offered() {
        assert!(close_matches("Syslog", ["DeviceEvents"], 3).is_empty());
        assert!(close_matches("ab", ["cd", "ax"], 3).is_empty());
        assert!(close_matches("", ["a"], 3).is_empty());
    }
}
