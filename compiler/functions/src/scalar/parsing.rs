//! Text with a structure: URLs, paths, command lines, CSV, XML, versions.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::dynamic::new_bag;
use crate::args::{get, long_or};
use crate::{Bag, Value, convert, text};

rows! { ROWS: Function in parsing {
    parse_url "parse_url", [(Text) -> Bag], "The parts of a URL.",
        "parse_url('http://u:p@host:80/a/b?k=v#f')" => "{\"Scheme\":\"http\",\"Host\":\"host\",\"Port\":\"80\",\"Path\":\"/a/b\",\"Username\":\"u\",\"Password\":\"p\",\"Query Parameters\":{\"k\":\"v\"},\"Fragment\":\"f\"}";
    parse_url "parseurl" instead "parse_url", [(Text) -> Bag], "The parts of a URL.",
        "parseurl('http://user@host/').Host" => "user@host";
    parse_urlquery "parse_urlquery", [(Text) -> Bag], "The parameters of a URL's query.",
        "parse_urlquery('k1=v1&k2=v2')" => "{\"Query Parameters\":{\"k1\":\"v1\",\"k2\":\"v2\"}}",
        "parse_urlquery('b=2&a=1&b=%20&c=&d')" => "{\"Query Parameters\":{\"a\":\"1\",\"b\":[\"2\",\"%20\"]}}";
    parse_urlquery "parseurlquery" instead "parse_urlquery", [(Text) -> Bag], "The parameters of a URL's query.",
        "parseurlquery('k1=v1')" => "{\"Query Parameters\":{\"k1\":\"v1\"}}";
    parse_path "parse_path", [(Text) -> Bag], "The parts of a file's path.",
        "parse_path('/usr/lib/temp/file.txt').DirectoryName" => "temp";
    parse_command_line "parse_command_line", [(Scalar, Text) -> Array], "The arguments of a command line, split as Windows does.",
        "parse_command_line('echo \"hello world!\"', 'windows')" => "[\"echo\",\"hello world!\"]";
    parse_csv "parse_csv" as FirstArgument, [(TextOrDynamic) -> Array], "The fields of a line of comma-separated values.",
        "parse_csv('aa,\"b,b\",\"say \"\"x\"\"\"')" => "[\"aa\",\"b,b\",\"say \\\"x\\\"\"]";
    parse_xml "parse_xml" as FirstArgument, [(TextOrDynamic) -> Bag], "An XML document as bags: attributes under @name, text beside others under #text, repeated elements as arrays.",
        "parse_xml('<a b=\"1\"><c>x</c><c>y</c></a>')" => "{\"a\":{\"@b\":\"1\",\"c\":[\"x\",\"y\"]}}";
    parse_version "parse_version", [(Text) -> Decimal], "A version of up to four numbers as one that orders the same.",
        "parse_version('0.0.1.2')" => "100000002", "parse_version('x')" => "";
    format_bytes "format_bytes" as FirstArgument never constant, [(Number; ConstNumber, ConstText) -> String], "A number of bytes in the unit that fits, or one asked for.",
        "format_bytes(564)" => "564 Bytes", "format_bytes(10332, 1)" => "10.1 KB", "format_bytes(20010332, 0, 'KB')" => "19541 KB";
}}

fn bag_of(entries: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    new_bag(
        entries
            .into_iter()
            .map(|(key, value)| (Arc::from(key), value))
            .collect(),
    )
}

/// `k1=v1&k2=v2` as a bag, in the order of the keys. Those without a name or a
/// value are left out; the values of one that stands more than once are an array.
fn query_parameters(query: &str) -> Value {
    let mut values: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        if !key.is_empty() && !value.is_empty() {
            let value = Value::string(value);
            values.entry(key).or_default().push(value);
        }
    }
    let mut bag = Bag::new();
    for (key, mut values) in values {
        match (values.pop(), values.is_empty()) {
            (Some(only), true) => bag.insert(key, only),
            (last, _) => bag.insert(key, Value::Array(values.into_iter().chain(last).collect())),
        }
    }
    new_bag(bag)
}

/// `parse_url`. Who the user is stands before an `@` only together with a
/// password; of a text that does not begin with a scheme all parts are empty.
pub fn parse_url(args: &[Value]) -> Value {
    let url = text::of(args, 0);
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    // A slash that ends the text begins no path.
    let path = if path == "/" && url.ends_with('/') {
        ""
    } else {
        path
    };
    let (user, host) = authority
        .rsplit_once('@')
        .filter(|(user, _)| user.contains(':'))
        .unwrap_or(("", authority));
    let (user, password) = user.split_once(':').unwrap_or_default();
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port),
        _ => (host, ""),
    };
    bag_of([
        ("Scheme", Value::string(scheme)),
        ("Host", Value::string(host)),
        ("Port", Value::string(port)),
        ("Path", Value::string(path)),
        ("Username", Value::string(user)),
        ("Password", Value::string(password)),
        ("Query Parameters", query_parameters(query)),
        ("Fragment", Value::string(fragment)),
    ])
}

/// `parse_urlquery`.
pub fn parse_urlquery(args: &[Value]) -> Value {
    let query = text::of(args, 0);
    let query = query.strip_prefix('?').unwrap_or(&query);
    bag_of([("Query Parameters", query_parameters(query))])
}

/// `parse_path`.
pub fn parse_path(args: &[Value]) -> Value {
    let path = text::of(args, 0);
    let (scheme, rest) = match path.split_once("://") {
        Some((scheme, rest)) => (scheme, rest),
        None => ("", &*path),
    };
    let bytes = rest.as_bytes();
    let root = match bytes {
        [letter, b':', ..] if letter.is_ascii_alphabetic() => &rest[..2],
        _ => "",
    };
    // A colon after the drive's starts the name of an alternate stream.
    let (file, stream) = match rest[root.len()..].rfind(':') {
        Some(at) => (&rest[..root.len() + at], &rest[root.len() + at + 1..]),
        None => (rest, ""),
    };
    let is_separator = |c: char| c == '/' || c == '\\';
    let (directory, name) = match file.rfind(is_separator) {
        Some(at) => (&file[..at], &file[at + 1..]),
        None => ("", file),
    };
    let directory_name = match directory.rfind(is_separator) {
        Some(at) => &directory[at + 1..],
        None if directory == root => "",
        None => directory,
    };
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    bag_of([
        ("Scheme", Value::string(scheme)),
        ("RootPath", Value::string(root)),
        ("DirectoryPath", Value::string(directory)),
        ("DirectoryName", Value::string(directory_name)),
        ("Filename", Value::string(name)),
        ("Extension", Value::string(extension)),
        ("AlternateDataStreamName", Value::string(stream)),
    ])
}

/// The arguments of a Windows command line: blanks separate, quotes hold
/// together, backslashes mean something only before a quote. The program's
/// own name knows no escapes.
pub fn windows_arguments(line: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut chars = line.trim_start().chars().peekable();
    let mut current = String::new();
    let mut quoted = false;
    let mut started = false;
    while let Some(c) = chars.next() {
        let first = out.is_empty();
        match c {
            ' ' | '\t' if !quoted => {
                if started {
                    out.push(std::mem::take(&mut current));
                    started = false;
                }
            }
            '"' if first => {
                quoted = !quoted;
                started = true;
            }
            '"' => {
                started = true;
                if quoted && chars.peek() == Some(&'"') {
                    current.push('"');
                    chars.next();
                } else {
                    quoted = !quoted;
                }
            }
            '\\' if !first => {
                started = true;
                let mut count = 1;
                while chars.peek() == Some(&'\\') {
                    chars.next();
                    count += 1;
                }
                if chars.peek() == Some(&'"') {
                    current.extend(std::iter::repeat_n('\\', count / 2));
                    if count % 2 == 1 {
                        current.push('"');
                        chars.next();
                    }
                } else {
                    current.extend(std::iter::repeat_n('\\', count));
                }
            }
            c => {
                started = true;
                current.push(c);
            }
        }
    }
    if started {
        out.push(current);
    }
    out
}

/// `parse_command_line`.
pub fn parse_command_line(args: &[Value]) -> Value {
    if !text::of(args, 1).eq_ignore_ascii_case("windows") {
        return Value::Null;
    }
    let line = text::of(args, 0);
    if line.trim().is_empty() {
        return Value::Null;
    }
    Value::Array(windows_arguments(&line).into_iter().map(Value::string).collect())
}

/// `parse_csv`: the first record.
pub fn parse_csv(args: &[Value]) -> Value {
    let source = text::of(args, 0);
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut chars = source.chars().peekable();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted => {
                if chars.peek() == Some(&'"') {
                    field.push('"');
                    chars.next();
                } else {
                    quoted = false;
                }
            }
            '"' if field.is_empty() => quoted = true,
            ',' if !quoted => fields.push(Value::string(std::mem::take(&mut field))),
            '\r' if !quoted && chars.peek() == Some(&'\n') => break,
            '\n' if !quoted => break,
            c => field.push(c),
        }
    }
    fields.push(Value::string(field));
    Value::array(fields)
}

/// `parse_version`: eight digits for each of four numbers.
pub fn parse_version(args: &[Value]) -> Value {
    let version = text::of(args, 0);
    let mut parts = version.trim().split('.');
    let mut total = Some(Decimal::ZERO);
    for _ in 0..4 {
        let part = match parts.next() {
            None => Some(0),
            Some(digits) if digits.len() <= 8 && digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse::<u32>().ok()
            }
            Some(_) => None,
        };
        total = total.zip(part).and_then(|(total, part)| {
            total
                .checked_mul(Decimal::from(100_000_000))?
                .checked_add(Decimal::from(part))
        });
    }
    match (total, parts.next()) {
        (Some(total), None) => Value::Decimal(total),
        _ => Value::Null,
    }
}

const BYTE_UNITS: [&str; 7] = ["Bytes", "KB", "MB", "GB", "TB", "PB", "EB"];

/// `format_bytes`.
pub fn format_bytes(args: &[Value]) -> Value {
    let Some(bytes) = convert::to_real(get(args, 0)) else {
        return Value::string("");
    };
    let precision = usize::try_from(long_or(args, 1, 0).clamp(0, 15)).unwrap_or(0);
    let asked = text::of(args, 2);
    let unit = BYTE_UNITS
        .iter()
        .position(|unit| unit.eq_ignore_ascii_case(&asked))
        .unwrap_or_else(|| {
            let mut unit = 0;
            let mut rest = bytes.abs();
            while rest >= 1024.0 && unit + 1 < BYTE_UNITS.len() {
                rest /= 1024.0;
                unit += 1;
            }
            unit
        });
    let scaled = bytes / 1024f64.powi(unit as i32);
    let factor = 10f64.powi(precision as i32);
    let rounded = (scaled * factor).round() / factor;
    Value::string(format!("{} {}", text::print_real(rounded), BYTE_UNITS[unit]))
}

/// `parse_xml`.
pub fn parse_xml(args: &[Value]) -> Value {
    let source = text::of(args, 0);
    crate::xml::parse(&source).unwrap_or_default()
}
