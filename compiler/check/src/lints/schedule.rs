//! What the lints about schedules look at: when a rule runs, who runs it, and
//! which times its query lets through.

use rulec_explain::reads::{Clock, Part, Read, reads};
use rulec_facts::runs::Service;
use rulec_functions::text::print_timespan;
use rulec_model::{Duration, Origin, RuleKind, ScheduleKind, Sourced};
use rulec_source::{Diagnostic, Span};

use crate::{Input, Query};

/// 100 ns each.
const TICKS: i64 = 10_000_000;

/// How late events may come in that are not worth a word.
pub(super) const SOME_MINUTES: i64 = 5 * 60 * TICKS;

/// A query that a service runs again and again.
pub(super) struct Scheduled<'a> {
    pub(super) query: &'a Query<'a>,
    /// Time between runs, in ticks.
    pub(super) frequency: i64,
    /// How far back a run looks, in ticks.
    pub(super) period: i64,
    /// Whether somebody chose the frequency, and the period.
    pub(super) said_frequency: bool,
    pub(super) said_period: bool,
    pub(super) services: Vec<&'a Service>,
    pub(super) reads: Vec<Read<'a>>,
}

/// The queries of a rule that are run on a schedule.
pub(super) fn scheduled<'a>(input: &'a Input<'_>) -> impl Iterator<Item = Scheduled<'a>> {
    input.queries.iter().filter_map(|query| {
        let resolved = query.resolved;
        let frequency = &resolved.frequency;
        // A hunt is run by a person, at any time, unless it says otherwise.
        let runs = input.rule.kind == RuleKind::Detection || said(frequency);
        if !query.sound || !runs || resolved.kind.value != ScheduleKind::Scheduled {
            return None;
        }
        Some(Scheduled {
            query,
            frequency: ticks(frequency.value),
            period: ticks(resolved.period.value),
            said_frequency: said(frequency),
            said_period: said(&resolved.period),
            services: input
                .facts
                .runs
                .of(&resolved.targets.value)
                .map(|(_, service)| service)
                .collect(),
            reads: reads(query.ir),
        })
    })
}

fn said(value: &Sourced<Duration>) -> bool {
    !matches!(value.origin, Origin::Derived(_) | Origin::Default(_))
}

fn ticks(duration: Duration) -> i64 {
    i64::try_from(duration.seconds())
        .unwrap_or(i64::MAX)
        .saturating_mul(TICKS)
}

/// A length of time as people write it.
pub(super) fn length(ticks: i64) -> String {
    match u64::try_from(ticks / TICKS) {
        Ok(seconds) if ticks % TICKS == 0 => Duration::from_seconds(seconds).to_string(),
        _ => print_timespan(ticks),
    }
}

impl<'a> Scheduled<'a> {
    /// The service that cuts the data to the period, if one does.
    pub(super) fn cut(&self) -> Option<&'a Service> {
        self.services.iter().copied().find(|s| s.cut.is_some())
    }

    /// The places at which the events stand that the rule is about.
    pub(super) fn sought(&self) -> impl Iterator<Item = &Read<'a>> {
        self.reads.iter().filter(|read| read.part == Part::Sought)
    }

    /// How far back events of a read reach by their own time, and where the
    /// query says so; no place: the service cuts them there.
    pub(super) fn reach(&self, read: &Read<'_>) -> Option<(i64, Option<Span>)> {
        let own = read.from(Clock::Event).map(|bound| (bound.ago, Some(bound.span)));
        let cut = self.cut().map(|_| (self.period, None));
        own.into_iter().chain(cut).min_by_key(|(reach, _)| *reach)
    }

    /// Points a finding at the schedule.
    pub(super) fn told(&self, input: &Input<'_>, diagnostic: Diagnostic, key: &str) -> Diagnostic {
        let origin = match key {
            "period" => &self.query.resolved.period.origin,
            _ => &self.query.resolved.frequency.origin,
        };
        let value = match key {
            "period" => self.period,
            _ => self.frequency,
        };
        let what = format!("the {key} is {}", length(value));
        match origin {
            Origin::FrontMatter | Origin::Document => {
                diagnostic.label(input.setting("/settings/schedule").key(key), what)
            }
            Origin::Derived(why) | Origin::Default(why) => diagnostic.note(format!("{what}: {why}")),
            // Of the repository, or of one environment.
            _ => diagnostic.note(format!("{what}, which the document does not say")),
        }
    }
}
