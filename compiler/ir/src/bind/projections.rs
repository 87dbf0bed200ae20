//! `project`, `extend` and relatives, `distinct`, `print`.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};
use rulec_functions::matching::wildcard;
use rulec_functions::{Type, Value};
use rulec_kql::ast::{self, ExprKind as Ast};
use rulec_source::Span;

use super::bound::{Bound, Noted, column};
use super::names::{NameTable, Suggested, is_identity, suggested};
use super::statements::strip;
use super::{Binder, Ctx};
use crate::{Column, Expr, ExprKind, ProjectKind, RelKind, codes};

/// One column an expression of a projection gives.
pub(super) struct Given {
    pub(super) name: Suggested,
    /// Written by the query: `name = …`, and where.
    pub(super) explicit: Option<(String, Span)>,
    pub(super) expr: Expr,
}

impl Binder<'_> {
    /// The columns of one item: usually one, several for functions such as
    /// `series_stats`.
    pub(super) fn given(&mut self, item: &ast::Column, ctx: Ctx<'_>) -> Vec<Given> {
        let expr = self.scalar(&item.value, ctx);
        let mut name = suggested(&item.value);
        if let (Suggested::Derived(text), ExprKind::Call { function, args }) = (&name, &expr.kind)
            && let [
                Expr {
                    kind: ExprKind::Column(_),
                    ty,
                    ..
                },
            ] = args.as_slice()
            && is_identity(function.name, *ty, expr.ty)
        {
            name = Suggested::Name(text.clone());
        }
        if let (Ast::Call(call), Some(row)) = (&strip(&item.value).kind, ctx.row)
            && matches!(call.name.text.as_str(), "column_ifexists" | "columnifexists")
        {
            let column = match &expr.kind {
                ExprKind::Call { args, .. } => args.first().map(|a| &a.kind),
                kind => Some(kind),
            };
            // The other value may be a column as well.
            let wanted = |column: &Column| match call.args.first().map(|arg| &arg.value.kind) {
                Some(Ast::Literal(ast::Literal::String(wanted))) => *column.name == *wanted.value,
                _ => true,
            };
            if let Some(ExprKind::Column(index)) = column
                && let Some(column) = row.columns().get(*index)
                && wanted(column)
            {
                name = Suggested::Derived(column.name.to_string());
            }
        }
        let names: Vec<&ast::Name> = match &item.names {
            ast::ColumnNames::Derived => Vec::new(),
            ast::ColumnNames::One(name) => vec![name],
            ast::ColumnNames::Many(names) => names.iter().collect(),
        };
        let explicit = |i: usize| names.get(i).map(|n| (n.text.clone(), n.span));
        if let ExprKind::Call { function, .. } = &expr.kind
            && !function.columns.is_empty()
        {
            let columns = function.columns;
            if let [(part, ty)] = columns {
                return self.one_for_each(part, *ty, &item.value, &expr, &names);
            }
            return self.several(columns, &item.value, &expr, &names);
        }
        if let ast::ColumnNames::Many(many) = &item.names
            && many.len() > 1
        {
            self.error(
                codes::BAD_PARAMETER,
                item.span,
                "several names are given, but the expression makes one column",
            );
            return Vec::new();
        }
        vec![Given {
            name,
            explicit: explicit(0),
            expr,
        }]
    }

    /// A function that makes several columns: `series_stats(x)`.
    fn several(
        &mut self,
        columns: &'static [(&'static str, Type)],
        value: &ast::Expr,
        expr: &Expr,
        names: &[&ast::Name],
    ) -> Vec<Given> {
        let argument = match &strip(value).kind {
            Ast::Call(call) => call
                .args
                .first()
                .map(|arg| suggested(&arg.value))
                .and_then(|s| s.text().map(str::to_owned))
                .unwrap_or_default(),
            _ => String::new(),
        };
        let mut given = Vec::with_capacity(columns.len());
        for (i, (part, ty)) in columns.iter().enumerate() {
            let key = Self::literal(Value::Long(i64::try_from(i).unwrap_or(0)), Type::Long, expr.span);
            let mut element = Self::element("index", expr.clone(), key);
            element.ty = *ty;
            given.push(Given {
                name: Suggested::Derived(part.replace("{}", &argument)),
                explicit: names.get(i).map(|n| (n.text.clone(), n.span)),
                expr: element,
            });
        }
        if let Some(extra) = names.get(columns.len()) {
            self.error(
                codes::BAD_PARAMETER,
                extra.span,
                "there is no column left for this name",
            );
        }
        given
    }

    /// A function that makes a column of each array it is given:
    /// `array_sort_asc(a, b)`.
    fn one_for_each(
        &mut self,
        part: &str,
        ty: Type,
        value: &ast::Expr,
        expr: &Expr,
        names: &[&ast::Name],
    ) -> Vec<Given> {
        let (Ast::Call(call), ExprKind::Call { args, .. }) = (&strip(value).kind, &expr.kind) else {
            return Vec::new();
        };
        let arrays: Vec<&ast::Expr> = call
            .args
            .iter()
            .zip(args)
            .filter(|(_, bound)| matches!(bound.ty, Type::Dynamic | Type::Unknown))
            .map(|(arg, _)| &arg.value)
            .collect();
        let mut given = Vec::with_capacity(arrays.len());
        for (i, array) in arrays.iter().enumerate() {
            let element = if arrays.len() == 1 {
                expr.clone()
            } else {
                let key = Self::literal(Value::Long(i64::try_from(i).unwrap_or(0)), Type::Long, expr.span);
                let mut element = Self::element("index", expr.clone(), key);
                element.ty = ty;
                element
            };
            given.push(Given {
                name: match suggested(array).text() {
                    Some(name) => Suggested::Derived(part.replace("{}", name)),
                    None if arrays.len() > 1 => Suggested::Derived(part.replace("{}", &format!("array{i}"))),
                    None => Suggested::Nothing,
                },
                explicit: names.get(i).map(|n| (n.text.clone(), n.span)),
                expr: element,
            });
        }
        if let Some(extra) = names.get(arrays.len().max(1)) {
            self.error(
                codes::BAD_PARAMETER,
                extra.span,
                "there is no column left for this name",
            );
        }
        given
    }

    /// Takes the name of a column of `project`, `summarize`, `distinct`;
    /// none if it is a duplicate, which is reported.
    pub(super) fn take_name(&mut self, names: &mut NameTable, given: &Given, at: Span) -> Option<Arc<str>> {
        let (wanted, at) = match (&given.explicit, &given.name) {
            (Some((name, span)), _) => (name.as_str(), *span),
            (None, Suggested::Name(name)) => (name.as_str(), at),
            (None, Suggested::Derived(name)) => return Some(names.derived(name)),
            (None, Suggested::Nothing) => return Some(names.anonymous(&mut self.anonymous)),
        };
        let taken = names.declared(wanted);
        if taken.is_none() {
            self.duplicate_column(wanted, at);
        }
        taken
    }

    pub(super) fn duplicate_column(&mut self, name: &str, at: Span) {
        self.error(
            codes::DUPLICATE_NAME,
            at,
            format!("two columns are called `{name}`"),
        );
    }

    pub(super) fn project(&mut self, op: &ast::Operator, items: &[ast::Column], input: Bound) -> Bound {
        let mut names = NameTable::default();
        let mut columns = Vec::with_capacity(items.len());
        let mut exprs = Vec::with_capacity(items.len());
        for item in items {
            for given in self.given(item, Ctx::over(&input)) {
                if let Some(name) = self.take_name(&mut names, &given, item.span) {
                    columns.push(column(name, given.expr.ty));
                    exprs.push(given.expr);
                }
            }
        }
        self.shaped(op, input, columns, |input| RelKind::Project {
            input,
            kind: ProjectKind::Project,
            exprs,
        })
    }

    pub(super) fn print(&mut self, op: &ast::Operator, items: &[ast::Column]) -> Bound {
        let mut names = NameTable::default();
        let mut columns = Vec::with_capacity(items.len());
        let mut row = Vec::with_capacity(items.len());
        for (place, item) in items.iter().enumerate() {
            let mut all = self.given(item, Ctx::NONE);
            // Where there are names, columns without one are not there.
            match &item.names {
                ast::ColumnNames::Derived => {}
                ast::ColumnNames::One(_) => all.truncate(1),
                ast::ColumnNames::Many(names) => all.truncate(names.len()),
            }
            let several = makes_several(&item.value);
            for mut given in all {
                if given.explicit.is_none() && !(several && given.name != Suggested::Nothing) {
                    given.name = Suggested::Derived(format!("print_{place}"));
                }
                if let Some(name) = self.take_name(&mut names, &given, item.span) {
                    columns.push(column(name, given.expr.ty));
                    row.push(given.expr);
                }
            }
        }
        let at = self.at(op.span);
        self.source(RelKind::Rows(vec![row]), columns, at)
    }

    pub(super) fn extend(
        &mut self,
        op: &ast::Operator,
        items: &[ast::Column],
        input: Bound,
        kind: ProjectKind,
    ) -> Bound {
        let mut columns: Vec<Column> = input.columns().to_vec();
        let mut exprs: Vec<Expr> = self.pass_all(&input, op);
        let mut declared: HashSet<String> = HashSet::new();
        let mut made: Vec<usize> = Vec::new();
        // Columns this operator adds, by name.
        let mut added: HashMap<String, usize> = HashMap::new();
        for item in items {
            for given in self.given(item, Ctx::over(&input)) {
                let name = match (&given.explicit, &given.name) {
                    (Some((name, span)), _) => {
                        if !declared.insert(name.clone()) {
                            self.duplicate_column(name, *span);
                            continue;
                        }
                        name.clone()
                    }
                    (None, Suggested::Name(name)) => {
                        if !declared.insert(name.clone()) {
                            self.duplicate_column(name, item.span);
                            continue;
                        }
                        name.clone()
                    }
                    // Of what makes several columns, none takes another's place.
                    (None, Suggested::Derived(name)) if makes_several(&item.value) => {
                        let taken = |name: &str| added.contains_key(name) || input.find(name).is_some();
                        let mut free = name.clone();
                        let mut number = 0;
                        while taken(&free) {
                            number += 1;
                            free = format!("{name}{number}");
                        }
                        free
                    }
                    (None, Suggested::Derived(name)) => name.clone(),
                    (None, Suggested::Nothing) => loop {
                        self.anonymous += 1;
                        let name = format!("Column{}", self.anonymous);
                        if input.find(&name).is_none() {
                            break name;
                        }
                    },
                };
                // A column that is only named, and conversions that change nothing.
                if given.explicit.is_none()
                    && matches!(given.name, Suggested::Name(_))
                    && let Some(from) = column_within(&given.expr)
                    && input.columns().get(from).is_some_and(|c| *c.name == *name)
                {
                    continue;
                }
                let known = added.get(&name).copied().or_else(|| input.find(&name));
                let index = if let Some(index) = known {
                    columns[index].ty = given.expr.ty;
                    exprs[index] = given.expr;
                    index
                } else {
                    added.insert(name.clone(), columns.len());
                    columns.push(column(name, given.expr.ty));
                    exprs.push(given.expr);
                    columns.len() - 1
                };
                made.push(index);
            }
        }
        self.listed_after(op, input, columns, made, |input| RelKind::Project {
            input,
            kind,
            exprs,
        })
    }

    /// An operator that keeps the input's columns in place and adds some;
    /// `made` are those a reader is now shown.
    pub(super) fn listed_after(
        &mut self,
        op: &ast::Operator,
        input: Bound,
        columns: Vec<Column>,
        made: Vec<usize>,
        kind: impl FnOnce(Box<crate::Rel>) -> RelKind,
    ) -> Bound {
        let mut listed = input.meta.listed.clone();
        if let Some(listed) = &mut listed {
            let noted = std::mem::take(&mut self.noted).into_order();
            let mut after = Noted::of(std::mem::take(listed));
            noted.into_iter().chain(made).for_each(|index| after.add(index));
            *listed = after.into_order();
        }
        let open = input.rel.open;
        let mut bound = self.shaped(op, input, columns, kind);
        bound.meta.listed = listed;
        bound.rel.open = open;
        bound
    }

    /// Every column of the input, as it is.
    pub(super) fn pass_all(&mut self, input: &Bound, op: &ast::Operator) -> Vec<Expr> {
        let span = Span::at(self.at(op.span).start as usize);
        self.spend(input.columns().len());
        (0..input.columns().len())
            .map(|i| input.column(i, span))
            .collect()
    }

    /// Indices of the columns a name or wildcard means, unlisted ones left
    /// out of wildcards. A name that means none is reported.
    pub(super) fn matching_columns(&mut self, pattern: &ast::Expr, input: &Bound) -> Vec<usize> {
        match &strip(pattern).kind {
            Ast::Name(name) => {
                if let Some(index) = input.find(&name.text) {
                    if input.is_hidden(index) {
                        self.noted.add(index);
                    }
                    return vec![index];
                }
                if !input.is_from_open() {
                    self.unknown_name(&name.text, name.span, Ctx::over(input));
                }
                Vec::new()
            }
            Ast::Star => input.listed(),
            Ast::Wildcard(name) => {
                let found: Vec<usize> = input
                    .listed()
                    .into_iter()
                    .filter(|i| wildcard(&input.columns()[*i].name, &name.text))
                    .collect();
                if found.is_empty() && !input.is_from_open() {
                    self.error(
                        codes::UNKNOWN_NAME,
                        name.span,
                        format!("no column matches `{}`", name.text),
                    );
                }
                found
            }
            _ => {
                self.error(
                    codes::COLUMN_EXPECTED,
                    pattern.span,
                    "the name of a column is needed here",
                );
                self.scalar(pattern, Ctx::over(input));
                Vec::new()
            }
        }
    }

    /// A projection that only picks columns; the hidden ones of an open table
    /// travel along unless dropped.
    fn picked(
        &mut self,
        op: &ast::Operator,
        input: Bound,
        shown: &[usize],
        hidden: &[usize],
        kind: ProjectKind,
    ) -> Bound {
        let span = Span::at(self.at(op.span).start as usize);
        let order: Vec<usize> = shown.iter().chain(hidden).copied().collect();
        let columns: Vec<Column> = order.iter().map(|i| input.columns()[*i].clone()).collect();
        let exprs: Vec<Expr> = order.iter().map(|i| input.column(*i, span)).collect();
        let was_open = input.meta.listed.is_some();
        let open = input.rel.open && kind != ProjectKind::Keep;
        let count = shown.len();
        let mut bound = self.shaped(op, input, columns, |input| RelKind::Project {
            input,
            kind,
            exprs,
        });
        if was_open {
            bound.meta.listed = Some((0..count).collect());
        }
        bound.rel.open = open;
        bound
    }

    fn hidden_of(input: &Bound, but: &[usize]) -> Vec<usize> {
        (0..input.columns().len())
            .filter(|i| input.is_hidden(*i) && !but.contains(i))
            .collect()
    }

    pub(super) fn project_away(&mut self, op: &ast::Operator, patterns: &[ast::Expr], input: Bound) -> Bound {
        let mut gone = HashSet::new();
        for pattern in patterns {
            gone.extend(self.matching_columns(pattern, &input));
        }
        let shown: Vec<usize> = input.listed().into_iter().filter(|i| !gone.contains(i)).collect();
        let gone: Vec<usize> = (0..input.columns().len()).filter(|i| gone.contains(i)).collect();
        let hidden = Self::hidden_of(&input, &gone);
        self.picked(op, input, &shown, &hidden, ProjectKind::Away)
    }

    pub(super) fn project_keep(&mut self, op: &ast::Operator, patterns: &[ast::Expr], input: Bound) -> Bound {
        let mut kept = HashSet::new();
        for pattern in patterns {
            if let Ast::Name(name) = &strip(pattern).kind
                && input.find(&name.text).is_none()
                && input.is_from_open()
            {
                self.ask(&input, &name.text, name.span);
            }
            kept.extend(self.matching_columns(pattern, &input));
        }
        let noted = std::mem::take(&mut self.noted).into_order();
        let shown: Vec<usize> = input
            .listed()
            .into_iter()
            .chain(noted)
            .filter(|i| kept.contains(i))
            .collect();
        self.picked(op, input, &shown, &[], ProjectKind::Keep)
    }

    /// `project-by-names`: names, wildcards, and constant lists of names.
    pub(super) fn project_by_names(
        &mut self,
        op: &ast::Operator,
        patterns: &[ast::Expr],
        input: Bound,
    ) -> Bound {
        let mut shown: Vec<usize> = Vec::new();
        for pattern in patterns {
            // Texts that are names: a column's own name is a value that depends
            // on the row, and names nothing.
            let value = self.scalar(pattern, Ctx::over(&input));
            let wanted: Vec<String> = match self.literal_of(&value) {
                Some(Value::String(name)) => vec![name.to_string()],
                Some(Value::Array(names)) => names
                    .iter()
                    .filter_map(|n| n.as_str().map(str::to_owned))
                    .collect(),
                _ => Vec::new(),
            };
            let found: Vec<usize> = wanted
                .iter()
                .flat_map(|name| {
                    if !name.contains('*') {
                        return input.find(name).into_iter().collect();
                    }
                    let mut found = input.listed();
                    found.retain(|i| wildcard(&input.columns()[*i].name, name));
                    found
                })
                .collect();
            for index in found {
                if !shown.contains(&index) {
                    shown.push(index);
                }
            }
        }
        self.picked(op, input, &shown, &[], ProjectKind::Project)
    }

    pub(super) fn project_reorder(
        &mut self,
        op: &ast::Operator,
        patterns: &[ast::Ordered],
        input: Bound,
    ) -> Bound {
        let mut unknown: Vec<(usize, String, Span)> = Vec::new();
        let mut shown: Vec<usize> = Vec::new();
        let mut named = vec![false; input.columns().len()];
        for pattern in patterns {
            if let Ast::Name(name) = &strip(&pattern.value.value).kind
                && input.find(&name.text).is_none()
                && input.is_from_open()
            {
                self.ask(&input, &name.text, name.span);
            }
            if let Ast::Name(name) = &strip(&pattern.value.value).kind
                && input.find(&name.text).is_none()
                && !input.is_from_open()
            {
                // What is asked for is shown, though nobody knows what it is.
                self.unknown_name(&name.text, name.span, Ctx::over(&input));
                unknown.push((shown.len(), name.text.clone(), name.span));
                continue;
            }
            let mut found = self.matching_columns(&pattern.value.value, &input);
            // A pattern that stands for one column is as good as its name.
            if let [only] = found[..]
                && std::mem::replace(&mut named[only], true)
            {
                self.duplicate_column(&input.columns()[only].name, pattern.value.span);
            }
            if let Some(order) = pattern.order {
                let key = |i: &usize| natural_key(&input.columns()[*i].name, order);
                found.sort_by_key(key);
                if matches!(
                    order,
                    ast::SortOrder::Descending | ast::SortOrder::GrannyDescending
                ) {
                    found.reverse();
                }
            }
            for index in found {
                if !shown.contains(&index) {
                    shown.push(index);
                }
            }
        }
        for index in input.listed() {
            if !shown.contains(&index) {
                shown.push(index);
            }
        }
        let hidden = Self::hidden_of(&input, &shown);
        let bound = self.picked(op, input, &shown, &hidden, ProjectKind::Reorder);
        self.with_unknown(bound, unknown)
    }

    /// Puts columns that do not exist where they were asked for.
    fn with_unknown(&mut self, mut bound: Bound, unknown: Vec<(usize, String, Span)>) -> Bound {
        let RelKind::Project { exprs, .. } = &mut bound.rel.kind else {
            return bound;
        };
        let mut columns = bound.rel.columns.to_vec();
        for (added, (at, name, span)) in unknown.into_iter().enumerate() {
            let at = (at + added).min(columns.len());
            columns.insert(at, column(name, Type::Unknown));
            exprs.insert(at, Self::broken(span));
            if let Some(listed) = &mut bound.meta.listed {
                for index in listed.iter_mut().filter(|i| **i >= at) {
                    *index += 1;
                }
                listed.insert(at.min(listed.len()), at);
            }
        }
        bound.rel.columns = columns.into();
        if let Some(step) = self.history.get_mut(bound.meta.step) {
            step.columns = bound.rel.columns.clone();
        }
        bound
    }

    pub(super) fn project_rename(
        &mut self,
        op: &ast::Operator,
        items: &[ast::Column],
        input: Bound,
    ) -> Bound {
        let mut columns: Vec<Column> = input.columns().to_vec();
        let mut made = Vec::new();
        // Old names stay taken, also those that another item moves away.
        let mut taken: HashSet<Arc<str>> = columns.iter().map(|c| c.name.clone()).collect();
        for item in items {
            if let Ast::Name(name) = &strip(&item.value).kind
                && input.find(&name.text).is_none()
                && input.is_from_open()
            {
                self.ask(&input, &name.text, name.span);
            }
            let found = self.matching_columns(&item.value, &input);
            let (Some(index), ast::ColumnNames::One(new)) = (found.first(), &item.names) else {
                continue;
            };
            let again = made.contains(index);
            made.push(*index);
            let name: Arc<str> = new.text.as_str().into();
            if taken.insert(name.clone()) {
                // The first new name of a column stays.
                if !again {
                    columns[*index].name = name;
                }
            } else {
                self.duplicate_column(&new.text, new.span);
            }
        }
        let exprs = self.pass_all(&input, op);
        self.listed_after(op, input, columns, made, |input| RelKind::Project {
            input,
            kind: ProjectKind::Rename,
            exprs,
        })
    }

    pub(super) fn distinct(&mut self, op: &ast::Operator, items: &[ast::Expr], input: Bound) -> Bound {
        let mut names = NameTable::default();
        let mut columns: Vec<Column> = Vec::new();
        let mut exprs: Vec<Expr> = Vec::new();
        let mut star = false;
        let mut hidden: Vec<usize> = Vec::new();
        for item in items {
            let value = strip(item);
            if matches!(value.kind, Ast::Star) {
                star = true;
                for index in 0..input.columns().len() {
                    let source = &input.columns()[index];
                    if names.has(&source.name) {
                        continue;
                    }
                    if source.ty == Type::Dynamic {
                        self.dynamic_key(item.span, "told apart by `distinct`");
                    }
                    if input.is_hidden(index) {
                        hidden.push(columns.len());
                    }
                    columns.push(column(names.derived(&source.name), source.ty));
                    exprs.push(input.column(index, self.at(item.span)));
                }
                continue;
            }
            let wrapped = match &value.kind {
                Ast::Named(column) => (**column).clone(),
                _ => ast::Column {
                    names: ast::ColumnNames::Derived,
                    value: item.clone(),
                    span: item.span,
                },
            };
            for given in self.given(&wrapped, Ctx::over(&input)) {
                if given.expr.ty == Type::Dynamic {
                    self.dynamic_key(item.span, "told apart by `distinct`");
                }
                if let Some(name) = self.take_name(&mut names, &given, item.span) {
                    columns.push(column(name, given.expr.ty));
                    exprs.push(given.expr);
                }
            }
        }
        let open = input.rel.open && star;
        let count = columns.len();
        let mut bound = self.shaped(op, input, columns, |input| RelKind::Distinct { input, exprs });
        if open {
            bound.rel.open = true;
            bound.meta.listed = Some((0..count).filter(|i| !hidden.contains(i)).collect());
        }
        bound
    }
}

/// Whether an item is a call that makes several columns.
fn makes_several(value: &ast::Expr) -> bool {
    matches!(&strip(value).kind, Ast::Call(call)
        if rulec_functions::scalar(&call.name.text).is_some_and(|f| !f.columns.is_empty()))
}

/// The column that an expression is, directly or converted.
fn column_within(expr: &Expr) -> Option<usize> {
    match &expr.kind {
        ExprKind::Column(index) => Some(*index),
        ExprKind::Call { args, .. } => match args.as_slice() {
            [
                Expr {
                    kind: ExprKind::Column(index),
                    ..
                },
            ] => Some(*index),
            _ => None,
        },
        _ => None,
    }
}

/// What columns are ordered by; numbers inside names count as numbers when asked.
fn natural_key(name: &str, order: ast::SortOrder) -> Vec<(String, u64)> {
    if matches!(order, ast::SortOrder::Ascending | ast::SortOrder::Descending) {
        return vec![(name.to_owned(), 0)];
    }
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut digits = String::new();
    for c in name.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
        } else {
            if !digits.is_empty() {
                parts.push((std::mem::take(&mut text), digits.parse().unwrap_or(u64::MAX)));
                digits.clear();
            }
            text.push(c);
        }
    }
    parts.push((text, digits.parse().unwrap_or(0)));
    parts
}
