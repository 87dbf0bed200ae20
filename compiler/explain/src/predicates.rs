//! What the main pipeline looks for, what it suppresses and what it counts,
//! from the algebra.

use rulec_functions::{Type, Value};
use rulec_ir::{
    Expr, ExprKind, JoinKind, Query, Rel, RelKind,
    walk::{self, conjuncts},
};

use crate::{
    Input,
    condition::{Condition, Operand, Reader, Test},
    constant::{ago, constant},
    explanation::{Indicator, Predicate, Threshold, TimeBound, Value as Shown},
    kind::Kind,
    mainline::Step,
    settings::duration,
    trace::{Made, made},
    walk::subexpressions,
    written::Written,
};

/// The column and the let binding of the de-duplication that rule documents share.
const DEDUP_ENTITY: &str = "DedupEntity";
/// The let binding with the fields that earlier alerts are compared by, in the
/// de-duplication that rule documents share.
pub const DEDUP_FIELDS: &str = "DedupFields";

/// Functions that count or measure.
const COUNTING: [&str; 9] = [
    "array_length",
    "array_sum",
    "bag_keys",
    "countof",
    "datetime_diff",
    "estimate_data_size",
    "string_size",
    "strlen",
    "indexof",
];

/// What the predicates of the main pipeline come to.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) exclusions: Vec<Predicate>,
    pub(crate) indicators: Vec<Indicator>,
    pub(crate) thresholds: Vec<Threshold>,
    pub(crate) time: Vec<TimeBound>,
}

/// Exclusions: conjuncts that are negated, and anti-joins. Thresholds: numbers
/// that the query computed. Bounds in time. Indicators: every other test.
pub(crate) fn predicates(input: &Input<'_>, steps: &[Step<'_>]) -> Found {
    let mut collector = Collector {
        written: Written { input },
        query: input.ir,
        found: Found::default(),
        together: 0,
        alternatives: 0,
    };
    for step in steps {
        match &step.rel.kind {
            RelKind::Filter {
                input: rows,
                predicate,
            } => {
                let reader = Reader {
                    query: input.ir,
                    rows,
                    written: collector.written,
                };
                for conjunct in conjuncts(predicate) {
                    collector.conjunct(&reader, conjunct, step.stage);
                }
            }
            RelKind::Join { .. } => collector.anti_join(*step),
            _ => {}
        }
    }
    collector.found
}

struct Collector<'a> {
    written: Written<'a>,
    query: &'a Query,
    found: Found,
    /// How many groups of exclusions there are that suppress together.
    together: usize,
    /// How many groups of alternatives there are.
    alternatives: usize,
}

impl<'a> Collector<'a> {
    fn conjunct(&mut self, reader: &Reader<'a, 'a>, conjunct: &'a Expr, stage: usize) {
        let condition = reader.read(conjunct, false);
        if is_negated(self.query, conjunct, false) || suppresses(&condition) {
            let suppressed = match reader.read(conjunct, true) {
                Condition::Any(parts) => parts,
                one => vec![one],
            };
            for part in suppressed {
                self.exclude(reader, part, stage);
            }
            return;
        }
        let parts = match condition {
            Condition::All(parts) => parts,
            one => vec![one],
        };
        for part in parts {
            let alternatives = match &part {
                Condition::Any(_) => {
                    self.alternatives += 1;
                    Some(self.alternatives)
                }
                _ => None,
            };
            self.indicate(reader, part, stage, alternatives);
        }
    }

    fn group(&mut self) -> usize {
        self.together += 1;
        self.together
    }

    /// What keeps a row from being in the result.
    fn exclude(&mut self, reader: &Reader<'a, 'a>, condition: Condition<'a>, stage: usize) {
        match condition {
            Condition::Test(test) if is_presence(&test) || test.time => {
                let wanted = Test {
                    kind: test.kind.opposite(),
                    ..test
                };
                self.indicate(reader, Condition::Test(wanted), stage, None);
            }
            Condition::Test(test) if self.threshold(reader, &test).is_some() => {
                let wanted = Test {
                    kind: test.kind.opposite(),
                    ..test
                };
                self.indicate(reader, Condition::Test(wanted), stage, None);
            }
            Condition::Test(test) => self.push_exclusion(&test, stage, None),
            Condition::All(parts) => {
                // `isempty(a) or a !in (…)`: that there is a value goes without saying.
                let mut tests = Vec::new();
                for part in parts {
                    leaves(part, &mut tests);
                }
                let others: Vec<String> = tests
                    .iter()
                    .filter(|t| !is_presence(t))
                    .map(|t| t.field.clone())
                    .collect();
                tests.retain(|t| !is_presence(t) || !others.contains(&t.field));
                let together = (tests.len() > 1).then(|| self.group());
                for test in tests {
                    self.push_exclusion(&test, stage, together);
                }
            }
            Condition::Any(parts) => {
                for part in parts {
                    self.exclude(reader, part, stage);
                }
            }
            Condition::Fixed(_) | Condition::Written(_) => {}
        }
    }

    fn push_exclusion(&mut self, test: &Test<'_>, stage: usize, together: Option<usize>) {
        let exclusion = Predicate {
            field: test.field.clone(),
            kind: test.kind,
            values: test.operands.iter().map(Operand::text).collect(),
            ignore_case: test.ignore_case,
            columns: test.is_between_columns(),
            computed: test.is_computed(),
            operator: test.operator.to_owned(),
            stage,
            together,
        };
        let known = together.is_none()
            && self.found.exclusions.iter().any(|e| {
                (&e.field, e.kind, &e.values, e.together)
                    == (&exclusion.field, exclusion.kind, &exclusion.values, None)
            });
        if !known {
            self.found.exclusions.push(exclusion);
        }
    }

    /// What a row in the result has.
    fn indicate(
        &mut self,
        reader: &Reader<'a, 'a>,
        condition: Condition<'a>,
        stage: usize,
        alternatives: Option<usize>,
    ) {
        let mut tests = Vec::new();
        leaves(condition, &mut tests);
        for test in tests {
            if test.time {
                let bound = TimeBound {
                    field: test.field.clone(),
                    kind: test.kind,
                    values: self.time_values(&test),
                    looks_back: looks_back(self.query, &test),
                    stage,
                };
                if !self.found.time.contains(&bound) {
                    self.found.time.push(bound);
                }
                continue;
            }
            if let Some(of) = self.threshold(reader, &test) {
                self.found.thresholds.push(Threshold {
                    field: test.field.clone(),
                    kind: test.kind,
                    values: test.operands.iter().map(Operand::text).collect(),
                    of,
                    parameter: test.parameter.clone(),
                    stage,
                });
                continue;
            }
            let indicator = Indicator {
                field: test.field.clone(),
                kind: test.kind,
                values: test
                    .operands
                    .iter()
                    .map(|operand| Shown {
                        value: operand.text(),
                        corpus: None,
                    })
                    .collect(),
                ignore_case: test.ignore_case,
                columns: test.is_between_columns(),
                computed: test.is_computed(),
                operator: test.operator.to_owned(),
                stage,
                alternatives,
            };
            let known = self.found.indicators.iter_mut().find(|i| {
                i.field == indicator.field
                    && i.kind == indicator.kind
                    && i.ignore_case == indicator.ignore_case
                    && i.columns == indicator.columns
                    && i.values
                        .iter()
                        .map(|v| &v.value)
                        .eq(indicator.values.iter().map(|v| &v.value))
            });
            match known {
                // What has to hold is more than an alternative.
                Some(known) if alternatives.is_none() => known.alternatives = None,
                Some(_) => {}
                None => self.found.indicators.push(indicator),
            }
        }
    }

    /// `ago(timeframe)` says more than the name of a binding it stands behind.
    fn time_values(&self, test: &Test<'_>) -> Vec<String> {
        let sides = test.sides.iter().zip(&test.operands);
        sides
            .map(|(side, operand)| match operand {
                Operand::Named(name) => match self.written.line(self.query.resolve(side).span) {
                    text if text.is_empty() => name.clone(),
                    text => text,
                },
                operand => operand.text(),
            })
            .collect()
    }

    /// What is counted, when a test is about a number that the query computed
    /// and no indicator.
    fn threshold(&self, reader: &Reader<'a, 'a>, test: &Test<'a>) -> Option<String> {
        let numbers = !test.operands.is_empty()
            && test.operands.iter().all(|operand| match operand {
                Operand::Constant(value) => is_number(value),
                Operand::Column(_) | Operand::Named(_) | Operand::Written(_) => true,
            });
        let constants = test.operands.iter().all(|o| matches!(o, Operand::Constant(_)));
        let equality = matches!(test.kind, Kind::Eq | Kind::Ne | Kind::In | Kind::NotIn);
        if !numbers || !(test.kind.is_order() || (equality && constants)) {
            return None;
        }
        let subject = self.query.resolve(test.subject);
        match &subject.kind {
            ExprKind::Column(index) => match made(self.query, reader.rows, *index) {
                Made::Given => None,
                Made::Aggregate(call) => Some(self.written.short(call.span)),
                Made::Operator(rel) => Some(self.written.short(rel.span)),
                Made::Expr(expr, rows) => {
                    (test.kind.is_order() && self.counts(rows, expr)).then(|| self.written.short(expr.span))
                }
            },
            _ if reader.column(subject).is_some() => self.enrichment(reader, subject),
            // Computed where it is compared: `array_length(Targets) > 5`.
            _ => (test.kind.is_order() && self.counts(reader.rows, subject))
                .then(|| self.written.short(subject.span)),
        }
    }

    /// Whether a number is a count, a length, a lapse of time, or worked out
    /// from such numbers.
    fn counts(&self, rows: &'a Rel, expr: &'a Expr) -> bool {
        expr.ty == Type::TimeSpan
            || subexpressions(expr).into_iter().any(|part| match &part.kind {
                ExprKind::Call { function, .. } => {
                    COUNTING.contains(&function.name) || function.name.starts_with("series_")
                }
                ExprKind::Column(index) => match made(self.query, rows, *index) {
                    Made::Given => false,
                    Made::Aggregate(_) | Made::Operator(_) => true,
                    // One step more is enough: `Share = Failed / Attempts`.
                    Made::Expr(below, _) => {
                        below.ty == Type::TimeSpan
                            || subexpressions(below).iter().any(|p| {
                                matches!(&p.kind, ExprKind::Call { function, .. } if COUNTING.contains(&function.name))
                            })
                    }
                },
                _ => false,
            })
    }

    /// `coalesce(GlobalPrevalence, 0) < 200`: the number came from outside.
    fn enrichment(&self, reader: &Reader<'a, 'a>, subject: &'a Expr) -> Option<String> {
        let ExprKind::Call { args, .. } = &subject.kind else {
            return None;
        };
        match args.first().map(|arg| &self.query.resolve(arg).kind) {
            Some(ExprKind::Column(index)) => match made(self.query, reader.rows, *index) {
                Made::Aggregate(call) => Some(self.written.short(call.span)),
                Made::Operator(rel) => Some(self.written.short(rel.span)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Rows whose keys are in a list do not pass.
    fn anti_join(&mut self, step: Step<'a>) {
        let RelKind::Join {
            left,
            right,
            kind: JoinKind::LeftAnti,
            left_keys,
            ..
        } = &step.rel.kind
        else {
            return;
        };
        let reader = Reader {
            query: self.query,
            rows: left,
            written: self.written,
        };
        // Rows of earlier alerts are no list of what is harmless.
        if left_keys.iter().any(|key| reader.field(key) == DEDUP_ENTITY)
            && self.query.bindings.iter().any(|b| b.name == DEDUP_FIELDS)
        {
            return;
        }
        let list = joined_with(self.query, step.rel, right, self.written);
        let together = (left_keys.len() > 1).then(|| self.group());
        for key in left_keys {
            self.found.exclusions.push(Predicate {
                field: reader.field(key),
                kind: Kind::In,
                values: vec![list.clone()],
                ignore_case: false,
                columns: false,
                computed: true,
                operator: "join kind=leftanti".to_owned(),
                stage: step.stage,
                together,
            });
        }
    }
}

/// How far back a bound in time reaches from the time of the run.
fn looks_back(query: &Query, test: &Test<'_>) -> Option<String> {
    let ticks = match query.resolve(test.subject).ty {
        // `now() - Timestamp < 2d`.
        Type::TimeSpan => test
            .sides
            .iter()
            .filter_map(|side| match constant(query, side) {
                Some(Value::TimeSpan(ticks)) => Some(ticks),
                _ => None,
            })
            .max()?,
        _ => test.sides.iter().filter_map(|side| ago(query, side)).max()?,
    };
    (ticks > 0).then(|| duration(ticks).to_string())
}

/// What a join is with, as its author calls it.
pub(crate) fn joined_with(query: &Query, join: &Rel, right: &Rel, written: Written<'_>) -> String {
    let named = written.right_side(join.span).map(|span| written.line(span));
    named.unwrap_or_else(|| list_of(query, right, written))
}

/// The name of what a relation reads; as written, when it has none.
pub(crate) fn list_of(query: &Query, rel: &Rel, written: Written<'_>) -> String {
    match &rel.kind {
        RelKind::Ref(id) => match query.binding(*id) {
            Some(binding) if !binding.name.is_empty() => binding.name.clone(),
            _ => written.line(rel.span),
        },
        RelKind::Table { name } => name.clone(),
        RelKind::External { key } => key.clone(),
        _ => {
            // From where its source stands to the end of its last operator.
            let (mut at, mut place) = (rel, rel.span);
            while let Some(below) = walk::input(at) {
                at = below;
                place = if below.span.is_empty() {
                    place
                } else {
                    place.to(below.span)
                };
            }
            written.line(place)
        }
    }
}

/// Whether a conjunct is written as the negation of something, through double
/// negation and names.
fn is_negated(query: &Query, expr: &Expr, negated: bool) -> bool {
    match &query.resolve(expr).kind {
        ExprKind::Call { function, args } if function.name == "not" => args
            .first()
            .is_some_and(|inner| is_negated(query, inner, !negated)),
        ExprKind::Call { function, .. } => {
            let negative = Kind::of(function.name).is_some_and(|(kind, _)| kind.is_negative());
            negated != negative && negated
        }
        _ => negated,
    }
}

/// Whether a condition asks for the absence of something and for nothing
/// else. `a != b` over two columns relates them.
fn suppresses(condition: &Condition<'_>) -> bool {
    fn walk(condition: &Condition<'_>, found: &mut bool) -> bool {
        match condition {
            Condition::Test(test) if test.kind == Kind::Ne && test.is_between_columns() => false,
            Condition::Test(test) if test.kind.is_negative() => {
                *found = true;
                true
            }
            // `isempty(a) or a !in (…)`.
            Condition::Test(test) => test.kind == Kind::IsNull,
            Condition::All(parts) | Condition::Any(parts) => parts.iter().all(|p| walk(p, found)),
            Condition::Fixed(_) | Condition::Written(_) => false,
        }
    }
    let mut found = false;
    walk(condition, &mut found) && found
}

fn is_presence(test: &Test<'_>) -> bool {
    matches!(test.kind, Kind::IsNull | Kind::IsNotNull)
}

fn leaves<'q>(condition: Condition<'q>, found: &mut Vec<Test<'q>>) {
    match condition {
        Condition::Test(test) => found.push(test),
        Condition::All(parts) | Condition::Any(parts) => {
            for part in parts {
                leaves(part, found);
            }
        }
        Condition::Fixed(_) | Condition::Written(_) => {}
    }
}

fn is_number(value: &Value) -> bool {
    matches!(
        value,
        Value::Int(_) | Value::Long(_) | Value::Real(_) | Value::Decimal(_) | Value::TimeSpan(_)
    )
}
