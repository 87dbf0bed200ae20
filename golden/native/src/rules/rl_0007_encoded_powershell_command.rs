//! RL-0007-encoded-powershell-command: Encoded PowerShell Command
//!
//! Made by rulec 0.1.0 from rules/execution/RL-0007-encoded-powershell-command.md
//! sha256 6891f253703f81f762323628f3405afd50af39696f250f9624db6f298b60b7da

use std::sync::LazyLock;

use rulec_functions::fold::{eq_fold, starts_fold};
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
    LazyLock::new(|| Value::string(r#"(?i)\s[-/]e(c|n[a-z]*)?\s+["']?[a-z0-9+/]{60,}={0,2}"#));

// The columns of `DeviceProcessEvents` that the rule reads.
const TIMESTAMP: usize = 0;
const DEVICE_ID: usize = 1;
const DEVICE_NAME: usize = 2;
const ACTION_TYPE: usize = 3;
const FILE_NAME: usize = 4;
const FOLDER_PATH: usize = 5;
const PROCESS_VERSION_INFO_ORIGINAL_FILE_NAME: usize = 6;
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
        "RL-0007-encoded-powershell-command",
        "Encoded PowerShell Command",
        "medium",
    );
    let info = info.at("rules/execution/RL-0007-encoded-powershell-command.md", 99);
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
            // | where FileName in~ ("powershell.exe", "pwsh.exe") or ProcessVersionInfoOriginalFileName in~ ("PowerShell.EXE", "pwsh.dll …
            let t = ops::filter(&t, |row| {
                one_of_fold(row.str(FILE_NAME), &["powershell.exe", "pwsh.exe"])
                    || one_of_fold(
                        row.str(PROCESS_VERSION_INFO_ORIGINAL_FILE_NAME),
                        &["PowerShell.EXE", "pwsh.dll"],
                    )
            })?;
            // | where IsEncodedCommand(ProcessCommandLine)
            let t = ops::filter(&t, |row| {
                holds(&matching::matches_regex(&[
                    row.get(PROCESS_COMMAND_LINE),
                    PATTERN.clone(),
                ]))
            })?;
            // | where not(IsKnownLauncher(InitiatingProcessFolderPath))
            let t = ops::filter(&t, |row| {
                !starts_fold(
                    row.str(INITIATING_PROCESS_FOLDER_PATH),
                    r"C:\Program Files\Windows Defender Advanced Threat Protection\",
                ) && !starts_fold(
                    row.str(INITIATING_PROCESS_FOLDER_PATH),
                    r"C:\ProgramData\Microsoft\Windows Defender Advanced Threat Protection\",
                ) && !starts_fold(
                    row.str(INITIATING_PROCESS_FOLDER_PATH),
                    r"C:\Program Files (x86)\Microsoft Intune Management Extension\",
                ) && !starts_fold(
                    row.str(INITIATING_PROCESS_FOLDER_PATH),
                    r"C:\WindowsAzure\Packages\",
                )
            })?;
            // | project Timestamp, DeviceId, DeviceName, ReportId, AccountDomain, AccountName, AccountSid, FileName, FolderPath, Process …
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
            Necessary::text_fold("FileName", TextTest::Is, ["powershell.exe", "pwsh.exe"]),
            Necessary::text_fold(
                "ProcessVersionInfoOriginalFileName",
                TextTest::Is,
                ["PowerShell.EXE", "pwsh.dll"],
            ),
        ]),
        Necessary::pattern(
            "ProcessCommandLine",
            r"(?i)[\t\n\x0C\r ][\x{2D}\x{2F}]e(c|n[\x{61}-\x{7A}]*)?[\t\n\x0C\r ]+[\x{22}\x{27}]?[\x{61}-\x{7A}\x{30}-\x{39}\x{2B}\x{2F}]{60,}\x{3D}{0,2}",
        ),
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
        ("ProcessVersionInfoOriginalFileName", Type::String),
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
    schema.looking_at([
        "ActionType",
        "FileName",
        "ProcessVersionInfoOriginalFileName",
        "ProcessCommandLine",
        "InitiatingProcessFolderPath",
    ])
}
