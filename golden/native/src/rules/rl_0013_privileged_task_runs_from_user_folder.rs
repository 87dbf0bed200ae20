//! RL-0013-privileged-task-runs-from-user-folder: Privileged Scheduled Task Runs From User-writable Folder
//!
//! Made by rulec 0.1.0 from rules/persistence/RL-0013-privileged-task-runs-from-user-folder.md
//! sha256 9bfacf516f2bcd0a3e7f690e2597f51b6fc79bef4d43d86a374125529cce2630

use std::sync::LazyLock;

use rulec_functions::fold::eq_fold;
use rulec_functions::{aggregate, arithmetic, arrays, compare, matching, parsing, strings};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::cli::Rule;
use rulec_runtime::ops::{self, agg, column, each, holds, out};
use rulec_runtime::{Batch, Context, RuntimeError, Schema, Type, Value};

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
const PROCESS_COMMAND_LINE: usize = 17;
const ACCOUNT_DOMAIN: usize = 21;
const ACCOUNT_NAME: usize = 22;
const ACCOUNT_SID: usize = 23;
const INITIATING_PROCESS_FILE_NAME: usize = 38;
const INITIATING_PROCESS_COMMAND_LINE: usize = 47;
const INITIATING_PROCESS_FOLDER_PATH: usize = 49;
const REPORT_ID: usize = 55;
const ARGUMENTS: usize = 69;

// The columns after `mv-apply Argument = Arguments to typeof(string) on ( …`.
const ARGUMENT: usize = 70;

// The columns after `summarize UserPaths = make_set(Argument)`.
const USER_PATHS: usize = 0;

// The columns after `mv-apply Argument = Arguments to typeof(string) on ( …`.
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
        // | mv-apply Argument = Arguments to typeof(string) on ( …
        let expand = ops::Expand {
            schema: item_columns(),
            items: vec![ops::item(column(ARGUMENTS), 70, Type::String)],
            passed: vec![
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
                Some(11),
                Some(12),
                Some(13),
                Some(14),
                Some(15),
                Some(16),
                Some(17),
                Some(18),
                Some(19),
                Some(20),
                Some(21),
                Some(22),
                Some(23),
                Some(24),
                Some(25),
                Some(26),
                Some(27),
                Some(28),
                Some(29),
                Some(30),
                Some(31),
                Some(32),
                Some(33),
                Some(34),
                Some(35),
                Some(36),
                Some(37),
                Some(38),
                Some(39),
                Some(40),
                Some(41),
                Some(42),
                Some(43),
                Some(44),
                Some(45),
                Some(46),
                Some(47),
                Some(48),
                Some(49),
                Some(50),
                Some(51),
                Some(52),
                Some(53),
                Some(54),
                Some(55),
                Some(56),
                Some(57),
                Some(58),
                Some(59),
                Some(60),
                Some(61),
                Some(62),
                Some(63),
                Some(64),
                Some(65),
                Some(66),
                Some(67),
                Some(68),
                Some(69),
                None,
            ],
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
        let t = ops::mv_apply(&t, &expand, &picks, apply_items)?;
        // | where array_length(UserPaths) > 0
        let t = ops::filter(&t, |row| {
            holds(&compare::gt(&[
                arrays::array_length(&[row.get(APPLIED_USER_PATHS)]),
                Value::Long(0),
            ]))
        })?;
        // | project Timestamp, DeviceId, DeviceName, ReportId, AccountDomain, AccountName, AccountSid, ProcessCommandLine, UserPaths …
        ops::project(
            &t,
            &[
                out("Timestamp", Type::DateTime, column(TIMESTAMP)),
                out("DeviceId", Type::String, column(DEVICE_ID)),
                out("DeviceName", Type::String, column(DEVICE_NAME)),
                out("ReportId", Type::Long, column(APPLIED_REPORT_ID)),
                out(
                    "AccountDomain",
                    Type::String,
                    column(APPLIED_ACCOUNT_DOMAIN),
                ),
                out("AccountName", Type::String, column(APPLIED_ACCOUNT_NAME)),
                out("AccountSid", Type::String, column(APPLIED_ACCOUNT_SID)),
                out(
                    "ProcessCommandLine",
                    Type::String,
                    column(APPLIED_PROCESS_COMMAND_LINE),
                ),
                out("UserPaths", Type::Dynamic, column(APPLIED_USER_PATHS)),
                out(
                    "InitiatingProcessFileName",
                    Type::String,
                    column(APPLIED_INITIATING_PROCESS_FILE_NAME),
                ),
                out(
                    "InitiatingProcessFolderPath",
                    Type::String,
                    column(APPLIED_INITIATING_PROCESS_FOLDER_PATH),
                ),
                out(
                    "InitiatingProcessCommandLine",
                    Type::String,
                    column(APPLIED_INITIATING_PROCESS_COMMAND_LINE),
                ),
            ],
        )
    })
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
        ("SHA256", Type::String),
        ("MD5", Type::String),
        ("FileSize", Type::Long),
        ("ProcessVersionInfoCompanyName", Type::String),
        ("ProcessVersionInfoProductName", Type::String),
        ("ProcessVersionInfoProductVersion", Type::String),
        ("ProcessVersionInfoInternalFileName", Type::String),
        ("ProcessVersionInfoOriginalFileName", Type::String),
        ("ProcessVersionInfoFileDescription", Type::String),
        ("ProcessId", Type::Long),
        ("ProcessCommandLine", Type::String),
        ("ProcessIntegrityLevel", Type::String),
        ("ProcessTokenElevation", Type::String),
        ("ProcessCreationTime", Type::DateTime),
        ("AccountDomain", Type::String),
        ("AccountName", Type::String),
        ("AccountSid", Type::String),
        ("AccountUpn", Type::String),
        ("AccountObjectId", Type::String),
        ("LogonId", Type::Long),
        ("InitiatingProcessAccountDomain", Type::String),
        ("InitiatingProcessAccountName", Type::String),
        ("InitiatingProcessAccountSid", Type::String),
        ("InitiatingProcessAccountUpn", Type::String),
        ("InitiatingProcessAccountObjectId", Type::String),
        ("InitiatingProcessLogonId", Type::Long),
        ("InitiatingProcessIntegrityLevel", Type::String),
        ("InitiatingProcessTokenElevation", Type::String),
        ("InitiatingProcessSHA1", Type::String),
        ("InitiatingProcessSHA256", Type::String),
        ("InitiatingProcessMD5", Type::String),
        ("InitiatingProcessFileName", Type::String),
        ("InitiatingProcessFileSize", Type::Long),
        ("InitiatingProcessVersionInfoCompanyName", Type::String),
        ("InitiatingProcessVersionInfoProductName", Type::String),
        ("InitiatingProcessVersionInfoProductVersion", Type::String),
        ("InitiatingProcessVersionInfoInternalFileName", Type::String),
        ("InitiatingProcessVersionInfoOriginalFileName", Type::String),
        ("InitiatingProcessVersionInfoFileDescription", Type::String),
        ("InitiatingProcessId", Type::Long),
        ("InitiatingProcessCommandLine", Type::String),
        ("InitiatingProcessCreationTime", Type::DateTime),
        ("InitiatingProcessFolderPath", Type::String),
        ("InitiatingProcessParentId", Type::Long),
        ("InitiatingProcessParentFileName", Type::String),
        ("InitiatingProcessParentCreationTime", Type::DateTime),
        ("InitiatingProcessSignerType", Type::String),
        ("InitiatingProcessSignatureStatus", Type::String),
        ("ReportId", Type::Long),
        ("AppGuardContainerId", Type::String),
        ("AdditionalFields", Type::String),
        ("InitiatingProcessSessionId", Type::Long),
        ("IsInitiatingProcessRemoteSession", Type::Bool),
        ("InitiatingProcessRemoteSessionDeviceName", Type::String),
        ("InitiatingProcessRemoteSessionIP", Type::String),
        ("CreatedProcessSessionId", Type::Long),
        ("IsProcessRemoteSession", Type::Bool),
        ("ProcessRemoteSessionDeviceName", Type::String),
        ("ProcessRemoteSessionIP", Type::String),
        ("ProcessUniqueId", Type::String),
        ("InitiatingProcessUniqueId", Type::String),
        ("LogonID", Type::Long),
    ])
}

/// The columns after `summarize UserPaths = make_set(Argument)`.
fn item_columns() -> Schema {
    Schema::of(&[
        ("Timestamp", Type::DateTime),
        ("DeviceId", Type::String),
        ("DeviceName", Type::String),
        ("ActionType", Type::String),
        ("FileName", Type::String),
        ("FolderPath", Type::String),
        ("SHA1", Type::String),
        ("SHA256", Type::String),
        ("MD5", Type::String),
        ("FileSize", Type::Long),
        ("ProcessVersionInfoCompanyName", Type::String),
        ("ProcessVersionInfoProductName", Type::String),
        ("ProcessVersionInfoProductVersion", Type::String),
        ("ProcessVersionInfoInternalFileName", Type::String),
        ("ProcessVersionInfoOriginalFileName", Type::String),
        ("ProcessVersionInfoFileDescription", Type::String),
        ("ProcessId", Type::Long),
        ("ProcessCommandLine", Type::String),
        ("ProcessIntegrityLevel", Type::String),
        ("ProcessTokenElevation", Type::String),
        ("ProcessCreationTime", Type::DateTime),
        ("AccountDomain", Type::String),
        ("AccountName", Type::String),
        ("AccountSid", Type::String),
        ("AccountUpn", Type::String),
        ("AccountObjectId", Type::String),
        ("LogonId", Type::Long),
        ("InitiatingProcessAccountDomain", Type::String),
        ("InitiatingProcessAccountName", Type::String),
        ("InitiatingProcessAccountSid", Type::String),
        ("InitiatingProcessAccountUpn", Type::String),
        ("InitiatingProcessAccountObjectId", Type::String),
        ("InitiatingProcessLogonId", Type::Long),
        ("InitiatingProcessIntegrityLevel", Type::String),
        ("InitiatingProcessTokenElevation", Type::String),
        ("InitiatingProcessSHA1", Type::String),
        ("InitiatingProcessSHA256", Type::String),
        ("InitiatingProcessMD5", Type::String),
        ("InitiatingProcessFileName", Type::String),
        ("InitiatingProcessFileSize", Type::Long),
        ("InitiatingProcessVersionInfoCompanyName", Type::String),
        ("InitiatingProcessVersionInfoProductName", Type::String),
        ("InitiatingProcessVersionInfoProductVersion", Type::String),
        ("InitiatingProcessVersionInfoInternalFileName", Type::String),
        ("InitiatingProcessVersionInfoOriginalFileName", Type::String),
        ("InitiatingProcessVersionInfoFileDescription", Type::String),
        ("InitiatingProcessId", Type::Long),
        ("InitiatingProcessCommandLine", Type::String),
        ("InitiatingProcessCreationTime", Type::DateTime),
        ("InitiatingProcessFolderPath", Type::String),
        ("InitiatingProcessParentId", Type::Long),
        ("InitiatingProcessParentFileName", Type::String),
        ("InitiatingProcessParentCreationTime", Type::DateTime),
        ("InitiatingProcessSignerType", Type::String),
        ("InitiatingProcessSignatureStatus", Type::String),
        ("ReportId", Type::Long),
        ("AppGuardContainerId", Type::String),
        ("AdditionalFields", Type::String),
        ("InitiatingProcessSessionId", Type::Long),
        ("IsInitiatingProcessRemoteSession", Type::Bool),
        ("InitiatingProcessRemoteSessionDeviceName", Type::String),
        ("InitiatingProcessRemoteSessionIP", Type::String),
        ("CreatedProcessSessionId", Type::Long),
        ("IsProcessRemoteSession", Type::Bool),
        ("ProcessRemoteSessionDeviceName", Type::String),
        ("ProcessRemoteSessionIP", Type::String),
        ("ProcessUniqueId", Type::String),
        ("InitiatingProcessUniqueId", Type::String),
        ("LogonID", Type::Long),
        ("Arguments", Type::Dynamic),
        ("Argument", Type::String),
    ])
}
