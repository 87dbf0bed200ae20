//! What a rule does, stage by stage, and the settings that follow from it.
//!
//! In: a rule and its bound query. Out: [`Explanation`], and
//! [`rulec_model::Resolved`]. Deliberately absent: opinions about the rule (`check`).
