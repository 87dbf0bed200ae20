//! Suppressions: findings that a document says it lives with.
//!
//! In: a document, its findings and the day. Out: the findings without those
//! that a suppression names, and what is wrong with suppressions. Deliberately
//! absent: turning a lint off for all documents, which is `[lints]` in rulec.toml.
//!
//! `<!-- rulec: allow(lint-name) until 2027-01-31, reason -->` in the prose goes
//! for the whole document, `// rulec: allow(lint-name) until 2027-01-31, reason`
//! in a query for its line, or the next one when it stands alone.

use rulec_facts::aliases::Aliases;
use rulec_kql::TokenKind;
use rulec_model::FrontMatter;
use rulec_source::{Code, Diagnostic, SourceFile, Span, Suppression};

use crate::{codes, pipeline::is_broken};

/// What every suppression says.
const MARK: &str = "rulec: allow(";
/// How a suppression is written.
const SHAPE: &str = "write `rulec: allow(lint-name) until 2027-01-31, reason`";

/// One suppression.
#[derive(Debug)]
struct Allow<'t> {
    /// From `rulec:` to its end.
    span: Span,
    /// Codes or names, each with its place.
    names: Vec<(&'t str, Span)>,
    /// The last day it goes for.
    until: &'t str,
    /// Why.
    reason: &'t str,
    /// The stretch it goes for.
    scope: Span,
    /// Which of the names had an effect.
    used: Vec<bool>,
}

/// Takes out the findings that the document suppresses, and adds what is wrong
/// with its suppressions. `today` is a day like `2026-11-22`; `known` are all
/// findings there are. What keeps a rule from compiling stays. Gives what was
/// taken out, with what the document says of it.
pub(crate) fn apply(
    file: &SourceFile,
    found: &mut Vec<Diagnostic>,
    known: &[Code],
    aliases: &Aliases,
    today: &str,
) -> Vec<(Diagnostic, Suppression)> {
    if !file.text.contains(MARK) {
        return Vec::new();
    }
    let mut said = Vec::new();
    let mut allows = read(file, aliases, &mut said);
    for allow in &allows {
        for (name, span) in &allow.names {
            said.extend(wrong_name(name, *span, known));
        }
        if allow.until < today {
            said.push(
                Diagnostic::new(
                    codes::EXPIRED_SUPPRESSION,
                    format!("this suppression ended on {}", allow.until),
                )
                .at(allow.span)
                .help("repair what it hides, or look at the reason again and give it a later day"),
            );
        }
    }
    let mut taken = Vec::new();
    found.retain(|diagnostic| {
        if is_broken(diagnostic) {
            return true;
        }
        match suppressed(diagnostic, &mut allows) {
            Some(suppression) => {
                taken.push((diagnostic.clone(), suppression));
                false
            }
            None => true,
        }
    });
    for allow in &allows {
        for ((name, span), used) in allow.names.iter().zip(&allow.used) {
            if !used && wrong_name(name, *span, known).is_none() {
                said.push(
                    Diagnostic::new(
                        codes::UNUSED_SUPPRESSION,
                        format!("there is no finding `{name}` that this suppresses"),
                    )
                    .at(*span)
                    .help("remove it"),
                );
            }
        }
    }
    found.extend(said);
    found.sort_by_key(|d| d.span().map_or((0, 0), |s| (s.start, s.end)));
    taken
}

/// The first suppression that names a finding. One that has ended still does:
/// that it has is the finding then, not everything it hid.
fn suppressed(diagnostic: &Diagnostic, allows: &mut [Allow<'_>]) -> Option<Suppression> {
    let at = diagnostic.span().unwrap_or_default();
    let mut suppressed = None;
    for allow in allows {
        if !allow.scope.contains(Span::at(at.start as usize)) {
            continue;
        }
        for ((name, _), used) in allow.names.iter().zip(&mut allow.used) {
            if *name == diagnostic.code.name || *name == diagnostic.code.id {
                *used = true;
                suppressed.get_or_insert_with(|| Suppression {
                    span: allow.span,
                    until: allow.until.to_owned(),
                    reason: allow.reason.to_owned(),
                });
            }
        }
    }
    suppressed
}

fn wrong_name(name: &str, span: Span, known: &[Code]) -> Option<Diagnostic> {
    let code = known.iter().find(|code| code.name == name || code.id == name);
    let wrong = |message: String| Diagnostic::new(codes::BAD_SUPPRESSION, message).at(span);
    match code {
        None => {
            let close = rulec_facts::close_matches(name, known.iter().map(|code| code.name), 1);
            let diagnostic = wrong(format!("there is no finding `{name}`"));
            Some(match close.first() {
                Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
                None => diagnostic.help("`rulec list lints` shows them"),
            })
        }
        Some(code) if is_broken(&Diagnostic::new(*code, "")) => Some(
            wrong(format!(
                "`{name}` keeps a rule from compiling and cannot be suppressed"
            ))
            .help("repair it"),
        ),
        Some(_) => None,
    }
}

/// The suppressions of a document, and what is wrong with how they are written.
fn read<'t>(file: &'t SourceFile, aliases: &Aliases, said: &mut Vec<Diagnostic>) -> Vec<Allow<'t>> {
    let text = file.text.as_str();
    let queries = queries(file, aliases);
    let in_query = |at: usize| queries.iter().any(|(whole, _)| whole.contains(Span::at(at)));
    let mut allows = Vec::new();
    for (at, _) in text.match_indices(MARK) {
        let (end, scope) = if in_query(at) {
            let comment = queries
                .iter()
                .flat_map(|(_, comments)| comments)
                .find(|c| c.contains(Span::at(at)));
            // A text that looks like a suppression is none.
            let Some(comment) = comment else { continue };
            (comment.end as usize, lines(text, *comment))
        } else {
            let before = text[..at].trim_end();
            let Some(end) = text[at..].find("-->").filter(|_| before.ends_with("<!--")) else {
                continue;
            };
            (at + end, Span::new(0, text.len()))
        };
        let span = Span::new(at, at + text[at..end].trim_end().len());
        match allow(text, span, scope) {
            Some(allow) => allows.push(allow),
            None => said.push(
                Diagnostic::new(
                    codes::BAD_SUPPRESSION,
                    "a suppression names findings, the day it ends and a reason",
                )
                .at(span)
                .help(SHAPE),
            ),
        }
    }
    allows
}

/// `rulec: allow(a, b) until 2027-01-31, reason`.
fn allow(text: &str, span: Span, scope: Span) -> Option<Allow<'_>> {
    let start = span.start as usize + MARK.len();
    let rest = text.get(start..span.end as usize)?;
    let (list, rest) = rest.split_once(')')?;
    let (until, reason) = rest.trim_start().strip_prefix("until ")?.split_once(',')?;
    let until = until.trim();
    let is_day = until.len() == 10 && rulec_functions::text::parse_datetime(until).is_some();
    if !is_day || reason.trim().is_empty() {
        return None;
    }
    let mut names = Vec::new();
    let mut at = start;
    for part in list.split(',') {
        let name = part.trim();
        let from = at + part.len() - part.trim_start().len();
        names.push((name, Span::new(from, from + name.len())));
        at += part.len() + 1;
    }
    let used = vec![false; names.len()];
    Some(Allow {
        span,
        names,
        until,
        reason: reason.trim(),
        scope,
        used,
    })
}

/// The line that a comment of a query goes for.
fn lines(text: &str, comment: Span) -> Span {
    let line_start = |at: usize| text[..at].rfind('\n').map_or(0, |i| i + 1);
    let line_end = |at: usize| text[at..].find('\n').map_or(text.len(), |i| at + i);
    let start = line_start(comment.start as usize);
    let mut end = line_end(comment.end as usize);
    let alone = |line: &str| line.trim().is_empty() || line.trim_start().starts_with("//");
    if alone(&text[start..end]) {
        // Other comments and empty lines may stand between.
        while end < text.len() {
            let next = end + 1;
            end = line_end(next.min(text.len()));
            if text.get(next..end).is_none_or(|line| !alone(line)) {
                break;
            }
        }
    }
    Span::new(start, end)
}

/// The queries of a document, each with the places of its comments.
fn queries(file: &SourceFile, aliases: &Aliases) -> Vec<(Span, Vec<Span>)> {
    let options = rulec_read::Options {
        aliases,
        defaults: FrontMatter::default(),
    };
    let read = rulec_read::read(file, &options);
    let queries = read.queries.iter().map(|fragment| {
        let (tokens, _) = rulec_kql::lexer::lex(&fragment.text);
        let comments = tokens.iter().filter(|token| token.kind == TokenKind::Comment);
        let whole = fragment.map(Span::new(0, fragment.text.len()));
        (whole, comments.map(|token| fragment.map(token.span)).collect())
    });
    queries.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rulec_source::Severity;

    const LINT: Code = Code {
        id: "RL999",
        name: "a-lint",
        severity: Severity::Warning,
        summary: "",
    };
    const BROKEN: Code = Code {
        id: "RK999",
        name: "broken",
        severity: Severity::Error,
        summary: "",
    };

    /// What is left of a finding at each `@`, as names in order.
    fn left(text: &str) -> Vec<&'static str> {
        let file = SourceFile::new("a.md", text);
        let places = text.match_indices('@').map(|(at, _)| Span::new(at, at + 1));
        let mut found: Vec<Diagnostic> = places.map(|at| Diagnostic::new(LINT, "").at(at)).collect();
        found.push(Diagnostic::new(BROKEN, "").at(Span::new(text.len(), text.len())));
        let aliases = Aliases::load(&rulec_facts::Pack::embedded()).unwrap();
        let before = found.len();
        let taken = apply(&file, &mut found, &[LINT, BROKEN], &aliases, "2026-11-22");
        // Nothing is lost: what is not said any more is what was taken out.
        let said = found
            .iter()
            .filter(|d| d.code == LINT || d.code == BROKEN)
            .count();
        assert_eq!(said + taken.len(), before);
        assert!(taken.iter().all(|(_, why)| why.reason.starts_with("known")));
        assert_eq!(found.pop().map(|d| d.code.name), Some("broken"));
        found.iter().map(|d| d.code.name).collect()
    }

    fn document(prose: &str, query: &str) -> String {
        format!(
            "# Title\n\n## Metadata\n**ID:** x\n\n{prose}\n\n## Detection\n\n**Language:** Kusto\n\n**Query:**\n```kql\n{query}\n```\n"
        )
    }

    #[test]
    fn in_prose_for_the_document() {
        let comment = "<!-- rulec: allow(a-lint) until 2027-01-31, known -->";
        assert_eq!(left(&document(comment, "T // @\n| take 1 // @")), [""; 0]);
        let other = comment.replace("a-lint", "RL999");
        assert_eq!(left(&document(&format!("{other} @"), "T")), [""; 0]);
    }

    #[test]
    fn in_a_query_for_a_line() {
        let said = "// rulec: allow(a-lint) until 2027-01-31, known";
        assert_eq!(
            left(&document("", &format!("T {said} @\n| take 1 // @"))),
            ["a-lint"]
        );
        assert_eq!(
            left(&document(
                "",
                &format!("T // @\n{said}\n// why\n| take 1 // @\n| take 2 // @")
            )),
            ["a-lint", "a-lint"]
        );
        // In a text it is a text.
        assert_eq!(
            left(&document(
                "",
                "print 'rulec: allow(a-lint) until 2027-01-31, x @'"
            )),
            ["a-lint"]
        );
    }

    #[test]
    fn ends_and_has_an_effect() {
        let said = |what: &str| left(&document(&format!("<!-- rulec: {what} --> @"), "T"));
        assert_eq!(
            said("allow(a-lint) until 2026-11-21, known"),
            ["expired-suppression"]
        );
        assert_eq!(said("allow(a-lint) until 2026-11-22, known"), [""; 0]);
        let bad = ["bad-suppression", "a-lint"];
        assert_eq!(said("allow(a-lnt) until 2027-01-31, known"), bad);
        assert_eq!(said("allow(broken) until 2027-01-31, known"), bad);
        assert_eq!(said("allow(a-lint)"), bad);
        assert_eq!(said("allow(a-lint) until 2027-01-31,"), bad);
        assert_eq!(said("allow(a-lint) until tomorrow, known"), bad);
        let unused = document("<!-- rulec: allow(a-lint) until 2027-01-31, known -->", "T");
        assert_eq!(left(&unused), ["unused-suppression"]);
    }
}
