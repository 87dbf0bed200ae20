//! What a predicate over columns says of the table's own columns.

use std::sync::Arc;

use rulec_functions::{INGESTED, Moment, Necessary, TextTest, Type, Value, is_plain_inside};

use super::patterns;
use crate::{BindingKind, Column, Expr, ExprKind, MvItem, Query};

/// What is known of a column or expression.
#[derive(Clone, Debug)]
pub(super) enum Known {
    /// It is a column of the table, or made of one.
    From(From),
    /// A truth value: what must be the case if it is true.
    Truth(Necessary),
    /// The time when the row came in.
    Ingested,
}

/// What is known of the columns that an expression may name, and whether each
/// row came in when the table's row did.
#[derive(Clone, Copy)]
pub(super) struct Scope<'l> {
    pub(super) columns: &'l [Option<Known>],
    pub(super) ingested: bool,
}

/// A value made of a column of the table.
#[derive(Clone, Debug)]
pub(super) struct From {
    column: Arc<str>,
    /// The column's type.
    ty: Type,
    how: How,
    /// Its case may be lost.
    folded: bool,
}

/// How much of the column the value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// All of it.
    Whole,
    /// A stretch of its text.
    Part,
    /// An array of stretches of its text.
    Parts,
    /// Something within the JSON that it holds.
    Json,
}

impl Known {
    /// A column of the table itself.
    pub(super) fn column(column: &Column) -> Self {
        Known::From(From {
            column: column.name.clone(),
            ty: column.ty,
            how: if column.ty == Type::Dynamic {
                How::Json
            } else {
                How::Whole
            },
            folded: false,
        })
    }
}

/// Reads expressions of a query.
pub(super) struct Knows<'q> {
    pub(super) query: &'q Query,
}

impl Knows<'_> {
    /// What is known of an element of an expanded expression.
    pub(super) fn element(&self, item: &MvItem, scope: Scope<'_>) -> Option<Known> {
        // Another type is printed anew.
        if !matches!(item.ty, Type::String | Type::Dynamic) {
            return None;
        }
        match self.value(&item.expr, scope)? {
            Known::From(from) => match from.how {
                How::Parts => Some(Known::From(From {
                    how: How::Part,
                    ..from
                })),
                How::Json => Some(Known::From(from)),
                How::Whole | How::Part => None,
            },
            Known::Truth(_) | Known::Ingested => None,
        }
    }

    /// What must be the case for a row that passes a predicate.
    pub(super) fn predicate(&self, expr: &Expr, scope: Scope<'_>) -> Necessary {
        match &expr.kind {
            ExprKind::And(parts) => Necessary::all(parts.iter().map(|part| self.predicate(part, scope))),
            ExprKind::Or(parts) => Necessary::any(parts.iter().map(|part| self.predicate(part, scope))),
            ExprKind::Literal(Value::Bool(false)) => Necessary::Any(Vec::new()),
            ExprKind::Call { function, args } => self.call(function.name, args, scope),
            _ => match self.value(expr, scope) {
                Some(Known::Truth(condition)) => condition,
                _ => Necessary::ANYTHING,
            },
        }
    }

    /// What is known of an expression.
    pub(super) fn value(&self, expr: &Expr, scope: Scope<'_>) -> Option<Known> {
        match &expr.kind {
            ExprKind::IngestionTime => scope.ingested.then_some(Known::Ingested),
            ExprKind::Column(place) => scope.columns.get(*place)?.clone(),
            _ if expr.ty == Type::Bool => match &expr.kind {
                ExprKind::And(_) | ExprKind::Or(_) | ExprKind::Call { .. } => {
                    Some(Known::Truth(self.predicate(expr, scope)))
                }
                _ => None,
            },
            ExprKind::Call { function, args } => {
                let from = |place: usize| match self.value(args.get(place)?, scope)? {
                    Known::From(from) => Some(from),
                    Known::Truth(_) | Known::Ingested => None,
                };
                // Only text is text: a number is printed anew.
                let text = |place: usize| from(place).filter(From::is_text);
                let part = |from: From| From {
                    how: match from.how {
                        // The text of an array has more than its elements.
                        How::Json | How::Parts => from.how,
                        How::Whole | How::Part => How::Part,
                    },
                    ..from
                };
                let known = match function.name {
                    "tolower" | "toupper" => From {
                        folded: true,
                        ..text(0)?
                    },
                    "tostring" => text(0)?,
                    "parse_json" | "dynamic_to_json" => From {
                        how: How::Json,
                        ..text(0)?
                    },
                    "member" | "index" => match from(0)? {
                        from if from.how == How::Json || matches!(from.ty, Type::Dynamic | Type::Unknown) => {
                            From {
                                how: How::Json,
                                ..from
                            }
                        }
                        from if from.how == How::Parts => From {
                            how: How::Part,
                            ..from
                        },
                        from => part(from),
                    },
                    "extract_json" => From {
                        how: How::Json,
                        ..text(1)?
                    },
                    "substring" => part(text(0)?),
                    "split" => match part(text(0)?) {
                        from if from.how == How::Part => From {
                            how: How::Parts,
                            ..from
                        },
                        from => from,
                    },
                    "trim" | "trim_start" | "trim_end" => part(text(1)?),
                    "extract" => part(text(2)?),
                    _ => return None,
                };
                Some(Known::From(known))
            }
            _ => None,
        }
    }

    fn call(&self, name: &str, args: &[Expr], scope: Scope<'_>) -> Necessary {
        self.texts(name, args, scope)
            .or_else(|| self.numbers(name, args, scope))
            .or_else(|| self.times(name, args, scope))
            .unwrap_or(Necessary::ANYTHING)
    }

    /// Tests of text; none where it is none.
    fn texts(&self, name: &str, args: &[Expr], scope: Scope<'_>) -> Option<Necessary> {
        use TextTest::{Contains, EndsWith, Is, StartsWith};
        let (test, folded) = match name {
            "==" | "in" => (Is, false),
            "=~" | "in~" => (Is, true),
            "startswith" => (StartsWith, true),
            "startswith_cs" => (StartsWith, false),
            "endswith" => (EndsWith, true),
            "endswith_cs" => (EndsWith, false),
            "has" | "contains" | "hasprefix" | "hassuffix" | "has_any" | "has_all" => (Contains, true),
            "has_cs" | "contains_cs" | "hasprefix_cs" | "hassuffix_cs" | "matches regex" => (Contains, false),
            _ => return None,
        };
        let (left, right) = (args.first()?, args.get(1)?);
        let from = |expr: &Expr| match self.value(expr, scope)? {
            Known::From(from) => Some(from),
            Known::Truth(_) | Known::Ingested => None,
        };
        let (from, others) = match from(left) {
            Some(from) => (from, &args[1..]),
            // Equality reads the same from either side.
            None if matches!(name, "==" | "=~") => (from(right)?, &args[..1]),
            None => return None,
        };
        if !from.is_text() {
            return None;
        }
        if name == "matches regex" {
            let weigh: patterns::Weigh = if matches!(from.how, How::Json | How::Parts) {
                |text| plain_inside(text).map(|plain| plain.len())
            } else {
                |text| Some(text.len())
            };
            let pattern = self.text(others.first()?)?;
            let required = patterns::required(&pattern, weigh);
            let whole = match from.how {
                // A pattern does not know what lost its case.
                How::Json | How::Parts => None,
                _ if from.folded => None,
                how => patterns::whole(&pattern, required.as_ref(), how == How::Part),
            };
            let whole = whole.map(|pattern| Necessary::pattern(from.column.clone(), pattern));
            let texts = required.map(|r| from.test(Contains, r.folded, r.texts));
            return Some(Necessary::all(texts.into_iter().chain(whole)));
        }
        let texts = self.list(others)?;
        if name == "has_all" {
            return Some(Necessary::all(
                texts.into_iter().map(|text| from.test(test, folded, vec![text])),
            ));
        }
        Some(from.test(test, folded, texts))
    }

    /// Comparisons with whole numbers.
    fn numbers(&self, name: &str, args: &[Expr], scope: Scope<'_>) -> Option<Necessary> {
        if !matches!(name, "==" | "in") {
            return None;
        }
        let whole = |expr: &Expr| match self.value(expr, scope)? {
            Known::From(from) if from.how == How::Whole && matches!(from.ty, Type::Int | Type::Long) => {
                Some(from.column)
            }
            _ => None,
        };
        let (column, others) = match whole(args.first()?) {
            Some(column) => (column, &args[1..]),
            None if name == "==" => (whole(args.get(1)?)?, &args[..1]),
            None => return None,
        };
        let mut values = Vec::new();
        for other in others {
            match self.constant(other)? {
                Value::Array(items) => {
                    for item in items.iter() {
                        values.push(whole_number(item)?);
                    }
                }
                value => values.push(whole_number(&value)?),
            }
        }
        Some(Necessary::number(column, values))
    }

    /// Comparisons of a time with a time that every run knows.
    fn times(&self, name: &str, args: &[Expr], scope: Scope<'_>) -> Option<Necessary> {
        let time = |expr: &Expr| match self.value(expr, scope)? {
            Known::From(from) if from.how == How::Whole && from.ty == Type::DateTime => {
                Some(vec![from.column])
            }
            // Whichever of them the row has.
            Known::Ingested => Some(INGESTED.iter().map(|column| Arc::from(*column)).collect()),
            _ => None,
        };
        let since = |columns: &[Arc<str>], bound| {
            Necessary::any(
                columns
                    .iter()
                    .map(|column| Necessary::since(column.clone(), bound)),
            )
        };
        let until = |columns: &[Arc<str>], bound| {
            Necessary::any(
                columns
                    .iter()
                    .map(|column| Necessary::until(column.clone(), bound)),
            )
        };
        let (left, right) = (args.first()?, args.get(1)?);
        if name == "between" {
            let columns = time(left)?;
            let (from, to) = (self.moment(right)?, self.moment(args.get(2)?)?);
            return Some(Necessary::all([since(&columns, from), until(&columns, to)]));
        }
        // The bounds themselves may pass where they do not: that is for the query to say.
        let (columns, bound, earliest) = match (time(left), time(right)) {
            (Some(columns), None) => (columns, self.moment(right)?, matches!(name, ">" | ">=")),
            (None, Some(columns)) => (columns, self.moment(left)?, matches!(name, "<" | "<=")),
            _ => return None,
        };
        match name {
            ">" | ">=" | "<" | "<=" if earliest => Some(since(&columns, bound)),
            ">" | ">=" | "<" | "<=" => Some(until(&columns, bound)),
            _ => None,
        }
    }

    /// A value that no row has a part in.
    fn constant(&self, expr: &Expr) -> Option<Value> {
        match &expr.kind {
            ExprKind::Literal(value) => Some(value.clone()),
            ExprKind::Binding(id) => match &self.query.bindings.get(id.0)?.kind {
                BindingKind::Scalar(expr) => self.constant(expr),
                _ => None,
            },
            ExprKind::Call { function, args } if function.folds => {
                let kernel = function.kernel?;
                let args = args
                    .iter()
                    .map(|arg| self.constant(arg))
                    .collect::<Option<Vec<_>>>()?;
                Some(kernel(&args))
            }
            _ => None,
        }
    }

    fn text(&self, expr: &Expr) -> Option<String> {
        Some(self.constant(expr)?.as_str()?.to_owned())
    }

    /// Texts that are given one by one or as arrays.
    fn list(&self, exprs: &[Expr]) -> Option<Vec<Arc<str>>> {
        let mut texts: Vec<Arc<str>> = Vec::new();
        for expr in exprs {
            match self.constant(expr)? {
                Value::String(text) => texts.push(text),
                Value::Array(items) => {
                    for item in items.iter() {
                        texts.push(Arc::from(item.as_str()?));
                    }
                }
                _ => return None,
            }
        }
        Some(texts)
    }

    /// A time that every run knows.
    fn moment(&self, expr: &Expr) -> Option<Moment> {
        match &expr.kind {
            ExprKind::Now => Some(Moment::BeforeNow(0)),
            ExprKind::Binding(id) => match &self.query.bindings.get(id.0)?.kind {
                BindingKind::Scalar(expr) => self.moment(expr),
                _ => None,
            },
            ExprKind::Call { function, args } if matches!(function.name, "+" | "-") => {
                let Value::TimeSpan(span) = self.constant(args.get(1)?)? else {
                    return None;
                };
                let span = if function.name == "+" {
                    span.checked_neg()?
                } else {
                    span
                };
                Some(match self.moment(args.first()?)? {
                    Moment::At(ticks) => Moment::At(ticks.checked_sub(span)?),
                    Moment::BeforeNow(ticks) => Moment::BeforeNow(ticks.checked_add(span)?),
                })
            }
            _ => match self.constant(expr)? {
                Value::DateTime(ticks) => Some(Moment::At(ticks)),
                _ => None,
            },
        }
    }
}

impl From {
    fn is_text(&self) -> bool {
        self.how != How::Whole || matches!(self.ty, Type::String | Type::Dynamic | Type::Unknown)
    }

    /// The test of the value as a test of the column.
    fn test(&self, test: TextTest, folded: bool, texts: Vec<Arc<str>>) -> Necessary {
        let folded = folded || self.folded;
        let (test, texts) = match self.how {
            How::Whole => (test, texts),
            How::Part => (TextTest::Contains, texts),
            How::Json | How::Parts => match texts.iter().map(|text| plain_inside(text)).collect() {
                Some(texts) if self.how == How::Parts => (TextTest::Contains, texts),
                Some(texts) => (TextTest::Inside, texts),
                None => return Necessary::ANYTHING,
            },
        };
        if folded {
            Necessary::text_fold(self.column.clone(), test, texts)
        } else {
            Necessary::text(self.column.clone(), test, texts)
        }
    }
}

/// The longest stretch of a text that JSON writes as it is.
fn plain_inside(text: &str) -> Option<Arc<str>> {
    text.split(|c: char| !is_plain_inside(&format!("a{c}")))
        .filter(|piece| is_plain_inside(piece))
        .max_by_key(|piece| piece.len())
        .map(Arc::from)
}

fn whole_number(value: &Value) -> Option<i64> {
    match value {
        Value::Int(n) => Some(i64::from(*n)),
        Value::Long(n) => Some(*n),
        _ => None,
    }
}
