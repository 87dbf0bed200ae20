//! Ranges of addresses as texts.

use super::{code, syntax::comparisons};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL058",
        "ip-as-text",
        Severity::Note,
        "An address is compared as a text.",
    ),
    page: include_str!("../../pages/ip-as-text.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        comparisons(query, &mut |c| {
            if !matches!(
                c.op,
                "startswith" | "!startswith" | "contains" | "!contains" | "has" | "!has"
            ) {
                return;
            }
            let Some(column) = c
                .column()
                .filter(|c| c.ends_with("IP") || c.ends_with("IPAddress") || c.ends_with("IpAddress"))
            else {
                return;
            };
            for (value, span) in c.texts() {
                let numbers: Vec<&str> = value.split('.').collect();
                let number = |part: &&str| part.len() <= 3 && part.chars().all(|c| c.is_ascii_digit());
                if (2..=4).contains(&numbers.len()) && numbers.iter().all(number) && value.ends_with('.') {
                    found.push(
                        Diagnostic::new(
                            LINT.code,
                            format!("`{column}` is compared as a text, in which a range is hard to say"),
                        )
                        .at(query.fragment.map(span))
                        .help("use `ipv4_is_private()`, or `ipv4_is_in_range()` with the network"),
                    );
                }
            }
        });
    }
}
