//! Data on the command line: packed, in patterns and folders, from standard
//! input, from outside, and what is said when something is wrong with it.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // Tests write the files they try.

mod common;

use std::{fs, io::Write as _, path::Path, process::Output};

use common::{code, err, out, rulec, rulec_with};
use flate2::{Compression, write::GzEncoder};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

fn query(folder: &Path, query: &str, arguments: &[&str]) -> Output {
    rulec(
        folder,
        &[&["query", query, "--format", "csv"], arguments].concat(),
    )
}

/// What a query gives, without its header.
fn given(folder: &Path, text: &str, arguments: &[&str]) -> String {
    let output = query(folder, text, arguments);
    assert_eq!(code(&output), 0, "{arguments:?}: {}", err(&output));
    assert_eq!(err(&output), "", "{arguments:?}");
    let lines = out(&output);
    let rows: Vec<&str> = lines.lines().skip(1).collect();
    rows.join(" ")
}

/// What is said of a query that cannot run.
fn refused(folder: &Path, text: &str, arguments: &[&str], expected: i32) -> String {
    let output = query(folder, text, arguments);
    let said = err(&output);
    assert_eq!(code(&output), expected, "{arguments:?}: {said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

const NAMES: &str = "DeviceEvents | project FileName | order by FileName asc";

#[test]
fn patterns_folders_and_packing() {
    let folder = folder(&[
        (
            "logs/2026/DeviceEvents-01.json.gz",
            &gzip(b"{\"FileName\":\"a\"}\n{\"FileName\":\"b\"}\n"),
        ),
        ("logs/2026/deviceevents-02.csv", b"File name\r\nc\r\n"),
        (
            "logs/insights-logs-advancedhunting-deviceinfo/PT1H.json",
            b"{\"DeviceId\":\"x\"}\n",
        ),
        ("export.json", b"{\"Results\":[{\"FileName\":\"d\"}]}"),
    ]);
    let root = folder.path();
    assert_eq!(given(root, NAMES, &["--data", "logs"]), "a b c");
    assert_eq!(given(root, "DeviceInfo | count", &["--data", "logs"]), "1");
    assert_eq!(
        given(root, NAMES, &["--data", "DeviceEvents=logs/**/*.gz"]),
        "a b"
    );
    assert_eq!(
        given(
            root,
            NAMES,
            &["--data", "DeviceEvents=export.json", "--data", "logs/*/device*"]
        ),
        "c d"
    );
    for (data, named) in [
        ("DeviceEvents=logs/*.csv", "error: no file matches logs/*.csv"),
        ("logs/none", "error: logs/none cannot be opened"),
        (
            "export.json",
            "error: export.json is not named after a table; say --data TABLE=export.json",
        ),
    ] {
        let said = refused(root, NAMES, &["--data", data], 3);
        assert!(said.contains(named), "{said}");
    }
}

#[test]
fn standard_input_is_read_once() {
    let folder = folder(&[]);
    let events = gzip(b"{\"FileName\":\"a\"}\n{\"FileName\":\"b\"}\n");
    let twice = "union DeviceEvents, (DeviceEvents | where FileName == 'a') | summarize Names = count() by FileName | order by FileName asc";
    let arguments = ["query", twice, "--format", "csv", "--data", "DeviceEvents=-"];
    let output = rulec_with(folder.path(), &arguments, &events);
    assert_eq!(out(&output), "FileName,Names\na,2\nb,1\n", "{}", err(&output));
    let output = rulec_with(
        folder.path(),
        &["query", "-", "--data", "DeviceEvents=-"],
        b"DeviceEvents",
    );
    assert_eq!(code(&output), 3);
    assert!(err(&output).contains("standard input cannot hold the query and the data"));
    let long = b"{\"FileName\":\"a\"}\n".repeat(200_000);
    let output = rulec_with(
        folder.path(),
        &[&arguments[..], &["--memory", "1"]].concat(),
        &long,
    );
    assert_eq!(code(&output), 2);
    assert!(
        err(&output).contains("error[RR003]: standard input is kept in memory and is too long for its limit"),
        "{}",
        err(&output)
    );
}

#[test]
fn files_that_are_cut_off() {
    let lines: String = (0..5_000_u64)
        .map(|n| {
            format!(
                "{{\"FileName\":\"{:x}\"}}\n",
                n.wrapping_mul(0x9e37_79b9_7f4a_7c15)
            )
        })
        .collect();
    let packed = gzip(lines.as_bytes());
    let folder = folder(&[
        ("DeviceEvents.json.gz", &packed[..packed.len() / 2]),
        ("DeviceInfo.json", b"{\"DeviceId\":\"x\"}\n{\"DeviceId\":\"y"),
        ("empty.json", b""),
        ("page.json", b"<html><body>Sign in</body></html>"),
    ]);
    let root = folder.path();
    let said = refused(
        root,
        "DeviceEvents | count",
        &["--data", "DeviceEvents.json.gz"],
        2,
    );
    assert!(
        said.contains("error[RR006]: `DeviceEvents.json.gz` cannot be read beyond line "),
        "{said}"
    );
    assert!(
        said.contains("the gzip data ends too early, so the file is cut off"),
        "{said}"
    );
    let output = query(
        root,
        "DeviceEvents | count",
        &["--data", "DeviceEvents.json.gz", "--lenient"],
    );
    assert_eq!(code(&output), 0);
    let kept: usize = out(&output).lines().nth(1).unwrap().parse().unwrap();
    assert!(kept > 1_000 && kept < 5_000, "{kept}");
    let said = err(&output);
    assert!(
        said.starts_with("warning: `DeviceEvents.json.gz` cannot be read beyond line"),
        "{said}"
    );
    assert!(
        said.contains(&format!("; the {kept} rows in front of that are used")),
        "{said}"
    );
    let said = refused(root, "DeviceInfo | count", &["--data", "DeviceInfo.json"], 2);
    assert!(said.contains("DeviceInfo.json:2: "), "{said}");
    let output = query(
        root,
        "DeviceInfo | count",
        &["--data", "DeviceInfo.json", "--lenient"],
    );
    assert_eq!(out(&output), "Count\n1\n");
    assert!(err(&output).starts_with("warning: DeviceInfo.json: skipped 1 malformed line"));
    assert_eq!(
        given(root, "DeviceInfo | count", &["--data", "DeviceInfo=empty.json"]),
        "0"
    );
    let said = refused(root, "DeviceInfo | count", &["--data", "DeviceInfo=page.json"], 2);
    assert!(said.contains("page.json:1: this is not a JSON object"), "{said}");
}

#[test]
fn columns_of_the_wrong_type_are_named() {
    let folder = folder(&[(
        "DeviceEvents.csv",
        b"Timestamp,ProcessId\nlast week,12\nthis week,many\n",
    )]);
    let text = "DeviceEvents | where Timestamp < now() or ProcessId == 12 | count";
    let output = query(folder.path(), text, &["--data", "DeviceEvents.csv"]);
    assert_eq!(out(&output), "Count\n1\n");
    assert_eq!(
        err(&output),
        "warning: no value of the column `Timestamp` could be read, so it is null everywhere; the first: DeviceEvents.csv:2: `last week` is no datetime\n"
    );
}

#[test]
fn tables_that_nobody_asks_for_are_named() {
    let folder = common::repository();
    fs::write(folder.path().join("x.json"), "{}\n").unwrap();
    let data = [
        "run",
        "--data",
        "DeviceProcesEvents=x.json",
        "--data",
        "DeviceInfo=x.json",
    ];
    let said = err(&rulec(folder.path(), &data));
    assert!(
        said.contains("warning: data was given for `DeviceProcesEvents`, which no rule reads; did you mean `DeviceProcessEvents`?"),
        "{said}"
    );
    assert!(!said.contains("`DeviceInfo`, which"), "{said}");
}

#[test]
fn data_from_outside() {
    let folder = folder(&[
        ("list.csv", b"# address,score\n10.0.0.1,60\n10.0.0.2,40\n"),
        ("more.json", b"[{\"Ip\":\"10.0.0.3\",\"Score\":\"70\"}]"),
        ("lines.txt", b"first, line\nsecond\n"),
        ("vips.csv", b"SearchKey,Owner\r\nkim,\"Kim, CEO\"\r\n"),
        (
            "profiles.tsv",
            b"SHA1\tGlobalPrevalence\tSigner\nabc\t7\tContoso\n",
        ),
        (
            "DeviceFileEvents.json",
            b"{\"SHA1\":\"abc\"}\n{\"SHA1\":\"def\"}\n",
        ),
    ]);
    let root = folder.path();
    let feed = "externaldata(Ip:string, Score:int)['https://x.test/list.csv?a=b', 'https://x.test/more'] with (format='csv', ignoreFirstRecord=true) | where Score > 50 | project Ip";
    let list = ["--data", "externaldata:https://x.test/list.csv?a=b=list.csv"];
    let more = ["--data", "externaldata:https://x.test/more=more.json"];
    assert_eq!(given(root, feed, &[list, more].concat()), "10.0.0.1 10.0.0.3");
    let said = refused(root, feed, &more, 2);
    assert!(
        said.contains("error[RR002]: no data was given for `externaldata:https://x.test/list.csv?a=b`; add --data 'externaldata:https://x.test/list.csv?a=b=PATH'"),
        "{said}"
    );
    let text = "externaldata(Line:string)[h@'https://x.test/lines.txt'] | count";
    let data = ["--data", "externaldata:https://x.test/lines.txt=lines.txt"];
    assert_eq!(given(root, text, &data), "2");
    let text = "_GetWatchlist('vips') | where SearchKey == 'kim' | project Owner";
    assert_eq!(
        given(root, text, &["--data", "watchlist:vips=vips.csv"]),
        "\"Kim, CEO\""
    );
    let said = refused(root, text, &[], 2);
    assert!(said.contains("add --data watchlist:vips=PATH"), "{said}");
    let text = "DeviceFileEvents | invoke FileProfile(SHA1) | project SHA1, GlobalPrevalence, ProfileAvailability | order by SHA1 asc";
    let events = ["--data", "DeviceFileEvents.json"];
    let profiles = ["--data", "FileProfile=profiles.tsv"];
    assert_eq!(
        given(root, text, &[events, profiles].concat()),
        "abc,7,Available def,,Missing"
    );
    let said = refused(root, text, &events, 2);
    assert!(said.contains("add --data FileProfile=PATH"), "{said}");
}

#[test]
fn columns_that_nobody_knows_are_kept() {
    let folder = folder(&[("mine.json", b"{\"Host\":\"a\",\"Score\":5,\"Extra\":{\"k\":1}}\n")]);
    let data = ["--data", "Mine_CL=mine.json"];
    let output = query(folder.path(), "Mine_CL | where Score > 1", &data);
    assert!(out(&output).contains("Extra"), "{}", out(&output));
    assert!(out(&output).contains("{\"\"k\"\":1}"), "{}", out(&output));
    let output = query(folder.path(), "Mine_CL | extend Twice = Score * 2", &data);
    assert_eq!(
        out(&output).lines().next(),
        Some("Score,Twice,Host,Extra"),
        "{}",
        err(&output)
    );
}

#[test]
fn files_of_columns() {
    let folder = folder(&[("DeviceEvents.parquet", b"PAR1 and so on")]);
    let said = refused(folder.path(), NAMES, &["--data", "DeviceEvents.parquet"], 2);
    let expected = if cfg!(feature = "parquet") {
        "error[RR006]: `DeviceEvents.parquet` cannot be read as Parquet: "
    } else {
        "error[RR006]: `DeviceEvents.parquet` is a file in the format Parquet, which this program was built without"
    };
    assert!(said.contains(expected), "{said}");
}
