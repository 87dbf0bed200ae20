//! Conditions asked of values that are decoded already: what a reader of files
//! of columns needs to leave rows out before it decodes the rest of them.
//!
//! In: a [`Necessary`], and the values of one of its columns. Out: whether the
//! row may meet it. As with raw bytes, a row may pass that the query drops.

use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};
use rulec_functions::{Necessary, TextTest};

use super::inside::Inside;
use super::needle::{Needle, folds_plainly};
use super::pattern::Pattern;

/// Up to how many texts are looked for one by one.
const FEW: usize = 6;

/// A [`Necessary`] ready to be asked, for a run at a time.
#[derive(Debug)]
pub enum Condition {
    /// Every one of them.
    All(Vec<Condition>),
    /// At least one of them.
    Any(Vec<Condition>),
    /// A test of one column's value.
    Column(Arc<str>, Test),
}

/// A test of a value.
#[derive(Debug)]
pub enum Test {
    /// Of a column of texts; null and a missing column count as the empty text.
    Text(TextsTest),
    /// Of a column that holds JSON, as text.
    Inside(InsideTest),
    /// Of a column of whole numbers, which has to be one of these. Null passes none.
    Numbers(Vec<i64>),
    /// Of a column of times: from these ticks to those, both included. Null
    /// passes none.
    Time(i64, i64),
}

/// Whether a text is, or has, one of several texts, or a match.
#[derive(Debug)]
pub struct TextsTest(How);

/// Whether a string in JSON may have one of several texts.
#[derive(Debug)]
pub struct InsideTest(Box<Inside>);

#[derive(Debug)]
enum How {
    Needles(Vec<Needle>),
    /// Many texts that may be anywhere.
    Many {
        automaton: AhoCorasick,
        folded: bool,
    },
    Match(Pattern),
}

impl Condition {
    /// What is not to be asked, such as folding beyond ASCII, may be anything.
    pub fn new(necessary: &Necessary, now: i64) -> Self {
        let each = |parts: &[Necessary]| parts.iter().map(|part| Self::new(part, now)).collect();
        match necessary {
            Necessary::All(parts) => {
                let mut parts: Vec<Self> = each(parts);
                parts.sort_by_key(Self::cost);
                Self::All(parts)
            }
            Necessary::Any(parts) => {
                let mut parts: Vec<Self> = each(parts);
                parts.sort_by_key(Self::cost);
                Self::Any(parts)
            }
            leaf => Self::leaf(leaf, now).unwrap_or(Self::All(Vec::new())),
        }
    }

    fn leaf(leaf: &Necessary, now: i64) -> Option<Self> {
        Some(match leaf {
            Necessary::Text {
                column,
                test,
                folded,
                texts,
            } => {
                let needles = texts.iter().map(|text| Needle::plain(text, *test, *folded));
                let needles = needles.collect::<Option<Vec<_>>>()?;
                let test = match test {
                    TextTest::Inside => Test::Inside(InsideTest(Box::new(Inside::new(needles)))),
                    TextTest::Contains if needles.len() > FEW => Test::Text(TextsTest(How::Many {
                        automaton: AhoCorasick::builder()
                            .match_kind(MatchKind::Standard)
                            .ascii_case_insensitive(*folded)
                            .build(needles.iter().map(|needle| &needle.bytes))
                            .ok()?,
                        folded: *folded,
                    })),
                    _ => Test::Text(TextsTest(How::Needles(needles))),
                };
                Self::Column(column.clone(), test)
            }
            Necessary::Pattern { column, pattern } => {
                let test = TextsTest(How::Match(Pattern::new(pattern)));
                Self::Column(column.clone(), Test::Text(test))
            }
            Necessary::Number { column, values } => {
                Self::Column(column.clone(), Test::Numbers(values.clone()))
            }
            Necessary::Time {
                column,
                earliest,
                bound,
            } => {
                let ticks = bound.ticks(now)?;
                let test = if *earliest {
                    Test::Time(ticks, i64::MAX)
                } else {
                    Test::Time(i64::MIN, ticks)
                };
                Self::Column(column.clone(), test)
            }
            Necessary::All(_) | Necessary::Any(_) => return None,
        })
    }

    /// Whether every row passes.
    pub fn is_anything(&self) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(Self::is_anything),
            Self::Any(parts) => parts.iter().any(Self::is_anything),
            Self::Column(..) => false,
        }
    }

    /// Roughly how long it takes to ask a row.
    fn cost(&self) -> usize {
        match self {
            Self::All(parts) | Self::Any(parts) => 4 + parts.iter().map(Self::cost).sum::<usize>(),
            Self::Column(_, Test::Numbers(_) | Test::Time(..)) => 1,
            Self::Column(_, Test::Inside(test)) => test.0.cost(),
            Self::Column(_, Test::Text(test)) => match &test.0 {
                How::Needles(needles) => needles
                    .iter()
                    .map(|needle| if needle.test == TextTest::Contains { 8 } else { 2 })
                    .sum(),
                How::Many { .. } => 64,
                How::Match(_) => 256,
            },
        }
    }

    /// The columns that are asked for, each once.
    pub fn columns(&self) -> Vec<&str> {
        let mut found = Vec::new();
        let mut todo = vec![self];
        while let Some(next) = todo.pop() {
            match next {
                Self::All(parts) | Self::Any(parts) => todo.extend(parts),
                Self::Column(name, _) => {
                    if !found.contains(&&**name) {
                        found.push(&**name);
                    }
                }
            }
        }
        found.sort_unstable();
        found
    }
}

impl TextsTest {
    /// Whether the text may pass.
    #[inline]
    pub fn may_pass(&self, text: &str) -> bool {
        match &self.0 {
            How::Needles(_) | How::Many { .. } if text.is_empty() => false,
            How::Needles(needles) => {
                // Case beyond ASCII is for whoever knows it.
                let plain = folds_plainly(text.as_bytes());
                needles
                    .iter()
                    .any(|needle| needle.may_pass(text.as_bytes(), plain))
            }
            How::Many { automaton, folded } => {
                automaton.is_match(text) || *folded && !folds_plainly(text.as_bytes())
            }
            How::Match(pattern) => pattern.matches(text.as_bytes()),
        }
    }
}

impl InsideTest {
    /// Whether the JSON may pass.
    pub fn may_pass(&self, json: &str) -> bool {
        self.0.may_be_in(json.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(necessary: &Necessary, text: &str) -> bool {
        match Condition::new(necessary, 0) {
            Condition::Column(_, Test::Text(test)) => test.may_pass(text),
            Condition::Column(_, Test::Inside(test)) => test.may_pass(text),
            other => other.is_anything(),
        }
    }

    #[test]
    fn texts_are_asked_as_they_are() {
        use TextTest::{Contains, EndsWith, Inside, Is, StartsWith};
        let test = |test, text: &str| Necessary::text_fold("A", test, [text]);
        let cased = |test, text: &str| Necessary::text("A", test, [text]);
        assert!(passes(&test(Is, r"C:\a"), r"c:\A") && !passes(&cased(Is, r"C:\a"), r"c:\A"));
        assert!(passes(&cased(Contains, "\u{1}\"\n"), "x\u{1}\"\ny"));
        assert!(passes(&test(StartsWith, "C:\\"), "c:\\x") && !passes(&test(EndsWith, "C:\\"), "c:\\x"));
        assert!(!passes(&test(Contains, "a"), "") && !passes(&cased(Is, "a"), ""));
        // Beyond ASCII a letter may fold into another.
        assert!(passes(&test(Is, "k"), "\u{212a}") && passes(&test(Contains, "ä"), "x"));
        assert!(passes(&test(Inside, "evil"), r#"{"a":"\u0065vil"}"#));
        assert!(!passes(&test(Inside, "evil"), r#"{"a":"good"}"#));
        let texts: Vec<String> = (0..20).map(|n| format!("tool{n}.exe")).collect();
        let folded = Necessary::text_fold("A", Contains, texts.clone());
        let cased = Necessary::text("A", Contains, texts);
        assert!(passes(&folded, "run TOOL7.exe") && !passes(&cased, "run TOOL7.exe"));
        assert!(passes(&cased, "run tool7.exe") && !passes(&folded, "run tool.exe"));
        assert!(
            passes(&Necessary::pattern("A", "^x+$"), "xx") && !passes(&Necessary::pattern("A", "^x+$"), "")
        );
    }

    #[test]
    fn cheap_tests_come_first() {
        let condition = Necessary::all([
            Necessary::pattern("C", "x"),
            Necessary::any([
                Necessary::text("B", TextTest::Contains, ["y"]),
                Necessary::number("D", [1]),
            ]),
            Necessary::since("A", rulec_functions::Moment::BeforeNow(1)),
        ]);
        let Condition::All(parts) = Condition::new(&condition, 5) else {
            panic!("all of them");
        };
        let columns: Vec<_> = parts.iter().map(Condition::columns).collect();
        assert_eq!(columns, [vec!["A"], vec!["B", "D"], vec!["C"]]);
        assert!(matches!(&parts[0], Condition::Column(_, Test::Time(4, i64::MAX))));
        assert!(Condition::new(&Necessary::ANYTHING, 0).is_anything());
        assert!(!Condition::new(&Necessary::Any(Vec::new()), 0).is_anything());
    }
}
