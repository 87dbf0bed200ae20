//! RL-0006-lsass-memory-dump-written: LSASS Memory Dump Written To Disk
//!
//! Made by rulec 0.1.0 from rules/credential-access/RL-0006-lsass-memory-dump-written.md
//! sha256 b9d59cf13f1d55648dde3c6372198358b6ef54450d201abca6d0ca8883ba0c8c

use rulec_functions::fold::{ends_fold, eq_fold, starts_fold};
use rulec_functions::{arithmetic, compare};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::emitted::one_of_fold;
use rulec_runtime::ops::{self, holds};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

// The columns of `DeviceFileEvents` that the rule reads.
const TIMESTAMP: usize = 0;
const DEVICE_ID: usize = 1;
const DEVICE_NAME: usize = 2;
const ACTION_TYPE: usize = 3;
const FILE_NAME: usize = 4;
const FOLDER_PATH: usize = 5;
const SHA1: usize = 6;
const FILE_SIZE: usize = 7;
const INITIATING_PROCESS_ACCOUNT_DOMAIN: usize = 8;
const INITIATING_PROCESS_ACCOUNT_NAME: usize = 9;
const INITIATING_PROCESS_ACCOUNT_SID: usize = 10;
const INITIATING_PROCESS_FOLDER_PATH: usize = 11;
const INITIATING_PROCESS_FILE_NAME: usize = 12;
const INITIATING_PROCESS_COMMAND_LINE: usize = 13;
const REPORT_ID: usize = 14;

/// The rule as packages list it.
pub fn rule() -> Rule {
    Rule {
        info: info(),
        schedule: Schedule::seconds(3_600, 7_200).stateless(),
        tables,
        evaluate,
    }
}

/// What alerts say of the rule.
pub fn info() -> RuleInfo {
    let info = RuleInfo::new(
        "RL-0006-lsass-memory-dump-written",
        "LSASS Memory Dump Written To Disk",
        "high",
    );
    let info = info.at(
        "rules/credential-access/RL-0006-lsass-memory-dump-written.md",
        74,
    );
    let info = info.entity("Host", &[("FullName", "DeviceName")]);
    let info = info.entity(
        "Account",
        &[
            ("NTDomain", "InitiatingProcessAccountDomain"),
            ("Name", "InitiatingProcessAccountName"),
            ("Sid", "InitiatingProcessAccountSid"),
        ],
    );
    let info = info.entity("File", &[("Directory", "FolderPath"), ("Name", "FileName")]);
    let info = info.entity(
        "File",
        &[
            ("Directory", "InitiatingProcessFolderPath"),
            ("Name", "InitiatingProcessFileName"),
        ],
    );
    info.entity(
        "Process",
        &[("CommandLine", "InitiatingProcessCommandLine")],
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
    context.scan_where(
        "DeviceFileEvents",
        &device_file_events(),
        None,
        &device_file_events_wanted(),
        |t| {
            // | where ingestion_time() >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where ActionType in~ ("FileCreated", "FileRenamed")
            let t = ops::filter(&t, |row| {
                one_of_fold(row.str(ACTION_TYPE), &["FileCreated", "FileRenamed"])
            })?;
            // | where (FileName startswith "lsass" and (FileName endswith ".dmp" or FileName endswith ".mdmp" or FileName endswith ".zip …
            let t = ops::filter(&t, |row| {
                (starts_fold(row.str(FILE_NAME), "lsass")
                    && (ends_fold(row.str(FILE_NAME), ".dmp")
                        || ends_fold(row.str(FILE_NAME), ".mdmp")
                        || ends_fold(row.str(FILE_NAME), ".zip")
                        || ends_fold(row.str(FILE_NAME), ".rar")
                        || ends_fold(row.str(FILE_NAME), ".7z")))
                    || one_of_fold(
                        row.str(FILE_NAME),
                        &["nanodump.dmp", "pplblade.dmp", "dumpert.dmp", "andrew.dmp"],
                    )
            })?;
            // | where not(InitiatingProcessFileName =~ "WerFault.exe" and FolderPath startswith @"C:\ProgramData\Microsoft\Windows\WER\" …
            let t = ops::filter(&t, |row| {
                !eq_fold(row.str(INITIATING_PROCESS_FILE_NAME), "WerFault.exe")
                    || !starts_fold(
                        row.str(FOLDER_PATH),
                        r"C:\ProgramData\Microsoft\Windows\WER\",
                    )
            })?;
            // | project Timestamp, DeviceId, DeviceName, ReportId, ActionType, FileName, FolderPath, FileSize, SHA1, InitiatingProcessFi …
            ops::project_keep(
                &t,
                &[
                    TIMESTAMP,
                    DEVICE_ID,
                    DEVICE_NAME,
                    REPORT_ID,
                    ACTION_TYPE,
                    FILE_NAME,
                    FOLDER_PATH,
                    FILE_SIZE,
                    SHA1,
                    INITIATING_PROCESS_FILE_NAME,
                    INITIATING_PROCESS_FOLDER_PATH,
                    INITIATING_PROCESS_COMMAND_LINE,
                    INITIATING_PROCESS_ACCOUNT_DOMAIN,
                    INITIATING_PROCESS_ACCOUNT_NAME,
                    INITIATING_PROCESS_ACCOUNT_SID,
                ],
            )
        },
    )
}

/// What rows of `DeviceFileEvents` must meet to matter.
fn device_file_events_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text_fold("ActionType", TextTest::Is, ["FileCreated", "FileRenamed"]),
        Necessary::any([
            Necessary::all([
                Necessary::text_fold("FileName", TextTest::StartsWith, ["lsass"]),
                Necessary::any([
                    Necessary::text_fold("FileName", TextTest::EndsWith, [".dmp"]),
                    Necessary::text_fold("FileName", TextTest::EndsWith, [".mdmp"]),
                    Necessary::text_fold("FileName", TextTest::EndsWith, [".zip"]),
                    Necessary::text_fold("FileName", TextTest::EndsWith, [".rar"]),
                    Necessary::text_fold("FileName", TextTest::EndsWith, [".7z"]),
                ]),
            ]),
            Necessary::text_fold(
                "FileName",
                TextTest::Is,
                ["nanodump.dmp", "pplblade.dmp", "dumpert.dmp", "andrew.dmp"],
            ),
        ]),
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
        ("FolderPath", Type::String),
        ("SHA1", Type::String),
        ("FileSize", Type::Long),
        ("InitiatingProcessAccountDomain", Type::String),
        ("InitiatingProcessAccountName", Type::String),
        ("InitiatingProcessAccountSid", Type::String),
        ("InitiatingProcessFolderPath", Type::String),
        ("InitiatingProcessFileName", Type::String),
        ("InitiatingProcessCommandLine", Type::String),
        ("ReportId", Type::Long),
    ]);
    // The others are only passed on.
    schema.looking_at([
        "ActionType",
        "FileName",
        "FolderPath",
        "InitiatingProcessFileName",
    ])
}
