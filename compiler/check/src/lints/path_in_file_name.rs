//! Paths looked for in columns that hold file names.

use rulec_kql::ast::ExprKind;

use super::{
    code,
    syntax::{Comparison, comparisons, exprs},
};
use crate::{Input, Lint, Query};
use rulec_source::{Diagnostic, Severity, Span};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL092",
        "path-in-file-name",
        Severity::Warning,
        "A file name is compared with a text that has a folder, which it never has.",
    ),
    page: include_str!("../../pages/path-in-file-name.md"),
    run,
};

/// Columns of Defender's device tables that hold a name without its folder: the
/// reference of the advanced hunting schema calls each the "name of the file"
/// or "name of the process file", and has the path in a column beside it.
const NAMES: [(&str, &str); 3] = [
    ("FileName", "FolderPath"),
    ("InitiatingProcessFileName", "InitiatingProcessFolderPath"),
    ("InitiatingProcessParentFileName", ""),
];

const OPERATORS: [&str; 18] = [
    "==",
    "!=",
    "=~",
    "!~",
    "in",
    "!in",
    "in~",
    "!in~",
    "has",
    "!has",
    "contains",
    "!contains",
    "startswith",
    "!startswith",
    "endswith",
    "!endswith",
    "has_any",
    "has_all",
];

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        // Another table's column of that name may hold a path.
        let of_devices = !query.ir.tables.is_empty()
            && query
                .ir
                .tables
                .iter()
                .all(|t| t.known && t.name.starts_with("Device"));
        if !of_devices || computes_name(query) {
            continue;
        }
        comparisons(query, &mut |comparison| {
            let column = comparison.column().unwrap_or_default();
            let Some((_, path)) = NAMES.iter().find(|(name, _)| *name == column) else {
                return;
            };
            if !OPERATORS.contains(&comparison.op) {
                return;
            }
            for (value, span) in comparison.texts() {
                if value.contains('\\') {
                    found.push(finding(query, comparison, column, path, &value, span));
                }
            }
        });
    }
}

fn finding(
    query: &Query<'_>,
    comparison: &Comparison<'_>,
    column: &str,
    path: &str,
    value: &str,
    span: Span,
) -> Diagnostic {
    let place = query.fragment.map(span);
    let diagnostic = Diagnostic::new(
        LINT.code,
        format!("`{column}` holds a name without its folder, in which there is no backslash"),
    )
    .at(place);
    let diagnostic = if path.is_empty() {
        diagnostic.help("leave the folder out")
    } else {
        diagnostic.help(format!("leave the folder out, or look in `{path}`"))
    };
    // `endswith "\cmd.exe"` is how Sigma says that a file has this name.
    let name = value.strip_prefix('\\').filter(|name| !name.is_empty());
    let plain = |name: &str| !name.contains(['\\', '"', '\'', '*']);
    match (comparison.op, name) {
        ("endswith" | "!endswith", Some(name)) if plain(name) && !comparison.is_list => {
            let op = if comparison.op == "endswith" { "=~" } else { "!~" };
            diagnostic.fix_all(
                "compare with the name",
                vec![
                    (query.fragment.map(comparison.op_span), op.to_owned()),
                    (place, format!("\"{name}\"")),
                ],
            )
        }
        _ => diagnostic,
    }
}

/// Whether the query gives one of the columns itself: it may hold anything then.
fn computes_name(query: &Query<'_>) -> bool {
    let mut computed = false;
    exprs(query, &mut |expr| {
        if let ExprKind::Pipeline(pipeline) = &expr.kind {
            computed |= pipeline.operators.iter().any(|operator| {
                let text = operator.span.of(&query.parsed.text);
                NAMES.iter().any(|(name, _)| assigns(text, name))
            });
        }
    });
    computed
}

/// Whether `name =` stands in a text, as opposed to `name ==` and `name =~`.
fn assigns(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].trim_start();
        let whole = !before.is_some_and(|c| c.is_alphanumeric() || c == '_');
        whole && after.starts_with('=') && !after.starts_with("==") && !after.starts_with("=~")
    })
}
