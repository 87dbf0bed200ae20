//! What a query says about the events of each table it reads.
//!
//! In: a bound query. Out: one [`Branch`] for each table whose events make
//! results, with all conditions on them, and how they are counted, if they are.
//! Operators that only decide what a result looks like are followed for their
//! columns; one that decides what is a result and has no place in Sigma ends
//! with a [`Refusal`] that names it. Deliberately absent: fields and log
//! sources.

use std::rc::Rc;
use std::sync::Arc;

use rulec_functions::{Type, Value};
use rulec_ir::{AggregateCall, Column, Expr, JoinKind, Origin, Query, Rel, RelKind, UnionInput};
use rulec_source::{Code, Span};

use super::term::{Term, TermKind, carry};
use crate::codes::SIGMA_CONSTRUCT;
use crate::{Effect, Loss};

/// Why a query cannot be said in Sigma.
#[derive(Clone, Debug)]
pub(super) struct Refusal(Box<Reason>);

/// What a [`Refusal`] says.
#[derive(Clone, Debug)]
pub(super) struct Reason {
    pub(super) code: Code,
    /// "`join`"
    pub(super) construct: String,
    /// One sentence with its full stop.
    pub(super) why: String,
    pub(super) span: Span,
}

impl Refusal {
    pub(super) fn new(construct: impl Into<String>, why: impl Into<String>, span: Span) -> Self {
        Self(Box::new(Reason {
            code: SIGMA_CONSTRUCT,
            construct: construct.into(),
            why: why.into(),
            span,
        }))
    }

    pub(super) fn code(mut self, code: Code) -> Self {
        self.0.code = code;
        self
    }

    pub(super) fn into_reason(self) -> Reason {
        *self.0
    }
}

/// What a step gives, or why it cannot be taken.
pub(super) type Said<T> = Result<T, Refusal>;

/// The events of one table that make results.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) table: String,
    pub(super) span: Span,
    /// The table's columns.
    pub(super) columns: Arc<[Column]>,
    /// Conditions that all hold.
    pub(super) filters: Vec<Rc<Term>>,
    /// What each column is, that comes out at this point.
    output: Vec<Rc<Term>>,
    /// An operator that makes counting rows differ from counting events.
    uncountable: Option<(&'static str, Span)>,
}

/// Events counted by group.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    pub(super) branches: Vec<Branch>,
    /// The keys, for each branch over its own table.
    pub(super) keys: Vec<Vec<Rc<Term>>>,
    pub(super) aggregates: Vec<Aggregate>,
    /// Conditions on the groups; columns are keys, then outputs of aggregates.
    pub(super) filters: Vec<Rc<Term>>,
    pub(super) span: Span,
    output: Vec<Rc<Term>>,
}

/// One aggregate.
#[derive(Clone, Debug)]
pub(super) struct Aggregate {
    pub(super) function: &'static str,
    /// Its arguments, for each branch over its own table.
    pub(super) args: Vec<Vec<Rc<Term>>>,
    /// How many columns it gives.
    pub(super) outputs: usize,
    pub(super) span: Span,
}

/// What a query comes to.
#[derive(Clone, Debug)]
pub(super) enum Flow {
    Rows(Vec<Branch>),
    Groups(Box<Groups>),
}

/// Operators on top of each other that are followed.
const DEPTH: usize = 400;

/// Tables that a union may bring together.
const BRANCHES: usize = 100;

pub(super) struct Reader<'a> {
    query: &'a Query,
    /// What does not keep a rule from being said.
    pub(super) losses: Vec<Loss>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(query: &'a Query) -> Self {
        Self {
            query,
            losses: Vec::new(),
        }
    }

    /// What the whole query comes to.
    pub(super) fn read(&mut self) -> Said<Flow> {
        match &self.query.root {
            Some(root) => self.rel(root, 0),
            None => Err(Refusal::new(
                "the query",
                "The query gives no table, so there is nothing to match.",
                Span::default(),
            )),
        }
    }

    fn lose(&mut self, construct: impl Into<String>, effect: Effect, why: impl Into<String>, span: Span) {
        self.losses.push(Loss::new(construct, effect, why).at(span));
    }

    fn rel(&mut self, rel: &'a Rel, depth: usize) -> Said<Flow> {
        let span = rel.span;
        if depth > DEPTH {
            let why = "The operators stand on top of each other too deeply to be followed.";
            return Err(Refusal::new("the query", why, span));
        }
        let depth = depth + 1;
        match &rel.kind {
            RelKind::Table { name } => Ok(Flow::Rows(vec![Branch {
                table: name.clone(),
                span,
                output: rel
                    .columns
                    .iter()
                    .enumerate()
                    .map(|(i, column)| Term::column(i, column.ty, span))
                    .collect(),
                columns: Arc::clone(&rel.columns),
                filters: Vec::new(),
                uncountable: None,
            }])),
            RelKind::Ref(id) => match self.query.binding(*id).map(|binding| &binding.kind) {
                Some(rulec_ir::BindingKind::Table { rel, .. }) => self.rel(rel, depth),
                _ => Err(Refusal::new(
                    "a let binding",
                    "The name stands for no table.",
                    span,
                )),
            },
            RelKind::Filter { input, predicate } => {
                let mut flow = self.rel(input, depth)?;
                match &mut flow {
                    Flow::Rows(branches) => {
                        for branch in branches {
                            let term = carry(self.query, predicate, &branch.output);
                            branch.filters.extend(term.conjuncts());
                        }
                    }
                    Flow::Groups(groups) => {
                        let term = carry(self.query, predicate, &groups.output);
                        groups.filters.extend(term.conjuncts());
                    }
                }
                Ok(flow)
            }
            RelKind::Project { input, exprs, .. } => {
                let flow = self.rel(input, depth)?;
                Ok(self.project(flow, exprs))
            }
            RelKind::Distinct { input, exprs } => {
                let flow = self.rel(input, depth)?;
                let why = "Each matching event alerts, however many results are alike.";
                self.lose("`distinct`", Effect::Dropped, why, span);
                let mut flow = self.project(flow, exprs);
                uncountable(&mut flow, "distinct", span);
                Ok(flow)
            }
            RelKind::Sort { input, .. } => self.rel(input, depth),
            RelKind::Take { input, .. } => {
                let mut flow = self.rel(input, depth)?;
                let why = "Every matching event alerts, not only some of them.";
                self.lose("`take`", Effect::Widened, why, span);
                uncountable(&mut flow, "take", span);
                Ok(flow)
            }
            RelKind::Summarize {
                input,
                keys,
                aggregates,
            } => {
                let flow = self.rel(input, depth)?;
                self.summarize(flow, keys, aggregates, rel)
            }
            RelKind::Join {
                left,
                kind,
                lookup,
                output,
                ..
            } => {
                let name = if *lookup { "lookup" } else { "join" };
                if *kind != JoinKind::LeftOuter {
                    let why = join_reason(*kind);
                    return Err(Refusal::new(format!("`{name} kind={}`", kind.name()), why, span));
                }
                // Every left row stays; the other side only says more about it.
                let mut flow = self.rel(left, depth)?;
                each_output(&mut flow, |own| {
                    output
                        .iter()
                        .zip(rel.columns.iter())
                        .map(|(origin, column)| {
                            match origin {
                                Origin::Left(i) => own.get(*i).cloned(),
                                Origin::Right(_) => None,
                            }
                            .unwrap_or_else(|| {
                                Term::opaque(format!("a column that `{name}` adds"), column.ty, span)
                            })
                        })
                        .collect()
                });
                uncountable(&mut flow, name, span);
                Ok(flow)
            }
            RelKind::Union { inputs, with_source } => self.union(inputs, *with_source, rel, depth),
            RelKind::Parse {
                input, filter: false, ..
            } => {
                let mut flow = self.rel(input, depth)?;
                self.extended(&mut flow, rel, "`parse`");
                Ok(flow)
            }
            RelKind::Invoke { input, function, .. } => {
                let mut flow = self.rel(input, depth)?;
                self.extended(&mut flow, rel, &format!("`{function}`"));
                Ok(flow)
            }
            kind => {
                let (construct, why) = refused(kind);
                Err(Refusal::new(construct, why, span))
            }
        }
    }

    /// Columns behind those of the input say what Sigma cannot know.
    #[allow(clippy::unused_self)] // Reads better at the call site beside its siblings.
    fn extended(&self, flow: &mut Flow, rel: &Rel, by: &str) {
        each_output(flow, |own| {
            rel.columns
                .iter()
                .enumerate()
                .map(|(i, column)| {
                    own.get(i).cloned().unwrap_or_else(|| {
                        Term::opaque(format!("a column that {by} adds"), column.ty, rel.span)
                    })
                })
                .collect()
        });
    }

    fn project(&self, mut flow: Flow, exprs: &[Expr]) -> Flow {
        each_output(&mut flow, |own| {
            exprs.iter().map(|expr| carry(self.query, expr, own)).collect()
        });
        flow
    }

    fn summarize(
        &mut self,
        flow: Flow,
        keys: &[Expr],
        aggregates: &[AggregateCall],
        rel: &Rel,
    ) -> Said<Flow> {
        let span = rel.span;
        let branches = match flow {
            Flow::Rows(branches) => branches,
            Flow::Groups(_) => {
                let why = "Sigma counts events; it cannot summarize what a first `summarize` gave.";
                return Err(Refusal::new("a second `summarize`", why, span));
            }
        };
        let over = |exprs: &[Expr]| -> Vec<Vec<Rc<Term>>> {
            branches
                .iter()
                .map(|branch| {
                    exprs
                        .iter()
                        .map(|expr| carry(self.query, expr, &branch.output))
                        .collect()
                })
                .collect()
        };
        let keys = over(keys);
        let aggregates = aggregates
            .iter()
            .map(|call| Aggregate {
                function: call.function,
                args: over(&call.args),
                outputs: call.outputs,
                span: call.span,
            })
            .collect();
        Ok(Flow::Groups(Box::new(Groups {
            output: rel
                .columns
                .iter()
                .enumerate()
                .map(|(i, column)| Term::column(i, column.ty, span))
                .collect(),
            branches,
            keys,
            aggregates,
            filters: Vec::new(),
            span,
        })))
    }

    fn union(&mut self, inputs: &'a [UnionInput], with_source: bool, rel: &Rel, depth: usize) -> Said<Flow> {
        let mut all = Vec::new();
        for input in inputs {
            let Flow::Rows(branches) = self.rel(&input.rel, depth)? else {
                let why =
                    "Sigma has one kind of correlation for a rule; counted rows cannot stand beside others.";
                return Err(Refusal::new("`union` of summarized rows", why, input.rel.span));
            };
            for mut branch in branches {
                let mut columns = rel.columns.iter();
                let mut output = Vec::with_capacity(rel.columns.len());
                if with_source {
                    columns.next();
                    let label = Value::string(input.label.as_str());
                    output.push(Term::literal(label, Type::String, rel.span));
                }
                for (index, column) in input.columns.iter().zip(columns) {
                    let found = index.and_then(|index| branch.output.get(index).cloned());
                    output.push(found.unwrap_or_else(|| {
                        // What a table does not have is null, and a string is empty then.
                        let value = if column.ty == Type::String {
                            Value::string("")
                        } else {
                            Value::Null
                        };
                        Term::literal(value, column.ty, rel.span)
                    }));
                }
                branch.output = output;
                all.push(branch);
            }
            if all.len() > BRANCHES {
                let why = "It brings together more tables than anybody would want rules for.";
                return Err(Refusal::new("`union`", why, rel.span));
            }
        }
        Ok(Flow::Rows(all))
    }
}

impl Groups {
    /// The branches alone, for when nothing depends on the groups.
    pub(super) fn into_branches(self) -> Vec<Branch> {
        self.branches
    }
}

impl Branch {
    /// The operator that makes counting rows differ from counting events.
    pub(super) fn uncountable(&self) -> Option<(&'static str, Span)> {
        self.uncountable
    }
}

fn each_output(flow: &mut Flow, mut make: impl FnMut(&[Rc<Term>]) -> Vec<Rc<Term>>) {
    match flow {
        Flow::Rows(branches) => {
            for branch in branches {
                branch.output = make(&branch.output);
            }
        }
        Flow::Groups(groups) => groups.output = make(&groups.output),
    }
}

fn uncountable(flow: &mut Flow, operator: &'static str, span: Span) {
    if let Flow::Rows(branches) = flow {
        for branch in branches {
            branch.uncountable.get_or_insert((operator, span));
        }
    }
}

fn join_reason(kind: JoinKind) -> &'static str {
    match kind {
        JoinKind::LeftAnti | JoinKind::RightAnti => {
            "Sigma cannot say that an event has no counterpart, such as a baseline of what was seen before."
        }
        JoinKind::RightOuter | JoinKind::FullOuter => {
            "Sigma cannot alert on events that may lack a counterpart."
        }
        _ => {
            "Sigma's temporal correlations look at events that lie close together, and cannot say which values two \
             events have to share beyond the groups, nor the conditions between them."
        }
    }
}

/// What an operator is called, and why it cannot be said.
fn refused(kind: &RelKind) -> (String, &'static str) {
    let (construct, why) = match kind {
        RelKind::Input => ("a subquery", "Sigma looks at whole events, not at parts of one."),
        RelKind::Rows(_) => ("constant rows", "Sigma matches events, and these rows are none."),
        RelKind::Range { .. } => ("`range`", "Sigma matches events, and these rows are none."),
        RelKind::External { key } => {
            let construct = if key.starts_with("watchlist:") {
                "`_GetWatchlist`"
            } else {
                "`externaldata`"
            };
            (
                construct,
                "Sigma matches events, and these rows come from elsewhere.",
            )
        }
        RelKind::Count { .. } => ("`count`", "Sigma cannot alert on the number of all events."),
        RelKind::Top { .. } => ("`top`", "Sigma cannot compare events with each other."),
        RelKind::MvExpand { .. } => (
            "`mv-expand`",
            "Sigma cannot look at the items of a list one by one.",
        ),
        RelKind::MvApply { .. } => (
            "`mv-apply`",
            "Sigma cannot look at the items of a list one by one.",
        ),
        RelKind::Parse { .. } => ("`parse-where`", "Sigma has no patterns that take a text apart."),
        RelKind::GetSchema { .. } => ("`getschema`", "Sigma matches events, and these rows are none."),
        RelKind::Unsupported { construct, .. } => {
            return (construct.clone(), "Sigma has nothing that does the same.");
        }
        _ => ("an operator", "Sigma has nothing that does the same."),
    };
    (construct.to_owned(), why)
}

/// Whether a term says something about time alone, such as how far back a run
/// looks: that is scheduling, and every Sigma rule is scheduled by whoever runs
/// it.
pub(super) fn is_schedule(term: &Term, columns: &[Column], time_columns: &[String]) -> bool {
    let TermKind::Call(function, args) = &term.kind else {
        return false;
    };
    let compares = matches!(function.name, "<" | "<=" | ">" | ">=" | "between");
    let is_time = |term: &Term| match &term.kind {
        TermKind::Ingestion => true,
        TermKind::Column(i) => columns
            .get(*i)
            .is_some_and(|column| time_columns.iter().any(|name| **name == *column.name)),
        _ => false,
    };
    let plain = |term: &Term| match &term.kind {
        TermKind::Ingestion | TermKind::Now => true,
        TermKind::Literal(_) => matches!(term.ty, Type::DateTime | Type::TimeSpan | Type::Long | Type::Int),
        TermKind::Call(function, _) => matches!(
            function.name,
            "+" | "-"
                | "*"
                | "/"
                | "bin"
                | "floor"
                | "startofday"
                | "startofhour"
                | "<"
                | "<="
                | ">"
                | ">="
                | "between"
        ),
        TermKind::Column(_) => is_time(term),
        _ => false,
    };
    compares
        && args.iter().any(|arg| arg.any(is_time))
        && args
            .iter()
            .any(|arg| arg.any(|term| matches!(term.kind, TermKind::Now)))
        && !term.any(|term| !plain(term))
}
