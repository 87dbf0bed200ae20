//! Test: the emitted binary and the interpreter give the same alerts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use rulec_functions::{Type, Value};
use rulec_ir::walk::{self, Node};
use rulec_ir::{ExprKind, Query, RelKind};
use rulec_model::Rule;
use rulec_runtime::alert::{self, Format, RuleInfo};
use rulec_runtime::{Batch, Context, RuntimeError, TableRequest, Tables, read};

const NOW: &str = "2026-01-15T12:00:00Z";

/// Tables as NDJSON; one that is not there is empty.
struct Events(BTreeMap<String, String>);

impl Tables for Events {
    fn table(&self, request: &TableRequest<'_>) -> Result<Batch, RuntimeError> {
        let nothing = String::new();
        let text = self.0.get(request.name).unwrap_or(&nothing);
        let source = read::Source::new(request.name, request.schema, request.memory);
        Ok(read::read(text.as_bytes(), &source)?.0)
    }
}

/// Rows near the edges of a query: its own texts and numbers in every column
/// of its tables, in turn.
fn events(query: &Query) -> Events {
    let mut texts = vec![
        String::new(),
        "x".to_owned(),
        r#"[{"Name":"ForwardTo","Value":"a"},{"Name":"n"}]"#.to_owned(),
    ];
    let mut numbers = vec![0, 1, 3, 1000];
    let mut tables: BTreeMap<String, BTreeMap<String, Type>> = BTreeMap::new();
    // What the query holds each column against, so that rows pass it.
    let mut own: BTreeMap<String, Vec<String>> = BTreeMap::new();
    walk::query(query, &mut |node| match node {
        Node::Rel(rel) => {
            if let RelKind::Table { name } | RelKind::External { key: name } = &rel.kind {
                let columns = tables.entry(name.clone()).or_default();
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
                    let found = own.entry(input.columns[*place].name.to_string()).or_default();
                    for value in args.iter().filter_map(|arg| query.literal(arg)) {
                        let items = match value {
                            Value::Array(items) => &items[..],
                            value => std::slice::from_ref(value),
                        };
                        let texts = items.iter().filter_map(Value::as_str);
                        found.extend(texts.map(|text| match function.name {
                            "startswith" => format!("{text}rest"),
                            "endswith" => format!("start{text}"),
                            name if name.starts_with('!') => format!("not {text}"),
                            name if name.starts_with("has") || name == "contains" => {
                                format!("a {text} b http://")
                            }
                            _ => text.to_owned(),
                        }));
                    }
                });
            }
        }
        Node::Expr(expr) => match &expr.kind {
            ExprKind::Literal(Value::String(text)) => {
                texts.push(text.to_string());
                texts.push(format!("a {} b", text.to_uppercase()));
            }
            ExprKind::Literal(Value::Array(items)) => {
                texts.extend(items.iter().filter_map(|item| item.as_str().map(str::to_owned)));
            }
            ExprKind::Literal(Value::Long(n)) => numbers.extend([n - 1, *n, n + 1]),
            _ => {}
        },
    });
    tables.insert(
        "FileProfile".to_owned(),
        [
            ("SHA1", Type::String),
            ("GlobalPrevalence", Type::Long),
            ("Signer", Type::String),
        ]
        .map(|(name, ty)| (name.to_owned(), ty))
        .into(),
    );
    // Distinct, so that no two columns repeat the same pattern.
    let (texts, numbers): (BTreeSet<_>, BTreeSet<_>) =
        (texts.into_iter().collect(), numbers.into_iter().collect());
    let (texts, numbers): (Vec<_>, Vec<_>) = (texts.into_iter().collect(), numbers.into_iter().collect());
    let mut seed = 7_u64;
    let mut next = |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let mut found = BTreeMap::new();
    for (table, columns) in tables {
        let mut lines = String::new();
        for row in 0..150 {
            let mut object = serde_json::Map::new();
            for (name, ty) in &columns {
                let value = match ty {
                    _ if next(12) == 0 => continue,
                    Type::Bool => (next(2) == 0).into(),
                    Type::Int | Type::Long | Type::Real | Type::Decimal => {
                        numbers[next(numbers.len())].into()
                    }
                    Type::DateTime => {
                        format!("2026-01-15T{:02}:{:02}:00Z", 9 + next(3), (row * 7) % 60).into()
                    }
                    _ if own.contains_key(name) && next(8) != 0 => {
                        let own = &own[name];
                        own.get(next(own.len().max(1)))
                            .cloned()
                            .unwrap_or_default()
                            .into()
                    }
                    _ if name.ends_with("Id") || name.ends_with("SHA1") => format!("id{}", next(5)).into(),
                    _ => texts[next(texts.len())].clone().into(),
                };
                object.insert(name.clone(), value);
            }
            lines.push_str(&serde_json::Value::Object(object).to_string());
            lines.push('\n');
        }
        found.insert(table, lines);
    }
    Events(found)
}

#[allow(
    clippy::disallowed_methods,
    reason = "a test writes the events that a binary reads"
)]
pub(super) fn agree(rules: &[(Rule, rulec_kql::Parsed, Query)], binary: &Path, folder: &Path) {
    let now = rulec_functions::text::parse_datetime(NOW).unwrap();
    let mut fired = 0;
    let mut different = Vec::new();
    for (rule, _, query) in rules {
        // Chance goes its own way in each process.
        let by_chance = query
            .functions
            .iter()
            .any(|name| name == "rand" || name == "new_guid");
        if by_chance || !super::support::unsupported(query).is_empty() {
            continue;
        }
        let events = events(query);
        let document = &crate::targets::testing::provenance().document;
        let settings = crate::targets::testing::resolved();
        let info = super::Info::of(rule, &settings, document, 1);
        let mut about = RuleInfo::new(info.id, info.title, info.severity).at(info.document, info.line);
        for (kind, fields) in info.entities {
            about.entities.push(alert::EntityMapping {
                kind: kind.into(),
                fields: fields
                    .into_iter()
                    .map(|(id, column)| (id.into(), column.into()))
                    .collect(),
            });
        }
        let expected = rulec_eval::run(query, &Context::new(now, &events)).map(|rows| {
            let mut out = Vec::new();
            alert::write(&mut out, Format::Ndjson, &alert::alerts(&about, &rows)).unwrap();
            String::from_utf8(out).unwrap()
        });
        let mut command = Command::new(binary);
        command.args(["--rule", &rule.id, "--now", NOW, "--missing-empty"]);
        for (index, (table, lines)) in events.0.iter().enumerate() {
            let path = folder.join(format!("{index}.ndjson"));
            std::fs::write(&path, lines).unwrap();
            command.arg("--data").arg(format!("{table}={}", path.display()));
        }
        let output = command.output().unwrap();
        let given = String::from_utf8_lossy(&output.stdout);
        match expected {
            Ok(expected) if expected == given => fired += usize::from(!expected.is_empty()),
            Ok(expected) => {
                let first = expected.lines().zip(given.lines()).find(|(a, b)| a != b);
                different.push(format!(
                    "{}: {} alerts, {} from the binary; {first:?}\n{}",
                    rule.id,
                    expected.lines().count(),
                    given.lines().count(),
                    String::from_utf8_lossy(&output.stderr)
                ));
            }
            Err(error) if output.status.code() == Some(2) => eprintln!("{}: {error}", rule.id),
            Err(error) => different.push(format!("{}: {error}, but the binary runs", rule.id)),
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(
        fired * 2 > rules.len(),
        "only {fired} of {} rules gave rows",
        rules.len()
    );
}
