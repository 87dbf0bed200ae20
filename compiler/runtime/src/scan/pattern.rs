//! A regular expression asked on the bytes of a text.
//!
//! In: the text, unescaped. Out: whether the expression may match somewhere.
//! It is compiled when it is first asked, since most are never.

use std::sync::{Arc, OnceLock};

use regex::bytes::{Regex, RegexBuilder};

use super::run::Run;

/// The memory that an expression may take, in bytes.
const MOST: usize = 4 << 20;

/// A regular expression.
#[derive(Debug)]
pub(super) struct Pattern {
    text: Arc<str>,
    compiled: OnceLock<Option<Regex>>,
    run: OnceLock<Option<Run>>,
}

impl Pattern {
    pub(super) fn new(text: &Arc<str>) -> Self {
        Self {
            text: text.clone(),
            compiled: OnceLock::new(),
            run: OnceLock::new(),
        }
    }

    /// Whether there may be a match in a text that is still written as JSON
    /// usually is, as far as that is seen sooner than by looking for one.
    pub(super) fn may_match_in(&self, content: &[u8]) -> bool {
        let run = self.run.get_or_init(|| Run::of(&self.text));
        run.as_ref().is_none_or(|run| run.is_in(content))
    }

    /// Whether there may be a match. What cannot be compiled may match anything.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        let compile = || RegexBuilder::new(&self.text).size_limit(MOST).build().ok();
        self.compiled
            .get_or_init(compile)
            .as_ref()
            .is_none_or(|regex| regex.is_match(text))
    }
}
