//! Which log sources the events of a branch come from.
//!
//! In: a branch, with its conditions on the event column (`ActionType`,
//! `EventID`) among the others. Out: a [`Piece`] for each log source and
//! system: the conditions that are left once the log source has said what the
//! event is. For every event that the query names or a log source stands for,
//! the conditions are worked out with that event in place of the column; where
//! they can still hold, the event's log source is needed. Deliberately absent:
//! the conditions' fields.

use std::rc::Rc;

use rulec_facts::sigma::{LogSource, Sigma};
use rulec_functions::{Type, Value, text};
use rulec_source::Span;

use super::flow::{Branch, Refusal, Said, is_schedule};
use super::predicate::{Registry, describe};
use super::term::{Term, TermKind, junction};
use crate::codes::SIGMA_LOGSOURCE;
use crate::{Effect, Loss};

/// The conditions on the events of one log source.
#[derive(Clone, Debug)]
pub(super) struct Piece<'a> {
    pub(super) source: &'a LogSource,
    pub(super) cond: Rc<Term>,
    pub(super) registry: Registry,
}

/// A log source, the events of it that are needed, and the conditions on each.
type Own<'a> = (&'a LogSource, Vec<String>, Vec<Rc<Term>>);

/// What is known while a branch is split.
pub(super) struct Splitter<'a, 'l> {
    pub(super) sigma: &'a Sigma,
    pub(super) time_columns: &'a [String],
    pub(super) losses: &'l mut Vec<Loss>,
}

impl<'a> Splitter<'a, '_> {
    fn lose(&mut self, construct: String, effect: Effect, why: String, span: Span) {
        let loss = Loss::new(construct, effect, why).at(span);
        if !self.losses.contains(&loss) {
            self.losses.push(loss);
        }
    }

    pub(super) fn split(&mut self, branch: &Branch) -> Said<Vec<Piece<'a>>> {
        let table = branch.table.as_str();
        // Bounds on time are scheduling.
        let filters = branch
            .filters
            .iter()
            .filter(|term| !is_schedule(term, &branch.columns, self.time_columns))
            .cloned()
            .collect();
        let whole = junction(true, filters, branch.span);
        let sigma = self.sigma;
        let sources = sigma.logsources(table);
        let Some(first) = sources.first() else {
            let why = format!("No Sigma log source stands for the table {table}.");
            return Err(Refusal::new(format!("`{table}`"), why, branch.span).code(SIGMA_LOGSOURCE));
        };
        let column = branch
            .columns
            .iter()
            .position(|column| *column.name == *first.event_column);
        let uses = |term: &Term| matches!(term.kind, TermKind::Column(i) if Some(i) == column);
        let pieces = match column.filter(|_| whole.any(uses)) {
            None => vec![self.without_event(branch, whole)?],
            Some(column) => self.by_event(branch, &whole, column)?,
        };
        for piece in &pieces {
            if !piece.source.exact {
                let source = describe(piece.source);
                let why =
                    format!("The log source {source} does not see exactly what the table {table} holds.");
                self.lose(format!("`{table}`"), Effect::Widened, why, branch.span);
            }
        }
        Ok(pieces)
    }

    fn without_event(&mut self, branch: &Branch, cond: Rc<Term>) -> Said<Piece<'a>> {
        let table = branch.table.as_str();
        let Some(source) = self.sigma.logsource(table, None) else {
            let why = format!(
                "No Sigma log source stands for the whole table {table}, and the query names no event of it."
            );
            return Err(Refusal::new(format!("`{table}`"), why, branch.span).code(SIGMA_LOGSOURCE));
        };
        let others = self.sigma.logsources(table).iter().any(|other| {
            !std::ptr::eq(other, source) && other.events.iter().any(|event| !source.events.contains(event))
        });
        if others && !source.events.is_empty() {
            let why = format!(
                "The query names no event of the table {table}; the log source {} has only {}.",
                describe(source),
                source.events.join(", ")
            );
            self.lose(format!("`{table}`"), Effect::Narrowed, why, branch.span);
        }
        Ok(Piece {
            source,
            cond,
            registry: registry(source, &source.events),
        })
    }

    fn by_event(&mut self, branch: &Branch, whole: &Rc<Term>, column: usize) -> Said<Vec<Piece<'a>>> {
        let table = branch.table.as_str();
        let ty = branch
            .columns
            .get(column)
            .map_or(Type::String, |column| column.ty);
        let (named, span) = mentioned(whole, column);
        let span = span.unwrap_or(branch.span);
        let sigma = self.sigma;
        let sources = sigma.logsources(table);
        let mut events = named;
        for event in sources.iter().flat_map(|source| &source.events) {
            if !events.iter().any(|known| known.eq_ignore_ascii_case(event)) {
                events.push(event.clone());
            }
        }
        let with = |event: Value| {
            whole.rewrite(&|term| match term.kind {
                TermKind::Column(i) if i == column => Some(Term::literal(event.clone(), ty, term.span)),
                _ => None,
            })
        };
        // The log source of everything that has none of its own, and whether it
        // can tell its events apart.
        let rest = sources
            .iter()
            .find(|source| source.fallback && source.events.is_empty());
        let tells = rest.is_some_and(|source| source.field(&source.event_column).is_some());

        let mut own: Vec<Own<'a>> = Vec::new();
        let mut loose = Vec::new();
        let mut needs_rest = false;
        for event in &events {
            let Some(value) = event_value(event, ty) else {
                continue;
            };
            let cond = with(value);
            if cond.as_bool() == Some(false) {
                continue;
            }
            match sigma.logsource(table, Some(event)) {
                None => {
                    let why =
                        format!("No Sigma log source stands for the event {event} of the table {table}.");
                    return Err(Refusal::new(format!("`{event}`"), why, span).code(SIGMA_LOGSOURCE));
                }
                Some(source) if source.events.is_empty() => {
                    needs_rest = true;
                    if !tells {
                        loose.push((event.clone(), cond));
                    }
                }
                Some(source) => {
                    let place = own.iter().position(|(known, ..)| std::ptr::eq(*known, source));
                    let at = place.unwrap_or_else(|| {
                        own.push((source, Vec::new(), Vec::new()));
                        own.len() - 1
                    });
                    if let Some((_, events, conds)) = own.get_mut(at) {
                        events.push(event.clone());
                        conds.push(cond);
                    }
                }
            }
        }
        // Whether the query takes events that nobody names.
        let other = match ty {
            Type::Int => Value::Int(i32::MIN + 7),
            Type::Long => Value::Long(i64::MIN + 7),
            _ => Value::string("\u{1}"),
        };
        let takes_others = with(other).as_bool() != Some(false);
        if takes_others && rest.is_none() {
            let why = format!(
                "No Sigma log source stands for further events of the table {table}, which the query takes."
            );
            self.lose(
                format!("`{}`", sources[0].event_column),
                Effect::Narrowed,
                why,
                span,
            );
        }
        needs_rest |= takes_others && rest.is_some();

        match rest.filter(|_| needs_rest) {
            Some(rest) if tells => {
                let taken: Vec<String> = own.iter().flat_map(|(_, events, _)| events.clone()).collect();
                let cond = without_events(whole, column, &taken);
                let mut pieces = self.pieces(own, span);
                if cond.as_bool() != Some(false) {
                    pieces.push(Piece {
                        source: rest,
                        cond,
                        registry: Registry::Either,
                    });
                }
                Ok(pieces)
            }
            Some(rest) => {
                let mut conds: Vec<Rc<Term>> = loose.iter().map(|(_, cond)| Rc::clone(cond)).collect();
                conds.extend(own.into_iter().flat_map(|(_, _, conds)| conds));
                let why = format!(
                    "The log source {} does not say which event of the table {table} it shows, so all of them are \
                     looked at.",
                    describe(rest)
                );
                self.lose(format!("`{}`", rest.event_column), Effect::Widened, why, span);
                Ok(vec![Piece {
                    source: rest,
                    cond: either(conds, span),
                    registry: Registry::Either,
                }])
            }
            None => Ok(self.pieces(own, span)),
        }
    }

    fn pieces(&mut self, own: Vec<Own<'a>>, span: Span) -> Vec<Piece<'a>> {
        let mut pieces = Vec::with_capacity(own.len());
        for (source, events, conds) in own {
            let missing: Vec<&str> = source
                .events
                .iter()
                .filter(|event| !events.iter().any(|known| known.eq_ignore_ascii_case(event)))
                .map(String::as_str)
                .collect();
            if !missing.is_empty() {
                let why = format!(
                    "The log source {} shows other events as well, and does not tell them apart: {}.",
                    describe(source),
                    missing.join(", ")
                );
                self.lose(format!("`{}`", source.event_column), Effect::Widened, why, span);
            }
            let distinct = distinct(conds);
            if distinct.len() > 1 {
                let why = format!(
                    "The log source {} does not tell {} apart, for which the conditions differ.",
                    describe(source),
                    events.join(" and ")
                );
                self.lose(format!("`{}`", source.event_column), Effect::Widened, why, span);
            }
            pieces.push(Piece {
                source,
                registry: registry(source, &events),
                cond: either(distinct, span),
            });
        }
        pieces
    }
}

/// What registry keys look like where these events come from.
fn registry(source: &LogSource, events: &[String]) -> Registry {
    let about = |word: &str| !events.is_empty() && events.iter().all(|event| event.contains(word));
    let values = source
        .fields
        .values()
        .any(|field| field.form == rulec_facts::sigma::Form::RegistryValue);
    if !values || about("Key") {
        Registry::Key
    } else if about("Value") {
        Registry::Value
    } else {
        Registry::Either
    }
}

/// The events a query names, and where it does so first.
fn mentioned(whole: &Term, column: usize) -> (Vec<String>, Option<Span>) {
    let mut events: Vec<String> = Vec::new();
    let mut place = None;
    whole.walk(&mut |term| {
        let TermKind::Call(_, args) = &term.kind else {
            return;
        };
        let direct = |arg: &Rc<Term>| match &arg.kind {
            TermKind::Column(i) => *i == column,
            TermKind::Call(function, args) => {
                matches!(function.name, "tostring" | "toint" | "tolong")
                    && args
                        .iter()
                        .any(|arg| matches!(arg.kind, TermKind::Column(i) if i == column))
            }
            _ => false,
        };
        if !args.iter().any(direct) {
            return;
        }
        place.get_or_insert(term.span);
        for arg in args {
            let values: &[Value] = match &arg.kind {
                TermKind::Literal(Value::Array(items)) => items,
                TermKind::Literal(one) => std::slice::from_ref(one),
                _ => &[],
            };
            for value in values {
                let event = text::print(value);
                if !event.is_empty() && !events.contains(&event) {
                    events.push(event);
                }
            }
        }
    });
    (events, place)
}

fn event_value(event: &str, ty: Type) -> Option<Value> {
    match ty {
        Type::Int => event.parse().ok().map(Value::Int),
        Type::Long => event.parse().ok().map(Value::Long),
        _ => Some(Value::string(event)),
    }
}

/// The conditions without what they say of events that have log sources of
/// their own.
fn without_events(whole: &Rc<Term>, column: usize, taken: &[String]) -> Rc<Term> {
    if taken.is_empty() {
        return Rc::clone(whole);
    }
    let is_taken = |value: &Value| taken.contains(&text::print(value));
    whole.rewrite(&|term| {
        let TermKind::Call(function, args) = &term.kind else {
            return None;
        };
        let [subject, values @ ..] = args.as_slice() else {
            return None;
        };
        if !matches!(subject.kind, TermKind::Column(i) if i == column)
            || !matches!(function.name, "==" | "=~" | "in" | "in~")
        {
            return None;
        }
        let kept: Vec<Rc<Term>> = values
            .iter()
            .filter_map(|value| match &value.kind {
                TermKind::Literal(Value::Array(items)) => {
                    let kept: Vec<Value> = items.iter().filter(|item| !is_taken(item)).cloned().collect();
                    (!kept.is_empty()).then(|| Term::literal(Value::array(kept), value.ty, value.span))
                }
                TermKind::Literal(one) if is_taken(one) => None,
                _ => Some(Rc::clone(value)),
            })
            .collect();
        if kept.is_empty() {
            return Some(Term::bool(false, term.span));
        }
        let mut args = vec![Rc::clone(subject)];
        args.extend(kept);
        Some(Term::new(TermKind::Call(function, args), term.ty, term.span))
    })
}

/// Conditions that differ in more than their places.
fn distinct(conds: Vec<Rc<Term>>) -> Vec<Rc<Term>> {
    let mut kept: Vec<Rc<Term>> = Vec::new();
    for cond in conds {
        // Terms have no equality of their own: values of reals have none.
        let shown = format!("{cond:?}");
        if !kept.iter().any(|known| format!("{known:?}") == shown) {
            kept.push(cond);
        }
    }
    kept
}

fn either(conds: Vec<Rc<Term>>, span: Span) -> Rc<Term> {
    junction(false, distinct(conds), span)
}
