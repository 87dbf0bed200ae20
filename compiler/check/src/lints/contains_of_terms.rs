//! `contains` where `has` serves.

use super::{code, syntax::comparisons};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL028",
        "contains-of-terms",
        Severity::Note,
        "`contains` looks for whole terms, which `has` finds in the index.",
    ),
    page: include_str!("../../pages/contains-of-terms.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        comparisons(query, &mut |c| {
            let other = match c.op {
                "contains" => "has",
                "!contains" => "!has",
                "contains_cs" => "has_cs",
                "!contains_cs" => "!has_cs",
                _ => return,
            };
            for (value, _) in c.texts() {
                let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii() && !c.is_alphanumeric());
                let longest = value.split(|c: char| !c.is_alphanumeric()).map(str::len).max();
                if edge(value.chars().next())
                    && edge(value.chars().next_back())
                    && longest.is_some_and(|length| length >= INDEXED)
                {
                    let at = query.fragment.map(c.op_span);
                    found.push(
                        Diagnostic::new(
                            LINT.code,
                            format!("this text consists of whole terms, which `{other}` finds in the index"),
                        )
                        .at(at)
                        .help(format!("write `{other}`"))
                        .suggest(format!("write `{other}`"), at, other),
                    );
                }
            }
        });
    }
}

/// Characters of the shortest term that the index knows.
const INDEXED: usize = 4;
