//! RL-0011-mass-file-rename-by-one-process: Mass File Rename By One Process
//!
//! Made by rulec 0.1.0 from rules/impact/RL-0011-mass-file-rename-by-one-process.md
//! sha256 f385e4cadfec607c1b36b6daf9f77fe8f37dfeb9af64a46033bf40fd7c4fef8a

use rulec_functions::fold::{ends_fold, eq_fold};
use rulec_functions::{aggregate, arithmetic, compare};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::emitted::one_of_fold;
use rulec_runtime::ops::{self, agg, column, constant, each, holds, out};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

/// `let window = 5m`
const WINDOW: Value = Value::TimeSpan(3_000_000_000);

/// `let min_renames = 100`
const MIN_RENAMES: Value = Value::Long(100);

// The columns of `DeviceFileEvents` that the rule reads.
const TIMESTAMP: usize = 0;
const DEVICE_ID: usize = 1;
const DEVICE_NAME: usize = 2;
const ACTION_TYPE: usize = 3;
const FILE_NAME: usize = 4;
const PREVIOUS_FILE_NAME: usize = 5;
const INITIATING_PROCESS_ACCOUNT_DOMAIN: usize = 6;
const INITIATING_PROCESS_ACCOUNT_NAME: usize = 7;
const INITIATING_PROCESS_ACCOUNT_SID: usize = 8;
const INITIATING_PROCESS_SHA1: usize = 9;
const INITIATING_PROCESS_FOLDER_PATH: usize = 10;
const INITIATING_PROCESS_FILE_NAME: usize = 11;
const INITIATING_PROCESS_ID: usize = 12;
const INITIATING_PROCESS_COMMAND_LINE: usize = 13;
const REPORT_ID: usize = 14;

// The columns after `summarize arg_min(Timestamp, ReportId, DeviceName, InitiatingProcessFileName, InitiatingProcessFolderPath, InitiatingPro …`.
const RENAME_COUNT: usize = 13;

/// The rule as packages list it.
pub fn rule() -> Rule {
    Rule {
        info: info(),
        schedule: Schedule::seconds(3_600, 7_200),
        tables,
        evaluate,
    }
}

/// What alerts say of the rule.
pub fn info() -> RuleInfo {
    let info = RuleInfo::new(
        "RL-0011-mass-file-rename-by-one-process",
        "Mass File Rename By One Process",
        "high",
    );
    let info = info.at(
        "rules/impact/RL-0011-mass-file-rename-by-one-process.md",
        109,
    );
    let info = info.entity(
        "Host",
        &[("AzureID", "DeviceId"), ("HostName", "DeviceName")],
    );
    info.entity(
        "Account",
        &[
            ("NTDomain", "InitiatingProcessAccountDomain"),
            ("Name", "InitiatingProcessAccountName"),
            ("Sid", "InitiatingProcessAccountSid"),
        ],
    )
}

/// The tables of events that the rule reads.
pub fn tables() -> Vec<Table> {
    vec![Table::of(
        "DeviceFileEvents",
        device_file_events(),
        device_file_events_wanted(),
    )]
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // DeviceFileEvents
    let t = context.flow(
        "DeviceFileEvents",
        device_file_events(),
        device_file_events_wanted(),
        |t| {
            // | where ingestion_time() >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where ActionType =~ "FileRenamed"
            let t = ops::filter(&t, |row| eq_fold(row.str(ACTION_TYPE), "FileRenamed"))?;
            // | where not(FileName endswith ".tmp" or PreviousFileName endswith ".tmp" or PreviousFileName endswith ".crdownload")
            let t = ops::filter(&t, |row| {
                !ends_fold(row.str(FILE_NAME), ".tmp")
                    && !ends_fold(row.str(PREVIOUS_FILE_NAME), ".tmp")
                    && !ends_fold(row.str(PREVIOUS_FILE_NAME), ".crdownload")
            })?;
            // | where InitiatingProcessFileName !in~ ("OneDrive.exe", "msiexec.exe", "TiWorker.exe", "git.exe")
            ops::filter(&t, |row| {
                !one_of_fold(
                    row.str(INITIATING_PROCESS_FILE_NAME),
                    &["OneDrive.exe", "msiexec.exe", "TiWorker.exe", "git.exe"],
                )
            })
        },
    );
    // | summarize arg_min(Timestamp, ReportId, DeviceName, InitiatingProcessFileName, InitiatingProcessFolderPath, InitiatingPro …
    let t = ops::summarize(
        &t,
        &[
            out("DeviceId", Type::String, column(DEVICE_ID)),
            out(
                "InitiatingProcessId",
                Type::Long,
                column(INITIATING_PROCESS_ID),
            ),
            out(
                "Window",
                Type::DateTime,
                each(|row| arithmetic::bin(&[row.get(TIMESTAMP), WINDOW])),
            ),
        ],
        &[
            agg(
                aggregate::choose::arg_min,
                [
                    column(TIMESTAMP),
                    column(REPORT_ID),
                    column(DEVICE_NAME),
                    column(INITIATING_PROCESS_FILE_NAME),
                    column(INITIATING_PROCESS_FOLDER_PATH),
                    column(INITIATING_PROCESS_COMMAND_LINE),
                    column(INITIATING_PROCESS_SHA1),
                    column(INITIATING_PROCESS_ACCOUNT_DOMAIN),
                    column(INITIATING_PROCESS_ACCOUNT_NAME),
                    column(INITIATING_PROCESS_ACCOUNT_SID),
                ],
                &[
                    ("Timestamp", Type::DateTime),
                    ("ReportId", Type::Long),
                    ("DeviceName", Type::String),
                    ("InitiatingProcessFileName", Type::String),
                    ("InitiatingProcessFolderPath", Type::String),
                    ("InitiatingProcessCommandLine", Type::String),
                    ("InitiatingProcessSHA1", Type::String),
                    ("InitiatingProcessAccountDomain", Type::String),
                    ("InitiatingProcessAccountName", Type::String),
                    ("InitiatingProcessAccountSid", Type::String),
                ],
            ),
            agg(
                aggregate::statistics::count,
                [],
                &[("RenameCount", Type::Long)],
            ),
            agg(
                aggregate::collect::make_set,
                [column(FILE_NAME), constant(Value::Long(10))],
                &[("Examples", Type::Dynamic)],
            ),
        ],
    )?;
    // | where RenameCount >= min_renames
    ops::filter(&t, |row| {
        holds(&compare::ge(&[row.get(RENAME_COUNT), MIN_RENAMES]))
    })
}

/// What rows of `DeviceFileEvents` must meet to matter.
fn device_file_events_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text_fold("ActionType", TextTest::Is, ["FileRenamed"]),
    ])
}

/// The columns of `DeviceFileEvents` that the rule reads.
fn device_file_events() -> Schema {
    let schema = Schema::of(&[
        ("Timestamp", Type::DateTime),
        ("DeviceId", Type::String),
        ("DeviceName", Type::String),
        ("ActionType", Type::String),
        ("FileName", Type::String),
        ("PreviousFileName", Type::String),
        ("InitiatingProcessAccountDomain", Type::String),
        ("InitiatingProcessAccountName", Type::String),
        ("InitiatingProcessAccountSid", Type::String),
        ("InitiatingProcessSHA1", Type::String),
        ("InitiatingProcessFolderPath", Type::String),
        ("InitiatingProcessFileName", Type::String),
        ("InitiatingProcessId", Type::Long),
        ("InitiatingProcessCommandLine", Type::String),
        ("ReportId", Type::Long),
    ]);
    // The others are only passed on.
    schema.looking_at([
        "Timestamp",
        "DeviceId",
        "ActionType",
        "FileName",
        "PreviousFileName",
        "InitiatingProcessFileName",
        "InitiatingProcessId",
    ])
}
