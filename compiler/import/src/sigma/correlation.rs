//! Sigma correlations as KQL.
//!
//! In: the correlation and the rules of its file. Out: a draft. Each rule it
//! refers to becomes a stream of events with the columns that the correlation
//! groups by; counts and sums become a `summarize` over fixed windows, events
//! that have to come together a chain of joins, which is exact. A correlation
//! may refer to another one, which then is a stream itself.
//!
//! What fixed windows change is said: events on both sides of a boundary are
//! not counted together.

use std::collections::{BTreeMap, BTreeSet};

use rulec_emit::{Effect, Loss};
use serde_json::{Map, Value};

use super::{Detected, detection, kql::quoted};
use crate::draft::Draft;
use crate::input::{Fields, text, texts};
use crate::{Context, Refused};

/// Correlations of correlations, no deeper.
const DEEPEST: usize = 8;
/// Rules that one correlation refers to, no more: each is a join.
const MOST_RULES: usize = 24;

/// Columns that a correlation makes of its own, and words of KQL.
const RESERVED: [&str; 18] = [
    "EventTime",
    "FirstEvent",
    "LastEvent",
    "Measured",
    "Window",
    "Rule",
    "Everything",
    "and",
    "asc",
    "between",
    "by",
    "desc",
    "false",
    "in",
    "not",
    "on",
    "or",
    "true",
];

/// The documents of a file that can be referred to, by name and by id.
pub(super) struct Named<'v>(BTreeMap<String, &'v Value>);

/// What is counted or has to come together.
struct Correlation {
    kind: String,
    rules: Vec<String>,
    group: Vec<String>,
    span: Span,
    /// Operator and number, as KQL; all have to hold.
    conditions: Vec<(&'static str, String)>,
    field: Option<String>,
    /// Alias -> rule -> field.
    aliases: BTreeMap<String, BTreeMap<String, String>>,
}

/// A length of time as Sigma writes it, which is one of KQL too.
struct Span {
    written: String,
    seconds: u64,
}

/// Events in a row, ready for a correlation.
struct Stream {
    /// KQL, from the table on; ends with a line break.
    text: String,
    /// Field -> column.
    columns: BTreeMap<String, String>,
    /// The column of the time.
    time: String,
}

impl<'v> Named<'v> {
    pub(super) fn of(documents: &'v [Value]) -> Self {
        let mut found = BTreeMap::new();
        for document in documents {
            for key in ["name", "id"] {
                if let Some(name) = document.get(key).and_then(text) {
                    found.entry(name).or_insert(document);
                }
            }
        }
        Self(found)
    }

    /// What the correlations of a file refer to, as long as it is not to be converted as well.
    pub(super) fn referred(&self, documents: &[Value]) -> BTreeSet<*const Value> {
        let mut found = BTreeSet::new();
        for document in documents {
            let Some(correlation) = document.get("correlation") else {
                continue;
            };
            let generates = ["generate", "generates"]
                .iter()
                .any(|key| correlation.get(*key).or_else(|| document.get(*key)) == Some(&Value::Bool(true)));
            if generates {
                continue;
            }
            let rules = correlation.get("rules").map(texts).unwrap_or_default();
            found.extend(
                rules
                    .iter()
                    .filter_map(|name| self.0.get(name))
                    .map(|value| std::ptr::from_ref(*value)),
            );
        }
        found
    }
}

/// The condition that a correlation sets, in KQL's operators.
fn conditions(said: &Map<String, Value>) -> Result<Vec<(&'static str, String)>, String> {
    let mut found = Vec::new();
    for (key, value) in said {
        let operator = match key.as_str() {
            "gt" => ">",
            "gte" => ">=",
            "lt" => "<",
            "lte" => "<=",
            "eq" => "==",
            "neq" => "!=",
            "field" => continue,
            other => return Err(format!("its condition has `{other}`, which has no counterpart")),
        };
        let number = value
            .as_number()
            .filter(|number| number.as_f64().is_some_and(|n| n >= 0.0));
        let Some(number) = number else {
            return Err(format!("`{key}` of its condition is no number"));
        };
        found.push((operator, number.to_string()));
    }
    Ok(found)
}

fn span(said: &str) -> Option<Span> {
    let (number, unit) = said.split_at_checked(said.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    Some(Span {
        written: said.to_owned(),
        seconds: number
            .checked_mul(unit)
            .filter(|seconds| *seconds <= 366 * 86_400)?,
    })
}

impl Correlation {
    fn of(document: &Value, draft: &mut Draft) -> Result<Self, String> {
        let mut body = Fields::of(document.get("correlation").cloned());
        let kind = body.text("type").unwrap_or_default();
        let known = [
            "event_count",
            "value_count",
            "value_sum",
            "value_avg",
            "temporal",
            "temporal_ordered",
        ];
        if !known.contains(&kind.as_str()) {
            return Err(format!("a correlation of type `{kind}` has no counterpart"));
        }
        let rules = body.texts("rules");
        if rules.is_empty() || rules.len() > MOST_RULES {
            return Err(format!(
                "it refers to {} rules, not to 1 up to {MOST_RULES}",
                rules.len()
            ));
        }
        let said = body.text("timespan").unwrap_or_default();
        let Some(span) = span(&said) else {
            return Err(format!("its timespan `{said}` is no number with s, m, h or d"));
        };
        let mut condition = body.fields("condition").0;
        let field = match condition.remove("field") {
            Some(Value::Array(several)) if several.len() > 1 => {
                return Err("it counts the values of several fields together".to_owned());
            }
            Some(one) => texts(&one).into_iter().next(),
            None => None,
        };
        let measures = kind.starts_with("value_");
        if measures && field.is_none() {
            return Err(format!("`{kind}` has no field in its condition"));
        }
        let conditions = conditions(&condition)?;
        if conditions.is_empty() && !kind.starts_with("temporal") {
            return Err("it has no condition".to_owned());
        }
        let aliases = body
            .fields("aliases")
            .0
            .into_iter()
            .map(|(alias, value)| {
                let fields = Fields::of(Some(value)).0;
                let fields = fields
                    .into_iter()
                    .filter_map(|(rule, field)| Some((rule, text(&field)?)));
                (alias, fields.collect())
            })
            .collect();
        for key in ["generate", "generates"] {
            body.take(key);
        }
        let group = body.texts("group-by");
        let keys: Vec<String> = body.rest().iter().map(|k| (*k).to_owned()).collect();
        draft.left(
            "correlation.",
            &keys.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        Ok(Self {
            kind,
            rules,
            group,
            span,
            conditions,
            field,
            aliases,
        })
    }

    /// What a field is called in the events of a rule.
    fn field_of<'f>(&'f self, rule: &str, field: &'f str) -> &'f str {
        let known = self.aliases.get(field).and_then(|fields| fields.get(rule));
        known.map_or(field, String::as_str)
    }

    fn is_temporal(&self) -> bool {
        self.kind.starts_with("temporal")
    }

    /// Whether each of its rules has to be there.
    fn wants_all(&self) -> bool {
        let count = self.rules.len().to_string();
        self.conditions
            .iter()
            .all(|(operator, number)| matches!(*operator, ">=" | "==") && *number == count)
    }
}

/// A name for a column or a binding.
fn plain(name: &str) -> String {
    let mut out: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if !out.starts_with(|c: char| c.is_ascii_alphabetic()) {
        out.insert(0, 'F');
    }
    let taken = RESERVED.iter().any(|word| word.eq_ignore_ascii_case(&out));
    if taken || out.starts_with("Time") {
        out.push('_');
    }
    out
}

/// What is made on the way.
struct Making<'c, 'v> {
    context: &'c Context,
    named: &'c Named<'v>,
    draft: &'c mut Draft,
    /// Correlations that are open.
    open: Vec<String>,
    /// Seconds that the whole looks back.
    back: u64,
}

/// A correlation as a draft with its query; the rest is said by the caller.
pub(super) fn write(
    context: &Context,
    named: &Named<'_>,
    document: &Value,
    draft: &mut Draft,
) -> Result<(), Refused> {
    let name = document.get("title").and_then(text).unwrap_or_default();
    let mut making = Making {
        context,
        named,
        draft,
        open: Vec::new(),
        back: 0,
    };
    let made = making.correlation(document, None);
    let back = making.back;
    match made {
        Ok(stream) => {
            let hour = 3600;
            let span = back.max(hour);
            let unit = [(86_400, 'd'), (3600, 'h'), (60, 'm'), (1, 's')];
            let (unit, letter) = unit
                .into_iter()
                .find(|(unit, _)| span % unit == 0)
                .unwrap_or((1, 's'));
            let text = format!(
                "let timeframe = 2*{}{letter};\n{}// Begin environment-specific filter.\n// End environment-specific filter.\n",
                span / unit,
                stream.text
            );
            draft.query(&text, None);
            Ok(())
        }
        Err(why) => Err(Refused { name, why }),
    }
}

impl Making<'_, '_> {
    /// What a correlation gives. `wanted` are the fields that another one
    /// asks for; without it this is the whole query.
    fn correlation(&mut self, document: &Value, wanted: Option<&[String]>) -> Result<Stream, String> {
        let id = ["name", "id", "title"]
            .iter()
            .find_map(|key| document.get(*key).and_then(text));
        let id = id.unwrap_or_default();
        if self.open.contains(&id) {
            return Err(format!("the correlation {id} refers to itself"));
        }
        if self.open.len() >= DEEPEST {
            return Err("correlations refer to correlations too deep".to_owned());
        }
        self.open.push(id);
        let correlation = Correlation::of(document, self.draft)?;
        self.back = self.back.saturating_add(correlation.span.seconds);
        let mut columns: BTreeMap<String, String> = BTreeMap::new();
        for field in correlation.group.iter().chain(&correlation.field) {
            let mut name = plain(field);
            while columns.values().any(|known| known.eq_ignore_ascii_case(&name)) {
                name.push('_');
            }
            columns.insert(field.clone(), name);
        }
        self.own_names(&correlation, &mut columns);
        for field in wanted.unwrap_or_default() {
            if !correlation.group.contains(field) {
                return Err(format!(
                    "it groups by {field}, which a correlation that it refers to does not"
                ));
            }
        }
        let mut streams = Vec::new();
        for rule in &correlation.rules {
            streams.push(self.stream(&correlation, rule, &columns)?);
        }
        let made = if correlation.is_temporal() && correlation.wants_all() {
            Ok(together(&correlation, &streams, &columns))
        } else {
            self.counted(&correlation, &streams, &columns)
        };
        self.open.pop();
        made
    }

    /// Where there is one rule, the columns of its table keep their names.
    fn own_names(&self, correlation: &Correlation, columns: &mut BTreeMap<String, String>) {
        let [rule] = correlation.rules.as_slice() else {
            return;
        };
        let Some(document) = self
            .named
            .0
            .get(rule)
            .filter(|document| document.get("detection").is_some())
        else {
            return;
        };
        let fields: Vec<String> = columns.keys().cloned().collect();
        let asked: Vec<String> = fields
            .iter()
            .map(|field| correlation.field_of(rule, field).to_owned())
            .collect();
        let mut body = Fields::of(Some((*document).clone()));
        let Ok(found) = detection(self.context, &mut body, &asked, &mut Vec::new()) else {
            return;
        };
        let own: Vec<Option<String>> = asked
            .iter()
            .map(|field| Some(found.column(field)?.0).filter(|column| plain(column) == *column))
            .collect();
        let different: BTreeSet<&Option<String>> = own.iter().collect();
        if different.len() == own.len() && own.iter().all(Option::is_some) {
            *columns = fields.into_iter().zip(own.into_iter().flatten()).collect();
        }
    }

    /// The events of a rule, with the columns that a correlation looks at
    /// under the names it gives them.
    fn stream(
        &mut self,
        correlation: &Correlation,
        rule: &str,
        columns: &BTreeMap<String, String>,
    ) -> Result<Stream, String> {
        let Some(document) = self.named.0.get(rule).copied() else {
            return Err(format!(
                "it refers to the rule {rule}, which is not in the same file"
            ));
        };
        let fields: Vec<String> = columns
            .keys()
            .map(|field| correlation.field_of(rule, field).to_owned())
            .collect();
        if document.get("correlation").is_some() {
            let grouped: Vec<String> = correlation
                .group
                .iter()
                .map(|field| correlation.field_of(rule, field).to_owned())
                .collect();
            let inner = self.correlation(document, Some(&grouped))?;
            let mut text = inner.text;
            let pairs: Vec<String> = columns
                .iter()
                .map(|(field, name)| {
                    let field = correlation.field_of(rule, field);
                    let column = inner.columns.get(field).map_or("\"\"", String::as_str);
                    format!("{name} = {column}")
                })
                .collect();
            let pairs: String = pairs.iter().map(|pair| format!(", {pair}")).collect();
            text += &format!("| project EventTime = {}{pairs}\n", inner.time);
            return Ok(Stream {
                text,
                columns: columns.clone(),
                time: "EventTime".to_owned(),
            });
        }
        let mut body = Fields::of(Some(document.clone()));
        let found = detection(self.context, &mut body, &fields, &mut self.draft.losses)?;
        let mut pairs = Vec::new();
        let mut tests = String::new();
        for (field, name) in columns {
            let asked = correlation.field_of(rule, field);
            let column = self.column(&found, rule, asked)?;
            let measured = correlation.field.as_deref() == Some(field);
            let grouped = correlation.group.contains(field);
            let number = found.is_number(asked);
            if measured && !number && correlation.kind != "value_count" {
                return Err(format!("{asked} is no number in {}", found.table()));
            }
            // An event without the value is none of a group, and no value more.
            if !number && (measured && !grouped || grouped && correlation.is_temporal()) {
                tests += &format!("| where isnotempty({column})\n");
            }
            pairs.push(if *name == column {
                column
            } else {
                format!("{name} = {column}")
            });
        }
        let time = found.time();
        let mut text = found.lines();
        text += &tests;
        let pairs: String = pairs.iter().map(|pair| format!(", {pair}")).collect();
        text += &format!("| project EventTime = {time}{pairs}\n");
        Ok(Stream {
            text,
            columns: columns.clone(),
            time: "EventTime".to_owned(),
        })
    }

    /// KQL for a field of a rule's events.
    fn column(&mut self, found: &Detected<'_>, rule: &str, field: &str) -> Result<String, String> {
        let Some((column, exact)) = found.column(field) else {
            return Err(format!(
                "{} has no column for the field {field} of the rule {rule}",
                found.table()
            ));
        };
        if !exact {
            self.draft.losses.push(Loss::new(
                format!("`{field}` of {rule}"),
                Effect::Exact,
                format!("`{column}` holds a part of what the field does, or the same in other words"),
            ));
        }
        Ok(column)
    }

    /// Counts and sums in windows of a fixed length.
    fn counted(
        &mut self,
        correlation: &Correlation,
        streams: &[Stream],
        columns: &BTreeMap<String, String>,
    ) -> Result<Stream, String> {
        let span = &correlation.span.written;
        let temporal = correlation.is_temporal();
        if correlation.kind == "temporal_ordered" {
            return Err(
                "its order cannot be asked for with a condition other than all of its rules".to_owned(),
            );
        }
        let upwards = correlation
            .conditions
            .iter()
            .all(|(operator, _)| operator.starts_with('>'));
        self.draft.losses.push(Loss::new(
            "`timespan`",
            if upwards && correlation.kind != "value_avg" {
                Effect::Narrowed
            } else {
                Effect::Widened
            },
            format!(
                "windows of {span} begin at fixed times, so events on both sides of a boundary are apart"
            ),
        ));
        let measured = correlation.field.as_ref().and_then(|field| columns.get(field));
        let measured = measured.map_or("", String::as_str);
        let value = match correlation.kind.as_str() {
            "value_count" => format!("count_distinct({measured})"),
            "value_sum" => format!("sum({measured})"),
            "value_avg" => format!("avg({measured})"),
            "temporal" => "count_distinct(Rule)".to_owned(),
            _ => "count()".to_owned(),
        };
        let arm = |(number, stream): (usize, &Stream)| {
            let mut text = stream.text.clone();
            if temporal {
                text += &format!("| extend Rule = {}\n", quoted(&correlation.rules[number]));
            }
            text
        };
        let arms: Vec<String> = streams.iter().enumerate().map(arm).collect();
        let mut text = match arms.as_slice() {
            [one] => one.clone(),
            several => {
                let arms: Vec<String> = several
                    .iter()
                    .map(|arm| format!("    ({})", indented(arm)))
                    .collect();
                format!("union\n{}\n", arms.join(",\n"))
            }
        };
        let keys: Vec<&str> = correlation
            .group
            .iter()
            .filter_map(|field| columns.get(field))
            .map(String::as_str)
            .collect();
        let keys: String = keys.iter().map(|key| format!("{key}, ")).collect();
        text += &format!(
            "| summarize Measured = {value}, FirstEvent = min(EventTime), LastEvent = max(EventTime) by {keys}Window = bin(EventTime, {span})\n"
        );
        for (operator, number) in &correlation.conditions {
            text += &format!("| where Measured {operator} {number}\n");
        }
        Ok(Stream {
            text,
            columns: columns.clone(),
            time: "LastEvent".to_owned(),
        })
    }
}

/// Events of every rule within the time, in order if that is asked for.
fn together(correlation: &Correlation, streams: &[Stream], columns: &BTreeMap<String, String>) -> Stream {
    let span = &correlation.span.written;
    let ordered = correlation.kind == "temporal_ordered";
    let keys: Vec<&String> = correlation
        .group
        .iter()
        .filter_map(|field| columns.get(field))
        .collect();
    let mut text = String::new();
    for (number, stream) in streams.iter().enumerate() {
        let number = number + 1;
        // Without something to group by, all events are of one group.
        let shown: String = if keys.is_empty() {
            ", Everything = 1".to_owned()
        } else {
            keys.iter().map(|key| format!(", {key}")).collect()
        };
        let arm = format!("{}| project Time{number} = EventTime{shown}\n", stream.text);
        if number == 1 {
            text = arm;
            continue;
        }
        let on = if keys.is_empty() {
            "Everything".to_owned()
        } else {
            keys.iter().map(|key| key.as_str()).collect::<Vec<_>>().join(", ")
        };
        text += &format!(
            "| join kind=inner (\n    {}\n) on {on}\n",
            indented(&arm).trim_end()
        );
        if ordered {
            text += &format!(
                "| where Time{number} >= Time{} and Time{number} - Time1 <= {span}\n",
                number - 1
            );
        } else {
            let times: Vec<String> = (1..=number).map(|n| format!("Time{n}")).collect();
            let times = times.join(", ");
            text += &format!("| where max_of({times}) - min_of({times}) <= {span}\n");
        }
    }
    let times: Vec<String> = (1..=streams.len()).map(|n| format!("Time{n}")).collect();
    let (first, last) = if times.len() == 1 {
        (times[0].clone(), times[0].clone())
    } else {
        (
            format!("min_of({})", times.join(", ")),
            format!("max_of({})", times.join(", ")),
        )
    };
    let by: String = keys.iter().map(|key| key.as_str()).collect::<Vec<_>>().join(", ");
    let by = if by.is_empty() {
        "Everything".to_owned()
    } else {
        by
    };
    text += &format!(
        "| extend FirstEvent = {first}, LastEvent = {last}\n| summarize FirstEvent = min(FirstEvent), LastEvent = max(LastEvent) by {by}\n"
    );
    Stream {
        text,
        columns: columns.clone(),
        time: "LastEvent".to_owned(),
    }
}

/// Lines with four blanks before each but the first, without the last break.
fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n    ")
}
