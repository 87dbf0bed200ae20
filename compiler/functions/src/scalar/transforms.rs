//! Series as a whole: filters, Fourier transforms, two lines, polynomials.
//!
//! In: dynamic arrays of numbers; one with another element in it gives null.
//! Out: arrays of reals. A kernel of several columns gives an array of them,
//! empty where there is no result.

use std::f64::consts::TAU;

use super::dynamic::new_bag;
use super::series::{Line, explained, numbers, reals};
use crate::Value;
use crate::args::{array, flag, long_or};

rows! { ROWS: Function in transforms {
    fir "series_fir" as FirstArgument never constant, [(Array, Array; Bool, Bool) -> Array], "A series through a filter of finite response.",
        "series_fir(dynamic([1, 2, 3, 4]), dynamic([1, 1]))" => "[0.5,1.5,2.5,3.5]", "series_fir(dynamic([1, 3, 6]), dynamic([1, -1]), false, false)" => "[1.0,2.0,3.0]",
        "series_fir(dynamic([0, 3, 0, 0]), dynamic([1, 1, 1]), true, true)" => "[1.0,1.0,1.0,0.0]";
    two_lines_dynamic "series_fit_2lines_dynamic" never constant, [(Array) -> Bag], "The two lines that fit a series best, as a bag.",
        "series_fit_2lines_dynamic(dynamic([0, 1, 2, 2, 1, 0])).split_idx" => "3", "series_fit_2lines_dynamic(dynamic([0, 1, 2, 2, 1, 0])).left.slope" => "1";
}}

rows! { SEVERAL: Function in transforms {
    two_lines "series_fit_2lines" with ["series_fit_2lines_{}_rsquare": Real, "series_fit_2lines_{}_split_idx": Long, "series_fit_2lines_{}_variance": Real, "series_fit_2lines_{}_rvariance": Real, "series_fit_2lines_{}_line_fit": Dynamic, "series_fit_2lines_{}_right_rsquare": Real, "series_fit_2lines_{}_right_slope": Real, "series_fit_2lines_{}_right_interception": Real, "series_fit_2lines_{}_right_variance": Real, "series_fit_2lines_{}_right_rvariance": Real, "series_fit_2lines_{}_left_rsquare": Real, "series_fit_2lines_{}_left_slope": Real, "series_fit_2lines_{}_left_interception": Real, "series_fit_2lines_{}_left_variance": Real, "series_fit_2lines_{}_left_rvariance": Real] never constant,
        [(Array) -> Real], "The two lines that fit a series best, in columns.",
        "series_fit_2lines(dynamic([0, 1, 2, 2, 1, 0]))[6]" => "-1";
    fit_poly "series_fit_poly" with ["series_fit_poly_{}_rsquare": Real, "series_fit_poly_{}_coefficients": Dynamic, "series_fit_poly_{}_variance": Real, "series_fit_poly_{}_rvariance": Real, "series_fit_poly_{}_poly_fit": Dynamic] never constant,
        [(Array; Array, Int) -> Real], "The polynomial that fits a series best, in columns.",
        "series_fit_poly(dynamic([1, 4, 9, 16]), dynamic([1, 2, 3, 4]), 2)[0]" => "1";
    fft "series_fft" with ["series_fft_{}_real": Dynamic, "series_fft_{}_imag": Dynamic] never constant,
        [(Array; Array) -> Array], "The Fourier transform of a series, in columns.",
        "series_fft(dynamic([1, 1, 1, 1]))" => "[[4.0,0.0,0.0,0.0],[0.0,0.0,0.0,0.0]]", "series_fft(dynamic([1, 2, 3]))[0][0]" => "6";
    ifft "series_ifft" with ["series_ifft_{}_real": Dynamic, "series_ifft_{}_imag": Dynamic] never constant,
        [(Array; Array) -> Array], "The inverse Fourier transform of a series, in columns.",
        "series_ifft(dynamic([4, 0, 0, 0]), dynamic([0, 0, 0, 0]))[0]" => "[1.0,1.0,1.0,1.0]";
}}

/// `series_fir`: each element is the sum of those up to it, times the filter's
/// coefficients; with `center`, of those around it. What is before the start
/// counts as zero.
pub fn fir(args: &[Value]) -> Value {
    let filtered = || {
        let (series, filter) = (numbers(args, 0)?, numbers(args, 1)?);
        let negative = filter.iter().any(|c| *c < 0.0);
        let normalize = if args.len() > 2 { flag(args, 2) } else { !negative };
        if filter.is_empty() || (normalize && negative) {
            return None;
        }
        let scale = if normalize { filter.iter().sum() } else { 1.0 };
        let ahead = if flag(args, 3) { (filter.len() - 1) / 2 } else { 0 };
        let element = |at: usize| {
            let newest = at + ahead;
            let sum: f64 = filter
                .iter()
                .enumerate()
                .filter_map(|(back, c)| Some(c * series.get(newest.checked_sub(back)?)?))
                .sum();
            sum / scale
        };
        Some(reals((0..series.len()).map(element).collect()))
    };
    filtered().unwrap_or_default()
}

type Complex = (f64, f64);

/// The discrete Fourier transform, by splitting off the smallest factor of the
/// length; `sign` is -1 for the transform, 1 for its inverse.
fn transform(input: &[Complex], sign: f64) -> Vec<Complex> {
    let length = input.len();
    let factor = (2..length)
        .take_while(|factor| factor * factor <= length)
        .find(|factor| length.is_multiple_of(*factor))
        .unwrap_or(length);
    if length < 2 {
        return input.to_vec();
    }
    let inner = length / factor;
    let parts: Vec<Vec<Complex>> = (0..factor)
        .map(|offset| {
            let part: Vec<Complex> = input.iter().skip(offset).step_by(factor).copied().collect();
            transform(&part, sign)
        })
        .collect();
    (0..length)
        .map(|k| {
            let mut sum = (0.0, 0.0);
            for (offset, part) in parts.iter().enumerate() {
                let (re, im) = part[k % inner];
                let (sin, cos) = turn(offset * k % length, length, sign);
                sum.0 += re * cos - im * sin;
                sum.1 += re * sin + im * cos;
            }
            sum
        })
        .collect()
}

/// Sine and cosine of a fraction of a full turn, exact at the quarters.
fn turn(numerator: usize, denominator: usize, sign: f64) -> (f64, f64) {
    let (sin, cos) = match numerator * 4 {
        0 => (0.0, 1.0),
        n if n == denominator => (1.0, 0.0),
        n if n == 2 * denominator => (0.0, -1.0),
        n if n == 3 * denominator => (-1.0, 0.0),
        _ => (TAU * numerator as f64 / denominator as f64).sin_cos(),
    };
    (sign * sin, cos)
}

/// A series of complex numbers, from one series or two of the same length.
fn complex(args: &[Value]) -> Option<Vec<Complex>> {
    let real = numbers(args, 0)?;
    let imaginary = match array(args, 1) {
        Some(_) => numbers(args, 1)?,
        None => vec![0.0; real.len()],
    };
    (real.len() == imaginary.len()).then(|| real.into_iter().zip(imaginary).collect())
}

fn transformed(args: &[Value], sign: f64, scale: impl Fn(usize) -> f64) -> Value {
    let Some(series) = complex(args) else {
        return Value::array(Vec::new());
    };
    let scale = scale(series.len());
    let (real, imaginary) = transform(&series, sign)
        .into_iter()
        // The sum turns a negative zero into a positive one.
        .map(|(re, im)| (re / scale + 0.0, im / scale + 0.0))
        .unzip();
    Value::array(vec![reals(real), reals(imaginary)])
}

/// `series_fft`.
pub fn fft(args: &[Value]) -> Value {
    transformed(args, -1.0, |_| 1.0)
}

/// `series_ifft`.
pub fn ifft(args: &[Value]) -> Value {
    transformed(args, 1.0, |length| length as f64)
}

/// The fewest points that a line is laid through.
const FEWEST: usize = 2;

/// The names of what is known of the line on either side.
const SIDE: [&str; 5] = ["rsquare", "slope", "interception", "variance", "rvariance"];

/// Names and values.
type Named = [(&'static str, Value); 5];

/// The names and values of the two lines that leave the least of a series;
/// then the values of the right one, and of the left one.
fn best_split(args: &[Value]) -> Option<(Named, [[Value; 5]; 2])> {
    let ys = numbers(args, 0)?;
    let (mut best, mut least) = (None, f64::INFINITY);
    for split in FEWEST..=ys.len().checked_sub(FEWEST)? {
        let (left, right) = (Line::through(&ys[..split]), Line::through(&ys[split..]));
        let rest = left.rest + right.rest;
        if rest < least {
            least = rest;
            best = Some((split, left, right));
        }
    }
    let (split, left, right) = best?;
    let whole = Line::through(&ys);
    let fit = left.fit.iter().chain(&right.fit).copied().collect();
    let entries = [
        ("rsquare", Value::Real(explained(least, whole.up))),
        ("split_idx", Value::Long(split as i64)),
        ("variance", Value::Real(whole.spread(whole.up))),
        ("rvariance", Value::Real(whole.spread(least))),
        ("line_fit", reals(fit)),
    ];
    let side = |line: Line| {
        let values = [
            line.rsquare(),
            line.slope,
            line.interception(),
            line.spread(line.up),
            line.spread(line.rest),
        ];
        values.map(Value::Real)
    };
    Some((entries, [side(right), side(left)]))
}

/// `series_fit_2lines`.
pub fn two_lines(args: &[Value]) -> Value {
    let Some((entries, sides)) = best_split(args) else {
        return Value::array(Vec::new());
    };
    let entries = entries.into_iter().map(|(_, value)| value);
    Value::Array(entries.chain(sides.into_iter().flatten()).collect())
}

/// `series_fit_2lines_dynamic`: each side is a bag of its own.
pub fn two_lines_dynamic(args: &[Value]) -> Value {
    let Some((entries, sides)) = best_split(args) else {
        return Value::Null;
    };
    let sides = ["right", "left"].into_iter().zip(sides).map(|(name, values)| {
        let values = SIDE.into_iter().zip(values);
        let bag = new_bag(values.map(|(name, value)| (name.into(), value)).collect());
        (name.into(), bag)
    });
    let entries = entries.into_iter().map(|(name, value)| (name.into(), value));
    new_bag(entries.chain(sides).collect())
}

/// The highest degree of a polynomial; beyond it reals are too coarse.
const HIGHEST: i64 = 64;

/// The coefficients, from the lowest power, of the polynomial of a degree that
/// leaves the least squares: reflections make the powers of `xs` triangular.
fn polynomial(xs: &[f64], ys: &[f64], degree: usize) -> Option<Vec<f64>> {
    let width = degree + 1;
    if ys.len() < width {
        return None;
    }
    let powers = |x: &f64| -> Vec<f64> {
        std::iter::successors(Some(1.0), |power| Some(power * x))
            .take(width)
            .collect()
    };
    let mut rows: Vec<Vec<f64>> = xs.iter().map(powers).collect();
    let mut rest = ys.to_vec();
    for column in 0..width {
        let length = rows[column..]
            .iter()
            .map(|row| row[column].powi(2))
            .sum::<f64>()
            .sqrt();
        if length == 0.0 {
            return None;
        }
        // Away from the entry, so that nothing is lost in the difference.
        let length = if rows[column][column] > 0.0 {
            -length
        } else {
            length
        };
        let mut mirror: Vec<f64> = rows[column..].iter().map(|row| row[column]).collect();
        mirror[0] -= length;
        let norm: f64 = mirror.iter().map(|x| x * x).sum();
        for other in column..width {
            let along: f64 = mirror
                .iter()
                .zip(&rows[column..])
                .map(|(m, row)| m * row[other])
                .sum();
            for (m, row) in mirror.iter().zip(&mut rows[column..]) {
                row[other] -= 2.0 * along / norm * m;
            }
        }
        let along: f64 = mirror.iter().zip(&rest[column..]).map(|(m, y)| m * y).sum();
        for (m, y) in mirror.iter().zip(&mut rest[column..]) {
            *y -= 2.0 * along / norm * m;
        }
    }
    let mut coefficients = vec![0.0; width];
    for row in (0..width).rev() {
        let known: f64 = (row + 1..width).map(|i| rows[row][i] * coefficients[i]).sum();
        coefficients[row] = (rest[row] - known) / rows[row][row];
    }
    coefficients.iter().all(|c| c.is_finite()).then_some(coefficients)
}

/// `series_fit_poly`: the series, where its elements are (1, 2, 3, …), and the
/// degree (1).
pub fn fit_poly(args: &[Value]) -> Value {
    let fitted = || {
        let ys = numbers(args, 0).filter(|ys| !ys.is_empty())?;
        let xs = match array(args, 1) {
            Some(_) => numbers(args, 1)?,
            None => (1..=ys.len()).map(|x| x as f64).collect(),
        };
        let degree = usize::try_from(long_or(args, 2, 1)).ok()?;
        if xs.len() != ys.len() || degree > HIGHEST as usize {
            return None;
        }
        let coefficients = polynomial(&xs, &ys, degree)?;
        let at = |x: &f64| coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c);
        let fit: Vec<f64> = xs.iter().map(at).collect();
        let whole = Line::through(&ys);
        let rest: f64 = ys.iter().zip(&fit).map(|(y, f)| (y - f).powi(2)).sum();
        Some(vec![
            Value::Real(explained(rest, whole.up)),
            reals(coefficients.into_iter().rev().collect()),
            Value::Real(whole.spread(whole.up)),
            Value::Real(whole.spread(rest)),
            reals(fit),
        ])
    };
    Value::array(fitted().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(items: &[f64]) -> Value {
        reals(items.to_vec())
    }

    fn near(value: &Value, expected: &[f64]) -> bool {
        numbers(std::slice::from_ref(value), 0).is_some_and(|found| {
            found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9)
        })
    }

    #[test]
    fn transforms_and_back() {
        for length in [1, 2, 3, 7, 12, 30, 64, 97] {
            let re: Vec<f64> = (0..length).map(|i| f64::from(i * i % 11) - 4.0).collect();
            let im: Vec<f64> = (0..length).map(|i| f64::from(i % 5)).collect();
            let Value::Array(there) = fft(&[series(&re), series(&im)]) else {
                panic!("no array");
            };
            let Value::Array(back) = ifft(&there) else {
                panic!("no array");
            };
            assert!(near(&back[0], &re) && near(&back[1], &im), "{length}");
        }
        assert_eq!(crate::text::print(&fft(&[series(&[1.0]), series(&[])])), "[]");
    }

    #[test]
    fn polynomials() {
        let xs: Vec<f64> = (0..9).map(|i| f64::from(i) / 3.0).collect();
        let ys: Vec<f64> = xs.iter().map(|x| 2.0 * x * x * x - x + 5.0).collect();
        let Value::Array(columns) = fit_poly(&[series(&ys), series(&xs), Value::Int(3)]) else {
            panic!("no array");
        };
        assert!(near(&columns[1], &[2.0, 0.0, -1.0, 5.0]));
        assert!(near(&columns[4], &ys));
        // Of degree one it is the line.
        let Value::Array(columns) = fit_poly(&[series(&[1.0, 2.2, 2.5, 4.7, 5.0])]) else {
            panic!("no array");
        };
        let line = Line::through(&[1.0, 2.2, 2.5, 4.7, 5.0]);
        assert!(near(&columns[4], &line.fit));
    }
}
