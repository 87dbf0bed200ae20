//! The fast way through NDJSON gives the rows that the plain way gives, however
//! the JSON is spelled, and whatever condition is asked on the raw bytes.

use std::io::Write as _;

use fastrand::Rng;
use rulec_functions::fold::{contains_fold, ends_fold, eq_fold, starts_fold};
use rulec_runtime::files::Files;
use rulec_runtime::write::batch_to_json;
use rulec_runtime::{
    Batch, Context, Moment, Necessary, Row, RuntimeError, Schema, TextTest, Type, Value, ops,
};

const COLUMNS: [(&str, Type); 8] = [
    ("FileName", Type::String),
    ("InitiatingProcessFileName", Type::String),
    ("Name", Type::String),
    ("ProcessId", Type::Long),
    ("Timestamp", Type::DateTime),
    ("AdditionalFields", Type::Dynamic),
    ("Path", Type::String),
    ("Flag", Type::Bool),
];

/// Keys that no rule asks for, some of which end like ones that are.
const OTHERS: [&str; 6] = ["DeviceName", "AFileName", "Id", "X", "TimestampX", "eName"];

const TEXTS: [&str; 18] = [
    "cmd.exe",
    "CMD.EXE",
    "powershell.exe",
    "C:\\Windows\\cmd.exe",
    "a/b",
    "say \"hi\"",
    "tab\there",
    "straße",
    "\u{212a}elvin",
    "ſet",
    "kelvin",
    "set",
    "",
    "x",
    "back\\\\slash\\",
    ":,{}[]",
    "\u{1}",
    "日本",
];

/// A text between quotes, each character in one of the ways JSON allows.
fn spell(rng: &mut Rng, text: &str, odd: bool) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        let mut units = [0; 2];
        let by_code = |c: char, upper: bool, units: &mut [u16; 2]| {
            c.encode_utf16(units)
                .iter()
                .map(|unit| {
                    if upper {
                        format!("\\u{unit:04X}")
                    } else {
                        format!("\\u{unit:04x}")
                    }
                })
                .collect::<String>()
        };
        let strange = odd && rng.u8(..8) == 0;
        match c {
            _ if strange => out.push_str(&by_code(c, rng.bool(), &mut units)),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '/' if odd && rng.bool() => out.push_str("\\/"),
            c if c < ' ' => out.push_str(&by_code(c, rng.bool(), &mut units)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn value(rng: &mut Rng, odd: bool) -> String {
    let text = TEXTS[rng.usize(..TEXTS.len())];
    match rng.u8(..16) {
        0 => "null".to_owned(),
        1 => rng.i64(-5..5).to_string(),
        2 => format!("\"{}\"", rng.i64(-5..5)),
        3 => "4.0".to_owned(),
        4 => ["true", "false"][rng.usize(..2)].to_owned(),
        5 => {
            let times = [
                "2026-01-31T12:00:00Z",
                "2026-02-01T00:00:00.1234567Z",
                "31 Jan 2026",
            ];
            let time = times[rng.usize(..3)];
            spell(rng, time, odd)
        }
        6 => {
            let inner = format!("{{\"k\": {}}}", spell(rng, text, odd));
            spell(rng, &inner, odd)
        }
        7 if odd => format!("{{\"FileName\": {}}}", spell(rng, text, odd)),
        8 if odd => format!("[{}, {{\"Name\":1}}]", spell(rng, text, odd)),
        _ => spell(rng, text, odd),
    }
}

/// Lines of an export: now and then a new set of keys, mostly the same again.
/// Not all are what they should be, unless they are to be sound.
fn lines(rng: &mut Rng, sound: bool) -> Vec<u8> {
    let odd = rng.bool();
    let mut text = Vec::new();
    let mut keys: Vec<&str> = Vec::new();
    // Of some hundred lines it is learnt what had best be asked first.
    let most = if rng.u8(..40) == 0 { 600 } else { 40 };
    for _ in 0..rng.usize(1..most) {
        if keys.is_empty() || rng.u8(..8) == 0 {
            keys = COLUMNS.iter().map(|(name, _)| *name).chain(OTHERS).collect();
            rng.shuffle(&mut keys);
            keys.truncate(rng.usize(1..=keys.len()));
        }
        let mut line = keys.clone();
        if odd && rng.u8(..6) == 0 {
            // As many keys, but one of them twice.
            let (from, to) = (rng.usize(..line.len()), rng.usize(..line.len()));
            line[to] = line[from];
        }
        let blank = |rng: &mut Rng| [" ", "", "\t"][rng.usize(..3)];
        let spaced = odd && rng.u8(..4) == 0;
        let mut row = String::from("{");
        for (place, key) in line.iter().enumerate() {
            if place > 0 {
                row.push(',');
            }
            if spaced {
                row.push_str(blank(rng));
            }
            let strange = odd && rng.u8(..20) == 0;
            row.push_str(&spell(rng, key, strange));
            if spaced {
                row.push_str(blank(rng));
            }
            row.push(':');
            if spaced {
                row.push_str(blank(rng));
            }
            let value = value(rng, odd);
            row.push_str(&value);
            if spaced {
                row.push_str(blank(rng));
            }
        }
        row.push('}');
        let mut row = row.into_bytes();
        match rng.u8(..40) {
            _ if sound => {}
            0 => row.extend(b" trailing"),
            // A cut may fall into a character.
            1 => row.truncate(row.len() / 2),
            2 => row.clear(),
            3 => row.push(b'\r'),
            _ => {}
        }
        text.extend(row);
        text.push(b'\n');
    }
    if rng.bool() {
        text.pop();
    }
    text
}

/// Regular expressions, as queries may give them.
const PATTERNS: [&str; 6] = [
    r"[a-z]{5,}",
    r"\\cmd",
    r"^[^a-z]*$",
    r"(?i)K|s.t",
    r#""\w+""#,
    r"\t|日|^x?$",
];

/// One to three texts in a column.
fn texts(rng: &mut Rng, column: &str, test: TextTest) -> Necessary {
    let texts = (0..rng.usize(1..4)).map(|_| {
        let text = TEXTS[rng.usize(..TEXTS.len())];
        let chars = text.chars().collect::<Vec<_>>();
        let from = if rng.bool() { 0 } else { rng.usize(..=chars.len()) };
        chars[from..].iter().collect::<String>()
    });
    let texts = texts.filter(|text| !text.is_empty()).collect::<Vec<_>>();
    if rng.bool() {
        Necessary::text_fold(column, test, texts)
    } else {
        Necessary::text(column, test, texts)
    }
}

fn condition(rng: &mut Rng, depth: usize) -> Necessary {
    use TextTest::{Contains, EndsWith, Is, StartsWith};
    let column = |rng: &mut Rng| ["FileName", "InitiatingProcessFileName", "Name", "Path"][rng.usize(..4)];
    match rng.u8(..if depth == 0 { 8 } else { 11 }) {
        0 => Necessary::number("ProcessId", [rng.i64(-3..3), 4]),
        1 => {
            let bound = [Moment::At(639_054_000_000_000_000), Moment::BeforeNow(0)][rng.usize(..2)];
            if rng.bool() {
                Necessary::since("Timestamp", bound)
            } else {
                Necessary::until("Timestamp", bound)
            }
        }
        2 => {
            if rng.bool() {
                Necessary::text_fold("AdditionalFields", TextTest::Inside, ["cmd.exe", "hi"])
            } else {
                Necessary::text("AdditionalFields", TextTest::Inside, ["cmd.exe", "hi"])
            }
        }
        3..=6 => {
            let test = [Is, Contains, StartsWith, EndsWith][rng.usize(..4)];
            let column = column(rng);
            texts(rng, column, test)
        }
        7 => Necessary::pattern(column(rng), PATTERNS[rng.usize(..PATTERNS.len())]),
        8 if rng.bool() => {
            let column = column(rng);
            let alternative = |rng: &mut Rng| {
                let test = [Is, StartsWith][rng.usize(..2)];
                Necessary::all([condition(rng, depth - 1), texts(rng, column, test)])
            };
            Necessary::any([alternative(rng), alternative(rng)])
        }
        8 => Necessary::any(
            (0..rng.usize(..3))
                .map(|_| condition(rng, depth - 1))
                .collect::<Vec<_>>(),
        ),
        _ => Necessary::all(
            (0..rng.usize(1..4))
                .map(|_| condition(rng, depth - 1))
                .collect::<Vec<_>>(),
        ),
    }
}

/// What the condition means, on a row that was read.
fn meets(condition: &Necessary, row: Row<'_>, now: i64) -> bool {
    let get = |column: &str| {
        let place = COLUMNS.iter().position(|(name, _)| *name == column);
        place.map_or(Value::Null, |place| row.get(place))
    };
    match condition {
        Necessary::All(parts) => parts.iter().all(|part| meets(part, row, now)),
        Necessary::Any(parts) => parts.iter().any(|part| meets(part, row, now)),
        Necessary::Text {
            column,
            test: TextTest::Inside,
            folded,
            texts,
        } => {
            let text = rulec_functions::text::print(&get(column));
            texts.iter().any(|t| {
                if *folded {
                    contains_fold(&text, t)
                } else {
                    text.contains(&**t)
                }
            })
        }
        Necessary::Text {
            column,
            test,
            folded,
            texts,
        } => {
            let value = get(column);
            let text = value.as_str().unwrap_or_default();
            texts.iter().any(|t| match (test, folded) {
                (TextTest::Is, true) => eq_fold(text, t),
                (TextTest::Is, false) => *text == **t,
                (TextTest::StartsWith, true) => starts_fold(text, t),
                (TextTest::StartsWith, false) => text.starts_with(&**t),
                (TextTest::EndsWith, true) => ends_fold(text, t),
                (TextTest::EndsWith, false) => text.ends_with(&**t),
                (_, true) => contains_fold(text, t),
                (_, false) => text.contains(&**t),
            })
        }
        Necessary::Pattern { column, pattern } => {
            let value = get(column);
            regex::Regex::new(pattern).is_ok_and(|regex| regex.is_match(value.as_str().unwrap_or_default()))
        }
        Necessary::Number { column, values } => {
            matches!(get(column), Value::Long(n) if values.contains(&n))
        }
        Necessary::Time {
            column,
            earliest,
            bound,
        } => match (get(column), bound.ticks(now)) {
            (Value::DateTime(time), Some(bound)) => {
                if *earliest {
                    time >= bound
                } else {
                    time <= bound
                }
            }
            _ => false,
        },
    }
}

const NOW: i64 = 639_055_000_000_000_000;

fn scan(files: &Files, condition: &Necessary, asked: bool) -> Result<String, RuntimeError> {
    let schema = Schema::of(&COLUMNS);
    let context = Context::new(NOW, files);
    let anything = Necessary::ANYTHING;
    let necessary = if asked { condition } else { &anything };
    let stage = |rows: &Batch| ops::filter(rows, |row| meets(condition, row, NOW));
    let batch = context.scan_where("T", &schema, None, necessary, stage)?;
    let times = (0..batch.rows()).map(|row| batch.row(row).ingestion_time());
    Ok(format!(
        "{} {:?}",
        batch_to_json(&batch),
        times.collect::<Vec<_>>()
    ))
}

#[test]
fn no_row_is_lost_and_none_added() -> Result<(), Box<dyn std::error::Error>> {
    let mut rng = Rng::with_seed(20_261_122);
    let mut kept = 0;
    for round in 0..1_200 {
        let text = lines(&mut rng, false);
        let conditions = (0..[1, 3, 40][round % 3])
            .map(|_| condition(&mut rng, 2))
            .collect::<Vec<_>>();
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(&text)?;
        let path = file.path().to_string_lossy().into_owned();
        let mut mapped = Files::new().lenient(true);
        mapped.add_path("T", path);
        let mut plain = Files::new().lenient(true);
        plain.add_bytes("T", text.clone());
        if round % 2 == 0 {
            let wanted = conditions.iter().map(|condition| ("T", condition));
            let progress = rulec_runtime::Progress::new();
            mapped.prepare(wanted, NOW, &progress)?;
        }
        for condition in conditions.iter().take(3) {
            let expected = scan(&plain, condition, false)?;
            let found = scan(&mapped, condition, true)?;
            assert_eq!(
                found,
                expected,
                "round {round}: {condition:?}\n{}",
                String::from_utf8_lossy(&text)
            );
            kept += usize::from(!found.contains("\"rows\":[]"));
        }
    }
    assert!(
        kept > 300,
        "the conditions hold too seldom to prove anything: {kept}"
    );
    Ok(())
}

/// What operators make of rows of which not all columns have been looked at.
fn operated(rows: &Batch) -> Result<Vec<String>, RuntimeError> {
    use rulec_runtime::functions::aggregate::choose;
    use rulec_runtime::ops::{agg, agg_all, asc, column, desc, left, left_all, out, right};
    let (file_name, process_id, time, path) = (0, 3, 4, 6);
    let count = u32::try_from(rows.rows()).unwrap_or_default();
    let backwards = (0..count).rev().chain(0..count.min(2)).collect::<Vec<_>>();
    // Few, so that a join with itself stays small.
    let third = (0..count).filter(|row| row % 3 == 0).take(8).collect::<Vec<_>>();
    let third = rows.select(&third, "test")?;
    let by_name = [out("FileName", Type::String, column(file_name))];
    let joined = |kind, output: ops::Picks| {
        ops::join(
            rows,
            &third,
            kind,
            &[column(file_name)],
            &[column(file_name)],
            output,
        )
    };
    let picks = [right("Own", 7), left("Path", path), right("Other", 5)];
    let one_by_one = rows.select(&backwards, "test")?;
    for place in 0..COLUMNS.len() {
        one_by_one.column(place);
    }
    let partly = third.select(&[], "test")?;
    partly.column(path);
    let results = [
        rows.clone(),
        rows.select(&backwards, "test")?,
        one_by_one,
        Batch::concat(&[third.clone(), rows.clone()], "test")?.unwrap_or_else(|| rows.clone()),
        Batch::concat(&[partly, third.clone(), rows.clone()], "test")?.unwrap_or_else(|| rows.clone()),
        joined(ops::JoinKind::Inner, picks.into())?,
        joined(ops::JoinKind::LeftOuter, left_all(&[right("Own", 7)]))?,
        joined(ops::JoinKind::LeftAnti, left_all(&[]))?,
        ops::summarize(rows, &by_name, &[agg_all(choose::arg_max, time, &[file_name])])?,
        ops::summarize(
            rows,
            &by_name,
            &[
                agg(
                    choose::arg_min,
                    [column(process_id), column(path), column(5)],
                    &[("P", Type::Long), ("Path", Type::String), ("A", Type::Dynamic)],
                ),
                agg_all(choose::take_any, path, &[file_name, time]),
            ],
        )?,
        ops::summarize(rows, &[], &[agg_all(choose::arg_min, 5, &[])])?,
        ops::top(rows, 3, &[desc(column(time)), asc(column(path))])?,
        ops::project_away(rows, &[time, file_name])?,
    ];
    results
        .into_iter()
        .map(|result| Ok(batch_to_json(&result.settled()?)))
        .collect()
}

#[test]
fn columns_that_are_read_later_are_the_same() -> Result<(), Box<dyn std::error::Error>> {
    let mut rng = Rng::with_seed(20_261_122);
    let mut kept = 0;
    for round in 0..160 {
        // Of many rows in known places columns are read late as well.
        let times = if round % 16 == 0 { 60 } else { 1 };
        let texts = [lines(&mut rng, true), lines(&mut rng, true)].map(|mut text| {
            if !text.ends_with(b"\n") {
                text.push(b'\n');
            }
            text.repeat(times)
        });
        let conditions = (0..2).map(|_| condition(&mut rng, 1)).collect::<Vec<_>>();
        let (mut mapped, mut plain) = (Files::new(), Files::new());
        let mut files = Vec::new();
        for text in &texts {
            let mut file = tempfile::NamedTempFile::new()?;
            file.write_all(text)?;
            mapped.add_path("T", file.path().to_string_lossy());
            plain.add_bytes("T", text.clone());
            files.push(file);
        }
        if round % 2 == 0 {
            let wanted = conditions.iter().map(|condition| ("T", condition));
            mapped.prepare(wanted, NOW, &rulec_runtime::Progress::new())?;
        }
        for condition in &conditions {
            let schema = Schema::of(&COLUMNS);
            let rows = |files: &Files, necessary: &Necessary| {
                let stage = |rows: &Batch| ops::filter(rows, |row| meets(condition, row, NOW));
                let found = Context::new(NOW, files).scan_where("T", &schema, None, necessary, stage)?;
                operated(&found)
            };
            let expected = rows(&plain, &Necessary::ANYTHING)?;
            let found = rows(&mapped, condition)?;
            kept += usize::from(!found[0].contains("\"rows\":[]"));
            for (number, (found, expected)) in found.iter().zip(&expected).enumerate() {
                assert_eq!(found, expected, "round {round}, result {number}: {condition:?}");
            }
        }
    }
    assert!(
        kept > 100,
        "the conditions hold too seldom to prove anything: {kept}"
    );
    Ok(())
}

#[test]
fn what_cannot_be_read_later_fails_the_run_that_wants_it() -> Result<(), Box<dyn std::error::Error>> {
    let mut file = tempfile::NamedTempFile::new()?;
    writeln!(file, "{{\"FileName\":\"a\",\"Path\":\"sound\"}}")?;
    writeln!(file, "{{\"FileName\":\"b\",\"Path\":\"\\x\"}}")?;
    let mut files = Files::new();
    files.add_path("T", file.path().to_string_lossy());
    let schema = Schema::of(&COLUMNS);
    let context = Context::new(NOW, &files);
    // Both rows may matter, as far as can be seen of the raw bytes.
    let necessary = Necessary::text("FileName", TextTest::Is, ["a", "b"]);
    let rows = |name: &str| {
        let context = context.of_another_run();
        let stage = |rows: &Batch| ops::filter(rows, |row| row.str(0) == name);
        let rows = context.scan_where("T", &schema, None, &necessary, stage)?;
        // Somebody who cannot be told looks at it.
        rows.column(6);
        rows.settled()
    };
    assert_eq!(rows("a")?.row(0).str(6), "sound");
    let error = rows("b").map(|rows| batch_to_json(&rows)).unwrap_err();
    assert!(error.message.contains(":2: "), "{}", error.message);
    assert_eq!(rows("a")?.row(0).str(6), "sound", "other runs go on");
    Ok(())
}

#[test]
fn malformed_lines_are_told_with_their_number() -> Result<(), Box<dyn std::error::Error>> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(b"{\"FileName\":\"a\"}\n\n{\"FileName\":\"b\"\n{\"FileName\":\"c\"}\n")?;
    let path = file.path().to_string_lossy().into_owned();
    let files = |lenient: bool, strict: bool| {
        let mut files = Files::new().lenient(lenient).strict(strict);
        files.add_path("T", path.clone());
        files
    };
    let anything = Necessary::ANYTHING;
    let error = scan(&files(false, false), &anything, true).unwrap_err();
    assert!(error.to_string().contains(":3: "), "{error}");
    let lenient = files(true, false);
    assert!(scan(&lenient, &anything, true)?.contains("\"c\""));
    assert!(lenient.warnings()[0].contains(":3: "), "{:?}", lenient.warnings());

    // Where nobody looks, only strict reading finds fault.
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(b"{\"FileName\":\"a\",\"Other\":tru}\n")?;
    let path = file.path().to_string_lossy().into_owned();
    for (strict, sound) in [(false, true), (true, false)] {
        let mut files = Files::new().strict(strict);
        files.add_path("T", path.clone());
        assert_eq!(scan(&files, &anything, true).is_ok(), sound);
    }
    Ok(())
}
