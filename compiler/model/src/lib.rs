//! The canonical rule: plain data
