//! The compact table files: `schema/tables/{m365,sentinel,docs}.txt`.
//!
//! Comment lines starting with `#`, then one line a table, sorted by name
//! (by bytes): the name, then its columns in order, separated by one blank.
//! A column is `name:type`, or just `name` where the type is string:
//!
//! ```text
//! AlertInfo Timestamp:datetime AlertId Title Category Severity
//! ```

use rulec_functions::Type;

use super::TableSchema;
use crate::pack::Text;
use crate::{FactsError, Pack};

/// One file; lines are looked at when they are asked for.
#[derive(Clone, Debug)]
pub(super) struct Compact {
    text: Text,
    /// Where the comment lines at the top end.
    start: usize,
}

impl Compact {
    /// Takes the file. One that a repository replaced is checked as a whole;
    /// the embedded ones are checked by the tests.
    pub(super) fn load(pack: &Pack, path: &str) -> Result<Compact, FactsError> {
        let text = pack.shared(path)?;
        let body = text.as_str();
        let start = body
            .split_inclusive('\n')
            .take_while(|line| line.starts_with('#'))
            .map(str::len)
            .sum();
        let file = Compact { text, start };
        if matches!(file.text, Text::Given(_)) {
            file.verify(path)?;
        }
        Ok(file)
    }

    /// Checks that every line can be read and that lines are in order.
    pub(super) fn verify(&self, path: &str) -> Result<(), FactsError> {
        let comments = self.text.as_str()[..self.start].lines().count();
        let mut before = "";
        for (place, line) in self.body().lines().enumerate() {
            let at = |message: String| FactsError::at(path, comments + place + 1, message);
            let name = name_of(line);
            if name.is_empty() {
                return Err(at("a line has to start with a table name".to_owned()));
            }
            if name <= before {
                return Err(at(format!(
                    "'{name}' has to stand before '{before}': lines are sorted by name"
                )));
            }
            before = name;
            for column in line.split(' ').skip(1) {
                let (column, kind) = column.split_once(':').unwrap_or((column, "string"));
                if column.is_empty() {
                    return Err(at("columns are separated by exactly one blank".to_owned()));
                }
                if Type::parse(kind).is_none() {
                    return Err(at(format!("column '{column}' has the unknown type '{kind}'")));
                }
            }
        }
        Ok(())
    }

    fn body(&self) -> &str {
        self.text.as_str().get(self.start..).unwrap_or_default()
    }

    /// The table called `name`, by binary search over the lines.
    pub(super) fn get(&self, name: &str) -> Option<TableSchema> {
        let body = self.body();
        let bytes = body.as_bytes();
        let (mut low, mut high) = (0, bytes.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let start = bytes[low..middle]
                .iter()
                .rposition(|b| *b == b'\n')
                .map_or(low, |at| low + at + 1);
            let end = bytes[middle..high]
                .iter()
                .position(|b| *b == b'\n')
                .map_or(high, |at| middle + at);
            // Line breaks are character boundaries, so this is never None.
            let line = body.get(start..end)?;
            match name_of(line).cmp(name) {
                std::cmp::Ordering::Less => low = end + 1,
                std::cmp::Ordering::Greater => high = start,
                std::cmp::Ordering::Equal => return Some(schema(line)),
            }
        }
        None
    }

    /// The names of all tables, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.body().lines().map(name_of)
    }
}

fn name_of(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

fn schema(line: &str) -> TableSchema {
    let columns = line
        .trim_end_matches('\r')
        .split(' ')
        .skip(1)
        .map(|column| match column.split_once(':') {
            None => (column.to_owned(), Type::String),
            Some((column, kind)) => (column.to_owned(), Type::parse(kind).unwrap_or(Type::Unknown)),
        })
        .collect();
    TableSchema {
        name: name_of(line).to_owned(),
        columns,
        open: false,
    }
}
