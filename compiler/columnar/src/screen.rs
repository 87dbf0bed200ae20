//! Which rows may meet a condition, from the columns that it is about.
//!
//! In: a [`Condition`] and decoded columns. Out: the rows that may meet it. A
//! test is asked of a column only where the table's type and the file's agree
//! on what its values are; of any other, every row passes.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
};
use arrow_array::{Array, ArrowPrimitiveType, BooleanArray, RecordBatch, StringViewArray};
use arrow_schema::{DataType, TimeUnit};
use rulec_runtime::condition::{Condition, Test};
use rulec_runtime::{Schema, Type};

use crate::value::ticks;

/// Texts of a column that are remembered, by where they lie: a file writes each
/// of the few that most columns have once.
const REMEMBERED: usize = 1 << 10;

/// A part of a condition that is asked of the rows that passed those before it.
pub(crate) struct Step {
    pub(crate) condition: Condition,
    /// What it is about.
    pub(crate) columns: Vec<String>,
}

/// The parts of a condition, one for the same columns, cheapest first.
pub(crate) fn steps(condition: Condition) -> Vec<Step> {
    let parts = match condition {
        Condition::All(parts) => parts,
        other => vec![other],
    };
    let mut steps: Vec<(Vec<Condition>, Vec<String>)> = Vec::new();
    for part in parts.into_iter().filter(|part| !part.is_anything()) {
        let columns: Vec<String> = part.columns().into_iter().map(str::to_owned).collect();
        match steps.iter_mut().find(|(_, known)| *known == columns) {
            Some((parts, _)) => parts.push(part),
            None => steps.push((vec![part], columns)),
        }
    }
    let steps = steps.into_iter().map(|(parts, columns)| Step {
        condition: Condition::All(parts),
        columns,
    });
    steps.collect()
}

/// The rows of a batch that may meet a condition.
pub(crate) fn passing(condition: &Condition, batch: &RecordBatch, schema: &Schema) -> BooleanArray {
    let all = (0..batch.num_rows() as u32).collect();
    let found = asked(condition, batch, schema, all);
    let mut passes = vec![false; batch.num_rows()];
    for row in found {
        passes[row as usize] = true;
    }
    BooleanArray::from(passes)
}

/// Those of the rows that may meet the condition, in their order.
fn asked(condition: &Condition, batch: &RecordBatch, schema: &Schema, rows: Vec<u32>) -> Vec<u32> {
    match condition {
        Condition::All(parts) => parts
            .iter()
            .fold(rows, |rows, part| asked(part, batch, schema, rows)),
        Condition::Any(parts) => {
            let mut rest = rows;
            let mut found: Vec<u32> = Vec::new();
            for part in parts {
                let passed = asked(part, batch, schema, rest.clone());
                if !passed.is_empty() {
                    let mut passed = passed.into_iter().peekable();
                    rest.retain(|row| {
                        let is_passed = passed.next_if_eq(row).is_some();
                        if is_passed {
                            found.push(*row);
                        }
                        !is_passed
                    });
                }
            }
            found.sort_unstable();
            found
        }
        Condition::Column(name, test) => {
            // Of columns with one name the last one counts, as for whoever reads the rows.
            let fields = batch.schema_ref().fields();
            let Some(place) = fields.iter().rposition(|field| *field.name() == **name) else {
                return if is_met_by_nothing(test) { rows } else { Vec::new() };
            };
            let column = batch.column(place);
            let declared = schema.columns().iter().find(|column| column.name == *name);
            of_column(test, column, declared.map(|column| column.ty), rows)
        }
    }
}

/// Whether a row without the column passes.
fn is_met_by_nothing(test: &Test) -> bool {
    match test {
        Test::Text(test) => test.may_pass(""),
        Test::Inside(_) | Test::Numbers(_) | Test::Time(..) => false,
    }
}

fn of_column(test: &Test, column: &dyn Array, declared: Option<Type>, mut rows: Vec<u32>) -> Vec<u32> {
    match test {
        Test::Text(test) if declared == Some(Type::String) => {
            texts(column, &mut rows, &|text| test.may_pass(text));
        }
        Test::Inside(test) if matches!(declared, Some(Type::Dynamic | Type::String)) => {
            texts(column, &mut rows, &|json| test.may_pass(json));
        }
        Test::Numbers(values) if matches!(declared, Some(Type::Int | Type::Long)) => {
            numbers(column, &mut rows, |number| values.contains(&number));
        }
        Test::Time(from, to) => {
            times(column, &mut rows, |ticks| (*from..=*to).contains(&ticks));
        }
        _ => {}
    }
    rows
}

/// Keeps the rows whose text passes; null is the empty text. What is no text
/// passes.
fn texts(column: &dyn Array, rows: &mut Vec<u32>, test: &dyn Fn(&str) -> bool) {
    match column.data_type() {
        DataType::Utf8View => views(column.as_string_view(), rows, test),
        DataType::Utf8 => {
            let column = column.as_string::<i32>();
            rows.retain(|row| {
                test(text(column.is_null(*row as usize), || {
                    column.value(*row as usize)
                }))
            });
        }
        DataType::LargeUtf8 => {
            let column = column.as_string::<i64>();
            rows.retain(|row| {
                test(text(column.is_null(*row as usize), || {
                    column.value(*row as usize)
                }))
            });
        }
        DataType::Dictionary(..) => {
            let column = column.as_any_dictionary();
            let keys = column.normalized_keys();
            let mut entries: Vec<u32> = (0..column.values().len() as u32).collect();
            texts(column.values(), &mut entries, test);
            let mut passes = vec![false; column.values().len()];
            for entry in entries {
                passes[entry as usize] = true;
            }
            rows.retain(|row| {
                let row = *row as usize;
                if column.is_null(row) {
                    test("")
                } else {
                    passes.get(keys[row]).is_none_or(|passes| *passes)
                }
            });
        }
        _ => {}
    }
}

fn text<'a>(is_null: bool, value: impl Fn() -> &'a str) -> &'a str {
    if is_null { "" } else { value() }
}

fn views(column: &StringViewArray, rows: &mut Vec<u32>, test: &dyn Fn(&str) -> bool) {
    // A view says where a text lies, or is the text: two that are the same are
    // of one text. No text has the view that is nothing but ones.
    let mut known = vec![(u128::MAX, false); REMEMBERED];
    let views = column.views();
    rows.retain(|row| {
        let row = *row as usize;
        if column.is_null(row) {
            return test("");
        }
        let view = views[row];
        let mixed = (view ^ (view >> 64)) as u64;
        let place = (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54) as usize;
        let entry = &mut known[place % REMEMBERED];
        if entry.0 != view {
            *entry = (view, test(column.value(row)));
        }
        entry.1
    });
}

/// Keeps the rows whose number passes, and those with what is no whole number.
fn numbers(column: &dyn Array, rows: &mut Vec<u32>, test: impl Fn(i64) -> bool) {
    match column.data_type() {
        DataType::Int8 => retain::<Int8Type>(column, rows, |n| test(n.into())),
        DataType::Int16 => retain::<Int16Type>(column, rows, |n| test(n.into())),
        DataType::Int32 => retain::<Int32Type>(column, rows, |n| test(n.into())),
        DataType::Int64 => retain::<Int64Type>(column, rows, test),
        DataType::UInt8 => retain::<UInt8Type>(column, rows, |n| test(n.into())),
        DataType::UInt16 => retain::<UInt16Type>(column, rows, |n| test(n.into())),
        DataType::UInt32 => retain::<UInt32Type>(column, rows, |n| test(n.into())),
        _ => {}
    }
}

/// Keeps the rows whose time passes, and those with what is none.
fn times(column: &dyn Array, rows: &mut Vec<u32>, test: impl Fn(i64) -> bool) {
    let DataType::Timestamp(unit, _) = column.data_type() else {
        return;
    };
    let unit = *unit;
    // A time that the language does not have is null.
    let test = |n: i64| ticks(unit, n).is_some_and(&test);
    match unit {
        TimeUnit::Second => retain::<TimestampSecondType>(column, rows, test),
        TimeUnit::Millisecond => retain::<TimestampMillisecondType>(column, rows, test),
        TimeUnit::Microsecond => retain::<TimestampMicrosecondType>(column, rows, test),
        TimeUnit::Nanosecond => retain::<TimestampNanosecondType>(column, rows, test),
    }
}

fn retain<T: ArrowPrimitiveType>(column: &dyn Array, rows: &mut Vec<u32>, test: impl Fn(T::Native) -> bool) {
    let column = column.as_primitive::<T>();
    rows.retain(|row| {
        let row = *row as usize;
        column.is_valid(row) && test(column.value(row))
    });
}
