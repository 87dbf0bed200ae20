//! `rulec diff`: what changed in meaning.

use std::{path::PathBuf, process::ExitCode};

use clap::ValueEnum;
use rulec_driver::{diff, environment, inputs};

use crate::{BROKEN, FINDINGS, Failure, Global, Outcome, print};

/// What changed in meaning since a revision, per rule and target
///
/// Every difference is cosmetic, metadata, output (other columns), schedule, or it widens the query,
/// narrows it, does both, or changes it in a way that is not understood. Queries are compared as they are
/// bound, so layout, comments, the order of conditions and names of let bindings are no difference.
/// Behind each rule stands the version it asks for.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A revision of git, or a folder of documents or a repository: the old state. With --env a path.
    #[arg(value_name = "REV|DIR", required_unless_present = "env")]
    from: Option<String>,
    /// Documents and folders to look at. Default: the rules of the repository.
    paths: Vec<PathBuf>,
    /// Compare the rules as they are in two environments (environments/NAME.yaml) instead; `none` is none.
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    env: Vec<String>,
    /// How differences are printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Exit with 1 when a rule differs by more than its looks.
    #[arg(long)]
    exit_code: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON document (schema/diff.schema.json).
    Json,
    /// For a comment under a pull request.
    Markdown,
}

/// Words in the colour of a class.
fn paint(class: &str, words: &str) -> String {
    let colour = match class {
        "widens" => 32,
        "narrows" => 33,
        "both" | "changed" => 31,
        "schedule" => 36,
        "output" | "metadata" => 34,
        _ => 2,
    };
    format!("\u{1b}[{colour}m{words}\u{1b}[0m")
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let pipeline = print::pipeline(global)?;
    let mut broken = false;
    let diff = match (&arguments.env[..], &arguments.from) {
        ([a, b], from) => {
            let now = inputs::now_or_clock(None).map_err(Failure::say)?;
            let of = |name: &String| print::pipeline_in(global, Some(name.as_str()), now);
            let mut paths: Vec<PathBuf> = from.iter().map(PathBuf::from).collect();
            paths.extend(arguments.paths.iter().cloned());
            let compared = environment::compare(&of(a)?, &of(b)?, (a, b), &paths);
            for (file, rule, diagnostic) in &compared.broken {
                print::finding(file, rule.as_deref(), diagnostic);
            }
            broken = !compared.broken.is_empty();
            compared.diff
        }
        (_, Some(from)) => diff::run(&pipeline, from, &arguments.paths).map_err(Failure::say)?,
        (_, None) => return Err(Failure::say("say what to compare with")),
    };
    match arguments.format {
        Format::Text => anstream::print!("{}", diff.text(&paint)),
        Format::Json => print::data(&diff.json()),
        Format::Markdown => print::data(&diff.markdown()),
    }
    Ok(if broken {
        ExitCode::from(BROKEN)
    } else if arguments.exit_code && diff.is_meaningful() {
        ExitCode::from(FINDINGS)
    } else {
        ExitCode::SUCCESS
    })
}
