//! Public rule repositories, where they lie beside this one: how many of
//! their documents read, and what some of them say.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods)] // these are tests

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rulec_facts::Pack;
use rulec_facts::aliases::Aliases;
use rulec_model::{Environment, FrontMatter, Rule, RuleKind};
use rulec_read::{Document, Options, RuleDoc, format_document, read, to_markdown};
use rulec_source::{Diagnostic, SourceFile, Span};

fn shared(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared")
        .join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: {} is not there", folder.display());
    None
}

fn documents(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path
                .strip_prefix(folder)
                .unwrap()
                .to_string_lossy()
                .replace('\\', "/");
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            found.push((name, text));
        }
    }
    found.sort();
    found
}

fn read_all(folder: &Path) -> BTreeMap<String, (SourceFile, RuleDoc)> {
    let aliases = Aliases::load(&Pack::embedded()).unwrap();
    let options = Options {
        aliases: &aliases,
        defaults: FrontMatter::default(),
    };
    documents(folder)
        .into_iter()
        .map(|(path, text)| {
            let file = SourceFile::new(path.clone(), text);
            let doc = read(&file, &options);
            if option_env!("READ_VERBOSE").is_some() {
                println!("{path}: {}", summary(&doc));
                for diagnostic in &doc.diagnostics {
                    println!("    {}", say(&file, diagnostic));
                }
            }
            check_spans(&file, &doc);
            (path, (file, doc))
        })
        .collect()
}

fn summary(doc: &RuleDoc) -> String {
    match &doc.document {
        Document::Rule(rule) => format!(
            "{:?} `{}` {} queries, {} tags, {} sources, {} sections {:?}, {} references, {} versions, author {:?}",
            rule.kind,
            rule.title,
            rule.queries.len(),
            rule.attack.len(),
            rule.data_sources.len(),
            rule.sections.len(),
            rule.sections
                .iter()
                .map(|s| s.key.as_deref().unwrap_or(&s.heading))
                .collect::<Vec<_>>(),
            rule.references.len(),
            rule.versions.len(),
            rule.author,
        ),
        Document::Replaced(replacement) => format!("replaced by {}", replacement.replaced_by),
        Document::NotARule { reason } => format!("no rule: {reason}"),
    }
}

fn say(file: &SourceFile, diagnostic: &Diagnostic) -> String {
    let line = diagnostic
        .span()
        .map_or(0, |s| file.position(s.start as usize).line);
    format!("{} {}: {}", diagnostic.code.id, line, diagnostic.message)
}

/// What is true of every document: places lie within it, and queries lead back to it.
fn check_spans(file: &SourceFile, doc: &RuleDoc) {
    for (pointer, span) in &doc.places {
        assert!(
            file.text.get(span.range()).is_some(),
            "{}: {pointer} {span:?}",
            file.path
        );
    }
    for diagnostic in &doc.diagnostics {
        for label in &diagnostic.labels {
            assert!(
                file.text.get(label.span.range()).is_some(),
                "{}: {}",
                file.path,
                diagnostic.message
            );
        }
    }
    let queries = doc.rule().map_or(&[][..], |rule| &rule.queries);
    assert_eq!(queries.len(), doc.queries.len(), "{}", file.path);
    for (query, fragment) in queries.iter().zip(&doc.queries) {
        assert_eq!(query.text, fragment.text, "{}", file.path);
        for piece in &fragment.pieces {
            let inner = Span::new(piece.inner as usize, (piece.inner + piece.len) as usize);
            let outer = Span::new(piece.outer as usize, (piece.outer + piece.len) as usize);
            assert_eq!(inner.of(&fragment.text), outer.of(&file.text), "{}", file.path);
        }
    }
}

fn rule<'d>(
    docs: &'d BTreeMap<String, (SourceFile, RuleDoc)>,
    start: &str,
) -> (&'d SourceFile, &'d RuleDoc, &'d Rule) {
    let (path, (file, doc)) = docs.range(start.to_owned()..).next().unwrap();
    assert!(path.starts_with(start), "{start} is not there");
    (
        file,
        doc,
        doc.rule().unwrap_or_else(|| panic!("{path} is no rule")),
    )
}

/// Documents with a code block in KQL, and those of them that are rules.
fn coverage(docs: &BTreeMap<String, (SourceFile, RuleDoc)>) -> (usize, usize) {
    let with_kql = docs.values().filter(|(file, _)| {
        let text = &file.text;
        text.contains("```")
            && (text.contains("\n| where") || text.contains("\n| ") || text.contains("```KQL"))
    });
    let (mut all, mut rules) = (0, 0);
    for (file, doc) in with_kql {
        all += 1;
        match &doc.document {
            Document::Rule(rule) if !rule.title.is_empty() => rules += 1,
            Document::NotARule { reason } => assert!(!reason.is_empty()),
            other => panic!("{}: {other:?}", file.path),
        }
    }
    (all, rules)
}

#[test]
fn falconfriday() {
    let Some(folder) = shared("corpus/FalconFriday") else {
        return;
    };
    let docs = read_all(&folder);
    let rules: Vec<_> = docs.iter().filter(|(path, _)| path.starts_with("0xFF")).collect();
    assert_eq!(rules.len(), 30);
    let replaced = rules
        .iter()
        .filter(|(_, (_, d))| matches!(d.document, Document::Replaced(_)))
        .count();
    assert_eq!(replaced, 2);
    for (path, (file, doc)) in &docs {
        let said: Vec<String> = doc.diagnostics.iter().map(|d| say(file, d)).collect();
        assert!(said.is_empty(), "{path}: {said:#?}");
        if !path.starts_with("0xFF") {
            continue;
        }
        let Some(rule) = doc.rule() else { continue };
        assert_eq!(rule.kind, RuleKind::Detection, "{path}");
        assert_eq!(rule.queries.len(), 1, "{path}");
        assert!(rule.queries[0].environment.is_some(), "{path}");
        assert!(
            !rule.attack.is_empty() && !rule.data_sources.is_empty() && !rule.versions.is_empty(),
            "{path}"
        );
        assert!(
            rule.data_sources
                .iter()
                .all(|s| s.table.is_some() && !s.table_from_query),
            "{path}"
        );
        assert!(
            rule.attack
                .iter()
                .all(|t| t.tactic_id.is_some() && t.technique.is_some() && t.name.is_some())
        );
        let fence = file
            .text
            .split("```C#\n")
            .nth(1)
            .unwrap()
            .split("```")
            .next()
            .unwrap();
        assert_eq!(rule.queries[0].text, fence, "{path}");
        // The writer's layout reads back as the same rule.
        let again = SourceFile::new(path.as_str(), to_markdown(rule));
        let aliases = Aliases::load(&Pack::embedded()).unwrap();
        let options = Options {
            aliases: &aliases,
            defaults: FrontMatter::default(),
        };
        let reread = read(&again, &options);
        assert!(reread.diagnostics.is_empty(), "{path}: {:?}", reread.diagnostics);
        assert_eq!(reread.rule(), Some(rule), "{path}");
    }
    let hunts = docs.iter().filter(|(path, _)| path.starts_with("hunts/"));
    assert!(
        hunts
            .clone()
            .all(|(_, (_, d))| d.rule().is_some_and(|r| r.kind == RuleKind::Hunt))
    );
    assert_eq!(hunts.count(), 8);
}

#[test]
fn process_injection_word_by_word() {
    let Some(folder) = shared("corpus/FalconFriday") else {
        return;
    };
    let docs = read_all(&folder);
    let (file, doc, rule) = rule(&docs, "0xFF-0081");
    assert_eq!(rule.id, "0xFF-0081-Process_Injection_From_Untrusted_Process-Win");
    assert_eq!(rule.os, ["WindowsServer", "WindowsEndpoint"]);
    let techniques: Vec<_> = rule
        .attack
        .iter()
        .filter_map(rulec_model::AttackTag::technique_id)
        .collect();
    assert_eq!(techniques, ["T1055.002", "T1055.002", "T1106"]);
    assert_eq!(rule.attack[1].tactic.as_deref(), Some("Defense Evasion"));
    assert_eq!(rule.attack[2].subtechnique, None);
    assert_eq!(rule.data_sources.len(), 4);
    assert_eq!(
        rule.data_sources[3].event.as_deref(),
        Some("NtMapViewOfSectionRemoteApiCall")
    );
    assert_eq!(
        rule.data_sources[3].attack_component.as_deref(),
        Some("Process Access")
    );
    assert_eq!(rule.versions.len(), 10);
    assert_eq!(rule.version(), "2.0");
    assert_eq!(rule.versions[9].date.as_deref(), Some("2021-01-29"));
    assert_eq!(rule.references.len(), 1);
    assert_eq!(rule.queries[0].environment, Some(Environment::M365));
    assert_eq!(rule.queries[0].platform.as_deref(), Some("M365 Security"));
    assert_eq!(rule.section("considerations"), Some("None."));
    assert_eq!(doc.place("/attack/0/technique").of(&file.text), "T1055");
    assert_eq!(doc.place("/versions/9/notes").of(&file.text), "Initial version.");
    assert_eq!(doc.place("/queries/0/text").of(&file.text), rule.queries[0].text);
}

#[test]
fn hunts() {
    let Some(folder) = shared("corpus/FalconFriday/hunts") else {
        return;
    };
    let docs = read_all(&folder);
    let (_, _, signature) = rule(&docs, "T1036");
    assert_eq!(signature.id, "T1036.001-WIN-001");
    assert_eq!(signature.author.as_deref(), Some("FalconForce"));
    assert_eq!(signature.fp_rate.as_deref(), Some("Medium"));
    assert_eq!(signature.attack[0].technique_id().as_deref(), Some("T1036.001"));
    assert_eq!(signature.attack[0].tactic.as_deref(), Some("Defense Evasion"));
    assert_eq!(
        signature.data_sources[1].table.as_deref(),
        Some("DeviceFileCertificateInfo")
    );
    assert_eq!(signature.references.len(), 1);
    let (_, _, macros) = rule(&docs, "T1204");
    assert_eq!(
        macros.queries[1].name.as_deref(),
        Some("Rule 2 (process injection)")
    );
    let (_, _, dcom) = rule(&docs, "T1021");
    assert_eq!(dcom.attack[0].technique_id().as_deref(), Some("T1021.003"));
    let (_, _, tools) = rule(&docs, "FireEye");
    assert_eq!(tools.queries.len(), 47);
    assert_eq!(tools.queries[0].name.as_deref(), Some("ADPASSHUNT"));
}

#[test]
fn older_layout() {
    let Some(folder) = shared("seeds") else { return };
    let docs = read_all(&folder);
    let (_, doc, rule) = rule(&docs, "003");
    assert!(doc.diagnostics.is_empty(), "{:?}", doc.diagnostics);
    assert_eq!(rule.fp_rate.as_deref(), Some("Low"));
    assert_eq!(rule.data_sources[0].table.as_deref(), Some("DeviceEvents"));
    assert!(rule.data_sources[0].table_from_query);
    assert_eq!(rule.versions.len(), 5);
    assert!(rule.references.is_empty());
    assert_eq!(rule.attack.len(), 3);
}

#[test]
fn other_houses() {
    for (name, least) in [
        ("Hunting-Queries-Detection-Rules", 140),
        ("Microsoft-365-Defender-Hunting-Queries", 90),
        ("Threat-Hunting-and-Detection", 7),
    ] {
        let Some(folder) = shared("corpus").map(|c| c.join(name)) else {
            return;
        };
        let docs = read_all(&folder);
        let (all, rules) = coverage(&docs);
        println!("{name}: {} documents, {all} with KQL, {rules} rules", docs.len());
        assert!(all >= least && rules * 10 >= all * 9, "{name}: {rules} of {all}");
    }
}

#[test]
fn formatting_keeps_what_documents_say() {
    let Some(folder) = shared("corpus") else { return };
    let aliases = Aliases::load(&Pack::embedded()).unwrap();
    let options = Options {
        aliases: &aliases,
        defaults: FrontMatter::default(),
    };
    for (path, text) in documents(&folder) {
        if Path::new(&path).extension().is_some_and(|e| e == "kql") {
            continue;
        }
        let file = SourceFile::new(path.clone(), text);
        let formatted = SourceFile::new(path.clone(), format_document(&file));
        assert_eq!(format_document(&formatted), formatted.text, "{path}: not stable");
        let (before, after) = (read(&file, &options), read(&formatted, &options));
        let (Some(before), Some(after)) = (before.rule(), after.rule()) else {
            assert_eq!(before.document, after.document, "{path}");
            continue;
        };
        assert_eq!(before.queries, after.queries, "{path}");
        assert_eq!(before.attack, after.attack, "{path}");
        assert_eq!(before.versions, after.versions, "{path}");
        assert_eq!(before.data_sources, after.data_sources, "{path}");
    }
}
