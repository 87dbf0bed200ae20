//! Entities, from the columns of the result.

use rulec_facts::entities::OutputColumn;
use rulec_ir::Query;
use rulec_model::{Entity, Origin, Sourced};

use crate::{Facts, walk};

/// More than this many mappings no target takes.
const MOST: usize = 10;

/// The entities that the result's columns name, most telling first.
pub(super) fn infer(query: &Query, facts: &Facts) -> Sourced<Vec<Entity>> {
    let Some(root) = &query.root else {
        return Sourced::new(Vec::new(), Origin::Default("the query has no result".to_owned()));
    };
    let table = walk::source_table(query, root);
    let columns: Vec<OutputColumn<'_>> = root
        .columns
        .iter()
        .map(|c| OutputColumn {
            name: &c.name,
            source: None,
            table,
        })
        .collect();
    let mut roles = Vec::new();
    let mut entities = Vec::new();
    for inferred in facts.entities.infer_sentinel(&columns) {
        // An identifier that is the same in every row needs a column of its own.
        if !inferred.constants.is_empty() || entities.len() == MOST {
            continue;
        }
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
