//! Rows held by column, and the view of one row that closures see.

use std::sync::{Arc, OnceLock};

use rulec_functions::{Type, Value, convert};

use crate::error::RuntimeError;
use crate::late::{Late, Places};
use crate::memory::{Memory, Reservation};
use crate::schema::{Column, Schema};
use crate::vector::{Builder, Vector};

/// A relation: columns of equal length under a schema. Cloning shares the
/// columns.
///
/// A batch may carry more columns than an operator's schema lists, after the
/// listed ones, when it came from a table that is not wholly known.
#[derive(Clone, Debug)]
pub struct Batch {
    schema: Schema,
    columns: Vec<Kept>,
    rows: usize,
    /// When each row was ingested; lost where rows are combined.
    ingestion: Option<Arc<Held>>,
    /// Which rows descend from the event that somebody follows.
    marks: Option<Arc<[bool]>>,
    memory: Memory,
}

/// How a batch has a column.
#[derive(Clone, Debug)]
enum Kept {
    Held(Arc<Held>),
    Late(Arc<Unread>),
}

/// A column that nobody has looked at yet.
#[derive(Debug)]
struct Unread {
    places: Arc<Places>,
    /// Its place in the table's schema.
    column: usize,
    read: OnceLock<Arc<Held>>,
}

impl Kept {
    fn late(places: &Arc<Places>, column: usize) -> Self {
        Kept::Late(Arc::new(Unread {
            places: Arc::clone(places),
            column,
            read: OnceLock::new(),
        }))
    }

    /// The values, which are read if they are not there yet.
    fn held(&self) -> &Arc<Held> {
        match self {
            Kept::Held(held) => held,
            Kept::Late(late) => late.read.get_or_init(|| late.look()),
        }
    }

    /// Where the values are that are not there yet.
    fn unread(&self) -> Option<&Arc<Unread>> {
        match self {
            Kept::Late(late) if late.read.get().is_none() => Some(late),
            _ => None,
        }
    }
}

impl Unread {
    fn look(&self) -> Arc<Held> {
        match self.places.look(self.column).columns.first() {
            Some(Kept::Held(held)) => Arc::clone(held),
            // The run has failed.
            _ => Arc::new(Held {
                vector: Vector::constant(Value::Null, self.places.len()),
                _reservation: None,
            }),
        }
    }
}

/// A column and the bytes that it holds of the budget.
#[derive(Debug)]
struct Held {
    vector: Vector,
    _reservation: Option<Reservation>,
}

impl Batch {
    /// A batch from its columns. `operator` is whom the error names when the
    /// columns pass the memory limit.
    pub fn new(
        schema: Schema,
        columns: Vec<Vector>,
        memory: &Memory,
        operator: &str,
    ) -> Result<Self, RuntimeError> {
        let rows = columns.first().map_or(0, Vector::len);
        Self::with_rows(schema, columns, rows, memory, operator)
    }

    /// As [`Batch::new`], also for a table without columns.
    pub fn with_rows(
        schema: Schema,
        columns: Vec<Vector>,
        rows: usize,
        memory: &Memory,
        operator: &str,
    ) -> Result<Self, RuntimeError> {
        if schema.len() != columns.len() || columns.iter().any(|column| column.len() != rows) {
            return Err(RuntimeError::internal(format!(
                "`{operator}` made columns that do not fit its schema"
            )));
        }
        if u32::try_from(rows).is_err() {
            return Err(RuntimeError::new(
                crate::Code::MEMORY_LIMIT,
                format!(
                    "`{operator}` gives {rows} rows; a table holds at most {}",
                    u32::MAX
                ),
            ));
        }
        let columns = columns
            .into_iter()
            .map(|vector| hold(vector, memory, operator).map(Kept::Held))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            schema,
            columns,
            rows,
            ingestion: None,
            marks: None,
            memory: memory.clone(),
        })
    }

    /// No rows.
    pub fn empty(schema: Schema, memory: &Memory) -> Self {
        // Columns without rows are one, which holds nothing of the budget.
        let nothing = Arc::new(Held {
            vector: Vector::constant(Value::Null, 0),
            _reservation: None,
        });
        let columns = vec![Kept::Held(nothing); schema.len()];
        Self {
            schema,
            columns,
            rows: 0,
            ingestion: None,
            marks: None,
            memory: memory.clone(),
        }
    }

    /// A batch from rows of values, as tests and `datatable` write them. A row
    /// that is too short is filled up with nulls.
    pub fn from_rows(
        schema: Schema,
        rows: impl IntoIterator<Item = Vec<Value>>,
        memory: &Memory,
    ) -> Result<Self, RuntimeError> {
        let mut builder = BatchBuilder::new(schema, memory);
        for row in rows {
            builder.push(row);
        }
        builder.finish("datatable")
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Names and types of the columns.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The budget that this batch counts against.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// A column, if there is one at this place.
    pub fn column(&self, index: usize) -> Option<&Vector> {
        self.columns.get(index).map(|kept| &kept.held().vector)
    }

    /// The same rows of which some columns are not there yet: those of a table in
    /// these places of its schema, which is also this one.
    pub(crate) fn reading_later(
        mut self,
        table: &Arc<Late>,
        rows: &[u64],
        columns: &[usize],
    ) -> Result<Self, RuntimeError> {
        if rows.len() != self.rows {
            return Err(RuntimeError::internal(
                "rows lie in more or fewer places than there are",
            ));
        }
        let places = Places::of(table, rows, columns, &self.memory)?;
        for column in columns {
            if let Some(kept) = self.columns.get_mut(*column) {
                *kept = Kept::late(&places, *column);
            }
        }
        Ok(self)
    }

    /// The same rows with all columns there, as those of a result are to be. What
    /// could not be read before, when nobody could be told, is an error now.
    pub fn settled(self) -> Result<Self, RuntimeError> {
        let unread = self.columns.iter().filter_map(Kept::unread).collect::<Vec<_>>();
        for (number, first) in unread.iter().enumerate() {
            let together = |other: &&&Arc<Unread>| Arc::ptr_eq(&other.places, &first.places);
            if unread[..number].iter().any(|other| together(&other)) {
                continue;
            }
            let own = unread[number..].iter().filter(together).collect::<Vec<_>>();
            let columns = own.iter().map(|unread| unread.column).collect::<Vec<_>>();
            let read = first.places.read(&columns)?;
            for (unread, read) in own.iter().zip(&read.columns) {
                // It may have been read meanwhile.
                let _ = unread.read.set(Arc::clone(read.held()));
            }
        }
        self.memory.check()?;
        Ok(self)
    }

    /// One row; out of range gives a row of nulls.
    pub fn row(&self, index: usize) -> Row<'_> {
        Row { batch: self, index }
    }

    /// The rows in order.
    pub fn iter(&self) -> Rows<'_> {
        Rows { batch: self, next: 0 }
    }

    /// The value at a place; null outside the batch.
    pub fn value(&self, row: usize, column: usize) -> Value {
        self.column(column).map_or(Value::Null, |vector| vector.get(row))
    }

    /// Whether the batch knows when its rows were ingested.
    pub fn has_ingestion_time(&self) -> bool {
        self.ingestion.is_some()
    }

    /// The same rows with a column of ingestion times.
    pub fn with_ingestion_time(mut self, times: Vector) -> Result<Self, RuntimeError> {
        if times.len() == self.rows {
            self.ingestion = Some(hold(times, &self.memory, "read")?);
        }
        Ok(self)
    }

    /// The columns alone, as rows have them that are combined from others.
    #[must_use]
    pub(crate) fn alone(mut self) -> Self {
        self.ingestion = None;
        self.marks = None;
        self
    }

    /// The same rows with the ingestion times of the batch they were made from,
    /// row for row; what row-preserving operators end with.
    #[must_use]
    pub fn ingested_as(mut self, input: &Self) -> Self {
        if input.rows == self.rows {
            self.ingestion.clone_from(&input.ingestion);
            self.marks.clone_from(&input.marks);
        }
        self
    }

    /// The same rows, those marked that descend from an event that somebody
    /// follows through a query. Operators pass marks on: a row is marked that
    /// was made from a marked one. Nothing else depends on them.
    #[must_use]
    pub fn with_marks(mut self, marks: impl Into<Arc<[bool]>>) -> Self {
        let marks = marks.into();
        if marks.len() == self.rows {
            self.marks = Some(marks);
        }
        self
    }

    /// Which rows are marked; none where nobody follows an event, or an
    /// operator cannot say which of its rows an event has become.
    pub fn marks(&self) -> Option<&[bool]> {
        self.marks.as_deref()
    }

    /// Whether a row is marked.
    pub fn is_marked(&self, row: usize) -> bool {
        self.marks
            .as_ref()
            .is_some_and(|marks| marks.get(row) == Some(&true))
    }

    /// How many rows are marked.
    pub fn marked(&self) -> usize {
        self.marks
            .iter()
            .flat_map(|marks| marks.iter())
            .filter(|mark| **mark)
            .count()
    }

    /// The rows with the given numbers, in that order, repeats included.
    pub fn select(&self, rows: &[u32], operator: &str) -> Result<Self, RuntimeError> {
        if rows.iter().any(|row| *row as usize >= self.rows) {
            return Err(RuntimeError::internal(format!(
                "`{operator}` selected a row that does not exist"
            )));
        }
        let mut moved: Vec<(*const Places, Arc<Places>)> = Vec::new();
        let mut columns = Vec::with_capacity(self.columns.len());
        for kept in &self.columns {
            let Some(unread) = kept.unread() else {
                columns.push(Kept::Held(select(kept.held(), rows, &self.memory, operator)?));
                continue;
            };
            let from = Arc::as_ptr(&unread.places);
            let known = moved.iter().find(|(known, _)| *known == from);
            let places = match known {
                Some((_, places)) => Arc::clone(places),
                None => unread.places.select(rows, operator)?,
            };
            if known.is_none() {
                moved.push((from, Arc::clone(&places)));
            }
            columns.push(Kept::late(&places, unread.column));
        }
        let ingestion = self
            .ingestion
            .as_ref()
            .map(|held| select(held, rows, &self.memory, operator))
            .transpose()?;
        Ok(Self {
            schema: self.schema.clone(),
            columns,
            rows: rows.len(),
            ingestion,
            marks: self
                .marks
                .as_ref()
                .map(|marks| rows.iter().map(|row| marks[*row as usize]).collect()),
            memory: self.memory.clone(),
        })
    }

    /// The first rows.
    pub fn head(&self, rows: usize, operator: &str) -> Result<Self, RuntimeError> {
        if rows >= self.rows {
            return Ok(self.clone());
        }
        let rows = (0..u32::try_from(rows).unwrap_or(u32::MAX)).collect::<Vec<_>>();
        self.select(&rows, operator)
    }

    /// Batches of one schema, one after the other. The schema is the first's.
    pub fn concat(batches: &[Self], operator: &str) -> Result<Option<Self>, RuntimeError> {
        let Some(first) = batches.first() else {
            return Ok(None);
        };
        let full = batches
            .iter()
            .filter(|batch| !batch.is_empty())
            .collect::<Vec<_>>();
        if full.len() < 2 {
            return Ok(Some((*full.first().unwrap_or(&first)).clone()));
        }
        let rows = full.iter().map(|batch| batch.rows).sum();
        let mut columns = Vec::with_capacity(first.schema.len());
        let mut joined = Joined::default();
        for (index, column) in first.schema.columns().iter().enumerate() {
            if let Some(late) = joined.column(&full, index, operator)? {
                columns.push(late);
                continue;
            }
            // Columns that nobody reads are nothing throughout, and cost nothing.
            let nothing = full
                .iter()
                .all(|batch| batch.column(index).is_none_or(Vector::is_nothing));
            if nothing {
                let nothing = Vector::constant(null_of(column.ty), rows);
                columns.push(Kept::Held(hold(nothing, &first.memory, operator)?));
                continue;
            }
            let mut builder = Builder::new(column.ty, rows);
            for batch in &full {
                match batch.column(index) {
                    Some(vector) => builder.extend(vector),
                    None => builder.extend(&Vector::constant(Value::Null, batch.rows)),
                }
            }
            columns.push(Kept::Held(hold(builder.finish(), &first.memory, operator)?));
        }
        let mut batch = Self::with_rows(Schema::of(&[]), Vec::new(), rows, &first.memory, operator)?;
        batch.schema = first.schema.clone();
        batch.columns = columns;
        batch.marks = marks_of(full.iter().copied());
        if full.iter().all(|batch| batch.has_ingestion_time()) {
            let mut times = Builder::new(Type::DateTime, rows);
            full.iter()
                .filter_map(|batch| batch.ingestion.as_ref())
                .for_each(|held| times.extend(&held.vector));
            return batch.with_ingestion_time(times.finish()).map(Some);
        }
        Ok(Some(batch))
    }

    /// When each row was ingested, if that is known.
    pub fn ingestion_times(&self) -> Option<&Vector> {
        self.ingestion.as_ref().map(|held| &held.vector)
    }

    /// The columns at the given places under new names and types, shared.
    pub fn pick(&self, columns: &[(Column, usize)]) -> Result<Self, RuntimeError> {
        let schema = Schema::new(
            columns
                .iter()
                .map(|(column, _)| column.clone())
                .collect::<Vec<_>>(),
        );
        let columns = columns
            .iter()
            .map(|(column, index)| {
                self.columns.get(*index).cloned().ok_or_else(|| {
                    RuntimeError::internal(format!("the column `{}` is not in the input", column.name))
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            schema,
            columns,
            rows: self.rows,
            ingestion: self.ingestion.clone(),
            marks: self.marks.clone(),
            memory: self.memory.clone(),
        })
    }

    /// The columns at the given places under their own names, shared.
    pub fn columns_at(&self, places: &[usize]) -> Result<Self, RuntimeError> {
        let own = self.schema.columns();
        let named = places.iter().map(|place| {
            // A place that is not there is left to `pick`, whose error names what is missing.
            let nothing = || Column::new(place.to_string(), Type::Unknown);
            (own.get(*place).cloned().unwrap_or_else(nothing), *place)
        });
        self.pick(&named.collect::<Vec<_>>())
    }

    /// The same rows with more columns after the others.
    pub fn append(&self, added: Vec<(Column, Vector)>, operator: &str) -> Result<Self, RuntimeError> {
        let mut columns = self.columns.clone();
        let mut names = self.schema.columns().to_vec();
        for (column, vector) in added {
            if vector.len() != self.rows {
                return Err(RuntimeError::internal(format!(
                    "`{operator}` made a column of the wrong length"
                )));
            }
            names.push(column);
            columns.push(Kept::Held(hold(vector, &self.memory, operator)?));
        }
        let schema = if self.schema.is_open() {
            Schema::new(names).open()
        } else {
            Schema::new(names)
        };
        Ok(Self {
            schema,
            columns,
            rows: self.rows,
            ingestion: self.ingestion.clone(),
            marks: self.marks.clone(),
            memory: self.memory.clone(),
        })
    }

    /// The columns of another batch of as many rows after those of this one.
    pub fn beside(&self, other: &Self) -> Result<Self, RuntimeError> {
        if self.rows != other.rows {
            return Err(RuntimeError::internal(
                "tables of different lengths cannot stand side by side",
            ));
        }
        let mut columns = self.columns.clone();
        columns.extend(other.columns.iter().cloned());
        let names = self
            .schema
            .columns()
            .iter()
            .chain(other.schema.columns())
            .cloned()
            .collect::<Vec<_>>();
        Ok(Self {
            schema: Schema::new(names),
            columns,
            ..self.clone()
        })
    }

    /// The columns that a schema names, in its order and with its types; a
    /// column that is not there is null. For an open schema the other columns
    /// follow.
    pub fn conform(&self, schema: &Schema) -> Result<Self, RuntimeError> {
        let mut missing = Vec::new();
        let mut picked = Vec::with_capacity(schema.len());
        let own = self.schema.columns();
        for column in schema.columns() {
            let found = self.schema.index_of(&column.name);
            match found {
                Some(index) if own[index].ty == column.ty || column.ty == Type::Unknown => {
                    picked.push((
                        Column {
                            name: column.name.clone(),
                            ty: own[index].ty,
                        },
                        index,
                    ));
                }
                _ => {
                    let vector = match found {
                        Some(index) => {
                            let values = self.iter().map(|row| convert(&row.get(index), column.ty));
                            Vector::from_values(column.ty, values)
                        }
                        None => Vector::constant(null_of(column.ty), self.rows),
                    };
                    picked.push((column.clone(), own.len() + missing.len()));
                    missing.push((column.clone(), vector));
                }
            }
        }
        if schema.is_open() {
            for (index, column) in own.iter().enumerate() {
                if schema.index_of(&column.name).is_none() {
                    picked.push((column.clone(), index));
                }
            }
        }
        let batch = self.append(missing, "conform")?.pick(&picked)?;
        Ok(if schema.is_open() {
            Self {
                schema: batch.schema.clone().open(),
                ..batch
            }
        } else {
            batch
        })
    }

    /// The same columns under another schema of the same length: new names,
    /// or more exact types.
    pub fn renamed(&self, schema: Schema) -> Result<Self, RuntimeError> {
        if schema.len() != self.columns.len() {
            return Err(RuntimeError::internal(
                "a schema does not fit the columns it names",
            ));
        }
        Ok(Self {
            schema,
            ..self.clone()
        })
    }
}

impl<'a> IntoIterator for &'a Batch {
    type Item = Row<'a>;
    type IntoIter = Rows<'a>;

    fn into_iter(self) -> Rows<'a> {
        self.iter()
    }
}

/// The marks of batches one after the other; none when nobody has any.
pub(crate) fn marks_of<'a>(parts: impl Iterator<Item = &'a Batch> + Clone) -> Option<Arc<[bool]>> {
    parts.clone().any(|part| part.marks.is_some()).then(|| {
        parts
            .flat_map(|part| (0..part.rows).map(|row| part.is_marked(row)))
            .collect()
    })
}

/// Places of rows put together once for all columns that lie there.
#[derive(Default)]
struct Joined(Vec<(Vec<*const Places>, Arc<Places>)>);

impl Joined {
    /// A column of all batches, if nobody has looked at it in any.
    fn column(
        &mut self,
        batches: &[&Batch],
        index: usize,
        operator: &str,
    ) -> Result<Option<Kept>, RuntimeError> {
        let unread = batches.iter().map(|batch| batch.columns.get(index)?.unread());
        let Some(unread) = unread.collect::<Option<Vec<_>>>() else {
            return Ok(None);
        };
        let Some(first) = unread
            .first()
            .filter(|first| unread.iter().all(|other| other.column == first.column))
        else {
            return Ok(None);
        };
        let from = unread
            .iter()
            .map(|unread| Arc::as_ptr(&unread.places))
            .collect::<Vec<_>>();
        if let Some((_, places)) = self.0.iter().find(|(known, _)| *known == from) {
            return Ok(Some(Kept::late(places, first.column)));
        }
        let parts = unread.iter().map(|unread| &*unread.places).collect::<Vec<_>>();
        let places = Places::concat(&parts, operator)?;
        let column = Kept::late(&places, first.column);
        self.0.push((from, places));
        Ok(Some(column))
    }
}

/// What stands where a value of a type is missing: strings are never null.
pub(crate) fn null_of(ty: Type) -> Value {
    if ty == Type::String {
        Value::string("")
    } else {
        Value::Null
    }
}

fn hold(vector: Vector, memory: &Memory, operator: &str) -> Result<Arc<Held>, RuntimeError> {
    let reservation = memory.reserve(operator, vector.bytes())?;
    Ok(Arc::new(Held {
        vector,
        _reservation: Some(reservation),
    }))
}

fn select(held: &Held, rows: &[u32], memory: &Memory, operator: &str) -> Result<Arc<Held>, RuntimeError> {
    // Asked for before the copy is made, so that the limit holds even then.
    let reservation = memory.reserve(operator, held.vector.bytes_of(rows.len()))?;
    Ok(Arc::new(Held {
        vector: held.vector.select(rows),
        _reservation: Some(reservation),
    }))
}

/// One row of a batch: what predicates and expressions are given.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    batch: &'a Batch,
    index: usize,
}

impl<'a> Row<'a> {
    /// The number of the row in its batch.
    pub fn index(self) -> usize {
        self.index
    }

    /// The batch it is a row of.
    pub fn batch(self) -> &'a Batch {
        self.batch
    }

    /// The value of a column; null where there is no such column.
    pub fn get(self, column: usize) -> Value {
        self.batch.value(self.index, column)
    }

    /// Whether the value of a column is null.
    pub fn is_null(self, column: usize) -> bool {
        self.batch
            .column(column)
            .is_none_or(|vector| vector.is_null(self.index))
    }

    /// The text of a string column; empty for any other.
    pub fn str(self, column: usize) -> &'a str {
        self.batch
            .column(column)
            .map_or("", |vector| vector.str(self.index))
    }

    /// The value of a `bool` column.
    pub fn bool(self, column: usize) -> Option<bool> {
        self.batch.column(column)?.bool(self.index)
    }

    /// The value of an `int` or `long` column.
    pub fn long(self, column: usize) -> Option<i64> {
        self.batch.column(column)?.long(self.index)
    }

    /// The value of a `real` column.
    pub fn real(self, column: usize) -> Option<f64> {
        self.batch.column(column)?.real(self.index)
    }

    /// The 100 ns ticks of a `datetime` or `timespan` column.
    pub fn ticks(self, column: usize) -> Option<i64> {
        self.batch.column(column)?.ticks(self.index)
    }

    /// When the row was ingested; null where that is not known.
    pub fn ingestion_time(self) -> Value {
        self.batch
            .ingestion
            .as_ref()
            .map_or(Value::Null, |held| held.vector.get(self.index))
    }

    /// All values in order.
    pub fn values(self) -> Vec<Value> {
        (0..self.batch.schema.len())
            .map(|column| self.get(column))
            .collect()
    }
}

/// The rows of a batch in order.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    batch: &'a Batch,
    next: usize,
}

impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        let index = self.next;
        (index < self.batch.rows).then(|| {
            self.next += 1;
            Row {
                batch: self.batch,
                index,
            }
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.batch.rows - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Rows<'_> {}

/// Makes a batch row by row.
#[derive(Debug)]
pub struct BatchBuilder {
    schema: Schema,
    builders: Vec<Builder>,
    rows: usize,
    memory: Memory,
}

impl BatchBuilder {
    /// No rows yet.
    pub fn new(schema: Schema, memory: &Memory) -> Self {
        let builders = schema
            .columns()
            .iter()
            .map(|column| Builder::new(column.ty, 0))
            .collect();
        Self {
            schema,
            builders,
            rows: 0,
            memory: memory.clone(),
        }
    }

    /// Appends a row; missing values are null, extra ones are dropped.
    pub fn push(&mut self, row: impl IntoIterator<Item = Value>) {
        let mut values = row.into_iter();
        for builder in &mut self.builders {
            builder.push(values.next().unwrap_or_default());
        }
        self.rows += 1;
    }

    /// Number of rows so far.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The batch.
    pub fn finish(self, operator: &str) -> Result<Batch, RuntimeError> {
        let columns = self.builders.into_iter().map(Builder::finish).collect();
        Batch::with_rows(self.schema, columns, self.rows, &self.memory, operator)
    }
}
