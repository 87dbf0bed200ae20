//! Markdown documents to rules
