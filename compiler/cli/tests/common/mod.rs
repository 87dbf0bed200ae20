//! Running the binary in a folder.
// Each test binary uses its part; a test may panic.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

pub fn rulec(folder: &Path, arguments: &[&str]) -> Output {
    rulec_with(folder, arguments, b"")
}

pub fn rulec_with(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rulec"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("CI")
        .env_remove("RULEC_CONFIG")
        .env("RULEC_NO_CACHE", "1")
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input closes the pipe early.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

pub fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The folder of the workspace.
pub fn root() -> PathBuf {
    std::fs::canonicalize(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).unwrap()
}

/// Runs git as somebody; whether it is there and did it.
pub fn git(folder: &Path, arguments: &[&str]) -> bool {
    Command::new("git")
        .arg("-C")
        .arg(folder)
        .args([
            "-c",
            "user.name=Somebody",
            "-c",
            "user.email=somebody@example.org",
        ])
        .args(["-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .output()
        .is_ok_and(|output| output.status.success())
}

/// A folder with one rule, as `rulec new` writes it.
pub fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let made = rulec(folder.path(), &["new", "T-0001", "A rule to try"]);
    assert_eq!(code(&made), 0, "{}", err(&made));
    folder
}
