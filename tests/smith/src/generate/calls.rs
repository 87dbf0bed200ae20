//! Which functions take which types: found by asking the rows.

use std::collections::BTreeMap;

use rulec_functions::scalar::scalars;
use rulec_functions::{Arg, Kind, ResultRule, Type, Value, aggregates};

use crate::dice::Dice;

/// What stands in one place of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A value of a type.
    Value(Type),
    /// `typeof(T)`.
    TypeOf,
}

/// A way to call a function.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) args: Vec<Place>,
    pub(crate) result: Type,
}

/// All ways to call functions that the generator knows of.
pub(crate) struct Calls {
    by_result: BTreeMap<Type, Vec<Shape>>,
    aggregates: Vec<Shape>,
    windows: Vec<Shape>,
    /// Names of functions and aggregates, aliases included, for wrong calls.
    pub(crate) names: Vec<&'static str>,
}

/// Functions with a syntax or a meaning of their own; the generator writes
/// some of them elsewhere.
const APART: [&str; 8] = [
    "toscalar",
    "totable",
    "materialize",
    "typeof",
    "dynamic",
    "table",
    "column_ifexists",
    "columnifexists",
];

impl Calls {
    pub(crate) fn new() -> Self {
        let mut dice = Dice::new(1);
        let mut by_result: BTreeMap<Type, Vec<Shape>> = BTreeMap::new();
        let mut all_aggregates = Vec::new();
        let mut windows = Vec::new();
        let mut names = Vec::new();
        for row in scalars() {
            if row.kind == Kind::Operator || APART.contains(&row.name) {
                continue;
            }
            names.push(row.name);
            names.extend(row.aliases);
            for shape in shapes(row.name, row.aliases, row.min, row.max, row.result, &mut dice) {
                if row.kind == Kind::Window {
                    windows.push(shape);
                } else {
                    by_result.entry(shape.result).or_default().push(shape);
                }
            }
        }
        for row in aggregates() {
            names.push(row.name);
            names.extend(row.aliases);
            all_aggregates.extend(shapes(
                row.name,
                row.aliases,
                row.min,
                row.max,
                row.result,
                &mut dice,
            ));
        }
        Self {
            by_result,
            aggregates: all_aggregates,
            windows,
            names,
        }
    }

    /// A call whose result has a type.
    pub(crate) fn giving(&self, ty: Type, dice: &mut Dice) -> Option<&Shape> {
        dice.choose(self.by_result.get(&ty)?)
    }

    pub(crate) fn aggregate(&self, dice: &mut Dice) -> Option<&Shape> {
        dice.choose(&self.aggregates)
    }

    pub(crate) fn window(&self, dice: &mut Dice) -> Option<&Shape> {
        dice.choose(&self.windows)
    }
}

/// A few of the ways to call one function, spread over arities, names and
/// types; as many for each function, so that none is rare.
fn shapes(
    name: &'static str,
    aliases: &'static [&'static str],
    min: usize,
    max: Option<usize>,
    rule: ResultRule,
    dice: &mut Dice,
) -> Vec<Shape> {
    const WANTED: usize = 24;
    let typeof_value = Value::String("long".into());
    let most = max.unwrap_or(min + 3).min(min + 5);
    let mut found: Vec<Shape> = Vec::new();
    for attempt in 0..1500 {
        let arity = dice.between(min, most.max(min));
        let args: Vec<Place> = (0..arity)
            .map(|_| {
                if dice.one_in(14) {
                    Place::TypeOf
                } else if attempt < 10 {
                    Place::Value(Type::NAMED[attempt])
                } else {
                    Place::Value(*dice.choose(&Type::NAMED).unwrap_or(&Type::Long))
                }
            })
            .collect();
        let typed: Vec<Arg<'_>> = args
            .iter()
            .map(|place| match place {
                Place::Value(ty) => Arg::of(*ty),
                Place::TypeOf => Arg {
                    literal: Some(&typeof_value),
                    ..Arg::of(Type::String)
                },
            })
            .collect();
        let Ok(result) = rule(&typed) else { continue };
        if found.iter().any(|s| s.args == args) {
            continue;
        }
        let spelled = if dice.percent(15) {
            dice.choose(aliases).copied().unwrap_or(name)
        } else {
            name
        };
        found.push(Shape {
            name: spelled,
            args,
            result,
        });
        if found.len() == WANTED {
            break;
        }
    }
    // Functions with few ways to be called come as often as the others.
    let mut all = found.clone();
    while !found.is_empty() && all.len() < WANTED {
        all.extend(found.iter().take(WANTED - all.len()).cloned());
    }
    all
}
