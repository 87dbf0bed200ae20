//! Events that alert in several runs.

use rulec_explain::reads::{Bound, Clock, Part, Read, deduplication};
use rulec_source::{Diagnostic, Severity};

use super::{
    code,
    schedule::{Scheduled, length, scheduled},
};
use crate::{Input, Lint};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL082",
        "alerts-repeat",
        Severity::Warning,
        "Runs overlap and nothing keeps an event from alerting in each of them.",
    ),
    page: include_str!("../../pages/alerts-repeat.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for rule in scheduled(input) {
        let suppressed = rule.query.resolved.suppression.value.enabled;
        let chosen = rule.said_frequency || rule.said_period;
        if !chosen || suppressed || deduplication(rule.query.ir).is_some() {
            continue;
        }
        found.extend(finding(input, &rule));
    }
}

fn finding(input: &Input<'_>, rule: &Scheduled<'_>) -> Option<Diagnostic> {
    let service = rule.services.iter().find(|service| service.repeats)?;
    let mut shown: Option<(&Read<'_>, i64, Option<Bound>)> = None;
    for read in rule.reads.iter().filter(|read| read.part != Part::Known) {
        let (window, bound) = window(rule, read)?;
        let meant = bound.is_some_and(|bound| bound.runs);
        // Every event that has a part in the alert must be seen again.
        if read.unclear || meant || window <= rule.frequency {
            return None;
        }
        if shown.is_none_or(|(_, shortest, _)| window < shortest) {
            shown = Some((read, window, bound));
        }
    }
    let (read, window, bound) = shown?;
    let runs = window.checked_div(rule.frequency)?;
    let often = if window % rule.frequency == 0 {
        runs
    } else {
        runs + 1
    };
    let place = bound.map_or(read.span, |bound| bound.span);
    let diagnostic = Diagnostic::new(
        LINT.code,
        format!(
            "an event alerts in up to {often} runs: each looks at {}, every {}",
            length(window),
            length(rule.frequency)
        ),
    )
    .at(rule.query.fragment.map(place))
    .note(format!(
        "{} alerts on each result of each run, whether or not a run before found it",
        service.title
    ));
    Some(rule.told(input, diagnostic, "frequency").help(format!(
        "look only for what came in since the last run, `ingestion_time() >= ago({})`, or leave out what the service has \
         alerted on",
        length(rule.frequency)
    )))
}

/// How much of a table one run looks at, and the bound that says so. None: all
/// there is, or no more is known.
fn window(rule: &Scheduled<'_>, read: &Read<'_>) -> Option<(i64, Option<Bound>)> {
    let own = [Clock::Event, Clock::Ingestion].into_iter().filter_map(|clock| {
        let from = read.from(clock)?;
        Some((from.ago.saturating_sub(read.until(clock)), Some(from)))
    });
    let cut = rule
        .cut()
        .map(|_| (rule.period.saturating_sub(read.until(Clock::Event)), None));
    own.chain(cut).min_by_key(|(window, _)| *window)
}
