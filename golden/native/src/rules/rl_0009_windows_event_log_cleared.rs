//! RL-0009-windows-event-log-cleared: Windows Event Log Cleared
//!
//! Made by rulec 0.1.0 from rules/defense-evasion/RL-0009-windows-event-log-cleared.md
//! sha256 687def3096e79c827119be1cc60f625dbfdb9731e17ef82e5653e52a804e2f1d

use std::sync::LazyLock;

use rulec_functions::fold::{contains_fold, eq_fold};
use rulec_functions::{arithmetic, compare, matching};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::emitted::one_of_fold;
use rulec_runtime::ops::{self, asc, column, holds};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

static PATTERN: LazyLock<Value> = LazyLock::new(|| Value::string(r"(?i)\s(cl|clear-log)\s"));

// The columns of `DeviceEvents` that the rule reads.
const TIMESTAMP: usize = 0;
const DEVICE_ID: usize = 1;
const DEVICE_NAME: usize = 2;
const ACTION_TYPE: usize = 3;
const PROCESS_COMMAND_LINE: usize = 4;
const INITIATING_PROCESS_FILE_NAME: usize = 5;
const INITIATING_PROCESS_COMMAND_LINE: usize = 6;
const INITIATING_PROCESS_ACCOUNT_DOMAIN: usize = 7;
const INITIATING_PROCESS_ACCOUNT_NAME: usize = 8;
const INITIATING_PROCESS_ACCOUNT_SID: usize = 9;
const REPORT_ID: usize = 10;

// The columns of `DeviceProcessEvents` that the rule reads.
const FILE_NAME: usize = 4;
const DEVICE_PROCESS_EVENTS_PROCESS_COMMAND_LINE: usize = 5;
const DEVICE_PROCESS_EVENTS_INITIATING_PROCESS_ACCOUNT_DOMAIN: usize = 6;
const DEVICE_PROCESS_EVENTS_INITIATING_PROCESS_ACCOUNT_NAME: usize = 7;
const DEVICE_PROCESS_EVENTS_INITIATING_PROCESS_ACCOUNT_SID: usize = 8;
const DEVICE_PROCESS_EVENTS_INITIATING_PROCESS_FILE_NAME: usize = 9;
const DEVICE_PROCESS_EVENTS_INITIATING_PROCESS_COMMAND_LINE: usize = 10;
const DEVICE_PROCESS_EVENTS_REPORT_ID: usize = 11;

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
        "RL-0009-windows-event-log-cleared",
        "Windows Event Log Cleared",
        "medium",
    );
    let info = info.at(
        "rules/defense-evasion/RL-0009-windows-event-log-cleared.md",
        81,
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
    let info = info.entity("File", &[("Name", "InitiatingProcessFileName")]);
    let info = info.entity("Process", &[("CommandLine", "ProcessCommandLine")]);
    info.entity(
        "Process",
        &[("CommandLine", "InitiatingProcessCommandLine")],
    )
}

/// The tables of events that the rule reads.
pub fn tables() -> Vec<Table> {
    vec![
        Table::of("DeviceEvents", device_events(), device_events_wanted()),
        Table::of(
            "DeviceProcessEvents",
            device_process_events(),
            device_process_events_wanted(),
        ),
    ]
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let security_log_cleared = &security_log_cleared(context)?;
    let clearing_command = &clearing_command(context)?;
    // union SecurityLogCleared, ClearingCommand
    let t = ops::union(
        &united(),
        false,
        &[
            ops::part(
                "union_arg0",
                security_log_cleared,
                [
                    Some(0),
                    Some(1),
                    Some(2),
                    Some(3),
                    Some(4),
                    Some(5),
                    Some(6),
                    Some(7),
                    Some(8),
                    Some(9),
                    Some(10),
                ],
            ),
            ops::part(
                "union_arg1",
                clearing_command,
                [
                    Some(0),
                    Some(1),
                    Some(2),
                    Some(3),
                    Some(4),
                    Some(5),
                    Some(6),
                    Some(7),
                    Some(8),
                    Some(9),
                    Some(10),
                ],
            ),
        ],
    )?;
    // | sort by Timestamp asc
    ops::sort(&t, &[asc(column(TIMESTAMP))])
}

/// What rows of `DeviceEvents` must meet to matter.
fn device_events_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text_fold("ActionType", TextTest::Is, ["SecurityLogCleared"]),
    ])
}

/// `let SecurityLogCleared = DeviceEvents | where ingestion_time() >= ago(timeframe) | where ActionType =~ "SecurityLogClear …`
fn security_log_cleared(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // DeviceEvents
    context.scan_where(
        "DeviceEvents",
        &device_events(),
        None,
        &device_events_wanted(),
        |t| {
            // | where ingestion_time() >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where ActionType =~ "SecurityLogCleared"
            let t = ops::filter(&t, |row| {
                eq_fold(row.str(ACTION_TYPE), "SecurityLogCleared")
            })?;
            // | project Timestamp, DeviceId, DeviceName, ReportId, ActionType, ProcessCommandLine, InitiatingProcessFileName, Initiating …
            ops::project_keep(
                &t,
                &[
                    TIMESTAMP,
                    DEVICE_ID,
                    DEVICE_NAME,
                    REPORT_ID,
                    ACTION_TYPE,
                    PROCESS_COMMAND_LINE,
                    INITIATING_PROCESS_FILE_NAME,
                    INITIATING_PROCESS_COMMAND_LINE,
                    INITIATING_PROCESS_ACCOUNT_DOMAIN,
                    INITIATING_PROCESS_ACCOUNT_NAME,
                    INITIATING_PROCESS_ACCOUNT_SID,
                ],
            )
        },
    )
}

/// What rows of `DeviceProcessEvents` must meet to matter.
fn device_process_events_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text_fold("ActionType", TextTest::Is, ["ProcessCreated"]),
        Necessary::any([
            Necessary::all([
                Necessary::text_fold("FileName", TextTest::Is, ["wevtutil.exe"]),
                Necessary::text_fold("ProcessCommandLine", TextTest::Contains, ["cl"]),
                Necessary::pattern(
                    "ProcessCommandLine",
                    r"(?i)[\t\n\x0C\r ](cl|clear\x{2D}log)[\t\n\x0C\r ]",
                ),
            ]),
            Necessary::all([
                Necessary::text_fold("FileName", TextTest::Is, ["powershell.exe", "pwsh.exe"]),
                Necessary::any([
                    Necessary::text_fold(
                        "ProcessCommandLine",
                        TextTest::Contains,
                        ["Clear-EventLog"],
                    ),
                    Necessary::text_fold(
                        "ProcessCommandLine",
                        TextTest::Contains,
                        ["Remove-EventLog"],
                    ),
                    Necessary::text_fold(
                        "ProcessCommandLine",
                        TextTest::Contains,
                        ["EventLogSession]::GlobalSession.ClearLog"],
                    ),
                ]),
            ]),
        ]),
    ])
}

/// `let ClearingCommand = DeviceProcessEvents | where ingestion_time() >= ago(timeframe) | where ActionType =~ "ProcessCreat …`
fn clearing_command(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // DeviceProcessEvents
    context.scan_where(
        "DeviceProcessEvents",
        &device_process_events(),
        None,
        &device_process_events_wanted(),
        |t| {
            // | where ingestion_time() >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where ActionType =~ "ProcessCreated"
            let t = ops::filter(&t, |row| eq_fold(row.str(ACTION_TYPE), "ProcessCreated"))?;
            // | where (FileName =~ "wevtutil.exe" and ProcessCommandLine matches regex @"(?i)\s(cl|clear-log)\s") or (FileName in~ ("pow …
            let t = ops::filter(&t, |row| {
                (eq_fold(row.str(FILE_NAME), "wevtutil.exe")
                    && holds(&matching::matches_regex(&[
                        row.get(DEVICE_PROCESS_EVENTS_PROCESS_COMMAND_LINE),
                        PATTERN.clone(),
                    ])))
                    || (one_of_fold(row.str(FILE_NAME), &["powershell.exe", "pwsh.exe"])
                        && (contains_fold(
                            row.str(DEVICE_PROCESS_EVENTS_PROCESS_COMMAND_LINE),
                            "Clear-EventLog",
                        ) || contains_fold(
                            row.str(DEVICE_PROCESS_EVENTS_PROCESS_COMMAND_LINE),
                            "Remove-EventLog",
                        ) || contains_fold(
                            row.str(DEVICE_PROCESS_EVENTS_PROCESS_COMMAND_LINE),
                            "EventLogSession]::GlobalSession.ClearLog",
                        )))
            })?;
            // | project Timestamp, DeviceId, DeviceName, ReportId, ActionType, ProcessCommandLine, InitiatingProcessFileName, Initiating …
            ops::project_keep(
                &t,
                &[
                    TIMESTAMP,
                    DEVICE_ID,
                    DEVICE_NAME,
                    DEVICE_PROCESS_EVENTS_REPORT_ID,
                    ACTION_TYPE,
                    DEVICE_PROCESS_EVENTS_PROCESS_COMMAND_LINE,
                    DEVICE_PROCESS_EVENTS_INITIATING_PROCESS_FILE_NAME,
                    DEVICE_PROCESS_EVENTS_INITIATING_PROCESS_COMMAND_LINE,
                    DEVICE_PROCESS_EVENTS_INITIATING_PROCESS_ACCOUNT_DOMAIN,
                    DEVICE_PROCESS_EVENTS_INITIATING_PROCESS_ACCOUNT_NAME,
                    DEVICE_PROCESS_EVENTS_INITIATING_PROCESS_ACCOUNT_SID,
                ],
            )
        },
    )
}

/// The columns of `DeviceEvents` that the rule reads.
fn device_events() -> Schema {
    let schema = Schema::of(&[
        ("Timestamp", Type::DateTime),
        ("DeviceId", Type::String),
        ("DeviceName", Type::String),
        ("ActionType", Type::String),
        ("ProcessCommandLine", Type::String),
        ("InitiatingProcessFileName", Type::String),
        ("InitiatingProcessCommandLine", Type::String),
        ("InitiatingProcessAccountDomain", Type::String),
        ("InitiatingProcessAccountName", Type::String),
        ("InitiatingProcessAccountSid", Type::String),
        ("ReportId", Type::Long),
    ]);
    // The others are only passed on.
    schema.looking_at(["Timestamp", "ActionType", "ProcessCommandLine"])
}

/// The columns of `DeviceProcessEvents` that the rule reads.
fn device_process_events() -> Schema {
    let schema = Schema::of(&[
        ("Timestamp", Type::DateTime),
        ("DeviceId", Type::String),
        ("DeviceName", Type::String),
        ("ActionType", Type::String),
        ("FileName", Type::String),
        ("ProcessCommandLine", Type::String),
        ("InitiatingProcessAccountDomain", Type::String),
        ("InitiatingProcessAccountName", Type::String),
        ("InitiatingProcessAccountSid", Type::String),
        ("InitiatingProcessFileName", Type::String),
        ("InitiatingProcessCommandLine", Type::String),
        ("ReportId", Type::Long),
    ]);
    // The others are only passed on.
    schema.looking_at(["Timestamp", "ActionType", "FileName", "ProcessCommandLine"])
}

/// The columns after `union SecurityLogCleared, ClearingCommand`.
fn united() -> Schema {
    Schema::of(&[
        ("Timestamp", Type::DateTime),
        ("DeviceId", Type::String),
        ("DeviceName", Type::String),
        ("ReportId", Type::Long),
        ("ActionType", Type::String),
        ("ProcessCommandLine", Type::String),
        ("InitiatingProcessFileName", Type::String),
        ("InitiatingProcessCommandLine", Type::String),
        ("InitiatingProcessAccountDomain", Type::String),
        ("InitiatingProcessAccountName", Type::String),
        ("InitiatingProcessAccountSid", Type::String),
    ])
}
