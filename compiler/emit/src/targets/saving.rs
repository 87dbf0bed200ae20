//! What holds of the save-time rules of every target: each row of its data has
//! an effect, each of its findings is met beyond a limit and not at it, and each
//! says what to do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use rulec_facts::Pack;
use rulec_facts::tables::{Environment, Tables};
use rulec_ir::Catalog;
use rulec_model::{
    AlertText, Grouping, GroupingMatch, Resolved, Rule, Suppression, Trigger, TriggerOperator,
};
use serde_yaml::Value;

use super::testing::*;
use crate::codes::{CODES, PAGES};
use crate::{Context, Emitted, Target, emit};

/// A rule and how it is run. Its query is bound as a rule's is.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) rule: Rule,
    pub(crate) resolved: Resolved,
}

pub(crate) const QUERY: &str = "DeviceProcessEvents\n\
    | where Timestamp > ago(1d)\n\
    | where FileName == 'a.exe'\n\
    | project Timestamp, DeviceId, ReportId, DeviceName, AccountName, AccountDomain, ProcessCommandLine\n";

/// A rule that says everything a document can say and that each target takes.
pub(crate) fn base() -> Setup {
    let mut rule = rule(vec![tag("TA0002", "T1059.001")]);
    rule.queries[0].text = QUERY.to_owned();
    rule.versions[0].date = Some("2026-11-22".to_owned());
    let mut resolved = resolved();
    resolved.trigger = said(Trigger {
        operator: TriggerOperator::Gt,
        threshold: 3,
    });
    resolved.alert = Some(said(AlertText {
        title: Some("On {{DeviceName}}".to_owned()),
        description: Some("By {{AccountName}}.".to_owned()),
    }));
    resolved.grouping = Some(said(Grouping {
        matching: GroupingMatch::Selected,
        lookback: duration("5h"),
        by_entities: vec!["Host".to_owned()],
        by_custom_details: vec!["Command".to_owned()],
    }));
    resolved.suppression = said(Suppression {
        enabled: true,
        duration: duration("5h"),
    });
    Setup { rule, resolved }
}

impl Setup {
    pub(crate) fn query(&mut self, text: &str) {
        text.clone_into(&mut self.rule.queries[0].text);
    }

    /// What the target says of it.
    pub(crate) fn emit(&self, target: &dyn Target, context: &Context) -> Emitted {
        static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
            let tables = Tables::new(&Pack::embedded(), Environment::MergedColumns).unwrap();
            Catalog::new(Arc::new(tables))
        });
        let parsed = rulec_kql::parse(&self.rule.queries[0].text);
        let lowered = rulec_ir::lower(&parsed, &CATALOG);
        with_input(&self.rule, &self.resolved, &lowered.query, |input| {
            emit(target, context, input)
        })
    }
}

/// How often it runs, and how far back it reads.
pub(crate) fn schedule(setup: &mut Setup, frequency: &str, period: &str) {
    setup.resolved.frequency = said(duration(frequency));
    setup.resolved.period = said(duration(period));
}

pub(crate) fn alert(setup: &mut Setup, title: &str, description: &str) {
    setup.resolved.alert = Some(said(AlertText {
        title: Some(title.to_owned()),
        description: Some(description.to_owned()),
    }));
}

/// A text with so many placeholders.
pub(crate) fn placeholders(count: usize) -> String {
    "{{DeviceName}}".repeat(count)
}

fn names(emitted: &Emitted) -> BTreeSet<&'static str> {
    emitted.findings().map(|found| found.code.name).collect()
}

/// A finding, a rule right at its limit, and one beyond it.
pub(crate) struct Case {
    pub(crate) code: &'static str,
    pub(crate) at: fn(&mut Setup),
    pub(crate) beyond: fn(&mut Setup),
}

/// Each finding of the target is met beyond its limit and not at it. `elsewhere`
/// are those for which other tests stand.
pub(crate) fn cases(target: &dyn Target, cases: &[Case], elsewhere: &[&str]) {
    let mut wrong = Vec::new();
    let mut tried: BTreeSet<&str> = elsewhere.iter().copied().collect();
    for (index, case) in cases.iter().enumerate() {
        tried.insert(case.code);
        let (mut at, mut beyond) = (base(), base());
        (case.at)(&mut at);
        (case.beyond)(&mut beyond);
        let at = at.emit(target, context());
        if names(&at).contains(case.code) {
            wrong.push(format!("{index}: {} is met at the limit", case.code));
        }
        let emitted = beyond.emit(target, context());
        let found: Vec<_> = emitted
            .findings()
            .filter(|found| found.code.name == case.code)
            .collect();
        let Some(found) = found.first() else {
            wrong.push(format!(
                "{index}: {} is not met beyond the limit: {:?}",
                case.code, emitted.losses
            ));
            continue;
        };
        if found.is_error() != emitted.artifacts.is_empty() {
            wrong.push(format!(
                "{index}: {} and an artifact do not go together",
                case.code
            ));
        }
        // A finding that refuses the rule says so in the ledger as well.
        if found.is_error() != emitted.is_rejected() {
            wrong.push(format!("{index}: {} is not in the ledger", case.code));
        }
        if found.help.is_none() || found.message.ends_with('.') {
            wrong.push(format!(
                "{index}: {} does not say what to do: {}",
                case.code, found.message
            ));
        }
    }
    let prefix = format!("{}-", target.name());
    for code in CODES.iter().filter(|code| code.name.starts_with(&prefix)) {
        if !tried.contains(code.name) {
            wrong.push(format!("no case for {}", code.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A key of the target's data, a value that the base rule does not keep to
/// (as YAML), a change to the base rule, and what is found then.
pub(crate) struct Row(
    pub(crate) &'static str,
    pub(crate) &'static str,
    pub(crate) fn(&mut Setup),
    pub(crate) &'static str,
);

/// No change to the base rule.
pub(crate) fn same(_: &mut Setup) {}

/// Each key of `schema/targets/<target>.yaml` is tightened in `rows`, and found
/// then; or it is in `outside`, with the reason why it is no save-time rule.
/// The page of what is found names the key, and pages name no other.
pub(crate) fn rows(target: &dyn Target, rows: &[Row], outside: &[(&str, &str)]) {
    let path = format!("schema/targets/{}.yaml", target.name());
    let text = Pack::embedded().text(&path).unwrap().to_owned();
    let data: Value = serde_yaml::from_str(&text).unwrap();
    let pages = pages(target.name());
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for Row(key, tight, change, code) in rows {
        seen.insert(*key);
        let mut setup = base();
        change(&mut setup);
        if names(&setup.emit(target, context())).contains(code) {
            wrong.push(format!("{key}: {code} is met before it is tightened"));
        }
        let mut tightened = data.clone();
        let place = key.split('.').fold(&mut tightened, |at, part| &mut at[part]);
        assert!(!place.is_null(), "there is no {key} in {path}");
        *place = serde_yaml::from_str(tight).unwrap();
        let context = context_with(&[(&path, &serde_yaml::to_string(&tightened).unwrap())]);
        let emitted = setup.emit(target, &context);
        if !names(&emitted).contains(code) {
            wrong.push(format!("{key}: {tight} has no effect: {:?}", names(&emitted)));
        }
        let page = pages.get(code);
        if *code != "target-config" && !page.is_some_and(|keys| keys.contains(key)) {
            wrong.push(format!("{key}: the page of {code} does not name it"));
        }
    }
    let known: BTreeSet<&str> = outside.iter().map(|(key, _)| *key).collect();
    for key in keys(&data) {
        let parent = key.split('.').next().unwrap_or_default();
        let covered = |key: &str| seen.contains(key) || known.contains(key);
        if !covered(&key) && !covered(parent) {
            wrong.push(format!("{key} is no row and not outside"));
        }
    }
    for (code, keys) in &pages {
        for key in keys {
            if !seen.contains(key) {
                wrong.push(format!("the page of {code} names {key}, which no row tightens"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The keys of a data file, those of maps within it as `outer.inner`.
fn keys(data: &Value) -> Vec<String> {
    let mut keys = Vec::new();
    for (key, value) in data.as_mapping().unwrap() {
        let key = key.as_str().unwrap();
        match value.as_mapping() {
            Some(inner) => keys.extend(
                inner
                    .iter()
                    .map(|(name, _)| format!("{key}.{}", name.as_str().unwrap_or_default())),
            ),
            None => keys.push(key.to_owned()),
        }
    }
    keys
}

/// The keys that the pages of a target's findings name, by the finding's name.
fn pages(target: &str) -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut pages: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for section in PAGES.iter().flat_map(|file| file.split("## ")) {
        let Some((_, name)) = section.lines().next().and_then(|line| line.split_once(' ')) else {
            continue;
        };
        let Some((_, data)) = section.split_once("\nData: ") else {
            continue;
        };
        if name.starts_with(target) {
            pages.insert(name, data.split('`').skip(1).step_by(2).collect());
        }
    }
    pages
}
