//! Which steps of two pipelines are the same.

use std::sync::Arc;

use crate::{
    scalar::{Digest, Sum},
    tree::{Step, StepKind},
};

/// Steps of two pipelines that are aligned at most, as a product.
const MOST_STEPS: usize = 4_000_000;

/// Filters that stand together, or one other step.
struct Block<'s> {
    steps: Vec<&'s Arc<Step>>,
    digest: Digest,
}

fn blocks(steps: &[Arc<Step>]) -> Vec<Block<'_>> {
    let is_filter = |step: &Arc<Step>| matches!(step.kind, StepKind::Filter(_));
    let mut found: Vec<Block<'_>> = Vec::new();
    for step in steps {
        match found.last_mut() {
            Some(block) if is_filter(step) && block.steps.iter().all(|other| is_filter(other)) => {
                block.steps.push(step);
                block.digest = Sum::new("block")
                    .all(block.steps.iter().map(|s| &s.digest))
                    .done();
            }
            _ => found.push(Block {
                steps: vec![step],
                digest: step.digest,
            }),
        }
    }
    found
}

/// A stretch of both sides.
pub(crate) struct Stretch<'s> {
    pub(crate) old: Vec<&'s Arc<Step>>,
    pub(crate) new: Vec<&'s Arc<Step>>,
    pub(crate) same: bool,
}

/// Steps that are the same, in order, and the stretches between them.
pub(crate) fn aligned<'s>(old: &'s [Arc<Step>], new: &'s [Arc<Step>]) -> Vec<Stretch<'s>> {
    let (old, new) = (blocks(old), blocks(new));
    let (n, m) = (old.len(), new.len());
    let all = |blocks: &[Block<'s>]| blocks.iter().flat_map(|block| block.steps.clone()).collect();
    if n.saturating_mul(m) > MOST_STEPS {
        return vec![Stretch {
            old: all(&old),
            new: all(&new),
            same: false,
        }];
    }
    // The longest common subsequence, from the end.
    let mut best = vec![vec![0_u32; m + 1]; n + 1];
    for i in (0..n).rev() {
        for j in (0..m).rev() {
            best[i][j] = if old[i].digest == new[j].digest {
                best[i + 1][j + 1] + 1
            } else {
                best[i + 1][j].max(best[i][j + 1])
            };
        }
    }
    let mut found: Vec<Stretch<'s>> = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < n || j < m {
        let same = i < n && j < m && old[i].digest == new[j].digest;
        if same || found.last().is_none_or(|stretch| stretch.same) {
            found.push(Stretch {
                old: Vec::new(),
                new: Vec::new(),
                same,
            });
        }
        let Some(stretch) = found.last_mut() else { break };
        if same || j == m || i < n && best[i + 1][j] >= best[i][j + 1] {
            stretch.old.extend(&old[i].steps);
            i += 1;
            if !same {
                continue;
            }
        }
        stretch.new.extend(&new[j].steps);
        j += 1;
    }
    found
}
