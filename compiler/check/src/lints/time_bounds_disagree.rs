//! A bound on the event's time that undoes one on when it came in.

use rulec_explain::reads::Clock;
use rulec_source::{Diagnostic, Severity};

use super::{
    code,
    schedule::{SOME_MINUTES, length, scheduled},
};
use crate::{Input, Lint};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL085",
        "time-bounds-disagree",
        Severity::Warning,
        "A bound on the event's own time drops the late events that a bound on ingestion time is there for.",
    ),
    page: include_str!("../../pages/time-bounds-disagree.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for rule in scheduled(input) {
        let mut seen = Vec::new();
        for read in rule.sought() {
            let (Some(event), Some(ingested)) = (read.from(Clock::Event), read.from(Clock::Ingestion)) else {
                continue;
            };
            let slack = event.ago.saturating_sub(rule.frequency);
            if slack >= SOME_MINUTES || event.ago > ingested.ago || seen.contains(&event.span) {
                continue;
            }
            seen.push(event.span);
            let diagnostic = Diagnostic::new(
                LINT.code,
                format!(
                    "the query takes what came in within {}, but only what happened within {}: late events are dropped",
                    length(ingested.ago),
                    length(event.ago)
                ),
            )
            .at(rule.query.fragment.map(event.span))
            .label(rule.query.fragment.map(ingested.span), "late events pass here");
            found.push(rule.told(input, diagnostic, "frequency").help(format!(
                "look back by the event's own time as long as events may take to come in and {} more",
                length(rule.frequency)
            )));
        }
    }
}
