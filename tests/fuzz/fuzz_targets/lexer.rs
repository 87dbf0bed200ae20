//! `rulec_properties::lexer` on whatever text is found.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        rulec_properties::lexer(text);
    }
});
