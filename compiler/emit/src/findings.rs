//! How a target says that it cannot take a rule, or takes it differently.
//!
//! In: a construct, a reason and a place. Out: an entry of the ledger, and the
//! finding beside it. Deliberately absent: deciding anything; that is each
//! target's business.

use rulec_facts::FactsError;
use rulec_facts::tables::Tables;
use rulec_model::{AlertText, Origin, Rule};
use rulec_source::{Code, Diagnostic, Severity, Span};

use crate::codes::TARGET_FACTS;
use crate::{Effect, Emitted, Input, Loss, columns};

/// What is wrong, for [`Findings::refuse`] and [`Findings::differ`].
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    /// The construct as its author knows it.
    pub(crate) construct: String,
    /// One sentence that stands alone, with its full stop.
    pub(crate) why: String,
    pub(crate) span: Option<Span>,
    pub(crate) help: Option<String>,
}

impl Problem {
    pub(crate) fn new(code: Code, construct: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            code,
            construct: construct.into(),
            why: why.into(),
            span: None,
            help: None,
        }
    }

    pub(crate) fn at(mut self, span: Option<Span>) -> Self {
        self.span = span;
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Collects what a target has to say about one rule.
pub(crate) struct Findings {
    pub(crate) emitted: Emitted,
    /// Whether somebody said that the rule is for this target. When nobody
    /// did, a rule that does not fit is no mistake, and errors are warnings.
    chosen: bool,
}

impl Findings {
    pub(crate) fn new(input: &Input<'_>) -> Self {
        Self {
            emitted: Emitted::default(),
            chosen: !is_assumed(&input.resolved.targets.origin),
        }
    }

    /// The rule cannot go to the target.
    pub(crate) fn refuse(&mut self, problem: Problem) {
        self.say(problem, Effect::Rejected);
    }

    /// The rule goes to the target, but somebody should look.
    pub(crate) fn differ(&mut self, problem: Problem, effect: Effect) {
        self.say(problem, effect);
    }

    /// The rule goes to the target; the ledger alone says what is lost.
    pub(crate) fn lose(&mut self, construct: impl Into<String>, effect: Effect, why: impl Into<String>) {
        self.emitted.losses.push(Loss::new(construct, effect, why));
    }

    /// A finding without a loss.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.emitted.diagnostics.push(diagnostic);
    }

    fn say(&mut self, problem: Problem, effect: Effect) {
        let message = problem.why.trim_end_matches('.');
        let mut diagnostic = Diagnostic::new(problem.code, message);
        if diagnostic.is_error() && (effect != Effect::Rejected || !self.chosen) {
            diagnostic.severity = Severity::Warning;
        }
        if let Some(span) = problem.span {
            diagnostic = diagnostic.at(span);
        }
        diagnostic.help = problem.help;
        self.emitted.diagnostics.push(diagnostic);
        let mut loss = Loss::new(problem.construct, effect, problem.why);
        loss.span = problem.span;
        self.emitted.losses.push(loss);
    }
}

/// Whether a value was worked out or defaulted, so that no author is to blame.
pub(crate) fn is_assumed(origin: &Origin) -> bool {
    matches!(origin, Origin::Derived(_) | Origin::Default(_))
}

/// A data file that cannot be understood, as a finding.
pub(crate) fn facts_error(error: &FactsError) -> Box<Diagnostic> {
    Box::new(Diagnostic::new(TARGET_FACTS, error.to_string()))
}

/// What the rule detects, for people who see the alert: the section that
/// describes the detection, else the attack, else the title.
pub(crate) fn description(rule: &Rule) -> &str {
    ["detection_description", "attack_description"]
        .iter()
        .find_map(|key| rule.section(key))
        .unwrap_or(&rule.title)
        .trim()
}

/// The title, told apart from that of the rule's other queries.
pub(crate) fn title(input: &Input<'_>, slug: Option<&str>) -> String {
    let title = &input.rule.title;
    let name = input.rule_query().and_then(|query| query.name.as_deref());
    match slug {
        Some(slug) => format!("{title} ({})", name.unwrap_or(slug)),
        None => title.clone(),
    }
}

/// The operator that decides what the query returns.
pub(crate) fn result_span(input: &Input<'_>) -> Option<Span> {
    input.ir.root.as_ref().map(|root| root.span)
}

/// The finding about a column the query does not return.
pub(crate) fn missing_column(code: Code, input: &Input<'_>, what: &str, column: &str) -> Problem {
    let query = input.ir;
    let problem = Problem::new(
        code,
        format!("{what}: {column}"),
        format!("The {what} names the column `{column}`, which the query does not return."),
    )
    .at(result_span(input));
    match columns::close(query, column) {
        Some(close) => problem.help(format!("did you mean `{close}`?")),
        None => problem.help(format!("the query returns {}", columns::names(query).join(", "))),
    }
}

/// Refuses columns that the query reads from a table of the target's and that
/// the table does not have there; `tables` are the target's, `where_` its name.
/// Tables that nothing is known about, and open ones, have every column.
pub(crate) fn foreign_columns(
    code: Code,
    tables: &Tables,
    where_: &str,
    input: &Input<'_>,
    findings: &mut Findings,
) {
    for used in columns::used(input.ir, input.text()) {
        let (table, column) = (used.table, used.column);
        let Some(schema) = tables.get(table) else { continue };
        if schema.open || schema.column(column).is_some() {
            continue;
        }
        let why = format!("The table {table} has no column `{column}` in {where_}.");
        let mut problem = Problem::new(code, format!("column {table}.{column}"), why).at(Some(used.span));
        let known = schema.columns.iter().map(|(name, _)| name.as_str());
        if let Some(close) = rulec_facts::close_matches(column, known, 1).first() {
            problem = problem.help(format!("did you mean `{close}`?"));
        }
        findings.refuse(problem);
    }
}

/// The columns of the `{{Column}}` placeholders, in order.
pub(crate) fn placeholders(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let Some(end) = rest[start..].find("}}") else {
            break;
        };
        found.push(rest[start + 2..start + end].trim());
        rest = &rest[start + end + 2..];
    }
    found
}

/// The alert's texts, if any.
pub(crate) fn alert<'a>(input: &Input<'a>) -> Option<&'a AlertText> {
    input.resolved.alert.as_ref().map(|alert| &alert.value)
}

/// Length as services of this kind count it: in UTF-16 code units.
pub(crate) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_columns() {
        assert_eq!(placeholders("{{A}} and {{ B }} {{C"), ["A", "B"]);
        assert_eq!(length("a\u{1f600}"), 3);
    }
}
