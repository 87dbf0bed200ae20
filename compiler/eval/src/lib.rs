//! Interprets the IR with the runtime
