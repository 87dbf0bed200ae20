//! RL-0025-ssh-password-guessing-then-login: SSH Password Guessing Followed By Login
//!
//! Made by rulec 0.1.0 from rules/credential-access/RL-0025-ssh-password-guessing-then-login.md
//! sha256 33f5dd142cd1471f707eab2573a7cfb24a93611b013efbdf9a5501601d4a3a49

use std::sync::LazyLock;

use rulec_functions::fold::{eq_fold, starts_fold};
use rulec_functions::{aggregate, arithmetic, compare, patterns};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::ops::{self, agg, column, constant, each, holds, out};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

static PATTERN: LazyLock<Value> = LazyLock::new(|| Value::string("^(?:invalid user )?(.*)$"));

/// `let min_failures = 10`
const MIN_FAILURES: Value = Value::Long(10);

/// `let grace = 10m`
const GRACE: Value = Value::TimeSpan(6_000_000_000);

// The columns of `Syslog` that the rule reads.
const SYSLOG_MESSAGE: usize = 2;
const PROCESS_NAME: usize = 3;

// The columns after `parse SyslogMessage with Outcome " password for " ReportedUser " from " SourceAddress " port " SourcePort: int " " Serve …`.
const TIME_GENERATED: usize = 0;
const COMPUTER: usize = 1;
const OUTCOME: usize = 4;
const REPORTED_USER: usize = 5;
const SOURCE_ADDRESS: usize = 6;
const SOURCE_PORT: usize = 7;
const LOGIN_USER: usize = 9;

// The columns of `password_logins`.
const PASSWORD_LOGINS_COLUMNS_OUTCOME: usize = 2;
const PASSWORD_LOGINS_COLUMNS_SOURCE_PORT: usize = 5;

// The columns of `password_logins`.
const PASSWORD_LOGINS_COLUMNS_2_LOGIN_USER: usize = 3;
const PASSWORD_LOGINS_COLUMNS_2_SOURCE_ADDRESS: usize = 4;

// The columns after `summarize Failures = count(), TriedUsers = make_set(LoginUser, 50), FirstFailure = min(TimeGenerated), LastFailure = max …`.
const FAILURES: usize = 2;

// The columns after `Guessing`.
const OTHER_COMPUTER: usize = 0;
const OTHER_SOURCE_ADDRESS: usize = 1;
const TRIED_USERS: usize = 3;
const FIRST_FAILURE: usize = 4;
const LAST_FAILURE: usize = 5;

// The columns after `join kind=inner Guessing on Computer, SourceAddress`.
const JOINED_LOGIN_USER: usize = 2;
const JOINED_SOURCE_ADDRESS: usize = 3;
const JOINED_SOURCE_PORT: usize = 4;
const JOINED_FAILURES: usize = 5;
const JOINED_TRIED_USERS: usize = 6;
const JOINED_FIRST_FAILURE: usize = 7;
const JOINED_LAST_FAILURE: usize = 8;

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
        "RL-0025-ssh-password-guessing-then-login",
        "SSH Password Guessing Followed By Login",
        "high",
    );
    let info = info.at(
        "rules/credential-access/RL-0025-ssh-password-guessing-then-login.md",
        113,
    );
    let info = info.entity("Host", &[("HostName", "Computer")]);
    let info = info.entity("Account", &[("Name", "LoginUser")]);
    info.entity("IP", &[("Address", "SourceAddress")])
}

/// The tables of events that the rule reads.
pub fn tables() -> Vec<Table> {
    vec![Table::of("Syslog", syslog(), syslog_wanted())]
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let password_logins = &password_logins(context)?;
    let guessing = &guessing(password_logins)?;
    // | where Outcome =~ "Accepted"
    let t = ops::filter(password_logins, |row| {
        eq_fold(row.str(PASSWORD_LOGINS_COLUMNS_OUTCOME), "Accepted")
    })?;
    // | join kind=inner Guessing on Computer, SourceAddress
    let t = ops::join(
        &t,
        guessing,
        ops::JoinKind::Inner,
        &[
            column(COMPUTER),
            column(PASSWORD_LOGINS_COLUMNS_2_SOURCE_ADDRESS),
        ],
        &[column(OTHER_COMPUTER), column(OTHER_SOURCE_ADDRESS)],
        [
            ops::left("TimeGenerated", TIME_GENERATED),
            ops::left("Computer", COMPUTER),
            ops::left("LoginUser", PASSWORD_LOGINS_COLUMNS_2_LOGIN_USER),
            ops::left("SourceAddress", PASSWORD_LOGINS_COLUMNS_2_SOURCE_ADDRESS),
            ops::left("SourcePort", PASSWORD_LOGINS_COLUMNS_SOURCE_PORT),
            ops::right("Failures", FAILURES),
            ops::right("TriedUsers", TRIED_USERS),
            ops::right("FirstFailure", FIRST_FAILURE),
            ops::right("LastFailure", LAST_FAILURE),
        ],
    )?;
    // | where TimeGenerated between (FirstFailure .. (LastFailure + grace))
    let t = ops::filter(&t, |row| {
        holds(&compare::between(&[
            row.get(TIME_GENERATED),
            row.get(JOINED_FIRST_FAILURE),
            arithmetic::add(&[row.get(JOINED_LAST_FAILURE), GRACE]),
        ]))
    })?;
    // | project TimeGenerated, Computer, SourceAddress, SourcePort, LoginUser, Failures, TriedUsers, FirstFailure, LastFailure
    ops::project_keep(
        &t,
        &[
            TIME_GENERATED,
            COMPUTER,
            JOINED_SOURCE_ADDRESS,
            JOINED_SOURCE_PORT,
            JOINED_LOGIN_USER,
            JOINED_FAILURES,
            JOINED_TRIED_USERS,
            JOINED_FIRST_FAILURE,
            JOINED_LAST_FAILURE,
        ],
    )
}

/// What rows of `Syslog` must meet to matter.
fn syslog_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text_fold("ProcessName", TextTest::Is, ["sshd"]),
        Necessary::any([
            Necessary::text_fold(
                "SyslogMessage",
                TextTest::StartsWith,
                ["Failed password for "],
            ),
            Necessary::text_fold(
                "SyslogMessage",
                TextTest::StartsWith,
                ["Accepted password for "],
            ),
        ]),
    ])
}

/// `let PasswordLogins = materialize(Syslog | where ingestion_time() >= ago(timeframe) | where ProcessName =~ "sshd" | where …`
fn password_logins(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    let pattern_2 = ops::Pattern::new(
        ops::ParseKind::Simple,
        "",
        vec![
            ops::Step::Column(4, Type::String),
            ops::Step::Text(String::from(" password for ")),
            ops::Step::Column(5, Type::String),
            ops::Step::Text(String::from(" from ")),
            ops::Step::Column(6, Type::String),
            ops::Step::Text(String::from(" port ")),
            ops::Step::Column(7, Type::Int),
            ops::Step::Text(String::from(" ")),
            ops::Step::Column(8, Type::String),
        ],
    )?;
    // Syslog
    context.scan_where("Syslog", &syslog(), None, &syslog_wanted(), |t| {
        // | where ingestion_time() >= ago(timeframe)
        let t = ops::filter(t, |row| {
            holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
        })?;
        // | where ProcessName =~ "sshd"
        let t = ops::filter(&t, |row| eq_fold(row.str(PROCESS_NAME), "sshd"))?;
        // | where SyslogMessage startswith "Failed password for " or SyslogMessage startswith "Accepted password for "
        let t = ops::filter(&t, |row| {
            starts_fold(row.str(SYSLOG_MESSAGE), "Failed password for ")
                || starts_fold(row.str(SYSLOG_MESSAGE), "Accepted password for ")
        })?;
        // | parse SyslogMessage with Outcome " password for " ReportedUser " from " SourceAddress " port " SourcePort: int " " Serve …
        let t = ops::parse(&t, &column(SYSLOG_MESSAGE), &pattern_2, &parsed())?;
        // | extend LoginUser = extract(@"^(?:invalid user )?(.*)$", 1, ReportedUser)
        let t = ops::extend(
            &t,
            &[out(
                "LoginUser",
                Type::String,
                each(|row| {
                    patterns::extract(&[PATTERN.clone(), Value::Long(1), row.get(REPORTED_USER)])
                }),
            )],
        )?;
        // | project TimeGenerated, Computer, Outcome, LoginUser, SourceAddress, SourcePort
        ops::project_keep(
            &t,
            &[
                TIME_GENERATED,
                COMPUTER,
                OUTCOME,
                LOGIN_USER,
                SOURCE_ADDRESS,
                SOURCE_PORT,
            ],
        )
    })
}

/// `let Guessing = PasswordLogins | where Outcome =~ "Failed" | summarize Failures = count(), TriedUsers = make_set(LoginUse …`
fn guessing(password_logins: &Batch) -> Result<Batch, RuntimeError> {
    // | where Outcome =~ "Failed"
    let t = ops::filter(password_logins, |row| {
        eq_fold(row.str(PASSWORD_LOGINS_COLUMNS_OUTCOME), "Failed")
    })?;
    // | summarize Failures = count(), TriedUsers = make_set(LoginUser, 50), FirstFailure = min(TimeGenerated), LastFailure = max …
    let t = ops::summarize(
        &t,
        &[
            out("Computer", Type::String, column(COMPUTER)),
            out(
                "SourceAddress",
                Type::String,
                column(PASSWORD_LOGINS_COLUMNS_2_SOURCE_ADDRESS),
            ),
        ],
        &[
            agg(
                aggregate::statistics::count,
                [],
                &[("Failures", Type::Long)],
            ),
            agg(
                aggregate::collect::make_set,
                [
                    column(PASSWORD_LOGINS_COLUMNS_2_LOGIN_USER),
                    constant(Value::Long(50)),
                ],
                &[("TriedUsers", Type::Dynamic)],
            ),
            agg(
                aggregate::choose::min,
                [column(TIME_GENERATED)],
                &[("FirstFailure", Type::DateTime)],
            ),
            agg(
                aggregate::choose::max,
                [column(TIME_GENERATED)],
                &[("LastFailure", Type::DateTime)],
            ),
        ],
    )?;
    // | where Failures >= min_failures
    ops::filter(&t, |row| {
        holds(&compare::ge(&[row.get(FAILURES), MIN_FAILURES]))
    })
}

/// The columns of `Syslog` that the rule reads.
fn syslog() -> Schema {
    Schema::of(&[
        ("TimeGenerated", Type::DateTime),
        ("Computer", Type::String),
        ("SyslogMessage", Type::String),
        ("ProcessName", Type::String),
    ])
}

/// The columns after `parse SyslogMessage with Outcome " password for " ReportedUser " from " SourceAddress " port " SourcePort: int " " Serve …`.
fn parsed() -> Schema {
    Schema::of(&[
        ("TimeGenerated", Type::DateTime),
        ("Computer", Type::String),
        ("SyslogMessage", Type::String),
        ("ProcessName", Type::String),
        ("Outcome", Type::String),
        ("ReportedUser", Type::String),
        ("SourceAddress", Type::String),
        ("SourcePort", Type::Int),
        ("ServerProtocol", Type::String),
    ])
}
