//! The loss ledger as JSON.

use rulec_source::Span;
use serde_json::{Value, json};

use crate::Loss;

/// What one target could not say exactly of one rule.
#[derive(Clone, Copy, Debug)]
pub struct LedgerEntry<'a> {
    /// The rule's id.
    pub rule: &'a str,
    /// The query's slug, when the rule has several.
    pub query: Option<&'a str>,
    /// The target's name.
    pub target: &'a str,
    /// What it could not say, in order.
    pub losses: &'a [Loss],
}

/// The ledger, in the order of `entries`; those without a loss are left out.
///
/// `place` gives line and column (from 1) in the document for a span of the
/// query of an entry.
///
/// ```json
/// {"rulec": "0.1.0", "losses": [
///   {"rule": "RL-0001", "target": "defender", "construct": "tactic Execution",
///    "effect": "dropped", "why": "A custom detection has one tactic.", "line": 12, "column": 3}]}
/// ```
pub fn losses_json<'a>(
    version: &str,
    entries: impl IntoIterator<Item = LedgerEntry<'a>>,
    place: impl Fn(LedgerEntry<'a>, Span) -> Option<(usize, usize)>,
) -> Value {
    let mut losses = Vec::new();
    for entry in entries {
        for loss in entry.losses {
            let mut row = json!({ "rule": entry.rule, "target": entry.target });
            if let Some(query) = entry.query {
                row["query"] = query.into();
            }
            row["construct"] = loss.construct.as_str().into();
            row["effect"] = loss.effect.as_str().into();
            row["why"] = loss.why.as_str().into();
            let at = loss.span.and_then(|span| place(entry, span));
            if let Some((line, column)) = at {
                row["line"] = line.into();
                row["column"] = column.into();
            }
            losses.push(row);
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
            query: None,
            target: "sigma",
            losses: &losses,
        };
        let json = losses_json("0.1.0", [entry], |_, span| Some((1, span.start as usize + 1)));
        assert_eq!(
            json.to_string(),
            "{\"rulec\":\"0.1.0\",\"losses\":[\
             {\"rule\":\"RL-0001\",\"target\":\"sigma\",\"construct\":\"tactic Execution\",\"effect\":\"dropped\",\
             \"why\":\"One tactic.\"},\
             {\"rule\":\"RL-0001\",\"target\":\"sigma\",\"construct\":\"`has`\",\"effect\":\"widened\",\
             \"why\":\"No terms.\",\"line\":1,\"column\":4}]}"
        );
    }
}
