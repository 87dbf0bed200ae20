//! JSON values as template values, keys in their own order.
//!
//! The engine's own conversion sorts the keys of objects; an artifact reads
//! better in the order its format is known in.

use std::sync::Arc;

use minijinja::value::{Enumerator, Object, Serde, Value};

/// An object whose keys keep their order.
#[derive(Debug)]
struct Ordered(serde_json::Map<String, serde_json::Value>);

impl Object for Ordered {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(key.as_str()?).map(to_template)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.keys().map(Value::from).collect())
    }
}

/// A JSON value for a template.
pub(crate) fn to_template(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Object(map) => Value::from_object(Ordered(map.clone())),
        serde_json::Value::Array(items) => items.iter().map(to_template).collect(),
        other => Value::from(Serde(other)),
    }
}

/// A template's value as JSON; none for what JSON cannot say.
pub(crate) fn from_template(value: &Value) -> Option<serde_json::Value> {
    if value.is_undefined() {
        return None;
    }
    serde_json::to_value(value).ok()
}
