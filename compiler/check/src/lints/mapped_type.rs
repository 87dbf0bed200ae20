//! Every column mapped to an identifier has a type that the identifier takes.

use rulec_functions::Type;
use rulec_source::{Diagnostic, Severity};

use super::{
    code,
    mapped::{closed, mapped},
};
use crate::{Input, Lint};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL072",
        "mapped-column-type",
        Severity::Error,
        "An identifier of an entity is mapped to a column of a type that it does not take.",
    ),
    page: include_str!("../../pages/mapped-column-type.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    let entities = &input.facts.entities;
    for (query, which) in closed(input) {
        let Some(root) = &query.ir.root else { continue };
        for mapped in mapped(input, query.resolved) {
            let Some((entity, identifier)) = &mapped.identifier else {
                continue;
            };
            let known = entities
                .sentinel(entity)
                .is_some_and(|e| e.identifiers.contains(identifier));
            let Some(column) = root
                .columns
                .iter()
                .find(|c| *c.name == mapped.column)
                .filter(|_| known)
            else {
                continue;
            };
            if entities.takes(entity, identifier, column.ty) {
                continue;
            }
            let takes = entities.types(entity, identifier);
            let (name, ty) = (&mapped.column, column.ty);
            let message = format!(
                "{} is mapped to `{name}`, which is {ty} in the result of {which}; it takes {}",
                mapped.what,
                takes.join(" or ")
            );
            let text = takes.iter().any(|t| t == Type::String.name());
            let help = match ty {
                Type::Dynamic => format!(
                    "give it one value: `extend {name} = tostring({name})`, or of a list `mv-expand {name} to \
                     typeof(string)`; what has several values may be a custom detail"
                ),
                _ if text => {
                    format!("map another column, or make it one: `extend {name} = tostring({name})`")
                }
                _ => "map another column".to_owned(),
            };
            found.push(mapped.finding(LINT.code, message, &format!("is {ty}")).help(help));
        }
    }
}
