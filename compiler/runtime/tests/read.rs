//! Readers: every shape of export, and everything that is wrong with files.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use rulec_functions::text;
use rulec_runtime::read::{Format, Report, Source, batches, read};
use rulec_runtime::{Batch, Memory, RuntimeError, Schema, Type};

fn schema() -> Schema {
    Schema::of(&[
        ("Timestamp", Type::DateTime),
        ("FileName", Type::String),
        ("Size", Type::Long),
        ("Fields", Type::Dynamic),
    ])
}

fn read_as(schema: &Schema, lenient: bool, input: &[u8]) -> Result<(Batch, Report), RuntimeError> {
    let memory = Memory::default();
    let json = input.trim_ascii_start().starts_with(b"{") || input.trim_ascii_start().starts_with(b"[");
    let label = if json { "events.json" } else { "events.csv" };
    read(
        input,
        &Source {
            lenient,
            table: Some("Events"),
            ..Source::new(label, schema, &memory)
        },
    )
}

/// Rows as their printed values, separated by bars.
fn rows(batch: &Batch) -> Vec<String> {
    batch
        .iter()
        .map(|row| row.values().iter().map(text::print).collect::<Vec<_>>().join("|"))
        .collect()
}

fn strict(input: &str) -> Vec<String> {
    rows(&read_as(&schema(), false, input.as_bytes()).unwrap().0)
}

const FIRST: &str = "2026-01-02T03:04:05.0000000Z|a.exe|5|{\"k\":[1]}";

#[test]
fn ndjson() {
    let one =
        r#"{"Timestamp":"2026-01-02T03:04:05Z","FileName":"a.exe","Size":5,"Fields":{"k":[1]},"Other":1}"#;
    let two = r#"{"Size":"7","FileName":null,"Fields":"{\"k\":2}"}"#;
    let expected = vec![FIRST.to_owned(), "||7|{\"k\":2}".to_owned()];
    assert_eq!(strict(&format!("{one}\n{two}\n")), expected);
    // A byte order mark, CRLF, blank lines, no line break at the end.
    assert_eq!(strict(&format!("\u{feff}\r\n{one}\r\n\r\n{two}")), expected);
    assert_eq!(strict(""), Vec::<String>::new());
}

#[test]
fn documents() {
    let object = r#"{"Timestamp":"2026-01-02T03:04:05Z","FileName":"a.exe","Size":5,"Fields":{"k":[1]}}"#;
    let expected = vec![FIRST.to_owned()];
    assert_eq!(strict(&format!("[{object}]")), expected);
    assert_eq!(strict(&format!("[\n  {object}\n]\n")), expected);
    assert_eq!(
        strict(&format!("{{\"Schema\":[],\"Results\":[{object}]}}")),
        expected
    );
    assert_eq!(strict(&format!("{{\n\"Results\": [\n{object}\n]\n}}")), expected);
    assert_eq!(strict(&object.replace(',', ",\n")), expected);
    assert_eq!(
        strict(&format!(
            "{}\n{}",
            object.replace(',', ",\n"),
            object.replace(',', ",\n")
        ))
        .len(),
        2
    );
    let tables = r#"{"tables":[{"name":"PrimaryResult","columns":[{"name":"FileName","type":"string"},{"name":"Size","type":"long"},{"name":"X","type":"string"}],"rows":[["a.exe",5,"x"],["b.exe",null,""]]}]}"#;
    assert_eq!(strict(tables), ["|a.exe|5|", "|b.exe||"]);
    assert_eq!(strict("[]"), Vec::<String>::new());
}

#[test]
fn a_column_called_value_is_no_wrapper() {
    assert_eq!(strict(r#"{"FileName":"a.exe","value":[1,2]}"#), ["|a.exe||"]);
}

#[test]
fn csv_and_tsv() {
    let csv = "Timestamp [UTC],FileName,Size,Other\r\n\"1/2/2026, 3:04:05 AM\",\"a \"\"b\"\"\r\nc\",5,x\r\n,b.exe,,\r\n";
    let expected = ["2026-01-02T03:04:05.0000000Z|a \"b\"\r\nc|5|", "|b.exe||"];
    assert_eq!(strict(csv), expected);
    assert_eq!(strict("FileName\tSize\na.exe\t5\n"), ["|a.exe|5|"]);
    let error = read_as(&schema(), false, b"FileName,Size\na,1\nb\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "RR001: events.csv:3: this line has 1 fields, the header 2"
    );
    let error = read_as(&schema(), false, b"FileName,Size\n\"a\nb,1\n").unwrap_err();
    assert_eq!(
        error.message,
        "events.csv:2: a quoted field has no end"
    );
}

#[test]
fn duplicate_keys_and_spellings() {
    assert_eq!(
        strict(r#"{"FileName":"a","File\u004eame":"b","Size":1,"Size":2}"#),
        ["|b|2|"]
    );
    assert_eq!(
        strict("{\"FileName\":\"a\\u002eexe\",\"filename\":\"x\"}"),
        ["|a.exe||"]
    );
}

#[test]
fn values_in_the_type_of_their_column() {
    assert_eq!(
        strict(r#"{"FileName":5,"Size":"x","Fields":true,"Timestamp":17}"#),
        ["0001-01-01T00:00:00.0000017Z|5||true"]
    );
    assert_eq!(
        strict(r#"{"FileName":{"a":[1.5]},"Size":2.9,"Fields":"plain"}"#),
        ["|{\"a\":[1.5]}|2|plain"]
    );
}

#[test]
fn malformed_lines() {
    let input =
        b"{\"Size\":1}\n{\"Size\":\n[1]\n{\"Size\":2} x\n\xff\xfe\n{\"FileName\":\"\xff\"}\n{\"Size\":3}\n";
    let error = read_as(&schema(), false, input).unwrap_err();
    assert_eq!(error.code.id, "RR001");
    assert!(
        error
            .message
            .starts_with("events.json:2: this is not a JSON object: "),
        "{error}"
    );
    let (batch, report) = read_as(&schema(), true, input).unwrap();
    assert_eq!(rows(&batch), ["||1|", "||3|"]);
    assert_eq!((report.rows, report.malformed), (2, 5));
    assert!(report.first.unwrap().starts_with("events.json:2: "));
    // A line that fails in its middle leaves nothing behind in the next row.
    let (batch, _) = read_as(&schema(), true, b"{\"Size\":1,\"FileName\":}\n{\"Size\":2}\n").unwrap();
    assert_eq!(rows(&batch), ["||2|"]);
    let (batch, report) = read_as(&schema(), true, b"[{\"Size\":1},{\"Size\":2").unwrap();
    assert_eq!((rows(&batch), report.malformed), (vec!["||1|".to_owned()], 1));
}

#[test]
fn deep_and_long() {
    let deep = format!(
        "{{\"Fields\":{}1{}}}\n{{\"Size\":1}}\n",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let (batch, report) = read_as(&schema(), true, deep.as_bytes()).unwrap();
    assert_eq!((rows(&batch), report.malformed), (vec!["||1|".to_owned()], 1));
    let long = format!("{{\"FileName\":\"{}\"}}\n", "x".repeat(5 << 20));
    let (batch, _) = read_as(&schema(), false, long.as_bytes()).unwrap();
    assert_eq!(batch.row(0).str(1).len(), 5 << 20);
}

#[test]
fn open_tables_keep_what_they_find() {
    let schema = Schema::of(&[("FileName", Type::Unknown), ("Timestamp", Type::Unknown)]).open();
    let input = b"{\"FileName\":\"a\",\"X\":1}\n{\"Y\":\"2\",\"Timestamp\":\"2026-01-02\"}\n";
    let (batch, _) = read_as(&schema, false, input).unwrap();
    let names = batch
        .schema()
        .columns()
        .iter()
        .map(|column| column.name.to_string())
        .collect::<Vec<_>>();
    assert_eq!(names, ["FileName", "Timestamp", "X", "Y"]);
    assert_eq!(rows(&batch), ["a||1|", "|2026-01-02T00:00:00.0000000Z||2"]);
}

#[test]
fn ingestion_time() {
    let time = |input: &str, schema: &Schema| {
        let (batch, _) = read_as(schema, false, input.as_bytes()).unwrap();
        text::print(&batch.row(0).ingestion_time())
    };
    let both = r#"{"Timestamp":"2026-01-01","_IngestionTime":"2026-01-02"}"#;
    assert_eq!(time(both, &schema()), "2026-01-02T00:00:00.0000000Z");
    assert_eq!(
        time(r#"{"Timestamp":"2026-01-01"}"#, &schema()),
        "2026-01-01T00:00:00.0000000Z"
    );
    // Also when the query does not read the column.
    let narrow = Schema::of(&[("FileName", Type::String)]);
    assert_eq!(
        time(r#"{"TimeGenerated":"2026-01-03"}"#, &narrow),
        "2026-01-03T00:00:00.0000000Z"
    );
    assert_eq!(time(r#"{"FileName":"x"}"#, &narrow), "");
}

#[test]
fn columns_nobody_reads() {
    let (schema, memory) = (schema(), Memory::default());
    let source = Source {
        needed: Some(&[2]),
        ..Source::new("x", &schema, &memory)
    };
    let (batch, _) = read(&b"{\"FileName\":\"a\",\"Size\":1}\n"[..], &source).unwrap();
    assert_eq!(rows(&batch), ["||1|"]);
}

#[test]
fn in_pieces() {
    use std::fmt::Write as _;
    let (schema, memory) = (schema(), Memory::default());
    let mut input = String::new();
    for size in 0..40_000 {
        writeln!(input, "{{\"Size\":{size}}}").unwrap();
    }
    let mut sizes = Vec::new();
    let source = Source {
        format: Some(Format::Ndjson),
        ..Source::new("x", &schema, &memory)
    };
    let report = batches(input.as_bytes(), &source, &mut |batch| {
        sizes.push(batch.rows());
        Ok(())
    })
    .unwrap();
    assert_eq!(report.rows, 40_000);
    assert_eq!(sizes.iter().sum::<usize>(), 40_000);
    assert!(sizes.len() > 1);
    assert_eq!(memory.held(), 0);
}

#[test]
fn memory_limit() {
    let (schema, memory) = (schema(), Memory::with_limit(10_000));
    let input = format!("{{\"FileName\":\"{}\"}}\n", "x".repeat(20_000));
    let error = read(input.as_bytes(), &Source::new("x", &schema, &memory)).unwrap_err();
    assert_eq!(error.code.id, "RR003");
    assert!(error.message.starts_with("`read` needs 19.5 KiB more"), "{error}");
    assert_eq!(memory.held(), 0);
}
