//! tests/cases: one test per file, no Rust needed.
//!
//! - `check/*.md`: the findings of `rulec check`, as text, in the `.txt` beside it;
//! - the examples in compiler/check/pages: the bad one is found by its lint alone, the good one by none;
//! - `upgrade/*.md`: what `rulec check --attack 19` finds, repairs and leaves, in the `.txt` beside it;
//! - `explain/*.md`: what `rulec explain` says, in the `.explain.md` beside it;
//! - `diff/*.old.md` and `.new.md`: what `rulec diff` says of them, and `check --since` of the history, in the `.txt` beside them;
//! - `kql/**/*.kql`: what the front end makes of a query, in the `.txt` beside it;
//! - `query/*.kql`: what `rulec query` gives, in the `.txt` beside it.
//!
//! `UPDATE=1` rewrites the expectations; the diff is read before it is committed.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // A test reads its cases.

mod diff_cases;
mod kql_cases;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::OnceLock,
};

use libtest_mimic::{Arguments, Failed, Trial};
use rulec_driver::{Document, Pipeline, explain, inputs, query, repair};
use rulec_source::{SourceFile, render};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut trials = Vec::new();
    for (folder, extension, run) in [
        ("check", "md", check as fn(&Path) -> (String, &'static str)),
        ("explain", "md", explained),
        ("upgrade", "md", upgraded),
        ("query", "kql", queried),
    ] {
        for path in files(&root.join("cases").join(folder), extension) {
            let name = format!(
                "{folder}/{}",
                path.file_stem().unwrap_or_default().to_string_lossy()
            );
            trials.push(Trial::test(name, move || {
                let (found, extension) = run(&path);
                compare(&path.with_extension(extension), &found)
            }));
        }
    }
    let expectations = files(&root.join("cases/check"), "txt");
    trials.push(Trial::test("check/every lint has a case", move || {
        every_lint(&expectations)
    }));
    trials.push(Trial::test("pages/docs are what the pages say", || {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        for (page, text) in [
            ("lints.md", rulec_driver::list::lints_page()),
            ("codes.md", rulec_driver::list::codes_page()),
        ] {
            if !fs::read_to_string(docs.join(page)).is_ok_and(|old| old == text) {
                return Err(format!("docs/{page} is stale; run `cargo dev lints`").into());
            }
        }
        Ok(())
    }));
    for name in rulec_driver::list::lints() {
        trials.push(Trial::test(format!("pages/{name}"), move || page(name)));
    }
    trials.extend(diff_cases::trials(root));
    trials.extend(kql_cases::trials(root));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A document in which no lint finds anything.
const SOUND: &str = "# A case

## Metadata
**ID:** a-case

---

## ATT&CK Tags

| Tactic | Technique | Subtechnique | Technique Name |
|---|---|---|---|
| TA0005 - Defense Evasion | T1055 | 002 | Process Injection - Portable Executable Injection |

## Detection description
Finds what the example is about.

## False Positives
None known.

## Suggested Response Actions
Read the example.

## Detection Blind Spots
Everything else.

## Detection

**Language:** Kusto

**Platform:** M365 Security

**Query:**
```kql
DeviceProcessEvents
| where FileName =~ \"cmd.exe\"
```
";

/// The examples of a page, by the words behind their fences: ```` ```kql bad ````.
fn examples(page: &str, kind: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```").and_then(|l| l.strip_suffix(kind)) else {
            continue;
        };
        let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        found.push((language.trim().to_owned(), text.join("\n")));
    }
    found
}

/// The document of an example: the sound one with another query, title or
/// section, or with a front matter and the query behind it.
fn example(language: &str, text: &str) -> String {
    if language == "rule" {
        let (front, query) = text.rsplit_once("---\n").unwrap();
        return format!("{front}---\n{}", ruled(query));
    }
    if language == "kql" {
        // A query alone is about no target's columns.
        return format!("---\ntargets: [native]\nseverity: low\n---\n{}", ruled(text));
    }
    let heading = text.lines().next().unwrap();
    if heading.starts_with("# ") {
        return SOUND.replacen("# A case", heading, 1);
    }
    match SOUND.split_once(&format!("{heading}\n")) {
        Some((before, rest)) => {
            let (_, after) = rest.split_once("\n## ").unwrap();
            format!("{before}{text}\n\n## {after}")
        }
        None => format!("{SOUND}\n{text}\n"),
    }
}

/// The sound document with another query.
fn ruled(query: &str) -> String {
    let (before, _) = SOUND.split_once("DeviceProcessEvents").unwrap();
    // Whether a name is known depends on the platform.
    let sentinel = query.contains("SecurityEvent");
    let before = if sentinel {
        before.replace("M365 Security", "Sentinel")
    } else {
        before.to_owned()
    };
    format!("{before}{query}\n```\n")
}

/// What a page calls bad its lint finds, and no other; what it calls good none does.
fn page(name: &str) -> Result<(), Failed> {
    let text = rulec_driver::list::lint(name)?;
    let found = |language: &str, text: &str| -> Vec<&'static str> {
        let document = pipeline().document(SourceFile::new("example.md", example(language, text)));
        let mut found: Vec<&str> = document.diagnostics.iter().map(|d| d.code.name).collect();
        found.dedup();
        found
    };
    for (kind, expected) in [("bad", vec![name]), ("good", Vec::new())] {
        for (language, text) in examples(&text, kind) {
            let found = found(&language, &text);
            if found != expected {
                return Err(format!("the {kind} example is found by {found:?}:\n{text}").into());
            }
            repair_holds(name, &example(&language, &text))?;
        }
    }
    Ok(())
}

/// What `--fix` makes of an example compiles, gives the same columns, and is not found again.
fn repair_holds(name: &str, text: &str) -> Result<(), Failed> {
    let file = SourceFile::new("example.md", text);
    let (repaired, made) = repair::repaired(pipeline(), &file, NOW);
    if made == 0 {
        return Ok(());
    }
    let columns = |document: &Document| -> Vec<Vec<String>> {
        let queries = document.queries.iter().filter_map(|query| query.ir.root.as_ref());
        queries
            .map(|root| {
                root.columns
                    .iter()
                    .map(|c| format!("{} {}", c.name, c.ty))
                    .collect()
            })
            .collect()
    };
    let before = pipeline().document(file);
    let after = pipeline().document(SourceFile::new("example.md", repaired.as_str()));
    let left = after
        .diagnostics
        .iter()
        .find(|d| d.code.name == name || d.is_error());
    if let Some(left) = left {
        return Err(format!(
            "the repair leaves {}: {}\n{repaired}",
            left.code.name, left.message
        )
        .into());
    }
    // A repair that keeps a column that was lost gives that column besides.
    let (given, kept) = (columns(&before), columns(&after));
    let keeps = |(given, kept): (&Vec<String>, &Vec<String>)| given.iter().all(|c| kept.contains(c));
    if given.len() != kept.len() || !given.iter().zip(&kept).all(keeps) {
        return Err(format!("the repair gives other columns:\n{repaired}").into());
    }
    Ok(())
}

/// A lint without a case or example that triggers it is a lint nobody has seen work.
fn every_lint(expectations: &[PathBuf]) -> Result<(), Failed> {
    let texts: Vec<String> = expectations.iter().flat_map(fs::read_to_string).collect();
    let codes = rulec_driver::list::codes();
    let missing: Vec<&str> = codes
        .iter()
        .filter(|code| code.id.starts_with("RL"))
        .filter(|code| !texts.iter().any(|t| t.contains(&format!("[{}]", code.id))))
        .filter(|code| {
            rulec_driver::list::lint(code.name).is_ok_and(|page| examples(&page, "bad").is_empty())
        })
        .map(|code| code.name)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "no case in tests/cases/check and no example of its page triggers {}",
        missing.join(", ")
    )
    .into())
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .filter(|path| !path.to_string_lossy().ends_with(".explain.md"))
        .collect();
    files.sort();
    files
}

/// The repository as it is, opened once for all cases.
fn pipeline() -> &'static Pipeline {
    static PIPELINE: OnceLock<Pipeline> = OnceLock::new();
    PIPELINE.get_or_init(open)
}

fn open() -> Pipeline {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    Pipeline::open(&root, None).unwrap_or_else(|refused| panic!("{}", refused.diagnostic.message))
}

fn source(path: &Path) -> SourceFile {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    SourceFile::new(name, fs::read_to_string(path).unwrap())
}

fn check(path: &Path) -> (String, &'static str) {
    (findings(pipeline(), source(path)) + "\n", "txt")
}

fn findings(pipeline: &Pipeline, file: SourceFile) -> String {
    let document = pipeline.document(file);
    let findings: Vec<String> = document
        .diagnostics
        .iter()
        .map(|diagnostic| {
            let finding = render::Finding {
                file: &document.file,
                rule: None,
                diagnostic,
            };
            render::text(&finding, render::Style::Plain)
        })
        .collect();
    findings.join("\n\n")
}

/// When the cases are looked at: 2026-11-22, in ticks.
const NOW: i64 = 639_309_024_000_000_000;

/// The findings against ATT&CK 19, the repairs, and the findings after them.
fn upgraded(path: &Path) -> (String, &'static str) {
    static PIPELINE: OnceLock<Pipeline> = OnceLock::new();
    let pipeline = PIPELINE.get_or_init(|| {
        let mut pipeline = open();
        pipeline.write_against("19").unwrap();
        pipeline
    });
    let file = source(path);
    let (text, _) = repair::repaired(pipeline, &file, NOW);
    let diff = similar::TextDiff::from_lines(file.text.as_str(), text.as_str())
        .unified_diff()
        .context_radius(0)
        .to_string();
    let left = findings(pipeline, SourceFile::new(file.path.clone(), text));
    let found = findings(pipeline, file);
    (
        format!("{found}\n\n--- repairs\n{diff}\n--- left\n{left}\n"),
        "txt",
    )
}

fn explained(path: &Path) -> (String, &'static str) {
    let pipeline = pipeline();
    let document = pipeline.document(source(path));
    let compilation = rulec_driver::Compilation {
        documents: vec![document],
    };
    let explained = explain::run(
        pipeline,
        &compilation,
        explained_cases(),
        explain::Format::Markdown,
    );
    (explained.unwrap_or_default(), "explain.md")
}

/// What the cases look for, by which indicators are counted: the rules of the
/// repository come and go.
fn explained_cases() -> &'static explain::Corpus {
    static CORPUS: OnceLock<explain::Corpus> = OnceLock::new();
    CORPUS.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/explain");
        let documents = files(&folder, "md")
            .iter()
            .map(|path| pipeline().document(source(path)))
            .collect();
        explain::corpus(pipeline(), &rulec_driver::Compilation { documents })
    })
}

fn queried(path: &Path) -> (String, &'static str) {
    let input = inputs::Input {
        now: Some("2026-01-15T12:00:00Z".to_owned()),
        memory: 256,
        ..inputs::Input::default()
    };
    let text = fs::read_to_string(path).unwrap();
    let answer = query::run(pipeline(), &text, &input, query::Format::Table).unwrap();
    let mut found = answer.output;
    for diagnostic in &answer.diagnostics {
        let finding = render::Finding {
            file: &answer.file,
            rule: None,
            diagnostic,
        };
        found.push_str(&render::text(&finding, render::Style::Plain));
        found.push('\n');
    }
    (found, "txt")
}

fn compare(path: &Path, found: &str) -> Result<(), Failed> {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, found).map_err(|e| e.to_string())?;
        return Ok(());
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected == found {
        return Ok(());
    }
    let diff = similar::TextDiff::from_lines(expected.as_str(), found);
    Err(format!(
        "{}\n{}",
        path.display(),
        diff.unified_diff().header("expected", "found")
    )
    .into())
}
