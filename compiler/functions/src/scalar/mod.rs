//! The scalar functions and operators, a family a module: each has its table
//! of rows and the kernels the rows name.
//!
//! A kernel is reachable as `rulec_functions::<family>::<kernel>`, which is
//! the path its row gives: the macro that writes a row builds both from the
//! same identifier.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::ScalarFunction;

/// Writes a family's table. A row is
/// `kernel "name" = "alias" instead "newer" as Naming with [columns], [signatures], "doc", "example" => "prints";`
/// where the kernel is a function of the module, or `none`, `window`, `context`,
/// `graph`, `tabular`;
/// `never constant` before the signatures says that a call is no constant even
/// if its arguments are.
macro_rules! rows {
    ($table:ident: $kind:ident in $module:ident { $(
        $kernel:ident $name:literal $(= $alias:literal)* $(instead $new:literal)?
        $(as $naming:ident $(($prefix:literal))?)? $(with [$($column:literal: $ty:ident),+])? $(never $fold:ident)?, $rule:tt, $doc:literal $(, $example:literal => $prints:literal)*
    ;)* }) => {
        pub(crate) const $table: &[$crate::ScalarFunction] = &[$(
            $crate::ScalarFunction {
                name: $name,
                aliases: &[$($alias),*],
                deprecated: $crate::scalar::optional!($($new)?),
                kind: $crate::scalar::kind!($kernel $kind),
                min: $crate::scalar::rule!(min $rule),
                max: $crate::scalar::rule!(max $rule),
                naming: $crate::scalar::naming!($($naming $($prefix)?)?),
                result: $crate::scalar::rule!(result $kind $rule),
                shape: $crate::scalar::rule!(shape $rule),
                folds: $crate::scalar::folds!($kernel $($fold)?),
                kernel: $crate::scalar::kernel!($kernel),
                path: $crate::scalar::path_of!($kernel $module),
                columns: &[$($(($column, $crate::Type::$ty)),+)?],
                doc: $doc,
                examples: &[$(($example, $prints)),*],
            },
        )*];
    };
}

macro_rules! optional {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

macro_rules! naming {
    () => {
        $crate::Naming::Default
    };
    ($naming:ident) => {
        $crate::Naming::$naming
    };
    ($naming:ident $prefix:literal) => {
        $crate::Naming::$naming($prefix)
    };
}

macro_rules! kind {
    (window $kind:ident) => {
        $crate::Kind::Window
    };
    (context $kind:ident) => {
        $crate::Kind::Context
    };
    (graph $kind:ident) => {
        $crate::Kind::Graph
    };
    (tabular $kind:ident) => {
        $crate::Kind::Tabular
    };
    ($kernel:ident $kind:ident) => {
        $crate::Kind::$kind
    };
}

macro_rules! kernel {
    (none) => {
        None
    };
    (window) => {
        None
    };
    (context) => {
        None
    };
    (graph) => {
        None
    };
    (tabular) => {
        None
    };
    ($kernel:ident) => {
        Some($kernel as $crate::Kernel)
    };
}

macro_rules! path_of {
    (none $module:ident) => {
        ""
    };
    (window $module:ident) => {
        ""
    };
    (context $module:ident) => {
        ""
    };
    (graph $module:ident) => {
        ""
    };
    (tabular $module:ident) => {
        ""
    };
    ($kernel:ident $module:ident) => {
        $crate::scalar::module_path!($module $kernel)
    };
}

macro_rules! module_path {
    (sketch $kernel:ident) => {
        concat!("aggregate::sketch::", stringify!($kernel))
    };
    ($module:ident $kernel:ident) => {
        concat!(stringify!($module), "::", stringify!($kernel))
    };
}

macro_rules! rule {
    (min [$($sig:tt)+]) => { $crate::signature::fewest($crate::signature::sigs![$($sig)+]) };
    (max [$($sig:tt)+]) => { $crate::signature::most($crate::signature::sigs![$($sig)+]) };
    (shape [$($sig:tt)+]) => { $crate::signature::shape($crate::signature::sigs![$($sig)+]) };
    (result Operator [$($sig:tt)+]) => {
        |args| $crate::signature::check_operator($crate::signature::sigs![$($sig)+], args)
    };
    (result $kind:ident [$($sig:tt)+]) => {
        |args| $crate::signature::check($crate::signature::sigs![$($sig)+], args)
    };
}

macro_rules! folds {
    (window) => {
        false
    };
    ($kernel:ident constant) => {
        false
    };
    ($kernel:ident) => {
        true
    };
}

pub(crate) use {folds, kernel, kind, module_path, naming, optional, path_of, rule};

pub mod arithmetic;
pub mod arrays;
pub mod cells;
pub mod compare;
pub mod conditional;
pub mod context;
pub mod conversion;
pub mod datetimes;
pub mod dynamic;
pub mod encoding;
pub mod geo;
pub mod hashing;
pub mod ip;
pub mod matching;
pub mod math;
pub mod parsing;
pub mod patterns;
pub mod series;
pub mod shapes;
mod sphere;
pub mod strings;
pub mod transforms;
pub mod units;
pub mod user_agents;

const FAMILIES: &[&[ScalarFunction]] = &[
    arithmetic::FUNCTIONS,
    arithmetic::ROWS,
    arrays::ROWS,
    cells::ROWS,
    compare::ROWS,
    conditional::ROWS,
    context::GRAPH,
    context::ROWS,
    context::TABULAR,
    conversion::ROWS,
    datetimes::ROWS,
    dynamic::OPERATORS,
    dynamic::ROWS,
    encoding::ROWS,
    geo::ROWS,
    hashing::ROWS,
    ip::ROWS,
    matching::ROWS,
    math::ROWS,
    parsing::ROWS,
    patterns::ROWS,
    series::ROWS,
    series::SEVERAL,
    crate::aggregate::sketch::SCALARS,
    shapes::ROWS,
    strings::ROWS,
    transforms::ROWS,
    transforms::SEVERAL,
    units::ROWS,
    user_agents::ROWS,
];

/// The row of a scalar function or operator, by its exact name or an alias.
pub fn scalar(name: &str) -> Option<&'static ScalarFunction> {
    static INDEX: OnceLock<HashMap<&'static str, &'static ScalarFunction>> = OnceLock::new();
    INDEX
        .get_or_init(|| {
            let mut index = HashMap::new();
            for row in scalars() {
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

/// All scalar functions and operators, family by family.
pub fn scalars() -> impl Iterator<Item = &'static ScalarFunction> {
    FAMILIES.iter().flat_map(|family| family.iter())
}
