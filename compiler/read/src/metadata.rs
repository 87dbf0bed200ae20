//! Metadata: `**Key:** value` lines, and plain `Key: value` ones where the
//! heading says that metadata follows.
//!
//! In: the lines of sections that are not prose. Out: [`Entry`]s, and the
//! fields of the rule that need nothing else. A line whose key has no field
//! stays where it is, as prose.

use rulec_model::{Duration, FrontMatter, Origin, Schedule, Severity, Status};
use rulec_source::{Diagnostic, Span};
use serde::de::DeserializeOwned;

use crate::codes;
use crate::lines::Scope;
use crate::outline::{is_blank, plain, trim, trim_span};
use crate::reader::Reader;
use crate::words;

/// One key and its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Canonical: `fp_rate`.
    pub(crate) key: String,
    /// Without markup.
    pub(crate) value: String,
    pub(crate) value_span: Span,
    pub(crate) line: usize,
    pub(crate) part: usize,
}

/// A line that has the form of metadata.
struct Pair {
    key: Span,
    value: Span,
    bold: bool,
}

/// Keys whose values become fields; lines with others are kept as prose.
const FIELDS: &[&str] = &[
    "id",
    "os",
    "fp_rate",
    "author",
    "tactic",
    "technique",
    "language",
    "platform",
    "query",
    "tables",
];

/// Keys whose value may follow as a list.
const LISTS: &[&str] = &["os", "tactic", "technique", "tables", "references"];

/// Says nothing: `N/A`, `-`, `None`.
pub(crate) fn is_nothing(value: &str) -> bool {
    let value = trim(value).trim_end_matches('.');
    ["", "-", "–", "—", "n/a", "na", "none", "?", "tbd", "todo"]
        .iter()
        .any(|nothing| value.eq_ignore_ascii_case(nothing))
}

impl Reader<'_> {
    pub(crate) fn read_metadata(&mut self) {
        for part in 0..self.parts.len() {
            self.report_heading(part);
            let strict = self.strictness(part);
            let lines = self.parts[part].lines.clone();
            let mut skip_to = lines.start;
            for line in lines.clone() {
                if line < skip_to || !self.is_text(line) {
                    continue;
                }
                let Some(pair) = pair(self.text, self.lines.spans[line]) else {
                    continue;
                };
                let Some(key) = self.known_key(&pair, strict) else {
                    continue;
                };
                skip_to = self.take(part, line, lines.end, &key, &pair);
            }
        }
        self.index_entries();
        self.read_fields();
    }

    fn report_heading(&mut self, part: usize) {
        let (Some(meant), Some(span)) = (self.parts[part].meant.clone(), self.heading_span(part)) else {
            return;
        };
        let heading = self.heading(part).to_owned();
        self.report(
            Diagnostic::new(
                codes::CLOSE_HEADING,
                format!("`{heading}` is not a heading of rule documents; it is read as `{meant}`"),
            )
            .at(span)
            .help(format!("did you mean `{meant}`?"))
            .fix(format!("write `{meant}`"), span, meant),
        );
    }

    /// What counts as metadata in a part.
    fn strictness(&self, part: usize) -> Strictness {
        let this = &self.parts[part];
        let metadata = matches!(this.key.as_deref(), Some("metadata"));
        if metadata || self.aliases.metadata(self.heading(part)) == Some("author") {
            return Strictness::Anything;
        }
        match (this.key.as_deref(), this.scope) {
            (Some("detection" | "attack_tags"), _) | (_, Scope::Query(_)) => Strictness::Anything,
            (Some("data_sources"), _) => Strictness::Bold,
            // Right below the title.
            (None, _) if this.level <= 1 => Strictness::Anything,
            (None, Scope::Neutral) => Strictness::Bold,
            _ => Strictness::Marker,
        }
    }

    fn known_key(&mut self, pair: &Pair, strict: Strictness) -> Option<String> {
        let written = trim(pair.key.of(self.text));
        if let Some(key) = self.aliases.metadata(written) {
            let takes = match strict {
                Strictness::Anything => true,
                Strictness::Bold => pair.bold,
                Strictness::Marker => pair.bold && key == "query",
            };
            return takes.then(|| key.to_owned());
        }
        if !pair.bold || strict != Strictness::Anything {
            return None;
        }
        let found = words::key(self.aliases, written)?;
        let meant = found.meant?;
        let (written, span) = (written.to_owned(), pair.key);
        self.report(
            Diagnostic::new(
                codes::CLOSE_KEY,
                format!("`{written}` is not a metadata key; it is read as `{meant}`"),
            )
            .at(span)
            .help(format!("did you mean `{meant}`?"))
            .fix(format!("write `{meant}`"), span, meant),
        );
        Some(found.name)
    }

    /// Takes a line, and the list below it where its value is one. Returns the
    /// first line that was not looked at.
    fn take(&mut self, part: usize, line: usize, end: usize, key: &str, pair: &Pair) -> usize {
        let value = plain(pair.value.of(self.text));
        let mut next = line + 1;
        let entry = |value: String, value_span: Span, line: usize| Entry {
            key: key.to_owned(),
            value,
            value_span,
            line,
            part,
        };
        if value.is_empty() && LISTS.contains(&key) {
            let mut blank = 0;
            while next < end && blank < 2 && self.is_text(next) {
                let span = self.lines.spans[next];
                let source = trim_span(self.text, span);
                match item(source.of(self.text)) {
                    Some(skip) => {
                        blank = 0;
                        let inner = trim_span(
                            self.text,
                            Span::new(source.start as usize + skip, source.end as usize),
                        );
                        let value = plain(inner.of(self.text));
                        self.entries.push(entry(value, inner, next));
                        if FIELDS.contains(&key) {
                            self.lines.consume(next..next + 1);
                        }
                    }
                    None if source.is_empty() => blank += 1,
                    None => break,
                }
                next += 1;
            }
            if FIELDS.contains(&key) {
                self.lines.consume(line..line + 1);
            }
            return next;
        }
        self.entries.push(entry(value, pair.value, line));
        if FIELDS.contains(&key) {
            self.lines.consume(line..line + 1);
        }
        next
    }

    /// Notes where the first entry of each key stands that says something,
    /// in each part and in the document.
    fn index_entries(&mut self) {
        for (i, entry) in self.entries.iter().enumerate() {
            if entry.key != "query" && is_nothing(&entry.value) {
                continue;
            }
            for part in [Some(entry.part), None] {
                self.index.entry((part, entry.key.clone())).or_insert(i);
            }
        }
    }

    /// The first entry of that key that says something, in one part or in the document.
    pub(crate) fn first(&self, part: Option<usize>, key: &str) -> Option<&Entry> {
        let i = self.index.get(&(part, key.to_owned()))?;
        self.entries.get(*i)
    }

    /// The first entry of that key; a second one that says something else is named.
    fn only(&mut self, key: &str) -> Option<Entry> {
        let mut entries = self
            .entries
            .iter()
            .filter(|e| e.key == key && !e.value.is_empty());
        let first = entries.next()?.clone();
        let second = entries.find(|e| e.value != first.value).cloned();
        if let Some(second) = second {
            self.report(
                Diagnostic::new(
                    codes::DUPLICATE,
                    format!(
                        "`{}` is said twice; `{}` holds",
                        self.aliases.key(key).unwrap_or(key),
                        first.value
                    ),
                )
                .label(second.value_span, "said again here")
                .label(first.value_span, "said first here"),
            );
        }
        Some(first)
    }

    fn read_fields(&mut self) {
        self.only("id");
        if let Some(entry) = self.only("os") {
            self.place("/os", entry.value_span);
        }
        self.rule.os = self
            .entries
            .iter()
            .filter(|e| e.key == "os")
            .flat_map(|e| e.value.split([',', ';']))
            .map(trim)
            .filter(|os| !is_nothing(os))
            .map(str::to_owned)
            .collect();
        let mut seen = std::collections::BTreeSet::new();
        self.rule.os.retain(|os| seen.insert(os.clone()));
        if let Some(entry) = self.only("fp_rate").filter(|e| !is_nothing(&e.value)) {
            self.place("/fp_rate", entry.value_span);
            self.rule.fp_rate = Some(entry.value);
        }
    }

    /// The author's name, without the links that often follow it in brackets.
    pub(crate) fn read_author(&mut self) {
        let authors: Vec<&Entry> = self
            .entries
            .iter()
            .filter(|e| e.key == "author" && !is_nothing(&e.value))
            .collect();
        if let Some(first) = authors.first().map(|e| e.value_span) {
            let mut names: Vec<&str> = Vec::new();
            for entry in &authors {
                let name = match entry.value.split_once(" (") {
                    Some((name, rest)) if rest.ends_with(')') => trim(name),
                    _ => entry.value.as_str(),
                };
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            self.rule.author = Some(names.join(", "));
            self.place("/author", first);
            return;
        }
        // A section of its own: `Name: …`, or the first line.
        let part = (0..self.parts.len()).find(|p| self.aliases.metadata(self.heading(*p)) == Some("author"));
        let Some(part) = part else { return };
        let lines = self.parts[part].lines.clone();
        let mut named = None;
        for line in lines.filter(|line| self.is_text(*line)) {
            let span = self.lines.spans[line];
            match pair(self.text, span) {
                Some(pair) if trim(pair.key.of(self.text)).eq_ignore_ascii_case("name") => {
                    named = Some(pair.value);
                    break;
                }
                None if named.is_none() && !trim(span.of(self.text)).is_empty() => {
                    named = Some(trim_span(self.text, span));
                }
                _ => {}
            }
        }
        if let Some(span) = named {
            let name = plain(span.of(self.text).trim_start_matches(['-', '*', '+', ' ']));
            if !is_nothing(&name) {
                self.place("/author", span);
                self.rule.author = Some(name);
            }
        }
    }

    /// What the metadata says about running the rule.
    pub(crate) fn read_settings(&mut self) {
        let mut said = FrontMatter::default();
        if let Some((severity, span)) = self.setting::<Severity>("severity") {
            said.severity = Some(severity);
            self.places.entry("/settings/severity".to_owned()).or_insert(span);
        }
        if let Some((status, span)) = self.setting::<Status>("status") {
            said.status = Some(status);
            self.places.entry("/settings/status".to_owned()).or_insert(span);
        }
        // A schedule in words is for people; one in `1h` is for us.
        let frequency = self.entries.iter().find(|e| e.key == "frequency");
        if let Some((frequency, span)) =
            frequency.and_then(|e| Some((e.value.parse::<Duration>().ok()?, e.value_span)))
        {
            said.schedule = Some(Schedule {
                kind: rulec_model::ScheduleKind::Scheduled,
                frequency: Some(frequency),
                period: None,
            });
            self.places.entry("/settings/schedule".to_owned()).or_insert(span);
        }
        self.rule.settings.fill(said, &Origin::Document);
    }

    fn setting<T: DeserializeOwned>(&mut self, key: &str) -> Option<(T, Span)> {
        let entry = self.only(key)?;
        let value = serde_json::Value::String(entry.value.to_lowercase());
        match serde_json::from_value(value) {
            Ok(setting) => Some((setting, entry.value_span)),
            Err(error) => {
                self.report(
                    Diagnostic::new(
                        codes::METADATA_VALUE,
                        format!("`{}` is no {key}: {}", entry.value, allowed(&error.to_string())),
                    )
                    .at(entry.value_span)
                    .note("the value is left out"),
                );
                None
            }
        }
    }
}

/// How much has to be there for a line to be metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strictness {
    /// Any known key, and misspelled bold ones.
    Anything,
    /// Bold known keys.
    Bold,
    /// `**Query:**` only.
    Marker,
}

/// The part of serde's message that says what is allowed.
pub(crate) fn allowed(message: &str) -> String {
    match message.split_once(", expected ") {
        Some((_, allowed)) => format!("expected {}", allowed.trim_start_matches("one of ")),
        None => message.to_owned(),
    }
}

/// The length of a list marker at the beginning of a line.
pub(crate) fn item(line: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    let marker = match bytes.get(digits)? {
        b'-' | b'*' | b'+' if digits == 0 => 1,
        b'.' | b')' if (1..=9).contains(&digits) => digits + 1,
        _ => return None,
    };
    match bytes.get(marker) {
        Some(b' ' | b'\t') => Some(marker + 1),
        None => Some(marker),
        _ => None,
    }
}

/// A line of the form `**Key:** value`, `**Key**: value` or `Key: value`,
/// also as an item of a list.
fn pair(text: &str, line: Span) -> Option<Pair> {
    /// Longer keys are sentences.
    const KEY: usize = 48;
    let span = trim_span(text, line);
    let mut at = span.start as usize;
    let end = span.end as usize;
    let mut source = text.get(at..end)?;
    source = source.trim_start_matches(['>', ' ']);
    at = end - source.len();
    if let Some(skip) = item(source).filter(|_| !source.starts_with("**")) {
        at += skip;
        source = text.get(at..end)?.trim_start();
        at = end - source.len();
    }
    let mark = ["**", "__"].into_iter().find(|mark| source.starts_with(mark));
    if let Some(mark) = mark {
        let inner = &source[2..];
        let close = inner.find(mark)?;
        let bold = &inner[..close];
        let behind = &inner[close + 2..];
        let key_start = at + 2;
        // `**Key: value**`, `**Key:** value`, `**Key**: value`.
        let (key_len, value_start, value_end) = match bold.find(':') {
            Some(colon) if bold[colon + 1..].chars().all(is_blank) => (colon, key_start + close + 2, end),
            Some(colon) => {
                let stop = if behind.is_empty() { key_start + close } else { end };
                (colon, key_start + colon + 1, stop)
            }
            None => {
                let colon = behind.find(':').filter(|c| behind[..*c].chars().all(is_blank))?;
                (close, key_start + close + 2 + colon + 1, end)
            }
        };
        if key_len == 0 || key_len > KEY {
            return None;
        }
        return Some(Pair {
            key: trim_span(text, Span::new(key_start, key_start + key_len)),
            value: trim_span(text, Span::new(value_start, value_end)),
            bold: true,
        });
    }
    let head = source.as_bytes().iter().take(KEY + 1).position(|b| *b == b':')?;
    if head == 0 || source[..head].contains(['|', '`', '[']) {
        return None;
    }
    Some(Pair {
        key: trim_span(text, Span::new(at, at + head)),
        value: trim_span(text, Span::new(at + head + 1, end)),
        bold: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Option<(&str, &str, bool)> {
        let pair = pair(line, Span::new(0, line.len()))?;
        Some((pair.key.of(line), pair.value.of(line), pair.bold))
    }

    #[test]
    fn forms_of_metadata() {
        assert_eq!(split("**ID:** x-Win"), Some(("ID", "x-Win", true)));
        assert_eq!(
            split("**Reference**: https://x"),
            Some(("Reference", "https://x", true))
        );
        assert_eq!(
            split("- **Github: https://x**"),
            Some(("Github", "https://x", true))
        );
        assert_eq!(split("* Language: KQL "), Some(("Language", "KQL", false)));
        assert_eq!(split("Tables  : AuditLogs"), Some(("Tables", "AuditLogs", false)));
        assert_eq!(split("**Query:**\u{200b}"), Some(("Query", "", true)));
        assert_eq!(split("**FP Rate:** *Low*"), Some(("FP Rate", "*Low*", true)));
        assert_eq!(split("just prose"), None);
        assert_eq!(split("**bold** prose: more"), None);
        assert_eq!(split(""), None);
    }

    #[test]
    fn list_markers() {
        assert_eq!(item("- x"), Some(2));
        assert_eq!(item("12. x"), Some(4));
        assert_eq!(item("**x**"), None);
        assert_eq!(item("1.0"), None);
    }
}
