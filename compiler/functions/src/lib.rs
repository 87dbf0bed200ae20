//! KQL types and values; one row and one kernel per scalar function, operator and aggregate
