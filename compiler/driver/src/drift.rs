//! `rulec drift`: what is deployed against what the repository would build.
//!
//! In: an export of Sentinel or Defender, and the repository. Both sides are
//! read by `rulec-import`: the export as it is, the repository's artifacts as
//! they would be deployed, so that notations (`1h`, `PT1H`) and order do not
//! count. Queries are compared by `rulec-change`: layout, comments and names of
//! `let` stay out of it, and each difference says what deploying would do.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::PathBuf,
};

use rulec_change::Class;
use rulec_emit::Effect;
use rulec_import::{Format, Imported};
use rulec_model::{AttackTag, Sourced};
use rulec_source::{Diagnostic, Severity, SourceFile};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use similar::TextDiff;

use crate::{VERSION, build, check::Checked, import, pipeline::Pipeline};

/// How a rule of the two sides fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Both have it, and they differ.
    Differs,
    /// The repository does not build it.
    OnlyDeployed,
    /// The export does not have it.
    OnlyRepository,
}

/// One part of a rule that differs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Field {
    /// `severity`, `query`, `entities`, …
    pub field: String,
    /// What deploying the repository would change: `widens` where the rule would give more rows than now.
    pub class: Class,
    /// As it is deployed.
    pub deployed: Value,
    /// As the repository would build it.
    pub repository: Value,
    /// For queries: what is different in meaning.
    pub changes: Vec<Change>,
    /// For queries: the lines that differ, in canonical layout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

/// One difference between two queries, as deploying the repository would make it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// What it does to the rows.
    pub class: Class,
    /// A sentence without a full stop.
    pub text: String,
    /// The line of the deployed query, from 1.
    pub deployed_line: Option<usize>,
    /// The line of the repository's query, from 1.
    pub repository_line: Option<usize>,
}

/// One rule that differs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Drift {
    /// What became of it.
    pub status: Status,
    /// `sentinel` or `defender`.
    pub target: &'static str,
    /// Its name where it is deployed, or as it would be.
    pub name: String,
    /// Its id there.
    pub id: String,
    /// The rule of the repository.
    pub rule: Option<String>,
    /// What differs.
    pub fields: Vec<Field>,
}

/// A report as JSON; its schema is `schema/drift.schema.json`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Written<'r> {
    /// The version of rulec.
    pub rulec: &'static str,
    /// What differs, by target and name.
    pub drift: &'r [Drift],
    /// Totals.
    pub summary: Summary,
}

/// How many rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// That mean the same.
    pub same: usize,
    /// That both sides have, and that differ.
    pub differs: usize,
    /// That the repository does not build.
    pub only_deployed: usize,
    /// That the export does not have.
    pub only_repository: usize,
}

/// The two sides compared.
pub struct Report {
    /// What differs, by target and name.
    pub drift: Vec<Drift>,
    /// Rules that both have, and that mean the same.
    pub same: usize,
    /// The files of the export with their findings.
    pub files: Vec<(SourceFile, Vec<Diagnostic>)>,
    /// The repository's rules with their findings.
    pub checked: Checked,
}

/// Compares an export with what the documents at `paths` would build.
pub fn run(pipeline: &Pipeline, deployed: &[PathBuf], paths: &[PathBuf]) -> Result<Report, String> {
    let context = import::context(pipeline)?;
    let mut files = Vec::new();
    // Sentinel's YAML form lists more tactics than its ARM form: each is compared with its own.
    let mut there: BTreeMap<Side, Vec<Imported>> = BTreeMap::new();
    for path in import::files(deployed)? {
        let (file, problem) = import::text(pipeline, &path);
        if let Some(problem) = problem {
            files.push((file, vec![problem]));
            continue;
        }
        let mut found = rulec_import::import(&context, Format::Sentinel, &file);
        let mut side = if file.text.trim_start().starts_with(['{', '[']) {
            Side::Arm
        } else {
            Side::Yaml
        };
        if found.rules.is_empty() {
            let other = rulec_import::import(&context, Format::Defender, &file);
            if !other.rules.is_empty() {
                found = other;
                side = Side::Defender;
            }
        }
        if !found.rules.is_empty() {
            there.entry(side).or_default().append(&mut found.rules);
        }
        let mut problems: Vec<Diagnostic> = found
            .diagnostics
            .into_iter()
            .filter(Diagnostic::is_error)
            .collect();
        if there.get(&side).is_some_and(|rules| !rules.is_empty()) {
            // Exports have rules that no repository of queries builds, such as Fusion.
            for problem in &mut problems {
                problem.severity = Severity::Warning;
            }
        }
        files.push((file, problems));
    }
    let targets: BTreeSet<&str> = there.keys().map(|side| side.target()).collect();
    let options = build::Options {
        targets: targets.iter().map(|target| (*target).to_owned()).collect(),
        bundles: Some(Vec::new()),
        ..build::Options::default()
    };
    let (checked, built) = if targets.is_empty() {
        // It may hold rules that nobody can write, such as Fusion.
        let why = files
            .iter()
            .flat_map(|(_, found)| found)
            .map(|found| format!("; {}", found.message));
        let why: String = why.take(3).collect();
        return Err(format!(
            "the export holds no rule of Sentinel or Defender that a repository could build{why}"
        ));
    } else {
        pipeline.build_paths(paths, &options)
    };
    let mut report = Report {
        drift: Vec::new(),
        same: 0,
        files,
        checked,
    };
    for (side, rules) in &there {
        let mut here = Vec::new();
        for (path, bytes) in built.of_kind(side.target(), side.kind()) {
            let file = SourceFile::new(path, String::from_utf8_lossy(bytes).into_owned());
            here.append(&mut rulec_import::import(&context, side.format(), &file).rules);
        }
        compare(pipeline, *side, rules, &here, &mut report);
    }
    report
        .drift
        .sort_by(|a, b| (a.target, a.status, &a.name, &a.id).cmp(&(b.target, b.status, &b.name, &b.id)));
    Ok(report)
}

/// A notation of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Arm,
    Yaml,
    Defender,
}

impl Side {
    fn target(self) -> &'static str {
        self.format().name()
    }

    fn format(self) -> Format {
        match self {
            Self::Arm | Self::Yaml => Format::Sentinel,
            Self::Defender => Format::Defender,
        }
    }

    /// What the target's target.toml calls it.
    fn kind(self) -> &'static str {
        match self {
            Self::Arm => "arm",
            Self::Yaml => "template",
            Self::Defender => "detection",
        }
    }
}

fn compare(pipeline: &Pipeline, side: Side, there: &[Imported], here: &[Imported], report: &mut Report) {
    let mut left: Vec<&Imported> = here.iter().collect();
    let mut by_id = Vec::new();
    let mut by_name = Vec::new();
    for rule in there {
        let found = left.iter().position(|own| {
            !rule.deployed_id().is_empty() && own.deployed_id().eq_ignore_ascii_case(rule.deployed_id())
        });
        match found {
            Some(at) => by_id.push((rule, Some(left.remove(at)))),
            None => by_name.push(rule),
        }
    }
    for rule in by_name {
        let found = left.iter().position(|own| own.rule.title == rule.rule.title);
        by_id.push((rule, found.map(|at| left.remove(at))));
    }
    let entry = |status, shown: &Imported, own: Option<&Imported>, fields| Drift {
        status,
        target: side.target(),
        name: shown.rule.title.clone(),
        id: shown.deployed_id().to_owned(),
        rule: own.map(|own| own.rule.id.clone()),
        fields,
    };
    for (rule, own) in by_id {
        let Some(own) = own else {
            report
                .drift
                .push(entry(Status::OnlyDeployed, rule, None, Vec::new()));
            continue;
        };
        let fields = fields(pipeline, rule, own);
        if fields.is_empty() {
            report.same += 1;
        } else {
            report.drift.push(entry(Status::Differs, rule, Some(own), fields));
        }
    }
    for own in left {
        report
            .drift
            .push(entry(Status::OnlyRepository, own, Some(own), Vec::new()));
    }
}

/// A setting without its origin.
fn said<T: Serialize>(value: Option<&Sourced<T>>) -> Value {
    value.map_or(Value::Null, |sourced| json!(sourced.value))
}

/// Everything that is compared as it is, by name.
fn parts(imported: &Imported) -> Vec<(&'static str, Value)> {
    let rule = &imported.rule;
    let settings = &rule.settings;
    let tactics: BTreeSet<&str> = rule
        .attack
        .iter()
        .filter_map(|tag| tag.tactic.as_deref())
        .collect();
    let techniques: BTreeSet<String> = rule.attack.iter().filter_map(AttackTag::technique_id).collect();
    vec![
        ("id", json!(imported.deployed_id())),
        ("name", json!(rule.title)),
        ("description", json!(rule.section("detection_description"))),
        ("response", json!(rule.section("response_actions"))),
        ("severity", said(settings.severity.as_ref())),
        ("schedule", said(settings.schedule.as_ref())),
        ("trigger", said(settings.trigger.as_ref())),
        ("tactics", json!(tactics)),
        ("techniques", json!(techniques)),
        ("entities", said(settings.entities.as_ref())),
        ("custom_details", said(settings.custom_details.as_ref())),
        ("alert", said(settings.alert.as_ref())),
        ("grouping", said(settings.grouping.as_ref())),
        ("suppression", said(settings.suppression.as_ref())),
        ("version", json!(rule.version())),
    ]
}

/// What deploying another value of a field changes.
fn class(field: &str) -> Class {
    match field {
        "schedule" | "suppression" => Class::Schedule,
        "trigger" => Class::Changed,
        _ => Class::Metadata,
    }
}

fn fields(pipeline: &Pipeline, there: &Imported, here: &Imported) -> Vec<Field> {
    let mut found: Vec<Field> = parts(there)
        .into_iter()
        .zip(parts(here))
        .filter(|((_, deployed), (_, repository))| deployed != repository)
        .map(|((field, deployed), (_, repository))| Field {
            field: field.to_owned(),
            class: class(field),
            deployed,
            repository,
            changes: Vec::new(),
            diff: None,
        })
        .collect();
    let text = |imported: &Imported| {
        imported
            .rule
            .queries
            .first()
            .map(|q| q.text.clone())
            .unwrap_or_default()
    };
    found.extend(query(pipeline, &text(there), &text(here)));
    // What a document has no place for can differ, too: a rule that was switched off.
    let unlike = |one: &Imported, other: &Imported| -> Vec<rulec_emit::Loss> {
        one.losses
            .iter()
            .filter(|loss| !other.losses.contains(loss))
            .cloned()
            .collect()
    };
    for loss in unlike(there, here) {
        // The one thing of these that a build always says.
        let (class, deployed, repository) = if loss.effect == Effect::Widened {
            (Class::Widens, json!("switched off"), json!("switched on"))
        } else {
            (Class::Metadata, json!(loss.why), Value::Null)
        };
        found.push(Field {
            field: loss.construct.trim_matches('`').to_owned(),
            class,
            deployed,
            repository,
            changes: Vec::new(),
            diff: None,
        });
    }
    for loss in unlike(here, there) {
        if loss.effect == Effect::Widened {
            found.push(Field {
                field: loss.construct.trim_matches('`').to_owned(),
                class: Class::Narrows,
                deployed: json!("switched on"),
                repository: json!("switched off"),
                changes: Vec::new(),
                diff: None,
            });
        }
    }
    found
}

/// What differs between two queries; none when they mean the same.
fn query(pipeline: &Pipeline, deployed: &str, repository: &str) -> Option<Field> {
    if deployed == repository {
        return None;
    }
    let catalog = pipeline
        .catalog(rulec_facts::tables::Environment::MergedColumns)
        .ok();
    let bound = |text: &str| {
        let parsed = rulec_kql::parse(text);
        let lowered = rulec_ir::lower(&parsed, catalog?);
        let mut all = parsed.diagnostics.iter().chain(&lowered.diagnostics);
        (!all.any(Diagnostic::is_error)).then_some(lowered.query)
    };
    let mut changes = Vec::new();
    if let (Some(was), Some(is)) = (bound(deployed), bound(repository)) {
        let line =
            |text: &str, span: rulec_source::Span| text[..span.range().start].matches('\n').count() + 1;
        for item in rulec_change::queries((&was, deployed), (&is, repository)) {
            let class = Class::of(item.effect);
            if class == Class::Cosmetic {
                continue;
            }
            let change = Change {
                class,
                text: item.text,
                deployed_line: item.old.map(|span| line(deployed, span)),
                repository_line: item.new.map(|span| line(repository, span)),
            };
            if !changes.contains(&change) {
                changes.push(change);
            }
        }
        if changes.is_empty() {
            return None;
        }
    }
    let canonical = |text: &str| {
        let mut text = rulec_kql::print(&rulec_kql::parse(text));
        text.push('\n');
        text
    };
    let (old, new) = (canonical(deployed), canonical(repository));
    let diff = TextDiff::from_lines(&old, &new)
        .unified_diff()
        .context_radius(1)
        .header("deployed", "repository")
        .to_string();
    Some(Field {
        field: "query".to_owned(),
        // What cannot be bound may be anything.
        class: changes
            .iter()
            .map(|change| change.class)
            .reduce(Class::and)
            .unwrap_or(Class::Changed),
        deployed: json!(deployed),
        repository: json!(repository),
        changes,
        diff: Some(diff),
    })
}

impl Report {
    /// As text, one block a rule.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for drift in &self.drift {
            let what = match drift.status {
                Status::Differs => "differs",
                Status::OnlyDeployed => "only deployed",
                Status::OnlyRepository => "only in the repository",
            };
            let _ = writeln!(out, "{what}: {} `{}` ({})", drift.target, drift.name, drift.id);
            if let Some(rule) = drift.rule.as_deref().filter(|_| drift.status == Status::Differs) {
                let _ = writeln!(out, "  rule {rule}");
            }
            for field in &drift.fields {
                match &field.diff {
                    Some(diff) => {
                        let what = field.class.as_str();
                        let _ = writeln!(out, "  {}: differs in meaning; deploying it: {what}", field.field);
                        for change in &field.changes {
                            let line = match (change.repository_line, change.deployed_line) {
                                (Some(line), _) => format!("  (line {line})"),
                                (None, Some(line)) => format!("  (deployed line {line})"),
                                (None, None) => String::new(),
                            };
                            let _ = writeln!(out, "    {:9} {}{line}", change.class.as_str(), change.text);
                        }
                        for line in diff.lines().skip(2) {
                            let _ = writeln!(out, "    {line}");
                        }
                    }
                    None => {
                        let _ = writeln!(
                            out,
                            "  {}: deployed {}, repository {}",
                            field.field,
                            short(&field.deployed),
                            short(&field.repository)
                        );
                    }
                }
            }
        }
        out
    }

    /// As JSON.
    pub fn json(&self) -> String {
        let count = |status: Status| self.drift.iter().filter(|d| d.status == status).count();
        let written = Written {
            rulec: VERSION,
            drift: &self.drift,
            summary: Summary {
                same: self.same,
                differs: count(Status::Differs),
                only_deployed: count(Status::OnlyDeployed),
                only_repository: count(Status::OnlyRepository),
            },
        };
        let mut text = serde_json::to_string_pretty(&written).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// A value on one line; long ones are cut.
fn short(value: &Value) -> String {
    let text = match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    };
    if text.chars().count() > 160 {
        let cut: String = text.chars().take(157).collect();
        format!("{cut}...")
    } else {
        text
    }
}
