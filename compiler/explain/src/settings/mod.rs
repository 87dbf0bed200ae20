//! Settings complete: what was said, what follows from the query, and stated defaults.

mod entities;
mod schedule;
mod severity;

use std::collections::BTreeMap;

use rulec_ir::{BindingKind, Query};
use rulec_model::{
    Duration, Origin, Resolved, Rule, RuleKind, ScheduleKind, Sourced, Status, Suppression, Trigger,
    TriggerOperator,
};

pub(crate) use schedule::{duration, is_runs, longest_window};

use crate::{Facts, constant::constant, predicates::DEDUP_FIELDS};

/// All targets, in the order they are built; what a rule goes to when nobody chose.
pub const TARGETS: [&str; 4] = ["sentinel", "defender", "sigma", "native"];

/// Fills in what nobody said about running a rule. `index` is which of the
/// rule's queries this is.
pub fn resolve(rule: &Rule, _index: usize, query: &Query, facts: &Facts) -> Resolved {
    let said = &rule.settings;
    let timing = schedule::derive(query);
    let schedule = said.schedule.as_ref();
    let said_kind = schedule.map(|s| Sourced::new(s.value.kind, s.origin.clone()));
    let pick = |value: Option<Duration>, derived: &Sourced<Duration>| match (value, schedule) {
        (Some(value), Some(schedule)) => Sourced::new(value, schedule.origin.clone()),
        _ => derived.clone(),
    };
    let frequency = pick(schedule.and_then(|s| s.value.frequency), &timing.frequency);
    let mut period = pick(schedule.and_then(|s| s.value.period), &timing.period);
    // A run that looks back less far than the last run was ago leaves gaps.
    let written = matches!(
        period.origin,
        Origin::FrontMatter | Origin::Config | Origin::Environment(_)
    );
    if period.value < frequency.value && !written {
        period = Sourced::new(
            frequency.value,
            Origin::Derived("as far back as the time between runs".to_owned()),
        );
    }
    Resolved {
        status: said.status.clone().unwrap_or_else(|| {
            Sourced::new(
                Status::Stable,
                Origin::Default("documents without a status are in use".to_owned()),
            )
        }),
        severity: said
            .severity
            .clone()
            .unwrap_or_else(|| severity::default(rule, facts)),
        targets: said.targets.clone().unwrap_or_else(|| targets(rule)),
        kind: said_kind.unwrap_or_else(|| {
            Sourced::new(
                ScheduleKind::Scheduled,
                Origin::Default("rules run on a schedule".to_owned()),
            )
        }),
        frequency,
        period,
        trigger: said.trigger.clone().unwrap_or_else(|| {
            let trigger = Trigger {
                operator: TriggerOperator::Gt,
                threshold: 0,
            };
            Sourced::new(trigger, Origin::Default("any result is an alert".to_owned()))
        }),
        entities: said
            .entities
            .clone()
            .unwrap_or_else(|| entities::infer(query, facts)),
        custom_details: said
            .custom_details
            .clone()
            .unwrap_or_else(|| custom_details(query)),
        alert: said.alert.clone(),
        grouping: said.grouping.clone(),
        suppression: said.suppression.clone().unwrap_or_else(|| {
            let off = Suppression {
                enabled: false,
                duration: Duration::from_seconds(3_600),
            };
            Sourced::new(off, Origin::Default("nothing is suppressed".to_owned()))
        }),
    }
}

/// Where a rule goes when nobody chose.
fn targets(rule: &Rule) -> Sourced<Vec<String>> {
    match rule.kind {
        RuleKind::Detection => {
            let all = TARGETS.map(str::to_owned).to_vec();
            Sourced::new(
                all,
                Origin::Default("every target that can say the rule".to_owned()),
            )
        }
        // A hunt is read by a person; deployed, it would alert on everything it shows.
        RuleKind::Hunt => {
            let native = vec!["native".to_owned()];
            Sourced::new(
                native,
                Origin::Default("a hunt is run by a person, not deployed".to_owned()),
            )
        }
    }
}

/// De-duplication fields become custom details: the next run looks for them
/// in the alerts of this one.
fn custom_details(query: &Query) -> Sourced<BTreeMap<String, String>> {
    let columns: Vec<&str> = query
        .root
        .iter()
        .flat_map(|r| r.columns.iter())
        .map(|c| &*c.name)
        .collect();
    let fields = dedup_fields(query);
    let mut details = BTreeMap::new();
    let named: Vec<&str> = fields.iter().flatten().map(String::as_str).collect();
    // Keys of custom details have at most 20 characters.
    for name in named.into_iter().chain(fields.is_some().then_some("DedupEntity")) {
        if columns.contains(&name) && name.len() <= 20 {
            details.insert(name.to_owned(), name.to_owned());
        }
    }
    let origin = if details.is_empty() {
        Origin::Default("the query has no de-duplication fields".to_owned())
    } else {
        Origin::Derived("the query's de-duplication fields".to_owned())
    };
    Sourced::new(details, origin)
}

/// The fields that earlier alerts are compared by, when the query has the
/// de-duplication that rule documents share.
pub fn dedup_fields(query: &Query) -> Option<Vec<String>> {
    let binding = query.bindings.iter().find(|b| b.name == DEDUP_FIELDS)?;
    let BindingKind::Scalar(expr) = &binding.kind else {
        return None;
    };
    let fields = constant(query, expr)?;
    Some(match &fields {
        rulec_functions::Value::Array(items) => items
            .iter()
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    })
}
