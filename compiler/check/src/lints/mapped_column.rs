//! Every mapped column exists in the result, in this exact case.

use rulec_model::{Origin, Resolved};
use rulec_source::{Diagnostic, Severity, Span};

use super::{CONFIG, code};
use crate::{Input, Lint};

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

/// More columns than this are no help.
const LISTED: usize = 12;

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    let several = input.queries.len() > 1;
    for (index, query) in input.queries.iter().enumerate() {
        let Some(root) = query.ir.root.as_ref().filter(|_| query.sound) else {
            continue;
        };
        if root.open {
            continue;
        }
        let columns: Vec<&str> = root.columns.iter().map(|c| &*c.name).collect();
        let which = if several {
            format!("query {}", index + 1)
        } else {
            "the query".to_owned()
        };
        for mapped in mapped(input, query.resolved) {
            if !columns.contains(&mapped.column.as_str()) {
                found.push(finding(&mapped, &columns, &which));
            }
        }
    }
}

fn finding(mapped: &Mapped, columns: &[&str], which: &str) -> Diagnostic {
    let Mapped {
        what, column, span, ..
    } = mapped;
    let mut diagnostic = Diagnostic::new(
        LINT.code,
        format!("{what} names the column `{column}`, which {which} does not give"),
    )
    .label(*span, "no such column in the result");
    if mapped.from_config {
        diagnostic = diagnostic.note(CONFIG);
    }
    if let Some(same) = columns.iter().find(|c| c.eq_ignore_ascii_case(column)) {
        let help = format!("column names are case-sensitive: write `{same}`");
        return if mapped.from_config {
            diagnostic.help(help)
        } else {
            diagnostic.help(help).fix(format!("write `{same}`"), *span, *same)
        };
    }
    match rulec_facts::close_matches(column, columns.iter().copied(), 1).first() {
        Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
        None if columns.len() <= LISTED => diagnostic.help(format!(
            "let the query keep `{column}` in its last project or summarize, or map one of {}",
            columns.join(", ")
        )),
        None => diagnostic.help(format!(
            "let the query keep `{column}` in its last project or summarize, or map another column"
        )),
    }
}

/// Something that names a column.
struct Mapped {
    /// What it is, as the beginning of a sentence.
    what: String,
    column: String,
    span: Span,
    from_config: bool,
}

/// Everything that names a column. What was derived rests on the columns
/// themselves and cannot be wrong.
fn mapped(input: &Input<'_>, resolved: &Resolved) -> Vec<Mapped> {
    let said = |origin: &Origin| !matches!(origin, Origin::Derived(_) | Origin::Default(_));
    let mut mapped = Vec::new();
    let mut push = |what: String, column: &str, span: Span, origin: &Origin| {
        mapped.push(Mapped {
            what,
            column: column.to_owned(),
            span,
            from_config: *origin == Origin::Config,
        });
    };
    if said(&resolved.entities.origin) {
        let setting = input.setting("/settings/entities");
        for entity in &resolved.entities.value {
            for (identifier, column) in &entity.fields {
                push(
                    format!("the entity {} ({identifier})", entity.kind),
                    column,
                    setting.value(identifier, column),
                    &resolved.entities.origin,
                );
            }
        }
    }
    if said(&resolved.custom_details.origin) {
        let setting = input.setting("/settings/custom_details");
        for (key, column) in &resolved.custom_details.value {
            push(
                format!("the custom detail {key}"),
                column,
                setting.value(key, column),
                &resolved.custom_details.origin,
            );
        }
    }
    if let Some(alert) = &resolved.alert {
        let setting = input.setting("/settings/alert");
        let texts = [
            ("title", &alert.value.title),
            ("description", &alert.value.description),
        ];
        for (name, text) in texts {
            for column in text.iter().flat_map(|t| placeholders(t)) {
                let span = setting.placeholder(&column);
                push(format!("the alert's {name}"), &column, span, &alert.origin);
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
