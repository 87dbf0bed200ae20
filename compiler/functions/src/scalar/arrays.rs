//! Dynamic arrays, and arrays as sets.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::strings::length;
use crate::args::{array, get, long, long_or};
use crate::order::{self, Key};
use crate::{Value, calendar, convert};

/// The most elements that `range` and `repeat` make.
const MAX_ELEMENTS: usize = 1_048_576;

rows! { ROWS: Function in arrays {
    pack_array "pack_array", [(Scalar .. Scalar) -> Array, (Star) -> Array], "An array of the arguments.",
        "pack_array(1, 'a', 2s)" => "[1,\"a\",\"00:00:02\"]";
    array_length "array_length", [(Array) -> Long], "The number of elements; null for what is no array.",
        "array_length(dynamic([1, 2, 3]))" => "3", "array_length(dynamic({}))" => "";
    array_length "arraylength" instead "array_length", [(Array) -> Long], "The number of elements.",
        "arraylength(dynamic([1]))" => "1";
    array_concat "array_concat", [(Array .. Array to 64) -> Dynamic], "The elements of several arrays in one.",
        "array_concat(dynamic([1]), dynamic([2, 3]))" => "[1,2,3]";
    array_iff "array_iff" = "array_iif", [(Array, Scalar, Scalar) -> Array], "For each condition in an array, the element of one array or another (or one value for all).",
        "array_iff(dynamic([true, false]), dynamic([1, 2]), dynamic([4, 5]))" => "[1,5]", "array_iff(dynamic([1, 0]), 'yes', 'no')" => "[\"yes\",\"no\"]";
    array_index_of "array_index_of", [(Array, Scalar; Integer, Integer, ConstInteger) -> Long], "Where a value first is in an array, or -1: after a start, within a length, counting occurrences.",
        "array_index_of(dynamic(['a', 'b', 'a']), 'a', 1)" => "2", "array_index_of(dynamic([1]), 5)" => "-1";
    array_slice "array_slice", [(Array, Integer, Integer) -> First], "The elements between two positions, both included, from the end if negative.",
        "array_slice(dynamic([1, 2, 3, 4, 5]), 2, -1)" => "[3,4,5]";
    array_split "array_split", [(Array, Integer) -> First, (Array, Array) -> First], "An array cut in pieces at one or several positions.",
        "array_split(dynamic([1, 2, 3, 4, 5]), 2)" => "[[1,2],[3,4,5]]", "array_split(dynamic([1, 2, 3, 4, 5]), dynamic([1, 3]))" => "[[1],[2,3],[4,5]]";
    array_shift_left "array_shift_left", [(Array, Integer; Scalar) -> First], "An array moved left, with null or a value filling up.",
        "array_shift_left(dynamic([1, 2, 3]), 1)" => "[2,3,null]", "array_shift_left(dynamic([1, 2, 3]), -2, -1)" => "[-1,-1,1]";
    array_shift_right "array_shift_right", [(Array, Integer; Scalar) -> First], "An array moved right, with null or a value filling up.",
        "array_shift_right(dynamic([1, 2, 3]), 2)" => "[null,null,1]";
    array_rotate_left "array_rotate_left", [(Array, Integer) -> First], "An array moved left, the elements that leave coming back.",
        "array_rotate_left(dynamic([1, 2, 3, 4, 5]), 2)" => "[3,4,5,1,2]", "array_rotate_left(dynamic([1, 2, 3]), -1)" => "[3,1,2]";
    array_rotate_right "array_rotate_right", [(Array, Integer) -> First], "An array moved right, the elements that leave coming back.",
        "array_rotate_right(dynamic([1, 2, 3, 4, 5]), 2)" => "[4,5,1,2,3]";
    array_reverse "array_reverse", [(Array) -> First], "The elements in the opposite order.",
        "array_reverse(dynamic(['a', 'b']))" => "[\"b\",\"a\"]";
    array_sort_asc "array_sort_asc" with ["{}_sorted": Dynamic] never constant, [(Array .. Array to 64) -> Dynamic, (Array .. Array to 65 => ConstBool) -> Dynamic], "An array sorted, nulls last, and further arrays in the order of the first; with false as the last argument, nulls first.",
        "array_sort_asc(dynamic([null, 'd', 'a']))" => "[\"a\",\"d\",null]", "array_sort_asc(dynamic([2, 1]), dynamic(['a', 'b']))[1]" => "[\"b\",\"a\"]";
    array_sort_desc "array_sort_desc" with ["{}_sorted": Dynamic] never constant, [(Array .. Array to 64) -> Dynamic, (Array .. Array to 65 => ConstBool) -> Dynamic], "As array_sort_asc, the other way around; nulls are last, too.",
        "array_sort_desc(dynamic([null, 1, 3]))" => "[3,1,null]";
    zip "zip", [(Array, Array .. Array to 64) -> Array], "An array of the first elements, of the second ones, and so on.",
        "zip(dynamic([1, 3]), dynamic([2, 4]))" => "[[1,2],[3,4]]", "zip(dynamic([1, 3]), dynamic([2]))" => "[[1,2],[3,null]]";
    range "range", [(Summable, Summable; Summable) -> Array], "An array of values from one to another in steps (1, or one hour).",
        "range(1, 8, 3)" => "[1,4,7]", "range(1, 3)" => "[1,2,3]";
    repeat "repeat" as Prefix("repeat"), [(Scalar, Long) -> Array], "An array of one value several times.",
        "repeat(1, 3)" => "[1,1,1]";
    set_union "set_union", [(Array, Array .. Array to 64) -> Array], "The different elements of all the arrays.",
        "set_union(dynamic([1, 2, 1, 4]), dynamic([1, 8]))" => "[1,2,4,8]";
    set_intersect "set_intersect", [(Array, Array .. Array to 64) -> Array], "The different elements that are in each of the arrays.",
        "set_intersect(dynamic([1, 2, 3]), dynamic([3, 2, 5]))" => "[2,3]";
    set_difference "set_difference", [(Array, Array .. Array to 64) -> Array], "The different elements of the first array that are in no other.",
        "set_difference(dynamic([1, 2, 3]), dynamic([2]))" => "[1,3]";
    set_has_element "set_has_element", [(Array, Scalar) -> Bool], "Whether a value is in an array.",
        "set_has_element(dynamic(['this', 'is']), 'is')" => "true";
    set_equals "set_equals", [(Array, Array) -> Bool], "Whether two arrays have the same different elements.",
        "set_equals(dynamic([1, 2, 2]), dynamic([2, 1]))" => "true";
    jaccard_index "jaccard_index", [(Array, Array) -> Array], "How many of the different elements of two arrays are in both, from 0 to 1.",
        "jaccard_index(dynamic([1, 2, 3]), dynamic([2, 3, 4]))" => "0.5";
}}

/// `pack_array`.
pub fn pack_array(args: &[Value]) -> Value {
    Value::array(args)
}

/// `array_length`.
pub fn array_length(args: &[Value]) -> Value {
    length(array(args, 0).map(<[Value]>::len))
}

/// `array_concat`.
pub fn array_concat(args: &[Value]) -> Value {
    let mut out: Option<Vec<Value>> = None;
    for arg in args {
        if let Value::Array(items) = arg {
            out.get_or_insert_default().extend_from_slice(items);
        }
    }
    out.map_or(Value::Null, Value::array)
}

/// `array_iff`.
pub fn array_iff(args: &[Value]) -> Value {
    let Some(conditions) = array(args, 0) else {
        return Value::Null;
    };
    let pick = |from: &Value, at: usize| match from {
        Value::Array(items) => items.get(at).cloned().unwrap_or_default(),
        one => one.clone(),
    };
    let chosen = conditions
        .iter()
        .enumerate()
        .map(|(at, condition)| match convert::to_bool(condition) {
            Some(true) => pick(get(args, 1), at),
            Some(false) => pick(get(args, 2), at),
            None => Value::Null,
        });
    Value::Array(chosen.collect())
}

/// `array_index_of`.
pub fn array_index_of(args: &[Value]) -> Value {
    let Some(items) = array(args, 0) else {
        return Value::Null;
    };
    let size = items.len() as i64;
    let start = long_or(args, 2, 0);
    let start = if start < 0 {
        start.saturating_add(size)
    } else {
        start
    }
    .clamp(0, size);
    let count = long_or(args, 3, -1);
    let end = if count < 0 {
        size
    } else {
        start.saturating_add(count).min(size)
    };
    let occurrence = long_or(args, 4, 1);
    if count < -1 || occurrence < 1 {
        return Value::Null;
    }
    let needle = get(args, 1);
    let found = (start..end)
        .filter(|&at| {
            usize::try_from(at)
                .ok()
                .and_then(|at| items.get(at))
                .is_some_and(|item| order::same(item, needle))
        })
        .nth(usize::try_from(occurrence - 1).unwrap_or(0));
    Value::Long(found.unwrap_or(-1))
}

/// `array_slice`.
pub fn array_slice(args: &[Value]) -> Value {
    let (Some(items), Some(start), Some(end)) = (array(args, 0), long(args, 1), long(args, 2)) else {
        return Value::Null;
    };
    let size = items.len() as i64;
    let from = |at: i64| if at < 0 { at.saturating_add(size) } else { at };
    let start = from(start).clamp(0, size);
    let end = from(end).saturating_add(1).clamp(start, size);
    Value::array(&items[start as usize..end as usize])
}

/// `array_split`.
pub fn array_split(args: &[Value]) -> Value {
    let Some(items) = array(args, 0) else {
        return Value::Null;
    };
    let size = items.len() as i64;
    let mut pieces = Vec::new();
    let mut start = 0;
    for at in crate::args::flatten(args, 1).filter_map(convert::to_long) {
        let at = if at < 0 { at.saturating_add(size) } else { at }.clamp(start as i64, size);
        pieces.push(Value::array(&items[start..at as usize]));
        start = at as usize;
    }
    pieces.push(Value::array(&items[start..]));
    Value::array(pieces)
}

/// Moves elements left by a number of places, right if it is negative.
fn shifted(items: &[Value], by: i64, fill: &Value) -> Value {
    let moved = (0..items.len() as i64).map(|at| {
        at.checked_add(by)
            .and_then(|at| usize::try_from(at).ok())
            .and_then(|at| items.get(at))
            .unwrap_or(fill)
            .clone()
    });
    Value::Array(moved.collect())
}

/// `array_shift_left`.
pub fn array_shift_left(args: &[Value]) -> Value {
    match (array(args, 0), long(args, 1)) {
        (Some(items), Some(by)) => shifted(items, by, get(args, 2)),
        _ => Value::Null,
    }
}

/// `array_shift_right`.
pub fn array_shift_right(args: &[Value]) -> Value {
    match (array(args, 0), long(args, 1)) {
        (Some(items), Some(by)) => shifted(items, by.saturating_neg(), get(args, 2)),
        _ => Value::Null,
    }
}

fn rotated(args: &[Value], left: bool) -> Value {
    let (Some(items), Some(by)) = (array(args, 0), long(args, 1)) else {
        return Value::Null;
    };
    let mut items = items.to_vec();
    if !items.is_empty() {
        let by = by.rem_euclid(items.len() as i64) as usize;
        if left {
            items.rotate_left(by);
        } else {
            items.rotate_right(by);
        }
    }
    Value::array(items)
}

/// `array_rotate_left`.
pub fn array_rotate_left(args: &[Value]) -> Value {
    rotated(args, true)
}

/// `array_rotate_right`.
pub fn array_rotate_right(args: &[Value]) -> Value {
    rotated(args, false)
}

/// `array_reverse`.
pub fn array_reverse(args: &[Value]) -> Value {
    match array(args, 0) {
        Some(items) => Value::Array(items.iter().rev().cloned().collect()),
        None => Value::Null,
    }
}

/// One array sorted, or an array of the first sorted and the others in its order.
fn sorted(args: &[Value], descending: bool) -> Value {
    let (arrays, nulls_last) = match args.last() {
        Some(Value::Bool(nulls_last)) if args.len() > 1 => (&args[..args.len() - 1], *nulls_last),
        _ => (args, true),
    };
    let Some(keys) = array(arrays, 0) else {
        return Value::Null;
    };
    let mut indices: Vec<usize> = (0..keys.len()).collect();
    indices.sort_by(|&a, &b| {
        let (a, b) = (&keys[a], &keys[b]);
        order::compare_sorted(a, b, descending, !nulls_last)
    });
    let in_order = |index: usize| match array(arrays, index) {
        // An array of another length has no such order.
        Some(items) if items.len() == keys.len() => {
            Value::Array(indices.iter().map(|&at| items[at].clone()).collect())
        }
        _ => Value::Null,
    };
    match arrays.len() {
        1 => in_order(0),
        count => Value::Array((0..count).map(in_order).collect()),
    }
}

/// `array_sort_asc`. For several arrays, an array of them.
pub fn array_sort_asc(args: &[Value]) -> Value {
    sorted(args, false)
}

/// `array_sort_desc`. For several arrays, an array of them.
pub fn array_sort_desc(args: &[Value]) -> Value {
    sorted(args, true)
}

/// `zip`.
pub fn zip(args: &[Value]) -> Value {
    let longest = (0..args.len())
        .filter_map(|i| array(args, i))
        .map(<[Value]>::len)
        .max();
    let Some(longest) = longest else {
        return Value::Null;
    };
    let row = |at: usize| {
        let elements = (0..args.len()).map(|i| {
            array(args, i)
                .and_then(|items| items.get(at))
                .cloned()
                .unwrap_or_default()
        });
        Value::Array(elements.collect())
    };
    Value::Array((0..longest).map(row).collect())
}

/// `range`.
pub fn range(args: &[Value]) -> Value {
    let (start, stop) = (get(args, 0), get(args, 1));
    let step = match args.get(2) {
        Some(step) => step.clone(),
        None if matches!(start, Value::DateTime(_) | Value::TimeSpan(_)) => Value::TimeSpan(calendar::HOUR),
        None => Value::Long(1),
    };
    if start.is_null() || stop.is_null() || step.is_null() {
        return Value::Null;
    }
    let Some(sign) = sign(&step) else {
        return Value::array(Vec::new());
    };
    let mut out = Vec::new();
    // Multiplying keeps reals from drifting.
    let mut current = start.clone();
    while out.len() < MAX_ELEMENTS && super::compare::ordering(&current, stop).is_some_and(|o| o != sign) {
        out.push(current);
        let distance = super::arithmetic::multiply(&[step.clone(), Value::Long(out.len() as i64)]);
        current = super::arithmetic::add(&[start.clone(), distance]);
    }
    Value::array(out)
}

/// On which side of the end a step leads past it; none if it leads nowhere.
fn sign(step: &Value) -> Option<Ordering> {
    let zero = match step {
        Value::TimeSpan(_) => Value::TimeSpan(0),
        Value::DateTime(_) => Value::DateTime(0),
        _ => Value::Long(0),
    };
    super::compare::ordering(step, &zero).filter(|ordering| ordering.is_ne())
}

/// `repeat`.
pub fn repeat(args: &[Value]) -> Value {
    let count = match long(args, 1) {
        Some(count) if count >= 0 => usize::try_from(count).unwrap_or(usize::MAX),
        _ => return Value::Null,
    };
    Value::Array(std::iter::repeat_n(get(args, 0).clone(), count.min(MAX_ELEMENTS)).collect())
}

/// Elements of arrays, each value once.
fn distinct<'a>(items: impl Iterator<Item = &'a Value>) -> Vec<Value> {
    let mut seen = HashSet::new();
    items.filter(|item| seen.insert(Key::of(item))).cloned().collect()
}

fn keys(items: &[Value]) -> HashSet<Key> {
    items.iter().map(Key::of).collect()
}

/// `set_union`.
pub fn set_union(args: &[Value]) -> Value {
    let arrays: Vec<&[Value]> = (0..args.len()).filter_map(|i| array(args, i)).collect();
    if arrays.is_empty() {
        return Value::Null;
    }
    Value::array(distinct(arrays.into_iter().flatten()))
}

/// `set_intersect`.
pub fn set_intersect(args: &[Value]) -> Value {
    let Some(first) = array(args, 0) else {
        return Value::array(Vec::new());
    };
    let others: Vec<HashSet<Key>> = (1..args.len())
        .map(|i| keys(array(args, i).unwrap_or(&[])))
        .collect();
    let everywhere = |item: &&Value| others.iter().all(|other| other.contains(&Key::of(item)));
    Value::array(distinct(first.iter().filter(everywhere)))
}

/// `set_difference`.
pub fn set_difference(args: &[Value]) -> Value {
    let Some(first) = array(args, 0) else {
        return Value::array(Vec::new());
    };
    let others: HashSet<Key> = (1..args.len())
        .filter_map(|i| array(args, i))
        .flatten()
        .map(Key::of)
        .collect();
    Value::array(distinct(
        first.iter().filter(|item| !others.contains(&Key::of(item))),
    ))
}

/// `set_has_element`.
pub fn set_has_element(args: &[Value]) -> Value {
    match array(args, 0) {
        Some(items) => Value::Bool(items.iter().any(|item| order::same(item, get(args, 1)))),
        None => Value::Bool(false),
    }
}

/// `set_equals`.
pub fn set_equals(args: &[Value]) -> Value {
    match (array(args, 0), array(args, 1)) {
        (Some(a), Some(b)) => Value::Bool(keys(a) == keys(b)),
        _ => Value::Bool(false),
    }
}

/// `jaccard_index`.
pub fn jaccard_index(args: &[Value]) -> Value {
    let (Some(a), Some(b)) = (array(args, 0), array(args, 1)) else {
        return Value::Null;
    };
    let (a, b) = (keys(a), keys(b));
    let union = a.union(&b).count();
    if union == 0 {
        return Value::Real(f64::NAN);
    }
    Value::Real(a.intersection(&b).count() as f64 / union as f64)
}
