//! Putting an explanation together.

use rulec_ir::Query;
use rulec_model::{Origin, Resolved, Rule, ScheduleKind};
use rulec_source::{Fragment, SourceFile};

use crate::{
    Facts, coverage, entities,
    explanation::{Explanation, Indicator, QueryPlace, Schedule, Tactic, Technique},
    mainline, output, particulars, predicates, stages,
};

/// One query of a rule and everything known about it.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The document.
    pub file: &'a SourceFile,
    /// The rule.
    pub rule: &'a Rule,
    /// Which of its queries.
    pub query: usize,
    /// The query's text and the way back to the document.
    pub fragment: &'a Fragment,
    /// Its syntax tree.
    pub parsed: &'a rulec_kql::Parsed,
    /// Its algebra.
    pub ir: &'a Query,
    /// The rule's settings, complete.
    pub resolved: &'a Resolved,
    /// Data.
    pub facts: &'a Facts,
}

/// Explains a query of a rule. Never fails: what is not known is left out.
pub fn explain(input: &Input<'_>) -> Explanation {
    let pipeline = stages::pipeline(input);
    let steps = mainline::steps(input.ir, &pipeline.spans);
    let predicates = predicates::predicates(input, &steps);
    let particulars = particulars::particulars(input, &steps);
    Explanation {
        rule: input.rule.id.clone(),
        title: input.rule.title.clone(),
        query: QueryPlace {
            number: input.query + 1,
            of: input.rule.queries.len(),
            name: input.rule.queries.get(input.query).and_then(|q| q.name.clone()),
            line: stages::line(input, input.parsed.query.span),
        },
        parameters: stages::parameters(input.ir, input),
        bindings: stages::bindings(input.ir, input, &pipeline),
        output_fields: output::fields(input.ir, &input.fragment.text, &pipeline.spans),
        stages: stages::stages(input, &pipeline),
        exclusions: predicates.exclusions,
        indicators: predicates.indicators,
        thresholds: predicates.thresholds,
        time_window: predicates.time,
        lookback: particulars.lookback,
        group_by: particulars.group_by,
        joins: particulars.joins,
        deduplication: particulars.deduplication,
        event_coverage: coverage::coverage(input.ir, input.rule, &input.facts.events),
        attack: attack(input.rule, input.facts),
        schedule: schedule(input.resolved),
        settings: input.resolved.clone(),
        entities: entities::choices(input.ir, input.resolved, &input.facts.entities),
        further: Vec::new(),
    }
}

/// What a query looks for: the indicators of its explanation alone.
pub fn indicators(input: &Input<'_>) -> Vec<Indicator> {
    let pipeline = stages::pipeline(input);
    let steps = mainline::steps(input.ir, &pipeline.spans);
    predicates::predicates(input, &steps).indicators
}

/// The document's tags under the names of the newest version.
fn attack(rule: &Rule, facts: &Facts) -> Vec<Tactic> {
    let mut tactics: Vec<Tactic> = Vec::new();
    for tag in &rule.attack {
        let stated = tag
            .tactic_id
            .as_deref()
            .or(tag.tactic.as_deref())
            .unwrap_or_default();
        let id = tag.technique_id();
        let placed = id.as_deref().and_then(|id| facts.newest.place(id, stated));
        let (names, technique) = match (&placed, &id) {
            (Some(placement), _) => (
                placement.tactics.iter().map(|t| t.name.clone()).collect(),
                Some(Technique {
                    id: placement.technique.id.clone(),
                    name: facts.newest.full_name(placement.technique),
                }),
            ),
            (None, id) => {
                let name = facts.newest.tactic(stated).map(|t| t.name.clone());
                let name = name.or_else(|| tag.tactic.clone()).unwrap_or_default();
                let technique = id.as_ref().map(|id| Technique {
                    id: id.clone(),
                    name: tag.name.clone().unwrap_or_default(),
                });
                (vec![name], technique)
            }
        };
        for name in names {
            let place = match tactics.iter().position(|t| t.tactic == name) {
                Some(place) => place,
                None => {
                    tactics.push(Tactic {
                        tactic: name,
                        techniques: Vec::new(),
                    });
                    tactics.len() - 1
                }
            };
            let techniques = &mut tactics[place].techniques;
            techniques.extend(technique.clone().filter(|t| !techniques.contains(t)));
        }
    }
    tactics
}

fn schedule(resolved: &Resolved) -> Schedule {
    Schedule {
        kind: match resolved.kind.value {
            ScheduleKind::Scheduled => "scheduled".to_owned(),
            ScheduleKind::Nrt => "nrt".to_owned(),
        },
        frequency: resolved.frequency.value.to_string(),
        period: resolved.period.value.to_string(),
        why: format!(
            "{}; {}",
            origin(&resolved.frequency.origin),
            origin(&resolved.period.origin)
        ),
    }
}

/// Where a value came from, in words.
pub(crate) fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Document => "the document".to_owned(),
        Origin::FrontMatter => "front matter".to_owned(),
        Origin::Config => "rulec.toml".to_owned(),
        Origin::Environment(name) => format!("environment {name}"),
        Origin::Derived(why) => why.clone(),
        Origin::Default(why) => format!("default: {why}"),
    }
}
