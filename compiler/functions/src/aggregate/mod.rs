//! The aggregates: rows, and the accumulators behind them.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::Aggregate;

const FAMILIES: &[&[Aggregate]] = &[];

/// The row of an aggregate, by its exact name or an alias.
pub fn aggregate(name: &str) -> Option<&'static Aggregate> {
    static INDEX: OnceLock<HashMap<&'static str, &'static Aggregate>> = OnceLock::new();
    INDEX
        .get_or_init(|| {
            let mut index = HashMap::new();
            for row in aggregates() {
                index.insert(row.name, row);
                for alias in row.aliases {
                    index.insert(alias, row);
                }
            }
            index
        })
        .get(name)
        .copied()
}

/// All aggregates, family by family.
pub fn aggregates() -> impl Iterator<Item = &'static Aggregate> {
    FAMILIES.iter().flat_map(|family| family.iter())
}
