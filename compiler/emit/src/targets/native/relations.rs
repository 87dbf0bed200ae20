//! Tabular operators as Rust: one statement each, in the order of the query.
//!
//! In: a pruned relation. Out: the statements of a function that gives its
//! rows. What looks at one row at a time right after a table goes into the
//! closure that the table's provider applies to pieces of it, as in the
//! interpreter. What is read besides the pipeline (the other side of a join,
//! the parts of a union, subqueries) becomes a function of its own.

use std::iter::{Peekable, Rev};
use std::vec::IntoIter;

use rulec_functions::{Value, aggregate};
use rulec_ir::{Column, Expr, ExprKind, JoinKind, Origin, ProjectKind, Rel, RelKind, SortKey};

use super::code::{Code, Statement};
use super::emitter::{Emitter, Scope};
use super::layout::LayoutId;
use super::pipe::Pipe;
use super::prune::{self, main_input};
use super::scalars::row_of;
use super::sources::tick;
use super::windows::extract;

impl Emitter<'_> {
    /// The statements that give the rows of a relation.
    pub(super) fn body(&mut self, scope: &mut Scope, rel: &Rel) -> Vec<Statement> {
        self.pipeline(scope, rel, false).finish()
    }

    /// The pipeline that a relation is. With `keys`, rows are left out that have
    /// no key of the left side of a join; such rows have to flow.
    pub(super) fn pipeline(&mut self, scope: &mut Scope, rel: &Rel, keys: bool) -> Pipe {
        scope.needs.keys |= keys;
        let mut chain = vec![rel];
        while let Some(input) = chain.last().and_then(|rel| main_input(rel)) {
            chain.push(input);
        }
        let mut chain = chain.into_iter().rev().peekable();
        let Some(source) = chain.next() else {
            return self.nothing();
        };
        let mut pipe = if is_table(source) {
            self.table(scope, source, &mut chain, keys)
        } else {
            self.source(scope, source)
        };
        let mut matched = keys && chain.peek().is_none() && !pipe.flows;
        while let Some(rel) = chain.next() {
            if pipe.flows && is_rowwise(rel) {
                let mut inner = Pipe::over("t", pipe.layout, pipe.extra);
                self.operator(scope, &mut inner, rel);
                while let Some(rel) = chain.next_if(|rel| is_rowwise(rel)) {
                    self.operator(scope, &mut inner, rel);
                }
                (pipe.layout, pipe.extra) = (inner.layout, inner.extra);
                if keys && chain.peek().is_none() {
                    only_matching(&mut inner);
                    matched = true;
                }
                pipe.flow(Code::call("t.then", [stage(inner)]));
                continue;
            }
            if pipe.flows && !takes_pieces(rel) {
                pipe.step(Code::call("t.rows", []));
            }
            self.operator(scope, &mut pipe, rel);
        }
        if keys && !matched {
            let mut inner = Pipe::over("t", pipe.layout, pipe.extra);
            only_matching(&mut inner);
            pipe.flow(Code::call("t.then", [stage(inner)]));
        }
        if pipe.flows {
            pipe.step(Code::call("t.rows", []));
        }
        pipe
    }

    /// A table after the operators that look at one row at a time: a flow where
    /// the next takes it in pieces.
    fn table(&mut self, scope: &mut Scope, source: &Rel, chain: &mut Chain<'_>, keys: bool) -> Pipe {
        let (RelKind::Table { name } | RelKind::External { key: name }) = &source.kind else {
            return self.nothing();
        };
        let layout = self.layout(
            name,
            format!("The columns of `{}` that the rule reads.", tick(name)),
            &source.columns,
        );
        let mut inner = Pipe::over("t", layout, source.open);
        while let Some(rel) = chain.next_if(|rel| is_rowwise(rel)) {
            self.operator(scope, &mut inner, rel);
        }
        if keys && chain.peek().is_none() {
            only_matching(&mut inner);
        }
        scope.needs.context = true;
        let schema = self.schema(layout, &source.columns, source.open);
        let wanted = self.wanted(source, name);
        if wanted.is_some() {
            self.looking(layout);
        }
        if let Some(table) = table_name(source) {
            self.tables.push((table.clone(), schema.clone(), wanted.clone()));
        }
        let mut pipe = Pipe::over("", inner.layout, inner.extra);
        pipe.comment(self.quote(source.span));
        let name = Code::string(name);
        let mut tables = self.query.tables.iter();
        let optional = tables.any(|table| Some(&table.name) == table_name(source) && table.optional);
        if optional || chain.peek().is_some_and(|rel| takes_pieces(rel)) {
            let wanted =
                wanted.unwrap_or_else(|| Code::atom(format!("{}::ANYTHING", self.root("Necessary"))));
            let args = [name, schema, wanted, stage(inner)];
            pipe.flow(Code::call("context.flow", args));
            if optional {
                pipe.flow(Code::call("t.optional", []));
            }
            return pipe;
        }
        let schema = schema.by_ref();
        pipe.step(if inner.steps.is_empty() {
            Code::call("context.table", [name, schema])
        } else if let Some(wanted) = wanted {
            let args = [name, schema, Code::atom("None"), wanted.by_ref(), stage(inner)];
            Code::call("context.scan_where", args)
        } else {
            Code::call("context.scan", [name, schema, Code::atom("None"), stage(inner)])
        });
        pipe
    }

    pub(super) fn nothing(&mut self) -> Pipe {
        let layout = self.layout("nothing", "No columns.".to_owned(), &[]);
        Pipe::over("t", layout, false)
    }

    pub(super) fn about(&self, rel: &Rel) -> String {
        let line = self.quote(rel.span);
        if line.contains('`') || line.is_empty() {
            "Columns.".to_owned()
        } else {
            format!("The columns after `{line}`.")
        }
    }

    /// Adds an operator to a pipeline.
    fn operator(&mut self, scope: &mut Scope, pipe: &mut Pipe, rel: &Rel) {
        let quoted = self.quote(rel.span);
        pipe.comment(if quoted.is_empty() {
            quoted
        } else {
            format!("| {quoted}")
        });
        match &rel.kind {
            RelKind::Filter { input, predicate } => self.filter(scope, pipe, rel, input, predicate),
            RelKind::Project { input, kind, exprs } => self.project(scope, pipe, rel, input, *kind, exprs),
            RelKind::Summarize {
                input,
                keys,
                aggregates,
            } => {
                let outputs = self.outputs(scope, pipe.layout, &rel.columns, keys);
                let mut columns = &rel.columns[keys.len().min(rel.columns.len())..];
                let mut calls = Vec::new();
                for call in aggregates {
                    let path = aggregate(call.function).map_or("", |row| row.path);
                    let (own, rest) = columns.split_at(call.outputs.min(columns.len()));
                    columns = rest;
                    if let Some(all) = self.agg_all(pipe, input, call, path, own) {
                        calls.push(all);
                        continue;
                    }
                    let new = Code::Atom(self.kernel(path));
                    let args = self.operands(scope, pipe.layout, &call.args);
                    let filled = self.pairs(own);
                    calls.push(Code::call(
                        self.short("ops", "agg"),
                        [new, Code::array(args), filled],
                    ));
                }
                let args = [pipe.rows(), Code::slice(outputs), Code::slice(calls)];
                pipe.step(Code::call(self.op("summarize"), args));
                self.relaid(pipe, rel, "summarized");
            }
            RelKind::Distinct { exprs, .. } => {
                let outputs = self.outputs(scope, pipe.layout, &rel.columns, exprs);
                pipe.step(Code::call(
                    self.op("distinct"),
                    [pipe.rows(), Code::slice(outputs)],
                ));
                self.relaid(pipe, rel, "distinct");
            }
            RelKind::Count { .. } => {
                let count = Code::call(self.op("count"), [pipe.rows()]);
                pipe.step(count);
                if let [Column { name, .. }] = &rel.columns[..]
                    && &**name != "Count"
                {
                    let schema =
                        Code::call(format!("{}::of", self.root("Schema")), [self.pairs(&rel.columns)]);
                    pipe.step(Code::call("t.renamed", [schema]));
                }
                self.relaid(pipe, rel, "counted");
            }
            RelKind::Sort { keys, .. } => {
                let keys = self.sort_keys(scope, pipe.layout, keys);
                pipe.step(Code::call(self.op("sort"), [pipe.rows(), keys]));
                self.passed(pipe, rel, "sorted");
            }
            RelKind::Take { count, .. } => {
                let count = self.count(scope, count);
                pipe.step(Code::call(self.op("take"), [pipe.rows(), count]));
                self.passed(pipe, rel, "taken");
            }
            RelKind::Top { count, keys, .. } => {
                let count = self.count(scope, count);
                let keys = self.sort_keys(scope, pipe.layout, keys);
                pipe.step(Code::call(self.op("top"), [pipe.rows(), count, keys]));
                self.passed(pipe, rel, "top");
            }
            RelKind::Join {
                left,
                right,
                kind,
                left_keys,
                right_keys,
                output,
                ..
            } => {
                let about = self.about(right);
                let flows = join_takes_pieces(*kind) && (pipe.flows || is_flowing(right));
                let other = if flows {
                    self.matching(scope, right)
                } else {
                    match self.relation(scope, right, "join") {
                        Code::Prefix(_, made) => {
                            pipe.let_("right", *made);
                            Code::atom("&right")
                        }
                        rows => rows,
                    }
                };
                let right_layout = self.layout("other", about, &right.columns);
                let kind = Code::Atom(format!("{}::{}", self.op("JoinKind"), join_kind(*kind)));
                let left_keys = Code::array(self.operands(scope, pipe.layout, left_keys));
                let right_keys = Code::array(self.operands(scope, right_layout, right_keys));
                let short = self.left_all(pipe, right_layout, left, &rel.columns, output);
                let output = match short {
                    Some(short) => short,
                    None => Code::array(self.picks(pipe.layout, right_layout, &rel.columns, output)),
                };
                if flows {
                    if !pipe.flows {
                        let rows = pipe.rows();
                        pipe.flow(Code::call(format!("{}::of", self.short("flow", "Flow")), [rows]));
                    }
                    let args = [other, kind, left_keys, right_keys, output];
                    pipe.flow(Code::call("t.join", args));
                } else {
                    let (left_keys, right_keys) = (left_keys.by_ref(), right_keys.by_ref());
                    let args = [pipe.rows(), other, kind, left_keys, right_keys, output];
                    pipe.step(Code::call(self.op("join"), args));
                }
                self.relaid(pipe, rel, "joined");
            }
            RelKind::MvExpand {
                items,
                with_index,
                bags_as_arrays,
                limit,
                passed,
                ..
            } => {
                let about = self.about(rel);
                let layout = self.layout("expanded", about, &rel.columns);
                let schema = self.schema(layout, &rel.columns, false);
                let expand = self.expand(
                    scope,
                    pipe.layout,
                    schema,
                    items,
                    passed,
                    [*with_index, *bags_as_arrays],
                    limit.as_ref(),
                );
                pipe.let_("expand", expand);
                let args = [pipe.rows(), Code::atom("&expand")];
                pipe.step(Code::call(self.op("mv_expand"), args));
                pipe.layout = layout;
                pipe.extra = false;
            }
            RelKind::MvApply { .. } => self.mv_apply(scope, pipe, rel),
            RelKind::Parse {
                kind,
                flags,
                expr,
                steps,
                filter,
                ..
            } => {
                let text = self.operand(scope, pipe.layout, expr).by_ref();
                let pattern = self.pattern(scope, *kind, flags, steps);
                let about = self.about(rel);
                let layout = self.layout("parsed", about, &rel.columns);
                let schema = self.schema(layout, &rel.columns, false).by_ref();
                let name = self.op(if *filter { "parse_where" } else { "parse" });
                let args = [pipe.rows(), text, Code::atom(format!("&{pattern}")), schema];
                pipe.step(Code::call(name, args));
                pipe.layout = layout;
                pipe.extra = false;
            }
            RelKind::Invoke { input, args, .. } => {
                let hash = match (prune::named(input, args), args.first()) {
                    (Some(place), _) => {
                        let place = self.place(pipe.layout, place);
                        Code::call(self.short("ops", "column"), [Code::atom(place)])
                    }
                    (None, Some(hash)) => self.operand(scope, pipe.layout, hash),
                    (None, None) => {
                        let nothing = self.literal(&Value::string(""));
                        Code::call(self.short("ops", "constant"), [nothing])
                    }
                };
                let added = &rel.columns[input.columns.len().min(rel.columns.len())..];
                let added = added
                    .iter()
                    .map(|column| {
                        let made = self.column(column);
                        Code::tuple([made, Code::string(profile_column(&column.name))])
                    })
                    .collect::<Vec<_>>();
                scope.needs.context = true;
                let args = [
                    Code::atom("context"),
                    pipe.rows(),
                    hash.by_ref(),
                    Code::slice(added),
                ];
                pipe.step(Code::call(self.op("file_profile"), args));
                self.passed(pipe, rel, "profiled");
            }
            RelKind::GetSchema { input } => {
                let schema = Code::call(
                    format!("{}::of", self.root("Schema")),
                    [self.pairs(&input.columns)],
                )
                .by_ref();
                pipe.step(Code::call(self.helper("getschema"), [pipe.rows(), schema]));
                self.relaid(pipe, rel, "described");
            }
            RelKind::Special { inputs, operator } => self.special(scope, pipe, rel, inputs, operator),
            _ => self.fail(rel.span, "an operator that cannot be run"),
        }
    }

    /// The operator leaves the columns of its input where they are.
    pub(super) fn passed(&mut self, pipe: &mut Pipe, rel: &Rel, wish: &str) {
        let about = self.about(rel);
        pipe.layout = self.extended(pipe.layout, wish, about, &rel.columns);
    }

    /// The operator gives new columns.
    pub(super) fn relaid(&mut self, pipe: &mut Pipe, rel: &Rel, wish: &str) {
        let about = self.about(rel);
        pipe.layout = self.layout(wish, about, &rel.columns);
        pipe.extra = false;
    }

    pub(super) fn outputs(
        &mut self,
        scope: &mut Scope,
        row: LayoutId,
        columns: &[Column],
        exprs: &[Expr],
    ) -> Vec<Code> {
        let pairs = columns.iter().zip(exprs);
        pairs
            .map(|(column, expr)| self.output(scope, row, column, expr))
            .collect()
    }

    /// `out("FileName", Type::String, column(…))`.
    fn output(&mut self, scope: &mut Scope, row: LayoutId, column: &Column, expr: &Expr) -> Code {
        let ty = self.ty(column.ty);
        let expr = self.operand(scope, row, expr);
        Code::call(self.short("ops", "out"), [Code::string(&column.name), ty, expr])
    }

    fn filter(&mut self, scope: &mut Scope, pipe: &mut Pipe, rel: &Rel, input: &Rel, predicate: &Expr) {
        let mut windows = Vec::new();
        let width = input.columns.len();
        let predicate = extract(predicate, width, &mut windows);
        let row = self.windows(scope, pipe, input, &windows);
        let condition = self.condition(scope, row, &predicate, true);
        let closure = Code::closure(row_of(&predicate), condition);
        pipe.step(Code::call(self.op("filter"), [pipe.rows(), closure]));
        if !windows.is_empty() {
            let args = [
                pipe.rows(),
                Code::Atom(width.to_string()),
                Code::Atom(windows.len().to_string()),
            ];
            pipe.step(Code::call(self.helper("without"), args));
        }
        self.passed(pipe, rel, "filtered");
    }

    fn project(
        &mut self,
        scope: &mut Scope,
        pipe: &mut Pipe,
        rel: &Rel,
        input: &Rel,
        kind: ProjectKind,
        exprs: &[Expr],
    ) {
        let mut windows = Vec::new();
        let width = input.columns.len();
        let exprs = exprs
            .iter()
            .map(|expr| extract(expr, width, &mut windows))
            .collect::<Vec<_>>();
        let row = self.windows(scope, pipe, input, &windows);
        let open = rel.open && !matches!(kind, ProjectKind::Project | ProjectKind::Keep);
        if !open && !pipe.extra && windows.is_empty() && extends(rel, input, &exprs) {
            let new = rel
                .columns
                .iter()
                .zip(&exprs)
                .enumerate()
                .filter(|(place, (_, expr))| !is_column(expr, *place));
            let new = new
                .map(|(_, (column, expr))| self.output(scope, row, column, expr))
                .collect::<Vec<_>>();
            if !new.is_empty() {
                pipe.step(Code::call(self.op("extend"), [pipe.rows(), Code::slice(new)]));
            }
            self.passed(pipe, rel, "extended");
            return;
        }
        if !open && !pipe.extra && windows.is_empty() {
            if let Some(code) = self.passing(pipe, rel, input, kind, &exprs) {
                pipe.step(code);
                self.relaid(pipe, rel, "projected");
                return;
            }
            if let Some(code) = self.extend_last(scope, pipe, rel, input, &exprs) {
                pipe.step(code);
                self.relaid(pipe, rel, "extended");
                return;
            }
        }
        let outputs = Code::slice(self.outputs(scope, row, &rel.columns, &exprs));
        if open {
            let from = Code::Atom((width + windows.len()).to_string());
            pipe.step(Code::call(
                self.helper("project_open"),
                [pipe.rows(), outputs, from],
            ));
        } else {
            pipe.step(Code::call(self.op("project"), [pipe.rows(), outputs]));
        }
        let about = self.about(rel);
        let keeps = exprs
            .iter()
            .take(width)
            .enumerate()
            .all(|(place, expr)| is_column(expr, place));
        pipe.layout = if keeps && exprs.len() >= width && windows.is_empty() {
            self.extended(pipe.layout, "extended", about, &rel.columns)
        } else {
            self.layout("projected", about, &rel.columns)
        };
        pipe.extra = open;
    }

    fn count(&mut self, scope: &mut Scope, expr: &Expr) -> Code {
        self.long(scope, expr, 0)
    }

    fn sort_keys(&mut self, scope: &mut Scope, row: LayoutId, keys: &[SortKey]) -> Code {
        let keys = keys.iter().map(|key| {
            let expr = self.operand(scope, row, &key.expr);
            // Nulls come first when ascending, last when descending.
            if key.nulls_first == key.descending {
                self.import("rulec_runtime::ops", "");
                return Code::Struct {
                    name: "ops::Key",
                    fields: vec![
                        ("expr", expr),
                        ("descending", Code::atom(key.descending.to_string())),
                        ("nulls_first", Code::atom(key.nulls_first.to_string())),
                    ],
                };
            }
            Code::call(
                self.short("ops", if key.descending { "desc" } else { "asc" }),
                [expr],
            )
        });
        Code::slice(keys.collect::<Vec<_>>())
    }

    pub(super) fn picks(
        &mut self,
        left: LayoutId,
        right: LayoutId,
        columns: &[Column],
        output: &[Origin],
    ) -> Vec<Code> {
        let picks = columns.iter().zip(output).map(|(column, origin)| {
            let (side, layout, place) = match origin {
                Origin::Left(place) => ("left", left, place),
                Origin::Right(place) => ("right", right, place),
            };
            let place = Code::Atom(self.place(layout, *place));
            Code::call(self.op(side), [Code::string(&column.name), place])
        });
        picks.collect()
    }
}

/// What is left of a pipeline.
type Chain<'r> = Peekable<Rev<IntoIter<&'r Rel>>>;

/// What a pipeline does to each piece of a table.
fn stage(inner: Pipe) -> Code {
    if inner.steps.is_empty() {
        return Code::closure("|t|", inner.whole());
    }
    Code::Block {
        params: "|t|",
        statements: inner.finish(),
    }
}

/// The last that the right side of a join does to each piece.
fn only_matching(inner: &mut Pipe) {
    inner.comment("Other rows have no part in the join.".to_owned());
    inner.step(Code::call("keys.rows", [inner.rows()]));
}

fn is_table(rel: &Rel) -> bool {
    matches!(rel.kind, RelKind::Table { .. } | RelKind::External { .. })
}

/// Whether the rows of a relation come in pieces.
pub(super) fn is_flowing(mut rel: &Rel) -> bool {
    while let Some(input) = main_input(rel) {
        let passes = match &rel.kind {
            RelKind::Join { kind, .. } => join_takes_pieces(*kind),
            _ => is_rowwise(rel),
        };
        if !passes {
            return false;
        }
        rel = input;
    }
    is_table(rel)
}

/// Whether an operator takes its input in pieces.
fn takes_pieces(rel: &Rel) -> bool {
    match &rel.kind {
        RelKind::Summarize { .. }
        | RelKind::Distinct { .. }
        | RelKind::Count { .. }
        | RelKind::Take { .. }
        | RelKind::Top { .. } => true,
        RelKind::Join { kind, .. } => join_takes_pieces(*kind),
        _ => false,
    }
}

/// Whether the left side of a join may come in pieces; as in the runtime.
fn join_takes_pieces(kind: JoinKind) -> bool {
    matches!(
        kind,
        JoinKind::InnerUnique
            | JoinKind::Inner
            | JoinKind::LeftOuter
            | JoinKind::LeftSemi
            | JoinKind::LeftAnti
    )
}

/// The table that a source reads, unless it is data given by hand.
fn table_name(rel: &Rel) -> Option<&String> {
    match &rel.kind {
        RelKind::Table { name } => Some(name),
        _ => None,
    }
}

/// Whether pieces of the input may go through one by one.
fn is_rowwise(rel: &Rel) -> bool {
    let windowed = |expr: &Expr| {
        let mut windows = Vec::new();
        extract(expr, 0, &mut windows);
        !windows.is_empty()
    };
    match &rel.kind {
        RelKind::Filter { predicate, .. } => !windowed(predicate),
        RelKind::Project { kind, exprs, .. } => {
            *kind != ProjectKind::Serialize && !exprs.iter().any(windowed)
        }
        RelKind::MvExpand { .. }
        | RelKind::MvApply { .. }
        | RelKind::Parse { .. }
        | RelKind::Invoke { .. } => true,
        _ => false,
    }
}
fn is_column(expr: &Expr, place: usize) -> bool {
    matches!(expr.kind, ExprKind::Column(column) if column == place)
}

/// Whether a projection keeps every column of its input in its place, replaced
/// or not, and adds new ones behind.
fn extends(rel: &Rel, input: &Rel, exprs: &[Expr]) -> bool {
    let width = input.columns.len();
    if rel.columns.len() < width || exprs.len() != rel.columns.len() {
        return false;
    }
    let same = rel
        .columns
        .iter()
        .zip(input.columns.iter())
        .all(|(new, old)| new.name == old.name);
    let mut names = std::collections::BTreeSet::new();
    same && rel.columns.iter().all(|column| names.insert(&column.name))
}
fn join_kind(kind: JoinKind) -> &'static str {
    match kind {
        JoinKind::InnerUnique => "InnerUnique",
        JoinKind::Inner => "Inner",
        JoinKind::LeftOuter => "LeftOuter",
        JoinKind::RightOuter => "RightOuter",
        JoinKind::FullOuter => "FullOuter",
        JoinKind::LeftSemi => "LeftSemi",
        JoinKind::RightSemi => "RightSemi",
        JoinKind::LeftAnti => "LeftAnti",
        JoinKind::RightAnti => "RightAnti",
    }
}

/// What `FileProfile` adds. Source: as in the runtime, the reference of
/// Defender advanced hunting.
const PROFILE: &[&str] = &[
    "SHA1",
    "SHA256",
    "MD5",
    "FileSize",
    "GlobalPrevalence",
    "GlobalFirstSeen",
    "GlobalLastSeen",
    "Signer",
    "Issuer",
    "SignerHash",
    "IsCertificateValid",
    "IsRootSignerMicrosoft",
    "SignatureState",
    "IsExecutable",
    "ThreatName",
    "Publisher",
    "SoftwareName",
    "ProfileAvailability",
];

/// Which column of `FileProfile` a column of the result is: a name that was
/// there already has a number after it.
fn profile_column(name: &str) -> &'static str {
    let mut rest = name;
    loop {
        if let Some(known) = PROFILE.iter().find(|known| **known == rest) {
            return known;
        }
        match rest.strip_suffix(|c: char| c.is_ascii_digit()) {
            Some(shorter) => rest = shorter,
            None => return "ProfileAvailability",
        }
    }
}
