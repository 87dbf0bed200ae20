//! `rulec catalog`: a folder of rules as a static site.

use std::path::PathBuf;

use rulec_driver::{build, catalog, config::Level};

use crate::{Failure, Global, Outcome, print};

/// A static site of the rules: search, one page per rule, ATT&CK, events, indicators
///
/// An index with search and filters, one page per rule (document, explanation, pipeline as a drawing,
/// artifacts, losses, versions, related rules), the ATT&CK matrix, event coverage with its gaps, an index
/// of indicators, and what changed. The pages need no server and fetch nothing: open `index.html`.
/// Beside them: a layer for the ATT&CK Navigator, coverage as CSV and JSON, and a badge.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Documents and folders. Default: the rules of the repository.
    paths: Vec<PathBuf>,
    /// Folder to write to.
    #[arg(long, short, value_name = "FOLDER", default_value = "site")]
    out: PathBuf,
    /// What the catalog is called.
    #[arg(long, value_name = "TITLE", default_value = "Detection rules")]
    title: String,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let pipeline = print::pipeline(global)?;
    let options = pipeline
        .build_options(build::Options::default())
        .map_err(Failure::say)?;
    let compilation = pipeline.compile(&arguments.paths);
    let built = pipeline.build(&compilation, &options);
    let files = match pipeline.site(&compilation, &built, &arguments.title) {
        Ok(files) => files,
        Err(refused) => {
            print::finding(&refused.file, None, &refused.diagnostic);
            return Err(Failure);
        }
    };
    catalog::write(&files, &arguments.out).map_err(Failure::say)?;
    let mut findings = compilation.errors();
    findings.extend(built.findings());
    print::findings(global, &findings);
    if !global.quiet {
        let rules = files.iter().filter(|f| f.path.starts_with("rules/")).count();
        let size: usize = files.iter().map(|f| f.bytes.len()).sum();
        anstream::eprintln!(
            "{rules} rule{} on {} pages, {} KB; open {}",
            if rules == 1 { "" } else { "s" },
            files.iter().filter(|f| f.path.ends_with(".html")).count(),
            size.div_ceil(1_000),
            arguments.out.join("index.html").display(),
        );
    }
    Ok(print::code(&findings, Level::Error))
}
