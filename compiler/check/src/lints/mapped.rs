//! Everything of a rule that names a column of the result, and where it stands.

use rulec_ir::Query as Ir;
use rulec_model::{Origin, Resolved};
use rulec_source::{Diagnostic, Span};

use super::CONFIG;
use crate::{Input, Query};

/// Something that names a column.
pub(super) struct Mapped {
    /// What it is, as the beginning of a sentence.
    pub what: String,
    /// The column.
    pub column: String,
    /// Where the column is named.
    pub span: Span,
    /// Whether rulec.toml says it, so that no line of the document does.
    pub from_config: bool,
    /// The entity type and identifier, when it is one of these.
    pub identifier: Option<(String, String)>,
}

impl Mapped {
    /// A finding about it.
    pub(super) fn finding(&self, code: rulec_source::Code, message: String, label: &str) -> Diagnostic {
        let diagnostic = Diagnostic::new(code, message).label(self.span, label);
        if self.from_config {
            diagnostic.note(CONFIG)
        } else {
            diagnostic
        }
    }
}

/// The queries whose results are known to the last column, and what to call them.
pub(super) fn closed<'i>(input: &Input<'i>) -> impl Iterator<Item = (&'i Query<'i>, String)> {
    let several = input.queries.len() > 1;
    let queries = input.queries.iter().enumerate();
    queries
        .filter(|(_, query)| query.sound && query.ir.root.as_ref().is_some_and(|root| !root.open))
        .map(move |(index, query)| {
            let which = if several {
                format!("query {}", index + 1)
            } else {
                "the query".to_owned()
            };
            (query, which)
        })
}

/// The columns of the result.
pub(super) fn columns(query: &Ir) -> Vec<&str> {
    let root = query.root.iter();
    root.flat_map(|r| r.columns.iter()).map(|c| &*c.name).collect()
}

/// The column that differs in case alone.
pub(super) fn in_other_case<'c>(column: &str, columns: &[&'c str]) -> Option<&'c str> {
    columns.iter().copied().find(|c| c.eq_ignore_ascii_case(column))
}

/// Everything that names a column. What was derived rests on the columns
/// themselves and cannot be wrong.
pub(super) fn mapped(input: &Input<'_>, resolved: &Resolved) -> Vec<Mapped> {
    let said = |origin: &Origin| !matches!(origin, Origin::Derived(_) | Origin::Default(_));
    let mut mapped = Vec::new();
    let mut push = |what: String, column: &str, span: Span, origin: &Origin, identifier| {
        mapped.push(Mapped {
            what,
            column: column.to_owned(),
            span,
            from_config: *origin == Origin::Config,
            identifier,
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
                    Some((entity.kind.clone(), identifier.clone())),
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
                None,
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
                push(format!("the alert's {name}"), &column, span, &alert.origin, None);
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

/// An entity that the document or the repository maps, and where.
pub(super) struct Said<'i> {
    /// `Host`.
    pub kind: &'i str,
    /// Where the type stands.
    pub place: Span,
    pub fields: Vec<Field<'i>>,
}

/// One of its identifiers.
pub(super) struct Field<'i> {
    pub identifier: &'i str,
    /// Where the identifier stands.
    pub place: Span,
    pub column: &'i str,
    /// Where the column stands.
    pub value: Span,
}

/// The entities somebody said, each with its places. `note` adds to a finding
/// that rulec.toml says them.
pub(super) fn said<'i>(input: &Input<'i>) -> Vec<Said<'i>> {
    let Some(entities) = &input.rule.settings.entities else {
        return Vec::new();
    };
    let setting = input.setting("/settings/entities");
    let said = entities.value.iter().map(|entity| Said {
        kind: &entity.kind,
        // Each entity takes its place in the text, also one that is fine.
        place: setting.value("type", &entity.kind),
        fields: entity
            .fields
            .iter()
            .map(|(identifier, column)| Field {
                identifier,
                place: setting.key(identifier),
                column,
                value: setting.value(identifier, column),
            })
            .collect(),
    });
    said.collect()
}

/// Adds to a finding about entities where they are said, when no document says them.
pub(super) fn noted(input: &Input<'_>, diagnostic: Diagnostic) -> Diagnostic {
    let entities = input.rule.settings.entities.as_ref();
    if entities.is_some_and(|e| e.origin == Origin::Config) {
        return diagnostic.note(CONFIG);
    }
    diagnostic
}

/// A list as a sentence has it.
pub(super) fn listed(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, [])) => format!("`{last}`"),
        Some((last, rest)) => {
            let rest: Vec<String> = rest.iter().map(|name| format!("`{name}`")).collect();
            format!("{} and `{last}`", rest.join(", "))
        }
        None => String::new(),
    }
}
