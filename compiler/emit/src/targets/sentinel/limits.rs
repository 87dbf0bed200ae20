//! What Sentinel refuses when a rule is saved, and what the checks of public
//! content repositories refuse before.
//!
//! In: the finished [`SentinelRule`]. Out: findings; one that would make the
//! service refuse the rule keeps the artifacts from being made. Every number
//! and pattern comes from `schema/targets/sentinel.yaml`.

use std::collections::BTreeSet;

use rulec_ir::RelKind;
use rulec_source::{Code, Span};

use super::Prepared;
use super::rule::{EntityMapping, Kind, SentinelRule, seconds};
use crate::codes::{
    SENTINEL_COLUMN, SENTINEL_DETAIL, SENTINEL_ENTITY, SENTINEL_LIMIT, SENTINEL_QUERY, SENTINEL_SCHEDULE,
    SENTINEL_TABLE,
};
use crate::findings::{
    Findings, Problem, foreign_columns, length, missing_column, placeholders, result_span,
};
use crate::{Input, columns};

/// Checks everything.
pub(super) fn check(prepared: &Prepared, input: &Input<'_>, rule: &SentinelRule, findings: &mut Findings) {
    let mut check = Check {
        prepared,
        input,
        rule,
        findings,
    };
    check.texts();
    check.query();
    check.sources();
    check.schedule();
    check.entities();
    check.details();
    check.grouping();
}

struct Check<'a, 'f> {
    prepared: &'a Prepared,
    input: &'a Input<'a>,
    rule: &'a SentinelRule,
    findings: &'f mut Findings,
}

impl Check<'_, '_> {
    fn refuse(&mut self, code: Code, construct: impl Into<String>, why: impl Into<String>) {
        self.findings.refuse(Problem::new(code, construct, why));
    }

    /// Refuses a text that is longer than `max`, or empty.
    fn text(&mut self, what: &str, text: &str, max: usize) {
        let length = length(text);
        if length == 0 {
            self.refuse(
                SENTINEL_LIMIT,
                what,
                format!("Sentinel does not take an empty {what}."),
            );
        } else if length > max {
            let why = format!("The {what} has {length} characters; Sentinel takes {max}.");
            self.refuse(SENTINEL_LIMIT, what, why);
        }
    }

    fn texts(&mut self) {
        let facts = &self.prepared.facts;
        self.text("name", &self.rule.name, facts.name_max);
        self.text("description", &self.rule.description, facts.description_max);
        self.text("query", &self.rule.query, facts.query_max);
        let Some(details) = &self.rule.alert_details_override else {
            return;
        };
        for (what, text, limit) in [
            (
                "alert title",
                &details.alert_display_name_format,
                facts.alert_name_format,
            ),
            (
                "alert description",
                &details.alert_description_format,
                facts.alert_description_format,
            ),
        ] {
            let Some(text) = text else { continue };
            self.text(what, text, limit.max);
            let used = placeholders(text);
            if used.len() > limit.placeholders {
                let why = format!(
                    "The {what} has {} placeholders; Sentinel takes {}.",
                    used.len(),
                    limit.placeholders
                );
                self.refuse(SENTINEL_LIMIT, what, why);
            }
            for column in used {
                self.column(what, column);
            }
        }
    }

    /// Refuses a column the query does not return, or whose name Sentinel does not take.
    fn column(&mut self, what: &str, column: &str) {
        if !columns::has(self.input.ir, column) {
            self.findings
                .refuse(missing_column(SENTINEL_COLUMN, self.input, what, column));
        } else if !self.prepared.column.is_match(column) || column.len() > self.prepared.facts.column_max {
            let why =
                format!("The {what} names the column `{column}`; Sentinel takes letters, digits and `_`.");
            self.refuse(SENTINEL_COLUMN, format!("{what}: {column}"), why);
        }
    }

    /// Constructs that are refused wherever they stand.
    fn query(&mut self) {
        let text = self.input.text();
        for pattern in &self.prepared.query_refused {
            if let Some(found) = pattern.find(text) {
                let problem = Problem::new(
                    SENTINEL_QUERY,
                    format!("`{}`", found.as_str()),
                    format!("Sentinel refuses `{}` in an analytics rule.", found.as_str()),
                );
                let span = Span::new(found.start(), found.end());
                self.findings
                    .refuse(problem.at(Some(span)).help("name the tables that are meant"));
            }
        }
    }

    /// Tables and functions that only Defender has, and columns.
    fn sources(&mut self) {
        let prepared = self.prepared;
        foreign_columns(
            SENTINEL_TABLE,
            &prepared.tables,
            "Sentinel",
            self.input,
            self.findings,
        );
        for table in &self.input.ir.tables {
            if prepared.tables.get(&table.name).is_none()
                && prepared.defender_tables.get(&table.name).is_some()
            {
                let name = &table.name;
                let why = format!("The table {name} is in Defender's advanced hunting and not in Sentinel.");
                let problem = Problem::new(SENTINEL_TABLE, format!("table {name}"), why);
                self.findings.refuse(problem.at(Some(table.span)));
            }
        }
        let mut functions: Vec<(&str, Option<Span>)> = Vec::new();
        columns::walk(self.input.ir, &mut |rel| {
            if let RelKind::Invoke { function, .. } = &rel.kind {
                functions.push((function, Some(rel.span)));
            }
        });
        for function in &self.input.ir.functions {
            if !functions.iter().any(|(known, _)| known == function) {
                functions.push((function, crate::scan::call(self.input.parsed, function)));
            }
        }
        for (function, span) in functions {
            if prepared.tables.function(function).is_none()
                && prepared.defender_tables.function(function).is_some()
            {
                let why =
                    format!("The function {function} is in Defender's advanced hunting and not in Sentinel.");
                let problem = Problem::new(SENTINEL_TABLE, format!("`{function}`"), why);
                self.findings.refuse(problem.at(span));
            }
        }
    }

    fn schedule(&mut self) {
        let facts = &self.prepared.facts;
        let suppression = self.input.resolved.suppression.value;
        if suppression.enabled && suppression.duration > seconds(facts.suppression_max) {
            let why = format!(
                "Suppression lasts {}; Sentinel takes at most {}.",
                suppression.duration,
                seconds(facts.suppression_max)
            );
            self.refuse(SENTINEL_SCHEDULE, "suppression", why);
        }
        if self.rule.kind == Kind::Nrt {
            return;
        }
        let (Some(frequency), Some(period)) = (self.rule.query_frequency, self.rule.query_period) else {
            return;
        };
        for (what, duration, range) in [
            ("frequency", frequency, facts.frequency),
            ("period", period, facts.period),
        ] {
            let (min, max) = (seconds(range.min), seconds(range.max));
            if duration < min || duration > max {
                let why = format!("The {what} is {duration}; Sentinel takes {min} to {max}.");
                self.refuse(SENTINEL_SCHEDULE, what, why);
            } else if duration.seconds() % 60 != 0 {
                let why = format!("The {what} is {duration}; Sentinel takes whole minutes.");
                self.refuse(SENTINEL_SCHEDULE, what, why);
            }
        }
        if period < frequency {
            let why = format!(
                "The period {period} is shorter than the frequency {frequency}: events would be missed."
            );
            self.refuse(SENTINEL_SCHEDULE, "period", why);
        }
        let (long, slow) = (
            seconds(facts.long_period.from),
            seconds(facts.long_period.frequency),
        );
        if period >= long && frequency < slow {
            let why = format!(
                "A period of {long} or more runs at most every {slow}; this rule runs every {frequency}."
            );
            self.refuse(SENTINEL_SCHEDULE, "frequency", why);
        }
        let threshold = u64::from(self.input.resolved.trigger.value.threshold);
        if threshold < facts.trigger_threshold.min || threshold > facts.trigger_threshold.max {
            let why = format!(
                "The threshold is {threshold}; Sentinel takes {} to {}.",
                facts.trigger_threshold.min, facts.trigger_threshold.max
            );
            self.refuse(SENTINEL_LIMIT, "trigger", why);
        }
    }

    fn entities(&mut self) {
        let facts = &self.prepared.facts;
        let rule = self.rule;
        if rule.entity_mappings.len() > facts.entity_mappings_max {
            let why = format!(
                "The rule has {} entity mappings; Sentinel takes {}.",
                rule.entity_mappings.len(),
                facts.entity_mappings_max
            );
            self.refuse(SENTINEL_ENTITY, "entities", why);
        }
        for mapping in &rule.entity_mappings {
            self.entity(mapping);
        }
        for column in columns::names(self.input.ir) {
            let Some(custom) = self.prepared.entities.custom_entity(column) else {
                continue;
            };
            let mapped = rule
                .entity_mappings
                .iter()
                .filter(|mapping| mapping.entity_type == custom.entity)
                .any(|mapping| {
                    mapping
                        .field_mappings
                        .iter()
                        .any(|field| field.column_name == column)
                });
            if !mapped {
                let problem = Problem::new(
                    SENTINEL_ENTITY,
                    format!("column {column}"),
                    format!(
                        "The query returns `{column}` and no {} mapping uses it; the checks of Sentinel content refuse that.",
                        custom.entity
                    ),
                );
                let help = format!(
                    "map {} {} to `{column}`, or rename the column",
                    custom.entity, custom.identifier
                );
                self.findings
                    .refuse(problem.at(result_span(self.input)).help(help));
            }
        }
    }

    fn entity(&mut self, mapping: &EntityMapping) {
        let prepared = self.prepared;
        let kind = &mapping.entity_type;
        let construct = format!("entity {kind}");
        let Some(entity) = prepared.entities.sentinel(kind).filter(|entity| entity.arm) else {
            let types: Vec<_> = prepared
                .entities
                .sentinel_types()
                .filter(|(_, entity)| entity.arm)
                .map(|(name, _)| name)
                .collect();
            let why = format!("Sentinel has no entity type {kind}.");
            let help = format!("the types are {}", types.join(", "));
            self.findings
                .refuse(Problem::new(SENTINEL_ENTITY, construct, why).help(help));
            return;
        };
        let max = prepared.facts.identifiers_max;
        let count = mapping.field_mappings.len();
        if count > max || count == 0 {
            let why = format!("The {kind} mapping has {count} identifiers; Sentinel takes 1 to {max}.");
            self.refuse(SENTINEL_ENTITY, construct.clone(), why);
        }
        let mut names = Vec::new();
        for field in &mapping.field_mappings {
            if !entity.identifiers.contains(&field.identifier) {
                let why = format!("The entity {kind} has no identifier {}.", field.identifier);
                let help = format!("its identifiers are {}", entity.identifiers.join(", "));
                self.findings
                    .refuse(Problem::new(SENTINEL_ENTITY, construct.clone(), why).help(help));
            }
            names.push(field.identifier.as_str());
            self.column(
                &format!("entity {kind} ({})", field.identifier),
                &field.column_name,
            );
        }
        if count > 0 && !prepared.entities.is_accepted(kind, &names) {
            let sets: Vec<_> = entity.required.iter().map(|set| set.join(" and ")).collect();
            let why = format!("The {kind} mapping needs {}.", sets.join(", or "));
            self.refuse(SENTINEL_ENTITY, construct, why);
        }
    }

    fn details(&mut self) {
        let limits = &self.prepared.facts.custom_details;
        let Some(details) = &self.rule.custom_details else {
            return;
        };
        if details.len() > limits.max {
            let why = format!(
                "The rule has {} custom details; Sentinel takes {}.",
                details.len(),
                limits.max
            );
            self.refuse(SENTINEL_DETAIL, "custom details", why);
        }
        let mut folded = BTreeSet::new();
        for (key, column) in details {
            let what = format!("custom detail {key}");
            if key.len() > limits.key_max || !self.prepared.detail_key.is_match(key) {
                let why = format!(
                    "The custom detail `{key}` is no name Sentinel takes: a letter, then letters, digits and `_`, at \
                     most {} characters.",
                    limits.key_max
                );
                self.refuse(SENTINEL_DETAIL, what.clone(), why);
            }
            if !folded.insert(key.to_lowercase()) {
                let why = format!("The custom detail `{key}` is there twice, in different case.");
                self.refuse(SENTINEL_DETAIL, what.clone(), why);
            }
            self.column(&what, column.as_str().unwrap_or_default());
        }
    }

    fn grouping(&mut self) {
        let Some(incidents) = &self.rule.incident_configuration else {
            return;
        };
        let grouping = &incidents.grouping_configuration;
        let none = grouping.group_by_entities.is_empty()
            && grouping.group_by_custom_details.is_empty()
            && grouping.group_by_alert_details.is_empty();
        if grouping.matching_method == "Selected" && none {
            self.refuse(
                SENTINEL_LIMIT,
                "grouping",
                "Grouping by selected entities or custom details names none of them.",
            );
        }
        for entity in &grouping.group_by_entities {
            let mapped = self.rule.entity_mappings.iter().any(|m| m.entity_type == *entity);
            if !mapped {
                let why = format!("Alerts are grouped by {entity}, which no entity mapping gives.");
                self.refuse(SENTINEL_ENTITY, format!("grouping by {entity}"), why);
            }
        }
        for detail in &grouping.group_by_custom_details {
            let given = self
                .rule
                .custom_details
                .as_ref()
                .is_some_and(|details| details.contains_key(detail));
            if !given {
                let why = format!(
                    "Alerts are grouped by the custom detail {detail}, which the rule does not have."
                );
                self.refuse(SENTINEL_DETAIL, format!("grouping by {detail}"), why);
            }
        }
    }
}
