//! The loss ledger as JSON.

use rulec_source::Span;
use serde_json::{Value, json};

use crate::Loss;

/// What one target could not say exactly of one query of a rule.
#[derive(Clone, Copy, Debug)]
pub struct LedgerEntry<'a> {
    /// The rule's id.
    pub rule: &'a str,
    /// The target's name.
    pub target: &'a str,
    /// What it could not say, in order.
    pub losses: &'a [Loss],
}

/// The ledger, in the order of `entries`.
///
/// `place` gives file, line and column (from 1) in the document for a span of
/// the query that the entry at this index is about.
///
/// ```json
/// {"rulec": "0.1.0", "losses": [
///   {"rule": "RL-0001", "target": "defender", "construct": "tactic Execution",
///    "effect": "dropped", "why": "A custom detection has one tactic.",
///    "file": null, "line": null, "column": null}]}
/// ```
pub fn losses_json<'a>(
    version: &str,
    entries: impl IntoIterator<Item = LedgerEntry<'a>>,
    place: impl Fn(usize, Span) -> Option<(&'a str, usize, usize)>,
) -> Value {
    let mut losses = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        for loss in entry.losses {
            let at = loss.span.and_then(|span| place(index, span));
            losses.push(json!({
                "rule": entry.rule,
                "target": entry.target,
                "construct": loss.construct,
                "effect": loss.effect,
                "why": loss.why,
                "file": at.map(|(file, ..)| file),
                "line": at.map(|(_, line, _)| line),
                "column": at.map(|(.., column)| column),
            }));
        }
    }
    json!({ "rulec": version, "losses": losses })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Effect;

    #[test]
    fn rows_have_places_where_there_are_some() {
        let losses = [
            Loss::new("tactic Execution", Effect::Dropped, "One tactic."),
            Loss::new("`has`", Effect::Widened, "No terms.").at(Span::new(3, 6)),
        ];
        let entry = LedgerEntry {
            rule: "RL-0001",
            target: "sigma",
            losses: &losses,
        };
        let json = losses_json("0.1.0", [entry], |index, span| {
            Some(("rules/a.md", index + 1, span.start as usize + 1))
        });
        assert_eq!(
            json.to_string(),
            "{\"rulec\":\"0.1.0\",\"losses\":[\
             {\"rule\":\"RL-0001\",\"target\":\"sigma\",\"construct\":\"tactic Execution\",\"effect\":\"dropped\",\
             \"why\":\"One tactic.\",\"file\":null,\"line\":null,\"column\":null},\
             {\"rule\":\"RL-0001\",\"target\":\"sigma\",\"construct\":\"`has`\",\"effect\":\"widened\",\
             \"why\":\"No terms.\",\"file\":\"rules/a.md\",\"line\":1,\"column\":4}]}"
        );
    }
}
