//! Operators that take a table in pieces give what they give of the whole,
//! however it is cut and in whichever order pieces are worked on; and grouping
//! gives what looking at one row after the other gives.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::collections::HashMap;

use rulec_runtime::functions::{Accumulator, aggregates};
use rulec_runtime::ops::{
    self, Aggregation, Expr, JoinKind, Output, Picks, Pieces, Probe, asc, column, constant, desc, each, left,
    out, right,
};
use rulec_runtime::write::batch_to_json;
use rulec_runtime::{Bag, Batch, Column, KeyBuffer, Memory, Schema, Type, Value};

const COLUMNS: [(&str, Type); 11] = [
    ("long", Type::Long),
    ("int", Type::Int),
    ("real", Type::Real),
    ("decimal", Type::Decimal),
    ("bool", Type::Bool),
    ("time", Type::DateTime),
    ("span", Type::TimeSpan),
    ("guid", Type::Guid),
    ("text", Type::String),
    ("dynamic", Type::Dynamic),
    ("other", Type::String),
];

/// A value of a column; few different ones, so that groups have several rows.
fn value(random: &mut fastrand::Rng, ty: Type) -> Value {
    if ty != Type::String && random.u8(..5) == 0 {
        return Value::Null;
    }
    let small = random.i64(-3..4);
    match ty {
        Type::Long => Value::Long(if random.u8(..9) == 0 {
            i64::MAX - small.abs()
        } else {
            small
        }),
        Type::Int => Value::Int(small as i32),
        Type::Real => Value::Real(match random.u8(..7) {
            0 => f64::NAN,
            1 => -0.0,
            2 => f64::INFINITY,
            _ => small as f64 / 3.0,
        }),
        Type::Decimal => rulec_runtime::functions::convert::convert(&Value::Real(small as f64 / 4.0), ty),
        Type::Bool => Value::Bool(small > 0),
        Type::DateTime => Value::DateTime(638_000_000_000_000_000 + small),
        Type::TimeSpan => Value::TimeSpan(small),
        Type::Guid => Value::Guid(random.u128(..3)),
        Type::String => Value::string(["", "a", "b", "ab", "ü", "a longer text"][random.usize(..6)]),
        Type::Dynamic | Type::Unknown => match random.u8(..8) {
            0 => Value::array(vec![Value::Long(small), Value::string("x")]),
            1 => Value::Bag(std::sync::Arc::new(
                [("k".into(), Value::Long(small))].into_iter().collect::<Bag>(),
            )),
            2 => Value::Real(small as f64),
            3 => Value::string("a"),
            4 => Value::Bool(true),
            _ => Value::Long(small),
        },
    }
}

fn table(random: &mut fastrand::Rng, rows: usize) -> Batch {
    let types = COLUMNS.map(|(_, ty)| ty);
    let rows = (0..rows).map(|_| types.map(|ty| value(random, ty)).to_vec());
    let rows = rows.collect::<Vec<_>>();
    Batch::from_rows(Schema::of(&COLUMNS), rows, &Memory::unlimited()).unwrap()
}

/// The rows cut at random, sometimes into pieces of nothing.
fn cut(random: &mut fastrand::Rng, rows: &Batch) -> Vec<Batch> {
    let mut pieces = Vec::new();
    let mut at = 0_u32;
    let end = rows.rows() as u32;
    while at < end || pieces.is_empty() {
        let most = if random.bool() { 3 } else { 40 };
        let to = end.min(at + random.u32(..most));
        pieces.push(rows.select(&(at..to).collect::<Vec<_>>(), "test").unwrap());
        at = to;
    }
    pieces
}

/// What an operator gives of pieces that are worked on in a random order.
fn in_pieces(random: &mut fastrand::Rng, operator: Box<dyn Pieces + '_>, pieces: &[Batch]) -> String {
    let mut order = (0..pieces.len()).collect::<Vec<_>>();
    random.shuffle(&mut order);
    let mut turns = order
        .into_iter()
        .map(|number| (number, operator.piece(&pieces[number]).unwrap()))
        .collect::<Vec<_>>();
    turns.sort_by_key(|(number, _)| *number);
    for (_, turn) in turns {
        if !turn().unwrap() {
            break;
        }
    }
    batch_to_json(&operator.finish().unwrap())
}

/// The keys of a group, and its states.
type Group = (Vec<Value>, Vec<Box<dyn Accumulator>>);

/// Grouping as it is said: one row after the other.
fn row_by_row(rows: &Batch, keys: &[Output<'_>], aggregates: &[Aggregation<'_>]) -> String {
    let literals = |aggregate: &Aggregation<'_>| {
        let literal = |arg: &Expr<'_>| match arg {
            Expr::Constant(value) => value.clone(),
            _ => Value::Null,
        };
        aggregate.args.iter().map(literal).collect::<Vec<_>>()
    };
    let fresh = || {
        let made = aggregates
            .iter()
            .map(|aggregate| (aggregate.new)(&literals(aggregate)));
        made.collect::<Vec<Box<dyn Accumulator>>>()
    };
    let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    if keys.is_empty() {
        groups.push((Vec::new(), fresh()));
        places.insert(Vec::new(), 0);
    }
    for row in rows {
        let values = keys.iter().map(|key| key.expr.of(row)).collect::<Vec<_>>();
        let mut key = KeyBuffer::new();
        key.extend(&values);
        let place = *places.entry(key.bytes().to_vec()).or_insert(groups.len());
        if place == groups.len() {
            groups.push((values, fresh()));
        }
        for (aggregate, state) in aggregates.iter().zip(&mut groups[place].1) {
            state.add(&aggregate.args.iter().map(|arg| arg.of(row)).collect::<Vec<_>>());
        }
    }
    let columns = keys
        .iter()
        .map(|key| key.column.clone())
        .chain(aggregates.iter().flat_map(|aggregate| aggregate.outputs.clone()));
    let schema = Schema::new(columns.collect::<Vec<_>>());
    let rows = groups.into_iter().map(|(mut values, states)| {
        for (aggregate, state) in aggregates.iter().zip(states) {
            let mut results = state.finish_row().into_iter();
            values.extend(
                aggregate
                    .outputs
                    .iter()
                    .map(|_| results.next().unwrap_or_default()),
            );
        }
        values
    });
    batch_to_json(&Batch::from_rows(schema, rows, &Memory::unlimited()).unwrap())
}

/// A column, as it is or as something computed.
fn argument<'a>(random: &mut fastrand::Rng, place: usize) -> Expr<'a> {
    if random.u8(..3) == 0 {
        each(move |row| row.get(place))
    } else {
        column(place)
    }
}

/// The calls of an aggregate over a column, as many as there are ways to call it.
fn call<'a>(
    random: &mut fastrand::Rng,
    aggregate: &rulec_runtime::functions::Aggregate,
    place: usize,
) -> Option<Aggregation<'a>> {
    let new = aggregate.new?;
    let name = aggregate.name;
    let conditional = name.ends_with("if");
    let predicate = match name {
        "countif" => 0,
        _ if name.starts_with("covariance") => 2,
        _ => 1,
    };
    let most = aggregate.max.unwrap_or(aggregate.min + 2).min(4);
    let count = random.usize(aggregate.min..=most.max(aggregate.min));
    let args = (0..count)
        .map(|arg| {
            let (condition, other) = ([4, 9, 0][random.usize(..3)], random.usize(..COLUMNS.len()));
            match arg {
                _ if conditional && arg == predicate => argument(random, condition),
                0 => argument(random, place),
                _ if name.starts_with("arg") || name.contains("any") || name.starts_with("cov") => {
                    argument(random, other)
                }
                1 if name.starts_with("percentile") && name.contains('w') => argument(random, 0),
                _ if name.starts_with("percentile") => constant(Value::Long(random.i64(0..101))),
                _ => constant(Value::Long(random.i64(0..5))),
            }
        })
        .collect::<Vec<_>>();
    // What the results are is not asked: a dynamic column takes them as they are.
    let outputs = (0..count.max(1)).map(|n| Column::new(format!("{name}{place}{n}"), Type::Dynamic));
    Some(Aggregation::new(new, args, outputs.collect()))
}

#[test]
fn every_aggregate_gives_the_same_in_pieces() {
    let mut random = fastrand::Rng::with_seed(7);
    for aggregate in aggregates() {
        for place in 0..COLUMNS.len() {
            let size = random.usize(..120);
            let rows = table(&mut random, size);
            let mut calls = Vec::new();
            for _ in 0..3 {
                calls.extend(call(&mut random, aggregate, place));
            }
            let by = random.usize(..COLUMNS.len());
            let keys = (0..random.usize(..3))
                .map(|n| {
                    let by = (by + n) % COLUMNS.len();
                    out(COLUMNS[by].0, COLUMNS[by].1, argument(&mut random, by))
                })
                .collect::<Vec<_>>();
            let wanted = row_by_row(&rows, &keys, &calls);
            let whole = ops::summarize(&rows, &keys, &calls).unwrap();
            assert_eq!(
                batch_to_json(&whole),
                wanted,
                "{} of column {place}",
                aggregate.name
            );
            for _ in 0..3 {
                let pieces = cut(&mut random, &rows);
                let operator = ops::summarize_pieces(&keys, &calls, rows.memory());
                let found = in_pieces(&mut random, operator, &pieces);
                assert_eq!(found, wanted, "{} of column {place}, in pieces", aggregate.name);
            }
        }
    }
}

#[test]
fn a_column_may_change_its_kind_from_piece_to_piece() {
    let memory = Memory::unlimited();
    let schema = Schema::of(&[("v", Type::Unknown)]);
    let piece = |values: &[Value]| {
        let rows = values.iter().map(|value| vec![value.clone()]);
        Batch::from_rows(schema.clone(), rows, &memory).unwrap()
    };
    let typed = |ty: Type, values: &[Value]| {
        let rows = values.iter().map(|value| vec![value.clone()]);
        Batch::from_rows(Schema::of(&[("v", ty)]), rows, &memory).unwrap()
    };
    let pieces = [
        typed(Type::Long, &[Value::Long(2), Value::Null, Value::Long(2)]),
        piece(&[Value::Real(2.0), Value::string("x"), Value::Long(7)]),
        typed(Type::DateTime, &[Value::DateTime(5)]),
        typed(Type::TimeSpan, &[Value::TimeSpan(5)]),
        piece(&[]),
    ];
    let all = pieces
        .iter()
        .flat_map(|piece| piece.iter().map(|row| row.get(0)).collect::<Vec<_>>());
    let all = piece(&all.collect::<Vec<_>>());
    let mut random = fastrand::Rng::with_seed(3);
    for name in [
        "min",
        "max",
        "sum",
        "make_set",
        "dcount",
        "make_list",
        "take_any",
        "arg_max",
        "count",
    ] {
        let new = rulec_runtime::functions::aggregate(name).unwrap().new.unwrap();
        let args = if name == "count" { vec![] } else { vec![column(0)] };
        let calls = [Aggregation::new(new, args, vec![Column::new("r", Type::Dynamic)])];
        let wanted = row_by_row(&all, &[], &calls);
        let operator = ops::summarize_pieces(&[], &calls, &memory);
        assert_eq!(in_pieces(&mut random, operator, &pieces), wanted, "{name}");
    }
}

/// Rows that are picked and then others in their stead are not kept for ever.
#[test]
fn rows_that_are_picked_late_are_the_same() {
    let memory = Memory::unlimited();
    let schema = Schema::of(&[("k", Type::String), ("n", Type::Long), ("o", Type::String)]);
    let row = |n: i64| {
        let key = ["a", "b", "c"][usize::try_from(n % 3).unwrap()];
        vec![Value::string(key), Value::Long(n), Value::string(n.to_string())]
    };
    let mut random = fastrand::Rng::with_seed(5);
    let all = Batch::from_rows(schema.clone(), (0..2_000).map(row), &memory).unwrap();
    let pieces = (0..2_000).map(|n| Batch::from_rows(schema.clone(), [row(n)], &memory).unwrap());
    let pieces = pieces.collect::<Vec<_>>();
    let keys = [out("k", Type::String, column(0))];
    for name in ["arg_max", "arg_min", "take_any"] {
        let new = rulec_runtime::functions::aggregate(name).unwrap().new.unwrap();
        let outputs = vec![Column::new("n", Type::Real), Column::new("o", Type::String)];
        let calls = [Aggregation::new(new, vec![column(1), column(2)], outputs)];
        let wanted = row_by_row(&all, &keys, &calls);
        let operator = ops::summarize_pieces(&keys, &calls, &memory);
        assert_eq!(in_pieces(&mut random, operator, &pieces), wanted, "{name}");
    }
}

#[test]
fn other_operators_give_the_same_in_pieces() {
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..150 {
        let size = random.usize(..200);
        let rows = table(&mut random, size);
        let pieces = cut(&mut random, &rows);
        let by = random.usize(..COLUMNS.len());
        let outputs = [
            out(COLUMNS[by].0, COLUMNS[by].1, argument(&mut random, by)),
            out("text", Type::String, column(8)),
        ];
        let whole = batch_to_json(&ops::distinct(&rows, &outputs).unwrap());
        assert_eq!(whole, row_by_row(&rows, &outputs, &[]));
        let operator = ops::distinct_pieces(&outputs, rows.memory());
        assert_eq!(in_pieces(&mut random, operator, &pieces), whole);

        let count = batch_to_json(&ops::count(&rows).unwrap());
        assert_eq!(
            in_pieces(&mut random, ops::count_pieces(rows.memory()), &pieces),
            count
        );

        let most = random.i64(-1..50);
        let take = batch_to_json(&ops::take(&rows, most).unwrap());
        assert_eq!(in_pieces(&mut random, ops::take_pieces(most), &pieces), take);

        let keys = [desc(argument(&mut random, by)), asc(column(9))];
        let top = batch_to_json(&ops::top(&rows, most, &keys).unwrap());
        assert_eq!(in_pieces(&mut random, ops::top_pieces(most, &keys), &pieces), top);
    }
}

#[test]
fn top_lets_rows_go_that_are_not_among_the_first() {
    let mut random = fastrand::Rng::with_seed(5);
    let memory = Memory::with_limit(4 << 20);
    let keys = [desc(column(0))];
    let operator = ops::top_pieces(10, &keys);
    let mut best: Vec<i64> = Vec::new();
    for _ in 0..200 {
        let values = (0..5000).map(|_| random.i64(..)).collect::<Vec<_>>();
        best.extend(&values);
        let rows = values.into_iter().map(|value| vec![Value::Long(value)]);
        let piece = Batch::from_rows(Schema::of(&[("x", Type::Long)]), rows, &memory).unwrap();
        operator.piece(&piece).unwrap()().unwrap();
    }
    best.sort_unstable_by(|a, b| b.cmp(a));
    let top = operator.finish().unwrap();
    assert_eq!(
        top.iter().map(|row| row.long(0).unwrap()).collect::<Vec<_>>(),
        best[..10]
    );
}

const KINDS: [JoinKind; 9] = [
    JoinKind::InnerUnique,
    JoinKind::Inner,
    JoinKind::LeftOuter,
    JoinKind::RightOuter,
    JoinKind::FullOuter,
    JoinKind::LeftSemi,
    JoinKind::RightSemi,
    JoinKind::LeftAnti,
    JoinKind::RightAnti,
];

fn keys_of(rows: &Batch, row: usize, keys: &[Expr<'_>]) -> Vec<u8> {
    let mut key = KeyBuffer::new();
    key.extend(&keys.iter().map(|expr| expr.of(rows.row(row))).collect::<Vec<_>>());
    key.bytes().to_vec()
}

/// A join as it is said: every row with every row. Numbers of rows.
fn nested_loops(lhs: &[Vec<u8>], rhs: &[Vec<u8>], kind: JoinKind) -> Vec<(Option<usize>, Option<usize>)> {
    use JoinKind::{FullOuter, InnerUnique, LeftAnti, LeftOuter, LeftSemi, RightAnti, RightOuter, RightSemi};
    let mut found = Vec::new();
    for (row, key) in lhs.iter().enumerate() {
        let partners = (0..rhs.len())
            .filter(|other| rhs[*other] == *key)
            .collect::<Vec<_>>();
        match kind {
            LeftSemi if !partners.is_empty() => found.push((Some(row), None)),
            LeftAnti | LeftOuter | FullOuter if partners.is_empty() => found.push((Some(row), None)),
            LeftSemi | LeftAnti | RightSemi | RightAnti => {}
            InnerUnique if lhs[..row].contains(key) => {}
            _ => found.extend(partners.into_iter().map(|other| (Some(row), Some(other)))),
        }
    }
    for (row, key) in rhs.iter().enumerate() {
        let alone = !lhs.contains(key);
        if matches!(kind, RightOuter | FullOuter | RightAnti) && alone || kind == RightSemi && !alone {
            found.push((None, Some(row)));
        }
    }
    found
}

#[test]
fn joins_give_the_same_in_pieces() {
    let mut random = fastrand::Rng::with_seed(13);
    for round in 0..400 {
        let kind = KINDS[round % KINDS.len()];
        let (left_rows, right_rows) = (random.usize(..60), random.usize(..60));
        let (lhs, rhs) = (table(&mut random, left_rows), table(&mut random, right_rows));
        let by = random.usize(..COLUMNS.len());
        let number = random.usize(..2);
        // A long and an int of the same number are one key.
        let left_keys = [argument(&mut random, by), argument(&mut random, number)];
        let right_keys = [argument(&mut random, by), argument(&mut random, 1 - number)];
        let from_left = !matches!(kind, JoinKind::RightSemi | JoinKind::RightAnti);
        let from_right = !matches!(kind, JoinKind::LeftSemi | JoinKind::LeftAnti);
        let mut output = Vec::new();
        for (place, (name, _)) in COLUMNS.iter().enumerate() {
            output.extend(from_left.then(|| left(*name, place)));
            output.extend(from_right.then(|| right(format!("{name}1"), place)));
        }
        let joined = ops::join(&lhs, &rhs, kind, &left_keys, &right_keys, &output).unwrap();
        let keys = |rows: &Batch, keys: &[Expr<'_>]| {
            (0..rows.rows())
                .map(|row| keys_of(rows, row, keys))
                .collect::<Vec<_>>()
        };
        let wanted = nested_loops(&keys(&lhs, &left_keys), &keys(&rhs, &right_keys), kind);
        let rows = wanted.iter().map(|(l, r)| {
            let cell = |pick: &ops::Pick| {
                let (side, row) = if pick.from_right { (&rhs, r) } else { (&lhs, l) };
                row.map_or(Value::Null, |row| side.value(row, pick.index))
            };
            output.iter().map(cell).collect::<Vec<_>>()
        });
        let wanted = Batch::from_rows(joined.schema().clone(), rows, lhs.memory()).unwrap();
        assert_eq!(batch_to_json(&joined), batch_to_json(&wanted), "{kind:?}");

        if !kind.takes_pieces() {
            continue;
        }
        let output = Picks::from(&output);
        let probe = Probe::new(&rhs, kind, &left_keys, &right_keys, &output).unwrap();
        let pieces = cut(&mut random, &lhs);
        let mut order = (0..pieces.len()).collect::<Vec<_>>();
        if probe.in_any_order() {
            random.shuffle(&mut order);
        }
        let mut parts = order
            .into_iter()
            .map(|number| {
                let found = probe.find(&pieces[number]).unwrap();
                (number, probe.join(&pieces[number], &found).unwrap())
            })
            .collect::<Vec<_>>();
        parts.sort_by_key(|(number, _)| *number);
        let parts = parts.into_iter().map(|(_, part)| part).collect::<Vec<_>>();
        let together = Batch::concat(&parts, "test").unwrap().unwrap();
        assert_eq!(
            batch_to_json(&together),
            batch_to_json(&joined),
            "{kind:?} in pieces"
        );
    }
}
