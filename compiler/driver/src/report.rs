//! Pages that stand alone: a template, what it shows, and nothing to fetch.
//!
//! What events and rules say is data: the template engine escapes it, and
//! characters that turn text around or that nobody sees are written out.

use std::fmt::Write as _;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, syntax::SyntaxConfig, value::Serde};

use crate::Pipeline;

/// The page. A template that fails gives a page that says so.
pub(crate) fn render(pipeline: &Pipeline, template: &str, shown: serde_json::Value) -> String {
    match try_render(pipeline, template, shown) {
        Ok(page) => page,
        Err(error) => format!(
            "<!doctype html>\n<title>rulec</title>\n<pre>{template} cannot be used: {}</pre>\n",
            minijinja::HtmlEscape(&error.to_string())
        ),
    }
}

fn try_render(
    pipeline: &Pipeline,
    template: &str,
    shown: serde_json::Value,
) -> Result<String, Box<dyn std::error::Error>> {
    let source = pipeline.repository.pack.require(template)?.replace("\r\n", "\n");
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()?,
    );
    environment.add_filter("visible", |text: &str| visible(text, usize::MAX).0);
    environment.add_filter("prose", |text: &str| {
        minijinja::Value::from_safe_string(prose(text))
    });
    environment.add_template(template, &source)?;
    let shown = minijinja::Value::from(Serde(shown));
    Ok(environment.get_template(template)?.render(shown)?)
}

/// Text as HTML; what stands between backticks is code.
fn prose(text: &str) -> String {
    let text = visible(text, usize::MAX).0;
    let parts: Vec<&str> = text.split('`').collect();
    // Without a partner a backtick is only a character.
    if parts.len().is_multiple_of(2) {
        return minijinja::HtmlEscape(&text).to_string();
    }
    let parts = parts.iter().enumerate().map(|(index, part)| {
        let part = minijinja::HtmlEscape(part);
        match index % 2 {
            0 => part.to_string(),
            _ => format!("<code>{part}</code>"),
        }
    });
    parts.collect()
}

/// The beginning of a text, and how many characters are missing. Characters
/// that are not seen, or turn the text around them, are written as their
/// numbers; line breaks and tabs stay.
pub(crate) fn visible(text: &str, most: usize) -> (String, usize) {
    let mut out = String::new();
    let mut characters = text.chars();
    for c in characters.by_ref().take(most) {
        let hidden = match c {
            '\n' | '\t' => false,
            // Soft hyphen, marks of direction, joiners, isolates, byte order mark, tags.
            '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}' => true,
            _ => c.is_control(),
        };
        if hidden {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    (out, characters.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_marked_and_everything_escaped() {
        assert_eq!(
            prose("a < `b & \u{202e}c` d"),
            "a &lt; <code>b &amp; \\u{202e}c</code> d"
        );
        assert_eq!(prose("a ` <b>"), "a ` &lt;b&gt;");
    }

    #[test]
    fn what_is_not_seen_is_written_out() {
        assert_eq!(
            visible("a\u{202e}b\u{0}\r\nc\té", 99).0,
            "a\\u{202e}b\\u{0}\\u{d}\nc\té"
        );
        let long = "x".repeat(1 << 20);
        let (shown, cut) = visible(&long, 4_000);
        assert_eq!((shown.len(), cut), (4_000, (1 << 20) - 4_000));
    }
}
