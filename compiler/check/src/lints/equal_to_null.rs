//! Comparisons with null.

use rulec_kql::ast::{ExprKind, Literal, ScalarType};

use super::{
    code,
    syntax::{bare, comparisons},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL030",
        "equal-to-null",
        Severity::Warning,
        "A value is compared with null.",
    ),
    page: include_str!("../../pages/equal-to-null.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        comparisons(query, &mut |c| {
            let (not, function) = match c.op {
                "==" => ("never", "isnull"),
                "!=" => ("not what it seems", "isnotnull"),
                _ => return,
            };
            for value in c.values {
                if let ExprKind::Literal(Literal::Null(ty)) = &bare(value).kind
                    && *ty != ScalarType::String
                {
                    found.push(
                        Diagnostic::new(
                            LINT.code,
                            format!("a comparison with null by `{}` is {not} true", c.op)
                                .replace("not what it seems true", "not what it seems"),
                        )
                        .at(query.fragment.map(value.span))
                        .help(format!("write `{function}(…)`")),
                    );
                }
            }
        });
    }
}
