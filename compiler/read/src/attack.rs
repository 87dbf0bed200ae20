//! ATT&CK tags outside of tables: metadata, lists, and ids in a title.
//!
//! In: text. Out: ids, split into technique and sub-technique. Whether an id
//! exists, and in which version, is the business of the checks.

use rulec_model::AttackTag;
use rulec_source::{Diagnostic, Span};

use crate::codes;
use crate::metadata::{Entry, is_nothing, item};
use crate::outline::{plain, trim, trim_span};
use crate::reader::Reader;

/// The ids in a text, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Ids {
    /// `TA0005`
    pub(crate) tactics: Vec<String>,
    /// `T1055`, `002`
    pub(crate) techniques: Vec<(String, Option<String>)>,
    /// Where the last one ends, and the first begins.
    range: Option<(usize, usize)>,
}

impl Ids {
    /// Every `T1055`, `T1055.002`, `T1055/002` and `TA0005` that stands alone.
    pub(crate) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut ids = Self::default();
        let mut at = 0;
        while at < bytes.len() {
            let alone = at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
            if !alone || !bytes[at].eq_ignore_ascii_case(&b'T') {
                at += 1;
                continue;
            }
            let tactic = bytes.get(at + 1).is_some_and(|b| b.eq_ignore_ascii_case(&b'A'));
            let from = at + 1 + usize::from(tactic);
            let digits = digits(bytes, from);
            if digits != 4 {
                at += 1;
                continue;
            }
            let start = at;
            at = from + 4;
            if tactic {
                ids.tactics.push(format!("TA{}", &text[from..at]));
            } else {
                let mut sub = None;
                if bytes.get(at).is_some_and(|b| matches!(b, b'.' | b'/')) && self::digits(bytes, at + 1) == 3
                {
                    sub = Some(text[at + 1..at + 4].to_owned());
                    at += 4;
                }
                ids.techniques.push((format!("T{}", &text[from..from + 4]), sub));
            }
            let first = ids.range.map_or(start, |(first, _)| first);
            ids.range = Some((first, at));
        }
        ids
    }

    /// What stands behind a single id as the number of a sub-technique with too
    /// few digits: as written, and with three (`T1059.01` gives `01`, `001`).
    pub(crate) fn short_sub(&self, text: &str) -> Option<(String, String)> {
        let [(_, None)] = self.techniques.as_slice() else {
            return None;
        };
        let (_, end) = self.range?;
        let rest = text.get(end..)?.strip_prefix(['.', '/'])?;
        let count = digits(rest.as_bytes(), 0);
        (count == 1 || count == 2).then(|| (rest[..count].to_owned(), format!("{:0>3}", &rest[..count])))
    }

    fn is_empty(&self) -> bool {
        self.range.is_none()
    }
}

/// How many digits stand at `from`; 5 for more than that.
fn digits(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let count = rest.iter().take(5).take_while(|b| b.is_ascii_digit()).count();
    let follows = rest
        .get(count)
        .is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
    if follows { 5 } else { count }
}

/// `TA0005 - Defense Evasion` as id and name.
pub(crate) fn tactic(text: &str) -> (Option<String>, Option<String>) {
    let ids = Ids::of(text);
    match (ids.tactics.first(), ids.range) {
        (Some(id), Some((first, last))) => {
            let before = separated(&text[..first]);
            let after = separated(&text[last..]);
            let name = if after.is_empty() { before } else { after };
            (Some(id.clone()), (!name.is_empty()).then(|| name.to_owned()))
        }
        _ => (None, (!trim(text).is_empty()).then(|| trim(text).to_owned())),
    }
}

/// Begins like the id of a tactic but is none: `TA005 - …`.
pub(crate) fn almost_tactic(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next() == Some('T')
        && matches!(chars.next(), Some('A' | '0'..='9'))
        && text.contains(|c: char| c.is_ascii_digit())
}

/// The name behind something that is almost an id.
pub(crate) fn name_behind(text: &str) -> Option<String> {
    let (_, name) = text.split_once(['-', '–', '—', ':', ' '])?;
    let name = separated(name);
    (!name.is_empty()).then(|| name.to_owned())
}

/// The number of a sub-technique, and whether it was written with three digits.
pub(crate) fn subtechnique(text: &str) -> Option<(String, bool)> {
    let text = trim(text);
    if let Some((_, Some(sub))) = Ids::of(text).techniques.into_iter().next() {
        return Some((sub, true));
    }
    let number = text.trim_start_matches('.');
    let all = !number.is_empty() && number.len() <= 3 && number.bytes().all(|b| b.is_ascii_digit());
    all.then(|| (format!("{number:0>3}"), number.len() == 3))
}

/// The names of tactics of all versions, folded. Only the checklist of tactics
/// needs them, to tell them from its other rows.
const TACTICS: &[&str] = &[
    "reconnaissance",
    "resource development",
    "initial access",
    "execution",
    "persistence",
    "privilege escalation",
    "defense evasion",
    "stealth",
    "defense impairment",
    "credential access",
    "discovery",
    "lateral movement",
    "collection",
    "command and control",
    "exfiltration",
    "impact",
];

pub(crate) fn is_tactic(text: &str) -> bool {
    TACTICS.contains(&trim(text).to_lowercase().as_str())
}

/// Without the marks that stand between an id and its name.
fn separated(text: &str) -> &str {
    text.trim_matches(|c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '-' | '–' | '—' | ':' | '(' | ')' | '[' | ']' | ',' | ';' | '|' | '.' | '/'
            )
    })
}

/// A technique in words: `Process Injection (T1055)`, `T1055.002: Portable …`.
fn named(text: &str) -> Vec<AttackTag> {
    let ids = Ids::of(text);
    let Some((first, last)) = ids.range else {
        let name = trim(text);
        if is_nothing(name) {
            return Vec::new();
        }
        return vec![AttackTag {
            name: Some(name.to_owned()),
            ..AttackTag::default()
        }];
    };
    let name = [&text[..first], &text[last..]]
        .into_iter()
        .map(separated)
        .find(|name| !name.is_empty() && !name.contains("://"))
        .map(str::to_owned);
    let single = ids.techniques.len() == 1;
    ids.techniques
        .into_iter()
        .map(|(technique, subtechnique)| AttackTag {
            technique: Some(technique),
            subtechnique,
            name: name.clone().filter(|_| single),
            ..AttackTag::default()
        })
        .collect()
}

impl Reader<'_> {
    pub(crate) fn read_attack(&mut self) {
        self.attack_metadata();
        for part in 0..self.parts.len() {
            if self.parts[part].key.as_deref() == Some("attack_tags") {
                self.attack_lines(part);
            }
        }
        let title = self.rule.title.clone();
        let in_title = Ids::of(&title);
        if self.rule.attack.is_empty() {
            let (ids, place) = if in_title.is_empty() {
                (Ids::of(self.stem()), Some(Span::at(0)))
            } else {
                (in_title, self.places.get("/title").copied())
            };
            let tactic_id = ids.tactics.first().cloned();
            let mut tags: Vec<AttackTag> = ids
                .techniques
                .into_iter()
                .map(|(technique, subtechnique)| AttackTag {
                    tactic_id: tactic_id.clone(),
                    technique: Some(technique),
                    subtechnique,
                    ..AttackTag::default()
                })
                .collect();
            if tags.is_empty() && tactic_id.is_some() {
                tags.push(AttackTag {
                    tactic_id,
                    ..AttackTag::default()
                });
            }
            for tag in tags {
                self.push_tag(tag, place.unwrap_or_default(), None);
            }
        } else if let [(technique, subtechnique)] = in_title.techniques.as_slice() {
            // Metadata that names the technique leaves its id to the title.
            for tag in self
                .rule
                .attack
                .iter_mut()
                .filter(|t| t.technique.is_none() && t.name.is_some())
            {
                tag.technique = Some(technique.clone());
                tag.subtechnique.clone_from(subtechnique);
            }
        }
    }

    /// `tactic` is the place of the tactic where that is another than the tag's.
    fn push_tag(&mut self, tag: AttackTag, span: Span, tactic: Option<Span>) {
        let index = self.rule.attack.len();
        self.place(format!("/attack/{index}"), span);
        if let Some(tactic) = tactic {
            self.place(format!("/attack/{index}/tactic"), tactic);
        }
        self.rule.attack.push(tag);
    }

    /// `**Tactic:** Defense Evasion`, `**Technique:** Masquerading (T1036)`.
    fn attack_metadata(&mut self) {
        let of = |reader: &Self, key: &str| -> Vec<Entry> {
            let entries = reader
                .entries
                .iter()
                .filter(|e| e.key == key && !is_nothing(&e.value));
            entries.cloned().collect()
        };
        let mut tactics: Vec<(AttackTag, Span)> = Vec::new();
        for entry in of(self, "tactic") {
            for text in entry.value.split([',', ';']).map(trim).filter(|t| !t.is_empty()) {
                let (tactic_id, tactic) = tactic(text);
                let tag = AttackTag {
                    tactic_id,
                    tactic,
                    ..AttackTag::default()
                };
                tactics.push((tag, entry.value_span));
            }
        }
        let mut techniques: Vec<(AttackTag, Span)> = Vec::new();
        for entry in of(self, "technique") {
            let parts: Vec<&str> = if Ids::of(&entry.value).techniques.len() > 1 {
                entry
                    .value
                    .split([',', ';'])
                    .map(trim)
                    .filter(|t| !t.is_empty())
                    .collect()
            } else {
                vec![entry.value.as_str()]
            };
            for text in parts {
                techniques.extend(named(text).into_iter().map(|tag| (tag, entry.value_span)));
            }
        }
        let with = |tactic: &AttackTag, technique: &AttackTag| AttackTag {
            tactic_id: tactic.tactic_id.clone(),
            tactic: tactic.tactic.clone(),
            ..technique.clone()
        };
        let pair = |(tactic, at): &(AttackTag, Span), (technique, span): &(AttackTag, Span)| {
            (with(tactic, technique), *span, Some(*at))
        };
        let tags: Vec<(AttackTag, Span, Option<Span>)> = match (tactics.as_slice(), techniques.as_slice()) {
            ([tactic], many @ [_, ..]) => many.iter().map(|technique| pair(tactic, technique)).collect(),
            (many @ [_, ..], [technique]) => many.iter().map(|tactic| pair(tactic, technique)).collect(),
            (a, b) if a.len() == b.len() => a
                .iter()
                .zip(b)
                .map(|(tactic, technique)| pair(tactic, technique))
                .collect(),
            // Which belongs to which is not said.
            _ => tactics
                .into_iter()
                .chain(techniques)
                .map(|(tag, span)| (tag, span, None))
                .collect(),
        };
        for (tag, span, tactic) in tags {
            self.push_tag(tag, span, tactic);
        }
    }

    /// Lists and lines of ids below the heading for tags. A tactic on a line
    /// of its own holds for the techniques below it.
    fn attack_lines(&mut self, part: usize) {
        let mut pending: Option<(AttackTag, Span)> = None;
        let (mut tactic_now, mut tactic_at) = (AttackTag::default(), None);
        for line in self.parts[part].lines.clone() {
            if !self.is_text(line) {
                continue;
            }
            let span = trim_span(self.text, self.lines.spans[line]);
            let source = span.of(self.text);
            let skip = item(source);
            let text = plain(&source[skip.unwrap_or(0)..]);
            // The target of a bare link is no name, but may hold the id.
            let ids = Ids::of(&text);
            let starts = ids.range.is_some_and(|(first, _)| first == 0);
            let tactic_name = ids.is_empty() && skip.is_some() && is_tactic(&text);
            if ids.is_empty() && !tactic_name {
                self.almost_technique(skip, &text, span);
                continue;
            }
            if ids.techniques.is_empty() {
                if let Some((tag, span)) = pending.take() {
                    self.push_tag(tag, span, None);
                }
                let (tactic_id, tactic) = tactic(&text);
                tactic_now = AttackTag {
                    tactic_id,
                    tactic,
                    ..AttackTag::default()
                };
                tactic_at = Some(span);
                pending = Some((tactic_now.clone(), span));
            } else {
                pending = None;
                let here = ids.tactics.first().map(|id| (Some(id.clone()), None));
                let at = tactic_at.filter(|_| here.is_none());
                let (tactic_id, tactic) =
                    here.unwrap_or((tactic_now.tactic_id.clone(), tactic_now.tactic.clone()));
                let own_line = skip.is_some() || starts;
                for mut tag in named(&text) {
                    // Words around an id in a sentence are no name.
                    tag.name = tag.name.filter(|_| own_line);
                    let tag = AttackTag {
                        tactic_id: tactic_id.clone(),
                        tactic: tactic.clone(),
                        ..tag
                    };
                    self.push_tag(tag, span, at);
                }
            }
            if skip.is_some() || starts {
                self.lines.consume(line..line + 1);
            }
        }
        if let Some((tag, span)) = pending {
            self.push_tag(tag, span, None);
        }
    }

    /// An item that begins like an id but is none.
    fn almost_technique(&mut self, skip: Option<usize>, text: &str, span: Span) {
        let word = text.split_whitespace().next().unwrap_or_default();
        let digits = word.strip_prefix(['T', 't']).unwrap_or_default();
        if skip.is_some() && digits.starts_with(|c: char| c.is_ascii_digit()) {
            let message = format!("`{word}` is not the id of a technique");
            self.report(
                Diagnostic::new(codes::ATTACK_TAG, message)
                    .at(span)
                    .help("write T and four digits, such as T1055 or T1055.002"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_stand_alone() {
        let ids = Ids::of("TA0005 and T1055.002, (T1106); XT1234 T12345 T123 T1059/001/ t1003");
        assert_eq!(ids.tactics, ["TA0005"]);
        let found: Vec<String> = ids
            .techniques
            .iter()
            .map(|(t, s)| s.as_ref().map_or(t.clone(), |s| format!("{t}.{s}")))
            .collect();
        assert_eq!(found, ["T1055.002", "T1106", "T1059.001", "T1003"]);
    }

    #[test]
    fn sub_techniques_with_too_few_digits() {
        let short = |text: &str| Ids::of(text).short_sub(text);
        let found = |short: &str, digits: &str| Some((short.to_owned(), digits.to_owned()));
        assert_eq!(short("T1059.01"), found("01", "001"));
        assert_eq!(short("T1059/3 x"), found("3", "003"));
        assert_eq!(short("T1059.001"), None);
        assert_eq!(short("T1059. See"), None);
        assert_eq!(short("T1059, T1003.1"), None);
    }

    #[test]
    fn tactics_and_subtechniques() {
        let both = |id: &str, name: &str| (Some(id.to_owned()), Some(name.to_owned()));
        assert_eq!(
            tactic("TA0005 - Defense Evasion"),
            both("TA0005", "Defense Evasion")
        );
        assert_eq!(
            tactic("Defense Evasion (TA0005)"),
            both("TA0005", "Defense Evasion")
        );
        assert_eq!(tactic("Impact"), (None, Some("Impact".to_owned())));
        assert!(almost_tactic("TA005 - x") && almost_tactic("T0005 - x") && !almost_tactic("Tactic"));
        assert_eq!(subtechnique("2"), Some(("002".to_owned(), false)));
        assert_eq!(subtechnique(".002"), Some(("002".to_owned(), true)));
        assert_eq!(subtechnique("T1055.002"), Some(("002".to_owned(), true)));
        assert_eq!(subtechnique("Native API"), None);
    }

    #[test]
    fn techniques_in_words() {
        let tags = named("Masquerading: Invalid Code Signature (T1036.001)");
        assert_eq!(tags[0].technique_id().as_deref(), Some("T1036.001"));
        assert_eq!(
            tags[0].name.as_deref(),
            Some("Masquerading: Invalid Code Signature")
        );
        assert_eq!(named("Native API")[0].name.as_deref(), Some("Native API"));
    }
}
