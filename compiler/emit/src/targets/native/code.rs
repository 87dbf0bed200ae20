//! Rust as a tree, and its layout.
//!
//! In: expressions and statements. Out: their text, laid out as rustfmt lays
//! it out under its default settings, so that emitted files are formatted
//! without a tool at hand. Only the few shapes that emitted rules consist of
//! are known here. Where rustfmt gives a statement up, because a literal is
//! longer than a line, any layout will do.
//!
//! Names of rustfmt's own settings stand behind the numbers: `max_width`,
//! `fn_call_width`, `array_width`, `short_array_element_width_threshold`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// `max_width`.
const MAX_WIDTH: usize = 100;
/// `fn_call_width` and `array_width`.
const LIST_WIDTH: usize = 60;
/// `short_array_element_width_threshold`.
const SHORT_ITEM: usize = 10;
/// `tab_spaces`.
const TAB: usize = 4;
/// Expressions nested deeper than this are not laid out: long before, they
/// would be indented past the end of the line, and rustfmt gives them up.
const DEEPEST: usize = 100;

/// An expression.
#[derive(Clone, Debug)]
pub(super) enum Code {
    /// A path, a literal, or a method call on a path: never broken.
    Atom(String),
    /// `callee(args)`; an array is a call of nothing in brackets, a tuple one in parentheses.
    Call {
        callee: String,
        open: &'static str,
        args: Vec<Code>,
    },
    /// `|row| body`.
    Closure { params: &'static str, body: Box<Code> },
    /// `|t| { … }`, with comments or several statements.
    Block {
        params: &'static str,
        statements: Vec<Statement>,
    },
    /// `&` or `!` and an expression.
    Prefix(&'static str, Box<Code>),
    /// `expression?`.
    Try(Box<Code>),
    /// Two or more operands of the same operator.
    Binary(&'static str, Vec<Code>),
    /// `(expression)`.
    Paren(Box<Code>),
    /// `Name { field: value, … }`, always on several lines.
    Struct {
        name: &'static str,
        fields: Vec<(&'static str, Code)>,
    },
}

/// A statement, or a comment between statements.
#[derive(Clone, Debug)]
pub(super) enum Statement {
    /// `// text`.
    Comment(String),
    /// `let name = value;`
    Let { name: String, value: Code },
    /// The value of the block.
    Tail(Code),
}

impl Code {
    pub(super) fn atom(text: impl Into<String>) -> Self {
        Code::Atom(text.into())
    }

    pub(super) fn call(callee: impl Into<String>, args: impl IntoIterator<Item = Code>) -> Self {
        Code::Call {
            callee: callee.into(),
            open: "(",
            args: args.into_iter().collect(),
        }
    }

    pub(super) fn array(items: impl IntoIterator<Item = Code>) -> Self {
        Code::Call {
            callee: String::new(),
            open: "[",
            args: items.into_iter().collect(),
        }
    }

    /// `vec![…]`.
    pub(super) fn vec(items: impl IntoIterator<Item = Code>) -> Self {
        Code::Call {
            callee: "vec!".to_owned(),
            open: "[",
            args: items.into_iter().collect(),
        }
    }

    /// `&[…]`.
    pub(super) fn slice(items: impl IntoIterator<Item = Code>) -> Self {
        Self::array(items).by_ref()
    }

    pub(super) fn tuple(items: impl IntoIterator<Item = Code>) -> Self {
        Self::call("", items)
    }

    pub(super) fn closure(params: &'static str, body: Code) -> Self {
        Code::Closure {
            params,
            body: Box::new(body),
        }
    }

    pub(super) fn by_ref(self) -> Self {
        Code::Prefix("&", Box::new(self))
    }

    pub(super) fn negated(self) -> Self {
        Code::Prefix("!", Box::new(self))
    }

    pub(super) fn tried(self) -> Self {
        Code::Try(Box::new(self))
    }

    /// A string literal. Raw where that spares escapes; ASCII, so that nothing
    /// in it can look like something else.
    pub(super) fn string(text: &str) -> Self {
        Code::Atom(string_literal(text))
    }

    fn is_simple(&self) -> bool {
        match self {
            Code::Atom(text) => {
                let is_literal = ["\"", "r\"", "r#"].iter().any(|start| text.starts_with(start))
                    || text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
                is_literal || !text.contains(['(', ':', '.'])
            }
            Code::Prefix(_, inner) | Code::Try(inner) => inner.is_simple(),
            _ => false,
        }
    }

    fn is_nested_call(&self) -> bool {
        match self {
            Code::Call { callee, open, .. } => !callee.is_empty() && (*open == "(" || callee.ends_with('!')),
            Code::Prefix(_, inner) | Code::Try(inner) => inner.is_nested_call(),
            _ => false,
        }
    }

    /// Whether the last of `count` arguments may begin on the line of the call
    /// and go on below it.
    fn may_overflow(&self, count: usize) -> bool {
        match self {
            Code::Closure { .. } | Code::Block { .. } => true,
            Code::Call { .. } | Code::Struct { .. } => count == 1,
            // A method call is one too, but never goes on below.
            Code::Prefix(_, inner) | Code::Try(inner) => inner.may_overflow(count),
            Code::Atom(_) | Code::Binary(..) | Code::Paren(_) => false,
        }
    }

    /// The expression on one line; statements within have lines of their own.
    pub(super) fn flat(&self) -> String {
        let list = |items: &[Code]| items.iter().map(Code::flat).collect::<Vec<_>>().join(", ");
        match self {
            Code::Atom(text) => text.clone(),
            Code::Call { callee, open, args } => {
                let close = if *open == "[" { "]" } else { ")" };
                format!("{callee}{open}{}{close}", list(args))
            }
            Code::Closure { params, body } => format!("{params} {}", body.flat()),
            Code::Block {
                params,
                statements: list,
            } => block(params, &statements(list, TAB), 0),
            Code::Prefix(prefix, inner) => format!("{prefix}{}", inner.flat()),
            Code::Try(inner) => format!("{}?", inner.flat()),
            Code::Paren(inner) => format!("({})", inner.flat()),
            Code::Binary(operator, operands) => {
                let operands = operands.iter().map(Code::flat).collect::<Vec<_>>();
                operands.join(&format!(" {operator} "))
            }
            Code::Struct { name, fields } => {
                let fields = fields
                    .iter()
                    .map(|(field, value)| format!("{field}: {}", value.flat()));
                format!("{name} {{ {} }}", fields.collect::<Vec<_>>().join(", "))
            }
        }
    }

    fn is_closure(&self) -> bool {
        matches!(self, Code::Closure { .. } | Code::Block { .. })
    }
}

/// A literal of Rust that means `text`.
pub(super) fn string_literal(text: &str) -> String {
    let plain = text.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    if plain && text.contains(['\\', '"']) {
        let mut hashes = String::new();
        while text.contains(&format!("\"{hashes}")) {
            hashes.push('#');
        }
        return format!("r{hashes}\"{text}\"{hashes}");
    }
    let mut literal = String::from("\"");
    for c in text.chars() {
        if c.is_ascii() {
            // Apostrophes need no escape in strings.
            if c == '\'' {
                literal.push(c);
            } else {
                literal.extend(c.escape_default());
            }
        } else {
            literal.extend(c.escape_unicode());
        }
    }
    literal.push('"');
    literal
}

/// A whole number with its digits in groups of three.
pub(super) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

/// Where an expression stands: how far its block is indented, the column it
/// begins at, and the column it has to end before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Shape {
    indent: usize,
    start: usize,
    end: usize,
}

impl Shape {
    fn block(indent: usize, reserved: usize) -> Self {
        Self {
            indent,
            start: indent,
            end: MAX_WIDTH - reserved,
        }
    }

    fn width(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    fn after(self, columns: usize) -> Option<Self> {
        let start = self.start + columns;
        (start <= self.end).then_some(Self { start, ..self })
    }

    fn before(self, columns: usize) -> Option<Self> {
        let end = self.end.checked_sub(columns)?;
        (self.start <= end).then_some(Self { end, ..self })
    }
}

/// Lays out; remembers what it has laid out, because the same expression is
/// tried in several places.
#[derive(Debug, Default)]
struct Layout {
    /// Whether literals may stick out.
    forced: bool,
    /// How deep the expression at hand is nested.
    depth: Cell<usize>,
    known: RefCell<HashMap<(usize, Shape), Option<String>>>,
}

/// The statements, each on lines of its own at an indentation.
pub(super) fn statements(list: &[Statement], indent: usize) -> String {
    let mut text = String::new();
    let pad = " ".repeat(indent);
    for statement in list {
        text.push_str(&pad);
        match statement {
            Statement::Comment(comment) => text.push_str(format!("// {comment}").trim_end()),
            Statement::Let { name, value } => {
                text.push_str(&assignment(&format!("let {name}"), value, indent));
            }
            Statement::Tail(value) => text.push_str(&laid_out(value, Shape::block(indent, 0))),
        }
        text.push('\n');
    }
    text
}

/// `left = value;`
pub(super) fn assignment(left: &str, value: &Code, indent: usize) -> String {
    let try_with = |layout: &Layout| layout.right_side(indent + left.len() + 3, value, indent);
    let right = try_with(&Layout::default())
        .or_else(|| try_with(&Layout::forced()))
        .unwrap_or_default();
    format!("{left} ={right};")
}

fn laid_out(value: &Code, shape: Shape) -> String {
    Layout::default()
        .code(value, shape)
        .or_else(|| Layout::forced().code(value, shape))
        .unwrap_or_default()
}

impl Layout {
    fn forced() -> Self {
        Self {
            forced: true,
            ..Self::default()
        }
    }

    /// What follows the `=`, with the blank or line break before it.
    fn right_side(&self, start: usize, value: &Code, indent: usize) -> Option<String> {
        let here = Shape {
            start,
            ..Shape::block(indent, 1)
        };
        let beside = here.after(0).and_then(|here| self.code(value, here));
        if let Some(text) = beside.as_ref().filter(|text| !text.contains('\n')) {
            return Some(format!(" {text}"));
        }
        let below = self.code(value, Shape::block(indent + TAB, 1));
        let broken = |text: &str| format!("\n{}{text}", " ".repeat(indent + TAB));
        match (beside, below) {
            (Some(beside), Some(below)) if prefers_below(&beside, &below) => Some(broken(&below)),
            (None, Some(below)) => Some(broken(&below)),
            (Some(beside), _) => Some(format!(" {beside}")),
            (None, None) => None,
        }
    }

    fn code(&self, code: &Code, shape: Shape) -> Option<String> {
        if let Code::Atom(text) = code {
            return (self.forced || text.len() <= shape.width()).then(|| text.clone());
        }
        let key = (std::ptr::from_ref(code) as usize, shape);
        if let Some(known) = self.known.borrow().get(&key) {
            return known.clone();
        }
        let depth = self.depth.get();
        if depth > DEEPEST {
            return self.forced.then(|| code.flat());
        }
        self.depth.set(depth + 1);
        let text = self.compound(code, shape);
        self.depth.set(depth);
        self.known.borrow_mut().insert(key, text.clone());
        text
    }

    fn compound(&self, code: &Code, shape: Shape) -> Option<String> {
        match code {
            Code::Atom(text) => Some(text.clone()),
            Code::Call { callee, open, args } => self.call(callee, open, args, shape),
            Code::Closure { params, body } => Some(self.closure(params, body, shape)),
            Code::Block {
                params,
                statements: list,
            } => Some(block(params, &statements(list, shape.indent + TAB), shape.indent)),
            Code::Prefix(prefix, inner) => {
                let inner = self.code(inner, self.room(shape.after(prefix.len()), shape)?)?;
                Some(format!("{prefix}{inner}"))
            }
            Code::Try(inner) => {
                let inner = self.code(inner, self.room(shape.before(1), shape)?)?;
                Some(format!("{inner}?"))
            }
            Code::Paren(inner) => {
                let within = shape.after(1).and_then(|shape| shape.before(1));
                let inner = self.code(inner, self.room(within, shape)?)?;
                Some(format!("({inner})"))
            }
            Code::Binary(operator, operands) => self.binary(operator, operands, shape),
            Code::Struct { name, fields } => {
                let inner = Shape::block(shape.indent + TAB, 1);
                let mut text = format!("{name} {{\n");
                for (field, value) in fields {
                    let value = self.code(value, self.room(inner.after(field.len() + 2), inner)?)?;
                    text.push_str(&" ".repeat(inner.indent));
                    if value == *field {
                        text.push_str(&format!("{field},\n"));
                    } else {
                        text.push_str(&format!("{field}: {value},\n"));
                    }
                }
                text.push_str(&" ".repeat(shape.indent));
                text.push('}');
                Some(text)
            }
        }
    }

    /// A narrower shape; where there is no room any more, only a forced layout goes on.
    fn room(&self, narrower: Option<Shape>, shape: Shape) -> Option<Shape> {
        narrower.or_else(|| self.forced.then_some(shape))
    }

    fn call(&self, callee: &str, open: &str, args: &[Code], shape: Shape) -> Option<String> {
        let close = if open == "[" { "]" } else { ")" };
        if args.is_empty() {
            return Some(format!("{callee}{open}{close}"));
        }
        let one_line_width = shape.width().saturating_sub(callee.len() + 2);
        let one_line = shape
            .after(callee.len() + 1)
            .and_then(|shape| shape.before(1))
            .unwrap_or(Shape {
                end: shape.start,
                ..shape
            });
        let nested = Shape::block((shape.indent + TAB).min(MAX_WIDTH - 1), 1);
        let nested = Shape {
            indent: shape.indent + TAB,
            ..nested
        };
        let mut items = args.iter().map(|arg| self.code(arg, nested)).collect::<Vec<_>>();
        let (Some(last), Some(place)) = (args.last(), items.len().checked_sub(1)) else {
            return None;
        };

        let overflow = (args.len() == 1 && callee.len() < TAB) || last.may_overflow(args.len());
        let mut overflowed = None;
        if overflow {
            overflowed = self.overflowed(args, &items, one_line);
            if let Some(text) = &overflowed {
                items[place] = text.lines().next().map(str::to_owned);
            }
        }
        let horizontal = |items: &[Option<String>]| {
            let total: usize = items.iter().flatten().map(String::len).sum();
            let separators = 2 * (items.len() - 1);
            total + separators <= one_line_width.min(LIST_WIDTH)
                && !items.iter().flatten().any(|item| item.contains('\n'))
        };
        let mut way = if horizontal(&items) { Way::Line } else { Way::Lines };
        match (way, overflowed) {
            (Way::Line, Some(text)) if args.len() == 1 => {
                let below = self.code(last, nested).filter(|below| !below.contains('\n'));
                items[place] = match below {
                    Some(below) if text.matches('\n').count() == 1 => Some(below),
                    _ => Some(text),
                };
            }
            (Way::Line, Some(text)) => items[place] = Some(text),
            _ => {
                items[place] = self.code(last, nested);
                let single = match (&items[..], one_line_width) {
                    ([Some(item)], 1..) => !item.contains('\n') && item.len() <= one_line_width,
                    _ => false,
                };
                way = if single || horizontal(&items) {
                    Way::Line
                } else if args.iter().all(Code::is_simple)
                    && items.iter().flatten().all(|item| item.len() <= SHORT_ITEM)
                {
                    Way::Filled
                } else {
                    Way::Lines
                };
            }
        }
        let items = items.into_iter().collect::<Option<Vec<_>>>()?;
        let body = match way {
            Way::Line => items.join(", "),
            Way::Lines | Way::Filled => broken(&items, way, nested),
        };
        let pad = " ".repeat(shape.indent);
        Some(match way {
            Way::Line => format!("{callee}{open}{body}{close}"),
            Way::Lines | Way::Filled => format!("{callee}{open}\n{body}\n{pad}{close}"),
        })
    }

    /// The last argument, begun on the line of the call.
    fn overflowed(&self, args: &[Code], items: &[Option<String>], one_line: Shape) -> Option<String> {
        let (last, before) = args.split_last()?;
        let shape = if before.is_empty() && !last.is_nested_call() {
            one_line
        } else {
            let taken = items
                .iter()
                .take(before.len())
                .flatten()
                .map(|item| 2 + item.len())
                .sum();
            let end = one_line.end.min(one_line.start + LIST_WIDTH);
            Shape { end, ..one_line }.after(taken)?
        };
        if last.is_closure() && before.iter().any(Code::is_closure) {
            return None;
        }
        self.code(last, shape)
    }

    fn closure(&self, params: &str, body: &Code, shape: Shape) -> String {
        let beside = shape
            .after(params.len() + 1)
            .and_then(|shape| self.code(body, shape));
        if let Some(text) = beside.filter(|text| !text.contains('\n') || may_go_on(body)) {
            return format!("{params} {text}");
        }
        let inner = Shape::block(shape.indent + TAB, 0);
        let body = self.code(body, inner).unwrap_or_else(|| laid_out(body, inner));
        let body = format!("{}{body}\n", " ".repeat(inner.indent));
        block(params, &body, shape.indent)
    }

    fn binary(&self, operator: &str, operands: &[Code], shape: Shape) -> Option<String> {
        let nested = Shape {
            indent: shape.indent + TAB,
            start: shape.indent + TAB,
            end: shape.end,
        };
        let (first, others) = operands.split_first()?;
        let first = self.code(first, shape)?;
        let behind = self.room(nested.after(operator.len() + 1), nested)?;
        let others = others
            .iter()
            .map(|operand| Some((operand, self.code(operand, behind)?)))
            .collect::<Option<Vec<_>>>()?;
        let total: usize = others
            .iter()
            .map(|(_, text)| text.len() + operator.len() + 2)
            .sum();
        let on_one_line = !first.contains('\n')
            && !others.iter().any(|(_, text)| text.contains('\n'))
            && first.len() + total <= shape.width();
        let mut text = first;
        for (operand, operand_text) in others {
            if on_one_line {
                text.push_str(&format!(" {operator} {operand_text}"));
                continue;
            }
            let last = text.lines().next_back().unwrap_or_default().len();
            let offset = if text.contains('\n') { 0 } else { shape.start };
            if last + offset <= nested.start {
                // After a closing parenthesis the next operand stays on its line.
                let taken = text.lines().next_back().unwrap_or_default().trim_start().len();
                let beside = shape.after(operator.len() + 2 + taken);
                if let Some(beside) = beside.and_then(|shape| self.code(operand, shape)) {
                    text.push_str(&format!(" {operator} {beside}"));
                    continue;
                }
            }
            text.push_str(&format!(
                "\n{}{operator} {operand_text}",
                " ".repeat(nested.indent)
            ));
        }
        Some(text)
    }
}

/// How the items of a list are put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Line,
    Lines,
    /// As many short items on a line as there is room for.
    Filled,
}

fn broken(items: &[String], way: Way, nested: Shape) -> String {
    let pad = " ".repeat(nested.indent);
    if way == Way::Lines {
        let lines = items.iter().map(|item| format!("{pad}{item},"));
        return lines.collect::<Vec<_>>().join("\n");
    }
    let mut text = pad.clone();
    let mut line = 0;
    for item in items {
        let width = item.len() + 1;
        if line > 0 && line + 1 + width > nested.width() {
            text.push('\n');
            text.push_str(&pad);
            line = 0;
        } else if line > 0 {
            text.push(' ');
            line += 1;
        }
        text.push_str(item);
        text.push(',');
        line += width;
    }
    text
}

fn block(params: &str, body: &str, indent: usize) -> String {
    format!("{params} {{\n{body}{}}}", " ".repeat(indent))
}

/// Whether a closure's body may take several lines without a block.
fn may_go_on(body: &Code) -> bool {
    match body {
        Code::Struct { .. } | Code::Block { .. } => true,
        Code::Prefix(_, inner) | Code::Try(inner) => may_go_on(inner),
        _ => false,
    }
}

fn prefers_below(beside: &str, below: &str) -> bool {
    let first_ends = |text: &str, with: char| text.lines().next().is_some_and(|line| line.ends_with(with));
    let lines = |text: &str| text.matches('\n').count();
    !below.contains('\n')
        || lines(beside) > lines(below) + 1
        || ['(', '{', '[']
            .into_iter()
            .any(|with| first_ends(beside, with) && !first_ends(below, with))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals() {
        for (text, literal) in [
            ("a", "\"a\""),
            ("it's", "\"it's\""),
            (r"C:\x", "r\"C:\\x\""),
            ("a\"b", "r#\"a\"b\"#"),
            ("a\"#b", "r##\"a\"#b\"##"),
            ("a\n\"", "\"a\\n\\\"\""),
            ("é", "\"\\u{e9}\""),
        ] {
            assert_eq!(string_literal(text), literal);
        }
        assert_eq!(
            [0, 999, -1000, i64::MIN].map(grouped),
            ["0", "999", "-1_000", "-9_223_372_036_854_775_808"]
        );
    }
}
