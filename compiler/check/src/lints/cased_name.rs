//! Names that Windows takes in any case.

use super::{code, syntax::comparisons};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL021",
        "cased-name",
        Severity::Note,
        "A file, path, device or account is compared with case.",
    ),
    page: include_str!("../../pages/cased-name.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        comparisons(query, &mut |c| {
            let other = match c.op {
                "==" => "=~",
                "!=" => "!~",
                "in" => "in~",
                "!in" => "!in~",
                _ => return,
            };
            let Some(column) = c.column() else { return };
            let texts = c.texts();
            let named = NAMES.iter().any(|name| column.ends_with(name));
            // Values without letters have no case.
            let letters = texts
                .iter()
                .any(|(text, _)| text.chars().any(char::is_alphabetic));
            if named && letters && texts.len() == c.values.len() {
                let at = query.fragment.map(c.op_span);
                found.push(
                    Diagnostic::new(
                        LINT.code,
                        format!(
                            "`{column}` may be written in any case, and `{}` compares with case",
                            c.op
                        ),
                    )
                    .at(at)
                    .help(format!("write `{other}`"))
                    .suggest(format!("write `{other}`"), at, other),
                );
            }
        });
    }
}

/// Ends of the names of columns that hold such names.
const NAMES: [&str; 4] = ["FileName", "FolderPath", "AccountName", "DeviceName"];
