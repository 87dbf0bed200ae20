//! Bounds that reach further back than the service gives data.

use rulec_source::{Diagnostic, Severity};

use super::{
    code,
    schedule::{length, scheduled},
};
use crate::{Input, Lint};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL083",
        "lookback-cut",
        Severity::Warning,
        "The query looks back further than the period of the schedule, where the service cuts the data.",
    ),
    page: include_str!("../../pages/lookback-cut.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for rule in scheduled(input).filter(|rule| rule.said_period) {
        let Some(service) = rule.cut() else { continue };
        let mut seen = Vec::new();
        for read in &rule.reads {
            for bound in read.bounds.iter().filter(|b| b.ago > rule.period) {
                if seen.contains(&bound.span) {
                    continue;
                }
                seen.push(bound.span);
                let what = if bound.earliest { "back" } else { "no later than" };
                let diagnostic = Diagnostic::new(
                    LINT.code,
                    format!(
                        "the query looks {what} {} in `{}`, and {} gives it only the last {}",
                        length(bound.ago),
                        read.table,
                        service.title,
                        length(rule.period)
                    ),
                )
                .at(rule.query.fragment.map(bound.span));
                found.push(
                    rule.told(input, diagnostic, "period")
                        .help(format!("let the period be {} or more", length(bound.ago))),
                );
            }
        }
    }
}
