//! Rules over process starts: documents as `rulec` reads them, with the tools
//! and arguments that public rules look for, and made-up names of campaigns.
//!
//! The mix of operators is about that of public hunting queries: half of the
//! conditions on command lines look for whole terms, the others for parts.

use std::{fmt::Write as _, fs, io, path::Path};

use fastrand::Rng;

use crate::row::{fill, hex, pick};
use crate::words::{NAMES, WORDS};

/// A tool, and parts of command lines that say what it is misused for.
const TOOLS: &[(&str, &[&str])] = &[
    (
        "certutil.exe",
        &["-urlcache", "-decode", "-encode", "verifyctl", "-ping http"],
    ),
    (
        "bitsadmin.exe",
        &["/transfer", "/addfile", "/SetNotifyCmdLine", "/resume"],
    ),
    (
        "mshta.exe",
        &["vbscript:", "javascript:", ".hta", "GetObject(", "http://"],
    ),
    ("regsvr32.exe", &["scrobj.dll", "/i:http", "/u /s", ".sct"]),
    (
        "rundll32.exe",
        &[
            "RunHTMLApplication",
            "comsvcs.dll",
            "MiniDump",
            "javascript:",
            "ShellExec_RunDLL",
            "url.dll,FileProtocolHandler",
            "advpack.dll,LaunchINFSection",
        ],
    ),
    (
        "powershell.exe",
        &[
            "DownloadString",
            "FromBase64String",
            "Net.WebClient",
            "-w hidden",
            "AmsiUtils",
            "Add-MpPreference",
            "Set-MpPreference",
            "DisableRealtimeMonitoring",
            "Invoke-Mimikatz",
            "IEX (",
            "Win32_ShadowCopy | ForEach",
            "Start-BitsTransfer",
            "Get-ADUser -Filter",
            "bxor",
        ],
    ),
    (
        "schtasks.exe",
        &[
            "/create",
            "/sc onlogon",
            "/rl highest",
            r"\AppData\Roaming",
            "/tr",
        ],
    ),
    ("sc.exe", &["binPath=", "sdset", "failure", "config"]),
    (
        "reg.exe",
        &[
            r"save HKLM\SAM",
            r"save HKLM\SECURITY",
            r"\CurrentVersion\Run",
            "fDenyTSConnections",
            "UseLogonCredential",
            "DisableAntiSpyware",
            "EnableLUA",
        ],
    ),
    (
        "net.exe",
        &[
            "Domain Admins",
            "localgroup administrators",
            "/add",
            "view /all",
            "accounts /domain",
        ],
    ),
    ("net1.exe", &["Enterprise Admins", "user /domain", "stop"]),
    (
        "nltest.exe",
        &["/domain_trusts", "/dclist", "/all_trusts", "/trusted_domains"],
    ),
    (
        "dsquery.exe",
        &["trustedDomain", "-filter", "objectCategory=computer"],
    ),
    ("ntdsutil.exe", &["ac i ntds", "ifm", "create full"]),
    ("wevtutil.exe", &[" cl ", "clear-log", "sl ", "/e:false"]),
    (
        "fsutil.exe",
        &["deletejournal", "setZeroData", "symlinkevaluation"],
    ),
    (
        "netsh.exe",
        &[
            "portproxy",
            "state off",
            "add helper",
            "wlan export profile",
            "trace start",
        ],
    ),
    ("psexec.exe", &["-accepteula", " -s ", r"\\.\pipe"]),
    ("procdump.exe", &["lsass", "-ma "]),
    (
        "rclone.exe",
        &[
            "--no-check-certificate",
            "mega:",
            "--transfers",
            "copy ",
            "pcloud:",
        ],
    ),
    (
        "AdFind.exe",
        &["objectcategory=", "trustdmp", "-sc dclist", "domainlist"],
    ),
    (
        "curl.exe",
        &[
            "-o C:\\Users\\Public",
            "--insecure",
            "file.io",
            "transfer.sh",
            "-F file=@",
        ],
    ),
    (
        "cmd.exe",
        &[r"\\.\pipe", "1> \\\\127.0.0.1", "&& del ", "/c echo ", "copy /b"],
    ),
    ("msbuild.exe", &[".csproj", "AppData", ".xml", "/p:"]),
    ("installutil.exe", &["/logfile=", "/LogToConsole=false", "/U "]),
    ("forfiles.exe", &["/c", "notepad.exe", "/m "]),
    ("wscript.exe", &[".js", ".vbs", "AppData", "//e:jscript"]),
    (
        "cscript.exe",
        &["//e:vbscript", ".jse", "winrm.vbs", "PubPrn.vbs"],
    ),
    ("icacls.exe", &["Everyone:F", "/grant", "/reset"]),
    ("cipher.exe", &["/w:"]),
    (
        "wmic.exe",
        &[
            "process call create",
            "shadowcopy delete",
            "/node:",
            "/format:http",
            "antivirusproduct",
        ],
    ),
    ("esentutl.exe", &["/vss", "ntds.dit", "/y "]),
    ("plink.exe", &["-R ", ":127.0.0.1:3389", "-pw "]),
    (
        "vssadmin.exe",
        &["delete shadows", "resize shadowstorage", "create shadow"],
    ),
    (
        "bcdedit.exe",
        &["recoveryenabled", "ignoreallfailures", "safeboot"],
    ),
    (
        "wbadmin.exe",
        &["delete catalog", "delete systemstatebackup", "start recovery"],
    ),
    ("diskshadow.exe", &["/s ", "exec "]),
    ("cmstp.exe", &["/au", "/ni", ".inf"]),
    ("odbcconf.exe", &["regsvr", "/a {", "-f "]),
    ("hh.exe", &["http", ".chm"]),
    ("ieexec.exe", &["http"]),
    ("msiexec.exe", &["/q /i http", "/y ", "-q -z"]),
    ("makecab.exe", &["ntds", "lsass"]),
    ("tar.exe", &["-a -c -f", "AppData"]),
    ("7z.exe", &["-hp", "-mhe", "a -t7z"]),
    ("winrar.exe", &["a -hp", "-m5", "-v"]),
    (
        "mimikatz.exe",
        &["sekurlsa::", "lsadump::", "privilege::debug", "kerberos::"],
    ),
    ("rubeus.exe", &["asktgt", "kerberoast", "asreproast", "/ticket:"]),
    (
        "SharpHound.exe",
        &["--CollectionMethod", "-c All", "--ZipFilename"],
    ),
    ("seatbelt.exe", &["-group=all", "-group=user"]),
    (
        "anydesk.exe",
        &["--install", "--set-password", "--start-with-win"],
    ),
    ("ngrok.exe", &["tcp 3389", "authtoken", "http "]),
    ("chisel.exe", &["client ", "R:socks", "server --reverse"]),
    ("ligolo.exe", &["-connect", "-ignore-cert"]),
    ("teamviewer.exe", &["assign", "--api-token"]),
    ("csvde.exe", &["-f ", "-r "]),
    ("ldifde.exe", &["-i -f", "objectClass"]),
    ("dnscmd.exe", &["serverlevelplugindll", "/config"]),
    ("nslookup.exe", &["-querytype=TXT", "_ldap._tcp.dc"]),
    ("attrib.exe", &["+h +s", "-r -s"]),
    ("takeown.exe", &["/f ", "System32"]),
    ("taskkill.exe", &["/im sql", "MsMpEng", "/f /im"]),
    ("mavinject.exe", &["/INJECTRUNNING"]),
    ("xwizard.exe", &["RunWizard"]),
    ("pcalua.exe", &["-a "]),
    ("bash.exe", &["-c curl", "/mnt/c/Users"]),
];

/// Programs that start others when a document is opened.
const PARENTS: &[&str] = &[
    "winword.exe",
    "excel.exe",
    "powerpnt.exe",
    "outlook.exe",
    "onenote.exe",
    "acrord32.exe",
    "mspub.exe",
    "w3wp.exe",
    "sqlservr.exe",
    "tomcat9.exe",
];
const SHELLS: &[&str] = &[
    "cmd.exe",
    "powershell.exe",
    "pwsh.exe",
    "wscript.exe",
    "cscript.exe",
    "mshta.exe",
    "rundll32.exe",
    "regsvr32.exe",
];
const FOLDERS: &[&str] = &[
    r"C:\Users\Public\",
    r"C:\PerfLogs\",
    r"C:\ProgramData\",
    r"C:\Windows\Temp\",
    r"C:\Recovery\",
    r"C:\Windows\Tasks\",
];
const PARTS: &[&str] = &[
    r"\AppData\Local\Temp\",
    r"\Downloads\",
    r"\AppData\Roaming\",
    r"\$Recycle.Bin\",
    r"\Windows\Fonts\",
];
const ALLOWED: &[&str] = &[
    r"C:\Program Files\",
    r"C:\Windows\CCM\",
    r"C:\Program Files (x86)\",
    r"C:\ProgramData\Microsoft\",
];

/// Writes the first `count` rules into a folder, which is made.
///
/// # Errors
/// When they cannot be written.
pub fn write(folder: &Path, count: u64) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for number in 0..count {
        let mut rng = Rng::with_seed(0x0072_75CE ^ number);
        let (tool, _) = TOOLS[number as usize % TOOLS.len()];
        let stem = tool.split('.').next().unwrap_or(tool).to_lowercase();
        let id = format!("GN-{:04}-{stem}-{}", number + 1, pick(WORDS, &mut rng));
        let title = format!(
            "{stem} {} {} {}",
            pick(WORDS, &mut rng),
            pick(NAMES, &mut rng),
            number + 1
        );
        let text = document(&id, &title, &condition(number as usize, &mut rng));
        fs::write(folder.join(format!("{id}.md")), text)?;
    }
    Ok(())
}

/// A text literal of KQL.
fn literal(text: &str) -> String {
    if text.contains('"') {
        format!("@'{text}'")
    } else {
        format!("@\"{text}\"")
    }
}

fn list(texts: &[String]) -> String {
    texts.iter().map(|t| literal(t)).collect::<Vec<_>>().join(", ")
}

fn some(of: &[&str], count: usize, rng: &mut Rng) -> Vec<String> {
    let mut chosen = of.to_vec();
    rng.shuffle(&mut chosen);
    chosen.truncate(count);
    chosen.into_iter().map(str::to_owned).collect()
}

/// A name that only one campaign uses.
fn invented(rng: &mut Rng) -> String {
    let template = pick(
        &[
            "{w}{n}.dll",
            "{w}_{w}.ps1",
            "{t}",
            "http://{i}/",
            r"\{w}{n}.exe",
            "/{w}/{w}.php?id=",
            "{w}-{n}.bat",
            "--{w}-{w}={n}",
            "{h}",
        ],
        rng,
    );
    let mut text = String::new();
    fill(&mut text, template, "", rng);
    text
}

fn joined(column: &str, operator: &str, texts: &[String], with: &str) -> String {
    let parts: Vec<_> = texts
        .iter()
        .map(|t| format!("{column} {operator} {}", literal(t)))
        .collect();
    format!("({})", parts.join(with))
}

/// Whether a text is made of whole terms, so that `has` can find it.
fn term(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphanumeric())
        && bytes.next_back().is_some_and(|b| b.is_ascii_alphanumeric())
}

fn condition(number: usize, rng: &mut Rng) -> Vec<String> {
    let (tool, arguments) = TOOLS[number % TOOLS.len()];
    let named = format!("FileName =~ {}", literal(tool));
    let command = "ProcessCommandLine";
    let mut texts = some(arguments, rng.usize(1..4), rng);
    let made_up: Vec<String> = (0..rng.usize(1..5)).map(|_| invented(rng)).collect();
    match rng.usize(..100) {
        0..20 => vec![named, joined(command, "contains", &texts, " and ")],
        20..32 => {
            texts.extend(made_up);
            vec![
                format!("FolderPath endswith {}", literal(&format!("\\{tool}"))),
                joined(command, "contains", &texts, " or "),
            ]
        }
        32..48 => {
            texts.retain(|t| term(t));
            texts.extend(made_up);
            let operator = pick(&["has_any", "has_any", "has_all"], rng);
            vec![named, format!("{command} {operator} ({})", list(&texts))]
        }
        48..56 => {
            let parents = some(PARENTS, rng.usize(2..7), rng);
            let shells = some(SHELLS, rng.usize(2..6), rng);
            vec![
                format!("InitiatingProcessFileName in~ ({})", list(&parents)),
                format!("FileName in~ ({})", list(&shells)),
                joined(command, "contains", &made_up, " or "),
            ]
        }
        56..66 => {
            let many: Vec<String> = (0..rng.usize(6..20)).map(|_| invented(rng)).collect();
            vec![joined(command, "contains", &many, " or ")]
        }
        66..72 => {
            let word = pick(WORDS, rng);
            let verb = pick(WORDS, rng);
            vec![
                named,
                format!(r#"{command} matches regex @"(?i)\s[-/]{word}[:=]?\s*[a-z0-9]{{2,8}}\.{verb}""#),
            ]
        }
        72..78 => {
            let hashes: Vec<String> = (0..rng.usize(4..16))
                .map(|_| {
                    let mut text = String::new();
                    hex(&mut text, rng.u64(..), 40);
                    text
                })
                .collect();
            vec![format!("SHA1 in ({})", list(&hashes))]
        }
        78..84 => vec![
            format!("FolderPath startswith {}", literal(pick(FOLDERS, rng))),
            format!("ProcessVersionInfoOriginalFileName =~ {}", literal(tool)),
            format!("FileName !~ {}", literal(tool)),
        ],
        84..90 => vec![
            format!("FolderPath contains {}", literal(pick(PARTS, rng))),
            joined(command, "contains", &[texts, made_up].concat(), " or "),
        ],
        90..95 => vec![
            named,
            joined(command, "contains", &texts, " or "),
            format!(
                "not(InitiatingProcessFolderPath startswith {})",
                literal(pick(ALLOWED, rng))
            ),
        ],
        _ => vec![
            format!(
                "{command} has {}",
                literal(tool.split('.').next().unwrap_or(tool))
            ),
            joined("InitiatingProcessCommandLine", "contains", &made_up, " or "),
        ],
    }
}

fn document(id: &str, title: &str, conditions: &[String]) -> String {
    let mut text = format!(
        "# {title}\n\n## Metadata\n**ID:** {id}\n\n**OS:** WindowsEndpoint\n\n## ATT&CK Tags\n\n\
         | Tactic | Technique | Subtechnique | Technique Name |\n| --- | --- | --- | --- |\n\
         | TA0002 - Execution | T1059 | | Command and Scripting Interpreter |\n\n\
         ## Detection description\nA generated rule.\n\n## False Positives\n* Unknown.\n\n\
         ## Detection\n\n**Language:** Kusto\n\n**Platform:** M365 Security\n\n**Query:**\n```kql\n\
         DeviceProcessEvents\n| where Timestamp >= ago(2h)\n| where ActionType == \"ProcessCreated\"\n"
    );
    for condition in conditions {
        let _ = writeln!(text, "| where {condition}");
    }
    text.push_str(
        "| project Timestamp, DeviceId, DeviceName, ReportId, AccountName, FileName, FolderPath, \
         ProcessCommandLine, InitiatingProcessFileName\n```\n\n## Version History\n\
         | Version | Date | Impact | Notes |\n| --- | --- | --- | --- |\n| 1.0 | 2026-11-22 | major | Initial version. |\n",
    );
    text
}
