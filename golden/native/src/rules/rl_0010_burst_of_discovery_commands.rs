//! RL-0010-burst-of-discovery-commands: Burst Of Discovery Commands
//!
//! Made by rulec 0.1.0 from rules/discovery/RL-0010-burst-of-discovery-commands.md
//! sha256 6e074e3a2129afcc6c98052438b7faa1296ed5541cbc6f5b37fa2f20ea27913b

use std::sync::LazyLock;

use rulec_functions::fold::eq_fold;
use rulec_functions::{aggregate, arithmetic, compare};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::emitted::one_of_fold;
use rulec_runtime::ops::{self, agg, column, constant, each, holds, out};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextSet, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

/// `let DiscoveryTools = dynamic(["whoami.exe", "systeminfo.exe", "ipconfig.exe", "net.exe", "nltest.exe", "quser.exe", "qwi …`
const DISCOVERY_TOOLS: [&str; 15] = [
    "whoami.exe",
    "systeminfo.exe",
    "ipconfig.exe",
    "net.exe",
    "nltest.exe",
    "quser.exe",
    "qwinsta.exe",
    "tasklist.exe",
    "arp.exe",
    "route.exe",
    "netstat.exe",
    "hostname.exe",
    "dsquery.exe",
    "klist.exe",
    "cmdkey.exe",
];

static DISCOVERY_TOOLS_SET: LazyLock<TextSet> = LazyLock::new(|| TextSet::folded(DISCOVERY_TOOLS));

/// `let window = 10m`
const WINDOW: Value = Value::TimeSpan(6_000_000_000);

/// `let min_tools = 5`
const MIN_TOOLS: Value = Value::Long(5);

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
const REPORT_ID: usize = 9;

// The columns after `summarize arg_max(Timestamp, ReportId, DeviceName, AccountSid), ToolCount = dcount(FileName), Tools = make_set(FileName) …`.
const SUMMARIZED_ACCOUNT_DOMAIN: usize = 1;
const SUMMARIZED_ACCOUNT_NAME: usize = 2;
const SUMMARIZED_TIMESTAMP: usize = 4;
const SUMMARIZED_DEVICE_NAME: usize = 6;
const TOOL_COUNT: usize = 8;
const TOOLS: usize = 9;
const COMMANDS: usize = 10;

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
        "RL-0010-burst-of-discovery-commands",
        "Burst Of Discovery Commands",
        "medium",
    );
    let info = info.at(
        "rules/discovery/RL-0010-burst-of-discovery-commands.md",
        110,
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
    let t = context.flow(
        "DeviceProcessEvents",
        device_process_events(),
        device_process_events_wanted(),
        |t| {
            // | where ingestion_time() >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where ActionType =~ "ProcessCreated"
            let t = ops::filter(&t, |row| eq_fold(row.str(ACTION_TYPE), "ProcessCreated"))?;
            // | where FileName in~ (DiscoveryTools)
            let t = ops::filter(&t, |row| DISCOVERY_TOOLS_SET.contains(row.str(FILE_NAME)))?;
            // | where AccountName !in~ ("system", "local service", "network service")
            ops::filter(&t, |row| {
                !one_of_fold(
                    row.str(ACCOUNT_NAME),
                    &["system", "local service", "network service"],
                )
            })
        },
    );
    // | summarize arg_max(Timestamp, ReportId, DeviceName, AccountSid), ToolCount = dcount(FileName), Tools = make_set(FileName) …
    let t = ops::summarize(
        &t,
        &[
            out("DeviceId", Type::String, column(DEVICE_ID)),
            out("AccountDomain", Type::String, column(ACCOUNT_DOMAIN)),
            out("AccountName", Type::String, column(ACCOUNT_NAME)),
            out(
                "Window",
                Type::DateTime,
                each(|row| arithmetic::bin(&[row.get(TIMESTAMP), WINDOW])),
            ),
        ],
        &[
            agg(
                aggregate::choose::arg_max,
                [
                    column(TIMESTAMP),
                    column(REPORT_ID),
                    column(DEVICE_NAME),
                    column(ACCOUNT_SID),
                ],
                &[
                    ("Timestamp", Type::DateTime),
                    ("ReportId", Type::Long),
                    ("DeviceName", Type::String),
                    ("AccountSid", Type::String),
                ],
            ),
            agg(
                aggregate::sketch::dcount,
                [column(FILE_NAME)],
                &[("ToolCount", Type::Long)],
            ),
            agg(
                aggregate::collect::make_set,
                [column(FILE_NAME)],
                &[("Tools", Type::Dynamic)],
            ),
            agg(
                aggregate::collect::make_set,
                [column(PROCESS_COMMAND_LINE), constant(Value::Long(50))],
                &[("Commands", Type::Dynamic)],
            ),
            agg(
                aggregate::statistics::count,
                [],
                &[("Executions", Type::Long)],
            ),
        ],
    )?;
    // | where ToolCount >= min_tools
    let t = ops::filter(&t, |row| {
        holds(&compare::ge(&[row.get(TOOL_COUNT), MIN_TOOLS]))
    })?;
    // | project-reorder Timestamp, DeviceName, AccountDomain, AccountName, ToolCount, Tools, Commands
    ops::project_reorder(
        &t,
        &[
            SUMMARIZED_TIMESTAMP,
            SUMMARIZED_DEVICE_NAME,
            SUMMARIZED_ACCOUNT_DOMAIN,
            SUMMARIZED_ACCOUNT_NAME,
            TOOL_COUNT,
            TOOLS,
            COMMANDS,
        ],
    )
}

/// What rows of `DeviceProcessEvents` must meet to matter.
fn device_process_events_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text_fold("ActionType", TextTest::Is, ["ProcessCreated"]),
        Necessary::text_fold(
            "FileName",
            TextTest::Is,
            [
                "whoami.exe",
                "systeminfo.exe",
                "ipconfig.exe",
                "net.exe",
                "nltest.exe",
                "quser.exe",
                "qwinsta.exe",
                "tasklist.exe",
                "arp.exe",
                "route.exe",
                "netstat.exe",
                "hostname.exe",
                "dsquery.exe",
                "klist.exe",
                "cmdkey.exe",
            ],
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
        ("ProcessCommandLine", Type::String),
        ("AccountDomain", Type::String),
        ("AccountName", Type::String),
        ("AccountSid", Type::String),
        ("ReportId", Type::Long),
    ]);
    // The others are only passed on.
    schema.looking_at([
        "Timestamp",
        "DeviceId",
        "ActionType",
        "FileName",
        "ProcessCommandLine",
        "AccountDomain",
        "AccountName",
    ])
}
