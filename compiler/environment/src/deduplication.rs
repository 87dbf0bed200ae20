//! A de-duplication block, as a template has given it, in its slot.

use rulec_kql::ast::{ExprKind, Statement};
use rulec_source::Span;

use crate::{
    slots::Slot,
    splice::{Edit, Part, whole},
};

/// What a block goes on with when it is read on its own.
const HEAD: &str = "T\n";

/// What the slot is given instead of what stands in it, or what is wrong with
/// it: a sentence, and a place in the template, whose text has its first byte
/// at `start`.
pub fn block(rendered: &str, template: &str, start: u32, slot: &Slot) -> Result<Edit, (String, Span)> {
    let parts = parts(rendered, template, start, slot);
    let text = whole(&parts);
    let parsed = rulec_kql::parse(&format!("{HEAD}{}", text.text));
    let back = |span: Span| {
        let part = |at: u32| at as usize - HEAD.len().min(at as usize);
        text.map(Span::new(part(span.start), part(span.end)))
    };
    if let Some(error) = parsed.diagnostics.iter().find(|d| d.is_error()) {
        let message = format!("the block cannot be read: {}", error.message);
        return Err((message, back(error.span().unwrap_or_default())));
    }
    // Everything in it goes on with the pipeline: nothing ends it.
    let whole = match &parsed.query.statements[..] {
        [Statement::Expression(expr)] => {
            let table = match &expr.kind {
                ExprKind::Pipeline(pipeline) => pipeline.source.as_deref().map(|source| source.span),
                _ => Some(expr.span),
            };
            table == Some(Span::new(0, 1))
        }
        _ => false,
    };
    let ended = parsed
        .tokens
        .iter()
        .find(|token| token.kind == rulec_kql::TokenKind::Semicolon);
    if !whole || ended.is_some() {
        let at = ended.map_or(Span::at(HEAD.len()), |token| token.span);
        return Err((
            "the block is more than operators of one pipeline".to_owned(),
            back(at),
        ));
    }
    Ok(Edit {
        at: slot.inside,
        parts,
    })
}

/// The lines of a block and where each of them stands in the template.
fn parts(rendered: &str, template: &str, start: u32, slot: &Slot) -> Vec<Part> {
    let mut sources: Vec<(usize, &str)> = Vec::new();
    let mut at = 0;
    for line in template.split_inclusive('\n') {
        sources.push((at, line.trim_end_matches(['\n', '\r'])));
        at += line.len();
    }
    let mut parts = Vec::new();
    let mut next = 0;
    for line in rendered.lines() {
        if line.trim().is_empty() {
            continue;
        }
        // As it stands there; else the line that begins like it, which has
        // values in it; else where the last one was.
        let after = sources.iter().enumerate().skip(next);
        let same = after.clone().find(|(_, (_, source))| *source == line);
        let like = || {
            after.clone().find(|(_, (_, source))| {
                let fixed = source.split("{{").next().unwrap_or_default();
                source.contains("{{") && line.starts_with(fixed)
            })
        };
        let indent = Part::new(slot.indent.clone(), start as usize);
        match same.or_else(like) {
            Some((number, (at, source))) => {
                // A loop gives one line of the template several times.
                next = if *source == line { number + 1 } else { number };
                let at = start as usize + at;
                parts.push(indent);
                // Up to the first value it stands there as it is.
                let fixed = if *source == line {
                    line
                } else {
                    source.split("{{").next().unwrap_or_default()
                };
                parts.push(Part::of(fixed, at));
                parts.push(Part::new(&line[fixed.len()..], at + fixed.len()));
            }
            None => {
                let at = sources.get(next).map_or(0, |(at, _)| *at);
                parts.push(indent);
                parts.push(Part::new(line, start as usize + at));
            }
        }
        parts.push(Part::new(slot.newline, start as usize));
    }
    parts
}

#[cfg(test)]
mod tests {
    use rulec_facts::{Pack, aliases::Aliases};
    use rulec_source::Fragment;

    use super::*;
    use crate::{slots::slots, splice::splice};

    const QUERY: &str =
        "T\n  // Begin de-duplication logic.\n  | take 1\n  // End de-duplication logic.\n| count";

    fn put(rendered: &str, template: &str) -> Result<Fragment, (String, Span)> {
        let aliases = Aliases::load(&Pack::embedded()).unwrap();
        let found = slots(QUERY, &rulec_kql::parse(QUERY).tokens, &aliases);
        let edit = block(rendered, template, 1_000, &found.slots[0])?;
        Ok(splice(&Fragment::contiguous(QUERY, 0), &[edit]).0)
    }

    #[test]
    fn a_block_takes_the_place_of_what_stands_in_the_slot() {
        let template = "{# c #}\n| summarize arg_min({{ time }}, *)\n    by {{ x }}\n| where true\n";
        let rendered = "\n| summarize arg_min(Timestamp, *)\n    by A\n| where true\n";
        let text = put(rendered, template).unwrap();
        assert_eq!(
            text.text,
            "T\n  // Begin de-duplication logic.\n  | summarize arg_min(Timestamp, *)\n      by A\n  | where true\n  // End de-duplication logic.\n| count"
        );
        let back = |word: &str| {
            let at = text.text.find(word).unwrap();
            let span = text.map(Span::new(at, at + word.len()));
            template[span.start as usize - 1_000..]
                .lines()
                .next()
                .unwrap()
                .to_owned()
        };
        assert_eq!(back("summarize"), "summarize arg_min({{ time }}, *)");
        assert_eq!(back("Timestamp"), "{{ time }}, *)");
        assert_eq!(back("by A"), "by {{ x }}");
        assert_eq!(back("where true"), "where true");
        // Nothing at all is a block, too.
        assert_eq!(
            put("", "").unwrap().text,
            "T\n  // Begin de-duplication logic.\n  // End de-duplication logic.\n| count"
        );
    }

    #[test]
    fn a_block_does_not_leave_its_slot() {
        for (text, said) in [
            ("| take 1; T", "more than operators"),
            ("| take 1;", "more than operators"),
            (", U", "cannot be read"),
            ("| take 1)", "cannot be read"),
            ("| where (true", "cannot be read"),
            ("X", ""),
            ("(x)", ""),
            ("; T | take 1", "more than operators"),
        ] {
            let (message, _) = put(text, text).unwrap_err();
            assert!(message.contains(said), "{text}: {message}");
        }
    }
}
