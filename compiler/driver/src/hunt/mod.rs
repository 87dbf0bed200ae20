//! `rulec run`: rules over exported events.
//!
//! In: compiled rules and where events come from. Out: alerts, as they are
//! found and in the order of the rules, and what a person wants to know
//! besides. A hunt that is stopped gives the alerts of the rules that it has
//! finished.

mod output;
mod page;
mod timeline;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use rayon::prelude::*;
use rulec_model::Rule;
use rulec_runtime::{
    Code, Context, Memory,
    alert::{self, Alert, EntityMapping, RuleInfo},
    files::Files,
};
use rulec_source::{Diagnostic, Severity, SourceFile};

use crate::{
    inputs::{self, Input},
    pipeline::{Bound, Compilation, Document, Pipeline},
};

pub use output::Format;
use output::Writer;
pub use rulec_runtime::Progress;

/// What is hunted for, and how it is told.
#[derive(Clone, Debug)]
pub struct Options {
    /// Only rules whose id contains this.
    pub only: Option<String>,
    /// How alerts are written.
    pub format: Format,
    /// How far the hunt is; whoever has it may stop the hunt.
    pub progress: Arc<Progress>,
}

/// Who is told what a hunt finds, while it goes on.
pub trait Listener {
    /// The next piece of the output. An error stops the hunt.
    fn output(&mut self, text: &str) -> io::Result<()>;
    /// How far it is, about ten times a second.
    fn tick(&mut self, state: &State);
}

/// How far a hunt is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct State {
    /// Bytes of input read.
    pub bytes: u64,
    /// Events read.
    pub rows: u64,
    /// Rules that are done.
    pub done: usize,
    /// Rules in all.
    pub rules: usize,
    /// How much of the work is done, from 0 to 1, as far as that is known.
    pub share: f64,
    /// Time since the hunt began.
    pub elapsed: Duration,
    /// Rules run; before, the data is looked through for its newest event.
    pub running: bool,
}

/// What a hunt found.
pub struct Report {
    /// How many alerts.
    pub alerts: usize,
    /// Rules that could not be run to their end.
    pub problems: Vec<(SourceFile, String, Diagnostic)>,
    /// What a person wants to know besides.
    pub notes: Vec<String>,
    /// Somebody stopped it; what was put out is whole, but not all there is.
    pub interrupted: bool,
}

/// How often somebody is told how far a hunt is.
const TICK: Duration = Duration::from_millis(100);
/// How long rules may take to notice that the hunt is stopped. Who waits for
/// input that does not come notices nothing.
const GRACE: Duration = Duration::from_secs(2);

/// What an alert says of its rule.
fn info(file: &SourceFile, rule: &Rule, bound: &Bound) -> RuleInfo {
    let line = bound.deciding_line(file);
    let said = rulec_emit::targets::native::Info::of(rule, &bound.resolved, &file.path, line);
    let owned = |(identifier, column): (String, String)| (identifier.into(), column.into());
    let entity = |(kind, fields): (String, Vec<(String, String)>)| EntityMapping {
        kind: kind.into(),
        fields: fields.into_iter().map(owned).collect(),
    };
    RuleInfo {
        entities: said.entities.into_iter().map(entity).collect(),
        ..RuleInfo::new(said.id, said.title, said.severity).at(said.document, said.line)
    }
}

fn evaluate(
    file: &SourceFile,
    rule: &Rule,
    bound: &Bound,
    conditions: rulec_ir::Conditions,
    context: &Context<'_>,
) -> Result<Vec<Alert>, rulec_eval::EvalError> {
    let result = rulec_eval::run_where(&bound.ir, conditions, context)?;
    if result.is_empty() {
        // Most rules find nothing, most of the time.
        return Ok(Vec::new());
    }
    Ok(alert::alerts(&info(file, rule, bound), &result))
}

/// The alerts of one rule as NDJSON.
pub fn alerts(
    file: &SourceFile,
    rule: &Rule,
    bound: &Bound,
    now: i64,
    source: &Files,
) -> Result<String, rulec_eval::EvalError> {
    let conditions = rulec_ir::Conditions::of(&bound.ir);
    let alerts = evaluate(file, rule, bound, conditions, &Context::new(now, source))?;
    Ok(alerts.iter().map(|alert| alert::to_json(alert) + "\n").collect())
}

/// A query of a rule: its document, the rule, and which of its queries.
type Job<'c> = (&'c Document, &'c Rule, &'c Bound);

/// What the threads that work tell the one that writes.
enum Told {
    /// What `now()` gives, if a rule asks; comes first.
    Now(Option<i64>),
    /// What became of a job, by its number.
    Done(usize, Result<Vec<Alert>, rulec_eval::EvalError>),
}

/// The queries of all sound rules that are chosen, in order.
fn jobs<'c>(compilation: &'c Compilation, only: Option<&str>) -> Vec<Job<'c>> {
    compilation
        .sound()
        .into_iter()
        .filter(|(_, rule)| only.is_none_or(|only| rule.id.contains(only)))
        .flat_map(|(document, rule)| document.queries.iter().map(move |bound| (document, rule, bound)))
        .collect()
}

/// Runs all sound rules, or those that are chosen.
pub fn run(
    pipeline: &Pipeline,
    compilation: &Arc<Compilation>,
    input: &Input,
    options: &Options,
    listener: &mut dyn Listener,
) -> Result<Report, String> {
    if input.data.is_empty() {
        return Err("there are no events: give them with --data TABLE=PATH".to_owned());
    }
    let catalog = pipeline
        .catalog(rulec_facts::tables::Environment::MergedColumns)
        .map_err(|e| e.to_string())?;
    let asked: BTreeSet<&str> = compilation
        .documents
        .iter()
        .flat_map(|d| &d.queries)
        .flat_map(|q| &q.ir.tables)
        .map(|t| t.name.as_str())
        .collect();
    let source = Arc::new(inputs::files(input, catalog, |name| asked.contains(name))?);
    let jobs = jobs(compilation, options.only.as_deref());
    if jobs.is_empty() {
        return Err(match &options.only {
            Some(only) => format!("no rule that compiles has an id that contains `{only}`"),
            None => "no rule compiles, so there is nothing to run".to_owned(),
        });
    }
    inputs::given_now(input)?;
    let tables: BTreeSet<&str> = jobs
        .iter()
        .flat_map(|(_, _, bound)| &bound.ir.tables)
        .map(|table| table.name.as_str())
        .collect();
    let size = tables.iter().map(|table| source.bytes(table)).sum();
    let results = start(compilation, &source, input, options);
    let mut hunt = Hunt {
        writer: Writer::new(options.format),
        listener,
        jobs: &jobs,
        options,
        waiting: BTreeMap::new(),
        next: 0,
        size,
        now: None,
        begun: Instant::now(),
        running: false,
        before: 0,
        report: Report {
            alerts: 0,
            problems: Vec::new(),
            notes: inputs::unasked(&source, catalog, |name| asked.contains(name)),
            interrupted: false,
        },
        skipped: BTreeMap::new(),
        unfinished: Vec::new(),
        deaf: false,
    };
    hunt.follow(&results);
    Ok(hunt.finish(pipeline, &source))
}

/// Runs the jobs on threads of their own. They are not waited for: one that
/// reads from somewhere that never answers must not keep the hunt from ending.
fn start(
    compilation: &Arc<Compilation>,
    source: &Arc<Files>,
    input: &Input,
    options: &Options,
) -> mpsc::Receiver<Told> {
    let (sender, results) = mpsc::channel();
    let (compilation, source) = (Arc::clone(compilation), Arc::clone(source));
    let (input, only) = (input.clone(), options.only.clone());
    let progress = Arc::clone(&options.progress);
    let memory =
        Memory::with_limit(usize::try_from(input.memory.saturating_mul(1 << 20)).unwrap_or(usize::MAX));
    thread::spawn(move || {
        let jobs = jobs(&compilation, only.as_deref());
        let queries = jobs.iter().map(|(_, _, bound)| &bound.ir);
        // What can go wrong here has been looked at before.
        let now = inputs::now(&input, &source, queries, &progress).unwrap_or_default();
        // Nobody listens any more when the hunt has been stopped.
        let _ = sender.send(Told::Now(now));
        let now = now.unwrap_or_else(rulec_runtime::cli::clock);
        let conditions: Vec<_> = jobs
            .par_iter()
            .map(|(_, _, bound)| rulec_ir::Conditions::of(&bound.ir))
            .collect();
        let wanted = conditions.iter().flat_map(rulec_ir::Conditions::iter);
        // A file that cannot be read is told by the rules that ask for it.
        let _ = source.prepare(wanted, now, &progress);
        let context = Context::new(now, &*source)
            .with_memory(memory)
            .with_progress(progress);
        jobs.par_iter().zip(conditions).enumerate().for_each(
            |(number, ((document, rule, bound), conditions))| {
                let done = evaluate(&document.file, rule, bound, conditions, &context);
                let _ = sender.send(Told::Done(number, done));
            },
        );
    });
    results
}

/// A hunt under way.
struct Hunt<'a> {
    writer: Writer,
    listener: &'a mut dyn Listener,
    jobs: &'a [Job<'a>],
    options: &'a Options,
    /// What came before its turn.
    waiting: BTreeMap<usize, Result<Vec<Alert>, rulec_eval::EvalError>>,
    /// The job whose turn it is.
    next: usize,
    /// Bytes of the files that the rules read, each once.
    size: u64,
    /// What `now()` gives, once that is known, if a rule asks.
    now: Option<i64>,
    begun: Instant,
    running: bool,
    /// Bytes that were read before the rules began.
    before: u64,
    report: Report,
    /// How many rules miss which table.
    skipped: BTreeMap<String, Vec<String>>,
    /// Rules that were stopped.
    unfinished: Vec<String>,
    /// Nobody reads the output any more.
    deaf: bool,
}

impl Hunt<'_> {
    /// Takes results until there are no more, or the hunt is stopped.
    fn follow(&mut self, results: &mpsc::Receiver<Told>) {
        self.write(Writer::start);
        let mut done = 0;
        let mut stopped: Option<Instant> = None;
        loop {
            match results.recv_timeout(TICK) {
                Ok(Told::Now(now)) => {
                    self.now = now;
                    self.running = true;
                    self.before = self.options.progress.bytes();
                }
                Ok(Told::Done(number, result)) => {
                    done += 1;
                    self.waiting.insert(number, result);
                    while let Some(result) = self.waiting.remove(&self.next) {
                        self.take(self.next, result);
                        self.next += 1;
                    }
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
            self.tick(done);
            if self.options.progress.is_cancelled() {
                let since = stopped.get_or_insert_with(Instant::now);
                if since.elapsed() > GRACE {
                    break;
                }
            }
        }
        // What is behind a rule that never came is whole all the same.
        while self.next < self.jobs.len() {
            match self.waiting.remove(&self.next) {
                Some(result) => self.take(self.next, result),
                None => self.unfinished.push(self.jobs[self.next].1.id.clone()),
            }
            self.next += 1;
        }
    }

    fn tick(&mut self, done: usize) {
        let progress = &self.options.progress;
        let rules = self.jobs.len();
        let read = progress.bytes().saturating_sub(self.before) as f64 / self.size.max(1) as f64;
        // Relating rows takes its time after the last byte.
        let share = (read.min(0.99)).max(done as f64 / rules.max(1) as f64);
        self.listener.tick(&State {
            bytes: progress.bytes(),
            rows: progress.rows(),
            done,
            rules,
            share,
            elapsed: self.begun.elapsed(),
            running: self.running,
        });
    }

    /// A result whose turn it is.
    fn take(&mut self, number: usize, result: Result<Vec<Alert>, rulec_eval::EvalError>) {
        let (document, rule, bound) = self.jobs[number];
        match result {
            Ok(alerts) => {
                self.report.alerts += alerts.len();
                self.write(|writer| writer.alerts(alerts));
            }
            Err(error) if error.code == Code::CANCELLED => self.unfinished.push(rule.id.clone()),
            // A hunt is given the tables one has; rules over others are not wrong.
            Err(error) if error.code == Code::MISSING_TABLE && self.options.only.is_none() => {
                self.skipped
                    .entry(error.message.clone())
                    .or_default()
                    .push(rule.id.clone());
            }
            Err(error) => {
                let diagnostic = bound.fragment.map_diagnostic(diagnostic(&error));
                self.report
                    .problems
                    .push((document.file.clone(), rule.id.clone(), diagnostic));
            }
        }
    }

    /// Puts out what the writer gives.
    fn write(&mut self, give: impl FnOnce(&mut Writer) -> String) {
        let text = give(&mut self.writer);
        if !text.is_empty() && self.listener.output(&text).is_err() {
            // Who reads the output has had enough.
            self.deaf = true;
            self.options.progress.cancel();
        }
    }

    fn finish(mut self, pipeline: &Pipeline, source: &Files) -> Report {
        self.unfinished.dedup();
        self.report.interrupted = self.options.progress.is_cancelled() && !self.deaf;
        let failed = self.skipped.values().map(Vec::len).sum::<usize>()
            + self.report.problems.len()
            + self.unfinished.len();
        let ran = self.jobs.len().saturating_sub(failed);
        let facts = page::Facts {
            jobs: self.jobs,
            source,
            now: self.now,
            ran,
            report: &self.report,
            skipped: &self.skipped,
            unfinished: &self.unfinished,
        };
        let text = self
            .writer
            .finish(|alerts| page::render(pipeline, &facts, alerts));
        if !text.is_empty() {
            let _ = self.listener.output(&text);
        }
        let notes = &mut self.report.notes;
        notes.extend(source.warnings().into_iter().map(|w| format!("warning: {w}")));
        for (message, rules) in &self.skipped {
            notes.push(format!("skipped {}: {message}", count(rules.len(), "rule")));
        }
        if self.report.interrupted {
            notes.push(if self.unfinished.is_empty() {
                "stopped; every rule had finished".to_owned()
            } else {
                format!(
                    "stopped: the output is partial, {} did not finish: {}",
                    count(self.unfinished.len(), "rule"),
                    self.unfinished.join(", ")
                )
            });
        }
        let now = self.now.map_or_else(String::new, |now| {
            format!(", now() being {}", rulec_functions::text::print_datetime(now))
        });
        notes.push(format!(
            "{} from {}{now}",
            count(self.report.alerts, "alert"),
            count(ran, "rule"),
        ));
        self.report
    }
}

/// "1 rule", "2 rules".
fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// An error of a run as a finding about the query.
pub(crate) fn diagnostic(error: &rulec_eval::EvalError) -> Diagnostic {
    let code = rulec_source::Code {
        id: error.code.id,
        name: error.code.name,
        severity: Severity::Error,
        summary: error.code.summary,
    };
    Diagnostic::new(code, error.message.as_str()).at(error.span)
}
