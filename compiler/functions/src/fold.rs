//! Case folding and search in text: what `=~`, `has`, `contains` and their
//! relatives share.
//!
//! In: two strings. Out: whether, or where, one is in the other. Folding is
//! simple (one character to one), so it never changes how many characters
//! there are.

use std::borrow::Cow;

/// The characters beyond ASCII that have a case in it, by folding or by one of
/// the functions that change case: long s, the Kelvin sign, dotted and dotless i.
pub const MEETS_ASCII: [char; 4] = ['\u{17f}', '\u{212a}', '\u{130}', '\u{131}'];

/// One character folded: two characters are equal regardless of case if they
/// fold to the same.
pub fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    // The dotless i folds to itself, although its upper case is I; so does the
    // dotted I.
    if matches!(c, '\u{131}' | '\u{130}') {
        return c;
    }
    lower_char(upper_char(c))
}

/// The one upper-case letter of a character: the simple mapping of Unicode,
/// which leaves alone what has no single one, such as ß.
pub fn upper_char(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => one,
        _ => match u32::from(c) {
            // Greek letters with an iota below have one with an iota beside.
            code @ (0x1F80..=0x1F87 | 0x1F90..=0x1F97 | 0x1FA0..=0x1FA7) => {
                char::from_u32(code + 8).unwrap_or(c)
            }
            code @ (0x1FB3 | 0x1FC3 | 0x1FF3) => char::from_u32(code + 9).unwrap_or(c),
            _ => c,
        },
    }
}

/// The one lower-case letter of a character: the simple mapping of Unicode.
pub fn lower_char(c: char) -> char {
    // Only the dotted I becomes several, of which the first is the one.
    c.to_lowercase().next().unwrap_or(c)
}

/// Text folded.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        }
    } else {
        Cow::Owned(text.chars().map(fold_char).collect())
    }
}

/// Equality regardless of case.
pub fn eq_fold(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() {
        return a.eq_ignore_ascii_case(b);
    }
    a.chars().map(fold_char).eq(b.chars().map(fold_char))
}

/// Whether text starts with a prefix regardless of case.
pub fn starts_fold(text: &str, prefix: &str) -> bool {
    if let Some(start) = text.as_bytes().get(..prefix.len())
        && start.is_ascii()
        && prefix.is_ascii()
    {
        return start.eq_ignore_ascii_case(prefix.as_bytes());
    }
    let mut chars = text.chars();
    prefix
        .chars()
        .all(|p| chars.next().is_some_and(|c| fold_char(c) == fold_char(p)))
}

/// Whether text ends with a suffix regardless of case.
pub fn ends_fold(text: &str, suffix: &str) -> bool {
    let start = text.len().checked_sub(suffix.len());
    if let Some(end) = start.and_then(|start| text.as_bytes().get(start..))
        && end.is_ascii()
        && suffix.is_ascii()
    {
        return end.eq_ignore_ascii_case(suffix.as_bytes());
    }
    let mut chars = text.chars().rev();
    suffix
        .chars()
        .rev()
        .all(|s| chars.next().is_some_and(|c| fold_char(c) == fold_char(s)))
}

/// Whether text contains a needle regardless of case.
pub fn contains_fold(text: &str, needle: &str) -> bool {
    let needle = fold(needle);
    find_ascii(text, &needle).unwrap_or_else(|| fold(text).contains(&*needle))
}

/// The search where both sides are ASCII and nothing has to be copied; none
/// where they are not. The needle is folded.
fn find_ascii(text: &str, needle: &str) -> Option<bool> {
    if !text.is_ascii() {
        return None;
    }
    let (text, needle) = (text.as_bytes(), needle.as_bytes());
    let Some((&first, rest)) = needle.split_first() else {
        return Some(true);
    };
    if needle.len() > text.len() {
        return Some(false);
    }
    let starts = &text[..=text.len() - needle.len()];
    Some(starts.iter().enumerate().any(|(i, byte)| {
        byte.to_ascii_lowercase() == first
            && text[i + 1..]
                .get(..rest.len())
                .is_some_and(|t| t.eq_ignore_ascii_case(rest))
    }))
}

/// Which ends of a needle must be the ends of terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The needle starts where a term starts.
    pub start: bool,
    /// The needle ends where a term ends.
    pub end: bool,
}

impl Ends {
    /// `has`.
    pub const TERM: Ends = Ends {
        start: true,
        end: true,
    };
    /// `hasprefix`.
    pub const PREFIX: Ends = Ends {
        start: true,
        end: false,
    };
    /// `hassuffix`.
    pub const SUFFIX: Ends = Ends {
        start: false,
        end: true,
    };
}

/// Whether a character belongs to terms.
pub fn is_term_char(c: char) -> bool {
    c.is_alphanumeric()
}

/// Whether a needle occurs with its ends at the ends of terms. An end of the
/// needle that is no term character is an end of a term by itself. Both
/// strings are folded already where case does not matter.
pub fn has_term(text: &str, needle: &str, ends: Ends) -> bool {
    let Some(first) = needle.chars().next() else {
        return true;
    };
    let guard_start = ends.start && is_term_char(first);
    let guard_end = ends.end && needle.chars().next_back().is_some_and(is_term_char);
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find(needle)) {
        let start = from + found;
        let end = start + needle.len();
        let before = text[..start].chars().next_back().is_some_and(is_term_char);
        let after = text[end..].chars().next().is_some_and(is_term_char);
        if !(guard_start && before || guard_end && after) {
            return true;
        }
        from = start + first.len_utf8();
    }
    false
}

/// [`has_term`] regardless of case.
pub fn has_term_fold(text: &str, needle: &str, ends: Ends) -> bool {
    has_term(&fold(text), &fold(needle), ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding() {
        assert!(eq_fold("STRASSE", "strasse"));
        assert!(eq_fold("\u{212a}elvin", "kELVIN"));
        assert!(eq_fold("ΣΑΣ", "σας"));
        assert!(!eq_fold("ı", "I"));
        assert!(!eq_fold("ß", "ss"));
        assert!(contains_fold("C:\\Windows\\System32", "SYSTEM32"));
        assert!(contains_fold("ÄÖÜ", "öü"));
        assert!(contains_fold("x", ""));
        assert!(!contains_fold("", "x"));
        assert!(starts_fold("Ünder", "ün") && ends_fold("folder\\CMD.exe", "cmd.EXE"));
    }

    #[test]
    fn few_characters_have_a_case_in_ascii() {
        let meets = ('\u{80}'..=char::MAX).filter(|c| {
            [fold_char(*c), upper_char(*c), lower_char(*c)]
                .iter()
                .any(char::is_ascii)
        });
        let mut known = MEETS_ASCII;
        known.sort_unstable();
        assert_eq!(meets.collect::<Vec<_>>(), known);
    }

    #[test]
    fn terms() {
        for (text, needle, expected) in [
            ("North America", "america", true),
            ("NorthAmerica", "america", false),
            ("foo.bar", "foo.bar", true),
            ("xfoo.bar", "foo.bar", false),
            ("foo.barn", "foo.bar", false),
            ("foo.bar foo.barn", "foo.bar", true),
            ("cmd.exe /c x", " /c ", true),
            ("a-b_c", "b", true),
            ("aab aa", "aa", true),
            ("über", "ber", false),
        ] {
            assert_eq!(
                has_term_fold(text, needle, Ends::TERM),
                expected,
                "{text} has {needle}"
            );
        }
        assert!(has_term_fold("NorthAmerica", "north", Ends::PREFIX));
        assert!(has_term_fold("NorthAmerica", "ERICA", Ends::SUFFIX));
    }
}
