//! `rulec explain`: what a rule does, stage by stage.

use std::path::PathBuf;

use clap::ValueEnum;
use rulec_driver::{config::Level, explain, inputs};

use crate::{Failure, Global, Outcome, print};

/// What a rule does, stage by stage
///
/// Parameters, let bindings, the stages of the pipeline with what each does, exclusions, indicators with
/// how many other rules of the repository look for the same, thresholds, time window, group-by and join
/// keys, output fields, event coverage, ATT&CK, schedule; and for every setting where it came from.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A document, or the id of a rule of the repository.
    rule: String,
    /// Explain it as it is in this environment: environments/NAME.yaml.
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal.
    Text,
    /// For a page.
    Markdown,
    /// For tools (schema/explain.schema.json): one document, whatever a rule holds.
    Json,
    /// A page that stands alone, for a browser.
    Html,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let now = inputs::now_or_clock(None).map_err(Failure::say)?;
    let pipeline = print::pipeline_in(global, arguments.env.as_deref(), now)?;
    let path = PathBuf::from(&arguments.rule);
    // Indicators are counted over the repository, whichever rule is explained.
    let repository = pipeline.compile(&[]);
    let corpus = explain::corpus(&pipeline, &repository);
    let compilation = if path.exists() || arguments.rule == "-" {
        pipeline.compile(&[path])
    } else {
        repository.only(&arguments.rule).map_err(Failure::say)?
    };
    let format = match arguments.format {
        Format::Text => explain::Format::Text,
        Format::Markdown => explain::Format::Markdown,
        Format::Json => explain::Format::Json,
        Format::Html => explain::Format::Html,
    };
    let explained = explain::run(&pipeline, &compilation, &corpus, format);
    let findings = compilation.errors();
    print::findings(global, &findings);
    match explained {
        Some(text) => print::data(&text),
        None if findings.is_empty() => {
            let rule = &arguments.rule;
            if let (Some(env), true) = (&arguments.env, compilation.documents.iter().any(|d| d.disabled)) {
                return Err(Failure::say(format!("{rule} is disabled in {env}")));
            }
            return Err(Failure::say(format!(
                "{rule} holds no query, so there is nothing to explain"
            )));
        }
        None => {}
    }
    Ok(print::code(&findings, Level::Error))
}
