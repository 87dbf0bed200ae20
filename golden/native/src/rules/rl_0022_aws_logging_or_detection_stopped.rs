//! RL-0022-aws-logging-or-detection-stopped: AWS Logging Or Detection Stopped
//!
//! Made by rulec 0.1.0 from rules/defense-evasion/RL-0022-aws-logging-or-detection-stopped.md
//! sha256 f690585cf0f59d9c72454ffcb9cfb70039156cd7a49a41ad1e0403c26e18a6d7

use rulec_functions::{arithmetic, compare};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::emitted::one_of;
use rulec_runtime::ops::{self, holds};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

// The columns of `AWSCloudTrail` that the rule reads.
const TIME_GENERATED: usize = 0;
const EVENT_SOURCE: usize = 1;
const EVENT_NAME: usize = 2;
const USER_IDENTITY_TYPE: usize = 3;
const USER_IDENTITY_ARN: usize = 4;
const USER_IDENTITY_ACCESS_KEY_ID: usize = 5;
const AWSREGION: usize = 6;
const SOURCE_IP_ADDRESS: usize = 7;
const USER_AGENT: usize = 8;
const ERROR_CODE: usize = 9;
const REQUEST_PARAMETERS: usize = 10;
const RECIPIENT_ACCOUNT_ID: usize = 11;

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
        "RL-0022-aws-logging-or-detection-stopped",
        "AWS Logging Or Detection Stopped",
        "high",
    );
    let info = info.at(
        "rules/defense-evasion/RL-0022-aws-logging-or-detection-stopped.md",
        100,
    );
    info.entity("IP", &[("Address", "SourceIpAddress")])
}

/// The tables of events that the rule reads.
pub fn tables() -> Vec<Table> {
    vec![Table::of(
        "AWSCloudTrail",
        awscloud_trail(),
        awscloud_trail_wanted(),
    )]
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // AWSCloudTrail
    context.scan_where(
        "AWSCloudTrail",
        &awscloud_trail(),
        None,
        &awscloud_trail_wanted(),
        |t| {
            // | where ingestion_time() >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where (EventSource == "cloudtrail.amazonaws.com" and EventName in ("StopLogging", "DeleteTrail", "DeleteEventDataStore") …
            let t = ops::filter(&t, |row| {
                (row.str(EVENT_SOURCE) == "cloudtrail.amazonaws.com"
                    && one_of(
                        row.str(EVENT_NAME),
                        &["StopLogging", "DeleteTrail", "DeleteEventDataStore"],
                    ))
                    || (row.str(EVENT_SOURCE) == "guardduty.amazonaws.com"
                        && row.str(EVENT_NAME) == "DeleteDetector")
                    || (row.str(EVENT_SOURCE) == "config.amazonaws.com"
                        && one_of(
                            row.str(EVENT_NAME),
                            &["StopConfigurationRecorder", "DeleteConfigurationRecorder"],
                        ))
            })?;
            // | where isempty(ErrorCode)
            let t = ops::filter(&t, |row| row.str(ERROR_CODE).is_empty())?;
            // | project TimeGenerated, EventSource, EventName, RecipientAccountId, AWSRegion, UserIdentityType, UserIdentityArn, UserIde …
            ops::project_keep(
                &t,
                &[
                    TIME_GENERATED,
                    EVENT_SOURCE,
                    EVENT_NAME,
                    RECIPIENT_ACCOUNT_ID,
                    AWSREGION,
                    USER_IDENTITY_TYPE,
                    USER_IDENTITY_ARN,
                    USER_IDENTITY_ACCESS_KEY_ID,
                    SOURCE_IP_ADDRESS,
                    USER_AGENT,
                    REQUEST_PARAMETERS,
                ],
            )
        },
    )
}

/// What rows of `AWSCloudTrail` must meet to matter.
fn awscloud_trail_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::any([
            Necessary::all([
                Necessary::text("EventSource", TextTest::Is, ["cloudtrail.amazonaws.com"]),
                Necessary::text(
                    "EventName",
                    TextTest::Is,
                    ["StopLogging", "DeleteTrail", "DeleteEventDataStore"],
                ),
            ]),
            Necessary::all([
                Necessary::text("EventSource", TextTest::Is, ["guardduty.amazonaws.com"]),
                Necessary::text("EventName", TextTest::Is, ["DeleteDetector"]),
            ]),
            Necessary::all([
                Necessary::text("EventSource", TextTest::Is, ["config.amazonaws.com"]),
                Necessary::text(
                    "EventName",
                    TextTest::Is,
                    ["StopConfigurationRecorder", "DeleteConfigurationRecorder"],
                ),
            ]),
        ]),
    ])
}

/// The columns of `AWSCloudTrail` that the rule reads.
fn awscloud_trail() -> Schema {
    let schema = Schema::of(&[
        ("TimeGenerated", Type::DateTime),
        ("EventSource", Type::String),
        ("EventName", Type::String),
        ("UserIdentityType", Type::String),
        ("UserIdentityArn", Type::String),
        ("UserIdentityAccessKeyId", Type::String),
        ("AWSRegion", Type::String),
        ("SourceIpAddress", Type::String),
        ("UserAgent", Type::String),
        ("ErrorCode", Type::String),
        ("RequestParameters", Type::String),
        ("RecipientAccountId", Type::String),
    ]);
    // The others are only passed on.
    schema.looking_at(["EventSource", "EventName", "ErrorCode"])
}
