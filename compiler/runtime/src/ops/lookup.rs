//! Plugins that compare rows with rows: `ipv4_lookup`, `ipv6_lookup`,
//! `dcount_intersect`, and `partition`.

use std::collections::HashMap;

use rulec_functions::aggregate::sketch;
use rulec_functions::{Value, ip, text};

use super::{Expr, Result};
use crate::batch::{Batch, BatchBuilder};
use crate::error::{Code, RuntimeError};
use crate::key::KeyBuffer;
use crate::schema::Schema;
use crate::vector::heap_bytes;

/// Addresses and networks by which rows of two tables belong together.
#[derive(Debug)]
pub struct AddressKeys<'a> {
    /// Addresses of 128 bits.
    pub v6: bool,
    /// The address, over the input.
    pub address: Expr<'a>,
    /// The network in CIDR notation, over the table.
    pub network: Expr<'a>,
    /// More keys that must be equal: over the input, over the table.
    pub keys: Vec<(Expr<'a>, Expr<'a>)>,
    /// Whether rows without a network stay.
    pub return_unmatched: bool,
}

/// `ipv4_lookup` and `ipv6_lookup`: each row of the input beside each row of
/// the table whose network holds its address. `schema` has the input's columns
/// and then the table's.
pub fn address_lookup(
    input: &Batch,
    width: usize,
    table: &Batch,
    by: &AddressKeys<'_>,
    schema: &Schema,
) -> Result<Batch> {
    // By prefix and other keys, then by the network's bits.
    let mut networks: Vec<u32> = Vec::new();
    let mut rows: HashMap<(u32, u128, Vec<u8>), Vec<u32>> = HashMap::new();
    let mut key = KeyBuffer::new();
    let mut held = input.memory().growing("ipv4_lookup");
    for row in table {
        let Some((bits, prefix)) = parsed(&by.network.of(row), by.v6) else {
            continue;
        };
        key.clear();
        by.keys.iter().for_each(|(_, right)| key.push(&right.of(row)));
        held.add(64 + key.bytes().len())?;
        if !networks.contains(&prefix) {
            networks.push(prefix);
        }
        rows.entry((prefix, masked(bits, prefix), key.bytes().to_vec()))
            .or_default()
            .push(row.index() as u32);
    }
    let mut builder = BatchBuilder::new(schema.clone(), input.memory());
    let mut matches: Vec<u32> = Vec::new();
    for row in input {
        matches.clear();
        if let Some((bits, _)) = parsed(&by.address.of(row), by.v6) {
            key.clear();
            by.keys.iter().for_each(|(left, _)| key.push(&left.of(row)));
            for prefix in &networks {
                let found = rows.get(&(*prefix, masked(bits, *prefix), key.bytes().to_vec()));
                matches.extend(found.into_iter().flatten());
            }
        }
        matches.sort_unstable();
        let own = || (0..width).map(|place| row.get(place));
        for found in &matches {
            let found = table.row(*found as usize);
            let values = own().chain(found.values()).collect::<Vec<_>>();
            held.add(values.iter().map(|v| size_of::<Value>() + heap_bytes(v)).sum())?;
            builder.push(values);
        }
        if matches.is_empty() && by.return_unmatched {
            let values = own().collect::<Vec<_>>();
            held.add(values.iter().map(|v| size_of::<Value>() + heap_bytes(v)).sum())?;
            builder.push(values);
        }
    }
    builder.finish("ipv4_lookup")
}

/// An address as 128 bits, and the length of its network's prefix there.
fn parsed(value: &Value, v6: bool) -> Option<(u128, u32)> {
    let text = text::borrow(value);
    if v6 {
        return ip::ipv6(&text);
    }
    let (bits, prefix) = ip::ipv4(&text)?;
    Some((u128::from(bits) << 96, prefix))
}

fn masked(bits: u128, prefix: u32) -> u128 {
    bits & u128::MAX.checked_shl(128 - prefix.min(128)).unwrap_or(0)
}

/// How many sets `dcount_intersect` compares at most: each one more doubles the
/// unions that are made.
const MOST_SETS: usize = 8;

/// `dcount_intersect`: after the first `width` columns, how many values the
/// first set has, the first two share, the first three, …. Estimated from the
/// sizes of unions, which are exact for sets that are not too large.
pub fn dcount_intersect(input: &Batch, width: usize, states: &[Expr<'_>], schema: &Schema) -> Result<Batch> {
    if states.len() > MOST_SETS {
        return Err(RuntimeError::new(
            Code::BAD_ARGUMENT,
            format!("`dcount_intersect` compares at most {MOST_SETS} sets"),
        ));
    }
    let mut builder = BatchBuilder::new(schema.clone(), input.memory());
    for row in input {
        let sets = states.iter().map(|state| state.of(row)).collect::<Vec<_>>();
        let mut values = (0..width).map(|place| row.get(place)).collect::<Vec<_>>();
        for count in 1..=sets.len() {
            values.push(shared_count(&sets[..count]));
        }
        builder.push(values);
    }
    builder.finish("dcount_intersect")
}

/// Inclusion and exclusion: the sizes of the unions of all choices of sets,
/// added for odd choices and taken away for even ones.
fn shared_count(sets: &[Value]) -> Value {
    let mut total = 0_i64;
    for choice in 1_u32..(1 << sets.len()) {
        let mut union: Option<Value> = None;
        for (place, set) in sets.iter().enumerate() {
            if choice & (1 << place) != 0 {
                union = Some(match union {
                    None => set.clone(),
                    Some(union) => sketch::hll_merge_states(&[union, set.clone()]),
                });
            }
        }
        let Value::Long(count) = sketch::dcount_hll(&[union.unwrap_or_default()]) else {
            return Value::Null;
        };
        total += if choice.count_ones() % 2 == 1 {
            count
        } else {
            -count
        };
    }
    Value::Long(total.max(0))
}

/// `partition by`: a subquery over the rows of each key, one key after the
/// other in the order in which they first appear.
pub fn partition(input: &Batch, key: &Expr<'_>, subquery: impl Fn(&Batch) -> Result<Batch>) -> Result<Batch> {
    let mut groups: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut rows: Vec<Vec<u32>> = Vec::new();
    let mut bytes = KeyBuffer::new();
    let mut held = input.memory().growing("partition");
    for row in input {
        bytes.clear();
        bytes.push(&key.of(row));
        held.add(4)?;
        let group = *groups.entry(bytes.bytes().to_vec()).or_insert(rows.len());
        if group == rows.len() {
            held.add(bytes.bytes().len() + 64)?;
            rows.push(Vec::new());
        }
        rows[group].push(row.index() as u32);
    }
    let mut results = Vec::with_capacity(rows.len());
    for rows in &rows {
        results.push(subquery(&input.select(rows, "partition")?)?);
    }
    if results.is_empty() {
        return subquery(&Batch::empty(input.schema().clone(), input.memory()));
    }
    // Results of one subquery have the same columns unless values became
    // columns; then each keeps its own.
    let mut columns = Vec::new();
    for result in &results {
        for column in result.schema().columns() {
            if columns
                .iter()
                .all(|known: &crate::schema::Column| known.name != column.name)
            {
                columns.push(column.clone());
            }
        }
    }
    let alike = results.iter().all(|result| {
        result.schema().len() == results[0].schema().len() && result.schema().len() == columns.len()
    });
    if !alike {
        let schema = Schema::new(columns);
        results = results
            .iter()
            .map(|result| result.conform(&schema))
            .collect::<Result<_>>()?;
    }
    Ok(Batch::concat(&results, "partition")?.unwrap_or_else(|| input.clone()))
}
