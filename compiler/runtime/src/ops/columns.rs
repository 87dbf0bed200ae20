//! Columns that go on as they are: which of them, in which order.
//!
//! In: a batch, and places of columns. Out: the same columns, shared, under
//! their own names; nothing is computed and nothing copied. Where most columns
//! of a wide table go on, these say it in a line.

use super::{Aggregation, Expr, Output, Pick, Picks, Result, column};
use crate::batch::Batch;
use crate::schema::Column;
use rulec_functions::NewAccumulator;

/// These columns, in this order: `project` and `project-keep` of columns that
/// keep their names.
pub fn project_keep(input: &Batch, places: &[usize]) -> Result<Batch> {
    input.columns_at(places)
}

/// All columns but these.
pub fn project_away(input: &Batch, places: &[usize]) -> Result<Batch> {
    input.columns_at(&others(input, places).collect::<Vec<_>>())
}

/// These columns first, in this order, then the others.
pub fn project_reorder(input: &Batch, places: &[usize]) -> Result<Batch> {
    let all = places.iter().copied().chain(others(input, places));
    input.columns_at(&all.collect::<Vec<_>>())
}

/// All columns, some of them under new names.
pub fn project_rename(input: &Batch, names: &[(usize, &str)]) -> Result<Batch> {
    let columns = input.schema().columns().iter().enumerate();
    let picked = columns.map(|(place, own)| {
        let name = names.iter().find(|(renamed, _)| *renamed == place);
        let column = match name {
            Some((_, name)) => Column::new(*name, own.ty),
            None => own.clone(),
        };
        (column, place)
    });
    input.pick(&picked.collect::<Vec<_>>())
}

/// `extend` where a column that is computed anew goes to the end: all columns
/// but those of the new names, then the new ones.
pub fn extend_last(input: &Batch, added: &[Output<'_>]) -> Result<Batch> {
    let own = input.schema().columns().iter().enumerate();
    let kept = own.filter(|(_, own)| added.iter().all(|new| new.column.name != own.name));
    let kept = kept.map(|(place, own)| (own.clone(), place)).collect::<Vec<_>>();
    let added = super::project(input, added)?;
    input.pick(&kept)?.beside(&added)
}

/// Where the output columns of `mv-expand` and its relatives come from, if
/// those of the input are the first: `count` of these, then `own` others.
pub fn passed(count: usize, own: usize) -> Vec<Option<usize>> {
    (0..count)
        .map(Some)
        .chain(std::iter::repeat_n(None, own))
        .collect()
}

/// What a join puts out that keeps all columns of its left side: those, then
/// the ones given.
pub fn left_all(more: &[Pick]) -> Picks {
    Picks {
        left_all: true,
        listed: more.to_vec(),
    }
}

/// `arg_max(column, *)` and its relatives: the deciding column, then all others
/// but those that are left out, each under its own name.
pub fn agg_all<'a>(new: NewAccumulator, by: usize, without: &[usize]) -> Aggregation<'a> {
    Aggregation {
        others: Some(without.to_vec()),
        ..Aggregation::new(new, vec![column(by)], Vec::new())
    }
}

impl Aggregation<'_> {
    /// Whether its arguments are not known before the columns of the input.
    pub(super) fn is_late(&self) -> bool {
        self.others.is_some()
    }

    /// The same with all arguments, for rows with these columns; none if they
    /// are known without.
    pub(super) fn of(&self, columns: &[Column]) -> Option<Self> {
        let (without, Some(Expr::Column(by))) = (self.others.as_ref()?, self.args.first()) else {
            return None;
        };
        let others = (0..columns.len()).filter(|place| place != by && !without.contains(place));
        let places = std::iter::once(*by).chain(others).collect::<Vec<_>>();
        let outputs = places.iter().filter_map(|place| columns.get(*place).cloned());
        Some(Self::new(
            self.new,
            places.iter().map(|place| column(*place)).collect(),
            outputs.collect(),
        ))
    }
}

fn others<'a>(input: &Batch, places: &'a [usize]) -> impl Iterator<Item = usize> + use<'a> {
    (0..input.schema().len()).filter(|place| !places.contains(place))
}
