//! Argument types: a small vocabulary in which every row's signature is
//! written, and the check of a call against it.
//!
//! In: what is known of a call's arguments. Out: the type of the call, and what
//! does not fit. Source of the rules: the KQL reference, and the answers of
//! Microsoft's analyser where the reference is silent.
//!
//! A row with several signatures is called by the one that fits best: the
//! number of arguments decides first, then how many of them fit, then how
//! closely ([`Fit`]). Where that leaves more than one, the call is refused, and
//! has a type only if they agree on it.

use std::cmp::Ordering;

use crate::{Arg, Form, Mismatch, Shape, Type, TypeError, Value};

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Param {
    /// Anything scalar.
    Scalar,
    Bool,
    Int,
    /// `int` widens.
    Long,
    /// `int` and `long` widen.
    Real,
    /// All numbers widen.
    Decimal,
    /// `string`; a dynamic value of unknown shape is read by its text.
    Text,
    DateTime,
    TimeSpan,
    /// `guid` only.
    Guid,
    /// `string` or `dynamic`.
    TextOrDynamic,
    /// `string`, or `dynamic` that may be a string or an array of such.
    TextOrArray,
    /// `dynamic` that may be an array.
    Array,
    /// `dynamic` that may be a bag.
    Bag,
    Dynamic,
    /// `int` or `long`.
    Integer,
    /// `int`, `long`, `real`, `decimal`.
    Number,
    NumberOrBool,
    /// A number, `datetime` or `timespan`.
    Summable,
    /// `datetime` or `timespan`.
    Time,
    /// As `Summable`, where it counts that these types are listed one by one.
    AnySummable,
    /// What has an order: all but `guid` and `dynamic`.
    Orderable,
    NotDynamic,
    NotRealOrBool,
    IntegerOrArray,
    /// The same type as the first argument.
    AsFirst,
    /// The same type as the second argument.
    AsSecond,
    /// The same type as all other such arguments, after numeric widening.
    Common,
    /// As `Common`, and orderable.
    CommonOrderable,
    /// As `Common`, with `dynamic` where they differ.
    Loose,
    /// `typeof(T)`.
    TypeOf,
    /// Not a scalar: a table, which the binder checks.
    Table,
    /// The name of a column.
    Column,
    /// `*` alone.
    Star,
    /// Anything scalar, or `*`.
    ScalarOrStar,
    /// Anything at all.
    Anything,
    /// A literal.
    LiteralScalar,
    /// A string literal.
    LiteralText,
    /// A string literal that is not empty.
    FormatText,
    /// The name of a unit of time as a string literal.
    Unit,
    /// The name of a part of a point in time as a string literal.
    Part,
    /// `"normal"` or `"regex"` as a literal.
    SearchKind,
    /// As `Column`, for columns that are not dynamic.
    ColumnNotDynamic,
    /// As `Column`, for columns of numbers and times.
    ColumnSummable,
    /// As `Column`, for columns that may hold bags.
    ColumnBag,
    /// A condition, or a column that is not dynamic.
    Step,
    LiteralBool,
    LiteralReal,
    // What `"~"` leaves as it is.
    ColumnOrTilde,
    IntegerOrTilde,
    RealOrTilde,
    // Those whose value may not depend on a row.
    ConstArray,
    ConstSummable,
    ConstScalar,
    ConstBool,
    ConstText,
    ConstLong,
    ConstInteger,
    ConstNumber,
}

/// How the result's type follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ret {
    Bool,
    Int,
    Long,
    Real,
    Decimal,
    String,
    DateTime,
    TimeSpan,
    Guid,
    Dynamic,
    /// `dynamic`, always an array.
    Array,
    /// `dynamic`, always a bag.
    Bag,
    /// The first argument's type.
    First,
    /// The second argument's type.
    Second,
    /// The first argument's, `int` becoming `long`.
    Promoted,
    /// As `Promoted`, `decimal` becoming `real`.
    Percentile,
    /// The widest number, at least `long`.
    Widest,
    /// The widest of the `Common` arguments.
    Common,
    /// As `Common` over those that are not `dynamic`; `dynamic` where they differ.
    Loose,
    /// The type a `typeof` argument names.
    Named,
    /// The binder knows.
    Unknown,
}

/// How closely an argument fits a parameter; the later, the closer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    No,
    /// The argument's type is not known.
    Unknown,
    /// Becomes `dynamic`.
    AsDynamic,
    Widened,
    /// Is not of a type that is excluded.
    Else,
    /// Is of one of some types.
    OneOf,
    Scalar,
    Summable,
    Orderable,
    Number,
    Integer,
    Table,
    Exact,
}

/// One way to call a function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signature {
    pub(crate) required: &'static [Param],
    pub(crate) optional: &'static [Param],
    /// Repeats at the end, any number of times (also none), up to `max`.
    pub(crate) rest: &'static [Param],
    /// What follows all that repeats.
    pub(crate) last: &'static [Param],
    pub(crate) max: usize,
    pub(crate) result: Ret,
}

impl Signature {
    const fn min(&self) -> usize {
        self.required.len() + self.last.len()
    }

    pub(crate) const fn max(&self) -> Option<usize> {
        if self.rest.is_empty() {
            Some(self.min() + self.optional.len())
        } else if self.max == 0 {
            None
        } else {
            Some(self.max)
        }
    }

    fn takes(&self, count: usize) -> bool {
        count >= self.min() && self.max().is_none_or(|max| count <= max)
    }

    /// The parameter of one of `count` arguments.
    fn at(&self, index: usize, count: usize) -> Option<Param> {
        if let Some(param) = self.required.get(index) {
            return Some(*param);
        }
        let from_end = count.saturating_sub(index);
        if from_end <= self.last.len() {
            return self.last.get(self.last.len() - from_end).copied();
        }
        let index = index - self.required.len();
        if let Some(param) = self.optional.get(index) {
            return Some(*param);
        }
        if self.rest.is_empty() {
            return None;
        }
        self.rest
            .get((index - self.optional.len()) % self.rest.len())
            .copied()
    }

    /// What arguments beyond the most are measured by.
    fn very_last(&self) -> Option<Param> {
        [self.last, self.rest, self.optional, self.required]
            .iter()
            .find_map(|params| params.last().copied())
    }

    /// How each argument fits.
    fn fits(&self, args: &[Arg<'_>]) -> Vec<Fit> {
        let shared = self.shared(args, false);
        args.iter()
            .enumerate()
            .map(
                |(index, arg)| match self.at(index, args.len()).or(self.very_last()) {
                    Some(Param::AsFirst) => self.at(0, args.len()).map_or(Fit::No, |p| p.fit(arg, shared)),
                    Some(Param::AsSecond) => self.at(1, args.len()).map_or(Fit::No, |p| p.fit(arg, shared)),
                    Some(param) => param.fit(arg, shared),
                    None => Fit::No,
                },
            )
            .collect()
    }

    /// The type that the `Common` arguments have in common; none if there is none.
    fn shared(&self, args: &[Arg<'_>], skip_dynamic: bool) -> Option<Type> {
        let mut shared: Option<Type> = None;
        for (index, arg) in args.iter().enumerate() {
            if skip_dynamic && arg.ty == Type::Dynamic {
                continue;
            }
            let loose = match self.at(index, args.len()) {
                Some(Param::Common) => false,
                Some(Param::CommonOrderable) if orderable(arg.ty) => false,
                Some(Param::Loose) => true,
                _ => continue,
            };
            if matches!(arg.form, Form::Broken | Form::Star | Form::TypeOf | Form::Table) {
                continue;
            }
            shared = match shared {
                None => Some(arg.ty),
                Some(so_far) => Some(match common(so_far, arg.ty) {
                    Some(next) => next,
                    None if loose => Type::Dynamic,
                    None => return None,
                }),
            };
        }
        if shared.is_none() && skip_dynamic {
            return self.shared(args, false);
        }
        shared
    }

    fn wants_common(&self, count: usize) -> bool {
        (0..count).any(|index| {
            matches!(
                self.at(index, count),
                Some(Param::Common | Param::CommonOrderable | Param::Loose)
            )
        })
    }

    /// The type of a call, whatever the arguments.
    fn result(&self, args: &[Arg<'_>]) -> Type {
        let first = args.first().map_or(Type::Unknown, |a| a.ty);
        match self.result {
            Ret::Bool => Type::Bool,
            Ret::Int => Type::Int,
            Ret::Long => Type::Long,
            Ret::Real => Type::Real,
            Ret::Decimal => Type::Decimal,
            Ret::String => Type::String,
            Ret::DateTime => Type::DateTime,
            Ret::TimeSpan => Type::TimeSpan,
            Ret::Guid => Type::Guid,
            Ret::Dynamic | Ret::Array | Ret::Bag => Type::Dynamic,
            Ret::First => first,
            Ret::Second => args.get(1).map_or(Type::Unknown, |a| a.ty),
            Ret::Promoted => promoted(first),
            Ret::Percentile => match promoted(first) {
                Type::Decimal => Type::Real,
                other => other,
            },
            Ret::Widest => promoted(
                args.iter()
                    .map(|a| a.ty)
                    .filter(|ty| ty.is_numeric() || *ty == Type::Unknown)
                    // What comes behind something unknown does not decide.
                    .reduce(|so_far, next| match so_far {
                        Type::Unknown => so_far,
                        _ => wider(so_far, next),
                    })
                    .unwrap_or(Type::Unknown),
            ),
            Ret::Common => self.shared(args, false).unwrap_or(Type::Unknown),
            Ret::Loose => self.shared(args, true).unwrap_or(Type::Unknown),
            Ret::Named => args
                .iter()
                .enumerate()
                .filter(|(index, _)| self.at(*index, args.len()) == Some(Param::TypeOf))
                .find_map(|(_, arg)| arg.literal.and_then(Value::as_str).and_then(Type::parse))
                .unwrap_or(Type::Unknown),
            Ret::Unknown => Type::Unknown,
        }
    }

    /// What is wrong with a call.
    fn errors(&self, args: &[Arg<'_>]) -> Vec<TypeError> {
        let count = args.len();
        if !self.takes(count) {
            return vec![TypeError::Count {
                min: self.min(),
                max: self.max(),
                given: count,
            }];
        }
        // What repeats in groups must be complete.
        let repeated = count.saturating_sub(self.min() + self.optional.len());
        if self.rest.len() > 1 && !repeated.is_multiple_of(self.rest.len()) {
            return vec![TypeError::Other(format!(
                "the arguments come in groups of {}{}",
                self.rest.len(),
                match self.last.len() {
                    0 => "",
                    _ => ", and one more at the end",
                }
            ))];
        }
        let shared = self.shared(args, false);
        if shared.is_none() && self.wants_common(count) {
            return if args.iter().any(Arg::is_unknown) {
                Vec::new()
            } else {
                vec![self.clash(args)]
            };
        }
        args.iter()
            .enumerate()
            .filter_map(|(index, arg)| {
                let param = self.at(index, count)?;
                param.refuses(index, arg, args, shared)
            })
            .collect()
    }

    /// The first argument that has no type in common with those before it.
    fn clash(&self, args: &[Arg<'_>]) -> TypeError {
        let mut shared = None;
        for (index, arg) in args.iter().enumerate() {
            if !matches!(
                self.at(index, args.len()),
                Some(Param::Common | Param::CommonOrderable)
            ) {
                continue;
            }
            if self.at(index, args.len()) == Some(Param::CommonOrderable) && !orderable(arg.ty) {
                return TypeError::Argument {
                    index,
                    expected: Param::Orderable.words(),
                    found: arg.ty,
                };
            }
            shared = match shared {
                None => Some(arg.ty),
                Some(so_far) => match common(so_far, arg.ty) {
                    Some(next) => Some(next),
                    None => {
                        return TypeError::Argument {
                            index,
                            expected: "the same type as the arguments before it",
                            found: arg.ty,
                        };
                    }
                },
            };
        }
        TypeError::Other("the arguments have no type in common".to_owned())
    }
}

/// The fewest arguments any of the signatures takes.
pub(crate) const fn fewest(signatures: &[Signature]) -> usize {
    let mut least = usize::MAX;
    let mut i = 0;
    while i < signatures.len() {
        if signatures[i].min() < least {
            least = signatures[i].min();
        }
        i += 1;
    }
    least
}

/// The most arguments any of the signatures takes.
pub(crate) const fn most(signatures: &[Signature]) -> Option<usize> {
    let mut most = 0;
    let mut i = 0;
    while i < signatures.len() {
        match signatures[i].max() {
            None => return None,
            Some(max) => {
                if max > most {
                    most = max;
                }
            }
        }
        i += 1;
    }
    Some(most)
}

/// What a dynamic result always is, by all of the signatures.
pub(crate) const fn shape(signatures: &[Signature]) -> Shape {
    match signatures[0].result {
        Ret::Array => Shape::Array,
        Ret::Bag => Shape::Bag,
        Ret::First => Shape::AsFirst,
        _ => Shape::Any,
    }
}

/// What has a sum.
fn summable(ty: Type) -> bool {
    ty.is_numeric() || matches!(ty, Type::DateTime | Type::TimeSpan)
}

/// What has an order.
fn orderable(ty: Type) -> bool {
    !matches!(ty, Type::Guid | Type::Dynamic)
}

/// Units of time, as `datetime_add` takes them.
const UNITS: &[&str] = &[
    "year",
    "quarter",
    "month",
    "week",
    "day",
    "hour",
    "minute",
    "second",
    "millisecond",
    "microsecond",
    "nanosecond",
];

/// Parts of a point in time, as `datetime_part` takes them.
const PARTS: &[&str] = &[
    "year",
    "quarter",
    "month",
    "week_of_year",
    "day",
    "dayofyear",
    "hour",
    "minute",
    "second",
    "millisecond",
    "microsecond",
    "nanosecond",
];

impl Param {
    /// What it takes by type alone.
    const fn plain(self) -> Param {
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

    fn fit(self, arg: &Arg<'_>, shared: Option<Type>) -> Fit {
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
    fn refuses(
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
        let among = |names: &[&str], expected| match text {
            Some(text) if literal && names.iter().any(|name| name.eq_ignore_ascii_case(text)) => None,
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
            Param::Unit => among(UNITS, "the name of a unit of time, as a literal"),
            Param::Part => among(PARTS, "the name of a part of a datetime, as a literal"),
            Param::SearchKind => among(&["normal", "regex"], "`\"normal\"` or `\"regex\"`, as a literal"),
            _ => None,
        }
    }

    /// Whether the argument says that nothing is given.
    fn is_left_alone(self, arg: &Arg<'_>) -> bool {
        matches!(
            self,
            Param::ColumnOrTilde | Param::IntegerOrTilde | Param::RealOrTilde
        ) && arg.form == Form::Literal
            && arg.literal.and_then(Value::as_str) == Some("~")
    }

    fn words(self) -> &'static str {
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

/// The narrowest type both numbers fit in.
pub(crate) fn wider(a: Type, b: Type) -> Type {
    let rank = |ty| match ty {
        Type::Int => 1,
        Type::Long => 2,
        Type::Real => 3,
        Type::Decimal => 4,
        _ => 0,
    };
    if rank(a) >= rank(b) { a } else { b }
}

/// The one type two arguments share after widening, if there is one.
fn common(a: Type, b: Type) -> Option<Type> {
    match (a, b) {
        (a, b) if a == b => Some(a),
        (Type::Unknown, _) | (_, Type::Unknown) => Some(Type::Unknown),
        (Type::Dynamic, _) | (_, Type::Dynamic) => Some(Type::Dynamic),
        (a, b) if a.is_numeric() && b.is_numeric() => Some(wider(a, b)),
        _ => None,
    }
}

fn promoted(ty: Type) -> Type {
    if ty == Type::Int { Type::Long } else { ty }
}

/// The type of a call, or why it cannot be.
pub(crate) fn check(signatures: &[Signature], args: &[Arg<'_>]) -> Result<Type, Mismatch> {
    chosen(signatures, args, false)
}

/// As [`check`], for an operator: it has to fit in all of its operands.
pub(crate) fn check_operator(signatures: &[Signature], args: &[Arg<'_>]) -> Result<Type, Mismatch> {
    chosen(signatures, args, true)
}

fn chosen(signatures: &[Signature], args: &[Arg<'_>], operator: bool) -> Result<Type, Mismatch> {
    let candidates = best(signatures, args);
    let whole = !operator
        || signatures.len() == 1
        || candidates
            .iter()
            .any(|s| s.fits(args).iter().all(|fit| *fit != Fit::No));
    if let ([one], true) = (candidates.as_slice(), whole) {
        let ty = one.result(args);
        let mut errors = one.errors(args);
        for error in &mut errors {
            if let TypeError::Count { min, max, .. } = error {
                *min = fewest(signatures);
                *max = most(signatures);
            }
        }
        return if errors.is_empty() {
            Ok(ty)
        } else {
            Err(Mismatch { errors, ty })
        };
    }
    let unknown = args.iter().any(Arg::is_unknown);
    let mut types = candidates.iter().map(|s| s.result(args));
    let first = types.next().unwrap_or(Type::Unknown);
    let agree = types.all(|ty| ty == first || ty == Type::Unknown);
    let ty = if agree { first } else { Type::Unknown };
    if unknown && !args.is_empty() {
        return Ok(ty);
    }
    let error = if args.is_empty() {
        TypeError::Count {
            min: fewest(signatures),
            max: most(signatures),
            given: 0,
        }
    } else {
        nearest(&candidates, args)
    };
    Err(Mismatch {
        errors: vec![error],
        ty,
    })
}

/// The signatures that fit best.
fn best<'s>(signatures: &'s [Signature], args: &[Arg<'_>]) -> Vec<&'s Signature> {
    if let [one] = signatures {
        return vec![one];
    }
    let count = args.len();
    let mut candidates: Vec<&Signature> = signatures.iter().filter(|s| s.takes(count)).collect();
    if candidates.is_empty() {
        let most = most(signatures).unwrap_or(usize::MAX);
        candidates = signatures.iter().filter(|s| s.takes(most)).collect();
    }
    let matches = |s: &Signature| s.fits(args).iter().filter(|fit| **fit != Fit::No).count();
    let most = candidates.iter().map(|s| matches(s)).max().unwrap_or(0);
    candidates.retain(|s| matches(s) == most);
    if candidates.len() > 1 {
        let rank = |s: &Signature| {
            let fits = s.fits(args);
            let worst = fits.iter().min().copied().unwrap_or(Fit::Exact);
            let best = fits.iter().max().copied().unwrap_or(Fit::No);
            (worst, best)
        };
        // The first that is better than all before it, unless two are equally
        // good on the way.
        let mut leader = candidates[0];
        let mut clear = true;
        for candidate in &candidates[1..] {
            match rank(candidate).cmp(&rank(leader)) {
                Ordering::Greater => leader = candidate,
                Ordering::Equal => {
                    clear = false;
                    break;
                }
                Ordering::Less => {}
            }
        }
        if clear {
            return vec![leader];
        }
    }
    candidates
}

/// The first argument that none of the signatures takes, or the first at all.
fn nearest(candidates: &[&Signature], args: &[Arg<'_>]) -> TypeError {
    let refused = |s: &&Signature| s.errors(args).into_iter().next();
    let at = |error: &TypeError| match error {
        TypeError::Argument { index, .. } | TypeError::Form { index, .. } => *index,
        TypeError::Count { .. } | TypeError::Other(_) => 0,
    };
    candidates
        .iter()
        .filter_map(refused)
        .max_by_key(at)
        .unwrap_or_else(|| {
            TypeError::Other("the types of the arguments do not decide which form is meant".to_owned())
        })
}

/// Writes signatures: `sigs![(Text, Long; Long) -> String, (Text .. Scalar) -> Bool]`.
/// Before `;` the required parameters, after it the optional ones, after `..`
/// those that repeat, after `then` those that follow them.
macro_rules! sigs {
    ($( ( $($req:ident),* $(; $($opt:ident),+)? $(.. $($rest:ident),+ $(to $max:literal)? $(=> $($last:ident),+)?)? ) -> $ret:ident ),+ $(,)?) => {
        &[$( $crate::signature::Signature {
            required: &[$($crate::signature::Param::$req),*],
            optional: &[$($($crate::signature::Param::$opt),+)?],
            rest: &[$($($crate::signature::Param::$rest),+)?],
            last: &[$($($($crate::signature::Param::$last),+)?)?],
            max: 0 $($(+ $max)?)?,
            result: $crate::signature::Ret::$ret,
        } ),+]
    };
}
pub(crate) use sigs;
