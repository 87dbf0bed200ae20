//! The values that parameters of operators take: `kind=…`, `hint.…=…`, and
//! the properties of a chart.
//!
//! The lists are those of Microsoft's language service. Deliberately absent:
//! kinds of joins, lookups and `parse`, which those operators read themselves,
//! and parameters nobody knows, which change nothing.

use rulec_kql::ast::{self, ExprKind as Ast, Literal, OperatorKind as Op};
use rulec_source::Diagnostic;

use super::Binder;
use super::report::listed_words;
use crate::codes;

/// What a parameter takes.
#[derive(Clone, Copy)]
enum Takes {
    /// One of these words.
    Words(&'static [&'static str]),
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer,
}

const CHARTS: &[&str] = &[
    "table",
    "list",
    "barchart",
    "piechart",
    "ladderchart",
    "timechart",
    "linechart",
    "anomalychart",
    "pivotchart",
    "areachart",
    "stackedareachart",
    "scatterchart",
    "timepivot",
    "columnchart",
    "timeline",
    "3Dchart",
    "card",
    "treemap",
    "plotly",
    "graph",
    "sankey",
];

impl Binder<'_> {
    /// Reports parameters whose value the operator does not take.
    pub(super) fn parameters(&mut self, op: &ast::Operator) {
        for param in &op.params {
            self.parameter(takes(&op.kind, &param.name.text), param);
        }
        if let Op::Render {
            visualization,
            properties,
            ..
        } = &op.kind
        {
            let chart = visualization.text.as_str();
            if !chart.is_empty() && !CHARTS.contains(&chart) {
                let close = rulec_facts::close_matches(chart, CHARTS.iter().copied(), 1);
                let help = match close.first() {
                    Some(close) => format!("did you mean `{close}`?"),
                    None => format!("there are {}", listed_words(CHARTS)),
                };
                self.report(
                    Diagnostic::new(codes::BAD_PARAMETER, format!("there is no chart `{chart}`"))
                        .at(visualization.span)
                        .help(help),
                );
            }
            for property in properties {
                self.parameter(chart_takes(&property.name.text), property);
            }
        }
    }

    fn parameter(&mut self, takes: Option<Takes>, param: &ast::Param) {
        let value = &param.value;
        let (fits, wanted) = match takes {
            None => return,
            Some(Takes::Words(words)) => (
                matches!(&value.kind, Ast::Name(word) if words.contains(&word.text.as_str())),
                any_of(words),
            ),
            Some(Takes::Bool) => (
                matches!(&value.kind, Ast::Literal(Literal::Bool(_))),
                "`true` or `false`".to_owned(),
            ),
            Some(Takes::Integer) => (
                matches!(&value.kind, Ast::Literal(Literal::Long(_) | Literal::Int(_))),
                "a whole number".to_owned(),
            ),
        };
        // What could not be read has been reported.
        if !fits && value.kind != Ast::Missing {
            let message = format!("`{}` takes {wanted}", param.name.text);
            self.error(codes::BAD_PARAMETER, value.span, message);
        }
    }
}

/// "`a`, `b` or `c`".
fn any_of(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match words.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => words.concat(),
    }
}

fn takes(op: &Op, name: &str) -> Option<Takes> {
    use Takes::{Bool, Integer, Words};
    Some(match (op, name) {
        (Op::Union { .. }, "kind") => Words(&["inner", "outer"]),
        (Op::Union { .. }, "isfuzzy") | (Op::Consume, "decodeblocks") => Bool,
        (Op::Union { .. } | Op::Join { .. }, "hint.remote") => {
            Words(&["auto", "left", "local", "right", "unresolved"])
        }
        (Op::Summarize { .. } | Op::Join { .. }, "hint.num_partitions") => Integer,
        (Op::Summarize { .. }, "hint.strategy") => Words(&["shuffle"]),
        (Op::Distinct { .. } | Op::Join { .. }, "hint.strategy") => {
            Words(&["auto", "broadcast", "centralized", "shuffle"])
        }
        (Op::Sort { .. }, "hint.strategy") => Words(&["splitBlock", "multipleBlocks"]),
        (Op::MvExpand { .. }, "kind" | "bagexpansion") => Words(&["bag", "array"]),
        (Op::Search { .. }, "kind") => Words(&["default", "case_insensitive", "case_sensitive"]),
        (Op::MakeSeries(_), "kind") => Words(&["nonempty"]),
        (Op::Reduce { .. }, "kind") => Words(&["source"]),
        (Op::Evaluate { .. }, "hint.distribution") => Words(&["single", "per_node", "per_shard", "default"]),
        _ => return None,
    })
}

fn chart_takes(name: &str) -> Option<Takes> {
    use Takes::{Bool, Words};
    Some(match name {
        "kind" => Words(&["default", "unstacked", "stacked", "stacked100", "map"]),
        "ysplit" => Words(&["none", "axes", "panels"]),
        "legend" => Words(&["visible", "hidden"]),
        "xaxis" | "yaxis" => Words(&["linear", "log"]),
        "accumulate" => Bool,
        _ => return None,
    })
}
