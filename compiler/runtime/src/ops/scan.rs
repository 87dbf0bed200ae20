//! `scan`: sequences of rows that match one step after the other.
//!
//! Source: the KQL reference, "scan operator", "Scan logic".

use std::collections::HashMap;

use rulec_functions::Value;

use super::{Expr, Result, holds};
use crate::batch::{Batch, BatchBuilder};
use crate::key::KeyBuffer;
use crate::memory::Memory;
use crate::schema::{Column, Schema};
use crate::vector::heap_bytes;

/// Which rows of a step come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanOutput {
    /// Every row that matches.
    All,
    /// The last of those that match one after the other.
    Last,
    /// None.
    None,
}

/// One step. Its expressions are over the row at hand and, behind it, for each
/// step the last row that matched it.
#[derive(Debug)]
pub struct ScanStep<'a> {
    /// When a row matches.
    pub condition: Expr<'a>,
    /// Columns and what is assigned to them then.
    pub assignments: Vec<(usize, Expr<'a>)>,
    /// Which matching rows come out.
    pub output: ScanOutput,
}

/// What `scan` is told.
#[derive(Debug)]
pub struct Scan<'a> {
    /// The columns of a row: the input's and those declared.
    pub columns: Vec<Column>,
    /// What declared columns are before anything is assigned to them.
    pub declared: Vec<(usize, Value)>,
    /// The steps.
    pub steps: Vec<ScanStep<'a>>,
    /// Rows of different keys are scanned apart.
    pub partition: Vec<Expr<'a>>,
    /// Whether the number of the match comes out as the last column.
    pub match_id: bool,
}

/// The rows of a sequence: one for each step so far.
#[derive(Clone)]
struct Sequence {
    rows: Vec<Vec<Value>>,
    id: i64,
    /// The last row of a step whose output is the last one.
    waiting: Option<Vec<Value>>,
}

/// `scan`: the rows that match, extended by what is assigned, in the order in
/// which they come.
pub fn scan(input: &Batch, scan: &Scan<'_>, schema: &Schema) -> Result<Batch> {
    let memory = input.memory();
    let mut held = memory.growing("scan");
    let mut builder = BatchBuilder::new(schema.clone(), memory);
    let wide = Schema::new(
        (0..=scan.steps.len())
            .flat_map(|_| scan.columns.iter())
            .map(|column| Column::new(column.name.clone(), column.ty))
            .collect::<Vec<_>>(),
    );
    let mut partitions: HashMap<Vec<u8>, Vec<Option<Sequence>>> = HashMap::new();
    let mut next_id = 0;
    let mut key = KeyBuffer::new();
    let own = input.schema().len();
    let blank = (0..scan.columns.len())
        .map(|place| {
            let declared = scan.declared.iter().find(|(declared, _)| *declared == place);
            declared.map_or(Value::Null, |(_, value)| value.clone())
        })
        .collect::<Vec<_>>();
    let mut output: Vec<(Vec<Value>, i64)> = Vec::new();
    for row in input {
        key.clear();
        scan.partition.iter().for_each(|expr| key.push(&expr.of(row)));
        let states = partitions
            .entry(key.bytes().to_vec())
            .or_insert_with(|| vec![None; scan.steps.len()]);
        let mut current = blank.clone();
        for (place, value) in current.iter_mut().enumerate().take(own) {
            if scan.declared.iter().all(|(declared, _)| *declared != place) {
                *value = row.get(place);
            }
        }
        output.clear();
        for (number, step) in scan.steps.iter().enumerate().rev() {
            // A row goes on with a sequence that has come to the step before…
            if let Some(before) = number.checked_sub(1)
                && let Some(sequence) = &states[before]
                && let Some(matched) = step.matched(&current, sequence, scan, &blank, &wide, memory)?
            {
                if let Some(old) = states[number].take()
                    && let Some(last) = old.waiting
                {
                    output.push((last, old.id));
                }
                if let Some(mut sequence) = states[before].take() {
                    if let Some(last) = sequence.waiting.take() {
                        output.push((last, sequence.id));
                    }
                    sequence.rows.push(matched.clone());
                    step.put_out(matched, &mut sequence, &mut output);
                    states[number] = Some(sequence);
                }
                continue;
            }
            // …or stays at its step; at the first step a new sequence begins.
            let empty = Sequence {
                rows: Vec::new(),
                id: 0,
                waiting: None,
            };
            let sequence = match &states[number] {
                Some(sequence) => sequence,
                None if number == 0 => &empty,
                None => continue,
            };
            let Some(matched) = step.matched(&current, sequence, scan, &blank, &wide, memory)? else {
                continue;
            };
            // The match is the one that goes on, though its first step matches again.
            let mut sequence = states[number].take().unwrap_or_else(|| {
                next_id += 1;
                Sequence {
                    id: next_id - 1,
                    ..empty
                }
            });
            sequence.rows.truncate(number);
            sequence.rows.push(matched.clone());
            step.put_out(matched, &mut sequence, &mut output);
            states[number] = Some(sequence);
        }
        for (values, id) in output.drain(..) {
            held.add(values.iter().map(|v| size_of::<Value>() + heap_bytes(v)).sum())?;
            push(&mut builder, values, id, scan.match_id);
        }
    }
    // Whatever still waits for a further match has had its last one.
    let mut left = partitions
        .into_values()
        .flatten()
        .flatten()
        .filter_map(|sequence| Some((sequence.waiting?, sequence.id)))
        .collect::<Vec<_>>();
    left.sort_by_key(|(_, id)| *id);
    for (values, id) in left {
        push(&mut builder, values, id, scan.match_id);
    }
    builder.finish("scan")
}

fn push(builder: &mut BatchBuilder, mut values: Vec<Value>, id: i64, match_id: bool) {
    if match_id {
        values.push(Value::Long(id));
    }
    builder.push(values);
}

impl ScanStep<'_> {
    /// The row with what is assigned to it, if it matches.
    fn matched(
        &self,
        current: &[Value],
        sequence: &Sequence,
        scan: &Scan<'_>,
        blank: &[Value],
        wide: &Schema,
        memory: &Memory,
    ) -> Result<Option<Vec<Value>>> {
        let cells = |current: &[Value]| {
            let mut cells = current.to_vec();
            for number in 0..scan.steps.len() {
                cells.extend_from_slice(sequence.rows.get(number).map_or(blank, Vec::as_slice));
            }
            Batch::from_rows(wide.clone(), [cells], memory)
        };
        let row = cells(current)?;
        if !holds(&self.condition.of(row.row(0))) {
            return Ok(None);
        }
        // Assignments see those before them.
        let mut matched = current.to_vec();
        for (place, value) in &self.assignments {
            let row = cells(&matched)?;
            if let Some(cell) = matched.get_mut(*place) {
                *cell = value.of(row.row(0));
            }
        }
        Ok(Some(matched))
    }

    fn put_out(&self, matched: Vec<Value>, sequence: &mut Sequence, output: &mut Vec<(Vec<Value>, i64)>) {
        match self.output {
            ScanOutput::All => output.push((matched, sequence.id)),
            ScanOutput::Last => sequence.waiting = Some(matched),
            ScanOutput::None => {}
        }
    }
}
