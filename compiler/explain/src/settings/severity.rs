//! A severity for rules that state none.

use rulec_model::{Origin, Rule, Severity, Sourced};

use crate::Facts;

/// Tactics at which an attacker is close to the goal.
const LATE: [&str; 5] = ["TA0006", "TA0008", "TA0010", "TA0040", "TA0004"];
/// Tactics that many harmless things look like.
const EARLY: [&str; 3] = ["TA0007", "TA0042", "TA0043"];

/// From the expected rate of false positives and the tactics; always marked as
/// a default, because it is an opinion.
pub(super) fn default(rule: &Rule, facts: &Facts) -> Sourced<Severity> {
    let rate = rule.fp_rate.as_deref().map(str::to_lowercase);
    let tactics: Vec<&str> = rule
        .attack
        .iter()
        .filter_map(|tag| {
            tag.tactic_id.as_deref().or_else(|| {
                let name = tag.tactic.as_deref()?;
                facts.attack.tactic(name).map(|t| t.id.as_str())
            })
        })
        .collect();
    let late = tactics.iter().any(|t| LATE.contains(t));
    let early = !tactics.is_empty() && tactics.iter().all(|t| EARLY.contains(t));
    let (severity, why) = match rate.as_deref() {
        Some("high") => (Severity::Low, "the expected rate of false positives is high"),
        Some("low" | "none") if late => (
            Severity::High,
            "few false positives, and a tactic close to the goal",
        ),
        _ if early => (Severity::Low, "only early tactics"),
        Some("low" | "none") => (Severity::Medium, "few false positives are expected"),
        _ => (
            Severity::Medium,
            "neither the document nor the repository says one",
        ),
    };
    Sourced::new(severity, Origin::Default(why.to_owned()))
}
