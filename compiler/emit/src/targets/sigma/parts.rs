//! Comparisons taken apart, and texts as fields hold them: names at the end of
//! paths, registry hives, ranges of addresses.
//!
//! In: a comparison of a column with a text. Out: the comparison of the field
//! that holds the column among other things. Deliberately absent: which field
//! that is.

use std::net::{Ipv4Addr, Ipv6Addr};

use rulec_facts::sigma::Form;
use rulec_functions::{Value, text};

use super::cond::{Cond, Item, Op, guards};
use super::regexes::{Pattern, escape, no_term, rest_of_part};
use super::value::Scalar;

/// How texts are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    Equals,
    Contains,
    StartsWith,
    EndsWith,
    Term { start: bool, end: bool },
}

/// A text operator, taken apart.
pub(super) struct TextOp {
    pub(super) how: Match,
    pub(super) cased: bool,
    pub(super) negated: bool,
    /// All of a list have to fit, not one.
    pub(super) all: bool,
}

pub(super) fn text_op(name: &str) -> Option<TextOp> {
    const TERM: Match = Match::Term {
        start: true,
        end: true,
    };
    const PREFIX: Match = Match::Term {
        start: true,
        end: false,
    };
    const SUFFIX: Match = Match::Term {
        start: false,
        end: true,
    };
    let (negated, base) = match name {
        "!=" => (true, "=="),
        "!~" => (true, "=~"),
        _ => match name.strip_prefix('!') {
            Some(base) => (true, base),
            None => (false, name),
        },
    };
    let (cased, how) = match base {
        "==" | "in" => (true, Match::Equals),
        "=~" | "in~" => (false, Match::Equals),
        "contains" => (false, Match::Contains),
        "contains_cs" => (true, Match::Contains),
        "startswith" => (false, Match::StartsWith),
        "startswith_cs" => (true, Match::StartsWith),
        "endswith" => (false, Match::EndsWith),
        "endswith_cs" => (true, Match::EndsWith),
        "has" | "has_any" | "has_all" => (false, TERM),
        "has_cs" => (true, TERM),
        "hasprefix" => (false, PREFIX),
        "hasprefix_cs" => (true, PREFIX),
        "hassuffix" => (false, SUFFIX),
        "hassuffix_cs" => (true, SUFFIX),
        _ => return None,
    };
    Some(TextOp {
        how,
        cased,
        negated,
        all: base == "has_all",
    })
}

/// Registry hives as Sysmon writes them.
pub(super) fn hive(text: &str) -> String {
    const HIVES: &[(&str, &str)] = &[
        ("HKEY_LOCAL_MACHINE", "HKLM"),
        ("HKEY_USERS", "HKU"),
        ("HKEY_CURRENT_USER", "HKU"),
        ("HKEY_CLASSES_ROOT", "HKCR"),
    ];
    for (long, short) in HIVES {
        let at = text.to_ascii_uppercase().find(long);
        if let Some(at) = at {
            return format!("{}{short}{}", &text[..at], &text[at + long.len()..]);
        }
    }
    text.to_owned()
}

/// A condition on the last part of a path.
pub(super) fn last_part(field: &str, separator: char, how: Match, cased: bool, text: &str) -> Cond {
    if text.contains(separator) {
        // A part of a path never holds what separates the parts.
        return Cond::Bool(false);
    }
    let item = |op: Op, text: String| Cond::Item(Item::new(field, op, cased, vec![Scalar::Text(text)]));
    let re = |text: String| {
        Cond::Item(Item::re(
            field,
            Pattern {
                text,
                insensitive: !cased,
                ..Pattern::default()
            },
        ))
    };
    let (word, rest, slash) = (
        escape(text),
        rest_of_part(separator),
        escape(&separator.to_string()),
    );
    match how {
        Match::Equals => item(Op::EndsWith, format!("{separator}{text}")),
        Match::EndsWith => item(Op::EndsWith, text.to_owned()),
        Match::StartsWith => re(format!("{slash}{word}{rest}$")),
        Match::Contains => re(format!("{word}{rest}$")),
        Match::Term { start, end } => {
            let (before, after) = guards(text, start, end);
            let before = if before {
                format!("(^|{})", no_term(!cased, None))
            } else {
                String::new()
            };
            let after = if after {
                format!("({}{rest})?$", no_term(!cased, Some(separator)))
            } else {
                format!("{rest}$")
            };
            re(format!("{before}{word}{after}"))
        }
    }
}

/// A range of addresses with the bits behind its prefix cleared.
pub(super) fn cidr(text: &str) -> Option<String> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix.parse::<u32>().ok()?)),
        None => (text, None),
    };
    if let Ok(address) = address.trim().parse::<Ipv4Addr>() {
        let prefix = prefix.unwrap_or(32).min(32);
        let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
        return Some(format!("{}/{prefix}", Ipv4Addr::from(u32::from(address) & mask)));
    }
    let address = address.trim().parse::<Ipv6Addr>().ok()?;
    let prefix = prefix.unwrap_or(128).min(128);
    let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
    Some(format!("{}/{prefix}", Ipv6Addr::from(u128::from(address) & mask)))
}

/// A field that is missing, or empty as well.
pub(super) fn missing(field: &str, empty: bool) -> Cond {
    let mut values = vec![Scalar::Null];
    if empty {
        values.insert(0, Scalar::text(""));
    }
    Cond::Item(Item::new(field, Op::Equals, false, values))
}

/// The values of an argument of `in`: a list counts as its items.
pub(super) fn list_of(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.to_vec(),
        one => vec![one.clone()],
    }
}

pub(super) fn number(value: &Value) -> Option<Scalar> {
    match value {
        Value::Int(n) => Some(Scalar::Int(i64::from(*n))),
        Value::Long(n) => Some(Scalar::Int(*n)),
        Value::Real(n) if n.is_finite() => Some(Scalar::Real(*n)),
        Value::Decimal(_) => text::print(value).parse().ok().map(Scalar::Real),
        _ => None,
    }
}

pub(super) fn algorithm(form: Form) -> &'static str {
    match form {
        Form::Md5 => "MD5",
        Form::Sha1 => "SHA1",
        _ => "SHA256",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(cidr("127.0.0.1/24").as_deref(), Some("127.0.0.0/24"));
        assert_eq!(cidr("10.1.2.3").as_deref(), Some("10.1.2.3/32"));
        assert_eq!(cidr("0.0.0.0/0").as_deref(), Some("0.0.0.0/0"));
        assert_eq!(cidr("fe80::1/10").as_deref(), Some("fe80::/10"));
        assert_eq!(cidr("x"), None);
    }

    #[test]
    fn hives() {
        assert_eq!(hive(r"HKEY_LOCAL_MACHINE\Software"), r"HKLM\Software");
        assert_eq!(hive(r"\Software"), r"\Software");
    }

    #[test]
    fn names_at_the_end_of_paths() {
        let entry = |how, text: &str| match last_part("Image", '\\', how, false, text) {
            Cond::Item(item) => {
                let (key, value) = item.entry();
                format!("{key}: {}", value.as_str().unwrap_or_default())
            }
            other => format!("{other:?}"),
        };
        assert_eq!(entry(Match::Equals, "a.exe"), r"Image|endswith: \a.exe");
        assert_eq!(entry(Match::StartsWith, "a."), r"Image|re|i: \\a\.[^\\]*$");
        assert_eq!(entry(Match::Contains, r"a\b"), "Bool(false)");
    }
}
