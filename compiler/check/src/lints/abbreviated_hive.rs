//! Registry keys under the short names of their hives.

use super::{code, syntax::comparisons};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL093",
        "abbreviated-hive",
        Severity::Warning,
        "A registry key is compared with a text that has its hive in short.",
    ),
    page: include_str!("../../pages/abbreviated-hive.md"),
    run,
};

/// Short names and what `RegistryKey` has instead: Defender writes hives out
/// (the examples of the table in the advanced hunting reference). What follows
/// the hive is the same only below the machine's: a user's key begins with the
/// user's SID there.
const HIVES: [(&str, &str, bool); 4] = [
    ("HKLM", "HKEY_LOCAL_MACHINE", true),
    ("HKCU", "HKEY_CURRENT_USER", false),
    ("HKU", "HKEY_USERS", false),
    ("HKCR", "HKEY_CLASSES_ROOT", false),
];

const COLUMNS: [&str; 2] = ["RegistryKey", "PreviousRegistryKey"];

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        let of_devices = |name: &str| name == "DeviceRegistryEvents" || name == "DeviceEvents";
        if query.ir.tables.is_empty() || !query.ir.tables.iter().all(|table| of_devices(&table.name)) {
            continue;
        }
        comparisons(query, &mut |comparison| {
            let column = comparison.column().filter(|column| COLUMNS.contains(column));
            let Some(column) = column.filter(|_| comparison.op != "matches regex") else {
                return;
            };
            for (value, span) in comparison.texts() {
                let upper = value.to_ascii_uppercase();
                let short = HIVES.iter().find(|(short, ..)| {
                    upper
                        .strip_prefix(short)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '\\']))
                });
                let Some((short, long, same)) = short else {
                    continue;
                };
                let diagnostic = Diagnostic::new(
                    LINT.code,
                    format!("`{column}` never has `{short}`: hives are written out there"),
                )
                .at(query.fragment.map(span));
                let written = span.of(&query.parsed.text);
                let at = written.to_ascii_uppercase().find(short);
                found.push(match at {
                    Some(at) if *same && !value[short.len()..].starts_with(':') => {
                        diagnostic.help(format!("write `{long}`")).fix(
                            format!("write `{long}`"),
                            query.fragment.map(span),
                            format!("{}{long}{}", &written[..at], &written[at + short.len()..]),
                        )
                    }
                    _ => diagnostic.help(format!(
                        "leave the hive out and use `contains`, or write `{long}` and what stands between"
                    )),
                });
            }
        });
    }
}
