//! Runs the rules over exported events; `--help` says how.

use std::process::ExitCode;

fn main() -> ExitCode {
    rulec_runtime::cli::main(&rulec_rules::rules())
}
