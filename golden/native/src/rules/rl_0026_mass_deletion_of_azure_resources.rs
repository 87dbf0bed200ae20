//! RL-0026-mass-deletion-of-azure-resources: Mass Deletion Of Azure Resources
//!
//! Made by rulec 0.1.0 from rules/impact/RL-0026-mass-deletion-of-azure-resources.md
//! sha256 08c11461d3adb228a34dbf716c4a311310727b936284e21ce3d90585e13f9120

use rulec_functions::fold::{ends_fold, eq_fold, starts_fold};
use rulec_functions::{aggregate, arithmetic, compare};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::emitted::one_of_fold;
use rulec_runtime::ops::{self, agg, column, constant, each, holds, out};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

/// `let window = 1h`
const WINDOW: Value = Value::TimeSpan(36_000_000_000);

/// `let min_deletions = 20`
const MIN_DELETIONS: Value = Value::Long(20);

// The columns of `AzureActivity` that the rule reads.
const OPERATION_NAME_VALUE: usize = 0;
const ACTIVITY_STATUS_VALUE: usize = 1;
const CALLER: usize = 2;
const CALLER_IP_ADDRESS: usize = 3;
const CATEGORY_VALUE: usize = 4;
const TIME_GENERATED: usize = 5;
const RESOURCE_ID: usize = 6;

// The columns after `summarize TimeGenerated = max(TimeGenerated), Deletions = count(), Operations = make_set(OperationNameValue, 20), Resour …`.
const DELETIONS: usize = 4;

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
        "RL-0026-mass-deletion-of-azure-resources",
        "Mass Deletion Of Azure Resources",
        "high",
    );
    let info = info.at(
        "rules/impact/RL-0026-mass-deletion-of-azure-resources.md",
        103,
    );
    let info = info.entity("Account", &[("FullName", "Caller")]);
    info.entity("IP", &[("Address", "CallerIpAddress")])
}

/// The tables of events that the rule reads.
pub fn tables() -> Vec<Table> {
    vec![Table::of(
        "AzureActivity",
        azure_activity(),
        azure_activity_wanted(),
    )]
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // AzureActivity
    let t = context.flow(
        "AzureActivity",
        azure_activity(),
        azure_activity_wanted(),
        |t| {
            // | where ingestion_time() >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where CategoryValue =~ "Administrative"
            let t = ops::filter(&t, |row| eq_fold(row.str(CATEGORY_VALUE), "Administrative"))?;
            // | where OperationNameValue endswith "/delete"
            let t = ops::filter(&t, |row| {
                ends_fold(row.str(OPERATION_NAME_VALUE), "/delete")
            })?;
            // | where ActivityStatusValue in~ ("Success", "Succeeded")
            let t = ops::filter(&t, |row| {
                one_of_fold(row.str(ACTIVITY_STATUS_VALUE), &["Success", "Succeeded"])
            })?;
            // | where not(OperationNameValue startswith "Microsoft.Resources/deployments" or OperationNameValue startswith "Microsoft.Au …
            ops::filter(&t, |row| {
                !starts_fold(
                    row.str(OPERATION_NAME_VALUE),
                    "Microsoft.Resources/deployments",
                ) && !starts_fold(
                    row.str(OPERATION_NAME_VALUE),
                    "Microsoft.Authorization/locks",
                )
            })
        },
    );
    // | summarize TimeGenerated = max(TimeGenerated), Deletions = count(), Operations = make_set(OperationNameValue, 20), Resour …
    let t = ops::summarize(
        &t,
        &[
            out("Caller", Type::String, column(CALLER)),
            out("CallerIpAddress", Type::String, column(CALLER_IP_ADDRESS)),
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
                aggregate::statistics::count,
                [],
                &[("Deletions", Type::Long)],
            ),
            agg(
                aggregate::collect::make_set,
                [column(OPERATION_NAME_VALUE), constant(Value::Long(20))],
                &[("Operations", Type::Dynamic)],
            ),
            agg(
                aggregate::collect::make_set,
                [column(RESOURCE_ID), constant(Value::Long(50))],
                &[("Resources", Type::Dynamic)],
            ),
        ],
    )?;
    // | where Deletions >= min_deletions
    ops::filter(&t, |row| {
        holds(&compare::ge(&[row.get(DELETIONS), MIN_DELETIONS]))
    })
}

/// What rows of `AzureActivity` must meet to matter.
fn azure_activity_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text_fold("CategoryValue", TextTest::Is, ["Administrative"]),
        Necessary::text_fold("OperationNameValue", TextTest::EndsWith, ["/delete"]),
        Necessary::text_fold(
            "ActivityStatusValue",
            TextTest::Is,
            ["Success", "Succeeded"],
        ),
    ])
}

/// The columns of `AzureActivity` that the rule reads.
fn azure_activity() -> Schema {
    Schema::of(&[
        ("OperationNameValue", Type::String),
        ("ActivityStatusValue", Type::String),
        ("Caller", Type::String),
        ("CallerIpAddress", Type::String),
        ("CategoryValue", Type::String),
        ("TimeGenerated", Type::DateTime),
        ("_ResourceId", Type::String),
    ])
}
