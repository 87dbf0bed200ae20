//! RL-0004-run-dialog-starts-interpreter: Run Dialog Starts Script Interpreter With Download
//!
//! Made by rulec 0.1.0 from rules/execution/RL-0004-run-dialog-starts-interpreter.md
//! sha256 9b7f0a54fbb6fceb2e03938c2b370f353b52e5790f4457343ac8e64ae5b1e2db

use std::sync::LazyLock;

use rulec_functions::fold::{Ends, ends_fold, eq_fold, has_term_fold};
use rulec_functions::{arithmetic, compare, matching};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::ops::{self, holds};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

/// `let Interpreters = dynamic(["powershell", "pwsh", "cmd", "mshta", "wscript", "cscript", "rundll32", "msiexec", "curl", " …`
const INTERPRETERS: [&str; 11] = [
    "powershell",
    "pwsh",
    "cmd",
    "mshta",
    "wscript",
    "cscript",
    "rundll32",
    "msiexec",
    "curl",
    "certutil",
    "bitsadmin",
];

static INTERPRETERS_LIST: LazyLock<Value> =
    LazyLock::new(|| Value::array(INTERPRETERS.map(Value::string)));

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
const INITIATING_PROCESS_FILE_NAME: usize = 10;
const REPORT_ID: usize = 11;

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
        "RL-0004-run-dialog-starts-interpreter",
        "Run Dialog Starts Script Interpreter With Download",
        "high",
    );
    let info = info.at(
        "rules/execution/RL-0004-run-dialog-starts-interpreter.md",
        100,
    );
    let info = info.entity(
        "Host",
        &[("AzureID", "DeviceId"), ("HostName", "DeviceName")],
    );
    let info = info.entity(
        "Account",
        &[
            ("NTDomain", "InitiatingProcessAccountDomain"),
            ("Name", "InitiatingProcessAccountName"),
            ("Sid", "InitiatingProcessAccountSid"),
        ],
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
            // | where ActionType =~ "RegistryValueSet"
            let t = ops::filter(&t, |row| eq_fold(row.str(ACTION_TYPE), "RegistryValueSet"))?;
            // | where RegistryKey endswith @"\Software\Microsoft\Windows\CurrentVersion\Explorer\RunMRU"
            let t = ops::filter(&t, |row| {
                ends_fold(
                    row.str(REGISTRY_KEY),
                    r"\Software\Microsoft\Windows\CurrentVersion\Explorer\RunMRU",
                )
            })?;
            // | where not(RegistryValueName =~ "MRUList")
            let t = ops::filter(&t, |row| !eq_fold(row.str(REGISTRY_VALUE_NAME), "MRUList"))?;
            // | where InitiatingProcessFileName =~ "explorer.exe"
            let t = ops::filter(&t, |row| {
                eq_fold(row.str(INITIATING_PROCESS_FILE_NAME), "explorer.exe")
            })?;
            // | where RegistryValueData has_any (Interpreters)
            let t = ops::filter(&t, |row| {
                holds(&matching::has_any(&[
                    row.get(REGISTRY_VALUE_DATA),
                    INTERPRETERS_LIST.clone(),
                ]))
            })?;
            // | where RegistryValueData has "http" or RegistryValueData has "https" or RegistryValueData has "hidden" or RegistryValueDa …
            let t = ops::filter(&t, |row| {
                has_term_fold(row.str(REGISTRY_VALUE_DATA), "http", Ends::TERM)
                    || has_term_fold(row.str(REGISTRY_VALUE_DATA), "https", Ends::TERM)
                    || has_term_fold(row.str(REGISTRY_VALUE_DATA), "hidden", Ends::TERM)
                    || has_term_fold(row.str(REGISTRY_VALUE_DATA), "enc", Ends::TERM)
                    || has_term_fold(row.str(REGISTRY_VALUE_DATA), "encodedcommand", Ends::TERM)
                    || has_term_fold(row.str(REGISTRY_VALUE_DATA), "iex", Ends::TERM)
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
        Necessary::text_fold("ActionType", TextTest::Is, ["RegistryValueSet"]),
        Necessary::text_fold(
            "RegistryKey",
            TextTest::EndsWith,
            [r"\Software\Microsoft\Windows\CurrentVersion\Explorer\RunMRU"],
        ),
        Necessary::text_fold("InitiatingProcessFileName", TextTest::Is, ["explorer.exe"]),
        Necessary::text_fold(
            "RegistryValueData",
            TextTest::Contains,
            [
                "powershell",
                "pwsh",
                "cmd",
                "mshta",
                "wscript",
                "cscript",
                "rundll32",
                "msiexec",
                "curl",
                "certutil",
                "bitsadmin",
            ],
        ),
        Necessary::any([
            Necessary::text_fold("RegistryValueData", TextTest::Contains, ["http"]),
            Necessary::text_fold("RegistryValueData", TextTest::Contains, ["https"]),
            Necessary::text_fold("RegistryValueData", TextTest::Contains, ["hidden"]),
            Necessary::text_fold("RegistryValueData", TextTest::Contains, ["enc"]),
            Necessary::text_fold("RegistryValueData", TextTest::Contains, ["encodedcommand"]),
            Necessary::text_fold("RegistryValueData", TextTest::Contains, ["iex"]),
        ]),
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
        ("InitiatingProcessFileName", Type::String),
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
