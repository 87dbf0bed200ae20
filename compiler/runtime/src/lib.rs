//! What a running rule needs: readers, batches, relational operators, writers
