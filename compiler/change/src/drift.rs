//! How values and rows move when something before them changed: a count grows
//! with its rows, a lower bound on it then lets more through, a join of another
//! kind lets through more or fewer.

use std::{collections::BTreeMap, sync::Arc};

use rulec_ir::JoinKind;

use crate::{
    effect::Effect,
    scalar::{Form, Scalar},
};

/// How the values of a column moved, for rows that are still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drift {
    Grown,
    Shrunk,
    Any,
}

/// What a condition does when columns it looks at moved in a known direction.
pub(crate) fn moved(condition: &Scalar, drift: &BTreeMap<Arc<str>, Drift>) -> Option<Effect> {
    let Form::Range(range) = &condition.form else {
        return None;
    };
    let Form::Column(column) = &range.subject.form else {
        return None;
    };
    match (drift.get(column)?, &range.low, &range.high) {
        (Drift::Grown, Some(_), None) | (Drift::Shrunk, None, Some(_)) => Some(Effect::Widens),
        (Drift::Grown, None, Some(_)) | (Drift::Shrunk, Some(_), None) => Some(Effect::Narrows),
        _ => None,
    }
}

/// How an aggregate moves when there are more rows, or fewer.
pub(crate) fn grown(function: &str, more: bool) -> Drift {
    match (function, more) {
        // `dcount` gives estimates, which follow the number all the same.
        (
            "count" | "countif" | "count_distinct" | "count_distinctif" | "dcount" | "dcountif" | "max"
            | "maxif",
            more,
        ) => {
            if more {
                Drift::Grown
            } else {
                Drift::Shrunk
            }
        }
        ("min" | "minif", true) => Drift::Shrunk,
        ("min" | "minif", false) => Drift::Grown,
        _ => Drift::Any,
    }
}

/// Joins that let a row through, or not, by its match alone.
pub(crate) fn is_strict(kind: JoinKind) -> bool {
    matches!(
        kind,
        JoinKind::Inner | JoinKind::LeftSemi | JoinKind::RightSemi | JoinKind::LeftAnti | JoinKind::RightAnti
    )
}

/// From one kind of join to another, with all else the same.
pub(crate) fn kinds(old: JoinKind, new: JoinKind) -> Effect {
    use JoinKind::{FullOuter, Inner, InnerUnique, LeftOuter, RightOuter};
    match (old, new) {
        (InnerUnique, Inner) | (Inner | InnerUnique, LeftOuter) | (Inner, RightOuter | FullOuter) => {
            Effect::Widens
        }
        (LeftOuter | RightOuter, FullOuter) => Effect::Widens,
        (Inner, InnerUnique) | (LeftOuter, Inner | InnerUnique) | (RightOuter | FullOuter, Inner) => {
            Effect::Narrows
        }
        (FullOuter, LeftOuter | RightOuter) => Effect::Narrows,
        _ => Effect::Changed,
    }
}
