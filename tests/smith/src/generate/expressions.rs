//! Expressions of a type, over the columns at hand.

use rulec_functions::Type;

use super::calls::{Place, Shape};
use super::{Let, Maker, Scope};

impl Maker<'_> {
    /// An expression of any type.
    pub(super) fn any_expression(&mut self, scope: &Scope, depth: usize) -> String {
        if self.dice.percent(45)
            && let Some(column) = self.column_of_any_type(scope)
        {
            return column;
        }
        let ty = self.any_type();
        self.expression(scope, ty, depth)
    }

    /// An expression of a type; seldom of another.
    pub(super) fn expression(&mut self, scope: &Scope, ty: Type, depth: usize) -> String {
        let ty = if self.dice.one_in(120) {
            self.any_type()
        } else {
            ty
        };
        if depth == 0 {
            if self.dice.percent(75)
                && let Some(column) = self.column_of(scope, ty)
            {
                return column;
            }
            return self.leaf(scope, ty);
        }
        match self.dice.below(20) {
            0..=5 => {
                if let Some(column) = self.column_of(scope, ty) {
                    return column;
                }
                self.compound(scope, ty, depth - 1)
            }
            6 => self.leaf(scope, ty),
            7..=10 => self.call_giving(scope, ty, depth - 1),
            11 => self.conditional(scope, ty, depth - 1),
            12 => format!("({})", self.expression(scope, ty, depth - 1)),
            13 => self
                .let_value(ty, scope, depth)
                .unwrap_or_else(|| self.leaf(scope, ty)),
            14 if self.depth < 2 && self.dice.one_in(3) => self.toscalar(ty),
            15 if self.dice.one_in(4) => {
                let name = self.column_of_any_type(scope).unwrap_or_else(|| "a".to_owned());
                let name = name.trim_matches(|c| "[]'\"".contains(c)).to_owned();
                let otherwise = self.leaf(scope, ty);
                format!("column_ifexists('{name}', {otherwise})")
            }
            _ => self.compound(scope, ty, depth - 1),
        }
    }

    fn leaf(&mut self, scope: &Scope, ty: Type) -> String {
        if ty == Type::Dynamic
            && self.dice.percent(40)
            && let Some(column) = self.column_of(scope, ty)
        {
            return self.path(&column);
        }
        self.literal(ty)
    }

    /// Something inside a dynamic value.
    fn path(&mut self, from: &str) -> String {
        let steps = self.dice.between(1, 2);
        let mut text = from.to_owned();
        for _ in 0..steps {
            text.push_str(self.dice.pick(&[
                ".a", ".Name", "['b c']", "[0]", "[-1]", "[\"k\"]", ".['q']", ".type", ".x.y", "[1+1]",
            ]));
        }
        text
    }

    fn let_value(&mut self, ty: Type, scope: &Scope, depth: usize) -> Option<String> {
        let fitting: Vec<Let> = self
            .lets
            .iter()
            .filter(|l| matches!(l, Let::Scalar(_, t) | Let::Function(_, _, t) if *t == ty))
            .cloned()
            .collect();
        Some(match self.dice.choose(&fitting)?.clone() {
            Let::Scalar(name, _) => name,
            Let::Function(name, types, _) => {
                let args: Vec<String> = types
                    .iter()
                    .map(|t| self.expression(scope, *t, depth.saturating_sub(1)))
                    .collect();
                format!("{name}({})", args.join(", "))
            }
            _ => return None,
        })
    }

    fn toscalar(&mut self, ty: Type) -> String {
        self.depth += 1;
        let (mut text, scope) = self.pipeline(1);
        self.depth -= 1;
        let value = self.expression(&scope, ty, 1);
        if self.dice.one_in(3) {
            text = format!(
                "{text} | summarize {}({value})",
                self.dice.pick(&["max", "min", "take_any"])
            );
        } else {
            text = format!("{text} | project {value}");
        }
        format!("toscalar({text})")
    }

    fn conditional(&mut self, scope: &Scope, ty: Type, depth: usize) -> String {
        let condition = self.expression(scope, Type::Bool, depth);
        let (yes, no) = (
            self.expression(scope, ty, depth),
            self.expression(scope, ty, depth),
        );
        match self.dice.below(4) {
            0 => format!("case({condition}, {yes}, {no})"),
            1 => format!("coalesce({yes}, {no})"),
            2 => format!("iif({condition}, {yes}, {no})"),
            _ => format!("iff({condition}, {yes}, {no})"),
        }
    }

    /// A call of some function that gives the type.
    fn call_giving(&mut self, scope: &Scope, ty: Type, depth: usize) -> String {
        if self.dice.one_in(200) {
            let name = *self.dice.choose(&self.generator.calls.names).unwrap_or(&"strlen");
            let args = self.list(0, 4, |m| m.any_expression(scope, 0));
            return format!("{name}({args})");
        }
        let shape = self.generator.calls.giving(ty, &mut self.dice).cloned();
        match shape {
            Some(shape) => self.call(&shape, scope, depth),
            None => self.literal(ty),
        }
    }

    /// The text of a call; literals are likelier in the later places.
    pub(super) fn call(&mut self, shape: &Shape, scope: &Scope, depth: usize) -> String {
        let args: Vec<String> = shape
            .args
            .iter()
            .enumerate()
            .map(|(at, place)| match place {
                Place::TypeOf => format!("typeof({})", self.type_name()),
                Place::Value(ty) if at > 0 && self.dice.percent(55) => self.literal(*ty),
                Place::Value(ty) => self.expression(scope, *ty, depth.min(1)),
            })
            .collect();
        let blank = if self.dice.one_in(30) { " " } else { "" };
        format!("{}{blank}({})", shape.name, args.join(", "))
    }

    /// An operator's result.
    fn compound(&mut self, scope: &Scope, ty: Type, depth: usize) -> String {
        match ty {
            Type::Bool => self.condition(scope, depth),
            Type::Long | Type::Int | Type::Real | Type::Decimal => {
                if self.dice.one_in(8) {
                    return format!("-{}", self.expression(scope, ty, 0));
                }
                let other = match (ty, self.dice.below(4)) {
                    (Type::Real | Type::Decimal | Type::Long, 0) => Type::Int,
                    (Type::Real, 1) => Type::Long,
                    _ => ty,
                };
                let (left, right) = (
                    self.expression(scope, ty, depth),
                    self.expression(scope, other, depth),
                );
                format!("{left} {} {right}", self.dice.pick(&["+", "-", "*", "/", "%"]))
            }
            Type::DateTime => {
                let time = self.expression(scope, Type::DateTime, depth);
                let span = self.expression(scope, Type::TimeSpan, depth);
                match self.dice.below(4) {
                    0 => format!("bin({time}, {span})"),
                    1 => format!("{time} + {span}"),
                    2 => format!("startofday({time})"),
                    _ => format!("{time} - {span}"),
                }
            }
            Type::TimeSpan => {
                let time = self.expression(scope, Type::DateTime, depth);
                match self.dice.below(4) {
                    0 => format!("{time} - {}", self.expression(scope, Type::DateTime, depth)),
                    1 => format!("{} * 2", self.expression(scope, Type::TimeSpan, depth)),
                    2 => format!("{} / 2.0", self.expression(scope, Type::TimeSpan, depth)),
                    _ => format!("now() - {time}"),
                }
            }
            Type::Dynamic => match self.dice.below(4) {
                0 => {
                    let column = self
                        .column_of(scope, ty)
                        .unwrap_or_else(|| "dynamic({})".to_owned());
                    self.path(&column)
                }
                1 => format!("pack('k', {})", self.any_expression(scope, depth)),
                2 => format!("todynamic({})", self.expression(scope, Type::String, depth)),
                _ => format!("pack_array({})", self.list(1, 3, |m| m.any_expression(scope, 0))),
            },
            Type::String => match self.dice.below(3) {
                0 => format!("strcat({})", self.list(1, 3, |m| m.any_expression(scope, 0))),
                1 => format!("tolower({})", self.expression(scope, ty, depth)),
                _ => format!("tostring({})", self.any_expression(scope, depth)),
            },
            Type::Guid | Type::Unknown => self.literal(ty),
        }
    }

    /// A condition.
    pub(super) fn condition(&mut self, scope: &Scope, depth: usize) -> String {
        let d = depth.saturating_sub(1);
        match self.dice.below(17) {
            0 | 1 => format!(
                "{} {} {}",
                self.condition(scope, d),
                self.dice.pick(&["and", "or"]),
                self.condition(scope, d)
            ),
            2 => format!("not({})", self.condition(scope, d)),
            3 | 4 => {
                let ty = self.any_type();
                let left = self.expression(scope, ty, d);
                let right = self.expression(scope, ty, d.min(1));
                format!(
                    "{left} {} {right}",
                    self.dice.pick(&["==", "!=", "<", ">", "<=", ">=", "<>", "=="])
                )
            }
            5..=7 => {
                let left = self.expression(scope, Type::String, d);
                let right = if self.dice.percent(75) {
                    self.literal(Type::String)
                } else {
                    self.expression(scope, Type::String, 0)
                };
                let operator = self.dice.pick(&[
                    "has",
                    "!has",
                    "contains",
                    "!contains",
                    "startswith",
                    "!startswith",
                    "endswith",
                    "!endswith",
                    "hasprefix",
                    "!hasprefix",
                    "hassuffix",
                    "!hassuffix",
                    "has_cs",
                    "!has_cs",
                    "contains_cs",
                    "!contains_cs",
                    "startswith_cs",
                    "endswith_cs",
                    "!startswith_cs",
                    "!endswith_cs",
                    "hasprefix_cs",
                    "hassuffix_cs",
                    "!hasprefix_cs",
                    "!hassuffix_cs",
                    "=~",
                    "!~",
                    "matches regex",
                    "like",
                    "notlike",
                    "likecs",
                    "notlikecs",
                ]);
                format!("{left} {operator} {right}")
            }
            8 | 9 => {
                let ty = self.any_type();
                let left = self.expression(scope, ty, d);
                let operator = if ty == Type::String {
                    self.dice.pick(&["in", "!in", "in~", "!in~"])
                } else {
                    self.dice.pick(&["in", "!in"])
                };
                let list = match self.dice.below(8) {
                    0 => self.literal(Type::Dynamic),
                    1 if self.depth < 2 => {
                        let (text, from) = self.subquery();
                        let value = self.expression(&from, ty, 0);
                        format!("{text} | project {value}")
                    }
                    _ => self.list(1, 4, |m| m.literal(ty)),
                };
                format!("{left} {operator} ({list})")
            }
            10 => {
                let left = self.expression(scope, Type::String, d);
                let list = if self.dice.one_in(4) {
                    "dynamic(['a','b'])".to_owned()
                } else {
                    self.list(1, 3, |m| m.literal(Type::String))
                };
                format!("{left} {} ({list})", self.dice.pick(&["has_any", "has_all"]))
            }
            11 => {
                let ty = *self
                    .dice
                    .choose(&[Type::Long, Type::DateTime, Type::Real, Type::TimeSpan, Type::Int])
                    .unwrap_or(&Type::Long);
                let value = self.expression(scope, ty, d);
                let (low, high) = (self.expression(scope, ty, 0), self.expression(scope, ty, 0));
                format!(
                    "{value} {} ({low} .. {high})",
                    self.dice.pick(&["between", "!between"])
                )
            }
            12 => {
                let value = self.any_expression(scope, d);
                format!(
                    "{}({value})",
                    self.dice.pick(&["isnotempty", "isempty", "isnull", "isnotnull"])
                )
            }
            13 if self.dice.one_in(3) => {
                format!(
                    "* {} {}",
                    self.dice.pick(&["has", "contains", "=="]),
                    self.literal(Type::String)
                )
            }
            14 => self
                .column_of(scope, Type::Bool)
                .unwrap_or_else(|| "true".to_owned()),
            15 => self.call_giving(scope, Type::Bool, d),
            _ => {
                let ty = self.any_type();
                format!("{} == {}", self.expression(scope, ty, 0), self.literal(ty))
            }
        }
    }

    /// A call of an aggregate, or an expression of such calls.
    pub(super) fn aggregate(&mut self, scope: &Scope) -> String {
        match self.dice.below(14) {
            0 => return "count()".to_owned(),
            1 => {
                let key = self.column_of_any_type(scope).unwrap_or_else(|| "1".to_owned());
                let kept = if self.dice.percent(50) {
                    "*".to_owned()
                } else {
                    self.list(1, 3, |m| m.any_expression(scope, 1))
                };
                return format!("{}({key}, {kept})", self.dice.pick(&["arg_max", "arg_min"]));
            }
            2 => {
                let kept = if self.dice.one_in(3) {
                    "*".to_owned()
                } else {
                    self.list(1, 2, |m| m.any_expression(scope, 1))
                };
                return format!("{}({kept})", self.dice.pick(&["take_any", "any", "anyif"]));
            }
            3 => {
                let value = self.any_expression(scope, 1);
                return format!(
                    "{}({value})",
                    self.dice.pick(&["make_set", "make_list", "dcount", "max", "min"])
                );
            }
            _ => {}
        }
        let Some(shape) = self.generator.calls.aggregate(&mut self.dice).cloned() else {
            return "count()".to_owned();
        };
        let call = self.call(&shape, scope, 1);
        match self.dice.below(12) {
            0 => format!("{call} + {call}"),
            1 => format!("tostring({call})"),
            2 => format!("round({call}, 2)"),
            _ => call,
        }
    }

    /// A call over rows in order.
    pub(super) fn window(&mut self, scope: &Scope) -> String {
        match self.generator.calls.window(&mut self.dice).cloned() {
            Some(shape) => self.call(&shape, scope, 1),
            None => "row_number()".to_owned(),
        }
    }
}
