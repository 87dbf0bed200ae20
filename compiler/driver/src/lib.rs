//! Configuration, files, parallelism, golden comparison: the pipeline
