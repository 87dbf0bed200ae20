//! Files of columns: every type, only what is read, cut off.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]
#![allow(clippy::disallowed_methods, reason = "tests write the files they read")]

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow_array::builder::{Int64Builder, ListBuilder, MapBuilder, StringBuilder, StringDictionaryBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DurationMillisecondArray,
    Float32Array, Int8Array, Int64Array, LargeStringArray, NullArray, RecordBatch, StringArray, StructArray,
    Time64MicrosecondArray, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray, UInt64Array,
};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{DataType, Field};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::WriterProperties;
use rulec_columnar::Reader;
use rulec_functions::text;
use rulec_runtime::files::Files;
use rulec_runtime::{
    Batch, InTurn, Memory, Moment, Necessary, Progress, RuntimeError, Schema, TableRequest, Tables, TextTest,
    Type, Value, Wanted,
};

fn parquet(batch: &RecordBatch, packing: Compression) -> Vec<u8> {
    let properties = WriterProperties::builder()
        .set_compression(packing)
        .set_max_row_group_row_count(Some(1_000));
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build())).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn arrow(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

fn stream(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

/// A table from bytes, from a file as well as from memory.
fn read(
    bytes: &[u8],
    schema: &Schema,
    needed: Option<&[usize]>,
    lenient: bool,
) -> Result<(Batch, Vec<String>), RuntimeError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    fs::write(&path, bytes).unwrap();
    let memory = Memory::default();
    let request = TableRequest {
        name: "T",
        schema,
        needed,
        memory: &memory,
        wanted: None,
    };
    let mut files = Files::new().lenient(lenient).columnar(Reader);
    files.add_path("T", path.to_string_lossy());
    let from_file = files.table(&request);
    let mut held = Files::new().lenient(lenient).columnar(Reader);
    held.add_bytes("T", bytes.to_vec());
    let from_memory = held.table(&request);
    assert_eq!(
        from_file.as_ref().ok().map(rows),
        from_memory.as_ref().ok().map(rows)
    );
    let shown = path.to_string_lossy().into_owned();
    let warnings = files.warnings().into_iter().map(|w| w.replace(&shown, "data"));
    from_file
        .map(|batch| (batch, warnings.collect()))
        .map_err(|e| RuntimeError::new(e.code, e.message.replace(&shown, "data")))
}

fn rows(batch: &Batch) -> Vec<String> {
    let row =
        |row: rulec_runtime::Row<'_>| row.values().iter().map(text::print).collect::<Vec<_>>().join("|");
    batch.iter().map(row).collect()
}

fn column(name: &str, values: impl arrow_array::Array + 'static) -> (String, ArrayRef) {
    (name.to_owned(), Arc::new(values))
}

#[test]
fn every_type() {
    let mut numbers = ListBuilder::new(Int64Builder::new());
    numbers.append_value([Some(1), None]);
    numbers.append_null();
    let mut labels = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    labels.keys().append_value("k");
    labels.values().append_value(2);
    labels.append(true).unwrap();
    labels.append(true).unwrap();
    let mut names = StringDictionaryBuilder::<Int32Type>::new();
    names.append_value("a.exe");
    names.append_null();
    let record = StructArray::from(vec![(
        Arc::new(Field::new("x", DataType::Int64, true)),
        Arc::new(Int64Array::from(vec![Some(1), None])) as ArrayRef,
    )]);
    let ns = 1_767_323_045_123_456_789;
    let columns = [
        column("bool", BooleanArray::from(vec![Some(true), None])),
        column("int", Int8Array::from(vec![-1, 2])),
        column("long", Int64Array::from(vec![Some(i64::MAX), None])),
        column("huge", UInt64Array::from(vec![u64::MAX, 1])),
        column("real", Float32Array::from(vec![Some(0.5), None])),
        column(
            "decimal",
            Decimal128Array::from(vec![Some(12_345), None])
                .with_precision_and_scale(10, 2)
                .unwrap(),
        ),
        column("s", TimestampSecondArray::from(vec![Some(0), None])),
        column(
            "ms",
            TimestampMillisecondArray::from(vec![-1, 1_767_323_045_123]).with_timezone("UTC"),
        ),
        column("us", TimestampMicrosecondArray::from(vec![1, i64::MAX])),
        column("ns", TimestampNanosecondArray::from(vec![ns, -1])),
        column("date", Date32Array::from(vec![20_455, -719_162])),
        column("time", Time64MicrosecondArray::from(vec![3_723_000_000, 0])),
        column("span", DurationMillisecondArray::from(vec![-90_061_000, 1])),
        column("text", LargeStringArray::from(vec![Some("é"), None])),
        column("dict", names.finish()),
        column("bytes", BinaryArray::from(vec![&b"text"[..], b"\xff\x00"])),
        column("list", numbers.finish()),
        column("record", record),
        column("map", labels.finish()),
        column("null", NullArray::new(2)),
    ];
    let nullable = columns.map(|(name, values)| (name, values, true));
    let batch = RecordBatch::try_from_iter_with_nullable(nullable).unwrap();
    let expected = [
        "true|-1|9223372036854775807|18446744073709551615|0.5|123.45|1970-01-01T00:00:00.0000000Z|\
         1969-12-31T23:59:59.9990000Z|1970-01-01T00:00:00.0000010Z|2026-01-02T03:04:05.1234567Z|\
         2026-01-02T00:00:00.0000000Z|01:02:03|-1.01:01:01|é|a.exe|text|[1,null]|{\"x\":1}|{\"k\":2}|",
        "|2||1||||2026-01-02T03:04:05.1230000Z||1969-12-31T23:59:59.9999999Z|\
         0001-01-01T00:00:00.0000000Z|00:00:00|00:00:00.0010000|||ff00||{\"x\":null}|{}|",
    ];
    let open = Schema::of(&[]).open();
    for packing in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        let (found, _) = read(&parquet(&batch, packing), &open, None, false).unwrap();
        assert_eq!(rows(&found), expected);
        let types: Vec<Type> = found.schema().columns().iter().map(|c| c.ty).collect();
        assert_eq!(types[..4], [Type::Bool, Type::Int, Type::Long, Type::Decimal]);
        assert_eq!(types[8], Type::DateTime);
    }
    assert_eq!(
        rows(&read(&arrow(&batch), &open, None, false).unwrap().0),
        expected
    );
    let twice = read(&stream(&batch), &open, None, false).unwrap().0;
    assert_eq!(rows(&twice), [expected, expected].concat());
}

fn events(count: i64) -> RecordBatch {
    RecordBatch::try_from_iter([
        column(
            "Timestamp",
            TimestampMillisecondArray::from_iter_values((0..count).map(|n| n * 1_000)),
        ),
        column(
            "Size",
            StringArray::from_iter_values((0..count).map(|n| n.to_string())),
        ),
        column(
            "Fields",
            StringArray::from_iter_values((0..count).map(|n| format!("{{\"n\":{n}}}"))),
        ),
        column("Other", StringArray::from_iter_values((0..count).map(|_| "x"))),
    ])
    .unwrap()
}

#[test]
fn in_the_types_of_the_table() {
    let schema = Schema::of(&[
        ("Size", Type::Long),
        ("Missing", Type::String),
        ("Fields", Type::Dynamic),
        ("Other", Type::Long),
    ]);
    for bytes in [
        parquet(&events(20_000), Compression::SNAPPY),
        arrow(&events(20_000)),
    ] {
        let (batch, warnings) = read(&bytes, &schema, None, false).unwrap();
        assert_eq!(batch.rows(), 20_000);
        assert_eq!(rows(&batch)[19_999], "19999||{\"n\":19999}|");
        // The time of the event is that of its ingestion.
        assert_eq!(
            text::print(&batch.row(61).ingestion_time()),
            "1970-01-01T00:01:01.0000000Z"
        );
        assert_eq!(
            warnings,
            [
                "no value of the column `Other` could be read, so it is null everywhere; the first: data:1: `x` is no long"
            ]
        );
        // Columns nobody reads stay null, and rows are counted without any.
        let (batch, _) = read(&bytes, &schema, Some(&[2]), false).unwrap();
        assert_eq!(rows(&batch)[7], "||{\"n\":7}|");
        let (batch, _) = read(&bytes, &Schema::of(&[]), None, false).unwrap();
        assert_eq!(batch.rows(), 20_000);
    }
}

#[test]
fn cut_off_and_damaged() {
    let schema = Schema::of(&[("Size", Type::Long)]);
    let refused = |bytes: &[u8]| read(bytes, &schema, None, false).unwrap_err();
    let whole = parquet(&events(5_000), Compression::SNAPPY);
    for bytes in [&whole[..whole.len() / 2], b"PAR1", &arrow(&events(10))[..100]] {
        let error = refused(bytes);
        assert_eq!(error.code.id, "RR006");
        assert!(error.message.starts_with("`data` cannot be read as "), "{error}");
    }
    // Row groups in front of the damage are kept by a lenient reader.
    let mut damaged = whole.clone();
    let middle = whole.len() / 2;
    damaged[middle..middle + 2_000].fill(0xee);
    let error = refused(&damaged);
    let (batch, warnings) = read(&damaged, &schema, None, true).unwrap();
    assert!(batch.rows() < 5_000);
    assert!(warnings[0].starts_with(&error.message), "{warnings:?}");
    assert!(warnings[0].contains("in front of that are used"), "{warnings:?}");
}

/// Ticks of 1970.
const EPOCH: i64 = 621_355_968_000_000_000;

/// Rows of every kind: few texts and many, nulls, texts of other alphabets.
fn kinds(count: i64) -> RecordBatch {
    let names = [
        "cmd.exe",
        "CMD.EXE",
        "",
        "\u{212a}md.exe",
        "powershell.exe",
        "a\\",
    ];
    let name = |n: i64| (n % 11 != 3).then(|| names[(n % 7) as usize % names.len()]);
    let line = |n: i64| (n % 13 != 5).then(|| format!("{} /c run {n} \"x\"", names[(n % 5) as usize]));
    let mut keyed = StringDictionaryBuilder::<Int32Type>::new();
    (0..count).for_each(|n| keyed.append_option(name(n + 1)));
    let fields = |n: i64| match n % 4 {
        0 => format!("{{\"a\":\"pipe {n}\"}}"),
        1 => "{\"a\":\"\\u0070ipe\"}".to_owned(),
        2 => String::new(),
        _ => "{\"a\":null}".to_owned(),
    };
    RecordBatch::try_from_iter([
        column(
            "Timestamp",
            (0..count)
                .map(|n| (n % 17 != 2).then_some(n * 1_000_000))
                .collect::<TimestampMicrosecondArray>(),
        ),
        column("Name", (0..count).map(name).collect::<StringArray>()),
        column("Line", (0..count).map(line).collect::<LargeStringArray>()),
        ("Keyed".to_owned(), Arc::new(keyed.finish()) as ArrayRef),
        column("Fields", StringArray::from_iter_values((0..count).map(fields))),
        column(
            "Number",
            (0..count)
                .map(|n| (n % 6 != 1).then_some(n % 9))
                .collect::<Int64Array>(),
        ),
        column(
            "Written",
            StringArray::from_iter_values((0..count).map(|n| (n % 9).to_string())),
        ),
    ])
    .unwrap()
}

/// A row of [`kinds`].
struct Cells {
    seconds: Option<i64>,
    name: String,
    line: String,
    keyed: String,
    fields: String,
    number: Option<i64>,
    written: Option<i64>,
}

type Meets<'m> = &'m dyn Fn(&Cells) -> bool;

impl Cells {
    fn of(values: &[Value]) -> Self {
        let text = |place: usize| text::print(&values[place]);
        let long = |place: usize| match values[place] {
            Value::Long(n) => Some(n),
            _ => None,
        };
        Self {
            seconds: match values[0] {
                Value::DateTime(ticks) => Some((ticks - EPOCH) / 10_000_000),
                _ => None,
            },
            name: text(1),
            line: text(2),
            keyed: text(3),
            fields: text(4),
            number: long(5),
            written: long(6),
        }
    }
}

#[test]
fn rows_that_cannot_matter_are_left_out_and_no_others() {
    use TextTest::{Contains, EndsWith, Inside, Is, StartsWith};
    let schema = Schema::of(&[
        ("Timestamp", Type::DateTime),
        ("Name", Type::String),
        ("Line", Type::String),
        ("Keyed", Type::String),
        ("Fields", Type::Dynamic),
        ("Number", Type::Long),
        ("Written", Type::Long),
        ("Missing", Type::String),
    ]);
    let since = |seconds: i64| Necessary::since("Timestamp", Moment::At(EPOCH + seconds * 10_000_000));
    let many: Vec<String> = (0..40).map(|n| format!("run {}7", n * 3)).collect();
    let has_one = |text: &str| (0..40).any(|n| text.contains(&format!("run {}7", n * 3)));
    let number = |row: &Cells, among: &[i64]| matches!(row.number, Some(n) if among.contains(&n));
    // What is asked, which rows meet it, and whether exactly these come.
    let conditions: [(Necessary, Meets<'_>, bool); 18] = [
        (
            Necessary::text("Name", Is, ["cmd.exe"]),
            &|r| r.name == "cmd.exe",
            true,
        ),
        (
            Necessary::text_fold("Name", Is, ["cmd.exe"]),
            &|r| ["cmd.exe", "CMD.EXE"].contains(&&*r.name),
            false,
        ),
        (
            Necessary::text("Name", EndsWith, ["\\"]),
            &|r| r.name.ends_with('\\'),
            true,
        ),
        (
            Necessary::text("Keyed", StartsWith, ["cmd", "power"]),
            &|r| r.keyed.starts_with("cmd") || r.keyed.starts_with("power"),
            true,
        ),
        (
            Necessary::text_fold("Keyed", Contains, ["SHELL"]),
            &|r| r.keyed.contains("shell"),
            false,
        ),
        (
            Necessary::text("Line", Contains, ["run 12"]),
            &|r| r.line.contains("run 12"),
            true,
        ),
        (
            Necessary::text("Line", Contains, many.clone()),
            &|r| has_one(&r.line),
            true,
        ),
        (
            Necessary::text_fold("Line", Contains, many),
            &|r| has_one(&r.line),
            false,
        ),
        (
            Necessary::pattern("Line", "^cmd"),
            &|r| r.line.starts_with("cmd"),
            true,
        ),
        (
            Necessary::text("Fields", Inside, ["pipe"]),
            &|r| r.fields.contains("pipe"),
            false,
        ),
        (Necessary::number("Number", [3, 4]), &|r| number(r, &[3, 4]), true),
        // Texts that are numbers, and columns that there are none of, are not asked or never met.
        (
            Necessary::number("Written", [3]),
            &|r| r.written == Some(3),
            false,
        ),
        (Necessary::text("Missing", Is, ["x"]), &|_| false, true),
        (Necessary::since("Missing", Moment::At(0)), &|_| false, true),
        (
            Necessary::ingested_since(Moment::At(EPOCH)),
            &|r| r.seconds.is_some(),
            true,
        ),
        (
            Necessary::all([
                since(2_000),
                Necessary::until("Timestamp", Moment::At(EPOCH + 30_000_000_000)),
                Necessary::any([
                    Necessary::text("Name", Is, ["cmd.exe", "powershell.exe"]),
                    Necessary::all([
                        Necessary::number("Number", [7]),
                        Necessary::text("Line", Contains, ["1"]),
                    ]),
                ]),
                Necessary::text("Line", Contains, ["run"]),
            ]),
            &|r| {
                matches!(r.seconds, Some(2_000..=3_000))
                    && (r.name == "cmd.exe"
                        || r.name == "powershell.exe"
                        || number(r, &[7]) && r.line.contains('1'))
                    && r.line.contains("run")
            },
            true,
        ),
        (Necessary::Any(Vec::new()), &|_| false, true),
        (Necessary::ANYTHING, &|_| true, true),
    ];
    let count = 6_500;
    let bytes = parquet(&kinds(count), Compression::SNAPPY);
    let memory = Memory::default();
    let table = |necessary: &Necessary, needed: Option<&[usize]>| {
        let progress = Progress::new();
        let request = TableRequest {
            name: "T",
            schema: &schema,
            needed,
            memory: &memory,
            wanted: Some(Wanted {
                necessary,
                now: 0,
                progress: &progress,
            }),
        };
        let mut files = Files::new().columnar(Reader);
        files.add_bytes("T", bytes.clone());
        files.table(&request).unwrap()
    };
    let all = table(&Necessary::ANYTHING, None);
    assert_eq!(all.rows() as i64, count);
    for (necessary, meets, exactly) in &conditions {
        let expected: Vec<String> = rows(&all)
            .into_iter()
            .zip(all.iter())
            .filter(|(_, row)| meets(&Cells::of(&row.values())))
            .map(|(shown, _)| shown)
            .collect();
        let found = rows(&table(necessary, None));
        if *exactly {
            assert_eq!(found, expected, "{necessary:?}");
        } else {
            let mut left = found.iter();
            let all_there = expected.iter().all(|row| left.any(|found| found == row));
            assert!(
                all_there && found.len() < count as usize * 3 / 4 || found.len() == count as usize,
                "{necessary:?}"
            );
        }
        // What is read beside the condition makes no difference.
        let narrow = table(necessary, Some(&[5]));
        assert_eq!(narrow.rows(), found.len(), "{necessary:?}");
    }
}

#[test]
fn nothing_is_worked_on_that_nobody_wants_any_more() {
    let schema = Schema::of(&[("Size", Type::Long)]);
    let memory = Memory::default();
    let request = TableRequest {
        name: "T",
        schema: &schema,
        needed: None,
        memory: &memory,
        wanted: None,
    };
    for bytes in [arrow(&events(60_000)), stream(&events(60_000))] {
        let mut files = Files::new().columnar(Reader);
        files.add_bytes("T", bytes);
        let worked = AtomicUsize::new(0);
        let work = |_: Batch| -> Result<InTurn<'_>, RuntimeError> {
            worked.fetch_add(1, Ordering::Relaxed);
            Ok(Box::new(|| Ok(false)))
        };
        files.fold(&request, &work).unwrap();
        assert_eq!(worked.into_inner(), 1);
    }
}
