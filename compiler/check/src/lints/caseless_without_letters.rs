//! Case is ignored where there is none.

use super::{code, syntax::comparisons};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL020",
        "caseless-without-letters",
        Severity::Note,
        "A comparison ignores the case of values that have none.",
    ),
    page: include_str!("../../pages/caseless-without-letters.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        comparisons(query, &mut |c| {
            let exact = match c.op {
                "=~" => "==",
                "!~" => "!=",
                "in~" => "in",
                "!in~" => "!in",
                _ => return,
            };
            let texts = c.texts();
            let caseless = |text: &str| !text.is_empty() && !text.chars().any(char::is_alphabetic);
            if !texts.is_empty()
                && texts.len() == c.values.len()
                && texts.iter().all(|(text, _)| caseless(text))
            {
                let at = query.fragment.map(c.op_span);
                found.push(
                    Diagnostic::new(
                        LINT.code,
                        format!("`{}` ignores case, and these values have none", c.op),
                    )
                    .at(at)
                    .help(format!("write `{exact}`"))
                    .fix(format!("write `{exact}`"), at, exact),
                );
            }
        });
    }
}
