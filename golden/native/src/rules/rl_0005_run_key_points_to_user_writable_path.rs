//! RL-0005-run-key-points-to-user-writable-path: Run Key Points To User-writable Path
//!
//! Made by rulec 0.1.0 from rules/persistence/RL-0005-run-key-points-to-user-writable-path.md
//! sha256 8fe57ff93fa574bd885db977a303f691322af0a99d5d248c5ce0f3ade6518bea

use std::sync::LazyLock;

use rulec_functions::fold::{contains_fold, ends_fold, eq_fold};
use rulec_functions::{arithmetic, compare, matching};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::ops::{self, holds};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

static PATTERN: LazyLock<Value> = LazyLock::new(|| {
    Value::string(
        r"(?i)(\\users\\[^\\]+\\(appdata|downloads)|\\users\\public|\\programdata|\\windows\\temp|%(appdata|localappdata|temp|tmp|public)%)\\",
    )
});

static PATTERN_2: LazyLock<Value> = LazyLock::new(|| {
    Value::string(r"(?i)\.(exe|dll|scr|com|bat|cmd|ps1|vbs|vbe|js|jse|wsf|hta|lnk)\b")
});

// The columns of `DeviceRegistryEvents` that the rule reads.
const TIMESTAMP: usize = 0;
const DEVICE_ID: usize = 1;
const DEVICE_NAME: usize = 2;
const ACTION_TYPE: usize = 3;
const REGISTRY_KEY: usize = 4;
const REGISTRY_VALUE_NAME: usize = 5;
const REGISTRY_VALUE_DATA: usize = 6;
const INITIATING_PROCESS_ACCOUNT_DOMAIN: usize = 7;
const INITIATING_PROCESS_ACCOUNT_NAME: usize = 8;
const INITIATING_PROCESS_ACCOUNT_SID: usize = 9;
const INITIATING_PROCESS_SHA1: usize = 10;
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
        "RL-0005-run-key-points-to-user-writable-path",
        "Run Key Points To User-writable Path",
        "medium",
    );
    let info = info.at(
        "rules/persistence/RL-0005-run-key-points-to-user-writable-path.md",
        80,
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
    let info = info.entity(
        "File",
        &[
            ("Directory", "InitiatingProcessFolderPath"),
            ("Name", "InitiatingProcessFileName"),
        ],
    );
    let info = info.entity(
        "Process",
        &[("CommandLine", "InitiatingProcessCommandLine")],
    );
    let info = info.entity("RegistryKey", &[("Key", "RegistryKey")]);
    info.entity(
        "RegistryValue",
        &[
            ("Name", "RegistryValueName"),
            ("Value", "RegistryValueData"),
        ],
    )
}

/// The tables of events that the rule reads.
pub fn tables() -> Vec<Table> {
    vec![Table::of(
        "DeviceRegistryEvents",
        device_registry_events(),
        device_registry_events_wanted(),
    )]
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // DeviceRegistryEvents
    context.scan_where(
        "DeviceRegistryEvents",
        &device_registry_events(),
        None,
        &device_registry_events_wanted(),
        |t| {
            // | where ingestion_time() >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where ActionType == "RegistryValueSet"
            let t = ops::filter(&t, |row| row.str(ACTION_TYPE) == "RegistryValueSet")?;
            // | where RegistryKey endswith @"\Microsoft\Windows\CurrentVersion\Run" or RegistryKey endswith @"\Microsoft\Windows\Current …
            let t = ops::filter(&t, |row| {
                ends_fold(
                    row.str(REGISTRY_KEY),
                    r"\Microsoft\Windows\CurrentVersion\Run",
                ) || ends_fold(
                    row.str(REGISTRY_KEY),
                    r"\Microsoft\Windows\CurrentVersion\RunOnce",
                ) || ends_fold(
                    row.str(REGISTRY_KEY),
                    r"\Microsoft\Windows\CurrentVersion\Policies\Explorer\Run",
                )
            })?;
            // | where RegistryValueData matches regex @"(?i)(\\users\\[^\\]+\\(appdata|downloads)|\\users\\public|\\programdata|\\window …
            let t = ops::filter(&t, |row| {
                holds(&matching::matches_regex(&[
                    row.get(REGISTRY_VALUE_DATA),
                    PATTERN.clone(),
                ]))
            })?;
            // | where RegistryValueData matches regex @"(?i)\.(exe|dll|scr|com|bat|cmd|ps1|vbs|vbe|js|jse|wsf|hta|lnk)\b"
            let t = ops::filter(&t, |row| {
                holds(&matching::matches_regex(&[
                    row.get(REGISTRY_VALUE_DATA),
                    PATTERN_2.clone(),
                ]))
            })?;
            // | where not(InitiatingProcessFileName =~ "msiexec.exe")
            let t = ops::filter(&t, |row| {
                !eq_fold(row.str(INITIATING_PROCESS_FILE_NAME), "msiexec.exe")
            })?;
            // | where not(RegistryValueName =~ "OneDrive" and RegistryValueData contains @"\AppData\Local\Microsoft\OneDrive\OneDrive.ex …
            let t = ops::filter(&t, |row| {
                !eq_fold(row.str(REGISTRY_VALUE_NAME), "OneDrive")
                    || !contains_fold(
                        row.str(REGISTRY_VALUE_DATA),
                        r"\AppData\Local\Microsoft\OneDrive\OneDrive.exe",
                    )
            })?;
            // | project Timestamp, DeviceId, DeviceName, ReportId, RegistryKey, RegistryValueName, RegistryValueData, InitiatingProcessF …
            ops::project_keep(
                &t,
                &[
                    TIMESTAMP,
                    DEVICE_ID,
                    DEVICE_NAME,
                    REPORT_ID,
                    REGISTRY_KEY,
                    REGISTRY_VALUE_NAME,
                    REGISTRY_VALUE_DATA,
                    INITIATING_PROCESS_FILE_NAME,
                    INITIATING_PROCESS_FOLDER_PATH,
                    INITIATING_PROCESS_COMMAND_LINE,
                    INITIATING_PROCESS_SHA1,
                    INITIATING_PROCESS_ACCOUNT_DOMAIN,
                    INITIATING_PROCESS_ACCOUNT_NAME,
                    INITIATING_PROCESS_ACCOUNT_SID,
                ],
            )
        },
    )
}

/// What rows of `DeviceRegistryEvents` must meet to matter.
fn device_registry_events_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text("ActionType", TextTest::Is, ["RegistryValueSet"]),
        Necessary::any([
            Necessary::text_fold(
                "RegistryKey",
                TextTest::EndsWith,
                [r"\Microsoft\Windows\CurrentVersion\Run"],
            ),
            Necessary::text_fold(
                "RegistryKey",
                TextTest::EndsWith,
                [r"\Microsoft\Windows\CurrentVersion\RunOnce"],
            ),
            Necessary::text_fold(
                "RegistryKey",
                TextTest::EndsWith,
                [r"\Microsoft\Windows\CurrentVersion\Policies\Explorer\Run"],
            ),
        ]),
        Necessary::text_fold(
            "RegistryValueData",
            TextTest::Contains,
            [
                r"\users\",
                r"\users\public",
                r"\programdata",
                r"\windows\temp",
                "appdata",
                "localappdata",
                "temp",
                "tmp",
                "public",
            ],
        ),
        Necessary::pattern(
            "RegistryValueData",
            r"(?i)(\x{5C}users\x{5C}[^\x{5C}]+\x{5C}(appdata|downloads)|\x{5C}users\x{5C}public|\x{5C}programdata|\x{5C}windows\x{5C}temp|\x{25}(appdata|localappdata|temp|tmp|public)\x{25})\x{5C}",
        ),
        Necessary::text_fold(
            "RegistryValueData",
            TextTest::Contains,
            [
                "exe", "dll", "scr", "com", "bat", "cmd", "ps1", "vbs", "vbe", "js", "jse", "wsf",
                "hta", "lnk",
            ],
        ),
        Necessary::pattern(
            "RegistryValueData",
            r"(?i)\x{2E}(exe|dll|scr|com|bat|cmd|ps1|vbs|vbe|js|jse|wsf|hta|lnk)(?-u:\b)",
        ),
    ])
}

/// The columns of `DeviceRegistryEvents` that the rule reads.
fn device_registry_events() -> Schema {
    let schema = Schema::of(&[
        ("Timestamp", Type::DateTime),
        ("DeviceId", Type::String),
        ("DeviceName", Type::String),
        ("ActionType", Type::String),
        ("RegistryKey", Type::String),
        ("RegistryValueName", Type::String),
        ("RegistryValueData", Type::String),
        ("InitiatingProcessAccountDomain", Type::String),
        ("InitiatingProcessAccountName", Type::String),
        ("InitiatingProcessAccountSid", Type::String),
        ("InitiatingProcessSHA1", Type::String),
        ("InitiatingProcessFileName", Type::String),
        ("InitiatingProcessCommandLine", Type::String),
        ("InitiatingProcessFolderPath", Type::String),
        ("ReportId", Type::Long),
    ]);
    // The others are only passed on.
    schema.looking_at([
        "ActionType",
        "RegistryKey",
        "RegistryValueName",
        "RegistryValueData",
        "InitiatingProcessFileName",
    ])
}
