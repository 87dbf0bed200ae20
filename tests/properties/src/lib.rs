//! What holds of the KQL front end whatever the text.
//!
//! In: any text. Out: nothing, or a panic that says what was broken. There is
//! one function a subject, [`lexer`], [`parser`], [`printer`] and [`binder`];
//! the property tests of this crate and the fuzz targets in tests/fuzz call
//! the same ones. Deliberately absent: what a particular query means, which
//! the cases of each stage say.

#![allow(
    clippy::missing_panics_doc,
    reason = "every function here panics where its property does not hold; that is what it is for"
)]

mod algebra;
mod binder;
mod findings;
mod lexer;
mod own;
mod parser;
mod printer;

pub use binder::binder;
pub use lexer::lexer;
pub use own::{fuzz_cases, own_queries};
pub use parser::parser;
pub use printer::printer;

/// All properties, for texts that are not made for one of them.
pub fn all(text: &str) {
    lexer(text);
    parser(text);
    printer(text);
    binder(text);
}
