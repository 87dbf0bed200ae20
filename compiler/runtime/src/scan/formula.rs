//! Conditions over the fields of a line: what is asked of which field, and in
//! which order.
//!
//! In: the [`Necessary`] conditions of rules. Out: formulas of numbered
//! questions. Deliberately absent: the answers.

use std::collections::HashMap;

use rulec_functions::{Necessary, TextTest};

use super::inside::Inside;
use super::needle::Needle;
use super::pattern::Pattern;
use super::texts::Texts;
use super::times::Span;

/// A condition whose leaves are numbers.
#[derive(Clone, Debug)]
pub(super) enum Formula {
    All(Vec<Formula>),
    Any(Vec<Formula>),
    Leaf(usize),
}

/// A question about a field.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) field: usize,
    pub(super) ask: Ask,
}

#[derive(Debug)]
pub(super) enum Ask {
    Texts(Texts),
    /// Whether a value may begin with one of some texts, as far as that is seen at once.
    First(Texts),
    Inside(Box<Inside>),
    Match(Pattern),
    Numbers(Vec<i64>),
    Times(Span),
}

impl Leaf {
    /// Roughly how long it takes to ask.
    fn cost(&self) -> usize {
        match &self.ask {
            Ask::Numbers(_) | Ask::First(_) => 1,
            Ask::Texts(needles) => {
                let each = |needle: &Needle| match needle.test {
                    TextTest::Contains | TextTest::Inside => 8,
                    _ => 2,
                };
                needles.iter().map(each).sum()
            }
            Ask::Times(_) => 2,
            Ask::Inside(inside) => inside.cost(),
            Ask::Match(_) => 256,
        }
    }
}

impl Formula {
    /// Asks before alternatives that all want certain texts of the same field
    /// whether that field may have any of them at all: most often it has not,
    /// and the alternatives need not be asked one by one.
    pub(super) fn gate(&mut self, leaves: &mut Vec<Leaf>) {
        match self {
            Formula::All(parts) => {
                for part in parts {
                    part.gate(leaves);
                }
            }
            Formula::Any(parts) => {
                for part in &mut *parts {
                    part.gate(leaves);
                }
                if let Some(gate) = Self::before(parts, leaves) {
                    leaves.push(gate);
                    let gate = Formula::Leaf(leaves.len() - 1);
                    *self = Formula::All(vec![gate, Formula::Any(std::mem::take(parts))]);
                }
            }
            Formula::Leaf(_) => {}
        }
    }

    /// What holds wherever one of several alternatives does.
    fn before(alternatives: &[Self], leaves: &[Leaf]) -> Option<Leaf> {
        let (first, others) = alternatives
            .split_first()
            .filter(|(_, others)| !others.is_empty())?;
        first.beginnings(leaves).find_map(|(field, needles)| {
            let mut needles = needles.to_vec();
            for other in others {
                needles.extend_from_slice(other.beginnings(leaves).find(|(of, _)| *of == field)?.1);
            }
            let ask = Ask::First(Texts::new(needles));
            Some(Leaf { field, ask })
        })
    }

    /// Texts that fields must be or begin with.
    fn beginnings<'l>(&self, leaves: &'l [Leaf]) -> impl Iterator<Item = (usize, &'l [Needle])> {
        let parts = match self {
            Formula::All(parts) => parts.as_slice(),
            leaf => std::slice::from_ref(leaf),
        };
        parts.iter().filter_map(|part| match part {
            Formula::Leaf(leaf) => match &leaves[*leaf] {
                Leaf {
                    field,
                    ask: Ask::Texts(texts) | Ask::First(texts),
                } if texts.begin() => Some((*field, &texts[..])),
                _ => None,
            },
            _ => None,
        })
    }

    /// Puts the parts in the order in which a line is decided soonest, given
    /// in which share of the lines each leaf holds. Gives the share in which
    /// all of it holds, as if no leaf had to do with another, and how long it
    /// takes on average.
    pub(super) fn order(&mut self, leaves: &[Leaf], share: &impl Fn(usize) -> f64) -> (f64, f64) {
        let (parts, decides) = match self {
            Formula::Leaf(leaf) => return (share(*leaf), leaves[*leaf].cost() as f64),
            Formula::All(parts) => (parts, false),
            Formula::Any(parts) => (parts, true),
        };
        let mut known: Vec<_> = std::mem::take(parts)
            .into_iter()
            .map(|mut part| (part.order(leaves, share), part))
            .collect();
        let decided = |share: f64| if decides { share } else { 1.0 - share };
        // Time for each line that is decided; where none is, it had best not be asked.
        let worth = |((share, cost), _): &((f64, f64), Self)| cost / decided(*share);
        known.sort_by(|one, other| worth(one).total_cmp(&worth(other)));
        let (mut open, mut time) = (1.0, 1.0);
        for ((share, cost), part) in known {
            time += open * cost;
            open *= 1.0 - decided(share);
            parts.push(part);
        }
        (if decides { 1.0 - open } else { open }, time)
    }
}

/// Gives each different leaf one number.
pub(super) struct Leaves<'n, 'f> {
    fields: &'f [Box<str>],
    now: i64,
    known: HashMap<&'n Necessary, Option<usize>>,
    pub(super) made: Vec<Leaf>,
}

impl<'n, 'f> Leaves<'n, 'f> {
    /// None yet, over some fields, for a run at a time.
    pub(super) fn new(fields: &'f [Box<str>], now: i64) -> Self {
        Self {
            fields,
            now,
            known: HashMap::new(),
            made: Vec::new(),
        }
    }

    /// A condition over them.
    pub(super) fn formula(&mut self, condition: &'n Necessary) -> Formula {
        match condition {
            Necessary::All(parts) => {
                let mut parts: Vec<_> = parts.iter().map(|part| self.formula(part)).collect();
                parts.sort_by_cached_key(|part| self.cost(part));
                Formula::All(parts)
            }
            Necessary::Any(parts) => Formula::Any(parts.iter().map(|part| self.formula(part)).collect()),
            leaf => {
                let number = match self.known.get(leaf) {
                    Some(number) => *number,
                    None => {
                        let made = self.leaf(leaf);
                        let number = made.map(|made| {
                            self.made.push(made);
                            self.made.len() - 1
                        });
                        self.known.insert(leaf, number);
                        number
                    }
                };
                // What cannot be asked is met by anything.
                number.map_or_else(|| Formula::All(Vec::new()), Formula::Leaf)
            }
        }
    }

    /// Roughly how long a condition takes.
    fn cost(&self, formula: &Formula) -> usize {
        match formula {
            Formula::All(parts) | Formula::Any(parts) => {
                16 + parts.iter().map(|part| self.cost(part)).sum::<usize>()
            }
            Formula::Leaf(leaf) => self.made[*leaf].cost(),
        }
    }

    /// None where raw bytes cannot be asked.
    fn leaf(&self, leaf: &Necessary) -> Option<Leaf> {
        let field = |column: &str| self.fields.iter().position(|field| **field == *column);
        let (column, ask) = match leaf {
            Necessary::Text {
                column,
                test,
                folded,
                texts,
            } => {
                let needles = texts
                    .iter()
                    .map(|text| Needle::new(text, *test, *folded))
                    .collect::<Option<Vec<_>>>()?;
                let ask = if *test == TextTest::Inside {
                    Ask::Inside(Box::new(Inside::new(needles)))
                } else {
                    Ask::Texts(Texts::new(needles))
                };
                (column, ask)
            }
            Necessary::Pattern { column, pattern } => (column, Ask::Match(Pattern::new(pattern))),
            Necessary::Number { column, values } => (column, Ask::Numbers(values.clone())),
            Necessary::Time {
                column,
                earliest,
                bound,
            } => {
                let ticks = bound.ticks(self.now)?;
                let span = if *earliest {
                    Span::from(ticks)
                } else {
                    Span::to(ticks)
                };
                (column, Ask::Times(span))
            }
            Necessary::All(_) | Necessary::Any(_) => return None,
        };
        Some(Leaf {
            field: field(column)?,
            ask,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(field: usize, test: TextTest, texts: &[&str]) -> Leaf {
        let needles = texts.iter().filter_map(|text| Needle::new(text, test, true));
        Leaf {
            field,
            ask: Ask::Texts(Texts::new(needles.collect())),
        }
    }

    /// How a formula reads.
    fn said(formula: &Formula) -> String {
        let all = |parts: &[Formula]| parts.iter().map(said).collect::<Vec<_>>().join(" ");
        match formula {
            Formula::All(parts) => format!("({})", all(parts)),
            Formula::Any(parts) => format!("[{}]", all(parts)),
            Formula::Leaf(leaf) => leaf.to_string(),
        }
    }

    fn all(leaves: &[usize]) -> Formula {
        Formula::All(leaves.iter().map(|leaf| Formula::Leaf(*leaf)).collect())
    }

    #[test]
    fn alternatives_of_one_field() {
        let leaves = || {
            vec![
                leaf(0, TextTest::Is, &["cmd.exe"]),
                leaf(0, TextTest::StartsWith, &["power", "pwsh"]),
                leaf(1, TextTest::Contains, &["-enc"]),
                leaf(1, TextTest::Is, &["x"]),
            ]
        };
        let gated = |parts: Vec<Formula>| {
            let (mut leaves, mut formula) = (leaves(), Formula::Any(parts));
            formula.gate(&mut leaves);
            (said(&formula), leaves)
        };
        let (formula, leaves) = gated(vec![all(&[2, 0]), all(&[2, 1])]);
        assert_eq!(formula, "(4 [(2 0) (2 1)])");
        let Ask::First(texts) = &leaves[4].ask else {
            panic!("a gate")
        };
        assert_eq!((leaves[4].field, texts.len()), (0, 3));
        // Nothing that all of them want, or nothing that is seen at once.
        assert_eq!(gated(vec![all(&[0]), all(&[3])]).0, "[(0) (3)]");
        assert_eq!(gated(vec![all(&[2]), all(&[2, 0])]).0, "[(2) (2 0)]");
        assert_eq!(gated(vec![all(&[0])]).0, "[(0)]");
    }

    #[test]
    fn what_decides_comes_first() {
        let leaves = [
            leaf(0, TextTest::Is, &["a"]),
            leaf(0, TextTest::Is, &["b"]),
            leaf(1, TextTest::Contains, &["c"]),
        ];
        let ordered = |mut formula: Formula, shares: [f64; 3]| {
            let (share, _) = formula.order(&leaves, &|leaf| shares[leaf]);
            (said(&formula), (share * 1000.0).round() / 1000.0)
        };
        assert_eq!(
            ordered(all(&[0, 1, 2]), [1.0, 0.5, 0.5]),
            ("(1 2 0)".into(), 0.25)
        );
        // Dear, but it alone decides.
        assert_eq!(ordered(all(&[0, 1, 2]), [1.0, 1.0, 0.0]), ("(2 0 1)".into(), 0.0));
        let Formula::All(parts) = all(&[0, 1, 2]) else {
            return;
        };
        assert_eq!(
            ordered(Formula::Any(parts), [0.1, 0.5, 0.0]),
            ("[1 0 2]".into(), 0.55)
        );
    }
}
