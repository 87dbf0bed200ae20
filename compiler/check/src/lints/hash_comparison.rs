//! Hashes compared with texts that no hash is.

use rulec_functions::Value;
use rulec_ir::walk::{Node, expr as walk_expr, inputs, query as walk};
use rulec_ir::{Expr, ExprKind, Query as Ir, Rel, RelKind};
use rulec_source::{Diagnostic, Severity, Span};

use super::code;
use crate::{Input, Lint, Query};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL012",
        "hash-never-equal",
        Severity::Warning,
        "A hash is compared with a text that no such hash is.",
    ),
    page: include_str!("../../pages/hash-never-equal.md"),
    run,
};

/// Functions that give a hash as text, and its length: all in lower case.
const HASHES: [(&str, usize); 3] = [("hash_md5", 32), ("hash_sha1", 40), ("hash_sha256", 64)];

/// Operators that compare whole texts, and whether case counts.
const COMPARISONS: [(&str, bool); 8] = [
    ("==", true),
    ("!=", true),
    ("in", true),
    ("!in", true),
    ("=~", false),
    ("!~", false),
    ("in~", false),
    ("!in~", false),
];

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries.iter().filter(|q| q.sound && q.says("hash_")) {
        let mut seen: Vec<Span> = Vec::new();
        walk(query.ir, &mut |node| {
            let Node::Rel(rel) = node else { return };
            let RelKind::Filter { input, predicate } = &rel.kind else {
                return;
            };
            walk_expr(predicate, &mut |node| {
                if let Node::Expr(expr) = node {
                    comparison(query, input, expr, &mut seen, found);
                }
            });
        });
    }
}

fn comparison(query: &Query<'_>, row: &Rel, expr: &Expr, seen: &mut Vec<Span>, found: &mut Vec<Diagnostic>) {
    let ExprKind::Call { function, args } = &expr.kind else {
        return;
    };
    let Some((_, cased)) = COMPARISONS.iter().find(|(name, _)| *name == function.name) else {
        return;
    };
    let hash = |arg: &Expr| hash_of(query.ir, row, arg);
    let Some((name, length)) = args.iter().find_map(hash) else {
        return;
    };
    for arg in args {
        let ExprKind::Literal(Value::String(text)) = &arg.kind else {
            continue;
        };
        if arg.span.is_empty() || seen.contains(&arg.span) {
            continue;
        }
        let hexadecimal = text.chars().all(|c| c.is_ascii_hexdigit());
        let span = query.fragment.map(arg.span);
        let finding = if text.len() != length || !hexadecimal {
            Diagnostic::new(
                LINT.code,
                format!("`{name}` gives {length} hexadecimal digits, so it never equals this text"),
            )
            .at(span)
            .help("compare with a hash of the same kind")
        } else if *cased && text.chars().any(|c| c.is_ascii_uppercase()) {
            let written = arg.span.of(&query.parsed.text);
            Diagnostic::new(
                LINT.code,
                format!("`{name}` gives lower case, so it never equals this text"),
            )
            .at(span)
            .help("write the hash in lower case")
            .fix("write it in lower case", span, written.to_ascii_lowercase())
        } else {
            continue;
        };
        seen.push(arg.span);
        found.push(finding);
    }
}

/// The function whose hash an expression is, through names and columns.
fn hash_of(query: &Ir, row: &Rel, expr: &Expr) -> Option<(&'static str, usize)> {
    let mut expr = query.resolve(expr);
    let mut row = row;
    // Every step goes to an earlier operator, so this ends.
    loop {
        match &expr.kind {
            ExprKind::Call { function, .. } => {
                return HASHES.iter().find(|(name, _)| *name == function.name).copied();
            }
            ExprKind::Column(index) => {
                let (from, given) = column_of(query, row, *index)?;
                expr = query.resolve(given);
                row = from;
            }
            _ => return None,
        }
    }
}

/// The expression that gives a column of a relation, and the rows it is over.
fn column_of<'q>(query: &'q Ir, rel: &'q Rel, index: usize) -> Option<(&'q Rel, &'q Expr)> {
    let mut rel = rel;
    loop {
        rel = match &rel.kind {
            RelKind::Project { input, exprs, .. } | RelKind::Distinct { input, exprs } => {
                return Some((input, exprs.get(index)?));
            }
            RelKind::Summarize { input, keys, .. } => return Some((input, keys.get(index)?)),
            RelKind::Filter { .. } | RelKind::Sort { .. } | RelKind::Take { .. } | RelKind::Top { .. } => {
                let mut only = None;
                inputs(rel, &mut |input| only = Some(input));
                only?
            }
            RelKind::Ref(_) => {
                let next = query.resolve_rel(rel);
                if std::ptr::eq(next, rel) {
                    return None;
                }
                next
            }
            _ => return None,
        }
    }
}
