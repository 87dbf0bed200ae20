//! Functions under names that the language has replaced.

use rulec_source::{Diagnostic, Severity};

use super::{calls, code};
use crate::{Input, Lint};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL009",
        "deprecated-function",
        Severity::Warning,
        "A function is called by a name that the language has replaced.",
    ),
    page: include_str!("../../pages/deprecated-function.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        for (name, span) in calls(query.parsed) {
            let scalar = rulec_functions::scalar(name).map(|f| (f.aliases, f.deprecated));
            let aggregate = rulec_functions::aggregate(name).map(|f| (f.aliases, f.deprecated));
            let Some((aliases, Some(instead))) = scalar.or(aggregate) else {
                continue;
            };
            // A row that is current under its own name says which of its aliases is not.
            if instead == name || !(aliases.is_empty() || aliases.contains(&name)) {
                continue;
            }
            let span = query.fragment.map(span);
            found.push(
                Diagnostic::new(LINT.code, format!("`{name}` is an old name of `{instead}`"))
                    .at(span)
                    .help(format!("write `{instead}`"))
                    .fix(format!("write `{instead}`"), span, instead),
            );
        }
    }
}
