//! RL-0013-privileged-task-runs-from-user-folder: Privileged Scheduled Task Runs From User-writable Folder
//!
//! Made by rulec 0.1.0 from rules/persistence/RL-0013-privileged-task-runs-from-user-folder.md
//! sha256 cb0a9390806bb895ba33f3e120a87685dea689b95da147533a6d65d797f32ddb

use std::sync::LazyLock;

use rulec_functions::fold::eq_fold;
use rulec_functions::{aggregate, arithmetic, arrays, compare, matching, parsing, strings};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::ops::{self, agg, column, each, holds, out};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

static PATTERN: LazyLock<Value> = LazyLock::new(|| {
    Value::string(r"\\(appdata|downloads|users\\public|programdata|windows\\temp)\\")
});

// The columns of `DeviceProcessEvents` that the rule reads.
const TIMESTAMP: usize = 0;
const DEVICE_ID: usize = 1;
const DEVICE_NAME: usize = 2;
const ACTION_TYPE: usize = 3;
const FILE_NAME: usize = 4;
const PROCESS_COMMAND_LINE: usize = 5;
const ACCOUNT_DOMAIN: usize = 6;
const ACCOUNT_NAME: usize = 7;
const ACCOUNT_SID: usize = 8;
const INITIATING_PROCESS_FILE_NAME: usize = 9;
const INITIATING_PROCESS_COMMAND_LINE: usize = 10;
const INITIATING_PROCESS_FOLDER_PATH: usize = 11;
const REPORT_ID: usize = 12;
const ARGUMENTS: usize = 13;

// The columns after `mv-apply Argument = Arguments to typeof(string) on (where Argument matches regex @"\\(appdata|downloads|users\\public|pr …`.
const ARGUMENT: usize = 0;

// The columns after `summarize UserPaths = make_set(Argument)`.
const USER_PATHS: usize = 0;

// The columns after `mv-apply Argument = Arguments to typeof(string) on (where Argument matches regex @"\\(appdata|downloads|users\\public|pr …`.
const APPLIED_PROCESS_COMMAND_LINE: usize = 3;
const APPLIED_ACCOUNT_DOMAIN: usize = 4;
const APPLIED_ACCOUNT_NAME: usize = 5;
const APPLIED_ACCOUNT_SID: usize = 6;
const APPLIED_INITIATING_PROCESS_FILE_NAME: usize = 7;
const APPLIED_INITIATING_PROCESS_COMMAND_LINE: usize = 8;
const APPLIED_INITIATING_PROCESS_FOLDER_PATH: usize = 9;
const APPLIED_REPORT_ID: usize = 10;
const APPLIED_USER_PATHS: usize = 11;

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
        "RL-0013-privileged-task-runs-from-user-folder",
        "Privileged Scheduled Task Runs From User-writable Folder",
        "medium",
    );
    let info = info.at(
        "rules/persistence/RL-0013-privileged-task-runs-from-user-folder.md",
        101,
    );
    let info = info.entity(
        "Host",
        &[("AzureID", "DeviceId"), ("HostName", "DeviceName")],
    );
    info.entity(
        "Account",
        &[
            ("NTDomain", "AccountDomain"),
            ("Name", "AccountName"),
            ("Sid", "AccountSid"),
        ],
    )
}

/// The tables of events that the rule reads.
pub fn tables() -> Vec<Table> {
    vec![Table::of(
        "DeviceProcessEvents",
        device_process_events(),
        device_process_events_wanted(),
    )]
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
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
            // | where FileName =~ "schtasks.exe"
            let t = ops::filter(&t, |row| eq_fold(row.str(FILE_NAME), "schtasks.exe"))?;
            // | extend Arguments = parse_command_line(tolower(ProcessCommandLine), "windows")
            let t = ops::extend(
                &t,
                &[out(
                    "Arguments",
                    Type::Dynamic,
                    each(|row| {
                        parsing::parse_command_line(&[
                            strings::tolower(&[row.get(PROCESS_COMMAND_LINE)]),
                            Value::string("windows"),
                        ])
                    }),
                )],
            )?;
            // | where set_has_element(Arguments, "/create") or set_has_element(Arguments, "-create") or set_has_element(Arguments, "/cha …
            let t = ops::filter(&t, |row| {
                holds(&arrays::set_has_element(&[
                    row.get(ARGUMENTS),
                    Value::string("/create"),
                ])) || holds(&arrays::set_has_element(&[
                    row.get(ARGUMENTS),
                    Value::string("-create"),
                ])) || holds(&arrays::set_has_element(&[
                    row.get(ARGUMENTS),
                    Value::string("/change"),
                ])) || holds(&arrays::set_has_element(&[
                    row.get(ARGUMENTS),
                    Value::string("-change"),
                ]))
            })?;
            // | where set_has_element(Arguments, "system") or set_has_element(Arguments, @"nt authority\system") or set_has_element(Argu …
            let t = ops::filter(&t, |row| {
                holds(&arrays::set_has_element(&[
                    row.get(ARGUMENTS),
                    Value::string("system"),
                ])) || holds(&arrays::set_has_element(&[
                    row.get(ARGUMENTS),
                    Value::string(r"nt authority\system"),
                ])) || holds(&arrays::set_has_element(&[
                    row.get(ARGUMENTS),
                    Value::string("highest"),
                ]))
            })?;
            // | mv-apply Argument = Arguments to typeof(string) on (where Argument matches regex @"\\(appdata|downloads|users\\public|pr …
            let expand = ops::Expand {
                schema: item_columns(),
                items: vec![ops::item(column(ARGUMENTS), 0, Type::String)],
                passed: ops::passed(0, 1),
                with_index: false,
                bags_as_arrays: false,
                limit: None,
            };
            let picks = [
                ops::left("Timestamp", TIMESTAMP),
                ops::left("DeviceId", DEVICE_ID),
                ops::left("DeviceName", DEVICE_NAME),
                ops::left("ProcessCommandLine", PROCESS_COMMAND_LINE),
                ops::left("AccountDomain", ACCOUNT_DOMAIN),
                ops::left("AccountName", ACCOUNT_NAME),
                ops::left("AccountSid", ACCOUNT_SID),
                ops::left("InitiatingProcessFileName", INITIATING_PROCESS_FILE_NAME),
                ops::left(
                    "InitiatingProcessCommandLine",
                    INITIATING_PROCESS_COMMAND_LINE,
                ),
                ops::left(
                    "InitiatingProcessFolderPath",
                    INITIATING_PROCESS_FOLDER_PATH,
                ),
                ops::left("ReportId", REPORT_ID),
                ops::right("UserPaths", USER_PATHS),
            ];
            let t = ops::mv_apply(&t, &expand, picks, apply_items)?;
            // | where array_length(UserPaths) > 0
            let t = ops::filter(&t, |row| {
                holds(&compare::gt(&[
                    arrays::array_length(&[row.get(APPLIED_USER_PATHS)]),
                    Value::Long(0),
                ]))
            })?;
            // | project Timestamp, DeviceId, DeviceName, ReportId, AccountDomain, AccountName, AccountSid, ProcessCommandLine, UserPaths …
            ops::project_keep(
                &t,
                &[
                    TIMESTAMP,
                    DEVICE_ID,
                    DEVICE_NAME,
                    APPLIED_REPORT_ID,
                    APPLIED_ACCOUNT_DOMAIN,
                    APPLIED_ACCOUNT_NAME,
                    APPLIED_ACCOUNT_SID,
                    APPLIED_PROCESS_COMMAND_LINE,
                    APPLIED_USER_PATHS,
                    APPLIED_INITIATING_PROCESS_FILE_NAME,
                    APPLIED_INITIATING_PROCESS_FOLDER_PATH,
                    APPLIED_INITIATING_PROCESS_COMMAND_LINE,
                ],
            )
        },
    )
}

/// `summarize UserPaths = make_set(Argument)`
fn apply_items(items: &Batch) -> Result<Batch, RuntimeError> {
    // | where Argument matches regex @"\\(appdata|downloads|users\\public|programdata|windows\\temp)\\"
    let t = ops::filter(items, |row| {
        holds(&matching::matches_regex(&[
            row.get(ARGUMENT),
            PATTERN.clone(),
        ]))
    })?;
    // | summarize UserPaths = make_set(Argument)
    ops::summarize(
        &t,
        &[],
        &[agg(
            aggregate::collect::make_set,
            [column(ARGUMENT)],
            &[("UserPaths", Type::Dynamic)],
        )],
    )
}

/// What rows of `DeviceProcessEvents` must meet to matter.
fn device_process_events_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text_fold("ActionType", TextTest::Is, ["ProcessCreated"]),
        Necessary::text_fold("FileName", TextTest::Is, ["schtasks.exe"]),
    ])
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
        ("AccountDomain", Type::String),
        ("AccountName", Type::String),
        ("AccountSid", Type::String),
        ("InitiatingProcessFileName", Type::String),
        ("InitiatingProcessCommandLine", Type::String),
        ("InitiatingProcessFolderPath", Type::String),
        ("ReportId", Type::Long),
    ]);
    // The others are only passed on.
    schema.looking_at(["ActionType", "FileName", "ProcessCommandLine"])
}

/// The columns after `summarize UserPaths = make_set(Argument)`.
fn item_columns() -> Schema {
    Schema::of(&[("Argument", Type::String)])
}
