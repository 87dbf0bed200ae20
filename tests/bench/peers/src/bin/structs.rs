//! `structs RULE DATA`: the benchmark's rules as a Rust programmer writes them
//! over sonic-rs: a struct of the needed fields, a loop over lines, two threads.
//!
//! `structs skip-DeviceEvents DATA` only checks and skips every line, which
//! bounds what a strict reader of JSON can do.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap, HashSet},
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use bench_peers::{lines, map, pieces};
use regex::Regex;
use serde::{Deserialize, Serialize, de::IgnoredAny};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const SINCE: &str = "2026-01-15T10:00:00";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.as_slice() {
        [rule, data] => run(rule, data),
        _ => Err("usage: structs filter|json|summarize|skip-TABLE DATA".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(rule: &str, data: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match rule {
        "filter" => filter(data, &mut out),
        "json" => json(data, &mut out),
        "summarize" => summarize(data, &mut out),
        other => match other.strip_prefix("skip-") {
            Some(table) => skip(&format!("{data}/{table}.ndjson"), &mut out),
            None => Err(format!("no rule {other}").into()),
        },
    }
}

fn write<T: Serialize>(out: &mut impl Write, rows: impl IntoIterator<Item = T>) -> Result<()> {
    for row in rows {
        serde_json::to_writer(&mut *out, &row)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn skip(path: &str, out: &mut impl Write) -> Result<()> {
    let bytes = map(path)?;
    let counts = pieces(&bytes, |piece| -> Result<u64> {
        let mut count = 0;
        for line in lines(piece) {
            let IgnoredAny = sonic_rs::from_slice(line)?;
            count += 1;
        }
        Ok(count)
    });
    let count = counts.into_iter().sum::<Result<u64>>()?;
    writeln!(out, "{count}")?;
    Ok(())
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Process<'a> {
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
    #[serde(borrow, skip_serializing)]
    action_type: Cow<'a, str>,
    #[serde(borrow)]
    device_id: Cow<'a, str>,
    #[serde(borrow)]
    device_name: Cow<'a, str>,
    report_id: u64,
    #[serde(borrow)]
    account_domain: Cow<'a, str>,
    #[serde(borrow)]
    account_name: Cow<'a, str>,
    #[serde(borrow)]
    account_sid: Cow<'a, str>,
    #[serde(borrow)]
    file_name: Cow<'a, str>,
    #[serde(borrow)]
    folder_path: Cow<'a, str>,
    #[serde(borrow, rename = "SHA1")]
    sha1: Cow<'a, str>,
    #[serde(borrow)]
    process_command_line: Cow<'a, str>,
    #[serde(borrow)]
    initiating_process_file_name: Cow<'a, str>,
    #[serde(borrow)]
    initiating_process_folder_path: Cow<'a, str>,
    #[serde(borrow)]
    initiating_process_command_line: Cow<'a, str>,
}

fn filter(data: &str, out: &mut impl Write) -> Result<()> {
    let shadows = Regex::new(r"(?i)\b(delete|resize)\s+shadow(s|storage)\b")?;
    let catalog = Regex::new(r"(?i)\bdelete\s+(catalog|systemstatebackup|backup)\b")?;
    let recovery =
        Regex::new(r"(?i)\b(recoveryenabled\s+(no|off|0)|bootstatuspolicy\s+ignoreallfailures)\b")?;
    let bytes = map(&format!("{data}/DeviceProcessEvents.ndjson"))?;
    let wanted = |event: &Process<'_>| {
        let file = |name: &str| event.file_name.eq_ignore_ascii_case(name);
        let command = &event.process_command_line;
        if *event.timestamp < *SINCE || !event.action_type.eq_ignore_ascii_case("ProcessCreated") {
            return false;
        }
        if file("vssadmin.exe") {
            return shadows.is_match(command);
        }
        if file("wbadmin.exe") {
            return catalog.is_match(command);
        }
        if file("bcdedit.exe") {
            return recovery.is_match(command);
        }
        let folded = || command.to_lowercase();
        if file("wmic.exe") {
            let folded = folded();
            return folded.contains("shadowcopy") && folded.contains("delete");
        }
        if file("powershell.exe") || file("pwsh.exe") {
            let folded = folded();
            return folded.contains("win32_shadowcopy")
                && ["delete(", "remove-wmiobject", "remove-ciminstance"]
                    .iter()
                    .any(|part| folded.contains(part));
        }
        false
    };
    let found = pieces(&bytes, |piece| -> Result<Vec<Process<'_>>> {
        let mut found = Vec::new();
        for line in lines(piece) {
            let event: Process<'_> = sonic_rs::from_slice(line)?;
            if wanted(&event) {
                found.push(event);
            }
        }
        Ok(found)
    });
    for rows in found {
        write(out, rows?)?;
    }
    Ok(())
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Pipe<'a> {
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
    #[serde(borrow, skip_serializing)]
    action_type: Cow<'a, str>,
    #[serde(borrow)]
    device_id: Cow<'a, str>,
    #[serde(borrow)]
    device_name: Cow<'a, str>,
    report_id: u64,
    #[serde(borrow, skip_serializing)]
    additional_fields: Cow<'a, str>,
    #[serde(borrow)]
    initiating_process_file_name: Cow<'a, str>,
    #[serde(borrow)]
    initiating_process_folder_path: Cow<'a, str>,
    #[serde(borrow)]
    initiating_process_command_line: Cow<'a, str>,
    #[serde(borrow, rename = "InitiatingProcessSHA1")]
    initiating_process_sha1: Cow<'a, str>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PipeFields {
    pipe_name: String,
    #[serde(rename(serialize = "Operation"))]
    file_operation: String,
}

#[derive(Serialize)]
struct Named<'a> {
    #[serde(flatten)]
    event: Pipe<'a>,
    #[serde(flatten)]
    fields: PipeFields,
}

fn json(data: &str, out: &mut impl Write) -> Result<()> {
    let pipes = [
        r"(?i)\\(msse-[0-9]+-server|msagent_[0-9a-f]{2}|status_[0-9a-f]{2}|wkssvc_?[0-9a-f]{2}|gruntsvc|remcom_communicaton)$",
        r"(?i)\\postex_(ssh_)?[0-9a-f]{4}$",
        r"(?i)\\mojo\.5688\.8052\.(183894939787088877|[0-9]{5}35780273329370473)[0-9a-f]{2}$",
        r"(?i)\\psexesvc-.+-(stdin|stdout|stderr)$",
    ]
    .map(Regex::new)
    .into_iter()
    .collect::<std::result::Result<Vec<_>, _>>()?;
    let bytes = map(&format!("{data}/DeviceEvents.ndjson"))?;
    let found = pieces(&bytes, |piece| -> Result<Vec<Named<'_>>> {
        let mut found = Vec::new();
        for line in lines(piece) {
            let event: Pipe<'_> = sonic_rs::from_slice(line)?;
            if event.action_type != "NamedPipeEvent" || *event.timestamp < *SINCE {
                continue;
            }
            let fields: PipeFields = sonic_rs::from_str(&event.additional_fields)?;
            if pipes.iter().any(|regex| regex.is_match(&fields.pipe_name)) {
                found.push(Named { event, fields });
            }
        }
        Ok(found)
    });
    for rows in found {
        write(out, rows?)?;
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Call<'a> {
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
    #[serde(borrow)]
    action_type: Cow<'a, str>,
    #[serde(borrow)]
    device_id: Cow<'a, str>,
    #[serde(borrow)]
    file_name: Cow<'a, str>,
    #[serde(borrow)]
    folder_path: Cow<'a, str>,
    process_id: Option<u64>,
    initiating_process_id: Option<u64>,
    #[serde(borrow, rename = "InitiatingProcessSHA1")]
    initiating_process_sha1: Cow<'a, str>,
    #[serde(borrow)]
    initiating_process_folder_path: Cow<'a, str>,
}

/// A call that counts, with the line it was read from.
struct Injection<'a> {
    call: Call<'a>,
    hash: String,
    target: String,
    line: &'a [u8],
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Profile {
    #[serde(rename = "SHA1")]
    sha1: String,
    global_prevalence: Option<u64>,
    signer: Option<String>,
    is_certificate_valid: Option<bool>,
    profile_availability: Option<String>,
}

/// What a rare source adds to its rows.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Rare {
    device_count: usize,
    prevalence: u64,
    signer: String,
    validly_signed: bool,
}

/// The first call of a group, its targets and the kinds of its calls.
type Group<'a> = (&'a Injection<'a>, BTreeSet<&'a str>, BTreeSet<&'a str>);

fn folder(path: &str) -> String {
    let lower = path.to_lowercase();
    lower
        .rfind('\\')
        .map_or(String::new(), |at| lower[..at].to_owned())
}

fn injections<'a>(piece: &'a [u8]) -> Result<Vec<Injection<'a>>> {
    const CALLS: [&str; 5] = [
        "CreateRemoteThreadApiCall",
        "NtAllocateVirtualMemoryRemoteApiCall",
        "NtMapViewOfSectionRemoteApiCall",
        "QueueUserApcRemoteApiCall",
        "SetThreadContextRemoteApiCall",
    ];
    let mut found = Vec::new();
    for line in lines(piece) {
        let call: Call<'a> = sonic_rs::from_slice(line)?;
        let (Some(process), Some(by)) = (call.process_id, call.initiating_process_id) else {
            continue;
        };
        if !CALLS.iter().any(|c| call.action_type.eq_ignore_ascii_case(c))
            || *call.timestamp < *SINCE
            || process == by
            || call.initiating_process_sha1.is_empty()
        {
            continue;
        }
        let (path, file) = (&call.folder_path, &call.file_name);
        let target = if path.to_lowercase().ends_with(&file.to_lowercase()) {
            path.to_string()
        } else {
            format!("{path}\\{file}")
        };
        let source = folder(&call.initiating_process_folder_path);
        if !source.is_empty() && source == folder(&target) {
            continue;
        }
        let hash = call.initiating_process_sha1.to_lowercase();
        found.push(Injection {
            call,
            hash,
            target,
            line,
        });
    }
    Ok(found)
}

fn summarize(data: &str, out: &mut impl Write) -> Result<()> {
    let profiles = map(&format!("{data}/FileProfile.ndjson"))?;
    let profiles = lines(&profiles)
        .map(|line| sonic_rs::from_slice::<Profile>(line).map(|p| (p.sha1.clone(), p)))
        .collect::<std::result::Result<HashMap<_, _>, _>>()?;
    let bytes = map(&format!("{data}/DeviceEvents.ndjson"))?;
    let injections: Vec<Injection<'_>> = pieces(&bytes, injections)
        .into_iter()
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect();
    let mut devices: HashMap<&str, HashSet<&str>> = HashMap::new();
    for injection in &injections {
        devices
            .entry(&injection.hash)
            .or_default()
            .insert(&injection.call.device_id);
    }
    let mut seen: Vec<(&str, usize)> = devices.iter().map(|(hash, set)| (*hash, set.len())).collect();
    seen.sort_unstable_by_key(|(_, count)| *count);
    let rare: HashMap<&str, Rare> = seen
        .into_iter()
        .take(1000)
        .filter_map(|(hash, device_count)| {
            let profile = profiles.get(hash);
            if profile
                .and_then(|p| p.profile_availability.as_deref())
                .is_some_and(|a| a.eq_ignore_ascii_case("Error"))
            {
                return None;
            }
            let prevalence = profile.and_then(|p| p.global_prevalence).unwrap_or(0);
            let signer = profile.and_then(|p| p.signer.clone()).unwrap_or_default();
            let valid = profile.and_then(|p| p.is_certificate_valid).unwrap_or(false);
            let validly_signed = !signer.is_empty() && valid;
            let rare = Rare {
                device_count,
                prevalence,
                signer,
                validly_signed,
            };
            (prevalence < 200 || (prevalence < 500 && !validly_signed)).then_some((hash, rare))
        })
        .collect();
    let mut groups: HashMap<(&str, &str), Group<'_>> = HashMap::new();
    for injection in &injections {
        if !rare.contains_key(injection.hash.as_str()) {
            continue;
        }
        let call = &injection.call;
        let key = (&*call.device_id, &*call.initiating_process_folder_path);
        let (first, targets, calls) = groups
            .entry(key)
            .or_insert_with(|| (injection, BTreeSet::new(), BTreeSet::new()));
        if call.timestamp < first.call.timestamp {
            *first = injection;
        }
        targets.insert(&injection.target);
        calls.insert(&call.action_type);
    }
    for (first, targets, calls) in groups.into_values() {
        let mut row: serde_json::Map<String, serde_json::Value> = sonic_rs::from_slice(first.line)?;
        row.insert("InitiatingProcessSHA1".to_owned(), first.hash.clone().into());
        row.insert("InjectionTargets".to_owned(), serde_json::to_value(targets)?);
        row.insert("InjectionCalls".to_owned(), serde_json::to_value(calls)?);
        if let serde_json::Value::Object(more) = serde_json::to_value(&rare[first.hash.as_str()])? {
            row.extend(more);
        }
        write(out, [row])?;
    }
    Ok(())
}
