//! The properties of the front end on texts that are known: the queries of
//! this repository and their halves, what fuzzing has found, and the public
//! queries beside the repository.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests, which say what they did"
)]

use std::path::Path;

use rulec_properties::{all, fuzz_cases, own_queries};

#[test]
fn own_queries_and_their_halves() {
    let queries = own_queries();
    assert!(queries.len() > 1000, "{}", queries.len());
    for text in &queries {
        all(text);
        let middle = (0..=text.len() / 2)
            .rfind(|at| text.is_char_boundary(*at))
            .unwrap();
        all(&text[..middle]);
        all(&text[middle..]);
    }
}

#[test]
fn what_fuzzing_has_found() {
    let cases = fuzz_cases();
    assert!(!cases.is_empty());
    for (name, text) in cases {
        println!("{name}");
        all(&text);
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test reads its cases")]
fn public_queries() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/kql.ndjson");
    let Ok(text) = std::fs::read_to_string(file) else {
        println!("skipped: there are no conformance queries beside the repository");
        return;
    };
    for line in text.lines() {
        let request: serde_json::Value = serde_json::from_str(line).unwrap();
        all(request["query"].as_str().unwrap());
    }
}
