//! What changed between two states of a rule, in meaning.
//!
//! In: two [`Side`]s, each a rule with its bound queries, settings and
//! artifacts. Out: [`RuleChange`]: every difference with its class, the lines
//! on both sides and the step of the version it asks for.
//!
//! Only queries with one canonical form are called equal; what is not
//! understood is [`Class::Changed`]. Deliberately absent: files, revisions and
//! the matching of rules to each other (the driver's), and whether a rule is
//! any good (`check`).

mod align;
mod drift;
mod effect;
mod fields;
mod history;
mod relate;
mod rows;
mod rule;
mod scalar;
mod told;
mod tree;

pub use effect::{Effect, Item};
pub use history::{Problem, ProblemKind, history, parts};
pub use rule::{
    Bump, Change, Class, Place, Query, RuleChange, Side, Status, TargetChange, TargetStatus, compare,
};

use std::{collections::BTreeSet, sync::Arc};

use rulec_ir::Query as Bound;

/// What became of a query.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// The differences; none when both sides have one canonical form.
    pub items: Vec<Item>,
    /// Columns of the result that may have other values in rows that both
    /// sides have. What is said of rows holds for the other columns.
    pub moved: BTreeSet<Arc<str>>,
}

/// What became of a query: nothing when both have one canonical form.
///
/// Each side is a bound query and its text, which the places count in.
pub fn queries(old: (&Bound, &str), new: (&Bound, &str)) -> Vec<Item> {
    comparison(old, new).items
}

/// What became of a query, and which columns tell a row of one side from
/// the same row of the other.
///
/// Each side is a bound query and its text, which the places count in.
pub fn comparison(old: (&Bound, &str), new: (&Bound, &str)) -> Comparison {
    let was = tree::Builder::new(old.0, old.1).root();
    let is = tree::Builder::new(new.0, new.1).root();
    let one = |effect, text: &str| Item {
        effect,
        text: text.to_owned(),
        old: None,
        new: None,
        table: false,
    };
    match (was, is) {
        (Some(was), Some(is)) => {
            let mut comparer = rows::Comparer::new(old.1, new.1);
            let found = comparer.rows(&was, &is);
            let mut items = found.items;
            if items.is_empty() && was.digest != is.digest {
                // Every difference was seen, and none of them matters.
                let text = "the query is written differently, with the same result";
                items.push(one(Effect::Same, text));
            }
            Comparison {
                items,
                moved: found.changed,
            }
        }
        (None, None) => Comparison::default(),
        _ => Comparison {
            items: vec![one(Effect::Changed, "the query gives a result on one side only")],
            moved: BTreeSet::new(),
        },
    }
}

/// A name for what a query means: the same for all queries that have one
/// canonical form, on every machine.
pub fn meaning(query: &Bound, text: &str) -> String {
    use std::fmt::Write as _;
    let root = tree::Builder::new(query, text).root();
    root.map(|root| root.digest)
        .unwrap_or_default()
        .iter()
        .fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
