//! RL-0021-inbox-rule-forwards-or-hides-mail: Inbox Rule Forwards Or Hides Mail
//!
//! Made by rulec 0.1.0 from rules/collection/RL-0021-inbox-rule-forwards-or-hides-mail.md
//! sha256 2186ff2f6b166ea647755cc6e132f5581df03eb7f7ad7374413de744991cbd60

use std::sync::LazyLock;

use rulec_functions::fold::{eq_fold, starts_fold};
use rulec_functions::{
    aggregate, arithmetic, compare, conditional, conversion, dynamic, matching, patterns, strings,
};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::emitted::one_of_fold;
use rulec_runtime::ops::{self, Matching, agg, column, each, holds, out};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

/// `let ForwardingActions = dynamic(["ForwardTo", "ForwardAsAttachmentTo", "RedirectTo"])`
const FORWARDING_ACTIONS: [&str; 3] = ["ForwardTo", "ForwardAsAttachmentTo", "RedirectTo"];

/// `let HidingFolders = dynamic(["RSS", "Archive", "Conversation History", "Junk", "Notes"])`
const HIDING_FOLDERS: [&str; 5] = ["RSS", "Archive", "Conversation History", "Junk", "Notes"];

static HIDING_FOLDERS_LIST: LazyLock<Value> =
    LazyLock::new(|| Value::array(HIDING_FOLDERS.map(Value::string)));

/// `let WordConditions = dynamic(["SubjectContainsWords", "BodyContainsWords", "SubjectOrBodyContainsWords"])`
const WORD_CONDITIONS: [&str; 3] = [
    "SubjectContainsWords",
    "BodyContainsWords",
    "SubjectOrBodyContainsWords",
];

/// `let SuspiciousWords = dynamic(["invoice", "payment", "wire", "iban", "bank", "password", "phish", "hacked", "fraud", "se …`
const SUSPICIOUS_WORDS: [&str; 11] = [
    "invoice", "payment", "wire", "iban", "bank", "password", "phish", "hacked", "fraud",
    "security", "helpdesk",
];

static SUSPICIOUS_WORDS_LIST: LazyLock<Value> =
    LazyLock::new(|| Value::array(SUSPICIOUS_WORDS.map(Value::string)));

static PATTERN: LazyLock<Value> =
    LazyLock::new(|| Value::string(r"(\d+\.\d+\.\d+\.\d+|[0-9a-fA-F]*:[0-9a-fA-F:]+)"));

/// `let RuleId = "RL-0021"`
const RULE_ID: &str = "RL-0021";

// The columns of `OfficeActivity` that the rule reads.
const TIME_GENERATED: usize = 0;
const OPERATION: usize = 1;
const OFFICE_WORKLOAD: usize = 2;
const RESULT_STATUS: usize = 3;
const OFFICE_OBJECT_ID: usize = 4;
const USER_ID: usize = 5;
const CLIENT_IP: usize = 6;
const PARAMETERS: usize = 7;

// The columns after `mv-apply Parameter = parse_json(Parameters) on (extend ParameterName = tostring(Parameter.Name), ParameterValue = tostri …`.
const PARAMETER: usize = 0;
const PARAMETER_NAME: usize = 1;
const PARAMETER_VALUE: usize = 2;
const KIND: usize = 3;

// The columns after `summarize Forwards = countif(Kind == "forward"), Hides = countif(Kind == "hide"), Words = countif(Kind == "word"), Suspi …`.
const FORWARDS: usize = 0;
const HIDES: usize = 1;
const WORDS: usize = 2;
const SUSPICIOUS_ACTIONS: usize = 3;
const SUSPICIOUS_VALUES: usize = 4;

// The columns after `mv-apply Parameter = parse_json(Parameters) on (extend ParameterName = tostring(Parameter.Name), ParameterValue = tostri …`.
const APPLIED_RESULT_STATUS: usize = 2;
const APPLIED_OFFICE_OBJECT_ID: usize = 3;
const APPLIED_USER_ID: usize = 4;
const APPLIED_CLIENT_IP: usize = 5;
const APPLIED_FORWARDS: usize = 6;
const APPLIED_HIDES: usize = 7;
const APPLIED_WORDS: usize = 8;
const APPLIED_SUSPICIOUS_ACTIONS: usize = 9;
const APPLIED_SUSPICIOUS_VALUES: usize = 10;
const CLIENT_ADDRESS: usize = 11;

// The columns after `project TimeGenerated, Operation, UserId, ClientAddress, ResultStatus, OfficeObjectId, SuspiciousActions, SuspiciousValu …`.
const PROJECTED_USER_ID: usize = 2;
const PROJECTED_OFFICE_OBJECT_ID: usize = 5;
const DEDUP_ENTITY: usize = 8;

// The columns of `SecurityAlert` that the rule reads.
const ALERT_NAME: usize = 1;
const EXTENDED_PROPERTIES: usize = 2;
const DETAILS: usize = 3;

// The columns after `project DedupEntity = tostring(Details.DedupEntity[0])`.
const OTHER_DEDUP_ENTITY: usize = 0;

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
        "RL-0021-inbox-rule-forwards-or-hides-mail",
        "Inbox Rule Forwards Or Hides Mail",
        "medium",
    );
    let info = info.at(
        "rules/collection/RL-0021-inbox-rule-forwards-or-hides-mail.md",
        118,
    );
    let info = info.entity("Account", &[("FullName", "UserId")]);
    let info = info.entity("Mailbox", &[("MailboxPrimaryAddress", "UserId")]);
    info.entity("IP", &[("Address", "ClientAddress")])
}

/// The tables of events that the rule reads.
pub fn tables() -> Vec<Table> {
    vec![
        Table::of(
            "OfficeActivity",
            office_activity(),
            office_activity_wanted(),
        ),
        Table::of("SecurityAlert", security_alert(), security_alert_wanted()),
    ]
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // OfficeActivity
    let t = context.flow(
        "OfficeActivity",
        office_activity(),
        office_activity_wanted(),
        |t| {
            // | where ingestion_time() >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where OfficeWorkload =~ "Exchange"
            let t = ops::filter(&t, |row| eq_fold(row.str(OFFICE_WORKLOAD), "Exchange"))?;
            // | where Operation in~ ("New-InboxRule", "Set-InboxRule")
            let t = ops::filter(&t, |row| {
                one_of_fold(row.str(OPERATION), &["New-InboxRule", "Set-InboxRule"])
            })?;
            // | mv-apply Parameter = parse_json(Parameters) on (extend ParameterName = tostring(Parameter.Name), ParameterValue = tostri …
            let expand = ops::Expand {
                schema: item_columns(),
                items: vec![ops::item(
                    each(|row| conversion::todynamic(&[row.get(PARAMETERS)])),
                    0,
                    Type::Dynamic,
                )],
                passed: ops::passed(0, 1),
                with_index: false,
                bags_as_arrays: false,
                limit: None,
            };
            let picks = [
                ops::left("TimeGenerated", TIME_GENERATED),
                ops::left("Operation", OPERATION),
                ops::left("ResultStatus", RESULT_STATUS),
                ops::left("OfficeObjectId", OFFICE_OBJECT_ID),
                ops::left("UserId", USER_ID),
                ops::left("ClientIP", CLIENT_IP),
                ops::right("Forwards", FORWARDS),
                ops::right("Hides", HIDES),
                ops::right("Words", WORDS),
                ops::right("SuspiciousActions", SUSPICIOUS_ACTIONS),
                ops::right("SuspiciousValues", SUSPICIOUS_VALUES),
            ];
            let t = ops::mv_apply(&t, &expand, picks, apply_items)?;
            // | where Forwards > 0 or (Hides > 0 and Words > 0)
            let t = ops::filter(&t, |row| {
                holds(&compare::gt(&[row.get(APPLIED_FORWARDS), Value::Long(0)]))
                    || (holds(&compare::gt(&[row.get(APPLIED_HIDES), Value::Long(0)]))
                        && holds(&compare::gt(&[row.get(APPLIED_WORDS), Value::Long(0)])))
            })?;
            // | extend ClientAddress = extract(@"(\d+\.\d+\.\d+\.\d+|[0-9a-fA-F]*:[0-9a-fA-F:]+)", 1, ClientIP)
            let t = ops::extend(
                &t,
                &[out(
                    "ClientAddress",
                    Type::String,
                    each(|row| {
                        patterns::extract(&[
                            PATTERN.clone(),
                            Value::Long(1),
                            row.get(APPLIED_CLIENT_IP),
                        ])
                    }),
                )],
            )?;
            // | project TimeGenerated, Operation, UserId, ClientAddress, ResultStatus, OfficeObjectId, SuspiciousActions, SuspiciousValu …
            let t = ops::project_keep(
                &t,
                &[
                    TIME_GENERATED,
                    OPERATION,
                    APPLIED_USER_ID,
                    CLIENT_ADDRESS,
                    APPLIED_RESULT_STATUS,
                    APPLIED_OFFICE_OBJECT_ID,
                    APPLIED_SUSPICIOUS_ACTIONS,
                    APPLIED_SUSPICIOUS_VALUES,
                ],
            )?;
            // | extend DedupEntity = strcat(tolower(UserId), "|", OfficeObjectId)
            ops::extend(
                &t,
                &[out(
                    "DedupEntity",
                    Type::String,
                    each(|row| {
                        strings::strcat(&[
                            strings::tolower(&[row.get(PROJECTED_USER_ID)]),
                            Value::string("|"),
                            row.get(PROJECTED_OFFICE_OBJECT_ID),
                        ])
                    }),
                )],
            )
        },
    );
    // | join kind=leftanti (SecurityAlert | where TimeGenerated >= ago(timeframe) | where AlertName startswith RuleId | extend D …
    let t = t.join(
        |keys| join_security_alert(context, keys),
        ops::JoinKind::LeftAnti,
        [column(DEDUP_ENTITY)],
        [column(OTHER_DEDUP_ENTITY)],
        ops::left_all(&[]),
    );
    t.rows()
}

/// `summarize Forwards = countif(Kind == "forward"), Hides = countif(Kind == "hide"), Words = countif(Kind == "word"), Suspi …`
fn apply_items(items: &Batch) -> Result<Batch, RuntimeError> {
    // | extend ParameterName = tostring(Parameter.Name), ParameterValue = tostring(Parameter.Value)
    let t = ops::extend(
        items,
        &[
            out(
                "ParameterName",
                Type::String,
                each(|row| {
                    conversion::tostring(&[dynamic::member(&[
                        row.get(PARAMETER),
                        Value::string("Name"),
                    ])])
                }),
            ),
            out(
                "ParameterValue",
                Type::String,
                each(|row| {
                    conversion::tostring(&[dynamic::member(&[
                        row.get(PARAMETER),
                        Value::string("Value"),
                    ])])
                }),
            ),
        ],
    )?;
    // | extend Kind = case(ParameterName in~ (ForwardingActions) and isnotempty(ParameterValue), "forward", ParameterName =~ "De …
    let t = ops::extend(
        &t,
        &[out(
            "Kind",
            Type::String,
            each(|row| {
                conditional::case(&[
                    Value::Bool(
                        one_of_fold(row.str(PARAMETER_NAME), &FORWARDING_ACTIONS)
                            && !row.str(PARAMETER_VALUE).is_empty(),
                    ),
                    Value::string("forward"),
                    Value::Bool(
                        eq_fold(row.str(PARAMETER_NAME), "DeleteMessage")
                            && eq_fold(row.str(PARAMETER_VALUE), "True"),
                    ),
                    Value::string("hide"),
                    compare::and(&[
                        Value::Bool(eq_fold(row.str(PARAMETER_NAME), "MoveToFolder")),
                        matching::has_any(&[row.get(PARAMETER_VALUE), HIDING_FOLDERS_LIST.clone()]),
                    ]),
                    Value::string("hide"),
                    compare::and(&[
                        Value::Bool(one_of_fold(row.str(PARAMETER_NAME), &WORD_CONDITIONS)),
                        matching::has_any(&[
                            row.get(PARAMETER_VALUE),
                            SUSPICIOUS_WORDS_LIST.clone(),
                        ]),
                    ]),
                    Value::string("word"),
                    Value::string(""),
                ])
            }),
        )],
    )?;
    // | where isnotempty(Kind)
    let t = ops::filter(&t, |row| !row.str(KIND).is_empty())?;
    // | summarize Forwards = countif(Kind == "forward"), Hides = countif(Kind == "hide"), Words = countif(Kind == "word"), Suspi …
    ops::summarize(
        &t,
        &[],
        &[
            agg(
                aggregate::statistics::count,
                [each(|row| Value::Bool(row.str(KIND) == "forward"))],
                &[("Forwards", Type::Long)],
            ),
            agg(
                aggregate::statistics::count,
                [each(|row| Value::Bool(row.str(KIND) == "hide"))],
                &[("Hides", Type::Long)],
            ),
            agg(
                aggregate::statistics::count,
                [each(|row| Value::Bool(row.str(KIND) == "word"))],
                &[("Words", Type::Long)],
            ),
            agg(
                aggregate::collect::make_set,
                [column(PARAMETER_NAME)],
                &[("SuspiciousActions", Type::Dynamic)],
            ),
            agg(
                aggregate::collect::make_set,
                [column(PARAMETER_VALUE)],
                &[("SuspiciousValues", Type::Dynamic)],
            ),
        ],
    )
}

/// What rows of `OfficeActivity` must meet to matter.
fn office_activity_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text_fold("OfficeWorkload", TextTest::Is, ["Exchange"]),
        Necessary::text_fold(
            "Operation",
            TextTest::Is,
            ["New-InboxRule", "Set-InboxRule"],
        ),
    ])
}

/// What rows of `SecurityAlert` must meet to matter.
fn security_alert_wanted() -> Necessary {
    Necessary::all([
        Necessary::since("TimeGenerated", Moment::BeforeNow(72_000_000_000)),
        Necessary::text_fold("AlertName", TextTest::StartsWith, ["RL-0021"]),
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

/// The columns of `OfficeActivity` that the rule reads.
fn office_activity() -> Schema {
    let schema = Schema::of(&[
        ("TimeGenerated", Type::DateTime),
        ("Operation", Type::String),
        ("OfficeWorkload", Type::String),
        ("ResultStatus", Type::String),
        ("OfficeObjectId", Type::String),
        ("UserId", Type::String),
        ("ClientIP", Type::String),
        ("Parameters", Type::String),
    ]);
    // The others are only passed on.
    schema.looking_at([
        "TimeGenerated",
        "Operation",
        "OfficeWorkload",
        "OfficeObjectId",
        "UserId",
        "ClientIP",
        "Parameters",
    ])
}

/// The columns after `summarize Forwards = countif(Kind == "forward"), Hides = countif(Kind == "hide"), Words = countif(Kind == "word"), Suspi …`.
fn item_columns() -> Schema {
    Schema::of(&[("Parameter", Type::Dynamic)])
}

/// The columns of `SecurityAlert` that the rule reads.
fn security_alert() -> Schema {
    Schema::of(&[
        ("TimeGenerated", Type::DateTime),
        ("AlertName", Type::String),
        ("ExtendedProperties", Type::String),
    ])
}
