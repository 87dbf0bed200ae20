//! RL-0002-ingress-tool-transfer-by-builtin-binary: Ingress Tool Transfer By Built-in Binary
//!
//! Made by rulec 0.1.0 from rules/command-and-control/RL-0002-ingress-tool-transfer-by-builtin-binary.md
//! sha256 20275a1bf47224aab85ce50a890cb899be615c8656422c9e1f1d09fb028903a4

use rulec_functions::fold::{contains_fold, eq_fold};
use rulec_functions::{arithmetic, compare};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::cli::Rule;
use rulec_runtime::ops::{self, column, holds, out};
use rulec_runtime::{Batch, Context, RuntimeError, Schema, Type, Value};

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

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // DeviceProcessEvents
    context.scan("DeviceProcessEvents", &device_process_events(), None, |t| {
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
        ops::project(
            &t,
            &[
                out("Timestamp", Type::DateTime, column(TIMESTAMP)),
                out("DeviceId", Type::String, column(DEVICE_ID)),
                out("DeviceName", Type::String, column(DEVICE_NAME)),
                out("ReportId", Type::Long, column(REPORT_ID)),
                out("AccountDomain", Type::String, column(ACCOUNT_DOMAIN)),
                out("AccountName", Type::String, column(ACCOUNT_NAME)),
                out("AccountSid", Type::String, column(ACCOUNT_SID)),
                out("FileName", Type::String, column(FILE_NAME)),
                out("FolderPath", Type::String, column(FOLDER_PATH)),
                out("SHA1", Type::String, column(SHA1)),
                out(
                    "ProcessCommandLine",
                    Type::String,
                    column(PROCESS_COMMAND_LINE),
                ),
                out(
                    "ProcessVersionInfoOriginalFileName",
                    Type::String,
                    column(PROCESS_VERSION_INFO_ORIGINAL_FILE_NAME),
                ),
                out(
                    "InitiatingProcessFileName",
                    Type::String,
                    column(INITIATING_PROCESS_FILE_NAME),
                ),
                out(
                    "InitiatingProcessFolderPath",
                    Type::String,
                    column(INITIATING_PROCESS_FOLDER_PATH),
                ),
                out(
                    "InitiatingProcessCommandLine",
                    Type::String,
                    column(INITIATING_PROCESS_COMMAND_LINE),
                ),
            ],
        )
    })
}

/// The columns of `DeviceProcessEvents` that the rule reads.
fn device_process_events() -> Schema {
    Schema::of(&[
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
    ])
}
