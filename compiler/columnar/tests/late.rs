//! Columns of Parquet that are read when somebody looks at them are what they
//! are when all are read at once.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::sync::Arc;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use rulec_columnar::Reader;
use rulec_functions::aggregate::choose;
use rulec_functions::text;
use rulec_runtime::files::Files;
use rulec_runtime::ops::{self, agg_all, asc, column, desc, left_all, out, right};
use rulec_runtime::{Batch, Context, Moment, Necessary, Row, Schema, TextTest, Type};

/// Ticks of 1970.
const EPOCH: i64 = 621_355_968_000_000_000;

const COLUMNS: [(&str, Type); 6] = [
    ("Timestamp", Type::DateTime),
    ("Name", Type::String),
    ("Number", Type::Long),
    ("Keyed", Type::String),
    ("Fields", Type::Dynamic),
    ("Missing", Type::String),
];

/// Some rows from a number on, in groups of three hundred and pages of forty.
fn file(from: i64, count: i64) -> Vec<u8> {
    let numbers = || from..from + count;
    let mut keyed = StringDictionaryBuilder::<Int32Type>::new();
    numbers().for_each(|n| keyed.append_option((n % 5 != 2).then(|| format!("key {}", n % 8))));
    let fields = |n: i64| match n % 3 {
        0 => format!("{{\"a\":{n}}}"),
        1 => "null".to_owned(),
        _ => format!("[\"{n}\"]"),
    };
    let columns: [(&str, ArrayRef); 5] = [
        (
            "Timestamp",
            Arc::new(
                numbers()
                    .map(|n| (n % 17 != 2).then_some(n * 1_000_000))
                    .collect::<TimestampMicrosecondArray>(),
            ),
        ),
        (
            "Name",
            Arc::new(StringArray::from_iter_values(
                numbers().map(|n| format!("name {}", n % 23)),
            )),
        ),
        (
            "Number",
            Arc::new(
                numbers()
                    .map(|n| (n % 6 != 1).then_some(n))
                    .collect::<Int64Array>(),
            ),
        ),
        ("Keyed", Arc::new(keyed.finish())),
        (
            "Fields",
            Arc::new(StringArray::from_iter_values(numbers().map(fields))),
        ),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(300))
        .set_data_page_row_count_limit(40)
        .set_write_batch_size(40);
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build())).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// Whether a row meets a condition.
type Meets = fn(Row<'_>) -> bool;

fn shown(batch: &Batch) -> Vec<String> {
    let row = |row: Row<'_>| row.values().iter().map(text::print).collect::<Vec<_>>().join("|");
    batch.iter().map(row).collect()
}

/// What operators make of rows.
fn operated(rows: &Batch) -> Vec<Vec<String>> {
    let (time, name, number, keyed, fields) = (0, 1, 2, 3, 4);
    let count = u32::try_from(rows.rows()).unwrap();
    let backwards: Vec<u32> = (0..count).rev().chain(0..count.min(2)).collect();
    let third: Vec<u32> = (0..count).filter(|row| row % 3 == 0).take(8).collect();
    let third = rows.select(&third, "test").unwrap();
    let partly = rows.select(&backwards, "test").unwrap();
    partly.column(fields);
    let by_name = [out("Name", Type::String, column(name))];
    let by = |kind, output| ops::join(&third, rows, kind, &[column(name)], &[column(name)], output);
    let results = [
        rows.clone(),
        partly.clone(),
        Batch::concat(&[third.clone(), rows.clone(), partly], "test")
            .unwrap()
            .unwrap(),
        by(ops::JoinKind::Inner, left_all(&[right("Theirs", fields)])).unwrap(),
        by(ops::JoinKind::LeftAnti, left_all(&[])).unwrap(),
        ops::summarize(rows, &by_name, &[agg_all(choose::arg_max, time, &[name])]).unwrap(),
        ops::summarize(rows, &[], &[agg_all(choose::arg_min, keyed, &[])]).unwrap(),
        ops::top(rows, 5, &[desc(column(number)), asc(column(keyed))]).unwrap(),
        ops::project_away(rows, &[time, keyed]).unwrap(),
    ];
    results
        .into_iter()
        .map(|result| shown(&result.settled().unwrap()))
        .collect()
}

#[test]
fn columns_that_are_read_later_are_the_same() {
    let schema = Schema::of(&COLUMNS);
    let mut files = Files::new().columnar(Reader);
    files.add_bytes("T", file(0, 1_900));
    files.add_bytes("T", file(5_000, 700));
    let since: Meets = |row| row.ticks(0).is_some_and(|ticks| ticks >= EPOCH + 53_000_000_000);
    let conditions: [(Necessary, Meets); 6] = [
        (
            Necessary::text("Name", TextTest::Is, ["name 7", "name 11"]),
            |row| ["name 7", "name 11"].contains(&row.str(1)),
        ),
        (Necessary::text("Keyed", TextTest::EndsWith, ["3"]), |row| {
            row.str(3).ends_with('3')
        }),
        // The stage looks at what the condition says nothing of.
        (Necessary::text("Name", TextTest::Contains, ["1"]), |row| {
            row.str(1).contains('1') && row.long(2).is_some_and(|n| n % 4 == 0)
        }),
        (Necessary::number("Number", [4, 1_898, 5_000]), |row| {
            row.long(2).is_some_and(|n| [4, 1_898, 5_000].contains(&n))
        }),
        (
            Necessary::since("Timestamp", Moment::At(EPOCH + 53_000_000_000)),
            since,
        ),
        (Necessary::text("Name", TextTest::Is, ["nobody"]), |_| false),
    ];
    let mut kept = 0;
    for (necessary, meets) in &conditions {
        let rows = |necessary: &Necessary| {
            let context = Context::new(EPOCH, &files);
            let stage = |rows: &Batch| ops::filter(rows, meets);
            operated(&context.scan_where("T", &schema, None, necessary, stage).unwrap())
        };
        let (found, expected) = (rows(necessary), rows(&Necessary::ANYTHING));
        kept += found[0].len();
        for (number, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert_eq!(found, expected, "result {number}: {necessary:?}");
        }
    }
    assert!(
        kept > 1_000,
        "the conditions hold too seldom to prove anything: {kept}"
    );
}
