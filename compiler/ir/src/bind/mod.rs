//! The binder: syntax tree in, algebra out, with what is wrong on the way.
//!
//! A query is bound once or twice. Where it reads tables that are not in the
//! catalog, the first round only collects the names asked of them; the second
//! round declares those as columns, so that every column has a plain index
//! all the way from its table. Errors are reported once per place, and what
//! has an error gets the type `unknown`, which fits everywhere, so one
//! mistake gives one finding.
//!
//! Deliberately absent: constant folding. What was written stays visible.

mod aggregates;
mod arguments;
mod bound;
mod calls;
mod elsewhere;
mod expressions;
mod joins;
mod names;
mod operators;
mod parameters;
mod paths;
mod plugins;
mod projections;
mod report;
mod scope;
mod series;
mod sources;
mod statements;
mod subqueries;
#[cfg(test)]
mod tests;
mod unions;
mod user_functions;

use std::collections::BTreeMap;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};
use rulec_functions::{Type, Value};
use rulec_kql::ast;
use rulec_source::{Diagnostic, Span};

use crate::catalog::Catalog;
use crate::{Binding, Column, Expr, ExprKind, Query, Rel, RelKind, TableUse};
pub(crate) use bound::Index;
use bound::{Bound, Meta, Noted};
use scope::Scopes;

/// A bound query and what was found wrong with it.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// The algebra; where the text has errors, the best that could be made of it.
    pub query: Query,
    /// Findings of the binder alone, in the order of their places; those of
    /// the parser are in [`rulec_kql::Parsed`].
    pub diagnostics: Vec<Diagnostic>,
}

/// Binds a parsed query: resolves every name, types every expression.
pub fn lower(parsed: &rulec_kql::Parsed, catalog: &Catalog) -> Lowered {
    let operators = rulec_kql::walk::operators(&parsed.query);
    bind(&parsed.query, catalog).finish(operators)
}

/// Binds a syntax tree and keeps what `analyze` wants to know beyond the query.
pub(crate) fn bind<'a>(query: &'a ast::Query, catalog: &'a Catalog) -> Binder<'a> {
    // What a text can write down it may.
    let budget = BUDGET + query.span.len();
    let mut binder = Binder::new(query, catalog, BTreeMap::new(), budget);
    binder.query(query);
    if !binder.asked.is_empty() {
        let asked = std::mem::take(&mut binder.asked);
        let declared = asked
            .into_iter()
            .map(|(table, names)| (table, names.order))
            .collect();
        binder = Binder::new(query, catalog, declared, budget);
        binder.query(query);
    }
    binder
}

/// Operators and expressions nested in each other at most; beyond that an
/// error is reported instead of exhausting the stack of whoever walks the query.
const MAX_DEPTH: usize = 500;
/// Scalar expressions nested in each other at most.
const MAX_EXPR_DEPTH: usize = 160;
/// Columns and expressions a query may grow to beyond what is written in it:
/// by inlining functions, by joins that double the columns, by `search` in
/// every column of every table.
const BUDGET: usize = 2_000_000;

#[allow(
    clippy::struct_excessive_bools,
    reason = "each says something of its own about the place at hand"
)]
pub(crate) struct Binder<'a> {
    /// All of the query, for what is said of unknown names.
    text: &'a ast::Query,
    catalog: &'a Catalog,
    /// What the round before learned: columns of open tables, by table.
    declared: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    /// What this round learns.
    asked: BTreeMap<Arc<str>, Asked>,
    diagnostics: Vec<Diagnostic>,
    reported: HashSet<(&'static str, Span)>,
    /// Unknown tables that were reported: each once.
    warned: HashSet<String>,
    /// Names looked up for "did you mean" so far.
    suggestions: usize,
    /// A table stood where the operator at hand takes values.
    in_doubt: bool,
    /// The query was reported as too large.
    exhausted: bool,
    /// While positive, findings are dropped: the text at hand was checked before.
    quiet: usize,
    /// While set, everything bound stands here: the text is not the query's.
    foreign: Option<Span>,
    /// Within a union that leaves out tables that do not exist.
    fuzzy: bool,
    /// Columns that a reader of the query is told of, by the step of the rows
    /// that do not have all of them.
    told: Vec<(usize, Vec<Column>)>,
    /// `set name = value`: what the query asks of whoever runs it.
    options: HashMap<String, Expr>,
    /// Tables that come up now were not asked for by name.
    sweeping: bool,
    /// Functions of the catalog that are being inlined.
    active: Vec<String>,
    scopes: Scopes,
    bindings: Vec<Binding>,
    /// The bindings that `as` made.
    named_rows: HashSet<usize>,
    /// Variables mentioned since the last let began.
    mentions: Vec<String>,
    history: Vec<Step>,
    /// Columns of the row at hand that were hidden and are now mentioned.
    noted: Noted,
    aggregates: Option<aggregates::Collected>,
    pub(crate) tables: Vec<TableUse>,
    /// Where each table stands in `tables`.
    noted_tables: HashMap<String, usize>,
    /// Tables that stand in the bodies of functions, called or not.
    pub(crate) mentioned_tables: Vec<String>,
    /// Functions called, by place; true for built-in ones.
    pub(crate) called: BTreeMap<u32, (String, bool)>,
    /// Columns without a name so far: `Column1`, `Column2`, ….
    anonymous: usize,
    depth: usize,
    budget: usize,
    root: Option<Bound>,
    /// Whether the query gives a single value, and of which type.
    pub(crate) scalar_result: Option<Type>,
}

/// Names asked of an open table: each once, in order.
#[derive(Default)]
struct Asked {
    order: Vec<Arc<str>>,
    known: HashSet<Arc<str>>,
}

/// One entry of the history of columns, from which notes are written.
struct Step {
    /// The operator's keyword, empty for sources.
    word: &'static str,
    span: Span,
    columns: Arc<[Column]>,
    parents: Vec<usize>,
}

/// Where an expression stands: what names can mean there.
#[derive(Clone, Copy)]
struct Ctx<'c> {
    /// The rows whose columns are in scope.
    row: Option<&'c Bound>,
    /// Left and right rows of a join's condition.
    sides: Option<(&'c Bound, &'c Bound)>,
    /// The relation over which the expression will be evaluated; also set
    /// within a function that is called there.
    target: Option<usize>,
    /// Set where aggregates may stand: the rows they are over. There, columns
    /// themselves are not in scope.
    aggregates: Option<&'c Bound>,
}

impl<'c> Ctx<'c> {
    /// No columns: arguments of operators, let bindings.
    const NONE: Ctx<'static> = Ctx {
        row: None,
        sides: None,
        target: None,
        aggregates: None,
    };

    fn over(row: &'c Bound) -> Self {
        Ctx {
            row: Some(row),
            sides: None,
            target: Some(row.meta.step),
            aggregates: None,
        }
    }
}

/// A bound expression of either kind.
#[allow(
    clippy::large_enum_variant,
    reason = "lives on the stack for a moment; boxing would cost more"
)]
enum Any {
    Scalar(Expr),
    Table(Bound),
}

impl<'a> Binder<'a> {
    fn new(
        text: &'a ast::Query,
        catalog: &'a Catalog,
        declared: BTreeMap<Arc<str>, Vec<Arc<str>>>,
        budget: usize,
    ) -> Self {
        Self {
            text,
            catalog,
            declared,
            asked: BTreeMap::new(),
            diagnostics: Vec::new(),
            reported: HashSet::new(),
            warned: HashSet::new(),
            suggestions: 0,
            in_doubt: false,
            exhausted: false,
            quiet: 0,
            foreign: None,
            fuzzy: false,
            told: Vec::new(),
            options: HashMap::new(),
            sweeping: false,
            active: Vec::new(),
            scopes: Scopes::new(),
            bindings: Vec::new(),
            named_rows: HashSet::new(),
            mentions: Vec::new(),
            history: Vec::new(),
            noted: Noted::default(),
            aggregates: None,
            tables: Vec::new(),
            noted_tables: HashMap::new(),
            mentioned_tables: Vec::new(),
            called: BTreeMap::new(),
            anonymous: 0,
            depth: 0,
            budget,
            root: None,
            scalar_result: None,
        }
    }

    /// The columns of the result as a reader is shown them, if it is a table.
    pub(crate) fn result_columns(&self) -> Option<Vec<Column>> {
        let root = self.root.as_ref()?;
        // Microsoft's language service also lists the columns that
        // `union kind=inner` leaves out.
        if let Some((_, told)) = self.told.iter().find(|(step, _)| *step == root.meta.step) {
            return Some(told.clone());
        }
        let columns = root.columns();
        let mut shown: Vec<Column> = root
            .listed()
            .into_iter()
            .filter_map(|i| columns.get(i).cloned())
            .collect();
        // Microsoft's language service lists the number of the match whether it
        // is asked for or not; running the query gives it only when it is.
        if let RelKind::Special { operator, .. } = &root.rel.kind
            && let crate::Operator::Scan { match_id: false, .. } = &**operator
        {
            shown.push(bound::column("match_id", Type::Long));
        }
        Some(shown)
    }

    /// Whether the result is one table: not for `consume`, `fork` and `facet`.
    pub(crate) fn gives_table(&self) -> bool {
        let none = ["the plugin `preview`"];
        self.root.as_ref().is_some_and(|root| match &root.rel.kind {
            _ if expressions::is_broken(root) && root.columns().is_empty() => false,
            RelKind::Special { operator, .. } => operator.gives_table(),
            RelKind::Unsupported { construct, .. } => !none.contains(&construct.as_str()),
            _ => true,
        })
    }

    /// The query, whose text has these operators, and what was found.
    pub(crate) fn finish(mut self, operators: Vec<&'static str>) -> Lowered {
        self.diagnostics.sort_by_key(Diagnostic::span);
        let mut functions: Vec<String> = self
            .called
            .values()
            .filter(|(_, built_in)| *built_in)
            .map(|(name, _)| canonical(name))
            .collect();
        functions.sort_unstable();
        functions.dedup();
        let mut seen = HashSet::new();
        let operators = operators.into_iter().filter(|name| seen.insert(*name));
        let operators: Vec<String> = operators.map(str::to_owned).collect();
        Lowered {
            query: Query {
                bindings: self.bindings,
                root: self.root.map(|bound| bound.rel),
                tables: self.tables,
                functions,
                operators,
            },
            diagnostics: self.diagnostics,
        }
    }

    /// Where something stands.
    fn at(&self, span: Span) -> Span {
        self.foreign.unwrap_or(span)
    }

    /// A relation made without reading another.
    fn source(&mut self, kind: RelKind, columns: Vec<Column>, span: Span) -> Bound {
        self.source_shared(kind, columns.into(), span)
    }

    fn source_shared(&mut self, kind: RelKind, columns: Arc<[Column]>, span: Span) -> Bound {
        let step = self.step("", span, columns.clone(), Vec::new());
        Bound {
            rel: Rel {
                kind,
                columns,
                open: false,
                span,
            },
            meta: Meta {
                listed: None,
                sources: Arc::from(Vec::new()),
                step,
                depth: 1,
                inner: false,
                index: Index::default(),
            },
        }
    }

    /// A relation without anything, where an error was reported.
    fn nothing(&mut self, span: Span) -> Bound {
        let mut bound = self.source(RelKind::Rows(Vec::new()), Vec::new(), span);
        // Whatever is asked of it is not worth a second finding.
        bound.meta.sources = Arc::from(vec![Arc::from(BROKEN)]);
        bound.rel.open = true;
        bound.meta.listed = Some(Vec::new());
        bound
    }

    fn step(&mut self, word: &'static str, span: Span, columns: Arc<[Column]>, parents: Vec<usize>) -> usize {
        self.history.push(Step {
            word,
            span,
            columns,
            parents,
        });
        self.history.len() - 1
    }

    /// An operator that passes its input's columns on as they are.
    fn passed(&mut self, op: &ast::Operator, input: Bound, kind: impl FnOnce(Box<Rel>) -> RelKind) -> Bound {
        let noted = std::mem::take(&mut self.noted);
        let Bound { rel, mut meta } = input;
        if let Some(listed) = &mut meta.listed {
            listed.extend(noted.into_order());
        }
        meta.depth += 1;
        let columns = rel.columns.clone();
        let open = rel.open;
        self.guard_depth(
            Bound {
                rel: Rel {
                    kind: kind(Box::new(rel)),
                    columns,
                    open,
                    span: self.at(op.span),
                },
                meta,
            },
            op.span,
        )
    }

    /// An operator with columns of its own over one input.
    fn shaped(
        &mut self,
        op: &ast::Operator,
        input: Bound,
        columns: Vec<Column>,
        kind: impl FnOnce(Box<Rel>) -> RelKind,
    ) -> Bound {
        self.noted = Noted::default();
        if !self.spend(columns.len()) {
            self.too_large(op.span);
            return self.nothing(self.at(op.span));
        }
        let Bound { rel, meta } = input;
        let columns: Arc<[Column]> = columns.into();
        let step = self.step(op.kind.name(), self.at(op.span), columns.clone(), vec![meta.step]);
        let meta = Meta {
            listed: None,
            step,
            depth: meta.depth + 1,
            index: Index::default(),
            ..meta
        };
        let span = self.at(op.span);
        self.guard_depth(
            Bound {
                rel: Rel {
                    kind: kind(Box::new(rel)),
                    columns,
                    open: false,
                    span,
                },
                meta,
            },
            op.span,
        )
    }

    /// Keeps relations from nesting without bound.
    fn guard_depth(&mut self, bound: Bound, span: Span) -> Bound {
        if bound.meta.depth <= MAX_DEPTH {
            return bound;
        }
        self.too_large(span);
        let Bound { rel, meta } = bound;
        Bound {
            rel: Rel {
                kind: RelKind::Unsupported {
                    inputs: Vec::new(),
                    construct: "a pipeline with this many operators".to_owned(),
                },
                ..rel
            },
            meta: Meta { depth: 1, ..meta },
        }
    }

    /// Counts what is built; false once it is too much.
    fn spend(&mut self, amount: usize) -> bool {
        self.budget = self.budget.saturating_sub(amount);
        self.budget > 0
    }

    /// A literal.
    fn literal(value: Value, ty: Type, span: Span) -> Expr {
        Expr {
            kind: ExprKind::Literal(value),
            ty,
            span,
        }
    }

    /// What stands where an expression has an error.
    fn broken(span: Span) -> Expr {
        Self::literal(Value::Null, Type::Unknown, span)
    }
}

/// The name under which a function's row is found.
fn canonical(name: &str) -> String {
    rulec_functions::aggregate(name)
        .map(|row| row.name)
        .or_else(|| rulec_functions::scalar(name).map(|row| row.name))
        .unwrap_or(name)
        .to_owned()
}

/// The source of relations that stand for errors.
const BROKEN: &str = "";
