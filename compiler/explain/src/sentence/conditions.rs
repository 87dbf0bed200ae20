//! Conditions in words.

use rulec_functions::{Type, Value};

use crate::{
    condition::{ANY_COLUMN, Condition, Operand, Test},
    kind::Kind,
    written::shortened,
};

/// Values that are told one by one.
const VALUES: usize = 3;
/// Conditions on one level that are told.
const PARTS: usize = 5;
/// Levels of `and` and `or` that are told.
const LEVELS: usize = 3;
/// Longer texts are shortened.
const LONG: usize = 60;

/// What holds where a condition holds. That case is ignored is said once when
/// it holds throughout.
pub(super) fn phrase(condition: &Condition<'_>) -> String {
    let mut cases = Vec::new();
    folding(condition, &mut cases);
    if cases.len() > 1 && cases.iter().all(|folded| *folded) {
        format!("{}, ignoring case throughout", at(condition, 0, false))
    } else {
        at(condition, 0, true)
    }
}

/// For each test of text with letters whether it ignores their case.
fn folding(condition: &Condition<'_>, found: &mut Vec<bool>) {
    match condition {
        Condition::Test(test) if has_letters(test) => found.push(test.ignore_case),
        Condition::All(parts) | Condition::Any(parts) => {
            for part in parts {
                folding(part, found);
            }
        }
        _ => {}
    }
}

/// Whether case could make a difference.
fn has_letters(test: &Test<'_>) -> bool {
    matches!(test.subject.ty, Type::String | Type::Dynamic) && test.operands.iter().any(has_case)
}

fn at(condition: &Condition<'_>, level: usize, case: bool) -> String {
    match condition {
        Condition::Fixed(true) => "anything holds".to_owned(),
        Condition::Fixed(false) => "nothing ever holds".to_owned(),
        Condition::Test(test) => self::test(test, case),
        Condition::Written(text) => format!("`{}` is true", shortened(text, 80)),
        Condition::All(parts) | Condition::Any(parts) if level >= LEVELS => {
            let all = matches!(condition, Condition::All(_));
            format!(
                "{} {} conditions holds",
                if all { "each of" } else { "one of" },
                parts.len()
            )
        }
        Condition::All(parts) => joined(parts, "and", level, case),
        Condition::Any(parts) => joined(parts, "or", level, case),
    }
}

/// Parts with a word between them; those with words of their own in parentheses.
fn joined(parts: &[Condition<'_>], word: &str, level: usize, case: bool) -> String {
    let mut told: Vec<String> = parts
        .iter()
        .take(if parts.len() > PARTS { PARTS - 1 } else { PARTS })
        .map(|part| match part {
            Condition::All(inner) | Condition::Any(inner) if inner.len() > 1 && level + 1 < LEVELS => {
                format!("({})", at(part, level + 1, case))
            }
            part => at(part, level + 1, case),
        })
        .collect();
    let more = parts.len() - told.len();
    if more > 0 {
        told.push(match word {
            "and" => format!("{more} more conditions hold"),
            _ => format!("one of {more} more conditions holds"),
        });
    }
    // A value list of its own has commas, so every part gets one.
    let separator = if told.iter().any(|t| t.contains(", ")) {
        format!(", {word} ")
    } else {
        format!(" {word} ")
    };
    told.join(&separator)
}

fn test(test: &Test<'_>, case: bool) -> String {
    let subject = match test.field.as_str() {
        ANY_COLUMN => format!("any of {} columns", test.columns),
        field => plain(field),
    };
    let values = values(&test.operands);
    let several = test.operands.len() > 1;
    let any = |one: &str, of: &str| {
        if several {
            format!("{one} {of}{values}")
        } else {
            format!("{one} {values}")
        }
    };
    let columns = test.is_between_columns();
    let moment = test.subject.ty == Type::DateTime || test.field == "ingestion_time()";
    let said = match test.kind {
        Kind::Eq if columns => format!("equals {values}"),
        Kind::Ne if columns => format!("differs from {values}"),
        Kind::Eq => format!("is {values}"),
        Kind::Ne => format!("is not {values}"),
        Kind::In if named(test) => format!("is one of the values of {values}"),
        Kind::NotIn if named(test) => format!("is none of the values of {values}"),
        Kind::In if several => format!("is {}", among(&test.operands, "one of", "or")),
        Kind::NotIn if several => format!("is {}", among(&test.operands, "none of", "nor")),
        Kind::In => format!("is {values}"),
        Kind::NotIn => format!("is not {values}"),
        Kind::Has => any("contains the term", ""),
        Kind::NotHas => any("does not contain the term", ""),
        Kind::HasAny if several => format!("contains {}", terms(&test.operands, "any of", "or")),
        Kind::HasAny => format!(
            "contains {} {values}",
            if named(test) { "a term of" } else { "the term" }
        ),
        Kind::NotHasAny if several => format!("contains {}", terms(&test.operands, "none of", "nor")),
        Kind::NotHasAny => format!(
            "does not contain {} {values}",
            if named(test) { "any term of" } else { "the term" }
        ),
        Kind::HasAll if several => format!("contains {}", terms(&test.operands, "all of", "and")),
        Kind::HasAll => format!(
            "contains {} {values}",
            if named(test) { "all terms of" } else { "the term" }
        ),
        Kind::NotHasAll => format!("lacks {}", terms(&test.operands, "one of", "or")),
        Kind::HasPrefix => format!("contains a term that begins with {values}"),
        Kind::NotHasPrefix => format!("contains no term that begins with {values}"),
        Kind::HasSuffix => format!("contains a term that ends with {values}"),
        Kind::NotHasSuffix => format!("contains no term that ends with {values}"),
        Kind::Contains => format!("contains {}", among(&test.operands, "any of", "or")),
        Kind::NotContains => format!("does not contain {}", among(&test.operands, "any of", "or")),
        Kind::StartsWith => format!("begins with {}", among(&test.operands, "any of", "or")),
        Kind::NotStartsWith => format!("does not begin with {}", among(&test.operands, "any of", "or")),
        Kind::EndsWith => format!("ends with {}", among(&test.operands, "any of", "or")),
        Kind::NotEndsWith => format!("does not end with {}", among(&test.operands, "any of", "or")),
        Kind::RegexMatch => format!("matches the pattern {values}"),
        Kind::NotRegexMatch => format!("does not match the pattern {values}"),
        Kind::Like => format!("is like {values}"),
        Kind::NotLike => format!("is not like {values}"),
        Kind::Between => format!("is between {}", range(&test.operands)),
        Kind::NotBetween => format!("is not between {}", range(&test.operands)),
        Kind::Lt if moment => format!("is before {values}"),
        Kind::Le if moment => format!("is at or before {values}"),
        Kind::Gt if moment => format!("is after {values}"),
        Kind::Ge if moment => format!("is at or after {values}"),
        Kind::Lt => format!("is less than {values}"),
        Kind::Le => format!("is at most {values}"),
        Kind::Gt => format!("is more than {values}"),
        Kind::Ge => format!("is at least {values}"),
        Kind::IsNull => "is empty".to_owned(),
        Kind::IsNotNull => "is not empty".to_owned(),
        Kind::InRange => format!("is an address in {}", among(&test.operands, "any of", "or")),
        Kind::NotInRange => format!("is no address in {}", among(&test.operands, "any of", "or")),
        Kind::IsPrivate => "is a private address".to_owned(),
        Kind::IsNotPrivate => "is not a private address".to_owned(),
        Kind::Holds => return format!("{values} is true"),
        Kind::HoldsNot => return format!("{values} is not true"),
    };
    // A list that is too long to be told has a name at least.
    let said = match &test.parameter {
        Some(name) if test.operands.len() > VALUES => {
            let n = test.operands.len();
            ["values", "terms"].iter().fold(said, |said, what| {
                said.replace(&format!("{n} {what}"), &format!("the {n} {what} of `{name}`"))
            })
        }
        _ => said,
    };
    let folded = case && test.ignore_case && has_letters(test);
    format!("{subject} {said}{}", if folded { ", ignoring case" } else { "" })
}

/// A field as it is; what is computed in code marks.
fn plain(field: &str) -> String {
    if field.contains([' ', ','])
        || (field.contains('(') && field != "ingestion_time()" && !field.ends_with(']'))
    {
        format!("`{}`", shortened(field, LONG))
    } else {
        field.to_owned()
    }
}

/// Whether the only operand stands for values that the query does not spell out.
fn named(test: &Test<'_>) -> bool {
    matches!(
        test.operands.as_slice(),
        [Operand::Named(_) | Operand::Written(_)]
    )
}

fn has_case(operand: &Operand) -> bool {
    match operand {
        Operand::Constant(value) => {
            let text = rulec_functions::text::print(value);
            matches!(value, Value::String(_)) && text.to_lowercase() != text.to_uppercase()
        }
        _ => true,
    }
}

fn value(operand: &Operand) -> String {
    match operand {
        Operand::Constant(Value::String(text)) => format!("\"{}\"", shortened(text, LONG)),
        Operand::Constant(_) => shortened(&operand.text(), LONG),
        Operand::Column(name) => name.clone(),
        Operand::Named(name) => format!("`{name}`"),
        Operand::Written(text) => format!("`{}`", shortened(text, LONG)),
    }
}

fn values(operands: &[Operand]) -> String {
    among(operands, "one of", "or")
}

/// Up to three values one by one; of more how many there are.
fn among(operands: &[Operand], many: &str, word: &str) -> String {
    match operands {
        [] => "nothing".to_owned(),
        [one] => value(one),
        operands if operands.len() > VALUES => format!("{many} {} values", operands.len()),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(value).collect();
            let neither = if word == "nor" { "neither " } else { "" };
            format!("{neither}{} {word} {}", first.join(", "), value(last))
        }
    }
}

fn terms(operands: &[Operand], many: &str, word: &str) -> String {
    if operands.len() > VALUES {
        return format!("{many} {} terms", operands.len());
    }
    let list = among(operands, many, word);
    match many {
        "none of" => list.replacen("neither ", "neither the term ", 1),
        "all of" if operands.len() > 1 => format!("the terms {list}"),
        _ => format!("the term {list}"),
    }
}

fn range(operands: &[Operand]) -> String {
    match operands {
        [from, to] => format!("{} and {}", value(from), value(to)),
        other => values(other),
    }
}
