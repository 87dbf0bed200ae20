//! RL-0024-port-sweep-that-found-an-open-port: Port Sweep That Found An Open Port
//!
//! Made by rulec 0.1.0 from rules/reconnaissance/RL-0024-port-sweep-that-found-an-open-port.md
//! sha256 54d5f8cedb2b0ba61cd02238d7edccdd798019bca52cb4d12be2fa989478fabb

use rulec_functions::{aggregate, arithmetic, compare, conditional, conversion, ip, strings};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::emitted::{self, fails, one_of_fold};
use rulec_runtime::ops::{self, agg, column, constant, each, holds, out};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{Batch, Context, Moment, Necessary, RuntimeError, Schema, Type, Value};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

/// `let window = 10m`
const WINDOW: Value = Value::TimeSpan(6_000_000_000);

/// `let min_ports = 10`
const MIN_PORTS: Value = Value::Long(10);

// The columns of `CommonSecurityLog` that the rule reads.
const TIME_GENERATED: usize = 0;
const DEVICE_ACTION: usize = 1;
const DESTINATION_PORT: usize = 2;
const DESTINATION_IP: usize = 3;
const SOURCE_IP: usize = 4;
const COMPUTER: usize = 5;
const VERDICT: usize = 6;
const SERVICE: usize = 7;

// The columns of `watchlist:ApprovedScanners` that the rule reads.
const SEARCH_KEY: usize = 0;

// The columns after `summarize TimeGenerated = max(TimeGenerated), DeniedPorts = dcountif(DestinationPort, Verdict == "denied"), AllowedConne …`.
const DENIED_PORTS: usize = 3;
const ALLOWED_CONNECTIONS: usize = 4;

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
        "RL-0024-port-sweep-that-found-an-open-port",
        "Port Sweep That Found An Open Port",
        "low",
    );
    let info = info.at(
        "rules/reconnaissance/RL-0024-port-sweep-that-found-an-open-port.md",
        105,
    );
    info.entity("IP", &[("Address", "SourceIP")])
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
    let approved_scanners = &approved_scanners(context)?;
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    let listed = emitted::Among::exact(emitted::first_column(approved_scanners));
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
            // | where not(ipv4_is_private(SourceIP))
            let t = ops::filter(&t, |row| fails(&ip::ipv4_is_private(&[row.get(SOURCE_IP)])))?;
            // | where SourceIP !in (ApprovedScanners)
            let t = ops::filter(&t, |row| !listed.contains(&row.get(SOURCE_IP)))?;
            // | extend Verdict = case(DeviceAction in~ ("deny", "denied", "drop", "dropped", "block", "blocked", "reset"), "denied", Dev …
            let t = ops::extend(
                &t,
                &[out(
                    "Verdict",
                    Type::String,
                    each(|row| {
                        conditional::case(&[
                            Value::Bool(one_of_fold(
                                row.str(DEVICE_ACTION),
                                &[
                                    "deny", "denied", "drop", "dropped", "block", "blocked",
                                    "reset",
                                ],
                            )),
                            Value::string("denied"),
                            Value::Bool(one_of_fold(
                                row.str(DEVICE_ACTION),
                                &["allow", "allowed", "accept", "accepted", "pass", "permit"],
                            )),
                            Value::string("allowed"),
                            Value::string("other"),
                        ])
                    }),
                )],
            )?;
            // | extend Service = iif(Verdict == "allowed", strcat(DestinationIP, ":", tostring(DestinationPort)), "")
            ops::extend(
                &t,
                &[out(
                    "Service",
                    Type::String,
                    each(|row| {
                        conditional::iff(&[
                            Value::Bool(row.str(VERDICT) == "allowed"),
                            strings::strcat(&[
                                row.get(DESTINATION_IP),
                                Value::string(":"),
                                conversion::tostring(&[row.get(DESTINATION_PORT)]),
                            ]),
                            Value::string(""),
                        ])
                    }),
                )],
            )
        },
    );
    // | summarize TimeGenerated = max(TimeGenerated), DeniedPorts = dcountif(DestinationPort, Verdict == "denied"), AllowedConne …
    let t = ops::summarize(
        &t,
        &[
            out("SourceIP", Type::String, column(SOURCE_IP)),
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
                aggregate::sketch::dcountif,
                [
                    column(DESTINATION_PORT),
                    each(|row| Value::Bool(row.str(VERDICT) == "denied")),
                ],
                &[("DeniedPorts", Type::Long)],
            ),
            agg(
                aggregate::statistics::count,
                [each(|row| Value::Bool(row.str(VERDICT) == "allowed"))],
                &[("AllowedConnections", Type::Long)],
            ),
            agg(
                aggregate::collect::make_set_if,
                [
                    column(SERVICE),
                    each(|row| Value::Bool(!row.str(SERVICE).is_empty())),
                    constant(Value::Long(50)),
                ],
                &[("ReachedServices", Type::Dynamic)],
            ),
            agg(
                aggregate::choose::take_any,
                [column(COMPUTER)],
                &[("Firewall", Type::String)],
            ),
        ],
    )?;
    // | where DeniedPorts >= min_ports and AllowedConnections > 0
    ops::filter(&t, |row| {
        holds(&compare::ge(&[row.get(DENIED_PORTS), MIN_PORTS]))
            && holds(&compare::gt(&[
                row.get(ALLOWED_CONNECTIONS),
                Value::Long(0),
            ]))
    })
}

/// `let ApprovedScanners = _GetWatchlist("ApprovedScanners") | project ScannerAddress = tostring(SearchKey)`
fn approved_scanners(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    // _GetWatchlist("ApprovedScanners")
    context.scan(
        "watchlist:ApprovedScanners",
        &watchlist_approved_scanners(),
        None,
        |t| {
            // | project ScannerAddress = tostring(SearchKey)
            ops::project(
                t,
                &[out(
                    "ScannerAddress",
                    Type::String,
                    each(|row| conversion::tostring(&[row.get(SEARCH_KEY)])),
                )],
            )
        },
    )
}

/// What rows of `CommonSecurityLog` must meet to matter.
fn common_security_log_wanted() -> Necessary {
    Necessary::ingested_since(Moment::BeforeNow(72_000_000_000))
}

/// The columns of `CommonSecurityLog` that the rule reads.
fn common_security_log() -> Schema {
    Schema::of(&[
        ("TimeGenerated", Type::DateTime),
        ("DeviceAction", Type::String),
        ("DestinationPort", Type::Int),
        ("DestinationIP", Type::String),
        ("SourceIP", Type::String),
        ("Computer", Type::String),
    ])
}

/// The columns of `watchlist:ApprovedScanners` that the rule reads.
fn watchlist_approved_scanners() -> Schema {
    Schema::of(&[("SearchKey", Type::String)])
}
