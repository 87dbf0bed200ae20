//! Environments: what is built, refused and said.
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods)]

mod common;

use std::{collections::BTreeMap, fs, path::Path};

use common::{code, err, out, rulec};

/// Far from the ends of exclusions here.
const NOW: &str = "2026-11-22T12:00:00Z";

const QUERY: &str = r#"let threshold = 2;
DeviceProcessEvents
| where FileName =~ "evil.exe"
// Begin environment-specific filter.
// End environment-specific filter.
| summarize Count = count(), arg_max(Timestamp, ReportId, DeviceName, ProcessId) by DeviceId
| where Count >= threshold"#;

const FIXTURE: &str = r"now: 2026-01-15T12:00:00Z
defaults:
  DeviceProcessEvents: { Timestamp: now-5m, DeviceId: d1, ReportId: 1, FileName: evil.exe }
events:
  start: { table: DeviceProcessEvents, row: { DeviceName: pc-1, ProcessId: 4 } }
  nameless: { table: DeviceProcessEvents, row: { DeviceName: pc-2, DeviceId: d2 } }
  other: { table: DeviceProcessEvents, row: { FileName: good.exe } }
cases:
  - name: two starts fire
    events: [{ event: start, times: 2 }]
    fires: true
  - name: two of a process without a number fire
    events: [{ event: nameless, times: 2 }]
    fires: true
  - name: another program does not
    events: [{ event: other, times: 2 }]
    fires: false
";

fn document(id: &str, query: &str) -> String {
    format!(
        "---\nstatus: stable\nseverity: high\ntargets: [sentinel, defender, native]\nschedule: {{ frequency: 1h, period: 2h }}\n---\n# A rule\n\n## Metadata\n**ID:** {id}\n\n## ATT&CK Tags\n\n| Tactic | Technique | Subtechnique | Technique Name |\n| --- | --- | --- | --- |\n| TA0002 - Execution | T1059 | | Command and Scripting Interpreter |\n\n## Detection\n\n**Language:** Kusto\n\n**Platform:** M365 Security\n\n**Query:**\n```C#\n{query}\n```\n"
    )
}

/// A repository with a rule `E-0001`, its fixture, and an environment `prod`.
fn repository(environment: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "rulec.toml", "");
    put(folder.path(), "rules/E-0001.md", &document("E-0001", QUERY));
    put(folder.path(), "tests/rules/E-0001.yaml", FIXTURE);
    put(folder.path(), "environments/prod.yaml", environment);
    folder
}

fn put(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn excluding(condition: &str) -> String {
    format!(
        "exclusions:\n  - rules: [E-0001]\n    condition: {condition}\n    reason: why\n    owner: us\n    expires: 2027-01-31\n"
    )
}

fn build(folder: &Path) -> std::process::Output {
    rulec(folder, &["build", "--env", "prod", "--now", NOW, "--out", "out"])
}

/// Code and standard error of a build; the rule is not in it.
fn refused(environment: &str) -> String {
    let folder = repository(environment);
    let built = build(folder.path());
    assert_ne!(code(&built), 0, "{environment}");
    let artifact = folder.path().join("out/prod/defender/E-0001.json");
    assert!(!artifact.exists(), "{environment}");
    err(&built)
}

fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

#[test]
fn an_empty_environment_is_byte_identical() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for top in ["rules", "tests/rules"] {
        for (name, bytes) in tree(&root.join(top)) {
            put(path, &format!("{top}/{name}"), &String::from_utf8(bytes).unwrap());
        }
    }
    put(path, "rulec.toml", "");
    put(path, "environments/empty.yaml", "# nothing is different here\n");
    let plain = rulec(path, &["build", "--out", "plain"]);
    let empty = rulec(path, &["build", "--env", "empty", "--out", "in"]);
    assert_eq!(code(&plain), code(&empty), "{}", err(&empty));
    // A manifest says which environment its tree is for, and nothing else.
    let of = |folder: &str| -> BTreeMap<String, Vec<u8>> {
        let without = |(name, bytes): (String, Vec<u8>)| {
            if !name.ends_with("manifest.json") {
                return (name, bytes);
            }
            let mut manifest: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            manifest.as_object_mut().unwrap().shift_remove("environment");
            (name, manifest.to_string().into_bytes())
        };
        tree(&path.join(folder)).into_iter().map(without).collect()
    };
    let (plain, empty) = (of("plain"), of("in/empty"));
    assert!(plain.len() > 100, "{}", plain.len());
    let differ = |(path, bytes): &(&String, &Vec<u8>)| empty.get(*path) != Some(*bytes);
    let other: Vec<_> = plain.iter().filter(differ).map(|(path, _)| path).collect();
    assert!(other.is_empty() && plain.len() == empty.len(), "{other:?}");
}

#[test]
fn an_exclusion_is_put_into_the_slot_and_leaves_null_alone() {
    let folder = repository(&excluding("ProcessId == 7 // a comment"));
    let path = folder.path();
    let built = build(path);
    assert_eq!(code(&built), 0, "{}", err(&built));
    let text = fs::read_to_string(path.join("out/prod/defender/E-0001.json")).unwrap();
    let artifact: serde_json::Value = serde_json::from_str(&text).unwrap();
    let query = artifact["queryCondition"]["queryText"].as_str().unwrap();
    let wanted = "// Begin environment-specific filter.\n// prod: why (us, until 2027-01-31)\n| where not(coalesce(\n    ProcessId == 7 // a comment\n, false))\n// End environment-specific filter.\n";
    assert!(query.contains(wanted), "{query}");
    // Without `coalesce` the rows without a number would be gone, and the case would say so.
    let checked = rulec(path, &["check", "--env", "prod", "--now", NOW]);
    assert!(!err(&checked).contains("RN0"), "{}", err(&checked));
    // The interpreter sees the same rule.
    let tested = rulec(path, &["test", "--env", "prod", "--now", NOW]);
    assert_eq!(code(&tested), 0, "{}{}", out(&tested), err(&tested));
    let events = "{\"Timestamp\":\"2026-01-15T11:00:00Z\",\"DeviceId\":\"a\",\"FileName\":\"evil.exe\",\"ProcessId\":7}\n{\"Timestamp\":\"2026-01-15T11:00:00Z\",\"DeviceId\":\"a\",\"FileName\":\"evil.exe\",\"ProcessId\":7}\n{\"Timestamp\":\"2026-01-15T11:00:00Z\",\"DeviceId\":\"b\",\"FileName\":\"evil.exe\"}\n{\"Timestamp\":\"2026-01-15T11:00:00Z\",\"DeviceId\":\"b\",\"FileName\":\"evil.exe\"}\n";
    put(path, "DeviceProcessEvents.ndjson", events);
    let run = |arguments: &[&str]| {
        let all = [&["run", "--data", "DeviceProcessEvents.ndjson"][..], arguments].concat();
        out(&rulec(path, &all)).lines().count()
    };
    assert_eq!(run(&[]), 2);
    assert_eq!(run(&["--env", "prod", "--now", NOW]), 1);
    // Explaining says where the stage comes from.
    let explained = out(&rulec(path, &["explain", "E-0001", "--env", "prod"]));
    assert!(
        explained.contains("Put in by environments/prod.yaml:3: prod: why (us, until 2027-01-31)."),
        "{explained}"
    );
    let json = out(&rulec(
        path,
        &["explain", "E-0001", "--env", "prod", "--format", "json"],
    ));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["stages"][2]["from"]["line"], 3);
    // The line of the document that it is put in front of.
    assert_eq!(json["stages"][2]["line"], 30);
}

#[test]
fn what_would_leave_the_slot_is_refused() {
    for condition in [
        "X == 1 | take 0",
        "'true, false)) | take 0 //'",
        "'true)) // '",
        "true; DeviceEvents",
        "\"true\\n| take 0\"",
        "\"true // End environment-specific filter.\\n| take 0\"",
        "DeviceName ==",
        "''",
        "(DeviceName == 'a'",
    ] {
        let said = refused(&excluding(condition));
        assert!(said.contains("environments/prod.yaml:3:"), "{condition}: {said}");
    }
    // A line break in words that become a comment does not end it.
    let folder = repository(
        "exclusions:\n  - rules: [E-0001]\n    condition: DeviceName == 'x'\n    reason: \"why\\n| take 0\"\n    owner: us\n    expires: 2027-01-31\n",
    );
    let built = build(folder.path());
    assert_eq!(code(&built), 0, "{}", err(&built));
    let query = fs::read_to_string(folder.path().join("out/prod/defender/E-0001.json")).unwrap();
    assert!(
        query.contains("// prod: why | take 0 (us, until 2027-01-31)\\n"),
        "{query}"
    );
}

#[test]
fn findings_stand_in_the_environment_file() {
    let said = refused(&excluding("DeviceNam == \"x\""));
    assert!(said.contains("environments/prod.yaml:3:16"), "{said}");
    assert!(said.contains("did you mean `DeviceName`?"), "{said}");
    assert!(
        said.contains("the columns at the slot of E-0001 are Timestamp, DeviceId, DeviceName"),
        "{said}"
    );
    let said = refused(&excluding("FileName"));
    assert!(
        said.contains("the condition is of type string, not true or false"),
        "{said}"
    );
    for (environment, message, place) in [
        (
            "rules: { E-0002: { severity: low } }\n",
            "no rule has the id `E-0002`",
            "1:10",
        ),
        (
            "rules: { E-0001: { severity: lwo } }\n",
            "did you mean `low`?",
            "1:30",
        ),
        (
            "rules: { E-0001: { sverity: low } }\n",
            "did you mean `severity`?",
            "1:20",
        ),
        (
            "rules: { E-0001: { parameters: { treshold: 3 } } }\n",
            "did you mean `threshold`?",
            "1:44",
        ),
        (
            "rules: { E-0001: { parameters: { threshold: many } } }\n",
            "`let threshold` is a long",
            "1:45",
        ),
        (
            "parameters: { tresh: 3 }\n",
            "no rule has a constant `tresh`",
            "1:15",
        ),
        (
            "rules: { E-0001: { deduplication: nothing } }\n",
            "there is no de-duplication block",
            "1:35",
        ),
        (
            "rules: { E-0001: { deduplication: first-event } }\n",
            "E-0001 has no slot for de-duplication",
            "1:35",
        ),
    ] {
        let folder = repository(environment);
        let checked = rulec(folder.path(), &["check", "--env", "prod", "--now", NOW]);
        let said = err(&checked);
        assert!(code(&checked) >= 2, "{environment}: {said}");
        assert!(said.contains(message), "{environment}: {said}");
        assert!(
            said.contains(&format!("environments/prod.yaml:{place}")),
            "{environment}: {said}"
        );
    }
    // Machine formats name the same place.
    let folder = repository(&excluding("DeviceNam == \"x\""));
    for (format, wanted) in [
        ("json", "\"file\": \"environments/prod.yaml\""),
        ("sarif", "\"uri\": \"environments/prod.yaml\""),
        ("github", "file=environments/prod.yaml,line=3"),
        ("gitlab", "\"path\": \"environments/prod.yaml\""),
        ("junit", "name=\"environments/prod.yaml\""),
    ] {
        let arguments = ["check", "--env", "prod", "--now", NOW, "--format", format];
        let said = out(&rulec(folder.path(), &arguments));
        assert!(said.contains(wanted), "{format}: {said}");
    }
}

#[test]
fn an_exclusion_that_has_ended_fails_with_its_owner_and_reason() {
    let folder = repository(&excluding("DeviceName == 'x'"));
    let at = |now: &str| {
        rulec(
            folder.path(),
            &["build", "--env", "prod", "--now", now, "--out", "out"],
        )
    };
    // Its last day is the whole day.
    assert_eq!(code(&at("2027-01-31T23:59:59Z")), 0);
    let built = at("2027-02-01T00:00:00Z");
    let said = err(&built);
    assert_eq!(code(&built), 2, "{said}");
    assert!(
        said.contains("RN006") && said.contains("an exclusion of us ended on 2027-01-31: why"),
        "{said}"
    );
    assert!(said.contains("environments/prod.yaml:6:14"), "{said}");
    assert_eq!(said.matches("RN006").count(), 1, "{said}");
    assert!(!folder.path().join("out/prod/defender/E-0001.json").exists());
}

#[test]
fn an_exclusion_that_hides_a_true_positive_fails_with_the_case() {
    for (condition, case) in [
        ("DeviceName == 'pc-1'", "two starts fire"),
        ("isnull(ProcessId)", "two of a process without a number fire"),
    ] {
        let said = refused(&excluding(condition));
        assert!(said.contains("RN007"), "{said}");
        assert!(
            said.contains(&format!(
                "an exclusion of us keeps E-0001 from firing in its case `{case}`"
            )),
            "{said}"
        );
        assert!(said.contains("tests/rules/E-0001.yaml:"), "{said}");
    }
    // Two that hide it only together are named both.
    let both = excluding("ProcessId == 4 and ReportId == 1")
        + "  - rules: [E-*]\n    condition: DeviceName == 'pc-9'\n    reason: other\n    owner: them\n    expires: 2027-01-31\n";
    let said = refused(&both);
    assert!(said.contains("an exclusion of us keeps"), "{said}");
    assert!(!said.contains("them"), "{said}");
    // A value may change what a case says: that is for `rulec test`.
    let folder = repository("rules: { E-0001: { parameters: { threshold: 3 } } }\n");
    let built = build(folder.path());
    assert_eq!(code(&built), 0, "{}", err(&built));
    let tested = rulec(folder.path(), &["test", "--env", "prod"]);
    assert_eq!(code(&tested), 1, "{}", err(&tested));
}

#[test]
fn slots_are_chosen_or_missed() {
    let two = QUERY.replace(
        "| where Count",
        "  // Begin environment-specific filter 2.\n  // End environment-specific filter 2.\n| where Count",
    );
    let with = |query: &str, environment: &str| {
        let folder = repository(environment);
        put(folder.path(), "rules/E-0001.md", &document("E-0001", query));
        folder
    };
    let folder = with(&two, &excluding("DeviceName == 'x'"));
    let said = err(&build(folder.path()));
    assert!(
        said.contains("E-0001 has 2 slots, and the exclusion does not say which"),
        "{said}"
    );
    assert!(said.contains("slot 2: rules/E-0001.md:32"), "{said}");
    let query = |folder: &Path| {
        let text = fs::read_to_string(folder.join("out/prod/defender/E-0001.json")).unwrap();
        let artifact: serde_json::Value = serde_json::from_str(&text).unwrap();
        artifact["queryCondition"]["queryText"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    for (slot, times) in [("1", 1), ("2", 1), ("all", 2)] {
        let folder = with(
            &two,
            &(excluding("DeviceName == 'x'") + &format!("    slot: {slot}\n")),
        );
        let built = build(folder.path());
        assert_eq!(code(&built), 0, "{}", err(&built));
        assert_eq!(query(folder.path()).matches("where not(coalesce(").count(), times);
    }
    // The second stands behind `summarize`: other columns are there.
    let folder = with(&two, &(excluding("FileName == 'x'") + "    slot: 2\n"));
    let said = err(&build(folder.path()));
    assert!(
        said.contains("the columns at the slot of E-0001 are DeviceId, Count, Timestamp"),
        "{said}"
    );
    // None at all, half of one, and one where nothing can follow.
    let none = QUERY.replace(
        "// Begin environment-specific filter.\n// End environment-specific filter.\n",
        "",
    );
    let half = QUERY.replace("// End environment-specific filter.\n", "");
    let lost = format!("// Begin environment-specific filter.\n// End environment-specific filter.\n{none}");
    for (query, said) in [
        (&none, "put two comments into its query"),
        (&half, "one of its two comments is missing"),
        (&lost, "the slot of E-0001 stands where no operator can follow"),
    ] {
        let folder = with(query, &excluding("DeviceName == 'x'"));
        let built = build(folder.path());
        assert_eq!(code(&built), 2);
        assert!(err(&built).contains(said), "{}", err(&built));
        assert!(err(&built).contains("environments/prod.yaml:"), "{}", err(&built));
    }
    let folder = with(QUERY, &(excluding("DeviceName == 'x'") + "    query: 2\n"));
    let said = err(&build(folder.path()));
    assert!(said.contains("E-0001 has no query 2: it has 1"), "{said}");
    // In a let binding, with blanks in front of it.
    let inner = "let Starts = (\n    DeviceProcessEvents\n    | where FileName =~ \"evil.exe\"\n    // Begin environment-specific filter.\n    // End environment-specific filter.\n);\nlet threshold = 2;\nStarts\n| summarize Count = count(), arg_max(Timestamp, ReportId, DeviceName) by DeviceId\n| where Count >= threshold";
    let folder = with(inner, &excluding("DeviceName == 'x'"));
    let built = build(folder.path());
    assert_eq!(code(&built), 0, "{}", err(&built));
    assert!(
        query(folder.path()).contains("    | where not(coalesce(DeviceName == 'x', false))\n    // End"),
        "{}",
        query(folder.path())
    );
}

#[test]
fn trees_stand_side_by_side_and_are_compared() {
    let folder = repository(
        "rules:\n  E-0001:\n    severity: low\n    schedule: { frequency: 2h }\n    parameters: { threshold: 1 }\n",
    );
    let path = folder.path();
    put(path, "environments/test.yaml", &excluding("DeviceName == 'x'"));
    put(
        path,
        "environments/small.yaml",
        "rules: { E-0001: { disabled: there are no devices } }\n",
    );
    let built = rulec(
        path,
        &["build", "--env", "prod,test,small", "--now", NOW, "--out", "out"],
    );
    assert_eq!(code(&built), 0, "{}", err(&built));
    let sentinel = |name: &str| fs::read_to_string(path.join(format!("out/{name}/defender/E-0001.json")));
    assert!(sentinel("prod").unwrap().contains("let threshold = 1;"));
    assert!(sentinel("test").unwrap().contains("DeviceName == 'x'"));
    assert!(sentinel("small").is_err());
    let diff = |a: &str, b: &str| {
        let output = rulec(path, &["diff", "--env", a, b, "--format", "json"]);
        assert_eq!(code(&output), 0, "{}", err(&output));
        serde_json::from_str::<serde_json::Value>(&out(&output)).unwrap()
    };
    let found = diff("none", "prod");
    let fields: Vec<(&str, &str)> = found["rules"][0]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (c["field"].as_str().unwrap(), c["class"].as_str().unwrap()))
        .collect();
    assert!(fields.contains(&("severity", "metadata")), "{fields:?}");
    assert!(
        fields
            .iter()
            .any(|(field, class)| field.starts_with("schedule") && *class == "schedule"),
        "{fields:?}"
    );
    assert!(fields.contains(&("query", "widens")), "{fields:?}");
    assert_eq!(diff("none", "test")["rules"][0]["class"], "narrows");
    assert_eq!(diff("test", "none")["rules"][0]["class"], "widens");
    assert_eq!(diff("test", "small")["rules"][0]["status"], "removed");
    assert_eq!(diff("test", "test")["rules"].as_array().unwrap().len(), 0);
    for (arguments, said) in [
        (&["build", "--env", "prod,Prod"][..], "named twice"),
        (&["build", "--env", "pord"][..], "did you mean `prod`?"),
        (&["build", "--env", "../prod"][..], "cannot be the name"),
        (&["build", "--env", "sentinel"][..], "as a target is"),
        (&["diff", "--env", "prod", "pord"][..], "did you mean `prod`?"),
        (&["check", "--env", ""][..], "cannot be the name"),
    ] {
        let output = rulec(path, arguments);
        assert_eq!(code(&output), 3, "{arguments:?}: {}", err(&output));
        assert!(err(&output).contains(said), "{arguments:?}: {}", err(&output));
    }
}

#[test]
fn a_de_duplication_block_takes_the_place_of_the_documents() {
    let query = format!("{QUERY}\n// Begin de-duplication logic.\n| take 10\n// End de-duplication logic.");
    let with = |config: &str, environment: &str| {
        let folder = repository(environment);
        put(folder.path(), "rulec.toml", config);
        put(folder.path(), "rules/E-0001.md", &document("E-0001", &query));
        folder
    };
    let text = |folder: &Path, out: &str| fs::read_to_string(folder.join(out).join("defender/E-0001.json"));
    let block = "| summarize arg_min(Timestamp, *)\\n    by DeviceId\\n// End";
    // Chosen by rulec.toml for all places, and by an environment for one.
    let folder = with(
        "[deduplication]\ntemplate = \"first-event\"\nfields = [\"DeviceId\"]\n",
        "",
    );
    let built = rulec(folder.path(), &["build", "--out", "out"]);
    assert_eq!(code(&built), 0, "{}", err(&built));
    assert!(
        text(folder.path(), "out").unwrap().contains(block),
        "{}",
        text(folder.path(), "out").unwrap()
    );
    let folder = with(
        "",
        "deduplication: { template: first-event, fields: [DeviceId] }\n",
    );
    let built = build(folder.path());
    assert_eq!(code(&built), 0, "{}", err(&built));
    assert!(text(folder.path(), "out/prod").unwrap().contains(block));
    assert!(!text(folder.path(), "out/prod").unwrap().contains("take 10"));
    // Not chosen, the document's stays.
    let built = rulec(folder.path(), &["build", "--out", "plain"]);
    assert_eq!(code(&built), 0, "{}", err(&built));
    assert!(text(folder.path(), "plain").unwrap().contains("take 10"));
    // Findings about what a template of the repository gives stand in it.
    put(
        folder.path(),
        "templates/deduplication/mine.kql.j2",
        "{# mine #}\n| extend Key = strcat(DeviceIdd, {{ values.separator | kql_string }})\n",
    );
    for (environment, said, place) in [
        (
            "deduplication: { template: mine, values: { separator: '|' } }\n",
            "DeviceIdd",
            "mine.kql.j2:2:23",
        ),
        ("deduplication: mine\n", "separator", "mine.kql.j2:2"),
        (
            "deduplication: first-event\n",
            "does not say by which columns",
            "prod.yaml:1:16",
        ),
        (
            "deduplication: { template: first-event, fields: [Devic] }\n",
            "no column `Devic`",
            "prod.yaml:1:16",
        ),
        (
            "deduplication: { template: first-event, feilds: [] }\n",
            "did you mean `fields`?",
            "prod.yaml:1:41",
        ),
        (
            "deduplication: frist-event\n",
            "did you mean `first-event`?",
            "prod.yaml:1:16",
        ),
    ] {
        put(folder.path(), "environments/prod.yaml", environment);
        let built = build(folder.path());
        assert!(code(&built) >= 2, "{environment}");
        let output = err(&built);
        assert!(
            output.contains(said) && output.contains(place),
            "{environment}: {output}"
        );
    }
    put(
        folder.path(),
        "templates/deduplication/mine.kql.j2",
        "; DeviceEvents\n| take 1\n",
    );
    put(folder.path(), "environments/prod.yaml", "deduplication: mine\n");
    let output = err(&build(folder.path()));
    assert!(
        output.contains("RN008") && output.contains("mine.kql.j2:1"),
        "{output}"
    );
}

#[test]
fn an_environment_is_part_of_what_is_remembered() {
    let folder = repository(&excluding("DeviceName == 'x'"));
    let path = folder.path();
    put(path, "rulec.toml", "[cache]\nfolder = \".cache\"\n");
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rulec"));
        let output = command
            .args(arguments)
            .current_dir(path)
            .env_remove("RULEC_NO_CACHE")
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        (code(&output), err(&output))
    };
    let check = ["check", "--env", "prod", "--now", NOW];
    let build = ["build", "--env", "prod", "--now", NOW, "--out", "out"];
    let good = run(&check);
    assert_eq!(run(&check), good);
    assert_eq!(run(&build).0, 0);
    // Each thing an answer rests on.
    put(path, "environments/prod.yaml", &excluding("DeviceNam == 'x'"));
    let bad = run(&check);
    assert!(bad.1.contains("environments/prod.yaml:3:16"), "{}", bad.1);
    assert_eq!(run(&check), bad, "the same from the cache");
    assert_eq!(run(&build).0, 2);
    assert_eq!(run(&build).0, 2);
    put(path, "environments/prod.yaml", &excluding("DeviceName == 'x'"));
    assert_eq!(run(&check), good);
    let late = ["check", "--env", "prod", "--now", "2028-01-01"];
    assert!(run(&late).1.contains("RN006"));
    assert!(run(&late).1.contains("RN006"));
    assert_eq!(run(&check), good);
    put(
        path,
        "tests/rules/E-0001.yaml",
        &FIXTURE.replace("DeviceName: pc-1", "DeviceName: x"),
    );
    assert!(run(&check).1.contains("RN007"));
    assert!(!run(&["check", "--now", NOW]).1.contains("RN0"));
}

#[test]
fn what_was_alerted_on_before_is_left_out_by_the_shipped_block() {
    let query = "DeviceProcessEvents\n| where Timestamp >= ago(1d)\n| where FileName =~ \"evil.exe\"\n\
        // Begin de-duplication logic.\n| extend DedupEntity = DeviceId\n// End de-duplication logic.\n\
        | project Timestamp, DeviceId, ReportId, DeviceName, FileName, DedupEntity";
    let folder = repository(
        "deduplication: { template: earlier-alerts, fields: [DeviceId, FileName], values: { lookback: 7d } }\n",
    );
    let path = folder.path();
    put(
        path,
        "rules/E-0001.md",
        &document("E-0001", query).replace(
            "schedule: {",
            "custom_details: { DedupEntity: DedupEntity }\nschedule: {",
        ),
    );
    let event = |device: &str| {
        format!(
            "{{\"Timestamp\":\"2026-01-15T11:00:00Z\",\"DeviceId\":\"{device}\",\"ReportId\":1,\"DeviceName\":\"pc\",\"FileName\":\"evil.exe\"}}\n"
        )
    };
    put(
        path,
        "events.ndjson",
        &["new", "known", "forgotten", "of-another"].map(event).concat(),
    );
    // As Sentinel writes it: a bag in a text, with lists of values in a text within.
    let alert = |name: &str, time: &str, device: &str| {
        let details = serde_json::json!({ "DedupEntity": [format!("{device}|evil.exe")] }).to_string();
        let properties = serde_json::json!({ "Custom Details": details }).to_string();
        let row =
            serde_json::json!({ "TimeGenerated": time, "AlertName": name, "ExtendedProperties": properties });
        format!("{row}\n")
    };
    put(
        path,
        "alerts.ndjson",
        &[
            alert("A rule on pc", "2026-01-12T00:00:00Z", "known"),
            alert("A rule on pc", "2026-01-01T00:00:00Z", "forgotten"),
            alert("Something else", "2026-01-15T00:00:00Z", "of-another"),
        ]
        .concat(),
    );
    let ran = rulec(
        path,
        &[
            "run",
            "--env",
            "prod",
            "--quiet",
            "--now",
            "2026-01-15T12:00:00Z",
            "--data",
            "DeviceProcessEvents=events.ndjson",
            "--data",
            "SecurityAlert=alerts.ndjson",
        ],
    );
    assert_eq!(code(&ran), 1, "{}", err(&ran));
    let devices: Vec<String> = out(&ran)
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["row"]["DeviceId"].to_string())
        .collect();
    assert_eq!(
        devices,
        ["\"new\"", "\"forgotten\"", "\"of-another\""],
        "{}",
        out(&ran)
    );
}
