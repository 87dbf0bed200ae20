//! The shipped rules as a repository: what must hold for any repository.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // A test writes repositories to try.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use rulec_driver::{Pipeline, build, fixtures, golden};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn open(root: &Path) -> Pipeline {
    Pipeline::open(root, None).unwrap_or_else(|refused| panic!("{}", refused.diagnostic.message))
}

/// The artifacts of a repository but the ledger and what is about all rules at once.
fn artifacts(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let pipeline = open(root);
    let compilation = pipeline.compile(&[]);
    let mut artifacts = pipeline.build(&compilation, &build::Options::default()).artifacts;
    artifacts.retain(|path, _| path != "losses.json");
    artifacts
}

fn rules() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for tactic in fs::read_dir(root().join("rules")).unwrap().flatten() {
        for rule in fs::read_dir(tactic.path()).unwrap().flatten() {
            found.push(rule.path());
        }
    }
    found.sort();
    found
}

#[test]
fn one_broken_rule_leaves_the_others_as_they_are() {
    let whole = tempfile::tempdir().unwrap();
    fs::create_dir(whole.path().join("rules")).unwrap();
    for rule in rules().iter().take(6) {
        fs::copy(rule, whole.path().join("rules").join(rule.file_name().unwrap())).unwrap();
    }
    let before = artifacts(whole.path());
    let broken = |name: &str, bytes: &[u8]| fs::write(whole.path().join("rules").join(name), bytes).unwrap();
    broken(
        "half.md",
        b"# Half\n\n## Detection\n\n**Query:**\n```kql\nDeviceEvents | where (\n```\n",
    );
    broken(
        "fence.md",
        b"# Fence\n\n## Detection\n\n**Query:**\n```kql\nDeviceEvents\n",
    );
    broken("yaml.md", b"---\na: &a [*a]\n---\n# Yaml\n");
    broken("bytes.md", b"# \xff\xfe\n");
    broken("empty.md", b"");
    broken("path.md", b"# Path\n\n## Metadata\n**ID:** ../../etc/passwd\n\n## Detection\n\n**Query:**\n```kql\nDeviceEvents\n```\n");
    broken(
        "device.md",
        b"# Device\n\n## Metadata\n**ID:** CON\n\n## Detection\n\n**Query:**\n```kql\nDeviceEvents\n```\n",
    );
    let after = artifacts(whole.path());
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>()
    );
    for (path, bytes) in &before {
        assert!(after[path] == *bytes, "{path} changed");
    }
    let pipeline = open(whole.path());
    let compilation = pipeline.compile(&[]);
    for name in [
        "half.md",
        "fence.md",
        "yaml.md",
        "bytes.md",
        "path.md",
        "device.md",
    ] {
        let document = compilation
            .documents
            .iter()
            .find(|d| d.file.path.ends_with(name))
            .unwrap();
        assert!(
            document
                .diagnostics
                .iter()
                .any(rulec_source::Diagnostic::is_error),
            "{name} is accepted"
        );
    }
}

#[test]
fn a_build_is_the_same_again_and_on_one_thread() {
    let pipeline = open(&root());
    let compilation = pipeline.compile(&[]);
    let first = golden::produce(&pipeline, &compilation);
    let again = open(&root());
    let second = golden::produce(&again, &again.compile(&[]));
    assert_eq!(
        first.keys().collect::<Vec<_>>(),
        second.keys().collect::<Vec<_>>()
    );
    for (path, bytes) in &first {
        assert!(second[path] == *bytes, "{path} differs");
        let text = String::from_utf8_lossy(bytes);
        let here = fs::canonicalize(root()).unwrap();
        assert!(
            !text.contains(&*here.to_string_lossy()),
            "{path} names an absolute path"
        );
    }
}

#[test]
fn what_an_earlier_build_left_is_removed_and_nothing_else() {
    let out = tempfile::tempdir().unwrap();
    let pipeline = open(&root());
    let written = |paths: &[PathBuf]| {
        let compilation = pipeline.compile(paths);
        let built = pipeline.build(&compilation, &build::Options::default());
        let written = build::write(&built, out.path()).unwrap();
        let errors = written
            .findings()
            .iter()
            .filter(|f| f.diagnostic.is_error())
            .count();
        assert_eq!(errors, 0);
        let counts = written.changes.values();
        counts.fold([0; 4], |[new, changed, same, gone], c| {
            let (is_new, has_changed) = (c.new.len(), c.changed.len());
            [
                new + is_new,
                changed + has_changed,
                same + c.unchanged,
                gone + c.removed.len(),
            ]
        })
    };
    let first = written(&rules()[..3]);
    assert_eq!(first[1..], [0; 3]);
    fs::write(out.path().join("sentinel/old.yaml"), "old").unwrap();
    fs::write(out.path().join("mine.txt"), "mine").unwrap();
    let [new, changed, same, gone] = written(&rules()[..2]);
    assert!(
        new == 0 && changed > 0 && gone > 0,
        "{new} {changed} {same} {gone}"
    );
    assert_eq!(changed + same + gone, first[0]);
    assert!(out.path().join("sentinel/old.yaml").exists());
    assert!(out.path().join("mine.txt").exists());
    // Everything again, and nothing is new.
    written(&rules()[..3]);
    assert_eq!(written(&rules()[..3]), [0, 0, first[0], 0]);
}

#[test]
fn fixtures_show_every_condition_of_the_shipped_rules_both_true_and_false() {
    let pipeline = open(&root());
    let options = fixtures::Options {
        coverage: true,
        ..fixtures::Options::default()
    };
    let report = fixtures::run(&pipeline, &pipeline.compile(&[]), &options).unwrap();
    let failed: Vec<String> = report.failures(rulec_source::render::Style::Plain).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    // Nothing is missing, doubtful or constant.
    let found: Vec<String> = report
        .findings()
        .into_iter()
        .map(|(file, rule, diagnostic)| {
            let finding = rulec_source::render::Finding {
                file: &file,
                rule: Some(&rule),
                diagnostic: &diagnostic,
            };
            rulec_source::render::text(&finding, rulec_source::render::Style::Plain)
        })
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert_eq!(report.percent(), Some(100));
}
