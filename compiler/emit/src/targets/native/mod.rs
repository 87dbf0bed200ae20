//! Native Rust: a cargo package that evaluates the rules on exported events,
//! and nothing else. It links the runtime and the functions, whose sources
//! travel with it.
//!
//! In: a rule's bound query and settings. Out: a module for each query,
//! `native/src/rules/<module>.rs`, that calls the same operators and kernels
//! as the interpreter, with every name, type and constant resolved; and, over
//! all rules, the package around them.
//!
//! The code of a rule is laid out here, as rustfmt would, and its template
//! adds the header. Deliberately absent: running anything, and constructs that
//! the interpreter refuses too; a rule with one is rejected.

#[cfg(test)]
mod agreement;
mod code;
mod emitter;
mod expansion;
mod info;
mod layout;
mod module;
mod names;
mod passing;
mod pipe;
mod plugins;
mod prune;
mod relations;
#[cfg(test)]
mod samples;
mod scalars;
mod sources;
mod specials;
mod stateless;
mod support;
#[cfg(test)]
mod tests;
mod vendor;
mod wanted;
mod windows;

use std::collections::BTreeMap;

use rulec_facts::Pack;
use rulec_source::Diagnostic;
use serde::Deserialize;
use serde_json::json;

use crate::codes::{NATIVE_PACKAGE, NATIVE_UNSUPPORTED};
use crate::findings::{Findings, Problem};
use crate::{Artifact, Config, Context, Emitted, Input, Member, Target};

use code::{Code, Statement};

pub use info::Info;

/// The target.
#[derive(Clone, Copy, Debug)]
pub struct Native;

const NAME: &str = "native";

/// The name of the package, and of its binary.
pub const BINARY: &str = "rulec-rules";

/// The own part of `templates/native/target.toml`: there is none.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {}

/// Everything that is the same for all rules.
struct Prepared {
    config: Config<Own>,
}

impl Prepared {
    fn load(pack: &Pack) -> Result<Self, Box<Diagnostic>> {
        Ok(Self {
            config: Config::load(pack, NAME)?,
        })
    }
}

impl Target for Native {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "A cargo package that evaluates the rules on exported events"
    }

    fn has_save_rules(&self) -> bool {
        false
    }

    fn rule(&self, context: &Context, input: &Input<'_>) -> Emitted {
        let mut findings = Findings::new(input);
        let prepared = match context.prepared(Prepared::load) {
            Ok(prepared) => prepared,
            Err(diagnostic) => {
                findings.report(*diagnostic);
                return findings.emitted;
            }
        };
        let module = module_of(input);
        let code = match code_of(input, &module) {
            Ok(code) => code,
            Err(problems) => {
                for problem in problems {
                    findings.refuse(problem);
                }
                return findings.emitted;
            }
        };
        let mut emitted = findings.emitted;
        let heading = format!(
            "{}: {}",
            input.rule.id,
            crate::findings::title(input, input.slug(None).as_deref())
        );
        let meant = json!({ "heading": heading.trim(), "code": code });
        let variables = json!({ "id": input.rule.id, "provenance": input.provenance });
        emitted.add(
            prepared
                .config
                .render_as(context, "rule", module.as_str().into(), &meant, variables),
        );
        emitted
    }

    fn bundle(&self, context: &Context, members: &[Member<'_>], _: &[&str]) -> Emitted {
        let mut emitted = Emitted::default();
        match context.prepared(Prepared::load) {
            Ok(prepared) => package(&mut emitted, context, &prepared.config, members),
            Err(diagnostic) => emitted.diagnostics.push(*diagnostic),
        }
        emitted
    }

    fn leaves(&self) -> &'static [&'static str] {
        &["target"]
    }
}

/// The module of a rule's query.
fn module_of(input: &Input<'_>) -> String {
    names::module(&input.rule.id, input.slug(None).as_deref())
}

/// The code of a rule's module, or what of the query cannot be said.
fn code_of(input: &Input<'_>, module: &str) -> Result<String, Vec<Problem>> {
    let refuse = |span, construct: String| {
        let why = format!(
            "{} cannot be run outside the service.",
            sentence_start(&construct)
        );
        Problem::new(NATIVE_UNSUPPORTED, construct, why).at(Some(span))
    };
    let unsupported = support::unsupported(input.ir);
    if !unsupported.is_empty() {
        let problems = unsupported
            .into_iter()
            .map(|(span, construct)| refuse(span, construct));
        return Err(problems.collect());
    }
    let Some(root) = &input.ir.root else {
        let why = "The query gives no rows, so there is nothing to run.";
        return Err(vec![Problem::new(
            NATIVE_UNSUPPORTED,
            "query without a result",
            why,
        )]);
    };
    let info = Info::of(input.rule, input.resolved, &input.provenance.document, input.line);
    let schedule = [&input.resolved.frequency, &input.resolved.period].map(|length| length.value.seconds());
    module::print(input.ir, root, input.text(), module, &info, schedule)
        .map_err(|(span, construct)| vec![refuse(span, construct)])
}

fn sentence_start(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// The package around the modules.
fn package(emitted: &mut Emitted, context: &Context, config: &Config<Own>, members: &[Member<'_>]) {
    let Some(version) = members.first().map(|member| member.rulec.to_owned()) else {
        return;
    };
    let facts = vendor::workspace("version").and_then(|own| {
        Ok((
            vendor::workspace("edition")?,
            vendor::workspace("rust-version")?,
            vendor::lock(BINARY, &own)?,
            vendor::files()?,
            own,
        ))
    });
    let (edition, rust_version, lock, files, own) = match facts {
        Ok(facts) => facts,
        Err(error) => {
            emitted.diagnostics.push(Diagnostic::new(NATIVE_PACKAGE, error));
            return;
        }
    };
    // In order of the rules; two rules of one module are a finding elsewhere.
    let module_of = |member: &Member<'_>| names::module(member.rule, member.slug);
    let modules: BTreeMap<String, &str> = members
        .iter()
        .rev()
        .map(|member| (module_of(member), member.rule))
        .collect();
    let mut seen = std::collections::BTreeSet::new();
    let rules = members
        .iter()
        .map(module_of)
        .filter(|module| seen.insert(module.clone()))
        .map(|module| Code::call(format!("rules::{module}::rule"), []));
    let list = code::statements(&[Statement::Tail(Code::vec(rules.collect::<Vec<_>>()))], 4);
    let meant = json!({});
    let variables = json!({
        "package": BINARY,
        "crate": BINARY.replace('-', "_"),
        "rulec": version,
        "version": own,
        "edition": edition,
        "rust_version": rust_version,
        "modules": modules.keys().collect::<Vec<_>>(),
        "list": list.trim(),
    });
    for key in ["manifest", "main", "lib", "modules"] {
        emitted.add(config.render_as(context, key, BINARY.into(), &meant, variables.clone()));
    }
    let file = |path: String, kind: &str, text: String| Artifact {
        path: format!("{NAME}/{path}"),
        kind: kind.to_owned(),
        bytes: text.into_bytes(),
        rules: Vec::new(),
        verbatim: kind == "vendored",
    };
    let lock = file("Cargo.lock".to_owned(), "lock", lock);
    emitted.artifacts.push(lock);
    let vendored = files
        .into_iter()
        .map(|(path, text)| file(format!("vendor/{path}"), "vendored", text));
    emitted.artifacts.extend(vendored);
}
