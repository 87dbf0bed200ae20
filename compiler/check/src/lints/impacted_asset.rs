//! A target that needs an impacted asset gets one.

use std::collections::BTreeMap;

use rulec_explain::origin::outputs;
use rulec_facts::contract::Contract;
use rulec_source::{Diagnostic, Severity};

use super::{
    code,
    mapped::closed,
    target_columns::{contracts, last_operator, missing, softened},
};
use crate::{Input, Lint, Query};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL079",
        "impacted-asset-missing",
        Severity::Error,
        "A target needs an impacted asset, and neither the mappings nor the columns of the result give one.",
    ),
    page: include_str!("../../pages/impacted-asset-missing.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for (query, which) in closed(input) {
        let lacking = missing(input, query);
        for contract in contracts(input, query) {
            if contract.assets.is_empty() || has_asset(input, contract, query, &lacking) {
                continue;
            }
            let message = format!(
                "{} needs an impacted asset, and {which} gives no column of {}",
                contract.title,
                contract.assets.join(", ")
            );
            let place = match &input.rule.settings.entities {
                Some(_) if input.places.contains_key("/settings/entities") => {
                    input.place("/settings/entities")
                }
                _ => last_operator(query),
            };
            let diagnostic = Diagnostic::new(LINT.code, message)
                .at(place)
                .help("let the result keep a DeviceId, an account's name or id, a mailbox or an address, and map it");
            found.push(softened(input, contract, diagnostic));
        }
    }
}

/// Whether the columns name an asset, or the mappings do. What `lacking` names
/// is asked for elsewhere and may well be one.
fn has_asset(input: &Input<'_>, contract: &Contract, query: &Query<'_>, lacking: &[String]) -> bool {
    let facts = &input.facts.entities;
    let mut columns = outputs(query.ir);
    for name in lacking {
        columns.push(rulec_facts::entities::OutputColumn {
            name,
            ty: rulec_functions::Type::Unknown,
            source: None,
            table: None,
            text: None,
        });
    }
    let is_asset = |list: &str| contract.assets.iter().any(|asset| asset == list);
    if facts
        .infer_defender(&columns)
        .iter()
        .any(|inferred| is_asset(&inferred.entity))
    {
        return true;
    }
    let has = |column: &str| columns.iter().any(|c| c.name == column);
    // Several mappings of one kind may be one asset together.
    let mut lists: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for entity in &query.resolved.entities.value {
        let Some(place) = facts.to_defender(&entity.kind) else {
            continue;
        };
        let Some(list) = place.list.as_deref().filter(|list| is_asset(list)) else {
            continue;
        };
        let properties = entity
            .fields
            .iter()
            .filter(|(_, column)| has(column))
            .filter_map(|(identifier, _)| place.identifiers.get(identifier).map(String::as_str));
        lists.entry(list).or_default().extend(properties);
    }
    lists
        .iter()
        .any(|(list, properties)| facts.is_accepted_by_defender(list, properties))
}
