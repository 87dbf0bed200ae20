//! What the rarer operators are told beside expressions, as text: two of them
//! are the same operator when they are told the same.

use std::sync::Arc;

use rulec_ir::Operator;

/// What an operator is told beside expressions.
pub(crate) fn told(operator: &Operator, before: &[Arc<str>]) -> String {
    let name = |index: &usize| format!("{:?},", before.get(*index));
    let rest = match operator {
        Operator::Facet { columns } => columns.iter().map(name).collect(),
        Operator::ParseKv { pairs, columns, .. } => format!("{pairs:?} {columns:?}"),
        Operator::TopNested { levels } => levels
            .iter()
            .map(|level| {
                let calls: Vec<&str> = level.aggregates.iter().map(|call| call.function).collect();
                format!(
                    "{} {} {} {calls:?};",
                    level.ascending,
                    level.count.is_some(),
                    level.others.is_some()
                )
            })
            .collect(),
        Operator::MakeSeries {
            series,
            from,
            to,
            closed,
            nonempty,
            ..
        } => {
            let calls: Vec<_> = series
                .iter()
                .map(|one| {
                    let calls: Vec<&str> = one.aggregates.iter().map(|call| call.function).collect();
                    (calls, one.default.is_some())
                })
                .collect();
            format!(
                "{calls:?} {} {} {closed} {nonempty}",
                from.is_some(),
                to.is_some()
            )
        }
        Operator::Scan {
            width,
            declared,
            steps,
            match_id,
            partition,
        } => {
            let declared: Vec<_> = declared
                .iter()
                .map(|(column, value)| (column, value.is_some()))
                .collect();
            let steps: Vec<_> = steps
                .iter()
                .map(|step| {
                    let columns: Vec<usize> = step.assignments.iter().map(|(column, _)| *column).collect();
                    (columns, step.output)
                })
                .collect();
            format!("{width} {declared:?} {steps:?} {match_id} {}", partition.len())
        }
        Operator::BagUnpack {
            column,
            prefix,
            conflict,
            ignored,
        } => format!("{} {prefix:?} {conflict:?} {ignored:?}", name(column)),
        Operator::Pivot {
            column,
            aggregate,
            kept,
        } => {
            let kept: String = kept.iter().map(name).collect();
            format!("{} {} {kept}", name(column), aggregate.function)
        }
        Operator::SchemaMerge { preserve_order } => preserve_order.to_string(),
        Operator::AddressLookup {
            keys,
            return_unmatched,
            ..
        } => format!("{} {return_unmatched}", keys.len()),
        Operator::WideUnion {
            with_source,
            labels,
            columns,
        } => format!("{with_source} {labels:?} {columns:?}"),
        Operator::Consume
        | Operator::Fork
        | Operator::Partition { .. }
        | Operator::PartitionEach { .. }
        | Operator::Narrow
        | Operator::DcountIntersect { .. }
        | Operator::Plugin { .. } => String::new(),
    };
    format!("{} {rest}", operator.name())
}
