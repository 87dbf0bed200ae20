//! Places within one setting of the front matter.
//!
//! The reader knows where a setting's key stands. Which of its values a finding
//! is about is found again in the text below that key: a pair `key: value`, in
//! block or flow style, quoted or not.

use std::cell::RefCell;

use crate::Span;

/// The text of one setting.
#[derive(Debug)]
pub struct Setting<'a> {
    text: &'a str,
    /// From its key to the next one. None when the document does not say it.
    block: Option<Span>,
    /// Where a finding goes that has no better place.
    otherwise: Span,
    /// Places already given away: the second pair of two that are the same is
    /// the next one in the text.
    taken: RefCell<Vec<Span>>,
}

impl<'a> Setting<'a> {
    /// `key` is the place of the setting's key.
    pub fn new(text: &'a str, key: Option<Span>, otherwise: Span) -> Self {
        Self {
            text,
            // What an environment says stands in another text.
            block: key
                .filter(|key| key.end as usize <= text.len())
                .map(|key| block(text, key)),
            otherwise: key.unwrap_or(otherwise),
            taken: RefCell::default(),
        }
    }

    /// The value of the next pair `key: value`.
    pub fn value(&self, key: &str, value: &str) -> Span {
        self.next(
            |at| {
                self.is_value(at, key, value)
                    .then(|| Span::new(at, at + value.len()))
            },
            value,
        )
    }

    /// The key of the next pair `key: …`.
    pub fn key(&self, key: &str) -> Span {
        self.next(
            |at| {
                let after = self.text[at + key.len()..].trim_start_matches(['"', '\'', ' ']);
                after.starts_with(':').then(|| Span::new(at, at + key.len()))
            },
            key,
        )
    }

    /// The next `{{column}}` in the text of `key`.
    pub fn placeholder(&self, column: &str) -> Span {
        self.next(
            |at| {
                let before = self.text[..at].trim_end().ends_with("{{");
                let after = self.text[at + column.len()..].trim_start().starts_with("}}");
                (before && after).then(|| Span::new(at, at + column.len()))
            },
            column,
        )
    }

    /// The first place of `word` in the block that `accept` takes and nobody has yet.
    fn next(&self, accept: impl Fn(usize) -> Option<Span>, word: &str) -> Span {
        let Some(block) = self.block.filter(|_| !word.is_empty()) else {
            return self.otherwise;
        };
        let start = block.start as usize;
        let found: Vec<Span> = block
            .of(self.text)
            .match_indices(word)
            .map(|(at, _)| start + at)
            .filter(|at| self.is_whole(*at, word))
            .filter_map(accept)
            .collect();
        let mut taken = self.taken.borrow_mut();
        let free = found.iter().find(|span| !taken.contains(span)).or(found.first());
        match free {
            Some(span) => {
                taken.push(*span);
                *span
            }
            None => self.otherwise,
        }
    }

    fn is_whole(&self, at: usize, word: &str) -> bool {
        let letter = |c: char| c.is_alphanumeric() || c == '_';
        let before = self.text[..at].chars().next_back();
        let after = self.text[at + word.len()..].chars().next();
        !before.is_some_and(letter) && !after.is_some_and(letter)
    }

    fn is_value(&self, at: usize, key: &str, value: &str) -> bool {
        let before = self.text[..at].trim_end_matches(['"', '\'']).trim_end();
        let Some(before) = before.strip_suffix(':') else {
            return false;
        };
        let before = before.trim_end().trim_end_matches(['"', '\'']);
        let key_at = before.len().wrapping_sub(key.len());
        before.ends_with(key) && self.is_whole(key_at, key) && self.is_whole(at, value)
    }
}

/// From a key to the next line that begins another, or ends the front matter.
fn block(text: &str, key: Span) -> Span {
    let start = key.start as usize;
    let mut end = start;
    for (index, line) in text[start..].split_inclusive('\n').enumerate() {
        let bare = line.trim_end();
        let begins = bare.starts_with(|c: char| !c.is_whitespace() && !matches!(c, '#' | '-' | '}' | ']'));
        if index > 0 && (begins || bare == "---" || bare == "...") {
            break;
        }
        end += line.len();
    }
    Span::new(start, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting<'a>(text: &'a str, key: &str) -> Setting<'a> {
        let at = text.find(key).unwrap();
        Setting::new(text, Some(Span::new(at, at + key.len())), Span::default())
    }

    #[test]
    fn values_are_found_in_every_style() {
        let text = "---\nentities:\n- type: Host\n  fields: { HostName: HostName, \"AzureID\" : 'DeviceId' }\n- type: Host\n  fields:\n    HostName: HostName\nstatus: test\n---\nHostName: HostName\n";
        let setting = setting(text, "entities");
        let places: Vec<usize> = (0..2)
            .map(|_| setting.value("HostName", "HostName").start as usize)
            .collect();
        let expected: Vec<usize> = text
            .match_indices(": HostName")
            .map(|(at, _)| at + 2)
            .take(2)
            .collect();
        assert_eq!(places, expected);
        assert_eq!(setting.value("AzureID", "DeviceId").of(text), "DeviceId");
        assert_eq!(setting.key("AzureID").of(text), "AzureID");
        // Not there: the setting itself.
        assert_eq!(setting.value("HostName", "Nowhere").of(text), "entities");
    }

    #[test]
    fn placeholders_are_found_in_their_braces() {
        let text = "alert:\n  title: \"A of {{ A }} and {{AB}}\"\n---\n";
        let setting = setting(text, "alert");
        assert_eq!(
            setting.placeholder("A").start as usize,
            text.find("{{ A").unwrap() + 3
        );
        assert_eq!(setting.placeholder("AB").of(text), "AB");
    }

    #[test]
    fn a_setting_of_another_file_is_placed_where_told() {
        let setting = Setting::new("# Title\n", None, Span::new(2, 7));
        assert_eq!(setting.value("HostName", "Title"), Span::new(2, 7));
    }
}
