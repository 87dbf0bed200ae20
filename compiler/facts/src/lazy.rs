//! Facts that are read when somebody asks.

use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use crate::{FactsError, Pack};

/// Facts of one kind, behaving like the facts themselves.
///
/// What rests on embedded files alone is read when it is first asked for: the
/// tests hold that these files can be read, and most commands need few of them.
/// What a repository's own files have a part in is read at once, so that a
/// mistake there is told before any work, whichever command it is.
pub struct Lazy<T> {
    facts: OnceLock<T>,
    load: Box<dyn Fn() -> T + Send + Sync>,
}

impl<T: Default> Lazy<T> {
    /// Facts that `load` reads from the files of `pack` that start with one of
    /// `prefixes`, and from no others.
    pub fn new(
        pack: &Pack,
        prefixes: &[&str],
        load: impl Fn(&Pack) -> Result<T, FactsError> + Send + Sync + 'static,
    ) -> Result<Self, FactsError> {
        let facts = OnceLock::new();
        if prefixes.iter().any(|prefix| pack.is_own(prefix)) {
            // The cell is new, so this never finds it full.
            let _ = facts.set(load(pack)?);
        }
        let pack = pack.clone();
        Ok(Self {
            facts,
            load: Box::new(move || load(&pack).unwrap_or_default()),
        })
    }
}

impl<T> Deref for Lazy<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.facts.get_or_init(&self.load)
    }
}

impl<T: fmt::Debug> fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.facts.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::aliases::Aliases;

    #[test]
    fn own_files_are_read_at_once_and_others_when_asked_for() {
        let lazy = |pack: &Pack| Lazy::new(pack, &["schema/read/"], Aliases::load);
        let embedded = lazy(&Pack::embedded()).unwrap();
        assert!(embedded.facts.get().is_none());
        assert_eq!(embedded.section("False Positives"), Some("false_positives"));
        assert!(embedded.facts.get().is_some());
        let with = |path: &str, text: &[u8]| {
            lazy(&Pack::embedded().overlay(BTreeMap::from([(path.to_owned(), text.to_vec())])))
        };
        let message = with("schema/read/mine.yaml", b"section: {}\n")
            .unwrap_err()
            .to_string();
        assert!(message.starts_with("schema/read/mine.yaml:1: "), "{message}");
        let own = with("schema/read/mine.yaml", b"hunts: [Jagd]\n").unwrap();
        assert!(own.facts.get().is_some() && own.is_hunt("Jagd"));
        // Other files do not concern it.
        assert!(
            with("schema/events/mine.yaml", b"x: 1\n")
                .unwrap()
                .facts
                .get()
                .is_none()
        );
    }
}
