//! `rulec changelog`: the version histories of all rules as one page.
//!
//! In: documents, and a revision if only what is new since then is asked for.
//! Out: Markdown or JSON, newest first, rows without a date last.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::PathBuf,
};

use rulec_functions::text;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    VERSION,
    diff::plain,
    load::{Want, load},
    pipeline::{Compilation, Pipeline},
    revision,
};

/// One row of a version history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Entry {
    /// When, as `2026-01-31` where the document says it so that it can be read.
    pub date: Option<String>,
    /// Id of the rule.
    pub rule: String,
    /// Its title.
    pub title: String,
    /// The version.
    pub version: String,
    /// `minor` or `major`, as written.
    pub impact: Option<String>,
    /// What changed.
    pub notes: String,
}

/// The rows asked for, newest first; as JSON its schema is `schema/changelog.schema.json`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Changelog {
    /// The version of rulec.
    pub rulec: String,
    /// The rows.
    pub entries: Vec<Entry>,
}

/// The version histories of rules.
pub fn run(pipeline: &Pipeline, since: Option<&str>, paths: &[PathBuf]) -> Result<Changelog, String> {
    let known = match since {
        Some(from) => {
            let former = revision::former(pipeline, from)?;
            let then = former.pipeline.as_ref().unwrap_or(pipeline);
            rows(&then.compile_loaded(former.loaded, &[], false))
        }
        None => Vec::new(),
    };
    let known: BTreeSet<(String, String)> = known.into_iter().map(|row| (row.rule, row.version)).collect();
    let root = &pipeline.repository.root;
    let loaded = load(root, &pipeline.paths(paths), Want::Documents);
    let mut entries = rows(&pipeline.compile_loaded(loaded, paths, false));
    entries.retain(|row| !known.contains(&(row.rule.clone(), row.version.clone())));
    entries.sort_by_key(|row| {
        let version = rulec_change::parts(&row.version);
        (Reverse(row.date.clone()), row.rule.clone(), Reverse(version))
    });
    Ok(Changelog {
        rulec: VERSION.to_owned(),
        entries,
    })
}

fn rows(compilation: &Compilation) -> Vec<Entry> {
    let mut found = Vec::new();
    for rule in compilation
        .documents
        .iter()
        .filter_map(|document| document.rule())
    {
        found.extend(rule.versions.iter().map(|row| Entry {
            date: row.date.as_deref().map(day).filter(|date| !date.is_empty()),
            rule: rule.id.clone(),
            title: rule.title.clone(),
            version: row.version.clone(),
            impact: row.impact.clone(),
            notes: row.notes.split_whitespace().collect::<Vec<_>>().join(" "),
        }));
    }
    found
}

/// A date as `2026-01-31` if it can be read, else as written.
fn day(written: &str) -> String {
    match text::parse_datetime(written.trim()) {
        Some(ticks) => text::print_datetime(ticks).chars().take(10).collect(),
        None => written.trim().to_owned(),
    }
}

impl Changelog {
    /// As JSON.
    pub fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// As Markdown, a heading for each day.
    pub fn markdown(&self) -> String {
        let mut days: BTreeMap<Reverse<Option<&str>>, Vec<&Entry>> = BTreeMap::new();
        for entry in &self.entries {
            days.entry(Reverse(entry.date.as_deref()))
                .or_default()
                .push(entry);
        }
        let mut out = "# Changelog\n".to_owned();
        if days.is_empty() {
            out.push_str("\nNothing new.\n");
        }
        for (Reverse(date), entries) in days {
            let _ = writeln!(
                out,
                "\n## {}\n",
                date.map_or_else(|| "Without a date".to_owned(), plain)
            );
            for entry in entries {
                let impact = entry
                    .impact
                    .as_deref()
                    .map_or_else(String::new, |i| format!(" ({})", plain(i)));
                let notes = if entry.notes.is_empty() {
                    String::new()
                } else {
                    format!(": {}", plain(&entry.notes))
                };
                let _ = writeln!(
                    out,
                    "- `{}` {}{impact}, {}{notes}",
                    entry.rule.replace('`', "'"),
                    plain(&entry.version),
                    plain(&entry.title)
                );
            }
        }
        out
    }
}
