//! Columns that a union splits because their types differ.

use std::collections::HashMap;

use rulec_functions::Type;
use rulec_ir::RelKind;
use rulec_ir::walk::{Node, query as walk};

use super::code;
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity, Span};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL091",
        "union-splits-column",
        Severity::Warning,
        "A column has different types in the tables of a union, which makes two of it.",
    ),
    page: include_str!("../../pages/union-splits-column.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries.iter().filter(|q| q.sound && q.says("union")) {
        let Some(root) = query.ir.root.as_ref() else {
            continue;
        };
        let given = |name: &str| root.columns.iter().any(|c| &*c.name == name);
        let mut seen: Vec<Span> = Vec::new();
        walk(query.ir, &mut |node| {
            let Node::Rel(rel) = node else { return };
            let RelKind::Union { inputs, .. } = &rel.kind else {
                return;
            };
            // Of tables taken by a pattern nobody knows the columns: that is said of the pattern.
            if seen.contains(&rel.span) || rel.span.of(&query.parsed.text).contains('*') {
                return;
            }
            // In the order in which they come up.
            let mut types: Vec<(&str, Vec<Type>)> = Vec::new();
            let mut places: HashMap<&str, usize> = HashMap::new();
            for column in inputs.iter().flat_map(|input| input.rel.columns.iter()) {
                let place = *places.entry(&column.name).or_insert_with(|| {
                    types.push((&column.name, Vec::new()));
                    types.len() - 1
                });
                if !types[place].1.contains(&column.ty) {
                    types[place].1.push(column.ty);
                }
            }
            let split: Vec<&str> = types
                .into_iter()
                .filter(|(name, types)| {
                    let given = |ty: &Type| given(&format!("{name}_{ty}"));
                    types.len() > 1
                        && !rel.columns.iter().any(|c| &*c.name == *name)
                        // What the query puts together again, or drops, does no harm.
                        && types.iter().filter(|ty| given(ty)).count() > 1
                })
                .map(|(name, _)| name)
                .collect();
            let Some(first) = split.first() else { return };
            seen.push(rel.span);
            let more = match split.len() - 1 {
                0 => String::new(),
                n => format!(" (and {n} more)"),
            };
            found.push(
                Diagnostic::new(
                    LINT.code,
                    format!(
                        "the union makes two columns of `{first}`{more}, as its tables have it in two types"
                    ),
                )
                .at(query.fragment.map(rel.span))
                .help("convert the column before the union, such as with `tostring()`, or drop it"),
            );
        });
    }
}
