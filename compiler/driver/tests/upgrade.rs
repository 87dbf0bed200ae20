//! A rule means the same whichever version of ATT&CK its tags are written in:
//! what is built from it is the same, and the repairs carry one into the other.

#![allow(clippy::unwrap_used)] // these are tests

use std::collections::BTreeMap;
use std::path::Path;

use rulec_driver::build::Options;
use rulec_driver::{Compilation, Pipeline, repair};
use rulec_source::SourceFile;

const OLD: &str = "\
| TA0005 - Defense Evasion | T1055 | 002 | Process Injection: Portable Executable Injection |
| TA0005 - Defense Evasion | T1562 | 001 | Impair Defenses: Disable or Modify Tools |
| TA0005 - Defense Evasion | T1112 |  | Modify Registry |
| TA0005 - Defense Evasion | T1550 | 003 | Use Alternate Authentication Material: Pass the Ticket |
| TA0006 - Credential Access | T1557 | 001 | Adversary-in-the-Middle: LLMNR/NBT-NS Poisoning and SMB Relay |
";

const NEW: &str = "\
| TA0005 - Stealth | T1055 | 002 | Process Injection: Portable Executable Injection |
| TA0112 - Defense Impairment | T1685 |  | Disable or Modify Tools |
| TA0112 - Defense Impairment | T1112 |  | Modify Registry |
| TA0008 - Lateral Movement | T1550 | 003 | Use Alternate Authentication Material: Pass the Ticket |
| TA0006 - Credential Access | T1557 | 001 | Adversary-in-the-Middle: Name Resolution Poisoning and SMB Relay |
";

fn document(tags: &str) -> SourceFile {
    let text = format!(
        "# Tags of any version\n\n## Metadata\n**ID:** tags\n\n**OS:** WindowsEndpoint\n\n**FP Rate:** Low\n\n---\n\n\
         ## ATT&CK Tags\n\n\
         | Tactic | Technique | Subtechnique | Technique Name |\n|---|---|---|---|\n{tags}\n\
         ## Utilized Data Sources\n\n\
         | Log Provider | Table Name | Event ID | Event Name | ATT&CK Data Source | ATT&CK Data Component |\n\
         |---|---|---|---|---|---|\n\
         | MicrosoftThreatProtection | DeviceProcessEvents | ProcessCreated |  | Process | Process Creation |\n\n\
         ## Detection description\nFinds it.\n\n## False Positives\nNone.\n\n\
         ## Suggested Response Actions\nLook.\n\n## Detection Blind Spots\nMany.\n\n\
         ## Detection\n\n**Language:** Kusto\n\n**Platform:** M365 Security\n\n**Query:**\n\
         ```kql\nDeviceProcessEvents\n| where Timestamp >= ago(1h)\n| where ActionType == \"ProcessCreated\" and FileName =~ \"a.exe\"\n\
         | project Timestamp, DeviceId, ReportId, DeviceName, FileName\n```\n"
    );
    SourceFile::new("tags.md", text)
}

fn pipeline(attack: &str) -> Pipeline {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pipeline =
        Pipeline::open(&root, None).unwrap_or_else(|refused| panic!("{:?}", refused.diagnostic));
    pipeline.write_against(attack).unwrap();
    pipeline
}

fn built(pipeline: &Pipeline, tags: &str) -> BTreeMap<String, String> {
    let document = pipeline.document(document(tags));
    assert!(document.is_sound(), "{:?}", document.diagnostics);
    // Artifacts name the document they are of.
    let sha256 = document.sha256.clone();
    let options = Options {
        targets: ["sentinel", "defender", "sigma"].map(str::to_owned).to_vec(),
        ..Options::default()
    };
    let compilation = Compilation {
        documents: vec![document],
    };
    let artifacts = pipeline.build(&compilation, &options).artifacts.into_iter();
    artifacts
        .map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap().replace(&sha256, "")))
        .collect()
}

#[test]
fn every_target_gets_its_own_spelling_from_either() {
    let pipeline = pipeline("18.1");
    // Lateral Movement is not said by the old tags, so the row that moved is left out.
    let without = |tags: &str| {
        let lines = tags.lines().filter(|line| !line.contains("T1550"));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let (old, new) = (built(&pipeline, &without(OLD)), built(&pipeline, &without(NEW)));
    assert_eq!(old, new);
    let all = |target: &str| {
        let of = old.iter().filter(|(path, _)| path.starts_with(target));
        of.map(|(_, text)| text.as_str()).collect::<String>()
    };
    for target in ["sentinel", "defender"] {
        let text = all(target);
        assert!(
            text.contains("DefenseEvasion") && text.contains("T1562"),
            "{target}: {text}"
        );
        assert!(
            !text.contains("Stealth") && !text.contains("T1685"),
            "{target}: {text}"
        );
    }
    let text = all("sigma");
    assert!(
        text.contains("attack.stealth") && text.contains("attack.t1685"),
        "{text}"
    );
    assert!(
        text.contains("attack.defense-impairment") && !text.contains("t1562"),
        "{text}"
    );
}

#[test]
fn repairs_carry_a_document_over_and_end_there() {
    let pipeline = pipeline("19");
    let (text, made) = repair::repaired(&pipeline, &document(OLD), 0);
    assert_eq!(text, document(NEW).text);
    assert_eq!(made, 5);
    let after = pipeline.document(SourceFile::new("tags.md", text));
    let about_tags = |name: &str| {
        ["attack", "technique", "tactic"]
            .iter()
            .any(|word| name.contains(word))
    };
    let left: Vec<&str> = after
        .diagnostics
        .iter()
        .map(|d| d.code.name)
        .filter(|name| about_tags(name))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn unknown_versions_are_refused() {
    let message = pipeline("19").write_against("20").unwrap_err();
    assert_eq!(
        message,
        "there is no data for ATT&CK 20; the versions are 18.1, 19"
    );
}
