//! RL-0008-system-dll-loaded-from-user-writable-path: System DLL Loaded From User-writable Path
//!
//! Made by rulec 0.1.0 from rules/defense-evasion/RL-0008-system-dll-loaded-from-user-writable-path.md
//! sha256 2f2de519f4faeb215bd4eb85a6a3697779e8043faeb81d31f4007241d2282509

use std::sync::LazyLock;

use rulec_functions::fold::{contains_fold, eq_fold, starts_fold};
use rulec_functions::{arithmetic, compare};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::ops::{self, holds};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextSet, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

/// `let SystemLibraries = dynamic(["version.dll", "dbghelp.dll", "dbgcore.dll", "cryptbase.dll", "cryptsp.dll", "userenv.dll …`
const SYSTEM_LIBRARIES: [&str; 15] = [
    "version.dll",
    "dbghelp.dll",
    "dbgcore.dll",
    "cryptbase.dll",
    "cryptsp.dll",
    "userenv.dll",
    "wtsapi32.dll",
    "uxtheme.dll",
    "dwmapi.dll",
    "profapi.dll",
    "propsys.dll",
    "secur32.dll",
    "sspicli.dll",
    "netapi32.dll",
    "iphlpapi.dll",
];

static SYSTEM_LIBRARIES_SET: LazyLock<TextSet> =
    LazyLock::new(|| TextSet::folded(SYSTEM_LIBRARIES));

// The columns of `DeviceImageLoadEvents` that the rule reads.
const TIMESTAMP: usize = 0;
const DEVICE_ID: usize = 1;
const DEVICE_NAME: usize = 2;
const ACTION_TYPE: usize = 3;
const FILE_NAME: usize = 4;
const FOLDER_PATH: usize = 5;
const SHA1: usize = 6;
const INITIATING_PROCESS_ACCOUNT_DOMAIN: usize = 7;
const INITIATING_PROCESS_ACCOUNT_NAME: usize = 8;
const INITIATING_PROCESS_ACCOUNT_SID: usize = 9;
const INITIATING_PROCESS_FILE_NAME: usize = 10;
const INITIATING_PROCESS_COMMAND_LINE: usize = 11;
const INITIATING_PROCESS_FOLDER_PATH: usize = 12;
const REPORT_ID: usize = 13;

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
        "RL-0008-system-dll-loaded-from-user-writable-path",
        "System DLL Loaded From User-writable Path",
        "medium",
    );
    let info = info.at(
        "rules/defense-evasion/RL-0008-system-dll-loaded-from-user-writable-path.md",
        94,
    );
    let info = info.entity(
        "Host",
        &[("AzureID", "DeviceId"), ("HostName", "DeviceName")],
    );
    let info = info.entity("File", &[("Directory", "FolderPath"), ("Name", "FileName")]);
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
        "DeviceImageLoadEvents",
        device_image_load_events(),
        device_image_load_events_wanted(),
    )]
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // DeviceImageLoadEvents
    context.scan_where(
        "DeviceImageLoadEvents",
        &device_image_load_events(),
        None,
        &device_image_load_events_wanted(),
        |t| {
            // | where ingestion_time() >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where ActionType =~ "ImageLoaded"
            let t = ops::filter(&t, |row| eq_fold(row.str(ACTION_TYPE), "ImageLoaded"))?;
            // | where FileName in~ (SystemLibraries)
            let t = ops::filter(&t, |row| SYSTEM_LIBRARIES_SET.contains(row.str(FILE_NAME)))?;
            // | where FolderPath startswith @"C:\Users\" or FolderPath startswith @"C:\ProgramData\" or FolderPath startswith @"C:\Windo …
            let t = ops::filter(&t, |row| {
                starts_fold(row.str(FOLDER_PATH), r"C:\Users\")
                    || starts_fold(row.str(FOLDER_PATH), r"C:\ProgramData\")
                    || starts_fold(row.str(FOLDER_PATH), r"C:\Windows\Temp\")
            })?;
            // | where not(FolderPath contains @"\AppData\Local\Microsoft\")
            let t = ops::filter(&t, |row| {
                !contains_fold(row.str(FOLDER_PATH), r"\AppData\Local\Microsoft\")
            })?;
            // | project Timestamp, DeviceId, DeviceName, ReportId, FileName, FolderPath, SHA1, InitiatingProcessFileName, InitiatingProc …
            ops::project_keep(
                &t,
                &[
                    TIMESTAMP,
                    DEVICE_ID,
                    DEVICE_NAME,
                    REPORT_ID,
                    FILE_NAME,
                    FOLDER_PATH,
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

/// What rows of `DeviceImageLoadEvents` must meet to matter.
fn device_image_load_events_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text_fold("ActionType", TextTest::Is, ["ImageLoaded"]),
        Necessary::text_fold(
            "FileName",
            TextTest::Is,
            [
                "version.dll",
                "dbghelp.dll",
                "dbgcore.dll",
                "cryptbase.dll",
                "cryptsp.dll",
                "userenv.dll",
                "wtsapi32.dll",
                "uxtheme.dll",
                "dwmapi.dll",
                "profapi.dll",
                "propsys.dll",
                "secur32.dll",
                "sspicli.dll",
                "netapi32.dll",
                "iphlpapi.dll",
            ],
        ),
        Necessary::any([
            Necessary::text_fold("FolderPath", TextTest::StartsWith, [r"C:\Users\"]),
            Necessary::text_fold("FolderPath", TextTest::StartsWith, [r"C:\ProgramData\"]),
            Necessary::text_fold("FolderPath", TextTest::StartsWith, [r"C:\Windows\Temp\"]),
        ]),
    ])
}

/// The columns of `DeviceImageLoadEvents` that the rule reads.
fn device_image_load_events() -> Schema {
    let schema = Schema::of(&[
        ("Timestamp", Type::DateTime),
        ("DeviceId", Type::String),
        ("DeviceName", Type::String),
        ("ActionType", Type::String),
        ("FileName", Type::String),
        ("FolderPath", Type::String),
        ("SHA1", Type::String),
        ("InitiatingProcessAccountDomain", Type::String),
        ("InitiatingProcessAccountName", Type::String),
        ("InitiatingProcessAccountSid", Type::String),
        ("InitiatingProcessFileName", Type::String),
        ("InitiatingProcessCommandLine", Type::String),
        ("InitiatingProcessFolderPath", Type::String),
        ("ReportId", Type::Long),
    ]);
    // The others are only passed on.
    schema.looking_at(["ActionType", "FileName", "FolderPath"])
}
