//! Emitted modules and packages: formatted, the same every time, and (with
//! `RULEC_NATIVE=1`, because it takes a compiler and a minute) built and run
//! beside the interpreter.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rulec_facts::tables::{Environment, Tables};
use rulec_ir::Catalog;
use rulec_model::{Rule, RuleQuery};

use super::{BINARY, Native, samples};
use crate::targets::testing::*;
use crate::{Emitted, Input, Member, Target, emit};

/// The most tables of an example whose rows are compared.
const FEW_TABLES: usize = 8;

/// A query for each shape of code, over a table that is known or made up.
const QUERIES: &[&str] = &[
    "DeviceProcessEvents | where FileName =~ 'cmd.exe' and ProcessCommandLine contains 'x' | project Timestamp, FileName",
    "DeviceProcessEvents | take 3",
    "let t = 2*1h; let names = dynamic(['a', 'b']); let long = dynamic(['1','2','3','4','5','6','7','8','9']);\n\
     DeviceProcessEvents | where ingestion_time() >= ago(t) | where FileName in~ (names) or FileName in (long) or FileName !in ('x', 'y')\n\
     | where not(FolderPath startswith @'C:\\Windows\\' or FolderPath endswith \"\\\"q\\\"\") and isnotempty(SHA1)\n\
     | extend Folder = tolower(FolderPath), Big = FileSize > 10 and ProcessId == 4 | project-away SHA256 | project Folder, Big, FileName",
    "DeviceProcessEvents | summarize arg_max(Timestamp, *), count(), dcount(FileName), Names = make_set(FileName, 5) by DeviceId, bin(Timestamp, 1h) | where count_ > 2 | sort by count_ asc, DeviceId desc nulls first | top 3 by count_",
    "let base = DeviceProcessEvents | where ActionType == 'a' | project DeviceId, FileName;\n\
     DeviceNetworkEvents | join kind=leftouter base on DeviceId | lookup (DeviceInfo | project DeviceId, OSPlatform) on DeviceId | project DeviceId, DeviceId1, FileName, OSPlatform",
    "let since = ago(1d); let most = toscalar(DeviceInfo | summarize max(Timestamp));\n\
     DeviceProcessEvents | where Timestamp > since and Timestamp <= most and DeviceId in ((DeviceInfo | where OSPlatform has 'Win' | project DeviceId)) | project Timestamp, DeviceId, Age = now() - Timestamp",
    "union withsource=Source DeviceProcessEvents, (DeviceNetworkEvents | where RemotePort in (80, 443) | project Timestamp, DeviceId, RemoteIP) | project Source, DeviceId, RemoteIP | count",
    "OfficeActivity | mv-expand P = parse_json(Parameters) limit 5 | extend N = tostring(P.Name) | summarize by N, UserId",
    "let wanted = dynamic(['ForwardTo']); OfficeActivity | mv-apply P = parse_json(Parameters) on (extend N = tostring(P.Name) | where N in~ (wanted) | summarize Names = make_set(N)) | project UserId, Names",
    "Syslog | parse SyslogMessage with Outcome ' password for ' User ' port ' Port:int * | where Port > 3 | project Outcome, User, Port, Computer",
    "Syslog | parse-where kind=regex flags=Ui SyslogMessage with * '[a-z]+=' Value:long ';' | project Value",
    "DeviceProcessEvents | invoke FileProfile(SHA1, 1000) | where GlobalPrevalence < 200 | project FileName, GlobalPrevalence, Signer",
    "datatable(A:long, B:string, C:dynamic, D:decimal, E:guid, F:real, G:timespan, H:datetime, I:bool)[1, 'x', dynamic({\"a\": [1, null, 'y']}), decimal(1.5), guid(74be27de-1e4e-49d9-b579-fe0b331d3642), 3.14, 1d, datetime(2026-01-01), true, -5, '', dynamic(null), decimal(2), guid(null), real(nan), -1s, datetime(null), false] | extend J = pack('k', A) | where C.a[0] == 1 or I",
    "range x from 1 to 10 step 2 | extend y = case(x > 5, 'big', x > 3, 'middle', 'small'), z = iff(x % 2 == 0 or x == 3, 1, 2), w = x between (2 .. 4)",
    "DeviceProcessEvents | sort by Timestamp asc | extend Before = prev(FileName), N = row_number(), S = row_cumsum(FileSize, DeviceId != prev(DeviceId)) | where N > 1 and next(FileName) != 'x' | project N, Before, S",
    "DeviceProcessEvents | serialize | extend Session = row_window_session(Timestamp, 1h, 5m, DeviceId != prev(DeviceId)) | summarize count() by Session",
    "DeviceProcessEvents | distinct DeviceId, FileName | count | extend Twice = Count * 2",
    "DeviceProcessEvents | project FileName | getschema",
    "NoSuchTable | where Anything == 'a' and Other > 3 | extend New = strcat(Anything, '-', Other)",
    "NoSuchTable | extend N = row_number() | where N < 3 and Some has 'thing'",
    "_GetWatchlist('Admins') | where SearchKey =~ 'kim' | project SearchKey",
    "externaldata(Ip:string, N:long)['https://example.org/list.csv?x=1'] | where N > 1",
    "DeviceProcessEvents | where ProcessCommandLine matches regex @'(?i)\\s(cl|clear-log)\\s' or extract(@\"^(?:a|b)'(.*)$\", 1, FileName) == 'x' | project FileName",
    "DeviceProcessEvents | where ProcessCommandLine has_any ('aaaaaaaaaaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'ccccccccccccccccccccccccccccc', 'ddddddddddddd') and (FileName has 'a' and FolderPath has_cs 'b' or AccountName !contains 'c') and not(AccountDomain =~ 'x' and isempty(AccountSid)) | project FileName",
    "DeviceProcessEvents | where FolderPath == @'C:\\a very long folder\\that goes on\\and on\\and on\\until the line is longer than a line may be\\and then some more of it' | project FileName",
    "let f = (name:string, n:long) { DeviceProcessEvents | where FileName == name and FileSize > n }; union f('a', 1), f('b', 2) | project FileName | extend r = rand() | where r >= 0 | project FileName",
    "DeviceProcessEvents | where rand() < 2 | where 1 == 1 | where 'a' in ('a', 'b') | project FileName",
    "let type = 'x'; let evaluate = dynamic({\"a\": 1}); let t = 5; DeviceProcessEvents | where FileName == type | extend info = evaluate.a + t | project info",
    "DeviceProcessEvents | join kind=leftanti (DeviceInfo | where OnboardingStatus != 'x') on DeviceId | join kind=inner (DeviceInfo | extend K = strcat(DeviceId, '!')) on $left.FileName == $right.K | project DeviceId, K",
    "union isfuzzy=true DeviceInfo, (SomeTable | where A == 'x') | project DeviceId, A",
    "union DeviceInf* | where DeviceId == 'id1' | project DeviceId",
    "print x = 1, y = 'two', z = dynamic([1, 2]), w = now()",
    "Syslog | parse-kv SyslogMessage as (user:string, port:long) with (pair_delimiter=';', kv_delimiter='=', quote='\"') | where port > 3 | project user, port, Computer",
    "Syslog | parse-kv SyslogMessage as (a:string) with (regex=@'(\\w+)=(\\w+)') | project a",
    "DeviceProcessEvents | sort by DeviceId asc, Timestamp asc | scan partition by DeviceId declare (seen:long=0, first:string) with (step a output=last: FileName =~ 'cmd.exe' => seen = 1, first = FileName; step b: ProcessId > 3 and a.seen == 1 => seen = a.seen + 1;) | project DeviceId, seen, first",
    "DeviceProcessEvents | sort by Timestamp asc | scan with_match_id=Match with (step a: FileName != ''; step b: a.FileName == FileName;) | count",
    "DeviceProcessEvents | make-series Events = count(), Most = max(FileSize) default=0 on Timestamp from datetime(2026-01-15) to datetime(2026-01-16) step 6h by DeviceId | project DeviceId, Events, Most",
    "DeviceProcessEvents | make-series Share = avg(FileSize) / count() on bin(Timestamp, 1h) step 1h",
    "DeviceProcessEvents | top-nested 2 of DeviceId by count(), top-nested 3 of FileName with others='rest' by Total = sum(FileSize) + 1 asc",
    "DeviceProcessEvents | partition hint.strategy=native by DeviceId (top 2 by Timestamp | extend Known = now() - Timestamp) | project DeviceId, FileName, Known",
    "OfficeActivity | extend P = parse_json(Parameters)[0] | project UserId, P | evaluate bag_unpack(P, 'p_') : (UserId:string, p_Name:string, p_Value:string) | where p_Name has 'a'",
    "OfficeActivity | project UserId, P = parse_json(Parameters)[0] | evaluate bag_unpack(P)",
    "DeviceProcessEvents | evaluate pivot(ActionType, dcount(FileName), DeviceId) : (DeviceId:string, a:long)",
    "DeviceProcessEvents | project DeviceId, ActionType | evaluate pivot(ActionType)",
    "DeviceProcessEvents | project DeviceId, FileSize | take 3 | evaluate narrow()",
    "let nets = datatable(net:string, city:string)['10.0.0.0/8', 'x', '0.0.0.0/0', 'y']; DeviceNetworkEvents | project DeviceId, RemoteIP | evaluate ipv4_lookup(nets, RemoteIP, net, return_unmatched=true)",
    "DeviceNetworkEvents | project DeviceId, RemoteIP | evaluate ipv6_lookup((DeviceInfo | project PublicIP, OSPlatform), RemoteIP, PublicIP)",
    "DeviceProcessEvents | summarize a = hll(FileName), b = hll(DeviceId) by ActionType | evaluate dcount_intersect(a, b)",
    "DeviceProcessEvents | evaluate sliding_window_counts(DeviceId, Timestamp, datetime(2026-01-15 09:00), datetime(2026-01-15 12:00), 1h, 30m, ActionType)",
    "DeviceProcessEvents | evaluate activity_counts_metrics(DeviceId, Timestamp, datetime(2026-01-15 09:00), datetime(2026-01-15 12:00), 1h)",
    "DeviceProcessEvents | evaluate activity_engagement(DeviceId, Timestamp, datetime(2026-01-15 09:00), datetime(2026-01-15 12:00), 30m, 1h)",
    "DeviceProcessEvents | project FileSize, ProcessId, DeviceId | evaluate rolling_percentile(FileSize, 50, ProcessId, 1, 3, DeviceId)",
    "DeviceProcessEvents | sort by Timestamp asc | evaluate rows_near(FileName =~ 'cmd.exe', 2) | project FileName",
    "DeviceProcessEvents | evaluate activity_metrics(DeviceId, Timestamp, datetime(2026-01-15 09:00), datetime(2026-01-15 12:00), 1h)",
    "DeviceProcessEvents | evaluate new_activity_metrics(DeviceId, Timestamp, datetime(2026-01-15 09:00), datetime(2026-01-15 12:00), 1h)",
    "DeviceProcessEvents | evaluate active_users_count(DeviceId, Timestamp, datetime(2026-01-15 09:00), datetime(2026-01-15 12:00), 1h, 10m, 2, 30m, ActionType)",
    "DeviceProcessEvents | evaluate session_count(DeviceId, Timestamp, datetime(2026-01-15 09:00), datetime(2026-01-15 12:00), 30m, 10m, ActionType)",
    "DeviceProcessEvents | facet by FileName with (take 1)",
    "DeviceProcessEvents | fork (where FileName has 'a' | project FileName) (count)",
    "DeviceProcessEvents | where FileName has 'x' | consume",
    "OfficeActivity | mv-apply P = parse_json(Parameters) on (extend N = tostring(P.Name) | partition by N (take 1)) | project UserId, N",
    "DeviceEvents | join kind=inner (DeviceInfo | summarize arg_max(Timestamp, OSPlatform) by DeviceId) on DeviceId | project-away AdditionalFields",
    "DeviceEvents | summarize arg_max(Timestamp, *), count() by DeviceId | project-reorder count_, FileName | project-rename Machine = DeviceId",
    "search in (DeviceProcessEvents, DeviceInfo) 'win' | project $table, DeviceId",
    "T | where ['odd name'] == 'é\\n' | project ['odd name'], type = 1, Self = 2",
];

fn catalog() -> Catalog {
    let pack = rulec_facts::Pack::embedded();
    Catalog::new(Arc::new(Tables::new(&pack, Environment::Merged).unwrap())).open(true)
}

fn document(id: &str, query: &str) -> Rule {
    Rule {
        id: id.to_owned(),
        queries: vec![RuleQuery {
            text: query.to_owned(),
            ..rule(vec![]).queries[0].clone()
        }],
        ..rule(vec![])
    }
}

/// Rules bound to their queries.
struct Bound {
    rules: Vec<(Rule, rulec_kql::Parsed, rulec_ir::Query)>,
}

impl Bound {
    fn new(queries: impl IntoIterator<Item = (String, String)>) -> Self {
        let catalog = catalog();
        let rules = queries.into_iter().map(|(id, query)| {
            let parsed = rulec_kql::parse(&query);
            let lowered = rulec_ir::lower(&parsed, &catalog);
            (document(&id, &query), parsed, lowered.query)
        });
        Self {
            rules: rules.collect(),
        }
    }

    /// The queries of [`QUERIES`], and those of the shipped rules.
    fn all() -> Self {
        let made = QUERIES
            .iter()
            .enumerate()
            .map(|(n, query)| (format!("Q-{n:02}"), (*query).to_owned()));
        Self::new(made.chain(samples::shipped()))
    }

    /// [`Bound::all`], the query cases, and what stands beside the repository,
    /// as far as it has no errors.
    fn many() -> Self {
        let mut many = Self::all();
        let others = [samples::cases(), samples::public(), samples::documentation()].concat();
        let is_example = |rule: &Rule| rule.id.starts_with("example-");
        many.rules
            .extend(Self::new(others).rules.into_iter().filter(|(rule, parsed, ir)| {
                // Some examples look at hundreds of tables, all columns of which make each row of the result.
                let runs = ir.root.is_some() && (ir.tables.len() <= FEW_TABLES || !is_example(rule));
                runs && !parsed.diagnostics.iter().any(rulec_source::Diagnostic::is_error)
            }));
        many
    }

    /// Each rule's artifacts, and the package's.
    fn emit(&self) -> (Vec<Emitted>, Emitted) {
        let (settings, provenance) = (resolved(), provenance());
        let input = |(rule, parsed, ir)| Input {
            rule,
            resolved: &settings,
            query: 0,
            several: false,
            parsed,
            ir,
            provenance: &provenance,
            places: NOWHERE,
            line: 1,
        };
        let inputs: Vec<Input<'_>> = self.rules.iter().map(|(r, p, i)| input((r, p, i))).collect();
        let emitted: Vec<_> = inputs
            .iter()
            .map(|input| emit(&Native, context(), input))
            .collect();
        let taken: Vec<_> = inputs
            .into_iter()
            .zip(&emitted)
            .filter(|(_, e)| !e.artifacts.is_empty())
            .map(|(i, _)| Member {
                rule: &i.rule.id,
                slug: None,
                rulec: &i.provenance.rulec,
                artifacts: &[],
            })
            .collect();
        let bundle = Native.bundle(context(), &taken, &[]);
        (emitted, bundle)
    }
}

fn one(query: &str) -> Emitted {
    Bound::new([("Q-1".to_owned(), query.to_owned())])
        .emit()
        .0
        .remove(0)
}

fn code(query: &str) -> String {
    let emitted = one(query);
    assert!(emitted.losses.is_empty(), "{:?}", emitted.losses);
    String::from_utf8(emitted.artifacts[0].bytes.clone()).unwrap()
}

#[allow(clippy::disallowed_methods, reason = "a test writes where it may")]
fn write(folder: &Path, emitted: &[&Emitted]) {
    for artifact in emitted.iter().flat_map(|emitted| &emitted.artifacts) {
        let path = folder.join(&artifact.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        // What is the same stays, so that cargo does not build it again.
        if std::fs::read(&path).ok().as_ref() != Some(&artifact.bytes) {
            std::fs::write(&path, &artifact.bytes).unwrap();
        }
    }
}

#[test]
fn what_is_emitted_is_formatted() {
    let (emitted, bundle) = Bound::all().emit();
    for (query, emitted) in QUERIES.iter().zip(&emitted) {
        assert!(!emitted.artifacts.is_empty(), "{query}\n{:?}", emitted.losses);
    }
    let folder = tempfile::tempdir().unwrap();
    let all: Vec<_> = emitted.iter().chain([&bundle]).collect();
    write(folder.path(), &all);
    let library = folder.path().join("native/src/lib.rs");
    let main = folder.path().join("native/src/main.rs");
    let checked = Command::new("rustfmt")
        .args(["--check", "--edition", "2024"])
        .args([library, main])
        .output();
    match checked {
        Ok(output) if output.status.success() => {}
        Ok(output) => panic!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => eprintln!("skipped: rustfmt cannot be run: {error}"),
    }
}

#[test]
fn cargo_takes_the_lock_file_as_it_is() {
    let (emitted, bundle) = Bound::new([("Q-1".to_owned(), "print 1".to_owned())]).emit();
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[&emitted[0], &bundle]);
    let checked = Command::new("cargo")
        .args(["tree", "--locked", "--offline", "--quiet"])
        .current_dir(folder.path().join("native"))
        .output();
    match checked {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            let why = String::from_utf8_lossy(&output.stderr);
            assert!(
                !why.contains("--locked"),
                "SWITCHED_OFF in vendor.rs is out of date: {why}"
            );
            eprintln!("skipped: {why}");
        }
        Err(error) => eprintln!("skipped: cargo cannot be run: {error}"),
    }
}

#[test]
fn the_same_every_time() {
    let (first, bundle) = Bound::all().emit();
    let (second, other) = Bound::all().emit();
    for (first, second) in first.iter().chain([&bundle]).zip(second.iter().chain([&other])) {
        assert_eq!(first.artifacts, second.artifacts);
    }
    let text = |artifact: &crate::Artifact| String::from_utf8_lossy(&artifact.bytes).into_owned();
    let root = env!("CARGO_MANIFEST_DIR");
    assert!(
        first
            .iter()
            .chain([&bundle])
            .flat_map(|e| &e.artifacts)
            .all(|a| !text(a).contains(root))
    );
    let verbatim: Vec<_> = bundle
        .artifacts
        .iter()
        .filter(|artifact| artifact.verbatim)
        .collect();
    assert!(
        verbatim
            .iter()
            .all(|artifact| artifact.path.starts_with("native/vendor/"))
    );
    assert_eq!(
        verbatim.len(),
        bundle
            .artifacts
            .iter()
            .filter(|a| a.path.contains("/vendor/"))
            .count()
    );
}

#[test]
fn a_rule_reads_like_its_query() {
    let code = code(
        "let timeframe = 2*1h;\nDeviceProcessEvents\n| where ingestion_time() >= ago(timeframe)\n\
         | where FileName =~ \"certutil.exe\" and ProcessCommandLine has \"http\"\n| project Timestamp, FileName",
    );
    for part in [
        "//! Q-1: A Title\n//!\n//! Made by rulec 0.1.0 from rules/execution/RL-0001.md\n//! sha256 abab",
        "/// `let timeframe = 2*1h`\nconst TIMEFRAME: Value = Value::TimeSpan(72_000_000_000);\n",
        "    let ago_timeframe = arithmetic::subtract(&[context.now(), TIMEFRAME]);\n",
        "        // | where FileName =~ \"certutil.exe\" and ProcessCommandLine has \"http\"\n",
        "            eq_fold(row.str(FILE_NAME), \"certutil.exe\")\n",
        "// The columns of `DeviceProcessEvents` that the rule reads.\nconst TIMESTAMP: usize = 0;\n",
        "        (\"ProcessCommandLine\", Type::String),\n",
        "    info.entity(",
    ] {
        assert!(code.contains(part), "{part}\n---\n{code}");
    }
    assert!(!code.contains("AccountName\", Type"), "{code}");
}

#[test]
fn what_cannot_run_is_rejected() {
    let query = "DeviceProcessEvents | evaluate autocluster()";
    let emitted = one(query);
    assert!(emitted.is_rejected() && emitted.artifacts.is_empty());
    assert!(
        emitted.losses[0].construct.contains("autocluster"),
        "{:?}",
        emitted.losses
    );
    assert!(emitted.losses[0].span.unwrap().of(query).contains("autocluster"));
    assert!(one("let x = 1;").is_rejected());
}

#[test]
fn a_repository_may_have_its_own_header() {
    let context = context_with(&[("templates/native/rule.rs.j2", "// ours\n{{ rule.code | safe }}\n")]);
    let rule = document("Q-1", "print 1");
    let parsed = rulec_kql::parse("print 1");
    let ir = rulec_ir::lower(&parsed, &catalog()).query;
    let emitted = with_input(&rule, &resolved(), &ir, |input| emit(&Native, &context, input));
    assert!(emitted.artifacts[0].bytes.starts_with(b"// ours\n"));
    assert_eq!(emitted.artifacts[0].path, "native/src/rules/q_1.rs");
}

/// Deep and wide queries neither exhaust the stack nor take forever.
#[test]
fn deep_queries_end() {
    let nested = format!("print x = {}1{}", "tostring(".repeat(100), ")".repeat(100));
    let sum = format!("T | extend x = {}", vec!["a"; 150].join(" + "));
    let conditions = format!("T | where {}", vec!["(a == 'x' or b has 'y')"; 140].join(" and "));
    let pipes = format!(
        "T {}",
        "| where a == 'x' | extend b = strcat(b, 'x') ".repeat(200)
    );
    for query in [nested, sum, conditions, pipes] {
        let emitted = one(&query);
        assert!(!emitted.artifacts.is_empty(), "{:?}", emitted.losses);
    }
}

/// A place that stays between runs.
fn workshop() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/rulec-agreement")
}

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "a test that is asked for by an environment variable"
)]
fn the_package_builds_and_agrees_with_the_interpreter() {
    if std::env::var_os("RULEC_NATIVE").is_none() {
        eprintln!("skipped: set RULEC_NATIVE=1 to build the emitted package");
        return;
    }
    let bound = Bound::many();
    let (emitted, bundle) = bound.emit();
    for ((rule, ..), emitted) in bound.rules.iter().zip(&emitted) {
        if emitted.is_rejected() {
            eprintln!("{}: {:?}", rule.id, emitted.losses);
        }
    }
    let folder = workshop();
    let _ = std::fs::remove_dir_all(folder.join("native/src"));
    let all: Vec<_> = emitted.iter().chain([&bundle]).collect();
    write(&folder, &all);
    let target = std::env::var_os("RULEC_NATIVE_TARGET").map_or_else(|| folder.join("target"), PathBuf::from);
    let package = folder.join("native");
    for args in [
        &["build", "--offline", "--locked", "--quiet"][..],
        &[
            "clippy",
            "--offline",
            "--locked",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ],
        // The examples of its documentation.
        &["test", "--doc", "--offline", "--locked", "--quiet"],
    ] {
        let output = Command::new("cargo")
            .args(args)
            .current_dir(&package)
            .env("CARGO_TARGET_DIR", &target)
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let binary = target.join("debug").join(BINARY);
    super::agreement::agree(&bound.rules, &binary, &folder);
}
