//! Names of modules, functions and constants in emitted Rust.
//!
//! In: names of rules, tables, columns and let bindings. Out: identifiers,
//! each once where they have to be told apart.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::name::stem;
use crate::template::identifier;

/// The longest name of a module; some file systems take no more than 255 bytes.
const LONGEST: usize = 120;

/// The module of a rule's query: the id in snake case. Where that says less
/// than the id (it is not ASCII, not a fit file name, too long), a hash of it follows.
pub(super) fn module(id: &str, slug: Option<&str>) -> String {
    let whole = slug.map_or_else(|| id.to_owned(), |slug| format!("{id} {slug}"));
    let mut name = identifier(&whole);
    let says_all = whole
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ' '));
    if says_all && stem(id, None) == id && name.len() <= LONGEST {
        return name;
    }
    name.truncate(LONGEST);
    let digits: String = Sha256::digest(whole.as_bytes())
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{}_{digits}", name.trim_end_matches('_'))
}

/// Snake case for anything that is not a module of its own; never a keyword
/// once it is written in capitals, so `type` stays `type`.
fn snake(text: &str, otherwise: &str) -> String {
    // The letter in front keeps keywords and digits as they are.
    let name = identifier(&format!("x {text}"));
    match name.strip_prefix("x_") {
        Some(name) if name.starts_with(|c: char| c.is_ascii_digit()) => format!("{otherwise}_{name}"),
        Some(name) => name.to_owned(),
        None => otherwise.to_owned(),
    }
}

/// Names that are taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// Takes names that nobody may have.
    pub(super) fn reserve<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        self.taken.extend(names.into_iter().map(str::to_owned));
    }

    /// A name for a function or module.
    pub(super) fn item(&mut self, wish: &str) -> String {
        let name = identifier(wish);
        self.free(if name.starts_with('_') {
            "unnamed".to_owned()
        } else {
            name
        })
    }

    /// A name for a constant.
    pub(super) fn constant(&mut self, wish: &str) -> String {
        self.free(snake(wish, "column").to_ascii_uppercase())
    }

    fn free(&mut self, mut wish: String) -> String {
        wish.truncate(LONGEST);
        let mut name = wish.clone();
        let mut number = 1;
        while !self.taken.insert(name.clone()) {
            number += 1;
            name = format!("{wish}_{number}");
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules() {
        assert_eq!(
            module("RL-0001-process-injection-by-rare-binary", None),
            "rl_0001_process_injection_by_rare_binary"
        );
        assert_eq!(module("0xFF-0001", Some("sentinel")), "r_0x_ff_0001_sentinel");
        assert_eq!(module("mod", None), "r_mod");
        for id in ["é", "CON", "a/b", "..", ""] {
            let name = module(id, None);
            let hash = name.rsplit('_').next().unwrap();
            assert!(
                hash.len() == 8 && hash.bytes().all(|b| b.is_ascii_hexdigit()),
                "{name}"
            );
        }
        assert_ne!(module("é", None), module("è", None));
        assert!(module(&"x".repeat(300), None).len() < 140);
    }

    #[test]
    fn names_are_given_once() {
        let mut names = Names::default();
        names.reserve(["evaluate"]);
        assert_eq!(names.item("evaluate"), "evaluate_2");
        assert_eq!(names.item("Evaluate"), "evaluate_3");
        assert_eq!(names.constant("FileName"), "FILE_NAME");
        assert_eq!(names.constant("type"), "TYPE");
        assert_eq!(names.constant("1st"), "COLUMN_1ST");
        assert_eq!(names.constant("é"), "COLUMN");
        assert_eq!(names.constant("è"), "COLUMN_2");
    }
}
