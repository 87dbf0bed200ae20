//! Small damage to a query, token by token.
//!
//! In: a query and choices. Out: a text that differs in one or two places and
//! may or may not be a query.

use rulec_kql::lexer::lex;
use rulec_kql::{Token, TokenKind};

use crate::dice::Dice;

/// What is put in between.
#[rustfmt::skip]
const PIECES: [&str; 70] = [
    "|", ",", ";", "(", ")", "[", "]", "{", "}", "=", "==", ".", "..", ":", "-", "+", "*", "/", "%", "!", "!=", "=~",
    "<", ">=", "and", "or", "not", "by", "on", "in", "!in", "between", "has", "contains", "kind=inner", "asc",
    "desc", "nulls first", "with", "of", "to", "from", "step", "typeof(long)", "where", "| where", "| extend",
    "| project", "| take 5", "| count", "| summarize", "| join", "| union", "let", "set", "1", "0.5", "'a'", "\"b\"",
    "1h", "true", "null", "dynamic([1])", "datetime(2024-01-01)", "guid(null)", "$left", "x", "['a b']", "toscalar",
    "// c\n",
];

const LITERALS: [&str; 12] = [
    "1",
    "'text'",
    "1.5",
    "true",
    "1h",
    "datetime(2024-01-01)",
    "dynamic([1,2])",
    "guid(null)",
    "decimal(1)",
    "int(1)",
    "dynamic({'a':1})",
    "long(null)",
];

/// A text with one or two changes.
pub fn mutate(text: &str, dice: &mut Dice) -> String {
    let mut text = text.to_owned();
    for _ in 0..dice.between(1, 2) {
        text = once(&text, dice);
    }
    text
}

fn once(text: &str, dice: &mut Dice) -> String {
    let (tokens, _) = lex(text);
    let solid: Vec<Token> = tokens
        .into_iter()
        .filter(|t| !t.kind.is_trivia() && t.kind != TokenKind::Eof)
        .collect();
    if solid.is_empty() {
        return dice.pick(&PIECES).to_owned();
    }
    let place = dice.below(solid.len());
    let at = solid[place].span.range();
    let word = &text[at.clone()];
    let replaced = |new: &str| format!("{}{new}{}", &text[..at.start], &text[at.end..]);
    let some_of = |dice: &mut Dice, wanted: &dyn Fn(TokenKind) -> bool| -> Option<Token> {
        let fitting: Vec<Token> = solid.iter().copied().filter(|t| wanted(t.kind)).collect();
        dice.choose(&fitting).copied()
    };
    let is_name = |kind| matches!(kind, TokenKind::Ident);
    let is_literal = |kind| {
        matches!(
            kind,
            TokenKind::Long
                | TokenKind::Real
                | TokenKind::String
                | TokenKind::TimeSpan
                | TokenKind::Bool
                | TokenKind::Typed(_)
        )
    };
    let swapped = |at: &Token, new: &str| {
        let at = at.span.range();
        format!("{}{new}{}", &text[..at.start], &text[at.end..])
    };
    match dice.below(16) {
        0 | 1 => replaced(" "),
        2 => replaced(&format!("{word} {word}")),
        3 => match solid.get(place + 1) {
            Some(next) => {
                let next = next.span.range();
                format!(
                    "{}{}{}{word}{}",
                    &text[..at.start],
                    &text[next.clone()],
                    &text[at.end..next.start],
                    &text[next.end..]
                )
            }
            None => replaced(""),
        },
        4 | 5 => {
            let piece = dice.pick(&PIECES);
            replaced(&format!("{word} {piece} "))
        }
        6 => replaced(dice.pick(&PIECES)),
        7..=9 => match (some_of(dice, &is_name), some_of(dice, &is_name)) {
            (Some(old), Some(new)) => swapped(&old, &text[new.span.range()]),
            _ => replaced(" x "),
        },
        10 => match some_of(dice, &is_name) {
            Some(old) => swapped(&old, &misspelled(&text[old.span.range()], dice)),
            None => replaced("x"),
        },
        11..=13 => match some_of(dice, &is_literal) {
            Some(old) => swapped(&old, dice.pick(&LITERALS)),
            None => replaced(dice.pick(&LITERALS)),
        },
        14 => {
            let upper = word.to_uppercase();
            if upper == word {
                replaced(&word.to_lowercase())
            } else {
                replaced(&upper)
            }
        }
        _ => without_operator(text, &solid, dice),
    }
}

fn misspelled(name: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    let at = dice.below(letters.len());
    match dice.below(3) {
        0 if letters.len() > 1 => {
            letters.remove(at);
        }
        1 => letters.insert(at, 'q'),
        _ => letters.push('s'),
    }
    letters.into_iter().collect()
}

/// The text without what stands between two bars.
fn without_operator(text: &str, solid: &[Token], dice: &mut Dice) -> String {
    let bars: Vec<usize> = solid
        .iter()
        .filter(|t| t.kind == TokenKind::Bar)
        .map(|t| t.span.start as usize)
        .collect();
    if bars.is_empty() {
        return text.to_owned();
    }
    let n = dice.below(bars.len());
    let end = bars.get(n + 1).copied().unwrap_or(text.len());
    format!("{}{}", &text[..bars[n]], &text[end..])
}
