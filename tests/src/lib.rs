//! The tests are the targets in src/; there is no library.
