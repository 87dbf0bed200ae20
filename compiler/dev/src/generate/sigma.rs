//! Checks schema/sigma/, which is written by hand, against the facts it is from.

use std::collections::BTreeMap;

use rulec_facts::Pack;
use rulec_facts::sigma::{Form, LogSource, Sigma};
use serde_json::Value;

use super::{read_json, root};

/// The facts and our log sources; None, and a printed line, where there are no facts.
fn facts(file: &str) -> Option<(Value, Sigma)> {
    let path = root().join("../shared/facts/sigma").join(file);
    if path.is_file() {
        return Some((read_json(&path).unwrap(), Sigma::load(&Pack::embedded()).unwrap()));
    }
    println!("skipped: there are no facts at ../shared/facts");
    None
}

fn all(sigma: &Sigma) -> impl Iterator<Item = &LogSource> {
    sigma.tables().flat_map(|table| sigma.logsources(table))
}

#[test]
fn fields_that_are_not_ours_are_in_the_public_map() {
    let Some((maps, sigma)) = facts("kusto-field-maps.json") else {
        return;
    };
    let xdr = &maps["microsoftxdr"]["MICROSOFT_XDR_FIELD_MAPPINGS"];
    let azure = &maps["azuremonitor"]["AZURE_MONITOR_FIELD_MAPPINGS"];
    let mut wrong = Vec::new();
    for source in all(&sigma) {
        // The sign-in tables share one schema, of which the map knows one.
        let table = if source.table.ends_with("SignInLogs") {
            "SigninLogs"
        } else {
            source.table.as_str()
        };
        for (column, field) in source.fields.iter().filter(|(_, field)| !field.own) {
            // The map speaks of single hashes, which pipelines take out of Hashes first.
            let name = match field.form {
                Form::Md5 => "md5",
                Form::Sha1 => "sha1",
                Form::Sha256 => "sha256",
                _ => field.name.as_str(),
            };
            let places = [
                &xdr["table_mappings"][table][name],
                &xdr["generic_mappings"][name],
                &azure["table_mappings"][table][name],
            ];
            if !places.contains(&&Value::from(column.as_str())) {
                wrong.push(format!("{}: {column} -> {name}", source.table));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn fields_are_known_to_their_log_source() {
    let Some((lists, sigma)) = facts("sigmahq-logsource.json") else {
        return;
    };
    let mut wrong = BTreeMap::new();
    for source in all(&sigma) {
        let systems: Vec<&str> = match &source.product {
            Some(product) => vec![product],
            None if source.products.is_empty() => vec!["empty"],
            None => source.products.keys().map(String::as_str).collect(),
        };
        let (kind, name) = match (&source.category, &source.service) {
            (Some(category), _) => ("category", category.as_str()),
            (None, Some(service)) => ("service", service.as_str()),
            (None, None) => continue,
        };
        for system in systems {
            let of = |part: &str| {
                lists[part][system][kind][name]
                    .as_array()
                    .cloned()
                    .unwrap_or_default()
            };
            assert!(
                lists["legit"][system][kind].get(name).is_some(),
                "{system} has no {kind} {name}"
            );
            let mut known = of("legit");
            // An empty list says that nobody has listed the fields.
            if known.is_empty() || system != "windows" && system != "empty" {
                continue;
            }
            known.extend(of("addon"));
            known.extend(
                lists["legit"][system]["common"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default(),
            );
            let fields = source.fields.values().map(|field| (&field.name, field.beyond));
            for (field, beyond) in fields.chain(source.adds.keys().map(|field| (field, false))) {
                if known.contains(&Value::from(field.as_str())) == beyond {
                    wrong
                        .entry(format!("{system} {name}"))
                        .or_insert_with(Vec::new)
                        .push(field.clone());
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
