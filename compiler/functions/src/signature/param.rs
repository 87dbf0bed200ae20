//! What one parameter takes: how closely an argument fits, and why it does not.

use super::{Fit, Param};
use crate::{Arg, Form, Shape, Type, TypeError, Value};

/// What has a sum.
fn summable(ty: Type) -> bool {
    ty.is_numeric() || matches!(ty, Type::DateTime | Type::TimeSpan)
}

/// What has an order.
pub(super) fn orderable(ty: Type) -> bool {
    !matches!(ty, Type::Guid | Type::Dynamic)
}

/// What both a unit of time and a part of a point in time are called.
const PERIODS: &[&str] = &[
    "year",
    "quarter",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "millisecond",
    "microsecond",
    "nanosecond",
];

/// What only `datetime_add` and its relatives count in.
const UNITS: &[&str] = &["week"];

/// What only `datetime_part` gives.
const PARTS: &[&str] = &["week_of_year", "dayofyear"];

impl Param {
    /// What it takes by type alone.
    pub(super) const fn plain(self) -> Param {
        match self {
            Param::Column | Param::ScalarOrStar | Param::Star | Param::LiteralScalar | Param::ConstScalar => {
                Param::Scalar
            }
            Param::LiteralText
            | Param::FormatText
            | Param::Unit
            | Param::Part
            | Param::SearchKind
            | Param::ConstText => Param::Text,
            Param::ColumnOrTilde => Param::Scalar,
            Param::ColumnNotDynamic => Param::NotDynamic,
            Param::ColumnSummable | Param::ConstSummable => Param::Summable,
            Param::ColumnBag => Param::Bag,
            Param::IntegerOrTilde => Param::Integer,
            Param::RealOrTilde | Param::LiteralReal => Param::Real,
            Param::LiteralBool => Param::Bool,
            Param::ConstArray => Param::Array,
            Param::ConstBool => Param::Bool,
            Param::ConstLong => Param::Long,
            Param::ConstInteger => Param::Integer,
            Param::ConstNumber => Param::Number,
            other => other,
        }
    }

    pub(super) fn fit(self, arg: &Arg<'_>, shared: Option<Type>) -> Fit {
        use Type as T;
        if self == Param::Anything {
            return Fit::Unknown;
        }
        match arg.form {
            Form::Star => {
                return if matches!(self, Param::Star | Param::ScalarOrStar) {
                    Fit::Exact
                } else {
                    Fit::No
                };
            }
            Form::Broken => return Fit::No,
            Form::Table => {
                return if self == Param::Table { Fit::Table } else { Fit::No };
            }
            Form::TypeOf => {
                return match self.plain() {
                    Param::TypeOf => Fit::Exact,
                    // A type is a scalar of a type of its own.
                    Param::NotDynamic | Param::NotRealOrBool => Fit::Else,
                    Param::Scalar => Fit::Scalar,
                    _ => Fit::No,
                };
            }
            Form::Literal | Form::Constant | Form::Column | Form::Other => {}
        }
        let ty = arg.ty;
        if self.is_left_alone(arg) {
            return Fit::Exact;
        }
        if self == Param::Star {
            return Fit::No;
        }
        if ty == T::Unknown {
            return Fit::Unknown;
        }
        let if_so = |fits: bool, fit: Fit| if fits { fit } else { Fit::No };
        let exact = |wanted: Type, widens: &[Type]| {
            if ty == wanted {
                Fit::Exact
            } else {
                if_so(widens.contains(&ty), Fit::Widened)
            }
        };
        let is_array = ty == T::Dynamic && matches!(arg.shape, Shape::Any | Shape::Array);
        match self.plain() {
            Param::Bool => exact(T::Bool, &[]),
            Param::Int => exact(T::Int, &[]),
            Param::Long => exact(T::Long, &[T::Int]),
            Param::Real => exact(T::Real, &[T::Int, T::Long]),
            Param::Decimal => exact(T::Decimal, &[T::Int, T::Long, T::Real]),
            Param::Text if ty == T::Dynamic => if_so(arg.shape == Shape::Any, Fit::Widened),
            Param::Text => exact(T::String, &[]),
            Param::DateTime => exact(T::DateTime, &[]),
            Param::TimeSpan => exact(T::TimeSpan, &[]),
            Param::Guid => exact(T::Guid, &[]),
            Param::Dynamic => exact(T::Dynamic, &[]),
            Param::TextOrDynamic => if_so(matches!(ty, T::String | T::Dynamic), Fit::OneOf),
            Param::TextOrArray => if_so(ty == T::String || is_array, Fit::OneOf),
            Param::Array => if_so(is_array, Fit::OneOf),
            Param::Bag => if_so(
                ty == T::Dynamic && matches!(arg.shape, Shape::Any | Shape::Bag),
                Fit::OneOf,
            ),
            Param::Integer => if_so(matches!(ty, T::Int | T::Long), Fit::Integer),
            Param::IntegerOrArray => if_so(matches!(ty, T::Int | T::Long) || is_array, Fit::OneOf),
            Param::Number => if_so(ty.is_numeric(), Fit::Number),
            Param::NumberOrBool => if_so(ty.is_numeric() || ty == T::Bool, Fit::Number),
            Param::Summable => if_so(summable(ty), Fit::Summable),
            Param::AnySummable => if_so(summable(ty), Fit::OneOf),
            Param::Time => if_so(matches!(ty, T::DateTime | T::TimeSpan), Fit::OneOf),
            Param::Orderable => if_so(orderable(ty), Fit::Orderable),
            Param::NotDynamic | Param::Step => if_so(ty != T::Dynamic, Fit::Else),
            Param::NotRealOrBool => if_so(!matches!(ty, T::Real | T::Bool), Fit::Else),
            Param::Common | Param::CommonOrderable | Param::Loose => match shared {
                Some(T::Unknown) => Fit::Exact,
                Some(shared) if shared == ty => Fit::Exact,
                Some(shared) if shared.is_numeric() && ty.is_numeric() => Fit::Widened,
                Some(T::Dynamic) => Fit::AsDynamic,
                Some(_) if self == Param::Loose && ty == T::Dynamic => Fit::Exact,
                _ => Fit::No,
            },
            Param::TypeOf | Param::Table => Fit::No,
            _ => Fit::Scalar,
        }
    }

    /// Why an argument is refused.
    pub(super) fn refuses(
        self,
        index: usize,
        arg: &Arg<'_>,
        args: &[Arg<'_>],
        shared: Option<Type>,
    ) -> Option<TypeError> {
        if arg.form == Form::Broken {
            return None;
        }
        let like = match self {
            Param::AsFirst => args.first(),
            Param::AsSecond => args.get(1),
            _ => None,
        };
        if let Some(like) = like {
            // Shapes are of `dynamic` values only; a literal of another type is as good as a column.
            let shaped = like.ty == Type::Dynamic && like.shape != Shape::Any;
            let same = arg.ty == like.ty && (!shaped || like.shape == arg.shape);
            return (!same && !arg.is_unknown() && !like.is_unknown()).then(|| TypeError::Argument {
                index,
                expected: self.words(),
                found: arg.ty,
            });
        }
        let fit = self.fit(arg, shared);
        let common = match self {
            // What differs becomes dynamic where that is allowed.
            Param::Loose => fit != Fit::No,
            Param::Common | Param::CommonOrderable => !matches!(fit, Fit::No | Fit::AsDynamic),
            _ => fit != Fit::No,
        };
        if !common {
            if arg.form == Form::Star {
                return Some(TypeError::Form {
                    index,
                    expected: "an expression, not `*`",
                });
            }
            return Some(TypeError::Argument {
                index,
                expected: self.words(),
                found: arg.ty,
            });
        }
        if self.is_left_alone(arg) {
            return None;
        }
        let literal = arg.form == Form::Literal;
        let text = arg.literal.and_then(Value::as_str);
        let form = |expected| Some(TypeError::Form { index, expected });
        let among = |lists: &[&[&str]], expected| match text {
            Some(text)
                if literal
                    && lists
                        .iter()
                        .any(|names| names.iter().any(|name| name.eq_ignore_ascii_case(text))) =>
            {
                None
            }
            _ => form(expected),
        };
        match self {
            Param::Column
            | Param::ColumnOrTilde
            | Param::ColumnNotDynamic
            | Param::ColumnSummable
            | Param::ColumnBag
                if arg.form != Form::Column =>
            {
                form("the name of a column")
            }
            Param::Step if arg.form != Form::Column && arg.ty != Type::Bool => form("the name of a column"),
            Param::ConstArray
            | Param::ConstSummable
            | Param::ConstScalar
            | Param::ConstBool
            | Param::ConstText
            | Param::ConstLong
            | Param::ConstInteger
            | Param::ConstNumber
                if !literal && arg.form != Form::Constant =>
            {
                form("a constant")
            }
            Param::LiteralScalar
            | Param::LiteralText
            | Param::LiteralBool
            | Param::LiteralReal
            | Param::TypeOf
                if !literal && arg.form != Form::TypeOf =>
            {
                form("a literal")
            }
            Param::FormatText if !literal || text == Some("") => form("a string literal that is not empty"),
            Param::Unit => among(&[PERIODS, UNITS], "the name of a unit of time, as a literal"),
            Param::Part => among(
                &[PERIODS, PARTS],
                "the name of a part of a datetime, as a literal",
            ),
            Param::SearchKind => among(
                &[&["normal", "regex"]],
                "`\"normal\"` or `\"regex\"`, as a literal",
            ),
            _ => None,
        }
    }

    /// Whether the argument says that nothing is given.
    pub(super) fn is_left_alone(self, arg: &Arg<'_>) -> bool {
        matches!(
            self,
            Param::ColumnOrTilde | Param::IntegerOrTilde | Param::RealOrTilde
        ) && arg.form == Form::Literal
            && arg.literal.and_then(Value::as_str) == Some("~")
    }

    pub(super) fn words(self) -> &'static str {
        match self.plain() {
            Param::Bool => "bool",
            Param::Int => "int",
            Param::Long | Param::Integer => "an integer",
            Param::Real => "real",
            Param::Decimal => "decimal",
            Param::Text => "string",
            Param::TextOrDynamic => "string or dynamic",
            Param::TextOrArray => "string or a dynamic array",
            Param::DateTime => "datetime",
            Param::TimeSpan => "timespan",
            Param::Guid => "guid",
            Param::Array => "a dynamic array",
            Param::Bag => "a dynamic property bag",
            Param::Dynamic => "dynamic",
            Param::Number => "a number",
            Param::NumberOrBool => "a number or bool",
            Param::Summable | Param::AnySummable => "a number, datetime or timespan",
            Param::Time => "datetime or timespan",
            Param::Orderable | Param::CommonOrderable => "a type that has an order",
            Param::NotDynamic => "anything but dynamic",
            Param::NotRealOrBool => "anything but real and bool",
            Param::IntegerOrArray => "an integer or a dynamic array",
            Param::Common => "the same type as the other arguments",
            Param::AsFirst => "the type of the first argument",
            Param::AsSecond => "the type of the second argument",
            Param::TypeOf => "typeof(…)",
            Param::Table => "a table",
            _ => "a scalar",
        }
    }
}
