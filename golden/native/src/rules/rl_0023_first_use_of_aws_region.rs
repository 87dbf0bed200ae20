//! RL-0023-first-use-of-aws-region: First Use Of AWS Region
//!
//! Made by rulec 0.1.0 from rules/defense-evasion/RL-0023-first-use-of-aws-region.md
//! sha256 fb3b51642f0a9f156143d69ca2d8d919909e56debaeb704bb9813a9154e94457

use rulec_functions::fold::starts_fold;
use rulec_functions::{aggregate, arithmetic, compare, conversion, dynamic, strings};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::emitted::{self, one_of};
use rulec_runtime::flow::Flow;
use rulec_runtime::ops::{self, Matching, agg, column, each, holds, out};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

/// `let learning_period = 14d`
const LEARNING_PERIOD: Value = Value::TimeSpan(12_096_000_000_000);

/// `let RuleId = "RL-0023"`
const RULE_ID: &str = "RL-0023";

// The columns of `AWSCloudTrail` that the rule reads.
const TIME_GENERATED: usize = 0;
const EVENT_NAME: usize = 1;
const USER_IDENTITY_TYPE: usize = 2;
const USER_IDENTITY_ARN: usize = 3;
const AWSCLOUD_TRAIL_USER_IDENTITY_ACCOUNT_ID: usize = 4;
const AWSCLOUD_TRAIL_AWSREGION: usize = 5;
const SOURCE_IP_ADDRESS: usize = 6;
const USER_AGENT: usize = 7;
const ERROR_CODE: usize = 8;

// The columns of `AWSCloudTrail` that the rule reads.
const AWSCLOUD_TRAIL_2_EVENT_NAME: usize = 0;
const USER_IDENTITY_ACCOUNT_ID: usize = 1;
const AWSREGION: usize = 2;
const AWSCLOUD_TRAIL_2_ERROR_CODE: usize = 3;

// The columns of `known_regions`.
const KNOWN_REGIONS_COLUMNS_USER_IDENTITY_ACCOUNT_ID: usize = 0;

// The columns after `KnownRegions`.
const OTHER_AWSREGION: usize = 1;

// The columns after `summarize arg_min(TimeGenerated, UserIdentityType, UserIdentityArn, SourceIpAddress, UserAgent), Calls = make_set(EventN …`.
const DEDUP_ENTITY: usize = 9;

// The columns of `SecurityAlert` that the rule reads.
const ALERT_NAME: usize = 1;
const EXTENDED_PROPERTIES: usize = 2;
const DETAILS: usize = 3;

// The columns after `project DedupEntity = tostring(Details.DedupEntity[0])`.
const OTHER_2_DEDUP_ENTITY: usize = 0;

/// The rule as packages list it.
pub fn rule() -> Rule {
    Rule {
        info: info(),
        schedule: Schedule::seconds(3_600, 1_209_600),
        tables,
        evaluate,
    }
}

/// What alerts say of the rule.
pub fn info() -> RuleInfo {
    let info = RuleInfo::new(
        "RL-0023-first-use-of-aws-region",
        "First Use Of AWS Region",
        "medium",
    );
    let info = info.at(
        "rules/defense-evasion/RL-0023-first-use-of-aws-region.md",
        100,
    );
    let info = info.entity("Account", &[("FullName", "UserIdentityArn")]);
    info.entity("IP", &[("Address", "SourceIpAddress")])
}

/// The tables of events that the rule reads.
pub fn tables() -> Vec<Table> {
    vec![
        Table::of("AWSCloudTrail", awscloud_trail_2(), awscloud_trail_wanted()),
        Table::of("AWSCloudTrail", awscloud_trail(), awscloud_trail_wanted_2()),
        Table::of("SecurityAlert", security_alert(), security_alert_wanted()),
    ]
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let known_regions = &known_regions(context)?;
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    let since = arithmetic::subtract(&[context.now(), Value::TimeSpan(0)]);
    let list_rows = list_rows(known_regions)?;
    let listed = emitted::Among::exact(emitted::first_column(&list_rows));
    // AWSCloudTrail
    let t = context.flow(
        "AWSCloudTrail",
        awscloud_trail(),
        awscloud_trail_wanted_2(),
        |t| {
            // | where ingestion_time() >= ago(oldest)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where ingestion_time() < ago(newest)
            let t = ops::filter(&t, |row| {
                holds(&compare::lt(&[row.ingestion_time(), since.clone()]))
            })?;
            // | where EventName in ("RunInstances", "RequestSpotInstances", "CreateCluster", "CreateFunction20150331", "ImportKeyPair")
            let t = ops::filter(&t, |row| {
                one_of(
                    row.str(EVENT_NAME),
                    &[
                        "RunInstances",
                        "RequestSpotInstances",
                        "CreateCluster",
                        "CreateFunction20150331",
                        "ImportKeyPair",
                    ],
                )
            })?;
            // | where isempty(ErrorCode)
            let t = ops::filter(&t, |row| row.str(ERROR_CODE).is_empty())?;
            // | where UserIdentityAccountId in ((KnownRegions | project UserIdentityAccountId))
            ops::filter(&t, |row| {
                listed.contains(&row.get(AWSCLOUD_TRAIL_USER_IDENTITY_ACCOUNT_ID))
            })
        },
    );
    // | join kind=leftanti KnownRegions on UserIdentityAccountId, AWSRegion
    let t = t.join(
        |_| Ok(known_regions.clone()),
        ops::JoinKind::LeftAnti,
        [
            column(AWSCLOUD_TRAIL_USER_IDENTITY_ACCOUNT_ID),
            column(AWSCLOUD_TRAIL_AWSREGION),
        ],
        [
            column(KNOWN_REGIONS_COLUMNS_USER_IDENTITY_ACCOUNT_ID),
            column(OTHER_AWSREGION),
        ],
        [
            ops::left("TimeGenerated", TIME_GENERATED),
            ops::left("EventName", EVENT_NAME),
            ops::left("UserIdentityType", USER_IDENTITY_TYPE),
            ops::left("UserIdentityArn", USER_IDENTITY_ARN),
            ops::left(
                "UserIdentityAccountId",
                AWSCLOUD_TRAIL_USER_IDENTITY_ACCOUNT_ID,
            ),
            ops::left("AWSRegion", AWSCLOUD_TRAIL_AWSREGION),
            ops::left("SourceIpAddress", SOURCE_IP_ADDRESS),
            ops::left("UserAgent", USER_AGENT),
        ],
    );
    // | summarize arg_min(TimeGenerated, UserIdentityType, UserIdentityArn, SourceIpAddress, UserAgent), Calls = make_set(EventN …
    let t = ops::summarize(
        &t,
        &[
            out(
                "UserIdentityAccountId",
                Type::String,
                column(AWSCLOUD_TRAIL_USER_IDENTITY_ACCOUNT_ID),
            ),
            out("AWSRegion", Type::String, column(AWSCLOUD_TRAIL_AWSREGION)),
        ],
        &[
            agg(
                aggregate::choose::arg_min,
                [
                    column(TIME_GENERATED),
                    column(USER_IDENTITY_TYPE),
                    column(USER_IDENTITY_ARN),
                    column(SOURCE_IP_ADDRESS),
                    column(USER_AGENT),
                ],
                &[
                    ("TimeGenerated", Type::DateTime),
                    ("UserIdentityType", Type::String),
                    ("UserIdentityArn", Type::String),
                    ("SourceIpAddress", Type::String),
                    ("UserAgent", Type::String),
                ],
            ),
            agg(
                aggregate::collect::make_set,
                [column(EVENT_NAME)],
                &[("Calls", Type::Dynamic)],
            ),
            agg(
                aggregate::statistics::count,
                [],
                &[("CallCount", Type::Long)],
            ),
        ],
    )?;
    // | extend DedupEntity = strcat(UserIdentityAccountId, "|", AWSRegion)
    let t = ops::extend(
        &t,
        &[out(
            "DedupEntity",
            Type::String,
            each(|row| {
                strings::strcat(&[
                    row.get(KNOWN_REGIONS_COLUMNS_USER_IDENTITY_ACCOUNT_ID),
                    Value::string("|"),
                    row.get(OTHER_AWSREGION),
                ])
            }),
        )],
    )?;
    // | join kind=leftanti (SecurityAlert | where TimeGenerated >= ago(timeframe) | where AlertName startswith RuleId | extend D …
    let t = Flow::of(&t);
    let t = t.join(
        |keys| join_security_alert(context, keys),
        ops::JoinKind::LeftAnti,
        [column(DEDUP_ENTITY)],
        [column(OTHER_2_DEDUP_ENTITY)],
        ops::left_all(&[]),
    );
    t.rows()
}

/// What rows of `AWSCloudTrail` must meet to matter.
fn awscloud_trail_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(12_096_000_000_000)),
        Necessary::ingested_until(Moment::BeforeNow(72_000_000_000)),
        Necessary::text(
            "EventName",
            TextTest::Is,
            [
                "RunInstances",
                "RequestSpotInstances",
                "CreateCluster",
                "CreateFunction20150331",
                "ImportKeyPair",
            ],
        ),
    ])
}

/// `let KnownRegions = materialize(ResourceCreations(learning_period, timeframe) | distinct UserIdentityAccountId, AWSRegion …`
fn known_regions(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_learning_period = arithmetic::subtract(&[context.now(), LEARNING_PERIOD]);
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // AWSCloudTrail
    let t = context.flow(
        "AWSCloudTrail",
        awscloud_trail_2(),
        awscloud_trail_wanted(),
        |t| {
            // | where ingestion_time() >= ago(oldest)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[
                    row.ingestion_time(),
                    ago_learning_period.clone(),
                ]))
            })?;
            // | where ingestion_time() < ago(newest)
            let t = ops::filter(&t, |row| {
                holds(&compare::lt(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where EventName in ("RunInstances", "RequestSpotInstances", "CreateCluster", "CreateFunction20150331", "ImportKeyPair")
            let t = ops::filter(&t, |row| {
                one_of(
                    row.str(AWSCLOUD_TRAIL_2_EVENT_NAME),
                    &[
                        "RunInstances",
                        "RequestSpotInstances",
                        "CreateCluster",
                        "CreateFunction20150331",
                        "ImportKeyPair",
                    ],
                )
            })?;
            // | where isempty(ErrorCode)
            ops::filter(&t, |row| row.str(AWSCLOUD_TRAIL_2_ERROR_CODE).is_empty())
        },
    );
    // | distinct UserIdentityAccountId, AWSRegion
    ops::distinct(
        &t,
        &[
            out(
                "UserIdentityAccountId",
                Type::String,
                column(USER_IDENTITY_ACCOUNT_ID),
            ),
            out("AWSRegion", Type::String, column(AWSREGION)),
        ],
    )
}

/// `project UserIdentityAccountId`
fn list_rows(known_regions: &Batch) -> Result<Batch, RuntimeError> {
    // | project UserIdentityAccountId
    ops::project_keep(
        known_regions,
        &[KNOWN_REGIONS_COLUMNS_USER_IDENTITY_ACCOUNT_ID],
    )
}

/// What rows of `AWSCloudTrail` must meet to matter.
fn awscloud_trail_wanted_2() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::ingested_until(Moment::BeforeNow(0)),
        Necessary::text(
            "EventName",
            TextTest::Is,
            [
                "RunInstances",
                "RequestSpotInstances",
                "CreateCluster",
                "CreateFunction20150331",
                "ImportKeyPair",
            ],
        ),
    ])
}

/// What rows of `SecurityAlert` must meet to matter.
fn security_alert_wanted() -> Necessary {
    Necessary::all([
        Necessary::since("TimeGenerated", Moment::BeforeNow(72_000_000_000)),
        Necessary::text_fold("AlertName", TextTest::StartsWith, ["RL-0023"]),
    ])
}

/// `project DedupEntity = tostring(Details.DedupEntity[0])`
fn join_security_alert(context: &Context<'_>, keys: &Matching<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // SecurityAlert
    context.scan_where(
        "SecurityAlert",
        &security_alert(),
        None,
        &security_alert_wanted(),
        |t| {
            // | where TimeGenerated >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[
                    row.get(TIME_GENERATED),
                    ago_timeframe.clone(),
                ]))
            })?;
            // | where AlertName startswith RuleId
            let t = ops::filter(&t, |row| starts_fold(row.str(ALERT_NAME), RULE_ID))?;
            // | extend Details = parse_json(tostring(parse_json(ExtendedProperties)["Custom Details"]))
            let t = ops::extend(
                &t,
                &[out(
                    "Details",
                    Type::Dynamic,
                    each(|row| {
                        conversion::todynamic(&[conversion::tostring(&[dynamic::index(&[
                            conversion::todynamic(&[row.get(EXTENDED_PROPERTIES)]),
                            Value::string("Custom Details"),
                        ])])])
                    }),
                )],
            )?;
            // | project DedupEntity = tostring(Details.DedupEntity[0])
            let t = ops::project(
                &t,
                &[out(
                    "DedupEntity",
                    Type::String,
                    each(|row| {
                        conversion::tostring(&[dynamic::index(&[
                            dynamic::member(&[row.get(DETAILS), Value::string("DedupEntity")]),
                            Value::Long(0),
                        ])])
                    }),
                )],
            )?;
            // Other rows have no part in the join.
            keys.rows(&t)
        },
    )
}

/// The columns of `AWSCloudTrail` that the rule reads.
fn awscloud_trail() -> Schema {
    let schema = Schema::of(&[
        ("TimeGenerated", Type::DateTime),
        ("EventName", Type::String),
        ("UserIdentityType", Type::String),
        ("UserIdentityArn", Type::String),
        ("UserIdentityAccountId", Type::String),
        ("AWSRegion", Type::String),
        ("SourceIpAddress", Type::String),
        ("UserAgent", Type::String),
        ("ErrorCode", Type::String),
    ]);
    // The others are only passed on.
    schema.looking_at([
        "TimeGenerated",
        "EventName",
        "UserIdentityAccountId",
        "AWSRegion",
        "ErrorCode",
    ])
}

/// The columns of `AWSCloudTrail` that the rule reads.
fn awscloud_trail_2() -> Schema {
    Schema::of(&[
        ("EventName", Type::String),
        ("UserIdentityAccountId", Type::String),
        ("AWSRegion", Type::String),
        ("ErrorCode", Type::String),
    ])
}

/// The columns of `SecurityAlert` that the rule reads.
fn security_alert() -> Schema {
    Schema::of(&[
        ("TimeGenerated", Type::DateTime),
        ("AlertName", Type::String),
        ("ExtendedProperties", Type::String),
    ])
}
