//! `join` and `lookup`: conditions, and the columns of two sides in one row.

use foldhash::{HashMap, HashSet, HashSetExt as _};
use rulec_functions::Type;
use rulec_kql::ast::{self, ExprKind as Ast};
use rulec_source::{Diagnostic, Span};

use super::bound::{Bound, Noted, column};
use super::names::NameTable;
use super::operators::{keyword, unsupported};
use super::statements::strip;
use super::{Binder, Ctx};
use crate::{Column, Expr, ExprKind, JoinKind, Origin, RelKind, codes};

/// A side's keys and the columns they made known.
#[derive(Default)]
struct Side {
    keys: Vec<Expr>,
    noted: Noted,
}

impl Side {
    fn push(&mut self, row: &Bound, key: Expr) {
        if let ExprKind::Column(index) = key.kind
            && row.is_hidden(index)
        {
            self.noted.add(index);
        }
        self.keys.push(key);
    }
}

/// The equalities of columns of both sides that a predicate consists of; none
/// if it has anything else.
fn equalities(predicate: &ast::Expr) -> Vec<&ast::Expr> {
    let mut found = Vec::new();
    let mut todo = vec![predicate];
    while let Some(next) = todo.pop() {
        let next = strip(next);
        let is_side = |expr: &ast::Expr| match &strip(expr).kind {
            Ast::Path(path) => matches!(&path.base.kind, Ast::Name(name) if name.text.starts_with('$')),
            _ => false,
        };
        match &next.kind {
            Ast::And(parts) => todo.extend(parts.iter().rev()),
            Ast::Binary(binary)
                if binary.op == ast::BinaryOp::Equal && is_side(&binary.lhs) && is_side(&binary.rhs) =>
            {
                found.push(next);
            }
            _ => return Vec::new(),
        }
    }
    found
}

impl Binder<'_> {
    pub(super) fn join(
        &mut self,
        op: &ast::Operator,
        right: &ast::Expr,
        condition: Option<&ast::JoinCondition>,
        mut left: Bound,
        lookup: bool,
    ) -> Bound {
        let kind = self.join_kind(op, lookup);
        let mut right = self.table(right);
        let (mut left_side, mut right_side) = (Side::default(), Side::default());
        let mut refused = false;
        match condition {
            Some(ast::JoinCondition::On(conditions)) => {
                let mut todo: Vec<&ast::Expr> = conditions.iter().rev().collect();
                while let Some(condition) = todo.pop() {
                    let condition = strip(condition);
                    if let Ast::And(parts) = &condition.kind {
                        todo.extend(parts.iter().rev());
                        continue;
                    }
                    self.join_on(condition, &left, &right, &mut left_side, &mut right_side);
                }
            }
            Some(ast::JoinCondition::Where(predicate)) => {
                let ctx = Ctx {
                    row: None,
                    sides: Some((&left, &right)),
                    target: None,
                    aggregates: None,
                };
                let conditions = equalities(predicate);
                if conditions.is_empty() {
                    self.predicate(predicate, ctx);
                    refused = true;
                }
                for condition in conditions {
                    self.join_on(condition, &left, &right, &mut left_side, &mut right_side);
                }
            }
            // The parser has said so when what follows could not be read.
            None => {
                let word = op.kind.name();
                self.report(
                    Diagnostic::new(codes::JOIN_CONDITION, format!("`{word}` needs a condition"))
                        .at(Span::at(op.span.end as usize))
                        .help("add `on` and the columns that both sides have, or `on $left.a == $right.b`"),
                );
            }
        }
        for (row, side) in [(&mut left, &mut left_side), (&mut right, &mut right_side)] {
            if let Some(listed) = &mut row.meta.listed {
                listed.extend(std::mem::take(&mut side.noted).into_order());
            }
        }
        let mut joined = self.joined(op, left, right, kind, lookup, left_side.keys, right_side.keys);
        if refused && let RelKind::Join { left, right, .. } = joined.rel.kind {
            joined.rel.kind = unsupported(vec![*left, *right], "`join … where` with more than equalities");
        }
        joined
    }

    fn join_kind(&mut self, op: &ast::Operator, lookup: bool) -> JoinKind {
        let Some(word) = keyword(op, "kind") else {
            return if lookup {
                JoinKind::LeftOuter
            } else {
                JoinKind::InnerUnique
            };
        };
        let kind = match word.as_str() {
            "inner" => Some(JoinKind::Inner),
            "leftouter" => Some(JoinKind::LeftOuter),
            _ if lookup => None,
            "innerunique" => Some(JoinKind::InnerUnique),
            "rightouter" => Some(JoinKind::RightOuter),
            "fullouter" => Some(JoinKind::FullOuter),
            "leftsemi" => Some(JoinKind::LeftSemi),
            "rightsemi" => Some(JoinKind::RightSemi),
            "leftanti" | "anti" | "leftantisemi" => Some(JoinKind::LeftAnti),
            "rightanti" | "rightantisemi" => Some(JoinKind::RightAnti),
            _ => None,
        };
        kind.unwrap_or_else(|| {
            let at = op.param("kind").map_or(op.span, |p| p.value.span);
            let (what, known) = if lookup {
                ("lookup", "`leftouter` and `inner`")
            } else {
                (
                    "join",
                    "`innerunique`, `inner`, `leftouter`, `rightouter`, `fullouter`, and the `semi` and `anti` kinds of either side",
                )
            };
            self.report(
                Diagnostic::new(codes::BAD_PARAMETER, format!("`{word}` is no kind of {what}"))
                    .at(at)
                    .help(format!("there are {known}")),
            );
            if lookup { JoinKind::LeftOuter } else { JoinKind::InnerUnique }
        })
    }

    /// One condition: a column both sides have, or `$left.a == $right.b`.
    fn join_on(&mut self, condition: &ast::Expr, left: &Bound, right: &Bound, ls: &mut Side, rs: &mut Side) {
        match &condition.kind {
            Ast::Name(name) => self.join_on_name(name, left, right, ls, rs),
            Ast::Binary(binary) if binary.op == ast::BinaryOp::Equal => {
                let (Some(l), Some(r)) = (
                    side_member(&binary.lhs, "$left"),
                    side_member(&binary.rhs, "$right"),
                ) else {
                    self.side_expected(condition, binary);
                    return;
                };
                let (l_span, r_span) = (binary.lhs.span, binary.rhs.span);
                let l = self.side_column(left, l, Ctx::NONE);
                let r = self.side_column(right, r, Ctx::NONE);
                for (key, at) in [(&l, l_span), (&r, r_span)] {
                    if key.ty == Type::Dynamic {
                        self.dynamic_key(at, "joined by");
                    }
                }
                if !comparable(l.ty, r.ty) {
                    self.error(
                        codes::WRONG_TYPE,
                        condition.span,
                        format!(
                            "a `{}` on the left is not matched with a `{}` on the right",
                            l.ty, r.ty
                        ),
                    );
                }
                ls.push(left, l);
                rs.push(right, r);
            }
            Ast::Missing => {}
            _ => self.condition_expected(condition.span),
        }
    }

    fn condition_expected(&mut self, at: Span) {
        self.report(
            Diagnostic::new(codes::JOIN_CONDITION, "rows can only be matched by columns")
                .at(at)
                .help("name a column of both sides, or write `$left.a == $right.b`; compute other keys with `extend` first"),
        );
    }

    fn side_expected(&mut self, condition: &ast::Expr, binary: &ast::Binary) {
        let swapped =
            side_member(&binary.lhs, "$right").is_some() && side_member(&binary.rhs, "$left").is_some();
        if swapped {
            self.report(
                Diagnostic::new(
                    codes::JOIN_CONDITION,
                    "`$left` belongs on the left of `==` and `$right` on the right",
                )
                .at(condition.span),
            );
        } else {
            self.condition_expected(condition.span);
        }
    }

    fn join_on_name(&mut self, name: &ast::Name, left: &Bound, right: &Bound, ls: &mut Side, rs: &mut Side) {
        let span = self.at(name.span);
        let in_left = left.find(&name.text).is_some() || left.is_from_open();
        let in_right = right.find(&name.text).is_some() || right.is_from_open();
        match (in_left, in_right) {
            (true, true) => {
                let l = self.side_column(left, name, Ctx::NONE);
                let r = self.side_column(right, name, Ctx::NONE);
                if l.ty != r.ty && l.ty != Type::Unknown && r.ty != Type::Unknown {
                    self.error(
                        codes::WRONG_TYPE,
                        name.span,
                        format!(
                            "`{}` is a `{}` on the left but a `{}` on the right",
                            name.text, l.ty, r.ty
                        ),
                    );
                    return;
                }
                ls.push(left, l);
                rs.push(right, r);
            }
            (false, false) => {
                self.unknown_name(
                    &name.text,
                    name.span,
                    Ctx {
                        row: Some(left),
                        ..Ctx::NONE
                    },
                );
                let _ = span;
            }
            (true, false) => self.one_sided(name, "right", right),
            (false, true) => self.one_sided(name, "left", left),
        }
    }

    fn one_sided(&mut self, name: &ast::Name, side: &str, row: &Bound) {
        let mut diagnostic = Diagnostic::new(
            codes::JOIN_CONDITION,
            format!("the {side} side of the join has no column `{}`", name.text),
        )
        .at(name.span);
        diagnostic = self.note_drop(diagnostic, &name.text, row);
        let close = rulec_facts::close_matches(&name.text, row.columns().iter().map(|c| &*c.name), 1);
        if let Some(meant) = close.first() {
            diagnostic = diagnostic.help(format!("did you mean `$left.{0} == $right.{meant}`?", name.text));
        }
        self.report(diagnostic);
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "the parts of one operator, put together once"
    )]
    fn joined(
        &mut self,
        op: &ast::Operator,
        left: Bound,
        right: Bound,
        kind: JoinKind,
        lookup: bool,
        left_keys: Vec<Expr>,
        right_keys: Vec<Expr>,
    ) -> Bound {
        // Both sides' columns are named anew, so they count before they are.
        if !self.spend(left.columns().len() + right.columns().len()) {
            self.too_large(op.span);
            return self.nothing(self.at(op.span));
        }
        let left_only = matches!(kind, JoinKind::LeftSemi | JoinKind::LeftAnti);
        let right_only = matches!(kind, JoinKind::RightSemi | JoinKind::RightAnti);
        // `lookup` shows keys once.
        let dropped: HashSet<usize> = if lookup {
            right_keys
                .iter()
                .filter_map(|k| match k.kind {
                    ExprKind::Column(index) => Some(index),
                    _ => None,
                })
                .collect()
        } else {
            HashSet::new()
        };
        let mut parts: Vec<(Origin, Column, bool)> = Vec::new();
        if !right_only {
            for (i, c) in left.columns().iter().enumerate() {
                parts.push((Origin::Left(i), c.clone(), left.is_hidden(i)));
            }
        }
        if !left_only {
            let mut names = NameTable::default();
            for (_, c, hidden) in &parts {
                if !hidden {
                    names.derived(&c.name);
                }
            }
            let shown: Vec<usize> = (0..right.columns().len())
                .filter(|i| !right.is_hidden(*i) && !dropped.contains(i))
                .collect();
            // Names without a clash come first: a number never hits one of them.
            let clashing: HashSet<usize> = shown
                .iter()
                .copied()
                .filter(|i| names.has(&right.columns()[*i].name))
                .collect();
            for i in shown.iter().filter(|i| !clashing.contains(i)) {
                names.derived(&right.columns()[*i].name);
            }
            for i in 0..right.columns().len() {
                if dropped.contains(&i) {
                    continue;
                }
                let c = &right.columns()[i];
                if right.is_hidden(i) {
                    parts.push((Origin::Right(i), c.clone(), true));
                } else if clashing.contains(&i) {
                    let name = names.derived(&c.name);
                    parts.push((Origin::Right(i), column(name, c.ty), false));
                } else {
                    parts.push((Origin::Right(i), c.clone(), false));
                }
            }
        }
        // Columns nobody has mentioned give way to those that are shown.
        let shown_names: HashSet<_> = parts
            .iter()
            .filter(|(.., h)| !h)
            .map(|(_, c, _)| c.name.clone())
            .collect();
        let mut hidden_names = HashSet::new();
        parts.retain(|(_, c, hidden)| {
            !hidden || (!shown_names.contains(&c.name) && hidden_names.insert(c.name.clone()))
        });
        let is_open = left.is_from_open() || right.is_from_open();
        let listed: Option<Vec<usize>> = is_open.then(|| {
            // In the order each side lists its own.
            let shown = parts.iter().enumerate().filter(|(_, (.., hidden))| !hidden);
            let places: HashMap<Origin, usize> =
                shown.map(|(place, (origin, ..))| (*origin, place)).collect();
            let order = |side: &Bound, of: fn(usize) -> Origin| -> Vec<usize> {
                let listed = side.listed().into_iter();
                listed.filter_map(|i| places.get(&of(i)).copied()).collect()
            };
            let mut listed = order(&left, Origin::Left);
            listed.extend(order(&right, Origin::Right));
            listed
        });
        let open = (left.rel.open && !right_only) || (right.rel.open && !left_only);
        let output: Vec<Origin> = parts.iter().map(|(o, ..)| *o).collect();
        let columns: Vec<Column> = parts.into_iter().map(|(_, c, _)| c).collect();
        let right_meta = right.meta.clone();
        let mut bound = self.shaped(op, left, columns, |left| RelKind::Join {
            left,
            right: Box::new(right.rel),
            kind,
            lookup,
            left_keys,
            right_keys,
            output,
        });
        bound.rel.open = open;
        bound.meta.listed = listed;
        self.merge_meta(bound, &right_meta, op.span)
    }

    /// What an operator over two inputs takes from the second.
    pub(super) fn merge_meta(&mut self, mut bound: Bound, other: &super::Meta, at: Span) -> Bound {
        let mut sources = bound.meta.sources.to_vec();
        sources.extend(other.sources.iter().cloned());
        sources.sort_unstable();
        sources.dedup();
        bound.meta.sources = sources.into();
        bound.meta.depth = bound.meta.depth.max(other.depth + 1);
        bound.meta.inner |= other.inner;
        if let Some(step) = self.history.get_mut(bound.meta.step) {
            step.parents.push(other.step);
        }
        self.guard_depth(bound, at)
    }
}

/// The column of `$left.a`.
fn side_member<'e>(expr: &'e ast::Expr, side: &str) -> Option<&'e ast::Name> {
    let Ast::Path(path) = &strip(expr).kind else {
        return None;
    };
    match (&path.base.kind, path.steps.as_slice()) {
        (
            Ast::Name(base),
            [
                ast::Step {
                    kind: ast::StepKind::Member(name),
                    ..
                },
            ],
        ) if base.text == side => Some(name),
        _ => None,
    }
}

/// Whether rows can be matched by keys of two types. Of numbers only `int`
/// and `long` can.
fn comparable(a: Type, b: Type) -> bool {
    let integer = |ty| matches!(ty, Type::Int | Type::Long);
    a == b
        || (integer(a) && integer(b))
        || matches!(a, Type::Unknown | Type::Dynamic)
        || matches!(b, Type::Unknown | Type::Dynamic)
}
