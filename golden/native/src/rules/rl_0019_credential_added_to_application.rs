//! RL-0019-credential-added-to-application: Credential Added To Application
//!
//! Made by rulec 0.1.0 from rules/persistence/RL-0019-credential-added-to-application.md
//! sha256 e02561af8108afebdf5be0b12d7163a901240ed9f9d1dc49e0af767aded12739

use std::sync::LazyLock;

use rulec_functions::fold::{Ends, eq_fold, has_term_fold};
use rulec_functions::{
    arithmetic, arrays, compare, conditional, conversion, dynamic, patterns, text,
};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::emitted::{fails, one_of_fold};
use rulec_runtime::ops::{self, column, each, holds, out};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

static LIST: LazyLock<Value> = LazyLock::new(|| Value::array([]));

static PATTERN: LazyLock<Value> = LazyLock::new(|| Value::string(r"KeyIdentifier=([^,\]]+)"));

static PATTERN_2: LazyLock<Value> = LazyLock::new(|| Value::string(r"KeyType=([^,\]]+)"));

static PATTERN_3: LazyLock<Value> = LazyLock::new(|| Value::string(r"DisplayName=([^,\]]+)"));

// The columns of `AuditLogs` that the rule reads.
const OPERATION_NAME: usize = 1;
const CATEGORY: usize = 2;
const RESULT: usize = 5;
const TARGET_RESOURCES: usize = 6;

// The columns after `mv-expand Target = TargetResources`.
const TARGET: usize = 4;

// The columns after `mv-expand Property = Target.modifiedProperties`.
const PROPERTY: usize = 5;
const KEYS_AFTER: usize = 7;

// The columns after `mv-expand NewKey = KeysAfter to typeof(string)`.
const TIME_GENERATED: usize = 0;
const CORRELATION_ID: usize = 2;
const INITIATED_BY: usize = 3;
const KEYS_BEFORE: usize = 5;
const NEW_KEY: usize = 6;
const KEY_ID: usize = 7;
const KEY_TYPE: usize = 8;
const KEY_NAME: usize = 9;
const ACTOR: usize = 10;
const ACTOR_ID: usize = 11;
const ACTOR_ADDRESS: usize = 12;

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
        "RL-0019-credential-added-to-application",
        "Credential Added To Application",
        "medium",
    );
    let info = info.at(
        "rules/persistence/RL-0019-credential-added-to-application.md",
        96,
    );
    let info = info.entity("Account", &[("AadUserId", "ActorId")]);
    let info = info.entity("CloudApplication", &[("Name", "ApplicationName")]);
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
            // | where Category =~ "ApplicationManagement"
            let t = ops::filter(&t, |row| {
                eq_fold(row.str(CATEGORY), "ApplicationManagement")
            })?;
            // | where Result =~ "success"
            let t = ops::filter(&t, |row| eq_fold(row.str(RESULT), "success"))?;
            // | where OperationName has "Certificates and secrets management" or OperationName =~ "Add service principal credentials"
            let t = ops::filter(&t, |row| {
                has_term_fold(
                    row.str(OPERATION_NAME),
                    "Certificates and secrets management",
                    Ends::TERM,
                ) || eq_fold(row.str(OPERATION_NAME), "Add service principal credentials")
            })?;
            // | mv-expand Target = TargetResources
            let expand = ops::Expand {
                schema: expanded(),
                items: vec![ops::item(column(TARGET_RESOURCES), 4, Type::Dynamic)],
                passed: vec![Some(0), Some(1), Some(3), Some(4), None],
                with_index: false,
                bags_as_arrays: false,
                limit: None,
            };
            let t = ops::mv_expand(&t, &expand)?;
            // | where tostring(Target.type) in~ ("Application", "ServicePrincipal")
            let t = ops::filter(&t, |row| {
                one_of_fold(
                    &text::borrow(&dynamic::member(&[row.get(TARGET), Value::string("type")])),
                    &["Application", "ServicePrincipal"],
                )
            })?;
            // | mv-expand Property = Target.modifiedProperties
            let expand = ops::Expand {
                schema: expanded_2(),
                items: vec![ops::item(
                    each(|row| {
                        dynamic::member(&[row.get(TARGET), Value::string("modifiedProperties")])
                    }),
                    5,
                    Type::Dynamic,
                )],
                passed: ops::passed(5, 1),
                with_index: false,
                bags_as_arrays: false,
                limit: None,
            };
            let t = ops::mv_expand(&t, &expand)?;
            // | where tostring(Property.displayName) =~ "KeyDescription"
            let t = ops::filter(&t, |row| {
                eq_fold(
                    &text::borrow(&dynamic::member(&[
                        row.get(PROPERTY),
                        Value::string("displayName"),
                    ])),
                    "KeyDescription",
                )
            })?;
            // | extend KeysBefore = coalesce(parse_json(tostring(Property.oldValue)), dynamic([])), KeysAfter = parse_json(tostring(Prop …
            let t = ops::extend(
                &t,
                &[
                    out(
                        "KeysBefore",
                        Type::Dynamic,
                        each(|row| {
                            conditional::coalesce(&[
                                conversion::todynamic(&[conversion::tostring(&[dynamic::member(
                                    &[row.get(PROPERTY), Value::string("oldValue")],
                                )])]),
                                LIST.clone(),
                            ])
                        }),
                    ),
                    out(
                        "KeysAfter",
                        Type::Dynamic,
                        each(|row| {
                            conversion::todynamic(&[conversion::tostring(&[dynamic::member(&[
                                row.get(PROPERTY),
                                Value::string("newValue"),
                            ])])])
                        }),
                    ),
                ],
            )?;
            // | mv-expand NewKey = KeysAfter to typeof(string)
            let expand = ops::Expand {
                schema: expanded_3(),
                items: vec![ops::item(column(KEYS_AFTER), 6, Type::String)],
                passed: vec![Some(0), Some(1), Some(2), Some(3), Some(4), Some(6), None],
                with_index: false,
                bags_as_arrays: false,
                limit: None,
            };
            let t = ops::mv_expand(&t, &expand)?;
            // | where isnotempty(NewKey)
            let t = ops::filter(&t, |row| !row.str(NEW_KEY).is_empty())?;
            // | where not(coalesce(set_has_element(KeysBefore, NewKey), false))
            let t = ops::filter(&t, |row| {
                fails(&conditional::coalesce(&[
                    arrays::set_has_element(&[row.get(KEYS_BEFORE), row.get(NEW_KEY)]),
                    Value::Bool(false),
                ]))
            })?;
            // | extend KeyId = extract(@"KeyIdentifier=([^,\]]+)", 1, NewKey), KeyType = extract(@"KeyType=([^,\]]+)", 1, NewKey), KeyNa …
            let t = ops::extend(
                &t,
                &[
                    out(
                        "KeyId",
                        Type::String,
                        each(|row| {
                            patterns::extract(&[PATTERN.clone(), Value::Long(1), row.get(NEW_KEY)])
                        }),
                    ),
                    out(
                        "KeyType",
                        Type::String,
                        each(|row| {
                            patterns::extract(&[
                                PATTERN_2.clone(),
                                Value::Long(1),
                                row.get(NEW_KEY),
                            ])
                        }),
                    ),
                    out(
                        "KeyName",
                        Type::String,
                        each(|row| {
                            patterns::extract(&[
                                PATTERN_3.clone(),
                                Value::Long(1),
                                row.get(NEW_KEY),
                            ])
                        }),
                    ),
                ],
            )?;
            // | extend Actor = coalesce(tostring(InitiatedBy.user.userPrincipalName), tostring(InitiatedBy.app.displayName), "unknown"), …
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
                                Value::string("unknown"),
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
                ],
            )?;
            // | project TimeGenerated, OperationName, Actor, ActorId, ActorAddress, ApplicationName = tostring(Target.displayName), Appl …
            ops::project(
                &t,
                &[
                    out("TimeGenerated", Type::DateTime, column(TIME_GENERATED)),
                    out("OperationName", Type::String, column(OPERATION_NAME)),
                    out("Actor", Type::String, column(ACTOR)),
                    out("ActorId", Type::String, column(ACTOR_ID)),
                    out("ActorAddress", Type::String, column(ACTOR_ADDRESS)),
                    out(
                        "ApplicationName",
                        Type::String,
                        each(|row| {
                            conversion::tostring(&[dynamic::member(&[
                                row.get(TARGET),
                                Value::string("displayName"),
                            ])])
                        }),
                    ),
                    out(
                        "ApplicationObjectId",
                        Type::String,
                        each(|row| {
                            conversion::tostring(&[dynamic::member(&[
                                row.get(TARGET),
                                Value::string("id"),
                            ])])
                        }),
                    ),
                    out("KeyId", Type::String, column(KEY_ID)),
                    out("KeyType", Type::String, column(KEY_TYPE)),
                    out("KeyName", Type::String, column(KEY_NAME)),
                    out("CorrelationId", Type::String, column(CORRELATION_ID)),
                ],
            )
        },
    )
}

/// What rows of `AuditLogs` must meet to matter.
fn audit_logs_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text_fold("Category", TextTest::Is, ["ApplicationManagement"]),
        Necessary::text_fold("Result", TextTest::Is, ["success"]),
        Necessary::any([
            Necessary::text_fold(
                "OperationName",
                TextTest::Contains,
                ["Certificates and secrets management"],
            ),
            Necessary::text_fold(
                "OperationName",
                TextTest::Is,
                ["Add service principal credentials"],
            ),
        ]),
        Necessary::text_fold(
            "TargetResources",
            TextTest::Inside,
            ["Application", "ServicePrincipal"],
        ),
        Necessary::text_fold("TargetResources", TextTest::Inside, ["KeyDescription"]),
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

/// The columns after `mv-expand Target = TargetResources`.
fn expanded() -> Schema {
    Schema::of(&[
        ("TimeGenerated", Type::DateTime),
        ("OperationName", Type::String),
        ("CorrelationId", Type::String),
        ("InitiatedBy", Type::Dynamic),
        ("Target", Type::Dynamic),
    ])
}

/// The columns after `mv-expand Property = Target.modifiedProperties`.
fn expanded_2() -> Schema {
    Schema::of(&[
        ("TimeGenerated", Type::DateTime),
        ("OperationName", Type::String),
        ("CorrelationId", Type::String),
        ("InitiatedBy", Type::Dynamic),
        ("Target", Type::Dynamic),
        ("Property", Type::Dynamic),
    ])
}

/// The columns after `mv-expand NewKey = KeysAfter to typeof(string)`.
fn expanded_3() -> Schema {
    Schema::of(&[
        ("TimeGenerated", Type::DateTime),
        ("OperationName", Type::String),
        ("CorrelationId", Type::String),
        ("InitiatedBy", Type::Dynamic),
        ("Target", Type::Dynamic),
        ("KeysBefore", Type::Dynamic),
        ("NewKey", Type::String),
    ])
}
