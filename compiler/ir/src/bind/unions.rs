//! `union`, `search` and `find`: several tables in one.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};
use rulec_functions::{Type, Value};
use rulec_kql::ast::{self, ExprKind as Ast};
use rulec_source::Span;

use super::bound::{Bound, column};
use super::names::NameTable;
use super::operators::{keyword, special};
use super::statements::strip;
use super::{Binder, Ctx};
use crate::catalog::{Filled, Unified};
use crate::{BindingKind, Column, Expr, ExprKind, Operator, ProjectKind, Rel, RelKind, UnionInput, codes};

/// Columns times tables of a union beyond which only those that are filled are
/// written down.
const MAX_UNION: usize = 400_000;

/// Tables from which on what they have together is remembered.
const SWEEP: usize = 32;

impl Binder<'_> {
    pub(super) fn union(&mut self, op: &ast::Operator, tables: &[ast::Expr], input: Option<Bound>) -> Bound {
        let with_source = op
            .param("withsource")
            .or_else(|| op.param("with_source"))
            .and_then(|p| match &p.value.kind {
                Ast::Name(name) => Some(name.text.clone()),
                Ast::Literal(ast::Literal::String(text)) => Some(text.value.clone()),
                _ => None,
            });
        let mut inputs: Vec<(String, Bound)> = Vec::new();
        if let Some(input) = input {
            inputs.push((self.label(&input, 0), input));
        }
        // `isfuzzy=true`: tables that do not exist are left out.
        let fuzzy = std::mem::replace(&mut self.fuzzy, keyword(op, "isfuzzy").as_deref() == Some("true"));
        self.union_inputs(tables, &mut inputs);
        self.fuzzy = fuzzy;
        let at = self.at(op.span);
        if inputs.is_empty() {
            return self.nothing(at);
        }
        if keyword(op, "kind").as_deref() != Some("inner") || inputs.iter().any(|(_, b)| b.is_from_open()) {
            return self.union_of(inputs, with_source.as_deref(), false, at, "union");
        }
        // `kind=inner`: the columns whose names all tables have.
        let common: HashSet<Arc<str>> = common_columns(&inputs).into_iter().collect();
        let first = usize::from(with_source.is_some());
        let filled = self.unify(&inputs, None, false).filled.clone();
        let mut kept: Vec<usize> = (0..first).collect();
        for ((_, bound), filled) in inputs.iter().zip(&filled) {
            let has = filled
                .iter()
                .filter(|(_, from)| common.contains(&bound.columns()[*from].name));
            kept.extend(has.map(|(output, _)| output + first));
        }
        kept.sort_unstable();
        kept.dedup();
        let union = self.union_of(inputs, with_source.as_deref(), false, at, "union");
        if kept.len() == union.columns().len() {
            return union;
        }
        let told = union.columns().to_vec();
        let span = Span::at(at.start as usize);
        let columns = kept.iter().map(|i| told[*i].clone()).collect();
        let exprs = kept.iter().map(|i| union.column(*i, span)).collect();
        let inner = self.shaped(op, union, columns, |input| RelKind::Project {
            input,
            kind: ProjectKind::Keep,
            exprs,
        });
        self.told.push((inner.meta.step, told));
        inner
    }

    fn union_inputs(&mut self, tables: &[ast::Expr], inputs: &mut Vec<(String, Bound)>) {
        for table in tables {
            match &strip(table).kind {
                Ast::Missing => {}
                Ast::Star => {
                    let all = every_table(table.span);
                    inputs.extend(self.matching_tables(&all, table.span));
                }
                Ast::Wildcard(pattern) => inputs.extend(self.matching_tables(pattern, table.span)),
                _ => {
                    let bound = self.table(table);
                    let label = match &strip(table).kind {
                        Ast::Name(name) if self.is_view(&name.text) => name.text.clone(),
                        _ => self.label(&bound, inputs.len()),
                    };
                    inputs.push((label, bound));
                }
            }
        }
    }

    /// What `withsource` says of one table of several: its name, also by way of
    /// a variable that is nothing but the table, or the name that `as` gives.
    /// Whatever else it is has only its place, as in the service.
    fn label(&self, bound: &Bound, place: usize) -> String {
        let mut rel = &bound.rel;
        loop {
            let binding = match &rel.kind {
                RelKind::Table { name } => return name.clone(),
                RelKind::Ref(id) if self.named_rows.contains(&id.0) => {
                    return self
                        .bindings
                        .get(id.0)
                        .map_or_else(String::new, |named| named.name.clone());
                }
                RelKind::Ref(id) => self.bindings.get(id.0),
                _ => None,
            };
            let Some(BindingKind::Table { rel: inner, .. }) = binding.map(|binding| &binding.kind) else {
                return format!("union_arg{place}");
            };
            rel = inner;
        }
    }

    /// Puts tables below each other: a column for every name, or, where types
    /// differ, for every name and type. `by_name` (for `find`) gives each name
    /// one column of a type that takes all.
    pub(super) fn union_of(
        &mut self,
        inputs: Vec<(String, Bound)>,
        with_source: Option<&str>,
        by_name: bool,
        at: Span,
        word: &'static str,
    ) -> Bound {
        let first = usize::from(with_source.is_some());
        let unified = self.unify(&inputs, with_source, by_name);
        let (columns, shown) = (unified.columns.clone(), &unified.columns[first..]);
        let is_open = inputs.iter().any(|(_, b)| b.is_from_open());
        let open = inputs.iter().any(|(_, b)| b.rel.open);
        let depth = inputs.iter().map(|(_, b)| b.meta.depth).max().unwrap_or(0) + 1;
        let inner = inputs.iter().any(|(_, b)| b.meta.inner);
        let mut sources: Vec<Arc<str>> = inputs
            .iter()
            .flat_map(|(_, b)| b.meta.sources.iter().cloned())
            .collect();
        sources.sort_unstable();
        sources.dedup();
        let parents: Vec<usize> = inputs.iter().map(|(_, b)| b.meta.step).collect();
        let cells = columns.len().saturating_mul(inputs.len());
        let wide = cells > MAX_UNION;
        let mut labels = Vec::new();
        let mut sparse = Vec::new();
        let mut parts = Vec::new();
        let mut rels = Vec::new();
        let built = if wide {
            unified.filled.iter().map(|filled| filled.len()).sum()
        } else {
            cells
        };
        if !self.spend(built) {
            self.too_large(at);
            return self.nothing(at);
        }
        let fills = unified.filled.iter().zip(&unified.converts);
        for ((label, bound), (filled, converts)) in inputs.into_iter().zip(fills) {
            let rel = if *converts {
                converted_input(bound.rel, filled, shown)
            } else {
                bound.rel
            };
            if wide {
                labels.push(label);
                rels.push(rel);
                sparse.push(filled.clone());
                continue;
            }
            let mut columns = vec![None; shown.len()];
            for (output, from) in filled.iter() {
                columns[*output] = Some(*from);
            }
            parts.push(UnionInput { rel, label, columns });
        }
        let with_source = with_source.is_some();
        let kind = if wide {
            special(
                rels,
                Operator::WideUnion {
                    with_source,
                    labels,
                    columns: sparse,
                },
            )
        } else {
            RelKind::Union {
                inputs: parts,
                with_source,
            }
        };
        let step = self.step(word, at, columns.clone(), parents);
        let listed = is_open.then(|| (0..first + unified.shown).collect());
        let bound = Bound {
            rel: Rel {
                kind,
                columns,
                open,
                span: at,
            },
            meta: super::Meta {
                listed,
                sources: sources.into(),
                step,
                depth,
                inner,
                index: unified.index.clone(),
            },
        };
        self.guard_depth(bound, at)
    }

    /// The columns of a union, and which of them each input fills.
    fn unify(&self, inputs: &[(String, Bound)], with_source: Option<&str>, by_name: bool) -> Arc<Unified> {
        let plain =
            |bound: &Bound| bound.meta.listed.is_none() && matches!(bound.rel.kind, RelKind::Table { .. });
        if inputs.len() < SWEEP || !inputs.iter().all(|(_, bound)| plain(bound)) {
            return Arc::new(unify(inputs, with_source, by_name));
        }
        let tables = inputs.iter().map(|(_, bound)| bound.columns().clone()).collect();
        self.catalog.unified(tables, with_source, by_name, || {
            unify(inputs, with_source, by_name)
        })
    }

    /// `search`: the tables' union, named, and the rows with the term.
    pub(super) fn search(
        &mut self,
        op: &ast::Operator,
        tables: &[ast::Expr],
        predicate: &ast::Expr,
        input: Option<Bound>,
    ) -> Bound {
        let mut inputs: Vec<(String, Bound)> = Vec::new();
        match input {
            Some(input) => inputs.push((self.label(&input, 0), input)),
            None if tables.is_empty() => {
                let all = every_table(op.keyword.span);
                inputs = self.matching_tables(&all, op.keyword.span);
            }
            None => self.union_inputs(tables, &mut inputs),
        }
        let at = self.at(op.span);
        if inputs.is_empty() {
            return self.nothing(at);
        }
        let union = self.union_of(inputs, Some("$table"), false, at, "search");
        let exact = keyword(op, "kind").as_deref() == Some("case_sensitive");
        let predicate = self.search_predicate(predicate, exact, Ctx::over(&union));
        self.passed(op, union, |input| RelKind::Filter { input, predicate })
    }

    /// The condition of `search` and `find`: a bare text is a term that any
    /// column may have. `exact`: terms differ by case.
    fn search_predicate(&mut self, predicate: &ast::Expr, exact: bool, ctx: Ctx<'_>) -> Expr {
        let expr = strip(predicate);
        match &expr.kind {
            Ast::Literal(ast::Literal::String(text)) => match term(&text.value, exact) {
                Some((operator, word)) => {
                    let word = text_literal(word, expr.span);
                    self.any_column(operator, &word, expr.span, expr.span, ctx)
                }
                None => Self::literal(Value::Bool(true), Type::Bool, self.at(expr.span)),
            },
            Ast::Binary(binary) if binary.op == ast::BinaryOp::Search => {
                let Ast::Literal(ast::Literal::String(text)) = &strip(&binary.rhs).kind else {
                    return self.predicate(predicate, ctx);
                };
                let at = self.at(expr.span);
                let Some((operator, word)) = term(&text.value, exact) else {
                    // Bound all the same, for its names.
                    self.scalar(&binary.lhs, ctx);
                    return Self::literal(Value::Bool(true), Type::Bool, at);
                };
                let word = text_literal(word, binary.rhs.span);
                if matches!(binary.lhs.kind, Ast::Star) {
                    return self.any_column(operator, &word, binary.op_span, at, ctx);
                }
                let left = self.scalar(&binary.lhs, ctx);
                let right = self.scalar(&word, ctx);
                self.operator(operator, vec![left, right], binary.op_span, at)
            }
            Ast::And(parts) | Ast::Or(parts) => {
                let bound: Vec<Expr> = parts
                    .iter()
                    .map(|part| self.search_predicate(part, exact, ctx))
                    .collect();
                let kind = match &expr.kind {
                    Ast::And(_) => ExprKind::And(bound),
                    _ => ExprKind::Or(bound),
                };
                Expr {
                    kind,
                    ty: Type::Bool,
                    span: self.at(expr.span),
                }
            }
            Ast::Star => Self::literal(Value::Bool(true), Type::Bool, self.at(expr.span)),
            _ => self.predicate(predicate, ctx),
        }
    }

    /// `find`: where a row is from, the columns asked for or mentioned, and a
    /// bag of the others.
    pub(super) fn find(&mut self, op: &ast::Operator, find: &ast::Find, input: Option<Bound>) -> Bound {
        let source = keyword(op, "withsource").unwrap_or_else(|| "source_".to_owned());
        let mut inputs: Vec<(String, Bound)> = Vec::new();
        match input {
            Some(input) => inputs.push((self.label(&input, 0), input)),
            None if find.tables.is_empty() => {
                let all = every_table(op.keyword.span);
                inputs = self.matching_tables(&all, op.keyword.span);
            }
            None => self.union_inputs(&find.tables, &mut inputs),
        }
        let at = self.at(op.span);
        if inputs.is_empty() {
            return self.nothing(at);
        }
        // Tables without any of the columns the condition mentions have no such rows.
        let mut mentioned = Vec::new();
        mentions(&find.predicate, &mut mentioned, MENTION_DEPTH);
        if inputs.len() > 1 && !mentioned.is_empty() {
            let has_one = |b: &Bound| {
                mentioned
                    .iter()
                    .any(|name| b.find(name).is_some() || b.is_from_open())
            };
            if inputs.iter().any(|(_, b)| has_one(b)) {
                inputs.retain(|(_, b)| has_one(b));
            }
        }
        let common = common_columns(&inputs);
        let own = own_columns(&inputs);
        let union = self.union_of(inputs, Some(source.as_str()), true, at, "find");
        let predicate = self.search_predicate(&find.predicate, false, Ctx::over(&union));
        let span = Span::at(at.start as usize);
        let mut columns = vec![column(source.as_str(), Type::String)];
        let mut exprs = vec![union.column(0, span)];
        if let ast::FindOutput::Project(wanted) = &find.output {
            let mut names = NameTable::default();
            names.derived(&source);
            let mut packed = None;
            let mut seen = HashSet::new();
            for item in wanted {
                if matches!(strip(&item.column).kind, Ast::Call(_) | Ast::Star) {
                    packed = Some(columns.len());
                    columns.push(column(names.derived("pack_"), Type::Dynamic));
                    exprs.push(Self::broken(span));
                    continue;
                }
                let value = self.scalar(&item.column, Ctx::over(&union));
                if let ExprKind::Column(index) = value.kind {
                    seen.insert(index);
                }
                let ty = item
                    .ty
                    .as_ref()
                    .map_or(value.ty, |t| super::expressions::scalar_type(t.ty));
                let name = super::names::suggested(&item.column);
                columns.push(column(names.derived(name.text().unwrap_or("Column1")), ty));
                exprs.push(Self::converted(value, ty));
            }
            if let Some(place) = packed {
                exprs[place] = self.packed(&union, &seen, &own, span);
            }
        } else {
            let shown = common
                .into_iter()
                .chain(mentioned.iter().map(|name| Arc::from(name.as_str())));
            let mut seen = HashSet::new();
            for index in shown.filter_map(|name: Arc<str>| union.find(&name)) {
                if index > 0 && seen.insert(index) {
                    columns.push(union.columns()[index].clone());
                    exprs.push(union.column(index, span));
                }
            }
            if seen.len() + 1 < union.columns().len() {
                columns.push(column("pack_", Type::Dynamic));
                exprs.push(self.packed(&union, &seen, &own, span));
            }
        }
        let filtered = self.passed(op, union, |input| RelKind::Filter { input, predicate });
        let mut bound = self.shaped(op, filtered, columns, |input| RelKind::Project {
            input,
            kind: ProjectKind::Project,
            exprs,
        });
        if !find.project_away.is_empty() {
            let gone: HashSet<usize> = find
                .project_away
                .iter()
                .flat_map(|p| self.matching_columns(p, &bound))
                .collect();
            let kept: Vec<usize> = (0..bound.columns().len()).filter(|i| !gone.contains(i)).collect();
            let columns = kept.iter().map(|i| bound.columns()[*i].clone()).collect();
            let exprs = kept.iter().map(|i| bound.column(*i, span)).collect();
            bound = self.shaped(op, bound, columns, |input| RelKind::Project {
                input,
                kind: ProjectKind::Away,
                exprs,
            });
        }
        bound
    }

    /// The columns of a row that are not shown by themselves, in one bag: those
    /// that the row's own table has, whose names `own` says by the table's label.
    fn packed(&mut self, row: &Bound, shown: &HashSet<usize>, own: &[(String, Value)], span: Span) -> Expr {
        let mut args = Vec::new();
        for (i, c) in row.columns().iter().enumerate().skip(1) {
            if !shown.contains(&i) {
                args.push(Self::literal(Value::String(c.name.clone()), Type::String, span));
                args.push(row.column(i, span));
            }
        }
        self.spend(args.len());
        let call = |name: &str, args: Vec<Expr>| match rulec_functions::scalar(name) {
            Some(function) => Expr {
                kind: ExprKind::Call { function, args },
                ty: Type::Dynamic,
                span,
            },
            None => Self::broken(span),
        };
        let bag = call("bag_pack", args);
        if own.len() < 2 {
            return bag;
        }
        let mut names = rulec_functions::Bag::new();
        for (label, columns) in own {
            names.insert(label.as_str(), columns.clone());
        }
        let names = Self::literal(Value::Bag(Arc::new(names)), Type::Dynamic, span);
        let own = Self::element("index", names, row.column(0, span));
        let keys = call("bag_keys", vec![bag.clone()]);
        let foreign = call("set_difference", vec![keys, own]);
        call("bag_remove_keys", vec![bag, foreign])
    }

    /// `facet` and `fork` give several tables; the last is what a reader sees.
    pub(super) fn facet(
        &mut self,
        op: &ast::Operator,
        by: &[ast::Expr],
        with: Option<&ast::Expr>,
        input: Bound,
    ) -> Bound {
        let columns: Vec<usize> = by
            .iter()
            .flat_map(|key| {
                let found = self.matching_columns(key, &input);
                if found.iter().any(|i| input.columns()[*i].ty == Type::Dynamic) {
                    self.dynamic_key(key.span, "a facet");
                }
                found
            })
            .collect();
        if let Some(with) = with {
            let rows = self.inner_rows(&input, op);
            self.subquery(with, rows);
        }
        if by.is_empty() {
            self.error(codes::COLUMN_EXPECTED, op.span, "`facet` needs a column");
        }
        self.shaped(op, input, Vec::new(), |input| {
            special(vec![*input], Operator::Facet { columns })
        })
    }
}

/// A lone `*`, where tables are meant.
pub(super) fn every_table(span: Span) -> ast::Name {
    ast::Name {
        text: "*".to_owned(),
        span,
        bracketed: false,
    }
}

/// A column of a union: where each input has it, by input.
struct Together {
    column: Column,
    from: Vec<(usize, usize)>,
}

/// What a term of `search` asks for: it may begin or end with a star, and then
/// is a suffix or prefix. None when it asks for nothing.
fn term(text: &str, exact: bool) -> Option<(&'static str, &str)> {
    let operator = match (text.starts_with('*'), text.ends_with('*'), exact) {
        (false, false, false) => "has",
        (false, false, true) => "has_cs",
        (false, true, false) => "hasprefix",
        (false, true, true) => "hasprefix_cs",
        (true, false, false) => "hassuffix",
        (true, false, true) => "hassuffix_cs",
        (true, true, false) => "contains",
        (true, true, true) => "contains_cs",
    };
    let word = text.trim_matches('*');
    (!word.is_empty()).then_some((operator, word))
}

fn text_literal(text: &str, span: Span) -> ast::Expr {
    ast::Expr {
        kind: Ast::Literal(ast::Literal::String(ast::StringLiteral {
            value: text.to_owned(),
            obfuscated: false,
        })),
        span,
    }
}

/// A name in a union.
struct Named {
    name: Arc<str>,
    /// Its types in the order they come up, and for each the inputs that have
    /// it with the place there, by input.
    types: Vec<(Type, Vec<(usize, usize)>)>,
    /// The first two columns of the name are of one type.
    agreed: bool,
}

impl Named {
    fn add(&mut self, ty: Type, input: usize, index: usize) {
        if let [(known, from)] = self.types.as_slice()
            && from.len() == 1
            && *known == ty
        {
            self.agreed = true;
        }
        match self.types.iter_mut().find(|(known, _)| *known == ty) {
            Some((_, from)) => match from.last_mut() {
                // A name that one input has twice means the later column.
                Some(last) if last.0 == input => last.1 = index,
                _ => from.push((input, index)),
            },
            None => self.types.push((ty, vec![(input, index)])),
        }
    }

    /// Gives all columns of the name one type.
    fn merge(&mut self, ty: Type) {
        let mut from: Vec<(usize, usize)> = self.types.drain(..).flat_map(|(_, from)| from).collect();
        // Of an input that has the name with two types the later one counts.
        from.sort_by_key(|(input, _)| *input);
        from.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                *kept = *later;
            }
            same
        });
        self.types.push((ty, from));
    }
}

/// The columns of a union, and which of them each input fills.
fn unify(inputs: &[(String, Bound)], with_source: Option<&str>, by_name: bool) -> Unified {
    let (all, shown) = unified(inputs, by_name);
    // Every table of an environment in one union has a hundred million
    // cells, nearly all of them null: those are not written down.
    let mut filled: Vec<Vec<(usize, usize)>> = vec![Vec::new(); inputs.len()];
    let mut converts = vec![false; inputs.len()];
    for (output, unified) in all.iter().enumerate() {
        for (input, from) in &unified.from {
            let Some(filled) = filled.get_mut(*input) else {
                continue;
            };
            filled.push((output, *from));
            let own = inputs[*input].1.columns().get(*from);
            converts[*input] |= own.is_some_and(|own| becomes(own, &unified.column).is_some());
        }
    }
    let source = with_source.map(|name| column(name, Type::String));
    let columns = source
        .into_iter()
        .chain(all.into_iter().map(|unified| unified.column));
    Unified {
        columns: columns.collect(),
        index: super::Index::default(),
        shown,
        filled: filled.into_iter().map(Filled::from).collect(),
        converts,
    }
}

/// The type that a column gets in a union, if it is not its own.
fn becomes(own: &Column, unified: &Column) -> Option<Type> {
    (own.ty != unified.ty && own.ty != Type::Unknown).then_some(unified.ty)
}

/// The columns of a union, those a reader is shown first, and their number.
fn unified(inputs: &[(String, Bound)], by_name: bool) -> (Vec<Together>, usize) {
    let mut named: Vec<Named> = Vec::new();
    let mut places: HashMap<Arc<str>, usize> = HashMap::new();
    for (i, (_, bound)) in inputs.iter().enumerate() {
        let mut add = |index: usize, c: &Column| {
            let place = *places.entry(c.name.clone()).or_insert_with(|| {
                named.push(Named {
                    name: c.name.clone(),
                    types: Vec::new(),
                    agreed: false,
                });
                named.len() - 1
            });
            named[place].add(c.ty, i, index);
        };
        let columns = bound.columns();
        match &bound.meta.listed {
            None => columns.iter().enumerate().for_each(|(index, c)| add(index, c)),
            Some(listed) => listed
                .iter()
                .filter_map(|index| Some((*index, columns.get(*index)?)))
                .for_each(|(index, c)| add(index, c)),
        }
    }
    let mut names = NameTable::default();
    let mut shown: Vec<Together> = Vec::with_capacity(named.len());
    for mut name in named {
        let first = name.types[0].0;
        if by_name && name.types.len() > 1 {
            let ty = name
                .types
                .iter()
                .fold(first, |ty, (next, _)| shared_type(ty, *next));
            name.merge(ty);
        }
        // Once two tables agree on a type, later ones that do not are converted.
        if name.agreed && name.types.len() > 1 {
            name.merge(first);
        }
        let single = name.types.len() == 1;
        for (ty, from) in name.types {
            let name = if single {
                names.derived_shared(&name.name)
            } else {
                names.derived(&format!("{}_{ty}", name.name))
            };
            shown.push(Together {
                column: column(name, ty),
                from,
            });
        }
    }
    let count = shown.len();
    if inputs.iter().any(|(_, bound)| bound.meta.listed.is_some()) {
        unify_hidden(inputs, &mut shown);
    }
    (shown, count)
}

/// Adds the columns nobody mentioned on the way to the union.
fn unify_hidden(inputs: &[(String, Bound)], shown: &mut Vec<Together>) {
    let mut places: HashMap<Arc<str>, usize> = HashMap::with_capacity(shown.len());
    for (place, unified) in shown.iter().enumerate() {
        places.entry(unified.column.name.clone()).or_insert(place);
    }
    for (i, (_, bound)) in inputs.iter().enumerate() {
        let Some(listed) = &bound.meta.listed else {
            continue;
        };
        let listed: HashSet<usize> = listed.iter().copied().collect();
        for (index, c) in bound.columns().iter().enumerate() {
            if listed.contains(&index) {
                continue;
            }
            let place = *places.entry(c.name.clone()).or_insert_with(|| {
                shown.push(Together {
                    column: c.clone(),
                    from: Vec::new(),
                });
                shown.len() - 1
            });
            // Not yet mentioned, so whatever type another table gives it.
            let from = &mut shown[place].from;
            if let Err(at) = from.binary_search_by_key(&i, |(input, _)| *input) {
                from.insert(at, (i, index));
            }
        }
    }
}

/// A type that takes values of both.
fn shared_type(a: Type, b: Type) -> Type {
    match (a, b) {
        (a, b) if a == b => a,
        (Type::Unknown, other) | (other, Type::Unknown) => other,
        (Type::Decimal, b) if b.is_numeric() => a,
        (a, Type::Decimal) if a.is_numeric() => b,
        (Type::Real, b) if b.is_numeric() => a,
        (a, Type::Real) if a.is_numeric() => b,
        (Type::Int | Type::Long, Type::Int | Type::Long) => Type::Long,
        _ => Type::Dynamic,
    }
}

/// An input whose columns have the types the union gives them.
fn converted_input(rel: Rel, filled: &[(usize, usize)], shown: &[Column]) -> Rel {
    let mut types: Vec<Option<Type>> = vec![None; rel.columns.len()];
    for (output, index) in filled {
        if let Some(unified) = shown.get(*output)
            && let Some(own) = rel.columns.get(*index)
        {
            types[*index] = becomes(own, unified);
        }
    }
    let span = Span::at(rel.span.start as usize);
    let mut columns = rel.columns.to_vec();
    let exprs = columns
        .iter_mut()
        .zip(types)
        .enumerate()
        .map(|(index, (c, ty))| {
            let expr = Expr {
                kind: ExprKind::Column(index),
                ty: c.ty,
                span,
            };
            match ty {
                Some(ty) => {
                    c.ty = ty;
                    Binder::converted(expr, ty)
                }
                None => expr,
            }
        })
        .collect();
    Rel {
        columns: columns.into(),
        open: rel.open,
        span,
        kind: RelKind::Project {
            input: Box::new(rel),
            kind: ProjectKind::Extend,
            exprs,
        },
    }
}

/// The names of the columns that all tables have, in the order of the first.
fn common_columns(inputs: &[(String, Bound)]) -> Vec<Arc<str>> {
    let Some(((_, first), rest)) = inputs.split_first() else {
        return Vec::new();
    };
    first
        .columns()
        .iter()
        .map(|c| c.name.clone())
        .filter(|name| {
            rest.iter()
                .all(|(_, b)| b.is_from_open() || b.columns().iter().any(|o| o.name == *name))
        })
        .collect()
}

/// The labels of the tables and the names of their columns.
fn own_columns(inputs: &[(String, Bound)]) -> Vec<(String, Value)> {
    let names = |bound: &Bound| {
        let names = bound.columns().iter().map(|c| Value::String(c.name.clone()));
        Value::array(names.collect::<Vec<_>>())
    };
    inputs
        .iter()
        .map(|(label, bound)| (label.clone(), names(bound)))
        .collect()
}

/// Nesting to which names are looked for in a condition.
const MENTION_DEPTH: usize = 64;

/// The names a condition mentions, each once, in order.
fn mentions(expr: &ast::Expr, found: &mut Vec<String>, depth: usize) {
    if depth == 0 {
        return;
    }
    if let Ast::Name(name) = &expr.kind {
        if !found.contains(&name.text) {
            found.push(name.text.clone());
        }
        return;
    }
    let mut each = |parts: &[&ast::Expr]| {
        for part in parts {
            mentions(part, found, depth - 1);
        }
    };
    match &expr.kind {
        Ast::Parenthesised(inner) => each(&[inner]),
        Ast::Path(path) => each(&[&path.base]),
        Ast::Unary(unary) => each(&[&unary.operand]),
        Ast::Arithmetic(sum) => {
            each(&[&sum.first]);
            sum.rest.iter().for_each(|link| each(&[&link.operand]));
        }
        Ast::Binary(binary) => each(&[&binary.lhs, &binary.rhs]),
        Ast::And(parts) | Ast::Or(parts) => parts.iter().for_each(|part| each(&[part])),
        Ast::InList(list) => each(&[&list.lhs]),
        Ast::Between(between) => each(&[&between.operand, &between.from, &between.to]),
        Ast::Call(call) => call.args.iter().for_each(|arg| each(&[&arg.value])),
        _ => {}
    }
}
