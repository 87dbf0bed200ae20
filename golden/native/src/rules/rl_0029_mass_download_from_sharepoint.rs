//! RL-0029-mass-download-from-sharepoint: Mass Download From SharePoint
//!
//! Made by rulec 0.1.0 from rules/collection/RL-0029-mass-download-from-sharepoint.md
//! sha256 7c6880db14b927ba46a06186e8fc7806447b4e27bc27eb6ad1800952e0fb05c8

use rulec_functions::fold::eq_fold;
use rulec_functions::{aggregate, arithmetic, compare, conditional};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::emitted::one_of_fold;
use rulec_runtime::ops::{self, agg, column, constant, each, holds, out};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

/// `let window = 1h`
const WINDOW: Value = Value::TimeSpan(36_000_000_000);

/// `let strict_limit = 50`
const STRICT_LIMIT: Value = Value::Long(50);

/// `let usual_limit = 200`
const USUAL_LIMIT: Value = Value::Long(200);

// The columns of `CloudAppEvents` that the rule reads.
const TIMESTAMP: usize = 0;
const ACTION_TYPE: usize = 1;
const APPLICATION: usize = 2;
const ACCOUNT_OBJECT_ID: usize = 3;
const ACCOUNT_DISPLAY_NAME: usize = 4;
const IPADDRESS: usize = 5;
const IS_ANONYMOUS_PROXY: usize = 6;
const COUNTRY_CODE: usize = 7;
const USER_AGENT: usize = 8;
const OBJECT_NAME: usize = 9;
const REPORT_ID: usize = 10;
const IS_EXTERNAL_USER: usize = 11;
const IS_SUSPECT_ACCESS: usize = 12;

// The columns after `summarize arg_max(Timestamp, ReportId, AccountDisplayName, CountryCode, UserAgent), Downloads = count(), SuspectDownload …`.
const DOWNLOADS: usize = 8;
const SUSPECT_DOWNLOADS: usize = 9;
const DOWNLOAD_LIMIT: usize = 11;

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
        "RL-0029-mass-download-from-sharepoint",
        "Mass Download From SharePoint",
        "medium",
    );
    let info = info.at(
        "rules/collection/RL-0029-mass-download-from-sharepoint.md",
        97,
    );
    let info = info.entity("Account", &[("AadUserId", "AccountObjectId")]);
    info.entity("IP", &[("Address", "IPAddress")])
}

/// The tables of events that the rule reads.
pub fn tables() -> Vec<Table> {
    vec![Table::of(
        "CloudAppEvents",
        cloud_app_events(),
        cloud_app_events_wanted(),
    )]
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // CloudAppEvents
    let t = context.flow(
        "CloudAppEvents",
        cloud_app_events(),
        cloud_app_events_wanted(),
        |t| {
            // | where ingestion_time() >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where ActionType =~ "FileDownloaded"
            let t = ops::filter(&t, |row| eq_fold(row.str(ACTION_TYPE), "FileDownloaded"))?;
            // | where Application in~ ("Microsoft SharePoint Online", "Microsoft OneDrive for Business")
            let t = ops::filter(&t, |row| {
                one_of_fold(
                    row.str(APPLICATION),
                    &[
                        "Microsoft SharePoint Online",
                        "Microsoft OneDrive for Business",
                    ],
                )
            })?;
            // | where isnotempty(AccountObjectId)
            let t = ops::filter(&t, |row| !row.str(ACCOUNT_OBJECT_ID).is_empty())?;
            // | extend IsSuspectAccess = coalesce(IsExternalUser, false) or coalesce(IsAnonymousProxy, false)
            ops::extend(
                &t,
                &[out(
                    "IsSuspectAccess",
                    Type::Bool,
                    each(|row| {
                        compare::or(&[
                            conditional::coalesce(&[row.get(IS_EXTERNAL_USER), Value::Bool(false)]),
                            conditional::coalesce(&[
                                row.get(IS_ANONYMOUS_PROXY),
                                Value::Bool(false),
                            ]),
                        ])
                    }),
                )],
            )
        },
    );
    // | summarize arg_max(Timestamp, ReportId, AccountDisplayName, CountryCode, UserAgent), Downloads = count(), SuspectDownload …
    let t = ops::summarize(
        &t,
        &[
            out("AccountObjectId", Type::String, column(ACCOUNT_OBJECT_ID)),
            out("IPAddress", Type::String, column(IPADDRESS)),
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
                    column(ACCOUNT_DISPLAY_NAME),
                    column(COUNTRY_CODE),
                    column(USER_AGENT),
                ],
                &[
                    ("Timestamp", Type::DateTime),
                    ("ReportId", Type::String),
                    ("AccountDisplayName", Type::String),
                    ("CountryCode", Type::String),
                    ("UserAgent", Type::String),
                ],
            ),
            agg(
                aggregate::statistics::count,
                [],
                &[("Downloads", Type::Long)],
            ),
            agg(
                aggregate::statistics::count,
                [column(IS_SUSPECT_ACCESS)],
                &[("SuspectDownloads", Type::Long)],
            ),
            agg(
                aggregate::collect::make_set,
                [column(OBJECT_NAME), constant(Value::Long(20))],
                &[("Examples", Type::Dynamic)],
            ),
        ],
    )?;
    // | extend DownloadLimit = iif(SuspectDownloads > 0, strict_limit, usual_limit)
    let t = ops::extend(
        &t,
        &[out(
            "DownloadLimit",
            Type::Long,
            each(|row| {
                conditional::iff(&[
                    compare::gt(&[row.get(SUSPECT_DOWNLOADS), Value::Long(0)]),
                    STRICT_LIMIT,
                    USUAL_LIMIT,
                ])
            }),
        )],
    )?;
    // | where Downloads >= DownloadLimit
    ops::filter(&t, |row| {
        holds(&compare::ge(&[row.get(DOWNLOADS), row.get(DOWNLOAD_LIMIT)]))
    })
}

/// What rows of `CloudAppEvents` must meet to matter.
fn cloud_app_events_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text_fold("ActionType", TextTest::Is, ["FileDownloaded"]),
        Necessary::text_fold(
            "Application",
            TextTest::Is,
            [
                "Microsoft SharePoint Online",
                "Microsoft OneDrive for Business",
            ],
        ),
    ])
}

/// The columns of `CloudAppEvents` that the rule reads.
fn cloud_app_events() -> Schema {
    let schema = Schema::of(&[
        ("Timestamp", Type::DateTime),
        ("ActionType", Type::String),
        ("Application", Type::String),
        ("AccountObjectId", Type::String),
        ("AccountDisplayName", Type::String),
        ("IPAddress", Type::String),
        ("IsAnonymousProxy", Type::Bool),
        ("CountryCode", Type::String),
        ("UserAgent", Type::String),
        ("ObjectName", Type::String),
        ("ReportId", Type::String),
        ("IsExternalUser", Type::Bool),
    ]);
    // The others are only passed on.
    schema.looking_at([
        "Timestamp",
        "ActionType",
        "Application",
        "AccountObjectId",
        "IPAddress",
        "IsAnonymousProxy",
        "ObjectName",
        "IsExternalUser",
    ])
}
