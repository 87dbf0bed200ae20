//! The ways that rows of a table take to the result, and what they must meet.
//!
//! In: a bound query. Out: one [`Path`] for each way that rows of a table have
//! a part in the result, through let bindings, joins, unions and subqueries,
//! with the predicates on the way; and whether a row whose columns are known
//! in part can pass them ([`Path::passes`]).
//!
//! Unlike `rulec_ir::Conditions`, which says what may be left unread, this
//! says what is looked at: a predicate behind a `summarize` counts for the
//! rows that have the key, and predicates are tried with values, not turned
//! into conditions. Deliberately absent: which columns are worth trying.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use rulec_functions::{Type, Value, text};
use rulec_ir::{
    BindingKind, Expr, ExprKind, Origin, Query, Rel, RelKind,
    walk::{self, Node},
};

/// Deeper than any expression a person writes.
const DEPTH: usize = 64;
/// More ways than any query has that a person wrote: each use of a binding
/// multiplies them. Those beyond are taken as they are, without what is
/// behind.
const WAYS: usize = 256;

/// More tables that nobody named than these come from a wildcard over all.
const MANY: usize = 24;

/// What a column of a relation is in terms of the table the row came from.
#[derive(Clone, Debug)]
enum Source<'q> {
    /// A column of the table.
    Column(usize),
    /// Computed from columns.
    Computed(&'q Expr, Columns<'q>),
    /// The same for every row on this way.
    Fixed(Value),
    /// Of another table, of several rows, or not understood.
    Elsewhere,
}

type Columns<'q> = Rc<[Source<'q>]>;

/// One way from a table to the result.
#[derive(Clone, Debug)]
pub(crate) struct Path<'q> {
    query: &'q Query,
    pub(crate) table: &'q str,
    /// The columns of the table.
    rows: &'q Rel,
    /// Predicates, each over the columns as they were there.
    conditions: Vec<(&'q Expr, Columns<'q>)>,
    columns: Columns<'q>,
}

/// Values of some of a table's columns, by place; the others may be anything.
pub(crate) type Row = BTreeMap<usize, Value>;

/// A comparison on the way: the operator and its constants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comparison {
    pub(crate) operator: &'static str,
    /// As text.
    pub(crate) values: Vec<String>,
}

/// Whether a query reads whatever tables there are: `union *`, `search`.
pub(crate) fn reads_everything(query: &Query) -> bool {
    query.tables.iter().filter(|table| table.optional).count() > MANY
}

/// All ways of a query's result. Tables that it reads because it reads
/// everything have none.
pub(crate) fn paths(query: &Query) -> Vec<Path<'_>> {
    let all = reads_everything(query);
    let unnamed = query.tables.iter().filter(|table| all && table.optional);
    let mut finder = Finder {
        query,
        unnamed: unnamed.map(|table| table.name.as_str()).collect(),
        done: Vec::new(),
        known: BTreeMap::new(),
        scalars: BTreeSet::new(),
    };
    if let Some(root) = &query.root {
        let ways = finder.ways(root, 0);
        finder.done.extend(ways);
    }
    finder.done
}

impl Path<'_> {
    /// The place of a column of the table.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.rows.columns.iter().position(|c| &*c.name == name)
    }

    /// A text as a value of a column's type; none when it cannot be one.
    pub(crate) fn value(&self, column: usize, said: &str) -> Option<Value> {
        Some(match self.rows.columns.get(column)?.ty {
            Type::Int => Value::Int(said.parse().ok()?),
            Type::Long => Value::Long(said.parse().ok()?),
            Type::String | Type::Dynamic | Type::Unknown => Value::String(said.into()),
            _ => return None,
        })
    }

    /// Whether a row with these values can pass all predicates.
    pub(crate) fn passes(&self, row: &Row) -> bool {
        let scope = |columns| Scope {
            query: self.query,
            row,
            columns,
        };
        self.conditions.iter().all(|(predicate, columns)| {
            let value = scope(columns).evaluate(predicate, 0);
            value.is_none_or(|value| value.is_true())
        })
    }

    /// The comparisons of a column of the table with constants, wherever they
    /// stand in a predicate.
    pub(crate) fn comparisons(&self, column: usize) -> Vec<Comparison> {
        let mut found = Vec::new();
        let mut todo: Vec<(&Expr, &Columns<'_>, usize)> = self
            .conditions
            .iter()
            .map(|(e, columns)| (*e, columns, 0))
            .collect();
        while let Some((expr, columns, depth)) = todo.pop() {
            if depth > DEPTH {
                continue;
            }
            let expr = self.query.resolve(expr);
            match &expr.kind {
                ExprKind::Column(at) => {
                    if let Some(Source::Computed(expr, columns)) = columns.get(*at) {
                        todo.push((expr, columns, depth + 1));
                    }
                }
                ExprKind::Call { function, args } => {
                    let comparison = self.comparison(function.name, args, columns, column);
                    if let Some(comparison) = comparison.filter(|c| !found.contains(c)) {
                        found.push(comparison);
                    }
                    todo.extend(args.iter().map(|arg| (arg, columns, depth + 1)));
                }
                ExprKind::And(parts) | ExprKind::Or(parts) => {
                    todo.extend(parts.iter().map(|part| (part, columns, depth + 1)));
                }
                _ => {}
            }
        }
        found
    }

    /// What a call asks of the column, if it compares it with constants.
    fn comparison(
        &self,
        operator: &'static str,
        args: &[Expr],
        columns: &Columns<'_>,
        column: usize,
    ) -> Option<Comparison> {
        let is = |expr: &Expr| is_column(expr, columns, column, 0);
        let (first, rest) = args.split_first()?;
        let others = if is(first) {
            rest
        } else if args.len() == 2 && is(&args[1]) {
            std::slice::from_ref(first)
        } else {
            return None;
        };
        let mut values = Vec::new();
        for other in others {
            match self.query.constant(other)? {
                Value::Array(items) => values.extend(items.iter().map(text::print)),
                value => values.push(text::print(&value)),
            }
        }
        Some(Comparison { operator, values })
    }
}

/// Whether an expression is the column, in another spelling at most.
fn is_column(expr: &Expr, columns: &Columns<'_>, column: usize, depth: usize) -> bool {
    if depth > DEPTH {
        return false;
    }
    match &expr.kind {
        ExprKind::Column(at) => match columns.get(*at) {
            Some(Source::Column(of)) => *of == column,
            Some(Source::Computed(expr, columns)) => is_column(expr, columns, column, depth + 1),
            _ => false,
        },
        ExprKind::Call { function, args } => {
            let spelling = matches!(
                function.name,
                "tolower" | "toupper" | "tostring" | "toint" | "tolong" | "coalesce"
            );
            let inner = if function.name == "trim" {
                args.get(1)
            } else {
                args.first()
            };
            (spelling || function.name == "trim")
                && inner.is_some_and(|inner| is_column(inner, columns, column, depth + 1))
        }
        _ => false,
    }
}

/// What is known when an expression is evaluated.
struct Scope<'s, 'q> {
    query: &'q Query,
    row: &'s Row,
    columns: &'s [Source<'q>],
}

impl Scope<'_, '_> {
    /// The value of an expression; none when it depends on what is not known.
    fn evaluate(&self, expr: &Expr, depth: usize) -> Option<Value> {
        if depth > DEPTH {
            return None;
        }
        let inner = |expr: &Expr| self.evaluate(expr, depth + 1);
        match &expr.kind {
            ExprKind::Literal(value) => Some(value.clone()),
            ExprKind::Column(at) => match self.columns.get(*at)? {
                Source::Column(column) => self.row.get(column).cloned(),
                Source::Fixed(value) => Some(value.clone()),
                Source::Computed(expr, columns) => Scope {
                    query: self.query,
                    row: self.row,
                    columns,
                }
                .evaluate(expr, depth + 1),
                Source::Elsewhere => None,
            },
            ExprKind::Binding(_) => {
                let meant = self.query.resolve(expr);
                (!std::ptr::eq(meant, expr)).then(|| inner(meant)).flatten()
            }
            // One part may decide, whatever the others are.
            ExprKind::And(parts) | ExprKind::Or(parts) => {
                let decides = matches!(expr.kind, ExprKind::Or(_));
                let values: Vec<Option<Value>> = parts.iter().map(inner).collect();
                let decided = |value: &Option<Value>| {
                    value
                        .as_ref()
                        .is_some_and(|v| matches!(v, Value::Bool(b) if *b == decides))
                };
                if values.iter().any(decided) {
                    return Some(Value::Bool(decides));
                }
                // What is left is the other truth value, or null, which makes all of it null.
                let values = values.into_iter().collect::<Option<Vec<Value>>>()?;
                let null = values.into_iter().find(|v| !matches!(v, Value::Bool(_)));
                Some(null.unwrap_or(Value::Bool(!decides)))
            }
            ExprKind::Call { function, args } => match (function.name, args.as_slice()) {
                ("iff", [condition, yes, no]) => match inner(condition)? {
                    Value::Bool(true) => inner(yes),
                    _ => inner(no),
                },
                ("case", [branches @ .., otherwise]) => {
                    for pair in branches.chunks_exact(2) {
                        if inner(&pair[0])?.is_true() {
                            return inner(&pair[1]);
                        }
                    }
                    inner(otherwise)
                }
                _ => {
                    let kernel = function.kernel?;
                    let args = args.iter().map(inner).collect::<Option<Vec<_>>>()?;
                    Some(kernel(&args))
                }
            },
            _ => None,
        }
    }
}

struct Finder<'q> {
    query: &'q Query,
    /// Tables that are not followed.
    unnamed: BTreeSet<&'q str>,
    /// Ways that end before the result: in subqueries, and in sides of joins
    /// that give no columns.
    done: Vec<Path<'q>>,
    /// Those of let bindings.
    known: BTreeMap<usize, Vec<Path<'q>>>,
    /// Scalar bindings whose subqueries were looked into.
    scalars: BTreeSet<usize>,
}

impl<'q> Finder<'q> {
    /// The ways of a relation's rows. Pipelines are long, so they are gone
    /// along, not into.
    fn ways(&mut self, rel: &'q Rel, depth: usize) -> Vec<Path<'q>> {
        if depth > DEPTH {
            return Vec::new();
        }
        let mut pipeline = Vec::new();
        let mut rel = rel;
        while let Some(input) = walk::input(rel) {
            pipeline.push(rel);
            rel = input;
        }
        let mut ways = self.source(rel, depth);
        for rel in pipeline.into_iter().rev() {
            walk::expressions(rel, &mut |expr| self.subqueries(expr, depth));
            ways = self.step(rel, ways, depth);
            if ways.len() > WAYS {
                let rest = ways.split_off(WAYS);
                self.done.extend(rest);
            }
        }
        ways
    }

    /// Looks into the relations within an expression.
    fn subqueries(&mut self, expr: &'q Expr, depth: usize) {
        let mut todo = vec![expr];
        while let Some(next) = todo.pop() {
            if let ExprKind::Binding(id) = &next.kind
                && self.scalars.insert(id.0)
                && let Some(BindingKind::Scalar(meant)) = self.query.binding(*id).map(|b| &b.kind)
            {
                todo.push(meant);
            }
            walk::parts(next, &mut |node| match node {
                Node::Expr(part) => todo.push(part),
                Node::Rel(rel) => {
                    let ways = self.ways(rel, depth + 1);
                    self.done.extend(ways);
                }
            });
        }
    }

    fn source(&mut self, rel: &'q Rel, depth: usize) -> Vec<Path<'q>> {
        match &rel.kind {
            RelKind::Table { name } if self.unnamed.contains(name.as_str()) => Vec::new(),
            RelKind::Table { name } => vec![Path {
                query: self.query,
                table: name,
                rows: rel,
                conditions: Vec::new(),
                columns: (0..rel.columns.len()).map(Source::Column).collect(),
            }],
            RelKind::Ref(id) => {
                if let Some(known) = self.known.get(&id.0) {
                    return known.clone();
                }
                let ways = match self.query.binding(*id).map(|b| &b.kind) {
                    Some(BindingKind::Table { rel, .. }) => self.ways(rel, depth + 1),
                    _ => Vec::new(),
                };
                self.known.insert(id.0, ways.clone());
                ways
            }
            RelKind::Union { inputs, with_source } => {
                let mut all = Vec::new();
                for input in inputs {
                    let label =
                        with_source.then(|| Source::Fixed(Value::String(input.label.as_str().into())));
                    for way in self.ways(&input.rel, depth + 1) {
                        let columns = input.columns.iter().map(|from| way.source(*from));
                        let columns = label.clone().into_iter().chain(columns).collect();
                        all.push(Path { columns, ..way });
                    }
                }
                all
            }
            RelKind::Join {
                left, right, output, ..
            } => {
                walk::expressions(rel, &mut |expr| self.subqueries(expr, depth));
                let mut all = Vec::new();
                for (side, is_left) in [(left, true), (right, false)] {
                    let ways = self.ways(side, depth + 1);
                    let here = |origin: &Origin| match origin {
                        Origin::Left(at) if is_left => Some(*at),
                        Origin::Right(at) if !is_left => Some(*at),
                        _ => None,
                    };
                    if output.iter().all(|origin| here(origin).is_none()) {
                        self.done.extend(ways);
                        continue;
                    }
                    all.extend(ways.into_iter().map(|way| {
                        let columns = output.iter().map(|origin| way.source(here(origin))).collect();
                        Path { columns, ..way }
                    }));
                }
                all
            }
            _ => {
                let mut all = Vec::new();
                walk::inputs(rel, &mut |input| all.extend(self.ways(input, depth + 1)));
                named(rel, all)
            }
        }
    }

    fn step(&mut self, rel: &'q Rel, ways: Vec<Path<'q>>, depth: usize) -> Vec<Path<'q>> {
        let with = |columns: &dyn Fn(&Path<'q>) -> Columns<'q>, ways: Vec<Path<'q>>| -> Vec<Path<'q>> {
            let changed = ways.into_iter().map(|way| {
                let columns = columns(&way);
                Path { columns, ..way }
            });
            changed.collect()
        };
        let computed = |exprs: &mut dyn Iterator<Item = Option<&'q Expr>>, way: &Path<'q>| -> Columns<'q> {
            exprs
                .map(|expr| match expr.map(|e| (e, &e.kind)) {
                    Some((_, ExprKind::Column(at))) => way.source(Some(*at)),
                    Some((expr, _)) => Source::Computed(expr, way.columns.clone()),
                    None => Source::Elsewhere,
                })
                .collect()
        };
        match &rel.kind {
            RelKind::Filter { predicate, .. } => {
                let mut ways = ways;
                for way in &mut ways {
                    way.conditions.push((predicate, way.columns.clone()));
                }
                ways
            }
            RelKind::Sort { .. } | RelKind::Take { .. } | RelKind::Top { .. } => ways,
            RelKind::Project { exprs, .. } | RelKind::Distinct { exprs, .. } => {
                with(&|way| computed(&mut exprs.iter().map(Some), way), ways)
            }
            RelKind::Summarize { keys, aggregates, .. } => {
                // Some aggregates pass on what a row says; the others speak of many rows.
                let passed = aggregates.iter().flat_map(|call| {
                    let whole = matches!(call.function, "arg_max" | "arg_min" | "take_any")
                        && call.args.len() == call.outputs;
                    (0..call.outputs).map(move |at| call.args.get(at).filter(|_| whole))
                });
                let exprs: Vec<Option<&Expr>> = keys.iter().map(Some).chain(passed).collect();
                with(&|way| computed(&mut exprs.iter().copied(), way), ways)
            }
            RelKind::MvExpand { passed, .. } => {
                with(&|way| passed.iter().map(|from| way.source(*from)).collect(), ways)
            }
            RelKind::MvApply { subquery, output, .. } => {
                let inner = self.ways(subquery, depth + 1);
                self.done.extend(inner);
                with(
                    &|way| {
                        output
                            .iter()
                            .map(|origin| match origin {
                                Origin::Left(at) => way.source(Some(*at)),
                                Origin::Right(_) => Source::Elsewhere,
                            })
                            .collect()
                    },
                    ways,
                )
            }
            _ => {
                // Further inputs of an operator are looked at too.
                let mut inputs = Vec::new();
                walk::inputs(rel, &mut |input| inputs.push(input));
                for input in inputs.into_iter().skip(1) {
                    let others = self.ways(input, depth + 1);
                    self.done.extend(others);
                }
                match walk::input(rel) {
                    Some(input) => renamed(rel, input, ways),
                    None => ways,
                }
            }
        }
    }
}

impl<'q> Path<'q> {
    fn source(&self, column: Option<usize>) -> Source<'q> {
        let source = column.and_then(|at| self.columns.get(at));
        source.cloned().unwrap_or(Source::Elsewhere)
    }
}

/// After an operator that is not understood in detail: columns that keep their
/// name keep their values.
fn renamed<'q>(rel: &Rel, input: &Rel, ways: Vec<Path<'q>>) -> Vec<Path<'q>> {
    let from: Vec<Option<usize>> = rel
        .columns
        .iter()
        .map(|column| input.columns.iter().position(|c| c == column))
        .collect();
    let changed = ways.into_iter().map(|way| {
        let columns = from.iter().map(|at| way.source(*at)).collect();
        Path { columns, ..way }
    });
    changed.collect()
}

/// As [`renamed`], where the rows come from several inputs: columns of the
/// table itself that keep their name.
fn named<'q>(rel: &Rel, ways: Vec<Path<'q>>) -> Vec<Path<'q>> {
    let changed = ways.into_iter().map(|way| {
        let columns = rel
            .columns
            .iter()
            .map(|column| {
                let same = way.rows.columns.iter().position(|c| c == column);
                same.map_or(Source::Elsewhere, Source::Column)
            })
            .collect();
        Path { columns, ..way }
    });
    changed.collect()
}
