//! Tabular expressions in canonical form: pipelines of steps, with the names
//! of let bindings followed, filters one condition each and as early as they
//! may stand. Two pipelines with the same digest give the same rows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rulec_ir::{
    AggregateCall, BindingId, BindingKind, Expr, ExprKind, JoinKind, Operator, ProjectKind, Query, Rel,
    RelKind, SortKey, walk,
};
use rulec_source::Span;

use crate::{
    scalar::{Digest, Scalar, Sum},
    told::told,
};

/// Rows.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) source: Source,
    pub(crate) steps: Vec<Arc<Step>>,
    /// Name and type of what comes out.
    pub(crate) columns: Vec<(Arc<str>, String)>,
    pub(crate) digest: Digest,
    pub(crate) span: Span,
}

/// Where the rows of a pipeline come from.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) kind: SourceKind,
    pub(crate) columns: Vec<(Arc<str>, String)>,
    /// The column that says which arm of a union a row comes from.
    pub(crate) label: Option<Arc<str>>,
    pub(crate) digest: Digest,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum SourceKind {
    Table(String),
    Union(Vec<Arc<Pipeline>>),
    /// Constant rows, by digest.
    Rows(Vec<Digest>),
    /// Anything else, as a person calls it.
    Other(String),
}

/// One operator, or one condition or column of it.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) kind: StepKind,
    pub(crate) digest: Digest,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) enum StepKind {
    Filter(Arc<Scalar>),
    /// Columns computed side by side; more than one only where they rest on each other.
    Assign(Vec<(Arc<str>, Arc<Scalar>)>),
    /// Which columns are left, in order.
    Shape(Vec<Arc<str>>),
    Summarize {
        keys: Vec<(Arc<str>, Arc<Scalar>)>,
        aggregates: Vec<Aggregate>,
    },
    Distinct(Vec<Arc<Scalar>>),
    Count,
    Sort,
    /// `take`, or `top` with what it goes by.
    Limit(Arc<Scalar>, Vec<Arc<Scalar>>),
    Join {
        right: Arc<Pipeline>,
        kind: JoinKind,
        keys: Vec<(Arc<Scalar>, Arc<Scalar>)>,
        /// What comes out of the right side, under its name here.
        from_right: Vec<Arc<str>>,
    },
    /// Anything else: its name, whether it looks at one row at a time, and the
    /// columns it reads and writes.
    Other {
        name: String,
        row_wise: bool,
        reads: BTreeSet<Arc<str>>,
        writes: BTreeSet<Arc<str>>,
    },
}

/// An aggregate under the names of its columns.
#[derive(Debug)]
pub(crate) struct Aggregate {
    pub(crate) names: Vec<Arc<str>>,
    pub(crate) function: &'static str,
    pub(crate) args: Vec<Arc<Scalar>>,
    pub(crate) span: Span,
    pub(crate) digest: Digest,
}

/// Makes canonical forms of one query.
pub(crate) struct Builder<'q> {
    pub(crate) query: &'q Query,
    /// The text of the query, for what the algebra has no more of.
    pub(crate) text: &'q str,
    pub(crate) scalars: BTreeMap<BindingId, Arc<Scalar>>,
    tables: BTreeMap<BindingId, Arc<Pipeline>>,
}

fn names(rel: &Rel) -> Vec<Arc<str>> {
    rel.columns
        .iter()
        .map(|column| Arc::clone(&column.name))
        .collect()
}

impl<'q> Builder<'q> {
    pub(crate) fn new(query: &'q Query, text: &'q str) -> Self {
        Self {
            query,
            text,
            scalars: BTreeMap::new(),
            tables: BTreeMap::new(),
        }
    }

    /// The whole query; none when it gives no table.
    pub(crate) fn root(&mut self) -> Option<Arc<Pipeline>> {
        let query = self.query;
        query.root.as_ref().map(|root| self.pipeline(root))
    }

    pub(crate) fn pipeline(&mut self, rel: &Rel) -> Arc<Pipeline> {
        let mut chain = Vec::new();
        let mut at = rel;
        let (source, mut steps) = loop {
            if let RelKind::Ref(id) = &at.kind {
                let known = self.binding(*id, at.span);
                break (known.source.clone(), known.steps.clone());
            }
            let before = match &at.kind {
                RelKind::Join { left, .. } => Some(&**left),
                RelKind::Unsupported { inputs, .. } => inputs.first(),
                _ => walk::input(at),
            };
            match before {
                Some(before) => {
                    chain.push(at);
                    at = before;
                }
                None => break (self.source(at), Vec::new()),
            }
        };
        for rel in chain.into_iter().rev() {
            self.steps(rel, &mut steps);
        }
        settle(&mut steps);
        finished(source, steps, rel)
    }

    fn binding(&mut self, id: BindingId, span: Span) -> Arc<Pipeline> {
        if let Some(known) = self.tables.get(&id) {
            return Arc::clone(known);
        }
        let query = self.query;
        let made = match query.binding(id).map(|b| &b.kind) {
            Some(BindingKind::Table { rel, .. }) => self.pipeline(rel),
            _ => {
                let digest = Sum::new("no table").text(&self.written(span)).done();
                let source = Source {
                    kind: SourceKind::Other("a function".to_owned()),
                    columns: Vec::new(),
                    label: None,
                    digest,
                    span,
                };
                Arc::new(Pipeline {
                    source,
                    steps: Vec::new(),
                    columns: Vec::new(),
                    digest,
                    span,
                })
            }
        };
        self.tables.insert(id, Arc::clone(&made));
        made
    }

    fn written(&self, span: Span) -> String {
        let text = self.text.get(span.range()).unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn source(&mut self, rel: &Rel) -> Source {
        let (kind, digest) = match &rel.kind {
            RelKind::Table { name } => (
                SourceKind::Table(name.clone()),
                Sum::new("table").text(name).done(),
            ),
            RelKind::Union { inputs, with_source } => {
                let arms: Vec<Arc<Pipeline>> = inputs.iter().map(|arm| self.pipeline(&arm.rel)).collect();
                let mut sum = Sum::new("union");
                if *with_source {
                    // The labels are values of a column.
                    for input in inputs {
                        sum = sum.text(&input.label);
                    }
                }
                for name in names(rel) {
                    sum = sum.text(&name);
                }
                let mut digests: Vec<&Digest> = arms.iter().map(|arm| &arm.digest).collect();
                digests.sort_unstable();
                let digest = sum.all(digests).done();
                (SourceKind::Union(arms), digest)
            }
            RelKind::Rows(rows) => {
                let rows: Vec<Digest> = rows
                    .iter()
                    .map(|row| {
                        let cells: Vec<Arc<Scalar>> = row.iter().map(|cell| self.scalar(cell, &[])).collect();
                        Sum::new("row").all(cells.iter().map(|cell| &cell.digest)).done()
                    })
                    .collect();
                let mut sum = Sum::new("rows");
                for name in names(rel) {
                    sum = sum.text(&name);
                }
                let digest = sum.all(&rows).done();
                (SourceKind::Rows(rows), digest)
            }
            RelKind::Input => (
                SourceKind::Other("the rows handed in".to_owned()),
                Sum::new("input").done(),
            ),
            RelKind::External { key } => (
                SourceKind::Other(key.clone()),
                Sum::new("external").text(key).done(),
            ),
            RelKind::Range { from, to, step } => {
                let parts: Vec<_> = [from, to, step].map(|part| self.scalar(part, &[])).into();
                let mut sum = Sum::new("range");
                for name in names(rel) {
                    sum = sum.text(&name);
                }
                let digest = sum.all(parts.iter().map(|part| &part.digest)).done();
                (SourceKind::Other("a range".to_owned()), digest)
            }
            RelKind::Special { inputs, operator } => {
                let arms: Vec<Arc<Pipeline>> = inputs.iter().map(|arm| self.pipeline(arm)).collect();
                let digest = Sum::new("special")
                    .text(&told(operator, &[]))
                    .all(arms.iter().map(|arm| &arm.digest))
                    .done();
                (SourceKind::Other(operator.construct()), digest)
            }
            _ => (
                SourceKind::Other("something else".to_owned()),
                Sum::new("source").text(&self.written(rel.span)).done(),
            ),
        };
        let label = match &rel.kind {
            RelKind::Union { with_source, .. } if *with_source => names(rel).first().cloned(),
            _ => None,
        };
        Source {
            kind,
            columns: typed(rel),
            label,
            digest,
            span: rel.span,
        }
    }

    fn list(&mut self, exprs: &[Expr], names: &[Arc<str>]) -> Vec<Arc<Scalar>> {
        exprs.iter().map(|expr| self.scalar(expr, names)).collect()
    }

    fn sorting(&mut self, keys: &[SortKey], names: &[Arc<str>]) -> (Vec<Arc<Scalar>>, String) {
        let exprs = keys.iter().map(|key| self.scalar(&key.expr, names)).collect();
        let order = keys
            .iter()
            .map(|key| format!("{} {},", key.descending, key.nulls_first))
            .collect();
        (exprs, order)
    }

    #[allow(clippy::too_many_lines, reason = "a table of the operators")]
    fn steps(&mut self, rel: &Rel, steps: &mut Vec<Arc<Step>>) {
        let Some(input) = main_input(rel) else { return };
        let before = names(input);
        let mut push = |kind, digest| {
            steps.push(Arc::new(Step {
                kind,
                digest,
                span: rel.span,
            }));
        };
        match &rel.kind {
            RelKind::Filter { predicate, .. } => {
                for part in self.scalar(predicate, &before).conjuncts() {
                    steps.push(Arc::new(Step {
                        digest: Sum::new("where").all([&part.digest]).done(),
                        span: part.span,
                        kind: StepKind::Filter(part),
                    }));
                }
            }
            RelKind::Project { kind, exprs, .. } => {
                let (assigned, shape) = self.projection(*kind, exprs, rel, &before);
                for group in assigned {
                    let mut sum = Sum::new("assign");
                    for (name, value) in &group {
                        sum = sum.text(name).all([&value.digest]);
                    }
                    let span = group.first().map_or(rel.span, |(_, value)| value.span);
                    steps.push(Arc::new(Step {
                        kind: StepKind::Assign(group),
                        digest: sum.done(),
                        span,
                    }));
                }
                if let Some((left, told)) = shape {
                    let mut sum = Sum::new("shape");
                    for name in told {
                        sum = sum.text(&name);
                    }
                    steps.push(Arc::new(Step {
                        kind: StepKind::Shape(left),
                        digest: sum.done(),
                        span: rel.span,
                    }));
                }
            }
            RelKind::Summarize { keys, aggregates, .. } => {
                let mut out = names(rel).into_iter();
                let keys: Vec<_> = keys
                    .iter()
                    .map(|key| (out.next().unwrap_or_default(), self.scalar(key, &before)))
                    .collect();
                let aggregates: Vec<Aggregate> = aggregates
                    .iter()
                    .map(|call| {
                        let own = out.by_ref().take(call.outputs).collect();
                        self.aggregate(call, own, &before)
                    })
                    .collect();
                let mut sum = Sum::new("summarize");
                for (name, key) in &keys {
                    sum = sum.text(name).all([&key.digest]);
                }
                let digest = sum.all(aggregates.iter().map(|a| &a.digest)).done();
                push(StepKind::Summarize { keys, aggregates }, digest);
            }
            RelKind::Distinct { exprs, .. } => {
                let exprs = self.list(exprs, &before);
                let mut sum = Sum::new("distinct");
                for name in names(rel) {
                    sum = sum.text(&name);
                }
                let digest = sum.all(exprs.iter().map(|e| &e.digest)).done();
                push(StepKind::Distinct(exprs), digest);
            }
            RelKind::Count { .. } => push(StepKind::Count, Sum::new("count").done()),
            RelKind::Sort { keys, .. } => {
                let (keys, order) = self.sorting(keys, &before);
                let digest = Sum::new("sort")
                    .text(&order)
                    .all(keys.iter().map(|k| &k.digest))
                    .done();
                push(StepKind::Sort, digest);
            }
            RelKind::Take { count, .. } => {
                let count = self.scalar(count, &[]);
                let digest = Sum::new("take").all([&count.digest]).done();
                push(StepKind::Limit(count, Vec::new()), digest);
            }
            RelKind::Top { count, keys, .. } => {
                let count = self.scalar(count, &[]);
                let (keys, order) = self.sorting(keys, &before);
                let digest = Sum::new("top")
                    .text(&order)
                    .all(std::iter::once(&count.digest).chain(keys.iter().map(|k| &k.digest)))
                    .done();
                push(StepKind::Limit(count, keys), digest);
            }
            RelKind::Join {
                right,
                kind,
                left_keys,
                right_keys,
                output,
                ..
            } => {
                let after = names(right);
                let keys: Vec<_> = left_keys
                    .iter()
                    .zip(right_keys)
                    .map(|(l, r)| (self.scalar(l, &before), self.scalar(r, &after)))
                    .collect();
                let right = self.pipeline(right);
                let from_right: Vec<Arc<str>> = names(rel)
                    .into_iter()
                    .zip(output)
                    .filter(|(_, origin)| matches!(origin, rulec_ir::Origin::Right(_)))
                    .map(|(name, _)| name)
                    .collect();
                let mut pairs: Vec<Digest> = keys
                    .iter()
                    .map(|(l, r)| Sum::new("on").all([&l.digest, &r.digest]).done())
                    .collect();
                pairs.sort_unstable();
                let mut sum = Sum::new("join")
                    .text(&format!("{kind:?}"))
                    .all([&right.digest])
                    .all(&pairs);
                for name in &from_right {
                    sum = sum.text(name);
                }
                let digest = sum.done();
                push(
                    StepKind::Join {
                        right,
                        kind: *kind,
                        keys,
                        from_right,
                    },
                    digest,
                );
            }
            _ => {
                let (kind, digest) = self.uncommon(rel, &before);
                push(kind, digest);
            }
        }
    }

    fn aggregate(&mut self, call: &AggregateCall, names: Vec<Arc<str>>, before: &[Arc<str>]) -> Aggregate {
        let args = self.list(&call.args, before);
        let mut sum = Sum::new(call.function);
        for name in &names {
            sum = sum.text(name);
        }
        Aggregate {
            digest: sum.all(args.iter().map(|arg| &arg.digest)).done(),
            names,
            function: call.function,
            args,
            span: call.span,
        }
    }

    /// What a projection computes, in groups whose members do not rest on each
    /// other, and what it leaves: the columns, and those the digest is over.
    #[allow(clippy::type_complexity, reason = "used once")]
    fn projection(
        &mut self,
        kind: ProjectKind,
        exprs: &[Expr],
        rel: &Rel,
        before: &[Arc<str>],
    ) -> (
        Vec<Vec<(Arc<str>, Arc<Scalar>)>>,
        Option<(Vec<Arc<str>>, Vec<Arc<str>>)>,
    ) {
        let after = names(rel);
        let mut assigned = Vec::new();
        let mut passed = BTreeSet::new();
        for (name, expr) in after.iter().zip(exprs) {
            match &expr.kind {
                ExprKind::Column(index) if before.get(*index) == Some(name) => {
                    passed.insert(Arc::clone(name));
                }
                _ => assigned.push((Arc::clone(name), self.scalar(expr, before))),
            }
        }
        let targets: BTreeSet<&Arc<str>> = assigned.iter().map(|(name, _)| name).collect();
        let entangled = assigned
            .iter()
            .any(|(_, value)| value.columns.iter().any(|c| targets.contains(c)));
        let groups = match (assigned.is_empty(), entangled) {
            (true, _) => Vec::new(),
            (false, true) => vec![assigned],
            (false, false) => assigned.into_iter().map(|one| vec![one]).collect(),
        };
        let shape = match kind {
            ProjectKind::Extend => None,
            // It orders rows, so to say: what comes behind may look at neighbours.
            ProjectKind::Serialize => None,
            ProjectKind::Away | ProjectKind::Rename => {
                let gone = before
                    .iter()
                    .filter(|name| !passed.contains(*name))
                    .cloned()
                    .collect();
                Some((after, gone))
            }
            ProjectKind::Project | ProjectKind::Keep | ProjectKind::Reorder => Some((after.clone(), after)),
        };
        (groups, shape)
    }

    fn uncommon(&mut self, rel: &Rel, before: &[Arc<str>]) -> (StepKind, Digest) {
        let mut exprs = Vec::new();
        walk::expressions(rel, &mut |expr| exprs.push(expr));
        let parts: Vec<Arc<Scalar>> = exprs.into_iter().map(|expr| self.scalar(expr, before)).collect();
        let mut reads: BTreeSet<Arc<str>> = BTreeSet::new();
        for part in &parts {
            reads.extend(part.columns.iter().cloned());
        }
        let mut beside = Vec::new();
        let mut first = true;
        let mut inputs = Vec::new();
        walk::inputs(rel, &mut |input| {
            if !std::mem::take(&mut first) {
                inputs.push(input);
            }
        });
        for input in inputs {
            beside.push(self.pipeline(input));
            // A subquery looks at the columns around it.
            read_within(input, &mut reads);
        }
        let mut writes: BTreeSet<Arc<str>> = names(rel)
            .into_iter()
            .filter(|name| !before.contains(name))
            .collect();
        if let RelKind::Parse { steps, .. } = &rel.kind {
            writes.extend(steps.iter().filter_map(|step| match step {
                rulec_ir::ParseStep::Column { output, .. } => {
                    rel.columns.get(*output).map(|column| Arc::clone(&column.name))
                }
                _ => None,
            }));
        }
        let (name, row_wise, rest) = match &rel.kind {
            RelKind::MvExpand {
                items,
                with_index,
                bags_as_arrays,
                limit,
                ..
            } => (
                "mv-expand".to_owned(),
                true,
                format!(
                    "{with_index} {bags_as_arrays} {} {}",
                    limit.is_some(),
                    targets(items, &rel.columns)
                ),
            ),
            RelKind::MvApply {
                items,
                with_index,
                limit,
                subquery,
                ..
            } => {
                let handed = handed_in(subquery).map(|rel| &*rel.columns).unwrap_or_default();
                let rest = format!("{with_index} {} {}", limit.is_some(), targets(items, handed));
                ("mv-apply".to_owned(), true, rest)
            }
            RelKind::Parse {
                kind,
                flags,
                steps,
                filter,
                ..
            } => {
                let mut rest = format!("{kind:?} {flags:?} {filter}");
                for step in steps {
                    rest += &match step {
                        rulec_ir::ParseStep::Skip => " *".to_owned(),
                        rulec_ir::ParseStep::Text(text) => format!(" {text:?}"),
                        rulec_ir::ParseStep::Column { output, ty } => {
                            format!(" {:?}:{ty}", rel.columns.get(*output).map(|c| &c.name))
                        }
                    };
                }
                (
                    if *filter { "parse-where" } else { "parse" }.to_owned(),
                    true,
                    rest,
                )
            }
            RelKind::Invoke { function, .. } => (format!("invoke {function}"), true, String::new()),
            RelKind::GetSchema { .. } => ("getschema".to_owned(), false, String::new()),
            RelKind::Special { operator, .. } => {
                let row_wise = matches!(
                    **operator,
                    Operator::ParseKv { .. }
                        | Operator::BagUnpack { .. }
                        | Operator::Narrow
                        | Operator::AddressLookup { .. }
                );
                (operator.name().to_owned(), row_wise, told(operator, before))
            }
            // The algebra does not have all that was written.
            _ => ("an operator".to_owned(), false, self.written(rel.span)),
        };
        let digest = Sum::new("other")
            .text(&name)
            .text(&rest)
            .all(parts.iter().map(|part| &part.digest))
            .all(beside.iter().map(|rows| &rows.digest))
            .done();
        let kind = StepKind::Other {
            name,
            row_wise,
            reads,
            writes,
        };
        (kind, digest)
    }
}

fn targets(items: &[rulec_ir::MvItem], columns: &[rulec_ir::Column]) -> String {
    items
        .iter()
        .map(|item| format!("{:?}:{} ", columns.get(item.output).map(|c| &c.name), item.ty))
        .collect()
}

/// The rows a subquery begins with.
fn handed_in(rel: &Rel) -> Option<&Rel> {
    let mut at = rel;
    loop {
        if matches!(at.kind, RelKind::Input) {
            return Some(at);
        }
        at = main_input(at)?;
    }
}

fn main_input(rel: &Rel) -> Option<&Rel> {
    match &rel.kind {
        RelKind::Join { left, .. } => Some(left),
        RelKind::Unsupported { inputs, .. } => inputs.first(),
        _ => walk::input(rel),
    }
}

/// The columns that rows are computed from, by the names they have there.
fn read_within(rel: &Rel, found: &mut BTreeSet<Arc<str>>) {
    if let Some(input) = main_input(rel) {
        let before = names(input);
        walk::expressions(rel, &mut |expr| {
            walk::expr(expr, &mut |node| {
                if let walk::Node::Expr(part) = node
                    && let ExprKind::Column(index) = &part.kind
                {
                    found.extend(before.get(*index).cloned());
                }
            });
        });
    }
    walk::inputs(rel, &mut |input| read_within(input, found));
}

fn typed(rel: &Rel) -> Vec<(Arc<str>, String)> {
    let columns = rel.columns.iter();
    columns
        .map(|column| (Arc::clone(&column.name), column.ty.to_string()))
        .collect()
}

fn finished(source: Source, steps: Vec<Arc<Step>>, rel: &Rel) -> Arc<Pipeline> {
    Arc::new(Pipeline::new(source, steps, typed(rel), rel.span))
}

/// Moves every filter as far to the front as it means the same, and puts
/// filters that stand together into one order. That a filter stands earlier or
/// later is then no difference.
fn settle(steps: &mut Vec<Arc<Step>>) {
    for at in 0..steps.len() {
        let mut place = at;
        while place > 0 && passes(&steps[place], &steps[place - 1]) {
            steps.swap(place, place - 1);
            place -= 1;
        }
    }
    // The same condition twice in a row says nothing new.
    steps.dedup_by(|a, b| matches!(a.kind, StepKind::Filter(_)) && a.digest == b.digest);
}

/// Whether a step is a filter that may change places with the one before it.
fn passes(step: &Step, before: &Step) -> bool {
    let StepKind::Filter(condition) = &step.kind else {
        return false;
    };
    if condition.window {
        return false;
    }
    match &before.kind {
        StepKind::Filter(other) => !other.window && other.digest > condition.digest,
        StepKind::Assign(group) => group
            .iter()
            .all(|(name, value)| !value.window && !condition.columns.contains(name)),
        StepKind::Shape(_) | StepKind::Sort => true,
        _ => false,
    }
}

impl Pipeline {
    fn new(source: Source, steps: Vec<Arc<Step>>, columns: Vec<(Arc<str>, String)>, span: Span) -> Self {
        let mut sum = Sum::new("pipeline")
            .all([&source.digest])
            .all(steps.iter().map(|step| &step.digest));
        for (name, ty) in &columns {
            sum = sum.text(name).text(ty);
        }
        Self {
            digest: sum.done(),
            source,
            steps,
            columns,
            span,
        }
    }

    /// The rows of a source as they are.
    pub(crate) fn bare(source: &Source) -> Arc<Self> {
        let columns = source.columns.clone();
        Arc::new(Self::new(source.clone(), Vec::new(), columns, source.span))
    }
}
