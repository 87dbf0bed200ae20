//! What a rule does, stage by stage, and the settings that follow from it.
//!
//! In: a rule and its bound query. Out: [`Explanation`], and
//! [`rulec_model::Resolved`]. Deliberately absent: opinions about the rule
//! (`check`).

mod constant;
mod deciding;
mod explain;
pub mod explanation;
mod facts;
mod output;
mod predicates;
mod render;
mod settings;
mod stages;
mod walk;

pub use constant::constant;
pub use deciding::deciding;
pub use explain::{Input, explain};
pub use explanation::Explanation;
pub use facts::Facts;
pub use render::{markdown, text};
pub use settings::{TARGETS, resolve};
