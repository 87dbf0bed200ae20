//! `rulec golden`: what the rules give now against what was blessed.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use similar::TextDiff;

use crate::{
    build::Options,
    output::Folder,
    pipeline::{Compilation, Pipeline},
};

/// A golden file that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Path below golden/.
    pub path: String,
    /// Unified diff, blessed against produced.
    pub diff: String,
}

/// What an update did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Files written.
    pub written: usize,
    /// Files no rule produces any more.
    pub removed: usize,
    /// Files that were as they should be.
    pub unchanged: usize,
}

/// Every golden file of the rules: all artifacts but the copies of rulec's own
/// sources and the bundles, which say again what others say, the canonical models, and the dumps of the algebra.
pub fn produce(pipeline: &Pipeline, compilation: &Compilation) -> BTreeMap<String, Vec<u8>> {
    let options = Options {
        bundles: Some(Vec::new()),
        ..Options::default()
    };
    let mut files = pipeline.build(compilation, &options).artifacts;
    for (document, rule) in compilation.sound() {
        let name = rulec_emit::file_name(&rule.id);
        let mut model = serde_json::to_string_pretty(rule).unwrap_or_default();
        model.push('\n');
        files.insert(format!("model/{name}.json"), model.into_bytes());
        for (index, bound) in document.queries.iter().enumerate() {
            let suffix = if document.queries.len() > 1 {
                format!(".{}", index + 1)
            } else {
                String::new()
            };
            files.insert(
                format!("ir/{name}{suffix}.txt"),
                rulec_ir::dump(&bound.ir).into_bytes(),
            );
        }
    }
    files
}

/// Compares with a golden folder. `whole`: files that nothing produces count too.
pub fn compare(
    produced: &BTreeMap<String, Vec<u8>>,
    golden: &Path,
    whole: bool,
) -> Result<Vec<Difference>, String> {
    let unusable = |e: std::io::Error| format!("{} cannot be used: {e}", golden.display());
    // Before the first update there is nothing to compare with, and comparing creates nothing.
    let folder = Folder::open(golden).map_err(unusable)?;
    let blessed = match &folder {
        Some(folder) => folder.files().map_err(unusable)?,
        None => BTreeSet::new(),
    };
    let mut paths: BTreeSet<&String> = produced.keys().collect();
    if whole {
        paths.extend(&blessed);
    }
    let mut differences = Vec::new();
    for path in paths {
        // The ledger is about all rules at once.
        if !whole && path == "losses.json" {
            continue;
        }
        let new = produced.get(path);
        let old = folder.as_ref().and_then(|f| f.read(path));
        if new == old.as_ref() {
            continue;
        }
        let text = |bytes: Option<&Vec<u8>>| {
            bytes.map_or_else(String::new, |b| String::from_utf8_lossy(b).into_owned())
        };
        let (old_text, new_text) = (text(old.as_ref()), text(new));
        let name = |side: &str, there: bool| {
            if there {
                format!("{side}/{path}")
            } else {
                "/dev/null".to_owned()
            }
        };
        let diff = TextDiff::from_lines(&old_text, &new_text)
            .unified_diff()
            .context_radius(3)
            .header(&name("golden", old.is_some()), &name("produced", new.is_some()))
            .to_string();
        differences.push(Difference {
            path: path.clone(),
            diff,
        });
    }
    Ok(differences)
}

/// Rewrites a golden folder. `whole`: removes what nothing produces.
pub fn update(produced: &BTreeMap<String, Vec<u8>>, golden: &Path, whole: bool) -> Result<Changed, String> {
    let folder = Folder::create(golden).map_err(|e| format!("{} cannot be used: {e}", golden.display()))?;
    let mut changed = Changed::default();
    for (path, bytes) in produced {
        if !whole && path == "losses.json" {
            continue;
        }
        if folder.read(path).as_ref() == Some(bytes) {
            changed.unchanged += 1;
        } else {
            folder
                .write(path, bytes)
                .map_err(|e| format!("{path} cannot be written: {e}"))?;
            changed.written += 1;
        }
    }
    if whole {
        for path in folder.files().map_err(|e| e.to_string())? {
            if !produced.contains_key(&path) {
                folder
                    .remove(&path)
                    .map_err(|e| format!("{path} cannot be removed: {e}"))?;
                changed.removed += 1;
            }
        }
    }
    Ok(changed)
}

/// Whether this runs where nobody reads a diff: the variable CI is set.
pub fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}
