//! All rules at once, for those who deploy them together: deployment templates
//! of Azure Resource Manager, and Bicep files with the rules as data.
//!
//! In: the ARM templates of the rules, as they were emitted. Out: as few files
//! as the limits of a deployment allow. An analytics rule belongs to a
//! workspace and has no location of its own, so the workspace is the only
//! parameter; nothing depends on anything else.

use serde_json::{Map, Value, json};

use super::{NAME, Prepared};
use crate::bundle::{self, BUNDLE_SHAPE, Item};
use crate::{Artifact, Context, Emitted, Member};
use rulec_source::Diagnostic;

/// The names of the bundles, as rulec.toml has them.
pub(super) const ARM: &str = "arm";
pub(super) const BICEP: &str = "bicep";

/// What a template may have besides resources and parameters, and still be
/// put together with others.
const HEAD: &[&str] = &["$schema", "contentVersion", "metadata", "parameters", "resources"];

/// The bundles that are wanted, and that target.toml has files for.
pub(super) fn bundles(
    prepared: &Prepared,
    context: &Context,
    members: &[Member<'_>],
    wanted: &[&str],
) -> Emitted {
    let mut emitted = Emitted::default();
    let files = &prepared.config.files;
    let has =
        |name: &str, keys: &[&str]| wanted.contains(&name) && keys.iter().all(|key| files.contains_key(*key));
    let (arm, bicep) = (has(ARM, &["arm_bundle"]), has(BICEP, &["bicep", "bicep_rules"]));
    if !arm && !bicep {
        return emitted;
    }
    let limits = match bundle::limits(&context.pack) {
        Ok(limits) => limits,
        Err(diagnostic) => {
            emitted.diagnostics.push(*diagnostic);
            return emitted;
        }
    };
    let rulec = members.first().map_or("", |member| member.rulec);
    let (items, parameters) = resources(members, &mut emitted.diagnostics);
    if bicep {
        // The template that Bicep makes has the rules as a variable, and each once more.
        let bytes = limits.bicep.file_characters.min(limits.arm.template_bytes / 2);
        let rules = rules(&items, &mut emitted.diagnostics);
        let parts = bundle::cut(
            rules,
            limits.arm.resources,
            bytes,
            limits.arm.resource_bytes,
            &mut Vec::new(),
        );
        for (index, part) in parts.into_iter().enumerate() {
            for artifact in bicep_files(prepared, context, rulec, index, part) {
                emitted.add(artifact);
            }
        }
    }
    if arm {
        let template = &limits.arm;
        let parts = bundle::cut(
            items,
            template.resources,
            template.template_bytes,
            template.resource_bytes,
            &mut emitted.diagnostics,
        );
        for (index, part) in parts.into_iter().enumerate() {
            let rules = ids(&part);
            let resources: Vec<Value> = part.into_iter().map(|item| item.value).collect();
            let meant = json!({ "parameters": parameters, "resources": resources });
            let variables = json!({ "rulec": rulec, "schema": template.template_schema });
            let name = bundle::numbered("rules", index);
            let file =
                prepared
                    .config
                    .render_as(context, "arm_bundle", name.as_str().into(), &meant, variables);
            emitted.add(file.map(|file| Artifact { rules, ..file }));
        }
    }
    emitted
}

fn ids(items: &[Item<'_>]) -> Vec<String> {
    items.iter().map(|item| item.rule.to_owned()).collect()
}

/// The resources of all templates by the names of their rules, and the
/// parameters that they take.
fn resources<'a>(
    members: &[Member<'a>],
    diagnostics: &mut Vec<Diagnostic>,
) -> (Vec<Item<'a>>, Map<String, Value>) {
    let mut parameters: Map<String, Value> = Map::new();
    let mut items = Vec::new();
    for (rule, path, template) in bundle::read(members, "arm", diagnostics) {
        let mut refuse = |what: String| {
            let message = format!("`{path}` of `{rule}` cannot be put together with others: {what}");
            diagnostics.push(Diagnostic::new(BUNDLE_SHAPE, message).help(format!(
                "look at the repository's own templates/{NAME}, or leave the bundle out with `bundles` in rulec.toml"
            )));
        };
        let other = template
            .as_object()
            .and_then(|all| all.keys().find(|key| !HEAD.contains(&key.as_str())));
        if let Some(other) = other {
            refuse(format!("it has `{other}`"));
            continue;
        }
        let own = template.get("parameters").and_then(Value::as_object);
        let clash = own
            .into_iter()
            .flatten()
            .find(|(name, value)| parameters.get(*name).is_some_and(|known| known != *value));
        if let Some((name, _)) = clash {
            refuse(format!("another has another parameter `{name}`"));
            continue;
        }
        let found = template.get("resources").and_then(Value::as_array);
        let Some(found) = found.filter(|found| !found.is_empty()) else {
            refuse("it has no resources".to_owned());
            continue;
        };
        let named: Vec<Option<String>> = found.iter().map(name).collect();
        if named.iter().any(Option::is_none) {
            refuse("the name of its resource does not end in the id of a rule".to_owned());
            continue;
        }
        parameters.extend(own.into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())));
        for (resource, name) in found.iter().zip(named.into_iter().flatten()) {
            items.push(Item {
                rule,
                name,
                value: resource.clone(),
            });
        }
    }
    (bundle::once(items, "resource name", diagnostics), parameters)
}

/// The last part of a resource's name, which is the rule's:
/// `[concat(parameters('workspace'),'/Microsoft.SecurityInsights/9e37…')]`.
fn name(resource: &Value) -> Option<String> {
    let whole = resource.get("name")?.as_str()?;
    let whole = whole
        .strip_suffix("')]")
        .or_else(|| (!whole.starts_with('[')).then_some(whole))?;
    let name = whole.rsplit('/').next()?;
    let fit = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    fit.then(|| name.to_owned())
}

/// The rules as data, in which nothing is an expression.
fn rules<'a>(items: &[Item<'a>], diagnostics: &mut Vec<Diagnostic>) -> Vec<Item<'a>> {
    let mut found = Vec::with_capacity(items.len());
    for item in items {
        let mut rule = Map::new();
        rule.insert("name".to_owned(), json!(item.name));
        let mut expression = None;
        for key in ["apiVersion", "kind", "properties"] {
            let value = item.value.get(key).cloned().unwrap_or_default();
            rule.insert(key.to_owned(), plain(value, &mut expression));
        }
        match expression {
            None => found.push(Item {
                rule: item.rule,
                name: item.name.clone(),
                value: Value::Object(rule),
            }),
            Some(text) => {
                let message = format!(
                    "`{}` has the expression `{text}`, which is text where Bicep reads it",
                    item.rule
                );
                diagnostics.push(Diagnostic::new(BUNDLE_SHAPE, message).help(format!(
                    "leave expressions out of the properties in templates/{NAME}, or leave the bundle out with `bundles` in rulec.toml"
                )));
            }
        }
    }
    found
}

/// A value of a template as what it stands for: Azure Resource Manager takes a
/// text in square brackets for an expression, and a doubled first bracket for
/// a bracket; Bicep writes that by itself.
fn plain(value: Value, expression: &mut Option<String>) -> Value {
    match value {
        Value::String(text) if text.starts_with('[') && text.ends_with(']') => {
            if let Some(rest) = text.strip_prefix("[[") {
                return Value::String(format!("[{rest}"));
            }
            expression.get_or_insert_with(|| text.clone());
            Value::String(text)
        }
        Value::Array(items) => items.into_iter().map(|item| plain(item, expression)).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, plain(value, expression)))
            .collect(),
        other => other,
    }
}

/// A file of rules, and the one that reads it.
fn bicep_files(
    prepared: &Prepared,
    context: &Context,
    rulec: &str,
    index: usize,
    part: Vec<Item<'_>>,
) -> Vec<Result<Artifact, Box<Diagnostic>>> {
    let ids = ids(&part);
    let values: Value = part.into_iter().map(|item| item.value).collect();
    let data = bundle::numbered("rules", index);
    let data = prepared
        .config
        .render_as(context, "bicep_rules", data.as_str().into(), &values, json!({}));
    // One loop for each version of the interface: a resource's version is no value.
    let mut versions: Vec<(&str, usize)> = Vec::new();
    for value in values.as_array().into_iter().flatten() {
        let version = value
            .get("apiVersion")
            .and_then(Value::as_str)
            .unwrap_or_default();
        match versions.iter_mut().find(|(known, _)| *known == version) {
            Some((_, count)) => *count += 1,
            None => versions.push((version, 1)),
        }
    }
    versions.sort_unstable();
    let versions: Vec<Value> = versions
        .into_iter()
        .map(|(version, rules)| json!({ "version": version, "rules": rules }))
        .collect();
    let file = data
        .as_ref()
        .map_or("", |data| data.path.rsplit('/').next().unwrap_or_default())
        .to_owned();
    let variables = json!({ "rulec": rulec, "file": file, "versions": versions, "count": ids.len() });
    let main = bundle::numbered("main", index);
    let main = prepared
        .config
        .render_as(context, "bicep", main.as_str().into(), &json!({}), variables);
    [main, data]
        .into_iter()
        .map(|file| {
            file.map(|file| Artifact {
                rules: ids.clone(),
                ..file
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Sentinel;
    use super::*;
    use crate::targets::testing::*;

    /// A template as it is emitted, by a rule's number.
    fn template(number: usize, title: &str, query: &str) -> Vec<u8> {
        let id = format!("00000000-0000-0000-0000-{number:012}");
        let name = format!("[concat(parameters('workspace'),'/Microsoft.SecurityInsights/{id}')]");
        let version = ["2025-09-01", "2025-07-01-preview"][number % 2];
        let all = json!({
            "$schema": "x",
            "contentVersion": "1.0.0.0",
            "parameters": { "workspace": { "type": "String" } },
            "resources": [{
                "name": name,
                "type": "Microsoft.OperationalInsights/workspaces/providers/alertRules",
                "kind": "Scheduled",
                "apiVersion": version,
                "properties": { "displayName": title, "query": query },
            }],
        });
        serde_json::to_vec(&all).unwrap()
    }

    fn json_of(artifact: &Artifact) -> Value {
        serde_json::from_slice(&artifact.bytes).unwrap()
    }

    #[test]
    fn texts_in_brackets_are_plain_for_bicep() {
        let text = "[[a] | where x == '[b]']";
        let emitted = bundle_of(
            &Sentinel,
            "arm",
            &[template(0, text, "[[c"), template(1, "B", "T")],
            &[ARM, BICEP],
        );
        assert!(emitted.diagnostics.is_empty(), "{:?}", emitted.diagnostics);
        let paths: Vec<_> = emitted.artifacts.iter().map(|a| a.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "sentinel/bundle/bicep/main.bicep",
                "sentinel/bundle/bicep/rules.json",
                "sentinel/bundle/arm/rules.json"
            ]
        );
        let rules = json_of(&emitted.artifacts[1]);
        assert_eq!(rules[0]["properties"]["displayName"], "[a] | where x == '[b]']");
        assert_eq!(rules[0]["properties"]["query"], "[[c");
        assert_eq!(rules[0]["name"], "00000000-0000-0000-0000-000000000000");
        let arm = json_of(&emitted.artifacts[2]);
        assert_eq!(arm["resources"][0]["properties"]["displayName"], text);
        assert_eq!(arm["parameters"], json!({ "workspace": { "type": "String" } }));
        let main = String::from_utf8(emitted.artifacts[0].bytes.clone()).unwrap();
        for part in [
            "loadJsonContent('rules.json')",
            "alertRules@2025-09-01'",
            "alertRules@2025-07-01-preview'",
        ] {
            assert!(main.contains(part), "{main}");
        }
        assert!(emitted.artifacts.iter().all(|a| a.rules == ["R-0", "R-1"]));
    }

    #[test]
    fn many_and_large_rules_are_several_templates() {
        let many: Vec<Vec<u8>> = (0..1_700).map(|i| template(i, "T", "q")).collect();
        let emitted = bundle_of(&Sentinel, "arm", &many, &[ARM, BICEP]);
        let count = |artifact: &Artifact| match json_of(artifact) {
            Value::Array(rules) => rules.len(),
            template => template["resources"].as_array().unwrap().len(),
        };
        let data = |emitted: &Emitted, part: &str| -> Vec<(String, usize, usize)> {
            emitted
                .artifacts
                .iter()
                .filter(|a| a.path.contains(part) && a.kind != "bicep")
                .map(|a| {
                    (
                        a.path.rsplit('/').next().unwrap().to_owned(),
                        count(a),
                        a.bytes.len(),
                    )
                })
                .collect()
        };
        for part in ["/arm/", "/bicep/"] {
            let found: Vec<_> = data(&emitted, part).into_iter().map(|(n, c, _)| (n, c)).collect();
            let expected = [("rules.json", 800), ("rules-2.json", 800), ("rules-3.json", 100)];
            assert_eq!(found, expected.map(|(n, c)| (n.to_owned(), c)));
        }
        // Ten thousand characters are the most a query may have.
        let large: Vec<Vec<u8>> = (0..600).map(|i| template(i, "T", &"é\n".repeat(5_000))).collect();
        let emitted = bundle_of(&Sentinel, "arm", &large, &[ARM, BICEP]);
        let limits = bundle::limits(&context().pack).unwrap();
        for (part, limit) in [
            ("/arm/", limits.arm.template_bytes),
            ("/bicep/", limits.bicep.file_characters),
        ] {
            let found = data(&emitted, part);
            assert!(found.len() > 2);
            assert!(found.iter().all(|(.., bytes)| *bytes <= limit), "{found:?}");
            assert_eq!(found.iter().map(|(_, count, _)| count).sum::<usize>(), 600);
        }
        assert_eq!(
            emitted.artifacts.iter().filter(|a| a.kind == "bicep").count(),
            data(&emitted, "/bicep/").len()
        );
    }

    #[test]
    fn what_cannot_be_put_together_is_told_and_the_rest_is() {
        let twice = template(1, "T", "q");
        let expression = template(2, "[parameters('title')]", "q");
        let mut variables = json_value(&template(3, "T", "q"));
        variables["variables"] = json!({ "a": 1 });
        let mut other = json_value(&template(4, "T", "q"));
        other["parameters"]["workspace"]["type"] = json!("SecureString");
        let mut nameless = json_value(&template(5, "T", "q"));
        nameless["resources"][0]["name"] = json!("[variables('x')]");
        let mut empty = json_value(&template(6, "T", "q"));
        empty["resources"] = json!([]);
        let all = [
            twice.clone(),
            twice,
            expression,
            bytes(&variables),
            bytes(&other),
            bytes(&nameless),
            bytes(&empty),
            b"{".to_vec(),
        ];
        let emitted = bundle_of(&Sentinel, "arm", &all, &[ARM, BICEP]);
        let said: Vec<(&str, &str)> = emitted
            .diagnostics
            .iter()
            .map(|d| (d.code.id, d.message.as_str()))
            .collect();
        for (code, part) in [
            (
                "RM003",
                "`R-3` cannot be put together with others: it has `variables`",
            ),
            (
                "RM003",
                "`R-4` cannot be put together with others: another has another parameter `workspace`",
            ),
            (
                "RM003",
                "`R-5` cannot be put together with others: the name of its resource",
            ),
            (
                "RM003",
                "`R-6` cannot be put together with others: it has no resources",
            ),
            ("RM003", "of `R-7` is not JSON"),
            ("RM001", "`R-0` and `R-1` both have the resource name"),
            ("RM003", "`R-2` has the expression `[parameters('title')]`"),
        ] {
            assert!(
                said.iter().any(|(c, m)| *c == code && m.contains(part)),
                "{part}: {said:#?}"
            );
        }
        assert_eq!(said.len(), 7);
        let rules = |part: &str| {
            let found = emitted.artifacts.iter().find(|a| a.path.contains(part));
            found.unwrap().rules.clone()
        };
        assert_eq!(rules("/arm/"), ["R-0", "R-2"]);
        assert_eq!(rules("/bicep/"), ["R-0"]);
    }

    fn json_value(bytes: &[u8]) -> Value {
        serde_json::from_slice(bytes).unwrap()
    }

    fn bytes(value: &Value) -> Vec<u8> {
        serde_json::to_vec(value).unwrap()
    }

    #[test]
    fn what_nobody_wants_is_not_made() {
        assert!(
            bundle_of(&Sentinel, "arm", &[template(0, "T", "q")], &[])
                .artifacts
                .is_empty()
        );
        assert_eq!(
            bundle_of(&Sentinel, "arm", &[template(0, "T", "q")], &[ARM])
                .artifacts
                .len(),
            1
        );
        assert!(
            bundle_of(&Sentinel, "arm", &[], &[ARM, BICEP])
                .artifacts
                .is_empty()
        );
    }
}
