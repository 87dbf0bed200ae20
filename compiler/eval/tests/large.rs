//! Tables that come in pieces: what a query gives does not depend on how a file
//! is cut, and operators that hold rows or groups stop at the memory limit.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

mod common;

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Mutex;

use common::{NOW, bind};
use rulec_eval::EvalError;
use rulec_facts::tables::Environment;
use rulec_functions::text;
use rulec_runtime::files::Files;
use rulec_runtime::read::{Source, read};
use rulec_runtime::write::batch_to_json;
use rulec_runtime::{
    Batch, Code, Context, InMemory, Memory, RuntimeError, Schema, TableRequest, Tables, Type,
};

const COLUMNS: [(&str, Type); 6] = [
    ("Timestamp", Type::DateTime),
    ("DeviceId", Type::String),
    ("AccountName", Type::String),
    ("FileName", Type::String),
    ("ProcessId", Type::Long),
    ("SHA1", Type::String),
];

/// Events of a few devices, no two files alike.
fn events(rows: usize) -> String {
    let mut random = fastrand::Rng::with_seed(17);
    let mut text = String::new();
    for row in 0..rows {
        let (device, account, file) = (random.u16(..40), random.u16(..700), random.u16(..90));
        let (id, hash) = (random.u16(..5000), random.u128(..));
        let (minute, second) = (row / 60 % 60, row % 60);
        writeln!(
            text,
            r#"{{"Timestamp":"2026-06-15T11:{minute:02}:{second:02}Z","DeviceId":"d{device}","AccountName":"user{account}","FileName":"f{file}.exe","ProcessId":{id},"SHA1":"{hash:040x}"}}"#
        )
        .unwrap();
    }
    text
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".ndjson").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn files(file: &tempfile::NamedTempFile) -> Files {
    let mut files = Files::new();
    files.add_path("DeviceProcessEvents", file.path().to_str().unwrap());
    files
}

fn over(query: &str, tables: &dyn Tables, memory: Memory) -> Result<Batch, EvalError> {
    let lowered = bind(query, Environment::M365).unwrap();
    let context = Context::new(text::parse_datetime(NOW).unwrap(), tables).with_memory(memory);
    rulec_eval::run(&lowered.query, &context)
}

fn held(text: &str) -> InMemory {
    let schema = Schema::of(&COLUMNS);
    let memory = Memory::unlimited();
    let (rows, _) = read(text.as_bytes(), &Source::new("events", &schema, &memory)).unwrap();
    let mut tables = InMemory::new();
    tables.insert("DeviceProcessEvents", rows);
    tables
}

const QUERIES: &[&str] = &[
    "summarize count(), min(Timestamp), max(ProcessId), sum(ProcessId), dcount(SHA1) by DeviceId, bin(Timestamp, 5m)",
    "summarize make_set(FileName), make_list(ProcessId, 50), arg_max(ProcessId, FileName, AccountName), any(SHA1) by DeviceId",
    "where ProcessId > 4000 | summarize avg(ProcessId * 0.1), stdev(ProcessId), percentile(ProcessId, 90), countif(FileName == 'f1.exe') by AccountName",
    "summarize take_any(*) by FileName | project FileName, SHA1, ProcessId",
    "summarize Files = make_set_if(FileName, ProcessId < 50), Least = minif(FileName, ProcessId > 10) by tolower(AccountName)",
    "distinct DeviceId, FileName",
    "extend P = ProcessId % 7 | where P == 3 | count",
    "where ProcessId > 10 | take 25 | project SHA1",
    "top 30 by ProcessId desc | project ProcessId, SHA1",
    "project DeviceId, AccountName | join kind=inner (DeviceProcessEvents | where ProcessId < 20 | project AccountName, FileName) on AccountName | summarize count() by DeviceId, FileName",
    "where ProcessId < 100 | join (DeviceProcessEvents | where ProcessId > 4900) on DeviceId, FileName | project DeviceId, FileName, SHA1, SHA11",
    "where ProcessId < 300 | join kind=leftouter (DeviceProcessEvents | where ProcessId > 4990) on AccountName | project AccountName, SHA1, SHA11",
    "join kind=leftanti (DeviceProcessEvents | where ProcessId > 100) on AccountName, FileName | project SHA1",
    "where ProcessId < 50 | join kind=leftsemi (DeviceProcessEvents | where ProcessId > 4500) on AccountName | project SHA1",
    "where ProcessId < 50 | join kind=rightouter (DeviceProcessEvents | where ProcessId > 4950) on AccountName | project SHA1, SHA11",
    "where ProcessId < 50 | join kind=fullouter (DeviceProcessEvents | where ProcessId > 4950) on AccountName | project SHA1, SHA11",
    "where ProcessId < 50 | lookup (DeviceProcessEvents | summarize Devices = dcount(DeviceId) by AccountName) on AccountName | top 5 by Devices",
];

#[test]
fn a_file_in_pieces_gives_what_memory_gives() {
    let text = events(30_000);
    let (file, held) = (file(&text), held(&text));
    for query in QUERIES {
        let query = format!("DeviceProcessEvents | {query}");
        let wanted = batch_to_json(&over(&query, &held, Memory::unlimited()).unwrap());
        let found = batch_to_json(&over(&query, &files(&file), Memory::default()).unwrap());
        assert_eq!(found, wanted, "{query}");
        // Threads take pieces as they come.
        let again = batch_to_json(&over(&query, &files(&file), Memory::default()).unwrap());
        assert_eq!(again, wanted, "{query}, again");
    }
}

#[test]
fn a_large_left_side_passes_in_pieces() {
    let mut text = String::new();
    for row in 0..300_000_u32 {
        let device = row.wrapping_mul(2_654_435_761) >> 12;
        writeln!(text, r#"{{"DeviceId":"d{}","ProcessId":{row}}}"#, device % 1000).unwrap();
    }
    let (file, held) = (file(&text), held(&text));
    for kind in ["innerunique", "inner", "leftouter", "leftsemi", "leftanti"] {
        let query = format!(
            "DeviceProcessEvents | project DeviceId, ProcessId | join kind={kind} (
                DeviceProcessEvents | where ProcessId < 700 | project DeviceId) on DeviceId
             | summarize Rows = count(), Sum = sum(ProcessId), First = take_any(ProcessId)"
        );
        let wanted = batch_to_json(&over(&query, &held, Memory::unlimited()).unwrap());
        // Neither the left side nor what it gives is held.
        let found = over(&query, &files(&file), Memory::with_limit(40 << 20));
        assert_eq!(batch_to_json(&found.unwrap()), wanted, "{kind}");
    }
}

#[test]
fn nothing_is_read_after_the_last_row_that_is_taken() {
    let mut text = events(40_000);
    text.push_str("this is no event\n");
    let file = file(&text);
    let take = over("DeviceProcessEvents | take 10", &files(&file), Memory::default());
    assert_eq!(take.unwrap().rows(), 10);
    let all = over("DeviceProcessEvents | count", &files(&file), Memory::default());
    assert_eq!(all.unwrap_err().code, Code::MALFORMED_INPUT);
    let strict = files(&file).strict(true);
    let strict = over("DeviceProcessEvents | take 10", &strict, Memory::default());
    assert_eq!(strict.unwrap_err().code, Code::MALFORMED_INPUT);
}

/// What holds rows or groups, and the operator that the error names.
const HOLDING: &[(&str, &str)] = &[
    ("summarize count() by SHA1", "summarize"),
    ("summarize make_set(SHA1)", "summarize"),
    ("summarize make_set(SHA1) by DeviceId", "summarize"),
    ("summarize make_list(SHA1)", "summarize"),
    (
        "summarize dcount(FileName), hll(AccountName) by SHA1",
        "summarize",
    ),
    (
        "summarize arg_max(Timestamp, SHA1, FileName) by SHA1",
        "summarize",
    ),
    ("summarize percentile(ProcessId, 50) by SHA1", "summarize"),
    ("distinct SHA1", "distinct"),
    ("sort by SHA1 asc | take 1", "sort"),
    ("top 1000000 by SHA1", "top"),
    (
        "take 1000000 | project Timestamp, DeviceId, AccountName, FileName, ProcessId, SHA1",
        "take",
    ),
    ("serialize | extend n = row_number() | where n == 1", "serialize"),
    ("join kind=inner (DeviceProcessEvents) on SHA1 | count", "join"),
    ("join (DeviceProcessEvents) on SHA1 | count", "join"),
    ("join kind=leftanti (DeviceProcessEvents) on SHA1 | count", "join"),
    (
        "join kind=fullouter (DeviceProcessEvents) on SHA1 | count",
        "join",
    ),
    ("lookup (DeviceProcessEvents) on SHA1 | count", "lookup"),
    (
        "union DeviceProcessEvents | project SHA1, AccountName, FileName, DeviceId",
        "union",
    ),
    ("partition by SHA1 (take 1) | count", "partition"),
];

#[test]
fn what_holds_rows_stops_at_the_memory_limit() {
    let file = file(&events(60_000));
    let limit = 6 << 20;
    for (pipe, operator) in HOLDING {
        let query = format!("DeviceProcessEvents\n| {pipe}");
        let memory = Memory::with_limit(limit);
        let error = match over(&query, &files(&file), memory.clone()) {
            Err(error) => error,
            Ok(rows) => panic!("{pipe} gave {} rows", rows.rows()),
        };
        assert_eq!(error.code, Code::MEMORY_LIMIT, "{pipe}: {error}");
        let named = format!("`{operator}` ");
        assert!(error.message.starts_with(&named), "{pipe}: {error}");
        assert!(
            error.message.contains("raise it with --memory"),
            "{pipe}: {error}"
        );
        let place = error.span.of(&query);
        assert!(
            place.starts_with(pipe.split(' ').next().unwrap()),
            "{pipe}: at `{place}`"
        );
        assert_eq!(memory.held(), 0, "{pipe}");
    }
}

#[test]
fn what_holds_little_stays_within_a_small_limit() {
    let file = file(&events(60_000));
    // Room for the pieces that threads have in hand.
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let limit = (threads + 4) * (3 << 20);
    for pipe in [
        "count",
        "where ProcessId < 3 | project SHA1",
        "summarize count(), dcount(FileName), make_set(FileName) by DeviceId",
        "summarize arg_max(Timestamp, *) by DeviceId",
        "distinct FileName",
        "top 10 by SHA1",
        "take 10",
        "project SHA1, AccountName | join kind=inner (DeviceProcessEvents | where ProcessId == 3 | project SHA1) on SHA1 | count",
        "where ProcessId == 3 | project SHA1 | join kind=inner (DeviceProcessEvents | project SHA1, AccountName) on SHA1 | count",
    ] {
        let query = format!("DeviceProcessEvents | {pipe}");
        let memory = Memory::with_limit(limit);
        over(&query, &files(&file), memory).unwrap_or_else(|error| panic!("{pipe}: {error}"));
    }
}

/// Tables that remember the columns that they were asked for.
struct Asked(InMemory, Mutex<Vec<Vec<String>>>);

impl Tables for Asked {
    fn table(&self, request: &TableRequest<'_>) -> Result<Batch, RuntimeError> {
        let columns = request.schema.columns().iter().enumerate();
        let needed = columns.filter(|(place, _)| request.needed.is_none_or(|needed| needed.contains(place)));
        let names = needed.map(|(_, column)| column.name.to_string()).collect();
        self.1.lock().unwrap().push(names);
        self.0.table(request)
    }
}

#[test]
fn a_binding_is_asked_once_for_what_all_read_of_it() {
    let asked = Asked(held(&events(50)), Mutex::default());
    let wanted = [
        (
            "let T = DeviceProcessEvents | where ProcessId > 3;
             T | summarize count() by DeviceId | join (T | project DeviceId, FileName) on DeviceId | project FileName, count_",
            vec!["DeviceId", "FileName", "ProcessId"],
        ),
        (
            "let T = DeviceProcessEvents; let U = T | where FileName != 'x'; U | distinct DeviceId",
            vec!["DeviceId", "FileName"],
        ),
        (
            "let T = DeviceProcessEvents; T | where SHA1 in (T | project SHA1) | project ProcessId",
            vec!["ProcessId", "SHA1"],
        ),
    ];
    for (query, wanted) in wanted {
        over(query, &asked, Memory::unlimited()).unwrap();
        let mut found = asked.1.lock().unwrap().split_off(0);
        assert_eq!(found.len(), 1, "{query}: {found:?}");
        let mut found = found.remove(0);
        found.sort();
        assert_eq!(found, wanted, "{query}");
    }
}
