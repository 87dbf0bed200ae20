//! Sets of characters: `[…]` and the escapes that mean one or several.
//!
//! In: the characters of a pattern and a place in it. Out: the set in the
//! regex crate's syntax, without surprises: every character by its number.

use std::fmt::Write as _;

/// The largest code point.
const LAST: u32 = 0x10_FFFF;

/// A class after its `[`: the whole of it, and what follows it.
pub(super) fn class(chars: &[char], start: usize) -> Result<(String, usize), String> {
    let mut out = String::from("[");
    let mut i = start;
    if chars.get(i) == Some(&'^') {
        out.push('^');
        i += 1;
    }
    // Sets that match nothing leave the class as it is, so it needs something.
    let before = out.len();
    let mut first = true;
    loop {
        let Some(&c) = chars.get(i) else {
            return Err("missing ]".to_owned());
        };
        if c == ']' && !first {
            break;
        }
        first = false;
        if c == '['
            && chars.get(i + 1) == Some(&':')
            && let Some(length) = chars[i + 2..].windows(2).position(|w| w == [':', ']'])
        {
            let name: String = chars[i + 2..i + 2 + length].iter().collect();
            if !POSIX.contains(&name.strip_prefix('^').unwrap_or(&name)) {
                return Err(format!("invalid character class [:{name}:]"));
            }
            let _ = write!(out, "[:{name}:]");
            i += length + 4;
            continue;
        }
        if c == '\\'
            && let Some((set, next)) = set(chars, i + 1)?
        {
            out.push_str(&set);
            i = next;
            continue;
        }
        let (low, next) = single(chars, i)?;
        i = next;
        let mut high = low;
        // A hyphen before the bracket stands for itself.
        if chars.get(i) == Some(&'-') && chars.get(i + 1).is_some_and(|c| *c != ']') {
            (high, i) = single(chars, i + 1)?;
            if high < low {
                return Err("invalid character class range".to_owned());
            }
        }
        push_range(&mut out, low, high, true);
    }
    if out.len() == before {
        out.push_str(NOTHING);
    }
    out.push(']');
    Ok((out, i + 1))
}

const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// A set within a class that no character is in.
const NOTHING: &str = "[^\\x{0}-\\x{10FFFF}]";

/// One character of a class, be it escaped.
fn single(chars: &[char], i: usize) -> Result<(u32, usize), String> {
    match chars.get(i) {
        Some('\\') => character(chars, i + 1),
        Some(c) => Ok((u32::from(*c), i + 1)),
        None => Err("missing ]".to_owned()),
    }
}

/// Writes a range of code points, without the surrogates that text cannot hold.
pub(super) fn push_range(out: &mut String, low: u32, high: u32, in_class: bool) {
    let parts = [(low, high.min(0xD7FF)), (low.max(0xE000), high)];
    let start = out.len();
    for (low, high) in parts.into_iter().filter(|(low, high)| low <= high) {
        let _ = if low == high {
            write!(out, "\\x{{{low:X}}}")
        } else {
            write!(out, "\\x{{{low:X}}}-\\x{{{high:X}}}")
        };
    }
    if out.len() == start && !in_class {
        out.push_str(NOTHING);
    }
}

/// After a backslash: the escapes that mean a set (`\d`, `\pN`), as they are
/// written within a class; none if it is another.
pub(super) fn set(chars: &[char], i: usize) -> Result<Option<(String, usize)>, String> {
    let (set, negated) = match chars.get(i) {
        Some('d') => ("0-9", false),
        Some('D') => ("0-9", true),
        Some('w') => ("0-9A-Za-z_", false),
        Some('W') => ("0-9A-Za-z_", true),
        Some('s') => ("\\t\\n\\x0C\\r ", false),
        Some('S') => ("\\t\\n\\x0C\\r ", true),
        Some('p') => return property(chars, i + 1, false).map(Some),
        Some('P') => return property(chars, i + 1, true).map(Some),
        _ => return Ok(None),
    };
    let set = if negated {
        format!("[^{set}]")
    } else {
        set.to_owned()
    };
    Ok(Some((set, i + 1)))
}

/// The general categories that RE2 knows; those of characters that text cannot
/// hold (`Cs`) or that have none (`Cn`) apart.
const CATEGORIES: [&str; 36] = [
    "C", "Cc", "Cf", "Co", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl", "No",
    "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs", "Any",
];

/// The scripts whose full names are as short as the codes that RE2 does not know.
const SHORT_SCRIPTS: [&str; 13] = [
    "Cham", "Han", "Kawi", "Lao", "Lisu", "Modi", "Mro", "Newa", "Nko", "Thai", "Toto", "Vai", "Yi",
];

/// `\pN`, `\p{Greek}`, `\p{^Greek}` after the `p`.
fn property(chars: &[char], i: usize, negated: bool) -> Result<(String, usize), String> {
    let wrong = |name: &str| format!("invalid Unicode class {name}");
    let (name, next): (String, usize) = match chars.get(i) {
        Some('{') => {
            let length = chars[i..]
                .iter()
                .position(|c| *c == '}')
                .ok_or_else(|| wrong("{"))?;
            (chars[i + 1..i + length].iter().collect(), i + length + 1)
        }
        Some(c) => (c.to_string(), i + 1),
        None => return Err(wrong("")),
    };
    let (name, negated) = match name.strip_prefix('^') {
        Some(rest) => (rest, !negated),
        None => (name.as_str(), negated),
    };
    let letter = if negated { 'P' } else { 'p' };
    let set = match name {
        // RE2 counts no unassigned code points among the others.
        "C" if negated => "[^\\p{Cc}\\p{Cf}\\p{Co}]".to_owned(),
        "C" => "\\p{Cc}\\p{Cf}\\p{Co}".to_owned(),
        "Cs" if negated => "\\x{0}-\\x{10FFFF}".to_owned(),
        "Cs" => NOTHING.to_owned(),
        name if CATEGORIES.contains(&name) => format!("\\{letter}{{{name}}}"),
        // The regex crate takes names in any case and short ones; RE2 does not.
        name if script(name) => format!("\\{letter}{{sc={name}}}"),
        name => return Err(wrong(name)),
    };
    Ok((set, next))
}

/// Whether this is written as the full name of a script: the regex crate says
/// whether there is one.
fn script(name: &str) -> bool {
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_uppercase()) && word.chars().all(|c| c.is_ascii_alphabetic())
    };
    let long = name.len() > 4 || SHORT_SCRIPTS.contains(&name);
    let capitals = name.chars().filter(char::is_ascii_uppercase).count();
    // Only SignWriting has a capital within a word.
    long && name.split('_').all(word) && (capitals == name.split('_').count() || name == "SignWriting")
}

/// After a backslash: an escape that means one code point.
pub(super) fn character(chars: &[char], i: usize) -> Result<(u32, usize), String> {
    let Some(&c) = chars.get(i) else {
        return Err("the pattern ends in a backslash".to_owned());
    };
    let next = i + 1;
    let code = match c {
        'a' => 7,
        'f' => 12,
        'n' => 10,
        'r' => 13,
        't' => 9,
        'v' => 11,
        'x' => return hexadecimal(chars, next),
        '0'..='7' => {
            let octal = |i: usize| chars.get(i).and_then(|c| c.to_digit(8));
            // A digit alone would refer back to a group.
            if c != '0' && octal(next).is_none() {
                return Err(format!("invalid escape \\{c}"));
            }
            let mut value = c.to_digit(8).unwrap_or(0);
            let mut i = next;
            while i < next + 2
                && let Some(digit) = octal(i)
            {
                value = value * 8 + digit;
                i += 1;
            }
            return Ok((value, i));
        }
        c if c.is_ascii() && !c.is_ascii_alphanumeric() && c != '_' => u32::from(c),
        _ => return Err(format!("invalid escape \\{c}")),
    };
    Ok((code, next))
}

/// `\x41` or `\x{10FFFF}` after the `x`.
fn hexadecimal(chars: &[char], i: usize) -> Result<(u32, usize), String> {
    let wrong = || "invalid hexadecimal escape".to_owned();
    let (digits, next): (String, usize) = match chars.get(i) {
        Some('{') => {
            let length = chars[i..].iter().position(|c| *c == '}').ok_or_else(wrong)?;
            (chars[i + 1..i + length].iter().collect(), i + length + 1)
        }
        _ => (chars.get(i..i + 2).ok_or_else(wrong)?.iter().collect(), i + 2),
    };
    if !digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let code = u32::from_str_radix(&digits, 16).map_err(|_| wrong())?;
    if code > LAST {
        return Err(wrong());
    }
    Ok((code, next))
}
