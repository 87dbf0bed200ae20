//! Events near the edges of queries: those of the rules' fixtures with some
//! columns exchanged, and rows made of what the queries compare columns with.

use std::collections::{BTreeMap, BTreeSet};

use rulec_functions::{Type, Value, text};
use rulec_ir::walk::{self, Node};
use rulec_ir::{ExprKind, Query, RelKind};
use rulec_runtime::{Batch, InMemory, Memory, Schema, read};
use serde_json::{Map, Value as Json};

/// The time of all runs.
pub(crate) const NOW: &str = "2026-01-15T12:00:00Z";
/// Ticks of a second.
const SECOND: i64 = 10_000_000;

/// The rows that fixtures give a table.
pub(crate) type Rows = BTreeMap<String, Vec<Map<String, Json>>>;

/// The events of a fixture file, each with the defaults of its table.
pub(crate) fn fixtures(text: &str) -> Rows {
    let file: Json = serde_yaml::from_str(text).unwrap();
    let mut rows = Rows::new();
    let events = file["events"].as_object().cloned().unwrap_or_default();
    for name in events.keys() {
        let mut chain = Vec::new();
        let mut at = Some(name.as_str());
        while let Some(name) = at {
            let event = &events[name];
            chain.push(event);
            assert!(chain.len() <= events.len(), "{name} is like itself");
            at = event["like"].as_str();
        }
        let table = events[name]["table"].as_str().unwrap();
        let mut row = file["defaults"][table].as_object().cloned().unwrap_or_default();
        for event in chain.iter().rev() {
            row.extend(event["row"].as_object().cloned().unwrap_or_default());
        }
        rows.entry(table.to_owned()).or_default().push(row);
    }
    rows
}

/// What queries say that events are made of.
#[derive(Default)]
struct Said {
    tables: BTreeMap<String, BTreeMap<String, Type>>,
    texts: BTreeSet<String>,
    numbers: BTreeSet<i64>,
    spans: BTreeSet<i64>,
    /// What a column is compared with.
    own: BTreeMap<String, BTreeSet<String>>,
}

fn near(operator: &str, value: &str) -> Vec<String> {
    let mut found = vec![value.to_owned(), value.to_uppercase(), format!("{value}x")];
    match operator.trim_start_matches('!') {
        name if name.starts_with("startswith") => found.push(format!("{value} rest")),
        name if name.starts_with("endswith") => found.push(format!("start{value}")),
        name if name.starts_with("has") || name.starts_with("contains") => {
            found.extend([format!("a {value} b"), format!("a{value}b"), format!("{value} b")]);
        }
        _ => {}
    }
    if operator.starts_with('!') {
        found.push("other".to_owned());
    }
    found
}

impl Said {
    fn of(queries: &[&Query]) -> Self {
        let mut said = Self::default();
        for query in queries {
            said.add(query);
        }
        said.texts.extend(["", "x", "svc", "10.0.0.7"].map(str::to_owned));
        said.numbers.extend([0, 1, 2, 3, 1000]);
        said
    }

    fn add(&mut self, query: &Query) {
        walk::query(query, &mut |node| match node {
            Node::Rel(rel) => {
                if let RelKind::Table { name } | RelKind::External { key: name } = &rel.kind {
                    let columns = self.tables.entry(name.clone()).or_default();
                    columns.extend(
                        rel.columns
                            .iter()
                            .map(|column| (column.name.to_string(), column.ty)),
                    );
                }
                if let RelKind::Filter { input, predicate } = &rel.kind {
                    walk::expr(predicate, &mut |node| {
                        let Node::Expr(part) = node else { return };
                        let ExprKind::Call { function, args } = &part.kind else {
                            return;
                        };
                        let Some(ExprKind::Column(place)) = args.first().map(|arg| &arg.kind) else {
                            return;
                        };
                        let Some(column) = input.columns.get(*place) else {
                            return;
                        };
                        let own = self.own.entry(column.name.to_string()).or_default();
                        for arg in args {
                            let Some(value) = rulec_explain::constant(query, arg) else {
                                continue;
                            };
                            let items = match &value {
                                Value::Array(items) => &items[..],
                                value => std::slice::from_ref(value),
                            };
                            for text in items.iter().filter_map(Value::as_str) {
                                own.extend(near(function.name, text));
                            }
                        }
                    });
                }
            }
            Node::Expr(expr) => match &expr.kind {
                ExprKind::Literal(Value::String(text)) => {
                    self.texts.insert(text.to_string());
                }
                ExprKind::Literal(Value::Array(items)) => {
                    self.texts
                        .extend(items.iter().filter_map(|item| item.as_str().map(str::to_owned)));
                }
                ExprKind::Literal(Value::Long(n)) => {
                    self.numbers
                        .extend([n.saturating_sub(1), *n, n.saturating_add(1), n.saturating_mul(2)]);
                }
                ExprKind::Literal(Value::TimeSpan(ticks)) if *ticks > 0 => {
                    let minute = 60 * SECOND;
                    self.spans
                        .extend([ticks / 2, *ticks, ticks + minute, ticks * 2, ticks * 2 + minute]);
                }
                _ => {}
            },
        });
    }
}

/// Tables for some queries: `rows` each, the same for a seed.
pub(crate) fn tables(queries: &[&Query], fixtures: &Rows, rows: usize, seed: u64) -> InMemory {
    let said = Said::of(queries);
    let mut chance = fastrand::Rng::with_seed(seed);
    let now = text::parse_datetime(NOW).unwrap();
    let mut tables = said.tables.clone();
    tables.entry("DeviceInfo".to_owned()).or_default().extend([
        ("DeviceId".to_owned(), Type::String),
        ("OSPlatform".to_owned(), Type::String),
        ("Timestamp".to_owned(), Type::DateTime),
    ]);
    tables.entry("FileProfile".to_owned()).or_default().extend(
        [
            ("SHA1", Type::String),
            ("GlobalPrevalence", Type::Long),
            ("Signer", Type::String),
        ]
        .map(|(name, ty)| (name.to_owned(), ty)),
    );
    let mut made = InMemory::new();
    for (table, columns) in &tables {
        let known = fixtures.get(table).map(Vec::as_slice).unwrap_or_default();
        let mut lines = String::new();
        for number in 0..rows {
            let row = if known.is_empty() {
                columns
                    .iter()
                    .filter_map(|(name, ty)| {
                        let value = value(&said, name, *ty, now, &mut chance);
                        (chance.u8(..12) != 0).then(|| (name.clone(), value))
                    })
                    .collect()
            } else {
                let mut row = known[number % known.len()].clone();
                // The first ones as they are, the others with something exchanged.
                if number >= known.len() {
                    let names: Vec<&String> = columns.keys().collect();
                    let told: Vec<String> = row.keys().cloned().collect();
                    for _ in 0..chance.usize(0..3) {
                        let name = if chance.bool() && !told.is_empty() {
                            &told[chance.usize(..told.len())]
                        } else {
                            names[chance.usize(..names.len())]
                        };
                        let Some(ty) = columns.get(name) else { continue };
                        row.insert(name.clone(), value(&said, name, *ty, now, &mut chance));
                    }
                }
                row
            };
            lines.push_str(&Json::Object(row).to_string());
            lines.push('\n');
        }
        let schema: Vec<(&str, Type)> = columns.iter().map(|(name, ty)| (name.as_str(), *ty)).collect();
        let schema = Schema::of(&schema);
        let memory = Memory::unlimited();
        let source = read::Source::new(table, &schema, &memory);
        let (batch, _): (Batch, _) = read::read(lines.as_bytes(), &source).unwrap();
        made.insert(table.clone(), batch);
    }
    made
}

fn value(said: &Said, name: &str, ty: Type, now: i64, chance: &mut fastrand::Rng) -> Json {
    fn pick<T: Clone>(from: &BTreeSet<T>, chance: &mut fastrand::Rng) -> Option<T> {
        (!from.is_empty()).then(|| from.iter().nth(chance.usize(..from.len())).unwrap().clone())
    }
    match ty {
        Type::Bool => chance.bool().into(),
        Type::Int | Type::Long | Type::Real | Type::Decimal => pick(&said.numbers, chance).into(),
        Type::DateTime => {
            let minute = 60 * SECOND;
            let back = match chance.u8(..4) {
                0 => pick(&said.spans, chance).unwrap_or(minute),
                1 => chance.i64(0..30) * 24 * 60 * minute,
                _ => chance.i64(0..180) * minute,
            };
            text::print_datetime(now.saturating_sub(back)).into()
        }
        _ => match said.own.get(name) {
            Some(own) if chance.u8(..8) != 0 => pick(own, chance).unwrap_or_default().into(),
            _ if name.ends_with("Id") || name.ends_with("SHA1") || name.ends_with("Sid") => {
                format!("id{}", chance.u8(..5)).into()
            }
            _ => pick(&said.texts, chance).unwrap_or_default().into(),
        },
    }
}
