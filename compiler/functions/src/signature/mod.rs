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

mod choose;
mod param;

pub(crate) use choose::{check, check_operator};

use param::orderable;

use crate::{Arg, Form, Shape, Type, TypeError, Value};

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
