//! JSON Schemas that follow from the types, as checked in under schema/.

use schemars::JsonSchema;

use crate::config::Config;

/// Path and text of each: rules and explanations for tools, front matter and
/// rulec.toml for editors.
pub fn all() -> Vec<(&'static str, String)> {
    vec![
        ("schema/rule.schema.json", pretty(&rulec_model::rule_schema())),
        (
            "schema/front-matter.schema.json",
            pretty(&rulec_model::front_matter_schema()),
        ),
        (
            "schema/rulec.toml.schema.json",
            of::<Config>("https://rulec.dev/schema/rulec.toml.schema.json"),
        ),
        (
            "schema/explain.schema.json",
            of::<rulec_explain::Explanation>("https://rulec.dev/schema/explain.schema.json"),
        ),
        (
            "schema/coverage.schema.json",
            of::<rulec_catalog::Numbers<'_>>("https://rulec.dev/schema/coverage.schema.json"),
        ),
        (
            "schema/explain-miss.schema.json",
            of::<crate::miss::Report>("https://rulec.dev/schema/explain-miss.schema.json"),
        ),
        (
            "schema/fixture.schema.json",
            of::<crate::fixtures::FixtureFile>("https://rulec.dev/schema/fixture.schema.json"),
        ),
        (
            "schema/diff.schema.json",
            of::<crate::diff::Diff>("https://rulec.dev/schema/diff.schema.json"),
        ),
        (
            "schema/drift.schema.json",
            of::<crate::drift::Written<'_>>("https://rulec.dev/schema/drift.schema.json"),
        ),
        (
            "schema/changelog.schema.json",
            of::<crate::changelog::Changelog>("https://rulec.dev/schema/changelog.schema.json"),
        ),
        (
            "schema/manifest.schema.json",
            of::<crate::manifest::Manifest>("https://rulec.dev/schema/manifest.schema.json"),
        ),
        (
            "schema/build.schema.json",
            of::<crate::tree::Report<'_>>("https://rulec.dev/schema/build.schema.json"),
        ),
        (
            "schema/environment.schema.json",
            of::<rulec_environment::EnvironmentFile>("https://rulec.dev/schema/environment.schema.json"),
        ),
        (
            "schema/test.schema.json",
            of::<crate::fixtures::Written<'_>>("https://rulec.dev/schema/test.schema.json"),
        ),
    ]
}

fn of<T: JsonSchema>(id: &str) -> String {
    let mut schema = schemars::SchemaGenerator::default().into_root_schema_for::<T>();
    schema.insert("$id".to_owned(), id.into());
    pretty(&schema.to_value())
}

fn pretty(value: &serde_json::Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
