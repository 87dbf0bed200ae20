//! `cargo dev lints`: docs/lints.md, from the pages of the lints.

use std::fs;

use crate::test::root;

/// Where the pages are read by people.
const PATH: &str = "docs/lints.md";

/// Options of `cargo dev lints`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail when the file is stale.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let text = rulec_driver::list::lints_page();
    let full = root().join(PATH);
    if fs::read_to_string(&full).is_ok_and(|old| old == text) {
        return Ok(());
    }
    if arguments.check {
        return Err(format!(
            "{PATH} is not what the pages of the lints say; run `cargo dev lints`"
        ));
    }
    if let Some(folder) = full.parent() {
        fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    fs::write(&full, text).map_err(|e| format!("{PATH}: {e}"))?;
    println!("wrote {PATH}");
    Ok(())
}
