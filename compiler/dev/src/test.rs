//! `cargo dev test`: everything that must pass before a change lands.
//!
//! Each step is a process of its own, printed before it runs, so that a red
//! run says what to repeat by hand.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

/// Where the repository is: this crate stands two folders below it.
pub(crate) fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map(PathBuf::from).unwrap_or(here)
}

/// Options of `cargo dev test`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Leave out what takes minutes: the emitted Rust and cargo-deny.
    #[arg(long)]
    quick: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    if !root().join("../shared").is_dir() {
        println!(
            "skipped: what compares with public rules and reference answers, because ../shared is not there"
        );
    }
    step("cargo", &["fmt", "--all", "--check"])?;
    step(
        "cargo",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ],
    )?;
    step("cargo", &["test", "--workspace", "--locked"])?;
    step("cargo", &["build", "--release", "--locked"])?;
    let rulec = rulec();
    step(&rulec, &["check"])?;
    step(&rulec, &["fmt", "--kql", "--check"])?;
    step(&rulec, &["golden", "check"])?;
    catalog(&rulec)?;
    let covered = ["test", "--schedule", "--coverage", "--coverage-min", "100"];
    if arguments.quick {
        return step(&rulec, &covered);
    }
    step(&rulec, &[&covered[..], &["--native"]].concat())?;
    // One package of all shipped rules, query cases and public rules: it builds
    // without warnings, its examples run, and it gives what the interpreter gives.
    let agreement = [
        "test",
        "--package",
        "rulec-emit",
        "--lib",
        "the_package",
        "--locked",
    ];
    step_with("cargo", &agreement, &[("RULEC_NATIVE", "1")])?;
    // The workspace's tests read files of columns; this is the command as it is shipped, with them built in.
    step(
        "cargo",
        &[
            "test",
            "--package",
            "rulec",
            "--features",
            "shipped",
            "--test",
            "inputs",
            "--locked",
        ],
    )?;
    deny()
}

/// The catalog of the shipped rules in a browser, where there is one.
fn catalog(rulec: &str) -> Result<(), String> {
    if !runs("node") || !runs("npm") {
        println!("skipped: the catalog in a browser, because there is no node");
        return Ok(());
    }
    let tests = root().join("tests/catalog");
    if !tests.join("node_modules/axe-core").is_dir() {
        let install = ["install", "--no-package-lock", "--no-audit", "--no-fund"];
        let prefix = tests.to_string_lossy().into_owned();
        if let Err(error) = step("npm", &[&["--prefix", &prefix], &install[..]].concat()) {
            println!("skipped: the catalog in a browser, because axe-core could not be installed ({error})");
            return Ok(());
        }
    }
    let site = root().join("target/catalog");
    let site = site.to_string_lossy();
    step(rulec, &["catalog", "--quiet", "--out", &site])?;
    step("node", &["tests/catalog/test.mjs", &site])
}

/// Whether a program is there.
fn runs(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The compiler as `cargo build --release` leaves it.
pub(crate) fn rulec() -> String {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), PathBuf::from)
        .join("release/rulec")
        .to_string_lossy()
        .into_owned()
}

/// Runs a command in the repository and fails with it.
pub(crate) fn step(program: &str, arguments: &[&str]) -> Result<(), String> {
    step_with(program, arguments, &[])
}

/// [`step`] with variables of its environment set.
fn step_with(program: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Result<(), String> {
    let set = variables.iter().map(|(name, value)| format!("{name}={value} "));
    println!("\n$ {}{program} {}", set.collect::<String>(), arguments.join(" "));
    let status = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .status()
        .map_err(|error| format!("{program} cannot be run: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{program} {}` failed", arguments.join(" ")))
    }
}

/// Licences, bans and sources of the dependencies; needs no network of its own.
fn deny() -> Result<(), String> {
    let installed = || {
        Command::new("cargo")
            .args(["deny", "--version"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    if !installed()
        && let Err(error) = step(
            "cargo",
            &["install", "cargo-deny", "--version", "^0.20", "--locked"],
        )
    {
        println!("skipped: cargo-deny could not be installed ({error})");
        return Ok(());
    }
    step(
        "cargo",
        &["deny", "--offline", "check", "bans", "licenses", "sources"],
    )
}
