//! Columns that an operator passes on as they are, said in a line where a list
//! of them would fill a screen.
//!
//! In: an operator's outputs. Out: the short call of the runtime that gives the
//! same, or none where columns are computed too.

use rulec_ir::{AggregateCall, Column, Expr, ExprKind, Origin, ProjectKind, Rel};

use super::code::Code;
use super::emitter::{Emitter, Scope};
use super::layout::LayoutId;
use super::pipe::Pipe;

impl Emitter<'_> {
    /// A projection of nothing but columns: `project_away`, `project_keep`,
    /// `project_reorder` or `project_rename`, whichever says least.
    pub(super) fn passing(
        &mut self,
        pipe: &Pipe,
        rel: &Rel,
        input: &Rel,
        kind: ProjectKind,
        exprs: &[Expr],
    ) -> Option<Code> {
        let places = exprs.iter().map(place_of).collect::<Option<Vec<_>>>()?;
        let width = input.columns.len();
        let own = |place: &usize| input.columns.get(*place).map(|column| &column.name);
        let renamed = places
            .iter()
            .zip(rel.columns.iter())
            .filter(|(place, column)| own(place) != Some(&column.name))
            .map(|(place, column)| (*place, column))
            .collect::<Vec<_>>();
        let row = pipe.layout;
        if !renamed.is_empty() {
            let names = renamed.iter().map(|(place, column)| {
                let place = Code::Atom(self.place(row, *place));
                Code::tuple([place, Code::string(&column.name)])
            });
            let names = names.collect::<Vec<_>>();
            let whole = places.iter().copied().eq(0..width);
            return whole.then(|| Code::call(self.op("project_rename"), [pipe.rows(), Code::slice(names)]));
        }
        let missing = (0..width)
            .filter(|place| !places.contains(place))
            .collect::<Vec<_>>();
        // What the query lists is listed here, unless that takes a screen.
        let listed = matches!(kind, ProjectKind::Project | ProjectKind::Keep) && places.len() <= LISTED;
        let (name, named) = if listed {
            ("project_keep", places)
        } else if places.is_sorted_by(|a, b| a < b) && missing.len() < places.len() {
            ("project_away", missing)
        } else if missing.is_empty() && places.len() == width {
            let first = leading(&places);
            ("project_reorder", places[..first].to_vec())
        } else {
            ("project_keep", places)
        };
        let named = named.iter().map(|place| Code::Atom(self.place(row, *place)));
        let named = Code::slice(named.collect::<Vec<_>>());
        Some(Code::call(self.op(name), [pipe.rows(), named]))
    }

    /// `extend` where a column of the input that is computed anew goes to the end.
    pub(super) fn extend_last(
        &mut self,
        scope: &mut Scope,
        pipe: &Pipe,
        rel: &Rel,
        input: &Rel,
        exprs: &[Expr],
    ) -> Option<Code> {
        let own = |place: usize| input.columns.get(place).map(|column| &column.name);
        let same = exprs.iter().zip(rel.columns.iter()).take_while(|(expr, column)| {
            place_of(expr).is_some_and(|place| own(place) == Some(&column.name))
        });
        let kept = same.filter_map(|(expr, _)| place_of(expr)).collect::<Vec<_>>();
        let new = rel.columns.get(kept.len()..)?;
        let replaced = |place: usize| new.iter().any(|column| Some(&column.name) == own(place));
        let rest = (0..input.columns.len()).filter(|place| !replaced(*place));
        if kept.len() < WIDE || !rest.eq(kept.iter().copied()) || new.is_empty() {
            return None;
        }
        let new = self.outputs(scope, pipe.layout, new, &exprs[kept.len()..]);
        Some(Code::call(
            self.op("extend_last"),
            [pipe.rows(), Code::slice(new)],
        ))
    }

    /// What a join puts out, where it begins with all columns of the left rows.
    pub(super) fn left_all(
        &mut self,
        pipe: &Pipe,
        right: LayoutId,
        left: &Rel,
        columns: &[Column],
        output: &[Origin],
    ) -> Option<Code> {
        let width = left.columns.len();
        let kept = output.get(..width)?.iter().zip(columns).enumerate();
        let all = kept.clone().all(|(place, (origin, column))| {
            *origin == Origin::Left(place) && column.name == left.columns[place].name
        });
        // A short list says more than that it is everything.
        if !all || pipe.extra || width < WIDE {
            return None;
        }
        let more = columns.iter().zip(output).skip(width).map(|(column, origin)| {
            let (side, layout, place) = match origin {
                Origin::Left(place) => ("left", pipe.layout, place),
                Origin::Right(place) => ("right", right, place),
            };
            let place = Code::Atom(self.place(layout, *place));
            Code::call(self.op(side), [Code::string(&column.name), place])
        });
        let more = Code::slice(more.collect::<Vec<_>>());
        Some(Code::call(self.op("left_all"), [more]))
    }

    /// `arg_max(column, *)`: the deciding column and all but a few others.
    pub(super) fn agg_all(
        &mut self,
        pipe: &Pipe,
        input: &Rel,
        call: &AggregateCall,
        path: &str,
        outputs: &[Column],
    ) -> Option<Code> {
        let width = input.columns.len();
        let places = call.args.iter().map(place_of).collect::<Option<Vec<_>>>()?;
        let (by, others) = places.split_first()?;
        let known = others.is_sorted_by(|a, b| a < b) && !others.contains(by);
        let same = places.iter().zip(outputs).all(|(place, column)| {
            let own = input.columns.get(*place);
            own.is_some_and(|own| own.name == column.name && own.ty == column.ty)
        });
        if !known || !same || pipe.extra || places.len() != outputs.len() || places.len() < WIDE {
            return None;
        }
        let without = (0..width)
            .filter(|place| !places.contains(place))
            .collect::<Vec<_>>();
        if without.len() > places.len() {
            return None;
        }
        let row = pipe.layout;
        let by = Code::Atom(self.place(row, *by));
        let without = without.iter().map(|place| Code::Atom(self.place(row, *place)));
        let without = Code::slice(without.collect::<Vec<_>>());
        let new = Code::Atom(self.kernel(path));
        Some(Code::call(self.op("agg_all"), [new, by, without]))
    }
}

/// From how many columns on a list of them is too long to read.
const WIDE: usize = 6;

/// So many columns that a query lists are listed in the code, too.
const LISTED: usize = 24;

fn place_of(expr: &Expr) -> Option<usize> {
    match expr.kind {
        ExprKind::Column(place) => Some(place),
        _ => None,
    }
}

/// How many columns have to be named for the others to follow in their order.
fn leading(places: &[usize]) -> usize {
    (0..=places.len())
        .find(|first| {
            let (named, rest) = places.split_at(*first);
            rest.is_sorted_by(|a, b| a < b) && named.iter().all(|place| !rest.contains(place))
        })
        .unwrap_or(places.len())
}
