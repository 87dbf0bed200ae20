//! What explanations hold beyond their texts: the catalog page they began from
//! is matched point by point, indicators are counted as operators compare, and
//! JSON and HTML are what tools and browsers expect.
//!
//! The twin of the page is
//! tests/cases/explain/process-injection-from-untrusted-process.md with its
//! expectation, which need no page.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout)] // A test reads its cases and says what it leaves out.

use std::{collections::BTreeSet, fs, path::Path};

use rulec_driver::{Compilation, Pipeline, explain};
use rulec_source::SourceFile;
use serde_json::Value;

/// The page: the first seed whose name begins so.
fn page() -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/seeds");
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("skipped: {} is not there", folder.display());
        return None;
    };
    let path = entries.flatten().map(|entry| entry.path()).find(|path| {
        path.file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with("000"))
    })?;
    Some(fs::read_to_string(path).unwrap().replace("\r\n", "\n"))
}

/// What stands between two lines of the page, without them.
fn between<'p>(page: &'p str, from: &str, to: &str) -> &'p str {
    let page = &page[page.find(from).unwrap_or_else(|| panic!("no {from:?}")) + from.len()..];
    &page[..page.find(to).unwrap_or_else(|| panic!("no {to:?}"))]
}

/// The rows of a table without its header, cells trimmed.
fn rows(section: &str) -> Vec<Vec<String>> {
    section
        .lines()
        .filter(|line| line.contains('|') && !line.contains("---"))
        .skip(1)
        .map(|line| {
            let cells = line.trim().trim_matches('|').split('|');
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
        .collect()
}

fn pipeline() -> Pipeline {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    Pipeline::open(&root, None).unwrap_or_else(|r| panic!("{}", r.diagnostic.message))
}

/// What is printed of documents, indicators counted over all of them.
fn printed(pipeline: &Pipeline, texts: &[&str], which: usize, format: explain::Format) -> String {
    let all = Compilation {
        documents: texts
            .iter()
            .map(|text| pipeline.document(SourceFile::new("rule.md", *text)))
            .collect(),
    };
    let corpus = explain::corpus(pipeline, &all);
    let one = Compilation {
        documents: vec![all.documents.into_iter().nth(which).unwrap()],
    };
    explain::run(pipeline, &one, &corpus, format).unwrap()
}

fn case(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/explain");
    fs::read_to_string(folder.join(name)).unwrap()
}

fn explained() -> Value {
    let text = case("process-injection-from-untrusted-process.md");
    let json = printed(&pipeline(), &[&text], 0, explain::Format::Json);
    serde_json::from_str(&json).unwrap()
}

/// A document with one query.
fn document(id: &str, query: &str) -> String {
    format!(
        "# A Rule\n\n## Metadata\n**ID:** {id}\n\n## Detection\n\n**Language:** Kusto\n\n**Query:**\n```kql\n{query}\n```\n"
    )
}

fn list<'v>(value: &'v Value, key: &str) -> &'v Vec<Value> {
    value[key].as_array().unwrap_or_else(|| panic!("no {key}"))
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

#[test]
fn the_case_has_the_query_of_the_page() {
    let Some(page) = page() else { return };
    let query = between(&page, "Rule body kusto\n", "\nStages and Predicates");
    let case = case("process-injection-from-untrusted-process.md");
    assert!(case.contains(&format!("```kql\n{query}\n```")));
}

#[test]
fn the_explanation_says_what_the_page_says() {
    let Some(page) = page() else { return };
    let found = explained();

    let parameters: Vec<String> = list(&found, "parameters")
        .iter()
        .map(|p| format!("let {} = {};", text(p, "name"), text(p, "value")))
        .collect();
    let told: Vec<&str> = between(&page, "\nParameters\n", "\nLet binding: ")
        .lines()
        .collect();
    assert_eq!(parameters, told);

    let bindings = list(&found, "bindings");
    let told: Vec<&str> = page.split("\nLet binding: ").skip(1).collect();
    assert_eq!(bindings.len(), told.len());
    for (binding, told) in bindings.iter().zip(told) {
        let (name, rest) = told.split_once('\n').unwrap();
        let (body, rest) = rest.split_once("\nDerived from ").unwrap();
        let derived: Vec<&str> = rest.split(".\n").next().unwrap().split(", ").collect();
        assert_eq!(text(binding, "name"), name);
        assert_eq!(text(binding, "text"), body);
        let found: Vec<&str> = list(binding, "derived_from")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(found, derived);
    }

    // Stages, and in front of each run of them the binding that it defines.
    let section = between(&page, "\nThe stages below define let ", "\nExclusions\n");
    let (defines, section) = section.split_once('\n').unwrap();
    let defined = defines.split(' ').next().unwrap();
    let mut binding = Some(defined.to_owned());
    let mut told: Vec<(String, String, Option<String>)> = Vec::new();
    for line in section.lines() {
        if line.starts_with("The stages below run on ") {
            assert!(line.contains(defined) && line.contains("outer pipeline"));
            binding = None;
        } else if let Some(heading) = line.strip_prefix("Stage ") {
            let (number, kind) = heading.split_once(": ").unwrap();
            assert_eq!(number.parse(), Ok(told.len() + 1));
            told.push((kind.to_owned(), String::new(), binding.clone()));
        } else {
            let (_, text, _) = told.last_mut().unwrap();
            text.push_str(if text.is_empty() { "" } else { "\n" });
            text.push_str(line);
        }
    }
    assert_eq!(told.len(), 10);
    let stages: Vec<(String, String, Option<String>)> = list(&found, "stages")
        .iter()
        .map(|s| {
            let binding = s["binding"].as_str().map(str::to_owned);
            (text(s, "kind").to_owned(), text(s, "text").to_owned(), binding)
        })
        .collect();
    assert_eq!(stages, told);

    let exclusions: Vec<Vec<String>> = list(&found, "exclusions")
        .iter()
        .map(|e| {
            let values: Vec<&str> = list(e, "values").iter().filter_map(Value::as_str).collect();
            vec![
                text(e, "field").to_owned(),
                text(e, "kind").to_owned(),
                values.join(", "),
            ]
        })
        .collect();
    assert_eq!(
        exclusions,
        rows(between(&page, "\nExclusions\n", "\nIndicators\n"))
    );

    // The page has lost the values of its indicators.
    let indicators: Vec<Vec<String>> = list(&found, "indicators")
        .iter()
        .map(|i| vec![text(i, "field").to_owned(), text(i, "kind").to_owned()])
        .collect();
    let told: Vec<Vec<String>> = rows(between(&page, "\nIndicators\n", "\nOutput fields\n"))
        .into_iter()
        .filter(|row| row.len() > 1)
        .map(|row| row[..2].to_vec())
        .collect();
    assert_eq!(indicators, told);

    let fields: BTreeSet<Vec<String>> = list(&found, "output_fields")
        .iter()
        .filter(|f| f["explicit"] == true)
        .map(|f| vec![text(f, "name").to_owned(), text(f, "source").to_owned()])
        .collect();
    let told: BTreeSet<Vec<String>> = rows(&page[page.find("\nOutput fields\n").unwrap()..])
        .into_iter()
        .collect();
    assert_eq!(fields, told);

    let events: BTreeSet<Vec<String>> = list(&found, "event_coverage")
        .iter()
        .map(|e| {
            ["provider", "event", "title"]
                .map(|key| text(e, key).to_owned())
                .to_vec()
        })
        .collect();
    let told = rows(between(&page, "\nEvent coverage\n", "\nRule body"));
    assert_eq!(events, told.into_iter().collect());

    let attack: BTreeSet<Vec<String>> = list(&found, "attack")
        .iter()
        .map(|tactic| {
            let techniques = list(tactic, "techniques").iter();
            let techniques: Vec<String> = techniques
                .map(|t| format!("{} {}", text(t, "id"), text(t, "name")))
                .collect();
            vec![text(tactic, "tactic").to_owned(), techniques.join(", ")]
        })
        .collect();
    let told = rows(between(&page, "\nMITRE ATT&CK coverage\n", "\nReferences"));
    assert_eq!(attack, told.into_iter().collect());
}

#[test]
fn the_values_that_the_page_has_lost_are_there() {
    let found = explained();
    let values = |field: &str| -> Vec<String> {
        let indicator = list(&found, "indicators")
            .iter()
            .find(|i| text(i, "field") == field)
            .unwrap();
        list(indicator, "values")
            .iter()
            .map(|v| text(v, "value").to_owned())
            .collect()
    };
    assert_eq!(values("ActionType").len(), 5);
    assert_eq!(values("ProcessId"), ["InitiatingProcessId"]);
}

#[test]
fn indicators_are_counted_as_their_operators_compare() {
    let texts = [
        document(
            "A-1",
            "DeviceEvents | where FileName =~ 'CMD.exe' and ActionType == 'Odd' and FolderPath has 'x'",
        ),
        document(
            "A-2",
            "DeviceEvents | where FileName == 'cmd.exe' and ActionType == 'odd'",
        ),
        document(
            "A-3",
            "DeviceEvents | where FileName == 'cmd.exe' and ActionType == 'odd' and FolderPath contains 'x'",
        ),
        // Twice in one rule counts once, and an exclusion is nothing looked for.
        document(
            "A-4",
            "let l = dynamic(['a']); DeviceEvents | where FileName == 'CMD.exe' or (FileName == 'CMD.exe' and ProcessId > 5) | where FolderPath !has 'x'",
        ),
    ];
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let pipeline = pipeline();
    let counts = |which: usize| -> Vec<(String, Value)> {
        let json = printed(&pipeline, &texts, which, explain::Format::Json);
        let found: Value = serde_json::from_str(&json).unwrap();
        list(&found, "indicators")
            .iter()
            .flat_map(|i| {
                list(i, "values")
                    .iter()
                    .map(|v| (text(i, "field").to_owned(), v["corpus"].clone()))
            })
            .collect()
    };
    let expected = |rows: &[(&str, u64)]| -> Vec<(String, Value)> {
        rows.iter()
            .map(|(field, n)| ((*field).to_owned(), (*n).into()))
            .collect()
    };
    // `=~` folds case, whatever the others do.
    assert_eq!(
        counts(0),
        expected(&[("FileName", 3), ("ActionType", 0), ("FolderPath", 0)])
    );
    assert_eq!(counts(1), expected(&[("FileName", 1), ("ActionType", 1)]));
    assert_eq!(counts(3), expected(&[("FileName", 1), ("ProcessId", 0)]));
}

#[test]
fn json_is_one_document() {
    let text = case("several-queries.md");
    let json = printed(&pipeline(), &[&text], 0, explain::Format::Json);
    let found: Value = serde_json::from_str(&json).unwrap();
    let further = list(&found, "further");
    assert_eq!(
        (found["query"]["number"].clone(), found["query"]["of"].clone()),
        (1.into(), 2.into())
    );
    assert_eq!(further.len(), 1);
    assert_eq!(further[0]["query"]["name"], "Sentinel");
    assert_eq!(further[0]["stages"][0]["text"], "SecurityEvent");
    assert!(explained().get("further").is_none());
}

#[test]
fn pages_stand_alone_and_escape_what_rules_say() {
    let text = document(
        "A-1<script>",
        "DeviceEvents // </pre>\n| where FileName == '<script>alert(1)</script>' and FolderPath has '\u{202e}cod' | where ActionType != '<b>'",
    )
    .replace("# A Rule", "# <img src=x onerror=alert(1)>");
    let page = printed(&pipeline(), &[&text], 0, explain::Format::Html);
    assert!(page.starts_with("<!doctype html>"), "{page}");
    assert!(page.contains("default-src 'none'"));
    for never in [
        "<script",
        "<img",
        "<b>",
        "\u{202e}",
        "src=\"",
        "href=\"http",
        "url(",
        "@import",
    ] {
        assert!(!page.contains(never), "{never}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)"));
    // Every case has a page; what templates get wrong they say.
    let pipeline = pipeline();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/explain");
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".explain.md") {
            let page = printed(&pipeline, &[&case(&name)], 0, explain::Format::Html);
            assert!(page.contains("</footer>"), "{name}: {page}");
        }
    }
}

#[test]
fn long_lists_are_told_in_time_that_grows_with_their_length() {
    let list = |n: usize| {
        (0..n)
            .map(|i| format!("'10.{}.{}'", i / 256, i % 256))
            .collect::<Vec<_>>()
    };
    let either: Vec<String> = (0..3_000).map(|i| format!("RemoteUrl =~ 'u{i}'")).collect();
    let text = document(
        "A-1",
        &format!(
            "let Known = dynamic([{}]);\nDeviceNetworkEvents | where RemoteIP in (Known) | where {}",
            list(20_000).join(", "),
            either.join(" or ")
        ),
    );
    // Comparing each value with each takes minutes.
    let json = printed(&pipeline(), &[&text], 0, explain::Format::Json);
    let found: Value = serde_json::from_str(&json).unwrap();
    let indicators = list_of_values(&found);
    assert_eq!(
        indicators,
        [("RemoteIP".to_owned(), 20_000), ("RemoteUrl".to_owned(), 3_000)]
    );
    let does = text_of_stage(&found, 1);
    assert_eq!(
        does,
        "keeps rows where RemoteIP is one of the 20000 values of `Known`"
    );
}

/// The fields of indicators and how many values each has.
fn list_of_values(found: &Value) -> Vec<(String, usize)> {
    let indicators = list(found, "indicators").iter();
    indicators
        .map(|i| (text(i, "field").to_owned(), list(i, "values").len()))
        .collect()
}

fn text_of_stage(found: &Value, stage: usize) -> &str {
    text(&list(found, "stages")[stage], "does")
}
