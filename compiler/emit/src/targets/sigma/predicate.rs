//! From predicates over a table's columns to conditions on a log source's fields.
//!
//! In: terms, a log source with its fields, and the character that separates
//! paths. Out: a [`Cond`] that holds for the same events, or why there is none.
//! Losses are collected on the way; each is said once.
//!
//! A path's last part cannot hold the separator, so a condition on a name is a
//! condition on the end of the path: equality is `endswith '\name'`, and where
//! the name's own beginning matters, a regular expression that stays behind
//! the last separator. In the same way a registry key is what stands before
//! the last backslash of `key\value`.
//!
//! Kusto's strings are never null: a missing one is empty, so a negated
//! comparison holds for it, as it does in Sigma. An order holds for no null,
//! negated or not, which is why `not(x < 3)` becomes `gte` and not `not … lt`.

use std::rc::Rc;

use rulec_facts::sigma::{Field, Form, LogSource};
use rulec_functions::{Type, Value, text};
use rulec_ir::Column;
use rulec_source::Span;

use super::cond::{Cond, Item, Op, guards};
use super::flow::{Refusal, Said};
use super::parts::{Match, TextOp, algorithm, cidr, hive, last_part, list_of, missing, number, text_op};
use super::regexes::{self, Pattern, escape, no_term};
use super::term::{Term, TermKind};
use super::value::Scalar;
use crate::codes::SIGMA_FIELD;
use crate::{Effect, Loss};

/// What registry keys are followed by in their field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Registry {
    /// `key\value`
    Value,
    /// `key`
    Key,
    /// One or the other.
    Either,
}

pub(super) struct Translator<'a, 'l> {
    pub(super) source: &'a LogSource,
    pub(super) columns: &'l [Column],
    /// What separates the parts of a path on the system the rule is for.
    pub(super) separator: char,
    pub(super) registry: Registry,
    /// What becomes of the rule where a field is never written.
    pub(super) absent: Effect,
    /// Whether what is read stands under a negation that is put around it.
    pub(super) flipped: bool,
    pub(super) losses: &'l mut Vec<Loss>,
}

/// What an operand is, when it is a field.
struct Operand<'a> {
    column: String,
    field: &'a Field,
    /// The field's name, with the path into a document.
    name: String,
    ty: Type,
    /// `tolower` or `toupper` around it.
    folded: Option<bool>,
}

impl<'a> Translator<'a, '_> {
    pub(super) fn lose(
        &mut self,
        construct: impl Into<String>,
        effect: Effect,
        why: impl Into<String>,
        span: Span,
    ) {
        let loss = Loss::new(construct, effect, why).at(span);
        if !self.losses.contains(&loss) {
            self.losses.push(loss);
        }
    }

    /// The condition that a term says.
    pub(super) fn cond(&mut self, term: &Rc<Term>, negated: bool) -> Said<Cond> {
        let span = term.span;
        if let Some(value) = term.as_bool() {
            // Null negated is null, which holds for no row either.
            let null = matches!(term.kind, TermKind::Literal(Value::Null));
            return Ok(Cond::Bool(!null && value != negated));
        }
        match &term.kind {
            TermKind::And(parts) | TermKind::Or(parts) => {
                let and = matches!(term.kind, TermKind::And(_));
                // A negation goes inwards only as far as it reads better: the
                // whole is negated, and orders within are turned round.
                if negated && !has_order(term) {
                    self.flipped = !self.flipped;
                    let found = self.cond(term, false);
                    self.flipped = !self.flipped;
                    return Ok(found?.not());
                }
                let mut all = Vec::with_capacity(parts.len());
                for part in parts {
                    all.push(self.cond(part, negated)?);
                }
                Ok(if and == negated {
                    Cond::any(all)
                } else {
                    Cond::all(all)
                })
            }
            TermKind::Call(function, args) => self.call(function.name, args, negated, term),
            TermKind::Column(_) => {
                let operand = self.operand(term)?;
                if operand.ty != Type::Bool {
                    return Err(computed("a condition that is no comparison", span));
                }
                let item = Item::new(&operand.name, Op::Equals, false, vec![Scalar::text("true")]);
                Ok(negate(Cond::Item(item), negated))
            }
            TermKind::Opaque(what) => Err(opaque(what, span)),
            TermKind::Watchlist(_) => Err(computed("a watchlist as a condition", span)),
            TermKind::Literal(_) | TermKind::Now | TermKind::Ingestion => {
                Err(computed("a condition that is no comparison", span))
            }
        }
    }

    fn call(&mut self, name: &str, args: &[Rc<Term>], negated: bool, term: &Rc<Term>) -> Said<Cond> {
        let span = term.span;
        // A comparison holds for no event without the field, its negation for all.
        let says_not = name.starts_with('!') || matches!(name, "isempty" | "isnull");
        let holds_for_none = (negated != says_not) == self.flipped;
        self.absent = if holds_for_none {
            Effect::Narrowed
        } else {
            Effect::Widened
        };
        match (name, args) {
            ("not", [inner]) => self.cond(inner, !negated),
            ("tobool" | "tostring", [inner]) if inner.ty == Type::Bool => self.cond(inner, negated),
            // What is null counts as false here, and so does what is said of a field that is not
            // there: an order is not turned round, which would hold for neither.
            ("coalesce", [inner, last]) if inner.ty == Type::Bool && is_false(last) => {
                if negated {
                    self.flipped = !self.flipped;
                }
                let found = self.cond(inner, false);
                if negated {
                    self.flipped = !self.flipped;
                }
                Ok(negate(found?, negated))
            }
            ("isempty" | "isnull", [arg]) => self.empty(arg, name == "isnull", negated),
            ("isnotempty" | "isnotnull", [arg]) => self.empty(arg, name == "isnotnull", !negated),
            ("matches regex", [arg, pattern]) => {
                let operand = self.operand(arg)?;
                let pattern = constant(pattern)?;
                Ok(negate(
                    self.regex(&operand, &text::print(&pattern), span)?,
                    negated,
                ))
            }
            ("<" | "<=" | ">" | ">=", [left, right]) => self.order(name, left, right, negated, span),
            ("between" | "!between", [arg, low, high]) => {
                let outside = (name == "!between") != negated;
                let (below, above) = if outside { ("<", ">") } else { (">=", "<=") };
                let low = self.order(below, arg, low, false, span)?;
                let high = self.order(above, arg, high, false, span)?;
                Ok(if outside {
                    Cond::any(vec![low, high])
                } else {
                    Cond::all(vec![low, high])
                })
            }
            (
                "ipv4_is_in_range" | "ipv6_is_in_range" | "ipv4_is_in_any_range" | "ipv6_is_in_any_range",
                [arg, ranges @ ..],
            ) => {
                let mut all = Vec::new();
                for range in ranges {
                    all.extend(list_of(&constant(range)?));
                }
                self.range(arg, &all, negated, span)
            }
            ("ipv4_is_private", [arg]) => {
                let private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];
                self.range(arg, &private.map(Value::string), negated, span)
            }
            _ => match text_op(name) {
                Some(op) => self.compare(&op, args, negated, span),
                None => Err(computed(format!("`{name}`"), span)),
            },
        }
    }

    /// Equality and the text operators.
    fn compare(&mut self, op: &TextOp, args: &[Rc<Term>], negated: bool, span: Span) -> Said<Cond> {
        let negated = negated != op.negated;
        let [left, rest @ ..] = args else {
            return Err(computed("a comparison", span));
        };
        // `'x' == column` is as good as the other way round.
        if let (Match::Equals, TermKind::Literal(_), [right]) = (op.how, &left.kind, rest)
            && !matches!(right.kind, TermKind::Literal(_))
        {
            let turned = [Rc::clone(right), Rc::clone(left)];
            return self.compare(op, &turned, negated != op.negated, span);
        }
        let operand = self.operand(left)?;
        let mut values = Vec::new();
        for value in rest {
            match &value.kind {
                TermKind::Watchlist(alias) if op.how == Match::Equals => {
                    return self.placeholder(&operand, alias, op.cased, negated, span);
                }
                TermKind::Column(_) | TermKind::Call(..) if op.how == Match::Equals && rest.len() == 1 => {
                    let other = self.operand(value)?;
                    return self.fields(&operand, &other, op.cased, negated, span);
                }
                _ => values.extend(list_of(&constant(value)?)),
            }
        }
        let mut parts = Vec::with_capacity(values.len());
        for value in &values {
            parts.push(self.one(op, &operand, value, span)?);
        }
        let cond = if op.all {
            Cond::all(parts)
        } else {
            Cond::any(parts)
        };
        Ok(negate(cond, negated))
    }

    /// One value of a comparison.
    fn one(&mut self, op: &TextOp, operand: &Operand<'_>, value: &Value, span: Span) -> Said<Cond> {
        match value {
            // Nothing equals null, and null has no parts.
            Value::Null => Ok(Cond::Bool(false)),
            Value::DateTime(_) | Value::TimeSpan(_) => Err(Refusal::new(
                "a comparison of times",
                format!(
                    "Sigma cannot compare the time in `{}` with another.",
                    operand.column
                ),
                span,
            )),
            Value::Array(_) | Value::Bag(_) => Err(computed("a comparison with a list or bag", span)),
            Value::Int(_) | Value::Long(_) | Value::Real(_) | Value::Decimal(_)
                if op.how == Match::Equals && operand.field.form == Form::Plain =>
            {
                let number = number(value).ok_or_else(|| computed("a number of this size", span))?;
                Ok(Cond::Item(Item::new(
                    &operand.name,
                    Op::Equals,
                    false,
                    vec![number],
                )))
            }
            other => {
                let mut cased = op.cased;
                let text = text::print(other);
                if let Some(lower) = operand.folded {
                    let same = if lower {
                        text.to_lowercase()
                    } else {
                        text.to_uppercase()
                    };
                    if same != text && cased {
                        return Ok(Cond::Bool(false));
                    }
                    cased = false;
                }
                self.text(op.how, cased, operand, &text, span)
            }
        }
    }

    fn text(&mut self, how: Match, cased: bool, operand: &Operand<'_>, text: &str, span: Span) -> Said<Cond> {
        let name = operand.name.as_str();
        let item = |op: Op, text: String| Cond::Item(Item::new(name, op, cased, vec![Scalar::Text(text)]));
        if text.is_empty() {
            return Ok(match how {
                Match::Equals => missing(name, true),
                _ => Cond::Bool(true),
            });
        }
        match operand.field.form {
            Form::Plain => Ok(match how {
                Match::Equals => item(Op::Equals, text.to_owned()),
                Match::Contains => item(Op::Contains, text.to_owned()),
                Match::StartsWith => item(Op::StartsWith, text.to_owned()),
                Match::EndsWith => item(Op::EndsWith, text.to_owned()),
                Match::Term { start, end } => item(Op::Terms { start, end }, text.to_owned()),
            }),
            Form::FileName => Ok(last_part(name, self.separator, how, cased, text)),
            Form::AccountName => Ok(last_part(name, '\\', how, cased, text)),
            Form::RegistryValue => {
                if self.registry != Registry::Value {
                    let why = "The log source holds keys as well as values, and does not say which is which.";
                    self.lose(format!("`{}`", operand.column), Effect::Widened, why, span);
                }
                Ok(last_part(name, '\\', how, cased, text))
            }
            Form::RegistryKey => Ok(self.registry_key(operand, how, cased, text, span)),
            Form::RegistryData => {
                let number = text
                    .parse::<u32>()
                    .ok()
                    .filter(|number| number.to_string() == text);
                match (how, number) {
                    (Match::Equals, Some(number)) => {
                        let why = "Sysmon writes the number of a DWORD so; the same number of another type is not found.";
                        self.lose(format!("`{}`", operand.column), Effect::Narrowed, why, span);
                        Ok(item(Op::Equals, format!("DWORD (0x{number:08x})")))
                    }
                    (_, Some(_)) => Err(computed("a part of a number in the registry", span)),
                    (_, None) => {
                        let plain = Field {
                            form: Form::Plain,
                            ..operand.field.clone()
                        };
                        let operand = Operand {
                            column: operand.column.clone(),
                            field: &plain,
                            name: operand.name.clone(),
                            ty: operand.ty,
                            folded: operand.folded,
                        };
                        self.text(how, cased, &operand, text, span)
                    }
                }
            }
            Form::Md5 | Form::Sha1 | Form::Sha256 => match how {
                Match::Equals | Match::StartsWith | Match::Term { .. } => {
                    let hash = format!("{}={text}", algorithm(operand.field.form));
                    // The sensor decides the case of the digits.
                    Ok(Cond::Item(Item::new(
                        name,
                        Op::Contains,
                        false,
                        vec![Scalar::Text(hash)],
                    )))
                }
                _ => Err(computed("a part of a hash", span)),
            },
            Form::Values => {
                let known = operand.field.values.iter().find(|(value, _)| {
                    if cased {
                        **value == *text
                    } else {
                        value.eq_ignore_ascii_case(text)
                    }
                });
                match (how, known) {
                    (Match::Equals, Some((_, value))) => Ok(Cond::Item(Item::new(
                        name,
                        Op::Equals,
                        false,
                        vec![Scalar::text(value.as_str())],
                    ))),
                    _ => Err(Refusal::new(
                        format!("`{}`", operand.column),
                        format!("It is not known which value of the Sigma field {name} stands for `{text}`."),
                        span,
                    )
                    .code(SIGMA_FIELD)),
                }
            }
            Form::Json => Err(document(operand, span)),
        }
    }

    fn registry_key(
        &mut self,
        operand: &Operand<'_>,
        how: Match,
        cased: bool,
        text: &str,
        span: Span,
    ) -> Cond {
        let name = operand.name.as_str();
        let text = hive(text);
        let (start, end) = match how {
            Match::Equals => ("^", ""),
            Match::StartsWith => ("^", ".*"),
            Match::EndsWith => ("", ""),
            Match::Contains | Match::Term { .. } => ("", ".*"),
        };
        let mut pattern = format!("{start}{}", escape(&text));
        let mut end = end.to_owned();
        if let Match::Term { start, end: guarded } = how {
            let (before, after) = guards(&text, start, guarded);
            if before {
                pattern = format!("(^|{}){pattern}", no_term(!cased, None));
            }
            if after {
                // What ends the term may be the backslash before the value.
                end = format!("({}.*)?", no_term(!cased, None));
            }
        }
        pattern.push_str(&end);
        match self.registry {
            Registry::Value => pattern.push_str(r"\\[^\\]*$"),
            Registry::Key => pattern.push('$'),
            Registry::Either => {
                let why = "The log source writes keys with and without the name of a value behind them.";
                self.lose(format!("`{}`", operand.column), Effect::Widened, why, span);
                pattern.push_str(r"(\\[^\\]*)?$");
            }
        }
        Cond::Item(Item::re(
            name,
            Pattern {
                text: pattern,
                insensitive: !cased,
                ..Pattern::default()
            },
        ))
    }

    fn regex(&mut self, operand: &Operand<'_>, pattern: &str, span: Span) -> Said<Cond> {
        let found = match operand.field.form {
            Form::Plain | Form::RegistryData => regexes::anywhere(pattern),
            Form::FileName => regexes::last_part(pattern, self.separator),
            Form::AccountName => regexes::last_part(pattern, '\\'),
            Form::RegistryValue if self.registry == Registry::Value => regexes::last_part(pattern, '\\'),
            Form::Json => return Err(document(operand, span)),
            _ => Err("a value that stands differently in the field".to_owned()),
        };
        match found {
            Ok(found) if operand.folded.is_some() && !found.insensitive => {
                Err(computed("a regular expression on folded text", span))
            }
            Ok(found) => Ok(Cond::Item(Item::re(&operand.name, found))),
            Err(what) => Err(Refusal::new(
                "`matches regex`",
                format!(
                    "The regular expressions that all of Sigma's backends take do not have this: {what}."
                ),
                span,
            )),
        }
    }

    fn empty(&mut self, arg: &Rc<Term>, null: bool, negated: bool) -> Said<Cond> {
        let operand = self.operand(arg)?;
        let cond = match operand.field.form {
            Form::Md5 | Form::Sha1 | Form::Sha256 => {
                let hash = format!("{}=", algorithm(operand.field.form));
                Cond::Item(Item::new(
                    &operand.name,
                    Op::Contains,
                    false,
                    vec![Scalar::Text(hash)],
                ))
                .not()
            }
            Form::RegistryKey | Form::RegistryValue => {
                return Err(computed("emptiness of a part of a registry path", arg.span));
            }
            _ => missing(&operand.name, !null && operand.ty == Type::String),
        };
        Ok(negate(cond, negated))
    }

    fn order(
        &mut self,
        name: &str,
        left: &Rc<Term>,
        right: &Rc<Term>,
        negated: bool,
        span: Span,
    ) -> Said<Cond> {
        let turned = |name: &str| match name {
            "<" => ">",
            "<=" => ">=",
            ">" => "<",
            _ => "<=",
        };
        let opposite = |name: &str| match name {
            "<" => ">=",
            "<=" => ">",
            ">" => "<=",
            _ => "<",
        };
        if let (TermKind::Literal(_), false) = (&left.kind, matches!(right.kind, TermKind::Literal(_))) {
            return self.order(turned(name), right, left, negated, span);
        }
        let operand = self.operand(left)?;
        let value = constant(right)?;
        if matches!(value, Value::DateTime(_) | Value::TimeSpan(_)) {
            let why = format!(
                "Sigma cannot compare the time in `{}` with another.",
                operand.column
            );
            return Err(Refusal::new("a comparison of times", why, span));
        }
        let number = number(&value).filter(|_| operand.field.form == Form::Plain);
        let Some(number) = number else {
            let why = format!(
                "Sigma has an order for numbers only, and `{}` holds none here.",
                operand.column
            );
            return Err(Refusal::new(format!("`{name}`"), why, span));
        };
        let op = match if negated { opposite(name) } else { name } {
            "<" => Op::Lt,
            "<=" => Op::Lte,
            ">" => Op::Gt,
            _ => Op::Gte,
        };
        Ok(Cond::Item(Item::new(&operand.name, op, false, vec![number])))
    }

    fn range(&mut self, arg: &Rc<Term>, ranges: &[Value], negated: bool, span: Span) -> Said<Cond> {
        let operand = self.operand(arg)?;
        if operand.field.form != Form::Plain {
            return Err(computed("a range of addresses in a field that holds more", span));
        }
        let mut values = Vec::with_capacity(ranges.len());
        for range in ranges {
            let range = text::print(range);
            let cidr = cidr(&range).ok_or_else(|| {
                Refusal::new(
                    "a range of addresses",
                    format!("`{range}` is no range of addresses."),
                    span,
                )
            })?;
            values.push(Scalar::Text(cidr));
        }
        if negated {
            let why = "An event without an address is no match for the query, and one for the rule.";
            self.lose("a negated range of addresses", Effect::Widened, why, span);
        }
        Ok(negate(
            Cond::Item(Item::new(&operand.name, Op::Cidr, false, values)),
            negated,
        ))
    }

    fn placeholder(
        &mut self,
        operand: &Operand<'_>,
        alias: &str,
        cased: bool,
        negated: bool,
        span: Span,
    ) -> Said<Cond> {
        if operand.field.form != Form::Plain {
            return Err(computed(
                "a watchlist of values that stand differently in the field",
                span,
            ));
        }
        if cased {
            let why = "Placeholders are compared without regard to case.";
            self.lose("a watchlist", Effect::Widened, why, span);
        }
        let item = Item::new(
            &operand.name,
            Op::Expand,
            false,
            vec![Scalar::Placeholder(alias.to_owned())],
        );
        Ok(negate(Cond::Item(item), negated))
    }

    fn fields(
        &mut self,
        one: &Operand<'_>,
        other: &Operand<'_>,
        cased: bool,
        negated: bool,
        span: Span,
    ) -> Said<Cond> {
        if one.field.form != Form::Plain || other.field.form != Form::Plain {
            return Err(computed(
                "a comparison of columns that share fields with others",
                span,
            ));
        }
        if one.folded != other.folded {
            return Err(computed("a comparison of folded text", span));
        }
        if cased && one.folded.is_none() && one.ty == Type::String {
            let effect = if negated {
                Effect::Narrowed
            } else {
                Effect::Widened
            };
            self.lose(
                "a comparison of columns",
                effect,
                "Sigma compares fields without regard to case.",
                span,
            );
        }
        let item = Item::new(
            &one.name,
            Op::FieldRef,
            false,
            vec![Scalar::Text(other.name.clone())],
        );
        Ok(negate(Cond::Item(item), negated))
    }

    /// The field that a term is the value of.
    fn operand(&mut self, term: &Rc<Term>) -> Said<Operand<'a>> {
        let mut folded = None;
        let mut inner = Rc::clone(term);
        let mut path: Vec<String> = Vec::new();
        let column = loop {
            let next = match &inner.kind {
                TermKind::Column(index) => break *index,
                TermKind::Opaque(what) => return Err(opaque(what, term.span)),
                TermKind::Call(function, args) => match (function.name, args.as_slice()) {
                    ("tostring" | "toint" | "tolong" | "toreal" | "todouble" | "todecimal", [one]) => one,
                    ("parse_json" | "todynamic" | "toobject", [one]) => one,
                    ("tolower" | "toupper", [one]) if folded.is_none() && path.is_empty() => {
                        folded = Some(function.name == "tolower");
                        one
                    }
                    ("member" | "index", [one, key]) => match &key.kind {
                        TermKind::Literal(Value::String(key)) => {
                            path.insert(0, key.to_string());
                            one
                        }
                        _ => {
                            let why = "Sigma cannot look at one item of a list.";
                            return Err(Refusal::new("an index into a list", why, term.span));
                        }
                    },
                    (name, _) => return Err(computed(format!("`{name}`"), term.span)),
                },
                TermKind::Ingestion | TermKind::Now => {
                    let why = "Sigma cannot compare times beyond what a run looks at.";
                    return Err(Refusal::new("a comparison of times", why, term.span));
                }
                _ => return Err(computed("a comparison of computed values", term.span)),
            };
            inner = Rc::clone(next);
        };
        self.column(column, &path, term.span, folded)
    }

    fn column(
        &mut self,
        index: usize,
        path: &[String],
        span: Span,
        folded: Option<bool>,
    ) -> Said<Operand<'a>> {
        let column = self.columns.get(index);
        let name = column.map_or("", |column| &column.name);
        let whole = std::iter::once(name)
            .chain(path.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join(".");
        let source = self.source;
        let found = source
            .field(&whole)
            .map(|field| (field, field.name.clone()))
            .or_else(|| {
                let field = source
                    .field(name)
                    .filter(|field| field.form == Form::Json && !path.is_empty())?;
                Some((field, format!("{}.{}", field.name, path.join("."))))
            });
        let Some((field, field_name)) = found else {
            return Err(Refusal::new(
                format!("`{whole}`"),
                format!(
                    "No field of the Sigma log source {} stands for the column `{whole}`.",
                    describe(source)
                ),
                span,
            )
            .code(SIGMA_FIELD));
        };
        if field.beyond {
            let why = format!(
                "The Sigma field {field_name} is mapped, but no known sensor of the log source {} writes it.",
                describe(source)
            );
            self.lose(format!("`{whole}`"), self.absent, why, span);
        }
        // A path into a document has the form of what it leads to.
        let plain = field.form == Form::Json && !path.is_empty();
        let field = if plain { plain_field() } else { field };
        let ty = match column {
            Some(column) if path.is_empty() => column.ty,
            _ => Type::String,
        };
        Ok(Operand {
            column: whole,
            field,
            name: field_name,
            ty,
            folded,
        })
    }

    /// The field of a column as a whole, for groups and counts.
    pub(super) fn whole_field(&mut self, term: &Rc<Term>) -> Said<(String, Form)> {
        let operand = self.operand(term)?;
        if operand.folded.is_some() {
            return Err(computed("folded text", term.span));
        }
        Ok((operand.name, operand.field.form))
    }
}

/// A field without a form.
fn plain_field() -> &'static Field {
    static PLAIN: std::sync::OnceLock<Field> = std::sync::OnceLock::new();
    PLAIN.get_or_init(|| Field {
        name: String::new(),
        form: Form::Plain,
        values: std::collections::BTreeMap::new(),
        own: false,
        beyond: false,
    })
}

/// A log source as its users know it.
pub(super) fn describe(source: &LogSource) -> &str {
    source
        .category
        .as_deref()
        .or(source.service.as_deref())
        .unwrap_or_default()
}

fn computed(what: impl Into<String>, span: Span) -> Refusal {
    let why = "Sigma compares fields with constants, and cannot compute anything first.";
    Refusal::new(what, why, span)
}

fn opaque(what: &str, span: Span) -> Refusal {
    Refusal::new(
        what,
        format!("The events themselves do not say this: {what}."),
        span,
    )
}

fn document(operand: &Operand<'_>, span: Span) -> Refusal {
    let why = format!(
        "The column `{}` is a JSON document, whose text is not that of the Sigma field {}.",
        operand.column, operand.name
    );
    Refusal::new(format!("`{}`", operand.column), why, span).code(SIGMA_FIELD)
}

fn negate(cond: Cond, negated: bool) -> Cond {
    if negated { cond.not() } else { cond }
}

fn is_false(term: &Term) -> bool {
    matches!(term.kind, TermKind::Literal(Value::Bool(false)))
}

/// Whether an order stands within, which is turned round when it is negated.
fn has_order(term: &Term) -> bool {
    term.any(|term| match &term.kind {
        TermKind::Call(function, _) => {
            matches!(function.name, "<" | "<=" | ">" | ">=" | "between" | "!between")
        }
        _ => false,
    })
}

fn constant(term: &Term) -> Said<Value> {
    match &term.kind {
        TermKind::Literal(value) => Ok(value.clone()),
        TermKind::Opaque(what) => Err(opaque(what, term.span)),
        TermKind::Watchlist(_) => Err(computed("a watchlist in this place", term.span)),
        _ => Err(computed("a comparison of computed values", term.span)),
    }
}
