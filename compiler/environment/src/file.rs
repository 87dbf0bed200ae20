//! Environment files: `environments/<name>.yaml`.
//!
//! In: the text. Out: what it says, as data; a key that is not known or is
//! there twice, a day that is none, a condition that is no condition are
//! errors with their places. Whether rules, constants and columns exist is
//! looked at when the environment is applied to a rule.

use std::{collections::BTreeMap, fmt};

use rulec_facts::yaml::{
    places::{
        self,
        Step::{self, Item, Key},
    },
    strict::{self, unique},
};
use rulec_functions::matching::wildcard;
use rulec_model::{Duration, ScheduleKind, Severity};
use rulec_source::{Diagnostic, Span};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Value;

use crate::{codes::BAD_ENVIRONMENT, condition, splice::Part};

/// Larger environments are a mistake, or an attack.
const LARGEST: usize = 4 << 20;

/// Longer sentences belong into a ticket that the sentence names.
const LONGEST: usize = 1_000;

/// A place that rules are deployed to: what differs there from what the
/// documents say. Everything may be left out.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentFile {
    /// What the place is, for people.
    pub description: Option<String>,
    /// Values for `let` constants, by name: in every rule that has the constant.
    #[serde(default, deserialize_with = "unique")]
    pub parameters: BTreeMap<String, Value>,
    /// The block between the de-duplication markers, in every rule that has them.
    pub deduplication: Option<Deduplication>,
    /// What differs for one rule, by its id.
    #[serde(default, deserialize_with = "unique")]
    pub rules: BTreeMap<String, RuleChange>,
    /// What rules leave out.
    #[serde(default)]
    pub exclusions: Vec<Exclusion>,
}

/// What differs for one rule.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleChange {
    /// The rule is not deployed here; the sentence says why.
    pub disabled: Option<String>,
    /// Severity of its alerts.
    pub severity: Option<Severity>,
    /// When it runs; what is not said stays.
    pub schedule: Option<ScheduleChange>,
    /// Values for `let` constants of its query, by name.
    #[serde(default, deserialize_with = "unique")]
    pub parameters: BTreeMap<String, Value>,
    /// The block between its de-duplication markers.
    pub deduplication: Option<Deduplication>,
}

/// When a rule runs, where that differs.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleChange {
    /// Scheduled or near real time.
    pub kind: Option<ScheduleKind>,
    /// Time between runs.
    pub frequency: Option<Duration>,
    /// How far a run looks back.
    pub period: Option<Duration>,
}

/// Events that rules leave out.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    /// Ids of the rules; `*` stands for any characters.
    #[schemars(length(min = 1))]
    pub rules: Vec<String>,
    /// What is left out, as one KQL condition over the columns that are there
    /// at the slot. Rows for which it is null stay.
    #[schemars(length(min = 1))]
    pub condition: String,
    /// Why.
    #[schemars(length(min = 1))]
    pub reason: String,
    /// Who answers for it.
    #[schemars(length(min = 1))]
    pub owner: String,
    /// The last day it goes for, such as `2027-01-31`.
    #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub expires: String,
    /// Which of the rule's queries, from 1. Without it: each.
    #[schemars(range(min = 1))]
    pub query: Option<usize>,
    /// Which of the query's slots, from 1, or `all`. Needed where it has several.
    pub slot: Option<SlotChoice>,
}

/// Which of several slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotChoice {
    /// Each of them.
    All,
    /// One, from 1.
    One(usize),
}

/// The block between de-duplication markers: the name of a template under
/// `templates/deduplication/`, or a name with what the template is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Deduplication {
    /// `first-event` is `templates/deduplication/first-event.kql.j2`.
    pub template: String,
    /// The columns by which alerts are told apart. Without them: those of the
    /// query's `let DedupFields`.
    pub fields: Option<Vec<String>>,
    /// Further values for the template.
    pub values: BTreeMap<String, Value>,
}

/// The long form of [`Deduplication`].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "DeduplicationBlock")]
struct Block {
    /// Name of a template under `templates/deduplication/`.
    template: String,
    /// The columns by which alerts are told apart. Without them: those of the
    /// query's `let DedupFields`.
    fields: Option<Vec<String>>,
    /// Further values for the template.
    #[serde(default, deserialize_with = "unique")]
    values: BTreeMap<String, Value>,
}

impl<'de> Deserialize<'de> for SlotChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = SlotChoice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the number of a slot, from 1, or `all`")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<SlotChoice, E> {
                match word {
                    "all" => Ok(SlotChoice::All),
                    _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                }
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<SlotChoice, E> {
                match usize::try_from(number) {
                    Ok(number) if number > 0 => Ok(SlotChoice::One(number)),
                    _ => Err(E::invalid_value(de::Unexpected::Unsigned(number), &self)),
                }
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for SlotChoice {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SlotChoice".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The number of a slot, from 1, or all of them.",
            "oneOf": [{ "type": "integer", "minimum": 1 }, { "const": "all" }]
        })
    }
}

// By hand, so that a mistake within the long form keeps its place.
impl<'de> Deserialize<'de> for Deduplication {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Deduplication;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a template, or `{ template: NAME, fields: […], … }`")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Deduplication, E> {
                Ok(Deduplication {
                    template: name.to_owned(),
                    fields: None,
                    values: BTreeMap::new(),
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Deduplication, A::Error> {
                let block = Block::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Deduplication {
                    template: block.template,
                    fields: block.fields,
                    values: block.values,
                })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for Deduplication {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Deduplication".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let block = generator.subschema_for::<Block>();
        json_schema!({
            "description": "A template under templates/deduplication/ for the block between de-duplication markers.",
            "oneOf": [{ "type": "string", "minLength": 1 }, block]
        })
    }
}

impl Exclusion {
    /// Whether it is for a rule.
    pub fn is_for(&self, rule: &str) -> bool {
        self.rules.iter().any(|pattern| wildcard(rule, pattern))
    }

    /// Whether its last day is before this one; both as `2027-01-31`.
    pub fn has_ended(&self, day: &str) -> bool {
        self.expires.as_str() < day
    }

    /// What stands over it in a query, on one line.
    pub fn comment(&self, environment: &str) -> String {
        format!(
            "// {environment}: {} ({}, until {})",
            one_line(&self.reason),
            one_line(&self.owner),
            self.expires
        )
    }
}

/// Words without line ends, single blanks between them: nothing that a comment
/// of a query could end with.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether an environment may be called so: it names a file and a folder.
pub fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && !name.ends_with('.')
        && !name.contains("..")
}

/// Reads an environment file. `known` are the rules' ids where somebody knows them.
pub fn read(text: &str) -> Result<EnvironmentFile, Vec<Diagnostic>> {
    if text.len() > LARGEST {
        let message = format!(
            "the environment is {} bytes long; {LARGEST} are allowed",
            text.len()
        );
        return Err(vec![Diagnostic::new(BAD_ENVIRONMENT, message)]);
    }
    // A file of comments alone is an environment that changes nothing.
    let file: Option<EnvironmentFile> = serde_yaml::from_str(text)
        .map_err(|error| vec![strict::refused(BAD_ENVIRONMENT, "the environment", text, &error)])?;
    let file = file.unwrap_or_default();
    let mut found = Vec::new();
    for (id, change) in &file.rules {
        if change.disabled.as_ref().is_some_and(|why| why.trim().is_empty()) {
            let at = places::value(text, &[Key("rules"), Key(id), Key("disabled")]);
            found.push(
                Diagnostic::new(BAD_ENVIRONMENT, format!("{id} is disabled without a reason"))
                    .at(at.unwrap_or_default())
                    .help("say why: `disabled: there is no Exchange here`"),
            );
        }
    }
    for (index, exclusion) in file.exclusions.iter().enumerate() {
        inspect(text, index, exclusion, &mut found);
    }
    if found.is_empty() { Ok(file) } else { Err(found) }
}

/// What is wrong with an exclusion, whatever it is for.
fn inspect(text: &str, index: usize, exclusion: &Exclusion, found: &mut Vec<Diagnostic>) {
    let place = |key| value(text, index, &[Key(key)]).unwrap_or_default();
    let wrong = |key, message: String| Diagnostic::new(BAD_ENVIRONMENT, message).at(place(key));
    if exclusion.rules.is_empty() {
        found.push(
            wrong("rules", "the exclusion is for no rule".to_owned())
                .help("name rules by their ids; `*` stands for any characters"),
        );
    }
    for (key, written) in [("reason", &exclusion.reason), ("owner", &exclusion.owner)] {
        if written.trim().is_empty() {
            found.push(wrong(key, format!("the exclusion has no {key}")));
        } else if written.len() > LONGEST {
            let message = format!("the {key} of the exclusion is longer than {LONGEST} bytes");
            found.push(wrong(key, message).help("write it down elsewhere and name that place"));
        } else if written.chars().any(is_odd) {
            let message = format!("the {key} of the exclusion has a control character");
            found.push(wrong(key, message).help("write it as plain words"));
        }
    }
    if !is_day(&exclusion.expires) {
        let message = format!("`{}` is no day", exclusion.expires);
        found.push(wrong("expires", message).help("write the last day it goes for as `2027-01-31`"));
    }
    if exclusion.query == Some(0) {
        found.push(wrong("query", "queries are counted from 1".to_owned()));
    }
    if let Err(refusal) = condition::check(&exclusion.condition) {
        let parts = parts(text, index, &exclusion.condition);
        found.push(refusal.diagnostic(&exclusion.condition, &parts, place("condition")));
    }
}

/// Control characters, and those that turn around the text behind them.
fn is_odd(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a text is a day of the calendar, as `2027-01-31`.
fn is_day(text: &str) -> bool {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    shape
        && rulec_functions::text::parse_datetime(text)
            .is_some_and(|ticks| rulec_functions::text::print_datetime(ticks).starts_with(text))
}

/// Where a value within an exclusion stands, to the end of its first line.
pub(crate) fn value(text: &str, index: usize, path: &[Step<'_>]) -> Option<Span> {
    // The item alone is read quickly, however long the file is; written in
    // another way than a list of lines, the whole file is read.
    if let Some((start, item)) = items(text).get(index) {
        let alone: Vec<Step<'_>> = [Item(0)].iter().chain(path).copied().collect();
        if let Some(found) = places::value(item, &alone) {
            return Some(Span::new(
                start + found.start as usize,
                start + found.end as usize,
            ));
        }
    }
    let whole: Vec<Step<'_>> = [Key("exclusions"), Item(index)]
        .iter()
        .chain(path)
        .copied()
        .collect();
    places::value(text, &whole)
}

/// The items of `exclusions:` as text, each with its offset.
fn items(text: &str) -> Vec<(usize, &str)> {
    let mut found: Vec<(usize, &str)> = Vec::new();
    let (mut at, mut within, mut depth) = (0, false, None);
    let mut starts = Vec::new();
    let mut end = text.len();
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let body = line[indent..].trim_end();
        let is_item = body == "-" || body.starts_with("- ");
        if within && !body.is_empty() && !body.starts_with('#') {
            if is_item && depth.is_none_or(|depth| depth == indent) {
                depth = Some(indent);
                starts.push(at);
            } else if indent == 0 {
                end = at;
                break;
            }
        } else if indent == 0 && body.starts_with("exclusions:") {
            within = true;
        }
        at += line.len();
    }
    for (index, start) in starts.iter().enumerate() {
        let stop = starts.get(index + 1).copied().unwrap_or(end);
        found.push((*start, &text[*start..stop]));
    }
    found
}

/// The condition of an exclusion in parts that lead back to the file: line by
/// line where it stands there as it is, else to its beginning. Offsets are the
/// file's.
pub(crate) fn parts(text: &str, index: usize, condition: &str) -> Vec<Part> {
    let whole = value(text, index, &[Key("condition")]).unwrap_or_default();
    let mut from = whole.start as usize;
    let mut all = Vec::new();
    for line in condition.split_inclusive('\n') {
        let written = line.trim();
        let lead = line.len() - line.trim_start().len();
        // Not further than a line or two: what is escaped stands nowhere as it is.
        let most = text.len().min(from + written.len() + 400);
        let window = (from..=most).rev().find(|end| text.is_char_boundary(*end));
        let found = window.and_then(|end| text[from..end].find(written));
        match found {
            Some(at) if !written.is_empty() => {
                let start = from + at;
                all.push(Part::new(&line[..lead], start));
                all.push(Part::of(written, start));
                all.push(Part::new(&line[lead + written.len()..], start + written.len()));
                from = start + written.len();
            }
            _ => all.push(Part::new(line, whole.start as usize)),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "exclusions:\n  - rules: [A]\n    condition: X == 1\n    reason: why\n    owner: us\n    expires: 2027-01-31\n";

    fn refused(text: &str) -> (String, String, String) {
        let found = read(text).unwrap_err();
        let first = &found[0];
        let at = first.span().unwrap_or_default().of(text).to_owned();
        (first.message.clone(), at, first.help.clone().unwrap_or_default())
    }

    #[test]
    fn nothing_said_is_an_environment() {
        for text in [
            "",
            "# only a comment\n",
            "---\n",
            "{}\n",
            "\u{feff}# a mark\n",
            "exclusions: []\n",
        ] {
            let file = read(text).unwrap();
            assert!(file.exclusions.is_empty() && file.rules.is_empty(), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        let (message, at, help) = refused("exclusion: []\n");
        assert!(message.contains("unknown field `exclusion`"), "{message}");
        assert_eq!(
            (at.as_str(), help.as_str()),
            ("exclusion: []", "did you mean `exclusions`?")
        );
        let (message, at, _) = refused("parameters: { a: 1, a: 2 }\n");
        assert!(
            message.contains("`a` is there twice") && at == "a: 2",
            "{message} {at}"
        );
        let (message, at, help) = refused("rules:\n  R: { severity: hihg }\n");
        assert!(message.contains("hihg") && at == "hihg", "{message} {at}");
        assert_eq!(help, "did you mean `high`?");
        for (wrong, right, said, place) in [
            ("2027-02-30", "2027-01-31", "`2027-02-30` is no day", "2027-02-30"),
            ("27-1-31", "2027-01-31", "`27-1-31` is no day", "27-1-31"),
            ("owner: ' '", "owner: us", "the exclusion has no owner", "' '"),
            ("rules: []", "rules: [A]", "the exclusion is for no rule", "[]"),
            (
                "reason: \"a\\u202eb\"",
                "reason: why",
                "the reason of the exclusion has a control character",
                "\"a\\u202eb\"",
            ),
        ] {
            let (message, at, _) = refused(&GOOD.replace(right, wrong));
            assert_eq!((message.as_str(), at.as_str()), (said, place));
        }
        let (message, ..) = refused(&GOOD.replace("    owner: us\n", ""));
        assert!(message.contains("missing field `owner`"), "{message}");
        let (message, at, _) = refused(&GOOD.replace("X == 1", "X == (1"));
        assert!(message.starts_with("the condition cannot be read"), "{message}");
        assert!(!at.is_empty() && GOOD.replace("X == 1", "X == (1").contains(&at));
        assert!(
            refused("rules:\n  R: { disabled: '' }\n")
                .0
                .contains("without a reason")
        );
        assert!(
            refused("rules:\n  R: { schedule: { frequency: 5 minutes } }\n")
                .0
                .contains("5 minutes")
        );
    }

    #[test]
    fn hostile_yaml_is_refused() {
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\nparameters: { x: [*d,*d,*d,*d,*d,*d,*d,*d,*d] }\n";
        let deep = format!(
            "parameters: {{ x: {}{} }}\n",
            "[".repeat(5_000),
            "]".repeat(5_000)
        );
        let long = format!("description: {}\n", "x".repeat(LARGEST));
        for text in [
            bomb,
            &deep,
            &long,
            "- a\n",
            "text\n",
            "parameters: [1]\n",
            "a: b: c\n",
            "exclusions: { x: 1 }\n",
            "description: &x *x\n",
            "{}\n---\n{}\n",
            "\0",
            "exclusions:\n  -\n",
        ] {
            assert!(read(text).is_err(), "{}", &text[..text.len().min(80)]);
        }
    }

    #[test]
    fn names_and_patterns() {
        for name in ["prod", "a.b", "eu-1_test"] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "", ".", "..", "a/b", "a\\b", "-a", "a..b", "a.", "é", "a b", "none\n",
        ] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn conditions_lead_back_to_their_lines() {
        let block = "# e\nexclusions:\n- rules: [A]\n  condition: |\n    X == 1\n      or Y == 2\n  reason: why\n  owner: us\n  expires: 2027-01-31\n- rules: [B]\n  condition: 'Z == 3'\n  reason: why\n  owner: us\n  expires: 2027-01-31\n";
        let file = read(block).unwrap();
        let exact = |index: usize| -> Vec<String> {
            parts(block, index, &file.exclusions[index].condition)
                .iter()
                .filter(|part| part.len > 0)
                .map(|part| {
                    let start = part.outer as usize;
                    assert_eq!(&block[start..start + part.len as usize], part.text);
                    part.text.clone()
                })
                .collect()
        };
        assert_eq!(exact(0), ["X == 1", "or Y == 2"]);
        assert_eq!(exact(1), ["Z == 3"]);
        assert_eq!(items(block).len(), 2);
        // In brackets, and with escapes.
        let flow = "exclusions: [{ rules: [A], condition: \"X == \\\"a\\\"\", reason: r, owner: o, expires: 2027-01-31 }]\n";
        let file = read(flow).unwrap();
        let parts = parts(flow, 0, &file.exclusions[0].condition);
        assert!(
            parts
                .iter()
                .all(|part| flow[part.outer as usize..].starts_with("\"X ==")),
            "{parts:?}"
        );
    }
}
