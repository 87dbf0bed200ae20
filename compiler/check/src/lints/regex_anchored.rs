//! Patterns that `startswith` or `endswith` says.

use super::{
    code,
    syntax::{patterns, regex},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL026",
        "regex-anchored",
        Severity::Note,
        "A regular expression only says how a text begins or ends.",
    ),
    page: include_str!("../../pages/regex-anchored.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        patterns(query, &mut |pattern, span| {
            let (pattern, cased) = match pattern.strip_prefix("(?i)") {
                Some(rest) => (rest, ""),
                None => (pattern, "_cs"),
            };
            let operator = match (pattern.strip_prefix('^'), pattern.strip_suffix('$')) {
                (Some(rest), None) if regex::is_plain(rest) && !rest.is_empty() => "startswith",
                (None, Some(rest)) if regex::is_plain(rest) && !rest.is_empty() => "endswith",
                _ => return,
            };
            found.push(
                Diagnostic::new(
                    LINT.code,
                    format!("this pattern is what `{operator}{cased}` says"),
                )
                .at(query.fragment.map(span))
                .help(format!("write `{operator}{cased}`")),
            );
        });
    }
}
