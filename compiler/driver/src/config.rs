//! `rulec.toml`: what a repository says once for all its rules.

use std::collections::BTreeMap;

use rulec_environment::Deduplication;
use rulec_facts::tables::Environment;
use rulec_model::FrontMatter;
use rulec_source::{Code, Diagnostic, Severity, SourceFile, Span};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{codes, list};

/// The configuration of a repository. Every key has a default; unknown keys are errors.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Config {
    /// Where things are.
    pub repository: Repository,
    /// Settings for rules whose documents do not say them.
    pub defaults: FrontMatter,
    /// How rules are checked.
    pub check: Check,
    /// How artifacts are built.
    pub build: Build,
    /// The block between the de-duplication markers of all queries that have them.
    pub deduplication: Option<Deduplication>,
    /// How rules are tested.
    pub test: Test,
    /// What is kept between runs.
    pub cache: Cache,
    /// Severity by the name of a lint, or of another finding that keeps no rule from compiling.
    pub lints: BTreeMap<String, Level>,
}

/// `[repository]`: folders, relative to rulec.toml.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Repository {
    /// Folders and files with rule documents.
    pub rules: Vec<String>,
    /// Where `rulec build` writes.
    pub out: String,
    /// The blessed output.
    pub golden: String,
    /// Fixtures, `<id>.yaml` each.
    pub fixtures: String,
    /// Environments, `<name>.yaml` each.
    pub environments: String,
}

impl Default for Repository {
    fn default() -> Self {
        Self {
            rules: vec!["rules".to_owned()],
            out: "dist".to_owned(),
            golden: "golden".to_owned(),
            fixtures: "tests/rules".to_owned(),
            environments: "environments".to_owned(),
        }
    }
}

/// `[check]`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Check {
    /// Findings of this severity or above make the exit code 1.
    pub fail_on: Level,
    /// The ATT&CK version rules are written against.
    pub attack: String,
    /// The tables queries are bound against; without it, each query's own platform decides.
    pub environment: Option<String>,
    /// Where rulec's docs/ can be read, as an address that ends in `/`: SARIF links each finding to its page.
    pub pages: Option<String>,
}

impl Default for Check {
    fn default() -> Self {
        Self {
            fail_on: Level::Error,
            attack: "18.1".to_owned(),
            environment: None,
            pages: None,
        }
    }
}

/// `[build]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Build {
    /// Targets to build; all when empty.
    pub targets: Vec<String>,
    /// Effects in the loss ledger that make the build fail.
    pub deny: Vec<String>,
    /// Bundles of all rules to write: `arm`, `bicep`, `batch`; all of them when it is not said.
    pub bundles: Option<Vec<String>>,
}

/// `[test]`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Test {
    /// How late events come in under a schedule (`rulec test --schedule`),
    /// besides at once and as late as the rule allows.
    pub delays: Vec<rulec_model::Duration>,
}

impl Default for Test {
    fn default() -> Self {
        Self {
            delays: vec![rulec_model::Duration::from_seconds(600)],
        }
    }
}

/// `[cache]`: what was found out about documents, kept until they change.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Cache {
    /// Whether anything is kept.
    pub enabled: bool,
    /// Where, relative to rulec.toml; without it, the user's folder for caches
    /// (`$XDG_CACHE_HOME/rulec`, `~/.cache/rulec`).
    pub folder: Option<String>,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            enabled: true,
            folder: None,
        }
    }
}

/// A severity, or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Level {
    Off,
    Note,
    Warning,
    Error,
}

impl Level {
    /// The severity; none for off.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Level::Off => None,
            Level::Note => Some(Severity::Note),
            Level::Warning => Some(Severity::Warning),
            Level::Error => Some(Severity::Error),
        }
    }
}

impl std::str::FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "off" | "never" => Level::Off,
            "note" => Level::Note,
            "warning" => Level::Warning,
            "error" => Level::Error,
            _ => return Err(format!("`{text}` is none of off, note, warning, error")),
        })
    }
}

/// Reads a configuration file.
pub fn parse(file: &SourceFile) -> Result<Config, Box<Diagnostic>> {
    let config: Config = toml::from_str(&file.text).map_err(|error| {
        let mut diagnostic = Diagnostic::new(
            codes::BAD_CONFIG,
            format!("rulec.toml cannot be used: {}", error.message()),
        );
        if let Some(range) = error.span() {
            diagnostic = diagnostic.at(Span::new(range.start, range.end));
        }
        Box::new(diagnostic.help(
            "rulec.toml takes the tables [repository], [defaults], [check], [build], [test], [cache] and [lints]",
        ))
    })?;
    if let Some(name) = &config.check.environment
        && Environment::parse(name).is_none()
    {
        return Err(Box::new(
            Diagnostic::new(codes::BAD_CONFIG, format!("`{name}` is not an environment"))
                .at(file
                    .text
                    .find(name.as_str())
                    .map_or(Span::default(), |at| Span::new(at, at + name.len())))
                .help("one of m365, sentinel, merged, merged-columns, docs"),
        ));
    }
    let codes = list::codes();
    let adjustable = || {
        codes
            .iter()
            .filter(|code| is_adjustable(code))
            .map(|code| code.name)
    };
    for name in config.lints.keys() {
        if adjustable().any(|known| known == name) {
            continue;
        }
        let diagnostic = Diagnostic::new(codes::BAD_CONFIG, format!("`{name}` is not a lint"))
            .at(key(&file.text, "[lints]", name));
        return Err(Box::new(
            match rulec_facts::close_matches(name, adjustable(), 1).first() {
                // What is named exactly is an error, and stays one.
                _ if codes.iter().any(|code| code.name == name) => diagnostic
                    .help("it keeps rules from compiling, or is no finding of `check`; it cannot be set"),
                Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
                None => diagnostic.help("`rulec list lints` shows them; errors cannot be turned off"),
            },
        ));
    }
    Ok(config)
}

/// Whether `[lints]` may set how much a finding matters: opinions of `check`
/// about rules that compile, their versions and suppressions. What keeps a rule
/// from compiling is an error.
fn is_adjustable(code: &Code) -> bool {
    let family = code.id.get(..2).unwrap_or_default();
    match family {
        "RL" | "RV" => true,
        "RD" | "RK" => code.severity < Severity::Error,
        _ => CHECKED.iter().any(|known| known.id == code.id),
    }
}

/// What `check` says about suppressions and fixtures.
const CHECKED: &[Code] = &[
    codes::EXPIRED_SUPPRESSION,
    codes::UNUSED_SUPPRESSION,
    codes::BAD_SUPPRESSION,
    codes::RELEASED_UNTESTED,
];

impl Config {
    /// A finding as `[lints]` has it; none where it is off.
    pub(crate) fn level(&self, mut diagnostic: Diagnostic) -> Option<Diagnostic> {
        if let Some(level) = self.lints.get(diagnostic.code.name) {
            diagnostic.severity = level.severity()?;
        }
        Some(diagnostic)
    }
}

/// The place of a word behind another: a key below its table's heading, a
/// value behind its key.
pub(crate) fn key(text: &str, behind: &str, key: &str) -> Span {
    let below = text.find(behind).unwrap_or_default();
    let found = text[below..].find(key).map(|at| below + at);
    found.map_or(Span::default(), |at| Span::new(at, at + key.len()))
}
