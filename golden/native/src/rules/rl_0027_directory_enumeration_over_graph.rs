//! RL-0027-directory-enumeration-over-graph: Directory Enumeration Over Microsoft Graph
//!
//! Made by rulec 0.1.0 from rules/discovery/RL-0027-directory-enumeration-over-graph.md
//! sha256 1c6f5b1260e3b5a28faf544e4955eea86ac7fe4377479267c06dd7e4685f68b7

use std::sync::LazyLock;

use rulec_functions::{
    aggregate, arithmetic, compare, conditional, conversion, dynamic, parsing, patterns, strings,
};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::ops::{self, agg, column, each, holds, out};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextSet, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

static PATTERN: LazyLock<Value> =
    LazyLock::new(|| Value::string(r"^/(?:v1\.0|beta)/([A-Za-z0-9]+)"));

/// `let DirectoryCollections = dynamic(["users", "groups", "devices", "applications", "serviceprincipals", "directoryroles", …`
const DIRECTORY_COLLECTIONS: [&str; 12] = [
    "users",
    "groups",
    "devices",
    "applications",
    "serviceprincipals",
    "directoryroles",
    "rolemanagement",
    "administrativeunits",
    "policies",
    "organization",
    "domains",
    "oauth2permissiongrants",
];

static DIRECTORY_COLLECTIONS_SET: LazyLock<TextSet> =
    LazyLock::new(|| TextSet::exact(DIRECTORY_COLLECTIONS));

/// `let window = 15m`
const WINDOW: Value = Value::TimeSpan(9_000_000_000);

/// `let min_collections = 6`
const MIN_COLLECTIONS: Value = Value::Long(6);

/// `let min_requests = 50`
const MIN_REQUESTS: Value = Value::Long(50);

// The columns of `MicrosoftGraphActivityLogs` that the rule reads.
const TIME_GENERATED: usize = 0;
const REQUEST_METHOD: usize = 1;
const RESPONSE_STATUS_CODE: usize = 2;
const IPADDRESS: usize = 3;
const USER_AGENT: usize = 4;
const REQUEST_URI: usize = 5;
const RESPONSE_SIZE_BYTES: usize = 6;
const APP_ID: usize = 7;
const USER_ID: usize = 8;
const SERVICE_PRINCIPAL_ID: usize = 9;
const REQUEST_PATH: usize = 10;
const COLLECTION: usize = 11;
const CALLER_ID: usize = 12;
const CALLER_KIND: usize = 13;

// The columns after `summarize arg_max(TimeGenerated, IPAddress, UserAgent), Requests = count(), CollectionCount = dcount(Collection), Collec …`.
const REQUESTS: usize = 7;
const COLLECTION_COUNT: usize = 8;

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
        "RL-0027-directory-enumeration-over-graph",
        "Directory Enumeration Over Microsoft Graph",
        "medium",
    );
    let info = info.at(
        "rules/discovery/RL-0027-directory-enumeration-over-graph.md",
        116,
    );
    let info = info.entity("Account", &[("AadUserId", "CallerId")]);
    let info = info.entity("CloudApplication", &[("AppId", "AppId")]);
    info.entity("IP", &[("Address", "IPAddress")])
}

/// The tables of events that the rule reads.
pub fn tables() -> Vec<Table> {
    vec![Table::of(
        "MicrosoftGraphActivityLogs",
        microsoft_graph_activity_logs(),
        microsoft_graph_activity_logs_wanted(),
    )]
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // MicrosoftGraphActivityLogs
    let t = context.flow(
        "MicrosoftGraphActivityLogs",
        microsoft_graph_activity_logs(),
        microsoft_graph_activity_logs_wanted(),
        |t| {
            // | where ingestion_time() >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where RequestMethod == "GET"
            let t = ops::filter(&t, |row| row.str(REQUEST_METHOD) == "GET")?;
            // | where ResponseStatusCode between (200 .. 299)
            let t = ops::filter(&t, |row| {
                holds(&compare::between(&[
                    row.get(RESPONSE_STATUS_CODE),
                    Value::Long(200),
                    Value::Long(299),
                ]))
            })?;
            // | extend RequestPath = tostring(parse_url(RequestUri).Path)
            let t = ops::extend(
                &t,
                &[out(
                    "RequestPath",
                    Type::String,
                    each(|row| {
                        conversion::tostring(&[dynamic::member(&[
                            parsing::parse_url(&[row.get(REQUEST_URI)]),
                            Value::string("Path"),
                        ])])
                    }),
                )],
            )?;
            // | extend Collection = tolower(extract(@"^/(?:v1\.0|beta)/([A-Za-z0-9]+)", 1, RequestPath))
            let t = ops::extend(
                &t,
                &[out(
                    "Collection",
                    Type::String,
                    each(|row| {
                        strings::tolower(&[patterns::extract(&[
                            PATTERN.clone(),
                            Value::Long(1),
                            row.get(REQUEST_PATH),
                        ])])
                    }),
                )],
            )?;
            // | where Collection in (DirectoryCollections)
            let t = ops::filter(&t, |row| {
                DIRECTORY_COLLECTIONS_SET.contains(row.str(COLLECTION))
            })?;
            // | extend CallerId = coalesce(UserId, ServicePrincipalId)
            let t = ops::extend(
                &t,
                &[out(
                    "CallerId",
                    Type::String,
                    each(|row| {
                        conditional::coalesce(&[row.get(USER_ID), row.get(SERVICE_PRINCIPAL_ID)])
                    }),
                )],
            )?;
            // | extend CallerKind = case(isnotempty(UserId), "User", isnotempty(ServicePrincipalId), "Service principal", "Unknown calle …
            ops::extend(
                &t,
                &[out(
                    "CallerKind",
                    Type::String,
                    each(|row| {
                        conditional::case(&[
                            Value::Bool(!row.str(USER_ID).is_empty()),
                            Value::string("User"),
                            Value::Bool(!row.str(SERVICE_PRINCIPAL_ID).is_empty()),
                            Value::string("Service principal"),
                            Value::string("Unknown caller"),
                        ])
                    }),
                )],
            )
        },
    );
    // | summarize arg_max(TimeGenerated, IPAddress, UserAgent), Requests = count(), CollectionCount = dcount(Collection), Collec …
    let t = ops::summarize(
        &t,
        &[
            out("CallerId", Type::String, column(CALLER_ID)),
            out("CallerKind", Type::String, column(CALLER_KIND)),
            out("AppId", Type::String, column(APP_ID)),
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
                    column(IPADDRESS),
                    column(USER_AGENT),
                ],
                &[
                    ("TimeGenerated", Type::DateTime),
                    ("IPAddress", Type::String),
                    ("UserAgent", Type::String),
                ],
            ),
            agg(
                aggregate::statistics::count,
                [],
                &[("Requests", Type::Long)],
            ),
            agg(
                aggregate::sketch::dcount,
                [column(COLLECTION)],
                &[("CollectionCount", Type::Long)],
            ),
            agg(
                aggregate::collect::make_set,
                [column(COLLECTION)],
                &[("Collections", Type::Dynamic)],
            ),
            agg(
                aggregate::statistics::sum,
                [column(RESPONSE_SIZE_BYTES)],
                &[("ReceivedBytes", Type::Long)],
            ),
        ],
    )?;
    // | where CollectionCount >= min_collections and Requests >= min_requests
    ops::filter(&t, |row| {
        holds(&compare::ge(&[row.get(COLLECTION_COUNT), MIN_COLLECTIONS]))
            && holds(&compare::ge(&[row.get(REQUESTS), MIN_REQUESTS]))
    })
}

/// What rows of `MicrosoftGraphActivityLogs` must meet to matter.
fn microsoft_graph_activity_logs_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text("RequestMethod", TextTest::Is, ["GET"]),
    ])
}

/// The columns of `MicrosoftGraphActivityLogs` that the rule reads.
fn microsoft_graph_activity_logs() -> Schema {
    let schema = Schema::of(&[
        ("TimeGenerated", Type::DateTime),
        ("RequestMethod", Type::String),
        ("ResponseStatusCode", Type::Int),
        ("IPAddress", Type::String),
        ("UserAgent", Type::String),
        ("RequestUri", Type::String),
        ("ResponseSizeBytes", Type::Int),
        ("AppId", Type::String),
        ("UserId", Type::String),
        ("ServicePrincipalId", Type::String),
    ]);
    // The others are only passed on.
    schema.looking_at([
        "TimeGenerated",
        "RequestMethod",
        "ResponseStatusCode",
        "RequestUri",
        "ResponseSizeBytes",
        "AppId",
        "UserId",
        "ServicePrincipalId",
    ])
}
