//! RL-0001-process-injection-by-rare-binary: Process Injection By Rare Binary
//!
//! Made by rulec 0.1.0 from rules/privilege-escalation/RL-0001-process-injection-by-rare-binary.md
//! sha256 2874f984fed8862c450093f12488ef41505ae39862d3fa2d496d72a1e3e0b275

use std::sync::LazyLock;

use rulec_functions::fold::{ends_fold, eq_fold};
use rulec_functions::{aggregate, arithmetic, compare, conditional, patterns, strings};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::emitted::one_of_fold;
use rulec_runtime::ops::{self, agg, asc, column, constant, each, holds, out};
use rulec_runtime::rule::{Rule, Schedule, Table};
use rulec_runtime::{
    Batch, Column, Context, Moment, Necessary, RuntimeError, Schema, TextTest, Type, Value,
};

/// `let timeframe = 2*1h`
const TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);

/// `let RemoteCalls = dynamic(["CreateRemoteThreadApiCall", "NtAllocateVirtualMemoryRemoteApiCall", "NtMapViewOfSectionRemot …`
const REMOTE_CALLS: [&str; 5] = [
    "CreateRemoteThreadApiCall",
    "NtAllocateVirtualMemoryRemoteApiCall",
    "NtMapViewOfSectionRemoteApiCall",
    "QueueUserApcRemoteApiCall",
    "SetThreadContextRemoteApiCall",
];

static PATTERN: LazyLock<Value> = LazyLock::new(|| Value::string(r"^(.*)\\"));

/// `let default_global_prevalence = 0`
const DEFAULT_GLOBAL_PREVALENCE: Value = Value::Long(0);

/// `let rare_below = 200`
const RARE_BELOW: Value = Value::Long(200);

/// `let unsigned_rare_below = 500`
const UNSIGNED_RARE_BELOW: Value = Value::Long(500);

// The columns of `DeviceEvents` that the rule reads.
const ACTION_TYPE: usize = 3;
const FILE_NAME: usize = 4;
const FOLDER_PATH: usize = 5;
const PROCESS_ID: usize = 15;
const INITIATING_PROCESS_SHA1: usize = 29;
const INITIATING_PROCESS_FOLDER_PATH: usize = 34;
const INITIATING_PROCESS_ID: usize = 35;
const TARGET_PATH: usize = 65;
const SOURCE_FOLDER: usize = 66;
const TARGET_FOLDER: usize = 67;

// The columns of `injections`.
const DEVICE_ID: usize = 1;

// The columns after `summarize DeviceCount = dcount(DeviceId) by InitiatingProcessSHA1`.
const SUMMARIZED_INITIATING_PROCESS_SHA1: usize = 0;
const DEVICE_COUNT: usize = 1;
const GLOBAL_PREVALENCE: usize = 2;
const SIGNER: usize = 3;
const IS_CERTIFICATE_VALID: usize = 4;
const PROFILE_AVAILABILITY: usize = 5;
const PREVALENCE: usize = 6;
const VALIDLY_SIGNED: usize = 7;

// The columns after `RareSources`.
const OTHER_PREVALENCE: usize = 2;
const OTHER_VALIDLY_SIGNED: usize = 4;

// The columns after `lookup kind=inner RareSources on InitiatingProcessSHA1`.
const TIMESTAMP: usize = 0;

// The columns after `project-away SourceFolder, TargetFolder, TargetPath`.
const PROJECTED_2_INITIATING_PROCESS_FOLDER_PATH: usize = 1;
const PROJECTED_2_TIMESTAMP: usize = 2;
const DEVICE_NAME: usize = 3;
const INITIATING_PROCESS_COMMAND_LINE: usize = 36;
const PROJECTED_2_PREVALENCE: usize = 66;
const PROJECTED_2_SIGNER: usize = 67;
const INJECTION_TARGETS: usize = 69;
const INJECTION_CALLS: usize = 70;

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
        "RL-0001-process-injection-by-rare-binary",
        "Process Injection By Rare Binary",
        "high",
    );
    let info = info.at(
        "rules/privilege-escalation/RL-0001-process-injection-by-rare-binary.md",
        121,
    );
    let info = info.entity(
        "Host",
        &[("AzureID", "DeviceId"), ("HostName", "DeviceName")],
    );
    let info = info.entity(
        "Account",
        &[
            ("NTDomain", "InitiatingProcessAccountDomain"),
            ("Name", "InitiatingProcessAccountName"),
            ("Sid", "InitiatingProcessAccountSid"),
        ],
    );
    info.entity(
        "FileHash",
        &[
            ("Algorithm", "HashAlgorithm"),
            ("Value", "InitiatingProcessSHA1"),
        ],
    )
}

/// The tables of events that the rule reads.
pub fn tables() -> Vec<Table> {
    vec![Table::of(
        "DeviceEvents",
        device_events(),
        device_events_wanted(),
    )]
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let injections = &injections(context)?;
    let rare_sources = &rare_sources(context, injections)?;
    // | lookup kind=inner RareSources on InitiatingProcessSHA1
    let t = ops::join(
        injections,
        rare_sources,
        ops::JoinKind::Inner,
        &[column(INITIATING_PROCESS_SHA1)],
        &[column(SUMMARIZED_INITIATING_PROCESS_SHA1)],
        ops::left_all(&[
            ops::right("DeviceCount", DEVICE_COUNT),
            ops::right("Prevalence", OTHER_PREVALENCE),
            ops::right("Signer", SIGNER),
            ops::right("ValidlySigned", OTHER_VALIDLY_SIGNED),
        ]),
    )?;
    // | summarize arg_min(Timestamp, *), InjectionTargets = make_set(TargetPath, 100), InjectionCalls = make_set(ActionType) by …
    let t = ops::summarize(
        &t,
        &[
            out("DeviceId", Type::String, column(DEVICE_ID)),
            out(
                "InitiatingProcessFolderPath",
                Type::String,
                column(INITIATING_PROCESS_FOLDER_PATH),
            ),
        ],
        &[
            ops::agg_all(
                aggregate::choose::arg_min,
                TIMESTAMP,
                &[DEVICE_ID, INITIATING_PROCESS_FOLDER_PATH],
            ),
            agg(
                aggregate::collect::make_set,
                [column(TARGET_PATH), constant(Value::Long(100))],
                &[("InjectionTargets", Type::Dynamic)],
            ),
            agg(
                aggregate::collect::make_set,
                [column(ACTION_TYPE)],
                &[("InjectionCalls", Type::Dynamic)],
            ),
        ],
    )?;
    // | extend HashAlgorithm = "SHA1"
    let t = ops::extend(
        &t,
        &[out(
            "HashAlgorithm",
            Type::String,
            constant(Value::string("SHA1")),
        )],
    )?;
    // | project-away SourceFolder, TargetFolder, TargetPath
    let t = ops::project_away(&t, &[TARGET_PATH, SOURCE_FOLDER, TARGET_FOLDER])?;
    // | project-reorder Timestamp, DeviceName, InitiatingProcessFolderPath, InitiatingProcessCommandLine, InjectionTargets, Inje …
    ops::project_reorder(
        &t,
        &[
            PROJECTED_2_TIMESTAMP,
            DEVICE_NAME,
            PROJECTED_2_INITIATING_PROCESS_FOLDER_PATH,
            INITIATING_PROCESS_COMMAND_LINE,
            INJECTION_TARGETS,
            INJECTION_CALLS,
            PROJECTED_2_PREVALENCE,
            PROJECTED_2_SIGNER,
        ],
    )
}

/// What rows of `DeviceEvents` must meet to matter.
fn device_events_wanted() -> Necessary {
    Necessary::all([
        Necessary::ingested_since(Moment::BeforeNow(72_000_000_000)),
        Necessary::text_fold(
            "ActionType",
            TextTest::Is,
            [
                "CreateRemoteThreadApiCall",
                "NtAllocateVirtualMemoryRemoteApiCall",
                "NtMapViewOfSectionRemoteApiCall",
                "QueueUserApcRemoteApiCall",
                "SetThreadContextRemoteApiCall",
            ],
        ),
    ])
}

/// `let Injections = materialize(DeviceEvents | where ingestion_time() >= ago(timeframe) | where ActionType in~ (RemoteCalls …`
fn injections(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // DeviceEvents
    context.scan_where(
        "DeviceEvents",
        &device_events(),
        None,
        &device_events_wanted(),
        |t| {
            // | where ingestion_time() >= ago(timeframe)
            let t = ops::filter(t, |row| {
                holds(&compare::ge(&[row.ingestion_time(), ago_timeframe.clone()]))
            })?;
            // | where ActionType in~ (RemoteCalls)
            let t = ops::filter(&t, |row| one_of_fold(row.str(ACTION_TYPE), &REMOTE_CALLS))?;
            // | where ProcessId != InitiatingProcessId
            let t = ops::filter(&t, |row| {
                holds(&compare::ne(&[
                    row.get(PROCESS_ID),
                    row.get(INITIATING_PROCESS_ID),
                ]))
            })?;
            // | where isnotempty(InitiatingProcessSHA1)
            let t = ops::filter(&t, |row| !row.str(INITIATING_PROCESS_SHA1).is_empty())?;
            // | extend InitiatingProcessSHA1 = tolower(InitiatingProcessSHA1)
            let t = ops::extend(
                &t,
                &[out(
                    "InitiatingProcessSHA1",
                    Type::String,
                    each(|row| strings::tolower(&[row.get(INITIATING_PROCESS_SHA1)])),
                )],
            )?;
            // | extend TargetPath = iif(FolderPath endswith FileName, FolderPath, strcat(FolderPath, @"\", FileName))
            let t = ops::extend(
                &t,
                &[out(
                    "TargetPath",
                    Type::String,
                    each(|row| {
                        conditional::iff(&[
                            Value::Bool(ends_fold(row.str(FOLDER_PATH), row.str(FILE_NAME))),
                            row.get(FOLDER_PATH),
                            strings::strcat(&[
                                row.get(FOLDER_PATH),
                                Value::string(r"\"),
                                row.get(FILE_NAME),
                            ]),
                        ])
                    }),
                )],
            )?;
            // | extend SourceFolder = extract(@"^(.*)\\", 1, tolower(InitiatingProcessFolderPath)), TargetFolder = extract(@"^(.*)\\", 1 …
            let t = ops::extend(
                &t,
                &[
                    out(
                        "SourceFolder",
                        Type::String,
                        each(|row| {
                            patterns::extract(&[
                                PATTERN.clone(),
                                Value::Long(1),
                                strings::tolower(&[row.get(INITIATING_PROCESS_FOLDER_PATH)]),
                            ])
                        }),
                    ),
                    out(
                        "TargetFolder",
                        Type::String,
                        each(|row| {
                            patterns::extract(&[
                                PATTERN.clone(),
                                Value::Long(1),
                                strings::tolower(&[row.get(TARGET_PATH)]),
                            ])
                        }),
                    ),
                ],
            )?;
            // | where isempty(SourceFolder) or SourceFolder != TargetFolder
            ops::filter(&t, |row| {
                row.str(SOURCE_FOLDER).is_empty()
                    || row.str(SOURCE_FOLDER) != row.str(TARGET_FOLDER)
            })
        },
    )
}

/// `let RareSources = (Injections | summarize DeviceCount = dcount(DeviceId) by InitiatingProcessSHA1 | top 1000 by DeviceCo …`
fn rare_sources(context: &Context<'_>, injections: &Batch) -> Result<Batch, RuntimeError> {
    // | summarize DeviceCount = dcount(DeviceId) by InitiatingProcessSHA1
    let t = ops::summarize(
        injections,
        &[out(
            "InitiatingProcessSHA1",
            Type::String,
            column(INITIATING_PROCESS_SHA1),
        )],
        &[agg(
            aggregate::sketch::dcount,
            [column(DEVICE_ID)],
            &[("DeviceCount", Type::Long)],
        )],
    )?;
    // | top 1000 by DeviceCount asc
    let t = ops::top(&t, 1_000, &[asc(column(DEVICE_COUNT))])?;
    // | invoke FileProfile(InitiatingProcessSHA1, 1000)
    let t = ops::file_profile(
        context,
        &t,
        &column(SUMMARIZED_INITIATING_PROCESS_SHA1),
        &[
            (
                Column::new("GlobalPrevalence", Type::Long),
                "GlobalPrevalence",
            ),
            (Column::new("Signer", Type::String), "Signer"),
            (
                Column::new("IsCertificateValid", Type::Bool),
                "IsCertificateValid",
            ),
            (
                Column::new("ProfileAvailability", Type::String),
                "ProfileAvailability",
            ),
        ],
    )?;
    // | where not(ProfileAvailability =~ "Error")
    let t = ops::filter(&t, |row| !eq_fold(row.str(PROFILE_AVAILABILITY), "Error"))?;
    // | extend Prevalence = coalesce(GlobalPrevalence, default_global_prevalence)
    let t = ops::extend(
        &t,
        &[out(
            "Prevalence",
            Type::Long,
            each(|row| {
                conditional::coalesce(&[row.get(GLOBAL_PREVALENCE), DEFAULT_GLOBAL_PREVALENCE])
            }),
        )],
    )?;
    // | extend ValidlySigned = isnotempty(Signer) and coalesce(IsCertificateValid, false)
    let t = ops::extend(
        &t,
        &[out(
            "ValidlySigned",
            Type::Bool,
            each(|row| {
                compare::and(&[
                    Value::Bool(!row.str(SIGNER).is_empty()),
                    conditional::coalesce(&[row.get(IS_CERTIFICATE_VALID), Value::Bool(false)]),
                ])
            }),
        )],
    )?;
    // | where Prevalence < rare_below or (Prevalence < unsigned_rare_below and not(ValidlySigned))
    let t = ops::filter(&t, |row| {
        holds(&compare::lt(&[row.get(PREVALENCE), RARE_BELOW]))
            || (holds(&compare::lt(&[row.get(PREVALENCE), UNSIGNED_RARE_BELOW]))
                && row.bool(VALIDLY_SIGNED) == Some(false))
    })?;
    // | project InitiatingProcessSHA1, DeviceCount, Prevalence, Signer, ValidlySigned
    ops::project_keep(
        &t,
        &[
            SUMMARIZED_INITIATING_PROCESS_SHA1,
            DEVICE_COUNT,
            PREVALENCE,
            SIGNER,
            VALIDLY_SIGNED,
        ],
    )
}

/// The columns of `DeviceEvents` that the rule reads.
fn device_events() -> Schema {
    let schema = Schema::of(&[
        ("Timestamp", Type::DateTime),
        ("DeviceId", Type::String),
        ("DeviceName", Type::String),
        ("ActionType", Type::String),
        ("FileName", Type::String),
        ("FolderPath", Type::String),
        ("SHA1", Type::String),
        ("SHA256", Type::String),
        ("MD5", Type::String),
        ("FileSize", Type::Long),
        ("AccountDomain", Type::String),
        ("AccountName", Type::String),
        ("AccountSid", Type::String),
        ("RemoteUrl", Type::String),
        ("RemoteDeviceName", Type::String),
        ("ProcessId", Type::Long),
        ("ProcessCommandLine", Type::String),
        ("ProcessCreationTime", Type::DateTime),
        ("ProcessTokenElevation", Type::String),
        ("LogonId", Type::Long),
        ("RegistryKey", Type::String),
        ("RegistryValueName", Type::String),
        ("RegistryValueData", Type::String),
        ("RemoteIP", Type::String),
        ("RemotePort", Type::Int),
        ("LocalIP", Type::String),
        ("LocalPort", Type::Int),
        ("FileOriginUrl", Type::String),
        ("FileOriginIP", Type::String),
        ("InitiatingProcessSHA1", Type::String),
        ("InitiatingProcessSHA256", Type::String),
        ("InitiatingProcessMD5", Type::String),
        ("InitiatingProcessFileName", Type::String),
        ("InitiatingProcessFileSize", Type::Long),
        ("InitiatingProcessFolderPath", Type::String),
        ("InitiatingProcessId", Type::Long),
        ("InitiatingProcessCommandLine", Type::String),
        ("InitiatingProcessCreationTime", Type::DateTime),
        ("InitiatingProcessAccountDomain", Type::String),
        ("InitiatingProcessAccountName", Type::String),
        ("InitiatingProcessAccountSid", Type::String),
        ("InitiatingProcessAccountUpn", Type::String),
        ("InitiatingProcessAccountObjectId", Type::String),
        ("InitiatingProcessVersionInfoCompanyName", Type::String),
        ("InitiatingProcessVersionInfoProductName", Type::String),
        ("InitiatingProcessVersionInfoProductVersion", Type::String),
        ("InitiatingProcessVersionInfoInternalFileName", Type::String),
        ("InitiatingProcessVersionInfoOriginalFileName", Type::String),
        ("InitiatingProcessVersionInfoFileDescription", Type::String),
        ("InitiatingProcessParentId", Type::Long),
        ("InitiatingProcessParentFileName", Type::String),
        ("InitiatingProcessParentCreationTime", Type::DateTime),
        ("InitiatingProcessLogonId", Type::Long),
        ("ReportId", Type::Long),
        ("AppGuardContainerId", Type::String),
        ("AdditionalFields", Type::String),
        ("InitiatingProcessSessionId", Type::Long),
        ("IsInitiatingProcessRemoteSession", Type::Bool),
        ("InitiatingProcessRemoteSessionDeviceName", Type::String),
        ("InitiatingProcessRemoteSessionIP", Type::String),
        ("CreatedProcessSessionId", Type::Long),
        ("IsProcessRemoteSession", Type::Bool),
        ("ProcessRemoteSessionDeviceName", Type::String),
        ("ProcessRemoteSessionIP", Type::String),
        ("InitiatingProcessUniqueId", Type::String),
    ]);
    // The others are only passed on.
    schema.looking_at([
        "Timestamp",
        "DeviceId",
        "ActionType",
        "FileName",
        "FolderPath",
        "ProcessId",
        "InitiatingProcessSHA1",
        "InitiatingProcessFolderPath",
        "InitiatingProcessId",
    ])
}
