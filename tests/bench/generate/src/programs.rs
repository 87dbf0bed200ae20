//! The programs that run on devices, and how they are started. Places in
//! templates are those of [`crate::words`].

/// A program that runs on many devices.
pub struct Program {
    /// Its file name.
    pub file: &'static str,
    /// Its folder, without the last backslash.
    pub folder: &'static str,
    /// Company, product and description of its version resource.
    pub version: [&'static str; 3],
    /// How it is started.
    pub commands: &'static [&'static str],
    /// How often, relative to the others.
    pub weight: u32,
}

const MS: &str = "Microsoft Corporation";
const WINDOWS: &str = "Microsoft® Windows® Operating System";

const fn windows(
    file: &'static str,
    description: &'static str,
    weight: u32,
    commands: &'static [&'static str],
) -> Program {
    Program {
        file,
        folder: r"C:\Windows\System32",
        version: [MS, WINDOWS, description],
        commands,
        weight,
    }
}

const fn other(
    file: &'static str,
    folder: &'static str,
    version: [&'static str; 3],
    weight: u32,
    commands: &'static [&'static str],
) -> Program {
    Program {
        file,
        folder,
        version,
        commands,
        weight,
    }
}

/// What runs on workstations and servers all day.
pub const PROGRAMS: &[Program] = &[
    windows(
        "svchost.exe",
        "Host Process for Windows Services",
        90,
        &[
            r"svchost.exe -k netsvcs -p -s Schedule",
            r"svchost.exe -k LocalService -p -s fdPHost",
            r"svchost.exe -k wsappx -p -s ClipSVC",
            r"svchost.exe -k UnistackSvcGroup",
            r"svchost.exe -k LocalSystemNetworkRestricted -p -s PcaSvc",
        ],
    ),
    windows(
        "conhost.exe",
        "Console Window Host",
        120,
        &[
            r"conhost.exe 0xffffffff -ForceV1",
            r"\??\C:\Windows\system32\conhost.exe 0x4",
        ],
    ),
    windows(
        "backgroundTaskHost.exe",
        "Background Task Host",
        60,
        &[
            r#""backgroundTaskHost.exe" -ServerName:App.AppX{h}.mca"#,
            r#""BackgroundTaskHost.exe" -ServerName:BackgroundTaskHost.WebAccountProvider"#,
        ],
    ),
    windows(
        "RuntimeBroker.exe",
        "Runtime Broker",
        50,
        &[r"RuntimeBroker.exe -Embedding"],
    ),
    windows(
        "dllhost.exe",
        "COM Surrogate",
        60,
        &[r"DllHost.exe /Processid:{{g}}"],
    ),
    windows(
        "taskhostw.exe",
        "Host Process for Windows Tasks",
        40,
        &[
            r"taskhostw.exe",
            r"taskhostw.exe Install $(Arg0)",
            r"taskhostw.exe -RegisterDevice -ProtectionStateChanged -FreeNetworkOnly",
        ],
    ),
    windows(
        "rundll32.exe",
        "Windows host process (Rundll32)",
        30,
        &[
            r"rundll32.exe C:\Windows\system32\PcaSvc.dll,PcaPatchSdbTask",
            r"rundll32.exe C:\Windows\System32\shell32.dll,SHCreateLocalServerRunDll {{g}} -Embedding",
            r"rundll32.exe C:\Windows\system32\inetcpl.cpl,ClearMyTracksByProcess Flags:{n} WinX:0 WinY:0 IEFrame:0000000000000000",
        ],
    ),
    windows(
        "cmd.exe",
        "Windows Command Processor",
        80,
        &[
            r#""cmd.exe" /c "C:\Program Files\{w}\{w}.bat""#,
            r#"cmd.exe /c ""C:\ProgramData\{w}\{w}\run.cmd" {n} > "C:\Windows\TEMP\{h}.txt" 2>&1""#,
            r"C:\Windows\system32\cmd.exe /d /c ver",
            r"cmd /c chcp 65001 > nul & wmic os get /value",
        ],
    ),
    windows(
        "wmic.exe",
        "WMI Commandline Utility",
        8,
        &[
            r"wmic os get lastbootuptime /value",
            r#"wmic process where "name='{w}.exe'" get ProcessId,CommandLine /format:csv"#,
            r"wmic shadowcopy list brief",
        ],
    ),
    windows(
        "reg.exe",
        "Registry Console Tool",
        14,
        &[
            r#"reg query "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{{g}}" /v DisplayVersion"#,
            r"reg add HKLM\SOFTWARE\{w}\{w} /v LastRun /t REG_SZ /d {n} /f",
        ],
    ),
    windows(
        "schtasks.exe",
        "Task Scheduler Configuration Tool",
        8,
        &[
            r#"schtasks /query /tn "\{w}\{w}" /fo LIST"#,
            r#"schtasks.exe /run /tn "\Microsoft\Windows\{w}\{w}""#,
        ],
    ),
    windows(
        "vssadmin.exe",
        "Command Line Interface for Microsoft® Volume Shadow Copy Service",
        2,
        &[r"vssadmin list shadows", r"vssadmin.exe list writers"],
    ),
    windows(
        "bcdedit.exe",
        "Boot Configuration Data Editor",
        1,
        &[r"bcdedit /enum {current}", r"C:\Windows\System32\bcdedit.exe /v"],
    ),
    windows(
        "wbadmin.exe",
        "Command Line Interface for Microsoft® BLB Backup",
        1,
        &[
            r"wbadmin get versions",
            r"wbadmin start backup -backupTarget:E: -include:C: -quiet",
        ],
    ),
    windows(
        "whoami.exe",
        "whoami - displays logged on user information",
        3,
        &[r"whoami /upn", r"whoami"],
    ),
    windows(
        "ipconfig.exe",
        "IP Configuration Utility",
        5,
        &[r"ipconfig /all", r"ipconfig /flushdns"],
    ),
    windows(
        "netstat.exe",
        "TCP/IP Netstat Command",
        3,
        &[r"netstat -ano", r"netstat -nr"],
    ),
    windows(
        "tasklist.exe",
        "Lists the current running tasks",
        5,
        &[r#"tasklist /FI "IMAGENAME eq {w}.exe" /NH"#],
    ),
    windows(
        "net.exe",
        "Net Command",
        6,
        &[r"net use Z: \\{w}\{w} /persistent:no", r"net time \\{w}"],
    ),
    windows(
        "net1.exe",
        "Net Command",
        5,
        &[r"C:\Windows\system32\net1 start {w}"],
    ),
    windows("hostname.exe", "Hostname APP", 3, &["hostname"]),
    windows(
        "systeminfo.exe",
        "Displays system information",
        1,
        &["systeminfo /fo csv"],
    ),
    windows(
        "nltest.exe",
        "Microsoft® Logon Server Test Utility",
        1,
        &[r"nltest /dsgetdc:contoso.com"],
    ),
    windows("quser.exe", "Query User Utility", 1, &["quser"]),
    windows("arp.exe", "TCP/IP Arp Command", 1, &["arp -a"]),
    windows(
        "certutil.exe",
        "CertUtil.exe",
        3,
        &[
            r"certutil -store My",
            r"certutil.exe -hashfile C:\Temp\{w}.msi SHA256",
        ],
    ),
    windows(
        "msiexec.exe",
        "Windows® installer",
        12,
        &[
            r"C:\Windows\System32\MsiExec.exe -Embedding {h}{h}",
            r"C:\Windows\system32\msiexec.exe /V",
            r#"msiexec.exe /i "C:\Windows\ccmcache\{w}\{w}.msi" /qn REBOOT=ReallySuppress /l*v C:\Windows\Logs\{w}.log"#,
        ],
    ),
    windows(
        "SearchProtocolHost.exe",
        "Microsoft Windows Search Protocol Host",
        40,
        &[
            r#""C:\Windows\system32\SearchProtocolHost.exe" Global\UsGthrFltPipeMssGthrPipe{n}_ Global\UsGthrCtrlFltPipeMssGthrPipe{n} 1 -2147483646 "Software\Microsoft\Windows Search" "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT; MS Search 4.0 Robot)" "C:\ProgramData\Microsoft\Search\Data\Temp\usgthrsvc" "DownLevelDaemon""#,
        ],
    ),
    windows(
        "SearchFilterHost.exe",
        "Microsoft Windows Search Filter Host",
        35,
        &[r#""C:\Windows\system32\SearchFilterHost.exe" 0 812 2192 2200 8192 2196 2168"#],
    ),
    windows(
        "smartscreen.exe",
        "Windows Defender SmartScreen",
        12,
        &[r"C:\Windows\System32\smartscreen.exe -Embedding"],
    ),
    windows(
        "consent.exe",
        "Consent UI for administrative applications",
        4,
        &[r"consent.exe {n} 316 000001{h}"],
    ),
    windows(
        "sc.exe",
        "Service Control Manager Configuration Tool",
        6,
        &[r"sc query {w}", r#"sc.exe start "{w}""#],
    ),
    windows(
        "WmiPrvSE.exe",
        "WMI Provider Host",
        25,
        &[
            r"C:\Windows\system32\wbem\wmiprvse.exe -Embedding",
            r"C:\Windows\system32\wbem\wmiprvse.exe -secured -Embedding",
        ],
    ),
    windows(
        "gpupdate.exe",
        "Microsoft® Group Policy Update Utility",
        3,
        &[r"gpupdate.exe /target:computer"],
    ),
    windows(
        "werfault.exe",
        "Windows Problem Reporting",
        4,
        &[r"C:\Windows\system32\WerFault.exe -u -p {n} -s {n}"],
    ),
    windows(
        "cscript.exe",
        "Microsoft ® Console Based Script Host",
        8,
        &[
            r#"cscript.exe //nologo "MonitorKnowledgeDiscovery.vbs" {g}"#,
            r#"C:\Windows\system32\cscript.exe /nologo "C:\Program Files\Microsoft Monitoring Agent\Agent\Health Service State\Monitoring Host Temporary Files {n}\{n}\{w}.vbs" {n} {g} "\\.\PHYSICALDRIVE0""#,
        ],
    ),
    other(
        "powershell.exe",
        r"C:\Windows\System32\WindowsPowerShell\v1.0",
        [MS, WINDOWS, "Windows PowerShell"],
        45,
        &[
            r#""powershell.exe" -NoProfile -NonInteractive -ExecutionPolicy Bypass -File "C:\ProgramData\{w}\Scripts\{w}.ps1""#,
            r#"powershell.exe -ExecutionPolicy AllSigned -NoProfile -NonInteractive -Command "& {$OutputEncoding = [Console]::OutputEncoding =[System.Text.Encoding]::UTF8;$scriptFileStream = [System.IO.File]::Open('C:\ProgramData\Microsoft\Windows Defender Advanced Threat Protection\DataCollection\{n}.{n}\{g}.ps1', [System.IO.FileMode]::Open, [System.IO.FileAccess]::Read, [System.IO.FileShare]::Read);$calculatedHash = Microsoft.PowerShell.Utility\Get-FileHash 'C:\ProgramData\Microsoft\Windows Defender Advanced Threat Protection\DataCollection\{n}.{n}\{g}.ps1' -Algorithm SHA256;if (!($calculatedHash.Hash -eq '{h}{h}{h}{h}')) { exit 323;}; . 'C:\ProgramData\Microsoft\Windows Defender Advanced Threat Protection\DataCollection\{n}.{n}\{g}.ps1' }""#,
            r#"powershell.exe -Command "Get-CimInstance -ClassName Win32_ShadowCopy | Select-Object InstallDate""#,
            r#"powershell -NoLogo -Command "Import-Module ActiveDirectory; Get-ADComputer -Identity {w} -Properties LastLogonDate | Export-Csv C:\Temp\{w}.csv""#,
        ],
    ),
    other(
        "chrome.exe",
        r"C:\Program Files\Google\Chrome\Application",
        ["Google LLC", "Google Chrome", "Google Chrome"],
        110,
        &[
            r#""C:\Program Files\Google\Chrome\Application\chrome.exe" --type=renderer --metrics-shmem-handle={n},i,{n}{n},{n}{n},2097152 --field-trial-handle=2072,i,{n}{n}{n},{n}{n},262144 --variations-seed-version=20260114-{n} --lang=en-US --device-scale-factor=1.25 --num-raster-threads=4 --enable-main-frame-before-activation --renderer-client-id={n} --time-ticks-at-unix-epoch=-{n}{n}{n} --launch-time-ticks={n}{n} --mojo-platform-channel-handle={n} /prefetch:1"#,
            r#""C:\Program Files\Google\Chrome\Application\chrome.exe" --type=utility --utility-sub-type=network.mojom.NetworkService --lang=en-US --service-sandbox-type=none --field-trial-handle=2072,i,{n}{n}{n},{n}{n},262144 /prefetch:8"#,
        ],
    ),
    other(
        "msedge.exe",
        r"C:\Program Files (x86)\Microsoft\Edge\Application",
        [MS, "Microsoft Edge", "Microsoft Edge"],
        90,
        &[
            r#""C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe" --type=renderer --string-annotations --extension-process --renderer-sub-type=extension --lang=en-US --js-flags=--ms-user-locale=en_US --device-scale-factor=1 --num-raster-threads=4 --renderer-client-id={n} --time-ticks-at-unix-epoch=-{n}{n}{n} --field-trial-handle=2324,i,{n}{n}{n},{n}{n},262144 --variations-seed-version --mojo-platform-channel-handle={n} /prefetch:2"#,
            r#""msedge.exe" --single-argument https://{t}/{w}/{w}?id={g}"#,
        ],
    ),
    other(
        "msedgewebview2.exe",
        r"C:\Program Files (x86)\Microsoft\EdgeWebView\Application\131.0.2903.86",
        [MS, "Microsoft Edge WebView2", "Microsoft Edge WebView2"],
        50,
        &[
            r#""C:\Program Files (x86)\Microsoft\EdgeWebView\Application\131.0.2903.86\msedgewebview2.exe" --type=utility --utility-sub-type=storage.mojom.StorageService --lang=en-US --service-sandbox-type=service --noerrdialogs --user-data-dir="C:\Users\{u}\AppData\Local\Packages\MSTeams_8wekyb3d8bbwe\LocalCache\Microsoft\MSTeams\EBWebView" --webview-exe-name=ms-teams.exe --embedded-browser-webview=1 --mojo-platform-channel-handle={n} /prefetch:8"#,
        ],
    ),
    other(
        "OUTLOOK.EXE",
        r"C:\Program Files\Microsoft Office\root\Office16",
        [MS, "Microsoft Outlook", "Microsoft Outlook"],
        8,
        &[r#""C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE" "#],
    ),
    other(
        "WINWORD.EXE",
        r"C:\Program Files\Microsoft Office\root\Office16",
        [MS, "Microsoft Office", "Microsoft Word"],
        9,
        &[
            r#""C:\Program Files\Microsoft Office\Root\Office16\WINWORD.EXE" /n "C:\Users\{u}\Downloads\{w} {w} {n}.docx" /o """#,
        ],
    ),
    other(
        "EXCEL.EXE",
        r"C:\Program Files\Microsoft Office\root\Office16",
        [MS, "Microsoft Office", "Microsoft Excel"],
        9,
        &[
            r#""C:\Program Files\Microsoft Office\Root\Office16\EXCEL.EXE" "C:\Users\{u}\OneDrive - Contoso\{w}\{w}_{n}.xlsx""#,
        ],
    ),
    other(
        "ms-teams.exe",
        r"C:\Program Files\WindowsApps\MSTeams_24295.605.3225.8804_x64__8wekyb3d8bbwe",
        [MS, "Microsoft Teams", "Microsoft Teams"],
        10,
        &[
            r#""C:\Program Files\WindowsApps\MSTeams_24295.605.3225.8804_x64__8wekyb3d8bbwe\ms-teams.exe" msteams:system-initiated"#,
        ],
    ),
    other(
        "OneDrive.exe",
        r"C:\Program Files\Microsoft OneDrive",
        [MS, "Microsoft OneDrive", "Microsoft OneDrive"],
        8,
        &[r#""C:\Program Files\Microsoft OneDrive\OneDrive.exe" /background"#],
    ),
    other(
        "explorer.exe",
        r"C:\Windows",
        [MS, WINDOWS, "Windows Explorer"],
        8,
        &[
            r"C:\Windows\Explorer.EXE",
            r"explorer.exe /factory,{{g}} -Embedding",
        ],
    ),
    other(
        "MpCmdRun.exe",
        r"C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.24090.11-0",
        [MS, WINDOWS, "Microsoft Malware Protection Command Line Utility"],
        10,
        &[
            r#""C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.24090.11-0\MpCmdRun.exe" SpyNetService -RestrictPrivileges -AccessKey {g} -Reinvoke"#,
        ],
    ),
    other(
        "SenseIR.exe",
        r"C:\Program Files\Windows Defender Advanced Threat Protection",
        [
            MS,
            WINDOWS,
            "Windows Defender Advanced Threat Protection Sense IR module",
        ],
        6,
        &[
            r#""SenseIR.exe" "OnlineSenseIR" "{n}" "eyJDb21tYW5kSWQiOiIiLCJEb3dubG9hZEZpbGVBY3Rpb25Db25maWciOm51bGwsIkRvd25sb2FkVHJhbnNhY3Rpb25zRXJyb3JDb25maWci{h}{h}{h}""#,
        ],
    ),
    other(
        "GoogleUpdate.exe",
        r"C:\Program Files (x86)\Google\Update",
        ["Google LLC", "Google Update", "Google Installer"],
        8,
        &[r#""C:\Program Files (x86)\Google\Update\GoogleUpdate.exe" /ua /installsource scheduler"#],
    ),
    other(
        "CcmExec.exe",
        r"C:\Windows\CCM",
        [
            MS,
            "Configuration Manager",
            "Host Process for Microsoft Configuration Manager",
        ],
        4,
        &[r"C:\Windows\CCM\CcmExec.exe"],
    ),
    other(
        "git.exe",
        r"C:\Program Files\Git\cmd",
        ["The Git Development Community", "Git", "Git for Windows"],
        20,
        &[
            r"git.exe -c core.quotepath=false -c color.ui=false status -z -u",
            r"git rev-parse --show-toplevel",
            r"git fetch --prune origin +refs/heads/{w}:refs/remotes/origin/{w}",
        ],
    ),
    other(
        "node.exe",
        r"C:\Program Files\nodejs",
        ["Node.js", "Node.js", "Node.js JavaScript Runtime"],
        14,
        &[
            r#""C:\Program Files\nodejs\node.exe" "C:\Users\{u}\AppData\Roaming\npm\node_modules\{w}\bin\{w}.js" --port={n} --watch"#,
        ],
    ),
    other(
        "Code.exe",
        r"C:\Program Files\Microsoft VS Code",
        [MS, "Visual Studio Code", "Visual Studio Code"],
        14,
        &[
            r#""C:\Program Files\Microsoft VS Code\Code.exe" --type=utility --utility-sub-type=node.mojom.NodeService --lang=en-US --service-sandbox-type=none --dns-result-order=ipv4first --inspect-port=0 --user-data-dir="C:\Users\{u}\AppData\Roaming\Code" --standard-schemes=vscode-webview,vscode-file --enable-sandbox --secure-schemes=vscode-webview,vscode-file --mojo-platform-channel-handle={n} /prefetch:8"#,
        ],
    ),
    other(
        "java.exe",
        r"C:\Program Files\Eclipse Adoptium\jdk-21.0.5.11-hotspot\bin",
        [
            "Eclipse Adoptium",
            "OpenJDK Platform 21.0.5",
            "OpenJDK Platform binary",
        ],
        7,
        &[
            r#""C:\Program Files\Eclipse Adoptium\jdk-21.0.5.11-hotspot\bin\java.exe" -Xmx{n}m -cp "lib\{w}.jar;lib\{w}-{n}.jar" com.contoso.{w}.Main --config conf\{w}.yaml"#,
        ],
    ),
    other(
        "sqlservr.exe",
        r"C:\Program Files\Microsoft SQL Server\MSSQL16.MSSQLSERVER\MSSQL\Binn",
        [MS, "Microsoft SQL Server", "SQL Server Windows NT - 64 Bit"],
        1,
        &[
            r#""C:\Program Files\Microsoft SQL Server\MSSQL16.MSSQLSERVER\MSSQL\Binn\sqlservr.exe" -sMSSQLSERVER"#,
        ],
    ),
    other(
        "SenseCE.exe",
        r"C:\Program Files\Windows Defender Advanced Threat Protection\Classification",
        [
            MS,
            WINDOWS,
            "Windows Defender Advanced Threat Protection Sense CE module",
        ],
        4,
        &[r#""SenseCE.exe" {g}"#],
    ),
    other(
        "Zoom.exe",
        r"C:\Program Files\Zoom\bin",
        ["Zoom Communications, Inc.", "Zoom Workplace", "Zoom Workplace"],
        5,
        &[r#""C:\Program Files\Zoom\bin\Zoom.exe" --action=join --runaszvideo=TRUE --confno={n}{n}"#],
    ),
    other(
        "AcroRd32.exe",
        r"C:\Program Files (x86)\Adobe\Acrobat Reader DC\Reader",
        [
            "Adobe Systems Incorporated",
            "Adobe Acrobat Reader DC",
            "Adobe Acrobat Reader DC ",
        ],
        6,
        &[
            r#""C:\Program Files (x86)\Adobe\Acrobat Reader DC\Reader\AcroRd32.exe" "C:\Users\{u}\Downloads\{w}-{n}.pdf""#,
        ],
    ),
    other(
        "7zG.exe",
        r"C:\Program Files\7-Zip",
        ["Igor Pavlov", "7-Zip", "7-Zip GUI"],
        3,
        &[
            r#""C:\Program Files\7-Zip\7zG.exe" x -o"C:\Users\{u}\Downloads\{w}\" -spe -slp- -an -ai#7zMap{n}:{n}:7zEvent{n}"#,
        ],
    ),
];

/// What starts the others, by place in [`PROGRAMS`] found by name, and how often.
pub const PARENTS: &[(&str, u32)] = &[
    ("svchost.exe", 30),
    ("explorer.exe", 20),
    ("cmd.exe", 18),
    ("chrome.exe", 12),
    ("msedge.exe", 10),
    ("powershell.exe", 9),
    ("Code.exe", 6),
    ("CcmExec.exe", 5),
    ("ms-teams.exe", 4),
    ("node.exe", 4),
    ("git.exe", 3),
    ("OUTLOOK.EXE", 3),
    ("WINWORD.EXE", 1),
    ("EXCEL.EXE", 1),
    ("WmiPrvSE.exe", 2),
    ("sqlservr.exe", 1),
];
