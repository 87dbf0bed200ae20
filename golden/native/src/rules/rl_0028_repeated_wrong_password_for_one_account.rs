//! RL-0028-repeated-wrong-password-for-one-account: Repeated Wrong Password For One Account
//!
//! Made by rulec 0.1.0 from rules/credential-access/RL-0028-repeated-wrong-password-for-one-account.md
//! sha256 ec0150234e83a0ced5050b93f4a26d6dbe5183a62cb7881625939744ca9b3498

use rulec_functions::fold::{ends_fold, eq_fold};
use rulec_functions::{aggregate, arithmetic, compare};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::ops::{self, agg, column, each, holds, out};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

/// `let window = 10m`
const WINDOW: Value = Value::TimeSpan(6_000_000_000);

/// `let min_failures = 20`
const MIN_FAILURES: Value = Value::Long(20);

// The columns of `SecurityEvent` that the rule reads.
const TIME_GENERATED: usize = 0;
const COMPUTER: usize = 1;
const EVENT_ID: usize = 2;
const IP_ADDRESS: usize = 3;
const LOGON_TYPE: usize = 4;
const LOGON_TYPE_NAME: usize = 5;
const SUB_STATUS: usize = 6;
const TARGET_DOMAIN_NAME: usize = 7;
const TARGET_USER_NAME: usize = 8;
const WORKSTATION_NAME: usize = 9;

// The columns after `summarize arg_max(TimeGenerated, WorkstationName, LogonTypeName), FailedLogons = count() by TargetUserName, TargetDomain …`.
const FAILED_LOGONS: usize = 8;

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
        "RL-0028-repeated-wrong-password-for-one-account",
        "Repeated Wrong Password For One Account",
        "medium",
    );
    let info = info.at(
        "rules/credential-access/RL-0028-repeated-wrong-password-for-one-account.md",
        97,
    );
    let info = info.entity("Host", &[("HostName", "Computer")]);
    let info = info.entity(
        "Account",
        &[("NTDomain", "TargetDomainName"), ("Name", "TargetUserName")],
    );
    info.entity("IP", &[("Address", "IpAddress")])
}

/// The tables of events that the rule reads.
pub fn tables() -> Vec<Table> {
    vec![Table::of(
        "SecurityEvent",
        security_event(),
        security_event_wanted(),
    )]
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // SecurityEvent
    let t = context.flow(
        "SecurityEvent",
        security_event(),
        security_event_wanted(),
        |t| {
            // | where ingestion_time() >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where EventID == 4625
            let t = ops::filter(&t, |row| {
                holds(&compare::eq(&[row.get(EVENT_ID), Value::Long(4_625)]))
            })?;
            // | where LogonType in (3, 8, 10)
            let t = ops::filter(&t, |row| {
                holds(&compare::in_(&[
                    row.get(LOGON_TYPE),
                    Value::Long(3),
                    Value::Long(8),
                    Value::Long(10),
                ]))
            })?;
            // | where SubStatus =~ "0xc000006a"
            let t = ops::filter(&t, |row| eq_fold(row.str(SUB_STATUS), "0xc000006a"))?;
            // | where not(TargetUserName endswith "$")
            ops::filter(&t, |row| !ends_fold(row.str(TARGET_USER_NAME), "$"))
        },
    );
    // | summarize arg_max(TimeGenerated, WorkstationName, LogonTypeName), FailedLogons = count() by TargetUserName, TargetDomain …
    let t = ops::summarize(
        &t,
        &[
            out("TargetUserName", Type::String, column(TARGET_USER_NAME)),
            out("TargetDomainName", Type::String, column(TARGET_DOMAIN_NAME)),
            out("Computer", Type::String, column(COMPUTER)),
            out("IpAddress", Type::String, column(IP_ADDRESS)),
            out(
                "Window",
                Type::DateTime,
                each(|row| arithmetic::bin(&[row.get(TIME_GENERATED), WINDOW])),
            ),
        ],
        &[
            agg(
                aggregate::choose::arg_max,
                [
                    column(TIME_GENERATED),
                    column(WORKSTATION_NAME),
                    column(LOGON_TYPE_NAME),
                ],
                &[
                    ("TimeGenerated", Type::DateTime),
                    ("WorkstationName", Type::String),
                    ("LogonTypeName", Type::String),
                ],
            ),
            agg(
                aggregate::statistics::count,
                [],
                &[("FailedLogons", Type::Long)],
            ),
        ],
    )?;
    // | where FailedLogons >= min_failures
    ops::filter(&t, |row| {
        holds(&compare::ge(&[row.get(FAILED_LOGONS), MIN_FAILURES]))
    })
}

/// What rows of `SecurityEvent` must meet to matter.
fn security_event_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::number("EventID", [4_625]),
        Necessary::number("LogonType", [3, 8, 10]),
        Necessary::text_fold("SubStatus", TextTest::Is, ["0xc000006a"]),
    ])
}

/// The columns of `SecurityEvent` that the rule reads.
fn security_event() -> Schema {
    let schema = Schema::of(&[
        ("TimeGenerated", Type::DateTime),
        ("Computer", Type::String),
        ("EventID", Type::Int),
        ("IpAddress", Type::String),
        ("LogonType", Type::Int),
        ("LogonTypeName", Type::String),
        ("SubStatus", Type::String),
        ("TargetDomainName", Type::String),
        ("TargetUserName", Type::String),
        ("WorkstationName", Type::String),
    ]);
    // The others are only passed on.
    schema.looking_at([
        "TimeGenerated",
        "Computer",
        "EventID",
        "IpAddress",
        "LogonType",
        "SubStatus",
        "TargetDomainName",
        "TargetUserName",
    ])
}
