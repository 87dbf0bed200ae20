//! Events between two runs that no run looks at.

use rulec_explain::reads::Clock;
use rulec_source::{Diagnostic, Severity};

use super::{
    code,
    schedule::{Scheduled, length, scheduled},
};
use crate::{Input, Lint};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL080",
        "gap-between-runs",
        Severity::Warning,
        "A run looks back less far than the last run was ago.",
    ),
    page: include_str!("../../pages/gap-between-runs.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for rule in scheduled(input).filter(|rule| rule.said_frequency) {
        if rule.said_period && rule.period < rule.frequency {
            let diagnostic = Diagnostic::new(
                LINT.code,
                format!(
                    "the rule runs every {} and looks back {}: what happens in between is never looked at",
                    length(rule.frequency),
                    length(rule.period)
                ),
            );
            let diagnostic = rule.told(input, diagnostic, "period");
            found.push(diagnostic.help(format!("let the period be {} or more", length(rule.frequency))));
            continue;
        }
        of_bounds(input, &rule, found);
    }
}

fn of_bounds(input: &Input<'_>, rule: &Scheduled<'_>, found: &mut Vec<Diagnostic>) {
    let mut seen = Vec::new();
    for read in rule.sought() {
        for clock in [Clock::Event, Clock::Ingestion] {
            let Some(from) = read.from(clock) else { continue };
            let window = from.ago.saturating_sub(read.until(clock));
            if window <= 0 || window >= rule.frequency || seen.contains(&from.span) {
                continue;
            }
            seen.push(from.span);
            let diagnostic = Diagnostic::new(
                LINT.code,
                format!(
                    "the query looks at {} of `{}`, and the rule runs every {}: events in between are never looked at",
                    length(window),
                    read.table,
                    length(rule.frequency)
                ),
            )
            .at(rule.query.fragment.map(from.span));
            let help = format!(
                "look back {} or more, or run the rule every {}",
                length(rule.frequency.saturating_add(read.until(clock))),
                length(window)
            );
            found.push(rule.told(input, diagnostic, "frequency").help(help));
        }
    }
}
