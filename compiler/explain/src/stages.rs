//! The main pipeline, operator by operator, from the syntax tree; what comes
//! out of each from the algebra.

use std::collections::{BTreeMap, BTreeSet};

use rulec_ir::{BindingKind, Query};
use rulec_kql::{
    TokenKind,
    ast::{Expr, ExprKind, Statement},
};
use rulec_source::Span;

use crate::{
    Input,
    explanation::{Binding, Column, Parameter, Stage},
    walk,
};

/// Operators that other languages have as well; the rest carry `kusto:`.
const COMMON: [&str; 16] = [
    "where",
    "extend",
    "project",
    "project-away",
    "project-keep",
    "project-rename",
    "project-reorder",
    "summarize",
    "distinct",
    "count",
    "sort",
    "take",
    "top",
    "join",
    "union",
    "print",
];

/// Bindings, one inside another, that a pipeline is followed through.
const DEPTH: usize = 32;

/// What [`stages`] finds.
pub(crate) struct Pipeline {
    pub(crate) stages: Vec<Stage>,
    /// Operators of the main pipeline in the query text.
    pub(crate) spans: Vec<Span>,
    /// Let bindings that the main pipeline runs through.
    pub(crate) through: BTreeSet<String>,
}

/// The stages of the main pipeline.
pub(crate) fn stages(input: &Input<'_>) -> Pipeline {
    let statements = &input.parsed.query.statements;
    let mut columns: BTreeMap<Span, Vec<Column>> = BTreeMap::new();
    for rel in walk::relations(input.ir) {
        let listed = rel.columns.iter().map(|c| Column {
            name: c.name.to_string(),
            ty: c.ty.to_string(),
        });
        columns.insert(rel.span, listed.collect());
    }
    let mut walker = Walker {
        input,
        statements,
        columns,
        found: Vec::new(),
        through: BTreeSet::new(),
    };
    let main = statements.iter().rev().find_map(|s| match s {
        Statement::Expression(expr) => Some(expr),
        _ => None,
    });
    if let Some(main) = main {
        walker.pipeline(main, None, 0);
    }
    let stages = walker
        .found
        .iter()
        .enumerate()
        .map(|(index, found)| Stage {
            number: index + 1,
            kind: found.kind.clone(),
            binding: found.binding.clone(),
            text: found.text.clone(),
            columns: walker.columns.get(&found.span).cloned().unwrap_or_default(),
            line: input
                .file
                .position(input.fragment.map(found.span).start as usize)
                .line,
        })
        .collect();
    Pipeline {
        stages,
        spans: walker.found.iter().map(|f| f.span).collect(),
        through: walker.through,
    }
}

struct Found {
    kind: String,
    binding: Option<String>,
    text: String,
    span: Span,
}

struct Walker<'a> {
    input: &'a Input<'a>,
    statements: &'a [Statement],
    columns: BTreeMap<Span, Vec<Column>>,
    found: Vec<Found>,
    through: BTreeSet<String>,
}

impl Walker<'_> {
    fn pipeline(&mut self, expr: &Expr, binding: Option<&str>, depth: usize) {
        let expr = opened(expr);
        let owner = binding.map(str::to_owned);
        let ExprKind::Pipeline(pipeline) = &expr.kind else {
            if !self.follow(expr, depth) {
                let text = uncommented(self.input, expr.span);
                self.found.push(Found {
                    kind: "source".to_owned(),
                    binding: owner,
                    text,
                    span: expr.span,
                });
            }
            return;
        };
        // A pipeline that continues a binding begins with the binding's name.
        let mut prefix = String::new();
        if let Some(source) = &pipeline.source {
            let source = opened(source);
            if self.follow(source, depth) {
                prefix = format!("{}\n", source.span.of(&self.input.fragment.text));
            } else if matches!(source.kind, ExprKind::Pipeline(_)) {
                self.pipeline(source, binding, depth + 1);
            } else {
                let text = uncommented(self.input, source.span);
                let kind = "source".to_owned();
                self.found.push(Found {
                    kind,
                    binding: owner.clone(),
                    text,
                    span: source.span,
                });
            }
        }
        for (index, operator) in pipeline.operators.iter().enumerate() {
            let kind = kind(&operator.keyword.text);
            let pipe = if index == 0 && pipeline.source.is_none() {
                ""
            } else {
                "| "
            };
            let text = format!(
                "{}{pipe}{}",
                std::mem::take(&mut prefix),
                uncommented(self.input, operator.span)
            );
            self.found.push(Found {
                kind,
                binding: owner.clone(),
                text,
                span: operator.span,
            });
        }
    }

    /// Continues into the tabular binding that `expr` names, if it names one.
    fn follow(&mut self, expr: &Expr, depth: usize) -> bool {
        let ExprKind::Name(name) = &expr.kind else {
            return false;
        };
        if depth > DEPTH {
            return false;
        }
        let tabular = self
            .input
            .ir
            .bindings
            .iter()
            .any(|b| b.name == name.text && matches!(b.kind, BindingKind::Table { .. }));
        // The last binding of a name before its use; a later one cannot be meant.
        let value = self.statements.iter().rev().find_map(|s| match s {
            Statement::Let(l) if l.name.text == name.text && l.span.end <= expr.span.start => Some(&l.value),
            _ => None,
        });
        let Some(value) = value.filter(|_| tabular) else {
            return false;
        };
        self.through.insert(name.text.clone());
        self.pipeline(value, Some(&name.text), depth + 1);
        true
    }
}

/// The kind of a stage, from the text of its operator.
pub(crate) fn kind(operator: &str) -> String {
    let end = operator.find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_'));
    let name = canonical(&operator[..end.unwrap_or(operator.len())]);
    if COMMON.contains(&name) {
        name.to_owned()
    } else {
        format!("kusto:{name}")
    }
}

/// The name of an operator, whichever of its spellings was written.
fn canonical(keyword: &str) -> &str {
    match keyword {
        "filter" => "where",
        "order" => "sort",
        "limit" => "take",
        "mvexpand" => "mv-expand",
        "mvapply" => "mv-apply",
        other => other,
    }
}

/// Without parentheses and `materialize(…)`, which change no row.
fn opened(expr: &Expr) -> &Expr {
    let mut expr = expr;
    loop {
        expr = match &expr.kind {
            ExprKind::Parenthesised(inner) => inner,
            ExprKind::Call(call) if call.name.text == "materialize" && call.args.len() == 1 => {
                &call.args[0].value
            }
            _ => return expr,
        };
    }
}

/// Scalar let bindings whose value is written as a constant.
pub(crate) fn parameters(query: &Query, input: &Input<'_>) -> Vec<Parameter> {
    let values = values(input);
    query
        .bindings
        .iter()
        .filter_map(|binding| match &binding.kind {
            BindingKind::Scalar(expr) if !binding.name.is_empty() => Some(Parameter {
                name: binding.name.clone(),
                value: values
                    .get(&binding.name_span)
                    .map_or_else(String::new, |s| uncommented(input, *s)),
                ty: expr.ty.to_string(),
            }),
            _ => None,
        })
        .collect()
}

/// The let bindings that the main pipeline does not run through, and what
/// they derive from.
pub(crate) fn bindings(query: &Query, input: &Input<'_>, through: &BTreeSet<String>) -> Vec<Binding> {
    query
        .bindings
        .iter()
        .filter(|b| !matches!(b.kind, BindingKind::Scalar(_)) && !through.contains(&b.name))
        .map(|b| Binding {
            name: b.name.clone(),
            // In the order they are defined, which is the order to read them in.
            derived_from: query
                .bindings
                .iter()
                .filter(|other| b.derived_from.contains(&other.name))
                .map(|other| other.name.clone())
                .collect(),
            text: format!("{};", uncommented(input, b.span).trim_end_matches(';')),
        })
        .collect()
}

fn values(input: &Input<'_>) -> BTreeMap<Span, Span> {
    input
        .parsed
        .query
        .statements
        .iter()
        .filter_map(|s| match s {
            Statement::Let(l) => Some((l.name.span, l.value.span)),
            _ => None,
        })
        .collect()
}

/// The text under a span without comments, and without the blanks they leave.
pub(crate) fn uncommented(input: &Input<'_>, span: Span) -> String {
    let source = &input.fragment.text;
    let mut text = String::new();
    let mut at = span.start as usize;
    let comments = input
        .parsed
        .tokens
        .iter()
        .filter(|t| t.kind == TokenKind::Comment)
        .map(|t| t.span);
    for comment in comments.filter(|c| span.contains(*c)) {
        text.push_str(source.get(at..comment.start as usize).unwrap_or_default());
        at = comment.end as usize;
    }
    text.push_str(source.get(at..span.end as usize).unwrap_or_default());
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    // What is below the first line keeps its place relative to it; only the
    // indentation that both have goes.
    let line = source.get(..span.start as usize).unwrap_or_default();
    let line = &source[line.rfind('\n').map_or(0, |at| at + 1)..];
    let own = line.len() - line.trim_start_matches([' ', '\t']).len();
    let indent = lines
        .iter()
        .skip(1)
        .filter(|l| !l.is_empty())
        .map(|l| l.len() - l.trim_start().len())
        .fold(own, usize::min);
    let kept: Vec<&str> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| {
            if index == 0 {
                line.trim_start()
            } else {
                line.get(indent..).unwrap_or(line)
            }
        })
        .collect();
    kept.join("\n")
}
