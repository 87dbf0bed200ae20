//! Nothing but benches: `cargo bench -p bench-kernels`.
