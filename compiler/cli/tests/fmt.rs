//! `rulec fmt` as people and CI run it: what is written, what is only said,
//! exit codes and streams.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // Tests write the files they try.

mod common;

use std::fs;

use common::{code, err, out, repository, rulec, rulec_with};

const RULE: &str = "rules/bad.md";
const BAD: &str =
    "# Bad\n\n## Detection\n**Query:**\n```kql\nDeviceEvents|where ActionType==\"x\"|take 1\n```\n";
const GOOD: &str =
    "# Bad\n\n## Detection\n**Query:**\n```kql\nDeviceEvents\n| where ActionType == \"x\"\n| take 1\n```\n";

#[test]
fn queries_are_laid_out_on_demand_only() {
    let folder = repository();
    let path = folder.path().join(RULE);
    fs::write(&path, BAD).unwrap();
    let plain = rulec(folder.path(), &["fmt"]);
    assert_eq!(code(&plain), 0, "{}", err(&plain));
    assert_eq!(fs::read_to_string(&path).unwrap(), BAD);

    let check = rulec(folder.path(), &["fmt", "--kql", "--check"]);
    assert_eq!(code(&check), 1);
    assert_eq!(err(&check), "rules/bad.md: would be reformatted\n");
    assert_eq!(out(&check), "");
    assert_eq!(fs::read_to_string(&path).unwrap(), BAD);

    let written = rulec(folder.path(), &["fmt", "--kql"]);
    assert_eq!(code(&written), 0, "{}", err(&written));
    assert_eq!(err(&written), "rules/bad.md: reformatted\n");
    assert_eq!(fs::read_to_string(&path).unwrap(), GOOD);
    let again = rulec(folder.path(), &["fmt", "--kql", "--check"]);
    assert_eq!((code(&again), err(&again)), (0, String::new()));
}

#[test]
fn a_new_rule_is_laid_out() {
    let folder = repository();
    let check = rulec(folder.path(), &["fmt", "--kql", "--check"]);
    assert_eq!(code(&check), 0, "{}", err(&check));
}

#[test]
fn differences_are_shown_and_nothing_is_changed() {
    let folder = repository();
    fs::write(folder.path().join(RULE), BAD).unwrap();
    for arguments in [
        &["fmt", "--kql", "--diff"][..],
        &["fmt", "--kql", "--check", "--diff"],
    ] {
        let diff = rulec(folder.path(), arguments);
        assert_eq!(code(&diff), 1);
        let shown = out(&diff);
        assert!(
            shown.starts_with("--- rules/bad.md\n+++ rules/bad.md\n@@ "),
            "{shown}"
        );
        assert!(
            shown.contains("\n-DeviceEvents|where ActionType==\"x\"|take 1\n+DeviceEvents\n"),
            "{shown}"
        );
        assert_eq!(err(&diff), "rules/bad.md: would be reformatted\n");
    }
    assert_eq!(fs::read_to_string(folder.path().join(RULE)).unwrap(), BAD);
    let quiet = rulec(folder.path(), &["fmt", "--kql", "--check", "--quiet"]);
    assert_eq!(
        (code(&quiet), out(&quiet), err(&quiet)),
        (1, String::new(), String::new())
    );
}

#[test]
fn query_files_are_laid_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hunt.kql");
    let other = folder.path().join("notes.txt");
    for (before, after) in [
        ("T|where a // why\n|take 1", "T\n| where a // why\n| take 1\n"),
        ("T\r\n|take 1\r\n", "T\r\n| take 1\r\n"),
        ("\u{feff}T|take 1\n", "\u{feff}T\n| take 1\n"),
        // An instruction to a client, and no heading.
        ("#connect x\nT|take 1\n", "#connect x\nT\n| take 1\n"),
    ] {
        fs::write(&path, before).unwrap();
        fs::write(&other, "T|take 1").unwrap();
        // In a folder when they are asked for, and by name.
        for (arguments, touched) in [
            (&["fmt", "."][..], false),
            (&["fmt", "--kql", "."], true),
            (&["fmt", "hunt.kql"], true),
        ] {
            fs::write(&path, before).unwrap();
            let output = rulec(folder.path(), arguments);
            assert_eq!(code(&output), 0, "{}", err(&output));
            let expected = if touched { after } else { before };
            assert_eq!(fs::read_to_string(&path).unwrap(), expected, "{arguments:?}");
        }
        assert_eq!(fs::read_to_string(&other).unwrap(), "T|take 1");
    }
}

#[test]
fn standard_input_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let query = rulec_with(folder.path(), &["fmt", "--kql", "-"], b"T|take 1");
    assert_eq!((code(&query), out(&query)), (0, "T\n| take 1\n".to_owned()));
    let document = rulec_with(folder.path(), &["fmt", "--kql", "-"], BAD.as_bytes());
    assert_eq!((code(&document), out(&document)), (0, GOOD.to_owned()));
    // What begins otherwise than a query does is a document.
    for head in ["\n", "<!-- mine -->\n\n", "\u{feff}"] {
        let (bad, good) = (format!("{head}{BAD}"), format!("{head}{GOOD}"));
        let document = rulec_with(folder.path(), &["fmt", "--kql", "-"], bad.as_bytes());
        let good = good.trim_start_matches('\n');
        assert_eq!((code(&document), out(&document)), (0, good.to_owned()));
    }
    let client = rulec_with(folder.path(), &["fmt", "--kql", "-"], b"#connect x\nT|take 1");
    assert_eq!(out(&client), "#connect x\nT\n| take 1\n");
    let plain = rulec_with(folder.path(), &["fmt", "-"], BAD.as_bytes());
    assert_eq!((code(&plain), out(&plain)), (0, BAD.to_owned()));
    let check = rulec_with(folder.path(), &["fmt", "--kql", "--check", "-"], b"T|take 1");
    assert_eq!((code(&check), out(&check)), (1, String::new()));
    let check = rulec_with(folder.path(), &["fmt", "--kql", "--check", "-"], b"T\n| take 1\n");
    assert_eq!((code(&check), err(&check)), (0, String::new()));
    let diff = rulec_with(folder.path(), &["fmt", "--kql", "--diff", "-"], b"T|take 1\n");
    assert_eq!(
        out(&diff),
        "--- <stdin>\n+++ <stdin>\n@@ -1 +1,2 @@\n-T|take 1\n+T\n+| take 1\n"
    );
}

#[test]
fn a_broken_query_stays_and_the_rest_is_laid_out() {
    let folder = repository();
    let path = folder.path().join(RULE);
    let text = "# Bad\n\n\n\n## Detection\n**Query:**\n```kql\nDeviceEvents|wher x\n```\n";
    fs::write(&path, text).unwrap();
    let output = rulec(folder.path(), &["fmt", "--kql"]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("RK108"), "{}", err(&output));
    assert!(err(&output).contains("rules/bad.md:8:14"), "{}", err(&output));
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        text.replace("\n\n\n\n", "\n\n")
    );
    // Layout without queries does not care.
    let output = rulec(folder.path(), &["fmt"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let stdin = rulec_with(folder.path(), &["fmt", "--kql", "-"], b"T|wher x");
    assert_eq!((code(&stdin), out(&stdin)), (2, "T|wher x".to_owned()));
}

#[test]
fn sections_come_in_order() {
    let folder = repository();
    let path = folder.path().join("rules/order.md");
    let metadata = "## Metadata\n**ID:** T-0002\n";
    let detection = "## Detection\n**Query:**\n```kql\nDeviceEvents\n| take 1\n```\n";
    fs::write(&path, format!("# Order\n\n{detection}\n{metadata}")).unwrap();
    let output = rulec(folder.path(), &["fmt"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        format!("# Order\n\n{metadata}\n{detection}")
    );
}

#[cfg(unix)]
#[test]
fn files_keep_their_permissions_and_links_their_target() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = repository();
    let path = folder.path().join(RULE);
    fs::write(&path, BAD).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    let other = folder.path().join("rules/other.md");
    fs::write(&other, BAD.replace("# Bad", "# Other")).unwrap();
    fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap();
    symlink("../elsewhere.md", folder.path().join("rules/link.md")).unwrap();
    fs::write(folder.path().join("elsewhere.md"), BAD.replace("# Bad", "# Link")).unwrap();

    let output = rulec(folder.path(), &["fmt", "--kql"]);
    assert_eq!(code(&output), 2);
    assert!(
        err(&output).contains("rules/bad.md cannot be written: the file is read-only"),
        "{}",
        err(&output)
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), BAD);
    // The others are written all the same.
    assert_eq!(
        fs::read_to_string(&other).unwrap(),
        GOOD.replace("# Bad", "# Other")
    );
    assert_eq!(fs::metadata(&other).unwrap().permissions().mode() & 0o777, 0o600);
    let link = folder.path().join("rules/link.md");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(
        fs::read_to_string(&link).unwrap(),
        GOOD.replace("# Bad", "# Link")
    );
}
