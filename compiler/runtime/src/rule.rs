//! A rule of an emitted package: what a program has to know to run it.

use std::collections::BTreeMap;

use rulec_functions::Necessary;

use crate::alert::RuleInfo;
use crate::batch::Batch;
use crate::context::{Context, InMemory};
use crate::error::RuntimeError;
use crate::schema::Schema;

/// Ticks of 100 ns in a second.
const SECOND: i64 = 10_000_000;

/// A rule of an emitted package.
pub struct Rule {
    /// What its alerts say of it.
    pub info: RuleInfo,
    /// When it runs, and how far it looks back.
    pub schedule: Schedule,
    /// The tables of events that it reads. Watchlists, external data and
    /// `FileProfile` are not among them.
    pub tables: fn() -> Vec<Table>,
    /// Its query.
    pub evaluate: fn(&Context<'_>) -> Result<Batch, RuntimeError>,
}

/// When a rule runs, and how far it looks back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Ticks (100 ns) from one run to the next, at least a second.
    pub frequency: i64,
    /// Ticks that a run looks back, at least `frequency`.
    pub period: i64,
    /// Whether each row of the result comes from one event alone, so that
    /// events may be looked at as they arrive.
    pub stateless: bool,
}

impl Schedule {
    /// A run every `frequency` seconds over the events of `period` seconds.
    pub fn seconds(frequency: u32, period: u32) -> Self {
        let frequency = i64::from(frequency.max(1)) * SECOND;
        Self {
            frequency,
            period: (i64::from(period) * SECOND).max(frequency),
            stateless: false,
        }
    }

    /// The same for a rule that looks at one event at a time.
    #[must_use]
    pub fn stateless(mut self) -> Self {
        self.stateless = true;
        self
    }
}

/// A table of events that a rule reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The columns that the rule needs; events may have more.
    pub schema: Schema,
    /// What events must meet to matter to the rule.
    pub necessary: Necessary,
}

impl Table {
    /// A table and the columns needed of it.
    pub fn new(name: &'static str, schema: Schema) -> Self {
        Self::of(name, schema, Necessary::ANYTHING)
    }

    /// The same, and what events must meet to matter.
    pub fn of(name: &'static str, schema: Schema, necessary: Necessary) -> Self {
        Self {
            name,
            schema,
            necessary,
        }
    }
}

impl Rule {
    /// The tables of events that the rule reads, each once, with all columns
    /// that the rule needs of it anywhere. Sorted by name.
    pub fn tables(&self) -> Vec<Table> {
        let mut found: BTreeMap<&'static str, Table> = BTreeMap::new();
        for table in (self.tables)() {
            let table = match found.remove(table.name) {
                Some(known) => Table {
                    name: table.name,
                    schema: known.schema.joined(&table.schema),
                    necessary: Necessary::any([known.necessary, table.necessary]),
                },
                None => table,
            };
            found.insert(table.name, table);
        }
        found.into_values().collect()
    }

    /// The rows that the rule gives at a time (ticks of 100 ns since
    /// 0001-01-01T00:00:00Z, what `now()` is) over tables by name. A table that
    /// the rule reads and that is not given is an error that names it.
    pub fn run<'t>(
        &self,
        now: i64,
        tables: impl IntoIterator<Item = (&'t str, Batch)>,
    ) -> Result<Batch, RuntimeError> {
        let mut given = InMemory::new();
        for (name, rows) in tables {
            given.insert(name, rows);
        }
        self.rows(&Context::new(now, &given))
    }

    /// The rows that the rule gives in a context, all of whose columns are there.
    pub fn rows(&self, context: &Context<'_>) -> Result<Batch, RuntimeError> {
        (self.evaluate)(&context.of_another_run())?.settled()
    }
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rule")
            .field("info", &self.info)
            .field("schedule", &self.schedule)
            .finish_non_exhaustive()
    }
}
