//! The algebra as text: stable and readable, for goldens and for
//! `rulec dump --stage ir`.
//!
//! A relation is written in the order rows flow, one operator a line.
//! `name#3` is the column with index 3 of the operator's input, `$name` a let
//! binding. An operator that changes the columns says behind `->` what comes
//! out; `extend` and its like list what they compute, with types, and
//! `project-away` what goes.

mod expressions;
mod special;

use std::fmt::Write as _;

use crate::{
    BindingKind, Column, Expr, ExprKind, Origin, ParseKind, ParseStep, ProjectKind, Query, Rel, RelKind,
};

/// Writes a query.
pub fn dump(query: &Query) -> String {
    let mut out = Dump {
        query,
        text: String::new(),
        subqueries: Vec::new(),
    };
    for binding in &query.bindings {
        let name = expressions::shown(&binding.name);
        match &binding.kind {
            BindingKind::Scalar(value) => {
                let expr = out.expr(value, &[]);
                let _ = writeln!(out.text, "let {name}: {} = {expr}", value.ty);
                out.subqueries_below(1);
            }
            BindingKind::Table { rel, materialized } => {
                let word = if *materialized {
                    "materialized table"
                } else {
                    "table"
                };
                let _ = writeln!(out.text, "let {name}: {word} =");
                out.rel(rel, 1);
            }
            BindingKind::Function => {
                let _ = writeln!(out.text, "let {name}: function");
            }
        }
        if !binding.derived_from.is_empty() {
            let _ = writeln!(out.text, "  from {}", binding.derived_from.join(", "));
        }
    }
    if let Some(root) = &query.root {
        out.text.push_str("result\n");
        out.rel(root, 1);
        let _ = writeln!(
            out.text,
            "columns{}",
            match (root.open, root.columns.is_empty()) {
                (true, _) => " (open)",
                (false, true) => " none",
                (false, false) => "",
            }
        );
        for column in root.columns.iter() {
            let _ = writeln!(out.text, "  {}: {}", expressions::shown(&column.name), column.ty);
        }
    }
    let known: Vec<String> = query
        .tables
        .iter()
        .map(|t| match (t.known, t.optional) {
            (true, false) => t.name.clone(),
            (true, true) => format!("{} (optional)", t.name),
            (false, _) => format!("{} (unknown)", t.name),
        })
        .collect();
    for (word, names) in [
        ("tables", &known),
        ("functions", &query.functions),
        ("operators", &query.operators),
    ] {
        if !names.is_empty() {
            let _ = writeln!(out.text, "{word} {}", names.join(", "));
        }
    }
    out.text
}

struct Dump<'q> {
    query: &'q Query,
    text: String,
    /// Subqueries of the expressions written so far, which stand below the line.
    subqueries: Vec<&'q Rel>,
}

impl<'q> Dump<'q> {
    fn line(&mut self, depth: usize, text: &str) {
        for _ in 0..depth {
            self.text.push_str("  ");
        }
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// A pipeline from its source on.
    fn rel(&mut self, rel: &'q Rel, depth: usize) {
        let mut chain = vec![rel];
        let mut at = rel;
        while let Some(input) = main_input(at) {
            chain.push(input);
            at = input;
        }
        for rel in chain.into_iter().rev() {
            self.operator(rel, depth);
        }
    }

    fn operator(&mut self, rel: &'q Rel, depth: usize) {
        let input: &[Column] = main_input(rel).map_or(&[], |input| &input.columns);
        let mut line = match &rel.kind {
            RelKind::Table { name } => format!("table {name}"),
            RelKind::Ref(id) => {
                let name = self.query.binding(*id).map_or("?", |b| &b.name);
                format!("read ${}", expressions::shown(name))
            }
            RelKind::Input => "input".to_owned(),
            RelKind::External { key } => format!("external {key}"),
            RelKind::Rows(rows) => format!("rows {}", rows.len()),
            RelKind::Range { from, to, step } => {
                format!(
                    "range from {} to {} step {}",
                    self.expr(from, &[]),
                    self.expr(to, &[]),
                    self.expr(step, &[])
                )
            }
            RelKind::Filter { predicate, .. } => format!("where {}", self.expr(predicate, input)),
            RelKind::Project { kind, exprs, .. } => self.project(*kind, exprs, rel, input),
            RelKind::Summarize { keys, aggregates, .. } => {
                let mut line = "summarize".to_owned();
                if !aggregates.is_empty() {
                    line.push(' ');
                    line.push_str(&self.aggregates(aggregates, input));
                }
                if !keys.is_empty() {
                    line.push_str(" by ");
                    line.push_str(&self.list(keys, input));
                }
                line
            }
            RelKind::Distinct { exprs, .. } => format!("distinct {}", self.list(exprs, input)),
            RelKind::Count { .. } => "count".to_owned(),
            RelKind::Sort { keys, .. } => format!("sort {}", self.keys(keys, input)),
            RelKind::Take { count, .. } => format!("take {}", self.expr(count, &[])),
            RelKind::Top { count, keys, .. } => {
                format!("top {} by {}", self.expr(count, &[]), self.keys(keys, input))
            }
            RelKind::Join {
                kind,
                lookup,
                left_keys,
                right_keys,
                right,
                ..
            } => {
                let on: Vec<String> = left_keys
                    .iter()
                    .zip(right_keys)
                    .map(|(l, r)| format!("{} == {}", self.expr(l, input), self.expr(r, &right.columns)))
                    .collect();
                let word = if *lookup { "lookup" } else { "join" };
                format!("{word} {} on {}", kind.name(), on.join(", "))
            }
            RelKind::Union { inputs, with_source } => {
                let labels: Vec<&str> = inputs.iter().map(|i| i.label.as_str()).collect();
                let source = if *with_source { " with source" } else { "" };
                format!("union{source} {}", labels.join(", "))
            }
            RelKind::MvExpand {
                items,
                with_index,
                bags_as_arrays,
                limit,
                ..
            } => {
                let items = self.items(items, input, &rel.columns);
                format!(
                    "mv-expand {}{}{}{}",
                    items,
                    if *with_index { " with index" } else { "" },
                    if *bags_as_arrays { " bags as arrays" } else { "" },
                    limit
                        .as_ref()
                        .map_or(String::new(), |l| format!(" limit {}", self.expr(l, &[])))
                )
            }
            RelKind::MvApply {
                items,
                with_index,
                limit,
                subquery,
                ..
            } => {
                let items = self.items(items, input, handed_in(subquery));
                format!(
                    "mv-apply {}{}{}",
                    items,
                    if *with_index { " with index" } else { "" },
                    limit
                        .as_ref()
                        .map_or(String::new(), |l| format!(" limit {}", self.expr(l, &[])))
                )
            }
            RelKind::Parse {
                kind,
                flags,
                expr,
                steps,
                filter,
                ..
            } => {
                let steps: Vec<String> = steps
                    .iter()
                    .map(|step| match step {
                        ParseStep::Skip => "*".to_owned(),
                        ParseStep::Text(text) => format!("{text:?}"),
                        ParseStep::Column { output, ty } => {
                            let name = rel.columns.get(*output).map_or("?", |c| &*c.name);
                            format!("{}: {ty}", expressions::shown(name))
                        }
                    })
                    .collect();
                format!(
                    "{} {}{}{} with {}",
                    if *filter { "parse-where" } else { "parse" },
                    match kind {
                        ParseKind::Simple => "",
                        ParseKind::Relaxed => "relaxed ",
                        ParseKind::Regex => "regex ",
                    },
                    if flags.is_empty() {
                        String::new()
                    } else {
                        format!("({flags}) ")
                    },
                    self.expr(expr, input),
                    steps.join(" ")
                )
            }
            RelKind::Invoke { function, args, .. } => {
                format!("invoke {function}({})", self.list(args, input))
            }
            RelKind::GetSchema { .. } => "getschema".to_owned(),
            RelKind::Special { operator, .. } => self.special(operator, rel, input),
            RelKind::Unsupported { construct, .. } => format!("unsupported {construct}"),
        };
        if rel.open
            && matches!(
                rel.kind,
                RelKind::Table { .. }
                    | RelKind::External { .. }
                    | RelKind::Special { .. }
                    | RelKind::Unsupported { .. }
            )
        {
            line.push_str(" (open)");
        }
        let (head, parts) = line.split_once('\n').unwrap_or((&line, ""));
        let mut head = head.to_owned();
        if shows_columns(rel) && !rel.columns.is_empty() {
            head.push_str(" -> ");
            head.push_str(&columns(&rel.columns));
        }
        self.line(depth, &head);
        for part in parts.lines() {
            self.line(depth + 1, part);
        }
        self.below(rel, depth + 1);
    }

    /// What is written under an operator: rows, and inputs beside the main one.
    fn below(&mut self, rel: &'q Rel, depth: usize) {
        let subqueries = std::mem::take(&mut self.subqueries);
        match &rel.kind {
            RelKind::Rows(rows) => {
                for row in rows {
                    let row = self.list(row, &[]);
                    self.line(depth, &row);
                }
            }
            RelKind::Join { right, .. } => self.rel(right, depth),
            RelKind::MvApply { subquery, .. } => self.rel(subquery, depth),
            RelKind::Union { inputs, .. } => {
                for input in inputs {
                    let label = format!("from {}", input.label);
                    self.line(depth, &label);
                    self.rel(&input.rel, depth + 1);
                }
            }
            RelKind::Special { inputs, operator } => {
                for input in inputs.iter().skip(1) {
                    self.line(depth, special::part(operator));
                    self.rel(input, depth + 1);
                }
            }
            RelKind::Unsupported { inputs, .. } => {
                for input in inputs.iter().skip(1) {
                    self.line(depth, "and");
                    self.rel(input, depth + 1);
                }
            }
            _ => {}
        }
        self.subqueries.splice(0..0, subqueries);
        self.subqueries_below(depth);
    }

    fn subqueries_below(&mut self, depth: usize) {
        for (number, sub) in std::mem::take(&mut self.subqueries).into_iter().enumerate() {
            let label = format!("subquery {}", number + 1);
            self.line(depth, &label);
            self.rel(sub, depth + 1);
        }
    }

    fn project(&mut self, kind: ProjectKind, exprs: &'q [Expr], rel: &Rel, input: &[Column]) -> String {
        let word = match kind {
            ProjectKind::Project => "project",
            ProjectKind::Extend => "extend",
            ProjectKind::Away => "project-away",
            ProjectKind::Keep => "project-keep",
            ProjectKind::Rename => "project-rename",
            ProjectKind::Reorder => "project-reorder",
            ProjectKind::Serialize => "serialize",
        };
        let mut parts = Vec::new();
        if kind == ProjectKind::Away {
            // What stays is as long as the table is wide; what goes was written.
            let mut kept = vec![false; input.len()];
            for expr in exprs {
                if let ExprKind::Column(index) = expr.kind
                    && let Some(kept) = kept.get_mut(index)
                {
                    *kept = true;
                }
            }
            let gone = input.iter().zip(kept).enumerate().filter(|(_, (_, kept))| !kept);
            parts.extend(gone.map(|(i, _)| expressions::indexed(i, input)));
        } else {
            let all = matches!(
                kind,
                ProjectKind::Project | ProjectKind::Keep | ProjectKind::Reorder
            );
            for (i, expr) in exprs.iter().enumerate() {
                let (name, ty) = rel.columns.get(i).map_or(("?", expr.ty), |c| (&c.name, c.ty));
                let passed = matches!(expr.kind, ExprKind::Column(index) if input.get(index).is_some_and(|c| *c.name == *name));
                match (passed, &expr.kind) {
                    (true, _) if all => parts.push(self.expr(expr, input)),
                    (true, _) => {}
                    (false, ExprKind::Column(_)) => {
                        parts.push(format!(
                            "{} = {}",
                            expressions::shown(name),
                            self.expr(expr, input)
                        ));
                    }
                    (false, _) => parts.push(format!(
                        "{}: {ty} = {}",
                        expressions::shown(name),
                        self.expr(expr, input)
                    )),
                }
            }
        }
        format!("{word} {}", parts.join(", ")).trim_end().to_owned()
    }
}

/// The input that stands before the operator in the text.
fn main_input(rel: &Rel) -> Option<&Rel> {
    match &rel.kind {
        RelKind::Union { .. } => None,
        RelKind::Join { left, .. } => Some(left),
        RelKind::Unsupported { inputs, .. } => inputs.first(),
        _ => {
            let mut first = None;
            crate::walk::inputs(rel, &mut |input| {
                if first.is_none() {
                    first = Some(input);
                }
            });
            first
        }
    }
}

/// The columns that an operator hands to its subquery.
fn handed_in(subquery: &Rel) -> &[Column] {
    let mut at = subquery;
    while let Some(input) = main_input(at) {
        at = input;
    }
    &at.columns
}

/// Whether the columns are worth writing: they are new, and follow from
/// nothing else on the line.
fn shows_columns(rel: &Rel) -> bool {
    match &rel.kind {
        RelKind::Table { .. }
        | RelKind::Ref(_)
        | RelKind::Input
        | RelKind::Filter { .. }
        | RelKind::Sort { .. }
        | RelKind::Take { .. }
        | RelKind::Top { .. }
        | RelKind::Project { .. } => false,
        RelKind::Rows(_)
        | RelKind::Range { .. }
        | RelKind::External { .. }
        | RelKind::Summarize { .. }
        | RelKind::Distinct { .. }
        | RelKind::Count { .. }
        | RelKind::Join { .. }
        | RelKind::Union { .. }
        | RelKind::MvExpand { .. }
        | RelKind::MvApply { .. }
        | RelKind::Parse { .. }
        | RelKind::Invoke { .. }
        | RelKind::GetSchema { .. }
        | RelKind::Special { .. }
        | RelKind::Unsupported { .. } => true,
    }
}

fn columns(columns: &[Column]) -> String {
    let columns: Vec<String> = columns
        .iter()
        .map(|c| format!("{}: {}", expressions::shown(&c.name), c.ty))
        .collect();
    columns.join(", ")
}

/// Which side a column comes from, for those who print plans of their own.
impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::Left(index) => write!(f, "left#{index}"),
            Origin::Right(index) => write!(f, "right#{index}"),
        }
    }
}
