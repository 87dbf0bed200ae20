//! A value where it lies in a column, compared and hashed without being taken
//! out of it; and tables that find rows by such hashes.
//!
//! Two cells are the same exactly when [`KeyBuffer`] writes the same bytes for
//! their values.

use std::cmp::Ordering;
use std::hash::{BuildHasher, Hasher};

use rulec_functions::{Value, convert, order};
use rust_decimal::Decimal;

use crate::key::KeyBuffer;

/// A value in place. Whole numbers of any width are one kind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell<'a> {
    Null,
    Bool(bool),
    Long(i64),
    /// All NaNs are one, and both zeros.
    Real(f64),
    Decimal(Decimal),
    DateTime(i64),
    TimeSpan(i64),
    Guid(u128),
    Text(&'a str),
    /// An array or a bag.
    Nested(&'a Value),
}

/// What 64 bits stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bits {
    Long,
    DateTime,
    TimeSpan,
}

impl Bits {
    /// The value that they stand for.
    pub(crate) fn value(self, bits: i64) -> Value {
        match self {
            Bits::Long => Value::Long(bits),
            Bits::DateTime => Value::DateTime(bits),
            Bits::TimeSpan => Value::TimeSpan(bits),
        }
    }
}

/// Hashes of rows, the same in every run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hashing(foldhash::fast::FixedState);

impl Hashing {
    /// The hash of some cells, one after the other.
    pub(crate) fn of<'c>(&self, cells: impl IntoIterator<Item = Cell<'c>>) -> u64 {
        let mut hasher = self.0.build_hasher();
        for cell in cells {
            cell.hash(&mut hasher);
        }
        hasher.finish()
    }
}

/// A hash that takes a number in besides.
pub(crate) fn with(hash: u64, number: u32) -> u64 {
    // The multiplier of Knuth's linear congruential generator MMIX.
    (hash ^ u64::from(number))
        .wrapping_mul(6_364_136_223_846_793_005)
        .rotate_left(29)
}

impl<'a> Cell<'a> {
    pub(crate) fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Cell::Null,
            Value::Bool(b) => Cell::Bool(*b),
            Value::Int(n) => Cell::Long(i64::from(*n)),
            Value::Long(n) => Cell::Long(*n),
            Value::Real(x) => Cell::real(*x),
            Value::Decimal(d) => Cell::Decimal(*d),
            Value::DateTime(t) => Cell::DateTime(*t),
            Value::TimeSpan(t) => Cell::TimeSpan(*t),
            Value::Guid(g) => Cell::Guid(*g),
            Value::String(text) => Cell::Text(text),
            Value::Array(_) | Value::Bag(_) => Cell::Nested(value),
        }
    }

    pub(crate) fn real(x: f64) -> Self {
        Cell::Real(if x.is_nan() {
            f64::NAN
        } else if x == 0.0 {
            0.0
        } else {
            x
        })
    }

    pub(crate) fn is_null(self) -> bool {
        matches!(self, Cell::Null)
    }

    fn hash(self, hasher: &mut impl Hasher) {
        match self {
            Cell::Null => hasher.write_u8(0),
            Cell::Bool(b) => hasher.write_u8(1 + u8::from(b)),
            Cell::Long(n) | Cell::DateTime(n) | Cell::TimeSpan(n) => hasher.write_i64(n),
            Cell::Real(x) => hasher.write_u64(x.to_bits()),
            Cell::Decimal(d) => hasher.write(&d.normalize().serialize()),
            Cell::Guid(g) => hasher.write_u128(g),
            Cell::Text(text) => {
                hasher.write(text.as_bytes());
                // So that "a", "bc" is not "ab", "c".
                hasher.write_usize(text.len());
            }
            Cell::Nested(value) => hasher.write(bytes(value).bytes()),
        }
    }

    /// Whether two cells are one key.
    pub(crate) fn same(self, other: Cell<'_>) -> bool {
        match (self, other) {
            (Cell::Null, Cell::Null) => true,
            (Cell::Bool(a), Cell::Bool(b)) => a == b,
            (Cell::Long(a), Cell::Long(b))
            | (Cell::DateTime(a), Cell::DateTime(b))
            | (Cell::TimeSpan(a), Cell::TimeSpan(b)) => a == b,
            (Cell::Real(a), Cell::Real(b)) => a.to_bits() == b.to_bits(),
            (Cell::Decimal(a), Cell::Decimal(b)) => a == b,
            (Cell::Guid(a), Cell::Guid(b)) => a == b,
            (Cell::Text(a), Cell::Text(b)) => a == b,
            (Cell::Nested(a), Cell::Nested(b)) => bytes(a).bytes() == bytes(b).bytes(),
            _ => false,
        }
    }

    /// The cell that stands for all that are one value in a set: there, a
    /// number is the same whatever its type. None for what has no such cell.
    pub(crate) fn in_set(self) -> Option<Self> {
        let key = match self {
            Cell::Real(x) => order::Key::of(&Value::Real(x)),
            Cell::Decimal(d) => order::Key::of(&Value::Decimal(d)),
            Cell::Nested(_) => return None,
            plain => return Some(plain),
        };
        match key {
            order::Key::Long(n) => Some(Cell::Long(n)),
            _ => Some(self),
        }
    }

    /// The order of two cells of one kind, as values order; none for those of
    /// different kinds, and for what is null or nested.
    pub(crate) fn compare(self, other: Cell<'_>) -> Option<Ordering> {
        Some(match (self, other) {
            (Cell::Bool(a), Cell::Bool(b)) => a.cmp(&b),
            (Cell::Long(a), Cell::Long(b))
            | (Cell::DateTime(a), Cell::DateTime(b))
            | (Cell::TimeSpan(a), Cell::TimeSpan(b)) => a.cmp(&b),
            (Cell::Real(a), Cell::Real(b)) => order::compare(&Value::Real(a), &Value::Real(b)),
            (Cell::Decimal(a), Cell::Decimal(b)) => a.cmp(&b),
            (Cell::Guid(a), Cell::Guid(b)) => a.cmp(&b),
            (Cell::Text(a), Cell::Text(b)) => a.cmp(b),
            _ => return None,
        })
    }

    /// The predicate that the cell is.
    pub(crate) fn holds(self) -> bool {
        match self {
            Cell::Bool(b) => b,
            Cell::Null => false,
            Cell::Long(n) => convert::to_bool(&Value::Long(n)) == Some(true),
            Cell::Real(x) => convert::to_bool(&Value::Real(x)) == Some(true),
            Cell::Decimal(d) => convert::to_bool(&Value::Decimal(d)) == Some(true),
            Cell::DateTime(t) => convert::to_bool(&Value::DateTime(t)) == Some(true),
            Cell::TimeSpan(t) => convert::to_bool(&Value::TimeSpan(t)) == Some(true),
            Cell::Guid(g) => convert::to_bool(&Value::Guid(g)) == Some(true),
            Cell::Text(text) => convert::to_bool(&Value::string(text)) == Some(true),
            Cell::Nested(value) => convert::to_bool(value) == Some(true),
        }
    }
}

fn bytes(value: &Value) -> KeyBuffer {
    let mut key = KeyBuffer::new();
    key.push(value);
    key
}

/// Numbers of entries by their hashes. What the entries are is kept elsewhere.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// One more than the number of the entry in the lower half, the upper half
    /// of its hash in the upper; zero where nothing is. A power of two of them.
    slots: Vec<u64>,
    hashes: Vec<u64>,
}

const UPPER: u64 = !0 << 32;

impl Table {
    /// Number of entries.
    pub(crate) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// About how many bytes an entry takes.
    pub(crate) const ENTRY: usize = 3 * size_of::<u64>();

    /// The entry of a hash for which `same` holds.
    pub(crate) fn find(&self, hash: u64, mut same: impl FnMut(usize) -> bool) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return None;
            }
            if slot & UPPER == hash & UPPER {
                let entry = (slot & !UPPER) as usize - 1;
                if same(entry) {
                    return Some(entry);
                }
            }
            at = (at + 1) & mask;
        }
    }

    /// The entry of a hash for which `same` holds, or a new one, and which it is.
    pub(crate) fn entry(&mut self, hash: u64, same: impl FnMut(usize) -> bool) -> (usize, bool) {
        match self.find(hash, same) {
            Some(entry) => (entry, false),
            None => (self.insert(hash), true),
        }
    }

    /// A new entry.
    pub(crate) fn insert(&mut self, hash: u64) -> usize {
        if self.hashes.len() * 2 >= self.slots.len() {
            let size = (self.slots.len() * 2).max(16);
            self.slots.clear();
            self.slots.resize(size, 0);
            for entry in 0..self.hashes.len() {
                self.place(entry);
            }
        }
        self.hashes.push(hash);
        self.place(self.hashes.len() - 1);
        self.hashes.len() - 1
    }

    fn place(&mut self, entry: usize) {
        let (hash, mask) = (self.hashes[entry], self.slots.len() - 1);
        let mut at = hash as usize & mask;
        while self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = hash & UPPER | (entry as u64 + 1);
    }
}
