//! Many queries, both answers, and what differs, grouped by cause.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use crate::answer::{Answer, World};
use crate::compare::{Difference, Kind, compare};
use crate::minimise::minimise;
use crate::oracle::Oracle;

/// How many queries are asked at a time.
const BATCH: usize = 64;

/// A query with its name in reports.
#[derive(Clone, Debug)]
pub struct Case {
    /// `7.123`: query 123 of seed 7; or the name of a file's query.
    pub id: String,
    /// The text.
    pub query: String,
}

/// One instance of a difference.
#[derive(Clone, Debug)]
struct Instance {
    id: String,
    query: String,
    difference: Difference,
    small: Option<String>,
}

/// What is known after some queries.
#[derive(Debug, Default)]
pub struct Campaign {
    /// Queries asked.
    queries: usize,
    /// Queries to which the reference had no answer, with why.
    failed: Vec<(String, String)>,
    /// Queries that both take without any error.
    fine: usize,
    /// For each kind: how many were compared, and how many differ.
    counts: BTreeMap<Kind, (usize, usize)>,
    groups: BTreeMap<(Kind, String), Vec<Instance>>,
}

impl Campaign {
    /// Compares the answers to some queries.
    pub fn run(&mut self, world: &World, cases: &[Case], oracle: &mut Oracle) -> Result<(), String> {
        for batch in cases.chunks(BATCH) {
            let requests: Vec<Value> = batch.iter().map(|c| world.request(&c.query)).collect();
            let answers = oracle.ask(&requests)?;
            for (case, theirs) in batch.iter().zip(answers) {
                self.take(world, case, &theirs);
            }
        }
        Ok(())
    }

    fn take(&mut self, world: &World, case: &Case, theirs: &Answer) {
        self.queries += 1;
        if let Some(why) = &theirs.failed {
            self.failed.push((case.id.clone(), why.clone()));
            return;
        }
        let ours = world.ours(&case.query);
        let clean = |a: &Answer| a.syntax.is_empty() && a.semantic.is_empty();
        self.fine += usize::from(clean(&ours) && clean(theirs));
        let (compared, differences) = compare(&ours, theirs);
        for kind in compared {
            self.counts.entry(kind).or_default().0 += 1;
        }
        for difference in differences {
            self.counts.entry(difference.kind).or_default().1 += 1;
            self.groups
                .entry((difference.kind, difference.signature.clone()))
                .or_default()
                .push(Instance {
                    id: case.id.clone(),
                    query: case.query.clone(),
                    difference,
                    small: None,
                });
        }
    }

    /// Shrinks some instances of each group, at most `examples` of each,
    /// asking the reference about `limit` times for one.
    pub fn minimise(
        &mut self,
        world: &World,
        examples: usize,
        limit: usize,
        oracle: &mut Oracle,
    ) -> Result<(), String> {
        for ((kind, signature), instances) in &mut self.groups {
            // Short ones are quicker, and the order must not depend on chance.
            instances.sort_by(|a, b| (a.query.len(), &a.id).cmp(&(b.query.len(), &b.id)));
            let step = instances.len().div_ceil(examples).max(1);
            for instance in instances.iter_mut().step_by(step) {
                let mut asked = 0;
                let small = minimise(&instance.query, limit * 20, |texts| {
                    if asked > limit {
                        return Ok(vec![false; texts.len()]);
                    }
                    let ours: Vec<Answer> = texts.iter().map(|t| world.ours(t)).collect();
                    // What our side no longer says cannot be the same difference.
                    let plausible: Vec<usize> = (0..texts.len())
                        .filter(|n| plausible(*kind, signature, &ours[*n]))
                        .collect();
                    asked += plausible.len();
                    let requests: Vec<Value> = plausible.iter().map(|n| world.request(&texts[*n])).collect();
                    let answers = oracle.ask(&requests)?;
                    let mut verdicts = vec![false; texts.len()];
                    for (n, theirs) in plausible.iter().zip(answers) {
                        verdicts[*n] = theirs.failed.is_none()
                            && compare(&ours[*n], &theirs)
                                .1
                                .iter()
                                .any(|d| d.kind == *kind && d.signature == *signature);
                    }
                    Ok(verdicts)
                })?;
                instance.small = Some(small);
            }
        }
        Ok(())
    }

    /// The counts as a table.
    pub fn summary(&self) -> String {
        let mut text = format!(
            "{} queries, {} without any error on either side, {} without an answer\n",
            self.queries,
            self.fine,
            self.failed.len()
        );
        for kind in Kind::ALL {
            let (compared, differ) = self.counts.get(&kind).copied().unwrap_or_default();
            let same = compared - differ;
            let percent = 100.0 * same as f64 / compared.max(1) as f64;
            let _ = writeln!(
                text,
                "{:<24}{same:>8} of {compared:>8}  {percent:.2} %",
                kind.name()
            );
        }
        text
    }

    /// The groups, most instances first, with their shrunk examples.
    pub fn report(&self) -> String {
        let mut text = self.summary();
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by_key(|((kind, signature), instances)| {
            (*kind, std::cmp::Reverse(instances.len()), signature.clone())
        });
        for ((kind, signature), instances) in groups {
            let _ = writeln!(text, "\n## {}: {} x {signature}", kind.name(), instances.len());
            let mut seen = BTreeSet::new();
            for instance in instances {
                // Without shrunk ones the first few as they are.
                let whole = (seen.len() < 2 && instances.iter().all(|i| i.small.is_none()))
                    .then_some(&instance.query);
                let Some(small) = instance.small.as_ref().or(whole) else {
                    continue;
                };
                if seen.insert(small) {
                    let _ = writeln!(text, "- {}\n    {}", instance.id, small.replace('\n', "\n    "));
                    let _ = writeln!(
                        text,
                        "      {}",
                        instance.difference.detail.replace('\n', "\n      ")
                    );
                }
            }
        }
        if !self.failed.is_empty() {
            let _ = writeln!(text, "\n## no answer");
            for (id, why) in &self.failed {
                let _ = writeln!(text, "- {id}: {why}");
            }
        }
        text
    }

    /// Every instance, one JSON object a line.
    pub fn instances(&self) -> String {
        let mut text = String::new();
        for ((kind, signature), instances) in &self.groups {
            for instance in instances {
                let line = serde_json::json!({
                    "id": instance.id,
                    "kind": kind.name(),
                    "signature": signature,
                    "query": instance.query,
                    "small": instance.small,
                    "detail": instance.difference.detail,
                });
                let _ = writeln!(text, "{line}");
            }
        }
        text
    }
}

/// Whether our answer alone still allows the difference.
fn plausible(kind: Kind, signature: &str, ours: &Answer) -> bool {
    let problems = match kind {
        Kind::Syntax => &ours.syntax,
        Kind::Semantic => &ours.semantic,
        _ => return ours.syntax.is_empty(),
    };
    let rejects = signature.starts_with("ours rejects");
    (kind == Kind::Syntax || ours.syntax.is_empty()) && problems.is_empty() != rejects
}
