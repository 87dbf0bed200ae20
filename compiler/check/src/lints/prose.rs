//! What several lints look at in the text of a document.

use rulec_source::Span;

/// The place of a heading, by what it says.
pub(super) fn heading(text: &str, heading: &str) -> Option<Span> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with('#')
            && line.trim_matches(['#', ' ', '\n', '\r', ':']) == heading.trim_matches([' ', ':'])
        {
            return Some(Span::new(start, start + line.trim_end().len()));
        }
        start += line.len();
    }
    None
}

/// What people write where a text is still missing.
const PLACEHOLDERS: [&str; 6] = ["TODO", "TBD", "FIXME", "XXX", "lorem ipsum", "Lorem ipsum"];

/// The first word that says that a text is still missing.
pub(super) fn placeholder(text: &str) -> Option<&'static str> {
    let letter = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '\\' | '/' | '.');
    PLACEHOLDERS.into_iter().find(|word| {
        text.match_indices(word).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + word.len()..].chars().next();
            // Behind a link's slash or in a longer name it says something else.
            !before.is_some_and(letter) && !after.is_some_and(|c| letter(c) && c != '.')
        })
    })
}

/// Whether a text is a day: year, month, day.
pub(super) fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.trim().split('-').collect();
    let number = |part: &str, width: usize, range: std::ops::RangeInclusive<u32>| {
        part.len() == width && part.parse().is_ok_and(|n: u32| range.contains(&n))
    };
    matches!(parts.as_slice(), [year, month, day]
        if number(year, 4, 1990..=9999) && number(month, 2, 1..=12) && number(day, 2, 1..=31))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_and_what_is_not() {
        assert_eq!(placeholder("None. TODO: look"), Some("TODO"));
        assert_eq!(placeholder("TBD."), Some("TBD"));
        assert_eq!(
            placeholder("Keys of the form XXX-XXX and todo lists, C:\\TODO"),
            None
        );
        assert!(is_date("2024-02-29") && !is_date("2024-13-01") && !is_date("3/4/2024") && !is_date(""));
    }
}
