//! A flow gives what the operators give of whole tables, however a table is cut;
//! the right side of a join is asked for what the left side needs.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::sync::Mutex;

use rulec_functions::{aggregate, arithmetic};
use rulec_runtime::flow::{Flow, Input};
use rulec_runtime::ops::{self, JoinKind, agg, asc, column, desc, each, left, out, right};
use rulec_runtime::write::batch_to_json;
use rulec_runtime::{
    Batch, Code, Context, Memory, Named, Necessary, Place, RuntimeError, Schema, TableRequest, Tables, Type,
    Value, Work,
};

/// One table that comes in pieces of some length, the last of them empty.
struct Cut(Batch, usize);

impl Tables for Cut {
    fn table(&self, request: &TableRequest<'_>) -> Result<Batch, RuntimeError> {
        if request.name != "T" {
            return Err(RuntimeError::missing_table(request.name));
        }
        self.0.conform(request.schema)
    }

    fn fold(&self, request: &TableRequest<'_>, work: &Work<'_>) -> Result<(), RuntimeError> {
        let whole = self.table(request)?;
        let rows = (0..whole.rows() as u32).collect::<Vec<_>>();
        let pieces = rows.chunks(self.1).chain([&[][..]]);
        let pieces = pieces.map(|rows| work(whole.select(rows, "read")?));
        // All are worked on before the first has its turn.
        let turns = pieces.collect::<Result<Vec<_>, _>>()?;
        for turn in turns {
            if !turn()? {
                break;
            }
        }
        Ok(())
    }
}

fn schema() -> Schema {
    Schema::of(&[("n", Type::Long), ("key", Type::String), ("half", Type::Long)])
}

fn table(rows: i64) -> Batch {
    table_within(rows, &Memory::default())
}

fn table_within(rows: i64, memory: &Memory) -> Batch {
    let rows = (0..rows).map(|n| {
        let key = Value::string(format!("k{}", n * 7 % 5));
        vec![Value::Long(n), key, Value::Long(n / 2)]
    });
    Batch::from_rows(schema(), rows, memory).unwrap()
}

/// `where n > 2 | extend half = half + 1`.
fn stage(t: &Batch) -> Result<Batch, RuntimeError> {
    let t = ops::filter(t, |row| row.long(0) > Some(2))?;
    let more = each(|row| arithmetic::add(&[row.get(2), Value::Long(1)]));
    ops::extend(&t, &[out("half", Type::Long, more)])
}

type Operator<'o> = &'o dyn Fn(&dyn Input) -> Result<Batch, RuntimeError>;

#[test]
fn operators_take_flows_as_they_take_tables() {
    let count = aggregate("count").and_then(|row| row.new).unwrap();
    let arg_max = aggregate("arg_max").and_then(|row| row.new).unwrap();
    let by = || [out("key", Type::String, column(1))];
    let operators: [Operator<'_>; 7] = [
        &|t| ops::count(t),
        &|t| ops::distinct(t, &by()),
        &|t| ops::take(t, 4),
        &|t| ops::top(t, 3, &[desc(column(0))]),
        &|t| ops::top(t, 100, &[asc(column(1))]),
        &|t| ops::summarize(t, &by(), &[agg(count, [], &[("count_", Type::Long)])]),
        // Which columns these are is known when rows come.
        &|t| ops::summarize(t, &by(), &[ops::agg_all(arg_max, 0, &[1])]),
    ];
    for size in [1, 3, 100] {
        let tables = Cut(table(20), size);
        let context = Context::new(0, &tables);
        let whole = stage(&tables.0).unwrap();
        let flow = || context.flow("T", schema(), Necessary::ANYTHING, stage);
        assert_eq!(batch_to_json(&flow().rows().unwrap()), batch_to_json(&whole));
        let at_hand = Flow::of(&tables.0).then(stage);
        assert!(flow().is_flowing() && !at_hand.is_flowing());
        for (number, operator) in operators.iter().enumerate() {
            let wanted = batch_to_json(&operator(&whole).unwrap());
            for flow in [&flow(), &at_hand] {
                let found = batch_to_json(&operator(flow).unwrap());
                assert_eq!(found, wanted, "operator {number}, pieces of {size}");
            }
        }
    }
}

#[test]
fn all_columns_are_those_of_the_input() {
    let arg_max = aggregate("arg_max").and_then(|row| row.new).unwrap();
    let calls = [ops::agg_all(arg_max, 0, &[1])];
    let t = ops::summarize(&table(20), &[out("key", Type::String, column(1))], &calls).unwrap();
    let names = t.schema().columns().iter().map(|column| column.name.to_string());
    assert_eq!(names.collect::<Vec<_>>(), ["key", "n", "half"]);
    assert_eq!(t.row(0).str(0), "k0");
    assert_eq!((t.row(0).long(1), t.row(0).long(2)), (Some(15), Some(7)));
}

#[test]
fn joins_flow() {
    let others = table(6);
    let keys = || [column(2)];
    for kind in [
        JoinKind::InnerUnique,
        JoinKind::Inner,
        JoinKind::LeftOuter,
        JoinKind::LeftSemi,
        JoinKind::LeftAnti,
    ] {
        let two = !matches!(kind, JoinKind::LeftSemi | JoinKind::LeftAnti);
        let more = if two { vec![right("other", 0)] } else { Vec::new() };
        let whole = stage(&table(20)).unwrap();
        let joined = ops::join(&whole, &others, kind, &keys(), &keys(), ops::left_all(&more)).unwrap();
        let named = ["n", "key", "half"].into_iter().enumerate();
        let listed = named.map(|(place, name)| left(name, place)).chain(more.clone());
        let listed = listed.collect::<Vec<_>>();
        let same = ops::join(&whole, &others, kind, &keys(), &keys(), &listed).unwrap();
        assert_eq!(batch_to_json(&joined), batch_to_json(&same));
        let even = |t: &Batch| ops::filter(t, |row| row.long(0).is_some_and(|n| n % 2 == 0));
        let wanted = batch_to_json(&even(&joined).unwrap());
        for size in [1, 3, 100] {
            let tables = Cut(table(20), size);
            let context = Context::new(0, &tables);
            let asked = Mutex::new(Vec::new());
            let flow = context
                .flow("T", schema(), Necessary::ANYTHING, stage)
                .join(
                    |keys| {
                        let matching = keys.rows(&others)?;
                        asked.lock().unwrap().push(matching.rows());
                        Ok(matching)
                    },
                    kind,
                    keys(),
                    keys(),
                    ops::left_all(&more),
                )
                .then(even);
            assert_eq!(batch_to_json(&flow.rows().unwrap()), wanted, "{kind:?} by {size}");
            // Of the left rows, `half` is 2 and more; of the right ones, 0 to 2.
            assert_eq!(*asked.lock().unwrap(), [2], "{kind:?} by {size}");
            assert!(flow.is_flowing());
        }
    }
}

#[test]
fn a_large_left_side_passes_the_whole_right_side() {
    let left_rows = (1 << 18) + 1000;
    let tables = Cut(table(left_rows), 10_000);
    let context = Context::new(0, &tables);
    let others = table(10);
    let asked = Mutex::new(Vec::new());
    let flow = context.flow("T", schema(), Necessary::ANYTHING, stage).join(
        |keys| {
            let matching = keys.rows(&others)?;
            asked.lock().unwrap().push(matching.rows());
            Ok(matching)
        },
        JoinKind::Inner,
        [column(0)],
        [column(0)],
        [left("n", 0), right("key", 1)],
    );
    let found = ops::count(&flow).unwrap();
    assert_eq!(found.row(0).long(0), Some(7));
    assert_eq!(*asked.lock().unwrap(), [10]);
}

#[test]
fn a_table_that_nobody_gives_may_be_empty() {
    let tables = Cut(table(3), 1);
    let context = Context::new(0, &tables);
    let flow = || context.flow("Missing", schema(), Necessary::ANYTHING, stage);
    let error = ops::count(&flow()).unwrap_err();
    assert_eq!(error.code, Code::MISSING_TABLE);
    assert_eq!(flow().rows().unwrap_err().code, Code::MISSING_TABLE);
    assert_eq!(flow().optional().rows().unwrap().rows(), 0);
    assert_eq!(ops::count(&flow().optional()).unwrap().row(0).long(0), Some(0));
}

#[test]
fn errors_name_what_holds_rows_and_where_they_are_from() {
    let place = |start| {
        Some(Place {
            start,
            end: start + 1,
        })
    };
    let memory = Memory::with_limit(600_000);
    let tables = Cut(table_within(2_000, &memory), 100);
    let context = Context::new(0, &tables).with_memory(memory);
    let long = "x".repeat(10_000);
    let flow = context.flow("T", schema(), Necessary::ANYTHING, |t: &Batch| {
        let long = each(|row| Value::string(format!("{long}{}", row.index())));
        ops::extend(t, &[out("long", Type::String, long)]).map_err(|error| error.at(place(5)))
    });
    let error = ops::count(&flow).unwrap_err();
    assert_eq!((error.code, error.place), (Code::MEMORY_LIMIT, place(5)));
    assert!(
        error
            .message
            .starts_with("`count` holds what came so far, and `extend` needs"),
        "{error}"
    );
    let holder = Named {
        operator: "summarize",
        place: place(9),
    };
    let inner = RuntimeError::new(Code::MEMORY_LIMIT, "`where` needs more").at(place(2));
    let held = inner.clone().held_by(holder);
    assert_eq!(
        held.message,
        "`summarize` holds what came so far, and `where` needs more"
    );
    assert_eq!(held.place, place(9));
    // What holds rows itself is said to.
    let own = RuntimeError::new(Code::MEMORY_LIMIT, "`sort` needs more").at(place(2));
    assert_eq!(own.clone().held_by(holder), own);
    assert_eq!(inner.held_by(Named::operator("top")).place, place(2));
    let missing = context.flow("Missing", schema(), Necessary::ANYTHING, stage);
    let missing = missing.called(Named {
        operator: "read",
        place: place(3),
    });
    assert_eq!(missing.rows().unwrap_err().place, place(3));
}
