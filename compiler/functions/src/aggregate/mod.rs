//! The aggregates: rows, and the accumulators behind them.
//!
//! In: the arguments of each row of a group. Out: a value, or several. Nulls
//! do not count unless a row says so.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::{Accumulator, Aggregate, Reduction, Value, convert};

/// Writes a family's table. A row is
/// `new "name" = "alias" instead "newer" as Naming star, [signatures], "doc", "query" => "first cell";`
/// where `new` is a function of the module, or `none`.
macro_rules! aggregates {
    ($table:ident in $module:ident { $(
        $new:ident $name:literal $(= $alias:literal)* $(instead $instead:literal)?
        as $naming:ident ($prefix:literal $(, $weighted:literal)?) $($star:ident)?,
        $rule:tt, $doc:literal $(, $example:literal => $prints:literal)*
    ;)* }) => {
        pub(crate) const $table: &[$crate::Aggregate] = &[$(
            $crate::Aggregate {
                name: $name,
                aliases: &[$($alias),*],
                deprecated: $crate::scalar::optional!($($instead)?),
                min: $crate::scalar::rule!(min $rule),
                max: $crate::scalar::rule!(max $rule),
                naming: $crate::aggregate::naming!($naming $prefix $($weighted)?),
                star: $crate::aggregate::star!($($star)?),
                result: $crate::scalar::rule!(result Function $rule),
                shape: $crate::scalar::rule!(shape $rule),
                new: $crate::aggregate::new!($new),
                path: $crate::aggregate::path_of!($new $module),
                doc: $doc,
                examples: &[$(($example, $prints)),*],
            },
        )*];
    };
}

macro_rules! naming {
    (FirstArgument $prefix:literal) => {
        $crate::Naming::FirstArgument
    };
    (Percentiles $prefix:literal $weighted:literal) => {
        $crate::Naming::Percentiles {
            prefix: $prefix,
            weighted: $weighted,
        }
    };
    ($naming:ident $prefix:literal) => {
        $crate::Naming::$naming($prefix)
    };
}

macro_rules! star {
    () => {
        false
    };
    (star) => {
        true
    };
}

macro_rules! new {
    (none) => {
        None
    };
    ($new:ident) => {
        Some($new as $crate::NewAccumulator)
    };
}

macro_rules! path_of {
    (none $module:ident) => {
        ""
    };
    ($new:ident $module:ident) => {
        concat!("aggregate::", stringify!($module), "::", stringify!($new))
    };
}

/// Writes the `…if` form of constructors.
macro_rules! predicated {
    ($($name:ident $new:ident $predicate:literal;)*) => { $(
        #[doc = concat!("`", stringify!($name), "`.")]
        pub fn $name(literals: &[$crate::Value]) -> Box<dyn $crate::Accumulator> {
            $crate::aggregate::filtered(literals, $predicate, $new)
        }
    )* };
}

pub(crate) use {naming, new, path_of, star};

pub mod choose;
pub mod collect;
pub mod sketch;
pub mod statistics;

const FAMILIES: &[&[Aggregate]] = &[choose::ROWS, collect::ROWS, sketch::ROWS, statistics::ROWS];

/// The row of an aggregate, by its exact name or an alias.
pub fn aggregate(name: &str) -> Option<&'static Aggregate> {
    static INDEX: OnceLock<HashMap<&'static str, &'static Aggregate>> = OnceLock::new();
    INDEX
        .get_or_init(|| {
            let mut index = HashMap::new();
            for row in aggregates() {
                index.insert(row.name, row);
                for alias in row.aliases {
                    index.insert(alias, row);
                }
            }
            index
        })
        .get(name)
        .copied()
}

/// All aggregates, family by family.
pub fn aggregates() -> impl Iterator<Item = &'static Aggregate> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// An accumulator that sees only the rows for which an argument is true.
struct Filtered {
    inner: Box<dyn Accumulator>,
    predicate: usize,
}

impl Accumulator for Filtered {
    fn add(&mut self, args: &[Value]) {
        if args.get(self.predicate).and_then(convert::to_bool) == Some(true) {
            // The predicate is left out, so that what follows has its usual place.
            if self.predicate + 1 == args.len() {
                self.inner.add(&args[..self.predicate]);
                return;
            }
            let mut rest = args.to_vec();
            rest.remove(self.predicate);
            self.inner.add(&rest);
        }
    }

    fn finish(self: Box<Self>) -> Value {
        self.inner.finish()
    }

    fn finish_row(self: Box<Self>) -> Vec<Value> {
        self.inner.finish_row()
    }

    fn size(&self) -> usize {
        self.inner.size()
    }

    fn reduction(&self) -> Reduction {
        match self.inner.reduction() {
            Reduction::Each => Reduction::Each,
            inner => Reduction::Where(self.predicate, Box::new(inner)),
        }
    }
}

/// The `…if` form of an aggregate, whose predicate is the argument at a place.
pub(crate) fn filtered(
    literals: &[Value],
    predicate: usize,
    new: fn(&[Value]) -> Box<dyn Accumulator>,
) -> Box<dyn Accumulator> {
    let mut rest = literals.to_vec();
    if predicate < rest.len() {
        rest.remove(predicate);
    }
    Box::new(Filtered {
        inner: new(&rest),
        predicate,
    })
}
