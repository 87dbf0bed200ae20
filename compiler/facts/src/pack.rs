//! The files themselves: embedded ones, with a repository's own laid over.
//!
//! In: nothing, or path -> bytes. Out: text by path. Building a [`Pack`] reads
//! and parses nothing; it is a sorted list of references into the binary.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::FactsError;

/// Every file under schema/ and templates/, sorted by path: its text, and what
/// YAML says as JSON.
static EMBEDDED: &[(&str, &str, Option<&str>)] = include!(concat!(env!("OUT_DIR"), "/pack.rs"));

/// All files under schema/ and templates/, by path relative to the repository
/// (`schema/tables/m365.txt`, `templates/sigma/rule.yml`).
///
/// Cheap to make and to clone.
#[derive(Clone, Debug)]
pub struct Pack {
    files: Arc<BTreeMap<Cow<'static, str>, Text>>,
}

/// The content of one file; a clone shares it.
#[derive(Clone, Debug)]
pub(crate) enum Text {
    /// The text, and the same as JSON where it is YAML.
    Embedded(&'static str, Option<&'static str>),
    Given(Arc<str>),
    /// A file that is not UTF-8; the offset of its first bad byte.
    Broken(usize),
}

impl Text {
    fn new(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Text::Given(Arc::from(text.trim_start_matches('\u{feff}'))),
            Err(error) => Text::Broken(error.valid_up_to()),
        }
    }

    /// The text; empty for a file that is not UTF-8.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Text::Embedded(text, _) => text,
            Text::Given(text) => text,
            Text::Broken(_) => "",
        }
    }
}

impl Pack {
    /// The files embedded in the binary, and nothing else.
    pub fn embedded() -> Pack {
        let files = EMBEDDED
            .iter()
            .map(|(path, text, json)| (Cow::Borrowed(*path), Text::Embedded(text, *json)))
            .collect();
        Pack {
            files: Arc::new(files),
        }
    }

    /// Lays a repository's own files over: one of the same path replaces the
    /// embedded one, any other is added. Paths are relative to the repository
    /// and use `/`; whatever is not under schema/ or templates/ is ignored, and
    /// a file that says the same as the embedded one changes nothing.
    #[must_use]
    pub fn overlay(mut self, files: BTreeMap<String, Vec<u8>>) -> Pack {
        for (path, bytes) in files {
            let ours = path.starts_with("schema/") || path.starts_with("templates/");
            if ours && !self.says(&path, &bytes) {
                Arc::make_mut(&mut self.files).insert(Cow::Owned(path), Text::new(&bytes));
            }
        }
        self
    }

    /// Whether the file is one of the embedded ones, byte for byte.
    fn says(&self, path: &str, bytes: &[u8]) -> bool {
        matches!(self.files.get(path), Some(Text::Embedded(text, _)) if text.as_bytes() == bytes)
    }

    /// Whether any path that starts with `prefix` is a repository's own file.
    pub fn is_own(&self, prefix: &str) -> bool {
        self.under(prefix)
            .any(|(_, text)| !matches!(text, Text::Embedded(..)))
    }

    /// The text of one file, without a byte order mark. None when there is no
    /// such file, or it is not UTF-8 ([`Pack::require`] tells the two apart).
    pub fn text(&self, path: &str) -> Option<&str> {
        match self.files.get(path)? {
            Text::Broken(_) => None,
            text => Some(text.as_str()),
        }
    }

    /// The text of a file that has to be there.
    pub fn require(&self, path: &str) -> Result<&str, FactsError> {
        self.shared(path)?;
        Ok(self.text(path).unwrap_or_default())
    }

    /// As [`Pack::require`], for those who keep the text.
    pub(crate) fn shared(&self, path: &str) -> Result<Text, FactsError> {
        match self.files.get(path) {
            None => Err(FactsError::new(path, "there is no such file")),
            Some(Text::Broken(offset)) => Err(FactsError::new(
                path,
                format!("the file is not UTF-8 (byte {offset})"),
            )),
            Some(text) => Ok(text.clone()),
        }
    }

    /// The paths that start with `prefix`, sorted.
    pub fn paths_under(&self, prefix: &str) -> impl Iterator<Item = &str> {
        self.under(prefix).map(|(path, _)| path)
    }

    /// Hands over the paths and contents of a repository's own files, in
    /// order: two packs that hand over the same say the same.
    pub fn own_parts(&self, mut each: impl FnMut(&[u8])) {
        for (path, text) in self.files.iter() {
            match text {
                Text::Embedded(..) => {}
                Text::Given(text) => {
                    each(path.as_bytes());
                    each(text.as_bytes());
                }
                Text::Broken(offset) => {
                    each(path.as_bytes());
                    // A byte that no text begins with.
                    each(&[&[0xff][..], offset.to_string().as_bytes()].concat());
                }
            }
        }
    }

    fn under(&self, prefix: &str) -> impl Iterator<Item = (&str, &Text)> {
        let prefix = prefix.to_owned();
        self.files
            .range::<str, _>((
                std::ops::Bound::Included(prefix.as_str()),
                std::ops::Bound::Unbounded,
            ))
            .map(|(path, text)| (&**path, text))
            .take_while(move |(path, _)| path.starts_with(&prefix))
    }

    /// The YAML files directly in `folder` (`schema/read/`), sorted.
    pub(crate) fn yaml_in(&self, folder: &str) -> Vec<&str> {
        self.paths_under(folder)
            .filter(|path| !path[folder.len()..].contains('/'))
            .filter(|path| {
                let extension = path.rsplit('.').next().unwrap_or_default();
                extension == "yaml" || extension == "yml"
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlay(path: &str, bytes: &[u8]) -> Pack {
        Pack::embedded().overlay(BTreeMap::from([(path.to_owned(), bytes.to_vec())]))
    }

    #[test]
    fn an_overlay_replaces_and_adds() {
        let pack = overlay("schema/tables/mine.yaml", b"\xef\xbb\xbftables: []\n");
        assert_eq!(pack.text("schema/tables/mine.yaml"), Some("tables: []\n"));
        assert!(pack.text("schema/tables/m365.txt").is_some());
        let pack = pack.overlay(BTreeMap::from([(
            "schema/tables/m365.txt".to_owned(),
            b"x".to_vec(),
        )]));
        assert_eq!(pack.text("schema/tables/m365.txt"), Some("x"));
    }

    #[test]
    fn other_folders_are_ignored() {
        assert_eq!(overlay("rules/a.md", b"x").text("rules/a.md"), None);
    }

    #[test]
    fn a_file_that_is_not_text_says_so() {
        let pack = overlay("schema/tables/mine.yaml", b"ab\xff");
        assert_eq!(pack.text("schema/tables/mine.yaml"), None);
        let message = pack.require("schema/tables/mine.yaml").unwrap_err().to_string();
        assert_eq!(message, "schema/tables/mine.yaml: the file is not UTF-8 (byte 2)");
        let message = pack.require("schema/none").unwrap_err().to_string();
        assert_eq!(message, "schema/none: there is no such file");
    }

    #[test]
    fn paths_are_sorted_and_bounded() {
        let pack = Pack::embedded();
        let paths: Vec<_> = pack.paths_under("schema/tables/").collect();
        assert!(paths.is_sorted());
        assert!(paths.contains(&"schema/tables/m365.txt"));
        assert!(paths.iter().all(|path| path.starts_with("schema/tables/")));
    }
}
