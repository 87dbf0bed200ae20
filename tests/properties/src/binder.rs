//! Syntax tree to algebra.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use rulec_facts::Pack;
use rulec_facts::tables::{Environment, Tables};
use rulec_ir::analyze::{Analysis, analyze};
use rulec_ir::{Catalog, lower};
use rulec_kql::{Parsed, parse};
use rulec_source::Diagnostic;

use crate::{algebra, findings};

/// Real tables, where a name that is not one is a mistake; and the small
/// tables of the documentation, where any name may be a table.
static CATALOGS: LazyLock<[Catalog; 2]> =
    LazyLock::new(|| [catalog(Environment::M365), catalog(Environment::Docs).open(true)]);

fn catalog(environment: Environment) -> Catalog {
    let tables = Tables::new(&Pack::embedded(), environment);
    Catalog::new(Arc::new(tables.unwrap_or_else(|error| panic!("{error}"))))
}

/// Any text is bound to a well-formed algebra that can be dumped, with findings
/// inside the text and in order, which a fix takes away. Binding again gives
/// the same columns, findings and order, on the same thread and on others that
/// work at the same time.
pub fn binder(text: &str) {
    for catalog in &*CATALOGS {
        bound(text, catalog);
    }
}

/// The algebra of a text as a dump, against tables of which any may exist.
pub(crate) fn algebra(parsed: &Parsed) -> String {
    rulec_ir::dump(&lower(parsed, &CATALOGS[1]).query)
}

/// What the binder says of a text.
#[derive(Debug, PartialEq)]
struct Said {
    algebra: String,
    diagnostics: Vec<Diagnostic>,
    analysis: Analysis,
}

fn said(text: &str, catalog: &Catalog) -> Said {
    let lowered = lower(&parse(text), catalog);
    Said {
        algebra: rulec_ir::dump(&lowered.query),
        diagnostics: lowered.diagnostics,
        analysis: analyze(text, catalog),
    }
}

fn bound(text: &str, catalog: &Catalog) {
    let first = said(text, catalog);
    let others = std::thread::scope(|scope| {
        let workers = [(); 2].map(|()| scope.spawn(|| said(text, catalog)));
        workers.map(|worker| worker.join().unwrap_or_else(|why| std::panic::resume_unwind(why)))
    });
    for other in others {
        assert_eq!(first, other, "{text:?}");
    }
    let parsed = parse(text);
    let lowered = lower(&parsed, catalog);
    algebra::well_formed(text, &lowered.query);
    findings::in_bounds(text, &first.diagnostics);
    assert!(first.diagnostics.is_sorted_by_key(Diagnostic::span), "{text:?}");
    let mut seen = HashSet::new();
    for found in &first.diagnostics {
        assert!(
            seen.insert((found.code.id, found.span())),
            "twice: {found:?} in {text:?}"
        );
    }
    answer(text, &first.analysis);
    if !parsed.has_errors() {
        findings::fixes_work(text, &first.diagnostics, |text| {
            lower(&parse(text), catalog).diagnostics
        });
    }
}

/// Places of an answer are in UTF-16 code units of the text; what it lists, it
/// lists once.
fn answer(text: &str, analysis: &Analysis) {
    let units = text.encode_utf16().count();
    for finding in analysis.syntax_errors.iter().chain(&analysis.semantic_errors) {
        assert!(finding.start + finding.length <= units, "{finding:?} in {text:?}");
    }
    for list in [&analysis.tables, &analysis.functions] {
        let once: HashSet<&String> = list.iter().collect();
        assert_eq!(once.len(), list.len(), "{list:?} of {text:?}");
    }
}
