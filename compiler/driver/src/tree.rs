//! A build on disk: written so that the next one can tell what it changes.
//!
//! In: a build and a folder. Out: the folder's files and a manifest for each
//! target; what is new, changed, the same and gone since the manifest that was
//! there. A file is removed when a former build wrote it, this one did not,
//! and nobody touched it since; everything else that is in the way is told.
//! A file that stays the same is not written again.
//!
//! [`verify`] asks the other way round: whether the files are what the
//! manifests say.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

use rayon::prelude::*;
use rulec_emit::{Target, targets};
use rulec_source::{Diagnostic, SourceFile, Span, render};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    VERSION,
    build::Built,
    codes,
    manifest::{self, Manifest, sha256},
    output::{Folder, Read},
};

/// What a write did.
#[derive(Default)]
pub struct Written {
    /// By target.
    pub changes: BTreeMap<&'static str, Changes>,
    /// What somebody should know: files that were edited or that no build
    /// wrote, and manifests that cannot be used, whose targets are not written.
    findings: Vec<(SourceFile, Diagnostic)>,
}

/// What changed below a target's folder, without copies of rulec's own sources.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Changes {
    /// Whether there was no manifest to compare with.
    pub first: bool,
    /// Artifacts that the manifest did not name.
    pub new: Vec<Change>,
    /// Artifacts with other bytes than the manifest says.
    pub changed: Vec<Change>,
    /// Artifacts of a former build that are gone.
    pub removed: Vec<Change>,
    /// How many are as they were.
    pub unchanged: usize,
}

/// An artifact that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// Path below the output folder.
    pub path: String,
    /// What it is: `arm`.
    pub kind: String,
    /// Id of the rule it is made of, if it is made of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

impl Changes {
    /// How many artifacts there are now.
    pub fn artifacts(&self) -> usize {
        self.new.len() + self.changed.len() + self.unchanged
    }
}

impl Written {
    /// What somebody should know.
    pub fn findings(&self) -> Vec<render::Finding<'_>> {
        findings(&self.findings)
    }

    /// What changed, for a person; `out` is the folder as they named it.
    pub(crate) fn report(&self, out: &str) -> String {
        let mut text = String::new();
        let all = || self.changes.values();
        let count = |of: fn(&Changes) -> usize| all().map(of).sum::<usize>();
        let later: Vec<&Changes> = all().filter(|changes| !changes.first).collect();
        for name in ["new", "changed", "removed"] {
            // What is there for the first time needs no list.
            let lists = later.iter().map(|changes| match name {
                "new" => &changes.new,
                "changed" => &changes.changed,
                _ => &changes.removed,
            });
            let paths: Vec<&str> = lists.flatten().map(|change| change.path.as_str()).collect();
            for path in paths.iter().take(MOST_SHOWN) {
                let _ = writeln!(text, "{name:<9} {path}");
            }
            if paths.len() > MOST_SHOWN {
                let _ = writeln!(text, "{name:<9} and {} more", paths.len() - MOST_SHOWN);
            }
        }
        let artifacts = count(Changes::artifacts);
        let counts = [
            (count(|changes| changes.new.len()), "new"),
            (count(|changes| changes.changed.len()), "changed"),
            (count(|changes| changes.unchanged), "unchanged"),
            (count(|changes| changes.removed.len()), "removed"),
        ];
        let counts: Vec<String> = counts
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, name)| format!("{n} {name}"))
            .collect();
        let counts = match counts.as_slice() {
            [] => String::new(),
            [one] if artifacts > 0 && one.starts_with(&format!("{artifacts} ")) => {
                format!(", all {}", one.split(' ').next_back().unwrap_or_default())
            }
            several => format!(": {}", several.join(", ")),
        };
        let s = if artifacts == 1 { "" } else { "s" };
        let _ = write!(
            text,
            "{artifacts} artifact{s} in {out}{counts}; what was lost is in losses.json"
        );
        text
    }
}

/// Paths of a kind that a report lists; `--format json` has all.
const MOST_SHOWN: usize = 20;

fn findings(all: &[(SourceFile, Diagnostic)]) -> Vec<render::Finding<'_>> {
    all.iter()
        .map(|(file, diagnostic)| render::Finding {
            file,
            rule: None,
            diagnostic,
        })
        .collect()
}

/// Writes a build below `out`, each file whole. Fails when a file cannot be
/// written; the others are.
pub fn write(built: &Built, out: &Path) -> Result<Written, String> {
    let folder = Folder::create(out).map_err(|e| format!("{} cannot be written to: {e}", out.display()))?;
    let mut written = Written::default();
    let mut failed = Vec::new();
    for (target, manifest) in &built.manifests {
        if folder.is_link(target.name()) {
            let name = target.name();
            failed.push(format!(
                "{name} cannot be written: it is a symbolic link; rulec does not write through it"
            ));
            continue;
        }
        match former(&folder, out, target.name()) {
            Ok(former) => {
                let tree = Tree {
                    folder: &folder,
                    out,
                    target: *target,
                    former: former.as_ref().map(|(_, manifest)| manifest),
                    manifest,
                };
                failed.extend(tree.write(built, &mut written));
            }
            Err(refused) => written.findings.push(*refused),
        }
    }
    for (path, bytes) in built.files().filter(|(path, _)| built.origin(path).is_none()) {
        if let Err(error) = folder.write(path, bytes) {
            failed.push(format!("{path} cannot be written: {error}"));
        }
    }
    if failed.is_empty() {
        Ok(written)
    } else {
        Err(failed.join("\nerror: "))
    }
}

/// The manifest that is there, with its file.
#[allow(clippy::type_complexity)] // A file beside what it says, or a file beside what is wrong with it.
fn former(
    folder: &Folder,
    out: &Path,
    target: &str,
) -> Result<Option<(SourceFile, Manifest)>, Box<(SourceFile, Diagnostic)>> {
    let path = format!("{target}/{}", manifest::FILE);
    let shown = shown(out, &path);
    let refuse = |why: &str| {
        let diagnostic = Diagnostic::new(codes::MANIFEST_BROKEN, format!("this is no manifest: {why}"))
            .help("get the file that the build wrote, or empty the folder and build again");
        Err(Box::new((SourceFile::new(shown.as_str(), ""), diagnostic)))
    };
    match folder.look(&path, LONGEST) {
        Read::Missing => Ok(None),
        Read::Other(what) => refuse(what),
        Read::File(bytes) => {
            let Ok(text) = String::from_utf8(bytes) else {
                return refuse("it is not UTF-8 text");
            };
            let file = SourceFile::new(shown.as_str(), text);
            match Manifest::read(&file, target) {
                Ok(manifest) => Ok(Some((file, manifest))),
                Err(diagnostic) => Err(Box::new((file, *diagnostic))),
            }
        }
    }
}

/// Bytes of a manifest, at most: a hundred thousand rules.
const LONGEST: u64 = 256 << 20;

/// A path as the user would write it.
fn shown(out: &Path, path: &str) -> String {
    let here = std::env::current_dir().ok();
    let here = here.and_then(|here| out.strip_prefix(here).ok().map(Path::to_path_buf));
    let out = here.as_deref().unwrap_or(out);
    out.join(path).display().to_string().replace('\\', "/")
}

/// One target's folder.
struct Tree<'a> {
    folder: &'a Folder,
    out: &'a Path,
    target: &'static dyn Target,
    former: Option<&'a Manifest>,
    manifest: &'a Manifest,
}

/// What became of a file.
enum Done {
    Same,
    Other {
        /// It had other bytes than a build gave it.
        edited: bool,
    },
    Failed(String),
}

impl Tree<'_> {
    fn below(&self, path: &str) -> String {
        format!("{}/{path}", self.target.name())
    }

    /// Removes, writes, and says what changed. Gives what could not be done.
    fn write(&self, built: &Built, written: &mut Written) -> Vec<String> {
        let mut failed = Vec::new();
        let now: BTreeMap<&str, &manifest::Entry> = entries(self.manifest);
        let before: BTreeMap<&str, &manifest::Entry> = self.former.map(entries).unwrap_or_default();
        let mut changes = Changes {
            first: self.former.is_none(),
            ..Changes::default()
        };
        let change = |entry: &manifest::Entry| Change {
            path: self.below(&entry.path),
            kind: entry.kind.clone(),
            rule: entry.rule.clone(),
        };
        let is_told = |entry: &manifest::Entry| {
            let path = self.below(&entry.path);
            !built.verbatim.contains_key(&path) && entry.kind != VENDORED
        };

        // What goes makes room: a folder may become a file, or a file differ in case only.
        let mut left = BTreeSet::new();
        for (path, entry) in before.iter().filter(|(path, _)| !now.contains_key(*path)) {
            let below = self.below(path);
            let bytes = match self.folder.look(&below, u64::MAX) {
                Read::Missing => None,
                Read::File(bytes) => Some(bytes),
                Read::Other(_) => Some(Vec::new()),
            };
            if bytes.as_ref().is_some_and(|bytes| sha256(bytes) != entry.sha256) {
                left.insert((*path).to_owned());
                continue;
            }
            if bytes.is_some()
                && let Err(error) = self.folder.remove(&below)
            {
                failed.push(format!("{below} cannot be removed: {error}"));
                continue;
            }
            if is_told(entry) {
                changes.removed.push(change(entry));
            }
        }

        let files: Vec<(&str, &manifest::Entry, String, &Vec<u8>)> = now
            .iter()
            .filter_map(|(path, entry)| {
                let below = self.below(path);
                let bytes = built.bytes(&below)?;
                Some((*path, *entry, below, bytes))
            })
            .collect();
        let done: Vec<Done> = files
            .par_iter()
            .map(|(path, _, below, bytes)| {
                let there = match self.folder.look(below, u64::MAX) {
                    Read::File(there) if there == **bytes => return Done::Same,
                    Read::File(there) => Some(there),
                    Read::Missing | Read::Other(_) => None,
                };
                if let Err(error) = self.folder.write(below, bytes) {
                    return Done::Failed(format!("{below} cannot be written: {error}"));
                }
                let was = before.get(path);
                let edited = there.is_some_and(|there| was.is_none_or(|was| sha256(&there) != was.sha256));
                Done::Other { edited }
            })
            .collect();
        let mut replaced = Vec::new();
        for ((path, entry, ..), done) in files.into_iter().zip(done) {
            match done {
                Done::Failed(why) => failed.push(why),
                Done::Other { edited: true } => replaced.push(path.to_owned()),
                Done::Same | Done::Other { .. } => {}
            }
            if is_told(entry) {
                match before.get(path) {
                    Some(was) if was.sha256 == entry.sha256 => changes.unchanged += 1,
                    Some(_) => changes.changed.push(change(entry)),
                    None => changes.new.push(change(entry)),
                }
            }
        }

        if failed.is_empty() {
            let path = self.below(manifest::FILE);
            if let Err(error) = self.folder.write(&path, &self.manifest.bytes()) {
                failed.push(format!("{path} cannot be written: {error}"));
            }
            let known = |path: &str| now.contains_key(path) || left.contains(path);
            match strangers(self.folder, self.target, known) {
                Ok(strangers) => {
                    self.tell(codes::ARTIFACT_LEFT, &left, written);
                    self.tell(codes::ARTIFACT_REPLACED, &replaced, written);
                    self.tell(codes::STRANGE_FILE, &strangers, written);
                }
                Err(error) => failed.push(error),
            }
        }
        written.changes.insert(self.target.name(), changes);
        failed
    }

    /// One finding for all files of which there is the same to say.
    fn tell<'p>(
        &self,
        code: rulec_source::Code,
        paths: impl IntoIterator<Item = &'p String>,
        written: &mut Written,
    ) {
        let paths: Vec<&str> = paths.into_iter().map(String::as_str).collect();
        if paths.is_empty() {
            return;
        }
        let one = paths.len() == 1;
        let (was, is) = if one { ("was", "is") } else { ("were", "are") };
        let (it, left) = if one {
            ("it", "it is")
        } else {
            ("them", "they are")
        };
        let (what, help) = match code.id {
            id if id == codes::ARTIFACT_LEFT.id => (
                format!(
                    "{was} edited after a build wrote {it}, and no rule gives {it} any more; left as {left}"
                ),
                "remove what is not needed by hand",
            ),
            id if id == codes::ARTIFACT_REPLACED.id => (
                format!("{is} not what the last build wrote, and {was} replaced"),
                "change the rule's document or the templates, and keep other files elsewhere",
            ),
            _ => (
                format!("{was} not written by a build; left as {left}"),
                "remove what an older rulec left there, and keep other files elsewhere",
            ),
        };
        let message = format!("{} {what}", listed(&paths));
        let file = SourceFile::new(shown(self.out, self.target.name()), "");
        written
            .findings
            .push((file, Diagnostic::new(code, message).help(help)));
    }
}

/// `a`, `b` and 7 more.
fn listed(paths: &[&str]) -> String {
    const MOST: usize = 5;
    let shown: Vec<String> = paths.iter().take(MOST).map(|path| format!("`{path}`")).collect();
    match (shown.split_last(), paths.len().saturating_sub(MOST)) {
        (_, more) if more > 0 => format!("{} and {more} more", shown.join(", ")),
        (Some((last, [])), _) => last.clone(),
        (Some((last, others)), _) => format!("{} and {last}", others.join(", ")),
        (None, _) => String::new(),
    }
}

/// The kind of copies of rulec's own sources.
const VENDORED: &str = "vendored";

fn entries(manifest: &Manifest) -> BTreeMap<&str, &manifest::Entry> {
    manifest
        .artifacts
        .iter()
        .map(|entry| (entry.path.as_str(), entry))
        .collect()
}

/// Files below a target's folder that no build wrote. Hidden ones are nobody's
/// business, and neither are those that users of the artifacts leave.
fn strangers(
    folder: &Folder,
    target: &dyn Target,
    known: impl Fn(&str) -> bool,
) -> Result<Vec<String>, String> {
    let leaves = target.leaves();
    let passed = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        name.starts_with('.') || leaves.contains(&path)
    };
    let files = folder
        .files_below(target.name(), &passed)
        .map_err(|error| format!("{} cannot be looked through: {error}", target.name()))?;
    Ok(files
        .into_iter()
        .filter(|path| path != manifest::FILE && !known(path))
        .collect())
}

/// What [`verify`] found.
pub struct Verified {
    /// Manifests that were looked at.
    pub manifests: usize,
    /// Files that are as their manifest says.
    pub files: usize,
    findings: Vec<(SourceFile, Diagnostic)>,
}

impl Verified {
    /// What is not as a manifest says.
    pub fn findings(&self) -> Vec<render::Finding<'_>> {
        findings(&self.findings)
    }
}

/// Whether the files below `out` are what the manifests of the targets say;
/// all targets that have one when `names` is empty. `out` may also be the
/// folder of one target. Nothing is written.
pub fn verify(out: &Path, names: &[String]) -> Result<Verified, String> {
    let mut verified = Verified {
        manifests: 0,
        files: 0,
        findings: Vec::new(),
    };
    // Of one target alone, wherever it was brought to.
    let parent = out.parent().filter(|_| out.join(manifest::FILE).is_file());
    let alone = out.file_name().and_then(|name| name.to_str());
    let (root, only) = match (parent, alone) {
        (Some(parent), Some(alone)) if targets::by_name(alone).is_some() => {
            let parent = if parent.as_os_str().is_empty() {
                Path::new(".")
            } else {
                parent
            };
            (parent, Some(alone))
        }
        _ => (out, None),
    };
    let folder = Folder::open(root)
        .map_err(|error| format!("{} cannot be read: {error}", root.display()))?
        .ok_or_else(|| format!("there is no folder {}", root.display()))?;
    for target in targets::all() {
        let name = target.name();
        let asked = names.iter().any(|asked| asked == name);
        if only.is_some_and(|only| only != name) || !(asked || names.is_empty()) {
            continue;
        }
        match former(&folder, root, name) {
            Ok(Some((file, manifest))) => {
                verified.manifests += 1;
                one(&folder, *target, &file, &manifest, &mut verified)?;
            }
            Ok(None) if asked => verified.findings.push(none(root, name)),
            Ok(None) => {}
            Err(refused) => verified.findings.push(*refused),
        }
    }
    if verified.manifests == 0 && verified.findings.is_empty() {
        verified.findings.push(none(root, ""));
    }
    Ok(verified)
}

fn none(root: &Path, target: &str) -> (SourceFile, Diagnostic) {
    let folder = SourceFile::new(shown(root, target).trim_end_matches('/'), "");
    let diagnostic = Diagnostic::new(codes::NO_MANIFEST, format!("there is no {} here", manifest::FILE))
        .help("`rulec build` writes one for each target");
    (folder, diagnostic)
}

/// Holds the files of one target to its manifest.
fn one(
    folder: &Folder,
    target: &dyn Target,
    file: &SourceFile,
    manifest: &Manifest,
    verified: &mut Verified,
) -> Result<(), String> {
    let wrong: Vec<Option<Diagnostic>> = manifest
        .artifacts
        .par_iter()
        .map(|entry| {
            let path = &entry.path;
            let diagnostic = match folder.look(&format!("{}/{path}", target.name()), u64::MAX) {
                Read::File(bytes) if sha256(&bytes) == entry.sha256 && bytes.len() as u64 == entry.size => {
                    return None;
                }
                Read::File(_) => Diagnostic::new(
                    codes::ARTIFACT_DIFFERS,
                    format!("`{path}` is not what the build wrote"),
                ),
                Read::Missing => Diagnostic::new(codes::ARTIFACT_MISSING, format!("`{path}` is not there")),
                Read::Other(what) => Diagnostic::new(codes::ARTIFACT_DIFFERS, format!("`{path}`: {what}")),
            };
            let quoted = serde_json::to_string(path).unwrap_or_default();
            let at = file.text.find(&quoted).unwrap_or_default();
            Some(
                diagnostic
                    .at(Span::new(at, at + quoted.len()))
                    .help("build again"),
            )
        })
        .collect();
    let all = wrong.len();
    let wrong: Vec<Diagnostic> = wrong.into_iter().flatten().collect();
    verified.files += all - wrong.len();
    verified
        .findings
        .extend(wrong.into_iter().map(|diagnostic| (file.clone(), diagnostic)));
    let known: BTreeSet<&str> = manifest
        .artifacts
        .iter()
        .map(|entry| entry.path.as_str())
        .collect();
    for path in strangers(folder, target, |path| known.contains(path))? {
        let diagnostic = Diagnostic::new(
            codes::ARTIFACT_UNKNOWN,
            format!("`{path}` is in the folder and not in the manifest"),
        )
        .help("remove it, or keep it elsewhere");
        verified.findings.push((file.clone(), diagnostic));
    }
    Ok(())
}

/// `rulec build --format json`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report<'a> {
    /// Version of rulec.
    pub rulec: &'a str,
    /// The folder that was written to, as it was named.
    pub out: &'a str,
    /// By target.
    pub targets: BTreeMap<&'a str, TargetReport<'a>>,
}

/// What a build did for a target.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TargetReport<'a> {
    /// Rules' queries that went to it.
    pub rules: usize,
    /// Whether its folder was written: not when its manifest cannot be used.
    pub written: bool,
    /// What changed since the manifest that was there.
    #[serde(flatten)]
    pub changes: &'a Changes,
}

impl Built {
    /// What the build did, for tools; its schema is `schema/build.schema.json`.
    pub fn json(&self, out: &str, written: &Written) -> String {
        let nothing = Changes::default();
        let targets = self
            .counts
            .iter()
            .map(|(target, rules)| {
                let changes = written.changes.get(target);
                let report = TargetReport {
                    rules: *rules,
                    written: changes.is_some(),
                    changes: changes.unwrap_or(&nothing),
                };
                (*target, report)
            })
            .collect();
        let report = Report {
            rulec: VERSION,
            out,
            targets,
        };
        let mut text = serde_json::to_string_pretty(&report).unwrap_or_default();
        text.push('\n');
        text
    }
}
