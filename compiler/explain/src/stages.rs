//! The main pipeline, operator by operator, from the syntax tree; what comes
//! out of each from the algebra.

use std::collections::{BTreeMap, BTreeSet};

use rulec_ir::{BindingKind, ExprKind as Algebra, Query, Rel};
use rulec_kql::{
    TokenKind,
    ast::{Expr, ExprKind, Statement},
};
use rulec_source::Span;
use serde::Serialize;

use crate::{
    Input,
    explanation::{Binding, Column, Explanation, From, Parameter, Stage},
    sentence::Sentences,
    walk,
    written::{Written, opened},
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

/// The main pipeline as it is written.
pub(crate) struct Pipeline {
    found: Vec<Found>,
    /// Operators of the main pipeline in the query text, in their order.
    pub(crate) spans: Vec<Span>,
    /// Let bindings that the main pipeline runs through.
    through: BTreeSet<String>,
}

/// Follows the main pipeline through the let bindings that it begins with.
pub(crate) fn pipeline(input: &Input<'_>) -> Pipeline {
    let statements = &input.parsed.query.statements;
    let mut walker = Walker {
        input,
        statements,
        written: Written { input },
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
    Pipeline {
        spans: walker.found.iter().map(|f| f.span).collect(),
        found: walker.found,
        through: walker.through,
    }
}

/// The stages of the main pipeline.
pub(crate) fn stages(input: &Input<'_>, pipeline: &Pipeline) -> Vec<Stage> {
    let mut relations: BTreeMap<Span, &Rel> = BTreeMap::new();
    for rel in walk::relations(input.ir) {
        // Of those that one operator stands for, the one whose rows come out.
        relations.entry(rel.span).or_insert(rel);
    }
    let sentences = Sentences::new(input);
    let rels: Vec<Option<&Rel>> = pipeline
        .spans
        .iter()
        .map(|span| relations.get(span).copied())
        .collect();
    pipeline
        .found
        .iter()
        .enumerate()
        .map(|(index, found)| Stage {
            number: index + 1,
            kind: found.kind.clone(),
            binding: found.binding.clone(),
            text: found.text.clone(),
            does: sentences.of(&found.kind, rels[index], found.span),
            columns: columns(input.ir, &rels[index..]),
            line: line(input, found.span),
            from: from(input, found.span),
        })
        .collect()
}

/// The columns behind the first of these stages. A call of a function of the
/// query leaves no operator behind: what comes out is what the next one reads.
fn columns(query: &Query, stages: &[Option<&Rel>]) -> Vec<Column> {
    let rel = match stages.iter().position(Option::is_some) {
        Some(0) => stages[0],
        Some(next) => stages[next].and_then(|rel| {
            let mut first = None;
            rulec_ir::walk::inputs(rel, &mut |input| {
                first.get_or_insert(input);
            });
            first
        }),
        None => query.root.as_ref(),
    };
    rel.map_or_else(Vec::new, |rel| {
        rel.columns
            .iter()
            .map(|c| Column {
                name: c.name.to_string(),
                ty: c.ty.to_string(),
            })
            .collect()
    })
}

/// What a stage changes among the columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// How many come out.
    pub columns: usize,
    /// Those that come out and did not go in; of the first stage none.
    pub new: Vec<Column>,
    /// Names of those that went in and do not come out.
    pub gone: Vec<String>,
}

/// More columns are counted, not named.
const NAMED: usize = 12;

impl Change {
    /// In words; empty when nothing changed.
    pub fn said(&self) -> String {
        let columns = format!(
            "{} {}",
            self.columns,
            if self.columns == 1 { "column" } else { "columns" }
        );
        let list = |parts: Vec<String>| match parts.len() {
            n if n > NAMED => format!("{} and {} more", parts[..NAMED - 1].join(", "), n + 1 - NAMED),
            _ => parts.join(", "),
        };
        let mut said = Vec::new();
        if !self.new.is_empty() {
            let new = self
                .new
                .iter()
                .map(|c| format!("{} ({})", c.name, c.ty))
                .collect();
            said.push(format!("new: {}", list(new)));
        }
        if !self.gone.is_empty() {
            said.push(format!("gone: {}", list(self.gone.clone())));
        }
        if said.is_empty() {
            String::new()
        } else {
            format!("{columns}; {}", said.join("; "))
        }
    }
}

/// What each stage changes among the columns.
pub fn changes(explanation: &Explanation) -> Vec<Change> {
    let mut before: Option<&[Column]> = None;
    explanation
        .stages
        .iter()
        .map(|stage| {
            let after = stage.columns.as_slice();
            let (new, gone) = match before {
                Some(before) => {
                    // Unions of all tables have thousands of columns.
                    let known: BTreeSet<(&str, &str)> = before.iter().map(|c| (&*c.name, &*c.ty)).collect();
                    let kept: BTreeSet<&str> = after.iter().map(|c| &*c.name).collect();
                    let is_new = |c: &&Column| !known.contains(&(&*c.name, &*c.ty));
                    let is_gone = |c: &&Column| !kept.contains(&*c.name);
                    (
                        after.iter().filter(is_new).cloned().collect(),
                        before.iter().filter(is_gone).map(|c| c.name.clone()).collect(),
                    )
                }
                None => (Vec::new(), Vec::new()),
            };
            before = Some(after);
            Change {
                columns: after.len(),
                new,
                gone,
            }
        })
        .collect()
}

/// In front of each stage with which a run of stages begins: the let binding
/// that the run defines, and what it runs on.
pub fn notes(explanation: &Explanation) -> Vec<Option<String>> {
    let mut before: Option<Option<&str>> = None;
    explanation
        .stages
        .iter()
        .map(|stage| {
            let binding = stage.binding.as_deref();
            if before == Some(binding) {
                return None;
            }
            let note = match (before.flatten(), binding) {
                (None, None) => None,
                (None, Some(name)) => Some(format!(
                    "The stages below define `let {name}`, where the main pipeline begins."
                )),
                (Some(last), Some(name)) => Some(format!(
                    "The stages below run on `{last}` and define `let {name}`."
                )),
                (Some(last), None) => Some(format!("The stages below run on `{last}`: the outer pipeline.")),
            };
            before = Some(binding);
            note
        })
        .collect()
}

/// The line of the document where a place of the query begins.
pub(crate) fn line(input: &Input<'_>, place: Span) -> usize {
    input.file.position(input.fragment.map(place).start as usize).line
}

/// The file, if it is not the document, in which a place of the query stands.
fn from(input: &Input<'_>, place: Span) -> Option<From> {
    let outer = input.fragment.map(place);
    if !input.file.is_beside(outer) {
        return None;
    }
    let (file, span) = input.file.resolve(outer);
    let before = input.parsed.tokens.iter().rev();
    let comment = before
        .filter(|token| token.kind == TokenKind::Comment && token.span.end <= place.start)
        .map(|token| token.span)
        .next()
        .filter(|span| input.file.is_beside(input.fragment.map(*span)));
    Some(From {
        file: file.path.clone(),
        line: file.position(span.start as usize).line,
        comment: comment.map(|span| {
            let text = span.of(&input.fragment.text);
            text.trim_start_matches('/').trim().to_owned()
        }),
    })
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
    written: Written<'a>,
    found: Vec<Found>,
    through: BTreeSet<String>,
}

impl Walker<'_> {
    fn pipeline(&mut self, expr: &Expr, binding: Option<&str>, depth: usize) {
        let expr = opened(expr);
        let owner = binding.map(str::to_owned);
        let ExprKind::Pipeline(pipeline) = &expr.kind else {
            if !self.follow(expr, depth) && !self.function(expr, binding, depth) {
                let text = self.written.uncommented(expr.span);
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
                let text = self.written.uncommented(source.span);
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
                self.written.uncommented(operator.span)
            );
            self.found.push(Found {
                kind,
                binding: owner.clone(),
                text,
                span: operator.span,
            });
        }
    }

    /// Continues into the body of a function without parameters.
    fn function(&mut self, expr: &Expr, binding: Option<&str>, depth: usize) -> bool {
        let ExprKind::Function(function) = &expr.kind else {
            return false;
        };
        match &function.body.result {
            Some(result) if function.parameters.is_empty() && depth <= DEPTH => {
                self.pipeline(result, binding, depth + 1);
                true
            }
            _ => false,
        }
    }

    /// Continues into the tabular binding that `expr` names, if it names one.
    fn follow(&mut self, expr: &Expr, depth: usize) -> bool {
        let name = match &expr.kind {
            ExprKind::Name(name) => name,
            // `T()`, where T is a function without parameters.
            ExprKind::Call(call) if call.args.is_empty() => &call.name,
            _ => return false,
        };
        if depth > DEPTH {
            return false;
        }
        // The last binding of a name before its use; a later one cannot be meant.
        let value = self.statements.iter().rev().find_map(|s| match s {
            Statement::Let(l) if l.name.text == name.text && l.span.end <= expr.span.start => Some(&l.value),
            _ => None,
        });
        let tabular = |value: &&Expr| match &opened(value).kind {
            ExprKind::Function(function) => function.parameters.is_empty() && function.body.result.is_some(),
            _ => self
                .input
                .ir
                .bindings
                .iter()
                .any(|b| b.name == name.text && matches!(b.kind, BindingKind::Table { .. })),
        };
        let Some(value) = value.filter(tabular) else {
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

/// Scalar let bindings that are worked out from no table.
pub(crate) fn parameters(query: &Query, input: &Input<'_>) -> Vec<Parameter> {
    let values = values(input);
    let written = Written { input };
    query
        .bindings
        .iter()
        .filter(|binding| is_parameter(binding))
        .filter_map(|binding| match &binding.kind {
            BindingKind::Scalar(expr) => Some(Parameter {
                name: binding.name.clone(),
                value: written.uncommented(*values.get(&binding.name_span)?),
                ty: expr.ty.to_string(),
            }),
            _ => None,
        })
        .collect()
}

/// Whether a binding is something a reader may tune: a scalar that is worked
/// out from no table.
fn is_parameter(binding: &rulec_ir::Binding) -> bool {
    let BindingKind::Scalar(expr) = &binding.kind else {
        return false;
    };
    let mut tables = false;
    rulec_ir::walk::expr(expr, &mut |node| {
        tables |= matches!(node, rulec_ir::walk::Node::Expr(e) if matches!(e.kind, Algebra::ToScalar(_) | Algebra::List(_)));
    });
    !tables && !binding.name.is_empty()
}

/// The let bindings that the main pipeline does not run through, and what
/// they derive from.
pub(crate) fn bindings(query: &Query, input: &Input<'_>, pipeline: &Pipeline) -> Vec<Binding> {
    let values = values(input);
    let written = Written { input };
    query
        .bindings
        .iter()
        .filter(|b| !is_parameter(b) && !pipeline.through.contains(&b.name))
        .filter(|b| values.contains_key(&b.name_span))
        .map(|b| Binding {
            name: b.name.clone(),
            // In the order they are defined, which is the order to read them in.
            derived_from: query
                .bindings
                .iter()
                .filter(|other| b.derived_from.contains(&other.name))
                .map(|other| other.name.clone())
                .collect(),
            text: format!("{};", written.uncommented(b.span).trim_end_matches(';')),
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
