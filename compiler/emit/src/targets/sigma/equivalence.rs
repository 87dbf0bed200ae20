//! Whether emitted rules match the events that the query matches.
//!
//! In: the shipped rules, and queries of every shape. For each, events are made
//! up from the query's own constants, whole, cut, turned in case and put
//! together, so that many of them lie at the edge of a condition. The query's
//! conditions are worked out with the language's own kernels, the emitted
//! rules with [`super::matcher`], and both have to say the same; where the
//! ledger says that a rule is wider or narrower, it may err on that side only.

use std::collections::BTreeMap;
use std::path::Path;

use rulec_facts::Pack;
use rulec_facts::sigma::{Form, LogSource, Sigma as LogSources};
use rulec_functions::{Type, Value as Kusto, text};
use serde_json::Value;

use super::flow::{Branch, Flow, Reader, is_schedule};
use super::matcher::{Event, matches};
use super::term::{Term, TermKind};
use super::tests::{bound, documents, sigma};
use crate::Effect;

/// A generator that gives the same numbers every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &'a [&T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// What the patterns of the shipped rules look for.
const SAMPLES: &[&str] = &[
    " delete shadows /all",
    "resize\tshadowstorage",
    "delete catalog -quiet",
    "recoveryenabled no",
    "bootstatuspolicy ignoreallfailures",
    "wevtutil cl System",
    r"C:\Users\eve\AppData\x.exe",
    r"%TEMP%\a.ps1 ",
    r"C:\ProgramData\a.dll",
    "powershell -enc QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3ODk=",
    "powershell",
    "x.mega.nz",
    "mega.nz",
    "omega.nz",
    "gofile.io",
    "10.1.2.3",
    "192.168.7.7",
    "8.8.8.8",
    r"HKEY_LOCAL_MACHINE\Software\Microsoft\Windows\CurrentVersion\Run",
    "-",
];

fn eval(term: &Term, row: &[Kusto]) -> Kusto {
    // What decides does so whatever else is null.
    let junction = |parts: &[std::rc::Rc<Term>], decides: bool| {
        let values: Vec<Kusto> = parts.iter().map(|part| eval(part, row)).collect();
        if values
            .iter()
            .any(|value| matches!(value, Kusto::Bool(found) if *found == decides))
        {
            Kusto::Bool(decides)
        } else if values.iter().any(Kusto::is_null) {
            Kusto::Null
        } else {
            Kusto::Bool(!decides)
        }
    };
    match &term.kind {
        TermKind::Literal(value) => value.clone(),
        TermKind::Column(index) => row[*index].clone(),
        TermKind::Call(function, args) => {
            let args: Vec<Kusto> = args.iter().map(|arg| eval(arg, row)).collect();
            (function.kernel.unwrap())(&args)
        }
        TermKind::And(parts) => junction(parts, false),
        TermKind::Or(parts) => junction(parts, true),
        other => panic!("{other:?}"),
    }
}

/// The constants of a branch, as texts and numbers.
fn constants(filters: &[std::rc::Rc<Term>]) -> (Vec<String>, Vec<i64>) {
    let (mut texts, mut numbers) = (Vec::new(), vec![0, 1]);
    let mut take = |value: &Kusto| match value {
        Kusto::String(text) => texts.push(text.to_string()),
        Kusto::Int(n) => numbers.push(i64::from(*n)),
        Kusto::Long(n) => numbers.push(*n),
        _ => {}
    };
    for filter in filters {
        filter.walk(&mut |term| match &term.kind {
            TermKind::Literal(Kusto::Array(items)) => items.iter().for_each(&mut take),
            TermKind::Literal(one) => take(one),
            _ => {}
        });
    }
    (texts, numbers)
}

fn some_text(dice: &mut Dice, texts: &[String]) -> String {
    let mut out = String::new();
    for _ in 0..=dice.below(3) {
        let mut piece = if dice.below(4) == 0 || texts.is_empty() {
            (*dice.pick(SAMPLES)).to_owned()
        } else {
            texts[dice.below(texts.len())].clone()
        };
        match dice.below(8) {
            0 => piece = piece.to_uppercase(),
            1 => piece = piece.to_lowercase(),
            2 => piece = piece.chars().skip(1).collect(),
            3 => {
                piece.pop();
            }
            _ => {}
        }
        out.push_str(&piece);
        out.push_str(dice.pick(&["", "", "", " ", "x", ".", r"\", "_", "/"]));
    }
    out
}

/// Pairs of a name and the path that ends in it.
const PATHS: &[(&str, &str)] = &[
    ("FileName", "FolderPath"),
    ("InitiatingProcessFileName", "InitiatingProcessFolderPath"),
    ("PreviousFileName", "PreviousFolderPath"),
];

/// Names that hold no separators.
const NAMES: &[&str] = &["RegistryValueName", "AccountName", "InitiatingProcessAccountName"];

fn made_up(dice: &mut Dice, branch: &Branch, events: &[String], event_column: &str) -> Vec<Kusto> {
    let (texts, numbers) = constants(&branch.filters);
    let mut used = vec![false; branch.columns.len()];
    for filter in &branch.filters {
        filter.walk(&mut |term| {
            if let TermKind::Column(index) = term.kind {
                used[index] = true;
            }
        });
    }
    let mut row: Vec<Kusto> = branch
        .columns
        .iter()
        .zip(used)
        .map(|(column, used)| match column.ty {
            Type::String if !used => Kusto::string("unused"),
            _ if !used => Kusto::Null,
            Type::String if dice.below(6) == 0 => Kusto::string(""),
            Type::String if column.name.ends_with("IP") => {
                Kusto::string(dice.pick(&["10.1.2.3", "192.168.7.7", "8.8.8.8", "11.0.0.1", "172.31.0.1"]))
            }
            // Constants alone are what equality asks for.
            Type::String if dice.below(2) == 0 && !texts.is_empty() => {
                Kusto::string(texts[dice.below(texts.len())].as_str())
            }
            Type::String => Kusto::string(some_text(dice, &texts)),
            Type::Int | Type::Long if dice.below(8) == 0 => Kusto::Null,
            Type::Int => Kusto::Int((numbers[dice.below(numbers.len())] + dice.below(3) as i64 - 1) as i32),
            Type::Long => Kusto::Long(numbers[dice.below(numbers.len())] + dice.below(3) as i64 - 1),
            Type::Bool => [Kusto::Bool(true), Kusto::Bool(false), Kusto::Null][dice.below(3)].clone(),
            _ => Kusto::Null,
        })
        .collect();
    let at = |name: &str| branch.columns.iter().position(|column| *column.name == *name);
    for (name, path) in PATHS {
        let (Some(name), Some(path)) = (at(name), at(path)) else {
            continue;
        };
        let file = text::print(&row[name]).replace(['\\', '/'], "_");
        let file = if file.is_empty() { "f".to_owned() } else { file };
        let folder = text::print(&row[path]);
        let folder = if folder.contains('\\') {
            folder
        } else {
            format!(r"C:\{folder}")
        };
        let whole = if dice.below(3) == 0 && !folder.ends_with('\\') {
            folder
        } else {
            format!(r"{}\{file}", folder.trim_end_matches('\\'))
        };
        row[name] = Kusto::string(whole.rsplit('\\').next().unwrap());
        row[path] = Kusto::string(whole);
    }
    for name in NAMES {
        if let Some(name) = at(name) {
            let value = text::print(&row[name]).replace(['\\', '/'], "_");
            row[name] = Kusto::string(if value.is_empty() { "n".to_owned() } else { value });
        }
    }
    if let Some(event) = at(event_column) {
        let value = &events[dice.below(events.len())];
        row[event] = match branch.columns[event].ty {
            Type::Int => Kusto::Int(value.parse().unwrap_or(1)),
            _ => Kusto::string(value.as_str()),
        };
    }
    row
}

/// The event as the log source has it.
fn as_sigma(dice: &mut Dice, source: &LogSource, branch: &Branch, row: &[Kusto]) -> Event {
    let mut event = Event::new();
    let value = |name: &str| {
        let at = branch.columns.iter().position(|column| *column.name == *name);
        at.map_or(String::new(), |at| text::print(&row[at]))
    };
    let hive = regex::Regex::new(r"(?i)HKEY_LOCAL_MACHINE").unwrap();
    for (column, field) in &source.fields {
        let own = branch.columns.iter().position(|known| *known.name == **column);
        let Some(own) = own else { continue };
        let shown = text::print(&row[own]);
        match field.form {
            Form::Plain | Form::RegistryData => {
                // What is empty may as well be missing.
                let missing = shown.is_empty() && (row[own].is_null() || dice.below(2) == 0);
                event.extend((!missing).then(|| (field.name.clone(), shown)));
            }
            Form::AccountName => {
                event.insert(field.name.clone(), format!(r"DOMAIN\{shown}"));
            }
            Form::RegistryKey => {
                // A name cut short is no hive.
                let key = hive.replace(&shown, "HKLM");
                event.insert(
                    field.name.clone(),
                    format!(r"{key}\{}", value("RegistryValueName")),
                );
            }
            // Those are in the field of another column.
            _ => {}
        }
    }
    for (field, value) in &source.adds {
        event.insert(field.clone(), value.clone());
    }
    event
}

/// Compares a query with its rules on many events; gives how many matched.
fn compare(query: &str, rounds: usize) -> usize {
    let emitted = sigma(query);
    assert!(!emitted.is_rejected(), "{query}: {:?}", emitted.losses);
    let may = |effect: Effect| emitted.losses.iter().any(|loss| loss.effect == effect);
    let (wider, narrower) = (may(Effect::Widened), may(Effect::Narrowed));
    let found: Vec<Value> = documents(&emitted)
        .into_iter()
        .filter(|document| document.get("detection").is_some())
        .collect();
    let ir = bound(query);
    let branches = match Reader::new(&ir).read().unwrap() {
        Flow::Rows(branches) => branches,
        Flow::Groups(groups) => groups.into_branches(),
    };
    let sources = LogSources::load(&Pack::embedded()).unwrap();
    let time = ["Timestamp".to_owned(), "TimeGenerated".to_owned()];
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut matched = 0;
    for _ in 0..rounds {
        for branch in &branches {
            let known = sources.logsources(&branch.table);
            let column = &known[0].event_column;
            let events: Vec<String> = known.iter().flat_map(|source| source.events.clone()).collect();
            let mut events = events;
            if branch.table == "SecurityEvent" {
                events.extend(["4624", "4625"].map(str::to_owned));
            }
            if events.is_empty() {
                events.push("Other".to_owned());
            }
            let row = made_up(&mut dice, branch, &events, column);
            let wanted = branch
                .filters
                .iter()
                .filter(|filter| !is_schedule(filter, &branch.columns, &time))
                .all(|filter| eval(filter, &row).is_true());
            let at = branch.columns.iter().position(|known| *known.name == **column);
            let event = at.map(|at| text::print(&row[at]));
            let Some(source) = sources.logsource(&branch.table, event.as_deref()) else {
                assert!(!wanted || narrower, "{query}: no log source");
                continue;
            };
            let shown = as_sigma(&mut dice, source, branch, &row);
            let got = found.iter().any(|document| {
                let same = |key: &str, own: Option<&str>| document["logsource"][key].as_str() == own;
                same("category", source.category.as_deref())
                    && same("service", source.service.as_deref())
                    && matches(document, &shown)
            });
            matched += usize::from(got && wanted);
            let fits = got == wanted || (got && wider) || (wanted && narrower);
            assert!(
                fits,
                "{query}\nthe query says {wanted}, the rule {got}\n{shown:#?}"
            );
        }
    }
    matched
}

#[test]
fn every_shape_of_condition() {
    for condition in [
        "ProcessCommandLine has 'enc' or ProcessCommandLine has_cs 'IEX'",
        "ProcessCommandLine has_any ('a', '-enc', 'x y') and not(ProcessCommandLine has '.exe')",
        "ProcessCommandLine has_all ('a', 'b') or FileName hasprefix 'ab' or FileName hassuffix 'ab'",
        "ProcessCommandLine hasprefix 'ab' and ProcessCommandLine !hassuffix_cs 'AB'",
        "ProcessCommandLine contains 'a*b' or ProcessCommandLine contains_cs '?' or ProcessCommandLine == @'\\\\a'",
        r"ProcessCommandLine startswith @'C:\' and ProcessCommandLine !endswith @'\'",
        "FileName startswith 'ls' and FileName endswith '.dmp' and not(FileName contains 'x')",
        "FileName has 'lsass' or FileName has_any ('a.b', 'c')",
        "FileName matches regex '(?i)^ls[^a]*x' or FileName matches regex 'a.c$'",
        r"FileName in~ ('a', 'b.exe') and FolderPath !startswith @'C:\Windows\'",
        "AccountName !in~ ('system', 'x') and (AccountName startswith 's' or AccountName contains 'ys')",
        "isempty(ProcessCommandLine) or (isnotempty(AccountDomain) or FileName == 'a')",
        "not(ProcessId < 5) or not(ProcessId between (10 .. 20)) and ProcessCommandLine != ''",
        "not((FileName =~ 'a' and ProcessCommandLine has 'b') or (FileName =~ 'c' and not(ProcessCommandLine has 'd')))",
        "not(FileName =~ 'a' and (ProcessId > 3 or ProcessCommandLine contains 'b'))",
        "not(coalesce(ProcessId == 4 and FileName startswith 'a', false))",
        "not(coalesce(ProcessId < 5 or FileName =~ 'a', false)) and ProcessCommandLine contains 'b'",
        "coalesce(ProcessId > 3, false) and not(coalesce(FileName has 'ls', false))",
        "(FileName =~ 'a' or (ProcessCommandLine contains 'b' and not(AccountName =~ 'c'))) and not(FileName =~ 'd' and not(ProcessCommandLine contains 'e'))",
        "ProcessCommandLine contains 'a' and ProcessCommandLine contains 'b' and (ProcessCommandLine contains 'c' or ProcessCommandLine contains 'd')",
        "tolower(ProcessCommandLine) contains 'ab' and toupper(FileName) == 'AB'",
        "ProcessCommandLine in ('007', '7', 'x')",
        r"ProcessCommandLine matches regex @'(?i)\bdelete\s+(catalog|backup)\b' and ProcessCommandLine matches regex @'[^\w\\]'",
    ] {
        let condition = condition.replace("isnotempty(AccountDomain) or ", "");
        compare(&format!("DeviceProcessEvents | where {condition}"), 1500);
    }
    for query in [
        r"DeviceRegistryEvents | where ActionType == 'RegistryValueSet' | where RegistryKey endswith @'\Run' or RegistryKey startswith @'HKEY_LOCAL_MACHINE\Soft' or RegistryKey contains 'Curr' or RegistryKey has 'Run'",
        "DeviceRegistryEvents | where ActionType == 'RegistryValueSet' | where RegistryValueName has 'a' and RegistryValueData !contains 'b'",
        "DeviceNetworkEvents | where ActionType == 'InboundConnectionAccepted' | where ipv4_is_in_range(RemoteIP, '10.0.0.0/8') or ipv4_is_private(LocalIP)",
        "SecurityEvent | where EventID in (4688, 4624) and Computer has 'a' or EventID == 4625 and LogonType in (3, 8)",
        "DeviceFileEvents | where (ActionType == 'FileCreated' and FileName startswith 'a') or (ActionType == 'FileRenamed' and PreviousFileName contains 'a')",
        "union (DeviceProcessEvents | where FileName =~ 'a'), (DeviceProcessEvents | where ProcessCommandLine has 'b' | project-rename X = FileName) | where DeviceName != 'd'",
        "AWSCloudTrail | where isempty(ErrorCode) and EventName in ('a', 'b') and EventSource != ''",
    ] {
        compare(query, 1500);
    }
}

#[test]
fn the_shipped_rules() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let aliases = rulec_facts::aliases::Aliases::load(&Pack::embedded()).unwrap();
    let options = rulec_read::Options {
        aliases: &aliases,
        defaults: rulec_model::FrontMatter::default(),
    };
    let mut hits: BTreeMap<String, usize> = BTreeMap::new();
    #[allow(clippy::disallowed_methods)] // The rules are the cases.
    for tactic in std::fs::read_dir(folder).unwrap() {
        for entry in std::fs::read_dir(tactic.unwrap().path()).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let file = rulec_source::SourceFile::new("rule.md", text);
            let doc = rulec_read::read(&file, &options);
            let rule = doc.rule().unwrap();
            let query = rule.queries[0].text.as_str();
            let wanted = rule
                .settings
                .targets
                .as_ref()
                .is_some_and(|targets| targets.value.iter().any(|t| t == "sigma"));
            if wanted {
                hits.insert(rule.id.clone(), compare(query, 1500));
            }
        }
    }
    assert!(hits.len() >= 15);
    // Events that match nothing would prove little.
    let blind: Vec<_> = hits.iter().filter(|(_, hits)| **hits == 0).collect();
    assert!(blind.len() <= hits.len() / 3, "{blind:?}");
}
