//! Rows of `DeviceProcessEvents` and `DeviceEvents`, every column of the
//! shipped schema in its order.
//!
//! Deliberately absent: `LogonID`, which the reference lists after
//! `LogonId`, and which a tool that folds the case of columns cannot read.

use fastrand::Rng;

use crate::programs::PROGRAMS;
use crate::row::{Row, TICKS, escaped, fill, guid, pick};
use crate::words::{ACTIONS, ATTACKS, BAD_PIPES, DISCOVERY, PIPES};
use crate::world::{Account, Device, File, World, file};

/// 2026-01-15T10:00:00Z.
pub const START: u64 = 1_768_471_200 * TICKS;
/// All events lie within two hours, which is what the rules look back.
pub const SPAN: u64 = 7200 * TICKS;

/// One row in this many is what some rule looks for.
const ATTACK: u64 = 1000;
/// A burst of discovery starts once in this many rows.
const BURST: u64 = 20_000;

/// What one row is made with.
pub struct Event<'a> {
    pub world: &'a World,
    pub rng: &'a mut Rng,
    /// Its place among all rows, from 0, and how many there are.
    pub at: u64,
    pub rows: u64,
    /// Whether the fields of process starts have the names of Sigma.
    pub sigma: bool,
}

impl Event<'_> {
    /// When: the later the higher the place.
    fn time(&mut self) -> u64 {
        let step = SPAN / self.rows.max(1);
        START + self.at * step + self.rng.u64(..step.max(1))
    }
}

/// A process that was started or did something.
struct Process<'a> {
    file: &'a File,
    account: &'a Account,
    command: String,
    id: u64,
    created: u64,
}

fn path(file: &File) -> String {
    format!("{}\\{}", file.folder, file.name)
}

/// A row of `DeviceProcessEvents`.
pub fn process(event: &mut Event<'_>, out: &mut Vec<u8>) {
    let time = event.time();
    let (world, at) = (event.world, event.at);
    let burst = (at % BURST) as usize;
    let (device, account) = if burst < DISCOVERY.len() {
        let device = &world.devices[(at / BURST * 37) as usize % world.devices.len()];
        (device, &world.people[device.owner])
    } else {
        let device = world.device(event.rng);
        (device, world.account(device, event.rng))
    };
    let user = account.name.as_str();
    let mut command = String::with_capacity(256);
    let own;
    let file = if burst < DISCOVERY.len() {
        let (name, rest) = DISCOVERY[burst];
        command.push_str(name);
        command.push_str(rest);
        own = file(
            name,
            crate::words::SYSTEM,
            ["Microsoft Corporation", "", ""],
            2_000_000 + burst as u64,
        );
        &own
    } else if event.rng.u64(..ATTACK) == 0 {
        let (name, folder, template) = ATTACKS[event.rng.usize(..ATTACKS.len())];
        fill(&mut command, template, user, event.rng);
        own = file(name, folder, ["", "", ""], 3_000_000 + event.rng.u64(..500));
        &own
    } else {
        let program = world.programs[event.rng.usize(..world.programs.len())];
        fill(
            &mut command,
            pick(PROGRAMS[program].commands, event.rng),
            user,
            event.rng,
        );
        world.file(program, event.rng)
    };
    let process = Process {
        file,
        account,
        command,
        id: event.rng.u64(1000..60_000),
        created: time - event.rng.u64(..TICKS),
    };
    let starter = starter(event, device, time);
    let mut row = Row::begin(out);
    row.sigma = event.sigma;
    head(&mut row, device, "ProcessCreated", time);
    row.text("FileName", file.name);
    row.text("FolderPath", &path(file));
    row.text("SHA1", &file.sha1);
    row.text("SHA256", &file.sha256);
    row.text("MD5", &file.md5);
    row.number("FileSize", file.size);
    version(&mut row, "", file);
    row.number("ProcessId", process.id);
    row.text("ProcessCommandLine", &process.command);
    let level = level(account);
    row.text("ProcessIntegrityLevel", level);
    row.text("ProcessTokenElevation", elevation(level));
    row.time("ProcessCreationTime", process.created);
    row.text("AccountDomain", account.domain);
    row.text("AccountName", &account.name);
    row.text("AccountSid", &account.sid);
    row.text("AccountUpn", &account.upn);
    row.text("AccountObjectId", &account.object);
    row.number("LogonId", 999 + event.rng.u64(..4_000_000));
    let by = starter.account;
    row.text("InitiatingProcessAccountDomain", by.domain);
    row.text("InitiatingProcessAccountName", &by.name);
    row.text("InitiatingProcessAccountSid", &by.sid);
    row.text("InitiatingProcessAccountUpn", &by.upn);
    row.text("InitiatingProcessAccountObjectId", &by.object);
    row.number("InitiatingProcessLogonId", 999 + event.rng.u64(..4_000_000));
    row.text("InitiatingProcessIntegrityLevel", self::level(by));
    row.text("InitiatingProcessTokenElevation", elevation(self::level(by)));
    row.text("InitiatingProcessSHA1", &starter.file.sha1);
    row.text("InitiatingProcessSHA256", &starter.file.sha256);
    row.text("InitiatingProcessMD5", &starter.file.md5);
    row.text("InitiatingProcessFileName", starter.file.name);
    row.number("InitiatingProcessFileSize", starter.file.size);
    version(&mut row, "Initiating", starter.file);
    row.number("InitiatingProcessId", starter.id);
    row.text("InitiatingProcessCommandLine", &starter.command);
    row.time("InitiatingProcessCreationTime", starter.created);
    row.text("InitiatingProcessFolderPath", &path(starter.file));
    parent(&mut row, event, starter.created);
    row.text("InitiatingProcessSignerType", "OsVendor");
    row.text("InitiatingProcessSignatureStatus", "Valid");
    row.number("ReportId", at + 1);
    row.text("AppGuardContainerId", "");
    row.text("AdditionalFields", "{}");
    sessions(&mut row, event);
    if event.sigma {
        let hashes = format!("SHA1={},MD5={},SHA256={}", file.sha1, file.md5, file.sha256);
        row.text("Hashes", &hashes);
        row.text("User", &format!("{}\\{}", account.domain, account.name));
    }
    row.text("ProcessUniqueId", &(at + 90_071_992).to_string());
    row.text("InitiatingProcessUniqueId", &(at / 7 + 90_000_000).to_string());
    row.end();
}

/// A row of `DeviceEvents`.
pub fn device(event: &mut Event<'_>, out: &mut Vec<u8>) {
    let time = event.time();
    let (world, at) = (event.world, event.at);
    let device = world.device(event.rng);
    let account = world.account(device, event.rng);
    let action = weighted(event.rng);
    let remote = action.contains("Remote") || matches!(action, "QueueUserApcRemoteApiCall");
    let mut starter = starter(event, device, time);
    if remote && event.rng.u64(..50) == 0 {
        starter.file = &world.rare[event.rng.usize(..world.rare.len())];
        starter.command = format!("\"{}\" --run", path(starter.file));
    }
    let mut fields = String::with_capacity(256);
    additional(&mut fields, action, account, event.rng);
    let program = world.programs[event.rng.usize(..world.programs.len())];
    let file = world.file(program, event.rng);
    // What the event is about: a process, a file, or neither.
    let about = remote
        || matches!(
            action,
            "OpenProcessApiCall" | "ReadProcessMemoryApiCall" | "ServiceInstalled"
        );
    let mut command = String::new();
    if about {
        fill(
            &mut command,
            pick(PROGRAMS[program].commands, event.rng),
            &account.name,
            event.rng,
        );
    }
    let some = |text: &'_ str| if about { text.to_owned() } else { String::new() };
    let mut row = Row::begin(out);
    head(&mut row, device, action, time);
    row.text("FileName", &some(file.name));
    let target = if action == "CreateRemoteThreadApiCall" {
        file.folder.to_owned()
    } else {
        path(file)
    };
    row.text("FolderPath", &some(&target));
    row.text("SHA1", &some(&file.sha1));
    row.text("SHA256", &some(&file.sha256));
    row.text("MD5", &some(&file.md5));
    if about {
        row.number("FileSize", file.size);
    } else {
        row.null("FileSize");
    }
    row.text("AccountDomain", if about { account.domain } else { "" });
    row.text("AccountName", if about { &account.name } else { "" });
    row.text("AccountSid", if about { &account.sid } else { "" });
    let url = action == "BrowserLaunchedToOpenUrl" || action == "SmartScreenUrlWarning";
    let mut address = String::new();
    if url {
        fill(
            &mut address,
            "https://{t}/{w}/{w}?session={g}",
            &account.name,
            event.rng,
        );
    }
    row.text("RemoteUrl", &address);
    row.text("RemoteDeviceName", "");
    if about {
        row.number("ProcessId", event.rng.u64(1000..60_000));
    } else {
        row.null("ProcessId");
    }
    row.text("ProcessCommandLine", &command);
    if about {
        row.time("ProcessCreationTime", time - event.rng.u64(..900 * TICKS));
    } else {
        row.null("ProcessCreationTime");
    }
    row.text("ProcessTokenElevation", "");
    row.null("LogonId");
    for name in [
        "RegistryKey",
        "RegistryValueName",
        "RegistryValueData",
        "RemoteIP",
    ] {
        row.text(name, "");
    }
    row.null("RemotePort");
    row.text("LocalIP", "");
    row.null("LocalPort");
    row.text("FileOriginUrl", "");
    row.text("FileOriginIP", "");
    row.text("InitiatingProcessSHA1", &starter.file.sha1);
    row.text("InitiatingProcessSHA256", &starter.file.sha256);
    row.text("InitiatingProcessMD5", &starter.file.md5);
    row.text("InitiatingProcessFileName", starter.file.name);
    row.number("InitiatingProcessFileSize", starter.file.size);
    row.text("InitiatingProcessFolderPath", &path(starter.file));
    row.number("InitiatingProcessId", starter.id);
    row.text("InitiatingProcessCommandLine", &starter.command);
    row.time("InitiatingProcessCreationTime", starter.created);
    let by = starter.account;
    row.text("InitiatingProcessAccountDomain", by.domain);
    row.text("InitiatingProcessAccountName", &by.name);
    row.text("InitiatingProcessAccountSid", &by.sid);
    row.text("InitiatingProcessAccountUpn", &by.upn);
    row.text("InitiatingProcessAccountObjectId", &by.object);
    version(&mut row, "Initiating", starter.file);
    parent(&mut row, event, starter.created);
    row.number("InitiatingProcessLogonId", 999 + event.rng.u64(..4_000_000));
    row.number("ReportId", at + 1);
    row.text("AppGuardContainerId", "");
    row.text("AdditionalFields", &fields);
    sessions(&mut row, event);
    row.text("InitiatingProcessUniqueId", &(at / 7 + 90_000_000).to_string());
    row.end();
}

fn head(row: &mut Row<'_>, device: &Device, action: &str, time: u64) {
    row.time("Timestamp", time);
    row.text("DeviceId", &device.id);
    row.text("DeviceName", &device.name);
    row.text("ActionType", action);
}

/// The process behind an event.
fn starter<'a>(event: &mut Event<'a>, device: &Device, time: u64) -> Process<'a> {
    let world = event.world;
    let program = world.parents[event.rng.usize(..world.parents.len())];
    let account = world.account(device, event.rng);
    let mut command = String::with_capacity(256);
    fill(
        &mut command,
        pick(PROGRAMS[program].commands, event.rng),
        &account.name,
        event.rng,
    );
    Process {
        file: world.file(program, event.rng),
        account,
        command,
        id: event.rng.u64(1000..60_000),
        created: time - event.rng.u64(TICKS..36_000 * TICKS),
    }
}

/// The six columns of a version resource.
fn version(row: &mut Row<'_>, whose: &str, file: &File) {
    let mut name = |what: &str, value: &str| row.text(&format!("{whose}ProcessVersionInfo{what}"), value);
    let [company, product, description] = file.version;
    let stem = file.name.split('.').next().unwrap_or_default();
    name("CompanyName", company);
    name("ProductName", product);
    name(
        "ProductVersion",
        if company.is_empty() { "" } else { &file.number },
    );
    name("InternalFileName", stem);
    name("OriginalFileName", file.name);
    name("FileDescription", description);
}

fn parent(row: &mut Row<'_>, event: &mut Event<'_>, before: u64) {
    let program = event.world.parents[event.rng.usize(..event.world.parents.len())];
    row.number("InitiatingProcessParentId", event.rng.u64(500..60_000));
    row.text("InitiatingProcessParentFileName", PROGRAMS[program].file);
    row.time(
        "InitiatingProcessParentCreationTime",
        before - event.rng.u64(..36_000 * TICKS),
    );
}

fn sessions(row: &mut Row<'_>, event: &mut Event<'_>) {
    row.number("InitiatingProcessSessionId", event.rng.u64(..4));
    row.flag("IsInitiatingProcessRemoteSession", false);
    row.text("InitiatingProcessRemoteSessionDeviceName", "");
    row.text("InitiatingProcessRemoteSessionIP", "");
    row.number("CreatedProcessSessionId", event.rng.u64(..4));
    row.flag("IsProcessRemoteSession", false);
    row.text("ProcessRemoteSessionDeviceName", "");
    row.text("ProcessRemoteSessionIP", "");
}

fn level(account: &Account) -> &'static str {
    if account.sid == "S-1-5-18" {
        "System"
    } else {
        "Medium"
    }
}

fn elevation(level: &str) -> &'static str {
    if level == "System" {
        "TokenElevationTypeDefault"
    } else {
        "TokenElevationTypeLimited"
    }
}

fn weighted(rng: &mut Rng) -> &'static str {
    let total: u32 = ACTIONS.iter().map(|(_, weight)| weight).sum();
    let mut left = rng.u32(..total);
    for (name, weight) in ACTIONS {
        if left < *weight {
            return name;
        }
        left -= weight;
    }
    "Other"
}

/// `AdditionalFields`: JSON as text, by the kind of event.
fn additional(out: &mut String, action: &str, account: &Account, rng: &mut Rng) {
    let mut add = |template: &str, rng: &mut Rng| fill(out, template, &account.name, rng);
    match action {
        "NamedPipeEvent" => {
            // One in 140 of these is one in 1000 of all.
            let template = if rng.u8(..140) == 0 {
                pick(BAD_PIPES, rng)
            } else {
                pick(PIPES, rng)
            };
            let mut name = String::new();
            fill(&mut name, template, &account.name, rng);
            let mut json = Vec::new();
            escaped(&mut json, &name);
            let json = String::from_utf8(json).unwrap_or_default();
            out.push_str(&format!(
                r#"{{"FileOperation":"File {}","PipeName":{json},"DesiredAccess":{},"NamedPipeEnd":"{}","RemoteClientsAccess":"{}","ThreadId":{},"ShareAccess":3,"SessionId":{}}}"#,
                ["created", "opened"][rng.usize(..2)],
                rng.u32(1000..2_000_000),
                ["Server", "Client"][rng.usize(..2)],
                ["AcceptRemote", "RejectRemote"][rng.usize(..2)],
                rng.u32(1000..60_000),
                rng.u32(..4),
            ));
        }
        "PowerShellCommand" => add(
            [
                r#"{"Command":"Get-ItemProperty"}"#,
                r#"{"Command":"{w}-{w}.ps1"}"#,
                r#"{"Command":"Invoke-WebRequest -Uri \"https://{t}/{w}\" -OutFile C:\\Temp\\{w}.zip"}"#,
            ][rng.usize(..3)],
            rng,
        ),
        "ServiceInstalled" => add(
            r#"{"ServiceName":"{w}","ServiceAccount":"LocalSystem","ServiceStartType":3,"ServiceType":16}"#,
            rng,
        ),
        "ScheduledTaskUpdated" => add(
            r#"{"TaskName":"\\{w}\\{w}","TaskContent":"<Task version=\"1.2\"><RegistrationInfo><URI>\\{w}</URI></RegistrationInfo><Actions><Exec><Command>C:\\Program Files\\{w}\\{w}.exe</Command></Exec></Actions></Task>","SubjectUserName":"{u}"}"#,
            rng,
        ),
        "UsbDriveMounted" | "PnpDeviceConnected" => add(
            r#"{"DriveLetter":"E:","BusType":"USB","ProductName":"{w} {n}","ProductRevision":"1.{n}","SerialNumber":"{h}","Manufacturer":"{w}","Volume":"\\\\?\\Volume{{g}}"}"#,
            rng,
        ),
        "OpenProcessApiCall" => add(r#"{"DesiredAccess":{n}}"#, rng),
        "ReadProcessMemoryApiCall" => add(r#"{"TotalBytesCopied":{n},"NumberOfCopies":1}"#, rng),
        "AntivirusScanCompleted" => add(
            r#"{"ScanId":"{g}","ScanTypeIndex":"Quick","ScanParametersIndex":1,"Domain":"contoso","User":"{u}"}"#,
            rng,
        ),
        "ProcessPrimaryTokenModified" => add(
            r#"{"TokenModificationProperties":"{\"tokenChangeDescription\":\"PrimaryTokenChanged\",\"privilegesFlags\":0,\"isChangedToSystemToken\":false}","OriginalTokenIntegrityLevel":8192,"CurrentTokenIntegrityLevel":12288}"#,
            rng,
        ),
        "DpapiAccessed" => {
            add(
                r#"{"ReportingLevel":{n},"DataDescription":"Google Chrome","OperationType":"SPCryptUnprotect","MasterKeyGuid":""#,
                rng,
            );
            guid(out, rng.u64(..));
            out.push_str("\"}");
        }
        _ => add(r#"{"ThreadId":{n},"Reason":"{w}"}"#, rng),
    }
}

/// What `FileProfile` knows of the files that reach into other processes.
#[must_use]
pub fn profiles(world: &World) -> Vec<u8> {
    let mut out = Vec::new();
    let known = world.files.iter().map(|file| (file, true));
    let rare = world.rare.iter().map(|file| (file, false));
    for (at, (file, common)) in known.chain(rare).enumerate() {
        // Every ninth rare file is unknown, every seventh could not be looked up.
        if !common && at % 9 == 0 {
            continue;
        }
        let signed = common || at % 5 == 0;
        let mut row = Row::begin(&mut out);
        row.text("SHA1", &file.sha1);
        row.text("SHA256", &file.sha256);
        row.number(
            "GlobalPrevalence",
            if common {
                100_000 + at as u64
            } else {
                at as u64 * 7 % 600
            },
        );
        row.text("Signer", if signed { "Microsoft Windows" } else { "" });
        row.flag("IsCertificateValid", signed);
        row.text(
            "ProfileAvailability",
            if !common && at % 7 == 0 {
                "Error"
            } else {
                "Available"
            },
        );
        row.end();
    }
    out
}

/// A row of few columns, for what joins and groups many rows.
pub fn relate(event: &mut Event<'_>, out: &mut Vec<u8>) {
    let time = event.time();
    let device = event.world.device(event.rng);
    let account = event.world.account(device, event.rng);
    let program = event.world.programs[event.rng.usize(..event.world.programs.len())];
    let file = event.world.file(program, event.rng);
    let mut row = Row::begin(out);
    row.time("Timestamp", time);
    row.text("DeviceId", &device.id);
    row.text("AccountName", &account.name);
    row.text("FileName", file.name);
    row.text("SHA1", &file.sha1);
    row.number("ProcessId", event.rng.u64(4..60_000));
    row.number("ReportId", event.at + 1);
    row.end();
}
