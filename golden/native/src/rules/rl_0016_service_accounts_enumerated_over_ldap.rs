//! RL-0016-service-accounts-enumerated-over-ldap: Service Accounts Enumerated Over LDAP
//!
//! Made by rulec 0.1.0 from rules/discovery/RL-0016-service-accounts-enumerated-over-ldap.md
//! sha256 a5bf26a49792ae83eec9b8f6de228e5a23a515b169c6fd468db2a70461062423

use rulec_functions::fold::{Ends, contains_fold, ends_fold, eq_fold, has_term_fold};
use rulec_functions::{aggregate, arithmetic, compare};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::ops::{self, agg, column, constant, holds, out};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

// The columns of `IdentityQueryEvents` that the rule reads.
const TIMESTAMP: usize = 0;
const ACTION_TYPE: usize = 1;
const QUERY: usize = 2;
const ACCOUNT_NAME: usize = 3;
const ACCOUNT_DOMAIN: usize = 4;
const ACCOUNT_SID: usize = 5;
const DEVICE_NAME: usize = 6;
const IPADDRESS: usize = 7;
const DESTINATION_DEVICE_NAME: usize = 8;
const REPORT_ID: usize = 9;

// The columns after `project Timestamp, ReportId, AccountName, AccountDomain, AccountSid, DeviceName, IPAddress, DestinationDeviceName, Query`.
const PROJECTED_ACCOUNT_NAME: usize = 2;
const PROJECTED_DEVICE_NAME: usize = 5;
const PROJECTED_QUERY: usize = 8;

// The columns after `summarize arg_max(Timestamp, ReportId, AccountDomain, AccountSid, IPAddress, DestinationDeviceName), QueryCount = count( …`.
const SUMMARIZED_DEVICE_NAME: usize = 1;
const SUMMARIZED_IPADDRESS: usize = 6;
const SUMMARIZED_DESTINATION_DEVICE_NAME: usize = 7;

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
        "RL-0016-service-accounts-enumerated-over-ldap",
        "Service Accounts Enumerated Over LDAP",
        "medium",
    );
    let info = info.at(
        "rules/discovery/RL-0016-service-accounts-enumerated-over-ldap.md",
        88,
    );
    let info = info.entity(
        "Account",
        &[
            ("NTDomain", "AccountDomain"),
            ("Name", "AccountName"),
            ("Sid", "AccountSid"),
        ],
    );
    let info = info.entity("Host", &[("HostName", "SourceDevice")]);
    info.entity("IP", &[("Address", "SourceIP")])
}

/// The tables of events that the rule reads.
pub fn tables() -> Vec<Table> {
    vec![Table::of(
        "IdentityQueryEvents",
        identity_query_events(),
        identity_query_events_wanted(),
    )]
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // IdentityQueryEvents
    let t = context.flow(
        "IdentityQueryEvents",
        identity_query_events(),
        identity_query_events_wanted(),
        |t| {
            // | where ingestion_time() >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where ActionType =~ "LDAP query"
            let t = ops::filter(&t, |row| eq_fold(row.str(ACTION_TYPE), "LDAP query"))?;
            // | where (Query contains "servicePrincipalName=*)" and (Query has "805306368" or Query has "person" or Query has "user")) o …
            let t = ops::filter(&t, |row| {
                (contains_fold(row.str(QUERY), "servicePrincipalName=*)")
                    && (has_term_fold(row.str(QUERY), "805306368", Ends::TERM)
                        || has_term_fold(row.str(QUERY), "person", Ends::TERM)
                        || has_term_fold(row.str(QUERY), "user", Ends::TERM)))
                    || (has_term_fold(row.str(QUERY), "userAccountControl", Ends::TERM)
                        && has_term_fold(row.str(QUERY), "4194304", Ends::TERM))
            })?;
            // | where not(AccountName endswith "$")
            let t = ops::filter(&t, |row| !ends_fold(row.str(ACCOUNT_NAME), "$"))?;
            // | project Timestamp, ReportId, AccountName, AccountDomain, AccountSid, DeviceName, IPAddress, DestinationDeviceName, Query
            ops::project_keep(
                &t,
                &[
                    TIMESTAMP,
                    REPORT_ID,
                    ACCOUNT_NAME,
                    ACCOUNT_DOMAIN,
                    ACCOUNT_SID,
                    DEVICE_NAME,
                    IPADDRESS,
                    DESTINATION_DEVICE_NAME,
                    QUERY,
                ],
            )
        },
    );
    // | summarize arg_max(Timestamp, ReportId, AccountDomain, AccountSid, IPAddress, DestinationDeviceName), QueryCount = count( …
    let t = ops::summarize(
        &t,
        &[
            out("AccountName", Type::String, column(PROJECTED_ACCOUNT_NAME)),
            out("DeviceName", Type::String, column(PROJECTED_DEVICE_NAME)),
        ],
        &[
            ops::agg_all(
                aggregate::choose::arg_max,
                TIMESTAMP,
                &[
                    PROJECTED_ACCOUNT_NAME,
                    PROJECTED_DEVICE_NAME,
                    PROJECTED_QUERY,
                ],
            ),
            agg(
                aggregate::statistics::count,
                [],
                &[("QueryCount", Type::Long)],
            ),
            agg(
                aggregate::collect::make_set,
                [column(PROJECTED_QUERY), constant(Value::Long(20))],
                &[("LdapFilters", Type::Dynamic)],
            ),
        ],
    )?;
    // | project-rename SourceDevice = DeviceName, SourceIP = IPAddress, DomainController = DestinationDeviceName
    ops::project_rename(
        &t,
        &[
            (SUMMARIZED_DEVICE_NAME, "SourceDevice"),
            (SUMMARIZED_IPADDRESS, "SourceIP"),
            (SUMMARIZED_DESTINATION_DEVICE_NAME, "DomainController"),
        ],
    )
}

/// What rows of `IdentityQueryEvents` must meet to matter.
fn identity_query_events_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text_fold("ActionType", TextTest::Is, ["LDAP query"]),
        Necessary::any([
            Necessary::all([
                Necessary::text_fold("Query", TextTest::Contains, ["servicePrincipalName=*)"]),
                Necessary::any([
                    Necessary::text_fold("Query", TextTest::Contains, ["805306368"]),
                    Necessary::text_fold("Query", TextTest::Contains, ["person"]),
                    Necessary::text_fold("Query", TextTest::Contains, ["user"]),
                ]),
            ]),
            Necessary::all([
                Necessary::text_fold("Query", TextTest::Contains, ["userAccountControl"]),
                Necessary::text_fold("Query", TextTest::Contains, ["4194304"]),
            ]),
        ]),
    ])
}

/// The columns of `IdentityQueryEvents` that the rule reads.
fn identity_query_events() -> Schema {
    let schema = Schema::of(&[
        ("Timestamp", Type::DateTime),
        ("ActionType", Type::String),
        ("Query", Type::String),
        ("AccountName", Type::String),
        ("AccountDomain", Type::String),
        ("AccountSid", Type::String),
        ("DeviceName", Type::String),
        ("IPAddress", Type::String),
        ("DestinationDeviceName", Type::String),
        ("ReportId", Type::String),
    ]);
    // The others are only passed on.
    schema.looking_at([
        "Timestamp",
        "ActionType",
        "Query",
        "AccountName",
        "DeviceName",
    ])
}
