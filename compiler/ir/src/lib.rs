//! Binder: syntax tree to typed relational IR
