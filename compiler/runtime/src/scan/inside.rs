//! Whether a string somewhere within JSON may have one of several texts.
//!
//! In: the bytes of a value, be it JSON or text that holds it. Out: whether it may.
//! All texts are looked for at once where the processor has the vectors for it.

use std::cell::RefCell;

use aho_corasick::packed::{Builder, Searcher};
use memchr::memmem::Finder;

use super::needle::{Needle, folds_plainly};

/// A character by code point, at whatever depth of quoting.
const BY_CODE: &[u8] = b"\\u";

/// The texts.
#[derive(Debug)]
pub(super) struct Inside {
    needles: Vec<Needle>,
    folded: bool,
    /// All of them in lower case. [`BY_CODE`] is not among them: the longer the
    /// shortest is, the less is taken for the beginning of one.
    together: Option<Searcher>,
    by_code: Finder<'static>,
}

impl Inside {
    pub(super) fn new(needles: Vec<Needle>) -> Self {
        let lower = needles.iter().map(|needle| needle.bytes.to_ascii_lowercase());
        Self {
            folded: needles.iter().any(|needle| needle.folded),
            together: Builder::new().extend(lower).build(),
            by_code: Finder::new(BY_CODE),
            needles,
        }
    }

    /// Roughly how long it takes to ask.
    pub(super) fn cost(&self) -> usize {
        if self.together.is_some() {
            32
        } else {
            16 * self.needles.len()
        }
    }

    /// Whether one of the texts may be there.
    pub(super) fn may_be_in(&self, raw: &[u8]) -> bool {
        thread_local! {
            static LOWER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        let beyond = || self.by_code.find(raw).is_some() || self.folded && !folds_plainly(raw);
        if let Some(together) = &self.together {
            let found = LOWER.with_borrow_mut(|lower| {
                lower.clear();
                lower.extend(raw.iter().map(u8::to_ascii_lowercase));
                together.find(&*lower).is_some()
            });
            if !found {
                return beyond();
            }
        }
        // What was found may be in another case than it has to be.
        self.needles.iter().any(|needle| needle.is_in(raw)) || beyond()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rulec_functions::TextTest;

    fn inside(texts: &[&str], folded: bool) -> Vec<Inside> {
        let needles = || {
            texts
                .iter()
                .filter_map(|text| Needle::new(text, TextTest::Inside, folded))
                .collect()
        };
        let together = Inside::new(needles());
        let one_by_one = Inside {
            together: None,
            ..Inside::new(needles())
        };
        vec![together, one_by_one]
    }

    #[test]
    fn inside_of_json() {
        for inside in inside(&["Evil", "a\\b", "x"], true) {
            assert!(inside.may_be_in(br#"{"a":"very evil"}"#));
            assert!(inside.may_be_in(br#""{\"a\":\"\\u0065vil\"}""#));
            assert!(!inside.may_be_in(br#""{\"a\":\"good\"}""#));
            assert!(inside.may_be_in("{\"a\":\"EV\u{131}L\"}".as_bytes()));
            assert!(
                inside.may_be_in(br#"{"a":"A\\B"}"#) && !inside.may_be_in(b"") && !inside.may_be_in(b"y")
            );
        }
        for inside in inside(&["Evil", "worse"], false) {
            assert!(inside.may_be_in(br#"{"a":"Evil"}"#) && !inside.may_be_in(br#"{"a":"evil WORSE"}"#));
            assert!(!inside.may_be_in("{\"a\":\"EV\u{131}L\"}".as_bytes()));
            assert!(inside.may_be_in(br#""{\"a\":\"\\u0065vil\"}""#));
        }
    }
}
