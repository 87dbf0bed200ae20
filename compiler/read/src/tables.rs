//! The tables of a document: ATT&CK tags, data sources, version history.
//!
//! In: tables as cells. Out: rows of the rule. A table is what its columns
//! say it is; the heading above only helps to understand misspelled ones. A
//! table of which something could not be read stays in the prose as well.

use rulec_model::{AttackTag, DataSource, VersionEntry};
use rulec_source::{Diagnostic, Span};

use crate::attack::{self, Ids};
use crate::codes;
use crate::lines::Scope;
use crate::metadata::is_nothing;
use crate::outline::plain;
use crate::reader::Reader;
use crate::table::{self, Row, Table};
use crate::words;

/// A table with more columns is none of ours.
const WIDEST: usize = 40;

/// A table whose columns are known.
struct Known {
    kind: String,
    columns: Vec<Option<String>>,
    /// Headers that were misspelled: column, what was meant.
    corrected: Vec<(usize, &'static str)>,
}

/// A cell: its text without markup, and its place.
#[derive(Clone, Debug, Default)]
struct Cell {
    text: String,
    span: Span,
}

impl Reader<'_> {
    pub(crate) fn read_tables(&mut self) {
        for part in 0..self.parts.len() {
            if self.parts[part].scope == Scope::Prose {
                continue;
            }
            let range = self.parts[part].lines.clone();
            let spans = &self.lines.spans[range.clone()];
            let tables = table::find(self.text, spans, |i| self.is_text(range.start + i));
            for table in tables {
                self.read_table(part, &table, range.start);
            }
        }
    }

    fn read_table(&mut self, part: usize, table: &Table, offset: usize) {
        let headers: Vec<String> = table.header.iter().map(|h| plain(h.of(self.text))).collect();
        if headers.len() > WIDEST {
            return;
        }
        let Some(known) = self.understand(part, &headers) else {
            return;
        };
        // One familiar header does not make a table of ours, unless the heading says so.
        let familiar = known.columns.iter().flatten().count();
        if familiar < 2 && self.parts[part].key.as_deref() != Some(known.kind.as_str()) {
            return;
        }
        for (i, meant) in &known.corrected {
            self.report(
                Diagnostic::new(
                    codes::CLOSE_COLUMN,
                    format!(
                        "`{}` is not a column of this table; it is read as `{meant}`",
                        headers[*i]
                    ),
                )
                .at(table.header[*i])
                .help(format!("did you mean `{meant}`?"))
                .fix(format!("write `{meant}`"), table.header[*i], *meant),
            );
        }
        self.report_shape(table);
        let mut complete = self.report_strangers(table, &headers, &known);
        for row in &table.rows {
            let cells = self.cells(table, row, &known);
            if cells.iter().all(|c| c.text.is_empty()) {
                continue;
            }
            complete &= match known.kind.as_str() {
                "attack_tags" => self.attack_row(row, &known, &cells),
                "data_sources" => self.source_row(row, &known, &cells),
                _ => self.version_row(row, &known, &cells),
            };
        }
        let lines = offset + table.first..offset + table.end;
        if complete {
            self.lines.consume(lines);
        } else {
            self.lines.keep(lines);
        }
    }

    /// What a table holds, by its headers; misspelled ones are read as those they are nearest to.
    fn understand(&self, part: usize, headers: &[String]) -> Option<Known> {
        let plain: Vec<&str> = headers.iter().map(String::as_str).collect();
        let exact = self.aliases.table(&plain);
        let strangers = |columns: &[Option<&str>]| {
            let empty = plain.iter().filter(|h| h.is_empty()).count();
            columns.iter().filter(|c| c.is_none()).count() - empty
        };
        if let Some((kind, columns)) = exact.as_ref().filter(|(_, columns)| strangers(columns) == 0) {
            return Some(Known {
                kind: (*kind).to_owned(),
                columns: columns.iter().map(|c| c.map(str::to_owned)).collect(),
                corrected: Vec::new(),
            });
        }
        let by_heading = self.parts[part].key.as_deref();
        let kinds: Vec<&str> = match (&exact, by_heading) {
            (Some((kind, _)), _) => vec![kind],
            (None, Some(key)) if words::COLUMNS.iter().any(|(kind, _)| *kind == key) => vec![key],
            (None, _) => words::COLUMNS.iter().map(|(kind, _)| *kind).collect(),
        };
        for kind in kinds {
            let known_here = |i: usize| match &exact {
                Some((_, columns)) => columns[i].is_some(),
                None => false,
            };
            let mut corrected = Vec::new();
            let mut meant = plain.clone();
            for i in 0..plain.len() {
                let found = (!known_here(i)).then(|| words::column(kind, plain[i])).flatten();
                if let Some(column) = found.filter(|c| *c != plain[i] && !meant.contains(c)) {
                    meant[i] = column;
                    corrected.push((i, column));
                }
            }
            let found = self.aliases.table(&meant).filter(|(found, _)| *found == kind);
            if let Some((_, columns)) = found {
                return Some(Known {
                    kind: kind.to_owned(),
                    columns: columns.iter().map(|c| c.map(str::to_owned)).collect(),
                    corrected,
                });
            }
        }
        None
    }

    fn report_shape(&mut self, table: &Table) {
        let header = table.header.first().copied().unwrap_or_default();
        let header = table.header.last().map_or(header, |last| header.to(*last));
        match table.delimiters {
            None => self.report(
                Diagnostic::new(
                    codes::TABLE_SHAPE,
                    "the table has no line of dashes below its header",
                )
                .at(header)
                .help(
                    "write `|---|` for each column below the header, or other readers will not see a table",
                ),
            ),
            Some(n) if n != table.header.len() => self.report(
                Diagnostic::new(
                    codes::TABLE_SHAPE,
                    format!(
                        "the line of dashes has {n} columns and the header {}",
                        table.header.len()
                    ),
                )
                .at(header)
                .help("give both the same number of columns, or other readers will not see a table"),
            ),
            Some(_) => {}
        }
    }

    /// Names columns nobody knows. False when one of them has content.
    fn report_strangers(&mut self, table: &Table, headers: &[String], known: &Known) -> bool {
        let mut complete = true;
        for (i, column) in known.columns.iter().enumerate() {
            let filled = || {
                let cells = table.rows.iter().filter_map(|row| row.cells.get(i));
                cells.clone().any(|cell| !is_nothing(cell.of(self.text)))
            };
            if column.is_some() || !filled() {
                continue;
            }
            complete = false;
            let names: Vec<&str> = words::COLUMNS
                .iter()
                .find(|(kind, _)| *kind == known.kind)
                .map(|(_, columns)| columns.to_vec())
                .unwrap_or_default();
            let message = if headers[i].is_empty() {
                "a column of the table has no header".to_owned()
            } else {
                format!("the table has a column `{}` that is not known", headers[i])
            };
            let place = if headers[i].is_empty() {
                table.header.iter().copied().reduce(Span::to).unwrap_or_default()
            } else {
                table.header[i]
            };
            self.report(
                Diagnostic::new(codes::UNKNOWN_COLUMN, message)
                    .at(place)
                    .note("the table is also kept as it stands")
                    .help(format!("known columns are {}", names.join(", "))),
            );
        }
        complete
    }

    /// The cells of a row by column, one for each header. What is too much
    /// goes into the last: usually a pipe in its text was not escaped.
    fn cells(&mut self, table: &Table, row: &Row, known: &Known) -> Vec<Cell> {
        let mut cells: Vec<Cell> = row
            .cells
            .iter()
            .map(|span| {
                let text = plain(&span.of(self.text).replace("\\|", "|"));
                Cell {
                    // Blanks in a cell are layout.
                    text: text.split_whitespace().collect::<Vec<_>>().join(" "),
                    span: *span,
                }
            })
            .collect();
        let width = known.columns.len();
        if cells.len() > width {
            let extra = cells.split_off(width);
            if extra.iter().any(|c| !c.text.is_empty()) {
                let place = extra.iter().map(|c| c.span).reduce(Span::to).unwrap_or_default();
                self.report(
                    Diagnostic::new(
                        codes::TABLE_SHAPE,
                        format!("the row has {} cells and the header {width}", row.cells.len()),
                    )
                    .label(place, "read as part of the cell before")
                    .help("write `\\|` for a pipe within a cell"),
                );
                if let Some(last) = cells.last_mut() {
                    for cell in &extra {
                        last.text = format!("{} | {}", last.text, cell.text);
                        last.span = last.span.to(cell.span);
                    }
                }
            }
        } else if cells.len() < width && table.delimiters.is_some() {
            // A trailing empty cell is often left out with its pipe.
            let missing_field = known.columns[cells.len()..]
                .iter()
                .flatten()
                .any(|column| !matches!(column.as_str(), "notes" | "link" | "name" | "attack_component"));
            if missing_field {
                self.report(
                    Diagnostic::new(
                        codes::TABLE_SHAPE,
                        format!("the row has {} cells and the header {width}", cells.len()),
                    )
                    .at(row.span)
                    .note("the missing cells are read as empty ones at its end"),
                );
            }
        }
        cells
    }

    fn attack_row(&mut self, row: &Row, known: &Known, cells: &[Cell]) -> bool {
        let cell = |name: &str| by_name(known, cells, name);
        if known.columns.iter().any(|c| c.as_deref() == Some("covered")) {
            return self.covered_row(row, &cell);
        }
        let index = self.rule.attack.len();
        let mut tag = AttackTag::default();
        let mut places = Vec::new();
        let mut complete = true;
        let tactic = cell("tactic");
        // An empty cell has a place too: it is where a repair writes.
        places.extend(tactic.map(|tactic| ("tactic", tactic.span)));
        if let Some(tactic) = tactic.filter(|c| !is_nothing(&c.text)) {
            let (id, name) = attack::tactic(&tactic.text);
            let almost = id.is_none() && attack::almost_tactic(&tactic.text);
            if almost {
                self.warn(
                    codes::ATTACK_TAG,
                    tactic.span,
                    format!(
                        "`{}` does not begin with the id of a tactic such as TA0005",
                        tactic.text
                    ),
                );
            }
            let name = if almost {
                attack::name_behind(&tactic.text)
            } else {
                name
            };
            complete &= !almost;
            tag.tactic_id = id;
            tag.tactic = name;
        }
        let written = cell("technique_id").or_else(|| cell("technique"));
        places.extend(written.map(|written| ("technique", written.span)));
        let written = written.cloned().unwrap_or_default();
        let ids = Ids::of(&written.text);
        let in_column = cell("subtechnique");
        places.extend(in_column.map(|sub| ("subtechnique", sub.span)));
        let sub = in_column.cloned().unwrap_or_default();
        if let Some((technique, subtechnique)) = ids.techniques.first() {
            tag.technique = Some(technique.clone());
            tag.subtechnique.clone_from(subtechnique);
            complete &= ids.techniques.len() == 1 || sub.text.is_empty();
            if let Some((short, digits)) = ids.short_sub(&written.text) {
                let id = format!("{technique}.{digits}");
                let written_id = format!("{technique}.{short}");
                let mut diagnostic = Diagnostic::new(
                    codes::ATTACK_TAG,
                    format!("`{written_id}` is read as {id}: a sub-technique has three digits"),
                )
                .at(written.span)
                .help(format!("write {id}"));
                if written.span.of(self.text).eq_ignore_ascii_case(&written_id) {
                    diagnostic = diagnostic.fix(format!("write {id}"), written.span, id);
                }
                self.report(diagnostic);
                tag.subtechnique = Some(digits);
            }
        } else if let Some((technique, _)) = Ids::of(&sub.text).techniques.first()
            && is_nothing(&written.text)
        {
            self.warn(
                codes::ATTACK_TAG,
                sub.span,
                format!(
                    "`{}` stands in the column of the sub-technique's number, and the technique's is empty",
                    sub.text
                ),
            );
            tag.technique = Some(technique.clone());
        } else if !is_nothing(&written.text) {
            self.report(
                Diagnostic::new(
                    codes::ATTACK_TAG,
                    format!("`{}` is not the id of a technique", written.text),
                )
                .at(written.span)
                .help("write T and four digits, such as T1055; the name goes into its own column"),
            );
            complete = false;
        }
        if let Some((digits, exact)) = attack::subtechnique(&sub.text) {
            if !exact {
                let message = format!(
                    "the sub-technique `{}` is read as {digits}: it has three digits",
                    sub.text
                );
                self.report(Diagnostic::new(codes::ATTACK_TAG, message).at(sub.span).fix(
                    format!("write {digits}"),
                    sub.span,
                    digits.clone(),
                ));
            }
            tag.subtechnique = Some(digits);
        } else if !is_nothing(&sub.text) {
            self.report(
                Diagnostic::new(
                    codes::ATTACK_TAG,
                    format!("`{}` is not the number of a sub-technique", sub.text),
                )
                .at(sub.span)
                .help("write three digits, such as 002, or leave the cell empty"),
            );
            complete = false;
        }
        if let Some(name) = cell("name").filter(|c| !is_nothing(&c.text)) {
            tag.name = Some(name.text.clone());
            places.push(("name", name.span));
        }
        if tag == AttackTag::default() {
            return complete;
        }
        let further: Vec<AttackTag> = ids
            .techniques
            .iter()
            .skip(1)
            .map(|(technique, subtechnique)| AttackTag {
                technique: Some(technique.clone()),
                subtechnique: subtechnique.clone(),
                name: None,
                ..tag.clone()
            })
            .collect();
        self.place(format!("/attack/{index}"), row.span);
        for (field, span) in places {
            self.place(format!("/attack/{index}/{field}"), span);
        }
        self.rule.attack.push(tag);
        for tag in further {
            self.place(format!("/attack/{}", self.rule.attack.len()), row.span);
            self.rule.attack.push(tag);
        }
        complete
    }

    /// A row of the checklist of tactics. Rows that are no tactics (`Malware`)
    /// stay in the prose when they are ticked.
    fn covered_row<'c>(&mut self, row: &Row, cell: &impl Fn(&str) -> Option<&'c Cell>) -> bool {
        let ticked = cell("covered").is_some_and(|c| {
            let text = c.text.to_lowercase();
            !is_nothing(&text) && !matches!(text.as_str(), "no" | "n" | "false" | "x (no)")
        });
        let notes = cell("notes").map(|c| c.text.clone()).unwrap_or_default();
        if !ticked {
            return notes.is_empty();
        }
        let Some(tactic) = cell("tactic") else {
            return false;
        };
        let (id, name) = attack::tactic(&tactic.text);
        let known = id.is_some() || attack::is_tactic(&tactic.text);
        let ids = Ids::of(&format!("{} {notes}", tactic.text));
        if !known && ids.techniques.is_empty() {
            return false;
        }
        let tag = AttackTag {
            tactic_id: id,
            tactic: name.filter(|_| known),
            ..AttackTag::default()
        };
        let tags: Vec<AttackTag> = if ids.techniques.is_empty() {
            vec![tag]
        } else {
            ids.techniques
                .iter()
                .map(|(technique, subtechnique)| AttackTag {
                    technique: Some(technique.clone()),
                    subtechnique: subtechnique.clone(),
                    ..tag.clone()
                })
                .collect()
        };
        for tag in tags {
            self.place(format!("/attack/{}", self.rule.attack.len()), row.span);
            self.rule.attack.push(tag);
        }
        notes.is_empty()
    }

    fn source_row(&mut self, row: &Row, known: &Known, cells: &[Cell]) -> bool {
        let index = self.rule.data_sources.len();
        let mut places = Vec::new();
        let mut field = |name: &'static str| {
            let cell = by_name(known, cells, name).filter(|c| !is_nothing(&c.text))?;
            places.push((name, cell.span));
            Some(cell.text.clone())
        };
        let source = DataSource {
            provider: field("provider"),
            table: field("table"),
            table_from_query: false,
            event: field("event"),
            event_name: field("event_name"),
            attack_source: field("attack_source"),
            attack_component: field("attack_component"),
        };
        if source == DataSource::default() {
            return true;
        }
        self.place(format!("/data_sources/{index}"), row.span);
        for (name, span) in places {
            self.place(format!("/data_sources/{index}/{name}"), span);
        }
        self.rule.data_sources.push(source);
        true
    }

    fn version_row(&mut self, row: &Row, known: &Known, cells: &[Cell]) -> bool {
        let index = self.rule.versions.len();
        let text = |name: &str| {
            by_name(known, cells, name)
                .map(|c| c.text.clone())
                .filter(|text| !text.is_empty())
        };
        let Some(version) = text("version") else {
            self.warn(
                codes::VERSION_ROW,
                row.span,
                "a row of the version history has no version",
            );
            return false;
        };
        let entry = VersionEntry {
            version,
            date: text("date"),
            impact: text("impact"),
            notes: text("notes").unwrap_or_default(),
        };
        self.place(format!("/versions/{index}"), row.span);
        for name in ["version", "date", "impact", "notes"] {
            if let Some(cell) = by_name(known, cells, name).filter(|c| !c.text.is_empty()) {
                self.place(format!("/versions/{index}/{name}"), cell.span);
            }
        }
        self.rule.versions.push(entry);
        true
    }
}

fn by_name<'c>(known: &Known, cells: &'c [Cell], name: &str) -> Option<&'c Cell> {
    let i = known.columns.iter().position(|c| c.as_deref() == Some(name))?;
    cells.get(i)
}
