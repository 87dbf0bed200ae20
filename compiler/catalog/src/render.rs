//! Pages from templates.
//!
//! In: a template of `templates/catalog/` and what it shows. Out: the page.
//! Everything is escaped but what a template marks `safe`; only fields whose
//! names end in `html` may be, and this crate alone makes those. A name that
//! is not there is an error, never nothing.

use minijinja::{
    AutoEscape, Environment, UndefinedBehavior,
    syntax::SyntaxConfig,
    value::{Serde, Value},
};
use rulec_emit::TemplateError;
use rulec_facts::Pack;
use serde::Serialize;

use crate::{Failure, html};

/// Where the templates are.
pub(crate) const FOLDER: &str = "templates/catalog/";

/// How templates are told from the style and the script beside them.
const SUFFIX: &str = ".j2";

/// All templates of the catalog, compiled.
pub(crate) struct Templates(Environment<'static>);

impl Templates {
    pub(crate) fn new(pack: &Pack) -> Result<Self, Failure> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        // The engine's own escaping writes slashes as numbers, which makes links half again as long.
        environment.set_formatter(|out, state, value| match value.as_str() {
            Some(text) if !value.is_safe() => {
                out.write_str(&html::escape(text)).map_err(minijinja::Error::from)
            }
            _ => minijinja::escape_formatter(out, state, value),
        });
        let mut syntax = SyntaxConfig::builder();
        syntax
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true);
        if let Ok(syntax) = syntax.build() {
            environment.set_syntax(syntax);
        }
        environment.add_filter("plural", plural);
        environment.add_filter("ticks", |text: &str| Value::from_safe_string(html::ticks(text)));
        environment.add_filter("compared", crate::page::compared);
        environment.add_filter("breaks", |name: &str| Value::from_safe_string(html::breaks(name)));
        for path in pack.paths_under(FOLDER).filter(|path| path.ends_with(SUFFIX)) {
            let source = pack.require(path).map_err(Failure::Facts)?.replace("\r\n", "\n");
            let name = path.trim_start_matches(FOLDER).to_owned();
            environment
                .add_template_owned(name.clone(), source)
                .map_err(|error| failed(&name, &error))?;
        }
        Ok(Self(environment))
    }

    pub(crate) fn render(&self, name: &str, context: impl Serialize) -> Result<String, Failure> {
        self.0
            .get_template(name)
            .and_then(|template| template.render(Value::from(Serde(context))))
            .map_err(|error| failed(name, &error))
    }
}

fn failed(name: &str, error: &minijinja::Error) -> Failure {
    let mut failed = TemplateError::new(name, error);
    // Names are those below this crate's folder.
    if !failed.path.starts_with(FOLDER) {
        failed.path = failed.path.replacen("templates/", FOLDER, 1);
    }
    Failure::Template(failed)
}

/// `{{ 1 | plural("rule") }}` is "1 rule", `{{ 2 | plural("rule") }}` "2 rules".
fn plural(count: usize, word: &str, many: Option<&str>) -> String {
    match (count, many) {
        (1, _) => format!("1 {word}"),
        (n, Some(many)) => format!("{n} {many}"),
        (n, None) => format!("{n} {word}s"),
    }
}
