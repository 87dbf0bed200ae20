//! Distinct counts and t-digests: `dcount`, `hll`, `tdigest`, and the scalar
//! functions that read their states.
//!
//! A distinct count is exact up to [`EXACT`] values and a `HyperLogLog` estimate
//! beyond, so memory is bounded. A digest is exact up to [`CENTROIDS`] different
//! values and merges neighbours beyond. Their states as dynamic values are our
//! own format, not the service's.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::order::Key;
use crate::scalar::hashing::xxh64;
use crate::{Accumulator, Reduction, Type, Value, args, convert, text};

/// How many values are counted exactly.
pub const EXACT: usize = 1 << 16;

/// How many points a digest keeps.
pub const CENTROIDS: usize = 4096;

aggregates! { ROWS in sketch {
    dcount "dcount" as Prefix("dcount"), [(Scalar; NotDynamic) -> Long], "About how many different values there are.",
        "datatable(x:long)[1, 2, 1] | summarize dcount(x)" => "2";
    dcountif "dcountif" as Prefix("dcountif"), [(Scalar, Bool; NotDynamic) -> Long], "About how many different values there are where a condition holds.",
        "datatable(x:long)[1, 2, 1] | summarize dcountif(x, x > 1)" => "1";
    hll "hll" as Prefix("hll"), [(NotRealOrBool; Integer) -> Array], "The state of a distinct count, to be merged and read later.",
        "datatable(x:long)[1, 2, 1] | summarize h = hll(x) | project dcount_hll(h)" => "2";
    hll_if "hll_if" as Prefix("hll_if"), [(NotRealOrBool, Bool; Integer) -> Array], "The state of a distinct count where a condition holds.",
        "datatable(x:long)[1, 2, 1] | summarize h = hll_if(x, x > 1) | project dcount_hll(h)" => "1";
    hll_merge "hll_merge" as Prefix("hll_merge"), [(Array) -> Array], "The states of several distinct counts in one.",
        "datatable(k:long, x:long)[1, 1, 2, 2] | summarize h = hll(x) by k | summarize h = hll_merge(h) | project dcount_hll(h)" => "2";
    tdigest "tdigest" as Prefix("tdigest"), [(Summable; Integer) -> Array], "A summary of values, from which percentiles can be read later.",
        "range x from 1 to 10 step 1 | summarize t = tdigest(x) | project percentile_tdigest(t, 50)" => "5";
    tdigest_merge "tdigest_merge" = "merge_tdigest" as Prefix("merge_tdigests"), [(Array) -> Array], "Several summaries of values in one.",
        "range x from 1 to 10 step 1 | summarize t = tdigest(x) by k = x % 2 | summarize t = tdigest_merge(t) | project percentile_tdigest(t, 100)" => "10";
}}

rows! { SCALARS: Function in sketch {
    dcount_hll "dcount_hll" as Prefix("dcount_hll") never constant, [(Array) -> Long], "The distinct count that a state stands for.";
    hll_merge_states "hll_merge" as Exactly("hll_merged_result") never constant, [(Array, Array .. Array to 16) -> Array], "The states of several distinct counts in one.";
    hll_merge_states "__hll_normalize" as FirstArgument never constant, [(Dynamic, Dynamic .. Dynamic to 16) -> Dynamic], "The states of several distinct counts in one, for the service's own use.";
    hll_isvalid "hll_isvalid" never constant, [(Array, Scalar) -> Bool], "Whether a value is the state of a distinct count.";
    tdigest_merge_states "tdigest_merge" = "merge_tdigest" as Exactly("tdigests_merge_result") never constant, [(Array, Array .. Array to 16) -> Array], "Several summaries of values in one.";
    tdigest_isvalid "tdigest_isvalid" never constant, [(Array, Scalar) -> Bool], "Whether a value is a summary of values.";
    percentile_tdigest "percentile_tdigest" as Prefix("percentile_tdigest") never constant, [(Array, Real) -> Dynamic, (Array, Real, TypeOf) -> Named], "A percentile of what was summarized.";
    percentiles_array_tdigest "percentiles_array_tdigest" as Prefix("percentile_tdigest") never constant, [(Array, Real .. Real) -> Array, (Array, Array) -> Array], "Several percentiles of what was summarized.";
    percentrank_tdigest "percentrank_tdigest" never constant, [(Array, Scalar) -> Real], "The percentage of what was summarized that a value exceeds or equals.";
    rank_tdigest "rank_tdigest" never constant, [(Array, Scalar) -> Real], "How much of what was summarized is not above a value.";
}}

/// The registers' bits for an accuracy from 0 to 4.
fn precision(accuracy: i64) -> u32 {
    match accuracy {
        0 => 12,
        2 => 16,
        3 => 17,
        4 => 18,
        _ => 14,
    }
}

/// A hash of a value that is the same wherever it is computed.
pub fn hash_of(value: &Value) -> u64 {
    if let Value::String(text) = value {
        return hash_of_text(text);
    }
    match Key::of(value) {
        Key::Null => xxh64(&[], 0),
        Key::Bool(b) => xxh64(&[u8::from(b)], 1),
        Key::Long(n) => xxh64(&n.to_le_bytes(), 2),
        Key::DateTime(n) => xxh64(&n.to_le_bytes(), 3),
        Key::TimeSpan(n) => xxh64(&n.to_le_bytes(), 4),
        Key::Guid(g) => xxh64(&g.to_le_bytes(), 5),
        Key::String(s) => hash_of_text(&s),
        Key::Json(s) => xxh64(s.as_bytes(), 7),
        Key::Real(_) | Key::Decimal(_) => xxh64(text::print(value).as_bytes(), 8),
    }
}

/// [`hash_of`] a string.
pub fn hash_of_text(text: &str) -> u64 {
    xxh64(text.as_bytes(), 6)
}

/// A set of what are hashes already.
type Hashes = HashSet<u64, BuildHasherDefault<AsIs>>;

/// What is a hash needs none.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// The state of a distinct count.
#[derive(Debug)]
enum State {
    Exact(Hashes),
    Registers(Vec<u8>),
}

/// A distinct count of values by their [hashes](hash_of). In which order they
/// come, and how often, does not matter.
#[derive(Debug)]
pub struct Distinct {
    state: State,
    bits: u32,
}

impl Distinct {
    /// Of no values; `bits` is the precision of the estimate for many.
    pub fn new(bits: u32) -> Self {
        Distinct {
            state: State::Exact(Hashes::default()),
            bits,
        }
    }

    /// Adds a value.
    pub fn insert(&mut self, hash: u64) {
        match &mut self.state {
            State::Exact(hashes) => {
                hashes.insert(hash);
                if hashes.len() > EXACT {
                    self.estimate();
                }
            }
            State::Registers(registers) => observe(registers, self.bits, hash),
        }
    }

    /// Gives up the exact values for registers.
    fn estimate(&mut self) {
        if let State::Exact(hashes) = &self.state {
            let mut registers = vec![0; 1 << self.bits];
            let mut hashes: Vec<u64> = hashes.iter().copied().collect();
            hashes.sort_unstable();
            for hash in hashes {
                observe(&mut registers, self.bits, hash);
            }
            self.state = State::Registers(registers);
        }
    }

    fn merge(&mut self, other: Distinct) {
        match other.state {
            State::Exact(hashes) => {
                let mut hashes: Vec<u64> = hashes.into_iter().collect();
                hashes.sort_unstable();
                for hash in hashes {
                    self.insert(hash);
                }
            }
            State::Registers(theirs) => {
                self.estimate();
                if let State::Registers(ours) = &mut self.state
                    && ours.len() == theirs.len()
                {
                    for (ours, theirs) in ours.iter_mut().zip(theirs) {
                        *ours = (*ours).max(theirs);
                    }
                }
            }
        }
    }

    /// How many values there are.
    pub fn count(&self) -> i64 {
        match &self.state {
            State::Exact(hashes) => hashes.len() as i64,
            State::Registers(registers) => {
                let size = registers.len() as f64;
                let sum: f64 = registers.iter().map(|r| 0.5f64.powi(i32::from(*r))).sum();
                let estimate = 0.7213 / (1.0 + 1.079 / size) * size * size / sum;
                let empty: f64 = registers.iter().map(|r| f64::from(u8::from(*r == 0))).sum();
                if estimate <= 2.5 * size && empty > 0.0 {
                    return (size * (size / empty).ln()).round() as i64;
                }
                estimate.round() as i64
            }
        }
    }

    /// The state as a value, to be merged and read later.
    pub fn value(&self) -> Value {
        let (kind, bytes) = match &self.state {
            State::Exact(hashes) => {
                let mut hashes: Vec<u64> = hashes.iter().copied().collect();
                hashes.sort_unstable();
                (
                    "exact",
                    hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect(),
                )
            }
            State::Registers(registers) => ("registers", registers.clone()),
        };
        Value::array(vec![
            Value::string("hll"),
            Value::Long(i64::from(self.bits)),
            Value::string(kind),
            Value::string(STANDARD.encode(bytes)),
        ])
    }

    /// About how many bytes it holds.
    pub fn size(&self) -> usize {
        match &self.state {
            State::Exact(hashes) => hashes.len() * 16,
            State::Registers(registers) => registers.len(),
        }
    }

    fn read(value: &Value) -> Option<Self> {
        let Value::Array(items) = value else {
            return None;
        };
        let [
            Value::String(name),
            Value::Long(bits),
            Value::String(kind),
            Value::String(data),
        ] = &items[..]
        else {
            return None;
        };
        let bits = u32::try_from(*bits).ok().filter(|bits| (4..=18).contains(bits))?;
        let bytes = STANDARD.decode(data.as_bytes()).ok()?;
        let state = match (&**name, &**kind) {
            ("hll", "exact") => State::Exact(
                bytes
                    .chunks_exact(8)
                    .map(|chunk| chunk.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b)))
                    .collect(),
            ),
            ("hll", "registers") if bytes.len() == 1 << bits => State::Registers(bytes),
            _ => return None,
        };
        Some(Distinct { state, bits })
    }
}

fn observe(registers: &mut [u8], bits: u32, hash: u64) {
    let register = (hash >> (64 - bits)) as usize;
    let zeros = (hash << bits).leading_zeros().min(64 - bits) as u8 + 1;
    if let Some(known) = registers.get_mut(register) {
        *known = (*known).max(zeros);
    }
}

/// A distinct count being made; the result is the count or the state.
struct Counting {
    distinct: Distinct,
    as_state: bool,
}

impl Accumulator for Counting {
    fn add(&mut self, args: &[Value]) {
        let value = args::get(args, 0);
        if !value.is_null() {
            self.distinct.insert(hash_of(value));
        }
    }

    fn finish(self: Box<Self>) -> Value {
        if self.as_state {
            self.distinct.value()
        } else {
            Value::Long(self.distinct.count())
        }
    }

    fn size(&self) -> usize {
        self.distinct.size()
    }

    fn reduction(&self) -> Reduction {
        Reduction::Distinct {
            bits: self.distinct.bits,
            as_state: self.as_state,
        }
    }
}

fn counting(literals: &[Value], as_state: bool) -> Box<dyn Accumulator> {
    let bits = precision(args::long_or(literals, 1, 1));
    Box::new(Counting {
        distinct: Distinct::new(bits),
        as_state,
    })
}

/// `dcount`.
pub fn dcount(literals: &[Value]) -> Box<dyn Accumulator> {
    counting(literals, false)
}

/// `hll`.
pub fn hll(literals: &[Value]) -> Box<dyn Accumulator> {
    counting(literals, true)
}

/// States being merged.
struct Merging(Option<Distinct>);

impl Accumulator for Merging {
    fn add(&mut self, args: &[Value]) {
        if let Some(other) = Distinct::read(args::get(args, 0)) {
            match &mut self.0 {
                Some(ours) => ours.merge(other),
                none => *none = Some(other),
            }
        }
    }

    fn finish(self: Box<Self>) -> Value {
        self.0.map_or(Value::Null, |distinct| distinct.value())
    }
}

/// `hll_merge`.
pub fn hll_merge(_: &[Value]) -> Box<dyn Accumulator> {
    Box::new(Merging(None))
}

/// `hll_merge` of several states of one row.
pub fn hll_merge_states(args: &[Value]) -> Value {
    let mut merging = Box::new(Merging(None));
    for state in args {
        merging.add(std::slice::from_ref(state));
    }
    merging.finish()
}

/// `dcount_hll`.
pub fn dcount_hll(args: &[Value]) -> Value {
    args::maybe_long(Distinct::read(args::get(args, 0)).map(|distinct| distinct.count()))
}

/// `hll_isvalid`.
pub fn hll_isvalid(args: &[Value]) -> Value {
    Value::Bool(Distinct::read(args::get(args, 0)).is_some())
}

/// Points in order, each standing for a weight of values around it. Points
/// are sortable bits of reals, so that the map orders them.
#[derive(Default)]
struct Digest {
    points: BTreeMap<u64, i64>,
    /// The type that points are read back as.
    ty: Option<Type>,
}

/// The bits of a real such that they order as the reals do, and back.
fn sortable(real: f64) -> u64 {
    let bits = real.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn unsortable(bits: u64) -> f64 {
    f64::from_bits(if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits })
}

impl Digest {
    fn insert(&mut self, point: f64, weight: i64) {
        if !point.is_finite() || weight <= 0 {
            return;
        }
        let total = self.points.entry(sortable(point)).or_insert(0);
        *total = total.saturating_add(weight);
        if self.points.len() > CENTROIDS {
            self.compress();
        }
    }

    /// Merges neighbours pairwise; the ends stay as they are.
    fn compress(&mut self) {
        let old: Vec<(u64, i64)> = std::mem::take(&mut self.points).into_iter().collect();
        let last = old.len() - 1;
        let mut at = 0;
        while at <= last {
            let (point, weight) = old[at];
            let alone = at == 0 || at + 1 >= last;
            let (point, weight) = if alone {
                (point, weight)
            } else {
                let (next, next_weight) = old[at + 1];
                let total = weight.saturating_add(next_weight);
                let share = next_weight as f64 / total as f64;
                let (low, high) = (unsortable(point), unsortable(next));
                (sortable(low + (high - low) * share), total)
            };
            let known = self.points.entry(point).or_insert(0);
            *known = known.saturating_add(weight);
            at += if alone { 1 } else { 2 };
        }
    }

    fn read(value: &Value) -> Option<Self> {
        let Value::Array(items) = value else {
            return None;
        };
        let [
            Value::String(name),
            Value::String(ty),
            Value::Array(points),
            Value::Array(weights),
        ] = &items[..]
        else {
            return None;
        };
        if &**name != "tdigest" {
            return None;
        }
        let mut digest = Digest {
            ty: Type::parse(ty),
            ..Digest::default()
        };
        for (point, weight) in points.iter().zip(weights.iter()) {
            digest.insert(convert::to_real(point)?, convert::to_long(weight)?);
        }
        Some(digest)
    }

    fn value(&self) -> Value {
        if self.points.is_empty() {
            return Value::Null;
        }
        Value::array(vec![
            Value::string("tdigest"),
            Value::string(self.ty.unwrap_or(Type::Real).name()),
            Value::Array(self.points.keys().map(|p| Value::Real(unsortable(*p))).collect()),
            Value::Array(self.points.values().map(|w| Value::Long(*w)).collect()),
        ])
    }

    /// A point as a value of the type that was summarized.
    fn typed(&self, point: f64) -> Value {
        convert::convert(&Value::Real(point), self.ty.unwrap_or(Type::Real))
    }

    fn percentile(&self, percentile: f64) -> Value {
        let points: Vec<(Value, i64)> = self
            .points
            .iter()
            .map(|(p, w)| (self.typed(unsortable(*p)), *w))
            .collect();
        let total = points.iter().map(|(_, w)| i128::from(*w)).sum();
        super::statistics::nearest_rank(&points, total, percentile)
    }

    /// The weight of the points that are not above a value, and of all.
    fn rank(&self, value: f64) -> (f64, f64) {
        let reached = self
            .points
            .range(..=sortable(value))
            .map(|(_, w)| *w as f64)
            .sum();
        (reached, self.points.values().map(|w| *w as f64).sum())
    }
}

impl Accumulator for Digest {
    fn add(&mut self, args: &[Value]) {
        let value = args::get(args, 0);
        let ty = match value {
            Value::Null => return,
            Value::Int(_) | Value::Long(_) => Type::Long,
            Value::DateTime(_) => Type::DateTime,
            Value::TimeSpan(_) => Type::TimeSpan,
            _ => Type::Real,
        };
        self.ty.get_or_insert(ty);
        if let Some(point) = convert::to_real(value) {
            self.insert(point, args::long_or(args, 1, 1));
        }
    }

    fn finish(self: Box<Self>) -> Value {
        self.value()
    }

    fn size(&self) -> usize {
        self.points.len() * 32
    }
}

/// `tdigest`.
pub fn tdigest(_: &[Value]) -> Box<dyn Accumulator> {
    Box::new(Digest::default())
}

/// Digests being merged.
#[derive(Default)]
struct MergingDigests(Digest);

impl Accumulator for MergingDigests {
    fn add(&mut self, args: &[Value]) {
        if let Some(other) = Digest::read(args::get(args, 0)) {
            self.0.ty = self.0.ty.or(other.ty);
            for (point, weight) in other.points {
                self.0.insert(unsortable(point), weight);
            }
        }
    }

    fn finish(self: Box<Self>) -> Value {
        self.0.value()
    }
}

/// `tdigest_merge`.
pub fn tdigest_merge(_: &[Value]) -> Box<dyn Accumulator> {
    Box::new(MergingDigests::default())
}

/// `tdigest_merge` of several summaries of one row.
pub fn tdigest_merge_states(args: &[Value]) -> Value {
    let mut merging = Box::new(MergingDigests::default());
    for state in args {
        merging.add(std::slice::from_ref(state));
    }
    merging.finish()
}

/// `tdigest_isvalid`.
pub fn tdigest_isvalid(args: &[Value]) -> Value {
    Value::Bool(Digest::read(args::get(args, 0)).is_some())
}

/// `percentile_tdigest`.
pub fn percentile_tdigest(args: &[Value]) -> Value {
    let (Some(digest), Some(percentile)) = (Digest::read(args::get(args, 0)), args::real(args, 1)) else {
        return Value::Null;
    };
    let value = digest.percentile(percentile);
    match args.get(2).and_then(Value::as_str).and_then(Type::parse) {
        Some(ty) => convert::convert(&value, ty),
        None => value,
    }
}

/// `percentiles_array_tdigest`.
pub fn percentiles_array_tdigest(args: &[Value]) -> Value {
    match Digest::read(args::get(args, 0)) {
        Some(digest) => Value::Array(
            args::flatten(args, 1)
                .filter_map(convert::to_real)
                .map(|percentile| digest.percentile(percentile))
                .collect(),
        ),
        None => Value::Null,
    }
}

/// `percentrank_tdigest`.
pub fn percentrank_tdigest(args: &[Value]) -> Value {
    let ranked = Digest::read(args::get(args, 0))
        .zip(args::real(args, 1))
        .map(|(digest, value)| {
            let (reached, total) = digest.rank(value);
            100.0 * reached / total
        });
    args::maybe_real(ranked)
}

/// `rank_tdigest`.
pub fn rank_tdigest(args: &[Value]) -> Value {
    let ranked = Digest::read(args::get(args, 0)).zip(args::real(args, 1));
    args::maybe_real(ranked.map(|(digest, value)| digest.rank(value).0))
}

predicated! {
    dcountif dcount 1;
    hll_if hll 1;
}
