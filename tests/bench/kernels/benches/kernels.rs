//! `cargo bench -p bench-kernels`: functions on the command lines of generated
//! events, and a pass over a file of them.

use std::{hint::black_box, sync::Arc};

use bench_generate::{
    events::{self, Event},
    world::World,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rulec_functions::{
    Necessary, TextTest, Type,
    fold::{self, Ends},
    json, regexes,
};
use rulec_runtime::{Memory, Progress, Schema, TableRequest, Tables, Wanted, files::Files};

const ROWS: u64 = 8192;

fn lines(make: fn(&mut Event<'_>, &mut Vec<u8>)) -> Vec<u8> {
    let world = World::new();
    let mut rng = fastrand::Rng::with_seed(7);
    let mut out = Vec::new();
    for at in 0..ROWS {
        let mut event = Event {
            world: &world,
            rng: &mut rng,
            at,
            rows: ROWS,
            sigma: false,
        };
        make(&mut event, &mut out);
    }
    out
}

/// The values of one column.
fn column(lines: &[u8], name: &str) -> Vec<String> {
    lines
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok())
        .filter_map(|event| Some(event.get(name)?.as_str()?.to_owned()))
        .collect()
}

fn kernels(criterion: &mut Criterion) {
    let commands = column(&lines(events::process), "ProcessCommandLine");
    let fields = column(&lines(events::device), "AdditionalFields");
    let mut group = criterion.benchmark_group("functions");
    let mut over = |name: &str, texts: &[String], test: &dyn Fn(&str) -> bool| {
        group.throughput(Throughput::Bytes(texts.iter().map(|t| t.len() as u64).sum()));
        group.bench_function(name, |bencher| {
            bencher.iter(|| texts.iter().filter(|text| test(black_box(text.as_str()))).count());
        });
    };
    over("=~", &commands, &|text| {
        fold::eq_fold(text, "vssadmin list shadows")
    });
    over("contains", &commands, &|text| {
        fold::contains_fold(text, "downloadstring")
    });
    over("startswith", &commands, &|text| {
        fold::starts_fold(text, r"c:\windows")
    });
    over("endswith", &commands, &|text| {
        fold::ends_fold(text, "/prefetch:8")
    });
    over("has", &commands, &|text| {
        fold::has_term_fold(text, "delete", Ends::TERM)
    });
    for (name, pattern) in [
        (
            "regex with a literal",
            r"(?i)\bdelete\s+(catalog|systemstatebackup|backup)\b",
        ),
        ("regex without one", r"[0-9]{3,}\.[0-9]{3,}"),
    ] {
        let regex = regexes::compile(pattern).expect("it compiles");
        over(name, &commands, &|text| regex.is_match(text));
    }
    over("parse_json", &fields, &|text| !json::parse_json(text).is_null());
    group.finish();
}

/// A pass over a file: how much is read when few rows, or all, are of interest.
fn scan(criterion: &mut Criterion) {
    let bytes = lines(events::process);
    let size = bytes.len() as u64;
    let path = std::env::temp_dir().join(format!("rulec-bench-{}.ndjson", std::process::id()));
    std::fs::write(&path, &bytes).expect("there is room for temporary files");
    let mut files = Files::new();
    files.add_path("DeviceProcessEvents", path.to_string_lossy());
    let schema = Schema::of(&[
        ("Timestamp", Type::DateTime),
        ("FileName", Type::String),
        ("ProcessCommandLine", Type::String),
        ("ReportId", Type::Long),
    ]);
    let memory = Memory::default();
    let progress = Progress::default();
    let rare = Necessary::Text {
        column: Arc::from("FileName"),
        test: TextTest::Is,
        folded: true,
        texts: vec![Arc::from("vssadmin.exe"), Arc::from("bcdedit.exe")],
    };
    let every = Necessary::All(Vec::new());
    let mut group = criterion.benchmark_group("scan");
    group.throughput(Throughput::Bytes(size));
    for (name, necessary) in [("few rows", &rare), ("all rows", &every)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let request = TableRequest {
                    name: "DeviceProcessEvents",
                    schema: &schema,
                    needed: None,
                    memory: &memory,
                    wanted: Some(Wanted {
                        necessary,
                        now: 0,
                        progress: &progress,
                    }),
                };
                let found = files.scan(&request, &|batch| Ok(batch.clone()));
                found.expect("the file is sound").rows()
            });
        });
    }
    group.finish();
    let _ = std::fs::remove_file(&path);
}

criterion_group!(benches, kernels, scan);
criterion_main!(benches);
