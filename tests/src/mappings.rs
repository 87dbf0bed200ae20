//! Every mutation of a mapped column is found, on its line: of the shipped
//! rules, and of the cases of tests/cases that name columns.
//!
//! A mutant changes either the name in the front matter, or the query behind
//! its last operator, so that a column is renamed, dropped, retyped, or given
//! in another case. A mutant that would be no mistake (a custom detail takes
//! any type) is not made. What `--fix` offers for a lost column is applied, and
//! has to leave a rule that holds its contract.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // A test reads the shipped rules.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
    sync::OnceLock,
};

use rayon::prelude::*;
use rulec_driver::{Document, Pipeline, repair};
use rulec_source::{Diagnostic, SourceFile};

/// When the rules are looked at: 2026-11-22, in ticks.
const NOW: i64 = 639_309_024_000_000_000;

fn pipeline() -> &'static Pipeline {
    static PIPELINE: OnceLock<Pipeline> = OnceLock::new();
    PIPELINE.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        Pipeline::open(&root, None).unwrap_or_else(|r| panic!("{}", r.diagnostic.message))
    })
}

fn read(path: &str, text: impl Into<String>) -> Document {
    pipeline().document(SourceFile::new(path, text.into()))
}

/// The shipped rules.
fn rules() -> Vec<Document> {
    pipeline().compile(&[]).documents
}

/// The shipped rules and the cases in which nothing is wrong with any column.
fn subjects() -> Vec<Document> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut documents = rules();
    for folder in ["check", "explain"] {
        let mut paths: Vec<_> = fs::read_dir(cases.join(folder))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "md"))
            .collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            documents.push(read(&name, fs::read_to_string(&path).unwrap()));
        }
    }
    documents.retain(|document| {
        document.is_sound()
            && !document.diagnostics.iter().any(is_contract)
            && document
                .queries
                .iter()
                .all(|q| q.ir.root.as_ref().is_some_and(|r| !r.open))
    });
    documents
}

/// Whether a finding is about the columns a rule promises.
fn is_contract(diagnostic: &Diagnostic) -> bool {
    let id = diagnostic.code.id;
    ["RL001", "RL002"].contains(&id) || ("RL071".."RL080").contains(&id)
}

/// By column, the kinds of entity and identifiers that it is given for.
type Entities = BTreeMap<String, Vec<(String, String)>>;

/// The columns that a rule's front matter names: of entities, and others.
fn mapped(document: &Document) -> (Entities, BTreeSet<String>) {
    let settings = &document.rule().unwrap().settings;
    let mut entities = Entities::new();
    for entity in settings.entities.iter().flat_map(|e| &e.value) {
        for (identifier, column) in &entity.fields {
            let named = (entity.kind.clone(), identifier.clone());
            entities.entry(column.clone()).or_default().push(named);
        }
    }
    let mut others = BTreeSet::new();
    if let Some(details) = &settings.custom_details {
        others.extend(details.value.values().cloned());
    }
    if let Some(alert) = &settings.alert {
        let texts = [&alert.value.title, &alert.value.description];
        for text in texts.into_iter().flatten() {
            let parts = text.split("{{").skip(1).filter_map(|t| t.split_once("}}"));
            others.extend(parts.map(|(column, _)| column.trim().to_owned()));
        }
    }
    (entities, others)
}

/// Where the front matter names a column: behind `:` or within `{{…}}`.
fn places(text: &str, column: &str) -> Vec<usize> {
    let end = text.get(4..).and_then(|t| t.find("\n---")).map_or(0, |at| at + 4);
    let front = &text[..end];
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    front
        .match_indices(column)
        .map(|(at, _)| at)
        .filter(|at| {
            let before = front[..*at].trim_end_matches(['"', ' ']);
            let after = &front[at + column.len()..];
            // The type of an entity may have the name of a column.
            !before.ends_with("type:")
                && (before.ends_with(": ") || before.ends_with(':') || before.ends_with("{{"))
                && !after.starts_with(letter)
                && !after.trim_start_matches('"').starts_with(':')
        })
        .collect()
}

fn in_other_case(column: &str) -> String {
    let first = column.chars().next().unwrap();
    let flipped: String = if first.is_uppercase() {
        first.to_lowercase().collect()
    } else {
        first.to_uppercase().collect()
    };
    format!("{flipped}{}", &column[first.len_utf8()..])
}

/// Names a slip makes of a column's.
fn slips(column: &str) -> Vec<String> {
    let mut letters: Vec<char> = column.chars().collect();
    let middle = letters.len() / 2;
    letters.swap(middle, middle.saturating_sub(1));
    vec![
        in_other_case(column),
        letters.iter().collect(),
        format!("{column}s"),
        column[..column.len() - 1].to_owned(),
        "NowhereToBeFound".to_owned(),
    ]
}

/// The columns of a query's result.
fn given(document: &Document) -> Vec<String> {
    let roots = document.queries.iter().flat_map(|q| &q.ir.root);
    roots
        .flat_map(|r| r.columns.iter())
        .map(|c| c.name.to_string())
        .collect()
}

#[test]
fn every_slip_is_found_on_its_line() {
    let mut tried = 0;
    for document in subjects() {
        let (path, text) = (&document.file.path, &document.file.text);
        let given = given(&document);
        let (entities, others) = mapped(&document);
        for column in entities.keys().chain(&others).collect::<BTreeSet<_>>() {
            let places = places(text, column);
            assert!(!places.is_empty(), "{path}: `{column}` is mapped nowhere");
            for at in places {
                for slip in slips(column) {
                    if slip == *column || given.contains(&slip) {
                        continue;
                    }
                    let mut changed = text.clone();
                    changed.replace_range(at..at + column.len(), &slip);
                    let line = text[..at].matches('\n').count() + 1;
                    let found = read(path, changed);
                    let named = format!("`{slip}`");
                    let code = if slip.eq_ignore_ascii_case(column) {
                        "RL071"
                    } else {
                        "RL001"
                    };
                    let caught: Vec<_> = found
                        .diagnostics
                        .iter()
                        .filter(|d| d.code.id == code && d.message.contains(&named))
                        .filter(|d| d.span().is_some_and(|s| s.start as usize == at))
                        .collect();
                    let queries = document.queries.len();
                    assert_eq!(caught.len(), queries, "{path}:{line}: {column} -> {slip}");
                    assert_eq!(found.file.position(at).line, line);
                    tried += 1;
                }
            }
        }
    }
    println!("{tried} slips");
    assert!(tried > 500, "only {tried} slips were tried");
}

/// A change of the query behind its last operator.
struct Mutant {
    /// What is appended.
    operator: String,
    /// Columns the result has no more.
    gone: BTreeSet<String>,
    /// A column that is there in another case.
    cased: Option<(String, String)>,
    /// A column of another type.
    retyped: Option<String>,
    /// Whether the columns were lost in a way that a repair undoes.
    is_loss: bool,
}

/// What the query of a document could do to a column of its result.
fn mutants(column: &str, columns: &[(String, rulec_functions::Type)], retype: bool) -> Vec<Mutant> {
    use rulec_functions::Type;
    let gone = |names: &[&String]| -> BTreeSet<String> {
        let all = columns.iter().map(|(name, _)| name.clone());
        all.filter(|name| !names.contains(&name)).collect()
    };
    let all: Vec<&String> = columns
        .iter()
        .map(|(name, _)| name)
        .filter(|name| *name != column)
        .collect();
    // What is dynamic cannot be grouped by.
    let plain: Vec<&String> = columns
        .iter()
        .filter(|(name, ty)| name != column && *ty != Type::Dynamic)
        .map(|(name, _)| name)
        .collect();
    let list = |names: &[&String]| names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(", ");
    let mut made = Vec::new();
    let mut push = |operator: String, gone: BTreeSet<String>, is_loss: bool| {
        made.push(Mutant {
            operator,
            gone,
            cased: None,
            retyped: None,
            is_loss,
        });
    };
    push(
        format!("project-rename Renamed_{column} = {column}"),
        gone(&all),
        true,
    );
    push(format!("project-away {column}"), gone(&all), true);
    if !all.is_empty() {
        push(format!("project {}", list(&all)), gone(&all), true);
    }
    if !plain.is_empty() {
        push(format!("distinct {}", list(&plain)), gone(&plain), true);
        push(format!("summarize by {}", list(&plain)), gone(&plain), true);
        push(
            format!("summarize Rows = count() by {}", list(&plain)),
            gone(&plain),
            true,
        );
    }
    let other = in_other_case(column);
    if other != column && !columns.iter().any(|(name, _)| *name == other) {
        made.push(Mutant {
            operator: format!("project-rename {other} = {column}"),
            gone: BTreeSet::new(),
            cased: Some((column.to_owned(), other)),
            retyped: None,
            is_loss: false,
        });
    }
    if retype {
        made.push(Mutant {
            operator: format!("extend {column} = pack_array({column})"),
            gone: BTreeSet::new(),
            cased: None,
            retyped: Some(column.to_owned()),
            is_loss: false,
        });
    }
    made
}

/// The document with an operator behind one of its queries, and where that is.
fn appended(document: &Document, query: usize, operator: &str) -> (String, usize) {
    let fragment = &document.queries[query].fragment;
    let text = fragment.text.trim_end().trim_end_matches(';').trim_end();
    let end = fragment.map(rulec_source::Span::new(0, text.len())).end as usize;
    let mut changed = document.file.text.clone();
    changed.insert_str(end, &format!("\n| {operator}"));
    (changed, end + 3)
}

/// The columns that Defender needs of a rule that goes there, and the query gives.
fn needed(document: &Document, query: usize) -> Vec<String> {
    let rule = document.rule().unwrap();
    let bound = &document.queries[query];
    let targets = &bound.resolved.targets;
    let said = matches!(
        targets.origin,
        rulec_model::Origin::FrontMatter | rulec_model::Origin::Config
    );
    let platform = rule.queries[query].environment;
    let m365 = platform == Some(rulec_model::Environment::M365);
    let goes =
        targets.value.iter().any(|t| t == "defender") && (m365 || (said && document.queries.len() == 1));
    if !goes {
        return Vec::new();
    }
    let root = bound.ir.root.as_ref().unwrap();
    let has = |name: &str| root.columns.iter().any(|c| &*c.name == name);
    let catalog = pipeline().catalog(bound.environment).unwrap();
    let mut needed: Vec<String> = Vec::new();
    let times: Vec<&str> = ["Timestamp", "TimeGenerated"]
        .into_iter()
        .filter(|t| has(t))
        .collect();
    // Of two times one will do.
    if let [time] = times.as_slice() {
        needed.push((*time).to_owned());
    }
    for table in &bound.ir.tables {
        let schema = catalog.table(&table.name);
        for name in ["DeviceId", "ReportId"] {
            let wanted = name == "ReportId" || table.name.starts_with("Device");
            let there = schema.as_ref().is_some_and(|s| s.column(name).is_some());
            if wanted && there && has(name) && !needed.iter().any(|n| n == name) {
                needed.push(name.to_owned());
            }
        }
    }
    needed
}

/// What a mutation came to.
#[derive(Default)]
struct Count {
    mutants: usize,
    findings: usize,
    losses: usize,
    repaired: usize,
    survivors: String,
}

/// Tries one mutant of one query.
fn attempt(document: &Document, query: usize, mutant: &Mutant, count: &mut Count) {
    let (path, text) = (&document.file.path, &document.file.text);
    let (changed, at) = appended(document, query, &mutant.operator);
    let found = read(path, changed.as_str());
    // What the query cannot be is not tried: a dynamic key, a name that is no identifier.
    if !found.is_sound() {
        return;
    }
    let (entities, others) = mapped(document);
    let mut expected: Vec<(&str, usize)> = Vec::new();
    let front = |column: &String| places(text, column);
    for column in entities.keys().chain(&others).collect::<BTreeSet<_>>() {
        if mutant.gone.contains(column) {
            expected.extend(front(column).into_iter().map(|at| ("RL001", at)));
        }
        if mutant.cased.as_ref().is_some_and(|(was, _)| was == column) {
            expected.extend(front(column).into_iter().map(|at| ("RL071", at)));
        }
    }
    if let Some(column) = &mutant.retyped {
        let wanted = entities.get(column).map_or(0, Vec::len);
        // Where the front matter names it as an identifier; a detail takes any type.
        let caught: BTreeSet<u32> = found
            .diagnostics
            .iter()
            .filter(|d| d.code.id == "RL072")
            .filter_map(rulec_source::Diagnostic::span)
            .filter(|span| front(column).contains(&(span.start as usize)))
            .map(|span| span.start)
            .collect();
        count.findings += caught.len();
        if caught.len() < wanted {
            let _ = writeln!(
                count.survivors,
                "{path}: {}: {} of {wanted}",
                mutant.operator,
                caught.len()
            );
        }
    }
    let needed = needed(document, query);
    let lost = |column: &String| {
        mutant.gone.contains(column)
            || mutant.retyped.as_ref() == Some(column)
            || mutant.cased.as_ref().is_some_and(|(was, _)| was == column)
    };
    let line = found.file.position(at).line;
    if needed.iter().any(lost) {
        let caught = found
            .diagnostics
            .iter()
            .filter(|d| d.code.id == "RL077")
            .any(|d| {
                d.span()
                    .is_some_and(|s| found.file.position(s.start as usize).line == line)
            });
        count.findings += usize::from(caught);
        if !caught {
            let _ = writeln!(
                count.survivors,
                "{path}: {}: the target's column",
                mutant.operator
            );
        }
    }
    count.mutants += 1;
    for (code, at) in expected {
        let caught = found
            .diagnostics
            .iter()
            .any(|d| d.code.id == code && d.span().is_some_and(|s| s.start as usize == at));
        count.findings += usize::from(caught);
        if !caught {
            let _ = writeln!(count.survivors, "{path}: {}: {code} at {at}", mutant.operator);
        }
    }
    // What was derived follows the columns.
    let bound = &found.queries[query];
    let root = bound.ir.root.as_ref().unwrap();
    for entity in &bound.resolved.entities.value {
        for column in entity.fields.values() {
            let derived = matches!(bound.resolved.entities.origin, rulec_model::Origin::Derived(_));
            assert!(
                !derived || root.columns.iter().any(|c| *c.name == **column),
                "{path}: {}: {column} is inferred and not there",
                mutant.operator
            );
        }
    }
    if mutant.is_loss {
        count.losses += 1;
        let (repaired, _) = repair::repaired(pipeline(), &found.file, NOW);
        let again = read(path, repaired.as_str());
        let left: Vec<&Diagnostic> = again
            .diagnostics
            .iter()
            .filter(|d| is_contract(d) || d.is_error())
            .collect();
        if left.is_empty() {
            count.repaired += 1;
        } else {
            let messages: Vec<&str> = left.iter().map(|d| d.message.as_str()).collect();
            let _ = writeln!(
                count.survivors,
                "{path}: {}: not repaired: {}",
                mutant.operator,
                messages.join("; ")
            );
        }
    }
}

#[test]
fn every_mutation_of_a_query_is_found_and_lost_columns_are_kept() {
    let counts: Vec<Count> = subjects().par_iter().map(mutated).collect();
    let sum = |of: fn(&Count) -> usize| counts.iter().map(of).sum::<usize>();
    let survivors: String = counts.iter().map(|c| c.survivors.as_str()).collect();
    let mutants = sum(|c| c.mutants);
    println!(
        "{mutants} mutants of queries, {} findings asked for and made, {} of {} losses repaired",
        sum(|c| c.findings),
        sum(|c| c.repaired),
        sum(|c| c.losses)
    );
    assert!(survivors.is_empty(), "survivors:\n{survivors}");
    assert!(mutants > 1000, "only {mutants} mutants were tried");
}

/// Tries every mutant of a document.
fn mutated(document: &Document) -> Count {
    let mut count = Count::default();
    let (entities, others) = mapped(document);
    for query in 0..document.queries.len() {
        let root = document.queries[query].ir.root.as_ref().unwrap();
        let columns: Vec<(String, rulec_functions::Type)> =
            root.columns.iter().map(|c| (c.name.to_string(), c.ty)).collect();
        let needed = needed(document, query);
        let mut all: BTreeSet<&String> = entities.keys().chain(&others).collect();
        all.extend(&needed);
        // A row of hundreds of columns makes mutants that nobody would write.
        let wide = columns.len() > 60;
        for column in all {
            let retype = entities.contains_key(column) || needed.contains(column);
            for mutant in mutants(column, &columns, retype) {
                if wide && mutant.operator.len() > 200 {
                    continue;
                }
                attempt(document, query, &mutant, &mut count);
            }
        }
    }
    count
}

/// The fields of the de-duplication are changed where their rows are made.
#[test]
fn every_mutation_of_a_deduplication_field_is_found() {
    let mut tried = 0;
    for document in subjects() {
        for bound in &document.queries {
            let text = &bound.fragment.text;
            let (Some(start), Some(rows)) = (text.find("let DedupFields"), text.find("| extend DedupRow"))
            else {
                continue;
            };
            let list = &text[start..start + text[start..].find(';').unwrap()];
            let names: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
            for name in names {
                let at = start + text[start..].find(&format!("\"{name}\"")).unwrap();
                for operator in [
                    format!("| project-rename Renamed_{name} = {name}\n"),
                    format!("| project-rename {} = {name}\n", in_other_case(name)),
                    format!("| project-away {name}\n"),
                ] {
                    let mut changed = document.file.text.clone();
                    let place = bound.fragment.map(rulec_source::Span::new(rows, rows + 1)).start as usize;
                    changed.insert_str(place, &operator);
                    let found = read(&document.file.path, changed);
                    if !found.is_sound() {
                        continue;
                    }
                    let at = bound.fragment.map(rulec_source::Span::new(at, at + 1)).start;
                    let caught = found
                        .diagnostics
                        .iter()
                        .any(|d| d.code.id == "RL076" && d.span().is_some_and(|s| s.start == at));
                    assert!(caught, "{}: {operator}", document.file.path);
                    tried += 1;
                }
            }
        }
    }
    println!("{tried} mutants of de-duplication fields");
    assert!(tried >= 6, "only {tried} were tried");
}

/// A rule for Defender with these settings and this query.
fn written(settings: &str, query: &str) -> String {
    format!(
        "---\ntargets: [defender]\n{settings}---\n# A rule\n\n## Detection\n\n**Platform:** M365 Security\n\n\
         **Query:**\n```kql\n{query}\n```\n"
    )
}

/// What `--fix` writes, to the letter, and that it is enough.
#[test]
fn lost_columns_are_kept_by_these_idioms() {
    const DETAIL: &str = "custom_details: { Prevalence: GlobalPrevalence }\n";
    for (settings, before, after) in [
        // A group has no event of its own: the last one stands for it.
        (
            "",
            "DeviceProcessEvents\n| summarize Starts = count() by DeviceId, DeviceName",
            "DeviceProcessEvents\n| summarize Starts = count(), arg_max(Timestamp, ReportId) by DeviceId, DeviceName",
        ),
        (
            "",
            "DeviceProcessEvents\n| summarize by DeviceName",
            "DeviceProcessEvents\n| summarize arg_max(Timestamp, DeviceId, ReportId) by DeviceName",
        ),
        (
            "",
            "DeviceProcessEvents\n| summarize Starts = count(), Timestamp = min(Timestamp) by DeviceId",
            "DeviceProcessEvents\n| summarize Starts = count(), Timestamp = arg_min(Timestamp, ReportId) by DeviceId",
        ),
        (
            "",
            "DeviceProcessEvents\n| summarize arg_max(Timestamp, FileName) by DeviceId",
            "DeviceProcessEvents\n| summarize arg_max(Timestamp, FileName, ReportId) by DeviceId",
        ),
        (
            "",
            "DeviceProcessEvents\n| summarize (Timestamp, FileName) = arg_max(Timestamp, FileName) by DeviceId",
            "DeviceProcessEvents\n| summarize (Timestamp, FileName, ReportId) = arg_max(Timestamp, FileName, \
             ReportId) by DeviceId",
        ),
        (
            "",
            "DeviceProcessEvents\n| distinct DeviceId, FileName\n| where FileName has \"a\"",
            "DeviceProcessEvents\n| summarize arg_max(Timestamp, ReportId) by DeviceId, FileName\n\
             | where FileName has \"a\"",
        ),
        (
            "",
            "DeviceProcessEvents\n| project-away ReportId\n| project\n    Timestamp,\n    DeviceId",
            "DeviceProcessEvents\n| project\n    Timestamp,\n    DeviceId,\n    ReportId",
        ),
        (
            "",
            "DeviceProcessEvents\n| project-rename Id = ReportId, Time = Timestamp",
            "DeviceProcessEvents\n| project-rename Id = ReportId, Time = Timestamp | extend Timestamp = Time, \
             ReportId = Id",
        ),
        // What a function adds is lost like anything else.
        (
            DETAIL,
            "DeviceProcessEvents\n| invoke FileProfile(SHA1, 1000)\n| project Timestamp, DeviceId, ReportId",
            "DeviceProcessEvents\n| invoke FileProfile(SHA1, 1000)\n| project Timestamp, DeviceId, ReportId, \
             GlobalPrevalence",
        ),
        (
            DETAIL,
            "DeviceProcessEvents\n| invoke FileProfile(SHA1, 1000)\n| summarize count() by DeviceId, SHA1",
            "DeviceProcessEvents\n| invoke FileProfile(SHA1, 1000)\n| summarize count(), GlobalPrevalence = \
             take_any(GlobalPrevalence), arg_max(Timestamp, ReportId) by DeviceId, SHA1",
        ),
        // A mapping follows a column that only has another name.
        (
            "custom_details: { Command: ProcessCommandLine }\n",
            "DeviceProcessEvents\n| project Timestamp, DeviceId, ReportId, CommandLine = ProcessCommandLine",
            "DeviceProcessEvents\n| project Timestamp, DeviceId, ReportId, CommandLine = ProcessCommandLine",
        ),
    ] {
        let file = SourceFile::new("rule.md", written(settings, before));
        assert!(
            read("rule.md", file.text.as_str())
                .diagnostics
                .iter()
                .any(is_contract),
            "{before}"
        );
        let (repaired, _) = repair::repaired(pipeline(), &file, NOW);
        let query = repaired
            .split("```kql\n")
            .nth(1)
            .unwrap()
            .trim_end_matches("\n```\n");
        assert_eq!(query, after);
        let left = read("rule.md", repaired.as_str()).diagnostics;
        assert!(!left.iter().any(is_contract), "{left:#?}");
    }
}

/// Where nothing is certain nothing is written: the query stays as it is.
#[test]
fn what_cannot_be_kept_safely_is_left_alone() {
    for query in [
        // The result has a `Timestamp`, and it is no event's.
        "DeviceProcessEvents\n| summarize Starts = count() by DeviceId, bin(Timestamp, 1h)",
        // More columns would be more rows.
        "DeviceProcessEvents\n| project Timestamp, DeviceId\n| distinct *",
        // Others read the same rows.
        "let rows = DeviceProcessEvents | project Timestamp, DeviceId;\nrows\n| join kind=leftsemi rows on DeviceId",
        "DeviceProcessEvents\n| summarize make_list(FileName)\n| count",
        // A pattern drops it.
        "DeviceProcessEvents\n| project-away Report*",
        "SigninLogs\n| project TimeGenerated, UserPrincipalName, Other = 1\n| project UserPrincipalName, Other\n| count",
    ] {
        let file = SourceFile::new("rule.md", written("", query));
        let found = read("rule.md", file.text.as_str()).diagnostics;
        assert!(found.iter().any(|d| d.code.id == "RL077"), "{query}");
        let (repaired, _) = repair::repaired(pipeline(), &file, NOW);
        assert!(repaired.contains(&format!("```kql\n{query}\n```")), "{repaired}");
    }
}
