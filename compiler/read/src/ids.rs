//! Ids: what may be the name of a file on every system.
//!
//! In: what a document or its file is called. Out: an id, or why it is none.

use rulec_source::{Diagnostic, Span};

use crate::codes;
use crate::reader::Reader;

/// The longest id the schema of rules takes.
const LONGEST: usize = 200;

/// Names that Windows keeps for devices, whatever their extension.
const DEVICES: &[&str] = &["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"];

/// Endings of ids that say for which platform a rule is.
const PLATFORMS: &[&str] = &[
    "Win", "AWS", "Azure", "GCP", "Linux", "Mac", "M365", "K8s", "Cloud",
];

/// Whether a text can be the id of a rule: usable as the name of a file on
/// every system, without a way out of the folder it is written to.
///
/// ```
/// use rulec_read::is_safe_id;
/// assert!(is_safe_id("0xFF-0081-Process_Injection-Win"));
/// assert!(!is_safe_id("../etc/passwd") && !is_safe_id("CON") && !is_safe_id("a."));
/// ```
pub fn is_safe_id(id: &str) -> bool {
    danger(id).is_none()
}

/// Why a text cannot be an id.
fn danger(id: &str) -> Option<String> {
    if id.is_empty() {
        return Some("it is empty".to_owned());
    }
    if id.chars().count() > LONGEST {
        return Some(format!("it is longer than {LONGEST} characters"));
    }
    let forbidden = |c: char| {
        c.is_control()
            || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    if let Some(c) = id.chars().find(|c| forbidden(*c)) {
        return Some(match c {
            '/' | '\\' => format!("it holds the path separator `{c}`"),
            c if c.is_ascii_graphic() => {
                format!("it holds `{c}`, which some systems do not take in names of files")
            }
            c => format!("it holds the invisible character U+{:04X}", u32::from(c)),
        });
    }
    if id.contains("..") {
        return Some("it holds `..`, the way to the folder above".to_owned());
    }
    if id.ends_with(['.', ' ']) || id.starts_with([' ', '.', '-']) {
        return Some("it begins or ends with a dot, a blank or a dash".to_owned());
    }
    let stem = id.split('.').next().unwrap_or(id).trim_end().to_lowercase();
    let numbered = stem
        .strip_prefix("com")
        .or_else(|| stem.strip_prefix("lpt"))
        .is_some_and(|n| {
            matches!(
                n,
                "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "0" | "¹" | "²" | "³"
            )
        });
    if numbered || DEVICES.contains(&stem.as_str()) {
        return Some(format!("`{stem}` is the name of a device on Windows"));
    }
    None
}

/// The last part of a path without `.md`.
pub(crate) fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = name.split(['#', '?']).next().unwrap_or(name);
    for extension in [".md", ".markdown", ".txt"] {
        let cut = name.len().saturating_sub(extension.len());
        if cut > 0
            && name
                .get(cut..)
                .is_some_and(|end| end.eq_ignore_ascii_case(extension))
        {
            return &name[..cut];
        }
    }
    name
}

/// The id of a document that names none: its file's name, with what an id
/// cannot hold replaced.
pub(crate) fn derived(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    // `#` and `?` are cut off links, not off names of files.
    let mut name = name.to_owned();
    for extension in [".md", ".markdown", ".txt"] {
        if name.to_ascii_lowercase().ends_with(extension) && name.len() > extension.len() {
            name.truncate(name.len() - extension.len());
            break;
        }
    }
    let mut id: String = name
        .chars()
        .map(|c| {
            let plain = !c.is_control() && !matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
            let visible = !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
            if plain && visible { c } else { '_' }
        })
        .take(LONGEST)
        .collect();
    while id.contains("..") {
        id = id.replace("..", "._");
    }
    let id = id.trim_matches([' ', '.', '-']).to_owned();
    if is_safe_id(&id) {
        id
    } else {
        let mut safe = format!("rule-{id}");
        safe = safe.chars().take(LONGEST).collect();
        safe.trim_end_matches([' ', '.', '-']).to_owned()
    }
}

impl Reader<'_> {
    pub(crate) fn read_id(&mut self) {
        let entry = self.entries.iter().find(|e| e.key == "id").cloned();
        let Some(entry) = entry else {
            self.rule.id = derived(self.path);
            if self.rule.id != self.stem() && !self.path.starts_with('<') {
                self.warn(
                    codes::ID_SPELLING,
                    Span::at(0),
                    format!(
                        "the name of the file cannot be an id; `{}` is used instead",
                        self.rule.id
                    ),
                );
            }
            return;
        };
        self.place("/id", entry.value_span);
        if let Some(why) = danger(&entry.value) {
            self.rule.id = derived(self.path);
            self.report(
                Diagnostic::new(
                    codes::UNSAFE_ID,
                    format!("`{}` cannot be an id: {why}", entry.value.escape_debug()),
                )
                .at(entry.value_span)
                .help("use letters, digits, `.`, `_` and `-`: the id is the name of every file built from the rule"),
            );
            return;
        }
        self.rule.id.clone_from(&entry.value);
        self.check_spelling(&entry.value, entry.value_span);
    }

    fn check_spelling(&mut self, id: &str, span: Span) {
        if let Some(c) = id.chars().find(|c| !c.is_ascii()) {
            self.report(
                Diagnostic::new(
                    codes::ID_SPELLING,
                    format!(
                        "the id `{id}` holds `{c}` (U+{:04X}), which is not ASCII",
                        u32::from(c)
                    ),
                )
                .at(span)
                .help("a dash or quote that a word processor put in looks the same but is another character"),
            );
        }
        let Some((_, ending)) = id.rsplit_once('-') else {
            return;
        };
        let usual = PLATFORMS
            .iter()
            .find(|known| known.eq_ignore_ascii_case(ending) && **known != ending);
        if let Some(usual) = usual {
            let end = span.end as usize;
            let place = Span::new(end.saturating_sub(ending.len()).max(span.start as usize), end);
            self.report(
                Diagnostic::new(
                    codes::ID_SPELLING,
                    format!("the id ends in `-{ending}`, which is usually spelled `-{usual}`"),
                )
                .at(place)
                .note("the id is kept as it is: others may refer to it")
                .suggest(format!("write `{usual}`"), place, *usual),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stay_in_their_folder() {
        for good in [
            "0xFF-0081-x-Win",
            "T1036.001-WIN-001",
            "Encoded [Nobelium]",
            "a",
            "console",
            "com10",
            "ünï",
        ] {
            assert!(is_safe_id(good), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            r"a\b",
            "a..b",
            "CON",
            "con.txt",
            "Com1",
            "lpt9.x",
            "nul ",
            "a.",
            "a ",
            " a",
            "a\u{0}",
            "a\nb",
            "a:b",
            "-rf",
            "a\u{202e}b",
            "aux.md",
        ] {
            assert!(!is_safe_id(bad), "{bad}");
        }
        assert!(!is_safe_id(&"x".repeat(201)));
    }

    #[test]
    fn derived_ids_are_safe() {
        for path in [
            "a/b.md", "CON.md", "..", "a/..md", "<stdin>", "x?.md", "", "a b .md", "é/./.md", "aux.x.md",
            ".....md",
        ] {
            let id = derived(path);
            assert!(is_safe_id(&id), "{path} -> {id}");
        }
        assert_eq!(derived("a/Some Rule.md"), "Some Rule");
        assert_eq!(derived("hunts/0xFF-0508-AWS"), "0xFF-0508-AWS");
        assert!(is_safe_id(&derived(&"é".repeat(300))));
    }
}
