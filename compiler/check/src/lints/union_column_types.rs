//! Columns that a union splits because their types differ.

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
            let mut split: Vec<&str> = Vec::new();
            let all = || inputs.iter().flat_map(|input| input.rel.columns.iter());
            for column in all() {
                let name = &*column.name;
                let whole = rel.columns.iter().any(|c| *c.name == *name);
                let other = all().find(|c| *c.name == *name && c.ty != column.ty);
                // What the query puts together again, or drops, does no harm.
                let harms = |other: &rulec_ir::Column| {
                    given(&format!("{name}_{}", column.ty)) && given(&format!("{name}_{}", other.ty))
                };
                if !whole && !split.contains(&name) && other.is_some_and(harms) {
                    split.push(name);
                }
            }
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
