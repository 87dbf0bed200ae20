//! Counting by group and window: what becomes of `summarize` with a threshold.
//!
//! In: groups with their keys, aggregates and conditions. Out: the kind of
//! correlation, what it counts, by which columns and in which time, or why
//! there is none. Deliberately absent: fields; the keys are still terms.

use std::rc::Rc;

use rulec_functions::Value;
use rulec_functions::calendar::{DAY, HOUR, MINUTE, SECOND};
use rulec_model::Duration;
use rulec_source::Span;

use super::flow::{Aggregate, Groups, Refusal, Said};
use super::parts::number;
use super::term::{Term, TermKind};
use super::value::Scalar;
use crate::{Effect, Loss};

/// How groups are counted.
#[derive(Clone, Debug)]
pub(super) struct Correlation {
    /// `event_count`
    pub(super) kind: &'static str,
    /// `gt` or `gte`, and the threshold.
    pub(super) condition: (&'static str, Scalar),
    /// What is counted or measured, for each branch.
    pub(super) field: Option<Vec<Rc<Term>>>,
    /// The percentile asked for.
    pub(super) percentile: Option<i64>,
    /// The keys that are no time, for each branch.
    pub(super) keys: Vec<Vec<Rc<Term>>>,
    /// `10m`
    pub(super) timespan: String,
    /// Where it stands.
    pub(super) span: Span,
}

/// What groups come to.
pub(super) enum Counted {
    /// A threshold on an aggregate.
    Correlation(Correlation),
    /// Every group is a result, so every event is.
    Each,
}

/// The threshold on an aggregate, and what else has to hold for an event to count.
struct Threshold {
    aggregate: usize,
    operator: &'static str,
    value: Scalar,
    /// `array_length` around it.
    length: bool,
    span: Span,
}

/// Reads the conditions on groups. Those on keys alone go down to the events.
pub(super) fn count(
    groups: &mut Groups,
    period: Duration,
    time_columns: &[String],
    losses: &mut Vec<Loss>,
) -> Said<Counted> {
    let key_count = groups.keys.first().map_or(0, Vec::len);
    let mut thresholds: Vec<Threshold> = Vec::new();
    for filter in std::mem::take(&mut groups.filters) {
        let on_keys = !filter.any(|term| match term.kind {
            TermKind::Column(i) => i >= key_count,
            TermKind::Opaque(_) => true,
            _ => false,
        });
        if on_keys {
            for (branch, keys) in groups.branches.iter_mut().zip(&groups.keys) {
                let term = filter.rewrite(&|term| match term.kind {
                    TermKind::Column(i) => keys.get(i).cloned(),
                    _ => None,
                });
                branch.filters.extend(term.conjuncts());
            }
        } else {
            thresholds.push(threshold(groups, &filter, key_count)?);
        }
    }
    let mut thresholds = thresholds.into_iter();
    let Some(threshold) = thresholds.next() else {
        let why = "Each matching event alerts, not each group of them.";
        losses.push(Loss::new("`summarize`", Effect::Dropped, why).at(groups.span));
        return Ok(Counted::Each);
    };
    if let Some(second) = thresholds.next() {
        let why = "A Sigma correlation has one threshold, on one count or measure.";
        return Err(Refusal::new("a second condition on groups", why, second.span));
    }
    if let Some((operator, span)) = groups.branches.iter().find_map(super::flow::Branch::uncountable) {
        let why = format!("Sigma counts events, and behind `{operator}` rows are counted that are none.");
        return Err(Refusal::new(format!("`{operator}`"), why, span));
    }
    let mut keys = Vec::with_capacity(groups.keys.len());
    let mut window = None;
    for (own, branch) in groups.keys.iter().zip(&groups.branches) {
        let mut kept = Vec::new();
        for key in own {
            let is_time = |term: &Term| match &term.kind {
                TermKind::Ingestion => true,
                TermKind::Column(i) => branch
                    .columns
                    .get(*i)
                    .is_some_and(|column| time_columns.iter().any(|name| **name == *column.name)),
                _ => false,
            };
            match bin(key, &is_time) {
                Some(ticks) if window.is_none_or(|(known, _)| known == ticks) => {
                    window = Some((ticks, key.span));
                }
                Some(_) => {
                    let why = "A Sigma correlation has one time in which it counts.";
                    return Err(Refusal::new("a second window", why, key.span));
                }
                None if matches!(key.kind, TermKind::Literal(_)) => {}
                None => kept.push(Rc::clone(key)),
            }
        }
        keys.push(kept);
    }
    let timespan = match window {
        Some((ticks, span)) => {
            let why = "Sigma counts in a window that slides with the events, the query in fixed bins: what falls on \
                       both sides of a bin's end is counted together.";
            losses.push(Loss::new("`bin`", Effect::Widened, why).at(span));
            span_of(ticks).ok_or_else(|| {
                let why = "Sigma counts in whole seconds, minutes, hours or days.";
                Refusal::new("`bin`", why, span)
            })?
        }
        None => {
            let why = format!(
                "The query counts all that a run looks at; Sigma counts in a window of that length, {period}, that \
                 slides with the events."
            );
            losses.push(Loss::new("`summarize`", Effect::Widened, why).at(groups.span));
            period.to_string()
        }
    };
    let Some(aggregate) = groups.aggregates.get(threshold.aggregate).cloned() else {
        let why = "The condition is on nothing that the groups have.";
        return Err(Refusal::new("a condition on groups", why, threshold.span));
    };
    let (kind, field, percentile) = measured(groups, &aggregate, &threshold)?;
    if kind == "value_avg" || kind == "value_percentile" {
        let why = "What a sliding window takes in beyond a fixed bin can lower the measure.";
        losses.push(Loss::new(format!("`{}`", aggregate.function), Effect::Narrowed, why).at(aggregate.span));
    }
    Ok(Counted::Correlation(Correlation {
        kind,
        condition: (threshold.operator, threshold.value),
        field,
        percentile,
        keys,
        timespan,
        span: groups.span,
    }))
}

/// A comparison of one aggregate with a number.
fn threshold(groups: &Groups, filter: &Rc<Term>, key_count: usize) -> Said<Threshold> {
    let span = filter.span;
    let refuse = |why: &str| Err(Refusal::new("a condition on groups", why, span));
    let TermKind::Call(function, args) = &filter.kind else {
        return refuse("Sigma compares one count or measure of a group with a number.");
    };
    let [left, right] = args.as_slice() else {
        return refuse("Sigma compares one count or measure of a group with a number.");
    };
    let (subject, value, name) = match (&left.kind, &right.kind) {
        (_, TermKind::Literal(value)) => (left, value, function.name),
        (TermKind::Literal(value), _) => {
            let turned = match function.name {
                "<" => ">",
                "<=" => ">=",
                ">" => "<",
                ">=" => "<=",
                other => other,
            };
            (right, value, turned)
        }
        _ => {
            if let Some(TermKind::Opaque(what)) = [left, right]
                .into_iter()
                .map(|side| &side.kind)
                .find(|kind| matches!(kind, TermKind::Opaque(_)))
            {
                return Err(Refusal::new(
                    what.clone(),
                    "A threshold in Sigma is a number that stands in the rule.",
                    span,
                ));
            }
            return refuse("Sigma compares one count or measure of a group with a number.");
        }
    };
    let operator = match name {
        ">" => "gt",
        ">=" => "gte",
        "<" | "<=" | "==" | "!=" => {
            return refuse(
                "An upper bound or exact number means something else in Sigma's sliding window than in the query's \
                 fixed one.",
            );
        }
        _ => return refuse("Sigma compares one count or measure of a group with a number."),
    };
    let Some(value) = number(value) else {
        return refuse("Sigma compares counts and measures with numbers only.");
    };
    let (column, length) = match &subject.kind {
        TermKind::Column(i) => (*i, false),
        TermKind::Call(function, args) if function.name == "array_length" => {
            match args.first().map(|arg| &arg.kind) {
                Some(TermKind::Column(i)) => (*i, true),
                _ => return refuse("Sigma compares one count or measure of a group with a number."),
            }
        }
        TermKind::Opaque(what) => {
            let why = "Sigma knows counts and measures of a group, nothing else.";
            return Err(Refusal::new(what.clone(), why, span));
        }
        _ => {
            return refuse(
                "Sigma compares one count or measure of a group with a number, and computes nothing from it.",
            );
        }
    };
    // Which aggregate fills that column.
    let mut first = key_count;
    for (index, aggregate) in groups.aggregates.iter().enumerate() {
        if column < first + aggregate.outputs {
            return Ok(Threshold {
                aggregate: index,
                operator,
                value,
                length,
                span,
            });
        }
        first += aggregate.outputs;
    }
    refuse("The condition is on nothing that the groups have.")
}

type Measured = (&'static str, Option<Vec<Rc<Term>>>, Option<i64>);

/// The kind of correlation for an aggregate, and what it measures.
fn measured(groups: &mut Groups, aggregate: &Aggregate, threshold: &Threshold) -> Said<Measured> {
    let arg = |index: usize| -> Option<Vec<Rc<Term>>> {
        aggregate
            .args
            .iter()
            .map(|args| args.get(index).cloned())
            .collect()
    };
    let unknown = || {
        let why = "Sigma counts events or different values, and sums, averages and percentiles of numbers.";
        Refusal::new(
            format!("a threshold on `{}`", aggregate.function),
            why,
            threshold.span,
        )
    };
    let (kind, field, condition) = match (aggregate.function, threshold.length) {
        ("count", false) => ("event_count", None, None),
        ("countif", false) => ("event_count", None, arg(0)),
        ("dcount" | "count_distinct", false) => ("value_count", arg(0), None),
        ("dcountif" | "count_distinctif", false) => ("value_count", arg(0), arg(1)),
        ("make_set", true) => ("value_count", arg(0), None),
        ("make_set_if", true) => ("value_count", arg(0), arg(1)),
        ("sum", false) => ("value_sum", arg(0), None),
        ("sumif", false) => ("value_sum", arg(0), arg(1)),
        ("avg", false) => ("value_avg", arg(0), None),
        ("avgif", false) => ("value_avg", arg(0), arg(1)),
        ("percentile", false) => ("value_percentile", arg(0), None),
        _ => return Err(unknown()),
    };
    // Events that do not count are no events of the correlation.
    if let Some(conditions) = condition {
        for (branch, condition) in groups.branches.iter_mut().zip(conditions) {
            branch.filters.extend(condition.conjuncts());
        }
    }
    let mut percentile = None;
    if kind == "value_percentile" {
        let asked = arg(1).and_then(|args| match &args.first()?.kind {
            TermKind::Literal(value) => match number(value) {
                Some(Scalar::Int(n)) if (0..=100).contains(&n) => Some(n),
                _ => None,
            },
            _ => None,
        });
        percentile = Some(asked.ok_or_else(unknown)?);
    }
    Ok((kind, field, percentile))
}

/// The length of the bins, if the key is time in bins.
fn bin(key: &Term, is_time: &impl Fn(&Term) -> bool) -> Option<i64> {
    let TermKind::Call(function, args) = &key.kind else {
        return None;
    };
    if !args.first().is_some_and(|arg| is_time(arg)) {
        return None;
    }
    match (function.name, args.get(1).map(|arg| &arg.kind)) {
        ("bin" | "floor" | "bin_at", Some(TermKind::Literal(Value::TimeSpan(ticks)))) if *ticks > 0 => {
            Some(*ticks)
        }
        ("startofday", None) => Some(DAY),
        ("startofweek", None) => Some(7 * DAY),
        _ => None,
    }
}

/// `10m`: in the largest unit that divides it.
fn span_of(ticks: i64) -> Option<String> {
    [(DAY, 'd'), (HOUR, 'h'), (MINUTE, 'm'), (SECOND, 's')]
        .into_iter()
        .find(|(unit, _)| ticks % unit == 0)
        .map(|(unit, letter)| format!("{}{letter}", ticks / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        assert_eq!(span_of(10 * MINUTE).as_deref(), Some("10m"));
        assert_eq!(span_of(48 * HOUR).as_deref(), Some("2d"));
        assert_eq!(span_of(90 * SECOND).as_deref(), Some("90s"));
        assert_eq!(span_of(1), None);
    }
}
