//! Series: dynamic arrays of numbers, element by element or as a whole.
//!
//! An element that is no number makes the result at its place null. Transforms
//! and fitting more than a line are in `transforms`. What follows from how
//! the service finds periods has rows but no kernels: that is not published.

use crate::args::{array, flag, get, real};
use crate::{Value, convert};

rows! { ROWS: Function in series {
    add "series_add" never constant, [(Array, Array) -> Array, (Array, Number) -> Array, (Number, Array) -> Array], "The sum of two series, element by element.";
    subtract "series_subtract" never constant, [(Array, Array) -> Array, (Array, Number) -> Array, (Number, Array) -> Array], "The difference of two series, element by element.";
    multiply "series_multiply" never constant, [(Array, Array) -> Array, (Array, Number) -> Array, (Number, Array) -> Array], "The product of two series, element by element.";
    divide "series_divide" never constant, [(Array, Array) -> Array, (Array, Number) -> Array, (Number, Array) -> Array], "The quotient of two series, element by element.";
    pow "series_pow" never constant, [(Array, Array) -> Array, (Array, Number) -> Array, (Number, Array) -> Array], "The power of two series, element by element.";
    greater "series_greater" never constant, [(Array, Array) -> Array, (Array, Number) -> Array, (Number, Array) -> Array], "Whether each element of a series is greater than its counterpart.";
    greater_equals "series_greater_equals" never constant, [(Array, Array) -> Array, (Array, Number) -> Array, (Number, Array) -> Array], "Whether each element of a series is greater than or equal to its counterpart.";
    less "series_less" never constant, [(Array, Array) -> Array, (Array, Number) -> Array, (Number, Array) -> Array], "Whether each element of a series is less than its counterpart.";
    less_equals "series_less_equals" never constant, [(Array, Array) -> Array, (Array, Number) -> Array, (Number, Array) -> Array], "Whether each element of a series is less than or equal to its counterpart.";
    equals "series_equals" never constant, [(Array, Array) -> Array, (Array, Number) -> Array, (Number, Array) -> Array], "Whether each element of a series is equal to its counterpart.";
    not_equals "series_not_equals" never constant, [(Array, Array) -> Array, (Array, Number) -> Array, (Number, Array) -> Array], "Whether each element of a series is different from its counterpart.";
    abs "series_abs" never constant, [(Array) -> First], "The absolute value of each element.";
    exp "series_exp" never constant, [(Array) -> Array], "The exponential of each element.";
    sign "series_sign" never constant, [(Array) -> Array], "The sign of each element.", "series_sign(dynamic([-6, 0, 8.5]))" => "[-1,0,1]";
    sin "series_sin" never constant, [(Array) -> Array], "The sine of each element.";
    cos "series_cos" never constant, [(Array) -> Array], "The cosine of each element.";
    tan "series_tan" never constant, [(Array) -> Array], "The tangent of each element.";
    asin "series_asin" never constant, [(Array) -> Array], "The arc sine of each element.";
    acos "series_acos" never constant, [(Array) -> Array], "The arc cosine of each element.";
    atan "series_atan" never constant, [(Array) -> Array], "The arc tangent of each element.";
    log "series_log" never constant, [(Array) -> Array], "The natural logarithm of each element.";
    floor "series_floor" never constant, [(Array) -> Array], "The greatest whole number not above each element.", "series_floor(dynamic([-1.5, 1, 2.5]))" => "[-2.0,1.0,2.0]";
    ceiling "series_ceiling" never constant, [(Array) -> First], "The least whole number not below each element.", "series_ceiling(dynamic([-1.5, 1, 2.5]))" => "[-1.0,1.0,3.0]";
    sum "series_sum" never constant, [(Array) -> Real], "The sum of a series.", "series_sum(dynamic([1, 2, 3]))" => "6";
    sum "array_sum" instead "series_sum" never constant, [(Array) -> Real], "The sum of a series.", "array_sum(dynamic([1, 2]))" => "3";
    product "series_product" never constant, [(Array) -> Real], "The product of a series.", "series_product(dynamic([2, 3]))" => "6";
    magnitude "series_magnitude" never constant, [(Array) -> Real], "The length of a series as a vector.", "series_magnitude(dynamic([3, 4]))" => "5";
    dot_product "series_dot_product" never constant, [(Array, Array) -> Real, (Array, Number) -> Real, (Number, Array) -> Real], "The sum of the products of two series' elements.", "series_dot_product(dynamic([1, 2]), dynamic([3, 4]))" => "11";
    cosine_similarity "series_cosine_similarity" never constant, [(Array, Array; Real, Real) -> Real], "The cosine of the angle between two series as vectors.", "series_cosine_similarity(dynamic([1, 0]), dynamic([2, 0]))" => "1";
    pearson_correlation "series_pearson_correlation" never constant, [(Array, Array) -> Real], "How linear the relation of two series is, from -1 to 1.", "series_pearson_correlation(dynamic([1, 3]), dynamic([2, 6]))" => "1";
    fill_forward "series_fill_forward" as FirstArgument never constant, [(Array; Number) -> First], "A series with missing elements taking the one before.", "series_fill_forward(dynamic([1, null, 3]))" => "[1,1,3]";
    fill_backward "series_fill_backward" as FirstArgument never constant, [(Array; Number) -> First], "A series with missing elements taking the one after.", "series_fill_backward(dynamic([1, null, 3]))" => "[1,3,3]";
    fill_const "series_fill_const" as FirstArgument never constant, [(Array; Number, Number) -> First], "A series with missing elements replaced by a number.", "series_fill_const(dynamic([1, null, 3]), 0)" => "[1,0,3]";
    fill_linear "series_fill_linear" as FirstArgument never constant, [(Array; Number, Bool, Number) -> First], "A series with missing elements on the line between their neighbours; at the ends, as the nearest, unless the third argument is false.", "series_fill_linear(dynamic([1.0, null, 2, null]))" => "[1.0,1.5,2.0,2.0]", "series_fill_linear(dynamic([111, null, 36, null]))" => "[111,73,36,36]";
    stats_dynamic "series_stats_dynamic" never constant, [(Array; ConstBool) -> Bag], "Least, greatest, mean, deviation and more of a series, as a bag.", "series_stats_dynamic(dynamic([1, 3])).avg" => "2", "series_stats_dynamic(dynamic([23, 46, 23, 87, 4, 8, 3, 75, 2, 56, 13, 75, 32, 16, 29])).sum" => "492", "series_stats_dynamic(dynamic([1, 3])).len" => "2";
    fit_line_dynamic "series_fit_line_dynamic" never constant, [(Array) -> Bag], "The line that fits a series best, as a bag.", "series_fit_line_dynamic(dynamic([1, 3, 5])).slope" => "2", "series_fit_line_dynamic(dynamic([1, 3, 5])).interception" => "-1";
    iir "series_iir" as FirstArgument never constant, [(Array, Array, Array) -> Array], "A series through a filter of infinite response.",
        "series_iir(dynamic([1, 1, 1]), dynamic([1]), dynamic([1, -1]))" => "[1.0,2.0,3.0]";
    none "series_outliers" as FirstArgument never constant, [(Array; Text, Number) -> First, (Array, Text, Real, Real; Real, Integer) -> First], "How far each element is from what the series is like.";
    none "series_seasonal" never constant, [(Array) -> Array, (Array, Integer) -> Array, (Array, Integer, Integer) -> Array], "The part of a series that repeats.";
}}

rows! { SEVERAL: Function in series {
    stats "series_stats" with ["series_stats_{}_min": Real, "series_stats_{}_min_idx": Long, "series_stats_{}_max": Real, "series_stats_{}_max_idx": Long, "series_stats_{}_avg": Real, "series_stats_{}_stdev": Real, "series_stats_{}_variance": Real] never constant,
        [(Array; ConstBool) -> Real], "Least, greatest, mean, deviation and more of a series, in columns.";
    fit_line "series_fit_line" with ["series_fit_line_{}_rsquare": Real, "series_fit_line_{}_slope": Real, "series_fit_line_{}_variance": Real, "series_fit_line_{}_rvariance": Real, "series_fit_line_{}_interception": Real, "series_fit_line_{}_line_fit": Dynamic] never constant,
        [(Array) -> Real], "The line that fits a series best, in columns.";
    none "series_decompose" with ["series_decompose_{}_baseline": Dynamic, "series_decompose_{}_seasonal": Dynamic, "series_decompose_{}_trend": Dynamic, "series_decompose_{}_residual": Dynamic] never constant,
        [(Array; Integer, Text, Integer, Number) -> Array], "A series as trend, season and rest, in columns.";
    none "series_decompose_forecast" with ["series_decompose_forecast_{}_baseline": Dynamic, "series_decompose_forecast_{}_seasonal": Dynamic, "series_decompose_forecast_{}_trend": Dynamic, "series_decompose_forecast_{}_residual": Dynamic] never constant,
        [(Array, Integer; Integer, Text, Number) -> Array], "How a series may go on, in columns.";
    none "series_decompose_anomalies" with ["series_decompose_anomalies_{}_ad_flag": Dynamic, "series_decompose_anomalies_{}_ad_score": Dynamic, "series_decompose_anomalies_{}_baseline": Dynamic] never constant,
        [(Array; Number, Integer, Text, Integer, Text, Number) -> Array], "What in a series does not fit its trend and season, in columns.";
    none "series_periods_detect" with ["series_periods_detect_{}_periods": Dynamic, "series_periods_detect_{}_scores": Dynamic] never constant,
        [(Array, Number, Number, Long) -> Array], "The periods of a series, in columns.";
    none "series_periods_validate" with ["series_periods_validate_{}_periods": Dynamic, "series_periods_validate_{}_scores": Dynamic] never constant,
        [(Array, Number .. Number to 17) -> Array], "How well a series has some periods, in columns.";
}}

/// Elements of two series, or of a series and a number for all of them.
fn pairs(args: &[Value], function: impl Fn(&Value, &Value) -> Value) -> Value {
    let (a, b) = (array(args, 0), array(args, 1));
    let length = match (a, b) {
        (Some(a), Some(b)) => a.len().max(b.len()),
        (Some(one), None) | (None, Some(one)) => one.len(),
        (None, None) => return Value::Null,
    };
    let at = |items: Option<&[Value]>, whole: &Value, i: usize| match items {
        Some(items) => items.get(i).cloned().unwrap_or_default(),
        None => whole.clone(),
    };
    let element = |i: usize| {
        let (a, b) = (at(a, get(args, 0), i), at(b, get(args, 1), i));
        if convert::to_real(&a).is_none() || convert::to_real(&b).is_none() {
            return Value::Null;
        }
        function(&a, &b)
    };
    Value::Array((0..length).map(element).collect())
}

/// One kernel for each operation on two series.
macro_rules! pairwise {
    ($($kernel:ident $function:path;)*) => { $(
        #[doc = concat!("`series_", stringify!($kernel), "`.")]
        pub fn $kernel(args: &[Value]) -> Value {
            pairs(args, |a, b| $function(&[a.clone(), b.clone()]))
        }
    )* };
}

pairwise! {
    add super::arithmetic::add;
    subtract super::arithmetic::subtract;
    multiply super::arithmetic::multiply;
    pow super::math::pow;
    greater super::compare::gt;
    greater_equals super::compare::ge;
    less super::compare::lt;
    less_equals super::compare::le;
    equals super::compare::eq;
    not_equals super::compare::ne;
}

/// `series_divide`: always real.
pub fn divide(args: &[Value]) -> Value {
    pairs(args, |a, b| {
        convert::to_real(a)
            .zip(convert::to_real(b))
            .map_or(Value::Null, |(a, b)| Value::Real(a / b))
    })
}

fn each(args: &[Value], function: impl Fn(&Value) -> Value) -> Value {
    match array(args, 0) {
        Some(items) => Value::Array(items.iter().map(function).collect()),
        None => Value::Null,
    }
}

/// One kernel for each operation on the elements of one series.
macro_rules! elementwise {
    ($($kernel:ident $function:path;)*) => { $(
        #[doc = concat!("`series_", stringify!($kernel), "`.")]
        pub fn $kernel(args: &[Value]) -> Value {
            each(args, |value| $function(std::slice::from_ref(value)))
        }
    )* };
}

elementwise! {
    abs super::math::abs;
    exp super::math::exp;
    sin super::math::sin;
    cos super::math::cos;
    tan super::math::tan;
    asin super::math::asin;
    acos super::math::acos;
    atan super::math::atan;
    log super::math::log;
}

/// Reals for the elements of a series that are numbers.
fn each_real(args: &[Value], function: fn(f64) -> f64) -> Value {
    each(args, |value| number(convert::to_real(value).map(function)))
}

/// `series_floor`. Gives reals of whole numbers too, as the reference prints it.
pub fn floor(args: &[Value]) -> Value {
    // The sum turns a negative zero into a positive one.
    each_real(args, |x| x.floor() + 0.0)
}

/// `series_ceiling`. Gives reals, as `series_floor` does.
pub fn ceiling(args: &[Value]) -> Value {
    each_real(args, |x| x.ceil() + 0.0)
}

/// `series_sign`: whole numbers, as the reference prints them.
pub fn sign(args: &[Value]) -> Value {
    each(args, |value| match convert::to_real(value) {
        Some(x) if x > 0.0 => Value::Long(1),
        Some(x) if x < 0.0 => Value::Long(-1),
        Some(0.0) => Value::Long(0),
        _ => Value::Null,
    })
}

/// The numbers of a series; none if an element is no number.
pub(super) fn numbers(args: &[Value], index: usize) -> Option<Vec<f64>> {
    array(args, index)?.iter().map(convert::to_real).collect()
}

fn number(value: Option<f64>) -> Value {
    value.map_or(Value::Null, Value::Real)
}

/// `series_sum`.
pub fn sum(args: &[Value]) -> Value {
    number(numbers(args, 0).map(|items| items.iter().sum()))
}

/// `series_product`.
pub fn product(args: &[Value]) -> Value {
    number(numbers(args, 0).map(|items| items.iter().product()))
}

fn length_of(items: &[f64]) -> f64 {
    items.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// `series_magnitude`.
pub fn magnitude(args: &[Value]) -> Value {
    number(numbers(args, 0).map(|items| length_of(&items)))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `series_dot_product`.
pub fn dot_product(args: &[Value]) -> Value {
    let result = match (numbers(args, 0), numbers(args, 1)) {
        (Some(a), Some(b)) => Some(dot(&a, &b)),
        (Some(a), None) => real(args, 1).map(|b| a.iter().sum::<f64>() * b),
        (None, Some(b)) => real(args, 0).map(|a| b.iter().sum::<f64>() * a),
        (None, None) => None,
    };
    number(result)
}

/// `series_cosine_similarity`.
pub fn cosine_similarity(args: &[Value]) -> Value {
    let (Some(a), Some(b)) = (numbers(args, 0), numbers(args, 1)) else {
        return Value::Null;
    };
    let long_a = real(args, 2).unwrap_or_else(|| length_of(&a));
    let long_b = real(args, 3).unwrap_or_else(|| length_of(&b));
    Value::Real(dot(&a, &b) / (long_a * long_b))
}

/// `series_pearson_correlation`.
pub fn pearson_correlation(args: &[Value]) -> Value {
    let (Some(a), Some(b)) = (numbers(args, 0), numbers(args, 1)) else {
        return Value::Null;
    };
    if a.len() != b.len() || a.is_empty() {
        return Value::Null;
    }
    let center = |items: &[f64]| -> Vec<f64> {
        let mean = items.iter().sum::<f64>() / items.len() as f64;
        items.iter().map(|x| x - mean).collect()
    };
    let (a, b) = (center(&a), center(&b));
    let correlation = dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt();
    if correlation.is_nan() {
        Value::Null
    } else {
        Value::Real(correlation)
    }
}

/// `series_iir`: each element is the filtered series so far less what the
/// elements before it feed back. Null when the first feedback coefficient,
/// which divides all, is zero.
pub fn iir(args: &[Value]) -> Value {
    let filtered = || {
        let (series, forward, back) = (numbers(args, 0)?, numbers(args, 1)?, numbers(args, 2)?);
        let (first, back) = back.split_first().filter(|(first, _)| **first != 0.0)?;
        let mut made: Vec<f64> = Vec::with_capacity(series.len());
        for at in 0..series.len() {
            let fed: f64 = forward
                .iter()
                .zip(series[..=at].iter().rev())
                .map(|(b, x)| b * x)
                .sum();
            let returned: f64 = back.iter().zip(made.iter().rev()).map(|(a, y)| a * y).sum();
            made.push((fed - returned) / first);
        }
        Some(reals(made))
    };
    filtered().unwrap_or_default()
}

/// Whether an element is what stands for missing ones: null unless the call
/// names another.
fn is_missing(value: &Value, placeholder: &Value) -> bool {
    value.is_null() || super::compare::equal(value, placeholder) == Some(true)
}

fn filled<'a>(items: impl Iterator<Item = &'a Value>, placeholder: &Value) -> Vec<Value> {
    let mut last = Value::Null;
    items
        .map(|item| {
            if !is_missing(item, placeholder) {
                last = item.clone();
            }
            if last.is_null() {
                item.clone()
            } else {
                last.clone()
            }
        })
        .collect()
}

/// `series_fill_forward`.
pub fn fill_forward(args: &[Value]) -> Value {
    match array(args, 0) {
        Some(items) => Value::array(filled(items.iter(), get(args, 1))),
        None => Value::Null,
    }
}

/// `series_fill_backward`.
pub fn fill_backward(args: &[Value]) -> Value {
    match array(args, 0) {
        Some(items) => {
            let mut filled = filled(items.iter().rev(), get(args, 1));
            filled.reverse();
            Value::array(filled)
        }
        None => Value::Null,
    }
}

/// `series_fill_const`.
pub fn fill_const(args: &[Value]) -> Value {
    let replacement = args.get(1).cloned().unwrap_or(Value::Long(0));
    each(args, |item| {
        if is_missing(item, get(args, 2)) {
            replacement.clone()
        } else {
            item.clone()
        }
    })
}

/// `series_fill_linear`. A series of whole numbers stays one: what lies between
/// them is cut to its whole part, as the reference prints it.
pub fn fill_linear(args: &[Value]) -> Value {
    let Some(items) = array(args, 0) else {
        return Value::Null;
    };
    let ends = args.get(2).is_none() || flag(args, 2);
    let fallback = real(args, 3).unwrap_or(0.0);
    let mut present = items
        .iter()
        .filter(|item| !is_missing(item, get(args, 1)))
        .peekable();
    let whole =
        present.peek().is_some() && present.all(|item| matches!(item, Value::Int(_) | Value::Long(_)));
    let number = |x: f64| {
        if whole {
            Value::Long(x as i64)
        } else {
            Value::Real(x)
        }
    };
    let known: Vec<(usize, f64)> = items
        .iter()
        .enumerate()
        .filter(|(_, item)| !is_missing(item, get(args, 1)))
        .filter_map(|(at, item)| convert::to_real(item).map(|x| (at, x)))
        .collect();
    let mut next = 0;
    let filled = (0..items.len()).map(|at| {
        while known.get(next).is_some_and(|(place, _)| *place < at) {
            next += 1;
        }
        let before = next.checked_sub(1).and_then(|i| known.get(i));
        match (before, known.get(next)) {
            (_, Some((place, _))) if *place == at && whole => items[at].clone(),
            (_, Some((place, x))) if *place == at => Value::Real(*x),
            (Some((left, from)), Some((right, to))) => {
                number(from + (to - from) * (at - left) as f64 / (right - left) as f64)
            }
            (Some((_, x)), None) | (None, Some((_, x))) if ends => number(*x),
            (None, None) => Value::Real(fallback),
            _ => Value::Null,
        }
    });
    Value::Array(filled.collect())
}

/// The least-squares line through a series.
pub(super) struct Line {
    pub(super) slope: f64,
    /// Where it starts.
    pub(super) start: f64,
    /// The sum of the squares of what the mean leaves.
    pub(super) up: f64,
    /// The sum of the squares of what the line leaves.
    pub(super) rest: f64,
    pub(super) fit: Vec<f64>,
}

impl Line {
    /// The line through some numbers, of which there is at least one.
    pub(super) fn through(ys: &[f64]) -> Self {
        let count = ys.len() as f64;
        let mean_x = (count - 1.0) / 2.0;
        let mean_y = ys.iter().sum::<f64>() / count;
        let (mut across, mut along, mut up) = (0.0, 0.0, 0.0);
        for (at, y) in ys.iter().enumerate() {
            let x = at as f64 - mean_x;
            across += x * x;
            along += x * (y - mean_y);
            up += (y - mean_y).powi(2);
        }
        let slope = if across > 0.0 { along / across } else { 0.0 };
        let start = mean_y - slope * mean_x;
        let fit: Vec<f64> = (0..ys.len()).map(|at| start + slope * at as f64).collect();
        let rest = ys.iter().zip(&fit).map(|(y, f)| (y - f).powi(2)).sum();
        Self {
            slope,
            start,
            up,
            rest,
            fit,
        }
    }

    /// A sum of squares as the variance of a sample.
    pub(super) fn spread(&self, sum: f64) -> f64 {
        if self.fit.len() > 1 {
            sum / (self.fit.len() as f64 - 1.0)
        } else {
            0.0
        }
    }

    /// Where the line meets the axis; the reference counts the elements from one.
    pub(super) fn interception(&self) -> f64 {
        self.start - self.slope
    }

    /// How much of the spread the line explains, from 0 to 1.
    pub(super) fn rsquare(&self) -> f64 {
        explained(self.rest, self.up)
    }
}

/// One less the part of the squares that is left.
pub(super) fn explained(rest: f64, up: f64) -> f64 {
    if up > 0.0 { 1.0 - rest / up } else { 1.0 }
}

pub(super) fn reals(items: Vec<f64>) -> Value {
    Value::Array(items.into_iter().map(Value::Real).collect())
}

/// The names and values of the least-squares line through a series.
fn line(args: &[Value]) -> Option<[(&'static str, Value); 6]> {
    let line = Line::through(&numbers(args, 0).filter(|ys| !ys.is_empty())?);
    Some([
        ("rsquare", Value::Real(line.rsquare())),
        ("slope", Value::Real(line.slope)),
        ("variance", Value::Real(line.spread(line.up))),
        ("rvariance", Value::Real(line.spread(line.rest))),
        ("interception", Value::Real(line.interception())),
        ("line_fit", reals(line.fit)),
    ])
}

/// `series_fit_line`: an array of the columns' values.
pub fn fit_line(args: &[Value]) -> Value {
    Value::array(
        line(args)
            .map(|entries| entries.map(|(_, value)| value))
            .unwrap_or_default(),
    )
}

/// `series_fit_line_dynamic`.
pub fn fit_line_dynamic(args: &[Value]) -> Value {
    bag_of(line(args))
}

/// Named values as a bag; null where there are none.
fn bag_of<const N: usize>(entries: Option<[(&'static str, Value); N]>) -> Value {
    match entries {
        Some(entries) => super::dynamic::new_bag(
            entries
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        ),
        None => Value::Null,
    }
}

/// The names and values of a series' statistics; with a flag, elements that
/// are no numbers do not count.
fn statistics(args: &[Value]) -> Option<[(&'static str, Value); 9]> {
    let items = array(args, 0)?;
    let known: Vec<(usize, f64)> = items
        .iter()
        .enumerate()
        .filter_map(|(i, item)| convert::to_real(item).filter(|x| x.is_finite()).map(|x| (i, x)))
        .collect();
    let usable = !known.is_empty() && (known.len() == items.len() || flag(args, 1));
    let count = known.len() as f64;
    let mean = known.iter().map(|(_, x)| x).sum::<f64>() / count;
    let squares = known.iter().map(|(_, x)| (x - mean).powi(2)).sum::<f64>();
    let variance = if known.len() > 1 {
        squares / (count - 1.0)
    } else {
        0.0
    };
    let mut least = known.first().copied().unwrap_or_default();
    let mut greatest = least;
    for &(i, x) in &known {
        if x < least.1 {
            least = (i, x);
        }
        if x > greatest.1 {
            greatest = (i, x);
        }
    }
    let real = |x: f64| if usable { Value::Real(x) } else { Value::Null };
    let long = |i: usize| {
        if usable {
            Value::Long(i as i64)
        } else {
            Value::Null
        }
    };
    Some([
        ("min", real(least.1)),
        ("min_idx", long(least.0)),
        ("max", real(greatest.1)),
        ("max_idx", long(greatest.0)),
        ("avg", real(mean)),
        ("stdev", real(variance.sqrt())),
        ("variance", real(variance)),
        ("sum", real(known.iter().map(|(_, x)| x).sum())),
        ("len", long(items.len())),
    ])
}

/// `series_stats`: an array of the columns' values. It has no columns for the
/// last two that the bag holds.
pub fn stats(args: &[Value]) -> Value {
    let values = statistics(args).into_iter().flatten().map(|(_, value)| value);
    Value::array(values.take(7).collect::<Vec<_>>())
}

/// `series_stats_dynamic`.
pub fn stats_dynamic(args: &[Value]) -> Value {
    bag_of(statistics(args))
}
