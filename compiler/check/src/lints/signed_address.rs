//! Addresses that carry the right to read what they lead to.

use super::{
    code,
    syntax::{exprs, text},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL094",
        "signed-address",
        Severity::Warning,
        "A query holds an address with a signature, which is a secret.",
    ),
    page: include_str!("../../pages/signed-address.md"),
    run,
};

/// Parameters of signed addresses: shared access signatures of Azure Storage,
/// presigned addresses of S3 and of Google Cloud Storage.
const SIGNATURES: [&str; 3] = ["sig=", "x-amz-signature=", "x-goog-signature="];
/// A signature is longer than this; a placeholder is not.
const SHORTEST: usize = 30;

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        exprs(query, &mut |expr| {
            let Some(address) = text(expr).filter(|_| !expr.span.is_empty()) else {
                return;
            };
            // The brackets around a text are expressions of their own.
            let written = expr.span.of(&query.parsed.text);
            if written.starts_with('(') || !is_signed(address) {
                return;
            }
            found.push(
                Diagnostic::new(
                    LINT.code,
                    "this address carries a signature, and everybody who reads the rule has it",
                )
                .at(query.fragment.map(expr.span))
                .help("withdraw the signature, and take the data from a watchlist or a table"),
            );
        });
    }
}

fn is_signed(address: &str) -> bool {
    let address = address.to_ascii_lowercase();
    let Some((_, parameters)) = address
        .split_once('?')
        .filter(|(place, _)| place.starts_with("http"))
    else {
        return false;
    };
    parameters.split(['&', ';']).any(|parameter| {
        SIGNATURES.iter().any(|key| {
            parameter
                .strip_prefix(key)
                .is_some_and(|value| value.len() >= SHORTEST)
        })
    })
}
