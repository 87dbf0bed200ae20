//! Every row's examples, run: scalar examples through a small expression
//! evaluator of this test's own, so that the crate needs nothing above it.
//! Aggregate examples are whole queries and run where queries run.

#![allow(clippy::unwrap_used, reason = "a wrong example should stop the test")]

use rulec_functions::{Type, Value, convert, json, scalar, scalars, text};

/// A recursive-descent reader of the expressions that examples use.
struct Reader<'a> {
    rest: &'a str,
}

const BINARY: [(&[&str], u8); 6] = [
    (&["or"], 1),
    (&["and"], 2),
    (
        &[
            "==",
            "!=",
            "<=",
            ">=",
            "=~",
            "!~",
            "<",
            ">",
            "matches regex",
            "!in~",
            "!in",
            "in~",
            "in",
            "!between",
            "between",
            "has_any",
            "has_all",
        ],
        3,
    ),
    (&["+", "-"], 4),
    (&["*", "/", "%"], 5),
    (&[], 6),
];

impl<'a> Reader<'a> {
    fn blank(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, token: &str) -> bool {
        self.blank();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) {
        assert!(self.take(token), "expected {token} before {:?}", self.rest);
    }

    fn word(&mut self) -> &'a str {
        self.blank();
        let end = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// The operator that comes next: the longest row name that is one.
    fn operator(&mut self, level: u8) -> Option<&'static str> {
        self.blank();
        let mut found: Option<&'static str> = None;
        let named = BINARY
            .iter()
            .filter(|(_, l)| *l == level)
            .flat_map(|(names, _)| names.iter().copied());
        let matching = scalars()
            .filter(|row| level == 3 && row.path.starts_with("matching::"))
            .map(|row| row.name);
        for name in named.chain(matching) {
            let Some(rest) = self.rest.strip_prefix(name) else {
                continue;
            };
            let wordy = name.ends_with(|c: char| c.is_alphanumeric());
            if wordy && rest.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '~') {
                continue;
            }
            if found.is_none_or(|f| f.len() < name.len()) {
                found = Some(name);
            }
        }
        found
    }

    fn expression(&mut self, level: u8) -> Value {
        if level > 5 {
            return self.postfix();
        }
        let mut left = self.expression(level + 1);
        while let Some(name) = self.operator(level) {
            self.expect(name);
            let mut args = vec![left];
            if name.ends_with("between") {
                self.expect("(");
                args.push(self.expression(4));
                self.expect("..");
                args.push(self.expression(4));
                self.expect(")");
            } else if name.trim_start_matches('!').starts_with("in") || name.starts_with("has_a") {
                self.expect("(");
                loop {
                    args.push(self.expression(1));
                    if !self.take(",") {
                        break;
                    }
                }
                self.expect(")");
            } else {
                args.push(self.expression(level + 1));
            }
            left = call(name, &args);
        }
        left
    }

    fn postfix(&mut self) -> Value {
        let mut value = self.primary();
        loop {
            if self.rest.starts_with('.') && !self.rest.starts_with("..") {
                self.expect(".");
                let key = Value::string(self.word());
                value = call("member", &[value, key]);
            } else if self.take("[") {
                let index = self.expression(1);
                self.expect("]");
                value = call("index", &[value, index]);
            } else {
                return value;
            }
        }
    }

    fn string(&mut self) -> String {
        let mut out = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\'' => {
                    self.rest = &self.rest[at + 1..];
                    return out;
                }
                '\\' => out.push(match chars.next().unwrap().1 {
                    'n' => '\n',
                    't' => '\t',
                    other => other,
                }),
                c => out.push(c),
            }
        }
        panic!("a string does not end");
    }

    fn primary(&mut self) -> Value {
        self.blank();
        if self.take("(") {
            let value = self.expression(1);
            self.expect(")");
            return value;
        }
        if self.take("-") {
            let value = self.postfix();
            return call("negate", &[value]);
        }
        if self.rest.starts_with('\'') {
            return Value::string(self.string());
        }
        if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            return self.number();
        }
        let name = self.word();
        match name {
            "true" => return Value::Bool(true),
            "false" => return Value::Bool(false),
            _ => {}
        }
        self.expect("(");
        if name == "dynamic" {
            return self.raw(|text| json::parse(&text.replace('\'', "\"")).unwrap());
        }
        if name == "typeof" {
            return self.raw(|text| Value::string(text));
        }
        if let Some(ty) = Type::parse(name).filter(|_| !self.rest.starts_with('\'')) {
            return self.raw(|text| {
                if text == "null" {
                    Value::Null
                } else {
                    convert(&Value::string(text), ty)
                }
            });
        }
        let mut args = Vec::new();
        while !self.take(")") {
            args.push(self.expression(1));
            self.take(",");
        }
        call(name, &args)
    }

    /// What stands up to the closing parenthesis.
    fn raw(&mut self, read: impl Fn(&str) -> Value) -> Value {
        let mut depth = 0;
        let end = self
            .rest
            .find(|c: char| {
                depth += i32::from(matches!(c, '(' | '[' | '{')) - i32::from(matches!(c, ')' | ']' | '}'));
                depth < 0
            })
            .unwrap();
        let value = read(self.rest[..end].trim());
        self.rest = &self.rest[end + 1..];
        value
    }

    fn number(&mut self) -> Value {
        let text = self.rest;
        let end = text
            .char_indices()
            .find(|(i, c)| !(c.is_ascii_digit() || (*c == '.' && !text[*i..].starts_with(".."))))
            .map_or(text.len(), |(i, _)| i);
        let unit: String = text[end..]
            .chars()
            .take_while(char::is_ascii_alphabetic)
            .collect();
        self.rest = &text[end + unit.len()..];
        let digits = &text[..end];
        if !unit.is_empty() {
            return Value::TimeSpan(text::parse_timespan(&format!("{digits}{unit}")).unwrap());
        }
        match digits.parse() {
            Ok(whole) => Value::Long(whole),
            Err(_) => Value::Real(digits.parse().unwrap()),
        }
    }
}

fn call(name: &str, args: &[Value]) -> Value {
    let row = scalar(name).unwrap_or_else(|| panic!("no row {name}"));
    assert!(
        args.len() >= row.min && row.max.is_none_or(|max| args.len() <= max),
        "{name}: {args:?}"
    );
    row.kernel.unwrap_or_else(|| panic!("no kernel {name}"))(args)
}

#[test]
fn scalar_examples() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for row in scalars() {
        for (expression, expected) in row.examples {
            count += 1;
            let mut reader = Reader { rest: expression };
            let printed = text::print(&reader.expression(1));
            assert!(
                reader.rest.trim().is_empty(),
                "{expression}: left {:?}",
                reader.rest
            );
            if printed != *expected {
                wrong.push(format!("{expression}\n  gives   {printed}\n  not     {expected}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count}\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
