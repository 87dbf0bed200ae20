//! Events that come in after the only run that would have looked at them.

use rulec_explain::reads::Clock;
use rulec_source::{Diagnostic, Severity};

use super::{
    code,
    schedule::{SOME_MINUTES, Scheduled, length, scheduled},
};
use crate::{Input, Lint};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL081",
        "late-events-lost",
        Severity::Warning,
        "Each run looks at no more than the time since the last one, so that events that come in late are missed.",
    ),
    page: include_str!("../../pages/late-events-lost.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    // A schedule that nobody chose follows from the query, and may never be used.
    for rule in scheduled(input).filter(|rule| rule.said_frequency || rule.said_period) {
        // One word for a query is enough.
        found.extend(finding(input, &rule));
    }
}

fn finding(input: &Input<'_>, rule: &Scheduled<'_>) -> Option<Diagnostic> {
    rule.sought().find_map(|read| {
        let (reach, place) = rule.reach(read)?;
        let ingested = read.from(Clock::Ingestion);
        // A bound of the query that undoes one on ingestion time is told apart.
        if place.is_some() && ingested.is_some() {
            return None;
        }
        let slack = reach.checked_sub(rule.frequency).filter(|slack| *slack >= 0)?;
        if slack >= SOME_MINUTES || read.until(Clock::Event) > 0 {
            return None;
        }
        let late = rule.services.iter().map(|s| s.late.as_secs()).max().unwrap_or_default();
        let late = slack.saturating_add(i64::try_from(late).ok()?.saturating_mul(10_000_000));
        let when = match late {
            0 => "late".to_owned(),
            late => format!("more than {} late", length(late)),
        };
        let every = length(rule.frequency);
        let diagnostic = match (place, rule.cut()) {
            (Some(place), _) => Diagnostic::new(
                LINT.code,
                format!("an event that comes in {when} is missed: each run looks back {}, every {every}", length(reach)),
            )
            .at(rule.query.fragment.map(place))
            .help(format!(
                "look for what came in since the last run, `ingestion_time() >= ago({every})`, and look back longer by \
                 the event's own time"
            )),
            (None, Some(service)) => {
                let place = ingested.map_or(read.span, |bound| bound.span);
                Diagnostic::new(
                    LINT.code,
                    format!(
                        "an event that comes in {when} is missed: {} gives the query what happened in the last {}, \
                         every {every}",
                        service.title,
                        length(reach)
                    ),
                )
                .at(rule.query.fragment.map(place))
                .help(match ingested {
                    Some(_) => format!(
                        "let the schedule have a longer period than {}, as long as events may take to come in",
                        length(reach)
                    ),
                    None => format!(
                        "let the schedule have a longer period, as long as events may take to come in, and look only for \
                         what came in since the last run, `ingestion_time() >= ago({every})`"
                    ),
                })
            }
            (None, None) => return None,
        };
        Some(rule.told(input, diagnostic, "frequency"))
    })
}
