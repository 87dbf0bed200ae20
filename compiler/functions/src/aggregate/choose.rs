//! Aggregates that pick values from rows: `min`, `max`, `take_any`, `arg_max`.

use std::cmp::Ordering;

use crate::{Accumulator, Reduction, Value, order};

aggregates! { ROWS in choose {
    min "min" as Prefix("min"), [(Orderable) -> First], "The least value.",
        "range x from 3 to 5 step 1 | summarize min(x)" => "3";
    max "max" as Prefix("max"), [(Orderable) -> First], "The greatest value.",
        "range x from 3 to 5 step 1 | summarize max(x)" => "5";
    minif "minif" as Prefix("minif"), [(Orderable, Bool) -> First], "The least value of the rows where a condition holds.",
        "range x from 3 to 5 step 1 | summarize minif(x, x > 3)" => "4";
    maxif "maxif" as Prefix("maxif"), [(Orderable, Bool) -> First], "The greatest value of the rows where a condition holds.",
        "range x from 3 to 5 step 1 | summarize maxif(x, x < 5)" => "4";
    take_any "take_any" as AnyColumns("any") star, [(ScalarOrStar .. ScalarOrStar) -> First], "Any value, preferably not null or empty; for several columns, those of one row.",
        "datatable(x:long)[long(null), 2] | summarize take_any(x)" => "2",
        "datatable(x:string)['', 'a'] | summarize take_any(x)" => "a";
    take_any "any" instead "take_any" as PrefixedAnyColumns("any") star, [(Scalar) -> First, (Scalar, Scalar .. Scalar) -> First, (Star) -> First], "Any value.",
        "print x=1 | summarize any(x)" => "1";
    take_anyif "take_anyif" as FirstArgument(""), [(Scalar, Bool) -> First], "Any value of the rows where a condition holds.",
        "range x from 1 to 3 step 1 | summarize take_anyif(x, x == 2)" => "2";
    take_anyif "anyif" instead "take_anyif" as Prefix("anyif"), [(Scalar, Bool) -> First], "Any value of the rows where a condition holds.",
        "range x from 1 to 3 step 1 | summarize anyif(x, x == 2)" => "2";
    arg_min "arg_min" as Columns("min") star, [(Orderable .. ScalarOrStar) -> First], "The row with the least value: that value, and the columns named.",
        "datatable(x:long, s:string)[2, 'b', 1, 'a'] | summarize arg_min(x, s) | project s" => "a";
    arg_max "arg_max" as Columns("max") star, [(Orderable .. ScalarOrStar) -> First], "The row with the greatest value: that value, and the columns named.",
        "datatable(x:long, s:string)[2, 'b', 1, 'a'] | summarize arg_max(x, s) | project s" => "b";
    arg_min "argmin" instead "arg_min" as PrefixedColumns("min") star, [(Orderable .. ScalarOrStar) -> First], "The row with the least value.",
        "datatable(x:long, s:string)[2, 'b', 1, 'a'] | summarize argmin(x, s)" => "1";
    arg_max "argmax" instead "arg_max" as PrefixedColumns("max") star, [(Orderable .. ScalarOrStar) -> First], "The row with the greatest value.",
        "datatable(x:long, s:string)[2, 'b', 1, 'a'] | summarize argmax(x, s)" => "2";
    take_any "passthrough" as FirstArgument(""), [(Scalar) -> First], "Any value, for the service's own use.",
        "print x=1 | summarize passthrough(x)" => "1";
}}

/// The value that orders first or last.
struct Extreme {
    best: Value,
    wanted: Ordering,
}

impl Accumulator for Extreme {
    fn add(&mut self, args: &[Value]) {
        if let Some(value) = args.first()
            && !value.is_null()
            && (self.best.is_null() || order::compare(value, &self.best) == self.wanted)
        {
            self.best = value.clone();
        }
    }

    fn finish(self: Box<Self>) -> Value {
        self.best
    }

    fn reduction(&self) -> Reduction {
        Reduction::Extreme(self.wanted)
    }
}

/// `min`.
pub fn min(_: &[Value]) -> Box<dyn Accumulator> {
    Box::new(Extreme {
        best: Value::Null,
        wanted: Ordering::Less,
    })
}

/// `max`.
pub fn max(_: &[Value]) -> Box<dyn Accumulator> {
    Box::new(Extreme {
        best: Value::Null,
        wanted: Ordering::Greater,
    })
}

/// One row's values, by a rule for when a row replaces the one kept.
struct Row {
    kept: Option<Vec<Value>>,
    columns: usize,
    replaces: fn(&[Value], &[Value]) -> bool,
    reduction: Reduction,
}

impl Accumulator for Row {
    fn add(&mut self, args: &[Value]) {
        if self.kept.as_ref().is_none_or(|kept| (self.replaces)(args, kept)) {
            self.kept = Some(args.to_vec());
        }
    }

    fn finish(self: Box<Self>) -> Value {
        self.kept
            .and_then(|row| row.into_iter().next())
            .unwrap_or_default()
    }

    fn finish_row(self: Box<Self>) -> Vec<Value> {
        self.kept.unwrap_or_else(|| vec![Value::Null; self.columns])
    }

    fn size(&self) -> usize {
        let text = |value: &Value| value.as_str().map_or(0, str::len);
        let values = self.kept.iter().flatten();
        values.map(|value| size_of::<Value>() + text(value)).sum()
    }

    fn reduction(&self) -> Reduction {
        self.reduction.clone()
    }
}

fn row(
    literals: &[Value],
    reduction: Reduction,
    replaces: fn(&[Value], &[Value]) -> bool,
) -> Box<dyn Accumulator> {
    Box::new(Row {
        kept: None,
        columns: literals.len(),
        replaces,
        reduction,
    })
}

/// Whether the first value of a row orders as wanted against that of another;
/// a value always replaces null.
fn beats(row: &[Value], kept: &[Value], wanted: Ordering) -> bool {
    match (row.first(), kept.first()) {
        (Some(a), Some(b)) if !a.is_null() => b.is_null() || order::compare(a, b) == wanted,
        _ => false,
    }
}

/// `arg_min`.
pub fn arg_min(literals: &[Value]) -> Box<dyn Accumulator> {
    row(literals, Reduction::Extreme(Ordering::Less), |row, kept| {
        beats(row, kept, Ordering::Less)
    })
}

/// `arg_max`.
pub fn arg_max(literals: &[Value]) -> Box<dyn Accumulator> {
    row(literals, Reduction::Extreme(Ordering::Greater), |row, kept| {
        beats(row, kept, Ordering::Greater)
    })
}

/// `take_any`: the first row; of one column, the first value that is neither
/// null nor an empty text.
pub fn take_any(literals: &[Value]) -> Box<dyn Accumulator> {
    row(literals, Reduction::First, |row, kept| {
        kept.len() == 1 && says_nothing(&kept[0]) && row.first().is_some_and(|v| !says_nothing(v))
    })
}

fn says_nothing(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(str::is_empty)
}

predicated! {
    minif min 1;
    maxif max 1;
    take_anyif take_any 1;
}
