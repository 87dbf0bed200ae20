//! The minijinja environment that all targets render through.
//!
//! In: the files of the pack under templates/ that end in `.j2`; a template's
//! name is its path below templates/ (`sentinel/rule.yaml.j2`), so a repository
//! overrides one by a file of the same path. Out: text, or a located error.
//!
//! Rendering is strict in three ways that a target format needs:
//! - an undefined variable is an error, not an empty string;
//! - a bare string is an error: `{{ title }}` says nothing about the notation
//!   it is written in, `{{ title | yaml_string }}` does. `| safe` marks text
//!   that is already in the right notation;
//! - fuel and output are limited, so an endless loop ends with an error.
//!
//! Deliberately absent: what a target means by its variables, and any check of
//! the result ([`crate::check`] does that).

mod filters;
mod value;
mod yaml;

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value};
use rulec_facts::Pack;
use rulec_source::Diagnostic;

use crate::codes::{TEMPLATE_FAILED, TEMPLATE_SYNTAX};

pub use filters::identifier;
pub(crate) use filters::one_line;

/// The folder of all templates in a pack.
const FOLDER: &str = "templates/";

/// How templates are told from other files.
const SUFFIX: &str = ".j2";

/// Steps one rendering may take: two orders of magnitude more than the largest
/// template of ours needs, and still well under a second.
const FUEL: u64 = 20_000_000;

/// Bytes one rendering may give.
const OUTPUT: usize = 64 << 20;

/// All templates of a pack, compiled.
pub struct Templates {
    environment: Environment<'static>,
    broken: BTreeMap<String, TemplateError>,
}

/// Why a template gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// `templates/sentinel/rule.yaml.j2`.
    pub path: String,
    /// The line in the template, from 1, if it is known.
    pub line: Option<usize>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Whether the template did not even compile.
    pub syntax: bool,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.message),
            None => write!(f, "{}: {}", self.path, self.message),
        }
    }
}

impl std::error::Error for TemplateError {}

impl TemplateError {
    /// What an error of the engine says, of the template `name` below
    /// `templates/` unless it stands in another.
    pub fn new(name: &str, error: &minijinja::Error) -> Self {
        // The innermost error says what is wrong, the template it stands in where.
        let mut innermost = error;
        while let Some(inner) = std::error::Error::source(innermost).and_then(|e| e.downcast_ref()) {
            innermost = inner;
        }
        let message = match innermost.kind() {
            ErrorKind::OutOfFuel => "the template takes too many steps; does a loop never end?".to_owned(),
            ErrorKind::WriteFailure => {
                format!("the template writes more than {} MiB", OUTPUT >> 20)
            }
            kind => match innermost.detail() {
                Some(detail) => format!("{kind}: {detail}"),
                None => kind.to_string(),
            },
        };
        Self {
            path: format!("{FOLDER}{}", innermost.name().unwrap_or(name)),
            line: innermost.line(),
            message,
            syntax: innermost.kind() == ErrorKind::SyntaxError,
        }
    }

    /// As a finding. Templates are no part of a document, so it carries no
    /// span; the message says the template and the line.
    pub fn to_diagnostic(&self) -> Diagnostic {
        let code = if self.syntax {
            TEMPLATE_SYNTAX
        } else {
            TEMPLATE_FAILED
        };
        Diagnostic::new(code, self.to_string())
    }
}

impl Templates {
    /// Compiles every template of the pack. One that does not compile is an
    /// error when it is rendered, and stands in [`Templates::diagnostics`].
    pub fn new(pack: &Pack) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(200);
        // Statements on lines of their own leave no trace.
        let mut syntax = SyntaxConfig::builder();
        syntax
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true);
        if let Ok(syntax) = syntax.build() {
            environment.set_syntax(syntax);
        }
        // Named, so that macros give strings marked as fit for output.
        environment.set_auto_escape_callback(|_| AutoEscape::Custom("rulec".into()));
        environment.set_formatter(|out, _, value| {
            if value.is_safe() || value.is_number() {
                return write!(out, "{value}").map_err(minijinja::Error::from);
            }
            let detail = match value.kind() {
                // The engine's own spelling is Python's.
                ValueKind::Bool => {
                    let word = if value.is_true() { "true" } else { "false" };
                    return out.write_str(word).map_err(minijinja::Error::from);
                }
                ValueKind::Undefined => return Err(minijinja::Error::from(ErrorKind::UndefinedError)),
                ValueKind::String => "a bare string; say its notation with a filter (yaml_string, yaml_block, json, \
                                      rust_string, kql_string, kql_name, ident, comment), or `safe` when it is in the right notation"
                    .to_owned(),
                kind => format!("a {kind} cannot be printed as it is; use `yaml` or `json`"),
            };
            Err(minijinja::Error::new(ErrorKind::InvalidOperation, detail))
        });
        filters::add_to(&mut environment);

        let mut broken = BTreeMap::new();
        for path in pack.paths_under(FOLDER).filter(|path| path.ends_with(SUFFIX)) {
            let name = &path[FOLDER.len()..];
            let Some(source) = pack.text(path) else {
                broken.insert(
                    name.to_owned(),
                    TemplateError {
                        path: path.to_owned(),
                        line: None,
                        message: "the file is not UTF-8".to_owned(),
                        syntax: true,
                    },
                );
                continue;
            };
            // A checkout with CRLF must not put carriage returns in artifacts.
            let source = source.replace("\r\n", "\n");
            if let Err(error) = environment.add_template_owned(name.to_owned(), source) {
                let error = TemplateError {
                    syntax: true,
                    ..TemplateError::new(name, &error)
                };
                broken.insert(name.to_owned(), error);
            }
        }
        Self { environment, broken }
    }

    /// The templates that do not compile, in order of their paths.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        self.broken.values().map(TemplateError::to_diagnostic).collect()
    }

    /// The names of all templates of a target, sorted.
    pub fn names(&self, target: &str) -> Vec<String> {
        let mut names: Vec<String> = self
            .environment
            .templates()
            .map(|(name, _)| name.to_owned())
            .chain(self.broken.keys().cloned())
            .filter(|name| name.split('/').next() == Some(target))
            .collect();
        names.sort_unstable();
        names
    }

    /// Renders a template (`sentinel/rule.yaml.j2`) with the members of
    /// `context` as variables. Objects keep the order of their keys.
    pub fn render(&self, name: &str, context: &serde_json::Value) -> Result<String, TemplateError> {
        if let Some(error) = self.broken.get(name) {
            return Err(error.clone());
        }
        self.render_value(name, value::to_template(context))
            .map_err(|error| {
                let mut error = TemplateError::new(name, &error);
                // An include that does not compile is reported as missing; say why.
                if let Some(broken) = self
                    .broken
                    .values()
                    .find(|b| error.message.contains(&b.path[FOLDER.len()..]))
                {
                    error = broken.clone();
                }
                error
            })
    }

    fn render_value(&self, name: &str, context: Value) -> Result<String, minijinja::Error> {
        let mut sink = Limited(Vec::new());
        self.environment
            .get_template(name)?
            .render_captured_to(context, &mut sink)?;
        String::from_utf8(sink.0).map_err(|_| minijinja::Error::from(ErrorKind::WriteFailure))
    }
}

/// Takes [`OUTPUT`] bytes and no more.
struct Limited(Vec<u8>);

impl io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > OUTPUT {
            return Err(io::Error::other("too much output"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn templates(files: &[(&str, &str)]) -> Templates {
        let files = files
            .iter()
            .map(|(path, text)| (format!("templates/{path}"), text.as_bytes().to_vec()))
            .collect();
        Templates::new(&Pack::embedded().overlay(files))
    }

    fn error(source: &str) -> String {
        let error = templates(&[("t/a.j2", source)])
            .render("t/a.j2", &json!({"title": "x", "list": [1]}))
            .unwrap_err();
        assert!(error.to_diagnostic().message.starts_with("templates/t/a.j2"));
        error.to_string()
    }

    #[test]
    fn errors_have_template_and_line() {
        assert!(error("a\n{{ nothing | yaml_string }}\n").starts_with("templates/t/a.j2:2: undefined value"));
        assert!(error("a\n{{ nothing }}\n").starts_with("templates/t/a.j2:2: undefined value"));
        assert!(error("\n\n{{ title }}").starts_with("templates/t/a.j2:3: invalid operation: a bare string"));
        assert!(error("{{ list }}").contains("use `yaml` or `json`"));
        assert!(error("{{ list | yaml_string }}").contains("takes a string, not sequence"));
        assert!(error("{{ title | nope }}").contains("unknown filter"));
        assert!(error("{% for x in list %}").starts_with("templates/t/a.j2:1: syntax error"));
        assert!(error("{% include 't/none.j2' %}").contains("t/none.j2"));
        let endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}";
        assert!(error(endless).contains("too many steps"), "{}", error(endless));
        assert!(
            error("{% include 't/a.j2' %}").contains("recursion"),
            "{}",
            error("{% include 't/a.j2' %}")
        );
    }

    #[test]
    fn a_broken_include_is_named() {
        let templates = templates(&[("t/a.j2", "{% include 't/b.j2' %}"), ("t/b.j2", "\n{{ oh no }}")]);
        let error = templates.render("t/a.j2", &json!({})).unwrap_err();
        assert_eq!(
            (error.path.as_str(), error.line, error.syntax),
            ("templates/t/b.j2", Some(2), true)
        );
        assert!(templates.diagnostics().iter().any(|d| d.code == TEMPLATE_SYNTAX));
    }

    #[test]
    fn order_safety_and_macros() {
        let templates = templates(&[(
            "t/a.j2",
            "{% macro m(x) %}<{{ x | yaml_string }}>{% endmacro %}\
             {% for k, v in map | items %}{{ k | safe }}={{ v }};{% endfor %}{{ m('yes') }} {{ map | tojson }} \
             {{ [true, \"a'<b\"] | tojson }} {{ 1.5 }} {{ map.z == 1 }}\n",
        )]);
        assert_eq!(
            templates
                .render("t/a.j2", &json!({"map": {"z": 1, "a": 2}}))
                .unwrap(),
            "z=1;a=2;<\"yes\"> {\"z\":1,\"a\":2} [true,\"a'<b\"] 1.5 true\n"
        );
        assert_eq!(templates.names("t"), ["t/a.j2"]);
    }

    #[test]
    fn crlf_checkouts_render_as_lf() {
        let templates = templates(&[("t/a.j2", "a\r\n{% if true %}\r\nb\r\n{% endif %}\r\n")]);
        assert_eq!(templates.render("t/a.j2", &json!({})).unwrap(), "a\nb\n");
    }
}
