//! Which keywords are operators, which are charts, and which words are nearly one.

use crate::keyword::Keyword as K;

/// Whether the keyword is the name of an operator.
pub(super) fn is_operator(keyword: K) -> bool {
    is_operator_only(keyword) || is_operator_and_name(keyword)
}

/// Operators whose keyword cannot be the name of a table: a query may begin
/// with them without further ado.
pub(super) fn is_operator_only(keyword: K) -> bool {
    matches!(
        keyword,
        K::As
            | K::AssertSchema
            | K::ExecuteAndCache
            | K::Find
            | K::GraphMarkComponents
            | K::GraphMatch
            | K::GraphShortestPaths
            | K::GraphToTable
            | K::GraphWhereEdges
            | K::GraphWhereNodes
            | K::Invoke
            | K::MacroExpand
            | K::MakeGraph
            | K::MakeSeries
            | K::MvApply
            | K::MvExpand
            | K::ParseKv
            | K::ParseWhere
            | K::Print
            | K::Project
            | K::ProjectAway
            | K::ProjectByNames
            | K::ProjectKeep
            | K::ProjectRename
            | K::ProjectReorder
            | K::Sample
            | K::SampleDistinct
            | K::Search
            | K::TopHitters
            | K::TopNested
            | K::Union
            | K::Where
    )
}

/// Operators whose keyword may also be a name.
pub(super) fn is_operator_and_name(keyword: K) -> bool {
    matches!(
        keyword,
        K::Consume
            | K::Count
            | K::Distinct
            | K::Evaluate
            | K::Extend
            | K::Facet
            | K::Filter
            | K::Fork
            | K::Getschema
            | K::Join
            | K::Limit
            | K::Lookup
            | K::Mvapply
            | K::Mvexpand
            | K::Order
            | K::Parse
            | K::Partition
            | K::PartitionBy
            | K::Range
            | K::Reduce
            | K::Render
            | K::Scan
            | K::Serialize
            | K::Sort
            | K::Summarize
            | K::Take
            | K::Top
    )
}

/// Operators that are followed by no parameter, so that `kind = x` is something else.
pub(super) fn takes_no_params(keyword: K) -> bool {
    matches!(
        keyword,
        K::AssertSchema
            | K::Count
            | K::ExecuteAndCache
            | K::Extend
            | K::Facet
            | K::Fork
            | K::GraphToTable
            | K::GraphWhereEdges
            | K::GraphWhereNodes
            | K::Invoke
            | K::ParseKv
            | K::Print
            | K::Project
            | K::ProjectAway
            | K::ProjectByNames
            | K::ProjectKeep
            | K::ProjectRename
            | K::ProjectReorder
            | K::Range
            | K::Render
            | K::TopHitters
            | K::TopNested
    )
}

/// Whether the keyword is the name of a chart.
pub(super) fn is_chart(keyword: K) -> bool {
    matches!(
        keyword,
        K::Anomalychart
            | K::Areachart
            | K::Barchart
            | K::Card
            | K::Chart3D
            | K::Columnchart
            | K::Graph
            | K::Ladderchart
            | K::Linechart
            | K::Piechart
            | K::Pivotchart
            | K::Plotly
            | K::Scatterchart
            | K::Stackedareachart
            | K::Timechart
            | K::Timeline
            | K::Timepivot
            | K::Treemap
    )
}

/// How many letters must be changed, added, removed or swapped to get from one word to the other.
pub(super) fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (row[j] + usize::from(x != y))
                .min(row[j + 1] + 1)
                .min(next[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}
