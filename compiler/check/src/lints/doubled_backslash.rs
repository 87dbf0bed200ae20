//! Backslashes that are two.

use super::{
    code,
    syntax::{comparisons, text},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL056",
        "doubled-backslash",
        Severity::Warning,
        "A verbatim text has its backslashes doubled.",
    ),
    page: include_str!("../../pages/doubled-backslash.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        comparisons(query, &mut |c| {
            // Other columns hold JSON, in which backslashes are doubled.
            let paths = c
                .column()
                .is_some_and(|column| PATHS.iter().any(|name| column.ends_with(name)));
            if c.op == "matches regex" || !paths {
                return;
            }
            for value in c.values {
                if text(value).is_none() {
                    continue;
                }
                let written = value.span.of(&query.parsed.text);
                let inner = written
                    .strip_prefix(['@'])
                    .map(|quoted| quoted.trim_matches(['"', '\'']));
                if inner.is_some_and(doubled) {
                    let single = written.replace("\\\\", "\\");
                    let at = query.fragment.map(value.span);
                    found.push(
                        Diagnostic::new(
                            LINT.code,
                            "behind `@` a backslash is not doubled, so this looks for two",
                        )
                        .at(at)
                        .help("write single backslashes, or leave `@` out")
                        .suggest("write single backslashes", at, single),
                    );
                }
            }
        });
    }
}

/// Ends of the names of columns that hold paths.
const PATHS: [&str; 5] = ["FolderPath", "FileName", "CommandLine", "RegistryKey", "FilePath"];

/// Whether two backslashes stand behind a name or a drive. Elsewhere they may begin a share on the network.
fn doubled(text: &str) -> bool {
    text.match_indices("\\\\").any(|(at, _)| {
        let before = text[..at].chars().next_back();
        before.is_some_and(|c| c.is_alphanumeric() || c == ':')
    })
}
