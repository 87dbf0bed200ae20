//! Detection rules as native Rust, made by rulec 0.1.0.
//!
//! [`rules()`] gives them all, and each module of [`rules`](mod@rules) is one
//! of them: `info` is what its alerts say of it, `tables` what it reads,
//! `evaluate` its query, and `rule` all of that. What runs them is in
//! [`runtime`].
//!
//! A rule over tables that are at hand gives the rows of its query:
//!
//! ```
//! use rulec_rules::runtime::functions::text::parse_datetime;
//! use rulec_rules::runtime::read::{Source, read};
//! use rulec_rules::runtime::{Memory, RuntimeError};
//!
//! # fn main() -> Result<(), RuntimeError> {
//! let now = parse_datetime("2026-01-15T12:00:00Z").unwrap_or_default();
//! let memory = Memory::default();
//! for rule in rulec_rules::rules() {
//!     let mut tables = Vec::new();
//!     for table in rule.tables() {
//!         let events = br#"{"Timestamp":"2026-01-15T11:59:00Z"}"#;
//!         let source = Source::new(table.name, &table.schema, &memory);
//!         let (rows, _) = read(&events[..], &source)?;
//!         tables.push((table.name, rows));
//!     }
//!     match rule.run(now, tables) {
//!         Ok(rows) => println!("{}: {} rows", rule.info.id, rows.rows()),
//!         // A watchlist that was not given, for example.
//!         Err(error) => println!("{}: {error}", rule.info.id),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Over events as they arrive, [`runtime::stream`] evaluates a rule on its
//! schedule and gives each alert once:
//!
//! ```
//! use rulec_rules::runtime::stream::Stream;
//!
//! for rule in rulec_rules::rules() {
//!     let mut stream = Stream::new(&rule).lateness_seconds(600);
//!     for table in rule.tables() {
//!         let line = br#"{"Timestamp":"2026-01-15T11:59:00Z"}"#;
//!         for fired in stream.feed_ndjson(table.name, line).unwrap_or_default() {
//!             println!("{}: {:?}", fired.alert.title, fired.alert.row);
//!         }
//!     }
//! }
//! ```

pub mod rules;

pub use rulec_runtime as runtime;

use rulec_runtime::rule::Rule;

/// All rules, in order of their ids.
pub fn rules() -> Vec<Rule> {
    vec![
        rules::rl_0001_process_injection_by_rare_binary::rule(),
        rules::rl_0002_ingress_tool_transfer_by_builtin_binary::rule(),
        rules::rl_0003_recovery_inhibited_by_builtin_tools::rule(),
        rules::rl_0004_run_dialog_starts_interpreter::rule(),
        rules::rl_0005_run_key_points_to_user_writable_path::rule(),
        rules::rl_0006_lsass_memory_dump_written::rule(),
        rules::rl_0007_encoded_powershell_command::rule(),
        rules::rl_0008_system_dll_loaded_from_user_writable_path::rule(),
        rules::rl_0009_windows_event_log_cleared::rule(),
        rules::rl_0010_burst_of_discovery_commands::rule(),
        rules::rl_0011_mass_file_rename_by_one_process::rule(),
        rules::rl_0012_remote_service_installed_after_network_logon::rule(),
        rules::rl_0013_privileged_task_runs_from_user_folder::rule(),
        rules::rl_0014_large_upload_to_file_sharing_site::rule(),
        rules::rl_0015_mail_link_clicked_through_warning::rule(),
        rules::rl_0016_service_accounts_enumerated_over_ldap::rule(),
        rules::rl_0017_password_spray_from_one_address::rule(),
        rules::rl_0018_mfa_prompts_refused_then_approved::rule(),
        rules::rl_0019_credential_added_to_application::rule(),
        rules::rl_0020_conditional_access_policy_changed::rule(),
        rules::rl_0021_inbox_rule_forwards_or_hides_mail::rule(),
        rules::rl_0022_aws_logging_or_detection_stopped::rule(),
        rules::rl_0023_first_use_of_aws_region::rule(),
        rules::rl_0024_port_sweep_that_found_an_open_port::rule(),
        rules::rl_0025_ssh_password_guessing_then_login::rule(),
        rules::rl_0026_mass_deletion_of_azure_resources::rule(),
        rules::rl_0027_directory_enumeration_over_graph::rule(),
        rules::rl_0028_repeated_wrong_password_for_one_account::rule(),
        rules::rl_0029_mass_download_from_sharepoint::rule(),
        rules::rl_0030_connection_to_public_tunnel_service::rule(),
    ]
}
