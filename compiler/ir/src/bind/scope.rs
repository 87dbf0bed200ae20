//! Let bindings and parameters: which of them a name means at its place.
//!
//! A frame is the statements of one query or function body. Variables are
//! numbered through in the order they come up, and a place sees those of its
//! frame with a smaller number than its limit, then those of the frames
//! around it. So a function's body, bound late, sees what its definition saw.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _};
use rulec_kql::ast;
use rulec_source::Span;

use super::bound::Bound;
use crate::{Column, Expr};

/// What a variable stands for.
#[derive(Clone, Debug)]
pub(super) enum Entity {
    /// A value; `row` is the relation whose columns it mentions, if it does.
    Scalar { expr: Expr, row: Option<usize> },
    /// A table.
    Table(Arc<Bound>),
    /// A function of the query.
    Function(Arc<UserFunction>),
    /// A step of `scan`: before a dot, the last row that matched it, whose
    /// columns stand from `base` on in the row at hand.
    Step { base: usize, columns: Arc<[Column]> },
    /// `declare pattern …` with its cases.
    Pattern(Arc<ast::PatternDefinition>),
    /// `alias database …`, an entity group, a pattern that is only declared:
    /// not followed further.
    Opaque,
    /// Its definition had errors; nothing more is said about it.
    Broken,
}

/// A function that the query or the catalog defines in KQL.
#[derive(Debug)]
pub(super) struct UserFunction {
    pub(super) name: String,
    pub(super) definition: ast::Function,
    /// Where its body looks names up.
    pub(super) scope: Scope,
    /// Set where the body is not part of the query text: all that is bound
    /// then counts as standing at the call.
    pub(super) foreign: bool,
}

/// A variable.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: Arc<str>,
    pub(super) span: Span,
    pub(super) entity: Entity,
}

/// A place in the nest of frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    frame: usize,
    limit: usize,
}

impl Scope {
    /// A place that sees no variables: the frame before the query's first statement.
    pub(super) const OUTSIDE: Scope = Scope { frame: 0, limit: 0 };
}

#[derive(Debug)]
struct Frame {
    names: HashMap<Arc<str>, Vec<usize>>,
    parent: Option<Scope>,
}

/// All variables of a query.
#[derive(Debug)]
pub(super) struct Scopes {
    frames: Vec<Frame>,
    variables: Vec<Variable>,
    current: usize,
}

impl Scopes {
    pub(super) fn new() -> Self {
        Self {
            frames: vec![Frame {
                names: HashMap::new(),
                parent: None,
            }],
            variables: Vec::new(),
            current: 0,
        }
    }

    /// What the present place sees.
    pub(super) fn here(&self) -> Scope {
        Scope {
            frame: self.current,
            limit: self.variables.len(),
        }
    }

    /// Starts a frame that sees what `outer` saw; returns what [`Self::leave`] needs.
    pub(super) fn enter(&mut self, outer: Scope) -> usize {
        self.frames.push(Frame {
            names: HashMap::new(),
            parent: Some(outer),
        });
        std::mem::replace(&mut self.current, self.frames.len() - 1)
    }

    /// Ends the frame.
    pub(super) fn leave(&mut self, before: usize) {
        self.current = before;
    }

    /// Declares a variable; false if the frame has one of the name already
    /// (the new one then stands in its place).
    pub(super) fn declare(&mut self, name: &str, span: Span, entity: Entity) -> bool {
        let name: Arc<str> = name.into();
        let number = self.variables.len();
        self.variables.push(Variable {
            name: name.clone(),
            span,
            entity,
        });
        let numbers = self.frames[self.current].names.entry(name).or_default();
        numbers.push(number);
        numbers.len() == 1
    }

    /// The variable a name means here.
    pub(super) fn find(&self, name: &str) -> Option<&Variable> {
        let mut place = Some(self.here());
        while let Some(Scope { frame, limit }) = place {
            let frame = &self.frames[frame];
            if let Some(numbers) = frame.names.get(name) {
                let seen = numbers.partition_point(|n| *n < limit);
                if let Some(number) = seen.checked_sub(1) {
                    return self.variables.get(numbers[number]);
                }
            }
            place = frame.parent;
        }
        None
    }

    /// All names visible here, for suggestions.
    pub(super) fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        let mut place = Some(self.here());
        while let Some(Scope { frame, limit }) = place {
            let frame = &self.frames[frame];
            let mut seen: Vec<&Variable> = frame
                .names
                .values()
                .filter_map(|numbers| numbers.iter().rev().find(|n| **n < limit))
                .map(|n| &self.variables[*n])
                .collect();
            seen.sort_by(|a, b| a.name.cmp(&b.name));
            names.extend(seen.into_iter().map(|v| &*v.name));
            place = frame.parent;
        }
        names
    }
}
