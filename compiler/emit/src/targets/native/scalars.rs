//! Scalar expressions as Rust.
//!
//! In: expressions over the columns of a layout. Out: code that calls the same
//! kernels as the interpreter. Conditions over text become plain comparisons
//! of `&str` where the operator knows no null; everything else goes through
//! values. What does not depend on the row is computed once.

use rulec_functions::{ScalarFunction, Type, Value};
use rulec_ir::{Expr, ExprKind};

use super::code::{Code, grouped};
use super::emitter::{Bound, Emitter, Scope, texts};
use super::layout::LayoutId;
use super::support;

/// From how many strings on a list is looked up by hash.
const LONG_LIST: usize = 8;

/// Functions whose argument of that number is a regular expression.
const PATTERNS: &[(&str, usize)] = &[
    ("matches regex", 1),
    ("extract", 0),
    ("extract_all", 0),
    ("replace_regex", 1),
    ("indexof_regex", 1),
    ("trim", 0),
    ("trim_start", 0),
    ("trim_end", 0),
];

/// A text: whether it is a plain `&str`, or a borrowed value that becomes one
/// as an argument.
struct Text {
    code: Code,
    plain: bool,
}

impl Emitter<'_> {
    /// The expression as an operator takes it.
    pub(super) fn operand(&mut self, scope: &mut Scope, row: LayoutId, expr: &Expr) -> Code {
        match &expr.kind {
            ExprKind::Column(place) => {
                let place = self.place(row, *place);
                Code::call(self.short("ops", "column"), [Code::atom(place)])
            }
            ExprKind::IngestionTime => Code::call(self.op("ingestion_time"), []),
            _ if is_constant(expr) => {
                let value = self.value(scope, row, expr);
                Code::call(self.short("ops", "constant"), [value])
            }
            _ => {
                let value = self.value(scope, row, expr);
                Code::call(self.short("ops", "each"), [Code::closure(row_of(expr), value)])
            }
        }
    }

    pub(super) fn operands(&mut self, scope: &mut Scope, row: LayoutId, exprs: &[Expr]) -> Vec<Code> {
        exprs.iter().map(|expr| self.operand(scope, row, expr)).collect()
    }

    /// The value for a row.
    pub(super) fn value(&mut self, scope: &mut Scope, row: LayoutId, expr: &Expr) -> Code {
        if is_constant(expr) {
            return self.once(scope, expr);
        }
        if !matches!(expr.kind, ExprKind::Column(_)) && is_total(expr) {
            let condition = self.condition(scope, row, expr, true);
            return Code::call(format!("{}::Bool", self.root("Value")), [condition]);
        }
        self.plain_value(scope, row, expr)
    }

    /// The value for a row, whatever a condition may be.
    fn plain_value(&mut self, scope: &mut Scope, row: LayoutId, expr: &Expr) -> Code {
        match &expr.kind {
            ExprKind::Column(place) => Code::atom(format!("row.get({})", self.place(row, *place))),
            ExprKind::IngestionTime => Code::atom("row.ingestion_time()"),
            ExprKind::And(operands) => self.junction(scope, row, "compare::and", operands),
            ExprKind::Or(operands) => self.junction(scope, row, "compare::or", operands),
            ExprKind::Call { function, args } => {
                if let Some(columns) = (function.name == "pack_all")
                    .then(|| self.packed(row, args))
                    .flatten()
                {
                    let sparse = self.inline(scope, &args[0]).by_ref();
                    let columns = Code::Atom(columns.to_string());
                    return Code::call(self.helper("pack_all"), [Code::atom("row"), columns, sparse]);
                }
                let path = self.kernel(support::path(function).unwrap_or_default());
                let args = args.iter().enumerate().map(|(index, arg)| match &arg.kind {
                    ExprKind::Literal(Value::String(text)) if PATTERNS.contains(&(function.name, index)) => {
                        let pattern =
                            Code::call(format!("{}::string", self.root("Value")), [Code::string(text)]);
                        Code::atom(format!("{}.clone()", self.lazy("pattern", "Value", pattern)))
                    }
                    _ => self.value(scope, row, arg),
                });
                let args = args.collect::<Vec<_>>();
                Code::call(path, [self.given(args)])
            }
            // The rest is constant, or was replaced by a column before.
            _ => {
                self.fail(expr.span, "a window function in this place");
                Code::atom("()")
            }
        }
    }

    /// The arguments of a kernel. A single value that is known already is
    /// lent, not cloned.
    fn given(&self, args: Vec<Code>) -> Code {
        let [Code::Atom(only)] = &args[..] else {
            return Code::slice(args);
        };
        let Some(name) = only.strip_suffix(".clone()") else {
            return Code::slice(args);
        };
        let lent = if name.starts_with(|c: char| c.is_ascii_uppercase()) {
            // What is made when it is first used.
            format!("&*{name}")
        } else if self.is_handed_on(name) {
            name.to_owned()
        } else {
            format!("&{name}")
        };
        Code::call("std::slice::from_ref", [Code::Atom(lent)])
    }

    /// How many columns `pack_all` packs, if they are the first ones of the row
    /// under their own names.
    fn packed(&self, row: LayoutId, args: &[Expr]) -> Option<usize> {
        let (_, pairs) = args.split_first()?;
        let own = pairs.chunks_exact(2).enumerate().all(|(place, pair)| {
            let name = match &pair[0].kind {
                ExprKind::Literal(Value::String(name)) => &**name,
                _ => return false,
            };
            matches!(pair[1].kind, ExprKind::Column(from) if from == place)
                && self.column_name(row, place) == Some(name)
        });
        (own && is_constant(&args[0])).then_some(pairs.len() / 2)
    }

    fn junction(&mut self, scope: &mut Scope, row: LayoutId, path: &str, operands: &[Expr]) -> Code {
        let path = self.kernel(path);
        let operands = operands
            .iter()
            .map(|operand| self.value(scope, row, operand))
            .collect::<Vec<_>>();
        Code::call(path, [Code::slice(operands)])
    }

    /// A value that does not depend on the row: a literal, a name, or what was
    /// computed once.
    fn once(&mut self, scope: &mut Scope, expr: &Expr) -> Code {
        match &expr.kind {
            ExprKind::Literal(Value::Array(_) | Value::Bag(_) | Value::Decimal(_)) => {}
            ExprKind::Literal(_) | ExprKind::Now | ExprKind::Binding(_) => return self.inline(scope, expr),
            _ => {
                let folded = self.folded(expr);
                let small =
                    |value: &Value| !matches!(value, Value::Array(_) | Value::Bag(_) | Value::Decimal(_));
                if let Some(value) = folded.filter(small) {
                    return self.literal(&value);
                }
            }
        }
        let needs = is_of_run(self, expr);
        let wish = self.wish(expr);
        let code = self.inline(scope, expr);
        let name = if needs {
            scope.once(&wish, code)
        } else {
            self.root("Value");
            self.lazy(&wish, "Value", code)
        };
        Code::atom(format!("{name}.clone()"))
    }

    /// A name for a value that is computed once.
    fn wish(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Literal(_) => "list".to_owned(),
            ExprKind::Call { function, args } if function.name == "-" => match &args[..] {
                [
                    now,
                    Expr {
                        kind: ExprKind::Binding(id),
                        ..
                    },
                ] if matches!(now.kind, ExprKind::Now) => {
                    let name = self
                        .query
                        .binding(*id)
                        .map_or("", |binding| binding.name.as_str());
                    format!("ago_{name}")
                }
                [now, _] if matches!(now.kind, ExprKind::Now) => "since".to_owned(),
                _ => "difference".to_owned(),
            },
            ExprKind::Call { function, .. } => {
                format!(
                    "{}_value",
                    support::path(function)
                        .unwrap_or_default()
                        .rsplit("::")
                        .next()
                        .unwrap_or_default()
                )
            }
            ExprKind::ToScalar(_) => "scalar".to_owned(),
            ExprKind::List(_) => "list".to_owned(),
            _ => "value".to_owned(),
        }
    }

    /// A constant expression as one piece of code; subqueries are computed
    /// before it.
    pub(super) fn inline(&mut self, scope: &mut Scope, expr: &Expr) -> Code {
        match &expr.kind {
            ExprKind::Literal(value) => self.literal(value),
            ExprKind::Now => {
                scope.needs.context = true;
                Code::atom("context.now()")
            }
            ExprKind::Binding(id) => match self.bound(*id) {
                Some(Bound::Constant { name, value }) => self.named(*id, &name, &value),
                Some(Bound::Function(function)) => {
                    scope.needs.bindings.insert(*id);
                    Code::atom(format!("{}.clone()", function.name))
                }
                None => {
                    self.fail(expr.span, "a let binding that has no value");
                    Code::atom("()")
                }
            },
            ExprKind::ToScalar(rel) | ExprKind::List(rel) => {
                let scalar = matches!(expr.kind, ExprKind::ToScalar(_));
                let wish = if scalar { "toscalar" } else { "list" };
                let rows = self.subquery(scope, rel, wish);
                let name = self.helper(if scalar { "first_value" } else { "first_column" });
                Code::call(name, [rows])
            }
            ExprKind::And(operands) | ExprKind::Or(operands) => {
                let and = matches!(expr.kind, ExprKind::And(_));
                let path = self.kernel(if and { "compare::and" } else { "compare::or" });
                let operands = operands
                    .iter()
                    .map(|operand| self.inline(scope, operand))
                    .collect::<Vec<_>>();
                Code::call(path, [Code::slice(operands)])
            }
            ExprKind::Call { function, args } => {
                if let Some(value) = self.folded(expr) {
                    return self.literal(&value);
                }
                let path = self.kernel(support::path(function).unwrap_or_default());
                let args = args.iter().map(|arg| self.inline(scope, arg)).collect::<Vec<_>>();
                Code::call(path, [self.given(args)])
            }
            ExprKind::Column(_) | ExprKind::IngestionTime | ExprKind::Window { .. } => {
                self.fail(expr.span, "a column where a constant is expected");
                Code::atom("()")
            }
        }
    }

    /// The value of a constant binding by its name.
    fn named(&mut self, id: rulec_ir::BindingId, name: &str, value: &Value) -> Code {
        self.constant(id, name, value);
        match value {
            Value::String(_) => Code::call(format!("{}::string", self.root("Value")), [Code::atom(name)]),
            value if texts(value).is_some() => {
                self.root("Value");
                let list = Code::atom(format!("{name}.map(Value::string)"));
                let list = Code::call("Value::array", [list]);
                Code::atom(format!(
                    "{}.clone()",
                    self.lazy(&format!("{name}_list"), "Value", list)
                ))
            }
            Value::Array(_) | Value::Bag(_) | Value::Decimal(_) => Code::atom(format!("{name}.clone()")),
            _ => Code::atom(name),
        }
    }

    /// A literal of the language.
    pub(super) fn literal(&mut self, value: &Value) -> Code {
        self.root("Value");
        let simple =
            |variant: &str, text: String| Code::call(format!("Value::{variant}"), [Code::Atom(text)]);
        match value {
            Value::Null => Code::atom("Value::Null"),
            Value::Bool(b) => simple("Bool", b.to_string()),
            Value::Int(n) => simple("Int", grouped(i64::from(*n))),
            Value::Long(n) => simple("Long", grouped(*n)),
            Value::Real(x) => simple("Real", real(*x)),
            Value::DateTime(ticks) => simple("DateTime", grouped(*ticks)),
            Value::TimeSpan(ticks) => simple("TimeSpan", grouped(*ticks)),
            Value::Guid(guid) => simple("Guid", format!("{guid:#034x}")),
            Value::String(text) => Code::call("Value::string", [Code::string(text)]),
            Value::Decimal(_) => {
                let text = Code::call(
                    "Value::string",
                    [Code::string(&rulec_functions::text::print(value))],
                );
                let ty = self.ty(Type::Decimal);
                Code::call(self.kernel("convert::convert"), [text.by_ref(), ty])
            }
            Value::Array(items) => {
                let items = items.iter().map(|item| self.literal(item)).collect::<Vec<_>>();
                Code::call("Value::array", [Code::array(items)])
            }
            Value::Bag(bag) => {
                self.root("Bag");
                self.import("std::sync::Arc", "");
                let entries = bag
                    .iter()
                    .map(|(key, item)| {
                        let key = Code::call("Arc::from", [Code::string(key)]);
                        Code::tuple([key, self.literal(item)])
                    })
                    .collect::<Vec<_>>();
                let bag = Code::call("Bag::from_iter", [Code::array(entries)]);
                Code::call("Value::Bag", [Code::call("Arc::new", [bag])])
            }
        }
    }

    /// Whether a condition is true (`wanted`), or whether it is false: two
    /// questions, because null is neither.
    pub(super) fn condition(&mut self, scope: &mut Scope, row: LayoutId, expr: &Expr, wanted: bool) -> Code {
        match &expr.kind {
            ExprKind::Literal(Value::Bool(b)) => return Code::atom((*b == wanted).to_string()),
            ExprKind::Column(place) if expr.ty == Type::Bool => {
                let column = Code::atom(format!("row.bool({})", self.place(row, *place)));
                return Code::Binary("==", vec![column, Code::atom(format!("Some({wanted})"))]);
            }
            ExprKind::And(operands) | ExprKind::Or(operands) => {
                let and = matches!(expr.kind, ExprKind::And(_)) == wanted;
                return self.conditions(scope, row, operands, wanted, if and { "&&" } else { "||" });
            }
            ExprKind::Call { function, args } => {
                if let ("not", [arg]) = (function.name, &args[..]) {
                    return self.condition(scope, row, arg, !wanted);
                }
                if is_straight(function, args)
                    && !is_constant(expr)
                    && let Some((code, negative)) = self.straight(scope, row, function, args)
                {
                    return if negative == wanted { opposite(code) } else { code };
                }
            }
            _ => {}
        }
        let value = if is_constant(expr) {
            self.once(scope, expr)
        } else {
            self.plain_value(scope, row, expr)
        };
        let value = value.by_ref();
        let name = if wanted {
            self.short("ops", "holds")
        } else {
            self.short("emitted", "fails")
        };
        Code::call(name, [value])
    }

    fn conditions(
        &mut self,
        scope: &mut Scope,
        row: LayoutId,
        operands: &[Expr],
        wanted: bool,
        operator: &'static str,
    ) -> Code {
        let mut codes = Vec::new();
        for operand in operands {
            match self.condition(scope, row, operand, wanted) {
                Code::Binary(same, inner) if same == operator => codes.extend(inner),
                code @ Code::Binary("&&" | "||", _) => codes.push(Code::Paren(Box::new(code))),
                code => codes.push(code),
            }
        }
        Code::Binary(operator, codes)
    }

    /// A text for a comparison.
    fn text(&mut self, scope: &mut Scope, row: LayoutId, expr: &Expr) -> Text {
        let plain = match &expr.kind {
            ExprKind::Column(place) if expr.ty == Type::String => {
                Some(Code::atom(format!("row.str({})", self.place(row, *place))))
            }
            ExprKind::Literal(Value::String(text)) => Some(Code::string(text)),
            ExprKind::Binding(id) => match self.bound(*id) {
                Some(Bound::Constant {
                    name,
                    value: value @ Value::String(_),
                }) => {
                    self.constant(*id, &name, &value);
                    Some(Code::atom(name))
                }
                _ => None,
            },
            _ => None,
        };
        if let Some(code) = plain {
            return Text { code, plain: true };
        }
        // The text of a value is what `tostring` gives, too.
        let of = match &expr.kind {
            ExprKind::Call { function, args } if function.name == "tostring" && args.len() == 1 => &args[0],
            _ => expr,
        };
        let value = self.value(scope, row, of).by_ref();
        Text {
            code: Code::call(self.kernel("text::borrow"), [value]).by_ref(),
            plain: false,
        }
    }

    /// An operator on text as a plain condition, and whether it was the
    /// negative one.
    fn straight(
        &mut self,
        scope: &mut Scope,
        row: LayoutId,
        function: &ScalarFunction,
        args: &[Expr],
    ) -> Option<(Code, bool)> {
        let name = function.name;
        let (positive, negative) = match name.strip_prefix('!') {
            Some("=") | None => (name, false),
            Some("~") => ("=~", true),
            Some(rest) => (rest, true),
        };
        let (first, rest) = args.split_first()?;
        if matches!(positive, "in" | "in~") {
            return Some((self.listed(scope, row, positive == "in~", first, rest)?, negative));
        }
        if matches!(positive, "isempty" | "isnotempty") {
            let text = self.text(scope, row, first).code;
            return Some((is_empty(text)?, positive == "isnotempty"));
        }
        let (a, b) = (self.text(scope, row, first), self.text(scope, row, rest.first()?));
        if matches!(positive, "==" | "!=") {
            let nothing = |text: &Text| matches!(&text.code, Code::Atom(code) if code == "\"\"");
            let other = match (nothing(&a), nothing(&b)) {
                (false, true) => Some(&a),
                (true, false) => Some(&b),
                _ => None,
            };
            if let Some(other) = other.filter(|other| other.plain) {
                return Some((is_empty(other.code.clone())?, positive == "!="));
            }
            let code = (a.plain && b.plain).then(|| Code::Binary("==", vec![a.code, b.code]))?;
            return Some((code, positive == "!="));
        }
        let (path, ends) = match positive {
            "=~" => ("fold::eq_fold", None),
            "contains" => ("fold::contains_fold", None),
            "startswith" => ("fold::starts_fold", None),
            "endswith" => ("fold::ends_fold", None),
            "has" => ("fold::has_term_fold", Some("TERM")),
            "hasprefix" => ("fold::has_term_fold", Some("PREFIX")),
            "hassuffix" => ("fold::has_term_fold", Some("SUFFIX")),
            "has_cs" => ("fold::has_term", Some("TERM")),
            "hasprefix_cs" => ("fold::has_term", Some("PREFIX")),
            "hassuffix_cs" => ("fold::has_term", Some("SUFFIX")),
            _ => return None,
        };
        let path = path.rsplit("::").next().unwrap_or_default();
        self.import(&format!("rulec_functions::fold::{path}"), "");
        let ends = ends.map(|ends| {
            self.import("rulec_functions::fold::Ends", "");
            Code::atom(format!("Ends::{ends}"))
        });
        Some((
            Code::call(path, [a.code, b.code].into_iter().chain(ends)),
            negative,
        ))
    }

    /// `in` and `in~` over lists that are known before the rows are.
    fn listed(
        &mut self,
        scope: &mut Scope,
        row: LayoutId,
        folded: bool,
        needle: &Expr,
        list: &[Expr],
    ) -> Option<Code> {
        let strings = list
            .iter()
            .map(|item| match self.folded(item)? {
                Value::String(text) => Some(vec![text.to_string()]),
                value => Some(texts(&value)?.into_iter().map(str::to_owned).collect()),
            })
            .collect::<Option<Vec<_>>>();
        let Some(strings) = strings.map(|strings| strings.concat()) else {
            let [list] = list else { return None };
            let list = self.inline(scope, list);
            let made = if folded { "Among::folded" } else { "Among::exact" };
            let list = Code::call(self.helper(made), [list]);
            let name = scope.once("listed", list);
            let value = self.value(scope, row, needle).by_ref();
            return Some(Code::call(format!("{name}.contains"), [value]));
        };
        let text = self.text(scope, row, needle);
        // A list with a name goes by its name.
        let named = match list {
            [
                Expr {
                    kind: ExprKind::Binding(id),
                    ..
                },
            ] => match self.bound(*id) {
                Some(Bound::Constant { name, value }) if texts(&value).is_some() => {
                    self.constant(*id, &name, &value);
                    Some(name)
                }
                _ => None,
            },
            _ => None,
        };
        let items = match &named {
            Some(name) => Code::atom(name.clone()),
            None => Code::array(strings.iter().map(|text| Code::string(text))),
        };
        if strings.len() < LONG_LIST {
            let name = self.short("emitted", if folded { "one_of_fold" } else { "one_of" });
            return Some(Code::call(name, [text.code, items.by_ref()]));
        }
        let ty = self.root("TextSet");
        let made = Code::call(
            if folded {
                "TextSet::folded"
            } else {
                "TextSet::exact"
            },
            [items],
        );
        let wish = named.map_or("set".to_owned(), |name| format!("{name}_set"));
        let set = self.lazy(&wish, ty, made);
        Some(Code::call(format!("{set}.contains"), [text.code]))
    }
}

/// Whether a plain text is empty.
fn is_empty(text: Code) -> Option<Code> {
    let Code::Atom(text) = text else { return None };
    // A chain of more than this many characters would be broken.
    Some(if text.len() > 48 {
        Code::call("str::is_empty", [Code::Atom(text)])
    } else {
        Code::atom(format!("{text}.is_empty()"))
    })
}

/// The parameter of a closure over rows, which may be nothing to the expression.
pub(super) fn row_of(expr: &Expr) -> &'static str {
    if reads_row(expr) { "|row|" } else { "|_|" }
}

fn parts(expr: &Expr) -> &[Expr] {
    match &expr.kind {
        ExprKind::Call { args, .. }
        | ExprKind::Window { args, .. }
        | ExprKind::And(args)
        | ExprKind::Or(args) => args,
        _ => &[],
    }
}

fn any(expr: &Expr, test: &dyn Fn(&Expr) -> bool) -> bool {
    let mut todo = vec![expr];
    while let Some(next) = todo.pop() {
        if test(next) {
            return true;
        }
        todo.extend(parts(next));
    }
    false
}

fn reads_row(expr: &Expr) -> bool {
    any(expr, &|part| {
        matches!(part.kind, ExprKind::Column(_) | ExprKind::IngestionTime)
    })
}

/// Whether the value is the same for all rows of a run.
pub(super) fn is_constant(expr: &Expr) -> bool {
    !any(expr, &|part| match &part.kind {
        ExprKind::Column(_) | ExprKind::IngestionTime | ExprKind::Window { .. } => true,
        ExprKind::Call { function, .. } => !support::is_pure(function),
        _ => false,
    })
}

/// Whether a constant depends on the run: its time, its tables.
fn is_of_run(emitter: &mut Emitter<'_>, expr: &Expr) -> bool {
    let mut todo = vec![expr];
    while let Some(next) = todo.pop() {
        let of_run = match &next.kind {
            ExprKind::Now | ExprKind::ToScalar(_) | ExprKind::List(_) => true,
            ExprKind::Binding(id) => matches!(emitter.bound(*id), Some(Bound::Function(_)) | None),
            _ => false,
        };
        if of_run {
            return true;
        }
        todo.extend(parts(next));
    }
    false
}

/// Whether an operator gives true or false and never null, and
/// [`Emitter::straight`] may know it.
fn is_straight(function: &ScalarFunction, args: &[Expr]) -> bool {
    let text = |expr: &Expr| {
        expr.ty == Type::String
            && matches!(
                expr.kind,
                ExprKind::Column(_) | ExprKind::Literal(_) | ExprKind::Binding(_)
            )
    };
    match function.name.trim_start_matches('!') {
        "=~" | "~" | "contains" | "startswith" | "endswith" | "has" | "hasprefix" | "hassuffix"
        | "has_cs" | "hasprefix_cs" | "hassuffix_cs" => args.len() == 2,
        "==" | "=" => args.len() == 2 && args.iter().all(text),
        "isempty" | "isnotempty" => {
            matches!(args, [arg] if text(arg) && matches!(arg.kind, ExprKind::Column(_)))
        }
        "in" => args.first().is_some_and(text) && args[1..].iter().all(is_constant),
        "in~" => !args.is_empty() && args[1..].iter().all(is_constant),
        _ => false,
    }
}

/// Whether a condition is never null, all the way down.
fn is_total(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::And(operands) | ExprKind::Or(operands) => operands.iter().all(is_total),
        ExprKind::Call { function, args } => match (function.name, &args[..]) {
            ("not", [arg]) => is_total(arg),
            // A list that mixes texts with others goes through values.
            ("in" | "!in" | "in~" | "!in~", [_, list @ ..]) => {
                is_straight(function, args) && (list.len() == 1 || list.iter().all(is_text_literal))
            }
            ("==" | "!=", _) => is_straight(function, args) && args.iter().all(is_text_or_column),
            _ => is_straight(function, args),
        },
        _ => false,
    }
}

fn is_text_literal(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Literal(Value::String(_)))
}

fn is_text_or_column(expr: &Expr) -> bool {
    is_text_literal(expr) || matches!(expr.kind, ExprKind::Column(_))
}

fn opposite(code: Code) -> Code {
    match code {
        Code::Prefix("!", inner) => *inner,
        Code::Binary("==", operands) => Code::Binary("!=", operands),
        code => code.negated(),
    }
}

/// A number of Rust that is the same `f64`.
fn real(x: f64) -> String {
    if x.is_nan() {
        "f64::NAN".to_owned()
    } else if x == f64::INFINITY {
        "f64::INFINITY".to_owned()
    } else if x == f64::NEG_INFINITY {
        "f64::NEG_INFINITY".to_owned()
    } else {
        format!("{x:?}")
    }
}
