//! Where a query lost columns on the way to its result, and what keeps them.
//!
//! In: a bound query and names of columns. Out: the operator that dropped them,
//! and edits of the query that keep them, which were tried: the changed query
//! binds, gives what it gave and the columns besides. Deliberately absent:
//! whether somebody needs the columns.

use std::collections::{BTreeMap, BTreeSet};

use rulec_ir::walk::Node;
use rulec_ir::{BindingKind, ExprKind as IrExprKind, JoinKind, ProjectKind, Rel, RelKind, walk};
use rulec_kql::ast::{Call, Column, ColumnNames, Expr, ExprKind, Operator, OperatorKind};
use rulec_kql::walk::{Visitor, walk_operator, walk_query};
use rulec_source::Span;

use crate::{Query, apart};

/// Where columns were lost, and how they are kept.
pub(crate) struct Lost {
    /// The operator that drops them, first of those that do: its keyword.
    pub(crate) keyword: Span,
    /// As written: `summarize`.
    pub(crate) operator: String,
    /// What keeps them, as code; none when there is no safe way.
    pub(crate) keep: Option<Keep>,
}

/// How columns are kept.
pub(crate) struct Keep {
    /// What is written, as code: `arg_max(Timestamp, ReportId)`.
    pub(crate) idiom: String,
    /// Edits of the query, in order.
    pub(crate) edits: Vec<(Span, String)>,
}

/// What is looked for.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The names.
    pub(crate) columns: &'a [&'a str],
    /// Whether they have to be those of one event, with its time: the columns
    /// that hold times, best first. Empty: each for itself.
    pub(crate) times: &'a [String],
}

/// Longer than any pipeline a person writes.
const DEPTH: usize = 300;

/// Where a query that is sound loses columns that it has at first; none when
/// one of them was never there.
pub(crate) fn lost(query: &Query<'_>, wanted: Wanted<'_>) -> Option<Lost> {
    let root = query.ir.root.as_ref()?;
    let all = wanted
        .columns
        .iter()
        .all(|name| reaches(query, root, name, DEPTH));
    if !all || wanted.columns.is_empty() {
        return None;
    }
    let mut keeper = Keeper::new(query, wanted);
    let missing: Vec<String> = wanted.columns.iter().map(|c| (*c).to_owned()).collect();
    let possible = keeper.keep(root, &missing, DEPTH).is_some();
    let (keyword, operator) = keeper.first.clone()?;
    let keep = possible.then(|| keeper.finish()).flatten();
    Some(Lost {
        keyword,
        operator,
        keep,
    })
}

/// Whether the rows of a relation had a column of that name before.
fn reaches(query: &Query<'_>, rel: &Rel, name: &str, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    if has(rel, name) {
        return true;
    }
    let below = |rel: &Rel| reaches(query, rel, name, depth);
    match &rel.kind {
        RelKind::Ref(id) => match query.ir.binding(*id).map(|b| &b.kind) {
            Some(BindingKind::Table { rel, .. }) => below(rel),
            _ => false,
        },
        RelKind::Join {
            left, right, kind, ..
        } => (gives_left(*kind) && below(left)) || (gives_right(*kind) && below(right)),
        RelKind::Union { inputs, .. } => inputs.iter().any(|input| below(&input.rel)),
        RelKind::Project { input, .. }
        | RelKind::Summarize { input, .. }
        | RelKind::Distinct { input, .. }
        | RelKind::Filter { input, .. }
        | RelKind::Sort { input, .. }
        | RelKind::Take { input, .. }
        | RelKind::Top { input, .. }
        | RelKind::Parse { input, .. }
        | RelKind::Invoke { input, .. }
        | RelKind::MvExpand { input, .. }
        | RelKind::MvApply { input, .. }
        | RelKind::Count { input } => below(input),
        _ => false,
    }
}

fn has(rel: &Rel, name: &str) -> bool {
    rel.columns.iter().any(|column| &*column.name == name)
}

fn gives_left(kind: JoinKind) -> bool {
    !matches!(kind, JoinKind::RightSemi | JoinKind::RightAnti)
}

fn gives_right(kind: JoinKind) -> bool {
    !matches!(kind, JoinKind::LeftSemi | JoinKind::LeftAnti)
}

struct Keeper<'q> {
    query: &'q Query<'q>,
    wanted: Wanted<'q>,
    operators: BTreeMap<Span, Operator>,
    /// How often the rows of a binding are read.
    read: BTreeMap<usize, usize>,
    edits: BTreeSet<(Span, String)>,
    idiom: Option<String>,
    first: Option<(Span, String)>,
}

/// The time of the event, in a summarize.
#[derive(Clone, Copy)]
struct Time<'n> {
    name: &'n str,
    /// Whether rows are grouped by it.
    is_key: bool,
    /// Whether the result has a column of that name.
    is_given: bool,
}

/// Collects the operators of a query by their place.
struct Operators(BTreeMap<Span, Operator>);

impl Visitor for Operators {
    fn operator(&mut self, operator: &Operator) {
        self.0.insert(operator.span, operator.clone());
        walk_operator(self, operator);
    }
}

impl<'q> Keeper<'q> {
    fn new(query: &'q Query<'q>, wanted: Wanted<'q>) -> Self {
        let mut operators = Operators(BTreeMap::new());
        walk_query(&mut operators, &query.parsed.query);
        let mut read = BTreeMap::new();
        walk::query(query.ir, &mut |node| {
            if let Node::Rel(Rel {
                kind: RelKind::Ref(id),
                ..
            }) = node
            {
                *read.entry(id.0).or_default() += 1;
            }
        });
        Self {
            query,
            wanted,
            operators: operators.0,
            read,
            edits: BTreeSet::new(),
            idiom: None,
            first: None,
        }
    }

    /// Makes `rel` give the columns besides its own; none when that is not possible.
    fn keep(&mut self, rel: &Rel, wanted: &[String], depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        let missing: Vec<String> = wanted.iter().filter(|name| !has(rel, name)).cloned().collect();
        if missing.is_empty() {
            return Some(());
        }
        match &rel.kind {
            RelKind::Ref(id) => {
                // Another reader of the rows would get the columns too.
                if self.read.get(&id.0) != Some(&1) {
                    return None;
                }
                match self.query.ir.binding(*id).map(|b| &b.kind) {
                    Some(BindingKind::Table { rel, .. }) => self.keep(rel, &missing, depth),
                    _ => None,
                }
            }
            RelKind::Filter { input, .. }
            | RelKind::Sort { input, .. }
            | RelKind::Take { input, .. }
            | RelKind::Top { input, .. }
            | RelKind::Parse { input, .. }
            | RelKind::Invoke { input, .. }
            | RelKind::MvExpand { input, .. }
            | RelKind::MvApply { input, .. } => self.keep(input, &missing, depth),
            RelKind::Join {
                left, right, kind, ..
            } => {
                let on_left = |name: &String| gives_left(*kind) && reaches(self.query, left, name, DEPTH);
                let (here, there): (Vec<String>, Vec<String>) = missing.into_iter().partition(on_left);
                if !there.is_empty() && !gives_right(*kind) {
                    return None;
                }
                self.keep(left, &here, depth)?;
                self.keep(right, &there, depth)
            }
            RelKind::Union { inputs, .. } => {
                for input in inputs {
                    self.keep(&input.rel, &missing, depth)?;
                }
                Some(())
            }
            RelKind::Project { input, kind, .. } => {
                self.keep(input, &missing, depth)?;
                match kind {
                    ProjectKind::Extend | ProjectKind::Serialize | ProjectKind::Reorder => Some(()),
                    _ => self.through_projection(rel.span, &missing),
                }
            }
            RelKind::Summarize { input, keys, .. } => {
                let time = self.time(input);
                let below = with(&missing, time.as_deref());
                let kept = self.keep(input, &below, depth);
                let is_key = |name: &str| {
                    let at = rel.columns.iter().position(|c| &*c.name == name);
                    at.and_then(|at| keys.get(at))
                        .is_some_and(|key| matches!(key.kind, IrExprKind::Column(_)))
                };
                let time = time.as_deref().map(|name| Time {
                    name,
                    is_key: is_key(name),
                    is_given: has(rel, name),
                });
                self.through_summarize(rel.span, &missing, time)?;
                kept
            }
            RelKind::Distinct { input, .. } => {
                let time = self.time(input);
                let below = with(&missing, time.as_deref());
                let kept = self.keep(input, &below, depth);
                let time = time.as_deref().filter(|name| !has(rel, name));
                self.through_distinct(rel.span, &missing, time)?;
                kept
            }
            _ => {
                let operator = self.operators.get(&rel.span)?;
                self.first = self
                    .first
                    .take()
                    .or_else(|| Some((operator.keyword.span, operator.keyword.text.clone())));
                None
            }
        }
    }

    /// The column with the time of the event that the rows had.
    fn time(&self, input: &Rel) -> Option<String> {
        let mut times = self.wanted.times.iter();
        times
            .find(|name| reaches(self.query, input, name, DEPTH))
            .cloned()
    }

    /// The operator at a place, which drops columns.
    fn dropping(&mut self, at: Span) -> Option<Operator> {
        let operator = self.operators.get(&at)?.clone();
        if self.first.is_none() {
            self.first = Some((operator.keyword.span, operator.keyword.text.clone()));
        }
        Some(operator)
    }

    /// What is written first is what people are told.
    fn write(&mut self, at: Span, text: String, idiom: impl FnOnce() -> String) {
        self.edits.insert((at, text));
        self.idiom.get_or_insert_with(idiom);
    }

    fn of(&self, span: Span) -> &'q str {
        span.of(&self.query.parsed.text)
    }

    /// Between the last two of a list, or what goes there.
    fn separator(&self, spans: &[Span]) -> String {
        if let [.., before, last] = spans
            && before.end <= last.start
        {
            let between = self.of(Span::new(before.end as usize, last.start as usize));
            let plain = between.chars().all(|c| c == ',' || c.is_whitespace());
            if plain && self.query.fragment.pieces.len() == 1 {
                return between.to_owned();
            }
        }
        ", ".to_owned()
    }

    fn append(&mut self, spans: &[Span], added: &[String], idiom: String) -> Option<()> {
        let last = spans.last()?;
        let separator = self.separator(spans);
        let text: String = added.iter().map(|one| format!("{separator}{one}")).collect();
        self.write(after(*last), text, || idiom);
        Some(())
    }

    fn through_projection(&mut self, at: Span, missing: &[String]) -> Option<()> {
        let operator = self.dropping(at)?;
        let names = missing.join(", ");
        match &operator.kind {
            OperatorKind::Project { columns } => {
                let spans: Vec<Span> = columns.iter().map(|c| c.span).collect();
                self.append(&spans, missing, format!("project …, {names}"))
            }
            OperatorKind::ProjectKeep { columns } => {
                let spans: Vec<Span> = columns.iter().map(|c| c.span).collect();
                self.append(&spans, missing, format!("project-keep …, {names}"))
            }
            OperatorKind::ProjectAway { columns } => {
                let (mut kept, mut gone) = (Vec::new(), 0);
                for column in columns {
                    if missing.iter().any(|name| name_of(column) == Some(name)) {
                        gone += 1;
                    } else {
                        kept.push(self.of(column.span));
                    }
                }
                // What a pattern drops cannot be taken out of it.
                if gone != missing.len() {
                    return None;
                }
                let (first, last) = (columns.first()?.span, columns.last()?.span);
                if kept.is_empty() {
                    let before = self.of(Span::new(0, at.start as usize));
                    let pipe = before.rfind('|')?;
                    let start = before[..pipe].trim_end().len();
                    let whole = Span::new(start, at.end as usize);
                    // A comment in between stays where it is.
                    if self.of(whole).contains("//") {
                        return None;
                    }
                    self.write(whole, String::new(), || format!("no `project-away {names}`"));
                } else {
                    let list = Span::new(first.start as usize, last.end as usize);
                    let text = kept.join(", ");
                    let idiom = format!("project-away {text}");
                    self.write(list, text, || idiom);
                }
                Some(())
            }
            OperatorKind::ProjectRename { columns } => {
                let mut back = Vec::new();
                for name in missing {
                    let column = columns.iter().find(|c| name_of(&c.value) == Some(name))?;
                    let ColumnNames::One(new) = &column.names else {
                        return None;
                    };
                    back.push(format!("{name} = {}", self.of(new.span)));
                }
                let text = format!("extend {}", back.join(", "));
                self.write(after(at), format!(" | {text}"), || text.clone());
                Some(())
            }
            _ => None,
        }
    }

    fn through_summarize(&mut self, at: Span, missing: &[String], time: Option<Time<'_>>) -> Option<()> {
        let operator = self.dropping(at)?;
        let OperatorKind::Summarize { aggregates, .. } = &operator.kind else {
            return None;
        };
        // One row of the group is picked already: it has the columns too.
        if let Some((column, call)) = aggregates.iter().find_map(picks) {
            return self.through_pick(column, call, missing);
        }
        // The time of one event: the rest of it comes along.
        if let Some(Time {
            name,
            is_key: false,
            is_given: true,
        }) = time
            && let Some((column, call)) = latest(aggregates, name)
        {
            let picked = aggregate(&format!("arg_{}", call.name.text), name, missing);
            let text = format!("{name} = {picked}");
            self.write(column.span, text.clone(), || text);
            return Some(());
        }
        let text = match time {
            // Another column has the name: its time is not that of the event.
            Some(time) if time.is_given && !time.is_key => return None,
            Some(time) if !time.is_given => aggregate("arg_max", time.name, missing),
            _ => any(missing, self.wanted.times.is_empty()),
        };
        let spans: Vec<Span> = aggregates.iter().map(|a| a.span).collect();
        if spans.is_empty() {
            let behind = operator.params.last().map_or(operator.keyword.span, |p| p.span);
            self.write(after(behind), format!(" {text}"), || text.clone());
            return Some(());
        }
        self.append(&spans, std::slice::from_ref(&text), text.clone())
    }

    /// Adds columns to `arg_max(…)` and its like.
    fn through_pick(&mut self, column: &Column, call: &Call, missing: &[String]) -> Option<()> {
        let args: Vec<Span> = call.args.iter().map(|a| a.value.span).collect();
        let missing: Vec<String> = missing.to_vec();
        let idiom = format!("{}(…, {})", call.name.text, missing.join(", "));
        if let ColumnNames::Many(names) = &column.names {
            let spans: Vec<Span> = names.iter().map(|n| n.span).collect();
            self.append(&spans, &missing, idiom.clone())?;
        }
        self.append(&args, &missing, idiom)
    }

    fn through_distinct(&mut self, at: Span, missing: &[String], time: Option<&str>) -> Option<()> {
        let operator = self.dropping(at)?;
        let OperatorKind::Distinct { columns } = &operator.kind else {
            return None;
        };
        let (first, last) = (columns.first()?.span, columns.last()?.span);
        let by = self.of(Span::new(first.start as usize, last.end as usize));
        let starred = columns.iter().any(|c| matches!(c.kind, ExprKind::Star));
        if starred || !operator.params.is_empty() {
            return None;
        }
        let picked = match time {
            Some(time) => aggregate("arg_max", time, missing),
            _ => any(missing, self.wanted.times.is_empty()),
        };
        let text = format!("summarize {picked} by {by}");
        self.write(at, text.clone(), || text);
        Some(())
    }

    /// The edits, when the query they make is what is wanted.
    fn finish(self) -> Option<Keep> {
        let edits: Vec<(Span, String)> = self.edits.into_iter().collect();
        let apart = edits.windows(2).all(|pair| pair[0].0.end <= pair[1].0.start);
        let changed = applied(&self.query.parsed.text, &edits);
        let works = apart && is_kept(self.query, &changed, self.wanted);
        let idiom = self.idiom.filter(|_| works)?;
        Some(Keep { idiom, edits })
    }
}

/// Whether a changed query binds, gives what it gave, and what is wanted.
fn is_kept(query: &Query<'_>, text: &str, wanted: Wanted<'_>) -> bool {
    let Some(catalog) = query.catalog else {
        return false;
    };
    let parsed = rulec_kql::parse(text);
    let lowered = rulec_ir::lower(&parsed, catalog);
    let mut found = parsed.diagnostics.iter().chain(&lowered.diagnostics);
    if found.any(rulec_source::Diagnostic::is_error) {
        return false;
    }
    let (Some(root), Some(before)) = (&lowered.query.root, &query.ir.root) else {
        return false;
    };
    let same = before.columns.iter().all(|column| root.columns.contains(column));
    let there = wanted.columns.iter().all(|name| has(root, name));
    let time = wanted.times.iter().find(|time| has(root, time));
    let together = time.is_none_or(|time| {
        let others = wanted.columns.iter().filter(|name| *name != time);
        others
            .into_iter()
            .all(|name| !apart::apart(&lowered.query, time, name))
    });
    same && there && together
}

fn applied(text: &str, edits: &[(Span, String)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (span, new) in edits {
        out.push_str(text.get(at..span.start as usize).unwrap_or_default());
        out.push_str(new);
        at = span.end as usize;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

fn after(span: Span) -> Span {
    Span {
        start: span.end,
        end: span.end,
    }
}

fn with(names: &[String], time: Option<&str>) -> Vec<String> {
    let mut all = names.to_vec();
    if let Some(time) = time
        && !all.iter().any(|name| name == time)
    {
        all.push(time.to_owned());
    }
    all
}

/// `arg_max(Timestamp, ReportId, DeviceId)`. The deciding column comes out too.
fn aggregate(function: &str, time: &str, missing: &[String]) -> String {
    let others = missing.iter().filter(|name| *name != time);
    let mut parts = vec![time.to_owned()];
    parts.extend(others.cloned());
    if let [alone] = parts.as_slice() {
        return format!("{alone} = {}({alone})", function.trim_start_matches("arg_"));
    }
    format!("{function}({})", parts.join(", "))
}

/// `take_any(…)` of columns that belong together, or of each for itself.
fn any(missing: &[String], alone: bool) -> String {
    match missing {
        [one] => format!("{one} = take_any({one})"),
        _ if alone => {
            let each: Vec<String> = missing
                .iter()
                .map(|one| format!("{one} = take_any({one})"))
                .collect();
            each.join(", ")
        }
        _ => format!("take_any({})", missing.join(", ")),
    }
}

fn name_of(expr: &Expr) -> Option<&String> {
    match &expr.kind {
        ExprKind::Name(name) => Some(&name.text),
        _ => None,
    }
}

/// An aggregate that picks a row, and returns some of its columns.
fn picks(column: &Column) -> Option<(&Column, &Call)> {
    match &column.value.kind {
        ExprKind::Call(call)
            if matches!(call.name.text.as_str(), "arg_max" | "arg_min")
                && !call.args.iter().any(|a| matches!(a.value.kind, ExprKind::Star)) =>
        {
            Some((column, call))
        }
        _ => None,
    }
}

/// `Timestamp = max(Timestamp)`, or of `min`.
fn latest<'c>(aggregates: &'c [Column], time: &str) -> Option<(&'c Column, &'c Call)> {
    aggregates
        .iter()
        .find_map(|column| match (&column.names, &column.value.kind) {
            (ColumnNames::One(name), ExprKind::Call(call))
                if name.text == time
                    && matches!(call.name.text.as_str(), "max" | "min")
                    && matches!(&call.args[..], [arg] if name_of(&arg.value).is_some_and(|n| n == time)) =>
            {
                Some((column, call))
            }
            _ => None,
        })
}

/// The operator that took a column from rows that had it before.
pub(crate) fn dropped_by(query: &Query<'_>, rows: &Rel, name: &str) -> Option<(Span, String)> {
    if !reaches(query, rows, name, DEPTH) {
        return None;
    }
    let wanted = Wanted {
        columns: &[],
        times: &[],
    };
    let mut keeper = Keeper::new(query, wanted);
    // Only where it was lost is asked, not what keeps it.
    let _ = keeper.keep(rows, &[name.to_owned()], DEPTH);
    keeper.first
}
