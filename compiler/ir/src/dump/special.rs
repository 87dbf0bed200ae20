//! The less common operators as text: what each is told, a line a part.

use super::Dump;
use super::expressions::{indexed, shown};
use crate::{Column, Conflict, KeyValues, Operator, Rel, ScanOutput};

/// What is called what stands below the operator, an input beside the main one.
pub(super) fn part(operator: &Operator) -> &'static str {
    match operator {
        Operator::Fork => "branch",
        Operator::Partition { .. } | Operator::PartitionEach { .. } => "for each",
        Operator::AddressLookup { .. } => "networks",
        _ => "and",
    }
}

impl<'q> Dump<'q> {
    /// The operator's line, and lines that stand below it.
    pub(super) fn special(&mut self, operator: &'q Operator, rel: &'q Rel, input: &[Column]) -> String {
        let name = operator.name();
        let parts = match operator {
            Operator::Consume | Operator::Fork | Operator::Narrow => String::new(),
            Operator::Facet { columns } => format!("by {}", indices(columns, input)),
            Operator::Partition { key } | Operator::PartitionEach { key, .. } => {
                format!("by {}", self.expr(key, input))
            }
            Operator::ParseKv { text, pairs, columns } => {
                format!(
                    "{} as {}{}",
                    self.expr(text, input),
                    named(columns, &rel.columns),
                    key_values(pairs)
                )
            }
            Operator::TopNested { levels } => {
                let mut lines = String::new();
                for level in levels {
                    lines.push_str("\nlevel");
                    if let Some(count) = &level.count {
                        lines.push_str(&format!(" {}", self.expr(count, input)));
                    }
                    lines.push_str(&format!(" of {}", self.expr(&level.of, input)));
                    if let Some(others) = &level.others {
                        lines.push_str(&format!(" with others = {}", self.expr(others, input)));
                    }
                    let aggregates = self.aggregates(&level.aggregates, input);
                    let by = self.expr(&level.by, &results(level.aggregates.len()));
                    let order = if level.ascending { "asc" } else { "desc" };
                    lines.push_str(&format!(" by {by} {order} over {aggregates}"));
                }
                lines
            }
            Operator::MakeSeries {
                keys,
                series,
                axis,
                from,
                to,
                step,
                closed,
                nonempty,
            } => {
                let mut lines = format!("on {}", self.expr(axis, input));
                for (word, end) in [("from", from), ("to", to)] {
                    if let Some(end) = end {
                        lines.push_str(&format!(" {word} {}", self.expr(end, &[])));
                    }
                }
                lines.push_str(&format!(" step {}", self.expr(step, &[])));
                lines.push_str(if *closed { " end included" } else { "" });
                lines.push_str(if *nonempty { " nonempty" } else { "" });
                if !keys.is_empty() {
                    lines.push_str(&format!(" by {}", self.list(keys, input)));
                }
                for one in series {
                    let value = self.expr(&one.value, &results(one.aggregates.len()));
                    let aggregates = self.aggregates(&one.aggregates, input);
                    lines.push_str(&format!("\nseries {value} over {aggregates}"));
                    if let Some(default) = &one.default {
                        lines.push_str(&format!(" default {}", self.expr(default, &[])));
                    }
                }
                lines
            }
            Operator::Scan {
                width,
                declared,
                steps,
                partition,
                match_id,
            } => {
                let row = &rel.columns[..(*width).min(rel.columns.len())];
                let mut scope = row.to_vec();
                for step in 1..=steps.len() {
                    scope.extend(row.iter().map(|c| Column {
                        name: format!("step{step}.{}", c.name).into(),
                        ty: c.ty,
                    }));
                }
                let mut lines = String::new();
                if !partition.is_empty() {
                    lines.push_str(&format!("partition by {}", self.list(partition, input)));
                }
                lines.push_str(if *match_id { " with match id" } else { "" });
                for (column, default) in declared {
                    lines.push_str(&format!("\ndeclare {}", named(&[*column], &rel.columns)));
                    if let Some(default) = default {
                        lines.push_str(&format!(" = {}", self.expr(default, &[])));
                    }
                }
                for (number, step) in steps.iter().enumerate() {
                    let output = match step.output {
                        ScanOutput::All => "all",
                        ScanOutput::Last => "last",
                        ScanOutput::None => "none",
                    };
                    let condition = self.expr(&step.condition, &scope);
                    lines.push_str(&format!("\nstep {} output {output}: {condition}", number + 1));
                    for (column, value) in &step.assignments {
                        let value = self.expr(value, &scope);
                        lines.push_str(&format!("\n  {} = {value}", indices(&[*column], row)));
                    }
                }
                lines
            }
            Operator::BagUnpack {
                column,
                prefix,
                conflict,
                ignored,
            } => {
                let mut line = indices(&[*column], input);
                if !prefix.is_empty() {
                    line.push_str(&format!(" prefix {prefix:?}"));
                }
                line.push_str(match conflict {
                    Conflict::Error => "",
                    Conflict::ReplaceSource => " replaces columns",
                    Conflict::KeepSource => " keeps columns",
                });
                if !ignored.is_empty() {
                    line.push_str(&format!(" without {}", ignored.join(", ")));
                }
                line
            }
            Operator::Pivot {
                column,
                aggregate,
                kept,
            } => {
                let aggregate = self.aggregates(std::slice::from_ref(aggregate), input);
                let mut line = format!("{} of {aggregate}", indices(&[*column], input));
                if !kept.is_empty() {
                    line.push_str(&format!(" by {}", indices(kept, input)));
                }
                line
            }
            Operator::SchemaMerge { preserve_order } => {
                if *preserve_order { "in order" } else { "" }.to_owned()
            }
            Operator::AddressLookup {
                address,
                network,
                keys,
                return_unmatched,
                ..
            } => {
                let table = second(rel);
                let mut line = format!(
                    "{} within {}",
                    self.expr(address, input),
                    self.expr(network, table)
                );
                for (left, right) in keys {
                    line.push_str(&format!(
                        " on {} == {}",
                        self.expr(left, input),
                        self.expr(right, table)
                    ));
                }
                line.push_str(if *return_unmatched { " unmatched too" } else { "" });
                line
            }
            Operator::DcountIntersect { states } => self.list(states, input),
            Operator::Plugin { args, .. } => self.list(args, input),
            Operator::WideUnion {
                with_source, labels, ..
            } => {
                let source = if *with_source { "with source " } else { "" };
                match labels.len() {
                    0..=8 => format!("{source}{}", labels.join(", ")),
                    many => format!("{source}of {many} tables"),
                }
            }
        };
        // A line break right behind the name begins what stands below.
        let blank = if parts.is_empty() || parts.starts_with('\n') {
            ""
        } else {
            " "
        };
        format!("{name}{blank}{}", parts.trim_start_matches(' '))
    }
}

/// The columns of the input beside the main one.
fn second(rel: &Rel) -> &[Column] {
    match &rel.kind {
        crate::RelKind::Special { inputs, .. } => inputs.get(1).map_or(&[], |input| &input.columns),
        _ => &[],
    }
}

/// What an expression over aggregates reads.
fn results(count: usize) -> Vec<Column> {
    (0..count)
        .map(|_| Column {
            name: "aggregate".into(),
            ty: rulec_functions::Type::Dynamic,
        })
        .collect()
}

fn indices(columns: &[usize], input: &[Column]) -> String {
    let columns: Vec<String> = columns.iter().map(|index| indexed(*index, input)).collect();
    columns.join(", ")
}

fn named(columns: &[usize], output: &[Column]) -> String {
    let columns: Vec<String> = columns
        .iter()
        .map(|index| {
            output
                .get(*index)
                .map_or("?".to_owned(), |c| format!("{}: {}", shown(&c.name), c.ty))
        })
        .collect();
    columns.join(", ")
}

fn key_values(pairs: &KeyValues) -> String {
    if let Some(regex) = &pairs.regex {
        return format!(" with regex {regex:?}");
    }
    let mut out = String::new();
    for (word, text) in [("pairs", &pairs.pair), ("values", &pairs.between)] {
        if !text.is_empty() {
            out.push_str(&format!(" {word} {text:?}"));
        }
    }
    if let Some((open, close)) = pairs.quote {
        out.push_str(&format!(" quotes {open:?} {close:?}"));
    }
    if let Some(escape) = pairs.escape {
        out.push_str(&format!(" escape {escape:?}"));
    }
    if pairs.greedy {
        out.push_str(" greedy");
    }
    if out.is_empty() {
        out
    } else {
        format!(" with{out}")
    }
}
