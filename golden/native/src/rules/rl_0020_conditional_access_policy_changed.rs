//! RL-0020-conditional-access-policy-changed: Conditional Access Policy Changed Or Removed
//!
//! Made by rulec 0.1.0 from rules/defense-evasion/RL-0020-conditional-access-policy-changed.md
//! sha256 4a865c81ca9ba0ff03078b2791c36ba7d5421351d11300da322e689c721a2200

use rulec_functions::fold::eq_fold;
use rulec_functions::{arithmetic, compare, conditional, conversion, dynamic};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::emitted::one_of_fold;
use rulec_runtime::ops::{self, each, holds, out};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

// The columns of `AuditLogs` that the rule reads.
const TIME_GENERATED: usize = 0;
const OPERATION_NAME: usize = 1;
const CATEGORY: usize = 2;
const CORRELATION_ID: usize = 3;
const INITIATED_BY: usize = 4;
const RESULT: usize = 5;
const TARGET_RESOURCES: usize = 6;
const ACTOR: usize = 7;
const ACTOR_ID: usize = 8;
const ACTOR_ADDRESS: usize = 9;
const POLICY_NAME: usize = 10;

/// The rule as packages list it.
pub fn rule() -> Rule {
    Rule {
        info: info(),
        schedule: Schedule::seconds(3_600, 7_200).stateless(),
        tables,
        evaluate,
    }
}

/// What alerts say of the rule.
pub fn info() -> RuleInfo {
    let info = RuleInfo::new(
        "RL-0020-conditional-access-policy-changed",
        "Conditional Access Policy Changed Or Removed",
        "medium",
    );
    let info = info.at(
        "rules/defense-evasion/RL-0020-conditional-access-policy-changed.md",
        89,
    );
    let info = info.entity(
        "Account",
        &[("AadUserId", "ActorId"), ("FullName", "Actor")],
    );
    info.entity("IP", &[("Address", "ActorAddress")])
}

/// The tables of events that the rule reads.
pub fn tables() -> Vec<Table> {
    vec![Table::of("AuditLogs", audit_logs(), audit_logs_wanted())]
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // AuditLogs
    context.scan_where(
        "AuditLogs",
        &audit_logs(),
        None,
        &audit_logs_wanted(),
        |t| {
            // | where ingestion_time() >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where Category =~ "Policy"
            let t = ops::filter(&t, |row| eq_fold(row.str(CATEGORY), "Policy"))?;
            // | where Result =~ "success"
            let t = ops::filter(&t, |row| eq_fold(row.str(RESULT), "success"))?;
            // | where OperationName in~ ("Update conditional access policy", "Delete conditional access policy", "Update named location" …
            let t = ops::filter(&t, |row| {
                one_of_fold(
                    row.str(OPERATION_NAME),
                    &[
                        "Update conditional access policy",
                        "Delete conditional access policy",
                        "Update named location",
                        "Delete named location",
                    ],
                )
            })?;
            // | extend Actor = coalesce(tostring(InitiatedBy.user.userPrincipalName), tostring(InitiatedBy.app.displayName)), ActorId = …
            let t = ops::extend(
                &t,
                &[
                    out(
                        "Actor",
                        Type::String,
                        each(|row| {
                            conditional::coalesce(&[
                                conversion::tostring(&[dynamic::member(&[
                                    dynamic::member(&[
                                        row.get(INITIATED_BY),
                                        Value::string("user"),
                                    ]),
                                    Value::string("userPrincipalName"),
                                ])]),
                                conversion::tostring(&[dynamic::member(&[
                                    dynamic::member(&[row.get(INITIATED_BY), Value::string("app")]),
                                    Value::string("displayName"),
                                ])]),
                            ])
                        }),
                    ),
                    out(
                        "ActorId",
                        Type::String,
                        each(|row| {
                            conversion::tostring(&[dynamic::member(&[
                                dynamic::member(&[row.get(INITIATED_BY), Value::string("user")]),
                                Value::string("id"),
                            ])])
                        }),
                    ),
                    out(
                        "ActorAddress",
                        Type::String,
                        each(|row| {
                            conversion::tostring(&[dynamic::member(&[
                                dynamic::member(&[row.get(INITIATED_BY), Value::string("user")]),
                                Value::string("ipAddress"),
                            ])])
                        }),
                    ),
                    out(
                        "PolicyName",
                        Type::String,
                        each(|row| {
                            conversion::tostring(&[dynamic::member(&[
                                dynamic::index(&[row.get(TARGET_RESOURCES), Value::Long(0)]),
                                Value::string("displayName"),
                            ])])
                        }),
                    ),
                ],
            )?;
            // | project TimeGenerated, OperationName, Actor, ActorId, ActorAddress, PolicyName, CorrelationId
            ops::project_keep(
                &t,
                &[
                    TIME_GENERATED,
                    OPERATION_NAME,
                    ACTOR,
                    ACTOR_ID,
                    ACTOR_ADDRESS,
                    POLICY_NAME,
                    CORRELATION_ID,
                ],
            )
        },
    )
}

/// What rows of `AuditLogs` must meet to matter.
fn audit_logs_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text_fold("Category", TextTest::Is, ["Policy"]),
        Necessary::text_fold("Result", TextTest::Is, ["success"]),
        Necessary::text_fold(
            "OperationName",
            TextTest::Is,
            [
                "Update conditional access policy",
                "Delete conditional access policy",
                "Update named location",
                "Delete named location",
            ],
        ),
    ])
}

/// The columns of `AuditLogs` that the rule reads.
fn audit_logs() -> Schema {
    let schema = Schema::of(&[
        ("TimeGenerated", Type::DateTime),
        ("OperationName", Type::String),
        ("Category", Type::String),
        ("CorrelationId", Type::String),
        ("InitiatedBy", Type::Dynamic),
        ("Result", Type::String),
        ("TargetResources", Type::Dynamic),
    ]);
    // The others are only passed on.
    schema.looking_at([
        "OperationName",
        "Category",
        "InitiatedBy",
        "Result",
        "TargetResources",
    ])
}
