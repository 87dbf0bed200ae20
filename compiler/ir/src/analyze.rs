//! What can be said about a query without running it: the columns it gives,
//! what it reads and calls, and what is wrong with it.
//!
//! In: a text and a catalog. Out: plain data in the shape of the answers of
//! `rulec analyze --ndjson`.

use foldhash::{HashSet, HashSetExt as _};
use rulec_functions::Type;
use rulec_source::Diagnostic;
use serde::Serialize;

use crate::bind::bind;
use crate::{Catalog, codes};

/// The answer to "what is this query?".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Analysis {
    /// Errors of the parser.
    pub syntax_errors: Vec<Finding>,
    /// Errors of the binder. A table that is not in the catalog is one of
    /// them unless the catalog is open.
    pub semantic_errors: Vec<Finding>,
    /// The columns of the result; none when the query does not give a table.
    /// Of an open result those that are known.
    pub result_columns: Option<Vec<ResultColumn>>,
    /// Tables of the catalog that the query reads, in order of first mention.
    pub tables: Vec<String>,
    /// Functions the query calls, its own included, in order of first mention.
    pub functions: Vec<String>,
    /// Every tabular operator by canonical name, in the order of the text.
    pub operators: Vec<String>,
}

/// An error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `RK201`.
    pub code: &'static str,
    /// A sentence.
    pub message: String,
    /// Where it begins, in UTF-16 code units, as editors count.
    pub start: usize,
    /// How long it is, in the same unit.
    pub length: usize,
}

/// A column of the result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResultColumn {
    /// Its name.
    pub name: String,
    /// Its type, by canonical name; `unknown` for columns of unknown tables.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// Parses and binds a text.
pub fn analyze(text: &str, catalog: &Catalog) -> Analysis {
    let parsed = rulec_kql::parse(text);
    analyze_parsed(text, &parsed, catalog)
}

/// Binds what was parsed from `text`.
pub fn analyze_parsed(text: &str, parsed: &rulec_kql::Parsed, catalog: &Catalog) -> Analysis {
    let binder = bind(&parsed.query, catalog);
    let mut functions: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    for (name, _) in binder.called.values() {
        if seen.insert(name.as_str()) {
            functions.push(name.clone());
        }
    }
    let mut tables = binder.mentioned_tables.clone();
    for table in binder.tables.iter().filter(|t| t.known) {
        if !tables.contains(&table.name) {
            tables.push(table.name.clone());
        }
    }
    let result_columns = binder
        .result_columns()
        .filter(|_| binder.gives_table())
        .map(|columns| {
            columns
                .iter()
                .map(|c| ResultColumn {
                    name: c.name.to_string(),
                    kind: type_name(c.ty),
                })
                .collect()
        });
    let operators = rulec_kql::walk::operators(&parsed.query);
    let lowered = binder.finish(operators.clone());
    let units = Units::new(text);
    Analysis {
        syntax_errors: units.findings(&parsed.diagnostics),
        semantic_errors: units.findings(&lowered.diagnostics),
        result_columns,
        tables,
        functions,
        operators: owned(operators),
    }
}

fn owned(names: Vec<&'static str>) -> Vec<String> {
    names.into_iter().map(str::to_owned).collect()
}

/// What the text alone says, without a catalog: errors of the parser, and the
/// functions and operators that are written.
pub fn syntax(text: &str) -> Analysis {
    let parsed = rulec_kql::parse(text);
    Analysis {
        syntax_errors: Units::new(text).findings(&parsed.diagnostics),
        functions: rulec_kql::walk::functions(&parsed.query),
        operators: owned(rulec_kql::walk::operators(&parsed.query)),
        ..Analysis::default()
    }
}

fn type_name(ty: Type) -> &'static str {
    ty.name()
}

/// Bytes to UTF-16 code units.
struct Units<'t> {
    text: &'t str,
    ascii: bool,
    /// For every [`BLOCK`] bytes of a text beyond ASCII, where a character
    /// begins and the units before it: a place is then found by counting
    /// within one block.
    before: Vec<(usize, usize)>,
}

/// Bytes of a text between two places whose units are known.
const BLOCK: usize = 1024;

impl<'t> Units<'t> {
    fn new(text: &'t str) -> Self {
        let ascii = text.is_ascii();
        let mut before = Vec::new();
        if !ascii {
            let mut units = 0;
            for (at, c) in text.char_indices() {
                if at >= before.len() * BLOCK {
                    before.push((at, units));
                }
                units += c.len_utf16();
            }
        }
        Self { text, ascii, before }
    }

    /// The errors among diagnostics; a table that is not known counts as one.
    fn findings(&self, diagnostics: &[Diagnostic]) -> Vec<Finding> {
        diagnostics
            .iter()
            .filter(|d| d.is_error() || d.code.id == codes::UNKNOWN_TABLE.id)
            .map(|d| {
                let span = d.span().unwrap_or_default();
                let start = self.at(span.start as usize);
                Finding {
                    code: d.code.id,
                    message: d.message.clone(),
                    start,
                    length: self.at(span.end as usize) - start,
                }
            })
            .collect()
    }

    fn at(&self, byte: usize) -> usize {
        if self.ascii {
            return byte;
        }
        let block = (byte / BLOCK).min(self.before.len().saturating_sub(1));
        let (start, units) = self.before.get(block).copied().unwrap_or_default();
        let rest = self.text.get(start..).unwrap_or_default();
        let within = rest.char_indices().take_while(|(at, _)| start + at < byte);
        units + within.map(|(_, c)| c.len_utf16()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_utf16_units() {
        let text = "aé日😀\n".repeat(400);
        let units = Units::new(&text);
        for (at, _) in text.char_indices().chain([(text.len(), ' ')]) {
            assert_eq!(units.at(at), text[..at].encode_utf16().count(), "{at}");
        }
    }
}
