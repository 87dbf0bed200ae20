//! RL-0021-inbox-rule-forwards-or-hides-mail: Inbox Rule Forwards Or Hides Mail
//!
//! Made by rulec 0.1.0 from rules/collection/RL-0021-inbox-rule-forwards-or-hides-mail.md
//! sha256 8c0857f0578931d6cf243d98c704229db27204c363fc340dffff1d13d23bd40b

use std::sync::LazyLock;

use rulec_functions::fold::{eq_fold, starts_fold};
use rulec_functions::{
    aggregate, arithmetic, compare, conditional, conversion, dynamic, matching, patterns, strings,
};
use rulec_runtime::alert::RuleInfo;
use rulec_runtime::cli::Rule;
use rulec_runtime::emitted::one_of_fold;
use rulec_runtime::ops::{self, agg, column, each, holds, out};
use rulec_runtime::{Batch, Context, RuntimeError, Schema, Type, Value};

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
const TIME_GENERATED: usize = 6;
const OPERATION: usize = 7;
const OFFICE_WORKLOAD: usize = 11;
const RESULT_STATUS: usize = 12;
const OFFICE_OBJECT_ID: usize = 14;
const USER_ID: usize = 15;
const CLIENT_IP: usize = 16;
const PARAMETERS: usize = 35;

// The columns after `mv-apply Parameter = parse_json(Parameters) on ( …`.
const PARAMETER: usize = 144;
const PARAMETER_NAME: usize = 145;
const PARAMETER_VALUE: usize = 146;
const KIND: usize = 147;

// The columns after `summarize Forwards = countif(Kind == "forward"), Hides = countif(Kind == "hide"), Words = countif(Kind == "word"), Suspi …`.
const FORWARDS: usize = 0;
const HIDES: usize = 1;
const WORDS: usize = 2;
const SUSPICIOUS_ACTIONS: usize = 3;
const SUSPICIOUS_VALUES: usize = 4;

// The columns after `mv-apply Parameter = parse_json(Parameters) on ( …`.
const APPLIED_TIME_GENERATED: usize = 0;
const APPLIED_OPERATION: usize = 1;
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
const PROJECTED_CLIENT_ADDRESS: usize = 3;
const PROJECTED_RESULT_STATUS: usize = 4;
const PROJECTED_OFFICE_OBJECT_ID: usize = 5;
const PROJECTED_SUSPICIOUS_ACTIONS: usize = 6;
const PROJECTED_SUSPICIOUS_VALUES: usize = 7;
const DEDUP_ENTITY: usize = 8;

// The columns of `SecurityAlert` that the rule reads.
const ALERT_NAME: usize = 1;
const EXTENDED_PROPERTIES: usize = 2;
const DETAILS: usize = 3;

// The columns after `project DedupEntity = tostring(Details.DedupEntity[0])`.
const RIGHT_COLUMNS_DEDUP_ENTITY: usize = 0;

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
        "RL-0021-inbox-rule-forwards-or-hides-mail",
        "Inbox Rule Forwards Or Hides Mail",
        "medium",
    );
    let info = info.entity("Account", &[("FullName", "UserId")]);
    let info = info.entity("Mailbox", &[("MailboxPrimaryAddress", "UserId")]);
    info.entity("IP", &[("Address", "ClientAddress")])
}

/// The rows that the rule gives.
pub fn evaluate(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // OfficeActivity
    let t = context.scan("OfficeActivity", &office_activity(), None, |t| {
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
        // | mv-apply Parameter = parse_json(Parameters) on ( …
        let expand = ops::Expand {
            schema: item_columns(),
            items: vec![ops::item(
                each(|row| conversion::todynamic(&[row.get(PARAMETERS)])),
                144,
                Type::Dynamic,
            )],
            passed: vec![
                Some(0),
                Some(1),
                Some(2),
                Some(3),
                Some(4),
                Some(5),
                Some(6),
                Some(7),
                Some(8),
                Some(9),
                Some(10),
                Some(11),
                Some(12),
                Some(13),
                Some(14),
                Some(15),
                Some(16),
                Some(17),
                Some(18),
                Some(19),
                Some(20),
                Some(21),
                Some(22),
                Some(23),
                Some(24),
                Some(25),
                Some(26),
                Some(27),
                Some(28),
                Some(29),
                Some(30),
                Some(31),
                Some(32),
                Some(33),
                Some(34),
                Some(35),
                Some(36),
                Some(37),
                Some(38),
                Some(39),
                Some(40),
                Some(41),
                Some(42),
                Some(43),
                Some(44),
                Some(45),
                Some(46),
                Some(47),
                Some(48),
                Some(49),
                Some(50),
                Some(51),
                Some(52),
                Some(53),
                Some(54),
                Some(55),
                Some(56),
                Some(57),
                Some(58),
                Some(59),
                Some(60),
                Some(61),
                Some(62),
                Some(63),
                Some(64),
                Some(65),
                Some(66),
                Some(67),
                Some(68),
                Some(69),
                Some(70),
                Some(71),
                Some(72),
                Some(73),
                Some(74),
                Some(75),
                Some(76),
                Some(77),
                Some(78),
                Some(79),
                Some(80),
                Some(81),
                Some(82),
                Some(83),
                Some(84),
                Some(85),
                Some(86),
                Some(87),
                Some(88),
                Some(89),
                Some(90),
                Some(91),
                Some(92),
                Some(93),
                Some(94),
                Some(95),
                Some(96),
                Some(97),
                Some(98),
                Some(99),
                Some(100),
                Some(101),
                Some(102),
                Some(103),
                Some(104),
                Some(105),
                Some(106),
                Some(107),
                Some(108),
                Some(109),
                Some(110),
                Some(111),
                Some(112),
                Some(113),
                Some(114),
                Some(115),
                Some(116),
                Some(117),
                Some(118),
                Some(119),
                Some(120),
                Some(121),
                Some(122),
                Some(123),
                Some(124),
                Some(125),
                Some(126),
                Some(127),
                Some(128),
                Some(129),
                Some(130),
                Some(131),
                Some(132),
                Some(133),
                Some(134),
                Some(135),
                Some(136),
                Some(137),
                Some(138),
                Some(139),
                Some(140),
                Some(141),
                Some(142),
                Some(143),
                None,
            ],
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
        let t = ops::mv_apply(&t, &expand, &picks, apply_items)?;
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
        let t = ops::project(
            &t,
            &[
                out(
                    "TimeGenerated",
                    Type::DateTime,
                    column(APPLIED_TIME_GENERATED),
                ),
                out("Operation", Type::String, column(APPLIED_OPERATION)),
                out("UserId", Type::String, column(APPLIED_USER_ID)),
                out("ClientAddress", Type::String, column(CLIENT_ADDRESS)),
                out("ResultStatus", Type::String, column(APPLIED_RESULT_STATUS)),
                out(
                    "OfficeObjectId",
                    Type::String,
                    column(APPLIED_OFFICE_OBJECT_ID),
                ),
                out(
                    "SuspiciousActions",
                    Type::Dynamic,
                    column(APPLIED_SUSPICIOUS_ACTIONS),
                ),
                out(
                    "SuspiciousValues",
                    Type::Dynamic,
                    column(APPLIED_SUSPICIOUS_VALUES),
                ),
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
    })?;
    // | join kind=leftanti ( …
    let right = join_security_alert(context)?;
    ops::join(
        &t,
        &right,
        ops::JoinKind::LeftAnti,
        &[column(DEDUP_ENTITY)],
        &[column(RIGHT_COLUMNS_DEDUP_ENTITY)],
        &[
            ops::left("TimeGenerated", APPLIED_TIME_GENERATED),
            ops::left("Operation", APPLIED_OPERATION),
            ops::left("UserId", PROJECTED_USER_ID),
            ops::left("ClientAddress", PROJECTED_CLIENT_ADDRESS),
            ops::left("ResultStatus", PROJECTED_RESULT_STATUS),
            ops::left("OfficeObjectId", PROJECTED_OFFICE_OBJECT_ID),
            ops::left("SuspiciousActions", PROJECTED_SUSPICIOUS_ACTIONS),
            ops::left("SuspiciousValues", PROJECTED_SUSPICIOUS_VALUES),
            ops::left("DedupEntity", DEDUP_ENTITY),
        ],
    )
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
    // | extend Kind = case( …
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

/// `project DedupEntity = tostring(Details.DedupEntity[0])`
fn join_security_alert(context: &Context<'_>) -> Result<Batch, RuntimeError> {
    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);
    // SecurityAlert
    context.scan("SecurityAlert", &security_alert(), None, |t| {
        // | where TimeGenerated >= ago(timeframe)
        let t = ops::filter(t, |row| {
            holds(&compare::ge(&[
                row.get(APPLIED_TIME_GENERATED),
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
        ops::project(
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
        )
    })
}

/// The columns of `OfficeActivity` that the rule reads.
fn office_activity() -> Schema {
    Schema::of(&[
        ("TenantId", Type::String),
        ("Application", Type::String),
        ("UserDomain", Type::String),
        ("Activity", Type::String),
        ("UserAgent", Type::String),
        ("RecordType", Type::String),
        ("TimeGenerated", Type::DateTime),
        ("Operation", Type::String),
        ("OrganizationId", Type::String),
        ("UserType", Type::String),
        ("UserKey", Type::String),
        ("OfficeWorkload", Type::String),
        ("ResultStatus", Type::String),
        ("ResultReasonType", Type::String),
        ("OfficeObjectId", Type::String),
        ("UserId", Type::String),
        ("ClientIP", Type::String),
        ("Site_", Type::String),
        ("ItemType", Type::String),
        ("EventSource", Type::String),
        ("Source_Name", Type::String),
        ("MachineDomainInfo", Type::String),
        ("MachineId", Type::String),
        ("Site_Url", Type::String),
        ("SourceRelativeUrl", Type::String),
        ("SourceFileName", Type::String),
        ("SourceFileExtension", Type::String),
        ("DestinationRelativeUrl", Type::String),
        ("DestinationFileName", Type::String),
        ("DestinationFileExtension", Type::String),
        ("UserSharedWith", Type::String),
        ("SharingType", Type::String),
        ("CustomEvent", Type::String),
        ("Event_Data", Type::String),
        ("ModifiedObjectResolvedName", Type::String),
        ("Parameters", Type::String),
        ("ExternalAccess", Type::String),
        ("OriginatingServer", Type::String),
        ("OrganizationName", Type::String),
        ("Logon_Type", Type::String),
        ("InternalLogonType", Type::Int),
        ("MailboxGuid", Type::String),
        ("MailboxOwnerUPN", Type::String),
        ("MailboxOwnerSid", Type::String),
        ("MailboxOwnerMasterAccountSid", Type::String),
        ("LogonUserSid", Type::String),
        ("LogonUserDisplayName", Type::String),
        ("ClientInfoString", Type::String),
        ("Client_IPAddress", Type::String),
        ("ClientMachineName", Type::String),
        ("ClientProcessName", Type::String),
        ("ClientVersion", Type::String),
        ("Folder", Type::String),
        ("CrossMailboxOperations", Type::Bool),
        ("DestMailboxId", Type::String),
        ("DestMailboxOwnerUPN", Type::String),
        ("DestMailboxOwnerSid", Type::String),
        ("DestMailboxOwnerMasterAccountSid", Type::String),
        ("DestFolder", Type::String),
        ("Folders", Type::String),
        ("AffectedItems", Type::String),
        ("Item", Type::String),
        ("ModifiedProperties", Type::String),
        ("SendAsUserSmtp", Type::String),
        ("SendAsUserMailboxGuid", Type::String),
        ("SendOnBehalfOfUserSmtp", Type::String),
        ("SendonBehalfOfUserMailboxGuid", Type::String),
        ("ExtendedProperties", Type::String),
        ("Client", Type::String),
        ("LoginStatus", Type::Int),
        ("Actor", Type::String),
        ("ActorContextId", Type::String),
        ("ActorIpAddress", Type::String),
        ("InterSystemsId", Type::String),
        ("IntraSystemId", Type::String),
        ("SupportTicketId", Type::String),
        ("TargetContextId", Type::String),
        ("DataCenterSecurityEventType", Type::Int),
        ("EffectiveOrganization", Type::String),
        ("ElevationTime", Type::DateTime),
        ("ElevationApprover", Type::String),
        ("ElevationApprovedTime", Type::DateTime),
        ("ElevationRequestId", Type::String),
        ("ElevationRole", Type::String),
        ("ElevationDuration", Type::Int),
        ("GenericInfo", Type::String),
        ("SourceSystem", Type::String),
        ("OfficeId", Type::String),
        ("SourceRecordId", Type::String),
        ("AzureActiveDirectory_EventType", Type::String),
        ("AADTarget", Type::String),
        ("Start_Time", Type::DateTime),
        ("OfficeTenantId", Type::String),
        ("TargetUserOrGroupName", Type::String),
        ("TargetUserOrGroupType", Type::String),
        ("MessageId", Type::String),
        ("Members", Type::Dynamic),
        ("TeamName", Type::String),
        ("TeamGuid", Type::String),
        ("ChannelType", Type::String),
        ("ChannelName", Type::String),
        ("ChannelGuid", Type::String),
        ("ExtraProperties", Type::Dynamic),
        ("AddOnType", Type::String),
        ("AddonName", Type::String),
        ("TabType", Type::String),
        ("Name", Type::String),
        ("OldValue", Type::String),
        ("NewValue", Type::String),
        ("ItemName", Type::String),
        ("ChatThreadId", Type::String),
        ("ChatName", Type::String),
        ("CommunicationType", Type::String),
        ("AADGroupId", Type::String),
        ("AddOnGuid", Type::String),
        ("AppDistributionMode", Type::String),
        ("TargetUserId", Type::String),
        ("OperationScope", Type::String),
        ("AzureADAppId", Type::String),
        ("OperationProperties", Type::Dynamic),
        ("AppId", Type::String),
        ("ClientAppId", Type::String),
        ("ApplicationId", Type::String),
        ("SRPolicyId", Type::String),
        ("SRPolicyName", Type::String),
        ("SRRuleMatchDetails", Type::Dynamic),
        ("IsManagedDevice", Type::Bool),
        ("AppPoolName", Type::String),
        ("AppAccessContext", Type::Dynamic),
        ("Attendees", Type::Dynamic),
        ("ArtifactsShared", Type::Dynamic),
        ("IsJoinedFromLobby", Type::Bool),
        ("JoinTime", Type::DateTime),
        ("LeaveTime", Type::DateTime),
        ("DeviceInformation", Type::String),
        ("MeetingDetailId", Type::String),
        ("ListItemUniqueId", Type::String),
        ("SensitivityLabelId", Type::String),
        ("UniqueSharingId", Type::String),
        ("Type", Type::String),
        ("_IsBillable", Type::String),
        ("_BilledSize", Type::Real),
        ("_ResourceId", Type::String),
        ("_SubscriptionId", Type::String),
    ])
}

/// The columns after `summarize Forwards = countif(Kind == "forward"), Hides = countif(Kind == "hide"), Words = countif(Kind == "word"), Suspi …`.
fn item_columns() -> Schema {
    Schema::of(&[
        ("TenantId", Type::String),
        ("Application", Type::String),
        ("UserDomain", Type::String),
        ("Activity", Type::String),
        ("UserAgent", Type::String),
        ("RecordType", Type::String),
        ("TimeGenerated", Type::DateTime),
        ("Operation", Type::String),
        ("OrganizationId", Type::String),
        ("UserType", Type::String),
        ("UserKey", Type::String),
        ("OfficeWorkload", Type::String),
        ("ResultStatus", Type::String),
        ("ResultReasonType", Type::String),
        ("OfficeObjectId", Type::String),
        ("UserId", Type::String),
        ("ClientIP", Type::String),
        ("Site_", Type::String),
        ("ItemType", Type::String),
        ("EventSource", Type::String),
        ("Source_Name", Type::String),
        ("MachineDomainInfo", Type::String),
        ("MachineId", Type::String),
        ("Site_Url", Type::String),
        ("SourceRelativeUrl", Type::String),
        ("SourceFileName", Type::String),
        ("SourceFileExtension", Type::String),
        ("DestinationRelativeUrl", Type::String),
        ("DestinationFileName", Type::String),
        ("DestinationFileExtension", Type::String),
        ("UserSharedWith", Type::String),
        ("SharingType", Type::String),
        ("CustomEvent", Type::String),
        ("Event_Data", Type::String),
        ("ModifiedObjectResolvedName", Type::String),
        ("Parameters", Type::String),
        ("ExternalAccess", Type::String),
        ("OriginatingServer", Type::String),
        ("OrganizationName", Type::String),
        ("Logon_Type", Type::String),
        ("InternalLogonType", Type::Int),
        ("MailboxGuid", Type::String),
        ("MailboxOwnerUPN", Type::String),
        ("MailboxOwnerSid", Type::String),
        ("MailboxOwnerMasterAccountSid", Type::String),
        ("LogonUserSid", Type::String),
        ("LogonUserDisplayName", Type::String),
        ("ClientInfoString", Type::String),
        ("Client_IPAddress", Type::String),
        ("ClientMachineName", Type::String),
        ("ClientProcessName", Type::String),
        ("ClientVersion", Type::String),
        ("Folder", Type::String),
        ("CrossMailboxOperations", Type::Bool),
        ("DestMailboxId", Type::String),
        ("DestMailboxOwnerUPN", Type::String),
        ("DestMailboxOwnerSid", Type::String),
        ("DestMailboxOwnerMasterAccountSid", Type::String),
        ("DestFolder", Type::String),
        ("Folders", Type::String),
        ("AffectedItems", Type::String),
        ("Item", Type::String),
        ("ModifiedProperties", Type::String),
        ("SendAsUserSmtp", Type::String),
        ("SendAsUserMailboxGuid", Type::String),
        ("SendOnBehalfOfUserSmtp", Type::String),
        ("SendonBehalfOfUserMailboxGuid", Type::String),
        ("ExtendedProperties", Type::String),
        ("Client", Type::String),
        ("LoginStatus", Type::Int),
        ("Actor", Type::String),
        ("ActorContextId", Type::String),
        ("ActorIpAddress", Type::String),
        ("InterSystemsId", Type::String),
        ("IntraSystemId", Type::String),
        ("SupportTicketId", Type::String),
        ("TargetContextId", Type::String),
        ("DataCenterSecurityEventType", Type::Int),
        ("EffectiveOrganization", Type::String),
        ("ElevationTime", Type::DateTime),
        ("ElevationApprover", Type::String),
        ("ElevationApprovedTime", Type::DateTime),
        ("ElevationRequestId", Type::String),
        ("ElevationRole", Type::String),
        ("ElevationDuration", Type::Int),
        ("GenericInfo", Type::String),
        ("SourceSystem", Type::String),
        ("OfficeId", Type::String),
        ("SourceRecordId", Type::String),
        ("AzureActiveDirectory_EventType", Type::String),
        ("AADTarget", Type::String),
        ("Start_Time", Type::DateTime),
        ("OfficeTenantId", Type::String),
        ("TargetUserOrGroupName", Type::String),
        ("TargetUserOrGroupType", Type::String),
        ("MessageId", Type::String),
        ("Members", Type::Dynamic),
        ("TeamName", Type::String),
        ("TeamGuid", Type::String),
        ("ChannelType", Type::String),
        ("ChannelName", Type::String),
        ("ChannelGuid", Type::String),
        ("ExtraProperties", Type::Dynamic),
        ("AddOnType", Type::String),
        ("AddonName", Type::String),
        ("TabType", Type::String),
        ("Name", Type::String),
        ("OldValue", Type::String),
        ("NewValue", Type::String),
        ("ItemName", Type::String),
        ("ChatThreadId", Type::String),
        ("ChatName", Type::String),
        ("CommunicationType", Type::String),
        ("AADGroupId", Type::String),
        ("AddOnGuid", Type::String),
        ("AppDistributionMode", Type::String),
        ("TargetUserId", Type::String),
        ("OperationScope", Type::String),
        ("AzureADAppId", Type::String),
        ("OperationProperties", Type::Dynamic),
        ("AppId", Type::String),
        ("ClientAppId", Type::String),
        ("ApplicationId", Type::String),
        ("SRPolicyId", Type::String),
        ("SRPolicyName", Type::String),
        ("SRRuleMatchDetails", Type::Dynamic),
        ("IsManagedDevice", Type::Bool),
        ("AppPoolName", Type::String),
        ("AppAccessContext", Type::Dynamic),
        ("Attendees", Type::Dynamic),
        ("ArtifactsShared", Type::Dynamic),
        ("IsJoinedFromLobby", Type::Bool),
        ("JoinTime", Type::DateTime),
        ("LeaveTime", Type::DateTime),
        ("DeviceInformation", Type::String),
        ("MeetingDetailId", Type::String),
        ("ListItemUniqueId", Type::String),
        ("SensitivityLabelId", Type::String),
        ("UniqueSharingId", Type::String),
        ("Type", Type::String),
        ("_IsBillable", Type::String),
        ("_BilledSize", Type::Real),
        ("_ResourceId", Type::String),
        ("_SubscriptionId", Type::String),
        ("Parameter", Type::Dynamic),
    ])
}

/// The columns of `SecurityAlert` that the rule reads.
fn security_alert() -> Schema {
    Schema::of(&[
        ("TimeGenerated", Type::DateTime),
        ("AlertName", Type::String),
        ("ExtendedProperties", Type::String),
    ])
}
