//! `templates/<target>/target.toml`: what a target is, as data.
//!
//! ```toml
//! strict = true                   # may be left out
//!
//! [files.rule]
//! template = "rule.yaml.j2"       # beside this file
//! path = "{folder}/{name}.yaml"   # below the target's folder of the output
//! format = "yaml"                 # yaml, yaml-stream, json, text: how it is read back
//! schema = "sentinel-rule"        # may be left out: schema/targets/<schema>.schema.json
//!
//! # Everything else is the target's own: limits, capabilities, versions.
//! ```
//!
//! A repository's own file replaces ours as a whole. With `strict = false` in
//! it, its templates may also leave out and change what was meant; artifacts
//! still have to load.

use std::collections::BTreeMap;

use rulec_facts::Pack;
use rulec_source::Diagnostic;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::check::{self, Format};
use crate::codes::TARGET_CONFIG;
use crate::{Artifact, Context, Input, name};

/// A target's file, read. `T` is the target's own part and decides what keys
/// there may be.
#[derive(Clone, Debug)]
pub struct Config<T> {
    /// The target's name, and folder of its artifacts.
    pub target: &'static str,
    /// The artifacts it makes.
    pub files: BTreeMap<String, FileSpec>,
    /// Whether artifacts have to say everything that was meant.
    pub strict: bool,
    /// The target's own part.
    pub own: T,
}

/// One kind of artifact.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSpec {
    /// The template, beside target.toml.
    pub template: String,
    /// The artifact's path; `{name}` stands for the rule's file name, and
    /// `{folder}` for the folder that the target puts it in, if it does.
    pub path: String,
    /// How it is read back.
    pub format: Format,
    /// The JSON Schema it has to be valid against, by its name in
    /// `schema/targets/` (`defender-detection`).
    #[serde(default)]
    pub schema: Option<String>,
    /// The part that the schema is about, as a JSON pointer; the whole without.
    #[serde(default)]
    pub schema_at: String,
}

/// What fills the path of an artifact.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// For `{folder}`: fit names with `/` between them.
    pub folder: &'a str,
    /// For `{name}`.
    pub name: &'a str,
}

impl<'a> From<&'a str> for Place<'a> {
    fn from(name: &'a str) -> Self {
        Self { folder: "", name }
    }
}

#[derive(Deserialize)]
struct Shape {
    #[serde(default = "yes")]
    strict: bool,
    #[serde(default)]
    files: BTreeMap<String, FileSpec>,
    #[serde(flatten)]
    own: toml::Table,
}

fn yes() -> bool {
    true
}

impl<T: DeserializeOwned> Config<T> {
    /// Reads `templates/<target>/target.toml`.
    pub fn load(pack: &Pack, target: &'static str) -> Result<Self, Box<Diagnostic>> {
        let path = format!("templates/{target}/target.toml");
        let wrong = |message: &str| {
            Box::new(Diagnostic::new(
                TARGET_CONFIG,
                format!("{path}: {}", message.trim_end()),
            ))
        };
        let text = pack
            .require(&path)
            .map_err(|e| Box::new(Diagnostic::new(TARGET_CONFIG, e.to_string())))?;
        let shape: Shape = toml::from_str(text).map_err(|error| {
            let line = error
                .span()
                .map_or(1, |s| text[..s.start].matches('\n').count() + 1);
            Box::new(Diagnostic::new(
                TARGET_CONFIG,
                format!("{path}:{line}: {}", error.message()),
            ))
        })?;
        for (key, file) in &shape.files {
            let path = &file.path;
            let climbs =
                path.split('/').any(|part| matches!(part, "" | "." | "..")) || path.contains(['\\', ':']);
            if climbs {
                return Err(wrong(&format!(
                    "`files.{key}.path` has to stay below the target's folder"
                )));
            }
        }
        let own = T::deserialize(shape.own).map_err(|e| wrong(&e.to_string()))?;
        Ok(Self {
            target,
            files: shape.files,
            strict: shape.strict,
            own,
        })
    }
}

impl<T> Config<T> {
    /// The file called `key`.
    pub fn file(&self, key: &str) -> Result<&FileSpec, Box<Diagnostic>> {
        self.files.get(key).ok_or_else(|| {
            Box::new(Diagnostic::new(
                TARGET_CONFIG,
                format!(
                    "templates/{}/target.toml: there is no `[files.{key}]`",
                    self.target
                ),
            ))
        })
    }

    /// Renders the file called `key` for one query of a rule, and reads it
    /// back. `slug` tells the query from the rule's others; `folder` is for
    /// paths that ask for one.
    ///
    /// The template sees what is meant as `rule`, the rule's id as `id`, the
    /// artifact's `provenance`.
    pub fn render(
        &self,
        context: &Context,
        input: &Input<'_>,
        slug: Option<&str>,
        folder: &str,
        key: &str,
        meant: &Value,
    ) -> Result<Artifact, Box<Diagnostic>> {
        let name = &name::stem(&input.rule.id, slug);
        let variables = json!({ "id": input.rule.id, "provenance": input.provenance });
        self.render_as(context, key, Place { folder, name }, meant, variables)
    }

    /// As [`Config::render`], for artifacts that are not of one rule:
    /// `variables` is an object.
    pub fn render_as(
        &self,
        context: &Context,
        key: &str,
        place: Place<'_>,
        meant: &Value,
        mut variables: Value,
    ) -> Result<Artifact, Box<Diagnostic>> {
        let file = self.file(key)?;
        let template = format!("{}/{}", self.target, file.template);
        if let Some(all) = variables.as_object_mut() {
            all.insert("rule".to_owned(), meant.clone());
        }
        let text = context
            .templates
            .render(&template, &variables)
            .map_err(|error| Box::new(error.to_diagnostic()))?;
        // Without strictness nothing in particular is meant, but it has to load.
        let loaded = check::check(&template, file.format, &text, self.strict.then_some(meant))?;
        if let (Some(schema), Some(loaded)) = (&file.schema, loaded) {
            let part = loaded.pointer(&file.schema_at).unwrap_or(&Value::Null);
            context.validate(&format!("schema/targets/{schema}.schema.json"), part)?;
        }
        // In one pass: a name may have `{folder}` in it.
        let mut path = format!("{}/", self.target);
        let mut rest = file.path.as_str();
        while let Some(at) = rest.find('{') {
            let (before, behind) = rest.split_at(at);
            path.push_str(before);
            let filled = [("{name}", place.name), ("{folder}", place.folder)]
                .into_iter()
                .find_map(|(slot, text)| Some((text, behind.strip_prefix(slot)?)));
            let (text, after) = filled.unwrap_or_else(|| behind.split_at(1));
            path.push_str(text);
            rest = after;
        }
        path.push_str(rest);
        Ok(Artifact {
            path,
            kind: key.to_owned(),
            bytes: text.into_bytes(),
            rules: Vec::new(),
            verbatim: false,
        })
    }
}
