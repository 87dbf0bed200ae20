//! Argument types: a small vocabulary in which every row's signature is
//! written, and the check of a call against it.
//!
//! In: the types of a call's arguments. Out: the type of the call, or what
//! does not fit. Source of the rules: the KQL reference, and the answers of
//! Microsoft's analyser where the reference is silent.

use crate::{Arg, Type, TypeError, Value};

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Param {
    /// Anything scalar.
    Scalar,
    Bool,
    /// `int` widens.
    Long,
    Int,
    /// `int` and `long` widen.
    Real,
    Decimal,
    /// `dynamic` is read by its text.
    Text,
    DateTime,
    TimeSpan,
    /// `guid` only.
    Guid,
    /// `dynamic`, meant to hold an array.
    Array,
    /// `dynamic`, meant to hold a bag.
    Bag,
    /// `dynamic`.
    Dynamic,
    /// `int` or `long`.
    Integer,
    /// `int`, `long`, `real`, `decimal`.
    Number,
    NumberOrBool,
    /// A number, `datetime` or `timespan`.
    Summable,
    /// What has an order: all but `guid` and `dynamic`.
    Orderable,
    NotDynamic,
    NotRealOrBool,
    IntegerOrArray,
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

/// One way to call a function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signature {
    pub(crate) required: &'static [Param],
    pub(crate) optional: &'static [Param],
    /// Repeats at the end, any number of times (also none), up to `max`.
    pub(crate) rest: &'static [Param],
    pub(crate) max: usize,
    pub(crate) result: Ret,
}

impl Signature {
    pub(crate) const fn max(&self) -> Option<usize> {
        if self.rest.is_empty() {
            Some(self.required.len() + self.optional.len())
        } else if self.max == 0 {
            None
        } else {
            Some(self.max)
        }
    }

    fn at(&self, index: usize) -> Option<Param> {
        if let Some(param) = self.required.get(index) {
            return Some(*param);
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
}

/// The fewest arguments any of the signatures takes.
pub(crate) const fn fewest(signatures: &[Signature]) -> usize {
    let mut least = usize::MAX;
    let mut i = 0;
    while i < signatures.len() {
        if signatures[i].required.len() < least {
            least = signatures[i].required.len();
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

impl Param {
    fn accepts(self, ty: Type) -> bool {
        use Type as T;
        if ty == T::Unknown {
            return true;
        }
        match self {
            Param::Scalar | Param::Loose | Param::Common => true,
            Param::Bool => ty == T::Bool,
            Param::Int => ty == T::Int,
            Param::Long | Param::Integer => matches!(ty, T::Int | T::Long),
            Param::Real => matches!(ty, T::Int | T::Long | T::Real),
            Param::Decimal => ty == T::Decimal,
            Param::Text => matches!(ty, T::String | T::Dynamic),
            Param::DateTime => ty == T::DateTime,
            Param::TimeSpan => ty == T::TimeSpan,
            Param::Guid => ty == T::Guid,
            Param::Array | Param::Bag | Param::Dynamic => ty == T::Dynamic,
            Param::Number => ty.is_numeric(),
            Param::NumberOrBool => ty.is_numeric() || ty == T::Bool,
            Param::Summable => ty.is_numeric() || matches!(ty, T::DateTime | T::TimeSpan),
            Param::Orderable | Param::CommonOrderable => !matches!(ty, T::Guid | T::Dynamic),
            Param::NotDynamic => ty != T::Dynamic,
            Param::NotRealOrBool => !matches!(ty, T::Real | T::Bool),
            Param::IntegerOrArray => matches!(ty, T::Int | T::Long | T::Dynamic),
            Param::TypeOf => ty == T::String,
            Param::Table => true,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Param::Scalar | Param::Loose => "a scalar",
            Param::Bool => "bool",
            Param::Int => "int",
            Param::Long | Param::Integer => "an integer",
            Param::Real => "real",
            Param::Decimal => "decimal",
            Param::Text => "string",
            Param::DateTime => "datetime",
            Param::TimeSpan => "timespan",
            Param::Guid => "guid",
            Param::Array => "a dynamic array",
            Param::Bag => "a dynamic property bag",
            Param::Dynamic => "dynamic",
            Param::Number => "a number",
            Param::NumberOrBool => "a number or bool",
            Param::Summable => "a number, datetime or timespan",
            Param::Orderable | Param::CommonOrderable => "a type that has an order",
            Param::NotDynamic => "anything but dynamic",
            Param::NotRealOrBool => "anything but real and bool",
            Param::IntegerOrArray => "an integer or a dynamic array",
            Param::Common => "the same type as the other arguments",
            Param::TypeOf => "typeof(…)",
            Param::Table => "a table",
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
        (Type::Unknown, other) | (other, Type::Unknown) => Some(other),
        (a, b) if a == b => Some(a),
        (a, b) if a.is_numeric() && b.is_numeric() => Some(wider(a, b)),
        _ => None,
    }
}

/// The type of a call, or why it cannot be.
pub(crate) fn check(signatures: &[Signature], args: &[Arg<'_>]) -> Result<Type, TypeError> {
    let mut worst: Option<(usize, TypeError)> = None;
    for signature in signatures {
        match check_one(signature, args) {
            Ok(ty) => return Ok(ty),
            Err(error) => {
                // The signature that fits furthest is the one that was meant.
                let depth = match &error {
                    TypeError::Count { .. } => 0,
                    TypeError::Argument { index, .. } => index + 1,
                    TypeError::Other(_) => usize::MAX,
                };
                if worst.as_ref().is_none_or(|(d, _)| depth > *d) {
                    worst = Some((depth, error));
                }
            }
        }
    }
    Err(match worst {
        Some((_, TypeError::Count { given, .. })) => TypeError::Count {
            min: fewest(signatures),
            max: most(signatures),
            given,
        },
        Some((_, error)) => error,
        None => TypeError::Other("this cannot be called".to_owned()),
    })
}

fn check_one(signature: &Signature, args: &[Arg<'_>]) -> Result<Type, TypeError> {
    let min = signature.required.len();
    let max = signature.max();
    if args.len() < min || max.is_some_and(|max| args.len() > max) {
        return Err(TypeError::Count {
            min,
            max,
            given: args.len(),
        });
    }
    // What repeats in groups must be complete.
    let repeated = args.len().saturating_sub(min + signature.optional.len());
    if signature.rest.len() > 1 && !repeated.is_multiple_of(signature.rest.len()) {
        return Err(TypeError::Other(format!(
            "the arguments after the first {min} come in groups of {}",
            signature.rest.len()
        )));
    }
    let first = args.first().map_or(Type::Unknown, |a| a.ty);
    let mut shared: Option<Type> = None;
    let mut loose: Option<Type> = None;
    let mut clash = false;
    let mut widest = Type::Unknown;
    let mut named = None;
    for (index, arg) in args.iter().enumerate() {
        let Some(param) = signature.at(index) else {
            return Err(TypeError::Count {
                min,
                max,
                given: args.len(),
            });
        };
        if !param.accepts(arg.ty) {
            return Err(TypeError::Argument {
                index,
                expected: param.words(),
                found: arg.ty,
            });
        }
        match param {
            Param::Common | Param::CommonOrderable => {
                let next = match shared {
                    None => Some(arg.ty),
                    Some(so_far) => common(so_far, arg.ty),
                };
                let Some(next) = next else {
                    return Err(TypeError::Argument {
                        index,
                        expected: "the same type as the arguments before it",
                        found: arg.ty,
                    });
                };
                shared = Some(next);
            }
            Param::Loose if arg.ty == Type::Dynamic => {}
            Param::Loose => match loose {
                None => loose = Some(arg.ty),
                Some(so_far) => match common(so_far, arg.ty) {
                    Some(next) => loose = Some(next),
                    None => clash = true,
                },
            },
            Param::Number => widest = wider(widest, arg.ty),
            Param::TypeOf => {
                named = arg.literal.and_then(Value::as_str).and_then(Type::parse);
                if named.is_none() && arg.ty != Type::Unknown {
                    return Err(TypeError::Argument {
                        index,
                        expected: param.words(),
                        found: arg.ty,
                    });
                }
            }
            _ => {}
        }
    }
    Ok(match signature.result {
        Ret::Bool => Type::Bool,
        Ret::Int => Type::Int,
        Ret::Long => Type::Long,
        Ret::Real => Type::Real,
        Ret::Decimal => Type::Decimal,
        Ret::String => Type::String,
        Ret::DateTime => Type::DateTime,
        Ret::TimeSpan => Type::TimeSpan,
        Ret::Guid => Type::Guid,
        Ret::Dynamic => Type::Dynamic,
        Ret::First => first,
        Ret::Second => args.get(1).map_or(Type::Unknown, |a| a.ty),
        Ret::Promoted => promoted(first),
        Ret::Percentile => match promoted(first) {
            Type::Decimal => Type::Real,
            other => other,
        },
        Ret::Widest => promoted(widest),
        Ret::Common => shared.unwrap_or(Type::Unknown),
        Ret::Loose if clash => Type::Dynamic,
        Ret::Loose => loose.unwrap_or(Type::Dynamic),
        Ret::Unknown => Type::Unknown,
        Ret::Named => named.unwrap_or(Type::Unknown),
    })
}

fn promoted(ty: Type) -> Type {
    if ty == Type::Int { Type::Long } else { ty }
}

/// Writes signatures: `sigs![(Text, Long; Long) -> String, (Text .. Scalar) -> Bool]`.
/// Before `;` the required parameters, after it the optional ones, after `..`
/// the one that repeats.
macro_rules! sigs {
    ($( ( $($req:ident),* $(; $($opt:ident),+)? $(.. $($rest:ident),+ $(to $max:literal)?)? ) -> $ret:ident ),+ $(,)?) => {
        &[$( $crate::signature::Signature {
            required: &[$($crate::signature::Param::$req),*],
            optional: &[$($($crate::signature::Param::$opt),+)?],
            rest: &[$($($crate::signature::Param::$rest),+)?],
            max: 0 $($(+ $max)?)?,
            result: $crate::signature::Ret::$ret,
        } ),+]
    };
}
pub(crate) use sigs;
