//! The smallest query that still shows a difference.
//!
//! In: a query and a test that tells, of several candidates, which still show
//! it. Out: a query from which nothing more can be left out. Larger pieces go
//! first: statements, operators, bracketed groups, list items, then tokens.

use std::collections::{BTreeMap, HashSet};

use rulec_kql::lexer::lex;
use rulec_kql::{Token, TokenKind};

/// How many candidates are tried at a time.
const BATCH: usize = 16;

/// Shrinks `text`. `shows` gets some candidates and says of each whether the
/// difference is still there; it hears of at most about `limit`.
pub fn minimise(
    text: &str,
    limit: usize,
    mut shows: impl FnMut(&[String]) -> Result<Vec<bool>, String>,
) -> Result<String, String> {
    let mut best = text.to_owned();
    let mut asked = 0;
    let mut from = 0;
    loop {
        let candidates = candidates(&best);
        // Where the last success was, more of the kind is likely; what was
        // refused before it comes again behind the rest.
        let from_here = from.min(candidates.len());
        let order: Vec<usize> = (from_here..candidates.len()).chain(0..from_here).collect();
        let mut better = None;
        for batch in order.chunks(BATCH) {
            if asked >= limit {
                return Ok(best);
            }
            let texts: Vec<String> = batch.iter().map(|n| candidates[*n].clone()).collect();
            asked += texts.len();
            let verdicts = shows(&texts)?;
            better = batch
                .iter()
                .zip(verdicts)
                .filter(|(_, shows)| *shows)
                .map(|(n, _)| *n)
                .min_by_key(|n| candidates[*n].len());
            if better.is_some() {
                break;
            }
        }
        let Some(n) = better else { return Ok(best) };
        best.clone_from(&candidates[n]);
        from = n.saturating_sub(2);
    }
}

/// All texts with one piece left out, larger pieces first; every one is shorter.
fn candidates(text: &str) -> Vec<String> {
    let (tokens, _) = lex(text);
    let solid: Vec<Token> = tokens
        .iter()
        .copied()
        .filter(|t| !t.kind.is_trivia() && t.kind != TokenKind::Eof)
        .collect();
    let close = closing(&solid);
    let end_of = |n: usize| solid[n].span.end as usize;
    let start_of = |n: usize| solid[n].span.start as usize;
    // The place behind everything from `at` on that a bracket around it still holds.
    let behind = |mut at: usize, separator: Option<TokenKind>| {
        while at < solid.len() && Some(solid[at].kind) != separator && !is_close(solid[at].kind) {
            at = close.get(&at).copied().unwrap_or(at) + 1;
        }
        at
    };
    // Without comments, and with one blank for many.
    let bare: String = tokens
        .iter()
        .filter(|t| t.kind != TokenKind::Comment)
        .map(|t| {
            if t.kind == TokenKind::Whitespace {
                " "
            } else {
                &text[t.span.range()]
            }
        })
        .collect();
    let mut results: Vec<String> = vec![bare.trim().to_owned()];
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    // Statements, operators and list items.
    for separator in [TokenKind::Semicolon, TokenKind::Bar, TokenKind::Comma] {
        for n in 0..solid.len() {
            if solid[n].kind == separator {
                for end in [behind(n + 1, None), behind(n + 1, Some(separator))] {
                    ranges.push((start_of(n), end_of(end.max(1) - 1)));
                }
            } else if n == 0 || is_open(solid[n - 1].kind) {
                let end = behind(n, Some(separator));
                if solid.get(end).is_some_and(|t| t.kind == separator) {
                    ranges.push((start_of(n), end_of(end)));
                }
            }
        }
    }
    for (n, end) in &close {
        let inside = text[end_of(*n)..start_of(*end)].trim();
        results.push(inside.to_owned());
        ranges.push((end_of(*n), start_of(*end)));
        ranges.push((start_of(*n), end_of(*end)));
        results.push(format!(
            "{} {inside} {}",
            &text[..start_of(*n)],
            &text[end_of(*end)..]
        ));
        if *n > 0 {
            ranges.push((start_of(n - 1), end_of(*end)));
            results.push(format!(
                "{} {inside} {}",
                &text[..start_of(n - 1)],
                &text[end_of(*end)..]
            ));
        }
    }
    for length in [8, 4, 3, 2, 1] {
        for n in 0..(solid.len() + 1).saturating_sub(length) {
            ranges.push((start_of(n), end_of(n + length - 1)));
        }
    }
    results.extend(
        ranges
            .iter()
            .filter(|(start, end)| start < end)
            .map(|(start, end)| {
                let text = format!("{} {}", text[..*start].trim_end(), text[*end..].trim_start());
                text.trim().to_owned()
            }),
    );
    let mut seen = HashSet::new();
    results.retain(|r| r.len() < text.len() && !r.is_empty() && seen.insert(r.clone()));
    results
}

fn is_open(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::OpenParen | TokenKind::OpenBracket | TokenKind::OpenBrace
    )
}

fn is_close(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::CloseParen | TokenKind::CloseBracket | TokenKind::CloseBrace
    )
}

/// For each opening bracket the place of the one that closes it.
fn closing(solid: &[Token]) -> BTreeMap<usize, usize> {
    let mut open = Vec::new();
    let mut pairs = BTreeMap::new();
    for (n, token) in solid.iter().enumerate() {
        if is_open(token.kind) {
            open.push(n);
        } else if is_close(token.kind)
            && let Some(start) = open.pop()
        {
            pairs.insert(start, n);
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::minimise;

    #[test]
    fn what_does_not_matter_goes() {
        // The difference is there as long as `bad` is called with `d`.
        let text = "let x = 1; // one\nT | where a == 1 and f(b) | join (U | extend c = g(bad(d, e), 5)) on a | take 3";
        let mut asked = 0;
        let small = minimise(text, 2000, |texts| {
            asked += texts.len();
            Ok(texts.iter().map(|t| t.contains("bad(d")).collect())
        });
        assert_eq!(small.as_deref(), Ok("bad(d"));
        assert!(asked < 500, "{asked} candidates");
    }

    #[test]
    fn the_limit_holds() {
        let mut asked = 0;
        let text = "a b c d e f g h i j k l m n o p q r s t u v w x y z";
        let same = minimise(text, 40, |texts| {
            asked += texts.len();
            Ok(vec![false; texts.len()])
        });
        assert_eq!(same.as_deref(), Ok(text));
        assert!(asked < 40 + super::BATCH);
    }

    #[test]
    fn an_error_of_the_test_ends_it() {
        assert!(minimise("a b", 10, |_| Err("gone".to_owned())).is_err());
    }
}
