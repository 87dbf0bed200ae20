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
    /// Folder to write to. Default: `site` in the repository.
    #[arg(long, short, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// What the catalog is called.
    #[arg(long, value_name = "TITLE", default_value = "Detection rules")]
    title: String,
}

/// How the names of pages end.
const PAGE: &str = ".html";

/// Where the site goes when nobody says.
const FOLDER: &str = "site";

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let pipeline = print::pipeline(global)?;
    let options = pipeline
        .build_options(build::Options {
            // The pages show each rule's own artifacts.
            bundles: Some(Vec::new()),
            ..build::Options::default()
        })
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
    let (shown, out) = match &arguments.out {
        Some(out) => (out.clone(), out.clone()),
        None => (PathBuf::from(FOLDER), pipeline.repository.path(FOLDER)),
    };
    catalog::write(&files, &out).map_err(Failure::say)?;
    let mut findings = compilation.errors();
    findings.extend(built.findings());
    print::findings(global, &findings);
    if !global.quiet {
        let rules = files.iter().filter(|f| f.path.starts_with("rules/")).count();
        anstream::eprintln!(
            "{rules} rule{} on {} pages; open {}",
            if rules == 1 { "" } else { "s" },
            files.iter().filter(|f| f.path.ends_with(PAGE)).count(),
            shown.join("index.html").display(),
        );
    }
    Ok(print::code(&findings, Level::Error))
}
