//! Comparisons of a thing with itself.

use rulec_source::Span;

use super::{
    code,
    syntax::{comparisons, words},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL032",
        "constant-condition",
        Severity::Warning,
        "Both sides of a comparison are the same.",
    ),
    page: include_str!("../../pages/constant-condition.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        comparisons(query, &mut |c| {
            let [value] = c.values else { return };
            if c.is_list {
                return;
            }
            let sides = (words(query, c.lhs.span), words(query, value.span));
            let calls = sides.0.contains(&"rand");
            if !calls && !sides.0.is_empty() && sides.0 == sides.1 {
                found.push(
                    Diagnostic::new(LINT.code, format!("both sides of `{}` are the same", c.op))
                        .at(query
                            .fragment
                            .map(Span::new(c.lhs.span.start as usize, value.span.end as usize)))
                        .help("compare with what was meant, or remove the condition"),
                );
            }
        });
    }
}
