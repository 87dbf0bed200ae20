//! Rules as documents in the canonical layout.
//!
//! In: a rule. Out: markdown that reads back as the same rule. Used for new
//! documents; existing ones are laid out by [`crate::format_document`], which
//! never rewrites what people wrote.

use rulec_model::{
    AttackTag, DataSource, FrontMatter, Origin, Rule, RuleKind, RuleQuery, Section, Settings, Severity,
    Sourced, Status, VersionEntry,
};

use crate::words::{self, COLUMNS};

/// A rule as a document. Values from `rulec.toml` and derived ones are not
/// part of it; those of its front matter are.
pub fn to_markdown(rule: &Rule) -> String {
    let mut out = String::new();
    front_matter(&mut out, &rule.settings);
    out += &format!("# {}\n", escape(&one_line(&rule.title)));
    for section in rule
        .sections
        .iter()
        .filter(|s| s.level <= 1 && !s.text.is_empty())
    {
        out += &format!("\n{}\n", section.text);
    }
    metadata(&mut out, rule);
    out += "\n---\n";
    attack_tags(&mut out, rule);
    data_sources(&mut out, rule);
    out += "\n---\n";
    for section in &rule.sections {
        let structural = section
            .key
            .as_deref()
            .is_some_and(|k| words::STRUCTURAL.contains(&k));
        if section.level > 1 && !structural {
            let marks = "#".repeat(usize::from(section.level.min(6)));
            out += &format!("\n{marks} {}\n", escape(&section.heading));
            if !section.text.is_empty() {
                out += &format!("{}\n", section.text);
            }
        }
    }
    out += "\n## References\n";
    match left_over(rule, "references") {
        "" => out.extend(rule.references.iter().map(|url| format!("* {url}\n"))),
        text => out += &format!("{text}\n"),
    }
    out += "\n---\n\n## Detection\n";
    if !left_over(rule, "detection").is_empty() {
        out += &format!("{}\n", left_over(rule, "detection"));
    }
    for query in &rule.queries {
        write_query(&mut out, query);
    }
    out += "\n---\n\n## Version History\n";
    versions(&mut out, &rule.versions);
    out
}

/// What was left of a section whose content is in fields.
fn left_over<'r>(rule: &'r Rule, key: &str) -> &'r str {
    let has = |s: &&Section| s.level > 1 && s.key.as_deref() == Some(key);
    rule.sections.iter().find(has).map_or("", |s| s.text.as_str())
}

fn front_matter(out: &mut String, settings: &Settings) {
    fn said<T: Clone>(value: Option<&Sourced<T>>) -> Option<T> {
        value
            .filter(|v| v.origin == Origin::FrontMatter)
            .map(|v| v.value.clone())
    }
    let front = FrontMatter {
        status: said(settings.status.as_ref()),
        deprecated: said(settings.deprecated.as_ref()),
        severity: said(settings.severity.as_ref()),
        targets: said(settings.targets.as_ref()),
        schedule: said(settings.schedule.as_ref()),
        trigger: said(settings.trigger.as_ref()),
        entities: said(settings.entities.as_ref()),
        custom_details: said(settings.custom_details.as_ref()),
        alert: said(settings.alert.as_ref()),
        grouping: said(settings.grouping.as_ref()),
        suppression: said(settings.suppression.as_ref()),
        ids: said(settings.ids.as_ref()),
    };
    if front == FrontMatter::default() {
        return;
    }
    if let Ok(yaml) = serde_yaml::to_string(&front) {
        *out += &format!("---\n{yaml}---\n\n");
    }
}

fn metadata(out: &mut String, rule: &Rule) {
    let heading = match rule.kind {
        RuleKind::Detection => "Metadata",
        RuleKind::Hunt => "Hunt Tags",
    };
    *out += &format!("\n## {heading}\n**ID:** {}\n", escape(&rule.id));
    let os = if rule.os.is_empty() {
        "N/A".to_owned()
    } else {
        rule.os.join(", ")
    };
    *out += &format!("\n**OS:** {}\n", escape(&os));
    let optional = [
        ("FP Rate", rule.fp_rate.as_deref()),
        ("Author", rule.author.as_deref()),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            *out += &format!("\n**{key}:** {}\n", escape(value));
        }
    }
    if !left_over(rule, "metadata").is_empty() {
        *out += &format!("\n{}\n", left_over(rule, "metadata"));
    }
}

/// The header of a kind of table.
fn header(out: &mut String, kind: &str) {
    let columns = COLUMNS
        .iter()
        .find(|(name, _)| *name == kind)
        .map_or(&[][..], |(_, c)| c);
    *out += &row(columns.iter().copied());
    *out += &row(columns.iter().map(|_| "---"));
}

fn row<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let mut line = String::from("|");
    for cell in cells {
        line += &format!(" {cell} |");
    }
    line.push('\n');
    line
}

fn cell(value: Option<&str>) -> String {
    escape(&one_line(value.unwrap_or_default())).replace('|', "\\|")
}

fn attack_tags(out: &mut String, rule: &Rule) {
    *out += "\n## ATT&CK Tags\n\n";
    header(out, "attack_tags");
    for tag in &rule.attack {
        let AttackTag {
            tactic_id,
            tactic,
            technique,
            subtechnique,
            name,
        } = tag;
        let tactic = match (tactic_id, tactic) {
            (Some(id), Some(name)) => Some(format!("{id} - {name}")),
            (one, other) => one.clone().or_else(|| other.clone()),
        };
        let cells = [
            tactic.as_deref(),
            technique.as_deref(),
            subtechnique.as_deref(),
            name.as_deref(),
        ]
        .map(cell);
        *out += &row(cells.iter().map(String::as_str));
    }
    if !left_over(rule, "attack_tags").is_empty() {
        *out += &format!("\n{}\n", left_over(rule, "attack_tags"));
    }
}

fn data_sources(out: &mut String, rule: &Rule) {
    *out += "\n## Utilized Data Sources\n\n";
    header(out, "data_sources");
    for source in &rule.data_sources {
        let DataSource {
            provider,
            table,
            table_from_query: _,
            event,
            event_name,
            attack_source,
            attack_component,
        } = source;
        let cells = [
            provider,
            table,
            event,
            event_name,
            attack_source,
            attack_component,
        ]
        .map(|c| cell(c.as_deref()));
        *out += &row(cells.iter().map(String::as_str));
    }
    if !left_over(rule, "data_sources").is_empty() {
        *out += &format!("\n{}\n", left_over(rule, "data_sources"));
    }
}

fn write_query(out: &mut String, query: &RuleQuery) {
    if let Some(name) = &query.name {
        *out += &format!("\n### {}\n", escape(&one_line(name)));
    }
    *out += &format!(
        "\n**Language:** {}\n",
        escape(query.language.as_deref().unwrap_or("Kusto"))
    );
    if let Some(platform) = &query.platform {
        *out += &format!("\n**Platform:** {}\n", escape(platform));
    }
    // A fence has to be longer than any run of backticks in the query.
    let mut longest = 2;
    let mut run = 0;
    for c in query.text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    let end = if query.text.ends_with('\n') { "" } else { "\n" };
    *out += &format!("\n**Query:**\n{fence}C#\n{}{end}{fence}\n", query.text);
}

fn versions(out: &mut String, versions: &[VersionEntry]) {
    header(out, "version_history");
    for entry in versions {
        let cells = [
            Some(entry.version.as_str()),
            entry.date.as_deref(),
            entry.impact.as_deref(),
            Some(entry.notes.as_str()),
        ]
        .map(cell);
        *out += &row(cells.iter().map(String::as_str));
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text that reads back as it is: what markdown would take for markup is
/// escaped, an underscore within a word is not.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let within = before.is_alphanumeric() && rest.peek().is_some_and(|n| n.is_alphanumeric());
        let markup = match c {
            '*' | '`' | '[' | '<' | '\\' | '~' => true,
            '_' => !within,
            '&' => rest.peek().is_some_and(|n| n.is_alphanumeric() || *n == '#'),
            '#' => before == ' ',
            _ => false,
        };
        if markup {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
    out
}

/// A new rule document: everything a rule can say, with an example to
/// replace. It reads, binds and builds as it is. `day` is that of its first
/// version, like `2026-01-31`.
pub fn scaffold(id: &str, title: &str, day: &str) -> String {
    let said = |key: &str, heading: &str, text: &str| Section {
        key: Some(key.to_owned()),
        heading: heading.to_owned(),
        level: 2,
        text: text.to_owned(),
    };
    let some = |text: &str| Some(text.to_owned());
    let settings = Settings {
        status: Some(Sourced::new(Status::Experimental, Origin::FrontMatter)),
        severity: Some(Sourced::new(Severity::Medium, Origin::FrontMatter)),
        ..Settings::default()
    };
    to_markdown(&Rule {
        id: id.to_owned(),
        title: title.to_owned(),
        kind: RuleKind::Detection,
        os: vec!["WindowsEndpoint".to_owned(), "WindowsServer".to_owned()],
        fp_rate: some("Medium"),
        author: None,
        attack: vec![AttackTag {
            tactic_id: some("TA0002"),
            tactic: some("Execution"),
            technique: some("T1059"),
            subtechnique: some("001"),
            name: some("Command and Scripting Interpreter - PowerShell"),
        }],
        data_sources: vec![DataSource {
            provider: some("MicrosoftThreatProtection"),
            table: some("DeviceProcessEvents"),
            table_from_query: false,
            event: some("ProcessCreated"),
            event_name: None,
            attack_source: some("Process"),
            attack_component: some("Process Creation"),
        }],
        sections: vec![
            said(
                "detection_description",
                "Detection description",
                "Says in two or three sentences what the query looks for, and how it tells that from harmless activity.",
            ),
            said(
                "permission_required",
                "Permission required to execute the technique",
                "User",
            ),
            said(
                "attack_description",
                "Description of the attack",
                "Says what the attacker does, and what for.",
            ),
            said("considerations", "Considerations", "None."),
            said(
                "false_positives",
                "False Positives",
                "Names the legitimate activity that looks the same, and how to leave it out.",
            ),
            said(
                "response_actions",
                "Suggested Response Actions",
                "Says what an analyst looks at first, and what decides between an incident and a false alarm.",
            ),
            said(
                "blind_spots",
                "Detection Blind Spots",
                "Names the ways of the same attack that the query does not see.",
            ),
        ],
        references: vec!["https://attack.mitre.org/techniques/T1059/001/".to_owned()],
        queries: vec![RuleQuery {
            name: None,
            language: some("Kusto"),
            platform: some("M365 Security"),
            environment: None,
            text: EXAMPLE.to_owned(),
        }],
        versions: vec![VersionEntry {
            version: "1.0".to_owned(),
            date: some(day),
            impact: some("major"),
            notes: "Initial version.".to_owned(),
        }],
        settings,
    })
}

/// The query of a new document.
const EXAMPLE: &str = r#"let timeframe = 2*1h;
DeviceProcessEvents
| where ingestion_time() >= ago(timeframe)
| where ActionType == "ProcessCreated"
| where FileName in~ ("powershell.exe", "pwsh.exe")
| where ProcessCommandLine has "-EncodedCommand"
// Begin environment-specific filter.
// End environment-specific filter.
| project
    Timestamp,
    DeviceId,
    DeviceName,
    ReportId,
    AccountName,
    AccountDomain,
    FileName,
    ProcessCommandLine
"#;
