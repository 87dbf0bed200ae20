//! Functions over strings. Positions and lengths count characters.

use crate::args::{array, get, long, long_or, maybe_long};
use crate::fold::{Ends, fold, has_term, lower_char, upper_char};
use crate::{Value, text};

rows! { ROWS: Function in strings {
    strcat "strcat", [(Scalar .. Scalar to 64) -> String], "The texts of all arguments, one after the other.",
        "strcat('hello', ' ', 1)" => "hello 1";
    strcat_delim "strcat_delim", [(Scalar, Scalar, Scalar .. Scalar to 65) -> String], "The texts of the arguments after the first, which goes between them.",
        "strcat_delim('-', 1, 'b', 3)" => "1-b-3";
    strcat_array "strcat_array" = "array_strcat", [(Array, Scalar) -> String], "The texts of an array's elements with a delimiter between them.",
        "strcat_array(dynamic([1, 2, 3]), '->')" => "1->2->3";
    strcmp "strcmp", [(Scalar, Scalar) -> Long], "-1, 0 or 1: how two strings order.",
        "strcmp('abc', 'ABC')" => "1", "strcmp('a', 'a')" => "0";
    strrep "strrep", [(Scalar, Long; Scalar) -> String], "A text repeated, at most 1024 times, with a delimiter between.",
        "strrep('ABC', 2)" => "ABCABC", "strrep(3s, 2, ' ')" => "00:00:03 00:00:03";
    strlen "strlen" as Prefix("strlen"), [(TextOrDynamic) -> Long], "The number of characters.",
        "strlen('hello')" => "5", "strlen('⒦⒰')" => "2";
    string_size "string_size" as Prefix("string_size"), [(TextOrDynamic) -> Long], "The number of bytes in UTF-8.",
        "string_size('⒦')" => "3";
    toupper "toupper", [(Scalar) -> String], "Folds text to upper case.",
        "toupper('KusTO')" => "KUSTO", "toupper('straße')" => "STRAßE";
    tolower "tolower", [(Scalar) -> String], "Folds text to lower case.",
        "tolower('KusTO')" => "kusto", "tolower('ΟΣ')" => "οσ";
    reverse "reverse", [(Scalar) -> String], "The characters in the opposite order.",
        "reverse('abc')" => "cba", "reverse(123)" => "321";
    substring "substring", [(Scalar, Integer; Integer) -> String], "Part of a string: from a position (from the end if negative), of a length.",
        "substring('123456', 1, 2)" => "23", "substring('ABCD', -2)" => "CD", "substring('abc', 9)" => "";
    indexof "indexof", [(Scalar, Scalar; Integer, Integer, ConstInteger) -> Long],
        "Where a string first occurs in another, or -1: after a start, within a length, counting occurrences.",
        "indexof('abcdefg', 'cde')" => "2", "indexof('abcdefg', 'cde', 1, 2)" => "-1",
        "indexof('abcdefg', 'cde', -5)" => "2", "indexof('abcdefgabcdefg', 'cde', 1, 10, 2)" => "9";
    has_any_index "has_any_index", [(TextOrDynamic, Array) -> Long], "The position in an array of the first element that a string has as a whole term, or -1.",
        "has_any_index('this is an example', dynamic(['not', 'example']))" => "1";
    split "split" as FirstArgument, [(Scalar, Text; Integer) -> Array], "The parts of a string between delimiters; with a position, an array of just that part.",
        "split('a__b', '_')" => "[\"a\",\"\",\"b\"]", "split('aaa_bbb', '_', 1)" => "[\"bbb\"]";
    replace_string "replace_string", [(Text, Text, Text) -> String], "Every occurrence of a string replaced by another.",
        "replace_string('a cat', 'cat', 'dog')" => "a dog";
    replace_strings "replace_strings", [(Text, Array, Array) -> String], "Every occurrence of each of a list of strings replaced by its counterpart.",
        "replace_strings('a b', dynamic(['a', 'b']), dynamic(['b', 'c']))" => "b c";
    translate "translate", [(Text, Text, Text) -> String], "Each character of a set replaced by its counterpart (the last one, where there are fewer).",
        "translate('krasp', 'otsku', 'spark')" => "kusto", "translate('abc', 'x', 'abc')" => "xxx", "translate('abc', '', 'ab')" => "";
    countof "countof", [(Text, Text; SearchKind) -> Long], "How often a string (overlapping) or regular expression (not overlapping) occurs.",
        "countof('ababa', 'aba')" => "2", "countof('abcabc', 'a.c', 'regex')" => "2";
    codepoints_from "unicode_codepoints_from_string", [(Scalar) -> Array], "The code points of a string's characters.",
        "unicode_codepoints_from_string('Ku')" => "[75,117]";
    codepoints_from "to_utf8" instead "unicode_codepoints_from_string", [(Scalar) -> Array], "The code points of a string's characters.",
        "to_utf8('Ku')" => "[75,117]";
    codepoints_to "unicode_codepoints_to_string", [(IntegerOrArray .. IntegerOrArray) -> String], "The string of some code points.",
        "unicode_codepoints_to_string(75, dynamic([117]))" => "Ku";
    codepoints_to "make_string" instead "unicode_codepoints_to_string", [(IntegerOrArray .. IntegerOrArray) -> String], "The string of some code points.",
        "make_string(75, 117)" => "Ku";
}}

/// `strcat`.
pub fn strcat(args: &[Value]) -> Value {
    match args {
        [one] => Value::string(text::borrow(one)),
        _ => Value::string(args.iter().map(text::print).collect::<String>()),
    }
}

fn join<'a>(values: impl Iterator<Item = &'a Value>, delimiter: &str) -> Value {
    let mut out = String::new();
    for (i, value) in values.enumerate() {
        if i > 0 {
            out.push_str(delimiter);
        }
        out.push_str(&text::borrow(value));
    }
    Value::string(out)
}

/// `strcat_delim`.
pub fn strcat_delim(args: &[Value]) -> Value {
    join(args.iter().skip(1), &text::of(args, 0))
}

/// `strcat_array`.
pub fn strcat_array(args: &[Value]) -> Value {
    match array(args, 0) {
        Some(items) => join(items.iter(), &text::of(args, 1)),
        None => Value::string(""),
    }
}

/// `strcmp`.
pub fn strcmp(args: &[Value]) -> Value {
    Value::Long(text::of(args, 0).cmp(&text::of(args, 1)) as i64)
}

/// `strrep`.
pub fn strrep(args: &[Value]) -> Value {
    let times = usize::try_from(long_or(args, 1, 0).clamp(0, 1024)).unwrap_or(0);
    let value = vec![get(args, 0).clone(); times];
    join(value.iter(), &text::of(args, 2))
}

/// `strlen`.
pub fn strlen(args: &[Value]) -> Value {
    Value::Long(text::of(args, 0).chars().count() as i64)
}

/// `string_size`.
pub fn string_size(args: &[Value]) -> Value {
    Value::Long(text::of(args, 0).len() as i64)
}

/// `toupper`.
pub fn toupper(args: &[Value]) -> Value {
    let text = text::of(args, 0);
    if text.is_ascii() {
        return Value::string(text.to_ascii_uppercase());
    }
    Value::string(text.chars().map(upper_char).collect::<String>())
}

/// `tolower`.
pub fn tolower(args: &[Value]) -> Value {
    let text = text::of(args, 0);
    if text.is_ascii() {
        return Value::string(text.to_ascii_lowercase());
    }
    Value::string(text.chars().map(lower_char).collect::<String>())
}

/// `reverse`.
pub fn reverse(args: &[Value]) -> Value {
    Value::string(text::of(args, 0).chars().rev().collect::<String>())
}

/// The byte position of a character; the end where there are fewer.
fn byte_at(text: &str, position: usize) -> usize {
    if text.is_ascii() {
        return position.min(text.len());
    }
    text.char_indices().nth(position).map_or(text.len(), |(at, _)| at)
}

/// A position that counts from the end if it is negative.
fn position(text: &str, start: i64) -> usize {
    let start = if start < 0 {
        let length = text.chars().count() as i64;
        length.saturating_add(start).max(0)
    } else {
        start
    };
    usize::try_from(start).unwrap_or(usize::MAX)
}

/// `substring`.
pub fn substring(args: &[Value]) -> Value {
    let text = text::of(args, 0);
    let start = long_or(args, 1, 0);
    if start.saturating_add(text.chars().count() as i64) < 0 {
        return Value::string("");
    }
    let rest = &text[byte_at(&text, position(&text, start))..];
    let part = match long(args, 2) {
        None if args.len() > 2 => "",
        None => rest,
        Some(length) => &rest[..byte_at(rest, usize::try_from(length).unwrap_or(0))],
    };
    Value::string(part)
}

/// The window of text a search looks at, and the character position it starts
/// at; none where the arguments make no sense.
pub(crate) fn window<'a>(text: &'a str, args: &[Value], from_end: bool) -> Option<(&'a str, i64, usize)> {
    let start = long_or(args, 2, 0);
    let length = long_or(args, 3, -1);
    let occurrence = long_or(args, 4, 1);
    if (start < 0 && !from_end) || length < -1 || occurrence < 1 {
        return None;
    }
    let start = position(text, start);
    let rest = &text[byte_at(text, start)..];
    let window = match usize::try_from(length) {
        Ok(length) => &rest[..byte_at(rest, length)],
        Err(_) => rest,
    };
    Some((
        window,
        i64::try_from(start).ok()?,
        usize::try_from(occurrence).ok()?,
    ))
}

/// `indexof`. The length holds for each occurrence anew, counted from where
/// the one before ended.
pub fn indexof(args: &[Value]) -> Value {
    let (source, lookup) = (text::of(args, 0), text::of(args, 1));
    let length = long_or(args, 3, -1);
    let Some((_, start, occurrence)) = window(&source, args, true) else {
        return Value::Null;
    };
    let mut from = byte_at(&source, usize::try_from(start).unwrap_or(0));
    for remaining in (0..occurrence).rev() {
        let rest = &source[from..];
        let window = match usize::try_from(length) {
            Ok(length) => &rest[..byte_at(rest, length)],
            Err(_) => rest,
        };
        let Some(at) = window.find(&*lookup) else {
            break;
        };
        if remaining == 0 {
            return Value::Long(source[..from + at].chars().count() as i64);
        }
        from += at + lookup.len();
        // An empty text is found everywhere; it must still come to an end.
        if lookup.is_empty() {
            match source[from..].chars().next() {
                Some(c) => from += c.len_utf8(),
                None => break,
            }
        }
    }
    Value::Long(-1)
}

/// `has_any_index`.
pub fn has_any_index(args: &[Value]) -> Value {
    let source = text::of(args, 0);
    let source = fold(&source);
    let found = array(args, 1).and_then(|items| {
        items
            .iter()
            .position(|item| has_term(&source, &fold(&text::borrow(item)), Ends::TERM))
    });
    Value::Long(found.map_or(-1, |at| at as i64))
}

/// `split`.
pub fn split(args: &[Value]) -> Value {
    let (source, delimiter) = (text::of(args, 0), text::of(args, 1));
    let parts: Vec<Value> = if delimiter.is_empty() {
        vec![Value::string(source)]
    } else {
        source.split(&*delimiter).map(Value::string).collect()
    };
    if args.get(2).is_none() {
        Value::array(parts)
    } else {
        let part = long(args, 2)
            .and_then(|i| usize::try_from(i).ok())
            .and_then(|i| parts.get(i));
        Value::Array(part.cloned().into_iter().collect())
    }
}

/// `replace_string`.
pub fn replace_string(args: &[Value]) -> Value {
    let (source, lookup) = (text::of(args, 0), text::of(args, 1));
    if lookup.is_empty() {
        return Value::string(source);
    }
    Value::string(source.replace(&*lookup, &text::of(args, 2)))
}

/// `replace_strings`: at each place the first lookup that fits.
pub fn replace_strings(args: &[Value]) -> Value {
    let source = text::of(args, 0);
    let (Some(lookups), Some(rewrites)) = (array(args, 1), array(args, 2)) else {
        return Value::string(source);
    };
    let pairs: Vec<(String, String)> = lookups
        .iter()
        .zip(rewrites)
        .map(|(lookup, rewrite)| (text::print(lookup), text::print(rewrite)))
        .filter(|(lookup, _)| !lookup.is_empty())
        .collect();
    let mut out = String::with_capacity(source.len());
    let mut rest = &*source;
    while let Some(c) = rest.chars().next() {
        if let Some((lookup, rewrite)) = pairs.iter().find(|(lookup, _)| rest.starts_with(&**lookup)) {
            out.push_str(rewrite);
            rest = &rest[lookup.len()..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    Value::string(out)
}

/// `translate`: what to search for, what to put there, the text.
pub fn translate(args: &[Value]) -> Value {
    let search: Vec<char> = text::of(args, 0).chars().collect();
    let replacement: Vec<char> = text::of(args, 1).chars().collect();
    let translated: String = text::of(args, 2)
        .chars()
        .filter_map(|c| match search.iter().position(|s| *s == c) {
            None => Some(c),
            Some(at) => replacement.get(at).or(replacement.last()).copied(),
        })
        .collect();
    Value::string(translated)
}

/// `countof`.
pub fn countof(args: &[Value]) -> Value {
    let (source, search) = (text::of(args, 0), text::of(args, 1));
    if text::of(args, 2).eq_ignore_ascii_case("regex") {
        return match crate::regexes::cached(&search) {
            Some(regex) => Value::Long(regex.find_iter(&source).count() as i64),
            None => Value::Null,
        };
    }
    let Some(first) = search.chars().next() else {
        return Value::Long(0);
    };
    let mut count = 0;
    let mut from = 0;
    while let Some(at) = source.get(from..).and_then(|rest| rest.find(&*search)) {
        count += 1;
        from += at + first.len_utf8();
    }
    Value::Long(count)
}

/// `unicode_codepoints_from_string`.
pub fn codepoints_from(args: &[Value]) -> Value {
    Value::Array(
        text::of(args, 0)
            .chars()
            .map(|c| Value::Long(i64::from(u32::from(c))))
            .collect(),
    )
}

/// `unicode_codepoints_to_string`.
pub fn codepoints_to(args: &[Value]) -> Value {
    let characters: String = crate::args::flatten(args, 0)
        .filter_map(crate::convert::to_long)
        .filter_map(|n| u32::try_from(n).ok().and_then(char::from_u32))
        .collect();
    Value::string(characters)
}

/// A length as a value, where there is one.
pub(crate) fn length(value: Option<usize>) -> Value {
    maybe_long(value.and_then(|n| i64::try_from(n).ok()))
}
