//! `manifest.json`: what a build wrote below a target's folder, and from what.
//!
//! In: a build, or the bytes of a file that may come from anywhere. Out: the
//! manifest, the same for the same rules on every machine; or where the file
//! is wrong. Nothing in it is believed: a path has to stay below the folder,
//! and what a file holds is asked of the file.
//!
//! Deliberately absent: any time, and reading or writing; see `tree`.

use std::collections::BTreeSet;

use rayon::prelude::*;
use rulec_emit::Target;
use rulec_facts::{Pack, attack::Attack};
use rulec_source::{Diagnostic, SourceFile, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    VERSION,
    build::{Built, Origin},
    cache::part,
    codes,
    output::is_safe,
    pipeline::{Pipeline, hex},
};

/// The name of the file, in the folder of each target.
pub const FILE: &str = "manifest.json";

/// The version of its format that this rulec writes, and the newest it reads.
const FORMAT: u32 = 1;

/// What a build wrote for a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// Of this format; a change of its meaning counts it up.
    pub format: u32,
    /// Version of rulec.
    pub rulec: String,
    /// `sentinel`
    pub target: String,
    /// The environment that the rules are built for, if they are for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentSource>,
    /// Versions of ATT&CK.
    pub attack: AttackVersions,
    /// SHA-256 of the tables that rules are bound against.
    pub tables: String,
    /// SHA-256 of the target's templates.
    pub templates: String,
    /// The files, sorted by path.
    pub artifacts: Vec<Entry>,
}

/// Where rules are deployed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EnvironmentSource {
    /// Its name.
    pub name: String,
    /// SHA-256 of its file.
    pub sha256: String,
}

/// Versions of ATT&CK.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttackVersions {
    /// That rules are written against.
    pub rules: String,
    /// That the target takes, if it has a say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// The part of a manifest that every version has.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Path below the folder of the manifest, with `/`.
    pub path: String,
    /// What it is, as the target's target.toml calls it: `arm`.
    pub kind: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Its length in bytes.
    pub size: u64,
    /// Id of the rule it is made of, if it is made of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The rule's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Path of its document in the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// SHA-256 of the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_sha256: Option<String>,
    /// Ids of the rules in a bundle, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
}

impl Manifest {
    /// The manifest of a target's part of a build.
    pub(crate) fn of(built: &Built, target: &dyn Target, pipeline: &Pipeline) -> Self {
        let pack = &pipeline.repository.pack;
        let overlay = pipeline.overlay.as_ref();
        let prefix = format!("{}/", target.name());
        let files: Vec<(&str, &Vec<u8>, &Origin)> = built
            .files()
            .filter_map(|(path, bytes)| Some((path.strip_prefix(&prefix)?, bytes, built.origin(path)?)))
            .collect();
        let mut artifacts: Vec<Entry> = files
            .into_par_iter()
            .map(|(path, bytes, origin)| {
                let source = origin.source.as_deref();
                Entry {
                    path: path.to_owned(),
                    kind: origin.kind.clone(),
                    sha256: sha256(bytes),
                    size: bytes.len() as u64,
                    rule: source.map(|source| source.rule.clone()),
                    version: source.map(|source| source.version.clone()),
                    document: source.map(|source| source.document.clone()),
                    document_sha256: source.map(|source| source.sha256.clone()),
                    rules: origin.rules.clone(),
                }
            })
            .collect();
        artifacts.sort_by(|a, b| a.path.cmp(&b.path));
        Self {
            format: FORMAT,
            rulec: VERSION.to_owned(),
            target: target.name().to_owned(),
            environment: overlay
                .and_then(|overlay| overlay.source())
                .map(|(name, file)| EnvironmentSource {
                    name: name.to_owned(),
                    sha256: sha256(file.text.as_bytes()),
                }),
            attack: AttackVersions {
                rules: pipeline.repository.config.check.attack.clone(),
                target: Attack::for_target(pack, target.name())
                    .ok()
                    .map(|attack| attack.version().to_owned()),
            },
            tables: files_sha256(pack, "schema/tables/"),
            templates: files_sha256(pack, &format!("templates/{}/", target.name())),
            artifacts,
        }
    }

    /// Its bytes: an entry on a line, so that a diff of two shows what changed.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let head = Self {
            artifacts: Vec::new(),
            ..self.clone()
        };
        let head = serde_json::to_string_pretty(&head).unwrap_or_default();
        let head = head.trim_end_matches("[]\n}");
        let entries: Vec<String> = self
            .artifacts
            .iter()
            .map(|entry| format!("\n    {}", serde_json::to_string(entry).unwrap_or_default()))
            .collect();
        format!("{head}[{}\n  ]\n}}\n", entries.join(",")).into_bytes()
    }

    /// Reads a manifest. The error is placed in the file.
    pub(crate) fn read(file: &SourceFile, target: &str) -> Result<Self, Box<Diagnostic>> {
        let text = &file.text;
        let whole = Span::new(0, text.lines().next().map_or(0, str::len));
        let wrong = |code, message: String, span: Span| {
            let help = "get the file that the build wrote, or empty the folder and build again";
            Box::new(Diagnostic::new(code, message).at(span).help(help))
        };
        let unread = |error: &serde_json::Error| {
            let line = text.split_inclusive('\n').take(error.line().saturating_sub(1));
            let start =
                (line.map(str::len).sum::<usize>() + error.column().saturating_sub(1)).min(text.len());
            let start = (0..=start)
                .rev()
                .find(|at| text.is_char_boundary(*at))
                .unwrap_or(0);
            let reason = error.to_string();
            let reason = reason.split(" at line ").next().unwrap_or_default().to_owned();
            wrong(
                codes::MANIFEST_BROKEN,
                format!("this is no manifest: {reason}"),
                Span::new(start, start),
            )
        };
        // The format comes first: a newer one may have another shape.
        let head: Head = serde_json::from_str(text).map_err(|error| unread(&error))?;
        if head.format > FORMAT {
            return Err(Box::new(
                Diagnostic::new(
                    codes::MANIFEST_NEWER,
                    format!(
                        "the manifest is of format {}, and this rulec knows {FORMAT}",
                        head.format
                    ),
                )
                .at(place(text, "\"format\"").unwrap_or(whole))
                .help("build with the rulec that wrote it or a newer one, or into another folder"),
            ));
        }
        let manifest: Self = serde_json::from_str(text).map_err(|error| unread(&error))?;
        if manifest.target != target {
            let message = format!(
                "the manifest is of `{}`, and lies in the folder of `{target}`",
                manifest.target.escape_debug()
            );
            let span = place(text, "\"target\"").unwrap_or(whole);
            return Err(wrong(codes::MANIFEST_BROKEN, message, span));
        }
        let mut seen = BTreeSet::new();
        for entry in &manifest.artifacts {
            let path = &entry.path;
            let span = || {
                let quoted = serde_json::to_string(path).unwrap_or_default();
                place(text, &quoted).unwrap_or(whole)
            };
            let shown = path.escape_debug();
            let plain = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
            if !plain || !is_safe(path) {
                let message = format!("the manifest names `{shown}`, which is no path below its folder");
                return Err(wrong(codes::MANIFEST_UNSAFE, message, span()));
            }
            if path.eq_ignore_ascii_case(FILE) || !seen.insert(path) {
                let message = if seen.contains(path) {
                    format!("the manifest names `{shown}` twice")
                } else {
                    "the manifest names itself".to_owned()
                };
                return Err(wrong(codes::MANIFEST_BROKEN, message, span()));
            }
            let digits = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
            if entry.sha256.len() != 64 || !entry.sha256.chars().all(digits) {
                let message = format!("the manifest has no SHA-256 for `{shown}`");
                return Err(wrong(codes::MANIFEST_BROKEN, message, span()));
            }
        }
        Ok(manifest)
    }
}

/// Where a text stands first.
fn place(text: &str, part: &str) -> Option<Span> {
    text.find(part).map(|at| Span::new(at, at + part.len()))
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 over all files under a folder of the pack.
pub(crate) fn files_sha256(pack: &Pack, folder: &str) -> String {
    let mut all = Sha256::new();
    for path in pack.paths_under(folder) {
        part(&mut all, path.as_bytes());
        part(&mut all, pack.text(path).unwrap_or_default().as_bytes());
    }
    hex(&all.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let entry = |path: &str, rules: &[&str]| Entry {
            path: path.to_owned(),
            kind: "arm".to_owned(),
            sha256: sha256(path.as_bytes()),
            size: 7,
            rule: rules.is_empty().then(|| "R \"1\"".to_owned()),
            version: None,
            document: None,
            document_sha256: None,
            rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
        };
        Manifest {
            format: FORMAT,
            rulec: "0.1.0".to_owned(),
            target: "sentinel".to_owned(),
            environment: None,
            attack: AttackVersions {
                rules: "18.1".to_owned(),
                target: None,
            },
            tables: sha256(b"t"),
            templates: sha256(b"u"),
            artifacts: vec![entry("a/b.json", &[]), entry("c.json", &["A", "B"])],
        }
    }

    fn read(text: &str) -> Result<Manifest, Box<Diagnostic>> {
        Manifest::read(&SourceFile::new("dist/sentinel/manifest.json", text), "sentinel")
    }

    #[test]
    fn what_is_written_is_read() {
        for artifacts in [manifest().artifacts, Vec::new()] {
            let manifest = Manifest {
                artifacts,
                ..manifest()
            };
            let text = String::from_utf8(manifest.bytes()).unwrap();
            assert_eq!(read(&text).unwrap(), manifest, "{text}");
            let lines = text.lines().filter(|line| line.contains("\"path\"")).count();
            assert_eq!(lines, manifest.artifacts.len());
        }
        // Later versions may add members.
        let text = String::from_utf8(manifest().bytes()).unwrap();
        assert!(read(&text.replace("\"rulec\":", "\"more\": [1], \"rulec\":")).is_ok());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let good = String::from_utf8(manifest().bytes()).unwrap();
        let code = |old: &str, new: &str| {
            let text = good.replacen(old, new, 1);
            assert_ne!(text, good, "{old}");
            let error = read(&text).unwrap_err();
            let at = error.span().unwrap();
            assert!(at.end as usize <= text.len());
            (error.code.id, text[..at.start as usize].matches('\n').count() + 1)
        };
        assert_eq!(code("\"format\": 1", "\"format\": 2"), ("RM012", 2));
        assert_eq!(code("\"format\": 1", "\"format\": -1"), ("RM011", 2));
        assert_eq!(
            code("\"target\": \"sentinel\"", "\"target\": \"sigma\""),
            ("RM011", 4)
        );
        for bad in [
            "../x",
            "/etc/passwd",
            "a/../../x",
            "a\\\\b",
            "",
            "./x",
            "a//b",
            "c:x",
            "a\\u0000b",
        ] {
            let (id, line) = code("a/b.json", bad);
            assert_eq!(id, "RM013", "{bad}");
            assert!(line > 1, "{bad}");
        }
        assert_eq!(code("a/b.json", "c.json").0, "RM011");
        assert_eq!(code("a/b.json", "Manifest.json").0, "RM011");
        assert_eq!(code("\"sha256\":\"", "\"sha256\":\"x").0, "RM011");
        assert_eq!(read("").unwrap_err().code.id, "RM011");
        assert_eq!(read("[]").unwrap_err().code.id, "RM011");
        assert_eq!(
            read("{\"format\": 9, \"artifacts\": 3}").unwrap_err().code.id,
            "RM012"
        );
    }

    #[test]
    fn no_damage_is_too_strange() {
        let good = String::from_utf8(manifest().bytes()).unwrap();
        for at in 0..good.len() {
            for put in ["", "\u{e9}", "{", "]", "\"", "../", "9", "\0"] {
                for rest in [at, at + 1, good.len()] {
                    let damaged = format!("{}{put}{}", &good[..at], &good[rest..]);
                    if let Err(error) = read(&damaged) {
                        let span = error.span().unwrap();
                        assert!(damaged.get(span.start as usize..span.end as usize).is_some());
                    }
                }
            }
        }
    }
}
