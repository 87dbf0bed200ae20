//! The YAML block at the top of a document.
//!
//! In: the document. Out: what the block says, where each key stands, and
//! where the document proper begins. One wrong key does not spoil the others.
//! YAML can be made to blow up; a block is bounded in size, depth and the
//! number of its aliases before a parser sees it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use rulec_model::FrontMatter;
use rulec_source::{Diagnostic, Span};
use serde_yaml::{Mapping, Value};

use crate::codes;
use crate::metadata::allowed;

/// Settings of this size are a mistake, or an attack.
const LARGEST: usize = 32 * 1024;
const DEEPEST: usize = 32;
const MOST_ALIASES: usize = 50;

/// What a document begins with.
#[derive(Debug, Default)]
pub(crate) struct Front {
    /// Where the document proper begins.
    pub(crate) end: usize,
    pub(crate) said: FrontMatter,
    pub(crate) places: BTreeMap<String, Span>,
}

/// The block: its content, and where it ends with its closing line.
struct Block {
    content: Span,
    end: usize,
    closed: bool,
}

/// Reads the front matter of a document, if it has any.
pub(crate) fn read(text: &str, diagnostics: &mut Vec<Diagnostic>) -> Front {
    let start = text.len() - text.trim_start_matches('\u{feff}').len();
    let Some(block) = find(text, start) else {
        return Front {
            end: start,
            ..Front::default()
        };
    };
    let mut front = Front {
        end: block.end,
        ..Front::default()
    };
    if !block.closed {
        diagnostics.push(
            Diagnostic::new(codes::FRONT_MATTER_OPEN, "the front matter is not closed")
                .label(Span::new(start, start + 3), "opened here")
                .help("write `---` on a line of its own behind the last key"),
        );
        return front;
    }
    let content = block.content.of(text);
    if let Some(diagnostic) = excess(content, block.content) {
        diagnostics.push(diagnostic);
        return front;
    }
    match parse(content) {
        Ok(Some(mapping)) => read_keys(text, block.content, &mapping, &mut front, diagnostics),
        Ok(None) => {}
        Err(problem) => diagnostics.push(problem.at(block.content, content)),
    }
    front
}

/// Whether a document begins with front matter. A line of dashes alone may
/// as well be a line across the page.
fn find(text: &str, start: usize) -> Option<Block> {
    let body = &text[start..];
    let mut at = start;
    let mut content_start = None;
    let mut meant: Option<bool> = None;
    let mut first_blank = None;
    let mut blank_inside = false;
    for line in body.split_inclusive('\n') {
        let bare = line.trim_end();
        let line_start = at;
        at += line.len();
        let Some(from) = content_start else {
            if bare != "---" || !line.ends_with('\n') {
                return None;
            }
            content_start = Some(at);
            continue;
        };
        if bare == "---" || bare == "..." {
            // Nothing but comments is front matter; nothing but headings
            // between two lines across the page is not.
            if meant == Some(false) || (meant.is_none() && blank_inside) {
                return None;
            }
            return Some(Block {
                content: Span::new(from, line_start),
                end: at,
                closed: true,
            });
        }
        blank_inside |= bare.is_empty();
        if meant.is_none() && !bare.is_empty() && !bare.starts_with('#') {
            // Prose below a blank line is prose; directly below the dashes it
            // is meant as YAML, however wrong.
            meant = Some(
                looks_like_yaml(bare) || (line_start == from && !bare.starts_with(['|', '>', '`', '*'])),
            );
        }
        let ends = bare.is_empty() || bare.starts_with("# ") || bare.starts_with("## ");
        if ends && meant == Some(true) && first_blank.is_none() {
            first_blank = Some(line_start);
        }
    }
    let content = content_start?;
    (meant == Some(true)
        && body[content - start..]
            .lines()
            .find(|l| !l.trim().is_empty())
            .is_some_and(looks_like_yaml))
    .then(|| Block {
        content: Span::new(content, first_blank.unwrap_or(at)),
        end: first_blank.unwrap_or(at),
        closed: false,
    })
}

/// A key and a colon, or a mark that only YAML begins with.
fn looks_like_yaml(line: &str) -> bool {
    let key = line.find(':').is_some_and(|colon| {
        let key = line[..colon].trim_matches(['"', '\'', ' ', '?']);
        let behind = &line[colon + 1..];
        !key.is_empty()
            && key.len() <= 64
            && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
            && (behind.is_empty() || behind.starts_with([' ', '\t', '\r', '\n']))
    });
    key || line.starts_with(['{', '[', '!', '&', '%', '@'])
}

/// Content that no parser should see.
fn excess(content: &str, span: Span) -> Option<Diagnostic> {
    let report = |message: String, at: Span| Diagnostic::new(codes::FRONT_MATTER_LIMIT, message).at(at);
    let first_line = content.find('\n').unwrap_or(content.len());
    let start = span.start as usize;
    if content.len() > LARGEST {
        return Some(report(
            format!(
                "the front matter is {} bytes long; {LARGEST} are allowed",
                content.len()
            ),
            Span::new(start, start + first_line),
        ));
    }
    let (mut depth, mut aliases, mut before) = (0_usize, 0_usize, ' ');
    for (i, c) in content.char_indices() {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            '*' if before.is_whitespace() || matches!(before, '[' | ',' | ':' | '-') => {
                let named = content[i + 1..].starts_with(|c: char| c.is_alphanumeric());
                aliases += usize::from(named);
            }
            _ => {}
        }
        before = c;
        if depth > DEEPEST || aliases > MOST_ALIASES {
            let what = if depth > DEEPEST {
                "is nested too deep"
            } else {
                "has too many aliases"
            };
            return Some(report(
                format!("the front matter {what}"),
                Span::new(start + i, start + i + c.len_utf8()),
            ));
        }
    }
    None
}

/// What is wrong with the block, with the line and column the parser gave.
struct Problem {
    message: String,
    location: Option<(usize, usize)>,
    code: rulec_source::Code,
}

impl Problem {
    fn of(error: &serde_yaml::Error) -> Self {
        let location = error.location().map(|l| (l.line(), l.column()));
        let message = without_places(&error.to_string());
        Self {
            message,
            location,
            code: codes::FRONT_MATTER_SYNTAX,
        }
    }

    fn at(self, span: Span, content: &str) -> Diagnostic {
        let place = twice(&self.message, content)
            .or_else(|| control(content))
            .or_else(|| {
                self.location
                    .map(|(line, column)| token_at(content, line, column))
            })
            .unwrap_or(Span::new(0, content.find(['\r', '\n']).unwrap_or(content.len())));
        let start = span.start as usize;
        let place = Span::new(start + place.start as usize, start + place.end as usize);
        Diagnostic::new(
            self.code,
            format!("the front matter is not YAML that can be read: {}", self.message),
        )
        .at(place)
    }
}

/// A message of the parser without ` at line 1 column 2`: its lines count
/// from the beginning of the block.
fn without_places(message: &str) -> String {
    let mut out = String::new();
    let mut rest = message;
    while let Some(at) = rest.find(" at line ") {
        out.push_str(&rest[..at]);
        let place = &rest[at + " at line ".len()..];
        let column = place.trim_start_matches(|c: char| c.is_ascii_digit());
        let end = match column.strip_prefix(" column ") {
            Some(column) => column.trim_start_matches(|c: char| c.is_ascii_digit()),
            None => column,
        };
        rest = end;
    }
    out + rest
}

/// From a place to the end of the value there; at least one character where there is one.
fn token_at(content: &str, line: usize, column: usize) -> Span {
    let mut at = 0;
    for (i, text) in content.split_inclusive('\n').enumerate() {
        if i + 1 == line {
            let bare = text.trim_end();
            let mut from: usize = bare
                .chars()
                .take(column.saturating_sub(1))
                .map(char::len_utf8)
                .sum();
            if from == bare.len() {
                // At the end of the line: its last character shows the place.
                from -= bare.chars().next_back().map_or(0, char::len_utf8);
            }
            let rest = &bare[from..];
            let end = match rest.find(" #") {
                Some(comment) => rest[..comment].trim_end().len(),
                None => rest.len(),
            };
            return Span::new(at + from, at + from + end);
        }
        at += text.len();
    }
    // Past the end: the last character shows the place.
    let end = content.trim_end();
    let last = end.chars().next_back().map_or(0, char::len_utf8);
    Span::new(end.len() - last, end.len())
}

/// The second line of a key that the parser says is there twice.
fn twice(message: &str, content: &str) -> Option<Span> {
    let key = message
        .split("duplicate entry with key \"")
        .nth(1)?
        .split('"')
        .next()?;
    let mut at = 0;
    let mut seen = 0;
    for line in content.split_inclusive('\n') {
        let inner = line.trim_start_matches([' ', '\t', '-', '"', '\'']);
        if inner
            .strip_prefix(key)
            .is_some_and(|rest| rest.trim_start_matches(['"', '\'']).starts_with(':'))
        {
            seen += 1;
            if seen == 2 {
                let start = at + line.len() - inner.len();
                return Some(Span::new(start, start + key.len()));
            }
        }
        at += line.len();
    }
    None
}

fn control(content: &str) -> Option<Span> {
    let (at, c) = content
        .char_indices()
        .find(|(_, c)| c.is_control() && !matches!(c, '\t' | '\r' | '\n'))?;
    Some(Span::new(at, at + c.len_utf8()))
}

/// The block as a mapping; None when it is empty.
fn parse(content: &str) -> Result<Option<Mapping>, Problem> {
    let value: Value = serde_yaml::from_str(content).map_err(|e| Problem::of(&e))?;
    match value {
        Value::Null => Ok(None),
        Value::Mapping(mapping) => Ok(Some(mapping)),
        _ => Err(Problem {
            message: "it has to be `key: value` lines".to_owned(),
            location: None,
            code: codes::FRONT_MATTER_SYNTAX,
        }),
    }
}

/// The keys at the beginning of lines, with their offsets.
fn key_lines(content: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    content.split_inclusive('\n').filter_map(move |line| {
        let start = at;
        at += line.len();
        let unquoted = line.trim_start_matches(['"', '\'']);
        let quote = line.len() - unquoted.len();
        let end = unquoted
            .find(['"', '\'', ':', ' ', '\t', '\r', '\n'])
            .unwrap_or(unquoted.len());
        let begins = !line.starts_with([' ', '\t', '#', '-']) && end > 0 && unquoted[end..].contains(':');
        begins.then(|| (start + quote, &unquoted[..end]))
    })
}

/// The keys of [`FrontMatter`].
fn known_keys() -> &'static [String] {
    static KEYS: OnceLock<Vec<String>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let schema = rulec_model::front_matter_schema();
        let properties = schema.get("properties").and_then(|p| p.as_object());
        properties
            .map(|p| p.keys().cloned().collect())
            .unwrap_or_default()
    })
}

fn read_keys(
    text: &str,
    span: Span,
    mapping: &Mapping,
    front: &mut Front,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let content = span.of(text);
    let start = span.start as usize;
    let lines: Vec<(usize, &str)> = key_lines(content).collect();
    // A block style mapping has each key on a line of its own; only then can
    // a value be read alone, with its place.
    let block_style = lines.len() == mapping.len()
        && mapping
            .keys()
            .zip(&lines)
            .all(|(key, (_, written))| key.as_str() == Some(written));
    for (i, (key, value)) in mapping.iter().enumerate() {
        let at = lines
            .iter()
            .find(|(_, written)| key.as_str() == Some(written))
            .map(|(at, _)| *at);
        let key_span = match (at, key.as_str()) {
            (Some(at), Some(key)) => Span::new(start + at, start + at + key.len()),
            _ => Span::new(start, start + content.find(['\r', '\n']).unwrap_or(content.len())),
        };
        let Some(key) = key.as_str().filter(|key| known_keys().iter().any(|k| k == key)) else {
            diagnostics.push(unknown_key(key, key_span));
            continue;
        };
        front.places.insert(format!("/settings/{key}"), key_span);
        let next = lines
            .get(i + 1)
            .filter(|_| block_style)
            .map_or(content.len(), |(at, _)| *at);
        let source = &content[at.filter(|_| block_style).unwrap_or(0)..next];
        if let Some(tag) = tag_in(value).or_else(|| written_tag(source)) {
            diagnostics.push(
                Diagnostic::new(
                    codes::FRONT_MATTER_VALUE,
                    format!("`{key}` holds the YAML tag `{tag}`"),
                )
                .at(key_span)
                .help("write the value without a tag"),
            );
            continue;
        }
        let own = block_style.then(|| {
            let from = lines[i].0;
            let to = lines.get(i + 1).map_or(content.len(), |(at, _)| *at);
            alone(content, from, to)
        });
        let mut single = Mapping::new();
        single.insert(Value::from(key), value.clone());
        let same = own
            .as_deref()
            .filter(|own| parse(own).is_ok_and(|parsed| parsed.as_ref() == Some(&single)));
        let said: Result<FrontMatter, serde_yaml::Error> = match same {
            Some(own) => serde_yaml::from_str(own),
            None => serde_yaml::from_value(Value::Mapping(single)),
        };
        match said {
            Ok(said) => merge(&mut front.said, said),
            Err(error) => {
                let from = at.unwrap_or(0);
                let to = lines
                    .iter()
                    .map(|(at, _)| *at)
                    .find(|next| *next > from)
                    .unwrap_or(content.len());
                let place = culprit(&error.to_string(), content, from + key.len().min(to - from), to)
                    .or_else(|| {
                        let location = error.location().filter(|_| same.is_some())?;
                        Some(token_at(content, location.line(), location.column()))
                    })
                    .filter(|place| !place.is_empty())
                    .map(|place| Span::new(start + place.start as usize, start + place.end as usize));
                diagnostics.push(wrong_value(key, &error, place.unwrap_or(key_span)));
            }
        }
    }
}

/// The content with everything but one key made blank, so that places stay.
fn alone(content: &str, from: usize, to: usize) -> String {
    let blank = |text: &str| text.chars().filter(|c| *c == '\n').collect::<String>();
    format!(
        "{}{}{}",
        blank(&content[..from]),
        &content[from..to],
        blank(&content[to..])
    )
}

fn unknown_key(key: &Value, span: Span) -> Diagnostic {
    let written = match key {
        Value::String(key) => key.clone(),
        other => serde_yaml::to_string(other).unwrap_or_default().trim().to_owned(),
    };
    let known = known_keys().iter().map(String::as_str);
    let nearest = rulec_facts::close_matches(&written, known.clone(), 1)
        .first()
        .copied();
    let diagnostic = Diagnostic::new(
        codes::FRONT_MATTER_KEY,
        format!("the front matter has an unknown key `{written}`"),
    )
    .at(span);
    let keys = known.collect::<Vec<_>>().join(", ");
    match nearest {
        Some(nearest) => diagnostic
            .note(format!("keys are {keys}"))
            .help(format!("did you mean `{nearest}`?"))
            .suggest(format!("write `{nearest}`"), span, nearest),
        None => diagnostic.help(format!("keys are {keys}")),
    }
}

fn wrong_value(key: &str, error: &serde_yaml::Error, span: Span) -> Diagnostic {
    let problem = Problem::of(error);
    let message = problem.message;
    let path_end = message.find(": ").filter(|end| message[..*end].starts_with(key));
    let (path, what) = match path_end {
        Some(end) => (&message[..end], &message[end + 2..]),
        None => (key, message.as_str()),
    };
    let (found, expected) = what.split_once(", expected ").unwrap_or((what, ""));
    let diagnostic = Diagnostic::new(
        codes::FRONT_MATTER_VALUE,
        format!("`{path}` in the front matter: {found}"),
    )
    .at(span);
    let names = choices(path);
    match expected {
        "" => diagnostic,
        _ if !names.is_empty() => diagnostic.help(format!("expected {}", names.join(", "))),
        "u32" => diagnostic.help("expected a whole number"),
        "a sequence" => diagnostic.help("expected a list, such as `[a, b]`"),
        "a boolean" => diagnostic.help("expected `true` or `false`"),
        _ => diagnostic.help(allowed(what)),
    }
}

/// What in the value of a key the message is about: the first thing it quotes.
fn culprit(message: &str, content: &str, from: usize, to: usize) -> Option<Span> {
    let open = message.find(['`', '"'])?;
    let mark = message[open..].chars().next()?;
    let rest = &message[open + 1..];
    let quoted = &rest[..rest.find(mark)?];
    let value = content.get(from..to)?;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (at, _) = value.match_indices(quoted).find(|(at, found)| {
        let before = value[..*at].chars().next_back().is_some_and(is_word);
        let after = value[at + found.len()..].chars().next().is_some_and(is_word);
        !before && !after
    })?;
    (!quoted.is_empty()).then(|| Span::new(from + at, from + at + quoted.len()))
}

/// The names a value may have, by the path to it, if it is one of few.
fn choices(path: &str) -> Vec<String> {
    let schema = rulec_model::front_matter_schema();
    let mut at = &schema;
    for step in path.split('.') {
        let name = step.split('[').next().unwrap_or(step);
        let Some(next) = resolve(&schema, at).get("properties").and_then(|p| p.get(name)) else {
            return Vec::new();
        };
        at = next;
        if step.contains('[') {
            match resolve(&schema, at).get("items") {
                Some(items) => at = items,
                None => return Vec::new(),
            }
        }
    }
    let found = resolve(&schema, at);
    let listed = found.get("enum").and_then(|e| e.as_array()).into_iter().flatten();
    let each = found
        .get("oneOf")
        .and_then(|o| o.as_array())
        .into_iter()
        .flatten();
    let each = each.filter_map(|one| one.get("const").or_else(|| one.get("enum")?.get(0)));
    listed
        .chain(each)
        .filter_map(|v| v.as_str().map(|v| format!("`{v}`")))
        .collect()
}

/// Follows references, and steps over `null` as an alternative.
fn resolve<'s>(schema: &'s serde_json::Value, mut at: &'s serde_json::Value) -> &'s serde_json::Value {
    for _ in 0..8 {
        let reference = at
            .get("$ref")
            .and_then(|r| r.as_str())
            .and_then(|r| r.strip_prefix('#'));
        let alternative = at.get("anyOf").and_then(|a| a.as_array()).and_then(|all| {
            all.iter()
                .find(|one| one.get("type").and_then(|t| t.as_str()) != Some("null"))
        });
        at = match (reference.and_then(|r| schema.pointer(r)), alternative) {
            (Some(next), _) | (None, Some(next)) => next,
            (None, None) => break,
        };
    }
    at
}

/// A tag of YAML itself (`!!str`), which leaves no trace in the value.
fn written_tag(source: &str) -> Option<String> {
    let at = source.match_indices("!!").map(|(at, _)| at).find(|at| {
        let before = source[..*at].trim_end_matches([' ', '\t']);
        before.ends_with([':', '-', '[', '{']) && source[..*at].ends_with([' ', '\t', '[', '{'])
    })?;
    let tag = &source[at..];
    Some(tag[..tag.find(char::is_whitespace).unwrap_or(tag.len())].to_owned())
}

fn tag_in(value: &Value) -> Option<String> {
    match value {
        Value::Tagged(tagged) => Some(tagged.tag.to_string()),
        Value::Sequence(items) => items.iter().find_map(tag_in),
        Value::Mapping(mapping) => mapping.iter().find_map(|(k, v)| tag_in(k).or_else(|| tag_in(v))),
        _ => None,
    }
}

/// Takes over what one key says.
fn merge(into: &mut FrontMatter, said: FrontMatter) {
    fn take<T>(place: &mut Option<T>, value: Option<T>) {
        if value.is_some() {
            *place = value;
        }
    }
    let FrontMatter {
        status,
        deprecated,
        severity,
        targets,
        schedule,
        trigger,
        entities,
        custom_details,
        alert,
        grouping,
        suppression,
        ids,
    } = said;
    take(&mut into.status, status);
    take(&mut into.deprecated, deprecated);
    take(&mut into.severity, severity);
    take(&mut into.targets, targets);
    take(&mut into.schedule, schedule);
    take(&mut into.trigger, trigger);
    take(&mut into.entities, entities);
    take(&mut into.custom_details, custom_details);
    take(&mut into.alert, alert);
    take(&mut into.grouping, grouping);
    take(&mut into.suppression, suppression);
    take(&mut into.ids, ids);
}
