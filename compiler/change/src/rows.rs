//! How two pipelines relate, step by step.
//!
//! Along the way it is kept which columns have other values than before. A
//! step that did not change itself but looks at such a column, or that counts
//! rows of which there are more now, passes the change on.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rulec_functions::Value;
use rulec_ir::JoinKind;
use rulec_source::Span;

use crate::{
    align::aligned,
    drift::{Drift, grown, is_strict, kinds, moved},
    effect::{Effect, Item},
    scalar::{Digest, Form, Scalar},
    tree::{Pipeline, Source, SourceKind, Step, StepKind},
};

/// Characters of a query that a sentence repeats.
const SHORT: usize = 90;

/// Aggregates to which it is all one how often a value comes.
const BY_VALUE: [&str; 9] = [
    "count_distinct",
    "count_distinctif",
    "dcount",
    "dcountif",
    "make_set",
    "make_set_if",
    "max",
    "min",
    "maxif",
];

/// Whether an aggregate's result depends on the order of rows: it collects them,
/// or takes the first of several that are as good.
fn is_by_order(function: &str) -> bool {
    ["make", "take_any", "any", "arg"]
        .iter()
        .any(|start| function.starts_with(start))
}

/// The text of a query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'q>(pub(crate) &'q str);

impl Text<'_> {
    /// A place of it on one line, cut where it is long.
    pub(crate) fn short(self, span: Span) -> String {
        let text = self.0.get(span.range()).unwrap_or_default();
        let line = text
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .replace('`', "'");
        if line.chars().count() <= SHORT {
            return line;
        }
        let mut cut: String = line.chars().take(SHORT - 1).collect();
        cut.push('…');
        cut
    }
}

/// What became of some rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) items: Vec<Item>,
    /// Columns of the result with other values.
    pub(crate) changed: BTreeSet<Arc<str>>,
}

/// Compares canonical forms of two queries.
pub(crate) struct Comparer<'q> {
    pub(crate) old: Text<'q>,
    pub(crate) new: Text<'q>,
    known: BTreeMap<(Digest, Digest), Found>,
}

/// What has become of the rows so far.
struct State {
    items: Vec<Item>,
    drift: BTreeMap<Arc<str>, Drift>,
    /// Columns were left out or put in another order on the way.
    reshaped: bool,
    /// Rows come in another order.
    reordered: bool,
    /// A join may give the same row more or less often than before.
    repeats: bool,
}

impl State {
    fn effect(&self) -> Effect {
        Effect::of(&self.items)
    }

    fn touches(&self, columns: &BTreeSet<Arc<str>>) -> bool {
        columns.iter().any(|column| self.drift.contains_key(column))
    }
}

impl<'q> Comparer<'q> {
    pub(crate) fn new(old: &'q str, new: &'q str) -> Self {
        Self {
            old: Text(old),
            new: Text(new),
            known: BTreeMap::new(),
        }
    }

    #[allow(clippy::unused_self, reason = "every item is made here")]
    pub(crate) fn item(&self, effect: Effect, text: String, old: Option<Span>, new: Option<Span>) -> Item {
        Item {
            effect,
            text,
            old,
            new,
            table: false,
        }
    }

    /// What becomes of rows when `old` becomes `new`.
    pub(crate) fn rows(&mut self, old: &Pipeline, new: &Pipeline) -> Found {
        if old.digest == new.digest {
            return Found::default();
        }
        if let Some(known) = self.known.get(&(old.digest, new.digest)) {
            return known.clone();
        }
        let mut state = State {
            items: Vec::new(),
            drift: BTreeMap::new(),
            reshaped: false,
            reordered: false,
            repeats: false,
        };
        self.source(&old.source, &new.source, &mut state);
        for stretch in aligned(&old.steps, &new.steps) {
            if stretch.same {
                for step in stretch.new {
                    self.pass(step, &mut state);
                }
            } else {
                self.gap(&stretch.old, &stretch.new, &mut state);
            }
        }
        self.columns(old, new, &mut state);
        let found = Found {
            changed: state.drift.keys().cloned().collect(),
            items: state.items,
        };
        self.known.insert((old.digest, new.digest), found.clone());
        found
    }

    /// Columns of the result.
    fn columns(&self, old: &Pipeline, new: &Pipeline, state: &mut State) {
        let mut told = false;
        let places = (Some(old.span), Some(new.span));
        for (name, ty) in &old.columns {
            let text = match new.columns.iter().find(|(other, _)| other == name) {
                None => format!("the column `{name}` is gone"),
                Some((_, now)) if now != ty => {
                    format!("the column `{name}` is of type {now}, no longer {ty}")
                }
                Some(_) => continue,
            };
            told = true;
            state
                .items
                .push(self.item(Effect::Output, text, places.0, places.1));
        }
        for (name, _) in &new.columns {
            if !old.columns.iter().any(|(other, _)| other == name) {
                told = true;
                let text = format!("the column `{name}` is new");
                state.items.push(self.item(Effect::Output, text, None, places.1));
            }
        }
        if !told && old.columns != new.columns {
            let text = "the columns are in another order".to_owned();
            state
                .items
                .push(self.item(Effect::Output, text, places.0, places.1));
        } else if state.reshaped && state.items.is_empty() {
            let text = "other columns are carried along on the way".to_owned();
            state
                .items
                .push(self.item(Effect::Output, text, places.0, places.1));
        }
    }

    fn source(&mut self, old: &Source, new: &Source, state: &mut State) {
        if old.digest == new.digest {
            return;
        }
        let places = (Some(old.span), Some(new.span));
        match (&old.kind, &new.kind) {
            (SourceKind::Rows(a), SourceKind::Rows(b)) => {
                let (gone, come) = (without(a, b), without(b, a));
                if come > 0 {
                    let text = format!("{come} rows are new");
                    state
                        .items
                        .push(self.item(Effect::Widens, text, places.0, places.1));
                }
                if gone > 0 {
                    let text = format!("{gone} rows are gone");
                    state
                        .items
                        .push(self.item(Effect::Narrows, text, places.0, places.1));
                }
                if come + gone == 0 {
                    let text = "rows or columns are in another order".to_owned();
                    state
                        .items
                        .push(self.item(Effect::Changed, text, places.0, places.1));
                }
            }
            (SourceKind::Union(_), _) | (_, SourceKind::Union(_)) => {
                // What is no table by itself is named by its place.
                let labels = [&old.label, &new.label].into_iter().flatten();
                state
                    .drift
                    .extend(labels.map(|name| (Arc::clone(name), Drift::Any)));
                let (a, b) = (arms(old), arms(new));
                self.union(&a, &b, places, state);
            }
            (a, b) => {
                let text = format!("it reads {} instead of {}", named(b), named(a));
                let mut item = self.item(Effect::Changed, text, places.0, places.1);
                item.table = matches!((a, b), (SourceKind::Table(_), SourceKind::Table(_)));
                state.items.push(item);
            }
        }
    }

    fn union(
        &mut self,
        old: &[Arc<Pipeline>],
        new: &[Arc<Pipeline>],
        places: (Option<Span>, Option<Span>),
        state: &mut State,
    ) {
        let lacks =
            |arm: &Arc<Pipeline>, others: &[Arc<Pipeline>]| !others.iter().any(|o| o.digest == arm.digest);
        let mut gone: Vec<&Arc<Pipeline>> = old.iter().filter(|arm| lacks(arm, new)).collect();
        let mut come: Vec<&Arc<Pipeline>> = new.iter().filter(|arm| lacks(arm, old)).collect();
        let before = state.items.len();
        // An arm that reads the same table is the same arm.
        let mut at = 0;
        while at < gone.len() {
            match come
                .iter()
                .position(|arm| arm.source.digest == gone[at].source.digest)
            {
                Some(place) => {
                    let (was, is) = (gone.remove(at), come.remove(place));
                    let found = self.rows(was, is);
                    state.items.extend(found.items);
                    // What an arm no longer gives is empty in its rows.
                    let lacks = |one: &Pipeline, other: &Pipeline| {
                        let names = |arm: &Pipeline| arm.columns.iter().cloned().collect::<BTreeSet<_>>();
                        let gone: Vec<_> = names(one).difference(&names(other)).cloned().collect();
                        gone.into_iter().map(|(name, _)| (name, Drift::Any))
                    };
                    state.drift.extend(lacks(was, is));
                    state.drift.extend(lacks(is, was));
                    state
                        .drift
                        .extend(found.changed.into_iter().map(|column| (column, Drift::Any)));
                }
                None => at += 1,
            }
        }
        for arm in gone {
            let text = format!("the union no longer takes rows from {}", named(&arm.source.kind));
            let mut item = self.item(Effect::Narrows, text, Some(arm.span), places.1);
            item.table = matches!(arm.source.kind, SourceKind::Table(_));
            state.items.push(item);
        }
        for arm in come {
            let text = format!("the union also takes rows from {}", named(&arm.source.kind));
            state
                .items
                .push(self.item(Effect::Widens, text, places.0, Some(arm.span)));
        }
        if state.items.len() == before {
            // The same tables: how often each, under which names, or which columns.
            let text = "the union gives its rows in another way".to_owned();
            state
                .items
                .push(self.item(Effect::Changed, text, places.0, places.1));
        }
    }

    /// A step that is the same on both sides.
    fn pass(&mut self, step: &Step, state: &mut State) {
        let effect = state.effect();
        let at = Some(step.span);
        let vague = |state: &mut State, why: &str| {
            if state.effect() != Effect::Changed {
                let text = format!("`{}` {why}", self.new.short(step.span));
                state.items.push(self.item(Effect::Changed, text, None, at));
            }
        };
        match &step.kind {
            StepKind::Filter(condition) => {
                if condition.window && (effect.moves_rows() || state.reordered || state.repeats) {
                    vague(state, "looks at neighbours, which are other rows now");
                }
                if state.touches(&condition.columns) {
                    match moved(condition, &state.drift) {
                        Some(then) if effect.and(then) == effect => {}
                        Some(then) => {
                            let text = format!("`{}` now sees other values", self.new.short(step.span));
                            state.items.push(self.item(then, text, None, at));
                        }
                        None => vague(state, "now sees other values"),
                    }
                }
            }
            StepKind::Assign(group) => {
                let drifted: Vec<(Arc<str>, Option<Drift>)> = group
                    .iter()
                    .map(|(name, value)| {
                        let drift = match &value.form {
                            Form::Column(column) => state.drift.get(column).copied(),
                            _ if value.window
                                && (effect.moves_rows() || state.reordered || state.repeats)
                                || state.touches(&value.columns) =>
                            {
                                Some(Drift::Any)
                            }
                            _ => None,
                        };
                        (Arc::clone(name), drift)
                    })
                    .collect();
                for (name, drift) in drifted {
                    match drift {
                        Some(drift) => state.drift.insert(name, drift),
                        None => state.drift.remove(&name),
                    };
                }
            }
            StepKind::Shape(left) => state.drift.retain(|column, _| left.contains(column)),
            StepKind::Summarize { keys, aggregates } => {
                if keys.iter().any(|(_, key)| state.touches(&key.columns)) {
                    vague(state, "groups by a value that is computed differently");
                }
                let mut drift = BTreeMap::new();
                for aggregate in aggregates {
                    let touched = aggregate.args.iter().any(|arg| state.touches(&arg.columns));
                    let counts = state.repeats && !BY_VALUE.contains(&aggregate.function);
                    let ordered = state.reordered && is_by_order(aggregate.function);
                    let moved = match (effect, touched || counts || ordered) {
                        (Effect::Same | Effect::Output, false) => continue,
                        (Effect::Widens, false) => grown(aggregate.function, true),
                        (Effect::Narrows, false) => grown(aggregate.function, false),
                        _ => Drift::Any,
                    };
                    drift.extend(aggregate.names.iter().map(|name| (Arc::clone(name), moved)));
                }
                state.drift = drift;
                state.repeats = false;
            }
            StepKind::Distinct(exprs) => {
                state.repeats = false;
                if exprs.iter().any(|expr| state.touches(&expr.columns)) {
                    vague(state, "takes values that are computed differently");
                }
            }
            StepKind::Count => {
                state.drift = match effect {
                    _ if state.repeats => [("Count".into(), Drift::Any)].into(),
                    Effect::Same | Effect::Output => BTreeMap::new(),
                    Effect::Widens => [("Count".into(), Drift::Grown)].into(),
                    Effect::Narrows => [("Count".into(), Drift::Shrunk)].into(),
                    _ => [("Count".into(), Drift::Any)].into(),
                };
            }
            StepKind::Sort => {}
            StepKind::Limit(_, keys) => {
                if effect.moves_rows()
                    || state.repeats
                    || state.reordered && keys.is_empty()
                    || keys.iter().any(|key| state.touches(&key.columns))
                {
                    vague(state, "takes its rows from other ones");
                }
            }
            StepKind::Join { kind, keys, .. } => {
                if keys.iter().any(|(left, _)| state.touches(&left.columns)) {
                    vague(state, "joins on a value that is computed differently");
                }
                if effect.moves_rows() {
                    match kind {
                        JoinKind::RightAnti => {
                            for item in &mut state.items {
                                item.effect = item.effect.mirrored();
                            }
                        }
                        JoinKind::RightOuter | JoinKind::FullOuter => {
                            vague(state, "keeps rows that match none");
                        }
                        _ => {}
                    }
                }
                if matches!(kind, JoinKind::RightSemi | JoinKind::RightAnti) {
                    state.drift.clear();
                }
            }
            StepKind::Other { row_wise, reads, .. } => {
                if (effect.moves_rows() || state.repeats) && !row_wise {
                    vague(state, "looks at all rows, which are others now");
                }
                if state.touches(reads) || !row_wise && !state.drift.is_empty() {
                    vague(state, "now sees other values");
                }
            }
        }
    }

    /// Steps that are not the same on both sides, between two that are.
    fn gap(&mut self, old: &[&Arc<Step>], new: &[&Arc<Step>], state: &mut State) {
        let is_filter = |step: &Arc<Step>| matches!(step.kind, StepKind::Filter(_));
        let (mut old, mut new) = (old, new);
        // The first steps of both sides that stand in one place, filters aside.
        let pair = |old: &[&Arc<Step>], new: &[&Arc<Step>]| {
            let fits = |step: &Arc<Step>, other: &Arc<Step>| !is_filter(other) && same_place(other, step);
            new.iter().enumerate().find_map(|(there, step)| {
                let here = (!is_filter(step))
                    .then(|| old.iter().position(|other| fits(step, other)))
                    .flatten()?;
                Some((here, there))
            })
        };
        while let Some((here, there)) = pair(old, new) {
            self.segment(&old[..here], &new[..there], state);
            self.changed(old[here], new[there], state);
            (old, new) = (&old[here + 1..], &new[there + 1..]);
        }
        self.segment(old, new, state);
    }

    /// Steps of which none has a counterpart but filters.
    fn segment(&mut self, old: &[&Arc<Step>], new: &[&Arc<Step>], state: &mut State) {
        let filters = |steps: &[&Arc<Step>]| -> Vec<Arc<Scalar>> {
            steps
                .iter()
                .filter_map(|step| match &step.kind {
                    StepKind::Filter(condition) => Some(Arc::clone(condition)),
                    _ => None,
                })
                .collect()
        };
        let (was, is) = (filters(old), filters(new));
        // Filters come first, as steps behind them look at what they leave.
        let found = self.set(&was, &is, true);
        state.items.extend(found);
        let others = |steps: &[&Arc<Step>]| -> Vec<Arc<Step>> {
            steps
                .iter()
                .filter(|step| !matches!(step.kind, StepKind::Filter(_)))
                .map(|step| Arc::clone(step))
                .collect()
        };
        for lost in others(old) {
            self.gone(&lost, state);
        }
        for step in others(new) {
            self.come(&step, state);
        }
        let kept = |step: &&&Arc<Step>| old.iter().any(|other| other.digest == step.digest);
        for step in new.iter().filter(kept) {
            if matches!(step.kind, StepKind::Filter(_)) {
                self.pass(step, state);
            }
        }
        let lacks =
            |one: &Arc<Scalar>, others: &[Arc<Scalar>]| !others.iter().any(|o| o.digest == one.digest);
        // Conditions that changed may also see what else did.
        let drifted = was.iter().filter(|a| lacks(a, &is)).any(|a| {
            let both = |column: &&Arc<str>| {
                is.iter()
                    .filter(|b| lacks(b, &was))
                    .any(|b| b.columns.contains(*column))
            };
            a.columns
                .iter()
                .filter(both)
                .any(|column| state.drift.contains_key(column))
        });
        if drifted {
            let text = "a condition that changed also sees other values".to_owned();
            let at = is.first().map(|condition| condition.span);
            state.items.push(self.item(Effect::Changed, text, None, at));
        }
    }

    fn changed(&mut self, old: &Step, new: &Step, state: &mut State) {
        if old.digest == new.digest {
            self.pass(new, state);
            return;
        }
        let places = (Some(old.span), Some(new.span));
        let (was, is) = (self.old.short(old.span), self.new.short(new.span));
        match (&old.kind, &new.kind) {
            (StepKind::Assign(_), StepKind::Assign(group)) => {
                for (name, _) in group {
                    state.drift.insert(Arc::clone(name), Drift::Any);
                }
                let text = format!(
                    "`{}` is computed differently",
                    list(group.iter().map(|(name, _)| name))
                );
                state
                    .items
                    .push(self.item(Effect::Output, text, places.0, places.1));
            }
            (StepKind::Shape(_), StepKind::Shape(_)) => {
                state.reshaped = true;
                self.pass(new, state);
            }
            (StepKind::Sort, StepKind::Sort) => {
                state.reordered = true;
                let text = format!("rows come in another order: `{is}`");
                state
                    .items
                    .push(self.item(Effect::Output, text, places.0, places.1));
            }
            (StepKind::Limit(a, keys), StepKind::Limit(b, others))
                if keys.iter().map(|k| k.digest).eq(others.iter().map(|k| k.digest)) =>
            {
                let moved = state.effect().moves_rows();
                let effect = match (number(a), number(b)) {
                    (Some(a), Some(b)) if !moved && b > a => Effect::Widens,
                    (Some(a), Some(b)) if !moved && b < a => Effect::Narrows,
                    _ => Effect::Changed,
                };
                let text = format!("`{was}` is now `{is}`");
                state.items.push(self.item(effect, text, places.0, places.1));
            }
            (
                StepKind::Summarize { keys, aggregates },
                StepKind::Summarize {
                    keys: now,
                    aggregates: then,
                },
            ) if keys.len() == now.len()
                && keys
                    .iter()
                    .zip(now)
                    .all(|(a, b)| a.0 == b.0 && a.1.digest == b.1.digest) =>
            {
                self.pass(new, state);
                for aggregate in then {
                    if aggregates.iter().any(|other| other.digest == aggregate.digest) {
                        continue;
                    }
                    for name in &aggregate.names {
                        state.drift.insert(Arc::clone(name), Drift::Any);
                    }
                    let text = format!("`{}` is computed differently", self.new.short(aggregate.span));
                    state
                        .items
                        .push(self.item(Effect::Output, text, places.0, Some(aggregate.span)));
                }
                state.reshaped = true;
            }
            (
                StepKind::Join {
                    right: beside,
                    kind: a,
                    keys: left,
                    ..
                },
                StepKind::Join {
                    right,
                    kind: b,
                    keys: pairs,
                    from_right,
                },
            ) => {
                let keys: BTreeSet<(Digest, Digest)> =
                    left.iter().map(|(x, y)| (x.digest, y.digest)).collect();
                let now: BTreeSet<(Digest, Digest)> =
                    pairs.iter().map(|(x, y)| (x.digest, y.digest)).collect();
                self.pass(new, state);
                let once = |kind: JoinKind| {
                    use JoinKind::{LeftAnti, LeftSemi, RightAnti, RightSemi};
                    matches!(kind, LeftAnti | LeftSemi | RightAnti | RightSemi)
                };
                if !once(*a) || !once(*b) {
                    state.repeats = true;
                }
                if a != b || keys != now {
                    let effect = if beside.digest == right.digest && a == b && is_strict(*b) {
                        // More keys to agree on let fewer rows through.
                        let anti = matches!(b, JoinKind::LeftAnti | JoinKind::RightAnti);
                        let effect = match (keys.is_subset(&now), now.is_subset(&keys)) {
                            (true, false) => Effect::Narrows,
                            (false, true) => Effect::Widens,
                            _ => Effect::Changed,
                        };
                        if anti { effect.mirrored() } else { effect }
                    } else if beside.digest == right.digest && keys == now {
                        kinds(*a, *b)
                    } else {
                        Effect::Changed
                    };
                    let text = format!("`{was}` is now `{is}`");
                    state.items.push(self.item(effect, text, places.0, places.1));
                }
                if beside.digest != right.digest {
                    self.right_side(beside, right, *b, pairs, from_right, state);
                } else if a == b && keys == now {
                    state.reshaped = true;
                }
            }
            _ => {
                let text = format!("`{was}` is now `{is}`");
                state
                    .items
                    .push(self.item(Effect::Changed, text, places.0, places.1));
            }
        }
    }

    /// The right side of a join is another one.
    fn right_side(
        &mut self,
        old: &Pipeline,
        new: &Pipeline,
        kind: JoinKind,
        keys: &[(Arc<Scalar>, Arc<Scalar>)],
        from_right: &[Arc<str>],
        state: &mut State,
    ) {
        let found = self.rows(old, new);
        let on_changed = keys
            .iter()
            .any(|(_, key)| key.columns.iter().any(|column| found.changed.contains(column)));
        let moved = Effect::of(&found.items).moves_rows();
        let semi = matches!(kind, JoinKind::LeftSemi | JoinKind::LeftAnti);
        for mut item in found.items {
            item.effect = match (item.effect, kind) {
                (Effect::Output, _) if on_changed => Effect::Changed,
                // Columns of the right side do not come out.
                (Effect::Output, _) if semi => Effect::Same,
                (effect, JoinKind::LeftAnti) => effect.mirrored(),
                (effect, JoinKind::LeftOuter) if effect != Effect::Changed && effect.moves_rows() => {
                    Effect::Output
                }
                (effect, JoinKind::FullOuter) if effect.moves_rows() => Effect::Changed,
                (effect, _) => effect,
            };
            state.items.push(item);
        }
        let outer = matches!(kind, JoinKind::LeftOuter | JoinKind::FullOuter);
        for column in from_right {
            // A column of both sides has a digit behind its name.
            let plain = column.trim_end_matches(|c: char| c.is_ascii_digit());
            if outer && moved || found.changed.contains(column) || found.changed.contains(plain) {
                state.drift.insert(Arc::clone(column), Drift::Any);
            }
        }
    }

    fn come(&mut self, step: &Step, state: &mut State) {
        let text = format!("`{}` is new", self.new.short(step.span));
        self.alone(step, text, true, state);
    }

    fn gone(&mut self, step: &Step, state: &mut State) {
        let text = format!("`{}` is gone", self.old.short(step.span));
        self.alone(step, text, false, state);
    }

    /// A step that only one side has.
    fn alone(&mut self, step: &Step, text: String, come: bool, state: &mut State) {
        let effect = match &step.kind {
            StepKind::Filter(_) => Effect::Narrows,
            StepKind::Assign(group) => {
                for (name, _) in group {
                    state.drift.insert(Arc::clone(name), Drift::Any);
                }
                Effect::Output
            }
            StepKind::Shape(_) => {
                state.reshaped = true;
                return;
            }
            StepKind::Sort => {
                state.reordered = true;
                Effect::Output
            }
            StepKind::Limit(..) if !state.effect().moves_rows() => Effect::Narrows,
            StepKind::Join { kind, from_right, .. } => {
                state.repeats |= !matches!(kind, JoinKind::LeftSemi | JoinKind::LeftAnti);
                let joined = from_right.iter().map(|name| (Arc::clone(name), Drift::Any));
                match kind {
                    JoinKind::LeftSemi | JoinKind::LeftAnti => Effect::Narrows,
                    JoinKind::Inner | JoinKind::InnerUnique => {
                        state.drift.extend(joined);
                        Effect::Narrows
                    }
                    JoinKind::LeftOuter => {
                        state.drift.extend(joined);
                        Effect::Output
                    }
                    _ => Effect::Changed,
                }
            }
            StepKind::Other { name, writes, .. }
                if name.starts_with("invoke ") || name == "parse" || name == "parse-kv" =>
            {
                let written = writes.iter().map(|name| (Arc::clone(name), Drift::Any));
                state.drift.extend(written);
                Effect::Output
            }
            _ => Effect::Changed,
        };
        let effect = if come { effect } else { effect.mirrored() };
        let at = Some(step.span);
        let (old, new) = if come { (None, at) } else { (at, None) };
        state.items.push(self.item(effect, text, old, new));
    }
}

fn number(value: &Scalar) -> Option<i64> {
    match &value.form {
        Form::Constant(Value::Int(n)) => Some(i64::from(*n)),
        Form::Constant(Value::Long(n)) => Some(*n),
        _ => None,
    }
}

/// Whether two steps that differ are the same one before and after.
fn same_place(old: &Step, new: &Step) -> bool {
    match (&old.kind, &new.kind) {
        (StepKind::Assign(a), StepKind::Assign(b)) => a.iter().map(|(n, _)| n).eq(b.iter().map(|(n, _)| n)),
        (StepKind::Other { name: a, .. }, StepKind::Other { name: b, .. }) => a == b,
        (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}

fn without(rows: &[Digest], others: &[Digest]) -> usize {
    let mut left: BTreeMap<&Digest, usize> = BTreeMap::new();
    for row in others {
        *left.entry(row).or_default() += 1;
    }
    rows.iter()
        .filter(|row| match left.get_mut(row) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        })
        .count()
}

/// The arms of a union; of any other source itself.
fn arms(source: &Source) -> Vec<Arc<Pipeline>> {
    match &source.kind {
        SourceKind::Union(arms) => arms.clone(),
        _ => vec![Pipeline::bare(source)],
    }
}

fn named(kind: &SourceKind) -> String {
    match kind {
        SourceKind::Table(name) => format!("`{name}`"),
        SourceKind::Union(_) => "a union".to_owned(),
        SourceKind::Rows(_) => "rows of its own".to_owned(),
        SourceKind::Other(name) => name.clone(),
    }
}

fn list<'n>(names: impl Iterator<Item = &'n Arc<str>>) -> String {
    names.map(|name| &**name).collect::<Vec<_>>().join("`, `")
}
