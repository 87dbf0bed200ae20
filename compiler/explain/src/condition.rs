//! Predicates in one form: negation at the leaves (De Morgan), constants on
//! the right and resolved, `or` of one field's values as one test.
//!
//! In: a predicate of the algebra. Out: [`Condition`]. Deliberately absent:
//! whether a test is an indicator, an exclusion or a threshold
//! (`predicates`), and words (`sentence`).

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use rulec_functions::{Type, Value, text};
use rulec_ir::{Expr, ExprKind, Query, Rel, RelKind};

use crate::{
    constant::constant, kind::Kind, predicates::list_of, settings::duration, walk, written::Written,
};

/// 100 ns ticks of a second.
const TICKS: i64 = 10_000_000;
/// Deeper than any predicate a person writes.
const DEPTH: usize = 64;
/// Branches of a `case` that are spelled out; each repeats those before it.
const BRANCHES: usize = 6;
/// Fields that are asked for the same thing at once before they are shown as
/// any column: `where * has "x"`.
const FIELDS: usize = 8;
/// The field of a test over any column.
pub(crate) const ANY_COLUMN: &str = "*";

/// A predicate with its negations at the leaves.
#[derive(Clone, Debug)]
pub(crate) enum Condition<'q> {
    /// It holds for every row or for none.
    Fixed(bool),
    /// All of them hold.
    All(Vec<Condition<'q>>),
    /// One of them holds.
    Any(Vec<Condition<'q>>),
    /// One field compared.
    Test(Test<'q>),
    /// What is not understood in parts: how it is written.
    Written(String),
}

/// A field and what is asked of it.
#[derive(Clone, Debug)]
pub(crate) struct Test<'q> {
    /// The column, with members of it; how it is written when it is computed.
    pub(crate) field: String,
    /// The left side.
    pub(crate) subject: &'q Expr,
    pub(crate) kind: Kind,
    /// The operator or function as the language names it.
    pub(crate) operator: &'static str,
    pub(crate) operands: Vec<Operand>,
    /// What the operands are in the algebra; of several tests made one, the first's.
    pub(crate) sides: Vec<&'q Expr>,
    pub(crate) ignore_case: bool,
    /// Whether it is about the time of the row and of the run alone.
    pub(crate) time: bool,
    /// The name of the scalar binding the single operand was given by.
    pub(crate) parameter: Option<String>,
    /// How many columns are asked the same, for [`ANY_COLUMN`].
    pub(crate) columns: usize,
}

/// What a field is compared with.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    /// A value.
    Constant(Value),
    /// A column of the same row.
    Column(String),
    /// What a let binding gives, when it is no constant.
    Named(String),
    /// Anything else, as written.
    Written(String),
}

impl PartialEq for Operand {
    fn eq(&self, other: &Self) -> bool {
        self.sort() == other.sort() && self.text() == other.text()
    }
}

impl Operand {
    /// Tells apart what reads alike: the number 1, the text "1", the column `1`.
    fn sort(&self) -> u8 {
        match self {
            Self::Constant(Value::String(_)) => 0,
            Self::Constant(_) => 1,
            Self::Column(_) => 2,
            Self::Named(_) => 3,
            Self::Written(_) => 4,
        }
    }

    /// As plain text.
    pub(crate) fn text(&self) -> String {
        match self {
            // As people write it: `2d`, not `2.00:00:00`.
            Self::Constant(Value::TimeSpan(0)) => "0s".to_owned(),
            Self::Constant(Value::TimeSpan(ticks)) if *ticks > 0 && ticks % TICKS == 0 => {
                duration(*ticks).to_string()
            }
            Self::Constant(value) => text::print(value),
            Self::Column(text) | Self::Named(text) | Self::Written(text) => text.clone(),
        }
    }
}

impl Test<'_> {
    /// Whether it compares with columns only.
    pub(crate) fn is_between_columns(&self) -> bool {
        !self.operands.is_empty() && self.operands.iter().all(|o| matches!(o, Operand::Column(_)))
    }

    /// Whether it compares with what is no constant and no column.
    pub(crate) fn is_computed(&self) -> bool {
        self.operands
            .iter()
            .any(|o| matches!(o, Operand::Named(_) | Operand::Written(_)))
    }

    fn negated(mut self) -> Self {
        self.kind = self.kind.opposite();
        self
    }
}

/// Reads predicates over the rows of one relation.
pub(crate) struct Reader<'a, 'q> {
    pub(crate) query: &'q Query,
    /// The rows that the predicate is over.
    pub(crate) rows: &'q Rel,
    pub(crate) written: Written<'a>,
}

impl<'q> Reader<'_, 'q> {
    /// The condition that `expr` is, or that its negation is.
    pub(crate) fn read(&self, expr: &'q Expr, negate: bool) -> Condition<'q> {
        self.at(expr, negate, 0)
    }

    fn at(&self, expr: &'q Expr, negate: bool, depth: usize) -> Condition<'q> {
        if depth > DEPTH {
            return self.as_written(expr, negate);
        }
        if let Some(Value::Bool(fixed)) = constant(self.query, expr) {
            return Condition::Fixed(fixed != negate);
        }
        let expr = self.query.resolve(expr);
        let each = |parts: &'q [Expr]| -> Vec<Condition<'q>> {
            parts
                .iter()
                .map(|part| self.at(part, negate, depth + 1))
                .collect()
        };
        match &expr.kind {
            ExprKind::And(parts) | ExprKind::Or(parts) => {
                let parts = each(parts);
                if matches!(expr.kind, ExprKind::And(_)) == negate {
                    any(parts)
                } else {
                    all(parts)
                }
            }
            ExprKind::Call { function, args } => self.call(expr, function.name, args, negate, depth),
            // A truth value by itself.
            ExprKind::Column(_) => self.truth(expr, "==", negate),
            _ => self.as_written(expr, negate),
        }
    }

    fn call(
        &self,
        expr: &'q Expr,
        name: &'static str,
        args: &'q [Expr],
        negate: bool,
        depth: usize,
    ) -> Condition<'q> {
        let inner = |part: &'q Expr, negate: bool| self.at(part, negate, depth + 1);
        match (name, args) {
            ("not", [part]) => return inner(part, !negate),
            ("tobool", [part]) if part.ty == Type::Bool => return inner(part, negate),
            // A predicate that is unknown drops the row as one that is false does.
            ("coalesce", [part, rest])
                if part.ty == Type::Bool
                    && matches!(constant(self.query, rest), Some(Value::Bool(false) | Value::Null)) =>
            {
                return inner(part, negate);
            }
            ("iff", [condition, yes, no]) if expr.ty == Type::Bool => {
                return self.branches(&[(condition, yes)], no, negate, depth);
            }
            ("case", [branches @ .., otherwise])
                if expr.ty == Type::Bool && branches.len() <= 2 * BRANCHES =>
            {
                let pairs: Vec<(&Expr, &Expr)> = branches
                    .chunks_exact(2)
                    .map(|pair| (&pair[0], &pair[1]))
                    .collect();
                return self.branches(&pairs, otherwise, negate, depth);
            }
            ("==" | "!=" | "in" | "!in", [left, right]) => {
                let same = matches!(name, "==" | "in");
                for (value, predicate) in [(left, right), (right, left)] {
                    if let Some(Value::Bool(value)) = constant(self.query, value) {
                        return inner(predicate, negate != (same != value));
                    }
                }
            }
            _ => {}
        }
        match self.test(expr, name, args) {
            Some(test) => Condition::Test(if negate { test.negated() } else { test }),
            None => self.as_written(expr, negate),
        }
    }

    /// `iff` and `case` over truth values: one of the branches, and none before it.
    fn branches(
        &self,
        pairs: &[(&'q Expr, &'q Expr)],
        otherwise: &'q Expr,
        negate: bool,
        depth: usize,
    ) -> Condition<'q> {
        let mut ways = Vec::new();
        for place in 0..=pairs.len() {
            let mut way: Vec<Condition<'q>> = pairs[..place]
                .iter()
                .map(|(condition, _)| self.at(condition, true, depth + 1))
                .collect();
            match pairs.get(place) {
                Some((condition, value)) => {
                    way.push(self.at(condition, false, depth + 1));
                    way.push(self.at(value, negate, depth + 1));
                }
                None => way.push(self.at(otherwise, negate, depth + 1)),
            }
            ways.push(all(way));
        }
        any(ways)
    }

    /// The test that a comparison is; none when it looks at no column.
    fn test(&self, expr: &'q Expr, name: &'static str, args: &'q [Expr]) -> Option<Test<'q>> {
        let Some((mut kind, mut ignore_case)) = Kind::of(name) else {
            return self.holds(expr, name);
        };
        let (mut subject, rest) = args.split_first()?;
        let mut operands: Vec<&'q Expr> = rest.iter().collect();
        if let [right] = rest
            && !self.looks_at_row(subject)
            && self.looks_at_row(right)
        {
            match kind.mirrored() {
                Some(mirrored) => {
                    kind = mirrored;
                    operands = vec![subject];
                    subject = right;
                }
                None => return self.holds(expr, name),
            }
        }
        if !self.looks_at_row(subject) {
            return None;
        }
        // `tolower(a) == "b"` folds case as `a =~ "b"` does.
        ignore_case |= matches!(kind, Kind::Eq | Kind::Ne | Kind::In | Kind::NotIn) && self.folded(subject);
        let parameter = match operands.as_slice() {
            [operand] => self.binding_name(operand),
            _ => None,
        };
        let only_time = |e: &Expr| e.ty == Type::DateTime || self.mentions_now(e);
        let time = !matches!(kind, Kind::IsNull | Kind::IsNotNull)
            && (self.mentions_now(subject)
                || subject.ty == Type::DateTime
                || matches!(self.query.resolve(subject).kind, ExprKind::IngestionTime))
            && (only_time(subject) || operands.iter().any(|o| only_time(o)))
            && !operands.iter().any(|o| self.looks_at_row(o));
        // `a == ""` asks whether there is a value: strings are never null.
        if let (Kind::Eq | Kind::Ne, [value]) = (kind, operands.as_slice())
            && matches!(constant(self.query, value), Some(Value::String(text)) if text.is_empty())
        {
            kind = if kind == Kind::Eq {
                Kind::IsNull
            } else {
                Kind::IsNotNull
            };
            operands.clear();
            ignore_case = false;
        }
        // Numbers have no case, whatever the operator.
        ignore_case &= matches!(subject.ty, Type::String | Type::Dynamic);
        if let (Kind::RegexMatch | Kind::NotRegexMatch, [pattern]) = (kind, operands.as_slice())
            && let Some(Value::String(pattern)) = constant(self.query, pattern)
        {
            ignore_case = pattern.starts_with("(?i");
        }
        Some(Test {
            field: self.field(subject),
            subject,
            kind,
            operator: name,
            operands: distinct(
                operands.iter().flat_map(|o| self.operands(o, kind)).collect(),
                kind,
            ),
            sides: operands,
            ignore_case,
            time,
            parameter,
            columns: 1,
        })
    }

    /// A function that answers yes or no about the first column it mentions.
    fn holds(&self, expr: &'q Expr, name: &'static str) -> Option<Test<'q>> {
        let subject = walk::subexpressions(expr)
            .into_iter()
            .filter(|part| self.column(part).is_some())
            .min_by_key(|part| (part.span.start, std::cmp::Reverse(part.span.end)))?;
        Some(Test {
            field: self.column(subject)?,
            subject,
            kind: Kind::Holds,
            operator: name,
            operands: vec![Operand::Written(self.written.line(expr.span))],
            sides: Vec::new(),
            ignore_case: false,
            time: false,
            parameter: None,
            columns: 1,
        })
    }

    /// A column that is a truth value.
    fn truth(&self, expr: &'q Expr, operator: &'static str, negate: bool) -> Condition<'q> {
        Condition::Test(Test {
            field: self.field(expr),
            subject: expr,
            kind: Kind::Eq,
            operator,
            operands: vec![Operand::Constant(Value::Bool(!negate))],
            sides: Vec::new(),
            ignore_case: false,
            time: false,
            parameter: None,
            columns: 1,
        })
    }

    fn as_written(&self, expr: &Expr, negate: bool) -> Condition<'q> {
        let text = self.written.line(expr.span);
        Condition::Written(if negate { format!("not({text})") } else { text })
    }

    /// The column an expression reads, and where it reads none as it is, how
    /// it is written.
    pub(crate) fn field(&self, expr: &Expr) -> String {
        if let Some(column) = self.column(expr) {
            return column;
        }
        match &expr.kind {
            ExprKind::Call { function, args } => match (function.name, args.as_slice()) {
                ("tostring" | "tolower" | "toupper", [of]) => self.field(of),
                _ => self.written.line(expr.span),
            },
            _ => self.written.line(expr.span),
        }
    }

    /// The column an expression reads, through conversions and members.
    pub(crate) fn column(&self, expr: &Expr) -> Option<String> {
        match &expr.kind {
            ExprKind::Column(index) => Some(self.rows.columns.get(*index)?.name.to_string()),
            ExprKind::IngestionTime => Some("ingestion_time()".to_owned()),
            ExprKind::Binding(_) => {
                let meant = self.query.resolve(expr);
                (!std::ptr::eq(meant, expr)).then(|| self.column(meant))?
            }
            ExprKind::Call { function, args } => match (function.name, args.as_slice()) {
                (
                    "tostring" | "tolower" | "toupper" | "parse_json" | "todynamic" | "toint" | "tolong"
                    | "todouble" | "toreal" | "todecimal" | "tobool" | "todatetime" | "totimespan" | "toguid",
                    [of],
                ) => self.column(of),
                ("trim" | "trim_start" | "trim_end", [_, of]) => self.column(of),
                // A default for where there is no value.
                ("coalesce", [of, rest @ ..]) if rest.iter().all(|r| constant(self.query, r).is_some()) => {
                    self.column(of)
                }
                ("member" | "index", [of, key]) => {
                    Some(element(&self.column(of)?, &constant(self.query, key)?))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether the left side is folded to one case before it is compared.
    fn folded(&self, expr: &Expr) -> bool {
        match &self.query.resolve(expr).kind {
            ExprKind::Call { function, args } => match function.name {
                "tolower" | "toupper" => true,
                "tostring" | "trim" | "trim_start" | "trim_end" => args.iter().any(|arg| self.folded(arg)),
                _ => false,
            },
            _ => false,
        }
    }

    fn operands(&self, expr: &Expr, kind: Kind) -> Vec<Operand> {
        match constant(self.query, expr) {
            // A list of values, not a value that is a list.
            Some(Value::Array(items))
                if matches!(
                    kind,
                    Kind::In | Kind::NotIn | Kind::HasAny | Kind::HasAll | Kind::InRange | Kind::HasPrefix
                ) =>
            {
                return items.iter().cloned().map(Operand::Constant).collect();
            }
            // Null is what a name without a meaning is bound to; its text says more.
            Some(Value::Null) | None => {}
            Some(value) => return vec![Operand::Constant(value)],
        }
        if let Some(name) = self.column(expr) {
            return vec![Operand::Column(name)];
        }
        if let Some(name) = self.binding_name(expr) {
            return vec![Operand::Named(name)];
        }
        vec![match &expr.kind {
            // The place of a subquery in parentheses is that of its last operator.
            ExprKind::List(rel) | ExprKind::ToScalar(rel) => {
                Operand::Written(list_of(self.query, rel, self.written))
            }
            _ => Operand::Written(self.written.line(expr.span)),
        }]
    }

    /// The let binding that an operand is, when it is nothing but its name.
    fn binding_name(&self, expr: &Expr) -> Option<String> {
        let named = |id: rulec_ir::BindingId| {
            let name = &self.query.binding(id)?.name;
            (!name.is_empty()).then(|| name.clone())
        };
        match &expr.kind {
            ExprKind::Binding(id) => named(*id),
            ExprKind::List(rel) | ExprKind::ToScalar(rel) => {
                // `(known | project SHA1)` is the list `known`.
                let mut rel: &Rel = rel;
                while let RelKind::Project { input, .. } | RelKind::Distinct { input, .. } = &rel.kind {
                    rel = input;
                }
                match &rel.kind {
                    RelKind::Ref(id) => named(*id),
                    RelKind::Table { name } => Some(name.clone()),
                    RelKind::External { key } => Some(key.clone()),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Whether an expression depends on the row at hand.
    fn looks_at_row(&self, expr: &Expr) -> bool {
        walk::subexpressions(self.query.resolve(expr)).iter().any(|part| {
            matches!(
                part.kind,
                ExprKind::Column(_) | ExprKind::IngestionTime | ExprKind::Window { .. }
            )
        })
    }

    fn mentions_now(&self, expr: &Expr) -> bool {
        let mut todo = vec![expr];
        while let Some(next) = todo.pop() {
            let meant = self.query.resolve(next);
            if matches!(meant.kind, ExprKind::Now | ExprKind::IngestionTime) {
                return true;
            }
            rulec_ir::walk::parts(meant, &mut |node| {
                if let rulec_ir::walk::Node::Expr(part) = node {
                    todo.push(part);
                }
            });
        }
        false
    }
}

/// Each operand once; the two ends of a range stay.
fn distinct(mut operands: Vec<Operand>, kind: Kind) -> Vec<Operand> {
    if !kind.is_order() {
        // Lists of ten thousand addresses are not unheard of.
        let mut known = BTreeSet::new();
        operands.retain(|operand| known.insert((operand.sort(), operand.text())));
    }
    operands
}

/// `base.key`, `base["a key"]`, `base[0]`.
fn element(base: &str, key: &Value) -> String {
    match key {
        Value::String(name) if is_plain(name) => format!("{base}.{name}"),
        Value::String(name) => format!("{base}[\"{name}\"]"),
        number => format!("{base}[{}]", text::print(number)),
    }
}

/// A key that may stand behind a dot.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// One condition of those that all have to hold.
pub(crate) fn all(parts: Vec<Condition<'_>>) -> Condition<'_> {
    let mut kept = Vec::new();
    for part in parts {
        match part {
            Condition::Fixed(true) => {}
            Condition::Fixed(false) => return Condition::Fixed(false),
            Condition::All(inner) => kept.extend(inner),
            part => kept.push(part),
        }
    }
    // `a != 1 and a != 2` is one list, as `a == 1 or a == 2` is.
    let mut kept = merged(kept, |kind| match kind {
        Kind::Ne | Kind::NotIn => Some(Kind::NotIn),
        Kind::NotHas | Kind::NotHasAny => Some(Kind::NotHasAny),
        Kind::NotContains | Kind::NotStartsWith | Kind::NotEndsWith => Some(kind),
        _ => None,
    });
    match kept.len() {
        0 => Condition::Fixed(true),
        1 => kept.remove(0),
        _ => Condition::All(kept),
    }
}

/// One condition of those of which one has to hold.
pub(crate) fn any(parts: Vec<Condition<'_>>) -> Condition<'_> {
    let mut kept = Vec::new();
    for part in parts {
        match part {
            Condition::Fixed(false) => {}
            Condition::Fixed(true) => return Condition::Fixed(true),
            Condition::Any(inner) => kept.extend(inner),
            part => kept.push(part),
        }
    }
    let mut kept = any_column(merged(kept, |kind| match kind {
        Kind::Eq | Kind::In => Some(Kind::In),
        Kind::Has | Kind::HasAny => Some(Kind::HasAny),
        Kind::Contains
        | Kind::StartsWith
        | Kind::EndsWith
        | Kind::RegexMatch
        | Kind::HasPrefix
        | Kind::HasSuffix => Some(kind),
        _ => None,
    }));
    match kept.len() {
        0 => Condition::Fixed(false),
        1 => kept.remove(0),
        _ => Condition::Any(kept),
    }
}

/// Tests of one field that are one test of several values together.
fn merged(parts: Vec<Condition<'_>>, together: fn(Kind) -> Option<Kind>) -> Vec<Condition<'_>> {
    let mut kept: Vec<Condition<'_>> = Vec::new();
    // By what has to be the same: where the test is that others join, and
    // whether any has.
    let mut places: BTreeMap<(String, bool, bool, Kind), (usize, bool)> = BTreeMap::new();
    for part in parts {
        let Condition::Test(test) = part else {
            kept.push(part);
            continue;
        };
        let constants = test.operands.iter().all(|o| matches!(o, Operand::Constant(_)));
        let Some(kind) = together(test.kind).filter(|_| constants) else {
            kept.push(Condition::Test(test));
            continue;
        };
        let key = (test.field.clone(), test.ignore_case, test.time, kind);
        match places.entry(key) {
            Entry::Occupied(mut place) => {
                let (at, joined) = place.get_mut();
                *joined = true;
                if let Some(Condition::Test(before)) = kept.get_mut(*at) {
                    before.kind = kind;
                    before.parameter = None;
                    before.operands.extend(test.operands);
                }
            }
            Entry::Vacant(place) => {
                place.insert((kept.len(), false));
                kept.push(Condition::Test(test));
            }
        }
    }
    for (at, joined) in places.into_values() {
        if joined && let Some(Condition::Test(test)) = kept.get_mut(at) {
            test.operands = distinct(std::mem::take(&mut test.operands), test.kind);
        }
    }
    kept
}

/// `where * has "x"` asks every column the same: one test, not one a column.
fn any_column(parts: Vec<Condition<'_>>) -> Vec<Condition<'_>> {
    let mut kept: Vec<Condition<'_>> = Vec::new();
    let mut rest = parts;
    while !rest.is_empty() {
        let first = rest.remove(0);
        let Condition::Test(test) = &first else {
            kept.push(first);
            continue;
        };
        let alike = |part: &Condition<'_>| match part {
            Condition::Test(other) => {
                other.kind == test.kind
                    && other.operands == test.operands
                    && other.ignore_case == test.ignore_case
            }
            _ => false,
        };
        let columns = 1 + rest.iter().filter(|part| alike(part)).count();
        if columns < FIELDS {
            kept.push(first);
            continue;
        }
        rest.retain(|part| !alike(part));
        kept.push(Condition::Test(Test {
            field: ANY_COLUMN.to_owned(),
            columns,
            ..test.clone()
        }));
    }
    kept
}
