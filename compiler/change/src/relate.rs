//! How two conditions relate: which lets more rows through.
//!
//! Every answer but [`Effect::Changed`] follows from what the operators mean;
//! what does not follow is `Changed`, never less.

use std::sync::Arc;

use rulec_explain::Kind;
use rulec_functions::{Value, scalar, text};

use crate::{
    effect::{Effect, Item},
    rows::Comparer,
    scalar::{Form, Range, Scalar, Test, print},
};

/// Pairs of conditions or values that are tried at most.
const MOST_PAIRS: usize = 250_000;

impl Comparer<'_> {
    /// What becomes of the rows when `old` becomes `new`.
    pub(crate) fn condition(&mut self, old: &Arc<Scalar>, new: &Arc<Scalar>) -> Vec<Item> {
        if old.digest == new.digest {
            return Vec::new();
        }
        match (&old.form, &new.form) {
            (Form::Not(a), Form::Not(b)) => {
                return self.condition(a, b).into_iter().map(Item::mirrored).collect();
            }
            (Form::Test(a), Form::Test(b)) if a.subject.digest == b.subject.digest => {
                return self.test(a, b, old, new);
            }
            (Form::Range(a), Form::Range(b)) if a.subject.digest == b.subject.digest => {
                return vec![self.range(a, b, old, new)];
            }
            (
                Form::Among {
                    subject: a,
                    fold: folds,
                    rows: was,
                },
                Form::Among {
                    subject: b,
                    fold: folded,
                    rows: is,
                },
            ) if a.digest == b.digest && folds == folded => {
                let found = self.rows(was, is);
                if found
                    .changed
                    .iter()
                    .all(|column| is.columns.first().is_none_or(|(first, _)| first != column))
                {
                    return found
                        .items
                        .into_iter()
                        .filter(|item| item.effect != Effect::Output)
                        .collect();
                }
            }
            (Form::And(_), _) | (_, Form::And(_)) => {
                let found = self.set(&old.conjuncts(), &new.conjuncts(), true);
                let vague = Effect::of(&found) == Effect::Changed;
                if !(vague && matches!((&old.form, &new.form), (Form::Or(_), _) | (_, Form::Or(_)))) {
                    return found;
                }
                return self.set(&old.disjuncts(), &new.disjuncts(), false);
            }
            (Form::Or(_), _) | (_, Form::Or(_)) => {
                return self.set(&old.disjuncts(), &new.disjuncts(), false);
            }
            _ => {}
        }
        vec![self.item(
            Effect::Changed,
            format!(
                "the condition `{}` is now `{}`",
                self.old.short(old.span),
                self.new.short(new.span)
            ),
            Some(old.span),
            Some(new.span),
        )]
    }

    /// Conditions that all have to hold (or of which one has to).
    pub(crate) fn set(&mut self, old: &[Arc<Scalar>], new: &[Arc<Scalar>], all: bool) -> Vec<Item> {
        let mut gone: Vec<&Arc<Scalar>> = old
            .iter()
            .filter(|a| !new.iter().any(|b| a.digest == b.digest))
            .collect();
        let mut come: Vec<&Arc<Scalar>> = new
            .iter()
            .filter(|b| !old.iter().any(|a| a.digest == b.digest))
            .collect();
        let mut items = Vec::new();
        // First those of which more can be said than that they differ, best first.
        for want in [Some(Effect::Same), None] {
            let mut at = 0;
            while at < gone.len() && gone.len() * come.len() <= MOST_PAIRS {
                let pair = come.iter().enumerate().find_map(|(place, b)| {
                    if !alike(gone[at], b) {
                        return None;
                    }
                    let found = self.condition(gone[at], b);
                    let effect = Effect::of(&found);
                    let fits = match want {
                        Some(_) => !matches!(effect, Effect::Changed | Effect::Both),
                        None => true,
                    };
                    fits.then_some((place, found))
                });
                match pair {
                    Some((place, found)) => {
                        gone.remove(at);
                        come.remove(place);
                        items.extend(found);
                    }
                    None => at += 1,
                }
            }
        }
        let (more, less) = if all {
            (Effect::Widens, Effect::Narrows)
        } else {
            (Effect::Narrows, Effect::Widens)
        };
        let what = if all { "condition" } else { "alternative" };
        for part in gone {
            let text = format!("the {what} `{}` is gone", self.old.short(part.span));
            items.push(self.item(more, text, Some(part.span), None));
        }
        for part in come {
            let text = format!("the {what} `{}` is new", self.new.short(part.span));
            items.push(self.item(less, text, None, Some(part.span)));
        }
        items
    }

    fn test(&mut self, a: &Test, b: &Test, old: &Scalar, new: &Scalar) -> Vec<Item> {
        let subject = self.new.short(b.subject.span);
        if (a.kind, a.fold) == (b.kind, b.fold) {
            let known: std::collections::BTreeSet<String> = a.values.iter().map(print).collect();
            let now: std::collections::BTreeSet<String> = b.values.iter().map(print).collect();
            let gone: Vec<&Value> = a.values.iter().filter(|v| !now.contains(&print(v))).collect();
            let come: Vec<&Value> = b.values.iter().filter(|v| !known.contains(&print(v))).collect();
            // A value that another one of the list covers lets nothing more through.
            let bounded = gone
                .len()
                .max(come.len())
                .saturating_mul(a.values.len().max(b.values.len()))
                <= MOST_PAIRS;
            let covered = |value: &Value, by: &[Value], test: &Test| {
                bounded
                    && by.iter().any(|w| {
                        implies(
                            (test.kind, test.fold, value),
                            (test.kind, test.fold, w),
                            test.text,
                        )
                    })
            };
            let lost = gone.iter().any(|v| !covered(v, &b.values, b));
            let gained = come.iter().any(|v| !covered(v, &a.values, a));
            let exchanged = !come.is_empty() && !gone.is_empty();
            let one_way = !(gained && lost);
            if exchanged && one_way {
                let effect = match (gained, lost) {
                    (true, _) => Effect::Widens,
                    (_, true) => Effect::Narrows,
                    _ => Effect::Same,
                };
                let text = format!(
                    "`{subject}` is compared with {}, no longer with {}",
                    listed(&come),
                    listed(&gone)
                );
                return vec![self.item(effect, text, Some(a.place), Some(b.place))];
            }
            let mut items = Vec::new();
            if !come.is_empty() {
                let effect = if gained { Effect::Widens } else { Effect::Same };
                let text = format!("`{subject}` is also compared with {}", listed(&come));
                let (places, now) = (Some(a.place), Some(b.place));
                items.push(self.item(effect, text, places, now));
            }
            if !gone.is_empty() {
                let effect = if lost { Effect::Narrows } else { Effect::Same };
                let text = format!("`{subject}` is no longer compared with {}", listed(&gone));
                items.push(self.item(effect, text, Some(a.place), Some(b.place)));
            }
            return items;
        }
        let within = |x: &Test, y: &Test| {
            x.values.len() * y.values.len() <= MOST_PAIRS
                && x.values.iter().all(|v| {
                    y.values
                        .iter()
                        .any(|w| implies((x.kind, x.fold, v), (y.kind, y.fold, w), x.text && y.text))
                })
        };
        let effect = match (within(a, b), within(b, a)) {
            (true, true) => Effect::Same,
            (true, false) => Effect::Widens,
            (false, true) => Effect::Narrows,
            (false, false) => Effect::Changed,
        };
        let text = format!(
            "`{}` is now `{}`",
            self.old.short(old.span),
            self.new.short(new.span)
        );
        vec![self.item(effect, text, Some(old.span), Some(new.span))]
    }

    fn range(&mut self, a: &Range, b: &Range, old: &Scalar, new: &Scalar) -> Item {
        let effect = match (b.holds(a), a.holds(b)) {
            (Some(true), Some(true)) => Effect::Same,
            (Some(true), Some(false)) => Effect::Widens,
            (Some(false), Some(true)) => Effect::Narrows,
            (Some(false), Some(false)) => Effect::Both,
            _ => Effect::Changed,
        };
        let (was, is) = (self.old.short(old.span), self.new.short(new.span));
        let text = if was == is {
            // The number stands in a let binding.
            let (was, is) = (self.old.short(a.place), self.new.short(b.place));
            format!("in `{}`, `{was}` is now `{is}`", self.new.short(new.span))
        } else {
            format!("`{was}` is now `{is}`")
        };
        self.item(effect, text, Some(a.place), Some(b.place))
    }
}

/// Whether two conditions are about the same thing, so that one may have
/// become the other.
fn alike(a: &Scalar, b: &Scalar) -> bool {
    match (&a.form, &b.form) {
        (Form::Not(a), Form::Not(b)) => alike(a, b),
        (Form::Test(Test { subject: p, .. }), Form::Test(Test { subject: q, .. }))
        | (Form::Range(Range { subject: p, .. }), Form::Range(Range { subject: q, .. }))
        | (Form::Among { subject: p, .. }, Form::Among { subject: q, .. }) => {
            let computed = !matches!((&p.form, &q.form), (Form::Column(_), _) | (_, Form::Column(_)));
            p.digest == q.digest || computed && !a.columns.is_empty() && a.columns == b.columns
        }
        (Form::Other(a_name), Form::Other(b_name)) => a_name == b_name && a.columns == b.columns,
        (Form::And(_) | Form::Or(_), _) | (_, Form::And(_) | Form::Or(_)) => {
            !a.columns.is_empty() && a.columns.iter().any(|column| b.columns.contains(column))
        }
        (Form::Not(inner), _) => inner.columns == b.columns,
        (_, Form::Not(inner)) => a.columns == inner.columns,
        _ => !a.columns.is_empty() && a.columns == b.columns,
    }
}

/// One test: kind, whether it folds case, and the value.
type One<'v> = (Kind, bool, &'v Value);

/// Whether whatever meets the first test meets the second.
fn implies((kind, fold, value): One<'_>, (then, folds, other): One<'_>, text: bool) -> bool {
    if kind == Kind::In && then == Kind::In && !folds && !fold {
        return print(value) == print(other);
    }
    let (Value::String(v), Value::String(w), true) = (value, other, text) else {
        return false;
    };
    // Where the first one folds case and the second one does not, only text
    // without case does for both.
    let caseless = |text: &str| text.chars().all(|c| c.is_ascii() && !c.is_ascii_alphabetic());
    if fold && !folds && !caseless(v) {
        return false;
    }
    let is = |name: &str| holds(name, v, w);
    let cs = if folds { "" } else { "_cs" };
    let contains = || is(&format!("contains{cs}"));
    let has = || is(&format!("has{cs}"));
    let starts = || is(&format!("startswith{cs}"));
    let ends = || is(&format!("endswith{cs}"));
    let same = || is(if folds { "=~" } else { "==" });
    if w.is_empty() {
        return matches!(then, Kind::Contains | Kind::StartsWith | Kind::EndsWith) || kind == then && v == w;
    }
    match (kind, then) {
        (Kind::In, Kind::In) => same(),
        (Kind::In, Kind::Has) => has(),
        (
            Kind::In
            | Kind::StartsWith
            | Kind::EndsWith
            | Kind::Contains
            | Kind::Has
            | Kind::HasPrefix
            | Kind::HasSuffix,
            Kind::Contains,
        ) => contains(),
        (Kind::In | Kind::StartsWith, Kind::StartsWith) => starts(),
        (Kind::In | Kind::EndsWith, Kind::EndsWith) => ends(),
        (Kind::In, Kind::HasPrefix) => is(&format!("hasprefix{cs}")),
        (Kind::In, Kind::HasSuffix) => is(&format!("hassuffix{cs}")),
        (Kind::Has, Kind::Has) => has(),
        (Kind::Has | Kind::HasPrefix, Kind::HasPrefix) => starts(),
        (Kind::Has | Kind::HasSuffix, Kind::HasSuffix) => ends(),
        _ => false,
    }
}

/// What a function of the language says of two texts.
fn holds(name: &str, a: &Arc<str>, b: &Arc<str>) -> bool {
    scalar(name)
        .and_then(|function| function.kernel)
        .is_some_and(|kernel| kernel(&[Value::String(Arc::clone(a)), Value::String(Arc::clone(b))]).is_true())
}

/// At most five values, as text.
fn listed(values: &[&Value]) -> String {
    let mut shown: Vec<String> = values
        .iter()
        .take(5)
        .map(|value| format!("`{}`", text::print(value)))
        .collect();
    if values.len() > shown.len() {
        shown.push(format!("{} more", values.len() - shown.len()));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The operator of a kind.
    fn operator(kind: Kind, fold: bool) -> Option<&'static str> {
        Some(match (kind, fold) {
            (Kind::In, false) => "==",
            (Kind::In, true) => "=~",
            (Kind::Has, true) => "has",
            (Kind::Has, false) => "has_cs",
            (Kind::Contains, true) => "contains",
            (Kind::Contains, false) => "contains_cs",
            (Kind::StartsWith, true) => "startswith",
            (Kind::StartsWith, false) => "startswith_cs",
            (Kind::EndsWith, true) => "endswith",
            (Kind::EndsWith, false) => "endswith_cs",
            (Kind::HasPrefix, true) => "hasprefix",
            (Kind::HasPrefix, false) => "hasprefix_cs",
            (Kind::HasSuffix, true) => "hassuffix",
            (Kind::HasSuffix, false) => "hassuffix_cs",
            _ => return None,
        })
    }

    /// Whenever one test is said to follow from another, no text meets the
    /// other alone.
    #[test]
    fn what_is_said_to_follow_does() {
        let words = ["", "a", "ab", "AB", "b.c", ".c", "a.b", "ab c", "12", "1", "-"];
        let mut texts: Vec<Arc<str>> = words.iter().map(|word| Arc::from(*word)).collect();
        for first in words {
            for second in words {
                for between in ["", " ", ".", "x"] {
                    texts.push(format!("{first}{between}{second}").into());
                }
            }
        }
        let mut followed = 0;
        for kind in Kind::ALL {
            for then in Kind::ALL {
                for (fold, folds) in [(false, false), (false, true), (true, false), (true, true)] {
                    let (Some(one), Some(other)) = (operator(*kind, fold), operator(*then, folds)) else {
                        continue;
                    };
                    for v in words {
                        for w in words {
                            let (v, w): (Arc<str>, Arc<str>) = (v.into(), w.into());
                            let (a, b) = (Value::String(Arc::clone(&v)), Value::String(Arc::clone(&w)));
                            if !implies((*kind, fold, &a), (*then, folds, &b), true) {
                                continue;
                            }
                            followed += 1;
                            for text in &texts {
                                assert!(
                                    !holds(one, text, &v) || holds(other, text, &w),
                                    "{text:?} {one} {v:?}, but not {other} {w:?}"
                                );
                            }
                        }
                    }
                }
            }
        }
        assert!(followed > 500, "{followed}");
    }
}
