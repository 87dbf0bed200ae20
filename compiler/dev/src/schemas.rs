//! `cargo dev schemas`: the JSON Schemas that follow from the types.

use std::fs;

use crate::test::root;

/// Options of `cargo dev schemas`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail when a file is stale.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    for (path, text) in rulec_driver::schemas::all() {
        let full = root().join(path);
        if fs::read_to_string(&full).is_ok_and(|old| old == text) {
            continue;
        }
        if arguments.check {
            return Err(format!(
                "{path} is not what the types say; run `cargo dev schemas`"
            ));
        }
        fs::write(&full, text).map_err(|e| format!("{path}: {e}"))?;
        println!("wrote {path}");
    }
    Ok(())
}
