//! Alerts whose severity nobody chose.

use rulec_model::{Origin, RuleKind};

use super::code;
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL095",
        "severity-missing",
        Severity::Note,
        "Nobody chose the severity of the alerts.",
    ),
    page: include_str!("../../pages/severity-missing.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    // Hunts raise no alerts. Where nobody says that a rule is deployed, its severity is nothing to ask for.
    let rule = input.rule;
    if rule.kind != RuleKind::Detection || rule.settings.targets.is_none() {
        return;
    }
    let Some(severity) = input.queries.first().map(|query| &query.resolved.severity) else {
        return;
    };
    if let Origin::Default(why) = &severity.origin {
        let value = format!("{:?}", severity.value).to_lowercase();
        found.push(
            Diagnostic::new(
                LINT.code,
                format!("no severity is given, so alerts get `{value}` ({why})"),
            )
            .at(input.place("/title"))
            .help(format!("say it in the front matter, such as `severity: {value}`")),
        );
    }
}
