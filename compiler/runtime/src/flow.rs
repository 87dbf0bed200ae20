//! Rows on their way from a table: worked on piece by piece as far as the
//! operators after it allow.
//!
//! In: tables of the context, rows that are there already, and work on pieces.
//! Out: all rows, or what an operator makes of them. Pieces are worked on in any
//! order and perhaps on several threads; what is left to do with each is done in
//! the order of the table that it comes from, so that the same comes out however
//! many threads there are. The interpreter and emitted rules run their queries
//! through this.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rulec_functions::Necessary;

use crate::batch::Batch;
use crate::context::{Context, InTurn, Stage};
use crate::error::{Code, Named, Place, RuntimeError};
use crate::memory::Memory;
use crate::ops::{self, Expr, JoinKind, Matching, Picks, Pieces, Probe};
use crate::schema::Schema;

/// Left rows up to which a join holds the left side and asks the right side
/// only for rows with its keys.
const FEW: usize = 1 << 18;

type Result<T> = std::result::Result<T, RuntimeError>;

/// Work on pieces, in any order.
type Work<'f, 'w> = &'f (dyn Fn(Batch) -> Result<InTurn<'w>> + Sync + 'f);

/// What an operator reads: rows that are there, or a [`Flow`] of them.
pub trait Input {
    /// The budget that rows count against.
    fn memory(&self) -> &Memory;

    /// The rows, if they are there already.
    fn at_hand(&self) -> Option<&Batch>;

    /// What an operator gives of all rows.
    fn pour(&self, operator: Named, pieces: Box<dyn Pieces + '_>) -> Result<Batch>;
}

impl Input for Batch {
    fn memory(&self) -> &Memory {
        self.memory()
    }

    fn at_hand(&self) -> Option<&Batch> {
        Some(self)
    }

    fn pour(&self, operator: Named, pieces: Box<dyn Pieces + '_>) -> Result<Batch> {
        ops::whole(pieces, self).map_err(|error| error.at(operator.place))
    }
}

/// Rows that have been asked for and are not there yet.
pub struct Flow<'a> {
    source: Source<'a>,
    /// Work on one piece at a time.
    stages: Vec<Box<Stage<'a>>>,
}

enum Source<'a> {
    Rows(Batch),
    Table(Table<'a>),
    Join(Box<Join<'a>>),
}

/// A table of the context.
struct Table<'a> {
    context: &'a Context<'a>,
    name: &'a str,
    schema: Schema,
    needed: Option<&'a [usize]>,
    necessary: Necessary,
    optional: bool,
    place: Option<Place>,
}

/// A join whose left side comes in pieces.
struct Join<'a> {
    lhs: Flow<'a>,
    rhs: Box<Other<'a>>,
    kind: JoinKind,
    left_keys: Arc<[Expr<'a>]>,
    right_keys: Arc<[Expr<'a>]>,
    output: Picks,
    operator: Named,
}

/// The right side of a join: those of its rows that match.
type Other<'a> = dyn Fn(&Matching<'_>) -> Result<Batch> + Sync + 'a;

impl<'a> Context<'a> {
    /// The rows of a table after a stage that works row by row, when they are
    /// asked for. Rows that do not meet the condition do not get through the
    /// stage and need not be given to it.
    pub fn flow(
        &'a self,
        name: &'a str,
        schema: Schema,
        necessary: Necessary,
        stage: impl Fn(&Batch) -> Result<Batch> + Sync + 'a,
    ) -> Flow<'a> {
        let flow = Flow {
            source: Source::Table(Table {
                context: self,
                name,
                schema,
                needed: None,
                necessary,
                optional: false,
                place: None,
            }),
            stages: Vec::new(),
        };
        flow.then(stage)
    }
}

impl<'a> Flow<'a> {
    /// Rows that are there already.
    pub fn of(rows: &Batch) -> Self {
        Self {
            source: Source::Rows(rows.clone()),
            stages: Vec::new(),
        }
    }

    /// Of a table, only columns in these places are read.
    #[must_use]
    pub fn reading(mut self, places: Option<&'a [usize]>) -> Self {
        if let Source::Table(table) = &mut self.source {
            table.needed = places;
        }
        self
    }

    /// A table that has no rows when nobody gives it.
    #[must_use]
    pub fn optional(mut self) -> Self {
        if let Source::Table(table) = &mut self.source {
            table.optional = true;
        }
        self
    }

    /// How errors name what the rows come from: a table's place, or the name and
    /// the place of a join.
    #[must_use]
    pub fn called(mut self, operator: Named) -> Self {
        match &mut self.source {
            Source::Table(table) => table.place = operator.place,
            Source::Join(join) => join.operator = operator,
            Source::Rows(_) => {}
        }
        self
    }

    /// The rows after another stage that works row by row.
    #[must_use]
    pub fn then(mut self, stage: impl Fn(&Batch) -> Result<Batch> + Sync + 'a) -> Self {
        self.stages.push(Box::new(stage));
        self
    }

    /// The rows joined with others, as [`ops::join`] does. `right` is asked for
    /// the rows of the right side that match and may give more. Only for kinds
    /// that [take pieces](JoinKind::takes_pieces).
    #[must_use]
    pub fn join(
        self,
        right: impl Fn(&Matching<'_>) -> Result<Batch> + Sync + 'a,
        kind: JoinKind,
        left_keys: impl Into<Arc<[Expr<'a>]>>,
        right_keys: impl Into<Arc<[Expr<'a>]>>,
        output: impl Into<Picks>,
    ) -> Self {
        let join = Join {
            lhs: self,
            rhs: Box::new(right),
            kind,
            left_keys: left_keys.into(),
            right_keys: right_keys.into(),
            output: output.into(),
            operator: Named::operator("join"),
        };
        Self {
            source: Source::Join(Box::new(join)),
            stages: Vec::new(),
        }
    }

    /// All rows.
    pub fn rows(&self) -> Result<Batch> {
        match &self.source {
            Source::Rows(rows) => self.pass(rows),
            // The provider may know of a better way to put pieces together.
            Source::Table(table) => table.scan(&|piece| self.pass(piece)),
            Source::Join(_) => {
                let parts = Parts::default();
                self.feed(&|piece| Ok(parts.later(piece)))?;
                parts.whole()
            }
        }
    }

    /// Whether rows come in pieces, and are not there already.
    pub fn is_flowing(&self) -> bool {
        match &self.source {
            Source::Rows(_) => false,
            Source::Table(_) => true,
            Source::Join(join) => join.lhs.is_flowing(),
        }
    }

    fn pass(&self, piece: &Batch) -> Result<Batch> {
        let mut batch = piece.clone();
        for stage in &self.stages {
            batch = stage(&batch)?;
        }
        Ok(batch)
    }

    /// Works on the rows in pieces, of which there is at least one.
    fn feed(&self, work: Work<'_, '_>) -> Result<()> {
        match &self.source {
            Source::Rows(rows) => work(self.pass(rows)?)?().map(|_| ()),
            Source::Table(table) => table.fold(&|piece| work(self.pass(&piece)?)),
            Source::Join(join) => join.feed(&|piece| work(self.pass(&piece)?)),
        }
    }
}

impl Input for Flow<'_> {
    fn memory(&self) -> &Memory {
        match &self.source {
            Source::Rows(rows) => rows.memory(),
            Source::Table(table) => table.context.memory(),
            Source::Join(join) => join.lhs.memory(),
        }
    }

    fn at_hand(&self) -> Option<&Batch> {
        match &self.source {
            Source::Rows(rows) if self.stages.is_empty() => Some(rows),
            _ => None,
        }
    }

    fn pour(&self, operator: Named, pieces: Box<dyn Pieces + '_>) -> Result<Batch> {
        if let Source::Rows(rows) = &self.source {
            return self.pass(rows)?.pour(operator, pieces);
        }
        let own = |error: RuntimeError| error.at(operator.place);
        let poured = self.feed(&|piece| {
            let turn = pieces.piece(&piece).map_err(own)?;
            Ok(Box::new(move || turn().map_err(own)))
        });
        poured.map_err(|error| error.held_by(operator))?;
        pieces.finish().map_err(own)
    }
}

impl std::fmt::Debug for Flow<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let source: &dyn std::fmt::Debug = match &self.source {
            Source::Rows(_) => &"rows",
            Source::Table(table) => &table.name,
            Source::Join(join) => &join.lhs,
        };
        f.debug_struct("Flow")
            .field("source", source)
            .field("stages", &self.stages.len())
            .finish()
    }
}

impl Table<'_> {
    /// The rows after a stage.
    fn scan(&self, stage: &Stage<'_>) -> Result<Batch> {
        let (needed, necessary) = (self.needed, &self.necessary);
        let scanned = self
            .context
            .scan_where(self.name, &self.schema, needed, necessary, stage);
        match scanned {
            Err(error) if self.may_miss(&error) => stage(&self.nothing()),
            scanned => scanned.map_err(|error| error.at(self.place)),
        }
    }

    /// Works on the rows in pieces.
    fn fold(&self, work: Work<'_, '_>) -> Result<()> {
        let (needed, necessary) = (self.needed, &self.necessary);
        let folded = self
            .context
            .fold_where(self.name, &self.schema, needed, necessary, |piece| {
                let turn: InTurn<'_> = work(piece)?;
                Ok(turn)
            });
        match folded {
            Err(error) if self.may_miss(&error) => work(self.nothing())?().map(|_| ()),
            folded => folded.map_err(|error| error.at(self.place)),
        }
    }

    fn nothing(&self) -> Batch {
        Batch::empty(self.schema.clone(), self.context.memory())
    }

    /// Whether an error only says that there is no data where none is needed.
    fn may_miss(&self, error: &RuntimeError) -> bool {
        self.optional && error.code == Code::MISSING_TABLE
    }
}

impl Join<'_> {
    /// Works on the joined rows, in pieces.
    ///
    /// The left side is held as long as its rows are few. If they stay few, the
    /// right side is asked only for rows with their keys; once they are many,
    /// the right side is held instead and the left rows pass it piece by piece.
    fn feed(&self, work: Work<'_, '_>) -> Result<()> {
        self.feed_held(work).map_err(|error| error.held_by(self.operator))
    }

    fn feed_held(&self, work: Work<'_, '_>) -> Result<()> {
        let own = |error: RuntimeError| error.at(self.operator.place);
        let held = Parts::default();
        let probe: OnceLock<Probe<'_>> = OnceLock::new();
        let join = |probe: &Probe<'_>, piece: &Batch| {
            let found = probe.find(piece);
            found.and_then(|found| probe.join(piece, &found)).map_err(own)
        };
        self.lhs.feed(&|piece| {
            if let Some(probe) = probe.get() {
                if probe.in_any_order() {
                    return work(join(probe, &piece)?);
                }
                let found = probe.find(&piece).map_err(own)?;
                return Ok(Box::new(move || {
                    work(probe.join(&piece, &found).map_err(own)?)?()
                }));
            }
            let (held, probe, join) = (&held, &probe, &join);
            Ok(Box::new(move || {
                if let Some(probe) = probe.get() {
                    return work(join(probe, &piece)?)?();
                }
                if held.add(piece) <= FEW {
                    return Ok(true);
                }
                let made = self.probe(&(self.rhs)(&Matching::all())?)?;
                let probe = probe.get_or_init(|| made);
                for piece in held.take() {
                    if !work(join(probe, &piece)?)?()? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }))
        })?;
        if probe.get().is_some() {
            return Ok(());
        }
        let lhs = held.whole().map_err(own)?;
        let matching = Matching::new(&lhs, &self.left_keys, &self.right_keys).map_err(own)?;
        let rhs = (self.rhs)(&matching)?;
        work(join(&self.probe(&rhs)?, &lhs)?)?().map(|_| ())
    }

    fn probe(&self, rhs: &Batch) -> Result<Probe<'_>> {
        Probe::new(rhs, self.kind, &self.left_keys, &self.right_keys, &self.output)
            .map_err(|error| error.at(self.operator.place))
    }
}

/// Pieces that are put together.
#[derive(Default)]
struct Parts(Mutex<Vec<Batch>>);

impl Parts {
    /// Keeps a piece in its turn.
    fn later(&self, piece: Batch) -> InTurn<'_> {
        Box::new(move || {
            self.add(piece);
            Ok(true)
        })
    }

    /// Keeps a piece; how many rows there are.
    fn add(&self, piece: Batch) -> usize {
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // One piece at least says what the columns are.
        if !piece.is_empty() || parts.is_empty() {
            parts.push(piece);
        }
        parts.iter().map(Batch::rows).sum()
    }

    /// The pieces, which are forgotten.
    fn take(&self) -> Vec<Batch> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All of them as one.
    fn whole(&self) -> Result<Batch> {
        let whole = Batch::concat(&self.take(), "join")?;
        whole.ok_or_else(|| RuntimeError::internal("a table came without a piece"))
    }
}
