//! The canonical layout of a query: one operator a line.
//!
//! In: [`Parsed`]. Out: the same tokens and comments in the same order with
//! other blanks between them, so that the tree cannot change. A text with
//! errors comes out as it went in. Deliberately absent: rewriting of any kind
//! (no brackets added or removed, no spelling, quotes or order changed).
//!
//! The rules, which are mostly those of Microsoft's own formatter:
//! - Every `|` of a statement begins a line. A pipeline that a `let` names
//!   stands indented below the `let`. A query in brackets stays on one line
//!   when it has one `|`, fits, and stood on one line.
//! - A line has [`WIDTH`] characters. What does not fit is broken from the
//!   outside in: lists one item a line, indented; `summarize … by …` before
//!   the `by`; `and` and `or` leading their lines; values of `in (…)` and of
//!   `dynamic([…])` as many on a line as fit.
//! - What the author has set one item a line (arguments, columns, values,
//!   conditions) stays one item a line though it would fit on one.
//! - A comment keeps its place between the tokens: behind the code on its
//!   line, or on lines of its own above what it precedes. Of several empty
//!   lines one is kept.
//! - Line ends are those of the text.
//!
//! Three steps: `tokens` notes what stands between the tokens, `build` (with
//! `expressions` and `operators`) walks the tree and says where lines may
//! break and what breaks together, `layout` decides which do. Each takes time
//! linear in the length of the text.

mod build;
mod expressions;
mod layout;
mod operators;
mod tokens;

use crate::Parsed;

/// The characters a line may have before it is broken.
pub(crate) const WIDTH: usize = 100;

/// The query in canonical layout. Ends with a line end unless it is empty.
pub fn print(parsed: &Parsed) -> String {
    if parsed.has_errors() {
        return parsed.text.clone();
    }
    let source = tokens::Source::new(parsed);
    let ops = build::build(&source, &parsed.query);
    layout::write(&source, &ops)
}

#[cfg(test)]
mod tests;
