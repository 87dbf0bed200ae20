//! Sentences for sources, joins and the less common operators.

use rulec_ir::{Expr, JoinKind, Operator, Rel, RelKind, SortKey};

use super::{Sentences, added, conditions, list, plural};
use crate::{
    predicates::{joined_with, list_of},
    written::{LONG, shortened},
};

impl<'a> Sentences<'a> {
    pub(super) fn source(&self, rel: &'a Rel) -> String {
        match &rel.kind {
            RelKind::Table { name } => {
                let known = self.input.ir.tables.iter().any(|t| t.name == *name && t.known);
                let unknown = if known { "" } else { ", which no schema describes" };
                format!("reads the table {name}{unknown}")
            }
            RelKind::Ref(id) => match self.input.ir.binding(*id) {
                Some(binding) if !binding.name.is_empty() => format!("reads the rows of `{}`", binding.name),
                _ => "reads rows that were computed before".to_owned(),
            },
            RelKind::External { key } => format!("reads `{key}`, which is given from outside"),
            RelKind::Rows(rows) => format!(
                "begins with {} {} written in the query",
                rows.len(),
                plural(rows.len(), "row", "rows")
            ),
            RelKind::Input => "takes the rows that are handed in".to_owned(),
            _ => format!("begins with `{}`", self.written.short(rel.span)),
        }
    }

    /// Operators that relate tables, and those few queries use.
    pub(super) fn wider(&self, name: &str, rel: &'a Rel) -> String {
        match &rel.kind {
            RelKind::Join { .. } => self.join(rel),
            RelKind::Union { inputs, .. } => {
                let of: Vec<&Rel> = inputs.iter().map(|i| &i.rel).collect();
                self.union(&of)
            }
            RelKind::MvApply { items, input, .. } => {
                let of: Vec<String> = items.iter().map(|i| self.subject(input, &i.expr)).collect();
                format!(
                    "runs a subquery over the elements of {} of each row",
                    list(&of, "and")
                )
            }
            RelKind::Invoke {
                input,
                function,
                args,
            } => {
                let of: Vec<String> = args.first().map(|a| self.subject(input, a)).into_iter().collect();
                let made = added(&rel.columns, &input.columns);
                let by = if of.is_empty() {
                    String::new()
                } else {
                    format!(" of {}", list(&of, "and"))
                };
                if made.is_empty() {
                    format!("looks up `{function}`{by}")
                } else {
                    format!("adds what `{function}` knows{by}: {}", list(&made, "and"))
                }
            }
            RelKind::Rows(rows) => match name {
                "print" => "gives one row of values written in the query".to_owned(),
                _ => format!(
                    "begins with {} {} written in the query",
                    rows.len(),
                    plural(rows.len(), "row", "rows")
                ),
            },
            RelKind::Range { from, to, step } => format!(
                "gives the values from `{}` to `{}` in steps of `{}`",
                self.written.short(from.span),
                self.written.short(to.span),
                self.written.short(step.span)
            ),
            RelKind::Special { inputs, operator } => self.special(rel, inputs, operator),
            _ => self.source(rel),
        }
    }

    fn join(&self, rel: &'a Rel) -> String {
        let RelKind::Join {
            left,
            right,
            kind,
            left_keys,
            right_keys,
            ..
        } = &rel.kind
        else {
            return String::new();
        };
        let with = joined_with(self.input.ir, rel, right, self.written);
        let with = if with.contains(' ') {
            format!("`{}`", shortened(&with, LONG))
        } else {
            with
        };
        let keys: Vec<String> = left_keys
            .iter()
            .zip(right_keys)
            .map(|(l, r)| match (self.subject(left, l), self.subject(right, r)) {
                (l, r) if l == r => format!("the same {l}"),
                (l, r) => format!("{l} equal to its {r}"),
            })
            .collect();
        let on = if keys.is_empty() {
            String::new()
        } else {
            format!(" with {}", list(&keys, "and"))
        };
        match kind {
            JoinKind::LeftAnti => format!("drops rows that have a match in {with}{on}"),
            JoinKind::LeftSemi => format!("keeps rows that have a match in {with}{on}"),
            JoinKind::RightAnti => format!("goes on with the rows of {with} that have no match here{on}"),
            JoinKind::RightSemi => format!("goes on with the rows of {with} that have a match here{on}"),
            JoinKind::LeftOuter => format!("adds the columns of {with}{on}; rows without a match stay"),
            JoinKind::Inner => format!("adds the columns of {with}{on}; rows without a match are dropped"),
            JoinKind::InnerUnique => format!(
                "adds the columns of {with}{on}; of rows with the same keys only one is joined, and rows without a match are dropped"
            ),
            JoinKind::RightOuter | JoinKind::FullOuter => format!(
                "adds the columns of {with}{on}; rows of {} without a match stay ({})",
                if *kind == JoinKind::FullOuter {
                    "either side"
                } else {
                    "that side"
                },
                kind.name()
            ),
        }
    }

    fn union(&self, inputs: &[&'a Rel]) -> String {
        let names: Vec<String> = inputs
            .iter()
            .map(|rel| {
                let name = list_of(self.input.ir, rel, self.written);
                if name.contains(' ') {
                    format!("`{}`", shortened(&name, LONG))
                } else {
                    name
                }
            })
            .collect();
        match names.as_slice() {
            [one] => format!("reads the rows of {one}"),
            names => format!("puts the rows of {} together", list(names, "and")),
        }
    }

    pub(super) fn top(&self, input: &'a Rel, count: &Expr, keys: &'a [SortKey]) -> String {
        let [first, rest @ ..] = keys else {
            return format!("keeps {}", self.rows(count));
        };
        let which = if first.descending { "largest" } else { "smallest" };
        let then: Vec<String> = rest.iter().map(|k| self.sorted(input, k)).collect();
        format!(
            "keeps the {} with the {which} {}{}",
            self.rows(count),
            self.subject(input, &first.expr),
            if then.is_empty() {
                String::new()
            } else {
                format!(", then by {}", list(&then, "then by"))
            }
        )
    }

    pub(super) fn sorted(&self, input: &'a Rel, key: &SortKey) -> String {
        let order = match (key.descending, key.expr.ty) {
            (true, rulec_functions::Type::DateTime) => "latest first",
            (false, rulec_functions::Type::DateTime) => "earliest first",
            (true, rulec_functions::Type::String) => "Z to A",
            (false, rulec_functions::Type::String) => "A to Z",
            (true, _) => "largest first",
            (false, _) => "smallest first",
        };
        format!("{} ({order})", self.subject(input, &key.expr))
    }

    pub(super) fn sample_distinct(&self, rel: &'a Rel) -> String {
        match &rel.kind {
            RelKind::Take { count, .. } => {
                let n = self.rows(count);
                let n = n.split(' ').next().unwrap_or_default().to_owned();
                let of: Vec<String> = rel.columns.iter().map(|c| c.name.to_string()).collect();
                format!("keeps up to {n} different values of {}", list(&of, "and"))
            }
            _ => self.wider("sample-distinct", rel),
        }
    }

    /// `search` reads tables, then keeps rows.
    pub(super) fn search(&self, rel: &'a Rel) -> String {
        match &rel.kind {
            RelKind::Filter { input, predicate } => {
                let condition = self.reader(input).read(predicate, false);
                let wanted = conditions::phrase(&condition);
                match self.tables_below(input, rel) {
                    Some(tables) => format!("searches {tables} for rows where {wanted}"),
                    None => format!("keeps rows where {wanted}"),
                }
            }
            _ => self.relation("search", rel),
        }
    }

    /// `find` reads tables, keeps rows, and packs their columns.
    pub(super) fn find(&self, rel: &'a Rel) -> String {
        let mut at = rel;
        loop {
            match &at.kind {
                RelKind::Filter { .. } => return self.search(at),
                RelKind::Project { input, .. } => at = input,
                _ => return self.wider("find", at),
            }
        }
    }

    /// The tables that the operator itself names.
    fn tables_below(&self, input: &'a Rel, operator: &Rel) -> Option<String> {
        let names: Vec<String> = match &input.kind {
            RelKind::Union { inputs, .. } => inputs
                .iter()
                .map(|i| list_of(self.input.ir, &i.rel, self.written))
                .collect(),
            RelKind::Special { inputs, .. } => inputs
                .iter()
                .map(|i| list_of(self.input.ir, i, self.written))
                .collect(),
            RelKind::Table { name } if operator.span.contains(input.span) => vec![name.clone()],
            _ => return None,
        };
        match names.len() {
            0 => None,
            n if n > 12 => Some(format!("{n} tables")),
            _ => Some(list(&names, "and")),
        }
    }

    pub(super) fn top_hitters(&self, rel: &'a Rel) -> String {
        match &rel.kind {
            RelKind::Top { input, count, .. } => {
                let of = input
                    .columns
                    .first()
                    .map(|c| c.name.to_string())
                    .unwrap_or_default();
                let n = self.rows(count);
                let n = n.split(' ').next().unwrap_or_default().to_owned();
                format!("keeps the {n} most frequent values of {of}")
            }
            _ => self.relation("top-hitters", rel),
        }
    }

    fn special(&self, rel: &'a Rel, inputs: &'a [Rel], operator: &'a Operator) -> String {
        let first = inputs.first();
        let subject = |expr: &'a Expr| match first {
            Some(input) => self.subject(input, expr),
            None => format!("`{}`", self.written.short(expr.span)),
        };
        let made = first.map_or_else(Vec::new, |input| added(&rel.columns, &input.columns));
        let adds = |what: &str| {
            if made.is_empty() {
                what.to_owned()
            } else {
                format!("{what}: {}", list(&made, "and"))
            }
        };
        match operator {
            Operator::Consume => "reads the rows and gives none".to_owned(),
            Operator::Fork => format!(
                "hands the rows to {} subqueries; the first gives the result",
                inputs.len().saturating_sub(1)
            ),
            Operator::Facet { columns } => {
                let of: Vec<String> = columns
                    .iter()
                    .filter_map(|at| Some(first?.columns.get(*at)?.name.to_string()))
                    .collect();
                format!("counts the values of {}", list(&of, "and"))
            }
            Operator::Partition { key } | Operator::PartitionEach { key, .. } => {
                format!("runs a subquery over the rows of each {}", subject(key))
            }
            Operator::ParseKv { text, .. } => format!(
                "takes {} out of the pairs of keys and values in {}",
                list(&made, "and"),
                subject(text)
            ),
            Operator::TopNested { levels } => {
                let of: Vec<String> = levels.iter().map(|level| subject(&level.of)).collect();
                format!(
                    "keeps the foremost values of {}, one level below the other",
                    list(&of, "and")
                )
            }
            Operator::MakeSeries { keys, axis, step, .. } => {
                let each: Vec<String> = keys.iter().map(subject).collect();
                let by = if each.is_empty() {
                    String::new()
                } else {
                    format!(", one for each {}", list(&each, "and"))
                };
                format!(
                    "makes series of values over {} in steps of `{}`{by}",
                    subject(axis),
                    self.written.short(step.span)
                )
            }
            Operator::Scan { steps, .. } => format!(
                "follows sequences of rows through {} {}",
                steps.len(),
                plural(steps.len(), "step", "steps")
            ),
            Operator::BagUnpack { column, .. } => {
                let of = first
                    .and_then(|input| input.columns.get(*column))
                    .map(|c| c.name.to_string())
                    .unwrap_or_default();
                format!("makes a column of each key of {of}")
            }
            Operator::Pivot { column, .. } => {
                let of = first
                    .and_then(|input| input.columns.get(*column))
                    .map(|c| c.name.to_string())
                    .unwrap_or_default();
                format!("makes a column of each value of {of}")
            }
            Operator::Narrow => "makes one row of each value of each row".to_owned(),
            Operator::SchemaMerge { .. } => "puts columns of the tables together".to_owned(),
            Operator::AddressLookup {
                address,
                return_unmatched,
                ..
            } => {
                let with = inputs
                    .get(1)
                    .map(|right| list_of(self.input.ir, right, self.written))
                    .unwrap_or_default();
                let rest = if *return_unmatched { "stay" } else { "are dropped" };
                format!(
                    "adds what {with} says about the network of {}; rows without one {rest}",
                    subject(address)
                )
            }
            Operator::DcountIntersect { .. } => adds("estimates how many values sets have in common"),
            Operator::Plugin { name, .. } => adds(&format!("applies the plugin `{name}`")),
            Operator::WideUnion { labels, .. } => {
                format!("puts the rows of {} tables together", labels.len())
            }
        }
    }
}
