//! RL-0002-ingress-tool-transfer-by-builtin-binary: Ingress Tool Transfer By Built-in Binary
//!
//! Made by rulec 0.1.0 from rules/command-and-control/RL-0002-ingress-tool-transfer-by-builtin-binary.md
//! sha256 20275a1bf47224aab85ce50a890cb899be615c8656422c9e1f1d09fb028903a4

use rulec_functions::fold::{contains_fold, eq_fold};
use rulec_functions::{arithmetic, compare};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::ops::{self, holds};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

// The columns of `DeviceProcessEvents` that the rule reads.
const TIMESTAMP: usize = 0;
const DEVICE_ID: usize = 1;
const DEVICE_NAME: usize = 2;
const ACTION_TYPE: usize = 3;
const FILE_NAME: usize = 4;
const FOLDER_PATH: usize = 5;
const SHA1: usize = 6;
const PROCESS_VERSION_INFO_ORIGINAL_FILE_NAME: usize = 7;
const PROCESS_COMMAND_LINE: usize = 8;
const ACCOUNT_DOMAIN: usize = 9;
const ACCOUNT_NAME: usize = 10;
const ACCOUNT_SID: usize = 11;
const INITIATING_PROCESS_FILE_NAME: usize = 12;
const INITIATING_PROCESS_COMMAND_LINE: usize = 13;
const INITIATING_PROCESS_FOLDER_PATH: usize = 14;
const REPORT_ID: usize = 15;

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
        "RL-0002-ingress-tool-transfer-by-builtin-binary",
        "Ingress Tool Transfer By Built-in Binary",
        "medium",
    );
    let info = info.at(
        "rules/command-and-control/RL-0002-ingress-tool-transfer-by-builtin-binary.md",
        104,
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
            // | where ((FileName =~ "certutil.exe" or ProcessVersionInfoOriginalFileName =~ "CertUtil.exe") and (ProcessCommandLine cont …
            let t = ops::filter(&t, |row| {
                ((eq_fold(row.str(FILE_NAME), "certutil.exe")
                    || eq_fold(
                        row.str(PROCESS_VERSION_INFO_ORIGINAL_FILE_NAME),
                        "CertUtil.exe",
                    ))
                    && (contains_fold(row.str(PROCESS_COMMAND_LINE), "urlcache")
                        || contains_fold(row.str(PROCESS_COMMAND_LINE), "verifyctl")))
                    || ((eq_fold(row.str(FILE_NAME), "bitsadmin.exe")
                        || eq_fold(
                            row.str(PROCESS_VERSION_INFO_ORIGINAL_FILE_NAME),
                            "bitsadmin.exe",
                        ))
                        && (contains_fold(row.str(PROCESS_COMMAND_LINE), "/transfer")
                            || contains_fold(row.str(PROCESS_COMMAND_LINE), "/addfile")))
                    || (eq_fold(row.str(FILE_NAME), "desktopimgdownldr.exe")
                        && contains_fold(row.str(PROCESS_COMMAND_LINE), "/lockscreenurl"))
                    || (eq_fold(row.str(FILE_NAME), "MpCmdRun.exe")
                        && contains_fold(row.str(PROCESS_COMMAND_LINE), "DownloadFile"))
            })?;
            // | where ProcessCommandLine contains "http://" or ProcessCommandLine contains "https://" or ProcessCommandLine contains "ft …
            let t = ops::filter(&t, |row| {
                contains_fold(row.str(PROCESS_COMMAND_LINE), "http://")
                    || contains_fold(row.str(PROCESS_COMMAND_LINE), "https://")
                    || contains_fold(row.str(PROCESS_COMMAND_LINE), "ftp://")
            })?;
            // | where not(InitiatingProcessFolderPath =~ @"C:\Windows\CCM\CcmExec.exe")
            let t = ops::filter(&t, |row| {
                !eq_fold(
                    row.str(INITIATING_PROCESS_FOLDER_PATH),
                    r"C:\Windows\CCM\CcmExec.exe",
                )
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
                    PROCESS_VERSION_INFO_ORIGINAL_FILE_NAME,
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
                Necessary::any([
                    Necessary::text_fold("FileName", TextTest::Is, ["certutil.exe"]),
                    Necessary::text_fold(
                        "ProcessVersionInfoOriginalFileName",
                        TextTest::Is,
                        ["CertUtil.exe"],
                    ),
                ]),
                Necessary::any([
                    Necessary::text_fold("ProcessCommandLine", TextTest::Contains, ["urlcache"]),
                    Necessary::text_fold("ProcessCommandLine", TextTest::Contains, ["verifyctl"]),
                ]),
            ]),
            Necessary::all([
                Necessary::any([
                    Necessary::text_fold("FileName", TextTest::Is, ["bitsadmin.exe"]),
                    Necessary::text_fold(
                        "ProcessVersionInfoOriginalFileName",
                        TextTest::Is,
                        ["bitsadmin.exe"],
                    ),
                ]),
                Necessary::any([
                    Necessary::text_fold("ProcessCommandLine", TextTest::Contains, ["/transfer"]),
                    Necessary::text_fold("ProcessCommandLine", TextTest::Contains, ["/addfile"]),
                ]),
            ]),
            Necessary::all([
                Necessary::text_fold("FileName", TextTest::Is, ["desktopimgdownldr.exe"]),
                Necessary::text_fold("ProcessCommandLine", TextTest::Contains, ["/lockscreenurl"]),
            ]),
            Necessary::all([
                Necessary::text_fold("FileName", TextTest::Is, ["MpCmdRun.exe"]),
                Necessary::text_fold("ProcessCommandLine", TextTest::Contains, ["DownloadFile"]),
            ]),
        ]),
        Necessary::any([
            Necessary::text_fold("ProcessCommandLine", TextTest::Contains, ["http://"]),
            Necessary::text_fold("ProcessCommandLine", TextTest::Contains, ["https://"]),
            Necessary::text_fold("ProcessCommandLine", TextTest::Contains, ["ftp://"]),
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
