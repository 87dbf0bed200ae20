//! RL-0014-large-upload-to-file-sharing-site: Large Upload To File Sharing Site
//!
//! Made by rulec 0.1.0 from rules/exfiltration/RL-0014-large-upload-to-file-sharing-site.md
//! sha256 a28db484e501468f8735b34833b72845fa54f5cc2d88a9298095cc6fb071f2c4

use std::sync::LazyLock;

use rulec_functions::{aggregate, arithmetic, compare, matching};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::emitted::one_of_fold;
use rulec_runtime::ops::{self, agg, column, each, holds, out};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

static PATTERN: LazyLock<Value> = LazyLock::new(|| {
    Value::string(
        r"(?i)(^|\.)(mega\.nz|mega\.co\.nz|gofile\.io|transfer\.sh|wetransfer\.com|pixeldrain\.com|file\.io|sendspace\.com)$",
    )
});

/// `let window = 1h`
const WINDOW: Value = Value::TimeSpan(36_000_000_000);

/// `let max_bytes = 524288000`
const MAX_BYTES: Value = Value::Long(524_288_000);

// The columns of `CommonSecurityLog` that the rule reads.
const TIME_GENERATED: usize = 0;
const DEVICE_ACTION: usize = 1;
const DESTINATION_HOST_NAME: usize = 2;
const SENT_BYTES: usize = 3;
const REQUEST_METHOD: usize = 4;
const SOURCE_IP: usize = 5;
const SOURCE_USER_NAME: usize = 6;

// The columns after `summarize TimeGenerated = max(TimeGenerated), UploadedBytes = sum(SentBytes), Requests = count() by SourceUserName, Sour …`.
const UPLOADED_BYTES: usize = 5;

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
        "RL-0014-large-upload-to-file-sharing-site",
        "Large Upload To File Sharing Site",
        "medium",
    );
    let info = info.at(
        "rules/exfiltration/RL-0014-large-upload-to-file-sharing-site.md",
        93,
    );
    let info = info.entity("Account", &[("Name", "SourceUserName")]);
    let info = info.entity("IP", &[("Address", "SourceIP")]);
    info.entity("URL", &[("Url", "DestinationHostName")])
}

/// The tables of events that the rule reads.
pub fn tables() -> Vec<Table> {
    vec![Table::of(
        "CommonSecurityLog",
        common_security_log(),
        common_security_log_wanted(),
    )]
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // CommonSecurityLog
    let t = context.flow(
        "CommonSecurityLog",
        common_security_log(),
        common_security_log_wanted(),
        |t| {
            // | where ingestion_time() >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where RequestMethod in~ ("POST", "PUT", "CONNECT")
            let t = ops::filter(&t, |row| {
                one_of_fold(row.str(REQUEST_METHOD), &["POST", "PUT", "CONNECT"])
            })?;
            // | where DestinationHostName matches regex @"(?i)(^|\.)(mega\.nz|mega\.co\.nz|gofile\.io|transfer\.sh|wetransfer\.com|pixel …
            let t = ops::filter(&t, |row| {
                holds(&matching::matches_regex(&[
                    row.get(DESTINATION_HOST_NAME),
                    PATTERN.clone(),
                ]))
            })?;
            // | where not(DeviceAction in~ ("Blocked", "Block", "Denied", "Deny"))
            ops::filter(&t, |row| {
                !one_of_fold(
                    row.str(DEVICE_ACTION),
                    &["Blocked", "Block", "Denied", "Deny"],
                )
            })
        },
    );
    // | summarize TimeGenerated = max(TimeGenerated), UploadedBytes = sum(SentBytes), Requests = count() by SourceUserName, Sour …
    let t = ops::summarize(
        &t,
        &[
            out("SourceUserName", Type::String, column(SOURCE_USER_NAME)),
            out("SourceIP", Type::String, column(SOURCE_IP)),
            out(
                "DestinationHostName",
                Type::String,
                column(DESTINATION_HOST_NAME),
            ),
            out(
                "Window",
                Type::DateTime,
                each(|row| arithmetic::bin(&[row.get(TIME_GENERATED), WINDOW])),
            ),
        ],
        &[
            agg(
                aggregate::choose::max,
                [column(TIME_GENERATED)],
                &[("TimeGenerated", Type::DateTime)],
            ),
            agg(
                aggregate::statistics::sum,
                [column(SENT_BYTES)],
                &[("UploadedBytes", Type::Long)],
            ),
            agg(
                aggregate::statistics::count,
                [],
                &[("Requests", Type::Long)],
            ),
        ],
    )?;
    // | where UploadedBytes > max_bytes
    let t = ops::filter(&t, |row| {
        holds(&compare::gt(&[row.get(UPLOADED_BYTES), MAX_BYTES]))
    })?;
    // | extend UploadedMegabytes = UploadedBytes / 1048576
    ops::extend(
        &t,
        &[out(
            "UploadedMegabytes",
            Type::Long,
            each(|row| arithmetic::divide(&[row.get(UPLOADED_BYTES), Value::Long(1_048_576)])),
        )],
    )
}

/// What rows of `CommonSecurityLog` must meet to matter.
fn common_security_log_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text_fold("RequestMethod", TextTest::Is, ["POST", "PUT", "CONNECT"]),
        Necessary::text_fold(
            "DestinationHostName",
            TextTest::Contains,
            [
                "mega.nz",
                "mega.co.nz",
                "gofile.io",
                "transfer.sh",
                "wetransfer.com",
                "pixeldrain.com",
                "file.io",
                "sendspace.com",
            ],
        ),
    ])
}

/// The columns of `CommonSecurityLog` that the rule reads.
fn common_security_log() -> Schema {
    Schema::of(&[
        ("TimeGenerated", Type::DateTime),
        ("DeviceAction", Type::String),
        ("DestinationHostName", Type::String),
        ("SentBytes", Type::Long),
        ("RequestMethod", Type::String),
        ("SourceIP", Type::String),
        ("SourceUserName", Type::String),
    ])
}
