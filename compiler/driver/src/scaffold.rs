//! `rulec new`: a document to start from.

use std::path::Path;

use rulec_source::SourceFile;

use crate::{load, output::Folder, pipeline::Pipeline};

/// The day of a time in ticks, like `2026-01-31`.
pub(crate) fn day(ticks: i64) -> String {
    let time = rulec_functions::text::print_datetime(ticks);
    time.split('T').next().unwrap_or_default().to_owned()
}

/// Writes `<id>.md` and returns its path. Never overwrites.
pub fn run(pipeline: &Pipeline, id: &str, title: &str, folder: Option<&Path>) -> Result<String, String> {
    if !rulec_read::is_safe_id(id) {
        return Err(format!(
            "`{id}` cannot be an id: it would not be a file name everywhere"
        ));
    }
    if title.trim().is_empty() {
        return Err("a rule needs a title".to_owned());
    }
    let folder = folder.map_or_else(
        || {
            let rules = &pipeline.repository.config.repository.rules;
            pipeline
                .repository
                .path(rules.first().map_or("rules", String::as_str))
        },
        Path::to_path_buf,
    );
    let name = format!("{id}.md");
    let path = folder.join(&name);
    if path.exists() {
        return Err(format!("{} exists", path.display()));
    }
    // In the layout `rulec fmt` gives it, so that the first commit stays as it is.
    let text = rulec_read::scaffold(id, title, &day(rulec_runtime::cli::clock()));
    let text = rulec_read::format_document(&SourceFile::new(name.as_str(), text));
    let place = Folder::create(&folder).map_err(|e| format!("{} cannot be used: {e}", folder.display()))?;
    place
        .write(&name, text.as_bytes())
        .map_err(|e| format!("{} cannot be written: {e}", path.display()))?;
    Ok(load::display(&pipeline.repository.root, &path))
}
