//! Conditions on the fields of an event, before they are laid out as searches.
//!
//! In: what the predicates of a query say, piece by piece. Out: the same in as
//! few pieces as possible: alternatives about one field are one item with
//! several values. Deliberately absent: names of searches and notation.

use serde_json::Value;

use super::regexes::{Pattern, escape, no_term};
use super::value::{Scalar, has_case};

/// How an item compares.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Op {
    Equals,
    Contains,
    /// Holds all values, in any order.
    ContainsAll,
    StartsWith,
    EndsWith,
    /// Has one of the values as a whole term, or with open ends.
    Terms {
        start: bool,
        end: bool,
    },
    Re {
        multi_line: bool,
        dot_all: bool,
    },
    Cidr,
    Lt,
    Lte,
    Gt,
    Gte,
    FieldRef,
    Expand,
}

/// One field compared with values, of which one has to fit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    pub(super) field: String,
    pub(super) op: Op,
    /// Whether case counts.
    pub(super) cased: bool,
    pub(super) values: Vec<Scalar>,
}

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cond {
    /// Always, or never.
    Bool(bool),
    Item(Item),
    All(Vec<Cond>),
    Any(Vec<Cond>),
    Not(Box<Cond>),
}

impl Item {
    pub(super) fn new(field: &str, op: Op, cased: bool, values: Vec<Scalar>) -> Self {
        // Where nothing has case, saying that it counts only gets in the way.
        let cased = cased
            && values
                .iter()
                .any(|value| matches!(value, Scalar::Text(text) if has_case(text)));
        Self {
            field: field.to_owned(),
            op,
            cased,
            values,
        }
    }

    pub(super) fn re(field: &str, pattern: Pattern) -> Self {
        Self {
            field: field.to_owned(),
            op: Op::Re {
                multi_line: pattern.multi_line,
                dot_all: pattern.dot_all,
            },
            cased: !pattern.insensitive,
            values: vec![Scalar::Text(pattern.text)],
        }
    }

    /// Whether two items can be one with the values of both.
    fn joins(&self, other: &Item) -> bool {
        let lists = !matches!(
            self.op,
            Op::Lt | Op::Lte | Op::Gt | Op::Gte | Op::ContainsAll | Op::FieldRef
        );
        lists && self.field == other.field && self.op == other.op && self.cased == other.cased
    }

    /// The key and the value or values of a detection.
    pub(super) fn entry(&self) -> (String, Value) {
        let mut key = self.field.clone();
        let mut add = |modifier: &str| {
            key.push('|');
            key.push_str(modifier);
        };
        let plain = matches!(self.op, Op::Equals);
        match &self.op {
            Op::Equals => {}
            Op::Contains => add("contains"),
            Op::ContainsAll => {
                add("contains");
                add("all");
            }
            Op::StartsWith => add("startswith"),
            Op::EndsWith => add("endswith"),
            Op::Terms { .. } | Op::Re { .. } => add("re"),
            Op::Cidr => add("cidr"),
            Op::Lt => add("lt"),
            Op::Lte => add("lte"),
            Op::Gt => add("gt"),
            Op::Gte => add("gte"),
            Op::FieldRef => add("fieldref"),
            Op::Expand => add("expand"),
        }
        let regex = matches!(self.op, Op::Terms { .. } | Op::Re { .. });
        match (regex, self.cased) {
            (true, false) => add("i"),
            (false, true) => add("cased"),
            _ => {}
        }
        if let Op::Re { multi_line, dot_all } = self.op {
            if multi_line {
                add("m");
            }
            if dot_all {
                add("s");
            }
        }
        let wild = !regex && !matches!(self.op, Op::Cidr | Op::FieldRef | Op::Expand);
        let mut values: Vec<Value> = match self.op {
            Op::Terms { start, end } => self.terms(start, end).into_iter().map(Value::from).collect(),
            _ => self
                .values
                .iter()
                .map(|value| value.json(wild, plain && !self.cased))
                .collect(),
        };
        let value = match values.len() {
            1 => values.swap_remove(0),
            _ => Value::Array(values),
        };
        (key, value)
    }

    /// The words as patterns: those whose ends are guarded alike in one.
    fn terms(&self, start: bool, end: bool) -> Vec<String> {
        let class = no_term(!self.cased, None);
        let mut groups: Vec<((bool, bool), Vec<String>)> = Vec::new();
        for value in &self.values {
            let Scalar::Text(word) = value else { continue };
            let guards = guards(word, start, end);
            match groups.iter_mut().find(|(known, _)| *known == guards) {
                Some((_, words)) => words.push(escape(word)),
                None => groups.push((guards, vec![escape(word)])),
            }
        }
        groups
            .into_iter()
            .map(|((start, end), words)| {
                let word = match words.as_slice() {
                    [one] => one.clone(),
                    all => format!("({})", all.join("|")),
                };
                let before = if start {
                    format!("(^|{class})")
                } else {
                    String::new()
                };
                let after = if end {
                    format!("({class}|$)")
                } else {
                    String::new()
                };
                format!("{before}{word}{after}")
            })
            .collect()
    }
}

/// Which ends of a term have to be ends of a word: one that is no letter or
/// digit is an end by itself.
pub(super) fn guards(word: &str, start: bool, end: bool) -> (bool, bool) {
    (
        start && word.chars().next().is_some_and(char::is_alphanumeric),
        end && word.chars().next_back().is_some_and(char::is_alphanumeric),
    )
}

impl Cond {
    pub(super) fn not(self) -> Self {
        match self {
            Self::Bool(value) => Self::Bool(!value),
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// All of these, flat, without what decides nothing.
    pub(super) fn all(parts: Vec<Cond>) -> Self {
        let mut kept: Vec<Cond> = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::Bool(true) => {}
                Self::Bool(false) => return Self::Bool(false),
                Self::All(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        let mut once: Vec<Cond> = Vec::with_capacity(kept.len());
        for part in kept {
            if !once.contains(&part) {
                once.push(part);
            }
        }
        match once.len() {
            0 => Self::Bool(true),
            1 => once.swap_remove(0),
            _ => Self::All(once),
        }
    }

    /// One of these, flat, alternatives about one field brought together.
    pub(super) fn any(parts: Vec<Cond>) -> Self {
        let mut kept: Vec<Cond> = Vec::with_capacity(parts.len());
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::Bool(false) => {}
                Self::Bool(true) => return Self::Bool(true),
                Self::Any(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        for part in flat {
            let place = kept.iter().position(|known| match (known, &part) {
                (Self::Item(known), Self::Item(item)) => known.joins(item),
                (known, part) => known == part,
            });
            match (place.and_then(|at| kept.get_mut(at)), part) {
                (Some(Self::Item(known)), Self::Item(item)) => {
                    for value in item.values {
                        if !known.values.contains(&value) {
                            known.values.push(value);
                        }
                    }
                }
                (Some(_), _) => {}
                (None, part) => kept.push(part),
            }
        }
        match kept.len() {
            0 => Self::Bool(false),
            1 => kept.swap_remove(0),
            _ => Self::Any(kept),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn item(op: Op, cased: bool, values: &[&str]) -> Item {
        Item::new("F", op, cased, values.iter().map(|v| Scalar::text(*v)).collect())
    }

    #[test]
    fn keys_and_values() {
        let entry = |op, cased, values: &[&str]| item(op, cased, values).entry();
        assert_eq!(
            entry(Op::Equals, true, &["a"]),
            ("F|cased".to_owned(), json!("a"))
        );
        assert_eq!(entry(Op::Equals, true, &["1"]), ("F".to_owned(), json!(1)));
        assert_eq!(
            entry(Op::Contains, false, &["a", "1"]),
            ("F|contains".to_owned(), json!(["a", "1"]))
        );
        let terms = Op::Terms {
            start: true,
            end: true,
        };
        assert_eq!(
            entry(terms, false, &["http", "iex", ".exe"]),
            (
                "F|re|i".to_owned(),
                json!([r"(^|[^0-9a-z])(http|iex)([^0-9a-z]|$)", r"\.exe([^0-9a-z]|$)"])
            )
        );
    }

    #[test]
    fn alternatives_come_together() {
        let one = |value: &str| Cond::Item(item(Op::EndsWith, false, &[value]));
        assert_eq!(
            Cond::any(vec![one("a"), Cond::any(vec![one("b"), one("a")])]),
            Cond::Item(item(Op::EndsWith, false, &["a", "b"]))
        );
        assert_eq!(Cond::all(vec![one("a"), Cond::Bool(true), one("a")]), one("a"));
        assert_eq!(Cond::any(vec![one("a"), Cond::Bool(true)]), Cond::Bool(true));
        assert_eq!(one("a").not().not(), one("a"));
    }
}
