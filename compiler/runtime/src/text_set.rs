//! A long list of strings that values are looked up in: what `in` and `in~`
//! over many constants become.

use std::collections::HashSet;

use rulec_functions::fold::fold;

/// A set of strings, with or without regard to case.
///
/// ```
/// let names = rulec_runtime::TextSet::folded(["cmd.exe", "PowerShell.exe"]);
/// assert!(names.contains("CMD.EXE"));
/// ```
#[derive(Clone, Debug)]
pub struct TextSet {
    texts: HashSet<Box<str>>,
    folded: bool,
}

impl TextSet {
    /// Strings that must be equal: `in`.
    pub fn exact<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        Self {
            texts: texts.into_iter().map(Box::from).collect(),
            folded: false,
        }
    }

    /// Strings that must be equal regardless of case: `in~`.
    pub fn folded<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        Self {
            texts: texts.into_iter().map(|text| Box::from(&*fold(text))).collect(),
            folded: true,
        }
    }

    /// Whether a string is one of them.
    pub fn contains(&self, text: &str) -> bool {
        if self.folded {
            self.texts.contains(&*fold(text))
        } else {
            self.texts.contains(text)
        }
    }
}
