//! What each stage does, in one plain sentence.
//!
//! In: a relation of the algebra. Out: words without a full stop, which begin
//! with a verb. Long lists are counted rather than told; what a sentence
//! leaves out it says it leaves out.

mod conditions;
mod relations;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use rulec_ir::{AggregateCall, Column, Expr, ExprKind, ProjectKind, Rel, RelKind};
use rulec_source::Span;

use crate::{Input, condition::Reader, written::Written};

/// Names that are told one by one.
const NAMED: usize = 6;

/// Writes the sentences of one query.
pub(crate) struct Sentences<'a> {
    input: &'a Input<'a>,
    written: Written<'a>,
}

impl<'a> Sentences<'a> {
    pub(crate) fn new(input: &'a Input<'a>) -> Self {
        Self {
            input,
            written: Written { input },
        }
    }

    /// What the stage of this kind does, whose operator stands at `place`.
    pub(crate) fn of(&self, kind: &str, rel: Option<&'a Rel>, place: Span) -> String {
        let name = kind.strip_prefix("kusto:").unwrap_or(kind);
        let Some(rel) = rel else {
            return self.without_relation(name, place);
        };
        match name {
            "source" => self.source(rel),
            "sample-distinct" => self.sample_distinct(rel),
            "sample" => match &rel.kind {
                RelKind::Take { count, .. } => format!("keeps {} picked at random", self.rows(count)),
                _ => self.relation(name, rel),
            },
            "search" => self.search(rel),
            "find" => self.find(rel),
            "top-hitters" => self.top_hitters(rel),
            _ => self.relation(name, rel),
        }
    }

    fn reader<'r>(&self, rows: &'r Rel) -> Reader<'a, 'r>
    where
        'a: 'r,
    {
        Reader {
            query: self.input.ir,
            rows,
            written: self.written,
        }
    }

    fn without_relation(&self, name: &str, place: Span) -> String {
        match name {
            "as" => "gives the rows a name".to_owned(),
            "render" => "draws the rows; they stay as they are".to_owned(),
            "consume" => "reads the rows and gives none".to_owned(),
            "serialize" => "keeps the rows in the order they are in".to_owned(),
            "source" | "invoke" => {
                let text = self.written.short(place);
                let called = text.trim_start_matches("invoke").trim();
                let own = self
                    .input
                    .ir
                    .bindings
                    .iter()
                    .any(|b| called.split('(').next() == Some(&*b.name));
                match (name, own) {
                    ("source", true) => format!("begins with what the query's function `{called}` gives"),
                    ("source", false) => format!("begins with `{called}`"),
                    (_, true) => format!("hands the rows to the query's function `{called}`"),
                    (_, false) => format!("hands the rows to `{called}`"),
                }
            }
            _ => format!("applies `{name}`, which is not told in words"),
        }
    }

    fn relation(&self, name: &str, rel: &'a Rel) -> String {
        match &rel.kind {
            RelKind::Filter { input, predicate } => {
                let condition = self.reader(input).read(predicate, false);
                format!("keeps rows where {}", conditions::phrase(&condition))
            }
            RelKind::Project { input, kind, exprs } => self.project(rel, input, *kind, exprs),
            RelKind::Summarize {
                input,
                keys,
                aggregates,
            } => self.summarize(rel, input, keys, aggregates),
            RelKind::Distinct { exprs, .. } => {
                let of: Vec<String> = rel.columns.iter().map(|c| c.name.to_string()).collect();
                if exprs.is_empty() || self.is_starred(exprs) {
                    "makes equal rows one".to_owned()
                } else {
                    format!("keeps one row for each {}", list(&of, "and"))
                }
            }
            RelKind::Count { .. } => "counts the rows".to_owned(),
            RelKind::Take { count, .. } => {
                format!("keeps {}, whichever come first", self.rows(count))
            }
            RelKind::Sort { input, keys } => {
                let keys: Vec<String> = keys.iter().map(|k| self.sorted(input, k)).collect();
                format!("sorts the rows by {}", list(&keys, "then by"))
            }
            RelKind::Top { input, count, keys } => self.top(input, count, keys),
            RelKind::MvExpand { input, items, .. } => {
                let of: Vec<String> = items
                    .iter()
                    .map(|item| {
                        let from = self.subject(input, &item.expr);
                        match rel.columns.get(item.output).map(|c| c.name.to_string()) {
                            Some(to) if to != from => format!("{from} (as {to})"),
                            _ => from,
                        }
                    })
                    .collect();
                format!("makes one row of each element of {}", list(&of, "and"))
            }
            RelKind::Parse {
                input, expr, filter, ..
            } => {
                let made = added(&rel.columns, &input.columns);
                let from = self.subject(input, expr);
                let drops = if *filter {
                    "; rows that do not fit the pattern are dropped"
                } else {
                    ""
                };
                if made.is_empty() {
                    format!("matches {from} with a pattern{drops}")
                } else {
                    format!("takes {} out of {from}{drops}", list(&made, "and"))
                }
            }
            RelKind::GetSchema { .. } => "gives the columns of the rows instead of the rows".to_owned(),
            RelKind::Unsupported { .. } if name == "reduce" => {
                "groups similar values and counts them".to_owned()
            }
            RelKind::Unsupported { construct, .. } => format!("applies {construct}"),
            _ => self.wider(name, rel),
        }
    }

    fn project(&self, rel: &'a Rel, input: &'a Rel, kind: ProjectKind, exprs: &'a [Expr]) -> String {
        match kind {
            ProjectKind::Extend | ProjectKind::Serialize => {
                let sets = self.assigned(rel, input, exprs);
                match (sets.is_empty(), kind) {
                    (true, ProjectKind::Serialize) => "keeps the rows in the order they are in".to_owned(),
                    (true, _) => "changes nothing".to_owned(),
                    _ => list(&sets, "and"),
                }
            }
            ProjectKind::Project => {
                let names: Vec<String> = rel.columns.iter().map(|c| c.name.to_string()).collect();
                format!(
                    "keeps only {} {}",
                    plural(names.len(), "the column", "the columns"),
                    list(&names, "and")
                )
            }
            ProjectKind::Away => {
                let gone = added(&input.columns, &rel.columns);
                match gone.len() {
                    0 => "drops no column".to_owned(),
                    n => format!(
                        "drops {} {}",
                        plural(n, "the column", "the columns"),
                        list(&gone, "and")
                    ),
                }
            }
            ProjectKind::Keep => {
                let names: Vec<String> = rel.columns.iter().map(|c| c.name.to_string()).collect();
                format!(
                    "keeps only {} {}, in the order they were in",
                    plural(names.len(), "the column", "the columns"),
                    list(&names, "and")
                )
            }
            ProjectKind::Rename => {
                let renamed: Vec<String> = exprs
                    .iter()
                    .zip(rel.columns.iter())
                    .filter_map(|(expr, after)| match expr.kind {
                        ExprKind::Column(at) => {
                            let before = &input.columns.get(at)?.name;
                            (*before != after.name).then(|| format!("{before} to {}", after.name))
                        }
                        _ => None,
                    })
                    .collect();
                format!("renames {}", list(&renamed, "and"))
            }
            ProjectKind::Reorder => {
                // How many columns at the front are not where they were.
                let same = rel
                    .columns
                    .iter()
                    .rev()
                    .zip(input.columns.iter().rev())
                    .take_while(|(after, before)| after.name == before.name)
                    .count();
                let front = rel.columns.len() - same;
                let names: Vec<String> = rel
                    .columns
                    .iter()
                    .take(self.reordered(rel).unwrap_or(front))
                    .map(|c| c.name.to_string())
                    .collect();
                if names.is_empty() {
                    "leaves the columns in their order".to_owned()
                } else {
                    format!("puts {} first", list(&names, "and"))
                }
            }
        }
    }

    /// How many columns a `project-reorder` names.
    fn reordered(&self, rel: &Rel) -> Option<usize> {
        let text = self.written.line(rel.span);
        (!text.contains('*')).then(|| text.split(',').count())
    }

    /// What `extend` sets, column by column.
    fn assigned(&self, rel: &'a Rel, input: &'a Rel, exprs: &'a [Expr]) -> Vec<String> {
        let mut sets = Vec::new();
        for (expr, after) in exprs.iter().zip(rel.columns.iter()) {
            let known = input.columns.iter().position(|before| before.name == after.name);
            if let ExprKind::Column(at) = expr.kind
                && Some(at) == known
            {
                continue;
            }
            let verb = if known.is_some() { "replaces" } else { "adds" };
            let value = match &expr.kind {
                ExprKind::Column(at) => match input.columns.get(*at) {
                    Some(column) => format!("a copy of {}", column.name),
                    None => "a value".to_owned(),
                },
                _ => match self.written.short(expr.span) {
                    text if text.is_empty() => "a value".to_owned(),
                    text => format!("`{text}`"),
                },
            };
            let preposition = if known.is_some() { "by" } else { "as" };
            sets.push(format!("{verb} {} {preposition} {value}", after.name));
        }
        sets
    }

    fn summarize(
        &self,
        rel: &'a Rel,
        input: &'a Rel,
        keys: &'a [Expr],
        aggregates: &'a [AggregateCall],
    ) -> String {
        let mut out = if keys.is_empty() {
            "makes one row of all".to_owned()
        } else {
            let each: Vec<String> = keys
                .iter()
                .zip(rel.columns.iter())
                .map(|(key, column)| match &key.kind {
                    ExprKind::Column(_) => column.name.to_string(),
                    _ => match self.written.short(key.span) {
                        text if text.is_empty() => column.name.to_string(),
                        text => format!("`{text}`"),
                    },
                })
                .collect();
            format!("makes one row for each {}", list(&each, "and"))
        };
        let mut at = keys.len();
        let mut parts = Vec::new();
        for call in aggregates {
            let columns = rel.columns.get(at..at + call.outputs).unwrap_or_default();
            parts.push(self.aggregate(input, call, columns));
            at += call.outputs;
        }
        if !parts.is_empty() {
            let _ = write!(out, ", with {}", list(&parts, "and"));
        }
        out
    }

    /// An aggregate in words, with the name of its column where the words do not say it.
    fn aggregate(&self, input: &'a Rel, call: &'a AggregateCall, columns: &[Column]) -> String {
        let of = call
            .args
            .first()
            .map(|arg| self.subject(input, arg))
            .unwrap_or_default();
        let said = match (call.function, call.args.len()) {
            ("count", _) => "the number of rows".to_owned(),
            ("countif", _) => match call.args.first() {
                Some(arg) => format!(
                    "the number of rows where {}",
                    conditions::phrase(&self.reader(input).read(arg, false))
                ),
                None => "the number of rows".to_owned(),
            },
            ("dcount" | "count_distinct", _) => format!("the number of different {of}"),
            ("sum", _) => format!("the sum of {of}"),
            ("avg", _) => format!("the average of {of}"),
            ("min", _) => format!("the smallest {of}"),
            ("max", _) => format!("the largest {of}"),
            ("make_set", _) => format!("the different values of {of}"),
            ("make_list", _) => format!("the values of {of}"),
            ("take_any" | "any", 1) => format!("any {of}"),
            ("take_any" | "any", _) => {
                return format!("{} of any of its rows", self.returned(call, columns, 0));
            }
            ("arg_min" | "arg_max", n) => {
                let which = if call.function == "arg_min" {
                    "smallest"
                } else {
                    "largest"
                };
                return if n < 2 {
                    format!("the {which} {of}")
                } else {
                    format!(
                        "{} of the row with the {which} {of}",
                        self.returned(call, columns, 1)
                    )
                };
            }
            _ => format!("`{}`", self.written.short(call.span)),
        };
        match columns {
            [column] => format!("{said} ({})", column.name),
            _ => said,
        }
    }

    /// The columns that `arg_min` and its relatives give back.
    fn returned(&self, call: &AggregateCall, columns: &[Column], skip: usize) -> String {
        let starred = self.written.line(call.span).contains('*');
        let names: Vec<String> = columns.iter().skip(skip).map(|c| c.name.to_string()).collect();
        if starred || names.is_empty() {
            "all columns".to_owned()
        } else {
            list(&names, "and")
        }
    }

    fn is_starred(&self, exprs: &[Expr]) -> bool {
        exprs
            .iter()
            .any(|e| e.span.is_empty() || self.written.line(e.span).trim() == "*")
    }

    /// The column an expression is, or its text.
    fn subject(&self, rows: &'a Rel, expr: &Expr) -> String {
        let reader = self.reader(rows);
        match reader.column(expr) {
            Some(column) => column,
            None => match self.written.short(expr.span) {
                text if text.is_empty() => "a value".to_owned(),
                text => format!("`{text}`"),
            },
        }
    }

    /// "10 rows".
    fn rows(&self, count: &Expr) -> String {
        match self.input.ir.constant(count) {
            Some(value) => {
                let n = rulec_functions::text::print(&value);
                format!("{n} {}", if n == "1" { "row" } else { "rows" })
            }
            None => format!("`{}` rows", self.written.short(count.span)),
        }
    }
}

/// Names of columns that are in `after` and not in `before`.
fn added(after: &[Column], before: &[Column]) -> Vec<String> {
    let known: BTreeSet<&str> = before.iter().map(|column| &*column.name).collect();
    let names = after.iter().map(|column| &*column.name);
    names
        .filter(|name| !known.contains(name))
        .map(str::to_owned)
        .collect()
}

fn plural<'w>(n: usize, one: &'w str, many: &'w str) -> &'w str {
    if n == 1 { one } else { many }
}

/// `a, b and c`; of many the first few and how many more.
fn list(parts: &[String], last: &str) -> String {
    match parts {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        parts if parts.len() > NAMED => {
            let told = NAMED - 1;
            format!("{} {last} {} more", parts[..told].join(", "), parts.len() - told)
        }
        [first @ .., end] => {
            let comma = if last == "then by" { "," } else { "" };
            format!("{}{comma} {last} {end}", first.join(", "))
        }
    }
}
