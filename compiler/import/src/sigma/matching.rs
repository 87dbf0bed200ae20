//! One search of a detection as a predicate.
//!
//! In: a mapping of fields, a list of such, or keywords. Out: the predicate
//! over the columns of the chosen table. What no column says is left
//! [`Predicate::Unknown`].

use rulec_emit::{Effect, Loss};
use rulec_facts::sigma::Form;
use rulec_functions::Type;
use serde_json::Value;

use super::kql::{Predicate, quoted};
use super::source::{Chosen, Place, REGISTRY_PATH, is_number};
use super::value::{self, Piece, Shape};
use super::{items, values};

/// How registry paths begin in Sigma, and in the tables.
const HIVES: [(&str, &str); 4] = [
    ("HKLM\\", "HKEY_LOCAL_MACHINE\\"),
    ("HKCU\\", "HKEY_CURRENT_USER\\"),
    ("HKU\\", "HKEY_USERS\\"),
    ("HKCR\\", "HKEY_CLASSES_ROOT\\"),
];

/// A search.
pub(super) fn search(chosen: &Chosen<'_>, name: &str, value: &Value, losses: &mut Vec<Loss>) -> Predicate {
    let parts: Vec<Predicate> = items(value)
        .into_iter()
        .map(|item| match item {
            Value::Object(map) => {
                let fields = map
                    .iter()
                    .map(|(key, value)| item_of(chosen, key, value, losses))
                    .collect();
                Predicate::and(fields)
            }
            word => match crate::input::text(word) {
                Some(word) => keyword(&word, losses),
                None => Predicate::unknown(
                    format!("`{name}`"),
                    "it has an item that is neither a mapping nor a word",
                ),
            },
        })
        .collect();
    if parts.is_empty() {
        return Predicate::unknown(format!("`{name}`"), "it says nothing");
    }
    Predicate::or(parts)
}

/// A word anywhere in the event.
fn keyword(word: &str, losses: &mut Vec<Loss>) -> Predicate {
    losses.push(Loss::new(
        format!("keyword `{word}`"),
        Effect::Narrowed,
        "it is looked for in the columns of the table, of which the event has more fields",
    ));
    let pieces = value::pieces(word);
    match value::shape(&pieces) {
        Shape::Equals(text) | Shape::Contains(text) | Shape::StartsWith(text) | Shape::EndsWith(text) => {
            Predicate::Atom(format!("* contains {}", quoted(&text)))
        }
        _ => Predicate::unknown(format!("keyword `{word}`"), "a keyword cannot be a pattern"),
    }
}

/// What the modifiers of an item say.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // Each is a modifier, and they combine.
struct Modifiers {
    all: bool,
    cased: bool,
    not: bool,
    contains: bool,
    starts: bool,
    ends: bool,
    regex: Option<String>,
    cidr: bool,
    exists: bool,
    compare: Option<&'static str>,
    field: bool,
    /// Those that change values, in order.
    change: Vec<String>,
}

fn modifiers(names: &[&str]) -> Result<Modifiers, String> {
    let mut out = Modifiers::default();
    for name in names {
        match *name {
            "all" => out.all = true,
            "cased" => out.cased = true,
            "neq" => out.not = true,
            "contains" => out.contains = true,
            "startswith" => out.starts = true,
            "endswith" => out.ends = true,
            "re" => out.regex = Some(out.regex.unwrap_or_default()),
            "i" | "m" | "s" | "ignorecase" | "multiline" | "dotall" if out.regex.is_some() => {
                if let Some(flags) = &mut out.regex {
                    flags.push(match *name {
                        "i" | "ignorecase" => 'i',
                        "m" | "multiline" => 'm',
                        _ => 's',
                    });
                }
            }
            "cidr" => out.cidr = true,
            "exists" => out.exists = true,
            "gt" => out.compare = Some(">"),
            "gte" => out.compare = Some(">="),
            "lt" => out.compare = Some("<"),
            "lte" => out.compare = Some("<="),
            "fieldref" => out.field = true,
            "windash" | "base64" | "base64offset" | "wide" | "utf16" | "utf16le" | "utf16be" => {
                out.change.push((*name).to_owned());
            }
            other => {
                return Err(format!(
                    "the modifier `{other}` has no counterpart in KQL over these tables"
                ));
            }
        }
    }
    Ok(out)
}

/// One field with its values.
fn item_of(chosen: &Chosen<'_>, key: &str, value: &Value, losses: &mut Vec<Loss>) -> Predicate {
    let mut parts = key.split('|');
    let name = parts.next().unwrap_or_default();
    let names: Vec<&str> = parts.collect();
    let construct = format!("`{key}`");
    let modifiers = match modifiers(&names) {
        Ok(modifiers) => modifiers,
        Err(why) => return Predicate::unknown(construct, why),
    };
    let values = values(value);
    if name.is_empty() {
        let words: Vec<Predicate> = values
            .iter()
            .flatten()
            .map(|word| keyword(word, losses))
            .collect();
        return if modifiers.all {
            Predicate::and(words)
        } else {
            Predicate::or(words)
        };
    }
    let places = chosen.places(name);
    if places.is_empty() {
        // What the log source implies is true of every event of the table.
        if let [Some(value)] = values.as_slice()
            && names.is_empty()
            && chosen.implies(name, value)
        {
            return Predicate::always();
        }
        let why = format!("{} has no column for this field", chosen.source.table);
        return Predicate::unknown(construct, why);
    }
    if values.is_empty() {
        return Predicate::unknown(construct, "it has no value");
    }
    let mut said = Vec::new();
    for value in &values {
        let value = value.as_deref();
        said.push(match changed(value, &modifiers) {
            Ok(all) => Predicate::or(
                all.into_iter()
                    .map(|value| one(chosen, &places, &construct, value.as_deref(), &modifiers, losses))
                    .collect(),
            ),
            Err(why) => Predicate::unknown(&construct, why),
        });
    }
    let whole = if modifiers.all {
        Predicate::and(said)
    } else {
        listed(said)
    };
    if modifiers.not {
        Predicate::Not(Box::new(whole))
    } else {
        whole
    }
}

/// A value after the modifiers that change it.
fn changed(value: Option<&str>, modifiers: &Modifiers) -> Result<Vec<Option<String>>, String> {
    let Some(value) = value else { return Ok(vec![None]) };
    let mut texts = vec![value.to_owned()];
    let mut bytes: Option<Vec<u8>> = None;
    for name in &modifiers.change {
        match name.as_str() {
            "windash" => texts = texts.iter().flat_map(|text| value::windash(text)).collect(),
            "wide" | "utf16le" => bytes = Some(value::utf16(value, false, false)),
            "utf16be" => bytes = Some(value::utf16(value, true, false)),
            "utf16" => bytes = Some(value::utf16(value, false, true)),
            encoding => {
                let bytes = bytes.take().unwrap_or_else(|| value.as_bytes().to_vec());
                texts = if encoding == "base64" {
                    vec![value::base64(&bytes)]
                } else {
                    value::base64_offsets(&bytes)
                };
            }
        }
    }
    if bytes.is_some() {
        return Err("UTF-16 without Base64 behind it is not text that a column holds".to_owned());
    }
    Ok(texts.into_iter().map(Some).collect())
}

/// Equalities of one column become a list.
fn listed(parts: Vec<Predicate>) -> Predicate {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    let mut rest = Vec::new();
    for part in parts {
        let equality = match &part {
            Predicate::Atom(text) => [" =~ ", " == "].iter().find_map(|op| {
                let (left, right) = text.split_once(op)?;
                let literal =
                    right.starts_with(['"', '@']) || right.starts_with(|c: char| c.is_ascii_digit());
                let word = if *op == " =~ " { "in~" } else { "in" };
                (literal && !left.contains('"')).then(|| (format!("{left} {word} "), right.to_owned()))
            }),
            _ => None,
        };
        match equality {
            Some((head, literal)) => match groups.iter_mut().find(|(known, _)| *known == head) {
                Some((_, all)) => all.push(literal),
                None => groups.push((head, vec![literal])),
            },
            None => rest.push(part),
        }
    }
    let mut all: Vec<Predicate> = groups
        .into_iter()
        .map(|(head, literals)| {
            Predicate::Atom(if let [one] = literals.as_slice() {
                let head = head.replace(" in~ ", " =~ ").replace(" in ", " == ");
                format!("{head}{one}")
            } else {
                format!("{head}({})", literals.join(", "))
            })
        })
        .collect();
    all.extend(rest);
    Predicate::or(all)
}

/// One value of a field.
fn one(
    chosen: &Chosen<'_>,
    places: &[Place<'_>],
    construct: &str,
    value: Option<&str>,
    modifiers: &Modifiers,
    losses: &mut Vec<Loss>,
) -> Predicate {
    let Some(first) = places.first() else {
        return Predicate::unknown(construct, "it has no column");
    };
    let is_path = places.iter().any(|p| p.field.form == Form::RegistryKey)
        && places.iter().any(|p| p.field.form == Form::RegistryValue);
    let hashes = places
        .iter()
        .any(|p| matches!(p.field.form, Form::Md5 | Form::Sha1 | Form::Sha256));
    let column = if is_path {
        REGISTRY_PATH
    } else {
        first.column.as_str()
    };
    let kind = if is_path { Type::String } else { first.kind };
    let number = is_number(kind);
    let text_column = if kind == Type::String {
        column.to_owned()
    } else {
        format!("tostring({column})")
    };
    if modifiers.exists {
        let there = value.is_some_and(|v| v.eq_ignore_ascii_case("true"));
        return Predicate::Atom(format!(
            "{}({text_column})",
            if there { "isnotempty" } else { "isempty" }
        ));
    }
    let Some(value) = value else {
        return Predicate::Atom(format!("isempty({text_column})"));
    };
    if let Some(operator) = modifiers.compare {
        return match (value.parse::<f64>(), number) {
            (Ok(_), true) => Predicate::Atom(format!("{column} {operator} {value}")),
            (Ok(_), false) => Predicate::Atom(format!("todouble({text_column}) {operator} {value}")),
            _ => Predicate::unknown(construct, format!("`{value}` is no number")),
        };
    }
    if modifiers.cidr {
        let version = if value.contains(':') {
            "ipv6_is_in_range"
        } else {
            "ipv4_is_in_range"
        };
        return Predicate::Atom(format!("{version}({text_column}, {})", quoted(value)));
    }
    if modifiers.field {
        let Some(other) = chosen.places(value).into_iter().next() else {
            return Predicate::unknown(
                construct,
                format!("{} has no column for {value}", chosen.source.table),
            );
        };
        let operator = if modifiers.contains {
            "contains"
        } else if modifiers.starts {
            "startswith"
        } else if modifiers.ends {
            "endswith"
        } else {
            "=~"
        };
        return Predicate::Atom(format!("{text_column} {operator} {}", other.column));
    }
    if let Some(flags) = &modifiers.regex {
        return pattern(construct, &text_column, value, flags);
    }
    let mut pieces = value::pieces(value);
    if pieces.is_empty() {
        return Predicate::Atom(format!("isempty({text_column})"));
    }
    // The modifiers stand for wildcards at the ends.
    if (modifiers.contains || modifiers.ends) && pieces.first() != Some(&Piece::Any) {
        pieces.insert(0, Piece::Any);
    }
    if (modifiers.contains || modifiers.starts) && pieces.last() != Some(&Piece::Any) {
        pieces.push(Piece::Any);
    }
    let mut shape = value::shape(&pieces);
    if is_path {
        shape = with_hive(shape);
    } else if hashes {
        return hash(places, construct, &shape);
    } else if let Some(predicate) = formed(places, construct, &shape, modifiers, losses) {
        return predicate;
    }
    if number && let Shape::Equals(text) = &shape {
        let digits = text.strip_prefix("0x").map_or_else(
            || text.parse::<i64>().ok(),
            |hex| i64::from_str_radix(hex, 16).ok(),
        );
        return match digits {
            Some(n) => Predicate::Atom(format!("{column} == {n}")),
            None => Predicate::unknown(construct, format!("{column} holds numbers, and `{text}` is none")),
        };
    }
    if kind == Type::Bool
        && let Shape::Equals(text) = &shape
    {
        let truth = text.to_ascii_lowercase();
        if truth == "true" || truth == "false" {
            return Predicate::Atom(format!("{column} == {truth}"));
        }
    }
    compare(construct, &text_column, &shape, modifiers.cased)
}

/// A comparison of a text column.
fn compare(construct: &str, column: &str, shape: &Shape, cased: bool) -> Predicate {
    let (operator, cased_operator, text) = match shape {
        Shape::Present => return Predicate::Atom(format!("isnotempty({column})")),
        Shape::Pattern(regex) => return pattern(construct, column, regex, if cased { "s" } else { "is" }),
        Shape::Equals(text) => ("=~", "==", text),
        Shape::Contains(text) => ("contains", "contains_cs", text),
        Shape::StartsWith(text) => ("startswith", "startswith_cs", text),
        Shape::EndsWith(text) => ("endswith", "endswith_cs", text),
    };
    let operator = if cased { cased_operator } else { operator };
    Predicate::Atom(format!("{column} {operator} {}", quoted(text)))
}

/// A regular expression that KQL knows, too.
fn pattern(construct: &str, column: &str, regex: &str, flags: &str) -> Predicate {
    let whole = if flags.is_empty() {
        regex.to_owned()
    } else {
        format!("(?{flags}){regex}")
    };
    match regex::Regex::new(&whole) {
        Ok(_) => Predicate::Atom(format!("{column} matches regex {}", quoted(&whole))),
        Err(_) => Predicate::unknown(
            construct,
            "KQL's regular expressions do not know this one (look-around, back references)",
        ),
    }
}

/// `Hashes` holds `MD5=…,SHA256=…` in one field; tables have a column for each.
fn hash(places: &[Place<'_>], construct: &str, shape: &Shape) -> Predicate {
    let (Shape::Equals(text) | Shape::Contains(text) | Shape::StartsWith(text) | Shape::EndsWith(text)) =
        shape
    else {
        return Predicate::unknown(construct, "a pattern over all hashes has no column");
    };
    let (name, digits) = match text.split_once('=') {
        Some((name, digits)) => (name.to_ascii_uppercase(), digits),
        None => (
            match text.len() {
                32 => "MD5",
                40 => "SHA1",
                64 => "SHA256",
                _ => "",
            }
            .to_owned(),
            text.as_str(),
        ),
    };
    let form = match name.as_str() {
        "MD5" => Form::Md5,
        "SHA1" => Form::Sha1,
        "SHA256" => Form::Sha256,
        _ => return Predicate::unknown(construct, format!("no column holds the hash of `{text}`")),
    };
    match places.iter().find(|place| place.field.form == form) {
        Some(place) => Predicate::Atom(format!("{} =~ {}", place.column, quoted(digits.trim()))),
        None => Predicate::unknown(construct, format!("no column holds the hash of `{text}`")),
    }
}

/// A value whose column has another form than the field; none when it is
/// compared as it is.
fn formed(
    places: &[Place<'_>],
    construct: &str,
    shape: &Shape,
    modifiers: &Modifiers,
    losses: &mut Vec<Loss>,
) -> Option<Predicate> {
    let plain = places
        .iter()
        .any(|place| matches!(place.field.form, Form::Plain | Form::Json));
    for place in places {
        let column = &place.column;
        match place.field.form {
            Form::FileName | Form::AccountName | Form::RegistryValue => {
                // The last part of a path has a column of its own.
                if let Shape::EndsWith(text) = shape
                    && let Some(last) = text.strip_prefix('\\')
                    && !last.contains('\\')
                {
                    return Some(compare(
                        construct,
                        column,
                        &Shape::Equals(last.to_owned()),
                        modifiers.cased,
                    ));
                }
                if plain {
                    continue;
                }
                let (shape, effect, why) = match shape {
                    Shape::Equals(text) if text.contains('\\') => {
                        let last = text.rsplit('\\').next().unwrap_or_default();
                        (
                            Shape::Equals(last.to_owned()),
                            Effect::Widened,
                            "the column has the last part only",
                        )
                    }
                    Shape::Equals(text) => (
                        Shape::Equals(text.clone()),
                        Effect::Exact,
                        "the column has the name without what goes before",
                    ),
                    Shape::EndsWith(text) if !text.contains('\\') => (
                        Shape::EndsWith(text.clone()),
                        Effect::Exact,
                        "the column has the last part only",
                    ),
                    Shape::Contains(text) if !text.contains('\\') => (
                        Shape::Contains(text.clone()),
                        Effect::Narrowed,
                        "the column has the last part only",
                    ),
                    Shape::Present => (Shape::Present, Effect::Exact, "the column has the last part only"),
                    _ => {
                        return Some(Predicate::unknown(
                            construct,
                            format!("{column} has the last part of the path only"),
                        ));
                    }
                };
                if effect != Effect::Exact {
                    losses.push(Loss::new(construct, effect, why));
                }
                return Some(compare(construct, column, &shape, modifiers.cased));
            }
            Form::RegistryKey => {
                return Some(compare(
                    construct,
                    column,
                    &with_hive(shape.clone()),
                    modifiers.cased,
                ));
            }
            Form::RegistryData => {
                let number = match shape {
                    Shape::Equals(text) => text
                        .strip_prefix("DWORD (0x")
                        .or_else(|| text.strip_prefix("QWORD (0x"))
                        .and_then(|rest| u64::from_str_radix(rest.strip_suffix(')')?, 16).ok()),
                    _ => None,
                };
                let shape = number.map_or_else(|| shape.clone(), |n| Shape::Equals(n.to_string()));
                return Some(compare(construct, column, &shape, modifiers.cased));
            }
            Form::Values => {
                let Shape::Equals(text) = shape else {
                    return Some(Predicate::unknown(
                        construct,
                        format!("{column} has other values than the field"),
                    ));
                };
                let own = place.field.values.iter().find(|(_, other)| *other == text);
                return Some(match own {
                    Some((own, _)) => {
                        compare(construct, column, &Shape::Equals(own.clone()), modifiers.cased)
                    }
                    None => Predicate::unknown(construct, format!("{column} has no value for `{text}`")),
                });
            }
            _ => {}
        }
    }
    None
}

/// With the hive as the tables write it.
fn with_hive(shape: Shape) -> Shape {
    let long = |text: String| {
        let upper = text.to_ascii_uppercase();
        HIVES
            .iter()
            .find(|(short, _)| upper.starts_with(short))
            .map(|(short, long)| format!("{long}{}", &text[short.len()..]))
            .unwrap_or(text)
    };
    match shape {
        Shape::Equals(text) => Shape::Equals(long(text)),
        Shape::StartsWith(text) => Shape::StartsWith(long(text)),
        Shape::Contains(text) => Shape::Contains(long(text)),
        other => other,
    }
}
