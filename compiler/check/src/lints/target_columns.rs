//! The columns by which a target finds the event of a result again.

use rulec_facts::contract::Contract;
use rulec_facts::tables::Environment;
use rulec_model::Origin;
use rulec_source::{Diagnostic, Severity, Span};

use super::{
    code,
    mapped::{closed, in_other_case, listed},
};
use crate::{
    Input, Lint, Query,
    keep::{self, Wanted},
};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL077",
        "target-column-missing",
        Severity::Error,
        "The query does not give a column that a target of the rule needs to save it.",
    ),
    page: include_str!("../../pages/target-column-missing.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for (query, which) in closed(input) {
        for contract in contracts(input, query) {
            for mistyped in mistyped(contract, query) {
                found.push(softened(input, contract, mistyped));
            }
            let missing = missing_for(contract, query);
            if !missing.is_empty() {
                let diagnostic = finding(contract, query, &missing, &which);
                found.push(softened(input, contract, diagnostic));
            }
        }
    }
}

/// The targets whose columns the query has to give: those the rule goes to,
/// as far as they run queries of its platform.
pub(super) fn contracts<'i>(input: &Input<'i>, query: &Query<'i>) -> impl Iterator<Item = &'i Contract> {
    let number = input
        .queries
        .iter()
        .position(|q| std::ptr::eq(q.parsed, query.parsed));
    let platform = |index: usize| {
        let environment = input.rule.queries.get(index)?.environment?;
        Some(match environment {
            rulec_model::Environment::M365 => Environment::M365,
            rulec_model::Environment::Sentinel => Environment::Sentinel,
        })
    };
    let own = number.and_then(platform);
    let count = input.rule.queries.len();
    let targets = &query.resolved.targets;
    let assumed = is_assumed(&targets.origin);
    input.facts.contracts.all().iter().filter(move |contract| {
        let chosen = targets.value.iter().any(|t| t == contract.target);
        let made_for_it = own == Some(contract.environment);
        // Queries made for another platform are passed over when there is one for this.
        let passed_over =
            own.is_some() && !made_for_it && (0..count).any(|i| platform(i) == Some(contract.environment));
        // Nobody said that the rule goes there: only a query for its platform is meant to.
        chosen && !passed_over && (made_for_it || !assumed)
    })
}

fn is_assumed(origin: &Origin) -> bool {
    matches!(origin, Origin::Derived(_) | Origin::Default(_))
}

/// A finding that is no mistake of an author's who did not choose the target.
pub(super) fn softened(input: &Input<'_>, contract: &Contract, mut diagnostic: Diagnostic) -> Diagnostic {
    let chosen = input
        .queries
        .first()
        .is_some_and(|q| !is_assumed(&q.resolved.targets.origin));
    if !chosen && diagnostic.is_error() {
        diagnostic.severity = Severity::Warning;
        return diagnostic.note(format!(
            "the rule goes to {} because nobody chose its targets; `targets:` in the front matter does",
            contract.title
        ));
    }
    diagnostic
}

/// The columns of tables that a target wants, which the query does not give.
pub(super) fn missing(input: &Input<'_>, query: &Query<'_>) -> Vec<String> {
    let contracts = contracts(input, query);
    contracts
        .flat_map(|contract| missing_for(contract, query))
        .collect()
}

fn gives(query: &Query<'_>, name: &str) -> bool {
    let root = query.ir.root.as_ref();
    root.is_none_or(|root| root.open || root.columns.iter().any(|c| &*c.name == name))
}

/// The columns by which the target finds the events of the query's tables.
pub(super) fn event_columns<'c>(contract: &'c Contract, query: &Query<'_>) -> Vec<&'c str> {
    let Some(catalog) = query.catalog else {
        return Vec::new();
    };
    let mut needed: Vec<&str> = Vec::new();
    for table in &query.ir.tables {
        for column in contract.event_columns(&table.name, catalog.tables()) {
            if !needed.contains(&column) {
                needed.push(column);
            }
        }
    }
    needed
}

/// The time first: the column that the query's table has, which is the best to ask for.
fn missing_for(contract: &Contract, query: &Query<'_>) -> Vec<String> {
    let mut missing = Vec::new();
    if !contract.times.iter().any(|time| gives(query, time)) {
        let tables = || {
            query
                .ir
                .tables
                .iter()
                .filter_map(|t| query.catalog?.table(&t.name))
        };
        let of_tables = |time: &&String| tables().any(|table| table.column(time).is_some());
        let time = contract.times.iter().find(of_tables).or(contract.times.first());
        missing.extend(time.cloned());
    }
    let events = event_columns(contract, query);
    missing.extend(
        events
            .into_iter()
            .filter(|name| !gives(query, name))
            .map(str::to_owned),
    );
    missing
}

/// Where the result is made: the keyword of its last operator.
pub(super) fn last_operator(query: &Query<'_>) -> Span {
    let span = query.ir.root.as_ref().map(|root| root.span).unwrap_or_default();
    let text = span.of(&query.parsed.text);
    let word = text
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')))
        .unwrap_or(text.len());
    let start = span.start as usize;
    query
        .fragment
        .map(Span::new(start, start + word.max(1).min(text.len())))
}

fn finding(contract: &Contract, query: &Query<'_>, missing: &[String], which: &str) -> Diagnostic {
    let names: Vec<&str> = missing.iter().map(String::as_str).collect();
    let message = format!(
        "{which} does not give {}, by which {} finds the event of a result",
        listed(&names),
        contract.title
    );
    let mut diagnostic = Diagnostic::new(LINT.code, message);
    let columns = super::mapped::columns(query.ir);
    let cased = names
        .iter()
        .find_map(|name| Some((*name, in_other_case(name, &columns)?)));
    let wanted = Wanted {
        columns: &names,
        times: &contract.times,
    };
    // All of them, or those at least that were there.
    let lost = keep::lost(query, wanted).or_else(|| {
        names.iter().find_map(|name| {
            let columns = [*name];
            let wanted = Wanted {
                columns: &columns,
                times: &contract.times,
            };
            keep::lost(query, wanted).map(|lost| keep::Lost { keep: None, ..lost })
        })
    });
    let Some(lost) = lost else {
        diagnostic = diagnostic.at(last_operator(query));
        return match cased {
            Some((name, other)) => diagnostic.help(format!(
                "column names are case-sensitive: the query gives `{other}`, write `{name}`"
            )),
            None => diagnostic.help("read a table that has it, or leave the target out of `targets`"),
        };
    };
    let place = query.fragment.map(lost.keyword);
    diagnostic = diagnostic.label(place, format!("`{}` drops {}", lost.operator, them(names.len())));
    let Some(keep) = lost.keep else {
        let time = contract.times.first().map_or("", String::as_str);
        return diagnostic.help(format!(
            "keep {} of one event: in a project by name, in a summarize with `arg_max({time}, {})`",
            them(names.len()),
            names
                .iter()
                .filter(|n| **n != time)
                .copied()
                .collect::<Vec<_>>()
                .join(", ")
        ));
    };
    let edits = keep
        .edits
        .into_iter()
        .map(|(span, text)| (query.fragment.map(span), text));
    diagnostic
        .help(format!("keep {}: `{}`", them(names.len()), keep.idiom))
        .fix_all(format!("keep {}", listed(&names)), edits.collect())
}

fn them(count: usize) -> &'static str {
    if count == 1 { "it" } else { "them" }
}

/// Columns of the right name that cannot be what the target looks for.
fn mistyped(contract: &Contract, query: &Query<'_>) -> Vec<Diagnostic> {
    let root = query.ir.root.iter();
    let columns = root.flat_map(|root| root.columns.iter());
    let events = event_columns(contract, query);
    columns
        .filter_map(|column| {
            let name = &*column.name;
            let takes = if contract.times.iter().any(|time| time == name) {
                // Of two times one will do.
                let others = contract.times.iter().filter(|time| *time != name);
                if others.into_iter().any(|time| gives(query, time)) {
                    return None;
                }
                ("datetime", Contract::takes_time(column.ty))
            } else if events.contains(&name) {
                ("a text or a number", Contract::takes_key(column.ty))
            } else {
                return None;
            };
            let (wanted, false) = takes else { return None };
            let message = format!(
                "`{name}` is {} in the result; {} finds the event of a result by it and takes {wanted}",
                column.ty, contract.title
            );
            Some(
                Diagnostic::new(LINT.code, message)
                    .at(made(query, name))
                    .help(format!(
                        "let `{name}` be the column of the table, and what is made of it another one"
                    )),
            )
        })
        .collect()
}

/// Where a column of the result got its value: the last place that names it.
fn made(query: &Query<'_>, name: &str) -> Span {
    let quoted = |word: &str| word.trim_matches(['[', ']', '\'', '"']) == name;
    let mut tokens = query.parsed.tokens.iter().enumerate().rev();
    let defined = tokens.find(|(at, token)| {
        quoted(token.span.of(&query.parsed.text))
            && query.parsed.tokens[at + 1..]
                .iter()
                .find(|t| {
                    !matches!(
                        t.kind,
                        rulec_kql::TokenKind::Whitespace | rulec_kql::TokenKind::Comment
                    )
                })
                .is_some_and(|t| t.span.of(&query.parsed.text) == "=")
    });
    match defined {
        Some((_, token)) => query.fragment.map(token.span),
        None => last_operator(query),
    }
}
