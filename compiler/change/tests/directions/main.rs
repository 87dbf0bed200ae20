//! What is said of a change is held against rows: both versions of a query are
//! run over the same events. A query that is said to widen loses no row, one
//! that is said to narrow gains none, and one that is said to be the same
//! gives the same.
//!
//! The pairs are the cases of tests/cases/diff, and versions of the shipped
//! rules as people make them: a condition more or less, another operator,
//! number, window, list, kind of join or order.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test")]
#![allow(clippy::disallowed_methods, reason = "a test reads its cases")]

mod events;
mod mutate;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rulec_change::{Comparison, Effect, comparison};
use rulec_facts::Pack;
use rulec_facts::tables::{Environment, Tables};
use rulec_functions::text;
use rulec_ir::{Catalog, Query};
use rulec_runtime::{Batch, Context, InMemory};

/// Versions of each query that are tried, of those that one step gives, and of
/// those that two steps give.
#[derive(Clone, Copy)]
struct Versions {
    single: usize,
    double: usize,
}

/// Of rules.
const MANY: Versions = Versions {
    single: 50,
    double: 20,
};
/// Of cases, of which there are more.
const SOME: Versions = Versions {
    single: 14,
    double: 6,
};
/// Rows of each table, and how many sets of tables.
const ROWS: usize = 60;
const SETS: u64 = 3;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect();
    found.sort();
    found
}

/// The first query of a document.
fn fence(document: &str) -> Option<String> {
    let text = document.replace("\r\n", "\n");
    let mut lines = text.lines();
    lines.find(|line| matches!(line.trim(), "```C#" | "```kql" | "```KQL" | "```kusto"))?;
    let query: Vec<&str> = lines.take_while(|line| line.trim() != "```").collect();
    Some(query.join("\n"))
}

fn bound(catalog: &Catalog, text: &str) -> Option<Query> {
    let parsed = rulec_kql::parse(text);
    let lowered = rulec_ir::lower(&parsed, catalog);
    let mut all = parsed.diagnostics.iter().chain(&lowered.diagnostics);
    (!all.any(rulec_source::Diagnostic::is_error)).then_some(lowered.query)
}

fn run(query: &Query, tables: &InMemory) -> Option<Batch> {
    let context = Context::new(text::parse_datetime(events::NOW).unwrap(), tables);
    rulec_eval::run(query, &context).ok()
}

/// How often each row comes, as far as the columns that tell rows apart show it.
fn counted(rows: &Batch, columns: &[(Arc<str>, usize)]) -> BTreeMap<Vec<String>, usize> {
    let mut found: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    for row in rows {
        let key = columns.iter().map(|(_, at)| text::print(&row.get(*at))).collect();
        *found.entry(key).or_default() += 1;
    }
    found
}

/// The columns that both have, and that are said not to have moved.
fn shared(one: &Batch, other: &Batch, said: &Comparison, all: bool) -> [Vec<(Arc<str>, usize)>; 2] {
    let mut found = [Vec::new(), Vec::new()];
    for (at, column) in one.schema().columns().iter().enumerate() {
        let there = other.schema().index_of(&column.name);
        if let Some(there) = there.filter(|there| other.schema().columns()[*there].ty == column.ty)
            && (all || !said.moved.contains(&column.name))
        {
            found[0].push((Arc::clone(&column.name), at));
            found[1].push((Arc::clone(&column.name), there));
        }
    }
    found
}

/// What contradicts what was said; `Ok` with whether the rows differ otherwise.
fn holds(effect: Effect, said: &Comparison, old: &Batch, new: &Batch) -> Result<bool, String> {
    let same = effect == Effect::Same;
    let [was, is] = shared(old, new, said, same);
    if same && (was.len() != old.schema().len() || is.len() != new.schema().len()) {
        return Err("the columns differ".to_owned());
    }
    let (mut before, mut after) = (counted(old, &was), counted(new, &is));
    if !same {
        // A join may give a row more often; that is no other row.
        for times in before.values_mut().chain(after.values_mut()) {
            *times = 1;
        }
    }
    let lost = |from: &BTreeMap<Vec<String>, usize>, to: &BTreeMap<Vec<String>, usize>| {
        from.iter()
            .find(|(row, times)| to.get(*row).copied().unwrap_or_default() < **times)
            .map(|(row, times)| {
                let there = to.get(row).copied().unwrap_or_default();
                let row: Vec<String> = was
                    .iter()
                    .zip(row)
                    .map(|((name, _), v)| format!("{name}={v}"))
                    .collect();
                format!("{times} times, then {there}: {}", row.join(" "))
            })
    };
    let (gone, come) = (lost(&before, &after), lost(&after, &before));
    let contradiction = match effect {
        Effect::Same | Effect::Output => gone.clone().or_else(|| come.clone()),
        Effect::Widens => gone.clone(),
        Effect::Narrows => come.clone(),
        Effect::Both | Effect::Changed => None,
    };
    match contradiction {
        Some(row) => Err(row),
        None => Ok(gone.is_some() || come.is_some()),
    }
}

/// What was tried, by what was said.
#[derive(Default)]
struct Counts {
    /// By effect: how many, and in how many the rows differed.
    said: BTreeMap<&'static str, (usize, usize)>,
    unbound: usize,
    failed: usize,
    contradictions: Vec<String>,
}

fn name(effect: Effect) -> &'static str {
    match effect {
        Effect::Same => "same",
        Effect::Output => "output",
        Effect::Widens => "widens",
        Effect::Narrows => "narrows",
        Effect::Both => "both",
        Effect::Changed => "changed",
    }
}

/// A query as text, bound, with its rows over each set of tables.
struct Side {
    text: String,
    query: Query,
    rows: Vec<Option<Batch>>,
}

impl Side {
    fn of(text: String, query: Query, tables: &[InMemory]) -> Self {
        let rows = tables.iter().map(|tables| run(&query, tables)).collect();
        Self { text, query, rows }
    }
}

impl Counts {
    /// Both directions of a pair.
    fn pair(&mut self, about: &str, old: &Side, new: &Side) {
        for (old, new) in [(old, new), (new, old)] {
            let said = comparison((&old.query, &old.text), (&new.query, &new.text));
            let effect = said
                .items
                .iter()
                .fold(Effect::Same, |all, item| all.and(item.effect));
            let mut differs = false;
            let mut ran = 0;
            for (was, is) in old.rows.iter().zip(&new.rows) {
                let (Some(was), Some(is)) = (was, is) else {
                    continue;
                };
                ran += 1;
                match holds(effect, &said, was, is) {
                    Ok(other) => differs |= other,
                    Err(row) => {
                        let mut text = format!("{about}: said to be {}: {row}\n", name(effect));
                        for item in &said.items {
                            let _ = writeln!(text, "  {:?} {}", item.effect, item.text);
                        }
                        let _ = writeln!(text, "--- old\n{}\n--- new\n{}", old.text, new.text);
                        self.contradictions.push(text);
                        break;
                    }
                }
            }
            if ran == 0 {
                self.failed += 1;
                continue;
            }
            let counts = self.said.entry(name(effect)).or_default();
            counts.0 += 1;
            counts.1 += usize::from(differs);
        }
    }

    fn finish(self, least: &[(&str, usize)]) {
        println!(
            "{:?} said (in how many the rows differed); {} versions do not bind, {} do not run",
            self.said, self.unbound, self.failed
        );
        let shown: Vec<&String> = self.contradictions.iter().take(5).collect();
        assert!(
            shown.is_empty(),
            "{} contradictions\n{}",
            self.contradictions.len(),
            shown.into_iter().cloned().collect::<Vec<_>>().join("\n")
        );
        for (effect, least) in least {
            let (said, differed) = self.said.get(effect).copied().unwrap_or_default();
            let seen = if matches!(*effect, "same" | "output") {
                said
            } else {
                differed
            };
            assert!(seen >= *least, "only {seen} {effect}: {:?}", self.said);
        }
    }
}

fn catalog(environment: Environment) -> Catalog {
    let tables = Tables::new(&Pack::embedded(), environment).unwrap();
    Catalog::new(Arc::new(tables)).open(true)
}

#[test]
fn what_is_said_of_the_cases_holds_of_rows() {
    let catalog = catalog(Environment::MergedColumns);
    let mut counts = Counts::default();
    for path in files(&root().join("tests/cases/diff")) {
        let old = path.to_str().unwrap();
        let Some(about) = old.strip_suffix(".old.md") else {
            continue;
        };
        let read = |path: &str| fence(&std::fs::read_to_string(path).unwrap());
        let (Some(old), Some(new)) = (read(old), read(&format!("{about}.new.md"))) else {
            continue;
        };
        let (Some(was), Some(is)) = (bound(&catalog, &old), bound(&catalog, &new)) else {
            counts.unbound += 1;
            continue;
        };
        let tables: Vec<InMemory> = (0..2 * SETS)
            .map(|seed| events::tables(&[&was, &is], &events::Rows::new(), ROWS, seed))
            .collect();
        counts.pair(about, &Side::of(old, was, &tables), &Side::of(new, is, &tables));
    }
    counts.finish(&[("widens", 8), ("narrows", 8), ("same", 6)]);
}

/// A query whose versions are tried, and the events of its fixtures.
struct Sample {
    about: String,
    text: String,
    fixture: events::Rows,
}

impl Sample {
    /// Tries versions.
    fn try_versions(&self, catalog: &Catalog, seed: u64, versions: Versions) -> Counts {
        let Versions { single, double } = versions;
        let mut counts = Counts::default();
        let Sample { about, text, fixture } = self;
        let Some(query) = bound(catalog, text) else {
            counts.unbound += 1;
            return counts;
        };
        let tables: Vec<InMemory> = (0..SETS)
            .map(|set| events::tables(&[&query], fixture, ROWS, seed * SETS + set))
            .collect();
        let old = Side::of(text.clone(), query, &tables);
        let mut chance = fastrand::Rng::with_seed(seed);
        let mut versions = mutate::versions(text);
        chance.shuffle(&mut versions);
        let mut sound = Vec::new();
        for (what, version) in versions {
            if sound.len() == single {
                break;
            }
            let Some(query) = bound(catalog, &version) else {
                counts.unbound += 1;
                continue;
            };
            sound.push(version.clone());
            counts.pair(
                &format!("{about} ({what})"),
                &old,
                &Side::of(version, query, &tables),
            );
        }
        let mut tried = 0;
        for _ in 0..4 * double {
            if tried == double || sound.is_empty() {
                break;
            }
            let once = &sound[chance.usize(..sound.len())];
            let mut again = mutate::versions(once);
            if again.is_empty() {
                continue;
            }
            let (what, version) = again.swap_remove(chance.usize(..again.len()));
            let Some(query) = bound(catalog, &version) else {
                continue;
            };
            tried += 1;
            let about = format!("{about} (two steps, then {what})");
            counts.pair(&about, &old, &Side::of(version, query, &tables));
        }
        counts
    }
}

/// Tries versions of each sample, on all processors. `DIRECTIONS=10` in the
/// environment tries ten times as many, others than those tried without it.
fn try_all(samples: &[Sample], versions: Versions) -> Counts {
    let catalog = catalog(Environment::MergedColumns);
    let times = std::env::var("DIRECTIONS")
        .ok()
        .and_then(|times| times.parse().ok())
        .unwrap_or(1);
    let versions = Versions {
        single: versions.single * times,
        double: versions.double * times,
    };
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(sample) = samples.get(at) else { break };
                    let counts = sample.try_versions(&catalog, (at * times) as u64, versions);
                    found.lock().unwrap().push((at, counts));
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort_by_key(|(at, _)| *at);
    let mut all = Counts::default();
    for (_, counts) in found {
        all.unbound += counts.unbound;
        all.failed += counts.failed;
        all.contradictions.extend(counts.contradictions);
        for (effect, (said, differed)) in counts.said {
            let sum = all.said.entry(effect).or_default();
            sum.0 += said;
            sum.1 += differed;
        }
    }
    all
}

#[test]
fn what_is_said_of_versions_of_the_rules_holds_of_rows() {
    let mut samples = Vec::new();
    for path in files(&root().join("rules")) {
        if path.extension().is_none_or(|end| end != "md") {
            continue;
        }
        let text = fence(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let about = path.file_stem().unwrap().to_string_lossy().into_owned();
        let fixture = root().join("tests/rules").join(format!("{about}.yaml"));
        let fixture = std::fs::read_to_string(fixture).map(|text| events::fixtures(&text));
        samples.push(Sample {
            about,
            text,
            fixture: fixture.unwrap_or_default(),
        });
    }
    assert!(samples.len() >= 30, "{} rules", samples.len());
    try_all(&samples, MANY).finish(&[("widens", 300), ("narrows", 300), ("same", 100), ("output", 300)]);
}

/// The operators and joins that rules use seldom.
#[test]
fn what_is_said_of_versions_of_the_cases_holds_of_rows() {
    let mut samples = Vec::new();
    for folder in ["tests/cases/query", "tests/cases/diff"] {
        for path in files(&root().join(folder)) {
            let about = path.strip_prefix(root()).unwrap().display().to_string();
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let text = match path.extension().and_then(|end| end.to_str()) {
                Some("kql") => text,
                Some("md") => match fence(&text) {
                    Some(text) => text,
                    None => continue,
                },
                _ => continue,
            };
            let fixture = events::Rows::new();
            samples.push(Sample { about, text, fixture });
        }
    }
    try_all(&samples, SOME).finish(&[("widens", 100), ("narrows", 100), ("same", 100), ("output", 100)]);
}
