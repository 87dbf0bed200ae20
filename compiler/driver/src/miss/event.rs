//! The event that is to be explained, as the command line gives it.

use std::{collections::BTreeMap, path::Path};

use rulec_ir::Query;
use rulec_runtime::{Memory, Schema, TableRequest, Tables as _, files::Files, write};
use serde_json::{Map, Value};

/// One event and its table.
#[derive(Clone, Debug)]
pub struct Event {
    /// The table.
    pub table: String,
    /// Its columns.
    pub row: Map<String, Value>,
}

impl Event {
    /// The event that `text` says: a JSON object, `@FILE` or a path to one,
    /// each perhaps after `TABLE=`, or `TABLE:N`, the N-th event of a table of
    /// the data. Without a table it is the one of the query's tables that has
    /// the event's columns.
    pub fn parse(text: &str, query: &Query, data: &Files) -> Result<Self, String> {
        let text = text.trim();
        if let Some((table, number)) = text.rsplit_once(':')
            && query.tables.iter().any(|known| known.name == table)
            && let Ok(number) = number.parse::<usize>()
        {
            return Self::numbered(table, number, data);
        }
        let (table, given) = match text.split_once('=') {
            Some((table, rest)) if query.tables.iter().any(|known| known.name == table) => {
                (Some(table), rest)
            }
            _ => (None, text),
        };
        let read;
        let object = if given.starts_with('{') {
            given
        } else {
            let path = given.strip_prefix('@').unwrap_or(given);
            if !given.starts_with('@') && !Path::new(path).exists() {
                return Err(format!(
                    "`{text}` is not an event: give a JSON object, @FILE, or TABLE:N for the N-th event of a table of the data that the rule reads ({})",
                    names(query)
                ));
            }
            read = std::fs::read_to_string(path).map_err(|e| format!("{path} cannot be read: {e}"))?;
            read.as_str()
        };
        let row = match serde_json::Deserializer::from_str(object).into_iter().next() {
            Some(Ok(Value::Object(row))) => row,
            Some(Ok(_)) | None => return Err("the event is not a JSON object".to_owned()),
            Some(Err(e)) => return Err(format!("the event is not JSON: {e}")),
        };
        let table = match table {
            Some(table) => table.to_owned(),
            None => guess(&row, query)?,
        };
        Ok(Self { table, row })
    }

    /// The event as a line of NDJSON.
    pub(super) fn line(&self) -> String {
        Value::Object(self.row.clone()).to_string()
    }

    /// The n-th event of a table, counted from 1 over its files in order.
    fn numbered(table: &str, number: usize, data: &Files) -> Result<Self, String> {
        let memory = Memory::default();
        let rows = data
            .table(&TableRequest {
                name: table,
                schema: &Schema::of(&[]).open(),
                needed: None,
                memory: &memory,
                wanted: None,
            })
            .map_err(|e| e.message)?;
        let wanted = number.checked_sub(1).filter(|row| *row < rows.rows());
        let Some(row) = wanted else {
            return Err(format!(
                "`{table}:{number}` is not there: the data has {} events of {table}, counted from 1",
                rows.rows()
            ));
        };
        let columns = rows.schema().columns().iter().zip(rows.row(row).values());
        let row = columns
            .filter(|(_, value)| !value.is_null())
            .map(|(column, value)| {
                let value = serde_json::from_str(&write::json(&value)).unwrap_or_default();
                (column.name.to_string(), value)
            })
            .collect();
        Ok(Self {
            table: table.to_owned(),
            row,
        })
    }
}

/// The table of a query that has most of an event's columns; the columns that
/// are in all of them decide nothing.
fn guess(row: &Map<String, Value>, query: &Query) -> Result<String, String> {
    if let [table] = &query.tables[..] {
        return Ok(table.name.clone());
    }
    // Log Analytics exports say it themselves.
    if let Some(named) = row.get("Type").and_then(Value::as_str)
        && query.tables.iter().any(|table| table.name == named)
    {
        return Ok(named.to_owned());
    }
    let mut columns: BTreeMap<&str, usize> = BTreeMap::new();
    rulec_ir::walk::query(query, &mut |node| {
        if let rulec_ir::walk::Node::Rel(rel) = node
            && let rulec_ir::RelKind::Table { name } = &rel.kind
        {
            let known = rel
                .columns
                .iter()
                .filter(|column| row.contains_key(&*column.name));
            columns.insert(name, known.count());
        }
    });
    let most = columns.values().max().copied().unwrap_or(0);
    let best: Vec<&str> = columns
        .iter()
        .filter(|(_, known)| **known == most)
        .map(|(name, _)| *name)
        .collect();
    match best[..] {
        [table] => Ok(table.to_owned()),
        _ => Err(format!(
            "which table is the event of? say TABLE=EVENT; the rule reads {}",
            names(query)
        )),
    }
}

fn names(query: &Query) -> String {
    let names: Vec<&str> = query.tables.iter().map(|table| table.name.as_str()).collect();
    if names.is_empty() {
        return "no table".to_owned();
    }
    names.join(", ")
}
