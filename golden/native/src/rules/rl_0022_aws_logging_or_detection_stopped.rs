//! RL-0022-aws-logging-or-detection-stopped: AWS Logging Or Detection Stopped
//!
//! Made by rulec 0.1.0 from rules/defense-evasion/RL-0022-aws-logging-or-detection-stopped.md
//! sha256 f690585cf0f59d9c72454ffcb9cfb70039156cd7a49a41ad1e0403c26e18a6d7

use rulec_functions::{arithmetic, compare};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::cli::Rule;
use rulec_runtime::emitted::one_of;
use rulec_runtime::ops::{self, column, holds, out};
use rulec_runtime::{Batch, Context, RuntimeError, Schema, Type, Value};

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

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // AWSCloudTrail
    context.scan("AWSCloudTrail", &awscloud_trail(), None, |t| {
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
        ops::project(
            &t,
            &[
                out("TimeGenerated", Type::DateTime, column(TIME_GENERATED)),
                out("EventSource", Type::String, column(EVENT_SOURCE)),
                out("EventName", Type::String, column(EVENT_NAME)),
                out(
                    "RecipientAccountId",
                    Type::String,
                    column(RECIPIENT_ACCOUNT_ID),
                ),
                out("AWSRegion", Type::String, column(AWSREGION)),
                out("UserIdentityType", Type::String, column(USER_IDENTITY_TYPE)),
                out("UserIdentityArn", Type::String, column(USER_IDENTITY_ARN)),
                out(
                    "UserIdentityAccessKeyId",
                    Type::String,
                    column(USER_IDENTITY_ACCESS_KEY_ID),
                ),
                out("SourceIpAddress", Type::String, column(SOURCE_IP_ADDRESS)),
                out("UserAgent", Type::String, column(USER_AGENT)),
                out(
                    "RequestParameters",
                    Type::String,
                    column(REQUEST_PARAMETERS),
                ),
            ],
        )
    })
}

/// The columns of `AWSCloudTrail` that the rule reads.
fn awscloud_trail() -> Schema {
    Schema::of(&[
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
    ])
}
