//! Reading artifacts back: what was rendered has to say what was meant.
//!
//! In: the text a template gave, and the value the target built before. Out:
//! nothing, or the first place where the two differ. A template may add keys
//! (a repository's own house metadata); what was meant has to be there
//! unchanged. Deliberately absent: whether the value is right for its target.

use rulec_source::Diagnostic;
use serde::Deserialize;
use serde_json::Value;

use crate::codes::TEMPLATE_WRONG;

/// How an artifact is read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// One YAML document.
    Yaml,
    /// YAML documents with `---` between them; what is meant is an array.
    YamlStream,
    /// One JSON value.
    Json,
    /// Not read back.
    Text,
}

/// Loads `text` and holds it against `meant`, if something is meant. Gives what
/// was loaded, none for [`Format::Text`]. The error names the template.
pub fn check(
    template: &str,
    format: Format,
    text: &str,
    meant: Option<&Value>,
) -> Result<Option<Value>, Box<Diagnostic>> {
    let wrong = |what: String| {
        let diagnostic = Diagnostic::new(
            TEMPLATE_WRONG,
            format!("templates/{template} does not say what was meant: {what}"),
        )
        .help("print strings through `yaml_string`, `yaml_block`, `yaml` or `json`, and every value that is meant");
        Box::new(diagnostic)
    };
    let loaded =
        load(format, text).map_err(|message| wrong(format!("its output cannot be read back: {message}")))?;
    if let (Some(meant), Some(loaded)) = (meant, &loaded)
        && let Some(difference) = difference(meant, loaded)
    {
        return Err(wrong(difference));
    }
    Ok(loaded)
}

/// Loads an artifact; none for [`Format::Text`].
pub fn load(format: Format, text: &str) -> Result<Option<Value>, String> {
    match format {
        Format::Text => Ok(None),
        Format::Json => serde_json::from_str(text).map(Some).map_err(|e| e.to_string()),
        Format::Yaml => serde_yaml::from_str(text).map(Some).map_err(|e| e.to_string()),
        Format::YamlStream => serde_yaml::Deserializer::from_str(text)
            .map(Value::deserialize)
            .collect::<Result<Vec<_>, _>>()
            .map(|documents| Some(Value::Array(documents)))
            .map_err(|e| e.to_string()),
    }
}

/// The first place where `loaded` lacks or changes something of `meant`.
pub fn difference(meant: &Value, loaded: &Value) -> Option<String> {
    differs(meant, loaded, &mut String::new())
}

fn differs(meant: &Value, loaded: &Value, path: &mut String) -> Option<String> {
    let at = |path: &str| {
        if path.is_empty() {
            "the whole".to_owned()
        } else {
            format!("`{path}`")
        }
    };
    match (meant, loaded) {
        (Value::Object(meant), Value::Object(loaded)) => meant.iter().find_map(|(key, value)| {
            let length = path.len();
            if length > 0 {
                path.push('.');
            }
            path.push_str(key);
            let found = match loaded.get(key) {
                Some(other) => differs(value, other, path),
                None => Some(format!("{} is missing", at(path))),
            };
            path.truncate(length);
            found
        }),
        (Value::Array(meant), Value::Array(loaded)) if meant.len() == loaded.len() => meant
            .iter()
            .zip(loaded)
            .enumerate()
            .find_map(|(i, (value, other))| {
                let length = path.len();
                path.push_str(&format!("[{i}]"));
                let found = differs(value, other, path);
                path.truncate(length);
                found
            }),
        (Value::Array(meant), Value::Array(loaded)) => Some(format!(
            "{} has {} items instead of {}",
            at(path),
            loaded.len(),
            meant.len()
        )),
        _ if meant == loaded => None,
        _ => Some(format!(
            "{} is {} instead of {}",
            at(path),
            short(loaded),
            short(meant)
        )),
    }
}

/// A value in a message: long ones keep their beginning.
fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn additions_are_fine_and_losses_are_not() {
        let meant = json!({"a": {"b": [1, {"c": "yes"}]}});
        assert_eq!(
            difference(&meant, &json!({"a": {"b": [1, {"c": "yes", "d": 1}]}, "e": 1})),
            None
        );
        for (loaded, says) in [
            (
                json!({"a": {"b": [1, {"c": true}]}}),
                "`a.b[1].c` is true instead of \"yes\"",
            ),
            (json!({"a": {"b": [1, {}]}}), "`a.b[1].c` is missing"),
            (json!({"a": {"b": [1]}}), "`a.b` has 1 items instead of 2"),
            (
                json!([]),
                "the whole is [] instead of {\"a\":{\"b\":[1,{\"c\":\"yes\"}]}}",
            ),
        ] {
            assert_eq!(difference(&meant, &loaded).unwrap(), says);
        }
    }

    #[test]
    fn formats_load() {
        let two = json!([{"a": 1}, {"b": 2}]);
        assert!(check("t/a.j2", Format::YamlStream, "a: 1\n---\nb: 2\n", Some(&two)).is_ok());
        assert!(check("t/a.j2", Format::Text, "{", Some(&two)).is_ok());
        assert!(check("t/a.j2", Format::Json, "[{\"a\":1},{\"b\":2}]", Some(&two)).is_ok());
        for (format, text) in [
            (Format::Json, "{"),
            (Format::Yaml, "a: [b"),
            (Format::Yaml, "a: 1\na: 2"),
            (Format::Yaml, "a: !x 1"),
            (Format::Yaml, ""),
        ] {
            let error = check("t/a.j2", format, text, Some(&json!({"a": 1}))).unwrap_err();
            assert_eq!(error.code, TEMPLATE_WRONG);
            assert!(
                error
                    .message
                    .starts_with("templates/t/a.j2 does not say what was meant"),
                "{text}"
            );
        }
    }
}
