//! What holds for every text: no panic, places within the document, queries
//! that lead back to it, and a layout that is stable and loses nothing.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods)] // these are tests

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use proptest::prelude::*;
use rulec_facts::Pack;
use rulec_facts::aliases::Aliases;
use rulec_model::FrontMatter;
use rulec_read::{Document, Options, RuleDoc, format_document, is_safe_id, read, scaffold, to_markdown};
use rulec_source::{SourceFile, Span};

fn aliases() -> &'static Aliases {
    static ALIASES: OnceLock<Aliases> = OnceLock::new();
    ALIASES.get_or_init(|| Aliases::load(&Pack::embedded()).unwrap())
}

fn read_text(text: &str) -> RuleDoc {
    let options = Options {
        aliases: aliases(),
        defaults: FrontMatter::default(),
    };
    read(&SourceFile::new("rules/some rule.md", text), &options)
}

/// The documents of `tests/cases/read`, to be mutated.
fn seeds() -> &'static [String] {
    static SEEDS: OnceLock<Vec<String>> = OnceLock::new();
    SEEDS.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/read");
        let mut paths: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "md"))
            .collect();
        paths.sort();
        paths
            .iter()
            .map(|path| fs::read_to_string(path).unwrap())
            .collect()
    })
}

fn check(text: &str) {
    let doc = read_text(text);
    let labels = doc
        .diagnostics
        .iter()
        .flat_map(|d| d.labels.iter().map(|l| l.span));
    for span in doc.places.values().copied().chain(labels) {
        assert!(text.get(span.range()).is_some(), "{span:?} in {text:?}");
    }
    if let Document::Rule(rule) = &doc.document {
        assert!(is_safe_id(&rule.id), "{:?}", rule.id);
        assert!(!rule.title.is_empty());
        assert_eq!(rule.queries.len(), doc.queries.len());
        for (query, fragment) in rule.queries.iter().zip(&doc.queries) {
            assert_eq!(query.text, fragment.text);
            for piece in &fragment.pieces {
                let inner = Span::new(piece.inner as usize, (piece.inner + piece.len) as usize);
                let outer = Span::new(piece.outer as usize, (piece.outer + piece.len) as usize);
                assert_eq!(inner.of(&fragment.text), outer.of(text));
            }
        }
        assert!(
            doc.diagnostics.iter().all(|d| d.code.id != "RD050"),
            "{:?}",
            doc.diagnostics
        );
        // The writer has to cope with whatever was read.
        let _ = to_markdown(rule);
    }
    let file = SourceFile::new("x.md", text);
    let formatted = format_document(&file);
    let again = format_document(&SourceFile::new("x.md", formatted.clone()));
    assert_eq!(again, formatted, "not stable: {text:?}");
    let after = read_text(&formatted);
    let queries = |doc: &RuleDoc| doc.rule().map(|r| r.queries.clone());
    assert_eq!(queries(&doc), queries(&after), "{text:?}");
    let visible = |text: &str| {
        text.chars()
            .filter(|c| !matches!(c, ' ' | '\t' | '\r' | '\n' | '|' | '-'))
            .collect::<String>()
    };
    assert_eq!(visible(text), visible(&formatted), "{text:?}");
}

fn scraps() -> impl Strategy<Value = String> {
    let scrap = prop::sample::select(vec![
        "# T",
        "## Detection",
        "## ATT&CK Tags",
        "### x",
        "**ID:** a",
        "**Query:**",
        "```kql",
        "```",
        "~~~",
        "---",
        "...",
        "| Tactic | Technique |",
        "|---|---|",
        "| TA0001 - x | T1055 |",
        "|",
        "> ",
        "- ",
        "1. ",
        "    ",
        "\t",
        "\n",
        "\n\n",
        "\r\n",
        " ",
        "T | where x",
        "<!--",
        "-->",
        "key: v",
        "&a",
        "*a",
        "[",
        "]",
        "{",
        "\"",
        "'",
        "\\",
        "`",
        "é",
        "\u{200b}",
        "\u{feff}",
        "https://a.b/c",
        "[x](y.md)",
        "has been replaced by ",
        "===",
        "|a|b|\n|-|-|\n|1|2|3|\n",
        "**Language:** SPL",
        "## Version History",
        "| Version | Date | Impact | Notes |",
        "  \n",
        "severity: high\n",
        "\0",
    ]);
    prop::collection::vec(scrap, 0..60).prop_map(|parts| parts.concat())
}

fn mutated() -> impl Strategy<Value = String> {
    let cut = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        scraps(),
    );
    (any::<prop::sample::Index>(), prop::collection::vec(cut, 1..4)).prop_map(|(seed, cuts)| {
        let mut text = seeds()[seed.index(seeds().len())].clone();
        for (from, length, kind, scrap) in cuts {
            let mut start = from.index(text.len() + 1);
            while !text.is_char_boundary(start) {
                start -= 1;
            }
            let mut end = (start + length.index(80)).min(text.len());
            while !text.is_char_boundary(end) {
                end += 1;
            }
            match kind.index(3) {
                0 => text.replace_range(start..end, ""),
                1 => text.insert_str(
                    start,
                    &scrap[..scrap.char_indices().nth(20).map_or(scrap.len(), |(i, _)| i)],
                ),
                _ => {
                    let piece = text[start..end].to_owned();
                    text.insert_str(end, &piece);
                }
            }
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in "\\PC{0,400}") {
        check(&text);
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        check(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn scraps_of_documents(text in scraps()) {
        check(&text);
    }

    #[test]
    fn mutations_of_documents(text in mutated()) {
        check(&text);
    }

    #[test]
    fn new_documents_say_what_they_were_told(id in "[A-Za-z0-9][A-Za-z0-9_]{0,20}", title in "[!-~][ -~]{0,60}[!-~]") {
        let text = scaffold(&id, &title, "2026-01-31");
        let doc = read_text(&text);
        prop_assert!(doc.diagnostics.iter().all(|d| !d.is_error()), "{:?}\n{}", doc.diagnostics, text);
        let rule = doc.rule().unwrap();
        prop_assert_eq!(&rule.id, &id);
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        prop_assert_eq!(words(&rule.title), words(&title));
    }
}

#[test]
fn a_new_document_reads_without_a_word() {
    let text = scaffold("RX-0001-New_Rule-Win", "A new rule", "2026-01-31");
    let doc = read_text(&text);
    assert!(doc.diagnostics.is_empty(), "{:?}\n{text}", doc.diagnostics);
    let rule = doc.rule().unwrap();
    assert_eq!(rule.id, "RX-0001-New_Rule-Win");
    assert_eq!(rule.title, "A new rule");
    assert_eq!(rule.queries.len(), 1);
    assert!(rule.queries[0].environment.is_some());
    assert!(rule.section("false_positives").is_some());
    // What is written here is in canonical order already; only tables are not aligned.
    let file = SourceFile::new("x.md", text);
    let formatted = format_document(&file);
    assert_eq!(read_text(&formatted).rule(), Some(rule));
}
