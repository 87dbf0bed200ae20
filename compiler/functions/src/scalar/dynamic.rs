//! Property bags and paths into dynamic values.

use std::collections::HashSet;
use std::sync::Arc;

use super::conditional::is_empty;
use super::patterns::{Step, at_path, path_steps};
use crate::args::{array, bag, flag, get};
use crate::{Bag, Value, convert, json, text};

rows! { OPERATORS: Operator in dynamic {
    member "member", [(Dynamic, Text) -> Dynamic], "The value under a key of a bag: a.b.",
        "dynamic({'a': {'b': 5}}).a.b" => "5", "dynamic({'a': 1}).x" => "";
    index "index", [(Dynamic, Integer) -> Dynamic, (Dynamic, TextOrDynamic) -> Dynamic], "An element of an array (from the end if negative), or the value under a key: a[i].",
        "dynamic([10, 20])[1]" => "20", "dynamic([10, 20])[-1]" => "20", "dynamic({'a': 1})['a']" => "1";
}}

rows! { ROWS: Function in dynamic {
    bag_pack "bag_pack", [(Text, Scalar .. Text, Scalar) -> Bag], "A bag of keys and values given in turn.",
        "bag_pack('a', 1, 'b', 'x')" => "{\"a\":1,\"b\":\"x\"}";
    bag_pack "pack" instead "bag_pack", [(Text, Scalar .. Text, Scalar) -> Bag], "A bag of keys and values given in turn.",
        "pack('a', 1)" => "{\"a\":1}";
    bag_pack "pack_dictionary" instead "bag_pack", [(Text, Scalar .. Text, Scalar) -> Bag], "A bag of keys and values given in turn.",
        "pack_dictionary('a', 1)" => "{\"a\":1}";
    bag_pack "bag_pack_columns", [(Column .. Column) -> Bag], "A bag of columns under their names, which the binder puts before each.";
    pack_all "pack_all", [(; LiteralScalar) -> Bag], "A bag of all columns under their names; optionally without null and empty ones. The binder puts the flag first, then names and values in turn.";
    bag_keys "bag_keys", [(Bag) -> Array], "The keys of a bag.",
        "bag_keys(dynamic({'a': 1, 'b': {}}))" => "[\"a\",\"b\"]", "bag_keys(dynamic([]))" => "";
    bag_has_key "bag_has_key", [(Bag, Text) -> Bool], "Whether a bag has a key, or something at a JSON path.",
        "bag_has_key(dynamic({'a': {'b': 1}}), 'a')" => "true", "bag_has_key(dynamic({'a': {'b': 1}}), '$.a.c')" => "false";
    bag_merge "bag_merge", [(Bag, Bag .. Bag to 64) -> Bag], "Bags in one; the first to have a key gives its value.",
        "bag_merge(dynamic({'a': 1}), dynamic({'a': 2, 'b': 3}))" => "{\"a\":1,\"b\":3}";
    bag_remove_keys "bag_remove_keys", [(Bag, Array) -> Bag], "A bag without some keys or JSON paths.",
        "bag_remove_keys(dynamic({'a': 1, 'b': 2}), dynamic(['b']))" => "{\"a\":1}",
        "bag_remove_keys(dynamic({'a': {'b': 2, 'c': 3}}), dynamic(['$.a.b']))" => "{\"a\":{\"c\":3}}";
    bag_set_key "bag_set_key", [(Bag, ConstText, Scalar) -> Bag], "A bag with a key, or what is at a JSON path, set.",
        "bag_set_key(dynamic({'a': 1}), 'b', 2)" => "{\"a\":1,\"b\":2}", "bag_set_key(dynamic({'a': {}}), '$.a.b', 2)" => "{\"a\":{\"b\":2}}";
    bag_zip "bag_zip", [(Array, Array) -> Bag], "A bag of the keys in one array and the values in another.",
        "bag_zip(dynamic(['a', 'b']), dynamic([1]))" => "{\"a\":1,\"b\":null}";
    treepath "treepath" as Prefix("tree"), [(Bag) -> Array], "All paths into a dynamic value.",
        "treepath(dynamic({'a': 'b', 'c': [1]}))" => "[\"['a']\",\"['c']\",\"['c'][0]\"]",
        "treepath(parse_json('{\"listProperty\":[100,200,300,\"abcde\",{\"x\":\"y\"}]}'))" => "[\"['listProperty']\",\"['listProperty'][0]\",\"['listProperty'][0]['x']\"]";
    estimate_data_size "estimate_data_size" never constant, [(Column .. Column) -> Long, (Star) -> Long], "The bytes that values take: strings their length, others their width.",
        "estimate_data_size('1234567890', 1)" => "18";
}}

pub(crate) fn new_bag(bag: Bag) -> Value {
    Value::Bag(Arc::new(bag))
}

/// `a.b`.
pub fn member(args: &[Value]) -> Value {
    bag(args, 0)
        .and_then(|bag| bag.get(&text::of(args, 1)))
        .cloned()
        .unwrap_or_default()
}

/// `a[i]`.
pub fn index(args: &[Value]) -> Value {
    match get(args, 0) {
        Value::Bag(bag) => bag.get(&text::of(args, 1)).cloned().unwrap_or_default(),
        Value::Array(items) => {
            let at = match get(args, 1) {
                // A key does not find an element, even if it is a number's text.
                Value::String(_) => None,
                key => convert::to_long(key),
            };
            at.and_then(|at| {
                if at < 0 {
                    at.checked_add(items.len() as i64)
                } else {
                    Some(at)
                }
            })
            .and_then(|at| usize::try_from(at).ok())
            .and_then(|at| items.get(at))
            .cloned()
            .unwrap_or_default()
        }
        _ => Value::Null,
    }
}

/// `bag_pack`.
pub fn bag_pack(args: &[Value]) -> Value {
    let entries = args.chunks_exact(2);
    new_bag(
        entries
            .map(|pair| (Arc::from(&*text::borrow(&pair[0])), pair[1].clone()))
            .collect(),
    )
}

/// `pack_all`: whether to leave out null and empty values, then names and
/// values in turn.
pub fn pack_all(args: &[Value]) -> Value {
    let sparse = flag(args, 0);
    let entries = args.get(1..).unwrap_or(&[]).chunks_exact(2);
    new_bag(
        entries
            .filter(|pair| !(sparse && is_empty(&pair[1])))
            .map(|pair| (Arc::from(&*text::borrow(&pair[0])), pair[1].clone()))
            .collect(),
    )
}

/// `bag_keys`.
pub fn bag_keys(args: &[Value]) -> Value {
    match bag(args, 0) {
        Some(bag) => Value::Array(bag.iter().map(|(key, _)| Value::string(key)).collect()),
        None => Value::Null,
    }
}

/// `bag_has_key`.
pub fn bag_has_key(args: &[Value]) -> Value {
    let Some(bag) = bag(args, 0) else {
        return Value::Bool(false);
    };
    let key = text::of(args, 1);
    Value::Bool(match path_steps(&key) {
        Some(_) => at_path(get(args, 0), &key).is_some(),
        None => bag.get(&key).is_some(),
    })
}

/// `bag_merge`.
pub fn bag_merge(args: &[Value]) -> Value {
    let bags: Vec<&Bag> = (0..args.len()).filter_map(|i| bag(args, i)).collect();
    if bags.is_empty() {
        return Value::Null;
    }
    let mut seen = HashSet::new();
    let entries = bags
        .into_iter()
        .flat_map(Bag::iter)
        .filter(|(key, _)| seen.insert(*key));
    new_bag(
        entries
            .map(|(key, value)| (Arc::from(key), value.clone()))
            .collect(),
    )
}

/// A value with what is at a path replaced, or taken away where there is no
/// replacement. Paths are as long as a query writes them.
fn edited(value: &Value, steps: &[Step], replacement: Option<&Value>) -> Value {
    let Some((step, rest)) = steps.split_first() else {
        return replacement.cloned().unwrap_or_default();
    };
    match (value, step) {
        (Value::Bag(bag), Step::Key(key)) => {
            let kept = bag.iter().filter_map(|(name, old)| {
                let new = if name != key {
                    old.clone()
                } else if !rest.is_empty() || replacement.is_some() {
                    edited(old, rest, replacement)
                } else {
                    return None;
                };
                Some((Arc::from(name), new))
            });
            let added = (bag.get(key).is_none() && replacement.is_some()).then(|| {
                let new = edited(&new_bag(Bag::new()), rest, replacement);
                (Arc::from(key.as_str()), new)
            });
            new_bag(kept.chain(added).collect())
        }
        (Value::Array(items), Step::Index(at)) => {
            let mut items = items.to_vec();
            if let Some(item) = usize::try_from(*at).ok().and_then(|at| items.get_mut(at)) {
                *item = edited(item, rest, replacement);
            }
            Value::array(items)
        }
        _ => value.clone(),
    }
}

/// The steps of a path, or the one key that the text is.
fn steps(text: &str) -> Vec<Step> {
    match path_steps(text) {
        Some(steps) if steps.len() <= json::MAX_DEPTH => steps,
        _ => vec![Step::Key(text.to_owned())],
    }
}

/// `bag_remove_keys`.
pub fn bag_remove_keys(args: &[Value]) -> Value {
    let Some(bag) = bag(args, 0) else {
        return Value::Null;
    };
    let paths = array(args, 1).unwrap_or(&[]).iter();
    let paths = paths.map(|key| steps(&text::borrow(key))).collect::<Vec<_>>();
    // Keys of the bag itself go together: `find` takes hundreds away.
    let keys = paths.iter().filter_map(|path| match &path[..] {
        [Step::Key(key)] => Some(key.as_str()),
        _ => None,
    });
    let keys: HashSet<&str> = keys.collect();
    let kept = bag.iter().filter(|(name, _)| !keys.contains(name));
    let kept = kept.map(|(name, value)| (Arc::from(name), value.clone()));
    let deeper = paths
        .iter()
        .filter(|path| path.len() != 1 || !matches!(path[0], Step::Key(_)));
    deeper.fold(new_bag(kept.collect()), |bag, path| edited(&bag, path, None))
}

/// `bag_set_key`.
pub fn bag_set_key(args: &[Value]) -> Value {
    if bag(args, 0).is_none() {
        return Value::Null;
    }
    edited(get(args, 0), &steps(&text::of(args, 1)), Some(get(args, 2)))
}

/// `bag_zip`.
pub fn bag_zip(args: &[Value]) -> Value {
    let (Some(keys), Some(values)) = (array(args, 0), array(args, 1)) else {
        return Value::Null;
    };
    let values = values.iter().cloned().chain(std::iter::repeat(Value::Null));
    let entries = keys
        .iter()
        .zip(values)
        .filter(|(key, _)| matches!(key, Value::String(_)));
    new_bag(
        entries
            .map(|(key, value)| (Arc::from(&*text::borrow(key)), value))
            .collect(),
    )
}

/// `treepath`. The elements of an array share one path, with a zero for their
/// place; what several of them hold is told once.
pub fn treepath(args: &[Value]) -> Value {
    fn visit(path: &str, child: &Value, out: &mut Paths, depth: usize) {
        if out.seen.insert(path.to_owned()) {
            out.told.push(Value::string(path));
        }
        walk(child, path, out, depth);
    }
    fn walk(value: &Value, path: &str, out: &mut Paths, depth: usize) {
        if depth > json::MAX_DEPTH {
            return;
        }
        match value {
            Value::Bag(bag) => {
                for (key, child) in bag.iter() {
                    visit(&format!("{path}['{key}']"), child, out, depth + 1);
                }
            }
            Value::Array(items) => {
                let path = format!("{path}[0]");
                items.iter().for_each(|child| visit(&path, child, out, depth + 1));
            }
            _ => {}
        }
    }
    let value = get(args, 0);
    if !matches!(value, Value::Bag(_) | Value::Array(_)) {
        return Value::Null;
    }
    let mut out = Paths::default();
    walk(value, "", &mut out, 0);
    Value::array(out.told)
}

/// Paths in the order in which they were met, each once.
#[derive(Default)]
struct Paths {
    seen: HashSet<String>,
    told: Vec<Value>,
}

/// `estimate_data_size`: the binder expands `*`.
pub fn estimate_data_size(args: &[Value]) -> Value {
    let size = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Int(_) => 4,
        Value::Long(_) | Value::Real(_) | Value::DateTime(_) | Value::TimeSpan(_) => 8,
        Value::Decimal(_) | Value::Guid(_) => 16,
        other => text::borrow(other).len() as i64,
    };
    Value::Long(args.iter().map(size).sum())
}
