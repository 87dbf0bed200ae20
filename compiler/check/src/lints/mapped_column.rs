//! Every mapped column exists in the result, in this exact case.

use rulec_model::{Origin, Resolved};
use rulec_source::{Diagnostic, Severity};

use super::code;
use crate::{Input, Lint, Query};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL001",
        "mapped-column-missing",
        Severity::Error,
        "An entity mapping, custom detail or alert text names a column that the query does not give.",
    ),
    page: include_str!("../../pages/mapped-column-missing.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        let Some(root) = &query.ir.root else { continue };
        if root.open {
            continue;
        }
        for (pointer, what, column) in mapped(query.resolved) {
            if root.columns.iter().any(|c| *c.name == *column) {
                continue;
            }
            found.push(finding(input, query, pointer, &what, &column));
        }
    }
}

fn finding(input: &Input<'_>, query: &Query<'_>, pointer: &str, what: &str, column: &str) -> Diagnostic {
    let columns: Vec<&str> = query
        .ir
        .root
        .iter()
        .flat_map(|r| r.columns.iter())
        .map(|c| &*c.name)
        .collect();
    let span = input.word(pointer, column);
    let diagnostic = Diagnostic::new(
        LINT.code,
        format!("{what} names the column `{column}`, which the query does not give"),
    )
    .label(span, "no such column in the result");
    if let Some(same) = columns.iter().find(|c| c.eq_ignore_ascii_case(column)) {
        return diagnostic
            .help(format!("column names are case-sensitive: write `{same}`"))
            .fix(format!("write `{same}`"), span, *same);
    }
    match rulec_facts::close_matches(column, columns.iter().copied(), 1).first() {
        Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
        None => diagnostic.help(format!(
            "add `{column}` to the query's last project or summarize, or map another column"
        )),
    }
}

/// Everything that names a column: the setting's pointer, what it is, the column.
/// What was derived rests on the columns themselves and cannot be wrong.
fn mapped(resolved: &Resolved) -> Vec<(&'static str, String, String)> {
    let said = |origin: &Origin| !matches!(origin, Origin::Derived(_) | Origin::Default(_));
    let mut mapped = Vec::new();
    if said(&resolved.entities.origin) {
        for entity in &resolved.entities.value {
            for (identifier, column) in &entity.fields {
                mapped.push((
                    "/settings/entities",
                    format!("the entity {} ({identifier})", entity.kind),
                    column.clone(),
                ));
            }
        }
    }
    if said(&resolved.custom_details.origin) {
        for (key, column) in &resolved.custom_details.value {
            mapped.push((
                "/settings/custom_details",
                format!("the custom detail {key}"),
                column.clone(),
            ));
        }
    }
    if let Some(alert) = &resolved.alert {
        let texts = [
            ("title", &alert.value.title),
            ("description", &alert.value.description),
        ];
        for (name, text) in texts {
            for column in text.iter().flat_map(|t| placeholders(t)) {
                mapped.push(("/settings/alert", format!("the alert's {name}"), column));
            }
        }
    }
    mapped
}

/// The columns in `{{…}}`.
fn placeholders(text: &str) -> Vec<String> {
    text.split("{{")
        .skip(1)
        .filter_map(|rest| rest.split_once("}}"))
        .map(|(column, _)| column.trim().to_owned())
        .collect()
}
