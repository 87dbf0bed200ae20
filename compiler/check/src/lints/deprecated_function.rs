//! Functions under names that the language has replaced.

use std::collections::HashSet;

use rulec_functions::{Naming, aggregate, scalar};
use rulec_kql::ast::{Call, Statement};
use rulec_kql::walk::{Visitor, walk_call, walk_query, walk_statement};
use rulec_source::{Diagnostic, Severity, Span};

use super::code;
use crate::{Input, Lint, Query};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL009",
        "deprecated-function",
        Severity::Warning,
        "A function is called by a name that the language has replaced.",
    ),
    page: include_str!("../../pages/deprecated-function.md"),
    run,
};

/// What is known of an old name.
struct Old {
    instead: &'static str,
    /// Whether the new name gives a column the same name.
    same_column: bool,
    /// Where the arguments go, if they do not all stay where they are.
    moved: Option<&'static [usize]>,
}

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        let mut calls = Calls::default();
        walk_query(&mut calls, &query.parsed.query);
        for (name, at, args) in calls.found {
            if let Some(old) = old(&name).filter(|_| !calls.defined.contains(&name)) {
                found.push(finding(query, &name, at, &args, &old));
            }
        }
    }
}

fn old(name: &str) -> Option<Old> {
    let (instead, naming, moved) = match (scalar(name), aggregate(name)) {
        (Some(row), _) if row.deprecated.is_some() => (row.deprecated?, row.naming, row.moved()),
        (_, Some(row)) => (row.deprecated?, row.naming, None),
        _ => return None,
    };
    let new: Option<Naming> = aggregate(instead)
        .map(|row| row.naming)
        .or_else(|| scalar(instead).map(|row| row.naming));
    Some(Old {
        instead,
        same_column: new == Some(naming),
        moved,
    })
}

fn finding(query: &Query<'_>, name: &str, at: Span, args: &[Span], old: &Old) -> Diagnostic {
    let instead = old.instead;
    let place = |span: Span| query.fragment.map(span);
    let diagnostic =
        Diagnostic::new(LINT.code, format!("`{name}` is an old name of `{instead}`")).at(place(at));
    let does = format!("write `{instead}`");
    let text = &query.parsed.text;
    if let Some(moved) = old.moved {
        let help = format!("write `{instead}`, which takes its arguments in another order");
        if moved.len() != args.len() {
            return diagnostic.help(format!("write `{instead}`, whose arguments differ"));
        }
        let mut edits = vec![(place(at), instead.to_owned())];
        for (to, from) in args.iter().zip(moved) {
            edits.push((place(*to), args[*from].of(text).to_owned()));
        }
        return diagnostic.help(help).fix_all(does, edits);
    }
    // Behind `name =` the column keeps its name, if there is just one.
    let named = text
        .get(..at.start as usize)
        .is_some_and(|before| before.trim_end().ends_with('='));
    if old.same_column || (named && args.len() < 2) || (named && name == "anyif") {
        diagnostic
            .help(format!("write `{instead}`"))
            .fix(does, place(at), instead)
    } else {
        diagnostic
            .help(format!(
                "write `{instead}`, and mind that its column has another name"
            ))
            .suggest(does, place(at), instead)
    }
}

/// Every call: its name, where that stands, and where its arguments do.
#[derive(Default)]
struct Calls {
    found: Vec<(String, Span, Vec<Span>)>,
    /// What the query itself defines.
    defined: HashSet<String>,
}

impl Visitor for Calls {
    fn statement(&mut self, statement: &Statement) {
        if let Statement::Let(bound) = statement {
            self.defined.insert(bound.name.text.clone());
        }
        walk_statement(self, statement);
    }

    fn call(&mut self, call: &Call) {
        let args = call.args.iter().map(|arg| arg.span).collect();
        self.found.push((call.name.text.clone(), call.name.span, args));
        walk_call(self, call);
    }
}
