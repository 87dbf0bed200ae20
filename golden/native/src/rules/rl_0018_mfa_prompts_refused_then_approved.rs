//! RL-0018-mfa-prompts-refused-then-approved: MFA Prompts Refused Then Approved
//!
//! Made by rulec 0.1.0 from rules/credential-access/RL-0018-mfa-prompts-refused-then-approved.md
//! sha256 bd26d2abfece9bf35bc10551128cddd82f30d88c561d33a90d9cc40c83f8df6c

use std::sync::LazyLock;

use rulec_functions::fold::{eq_fold, starts_fold};
use rulec_functions::{aggregate, arithmetic, compare, conversion, dynamic, strings};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::flow::Flow;
use rulec_runtime::ops::{self, Matching, agg, column, constant, each, holds, out};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value, emitted,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

/// `let window = 30m`
const WINDOW: Value = Value::TimeSpan(18_000_000_000);

/// `let min_refusals = 5`
const MIN_REFUSALS: Value = Value::Long(5);

/// `let DedupFields = dynamic(["UserPrincipalName", "ApprovalAddress"])`
const DEDUP_FIELDS: [&str; 2] = ["UserPrincipalName", "ApprovalAddress"];

static DEDUP_FIELDS_LIST: LazyLock<Value> =
    LazyLock::new(|| Value::array(DEDUP_FIELDS.map(Value::string)));

/// `let RuleId = "RL-0018"`
const RULE_ID: &str = "RL-0018";

// The columns of `SigninLogs` that the rule reads.
const TIME_GENERATED: usize = 0;
const RESULT_TYPE: usize = 1;
const CORRELATION_ID: usize = 2;
const APP_DISPLAY_NAME: usize = 3;
const AUTHENTICATION_REQUIREMENT: usize = 4;
const IPADDRESS: usize = 5;
const USER_ID: usize = 6;
const USER_PRINCIPAL_NAME: usize = 7;

// The columns after `project TimeGenerated, UserPrincipalName, UserId, ApprovalAddress = IPAddress, AppDisplayName, CorrelationId`.
const PROJECTED_USER_PRINCIPAL_NAME: usize = 1;

// The columns of `SigninLogs` that the rule reads.
const SIGNIN_LOGS_2_IPADDRESS: usize = 2;
const STATUS: usize = 3;
const SIGNIN_LOGS_2_USER_PRINCIPAL_NAME: usize = 4;
const DETAIL: usize = 5;

// The columns after `Refused`.
const REFUSAL_TIME: usize = 0;
const REFUSAL_ADDRESS: usize = 2;

// The columns after `join kind=inner Refused on UserPrincipalName`.
const JOINED_USER_ID: usize = 2;
const APPROVAL_ADDRESS: usize = 3;
const JOINED_APP_DISPLAY_NAME: usize = 4;
const JOINED_CORRELATION_ID: usize = 5;
const JOINED_REFUSAL_TIME: usize = 6;
const JOINED_REFUSAL_ADDRESS: usize = 7;

// The columns after `summarize Refusals = count(), FirstRefusal = min(RefusalTime), RefusalAddresses = make_set(RefusalAddress, 20) by TimeGe …`.
const REFUSALS: usize = 6;

// The columns after `summarize arg_min(TimeGenerated, *) by UserPrincipalName`.
const SUMMARIZED_2_USER_PRINCIPAL_NAME: usize = 0;
const SUMMARIZED_2_TIME_GENERATED: usize = 1;
const FIRST_REFUSAL: usize = 7;
const REFUSAL_ADDRESSES: usize = 8;
const ACCOUNT_NAME: usize = 9;
const ACCOUNT_UPN_SUFFIX: usize = 10;

// The columns after `mv-apply DedupField = DedupFields to typeof(string) on (summarize DedupEntity = strcat_array(make_list(tostring(DedupRow …`.
const DEDUP_ROW: usize = 0;
const DEDUP_FIELD: usize = 1;

// The columns after `summarize DedupEntity = strcat_array(make_list(tostring(DedupRow[DedupField])), "|")`.
const COLUMN_0: usize = 0;

// The columns after `summarize DedupEntity = strcat_array(make_list(tostring(DedupRow[DedupField])), "|")`.
const DEDUP_ENTITY: usize = 0;

// The columns after `mv-apply DedupField = DedupFields to typeof(string) on (summarize DedupEntity = strcat_array(make_list(tostring(DedupRow …`.
const APPLIED_DEDUP_ENTITY: usize = 11;

// The columns of `SecurityAlert` that the rule reads.
const ALERT_NAME: usize = 1;
const EXTENDED_PROPERTIES: usize = 2;
const DETAILS: usize = 3;

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
        "RL-0018-mfa-prompts-refused-then-approved",
        "MFA Prompts Refused Then Approved",
        "high",
    );
    let info = info.at(
        "rules/credential-access/RL-0018-mfa-prompts-refused-then-approved.md",
        114,
    );
    let info = info.entity(
        "Account",
        &[
            ("AadUserId", "UserId"),
            ("Name", "AccountName"),
            ("UPNSuffix", "AccountUpnSuffix"),
        ],
    );
    let info = info.entity("IP", &[("Address", "ApprovalAddress")]);
    info.entity("CloudApplication", &[("Name", "AppDisplayName")])
}

/// The tables of events that the rule reads.
pub fn tables() -> Vec<Table> {
    vec![
        Table::of("SigninLogs", signin_logs(), signin_logs_wanted()),
        Table::of("SigninLogs", signin_logs_2(), signin_logs_wanted_2()),
        Table::of("SecurityAlert", security_alert(), security_alert_wanted()),
    ]
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let refused = &refused(context)?;
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // SigninLogs
    let t = context.flow("SigninLogs", signin_logs(), signin_logs_wanted(), |t| {
        // | where ingestion_time() >= ago(timeframe)
        let t = ops::filter(t, |row| {
            holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
        })?;
        // | where ResultType == "0"
        let t = ops::filter(&t, |row| row.str(RESULT_TYPE) == "0")?;
        // | where AuthenticationRequirement =~ "multiFactorAuthentication"
        let t = ops::filter(&t, |row| {
            eq_fold(
                row.str(AUTHENTICATION_REQUIREMENT),
                "multiFactorAuthentication",
            )
        })?;
        // | project TimeGenerated, UserPrincipalName, UserId, ApprovalAddress = IPAddress, AppDisplayName, CorrelationId
        ops::project(
            &t,
            &[
                out("TimeGenerated", Type::DateTime, column(TIME_GENERATED)),
                out(
                    "UserPrincipalName",
                    Type::String,
                    column(USER_PRINCIPAL_NAME),
                ),
                out("UserId", Type::String, column(USER_ID)),
                out("ApprovalAddress", Type::String, column(IPADDRESS)),
                out("AppDisplayName", Type::String, column(APP_DISPLAY_NAME)),
                out("CorrelationId", Type::String, column(CORRELATION_ID)),
            ],
        )
    });
    // | join kind=inner Refused on UserPrincipalName
    let t = t.join(
        |_| Ok(refused.clone()),
        ops::JoinKind::Inner,
        [column(PROJECTED_USER_PRINCIPAL_NAME)],
        [column(PROJECTED_USER_PRINCIPAL_NAME)],
        ops::left_all(&[
            ops::right("RefusalTime", REFUSAL_TIME),
            ops::right("RefusalAddress", REFUSAL_ADDRESS),
        ]),
    );
    let t = t.then(|t| {
        // | where RefusalTime between ((TimeGenerated - window) .. TimeGenerated)
        ops::filter(t, |row| {
            holds(&compare::between(&[
                row.get(JOINED_REFUSAL_TIME),
                arithmetic::subtract(&[row.get(TIME_GENERATED), WINDOW]),
                row.get(TIME_GENERATED),
            ]))
        })
    });
    // | summarize Refusals = count(), FirstRefusal = min(RefusalTime), RefusalAddresses = make_set(RefusalAddress, 20) by TimeGe …
    let t = ops::summarize(
        &t,
        &[
            out("TimeGenerated", Type::DateTime, column(TIME_GENERATED)),
            out(
                "UserPrincipalName",
                Type::String,
                column(PROJECTED_USER_PRINCIPAL_NAME),
            ),
            out("UserId", Type::String, column(JOINED_USER_ID)),
            out("ApprovalAddress", Type::String, column(APPROVAL_ADDRESS)),
            out(
                "AppDisplayName",
                Type::String,
                column(JOINED_APP_DISPLAY_NAME),
            ),
            out("CorrelationId", Type::String, column(JOINED_CORRELATION_ID)),
        ],
        &[
            agg(
                aggregate::statistics::count,
                [],
                &[("Refusals", Type::Long)],
            ),
            agg(
                aggregate::choose::min,
                [column(JOINED_REFUSAL_TIME)],
                &[("FirstRefusal", Type::DateTime)],
            ),
            agg(
                aggregate::collect::make_set,
                [column(JOINED_REFUSAL_ADDRESS), constant(Value::Long(20))],
                &[("RefusalAddresses", Type::Dynamic)],
            ),
        ],
    )?;
    // | where Refusals >= min_refusals
    let t = ops::filter(&t, |row| {
        holds(&compare::ge(&[row.get(REFUSALS), MIN_REFUSALS]))
    })?;
    // | summarize arg_min(TimeGenerated, *) by UserPrincipalName
    let t = ops::summarize(
        &t,
        &[out(
            "UserPrincipalName",
            Type::String,
            column(PROJECTED_USER_PRINCIPAL_NAME),
        )],
        &[ops::agg_all(
            aggregate::choose::arg_min,
            TIME_GENERATED,
            &[PROJECTED_USER_PRINCIPAL_NAME],
        )],
    )?;
    // | extend AccountName = tostring(split(UserPrincipalName, "@")[0]), AccountUpnSuffix = tostring(split(UserPrincipalName, "@ …
    let t = ops::extend(
        &t,
        &[
            out(
                "AccountName",
                Type::String,
                each(|row| {
                    conversion::tostring(&[dynamic::index(&[
                        strings::split(&[
                            row.get(SUMMARIZED_2_USER_PRINCIPAL_NAME),
                            Value::string("@"),
                        ]),
                        Value::Long(0),
                    ])])
                }),
            ),
            out(
                "AccountUpnSuffix",
                Type::String,
                each(|row| {
                    conversion::tostring(&[dynamic::index(&[
                        strings::split(&[
                            row.get(SUMMARIZED_2_USER_PRINCIPAL_NAME),
                            Value::string("@"),
                        ]),
                        Value::Long(1),
                    ])])
                }),
            ),
        ],
    )?;
    // | extend DedupRow = pack_all()
    let t = ops::extend(
        &t,
        &[out(
            "DedupRow",
            Type::Dynamic,
            each(|row| emitted::pack_all(row, 11, &Value::Bool(false))),
        )],
    )?;
    // | mv-apply DedupField = DedupFields to typeof(string) on (summarize DedupEntity = strcat_array(make_list(tostring(DedupRow …
    let expand = ops::Expand {
        schema: item_columns(),
        items: vec![ops::item(
            constant(DEDUP_FIELDS_LIST.clone()),
            1,
            Type::String,
        )],
        passed: vec![Some(11), None],
        with_index: false,
        bags_as_arrays: false,
        limit: None,
    };
    let picks = [
        ops::left("UserPrincipalName", SUMMARIZED_2_USER_PRINCIPAL_NAME),
        ops::left("TimeGenerated", SUMMARIZED_2_TIME_GENERATED),
        ops::left("UserId", JOINED_USER_ID),
        ops::left("ApprovalAddress", APPROVAL_ADDRESS),
        ops::left("AppDisplayName", JOINED_APP_DISPLAY_NAME),
        ops::left("CorrelationId", JOINED_CORRELATION_ID),
        ops::left("Refusals", REFUSALS),
        ops::left("FirstRefusal", FIRST_REFUSAL),
        ops::left("RefusalAddresses", REFUSAL_ADDRESSES),
        ops::left("AccountName", ACCOUNT_NAME),
        ops::left("AccountUpnSuffix", ACCOUNT_UPN_SUFFIX),
        ops::right("DedupEntity", DEDUP_ENTITY),
    ];
    let t = ops::mv_apply(&t, &expand, picks, apply_items)?;
    // | project-away DedupRow
    // | join kind=leftanti (SecurityAlert | where TimeGenerated >= ago(timeframe) | where AlertName startswith RuleId | extend D …
    let t = Flow::of(&t);
    let t = t.join(
        |keys| join_security_alert(context, keys),
        ops::JoinKind::LeftAnti,
        [column(APPLIED_DEDUP_ENTITY)],
        [column(DEDUP_ENTITY)],
        ops::left_all(&[]),
    );
    t.rows()
}

/// What rows of `SigninLogs` must meet to matter.
fn signin_logs_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text("ResultType", TextTest::Is, ["0"]),
        Necessary::text_fold(
            "AuthenticationRequirement",
            TextTest::Is,
            ["multiFactorAuthentication"],
        ),
    ])
}

/// What rows of `SigninLogs` must meet to matter.
fn signin_logs_wanted_2() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text("ResultType", TextTest::Is, ["500121"]),
        Necessary::text_fold("Status", TextTest::Inside, ["MFA denied"]),
    ])
}

/// `let Refused = materialize(SigninLogs | where ingestion_time() >= ago(timeframe) | where ResultType == "500121" | extend …`
fn refused(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // SigninLogs
    context.scan_where(
        "SigninLogs",
        &signin_logs_2(),
        None,
        &signin_logs_wanted_2(),
        |t| {
            // | where ingestion_time() >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where ResultType == "500121"
            let t = ops::filter(&t, |row| row.str(RESULT_TYPE) == "500121")?;
            // | extend Detail = tostring(Status.additionalDetails)
            let t = ops::extend(
                &t,
                &[out(
                    "Detail",
                    Type::String,
                    each(|row| {
                        conversion::tostring(&[dynamic::member(&[
                            row.get(STATUS),
                            Value::string("additionalDetails"),
                        ])])
                    }),
                )],
            )?;
            // | where Detail startswith "MFA denied"
            let t = ops::filter(&t, |row| starts_fold(row.str(DETAIL), "MFA denied"))?;
            // | project RefusalTime = TimeGenerated, UserPrincipalName, RefusalAddress = IPAddress
            ops::project(
                &t,
                &[
                    out("RefusalTime", Type::DateTime, column(TIME_GENERATED)),
                    out(
                        "UserPrincipalName",
                        Type::String,
                        column(SIGNIN_LOGS_2_USER_PRINCIPAL_NAME),
                    ),
                    out(
                        "RefusalAddress",
                        Type::String,
                        column(SIGNIN_LOGS_2_IPADDRESS),
                    ),
                ],
            )
        },
    )
}

/// `summarize DedupEntity = strcat_array(make_list(tostring(DedupRow[DedupField])), "|")`
fn apply_items(items: &Batch) -> Result<Batch, RuntimeError> {
    // | summarize DedupEntity = strcat_array(make_list(tostring(DedupRow[DedupField])), "|")
    let t = ops::summarize(
        items,
        &[],
        &[agg(
            aggregate::collect::make_list,
            [each(|row| {
                conversion::tostring(&[dynamic::index(&[row.get(DEDUP_ROW), row.get(DEDUP_FIELD)])])
            })],
            &[("$0", Type::Dynamic)],
        )],
    )?;
    // | summarize DedupEntity = strcat_array(make_list(tostring(DedupRow[DedupField])), "|")
    ops::project(
        &t,
        &[out(
            "DedupEntity",
            Type::String,
            each(|row| strings::strcat_array(&[row.get(COLUMN_0), Value::string("|")])),
        )],
    )
}

/// What rows of `SecurityAlert` must meet to matter.
fn security_alert_wanted() -> Necessary {
    Necessary::all([
        Necessary::since("TimeGenerated", Moment::BeforeNow(72_000_000_000)),
        Necessary::text_fold("AlertName", TextTest::StartsWith, ["RL-0018"]),
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

/// The columns of `SigninLogs` that the rule reads.
fn signin_logs() -> Schema {
    Schema::of(&[
        ("TimeGenerated", Type::DateTime),
        ("ResultType", Type::String),
        ("CorrelationId", Type::String),
        ("AppDisplayName", Type::String),
        ("AuthenticationRequirement", Type::String),
        ("IPAddress", Type::String),
        ("UserId", Type::String),
        ("UserPrincipalName", Type::String),
    ])
}

/// The columns of `SigninLogs` that the rule reads.
fn signin_logs_2() -> Schema {
    Schema::of(&[
        ("TimeGenerated", Type::DateTime),
        ("ResultType", Type::String),
        ("IPAddress", Type::String),
        ("Status", Type::Dynamic),
        ("UserPrincipalName", Type::String),
    ])
}

/// The columns after `summarize DedupEntity = strcat_array(make_list(tostring(DedupRow[DedupField])), "|")`.
fn item_columns() -> Schema {
    Schema::of(&[("DedupRow", Type::Dynamic), ("DedupField", Type::String)])
}

/// The columns of `SecurityAlert` that the rule reads.
fn security_alert() -> Schema {
    Schema::of(&[
        ("TimeGenerated", Type::DateTime),
        ("AlertName", Type::String),
        ("ExtendedProperties", Type::String),
    ])
}
