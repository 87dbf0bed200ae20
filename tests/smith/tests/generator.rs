//! What the tool itself promises, without a reference.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use rulec_facts::tables::Environment;
use rulec_smith::answer::{World, typed_table};
use rulec_smith::dice::Dice;
use rulec_smith::generate::Generator;
use rulec_smith::mutate::mutate;

fn world(environment: Environment) -> World {
    World::new(environment, vec![typed_table()], false).unwrap()
}

#[test]
fn a_seed_gives_the_same_queries_whatever_came_before() {
    let world = world(Environment::Docs);
    let generator = Generator::new(&world);
    let all: Vec<String> = (0..20).map(|n| generator.query(7, n)).collect();
    let again = Generator::new(&world);
    for n in (0..20).rev() {
        assert_eq!(again.query(7, n), all[usize::try_from(n).unwrap()]);
    }
    assert_ne!(generator.query(8, 0), all[0]);
    // The same on every machine: this one was written down.
    assert_eq!(Dice::for_query(7, 3).below(1_000_000), 641_860);
}

#[test]
fn queries_are_kql_and_use_the_whole_language() {
    let world = world(Environment::MergedColumns);
    let generator = Generator::new(&world);
    let mut operators = BTreeSet::new();
    let mut broken = Vec::new();
    let mut fine = 0;
    for n in 0..600 {
        let query = generator.query(1, n);
        let answer = world.ours(&query);
        if let Some(problem) = answer.syntax.first() {
            broken.push(format!("{}: {query}", problem.message));
        }
        fine += usize::from(answer.semantic.is_empty());
        operators.extend(answer.operators);
    }
    // A few words are names in some places only, and the generator does not know all of them.
    assert!(
        broken.len() < 12,
        "{} are no queries:\n{}",
        broken.len(),
        broken.join("\n")
    );
    assert!(fine > 120, "only {fine} of 600 mean something");
    let missing: Vec<&str> = OPERATORS
        .split_whitespace()
        .filter(|name| !operators.contains(*name))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

/// The operators of the reference, by canonical name.
const OPERATORS: &str =
    "as assert-schema consume count datatable distinct evaluate extend externaldata facet find
    fork getschema graph-match graph-mark-components graph-shortest-paths graph-to-table invoke join lookup
    macro-expand make-graph make-series mv-apply mv-expand parse parse-kv parse-where partition print project
    project-away project-by-names project-keep project-rename project-reorder range reduce render sample
    sample-distinct scan search serialize sort summarize take top top-hitters top-nested union where";

#[test]
fn damaged_queries_do_not_hurt() {
    let world = world(Environment::Docs);
    let generator = Generator::new(&world);
    let mut rejected = 0;
    for n in 0..300 {
        let query = mutate(&generator.query(2, n), &mut Dice::for_query(3, n));
        let answer = world.ours(&query);
        rejected += usize::from(!answer.syntax.is_empty());
        for problem in answer.syntax.iter().chain(&answer.semantic) {
            assert!(problem.start + problem.length <= query.encode_utf16().count());
        }
    }
    assert!((30..270).contains(&rejected), "{rejected} of 300 are no queries");
}
