//! Operators that expand values or hand rows to a query of their own:
//! `mv-expand`, `mv-apply`, `partition`, `fork`, `scan`, `as`.

use std::sync::Arc;

use rulec_functions::{Type, Value};
use rulec_kql::ast::{self, ExprKind as Ast};
use rulec_source::Span;

use super::bound::{Bound, Noted, column};
use super::expressions::scalar_type;
use super::names::{NameTable, Suggested};
use super::operators::{keyword, special, unsupported};
use super::scope::Entity;
use super::statements::strip;
use super::{Binder, Ctx};
use crate::{
    Binding, BindingId, BindingKind, Column, Expr, ExprKind, MvItem, Operator, Origin, Rel, RelKind,
    ScanOutput, ScanStep, SortKey, codes,
};

/// The rows that `mvexpand` makes of one at most, unless it says how many; the
/// reference of `mv-expand` says so.
const OLD_LIMIT: i64 = 128;

/// The rows of `mv-expand`, and those a subquery of `mv-apply` reads.
struct Expanded {
    columns: Vec<Column>,
    items: Vec<MvItem>,
    passed: Vec<Option<usize>>,
    with_index: bool,
    /// Input columns that are expanded themselves.
    replaced: Vec<usize>,
    /// Columns a reader is now shown.
    made: Vec<usize>,
}

impl Binder<'_> {
    fn expanded(&mut self, op: &ast::Operator, items: &[ast::MvColumn], input: &Bound) -> Expanded {
        let mut columns: Vec<Column> = input.columns().to_vec();
        let mut passed: Vec<Option<usize>> = (0..columns.len()).map(Some).collect();
        let mut bound_items: Vec<MvItem> = Vec::new();
        let mut replaced = Vec::new();
        let mut made: Vec<usize> = Vec::new();
        for item in items {
            for given in self.given(&item.column, Ctx::over(input)) {
                if !matches!(given.expr.ty, Type::Dynamic | Type::Unknown) {
                    self.report(
                        rulec_source::Diagnostic::new(
                            codes::WRONG_TYPE,
                            format!(
                                "`{}` expands `dynamic` values, but this is of type `{}`",
                                op.kind.name(),
                                given.expr.ty
                            ),
                        )
                        .at(item.column.value.span)
                        .help("make it an array first, with `parse_json`, `split` or `pack_array`"),
                    );
                }
                let mut ty = item.ty.as_ref().map_or(given.expr.ty, |ty| scalar_type(ty.ty));
                if !matches!(given.expr.ty, Type::Dynamic | Type::Unknown) {
                    ty = given.expr.ty;
                }
                let name = match (&given.explicit, &given.name) {
                    (Some((name, _)), _) => name.clone(),
                    (None, Suggested::Name(name) | Suggested::Derived(name)) => name.clone(),
                    (None, Suggested::Nothing) => {
                        self.anonymous += 1;
                        format!("Column{}", self.anonymous)
                    }
                };
                if let (ExprKind::Column(index), None) = (&given.expr.kind, &given.explicit) {
                    replaced.push(*index);
                }
                let index = if let Some(index) = columns.iter().rposition(|c| *c.name == *name) {
                    if bound_items.iter().any(|i| i.output == index) {
                        self.duplicate_column(&name, item.column.span);
                        continue;
                    }
                    columns[index].ty = ty;
                    passed[index] = None;
                    index
                } else {
                    columns.push(column(name, ty));
                    passed.push(None);
                    columns.len() - 1
                };
                made.push(index);
                bound_items.push(MvItem {
                    expr: given.expr,
                    output: index,
                    ty,
                });
            }
        }
        let index_name = op.param("with_itemindex").map(|p| match &p.value.kind {
            Ast::Name(name) => name.text.clone(),
            Ast::Literal(ast::Literal::String(text)) => text.value.clone(),
            _ => "itemindex".to_owned(),
        });
        let with_index = index_name.is_some();
        if let Some(name) = index_name {
            let mut names = NameTable::default();
            for c in &columns {
                names.derived(&c.name);
            }
            made.push(columns.len());
            columns.push(column(names.derived(&name), Type::Long));
            passed.push(None);
        }
        Expanded {
            columns,
            items: bound_items,
            passed,
            with_index,
            replaced,
            made,
        }
    }

    pub(super) fn mv_expand(
        &mut self,
        op: &ast::Operator,
        items: &[ast::MvColumn],
        limit: Option<&ast::Expr>,
        input: Bound,
    ) -> Bound {
        let expanded = self.expanded(op, items, &input);
        let limit = match limit {
            Some(limit) => Some(self.row_count(limit)),
            // The old spelling has a limit of its own.
            None if op.keyword.text == "mvexpand" => {
                let at = Span::at(self.at(op.span).end as usize);
                Some(Self::literal(Value::Long(OLD_LIMIT), Type::Long, at))
            }
            None => None,
        };
        let kind = keyword(op, "kind").or_else(|| keyword(op, "bagexpansion"));
        let bags_as_arrays = kind.as_deref() == Some("array");
        let Expanded {
            columns,
            items,
            passed,
            with_index,
            made,
            ..
        } = expanded;
        self.listed_after(op, input, columns, made, |input| RelKind::MvExpand {
            input,
            items,
            with_index,
            bags_as_arrays,
            limit,
            passed,
        })
    }

    /// The rows an operator hands to its subquery.
    pub(super) fn inner_rows(&mut self, input: &Bound, op: &ast::Operator) -> Bound {
        let span = self.at(op.span);
        let columns = input.columns().clone();
        self.inner_rows_of(input, columns, span)
    }

    fn inner_rows_of(&mut self, input: &Bound, columns: Arc<[Column]>, span: Span) -> Bound {
        let step = self.step("", span, columns.clone(), vec![input.meta.step]);
        Bound {
            rel: Rel {
                kind: RelKind::Input,
                columns,
                open: input.rel.open,
                span,
            },
            meta: super::Meta {
                step,
                depth: 1,
                inner: true,
                index: super::Index::default(),
                ..input.meta.clone()
            },
        }
    }

    /// A subquery over rows handed in.
    pub(super) fn subquery(&mut self, query: &ast::Expr, rows: Bound) -> Bound {
        if self.depth >= super::MAX_EXPR_DEPTH {
            self.too_large(query.span);
            return rows;
        }
        self.depth += 1;
        let bound = match &strip(query).kind {
            Ast::Pipeline(pipeline) => self.pipeline(pipeline, query.span, Some(rows)),
            Ast::Missing => rows,
            _ => self.table(query),
        };
        self.depth -= 1;
        bound
    }

    /// Reports the operators of a subquery that its operator does not take.
    fn check_places(
        &mut self,
        around: &ast::Operator,
        query: &ast::Expr,
        fits: fn(&ast::OperatorKind) -> bool,
    ) {
        let Ast::Pipeline(pipeline) = &strip(query).kind else {
            return;
        };
        for operator in pipeline.operators.iter().filter(|o| !fits(&o.kind)) {
            self.error(
                codes::OPERATOR_PLACE,
                operator.span,
                format!(
                    "`{}` cannot stand in `{}`",
                    operator.kind.name(),
                    around.kind.name()
                ),
            );
        }
    }

    pub(super) fn mv_apply(
        &mut self,
        op: &ast::Operator,
        items: &[ast::MvColumn],
        limit: Option<&ast::Expr>,
        query: &ast::Expr,
        input: Bound,
    ) -> Bound {
        let expanded = self.expanded(op, items, &input);
        let limit = limit.map(|l| self.row_count(l));
        let Expanded {
            columns,
            items,
            passed,
            with_index,
            replaced,
            made,
        } = expanded;
        let span = self.at(op.span);
        let mut rows = self.inner_rows_of(&input, columns.into(), span);
        let noted = std::mem::take(&mut self.noted).into_order();
        if let Some(listed) = &mut rows.meta.listed {
            let mut after = Noted::of(std::mem::take(listed));
            noted.into_iter().chain(made).for_each(|index| after.add(index));
            *listed = after.into_order();
        }
        self.check_places(op, query, reads_rows);
        let sub = self.subquery(query, rows);
        let mut output = Vec::new();
        let mut columns: Vec<Column> = Vec::new();
        let mut hidden = Vec::new();
        let mut used = vec![false; sub.columns().len()];
        for (i, c) in input.columns().iter().enumerate() {
            if replaced.contains(&i) {
                continue;
            }
            if let Some(j) = sub.find(&c.name) {
                used[j] = true;
                hidden.push(input.is_hidden(i) && sub.is_hidden(j));
                columns.push(sub.columns()[j].clone());
                output.push(Origin::Right(j));
            } else {
                hidden.push(input.is_hidden(i));
                columns.push(c.clone());
                output.push(Origin::Left(i));
            }
        }
        for (j, c) in sub.columns().iter().enumerate() {
            if !used[j] {
                hidden.push(sub.is_hidden(j));
                columns.push(c.clone());
                output.push(Origin::Right(j));
            }
        }
        let is_open = input.is_from_open() || sub.is_from_open();
        let open = input.rel.open || sub.rel.open;
        let sub_meta = sub.meta.clone();
        let mut bound = self.shaped(op, input, columns, |input| RelKind::MvApply {
            input,
            items,
            passed,
            with_index,
            limit,
            subquery: Box::new(sub.rel),
            output,
        });
        bound.rel.open = open;
        if is_open {
            bound.meta.listed = Some((0..hidden.len()).filter(|i| !hidden[*i]).collect());
        }
        // The subquery's rows are the operator's own, not those of one around it.
        let outer = bound.meta.inner;
        let mut bound = self.merge_meta(bound, &sub_meta, op.span);
        bound.meta.inner = outer;
        bound
    }

    pub(super) fn partition(
        &mut self,
        op: &ast::Operator,
        partition: &ast::Partition,
        input: Bound,
    ) -> Bound {
        let key = self.scalar(&partition.by, Ctx::over(&input));
        if key.ty == Type::Dynamic {
            self.dynamic_key(partition.by.span, "what rows are parted by");
        }
        let mut variable = None;
        let nested = input.meta.inner;
        let sub = if partition.braces {
            // The query in braces has a source of its own; the key is a variable in it.
            let before = self.scopes.enter(self.scopes.here());
            let id = BindingId(self.bindings.len());
            variable = Some(id);
            let span = self.at(partition.by.span);
            self.bindings.push(Binding {
                // Nobody wrote it, so nobody is told of it.
                name: String::new(),
                name_span: span,
                span,
                derived_from: Vec::new(),
                kind: BindingKind::Scalar(Self::literal(Value::Null, key.ty, span)),
            });
            if let Ast::Name(name) = &strip(&partition.by).kind {
                let (kind, ty) = (ExprKind::Binding(id), key.ty);
                let expr = Expr { kind, ty, span };
                self.scopes
                    .declare(&name.text, name.span, Entity::Scalar { expr, row: None });
            }
            let sub = self.table(&partition.query);
            self.scopes.leave(before);
            sub
        } else {
            self.check_places(op, &partition.query, reads_rows);
            let rows = self.inner_rows(&input, op);
            self.subquery(&partition.query, rows)
        };
        let columns = sub.columns().to_vec();
        let listed = sub.meta.listed.clone();
        let open = sub.rel.open;
        let sub_meta = sub.meta.clone();
        let mut bound = self.shaped(op, input, columns, |input| {
            let inputs = vec![*input, sub.rel];
            match variable {
                None => special(inputs, Operator::Partition { key }),
                Some(_) if nested => {
                    unsupported(inputs, "`partition` with a query in braces, within another query")
                }
                Some(variable) => special(inputs, Operator::PartitionEach { key, variable }),
            }
        });
        bound.meta.listed = listed;
        bound.rel.open = open;
        let outer = bound.meta.inner;
        let mut bound = self.merge_meta(bound, &sub_meta, op.span);
        bound.meta.inner = outer;
        bound
    }

    pub(super) fn fork(&mut self, op: &ast::Operator, branches: &[ast::ForkBranch], input: Bound) -> Bound {
        let mut inputs = Vec::new();
        for branch in branches {
            self.check_places(op, &branch.query, in_fork);
            let rows = self.inner_rows(&input, op);
            inputs.push(self.subquery(&branch.query, rows).rel);
        }
        self.shaped(op, input, Vec::new(), |input| {
            inputs.insert(0, *input);
            special(inputs, Operator::Fork)
        })
    }

    pub(super) fn scan(&mut self, op: &ast::Operator, scan: &ast::Scan, input: Bound) -> Bound {
        let partition: Vec<Expr> = scan
            .partition_by
            .iter()
            .map(|key| self.scalar(key, Ctx::over(&input)))
            .collect();
        let order: Vec<SortKey> = scan
            .order_by
            .iter()
            .map(|key| self.sort_key(key, &input, false))
            .collect();
        let mut columns: Vec<Column> = input.columns().to_vec();
        let mut declarations: Vec<(usize, Option<Expr>)> = Vec::new();
        for declared in &scan.declare {
            let ty = match &declared.ty {
                ast::ParameterType::Scalar(ty) => scalar_type(ty.ty),
                ast::ParameterType::Tabular(_) => Type::Unknown,
            };
            let default = declared
                .default
                .as_ref()
                .map(|default| Self::converted(self.constant(default), ty));
            let index = columns.iter().position(|c| *c.name == *declared.name.text);
            if let Some(index) = index {
                columns[index].ty = ty;
            } else {
                columns.push(column(declared.name.text.as_str(), ty));
            }
            declarations.push((index.unwrap_or(columns.len() - 1), default));
        }
        let row: Arc<[Column]> = columns.clone().into();
        let width = row.len();
        let span = self.at(op.span);
        let rows = self.inner_rows_of(&input, row.clone(), span);
        let before = self.scopes.enter(self.scopes.here());
        for (number, step) in scan.steps.iter().enumerate() {
            self.scopes.declare(
                &step.name.text,
                step.name.span,
                Entity::Step {
                    base: width * (number + 1),
                    columns: row.clone(),
                },
            );
        }
        self.spend(width * scan.steps.len());
        let mut steps = Vec::with_capacity(scan.steps.len());
        for step in &scan.steps {
            let condition = self.predicate(&step.condition, Ctx::over(&rows));
            let mut assignments = Vec::new();
            for assignment in &step.assignments {
                let value = self.scalar(&assignment.value, Ctx::over(&rows));
                let ast::ColumnNames::One(name) = &assignment.names else {
                    continue;
                };
                if let Some(index) = rows.find(&name.text) {
                    assignments.push((index, Self::converted(value, row[index].ty)));
                } else if !rows.is_from_open() {
                    self.unknown_name(&name.text, name.span, Ctx::over(&rows));
                }
            }
            let output = match step.output.as_ref().map(|name| name.text.as_str()) {
                Some("last") => ScanOutput::Last,
                Some("none") => ScanOutput::None,
                _ => ScanOutput::All,
            };
            steps.push(ScanStep {
                condition,
                assignments,
                output,
            });
        }
        self.scopes.leave(before);
        let optional = scan.steps.iter().any(|step| step.optional);
        let match_id = keyword(op, "with_match_id");
        let numbered = match_id.is_some();
        let mut made: Vec<usize> = (input.columns().len()..columns.len()).collect();
        if let Some(match_id) = match_id {
            let mut names = NameTable::default();
            for c in &columns {
                names.derived(&c.name);
            }
            made.push(columns.len());
            columns.push(column(names.derived(&match_id), Type::Long));
        }
        self.listed_after(op, input, columns, made, |input| {
            if optional {
                return unsupported(vec![*input], "`scan` with optional steps");
            }
            let input = if order.is_empty() {
                *input
            } else {
                Rel {
                    columns: input.columns.clone(),
                    open: input.open,
                    span,
                    kind: RelKind::Sort { input, keys: order },
                }
            };
            special(
                vec![input],
                Operator::Scan {
                    width,
                    declared: declarations,
                    steps,
                    partition,
                    match_id: numbered,
                },
            )
        })
    }

    /// `as Name`: what was computed so far can be read again.
    pub(super) fn name_rows(&mut self, name: &ast::Name, input: Bound) -> Bound {
        if input.meta.inner {
            let entity = Entity::Table(Arc::new(input.clone()));
            self.scopes.declare(&name.text, name.span, entity);
            return input;
        }
        let reference = Rel {
            kind: RelKind::Ref(BindingId(self.bindings.len())),
            columns: input.rel.columns.clone(),
            open: input.rel.open,
            span: self.at(name.span),
        };
        let mut meta = input.meta;
        meta.depth = 1;
        let materialized = true;
        self.named_rows.insert(self.bindings.len());
        self.bindings.push(Binding {
            name: name.text.clone(),
            name_span: self.at(name.span),
            span: input.rel.span,
            derived_from: Vec::new(),
            kind: BindingKind::Table {
                rel: input.rel,
                materialized,
            },
        });
        let bound = Bound { rel: reference, meta };
        self.scopes
            .declare(&name.text, name.span, Entity::Table(Arc::new(bound.clone())));
        bound
    }
}

/// Whether an operator can stand in a branch of `fork`.
fn in_fork(operator: &ast::OperatorKind) -> bool {
    use ast::OperatorKind as Op;
    matches!(
        operator,
        Op::Bad
            | Op::As { .. }
            | Op::Count { .. }
            | Op::Distinct { .. }
            | Op::Extend { .. }
            | Op::Invoke { .. }
            | Op::MvExpand { .. }
            | Op::Parse(_)
            | Op::ParseWhere(_)
            | Op::ParseKv { .. }
            | Op::Project { .. }
            | Op::ProjectAway { .. }
            | Op::ProjectByNames { .. }
            | Op::ProjectKeep { .. }
            | Op::ProjectRename { .. }
            | Op::ProjectReorder { .. }
            | Op::Reduce { .. }
            | Op::Sample { .. }
            | Op::SampleDistinct { .. }
            | Op::Sort { .. }
            | Op::Summarize { .. }
            | Op::Take { .. }
            | Op::Top { .. }
            | Op::TopHitters { .. }
            | Op::TopNested { .. }
            | Op::Where { .. }
    )
}

/// Whether an operator reads the rows of the one around it. Those that make
/// rows of their own do not, but `union`, `search` and `find` do both.
fn reads_rows(operator: &ast::OperatorKind) -> bool {
    use ast::OperatorKind as Op;
    !matches!(operator, Op::Print { .. } | Op::Range { .. })
}
