//! What emitted rules call besides the operators, so that they stay short.
//!
//! In: values and batches. Out: the same decisions that the interpreter makes
//! with closures of its own. Deliberately absent: operators.

use rulec_functions::fold::eq_fold;
use rulec_functions::{Value, compare, convert, dynamic, text};

use crate::batch::{Batch, Row};
use crate::error::RuntimeError;
use crate::ops::{self, Output};
use crate::schema::Schema;
use crate::text_set::TextSet;

/// Whether a condition is false; null is neither that nor true.
pub fn fails(condition: &Value) -> bool {
    convert::to_bool(condition) == Some(false)
}

/// Whether a text is one of a short list: `in`.
pub fn one_of(text: &str, list: &[&str]) -> bool {
    list.contains(&text)
}

/// Whether a text is one of a short list regardless of case: `in~`.
pub fn one_of_fold(text: &str, list: &[&str]) -> bool {
    list.iter().any(|item| eq_fold(text, item))
}

/// A list that is known before the rows are, looked up by hash where it holds
/// strings only.
#[derive(Clone, Debug)]
pub struct Among {
    list: Value,
    set: Option<TextSet>,
    folded: bool,
}

impl Among {
    /// The list of `in`.
    pub fn exact(list: Value) -> Self {
        Self::new(list, false)
    }

    /// The list of `in~`.
    pub fn folded(list: Value) -> Self {
        Self::new(list, true)
    }

    fn new(list: Value, folded: bool) -> Self {
        let set = match &list {
            Value::Array(items) => items.iter().map(Value::as_str).collect::<Option<Vec<_>>>(),
            Value::String(item) => Some(vec![&**item]),
            _ => None,
        };
        let set = set.map(|texts| {
            if folded {
                TextSet::folded(texts)
            } else {
                TextSet::exact(texts)
            }
        });
        Self { list, set, folded }
    }

    /// Whether a value is in the list.
    pub fn contains(&self, value: &Value) -> bool {
        match (&self.set, value) {
            (Some(set), Value::String(text)) => set.contains(text),
            (Some(set), other) if self.folded => set.contains(&text::borrow(other)),
            _ => {
                let kernel = if self.folded {
                    compare::in_tilde
                } else {
                    compare::in_
                };
                kernel(&[value.clone(), self.list.clone()]).is_true()
            }
        }
    }
}

/// A duration in ticks, as `row_window_session` takes it; no limit where there
/// is none.
pub fn ticks(value: &Value) -> i64 {
    match value {
        Value::TimeSpan(ticks) | Value::Long(ticks) => *ticks,
        Value::Int(ticks) => i64::from(*ticks),
        _ => i64::MAX,
    }
}

/// `pack_all` over the first columns of a row; `sparse` leaves null and empty
/// values out.
pub fn pack_all(row: Row<'_>, columns: usize, sparse: &Value) -> Value {
    let own = row.batch().schema().columns().iter().take(columns).enumerate();
    let pairs = own.flat_map(|(place, column)| [Value::String(column.name.clone()), row.get(place)]);
    dynamic::pack_all(&std::iter::once(sparse.clone()).chain(pairs).collect::<Vec<_>>())
}

/// A text, which is never null: the empty one where there is none.
pub fn or_empty(value: Value) -> Value {
    if value.is_null() { Value::string("") } else { value }
}

/// `toscalar`: the first column of the first row, null without rows.
pub fn first_value(rows: &Batch) -> Value {
    rows.value(0, 0)
}

/// A table where a list is expected: its first column.
pub fn first_column(rows: &Batch) -> Value {
    Value::array(rows.iter().map(|row| row.get(0)).collect::<Vec<_>>())
}

/// The column that a window function has appended, moved to a place: columns
/// that the query does not know stay behind it.
pub fn move_last(input: &Batch, place: usize) -> Result<Batch, RuntimeError> {
    let columns = input.schema().columns();
    let last = columns.len().saturating_sub(1);
    let order = (0..place.min(last)).chain([last]).chain(place.min(last)..last);
    let picked = order.filter_map(|from| Some((columns.get(from)?.clone(), from)));
    input.pick(&picked.collect::<Vec<_>>())
}

/// The input without `count` columns from a place on: those of window functions.
pub fn without(input: &Batch, place: usize, count: usize) -> Result<Batch, RuntimeError> {
    let columns = input.schema().columns().iter().cloned().enumerate();
    let kept = columns.filter(|(index, _)| *index < place || *index >= place + count);
    input.pick(&kept.map(|(index, column)| (column, index)).collect::<Vec<_>>())
}

/// `extend` and its relatives over a table that is not wholly known: these
/// columns, then those of the input from a place on that have other names.
pub fn project_open(input: &Batch, outputs: &[Output<'_>], from: usize) -> Result<Batch, RuntimeError> {
    let projected = ops::project(input, outputs)?;
    let columns = input.schema().columns().iter().enumerate().skip(from);
    let unknown = columns
        .filter(|(_, column)| projected.schema().index_of(&column.name).is_none())
        .map(|(place, column)| ops::out(column.name.clone(), column.ty, ops::column(place)))
        .collect::<Vec<_>>();
    if unknown.is_empty() {
        return Ok(projected);
    }
    projected.beside(&ops::project(input, &unknown)?)
}

/// `getschema` under the types that the query knows.
pub fn getschema(input: &Batch, schema: &Schema) -> Result<Batch, RuntimeError> {
    if input.schema().len() == schema.len() {
        ops::getschema(&input.renamed(schema.clone())?)
    } else {
        ops::getschema(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{column, out};
    use crate::{Memory, Type};

    #[test]
    fn lists() {
        let list = Value::array(vec![Value::string("a"), Value::string("B")]);
        let (exact, folded) = (Among::exact(list.clone()), Among::folded(list));
        assert!(exact.contains(&Value::string("B")) && !exact.contains(&Value::string("b")));
        assert!(folded.contains(&Value::string("b")) && !folded.contains(&Value::Null));
        let mixed = Among::exact(Value::array(vec![Value::Long(3), Value::string("x")]));
        assert!(mixed.contains(&Value::Int(3)) && !mixed.contains(&Value::Null));
        assert!(one_of("a", &["a"]) && !one_of("A", &["a"]) && one_of_fold("A", &["b", "a"]));
        assert!(fails(&Value::Bool(false)) && !fails(&Value::Null) && !fails(&Value::Bool(true)));
    }

    #[test]
    fn columns_move_and_go() -> Result<(), RuntimeError> {
        let schema = Schema::of(&[("a", Type::Long), ("b", Type::Long), ("w", Type::Long)]);
        let row = vec![Value::Long(1), Value::Long(2), Value::Long(3)];
        let t = Batch::from_rows(schema, [row], &Memory::default())?;
        let names = |t: &Batch| {
            t.schema()
                .columns()
                .iter()
                .map(|c| c.name.to_string())
                .collect::<String>()
        };
        let moved = move_last(&t, 1)?;
        assert_eq!(names(&moved), "awb");
        assert_eq!(names(&without(&moved, 1, 1)?), "ab");
        let open = project_open(&t, &[out("b", Type::Long, column(0))], 1)?;
        assert_eq!(names(&open), "bw");
        assert_eq!(first_column(&t).as_str(), None);
        assert!(matches!(first_value(&t), Value::Long(1)));
        assert_eq!(getschema(&t, &Schema::of(&[]))?.rows(), 3);
        Ok(())
    }
}
