//! What an aggregate has of all groups so far, as a column of states.

use std::cmp::Ordering;
use std::collections::HashSet;

use rulec_functions::aggregate::sketch::Distinct;
use rulec_functions::order::Key;
use rulec_functions::{Accumulator, Reduction, Value};

use super::super::Result;
use super::Local;
use super::best::Best;
use super::reduce::{Call, Reduced, each};
use crate::batch::Batch;
use crate::cell::{Bits, Cell, Hashing, Table, with};
use crate::memory::Memory;
use crate::schema::Schema;
use crate::vector::{Builder, heap_bytes};

/// The states of all groups.
pub(super) enum State {
    Counts(Vec<i64>),
    Bits {
        fold: Fold,
        /// What they are; none before the first.
        kind: Option<Bits>,
        states: Vec<Option<i64>>,
    },
    Distinct {
        states: Vec<Distinct>,
        bits: u32,
        as_state: bool,
    },
    Values(Values),
    /// Rows that are kept as they are.
    Best(Best),
    Each(Vec<Box<dyn Accumulator>>),
}

/// What becomes of two numbers or times.
#[derive(Clone, Copy)]
pub(super) enum Fold {
    Sum,
    Extreme(Ordering),
}

impl Fold {
    fn of(self, before: i64, later: i64) -> i64 {
        match self {
            Fold::Sum => before.wrapping_add(later),
            Fold::Extreme(wanted) if later.cmp(&before) == wanted => later,
            Fold::Extreme(_) => before,
        }
    }
}

/// Values that are collected, of all groups together.
#[derive(Default)]
pub(super) struct Values {
    /// Each with its group, in the order in which they came.
    items: Vec<(u32, Value)>,
    /// How many each group has.
    counts: Vec<usize>,
    limit: usize,
    /// The items by hash, where each value is wanted once.
    table: Table,
    /// Groups and values that are arrays or bags.
    nested: HashSet<(u32, Key)>,
    heap: usize,
}

impl State {
    pub(super) fn new(call: &Call<'_>) -> Self {
        match call.reduction {
            Reduction::Count => State::Counts(Vec::new()),
            Reduction::Distinct { bits, as_state } => State::Distinct {
                states: Vec::new(),
                bits,
                as_state,
            },
            Reduction::Set(limit) | Reduction::List { limit, .. } => State::Values(Values {
                limit,
                ..Values::default()
            }),
            Reduction::Extreme(_) | Reduction::First if call.picks_rows() => State::Best(Best::default()),
            Reduction::Sum if call.has_one_argument() => State::bits(Fold::Sum),
            Reduction::Extreme(wanted) if call.has_one_argument() => State::bits(Fold::Extreme(wanted)),
            Reduction::Each
            | Reduction::Sum
            | Reduction::Extreme(_)
            | Reduction::First
            | Reduction::Where(..) => State::Each(Vec::new()),
        }
    }

    fn bits(fold: Fold) -> Self {
        State::Bits {
            fold,
            kind: None,
            states: Vec::new(),
        }
    }

    /// Accumulators instead of numbers, for what is neither a number nor a time
    /// or of another kind than what came before.
    fn by_accumulators(&mut self, call: &Call<'_>) {
        if let State::Bits { kind, states, .. } = self {
            let mut args = Vec::new();
            let made = states.iter().map(|state| {
                let mut made = call.fresh();
                if let (Some(kind), Some(state)) = (*kind, state) {
                    call.args_of(kind.value(*state), &mut args);
                    made.add(&args);
                }
                made
            });
            *self = State::Each(made.collect());
        }
    }

    /// The state of a new group.
    pub(super) fn add(&mut self, call: &Call<'_>) {
        match self {
            State::Counts(counts) => counts.push(0),
            State::Bits { states, .. } => states.push(None),
            State::Distinct { states, bits, .. } => states.push(Distinct::new(*bits)),
            State::Values(values) => values.counts.push(0),
            State::Best(best) => best.add(),
            State::Each(states) => states.push(call.fresh()),
        }
    }

    /// Takes what a piece adds; `places` says which of all groups each group of
    /// the piece is.
    pub(super) fn take(
        &mut self,
        call: &Call<'_>,
        piece: &Batch,
        local: &Local,
        places: &[u32],
        reduced: Reduced,
    ) -> Result<()> {
        let place = |group: u32| places[group as usize];
        let other = match (&*self, &reduced) {
            (State::Bits { kind, .. }, Reduced::Bits(own, _)) => kind.is_some_and(|kind| kind != *own),
            (State::Bits { .. }, Reduced::Nothing) => false,
            (State::Bits { .. }, _) => true,
            _ => false,
        };
        if other {
            self.by_accumulators(call);
        }
        match (self, reduced) {
            (_, Reduced::Nothing) => {}
            (State::Best(best), Reduced::Rows(rows, source)) => {
                let rows = rows.into_iter().map(|(group, row)| (place(group), row));
                best.take(call, piece, rows, &source)?;
            }
            (State::Best(best), Reduced::All(_, columns)) => {
                if let Some(source) = columns.first() {
                    let rows = local
                        .rows
                        .clone()
                        .map(|row| (places[local.group(row)], row as u32));
                    best.take(call, piece, rows, source)?;
                }
            }
            (State::Bits { fold, kind, states }, Reduced::Bits(own, more)) => {
                *kind = Some(own);
                for (place, more) in places.iter().zip(more) {
                    let state = &mut states[*place as usize];
                    if let Some(more) = more {
                        *state = Some(state.map_or(more, |before| fold.of(before, more)));
                    }
                }
            }
            (State::Counts(counts), Reduced::Counts(more)) => {
                for (place, more) in places.iter().zip(more) {
                    counts[*place as usize] += more;
                }
            }
            (State::Distinct { states, .. }, Reduced::Hashes(hashes)) => {
                for (group, hash) in hashes {
                    states[place(group) as usize].insert(hash);
                }
            }
            (State::Values(values), Reduced::Values(rows, source)) => {
                for (group, row, hash) in rows {
                    let row = row as usize;
                    match (hash, source.cell(piece, row).in_set()) {
                        (Some(hash), Some(cell)) => {
                            values.set(place(group), hash, cell, || source.get(piece, row));
                        }
                        _ => values.set_nested(place(group), source.get(piece, row)),
                    }
                }
            }
            (State::Values(values), Reduced::Rows(rows, source)) => {
                for (group, row) in rows {
                    if values.has_room(place(group)) {
                        values.push(place(group), source.get(piece, row as usize));
                    }
                }
            }
            (State::Each(states), Reduced::Bits(kind, more)) => {
                let mut args = Vec::new();
                for (place, more) in places.iter().zip(more) {
                    if let Some(more) = more {
                        call.args_of(kind.value(more), &mut args);
                        states[*place as usize].add(&args);
                    }
                }
            }
            (State::Each(states), Reduced::Rows(rows, source)) => {
                let mut args = Vec::new();
                for (group, row) in rows {
                    let row = row as usize;
                    call.args_with(source.get(piece, row), piece, row, &mut args);
                    states[place(group) as usize].add(&args);
                }
            }
            (State::Each(states), Reduced::All(chosen, columns)) => {
                let mut args = Vec::new();
                each(chosen.as_deref(), &local.rows, |row| {
                    let row = row as usize;
                    args.clear();
                    args.extend(columns.iter().map(|column| column.get(piece, row)));
                    states[places[local.group(row)] as usize].add(&args);
                });
            }
            // A call's state and what its rows are reduced to go by the same reduction.
            _ => debug_assert!(false, "a reduction that its state does not take"),
        }
        Ok(())
    }

    /// About how many bytes all states hold.
    pub(super) fn bytes(&self) -> usize {
        match self {
            State::Counts(counts) => counts.len() * size_of::<i64>(),
            State::Bits { states, .. } => states.len() * size_of::<Option<i64>>(),
            State::Distinct { states, .. } => states.iter().map(Distinct::size).sum(),
            State::Values(values) => values.bytes(),
            State::Best(best) => best.bytes(),
            State::Each(states) => states.iter().map(|state| state.size()).sum(),
        }
    }

    /// The results of all groups, in order, as the columns of the call.
    pub(super) fn finish(self, call: &Call<'_>, groups: usize, memory: &Memory) -> Result<Batch> {
        let outputs = call.outputs();
        let mut held = memory.growing("summarize");
        let mut results = outputs
            .iter()
            .map(|column| Builder::new(column.ty, groups))
            .collect::<Vec<_>>();
        let mut take = |values: Vec<Value>| {
            let mut values = values.into_iter();
            for result in &mut results {
                let value = values.next().unwrap_or_default();
                held.add(heap_bytes(&value))?;
                result.push(value);
            }
            Ok(())
        };
        match self {
            State::Best(best) => return best.finish(call, memory),
            State::Bits { kind, states, .. } => states.into_iter().try_for_each(|state| {
                take(match (kind, state) {
                    (Some(kind), Some(state)) => vec![kind.value(state)],
                    // What an aggregate gives of nothing, it knows best.
                    _ => call.fresh().finish_row(),
                })
            }),
            State::Counts(counts) => counts
                .into_iter()
                .try_for_each(|count| take(vec![Value::Long(count)])),
            State::Distinct { states, as_state, .. } => states.into_iter().try_for_each(|state| {
                take(vec![if as_state {
                    state.value()
                } else {
                    Value::Long(state.count())
                }])
            }),
            State::Values(values) => values.lists().try_for_each(|list| take(vec![Value::array(list)])),
            State::Each(states) => states.into_iter().try_for_each(|state| take(state.finish_row())),
        }?;
        let columns = results.into_iter().map(Builder::finish).collect();
        Batch::with_rows(
            Schema::new(outputs.to_vec()),
            columns,
            groups,
            memory,
            "summarize",
        )
    }
}

impl Values {
    fn has_room(&self, group: u32) -> bool {
        self.counts[group as usize] < self.limit
    }

    fn push(&mut self, group: u32, value: Value) {
        self.counts[group as usize] += 1;
        self.heap += heap_bytes(&value);
        self.items.push((group, value));
    }

    /// Adds a value unless its group has it.
    fn set(&mut self, group: u32, hash: u64, cell: Cell<'_>, value: impl FnOnce() -> Value) {
        if !self.has_room(group) {
            return;
        }
        let items = &self.items;
        let same = |entry: usize| {
            let (other, value) = &items[entry];
            *other == group && Cell::of(value).in_set().is_some_and(|other| other.same(cell))
        };
        if self.table.entry(with(hash, group), same).1 {
            self.push(group, value());
        }
    }

    /// Adds the elements of an array, or a bag, unless their group has them.
    fn set_nested(&mut self, group: u32, value: Value) {
        let Value::Array(items) = value else {
            self.set_whole(group, value);
            return;
        };
        let hashing = Hashing::default();
        for item in items.iter().filter(|item| !item.is_null()) {
            match Cell::of(item).in_set() {
                Some(cell) => self.set(group, hashing.of([cell]), cell, || item.clone()),
                None => self.set_whole(group, item.clone()),
            }
        }
    }

    /// Adds an array or a bag as it is unless its group has it.
    fn set_whole(&mut self, group: u32, value: Value) {
        if self.has_room(group) && self.nested.insert((group, Key::of(&value))) {
            // Entries of the table are numbers of items; this one is never looked for.
            self.table.insert(0);
            self.push(group, value);
        }
    }

    fn bytes(&self) -> usize {
        let item = size_of::<(u32, Value)>() + if self.table.len() > 0 { Table::ENTRY } else { 0 };
        self.items.len() * item + self.heap + self.nested.len() * 2 * size_of::<(u32, Key)>()
    }

    /// The values of each group, in order.
    fn lists(self) -> impl Iterator<Item = Vec<Value>> {
        let room = self.counts.into_iter().map(Vec::with_capacity);
        let mut lists = room.collect::<Vec<Vec<Value>>>();
        for (group, value) in self.items {
            lists[group as usize].push(value);
        }
        lists.into_iter()
    }
}
