//! RL-0012-remote-service-installed-after-network-logon: Remote Service Installed After Network Logon
//!
//! Made by rulec 0.1.0 from rules/lateral-movement/RL-0012-remote-service-installed-after-network-logon.md
//! sha256 c28de2a3cdde45a979862a7cd66f097227b46356ac308334035920c65c261a06

use rulec_functions::fold::{eq_fold, starts_fold};
use rulec_functions::{aggregate, arithmetic, compare, conversion, datetimes, dynamic};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::ops::{self, column, each, holds, out};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

/// `let max_gap = 5m`
const MAX_GAP: Value = Value::TimeSpan(3_000_000_000);

// The columns of `DeviceEvents` that the rule reads.
const TIMESTAMP: usize = 0;
const DEVICE_ID: usize = 1;
const DEVICE_NAME: usize = 2;
const ACTION_TYPE: usize = 3;
const FILE_NAME: usize = 4;
const FOLDER_PATH: usize = 5;
const SHA1: usize = 6;
const REPORT_ID: usize = 7;
const ADDITIONAL_FIELDS: usize = 8;
const SERVICE_DETAILS: usize = 9;

// The columns of `DeviceLogonEvents` that the rule reads.
const DEVICE_LOGON_EVENTS_ACTION_TYPE: usize = 2;
const LOGON_TYPE: usize = 3;
const ACCOUNT_DOMAIN: usize = 4;
const ACCOUNT_NAME: usize = 5;
const ACCOUNT_SID: usize = 6;
const REMOTE_DEVICE_NAME: usize = 7;
const REMOTE_IP: usize = 8;
const REMOTE_IPTYPE: usize = 9;

// The columns after `NetworkLogons`.
const LOGON_TIME: usize = 0;
const OTHER_REMOTE_IP: usize = 2;
const OTHER_REMOTE_DEVICE_NAME: usize = 3;
const LOGON_ACCOUNT_DOMAIN: usize = 4;
const LOGON_ACCOUNT_NAME: usize = 5;
const LOGON_ACCOUNT_SID: usize = 6;

// The columns after `join kind=inner NetworkLogons on DeviceId`.
const JOINED_REPORT_ID: usize = 3;
const JOINED_LOGON_TIME: usize = 9;

// The columns after `summarize arg_max(LogonTime, *) by DeviceId, ReportId, Timestamp`.
const SUMMARIZED_TIMESTAMP: usize = 2;
const SUMMARIZED_LOGON_TIME: usize = 3;
const DEVICE_ID1: usize = 10;

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
        "RL-0012-remote-service-installed-after-network-logon",
        "Remote Service Installed After Network Logon",
        "high",
    );
    let info = info.at(
        "rules/lateral-movement/RL-0012-remote-service-installed-after-network-logon.md",
        124,
    );
    let info = info.entity(
        "Host",
        &[("AzureID", "DeviceId"), ("HostName", "DeviceName")],
    );
    let info = info.entity(
        "Account",
        &[
            ("NTDomain", "LogonAccountDomain"),
            ("Name", "LogonAccountName"),
            ("Sid", "LogonAccountSid"),
        ],
    );
    info.entity("IP", &[("Address", "RemoteIP")])
}

/// The tables of events that the rule reads.
pub fn tables() -> Vec<Table> {
    vec![
        Table::of("DeviceEvents", device_events(), device_events_wanted()),
        Table::of(
            "DeviceLogonEvents",
            device_logon_events(),
            device_logon_events_wanted(),
        ),
    ]
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let network_logons = &network_logons(context)?;
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // DeviceEvents
    let t = context.flow(
        "DeviceEvents",
        device_events(),
        device_events_wanted(),
        |t| {
            // | where ingestion_time() >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where ActionType =~ "ServiceInstalled"
            let t = ops::filter(&t, |row| eq_fold(row.str(ACTION_TYPE), "ServiceInstalled"))?;
            // | where not(FolderPath startswith @"C:\Program Files\" or FolderPath startswith @"C:\Program Files (x86)\" or FolderPath s …
            let t = ops::filter(&t, |row| {
                !starts_fold(row.str(FOLDER_PATH), r"C:\Program Files\")
                    && !starts_fold(row.str(FOLDER_PATH), r"C:\Program Files (x86)\")
                    && !starts_fold(row.str(FOLDER_PATH), r"C:\Windows\System32\DriverStore\")
            })?;
            // | extend ServiceDetails = parse_json(AdditionalFields)
            let t = ops::extend(
                &t,
                &[out(
                    "ServiceDetails",
                    Type::Dynamic,
                    each(|row| conversion::todynamic(&[row.get(ADDITIONAL_FIELDS)])),
                )],
            )?;
            // | project Timestamp, DeviceId, DeviceName, ReportId, FileName, FolderPath, SHA1, ServiceName = tostring(ServiceDetails.Ser …
            ops::project(
                &t,
                &[
                    out("Timestamp", Type::DateTime, column(TIMESTAMP)),
                    out("DeviceId", Type::String, column(DEVICE_ID)),
                    out("DeviceName", Type::String, column(DEVICE_NAME)),
                    out("ReportId", Type::Long, column(REPORT_ID)),
                    out("FileName", Type::String, column(FILE_NAME)),
                    out("FolderPath", Type::String, column(FOLDER_PATH)),
                    out("SHA1", Type::String, column(SHA1)),
                    out(
                        "ServiceName",
                        Type::String,
                        each(|row| {
                            conversion::tostring(&[dynamic::member(&[
                                row.get(SERVICE_DETAILS),
                                Value::string("ServiceName"),
                            ])])
                        }),
                    ),
                    out(
                        "ServiceAccount",
                        Type::String,
                        each(|row| {
                            conversion::tostring(&[dynamic::member(&[
                                row.get(SERVICE_DETAILS),
                                Value::string("ServiceAccount"),
                            ])])
                        }),
                    ),
                ],
            )
        },
    );
    // | join kind=inner NetworkLogons on DeviceId
    let t = t.join(
        |_| Ok(network_logons.clone()),
        ops::JoinKind::Inner,
        [column(DEVICE_ID)],
        [column(DEVICE_ID)],
        ops::left_all(&[
            ops::right("LogonTime", LOGON_TIME),
            ops::right("DeviceId1", DEVICE_ID),
            ops::right("RemoteIP", OTHER_REMOTE_IP),
            ops::right("RemoteDeviceName", OTHER_REMOTE_DEVICE_NAME),
            ops::right("LogonAccountDomain", LOGON_ACCOUNT_DOMAIN),
            ops::right("LogonAccountName", LOGON_ACCOUNT_NAME),
            ops::right("LogonAccountSid", LOGON_ACCOUNT_SID),
        ]),
    );
    let t = t.then(|t| {
        // | where LogonTime <= Timestamp and Timestamp <= LogonTime + max_gap
        ops::filter(t, |row| {
            holds(&compare::le(&[
                row.get(JOINED_LOGON_TIME),
                row.get(TIMESTAMP),
            ])) && holds(&compare::le(&[
                row.get(TIMESTAMP),
                arithmetic::add(&[row.get(JOINED_LOGON_TIME), MAX_GAP]),
            ]))
        })
    });
    // | summarize arg_max(LogonTime, *) by DeviceId, ReportId, Timestamp
    let t = ops::summarize(
        &t,
        &[
            out("DeviceId", Type::String, column(DEVICE_ID)),
            out("ReportId", Type::Long, column(JOINED_REPORT_ID)),
            out("Timestamp", Type::DateTime, column(TIMESTAMP)),
        ],
        &[ops::agg_all(
            aggregate::choose::arg_max,
            JOINED_LOGON_TIME,
            &[TIMESTAMP, DEVICE_ID, JOINED_REPORT_ID],
        )],
    )?;
    // | extend SecondsAfterLogon = datetime_diff("second", Timestamp, LogonTime)
    let t = ops::extend(
        &t,
        &[out(
            "SecondsAfterLogon",
            Type::Long,
            each(|row| {
                datetimes::datetime_diff(&[
                    Value::string("second"),
                    row.get(SUMMARIZED_TIMESTAMP),
                    row.get(SUMMARIZED_LOGON_TIME),
                ])
            }),
        )],
    )?;
    // | project-away DeviceId1
    ops::project_away(&t, &[DEVICE_ID1])
}

/// What rows of `DeviceEvents` must meet to matter.
fn device_events_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text_fold("ActionType", TextTest::Is, ["ServiceInstalled"]),
    ])
}

/// What rows of `DeviceLogonEvents` must meet to matter.
fn device_logon_events_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text_fold("ActionType", TextTest::Is, ["LogonSuccess"]),
        Necessary::text_fold("LogonType", TextTest::Is, ["Network"]),
    ])
}

/// `let NetworkLogons = DeviceLogonEvents | where ingestion_time() >= ago(timeframe) | where ActionType =~ "LogonSuccess" | …`
fn network_logons(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // DeviceLogonEvents
    context.scan_where(
        "DeviceLogonEvents",
        &device_logon_events(),
        None,
        &device_logon_events_wanted(),
        |t| {
            // | where ingestion_time() >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where ActionType =~ "LogonSuccess"
            let t = ops::filter(&t, |row| {
                eq_fold(row.str(DEVICE_LOGON_EVENTS_ACTION_TYPE), "LogonSuccess")
            })?;
            // | where LogonType =~ "Network"
            let t = ops::filter(&t, |row| eq_fold(row.str(LOGON_TYPE), "Network"))?;
            // | where isnotempty(RemoteIP) and RemoteIPType !~ "Loopback"
            let t = ops::filter(&t, |row| {
                !row.str(REMOTE_IP).is_empty() && !eq_fold(row.str(REMOTE_IPTYPE), "Loopback")
            })?;
            // | project LogonTime = Timestamp, DeviceId, RemoteIP, RemoteDeviceName, LogonAccountDomain = AccountDomain, LogonAccountNam …
            ops::project(
                &t,
                &[
                    out("LogonTime", Type::DateTime, column(TIMESTAMP)),
                    out("DeviceId", Type::String, column(DEVICE_ID)),
                    out("RemoteIP", Type::String, column(REMOTE_IP)),
                    out("RemoteDeviceName", Type::String, column(REMOTE_DEVICE_NAME)),
                    out("LogonAccountDomain", Type::String, column(ACCOUNT_DOMAIN)),
                    out("LogonAccountName", Type::String, column(ACCOUNT_NAME)),
                    out("LogonAccountSid", Type::String, column(ACCOUNT_SID)),
                ],
            )
        },
    )
}

/// The columns of `DeviceEvents` that the rule reads.
fn device_events() -> Schema {
    let schema = Schema::of(&[
        ("Timestamp", Type::DateTime),
        ("DeviceId", Type::String),
        ("DeviceName", Type::String),
        ("ActionType", Type::String),
        ("FileName", Type::String),
        ("FolderPath", Type::String),
        ("SHA1", Type::String),
        ("ReportId", Type::Long),
        ("AdditionalFields", Type::String),
    ]);
    // The others are only passed on.
    schema.looking_at([
        "Timestamp",
        "DeviceId",
        "ActionType",
        "FolderPath",
        "ReportId",
        "AdditionalFields",
    ])
}

/// The columns of `DeviceLogonEvents` that the rule reads.
fn device_logon_events() -> Schema {
    let schema = Schema::of(&[
        ("Timestamp", Type::DateTime),
        ("DeviceId", Type::String),
        ("ActionType", Type::String),
        ("LogonType", Type::String),
        ("AccountDomain", Type::String),
        ("AccountName", Type::String),
        ("AccountSid", Type::String),
        ("RemoteDeviceName", Type::String),
        ("RemoteIP", Type::String),
        ("RemoteIPType", Type::String),
    ]);
    // The others are only passed on.
    schema.looking_at([
        "Timestamp",
        "DeviceId",
        "ActionType",
        "LogonType",
        "RemoteIP",
        "RemoteIPType",
    ])
}
