//! RL-0017-password-spray-from-one-address: Password Spray From One Address
//!
//! Made by rulec 0.1.0 from rules/credential-access/RL-0017-password-spray-from-one-address.md
//! sha256 fb2c25967c380d9a771a0283ecb9046878d913ef4530a3f0e1580f8697f2f2ff

use rulec_functions::{aggregate, arithmetic, compare};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::emitted::one_of;
use rulec_runtime::ops::{self, agg, column, constant, each, holds, out};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

/// `let window = 30m`
const WINDOW: Value = Value::TimeSpan(18_000_000_000);

/// `let min_accounts = 10`
const MIN_ACCOUNTS: Value = Value::Long(10);

// The columns of `SigninLogs` that the rule reads.
const TIME_GENERATED: usize = 0;
const RESULT_TYPE: usize = 1;
const LOCATION: usize = 2;
const IPADDRESS: usize = 3;
const USER_AGENT: usize = 4;
const USER_PRINCIPAL_NAME: usize = 5;

// The columns after `summarize arg_max(TimeGenerated, UserAgent, Location), TargetedAccounts = dcount(UserPrincipalName), Accounts = make_set …`.
const TARGETED_ACCOUNTS: usize = 5;

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
        "RL-0017-password-spray-from-one-address",
        "Password Spray From One Address",
        "medium",
    );
    let info = info.at(
        "rules/credential-access/RL-0017-password-spray-from-one-address.md",
        95,
    );
    info.entity("IP", &[("Address", "IPAddress")])
}

/// The tables of events that the rule reads.
pub fn tables() -> Vec<Table> {
    vec![Table::of("SigninLogs", signin_logs(), signin_logs_wanted())]
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // SigninLogs
    let t = context.flow("SigninLogs", signin_logs(), signin_logs_wanted(), |t| {
        // | where ingestion_time() >= ago(timeframe)
        let t = ops::filter(t, |row| {
            holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
        })?;
        // | where ResultType in ("50126", "50053", "50034")
        ops::filter(&t, |row| {
            one_of(row.str(RESULT_TYPE), &["50126", "50053", "50034"])
        })
    });
    // | summarize arg_max(TimeGenerated, UserAgent, Location), TargetedAccounts = dcount(UserPrincipalName), Accounts = make_set …
    let t = ops::summarize(
        &t,
        &[
            out("IPAddress", Type::String, column(IPADDRESS)),
            out(
                "Window",
                Type::DateTime,
                each(|row| arithmetic::bin(&[row.get(TIME_GENERATED), WINDOW])),
            ),
        ],
        &[
            agg(
                aggregate::choose::arg_max,
                [column(TIME_GENERATED), column(USER_AGENT), column(LOCATION)],
                &[
                    ("TimeGenerated", Type::DateTime),
                    ("UserAgent", Type::String),
                    ("Location", Type::String),
                ],
            ),
            agg(
                aggregate::sketch::dcount,
                [column(USER_PRINCIPAL_NAME)],
                &[("TargetedAccounts", Type::Long)],
            ),
            agg(
                aggregate::collect::make_set,
                [column(USER_PRINCIPAL_NAME), constant(Value::Long(100))],
                &[("Accounts", Type::Dynamic)],
            ),
            agg(
                aggregate::statistics::count,
                [],
                &[("Attempts", Type::Long)],
            ),
        ],
    )?;
    // | where TargetedAccounts >= min_accounts
    ops::filter(&t, |row| {
        holds(&compare::ge(&[row.get(TARGETED_ACCOUNTS), MIN_ACCOUNTS]))
    })
}

/// What rows of `SigninLogs` must meet to matter.
fn signin_logs_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text("ResultType", TextTest::Is, ["50126", "50053", "50034"]),
    ])
}

/// The columns of `SigninLogs` that the rule reads.
fn signin_logs() -> Schema {
    let schema = Schema::of(&[
        ("TimeGenerated", Type::DateTime),
        ("ResultType", Type::String),
        ("Location", Type::String),
        ("IPAddress", Type::String),
        ("UserAgent", Type::String),
        ("UserPrincipalName", Type::String),
    ]);
    // The others are only passed on.
    schema.looking_at([
        "TimeGenerated",
        "ResultType",
        "IPAddress",
        "UserPrincipalName",
    ])
}
