//! Keys of groups and joins: values as bytes that are equal exactly when Kusto
//! would put the values in one group.
//!
//! Nulls are equal to each other here: they form one group, and join. `int`
//! and `long` of the same number are equal, as are both zeros of `real` and all
//! its NaNs.

use rulec_functions::Value;

/// A key under construction; used again for every row.
#[derive(Clone, Debug, Default)]
pub struct KeyBuffer {
    bytes: Vec<u8>,
}

impl KeyBuffer {
    /// An empty key.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts the next key.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Adds a value to the key.
    pub fn push(&mut self, value: &Value) {
        self.encode(value);
    }

    /// Adds several values to the key.
    pub fn extend(&mut self, values: &[Value]) {
        for value in values {
            self.push(value);
        }
    }

    /// The key.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn tagged(&mut self, tag: u8, bytes: &[u8]) {
        self.bytes.push(tag);
        self.bytes.extend_from_slice(bytes);
    }

    fn text(&mut self, tag: u8, text: &str) {
        self.tagged(tag, &(text.len() as u64).to_le_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn encode(&mut self, value: &Value) {
        match value {
            Value::Null => self.bytes.push(0),
            Value::Bool(b) => self.tagged(1, &[u8::from(*b)]),
            Value::Int(n) => self.tagged(2, &i64::from(*n).to_le_bytes()),
            Value::Long(n) => self.tagged(2, &n.to_le_bytes()),
            Value::Real(x) => {
                let canonical = if x.is_nan() {
                    f64::NAN
                } else if *x == 0.0 {
                    0.0
                } else {
                    *x
                };
                self.tagged(3, &canonical.to_bits().to_le_bytes());
            }
            Value::Decimal(d) => self.tagged(4, &d.normalize().serialize()),
            Value::DateTime(t) => self.tagged(5, &t.to_le_bytes()),
            Value::TimeSpan(t) => self.tagged(6, &t.to_le_bytes()),
            Value::Guid(g) => self.tagged(7, &g.to_le_bytes()),
            Value::String(text) => self.text(8, text),
            Value::Array(items) => {
                self.tagged(9, &(items.len() as u64).to_le_bytes());
                for item in items.iter() {
                    self.encode(item);
                }
            }
            Value::Bag(bag) => {
                self.tagged(10, &(bag.len() as u64).to_le_bytes());
                for (key, item) in bag.iter() {
                    self.text(8, key);
                    self.encode(item);
                }
            }
        }
    }
}
