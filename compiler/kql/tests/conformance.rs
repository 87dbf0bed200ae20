//! Whether rulec and Microsoft's parser agree about what is KQL.
//!
//! In: queries of public repositories with the verdict and the operators that
//! Microsoft's parser reports for them, where that collection lies beside the
//! repository; and always a list of our own, below. Out: the share on which
//! both agree, held to a minimum.

use std::path::PathBuf;

use rulec_kql::{dump_shape, parse, print, walk};
use serde_json::Value;

/// The lines of a file beside the repository.
#[expect(clippy::disallowed_methods, reason = "a test reads its own cases")]
fn beside(name: &str) -> Option<Vec<Value>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/conformance")
        .join(name);
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn public_queries_get_the_verdict_of_the_reference() {
    let (Some(queries), Some(answers)) = (beside("kql.ndjson"), beside("kql.expected.ndjson")) else {
        println!("skipped: there are no conformance queries beside the repository");
        return;
    };
    let (mut verdicts, mut operators, mut clean) = (0, 0, 0);
    let mut differences = Vec::new();
    assert_eq!(queries.len(), answers.len());
    for (query, answer) in queries.iter().zip(&answers) {
        assert_eq!(query["id"], answer["id"]);
        let text = query["query"].as_str().unwrap();
        let parsed = parse(text);
        let theirs = !answer["syntax_errors"].as_array().unwrap().is_empty();
        if theirs == parsed.has_errors() {
            verdicts += 1;
        } else {
            differences.push(format!(
                "{}: {:?}",
                query["id"],
                parsed.diagnostics.first().map(|d| &d.message)
            ));
        }
        if !theirs {
            clean += 1;
            let ours = walk::operators(&parsed.query);
            let expected: Vec<&str> = answer["operators"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Value::as_str)
                .collect();
            // The reference does not tell `parse-where` from `parse` by name everywhere; we do.
            if ours == expected {
                operators += 1;
            } else {
                differences.push(format!("{}: {ours:?} and not {expected:?}", query["id"]));
            }
            let printed = print(&parsed);
            let again = parse(&printed);
            assert_eq!(dump_shape(&parsed), dump_shape(&again), "{}", query["id"]);
            assert_eq!(print(&again), printed, "{}", query["id"]);
        }
    }
    println!(
        "verdicts: {verdicts} of {}, operators: {operators} of {clean}",
        queries.len()
    );
    assert!(verdicts * 1000 >= queries.len() * 995, "{differences:#?}");
    assert!(operators * 1000 >= clean * 995, "{differences:#?}");
}

/// Queries the reference accepts, one for each construct.
const ACCEPTED: &[&str] = &[include_str!("accepted.kql")];

/// Queries the reference rejects.
const REJECTED: &[&str] = &[include_str!("rejected.kql")];

/// The queries of a list: one a line, `\n` standing for a line end.
fn cases(files: &[&str]) -> Vec<String> {
    files
        .iter()
        .flat_map(|f| f.lines())
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.replace("\\n", "\n"))
        .collect()
}

#[test]
fn every_accepted_construct_is_accepted_and_printed_faithfully() {
    for text in cases(ACCEPTED) {
        let parsed = parse(&text);
        assert!(!parsed.has_errors(), "{text}\n{:#?}", parsed.diagnostics);
        let printed = print(&parsed);
        let again = parse(&printed);
        assert!(!again.has_errors(), "{text}\n{printed}\n{:#?}", again.diagnostics);
        assert_eq!(dump_shape(&parsed), dump_shape(&again), "{text}\n{printed}");
        assert_eq!(print(&again), printed, "{text}");
    }
}

#[test]
fn every_rejected_text_is_rejected() {
    for text in cases(REJECTED) {
        assert!(parse(&text).has_errors(), "{text}");
    }
}
