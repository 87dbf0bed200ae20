//! Rules of other formats as documents, and what a build makes of them again.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // Tests write the repositories they try.

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use common::{code, err, out, root, rulec, rulec_with};
use serde_json::{Value, json};

fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rulec.toml"), "[check]\nattack = \"18.1\"\n").unwrap();
    folder
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect();
    found.sort();
    found
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// `tests/cases/import/<format>/<name>.*`: the documents a file gives, and the
/// findings. `UPDATE=1` rewrites what is expected.
#[test]
fn cases_give_the_documents_and_findings_beside_them() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut seen = 0;
    for format in ["sentinel", "defender", "sigma"] {
        for case in files(&root().join("tests/cases/import").join(format)) {
            let ending = case.extension().unwrap().to_str().unwrap().to_owned();
            if ending == "md" || ending == "txt" {
                continue;
            }
            seen += 1;
            let folder = repository();
            let name = format!("case.{ending}");
            fs::copy(&case, folder.path().join(&name)).unwrap();
            let run = rulec(folder.path(), &["import", format, &name]);
            let mut documents = String::new();
            for line in out(&run).lines() {
                documents += &format!("<!-- {line} -->\n{}", text(&folder.path().join(line)));
            }
            let formatted = rulec(folder.path(), &["fmt", "--check", "rules"]);
            assert_eq!(code(&formatted), 0, "{}: {}", case.display(), out(&formatted));
            for (ending, produced) in [("md", documents), ("txt", err(&run))] {
                let expected = case.with_extension(ending);
                if update {
                    fs::write(&expected, produced).unwrap();
                } else {
                    assert_eq!(produced, text(&expected), "{}", expected.display());
                }
            }
            // What was imported compiles: names, types and syntax.
            let checked = rulec(folder.path(), &["check", "--format", "json"]);
            let report: Value = serde_json::from_str(&out(&checked)).unwrap();
            for finding in report["diagnostics"].as_array().unwrap() {
                let id = finding["code"].as_str().unwrap();
                assert!(
                    !id.starts_with("RK") && !id.starts_with("RD"),
                    "{}: {finding}",
                    case.display()
                );
            }
        }
    }
    assert!(seen >= 6, "{seen} cases");
}

/// What may differ after import and build, each with its reason.
struct Unequal {
    rows: Vec<(String, String)>,
    used: BTreeSet<usize>,
}

impl Unequal {
    /// `- <format> <pointer>: <reason>` lines of `tests/cases/import/unequal.txt`.
    fn read() -> Self {
        let rows = text(&root().join("tests/cases/import/unequal.txt"))
            .lines()
            .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
            .map(|line| {
                let (head, why) = line.split_once(": ").unwrap();
                assert!(why.len() > 20, "no reason: {line}");
                let (format, pointer) = head.split_once(' ').unwrap();
                (format.to_owned(), pointer.to_owned())
            })
            .collect();
        Self {
            rows,
            used: BTreeSet::new(),
        }
    }

    fn allows(&mut self, format: &str, pointer: &str) -> bool {
        let found = self.rows.iter().position(|(of, prefix)| {
            of == format
                && pointer
                    .strip_prefix(prefix.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        self.used.extend(found);
        found.is_some()
    }
}

/// Pointers at which two values differ. Order does not count in lists of words.
fn differences(old: &Value, new: &Value, at: &str, found: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let (x, y) = (
                    a.get(key).unwrap_or(&Value::Null),
                    b.get(key).unwrap_or(&Value::Null),
                );
                differences(x, y, &format!("{at}/{key}"), found);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            let key = |value: &&Value| value.to_string();
            let (mut a, mut b): (Vec<&Value>, Vec<&Value>) = (a.iter().collect(), b.iter().collect());
            if a.iter().chain(&b).all(|value| value.is_string()) {
                a.sort_by_key(key);
                b.sort_by_key(key);
            }
            if a.len() == b.len() {
                for (x, y) in a.iter().zip(&b) {
                    differences(x, y, at, found);
                }
            } else {
                found.push(at.to_owned());
            }
        }
        (Value::String(a), Value::String(b)) if a.trim_end() == b.trim_end() => {}
        (a, b) if a == b => {}
        _ => found.push(at.to_owned()),
    }
}

fn parsed(path: &Path) -> Value {
    let text = text(path);
    let mut value: Value = if text.trim_start().starts_with('{') {
        serde_json::from_str(&text).unwrap()
    } else {
        serde_yaml::from_str(&text).unwrap()
    };
    // Where it was made from is said of the document, which is another one.
    if let Some(metadata) = value.pointer_mut("/metadata/rulec") {
        *metadata = Value::Null;
    }
    if let Some(Value::String(about)) = value.get_mut("description")
        && let Some(at) = about.find("\n\nMade by rulec ")
    {
        about.truncate(at);
    }
    value
}

fn ending(format: &str) -> &'static str {
    match format {
        "arm" => ".arm.json",
        "yaml" => ".yaml",
        "defender" => ".json",
        _ => ".yml",
    }
}

#[test]
fn importing_the_goldens_and_building_gives_them_back() {
    let mut unequal = Unequal::read();
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (format, target) in [
        ("yaml", "sentinel"),
        ("arm", "sentinel"),
        ("defender", "defender"),
    ] {
        let golden = root().join("golden").join(target);
        let folder = repository();
        let chosen: Vec<PathBuf> = files(&golden)
            .into_iter()
            .filter(|path| path.to_str().unwrap().ends_with(ending(format)))
            .collect();
        let mut arguments = vec!["import", target];
        arguments.extend(chosen.iter().map(|path| path.to_str().unwrap()));
        let run = rulec(folder.path(), &arguments);
        assert_eq!(code(&run), 0, "{}", err(&run));
        assert_eq!(out(&run).lines().count(), chosen.len());
        let built = rulec(folder.path(), &["build", "--target", target]);
        assert_eq!(code(&built), 0, "{}", err(&built));
        for path in chosen {
            let again = folder.path().join("dist").join(target);
            let again = again.join(path.strip_prefix(&golden).unwrap());
            let mut found = Vec::new();
            differences(&parsed(&path), &parsed(&again), "", &mut found);
            compared += 1;
            found.retain(|pointer| !unequal.allows(format, pointer));
            wrong.extend(
                found
                    .into_iter()
                    .map(|pointer| format!("{format} {pointer} {}", path.display())),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 60, "{compared}");
    for (index, row) in unequal.rows.iter().enumerate() {
        assert!(
            unequal.used.contains(&index),
            "nothing is unequal there any more: {row:?}"
        );
    }
}

#[test]
fn shared_facts_come_back_as_they_were() {
    let shared = root().join("../shared/facts/sentinel");
    if !shared.is_dir() {
        println!("skipped: ../shared is not there");
        return;
    }
    let names: Vec<String> = files(&shared)
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with("facts") && !name.contains("schema"))
        .collect();
    assert!(names.len() >= 7, "{names:?}");
    for name in &names {
        let folder = repository();
        let source = shared.join(name);
        let run = rulec(folder.path(), &["import", "sentinel", source.to_str().unwrap()]);
        assert_eq!(code(&run), 0, "{}", err(&run));
        let built = rulec(folder.path(), &["build", "--target", "sentinel"]);
        assert_eq!(code(&built), 0, "{name}: {}", err(&built));
        let end = if name.ends_with("yaml") {
            ".yaml"
        } else {
            ".arm.json"
        };
        let again = files(&folder.path().join("dist/sentinel"))
            .into_iter()
            .find(|path| path.to_str().unwrap().ends_with(end))
            .unwrap();
        let (old, new) = (parsed(&source), parsed(&again));
        let rule = |value: Value| {
            let resource = value.pointer("/resources/0/properties").cloned();
            resource.unwrap_or(value)
        };
        let (old, new) = (rule(old), rule(new));
        for key in [
            "id",
            "name",
            "displayName",
            "severity",
            "query",
            "queryFrequency",
            "queryPeriod",
            "triggerOperator",
            "triggerThreshold",
            "entityMappings",
            "version",
            "templateVersion",
            "tactics",
            "kind",
            "description",
            "suppressionDuration",
            "suppressionEnabled",
            "eventGroupingSettings",
        ] {
            // What a rule leaves to the service is written out.
            if old[key].is_null() {
                continue;
            }
            // One of the files has a tactic that nobody knows, which is told as well.
            if key == "tactics" && err(&run).contains("SneakySquirrel") {
                continue;
            }
            let mut found = Vec::new();
            differences(&old[key], &new[key], key, &mut found);
            // What a document cannot say was told when it was imported.
            found.retain(|pointer| !err(&run).contains(&format!("`{}`", pointer.replace('/', "."))));
            assert!(found.is_empty(), "{name}: {found:?}: {} {}", old[key], new[key]);
        }
    }
}

#[test]
fn sigma_goldens_come_back_as_the_same_detections() {
    let folder = repository();
    let golden = root().join("golden/sigma");
    let run = rulec(folder.path(), &["import", "sigma", golden.to_str().unwrap()]);
    assert!(out(&run).lines().count() >= 20, "{}", err(&run));
    let checked = rulec(folder.path(), &["check", "--format", "json"]);
    let report: Value = serde_json::from_str(&out(&checked)).unwrap();
    for finding in report["diagnostics"].as_array().unwrap() {
        assert!(!finding["code"].as_str().unwrap().starts_with("RK"), "{finding}");
    }
    let built = rulec(folder.path(), &["build", "--target", "sigma"]);
    assert_eq!(code(&built), 0, "{}", err(&built));
    let by_id = |folder: &Path| -> BTreeMap<String, Value> {
        files(folder)
            .iter()
            .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
            .map(|path| text(path))
            .filter(|text| !text.contains("\ncorrelation:"))
            .map(|text| serde_yaml::from_str::<Value>(&text).unwrap())
            .map(|value| (value["id"].as_str().unwrap().to_owned(), value))
            .collect()
    };
    let (old, new) = (by_id(&golden), by_id(&folder.path().join("dist/sigma")));
    let shared: Vec<&String> = old.keys().filter(|id| new.contains_key(*id)).collect();
    assert!(shared.len() >= 8, "{} of {}", shared.len(), old.len());
    for id in shared {
        assert_eq!(old[id]["logsource"], new[id]["logsource"], "{id}");
        assert_eq!(old[id]["level"], new[id]["level"], "{id}");
    }
    // What is counted, by what, in which time, and how often.
    let correlations = |folder: &Path| -> BTreeMap<String, Value> {
        let texts = files(folder)
            .into_iter()
            .filter(|path| path.extension().is_some_and(|end| end == "yml"));
        texts
            .map(|path| text(&path))
            .filter(|text| text.contains("\ncorrelation:"))
            .map(|text| serde_yaml::from_str::<Value>(text.split("\n---").next().unwrap()).unwrap())
            .map(|value| {
                let mut correlation = value["correlation"].clone();
                correlation["rules"] = Value::Null;
                (value["id"].as_str().unwrap().to_owned(), correlation)
            })
            .collect()
    };
    let (old, new) = (
        correlations(&golden),
        correlations(&folder.path().join("dist/sigma")),
    );
    let shared: Vec<&String> = old.keys().filter(|id| new.contains_key(*id)).collect();
    assert!(shared.len() >= 4, "{shared:?} of {old:?}");
    for id in shared {
        assert_eq!(old[id], new[id], "{id}");
    }
}

/// A detection, a table, and events with whether each matches.
type SigmaCase<'a> = (&'a str, &'a str, &'a [(Value, bool)]);

#[test]
fn imported_sigma_rules_match_what_they_say() {
    let cases: [SigmaCase<'_>; 5] = [
        (
            "selection:\n        Image|endswith: '\\cmd.exe'\n        CommandLine|contains|all: ['/c', 'who?mi*x']\n    filter:\n        ParentImage|endswith: '\\explorer.exe'\n    condition: selection and not filter",
            "DeviceProcessEvents",
            &[
                (
                    json!({"FileName": "CMD.EXE", "ProcessCommandLine": "cmd /C whoami  x"}),
                    true,
                ),
                (
                    json!({"FileName": "cmd.exe", "ProcessCommandLine": "cmd /c whomi x"}),
                    false,
                ),
                (
                    json!({"FileName": "cmd.exe", "ProcessCommandLine": "cmd /c whoami x", "InitiatingProcessFileName": "Explorer.exe"}),
                    false,
                ),
            ],
        ),
        (
            "selection:\n        CommandLine|re: 'Foo\\d{2}'\n    cased:\n        CommandLine|contains|cased: 'Bar'\n    condition: 1 of them",
            "DeviceProcessEvents",
            &[
                (json!({"ProcessCommandLine": "a Foo12"}), true),
                (json!({"ProcessCommandLine": "a foo12"}), false),
                (json!({"ProcessCommandLine": "a Bar"}), true),
                (json!({"ProcessCommandLine": "a bar"}), false),
            ],
        ),
        (
            "selection:\n        Hashes|contains: 'SHA1=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'\n    condition: selection",
            "DeviceProcessEvents",
            &[
                (json!({"SHA1": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}), true),
                (json!({"SHA1": "b"}), false),
            ],
        ),
        (
            "selection:\n        CommandLine|base64offset|contains: 'secret'\n    none:\n        ParentImage: null\n    condition: selection and none",
            "DeviceProcessEvents",
            &[
                (json!({"ProcessCommandLine": "x c2VjcmV0 y"}), true),
                (
                    json!({"ProcessCommandLine": "x c2VjcmV0 y", "InitiatingProcessFolderPath": "C:\\a.exe"}),
                    false,
                ),
                (json!({"ProcessCommandLine": "x secret y"}), false),
            ],
        ),
        (
            "selection:\n        ProcessId|gt: 100\n    filter:\n        ProcessId|gte: 200\n    condition: selection and not filter",
            "DeviceProcessEvents",
            &[
                (json!({"ProcessId": 150}), true),
                (json!({"ProcessId": 100}), false),
                (json!({"ProcessId": 200}), false),
            ],
        ),
    ];
    for (number, (detection, table, events)) in cases.into_iter().enumerate() {
        let folder = repository();
        let rule = format!(
            "title: Case {number}\nlogsource:\n    category: process_creation\n    product: windows\ndetection:\n    {detection}\nlevel: low\n"
        );
        let run = rulec_with(folder.path(), &["import", "sigma", "-"], rule.as_bytes());
        assert_eq!(code(&run), 0, "{}", err(&run));
        let document = text(&folder.path().join(out(&run).trim()));
        let query = document
            .split("```C#\n")
            .nth(1)
            .unwrap()
            .split("```")
            .next()
            .unwrap();
        for (event, matches) in events {
            let mut event = event.clone();
            event["Timestamp"] = json!("2026-01-01T00:00:00Z");
            event["ActionType"] = json!("ProcessCreated");
            let path = folder.path().join("events.ndjson");
            fs::write(&path, format!("{event}\n")).unwrap();
            let data = format!("{table}={}", path.display());
            let run = rulec(
                folder.path(),
                &[
                    "query",
                    query,
                    "--data",
                    &data,
                    "--now",
                    "2026-01-01T00:30:00Z",
                    "--format",
                    "json",
                ],
            );
            let result: Value =
                serde_json::from_str(&out(&run)).unwrap_or_else(|_| panic!("{}\n{query}", err(&run)));
            let rows = result["rows"].as_array().unwrap().len();
            assert_eq!(rows == 1, *matches, "{event}\n{query}");
        }
    }
}

#[test]
fn hostile_files_are_clear_errors() {
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let deep_yaml = (0..2_000)
        .map(|n| format!("{}a:\n", " ".repeat(n)))
        .collect::<String>();
    let bomb = {
        let mut text = String::from("a: &a [x,x,x,x,x,x,x,x,x]\n");
        for (n, name) in ('b'..='z').enumerate() {
            let before = char::from(b'a' + n as u8);
            text += &format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 9].join(", "));
        }
        text
    };
    let cases: [(&str, &str); 7] = [
        ("{\"a\":", "RI001"),
        ("a: [b\nc: d: e\n", "RI001"),
        (&deep, "RI001"),
        (&deep_yaml, "RI00"),
        (&bomb, "RI00"),
        ("", "RI003"),
        ("just words\n", "RI003"),
    ];
    for format in ["sentinel", "defender", "sigma"] {
        for (text, expected) in cases {
            let folder = repository();
            let run = rulec_with(folder.path(), &["import", format, "-"], text.as_bytes());
            let said = err(&run);
            assert_eq!(code(&run), 2, "{format}: {said}");
            assert!(said.contains(expected), "{format}: {said}");
        }
    }
    let folder = repository();
    let rule = "name: ../../../etc/passwd\nid: ../x\nseverity: Low\nquery: print 1\nkind: Scheduled\n";
    let run = rulec_with(folder.path(), &["import", "sentinel", "-"], rule.as_bytes());
    assert_eq!(out(&run), "rules/etc-passwd.md\n", "{}", err(&run));
    let made = "# Made by rulec 0.1.0 from rules/../../evil/..\n".to_owned() + rule;
    let run = rulec_with(
        folder.path(),
        &["import", "sentinel", "-", "--dry-run"],
        made.as_bytes(),
    );
    assert!(!out(&run).contains(".."), "{}", out(&run));
    assert_eq!(
        code(&rulec(folder.path(), &["import", "sentinel", "nothing.yaml"])),
        3
    );
}

#[test]
fn documents_are_not_overwritten_without_force() {
    let folder = repository();
    let rule =
        |severity: &str| format!("name: A rule\nseverity: {severity}\nquery: print 1\nkind: Scheduled\n");
    let run = |text: &str, more: &[&str]| {
        let mut arguments = vec!["import", "sentinel", "-", "--out", "mine"];
        arguments.extend(more);
        rulec_with(folder.path(), &arguments, text.as_bytes())
    };
    let path = folder.path().join("mine/a-rule.md");
    assert_eq!(out(&run(&rule("Low"), &["--dry-run"])), "mine/a-rule.md\n");
    assert!(!folder.path().join("mine").exists());
    assert_eq!(code(&run(&rule("Low"), &[])), 0);
    let first = text(&path);
    assert_eq!(code(&run(&rule("Low"), &[])), 0);
    let refused = run(&rule("High"), &[]);
    assert_eq!(code(&refused), 1);
    assert!(
        err(&refused).contains("mine/a-rule.md exists and differs"),
        "{}",
        err(&refused)
    );
    assert_eq!(text(&path), first);
    assert_eq!(code(&run(&rule("High"), &["--force"])), 0);
    assert_ne!(text(&path), first);
}

#[test]
fn drift_says_what_differs_in_meaning() {
    let folder = repository();
    let golden = root().join("golden/sentinel/arm");
    let name = "RL-0012-remote-service-installed-after-network-logon";
    let source = golden.join(format!("{name}.arm.json"));
    let run = rulec(folder.path(), &["import", "sentinel", source.to_str().unwrap()]);
    assert_eq!(code(&run), 0, "{}", err(&run));
    let export = folder.path().join("export");
    fs::create_dir(&export).unwrap();
    let drift = |change: &dyn Fn(String) -> String, more: &[&str]| {
        fs::write(export.join("a.json"), change(text(&source))).unwrap();
        let mut arguments = vec!["drift", "--deployed", "export"];
        arguments.extend(more);
        rulec(folder.path(), &arguments)
    };
    let same = drift(&|text| text, &[]);
    assert_eq!((code(&same), out(&same).as_str()), (0, ""), "{}", err(&same));
    // Layout and comments mean nothing.
    let same = drift(
        &|text| {
            text.replace("// Of several logons", "// other words")
                .replace("\\n| where ActionType", "\\n   |  where ActionType")
        },
        &[],
    );
    assert_eq!((code(&same), out(&same).as_str()), (0, ""), "{}", err(&same));
    let changes: [(&str, &str, &str); 6] = [
        (
            "\"severity\": \"High\"",
            "\"severity\": \"Low\"",
            "severity: deployed low, repository high",
        ),
        ("PT2H", "PT4H", "schedule: "),
        (
            "LogonType =~ \\\"Network\\\"",
            "LogonType =~ \\\"Batch\\\"",
            "query: differs in meaning",
        ),
        (
            "\"columnName\": \"RemoteIP\"",
            "\"columnName\": \"FileName\"",
            "entities: ",
        ),
        (
            "\"enabled\": true,\n        \"query\"",
            "\"enabled\": false,\n        \"query\"",
            "enabled: ",
        ),
        ("T1569.002", "T1569.001", "techniques: "),
    ];
    for (old, new, expected) in changes {
        assert!(text(&source).contains(old), "{old}");
        let run = drift(&|text| text.replace(old, new), &[]);
        assert_eq!(code(&run), 1, "{old}: {}", err(&run));
        assert!(out(&run).contains(expected), "{old}: {}", out(&run));
    }
    // What deploying would do to the rows, with lines of both queries.
    let schema = text(&root().join("schema/drift.schema.json"));
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let json = |run: &Output| -> Value {
        let report: Value = serde_json::from_str(&out(run)).unwrap();
        let wrong: Vec<String> = schema
            .iter_errors(&report)
            .map(|error| error.to_string())
            .collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        report
    };
    let network = "| where LogonType =~ \\\"Network\\\"";
    for (new, class) in [
        ("", "narrows"),
        (
            "| where LogonType in~ (\\\"Network\\\", \\\"Batch\\\")",
            "narrows",
        ),
        (
            "| where LogonType =~ \\\"Network\\\" and RemoteIP != \\\"10.1.1.1\\\"",
            "widens",
        ),
    ] {
        let run = drift(&|text| text.replace(network, new), &["--format", "json"]);
        let report = json(&run);
        let field = &report["drift"][0]["fields"][0];
        assert_eq!(
            (&field["field"], &field["class"]),
            (&json!("query"), &json!(class)),
            "{report:#}"
        );
        assert_eq!(field["changes"][0]["class"], class);
        assert!(
            field["changes"][0]["repository_line"].is_u64() || field["changes"][0]["deployed_line"].is_u64()
        );
    }
    // The list that the interface gives, with what the service adds, and a rule that nobody can write.
    let listed = |text: String| {
        let template: Value = serde_json::from_str(&text).unwrap();
        let mut rule = template["resources"][0].clone();
        rule["etag"] = json!("\"0a\"");
        rule["id"] = json!(format!(
            "/subscriptions/x/providers/Microsoft.SecurityInsights/alertRules/{}",
            "0"
        ));
        rule["type"] = json!("Microsoft.SecurityInsights/alertRules");
        rule["properties"]["lastModifiedUtc"] = json!("2026-01-01T00:00:00Z");
        rule["properties"]["enabled"] = json!(false);
        let fusion = json!({"type": rule["type"], "kind": "Fusion", "name": "BuiltInFusion",
            "properties": {"displayName": "Advanced Multistage Attack Detection", "enabled": true}});
        json!({"value": [rule, fusion]}).to_string()
    };
    let run = drift(&listed, &["--format", "json"]);
    let report = json(&run);
    assert_eq!(report["summary"]["differs"], 1, "{report:#}");
    let fields = report["drift"][0]["fields"].as_array().unwrap();
    assert!(
        fields
            .iter()
            .any(|field| field["field"] == "enabled" && field["class"] == "widens"),
        "{report:#}"
    );
    assert!(
        !fields.iter().any(|field| field["field"] == "query"),
        "{report:#}"
    );
    assert!(
        err(&run).contains("a rule of kind Fusion has no query"),
        "{}",
        err(&run)
    );
    fs::remove_file(export.join("a.json")).unwrap();
    fs::copy(
        golden.join("RL-0010-burst-of-discovery-commands.arm.json"),
        export.join("b.json"),
    )
    .unwrap();
    let run = rulec(
        folder.path(),
        &["drift", "--deployed", "export", "--format", "json"],
    );
    assert_eq!(code(&run), 1, "{}", err(&run));
    let report: Value = serde_json::from_str(&out(&run)).unwrap();
    assert_eq!(
        report["summary"],
        json!({"same": 0, "differs": 0, "only_deployed": 1, "only_repository": 1})
    );
}
