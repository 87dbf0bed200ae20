//! The columns of the result, each traced back to the stage that built it.

use rulec_ir::{BindingKind, Expr, ExprKind, Operator, Origin, ProjectKind, Query, Rel, RelKind};
use rulec_source::Span;

use crate::{explanation::OutputField, mainline::stage_of, stages::kind};

/// Longer than any pipeline a person writes.
const DEPTH: usize = 4_096;

/// What is known of one column.
struct Built {
    /// Kind of the stage that gave the column its value.
    source: String,
    /// Where that stage stands.
    place: Span,
    /// Whether a stage names it, and no `*` has passed it on since.
    explicit: bool,
}

impl Built {
    fn source() -> Self {
        Self {
            source: "source".to_owned(),
            place: Span::default(),
            explicit: false,
        }
    }
}

/// One per column of the result, in its order.
pub(crate) fn fields(query: &Query, text: &str, stages: &[Span]) -> Vec<OutputField> {
    let Some(root) = &query.root else {
        return Vec::new();
    };
    let tracer = Tracer { query, text };
    root.columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let built = tracer.trace(root, index, 0);
            OutputField {
                name: column.name.to_string(),
                ty: column.ty.to_string(),
                source: built.source,
                stage: stage_of(built.place, stages),
                explicit: built.explicit,
            }
        })
        .collect()
}

struct Tracer<'a> {
    query: &'a Query,
    text: &'a str,
}

impl Tracer<'_> {
    fn trace(&self, rel: &Rel, index: usize, depth: usize) -> Built {
        if depth > DEPTH {
            return Built::source();
        }
        let by = |explicit| Built {
            source: kind(rel.span.of(self.text)),
            place: rel.span,
            explicit,
        };
        let through = |input: &Rel, at: usize| self.trace(input, at, depth + 1);
        match &rel.kind {
            RelKind::Table { .. } | RelKind::Input | RelKind::External { .. } => Built::source(),
            RelKind::Rows(_) | RelKind::Range { .. } => match by(true) {
                built if built.source == "print" => built,
                _ => Built::source(),
            },
            RelKind::Ref(id) => match self.query.bindings.get(id.0).map(|b| &b.kind) {
                Some(BindingKind::Table { rel, .. }) => through(rel, index),
                _ => Built::source(),
            },
            RelKind::Filter { input, .. }
            | RelKind::Sort { input, .. }
            | RelKind::Take { input, .. }
            | RelKind::Top { input, .. } => through(input, index),
            RelKind::Project { input, kind, exprs } => match exprs.get(index).map(|e| &e.kind) {
                // Every column of a `project` is one that somebody chose.
                Some(ExprKind::Column(at))
                    if *kind != ProjectKind::Project && same(rel, index, input, *at) =>
                {
                    through(input, *at)
                }
                _ => by(true),
            },
            RelKind::Summarize {
                input,
                keys,
                aggregates,
            } => {
                let mut at = index;
                if let Some(key) = keys.get(at) {
                    return self.unless_starred(key, input, &by, depth);
                }
                at -= keys.len();
                for call in aggregates {
                    if at >= call.outputs {
                        at -= call.outputs;
                        continue;
                    }
                    // `arg_min(x, *)`: none of its columns is named for its own sake.
                    let starred = call.outputs > 1 && call.args.iter().any(|a| self.is_star(a.span));
                    return match call.args.get(at).map(|a| &a.kind) {
                        Some(ExprKind::Column(at)) if starred => Built {
                            explicit: false,
                            ..through(input, *at)
                        },
                        _ => by(!starred),
                    };
                }
                by(true)
            }
            RelKind::Distinct { input, exprs } => match exprs.get(index) {
                Some(expr) => self.unless_starred(expr, input, &by, depth),
                None => by(true),
            },
            RelKind::Count { .. } | RelKind::GetSchema { .. } => by(true),
            RelKind::Join { left, output, .. } => match output.get(index) {
                Some(Origin::Left(at)) => through(left, *at),
                _ => by(false),
            },
            RelKind::Union { inputs, with_source } => {
                let Some(column) = index.checked_sub(usize::from(*with_source)) else {
                    return by(true);
                };
                let first = inputs
                    .iter()
                    .find_map(|i| Some((&i.rel, (*i.columns.get(column)?)?)));
                first.map_or_else(Built::source, |(input, at)| through(input, at))
            }
            RelKind::MvExpand { input, passed, .. } => match passed.get(index).copied().flatten() {
                Some(at) => through(input, at),
                None => by(true),
            },
            RelKind::MvApply { input, output, .. } => match output.get(index) {
                Some(Origin::Left(at)) => through(input, *at),
                _ => by(true),
            },
            RelKind::Parse { input, .. } => {
                if same(rel, index, input, index) {
                    through(input, index)
                } else {
                    by(true)
                }
            }
            RelKind::Invoke { input, .. } => {
                if same(rel, index, input, index) {
                    through(input, index)
                } else {
                    by(false)
                }
            }
            RelKind::Special { operator, .. }
                if matches!(
                    **operator,
                    Operator::TopNested { .. } | Operator::MakeSeries { .. } | Operator::Pivot { .. }
                ) =>
            {
                by(true)
            }
            RelKind::Special { inputs, .. } | RelKind::Unsupported { inputs, .. } => {
                let name = rel.columns.get(index).map(|c| &c.name);
                let found = inputs.iter().find_map(|input| {
                    let at = input.columns.iter().position(|c| Some(&c.name) == name)?;
                    Some((input, at))
                });
                found.map_or_else(|| by(true), |(input, at)| through(input, at))
            }
        }
    }

    /// Built by this stage, unless a `*` stands for the column.
    fn unless_starred(&self, expr: &Expr, input: &Rel, by: &dyn Fn(bool) -> Built, depth: usize) -> Built {
        match expr.kind {
            ExprKind::Column(at) if self.is_star(expr.span) => Built {
                explicit: false,
                ..self.trace(input, at, depth + 1)
            },
            _ => by(true),
        }
    }

    /// Whether an expression was made from a `*`.
    fn is_star(&self, span: Span) -> bool {
        span.is_empty() || span.of(self.text).contains('*')
    }
}

/// Whether a column has the name of a column before the stage.
fn same(rel: &Rel, index: usize, input: &Rel, at: usize) -> bool {
    match (rel.columns.get(index), input.columns.get(at)) {
        (Some(after), Some(before)) => after.name == before.name,
        _ => false,
    }
}
