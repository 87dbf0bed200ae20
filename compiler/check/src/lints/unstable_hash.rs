//! `hash`, whose algorithm is not promised.

use rulec_source::{Diagnostic, Severity};

use super::{calls, code};
use crate::{Input, Lint};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL011",
        "unstable-hash",
        Severity::Warning,
        "`hash` is called, whose algorithm may change.",
    ),
    page: include_str!("../../pages/unstable-hash.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        for (_, span) in calls(query.parsed).filter(|(name, _)| *name == "hash") {
            let span = query.fragment.map(span);
            found.push(
                Diagnostic::new(
                    LINT.code,
                    "the algorithm of `hash` may change from one day to the next",
                )
                .at(span)
                .help("write `hash_xxhash64`, which gives the same values and keeps giving them")
                .fix("write `hash_xxhash64`", span, "hash_xxhash64"),
            );
        }
    }
}
