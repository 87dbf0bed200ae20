//! Texts without which a regular expression does not match.
//!
//! In: a pattern as a query writes it. Out: texts of which every match holds
//! at least one, and what of the pattern every match has anywhere in a longer
//! text. Deliberately absent: matching.

use std::sync::Arc;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Repetition};
use rulec_functions::regexes;

/// More alternatives than these tell too little.
const MOST: usize = 64;

/// Shorter texts are in nearly every value.
const SHORTEST: usize = 2;

/// Texts of which every match holds one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Required {
    pub(super) texts: Vec<Arc<str>>,
    /// Regardless of case.
    pub(super) folded: bool,
}

/// How much a text tells; none where it cannot be asked for.
pub(super) type Weigh = fn(&str) -> Option<usize>;

/// A text that is so long tells enough by itself.
const TELLING: usize = 5;

/// The texts that a pattern requires; none where nothing can be said.
pub(super) fn required(pattern: &str, weigh: Weigh) -> Option<Required> {
    of(&parse(&regexes::translate(pattern).ok()?)?, weigh)
}

/// The pattern itself in the syntax of the regex crate, where it says more than
/// the texts it requires. In a part of a text, nothing is known of what stands
/// before and behind.
pub(super) fn whole(pattern: &str, required: Option<&Required>, in_part: bool) -> Option<String> {
    let telling = |required: &Required| required.texts.iter().all(|text| text.len() >= TELLING);
    if required.is_some_and(telling) {
        return None;
    }
    let translated = regexes::translate(pattern).ok()?;
    let hir = parse(&translated)?;
    let short = |least: usize| least < SHORTEST;
    if hir.properties().minimum_len().is_none_or(short) {
        return None;
    }
    Some(if in_part {
        without_looks(&hir).to_string()
    } else {
        translated
    })
}

fn parse(translated: &str) -> Option<Hir> {
    ParserBuilder::new().utf8(false).build().parse(translated).ok()
}

/// The pattern without conditions on what is around a place.
fn without_looks(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Look(_) => Hir::empty(),
        HirKind::Capture(capture) => without_looks(&capture.sub),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            sub: Box::new(without_looks(&repetition.sub)),
            ..repetition.clone()
        }),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(without_looks).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(without_looks).collect()),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) => hir.clone(),
    }
}

fn of(hir: &Hir, weigh: Weigh) -> Option<Required> {
    match hir.kind() {
        HirKind::Literal(_) | HirKind::Class(_) => best(std::slice::from_ref(hir), weigh),
        HirKind::Capture(capture) => of(&capture.sub, weigh),
        HirKind::Repetition(repetition) if repetition.min > 0 => of(&repetition.sub, weigh),
        HirKind::Concat(parts) => best(parts, weigh),
        HirKind::Alternation(parts) => {
            let mut all = Required {
                texts: Vec::new(),
                folded: false,
            };
            for part in parts {
                let one = of(part, weigh)?;
                all.folded |= one.folded;
                all.texts.extend(one.texts);
            }
            (all.texts.len() <= MOST).then_some(all)
        }
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

/// The most telling of what a sequence requires.
fn best(parts: &[Hir], weigh: Weigh) -> Option<Required> {
    let mut found: Vec<Required> = Vec::new();
    let mut run = Run::default();
    for part in parts {
        if !run.push(part) {
            found.extend(run.end());
            found.extend(match part.kind() {
                // What is no character by itself may require something all the same.
                HirKind::Class(_) | HirKind::Literal(_) => None,
                _ => of(part, weigh),
            });
        }
    }
    found.extend(run.end());
    let weighed = found.into_iter().filter_map(|required| {
        let weights = required.texts.iter().map(|text| weigh(text));
        let least = weights.collect::<Option<Vec<_>>>()?.into_iter().min()?;
        Some(((least, usize::MAX - required.texts.len()), required))
    });
    weighed
        .max_by_key(|(weight, _)| *weight)
        .map(|(_, required)| required)
}

/// Characters that follow each other.
#[derive(Default)]
struct Run {
    text: String,
    folded: bool,
}

impl Run {
    /// Adds a part that is certain; false where it is not.
    fn push(&mut self, part: &Hir) -> bool {
        match part.kind() {
            HirKind::Literal(literal) => {
                let Ok(text) = std::str::from_utf8(&literal.0) else {
                    return false;
                };
                self.text.push_str(text);
                true
            }
            HirKind::Class(class) => {
                let Some(letter) = letter(class) else {
                    return false;
                };
                self.text.push(letter);
                self.folded = true;
                true
            }
            HirKind::Capture(capture) => self.push_plain(&capture.sub),
            _ => false,
        }
    }

    /// A group that holds nothing but characters.
    fn push_plain(&mut self, part: &Hir) -> bool {
        let (length, folded) = (self.text.len(), self.folded);
        let whole = match part.kind() {
            HirKind::Concat(parts) => parts.iter().all(|part| self.push(part)),
            _ => self.push(part),
        };
        if !whole {
            self.text.truncate(length);
            self.folded = folded;
        }
        whole
    }

    fn end(&mut self) -> Option<Required> {
        let run = std::mem::take(self);
        // Beyond ASCII, what a class folds to is more than one letter's two cases.
        (run.text.len() >= SHORTEST && (run.text.is_ascii() || !run.folded)).then(|| Required {
            texts: vec![run.text.into()],
            folded: run.folded,
        })
    }
}

/// The letter of which a class is the two cases; letters beyond ASCII that fold
/// to it may be in the class as well.
fn letter(class: &Class) -> Option<char> {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => class.iter().map(|r| (r.start() as u32, r.end() as u32)).collect(),
        Class::Bytes(class) => class
            .iter()
            .map(|r| (u32::from(r.start()), u32::from(r.end())))
            .collect(),
    };
    let mut letter = None;
    for (start, end) in ranges {
        if start > 0x7f {
            continue;
        }
        let c = char::from_u32(start).filter(|c| start == end && c.is_ascii_alphabetic())?;
        let lower = c.to_ascii_lowercase();
        if letter.is_some_and(|known| known != lower) {
            return None;
        }
        letter = Some(lower);
    }
    letter
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pattern: &str) -> Option<(Vec<String>, bool)> {
        required(pattern, |text| Some(text.len()))
            .map(|r| (r.texts.iter().map(ToString::to_string).collect(), r.folded))
    }

    #[allow(
        clippy::unnecessary_wraps,
        reason = "it stands beside patterns that require nothing"
    )]
    fn exact(texts: &[&str]) -> Option<(Vec<String>, bool)> {
        Some((texts.iter().map(|t| (*t).to_owned()).collect(), false))
    }

    #[test]
    fn what_of_a_pattern_holds_anywhere() {
        let anywhere = |pattern| whole(pattern, None, true);
        assert_eq!(
            anywhere("^[A-Z0-9]{50,}={0,2}$").as_deref(),
            Some("(?:[0-9A-Z]{50,}={0,2})")
        );
        assert!(anywhere(r"(?i)\b(ab|c+d)\b").is_some());
        assert_eq!(anywhere("[a-z]*x"), None, "one character tells nothing");
        let required = required("longer", |text| Some(text.len()));
        assert_eq!(whole("longer", required.as_ref(), false), None);
        assert!(whole("^abc$", None, false).is_some_and(|p| p == "^abc$"));
    }

    #[test]
    fn what_a_match_cannot_do_without() {
        assert_eq!(texts(r"^.*delete\s+shadows$"), exact(&["shadows"]));
        assert_eq!(texts(r"(cmd|powershell)\.exe"), exact(&[".exe"]));
        assert_eq!(texts(r"a(bc)+d|wxyz"), exact(&["bc", "wxyz"]));
        assert_eq!(texts(r"x(foo)y"), exact(&["xfooy"]));
        assert_eq!(texts(r"(?i)Foo"), Some((vec!["foo".to_owned()], true)));
        assert_eq!(texts(r"\bkey\b[0-9]{2,}"), exact(&["key"]));
        // Of what a pattern requires, what can be asked for is taken.
        let letters = |text: &str| {
            text.bytes()
                .all(|b| b.is_ascii_alphabetic())
                .then_some(text.len())
        };
        let found = required(r"ab\d12345", letters).map(|r| r.texts);
        assert_eq!(found, Some(vec![Arc::from("ab")]));
        for nothing in [".*", "a?b?", "[a-z]+", "foo|.", "", "a", "(foo)?", "(foo){0,3}"] {
            assert_eq!(texts(nothing), None, "{nothing}");
        }
    }
}
