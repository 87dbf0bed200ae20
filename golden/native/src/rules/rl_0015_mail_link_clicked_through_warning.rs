//! RL-0015-mail-link-clicked-through-warning: Mail Link Clicked Through Warning
//!
//! Made by rulec 0.1.0 from rules/initial-access/RL-0015-mail-link-clicked-through-warning.md
//! sha256 14b351bc024417e2066d1050bbb99e5df60d5194c77955bc3e93fc4d8ddb8319

use rulec_functions::fold::eq_fold;
use rulec_functions::{
    aggregate, arithmetic, arrays, compare, conditional, conversion, dynamic, parsing, strings,
};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::ops::{self, agg, column, each, holds, out};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

/// `let mail_lookback = 7d`
const MAIL_LOOKBACK: Value = Value::TimeSpan(6_048_000_000_000);

// The columns of `UrlClickEvents` that the rule reads.
const TIMESTAMP: usize = 0;
const URL: usize = 1;
const ACCOUNT_UPN: usize = 2;
const WORKLOAD: usize = 3;
const NETWORK_MESSAGE_ID: usize = 4;
const THREAT_TYPES: usize = 5;
const IPADDRESS: usize = 6;
const IS_CLICKED_THROUGH: usize = 7;
const REPORT_ID: usize = 8;
const CLICKED_DOMAIN: usize = 9;

// The columns of `clicks_through_warning`.
const CLICKS_THROUGH_WARNING_COLUMNS_NETWORK_MESSAGE_ID: usize = 2;

// The columns of `EmailEvents` that the rule reads.
const EMAIL_EVENTS_NETWORK_MESSAGE_ID: usize = 1;
const SENDER_FROM_ADDRESS: usize = 2;
const SENDER_FROM_DOMAIN: usize = 3;
const RECIPIENT_EMAIL_ADDRESS: usize = 4;
const SUBJECT: usize = 5;
const EMAIL_DIRECTION: usize = 6;
const DELIVERY_ACTION: usize = 7;

// The columns after `DeliveredMessages`.
const DELIVERY_TIME: usize = 0;
const OTHER_RECIPIENT_EMAIL_ADDRESS: usize = 2;
const OTHER_SENDER_FROM_ADDRESS: usize = 3;
const OTHER_SENDER_FROM_DOMAIN: usize = 4;

// The columns after `join kind=inner DeliveredMessages on NetworkMessageId`.
const JOINED_ACCOUNT_UPN: usize = 3;
const JOINED_RECIPIENT_EMAIL_ADDRESS: usize = 9;

// The columns of `EmailPostDeliveryEvents` that the rule reads.
const ACTION_TYPE: usize = 2;
const ACTION_RESULT: usize = 3;

// The columns after `RemovedMessages`.
const OTHER_2_NETWORK_MESSAGE_ID: usize = 0;
const OTHER_2_RECIPIENT_EMAIL_ADDRESS: usize = 1;
const REMOVAL_ACTIONS: usize = 2;

// The columns after `join kind=leftouter RemovedMessages on NetworkMessageId, RecipientEmailAddress`.
const JOINED_2_URL: usize = 5;
const JOINED_2_CLICKED_DOMAIN: usize = 6;
const JOINED_2_SENDER_FROM_ADDRESS: usize = 10;
const JOINED_2_SUBJECT: usize = 12;
const JOINED_2_REMOVAL_ACTIONS: usize = 13;
const ALREADY_REMEDIATED: usize = 14;

/// The rule as packages list it.
pub fn rule() -> Rule {
    Rule {
        info: info(),
        schedule: Schedule::seconds(3_600, 604_800),
        tables,
        evaluate,
    }
}

/// What alerts say of the rule.
pub fn info() -> RuleInfo {
    let info = RuleInfo::new(
        "RL-0015-mail-link-clicked-through-warning",
        "Mail Link Clicked Through Warning",
        "medium",
    );
    let info = info.at(
        "rules/initial-access/RL-0015-mail-link-clicked-through-warning.md",
        123,
    );
    let info = info.entity(
        "Account",
        &[("Name", "AccountName"), ("UPNSuffix", "AccountUpnSuffix")],
    );
    let info = info.entity(
        "Mailbox",
        &[("MailboxPrimaryAddress", "RecipientEmailAddress")],
    );
    let info = info.entity("URL", &[("Url", "Url")]);
    info.entity("IP", &[("Address", "IPAddress")])
}

/// The tables of events that the rule reads.
pub fn tables() -> Vec<Table> {
    vec![
        Table::of(
            "UrlClickEvents",
            url_click_events(),
            url_click_events_wanted(),
        ),
        Table::of("EmailEvents", email_events(), email_events_wanted()),
        Table::of(
            "EmailPostDeliveryEvents",
            email_post_delivery_events(),
            email_post_delivery_events_wanted(),
        ),
    ]
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let clicks_through_warning = &clicks_through_warning(context)?;
    let delivered_messages = &delivered_messages(context)?;
    let removed_messages = &removed_messages(context)?;
    // | join kind=inner DeliveredMessages on NetworkMessageId
    let t = ops::join(
        clicks_through_warning,
        delivered_messages,
        ops::JoinKind::Inner,
        &[column(CLICKS_THROUGH_WARNING_COLUMNS_NETWORK_MESSAGE_ID)],
        &[column(EMAIL_EVENTS_NETWORK_MESSAGE_ID)],
        ops::left_all(&[
            ops::right("DeliveryTime", DELIVERY_TIME),
            ops::right("RecipientEmailAddress", OTHER_RECIPIENT_EMAIL_ADDRESS),
            ops::right("SenderFromAddress", OTHER_SENDER_FROM_ADDRESS),
            ops::right("SenderFromDomain", OTHER_SENDER_FROM_DOMAIN),
            ops::right("Subject", SUBJECT),
        ]),
    )?;
    // | where AccountUpn =~ RecipientEmailAddress
    let t = ops::filter(&t, |row| {
        eq_fold(
            row.str(JOINED_ACCOUNT_UPN),
            row.str(JOINED_RECIPIENT_EMAIL_ADDRESS),
        )
    })?;
    // | join kind=leftouter RemovedMessages on NetworkMessageId, RecipientEmailAddress
    let t = ops::join(
        &t,
        removed_messages,
        ops::JoinKind::LeftOuter,
        &[
            column(CLICKS_THROUGH_WARNING_COLUMNS_NETWORK_MESSAGE_ID),
            column(JOINED_RECIPIENT_EMAIL_ADDRESS),
        ],
        &[
            column(OTHER_2_NETWORK_MESSAGE_ID),
            column(OTHER_2_RECIPIENT_EMAIL_ADDRESS),
        ],
        ops::left_all(&[ops::right("RemovalActions", REMOVAL_ACTIONS)]),
    )?;
    // | extend AlreadyRemediated = coalesce(array_length(RemovalActions), 0) > 0
    let t = ops::extend(
        &t,
        &[out(
            "AlreadyRemediated",
            Type::Bool,
            each(|row| {
                compare::gt(&[
                    conditional::coalesce(&[
                        arrays::array_length(&[row.get(JOINED_2_REMOVAL_ACTIONS)]),
                        Value::Long(0),
                    ]),
                    Value::Long(0),
                ])
            }),
        )],
    )?;
    // | extend AccountName = tostring(split(AccountUpn, "@")[0]), AccountUpnSuffix = tostring(split(AccountUpn, "@")[1])
    let t = ops::extend(
        &t,
        &[
            out(
                "AccountName",
                Type::String,
                each(|row| {
                    conversion::tostring(&[dynamic::index(&[
                        strings::split(&[row.get(JOINED_ACCOUNT_UPN), Value::string("@")]),
                        Value::Long(0),
                    ])])
                }),
            ),
            out(
                "AccountUpnSuffix",
                Type::String,
                each(|row| {
                    conversion::tostring(&[dynamic::index(&[
                        strings::split(&[row.get(JOINED_ACCOUNT_UPN), Value::string("@")]),
                        Value::Long(1),
                    ])])
                }),
            ),
        ],
    )?;
    // | project-away NetworkMessageId1, NetworkMessageId2, RecipientEmailAddress1
    // | project-reorder Timestamp, AccountUpn, ClickedDomain, Url, SenderFromAddress, Subject, AlreadyRemediated
    ops::project_reorder(
        &t,
        &[
            TIMESTAMP,
            JOINED_ACCOUNT_UPN,
            JOINED_2_CLICKED_DOMAIN,
            JOINED_2_URL,
            JOINED_2_SENDER_FROM_ADDRESS,
            JOINED_2_SUBJECT,
            ALREADY_REMEDIATED,
        ],
    )
}

/// What rows of `UrlClickEvents` must meet to matter.
fn url_click_events_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text_fold("Workload", TextTest::Is, ["Email"]),
    ])
}

/// `let ClicksThroughWarning = UrlClickEvents | where ingestion_time() >= ago(timeframe) | where Workload =~ "Email" | where …`
fn clicks_through_warning(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // UrlClickEvents
    context.scan_where(
        "UrlClickEvents",
        &url_click_events(),
        None,
        &url_click_events_wanted(),
        |t| {
            // | where ingestion_time() >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where Workload =~ "Email"
            let t = ops::filter(&t, |row| eq_fold(row.str(WORKLOAD), "Email"))?;
            // | where IsClickedThrough == true
            let t = ops::filter(&t, |row| {
                holds(&compare::eq(&[
                    row.get(IS_CLICKED_THROUGH),
                    Value::Bool(true),
                ]))
            })?;
            // | where isnotempty(NetworkMessageId)
            let t = ops::filter(&t, |row| !row.str(NETWORK_MESSAGE_ID).is_empty())?;
            // | extend ClickedDomain = tolower(tostring(parse_url(Url).Host))
            let t = ops::extend(
                &t,
                &[out(
                    "ClickedDomain",
                    Type::String,
                    each(|row| {
                        strings::tolower(&[conversion::tostring(&[dynamic::member(&[
                            parsing::parse_url(&[row.get(URL)]),
                            Value::string("Host"),
                        ])])])
                    }),
                )],
            )?;
            // | project Timestamp, ReportId, NetworkMessageId, AccountUpn, IPAddress, Url, ClickedDomain, ThreatTypes
            ops::project_keep(
                &t,
                &[
                    TIMESTAMP,
                    REPORT_ID,
                    NETWORK_MESSAGE_ID,
                    ACCOUNT_UPN,
                    IPADDRESS,
                    URL,
                    CLICKED_DOMAIN,
                    THREAT_TYPES,
                ],
            )
        },
    )
}

/// What rows of `EmailEvents` must meet to matter.
fn email_events_wanted() -> Necessary {
    Necessary::all([
        Necessary::since("Timestamp", Moment::BeforeNow(6_048_000_000_000)),
        Necessary::text_fold("EmailDirection", TextTest::Is, ["Inbound"]),
        Necessary::text_fold("DeliveryAction", TextTest::Is, ["Delivered"]),
    ])
}

/// `let DeliveredMessages = EmailEvents | where Timestamp >= ago(mail_lookback) | where EmailDirection =~ "Inbound" | where …`
fn delivered_messages(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_mail_lookback = arithmetic::subtract(&[context.now(), MAIL_LOOKBACK]);
    // EmailEvents
    context.scan_where(
        "EmailEvents",
        &email_events(),
        None,
        &email_events_wanted(),
        |t| {
            // | where Timestamp >= ago(mail_lookback)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[
                    row.get(TIMESTAMP),
                    ago_mail_lookback.clone(),
                ]))
            })?;
            // | where EmailDirection =~ "Inbound"
            let t = ops::filter(&t, |row| eq_fold(row.str(EMAIL_DIRECTION), "Inbound"))?;
            // | where DeliveryAction =~ "Delivered"
            let t = ops::filter(&t, |row| eq_fold(row.str(DELIVERY_ACTION), "Delivered"))?;
            // | project DeliveryTime = Timestamp, NetworkMessageId, RecipientEmailAddress, SenderFromAddress, SenderFromDomain, Subject
            ops::project(
                &t,
                &[
                    out("DeliveryTime", Type::DateTime, column(TIMESTAMP)),
                    out(
                        "NetworkMessageId",
                        Type::String,
                        column(EMAIL_EVENTS_NETWORK_MESSAGE_ID),
                    ),
                    out(
                        "RecipientEmailAddress",
                        Type::String,
                        column(RECIPIENT_EMAIL_ADDRESS),
                    ),
                    out(
                        "SenderFromAddress",
                        Type::String,
                        column(SENDER_FROM_ADDRESS),
                    ),
                    out("SenderFromDomain", Type::String, column(SENDER_FROM_DOMAIN)),
                    out("Subject", Type::String, column(SUBJECT)),
                ],
            )
        },
    )
}

/// What rows of `EmailPostDeliveryEvents` must meet to matter.
fn email_post_delivery_events_wanted() -> Necessary {
    Necessary::all([
        Necessary::since("Timestamp", Moment::BeforeNow(6_048_000_000_000)),
        Necessary::text_fold("ActionResult", TextTest::Is, ["Success"]),
    ])
}

/// `let RemovedMessages = EmailPostDeliveryEvents | where Timestamp >= ago(mail_lookback) | where ActionResult =~ "Success" …`
fn removed_messages(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_mail_lookback = arithmetic::subtract(&[context.now(), MAIL_LOOKBACK]);
    // EmailPostDeliveryEvents
    let t = context.flow(
        "EmailPostDeliveryEvents",
        email_post_delivery_events(),
        email_post_delivery_events_wanted(),
        |t| {
            // | where Timestamp >= ago(mail_lookback)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[
                    row.get(TIMESTAMP),
                    ago_mail_lookback.clone(),
                ]))
            })?;
            // | where ActionResult =~ "Success"
            ops::filter(&t, |row| eq_fold(row.str(ACTION_RESULT), "Success"))
        },
    );
    // | summarize RemovalActions = make_set(ActionType) by NetworkMessageId, RecipientEmailAddress
    ops::summarize(
        &t,
        &[
            out(
                "NetworkMessageId",
                Type::String,
                column(EMAIL_EVENTS_NETWORK_MESSAGE_ID),
            ),
            out(
                "RecipientEmailAddress",
                Type::String,
                column(RECIPIENT_EMAIL_ADDRESS),
            ),
        ],
        &[agg(
            aggregate::collect::make_set,
            [column(ACTION_TYPE)],
            &[("RemovalActions", Type::Dynamic)],
        )],
    )
}

/// The columns of `UrlClickEvents` that the rule reads.
fn url_click_events() -> Schema {
    let schema = Schema::of(&[
        ("Timestamp", Type::DateTime),
        ("Url", Type::String),
        ("AccountUpn", Type::String),
        ("Workload", Type::String),
        ("NetworkMessageId", Type::String),
        ("ThreatTypes", Type::String),
        ("IPAddress", Type::String),
        ("IsClickedThrough", Type::Bool),
        ("ReportId", Type::String),
    ]);
    // The others are only passed on.
    schema.looking_at([
        "Timestamp",
        "Url",
        "AccountUpn",
        "Workload",
        "NetworkMessageId",
        "IsClickedThrough",
    ])
}

/// The columns of `EmailEvents` that the rule reads.
fn email_events() -> Schema {
    let schema = Schema::of(&[
        ("Timestamp", Type::DateTime),
        ("NetworkMessageId", Type::String),
        ("SenderFromAddress", Type::String),
        ("SenderFromDomain", Type::String),
        ("RecipientEmailAddress", Type::String),
        ("Subject", Type::String),
        ("EmailDirection", Type::String),
        ("DeliveryAction", Type::String),
    ]);
    // The others are only passed on.
    schema.looking_at([
        "Timestamp",
        "NetworkMessageId",
        "RecipientEmailAddress",
        "EmailDirection",
        "DeliveryAction",
    ])
}

/// The columns of `EmailPostDeliveryEvents` that the rule reads.
fn email_post_delivery_events() -> Schema {
    Schema::of(&[
        ("Timestamp", Type::DateTime),
        ("NetworkMessageId", Type::String),
        ("ActionType", Type::String),
        ("ActionResult", Type::String),
        ("RecipientEmailAddress", Type::String),
    ])
}
