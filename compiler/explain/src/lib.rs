//! What a rule does, stage by stage, and the settings that follow from it.
//!
//! In: a rule and its bound query. Out: [`Explanation`], and
//! [`rulec_model::Resolved`]. Deliberately absent: opinions about the rule
//! (`check`).

mod condition;
mod constant;
mod corpus;
pub mod coverage;
mod deciding;
mod entities;
mod explain;
pub mod explanation;
mod facts;
mod kind;
mod mainline;
pub mod origin;
mod output;
mod particulars;
mod paths;
mod predicates;
pub mod reads;
mod render;
mod sentence;
mod settings;
mod stages;
mod trace;
mod walk;
mod written;

pub use constant::constant;
pub use corpus::Corpus;
pub use deciding::deciding;
pub use entities::{entity_rows, passed_over_rows};
pub use explain::{Input, explain, indicators};
pub use explanation::Explanation;
pub use facts::Facts;
pub use kind::Kind;
pub use predicates::DEDUP_FIELDS;
pub use render::{markdown, particular_rows, setting_rows, text};
pub use settings::{TARGETS, dedup_fields, resolve};
pub use stages::{Change, changes, notes};
