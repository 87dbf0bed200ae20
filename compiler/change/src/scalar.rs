//! Scalar expressions in canonical form: names of let bindings followed,
//! constants worked out, columns by name, `and` and `or` without order, tests
//! positive. Two expressions with the same digest mean the same.
//!
//! What tells predicates apart is [`rulec_explain::Kind`], and what is constant
//! is [`rulec_explain::constant`]; there is no second opinion here.

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc};

use rulec_explain::Kind;
use rulec_functions::{Type, Value, order, text};
use rulec_ir::{Expr, ExprKind, walk};
use rulec_source::Span;
use sha2::{Digest as _, Sha256};

use crate::tree::{Builder, Pipeline};

/// SHA-256 over what a thing means.
pub(crate) type Digest = [u8; 32];

/// An expression.
#[derive(Debug)]
pub(crate) struct Scalar {
    pub(crate) form: Form,
    pub(crate) digest: Digest,
    /// In the query text.
    pub(crate) span: Span,
    /// The columns it reads.
    pub(crate) columns: BTreeSet<Arc<str>>,
    /// Whether it rests on rows beside the one at hand.
    pub(crate) window: bool,
}

/// What an expression is.
#[derive(Debug)]
pub(crate) enum Form {
    And(Vec<Arc<Scalar>>),
    Or(Vec<Arc<Scalar>>),
    Not(Arc<Scalar>),
    /// One of several constants will do.
    Test(Test),
    /// A place in an order.
    Range(Range),
    /// Whether a value is in the first column of rows.
    Among {
        subject: Arc<Scalar>,
        fold: bool,
        rows: Arc<Pipeline>,
    },
    Column(Arc<str>),
    Constant(Value),
    /// Anything else; the name alone tells what shape it has.
    Other(String),
}

#[derive(Debug)]
pub(crate) struct Test {
    pub(crate) subject: Arc<Scalar>,
    /// A positive kind of text comparison, or [`Kind::In`].
    pub(crate) kind: Kind,
    pub(crate) fold: bool,
    /// In order, each once.
    pub(crate) values: Vec<Value>,
    /// Where the values stand.
    pub(crate) place: Span,
    pub(crate) text: bool,
}

#[derive(Debug)]
pub(crate) struct Range {
    pub(crate) subject: Arc<Scalar>,
    pub(crate) low: Option<Bound>,
    pub(crate) high: Option<Bound>,
    pub(crate) place: Span,
}

/// One end of a range.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    /// Counted from the time of the run.
    pub(crate) from_now: bool,
    pub(crate) value: Value,
    pub(crate) closed: bool,
}

/// Gathers what a digest is over; no part can run into the next.
pub(crate) struct Sum(Sha256);

impl Sum {
    pub(crate) fn new(tag: &str) -> Self {
        Self(Sha256::new()).text(tag)
    }

    pub(crate) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    pub(crate) fn all<'d>(mut self, digests: impl IntoIterator<Item = &'d Digest>) -> Self {
        for digest in digests {
            self.0.update(digest);
        }
        self.text("end")
    }

    pub(crate) fn done(self) -> Digest {
        self.0.finalize().into()
    }
}

impl Scalar {
    fn make(form: Form, digest: Digest, span: Span, parts: &[Arc<Scalar>]) -> Arc<Self> {
        let mut columns = BTreeSet::new();
        for part in parts {
            columns.extend(part.columns.iter().cloned());
        }
        if let Form::Column(name) = &form {
            columns.insert(Arc::clone(name));
        }
        Arc::new(Self {
            window: parts.iter().any(|part| part.window),
            form,
            digest,
            span,
            columns,
        })
    }

    /// What all have to hold for it to hold.
    pub(crate) fn conjuncts(self: &Arc<Self>) -> Vec<Arc<Self>> {
        match &self.form {
            Form::And(parts) => parts.clone(),
            _ => vec![Arc::clone(self)],
        }
    }

    /// Of what one has to hold for it to hold.
    pub(crate) fn disjuncts(self: &Arc<Self>) -> Vec<Arc<Self>> {
        match &self.form {
            Form::Or(parts) => parts.clone(),
            _ => vec![Arc::clone(self)],
        }
    }

    pub(crate) fn not(part: Arc<Self>, span: Span) -> Arc<Self> {
        if let Form::Not(inner) = &part.form {
            return Arc::clone(inner);
        }
        let digest = Sum::new("not").all([&part.digest]).done();
        Self::make(Form::Not(Arc::clone(&part)), digest, span, &[part])
    }

    /// `and` or `or` of parts, flat, each once, in no order.
    pub(crate) fn several(all: bool, parts: Vec<Arc<Self>>, span: Span) -> Arc<Self> {
        let mut flat: Vec<Arc<Self>> = Vec::new();
        for part in parts {
            match (&part.form, all) {
                (Form::And(inner), true) | (Form::Or(inner), false) => flat.extend(inner.iter().cloned()),
                _ => flat.push(part),
            }
        }
        flat.sort_by_key(|part| part.digest);
        flat.dedup_by_key(|part| part.digest);
        if flat.len() == 1 {
            return flat.remove(0);
        }
        let digest = Sum::new(if all { "and" } else { "or" })
            .all(flat.iter().map(|part| &part.digest))
            .done();
        let parts = flat.clone();
        Self::make(
            if all { Form::And(flat) } else { Form::Or(flat) },
            digest,
            span,
            &parts,
        )
    }

    fn test(
        subject: &Arc<Self>,
        kind: Kind,
        fold: bool,
        mut values: Vec<Value>,
        span: Span,
        place: Span,
        text: bool,
    ) -> Arc<Self> {
        values.sort_by_key(print);
        values.dedup_by_key(|value| print(value));
        let mut sum = Sum::new("test")
            .all([&subject.digest])
            .text(kind.as_str())
            .text(if fold { "~" } else { "" });
        for value in &values {
            sum = sum.text(&print(value));
        }
        let test = Test {
            subject: Arc::clone(subject),
            kind,
            fold,
            values,
            place,
            text,
        };
        Self::make(Form::Test(test), sum.done(), span, &[Arc::clone(subject)])
    }

    fn range(
        subject: &Arc<Self>,
        low: Option<Bound>,
        high: Option<Bound>,
        span: Span,
        place: Span,
    ) -> Arc<Self> {
        let mut sum = Sum::new("range").all([&subject.digest]);
        for bound in [&low, &high] {
            sum = sum.text(&bound.as_ref().map_or_else(String::new, |bound| {
                format!("{} {} {}", bound.from_now, bound.closed, print(&bound.value))
            }));
        }
        let range = Range {
            subject: Arc::clone(subject),
            low,
            high,
            place,
        };
        Self::make(Form::Range(range), sum.done(), span, &[Arc::clone(subject)])
    }
}

/// A call of something by name.
fn other(name: &str, parts: &[Arc<Scalar>], span: Span) -> Arc<Scalar> {
    let digest = Sum::new("call")
        .text(name)
        .all(parts.iter().map(|part| &part.digest))
        .done();
    Scalar::make(Form::Other(name.to_owned()), digest, span, parts)
}

/// A value with its type, the same on every machine.
pub(crate) fn print(value: &Value) -> String {
    let mut shown = String::new();
    let _ = match value {
        Value::Array(items) => {
            shown.push('[');
            for item in items.iter() {
                let _ = write!(shown, "{:?},", print(item));
            }
            write!(shown, "]")
        }
        value => {
            let kind = format!("{:?}", std::mem::discriminant(value));
            // The number of the variant is all that the discriminant says.
            write!(shown, "{kind}{}", text::print(value))
        }
    };
    shown
}

impl Builder<'_> {
    /// An expression over rows whose columns have these names.
    pub(crate) fn scalar(&mut self, expr: &Expr, names: &[Arc<str>]) -> Arc<Scalar> {
        let query = self.query;
        if let Some(value) = rulec_explain::constant(query, expr) {
            let digest = Sum::new("constant").text(&print(&value)).done();
            return Scalar::make(Form::Constant(value), digest, query.resolve(expr).span, &[]);
        }
        let span = expr.span;
        match &expr.kind {
            ExprKind::Column(index) => {
                let name = names
                    .get(*index)
                    .cloned()
                    .unwrap_or_else(|| format!("#{index}").into());
                let digest = Sum::new("column").text(&name).done();
                Scalar::make(Form::Column(name), digest, span, &[])
            }
            ExprKind::Binding(id) => {
                if let Some(known) = self.scalars.get(id) {
                    return Arc::clone(known);
                }
                let made = match query.binding(*id).map(|b| &b.kind) {
                    Some(rulec_ir::BindingKind::Scalar(value)) => self.scalar(value, &[]),
                    _ => other("binding", &[], span),
                };
                self.scalars.insert(*id, Arc::clone(&made));
                made
            }
            ExprKind::And(_) => {
                let parts = walk::conjuncts(expr);
                let parts = parts.into_iter().map(|part| self.scalar(part, names)).collect();
                Scalar::several(true, parts, span)
            }
            ExprKind::Or(_) => {
                let parts = walk::disjuncts(expr);
                let parts = parts.into_iter().map(|part| self.scalar(part, names)).collect();
                Scalar::several(false, parts, span)
            }
            ExprKind::Call { function, args } => self.call(function.name, args, names, span),
            ExprKind::Window { function, args } => {
                let parts: Vec<Arc<Scalar>> = args.iter().map(|arg| self.scalar(arg, names)).collect();
                let name = format!("window {}", function.name);
                let made = other(&name, &parts, span);
                Arc::new(Scalar {
                    window: true,
                    form: Form::Other(name),
                    digest: made.digest,
                    span,
                    columns: made.columns.clone(),
                })
            }
            ExprKind::ToScalar(rel) => self.of_rows("toscalar", rel, span),
            ExprKind::List(rel) => self.of_rows("list", rel, span),
            ExprKind::Now => other("now", &[], span),
            ExprKind::IngestionTime => other("ingestion_time", &[], span),
            ExprKind::Literal(value) => other(&print(value), &[], span),
        }
    }

    fn of_rows(&mut self, name: &str, rel: &rulec_ir::Rel, span: Span) -> Arc<Scalar> {
        let rows = self.pipeline(rel);
        let digest = Sum::new(name).all([&rows.digest]).done();
        Scalar::make(Form::Other(name.to_owned()), digest, span, &[])
    }

    fn call(&mut self, name: &str, args: &[Expr], names: &[Arc<str>], span: Span) -> Arc<Scalar> {
        if let ("not", [arg]) = (name, args) {
            let part = self.scalar(arg, names);
            return Scalar::not(part, span);
        }
        if let Some(made) = self.comparison(name, args, names, span) {
            return made;
        }
        let parts: Vec<Arc<Scalar>> = args.iter().map(|arg| self.scalar(arg, names)).collect();
        other(name, &parts, span)
    }

    fn comparison(
        &mut self,
        name: &str,
        args: &[Expr],
        names: &[Arc<str>],
        span: Span,
    ) -> Option<Arc<Scalar>> {
        // Addresses are compared in ways of their own.
        if name.contains("ipv") {
            return None;
        }
        let (mut kind, fold) = Kind::of(name)?;
        let (mut subject, mut operands) = (args.first()?, args.get(1..)?.to_vec());
        if let [one] = operands.as_slice()
            && rulec_explain::constant(self.query, subject).is_some()
            && rulec_explain::constant(self.query, one).is_none()
        {
            kind = kind.mirrored()?;
            operands = vec![subject.clone()];
            subject = args.get(1)?;
        }
        let negative = kind.is_negative();
        let positive = if negative { kind.opposite() } else { kind };
        let made = self.positive(positive, fold, subject, &operands, names, span)?;
        Some(if negative { Scalar::not(made, span) } else { made })
    }

    fn positive(
        &mut self,
        kind: Kind,
        fold: bool,
        subject: &Expr,
        operands: &[Expr],
        names: &[Arc<str>],
        span: Span,
    ) -> Option<Arc<Scalar>> {
        let first = operands.first()?;
        let place = self.place(first);
        if kind == Kind::In
            && let [one] = operands
            && let ExprKind::List(rel) = &self.query.resolve(one).kind
        {
            let subject = self.scalar(subject, names);
            let rows = self.pipeline(rel);
            let digest = Sum::new(if fold { "among~" } else { "among" })
                .all([&subject.digest, &rows.digest])
                .done();
            let parts = [Arc::clone(&subject)];
            return Some(Scalar::make(
                Form::Among { subject, fold, rows },
                digest,
                span,
                &parts,
            ));
        }
        let text = subject.ty == Type::String;
        let made = match kind {
            Kind::Eq
            | Kind::In
            | Kind::HasAny
            | Kind::Has
            | Kind::Contains
            | Kind::StartsWith
            | Kind::EndsWith
            | Kind::HasPrefix
            | Kind::HasSuffix => {
                let kind = match kind {
                    Kind::Eq => Kind::In,
                    Kind::HasAny => Kind::Has,
                    kind => kind,
                };
                let values = self.values(operands)?;
                let words = kind != Kind::In || fold;
                // Only for text is it known here what such a test means.
                if words && !(text && values.iter().all(|v| matches!(v, Value::String(_))))
                    || values.iter().any(Value::is_null)
                {
                    return None;
                }
                let subject = self.scalar(subject, names);
                Scalar::test(&subject, kind, fold, values, span, place, text)
            }
            Kind::HasAll => {
                let values = self.values(operands)?;
                if !text || !values.iter().all(|v| matches!(v, Value::String(_))) || values.is_empty() {
                    return None;
                }
                let subject = self.scalar(subject, names);
                let parts = values
                    .into_iter()
                    .map(|value| Scalar::test(&subject, Kind::Has, fold, vec![value], span, place, text))
                    .collect();
                Scalar::several(true, parts, span)
            }
            Kind::Gt | Kind::Ge => {
                let bound = self.bound(first, kind == Kind::Ge)?;
                let subject = self.scalar(subject, names);
                Scalar::range(&subject, Some(bound), None, span, place)
            }
            Kind::Lt | Kind::Le => {
                let bound = self.bound(first, kind == Kind::Le)?;
                let subject = self.scalar(subject, names);
                Scalar::range(&subject, None, Some(bound), span, place)
            }
            Kind::Between => {
                let (low, high) = (self.bound(first, true)?, self.bound(operands.get(1)?, true)?);
                let subject = self.scalar(subject, names);
                Scalar::range(&subject, Some(low), Some(high), span, place)
            }
            _ => return None,
        };
        Some(made)
    }

    /// Where the value of an operand is written: `1h` for `ago(timeframe)`.
    fn place(&self, operand: &Expr) -> Span {
        let meant = self.query.resolve(operand);
        match &meant.kind {
            ExprKind::Call { function, args } if matches!(function.name, "-" | "+") => {
                match args.as_slice() {
                    [now, by] if matches!(self.query.resolve(now).kind, ExprKind::Now) => {
                        self.query.resolve(by).span
                    }
                    _ => meant.span,
                }
            }
            _ => meant.span,
        }
    }

    /// Constants, lists of them flat.
    fn values(&self, operands: &[Expr]) -> Option<Vec<Value>> {
        let mut found = Vec::new();
        for operand in operands {
            match rulec_explain::constant(self.query, operand)? {
                Value::Array(items) => found.extend(items.iter().cloned()),
                value => found.push(value),
            }
        }
        Some(found)
    }

    /// A constant, or one counted from the time of the run.
    fn bound(&self, expr: &Expr, closed: bool) -> Option<Bound> {
        if let Some(value) = rulec_explain::constant(self.query, expr) {
            return (!value.is_null()).then_some(Bound {
                from_now: false,
                value,
                closed,
            });
        }
        let from_now = |value| Bound {
            from_now: true,
            value,
            closed,
        };
        match &self.query.resolve(expr).kind {
            ExprKind::Now => Some(from_now(Value::TimeSpan(0))),
            ExprKind::Call { function, args } if matches!(function.name, "-" | "+") => {
                let [now, by] = args.as_slice() else { return None };
                if !matches!(self.query.resolve(now).kind, ExprKind::Now) {
                    return None;
                }
                match rulec_explain::constant(self.query, by)? {
                    Value::TimeSpan(ticks) if function.name == "-" => Some(from_now(Value::TimeSpan(-ticks))),
                    Value::TimeSpan(ticks) => Some(from_now(Value::TimeSpan(ticks))),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

impl Range {
    /// Whether everything within the other is within this one; none when the
    /// two cannot be compared.
    pub(crate) fn holds(&self, other: &Self) -> Option<bool> {
        let low = covers(self.low.as_ref(), other.low.as_ref(), std::cmp::Ordering::Less)?;
        let high = covers(
            self.high.as_ref(),
            other.high.as_ref(),
            std::cmp::Ordering::Greater,
        )?;
        Some(low && high)
    }
}

fn covers(outer: Option<&Bound>, inner: Option<&Bound>, outward: std::cmp::Ordering) -> Option<bool> {
    let Some(outer) = outer else { return Some(true) };
    let Some(inner) = inner else { return Some(false) };
    let numbers = |value: &Value| {
        matches!(
            value,
            Value::Int(_) | Value::Long(_) | Value::Real(_) | Value::Decimal(_)
        )
    };
    let alike = std::mem::discriminant(&outer.value) == std::mem::discriminant(&inner.value)
        || numbers(&outer.value) && numbers(&inner.value);
    if outer.from_now != inner.from_now || !alike || matches!(outer.value, Value::Real(x) if x.is_nan()) {
        return None;
    }
    let order = order::compare(&outer.value, &inner.value);
    Some(order == outward || order == std::cmp::Ordering::Equal && (outer.closed || !inner.closed))
}
