//! What Sentinel refuses when a rule is saved, and what the checks of public
//! content repositories refuse before.
//!
//! In: the finished [`SentinelRule`]. Out: findings; one that would make the
//! service refuse the rule keeps the artifacts from being made. Every number
//! and pattern comes from `schema/targets/sentinel.yaml`.

use std::collections::BTreeSet;

use rulec_ir::RelKind;
use rulec_model::{Duration, Sourced};
use rulec_source::{Code, Span};

use super::Prepared;
use super::rule::{EntityMapping, SentinelRule, seconds};
use crate::codes::{
    SENTINEL_ALERT_DESCRIPTION, SENTINEL_ALERT_TITLE, SENTINEL_COLUMN, SENTINEL_COLUMN_NAME,
    SENTINEL_DESCRIPTION, SENTINEL_DETAIL_KEY, SENTINEL_DETAILS, SENTINEL_ENTITIES, SENTINEL_ENTITY_COLUMN,
    SENTINEL_ENTITY_TYPE, SENTINEL_FREQUENCY, SENTINEL_GROUPING, SENTINEL_GROUPING_DETAIL,
    SENTINEL_GROUPING_ENTITY, SENTINEL_ID, SENTINEL_IDENTIFIER, SENTINEL_IDENTIFIER_MISSING,
    SENTINEL_IDENTIFIERS, SENTINEL_KIND, SENTINEL_NAME, SENTINEL_OPERATOR, SENTINEL_PERIOD,
    SENTINEL_PERIOD_LONG, SENTINEL_PERIOD_SHORT, SENTINEL_PLACEHOLDERS, SENTINEL_QUERY,
    SENTINEL_QUERY_LENGTH, SENTINEL_SEVERITY, SENTINEL_SUPPRESSION, SENTINEL_TABLE, SENTINEL_THRESHOLD,
};
use crate::findings::{
    Findings, Problem, Spot, beyond, described, foreign_columns, length, missing_column, placeholders,
    result_span,
};
use crate::{Input, columns, scan};

/// Checks everything.
pub(super) fn check(prepared: &Prepared, input: &Input<'_>, rule: &SentinelRule, findings: &mut Findings) {
    let mut check = Check {
        prepared,
        input,
        rule,
        findings,
    };
    check.id();
    check.names();
    check.texts();
    check.alert();
    check.query();
    check.sources();
    check.suppression();
    check.schedule();
    check.trigger();
    check.entities();
    check.details();
    check.grouping();
}

/// What to do about a query that is made for Defender.
const ELSEWHERE: &str = "give the rule a second query for Sentinel, or leave Sentinel out of `targets`";

/// The settings that findings are placed in.
const SCHEDULE: &str = "/settings/schedule";
const TRIGGER: &str = "/settings/trigger";
const ENTITIES: &str = "/settings/entities";
const DETAILS: &str = "/settings/custom_details";
const ALERT: &str = "/settings/alert";
const GROUPING: &str = "/settings/grouping";

struct Check<'a, 'f> {
    prepared: &'a Prepared,
    input: &'a Input<'a>,
    rule: &'a SentinelRule,
    findings: &'f mut Findings,
}

impl Check<'_, '_> {
    /// The id the document gives: a GUID.
    fn id(&mut self) {
        let Some(ids) = &self.input.rule.settings.ids else {
            return;
        };
        let Some(said) = ids.value.get(super::NAME) else {
            return;
        };
        if uuid::Uuid::parse_str(said).is_err() {
            let why = format!("The rule is said to be `{said}` in Sentinel, where a rule's id is a GUID.");
            let problem = Problem::new(SENTINEL_ID, format!("id {said}"), why).on(
                self.input,
                Spot::Key("/settings/ids", super::NAME),
                &ids.origin,
            );
            self.findings.refuse(
                problem.help(
                    "write the GUID that the rule has in Sentinel, or take the key out for a derived one",
                ),
            );
        }
    }

    /// Names out of a list of the service's.
    fn names(&mut self) {
        let facts = &self.prepared.facts;
        let resolved = self.input.resolved;
        let kind = self.rule.kind.as_str();
        for (code, what, name, known, spot, origin) in [
            (
                SENTINEL_KIND,
                "kind",
                kind,
                &facts.kinds,
                Spot::Key(SCHEDULE, "kind"),
                &resolved.kind.origin,
            ),
            (
                SENTINEL_SEVERITY,
                "severity",
                self.rule.severity.as_str(),
                &facts.severities,
                Spot::Value("/settings/severity"),
                &resolved.severity.origin,
            ),
        ] {
            if !known.iter().any(|known| known == name) {
                let why = format!("Sentinel has no {what} {name}.");
                let problem = Problem::new(code, format!("{what} {name}"), why).on(self.input, spot, origin);
                self.findings
                    .refuse(problem.help(format!("it has {}", known.join(", "))));
            }
        }
    }

    /// Why a text is refused that is longer than `max`, or empty.
    fn refused_text(what: &str, text: &str, max: usize) -> Option<(String, &'static str)> {
        let length = length(text);
        if length == 0 {
            let why = format!("Sentinel does not take an empty {what}.");
            return Some((why, "write it"));
        }
        let why = format!("The {what} has {length} characters; Sentinel takes {max}.");
        (length > max).then_some((why, "shorten it"))
    }

    /// Name and description.
    fn texts(&mut self) {
        let facts = &self.prepared.facts;
        let (rule, input) = (self.rule, self.input);
        for (code, what, text, max, pointer) in [
            (
                SENTINEL_NAME,
                "name",
                &rule.name,
                facts.name_max,
                "/title".to_owned(),
            ),
            (
                SENTINEL_DESCRIPTION,
                "description",
                &rule.description,
                facts.description_max,
                described(input.rule),
            ),
        ] {
            if let Some((why, help)) = Self::refused_text(what, text, max) {
                let problem = Problem::new(code, what, why).on_document(input, &pointer);
                self.findings.refuse(problem.help(help));
            }
        }
        let max = facts.query_max;
        if let Some((why, help)) = Self::refused_text("query", &rule.query, max) {
            let problem = Problem::new(SENTINEL_QUERY_LENGTH, "query", why);
            let problem = match beyond(&rule.query, max) {
                Some(span) => problem.at(Some(span)).help(
                    "take out what is not needed, such as long lists of values, or move a part into a function of \
                     the workspace",
                ),
                None => problem
                    .on_document(input, &format!("/queries/{}", input.query))
                    .help(help),
            };
            self.findings.refuse(problem);
        }
    }

    /// The alert's own title and description.
    fn alert(&mut self) {
        let facts = &self.prepared.facts;
        let (input, Some(details), Some(said)) = (
            self.input,
            &self.rule.alert_details_override,
            &self.input.resolved.alert,
        ) else {
            return;
        };
        for (code, what, key, text, limit) in [
            (
                SENTINEL_ALERT_TITLE,
                "alert title",
                "title",
                &details.alert_display_name_format,
                facts.alert_name_format,
            ),
            (
                SENTINEL_ALERT_DESCRIPTION,
                "alert description",
                "description",
                &details.alert_description_format,
                facts.alert_description_format,
            ),
        ] {
            let Some(text) = text else { continue };
            let spot = Spot::Key(ALERT, key);
            if let Some((why, help)) = Self::refused_text(what, text, limit.max) {
                let problem = Problem::new(code, what, why).on(input, spot, &said.origin);
                self.findings.refuse(problem.help(help));
            }
            let used = placeholders(text);
            if used.len() > limit.placeholders {
                let why = format!(
                    "The {what} has {} placeholders; Sentinel takes {}.",
                    used.len(),
                    limit.placeholders
                );
                let problem = Problem::new(SENTINEL_PLACEHOLDERS, what, why).on(input, spot, &said.origin);
                self.findings
                    .refuse(problem.help("name fewer columns; the others may be custom details"));
            }
            for column in used {
                let spot = Spot::Placeholder(ALERT, column);
                self.column(what, column, facts.column_max, |problem| {
                    problem.on(input, spot, &said.origin)
                });
            }
        }
    }

    /// Refuses a column the query does not return, or whose name Sentinel does
    /// not take: one of other characters, or of more than `max`. `place` puts the
    /// finding where the column is named.
    fn column(&mut self, what: &str, column: &str, max: usize, place: impl FnOnce(Problem) -> Problem) {
        if !columns::has(self.input.ir, column) {
            let problem = missing_column(SENTINEL_COLUMN, self.input, what, column);
            self.findings.refuse(place(problem));
            return;
        }
        let form = self.prepared.column.is_match(column);
        if !form || length(column) > max {
            let why = if form {
                format!(
                    "The {what} names a column with {} characters; Sentinel takes {max}.",
                    length(column)
                )
            } else {
                format!(
                    "The {what} names the column `{column}`; Sentinel takes a letter or `_`, then letters, digits and \
                     `_`."
                )
            };
            let problem = Problem::new(SENTINEL_COLUMN_NAME, format!("{what}: {column}"), why);
            self.findings
                .refuse(place(problem).help("rename the column in the query's last `project`"));
        }
    }

    /// Constructs that are refused wherever they stand, however they are spaced.
    fn query(&mut self) {
        let text = self.input.text();
        for pattern in &self.prepared.query_refused {
            let raw = pattern.find(text);
            let span = raw.map(|found| Span::new(found.start(), found.end()));
            let Some(span) = span.or_else(|| scan::spaced(self.input.parsed, pattern)) else {
                continue;
            };
            let found = span.of(text).split_whitespace().collect::<Vec<_>>().join(" ");
            let problem = Problem::new(
                SENTINEL_QUERY,
                format!("`{found}`"),
                format!("Sentinel refuses `{found}` in an analytics rule."),
            );
            self.findings
                .refuse(problem.at(Some(span)).help("name the tables that are meant"));
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
                self.findings.refuse(problem.at(Some(table.span)).help(ELSEWHERE));
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
                self.findings.refuse(problem.at(span).help(ELSEWHERE));
            }
        }
    }

    fn suppression(&mut self) {
        let said = &self.input.resolved.suppression;
        let max = seconds(self.prepared.facts.suppression_max);
        if said.value.enabled && said.value.duration > max {
            let why = format!(
                "Suppression lasts {}; Sentinel takes at most {max}.",
                said.value.duration
            );
            let problem = Problem::new(SENTINEL_SUPPRESSION, "suppression", why).on(
                self.input,
                Spot::Key("/settings/suppression", "duration"),
                &said.origin,
            );
            self.findings.refuse(problem.help(format!("write {max} or less")));
        }
    }

    /// Places a finding about `key` of the schedule: where the document says
    /// it, else at the time bounds it was worked out from.
    fn scheduled(&self, problem: Problem, key: &str, said: &Sourced<Duration>) -> Problem {
        let bounds =
            scan::call(self.input.parsed, "ago").filter(|_| crate::findings::is_assumed(&said.origin));
        match bounds {
            Some(span) => problem.at(Some(span)),
            None => problem.on(self.input, Spot::Key(SCHEDULE, key), &said.origin),
        }
    }

    fn schedule(&mut self) {
        let facts = &self.prepared.facts;
        let resolved = self.input.resolved;
        let (Some(frequency), Some(period)) = (self.rule.query_frequency, self.rule.query_period) else {
            return;
        };
        for (code, key, duration, range, said) in [
            (
                SENTINEL_FREQUENCY,
                "frequency",
                frequency,
                facts.frequency,
                &resolved.frequency,
            ),
            (SENTINEL_PERIOD, "period", period, facts.period, &resolved.period),
        ] {
            let (min, max) = (seconds(range.min), seconds(range.max));
            let takes = if duration < min || duration > max {
                format!("{min} to {max}")
            } else if duration.seconds() % 60 != 0 {
                "whole minutes".to_owned()
            } else {
                continue;
            };
            let why = format!("The {key} is {duration}; Sentinel takes {takes}.");
            let problem = self.scheduled(Problem::new(code, key, why), key, said);
            self.findings
                .refuse(problem.help(format!("state a `{key}` of {takes} under `schedule`")));
        }
        if period < frequency {
            let why = format!(
                "The period {period} is shorter than the frequency {frequency}: events would be missed."
            );
            let problem = Problem::new(SENTINEL_PERIOD_SHORT, "period", why);
            let problem = self.scheduled(problem, "period", &resolved.period);
            self.findings.refuse(problem.help(format!(
                "look back {frequency} or more, or run the rule more often"
            )));
        }
        let (long, slow) = (
            seconds(facts.long_period.from),
            seconds(facts.long_period.frequency),
        );
        if period >= long && frequency < slow {
            let why = format!(
                "A period of {long} or more runs at most every {slow}; this rule runs every {frequency}."
            );
            let problem = Problem::new(SENTINEL_PERIOD_LONG, "frequency", why);
            let problem = self.scheduled(problem, "frequency", &resolved.frequency);
            self.findings.refuse(problem.help(format!(
                "run the rule every {slow} or less often, or look back less than {long}"
            )));
        }
    }

    /// When the number of results makes an alert; a near-real-time rule has no such thing.
    fn trigger(&mut self) {
        let facts = &self.prepared.facts;
        let said = &self.input.resolved.trigger;
        let (Some(operator), Some(threshold)) = (&self.rule.trigger_operator, self.rule.trigger_threshold)
        else {
            return;
        };
        if !facts.trigger_operators.contains_key(operator) {
            let why = format!("Sentinel has no trigger operator {operator}.");
            let problem = Problem::new(SENTINEL_OPERATOR, "trigger", why).on(
                self.input,
                Spot::Key(TRIGGER, "operator"),
                &said.origin,
            );
            let known: Vec<&str> = facts.trigger_operators.keys().map(String::as_str).collect();
            self.findings
                .refuse(problem.help(format!("it has {}", known.join(", "))));
        }
        let (threshold, range) = (u64::from(threshold), facts.trigger_threshold);
        if threshold < range.min || threshold > range.max {
            let why = format!(
                "The threshold is {threshold}; Sentinel takes {} to {}.",
                range.min, range.max
            );
            let problem = Problem::new(SENTINEL_THRESHOLD, "trigger", why).on(
                self.input,
                Spot::Key(TRIGGER, "threshold"),
                &said.origin,
            );
            self.findings
                .refuse(problem.help("count inside the query, so that a result means an alert"));
        }
    }

    fn entities(&mut self) {
        let facts = &self.prepared.facts;
        let rule = self.rule;
        let origin = &self.input.resolved.entities.origin;
        if rule.entity_mappings.len() > facts.entity_mappings_max {
            let why = format!(
                "The rule has {} entity mappings; Sentinel takes {}.",
                rule.entity_mappings.len(),
                facts.entity_mappings_max
            );
            let spot = Spot::Entity(facts.entity_mappings_max);
            let problem = Problem::new(SENTINEL_ENTITIES, "entities", why).on(self.input, spot, origin);
            self.findings.refuse(problem.help("leave out the least telling"));
        }
        for (index, mapping) in rule.entity_mappings.iter().enumerate() {
            self.entity(index, mapping);
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
                    SENTINEL_ENTITY_COLUMN,
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

    fn entity(&mut self, index: usize, mapping: &EntityMapping) {
        let (prepared, input) = (self.prepared, self.input);
        let origin = &input.resolved.entities.origin;
        let kind = &mapping.entity_type;
        let problem = |code: Code, why: String| {
            Problem::new(code, format!("entity {kind}"), why).on(input, Spot::Entity(index), origin)
        };
        let Some(entity) = prepared.entities.sentinel(kind).filter(|entity| entity.arm) else {
            let types: Vec<_> = prepared
                .entities
                .sentinel_types()
                .filter(|(_, entity)| entity.arm)
                .map(|(name, _)| name)
                .collect();
            let problem = problem(
                SENTINEL_ENTITY_TYPE,
                format!("Sentinel has no entity type {kind}."),
            );
            let help = format!("the types are {}", types.join(", "));
            self.findings.refuse(problem.help(help));
            return;
        };
        let max = prepared.facts.identifiers_max;
        let count = mapping.field_mappings.len();
        if count > max || count == 0 {
            let why = format!("The {kind} mapping has {count} identifiers; Sentinel takes 1 to {max}.");
            self.findings
                .refuse(problem(SENTINEL_IDENTIFIERS, why).help("keep the most telling"));
        }
        let mut names = Vec::new();
        for field in &mapping.field_mappings {
            let (identifier, column) = (field.identifier.as_str(), field.column_name.as_str());
            if !entity.identifiers.iter().any(|known| known == identifier) {
                let why = format!("The entity {kind} has no identifier {identifier}.");
                let problem = Problem::new(SENTINEL_IDENTIFIER, format!("entity {kind}"), why);
                let problem = problem.on(input, Spot::Key(ENTITIES, identifier), origin);
                let help = format!("its identifiers are {}", entity.identifiers.join(", "));
                self.findings.refuse(problem.help(help));
            }
            names.push(identifier);
            let what = format!("entity {kind} ({identifier})");
            let spot = Spot::Pair(ENTITIES, identifier, column);
            let max = prepared.facts.column_max;
            self.column(&what, column, max, |problem| problem.on(input, spot, origin));
        }
        if count > 0 && !prepared.entities.is_accepted(kind, &names) {
            let sets: Vec<_> = entity.required.iter().map(|set| set.join(" and ")).collect();
            let sets = sets.join(", or ");
            let problem = problem(
                SENTINEL_IDENTIFIER_MISSING,
                format!("The {kind} mapping needs {sets}."),
            );
            self.findings
                .refuse(problem.help(format!("map {sets} to a column of the result")));
        }
    }

    fn details(&mut self) {
        let limits = &self.prepared.facts.custom_details;
        let input = self.input;
        let origin = &input.resolved.custom_details.origin;
        let Some(details) = &self.rule.custom_details else {
            return;
        };
        if details.len() > limits.max {
            let why = format!(
                "The rule has {} custom details; Sentinel takes {}.",
                details.len(),
                limits.max
            );
            let problem =
                Problem::new(SENTINEL_DETAILS, "custom details", why).on(input, Spot::Value(DETAILS), origin);
            self.findings.refuse(problem.help("leave out the least telling"));
        }
        let mut folded = BTreeSet::new();
        for (key, column) in details {
            let what = format!("custom detail {key}");
            let mut refuse = |why: String, help: &str| {
                let problem = Problem::new(SENTINEL_DETAIL_KEY, what.clone(), why);
                let problem = problem.on(input, Spot::Key(DETAILS, key), origin);
                self.findings.refuse(problem.help(help));
            };
            if length(key) > limits.key_max || !self.prepared.detail_key.is_match(key) {
                let why = format!(
                    "The custom detail `{key}` is no name Sentinel takes: a letter, then letters, digits and `_`, at \
                     most {} characters.",
                    limits.key_max
                );
                refuse(why, "give it another key");
            }
            if !folded.insert(key.to_lowercase()) {
                let why = format!("The custom detail `{key}` is there twice, in different case.");
                refuse(why, "keep one of them");
            }
            let column = column.as_str().unwrap_or_default();
            let spot = Spot::Pair(DETAILS, key, column);
            self.column(&what, column, limits.value_max, |problem| {
                problem.on(input, spot, origin)
            });
        }
    }

    fn grouping(&mut self) {
        let facts = &self.prepared.facts;
        let (input, rule) = (self.input, self.rule);
        let (Some(incidents), Some(said)) = (&rule.incident_configuration, &input.resolved.grouping) else {
            return;
        };
        let grouping = &incidents.grouping_configuration;
        let problem = |code: Code, construct: String, key: &str, why: String| {
            Problem::new(code, construct, why).on(input, Spot::Key(GROUPING, key), &said.origin)
        };
        let method = &grouping.matching_method;
        if !facts.matching_methods.contains(method) {
            let why = format!("Sentinel does not group alerts by {method}.");
            let problem = problem(SENTINEL_GROUPING, "grouping".to_owned(), "matching", why);
            self.findings
                .refuse(problem.help(format!("it groups by {}", facts.matching_methods.join(", "))));
        }
        let none = grouping.group_by_entities.is_empty()
            && grouping.group_by_custom_details.is_empty()
            && grouping.group_by_alert_details.is_empty();
        if method == "Selected" && none {
            let why = "Grouping by selected entities or custom details names none of them.".to_owned();
            let problem = problem(SENTINEL_GROUPING, "grouping".to_owned(), "matching", why);
            self.findings
                .refuse(problem.help("list them under `by_entities` or `by_custom_details`"));
        }
        for entity in &grouping.group_by_entities {
            let mapped = rule.entity_mappings.iter().any(|m| m.entity_type == *entity);
            if !mapped {
                let why = format!("Alerts are grouped by {entity}, which no entity mapping gives.");
                let construct = format!("grouping by {entity}");
                let problem = problem(SENTINEL_GROUPING_ENTITY, construct, "by_entities", why);
                self.findings
                    .refuse(problem.help(format!("map {entity} under `entities`, or group by another one")));
            }
        }
        for detail in &grouping.group_by_custom_details {
            let given = rule
                .custom_details
                .as_ref()
                .is_some_and(|details| details.contains_key(detail));
            if !given {
                let why = format!(
                    "Alerts are grouped by the custom detail {detail}, which the rule does not have."
                );
                let construct = format!("grouping by {detail}");
                let problem = problem(SENTINEL_GROUPING_DETAIL, construct, "by_custom_details", why);
                self.findings.refuse(problem.help(format!(
                    "add {detail} to `custom_details`, or group by another one"
                )));
            }
        }
    }
}
