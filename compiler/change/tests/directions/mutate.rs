//! Versions of a query: what people do to one between two releases, done to
//! its tokens. What does not bind afterwards is left to the caller to drop.

use std::{collections::BTreeSet, ops::Range};

use rulec_kql::TokenKind;

/// A token that is no blank.
struct Token {
    kind: TokenKind,
    span: Range<usize>,
}

/// What was done, and the text it gave.
pub(crate) type Version = (&'static str, String);

/// What an operator is exchanged for.
const OPERATORS: &[(&str, &[&str])] = &[
    ("==", &["!=", "=~", "has"]),
    ("!=", &["==", "!~"]),
    ("=~", &["==", "!~", "has", "contains", "startswith", "endswith"]),
    ("!~", &["=~", "!=", "!has", "!contains"]),
    (
        "has",
        &["contains", "has_cs", "=~", "!has", "hasprefix", "hassuffix"],
    ),
    ("!has", &["has", "!contains", "!~"]),
    ("contains", &["has", "contains_cs", "startswith", "!contains"]),
    ("!contains", &["contains", "!has", "!startswith"]),
    (
        "startswith",
        &["contains", "=~", "hasprefix", "!startswith", "startswith_cs"],
    ),
    ("!startswith", &["startswith", "!contains"]),
    ("endswith", &["contains", "=~", "hassuffix", "!endswith"]),
    ("!endswith", &["endswith", "!contains"]),
    ("in", &["in~", "!in", "has_any"]),
    ("in~", &["in", "!in~", "has_any"]),
    ("!in", &["in", "!in~"]),
    ("!in~", &["in~", "!in"]),
    ("has_any", &["in~", "has_all"]),
    ("has_all", &["has_any"]),
    ("<", &["<=", ">", ">="]),
    ("<=", &["<", ">"]),
    (">", &[">=", "<", "<="]),
    (">=", &[">", "<"]),
    ("and", &["or"]),
    ("or", &["and"]),
    ("between", &["!between"]),
    (
        "inner",
        &[
            "innerunique",
            "leftouter",
            "leftsemi",
            "leftanti",
            "rightouter",
            "fullouter",
            "rightsemi",
            "rightanti",
        ],
    ),
    ("innerunique", &["inner", "leftouter", "leftanti"]),
    ("leftanti", &["inner", "leftsemi", "leftouter", "rightanti"]),
    ("leftsemi", &["inner", "leftanti", "innerunique", "rightsemi"]),
    ("leftouter", &["inner", "leftanti", "fullouter", "rightouter"]),
    ("count", &["dcount", "sum"]),
    ("countif", &["sumif"]),
    ("dcount", &["count", "count_distinct"]),
    ("dcountif", &["countif"]),
    ("max", &["min"]),
    ("min", &["max", "take_any"]),
    ("arg_max", &["arg_min"]),
    ("arg_min", &["arg_max"]),
    ("make_set", &["make_list"]),
    ("isempty", &["isnotempty"]),
    ("isnotempty", &["isempty"]),
    ("extend", &["project"]),
    ("project", &["distinct", "extend"]),
    ("distinct", &["project"]),
    ("not", &["isnotnull"]),
];

/// Every version that one step gives, in the order of the text.
pub(crate) fn versions(text: &str) -> Vec<Version> {
    let parsed = rulec_kql::parse(text);
    let tokens: Vec<Token> = parsed
        .tokens
        .iter()
        .filter(|token| !token.kind.is_trivia() && !token.span.is_empty())
        .map(|token| Token {
            kind: token.kind,
            span: token.span.range(),
        })
        .collect();
    let mut found = Vec::new();
    tokens_one_by_one(text, &tokens, &mut found);
    conditions(text, &tokens, &mut found);
    stages(text, &tokens, &mut found);
    lists(text, &tokens, &mut found);
    let mut seen = BTreeSet::new();
    found.retain(|(_, version)| version != text && seen.insert(version.clone()));
    found
}

fn with(text: &str, start: usize, end: usize, new: &str) -> String {
    format!("{}{new}{}", &text[..start], &text[end..])
}

fn tokens_one_by_one(text: &str, tokens: &[Token], found: &mut Vec<Version>) {
    for token in tokens {
        let (start, end) = (token.span.start, token.span.end);
        let word = &text[start..end];
        let mut put = |what, new: &str| found.push((what, with(text, start, end, new)));
        if let Some((_, others)) = OPERATORS.iter().find(|(one, _)| *one == word) {
            for other in *others {
                put("operator", other);
            }
        }
        match token.kind {
            TokenKind::Long => {
                if let Ok(number) = word.parse::<i64>() {
                    put("number up", &number.saturating_add(1).to_string());
                    put("number down", &number.saturating_sub(1).to_string());
                    put("number doubled", &number.saturating_mul(2).to_string());
                }
            }
            TokenKind::TimeSpan => {
                put("window halved", &format!("({word}/2)"));
                put("window doubled", &format!("(2*{word})"));
            }
            TokenKind::String => {
                let Some(open) = word.find(['"', '\'']).filter(|open| *open < 2) else {
                    continue;
                };
                let inner = &word[open + 1..word.len() - 1];
                let again = |inner: &str| format!("{}{inner}{}", &word[..=open], &word[word.len() - 1..]);
                put("text longer", &again(&format!("{inner}x")));
                put("text with a word more", &again(&format!("{inner} b")));
                put("text in capitals", &again(&inner.to_uppercase()));
                if inner.chars().count() > 2 && !inner.contains('\\') {
                    let cut: String = inner.chars().skip(1).collect();
                    put("text shorter", &again(&cut));
                }
            }
            _ => {}
        }
    }
}

fn opens(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::OpenParen | TokenKind::OpenBracket | TokenKind::OpenBrace
    )
}

fn closes(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::CloseParen | TokenKind::CloseBracket | TokenKind::CloseBrace
    )
}

/// The place behind the last token of the stretch from `at` that stands
/// outside of brackets, up to where `ends` says so.
fn stretch(tokens: &[Token], at: usize, ends: impl Fn(usize) -> bool) -> usize {
    let mut depth = 0_usize;
    let mut place = at;
    while place < tokens.len() {
        let kind = tokens[place].kind;
        if depth == 0 && (closes(kind) || kind == TokenKind::Semicolon || ends(place)) {
            break;
        }
        if opens(kind) {
            depth += 1;
        } else if closes(kind) {
            depth = depth.saturating_sub(1);
        }
        place += 1;
    }
    place
}

/// Conditions that go, come, are turned round or are widened.
fn conditions(text: &str, tokens: &[Token], found: &mut Vec<Version>) {
    let word = |place: usize| &text[tokens[place].span.start..tokens[place].span.end];
    let mut all: Vec<(usize, usize)> = Vec::new();
    for at in 0..tokens.len() {
        if word(at) != "where" {
            continue;
        }
        let end = stretch(tokens, at + 1, |place| tokens[place].kind == TokenKind::Bar);
        // The parts that `and` stands between.
        let mut start = at + 1;
        while start < end {
            let stop = stretch(tokens, start, |place| place >= end || word(place) == "and").min(end);
            if stop == start {
                break;
            }
            all.push((start, stop));
            start = stop + 1;
        }
        // A `between (a .. b)` has no `and` in KQL, so every part is a condition.
    }
    let span = |(start, stop): (usize, usize)| (tokens[start].span.start, tokens[stop - 1].span.end);
    for (number, part) in all.iter().enumerate() {
        let (start, end) = span(*part);
        let inner = &text[start..end];
        found.push(("condition gone", with(text, start, end, "true")));
        found.push((
            "condition turned round",
            with(text, start, end, &format!("not({inner})")),
        ));
        // One of the conditions that stand elsewhere, as others know what is worth asking.
        for other in [number + 1, number + 2, number + 5] {
            let (from, to) = span(all[other % all.len()]);
            let added = &text[from..to];
            found.push((
                "condition new",
                with(text, start, end, &format!("{inner} and ({added})")),
            ));
            found.push((
                "alternative new",
                with(text, start, end, &format!("({inner} or {added})")),
            ));
            found.push(("condition exchanged", with(text, start, end, added)));
        }
    }
}

/// Stages that go, come twice, or change places.
fn stages(text: &str, tokens: &[Token], found: &mut Vec<Version>) {
    let mut all: Vec<(usize, usize)> = Vec::new();
    for at in 0..tokens.len() {
        if tokens[at].kind == TokenKind::Bar {
            let end = stretch(tokens, at + 1, |place| tokens[place].kind == TokenKind::Bar);
            if end > at + 1 {
                all.push((tokens[at].span.start, tokens[end - 1].span.end));
            }
        }
    }
    for (number, (start, end)) in all.iter().copied().enumerate() {
        let stage = &text[start..end];
        found.push(("stage gone", with(text, start, end, "")));
        found.push((
            "stage twice",
            with(text, start, end, &format!("{stage}\n{stage}\n")),
        ));
        for added in [
            "| take 5",
            "| distinct *",
            "| count",
            "| sort by DeviceId asc",
            "| summarize count() by DeviceId",
            "| extend ActionType = tolower(ActionType)",
            "| extend DeviceId = strcat(DeviceId, \"\")",
            "| extend Other = prev(DeviceId)",
            "| project-away ActionType",
            "| join kind=inner (DeviceInfo | project DeviceId) on DeviceId",
            "| join kind=leftanti (DeviceInfo | project DeviceId) on DeviceId",
            "| join kind=leftouter (DeviceInfo | project DeviceId, OSPlatform) on DeviceId",
            "| lookup (DeviceInfo | project DeviceId, OSPlatform) on DeviceId",
            "| mv-expand DeviceId",
        ] {
            found.push(("stage new", with(text, end, end, &format!("\n{added}\n"))));
        }
        if let Some((next, stop)) = all.get(number + 1).copied()
            && next >= end
        {
            let swapped = format!("{}\n{stage}\n", &text[next..stop]);
            let between = &text[end..next];
            if between.trim().is_empty() {
                found.push(("stages change places", with(text, start, stop, &swapped)));
            }
        }
    }
}

/// Items of lists between brackets: values, keys, columns, arms of a union.
fn lists(text: &str, tokens: &[Token], found: &mut Vec<Version>) {
    let word = |place: usize| &text[tokens[place].span.start..tokens[place].span.end];
    let ends =
        |place: usize| matches!(tokens[place].kind, TokenKind::Comma | TokenKind::Bar) || word(place) == "by";
    for at in 0..tokens.len() {
        if tokens[at].kind != TokenKind::Comma {
            continue;
        }
        // The item behind the comma goes, or comes twice with something else.
        let end = stretch(tokens, at + 1, ends);
        if end > at + 1 {
            let (start, stop) = (tokens[at].span.start, tokens[end - 1].span.end);
            found.push(("item gone", with(text, start, stop, "")));
            let item = &text[tokens[at + 1].span.start..stop];
            if item.starts_with(['"', '\'', '@']) {
                found.push(("value new", with(text, stop, stop, ", \"svc\"")));
            }
        }
        // The item before the comma goes.
        let mut depth = 0_usize;
        let mut start = at;
        while start > 0 {
            let kind = tokens[start - 1].kind;
            if depth == 0 && (opens(kind) || ends(start - 1) || kind == TokenKind::Semicolon) {
                break;
            }
            if closes(kind) {
                depth += 1;
            } else if opens(kind) {
                depth -= 1;
            }
            start -= 1;
        }
        if start < at {
            let (from, to) = (tokens[start].span.start, tokens[at].span.end);
            let first = ["union", "by", "project", "extend", "summarize", "distinct"];
            if first.contains(&word(start)) && start + 1 < at {
                found.push((
                    "first item gone",
                    with(text, tokens[start + 1].span.start, to, ""),
                ));
            } else {
                found.push(("item gone", with(text, from, to, "")));
            }
        }
    }
    for at in 0..tokens.len() {
        if word(at) == "by" {
            let end = stretch(tokens, at + 1, |place| tokens[place].kind == TokenKind::Bar);
            if end > at + 1 {
                let stop = tokens[end - 1].span.end;
                found.push(("key new", with(text, stop, stop, ", DeviceId")));
            }
        }
        if word(at) == "union"
            && let Some(next) = tokens.get(at + 1)
        {
            let start = next.span.start;
            found.push(("arm new", with(text, start, start, "DeviceInfo, ")));
        }
    }
}
