//! Alerts: what a rule's rows become, and how they are written.
//!
//! In: what is known of a rule, and the rows of its query. Out: NDJSON, a
//! table or CSV, the same bytes on every run.

use std::borrow::Cow;
use std::io::{self, Write};

use rulec_functions::{Value, json, text};

use crate::batch::{Batch, Row};
use crate::write;

/// What an alert says of its rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleInfo {
    /// The rule's identifier.
    pub id: Cow<'static, str>,
    /// Its title.
    pub title: Cow<'static, str>,
    /// `informational`, `low`, `medium`, `high`.
    pub severity: Cow<'static, str>,
    /// Which columns say who or what is concerned.
    pub entities: Vec<EntityMapping>,
    /// The document of the rule, and the line in it of the predicate that
    /// decides whether it fires.
    pub place: Option<(Cow<'static, str>, u32)>,
}

impl RuleInfo {
    /// A rule, as emitted packages write it; entities are added with
    /// [`RuleInfo::entity`].
    pub fn new(
        id: impl Into<Cow<'static, str>>,
        title: impl Into<Cow<'static, str>>,
        severity: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            severity: severity.into(),
            entities: Vec::new(),
            place: None,
        }
    }

    /// The document, and the line in it, from 1, of the predicate that decides.
    #[must_use]
    pub fn at(mut self, document: impl Into<Cow<'static, str>>, line: u32) -> Self {
        self.place = Some((document.into(), line));
        self
    }

    /// Adds an entity: its kind, and pairs of an identifier and a column.
    #[must_use]
    pub fn entity(
        mut self,
        kind: impl Into<Cow<'static, str>>,
        fields: &[(&'static str, &'static str)],
    ) -> Self {
        self.entities.push(EntityMapping {
            kind: kind.into(),
            fields: fields
                .iter()
                .map(|(id, column)| (Cow::from(*id), Cow::from(*column)))
                .collect(),
        });
        self
    }
}

/// Which columns identify one entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityMapping {
    /// `Account`, `Host`, `Process`, …
    pub kind: Cow<'static, str>,
    /// An identifier of that kind (`FullName`) and the column that holds it.
    pub fields: Vec<(Cow<'static, str>, Cow<'static, str>)>,
}

/// One row that a rule put out.
#[derive(Clone, Debug)]
pub struct Alert {
    /// The rule's identifier.
    pub rule: String,
    /// Its title.
    pub title: String,
    /// Its severity.
    pub severity: String,
    /// The row's `Timestamp` or `TimeGenerated`, in ticks.
    pub time: Option<i64>,
    /// The rule's document, and the line of the predicate that decides.
    pub place: Option<(String, u32)>,
    /// The kinds of entities and their identifiers, as far as the row has them.
    pub entities: Vec<(String, Vec<(String, Value)>)>,
    /// The columns of the row by name.
    pub row: Vec<(String, Value)>,
}

/// An alert for each row of a rule's result, in its order.
pub fn alerts(rule: &RuleInfo, result: &Batch) -> Vec<Alert> {
    result.iter().map(|row| alert(rule, row)).collect()
}

fn alert(rule: &RuleInfo, row: Row<'_>) -> Alert {
    let schema = row.batch().schema();
    let value = |name: &str| schema.index_of(name).map(|index| row.get(index));
    let time = ["Timestamp", "TimeGenerated"]
        .iter()
        .find_map(|name| match value(name) {
            Some(Value::DateTime(ticks)) => Some(ticks),
            _ => None,
        });
    let entities = rule.entities.iter().filter_map(|entity| {
        let fields = entity
            .fields
            .iter()
            .filter_map(|(identifier, column)| {
                let value = value(column)?;
                (!value.is_null() && value.as_str() != Some("")).then(|| (identifier.to_string(), value))
            })
            .collect::<Vec<_>>();
        (!fields.is_empty()).then(|| (entity.kind.to_string(), fields))
    });
    Alert {
        rule: rule.id.to_string(),
        title: rule.title.to_string(),
        severity: rule.severity.to_string(),
        time,
        place: rule
            .place
            .as_ref()
            .map(|(document, line)| (document.to_string(), *line)),
        entities: entities.collect(),
        row: schema
            .columns()
            .iter()
            .zip(row.values())
            .map(|(column, value)| (column.name.to_string(), value))
            .collect(),
    }
}

/// How alerts are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    #[default]
    Ndjson,
    /// Columns for people.
    Table,
    /// One line an alert, under a header.
    Csv,
}

impl Format {
    /// The format by its name on the command line.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "ndjson" => Some(Self::Ndjson),
            "table" => Some(Self::Table),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// Writes alerts in a format.
pub fn write(out: &mut dyn Write, format: Format, alerts: &[Alert]) -> io::Result<()> {
    match format {
        Format::Ndjson => alerts
            .iter()
            .try_for_each(|alert| writeln!(out, "{}", to_json(alert))),
        Format::Table => table(out, alerts),
        Format::Csv => csv(out, alerts),
    }
}

/// The version that alerts name: that of rulec, whose runtime this is.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// One alert as a JSON object without line breaks (schema/alert.schema.json).
pub fn to_json(alert: &Alert) -> String {
    let string = |text: &str| json::to_json(&Value::string(text));
    let entities = alert.entities.iter().map(|(kind, fields)| {
        let fields = fields
            .iter()
            .map(|(identifier, value)| format!("{}:{}", string(identifier), write::json(value)));
        format!(
            "{{\"type\":{},{}}}",
            string(kind),
            fields.collect::<Vec<_>>().join(",")
        )
    });
    let row = alert
        .row
        .iter()
        .map(|(name, value)| format!("{}:{}", string(name), write::json(value)));
    format!(
        "{{\"rulec\":{},\"rule\":{},\"title\":{},\"severity\":{},\"time\":{},\"document\":{},\"line\":{},\"entities\":[{}],\"row\":{{{}}}}}",
        string(VERSION),
        string(&alert.rule),
        string(&alert.title),
        string(&alert.severity),
        write::json(&alert.time.map_or(Value::Null, Value::DateTime)),
        alert
            .place
            .as_ref()
            .map_or_else(|| "null".to_owned(), |(document, _)| string(document)),
        alert
            .place
            .as_ref()
            .map_or_else(|| "null".to_owned(), |(_, line)| line.to_string()),
        entities.collect::<Vec<_>>().join(","),
        row.collect::<Vec<_>>().join(","),
    )
}

/// What an alert shows in a table: its time, severity, rule, title, entities.
fn summary(alert: &Alert) -> [String; 5] {
    let entities = alert.entities.iter().map(|(kind, fields)| {
        let fields = fields.iter().map(|(_, value)| text::print(value));
        format!("{kind}: {}", fields.collect::<Vec<_>>().join(" "))
    });
    [
        alert.time.map(text::print_datetime).unwrap_or_default(),
        alert.severity.clone(),
        alert.rule.clone(),
        alert.title.clone(),
        entities.collect::<Vec<_>>().join("; "),
    ]
}

const HEADER: [&str; 5] = ["time", "severity", "rule", "title", "entities"];

fn table(out: &mut dyn Write, alerts: &[Alert]) -> io::Result<()> {
    let rows = alerts
        .iter()
        .map(|alert| summary(alert).to_vec())
        .collect::<Vec<_>>();
    write::text_table(out, &HEADER, &rows)
}

fn csv(out: &mut dyn Write, alerts: &[Alert]) -> io::Result<()> {
    out.write_all(csv_header().as_bytes())?;
    alerts
        .iter()
        .try_for_each(|alert| out.write_all(csv_row(alert).as_bytes()))
}

/// The line above alerts in CSV, with its line break.
pub fn csv_header() -> String {
    let header = HEADER.iter().copied().chain(["document", "line", "row"]);
    header.map(write::csv_field).collect::<Vec<_>>().join(",") + "\n"
}

/// An alert in CSV, with its line break; the row is JSON.
pub fn csv_row(alert: &Alert) -> String {
    let row = Value::Bag(std::sync::Arc::new(
        alert
            .row
            .iter()
            .map(|(name, value)| (name.as_str().into(), value.clone()))
            .collect(),
    ));
    let (document, line) = alert
        .place
        .as_ref()
        .map_or_else(Default::default, |(document, line)| {
            (document.clone(), line.to_string())
        });
    let fields = summary(alert)
        .into_iter()
        .chain([document, line, write::json(&row)]);
    let fields = fields.map(|field| write::csv_field(&field)).collect::<Vec<_>>();
    fields.join(",") + "\n"
}
