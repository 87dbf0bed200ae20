//! `rulec build`: emit artifacts.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::ValueEnum;
use rulec_driver::{Pipeline, build, config::Level, environment, inputs, tree};

use crate::{FINDINGS, Failure, Global, Outcome, print};

/// Emit artifacts: Sentinel, Defender, Sigma and native Rust
///
/// Writes one folder per target below the output folder, and `losses.json`: what each target could not
/// say exactly. A rule that does not compile, or cannot go to a target, is reported; the others are
/// built all the same, byte for byte as if it were not there.
///
/// Beside one artifact a rule there are bundles of all rules (`bundle/`): deployment templates of Azure
/// Resource Manager and Bicep files for Sentinel, batches of Graph requests for Defender. `manifest.json`
/// in each folder says what every file is made of. With it the next build says what is new, changed and
/// removed, leaves files that stay the same alone, and removes what no rule gives any more, unless
/// somebody edited it since.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Documents and folders. Default: the rules of the repository.
    paths: Vec<PathBuf>,
    /// Targets, separated by commas. Default: those of rulec.toml, else all.
    #[arg(long, value_delimiter = ',', value_name = "TARGET")]
    target: Vec<String>,
    /// Folder to write to.
    #[arg(long, short, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Environments, separated by commas: environments/NAME.yaml. Each is built into a folder of its name
    /// below the output folder, also when it is the only one.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    env: Vec<String>,
    /// Look at exclusions as of this time, ISO 8601. Default: the clock.
    #[arg(long, value_name = "TIME", requires = "env")]
    now: Option<String>,
    /// Fail when the loss ledger has an entry with one of these effects: widened, narrowed, dropped, rejected.
    #[arg(long, value_delimiter = ',', value_name = "EFFECT")]
    deny: Vec<String>,
    /// Bundles to write, separated by commas: arm, bicep, batch, or none. Default: those of rulec.toml, else all.
    #[arg(long, value_delimiter = ',', value_name = "BUNDLE")]
    bundle: Vec<String>,
    /// What is said about the build: json on standard output is for tools (schema/build.schema.json).
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    format: Format,
    /// Write nothing: say whether the files in the output folder are what their manifests say.
    #[arg(long, conflicts_with_all = ["paths", "deny", "bundle", "format"])]
    verify: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// What `--bundle` says for no bundle.
const NONE: &str = "none";

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Outcome {
    let now = inputs::now_or_clock(arguments.now.as_deref()).map_err(Failure::say)?;
    let mut pipeline = print::pipeline(global)?;
    let bundles: Vec<String> = arguments
        .bundle
        .iter()
        .filter(|name| *name != NONE)
        .cloned()
        .collect();
    if bundles.len() < arguments.bundle.len() && !bundles.is_empty() {
        return Err(Failure::say("`--bundle none` goes with no other bundle"));
    }
    let options = build::Options {
        targets: arguments.target.clone(),
        deny: arguments.deny.clone(),
        bundles: (!arguments.bundle.is_empty()).then_some(bundles),
    };
    let options = pipeline.build_options(options).map_err(Failure::say)?;
    let (shown, out) = folder(&pipeline, arguments);
    if arguments.env.is_empty() {
        return one(global, arguments, &pipeline, &options, &shown, &out).map(ExitCode::from);
    }
    if arguments.format == Format::Json && arguments.env.len() > 1 {
        return Err(Failure::say("--format json is about one environment"));
    }
    let mut folded: Vec<String> = arguments.env.iter().map(|name| name.to_lowercase()).collect();
    folded.sort();
    if let Some([twice, _]) = folded.windows(2).find(|pair| pair.first() == pair.last()) {
        let message = format!("the environment `{twice}` is named twice: one folder cannot be both");
        return Err(Failure::say(message));
    }
    // A tree is written when all of them can be read: one that is half there is none.
    for name in &arguments.env {
        if name == environment::NONE {
            return Err(Failure::say(
                "without an environment, `rulec build` takes no --env",
            ));
        }
        print::enter(&mut pipeline, name, now)?;
    }
    let mut code = 0;
    for name in &arguments.env {
        print::enter(&mut pipeline, name, now)?;
        if !global.quiet {
            anstream::eprintln!("environment {name}");
        }
        let (shown, out) = (format!("{shown}/{name}"), out.join(name));
        code = one(global, arguments, &pipeline, &options, &shown, &out)?.max(code);
    }
    Ok(ExitCode::from(code))
}

/// One tree.
fn one(
    global: &Global,
    arguments: &Arguments,
    pipeline: &Pipeline,
    options: &build::Options,
    shown: &str,
    out: &Path,
) -> Result<u8, Failure> {
    if arguments.verify {
        return verify(global, out, shown, &arguments.target);
    }
    let (checked, built) = pipeline.build_paths(&arguments.paths, options);
    let written = build::write(&built, out).map_err(Failure::say)?;
    let mut findings = checked.errors();
    findings.extend(built.findings());
    findings.extend(written.findings());
    print::findings(global, &findings);
    if arguments.format == Format::Json {
        print::data(&built.json(shown, &written));
    } else if !global.quiet {
        anstream::eprintln!("{}", built.report(shown, &written));
    }
    let code = print::exit(&findings, Level::Error);
    let denied = built.denied(options);
    for line in &denied {
        anstream::eprintln!("error: {line}");
    }
    Ok(if code == 0 && !denied.is_empty() {
        FINDINGS
    } else {
        code
    })
}

/// The output folder, as it is named and as it is found.
fn folder(pipeline: &Pipeline, arguments: &Arguments) -> (String, PathBuf) {
    match &arguments.out {
        Some(out) => (out.display().to_string(), out.clone()),
        None => {
            let out = &pipeline.repository.config.repository.out;
            (out.clone(), pipeline.repository.path(out))
        }
    }
}

fn verify(global: &Global, out: &Path, shown: &str, targets: &[String]) -> Result<u8, Failure> {
    let verified = tree::verify(out, targets).map_err(Failure::say)?;
    let findings = verified.findings();
    print::findings(global, &findings);
    if !global.quiet {
        let plural = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        anstream::eprintln!(
            "{} in {shown} as {} written, {} not, by {}",
            plural(verified.files, "file"),
            if verified.files == 1 {
                "it was"
            } else {
                "they were"
            },
            findings.len(),
            plural(verified.manifests, "manifest"),
        );
    }
    Ok(print::exit(&findings, Level::Error))
}
