//! What a place that rules are deployed to changes of them.
//!
//! In: an environment file ([`read`]), and a rule's query. Out: the query with
//! the environment's values, exclusions and de-duplication in the slots that
//! the document has for them ([`Edit`], [`splice`]), as text that leads back to
//! the document, the environment file or a template; and what is wrong, placed
//! in the file that says it. An environment that says nothing changes no byte.
//!
//! Text is changed, not the algebra: what is deployed is text, and binding
//! itself depends on constants.
//!
//! Deliberately absent: files and the clock (the driver reads the one and says
//! which exclusions have ended), running cases, and settings of one target.

pub mod codes;
mod condition;
mod deduplication;
mod exclusions;
mod file;
mod parameters;
mod slots;
mod splice;

pub use codes::CODES;
pub use deduplication::block;
pub use exclusions::{Excluded, exclusions, inspect};
pub use file::{
    Deduplication, EnvironmentFile, Exclusion, RuleChange, ScheduleChange, SlotChoice, is_name, read,
};
pub use parameters::{Unfit, values};
pub use slots::{DEDUPLICATION, FILTER, Slot, Slots, slots};
pub use splice::{Edit, Part, splice};
