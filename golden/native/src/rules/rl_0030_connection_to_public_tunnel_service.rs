//! RL-0030-connection-to-public-tunnel-service: Connection To Public Tunnel Service
//!
//! Made by rulec 0.1.0 from rules/command-and-control/RL-0030-connection-to-public-tunnel-service.md
//! sha256 a3c1a344f167bdabc63f1f9ea2aa01e26f926e5adfd9a375d51a88f02c08cc57

use std::sync::LazyLock;

use rulec_functions::fold::{ends_fold, eq_fold};
use rulec_functions::{arithmetic, compare};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::emitted::one_of_fold;
use rulec_runtime::ops::{self, holds};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextSet, TextTest, Type, Value,
};

/// `let timeframe = 2*3h`
const TIMEFRAME: Value = Value::TimeSpan(216_000_000_000);

static SET: LazyLock<TextSet> = LazyLock::new(|| {
    TextSet::folded([
        "msedge.exe",
        "chrome.exe",
        "firefox.exe",
        "brave.exe",
        "opera.exe",
        "Safari",
        "firefox",
        "chrome",
    ])
});

// The columns of `DeviceNetworkEvents` that the rule reads.
const TIMESTAMP: usize = 0;
const DEVICE_ID: usize = 1;
const DEVICE_NAME: usize = 2;
const ACTION_TYPE: usize = 3;
const REMOTE_IP: usize = 4;
const REMOTE_PORT: usize = 5;
const REMOTE_URL: usize = 6;
const INITIATING_PROCESS_SHA1: usize = 7;
const INITIATING_PROCESS_FILE_NAME: usize = 8;
const INITIATING_PROCESS_COMMAND_LINE: usize = 9;
const INITIATING_PROCESS_FOLDER_PATH: usize = 10;
const INITIATING_PROCESS_ACCOUNT_DOMAIN: usize = 11;
const INITIATING_PROCESS_ACCOUNT_NAME: usize = 12;
const INITIATING_PROCESS_ACCOUNT_SID: usize = 13;
const REPORT_ID: usize = 14;

/// The rule as packages list it.
pub fn rule() -> Rule {
    Rule {
        info: info(),
        schedule: Schedule::seconds(10_800, 21_600).stateless(),
        tables,
        evaluate,
    }
}

/// What alerts say of the rule.
pub fn info() -> RuleInfo {
    let info = RuleInfo::new(
        "RL-0030-connection-to-public-tunnel-service",
        "Connection To Public Tunnel Service",
        "low",
    );
    let info = info.at(
        "rules/command-and-control/RL-0030-connection-to-public-tunnel-service.md",
        82,
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
    let info = info.entity("IP", &[("Address", "RemoteIP")]);
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
    info.entity("URL", &[("Url", "RemoteUrl")])
}

/// The tables of events that the rule reads.
pub fn tables() -> Vec<Table> {
    vec![Table::of(
        "DeviceNetworkEvents",
        device_network_events(),
        device_network_events_wanted(),
    )]
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // DeviceNetworkEvents
    context.scan_where(
        "DeviceNetworkEvents",
        &device_network_events(),
        None,
        &device_network_events_wanted(),
        |t| {
            // | where ingestion_time() >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where ActionType in~ ("ConnectionSuccess", "HttpConnectionInspected")
            let t = ops::filter(&t, |row| {
                one_of_fold(
                    row.str(ACTION_TYPE),
                    &["ConnectionSuccess", "HttpConnectionInspected"],
                )
            })?;
            // | where RemoteUrl endswith ".ngrok.io" or RemoteUrl endswith ".ngrok.app" or RemoteUrl endswith ".ngrok-free.app" or Remot …
            let t = ops::filter(&t, |row| {
                ends_fold(row.str(REMOTE_URL), ".ngrok.io")
                    || ends_fold(row.str(REMOTE_URL), ".ngrok.app")
                    || ends_fold(row.str(REMOTE_URL), ".ngrok-free.app")
                    || ends_fold(row.str(REMOTE_URL), ".ngrok.com")
                    || ends_fold(row.str(REMOTE_URL), ".trycloudflare.com")
                    || ends_fold(row.str(REMOTE_URL), ".argotunnel.com")
                    || ends_fold(row.str(REMOTE_URL), ".devtunnels.ms")
                    || ends_fold(row.str(REMOTE_URL), ".tunnels.api.visualstudio.com")
                    || ends_fold(row.str(REMOTE_URL), ".loca.lt")
                    || eq_fold(row.str(REMOTE_URL), "localhost.run")
                    || eq_fold(row.str(REMOTE_URL), "serveo.net")
            })?;
            // | where not(InitiatingProcessFileName in~ ("msedge.exe", "chrome.exe", "firefox.exe", "brave.exe", "opera.exe", "Safari", …
            let t = ops::filter(&t, |row| {
                !SET.contains(row.str(INITIATING_PROCESS_FILE_NAME))
            })?;
            // | project Timestamp, DeviceId, DeviceName, ReportId, ActionType, RemoteUrl, RemoteIP, RemotePort, InitiatingProcessFileNam …
            ops::project_keep(
                &t,
                &[
                    TIMESTAMP,
                    DEVICE_ID,
                    DEVICE_NAME,
                    REPORT_ID,
                    ACTION_TYPE,
                    REMOTE_URL,
                    REMOTE_IP,
                    REMOTE_PORT,
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

/// What rows of `DeviceNetworkEvents` must meet to matter.
fn device_network_events_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(216_000_000_000)),
        Necessary::text_fold(
            "ActionType",
            TextTest::Is,
            ["ConnectionSuccess", "HttpConnectionInspected"],
        ),
        Necessary::any([
            Necessary::text_fold("RemoteUrl", TextTest::EndsWith, [".ngrok.io"]),
            Necessary::text_fold("RemoteUrl", TextTest::EndsWith, [".ngrok.app"]),
            Necessary::text_fold("RemoteUrl", TextTest::EndsWith, [".ngrok-free.app"]),
            Necessary::text_fold("RemoteUrl", TextTest::EndsWith, [".ngrok.com"]),
            Necessary::text_fold("RemoteUrl", TextTest::EndsWith, [".trycloudflare.com"]),
            Necessary::text_fold("RemoteUrl", TextTest::EndsWith, [".argotunnel.com"]),
            Necessary::text_fold("RemoteUrl", TextTest::EndsWith, [".devtunnels.ms"]),
            Necessary::text_fold(
                "RemoteUrl",
                TextTest::EndsWith,
                [".tunnels.api.visualstudio.com"],
            ),
            Necessary::text_fold("RemoteUrl", TextTest::EndsWith, [".loca.lt"]),
            Necessary::text_fold("RemoteUrl", TextTest::Is, ["localhost.run"]),
            Necessary::text_fold("RemoteUrl", TextTest::Is, ["serveo.net"]),
        ]),
    ])
}

/// The columns of `DeviceNetworkEvents` that the rule reads.
fn device_network_events() -> Schema {
    let schema = Schema::of(&[
        ("Timestamp", Type::DateTime),
        ("DeviceId", Type::String),
        ("DeviceName", Type::String),
        ("ActionType", Type::String),
        ("RemoteIP", Type::String),
        ("RemotePort", Type::Int),
        ("RemoteUrl", Type::String),
        ("InitiatingProcessSHA1", Type::String),
        ("InitiatingProcessFileName", Type::String),
        ("InitiatingProcessCommandLine", Type::String),
        ("InitiatingProcessFolderPath", Type::String),
        ("InitiatingProcessAccountDomain", Type::String),
        ("InitiatingProcessAccountName", Type::String),
        ("InitiatingProcessAccountSid", Type::String),
        ("ReportId", Type::Long),
    ]);
    // The others are only passed on.
    schema.looking_at(["ActionType", "RemoteUrl", "InitiatingProcessFileName"])
}
