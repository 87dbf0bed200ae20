//! RL-0016-service-accounts-enumerated-over-ldap: Service Accounts Enumerated Over LDAP
//!
//! Made by rulec 0.1.0 from rules/discovery/RL-0016-service-accounts-enumerated-over-ldap.md
//! sha256 a5bf26a49792ae83eec9b8f6de228e5a23a515b169c6fd468db2a70461062423

use rulec_functions::fold::{Ends, contains_fold, ends_fold, eq_fold, has_term_fold};
use rulec_functions::{aggregate, arithmetic, compare};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::cli::Rule;
use rulec_runtime::ops::{self, agg, column, constant, holds, out};
use rulec_runtime::{Batch, Context, RuntimeError, Schema, Type, Value};

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
const PROJECTED_REPORT_ID: usize = 1;
const PROJECTED_ACCOUNT_NAME: usize = 2;
const PROJECTED_ACCOUNT_DOMAIN: usize = 3;
const PROJECTED_ACCOUNT_SID: usize = 4;
const PROJECTED_DEVICE_NAME: usize = 5;
const PROJECTED_IPADDRESS: usize = 6;
const PROJECTED_DESTINATION_DEVICE_NAME: usize = 7;
const PROJECTED_QUERY: usize = 8;

// The columns after `summarize arg_max(Timestamp, ReportId, AccountDomain, AccountSid, IPAddress, DestinationDeviceName), QueryCount = count( …`.
const SUMMARIZED_ACCOUNT_NAME: usize = 0;
const SUMMARIZED_DEVICE_NAME: usize = 1;
const SUMMARIZED_TIMESTAMP: usize = 2;
const SUMMARIZED_REPORT_ID: usize = 3;
const QUERY_COUNT: usize = 8;
const LDAP_FILTERS: usize = 9;

/// The rule as packages list it.
pub fn rule() -> Rule {
    Rule {
        info: info(),
        evaluate,
    }
}
    let info = info.at(
        "rules/discovery/RL-0016-service-accounts-enumerated-over-ldap.md",
        88,
    );

/// What alerts say of the rule.
pub fn info() -> RuleInfo {
    let info = RuleInfo::new(
        "RL-0016-service-accounts-enumerated-over-ldap",
        "Service Accounts Enumerated Over LDAP",
        "medium",
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

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // IdentityQueryEvents
    let t = context.scan("IdentityQueryEvents", &identity_query_events(), None, |t| {
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
        ops::project(
            &t,
            &[
                out("Timestamp", Type::DateTime, column(TIMESTAMP)),
                out("ReportId", Type::String, column(REPORT_ID)),
                out("AccountName", Type::String, column(ACCOUNT_NAME)),
                out("AccountDomain", Type::String, column(ACCOUNT_DOMAIN)),
                out("AccountSid", Type::String, column(ACCOUNT_SID)),
                out("DeviceName", Type::String, column(DEVICE_NAME)),
                out("IPAddress", Type::String, column(IPADDRESS)),
                out(
                    "DestinationDeviceName",
                    Type::String,
                    column(DESTINATION_DEVICE_NAME),
                ),
                out("Query", Type::String, column(QUERY)),
            ],
        )
    })?;
    // | summarize arg_max(Timestamp, ReportId, AccountDomain, AccountSid, IPAddress, DestinationDeviceName), QueryCount = count( …
    let t = ops::summarize(
        &t,
        &[
            out("AccountName", Type::String, column(PROJECTED_ACCOUNT_NAME)),
            out("DeviceName", Type::String, column(PROJECTED_DEVICE_NAME)),
        ],
        &[
            agg(
                aggregate::choose::arg_max,
                [
                    column(TIMESTAMP),
                    column(PROJECTED_REPORT_ID),
                    column(PROJECTED_ACCOUNT_DOMAIN),
                    column(PROJECTED_ACCOUNT_SID),
                    column(PROJECTED_IPADDRESS),
                    column(PROJECTED_DESTINATION_DEVICE_NAME),
                ],
                &[
                    ("Timestamp", Type::DateTime),
                    ("ReportId", Type::String),
                    ("AccountDomain", Type::String),
                    ("AccountSid", Type::String),
                    ("IPAddress", Type::String),
                    ("DestinationDeviceName", Type::String),
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
    ops::project(
        &t,
        &[
            out("AccountName", Type::String, column(SUMMARIZED_ACCOUNT_NAME)),
            out("SourceDevice", Type::String, column(SUMMARIZED_DEVICE_NAME)),
            out("Timestamp", Type::DateTime, column(SUMMARIZED_TIMESTAMP)),
            out("ReportId", Type::String, column(SUMMARIZED_REPORT_ID)),
            out("AccountDomain", Type::String, column(ACCOUNT_DOMAIN)),
            out("AccountSid", Type::String, column(ACCOUNT_SID)),
            out("SourceIP", Type::String, column(PROJECTED_IPADDRESS)),
            out(
                "DomainController",
                Type::String,
                column(PROJECTED_DESTINATION_DEVICE_NAME),
            ),
            out("QueryCount", Type::Long, column(QUERY_COUNT)),
            out("LdapFilters", Type::Dynamic, column(LDAP_FILTERS)),
        ],
    )
}

/// The columns of `IdentityQueryEvents` that the rule reads.
fn identity_query_events() -> Schema {
    Schema::of(&[
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
    ])
}
