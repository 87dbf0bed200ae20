//! Mathematics: elementary functions, rounding, bits, and distributions.

use rust_decimal::Decimal;
use rust_decimal::{MathematicalOps, RoundingStrategy};

use crate::Value;
use crate::args::{get, long, maybe_long, maybe_real, real};

rows! { ROWS: Function in math {
    abs "abs" as FirstArgument, [(Integer) -> Long, (Number) -> First, (TimeSpan) -> TimeSpan], "The value without its sign.",
        "abs(-5)" => "5", "abs(-1.5h)" => "01:30:00";
    sign "sign", [(Number) -> Real], "-1, 0 or 1: the sign of a number.", "sign(-5)" => "-1";
    round "round" as FirstArgument, [(Number; ConstLong) -> First], "A number to a number of decimals, halves away from zero.",
        "round(2.98765, 3)" => "2.988", "round(2.5)" => "3", "round(2.15, 1)" => "2.2", "round(-50.55, -2)" => "-100", "round(1234, -2)" => "1200";
    ceiling "ceiling" as FirstArgument, [(Number) -> First], "The least whole number that is not below.", "ceiling(-1.1)" => "-1", "ceiling(0.9)" => "1";
    pow "pow" as FirstArgument, [(Number, Number) -> Real], "A number to a power.", "pow(2, 3)" => "8", "pow(-8, 0.5)" => "NaN";
    sqrt "sqrt" as FirstArgument, [(Number) -> Real], "The square root.", "sqrt(256)" => "16", "sqrt(-1)" => "";
    exp "exp" as FirstArgument, [(Number) -> Real], "e to a power.", "exp(0)" => "1";
    exp2 "exp2" as FirstArgument, [(Number) -> Real], "2 to a power.", "exp2(10)" => "1024";
    exp10 "exp10" as FirstArgument, [(Number) -> Real], "10 to a power.", "exp10(3)" => "1000";
    log "log" as FirstArgument, [(Number) -> Real], "The natural logarithm.", "log(1)" => "0", "log(-1)" => "";
    log2 "log2" as FirstArgument, [(Number) -> Real], "The logarithm to base 2.", "log2(8)" => "3";
    log10 "log10" as FirstArgument, [(Number) -> Real], "The logarithm to base 10.", "log10(1000)" => "3";
    pi "pi", [() -> Real], "The ratio of a circle's circumference to its diameter.", "pi()" => "3.141592653589793";
    sin "sin" as FirstArgument, [(Number) -> Real], "The sine of an angle in radians.", "sin(0)" => "0";
    cos "cos" as FirstArgument, [(Number) -> Real], "The cosine of an angle in radians.", "cos(0)" => "1";
    tan "tan" as FirstArgument, [(Number) -> Real], "The tangent of an angle in radians.", "tan(0)" => "0";
    cot "cot", [(Number) -> Real], "The cotangent of an angle in radians.";
    asin "asin" as FirstArgument, [(Number) -> Real], "The angle whose sine this is.", "asin(0)" => "0", "asin(2)" => "";
    acos "acos" as FirstArgument, [(Number) -> Real], "The angle whose cosine this is.", "acos(1)" => "0";
    atan "atan" as FirstArgument, [(Number) -> Real], "The angle whose tangent this is.", "atan(0)" => "0";
    atan2 "atan2" as FirstArgument, [(Number, Number) -> Real], "The angle of the point (x, y), y first.", "atan2(0, 1)" => "0";
    degrees "degrees", [(Number) -> Real], "An angle in radians as degrees.", "degrees(pi()/4)" => "45";
    radians "radians", [(Number) -> Real], "An angle in degrees as radians.", "radians(180)" => "3.141592653589793";
    gamma "gamma" as FirstArgument, [(Number) -> Real], "The gamma function.", "gamma(5)" => "24";
    loggamma "loggamma" as FirstArgument, [(Number) -> Real], "The logarithm of the gamma function's absolute value.";
    erf "erf" as FirstArgument, [(Number) -> Real], "The error function.", "erf(0)" => "0";
    erfc "erfc" as FirstArgument, [(Number) -> Real], "One less the error function.", "erfc(0)" => "1";
    beta_cdf "beta_cdf", [(Number, Number, Number) -> Real], "The cumulative beta distribution.";
    beta_pdf "beta_pdf", [(Number, Number, Number) -> Real], "The density of the beta distribution.";
    beta_inv "beta_inv", [(Number, Number, Number) -> Real], "The inverse of the cumulative beta distribution.";
    welch_test "welch_test" never constant, [(Number, Number, Number, Number, Number, Number) -> Real], "The p-value of Welch's test, from each sample's mean, variance and count.";
    context "rand" as FirstArgument, [(; Integer) -> Real], "A random number from 0 to 1, or a whole one below a bound.";
    binary_and "binary_and" as FirstArgument, [(Integer, Integer) -> Long], "The bits set in both.", "binary_and(12, 10)" => "8";
    binary_or "binary_or" as FirstArgument, [(Integer, Integer) -> Long], "The bits set in either.", "binary_or(12, 10)" => "14";
    binary_xor "binary_xor" as FirstArgument, [(Integer, Integer) -> Long], "The bits set in one of them only.", "binary_xor(1, 2)" => "3";
    binary_not "binary_not" as FirstArgument, [(Integer) -> Long], "The bits that are not set.", "binary_not(100)" => "-101";
    binary_shift_left "binary_shift_left" as FirstArgument, [(Integer, Integer) -> Long], "The bits moved left, by a number of places modulo 64.", "binary_shift_left(1, 2)" => "4", "binary_shift_left(1, -1)" => "";
    binary_shift_right "binary_shift_right" as FirstArgument, [(Integer, Integer) -> Long], "The bits moved right, by a number of places modulo 64.", "binary_shift_right(4, 2)" => "1";
    bitset_count_ones "bitset_count_ones" as FirstArgument, [(Integer) -> Long], "How many bits are set.", "bitset_count_ones(42)" => "3";
}}

/// One kernel for each function from real to real. Those of the second list
/// are null where the function is not defined, as their documentation says.
macro_rules! real_functions {
    ([$($kernel:ident $function:expr;)*] [$($partial:ident $of:expr;)*]) => {
        $(
            #[doc = concat!("`", stringify!($kernel), "`.")]
            pub fn $kernel(args: &[Value]) -> Value {
                let function: fn(f64) -> f64 = $function;
                maybe_real(real(args, 0).map(function))
            }
        )*
        $(
            #[doc = concat!("`", stringify!($partial), "`.")]
            pub fn $partial(args: &[Value]) -> Value {
                let function: fn(f64) -> f64 = $of;
                let result = real(args, 0).map(|x| (x, function(x)));
                // What is not a number to begin with stays so.
                maybe_real(result.filter(|(x, y)| x.is_nan() || !y.is_nan()).map(|(_, y)| y))
            }
        )*
    };
}

real_functions! {[
    exp f64::exp;
    exp2 f64::exp2;
    exp10 |x| 10f64.powf(x);
    sin f64::sin;
    cos f64::cos;
    tan f64::tan;
    cot |x| 1.0 / x.tan();
    atan f64::atan;
    degrees f64::to_degrees;
    radians f64::to_radians;
    erf |x| error_function(x);
    erfc |x| complementary_error(x);
    sign |x| if x == 0.0 { 0.0 } else { x.signum() };
] [
    sqrt f64::sqrt;
    log f64::ln;
    log2 f64::log2;
    log10 f64::log10;
    asin f64::asin;
    acos f64::acos;
    gamma gamma_of;
    loggamma ln_gamma;
]}

/// `pi`.
pub fn pi(_: &[Value]) -> Value {
    Value::Real(std::f64::consts::PI)
}

/// `abs`.
pub fn abs(args: &[Value]) -> Value {
    match get(args, 0) {
        Value::Int(n) => Value::Long(i64::from(*n).abs()),
        Value::Long(n) => Value::Long(n.wrapping_abs()),
        Value::Real(r) => Value::Real(r.abs()),
        Value::Decimal(d) => Value::Decimal(d.abs()),
        Value::TimeSpan(t) => Value::TimeSpan(t.saturating_abs()),
        _ => Value::Null,
    }
}

/// `round`.
pub fn round(args: &[Value]) -> Value {
    let precision = if args.len() > 1 {
        long(args, 1).unwrap_or(0)
    } else {
        0
    };
    match get(args, 0) {
        value @ (Value::Int(_) | Value::Long(_)) if precision >= 0 => value.clone(),
        Value::Int(n) => round_whole(i64::from(*n), precision)
            .and_then(|n| i32::try_from(n).ok())
            .map_or(Value::Null, Value::Int),
        Value::Long(n) => maybe_long(round_whole(*n, precision)),
        Value::Real(r) => Value::Real(round_real(*r, precision)),
        Value::Decimal(d) => Value::Decimal(match u32::try_from(precision) {
            Ok(places) => d.round_dp_with_strategy(places.min(28), RoundingStrategy::MidpointAwayFromZero),
            Err(_) => match Decimal::from(10).checked_powi(-precision) {
                Some(scale) => {
                    let scaled =
                        (*d / scale).round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
                    scaled.checked_mul(scale).unwrap_or_default()
                }
                None => Decimal::ZERO,
            },
        }),
        _ => Value::Null,
    }
}

fn round_whole(n: i64, precision: i64) -> Option<i64> {
    let digits = u32::try_from(-precision).unwrap_or(u32::MAX);
    let Some(scale) = 10i128.checked_pow(digits.min(38)) else {
        return Some(0);
    };
    let n = i128::from(n);
    let half = if n < 0 { -scale / 2 } else { scale / 2 };
    i64::try_from((n + half) / scale * scale).ok()
}

fn round_real(r: f64, precision: i64) -> f64 {
    if precision == 0 || !r.is_finite() {
        return r.round();
    }
    if precision > 15 {
        return r;
    }
    let scale = 10f64.powi(i32::try_from(precision.clamp(-400, 400)).unwrap_or(0));
    if scale == 0.0 {
        return 0.0;
    }
    let scaled = r * scale;
    if scaled.is_finite() {
        scaled.round() / scale
    } else {
        r
    }
}

/// `ceiling`.
pub fn ceiling(args: &[Value]) -> Value {
    match get(args, 0) {
        value @ (Value::Int(_) | Value::Long(_)) => value.clone(),
        // The sum turns a negative zero into a positive one.
        Value::Real(r) => Value::Real(r.ceil() + 0.0),
        Value::Decimal(d) => Value::Decimal(d.ceil()),
        _ => Value::Null,
    }
}

/// `pow`.
pub fn pow(args: &[Value]) -> Value {
    maybe_real(
        real(args, 0)
            .zip(real(args, 1))
            .map(|(base, power)| base.powf(power)),
    )
}

/// `atan2`.
pub fn atan2(args: &[Value]) -> Value {
    maybe_real(real(args, 0).zip(real(args, 1)).map(|(y, x)| y.atan2(x)))
}

/// One kernel for each operation on the bits of two longs.
macro_rules! bit_functions {
    ($($kernel:ident $function:expr;)*) => { $(
        #[doc = concat!("`", stringify!($kernel), "`.")]
        pub fn $kernel(args: &[Value]) -> Value {
            let function: fn(i64, i64) -> i64 = $function;
            maybe_long(long(args, 0).zip(long(args, 1)).map(|(a, b)| function(a, b)))
        }
    )* };
}

bit_functions! {
    binary_and |a, b| a & b;
    binary_or |a, b| a | b;
    binary_xor |a, b| a ^ b;
}

/// A value and by how much to shift it; none to shift by a negative number.
fn shift(args: &[Value]) -> Option<(i64, u32)> {
    let by = u64::try_from(long(args, 1)?).ok()?;
    Some((long(args, 0)?, (by % 64) as u32))
}

/// `binary_shift_left`.
pub fn binary_shift_left(args: &[Value]) -> Value {
    maybe_long(shift(args).map(|(a, by)| a.wrapping_shl(by)))
}

/// `binary_shift_right`.
pub fn binary_shift_right(args: &[Value]) -> Value {
    maybe_long(shift(args).map(|(a, by)| a.wrapping_shr(by)))
}

/// `binary_not`.
pub fn binary_not(args: &[Value]) -> Value {
    maybe_long(long(args, 0).map(|n| !n))
}

/// `bitset_count_ones`.
pub fn bitset_count_ones(args: &[Value]) -> Value {
    maybe_long(long(args, 0).map(|n| i64::from(n.count_ones())))
}

/// The logarithm of |gamma(x)|: Stirling's series, after the recurrence has
/// taken the argument to where it converges.
pub(crate) fn ln_gamma(x: f64) -> f64 {
    if x <= 0.0 {
        if x == x.floor() {
            return f64::INFINITY;
        }
        // Reflection.
        let sine = (std::f64::consts::PI * x).sin().abs();
        return (std::f64::consts::PI / sine).ln() - ln_gamma(1.0 - x);
    }
    if x == x.floor() && x <= 171.0 {
        return gamma_of(x).ln();
    }
    let mut shift = 0.0;
    let mut x = x;
    let mut product = 1.0f64;
    while x < 15.0 {
        product *= x;
        x += 1.0;
    }
    if product != 1.0 {
        shift = product.ln();
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series = inverse
        * (1.0 / 12.0
            - square
                * (1.0 / 360.0
                    - square * (1.0 / 1260.0 - square * (1.0 / 1680.0 - square * (1.0 / 1188.0)))));
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series - shift
}

fn gamma_of(x: f64) -> f64 {
    if x == x.floor() {
        if x <= 0.0 {
            return f64::NAN;
        }
        if x <= 171.0 {
            // Whole numbers are factorials, exactly.
            return (1..x as u32).fold(1.0, |product, n| product * f64::from(n));
        }
    }
    let magnitude = ln_gamma(x).exp();
    // Between negative whole numbers the sign alternates.
    if x < 0.0 && x.floor() as i64 % 2 != 0 {
        -magnitude
    } else {
        magnitude
    }
}

/// The error function: its series near zero, its tail elsewhere.
fn error_function(x: f64) -> f64 {
    if x.abs() >= 2.5 {
        let tail = error_tail(x.abs());
        return if x > 0.0 { 1.0 - tail } else { tail - 1.0 };
    }
    let mut term = x;
    let mut sum = x;
    for n in 1..100 {
        let n = f64::from(n);
        term *= -x * x / n;
        sum += term / (2.0 * n + 1.0);
    }
    sum * std::f64::consts::FRAC_2_SQRT_PI
}

fn complementary_error(x: f64) -> f64 {
    if x >= 2.5 {
        error_tail(x)
    } else {
        1.0 - error_function(x)
    }
}

/// erfc for large arguments, as a continued fraction.
fn error_tail(x: f64) -> f64 {
    let mut fraction = 0.0;
    for n in (1..=100).rev() {
        fraction = f64::from(n) / 2.0 / (x + fraction);
    }
    (-x * x).exp() / (x + fraction) / std::f64::consts::PI.sqrt()
}

/// The regularized incomplete beta function.
pub(crate) fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(x, a, b) / a
    } else {
        1.0 - front * beta_fraction(1.0 - x, b, a) / b
    }
}

/// The continued fraction of the incomplete beta function, by Lentz's method.
fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    let guard = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let mut numerator = 1.0;
    let mut denominator = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut result = denominator;
    for step in 1..300 {
        let step = f64::from(step);
        let twice = a + 2.0 * step;
        let even = step * (b - step) * x / ((twice - 1.0) * twice);
        let odd = -(a + step) * (a + b + step) * x / (twice * (twice + 1.0));
        for term in [even, odd] {
            denominator = 1.0 / guard(1.0 + term * denominator);
            numerator = guard(1.0 + term / numerator);
            result *= denominator * numerator;
        }
        if (denominator * numerator - 1.0).abs() < 1e-15 {
            break;
        }
    }
    result
}

/// x, alpha and beta, where there is such a distribution.
fn beta_arguments(args: &[Value]) -> Option<(f64, f64, f64)> {
    let (x, a, b) = (real(args, 0)?, real(args, 1)?, real(args, 2)?);
    (a > 0.0 && b > 0.0 && (0.0..=1.0).contains(&x)).then_some((x, a, b))
}

/// `beta_cdf`.
pub fn beta_cdf(args: &[Value]) -> Value {
    beta_arguments(args).map_or(Value::Real(f64::NAN), |(x, a, b)| {
        Value::Real(incomplete_beta(x, a, b))
    })
}

/// `beta_pdf`.
pub fn beta_pdf(args: &[Value]) -> Value {
    beta_arguments(args).map_or(Value::Real(f64::NAN), |(x, a, b)| {
        let scale = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b)).exp();
        Value::Real(scale * x.powf(a - 1.0) * (1.0 - x).powf(b - 1.0))
    })
}

/// `beta_inv`.
pub fn beta_inv(args: &[Value]) -> Value {
    let Some((probability, a, b)) = beta_arguments(args) else {
        return Value::Real(f64::NAN);
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if incomplete_beta(middle, a, b) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    Value::Real(f64::midpoint(low, high))
}

/// `welch_test`: mean, variance and count of two samples.
pub fn welch_test(args: &[Value]) -> Value {
    let number = |index| real(args, index);
    let (Some(mean1), Some(variance1), Some(count1), Some(mean2), Some(variance2), Some(count2)) =
        (number(0), number(1), number(2), number(3), number(4), number(5))
    else {
        return Value::Null;
    };
    let (a, b) = (variance1 / count1, variance2 / count2);
    let t = (mean1 - mean2) / (a + b).sqrt();
    let freedom = (a + b).powi(2) / (a * a / (count1 - 1.0) + b * b / (count2 - 1.0));
    maybe_real(Some(incomplete_beta(
        freedom / (freedom + t * t),
        freedom / 2.0,
        0.5,
    )))
}
