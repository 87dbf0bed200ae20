//! What the binder says: each place once, with the names that may have been meant.

use rulec_functions::{Type, TypeError};
use rulec_source::{Code, Diagnostic, Span};

use super::bound::Bound;
use super::elsewhere::{self, Elsewhere};
use super::{Binder, Ctx, Step};
use crate::{Column, codes};

/// Mistakes for which close names are looked up; nobody corrects more at a time.
const MAX_SUGGESTIONS: usize = 50;

impl Binder<'_> {
    /// Reports a finding unless the place has an error, or one of the kind, already.
    pub(super) fn report(&mut self, mut diagnostic: Diagnostic) {
        if self.quiet > 0 {
            return;
        }
        if let Some(foreign) = self.foreign {
            for label in &mut diagnostic.labels {
                label.span = foreign;
            }
            diagnostic.fix = None;
        }
        let span = diagnostic.span().unwrap_or_default();
        // Of errors the first at a place counts: the others follow from it.
        let kind = if diagnostic.is_error() {
            ""
        } else {
            diagnostic.code.id
        };
        if self.reported.insert((kind, span)) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Reports a finding that needs nothing but a sentence and a place.
    pub(super) fn error(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.report(Diagnostic::new(code, message).at(span));
    }

    /// Reported even where the text at hand was checked before: it is the
    /// number of calls that is wrong.
    pub(super) fn too_large(&mut self, span: Span) {
        if std::mem::replace(&mut self.exhausted, true) {
            return;
        }
        let quiet = std::mem::take(&mut self.quiet);
        self.report(
            Diagnostic::new(
                codes::TOO_LARGE,
                "the query is nested too deeply or grows too large",
            )
            .at(span)
            .help("split it, or call fewer functions that call functions"),
        );
        self.quiet = quiet;
    }

    /// A name that stands for nothing.
    pub(super) fn unknown_name(&mut self, name: &str, span: Span, ctx: Ctx<'_>) {
        if self.quiet > 0 {
            return;
        }
        let mut diagnostic = Diagnostic::new(
            codes::UNKNOWN_NAME,
            match ctx.row {
                Some(_) => format!("there is no column or variable `{name}` here"),
                None => format!("there is nothing called `{name}` here"),
            },
        )
        .at(span);
        self.suggestions += 1;
        if self.suggestions > MAX_SUGGESTIONS {
            self.report(diagnostic);
            return;
        }
        if let Some(row) = ctx.row
            && self.dropped(name, row).is_some()
        {
            let diagnostic = self.note_drop(diagnostic, name, row);
            self.report(diagnostic);
            return;
        }
        if let Some(found) = self.defined_elsewhere(name, span) {
            self.report(found.tell(diagnostic));
            return;
        }
        let columns = ctx.row.map_or(&[][..], |row| row.columns());
        let names = columns.iter().map(|c| &*c.name).chain(self.scopes.names());
        let mut close = owned(&rulec_facts::close_matches(name, names, 2));
        if let Some(row) = ctx.row
            && close.is_empty()
            && let Some(meant) = self.close_dropped(name, row)
        {
            // Misspelt, and no longer there either.
            diagnostic = self.note_drop(diagnostic, &meant, row);
            let keep = diagnostic.help.take().unwrap_or_default();
            diagnostic = diagnostic.help(format!("did you mean `{meant}`? {keep}").trim_end());
            self.report(diagnostic);
            return;
        }
        if close.is_empty() && ctx.row.is_none() {
            close = self.catalog.close_tables(name);
        }
        if let Some(meant) = close.first() {
            diagnostic = diagnostic
                .help(format!("did you mean {}?", quoted(&close)))
                .suggest(format!("use `{meant}`"), span, meant.clone());
        }
        self.report(diagnostic);
    }

    /// Where the query defines a name that is unknown where it is used.
    fn defined_elsewhere(&self, name: &str, span: Span) -> Option<Elsewhere> {
        if self.foreign.is_some() {
            return None;
        }
        elsewhere::find(self.text, name, span)
    }

    /// A table that the catalog lacks.
    pub(super) fn unknown_table(&mut self, name: &str, span: Span) {
        let said = self.quiet > 0 || !self.warned.insert(name.to_owned());
        if said || self.catalog.is_open() || self.fuzzy {
            return;
        }
        let mut diagnostic = Diagnostic::new(
            codes::UNKNOWN_TABLE,
            format!("the table `{name}` is not in the catalog, so its columns cannot be checked"),
        )
        .at(span);
        self.suggestions += 1;
        let close = if self.suggestions > MAX_SUGGESTIONS {
            Vec::new()
        } else {
            self.catalog.close_tables(name)
        };
        if !close.is_empty() {
            diagnostic = diagnostic.help(format!("did you mean {}?", quoted(&close)));
        }
        self.report(diagnostic);
    }

    /// A plugin that does not exist.
    pub(super) fn unknown_plugin(&mut self, name: &str, span: Span) {
        let names = rulec_functions::plugins().map(|row| row.name);
        let close = owned(&rulec_facts::close_matches(name, names, 2));
        let mut diagnostic =
            Diagnostic::new(codes::UNKNOWN_PLUGIN, format!("there is no plugin `{name}`")).at(span);
        if let Some(meant) = close.first() {
            diagnostic = diagnostic
                .help(format!("did you mean {}?", quoted(&close)))
                .suggest(format!("use `{meant}`"), span, meant.clone());
        }
        self.report(diagnostic);
    }

    /// A function that does not exist.
    pub(super) fn unknown_function(&mut self, name: &str, span: Span) {
        let mut diagnostic =
            Diagnostic::new(codes::UNKNOWN_FUNCTION, format!("there is no function `{name}`")).at(span);
        self.suggestions += 1;
        if self.suggestions > MAX_SUGGESTIONS {
            self.report(diagnostic);
            return;
        }
        if let Some(found) = self.defined_elsewhere(name, span) {
            self.report(found.tell(diagnostic));
            return;
        }
        let names = rulec_functions::scalars()
            .map(|row| row.name)
            .filter(|name| super::calls::callable(name).is_some())
            .chain(rulec_functions::aggregates().map(|row| row.name))
            .chain(self.scopes.names());
        let close = owned(&rulec_facts::close_matches(name, names, 2));
        if let Some(meant) = close.first() {
            diagnostic = diagnostic
                .help(format!("did you mean {}?", quoted(&close)))
                .suggest(format!("use `{meant}`"), span, meant.clone());
        }
        self.report(diagnostic);
    }

    /// Arguments that a function's row refuses. `places` are those of the arguments.
    pub(super) fn type_error(
        &mut self,
        name: &str,
        operator: bool,
        error: &TypeError,
        types: &[Type],
        places: &[Span],
        whole: Span,
    ) {
        match error {
            TypeError::Count { min, max, given } => self.error(
                codes::ARGUMENT_COUNT,
                whole,
                format!("`{name}` takes {}, not {given}", count_words(*min, *max)),
            ),
            _ if operator => {
                let types: Vec<String> = types.iter().map(|ty| format!("`{ty}`")).collect();
                self.error(
                    codes::WRONG_TYPE,
                    whole,
                    format!("`{name}` cannot be applied to {}", listed(&types)),
                );
            }
            TypeError::Argument {
                index,
                expected,
                found,
            } => {
                let span = places.get(*index).copied().unwrap_or(whole);
                self.error(
                    codes::WRONG_TYPE,
                    span,
                    format!("`{name}` needs {expected} here, but this is of type `{found}`"),
                );
            }
            TypeError::Form { index, expected } => {
                let span = places.get(*index).copied().unwrap_or(whole);
                let code = match *expected {
                    "the name of a column" => codes::COLUMN_EXPECTED,
                    _ => codes::CONSTANT_EXPECTED,
                };
                self.error(code, span, format!("`{name}` needs {expected} here"));
            }
            TypeError::Other(sentence) => {
                self.error(codes::WRONG_TYPE, whole, format!("`{name}`: {sentence}"));
            }
        }
    }

    /// Says which operator dropped a column, if one did, and how it can be kept.
    pub(super) fn note_drop(&self, diagnostic: Diagnostic, name: &str, row: &Bound) -> Diagnostic {
        let Some((step, place)) = self.dropped(name, row) else {
            return diagnostic;
        };
        let label = format!("`{}` does not pass `{name}` on", step.word);
        let diagnostic = diagnostic.label(step.span, label);
        match kept(step, name, place) {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }

    /// The operator that dropped a column on the way to `row`, and where the
    /// column stood in front of it.
    fn dropped(&self, name: &str, row: &Bound) -> Option<(&Step, usize)> {
        self.way(row).find_map(|step| {
            let place = step.parents.iter().find_map(|parent| {
                let columns = &self.history.get(*parent)?.columns;
                columns.iter().position(|c| &*c.name == name)
            });
            place.map(|place| (step, place))
        })
    }

    /// The name nearest to a misspelt one among all columns that were there
    /// on the way to `row`.
    fn close_dropped(&self, name: &str, row: &Bound) -> Option<String> {
        let earlier: Vec<&[Column]> = self.way(row).map(|step| &*step.columns).collect();
        let names = earlier
            .iter()
            .flat_map(|columns| columns.iter())
            .map(|c| &*c.name);
        let close = rulec_facts::close_matches(name, names, 1);
        close.first().map(|meant| (*meant).to_owned())
    }

    /// The operators that made the columns of `row`, the last one first. The
    /// history is a tree; the first branch is the way the rows came.
    fn way(&self, row: &Bound) -> impl Iterator<Item = &Step> {
        std::iter::successors(self.history.get(row.meta.step), |step| {
            self.history.get(*step.parents.first()?)
        })
    }
}

/// How a column gets past the operator that dropped it; `place` is where it
/// stood in front of it.
fn kept(step: &Step, name: &str, place: usize) -> Option<String> {
    let word = step.word;
    Some(match word {
        "project" | "project-keep" | "distinct" => {
            format!("add `{name}` to the `{word}`, or use it in front of it")
        }
        "project-away" => format!("take `{name}` out of the `{word}`, or use it in front of it"),
        "project-rename" => {
            let new = step.columns.get(place)?;
            format!("it is called `{}` behind the `{word}`", new.name)
        }
        "summarize" => format!("add `{name}` behind `by`, or keep a value of it with `take_any({name})`"),
        "make-series" | "top-nested" | "top-hitters" | "count" | "join" => {
            format!("use `{name}` in front of the `{word}`")
        }
        _ => return None,
    })
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    names.join(" or ")
}

/// "`a`", "`a` and `b`", "`a`, `b` and `c`".
pub(super) fn listed_words(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    listed(&words)
}

/// `a`, `a and b`, `a, b and c`.
fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// How many arguments, in words.
pub(super) fn count_words(min: usize, max: Option<usize>) -> String {
    let plural = |n: usize| if n == 1 { "argument" } else { "arguments" };
    match max {
        Some(0) => "no arguments".to_owned(),
        Some(max) if max == min => format!("{min} {}", plural(min)),
        Some(max) => format!("{min} to {max} arguments"),
        None => format!("at least {min} {}", plural(min)),
    }
}
