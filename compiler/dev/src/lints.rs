//! `cargo dev lints`: docs/lints.md and docs/codes.md, from the pages of lints and other findings.

use std::fs;

use crate::test::root;

/// Options of `cargo dev lints`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail when a file is stale.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    write(arguments, "docs/lints.md", &rulec_driver::list::lints_page())?;
    write(arguments, "docs/codes.md", &rulec_driver::list::codes_page())
}

/// Writes one page where people read it, unless it is there already.
fn write(arguments: &Arguments, path: &str, text: &str) -> Result<(), String> {
    let full = root().join(path);
    if fs::read_to_string(&full).is_ok_and(|old| old == text) {
        return Ok(());
    }
    if arguments.check {
        return Err(format!(
            "{path} is not what the pages of the findings say; run `cargo dev lints`"
        ));
    }
    if let Some(folder) = full.parent() {
        fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    fs::write(&full, text).map_err(|e| format!("{path}: {e}"))?;
    println!("wrote {path}");
    Ok(())
}
