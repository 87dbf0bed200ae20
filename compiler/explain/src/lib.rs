//! What a rule does, stage by stage
