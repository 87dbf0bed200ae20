//! `cargo dev bench`: how fast the front end is, beside Microsoft's own and by
//! length of the query.
//!
//! Whole processes on the same requests, in turn, so that start-up counts and
//! whatever else the machine does disturbs both. Each figure is the median of
//! the rounds.

use std::{
    fmt::Write as _,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::test::{root, rulec, step};

/// Options of `cargo dev bench`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The reference analyser as a command that answers requests on standard
    /// input, such as `node kql-oracle.js`. Without it only rulec is measured.
    #[arg(long, value_name = "COMMAND")]
    oracle: Option<String>,
    /// Requests to measure with. Default: the public queries in
    /// `../shared/conformance`, or tests/cases/kql without them.
    #[arg(long, value_name = "FILE")]
    requests: Option<PathBuf>,
    /// How often everything is measured.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// How often rulec gets the requests: one round of them takes it too little
/// time to be measured.
const REPEATS: usize = 20;

pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    step("cargo", &["build", "--release", "--locked"])?;
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    startup(folder.path())?;
    rates(arguments, folder.path())?;
    lengths(arguments, folder.path())
}

/// A command and what it is fed.
struct Contestant {
    title: &'static str,
    command: Vec<String>,
    input: PathBuf,
    queries: usize,
    times: Vec<Duration>,
}

impl Contestant {
    /// Queries a second, by the median.
    fn rate(&self) -> f64 {
        self.queries as f64 / median(&self.times).as_secs_f64()
    }
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// One query in a process of its own, tables and all.
fn startup(folder: &Path) -> Result<(), String> {
    let input = folder.join("one.ndjson");
    let request = r#"{"id":1,"env":"merged-columns","query":"DeviceEvents | where FileName == 'x'"}"#;
    fs::write(&input, request).map_err(|e| e.to_string())?;
    let command = [rulec(), "analyze".to_owned(), "--ndjson".to_owned()];
    let times = (0..20)
        .map(|_| timed(&command, &input))
        .collect::<Result<Vec<_>, _>>()?;
    println!(
        "\none query from start to end: {:.1} ms",
        median(&times).as_secs_f64() * 1000.0
    );
    Ok(())
}

fn rates(arguments: &Arguments, folder: &Path) -> Result<(), String> {
    let requests = requests(arguments)?;
    let count = requests.lines().filter(|line| !line.trim().is_empty()).count();
    let once = folder.join("once.ndjson");
    let many = folder.join("many.ndjson");
    fs::write(&once, &requests).map_err(|e| e.to_string())?;
    fs::write(&many, requests.repeat(REPEATS)).map_err(|e| e.to_string())?;
    let ours = |title, options: &[&str]| {
        let mut command = vec![rulec(), "analyze".to_owned(), "--ndjson".to_owned()];
        command.extend(options.iter().map(|o| (*o).to_owned()));
        Contestant {
            title,
            command,
            input: many.clone(),
            queries: count * REPEATS,
            times: Vec::new(),
        }
    };
    let mut contestants = vec![
        ours("rulec, parse, one thread", &["--syntax", "--threads", "1"]),
        ours("rulec, analyse, one thread", &["--threads", "1"]),
        ours("rulec, analyse, all threads", &[]),
    ];
    if let Some(oracle) = &arguments.oracle {
        let words: Vec<String> = oracle.split_whitespace().map(str::to_owned).collect();
        let theirs = |title, options: &[&str]| Contestant {
            title,
            command: words
                .iter()
                .cloned()
                .chain(options.iter().map(|o| (*o).to_owned()))
                .collect(),
            input: once.clone(),
            queries: count,
            times: Vec::new(),
        };
        contestants.push(theirs("reference, parse", &["--parse-only"]));
        contestants.push(theirs("reference, analyse", &[]));
    } else {
        println!("skipped: the reference analyser, because no --oracle was given");
    }
    for _ in 0..arguments.rounds.max(1) {
        for contestant in &mut contestants {
            let time = timed(&contestant.command, &contestant.input)?;
            contestant.times.push(time);
        }
    }
    println!("\n{count} queries of {} bytes", requests.len());
    println!("{:<30}{:>14}", "", "queries/s");
    for contestant in &contestants {
        println!("{:<30}{:>14.0}", contestant.title, contestant.rate());
    }
    if let [parse, analyse, all, their_parse, their_analyse] = contestants.as_slice() {
        let ratio = |ours: &Contestant, theirs: &Contestant| ours.rate() / theirs.rate();
        println!(
            "{:<30}{:>14.0}",
            "parse: times as many",
            ratio(parse, their_parse)
        );
        println!(
            "{:<30}{:>14.0}",
            "analyse: times as many",
            ratio(analyse, their_analyse)
        );
        println!(
            "{:<30}{:>14.0}",
            "analyse, all threads: times",
            ratio(all, their_analyse)
        );
    }
    Ok(())
}

/// The requests, a line each.
fn requests(arguments: &Arguments) -> Result<String, String> {
    let public = root().join("../shared/conformance/kql.ndjson");
    let file = match &arguments.requests {
        Some(file) => file.clone(),
        None if public.is_file() => public,
        None => {
            println!(
                "skipped: the public queries, because ../shared is not there; measuring tests/cases/kql"
            );
            return cases();
        }
    };
    fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))
}

/// The cases of the front end as requests.
fn cases() -> Result<String, String> {
    let folder = root().join("tests/cases/kql");
    let mut requests = String::new();
    let mut folders = vec![folder];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))? {
            let path = entry.map_err(|e| e.to_string())?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "kql") {
                files.push(path);
            }
        }
    }
    files.sort();
    for (id, file) in files.iter().enumerate() {
        let query = fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
        let request = serde_json::json!({ "id": id, "env": "merged-columns", "query": query });
        let _ = writeln!(requests, "{request}");
    }
    Ok(requests)
}

/// Sizes of queries: text of one kind of about so many bytes.
const SIZES: [(&str, usize); 3] = [("1 KB", 1_000), ("100 KB", 100_000), ("10 MB", 10_000_000)];

/// A kind of long query: its name, its start, and what is repeated.
type Shape = (&'static str, &'static str, fn(usize) -> String);

/// What grows in long queries.
const SHAPES: [Shape; 6] = [
    ("`in` list", "DeviceEvents | where SHA256 in (\"\"", |i| {
        format!(", \"{i:064x}\"")
    }),
    ("`or` chain", "DeviceEvents | where FileName == \"\"", |i| {
        format!("\n  or FileName =~ \"tool{i}.exe\"")
    }),
    ("`and` chain", "DeviceEvents | where isnotempty(FileName)", |i| {
        format!("\n  and ProcessCommandLine !contains \"-x{i}\"")
    }),
    ("let statements", "", |i| format!("let threshold{i} = {i} + 1;\n")),
    (
        "literal table",
        "datatable(Name:string, Count:long) [\"\", 0",
        |i| format!(",\n  \"name{i}\", {i}"),
    ),
    ("comments", "print 1", |i| {
        format!("\n// line {i} of the notes that nobody deletes")
    }),
];

/// Text of a shape, closed so that it parses.
fn text(shape: &Shape, size: usize) -> String {
    let (name, start, part) = shape;
    let mut text = (*start).to_owned();
    let mut i = 0;
    while text.len() < size {
        text.push_str(&part(i));
        i += 1;
    }
    match *name {
        "`in` list" => text.push(')'),
        "literal table" => text.push(']'),
        "let statements" => text.push_str("print threshold0"),
        _ => {}
    }
    text
}

/// The cost of a query by its length: for every size ten megabytes altogether.
fn lengths(arguments: &Arguments, folder: &Path) -> Result<(), String> {
    let total = SIZES[SIZES.len() - 1].1;
    println!("\nparse and analyse, one thread, megabytes a second");
    print!("{:<20}", "");
    for (size, _) in SIZES {
        print!("{size:>10}");
    }
    println!("{:>24}", "10 MB against 1 KB");
    for shape in &SHAPES {
        print!("{:<20}", shape.0);
        let mut speeds = Vec::new();
        for (name, size) in SIZES {
            let query = text(shape, size);
            let request = serde_json::json!({ "id": 0, "env": "merged-columns", "query": query });
            let file = folder.join(format!("{}.ndjson", name.replace(' ', "")));
            fs::write(&file, format!("{request}\n").repeat(total / size)).map_err(|e| e.to_string())?;
            let command = [
                rulec(),
                "analyze".into(),
                "--ndjson".into(),
                "--threads".into(),
                "1".into(),
            ];
            let mut times = Vec::new();
            for _ in 0..arguments.rounds.max(1) {
                times.push(timed(&command, &file)?);
            }
            let speed = total as f64 / 1e6 / median(&times).as_secs_f64();
            print!("{speed:>10.1}");
            speeds.push(speed);
        }
        println!("{:>24.2}", speeds[speeds.len() - 1] / speeds[0]);
    }
    Ok(())
}

/// How long a command takes from start to end.
fn timed(command: &[String], input: &Path) -> Result<Duration, String> {
    let (program, arguments) = command.split_first().ok_or("the command is empty")?;
    let input = File::open(input).map_err(|e| e.to_string())?;
    let start = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::from(input))
        .stdout(Stdio::null())
        .status()
        .map_err(|e| format!("{program} cannot be run: {e}"))?;
    let time = start.elapsed();
    if status.success() {
        Ok(time)
    } else {
        Err(format!("`{}` failed", command.join(" ")))
    }
}
