//! A rule on its way to a document.
//!
//! In: what a format says of a rule. Out: the document, read back: what would
//! not come back as it was becomes a loss.

use std::collections::BTreeSet;

use rulec_emit::{Effect, Loss};
use rulec_facts::targets::Connector;
use rulec_model::{DataSource, Environment, FrontMatter, Origin, Rule, RuleQuery, Section, VersionEntry};
use rulec_read::{Document, Options};
use rulec_source::SourceFile;

use crate::{Context, Imported};

/// Longer names are cut where an id is made of them.
const LONGEST_ID: usize = 80;

/// What has been gathered so far.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) rule: Rule,
    pub(crate) front: FrontMatter,
    pub(crate) losses: Vec<Loss>,
    /// Connector -> tables, as the format lists them.
    pub(crate) connectors: Vec<(String, Vec<String>)>,
    /// What tells the rule from another of the same name: its GUID.
    pub(crate) mark: String,
}

impl Draft {
    pub(crate) fn new(title: &str) -> Self {
        let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        Self {
            rule: Rule::new(slug(&title), title),
            front: FrontMatter::default(),
            losses: Vec::new(),
            connectors: Vec::new(),
            mark: String::new(),
        }
    }

    pub(crate) fn lose(&mut self, construct: impl Into<String>, effect: Effect, why: impl Into<String>) {
        self.losses.push(Loss::new(construct, effect, why));
    }

    /// Says of every key that nobody took that a document has no place for it.
    pub(crate) fn left(&mut self, prefix: &str, keys: &[&str]) {
        for key in keys {
            self.lose(
                format!("`{prefix}{key}`"),
                Effect::Dropped,
                "a document has no place for it",
            );
        }
    }

    /// Adds prose under a known heading.
    pub(crate) fn section(&mut self, key: &str, heading: &str, text: &str) {
        let (text, changed) = guard(text);
        if text.is_empty() {
            return;
        }
        if changed {
            self.lose(
                format!("`{key}`"),
                Effect::Exact,
                "lines that markdown takes for markup begin with a backslash now",
            );
        }
        self.rule.sections.push(Section {
            key: Some(key.to_owned()),
            heading: heading.to_owned(),
            level: 2,
            text,
        });
    }

    /// The query, with `\n` at the end of each line.
    pub(crate) fn query(&mut self, text: &str, platform: Option<(&str, Environment)>) {
        let mut text = text.replace("\r\n", "\n").trim_end().to_owned();
        let begin = text.len() - text.trim_start_matches('\n').len();
        text.drain(..begin);
        text.push('\n');
        self.rule.queries.push(RuleQuery {
            name: None,
            language: Some("Kusto".to_owned()),
            platform: platform.map(|(name, _)| name.to_owned()),
            environment: platform.map(|(_, environment)| environment),
            text,
        });
    }

    pub(crate) fn version(&mut self, version: Option<String>, date: Option<String>, notes: &str) {
        self.rule.versions.push(VersionEntry {
            version: version.unwrap_or_else(|| "1.0.0".to_owned()),
            date,
            impact: Some("major".to_owned()),
            notes: notes.to_owned(),
        });
    }

    /// Takes the id of the document that the rule was made from, if it says so.
    pub(crate) fn made_from(&mut self, path: &str) {
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
        let id = name.strip_suffix(".md").unwrap_or_default();
        if !id.is_empty() && rulec_read::is_safe_id(id) {
            id.clone_into(&mut self.rule.id);
        }
    }

    /// One row for each table of the query, with the connector that fills it.
    fn data_sources(&mut self, context: &Context) {
        let Some(query) = self.rule.queries.first() else {
            return;
        };
        let bound = rulec_ir::lower(&rulec_kql::parse(&query.text), &context.catalog);
        let tables: Vec<String> = bound.query.tables.iter().map(|t| t.name.clone()).collect();
        for table in &tables {
            let stated = self
                .connectors
                .iter()
                .find(|(_, types)| types.iter().any(|t| t.eq_ignore_ascii_case(table)));
            let provider = match (stated, context.sentinel.connector(table)) {
                (Some((connector, _)), _) => Some(connector.clone()),
                (None, Connector::Id(id)) => Some(id.to_owned()),
                _ => None,
            };
            self.rule.data_sources.push(DataSource {
                provider,
                table: Some(table.clone()),
                ..DataSource::default()
            });
        }
        for (connector, types) in std::mem::take(&mut self.connectors) {
            let read = |name: &String| tables.iter().any(|table| table.eq_ignore_ascii_case(name));
            for name in types.iter().filter(|name| !read(name)) {
                self.lose(
                    format!("`requiredDataConnectors` {connector} ({name})"),
                    Effect::Dropped,
                    "connectors follow from the tables of the query, which reads no such table",
                );
            }
        }
    }

    /// The document, if the rule can be one.
    pub(crate) fn finish(mut self, context: &Context) -> Result<Imported, String> {
        let query = self.rule.queries.first().map_or("", |q| q.text.as_str());
        if query.trim().is_empty() {
            return Err("it has no query".to_owned());
        }
        if self.rule.title.is_empty() {
            return Err("it has no name".to_owned());
        }
        self.data_sources(context);
        self.rule
            .settings
            .fill(std::mem::take(&mut self.front), &Origin::FrontMatter);
        let written = rulec_read::to_markdown(&self.rule);
        let name = format!("{}.md", self.rule.id);
        let document = rulec_read::format_document(&SourceFile::new(name.as_str(), written));
        let options = Options {
            aliases: &context.aliases,
            defaults: FrontMatter::default(),
        };
        let read = rulec_read::read(&SourceFile::new(name, document.as_str()), &options);
        let Document::Rule(back) = &read.document else {
            return Err("the document would not be read back as a rule".to_owned());
        };
        let same_query = back.queries.len() == 1 && back.queries[0].text.trim_end() == query_of(&self.rule);
        if !same_query {
            return Err("its query would not come back as it is".to_owned());
        }
        let parts = [
            ("name", back.title == self.rule.title),
            ("severity and other settings", back.settings == self.rule.settings),
            ("tactics and techniques", back.attack == self.rule.attack),
            (
                "description",
                self.rule.sections.iter().all(|section| {
                    let key = section.key.as_deref().unwrap_or_default();
                    back.section(key) == Some(section.text.as_str())
                }),
            ),
        ];
        for (part, same) in parts {
            if !same {
                self.losses.push(Loss::new(
                    part,
                    Effect::Dropped,
                    "markdown does not give it back letter for letter",
                ));
            }
        }
        let mut rule = (**back).clone();
        rule.id.clone_from(&self.rule.id);
        let mut losses: Vec<Loss> = Vec::new();
        for loss in self.losses {
            if !losses.contains(&loss) {
                losses.push(loss);
            }
        }
        Ok(Imported {
            rule,
            document,
            losses,
            mark: self.mark,
        })
    }
}

fn query_of(rule: &Rule) -> &str {
    rule.queries.first().map_or("", |query| query.text.trim_end())
}

/// Prose with `\n`, without blanks at line ends, and with a backslash before
/// what would be a heading, a fence, a table or a line across the page.
fn guard(text: &str) -> (String, bool) {
    let mut changed = false;
    let lines: Vec<String> = text
        .replace("\r\n", "\n")
        .trim()
        .lines()
        .map(|line| {
            let line = line.trim_end();
            let bare = line.trim_start();
            let rule = bare.len() > 1 && bare.chars().all(|c| matches!(c, '-' | '=' | '*' | '_'));
            if rule || bare.starts_with(['#', '|', '<']) || bare.starts_with("```") || bare.starts_with("~~~")
            {
                changed = true;
                format!("{}\\{bare}", &line[..line.len() - bare.len()])
            } else {
                line.to_owned()
            }
        })
        .collect();
    let mut out = String::new();
    let mut blank = 0;
    for line in lines {
        blank = if line.is_empty() { blank + 1 } else { 0 };
        // The canonical layout has one blank line at a time.
        if blank < 2 {
            out.push_str(&line);
            out.push('\n');
        }
    }
    (out.trim_end().to_owned(), changed)
}

/// A name as an id: small letters and digits with hyphens between.
pub(crate) fn slug(title: &str) -> String {
    let mut out = String::new();
    for c in title.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
        if out.len() >= LONGEST_ID {
            break;
        }
    }
    let id = out.trim_end_matches('-').to_owned();
    if rulec_read::is_safe_id(&id) && id.len() > 2 {
        id
    } else {
        format!("rule-{id}").trim_end_matches('-').to_owned()
    }
}

/// Gives rules of the same name ids that differ: with the beginning of what
/// tells them apart, else with a number.
pub fn tell_apart(rules: &mut [Imported]) {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for imported in rules {
        let old = imported.rule.id.clone();
        let mark: String = imported
            .mark
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(8)
            .collect();
        let marked = (!mark.is_empty()).then(|| format!("{old}-{}", mark.to_lowercase()));
        let candidates = std::iter::once(old.clone())
            .chain(marked)
            .chain((2..).map(|n| format!("{old}-{n}")));
        for id in candidates {
            if taken.insert(id.to_lowercase()) {
                imported.rename(&id);
                break;
            }
        }
    }
}

impl Imported {
    /// Gives the rule another id, in the document too.
    pub fn rename(&mut self, id: &str) {
        if self.rule.id == id {
            return;
        }
        let line = |id: &str| format!("**ID:** {id}\n");
        self.document = self.document.replacen(&line(&self.rule.id), &line(id), 1);
        id.clone_into(&mut self.rule.id);
    }
}
