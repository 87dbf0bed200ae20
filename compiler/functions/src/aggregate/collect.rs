//! Aggregates that collect values into dynamic ones.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::order::Key;
use crate::{Accumulator, Bag, Reduction, Value, args, json::MAX_DEPTH};

/// The most values collected unless the call says fewer.
const MAX_VALUES: i64 = 1_048_576;
/// The same of the old spellings.
const OLD_MAX_VALUES: i64 = 128;

aggregates! { ROWS in collect {
    make_list "make_list" as Prefix("list"), [(Scalar; Integer) -> Array], "All values that are not null, in order, up to a number of them.",
        "range x from 1 to 3 step 1 | summarize make_list(x)" => "[1,2,3]";
    makelist "makelist" instead "make_list" as Prefix("list"), [(Scalar; Integer) -> Array], "The first 128 values that are not null.",
        "range x from 1 to 3 step 1 | summarize makelist(x, 2)" => "[1,2]";
    make_list_if "make_list_if" as Prefix("list"), [(Scalar, Bool; Integer) -> Array], "All values of the rows where a condition holds.",
        "range x from 1 to 4 step 1 | summarize make_list_if(x, x % 2 == 0)" => "[2,4]";
    make_list_with_nulls "make_list_with_nulls" as Prefix("list"), [(Scalar) -> Array], "All values, null ones included.",
        "datatable(x:long)[long(null), 1] | summarize make_list_with_nulls(x)" => "[null,1]";
    make_set "make_set" as Prefix("set"), [(Scalar; Integer) -> Array], "The different values that are not null, up to a number of them; of an array, its elements.",
        "datatable(x:long)[1, 2, 1] | summarize make_set(x)" => "[1,2]",
        "datatable(x:dynamic)[dynamic(['A1', 'A2']), dynamic(['A2', 'C1']), dynamic([['A1']]), 'A1'] | summarize make_set(x)" => "[\"A1\",\"A2\",\"C1\",[\"A1\"]]";
    makeset "makeset" instead "make_set" as Prefix("set"), [(Scalar; Integer) -> Array], "The first 128 different values that are not null.",
        "datatable(x:long)[1, 2, 1] | summarize makeset(x)" => "[1,2]";
    make_set_if "make_set_if" as Prefix("set"), [(Scalar, Bool; Integer) -> Array], "The different values of the rows where a condition holds.",
        "datatable(x:long)[1, 2, 1] | summarize make_set_if(x, x < 2)" => "[1]";
    make_bag "make_bag" as Prefix("bag"), [(Bag; Integer) -> Bag], "All bags in one; the first to have a key gives its value.",
        "range x from 1 to 2 step 1 | summarize make_bag(bag_pack(tostring(x), x))" => "{\"1\":1,\"2\":2}";
    make_dictionary "make_dictionary" as Prefix("dictionary"), [(Bag; Integer) -> Bag], "All bags in one, up to 128 keys.",
        "print x=1 | summarize make_dictionary(bag_pack('a', x))" => "{\"a\":1}";
    make_bag_if "make_bag_if" as Prefix("bag"), [(Bag, Bool; Integer) -> Bag], "All bags of the rows where a condition holds, in one.",
        "range x from 1 to 2 step 1 | summarize make_bag_if(bag_pack(tostring(x), x), x > 1)" => "{\"2\":2}";
    buildschema "buildschema" as Prefix("schema"), [(Bag) -> Bag], "The types that dynamic values have, key by key.",
        "datatable(d:dynamic)[dynamic({'a': 1}), dynamic({'a': 'x'})] | summarize buildschema(d)" => "{\"a\":[\"long\",\"string\"]}";
}}

/// The limit of a call: the argument after the value.
fn limit(literals: &[Value]) -> usize {
    limit_or(literals, MAX_VALUES)
}

fn limit_or(literals: &[Value], otherwise: i64) -> usize {
    let limit = args::long_or(literals, 1, otherwise).clamp(0, MAX_VALUES);
    usize::try_from(limit).unwrap_or(0)
}

struct List {
    items: Vec<Value>,
    limit: usize,
    nulls: bool,
}

impl Accumulator for List {
    fn add(&mut self, args: &[Value]) {
        let value = args::get(args, 0);
        if self.items.len() < self.limit && (self.nulls || !value.is_null()) {
            self.items.push(value.clone());
        }
    }

    fn finish(self: Box<Self>) -> Value {
        Value::array(self.items)
    }

    fn size(&self) -> usize {
        self.items.len() * size_of::<Value>()
    }

    fn reduction(&self) -> Reduction {
        Reduction::List {
            limit: self.limit,
            nulls: self.nulls,
        }
    }
}

/// `make_list`.
pub fn make_list(literals: &[Value]) -> Box<dyn Accumulator> {
    list(limit(literals))
}

/// `makelist`, which collects fewer unless the call says how many.
pub fn makelist(literals: &[Value]) -> Box<dyn Accumulator> {
    list(limit_or(literals, OLD_MAX_VALUES))
}

fn list(limit: usize) -> Box<dyn Accumulator> {
    Box::new(List {
        items: Vec::new(),
        limit,
        nulls: false,
    })
}

/// `make_list_with_nulls`.
pub fn make_list_with_nulls(_: &[Value]) -> Box<dyn Accumulator> {
    Box::new(List {
        items: Vec::new(),
        limit: MAX_VALUES as usize,
        nulls: true,
    })
}

struct Set {
    items: Vec<Value>,
    seen: HashSet<Key>,
    limit: usize,
}

impl Set {
    fn see(&mut self, value: &Value) {
        if self.items.len() < self.limit && !value.is_null() && self.seen.insert(Key::of(value)) {
            self.items.push(value.clone());
        }
    }
}

impl Accumulator for Set {
    fn add(&mut self, args: &[Value]) {
        match args::get(args, 0) {
            Value::Array(items) => items.iter().for_each(|item| self.see(item)),
            value => self.see(value),
        }
    }

    fn finish(self: Box<Self>) -> Value {
        Value::array(self.items)
    }

    fn size(&self) -> usize {
        self.items.len() * (size_of::<Value>() + 2 * size_of::<Key>())
    }

    fn reduction(&self) -> Reduction {
        Reduction::Set(self.limit)
    }
}

/// `make_set`. In the order the values were first seen.
pub fn make_set(literals: &[Value]) -> Box<dyn Accumulator> {
    set(limit(literals))
}

/// `makeset`, which collects fewer unless the call says how many.
pub fn makeset(literals: &[Value]) -> Box<dyn Accumulator> {
    set(limit_or(literals, OLD_MAX_VALUES))
}

fn set(limit: usize) -> Box<dyn Accumulator> {
    Box::new(Set {
        items: Vec::new(),
        seen: HashSet::new(),
        limit,
    })
}

struct Merged {
    entries: Vec<(Arc<str>, Value)>,
    seen: HashSet<Arc<str>>,
    limit: usize,
}

impl Accumulator for Merged {
    fn add(&mut self, args: &[Value]) {
        let Some(bag) = args::bag(args, 0) else {
            return;
        };
        for (key, value) in bag.iter() {
            if self.entries.len() < self.limit && !self.seen.contains(key) {
                let key: Arc<str> = Arc::from(key);
                self.seen.insert(Arc::clone(&key));
                self.entries.push((key, value.clone()));
            }
        }
    }

    fn finish(self: Box<Self>) -> Value {
        Value::Bag(Arc::new(self.entries.into_iter().collect()))
    }

    fn size(&self) -> usize {
        self.entries.len() * 2 * size_of::<(Arc<str>, Value)>()
    }
}

/// `make_bag`.
pub fn make_bag(literals: &[Value]) -> Box<dyn Accumulator> {
    merged(limit(literals))
}

/// `make_dictionary`, which collects fewer unless the call says how many.
pub fn make_dictionary(literals: &[Value]) -> Box<dyn Accumulator> {
    merged(limit_or(literals, OLD_MAX_VALUES))
}

fn merged(limit: usize) -> Box<dyn Accumulator> {
    Box::new(Merged {
        entries: Vec::new(),
        seen: HashSet::new(),
        limit,
    })
}

/// What types were seen in one place.
#[derive(Default)]
struct Schema {
    /// Names of scalar types, in the order they were seen.
    scalars: Vec<&'static str>,
    /// What was seen under keys, in the order they were seen, and where.
    keys: Vec<(Arc<str>, Schema)>,
    places: BTreeMap<Arc<str>, usize>,
    is_bag: bool,
    /// What was seen in arrays.
    elements: Option<Box<Schema>>,
}

impl Schema {
    fn see(&mut self, value: &Value, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        let name = match value {
            Value::Null => return,
            Value::Bag(bag) => {
                self.is_bag = true;
                for (key, value) in bag.iter() {
                    let place = if let Some(place) = self.places.get(key) {
                        *place
                    } else {
                        let key: Arc<str> = Arc::from(key);
                        self.places.insert(Arc::clone(&key), self.keys.len());
                        self.keys.push((key, Schema::default()));
                        self.keys.len() - 1
                    };
                    self.keys[place].1.see(value, depth + 1);
                }
                return;
            }
            Value::Array(items) => {
                let elements = self.elements.get_or_insert_default();
                for item in items.iter() {
                    elements.see(item, depth + 1);
                }
                return;
            }
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Long(_) => "long",
            Value::Real(_) => "double",
            Value::Decimal(_) => "decimal",
            Value::DateTime(_) => "datetime",
            Value::TimeSpan(_) => "timespan",
            Value::Guid(_) => "guid",
            Value::String(_) => "string",
        };
        if !self.scalars.contains(&name) {
            self.scalars.push(name);
        }
    }

    /// One type by itself, several as an array.
    fn value(&self) -> Value {
        let mut types: Vec<Value> = self.scalars.iter().map(|name| Value::string(*name)).collect();
        if self.is_bag {
            let keys = self
                .keys
                .iter()
                .map(|(key, schema)| (Arc::clone(key), schema.value()));
            types.push(Value::Bag(Arc::new(keys.collect())));
        }
        if let Some(elements) = &self.elements {
            let mut bag = Bag::new();
            bag.insert("`indexer`", elements.value());
            types.push(Value::Bag(Arc::new(bag)));
        }
        match types.len() {
            0 => Value::Null,
            1 => types.remove(0),
            _ => Value::array(types),
        }
    }
}

impl Accumulator for Schema {
    fn add(&mut self, args: &[Value]) {
        self.see(args::get(args, 0), 0);
    }

    fn finish(self: Box<Self>) -> Value {
        self.value()
    }
}

/// `buildschema`.
pub fn buildschema(_: &[Value]) -> Box<dyn Accumulator> {
    Box::new(Schema::default())
}

predicated! {
    make_list_if make_list 1;
    make_set_if make_set 1;
    make_bag_if make_bag 1;
}
