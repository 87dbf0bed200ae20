//! Whatever the text: the algebra is well-formed, findings lie inside the
//! text, and nothing panics. Queries are those of `columns.txt`, as they are
//! and damaged in many ways, and the corpus where it is present.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests read the corpus beside the repository and say how it went"
)]

use std::path::PathBuf;
use std::sync::Arc;

use rulec_facts::Pack;
use rulec_facts::tables::{Environment, Tables};
use rulec_ir::walk::{self, Node};
use rulec_ir::{BindingKind, Catalog, Expr, ExprKind, Origin, ParseStep, Query, Rel, RelKind, lower};

fn catalog(environment: Environment) -> Catalog {
    Catalog::new(Arc::new(Tables::new(&Pack::embedded(), environment).unwrap()))
}

/// Binds a text and checks all that has to hold for any text.
fn check(text: &str, catalog: &Catalog) {
    let parsed = rulec_kql::parse(text);
    let lowered = lower(&parsed, catalog);
    for diagnostic in &lowered.diagnostics {
        for label in &diagnostic.labels {
            assert!(text.get(label.span.range()).is_some(), "{text:?}: {diagnostic:?}");
        }
    }
    well_formed(text, &lowered.query);
    rulec_ir::dump(&lowered.query);
}

fn well_formed(text: &str, query: &Query) {
    for (number, binding) in query.bindings.iter().enumerate() {
        match &binding.kind {
            BindingKind::Scalar(value) => expression(text, value, 0),
            BindingKind::Table { rel, .. } => relation(text, query, rel, number),
            BindingKind::Function => {}
        }
    }
    if let Some(root) = &query.root {
        relation(text, query, root, query.bindings.len());
    }
}

/// `limit`: bindings a reference may mean, those before it.
fn relation(text: &str, query: &Query, start: &Rel, limit: usize) {
    walk::rel(start, &mut |node| {
        let Node::Rel(rel) = node else { return };
        let width = |rel: &Rel| rel.columns.len();
        let mut inputs = Vec::new();
        walk::inputs(rel, &mut |input| inputs.push(input));
        let over = inputs.first().map_or(0, |input| width(input));
        match &rel.kind {
            RelKind::Ref(id) => {
                assert!(id.0 < limit, "{text:?}: a binding refers to a later one");
                let BindingKind::Table { rel: bound, .. } = &query.bindings[id.0].kind else {
                    panic!("{text:?}: a reference to something that is no table")
                };
                assert_eq!(bound.columns, rel.columns, "{text:?}");
            }
            RelKind::Rows(rows) => {
                for row in rows {
                    assert_eq!(row.len(), width(rel), "{text:?}");
                    all(text, row, 0);
                }
            }
            RelKind::Project { exprs, .. } | RelKind::Distinct { exprs, .. } => {
                assert_eq!(exprs.len(), width(rel), "{text:?}");
                all(text, exprs, over);
            }
            RelKind::Summarize { keys, aggregates, .. } => {
                let outputs: usize = aggregates.iter().map(|a| a.outputs).sum();
                assert_eq!(keys.len() + outputs, width(rel), "{text:?}");
                all(text, keys, over);
                for call in aggregates {
                    all(text, &call.args, over);
                }
            }
            RelKind::Filter { .. } | RelKind::Sort { .. } | RelKind::Take { .. } | RelKind::Top { .. } => {
                assert_eq!(inputs[0].columns, rel.columns, "{text:?}");
                walk::expressions(rel, &mut |e| expression(text, e, over));
            }
            RelKind::Join {
                left,
                right,
                left_keys,
                right_keys,
                output,
                ..
            } => {
                assert_eq!(output.len(), width(rel), "{text:?}");
                assert_eq!(left_keys.len(), right_keys.len(), "{text:?}");
                all(text, left_keys, width(left));
                all(text, right_keys, width(right));
                origins(text, output, width(left), width(right));
            }
            RelKind::Union { inputs, with_source } => {
                for input in inputs {
                    assert_eq!(
                        input.columns.len() + usize::from(*with_source),
                        width(rel),
                        "{text:?}"
                    );
                    for index in input.columns.iter().flatten() {
                        assert!(*index < width(&input.rel), "{text:?}");
                    }
                }
            }
            RelKind::MvExpand { items, passed, .. } => {
                assert_eq!(passed.len(), width(rel), "{text:?}");
                for item in items {
                    expression(text, &item.expr, over);
                    assert!(item.output < width(rel), "{text:?}");
                    assert_eq!(passed[item.output], None, "{text:?}");
                }
            }
            RelKind::MvApply {
                input,
                items,
                passed,
                subquery,
                output,
                ..
            } => {
                assert_eq!(output.len(), width(rel), "{text:?}");
                for item in items {
                    expression(text, &item.expr, over);
                    assert!(item.output < passed.len(), "{text:?}");
                }
                origins(text, output, width(input), width(subquery));
            }
            RelKind::Parse { expr, steps, .. } => {
                expression(text, expr, over);
                for step in steps {
                    if let ParseStep::Column { output, .. } = step {
                        assert!(*output < width(rel), "{text:?}");
                    }
                }
            }
            RelKind::Invoke { args, .. } => all(text, args, over),
            _ => {}
        }
    });
}

fn origins(text: &str, output: &[Origin], left: usize, right: usize) {
    for origin in output {
        match origin {
            Origin::Left(index) => assert!(*index < left, "{text:?}"),
            Origin::Right(index) => assert!(*index < right, "{text:?}"),
        }
    }
}

fn all(text: &str, exprs: &[Expr], width: usize) {
    for expr in exprs {
        expression(text, expr, width);
    }
}

/// Columns of an expression exist in the row it is over.
fn expression(text: &str, start: &Expr, width: usize) {
    let mut todo = vec![start];
    while let Some(next) = todo.pop() {
        if let ExprKind::Column(index) = next.kind {
            assert!(index < width, "{text:?}: column {index} of {width}");
        }
        walk::parts(next, &mut |part| {
            if let Node::Expr(part) = part {
                todo.push(part);
            }
        });
    }
}

fn queries() -> impl Iterator<Item = String> {
    include_str!("columns.txt")
        .lines()
        .filter(|l| !l.starts_with(' ') && !l.starts_with('#'))
        .map(|l| l.replace("\\n", "\n"))
}

/// A small generator of numbers, the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }
}

/// Drops, doubles and moves words.
fn damaged(query: &str, random: &mut Random) -> String {
    let mut words: Vec<&str> = query
        .split_inclusive([' ', ',', '(', ')', '|', '.', '='])
        .collect();
    for _ in 0..=random.below(3) {
        if words.is_empty() {
            break;
        }
        let (a, b) = (random.below(words.len()), random.below(words.len()));
        match random.below(4) {
            0 => {
                words.remove(a);
            }
            1 => words.insert(a, words[b]),
            2 => words.swap(a, b),
            _ => words.truncate(a),
        }
    }
    words.concat()
}

#[test]
fn small_queries_and_their_damaged_forms() {
    let catalog = catalog(Environment::Docs);
    let mut random = Random(7);
    for query in queries() {
        check(&query, &catalog);
        for _ in 0..20 {
            check(&damaged(&query, &mut random), &catalog);
        }
    }
}

#[test]
fn the_corpus_and_its_damaged_forms() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/kql.ndjson");
    let Ok(text) = std::fs::read_to_string(file) else {
        println!("skipped: no conformance corpus beside the repository");
        return;
    };
    let catalog = catalog(Environment::MergedColumns).open(true);
    let mut random = Random(11);
    for line in text.lines() {
        let request: serde_json::Value = serde_json::from_str(line).unwrap();
        let query = request["query"].as_str().unwrap();
        // One with every table of the environment takes long enough once.
        check(query, &catalog);
        if !query.contains("union *") && !query.contains("search *") {
            for _ in 0..3 {
                check(&damaged(query, &mut random), &catalog);
            }
        }
    }
}
