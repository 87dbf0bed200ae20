//! All detections at once: batches of requests to Microsoft Graph.
//!
//! In: the bodies of the detections, as they were emitted. Out: batches that
//! create them, and batches that update them where they are there already;
//! which of the two a detection needs, only the service knows.

use serde_json::{Value, json};

use super::Prepared;
use crate::bundle::{self, BUNDLE_SHAPE, Item};
use crate::{Artifact, Context, Emitted, Member};
use rulec_source::Diagnostic;

/// The name of the bundle, as rulec.toml has it.
pub(super) const BATCH: &str = "batch";

/// The batches, if they are wanted and target.toml has a file for them.
pub(super) fn bundles(
    prepared: &Prepared,
    context: &Context,
    members: &[Member<'_>],
    wanted: &[&str],
) -> Emitted {
    let mut emitted = Emitted::default();
    if !wanted.contains(&BATCH) || !prepared.config.files.contains_key(BATCH) {
        return emitted;
    }
    let limits = match bundle::limits(&context.pack) {
        Ok(limits) => limits,
        Err(diagnostic) => {
            emitted.diagnostics.push(*diagnostic);
            return emitted;
        }
    };
    let mut items = Vec::new();
    for (rule, path, body) in bundle::read(members, "detection", &mut emitted.diagnostics) {
        match body.get("id").and_then(Value::as_str) {
            Some(id) => items.push(Item {
                rule,
                name: id.to_owned(),
                value: body,
            }),
            None => {
                let message = format!("`{path}` of `{rule}` has no `id`");
                emitted.diagnostics.push(Diagnostic::new(BUNDLE_SHAPE, message));
            }
        }
    }
    let items = bundle::once(items, "id", &mut emitted.diagnostics);
    let base = &limits.graph.detections;
    for (index, part) in items.chunks(limits.graph.batch_requests).enumerate() {
        let create = |item: &Item<'_>| request(&item.name, "POST", base, &item.value);
        let update = |item: &Item<'_>| {
            // The id of a detection is in the address, and cannot be changed.
            let mut body = item.value.clone();
            if let Some(body) = body.as_object_mut() {
                body.shift_remove("id");
            }
            request(&item.name, "PATCH", &format!("{base}/{}", item.name), &body)
        };
        let both: [(&str, Vec<Value>); 2] = [
            ("create", part.iter().map(create).collect()),
            ("update", part.iter().map(update).collect()),
        ];
        for (name, requests) in both {
            let name = bundle::numbered(name, index);
            let meant = json!({ "requests": requests });
            let file = prepared
                .config
                .render_as(context, BATCH, name.as_str().into(), &meant, json!({}));
            emitted.add(file.map(|file| Artifact {
                rules: part.iter().map(|item| item.rule.to_owned()).collect(),
                ..file
            }));
        }
    }
    emitted
}

/// A request of a batch. Answers come back under its id.
fn request(id: &str, method: &str, url: &str, body: &Value) -> Value {
    json!({
        "id": id,
        "method": method,
        "url": url,
        "headers": { "Content-Type": "application/json" },
        "body": body,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Defender;
    use super::*;
    use crate::targets::testing::*;

    #[test]
    fn batches_hold_twenty_requests() {
        let bodies: Vec<Vec<u8>> = (0..45)
            .map(|i| serde_json::to_vec(&json!({ "id": format!("D-{i}"), "displayName": "T" })).unwrap())
            .chain([br#"{"id": "d-7"}"#.to_vec(), br#"{"displayName": "T"}"#.to_vec()])
            .collect();
        let emitted = bundle_of(&Defender, "detection", &bodies, &[BATCH]);
        let said: Vec<_> = emitted.diagnostics.iter().map(|d| d.code.id).collect();
        assert_eq!(said, ["RM003", "RM001"]);
        let found: Vec<(&str, usize)> = emitted
            .artifacts
            .iter()
            .map(|a| (a.path.as_str(), a.rules.len()))
            .collect();
        assert_eq!(
            found,
            [
                ("defender/bundle/create.json", 20),
                ("defender/bundle/update.json", 20),
                ("defender/bundle/create-2.json", 20),
                ("defender/bundle/update-2.json", 20),
                ("defender/bundle/create-3.json", 5),
                ("defender/bundle/update-3.json", 5),
            ]
        );
        let batch =
            |index: usize| -> Value { serde_json::from_slice(&emitted.artifacts[index].bytes).unwrap() };
        let create = &batch(0)["requests"][3];
        assert_eq!(
            create,
            &json!({
                "id": "D-3", "method": "POST", "url": "/security/rules/detectionRules",
                "headers": { "Content-Type": "application/json" },
                "body": { "id": "D-3", "displayName": "T" },
            })
        );
        let update = &batch(1)["requests"][3];
        assert_eq!(update["url"], "/security/rules/detectionRules/D-3");
        assert_eq!(update["body"], json!({ "displayName": "T" }));
        assert!(
            bundle_of(&Defender, "detection", &bodies, &[])
                .artifacts
                .is_empty()
        );
    }
}
