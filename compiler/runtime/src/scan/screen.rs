//! Which conditions a line may meet, decided on the raw bytes of its fields.
//!
//! In: the [`Necessary`] conditions of any number of rules, and fields found in
//! a line. Out: the numbers of the conditions that the line may meet. A few
//! conditions are asked one by one. With many, each field is looked through
//! once for the texts of all of them, what was found in a value is remembered
//! for the next line with that value, and only conditions of which a telling
//! text was found are asked at all.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::{Anchored, MatchKind, dfa, nfa::contiguous};
use rulec_functions::{Necessary, TextTest};

use super::formula::{Ask, Formula, Leaf, Leaves};
use super::needle::{Raw, unescape};
use super::shape::{Fields, Line};

/// Up to how many texts of all conditions are looked for one by one.
const FEW: usize = 24;

/// Up to how many texts an automaton has a table for every state: quicker to
/// run, slower to build.
const DENSE: usize = 4096;

/// Bytes of a text for which many texts at once are worth an automaton that
/// takes long to build, and up to which it is not worth another.
const LONG: usize = 32 << 20;
const SHORT: usize = 8 << 20;

/// Values of a field whose findings are remembered, and the longest of them.
const REMEMBERED: usize = 1 << 14;
const REMEMBERED_BYTES: usize = 512;

/// Lines after which a field is asked whether remembering pays.
const TRIAL: u32 = 4096;

/// Lines of which each thread learns what of a few conditions it had best ask
/// first: what fails most often for what it costs.
const LEARNED: u64 = 256;

/// Conditions ready to be asked.
#[derive(Debug)]
pub(super) struct Screen {
    fields: Arc<[Box<str>]>,
    conditions: Vec<Formula>,
    leaves: Vec<Leaf>,
    /// With many texts: per field, all its texts at once.
    index: Option<Index>,
}

#[derive(Debug)]
struct Index {
    /// Per field; none where no text is looked for in it.
    fields: Vec<Option<FieldIndex>>,
    /// Per leaf, whether its texts are looked for in every line. Others are
    /// asked where a condition depends on them.
    looked_for: Vec<bool>,
    /// Per leaf, the conditions that it makes worth asking.
    wakes: Vec<Vec<u32>>,
    /// Conditions that are asked for every line.
    always: Vec<u32>,
}

#[derive(Debug)]
struct FieldIndex {
    /// Whole values in lower case, and the needles that are them.
    whole: HashMap<Box<[u8]>, Vec<(u32, u32)>>,
    /// Everything else; `parts[pattern]` are its needles. An error where they
    /// are too many for one automaton.
    automaton: Result<Option<Machine>, ()>,
    parts: Vec<Vec<(u32, u32)>>,
    /// The leaves of the field, for values that cannot be asked.
    leaves: Vec<u32>,
}

/// What one thread keeps from line to line.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    line: u64,
    /// A few conditions, in the order in which this thread asks for their parts.
    conditions: Vec<Formula>,
    /// Per leaf, the last line in which it held; of a few conditions, how often it did.
    held: Vec<u64>,
    /// Per field, the last line in which its value was looked at, and what it is.
    kinds: Vec<Cell<(u64, Kind)>>,
    /// Per leaf that is asked only when needed, the last line in which it was
    /// asked, doubled, and one more if it held.
    asked: Vec<Cell<u64>>,
    /// Per condition, the last line in which it was worth asking.
    woken: Vec<u64>,
    memory: Vec<Remembered>,
    lower: Vec<u8>,
    /// A text as it was before it was written as JSON.
    text: RefCell<Vec<u8>>,
    found: Vec<u32>,
    candidates: Vec<u32>,
}

/// The leaves that values of one field were found to meet.
#[derive(Debug, Default)]
struct Remembered {
    values: HashMap<Box<[u8]>, Box<[u32]>, Quick>,
    lines: u32,
    hits: u32,
    given_up: bool,
}

type Quick = foldhash::fast::FixedState;

impl Screen {
    /// Conditions over fields, for a run at a time.
    pub(super) fn new(conditions: &[&Necessary], fields: &Arc<[Box<str>]>, now: i64) -> Self {
        let mut screen = Self::bare(conditions, fields, now);
        if let Some(index) = &mut screen.index {
            index.choose(&screen.conditions, &screen.leaves, &vec![0; screen.leaves.len()]);
            index.look_for_telling();
            index.look_for(&screen.leaves, true);
        }
        screen
    }

    /// The same after a look at parts of a text, to learn which texts are
    /// seldom where that matters. Lines that are not wholly in a part are
    /// passed over. `length` is that of the whole text.
    pub(super) fn tuned<'t>(
        conditions: &[&Necessary],
        names: &Arc<[Box<str>]>,
        now: i64,
        parts: impl Iterator<Item = &'t [u8]>,
        fields: &mut Fields,
        length: usize,
    ) -> Self {
        let mut screen = Self::bare(conditions, names, now);
        if let Some(mut index) = screen.index.take() {
            index.look_for_all(&screen.leaves);
            let hits = screen.sample(&index, parts, fields);
            index.choose(&screen.conditions, &screen.leaves, &hits);
            // In a short text what is there already finds as much in no more time.
            if length > SHORT {
                index.look_for_telling();
                index.look_for(&screen.leaves, length > LONG);
            }
            screen.index = Some(index);
        }
        screen
    }

    /// With an index that looks for nothing yet.
    fn bare(conditions: &[&Necessary], fields: &Arc<[Box<str>]>, now: i64) -> Self {
        let mut leaves = Leaves::new(fields, now);
        let mut conditions: Vec<_> = conditions.iter().map(|c| leaves.formula(c)).collect();
        let mut leaves = leaves.made;
        let texts: usize = leaves
            .iter()
            .map(|leaf| match &leaf.ask {
                Ask::Texts(needles) => needles.len(),
                _ => 0,
            })
            .sum();
        let index = (texts > FEW).then(|| Index::new(fields.len()));
        if index.is_none() {
            for condition in &mut conditions {
                condition.gate(&mut leaves);
            }
        }
        Self {
            fields: fields.clone(),
            conditions,
            leaves,
            index,
        }
    }

    /// How often each leaf holds in parts of a text.
    fn sample<'t>(
        &self,
        index: &Index,
        parts: impl Iterator<Item = &'t [u8]>,
        fields: &mut Fields,
    ) -> Vec<usize> {
        let mut scratch = self.scratch();
        let mut hits = vec![0; self.leaves.len()];
        for part in parts {
            let mut at = memchr::memchr(b'\n', part).map_or(part.len(), |end| end + 1);
            while at < part.len() {
                let (line, end) = fields.line(part, at);
                at = end + 1;
                if line != Line::Object || end == part.len() {
                    continue;
                }
                for (field, texts) in index.fields.iter().enumerate() {
                    if let Some(texts) = texts {
                        self.find(texts, field, Raw::of(fields.raw(part, field)), &mut scratch);
                        for leaf in &scratch.found {
                            hits[*leaf as usize] += 1;
                        }
                    }
                }
            }
        }
        hits
    }

    /// Room for one thread.
    pub(super) fn scratch(&self) -> Scratch {
        Scratch {
            conditions: if self.index.is_none() {
                self.conditions.clone()
            } else {
                Vec::new()
            },
            held: vec![0; self.leaves.len()],
            asked: vec![Cell::new(0); self.leaves.len()],
            kinds: vec![Cell::new((0, Kind::Empty)); self.fields.len()],
            woken: vec![0; self.conditions.len()],
            memory: (0..self.fields.len()).map(|_| Remembered::default()).collect(),
            ..Scratch::default()
        }
    }

    /// Calls `each` with the numbers of the conditions that the line last found may meet, in order.
    #[inline]
    pub(super) fn line(
        &self,
        text: &[u8],
        fields: &Fields,
        scratch: &mut Scratch,
        mut each: impl FnMut(usize),
    ) {
        scratch.line += 1;
        let Some(index) = &self.index else {
            if scratch.line <= LEARNED {
                self.learn(text, fields, scratch);
            }
            for (number, condition) in scratch.conditions.iter().enumerate() {
                if self.asks(condition, text, fields, scratch) {
                    each(number);
                }
            }
            return;
        };
        scratch.candidates.clear();
        scratch.candidates.extend(&index.always);
        for (field, texts) in index.fields.iter().enumerate() {
            if let Some(texts) = texts {
                let raw = Raw::of(fields.raw(text, field));
                self.find(texts, field, raw, scratch);
                for leaf in &scratch.found {
                    scratch.held[*leaf as usize] = scratch.line;
                    for condition in &index.wakes[*leaf as usize] {
                        let woken = &mut scratch.woken[*condition as usize];
                        if *woken != scratch.line {
                            *woken = scratch.line;
                            scratch.candidates.push(*condition);
                        }
                    }
                }
            }
        }
        scratch.candidates.sort_unstable();
        for number in &scratch.candidates {
            if self.holds(&self.conditions[*number as usize], index, text, fields, scratch) {
                each(*number as usize);
            }
        }
    }

    /// Asks everything of a line, and of the last such line on begins with what
    /// decides most.
    #[cold]
    fn learn(&self, text: &[u8], fields: &Fields, scratch: &mut Scratch) {
        // Expressions are compiled when a line comes to them, which may be never.
        let is_asked = |leaf: &Leaf| !matches!(leaf.ask, Ask::Match(_));
        for (number, leaf) in self.leaves.iter().enumerate() {
            scratch.held[number] += u64::from(is_asked(leaf) && leaf.asks(text, fields, scratch));
        }
        if scratch.line == LEARNED {
            let share = |leaf: usize| {
                if is_asked(&self.leaves[leaf]) {
                    scratch.held[leaf] as f64 / LEARNED as f64
                } else {
                    0.5
                }
            };
            for condition in &mut scratch.conditions {
                condition.order(&self.leaves, &share);
            }
        }
    }

    /// Puts the leaves that a value may meet into `scratch.found`.
    fn find(&self, texts: &FieldIndex, field: usize, raw: Raw<'_>, scratch: &mut Scratch) {
        scratch.found.clear();
        let (content, plain) = match raw {
            Raw::Empty => return,
            Raw::Text(content, plain) if texts.automaton.is_ok() => (content, plain),
            Raw::Text(..) | Raw::Unsure => {
                scratch.found.extend(&texts.leaves);
                return;
            }
        };
        let memory = &mut scratch.memory[field];
        let remembers = !memory.given_up && content.len() <= REMEMBERED_BYTES;
        if remembers {
            memory.lines += 1;
            if let Some(found) = memory.values.get(content) {
                memory.hits += 1;
                scratch.found.extend(found);
                return;
            }
            if memory.lines == TRIAL {
                memory.given_up = memory.hits < TRIAL / 4;
                if memory.given_up {
                    memory.values = HashMap::default();
                }
                memory.lines = 0;
                memory.hits = 0;
            }
        }
        scratch.lower.clear();
        scratch.lower.extend(content.iter().map(u8::to_ascii_lowercase));
        let found = &mut scratch.found;
        let mut meets = |(leaf, needle): (u32, u32)| {
            if let Ask::Texts(needles) = &self.leaves[leaf as usize].ask
                && needles[needle as usize].may_pass(content, plain)
            {
                found.push(leaf);
            }
        };
        if plain {
            if let Some(whole) = texts.whole.get(&scratch.lower[..]) {
                whole.iter().copied().for_each(&mut meets);
            }
            if let Ok(Some(automaton)) = &texts.automaton {
                automaton.each(&scratch.lower, |pattern| {
                    texts.parts[pattern].iter().copied().for_each(&mut meets);
                });
            }
        } else {
            // What folds into ASCII is left to each text.
            for leaf in &texts.leaves {
                if let Ask::Texts(needles) = &self.leaves[*leaf as usize].ask {
                    (0..needles.len() as u32).for_each(|needle| meets((*leaf, needle)));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        let memory = &mut scratch.memory[field];
        if remembers && !memory.given_up && memory.values.len() < REMEMBERED {
            memory.values.insert(content.into(), found.as_slice().into());
        }
    }

    /// Whether a line may meet a condition, its texts having been looked for.
    fn holds(
        &self,
        formula: &Formula,
        index: &Index,
        text: &[u8],
        fields: &Fields,
        scratch: &Scratch,
    ) -> bool {
        let holds = |part| self.holds(part, index, text, fields, scratch);
        match formula {
            Formula::All(parts) => parts.iter().all(holds),
            Formula::Any(parts) => parts.iter().any(holds),
            Formula::Leaf(leaf) if index.looked_for[*leaf] => scratch.held[*leaf] == scratch.line,
            Formula::Leaf(leaf) => {
                let asked = &scratch.asked[*leaf];
                if asked.get() >> 1 != scratch.line {
                    let holds = self.leaves[*leaf].asks(text, fields, scratch);
                    asked.set(scratch.line << 1 | u64::from(holds));
                }
                asked.get() & 1 == 1
            }
        }
    }

    /// The same with nothing looked for before.
    #[inline]
    fn asks(&self, formula: &Formula, text: &[u8], fields: &Fields, scratch: &Scratch) -> bool {
        match formula {
            Formula::All(parts) => parts.iter().all(|part| self.asks(part, text, fields, scratch)),
            Formula::Any(parts) => parts.iter().any(|part| self.asks(part, text, fields, scratch)),
            Formula::Leaf(leaf) => self.leaves[*leaf].asks(text, fields, scratch),
        }
    }
}

impl Leaf {
    #[inline]
    fn asks(&self, text: &[u8], fields: &Fields, scratch: &Scratch) -> bool {
        let raw = fields.raw(text, self.field);
        match &self.ask {
            Ask::Texts(texts) if texts.are_out(raw) => false,
            Ask::Texts(needles) => match scratch.look(self.field, raw) {
                Raw::Text(content, plain) => needles.iter().any(|needle| needle.may_pass(content, plain)),
                Raw::Empty => false,
                Raw::Unsure => true,
            },
            Ask::First(texts) => !texts.are_out(raw),
            Ask::Inside(inside) => raw.is_some_and(|raw| inside.may_be_in(raw)),
            Ask::Match(pattern) => match scratch.look(self.field, raw) {
                Raw::Text(content, _) => {
                    pattern.may_match_in(content)
                        && pattern.matches(unescape(content, &mut scratch.text.borrow_mut()))
                }
                Raw::Empty => pattern.matches(b""),
                Raw::Unsure => true,
            },
            Ask::Numbers(values) => match raw {
                None | Some(b"null" | b"\"\"") => false,
                Some(raw) => whole_number(raw).is_none_or(|number| values.contains(&number)),
            },
            Ask::Times(span) => match raw {
                None | Some(b"null" | b"\"\"") => false,
                Some(raw) => span.may_hold(raw),
            },
        }
    }
}

/// What the value of a field is, without the value.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Empty,
    Unsure,
    Text { plain: bool },
}

impl Scratch {
    /// Looks at a value once a line, however many conditions ask for it.
    #[inline]
    fn look<'t>(&self, field: usize, raw: Option<&'t [u8]>) -> Raw<'t> {
        let (line, kind) = self.kinds[field].get();
        if line != self.line {
            let found = Raw::of(raw);
            let kind = match found {
                Raw::Empty => Kind::Empty,
                Raw::Unsure => Kind::Unsure,
                Raw::Text(_, plain) => Kind::Text { plain },
            };
            self.kinds[field].set((self.line, kind));
            return found;
        }
        match (kind, raw) {
            (Kind::Text { plain }, Some([_, content @ .., _])) => Raw::Text(content, plain),
            (Kind::Empty, _) => Raw::Empty,
            _ => Raw::Unsure,
        }
    }
}

/// A whole number in its plainest form, in quotes or not.
fn whole_number(raw: &[u8]) -> Option<i64> {
    let digits = match raw {
        [b'"', content @ .., b'"'] => content,
        other => other,
    };
    let unsigned = digits.strip_prefix(b"-").unwrap_or(digits);
    if unsigned.is_empty() || unsigned.len() > 18 || !unsigned.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

impl Index {
    fn new(fields: usize) -> Self {
        Self {
            fields: (0..fields).map(|_| None).collect(),
            looked_for: Vec::new(),
            wakes: Vec::new(),
            always: Vec::new(),
        }
    }

    /// Chooses for each condition the leaves that make it worth asking, by how
    /// often each leaf has held in a sample.
    fn choose(&mut self, conditions: &[Formula], leaves: &[Leaf], hits: &[usize]) {
        self.wakes = vec![Vec::new(); leaves.len()];
        self.always.clear();
        for (number, condition) in conditions.iter().enumerate() {
            let Some(telling) = telling(condition, leaves, hits) else {
                self.always.push(number as u32);
                continue;
            };
            for leaf in telling.leaves {
                let woken = &mut self.wakes[leaf];
                if woken.last() != Some(&(number as u32)) {
                    woken.push(number as u32);
                }
            }
        }
    }

    /// Has only texts looked for that make a condition worth asking.
    fn look_for_telling(&mut self) {
        self.looked_for = self.wakes.iter().map(|woken| !woken.is_empty()).collect();
    }

    /// Has all texts looked for, as long as it is not known which are seldom.
    fn look_for_all(&mut self, leaves: &[Leaf]) {
        self.looked_for = leaves
            .iter()
            .map(|leaf| matches!(leaf.ask, Ask::Texts(_)))
            .collect();
        self.look_for(leaves, false);
    }

    fn look_for(&mut self, leaves: &[Leaf], often: bool) {
        for (field, index) in self.fields.iter_mut().enumerate() {
            *index = FieldIndex::new(leaves, &self.looked_for, field, often);
        }
    }
}

/// Leaves of which one holds whenever a condition does.
struct Telling {
    leaves: Vec<usize>,
    /// How often they have held, all together.
    hits: usize,
    /// How many bytes the shortest of their texts has.
    length: usize,
}

fn telling(formula: &Formula, leaves: &[Leaf], hits: &[usize]) -> Option<Telling> {
    match formula {
        Formula::Leaf(leaf) => match &leaves[*leaf].ask {
            Ask::Texts(needles) => Some(Telling {
                leaves: vec![*leaf],
                hits: hits[*leaf],
                length: needles.iter().map(|needle| needle.bytes.len()).min().unwrap_or(0),
            }),
            _ => None,
        },
        Formula::All(parts) => parts
            .iter()
            .filter_map(|part| telling(part, leaves, hits))
            .min_by_key(|part| (part.hits, usize::MAX - part.length, part.leaves.len())),
        Formula::Any(parts) => {
            let mut all = Telling {
                leaves: Vec::new(),
                hits: 0,
                length: usize::MAX,
            };
            for part in parts {
                let part = telling(part, leaves, hits)?;
                all.leaves.extend(part.leaves);
                all.hits += part.hits;
                all.length = all.length.min(part.length);
            }
            Some(all)
        }
    }
}

impl FieldIndex {
    /// The texts of some leaves over a field; none where there are none.
    fn new(leaves: &[Leaf], looked_for: &[bool], field: usize, often: bool) -> Option<Self> {
        let mut whole: HashMap<Box<[u8]>, Vec<(u32, u32)>> = HashMap::new();
        let mut patterns: Vec<Box<[u8]>> = Vec::new();
        let mut places: HashMap<Box<[u8]>, usize> = HashMap::new();
        let mut parts: Vec<Vec<(u32, u32)>> = Vec::new();
        let mut own = Vec::new();
        for (number, leaf) in leaves.iter().enumerate() {
            let Ask::Texts(needles) = &leaf.ask else { continue };
            if leaf.field != field || !looked_for[number] {
                continue;
            }
            own.push(number as u32);
            for (place, needle) in needles.iter().enumerate() {
                let lower: Box<[u8]> = needle.bytes.to_ascii_lowercase().into();
                let entry = (number as u32, place as u32);
                if needle.test == TextTest::Is {
                    whole.entry(lower).or_default().push(entry);
                } else {
                    let at = *places.entry(lower.clone()).or_insert_with(|| {
                        patterns.push(lower);
                        parts.push(Vec::new());
                        parts.len() - 1
                    });
                    parts[at].push(entry);
                }
            }
        }
        if own.is_empty() {
            return None;
        }
        let automaton = match patterns.len() {
            0 => Ok(None),
            number => Machine::new(&patterns, often && number <= DENSE).map(Some),
        };
        Some(Self {
            whole,
            automaton,
            parts,
            leaves: own,
        })
    }
}

/// Looks for all texts at once.
#[derive(Debug)]
enum Machine {
    /// With a table for every state: quick to run and slow to build.
    Dense(dfa::DFA),
    Sparse(contiguous::NFA),
}

impl Machine {
    fn new(patterns: &[Box<[u8]>], dense: bool) -> Result<Self, ()> {
        let kind = MatchKind::Standard;
        if dense {
            let built = dfa::DFA::builder().match_kind(kind).build(patterns);
            built.map(Machine::Dense).map_err(drop)
        } else {
            let built = contiguous::NFA::builder().match_kind(kind).build(patterns);
            built.map(Machine::Sparse).map_err(drop)
        }
    }

    /// Gives the number of each text where it ends, as often as it is there.
    fn each(&self, text: &[u8], found: impl FnMut(usize)) {
        match self {
            Machine::Dense(machine) => each(machine, text, found),
            Machine::Sparse(machine) => each(machine, text, found),
        }
    }
}

fn each(machine: &impl Automaton, text: &[u8], mut found: impl FnMut(usize)) {
    let Ok(mut state) = machine.start_state(Anchored::No) else {
        return;
    };
    let mut rest = text;
    while let Some(next) = next(machine, &mut rest, state) {
        state = next;
        for number in 0..machine.match_len(state) {
            found(machine.match_pattern(state, number).as_usize());
        }
    }
}

/// Goes on to where the next text ends. Apart from what is done with it, so that
/// the state is kept in a register.
#[inline(never)]
fn next(machine: &impl Automaton, text: &mut &[u8], mut state: StateID) -> Option<StateID> {
    for (number, byte) in text.iter().enumerate() {
        state = machine.next_state(Anchored::No, state, *byte);
        if machine.is_special(state) && machine.is_match(state) {
            *text = &text[number + 1..];
            return Some(state);
        }
    }
    None
}
