//! Builds into a folder that is there already, the manifests that make this
//! safe, and the bundles of all rules.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // Tests write the repositories they try.

mod common;

use std::{collections::BTreeMap, fs, path::Path, time::SystemTime};

use common::{code, err, out, root, rulec};
use serde_json::{Value, json};

/// A repository with the rules of tests/cases/bundle.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    fs::create_dir(&rules).unwrap();
    for entry in fs::read_dir(root().join("tests/cases/bundle/rules")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, rules.join(path.file_name().unwrap())).unwrap();
    }
    fs::write(folder.path().join("rulec.toml"), "").unwrap();
    folder
}

/// All files below a folder by their path in it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path
                    .strip_prefix(folder)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .replace('\\', "/");
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

fn value(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

const DEFENDER: &str = "dist/defender/BU-0001.json";
const ARM: &str = "dist/sentinel/arm/BU-0001.arm.json";
const TARGETS: &str = "sentinel,defender,sigma";

fn build(folder: &Path) -> Value {
    let run = rulec(folder, &["build", "--target", TARGETS, "--format", "json"]);
    assert_eq!(code(&run), 0, "{}", err(&run));
    serde_json::from_str(&out(&run)).unwrap()
}

/// What is built of two rules, all of it but the artifacts that goldens hold
/// for the shipped rules. `UPDATE=1` rewrites it.
#[test]
fn bundles_and_manifests_are_as_expected() {
    let folder = repository();
    build(folder.path());
    let expected = root().join("tests/cases/bundle/expected");
    // What follows from rulec's own data, and from what the artifacts look
    // like, changes with these.
    let stable = |bytes: &[u8]| {
        let mut all: Value = serde_json::from_slice(bytes).unwrap();
        for key in ["tables", "templates", "rulec"] {
            all[key] = json!("…");
        }
        for entry in all["artifacts"].as_array_mut().unwrap() {
            entry["sha256"] = json!("…");
            entry["size"] = json!(0);
        }
        [serde_json::to_vec_pretty(&all).unwrap(), b"\n".to_vec()].concat()
    };
    let mut wrong = Vec::new();
    for (path, bytes) in files(&folder.path().join("dist")) {
        if !path.contains("/bundle/") && !path.ends_with("manifest.json") {
            continue;
        }
        let bytes = if path.ends_with("manifest.json") {
            stable(&bytes)
        } else {
            bytes
        };
        let text = String::from_utf8(bytes).unwrap();
        let at = expected.join(&path);
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            fs::write(&at, &text).unwrap();
        } else {
            let old = fs::read_to_string(&at).unwrap_or_default();
            if old != text {
                let diff = similar::TextDiff::from_lines(&old, &text);
                wrong.push(diff.unified_diff().header(&path, "what is built").to_string());
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_readme_shows_the_real_tree() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, shown) = readme
        .split_once("Two rules, one of them for Sentinel only, give:\n\n```text\n")
        .unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    let folder = repository();
    build(folder.path());
    let there: Vec<String> = files(&folder.path().join("dist")).into_keys().collect();
    assert_eq!(shown.lines().collect::<Vec<_>>(), there);
}

#[test]
fn bundles_say_what_the_artifacts_say() {
    let folder = tempfile::tempdir().unwrap();
    let dist = folder.path().join("dist");
    let run = rulec(
        &root(),
        &[
            "build",
            "--target",
            "sentinel,defender",
            "--out",
            dist.to_str().unwrap(),
        ],
    );
    assert_eq!(code(&run), 0, "{}", err(&run));
    let schema = |name: &str| {
        let schema = value(&root().join(format!("schema/targets/{name}.schema.json")));
        jsonschema::validator_for(&schema).unwrap()
    };
    let valid = |validator: &jsonschema::Validator, instance: &Value| {
        let errors: Vec<String> = validator
            .iter_errors(instance)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    };

    let singles: Vec<Value> = files(&dist.join("sentinel/arm"))
        .values()
        .map(|bytes| serde_json::from_slice::<Value>(bytes).unwrap())
        .collect();
    assert!(singles.len() > 25);
    let bundle = value(&dist.join("sentinel/bundle/arm/rules.json"));
    let resources = bundle["resources"].as_array().unwrap();
    let resource = |single: &Value| single["resources"][0].clone();
    assert_eq!(resources, &singles.iter().map(resource).collect::<Vec<_>>());
    assert_eq!(bundle["parameters"], singles[0]["parameters"]);
    assert_eq!(bundle["contentVersion"], "1.0.0.0");
    assert!(
        bundle["$schema"]
            .as_str()
            .unwrap()
            .ends_with("deploymentTemplate.json#")
    );
    let arm = schema("sentinel-arm");
    let mut names: Vec<&str> = Vec::new();
    for resource in resources {
        valid(&arm, resource);
        assert!(resource.get("dependsOn").is_none());
        names.push(resource["name"].as_str().unwrap());
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), resources.len());

    let rules = value(&dist.join("sentinel/bundle/bicep/rules.json"));
    for (rule, resource) in rules.as_array().unwrap().iter().zip(resources) {
        for key in ["kind", "apiVersion", "properties"] {
            assert_eq!(rule[key], resource[key]);
        }
        let name = rule["name"].as_str().unwrap();
        assert!(
            resource["name"]
                .as_str()
                .unwrap()
                .ends_with(&format!("/{name}')]"))
        );
        valid(&arm, rule);
    }
    let main = fs::read_to_string(dist.join("sentinel/bundle/bicep/main.bicep")).unwrap();
    for rule in rules.as_array().unwrap() {
        let version = rule["apiVersion"].as_str().unwrap();
        assert!(main.contains(&format!("alertRules@{version}'")), "{version}");
        assert!(
            main.contains(&format!("each.apiVersion == '{version}'")),
            "{version}"
        );
    }

    let bodies: Vec<Value> = files(&dist.join("defender"))
        .into_iter()
        .filter(|(path, _)| !path.contains('/') && path != "manifest.json")
        .map(|(_, bytes)| serde_json::from_slice(&bytes).unwrap())
        .collect();
    let (batch, detection) = (schema("defender-batch"), schema("defender-detection"));
    // The first part has no number.
    let parts = |name: &str| -> Vec<Value> {
        let file = |number: usize| match number {
            1 => dist.join(format!("defender/bundle/{name}.json")),
            _ => dist.join(format!("defender/bundle/{name}-{number}.json")),
        };
        let files = (1..).map(file).take_while(|path| path.is_file());
        files.map(|path| value(&path)).collect()
    };
    let mut requests = Vec::new();
    for part in parts("create") {
        valid(&batch, &part);
        requests.extend(part["requests"].as_array().unwrap().clone());
    }
    let posted: Vec<Value> = requests.iter().map(|request| request["body"].clone()).collect();
    assert_eq!(posted, bodies);
    for body in &posted {
        valid(&detection, body);
    }
    let mut updated = 0;
    for part in parts("update") {
        valid(&batch, &part);
        for request in part["requests"].as_array().unwrap() {
            let id = request["url"].as_str().unwrap().rsplit('/').next().unwrap();
            assert_eq!(bodies[updated]["id"], *id);
            let mut whole = request["body"].clone();
            whole["id"] = json!(id);
            assert_eq!(whole, bodies[updated]);
            updated += 1;
        }
    }
    assert_eq!(updated, bodies.len());
}

#[test]
fn bundles_are_a_choice() {
    let folder = repository();
    let bundles = |arguments: &[&str]| {
        let _ = fs::remove_dir_all(folder.path().join("dist"));
        let run = rulec(
            folder.path(),
            &[&["build", "--target", TARGETS], arguments].concat(),
        );
        assert_eq!(code(&run), 0, "{}", err(&run));
        let found = files(&folder.path().join("dist"));
        let mut found: Vec<String> = found
            .into_keys()
            .filter_map(|path| Some(path.split_once("/bundle/")?.1.to_owned()))
            .collect();
        found.sort();
        found
    };
    let all = [
        "arm/rules.json",
        "bicep/main.bicep",
        "bicep/rules.json",
        "create.json",
        "update.json",
    ];
    assert_eq!(bundles(&[]), all);
    assert_eq!(
        bundles(&["--bundle", "arm,batch"]),
        ["arm/rules.json", "create.json", "update.json"]
    );
    assert!(bundles(&["--bundle", "none"]).is_empty());
    fs::write(
        folder.path().join("rulec.toml"),
        "[build]\nbundles = [\"bicep\"]\n",
    )
    .unwrap();
    assert_eq!(bundles(&[]), ["bicep/main.bicep", "bicep/rules.json"]);
    assert_eq!(bundles(&["--bundle", "arm"]), ["arm/rules.json"]);
    for (wrong, said) in [
        ("none,arm", "no other bundle"),
        ("zip", "there are arm, bicep, batch"),
    ] {
        let run = rulec(folder.path(), &["build", "--bundle", wrong]);
        assert_eq!(code(&run), 3);
        assert!(err(&run).contains(said), "{}", err(&run));
    }
    // One that a former build made goes when nobody wants it any more.
    bundles(&["--bundle", "arm"]);
    let run = rulec(folder.path(), &["build", "--target", TARGETS, "--bundle", "none"]);
    assert!(
        err(&run).contains("removed   sentinel/bundle/arm/rules.json"),
        "{}",
        err(&run)
    );
    assert!(!folder.path().join("dist/sentinel/bundle").exists());
}

#[test]
fn a_later_build_says_what_changed_and_leaves_the_rest_alone() {
    let folder = repository();
    let first = build(folder.path());
    let sentinel = &first["targets"]["sentinel"];
    assert_eq!(
        (&sentinel["first"], &sentinel["rules"], &sentinel["unchanged"]),
        (&json!(true), &json!(2), &json!(0))
    );
    let times = || -> BTreeMap<String, SystemTime> {
        let dist = folder.path().join("dist");
        let time = |path: &String| fs::metadata(dist.join(path)).unwrap().modified().unwrap();
        files(&dist)
            .keys()
            .map(|path| (path.clone(), time(path)))
            .collect()
    };
    let before = times();
    let again = build(folder.path());
    assert_eq!(times(), before);
    for target in ["sentinel", "defender", "sigma"] {
        let changes = &again["targets"][target];
        for key in ["new", "changed", "removed"] {
            assert_eq!(changes[key], json!([]), "{target} {key}");
        }
        assert_eq!(
            changes["unchanged"],
            first["targets"][target]["new"].as_array().unwrap().len()
        );
    }

    // One rule changes, one goes, one comes.
    let rule = |name: &str| folder.path().join("rules").join(name);
    let text = fs::read_to_string(rule("BU-0001.md")).unwrap();
    fs::write(
        rule("BU-0001.md"),
        text.replace("severity: high", "severity: low"),
    )
    .unwrap();
    let other = fs::read_to_string(rule("BU-0002.md")).unwrap();
    fs::write(rule("BU-0003.md"), other.replace("BU-0002", "BU-0003")).unwrap();
    fs::remove_file(rule("BU-0002.md")).unwrap();
    let third = build(folder.path());
    let paths = |target: &str, key: &str| -> Vec<String> {
        let all = third["targets"][target][key].as_array().unwrap();
        all.iter()
            .map(|change| change["path"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        paths("sentinel", "new"),
        [
            "sentinel/Detections/OfficeActivity/BU-0003.yaml",
            "sentinel/arm/BU-0003.arm.json"
        ]
    );
    assert_eq!(
        paths("sentinel", "changed"),
        [
            "sentinel/Detections/DeviceProcessEvents/BU-0001.yaml",
            "sentinel/arm/BU-0001.arm.json",
            "sentinel/bundle/arm/rules.json",
            "sentinel/bundle/bicep/rules.json"
        ]
    );
    assert_eq!(
        paths("sentinel", "removed"),
        [
            "sentinel/Detections/OfficeActivity/BU-0002.yaml",
            "sentinel/arm/BU-0002.arm.json"
        ]
    );
    let change = &third["targets"]["sentinel"]["new"][1];
    assert_eq!(
        (&change["kind"], &change["rule"]),
        (&json!("arm"), &json!("BU-0003"))
    );
    assert_eq!(third["targets"]["sentinel"]["unchanged"], 1);
    for gone in [
        "sentinel/arm/BU-0002.arm.json",
        "sentinel/Detections/OfficeActivity/BU-0002.yaml",
    ] {
        assert!(!folder.path().join("dist").join(gone).exists());
    }
    // A target that is not built keeps what it has.
    let run = rulec(folder.path(), &["build", "--target", "sigma"]);
    assert_eq!(code(&run), 0);
    assert!(folder.path().join(ARM).is_file() && folder.path().join(DEFENDER).is_file());
}

#[test]
fn manifests_name_sources_and_hashes() {
    let folder = repository();
    build(folder.path());
    let dist = folder.path().join("dist");
    for target in ["sentinel", "defender", "sigma"] {
        let manifest = value(&dist.join(target).join("manifest.json"));
        let schema = value(&root().join("schema/manifest.schema.json"));
        assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&manifest));
        let named: Vec<&str> = manifest["artifacts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["path"].as_str().unwrap())
            .collect();
        let mut there: Vec<String> = files(&dist.join(target)).into_keys().collect();
        there.retain(|path| path != "manifest.json");
        assert_eq!(named, there);
        for entry in manifest["artifacts"].as_array().unwrap() {
            let bytes = fs::read(dist.join(target).join(entry["path"].as_str().unwrap())).unwrap();
            assert_eq!(entry["size"], bytes.len());
            let of_one = entry["rule"].is_string();
            assert_eq!(of_one, entry["rules"].is_null(), "{entry}");
            if of_one {
                let document = entry["document"].as_str().unwrap();
                assert!(folder.path().join(document).is_file());
                assert_eq!(entry["document_sha256"].as_str().unwrap().len(), 64);
                let version = if entry["rule"] == "BU-0001" { "1.2" } else { "1.0" };
                assert_eq!(entry["version"], version);
            }
        }
    }
}

#[test]
fn what_somebody_else_wrote_or_edited_is_left_and_told() {
    let folder = repository();
    build(folder.path());
    let at = |path: &str| folder.path().join("dist/sentinel").join(path);
    fs::write(at("arm/mine.json"), "{}").unwrap();
    fs::write(at("Detections/OfficeActivity/BU-0002.yaml"), "edited").unwrap();
    fs::write(at("arm/BU-0001.arm.json"), "edited as well").unwrap();
    fs::remove_file(folder.path().join("rules/BU-0002.md")).unwrap();
    let run = rulec(folder.path(), &["build", "--target", TARGETS]);
    assert_eq!(code(&run), 0, "{}", err(&run));
    let said = err(&run);
    for line in [
        "warning[RM016]: `arm/mine.json` was not written by a build; left as it is",
        "warning[RM015]: `Detections/OfficeActivity/BU-0002.yaml` was edited after a build wrote it",
        "warning[RM014]: `arm/BU-0001.arm.json` is not what the last build wrote, and was replaced",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert_eq!(fs::read_to_string(at("arm/mine.json")).unwrap(), "{}");
    assert_eq!(
        fs::read_to_string(at("Detections/OfficeActivity/BU-0002.yaml")).unwrap(),
        "edited"
    );
    assert_ne!(
        fs::read_to_string(at("arm/BU-0001.arm.json")).unwrap(),
        "edited as well"
    );
    // What nobody edited is gone.
    assert!(!at("arm/BU-0002.arm.json").exists());
    // It is nobody's from now on.
    let run = rulec(folder.path(), &["build", "--target", TARGETS]);
    assert!(err(&run).contains(
        "`Detections/OfficeActivity/BU-0002.yaml` and `arm/mine.json` were not written by a build"
    ));
}

#[test]
fn files_from_before_there_were_manifests_are_left_and_told() {
    let folder = repository();
    let old = folder.path().join("dist/sentinel");
    fs::create_dir_all(&old).unwrap();
    for number in 0..8 {
        fs::write(old.join(format!("OLD-{number}.yaml")), "old").unwrap();
    }
    fs::write(folder.path().join("dist/mine.txt"), "mine").unwrap();
    let run = rulec(folder.path(), &["build", "--target", TARGETS]);
    assert_eq!(code(&run), 0);
    assert!(
        err(&run).contains("`OLD-4.yaml` and 3 more were not written by a build"),
        "{}",
        err(&run)
    );
    assert!(old.join("OLD-7.yaml").is_file());
    assert!(!err(&run).contains("mine.txt"));
}

/// A manifest that is not to be followed: its target is not touched, the
/// others are built, and nothing outside is removed.
#[test]
fn manifests_that_cannot_be_trusted_are_refused() {
    let folder = repository();
    build(folder.path());
    let victim = folder.path().join("victim");
    fs::write(&victim, "mine").unwrap();
    let manifest = folder.path().join("dist/sentinel/manifest.json");
    let good = fs::read_to_string(&manifest).unwrap();
    let naming = |path: &str| {
        let mut all: Value = serde_json::from_str(&good).unwrap();
        all["artifacts"][0]["path"] = json!(path);
        // The hash of what is there: only the path keeps it from being removed.
        all["artifacts"][0]["sha256"] =
            json!("3fd30542fe3f61b14bd4a4b2dc0b6fb30fa6f63ebce52dd1778aaa8c4dc02cff");
        serde_json::to_vec_pretty(&all).unwrap()
    };
    let absolute = victim.to_str().unwrap().to_owned();
    let cases: [(&str, Vec<u8>); 12] = [
        ("RM013", naming("../../victim")),
        ("RM013", naming("arm/../../../victim")),
        ("RM013", naming(&absolute)),
        ("RM013", naming("..\\..\\victim")),
        ("RM013", naming("C:\\victim")),
        ("RM013", naming("")),
        ("RM011", naming("manifest.json")),
        ("RM011", b"".to_vec()),
        ("RM011", good.as_bytes()[..good.len() / 2].to_vec()),
        ("RM011", b"\xff\xfe".to_vec()),
        ("RM011", good.replace("\"sentinel\"", "\"defender\"").into_bytes()),
        (
            "RM012",
            good.replace("\"format\": 1", "\"format\": 2").into_bytes(),
        ),
    ];
    for (expected, bytes) in cases {
        fs::write(&manifest, &bytes).unwrap();
        fs::remove_file(folder.path().join(DEFENDER)).unwrap();
        let before = files(&folder.path().join("dist/sentinel"));
        let run = rulec(folder.path(), &["build", "--target", TARGETS, "--format", "json"]);
        let said = err(&run);
        assert_eq!(code(&run), 1, "{said}");
        assert!(said.contains(&format!("error[{expected}]")), "{expected}: {said}");
        assert!(said.contains("dist/sentinel/manifest.json"), "{said}");
        let report: Value = serde_json::from_str(&out(&run)).unwrap();
        assert_eq!(report["targets"]["sentinel"]["written"], false);
        assert_eq!(files(&folder.path().join("dist/sentinel")), before);
        assert!(folder.path().join(DEFENDER).is_file(), "the others are written");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "mine");
        let run = rulec(folder.path(), &["build", "--verify"]);
        assert_eq!(code(&run), 1);
        assert!(err(&run).contains(&format!("error[{expected}]")), "{}", err(&run));
    }
    // With the file as the build wrote it, all is well.
    fs::write(&manifest, good).unwrap();
    build(folder.path());
}

#[cfg(unix)]
#[test]
fn nothing_is_removed_through_links() {
    let folder = repository();
    build(folder.path());
    let outside = folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    let sentinel = folder.path().join("dist/sentinel");
    // The folder of a rule that goes is put elsewhere, and a link in its place.
    fs::rename(
        sentinel.join("Detections/OfficeActivity"),
        outside.join("OfficeActivity"),
    )
    .unwrap();
    std::os::unix::fs::symlink(
        outside.join("OfficeActivity"),
        sentinel.join("Detections/OfficeActivity"),
    )
    .unwrap();
    fs::remove_file(folder.path().join("rules/BU-0002.md")).unwrap();
    let run = rulec(folder.path(), &["build", "--target", TARGETS]);
    assert_eq!(code(&run), 0, "{}", err(&run));
    assert!(outside.join("OfficeActivity/BU-0002.yaml").is_file());
    assert!(err(&run).contains("warning[RM015]"), "{}", err(&run));
    // A manifest that is a link is none.
    let manifest = sentinel.join("manifest.json");
    fs::rename(&manifest, outside.join("manifest.json")).unwrap();
    std::os::unix::fs::symlink(outside.join("manifest.json"), &manifest).unwrap();
    let run = rulec(folder.path(), &["build", "--target", TARGETS]);
    assert_eq!(code(&run), 1);
    assert!(err(&run).contains("it is a symbolic link"), "{}", err(&run));
}

#[test]
fn verifying_finds_every_difference() {
    let folder = repository();
    let verify = |arguments: &[&str]| rulec(folder.path(), &[&["build", "--verify"], arguments].concat());
    let run = verify(&[]);
    assert_eq!(code(&run), 3, "{}", err(&run));
    fs::create_dir(folder.path().join("dist")).unwrap();
    let run = verify(&[]);
    assert_eq!(code(&run), 1);
    assert!(err(&run).contains("error[RM010]"), "{}", err(&run));
    build(folder.path());
    let run = verify(&[]);
    assert_eq!(code(&run), 0, "{}", err(&run));
    assert!(
        err(&run).contains("as they were written, 0 not, by 3 manifests"),
        "{}",
        err(&run)
    );
    let run = verify(&["--target", "native"]);
    assert_eq!(code(&run), 1);
    assert!(err(&run).contains("error[RM010]"), "{}", err(&run));
    let at = |path: &str| folder.path().join(path);
    let tries: [(&str, &dyn Fn()); 3] = [
        ("error[RM017]: `arm/BU-0001.arm.json` is not there", &|| {
            fs::remove_file(at(ARM)).unwrap();
        }),
        (
            "error[RM018]: `arm/BU-0001.arm.json` is not what the build wrote",
            &|| {
                let mut bytes = fs::read(at(ARM)).unwrap();
                bytes[7] ^= 1;
                fs::write(at(ARM), bytes).unwrap();
            },
        ),
        (
            "error[RM019]: `arm/more.json` is in the folder and not in the manifest",
            &|| {
                fs::write(at("dist/sentinel/arm/more.json"), "{}").unwrap();
            },
        ),
    ];
    for (said, change) in tries {
        change();
        let run = verify(&[]);
        assert_eq!(code(&run), 1, "{said}");
        assert!(err(&run).contains(said), "{}", err(&run));
        assert_eq!(err(&run).matches("error[").count(), 1);
        assert_eq!(code(&verify(&["--target", "defender"])), 0);
        let _ = fs::remove_file(at("dist/sentinel/arm/more.json"));
        build(folder.path());
        assert_eq!(code(&verify(&[])), 0);
    }
    // Hidden files are nobody's business.
    fs::write(at("dist/sentinel/.note"), "x").unwrap();
    assert_eq!(code(&verify(&[])), 0);
    // A target's folder stands on its own.
    fs::rename(at("dist/sentinel"), at("sentinel")).unwrap();
    let run = verify(&["--out", "sentinel"]);
    assert_eq!(code(&run), 0, "{}", err(&run));
    assert!(err(&run).contains("by 1 manifest"), "{}", err(&run));
}

/// A package whose sources moved from `x.rs` to `x/mod.rs` does not build when
/// both are there.
#[test]
fn sources_of_a_former_version_are_removed() {
    let folder = repository();
    let rule = folder.path().join("rules/BU-0001.md");
    let text = fs::read_to_string(&rule).unwrap();
    fs::write(&rule, text.replace("targets: [", "targets: [native, ")).unwrap();
    let native = folder.path().join("dist/native");
    let build = || rulec(folder.path(), &["build", "--target", "native"]);
    assert_eq!(code(&build()), 0);
    let manifest = native.join("manifest.json");
    let mut all = value(&manifest);
    let stale = "vendor/rulec-runtime/src/moved.rs";
    fs::write(native.join(stale), "mine").unwrap();
    let mut entry = all["artifacts"][0].clone();
    entry["path"] = json!(stale);
    entry["kind"] = json!("vendored");
    entry["sha256"] = json!("3fd30542fe3f61b14bd4a4b2dc0b6fb30fa6f63ebce52dd1778aaa8c4dc02cff");
    all["artifacts"].as_array_mut().unwrap().push(entry);
    fs::write(&manifest, serde_json::to_vec(&all).unwrap()).unwrap();
    // What cargo leaves there is nobody's business.
    fs::create_dir_all(native.join("target/release")).unwrap();
    fs::write(native.join("target/release/rulec-rules"), "binary").unwrap();
    let run = build();
    assert_eq!(code(&run), 0, "{}", err(&run));
    assert!(!native.join(stale).exists());
    assert!(native.join("target/release/rulec-rules").is_file());
    assert!(!err(&run).contains("warning"), "{}", err(&run));
    assert_eq!(code(&rulec(folder.path(), &["build", "--verify"])), 0);
}

#[test]
fn an_artifact_never_takes_the_place_of_the_manifest() {
    let folder = repository();
    let text = fs::read_to_string(folder.path().join("rules/BU-0001.md")).unwrap();
    let rule = text.replace("**ID:** BU-0001", "**ID:** Manifest");
    fs::write(folder.path().join("rules/manifest.md"), rule).unwrap();
    let run = rulec(folder.path(), &["build", "--target", "defender"]);
    assert_eq!(code(&run), 1, "{}", err(&run));
    assert!(err(&run).contains("error[RM020]"), "{}", err(&run));
    let manifest = value(&folder.path().join("dist/defender/manifest.json"));
    assert_eq!(manifest["target"], "defender");
    let bundle = value(&folder.path().join("dist/defender/bundle/create.json"));
    assert_eq!(bundle["requests"].as_array().unwrap().len(), 1);
}
