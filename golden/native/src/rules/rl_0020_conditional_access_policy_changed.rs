//! RL-0020-conditional-access-policy-changed: Conditional Access Policy Changed Or Removed
//!
//! Made by rulec 0.1.0 from rules/defense-evasion/RL-0020-conditional-access-policy-changed.md
//! sha256 4a865c81ca9ba0ff03078b2791c36ba7d5421351d11300da322e689c721a2200

use rulec_functions::fold::eq_fold;
use rulec_functions::{arithmetic, compare, conditional, conversion, dynamic};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::cli::Rule;
use rulec_runtime::emitted::one_of_fold;
use rulec_runtime::ops::{self, column, each, holds, out};
use rulec_runtime::{Batch, Context, RuntimeError, Schema, Type, Value};

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

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // AuditLogs
    context.scan("AuditLogs", &audit_logs(), None, |t| {
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
                                dynamic::member(&[row.get(INITIATED_BY), Value::string("user")]),
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
        ops::project(
            &t,
            &[
                out("TimeGenerated", Type::DateTime, column(TIME_GENERATED)),
                out("OperationName", Type::String, column(OPERATION_NAME)),
                out("Actor", Type::String, column(ACTOR)),
                out("ActorId", Type::String, column(ACTOR_ID)),
                out("ActorAddress", Type::String, column(ACTOR_ADDRESS)),
                out("PolicyName", Type::String, column(POLICY_NAME)),
                out("CorrelationId", Type::String, column(CORRELATION_ID)),
            ],
        )
    })
}

/// The columns of `AuditLogs` that the rule reads.
fn audit_logs() -> Schema {
    Schema::of(&[
        ("TimeGenerated", Type::DateTime),
        ("OperationName", Type::String),
        ("Category", Type::String),
        ("CorrelationId", Type::String),
        ("InitiatedBy", Type::Dynamic),
        ("Result", Type::String),
        ("TargetResources", Type::Dynamic),
    ])
}
