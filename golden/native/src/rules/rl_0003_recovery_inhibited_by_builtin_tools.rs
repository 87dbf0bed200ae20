//! RL-0003-recovery-inhibited-by-builtin-tools: System Recovery Inhibited By Built-in Tools
//!
//! Made by rulec 0.1.0 from rules/impact/RL-0003-recovery-inhibited-by-builtin-tools.md
//! sha256 dc6fad55cd9abc47623d43766b15541153b9ad4175b983cb649f48931a739be4

use std::sync::LazyLock;

use rulec_functions::fold::{contains_fold, eq_fold};
use rulec_functions::{arithmetic, compare, matching};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::emitted::one_of_fold;
use rulec_runtime::ops::{self, holds};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

static PATTERN: LazyLock<Value> =
    LazyLock::new(|| Value::string(r"(?i)\b(delete|resize)\s+shadow(s|storage)\b"));

static PATTERN_2: LazyLock<Value> =
    LazyLock::new(|| Value::string(r"(?i)\bdelete\s+(catalog|systemstatebackup|backup)\b"));

static PATTERN_3: LazyLock<Value> = LazyLock::new(|| {
    Value::string(r"(?i)\b(recoveryenabled\s+(no|off|0)|bootstatuspolicy\s+ignoreallfailures)\b")
});

// The columns of `DeviceProcessEvents` that the rule reads.
const TIMESTAMP: usize = 0;
const DEVICE_ID: usize = 1;
const DEVICE_NAME: usize = 2;
const ACTION_TYPE: usize = 3;
const FILE_NAME: usize = 4;
const FOLDER_PATH: usize = 5;
const SHA1: usize = 6;
const PROCESS_COMMAND_LINE: usize = 7;
const ACCOUNT_DOMAIN: usize = 8;
const ACCOUNT_NAME: usize = 9;
const ACCOUNT_SID: usize = 10;
const INITIATING_PROCESS_FILE_NAME: usize = 11;
const INITIATING_PROCESS_COMMAND_LINE: usize = 12;
const INITIATING_PROCESS_FOLDER_PATH: usize = 13;
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
        "RL-0003-recovery-inhibited-by-builtin-tools",
        "System Recovery Inhibited By Built-in Tools",
        "high",
    );
    let info = info.at(
        "rules/impact/RL-0003-recovery-inhibited-by-builtin-tools.md",
        91,
    );
    let info = info.entity(
        "Host",
        &[("AzureID", "DeviceId"), ("HostName", "DeviceName")],
    );
    let info = info.entity(
        "Account",
        &[
            ("NTDomain", "AccountDomain"),
            ("Name", "AccountName"),
            ("Sid", "AccountSid"),
        ],
    );
    info.entity("Process", &[("CommandLine", "ProcessCommandLine")])
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
            // | where (FileName =~ "vssadmin.exe" and ProcessCommandLine matches regex @"(?i)\b(delete|resize)\s+shadow(s|storage)\b") o …
            let t = ops::filter(&t, |row| {
                (eq_fold(row.str(FILE_NAME), "vssadmin.exe")
                    && holds(&matching::matches_regex(&[
                        row.get(PROCESS_COMMAND_LINE),
                        PATTERN.clone(),
                    ])))
                    || (eq_fold(row.str(FILE_NAME), "wmic.exe")
                        && contains_fold(row.str(PROCESS_COMMAND_LINE), "shadowcopy")
                        && contains_fold(row.str(PROCESS_COMMAND_LINE), "delete"))
                    || (eq_fold(row.str(FILE_NAME), "wbadmin.exe")
                        && holds(&matching::matches_regex(&[
                            row.get(PROCESS_COMMAND_LINE),
                            PATTERN_2.clone(),
                        ])))
                    || (eq_fold(row.str(FILE_NAME), "bcdedit.exe")
                        && holds(&matching::matches_regex(&[
                            row.get(PROCESS_COMMAND_LINE),
                            PATTERN_3.clone(),
                        ])))
                    || (one_of_fold(row.str(FILE_NAME), &["powershell.exe", "pwsh.exe"])
                        && contains_fold(row.str(PROCESS_COMMAND_LINE), "Win32_ShadowCopy")
                        && (contains_fold(row.str(PROCESS_COMMAND_LINE), "Delete(")
                            || contains_fold(row.str(PROCESS_COMMAND_LINE), "Remove-WmiObject")
                            || contains_fold(row.str(PROCESS_COMMAND_LINE), "Remove-CimInstance")))
            })?;
            // | project Timestamp, DeviceId, DeviceName, ReportId, AccountDomain, AccountName, AccountSid, FileName, FolderPath, SHA1, P …
            ops::project_keep(
                &t,
                &[
                    TIMESTAMP,
                    DEVICE_ID,
                    DEVICE_NAME,
                    REPORT_ID,
                    ACCOUNT_DOMAIN,
                    ACCOUNT_NAME,
                    ACCOUNT_SID,
                    FILE_NAME,
                    FOLDER_PATH,
                    SHA1,
                    PROCESS_COMMAND_LINE,
                    INITIATING_PROCESS_FILE_NAME,
                    INITIATING_PROCESS_FOLDER_PATH,
                    INITIATING_PROCESS_COMMAND_LINE,
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
                Necessary::text_fold("FileName", TextTest::Is, ["vssadmin.exe"]),
                Necessary::text_fold("ProcessCommandLine", TextTest::Contains, ["shadow"]),
            ]),
            Necessary::all([
                Necessary::text_fold("FileName", TextTest::Is, ["wmic.exe"]),
                Necessary::text_fold("ProcessCommandLine", TextTest::Contains, ["shadowcopy"]),
                Necessary::text_fold("ProcessCommandLine", TextTest::Contains, ["delete"]),
            ]),
            Necessary::all([
                Necessary::text_fold("FileName", TextTest::Is, ["wbadmin.exe"]),
                Necessary::text_fold("ProcessCommandLine", TextTest::Contains, ["delete"]),
            ]),
            Necessary::all([
                Necessary::text_fold("FileName", TextTest::Is, ["bcdedit.exe"]),
                Necessary::text_fold(
                    "ProcessCommandLine",
                    TextTest::Contains,
                    ["recoveryenabled", "ignoreallfailures"],
                ),
            ]),
            Necessary::all([
                Necessary::text_fold("FileName", TextTest::Is, ["powershell.exe", "pwsh.exe"]),
                Necessary::text_fold(
                    "ProcessCommandLine",
                    TextTest::Contains,
                    ["Win32_ShadowCopy"],
                ),
                Necessary::any([
                    Necessary::text_fold("ProcessCommandLine", TextTest::Contains, ["Delete("]),
                    Necessary::text_fold(
                        "ProcessCommandLine",
                        TextTest::Contains,
                        ["Remove-WmiObject"],
                    ),
                    Necessary::text_fold(
                        "ProcessCommandLine",
                        TextTest::Contains,
                        ["Remove-CimInstance"],
                    ),
                ]),
            ]),
        ]),
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
        ("FolderPath", Type::String),
        ("SHA1", Type::String),
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
