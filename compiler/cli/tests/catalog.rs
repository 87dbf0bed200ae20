//! The site that `rulec catalog` writes: every link leads somewhere, nothing
//! of a hostile document runs, the same rules give the same bytes.
//!
//! What only a browser can tell is in tests/catalog.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // Tests write the repositories they try.

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use common::{code, err, repository, root, rulec};

/// How the names of pages end.
const PAGE: &str = ".html";

/// The files of a site by path.
type Site = BTreeMap<String, String>;

fn read(folder: &Path) -> Site {
    let mut site = Site::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(at) = todo.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else {
                let name = path
                    .strip_prefix(folder)
                    .unwrap()
                    .to_string_lossy()
                    .replace('\\', "/");
                site.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    site
}

/// The site of the shipped rules.
fn shipped(threads: &str) -> Site {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().display().to_string();
    let made = rulec(&root(), &["catalog", "--threads", threads, "--out", &folder]);
    assert_eq!(code(&made), 0, "{}", err(&made));
    read(out.path())
}

/// The values of an attribute on a page. What stands outside of tags is text.
fn attributes<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!(" {name}=\"");
    page.split('<')
        .filter_map(|part| part.split('>').next())
        .filter_map(|tag| {
            let value = &tag[tag.find(&start)? + start.len()..];
            Some(&value[..value.find('"')?])
        })
        .collect()
}

/// Every tag that is opened is closed, in order.
fn well_formed(path: &str, page: &str) {
    const EMPTY: [&str; 8] = ["meta", "link", "input", "br", "hr", "wbr", "img", "!doctype"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = rest.find('>').unwrap();
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        let name = tag
            .trim_start_matches('/')
            .split([' ', '/', '\n'])
            .next()
            .unwrap();
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "{path}");
        } else if !EMPTY.contains(&name) && !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{path}: {open:?}");
}

/// What holds of every site.
fn holds(site: &Site) {
    let mut ids: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (path, page) in site {
        let found = attributes(page, "id");
        let different: BTreeSet<&str> = found.iter().copied().collect();
        assert_eq!(found.len(), different.len(), "{path} has an id twice");
        ids.insert(path, different);
    }
    for (path, page) in site.iter().filter(|(path, _)| path.ends_with(PAGE)) {
        well_formed(path, page);
        for name in ["href", "src"] {
            for target in attributes(page, name) {
                if target.starts_with("http") || target.starts_with("mailto:") {
                    assert_eq!(name, "href", "{path} fetches {target}");
                    continue;
                }
                let (file, fragment) = target.split_once('#').unwrap_or((target, ""));
                let from = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let place = if file.is_empty() {
                    path.clone()
                } else if let Some(up) = file.strip_prefix("../") {
                    up.to_owned()
                } else if from.is_empty() {
                    file.to_owned()
                } else {
                    format!("{from}/{file}")
                };
                let place = decoded(&place);
                let there = ids
                    .get(&*place)
                    .unwrap_or_else(|| panic!("{path} leads to {target}"));
                assert!(
                    fragment.is_empty() || there.contains(fragment),
                    "{path} leads to {target}"
                );
            }
        }
        for name in ["aria-labelledby", "aria-describedby"] {
            for target in attributes(page, name).iter().flat_map(|ids| ids.split(' ')) {
                assert!(ids[&**path].contains(target), "{path}: {name} {target}");
            }
        }
        assert!(!page.contains(" style=") && !page.contains(" onclick="), "{path}");
    }
}

fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&tail[..2]).unwrap(), 16).unwrap());
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Headings, captions and landmarks of a page, one a line: its structure.
fn structure(page: &str) -> String {
    let mut out = String::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let name: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
        let shown = [
            "h1", "h2", "h3", "caption", "nav", "main", "form", "legend", "svg",
        ];
        if !shown.contains(&name.as_str()) {
            continue;
        }
        let tag = &rest[..rest.find('>').unwrap()];
        let inner = &rest[tag.len() + 1..];
        let label = attributes(tag, "aria-label").first().map(|l| (*l).to_owned());
        let text = match name.as_str() {
            "nav" | "main" | "form" | "svg" => label.unwrap_or_default(),
            _ => inner[..inner.find('<').unwrap()].to_owned(),
        };
        // Titles of the list are links; what is in them is no structure.
        if name == "h3" && text.is_empty() {
            continue;
        }
        out.push_str(format!("{name} {text}").trim_end());
        out.push('\n');
    }
    out
}

#[test]
fn the_shipped_rules_give_a_whole_site_the_same_for_any_number_of_threads() {
    let site = shipped("1");
    holds(&site);
    assert_eq!(site, shipped("4"));
    let rules = fs::read_dir(root().join("rules"))
        .unwrap()
        .flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap())
        .count();
    assert_eq!(
        site.keys().filter(|path| path.starts_with("rules/")).count(),
        rules
    );
    let index = &site["index.html"];
    for path in site.keys().filter(|path| path.starts_with("rules/")) {
        assert!(
            index.contains(&format!("href=\"{path}\"")),
            "the index does not lead to {path}"
        );
    }
}

/// Public documents, if they are beside the repository. The twin that needs
/// none is the test above.
#[test]
fn public_documents_give_a_whole_site() {
    let corpus = root().join("../shared/corpus");
    if !corpus.is_dir() {
        eprintln!("skipped: the catalog of public rules, because ../shared/corpus is not there");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let documents = corpus.canonicalize().unwrap().display().to_string();
    let made = rulec(folder.path(), &["catalog", "--quiet", &documents]);
    assert!(code(&made) <= 2, "{}", err(&made));
    let site = read(&folder.path().join("site"));
    holds(&site);
    let rules: Vec<_> = site
        .iter()
        .filter(|(path, _)| path.starts_with("rules/"))
        .collect();
    assert!(rules.len() > 250, "{}", rules.len());
    for (path, page) in rules {
        let queries = page.matches("query\">").count();
        assert!(queries > 0, "{path} shows no query");
        // A query that parses is explained; one that does not is a finding on its page.
        assert!(
            page.contains("stage-1\"") || page.contains("id=\"findings\""),
            "{path} explains nothing"
        );
    }
}

#[test]
fn the_structure_of_pages_is_as_blessed() {
    let site = shipped("2");
    let rule = "rules/RL-0001-process-injection-by-rare-binary.html";
    let mut now = String::new();
    for path in ["index.html", rule] {
        now.push_str(&format!("# {path}\n{}\n", structure(&site[path])));
    }
    let file = root().join("tests/catalog/structure.txt");
    if std::env::var_os("RULEC_BLESS").is_some() {
        fs::write(&file, &now).unwrap();
    }
    let blessed = fs::read_to_string(&file).unwrap().replace("\r\n", "\n");
    assert_eq!(
        now, blessed,
        "RULEC_BLESS=1 cargo test -p rulec --test catalog writes it anew"
    );
}

/// A rule of a repository of its own.
fn hostile() -> String {
    let text = r#"---
severity: high
status: test
---
# <script>alert("title")</script> & 'quotes' "too"

## Metadata
**ID:** X "1" <b>#?%

**OS:** <img src=x onerror=alert(1)>

**Author:** Mallory </script><script>alert(2)</script>

## ATT&CK Tags

| Tactic | Technique | Subtechnique | Technique Name |
| --- | --- | --- | --- |
| TA0002 - Execution | T1059 | 001 | <script>alert(3)</script> |
| TA0002 - Execution | T9999 |  | no such technique |

## Utilized Data Sources

| Log Provider | Table Name | Event ID | Event Name | ATT&CK Data Source | ATT&CK Data Component |
| --- | --- | --- | --- | --- | --- |
| Defender | DeviceProcessEvents | <svg onload=alert(4)> | | | |

## Detection description
Before <script>alert(5)</script> after <b onmouseover=alert(6)>bold</b>.

<iframe src="javascript:alert(7)"></iframe>

[link](javascript:alert(8)) ![picture](https://evil.test/pixel.png) [ok](https://good.test/?a=1&b=2)
<https://good.test> <javascript:alert(9)>

## False Positives
# A heading that is too high
* one

## References
* javascript:alert(10)
* https://good.test/ref?x="><script>alert(11)</script>

## Detection

**Language:** Kusto

**Platform:** M365 Security

**Query:**
```C#
let aside = DeviceNetworkEvents | where RemoteUrl has "</script><script>alert(12)</script>";
DeviceProcessEvents
| where Timestamp > ago(1h)
| where ProcessCommandLine has_any ("<img src=x onerror=alert(13)>", "\" onfocus=\"alert(14)") // </code></pre><script>
| where DeviceId in (aside | project DeviceId)
| project Timestamp, DeviceId, ReportId, ProcessCommandLine
```

## Version History
| Version | Date | Impact | Notes |
| --- | --- | --- | --- |
| 1.1 | yesterday | minor | <script>alert(15)</script> |
| 1.0 | 2026-01-02 | major | [x](javascript:alert(16)) |
"#;
    text.to_owned()
}

#[test]
fn nothing_of_a_hostile_document_runs() {
    let folder = repository();
    fs::write(folder.path().join("rules/x.md"), hostile()).unwrap();
    let made = rulec(
        folder.path(),
        &["catalog", "--title", "Rules of </title><script>alert(0)</script>"],
    );
    let site = read(&folder.path().join("site"));
    holds(&site);
    let pages: Vec<_> = site.iter().filter(|(path, _)| path.ends_with(PAGE)).collect();
    assert!(pages.len() >= 8, "{}\n{:?}", err(&made), site.keys());
    for (path, page) in pages {
        let scripts = page.matches("<script").count();
        let ours = page.matches("<script src=\"").count();
        assert_eq!(scripts, ours, "{path}");
        for bad in [
            "<img",
            "<iframe",
            "<b ",
            "<svg onload",
            "href=\"javascript",
            "href=\"data",
        ] {
            assert!(!page.contains(bad), "{path} has {bad}");
        }
    }
    // The script with the words must not end before it ends.
    assert!(!site["assets/search.js"].contains("</script"));
    // The id cannot be one; the page has the name of the file.
    let own = "rules/x.html";
    let page = &site[own];
    assert!(page.contains("https://good.test/?a=1&amp;b=2"), "{page}");
    assert!(page.contains("alert(13)"), "what a rule looks for is shown");
    assert!(
        site["attack.html"].contains("T9999"),
        "a tag without a place is named"
    );
}

#[test]
fn pages_of_rules_that_are_gone_are_removed_and_nothing_else() {
    let folder = repository();
    let run = || {
        let made = rulec(folder.path(), &["catalog"]);
        assert_eq!(code(&made), 0, "{}", err(&made));
    };
    run();
    let site = folder.path().join("site");
    assert!(site.join("rules/T-0001.html").is_file());
    fs::write(site.join("rules/mine.html"), "<p>mine</p>").unwrap();
    fs::write(site.join("rules/note.txt"), "mine").unwrap();
    let old = folder.path().join("rules").join("T-0001.md");
    let document = find(&folder.path().join("rules"));
    let text = fs::read_to_string(&document).unwrap().replace("T-0001", "T-0002");
    fs::remove_file(&document).unwrap();
    fs::write(old.with_file_name("T-0002.md"), text).unwrap();
    run();
    assert!(!site.join("rules/T-0001.html").exists());
    for kept in ["rules/T-0002.html", "rules/mine.html", "rules/note.txt"] {
        assert!(site.join(kept).is_file(), "{kept}");
    }
}

/// The only document below a folder.
fn find(folder: &Path) -> PathBuf {
    let mut todo = vec![folder.to_path_buf()];
    while let Some(at) = todo.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|end| end == "md") {
                return path;
            }
        }
    }
    panic!("no document below {}", folder.display());
}

#[test]
fn a_template_that_fails_is_a_finding_with_its_place() {
    let folder = repository();
    let own = folder.path().join("templates/catalog");
    fs::create_dir_all(&own).unwrap();
    fs::write(own.join("changes.html.j2"), "a\n{{ nothing.at.all }}\n").unwrap();
    let made = rulec(folder.path(), &["catalog"]);
    assert_eq!(code(&made), 3);
    assert!(
        err(&made).contains("templates/catalog/changes.html.j2:2"),
        "{}",
        err(&made)
    );
    assert!(!folder.path().join("site").exists(), "nothing is written half");
}

/// The layer against the tables of layers/spec/v4.5/layerformat.md.
#[test]
fn the_layer_is_a_layer() {
    let site = shipped("2");
    for (path, attack) in [("layer.json", "18"), ("layer-19.json", "19")] {
        let layer: serde_json::Value = serde_json::from_str(&site[path]).unwrap();
        assert_eq!(layer["versions"]["layer"], "4.5");
        assert_eq!(layer["versions"]["attack"], attack);
        assert!(layer["versions"]["navigator"].as_str() >= Some("4.9.0"));
        assert_eq!(layer["domain"], "enterprise-attack");
        assert!(layer["name"].is_string() && layer["description"].is_string());
        let known = [
            "name",
            "versions",
            "domain",
            "description",
            "sorting",
            "layout",
            "hideDisabled",
            "techniques",
            "gradient",
            "legendItems",
            "showTacticRowBackground",
            "selectTechniquesAcrossTactics",
            "selectSubtechniquesWithParent",
            "selectVisibleTechniques",
        ];
        assert!(
            layer
                .as_object()
                .unwrap()
                .keys()
                .all(|key| known.contains(&key.as_str()))
        );
        let techniques = layer["techniques"].as_array().unwrap();
        assert!(techniques.len() > 30);
        for technique in techniques {
            let id = technique["techniqueID"].as_str().unwrap();
            let digits = id.strip_prefix('T').unwrap().replace('.', "");
            assert!(
                digits.len() >= 4 && digits.bytes().all(|b| b.is_ascii_digit()),
                "{id}"
            );
            assert!(
                technique["tactic"]
                    .as_str()
                    .unwrap()
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'-')
            );
            let rules = technique["comment"].as_str().unwrap();
            match technique.get("score") {
                Some(score) => assert_eq!(
                    score.as_u64().unwrap() as usize,
                    rules.split(", ").count(),
                    "{id}"
                ),
                None => assert!(
                    technique["showSubtechniques"].as_bool().unwrap() && rules.is_empty(),
                    "{id}"
                ),
            }
        }
        assert!(layer["gradient"]["maxValue"].as_u64() > layer["gradient"]["minValue"].as_u64());
    }
    let pairs = |layer: &str| site[layer].matches("\"techniqueID\": \"T1055.002\"").count();
    assert_eq!(
        pairs("layer.json"),
        2,
        "RL-0001 is about T1055.002 under two tactics"
    );
}

#[test]
fn coverage_in_numbers_agrees_with_itself() {
    let site = shipped("2");
    let json: serde_json::Value = serde_json::from_str(&site["coverage.json"]).unwrap();
    let attack = &json["attack"][0];
    let label = format!("{} of {}", attack["techniques_covered"], attack["techniques"]);
    assert!(site["badge.svg"].contains(&label), "{label}");
    assert!(site["attack.html"].contains(&label), "{label}");
    let rows = |kind: &str| {
        site["coverage.csv"]
            .lines()
            .filter(|line| line.starts_with(kind))
            .count()
    };
    let events = json["events"].as_array().unwrap();
    let counted: usize = events
        .iter()
        .map(|p| p["by_event"].as_object().unwrap().len() + p["gaps"].as_array().unwrap().len())
        .sum();
    assert_eq!(rows("event,"), counted);
    assert_eq!(rows("table,"), json["tables"].as_array().unwrap().len());
    for provider in events {
        let known = provider["known"].as_u64().unwrap();
        let covered = provider["covered"].as_u64().unwrap();
        assert_eq!(known - covered, provider["gaps"].as_array().unwrap().len() as u64);
    }
}
