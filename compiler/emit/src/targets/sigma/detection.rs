//! From a condition to searches with names and a condition over them, in the
//! way `SigmaHQ` writes rules: what has to hold is in `selection`s, what is
//! excluded in `filter_main_*`.
//!
//! In: a condition. Out: searches and an expression that says the same. A
//! search is a map, or a list of maps of which one has to fit; alternatives are
//! multiplied out into such lists while that stays readable, and become an
//! expression with brackets where it does not. Deliberately absent: metadata.

use serde_json::{Map, Value, json};

use super::cond::{Cond, Item, Op};

/// Maps in one search before an expression reads better.
const MAPS: usize = 16;

/// Names under which fields are known in names of searches.
const SHORT: &[(&str, &str)] = &[
    ("Image", "img"),
    ("OriginalFileName", "img"),
    ("CommandLine", "cli"),
    ("ParentImage", "parent_img"),
    ("ParentCommandLine", "parent_cli"),
    ("TargetFilename", "file"),
    ("TargetObject", "target"),
    ("DestinationHostname", "domain"),
    ("EventID", "eid"),
];

/// A map of a search: its items have different keys.
type Fields = Vec<Item>;

/// What stands in a rule under `detection`, the condition last.
pub(super) fn detection(cond: &Cond) -> Value {
    let mut builder = Builder::default();
    let condition = builder.condition(cond);
    let mut all = Map::new();
    for (name, maps) in builder.searches {
        all.insert(name, search(&maps));
    }
    all.insert("condition".to_owned(), json!(condition));
    Value::Object(all)
}

fn search(maps: &[Fields]) -> Value {
    let map = |fields: &Fields| Value::Object(fields.iter().map(Item::entry).collect());
    match maps {
        [one] => map(one),
        all => Value::Array(all.iter().map(map).collect()),
    }
}

#[derive(Default)]
struct Builder {
    searches: Vec<(String, Vec<Fields>)>,
}

impl Builder {
    fn condition(&mut self, cond: &Cond) -> String {
        let parts = match cond {
            Cond::All(parts) => parts.as_slice(),
            one => std::slice::from_ref(one),
        };
        let mut positive = Vec::new();
        let mut negative: Vec<&Cond> = Vec::new();
        for part in parts {
            match part {
                // Not one of several is none of each.
                Cond::Not(inner) => match &**inner {
                    Cond::Any(any) => negative.extend(any),
                    one => negative.push(one),
                },
                other => positive.push(other),
            }
        }
        let selections = self.selections(&positive);
        let filters = self.filters(&negative);
        match (selections, filters) {
            (Some(selections), Some(filters)) => format!("{selections} and {filters}"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => String::new(),
        }
    }

    /// What has to hold.
    fn selections(&mut self, parts: &[&Cond]) -> Option<String> {
        if parts.is_empty() {
            return None;
        }
        // Alternatives alone, each with several conditions, have a search each.
        if let [Cond::Any(any)] = parts {
            let maps: Option<Vec<Vec<Fields>>> = any.iter().map(maps).collect();
            let rich = |all: &Vec<Vec<Fields>>| all.iter().flatten().any(|fields| fields.len() > 1);
            if let Some(maps) = maps.filter(rich) {
                for maps in maps {
                    let hint = hint(&maps);
                    self.add("selection", &hint, maps);
                }
                return Some("1 of selection_*".to_owned());
            }
        }
        let mut searches: Vec<Vec<Fields>> = Vec::new();
        let mut complex = Vec::new();
        for part in parts {
            match maps(part) {
                Some(maps) => place(&mut searches, maps),
                None => complex.push(*part),
            }
        }
        if complex.is_empty() {
            return Some(match searches.len() {
                1 => {
                    self.searches
                        .push(("selection".to_owned(), searches.swap_remove(0)));
                    "selection".to_owned()
                }
                _ => {
                    for maps in searches {
                        let hint = hint(&maps);
                        self.add("selection", &hint, maps);
                    }
                    "all of selection_*".to_owned()
                }
            });
        }
        let mut words: Vec<String> = searches
            .into_iter()
            .map(|maps| {
                let hint = hint(&maps);
                self.add("selection", &hint, maps)
            })
            .collect();
        words.extend(
            complex
                .into_iter()
                .map(|part| self.expression(part, "selection", true)),
        );
        Some(words.join(" and "))
    }

    /// What must not hold.
    fn filters(&mut self, parts: &[&Cond]) -> Option<String> {
        if parts.is_empty() {
            return None;
        }
        let searches: Option<Vec<Vec<Fields>>> = parts.iter().map(|part| maps(part)).collect();
        match searches {
            Some(searches) => {
                for maps in searches {
                    let hint = hint(&maps);
                    self.add("filter_main", &hint, maps);
                }
                Some("not 1 of filter_main_*".to_owned())
            }
            None => Some(
                parts
                    .iter()
                    .map(|part| format!("not {}", self.expression(part, "filter_main", true)))
                    .collect::<Vec<_>>()
                    .join(" and "),
            ),
        }
    }

    /// An expression over searches of its own; in brackets, if need be, when
    /// `inner`.
    fn expression(&mut self, cond: &Cond, prefix: &str, inner: bool) -> String {
        if let Some(maps) = maps(cond) {
            let hint = hint(&maps);
            return self.add(prefix, &hint, maps);
        }
        let brackets = |text: String| if inner { format!("({text})") } else { text };
        match cond {
            Cond::Not(part) => format!("not {}", self.expression(part, prefix, true)),
            Cond::All(parts) => {
                let mut searches: Vec<Vec<Fields>> = Vec::new();
                let mut complex = Vec::new();
                for part in parts {
                    match part {
                        Cond::Item(_) => place(&mut searches, maps(part).unwrap_or_default()),
                        other => complex.push(other),
                    }
                }
                let mut words: Vec<String> = searches
                    .into_iter()
                    .map(|maps| {
                        let hint = hint(&maps);
                        self.add(prefix, &hint, maps)
                    })
                    .collect();
                words.extend(
                    complex
                        .into_iter()
                        .map(|part| self.expression(part, prefix, true)),
                );
                brackets(words.join(" and "))
            }
            Cond::Any(parts) => {
                let words: Vec<String> = parts
                    .iter()
                    .map(|part| self.expression(part, prefix, true))
                    .collect();
                brackets(words.join(" or "))
            }
            // Those two are maps.
            Cond::Item(_) | Cond::Bool(_) => String::new(),
        }
    }

    /// Adds a search under a name of its own, and gives the name.
    fn add(&mut self, prefix: &str, hint: &str, maps: Vec<Fields>) -> String {
        let base = format!("{prefix}_{hint}");
        let taken = |name: &str| self.searches.iter().any(|(known, _)| known == name);
        let mut name = base.clone();
        let mut number = 2;
        while taken(&name) {
            name = format!("{base}_{number}");
            number += 1;
        }
        self.searches.push((name.clone(), maps));
        name
    }
}

/// Puts maps beside others that all have to fit: into the first search that is
/// a single map and has room for them, else into one of their own.
fn place(searches: &mut Vec<Vec<Fields>>, maps: Vec<Fields>) {
    if let [fields] = maps.as_slice() {
        for known in searches.iter_mut() {
            if let [one] = known.as_mut_slice()
                && let Some(mut both) = both(one, fields)
                && both.len() == 1
            {
                *one = both.swap_remove(0);
                return;
            }
        }
    }
    searches.push(maps);
}

/// The condition as maps of which one has to fit, if that is readable.
fn maps(cond: &Cond) -> Option<Vec<Fields>> {
    let found = match cond {
        Cond::Item(item) => vec![vec![item.clone()]],
        Cond::Any(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(maps(part)?);
                if all.len() > MAPS {
                    return None;
                }
            }
            all
        }
        Cond::All(parts) => {
            let mut all: Vec<Fields> = vec![Vec::new()];
            for part in parts {
                let part = maps(part)?;
                let mut next = Vec::new();
                for one in &all {
                    for other in &part {
                        next.extend(both(one, other)?);
                        if next.len() > MAPS {
                            return None;
                        }
                    }
                }
                all = next;
            }
            all
        }
        Cond::Not(_) | Cond::Bool(_) => return None,
    };
    Some(found)
}

/// Two maps as one, or as several where values of one field that all have to
/// occur multiply; none where one map cannot hold both.
fn both(one: &Fields, other: &Fields) -> Option<Vec<Fields>> {
    let mut all = vec![one.clone()];
    for item in other {
        let mut next = Vec::new();
        for fields in all {
            let same = fields
                .iter()
                .position(|known| known.field == item.field && clash(known, item));
            let Some(at) = same else {
                let mut fields = fields;
                fields.push(item.clone());
                next.push(fields);
                continue;
            };
            let known = &fields[at];
            for left in alternatives(known)? {
                for right in alternatives(item)? {
                    let mut values = left.clone();
                    values.extend(right.iter().filter(|value| !left.contains(value)).cloned());
                    let mut merged = fields.clone();
                    merged[at] = Item {
                        op: if values.len() > 1 {
                            Op::ContainsAll
                        } else {
                            Op::Contains
                        },
                        values,
                        ..known.clone()
                    };
                    next.push(merged);
                }
            }
        }
        if next.len() > MAPS {
            return None;
        }
        all = next;
    }
    Some(all)
}

/// Whether two items would have the same key, or keys that differ in `all` only.
fn clash(one: &Item, other: &Item) -> bool {
    let key = |item: &Item| item.entry().0.replace("|all", "");
    key(one) == key(other)
}

/// The lists of values of which one has to occur whole; none when the item is
/// no search for parts.
fn alternatives(item: &Item) -> Option<Vec<Vec<super::value::Scalar>>> {
    match item.op {
        Op::ContainsAll => Some(vec![item.values.clone()]),
        Op::Contains => Some(item.values.iter().map(|value| vec![value.clone()]).collect()),
        _ => None,
    }
}

/// What a search is about, as part of a name.
fn hint(maps: &[Fields]) -> String {
    let first = maps.first().and_then(|fields| fields.first());
    let Some(item) = first else {
        return "all".to_owned();
    };
    // A program's name says most.
    if let ([_], Op::EndsWith, [super::value::Scalar::Text(text)]) = (maps, &item.op, item.values.as_slice())
    {
        let name = text.rsplit(['\\', '/']).next().unwrap_or_default();
        let name = name.strip_suffix(".exe").unwrap_or(name);
        let fit = crate::identifier(name);
        if name.len() > 2
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        {
            return fit.trim_start_matches("r_").to_owned();
        }
    }
    let short = SHORT
        .iter()
        .find(|(field, _)| *field == item.field)
        .map(|(_, short)| (*short).to_owned());
    short.unwrap_or_else(|| {
        let name = item.field.rsplit(['.', '-']).next().unwrap_or_default();
        crate::identifier(name)
            .trim_start_matches("r_")
            .trim_matches('_')
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::super::value::Scalar;
    use super::*;

    fn item(field: &str, op: Op, values: &[&str]) -> Cond {
        let values = values.iter().map(|value| Scalar::text(*value)).collect();
        Cond::Item(Item::new(field, op, false, values))
    }

    #[test]
    fn conjunctions_and_filters() {
        let cond = Cond::all(vec![
            item("Image", Op::EndsWith, &[r"\a.exe"]),
            item("CommandLine", Op::Contains, &["x"]),
            item("CommandLine", Op::Contains, &["y"]),
            Cond::any(vec![
                item("User", Op::Equals, &["u"]),
                item("ParentImage", Op::EndsWith, &[r"\pap.exe"]),
            ])
            .not(),
        ]);
        assert_eq!(
            detection(&cond),
            json!({
                "selection": {"Image|endswith": r"\a.exe", "CommandLine|contains|all": ["x", "y"]},
                "filter_main_user": {"User": "u"},
                "filter_main_pap": {"ParentImage|endswith": r"\pap.exe"},
                "condition": "selection and not 1 of filter_main_*"
            })
        );
    }

    #[test]
    fn alternatives_multiply_while_they_can_be_read() {
        let cond = Cond::all(vec![
            item("CommandLine", Op::Contains, &["a", "b"]),
            item("CommandLine", Op::Contains, &["c"]),
            Cond::any(vec![
                Cond::all(vec![item("A", Op::Equals, &["1"]), item("B", Op::Equals, &["x"])]),
                item("C", Op::Equals, &["z"]),
            ]),
        ]);
        assert_eq!(
            detection(&cond),
            json!({
                "selection_cli": {"CommandLine|contains": ["a", "b"]},
                "selection_cli_2": {"CommandLine|contains": "c"},
                "selection_a": [{"A": 1, "B": "x"}, {"C": "z"}],
                "condition": "all of selection_*"
            })
        );
    }

    #[test]
    fn brackets_where_nothing_else_does() {
        let cond = Cond::any(vec![
            Cond::all(vec![
                item("A", Op::Equals, &["a"]),
                item("B", Op::Equals, &["b"]).not(),
            ]),
            Cond::all(vec![
                item("C", Op::EndsWith, &["cc"]),
                item("C", Op::EndsWith, &["c"]),
            ]),
        ]);
        assert_eq!(
            detection(&cond)["condition"],
            "((selection_a and not selection_b) or (selection_c and selection_c_2))"
        );
        let cond = Cond::all(vec![
            item("A", Op::Equals, &["a"]),
            Cond::all(vec![
                item("B", Op::Equals, &["b"]),
                item("C", Op::Equals, &["c"]).not(),
            ])
            .not(),
        ]);
        assert_eq!(
            detection(&cond)["condition"],
            "selection and not (filter_main_b and not filter_main_c)"
        );
    }
}
