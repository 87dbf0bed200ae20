//! The rules of this repository read without a word.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // these are tests

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rulec_facts::Pack;
use rulec_facts::aliases::Aliases;
use rulec_model::FrontMatter;
use rulec_read::{Options, format_document, read, to_markdown};
use rulec_source::SourceFile;

#[test]
fn shipped_rules_read_and_write_back() {
    let aliases = Aliases::load(&Pack::embedded()).unwrap();
    let options = Options {
        aliases: &aliases,
        defaults: FrontMatter::default(),
    };
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules")];
    let mut ids = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|e| e != "md") {
                continue;
            }
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let file = SourceFile::new(name.clone(), fs::read_to_string(&path).unwrap());
            let doc = read(&file, &options);
            assert!(doc.diagnostics.is_empty(), "{name}: {:#?}", doc.diagnostics);
            let rule = doc.rule().unwrap_or_else(|| panic!("{name} is no rule"));
            assert_eq!(format!("{}.md", rule.id), name);
            assert!(ids.insert(rule.id.clone()), "{name}: twice");
            let written = SourceFile::new(name.clone(), to_markdown(rule));
            let again = read(&written, &options);
            assert_eq!(again.rule(), Some(rule), "{name}: written back");
            let formatted = SourceFile::new(name.clone(), format_document(&file));
            let again = read(&formatted, &options);
            assert_eq!(again.rule(), Some(rule), "{name}: formatted");
        }
    }
}
