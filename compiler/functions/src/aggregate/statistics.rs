//! Counts, sums, means, deviations, bits, and percentiles.

use std::cmp::Ordering;
use std::collections::HashSet;

use crate::order::{self, Key};
use crate::scalar::arithmetic;
use crate::{Accumulator, Reduction, Value, args, convert};

aggregates! { ROWS in statistics {
    count "count" as Prefix("count"), [() -> Long, (Bool) -> Long], "How many rows there are.",
        "range x from 1 to 5 step 1 | summarize count()" => "5";
    count "cnt" instead "count" as Prefix("cnt"), [() -> Long], "How many rows there are.",
        "range x from 1 to 5 step 1 | summarize cnt()" => "5";
    count "countif" as Prefix("countif"), [(Bool) -> Long], "In how many rows a condition holds.",
        "range x from 1 to 5 step 1 | summarize countif(x > 3)" => "2";
    count_distinct "count_distinct" as Prefix("count_distinct"), [(NotDynamic) -> Long], "How many different values there are, exactly.",
        "datatable(x:long)[1, 2, 1] | summarize count_distinct(x)" => "2";
    count_distinctif "count_distinctif" as Prefix("count_distinctif"), [(NotDynamic, Bool) -> Long], "How many different values there are where a condition holds.",
        "datatable(x:long)[1, 2, 1] | summarize count_distinctif(x, x > 1)" => "1";
    sum "sum" as Prefix("sum"), [(Summable) -> Promoted], "The sum.",
        "range x from 1 to 4 step 1 | summarize sum(x)" => "10";
    sumif "sumif" as Prefix("sumif"), [(Summable, Bool) -> Promoted], "The sum over the rows where a condition holds.",
        "range x from 1 to 4 step 1 | summarize sumif(x, x > 2)" => "7";
    avg "avg" as Prefix("avg"), [(Integer) -> Real, (Real) -> Real, (Decimal) -> Decimal, (TimeSpan) -> TimeSpan, (DateTime) -> DateTime], "The mean.",
        "range x from 1 to 4 step 1 | summarize avg(x)" => "2.5";
    avgif "avgif" as Prefix("avgif"), [(Integer, Bool) -> Real, (Real, Bool) -> Real, (Decimal, Bool) -> Decimal, (TimeSpan, Bool) -> TimeSpan, (DateTime, Bool) -> DateTime], "The mean over the rows where a condition holds.",
        "range x from 1 to 4 step 1 | summarize avgif(x, x > 2)" => "3.5";
    stdev "stdev" as Prefix("stdev"), [(Summable) -> Real], "The standard deviation of a sample.",
        "range x from 1 to 5 step 1 | summarize round(stdev(x), 4)" => "1.5811";
    stdevif "stdevif" as Prefix("stdevif"), [(Summable, Bool) -> Real], "The standard deviation of a sample, over the rows where a condition holds.",
        "range x from 1 to 100 step 1 | summarize round(stdevif(x, x % 2 == 0), 4)" => "29.1548";
    stdevp "stdevp" as Prefix("stdevp"), [(Summable) -> Real], "The standard deviation of a population.",
        "range x from 1 to 5 step 1 | summarize round(stdevp(x), 4)" => "1.4142";
    variance "variance" as Prefix("variance"), [(Summable) -> Real], "The variance of a sample.",
        "range x from 1 to 5 step 1 | summarize variance(x)" => "2.5";
    varianceif "varianceif" as Prefix("varianceif"), [(Summable, Bool) -> Real], "The variance of a sample, over the rows where a condition holds.",
        "range x from 1 to 100 step 1 | summarize varianceif(x, x % 2 == 0)" => "850";
    variancep "variancep" as Prefix("variancep"), [(Summable) -> Real], "The variance of a population.",
        "range x from 1 to 5 step 1 | summarize variancep(x)" => "2";
    variancepif "variancepif" as Prefix("variancepif"), [(Summable, Bool) -> Real], "The variance of a population, over the rows where a condition holds.",
        "range x from 1 to 100 step 1 | summarize variancepif(x, x % 2 == 0)" => "833";
    covariance "covariance" as PrefixBoth("covariance"), [(Summable, Summable) -> Real], "How two columns of a sample vary together.",
        "range x from 1 to 3 step 1 | summarize covariance(x, x)" => "1";
    covarianceif "covarianceif" as PrefixBoth("covarianceif"), [(Summable, Summable, Bool) -> Real], "How two columns of a sample vary together, over the rows where a condition holds.",
        "range x from 1 to 4 step 1 | summarize covarianceif(x, x, x < 4)" => "1";
    covariancep "covariancep" as PrefixBoth("covariancep"), [(Summable, Summable) -> Real], "How two columns of a population vary together.",
        "datatable(x:real, y:real)[1.0, 14.0, 2.0, 10.0, 3.0, 17.0, 4.0, 20.0, 5.0, 50.0] | summarize covariancep(x, y)" => "16.4";
    covariancepif "covariancepif" as PrefixBoth("covariancepif"), [(Summable, Summable, Bool) -> Real], "How two columns of a population vary together, over the rows where a condition holds.",
        "range x from 1 to 4 step 1 | summarize covariancepif(x, x * 3, x < 4)" => "2";
    binary_all_and "binary_all_and" as FirstArgument(""), [(Summable) -> First], "The bits set in all values.",
        "datatable(x:long)[7, 5] | summarize binary_all_and(x)" => "5";
    binary_all_or "binary_all_or" as FirstArgument(""), [(Summable) -> First], "The bits set in any value.",
        "datatable(x:long)[1, 4] | summarize binary_all_or(x)" => "5";
    binary_all_xor "binary_all_xor" as FirstArgument(""), [(Summable) -> First], "The bits set in an odd number of values.",
        "datatable(x:long)[3, 5] | summarize binary_all_xor(x)" => "6";
    percentile "percentile" as Percentiles("percentile", false), [(Scalar, Number) -> Percentile], "The value that a percentage of the values does not exceed.",
        "range x from 1 to 100 step 1 | summarize percentile(x, 95)" => "95";
    percentile "percentiles" as Percentiles("percentile", false), [(Scalar, Number .. Number) -> Percentile], "Several percentiles, a column each.",
        "range x from 1 to 24 step 1 | summarize percentiles(x, 50, 99)" => "12";
    percentiles_array "percentiles_array" as PrefixAlone("percentiles"), [(Scalar, Number .. Number) -> Array, (Scalar, Array) -> Array], "Several percentiles, in an array.",
        "range x from 1 to 10 step 1 | summarize percentiles_array(x, 10, 90)" => "[1,9]";
    percentilew "percentilew" as Percentiles("percentile", true), [(Scalar, Integer, Number) -> Percentile], "A percentile of values that count several times.",
        "datatable(w:long, x:long)[8, 10, 6, 20, 3, 30, 1, 40] | summarize percentilew(x, w, 50)" => "20";
    percentilew "percentilesw" as Percentiles("percentile", true), [(Scalar, Integer, Number .. Number) -> Percentile], "Several percentiles of values that count several times.",
        "datatable(w:long, x:long)[8, 10, 6, 20, 3, 30, 1, 40] | summarize percentilesw(x, w, 99.9)" => "40";
    percentilesw_array "percentilesw_array" as PrefixAlone("percentile"), [(Scalar, Integer, Number .. Number) -> Array, (Scalar, Integer, Array) -> Array], "Several percentiles of values that count several times, in an array.",
        "datatable(w:long, x:long)[8, 10, 6, 20, 3, 30, 1, 40] | summarize percentilesw_array(x, w, 50, 75, 99.9)" => "[20,20,40]";
}}

/// Rows, or those whose one argument is true.
struct Count(i64);

impl Accumulator for Count {
    fn add(&mut self, args: &[Value]) {
        let counts = match args.first() {
            None => true,
            Some(predicate) => convert::to_bool(predicate) == Some(true),
        };
        self.0 += i64::from(counts);
    }

    fn finish(self: Box<Self>) -> Value {
        Value::Long(self.0)
    }

    fn reduction(&self) -> Reduction {
        Reduction::Count
    }
}

/// `count`, `countif`.
pub fn count(_: &[Value]) -> Box<dyn Accumulator> {
    Box::new(Count(0))
}

struct Distinct(HashSet<Key>);

impl Accumulator for Distinct {
    fn add(&mut self, args: &[Value]) {
        let value = args::get(args, 0);
        if !value.is_null() {
            self.0.insert(Key::of(value));
        }
    }

    fn finish(self: Box<Self>) -> Value {
        Value::Long(self.0.len() as i64)
    }

    fn size(&self) -> usize {
        self.0.len() * 2 * size_of::<Key>()
    }
}

/// `count_distinct`.
pub fn count_distinct(_: &[Value]) -> Box<dyn Accumulator> {
    Box::new(Distinct(HashSet::new()))
}

/// A value folded over rows by a kernel of two arguments.
struct Folded {
    total: Value,
    empty: Value,
    kernel: fn(&[Value]) -> Value,
}

impl Accumulator for Folded {
    fn add(&mut self, args: &[Value]) {
        let value = args::get(args, 0);
        if value.is_null() {
            return;
        }
        let old = std::mem::take(&mut self.total);
        self.total = if old.is_null() {
            value.clone()
        } else {
            (self.kernel)(&[old, value.clone()])
        };
    }

    fn finish(self: Box<Self>) -> Value {
        if self.total.is_null() {
            self.empty
        } else {
            self.total
        }
    }
}

/// Adds, times as ticks: a sum of datetimes need not be one.
struct Sum {
    total: Value,
}

impl Accumulator for Sum {
    fn add(&mut self, args: &[Value]) {
        match (&mut self.total, args::get(args, 0)) {
            (_, Value::Null) => {}
            (Value::Long(total), Value::Long(n)) => *total = total.wrapping_add(*n),
            (Value::Real(total), Value::Real(n)) => *total += *n,
            (Value::TimeSpan(total), Value::TimeSpan(n)) => *total = total.wrapping_add(*n),
            (Value::DateTime(total), Value::DateTime(n)) => *total = total.wrapping_add(*n),
            (total @ Value::Null, Value::Int(n)) => *total = Value::Long(i64::from(*n)),
            (total @ Value::Null, value) => *total = value.clone(),
            (total, value) => {
                let sum = arithmetic::add(&[std::mem::take(total), value.clone()]);
                *total = sum;
            }
        }
    }

    fn finish(self: Box<Self>) -> Value {
        match self.total {
            Value::Null => Value::Long(0),
            total => total,
        }
    }

    fn reduction(&self) -> Reduction {
        Reduction::Sum
    }
}

/// `sum`.
pub fn sum(_: &[Value]) -> Box<dyn Accumulator> {
    Box::new(Sum { total: Value::Null })
}

/// A mean: of times exact, of decimals decimal, else real.
#[derive(Default)]
struct Mean {
    count: i64,
    real: f64,
    ticks: i128,
    /// A decimal sum, or an example of the kind of time that was added.
    kind: Value,
}

impl Accumulator for Mean {
    fn add(&mut self, args: &[Value]) {
        let value = args::get(args, 0);
        match value {
            Value::Null => return,
            Value::DateTime(t) | Value::TimeSpan(t) => {
                self.ticks += i128::from(*t);
                self.kind = value.clone();
            }
            Value::Decimal(_) => {
                let old = std::mem::take(&mut self.kind);
                self.kind = match old {
                    Value::Null if self.count == 0 => value.clone(),
                    old => arithmetic::add(&[old, value.clone()]),
                };
            }
            _ => match convert::to_real(value) {
                Some(r) => self.real += r,
                None => return,
            },
        }
        self.count += 1;
    }

    fn finish(self: Box<Self>) -> Value {
        if self.count == 0 {
            return Value::Real(f64::NAN);
        }
        let ticks = || i64::try_from(self.ticks / i128::from(self.count)).unwrap_or(0);
        match self.kind {
            Value::DateTime(_) => Value::DateTime(ticks()),
            Value::TimeSpan(_) => Value::TimeSpan(ticks()),
            Value::Null => Value::Real(self.real / self.count as f64),
            total => arithmetic::divide(&[total, Value::Long(self.count)]),
        }
    }
}

/// `avg`.
pub fn avg(_: &[Value]) -> Box<dyn Accumulator> {
    Box::new(Mean::default())
}

/// Means and co-moments of pairs, updated value by value so that large means
/// do not swallow small deviations.
#[derive(Default)]
struct Moments {
    count: f64,
    mean_x: f64,
    mean_y: f64,
    product: f64,
    /// Whether the second value is the first: a variance.
    alone: bool,
    sample: bool,
    root: bool,
}

impl Accumulator for Moments {
    fn add(&mut self, args: &[Value]) {
        let x = args::real(args, 0);
        let y = if self.alone { x } else { args::real(args, 1) };
        let (Some(x), Some(y)) = (x, y) else {
            return;
        };
        self.count += 1.0;
        let from_mean = x - self.mean_x;
        self.mean_x += from_mean / self.count;
        self.mean_y += (y - self.mean_y) / self.count;
        self.product += from_mean * (y - self.mean_y);
    }

    fn finish(self: Box<Self>) -> Value {
        let divisor = if self.sample { self.count - 1.0 } else { self.count };
        if divisor <= 0.0 {
            return Value::Real(0.0);
        }
        let result = self.product / divisor;
        Value::Real(if self.root { result.max(0.0).sqrt() } else { result })
    }
}

/// `stdev`.
pub fn stdev(_: &[Value]) -> Box<dyn Accumulator> {
    Box::new(Moments {
        alone: true,
        sample: true,
        root: true,
        ..Moments::default()
    })
}

/// `stdevp`.
pub fn stdevp(_: &[Value]) -> Box<dyn Accumulator> {
    Box::new(Moments {
        alone: true,
        root: true,
        ..Moments::default()
    })
}

/// `variance`.
pub fn variance(_: &[Value]) -> Box<dyn Accumulator> {
    Box::new(Moments {
        alone: true,
        sample: true,
        ..Moments::default()
    })
}

/// `variancep`.
pub fn variancep(_: &[Value]) -> Box<dyn Accumulator> {
    Box::new(Moments {
        alone: true,
        ..Moments::default()
    })
}

/// `covariance`.
pub fn covariance(_: &[Value]) -> Box<dyn Accumulator> {
    Box::new(Moments {
        sample: true,
        ..Moments::default()
    })
}

/// `covariancep`.
pub fn covariancep(_: &[Value]) -> Box<dyn Accumulator> {
    Box::new(Moments::default())
}

fn folded(kernel: fn(&[Value]) -> Value) -> Box<dyn Accumulator> {
    Box::new(Folded {
        total: Value::Null,
        empty: Value::Null,
        kernel,
    })
}

/// `binary_all_and`.
pub fn binary_all_and(_: &[Value]) -> Box<dyn Accumulator> {
    folded(crate::scalar::math::binary_and)
}

/// `binary_all_or`.
pub fn binary_all_or(_: &[Value]) -> Box<dyn Accumulator> {
    folded(crate::scalar::math::binary_or)
}

/// `binary_all_xor`.
pub fn binary_all_xor(_: &[Value]) -> Box<dyn Accumulator> {
    folded(crate::scalar::math::binary_xor)
}

/// All values with their weights, for percentiles by the nearest rank.
struct Ranked {
    values: Vec<(Value, i64)>,
    percentiles: Vec<f64>,
    weighted: bool,
    in_array: bool,
}

impl Ranked {
    fn results(mut self) -> Vec<Value> {
        self.values.sort_by(|(a, _), (b, _)| order::compare(a, b));
        let total: i128 = self.values.iter().map(|(_, weight)| i128::from(*weight)).sum();
        self.percentiles
            .iter()
            .map(|p| nearest_rank(&self.values, total, *p))
            .collect()
    }
}

/// The first of some sorted values that a percentage of the weight does not
/// exceed.
pub(crate) fn nearest_rank(sorted: &[(Value, i64)], total: i128, percentile: f64) -> Value {
    let wanted = percentile.clamp(0.0, 100.0) / 100.0 * total as f64;
    let mut seen = 0i128;
    for (value, weight) in sorted {
        seen += i128::from(*weight);
        if (seen as f64).partial_cmp(&wanted).is_some_and(Ordering::is_ge) && seen > 0 {
            return value.clone();
        }
    }
    sorted.last().map(|(value, _)| value.clone()).unwrap_or_default()
}

impl Accumulator for Ranked {
    fn add(&mut self, args: &[Value]) {
        let value = args::get(args, 0);
        let weight = if self.weighted {
            args::long_or(args, 1, 0)
        } else {
            1
        };
        if !value.is_null() && weight > 0 {
            self.values.push((value.clone(), weight));
        }
    }

    fn finish(self: Box<Self>) -> Value {
        let in_array = self.in_array;
        let results = self.results();
        if in_array {
            Value::array(results)
        } else {
            results.into_iter().next().unwrap_or_default()
        }
    }

    fn finish_row(self: Box<Self>) -> Vec<Value> {
        if self.in_array {
            return vec![self.finish()];
        }
        self.results()
    }

    fn size(&self) -> usize {
        self.values.len() * size_of::<(Value, i64)>()
    }
}

fn ranked(literals: &[Value], weighted: bool, in_array: bool) -> Box<dyn Accumulator> {
    let from = if weighted { 2 } else { 1 };
    let percentiles = args::flatten(literals, from)
        .filter_map(convert::to_real)
        .collect();
    Box::new(Ranked {
        values: Vec::new(),
        percentiles,
        weighted,
        in_array,
    })
}

/// `percentile`, `percentiles`.
pub fn percentile(literals: &[Value]) -> Box<dyn Accumulator> {
    ranked(literals, false, false)
}

/// `percentiles_array`.
pub fn percentiles_array(literals: &[Value]) -> Box<dyn Accumulator> {
    ranked(literals, false, true)
}

/// `percentilew`, `percentilesw`.
pub fn percentilew(literals: &[Value]) -> Box<dyn Accumulator> {
    ranked(literals, true, false)
}

/// `percentilesw_array`.
pub fn percentilesw_array(literals: &[Value]) -> Box<dyn Accumulator> {
    ranked(literals, true, true)
}

predicated! {
    sumif sum 1;
    avgif avg 1;
    count_distinctif count_distinct 1;
    stdevif stdev 1;
    varianceif variance 1;
    variancepif variancep 1;
    covarianceif covariance 2;
    covariancepif covariancep 2;
}
