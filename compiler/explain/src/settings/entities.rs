//! Entities, from the columns of the result.

use rulec_ir::Query;
use rulec_model::{Entity, Origin, Sourced};

use crate::{Facts, origin::outputs};

/// The entities that the result's columns name, most telling first.
pub(super) fn infer(query: &Query, facts: &Facts) -> Sourced<Vec<Entity>> {
    if query.root.is_none() {
        return Sourced::new(Vec::new(), Origin::Default("the query has no result".to_owned()));
    }
    let mut roles = Vec::new();
    let mut entities = Vec::new();
    for inferred in facts.entities.infer_sentinel(&outputs(query)).mappings {
        roles.push(inferred.role);
        entities.push(Entity {
            kind: inferred.entity,
            fields: inferred.fields.into_iter().collect(),
        });
    }
    let origin = if entities.is_empty() {
        Origin::Default("no column of the result names an entity".to_owned())
    } else {
        Origin::Derived(format!("columns of the result name the {}", roles.join(", the ")))
    };
    Sourced::new(entities, origin)
}
