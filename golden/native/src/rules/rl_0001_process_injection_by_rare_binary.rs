//! RL-0001-process-injection-by-rare-binary: Process Injection By Rare Binary
//!
//! Made by rulec 0.1.0 from rules/privilege-escalation/RL-0001-process-injection-by-rare-binary.md
//! sha256 2874f984fed8862c450093f12488ef41505ae39862d3fa2d496d72a1e3e0b275

use std::sync::LazyLock;

use rulec_functions::fold::{ends_fold, eq_fold};
use rulec_functions::{aggregate, arithmetic, compare, conditional, patterns, strings};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::cli::Rule;
use rulec_runtime::emitted::one_of_fold;
use rulec_runtime::ops::{self, agg, asc, column, constant, each, holds, out};
use rulec_runtime::{Batch, Column, Context, RuntimeError, Schema, Type, Value};

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
const TIMESTAMP: usize = 0;
const DEVICE_NAME: usize = 2;
const SHA1: usize = 6;
const SHA256: usize = 7;
const MD5: usize = 8;
const FILE_SIZE: usize = 9;
const ACCOUNT_DOMAIN: usize = 10;
const ACCOUNT_NAME: usize = 11;
const ACCOUNT_SID: usize = 12;
const REMOTE_URL: usize = 13;
const REMOTE_DEVICE_NAME: usize = 14;
const PROCESS_COMMAND_LINE: usize = 16;
const PROCESS_CREATION_TIME: usize = 17;
const PROCESS_TOKEN_ELEVATION: usize = 18;
const LOGON_ID: usize = 19;
const REGISTRY_KEY: usize = 20;
const REGISTRY_VALUE_NAME: usize = 21;
const REGISTRY_VALUE_DATA: usize = 22;
const REMOTE_IP: usize = 23;
const REMOTE_PORT: usize = 24;
const LOCAL_IP: usize = 25;
const LOCAL_PORT: usize = 26;
const FILE_ORIGIN_URL: usize = 27;
const FILE_ORIGIN_IP: usize = 28;
const INITIATING_PROCESS_SHA256: usize = 30;
const INITIATING_PROCESS_MD5: usize = 31;
const INITIATING_PROCESS_FILE_NAME: usize = 32;
const INITIATING_PROCESS_FILE_SIZE: usize = 33;
const INITIATING_PROCESS_COMMAND_LINE: usize = 36;
const INITIATING_PROCESS_CREATION_TIME: usize = 37;
const INITIATING_PROCESS_ACCOUNT_DOMAIN: usize = 38;
const INITIATING_PROCESS_ACCOUNT_NAME: usize = 39;
const INITIATING_PROCESS_ACCOUNT_SID: usize = 40;
const INITIATING_PROCESS_ACCOUNT_UPN: usize = 41;
const INITIATING_PROCESS_ACCOUNT_OBJECT_ID: usize = 42;
const INITIATING_PROCESS_VERSION_INFO_COMPANY_NAME: usize = 43;
const INITIATING_PROCESS_VERSION_INFO_PRODUCT_NAME: usize = 44;
const INITIATING_PROCESS_VERSION_INFO_PRODUCT_VERSION: usize = 45;
const INITIATING_PROCESS_VERSION_INFO_INTERNAL_FILE_NAME: usize = 46;
const INITIATING_PROCESS_VERSION_INFO_ORIGINAL_FILE_NAME: usize = 47;
const INITIATING_PROCESS_VERSION_INFO_FILE_DESCRIPTION: usize = 48;
const INITIATING_PROCESS_PARENT_ID: usize = 49;
const INITIATING_PROCESS_PARENT_FILE_NAME: usize = 50;
const INITIATING_PROCESS_PARENT_CREATION_TIME: usize = 51;
    let info = info.at(
        "rules/privilege-escalation/RL-0001-process-injection-by-rare-binary.md",
        121,
    );
const INITIATING_PROCESS_LOGON_ID: usize = 52;
const REPORT_ID: usize = 53;
const APP_GUARD_CONTAINER_ID: usize = 54;
const ADDITIONAL_FIELDS: usize = 55;
const INITIATING_PROCESS_SESSION_ID: usize = 56;
const IS_INITIATING_PROCESS_REMOTE_SESSION: usize = 57;
const INITIATING_PROCESS_REMOTE_SESSION_DEVICE_NAME: usize = 58;
const INITIATING_PROCESS_REMOTE_SESSION_IP: usize = 59;
const CREATED_PROCESS_SESSION_ID: usize = 60;
const IS_PROCESS_REMOTE_SESSION: usize = 61;
const PROCESS_REMOTE_SESSION_DEVICE_NAME: usize = 62;
const PROCESS_REMOTE_SESSION_IP: usize = 63;
const INITIATING_PROCESS_UNIQUE_ID: usize = 64;

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
const JOINED_DEVICE_COUNT: usize = 68;
const JOINED_PREVALENCE: usize = 69;
const JOINED_SIGNER: usize = 70;
const JOINED_VALIDLY_SIGNED: usize = 71;

// The columns after `summarize arg_min(Timestamp, *), InjectionTargets = make_set(TargetPath, 100), InjectionCalls = make_set(ActionType) by …`.
const SUMMARIZED_2_DEVICE_ID: usize = 0;
const SUMMARIZED_2_INITIATING_PROCESS_FOLDER_PATH: usize = 1;
const SUMMARIZED_2_TIMESTAMP: usize = 2;
const SUMMARIZED_2_DEVICE_NAME: usize = 3;
const SUMMARIZED_2_ACTION_TYPE: usize = 4;
const SUMMARIZED_2_FILE_NAME: usize = 5;
const SUMMARIZED_2_FOLDER_PATH: usize = 6;
const SUMMARIZED_2_SHA1: usize = 7;
const SUMMARIZED_2_SHA256: usize = 8;
const SUMMARIZED_2_MD5: usize = 9;
const SUMMARIZED_2_FILE_SIZE: usize = 10;
const SUMMARIZED_2_ACCOUNT_DOMAIN: usize = 11;
const SUMMARIZED_2_ACCOUNT_NAME: usize = 12;
const SUMMARIZED_2_ACCOUNT_SID: usize = 13;
const SUMMARIZED_2_REMOTE_URL: usize = 14;
const SUMMARIZED_2_REMOTE_DEVICE_NAME: usize = 15;
const SUMMARIZED_2_PROCESS_ID: usize = 16;
const SUMMARIZED_2_PROCESS_COMMAND_LINE: usize = 17;
const SUMMARIZED_2_PROCESS_CREATION_TIME: usize = 18;
const SUMMARIZED_2_PROCESS_TOKEN_ELEVATION: usize = 19;
const SUMMARIZED_2_LOGON_ID: usize = 20;
const SUMMARIZED_2_REGISTRY_KEY: usize = 21;
const SUMMARIZED_2_REGISTRY_VALUE_NAME: usize = 22;
const SUMMARIZED_2_REGISTRY_VALUE_DATA: usize = 23;
const SUMMARIZED_2_REMOTE_IP: usize = 24;
const SUMMARIZED_2_REMOTE_PORT: usize = 25;
const SUMMARIZED_2_LOCAL_IP: usize = 26;
const SUMMARIZED_2_LOCAL_PORT: usize = 27;
const SUMMARIZED_2_FILE_ORIGIN_URL: usize = 28;
const SUMMARIZED_2_FILE_ORIGIN_IP: usize = 29;
const SUMMARIZED_2_INITIATING_PROCESS_SHA1: usize = 30;
const SUMMARIZED_2_INITIATING_PROCESS_SHA256: usize = 31;
const SUMMARIZED_2_INITIATING_PROCESS_MD5: usize = 32;
const SUMMARIZED_2_INITIATING_PROCESS_FILE_NAME: usize = 33;
const SUMMARIZED_2_INITIATING_PROCESS_FILE_SIZE: usize = 34;
const INJECTION_TARGETS: usize = 72;
const INJECTION_CALLS: usize = 73;
const HASH_ALGORITHM: usize = 74;

// The columns after `project-away SourceFolder, TargetFolder, TargetPath`.
const PROJECTED_2_DEVICE_COUNT: usize = 65;
const PROJECTED_2_PREVALENCE: usize = 66;
const PROJECTED_2_SIGNER: usize = 67;
const PROJECTED_2_VALIDLY_SIGNED: usize = 68;
const PROJECTED_2_INJECTION_TARGETS: usize = 69;
const PROJECTED_2_INJECTION_CALLS: usize = 70;
const PROJECTED_2_HASH_ALGORITHM: usize = 71;

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
        "RL-0001-process-injection-by-rare-binary",
        "Process Injection By Rare Binary",
        "high",
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
        &[
            ops::left("Timestamp", TIMESTAMP),
            ops::left("DeviceId", DEVICE_ID),
            ops::left("DeviceName", DEVICE_NAME),
            ops::left("ActionType", ACTION_TYPE),
            ops::left("FileName", FILE_NAME),
            ops::left("FolderPath", FOLDER_PATH),
            ops::left("SHA1", SHA1),
            ops::left("SHA256", SHA256),
            ops::left("MD5", MD5),
            ops::left("FileSize", FILE_SIZE),
            ops::left("AccountDomain", ACCOUNT_DOMAIN),
            ops::left("AccountName", ACCOUNT_NAME),
            ops::left("AccountSid", ACCOUNT_SID),
            ops::left("RemoteUrl", REMOTE_URL),
            ops::left("RemoteDeviceName", REMOTE_DEVICE_NAME),
            ops::left("ProcessId", PROCESS_ID),
            ops::left("ProcessCommandLine", PROCESS_COMMAND_LINE),
            ops::left("ProcessCreationTime", PROCESS_CREATION_TIME),
            ops::left("ProcessTokenElevation", PROCESS_TOKEN_ELEVATION),
            ops::left("LogonId", LOGON_ID),
            ops::left("RegistryKey", REGISTRY_KEY),
            ops::left("RegistryValueName", REGISTRY_VALUE_NAME),
            ops::left("RegistryValueData", REGISTRY_VALUE_DATA),
            ops::left("RemoteIP", REMOTE_IP),
            ops::left("RemotePort", REMOTE_PORT),
            ops::left("LocalIP", LOCAL_IP),
            ops::left("LocalPort", LOCAL_PORT),
            ops::left("FileOriginUrl", FILE_ORIGIN_URL),
            ops::left("FileOriginIP", FILE_ORIGIN_IP),
            ops::left("InitiatingProcessSHA1", INITIATING_PROCESS_SHA1),
            ops::left("InitiatingProcessSHA256", INITIATING_PROCESS_SHA256),
            ops::left("InitiatingProcessMD5", INITIATING_PROCESS_MD5),
            ops::left("InitiatingProcessFileName", INITIATING_PROCESS_FILE_NAME),
            ops::left("InitiatingProcessFileSize", INITIATING_PROCESS_FILE_SIZE),
            ops::left(
                "InitiatingProcessFolderPath",
                INITIATING_PROCESS_FOLDER_PATH,
            ),
            ops::left("InitiatingProcessId", INITIATING_PROCESS_ID),
            ops::left(
                "InitiatingProcessCommandLine",
                INITIATING_PROCESS_COMMAND_LINE,
            ),
            ops::left(
                "InitiatingProcessCreationTime",
                INITIATING_PROCESS_CREATION_TIME,
            ),
            ops::left(
                "InitiatingProcessAccountDomain",
                INITIATING_PROCESS_ACCOUNT_DOMAIN,
            ),
            ops::left(
                "InitiatingProcessAccountName",
                INITIATING_PROCESS_ACCOUNT_NAME,
            ),
            ops::left(
                "InitiatingProcessAccountSid",
                INITIATING_PROCESS_ACCOUNT_SID,
            ),
            ops::left(
                "InitiatingProcessAccountUpn",
                INITIATING_PROCESS_ACCOUNT_UPN,
            ),
            ops::left(
                "InitiatingProcessAccountObjectId",
                INITIATING_PROCESS_ACCOUNT_OBJECT_ID,
            ),
            ops::left(
                "InitiatingProcessVersionInfoCompanyName",
                INITIATING_PROCESS_VERSION_INFO_COMPANY_NAME,
            ),
            ops::left(
                "InitiatingProcessVersionInfoProductName",
                INITIATING_PROCESS_VERSION_INFO_PRODUCT_NAME,
            ),
            ops::left(
                "InitiatingProcessVersionInfoProductVersion",
                INITIATING_PROCESS_VERSION_INFO_PRODUCT_VERSION,
            ),
            ops::left(
                "InitiatingProcessVersionInfoInternalFileName",
                INITIATING_PROCESS_VERSION_INFO_INTERNAL_FILE_NAME,
            ),
            ops::left(
                "InitiatingProcessVersionInfoOriginalFileName",
                INITIATING_PROCESS_VERSION_INFO_ORIGINAL_FILE_NAME,
            ),
            ops::left(
                "InitiatingProcessVersionInfoFileDescription",
                INITIATING_PROCESS_VERSION_INFO_FILE_DESCRIPTION,
            ),
            ops::left("InitiatingProcessParentId", INITIATING_PROCESS_PARENT_ID),
            ops::left(
                "InitiatingProcessParentFileName",
                INITIATING_PROCESS_PARENT_FILE_NAME,
            ),
            ops::left(
                "InitiatingProcessParentCreationTime",
                INITIATING_PROCESS_PARENT_CREATION_TIME,
            ),
            ops::left("InitiatingProcessLogonId", INITIATING_PROCESS_LOGON_ID),
            ops::left("ReportId", REPORT_ID),
            ops::left("AppGuardContainerId", APP_GUARD_CONTAINER_ID),
            ops::left("AdditionalFields", ADDITIONAL_FIELDS),
            ops::left("InitiatingProcessSessionId", INITIATING_PROCESS_SESSION_ID),
            ops::left(
                "IsInitiatingProcessRemoteSession",
                IS_INITIATING_PROCESS_REMOTE_SESSION,
            ),
            ops::left(
                "InitiatingProcessRemoteSessionDeviceName",
                INITIATING_PROCESS_REMOTE_SESSION_DEVICE_NAME,
            ),
            ops::left(
                "InitiatingProcessRemoteSessionIP",
                INITIATING_PROCESS_REMOTE_SESSION_IP,
            ),
            ops::left("CreatedProcessSessionId", CREATED_PROCESS_SESSION_ID),
            ops::left("IsProcessRemoteSession", IS_PROCESS_REMOTE_SESSION),
            ops::left(
                "ProcessRemoteSessionDeviceName",
                PROCESS_REMOTE_SESSION_DEVICE_NAME,
            ),
            ops::left("ProcessRemoteSessionIP", PROCESS_REMOTE_SESSION_IP),
            ops::left("InitiatingProcessUniqueId", INITIATING_PROCESS_UNIQUE_ID),
            ops::left("TargetPath", TARGET_PATH),
            ops::left("SourceFolder", SOURCE_FOLDER),
            ops::left("TargetFolder", TARGET_FOLDER),
            ops::right("DeviceCount", DEVICE_COUNT),
            ops::right("Prevalence", OTHER_PREVALENCE),
            ops::right("Signer", SIGNER),
            ops::right("ValidlySigned", OTHER_VALIDLY_SIGNED),
        ],
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
            agg(
                aggregate::choose::arg_min,
                [
                    column(TIMESTAMP),
                    column(DEVICE_NAME),
                    column(ACTION_TYPE),
                    column(FILE_NAME),
                    column(FOLDER_PATH),
                    column(SHA1),
                    column(SHA256),
                    column(MD5),
                    column(FILE_SIZE),
                    column(ACCOUNT_DOMAIN),
                    column(ACCOUNT_NAME),
                    column(ACCOUNT_SID),
                    column(REMOTE_URL),
                    column(REMOTE_DEVICE_NAME),
                    column(PROCESS_ID),
                    column(PROCESS_COMMAND_LINE),
                    column(PROCESS_CREATION_TIME),
                    column(PROCESS_TOKEN_ELEVATION),
                    column(LOGON_ID),
                    column(REGISTRY_KEY),
                    column(REGISTRY_VALUE_NAME),
                    column(REGISTRY_VALUE_DATA),
                    column(REMOTE_IP),
                    column(REMOTE_PORT),
                    column(LOCAL_IP),
                    column(LOCAL_PORT),
                    column(FILE_ORIGIN_URL),
                    column(FILE_ORIGIN_IP),
                    column(INITIATING_PROCESS_SHA1),
                    column(INITIATING_PROCESS_SHA256),
                    column(INITIATING_PROCESS_MD5),
                    column(INITIATING_PROCESS_FILE_NAME),
                    column(INITIATING_PROCESS_FILE_SIZE),
                    column(INITIATING_PROCESS_ID),
                    column(INITIATING_PROCESS_COMMAND_LINE),
                    column(INITIATING_PROCESS_CREATION_TIME),
                    column(INITIATING_PROCESS_ACCOUNT_DOMAIN),
                    column(INITIATING_PROCESS_ACCOUNT_NAME),
                    column(INITIATING_PROCESS_ACCOUNT_SID),
                    column(INITIATING_PROCESS_ACCOUNT_UPN),
                    column(INITIATING_PROCESS_ACCOUNT_OBJECT_ID),
                    column(INITIATING_PROCESS_VERSION_INFO_COMPANY_NAME),
                    column(INITIATING_PROCESS_VERSION_INFO_PRODUCT_NAME),
                    column(INITIATING_PROCESS_VERSION_INFO_PRODUCT_VERSION),
                    column(INITIATING_PROCESS_VERSION_INFO_INTERNAL_FILE_NAME),
                    column(INITIATING_PROCESS_VERSION_INFO_ORIGINAL_FILE_NAME),
                    column(INITIATING_PROCESS_VERSION_INFO_FILE_DESCRIPTION),
                    column(INITIATING_PROCESS_PARENT_ID),
                    column(INITIATING_PROCESS_PARENT_FILE_NAME),
                    column(INITIATING_PROCESS_PARENT_CREATION_TIME),
                    column(INITIATING_PROCESS_LOGON_ID),
                    column(REPORT_ID),
                    column(APP_GUARD_CONTAINER_ID),
                    column(ADDITIONAL_FIELDS),
                    column(INITIATING_PROCESS_SESSION_ID),
                    column(IS_INITIATING_PROCESS_REMOTE_SESSION),
                    column(INITIATING_PROCESS_REMOTE_SESSION_DEVICE_NAME),
                    column(INITIATING_PROCESS_REMOTE_SESSION_IP),
                    column(CREATED_PROCESS_SESSION_ID),
                    column(IS_PROCESS_REMOTE_SESSION),
                    column(PROCESS_REMOTE_SESSION_DEVICE_NAME),
                    column(PROCESS_REMOTE_SESSION_IP),
                    column(INITIATING_PROCESS_UNIQUE_ID),
                    column(TARGET_PATH),
                    column(SOURCE_FOLDER),
                    column(TARGET_FOLDER),
                    column(JOINED_DEVICE_COUNT),
                    column(JOINED_PREVALENCE),
                    column(JOINED_SIGNER),
                    column(JOINED_VALIDLY_SIGNED),
                ],
                &[
                    ("Timestamp", Type::DateTime),
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
                    ("TargetPath", Type::String),
                    ("SourceFolder", Type::String),
                    ("TargetFolder", Type::String),
                    ("DeviceCount", Type::Long),
                    ("Prevalence", Type::Long),
                    ("Signer", Type::String),
                    ("ValidlySigned", Type::Bool),
                ],
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
    let t = ops::project(
        &t,
        &[
            out("DeviceId", Type::String, column(SUMMARIZED_2_DEVICE_ID)),
            out(
                "InitiatingProcessFolderPath",
                Type::String,
                column(SUMMARIZED_2_INITIATING_PROCESS_FOLDER_PATH),
            ),
            out("Timestamp", Type::DateTime, column(SUMMARIZED_2_TIMESTAMP)),
            out("DeviceName", Type::String, column(SUMMARIZED_2_DEVICE_NAME)),
            out("ActionType", Type::String, column(SUMMARIZED_2_ACTION_TYPE)),
            out("FileName", Type::String, column(SUMMARIZED_2_FILE_NAME)),
            out("FolderPath", Type::String, column(SUMMARIZED_2_FOLDER_PATH)),
            out("SHA1", Type::String, column(SUMMARIZED_2_SHA1)),
            out("SHA256", Type::String, column(SUMMARIZED_2_SHA256)),
            out("MD5", Type::String, column(SUMMARIZED_2_MD5)),
            out("FileSize", Type::Long, column(SUMMARIZED_2_FILE_SIZE)),
            out(
                "AccountDomain",
                Type::String,
                column(SUMMARIZED_2_ACCOUNT_DOMAIN),
            ),
            out(
                "AccountName",
                Type::String,
                column(SUMMARIZED_2_ACCOUNT_NAME),
            ),
            out("AccountSid", Type::String, column(SUMMARIZED_2_ACCOUNT_SID)),
            out("RemoteUrl", Type::String, column(SUMMARIZED_2_REMOTE_URL)),
            out(
                "RemoteDeviceName",
                Type::String,
                column(SUMMARIZED_2_REMOTE_DEVICE_NAME),
            ),
            out("ProcessId", Type::Long, column(SUMMARIZED_2_PROCESS_ID)),
            out(
                "ProcessCommandLine",
                Type::String,
                column(SUMMARIZED_2_PROCESS_COMMAND_LINE),
            ),
            out(
                "ProcessCreationTime",
                Type::DateTime,
                column(SUMMARIZED_2_PROCESS_CREATION_TIME),
            ),
            out(
                "ProcessTokenElevation",
                Type::String,
                column(SUMMARIZED_2_PROCESS_TOKEN_ELEVATION),
            ),
            out("LogonId", Type::Long, column(SUMMARIZED_2_LOGON_ID)),
            out(
                "RegistryKey",
                Type::String,
                column(SUMMARIZED_2_REGISTRY_KEY),
            ),
            out(
                "RegistryValueName",
                Type::String,
                column(SUMMARIZED_2_REGISTRY_VALUE_NAME),
            ),
            out(
                "RegistryValueData",
                Type::String,
                column(SUMMARIZED_2_REGISTRY_VALUE_DATA),
            ),
            out("RemoteIP", Type::String, column(SUMMARIZED_2_REMOTE_IP)),
            out("RemotePort", Type::Int, column(SUMMARIZED_2_REMOTE_PORT)),
            out("LocalIP", Type::String, column(SUMMARIZED_2_LOCAL_IP)),
            out("LocalPort", Type::Int, column(SUMMARIZED_2_LOCAL_PORT)),
            out(
                "FileOriginUrl",
                Type::String,
                column(SUMMARIZED_2_FILE_ORIGIN_URL),
            ),
            out(
                "FileOriginIP",
                Type::String,
                column(SUMMARIZED_2_FILE_ORIGIN_IP),
            ),
            out(
                "InitiatingProcessSHA1",
                Type::String,
                column(SUMMARIZED_2_INITIATING_PROCESS_SHA1),
            ),
            out(
                "InitiatingProcessSHA256",
                Type::String,
                column(SUMMARIZED_2_INITIATING_PROCESS_SHA256),
            ),
            out(
                "InitiatingProcessMD5",
                Type::String,
                column(SUMMARIZED_2_INITIATING_PROCESS_MD5),
            ),
            out(
                "InitiatingProcessFileName",
                Type::String,
                column(SUMMARIZED_2_INITIATING_PROCESS_FILE_NAME),
            ),
            out(
                "InitiatingProcessFileSize",
                Type::Long,
                column(SUMMARIZED_2_INITIATING_PROCESS_FILE_SIZE),
            ),
            out(
                "InitiatingProcessId",
                Type::Long,
                column(INITIATING_PROCESS_ID),
            ),
            out(
                "InitiatingProcessCommandLine",
                Type::String,
                column(INITIATING_PROCESS_COMMAND_LINE),
            ),
            out(
                "InitiatingProcessCreationTime",
                Type::DateTime,
                column(INITIATING_PROCESS_CREATION_TIME),
            ),
            out(
                "InitiatingProcessAccountDomain",
                Type::String,
                column(INITIATING_PROCESS_ACCOUNT_DOMAIN),
            ),
            out(
                "InitiatingProcessAccountName",
                Type::String,
                column(INITIATING_PROCESS_ACCOUNT_NAME),
            ),
            out(
                "InitiatingProcessAccountSid",
                Type::String,
                column(INITIATING_PROCESS_ACCOUNT_SID),
            ),
            out(
                "InitiatingProcessAccountUpn",
                Type::String,
                column(INITIATING_PROCESS_ACCOUNT_UPN),
            ),
            out(
                "InitiatingProcessAccountObjectId",
                Type::String,
                column(INITIATING_PROCESS_ACCOUNT_OBJECT_ID),
            ),
            out(
                "InitiatingProcessVersionInfoCompanyName",
                Type::String,
                column(INITIATING_PROCESS_VERSION_INFO_COMPANY_NAME),
            ),
            out(
                "InitiatingProcessVersionInfoProductName",
                Type::String,
                column(INITIATING_PROCESS_VERSION_INFO_PRODUCT_NAME),
            ),
            out(
                "InitiatingProcessVersionInfoProductVersion",
                Type::String,
                column(INITIATING_PROCESS_VERSION_INFO_PRODUCT_VERSION),
            ),
            out(
                "InitiatingProcessVersionInfoInternalFileName",
                Type::String,
                column(INITIATING_PROCESS_VERSION_INFO_INTERNAL_FILE_NAME),
            ),
            out(
                "InitiatingProcessVersionInfoOriginalFileName",
                Type::String,
                column(INITIATING_PROCESS_VERSION_INFO_ORIGINAL_FILE_NAME),
            ),
            out(
                "InitiatingProcessVersionInfoFileDescription",
                Type::String,
                column(INITIATING_PROCESS_VERSION_INFO_FILE_DESCRIPTION),
            ),
            out(
                "InitiatingProcessParentId",
                Type::Long,
                column(INITIATING_PROCESS_PARENT_ID),
            ),
            out(
                "InitiatingProcessParentFileName",
                Type::String,
                column(INITIATING_PROCESS_PARENT_FILE_NAME),
            ),
            out(
                "InitiatingProcessParentCreationTime",
                Type::DateTime,
                column(INITIATING_PROCESS_PARENT_CREATION_TIME),
            ),
            out(
                "InitiatingProcessLogonId",
                Type::Long,
                column(INITIATING_PROCESS_LOGON_ID),
            ),
            out("ReportId", Type::Long, column(REPORT_ID)),
            out(
                "AppGuardContainerId",
                Type::String,
                column(APP_GUARD_CONTAINER_ID),
            ),
            out("AdditionalFields", Type::String, column(ADDITIONAL_FIELDS)),
            out(
                "InitiatingProcessSessionId",
                Type::Long,
                column(INITIATING_PROCESS_SESSION_ID),
            ),
            out(
                "IsInitiatingProcessRemoteSession",
                Type::Bool,
                column(IS_INITIATING_PROCESS_REMOTE_SESSION),
            ),
            out(
                "InitiatingProcessRemoteSessionDeviceName",
                Type::String,
                column(INITIATING_PROCESS_REMOTE_SESSION_DEVICE_NAME),
            ),
            out(
                "InitiatingProcessRemoteSessionIP",
                Type::String,
                column(INITIATING_PROCESS_REMOTE_SESSION_IP),
            ),
            out(
                "CreatedProcessSessionId",
                Type::Long,
                column(CREATED_PROCESS_SESSION_ID),
            ),
            out(
                "IsProcessRemoteSession",
                Type::Bool,
                column(IS_PROCESS_REMOTE_SESSION),
            ),
            out(
                "ProcessRemoteSessionDeviceName",
                Type::String,
                column(PROCESS_REMOTE_SESSION_DEVICE_NAME),
            ),
            out(
                "ProcessRemoteSessionIP",
                Type::String,
                column(PROCESS_REMOTE_SESSION_IP),
            ),
            out(
                "InitiatingProcessUniqueId",
                Type::String,
                column(INITIATING_PROCESS_UNIQUE_ID),
            ),
            out("DeviceCount", Type::Long, column(JOINED_DEVICE_COUNT)),
            out("Prevalence", Type::Long, column(JOINED_PREVALENCE)),
            out("Signer", Type::String, column(JOINED_SIGNER)),
            out("ValidlySigned", Type::Bool, column(JOINED_VALIDLY_SIGNED)),
            out("InjectionTargets", Type::Dynamic, column(INJECTION_TARGETS)),
            out("InjectionCalls", Type::Dynamic, column(INJECTION_CALLS)),
            out("HashAlgorithm", Type::String, column(HASH_ALGORITHM)),
        ],
    )?;
    // | project-reorder Timestamp, DeviceName, InitiatingProcessFolderPath, InitiatingProcessCommandLine, InjectionTargets, Inje …
    ops::project(
        &t,
        &[
            out("Timestamp", Type::DateTime, column(SUMMARIZED_2_TIMESTAMP)),
            out("DeviceName", Type::String, column(SUMMARIZED_2_DEVICE_NAME)),
            out(
                "InitiatingProcessFolderPath",
                Type::String,
                column(SUMMARIZED_2_INITIATING_PROCESS_FOLDER_PATH),
            ),
            out(
                "InitiatingProcessCommandLine",
                Type::String,
                column(INITIATING_PROCESS_COMMAND_LINE),
            ),
            out(
                "InjectionTargets",
                Type::Dynamic,
                column(PROJECTED_2_INJECTION_TARGETS),
            ),
            out(
                "InjectionCalls",
                Type::Dynamic,
                column(PROJECTED_2_INJECTION_CALLS),
            ),
            out("Prevalence", Type::Long, column(PROJECTED_2_PREVALENCE)),
            out("Signer", Type::String, column(PROJECTED_2_SIGNER)),
            out("DeviceId", Type::String, column(SUMMARIZED_2_DEVICE_ID)),
            out("ActionType", Type::String, column(SUMMARIZED_2_ACTION_TYPE)),
            out("FileName", Type::String, column(SUMMARIZED_2_FILE_NAME)),
            out("FolderPath", Type::String, column(SUMMARIZED_2_FOLDER_PATH)),
            out("SHA1", Type::String, column(SUMMARIZED_2_SHA1)),
            out("SHA256", Type::String, column(SUMMARIZED_2_SHA256)),
            out("MD5", Type::String, column(SUMMARIZED_2_MD5)),
            out("FileSize", Type::Long, column(SUMMARIZED_2_FILE_SIZE)),
            out(
                "AccountDomain",
                Type::String,
                column(SUMMARIZED_2_ACCOUNT_DOMAIN),
            ),
            out(
                "AccountName",
                Type::String,
                column(SUMMARIZED_2_ACCOUNT_NAME),
            ),
            out("AccountSid", Type::String, column(SUMMARIZED_2_ACCOUNT_SID)),
            out("RemoteUrl", Type::String, column(SUMMARIZED_2_REMOTE_URL)),
            out(
                "RemoteDeviceName",
                Type::String,
                column(SUMMARIZED_2_REMOTE_DEVICE_NAME),
            ),
            out("ProcessId", Type::Long, column(SUMMARIZED_2_PROCESS_ID)),
            out(
                "ProcessCommandLine",
                Type::String,
                column(SUMMARIZED_2_PROCESS_COMMAND_LINE),
            ),
            out(
                "ProcessCreationTime",
                Type::DateTime,
                column(SUMMARIZED_2_PROCESS_CREATION_TIME),
            ),
            out(
                "ProcessTokenElevation",
                Type::String,
                column(SUMMARIZED_2_PROCESS_TOKEN_ELEVATION),
            ),
            out("LogonId", Type::Long, column(SUMMARIZED_2_LOGON_ID)),
            out(
                "RegistryKey",
                Type::String,
                column(SUMMARIZED_2_REGISTRY_KEY),
            ),
            out(
                "RegistryValueName",
                Type::String,
                column(SUMMARIZED_2_REGISTRY_VALUE_NAME),
            ),
            out(
                "RegistryValueData",
                Type::String,
                column(SUMMARIZED_2_REGISTRY_VALUE_DATA),
            ),
            out("RemoteIP", Type::String, column(SUMMARIZED_2_REMOTE_IP)),
            out("RemotePort", Type::Int, column(SUMMARIZED_2_REMOTE_PORT)),
            out("LocalIP", Type::String, column(SUMMARIZED_2_LOCAL_IP)),
            out("LocalPort", Type::Int, column(SUMMARIZED_2_LOCAL_PORT)),
            out(
                "FileOriginUrl",
                Type::String,
                column(SUMMARIZED_2_FILE_ORIGIN_URL),
            ),
            out(
                "FileOriginIP",
                Type::String,
                column(SUMMARIZED_2_FILE_ORIGIN_IP),
            ),
            out(
                "InitiatingProcessSHA1",
                Type::String,
                column(SUMMARIZED_2_INITIATING_PROCESS_SHA1),
            ),
            out(
                "InitiatingProcessSHA256",
                Type::String,
                column(SUMMARIZED_2_INITIATING_PROCESS_SHA256),
            ),
            out(
                "InitiatingProcessMD5",
                Type::String,
                column(SUMMARIZED_2_INITIATING_PROCESS_MD5),
            ),
            out(
                "InitiatingProcessFileName",
                Type::String,
                column(SUMMARIZED_2_INITIATING_PROCESS_FILE_NAME),
            ),
            out(
                "InitiatingProcessFileSize",
                Type::Long,
                column(SUMMARIZED_2_INITIATING_PROCESS_FILE_SIZE),
            ),
            out(
                "InitiatingProcessId",
                Type::Long,
                column(INITIATING_PROCESS_ID),
            ),
            out(
                "InitiatingProcessCreationTime",
                Type::DateTime,
                column(INITIATING_PROCESS_CREATION_TIME),
            ),
            out(
                "InitiatingProcessAccountDomain",
                Type::String,
                column(INITIATING_PROCESS_ACCOUNT_DOMAIN),
            ),
            out(
                "InitiatingProcessAccountName",
                Type::String,
                column(INITIATING_PROCESS_ACCOUNT_NAME),
            ),
            out(
                "InitiatingProcessAccountSid",
                Type::String,
                column(INITIATING_PROCESS_ACCOUNT_SID),
            ),
            out(
                "InitiatingProcessAccountUpn",
                Type::String,
                column(INITIATING_PROCESS_ACCOUNT_UPN),
            ),
            out(
                "InitiatingProcessAccountObjectId",
                Type::String,
                column(INITIATING_PROCESS_ACCOUNT_OBJECT_ID),
            ),
            out(
                "InitiatingProcessVersionInfoCompanyName",
                Type::String,
                column(INITIATING_PROCESS_VERSION_INFO_COMPANY_NAME),
            ),
            out(
                "InitiatingProcessVersionInfoProductName",
                Type::String,
                column(INITIATING_PROCESS_VERSION_INFO_PRODUCT_NAME),
            ),
            out(
                "InitiatingProcessVersionInfoProductVersion",
                Type::String,
                column(INITIATING_PROCESS_VERSION_INFO_PRODUCT_VERSION),
            ),
            out(
                "InitiatingProcessVersionInfoInternalFileName",
                Type::String,
                column(INITIATING_PROCESS_VERSION_INFO_INTERNAL_FILE_NAME),
            ),
            out(
                "InitiatingProcessVersionInfoOriginalFileName",
                Type::String,
                column(INITIATING_PROCESS_VERSION_INFO_ORIGINAL_FILE_NAME),
            ),
            out(
                "InitiatingProcessVersionInfoFileDescription",
                Type::String,
                column(INITIATING_PROCESS_VERSION_INFO_FILE_DESCRIPTION),
            ),
            out(
                "InitiatingProcessParentId",
                Type::Long,
                column(INITIATING_PROCESS_PARENT_ID),
            ),
            out(
                "InitiatingProcessParentFileName",
                Type::String,
                column(INITIATING_PROCESS_PARENT_FILE_NAME),
            ),
            out(
                "InitiatingProcessParentCreationTime",
                Type::DateTime,
                column(INITIATING_PROCESS_PARENT_CREATION_TIME),
            ),
            out(
                "InitiatingProcessLogonId",
                Type::Long,
                column(INITIATING_PROCESS_LOGON_ID),
            ),
            out("ReportId", Type::Long, column(REPORT_ID)),
            out(
                "AppGuardContainerId",
                Type::String,
                column(APP_GUARD_CONTAINER_ID),
            ),
            out("AdditionalFields", Type::String, column(ADDITIONAL_FIELDS)),
            out(
                "InitiatingProcessSessionId",
                Type::Long,
                column(INITIATING_PROCESS_SESSION_ID),
            ),
            out(
                "IsInitiatingProcessRemoteSession",
                Type::Bool,
                column(IS_INITIATING_PROCESS_REMOTE_SESSION),
            ),
            out(
                "InitiatingProcessRemoteSessionDeviceName",
                Type::String,
                column(INITIATING_PROCESS_REMOTE_SESSION_DEVICE_NAME),
            ),
            out(
                "InitiatingProcessRemoteSessionIP",
                Type::String,
                column(INITIATING_PROCESS_REMOTE_SESSION_IP),
            ),
            out(
                "CreatedProcessSessionId",
                Type::Long,
                column(CREATED_PROCESS_SESSION_ID),
            ),
            out(
                "IsProcessRemoteSession",
                Type::Bool,
                column(IS_PROCESS_REMOTE_SESSION),
            ),
            out(
                "ProcessRemoteSessionDeviceName",
                Type::String,
                column(PROCESS_REMOTE_SESSION_DEVICE_NAME),
            ),
            out(
                "ProcessRemoteSessionIP",
                Type::String,
                column(PROCESS_REMOTE_SESSION_IP),
            ),
            out(
                "InitiatingProcessUniqueId",
                Type::String,
                column(INITIATING_PROCESS_UNIQUE_ID),
            ),
            out("DeviceCount", Type::Long, column(PROJECTED_2_DEVICE_COUNT)),
            out(
                "ValidlySigned",
                Type::Bool,
                column(PROJECTED_2_VALIDLY_SIGNED),
            ),
            out(
                "HashAlgorithm",
                Type::String,
                column(PROJECTED_2_HASH_ALGORITHM),
            ),
        ],
    )
}

/// `let Injections = materialize(DeviceEvents | where ingestion_time() >= ago(timeframe) | where ActionType in~ (RemoteCalls …`
fn injections(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // DeviceEvents
    context.scan("DeviceEvents", &device_events(), None, |t| {
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
            row.str(SOURCE_FOLDER).is_empty() || row.str(SOURCE_FOLDER) != row.str(TARGET_FOLDER)
        })
    })
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
    ops::project(
        &t,
        &[
            out(
                "InitiatingProcessSHA1",
                Type::String,
                column(SUMMARIZED_INITIATING_PROCESS_SHA1),
            ),
            out("DeviceCount", Type::Long, column(DEVICE_COUNT)),
            out("Prevalence", Type::Long, column(PREVALENCE)),
            out("Signer", Type::String, column(SIGNER)),
            out("ValidlySigned", Type::Bool, column(VALIDLY_SIGNED)),
        ],
    )
}

/// The columns of `DeviceEvents` that the rule reads.
fn device_events() -> Schema {
    Schema::of(&[
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
    ])
}
