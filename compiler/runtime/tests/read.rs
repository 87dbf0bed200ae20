//! Readers: every shape of export, and everything that is wrong with files.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use rulec_functions::text;
use rulec_runtime::read::{Format, Header, Report, Source, batches, read};
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
    assert_eq!(error.message, "events.csv:2: a quoted field has no end");
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
        strict(r#"{"FileName":5,"Size":"x","Fields":true,"Timestamp":639028982451234567}"#),
        ["2026-01-01T21:04:05.1234567Z|5||true"]
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

/// What a strict reading says is wrong.
fn refused(input: &[u8]) -> String {
    read_as(&schema(), false, input).unwrap_err().message
}

/// Rows of a lenient reading, and how many lines it skipped.
fn lenient(input: &[u8]) -> (Vec<String>, u64) {
    let (batch, report) = read_as(&schema(), true, input).unwrap();
    (rows(&batch), report.malformed)
}

#[test]
fn documents_row_by_row() {
    // One row that is wrong does not hide the others, and its line is said.
    let input =
        b"[\n{\"Size\":1},\n{\"Size\":},\n{\"Size\":2},\n{\"Size\":[\n2,}\n]},\n3 oops,{\"Size\":4},\n]\n";
    assert_eq!(
        refused(input),
        "events.json:3: this is not a JSON object: expected value (column 9)"
    );
    let (rows, malformed) = lenient(input);
    assert_eq!(rows, ["||1|", "||2|", "||4|"]);
    // No value; brackets that do not match, what is left of them, and no comma
    // between; a number, no comma, a word; a comma too many.
    assert_eq!(malformed, 8);
    assert_eq!(
        refused(b"[{\"Size\":1},]"),
        "events.json:1: nothing follows this comma but `]`"
    );
    assert_eq!(
        refused(b"[{\"Size\":1},\n{\"Size\":2"),
        "events.json:2: the file ends in the middle of the row that starts here, so it is cut off"
    );
    assert_eq!(
        refused(b"{\"Results\":[\n{\"Size\":1},\n{\"Size\":2}\n"),
        "events.json:4: the file ends before its array does, so it is cut off"
    );
    assert_eq!(
        refused(b"[{\"Size\":1}] x"),
        "events.json:1: `x` is in place of an object or an array"
    );
    // Pages one after the other.
    let pages = b"{\"value\":[{\"Size\":1}]}\n{\"value\":[{\"Size\":2}],\"next\":null}\n";
    assert_eq!(lenient(pages), (vec!["||1|".into(), "||2|".into()], 0));
}

#[test]
fn exports_of_log_analytics() {
    // Rows in front of their columns, further tables, a row that is too short.
    let export = br#"{"Tables":[{"Rows":[[1,"a"],[2],
        {}, [3,null]],"Columns":[{"ColumnName":"Size","ColumnType":"long"},{"ColumnName":"FileName"}]},
        {"Columns":[],"Rows":[[9]]}]}"#;
    assert_eq!(
        refused(export),
        "events.json:1: this row has 1 values, the table 2 columns"
    );
    assert_eq!(lenient(export), (vec!["|a|1|".into(), "||3|".into()], 2));
    assert_eq!(
        refused(b"{\"tables\":[{\"name\":\"x\"}]}"),
        "events.json:1: the table has no columns or no rows"
    );
    // Of a table that nobody knows the export says the types.
    let schema = Schema::of(&[]).open();
    let export = br#"{"tables":[{"columns":[{"name":"N","type":"int"},{"name":"T","type":"datetime"}],"rows":[[1,"2026-01-01"]]}]}"#;
    let (batch, _) = read_as(&schema, false, export).unwrap();
    let types: Vec<Type> = batch.schema().columns().iter().map(|c| c.ty).collect();
    assert_eq!(types, [Type::Int, Type::DateTime]);
}

#[test]
fn rows_of_the_streaming_api() {
    let row = |table: &str, size: u8| {
        format!(
            r#"{{"time":"2026-01-01","category":"AdvancedHunting-{table}","properties":{{"Size":{size},"FileName":"a"}}}}"#
        )
    };
    let lines = format!(
        "{}\n{}\n{}\n",
        row("Events", 1),
        row("Others", 2),
        row("Events", 3)
    );
    assert_eq!(strict(&lines), ["|a|1|", "|a|3|"]);
    assert_eq!(
        strict(&format!(
            "{{\"records\":[{},{}]}}",
            row("Others", 1),
            row("Events", 2)
        )),
        ["|a|2|"]
    );
    // A table may have columns of these names itself.
    let own = Schema::of(&[("category", Type::String), ("properties", Type::Dynamic)]);
    let (batch, _) = read_as(&own, false, br#"{"category":"x","properties":{"a":1}}"#).unwrap();
    assert_eq!(rows(&batch), ["x|{\"a\":1}"]);
}

#[test]
fn places_of_what_is_wrong() {
    assert_eq!(
        refused(b"{\"Size\":1}\r\n\r\n{\"FileName\":\"a\xff\"}\r\n"),
        "events.json:3: this is not UTF-8: byte 0xff at offset 14 of the row"
    );
    assert_eq!(
        refused(b"{\"FileName\":\"a\0b\"}\n"),
        "events.json:1: this is not a JSON object: control character (\\u0000-\\u001F) found while parsing a string (column 15)"
    );
    assert_eq!(
        refused(b"{\"Size\":1}\n{\"Size\":2},\n"),
        "events.json:2: a comma follows the object (column 11); rows are separated by line breaks alone"
    );
    assert_eq!(
        refused(b"{\"Size\":1}\n{\"Size\":2"),
        "events.json:2: the file ends in the middle of this line, so it is cut off"
    );
    let deep = format!("{{\"Fields\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(
        refused(deep.as_bytes()),
        "events.json:1: this is nested deeper than 128 levels (column 137)"
    );
    // Nobody reads the value, so nobody minds.
    let deep = deep.replace("Fields", "Others");
    assert_eq!(strict(&deep), ["|||"]);
    assert_eq!(
        refused(b"\xff\xfe{\0\"\0"),
        "`events.csv` is UTF-16 text; save it as UTF-8"
    );
}

#[test]
fn a_line_of_64_megabytes() {
    let line = format!("{{\"Size\":1,\"FileName\":\"{}\"}}\n", "x".repeat(64 << 20));
    let (schema, memory) = (schema(), Memory::with_limit(200 << 20));
    let (batch, _) = read(line.as_bytes(), &Source::new("x", &schema, &memory)).unwrap();
    assert_eq!(batch.row(0).str(1).len(), 64 << 20);
    drop(batch);
    // What is too long for the memory is an error, also where it has no end.
    let memory = Memory::with_limit(50 << 20);
    let error = read(line.as_bytes(), &Source::new("x", &schema, &memory)).unwrap_err();
    assert_eq!(error.code.id, "RR003");
    let array = format!("[{{\"FileName\":\"{}", "x".repeat(64 << 20));
    let error = read(array.as_bytes(), &Source::new("x", &schema, &memory)).unwrap_err();
    assert_eq!(error.code.id, "RR003");
    let quoted = format!(
        "FileName,Size\n\"{}",
        format!("{}\n", "x".repeat(1 << 20)).repeat(40)
    );
    let error = read(quoted.as_bytes(), &Source::new("x", &schema, &memory)).unwrap_err();
    assert_eq!(error.code.id, "RR003");
    assert!(
        error.message.starts_with("x:2: a quoted field goes on and on: "),
        "{error}"
    );
    assert_eq!(memory.held(), 0);
}

#[test]
fn columns_that_never_convert() {
    let input = br#"{"Size":"many","Timestamp":"yesterday","FileName":5}
{"Size":"","Timestamp":"2026-01-01"}
{"Size":"more"}
"#;
    let (_, report) = read_as(&schema(), false, input).unwrap();
    assert_eq!(
        report.sentences("events.json"),
        [
            "no value of the column `Size` could be read, so it is null everywhere; the first: events.json:1: `many` is no long"
        ]
    );
    let csv = b"Size,Timestamp\n,\nx y,31.31.2026\n";
    let (_, report) = read_as(&schema(), false, csv).unwrap();
    assert_eq!(report.unconverted.len(), 2);
    assert_eq!(
        report.unconverted["Timestamp"],
        "events.csv:3: `31.31.2026` is no datetime"
    );
    // Ticks are a time; seconds or milliseconds since 1970 would be one in the year 1.
    let (_, report) = read_as(&schema(), false, b"{\"Timestamp\":1767323045123}\n").unwrap();
    assert_eq!(
        report.unconverted["Timestamp"],
        "events.json:1: `1767323045123` is no datetime"
    );
    // What converts as Kusto's ingestion does is no finding.
    let wide = Schema::of(&[
        ("L", Type::Long),
        ("B", Type::Bool),
        ("S", Type::String),
        ("T", Type::TimeSpan),
        ("G", Type::Guid),
        ("R", Type::Real),
    ]);
    let input = br#"{"L":"123","B":"true","S":1,"T":"1.02:03:04","G":"74be27de-1e4e-49d9-b579-fe0b331d3642","R":"1.5"}"#;
    let (batch, report) = read_as(&wide, false, input).unwrap();
    assert_eq!(
        rows(&batch),
        ["123|true|1|1.02:03:04|74be27de-1e4e-49d9-b579-fe0b331d3642|1.5"]
    );
    assert_eq!(report.sentences("x"), Vec::<String>::new());
}

#[test]
fn headers() {
    // Types behind names, display names, the portal's zone, Excel's directive.
    assert_eq!(
        strict("\u{feff}sep=;\r\nFile Name;size:long;Timestamp [UTC]\r\na;5;2026-01-02\r\n"),
        ["2026-01-02T00:00:00.0000000Z|a|5|"]
    );
    assert_eq!(strict("FileName|Size\na|5\n"), ["|a|5|"]);
    // A display name does not take the place of the column itself.
    assert_eq!(strict("File name,FileName,Size\nx,y,1\n"), ["|y|1|"]);
    assert_eq!(
        refused(b"a.exe,5,x,y\nb.exe,6,x,y\n"),
        "events.csv:1: the first line should name the columns, but none of `a.exe`, `5`, `x` and the rest is a column of `Events`"
    );
    let open = Schema::of(&[]).open();
    let (batch, _) = read_as(&open, false, b"A:long,B\n1,2\n").unwrap();
    let columns = batch.schema().columns();
    assert_eq!((&*columns[0].name, columns[0].ty), ("A", Type::Long));
    assert_eq!(&*columns[1].name, "B");
    assert_eq!(strict("FileName,Size\n"), Vec::<String>::new());
}

#[test]
fn records_that_are_torn() {
    let input = b"FileName,Size\na,1\n\"b,2\nc,3\n\"d\" x,4\ne,5,6\n\xff,7\nf \"g\" h,8\n\"\",\n";
    let error = read_as(&schema(), false, input).unwrap_err();
    assert_eq!(
        error.message,
        "events.csv:3: text follows the end of a quoted field"
    );
    // The quote of line 3 ends on line 5.
    assert_eq!(
        lenient(input),
        (vec!["|a|1|".into(), "|f \"g\" h|8|".into(), "|||".into()], 3)
    );
    // One that never ends swallows its own line only.
    let input = b"FileName,Size\n\"a\nb\",1\n\"c,2\nd,3\ne,4\n";
    assert_eq!(
        lenient(input),
        (vec!["|a\nb|1|".into(), "|d|3|".into(), "|e|4|".into()], 1)
    );
    assert_eq!(refused(input), "events.csv:4: a quoted field has no end");
}

#[test]
fn data_without_a_header() {
    let (schema, memory) = (schema(), Memory::default());
    let read_with = |header, input: &str| {
        let source = Source {
            format: Some(Format::Separated(b',')),
            header,
            ..Source::new("list.csv", &schema, &memory)
        };
        rows(&read(input.as_bytes(), &source).unwrap().0)
    };
    let two = ["2026-01-01T00:00:00.0000000Z|a|1|", "|b||"];
    assert_eq!(read_with(Header::Absent, "2026-01-01,a,1,,too much\n,b\n"), two);
    assert_eq!(
        read_with(Header::Ignored, "# when,what\n2026-01-01,a,1\n,b\n"),
        two
    );
    assert_eq!(
        read_with(Header::Absent, "Size,Timestamp,FileName\n1,2026-01-01,a\n,,b\n"),
        two
    );
    let text = Schema::of(&[("Line", Type::String)]);
    let source = Source {
        format: Some(Format::Lines),
        ..Source::new("list.txt", &text, &memory)
    };
    let (batch, _) = read(&b"10.0.0.1\r\n\r\n{\"a\",b"[..], &source).unwrap();
    assert_eq!(rows(&batch), ["10.0.0.1", "", "{\"a\",b"]);
    let source = Source {
        format: Some(Format::Whole),
        ..source
    };
    let (batch, _) = read(&b"a\nb\n"[..], &source).unwrap();
    assert_eq!(rows(&batch), ["a\nb\n"]);
}

#[test]
fn damage_is_survived() {
    let samples = [
        "{\"Size\":1,\"FileName\":\"a\\\"b\",\"Fields\":{\"k\":[1]}}\r\n\n{\"Size\":2}\n",
        "[\n{\"Size\":1},\n{\"Size\":2,\"Fields\":[[]]} ,{\"FileName\":\"]\"}\n]",
        "{\"Stats\":{},\"Results\":[{\"Size\":1},{\"Size\":2}],\"Schema\":[]}",
        "{\"tables\":[{\"columns\":[{\"name\":\"Size\",\"type\":\"long\"}],\"rows\":[[1],[2]]},{}]}",
        "{\"tables\":[{\"rows\":[[1],[2]],\"columns\":[{\"name\":\"Size\"}]}]}",
        "{\"category\":\"AdvancedHunting-Events\",\"properties\":{\"Size\":1}}\n",
        "FileName,Size\n\"a\"\"b\nc\",1\nd,2\n\n\"\",3\n",
        "sep=;\nFileName;Size:long\na;1\n",
    ];
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        "\"",
        ",",
        ":",
        "\n",
        "\\",
        "\0",
        "\u{feff}",
        ";",
        "1e999",
        "\"Results\":[",
        "\"tables\":[{",
    ];
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..4_000 {
        let mut bytes = random.choice(samples).unwrap().as_bytes().to_vec();
        for _ in 0..random.usize(1..5) {
            let at = random.usize(..=bytes.len());
            match random.u8(..4) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, random.u8(..)),
                2 => drop(bytes.splice(at..at, random.choice(pieces).unwrap().bytes())),
                _ => drop(bytes.drain(at..(at + random.usize(..9)).min(bytes.len()))),
            }
        }
        // An open table takes whatever columns there are.
        for schema in [schema(), Schema::of(&[("Size", Type::Unknown)]).open()] {
            let strictly = read_as(&schema, false, &bytes);
            let (batch, report) = match read_as(&schema, true, &bytes) {
                Ok(read) => read,
                // Text in another encoding, or a table without a header.
                Err(error) => {
                    assert!(strictly.is_err(), "{error}");
                    continue;
                }
            };
            assert_eq!(report.rows as usize, batch.rows());
            // What a strict reader takes, a lenient one takes as it is.
            match strictly {
                Ok((whole, _)) => assert_eq!((rows(&whole), report.malformed), (rows(&batch), 0)),
                Err(error) => assert!(report.malformed > 0, "{error}: {}", bytes.escape_ascii()),
            }
        }
    }
}
