//! The main pipeline in the algebra: what its rows go through, in order.
//!
//! It goes on from the left side of a join, through every table of a union,
//! the subquery of `mv-apply`, and the let bindings and functions it names.
//! The right sides of joins are not part of it.

use std::collections::BTreeSet;

use rulec_ir::{BindingKind, Operator, Query, Rel, RelKind, walk};
use rulec_source::Span;

use crate::walk::relations;

/// A relation of the main pipeline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step<'q> {
    pub(crate) rel: &'q Rel,
    /// The stage it belongs to, from 1; 0 when no stage is known.
    pub(crate) stage: usize,
}

/// The relations of the main pipeline, each behind those it reads. `stages`
/// are the places of the stages in the query text.
pub(crate) fn steps<'q>(query: &'q Query, stages: &[Span]) -> Vec<Step<'q>> {
    let Some(root) = &query.root else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut opened = BTreeSet::new();
    // Stages that leave no operator of their own: calls of the query's functions.
    let known: BTreeSet<Span> = relations(query).iter().map(|rel| rel.span).collect();
    let is_call = |stage: usize| stage > 0 && stages.get(stage - 1).is_some_and(|s| !known.contains(s));
    // A list of what is left instead of recursion: pipelines are long.
    let mut todo = vec![(root, stages.len())];
    while let Some((rel, outer)) = todo.pop() {
        let own = stage_of(rel.span, stages);
        let stage = own.unwrap_or(outer);
        // What stands in no stage and comes before one is what a call before it does.
        let before = if own.is_some() && is_call(stage - 1) {
            stage - 1
        } else {
            stage
        };
        found.push(Step { rel, stage });
        match &rel.kind {
            RelKind::Ref(id) => {
                if let Some(BindingKind::Table { rel, .. }) = query.binding(*id).map(|b| &b.kind)
                    && opened.insert(*id)
                {
                    todo.push((rel, stage));
                }
            }
            RelKind::Join { left, .. } => todo.push((left, before)),
            RelKind::Union { inputs, .. } => todo.extend(inputs.iter().map(|i| (&i.rel, stage))),
            RelKind::MvApply { input, subquery, .. } => {
                todo.extend([(&**input, before), (&**subquery, stage)]);
            }
            RelKind::Special { inputs, operator } => match **operator {
                Operator::AddressLookup { .. } | Operator::SchemaMerge { .. } => {
                    todo.extend(inputs.first().map(|input| (input, stage)));
                }
                _ => todo.extend(inputs.iter().map(|input| (input, stage))),
            },
            _ => {
                let mut first = None;
                walk::inputs(rel, &mut |input| {
                    first.get_or_insert(input);
                });
                todo.extend(first.map(|input| (input, before)));
            }
        }
    }
    found.reverse();
    found
}

/// The narrowest stage that a place lies in.
pub(crate) fn stage_of(place: Span, stages: &[Span]) -> Option<usize> {
    if place.is_empty() {
        return None;
    }
    stages
        .iter()
        .enumerate()
        .filter(|(_, stage)| stage.contains(place))
        .min_by_key(|(_, stage)| stage.len())
        .map(|(index, _)| index + 1)
}
