//! Every mapped column exists in the result.

use rulec_explain::origin::outputs;
use rulec_source::{Diagnostic, Severity};

use super::{
    code,
    mapped::{Mapped, closed, columns, in_other_case, listed, mapped},
    target_columns,
};
use crate::{
    Input, Lint, Query,
    keep::{self, Wanted},
};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL001",
        "mapped-column-missing",
        Severity::Error,
        "An entity mapping, custom detail or alert text names a column that the query does not give.",
    ),
    page: include_str!("../../pages/mapped-column-missing.md"),
    run,
};

/// More columns than this are no help.
const LISTED: usize = 12;

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for (query, which) in closed(input) {
        let columns = columns(query.ir);
        let missing: Vec<Mapped> = mapped(input, query.resolved)
            .into_iter()
            .filter(|m| !columns.contains(&m.column.as_str()) && in_other_case(&m.column, &columns).is_none())
            .collect();
        let mut kept = kept(input, query, &missing);
        for mapped in &missing {
            found.push(finding(query, mapped, &columns, &which, &mut kept));
        }
    }
}

/// What keeps columns, and the columns.
struct Kept {
    columns: Vec<String>,
    keep: keep::Keep,
}

/// One repair for all columns that were there once: two of one place would
/// hinder each other.
fn kept(input: &Input<'_>, query: &Query<'_>, missing: &[Mapped]) -> Option<Kept> {
    let needed = target_columns::missing(input, query);
    let mut names: Vec<&str> = Vec::new();
    for mapped in missing {
        let name = mapped.column.as_str();
        let renamed = renamed(query, name).is_some() && !mapped.from_config;
        // What a target needs is kept together, with the time of its event.
        if !renamed && !names.contains(&name) && !needed.iter().any(|n| n == name) {
            let wanted = Wanted {
                columns: &[name],
                times: &[],
            };
            if keep::lost(query, wanted).is_some_and(|lost| lost.keep.is_some()) {
                names.push(name);
            }
        }
    }
    let wanted = Wanted {
        columns: &names,
        times: &[],
    };
    let keep = keep::lost(query, wanted)?.keep?;
    Some(Kept {
        columns: names.into_iter().map(str::to_owned).collect(),
        keep,
    })
}

/// What the result calls a column of a table that it has under another name.
fn renamed<'q>(query: &Query<'q>, name: &str) -> Option<&'q str> {
    let mut others = outputs(query.ir)
        .into_iter()
        .filter(|column| column.source == Some(name))
        .map(|column| column.name);
    // Of two nobody knows which is meant.
    others.next().filter(|_| others.next().is_none())
}

fn finding(
    query: &Query<'_>,
    mapped: &Mapped,
    columns: &[&str],
    which: &str,
    kept: &mut Option<Kept>,
) -> Diagnostic {
    let Mapped { what, column, .. } = mapped;
    let mut diagnostic = mapped.finding(
        LINT.code,
        format!("{what} names the column `{column}`, which {which} does not give"),
        "no such column in the result",
    );
    if let Some(new) = renamed(query, column) {
        let help = format!("the result has it as `{new}`: write that");
        return if mapped.from_config {
            diagnostic.help(help)
        } else {
            diagnostic
                .help(help)
                .fix(format!("write `{new}`"), mapped.span, new)
        };
    }
    let wanted = Wanted {
        columns: &[column],
        times: &[],
    };
    if let Some(lost) = keep::lost(query, wanted) {
        diagnostic = diagnostic.label(
            query.fragment.map(lost.keyword),
            format!("`{}` drops it", lost.operator),
        );
        let help = match &lost.keep {
            Some(keep) => format!("keep it: `{}`", keep.idiom),
            None => format!("let this `{}` keep it, or map another column", lost.operator),
        };
        diagnostic = diagnostic.help(help);
        let own = kept.as_ref().is_some_and(|kept| kept.columns.contains(column));
        if own && let Some(Kept { columns, keep }) = kept.take() {
            let names: Vec<&str> = columns.iter().map(String::as_str).collect();
            let edits = keep.edits.into_iter();
            let edits = edits.map(|(span, text)| (query.fragment.map(span), text));
            return diagnostic.fix_all(format!("keep {}", listed(&names)), edits.collect());
        }
        return diagnostic;
    }
    if let Some(close) = rulec_facts::close_matches(column, columns.iter().copied(), 1).first() {
        return diagnostic.help(format!("did you mean `{close}`?"));
    }
    if let Some(function) = giver(query, column) {
        return diagnostic.help(format!(
            "`{column}` is a column of {function}: `invoke {function}(…)` gives it, and what comes behind has to keep it"
        ));
    }
    diagnostic.help(if columns.len() <= LISTED {
        format!(
            "let the query keep `{column}` in its last project or summarize, or map one of {}",
            columns.join(", ")
        )
    } else {
        format!("let the query keep `{column}` in its last project or summarize, or map another column")
    })
}

/// The function of the platform that appends a column of that name.
fn giver<'q>(query: &Query<'q>, column: &str) -> Option<&'q str> {
    use rulec_facts::tables::FunctionResult;
    let functions = query.catalog?.tables().functions();
    let gives = |result: &FunctionResult| match result {
        FunctionResult::Appends(columns) => columns.iter().any(|(name, _)| name == column),
        _ => false,
    };
    functions
        .filter(|f| gives(&f.result))
        .map(|f| f.name.as_str())
        .next()
}
