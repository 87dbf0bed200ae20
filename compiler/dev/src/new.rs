//! `cargo dev new lint|function|target NAME`: the files a contribution begins with.

use std::{fs, path::Path};

use crate::test::root;

/// What to begin.
#[derive(clap::Subcommand)]
pub(crate) enum Arguments {
    /// A lint: its file, its page and its row.
    Lint {
        /// `no-time-bound`.
        name: String,
    },
    /// A scalar function: where its row and kernel go, and a row to fill in.
    Function {
        /// `strrep`.
        name: String,
        /// The family it belongs to: a file in functions/src/scalar.
        #[arg(long, default_value = "strings")]
        family: String,
    },
    /// A target: its file, its templates and its row.
    Target {
        /// `splunk`.
        name: String,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    match arguments {
        Arguments::Lint { name } => lint(name),
        Arguments::Function { name, family } => function(name, family),
        Arguments::Target { name } => target(name),
    }
}

fn checked(name: &str) -> Result<String, String> {
    let good = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c));
    if good {
        Ok(name.replace('-', "_"))
    } else {
        Err(format!("`{name}` should be lower-case letters and dashes"))
    }
}

fn write(path: &str, text: &str) -> Result<(), String> {
    let full = root().join(path);
    if full.exists() {
        return Err(format!("{path} exists"));
    }
    if let Some(parent) = full.parent() {
        fs::create_dir_all(parent).map_err(|e| e.to_string())?;
    }
    fs::write(&full, text).map_err(|e| format!("{path}: {e}"))?;
    println!("wrote   {path}");
    Ok(())
}

/// Puts `line` in front of the first line of a file that contains `before`.
fn insert(path: &str, before: &str, line: &str) -> Result<(), String> {
    let full = root().join(path);
    let text = fs::read_to_string(&full).map_err(|e| format!("{path}: {e}"))?;
    let at = text
        .find(before)
        .ok_or_else(|| format!("{path} has no line with `{before}`"))?;
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let text = format!("{}{line}\n{}", &text[..start], &text[start..]);
    fs::write(&full, text).map_err(|e| format!("{path}: {e}"))?;
    println!("changed {path}");
    Ok(())
}

fn lint(name: &str) -> Result<(), String> {
    let module = checked(name)?;
    let registry = "compiler/check/src/lints/mod.rs";
    let rows = fs::read_to_string(root().join(registry)).map_err(|e| e.to_string())?;
    let number = rows.matches("::LINT,").count() + 1;
    write(
        &format!("compiler/check/src/lints/{module}.rs"),
        &format!(
            r#"//! Say here what must be true.

use rulec_source::{{Diagnostic, Severity}};

use super::code;
use crate::{{Input, Lint}};

pub(crate) const LINT: Lint = Lint {{
    code: code("RL{number:03}", "{name}", Severity::Warning, "Say here what is wrong, in one sentence."),
    page: include_str!("../../pages/{name}.md"),
    run,
}};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {{
    // The shape of a finding; replace the condition.
    if input.rule.title.is_empty() {{
        found.push(Diagnostic::new(LINT.code, "say what is wrong").at(input.place("/title")));
    }}
}}
"#
        ),
    )?;
    write(
        &format!("compiler/check/pages/{name}.md"),
        "Say here why it matters.\n\n```kql bad\nDeviceProcessEvents\n```\n\nUse instead: what.\n\n```kql good\nDeviceProcessEvents\n```\n",
    )?;
    insert(registry, "const fn code", &format!("mod {module};\n"))?;
    insert(
        registry,
        "];\n\n/// Their codes.",
        &format!("    {module}::LINT,"),
    )?;
    println!(
        "next: the examples of its page (`markdown` for what is not in the query), or a case in tests/cases/check; then `cargo dev lints`"
    );
    Ok(())
}

fn function(name: &str, family: &str) -> Result<(), String> {
    checked(name)?;
    let path = format!("compiler/functions/src/scalar/{family}.rs");
    if !Path::new(&root().join(&path)).exists() {
        return Err(format!("there is no family `{family}`: {path} does not exist"));
    }
    if rulec_functions::scalar(name).is_some() {
        return Err(format!("`{name}` has a row already; give it a kernel there"));
    }
    println!("{path}: add a row beside its relatives:\n");
    println!("    {name} [(Text) -> String], \"One sentence of our own.\",");
    println!("        \"{name}('a')\" => \"a\";\n");
    println!("and the kernel:\n");
    println!("    /// `{name}`");
    println!("    pub fn {name}(args: &[Value]) -> Value {{ … }}\n");
    println!("the row's examples run as tests: `cargo test -p rulec-functions`");
    Ok(())
}

fn target(name: &str) -> Result<(), String> {
    let module = checked(name)?;
    let kind: String = module
        .split('_')
        .map(|w| w[..1].to_uppercase() + &w[1..])
        .collect();
    write(
        &format!("compiler/emit/src/targets/{module}/mod.rs"),
        &format!(
            r#"//! Say here what the target is and where its facts come from.

use crate::{{Context, Emitted, Input, Target}};

/// The target's row in [`super::all`].
pub struct {kind};

impl Target for {kind} {{
    fn name(&self) -> &'static str {{
        "{name}"
    }}

    fn about(&self) -> &'static str {{
        "Say in one sentence what it emits."
    }}

    fn rule(&self, _context: &Context, _input: &Input<'_>) -> Emitted {{
        Emitted::default()
    }}
}}
"#
        ),
    )?;
    write(
        &format!("templates/{name}/target.toml"),
        "# File names, limits and capabilities of the target.\n",
    )?;
    println!(
        "next: `pub mod {module};` and a row in compiler/emit/src/targets/mod.rs, templates in templates/{name}/"
    );
    Ok(())
}
