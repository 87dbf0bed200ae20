//! Asterisks that stand for themselves.

use super::{code, syntax::comparisons};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL055",
        "wildcard-taken-literally",
        Severity::Warning,
        "A text is compared with a pattern that is none.",
    ),
    page: include_str!("../../pages/wildcard-taken-literally.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        comparisons(query, &mut |c| {
            if !matches!(
                c.op,
                "==" | "!=" | "=~" | "!~" | "in" | "in~" | "!in" | "!in~" | "startswith" | "endswith"
            ) {
                return;
            }
            for (value, span) in c.texts() {
                let inner = value.trim_matches('*');
                // Entries of policies and permissions do end with an asterisk.
                let file =
                    inner.starts_with('.') || inner.ends_with(['\\', '/', '.']) || inner.contains(".exe");
                if inner.len() < value.len() && file && inner.len() > 1 && !inner.contains("://") {
                    found.push(
                        Diagnostic::new(
                            LINT.code,
                            format!("`{}` takes the asterisk as it is, not as a pattern", c.op),
                        )
                        .at(query.fragment.map(span))
                        .help("use `startswith`, `endswith` or `contains` with the rest of the text"),
                    );
                }
            }
        });
    }
}
